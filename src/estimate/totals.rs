//! Request figures of one group: tallies of windows as they are, tallies of sampled stretches scaled
//! to the time they stand for.

use super::plan::Plan;
use super::splitting::FoundInGroup;
use crate::ids::{Id, IdVec, JourneyId, WorkloadId};
use crate::model::System;
use crate::path::{Blame, Cause, Phase};
use crate::stats::WeightedHistogram;
use crate::traffic::{ChannelTally, Counts, JourneyTally, PoolTally, QueueTally, Tally, UserTally};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Requests of one journey, expected or counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JourneyTotals {
    /// Started.
    pub issued: f64,
    /// Answered in time, complete.
    pub good: f64,
    /// Answered in time, incomplete.
    pub degraded: f64,
    /// Failed.
    pub failed: f64,
    /// Failed because of planned work.
    pub planned: f64,
    /// In progress at the end of the horizon.
    pub in_flight: f64,
    /// Answered within each bound of the plan.
    pub within: Vec<f64>,
    /// Latency of answered requests.
    pub latency: WeightedHistogram,
}

impl JourneyTotals {
    /// Requests that ended.
    pub fn ended(&self) -> f64 {
        self.issued - self.in_flight
    }
}

/// Calls of one pool, expected or counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PoolTotals {
    /// Ended.
    pub calls: f64,
    /// Ended without an answer.
    pub calls_failed: f64,
    /// Attempts that ended.
    pub attempts: f64,
    /// Attempts that got a worker.
    pub served: f64,
    /// Their waits, seconds.
    pub wait_s: f64,
    /// Worker time in use, seconds.
    pub busy_s: f64,
    /// Latency of calls answered.
    pub latency: WeightedHistogram,
}

/// Attempts that need a connection, expected or counted.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct ChannelTotals {
    /// All of them.
    pub wanted: f64,
    /// That got one.
    pub got: f64,
    /// For which one had to be opened.
    pub opened: f64,
    /// That got none: they waited too long, or too many were waiting.
    pub shed: f64,
    /// How long they waited for their turn, seconds.
    pub wait_s: f64,
}

/// What the users of a closed loop did: see [`UserTally`], expected or counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UserTotals {
    /// Requests that ended.
    pub ended: f64,
    /// How long users waited for them, seconds.
    pub waited_s: f64,
    /// Those that met no fault on arrival.
    pub calm: f64,
    /// How long users waited for those, seconds.
    pub calm_waited_s: f64,
}

impl UserTotals {
    fn add(&mut self, tally: &UserTally, scale: f64, calm: f64) {
        self.ended += tally.ended as f64 * scale;
        self.waited_s += tally.waited_ns as f64 * 1e-9 * scale;
        self.calm += tally.calm as f64 * scale * calm;
        self.calm_waited_s += tally.calm_waited_ns as f64 * 1e-9 * scale * calm;
    }

    /// The requests that `users` would have made in `secs` if they had always waited as long as where
    /// there was no fault, and thought for `think_s` each time; 0 if there never was none.
    pub fn demand(&self, users: f64, think_s: f64, secs: f64) -> f64 {
        if self.calm > 0.0 {
            users * secs / (think_s + self.calm_waited_s / self.calm)
        } else {
            0.0
        }
    }
}

/// Messages of one queue, counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QueueTotals {
    /// Attempts to publish that the broker worked on, and those of them refused as it was full.
    pub asked: f64,
    /// Refused.
    pub full: f64,
    /// Stored.
    pub published: f64,
    /// Deliveries, and those that were not the first.
    pub delivered: f64,
    /// Not the first of their message.
    pub redelivered: f64,
    /// Done.
    pub done: f64,
    /// Dead letters.
    pub dead: f64,
    /// Lost.
    pub lost: f64,
    /// In the queue or in work at the end of the horizon.
    pub left: f64,
    /// The most that waited.
    pub most_waiting: u64,
    /// Seconds in the queue or in work, of all together.
    pub held_s: f64,
    /// From publishing to the acknowledgement.
    pub latency: WeightedHistogram,
    /// Done within each bound of the plan.
    pub within: Vec<f64>,
}

/// Request figures of one group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Totals {
    /// By journey.
    pub journeys: IdVec<JourneyId, JourneyTotals>,
    /// By pool.
    pub pools: Vec<PoolTotals>,
    /// By connections that a service keeps.
    pub channels: Vec<ChannelTotals>,
    /// By workload; zero but for closed loops.
    pub users: IdVec<WorkloadId, UserTotals>,
    /// By message queue.
    pub queues: Vec<QueueTotals>,
    /// Latency of answered requests that met a healthy, a failing-over, a degraded system.
    pub by_condition: [WeightedHistogram; 3],
    /// Failed requests by [`Cause::index`].
    pub failed_by_cause: Vec<f64>,
    /// Whether each cause is planned.
    planned: Vec<bool>,
    /// What was counted one by one, in integers.
    pub simulated: Counts,
    /// Requests simulated, counted or not.
    pub requests_simulated: u64,
    /// Attempts simulated, counted or not.
    pub attempts_simulated: u64,
    /// Seconds simulated request by request.
    pub window_s: f64,
    /// Windows that went on because overload outlived what began it, and for how long, seconds.
    pub unsettled: u64,
    /// See `unsettled`.
    pub unsettled_s: f64,
    /// Probes that workers answer.
    pub probes: ProbeTotals,
    /// What balancers with outlier detection did.
    pub ejections: EjectionTotals,
    /// Seconds of horizon.
    pub covered_s: f64,
}

/// Probes that found no free worker, and what follows from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeTotals {
    /// That failed for want of workers where requests were followed one by one.
    pub failed: u64,
    /// How often members were left out for it in samples of quiet time.
    pub left_out: u64,
    /// What was simulated because of them.
    pub longer: Longer,
}

/// Windows that went on, or began, because members came and went by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Longer {
    /// How many.
    pub windows: u64,
    /// For how long, seconds.
    pub windows_s: f64,
}

impl Longer {
    fn add(&mut self, other: Self) {
        self.windows += other.windows;
        self.windows_s += other.windows_s;
    }
}

/// Ejections of members that answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EjectionTotals {
    /// How many there were where requests were simulated.
    pub seen: u64,
    /// What was simulated because of them.
    pub longer: Longer,
}

impl ProbeTotals {
    /// Adds those of another group.
    pub(super) fn add(&mut self, other: Self) {
        self.failed += other.failed;
        self.left_out += other.left_out;
        self.longer.add(other.longer);
    }
}

impl EjectionTotals {
    /// Adds those of another group.
    pub(super) fn add(&mut self, other: Self) {
        self.seen += other.seen;
        self.longer.add(other.longer);
    }
}

/// How many requests each request of a sample stands for.
#[derive(Clone, Debug)]
pub struct Scales {
    /// By workload; 0 for one that is not in it.
    workloads: IdVec<WorkloadId, f64>,
    /// Of what all workloads do together.
    all: f64,
}

impl Scales {
    /// Of a sample that stands for `part` times `expected[w]` requests of each workload.
    pub fn expecting(
        system: &System,
        tally: &Tally,
        expected: &IdVec<WorkloadId, f64>,
        part: f64,
    ) -> Self {
        let issued = |journey: JourneyId| tally.journeys[journey].counts.issued as f64;
        let mut workloads = IdVec::filled(0.0, system.workloads.len());
        let (mut expected_all, mut issued_all) = (0.0, 0.0);
        for (id, workload) in system.workloads.pairs() {
            let journeys = workload.journeys.iter();
            let sampled: f64 = journeys.map(|&(journey, _)| issued(journey)).sum();
            expected_all += expected[id];
            issued_all += sampled;
            if sampled > 0.0 {
                workloads[id] = part * expected[id] / sampled;
            }
        }
        let all = if issued_all > 0.0 {
            part * expected_all / issued_all
        } else {
            0.0
        };
        Self { workloads, all }
    }

    /// The same for all.
    pub fn alike(system: &System, scale: f64) -> Self {
        Self {
            workloads: IdVec::filled(scale, system.workloads.len()),
            all: scale,
        }
    }
}

/// Which of the three conditions a blame on arrival means.
pub fn condition(blame: Option<Blame>) -> usize {
    match blame.map(|blame| blame.phase) {
        None => 0,
        Some(Phase::Detect | Phase::Decide | Phase::Promote | Phase::Converge) => 1,
        Some(Phase::Repair | Phase::WarmUp) => 2,
    }
}

/// For how long each blame was on each journey while a regime lasted, seconds.
pub type BlameTime = BTreeMap<(JourneyId, Option<Blame>), f64>;

impl Totals {
    /// Without any request.
    pub fn new(system: &System, plan: &Plan) -> Self {
        let journey = JourneyTotals {
            issued: 0.0,
            good: 0.0,
            degraded: 0.0,
            failed: 0.0,
            planned: 0.0,
            in_flight: 0.0,
            within: vec![0.0; plan.traffic.bounds.len()],
            latency: WeightedHistogram::new(),
        };
        let pool = PoolTotals {
            calls: 0.0,
            calls_failed: 0.0,
            attempts: 0.0,
            served: 0.0,
            wait_s: 0.0,
            busy_s: 0.0,
            latency: WeightedHistogram::new(),
        };
        Self {
            journeys: IdVec::filled(journey, system.journeys.len()),
            pools: vec![pool; system.pools.len()],
            channels: vec![ChannelTotals::default(); system.channels.len()],
            users: IdVec::filled(UserTotals::default(), system.workloads.len()),
            queues: vec![QueueTotals::new(plan.traffic.bounds.len()); system.queues.len()],
            by_condition: std::array::from_fn(|_| WeightedHistogram::new()),
            failed_by_cause: vec![0.0; Cause::count(system.faults.len())],
            planned: Cause::planned(system),
            simulated: Counts::default(),
            requests_simulated: 0,
            attempts_simulated: 0,
            window_s: 0.0,
            unsettled: 0,
            unsettled_s: 0.0,
            probes: ProbeTotals::default(),
            ejections: EjectionTotals::default(),
            covered_s: 0.0,
        }
    }

    /// Whether the cause with this index is planned work.
    pub(super) fn is_planned(&self, cause: usize) -> bool {
        self.planned[cause]
    }

    /// Adds requests that were counted one by one.
    pub fn add_counted(&mut self, tally: &Tally) {
        for (id, journey) in tally.journeys.pairs() {
            self.journeys[id].add(journey, 1.0);
            for (index, &count) in journey.failed_by_cause.iter().enumerate() {
                self.failed_by_cause[index] += count as f64;
                if self.planned[index] {
                    self.journeys[id].planned += count as f64;
                }
            }
        }
        for (mine, pool) in self.pools.iter_mut().zip(&tally.pools) {
            mine.add(pool, 1.0);
        }
        for (mine, channel) in self.channels.iter_mut().zip(&tally.channels) {
            mine.add(channel, 1.0);
        }
        for (id, users) in tally.users.pairs() {
            self.users[id].add(users, 1.0, 1.0);
        }
        for (mine, queue) in self.queues.iter_mut().zip(&tally.queues) {
            mine.add(queue);
        }
        for (mine, histogram) in self
            .by_condition
            .iter_mut()
            .zip(&tally.latency_by_condition)
        {
            mine.add_scaled(histogram, 1.0);
        }
        self.probes.failed += tally.probes.failed;
        self.ejections.seen += tally.ejections;
        self.add_effort(tally);
    }

    /// Adds a sampled stretch, of which each request stands for as many as `scales` says; `blamed` says
    /// how the time it stands for splits by blame. What was found by splitting instead counts as answered.
    pub(super) fn add_sampled(
        &mut self,
        system: &System,
        (tally, split): (&Tally, Option<&FoundInGroup>),
        scales: &Scales,
        blamed: &BlameTime,
    ) {
        for (id, workload) in system.workloads.pairs() {
            let scale = scales.workloads[id];
            if scale == 0.0 {
                continue;
            }
            if workload.users.is_some()
                && let Some(&(journey, _)) = workload.journeys.first()
            {
                let time: f64 = of_journey(blamed, journey).map(|(_, secs)| secs).sum();
                let calm = blamed.get(&(journey, None)).map_or(0.0, |secs| secs / time);
                self.users[id].add(&tally.users[id], scale, calm);
            }
            for &(journey, _) in &workload.journeys {
                let row = &tally.journeys[journey];
                let load = row.failed_by_cause[Cause::Load.index()];
                let left_out = split.is_some_and(|split| split.share(journey).is_some());
                self.journeys[journey].add(row, scale);
                if left_out && load > 0 {
                    self.journeys[journey].fail(load as f64 * -scale);
                }
                let time: f64 = of_journey(blamed, journey).map(|(_, secs)| secs).sum();
                for (blame, secs) in of_journey(blamed, journey) {
                    let share = if time > 0.0 { secs / time } else { 0.0 };
                    self.by_condition[condition(blame)].add_scaled(&row.latency, scale * share);
                    for (index, &count) in row.failed_by_cause.iter().enumerate() {
                        if left_out && index == Cause::Load.index() {
                            continue;
                        }
                        // Without a blame the stretch itself knows the cause: load or base.
                        let index = blame.map_or(index, |blame| Cause::Fault(blame).index());
                        let failed = count as f64 * scale * share;
                        self.failed_by_cause[index] += failed;
                        if self.planned[index] {
                            self.journeys[journey].planned += failed;
                        }
                    }
                }
            }
        }
        if scales.all > 0.0 {
            for (mine, (id, pool)) in self.pools.iter_mut().zip(tally.pools.pairs()) {
                mine.add(pool, scales.all);
                if split.is_some_and(|split| split.calls(id).is_some()) {
                    mine.calls_failed -= pool.calls_failed_of_load as f64 * scales.all;
                }
            }
            for (mine, channel) in self.channels.iter_mut().zip(&tally.channels) {
                mine.add(channel, scales.all);
            }
        }
        self.probes.left_out += tally.probes.left_out;
        self.add_effort(tally);
    }

    /// Adds the failures of load that splitting found in a regime, in whose quiet time `part` of so many requests
    /// of each workload are expected.
    pub(super) fn add_split(
        &mut self,
        system: &System,
        split: &FoundInGroup,
        (expected, part): (&IdVec<WorkloadId, f64>, f64),
        blamed: &BlameTime,
    ) {
        for (id, workload) in system.workloads.pairs() {
            let shares: f64 = workload.journeys.iter().map(|row| row.1).sum();
            for &(journey, weight) in &workload.journeys {
                let Some(share) = split.share(journey) else {
                    continue;
                };
                let failed = share * part * expected[id] * weight / shares;
                if failed <= 0.0 {
                    continue;
                }
                self.journeys[journey].fail(failed);
                let time: f64 = of_journey(blamed, journey).map(|(_, secs)| secs).sum();
                for (blame, secs) in of_journey(blamed, journey) {
                    let share = if time > 0.0 { secs / time } else { 0.0 };
                    let index = Cause::from(blame).index();
                    self.failed_by_cause[index] += failed * share;
                    if self.planned[index] {
                        self.journeys[journey].planned += failed * share;
                    }
                }
            }
        }
        let all: f64 = part * expected.iter().sum::<f64>();
        for (mine, id) in self.pools.iter_mut().zip(system.pools.ids()) {
            mine.calls_failed += split.calls(id).unwrap_or(0.0) * all;
        }
    }

    fn add_effort(&mut self, tally: &Tally) {
        for journey in &tally.journeys {
            let (mine, counts) = (&mut self.simulated, journey.counts);
            mine.issued += counts.issued;
            mine.good += counts.good;
            mine.degraded += counts.degraded;
            mine.failed += counts.failed;
            mine.in_flight += counts.in_flight;
        }
        self.requests_simulated += tally.requests_simulated;
        self.attempts_simulated += tally.attempts_simulated;
    }
}

/// For how long each blame was on a journey.
pub(super) fn of_journey(
    blamed: &BlameTime,
    journey: JourneyId,
) -> impl Iterator<Item = (Option<Blame>, f64)> + '_ {
    let next = JourneyId::from_index(journey.index() + 1);
    blamed
        .range((journey, None)..(next, None))
        .map(|(&(_, blame), &secs)| (blame, secs))
}

impl JourneyTotals {
    /// So many of those that were answered have failed instead; the other way round if it is below zero.
    fn fail(&mut self, failed: f64) {
        let answered = self.good + self.degraded;
        self.failed += failed;
        self.good -= failed;
        for within in &mut self.within {
            *within -= failed
                * if answered > 0.0 {
                    *within / answered
                } else {
                    0.0
                };
        }
    }

    fn add(&mut self, tally: &JourneyTally, scale: f64) {
        self.issued += tally.counts.issued as f64 * scale;
        self.good += tally.counts.good as f64 * scale;
        self.degraded += tally.counts.degraded as f64 * scale;
        self.failed += tally.counts.failed as f64 * scale;
        self.in_flight += tally.counts.in_flight as f64 * scale;
        for (sum, &count) in self.within.iter_mut().zip(&tally.within) {
            *sum += count as f64 * scale;
        }
        self.latency.add_scaled(&tally.latency, scale);
    }
}

impl QueueTotals {
    fn new(bounds: usize) -> Self {
        Self {
            asked: 0.0,
            full: 0.0,
            published: 0.0,
            delivered: 0.0,
            redelivered: 0.0,
            done: 0.0,
            dead: 0.0,
            lost: 0.0,
            left: 0.0,
            most_waiting: 0,
            held_s: 0.0,
            latency: WeightedHistogram::new(),
            within: vec![0.0; bounds],
        }
    }

    fn add(&mut self, tally: &QueueTally) {
        self.asked += tally.asked as f64;
        self.full += tally.full as f64;
        self.published += tally.published as f64;
        self.delivered += tally.delivered as f64;
        self.redelivered += tally.redelivered as f64;
        self.done += tally.done as f64;
        self.dead += tally.dead as f64;
        self.lost += tally.lost as f64;
        self.left += tally.left as f64;
        self.most_waiting = self.most_waiting.max(tally.most_waiting);
        self.held_s += tally.held_ns as f64 * 1e-9;
        self.latency.add_scaled(&tally.latency, 1.0);
        for (sum, &count) in self.within.iter_mut().zip(&tally.within) {
            *sum += count as f64;
        }
    }
}

impl ChannelTotals {
    fn add(&mut self, tally: &ChannelTally, scale: f64) {
        self.wanted += tally.wanted as f64 * scale;
        self.got += (tally.reused + tally.opened) as f64 * scale;
        self.opened += tally.opened as f64 * scale;
        self.shed += tally.shed as f64 * scale;
        self.wait_s += tally.wait_ns as f64 * 1e-9 * scale;
    }
}

impl PoolTotals {
    fn add(&mut self, tally: &PoolTally, scale: f64) {
        self.calls += tally.calls as f64 * scale;
        self.calls_failed += tally.calls_failed as f64 * scale;
        let ended = tally.attempts - tally.attempts_in_flight;
        self.attempts += ended as f64 * scale;
        self.served += tally.served as f64 * scale;
        self.wait_s += tally.wait_ns as f64 * 1e-9 * scale;
        self.busy_s += tally.busy_ns as f64 * 1e-9 * scale;
        self.latency.add_scaled(&tally.latency, scale);
    }
}
