//! One rare request in a small system: what it meets, and how it and its attempts end.

use super::build::{Build, settings};
use crate::ids::{Id, JourneyId, PoolId, SlotId};
use crate::path::{Regime, Signal, SlotState};
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Counts, PoolTally, Source, Tally, Traffic};

pub(super) const SOURCE: Source = Source::Replication {
    seed: 3,
    replication: 0,
};

pub(super) fn ms(ms: u64) -> SimSpan {
    SimSpan::from_millis(ms)
}

/// When the first request of a system with one workload arrives.
pub(super) fn first_arrival(system: &Build) -> SimTime {
    let mut traffic = Traffic::new(&system.0, settings());
    traffic.begin(&Regime::all_up(&system.0), SimTime::START, SOURCE);
    traffic.next_time()
}

/// Lets the first request arrive under `regime`, applies `signals` so many milliseconds after, in
/// order, and ends after 100 seconds; requests come about every 1,000 years.
pub(super) fn first(system: &Build, regime: &Regime, signals: &[(u64, Signal)]) -> Tally {
    let arrival = first_arrival(system);
    let mut traffic = Traffic::new(&system.0, settings());
    traffic.begin(regime, SimTime::START, SOURCE);
    let second = 1_000_000_000;
    let slice = SimTime::from_nanos(arrival.as_nanos() / second * second);
    traffic.count(slice, slice + SimSpan::from_secs(10));
    for &(after, signal) in signals {
        traffic.run_until(arrival + ms(after));
        traffic.apply(arrival + ms(after), signal);
    }
    let end = arrival + SimSpan::from_secs(100);
    traffic.run_until(end);
    traffic.finish(end);
    traffic.tally().check().unwrap();
    traffic.tally().clone()
}

pub(super) fn journey(tally: &Tally) -> Counts {
    tally.journeys[JourneyId::from_index(0)].counts
}

pub(super) fn good() -> Counts {
    Counts {
        issued: 1,
        good: 1,
        ..Counts::default()
    }
}

pub(super) fn failed() -> Counts {
    Counts {
        issued: 1,
        failed: 1,
        ..Counts::default()
    }
}

/// Latency of the one request answered, milliseconds.
#[track_caller]
pub(super) fn latency_ms(tally: &Tally) -> f64 {
    tally.journeys[JourneyId::from_index(0)]
        .latency
        .mean()
        .expect("answered")
        * 1e-6
}

pub(super) fn slot(system: &Build, pool: PoolId, index: usize) -> SlotId {
    system.0.pools[pool].slots[index]
}

pub(super) fn state(slot: SlotId, state: SlotState) -> Signal {
    Signal::Slot { slot, state }
}

/// Requests come this rarely: the first is alone.
pub(super) const RARE: f64 = 1e-7;

/// Attempts by how they ended, those that occurred.
pub(super) fn ended(pool: &PoolTally) -> Vec<(&'static str, u64)> {
    let all = [
        ("answered", pool.attempts_answered),
        ("failed", pool.attempts_failed),
        ("refused", pool.attempts_refused),
        ("shed", pool.attempts_shed),
        ("reset", pool.attempts_reset),
        ("timed out", pool.attempts_timed_out),
        ("abandoned", pool.attempts_abandoned),
        ("in flight", pool.attempts_in_flight),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}
