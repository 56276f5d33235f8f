//! What many groups found, folded in order of their index.

use super::bracket::Brackets;
use super::down::Lost;
use super::group::{GroupRecord, TrafficRecord};
use super::outages::OutageRecord;
use super::periods::{RequestPeriods, request_periods};
use super::plan::{GROUPS, Plan};
use super::recoveries::RecoveryRecord;
use super::splitting::SplittingRecord;
use super::structure::StructureRecord;
use super::sums::Sums;
use super::totals::{EjectionTotals, JourneyTotals, PoolTotals, ProbeTotals, QueueTotals, Totals};
use super::views::view_of;
use crate::ids::Id;
use crate::model::{Measure, Metric, Population, QueueMeasure, System};
use crate::path::Cause;
use crate::stats::WeightedHistogram;
use crate::traffic::Counts;
use serde::{Deserialize, Serialize};

/// Everything found so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Structural figures; the units are replications.
    pub structure: StructureRecord,
    /// Request figures; the units are groups.
    pub traffic: Option<TrafficFold>,
    /// Downtime of replications without traffic; filled where the plan says so.
    pub brackets: Brackets,
}

/// Latency of many groups. Histograms are kept for each group index of a block, summed over blocks:
/// independent parts of the whole, from which percentiles get their intervals.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LatencyFold {
    /// By group index.
    pub parts: Vec<WeightedHistogram>,
}

/// Calls of one pool over many groups; the units are groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PoolFold {
    /// (failed, ended).
    pub failed: Sums,
    /// (attempts, calls).
    pub attempts: Sums,
    /// (attempts, requests issued).
    pub per_request: Sums,
    /// (worker seconds in use, worker seconds there are); x is zero if workers are not limited.
    pub busy: Sums,
    /// (seconds waited, attempts served).
    pub wait: Sums,
    /// Of calls answered.
    pub latency: LatencyFold,
}

/// Connections that a service keeps, over many groups; the units are groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ChannelFold {
    /// (for which one had to be opened, attempts that got one).
    pub opened: Sums,
    /// (that got none, attempts that wanted one).
    pub shed: Sums,
    /// (seconds waited for their turn, attempts that wanted one).
    pub wait: Sums,
}

/// Messages of one queue over many groups; the units are groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QueueFold {
    /// (refused as it was full, attempts to publish).
    pub full: Sums,
    /// (deliveries, messages published).
    pub delivered: Sums,
    /// (deliveries that were not the first, messages published).
    pub redelivered: Sums,
    /// (dead letters, messages published).
    pub dead: Sums,
    /// (lost, messages published).
    pub lost: Sums,
    /// (dead or lost, done, dead or lost).
    pub undone: Sums,
    /// (message seconds in the queue or in work, seconds).
    pub held: Sums,
    /// The most that waited.
    pub most_waiting: u64,
    /// Published, done, dead, lost, left.
    pub counts: [f64; 5],
    /// From publishing to the acknowledgement.
    pub latency: LatencyFold,
}

/// Requests that ended for another reason than planned work; the units are groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnplannedFold {
    /// (failed, ended) of all requests.
    pub failed: Sums,
    /// (failed or degraded, ended) of all requests.
    pub not_full: Sums,
    /// (failed, ended) by journey.
    pub journeys: Vec<Sums>,
    /// (failed, ended) by workload.
    pub workloads: Vec<Sums>,
}

/// Request figures over many groups; the units are groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrafficFold {
    /// Replications with traffic.
    pub replications: u64,
    /// Replications without traffic that lent their quiet time.
    pub lent: u64,
    /// Where outages are forced, what the histories lost while their structure was down, requests: it is taken
    /// away from what failed, here and in slices, and the mean of the branches is to be added.
    pub down: f64,
    /// Failures of load that were found by splitting.
    pub splitting: SplittingRecord,
    /// (failed, ended) of all requests.
    pub failed: Sums,
    /// (failed or degraded, ended) of all requests.
    pub not_full: Sums,
    /// (failed, ended) by journey.
    pub journeys: Vec<Sums>,
    /// (failed, ended) by workload.
    pub workloads: Vec<Sums>,
    /// By workload (requests made, requests that its users would have made without faults); zero but
    /// for closed loops.
    pub demand: Vec<Sums>,
    /// The same without what is due to planned work.
    pub unplanned: UnplannedFold,
    /// (failed because of planned work, issued) of all requests.
    pub planned: Sums,
    /// (not answered within the bound, ended) by target; only targets on latency
    /// and on how long messages take are filled.
    pub late: Vec<Sums>,
    /// (failed by this cause, issued) by [`Cause::index`].
    pub by_cause: Vec<Sums>,
    /// Of answered requests, by condition on arrival.
    pub latency: [LatencyFold; 3],
    /// Of answered requests, by journey.
    pub journey_latency: Vec<LatencyFold>,
    /// Failed requests by journey and by group index of a block, summed over blocks: beside the parts
    /// of `journey_latency`, those that were never answered.
    pub journey_failed: Vec<Vec<f64>>,
    /// By pool.
    pub pools: Vec<PoolFold>,
    /// By connections that a service keeps.
    pub channels: Vec<ChannelFold>,
    /// By message queue.
    pub queues: Vec<QueueFold>,
    /// Estimated requests: issued, good, degraded, failed, in flight.
    pub estimated: [f64; 5],
    /// Requests counted one by one.
    pub simulated: Counts,
    /// Requests simulated, counted or not.
    pub requests_simulated: u64,
    /// Attempts simulated, counted or not.
    pub attempts_simulated: u64,
    /// Regimes sampled, summed over groups.
    pub regimes: u64,
    /// Seconds simulated request by request.
    pub window_s: f64,
    /// Windows that went on because overload outlived what began it.
    pub unsettled: u64,
    /// For how long they did, seconds.
    pub unsettled_s: f64,
    /// Probes that workers answer.
    pub probes: ProbeTotals,
    /// What balancers with outlier detection did.
    pub ejections: EjectionTotals,
    /// Seconds of horizon.
    pub covered_s: f64,
    /// Slices; the units are replications.
    pub outages: OutageRecord,
    /// Recoveries of stores, each up to the first good answer where calls ask the leader, else to a member
    /// that leads; the units are replications.
    pub recoveries: RecoveryRecord,
    /// By target and by group index of a block, summed over blocks; those on periods of requests are
    /// filled.
    pub periods: Vec<Vec<RequestPeriods>>,
    /// (failed, sampled) in the regime that holds most of the time, by view, where periods of requests need
    /// it.
    calm: Vec<Sums>,
}

impl LatencyFold {
    fn new() -> Self {
        Self {
            parts: vec![WeightedHistogram::new(); GROUPS as usize],
        }
    }

    fn push(&mut self, group: usize, histogram: &WeightedHistogram) {
        self.parts[group].merge(histogram);
    }

    /// Everything in one histogram.
    pub fn whole(&self) -> WeightedHistogram {
        let mut whole = WeightedHistogram::new();
        for part in &self.parts {
            whole.merge(part);
        }
        whole
    }
}

impl Record {
    /// Without any replication.
    pub fn new(system: &System) -> Self {
        Self {
            structure: StructureRecord::new(system),
            traffic: None,
            brackets: Brackets::new(system),
        }
    }

    /// Adds group `group` of the next block.
    pub fn push(&mut self, system: &System, plan: &Plan, group: u64, record: &GroupRecord) {
        self.structure.merge(&record.structure);
        if let Some(traffic) = &record.traffic {
            self.traffic
                .get_or_insert_with(|| TrafficFold::new(system))
                .push(system, plan, group as usize, traffic);
        }
        if plan.brackets {
            self.brackets.push(group, record);
        }
    }
}

impl TrafficFold {
    fn new(system: &System) -> Self {
        let latency = LatencyFold::new;
        let pool = PoolFold {
            failed: Sums::default(),
            attempts: Sums::default(),
            per_request: Sums::default(),
            busy: Sums::default(),
            wait: Sums::default(),
            latency: latency(),
        };
        let causes = Cause::count(system.faults.len());
        Self {
            replications: 0,
            lent: 0,
            down: 0.0,
            splitting: SplittingRecord::default(),
            failed: Sums::default(),
            not_full: Sums::default(),
            journeys: vec![Sums::default(); system.journeys.len()],
            workloads: vec![Sums::default(); system.workloads.len()],
            demand: vec![Sums::default(); system.workloads.len()],
            unplanned: UnplannedFold {
                failed: Sums::default(),
                not_full: Sums::default(),
                journeys: vec![Sums::default(); system.journeys.len()],
                workloads: vec![Sums::default(); system.workloads.len()],
            },
            planned: Sums::default(),
            late: vec![Sums::default(); system.targets.len()],
            by_cause: vec![Sums::default(); causes],
            latency: std::array::from_fn(|_| latency()),
            journey_latency: vec![latency(); system.journeys.len()],
            journey_failed: vec![vec![0.0; GROUPS as usize]; system.journeys.len()],
            pools: vec![pool; system.pools.len()],
            channels: vec![ChannelFold::default(); system.channels.len()],
            queues: vec![QueueFold::new(); system.queues.len()],
            estimated: [0.0; 5],
            simulated: Counts::default(),
            requests_simulated: 0,
            attempts_simulated: 0,
            regimes: 0,
            window_s: 0.0,
            unsettled: 0,
            unsettled_s: 0.0,
            probes: ProbeTotals::default(),
            ejections: EjectionTotals::default(),
            covered_s: 0.0,
            outages: OutageRecord::new(causes, system.targets.len()),
            recoveries: RecoveryRecord::new(system),
            periods: request_periods(system)
                .into_iter()
                .map(|row| row.map_or_else(Vec::new, |row| vec![row; GROUPS as usize]))
                .collect(),
            calm: Vec::new(),
        }
    }

    fn push(&mut self, system: &System, plan: &Plan, group: usize, record: &TrafficRecord) {
        let totals = &record.totals;
        self.replications += record.replications;
        self.lent += record.lent;
        self.splitting.merge(&record.splitting);
        let all = totals.journeys.as_slice();
        let sum = |of: fn(&JourneyTotals) -> f64| all.iter().map(of).sum::<f64>();
        let (issued, ended) = (sum(|journey| journey.issued), sum(JourneyTotals::ended));
        let (failed, degraded) = (
            sum(|journey| journey.failed),
            sum(|journey| journey.degraded),
        );
        let down = Down::of(system, totals, record.down.as_ref());
        self.down += down.all;
        self.failed.push_net(failed, down.all, ended);
        self.not_full.push_net(failed + degraded, down.all, ended);
        self.planned
            .push_net(sum(|journey| journey.planned), down.planned, issued);
        self.unplanned.push(system, totals, &down);
        let figures = [
            issued,
            sum(|j| j.good),
            degraded,
            failed,
            sum(|j| j.in_flight),
        ];
        for (mine, figure) in self.estimated.iter_mut().zip(figures) {
            *mine += figure;
        }
        for ((sums, journey), &down) in self.journeys.iter_mut().zip(all).zip(&down.journeys) {
            sums.push_net(journey.failed, down, journey.ended());
        }
        for (sums, workload) in self.workloads.iter_mut().zip(&system.workloads) {
            let rows = || {
                workload
                    .journeys
                    .iter()
                    .map(|&(id, _)| &totals.journeys[id])
            };
            let ids = workload.journeys.iter().map(|&(id, _)| id.index());
            sums.push_net(
                rows().map(|journey| journey.failed).sum(),
                ids.map(|id| down.journeys[id]).sum(),
                rows().map(JourneyTotals::ended).sum(),
            );
        }
        for (sums, (id, workload)) in self.demand.iter_mut().zip(system.workloads.pairs()) {
            if let Some(users) = &workload.users {
                let (count, think) = (f64::from(users.count), users.think.mean());
                let own = &totals.users[id];
                let demand = own.demand(count, think, totals.covered_s);
                sums.push(own.ended, demand);
            }
        }
        self.push_late(system, plan, record, &down);
        let causes = totals.failed_by_cause.iter().zip(&down.by_cause);
        for (sums, (&failed, &down)) in self.by_cause.iter_mut().zip(causes) {
            sums.push_net(failed, down, issued);
        }
        for (fold, histogram) in self.latency.iter_mut().zip(&totals.by_condition) {
            fold.push(group, histogram);
        }
        for (fold, journey) in self.journey_latency.iter_mut().zip(all) {
            fold.push(group, &journey.latency);
        }
        for (parts, journey) in self.journey_failed.iter_mut().zip(all) {
            parts[group] += journey.failed;
        }
        for ((fold, pool), model) in self.pools.iter_mut().zip(&totals.pools).zip(&system.pools) {
            let workers = model.workers.map_or(0.0, f64::from) * model.active() as f64;
            fold.push(group, pool, issued, workers * totals.covered_s);
        }
        for (fold, channel) in self.channels.iter_mut().zip(&totals.channels) {
            fold.opened.push(channel.opened, channel.got);
            fold.shed.push(channel.shed, channel.wanted);
            fold.wait.push(channel.wait_s, channel.wanted);
        }
        for (fold, queue) in self.queues.iter_mut().zip(&totals.queues) {
            fold.push(group, queue, totals.covered_s);
        }
        let (mine, theirs) = (&mut self.simulated, totals.simulated);
        mine.issued += theirs.issued;
        mine.good += theirs.good;
        mine.degraded += theirs.degraded;
        mine.failed += theirs.failed;
        mine.in_flight += theirs.in_flight;
        self.requests_simulated += totals.requests_simulated;
        self.attempts_simulated += totals.attempts_simulated;
        self.regimes += record.regimes;
        self.window_s += totals.window_s;
        self.unsettled += totals.unsettled;
        self.unsettled_s += totals.unsettled_s;
        self.probes.add(totals.probes);
        self.ejections.add(totals.ejections);
        self.covered_s += totals.covered_s;
        self.outages.merge(&record.outages);
        self.recoveries.merge(&record.recoveries);
        for (parts, found) in self.periods.iter_mut().zip(&record.periods) {
            if let Some(found) = found {
                parts[group].merge(found);
            }
        }
        for (view, &(failed, sampled)) in record.calm.iter().enumerate() {
            if view >= self.calm.len() {
                self.calm.resize(view + 1, Sums::default());
            }
            if sampled > 0.0 {
                self.calm[view].push(failed, sampled);
            }
        }
    }

    /// (failed, sampled) in the regime that holds most of the time, of what a measure counts.
    pub fn calm(&self, system: &System, measure: Measure) -> Sums {
        let view = view_of(system, measure);
        self.calm.get(view).copied().unwrap_or_default()
    }

    /// (failed, ended) of a population.
    pub fn failed_of(&self, population: Population) -> &Sums {
        match population {
            Population::All => &self.failed,
            Population::Workload(id) => &self.workloads[id.index()],
            Population::Journey(id) => &self.journeys[id.index()],
        }
    }

    fn push_late(&mut self, system: &System, plan: &Plan, record: &TrafficRecord, down: &Down) {
        for (sums, target) in self.late.iter_mut().zip(&system.targets) {
            let population = match target.metric {
                Metric::Latency { population, .. } => Some(population),
                Metric::Queue {
                    measure: QueueMeasure::Time { .. },
                    ..
                } => None,
                _ => continue,
            };
            let bound = crate::time::SimSpan::from_secs_f64(target.bound);
            let Ok(index) = plan.traffic.bounds.binary_search(&bound) else {
                continue;
            };
            if let Metric::Queue { queue, .. } = target.metric {
                let row = &record.totals.queues[queue.index()];
                let settled = row.done + row.dead + row.lost;
                sums.push(settled - row.within[index], settled);
                continue;
            }
            let (mut within, mut ended, mut lost) = (0.0, 0.0, 0.0);
            for (workload_id, workload) in system.workloads.pairs() {
                for &(id, _) in &workload.journeys {
                    let counts = match population {
                        Some(Population::All) => true,
                        Some(Population::Workload(wanted)) => wanted == workload_id,
                        Some(Population::Journey(wanted)) => wanted == id,
                        None => false,
                    };
                    if counts {
                        within += record.totals.journeys[id].within[index];
                        ended += record.totals.journeys[id].ended();
                        lost += down.journeys[id.index()];
                    }
                }
            }
            sums.push_net(ended - within, lost, ended);
        }
    }
}

/// What a group loses while its structure is down, requests; nothing where its mean is not known better.
struct Down {
    all: f64,
    planned: f64,
    journeys: Vec<f64>,
    by_cause: Vec<f64>,
}

impl Down {
    fn of(system: &System, totals: &Totals, lost: Option<&Lost>) -> Self {
        let Some(lost) = lost else {
            return Self {
                all: 0.0,
                planned: 0.0,
                journeys: vec![0.0; system.journeys.len()],
                by_cause: vec![0.0; totals.failed_by_cause.len()],
            };
        };
        let causes = lost.by_cause.iter().enumerate();
        let planned = causes.filter(|&(index, _)| totals.is_planned(index));
        Self {
            all: lost.journeys.iter().sum(),
            planned: planned.map(|(_, requests)| requests).sum(),
            journeys: lost.journeys.as_slice().to_vec(),
            by_cause: lost.by_cause.clone(),
        }
    }
}

impl UnplannedFold {
    fn push(&mut self, system: &System, totals: &Totals, down: &Down) {
        let journeys = &totals.journeys;
        // Rounding of sampled counts may leave the least bit below zero.
        let failed = |row: &JourneyTotals| (row.failed - row.planned).max(0.0);
        let ended = |row: &JourneyTotals| row.ended() - row.planned;
        let all = |of: &dyn Fn(&JourneyTotals) -> f64| journeys.iter().map(of).sum::<f64>();
        let lost = down.all - down.planned;
        self.failed.push_net(all(&failed), lost, all(&ended));
        let not_full = all(&|row| failed(row) + row.degraded);
        self.not_full.push_net(not_full, lost, all(&ended));
        for (sums, row) in self.journeys.iter_mut().zip(journeys) {
            sums.push(failed(row), ended(row));
        }
        for (sums, workload) in self.workloads.iter_mut().zip(&system.workloads) {
            let rows = || workload.journeys.iter().map(|&(id, _)| &journeys[id]);
            sums.push(rows().map(failed).sum(), rows().map(ended).sum());
        }
    }
}

impl QueueFold {
    fn new() -> Self {
        Self {
            full: Sums::default(),
            delivered: Sums::default(),
            redelivered: Sums::default(),
            dead: Sums::default(),
            lost: Sums::default(),
            undone: Sums::default(),
            held: Sums::default(),
            most_waiting: 0,
            counts: [0.0; 5],
            latency: LatencyFold::new(),
        }
    }

    fn push(&mut self, group: usize, queue: &QueueTotals, covered_s: f64) {
        self.full.push(queue.full, queue.asked);
        self.delivered.push(queue.delivered, queue.published);
        self.redelivered.push(queue.redelivered, queue.published);
        self.dead.push(queue.dead, queue.published);
        self.lost.push(queue.lost, queue.published);
        let undone = queue.dead + queue.lost;
        self.undone.push(undone, queue.done + undone);
        self.held.push(queue.held_s, covered_s);
        self.most_waiting = self.most_waiting.max(queue.most_waiting);
        let counts = [
            queue.published,
            queue.done,
            queue.dead,
            queue.lost,
            queue.left,
        ];
        for (mine, count) in self.counts.iter_mut().zip(counts) {
            *mine += count;
        }
        self.latency.push(group, &queue.latency);
    }
}

impl PoolFold {
    fn push(&mut self, group: usize, pool: &PoolTotals, issued: f64, capacity_s: f64) {
        self.failed.push(pool.calls_failed, pool.calls);
        self.attempts.push(pool.attempts, pool.calls);
        self.per_request.push(pool.attempts, issued);
        self.busy
            .push(if capacity_s > 0.0 { pool.busy_s } else { 0.0 }, capacity_s);
        self.wait.push(pool.wait_s, pool.served);
        self.latency.push(group, &pool.latency);
    }
}
