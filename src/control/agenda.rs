//! The pending events of the slow clock: at most one for each timer, and the earliest at hand.
//!
//! A tournament: in each match two timers meet, the earlier goes on to the match above, and the winner
//! of the topmost is due first. Setting a timer replays the matches on its way up, without branches and
//! without ever moving anything else, and cancelling is setting to never. Timers that are due at the
//! same instant come in the order of their rows. A heap would have to find a timer to move it.

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

/// All timers of a history.
#[derive(Clone, Debug)]
pub(super) struct Agenda {
    /// Match 1 is the topmost; the winner of match `n` is at side `n % 2` of match `n / 2`. The timers
    /// are at the sides of the last half, in order.
    matches: Vec<[Due; 2]>,
    first: Due,
}

impl Agenda {
    /// `timers` timers, none of them set.
    pub(super) fn new(timers: usize) -> Self {
        let unset = Due {
            at: SimTime::NEVER,
            timer: 0,
        };
        let mut agenda = Self {
            matches: vec![[unset; 2]; timers.next_power_of_two().max(2)],
            first: unset,
        };
        agenda.clear_unplayed();
        agenda.play_all();
        agenda
    }

    /// The match in which `timer` starts, and its side.
    #[inline]
    fn start(&self, timer: u32) -> (usize, usize) {
        let place = self.matches.len() + timer as usize;
        (place / 2, place % 2)
    }

    /// Cancels everything; [`Agenda::play_all`] has to follow.
    pub(super) fn clear_unplayed(&mut self) {
        let first = self.matches.len() / 2;
        let sides = self.matches[first..].as_flattened_mut();
        for (timer, side) in (0..).zip(sides) {
            let at = SimTime::NEVER;
            *side = Due { at, timer };
        }
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
        let (mut index, mut side) = self.start(timer);
        let mut winner = Due { at, timer };
        while index > 0 {
            let sides = &mut self.matches[index];
            sides[side] = winner;
            winner = winner.against(sides[1 - side], 1 - side);
            (index, side) = (index / 2, index % 2);
        }
        self.first = winner;
    }

    /// Sets `timer` without playing its matches; [`Agenda::play_all`] has to follow.
    pub(super) fn set_unplayed(&mut self, timer: u32, at: SimTime) {
        let (index, side) = self.start(timer);
        self.matches[index][side] = Due { at, timer };
    }

    /// Plays all matches.
    pub(super) fn play_all(&mut self) {
        for index in (1..self.matches.len()).rev() {
            let [left, right] = self.matches[index];
            self.matches[index / 2][index % 2] = left.against(right, 1);
        }
        // The winner of match 1 went to side 1 of a match that is never played.
        self.first = self.matches[0][1];
    }

    /// Sets `timer` to never, if it is not already.
    #[inline]
    pub(super) fn cancel(&mut self, timer: u32) {
        let (index, side) = self.start(timer);
        if self.matches[index][side].at != SimTime::NEVER {
            self.set(timer, SimTime::NEVER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn the_first_is_the_earliest_and_of_equals_the_lowest_row() {
        let mut stream = Stream::from_key(6);
        for timers in [1, 2, 3, 7, 8, 100] {
            let mut agenda = Agenda::new(timers);
            let mut plain = vec![SimTime::NEVER; timers];
            for step in 0..3_000 {
                let timer = (stream.bits() % timers as u64) as usize;
                plain[timer] = match stream.bits() % 4 {
                    0 => SimTime::NEVER,
                    _ => SimTime::from_nanos(1 + stream.bits() % 50),
                };
                agenda.set(timer as u32, plain[timer]);
                let least = *plain.iter().min().unwrap();
                let (at, first) = agenda.first();
                assert_eq!(at, least);
                if least != SimTime::NEVER {
                    assert_eq!(
                        first as usize,
                        plain.iter().position(|&at| at == least).unwrap()
                    );
                }
                if step == 2_000 {
                    agenda.clear_unplayed();
                    agenda.play_all();
                    plain.fill(SimTime::NEVER);
                }
            }
        }
    }
}
