//! Events at arbitrary instants, in the order (time, class, sequence of scheduling).
//!
//! An entry is one `u128`: time, class, sequence, payload from the highest bit down, so that the
//! order is one integer comparison and total. The soonest entries, 64 at most, lie in eight blocks of
//! eight in no order; the soonest of each block is known. Adding one is a few stores; taking out the
//! soonest looks at sixteen entries without a branch that depends on them, which beats every heap
//! at this size. What is later lies in a binary heap, from which the blocks are filled when they run
//! empty. With the few dozen entries of a small system the heap is never touched; with many
//! thousands the cost is that of the heap.
//!
//! Nothing is ever removed before its time: whoever schedules keeps the ticket of the entry that
//! still counts, and ignores the others when they come up.

use crate::time::SimTime;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Payloads are below this: 24 bits.
pub const PAYLOAD_LIMIT: u32 = 1 << PAYLOAD_BITS;

const PAYLOAD_BITS: u32 = 24;
/// 32 bits: the order of entries of one instant and class is that of scheduling unless the count
/// wraps between them, after 4.3e9 entries.
const SEQUENCE_BITS: u32 = 32;
/// The lowest bits: the place among the soonest.
const PLACE_BITS: u32 = 6;
const CLASS_SHIFT: u32 = PLACE_BITS + PAYLOAD_BITS + SEQUENCE_BITS;

/// Entries in a block, and blocks.
const BLOCK: usize = 8;
/// Entries that are not in the heap, at most.
const NEAR: usize = BLOCK * BLOCK;
const PLACES: u64 = NEAR as u64 - 1;
/// No entry: later than all.
const NONE: u128 = u128::MAX;

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

/// Events at arbitrary instants.
#[derive(Clone, Debug)]
pub struct Agenda {
    /// The soonest entries, each with its place in its lowest bits.
    near: [[u128; BLOCK]; BLOCK],
    /// The soonest of each block of `near`.
    blocks: [u128; BLOCK],
    /// The soonest of all.
    soonest: u128,
    /// The places of `near` that are taken, as bits.
    taken: u64,
    /// Entries that are not before this one are in `far`, the others in `near`.
    border: u128,
    far: BinaryHeap<Reverse<u128>>,
    sequence: u64,
}

impl Agenda {
    /// Without any entry.
    pub fn new() -> Self {
        Self {
            near: [[NONE; BLOCK]; BLOCK],
            blocks: [NONE; BLOCK],
            soonest: NONE,
            taken: 0,
            border: NONE,
            far: BinaryHeap::new(),
            sequence: 0,
        }
    }

    /// Forgets all entries; keeps the memory.
    pub fn clear(&mut self) {
        self.near = [[NONE; BLOCK]; BLOCK];
        self.blocks.fill(NONE);
        (self.soonest, self.border) = (NONE, NONE);
        self.taken = 0;
        self.far.clear();
        self.sequence = 0;
    }

    /// Number of entries, those no longer wanted included.
    pub fn len(&self) -> usize {
        self.taken.count_ones() as usize + self.far.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// When the next event is due; [`SimTime::NEVER`] without any.
    #[inline]
    pub fn next_time(&self) -> SimTime {
        SimTime::from_nanos((self.soonest >> 64) as u64)
    }

    /// Schedules `payload` (below [`PAYLOAD_LIMIT`]) at `at`. At one instant `class` 0 comes before
    /// 1 and 2; within a class, first scheduled comes first. The ticket names this entry.
    #[inline]
    pub fn push(&mut self, at: SimTime, class: u8, payload: u32) -> u64 {
        debug_assert!(payload < PAYLOAD_LIMIT && class < 3);
        // Adding 1 first keeps the ticket 0 free, for "none".
        self.sequence = (self.sequence + 1) & ((1 << SEQUENCE_BITS) - 1);
        let ticket = (u64::from(class) << CLASS_SHIFT)
            | (self.sequence << (PAYLOAD_BITS + PLACE_BITS))
            | (u64::from(payload) << PLACE_BITS);
        let entry = (u128::from(at.as_nanos()) << 64) | u128::from(ticket);
        if self.taken == u64::MAX && entry < self.border {
            self.spill();
        }
        if entry < self.border {
            self.put(entry);
        } else {
            self.far.push(Reverse(entry));
        }
        ticket
    }

    /// Adds one of the soonest; there is a free place.
    #[inline]
    fn put(&mut self, entry: u128) {
        let place = self.taken.trailing_ones() as usize % NEAR;
        let entry = entry | place as u128;
        self.taken |= 1 << place;
        self.near[place / BLOCK][place % BLOCK] = entry;
        let block = &mut self.blocks[place / BLOCK];
        *block = entry.min(*block);
        self.soonest = entry.min(self.soonest);
    }

    /// Takes out the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<Due> {
        let entry = self.soonest;
        if entry == NONE {
            return None;
        }
        let place = (entry as u64 & PLACES) as usize;
        self.taken &= !(1 << place);
        let block = &mut self.near[place / BLOCK];
        block[place % BLOCK] = NONE;
        self.blocks[place / BLOCK] = soonest_of(block);
        self.soonest = soonest_of(&self.blocks);
        if self.taken == 0 {
            self.refill();
        }
        let ticket = entry as u64 & !PLACES;
        Some(Due {
            at: SimTime::from_nanos((entry >> 64) as u64),
            ticket,
            payload: (ticket >> PLACE_BITS) as u32 & (PAYLOAD_LIMIT - 1),
        })
    }

    /// Moves the later half of the full blocks into the heap.
    #[cold]
    fn spill(&mut self) {
        let mut entries: [u128; NEAR] = [NONE; NEAR];
        entries.copy_from_slice(self.near.as_flattened());
        entries.sort_unstable();
        self.empty();
        for &entry in &entries[..NEAR / 2] {
            self.put(entry & !u128::from(PLACES));
        }
        let later = entries[NEAR / 2..]
            .iter()
            .map(|entry| Reverse(entry & !u128::from(PLACES)));
        self.far.extend(later);
        self.find_border();
    }

    /// Takes the soonest entries of the heap into the empty blocks.
    fn refill(&mut self) {
        for _ in 0..NEAR / 2 {
            let Some(Reverse(entry)) = self.far.pop() else {
                break;
            };
            self.put(entry);
        }
        self.find_border();
    }

    fn empty(&mut self) {
        self.near = [[NONE; BLOCK]; BLOCK];
        self.blocks.fill(NONE);
        self.soonest = NONE;
        self.taken = 0;
    }

    fn find_border(&mut self) {
        self.border = self.far.peek().map_or(NONE, |&Reverse(entry)| entry);
    }
}

/// The soonest of a block, by a tournament: three comparisons after each other, not seven.
#[inline]
fn soonest_of(block: &[u128; BLOCK]) -> u128 {
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
}
