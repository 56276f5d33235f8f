//! The requests that are lost while the structure is down, by branches: the forced part of request figures.

use crate::estimate::sums::Sums;
use crate::ids::{Id, IdVec, JourneyId};
use crate::model::System;
use crate::path::Cause;
use serde::{Deserialize, Serialize};

/// Per replication: (requests lost while the structure is down, 0), at the mean rate of each journey.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LostRecord {
    /// Of all journeys.
    pub all: Sums,
    /// Of these, because of planned work.
    pub planned: Sums,
    /// By workload.
    pub workloads: Vec<Sums>,
    /// By [`Cause::index`]; rows that are zero are not pushed.
    pub by_cause: Vec<Sums>,
}

impl LostRecord {
    pub(super) fn new(system: &System) -> Self {
        Self {
            all: Sums::default(),
            planned: Sums::default(),
            workloads: vec![Sums::default(); system.workloads.len()],
            by_cause: vec![Sums::default(); Cause::count(system.faults.len())],
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.all.merge(&other.all);
        self.planned.merge(&other.planned);
        let tables = [
            (&mut self.workloads, &other.workloads),
            (&mut self.by_cause, &other.by_cause),
        ];
        for (mine, theirs) in tables {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                mine.merge(theirs);
            }
        }
    }
}

/// The same of one replication as a sum over branches, each with its weight.
#[derive(Clone, Debug)]
pub(in crate::estimate) struct WeightedLost {
    /// The row of the workload of each journey that has one.
    workload_of: IdVec<JourneyId, Option<usize>>,
    workloads: Vec<f64>,
    pub(in crate::estimate) by_cause: Vec<f64>,
    pub(in crate::estimate) planned: f64,
}

impl WeightedLost {
    pub(super) fn new(system: &System) -> Self {
        let mut workload_of = IdVec::filled(None, system.journeys.len());
        for (id, workload) in system.workloads.pairs() {
            for &(journey, _) in &workload.journeys {
                workload_of[journey] = Some(id.index());
            }
        }
        Self {
            workload_of,
            workloads: vec![0.0; system.workloads.len()],
            by_cause: vec![0.0; Cause::count(system.faults.len())],
            planned: 0.0,
        }
    }

    /// Adds a branch in which journeys were down for so many seconds.
    pub(in crate::estimate) fn add(
        &mut self,
        down_s: impl Iterator<Item = f64>,
        rates: &IdVec<JourneyId, f64>,
        weight: f64,
    ) {
        for ((secs, rate), &workload) in down_s.zip(rates).zip(&self.workload_of) {
            if let Some(workload) = workload {
                self.workloads[workload] += weight * secs * rate;
            }
        }
    }

    /// Ends the replication: adds it to `record` and begins anew.
    pub(super) fn push(&mut self, record: &mut LostRecord) {
        record.all.push(self.workloads.iter().sum(), 0.0);
        record.planned.push(std::mem::take(&mut self.planned), 0.0);
        for (requests, sums) in self.workloads.iter_mut().zip(&mut record.workloads) {
            sums.push(std::mem::take(requests), 0.0);
        }
        for (requests, sums) in self.by_cause.iter_mut().zip(&mut record.by_cause) {
            let requests = std::mem::take(requests);
            if requests > 0.0 {
                sums.push(requests, 0.0);
            }
        }
    }
}
