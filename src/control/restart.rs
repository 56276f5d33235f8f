//! Slots whose process somebody starts again when it ends: with pauses, with starts that fail, and with
//! a person where nobody tries any more.
//!
//! Only what ends the process itself counts: a crash or a hang of the slot. One that has lost its
//! machine, or that operators restart, starts afresh. While a crash lasts, each start ends in another
//! one: nothing of that can be seen from outside, so the tries are worked out when it is over, and the
//! first start that ends after that is the one that serves.

use super::care_plan::Notice;
use super::plan::{NONE, Plan};
use super::state::State;
use crate::ids::{IdVec, SlotId};
use crate::model::System;
use crate::orchestrate::restart::{Limit, Next, Rule, Starts};
use crate::path::Event;
use crate::random::{Key, Purpose, Sequence};
use crate::time::{SimSpan, SimTime};

/// Failed starts in a row after which how they began is forgotten.
const REMEMBERED: u32 = 10_000;

/// How one slot is started again.
#[derive(Clone, Debug)]
pub(super) struct RestartPlan {
    rule: Rule,
    fails: f64,
    person: Notice,
    /// A pause and a start, in the mean.
    cycle: SimSpan,
}

/// Where it stands.
#[derive(Clone, Debug)]
pub(super) struct RestartNow {
    starts: Starts,
    /// When its process ended by itself, until that is looked after; or never.
    ended_at: SimTime,
    draws: Sequence,
}

/// All slots that are started again, and the row of each slot among them.
pub(super) fn restarts(system: &System) -> (Vec<RestartPlan>, IdVec<SlotId, u32>) {
    let mut of_slot = IdVec::filled(NONE, system.slots.len());
    let mut plans = Vec::new();
    for restart in &system.care.restarts {
        let limit = restart
            .limit
            .map(|(starts, within)| Limit { starts, within });
        for &slot in &restart.slots {
            of_slot[slot] = plans.len() as u32;
            plans.push(RestartPlan {
                rule: Rule {
                    restarts: restart.restarts,
                    at_once: restart.at_once,
                    first: restart.first,
                    factor: restart.factor,
                    cap: restart.cap,
                    resets_after: restart.resets_after,
                    limit,
                },
                fails: restart.starts_fail,
                person: Notice::of(&restart.person),
                cycle: restart
                    .cap
                    .saturating_add(SimSpan::from_secs_f64(system.starts_in(slot).mean())),
            });
        }
    }
    (plans, of_slot)
}

impl RestartNow {
    pub(super) fn new() -> Self {
        Self {
            starts: Starts::default(),
            ended_at: SimTime::NEVER,
            draws: Key::of_seed(0).sequence(),
        }
    }
}

impl State {
    /// Every process has been running for ever.
    pub(super) fn start_restarts(&mut self, plan: &Plan, base: Key) {
        if self.restarts.is_empty() {
            return;
        }
        for known in &plan.slots {
            if known.restart != NONE {
                let now = &mut self.restarts[known.restart as usize];
                let key = base.with_part(known.name).with(Purpose::Restart as u64);
                (now.starts, now.ended_at) = (Starts::default(), SimTime::NEVER);
                now.draws = key.sequence();
            }
        }
    }

    /// A fault or operators stop `slot`; `itself`: its own process ends, on a machine that lives.
    pub(super) fn note_end(&mut self, plan: &Plan, slot: SlotId, itself: bool) {
        let state = &self.slots[slot];
        let was_there = state.starting || state.stops.may_run();
        let now = &mut self.restarts[plan.slots[slot].restart as usize];
        if !itself {
            (now.starts, now.ended_at) = (Starts::default(), SimTime::NEVER);
        } else if was_there {
            now.ended_at = self.now;
        }
    }

    /// How long it takes until `slot`, which nothing keeps down any longer, has started. One that `hung`
    /// until now had its process all the time.
    pub(super) fn restarts_in(&mut self, plan: &Plan, slot: SlotId, hung: bool) -> SimSpan {
        let known = &plan.slots[slot];
        if known.restart == NONE {
            return known.starts.draw(&mut self.slots[slot].start_up);
        }
        let row = known.restart as usize;
        let ended_at = std::mem::replace(&mut self.restarts[row].ended_at, SimTime::NEVER);
        if ended_at == SimTime::NEVER {
            return known.starts.draw(&mut self.slots[slot].start_up);
        }
        let (mut at, mut failed) = (if hung { self.now } else { ended_at }, 0);
        loop {
            let up = self.next_start(plan, slot, at);
            if up >= self.now {
                if failed > 0 {
                    let times = failed;
                    self.remark(plan, Event::StartsFailed { slot, times });
                }
                let after = up - self.now;
                if !after.is_zero() {
                    self.remark(plan, Event::StartsIn { slot, after });
                }
                return after;
            }
            (at, failed) = (up, failed.saturating_add(1));
            if failed == REMEMBERED {
                let rest = plan.restarts[row].cycle.saturating_mul(100);
                at = at.max(self.now.before(rest));
            }
        }
    }

    /// When the start after an end `at` of the process of `slot` is over.
    fn next_start(&mut self, plan: &Plan, slot: SlotId, at: SimTime) -> SimTime {
        let known = &plan.slots[slot];
        let restart = &plan.restarts[known.restart as usize];
        let now = &mut self.restarts[known.restart as usize];
        let begins = match now.starts.ended(&restart.rule, at) {
            Next::Start(begins) => begins,
            Next::GivesUp(when) => {
                let begins = when + restart.person.draw(plan, when, &mut now.draws);
                now.starts.by_hand(begins);
                self.remark(plan, Event::RestartsEnd(slot));
                begins
            }
        };
        begins + known.starts.draw(&mut self.slots[slot].start_up)
    }

    /// Whether the start of `slot` that is over has failed; another one has then been set.
    pub(super) fn start_fails(&mut self, plan: &Plan, slot: SlotId) -> bool {
        let known = &plan.slots[slot];
        if known.restart == NONE {
            return false;
        }
        let row = known.restart as usize;
        let fails = plan.restarts[row].fails;
        if fails == 0.0 || self.restarts[row].draws.uniform() >= fails {
            return false;
        }
        let up = self.next_start(plan, slot, self.now);
        self.agenda.set(known.start_timer, up);
        let after = up - self.now;
        self.remark(plan, Event::StartsIn { slot, after });
        true
    }
}
