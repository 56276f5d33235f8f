//! What a run did and found, in words that all renderers share.

use super::inputs;
use super::numbers::{self, Printed};
use crate::experiment::outcome::{
    AtPeak, Bill, BreakEven, CauseRow, Condition, Estimate, NeedsRow, Outcome, PeakState, QueueRow,
    Scaled, TargetRow, Unit, Unturned, Verdict,
};
use crate::model::Over;
use crate::path::Phase;
use crate::time::SimSpan;

/// The label that every interval carries.
pub(crate) const INTERVALS: &str =
    "95 % interval, simulation error only: inputs are taken as given";

/// The verdict as a word.
pub(crate) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "MET",
        Verdict::Missed => "MISSED",
        Verdict::Undecided => "UNDECIDED",
    }
}

/// How many targets have a verdict.
pub(crate) fn having(outcome: &Outcome, verdict: Verdict) -> u64 {
    outcome
        .targets
        .iter()
        .filter(|row| row.verdict == verdict)
        .count() as u64
}

/// The verdict on all targets together, missed before undecided; `None` without targets.
///
/// With ranges among the inputs, what is not met in every draw of them is undecided.
pub fn overall(outcome: &Outcome) -> Option<Verdict> {
    let found = [Verdict::Missed, Verdict::Undecided, Verdict::Met]
        .into_iter()
        .find(|&verdict| having(outcome, verdict) > 0);
    let everywhere = inputs::holding(outcome) == outcome.targets.len();
    match found {
        Some(Verdict::Met) if !everywhere => Some(Verdict::Undecided),
        found => found,
    }
}

/// `1 of 5 targets missed, 1 undecided` or `all 5 targets met for these inputs`.
pub(crate) fn verdict_count(outcome: &Outcome) -> String {
    let all = outcome.targets.len() as u64;
    let targets = numbers::plural(all, "target");
    let (missed, undecided) = (
        having(outcome, Verdict::Missed),
        having(outcome, Verdict::Undecided),
    );
    match (missed, undecided) {
        _ if all == 0 => "no target stated".to_owned(),
        (0, 0) if outcome.inputs.is_some() => format!(
            "{} of {targets} met in all draws of the inputs",
            inputs::holding(outcome)
        ),
        (0, 0) if all == 1 => "the target is met for these inputs".to_owned(),
        (0, 0) => format!("all {targets} met for these inputs"),
        (0, undecided) => format!("{undecided} of {targets} undecided"),
        (missed, 0) => format!("{missed} of {targets} missed"),
        (missed, undecided) => format!("{missed} of {targets} missed, {undecided} undecided"),
    }
}

/// What was measured for a target.
pub(crate) fn measured(row: &TargetRow) -> Printed {
    let Some(e) = &row.measured else {
        return Printed {
            value: "not measured".to_owned(),
            interval: String::new(),
        };
    };
    match row.unit {
        Unit::Share => {
            let share = numbers::share(e);
            let what = match row.periods.map(|bound| bound.over) {
                Some(Over::Calendar(_)) => " of periods",
                Some(Over::Rolling(_) | Over::History) => " of histories",
                None => "",
            };
            Printed {
                value: format!("{}{what}", share.value),
                ..share
            }
        }
        Unit::Seconds => numbers::span(e),
        Unit::PerYear => numbers::per_year(e),
        Unit::Number => numbers::plain(e),
        Unit::SharedLatency | Unit::SharedRecovery => {
            let within = numbers::share(e);
            let shown = row.shown.map_or_else(String::new, |seconds| {
                format!(
                    "{}; ",
                    if seconds.is_finite() {
                        numbers::exact_span(seconds)
                    } else {
                        "never answered".to_owned()
                    }
                )
            });
            Printed {
                value: format!("{shown}{} in time", within.value),
                interval: within.interval,
            }
        }
    }
}

/// The message queue in which most went wrong, or else the slowest.
pub(crate) fn worst_queue(outcome: &Outcome) -> Option<&QueueRow> {
    let value = |e: &Option<Estimate>| e.as_ref().map_or(0.0, |e| e.value);
    let badness = |row: &QueueRow| {
        let wrong = value(&row.dead) + value(&row.lost) + value(&row.full);
        (wrong, row.time.as_ref().map_or(0.0, |time| time.p99.value))
    };
    // The first of several that are alike.
    outcome.queues.iter().reduce(|a, b| {
        let (one, other) = (badness(a), badness(b));
        if other.0 > one.0 || other.0 == one.0 && other.1 > one.1 {
            b
        } else {
            a
        }
    })
}

/// What became of the messages of a queue, in parts.
pub(crate) fn queue(row: &QueueRow) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(time) = &row.time {
        parts.push(format!("done p50 {}", numbers::brief_span(&time.p50)));
        parts.push(format!("p99 {}", numbers::brief_span(&time.p99)));
    }
    for (word, share) in [
        ("dead", &row.dead),
        ("lost", &row.lost),
        ("full", &row.full),
    ] {
        if let Some(share) = share.as_ref().filter(|share| share.value > 0.0) {
            parts.push(format!("{word} {}", numbers::share(share).value));
        }
    }
    if let Some(backlog) = &row.backlog_mean {
        parts.push(format!("backlog {}", numbers::plain(backlog).value));
    }
    parts.push(format!("most {}", numbers::count(row.backlog_largest_seen)));
    parts
}

/// What the share that a target on periods is judged by counts, and the probability to miss a target
/// in a history; empty if there is nothing to say.
pub(crate) fn periods(row: &TargetRow, outcome: &Outcome) -> String {
    let required = numbers::percent(row.required);
    let must = if row.at_least {
        format!("at least {required} must")
    } else {
        format!("at most {required} may")
    };
    let does = if row.at_least { "keep" } else { "miss" };
    if let Some(bound) = row.periods {
        let span = |length: SimSpan| numbers::exact_span(length.as_secs_f64());
        return match bound.over {
            Over::History => format!("the share of {} that {does} it; {must}", histories(outcome)),
            Over::Calendar(length) => format!(
                "the share of whole periods of {}, one after the other, that {does} it; {must}",
                span(length)
            ),
            Over::Rolling(length) if row.at_least => format!(
                "the share of {} that keep it in every period of {}, whenever it begins; {must}",
                histories(outcome),
                span(length)
            ),
            Over::Rolling(length) => format!(
                "the share of {} that miss it in some period of {}, whenever it begins; {must}",
                histories(outcome),
                span(length)
            ),
        };
    }
    match &row.missed_by_histories {
        Some(missed) => {
            let Printed { value, interval } = numbers::share(missed);
            format!("missed by {value} ({interval}) of {}", histories(outcome))
        }
        None => String::new(),
    }
}

/// How much the measured value is better than the bound, with its unit; `None` if nothing was measured.
fn spare(row: &TargetRow) -> Option<(f64, String)> {
    let e = row.measured.as_ref().filter(|e| e.value.is_finite())?;
    let spare = if row.at_least {
        e.value - row.required
    } else {
        row.required - e.value
    };
    let distance = match row.unit {
        Unit::Share | Unit::SharedLatency | Unit::SharedRecovery => numbers::points(spare),
        Unit::Seconds => numbers::short_span(spare.abs()),
        Unit::PerYear => format!("{} per year", numbers::significant(spare.abs(), 2)),
        Unit::Number => numbers::significant(spare.abs(), 2),
    };
    Some((spare, distance))
}

/// How far the measured value is from the bound: `0.031 pp to spare`, `12 min over`.
pub(crate) fn margin(row: &TargetRow) -> String {
    match spare(row) {
        None => String::new(),
        Some((0.0, _)) => "exactly at the bound".to_owned(),
        Some((spare, distance)) if spare > 0.0 => format!("{distance} to spare"),
        Some((_, distance)) if row.at_least => format!("{distance} short"),
        Some((_, distance)) => format!("{distance} over"),
    }
}

/// The same as short as possible: `+0.031 pp`; what is on the wrong side has a minus.
pub(crate) fn signed_margin(row: &TargetRow) -> String {
    match spare(row) {
        None => String::new(),
        Some((0.0, _)) => "+0".to_owned(),
        Some((spare, distance)) => format!("{}{distance}", if spare > 0.0 { '+' } else { '-' }),
    }
}

/// `95 %` or whatever decides a target.
pub(crate) fn confidence(e: Option<&Estimate>) -> String {
    e.map_or_else(String::new, |e| numbers::percent(e.confidence))
}

/// What happened when it was lost.
pub(crate) const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Detect => "before anybody noticed",
        Phase::Decide => "while it was decided what to do",
        Phase::Promote => "while the successor was promoted",
        Phase::Converge => "while the change spread",
        Phase::Repair => "until it was repaired",
        Phase::WarmUp => "starting and catching up after repair",
    }
}

/// What happened when it was lost to planned work.
const fn planned_phase(p: Phase) -> &'static str {
    match p {
        Phase::Detect | Phase::Decide | Phase::Promote | Phase::Converge => phase(p),
        Phase::Repair => "while it lasted",
        Phase::WarmUp => "starting and catching up after it",
    }
}

/// Planned downtime per year, from requests where there are any; `None` if there was none.
pub(crate) fn planned_downtime(outcome: &Outcome) -> Option<&Estimate> {
    outcome
        .planned_downtime
        .as_ref()
        .or(Some(&outcome.structural_planned_downtime))
        .filter(|planned| planned.value > 0.0)
}

/// A cause in words: `articles.crash, while it was decided what to do`.
pub(crate) fn cause(row: &CauseRow) -> String {
    match row.phase {
        Some(p) if row.planned => format!("{}, planned, {}", row.fault, planned_phase(p)),
        _ => cause_of(&row.fault, row.phase),
    }
}

/// The same from its parts.
pub(crate) fn cause_of(fault: &str, phase_of: Option<Phase>) -> String {
    match (fault, phase_of) {
        (fault, Some(p)) => format!("{fault}, {}", phase(p)),
        ("load", None) => "load: full queues, limits, deadlines; no fault".to_owned(),
        ("base", None) => "the error rate that the scenario states".to_owned(),
        (fault, None) => fault.to_owned(),
    }
}

/// What a request met on arrival.
pub(crate) const fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Healthy => "healthy",
        Condition::Failover => "during failover",
        Condition::Degraded => "during repair",
    }
}

/// `1,234.50 EUR per month; 2 components have no price`.
pub(crate) fn cost(bill: &Bill) -> String {
    let rest = match bill.without_price.len() as u64 {
        0 => String::new(),
        1 => "; 1 component has no price".to_owned(),
        n => format!("; {} have no price", numbers::plural(n, "component")),
    };
    format!(
        "{} per month{rest}",
        numbers::money(bill.per_month, &bill.currency)
    )
}

/// `Wed 20:00`, of seconds since Monday 00:00.
pub(crate) fn time_of_week(secs: f64) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let minutes = (secs.max(0.0) / 60.0).round() as usize;
    let (day, minute) = (minutes / 1_440 % 7, minutes % 1_440);
    format!("{} {:02}:{:02}", DAYS[day], minute / 60, minute % 60)
}

/// `app.crash 3.1 times as often`, `app.crash 0.4 times as long`, `app.crash more than 1,024 times as long`,
/// `db.failover.detect 3 times as long (2 to 4)`.
pub(crate) fn break_even(row: &BreakEven) -> String {
    let fault = ["every", "lasts"].iter().find_map(|field| {
        let fault = row.input.strip_suffix(field)?;
        fault.strip_suffix('.')
    });
    let input = fault.unwrap_or(&row.input);
    let how = match row.scaled {
        Scaled::Often => "as often",
        Scaled::Long => "as long",
        Scaled::Failing => "as many failures",
    };
    let times = match (row.factor, row.unturned) {
        (Some(factor), _) => numbers::significant(factor, 2),
        (None, Some(Unturned::TooClose)) => {
            return "not known: the figure is too close to its bound for so few histories".into();
        }
        (None, Some(Unturned::TooCostly)) => {
            return "not known: requests for each try would take too long".into();
        }
        (None, _) if row.met => format!("more than {}", numbers::significant(row.tried, 4)),
        (None, _) => format!("less than {}", numbers::significant(row.tried, 2)),
    };
    // Where it is known to a few per cent, nobody needs its ends.
    let wide = row
        .between
        .filter(|(near, far)| (far / near).ln().abs() > 0.05);
    let between = wide.map_or(String::new(), |(near, far)| {
        let (low, high) = (near.min(far), near.max(far));
        format!(
            " ({} to {})",
            numbers::significant(low, 2),
            numbers::significant(high, 2)
        )
    });
    format!("{input} {times} times {how}{between}")
}

/// `app needs 2 of its 4 replicas: ...`.
pub(crate) fn needs(row: &NeedsRow) -> String {
    format!(
        "{} needs {} of its {}: at {} its requests keep {} workers busy, and {} of the {} of a replica may be",
        row.pool,
        row.needs,
        numbers::plural(row.replicas.into(), "replica"),
        time_of_week(row.busiest_s),
        numbers::significant(row.busy, 3),
        numbers::exact_share(row.utilisation),
        row.workers,
    )
}

/// The busiest pools of a state and how busy they are: `app 78 %, articles 12 %`.
pub(crate) fn busiest_pools(left: &PeakState, most: usize) -> String {
    let mut rows: Vec<_> = left.utilisation.iter().collect();
    // One of which nothing is left comes first.
    let busy = |row: &(String, Option<f64>)| row.1.unwrap_or(f64::INFINITY);
    rows.sort_by(|a, b| busy(b).total_cmp(&busy(a)));
    let texts: Vec<String> = rows
        .into_iter()
        .take(most)
        .map(|(name, share)| match share {
            None => format!("{name} none left"),
            Some(share) => format!("{name} {}", utilisation(*share)),
        })
        .collect();
    texts.join(", ")
}

/// `78 %`, `1,250 %`.
fn utilisation(share: f64) -> String {
    if share < 0.1 {
        return format!("{} %", numbers::significant(100.0 * share, 2));
    }
    format!("{} %", numbers::count((100.0 * share).round() as u64))
}

/// The worst single loss: `zone-a at the peak: 12 % of requests lost, p99 1.2 s, app 140 %`. That
/// nothing works without everything goes without saying.
pub(crate) fn worst_loss(at: &AtPeak) -> Option<String> {
    let worst = at.losses.iter().find(|row| !row.left.nothing)?;
    let mut parts = Vec::new();
    match &worst.left.lost {
        Some(lost) if lost.value > 0.0 => {
            parts.push(format!("{} of requests lost", numbers::part(lost.value)));
        }
        Some(_) => parts.push("no request lost".to_owned()),
        None => {}
    }
    if let Some(p99) = &worst.left.latency_p99 {
        parts.push(format!("p99 {}", numbers::brief_span(p99)));
    }
    let busiest = busiest_pools(&worst.left, 1);
    if !busiest.is_empty() {
        parts.push(busiest);
    }
    Some(format!("{} at the peak: {}", worst.part, parts.join(", ")))
}

/// `years` or, if a history is not a year long, `histories`.
pub(crate) fn histories(outcome: &Outcome) -> &'static str {
    if outcome.run.horizon_s == numbers::YEAR_S {
        "years"
    } else {
        "histories"
    }
}

/// What a cause is ranked by: the figure, its name, and the causes' shares of it.
pub(crate) struct Ranking<'a> {
    /// What is lost: `failed requests`, `downtime` or `structural downtime`.
    pub(crate) what: &'static str,
    /// Causes with their share of the total, largest first; only those with a share.
    pub(crate) shares: Vec<(&'a CauseRow, f64)>,
}

/// Which loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    Requests,
    Downtime,
    Structural,
}

impl Loss {
    /// The figure of one cause; zero where there is none.
    pub(crate) fn of(self, row: &CauseRow) -> f64 {
        let value = |e: Option<&Estimate>| e.map_or(0.0, |e| e.value);
        match self {
            Self::Requests => value(row.failed_per_million.as_ref()),
            Self::Downtime => value(row.downtime_s_per_year.as_ref()),
            Self::Structural => row.structural_downtime_s_per_year.value,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Requests => "failed requests",
            Self::Downtime => "downtime",
            Self::Structural => "structural downtime",
        }
    }
}

/// Causes by their share of one loss; empty if nothing was lost.
pub(crate) fn ranking(outcome: &Outcome, loss: Loss) -> Ranking<'_> {
    let total: f64 = outcome.causes.iter().map(|row| loss.of(row)).sum();
    let mut shares: Vec<_> = outcome
        .causes
        .iter()
        .map(|row| (row, loss.of(row) / total))
        .filter(|(_, share)| *share > 0.0)
        .collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.fault.cmp(&b.0.fault)));
    Ranking {
        what: loss.word(),
        shares,
    }
}

/// The first loss of which there is any: requests, then downtime, then structural downtime.
pub(crate) fn first_ranking(outcome: &Outcome) -> Ranking<'_> {
    [Loss::Requests, Loss::Downtime]
        .into_iter()
        .map(|loss| ranking(outcome, loss))
        .find(|ranking| !ranking.shares.is_empty())
        .unwrap_or_else(|| ranking(outcome, Loss::Structural))
}
