//! The pending events of the slow clock: at most one for each timer, and the earliest at hand.
//!
//! A tournament: each timer is a leaf, each inner node holds the earlier of its two children, the root
//! holds the winner. Setting a timer replays the matches on its way up, without branches and without
//! ever moving anything else, and cancelling is setting to never. Timers that are due at the same
//! instant come in the order of their rows. A heap would have to find a timer to move it.

use crate::time::SimTime;
use std::hint::select_unpredictable;

/// When a timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    at: SimTime,
    timer: u64,
}

impl Due {
    #[inline]
    fn new(at: SimTime, timer: u32) -> Self {
        let timer = u64::from(timer);
        Self { at, timer }
    }

    /// The winner of a match: the earlier, and of two at the same instant the timer of the lower row.
    ///
    /// Who wins cannot be predicted, and one wrong guess of the processor takes longer than all other
    /// matches of an event. So no branch: the compiler has to be told for each half, or it makes one.
    #[inline]
    fn earlier(self, other: Self) -> Self {
        let ahead = (self.at < other.at) | ((self.at == other.at) & (self.timer < other.timer));
        Self {
            at: select_unpredictable(ahead, self.at, other.at),
            timer: select_unpredictable(ahead, self.timer, other.timer),
        }
    }
}

/// All timers of a history.
#[derive(Clone, Debug)]
pub(super) struct Agenda {
    /// Node 1 is the root, the children of `n` are `2 n` and `2 n + 1`, the leaves are the last half.
    nodes: Vec<Due>,
    leaves: usize,
}

impl Agenda {
    /// `timers` timers, none of them set.
    pub(super) fn new(timers: usize) -> Self {
        let leaves = timers.max(1).next_power_of_two();
        let mut agenda = Self {
            nodes: vec![Due::new(SimTime::NEVER, 0); 2 * leaves],
            leaves,
        };
        agenda.clear_unplayed();
        agenda.play_all();
        agenda
    }

    /// Cancels everything; [`Agenda::play_all`] has to follow.
    pub(super) fn clear_unplayed(&mut self) {
        for (timer, node) in self.nodes[self.leaves..].iter_mut().enumerate() {
            *node = Due::new(SimTime::NEVER, timer as u32);
        }
    }

    /// When the next timer is due, and which; never, if none is set.
    #[inline]
    pub(super) fn first(&self) -> (SimTime, u32) {
        let first = self.nodes[1];
        (first.at, first.timer as u32)
    }

    /// When `timer` is due; never, if it is not set.
    pub(super) fn due(&self, timer: u32) -> SimTime {
        self.nodes[self.leaves + timer as usize].at
    }

    /// Sets `timer` to `at`, whatever it was set to before.
    #[inline]
    pub(super) fn set(&mut self, timer: u32, at: SimTime) {
        let mut node = self.leaves + timer as usize;
        let mut winner = Due::new(at, timer);
        self.nodes[node] = winner;
        // Each match is against the sibling only, so that the loads need not wait for the stores.
        while node > 1 {
            winner = winner.earlier(self.nodes[node ^ 1]);
            node /= 2;
            self.nodes[node] = winner;
        }
    }

    /// Sets `timer` without playing its matches; [`Agenda::play_all`] has to follow.
    pub(super) fn set_unplayed(&mut self, timer: u32, at: SimTime) {
        self.nodes[self.leaves + timer as usize] = Due::new(at, timer);
    }

    /// Plays all matches.
    pub(super) fn play_all(&mut self) {
        for node in (1..self.leaves).rev() {
            self.nodes[node] = self.nodes[2 * node].earlier(self.nodes[2 * node + 1]);
        }
    }

    /// Sets `timer` to never, if it is not already.
    #[inline]
    pub(super) fn cancel(&mut self, timer: u32) {
        if self.nodes[self.leaves + timer as usize] != Due::new(SimTime::NEVER, timer) {
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
                    _ => SimTime::from_nanos(stream.bits() % 50),
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
