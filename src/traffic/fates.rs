//! What becomes of each request, written down for whoever compares two runs of the same requests; and a backlog
//! from which such a run may begin.
//!
//! The backlog is work that nobody waits for any more: it takes workers and places in queues, makes the calls of its
//! operation, and no balancer knows of it, so that whose turn it is stays as it was. Nobody gives it up, so it is
//! worked off no sooner than the same number of requests with callers would be.

use super::arrivals::Source;
use super::frames::{Kind, NONE};
use super::plan::{CallPlan, Plan};
use super::stretch::Stretch;
use crate::ids::{Id, IdVec, PoolId, SlotId};
use crate::path::SlotState;
use crate::time::SimTime;

/// [`Fate::what`] of a piece of a backlog.
const PIECE: u32 = u32::MAX;

/// What became of a request, or of a piece of a backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fate {
    /// When the request arrived, or the piece got its worker.
    pub since: SimTime,
    /// The journey of a request; the largest number for a piece of a backlog.
    pub what: u32,
    /// Whether it was answered, and with everything that belongs to it.
    pub answered: (bool, bool),
    /// When it ended.
    pub end: SimTime,
}

/// Those that have ended, in the order in which they did.
#[derive(Clone, Debug, Default)]
pub(super) struct Fates {
    pub watched: bool,
    pub list: Vec<Fate>,
}

impl<'a> Stretch<'a> {
    /// A request that began at `since` has ended now.
    #[cold]
    pub(super) fn note_fate(&mut self, since: SimTime, what: u32, answered: (bool, bool)) {
        let end = self.now;
        self.fates.list.push(Fate {
            since,
            what,
            answered,
            end,
        });
    }

    /// A slot is done with attempt `index`, and nobody waits for that.
    #[cold]
    pub(super) fn done_for_nobody(&mut self, plan: &Plan<'a>, index: u32, succeeded: bool) {
        let frame = &self.frames[index];
        let since = frame.since;
        if frame.what >= plan.probe_from {
            self.probe_done(plan, index, succeeded);
        } else if frame.cell == PIECE && self.fates.watched {
            self.note_fate(since, PIECE, (succeeded, true));
        }
    }

    /// Puts `backlog` pieces of work at each slot of each pool that serves, as far as there is room; how many these
    /// are. Those of one slot are of all calls to its pool in turn.
    pub(super) fn pile_up(
        &mut self,
        plan: &Plan<'a>,
        backlog: &IdVec<PoolId, u32>,
        source: Source,
    ) -> u32 {
        let mut piled = 0;
        let key = source.known(self.now).with(6);
        for (pool, &each) in backlog.pairs() {
            let calls = || {
                let calls = plan.calls.iter();
                calls.filter(|call| call.pool == pool && call.fork.is_none())
            };
            if each == 0 || calls().next().is_none() {
                continue;
            }
            for &slot in &plan.system.pools[pool].slots {
                if self.regime.slots[slot] != SlotState::Serving {
                    continue;
                }
                let key = key.with(slot.index() as u64);
                for (number, call) in (0..each).zip(calls().cycle()) {
                    let key = key.with(u64::from(number)).stream().bits();
                    if self.frames.full() || !self.pile(plan, slot, call, key) {
                        break;
                    }
                    piled += 1;
                }
            }
        }
        piled
    }

    /// One piece of work at `slot`; whether there was room.
    fn pile(&mut self, plan: &Plan<'a>, slot: SlotId, call: &CallPlan<'a>, key: u64) -> bool {
        let station = &mut self.stations[slot];
        let free = station.busy < station.workers;
        let waits = !free && station.waiting < station.queue;
        if !free && !waits && !self.share_accepts(slot) {
            return false;
        }
        let now = self.now;
        self.stations[slot].busy += u32::from(free);
        let (index, frame) = self.frames.take(Kind::Attempt, key);
        debug_assert!(frame.parent == NONE);
        frame.what = call.operation.index() as u32;
        (frame.position, frame.end) = (call.calls.from, call.calls.end);
        (frame.rank, frame.cell) = (call.rank.unwrap_or(0), PIECE);
        (frame.slot, frame.since) = (slot.index() as u32, now);
        if free {
            self.serve_at(plan, index);
        } else if waits {
            self.enqueue(plan, slot, index, key);
        } else {
            self.begin_share((call.takes, call.fails), slot, index);
        }
        true
    }

    /// Which requests are in progress: since when, and of which journey.
    pub(super) fn requests_in_progress(&self, into: &mut Vec<(SimTime, u32)>) {
        let frames = self.frames.cells().iter();
        let requests = frames.filter(|frame| frame.kind == Kind::Request);
        into.extend(requests.map(|frame| (frame.since, frame.what)));
    }
}
