//! When requests come that ask for something, without simulating any: for long waits for a rare one.
//!
//! Which request is of which journey follows from its own key, so a stretch that covers an instant found
//! here sees the request.

use super::arrivals::{Arrivals, Source};
use super::frames::Frames;
use super::plan::Plan;
use crate::ids::{Id, IdVec, JourneyId, WorkloadId};
use crate::model::System;
use crate::time::{SimSpan, SimTime};

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// A request that asks, at this instant.
    At(SimTime),
    /// Nobody asked up to this instant; there are more requests to be looked at.
    NotBefore(SimTime),
}

/// When users in a closed loop come depends on what they were answered: then somebody may ask at any time.
const AT_ANY_TIME: SimSpan = SimSpan::from_secs(1);

/// Looks through arrivals in order of time.
#[derive(Clone, Debug)]
pub(super) struct Askers<'a> {
    arrivals: Arrivals<'a>,
    wanted: IdVec<JourneyId, bool>,
    at_any_time: Option<SimTime>,
}

impl<'a> Askers<'a> {
    pub(super) fn new(system: &'a System) -> Self {
        Self {
            arrivals: Arrivals::new(system),
            wanted: IdVec::filled(false, system.journeys.len()),
            at_any_time: None,
        }
    }

    /// Those of the `wanted` journeys, from `from` on.
    pub(super) fn begin(
        &mut self,
        plan: &Plan<'a>,
        (source, from): (Source, SimTime),
        bursts: &IdVec<WorkloadId, bool>,
        wanted: &IdVec<JourneyId, bool>,
    ) {
        self.wanted.clone_from(wanted);
        let rows = plan.workloads.iter().map(|workload| {
            let mut journeys = workload.journeys.iter();
            journeys.any(|&(journey, _)| wanted[journey])
        });
        let rows: Vec<bool> = rows.collect();
        let mut crowds = plan.system.workloads.pairs();
        let crowd = crowds.any(|(id, workload)| rows[id.index()] && workload.users.is_some());
        // A message may be worked on long after it was published.
        let any_time = crowd || !plan.system.queues.is_empty();
        self.at_any_time = any_time.then_some(from);
        self.arrivals.begin(source, from, bursts);
        self.arrivals.keep(&rows);
    }

    /// The next one among at most `most` requests; [`SimTime::NEVER`] if there is none any more.
    pub(super) fn next(&mut self, plan: &Plan<'a>, most: u64) -> Asking {
        if let Some(at) = &mut self.at_any_time {
            *at = *at + AT_ANY_TIME;
            return Asking::At(*at);
        }
        for _ in 0..most {
            if self.arrivals.next_time() == SimTime::NEVER {
                return Asking::At(SimTime::NEVER);
            }
            let arrival = self.arrivals.next();
            let workload = &plan.workloads[arrival.workload];
            let journey = workload.journey(|| Frames::first_roll(arrival.key));
            if self.wanted[journey] {
                return Asking::At(arrival.at);
            }
        }
        Asking::NotBefore(self.arrivals.next_time())
    }
}
