//! Verdicts on targets, with the error of all looks together held at 5 %.

use super::figures::{Figures, latency_quantile};
use super::outcome::{Estimate, TargetRow, Unit, Verdict};
use crate::estimate::{QueueFold, TrafficFold};
use crate::ids::Id;
use crate::model::{Metric, Population, QueueMeasure, Relation, System, Target};
use crate::stats::Looks;

/// The chance that a run states any wrong `met` or `missed`, at most.
const ERROR: f64 = 0.05;

/// The confidence of figures that decide nothing.
const SHOWN: f64 = 0.95;

/// Judges every target at look `look` (1, 2, ...).
pub(super) fn judge_all(figures: &Figures<'_>, look: u32) -> Vec<TargetRow> {
    let targets = &figures.system.targets;
    let confidence = Looks::new(ERROR, targets.len()).confidence_at(look);
    targets
        .iter()
        .enumerate()
        .map(|(index, target)| judge(figures, index, target, confidence))
        .collect()
}

fn judge(figures: &Figures<'_>, index: usize, target: &Target, confidence: f64) -> TargetRow {
    let measured = figures.judged(index, target, confidence);
    let (required, unit) = match target.metric {
        Metric::Latency { quantile, .. } => (quantile, Unit::SharedLatency),
        Metric::Recovery { quantile, .. } => (quantile, Unit::SharedRecovery),
        Metric::Queue {
            measure: QueueMeasure::Time { quantile },
            ..
        } => (quantile, Unit::SharedLatency),
        Metric::Queue {
            measure: QueueMeasure::Backlog,
            ..
        } => (target.bound, Unit::Number),
        Metric::Downtime | Metric::StructuralDowntime => (target.bound, Unit::Seconds),
        Metric::Outages | Metric::StructuralOutages => (target.bound, Unit::PerYear),
        Metric::Availability(_)
        | Metric::FullAvailability
        | Metric::TimeAvailability
        | Metric::StructuralAvailability
        | Metric::Periods(_)
        | Metric::Queue { .. }
        | Metric::DowntimeExceeds(_)
        | Metric::StructuralDowntimeExceeds(_) => (target.bound, Unit::Share),
    };
    // A latency target asks that at least the quantile's share of requests is within the bound.
    let shared = matches!(unit, Unit::SharedLatency | Unit::SharedRecovery);
    let at_least = shared || target.relation == Relation::AtLeast;
    let verdict = measured.map_or(Verdict::Undecided, |measured| {
        decide(measured, required, at_least)
    });
    let shown = match target.metric {
        Metric::Latency {
            population,
            quantile,
        } => figures
            .record
            .traffic
            .as_ref()
            .and_then(|traffic| shown_latency(figures.system, traffic, population, quantile)),
        Metric::Recovery {
            quantity,
            store,
            quantile,
        } => figures.recovery_quantile(quantity, store, quantile),
        Metric::Queue {
            queue,
            measure: QueueMeasure::Time { quantile },
        } => figures
            .record
            .traffic
            .as_ref()
            .and_then(|traffic| shown_time(&traffic.queues[queue.index()], quantile)),
        _ => measured.map(|measured| measured.value),
    };
    TargetRow {
        expression: target.text.clone(),
        line: target.line,
        verdict,
        measured,
        shown,
        required,
        unit,
        at_least,
        periods: match target.metric {
            Metric::Periods(bound) => Some(bound),
            _ => None,
        },
        missed_by_histories: figures.missed_by_histories(index, SHOWN),
    }
}

fn decide(measured: Estimate, required: f64, at_least: bool) -> Verdict {
    let (met, missed) = if at_least {
        (measured.low >= required, measured.high < required)
    } else {
        (measured.high <= required, measured.low > required)
    };
    match (met, missed) {
        (true, _) => Verdict::Met,
        (_, true) => Verdict::Missed,
        _ => Verdict::Undecided,
    }
}

/// The percentile of all messages that are done, dead or lost, the latter later than any bound.
fn shown_time(fold: &QueueFold, quantile: f64) -> Option<f64> {
    let (undone, settled) = (fold.undone.y, fold.undone.x);
    let among_done = quantile * settled / (settled - undone);
    if among_done.is_nan() || among_done >= 1.0 {
        return None;
    }
    latency_quantile(&[&fold.latency], among_done, SHOWN).map(|estimate| estimate.value)
}

/// The percentile of all requests, a failed one later than any bound; `None` if it lies among the
/// failed ones.
fn shown_latency(
    system: &System,
    traffic: &TrafficFold,
    population: Population,
    quantile: f64,
) -> Option<f64> {
    let journeys: Vec<usize> = match population {
        Population::All => system.journeys.ids().map(Id::index).collect(),
        Population::Workload(id) => system.workloads[id]
            .journeys
            .iter()
            .map(|(journey, _)| journey.index())
            .collect(),
        Population::Journey(id) => vec![id.index()],
    };
    let (failed, ended) = journeys.iter().fold((0.0, 0.0), |(failed, ended), &index| {
        (
            failed + traffic.journeys[index].y,
            ended + traffic.journeys[index].x,
        )
    });
    let folds: Vec<_> = journeys
        .iter()
        .map(|&index| &traffic.journey_latency[index])
        .collect();
    let among_answered = quantile * ended / (ended - failed);
    if among_answered.is_nan() || among_answered >= 1.0 {
        return None;
    }
    latency_quantile(&folds, among_answered, 0.95).map(|estimate| estimate.value)
}
