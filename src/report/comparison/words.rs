//! What a comparison found, in words that all renderers share.

use crate::experiment::comparison::{
    CauseMove, Change, ChangeKind, Comparison, Difference, Figure, FigureUnit, Judgement, Move,
};
use crate::experiment::outcome::{Estimate, Verdict};
use crate::report::numbers::{self, Printed};
use crate::report::words;

/// Sections of a file whose names are unique in the whole file, so that paths can do without them.
const SECTIONS: [&str; 10] = [
    "domains",
    "nodes",
    "services",
    "caches",
    "stores",
    "externals",
    "queues",
    "balancers",
    "journeys",
    "workload",
];

/// How one candidate stands to the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The same system.
    Same,
    /// Better in something watched, worse in nothing.
    Better,
    /// Worse in something watched.
    Worse,
    /// Better in one, worse in another.
    Mixed,
    /// No significant difference.
    Open,
}

impl Standing {
    pub(super) fn of(comparison: &Comparison, candidate: usize) -> Self {
        let better = comparison.is_better(candidate);
        match (comparison.is_worse(candidate), better) {
            _ if comparison.designs[candidate + 1].same => Self::Same,
            (true, true) => Self::Mixed,
            (true, false) => Self::Worse,
            (false, true) => Self::Better,
            (false, false) => Self::Open,
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Same => "SAME",
            Self::Better => "BETTER",
            Self::Worse => "WORSE",
            Self::Mixed => "MIXED",
            Self::Open => "NO DIFFERENCE SEEN",
        }
    }

    /// The stable name in `comparison.json`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Mixed => "mixed",
            Self::Open => "open",
        }
    }
}

/// The letter of a design: A is the baseline.
pub(super) fn letter(design: usize) -> String {
    match u8::try_from(design) {
        Ok(index) if index < 26 => char::from(b'A' + index).to_string(),
        _ => format!("#{}", design + 1),
    }
}

/// `availability worse, latency.p99 better` of what is watched, or why nothing can be said.
pub(super) fn reasons(comparison: &Comparison, candidate: usize) -> String {
    if comparison.designs[candidate + 1].same {
        return "behaves exactly as the baseline".to_owned();
    }
    let mut parts = Vec::new();
    for (wanted, word) in [(Judgement::Worse, "worse"), (Judgement::Better, "better")] {
        let names: Vec<&str> = comparison
            .watched
            .iter()
            .filter(|row| row.rows[candidate].0 == wanted)
            .map(|row| row.name.as_str())
            .collect();
        if !names.is_empty() {
            parts.push(format!("{word} in {}", names.join(", ")));
        }
    }
    if parts.is_empty() {
        let names: Vec<&str> = comparison
            .watched
            .iter()
            .map(|row| row.name.as_str())
            .collect();
        parts.push(format!("not significant in {}", names.join(", ")));
    }
    parts.join("; ")
}

/// `3 met, 1 missed` of one design's targets; empty without targets.
pub(super) fn targets(comparison: &Comparison, design: usize) -> String {
    let outcome = &comparison.designs[design].outcome;
    [
        (Verdict::Missed, "missed"),
        (Verdict::Undecided, "undecided"),
        (Verdict::Met, "met"),
    ]
    .into_iter()
    .filter_map(|(verdict, word)| {
        let count = words::having(outcome, verdict);
        (count > 0).then(|| format!("{count} {word}"))
    })
    .collect::<Vec<_>>()
    .join(", ")
}

/// A value of a figure.
pub(super) fn value(figure: &Figure, e: &Estimate) -> Printed {
    match figure.unit {
        FigureUnit::Share => numbers::share(e),
        FigureUnit::Seconds => numbers::span(e),
        FigureUnit::SecondsPerYear => numbers::span_per_year(e),
        FigureUnit::PerYear => numbers::per_year(e),
        FigureUnit::PerMonth => Printed {
            value: numbers::money(e.value, ""),
            interval: String::new(),
        },
    }
}

/// A value of a figure, as short as possible.
pub(super) fn brief(figure: &Figure, e: Option<&Estimate>) -> String {
    let Some(e) = e else { return "-".to_owned() };
    match figure.unit {
        FigureUnit::Share => numbers::share(e).value,
        FigureUnit::Seconds => numbers::brief_span(e),
        FigureUnit::SecondsPerYear if e.value > 0.0 => format!("{}/y", numbers::brief_span(e)),
        FigureUnit::SecondsPerYear => numbers::span_per_year(e).value,
        FigureUnit::PerYear => numbers::per_year(e).value.replace(" per year", "/y"),
        FigureUnit::PerMonth => numbers::money(e.value, ""),
    }
}

/// A difference; a dash where there is none.
pub(super) fn difference(
    comparison: &Comparison,
    d: Option<&Difference>,
    unit: FigureUnit,
) -> Printed {
    let bill = comparison.designs[0].outcome.cost.as_ref();
    let currency = bill.map_or("", |bill| bill.currency.as_str());
    d.map_or_else(Printed::absent, |d| numbers::change(d, unit, currency))
}

/// Whether a difference is an improvement; `None` if it is not significant.
pub(super) fn improves(d: Option<&Difference>, higher_is_better: bool) -> Option<bool> {
    let d = d.filter(|d| d.is_significant())?;
    Some((d.value > 0.0) == higher_is_better)
}

/// The word for [`improves`].
pub(super) const fn improvement(improves: Option<bool>) -> &'static str {
    match improves {
        Some(true) => "better",
        Some(false) => "worse",
        None => "",
    }
}

/// The path without the section, where the next key names one thing in the whole file.
pub(super) fn path(change: &Change) -> &str {
    match change.path.split_once('.') {
        Some((section, rest)) if SECTIONS.contains(&section) && rest.contains('.') => rest,
        _ => &change.path,
    }
}

/// `~ app.replicas 3 -> 4`, `+ caches.cache2`, `- nodes.old`.
pub(super) fn change(change: &Change) -> String {
    let path = path(change);
    match change.kind {
        ChangeKind::Changed => format!("~ {path} {} -> {}", change.before, change.after),
        ChangeKind::Added => format!("+ {path} {}", change.after),
        ChangeKind::Removed => format!("- {path} {}", change.before),
    }
}

/// The loss by which causes are told: failed requests, or structural downtime without traffic.
pub(super) fn loss(cause: &CauseMove) -> (&Move, &'static str) {
    match &cause.failed_per_million {
        Some(failed) => (failed, "per million"),
        None => (&cause.structural_downtime_s_per_year, "per year"),
    }
}

/// The difference of a cause for one candidate: `-12 per million`, `-3 min/y`.
pub(super) fn moved(cause: &CauseMove, candidate: usize) -> Printed {
    let (loss, word) = loss(cause);
    let Some(d) = &loss.differences[candidate] else {
        return Printed::absent();
    };
    if cause.failed_per_million.is_some() {
        let mut printed = numbers::change(d, FigureUnit::PerYear, "");
        printed.value = printed.value.replace("per year", word);
        printed
    } else {
        numbers::change(d, FigureUnit::SecondsPerYear, "")
    }
}

/// A cause in words.
pub(super) fn cause(row: &CauseMove) -> String {
    words::cause_of(&row.fault, row.phase)
}

/// A cause as short as possible: `articles.crash, decide`.
pub(super) fn short_cause(row: &CauseMove) -> String {
    match row.phase {
        Some(phase) => format!("{}, {}", row.fault, phase.word()),
        None => row.fault.clone(),
    }
}

/// The causes whose loss differs for a candidate, the largest difference first.
pub(super) fn movers(comparison: &Comparison, candidate: usize) -> Vec<&CauseMove> {
    let size = |row: &CauseMove| {
        loss(row).0.differences[candidate]
            .as_ref()
            .map_or(0.0, |d| d.value.abs())
    };
    let mut rows: Vec<&CauseMove> = comparison
        .causes
        .iter()
        .filter(|row| size(row) > 0.0)
        .collect();
    rows.sort_by(|a, b| size(b).total_cmp(&size(a)));
    rows
}

/// What was done, in one line.
pub(super) fn simulated(comparison: &Comparison) -> String {
    let run = &comparison.designs[0].outcome.run;
    let traffic = match run.traffic_replications {
        0 => ", structure only".to_owned(),
        n => format!(", {} with requests", numbers::count(n)),
    };
    format!(
        "{} designs, the same {} of {}, seed {}{traffic}",
        comparison.designs.len(),
        numbers::plural(run.replications, "history"),
        numbers::exact_span(run.horizon_s),
        run.seed
    )
}
