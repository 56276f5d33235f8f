//! What the ranges of a scenario do to its figures: the experiment again for each draw of the inputs, on
//! the same random numbers as the run itself.
//!
//! All draws share their histories, so the luck of these mostly cancels in what differs between draws.
//! That is why the scatter over draws is reported as it is, beside the error of simulation: taking a
//! variance of simulation off it would take off more than there is in it.

use super::cost::{Cost, LEAST_TRAFFIC, plan};
use super::figures::Figures;
use super::outcome::{Estimate, InputFigure, Inputs, Outcome, TargetInputs};
use super::run::{Histories, some};
use super::{Options, RunError, Watch, summary, verdict};
use crate::estimate::{BLOCK, GROUPS, Plan};
use crate::model::{INPUT_DRAWS, InputRange, Method, System};

/// CPU seconds that the structure of all draws together may take, by its cost in events.
const STRUCTURE_CPU_S: f64 = 20.0;

/// The same for requests: about as much as a run takes that decides its targets soon.
const TRAFFIC_CPU_S: f64 = 60.0;

/// Histories of one draw, at least; at most a block. So few cost no more than one block of the run.
const LEAST: u64 = 64;

/// What a draw found: each figure that it has.
type Found = Vec<(&'static str, Estimate)>;

/// A target in one draw: the figure that is shown, if there is one, and whether it meets the bound; `None`
/// if nothing could be measured.
type Judged = Option<(Option<f64>, bool)>;

/// Judges the figures and targets of `outcome`, the run of the middle design, over `draws` of its inputs.
///
/// Figures of requests are simulated with at most one history for each group, by the method of the run;
/// if even the least number of them is too costly for all draws, only figures of structure are judged.
/// Whoever watches may end it between two draws.
///
/// # Errors
/// See [`RunError`]: a draw may be one that cannot be simulated.
pub fn inputs(
    ranges: &[InputRange],
    draws: &[System],
    options: &Options,
    outcome: &Outcome,
    watch: &dyn Watch,
) -> Result<Inputs, RunError> {
    let (plans, histories) = planned(draws, options, outcome.run.method)?;
    let mut found: Vec<Found> = Vec::new();
    let mut judged: Vec<Vec<Judged>> = Vec::new();
    for (system, plan) in draws.iter().zip(&plans) {
        let Some(record) = some(system, plan, histories, watch)? else {
            break;
        };
        let figures = Figures {
            system,
            plan,
            record: &record,
        };
        let rows = verdict::judge_all(&figures, 1);
        let right = rows.iter().map(|row| {
            let value = row.measured?.value;
            let met = if row.at_least {
                value >= row.required
            } else {
                value <= row.required
            };
            Some((row.shown, met))
        });
        judged.push(right.collect());
        found.push(main_figures(&summary::outcome(&figures, "", rows, 1, true)));
    }
    Ok(Inputs {
        ranges: ranges.to_vec(),
        draws: found.len() as u32,
        asked: INPUT_DRAWS,
        replications: histories.all,
        traffic_replications: histories.traffic,
        figures: over_draws(&found),
        targets: (0..outcome.targets.len())
            .map(|index| target(judged.iter().map(|draw| draw[index])))
            .collect(),
    })
}

/// How each draw is simulated: all alike, as far as their cost together allows.
fn planned(
    draws: &[System],
    options: &Options,
    method: Method,
) -> Result<(Vec<Plan>, Histories), RunError> {
    let by = |method: Method| -> Result<Vec<(Plan, Cost)>, RunError> {
        let options = Options {
            method: Some(method),
            replications: Some(LEAST),
            ..options.clone()
        };
        draws.iter().map(|system| plan(system, &options)).collect()
    };
    let structure = by(Method::None)?;
    let sum = |costs: &[(Plan, Cost)], of: fn(&Cost) -> f64| -> f64 {
        costs.iter().map(|(_, cost)| of(cost)).sum()
    };
    let each = sum(&structure, |cost| cost.control_s());
    let all = ((STRUCTURE_CPU_S / each.max(1e-12)) as u64).clamp(LEAST, BLOCK);
    // Its refusal, for a cost or for windows that do not fit, only means that structure is all there is.
    let traffic = match method {
        Method::None => None,
        _ => by(method).ok(),
    };
    if let Some(costs) = traffic {
        let each = sum(&costs, |cost| cost.with_traffic_s());
        let affordable = ((TRAFFIC_CPU_S / each.max(1e-12)) as u64).min(GROUPS);
        if affordable >= LEAST_TRAFFIC {
            let plans = costs.into_iter().map(|(mut plan, _)| {
                plan.traffic_per_block = affordable;
                plan
            });
            let traffic = affordable;
            return Ok((plans.collect(), Histories { all, traffic }));
        }
    }
    let plans = structure.into_iter().map(|(plan, _)| plan).collect();
    Ok((plans, Histories { all, traffic: 0 }))
}

/// What is worth a range.
fn main_figures(outcome: &Outcome) -> Found {
    let latency = outcome.latency.as_ref();
    let rows = [
        ("availability.request", outcome.availability.request),
        (
            "downtime_s_per_year",
            outcome.downtime.as_ref().map(|downtime| downtime.mean),
        ),
        ("latency_s.p50", latency.map(|latency| latency.p50)),
        ("latency_s.p99", latency.map(|latency| latency.p99)),
        (
            "availability.structural",
            Some(outcome.availability.structural),
        ),
        (
            "structural.downtime_s_per_year",
            Some(outcome.structural_downtime.mean),
        ),
        (
            "structural.outages_per_year",
            Some(outcome.structural_outages.per_year),
        ),
    ];
    rows.into_iter()
        .filter_map(|(name, figure)| Some((name, figure?)))
        .collect()
}

/// Each figure that all draws have, over the draws.
fn over_draws(found: &[Found]) -> Vec<InputFigure> {
    let Some(first) = found.first() else {
        return Vec::new();
    };
    let row = |&(name, _): &(&'static str, Estimate)| {
        let of = |draw: &Found| {
            let mut rows = draw.iter();
            rows.find(|row| row.0 == name).map(|row| row.1)
        };
        let all: Option<Vec<Estimate>> = found.iter().map(of).collect();
        let all = all?;
        let n = all.len() as f64;
        let values = || all.iter().map(|one| one.value);
        let mean = values().sum::<f64>() / n;
        let squares: f64 = values().map(|value| (value - mean).powi(2)).sum();
        let widths: f64 = all.iter().map(|one| one.high - one.low).sum();
        Some(InputFigure {
            name,
            low: values().fold(f64::INFINITY, f64::min),
            high: values().fold(f64::NEG_INFINITY, f64::max),
            mean,
            deviation: (squares / (n - 1.0).max(1.0)).sqrt(),
            simulation: widths / n / 2.0,
        })
    };
    first.iter().filter_map(row).collect()
}

/// One target over the draws; `None` if it could not be measured in all of them.
fn target(rows: impl Iterator<Item = Judged>) -> Option<TargetInputs> {
    let rows: Vec<_> = rows.collect::<Option<_>>()?;
    let shown: Option<Vec<f64>> = rows.iter().map(|row| row.0).collect();
    // Of a percentile that lies among failed requests in one of the draws there is no highest value.
    let ends = shown.filter(|values| !values.is_empty()).map(|values| {
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        let wider = |(low, high): (f64, f64), value: &f64| (low.min(*value), high.max(*value));
        values.iter().fold(ends, wider)
    });
    Some(TargetInputs {
        ends,
        met: rows.iter().filter(|row| row.1).count() as u32,
    })
}
