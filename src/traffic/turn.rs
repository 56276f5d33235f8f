//! Calls without balancer take the slots of their pool in turn.

use super::attempt::{REFUSED, Target};
use super::frames::NONE;
use super::plan::{CallPlan, Plan};
use super::stretch::Stretch;
use crate::ids::SlotId;
use crate::model::ServedBy;
use crate::path::SlotState;

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
}
