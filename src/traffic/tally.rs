//! What traffic counts: requests by outcome and cause, calls of pools, slices. Integers, so that
//! tallies of disjoint stretches add up in any order.

use super::bins::{Bin, BinSettings};
use crate::ids::{ChannelId, IdVec, JourneyId, PoolId, QueueId, WorkloadId};
use crate::model::System;
use crate::path::Cause;
use crate::stats::Histogram;
use crate::time::SimSpan;
use serde::{Deserialize, Serialize};

/// Requests by outcome: issued = good + degraded + failed + in flight, at the end of every stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolTally {
    /// Calls that ended; those of callers that stopped have not.
    pub calls: u64,
    /// Calls that ended without an answer, before any `on_failure`.
    pub calls_failed: u64,
    /// Those of them whose last attempt did not end with an operation's own error.
    pub calls_failed_of_load: u64,
    /// Attempts that were sent.
    pub attempts: u64,
    /// Attempts that ended with an answer in time.
    pub attempts_answered: u64,
    /// Attempts that ended with an error in time: of the operation's own work, because a call that it
    /// needs had failed, or because the slot answers some attempts with errors.
    pub attempts_failed: u64,
    /// Attempts refused because no process was there, no slot was in view or there was no leader, or
    /// answered with an error by the balancer itself.
    pub attempts_refused: u64,
    /// Attempts refused because the queue was full, or after waiting in it for too long.
    pub attempts_shed: u64,
    /// Attempts cut off while queued or served by a slot that stopped.
    pub attempts_reset: u64,
    /// Attempts whose caller stopped waiting.
    pub attempts_timed_out: u64,
    /// Attempts whose caller needs no answer any more: its slot has stopped, or other calls of its
    /// fork have decided.
    pub attempts_abandoned: u64,
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

/// What became of attempts that need a connection:
/// `wanted = reused + opened + shed + left + waiting`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelTally {
    /// Attempts that needed one, and were not refused when they wanted to open one.
    pub wanted: u64,
    /// That got one that was open already.
    pub reused: u64,
    /// For which one was opened, or to be opened.
    pub opened: u64,
    /// That waited for too long, or found too many waiting.
    pub shed: u64,
    /// Whose caller stopped waiting before.
    pub left: u64,
    /// That were waiting when the stretch ended.
    pub waiting: u64,
    /// That had to wait for their turn, and do not any more.
    pub waited: u64,
    /// How long those waited, nanoseconds.
    pub wait_ns: u128,
}

/// What the users of a closed loop did: their counted requests that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserTally {
    /// Requests that ended, well or not.
    pub ended: u64,
    /// How long users waited for them, nanoseconds.
    pub waited_ns: u128,
    /// Those of them that met no fault on arrival.
    pub calm: u64,
    /// How long users waited for those, nanoseconds.
    pub calm_waited_ns: u128,
}

/// Probes that workers answer, in all of the time that was simulated, counted or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProbeTally {
    /// To members that were well.
    pub sent: u64,
    /// That found no free worker and queued for one.
    pub waited: u64,
    /// That were not answered in time, or found the queue full.
    pub failed: u64,
    /// How often instances left out a member for it by themselves, where control is not told.
    pub left_out: u64,
}

/// What became of messages: `asked = published + full`, `published = done + dead + lost + left`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueTally {
    /// Attempts to publish that the broker worked on.
    pub asked: u64,
    /// Refused, as the queue was full.
    pub full: u64,
    /// Stored.
    pub published: u64,
    /// Deliveries.
    pub delivered: u64,
    /// Those that were not the first of their message.
    pub redelivered: u64,
    /// Messages done and acknowledged.
    pub done: u64,
    /// Dead letters.
    pub dead: u64,
    /// Lost with their broker.
    pub lost: u64,
    /// In the queue or in work when the stretch ended.
    pub left: u64,
    /// The most that waited for a worker when one was published, itself included.
    pub most_waiting: u64,
    /// For how long messages were in the queue or in work, all together, nanoseconds.
    pub held_ns: u128,
    /// From publishing to the acknowledgement, nanoseconds.
    pub latency: Histogram,
    /// Done within each bound of the settings.
    pub within: Vec<u64>,
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SliceTally {
    /// Slices that were judged.
    pub judged: u64,
    /// Those among them at the start of a counted range before the first one with a request. They copy
    /// what came before the range, which is not known here, and are counted as good.
    pub unknown: u64,
    /// Bad ones.
    pub bad: u64,
    /// Bad ones by the commonest cause among their failed requests; they sum to `bad`.
    pub bad_by_cause: Vec<u64>,
    /// Runs of bad slices in order of time; drained by whoever follows outages.
    pub runs: Vec<BadRun>,
    /// The same slices in runs with one cause each.
    pub runs_by_cause: Vec<BadRun>,
    /// Requests by time, in order; empty if nobody wants them.
    pub bins: Vec<Bin>,
    /// The same for each view of the settings.
    pub views: Vec<Vec<Bin>>,
}

/// Everything counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// By journey.
    pub journeys: IdVec<JourneyId, JourneyTally>,
    /// By pool. Counts every attempt that a counted request caused.
    pub pools: IdVec<PoolId, PoolTally>,
    /// By connections that a service keeps.
    pub channels: IdVec<ChannelId, ChannelTally>,
    /// By workload; zero but for closed loops.
    pub users: IdVec<WorkloadId, UserTally>,
    /// By message queue.
    pub queues: IdVec<QueueId, QueueTally>,
    /// Latency of all good and degraded requests by what the request met on arrival:
    /// `[healthy, failover, degraded]` (no blame; blame in a phase up to converge; repair or warm up).
    pub latency_by_condition: [Histogram; 3],
    /// Slices over all journeys together.
    pub slices: SliceTally,
    /// Requests simulated, counted or not.
    pub requests_simulated: u64,
    /// Attempts simulated, counted or not.
    pub attempts_simulated: u64,
    /// Probes simulated, counted or not.
    pub probes: ProbeTally,
    /// How often balancers ejected a member that answers, counted or not.
    pub ejections: u64,
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
    /// How requests are counted by time; `None` if nobody wants to know.
    pub bins: Option<BinSettings>,
}

impl Tally {
    /// Nothing counted yet.
    pub fn new(system: &System, settings: &TrafficSettings) -> Self {
        let causes = Cause::count(system.faults.len());
        let journey = JourneyTally {
            counts: Counts::default(),
            failed_by_cause: vec![0; causes],
            latency: Histogram::new(),
            within: vec![0; settings.bounds.len()],
        };
        let pool = PoolTally {
            calls: 0,
            calls_failed: 0,
            calls_failed_of_load: 0,
            attempts: 0,
            attempts_answered: 0,
            attempts_failed: 0,
            attempts_refused: 0,
            attempts_shed: 0,
            attempts_reset: 0,
            attempts_timed_out: 0,
            attempts_abandoned: 0,
            attempts_in_flight: 0,
            served: 0,
            wait_ns: 0,
            busy_ns: 0,
            latency: Histogram::new(),
        };
        Self {
            journeys: IdVec::filled(journey, system.journeys.len()),
            pools: IdVec::filled(pool, system.pools.len()),
            channels: IdVec::filled(ChannelTally::default(), system.channels.len()),
            users: IdVec::filled(UserTally::default(), system.workloads.len()),
            queues: IdVec::filled(QueueTally::new(settings.bounds.len()), system.queues.len()),
            latency_by_condition: [Histogram::new(), Histogram::new(), Histogram::new()],
            slices: SliceTally {
                bad_by_cause: vec![0; causes],
                views: settings
                    .bins
                    .iter()
                    .flat_map(|bins| &bins.views)
                    .map(|_| Vec::new())
                    .collect(),
                ..SliceTally::default()
            },
            requests_simulated: 0,
            attempts_simulated: 0,
            probes: ProbeTally::default(),
            ejections: 0,
        }
    }

    /// Sets all counts to zero; keeps the memory.
    pub fn clear(&mut self) {
        for journey in self.journeys.as_mut_slice() {
            let JourneyTally {
                counts,
                failed_by_cause,
                latency,
                within,
            } = journey;
            *counts = Counts::default();
            failed_by_cause.fill(0);
            latency.clear();
            within.fill(0);
        }
        for pool in self.pools.as_mut_slice() {
            for count in pool.counts_mut() {
                *count = 0;
            }
            (pool.wait_ns, pool.busy_ns) = (0, 0);
            pool.latency.clear();
        }
        self.channels.as_mut_slice().fill(ChannelTally::default());
        self.users.as_mut_slice().fill(UserTally::default());
        for queue in self.queues.as_mut_slice() {
            for count in queue.counts_mut() {
                *count = 0;
            }
            queue.held_ns = 0;
            queue.latency.clear();
            queue.within.fill(0);
        }
        (self.probes, self.ejections) = (ProbeTally::default(), 0);
        self.latency_by_condition
            .iter_mut()
            .for_each(Histogram::clear);
        let SliceTally {
            judged,
            unknown,
            bad,
            bad_by_cause,
            runs,
            runs_by_cause,
            bins,
            views,
        } = &mut self.slices;
        (*judged, *unknown, *bad) = (0, 0, 0);
        bad_by_cause.fill(0);
        runs.clear();
        runs_by_cause.clear();
        bins.clear();
        views.iter_mut().for_each(Vec::clear);
        (self.requests_simulated, self.attempts_simulated) = (0, 0);
    }

    /// Adds the counts of another tally of the same system and settings. Its runs are appended:
    /// merge in order of time if runs are to be in order.
    pub fn merge(&mut self, other: &Self) {
        for (journey, other) in self.journeys.as_mut_slice().iter_mut().zip(&other.journeys) {
            let Counts {
                issued,
                good,
                degraded,
                failed,
                in_flight,
            } = other.counts;
            journey.counts.issued += issued;
            journey.counts.good += good;
            journey.counts.degraded += degraded;
            journey.counts.failed += failed;
            journey.counts.in_flight += in_flight;
            add(&mut journey.failed_by_cause, &other.failed_by_cause);
            add(&mut journey.within, &other.within);
            journey.latency.merge(&other.latency);
        }
        for (pool, other) in self.pools.as_mut_slice().iter_mut().zip(&other.pools) {
            for (count, other) in pool.counts_mut().into_iter().zip(other.counts()) {
                *count += other;
            }
            pool.wait_ns += other.wait_ns;
            pool.busy_ns += other.busy_ns;
            pool.latency.merge(&other.latency);
        }
        for (channel, other) in self.channels.as_mut_slice().iter_mut().zip(&other.channels) {
            channel.add(other);
        }
        for (users, other) in self.users.as_mut_slice().iter_mut().zip(&other.users) {
            users.ended += other.ended;
            users.waited_ns += other.waited_ns;
            users.calm += other.calm;
            users.calm_waited_ns += other.calm_waited_ns;
        }
        for (queue, other) in self.queues.as_mut_slice().iter_mut().zip(&other.queues) {
            queue.add(other);
        }
        for (latency, other) in self
            .latency_by_condition
            .iter_mut()
            .zip(&other.latency_by_condition)
        {
            latency.merge(other);
        }
        self.slices.judged += other.slices.judged;
        self.slices.unknown += other.slices.unknown;
        self.slices.bad += other.slices.bad;
        add(&mut self.slices.bad_by_cause, &other.slices.bad_by_cause);
        self.slices.runs.extend_from_slice(&other.slices.runs);
        self.slices
            .runs_by_cause
            .extend_from_slice(&other.slices.runs_by_cause);
        self.slices.bins.extend_from_slice(&other.slices.bins);
        for (bins, other) in self.slices.views.iter_mut().zip(&other.slices.views) {
            bins.extend_from_slice(other);
        }
        self.requests_simulated += other.requests_simulated;
        self.attempts_simulated += other.attempts_simulated;
    }

    /// Takes out the runs of bad slices that have ended.
    pub fn take_runs(&mut self) -> Vec<BadRun> {
        std::mem::take(&mut self.slices.runs)
    }

    /// Whether everything counted is accounted for; holds after every finished stretch.
    ///
    /// # Errors
    /// What does not add up, with its numbers: a bug in this program.
    pub fn check(&self) -> Result<(), String> {
        for (id, journey) in self.journeys.pairs() {
            let Counts {
                issued,
                good,
                degraded,
                failed,
                in_flight,
            } = journey.counts;
            equal(issued, good + degraded + failed + in_flight, || {
                format!("requests of {id:?}")
            })?;
            let causes = journey.failed_by_cause.iter().sum();
            equal(failed, causes, || {
                format!("failed requests of {id:?} by cause")
            })?;
        }
        for (id, pool) in self.pools.pairs() {
            let ended = pool.attempts_answered
                + pool.attempts_failed
                + pool.attempts_refused
                + pool.attempts_shed
                + pool.attempts_reset
                + pool.attempts_timed_out
                + pool.attempts_abandoned;
            equal(pool.attempts, ended + pool.attempts_in_flight, || {
                format!("attempts at {id:?}")
            })?;
        }
        for (id, channel) in self.channels.pairs() {
            let parts =
                channel.reused + channel.opened + channel.shed + channel.left + channel.waiting;
            equal(channel.wanted, parts, || format!("connections of {id:?}"))?;
        }
        for (id, queue) in self.queues.pairs() {
            equal(queue.asked, queue.published + queue.full, || {
                format!("attempts to publish of {id:?}")
            })?;
            let parts = queue.done + queue.dead + queue.lost + queue.left;
            equal(queue.published, parts, || format!("messages of {id:?}"))?;
        }
        let causes = self.slices.bad_by_cause.iter().sum();
        equal(self.slices.bad, causes, || "bad slices by cause".to_owned())
    }
}

impl ChannelTally {
    fn add(&mut self, other: &Self) {
        self.wanted += other.wanted;
        self.reused += other.reused;
        self.opened += other.opened;
        self.shed += other.shed;
        self.left += other.left;
        self.waiting += other.waiting;
        self.waited += other.waited;
        self.wait_ns += other.wait_ns;
    }
}

impl QueueTally {
    fn new(bounds: usize) -> Self {
        Self {
            asked: 0,
            full: 0,
            published: 0,
            delivered: 0,
            redelivered: 0,
            done: 0,
            dead: 0,
            lost: 0,
            left: 0,
            most_waiting: 0,
            held_ns: 0,
            latency: Histogram::new(),
            within: vec![0; bounds],
        }
    }

    fn counts_mut(&mut self) -> [&mut u64; 10] {
        [
            &mut self.asked,
            &mut self.full,
            &mut self.published,
            &mut self.delivered,
            &mut self.redelivered,
            &mut self.done,
            &mut self.dead,
            &mut self.lost,
            &mut self.left,
            &mut self.most_waiting,
        ]
    }

    fn add(&mut self, other: &Self) {
        let most = self.most_waiting.max(other.most_waiting);
        for (count, other) in self
            .counts_mut()
            .into_iter()
            .zip(other.clone().counts_mut())
        {
            *count += *other;
        }
        self.most_waiting = most;
        for (within, other) in self.within.iter_mut().zip(&other.within) {
            *within += other;
        }
        self.held_ns += other.held_ns;
        self.latency.merge(&other.latency);
    }
}

impl PoolTally {
    /// All plain counts, in the order of [`counts_mut`](Self::counts_mut).
    fn counts(&self) -> [u64; 13] {
        [
            self.calls,
            self.calls_failed,
            self.calls_failed_of_load,
            self.attempts,
            self.attempts_answered,
            self.attempts_failed,
            self.attempts_refused,
            self.attempts_shed,
            self.attempts_reset,
            self.attempts_timed_out,
            self.attempts_abandoned,
            self.attempts_in_flight,
            self.served,
        ]
    }

    /// All plain counts.
    fn counts_mut(&mut self) -> [&mut u64; 13] {
        let Self {
            calls,
            calls_failed,
            calls_failed_of_load,
            attempts,
            attempts_answered,
            attempts_failed,
            attempts_refused,
            attempts_shed,
            attempts_reset,
            attempts_timed_out,
            attempts_abandoned,
            attempts_in_flight,
            served,
            wait_ns: _,
            busy_ns: _,
            latency: _,
        } = self;
        [
            calls,
            calls_failed,
            calls_failed_of_load,
            attempts,
            attempts_answered,
            attempts_failed,
            attempts_refused,
            attempts_shed,
            attempts_reset,
            attempts_timed_out,
            attempts_abandoned,
            attempts_in_flight,
            served,
        ]
    }
}

fn add(counts: &mut [u64], others: &[u64]) {
    for (count, other) in counts.iter_mut().zip(others) {
        *count += other;
    }
}

fn equal(total: u64, parts: u64, what: impl Fn() -> String) -> Result<(), String> {
    if total == parts {
        Ok(())
    } else {
        Err(format!(
            "{}: {total} in all, but the parts sum to {parts}",
            what()
        ))
    }
}
