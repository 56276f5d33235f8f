//! Attempts that nobody waits for any more, where their slots know it.
//!
//! A caller that stops waiting closes its connection, which as a rule nobody looks at: the slot works on
//! for nobody. Where a call passes its deadline on, the slot stops at that instant, and so does
//! whoever works for it in turn, as far as their calls pass it on as well.

use super::call::Gone;
use super::frames::State;
use super::plan::Plan;
use super::stretch::Stretch;
use crate::ids::{Id, SlotId};
use crate::path::SlotState;

impl<'a> Stretch<'a> {
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
            State::Outside | State::Lost | State::Hung | State::Held => {
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
