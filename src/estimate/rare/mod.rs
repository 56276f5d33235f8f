//! Structural figures of systems that are seldom down: outages are forced, and weighed.
//!
//! A history is cut into *episodes*: the longest stretches in which a slot that matters cannot serve, or
//! the system is down, or a release that may be bad rolls out. Outside of episodes nothing is down. The
//! history itself (the backbone) is never changed. From the state in which an episode begins a *branch* is
//! simulated until everything is well again, in which faults come sooner than they would, with a weight
//! that is the true law's density over the one drawn from; it stands for what the rest of the episode
//! could have been. By the tower rule the expected downtime, outages and causes of a history are those of
//! its branches (Nicola, Shahabuddin, Heidelberger and Glynn 1993), and weights never multiply beyond one
//! episode.
//!
//! **Forcing an interval.** In a branch the next beginnings of faults are unknown, only the ages of what
//! runs. Let the next event that is no such beginning be due at `te`. With probability 1/2 one fault is
//! forced to begin before that: one that brings the system nearer to an outage with probability 0.8, or
//! any; its instant is drawn from its own law given its age and that it comes before `te`. Else none
//! begins before `te`. Durations are drawn with a heavier tail (`tail.rs`). As soon as the system is down
//! nothing is biased any more, and what runs gets the rest of its life, drawn anew given its age. What is
//! decided by chance when it is demanded, such as whether a failover works, is made likelier (`demands.rs`).
//!
//! **Figures of a year.** The probability of any outage, or of more downtime than a limit, is a sum over
//! the episodes before which the backbone had no outage: a branch that meets one goes on by its own law
//! to the end of the horizon, and its downtime counts with its weight.
//!
//! An episode has a branch with probability `share`, and counts that much more; one that begins with a
//! fault that takes several slots always has one. Faults of which hardly any history has one are injected
//! (`initiators.rs`).

mod branch;
#[cfg(test)]
mod demand_tests;
mod demands;
mod diagnosis;
#[cfg(test)]
mod initiator_tests;
mod initiators;
mod lost;
mod record;
mod relevance;
mod tail;
#[cfg(test)]
mod tests;
mod weighted;

pub use diagnosis::Diagnosis;
pub use lost::LostRecord;
pub use record::{ForcedRecord, Weights};
pub(super) use weighted::Weighted;

use super::plan::Plan;
use super::structure::{StructureRecord, StructureTally};
use crate::control::{Control, Detail};
use crate::ids::{ClockId, IdVec};
use crate::model::{Metric, System};
use crate::path::{Event, Signal};
use crate::random::{Dist, Key, Purpose, Stream};
use crate::time::{SimSpan, SimTime};
use demands::Demanding;
use initiators::Initiators;
use relevance::Relevance;
use std::ops::Range;

/// How outages are forced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forcing {
    /// The share of episodes that have a branch, at most 1; at 0 nothing is found.
    pub share: f64,
}

/// The event that begins an episode, and the row of the clock whose fault it is, if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// It has happened.
    Past(Option<u32>),
    /// It is due, and what it demands is decided by the branch.
    Due(Option<u32>),
}

/// How a branch starts.
#[derive(Clone, Copy, Debug)]
struct Start {
    first: First,
    /// One over the weight that it starts with: the share of such episodes that have a branch.
    share: f64,
    /// Whether it begins with a fault that was injected.
    is_injected: bool,
    /// Whether its history has had no outage before.
    is_clean: bool,
}

/// A fault that is to be injected into a history.
#[derive(Clone, Debug)]
struct Injection {
    at: SimTime,
    row: u32,
    /// How likely its clock was chosen.
    chance: f64,
    key: Key,
    stream: Stream,
}

/// Clocks that a branch looks at in the time of one event.
const LOOKED: u64 = 16;

/// A clock whose faults can be forced.
#[derive(Clone, Debug)]
struct Forced {
    clock: ClockId,
    every: Dist,
    /// Its hazard, if that is the same at every age.
    hazard: Option<f64>,
    /// How long its fault lasts, if that can be drawn anew.
    lasts: Option<Dist>,
}

/// Runs replications with forced outages, one after the other.
#[derive(Debug)]
pub struct Forcer<'a> {
    system: &'a System,
    seed: u64,
    from: SimTime,
    to: SimTime,
    share: f64,
    relevance: Relevance,
    clocks: Vec<Forced>,
    /// The row of each clock in `clocks`.
    rows: IdVec<ClockId, Option<u32>>,
    /// Since when each of them has waited for its fault, seconds on the clock of the simulation.
    since: Vec<f64>,
    /// Of branches.
    tally: StructureTally,
    /// The histories themselves, and what they say: recoveries and periods are read off them.
    backbone: StructureTally,
    plain: StructureRecord,
    sums: Weighted,
    /// Weight of any outage in this replication.
    any: f64,
    /// Weight of more downtime than each target allows.
    exceeds: Vec<f64>,
    limits: Vec<Option<SimSpan>>,
    signals: Vec<Signal>,
    branch: branch::Scratch,
    demanding: Demanding,
    initiators: Initiators,
}

/// Runs replications with nothing but their structure, for whoever decides whether outages are forced.
#[derive(Debug)]
pub struct Trial<'a> {
    system: &'a System,
    control: Control<'a>,
    forcer: Forcer<'a>,
}

impl<'a> Trial<'a> {
    /// For replications of `system` by `plan`; with a share of 0 only the histories themselves are followed.
    pub fn new(system: &'a System, plan: &Plan, forcing: Forcing) -> Self {
        let control = Control::with_lead(system, Detail::Structure, plan.lead);
        let forcer = Forcer::new(system, plan, forcing, &control);
        Self {
            system,
            control,
            forcer,
        }
    }

    /// What so many replications find; `None` if there is nothing that can be forced.
    pub fn run(&mut self, replications: Range<u64>) -> Option<StructureRecord> {
        if self.forcer.clocks.is_empty() {
            return None;
        }
        let mut record = StructureRecord::new(self.system);
        for replication in replications {
            self.forcer
                .replication(&mut self.control, replication, &mut record);
        }
        self.forcer.finish(&mut record);
        Some(record)
    }
}

fn secs(at: SimTime) -> f64 {
    at.as_nanos() as f64 * 1e-9
}

impl<'a> Forcer<'a> {
    /// For replications of `system` by `plan`, which are run with `control`.
    pub fn new(system: &'a System, plan: &Plan, forcing: Forcing, control: &Control<'a>) -> Self {
        let (relevance, clocks) = Relevance::new(system, control);
        let demanding = Demanding::new(system, control, |slot| relevance.matters(system, slot));
        let mut rows = IdVec::filled(None, system.clocks.len());
        for (row, &clock) in clocks.iter().enumerate() {
            rows[clock] = Some(row as u32);
        }
        let clocks: Vec<Forced> = clocks
            .into_iter()
            .map(|clock| {
                let fault = &system.faults[system.clocks[clock].fault];
                let redrawn = control.lasts_as_drawn(clock) && !fault.lasts.is_constant();
                Forced {
                    clock,
                    every: fault.every.clone(),
                    hazard: fault.every.constant_hazard(),
                    lasts: redrawn.then(|| fault.lasts.clone()),
                }
            })
            .collect();
        let span_s = plan.to.since(plan.from).as_secs_f64();
        let initiators = Initiators::new(system, &clocks, &relevance, span_s);
        let limit = |target: &crate::model::Target| match target.metric {
            Metric::StructuralDowntimeExceeds(limit) => Some(limit),
            _ => None,
        };
        Self {
            system,
            seed: plan.seed,
            from: plan.from,
            to: plan.to,
            share: forcing.share,
            since: vec![0.0; clocks.len()],
            branch: branch::Scratch::new(clocks.len()),
            relevance,
            clocks,
            rows,
            demanding,
            initiators,
            tally: StructureTally::new(system, plan.from, plan.to),
            backbone: StructureTally::new(system, plan.from, plan.to),
            plain: StructureRecord::new(system),
            sums: Weighted::new(system),
            any: 0.0,
            exceeds: vec![0.0; system.targets.len()],
            limits: system.targets.iter().map(limit).collect(),
            signals: Vec::new(),
        }
    }

    /// Runs one replication and adds what its branches found to `record`.
    pub fn replication(
        &mut self,
        control: &mut Control<'a>,
        replication: u64,
        record: &mut StructureRecord,
    ) {
        control.restart(self.seed, replication);
        let begins = secs(control.begins());
        for (since, forced) in self.since.iter_mut().zip(&self.clocks) {
            *since = begins - control.first_age(forced.clock, self.seed, replication);
        }
        let base = Key::of_seed(self.seed)
            .with(replication)
            .with(Purpose::Forcing as u64);
        let mut forced = record
            .forced
            .take()
            .unwrap_or_else(|| Box::new(ForcedRecord::new(self.system)));
        while control.next_time() < self.from {
            self.step(control, record);
        }
        self.backbone.begin(control);
        let mut episodes = 0_u64;
        // Outages of the backbone before the episode that is going on, and all of them.
        let (mut before, mut outages) = (0, 0);
        let mut up = control.structure().system_up();
        let mut well = self.is_well(control);
        if !well {
            self.tally.begin(control);
            let first = First::Past(None);
            self.episode(control, base.with(0), first, true, record, &mut forced);
            before = u64::from(!up);
            outages = before;
        }
        let mut injection = self.injection(base);
        while control.next_time() < self.to {
            if let Some(due) = injection.take_if(|due| due.at < control.next_time())
                && well
            {
                self.inject(control, due, before == 0, record, &mut forced);
            }
            let demanding = if well {
                self.demanding.next(control)
            } else {
                None
            };
            if let Some(clock) = demanding {
                episodes += 1;
                let first = First::Due(clock.and_then(|clock| self.rows[clock]));
                let is_clean = before == 0;
                let key = base.with(episodes);
                self.episode(control, key, first, is_clean, record, &mut forced);
            }
            let (at, initiator) = self.step(control, record);
            self.backbone.observe(at, control, &mut self.plain);
            let now_up = control.structure().system_up();
            outages += u64::from(up && !now_up);
            up = now_up;
            let now_well = self.is_well(control);
            if well && !now_well && demanding.is_none() {
                episodes += 1;
                self.tally.begin_up(at);
                self.tally.observe_part(at, control);
                let is_clean = before == 0;
                let (first, key) = (First::Past(initiator), base.with(episodes));
                self.episode(control, key, first, is_clean, record, &mut forced);
            } else if !well && now_well {
                before = outages;
            }
            well = now_well;
        }
        if let Some(due) = injection
            && well
        {
            self.inject(control, due, before == 0, record, &mut forced);
        }
        self.backbone.end(control, &mut self.plain);
        let history = self.backbone.ended();
        forced
            .natural
            .push(history.downtime_s(), history.outages as f64);
        let (downtime, outages) = self.sums.system;
        forced.halves[(replication % 2) as usize].push(downtime, outages);
        forced.any.push(std::mem::take(&mut self.any), 0.0);
        for (sums, weight) in forced.exceeds.iter_mut().zip(&mut self.exceeds) {
            sums.push(std::mem::take(weight), 0.0);
        }
        record.forced = Some(forced);
        self.sums
            .push(self.to.since(self.from).as_secs_f64(), record);
    }

    /// Adds to `record` what the histories themselves say, of all replications since the last call.
    pub fn finish(&mut self, record: &mut StructureRecord) {
        let plain = std::mem::replace(&mut self.plain, StructureRecord::new(self.system));
        record.up_at_end += plain.up_at_end;
        record.recoveries.merge(&plain.recoveries);
        for (mine, theirs) in record.periods.iter_mut().zip(&plain.periods) {
            mine.merge(theirs);
        }
    }

    /// One event of the backbone: when, and which clock that can be forced it began.
    fn step(
        &mut self,
        control: &mut Control<'a>,
        record: &mut StructureRecord,
    ) -> (SimTime, Option<u32>) {
        self.signals.clear();
        let transition = control.step(&mut self.signals);
        record.transitions += 1;
        let mut initiator = None;
        match transition.event {
            Event::FaultEnds(clock) => {
                if let Some(row) = self.rows[clock] {
                    self.since[row as usize] = secs(transition.at);
                }
            }
            Event::FaultBegins(clock) => {
                initiator = self.rows[clock];
                // A common cause is over at once, and waits for the next time.
                if let Some(row) = initiator
                    && control.awaits_fault(clock)
                {
                    self.since[row as usize] = secs(transition.at);
                }
            }
            _ => {}
        }
        (transition.at, initiator)
    }

    /// Whether everything that matters can serve.
    fn is_well(&self, control: &Control<'_>) -> bool {
        control.structure().system_up()
            && self.relevance.all_well(control)
            && !self.demanding.is_releasing(control)
    }

    /// The branch of an episode that has begun in the state of `control`, or that its next event may begin.
    fn episode(
        &mut self,
        control: &Control<'a>,
        key: Key,
        first: First,
        is_clean: bool,
        record: &mut StructureRecord,
        forced: &mut ForcedRecord,
    ) {
        let mut stream = key.stream();
        let (First::Past(initiator) | First::Due(initiator)) = first;
        if self.initiators.has(initiator) {
            return;
        }
        // Faults that take several slots at once are seldom, and matter.
        let takes_many = initiator.is_some_and(|row| self.relevance.takes(row as usize) > 1);
        let share = if takes_many && self.share > 0.0 {
            1.0
        } else {
            self.share
        };
        if share < 1.0 && stream.uniform() >= share {
            return;
        }
        let start = Start {
            first,
            share,
            is_injected: false,
            is_clean,
        };
        let mut control = control.clone();
        control.decide_by(key.with(0));
        self.run_branch(&mut control, &mut stream, start, record, forced);
    }

    fn run_branch(
        &mut self,
        control: &mut Control<'a>,
        stream: &mut Stream,
        start: Start,
        record: &mut StructureRecord,
        forced: &mut ForcedRecord,
    ) {
        let looked = self.branch.looked;
        let steps = self.branch(control, stream, start, forced);
        record.transitions += steps;
        forced.effort += steps + (self.branch.looked - looked) / LOOKED;
    }

    /// What is injected into the history whose branches have the key `base`.
    fn injection(&self, base: Key) -> Option<Injection> {
        if self.share == 0.0 {
            return None;
        }
        let key = base.with(u64::MAX);
        let mut stream = key.stream();
        let (row, chance) = self.initiators.choose(&mut stream)?;
        let span = self.to.since(self.from);
        Some(Injection {
            at: self.from + span.mul_f64(stream.uniform()),
            row,
            chance,
            key,
            stream,
        })
    }

    /// Injects a fault into a history that is well, if its clock waits for it.
    fn inject(
        &mut self,
        control: &Control<'a>,
        injection: Injection,
        is_clean: bool,
        record: &mut StructureRecord,
        forced: &mut ForcedRecord,
    ) {
        let Injection {
            at,
            row,
            chance,
            key,
            mut stream,
        } = injection;
        let one = &self.clocks[row as usize];
        if !control.awaits_fault(one.clock) {
            return;
        }
        let age = (secs(at) - self.since[row as usize]).max(0.0);
        let hazard = one.every.hazard(age).unwrap_or(0.0);
        let expected = hazard * self.to.since(self.from).as_secs_f64();
        if expected <= 0.0 {
            return;
        }
        let mut control = control.clone();
        control.decide_by(key.with(0));
        control.begin_fault_at(one.clock, at);
        let start = Start {
            first: First::Due(Some(row)),
            share: chance / expected,
            is_injected: true,
            is_clean,
        };
        self.run_branch(&mut control, &mut stream, start, record, forced);
    }
}
