//! What each single loss at the busiest time does: how busy every pool gets, how many requests are
//! lost, how long the others take, once everything has settled.

use super::RunError;
use super::cost::{ATTEMPTS_PER_CPU_S, LOSSES_CPU_S};
use super::figures::latency_quantile;
use super::in_order::in_order;
use super::outcome::{AtPeak, Estimate, PeakState, SingleLoss};
use crate::estimate::{self, LatencyFold, Left, LostPart, PeakStretch, Sums};
use crate::model::System;
use crate::stats::{self, WeightedHistogram};
use crate::time::SimSpan;

const CONFIDENCE: f64 = 0.95;

/// Stretches of each state, each after a warm-up of its own: independent, so that their scatter gives
/// the intervals. Fewer where warming up costs much, but not fewer than the second number.
const STRETCHES: (u64, u64) = (32, 8);

/// Requests of all stretches of one state together, at most: the 99th percentile of so many is known
/// within some per cent.
const REQUESTS: f64 = 64_000.0;

/// And at least.
const FEWEST: f64 = 2_000.0;

/// Attempts of all states together, as a share of those of the run, and at least.
const SHARE: f64 = 0.25;
const LEAST: f64 = 200_000.0;

/// A stretch that takes so many times the attempts that were expected is given up: retries of
/// overloaded pools have no bound that is worth waiting for.
const BEYOND: f64 = 4.0;

/// How one state is simulated.
#[derive(Clone, Copy, Debug)]
struct Effort {
    stretches: u64,
    warm_up: SimSpan,
    length: SimSpan,
    /// Attempts of one stretch, at most.
    attempts: u64,
}

/// Works out and simulates what each single loss leaves, after a run of so many attempts; `None`
/// where `stop` said so.
///
/// # Errors
/// See [`RunError`].
pub(super) fn at_peak(
    system: &System,
    seed: u64,
    run: u64,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<AtPeak>, RunError> {
    let peak = estimate::AtPeak::new(system);
    let healthy = peak.healthy(seed);
    let (losses, left_out) = peak.single_losses(seed);
    let states: Vec<&Left> = std::iter::once(&healthy)
        .chain(losses.iter().map(|loss| &loss.left))
        .collect();
    let efforts = efforts(&peak, &states, run);
    let mut found: Vec<Option<Found>> = Vec::with_capacity(states.len());
    let ended = in_order(
        0..states.len() as u64,
        || peak.traffic(),
        |traffic, index| {
            let left = states[index as usize];
            let Some(effort) = efforts[index as usize] else {
                return Ok(None);
            };
            let mut found = Found::default();
            for batch in 0..effort.stretches {
                if stop() {
                    return Err(None);
                }
                let lengths = (effort.warm_up, effort.length);
                let stretch = peak
                    .stretch(traffic, left, (seed, batch), lengths, effort.attempts)
                    .map_err(|what| Some(RunError::Internal(what)))?;
                match stretch {
                    Some(stretch) => found.push(&stretch),
                    None => return Ok(None),
                }
            }
            Ok(Some(found))
        },
        |_, state| found.push(state),
    );
    match ended {
        Ok(()) => {}
        Err((_, Some(error))) => return Err(error),
        Err((_, None)) => return Ok(None),
    }
    let mut rows = states
        .iter()
        .zip(&found)
        .zip(&efforts)
        .map(|((left, found), effort)| state(system, left, found.as_ref().zip(effort.as_ref())));
    let healthy = rows.next().expect("the state in which nothing is lost");
    let mut losses: Vec<SingleLoss> = losses
        .iter()
        .zip(rows)
        .map(|(loss, left)| {
            // Parts that stand differently and leave the same were found one group after the other.
            let kinds: Vec<LostPart> = loss.parts.iter().map(|part| part.0).collect();
            let rank = |kind| kinds.iter().position(|&other| other == kind);
            let mut parts: Vec<&(LostPart, String)> = loss.parts.iter().collect();
            parts.sort_by(|a, b| {
                let by_kind = rank(a.0).cmp(&rank(b.0));
                by_kind.then_with(|| natural(&a.1).cmp(&natural(&b.1)))
            });
            SingleLoss {
                kind: word(system, parts[0].0),
                part: parts[0].1.clone(),
                alike: parts[1..].iter().map(|part| part.1.clone()).collect(),
                left,
            }
        })
        .collect();
    losses.sort_by(|a, b| badness(&b.left).total_cmp(&badness(&a.left)));
    let rate = states[0].load.rate_max;
    Ok(Some(AtPeak {
        busiest_s: peak.busiest.secs_in_horizon(),
        rate,
        healthy,
        losses,
        left_out: left_out as u64,
    }))
}

/// By which names are ordered as people count: `app-2` before `app-10`.
fn natural(name: &str) -> Vec<(&str, usize, &str)> {
    let mut key = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest
            .find(|ch: char| ch.is_ascii_digit())
            .unwrap_or(rest.len());
        let (text, after) = rest.split_at(text);
        let digits = after
            .find(|ch: char| !ch.is_ascii_digit())
            .unwrap_or(after.len());
        let (number, after) = after.split_at(digits);
        let number = number.trim_start_matches('0');
        // Of two numbers without leading zeros the longer one is larger.
        key.push((text, number.len(), number));
        rest = after;
    }
    key
}

/// By which losses are ordered: requests lost, then journeys that cannot be served, then how busy
/// the busiest pool is.
fn badness(left: &PeakState) -> f64 {
    let lost = left.lost.map_or(0.0, |lost| lost.value);
    let down = left.journeys_down.len().min(1_000) as f64;
    let busiest = left.utilisation.iter().filter_map(|row| row.1);
    lost * 1e6 + down * 1e-3 + busiest.fold(0.0, f64::max).min(1e3) * 1e-6
}

/// What the stretches of one state showed.
#[derive(Default)]
struct Found {
    /// (lost, issued) by stretch.
    lost: Sums,
    parts: Vec<WeightedHistogram>,
}

impl Found {
    fn push(&mut self, stretch: &PeakStretch) {
        self.lost.push(stretch.lost as f64, stretch.issued as f64);
        let mut part = WeightedHistogram::new();
        part.add_scaled(&stretch.latency, 1.0);
        self.parts.push(part);
    }
}

/// How each state is simulated, after a run of so many attempts; `None` if it costs too much.
fn efforts(peak: &estimate::AtPeak, states: &[&Left], run: u64) -> Vec<Option<Effort>> {
    let mut left = (SHARE * run as f64).clamp(LEAST, LOSSES_CPU_S * ATTEMPTS_PER_CPU_S);
    let mut efforts = Vec::with_capacity(states.len());
    for (index, state) in states.iter().enumerate() {
        let share = left / (states.len() - index) as f64;
        let rate = state.load.rate_max;
        let per_request = state.load.attempts_per_request.max(1.0);
        let requests = share / per_request;
        let warm_up = peak.warm_up(state);
        let warm_requests = rate * warm_up.as_secs_f64();
        let fitting = (0.5 * requests / warm_requests.max(1e-9)) as u64;
        let stretches = fitting.min(STRETCHES.0);
        let counted = (requests - stretches as f64 * warm_requests).min(REQUESTS);
        if stretches < STRETCHES.1 || counted < FEWEST || rate <= 0.0 {
            efforts.push(None);
            continue;
        }
        let secs = (counted / stretches as f64 / rate).ceil().max(1.0);
        let expected = (rate * secs + warm_requests) * per_request;
        left -= expected * stretches as f64;
        efforts.push(Some(Effort {
            stretches,
            warm_up,
            length: SimSpan::from_secs(secs as u64),
            attempts: (BEYOND * expected) as u64 + 1_000,
        }));
    }
    efforts
}

/// One state, for people.
fn state(system: &System, left: &Left, found: Option<(&Found, &Effort)>) -> PeakState {
    let utilisation = system
        .pools
        .pairs()
        .filter(|(_, pool)| pool.workers.is_some())
        .map(|(id, pool)| (pool.name.clone(), left.load.pools[id].utilisation_max))
        .collect();
    let lost = found.and_then(|(found, effort)| lost(&found.lost, effort));
    let latency_p99 = found.and_then(|(found, _)| {
        let fold = LatencyFold {
            parts: found.parts.clone(),
        };
        latency_quantile(&[&fold], 0.99, CONFIDENCE)
    });
    PeakState {
        utilisation,
        nothing: left.nothing,
        journeys_down: left
            .journeys_down
            .iter()
            .map(|&id| system.journeys[id].name.clone())
            .collect(),
        lost,
        latency_p99,
    }
}

/// The share of requests that are lost. Where none was, its upper end rests on what has been seen: as
/// many independent looks as the stretches are longer than a tenth of their warm-up (which is ten times
/// as long as queues remember), but no more than there were requests.
fn lost(sums: &Sums, effort: &Effort) -> Option<Estimate> {
    let issued = sums.x.round() as u64;
    let mut estimate = sums.ratio(1.0, CONFIDENCE)?.counted(issued);
    if sums.hits == 0 {
        let memory = 0.1 * effort.warm_up.as_secs_f64();
        let looks = sums.n as f64 * (effort.length.as_secs_f64() / memory).max(1.0);
        estimate.high = stats::nothing_seen((looks as u64).min(issued).max(1), CONFIDENCE);
    }
    Some(estimate)
}

/// What it is that is lost, in the file's words.
fn word(system: &System, part: LostPart) -> String {
    match part {
        LostPart::Replica => "replica".into(),
        LostPart::Cache => "cache".into(),
        LostPart::External => "third party".into(),
        LostPart::Broker => "broker".into(),
        LostPart::Member => "member".into(),
        LostPart::Instance => "balancer".into(),
        LostPart::Node => "machine".into(),
        LostPart::Domain(id) => system.domains[id].kind.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn names_are_ordered_as_people_count() {
        let sorted = ["a", "a-1", "a-2", "a-10", "a-10-b", "a-100", "b-3"];
        let mut names = sorted;
        names.reverse();
        names.sort_by(|a, b| natural(a).cmp(&natural(b)));
        assert_eq!(names, sorted);
    }
}
