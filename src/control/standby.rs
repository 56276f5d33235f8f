//! Pools in which some slots stand by for others.
//!
//! The slots of such a pool have roles: so many are active, the rest stand by. While an active one
//! does not serve, a standby that could (its process runs and users reach it) is activated in its
//! stead, which takes a drawn time; then they exchange their roles. An active one that is back before
//! that keeps its role, and the activation is called off. One that is repaired after it lost its role
//! stands by. Who was chosen and stops is replaced by another, with a time of its own.
//!
//! With imperfect coverage an activation fails with a probability, from its beginning: nobody learns of
//! it but by what cannot be served, and a person activates the slot.
//!
//! A standby grows old at a rate of its own, or not at all; while it is activated, as if it worked.

use super::blame::{After, Condition};
use super::care_plan::Notice;
use super::plan::{Delay, NONE, Plan, SlotPlan, Timer};
use super::state::State;
use crate::ids::{ClockId, IdVec, SlotId};
use crate::model::System;
use crate::path::{Event, Signal, SlotState};
use crate::random::{Key, Part, Purpose, Sequence, name_hash};
use crate::time::SimSpan;

/// A pool with standbys.
#[derive(Clone, Debug)]
pub(super) struct StandbyPlan {
    pub(super) slots: Vec<SlotId>,
    active: usize,
    rate: f64,
    activates: Delay,
    /// The probability that an activation works, and how long a person needs if it does not.
    pub(super) coverage: f64,
    rescue: Notice,
    name: Part,
    /// Whose failures count against whom.
    unit: u32,
    /// The timer of the activation of the first slot; the others follow.
    first_timer: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Active,
    StandsBy,
    Activating,
}

/// One slot of it.
#[derive(Clone, Debug)]
struct Member {
    role: Role,
    condition: Condition,
}

/// The roles in a pool.
#[derive(Clone, Debug)]
pub(super) struct StandbyNow {
    parts: Vec<Member>,
    draws: Sequence,
    /// Whether activations work, and what people need.
    rescues: Sequence,
    /// The fault clock behind the last loss.
    root: Option<ClockId>,
}

/// The pools of `system` with standbys.
pub(super) fn standbys(
    system: &System,
    timers: &mut Vec<Timer>,
    slots: &mut IdVec<SlotId, SlotPlan>,
) -> Vec<StandbyPlan> {
    let mut plans = Vec::new();
    for pool in &system.pools {
        let Some(standby) = &pool.standby else {
            continue;
        };
        let row = plans.len() as u32;
        let first_timer = timers.len() as u32;
        for &slot in &pool.slots {
            slots[slot].standby = row;
            timers.push(Timer::Activation(row));
        }
        plans.push(StandbyPlan {
            slots: pool.slots.clone(),
            active: pool.active(),
            rate: standby.rate,
            activates: Delay::of(&standby.activates_in),
            coverage: standby.coverage,
            rescue: standby
                .rescue
                .as_ref()
                .map_or(Notice::By(Delay::Fixed(SimSpan::ZERO)), Notice::of),
            name: Part::new(name_hash(&pool.name)),
            unit: slots[pool.slots[0]].unit,
            first_timer,
        });
    }
    plans
}

impl StandbyNow {
    pub(super) fn new(known: &StandbyPlan) -> Self {
        let part = Member {
            role: Role::Active,
            condition: None,
        };
        Self {
            parts: vec![part; known.slots.len()],
            draws: Key::of_seed(0).sequence(),
            rescues: Key::of_seed(0).sequence(),
            root: None,
        }
    }
}

impl State {
    /// The first slots of each pool are active, the rest stands by.
    pub(super) fn first_roles(&mut self, plan: &Plan, base: Key) {
        for (row, known) in plan.standbys.iter().enumerate() {
            self.standbys[row].draws = base
                .with_part(known.name)
                .with(Purpose::Activation as u64)
                .sequence();
            self.standbys[row].rescues = base
                .with_part(known.name)
                .with(Purpose::Coverage as u64)
                .sequence();
            self.standbys[row].root = None;
            for (member, &slot) in known.slots.iter().enumerate() {
                let stands_by = member >= known.active;
                let part = &mut self.standbys[row].parts[member];
                part.condition = None;
                part.role = if stands_by {
                    Role::StandsBy
                } else {
                    Role::Active
                };
                self.slots[slot].stands_by = stands_by;
                if stands_by {
                    self.regime.slots[slot] = SlotState::Standby;
                    self.structure.set_slot(&plan.structure, slot, false);
                    self.set_rate(plan, slot, known.rate);
                }
            }
        }
    }

    /// Tells the pools with standbys of the slots that changed; roles that move at once make more of
    /// them.
    pub(super) fn tell_standbys(
        &mut self,
        plan: &Plan,
        cause: Option<ClockId>,
        signals: &mut Vec<Signal>,
    ) {
        for index in 0..self.changed.len() {
            let row = plan.slots[self.changed[index]].standby;
            if row != NONE {
                self.assign(plan, row as usize, cause, signals);
            }
        }
    }

    /// Whether a slot that is in `state` could be reached by users.
    fn is_in(&self, slot: SlotId, state: SlotState) -> bool {
        self.regime.slots[slot] == state && self.regime.islands[slot].is_none()
    }

    /// Begins and calls off activations.
    fn assign(
        &mut self,
        plan: &Plan,
        row: usize,
        cause: Option<ClockId>,
        signals: &mut Vec<Signal>,
    ) {
        let known = &plan.standbys[row];
        let role = |state: &Self, member: usize| state.standbys[row].parts[member].role;
        for (member, &slot) in known.slots.iter().enumerate() {
            if role(self, member) == Role::Activating && !self.is_in(slot, SlotState::Standby) {
                self.call_off(plan, row, member);
            }
        }
        let members = 0..known.slots.len();
        let working = members.clone().filter(|&member| {
            role(self, member) == Role::Active
                && self.is_in(known.slots[member], SlotState::Serving)
        });
        let missing = known.active.saturating_sub(working.count());
        let mut activating = members
            .clone()
            .filter(|&member| role(self, member) == Role::Activating)
            .count();
        for member in members.clone().rev() {
            if activating > missing && role(self, member) == Role::Activating {
                self.call_off(plan, row, member);
                activating -= 1;
            }
        }
        for member in members {
            let slot = known.slots[member];
            if activating < missing
                && role(self, member) == Role::StandsBy
                && self.is_in(slot, SlotState::Standby)
            {
                activating += 1;
                self.standbys[row].root = cause.or(self.standbys[row].root);
                self.set_rate(plan, slot, 1.0);
                let now = &mut self.standbys[row];
                now.parts[member].role = Role::Activating;
                let mut takes = known.activates.draw(&mut now.draws);
                let works = known.coverage >= 1.0
                    || !self.demands.fails(known.coverage, now.rescues.uniform());
                if !works {
                    takes = known.rescue.draw(plan, self.now, &mut now.rescues);
                    self.remark(plan, Event::ActivationFails(slot));
                }
                let now = &mut self.standbys[row];
                if takes.is_zero() {
                    self.activate(plan, row, member, signals);
                    self.remark(plan, Event::Activated(slot));
                    return self.assign(plan, row, cause, signals);
                }
                let next = now.root.map(|clock| (clock, After::Unpromoted));
                let condition = &mut now.parts[member].condition;
                self.blames
                    .change(&plan.audiences, known.unit, condition, next);
                self.agenda
                    .set(known.first_timer + member as u32, self.now + takes);
                if works {
                    self.remark(plan, Event::Activating(slot));
                }
            }
        }
    }

    /// An activation ends without a change of roles.
    fn call_off(&mut self, plan: &Plan, row: usize, member: usize) {
        let known = &plan.standbys[row];
        let part = &mut self.standbys[row].parts[member];
        part.role = Role::StandsBy;
        self.blames
            .change(&plan.audiences, known.unit, &mut part.condition, None);
        self.agenda.cancel(known.first_timer + member as u32);
        self.set_rate(plan, known.slots[member], known.rate);
    }

    /// An activation is over: the slot serves, and one that does not stands by in its stead.
    fn activate(&mut self, plan: &Plan, row: usize, member: usize, signals: &mut Vec<Signal>) {
        let known = &plan.standbys[row];
        let cause = self.standbys[row].root;
        let lost = (0..known.slots.len()).find(|&other| {
            self.standbys[row].parts[other].role == Role::Active
                && !self.is_in(known.slots[other], SlotState::Serving)
        });
        let part = &mut self.standbys[row].parts[member];
        part.role = Role::Active;
        self.blames
            .change(&plan.audiences, known.unit, &mut part.condition, None);
        self.agenda.cancel(known.first_timer + member as u32);
        self.change_role(known.slots[member], false, cause, signals);
        if let Some(lost) = lost {
            self.standbys[row].parts[lost].role = Role::StandsBy;
            self.change_role(known.slots[lost], true, cause, signals);
            self.set_rate(plan, known.slots[lost], known.rate);
        }
    }

    fn change_role(
        &mut self,
        slot: SlotId,
        stands_by: bool,
        cause: Option<ClockId>,
        signals: &mut Vec<Signal>,
    ) {
        self.slots[slot].stands_by = stands_by;
        self.find_state(slot, cause, signals);
    }

    /// The activation of a slot is due.
    pub(super) fn end_activation(
        &mut self,
        plan: &Plan,
        row: u32,
        timer: u32,
        signals: &mut Vec<Signal>,
    ) -> (Event, Option<ClockId>) {
        let known = &plan.standbys[row as usize];
        let member = (timer - known.first_timer) as usize;
        let cause = self.standbys[row as usize].root;
        self.activate(plan, row as usize, member, signals);
        self.spread(plan, cause, signals);
        (Event::Activated(known.slots[member]), cause)
    }
}
