//! Whether structural outages are forced: a pilot decides, from the scenario and the seed alone; and
//! whether what forced branches say can be believed.
//!
//! The pilot's first replications are plain. If outages are common among them, nothing is gained by
//! forcing. Else some replications have a branch for every episode, and what they tell says how far both
//! ways would come with the same number of events: plain replications find an outage with the probability
//! p of any, and their downtime has a relative variance of at least about 2/p each, as one of exponential
//! length has. Forcing must promise half as much again, or it is not used.

use super::cost::Cost;
use super::in_order::in_order;
use crate::estimate::{ForcedRecord, Forcing, Plan, StructureRecord, Sums, Trial, Weights};
use crate::model::System;
use crate::stats;
use std::ops::Range;

/// Plain replications of the pilot, and the most outages among them for which it goes on.
const PLAIN: u64 = 256;
const COMMON: u64 = PLAIN / 5;

/// Replications of the pilot in which outages are forced: so many, and four times as many each time as long
/// as those that meet one say less than [`WANTED`] of equal weight; below [`NEEDED`] they say nothing.
const TRIED: u64 = 256;
const WANTED: f64 = 100.0;
const NEEDED: f64 = 20.0;

/// Replications before that, which tell what branches cost.
const PROBED: u64 = 4;

/// The least share of episodes that have a branch.
const LEAST: f64 = 0.01;

/// Events a pilot may take, by its cost: longer ones are left out, and outages are not forced.
const EVENTS: f64 = 1e7;

/// Pilot replications have numbers that no run reaches.
const FIRST: u64 = 1 << 62;

/// How much better forcing must promise to be.
const WORTH: f64 = 1.5;

/// How to force the structural outages of `system`, if that is worth it.
pub(super) fn forcing(system: &System, plan: &Plan, cost: &Cost) -> Option<Forcing> {
    // Beginning a history takes a look at every clock, and something if there is none.
    let begins = 10.0 + system.clocks.len() as f64;
    if (cost.transitions + begins) * (PLAIN + 4 * TRIED) as f64 > EVENTS {
        return None;
    }
    let run = |share, replications| trial(system, plan, Forcing { share }, replications);
    let plain = run(0.0, FIRST..FIRST + PLAIN)?;
    let natural = plain.forced.as_ref()?.natural;
    if natural.hits > COMMON {
        return None;
    }
    let backbone = (plain.transitions / PLAIN).max(1) as f64;
    // A branch looks at every clock a few dozen times, so that not every episode may have one here.
    let first = FIRST + PLAIN;
    let probe = run(1.0, first..first + PROBED)?;
    let of_all = probe.forced.as_ref()?.effort as f64 / PROBED as f64;
    let share = (EVENTS / 5.0 / (of_all.max(1.0) * TRIED as f64)).min(1.0);
    if share < LEAST {
        return None;
    }
    let first = first + PROBED;
    let mut replications = TRIED;
    let tried = loop {
        let tried = run(share, first..first + replications)?;
        let forced = tried.forced.as_ref()?;
        let took = forced.effort as f64 + (backbone + begins) * replications as f64;
        if forced.effective_hits() >= WANTED || 5.0 * took > EVENTS {
            break tried;
        }
        replications *= 4;
    };
    let forced = tried.forced.as_ref()?;
    let any = forced.any.mean(replications, 1.0, 0.95).value;
    let kinds = [&forced.branches, &forced.injected];
    let is_off = kinds.iter().any(|weights| weights.mean_z().abs() > FAR);
    if forced.effective_hits() < NEEDED || any <= 0.0 || is_off {
        return None;
    }
    // One heavy branch makes a pilot's scatter many times what it is: the half without it is believed, and
    // the run's own diagnostics are the judges of forcing that should not have been chosen.
    let halves = forced.halves.iter();
    let scatters = halves.filter_map(|half| relative_variance(half, half.n));
    let scatter = scatters.min_by(f64::total_cmp)? * share;
    // Twice as many events in branches as in the histories that they spring from.
    let share = (2.0 * backbone / of_all.max(1.0)).clamp(LEAST, 1.0);
    let by_forcing = scatter / share * (backbone + share * of_all);
    let by_waiting = 2.0 / any * backbone;
    (by_forcing * WORTH < by_waiting).then_some(Forcing { share })
}

/// Replications of the pilot that one thread runs at a time.
const CHUNK: u64 = 32;

/// What `replications` find, in chunks on all threads; `None` if there is nothing that can be forced.
fn trial(
    system: &System,
    plan: &Plan,
    forcing: Forcing,
    replications: Range<u64>,
) -> Option<StructureRecord> {
    let Range { start, end } = replications;
    let mut whole: Option<StructureRecord> = None;
    let ended = in_order(
        0..(end - start).div_ceil(CHUNK),
        || Trial::new(system, plan, forcing),
        |trial, chunk| {
            let first = start + chunk * CHUNK;
            trial.run(first..end.min(first + CHUNK)).ok_or(())
        },
        |_, found| match &mut whole {
            Some(whole) => whole.merge(&found),
            None => whole = Some(found),
        },
    );
    ended.ok().and(whole)
}

/// Variance of y over its squared mean, of one unit of `n`.
fn relative_variance(sums: &Sums, n: u64) -> Option<f64> {
    let half = sums.mean(n, f64::INFINITY, 0.95);
    let error = (half.high - half.value) / stats::student_t(0.95, (n - 1) as f64);
    (half.value > 0.0).then(|| (error / half.value).powi(2) * n as f64)
}

/// Standard errors beyond which two figures that should agree do not: 1 in 30,000 runs by chance.
const FAR: f64 = 4.2;

/// How many outages of equal weight must say as much, at the least: as a share of those that were met, or
/// at all. Where many kinds of outage are met, most of them may have hardly any weight.
const EFFECTIVE: f64 = 0.03;
const ENOUGH: f64 = 200.0;

/// The largest share that one hit may have in the weight of a thousand or more.
const HEAVIEST: f64 = 0.1;

/// Why the forced figures of `record` cannot be believed; `None` if they can, or if nothing was forced.
pub(super) fn distrust(record: &StructureRecord) -> Option<String> {
    let forced = record.forced.as_ref()?;
    distrust_weights(&forced.branches, ["branch", "branches"])
        .or_else(|| distrust_weights(&forced.injected, ["injected fault", "injected faults"]))
        .or_else(|| durations_differ(forced))
        .or_else(|| error_stays(forced))
        .or_else(|| halves_differ(forced))
        .or_else(|| natural_differs(forced, record.replications))
}

/// Why the weights of branches that are called so cannot be believed.
fn distrust_weights(branches: &Weights, [one, many]: [&str; 2]) -> Option<String> {
    if branches.mean_z().abs() > FAR {
        return Some(format!(
            "the mean weight of {many} is {:.4}, {:+.1} standard errors from 1",
            branches.mean(),
            branches.mean_z()
        ));
    }
    let few = branches.effective_share().is_some_and(|it| it < EFFECTIVE);
    if branches.hits >= 100 && few && branches.effective_hits() < ENOUGH {
        return Some(format!("a few {many} carry most of the weight"));
    }
    if branches.hits >= 1_000 && branches.largest_share().is_some_and(|it| it > HEAVIEST) {
        return Some(format!("one {one} carries a tenth of the weight"));
    }
    None
}

/// Whether branches that begin with a long and with a short duration do not have half of the weight each.
fn durations_differ(forced: &ForcedRecord) -> Option<String> {
    let z = forced.diagnosis.strata_z();
    (z.abs() > FAR).then(|| {
        format!(
            "branches with long and with short durations differ by {:.1} standard errors",
            z.abs()
        )
    })
}

/// Whether the error is no smaller than that of a sixteenth of the histories.
fn error_stays(forced: &ForcedRecord) -> Option<String> {
    let ratio = forced.diagnosis.error_ratio()?;
    (ratio >= 1.0).then(|| {
        format!("the error is {ratio:.1} times that of a sixteenth of the histories, and should be a quarter")
    })
}

/// Whether even and odd replications tell different things.
fn halves_differ(forced: &ForcedRecord) -> Option<String> {
    let [even, odd] = &forced.halves;
    let (even, odd) = (mean(even)?, mean(odd)?);
    let z = (even.0 - odd.0) / even.1.hypot(odd.1);
    (z.abs() > FAR).then(|| {
        format!(
            "two halves of the run differ by {:.1} standard errors",
            z.abs()
        )
    })
}

fn mean(sums: &Sums) -> Option<(f64, f64)> {
    // Of few hits the scatter says nothing.
    if sums.hits < 100 {
        return None;
    }
    let estimate = sums.mean(sums.n, f64::INFINITY, 0.95);
    let error = (estimate.high - estimate.value) / stats::student_t(0.95, (sums.n - 1) as f64);
    (error > 0.0).then_some((estimate.value, error))
}

/// Whether the histories themselves had outages much more or less often than branches say.
fn natural_differs(forced: &ForcedRecord, replications: u64) -> Option<String> {
    let (any, error) = mean(&forced.any)?;
    let hits = forced.natural.hits;
    let interval = stats::clopper_pearson(hits, replications, 0.999_97);
    let (low, high) = (any - FAR * error, any + FAR * error);
    (interval.low > high || interval.high < low).then(|| {
        format!(
            "{hits} of {replications} histories had an outage by themselves, and forced branches expect {:.1}",
            any * replications as f64
        )
    })
}
