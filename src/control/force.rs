//! What a branch of a history needs in which faults are forced: the next beginnings of faults are taken
//! out of the agenda, and put where the branch wants them.
//!
//! The law of what follows stays the caller's to correct (`estimate/rare`): nothing here weighs anything.

use super::Control;
use super::care::Stage;
use super::plan::{Delay, Handled, NONE};
use crate::ids::{ClockId, SlotId};
use crate::model::{ClockRuns, Component, Owner, Start};
use crate::random::{Key, Purpose};
use crate::time::{SimSpan, SimTime};

impl Control<'_> {
    /// The clocks whose next beginning may be moved: those that run by the calendar whatever else is
    /// down, grow old at one rate, and have a time to failure with a density. Clocks of campaigns, of
    /// pools with standbys, of links and bursts, operating clocks and such of faults that come and go are
    /// not among them.
    pub fn forceable(&self) -> Vec<ClockId> {
        let stands_by = |component| match component {
            Component::Slot(slot) => match self.system.slots[slot].owner {
                Owner::Pool(pool) => self.system.pools[pool].standby.is_some(),
                Owner::Balancer(_) => false,
            },
            Component::Node(_)
            | Component::Domain(_)
            | Component::Pool(_)
            | Component::Balancer(_)
            | Component::Link(_)
            | Component::Workload(_)
            | Component::Common(_) => false,
        };
        let movable = |&(id, clock): &(ClockId, &crate::model::FaultClock)| {
            let (known, fault) = (&self.plan.clocks[id], &self.system.faults[clock.fault]);
            !known.driven
                && !known.idle
                && fault.runs == ClockRuns::Calendar
                && fault.every.has_density()
                && !self.system.care.flaps.contains_key(&clock.fault)
                && !matches!(clock.component, Component::Link(_) | Component::Workload(_))
                && !stands_by(clock.component)
        };
        let clocks = self.system.clocks.pairs().filter(movable);
        clocks.map(|(id, _)| id).collect()
    }

    /// The slots that the fault of `clock` affects, of a common cause those it may hit.
    pub fn affected(&self, clock: ClockId) -> Vec<SlotId> {
        use crate::ids::Id;
        match self.plan.clocks[clock].handled {
            Handled::Alone | Handled::Case(_) => self.plan.affected.of(clock.index()).to_vec(),
            Handled::Common(row) => {
                let hits = self.plan.care.commons[row as usize].hits.iter();
                let clocks = hits.map(|&case| self.plan.care.cases[case as usize].clock);
                clocks
                    .flat_map(|hit| self.plan.affected.of(hit.index()).to_vec())
                    .collect()
            }
        }
    }

    /// How old the time to the next fault of `clock` is when the history of `replication` begins,
    /// seconds; of no meaning if its fault is active then.
    pub fn first_age(&self, clock: ClockId, seed: u64, replication: u64) -> f64 {
        let known = &self.plan.clocks[clock];
        if self.plan.start == Start::New {
            return 0.0;
        }
        let key = Key::of_seed(seed).with(replication).with_part(known.name);
        let mut draws = key.with(Purpose::Equilibrium as u64).sequence();
        let (_, life, place) = (draws.uniform(), draws.uniform(), draws.uniform());
        match &known.spans[0] {
            Delay::Fixed(span) => span.mul_f64(place).as_secs_f64(),
            Delay::Drawn(dist) => dist.equilibrium(life, place).0,
        }
    }

    /// Whether the next event of `clock` is the beginning of its fault.
    #[inline]
    pub fn awaits_fault(&self, clock: ClockId) -> bool {
        !self.state.clocks[clock].active
    }

    /// Moves the next beginning of the fault of `clock`, which awaits it; with [`SimTime::NEVER`] none
    /// comes.
    pub fn begin_fault_at(&mut self, clock: ClockId, at: SimTime) {
        debug_assert!(
            self.awaits_fault(clock),
            "only what is to begin can be moved"
        );
        match self.plan.clocks[clock].handled {
            Handled::Alone | Handled::Common(_) => self.state.agenda.set_clock(clock, at),
            Handled::Case(case) => self.state.set_due(&self.plan, case, at),
        }
    }

    /// Whether how long the fault of `clock` lasts, or the work on it, was drawn when it began and can be drawn
    /// anew then: not if its repair is made of steps of people.
    pub fn lasts_as_drawn(&self, clock: ClockId) -> bool {
        match self.plan.clocks[clock].handled {
            Handled::Alone => true,
            Handled::Case(case) => self.plan.care.cases[case as usize].people == NONE,
            Handled::Common(_) => false,
        }
    }

    /// The fault of `clock`, which has begun at this instant and [lasts as
    /// drawn](Self::lasts_as_drawn), takes `span`: until it ends by itself, or of work from whenever its crew
    /// comes.
    pub fn last_for(&mut self, clock: ClockId, span: SimSpan) {
        debug_assert!(self.lasts_as_drawn(clock) && !self.awaits_fault(clock));
        let end = self.state.now + span;
        match self.plan.clocks[clock].handled {
            Handled::Case(case) => {
                let now = &mut self.state.care.cases[case as usize];
                let repair = now.steps.len() - 1;
                now.steps[repair] = span;
                if now.stage == Stage::Work(repair) {
                    self.state.set_due(&self.plan, case, end);
                }
            }
            Handled::Alone | Handled::Common(_) => self.state.agenda.set_clock(clock, end),
        }
    }
}
