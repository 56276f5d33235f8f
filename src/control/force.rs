//! What a branch of a history needs in which faults are forced: the next beginnings of faults are taken
//! out of the agenda, and put where the branch wants them.
//!
//! The law of what follows stays the caller's to correct (`estimate/rare`): nothing here weighs anything.

use super::Control;
use super::agenda::Next;
use super::care::Stage;
use super::demand::{Decision, Demand};
use super::lead_plan::Way;
use super::plan::{Delay, Handled, NONE, Timer};
use crate::ids::{CampaignId, ClockId, SlotId};
use crate::model::{ClockRuns, Component, Owner, Start};
use crate::random::{Key, Purpose};
use crate::time::{SimSpan, SimTime};

/// What the next event is, as far as a branch cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The fault of this clock begins, if nothing else is due at the same instant.
    Onset(ClockId),
    /// This campaign begins; of a release it is decided whether it is bad.
    Campaign(CampaignId),
    /// Anything else.
    Other,
}

/// Whether a probability leaves anything to chance.
fn is_open(chance: f64) -> bool {
    chance > 0.0 && chance < 1.0
}

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

    /// What is due next; something is.
    pub fn due_next(&self) -> Due {
        match self.state.agenda.first().1 {
            Next::Clock(clock) if self.awaits_fault(clock) => Due::Onset(clock),
            Next::Timer(timer) => match self.plan.timers[timer as usize] {
                Timer::Campaign(id) if self.state.begins_campaign(id) => Due::Campaign(id),
                _ => Due::Other,
            },
            Next::Clock(_) => Due::Other,
        }
    }

    /// Whether `clock` is that of a common cause that hits each of its parts by chance.
    pub fn hits_by_chance(&self, clock: ClockId) -> bool {
        match self.plan.clocks[clock].handled {
            Handled::Common(row) => is_open(self.plan.care.commons[row as usize].chance),
            Handled::Alone | Handled::Case(_) => false,
        }
    }

    /// Whether chance decides what the fault of `clock` comes to, where it concerns slots that matter: which of
    /// them it hits, or whether their failover or activation works.
    pub fn demands(&self, clock: ClockId, matters: impl Fn(SlotId) -> bool) -> bool {
        let hits_by_chance = self.hits_by_chance(clock);
        self.affected(clock)
            .into_iter()
            .filter(|&slot| matters(slot))
            .any(|slot| hits_by_chance || is_open(self.coverage_at(slot)))
    }

    /// The probability that a failover from `slot` or an activation in its stead works.
    fn coverage_at(&self, slot: SlotId) -> f64 {
        let known = &self.plan.slots[slot];
        if known.standby != NONE {
            return self.plan.standbys[known.standby as usize].coverage;
        }
        if known.lead != NONE
            && let Way::Generic(generic) = &self.plan.leads[known.lead as usize].way
        {
            return generic.coverage;
        }
        1.0
    }

    /// The same for a release: whether it can be bad, and concerns such slots.
    pub fn release_demands(&self, id: CampaignId, matters: impl Fn(SlotId) -> bool) -> bool {
        let release = self.plan.campaigns[id].risky_release();
        release.iter().any(|&slot| matters(slot))
    }

    /// Whether an occurrence of this campaign has begun and is not over.
    pub fn is_under_way(&self, id: CampaignId) -> bool {
        self.state.is_under_way(id)
    }

    /// From now on numbers from the sequence of `key` decide what is demanded, and not those of whoever asks.
    pub fn decide_by(&mut self, key: Key) {
        self.state.demands.branch(key);
    }

    /// How the demands of the next step are decided.
    pub fn demand(&mut self, how: Demand) {
        self.state.demands.set(how);
    }

    /// What was decided since the last [`Self::demand`], if it was to be written down.
    pub fn decisions(&self) -> &[Decision] {
        self.state.demands.decisions()
    }
}
