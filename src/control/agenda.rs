//! The pending events of the slow clock: at most one for each timer, and the earliest at hand.
//!
//! Fault clocks are always set, but for those that campaigns turn; they run in [`Heats`]. All other
//! timers, of starts, verdicts, addresses and leases, are set only after something failed: those that
//! are stand in a list, the next one last. It has a handful of entries at most times, and setting one
//! moves few others. What is due at one instant comes in the order of rows, clocks first.

use super::heats::Heats;
use crate::ids::{ClockId, Id};
use crate::time::SimTime;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A fault clock.
    Clock(ClockId),
    /// This one of the other timers.
    Timer(u32),
}

/// All timers of a history.
#[derive(Clone, Debug)]
pub(super) struct Agenda {
    clocks: Heats,
    /// The other timers that are set, the next one last.
    others: Vec<(SimTime, u32)>,
    /// When each of the other timers is due.
    due: Vec<SimTime>,
}

impl Agenda {
    /// Fault clocks, and so many other timers; none is set.
    pub(super) fn new(clocks: usize, others: usize) -> Self {
        Self {
            clocks: Heats::new(clocks),
            others: Vec::with_capacity(others),
            due: vec![SimTime::NEVER; others],
        }
    }

    /// Cancels everything, and sets the clocks to `due`, in order; none is due before `now`.
    pub(super) fn restart(&mut self, now: SimTime, due: impl Iterator<Item = SimTime>) {
        self.clocks.restart(now, due);
        self.others.clear();
        self.due.fill(SimTime::NEVER);
    }

    /// When the next event is due; never, if nothing is set.
    #[inline]
    pub(super) fn next_time(&self) -> SimTime {
        let clock = self.clocks.first().0;
        self.others.last().map_or(clock, |other| clock.min(other.0))
    }

    /// When the next event is due, and which; something is set.
    #[inline]
    pub(super) fn first(&self) -> (SimTime, Next) {
        let (clock_at, clock) = self.clocks.first();
        match self.others.last() {
            Some(&(at, timer)) if at < clock_at => (at, Next::Timer(timer)),
            _ => (clock_at, Next::Clock(ClockId::from_index(clock as usize))),
        }
    }

    /// Sets `clock` to `at`.
    #[inline(always)]
    pub(super) fn set_clock(&mut self, clock: ClockId, at: SimTime) {
        self.clocks.set(clock.index() as u32, at);
    }

    /// When `clock` is due.
    pub(super) fn due_clock(&self, clock: ClockId) -> SimTime {
        self.clocks.due(clock.index() as u32)
    }

    /// Sets `timer`, which is no clock's, to `at`, whatever it was set to before; cancels it if that
    /// is never.
    #[inline]
    pub(super) fn set(&mut self, timer: u32, at: SimTime) {
        let before = std::mem::replace(&mut self.due[timer as usize], at);
        if before != at {
            self.arrange(timer, before, at);
        }
    }

    /// Moves `timer` in the list.
    fn arrange(&mut self, timer: u32, before: SimTime, at: SimTime) {
        if before != SimTime::NEVER {
            if self.others.last() == Some(&(before, timer)) {
                self.others.pop();
            } else {
                self.others.remove(self.place_of((before, timer)));
            }
        }
        if at != SimTime::NEVER {
            // Most are set because of something that has just happened, and are due soon.
            let entry = (at, timer);
            if self.others.last().is_none_or(|&last| entry < last) {
                self.others.push(entry);
            } else {
                self.others.insert(self.place_of(entry), entry);
            }
        }
    }

    /// When `timer`, which is no clock's, is due; never, if it is not set.
    pub(super) fn due(&self, timer: u32) -> SimTime {
        self.due[timer as usize]
    }

    /// Whether `timer`, which is no clock's, is set.
    pub(super) fn is_set(&self, timer: u32) -> bool {
        self.due[timer as usize] != SimTime::NEVER
    }

    /// Cancels `timer`, which is no clock's.
    #[inline]
    pub(super) fn cancel(&mut self, timer: u32) {
        self.set(timer, SimTime::NEVER);
    }

    /// How many of the others are due after this one.
    #[inline]
    fn place_of(&self, entry: (SimTime, u32)) -> usize {
        self.others.partition_point(|&other| other > entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn the_first_is_the_earliest_and_of_equals_the_lowest_row_clocks_first() {
        let mut stream = Stream::from_key(6);
        for (clocks, others) in [(1, 0), (0, 2), (2, 1), (7, 5), (8, 32), (64, 9), (300, 200)] {
            let mut agenda = Agenda::new(clocks, others);
            // Some are due in moments, some in decades or centuries.
            let rows = (clocks + others) as u64;
            let mut any = |step| {
                let row = (stream.bits() % rows) as usize;
                // For a while only the distant ones are set anew, until nothing else is left.
                let kind = stream.bits() % if step % 1_000 < 500 { 8 } else { 3 };
                let at = match kind {
                    0 | 1 => SimTime::NEVER,
                    2 => SimTime::from_nanos((1 + stream.bits() % 50) << 58),
                    _ => SimTime::from_nanos(1 + stream.bits() % 50),
                };
                (row, at)
            };
            let mut plain = vec![SimTime::NEVER; clocks + others];
            for step in 0..3_000 {
                let (row, at) = any(step);
                plain[row] = at;
                if row < clocks {
                    agenda.set_clock(ClockId::from_index(row), plain[row]);
                } else {
                    agenda.set((row - clocks) as u32, plain[row]);
                }
                let (least, row) = plain.iter().copied().zip(0..).min().unwrap();
                let expected = if row < clocks {
                    Next::Clock(ClockId::from_index(row))
                } else {
                    Next::Timer((row - clocks) as u32)
                };
                assert_eq!(agenda.next_time(), least);
                if least != SimTime::NEVER {
                    assert_eq!(agenda.first(), (least, expected));
                }
                if step == 2_000 {
                    plain.fill(SimTime::NEVER);
                    plain[..clocks].fill(SimTime::from_nanos(9));
                    let now = SimTime::from_nanos(5);
                    agenda.restart(now, plain[..clocks].iter().copied());
                }
            }
        }
    }
}
