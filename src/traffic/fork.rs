//! Calls made at the same time, calls with a deadline, and calls that are not always made.
//!
//! Each of the calls is made by a frame of its own, a *leg*, so that it has its own attempts, retries,
//! misses and fallbacks; nothing else in traffic knows that there are several. The caller counts how
//! many must still succeed and how many may still fail, and goes on when one of the two decides.
//!
//! Legs begin one after the other at the same instant. One that fails at once may decide the fork
//! before the next has begun, so they wait in a list, from which [`Stretch::drive`] takes them: an
//! answer never begins a leg within a leg, and no scenario makes the stack grow.
//!
//! A call with a deadline of its own is the only leg of its caller, and the deadline is the leg's.

use super::call::{Gone, Next};
use super::frames::{Kind, NONE, uniform};
use super::plan::{ForkPlan, Plan};
use super::stretch::{Halt, Stretch};

impl<'a> Stretch<'a> {
    /// Begins a call with a chance, or several at the same time.
    #[inline(never)]
    pub(super) fn begin_special(&mut self, plan: &Plan<'a>, caller: u32) -> Next {
        let frame = &mut self.frames[caller];
        let call = plan.call(frame.position);
        if call.chance < 1.0 && uniform(frame.roll()) >= call.chance {
            frame.position += 1;
            return Next::Proceed(caller);
        }
        match &call.fork {
            None => self.attempt(plan, caller),
            Some(fork) => self.fork(caller, fork),
        }
    }

    fn fork(&mut self, caller: u32, fork: &ForkPlan) -> Next {
        let count = (fork.legs.end - fork.legs.from) * fork.copies;
        if !self.frames.room(count) {
            self.halt = Halt::Overflow;
            return Next::Idle;
        }
        let frame = &mut self.frames[caller];
        frame.base = false;
        (frame.needed, frame.spare) = (fork.wait_for, count - fork.wait_for);
        let (slot, counted, rank) = (frame.slot, frame.counted, frame.rank);
        let mut before = NONE;
        let first_pending = self.pending.len();
        for position in fork.legs.from..fork.legs.end {
            for _ in 0..fork.copies {
                let key = self.frames[caller].roll();
                let (index, leg) = self.frames.take(Kind::Leg, key);
                (leg.parent, leg.slot, leg.counted) = (caller, slot, counted);
                leg.rank = rank;
                (leg.position, leg.end) = (position, position + 1);
                leg.before = before;
                let generation = leg.generation;
                self.pending.push((index, generation));
                self.start_timer(fork.timer, index, generation);
                if before == NONE {
                    self.frames[caller].child = index;
                } else {
                    self.frames[before].after = index;
                }
                before = index;
            }
        }
        self.pending[first_pending..].reverse();
        Next::Idle
    }

    /// The next leg to begin. One that was let go before it began is passed over.
    #[inline]
    pub(super) fn next_leg(&mut self) -> Option<u32> {
        while let Some((index, generation)) = self.pending.pop() {
            if self.frames[index].generation == generation {
                return Some(index);
            }
        }
        None
    }

    /// A leg has succeeded or failed, which may decide the fork.
    pub(super) fn end_leg(&mut self, plan: &Plan<'a>, index: u32, succeeded: bool) -> Next {
        let leg = self.frames.release(index);
        let caller = leg.parent;
        if leg.after != NONE {
            self.frames[leg.after].before = leg.before;
        }
        if leg.before == NONE {
            self.frames[caller].child = leg.after;
        } else {
            self.frames[leg.before].after = leg.after;
        }
        let frame = &mut self.frames[caller];
        if succeeded {
            frame.degraded |= leg.degraded;
            frame.needed -= 1;
            if frame.needed > 0 {
                return Next::Idle;
            }
        } else if frame.spare > 0 {
            frame.spare -= 1;
            return Next::Idle;
        }
        let rest = std::mem::replace(&mut frame.child, NONE);
        (frame.needed, frame.spare) = (0, 0);
        frame.base = leg.base;
        let on_failure = plan.call(frame.position).on_failure;
        self.let_legs_go(plan, rest, Gone::Decided);
        if succeeded || on_failure.is_empty() {
            Next::Over(caller, succeeded)
        } else {
            self.branch(caller, Kind::Rescue, on_failure)
        }
    }

    /// The deadline of what a leg does is over.
    #[inline(never)]
    pub(super) fn leg_expired(&mut self, plan: &Plan<'a>, leg: u32) -> Next {
        self.give_up_call(plan, leg, Gone::Left);
        self.frames[leg].base = false;
        self.end_leg(plan, leg, false)
    }

    /// Lets go the list of legs that begins with `first`, and what they wait for.
    #[inline(never)]
    pub(super) fn let_legs_go(&mut self, plan: &Plan<'a>, first: u32, why: Gone) {
        let mut leg = first;
        while leg != NONE {
            let after = self.frames[leg].after;
            self.give_up_call(plan, leg, why);
            self.frames.release(leg);
            leg = after;
        }
    }
}
