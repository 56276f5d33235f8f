//! Which request comes next: one cursor for each workload, the soonest of them kept at hand.

use crate::ids::WorkloadId;
use crate::model::{System, Workload};
use crate::random::arrivals::{ArrivalCursor, Intensity, PaceCursor};
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
    /// The key of one workload's arrivals.
    fn key(self, workload: &str) -> Key {
        match self {
            Self::Replication { seed, replication } => {
                Key::component(seed, replication, name_hash(workload), Purpose::Arrivals)
            }
            Self::Sample {
                seed,
                regime,
                batch,
            } => Key::of_seed(seed)
                .with(Purpose::Sample as u64)
                .with(regime)
                .with(batch)
                .with(name_hash(workload)),
        }
    }
}

/// The rate of a workload as an intensity.
#[derive(Clone, Copy, Debug)]
struct Rate<'a>(&'a Workload);

impl Intensity for Rate<'_> {
    fn max(&self) -> f64 {
        self.0.rate_max()
    }

    fn at(&self, at: SimTime) -> f64 {
        self.0.rate_at(at)
    }

    fn varies(&self) -> bool {
        self.0.profile.is_some_and(|profile| profile.ratio > 1.0)
    }

    /// The rate in the middle, give or take the steepest slope of its cosine.
    fn bounds(&self, from: SimTime, to: SimTime) -> (f64, f64) {
        let Some(profile) = self.0.profile else {
            return (self.0.rate, self.0.rate);
        };
        let half = SimSpan::from_nanos(to.since(from).as_nanos() / 2);
        let middle = self.0.rate_at(from + half);
        let slope = self.0.rate * profile.amplitude() * TAU / 86_400.0;
        // A nanosecond more for the half that was cut off, and more than all rounding.
        let slack = slope * (half.as_secs_f64() + 1e-9) + 1e-9 * self.0.rate;
        (middle - slack, middle + slack)
    }
}

/// The stream of one workload.
#[derive(Clone, Debug)]
enum Cursor<'a> {
    Poisson(ArrivalCursor<Rate<'a>>),
    Paced(PaceCursor),
}

impl<'a> Cursor<'a> {
    fn new(key: Key, workload: &'a Workload) -> Self {
        match workload.every {
            None => Self::Poisson(ArrivalCursor::new(key, Rate(workload))),
            Some(every) => Self::Paced(PaceCursor::new(key, every)),
        }
    }

    fn seek(&mut self, at: SimTime) {
        match self {
            Self::Poisson(cursor) => cursor.seek(at),
            Self::Paced(cursor) => cursor.seek(at),
        }
    }

    #[inline]
    fn peek_time(&self) -> SimTime {
        match self {
            Self::Poisson(cursor) => cursor.peek_time(),
            Self::Paced(cursor) => cursor.peek_time(),
        }
    }

    #[inline(always)]
    fn next(&mut self) -> (SimTime, u64) {
        match self {
            Self::Poisson(cursor) => cursor.next(),
            Self::Paced(cursor) => cursor.next(),
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
}

/// The arrivals of all workloads, in order of time; ties go to the workload named first.
#[derive(Clone, Debug)]
pub(super) struct Arrivals<'a> {
    workloads: Vec<&'a Workload>,
    cursors: Vec<Cursor<'a>>,
    soonest: SimTime,
    soonest_workload: usize,
}

impl<'a> Arrivals<'a> {
    /// Nothing comes before [`begin`](Self::begin).
    pub(super) fn new(system: &'a System) -> Self {
        let ids: Vec<WorkloadId> = system.workloads.ids().collect();
        Self {
            workloads: ids.iter().map(|&id| &system.workloads[id]).collect(),
            cursors: Vec::with_capacity(ids.len()),
            soonest: SimTime::NEVER,
            soonest_workload: 0,
        }
    }

    /// The arrivals of `source` that are not before `from`.
    pub(super) fn begin(&mut self, source: Source, from: SimTime) {
        self.cursors.clear();
        for &workload in &self.workloads {
            let mut cursor = Cursor::new(source.key(&workload.name), workload);
            cursor.seek(from);
            self.cursors.push(cursor);
        }
        self.find_soonest();
    }

    /// Nothing comes any more.
    pub(super) fn end(&mut self) {
        self.cursors.clear();
        self.soonest = SimTime::NEVER;
    }

    /// When the next request arrives; [`SimTime::NEVER`] if none does.
    #[inline]
    pub(super) fn next_time(&self) -> SimTime {
        self.soonest
    }

    /// The next request. There is one: [`next_time`](Self::next_time) is not never.
    #[inline]
    pub(super) fn next(&mut self) -> Arrival {
        let workload = self.soonest_workload;
        let (at, key) = self.cursors[workload].next();
        self.find_soonest();
        Arrival { at, key, workload }
    }

    #[inline]
    fn find_soonest(&mut self) {
        if let [only] = &self.cursors[..] {
            (self.soonest, self.soonest_workload) = (only.peek_time(), 0);
            return;
        }
        self.soonest = SimTime::NEVER;
        for (index, cursor) in self.cursors.iter().enumerate() {
            if cursor.peek_time() < self.soonest {
                self.soonest = cursor.peek_time();
                self.soonest_workload = index;
            }
        }
    }
}
