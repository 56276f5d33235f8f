//! Which request comes next: one cursor for each workload, the soonest of them kept at hand.

use super::crowd::Crowd;
use crate::ids::{Id, IdVec, WorkloadId};
use crate::model::{Profile, Steps, Swing, System, Workload};
use crate::random::arrivals::{ArrivalCursor, Intensity, PaceCursor};
use crate::random::piecewise::{Piece, PieceCursor, Pieces};
use crate::random::{Key, Purpose, name_hash};
use crate::time::{SimSpan, SimTime};
use std::f64::consts::TAU;

/// Names the streams that requests come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The requests of one replication: any stretch of it sees the same ones.
    Replication {
        /// The seed of the run.
        seed: u64,
        /// Which replication.
        replication: u64,
    },
    /// Requests of their own, for samples of a regime that replications share.
    Sample {
        /// The seed of the run.
        seed: u64,
        /// Which regime.
        regime: u64,
        /// Which sample of it.
        batch: u64,
    },
}

impl Source {
    /// The key of what balancers know at the beginning of a stretch.
    pub(super) fn known(self, from: SimTime) -> Key {
        self.key("", Purpose::Phase).with(from.as_nanos())
    }

    /// The key of one workload's arrivals, or of something else that its users draw.
    fn key(self, workload: &str, purpose: Purpose) -> Key {
        match self {
            Self::Replication { seed, replication } => {
                Key::component(seed, replication, name_hash(workload), purpose)
            }
            Self::Sample {
                seed,
                regime,
                batch,
            } => {
                let key = Key::of_seed(seed)
                    .with(Purpose::Sample as u64)
                    .with(regime)
                    .with(batch)
                    .with(name_hash(workload));
                match purpose {
                    Purpose::Arrivals => key,
                    other => key.with(other as u64),
                }
            }
        }
    }
}

/// A swinging or steady rate as an intensity.
#[derive(Clone, Copy, Debug)]
struct Rate {
    /// Requests per second, mean.
    mean: f64,
    swing: Option<Swing>,
}

impl Intensity for Rate {
    fn max(&self) -> f64 {
        self.mean * (1.0 + self.swing.map_or(0.0, Swing::amplitude))
    }

    fn at(&self, at: SimTime) -> f64 {
        self.mean * self.swing.map_or(1.0, |swing| swing.level(at))
    }

    fn varies(&self) -> bool {
        self.swing.is_some_and(|swing| swing.ratio > 1.0)
    }

    /// The rate in the middle, give or take the steepest slope of its cosine.
    fn bounds(&self, from: SimTime, to: SimTime) -> (f64, f64) {
        let Some(swing) = self.swing else {
            return (self.mean, self.mean);
        };
        let half = SimSpan::from_nanos(to.since(from).as_nanos() / 2);
        let middle = self.at(from + half);
        let slope = self.mean * swing.amplitude() * TAU / 86_400.0;
        // A nanosecond more for the half that was cut off, and more than all rounding.
        let slack = slope * (half.as_secs_f64() + 1e-9) + 1e-9 * self.mean;
        (middle - slack, middle + slack)
    }
}

/// A rate in steps.
#[derive(Clone, Copy, Debug)]
struct StepRate<'a> {
    /// Requests per second, mean.
    mean: f64,
    steps: &'a Steps,
}

impl Pieces for StepRate<'_> {
    fn piece(&self, at: SimTime) -> Piece {
        self.steps.piece(self.mean, at)
    }
}

/// The stream of one workload.
#[derive(Clone, Debug)]
enum Cursor<'a> {
    Poisson(ArrivalCursor<Rate>),
    Steps(PieceCursor<StepRate<'a>>),
    Paced(PaceCursor),
    /// Not a stream: see [`Crowd`].
    Crowd,
}

impl<'a> Cursor<'a> {
    fn new(key: Key, workload: &'a Workload) -> Self {
        if workload.users.is_some() {
            return Self::Crowd;
        }
        match workload.every {
            None => Self::poisson(key, workload, workload.rate),
            Some(every) => Self::Paced(PaceCursor::new(key, every)),
        }
    }

    /// Independent requests, `mean` per second, in the rhythm of `workload`.
    fn poisson(key: Key, workload: &'a Workload, mean: f64) -> Self {
        let swing = match &workload.profile {
            Some(Profile::Steps(steps)) => {
                return Self::Steps(PieceCursor::new(key, StepRate { mean, steps }));
            }
            Some(Profile::Swing(swing)) => Some(*swing),
            None => None,
        };
        Self::Poisson(ArrivalCursor::new(key, Rate { mean, swing }))
    }

    fn seek(&mut self, at: SimTime) {
        match self {
            Self::Poisson(cursor) => cursor.seek(at),
            Self::Steps(cursor) => cursor.seek(at),
            Self::Paced(cursor) => cursor.seek(at),
            Self::Crowd => {}
        }
    }

    #[inline]
    fn peek_time(&self) -> SimTime {
        match self {
            Self::Poisson(cursor) => cursor.peek_time(),
            Self::Steps(cursor) => cursor.peek_time(),
            Self::Paced(cursor) => cursor.peek_time(),
            Self::Crowd => SimTime::NEVER,
        }
    }

    #[inline(always)]
    fn next(&mut self) -> (SimTime, u64) {
        match self {
            Self::Poisson(cursor) => cursor.next(),
            Self::Steps(cursor) => cursor.next(),
            Self::Paced(cursor) => cursor.next(),
            Self::Crowd => (SimTime::NEVER, 0),
        }
    }
}

/// A request that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub at: SimTime,
    /// Everything the request draws follows from it.
    pub key: u64,
    /// The row of its workload.
    pub workload: usize,
    /// Which of the users of a closed loop; [`NOBODY`] of an open one.
    pub user: u32,
}

/// A request that no user of a closed loop waits for.
pub(super) const NOBODY: u32 = u32::MAX;

/// The arrivals of all workloads, in order of time; ties go to the workload named first.
///
/// What comes in a burst beside the usual requests has a cursor of its own, after those of the
/// workloads, at the end of time while there is no burst: so a burst moves no other request.
#[derive(Clone, Debug)]
pub(super) struct Arrivals<'a> {
    workloads: Vec<&'a Workload>,
    /// The rows of those with bursts.
    bursting: Vec<usize>,
    cursors: Vec<Cursor<'a>>,
    /// Users in a closed loop, with the rows of their workloads.
    crowds: Vec<(usize, Crowd<'a>)>,
    soonest: SimTime,
    /// The row of the soonest cursor; those of crowds come after all others.
    soonest_cursor: usize,
}

impl<'a> Arrivals<'a> {
    /// Nothing comes before [`begin`](Self::begin).
    pub(super) fn new(system: &'a System) -> Self {
        let workloads: Vec<&Workload> = system.workloads.iter().collect();
        let rows = 0..workloads.len();
        let bursting: Vec<usize> = rows
            .filter(|&row| workloads[row].bursts.is_some())
            .collect();
        let crowds = workloads.iter().enumerate();
        let crowds = crowds.filter_map(|(row, workload)| {
            let users = workload.users.as_ref()?;
            Some((row, Crowd::new(users)))
        });
        Self {
            crowds: crowds.collect(),
            cursors: Vec::with_capacity(workloads.len() + bursting.len()),
            workloads,
            bursting,
            soonest: SimTime::NEVER,
            soonest_cursor: 0,
        }
    }

    /// The arrivals of `source` that are not before `from`, with the bursts that are active.
    pub(super) fn begin(
        &mut self,
        source: Source,
        from: SimTime,
        bursts: &IdVec<WorkloadId, bool>,
    ) {
        self.cursors.clear();
        for &workload in &self.workloads {
            let key = source.key(&workload.name, Purpose::Arrivals);
            let mut cursor = Cursor::new(key, workload);
            cursor.seek(from);
            self.cursors.push(cursor);
        }
        for &row in &self.bursting {
            let workload = self.workloads[row];
            let key = source.key(&workload.name, Purpose::Burst);
            let more = workload.rate * (workload.burst_factor() - 1.0);
            let mut cursor = Cursor::poisson(key, workload, more);
            let active = bursts[WorkloadId::from_index(row)];
            cursor.seek(if active { from } else { SimTime::NEVER });
            self.cursors.push(cursor);
        }
        for (row, crowd) in &mut self.crowds {
            let name = &self.workloads[*row].name;
            crowd.begin(source.key(name, Purpose::Thinking), from);
        }
        self.find_soonest();
    }

    /// Of the streams of workloads only those whose row is `wanted`, and none of closed loops.
    pub(super) fn keep(&mut self, wanted: &[bool]) {
        for (index, cursor) in self.cursors.iter_mut().enumerate() {
            let row = match index.checked_sub(self.workloads.len()) {
                None => index,
                Some(row) => self.bursting[row],
            };
            if !wanted[row] {
                cursor.seek(SimTime::NEVER);
            }
        }
        for (_, crowd) in &mut self.crowds {
            crowd.end();
        }
        self.find_soonest();
    }

    /// The arrivals of `of`, all of them Poisson streams, up to `now`, and others named by `key` from then on.
    pub(super) fn branch_from(&mut self, of: &Self, key: Key, now: SimTime) {
        self.cursors.clone_from(&of.cursors);
        for (index, cursor) in (0..).zip(&mut self.cursors) {
            if let Cursor::Poisson(cursor) = cursor {
                cursor.renew(key.with(index), now);
            }
        }
        self.find_soonest();
    }

    /// A user of `workload`, which is a closed loop, has an answer or has left at `now`.
    pub(super) fn think(&mut self, workload: usize, user: u32, now: SimTime) {
        let crowd = self.crowds.iter_mut().find(|(row, _)| *row == workload);
        if let Some((_, crowd)) = crowd {
            crowd.think(user, now);
            self.find_soonest();
        }
    }

    /// A burst of `workload` begins or ends at `at`.
    pub(super) fn burst(&mut self, workload: WorkloadId, active: bool, at: SimTime) {
        let row = self
            .bursting
            .iter()
            .position(|&row| row == workload.index());
        let cursor = row.and_then(|row| self.cursors.get_mut(self.workloads.len() + row));
        if let Some(cursor) = cursor {
            cursor.seek(if active { at } else { SimTime::NEVER });
            self.find_soonest();
        }
    }

    /// Nothing comes any more.
    pub(super) fn end(&mut self) {
        self.cursors.clear();
        for (_, crowd) in &mut self.crowds {
            crowd.end();
        }
        self.soonest = SimTime::NEVER;
    }

    /// When the next request arrives; [`SimTime::NEVER`] if none does.
    #[inline]
    pub(super) fn next_time(&self) -> SimTime {
        self.soonest
    }

    /// The next requests before `end`, about `most` of them at a time.
    pub(super) fn take_before(&mut self, end: SimTime, most: usize, into: &mut Vec<Arrival>) {
        if let ([Cursor::Poisson(only)], true) = (&mut self.cursors[..], self.crowds.is_empty()) {
            while only.peek_time() < end && into.len() < most {
                let (at, key) = only.next();
                into.push(Arrival {
                    at,
                    key,
                    workload: 0,
                    user: NOBODY,
                });
            }
            return self.find_soonest();
        }
        while self.soonest < end && into.len() < most {
            let next = self.next();
            into.push(next);
        }
    }

    /// The next request. There is one: [`next_time`](Self::next_time) is not never.
    #[inline]
    pub(super) fn next(&mut self) -> Arrival {
        let cursor = self.soonest_cursor;
        if let Some(row) = cursor.checked_sub(self.cursors.len()) {
            let (workload, crowd) = &mut self.crowds[row];
            let (workload, (at, key, user)) = (*workload, crowd.next());
            self.find_soonest();
            return Arrival {
                at,
                key,
                workload,
                user,
            };
        }
        let (at, key) = self.cursors[cursor].next();
        self.find_soonest();
        let workload = match cursor.checked_sub(self.workloads.len()) {
            None => cursor,
            Some(row) => self.bursting[row],
        };
        Arrival {
            at,
            key,
            workload,
            user: NOBODY,
        }
    }

    #[inline(always)]
    fn find_soonest(&mut self) {
        if let ([only], true) = (&self.cursors[..], self.crowds.is_empty()) {
            (self.soonest, self.soonest_cursor) = (only.peek_time(), 0);
            return;
        }
        self.find_soonest_of_all();
    }

    #[inline(never)]
    fn find_soonest_of_all(&mut self) {
        self.soonest = SimTime::NEVER;
        for (index, cursor) in self.cursors.iter().enumerate() {
            if cursor.peek_time() < self.soonest {
                self.soonest = cursor.peek_time();
                self.soonest_cursor = index;
            }
        }
        for (index, (_, crowd)) in self.crowds.iter().enumerate() {
            if crowd.next_time() < self.soonest {
                self.soonest = crowd.next_time();
                self.soonest_cursor = self.cursors.len() + index;
            }
        }
    }
}
