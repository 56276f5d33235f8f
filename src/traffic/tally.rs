//! What traffic counts: requests by outcome and cause, calls of pools, slices. Integers, so that
//! tallies of disjoint stretches add up in any order.

use crate::ids::{IdVec, JourneyId, PoolId};
use crate::stats::Histogram;
use crate::time::SimSpan;

/// Requests by outcome: issued = good + degraded + failed + in flight, at the end of every stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Counted requests that started.
    pub issued: u64,
    /// Answered in time, complete.
    pub good: u64,
    /// Answered in time, without an optional part.
    pub degraded: u64,
    /// Everything else that ended.
    pub failed: u64,
    /// Counted requests that had not ended when the stretch did.
    pub in_flight: u64,
}

/// What became of the requests of one journey.
#[derive(Clone, Debug)]
pub struct JourneyTally {
    /// By outcome.
    pub counts: Counts,
    /// Failed requests by [`Cause::index`](crate::path::Cause::index); they sum to `counts.failed`.
    pub failed_by_cause: Vec<u64>,
    /// Latency of good and degraded requests, nanoseconds.
    pub latency: Histogram,
    /// `within[i]`: good and degraded requests not later than bound `i` of the traffic's settings.
    pub within: Vec<u64>,
}

/// What became of the calls to one pool.
#[derive(Clone, Debug)]
pub struct PoolTally {
    /// Calls that ended.
    pub calls: u64,
    /// Calls that ended without an answer, before any `on_failure`.
    pub calls_failed: u64,
    /// Attempts that were sent.
    pub attempts: u64,
    /// Attempts that ended with an answer in time.
    pub attempts_answered: u64,
    /// Attempts refused because no process was there, no slot was in view or there was no leader.
    pub attempts_refused: u64,
    /// Attempts refused because the queue was full.
    pub attempts_shed: u64,
    /// Attempts cut off while queued or served by a slot that stopped.
    pub attempts_reset: u64,
    /// Attempts whose caller stopped waiting.
    pub attempts_timed_out: u64,
    /// Attempts still in progress when the stretch ended.
    pub attempts_in_flight: u64,
    /// Attempts that got a worker, whatever became of them.
    pub served: u64,
    /// Time those waited for it, nanoseconds.
    pub wait_ns: u128,
    /// Time workers were in use, nanoseconds (only meaningful where workers are limited).
    pub busy_ns: u128,
    /// Latency of calls answered, retries and pauses included, nanoseconds.
    pub latency: Histogram,
}

/// A maximal run of bad slices within one stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRun {
    /// Index of the first bad slice: its start is `index * slice` after the start of the clock.
    pub first: u64,
    /// Index after the last bad slice.
    pub end: u64,
    /// [`Cause::index`](crate::path::Cause::index) of the commonest cause of its first bad slice.
    pub cause: usize,
}

/// Slices of the counted part of a stretch.
#[derive(Clone, Debug, Default)]
pub struct SliceTally {
    /// Slices that were judged.
    pub judged: u64,
    /// Bad ones.
    pub bad: u64,
    /// Bad ones by the commonest cause among their failed requests; they sum to `bad`.
    pub bad_by_cause: Vec<u64>,
    /// Runs of bad slices in order of time; drained by whoever follows outages.
    pub runs: Vec<BadRun>,
}

/// Everything counted.
#[derive(Clone, Debug)]
pub struct Tally {
    /// By journey.
    pub journeys: IdVec<JourneyId, JourneyTally>,
    /// By pool. Counts every attempt that a counted request caused.
    pub pools: IdVec<PoolId, PoolTally>,
    /// Latency of all good and degraded requests by what the request met on arrival:
    /// `[healthy, failover, degraded]` (no blame; blame in a phase up to converge; repair or warm up).
    pub latency_by_condition: [Histogram; 3],
    /// Slices over all journeys together.
    pub slices: SliceTally,
    /// Requests simulated, counted or not.
    pub requests_simulated: u64,
    /// Attempts simulated, counted or not.
    pub attempts_simulated: u64,
}

/// What traffic needs to know beside the system.
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficSettings {
    /// Length of a slice.
    pub slice: SimSpan,
    /// A slice is bad if its share of good and degraded requests is below this.
    pub bad_below: f64,
    /// For how long after the last fault of a journey has gone its failures are still attributed to
    /// that fault (backlog).
    pub settle: SimSpan,
    /// Latency bounds that have exact counters, in nanoseconds; the same for every journey.
    pub bounds: Vec<SimSpan>,
}
