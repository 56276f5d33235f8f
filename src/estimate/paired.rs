//! Several designs lived through on the same random numbers, and what differed unit by unit.
//!
//! A group of replications is run for one design after the other, with the same seed and index, so
//! that a component, a user or a failure that both have does the same in both. What is kept of each
//! pair of units (replications for structural figures, groups for request figures) are the sums that
//! the interval of a difference needs, in fixed size.

use super::fold::{Record, TrafficFold};
use super::group::{GroupError, GroupRecord, GroupRunner};
use super::plan::{BLOCK, GROUPS, Plan};
use super::structure::History;
use super::sums::Sums;
use crate::ids::Id;
use crate::model::{Method, Metric, Quantity, Source, System};
use crate::path::Cause;
use crate::stats::Paired;
use crate::time::SimTime;
use std::collections::BTreeMap;

/// Which rows of a candidate belong to which rows of the baseline: those of the same name.
#[derive(Clone, Debug)]
pub struct Pairing {
    /// Journeys that both have: (baseline, candidate).
    pub journeys: Vec<(usize, usize)>,
    /// Causes that either has.
    pub causes: Vec<(Option<usize>, Option<usize>)>,
    /// Workloads that both have.
    pub workloads: Vec<(usize, usize)>,
    /// Targets that both have, by their text.
    pub targets: Vec<(usize, usize)>,
}

/// What differed between the baseline and one candidate.
#[derive(Clone, Debug)]
pub struct PairRecord {
    /// Per replication: (structural downtime in seconds, 1).
    pub downtime: Paired,
    /// Per replication: (structural outages begun, 1).
    pub outages: Paired,
    /// Per replication: (seconds of the structural outages begun; their number).
    pub durations: Paired,
    /// (seconds without a leader, recoveries) and (seconds of writes lost, recoveries with another member) of
    /// all stores.
    pub recoveries: [Paired; 2],
    /// Per replication: structural downtime in seconds by cause, in the order of [`Pairing::causes`].
    pub by_cause: Vec<Paired>,
    /// Per replication: (1 if a target's limit of structural downtime was exceeded, 1), by target.
    pub exceeded: Vec<Paired>,
    /// Request figures; `None` without traffic.
    pub traffic: Option<TrafficPairs>,
}

/// Request figures; the units are groups.
#[derive(Clone, Debug)]
pub struct TrafficPairs {
    /// (failed, ended).
    pub failed: Paired,
    /// (failed or degraded, ended).
    pub not_full: Paired,
    /// (downtime in seconds, replications).
    pub downtime: Paired,
    /// (outages begun, replications).
    pub outages: Paired,
    /// (failed, ended) by [`Pairing::journeys`].
    pub journeys: Vec<Paired>,
    /// (failed, ended) by [`Pairing::workloads`].
    pub workloads: Vec<Paired>,
    /// (seconds up to the first good answer, recoveries) of all stores.
    pub recoveries: Paired,
    /// What a target on requests is judged by, (y, x) by [`Pairing::targets`].
    pub targets: Vec<Paired>,
    /// (failed by this cause, issued) by [`Pairing::causes`].
    pub by_cause: Vec<Paired>,
    /// (downtime in seconds by this cause, replications) by [`Pairing::causes`].
    pub downtime_by_cause: Vec<Paired>,
}

/// What one group found for all designs.
#[derive(Clone, Debug)]
pub struct TogetherRecord {
    /// By design.
    pub designs: Vec<GroupRecord>,
    /// By candidate, without the baseline.
    pub pairs: Vec<PairRecord>,
}

/// Runs groups of several designs; the first is the baseline.
#[derive(Debug)]
pub struct TogetherRunner<'a> {
    runners: Vec<GroupRunner<'a>>,
    pairings: &'a [Pairing],
}

/// The name of a cause's fault and its phase, the same in every design that has it; an empty name
/// stands for load (0) and base (1).
pub fn cause_key(system: &System, index: usize) -> (String, usize) {
    match Cause::from_index(index) {
        Cause::Load => (String::new(), 0),
        Cause::Base => (String::new(), 1),
        Cause::Fault(blame) => (
            system.faults[blame.fault].name.clone(),
            blame.phase as usize,
        ),
    }
}

impl Pairing {
    /// Matches `other` with `base` by name.
    pub fn new(base: &System, other: &System) -> Self {
        let index_of = |name: &str| {
            let found = other.journeys.pairs().find(|(_, row)| row.name == name);
            found.map(|(id, _)| id.index())
        };
        let journeys = base
            .journeys
            .pairs()
            .filter_map(|(id, row)| Some((id.index(), index_of(&row.name)?)))
            .collect();
        let workloads = base
            .workloads
            .pairs()
            .filter_map(|(id, row)| {
                let mut rows = other.workloads.pairs();
                let (there, _) = rows.find(|(_, it)| it.name == row.name)?;
                Some((id.index(), there.index()))
            })
            .collect();
        let targets = base
            .targets
            .iter()
            .enumerate()
            .filter_map(|(index, row)| {
                let there = other.targets.iter().position(|it| it.text == row.text)?;
                Some((index, there))
            })
            .collect();
        let mut theirs: BTreeMap<_, _> = (0..Cause::count(other.faults.len()))
            .map(|index| (cause_key(other, index), index))
            .collect();
        let mut causes: Vec<(Option<usize>, Option<usize>)> = (0..Cause::count(base.faults.len()))
            .map(|index| (Some(index), theirs.remove(&cause_key(base, index))))
            .collect();
        let mut new: Vec<usize> = theirs.into_values().collect();
        new.sort_unstable();
        causes.extend(new.into_iter().map(|index| (None, Some(index))));
        Self {
            journeys,
            workloads,
            causes,
            targets,
        }
    }
}

impl PairRecord {
    /// Without any unit.
    pub fn new(pairing: &Pairing) -> Self {
        Self {
            downtime: Paired::default(),
            outages: Paired::default(),
            durations: Paired::default(),
            recoveries: [Paired::default(), Paired::default()],
            by_cause: vec![Paired::default(); pairing.causes.len()],
            exceeded: vec![Paired::default(); pairing.targets.len()],
            traffic: None,
        }
    }

    /// Adds the units of `more`, which come after the ones here.
    pub fn merge(&mut self, more: &Self) {
        self.downtime.merge(&more.downtime);
        self.outages.merge(&more.outages);
        self.durations.merge(&more.durations);
        merge_all(&mut self.recoveries, &more.recoveries);
        merge_all(&mut self.by_cause, &more.by_cause);
        merge_all(&mut self.exceeded, &more.exceeded);
        match (&mut self.traffic, &more.traffic) {
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
            (_, None) => {}
        }
    }

    fn histories(&mut self, systems: [&System; 2], pairing: &Pairing, all: [&[History]; 2]) {
        let mut rows: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        let row_of = |side: usize| -> BTreeMap<usize, usize> {
            let of =
                |pair: &(Option<usize>, Option<usize>)| if side == 0 { pair.0 } else { pair.1 };
            let rows = pairing.causes.iter().enumerate();
            rows.filter_map(|(row, pair)| Some((of(pair)?, row)))
                .collect()
        };
        let row_of = [row_of(0), row_of(1)];
        for (base, other) in all[0].iter().zip(all[1]) {
            let outages = |history: &History| (history.outages as f64, 1.0);
            self.downtime
                .push((base.downtime_s(), 1.0), (other.downtime_s(), 1.0));
            self.outages.push(outages(base), outages(other));
            self.durations.push(base.durations, other.durations);
            let sums = base.recoveries.into_iter().zip(other.recoveries);
            for (paired, (base, other)) in self.recoveries.iter_mut().zip(sums) {
                paired.push(base, other);
            }
            rows.clear();
            for &(cause, secs) in &base.by_cause {
                rows.entry(row_of[0][&cause]).or_default().0 = secs;
            }
            for &(cause, secs) in &other.by_cause {
                rows.entry(row_of[1][&cause]).or_default().1 = secs;
            }
            for (&row, &(base, other)) in &rows {
                self.by_cause[row].push((base, 1.0), (other, 1.0));
            }
            for (paired, &(a, b)) in self.exceeded.iter_mut().zip(&pairing.targets) {
                let exceeded = |system: &System, target: usize, history: &History| {
                    if let Metric::StructuralDowntimeExceeds(limit) = system.targets[target].metric
                    {
                        let more = history.downtime_ns > limit.as_nanos();
                        return Some((f64::from(u8::from(more)), 1.0));
                    }
                    let mut rows = history.periods.iter();
                    let row = rows.find(|row| row.0 == target)?;
                    Some((row.1 as f64, row.2 as f64))
                };
                if let (Some(base), Some(other)) = (
                    exceeded(systems[0], a, base),
                    exceeded(systems[1], b, other),
                ) {
                    paired.push(base, other);
                }
            }
        }
        // A replication without downtime of a cause is a unit too.
        let n = all[0].len() as u64;
        for paired in &mut self.by_cause {
            paired.push_plain(n - paired.n);
        }
    }
}

fn merge_all(mine: &mut [Paired], more: &[Paired]) {
    for (mine, more) in mine.iter_mut().zip(more) {
        mine.merge(more);
    }
}

fn pair(base: &Sums, other: &Sums) -> Paired {
    let mut paired = Paired::default();
    paired.push((base.y, base.x), (other.y, other.x));
    paired
}

impl TrafficPairs {
    /// Of one group, folded for each design.
    fn new(systems: [&System; 2], pairing: &Pairing, folds: [&TrafficFold; 2]) -> Self {
        let [base, other] = folds;
        let [a, b] = [&base.outages, &other.outages];
        let per_replication = |y: [f64; 2]| {
            let mut paired = Paired::default();
            let replications = [base.replications as f64, other.replications as f64];
            paired.push((y[0], replications[0]), (y[1], replications[1]));
            paired
        };
        let at = |table: &[Sums], row: Option<usize>| row.map_or(0.0, |row| table[row].y);
        let issued = |fold: &TrafficFold| fold.estimated[0];
        let causes = &pairing.causes;
        Self {
            failed: pair(&base.failed, &other.failed),
            not_full: pair(&base.not_full, &other.not_full),
            downtime: per_replication([a.downtime.y, b.downtime.y]),
            outages: per_replication([a.downtime.x, b.downtime.x]),
            journeys: pairing
                .journeys
                .iter()
                .map(|&(one, two)| pair(&base.journeys[one], &other.journeys[two]))
                .collect(),
            workloads: pairing
                .workloads
                .iter()
                .map(|&(one, two)| pair(&base.workloads[one], &other.workloads[two]))
                .collect(),
            recoveries: pair(
                &base.recoveries.of(None).time,
                &other.recoveries.of(None).time,
            ),
            targets: pairing
                .targets
                .iter()
                .map(|&(one, two)| {
                    let mut paired = Paired::default();
                    if let (Some(one), Some(two)) = (
                        judged(systems[0], base, one),
                        judged(systems[1], other, two),
                    ) {
                        paired.push(one, two);
                    }
                    paired
                })
                .collect(),
            by_cause: causes
                .iter()
                .map(|&(one, two)| {
                    let mut paired = Paired::default();
                    paired.push(
                        (at(&base.by_cause, one), issued(base)),
                        (at(&other.by_cause, two), issued(other)),
                    );
                    paired
                })
                .collect(),
            downtime_by_cause: causes
                .iter()
                .map(|&(one, two)| per_replication([at(&a.by_cause, one), at(&b.by_cause, two)]))
                .collect(),
        }
    }

    fn merge(&mut self, more: &Self) {
        self.failed.merge(&more.failed);
        self.not_full.merge(&more.not_full);
        self.downtime.merge(&more.downtime);
        self.outages.merge(&more.outages);
        merge_all(&mut self.journeys, &more.journeys);
        merge_all(&mut self.workloads, &more.workloads);
        self.recoveries.merge(&more.recoveries);
        merge_all(&mut self.targets, &more.targets);
        merge_all(&mut self.by_cause, &more.by_cause);
        merge_all(&mut self.downtime_by_cause, &more.downtime_by_cause);
    }
}

/// (y, x) of one group for what a target on requests is judged by; `None` for one on structure.
fn judged(system: &System, fold: &TrafficFold, target: usize) -> Option<(f64, f64)> {
    let of = |sums: &Sums| (sums.y, sums.x);
    let replications = fold.replications as f64;
    Some(match system.targets[target].metric {
        Metric::Availability(population) => of(fold.failed_of(population)),
        Metric::FullAvailability => of(&fold.not_full),
        Metric::TimeAvailability | Metric::Downtime => (fold.outages.downtime.y, replications),
        Metric::Outages => (fold.outages.downtime.x, replications),
        Metric::Latency { .. } => of(&fold.late[target]),
        Metric::Recovery {
            quantity: Quantity::Time,
            ..
        } => of(&fold.recoveries.late[target]),
        Metric::DowntimeExceeds(limit) => {
            let more = |nanos: &&u64| **nanos > limit.as_nanos();
            let count = fold.outages.downtimes.iter().filter(more).count();
            (count as f64, replications)
        }
        Metric::Periods(bound) => match bound.measure.source() {
            Source::Requests => {
                let calm = fold.calm(system, bound.measure);
                let calm = if calm.x > 0.0 { calm.y / calm.x } else { 0.0 };
                let parts = fold.periods[target].iter();
                parts.fold((0.0, 0.0), |(missed, all), part| {
                    (missed + part.missed(calm), all + part.periods() as f64)
                })
            }
            Source::Slices => of(&fold.outages.periods[target]),
            Source::Structure => return None,
        },
        Metric::StructuralAvailability
        | Metric::StructuralDowntime
        | Metric::StructuralOutages
        | Metric::StructuralDowntimeExceeds(_)
        | Metric::Recovery { .. }
        | Metric::Queue { .. } => return None,
    })
}

impl<'a> TogetherRunner<'a> {
    /// For `systems` by `plans`, the first of each being the baseline; `pairings[i]` belongs to
    /// system `i + 1`.
    pub fn new(systems: &[&'a System], plans: &'a [Plan], pairings: &'a [Pairing]) -> Self {
        let runners = systems
            .iter()
            .zip(plans)
            .map(|(system, plan)| GroupRunner::with_histories(system, plan))
            .collect();
        Self { runners, pairings }
    }

    /// Tells every design when any of them changes, so that all are simulated request by request over
    /// the union of their windows: what they share is then seen by all and cancels.
    fn share_windows(&mut self, block: u64, group: u64, replications: u64) {
        let plan = self.runners[0].plan;
        if plan.method != Method::Windows {
            return;
        }
        for index in (group..plan.traffic_per_block.min(BLOCK)).step_by(GROUPS as usize) {
            let replication = block * BLOCK + index;
            if replication >= replications {
                break;
            }
            let mut times: Vec<SimTime> = Vec::new();
            for runner in &mut self.runners {
                times.extend(runner.visible_times(replication));
            }
            times.sort_unstable();
            times.dedup();
            for runner in &mut self.runners {
                runner.others.insert(replication, times.clone());
            }
        }
    }

    /// Runs group `group` of block `block` for every design, see [`GroupRunner::run`].
    ///
    /// # Errors
    /// Those of any design, with its index.
    pub fn run(
        &mut self,
        block: u64,
        group: u64,
        replications: u64,
        stop: &dyn Fn() -> bool,
    ) -> Result<TogetherRecord, (usize, GroupError)> {
        let mut designs = Vec::with_capacity(self.runners.len());
        let mut histories = Vec::with_capacity(self.runners.len());
        self.share_windows(block, group, replications);
        for (design, runner) in self.runners.iter_mut().enumerate() {
            let found = runner.run(block, group, replications, stop);
            designs.push(found.map_err(|error| (design, error))?);
            histories.push(runner.take_histories());
        }
        let folds: Vec<Record> = self
            .runners
            .iter()
            .zip(&designs)
            .map(|(runner, record)| {
                let mut fold = Record::new(runner.system);
                fold.push(runner.system, runner.plan, group % GROUPS, record);
                fold
            })
            .collect();
        let pairs = self
            .pairings
            .iter()
            .enumerate()
            .map(|(index, pairing)| {
                let other = index + 1;
                let systems = [self.runners[0].system, self.runners[other].system];
                let mut pairs = PairRecord::new(pairing);
                pairs.histories(systems, pairing, [&histories[0], &histories[other]]);
                if let (Some(base), Some(other)) = (&folds[0].traffic, &folds[other].traffic) {
                    pairs.traffic = Some(TrafficPairs::new(systems, pairing, [base, other]));
                }
                pairs
            })
            .collect();
        Ok(TogetherRecord { designs, pairs })
    }
}
