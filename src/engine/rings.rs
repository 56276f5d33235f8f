//! Deadlines that lie a constant span ahead: each span has a ring in which they come in order. Those
//! at spans of their own lie in a heap.
//!
//! Nearly all deadlines are dropped, because what they guard ends first. Adding one is a plain
//! append; after a number of them a ring drops those at its front that are not wanted any more, and
//! when it has grown to four times what was left of it the last time, those in its middle as well.
//! So it stays within a constant of the work in progress, and most deadlines never come up. Whether
//! one is still wanted is the caller's knowledge: it hands in a predicate.

use crate::time::{SimSpan, SimTime};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Deadlines added between two looks at the front of a ring: enough to make the look cheap, few
/// enough to keep a small ring in the first cache level (64 x 16 bytes).
const TRIM: usize = 64;
/// A ring is not swept below this many entries.
const SHORT: usize = 512;

/// Stands for a ring: the heap.
const LOOSE: usize = usize::MAX;

/// A deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// When.
    pub at: SimTime,
    /// Whose.
    pub payload: u32,
    /// Which use of `payload`.
    pub generation: u32,
}

#[derive(Clone, Debug)]
struct Ring {
    span: SimSpan,
    /// In order; those before `start` were taken out, and go when the front is trimmed.
    entries: Vec<Timer>,
    start: usize,
    /// At this many entries, those taken out included, the front is trimmed.
    trim_at: usize,
    /// At this many entries the whole ring is swept.
    sweep_at: usize,
}

impl Ring {
    #[inline]
    fn front(&self) -> Option<&Timer> {
        self.entries.get(self.start)
    }

    fn take_front(&mut self) -> Option<Timer> {
        let front = self.front().copied();
        self.start += usize::from(front.is_some());
        front
    }

    fn clear(&mut self) {
        self.entries.clear();
        (self.start, self.trim_at, self.sweep_at) = (0, TRIM, SHORT);
    }

    #[inline(never)]
    fn trim(&mut self, wanted: impl Fn(&Timer) -> bool) {
        let left = &self.entries[self.start..];
        let unwanted = left.iter().position(&wanted).unwrap_or(left.len());
        self.entries.drain(..self.start + unwanted);
        self.start = 0;
        if self.entries.len() >= self.sweep_at {
            self.entries.retain(wanted);
            self.sweep_at = (4 * self.entries.len()).max(SHORT);
        }
        self.trim_at = self.entries.len() + TRIM;
    }
}

/// Rings for a set of spans.
#[derive(Clone, Debug)]
pub struct Rings {
    rings: Vec<Ring>,
    /// Deadlines of no ring: instant, order of scheduling, payload, generation.
    loose: BinaryHeap<Reverse<(SimTime, u64, u32, u32)>>,
    loose_order: u64,
    /// At this many entries the heap is swept.
    loose_sweep_at: usize,
    soonest: SimTime,
    soonest_ring: usize,
}

impl Rings {
    /// Without any ring.
    pub fn new() -> Self {
        Self {
            rings: Vec::new(),
            loose: BinaryHeap::new(),
            loose_order: 0,
            loose_sweep_at: SHORT,
            soonest: SimTime::NEVER,
            soonest_ring: 0,
        }
    }

    /// Adds a ring for deadlines `span` ahead. At one instant the ring added first comes first.
    pub fn add(&mut self, span: SimSpan) -> u32 {
        self.rings.push(Ring {
            span,
            entries: Vec::new(),
            start: 0,
            trim_at: TRIM,
            sweep_at: SHORT,
        });
        u32::try_from(self.rings.len() - 1).expect("as many rings as call sites at most")
    }

    /// Forgets all deadlines; keeps rings and memory.
    pub fn clear(&mut self) {
        for ring in &mut self.rings {
            ring.clear();
        }
        self.loose.clear();
        (self.loose_order, self.loose_sweep_at) = (0, SHORT);
        self.soonest = SimTime::NEVER;
    }

    /// The deadlines of `of`, which has the same rings, as far as they are `wanted`.
    pub fn copy_from(&mut self, of: &Self, wanted: impl Fn(&Timer) -> bool) {
        for (mine, ring) in self.rings.iter_mut().zip(&of.rings) {
            mine.clear();
            let left = ring.entries[ring.start..].iter();
            mine.entries.extend(left.filter(|timer| wanted(timer)));
            mine.trim_at = mine.entries.len() + TRIM;
            mine.sweep_at = (4 * mine.entries.len()).max(SHORT);
        }
        self.loose.clone_from(&of.loose);
        (self.loose_order, self.loose_sweep_at) = (of.loose_order, of.loose_sweep_at);
        self.find_soonest();
    }

    /// When the next deadline is, wanted or not; [`SimTime::NEVER`] without any.
    #[inline]
    pub fn next_time(&self) -> SimTime {
        self.soonest
    }

    /// Adds the deadline of `payload` in its `generation`, one span of `ring` after `now`, which is
    /// not before the `now` of any earlier call. A deadline after the end of the clock never comes.
    #[inline]
    pub fn push(
        &mut self,
        ring: u32,
        now: SimTime,
        payload: u32,
        generation: u32,
        wanted: impl Fn(&Timer) -> bool,
    ) {
        let index = ring as usize;
        let ring = &mut self.rings[index];
        let at = now + ring.span;
        if at == SimTime::NEVER {
            return;
        }
        debug_assert!(ring.entries.last().is_none_or(|last| last.at <= at));
        ring.entries.push(Timer {
            at,
            payload,
            generation,
        });
        if ring.entries.len() >= ring.trim_at {
            ring.trim(wanted);
            self.find_soonest();
        } else if at < self.soonest || (at == self.soonest && index < self.soonest_ring) {
            (self.soonest, self.soonest_ring) = (at, index);
        }
    }

    /// Adds the deadline of `payload` in its `generation` at any instant. At one instant it comes after
    /// those of all rings, and after those added before it.
    pub fn push_loose(
        &mut self,
        at: SimTime,
        payload: u32,
        generation: u32,
        wanted: impl Fn(&Timer) -> bool,
    ) {
        if at == SimTime::NEVER {
            return;
        }
        self.loose_order += 1;
        self.loose
            .push(Reverse((at, self.loose_order, payload, generation)));
        if self.loose.len() >= self.loose_sweep_at {
            self.loose.retain(|&Reverse((at, _, payload, generation))| {
                wanted(&Timer {
                    at,
                    payload,
                    generation,
                })
            });
            self.loose_sweep_at = (4 * self.loose.len()).max(SHORT);
            self.find_soonest();
        } else if at < self.soonest {
            (self.soonest, self.soonest_ring) = (at, LOOSE);
        }
    }

    /// Takes out the next deadline, wanted or not.
    pub fn pop(&mut self) -> Option<Timer> {
        if self.soonest == SimTime::NEVER {
            return None;
        }
        let timer = if self.soonest_ring == LOOSE {
            let next = self.loose.pop();
            next.map(|Reverse((at, _, payload, generation))| Timer {
                at,
                payload,
                generation,
            })
        } else {
            self.rings[self.soonest_ring].take_front()
        };
        self.find_soonest();
        timer
    }

    fn find_soonest(&mut self) {
        self.soonest = SimTime::NEVER;
        for (index, ring) in self.rings.iter().enumerate() {
            if let Some(front) = ring.front()
                && front.at < self.soonest
            {
                (self.soonest, self.soonest_ring) = (front.at, index);
            }
        }
        if let Some(Reverse(next)) = self.loose.peek()
            && next.0 < self.soonest
        {
            (self.soonest, self.soonest_ring) = (next.0, LOOSE);
        }
    }
}

impl Default for Rings {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> SimTime {
        SimTime::EPOCH + SimSpan::from_secs(secs)
    }

    #[test]
    fn the_soonest_of_all_rings_comes_first_and_ties_go_to_the_older_ring() {
        let mut rings = Rings::new();
        let (short, long) = (
            rings.add(SimSpan::from_secs(2)),
            rings.add(SimSpan::from_secs(5)),
        );
        rings.push(long, secs(0), 1, 0, |_| true);
        rings.push(short, secs(1), 2, 0, |_| true);
        rings.push(short, secs(3), 3, 0, |_| true);
        let order: Vec<_> = std::iter::from_fn(|| rings.pop())
            .map(|t| (t.at, t.payload))
            .collect();
        assert_eq!(order, [(secs(3), 2), (secs(5), 3), (secs(5), 1)]);
        assert_eq!(rings.next_time(), SimTime::NEVER);
    }

    #[test]
    fn a_tie_goes_to_the_older_ring_whichever_deadline_was_added_first() {
        let mut rings = Rings::new();
        let (short, long) = (
            rings.add(SimSpan::from_secs(2)),
            rings.add(SimSpan::from_secs(5)),
        );
        rings.push(long, secs(0), 1, 0, |_| true);
        rings.push(short, secs(3), 2, 0, |_| true);
        assert_eq!(rings.pop().map(|timer| timer.payload), Some(2));
    }

    #[test]
    fn a_ring_stays_within_a_constant_of_the_deadlines_that_are_wanted() {
        let mut rings = Rings::new();
        let ring = rings.add(SimSpan::from_secs(3_600));
        for index in 0..100_000_u32 {
            rings.push(ring, secs(1), index, 0, |timer| timer.payload % 1_000 == 0);
            let wanted = index as usize / 1_000 + 1;
            assert!(rings.rings[0].entries.len() <= (4 * wanted).max(SHORT) + TRIM);
        }
        assert_eq!(rings.pop().map(|timer| timer.payload), Some(0));
        assert_eq!(rings.pop().map(|timer| timer.payload), Some(1_000));
    }

    #[test]
    fn sweeping_away_the_soonest_deadline_shows_the_next_one() {
        let mut rings = Rings::new();
        let (short, long) = (
            rings.add(SimSpan::from_secs(1)),
            rings.add(SimSpan::from_secs(9)),
        );
        rings.push(long, secs(0), 7, 0, |_| true);
        for index in 0..SHORT as u32 {
            rings.push(short, secs(0), index, 0, |_| false);
        }
        assert_eq!(rings.next_time(), secs(9));
    }

    #[test]
    fn deadlines_of_no_ring_come_in_order_and_after_those_of_rings() {
        let mut rings = Rings::new();
        let ring = rings.add(SimSpan::from_secs(2));
        rings.push_loose(secs(5), 1, 0, |_| true);
        rings.push_loose(secs(3), 2, 0, |_| true);
        rings.push(ring, secs(1), 3, 0, |_| true);
        rings.push_loose(secs(3), 4, 0, |_| true);
        let order: Vec<_> = std::iter::from_fn(|| rings.pop())
            .map(|timer| timer.payload)
            .collect();
        assert_eq!(order, [3, 2, 4, 1]);
        for index in 0..100_000_u32 {
            rings.push_loose(secs(u64::from(index)), index, 0, |timer| {
                timer.payload % 1_000 == 0
            });
            assert!(rings.loose.len() <= (4 * (index as usize / 1_000 + 1)).max(SHORT) + 1);
        }
        assert_eq!(rings.next_time(), secs(0));
    }

    #[test]
    fn a_deadline_after_the_end_of_the_clock_never_comes() {
        let mut rings = Rings::new();
        let ring = rings.add(SimSpan::MAX);
        rings.push(ring, secs(1), 0, 0, |_| true);
        assert_eq!(rings.pop(), None);
    }
}
