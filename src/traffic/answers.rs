//! The first good answer of a store's leader after an instant that the driver names.
//!
//! What is answered by anybody else does not count: a member that leads no more may still have work in
//! progress. Who waits goes on waiting from one stretch to the next.

use super::plan::Plan;
use super::stretch::Stretch;
use crate::ids::{Id, IdVec, PoolId, SlotId};
use crate::time::SimTime;

/// What is known of one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Nobody has asked to know.
    Unwanted,
    /// None since this instant.
    Awaited(SimTime),
    /// When it came.
    Came(SimTime),
}

/// Of all stores.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    rows: IdVec<PoolId, Answer>,
    /// How many are awaited.
    pub awaited: u32,
}

impl Answers {
    pub(super) fn new(pools: usize) -> Self {
        Self {
            rows: IdVec::filled(Answer::Unwanted, pools),
            awaited: 0,
        }
    }

    pub(super) fn wait_for(&mut self, pool: PoolId, from: SimTime) {
        if !matches!(self.rows[pool], Answer::Awaited(_)) {
            self.awaited += 1;
        }
        self.rows[pool] = Answer::Awaited(from);
    }

    /// Those that are awaited do not come before `from`.
    pub(super) fn none_before(&mut self, from: SimTime) {
        if self.awaited == 0 {
            return;
        }
        for row in self.rows.as_mut_slice() {
            if let Answer::Awaited(since) = row {
                *since = from.max(*since);
            }
        }
    }

    pub(super) fn take(&mut self, pool: PoolId) -> Option<SimTime> {
        let Answer::Came(at) = self.rows[pool] else {
            return None;
        };
        self.rows[pool] = Answer::Unwanted;
        Some(at)
    }

    pub(super) fn forget(&mut self) {
        self.rows.as_mut_slice().fill(Answer::Unwanted);
        self.awaited = 0;
    }
}

impl<'a> Stretch<'a> {
    /// An attempt at operation `what`, which was served by `slot`, has been answered well.
    #[cold]
    pub(super) fn note_answer(&mut self, plan: &Plan<'a>, what: u32, slot: u32) {
        let operation = plan.operation(what);
        let pool = operation.pool;
        let Answer::Awaited(since) = self.answers.rows[pool] else {
            return;
        };
        let by_leader = self.regime.leaders[pool].map(|slot: SlotId| slot.index() as u32);
        if operation.of_leader && by_leader == Some(slot) && self.now >= since {
            self.answers.rows[pool] = Answer::Came(self.now);
            self.answers.awaited -= 1;
        }
    }
}
