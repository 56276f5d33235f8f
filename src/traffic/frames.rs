//! The work in progress: one frame for each request and attempt, in a slab that is reused.
//!
//! A frame is something that makes calls one after the other, so it carries the state of its current
//! call as well. Four kinds: a *request* runs the calls of its journey for a user; an *attempt*
//! waits at a slot, is served and runs the calls of its operation; a *branch* runs the calls that
//! follow a miss or a failure of another frame's current call; a *leg* makes one of the calls that
//! another frame makes at the same time.
//!
//! Frames form trees: a frame has at most one child, the attempt or branch that its current call
//! waits for, or a list of legs, and the child knows its parent. All links are kept up to date, so
//! that they need no generations; only deadlines, which are dropped late, do.

use crate::ids::{Id, SlotId};
use crate::random::{Sequence, mix};
use crate::time::SimTime;

/// The increment of SplitMix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// No frame, no slot, no member.
pub(super) const NONE: u32 = u32::MAX;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: the cell is free.
    Free,
    /// A run of a journey.
    Request,
    /// A try at a call.
    Attempt,
    /// The calls after a miss: then the call is complete.
    Miss,
    /// The calls instead of one that failed.
    Rescue,
    /// One of several calls made at the same time.
    Leg,
    /// A message in a queue.
    Message,
}

/// Where an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not an attempt.
    Outside,
    /// Waiting for a worker.
    Queued,
    /// A worker is busy with the operation's own work.
    Working,
    /// Holding its worker while it makes the operation's calls.
    Calling,
    /// At no slot: nothing will ever answer.
    Lost,
    /// Waiting for a connection, or for one to be opened.
    Linking,
    /// At a slot whose process hangs: reset when that is restarted.
    Hung,
    /// At a balancer instance that is paused, on its way to a member or back.
    Held,
    /// On its way over the network, to an instance, to a slot or back.
    Away,
}

/// What a frame waits for in the agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// Its own work to be done.
    Work,
    /// The same where requests share the workers: only the next to be done has an entry.
    Share,
    /// The same, and it ends in an error.
    ShareError,
    /// The same, to be answered with an error by its slot, which is impaired.
    ShareFault,
    /// Its own work to end in an error.
    Error,
    /// A worker, no longer than until then.
    Worker,
    /// The pause before its next attempt to end.
    Pause,
    /// To hear that its attempt was cut off, or timed out while nobody looked.
    Reset,
    /// To be answered with an error by its slot, which is impaired.
    Fault,
    /// To hear that its attempt was answered while nobody looked.
    Answer,
    /// An attempt held by a balancer instance: to be sent on to a member.
    Enter,
    /// An attempt held by a balancer instance: its answer, to be sent back.
    Back,
    /// The same for an error.
    BackError,
    /// A leg: to notice that its deadline has passed.
    Expired,
    /// A connection, no longer than until then, if there is an end.
    Channel,
    /// Its connection to be open, or given to it.
    Linked,
    /// An attempt on its way: to be at its balancer instance.
    AtRelay,
    /// To be at its slot.
    AtSlot,
    /// To be back with an answer.
    Home,
    /// To be back with an error.
    HomeError,
    /// To be back, refused.
    HomeRefused,
    /// To be back from a full queue, or one where it has waited too long.
    HomeShed,
    /// A message: to be delivered again.
    Redeliver,
}

impl Wait {
    /// Whether it is work at a slot whose workers are shared.
    pub(super) fn is_share(self) -> bool {
        matches!(self, Self::Share | Self::ShareError | Self::ShareFault)
    }
}

/// A request, attempt or branch. Two lines of a cache, so that a place is found by a shift.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Frame {
    /// Everything drawn for this frame comes from here.
    pub draws: Sequence,
    /// An attempt where the network takes time: decides how long.
    pub way: u64,
    /// Ticket of the agenda entry it waits for; 0 for none.
    pub due: u64,
    /// A request: when it arrived. An attempt: when it queued, then when it got its worker.
    pub since: SimTime,
    /// When the current call began.
    pub call_from: SimTime,
    /// Members tried by the current call: their bits, or a block of the table for large pools.
    pub tried: u64,
    /// How often the cell was freed.
    pub generation: u32,
    /// Who waits for it; [`NONE`] for a request and for an attempt whose caller has gone.
    pub parent: u32,
    /// The attempt or branch that the current call waits for, or the first of its legs.
    pub child: u32,
    /// The one queued before it; the leg before.
    pub before: u32,
    /// The one queued after it; the leg after; the next free cell.
    pub after: u32,
    /// Where its calls come from: an attempt's slot, [`NONE`] for a user.
    pub slot: u32,
    /// The balancer instance an attempt goes through.
    pub relay: u32,
    /// The attempt's target as a member of that balancer's pool.
    pub member: u32,
    /// The journey of a request, the operation of an attempt.
    pub what: u32,
    /// Its current or next call, as a position in the plan's sequence, and the end of its calls.
    pub position: u32,
    pub end: u32,
    /// Attempts of the current call so far.
    pub attempts: u32,
    /// The member that the latest of them went to.
    pub latest: u32,
    /// Legs that must still succeed; 0 while it has none.
    pub needed: u32,
    /// Legs that may still fail.
    pub spare: u32,
    /// The slice of a counted request.
    pub cell: u32,
    /// The line of connections of which an attempt has one, or in which it waits for one.
    pub line: u32,
    pub kind: Kind,
    pub state: State,
    pub wait: Wait,
    /// Caused by a counted request.
    pub counted: bool,
    /// An optional call has failed.
    pub degraded: bool,
    /// The latest attempt of the current call was answered with an operation's own error.
    pub base: bool,
    /// The current call was answered by a cache that does not have this yet.
    pub cold: bool,
    /// Counted as in progress by its balancer instance.
    pub connected: bool,
    /// Nothing gets through any more between the caller and the slot or the instance.
    pub cut_front: bool,
    /// Nothing gets through any more between the instance and the slot.
    pub cut_back: bool,
    /// Something has happened to its current call, or the pause before the next attempt is over, and
    /// its slot, which is paused, has not noticed; `wait` says what.
    pub held: bool,
    /// A request: healthy, failover or degraded on arrival.
    pub condition: u8,
    /// How urgent it is: priorities of the scenario below the normal one; negative for those above.
    pub rank: i8,
}

impl Frame {
    /// A frame without any relation, whose draws come from `key`.
    #[inline]
    const fn new(kind: Kind, key: u64) -> Self {
        Self {
            draws: Sequence::from_key(key),
            way: 0,
            due: 0,
            since: SimTime::EPOCH,
            call_from: SimTime::EPOCH,
            tried: 0,
            generation: 0,
            parent: NONE,
            child: NONE,
            before: NONE,
            after: NONE,
            slot: NONE,
            relay: NONE,
            member: NONE,
            what: 0,
            position: 0,
            end: 0,
            attempts: 0,
            latest: NONE,
            needed: 0,
            spare: 0,
            cell: 0,
            line: NONE,
            kind,
            state: State::Outside,
            wait: Wait::Work,
            counted: false,
            degraded: false,
            base: false,
            cold: false,
            connected: false,
            cut_front: false,
            cut_back: false,
            held: false,
            condition: 0,
            rank: 0,
        }
    }

    /// The next 64 bits of this frame's own sequence.
    #[inline]
    pub(super) fn roll(&mut self) -> u64 {
        self.draws.bits()
    }

    /// Whether it is an attempt that occupies a slot.
    pub(super) fn is_at_slot(&self) -> bool {
        matches!(self.state, State::Queued | State::Working | State::Calling)
    }

    /// The slot its calls come from; `None` for a user.
    #[inline]
    pub(super) fn at(&self) -> Option<SlotId> {
        (self.slot != NONE).then(|| SlotId::from_index(self.slot as usize))
    }
}

/// Uniform on (0, 1) from 64 random bits, as `Stream::uniform` makes it.
#[inline]
pub(super) fn uniform(bits: u64) -> f64 {
    ((bits >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
}

/// The bits with which the member for the attempt `key` is chosen: a number of the attempt's
/// sequence that lies before those the attempt itself uses.
#[inline]
pub(super) fn pick_bits(key: u64) -> u64 {
    mix(key)
}

/// What the user of the request `key` draws: apart from the request's own sequence, so that the rest
/// is the same whatever the patience.
#[inline]
pub(super) fn patience_draws(key: u64) -> Sequence {
    Sequence::from_key(mix(key ^ GOLDEN))
}

/// What the attempt `key` draws while it queues: apart from its own sequence, from which the one that
/// finds a worker free draws the same numbers as the one that waits.
#[inline]
pub(super) fn queue_draws(key: u64) -> Sequence {
    Sequence::from_key(mix(!key))
}

/// What the attempt `key` draws for the opening of its connection, apart from everything else.
#[inline]
pub(super) fn channel_draws(key: u64) -> Sequence {
    Sequence::from_key(mix(!key ^ GOLDEN))
}

/// The bits with which the balancer instance is drawn: the number before.
#[inline]
pub(super) fn relay_bits(key: u64) -> u64 {
    mix(key.wrapping_sub(GOLDEN))
}

/// The bits that decide whether the attempt whose draws begin here is answered with an error by its
/// slot: the number before those.
#[inline]
pub(super) fn error_bits(draws: &Sequence) -> u64 {
    mix(draws.key().wrapping_sub(GOLDEN.wrapping_mul(2)))
}

/// The bits that decide whether the balancer instance answers the attempt `key` with an error.
#[inline]
pub(super) fn relay_error_bits(key: u64) -> u64 {
    mix(key.wrapping_sub(GOLDEN.wrapping_mul(3)))
}

/// What the way of the attempt `key` over the network draws, in one of its parts: apart from its own
/// sequence, so that the rest is the same however far it is.
#[inline]
pub(super) fn travel_draws(key: u64, part: u64) -> Sequence {
    Sequence::from_key(mix(mix(key ^ GOLDEN.rotate_left(17)).wrapping_add(part)))
}

/// All frames.
#[derive(Clone, Debug)]
pub(super) struct Frames {
    cells: Vec<Frame>,
    free: u32,
    live: u32,
    limit: u32,
}

impl Frames {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            cells: Vec::new(),
            free: NONE,
            live: 0,
            limit,
        }
    }

    pub(super) fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }

    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// Whether no further frame may be taken.
    #[inline]
    pub(super) fn full(&self) -> bool {
        self.live >= self.limit
    }

    /// Whether `count` more may be taken.
    pub(super) fn room(&self, count: u32) -> bool {
        self.live.saturating_add(count) <= self.limit
    }

    pub(super) fn live(&self) -> u32 {
        self.live
    }

    /// What the first roll of a request with this key gives.
    pub(super) fn first_roll(key: u64) -> u64 {
        Sequence::from_key(key).bits()
    }

    /// Takes a cell for a frame whose draws come from `key`, without any relation. The caller has
    /// seen that the table is not [`full`](Self::full).
    #[inline]
    pub(super) fn take(&mut self, kind: Kind, key: u64) -> (u32, &mut Frame) {
        self.live += 1;
        let index = self.free;
        if index == NONE {
            return self.grow(kind, key);
        }
        // A released cell is as new.
        let cell = &mut self.cells[index as usize];
        self.free = cell.after;
        cell.after = NONE;
        cell.kind = kind;
        cell.draws = Sequence::from_key(key);
        (index, cell)
    }

    #[cold]
    fn grow(&mut self, kind: Kind, key: u64) -> (u32, &mut Frame) {
        let index = self.cells.len();
        self.cells.push(Frame::new(kind, key));
        (index as u32, &mut self.cells[index])
    }

    /// Gives a cell back, as good as new; returns what was in it.
    #[inline(always)]
    pub(super) fn release(&mut self, index: u32) -> Frame {
        let cell = &mut self.cells[index as usize];
        debug_assert!(cell.kind != Kind::Free);
        let generation = cell.generation.wrapping_add(1);
        let new = Frame {
            generation,
            after: self.free,
            ..Frame::new(Kind::Free, 0)
        };
        self.free = index;
        self.live -= 1;
        std::mem::replace(cell, new)
    }

    /// Frees all; deadlines of before stay invalid only if they are dropped too.
    pub(super) fn clear(&mut self) {
        self.cells.clear();
        self.free = NONE;
        self.live = 0;
    }

    /// The frames of `of`; what they have not drawn yet they will draw by `key`.
    pub(super) fn branch_from(&mut self, of: &Self, key: u64) {
        self.cells.clone_from(&of.cells);
        (self.free, self.live) = (of.free, of.live);
        for cell in &mut self.cells {
            cell.draws = Sequence::from_key(mix(cell.draws.key() ^ key));
        }
    }

    /// All cells, free ones included.
    pub(super) fn cells(&self) -> &[Frame] {
        &self.cells
    }
}

impl std::ops::Index<u32> for Frames {
    type Output = Frame;
    #[inline]
    fn index(&self, index: u32) -> &Frame {
        &self.cells[index as usize]
    }
}

impl std::ops::IndexMut<u32> for Frames {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut Frame {
        &mut self.cells[index as usize]
    }
}
