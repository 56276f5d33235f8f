//! Requests of a regime as trajectories that can be split.

use super::Rare;
use super::restart::Trajectory;
use crate::ids::{IdVec, JourneyId, PoolId};
use crate::model::System;
use crate::path::Regime;
use crate::time::SimTime;
use crate::traffic::{Failed, Importance, Source, Traffic};
use std::sync::Arc;

/// A stretch of traffic.
#[derive(Clone, Debug)]
pub(super) struct Requests<'a> {
    traffic: Traffic<'a>,
    importance: Arc<Importance>,
    /// Nobody who comes from here on counts.
    end: SimTime,
}

impl<'a> Requests<'a> {
    /// Of `traffic`, which goes by events and notes failures; to [`begin`](Self::begin).
    pub(super) fn new(traffic: Traffic<'a>, importance: Arc<Importance>) -> Self {
        Self {
            traffic,
            importance,
            end: SimTime::EPOCH,
        }
    }

    /// A main trajectory from `from` on, empty there; requests count that come from `at` to `end`.
    pub(super) fn begin(
        &mut self,
        regime: &Regime,
        from: SimTime,
        (at, end): (SimTime, SimTime),
        source: Source,
    ) {
        self.traffic.clear_tally();
        self.traffic.begin(regime, from, source);
        self.traffic.count(at, end);
        self.end = end;
    }

    /// Whether more was in progress than there may be.
    pub(super) fn overflowed(&self) -> bool {
        self.traffic.overflowed()
    }

    /// The main trajectory is over; returns the requests that it counted.
    pub(super) fn end(&mut self) -> f64 {
        self.traffic.finish(self.traffic.now().max(self.end));
        let journeys = self.traffic.tally().journeys.iter();
        journeys.map(|row| row.counts.issued).sum::<u64>() as f64
    }
}

impl Trajectory for Requests<'_> {
    type Reward = Weighed;

    fn advance(&mut self) -> bool {
        self.traffic.step_before(self.end)
    }

    fn importance(&self) -> f64 {
        self.traffic.importance(&self.importance)
    }

    #[inline]
    fn collect(&mut self, weight: f64, into: &mut Weighed) {
        for failed in self.traffic.take_failed() {
            into.add(failed, weight);
        }
    }

    fn branch_from(&mut self, of: &Self, key: u64) {
        self.traffic.branch_from(&of.traffic, key);
        self.end = of.end;
    }
}

/// Counted requests and calls that failed of load, weighted and as many as were met.
#[derive(Clone, Debug)]
pub(super) struct Weighed {
    /// By journey.
    pub(super) journeys: IdVec<JourneyId, f64>,
    /// By pool.
    pub(super) calls: IdVec<PoolId, f64>,
    counts: IdVec<JourneyId, u64>,
    call_counts: IdVec<PoolId, u64>,
}

impl Weighed {
    /// None yet.
    pub(super) fn new(system: &System) -> Self {
        Self {
            journeys: IdVec::filled(0.0, system.journeys.len()),
            calls: IdVec::filled(0.0, system.pools.len()),
            counts: IdVec::filled(0, system.journeys.len()),
            call_counts: IdVec::filled(0, system.pools.len()),
        }
    }

    fn add(&mut self, failed: Failed, weight: f64) {
        match failed {
            Failed::Request(journey) => {
                self.journeys[journey] += weight;
                self.counts[journey] += 1;
            }
            Failed::Call(pool) => {
                self.calls[pool] += weight;
                self.call_counts[pool] += 1;
            }
        }
    }

    /// Adds another, each of which stands for `scale`.
    pub(super) fn add_scaled(&mut self, other: &Self, scale: f64) {
        for (mine, more) in self.journeys.as_mut_slice().iter_mut().zip(&other.journeys) {
            *mine += more * scale;
        }
        for (mine, more) in self.calls.as_mut_slice().iter_mut().zip(&other.calls) {
            *mine += more * scale;
        }
        for (mine, more) in self.counts.as_mut_slice().iter_mut().zip(&other.counts) {
            *mine += more;
        }
        for (mine, more) in self
            .call_counts
            .as_mut_slice()
            .iter_mut()
            .zip(&other.call_counts)
        {
            *mine += more;
        }
    }

    /// What was met no more than `few` times.
    pub(super) fn rare(&self, few: u64) -> Rare {
        Rare {
            journeys: self.counts.iter().map(|&count| count <= few).collect(),
            pools: self.call_counts.iter().map(|&count| count <= few).collect(),
        }
    }

    /// Weight of the requests of all journeys that are rare.
    pub(super) fn sum(&self, rare: &Rare) -> f64 {
        let rows = self.journeys.iter().zip(&rare.journeys);
        rows.filter(|row| *row.1).map(|row| row.0).sum()
    }

    /// Number of the requests of all journeys that are rare.
    pub(super) fn hits(&self, rare: &Rare) -> u64 {
        let rows = self.counts.iter().zip(&rare.journeys);
        rows.filter(|row| *row.1).map(|row| row.0).sum()
    }
}
