//! Queues that do not serve in the order of arrival.
//!
//! Every queue is a list of which the first is served next. Last in, first out puts the newest in
//! front. By priority, the list is sorted by rank, and within a rank by arrival; the last of each rank
//! is known, so that a place is found without walking along those who wait.

use super::frames::{NONE, State};
use super::plan::Plan;
use super::stretch::Stretch;
use crate::ids::{Id, SlotId};
use crate::model::Discipline;

impl<'a> Stretch<'a> {
    /// The entry of `ranks` for a rank at a station whose ranks begin at `first`.
    fn rank_row(plan: &Plan<'a>, first: u32, rank: i8) -> usize {
        (i64::from(first) + i64::from(plan.above) + i64::from(rank)) as usize
    }

    /// Puts an attempt into the queue of a station that is not first in, first out.
    #[inline(never)]
    pub(super) fn enqueue_ahead(&mut self, plan: &Plan<'a>, slot: SlotId, index: u32) {
        let station = &self.stations[slot];
        let mut before = NONE;
        if station.discipline == Discipline::Priority {
            let first = station.more as usize;
            let row = Self::rank_row(plan, station.more, self.frames[index].rank);
            let same_or_above = self.ranks[first..=row].iter().rev();
            before = same_or_above
                .copied()
                .find(|&last| last != NONE)
                .unwrap_or(NONE);
            self.ranks[row] = index;
        }
        let station = &mut self.stations[slot];
        station.waiting += 1;
        let after = if before == NONE {
            std::mem::replace(&mut station.first, index)
        } else {
            std::mem::replace(&mut self.frames[before].after, index)
        };
        if after == NONE {
            station.last = index;
        } else {
            self.frames[after].before = index;
        }
        let frame = &mut self.frames[index];
        (frame.before, frame.after) = (before, after);
        frame.state = State::Queued;
    }

    /// An attempt that is about to leave its queue is the last of its rank no more.
    pub(super) fn leave_rank(&mut self, plan: &Plan<'a>, index: u32) {
        let frame = &self.frames[index];
        let station = &self.stations[SlotId::from_index(frame.slot as usize)];
        if station.discipline != Discipline::Priority {
            return;
        }
        let row = Self::rank_row(plan, station.more, frame.rank);
        if self.ranks[row] == index {
            let before = frame.before;
            let same = before != NONE && self.frames[before].rank == frame.rank;
            self.ranks[row] = if same { before } else { NONE };
        }
    }

    /// A slot has stopped: nobody waits or works there.
    pub(super) fn empty_discipline(&mut self, plan: &Plan<'a>, slot: SlotId) {
        let station = &self.stations[slot];
        let more = station.more as usize;
        match station.discipline {
            Discipline::Fifo | Discipline::Lifo => {}
            Discipline::Priority => self.ranks[more..][..plan.ranks as usize].fill(NONE),
            Discipline::ProcessorSharing => self.shared[more].clear(),
        }
    }
}
