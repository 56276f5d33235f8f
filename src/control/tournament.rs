//! The earliest of timers that are nearly always set.
//!
//! In each match two timers meet, the earlier goes on to the match above, and the winner of the topmost
//! is due first. Setting a timer replays the matches on its way up, without branches and without ever
//! moving anything else. Timers that are due at the same instant come in the order of their rows. A
//! heap would have to find a timer to move it.

use crate::time::SimTime;
use std::hint::select_unpredictable;

/// When a timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    at: SimTime,
    timer: u32,
}

impl Due {
    /// The winner of a match against `other`, which stands at `side`: the earlier, and of two at the
    /// same instant the one at side 0, which has the lower row.
    ///
    /// Who wins cannot be predicted, and one wrong guess of the processor takes longer than all other
    /// matches of an event. So no branch: the compiler has to be told for each half, or it makes one.
    #[inline]
    fn against(self, other: Self, side: usize) -> Self {
        // One comparison for both sides: in whole nanoseconds "not later than" is "earlier than one
        // more". No history reaches the first nanosecond of the clock, so this never wraps.
        let handicap = 1 - side as u64;
        let loses = other.at.as_nanos().wrapping_sub(handicap) < self.at.as_nanos();
        Self {
            at: select_unpredictable(loses, other.at, self.at),
            timer: select_unpredictable(loses, other.timer, self.timer),
        }
    }
}

/// Timers that are nearly always set.
#[derive(Clone, Debug)]
pub(super) struct Tournament {
    /// Match 1 is the topmost; the winner of match `n` is at side `n % 2` of match `n / 2`. The timers
    /// are at the sides of the last half, in order.
    matches: Vec<[Due; 2]>,
    first: Due,
}

impl Tournament {
    /// `timers` timers, none of them set.
    pub(super) fn new(timers: usize) -> Self {
        let first = Due {
            at: SimTime::NEVER,
            timer: 0,
        };
        let mut tournament = Self {
            matches: vec![[first; 2]; timers.next_power_of_two().max(2)],
            first,
        };
        tournament.restart(std::iter::empty());
        tournament
    }

    /// Sets timer `n` to `due[n]`, and those for which there is none to never.
    pub(super) fn restart(&mut self, due: impl Iterator<Item = SimTime>) {
        let lowest = self.matches.len() / 2;
        let sides = self.matches[lowest..].as_flattened_mut();
        let due = due.chain(std::iter::repeat(SimTime::NEVER));
        for ((timer, side), at) in (0..).zip(sides).zip(due) {
            *side = Due { at, timer };
        }
        for index in (1..self.matches.len()).rev() {
            let [left, right] = self.matches[index];
            self.matches[index / 2][index % 2] = left.against(right, 1);
        }
        // The winner of match 1 went to side 1 of a match that is never played.
        self.first = self.matches[0][1];
    }

    /// When the next timer is due, and which; never, if none is set.
    #[inline]
    pub(super) fn first(&self) -> (SimTime, u32) {
        (self.first.at, self.first.timer)
    }

    /// Sets `timer` to `at`, whatever it was set to before.
    #[inline]
    pub(super) fn set(&mut self, timer: u32, at: SimTime) {
        debug_assert!(at > SimTime::EPOCH, "see `Due::against`");
        let place = self.matches.len() + timer as usize;
        let (mut index, mut side) = (place / 2, place % 2);
        let mut winner = Due { at, timer };
        while index > 0 {
            let sides = &mut self.matches[index];
            sides[side] = winner;
            winner = winner.against(sides[1 - side], 1 - side);
            (index, side) = (index / 2, index % 2);
        }
        self.first = winner;
    }
}
