//! Calls without balancer take the slots of their pool in turn.

use super::attempt::{REFUSED, Target};
use super::frames::NONE;
use super::plan::{CallPlan, Plan};
use super::stretch::Stretch;
use crate::ids::{CallId, Id, SlotId};
use crate::model::ServedBy;
use crate::path::SlotState;
use crate::random::mix;

impl<'a> Stretch<'a> {
    /// Where an attempt goes that no balancer is asked for.
    #[inline(always)]
    pub(super) fn target_in_turn(
        &mut self,
        plan: &Plan<'a>,
        (caller, from): (u32, Option<SlotId>),
        call: &CallPlan<'a>,
    ) -> Target {
        match self.next_in_turn(plan, caller, call) {
            Some(slot) => self.knock(plan, from, slot, call, NONE, NONE),
            None => REFUSED,
        }
    }

    /// The slot that a caller without balancer takes next.
    #[inline(always)]
    pub(super) fn next_in_turn(
        &mut self,
        plan: &Plan<'a>,
        caller: u32,
        call: &CallPlan<'a>,
    ) -> Option<SlotId> {
        match call.served_by {
            ServedBy::Leader => self.regime.leaders[call.pool],
            ServedBy::Any | ServedBy::Quorum => {
                Some(self.next_turn(plan, self.frames[caller].position, call))
            }
        }
    }

    /// The slot whose turn it is at the call site of a position.
    #[inline(always)]
    pub(super) fn next_turn(
        &mut self,
        plan: &Plan<'a>,
        position: u32,
        call: &CallPlan<'a>,
    ) -> SlotId {
        if self.chances.is_some() {
            self.any_turn(plan.sequence[position as usize], call);
        }
        let turn = &mut self.turns[plan.sequence[position as usize]];
        let mut slot = call.slots[*turn as usize];
        *turn = (*turn + 1) % call.slots.len() as u32;
        // Callers know what stands by.
        let mut others = call.slots.len() - 1;
        while others > 0 && self.regime.slots[slot] == SlotState::Standby {
            slot = call.slots[*turn as usize];
            *turn = (*turn + 1) % call.slots.len() as u32;
            others -= 1;
        }
        slot
    }

    /// It is any slot's turn, by chance, but the same in all runs in which something comes to this call site now. What
    /// comes to it at one instant takes turns.
    #[cold]
    fn any_turn(&mut self, id: CallId, call: &CallPlan<'a>) {
        let now = self.now;
        let Some(last) = self.chances.as_mut().map(|chances| &mut chances[id]) else {
            return;
        };
        if std::mem::replace(last, now) != now {
            let bits = mix(mix(now.as_nanos()) ^ id.index() as u64) >> 32;
            self.turns[id] = ((bits * call.slots.len() as u64) >> 32) as u32;
        }
    }
}
