//! Caches that have lost their content and fill again.
//!
//! This state is slow: it lasts for minutes where queues forget in seconds. So it is no part of a regime:
//! windows go on until it is over, and every stretch begins with full caches.

use super::frames::uniform;
use super::plan::Plan;
use super::stretch::Stretch;
use crate::ids::{IdVec, SlotId};
use crate::path::SlotState;
use crate::time::SimTime;

/// Since when slots fill.
#[derive(Clone, Debug)]
pub(super) struct Refills {
    /// When all will be full.
    pub(super) until: SimTime,
    /// When each last began; of those that are full it does not matter.
    since: IdVec<SlotId, SimTime>,
}

impl Refills {
    /// All of `slots` are full.
    pub(super) fn new(slots: usize) -> Self {
        Self {
            until: SimTime::EPOCH,
            since: IdVec::filled(SimTime::EPOCH, slots),
        }
    }

    /// All are full again.
    pub(super) fn begin(&mut self) {
        self.until = SimTime::EPOCH;
        self.since.as_mut_slice().fill(SimTime::EPOCH);
    }
}

impl<'a> Stretch<'a> {
    /// A slot has changed: one that starts has nothing in memory, one that only stood still has all.
    pub(super) fn refill(
        &mut self,
        plan: &Plan<'a>,
        slot: SlotId,
        before: SlotState,
        after: SlotState,
    ) {
        let Some(pool) = plan.pool_of(slot) else {
            return;
        };
        let span = plan.system.pools[pool].refills_in;
        let kept = matches!(before, SlotState::Serving | SlotState::Paused);
        if after != SlotState::Serving || kept || span.is_zero() {
            return;
        }
        self.refills.since[slot] = self.now;
        let full = self.now + span;
        self.refills.until = self.refills.until.max(full);
        self.blames.refill(self.now, full);
    }

    /// The current call of `caller` was answered by `slot`: whether it has what was asked for.
    #[cold]
    pub(super) fn look_up(&mut self, plan: &Plan<'a>, slot: SlotId, caller: u32) {
        let Some(pool) = plan.pool_of(slot) else {
            return;
        };
        let span = plan.system.pools[pool].refills_in;
        let full = self.refills.since[slot] + span;
        if span.is_zero() || self.now >= full {
            return;
        }
        let missing = full.since(self.now).as_secs_f64() / span.as_secs_f64();
        let frame = &mut self.frames[caller];
        frame.cold = uniform(frame.roll()) < missing;
    }
}
