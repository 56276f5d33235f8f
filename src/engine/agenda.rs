//! Events at arbitrary instants, in the order (time, class, sequence of scheduling).
//!
//! An entry is a time and a ticket: class, sequence and payload from the highest bit down, so that
//! the order is that of two integers, and total. The soonest entries, 64 at most, lie in eight blocks
//! of eight in no order; the soonest of each block is known. Adding one is a few stores; taking out
//! the soonest looks at sixteen words without a branch that depends on them, which beats every heap
//! at this size. What is later lies in a binary heap, from which the blocks are filled when they run
//! empty. With the few dozen entries of a small system the heap is never touched; with many
//! thousands the cost is that of the heap.
//!
//! A word of the blocks is the time since a base and the place, so that the least word names its
//! place. It does not order entries of one instant: those are told apart by their tickets, when it
//! turns out that the next one is due at the same time, which is seldom.
//!
//! Whoever schedules keeps the ticket of the entry that still counts, and ignores the others when they
//! come up. Where many are given up long before their time, [`Agenda::sweep`] takes them out of the heap.

use crate::time::SimTime;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Payloads are below this: 24 bits.
pub const PAYLOAD_LIMIT: u32 = 1 << PAYLOAD_BITS;

const PAYLOAD_BITS: u32 = 24;
/// 32 bits: the order of entries of one instant and class is that of scheduling unless the count
/// wraps between them, after 4.3e9 entries.
const SEQUENCE_BITS: u32 = 32;
const CLASS_SHIFT: u32 = PAYLOAD_BITS + SEQUENCE_BITS;

/// Entries in a block, and blocks.
const BLOCK: usize = 8;
/// Entries that are not in the heap, at most.
const NEAR: usize = BLOCK * BLOCK;
/// The lowest bits of a word: the place.
const PLACE_BITS: u32 = NEAR.ilog2();
const PLACES: u64 = NEAR as u64 - 1;
/// Times in the blocks are less than this after the base: nine years.
const REACH: u64 = 1 << (u64::BITS - PLACE_BITS - 1);
/// No entry: later than all.
const NONE: u64 = u64::MAX;

/// An event that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: SimTime,
    /// What was returned when it was scheduled; never 0.
    pub ticket: u64,
    /// What was scheduled.
    pub payload: u32,
}

/// Time, nanoseconds, and ticket.
type Entry = (u64, u64);

/// Events at arbitrary instants.
#[derive(Clone, Debug)]
pub struct Agenda {
    /// When the next event is due, nanoseconds; [`NONE`] without any.
    next: u64,
    /// The least of all words.
    soonest: u64,
    /// The places that are taken, as bits.
    taken: u64,
    /// What the times in words are counted from: not after any entry.
    base: u64,
    sequence: u64,
    /// The least word of each block.
    blocks: [u64; BLOCK],
    words: [[u64; BLOCK]; BLOCK],
    tickets: [u64; NEAR],
    /// Entries that are not before this one are in `far`, the others in the blocks.
    border: Entry,
    /// How far the border is from the base.
    span: u64,
    far: BinaryHeap<Reverse<Entry>>,
    /// At this many entries the heap is swept.
    sweep_at: usize,
}

/// The heap is not swept below this many entries.
const SHORT: usize = 4_096;

impl Agenda {
    /// Without any entry.
    pub fn new() -> Self {
        Self {
            next: NONE,
            soonest: NONE,
            taken: 0,
            base: 0,
            sequence: 0,
            blocks: [NONE; BLOCK],
            words: [[NONE; BLOCK]; BLOCK],
            tickets: [0; NEAR],
            border: (REACH, 0),
            span: REACH,
            far: BinaryHeap::new(),
            sweep_at: SHORT,
        }
    }

    /// Forgets all entries; keeps the memory.
    pub fn clear(&mut self) {
        self.empty();
        self.far.clear();
        self.sweep_at = SHORT;
        self.base = 0;
        self.find_border();
        self.sequence = 0;
    }

    /// The entries of `of`, with their tickets.
    pub fn copy_from(&mut self, of: &Self) {
        let Self {
            next,
            soonest,
            taken,
            base,
            sequence,
            blocks,
            words,
            tickets,
            border,
            span,
            far,
            sweep_at,
        } = of;
        (self.next, self.soonest, self.taken) = (*next, *soonest, *taken);
        (self.base, self.sequence, self.blocks) = (*base, *sequence, *blocks);
        (self.words, self.tickets) = (*words, *tickets);
        (self.border, self.span, self.sweep_at) = (*border, *span, *sweep_at);
        self.far.clone_from(far);
    }

    /// Takes out of the heap what `wanted` (payload, ticket) does not know any more, whenever it has
    /// grown to four times what was left of it the last time.
    #[inline]
    pub fn sweep(&mut self, wanted: impl Fn(u32, u64) -> bool) {
        if self.far.len() >= self.sweep_at {
            let payload = |ticket: u64| ticket as u32 & (PAYLOAD_LIMIT - 1);
            // The border may stay: nothing in the heap is before it.
            self.far
                .retain(|&Reverse((_, ticket))| wanted(payload(ticket), ticket));
            self.sweep_at = (4 * self.far.len()).max(SHORT);
        }
    }

    /// Number of entries, those no longer wanted included.
    pub fn len(&self) -> usize {
        self.taken.count_ones() as usize + self.far.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// All entries, those no longer wanted included, in no order. Looks at every one of them: for
    /// whoever has to find many at once, seldom.
    pub fn entries(&self) -> impl Iterator<Item = Due> + '_ {
        let near = (0..NEAR).filter(|place| self.taken >> place & 1 == 1);
        let near = near.map(|place| {
            let word = self.words[place / BLOCK][place % BLOCK];
            (self.base + (word >> PLACE_BITS), self.tickets[place])
        });
        let far = self.far.iter().map(|&Reverse(entry)| entry);
        near.chain(far).map(|(at, ticket)| Due {
            at: SimTime::from_nanos(at),
            ticket,
            payload: ticket as u32 & (PAYLOAD_LIMIT - 1),
        })
    }

    /// When the next event is due; [`SimTime::NEVER`] without any.
    #[inline]
    pub fn next_time(&self) -> SimTime {
        SimTime::from_nanos(self.next)
    }

    /// Schedules `payload` (below [`PAYLOAD_LIMIT`]) at `at`. At one instant `class` 0 comes before
    /// 1 and 2; within a class, first scheduled comes first. The ticket names this entry.
    #[inline]
    pub fn push(&mut self, at: SimTime, class: u8, payload: u32) -> u64 {
        debug_assert!(payload < PAYLOAD_LIMIT && class < 3);
        // Adding 1 first keeps the ticket 0 free, for "none".
        self.sequence = (self.sequence + 1) & ((1 << SEQUENCE_BITS) - 1);
        let ticket = (u64::from(class) << CLASS_SHIFT)
            | (self.sequence << PAYLOAD_BITS)
            | u64::from(payload);
        let entry = (at.as_nanos(), ticket);
        if entry.0.wrapping_sub(self.base) < self.span && self.taken != u64::MAX {
            self.put(entry);
        } else {
            self.insert(entry);
        }
        ticket
    }

    /// Adds one that lies before the border and not before the base; there is a free place.
    #[inline]
    fn put(&mut self, (at, ticket): Entry) {
        let place = self.taken.trailing_ones() as usize % NEAR;
        let word = (at - self.base) << PLACE_BITS | place as u64;
        self.taken |= 1 << place;
        self.words[place / BLOCK][place % BLOCK] = word;
        self.tickets[place] = ticket;
        let block = &mut self.blocks[place / BLOCK];
        *block = word.min(*block);
        self.soonest = word.min(self.soonest);
        self.next = at.min(self.next);
    }

    /// Takes out the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<Due> {
        if self.taken == 0 {
            return None;
        }
        let (at, word) = (self.next, self.soonest);
        let place = (word & PLACES) as usize;
        self.take_out(place);
        let mut ticket = self.tickets[place];
        if self.soonest >> PLACE_BITS == word >> PLACE_BITS {
            ticket = self.first_of_instant((at, ticket));
        }
        if self.taken == 0 {
            self.refill();
        }
        Some(Due {
            at: SimTime::from_nanos(at),
            ticket,
            payload: ticket as u32 & (PAYLOAD_LIMIT - 1),
        })
    }

    #[inline]
    fn take_out(&mut self, place: usize) {
        self.taken &= !(1 << place);
        let block = &mut self.words[place / BLOCK];
        block[place % BLOCK] = NONE;
        self.blocks[place / BLOCK] = least(block);
        self.soonest = least(&self.blocks);
        self.next = if self.soonest == NONE {
            NONE
        } else {
            self.base + (self.soonest >> PLACE_BITS)
        };
    }

    /// More entries are due at the instant of `entry`, which was taken out: takes out the one that
    /// comes first instead, and returns its ticket. It is in the blocks, as they hold the soonest.
    #[cold]
    fn first_of_instant(&mut self, entry: Entry) -> u64 {
        let (at, mut first) = entry;
        let instant = self.soonest >> PLACE_BITS;
        let mut others: [u64; NEAR] = [0; NEAR];
        let mut count = 0;
        while self.soonest >> PLACE_BITS == instant {
            let place = (self.soonest & PLACES) as usize;
            self.take_out(place);
            let ticket = self.tickets[place];
            others[count] = ticket.max(first);
            first = ticket.min(first);
            count += 1;
        }
        for &ticket in &others[..count] {
            self.put((at, ticket));
        }
        first
    }

    /// Adds one that goes to the heap, or for which the blocks have no place.
    fn insert(&mut self, entry: Entry) {
        if self.taken > 0 && entry >= self.border {
            self.far.push(Reverse(entry));
        } else {
            self.arrange(entry);
        }
    }

    /// Puts the entries of the blocks and one more, which lies before the border or alone, into the
    /// blocks, counted from the soonest of them; moves the later half into the heap if they are too
    /// many, and what is out of reach.
    #[cold]
    fn arrange(&mut self, entry: Entry) {
        let mut entries: [Entry; NEAR + 1] = [entry; NEAR + 1];
        let mut count = 1;
        for place in (0..NEAR).filter(|place| self.taken >> place & 1 == 1) {
            let word = self.words[place / BLOCK][place % BLOCK];
            entries[count] = (self.base + (word >> PLACE_BITS), self.tickets[place]);
            count += 1;
        }
        let entries = &mut entries[..count];
        entries.sort_unstable();
        self.empty();
        self.base = entries[0].0;
        let most = if count > NEAR { NEAR / 2 } else { count };
        for (index, &entry) in entries.iter().enumerate() {
            if index < most && entry.0 - self.base < REACH {
                self.put(entry);
            } else {
                self.far.push(Reverse(entry));
            }
        }
        self.find_border();
    }

    /// Takes the soonest entries of the heap into the empty blocks.
    fn refill(&mut self) {
        let Some(&Reverse((base, _))) = self.far.peek() else {
            return;
        };
        self.base = base;
        for _ in 0..NEAR / 2 {
            match self.far.peek() {
                Some(&Reverse(entry)) if entry.0 - base < REACH => self.put(entry),
                _ => break,
            }
            self.far.pop();
        }
        self.find_border();
    }

    fn empty(&mut self) {
        self.words = [[NONE; BLOCK]; BLOCK];
        self.blocks.fill(NONE);
        (self.next, self.soonest) = (NONE, NONE);
        self.taken = 0;
    }

    fn find_border(&mut self) {
        let reach = (self.base.saturating_add(REACH), 0);
        self.border = self
            .far
            .peek()
            .map_or(reach, |&Reverse(entry)| entry.min(reach));
        self.span = self.border.0 - self.base;
    }
}

/// The least word of a block, by a tournament: three comparisons after each other, not seven.
#[inline]
fn least(block: &[u64; BLOCK]) -> u64 {
    let [a, b, c, d, e, f, g, h] = *block;
    (a.min(b).min(c.min(d))).min(e.min(f).min(g.min(h)))
}

impl Default for Agenda {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;
    use crate::time::SimSpan;

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    #[test]
    fn one_instant_is_ordered_by_class_and_then_by_scheduling() {
        let mut agenda = Agenda::new();
        for (class, payload) in [(1, 10), (0, 11), (1, 12), (0, 9)] {
            agenda.push(at(5), class, payload);
        }
        agenda.push(at(4), 2, 1);
        let order: Vec<u32> = std::iter::from_fn(|| agenda.pop())
            .map(|due| due.payload)
            .collect();
        assert_eq!(order, [1, 11, 9, 10, 12]);
        assert_eq!(agenda.next_time(), SimTime::NEVER);
    }

    #[test]
    fn a_ticket_is_returned_with_its_event() {
        let mut agenda = Agenda::new();
        let ticket = agenda.push(at(5), 0, 7);
        assert_ne!(ticket, 0);
        assert_eq!(
            agenda.pop(),
            Some(Due {
                at: at(5),
                ticket,
                payload: 7
            })
        );
    }

    #[test]
    fn any_mix_of_adding_and_taking_comes_out_sorted() {
        for size in [3, 40, 64, 65, 200, 3_000] {
            let mut stream = Key::of_seed(size).stream();
            let mut agenda = Agenda::new();
            let mut now = 0;
            let mut pending = std::collections::BTreeSet::new();
            for step in 0..20_000_u32 {
                if (pending.len() as u64) < size {
                    let time = now + stream.bits() % 1_000;
                    let ticket = agenda.push(at(time), 0, step % PAYLOAD_LIMIT);
                    pending.insert((time, ticket));
                } else {
                    let due = agenda.pop().unwrap();
                    assert_eq!(pending.pop_first(), Some((due.at.as_nanos(), due.ticket)));
                    now = due.at.as_nanos();
                    if stream.bits().is_multiple_of(4) {
                        let due = agenda.pop().unwrap();
                        assert_eq!(pending.pop_first(), Some((due.at.as_nanos(), due.ticket)));
                        now = due.at.as_nanos();
                    }
                }
                assert_eq!(agenda.len(), pending.len());
            }
        }
    }

    #[test]
    fn more_entries_of_one_instant_than_there_is_place_come_out_in_their_order() {
        let mut agenda = Agenda::new();
        let mut expected: Vec<(u8, u32)> = (0..200)
            .map(|payload| ((payload % 2) as u8, payload))
            .collect();
        for &(class, payload) in &expected {
            agenda.push(at(7), class, payload);
        }
        expected.sort_unstable();
        for (_, payload) in expected {
            assert_eq!(agenda.pop().map(|due| due.payload), Some(payload));
        }
        assert!(agenda.is_empty());
    }

    #[test]
    fn times_that_are_centuries_apart_or_before_all_others_are_in_order() {
        let mut agenda = Agenda::new();
        let times = [
            5 * REACH,
            3,
            u64::MAX,
            2 * REACH,
            REACH - 1,
            REACH,
            1,
            u64::MAX - 1,
        ];
        for (payload, &time) in times.iter().enumerate() {
            agenda.push(at(time), 0, payload as u32);
        }
        let mut sorted = times;
        sorted.sort_unstable();
        for time in sorted {
            assert_eq!(agenda.next_time(), at(time));
            assert_eq!(agenda.pop().map(|due| due.at), Some(at(time)));
        }
        assert_eq!(agenda.pop(), None);
        agenda.push(at(2), 0, 0);
        assert_eq!(agenda.next_time(), at(2));
    }

    #[test]
    fn sweeping_keeps_the_heap_within_a_constant_of_what_is_wanted_and_the_order() {
        let mut agenda = Agenda::new();
        let end = SimTime::START + SimSpan::from_secs(1_000_000);
        let mut kept = Vec::new();
        for index in 0..100_000_u32 {
            let ticket = agenda.push(
                end + SimSpan::from_nanos(u64::from(index) % 1_009),
                1,
                index,
            );
            if index % 1_000 == 0 {
                kept.push(ticket);
            }
            agenda.sweep(|payload, _| payload % 1_000 == 0);
            assert!(agenda.len() <= SHORT + NEAR);
        }
        let mut found = Vec::new();
        let mut before = SimTime::EPOCH;
        while let Some(due) = agenda.pop() {
            assert!(due.at >= before);
            before = due.at;
            if due.payload % 1_000 == 0 {
                found.push(due.ticket);
            }
        }
        found.sort_unstable();
        assert_eq!(found, kept);
    }
}
