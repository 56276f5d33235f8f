//! The slow clock: faults, repairs and everything decided about them, over a whole history.
//!
//! [`Control`] is a stepper over the control state of one replication. It knows when its next event is
//! due, carries it out, and reports what traffic can see of it as [`Signal`]s. It can be cloned with
//! the ages of its clocks, and a clone goes on exactly as the original would.
//!
//! **Faults.** Each fault clock is an alternating renewal process of its own: `every` from the end of
//! one fault to the start of the next, `lasts` from its start to its end, one uniform for each, from
//! streams keyed by the clock's name. Clocks run on whatever else is down, and no clock knows another,
//! unless the file has them run only while their component does (`operate.rs`).
//! A steady history begins with each clock in equilibrium (down with probability E lasts / (E every +
//! E lasts), age and rest by the equilibrium law) and a burn-in for what is derived from them; a new
//! one with everything up.
//!
//! **Slots.** A slot runs unless its own crash, a fault of its node or a loss of power in a domain
//! around it is active, or it is still starting; it starts when the last of these ends, and anew if
//! another comes meanwhile. Its process gone on a live machine, it refuses; its machine gone, it is
//! silent. A slot that hangs, or whose node does, is restarted when that ends: it starts like one that
//! had crashed. Where the file says who restarts it, that takes as long
//! as pauses and failed starts do (`restart.rs`). One that is paused goes on where it was; so does a start that the pause interrupted.
//! The gravest of several reasons decides (`stops.rs`). Slow slots and such that answer with errors
//! run. Its island is the innermost isolated domain around it; slots reach each other when their
//! islands are equal, and users are on no island.
//!
//! **Followers.** Probes ([`crate::health::Watch`]), addresses ([`crate::failover::Group`]) and leases
//! ([`crate::failover::Lease`]) are told when a slot changes and answer when they will next do
//! something; none of them ticks. An instance of a balancer that starts believes every member up and
//! draws new phases; one that was paused goes on with what it believed. A probe that meets an error
//! fails by its own chance, drawn from the stream of its instance and member. A member is available
//! to a lease, or to any other failover or election, if it runs, neither hung nor paused, and users
//! reach it. VRRP is a process of its own
//! beside the balancer: it goes on while the balancer hangs or is paused, so the address stays, and
//! stops with the machine. A store without failover is always led by its first member.
//!
//! **Structure and blame.** [`StructureState`] says what could be served; blame says whom it is
//! attributed to when it cannot, or when it could and a fault is still being worked off (`blame.rs`).
//!
//! An event is due at an instant; several due at one are carried out faults first, then starts,
//! verdicts, addresses, leases, each in the order of the model.

mod agenda;
mod audience;
mod blame;
mod burn_in;
mod campaign;
mod care;
mod care_plan;
mod crew;
mod demand;
mod effect;
mod flap;
mod follow;
mod force;
mod hear;
mod heats;
mod lead;
mod lead_plan;
mod lease_plan;
mod lists;
mod network;
mod operate;
mod plan;
mod recover;
mod restart;
mod standby;
mod state;
mod step;
mod stops;
mod tournament;

use crate::ids::SlotId;
use crate::model::structure::StructureState;
use crate::model::{Start, System};
use crate::path::{Event, ProbeNews, Recovery, Regime, Signal, Transition};
use crate::time::{SimSpan, SimTime};
pub use demand::{Decision, Demand};
pub use force::Due;
use plan::Plan;
use state::State;
use std::sync::Arc;

/// How much of the control state is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What the structure function needs: faults, starts, and leases of stores with an operation that
    /// needs the leader. Only the system's outages are attributed ([`StructureState::blame`]); the
    /// blames of single journeys, which only traffic asks for, stay `None`.
    Structure,
    /// Everything: also probes, addresses and all leases.
    Full,
}

/// The control state of one replication, in motion. See the module's page.
#[derive(Clone, Debug)]
pub struct Control<'a> {
    system: &'a System,
    plan: Arc<Plan>,
    state: State,
}

impl<'a> Control<'a> {
    /// Prepares histories of `system`; everything is allocated here. The history in it is replication
    /// 0 of the scenario's seed.
    pub fn new(system: &'a System, detail: Detail) -> Self {
        Self::with_lead(system, detail, SimSpan::ZERO)
    }

    /// The same with a burn-in of at least `lead` where histories are steady: several designs that
    /// begin at one instant keep what they have in common at the same instants.
    pub fn with_lead(system: &'a System, detail: Detail, lead: SimSpan) -> Self {
        let mut plan = Plan::new(system, detail);
        if system.run.start == Start::Steady {
            plan.begins = plan.begins.min(SimTime::START.before(lead));
        }
        let plan = Arc::new(plan);
        let state = State::new(system, &plan);
        let mut control = Self {
            system,
            plan,
            state,
        };
        control.restart(system.run.seed, 0);
        control
    }

    /// Begins the history of `replication` at [`Control::begins`].
    pub fn restart(&mut self, seed: u64, replication: u64) {
        self.state.restart(&self.plan, seed, replication);
    }

    /// The first instant of every history: the start of the horizon, or earlier by the burn-in.
    pub fn begins(&self) -> SimTime {
        self.plan.begins
    }

    /// When the next event is due; [`SimTime::NEVER`] if nothing is pending.
    #[inline]
    pub fn next_time(&self) -> SimTime {
        self.state.agenda.next_time()
    }

    /// When the last event was carried out; [`Control::begins`] before the first.
    pub fn now(&self) -> SimTime {
        self.state.now
    }

    /// Carries out the next event and appends what traffic can see of it to `signals`. Between two
    /// steps the regime is constant.
    ///
    /// # Panics
    /// In debug builds, if nothing is pending.
    pub fn step(&mut self, signals: &mut Vec<Signal>) -> Transition {
        self.state.step(&self.plan, signals)
    }

    /// What happened in the last step beside its event: who waits for a crew, whose repair begins,
    /// which faults a common cause started. Only with [`Detail::Full`].
    pub fn remarks(&self) -> &[Event] {
        &self.state.remarks
    }

    /// The stores that got a leader again in the last step.
    #[inline]
    pub fn recoveries(&self) -> &[Recovery] {
        &self.state.recoveries
    }

    /// Takes in what traffic has to tell of a probe that workers answer, and appends what it changes to
    /// `signals`. It comes after all events before `news.at`, and before those at it.
    pub fn hear(&mut self, news: ProbeNews, signals: &mut Vec<Signal>) {
        self.state.hear(&self.plan, news, signals);
    }

    /// When an instance of a balancer starts its next probe of member `member` of its pool, or has started
    /// one on the same grid; `None` while it does not probe.
    pub fn probe_start(&self, instance: SlotId, member: u32) -> Option<SimTime> {
        self.state.probe_start(&self.plan, instance, member)
    }

    /// Whether at `at`, not before now, all members that are well pass the probes that their workers answer, and
    /// have done so for long enough that nothing is left of those that were late.
    pub fn probes_are_calm(&self, at: SimTime) -> bool {
        self.state.probes_are_calm(&self.plan, at)
    }

    /// What traffic sees now: the regime the history began with and every signal since.
    pub fn regime(&self) -> &Regime {
        &self.state.regime
    }

    /// What could be served now, and whom an outage is attributed to.
    pub fn structure(&self) -> &StructureState {
        &self.state.structure
    }

    /// The system whose histories these are.
    pub fn system(&self) -> &'a System {
        self.system
    }
}

#[cfg(test)]
mod tests;
