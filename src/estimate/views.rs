//! Which requests the targets on periods count, beside those of everybody.

use super::periods::bounds_of;
use super::splitting::FoundInGroup;
use crate::ids::{Id, IdVec, WorkloadId};
use crate::model::{Counted, Measure, Population, System};
use crate::path::Cause;
use crate::time::SimTime;
use crate::traffic::{BinView, Tally};

/// What is counted apart: each once, in the order of the targets. View 0 of everything by view is
/// [`Counted::ALL`], which is none of these.
pub(super) fn views(system: &System) -> impl Iterator<Item = Counted> {
    let mut found: Vec<Counted> = Vec::new();
    for (_, bound) in bounds_of(system) {
        if let Measure::Requests(counted) = bound.measure
            && counted != Counted::ALL
            && !found.contains(&counted)
        {
            found.push(counted);
        }
    }
    found.into_iter()
}

/// The number of the view of a measure; 0 for what is not of requests.
pub(super) fn view_of(system: &System, measure: Measure) -> usize {
    let Measure::Requests(counted) = measure else {
        return 0;
    };
    views(system)
        .position(|view| view == counted)
        .map_or(0, |index| index + 1)
}

/// A view, and what requests it has in quiet time.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// By journey: whether its requests count.
    pub(super) journeys: Vec<bool>,
    full: bool,
    /// Of each workload the share of its requests that count.
    shares: IdVec<WorkloadId, f64>,
}

impl Counted {
    /// What traffic is told of it.
    pub(super) fn mask(self, system: &System) -> BinView {
        let View { journeys, full, .. } = View::new(system, self);
        BinView { journeys, full }
    }
}

impl View {
    /// All of `system`: that of everybody, then the others.
    pub(super) fn all(system: &System) -> Vec<Self> {
        let all = std::iter::once(Counted::ALL).chain(views(system));
        all.map(|counted| Self::new(system, counted)).collect()
    }

    fn new(system: &System, counted: Counted) -> Self {
        let mut journeys = vec![false; system.journeys.len()];
        let mut shares = IdVec::filled(0.0, system.workloads.len());
        for (id, workload) in system.workloads.pairs() {
            let all: f64 = workload.journeys.iter().map(|row| row.1).sum();
            for &(journey, weight) in &workload.journeys {
                let counts = match counted.of {
                    Population::All => true,
                    Population::Workload(wanted) => wanted == id,
                    Population::Journey(wanted) => wanted == journey,
                };
                journeys[journey.index()] |= counts;
                if counts && all > 0.0 {
                    shares[id] += weight / all;
                }
            }
        }
        if counted.of == Population::All {
            // The sum of weights is 1 but for rounding.
            shares.as_mut_slice().fill(1.0);
        }
        Self {
            journeys,
            full: counted.full,
            shares,
        }
    }

    /// Requests that are expected between two instants, with bursts where they are going on.
    pub(super) fn expected(
        &self,
        system: &System,
        from: SimTime,
        to: SimTime,
        bursts: &IdVec<WorkloadId, bool>,
    ) -> f64 {
        let rows = system.workloads.pairs().map(|(id, workload)| {
            let burst = if bursts[id] {
                workload.burst_factor()
            } else {
                1.0
            };
            workload.expected(from, to) * burst * self.shares[id]
        });
        rows.sum()
    }

    /// What a regime is like by a sample of it, in whose quiet time so many requests of each workload are
    /// expected.
    pub(super) fn of_sample(
        &self,
        system: &System,
        (tally, split): (&Tally, Option<&FoundInGroup>),
        expected: &IdVec<WorkloadId, f64>,
    ) -> Sampled {
        let (mut failed, mut all, mut sampled) = (0.0, 0.0, 0.0);
        for (id, workload) in system.workloads.pairs() {
            let (mut bad, mut ended, mut rare) = (0, 0, 0.0);
            for &(journey, _) in &workload.journeys {
                if self.journeys[journey.index()] {
                    let row = &tally.journeys[journey];
                    let counts = row.counts;
                    let over = counts.issued - counts.in_flight;
                    bad += counts.failed + if self.full { counts.degraded } else { 0 };
                    ended += over;
                    if let Some(share) = split.and_then(|split| split.share(journey)) {
                        bad -= row.failed_by_cause[Cause::Load.index()];
                        rare += share * over as f64;
                    }
                }
            }
            if ended > 0 {
                let wanted = expected[id] * self.shares[id];
                failed += wanted * (bad as f64 + rare) / ended as f64;
                all += wanted;
                sampled += ended as f64;
            }
        }
        Sampled {
            expected: all,
            failing: if all > 0.0 { failed / all } else { 0.0 },
            sampled,
        }
    }
}

/// Requests of one view in one regime.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sampled {
    /// Expected in its quiet time.
    pub(super) expected: f64,
    /// The share of them that fails.
    pub(super) failing: f64,
    /// In the sample, that ended.
    pub(super) sampled: f64,
}
