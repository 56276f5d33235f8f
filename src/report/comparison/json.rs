//! `comparison.json`: everything a comparison found out, for programs.
//!
//! The rules are those of `result.json`: UTF-8, the same comparison gives the same bytes, no time
//! stamp and no folder, a published name keeps its meaning, names may be added without a new
//! `format`, times in seconds, shares from 0 to 1, `null` for what could not be measured.
//!
//! Designs are in the order of the command; the first is the baseline, the others are candidates.
//! Lists named `values` have an entry for each design, lists named `differences` one for each
//! candidate. A *difference* is `{"value", "low", "high", "confidence", "n", "correlation"}`:
//! candidate minus baseline on the same histories, the ends of its interval (`null`: no bound on
//! that side), the independent units behind it (replications or groups of them), and how much the
//! errors of the two go together.
//!
//! | name | what it is |
//! |---|---|
//! | `format` | 1 |
//! | `run` | `seed`, `replications`, `traffic_replications`, `horizon_s`, `method`, `engine`, `complete`, `steady`, `slice_s`, `looks`, as in `result.json`; the same for all designs |
//! | `designs[]` | `file` (without its folder), `name`, `hash`, `same_as_baseline` (behaves exactly alike), `cost` as in `result.json`, `standing` (`null` for the baseline; `better`, `worse`, `mixed`, `open` or `same`, by what is watched), `changes[]` |
//! | `designs[].changes[]` | `kind` (`added`, `removed`, `changed`), `path` (keys joined by dots), `before`, `after` (texts, empty where there is none); at most 500 |
//! | `watched[]` | what decides: `metric`, `unit`, `better` (`higher` or `lower`), `candidates[]`: `judgement` (`worse`, `better`, `open`) and `difference` at the confidence that decides; all wrong judgements together have a chance of at most 5 % |
//! | `gate` | whether `--fail-on` was given |
//! | `figures.<name>` | `unit` (`share`, `seconds`, `seconds_per_year`, `per_year`, `per_month` for `cost`, which is there if all designs state prices in one currency), `better`, `values[]` (estimates), `differences[]`. Percentiles `latency.*` count a failed request as later than any answer, `latency.answered.*` count answered ones |
//! | `targets[]` | `expression`; `verdicts[]` and `values[]` (the estimate that decides) by design; `differences[]` of what the target is judged by, for latency targets the share of requests within the bound |
//! | `causes[]` | `fault`, `phase`, and `failed_per_million`, `downtime_s_per_year`, `structural_downtime_s_per_year`: `values[]` (numbers) and `differences[]`; the largest difference first |
//! | `warnings[]` | texts |

use super::words::Standing;
use crate::experiment::comparison::{
    Change, ChangeKind, Comparison, Difference, FigureUnit, Judgement, Move, Watched,
};
use crate::report::json::{ENGINE, Json, bill, maybe, method_name, verdict_name};

/// The version of the format.
pub const FORMAT: u64 = 1;

/// The text of `comparison.json`.
pub fn json(comparison: &Comparison) -> String {
    whole(comparison).pretty()
}

/// The same for a `<script>` element of a page: nothing in it can end the element.
pub(super) fn json_for_html(comparison: &Comparison) -> String {
    json(comparison).replace('<', "\\u003c")
}

fn whole(c: &Comparison) -> Json {
    Json::object([
        ("format", Json::integer(FORMAT)),
        ("run", run(c)),
        (
            "designs",
            Json::list((0..c.designs.len()).map(|index| design(c, index))),
        ),
        ("watched", Json::list(c.watched.iter().map(watched))),
        ("gate", Json::Bool(c.gate)),
        (
            "figures",
            Json::object(c.figures.iter().map(|figure| {
                let values = figure.values.iter().map(|value| maybe(value.as_ref()));
                let row = Json::object([
                    ("unit", Json::text(unit_name(figure.unit))),
                    ("better", Json::text(better(figure.higher_is_better))),
                    ("values", Json::list(values)),
                    ("differences", differences(&figure.differences)),
                ]);
                (figure.name.as_str(), row)
            })),
        ),
        ("targets", targets(c)),
        (
            "causes",
            Json::list(c.causes.iter().map(|row| {
                let maybe = |it: &Option<Move>| it.as_ref().map_or(Json::Null, moved);
                Json::object([
                    ("fault", Json::text(&row.fault)),
                    (
                        "phase",
                        row.phase
                            .map_or(Json::Null, |phase| Json::text(phase.word())),
                    ),
                    ("failed_per_million", maybe(&row.failed_per_million)),
                    ("downtime_s_per_year", maybe(&row.downtime_s_per_year)),
                    (
                        "structural_downtime_s_per_year",
                        moved(&row.structural_downtime_s_per_year),
                    ),
                ])
            })),
        ),
        (
            "warnings",
            Json::list(c.warnings.iter().map(|text| Json::text(text))),
        ),
    ])
}

fn run(c: &Comparison) -> Json {
    let run = &c.designs[0].outcome.run;
    Json::object([
        ("seed", Json::integer(run.seed)),
        ("replications", Json::integer(run.replications)),
        (
            "traffic_replications",
            Json::integer(run.traffic_replications),
        ),
        ("horizon_s", Json::number(run.horizon_s)),
        ("method", Json::text(method_name(run.method))),
        ("engine", Json::text(ENGINE)),
        ("complete", Json::Bool(c.complete)),
        ("steady", Json::Bool(run.steady)),
        ("slice_s", run.slice_s.map_or(Json::Null, Json::number)),
        ("looks", Json::integer(c.looks.into())),
    ])
}

fn design(c: &Comparison, index: usize) -> Json {
    let design = &c.designs[index];
    let standing = match index {
        0 => Json::Null,
        _ => Json::text(Standing::of(c, index - 1).name()),
    };
    Json::object([
        ("file", Json::text(&design.file)),
        ("name", Json::text(&design.outcome.name)),
        ("hash", Json::text(&design.outcome.hash)),
        ("same_as_baseline", Json::Bool(design.same)),
        ("standing", standing),
        (
            "cost",
            design.outcome.cost.as_ref().map_or(Json::Null, bill),
        ),
        ("changes", Json::list(design.changes.iter().map(change))),
    ])
}

fn change(change: &Change) -> Json {
    let kind = match change.kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
    };
    Json::object([
        ("kind", Json::text(kind)),
        ("path", Json::text(&change.path)),
        ("before", Json::text(&change.before)),
        ("after", Json::text(&change.after)),
    ])
}

fn watched(row: &Watched) -> Json {
    let rows = row.rows.iter().map(|(judgement, difference)| {
        let judgement = match judgement {
            Judgement::Worse => "worse",
            Judgement::Better => "better",
            Judgement::Open => "open",
        };
        Json::object([
            ("judgement", Json::text(judgement)),
            ("difference", one_difference(difference.as_ref())),
        ])
    });
    Json::object([
        ("metric", Json::text(&row.name)),
        ("unit", Json::text(unit_name(row.unit))),
        ("better", Json::text(better(row.higher_is_better))),
        ("candidates", Json::list(rows)),
    ])
}

fn targets(c: &Comparison) -> Json {
    Json::list(c.targets.iter().map(|target| {
        let rows = || {
            c.designs.iter().map(|design| {
                let mut rows = design.outcome.targets.iter();
                rows.find(|row| row.expression == target.expression)
            })
        };
        let verdicts =
            rows().map(|row| row.map_or(Json::Null, |row| Json::text(verdict_name(row.verdict))));
        let values = rows().map(|row| maybe(row.and_then(|row| row.measured.as_ref())));
        Json::object([
            ("expression", Json::text(&target.expression)),
            ("verdicts", Json::list(verdicts)),
            ("values", Json::list(values)),
            ("differences", differences(&target.differences)),
        ])
    }))
}

fn moved(moved: &Move) -> Json {
    Json::object([
        (
            "values",
            Json::list(moved.values.iter().map(|&value| Json::number(value))),
        ),
        ("differences", differences(&moved.differences)),
    ])
}

fn differences(all: &[Option<Difference>]) -> Json {
    Json::list(all.iter().map(|one| one_difference(one.as_ref())))
}

fn one_difference(difference: Option<&Difference>) -> Json {
    difference.map_or(Json::Null, |d| {
        Json::object([
            ("value", Json::number(d.value)),
            ("low", Json::number(d.low)),
            ("high", Json::number(d.high)),
            ("confidence", Json::number(d.confidence)),
            ("n", Json::integer(d.n)),
            (
                "correlation",
                d.correlation.map_or(Json::Null, Json::number),
            ),
        ])
    })
}

const fn better(higher: bool) -> &'static str {
    if higher { "higher" } else { "lower" }
}

const fn unit_name(unit: FigureUnit) -> &'static str {
    match unit {
        FigureUnit::Share => "share",
        FigureUnit::Seconds => "seconds",
        FigureUnit::SecondsPerYear => "seconds_per_year",
        FigureUnit::PerYear => "per_year",
        FigureUnit::PerMonth => "per_month",
    }
}
