//! The earliest of timers that are nearly always set: heats of 64, and a tournament of their winners.
//!
//! A timer of a heat is one word: its time since a base, and its place in the lowest bits, so that the
//! least word names its place, and of timers due at one instant the lowest row comes first. The words
//! lie in eight blocks of eight, and the least of each block is known: setting a timer looks at sixteen
//! words, without a branch and without ever moving another. With 64 timers at most there is one heat
//! and no tournament.
//!
//! A word reaches nine years. What is later, or never, lies beyond all others; when nothing else is
//! left, the base moves on.

use super::tournament::Tournament;
use crate::time::SimTime;

/// Timers of a block, and blocks.
const BLOCK: usize = 8;
/// Timers of a heat.
const HEAT: usize = BLOCK * BLOCK;
/// The lowest bits of a word: the place.
const PLACE_BITS: u32 = HEAT.ilog2();
const PLACES: u64 = HEAT as u64 - 1;
/// Times in words are less than this after the base: nine years.
const REACH: u64 = (1 << (u64::BITS - PLACE_BITS)) - 1;

/// Timers that are nearly always set.
#[derive(Clone, Debug)]
pub(super) struct Heats {
    /// What the times in words are counted from.
    base: u64,
    /// When the next timer is due, and which.
    first: (SimTime, u32),
    heats: Vec<Heat>,
    /// The winners of the heats, if there are several.
    finals: Option<Tournament>,
    /// When each timer is due; never, also for those that only fill the last heat.
    due: Vec<SimTime>,
}

#[derive(Clone, Debug)]
struct Heat {
    words: [[u64; BLOCK]; BLOCK],
    /// The least word of each block.
    blocks: [u64; BLOCK],
}

impl Heat {
    /// Sets the timer at a place to so long after the base, and returns the least word.
    #[inline(always)]
    fn set(&mut self, place: usize, after: u64) -> u64 {
        let (block, side) = (place / BLOCK % BLOCK, place % BLOCK);
        self.words[block][side] = after << PLACE_BITS | place as u64 & PLACES;
        self.blocks[block] = least(&self.words[block]);
        least(&self.blocks)
    }
}

/// The least of eight words, three comparisons after each other.
#[inline]
fn least(words: &[u64; BLOCK]) -> u64 {
    let [a, b, c, d, e, f, g, h] = *words;
    (a.min(b).min(c.min(d))).min(e.min(f).min(g.min(h)))
}

impl Heats {
    /// So many timers; none is set.
    pub(super) fn new(timers: usize) -> Self {
        let count = timers.div_ceil(HEAT).max(1);
        let heat = Heat {
            words: [[0; BLOCK]; BLOCK],
            blocks: [0; BLOCK],
        };
        let mut heats = Self {
            base: 0,
            first: (SimTime::NEVER, 0),
            heats: vec![heat; count],
            finals: (count > 1).then(|| Tournament::new(count)),
            due: vec![SimTime::NEVER; count * HEAT],
        };
        heats.arrange(SimTime::EPOCH);
        heats
    }

    /// Sets timer `n` to `due[n]`, and those for which there is none to never; none is due before
    /// `now`.
    pub(super) fn restart(&mut self, now: SimTime, due: impl Iterator<Item = SimTime>) {
        let due = due.chain(std::iter::repeat(SimTime::NEVER));
        for (place, at) in self.due.iter_mut().zip(due) {
            *place = at;
        }
        self.arrange(now);
    }

    /// When the next timer is due, and which; never, if none is set.
    #[inline]
    pub(super) fn first(&self) -> (SimTime, u32) {
        self.first
    }

    /// When `timer` is due; never, if it is not set.
    pub(super) fn due(&self, timer: u32) -> SimTime {
        self.due[timer as usize]
    }

    /// Sets `timer` to `at`, whatever it was set to before.
    #[inline(always)]
    pub(super) fn set(&mut self, timer: u32, at: SimTime) {
        self.due[timer as usize] = at;
        if at.as_nanos() < self.base {
            self.arrange(at);
            return;
        }
        let after = (at.as_nanos() - self.base).min(REACH);
        let heat = timer as usize / HEAT;
        let word = self.heats[heat].set(timer as usize, after);
        self.find_first(heat, word);
    }

    /// Finds the next timer after one of `heat`, whose least word is `word`, was set.
    #[inline(always)]
    fn find_first(&mut self, heat: usize, word: u64) {
        if self.finals.is_some() {
            self.play_finals(heat, word);
        } else {
            self.find_winner(0, word);
        }
    }

    /// The same where there are several heats.
    #[inline(never)]
    fn play_finals(&mut self, heat: usize, word: u64) {
        let Some(finals) = &mut self.finals else {
            return;
        };
        finals.set(heat as u32, self.due[winner(heat, word)]);
        let heat = finals.first().1 as usize;
        let word = least(&self.heats[heat].blocks);
        self.find_winner(heat, word);
    }

    /// The next timer is that of the least word of `heat`.
    #[inline(always)]
    fn find_winner(&mut self, heat: usize, word: u64) {
        let after = word >> PLACE_BITS;
        let at = SimTime::from_nanos(self.base.saturating_add(after));
        self.first = (at, winner(heat, word) as u32);
        if after == REACH {
            self.move_on();
        }
    }

    /// All timers are beyond reach: counts from the earliest, if any is set.
    #[cold]
    fn move_on(&mut self) {
        self.first.0 = SimTime::NEVER;
        let earliest = self.due.iter().copied().min();
        if let Some(base) = earliest.filter(|&at| at != SimTime::NEVER) {
            self.arrange(base);
        }
    }

    /// Counts anew from `base`, which is not after any timer.
    fn arrange(&mut self, base: SimTime) {
        self.base = base.as_nanos();
        for (heat, due) in self.heats.iter_mut().zip(self.due.chunks_exact(HEAT)) {
            let words = heat.words.as_flattened_mut().iter_mut();
            for (place, (word, at)) in (0..).zip(words.zip(due)) {
                *word = (at.as_nanos() - self.base).min(REACH) << PLACE_BITS | place;
            }
            heat.blocks = heat.words.each_ref().map(least);
        }
        if let Some(finals) = &mut self.finals {
            let words = self.heats.iter().map(|heat| least(&heat.blocks));
            let due = words
                .zip(0..)
                .map(|(word, heat)| self.due[winner(heat, word)]);
            finals.restart(due);
        }
        let word = least(&self.heats[0].blocks);
        self.find_first(0, word);
    }
}

/// The timer that the least word of `heat` names. Of a heat beyond reach it is any one, and not the
/// earliest: then its time only tells that it is late.
#[inline]
fn winner(heat: usize, word: u64) -> usize {
    heat * HEAT + (word & PLACES) as usize
}
