//! Faults that come and go while they last: their effect is on and off in turn, beginning with on.
//!
//! The fault remains one: its clock, its case and its blame know nothing of the turns; what follows
//! the slots (starts, probes, addresses, leases) sees each of them. The spans of the turns come from
//! streams of the clock's own, and a fault that ends takes its effect away, whichever turn it is in.
//!
//! A steady history begins with a fault in progress in the middle of a turn, as an alternating renewal
//! process in equilibrium; the burn-in forgets that a young fault is more often on.

use super::plan::{Delay, NONE, Plan, Timer};
use super::state::State;
use crate::ids::ClockId;
use crate::model::System;
use crate::path::{Event, Signal};
use crate::random::{Key, Purpose, Sequence};

/// One fault clock whose effect comes and goes.
#[derive(Clone, Debug)]
pub(super) struct FlapPlan {
    clock: ClockId,
    timer: u32,
    /// How long the effect is on, and how long off.
    spans: [Delay; 2],
    /// The share of a long fault in which it is on.
    on_share: f64,
}

/// Where it stands.
#[derive(Clone, Debug)]
pub(super) struct FlapNow {
    /// Whether the fault is active and has its effect.
    pub(super) on: bool,
    /// Whom the fault is attributed to.
    by: ClockId,
    draws: [Sequence; 2],
}

impl FlapNow {
    pub(super) fn new(known: &FlapPlan) -> Self {
        let idle = Key::of_seed(0).sequence();
        Self {
            on: false,
            by: known.clock,
            draws: [idle.clone(), idle],
        }
    }
}

/// All clocks with turns, and the row of each clock among them; appends their timers.
pub(super) fn flaps(system: &System, timers: &mut Vec<Timer>) -> (Vec<FlapPlan>, Vec<u32>) {
    let (mut plans, mut of_clock) = (Vec::new(), vec![NONE; system.clocks.len()]);
    for (row_of, (clock, known)) in of_clock.iter_mut().zip(system.clocks.pairs()) {
        let Some(flaps) = system.care.flaps.get(&known.fault) else {
            continue;
        };
        let row = plans.len() as u32;
        *row_of = row;
        let (down, up) = (flaps.down.mean(), flaps.up.mean());
        plans.push(FlapPlan {
            clock,
            timer: timers.len() as u32,
            spans: [Delay::of(&flaps.down), Delay::of(&flaps.up)],
            on_share: down / (down + up),
        });
        timers.push(Timer::Flap(row));
    }
    (plans, of_clock)
}

impl State {
    /// Nothing flaps, and the turns to come have their streams.
    pub(super) fn start_flaps(&mut self, plan: &Plan, base: Key) {
        for (now, known) in self.flaps.iter_mut().zip(&plan.flaps) {
            let key = base.with_part(plan.clocks[known.clock].name);
            let key = key.with(Purpose::Turns as u64);
            (now.on, now.by) = (false, known.clock);
            now.draws = [0, 1].map(|turn| key.with(turn).sequence());
        }
    }

    /// What the fault of `clock` does that is active when a history begins.
    pub(super) fn resume_effect(
        &mut self,
        plan: &Plan,
        clock: ClockId,
        base: Key,
        signals: &mut Vec<Signal>,
    ) {
        let row = plan.clocks[clock].flap;
        if row == NONE {
            self.apply(plan, clock, clock, true, signals);
            return;
        }
        let known = &plan.flaps[row as usize];
        let key = base.with_part(plan.clocks[clock].name);
        let mut draws = key.with(Purpose::Turns as u64).with(2).sequence();
        let (which, life, place) = (draws.uniform(), draws.uniform(), draws.uniform());
        let on = which < known.on_share;
        let rest = known.spans[usize::from(!on)].equilibrium(life, place).1;
        self.agenda.set(known.timer, self.now + rest);
        self.flaps[row as usize].on = on;
        if on {
            self.apply(plan, clock, clock, true, signals);
        }
    }

    /// The fault of `clock` begins or ends, because of `cause`. Says whether that changes what it does.
    pub(super) fn change_effect(
        &mut self,
        plan: &Plan,
        clock: ClockId,
        cause: ClockId,
        begins: bool,
        signals: &mut Vec<Signal>,
    ) -> bool {
        let row = plan.clocks[clock].flap;
        if row != NONE {
            let known = &plan.flaps[row as usize];
            let now = &mut self.flaps[row as usize];
            if begins {
                (now.on, now.by) = (true, cause);
                let span = known.spans[0].draw(&mut now.draws[0]);
                self.agenda.set(known.timer, self.now + span);
            } else {
                self.agenda.cancel(known.timer);
                if !std::mem::replace(&mut now.on, false) {
                    return false;
                }
            }
        }
        self.apply(plan, clock, cause, begins, signals);
        true
    }

    /// Whether the fault of `clock` is active and has its effect.
    pub(super) fn has_effect(&self, plan: &Plan, clock: ClockId) -> bool {
        let row = plan.clocks[clock].flap;
        self.clocks[clock].active && (row == NONE || self.flaps[row as usize].on)
    }

    /// The effect of a fault that lasts goes, or comes again.
    pub(super) fn turn(
        &mut self,
        plan: &Plan,
        row: u32,
        signals: &mut Vec<Signal>,
    ) -> (Event, Option<ClockId>) {
        let known = &plan.flaps[row as usize];
        let now = &mut self.flaps[row as usize];
        now.on = !now.on;
        let (on, by, which) = (now.on, now.by, usize::from(!now.on));
        let span = known.spans[which].draw(&mut now.draws[which]);
        self.agenda.set(known.timer, self.now + span);
        self.apply(plan, known.clock, by, on, signals);
        self.spread(plan, Some(by), signals);
        if plan.operated.is_any() {
            self.count_stop(plan, known.clock, on);
        }
        let clock = known.clock;
        (Event::FaultTurns { clock, on }, Some(by))
    }
}
