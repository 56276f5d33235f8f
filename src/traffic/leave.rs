//! Attempts that nobody waits for any more, where their slots know it.
//!
//! A caller that stops waiting closes its connection, which as a rule nobody looks at: the slot works on
//! for nobody. Where a call passes its deadline on, the slot stops at that instant, and so does
//! whoever works for it in turn, as far as their calls pass it on as well.

use super::call::Gone;
use super::frames::{NONE, State};
use super::plan::Plan;
use super::stretch::Stretch;
use crate::ids::{Id, PoolId, SlotId};
use crate::path::SlotState;

impl<'a> Stretch<'a> {
    /// The caller stops waiting and closes its connection. An attempt in a queue leaves it, one in
    /// service is worked on for nobody, unless its slot knows of the deadline. What cannot hear of it,
    /// being cut off, stays in its queue.
    pub(super) fn time_out(&mut self, plan: &Plan<'a>, index: u32) {
        let passes = self.passes(plan, index);
        let (pool, counted) = self.part(plan, index);
        self.count(pool, counted, |tally| tally.attempts_timed_out += 1);
        if passes {
            self.stop_work(plan, index);
        } else {
            self.close(plan, index);
        }
    }

    /// Ends the connection between an attempt and its caller.
    pub(super) fn close(&mut self, plan: &Plan<'a>, index: u32) {
        let frame = &self.frames[index];
        match frame.state {
            State::Lost | State::Hung | State::Held | State::Linking => self.drop_attempt(index),
            State::Away => self.close_away(index),
            State::Queued if !frame.cut_front && !frame.cut_back => {
                self.dequeue(plan, index);
                self.drop_attempt(index);
            }
            State::Outside | State::Queued | State::Working | State::Calling => {
                self.disconnect(index);
            }
        }
    }

    /// The caller has stopped; whoever serves the attempt does not know and works on.
    pub(super) fn abandon(&mut self, plan: &Plan<'a>, index: u32) {
        let (pool, counted) = self.part(plan, index);
        self.count(pool, counted, |tally| tally.attempts_abandoned += 1);
        match self.frames[index].state {
            State::Lost | State::Hung | State::Held | State::Linking => self.drop_attempt(index),
            State::Away => self.close_away(index),
            State::Outside | State::Queued | State::Working | State::Calling => {}
        }
    }

    /// Parts an attempt from its caller; returns what it counts for.
    pub(super) fn part(&mut self, plan: &Plan<'a>, index: u32) -> (PoolId, bool) {
        self.unlink(plan, index, false);
        let frame = &mut self.frames[index];
        let caller = std::mem::replace(&mut frame.parent, NONE);
        let part = (plan.operation(frame.what).pool, frame.counted);
        self.frames[caller].child = NONE;
        part
    }

    /// Whether the slot of an attempt knows how long its caller waits, and is not paused, for then it
    /// does not notice.
    #[inline]
    pub(super) fn passes(&self, plan: &Plan<'a>, index: u32) -> bool {
        let frame = &self.frames[index];
        let paused = |slot: SlotId| self.regime.slots[slot] == SlotState::Paused;
        plan.call(self.frames[frame.parent].position).passes
            && !(self.impaired && frame.at().is_some_and(paused))
    }

    /// The caller does not need the answer any more, and closes its connection.
    pub(super) fn let_go(&mut self, plan: &Plan<'a>, index: u32) {
        let frame = &self.frames[index];
        let passes = self.passes(plan, index) && !frame.cut_front && !frame.cut_back;
        let (pool, counted) = self.part(plan, index);
        self.count(pool, counted, |tally| tally.attempts_abandoned += 1);
        if passes {
            self.stop_work(plan, index);
        } else {
            self.close(plan, index);
        }
    }

    /// A slot stops the work of an attempt that nobody waits for any more, with the calls it makes.
    #[inline(never)]
    pub(super) fn stop_work(&mut self, plan: &Plan<'a>, index: u32) {
        let frame = &mut self.frames[index];
        let slot = SlotId::from_index(frame.slot as usize);
        match frame.state {
            State::Outside | State::Lost | State::Hung | State::Held | State::Linking => {
                return self.close(plan, index);
            }
            // It arrives after its deadline, and is not taken up.
            State::Away => return self.drop_attempt(index),
            State::Queued => {
                self.dequeue(plan, index);
                return self.drop_attempt(index);
            }
            State::Working if frame.wait.is_share() => self.leave_share(slot, index),
            State::Working => frame.due = 0,
            State::Calling => self.give_up_call(plan, index, Gone::Left),
        }
        let frame = &self.frames[index];
        let busy = self.now.since(frame.since);
        let (what, counted) = (frame.what, frame.counted);
        self.count(plan.operation(what).pool, counted, |tally| {
            tally.busy_ns += u128::from(busy.as_nanos());
        });
        self.drop_attempt(index);
        self.free_worker(plan, slot);
    }
}
