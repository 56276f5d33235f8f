//! The structural figures of one replication as a sum over branches, each with its weight.

use super::lost::WeightedLost;
use crate::estimate::structure::StructureRecord;
use crate::model::System;
use crate::path::Cause;
use crate::stats::WeightedHistogram;

/// Weighted (downtime in seconds, outages) of one thing.
pub(in crate::estimate) type Pair = (f64, f64);

/// What the branches of one replication add up to.
#[derive(Clone, Debug)]
pub(in crate::estimate) struct Weighted {
    pub(in crate::estimate) system: Pair,
    pub(in crate::estimate) pools: Vec<Pair>,
    pub(in crate::estimate) balancers: Vec<Pair>,
    pub(in crate::estimate) journeys: Vec<Pair>,
    /// Seconds of downtime by cause.
    pub(in crate::estimate) by_cause: Vec<f64>,
    /// Seconds of downtime that are planned.
    pub(in crate::estimate) planned: f64,
    /// (seconds of outages followed to their ends, their number).
    pub(in crate::estimate) durations: Pair,
    /// Lengths of outages.
    pub(in crate::estimate) lengths: WeightedHistogram,
    /// Requests.
    pub(in crate::estimate) lost: WeightedLost,
}

impl Weighted {
    pub(super) fn new(system: &System) -> Self {
        let of = |rows: usize| vec![(0.0, 0.0); rows];
        Self {
            system: (0.0, 0.0),
            pools: of(system.pools.len()),
            balancers: of(system.balancers.len()),
            journeys: of(system.journeys.len()),
            by_cause: vec![0.0; Cause::count(system.faults.len())],
            planned: 0.0,
            durations: (0.0, 0.0),
            lengths: WeightedHistogram::new(),
            lost: WeightedLost::new(system),
        }
    }

    /// Ends the replication, which has `horizon_s` seconds: adds it to `record` and begins anew.
    pub(super) fn push(&mut self, horizon_s: f64, record: &mut StructureRecord) {
        record.replications += 1;
        let (downtime, outages) = std::mem::take(&mut self.system);
        record.system.push(downtime, outages);
        let (secs, number) = std::mem::take(&mut self.durations);
        record.durations.push(secs, number);
        let tables = [
            (&mut self.pools, &mut record.pools),
            (&mut self.balancers, &mut record.balancers),
            (&mut self.journeys, &mut record.journeys),
        ];
        for (pairs, sums) in tables {
            for (pair, sums) in pairs.iter_mut().zip(sums) {
                let (downtime, outages) = std::mem::take(pair);
                sums.push(downtime, outages);
            }
        }
        for (secs, sums) in self.by_cause.iter_mut().zip(&mut record.by_cause) {
            let secs = std::mem::take(secs);
            if secs > 0.0 {
                sums.push(secs, 0.0);
            }
        }
        let planned = std::mem::take(&mut self.planned);
        record.planned.push(planned, 0.0);
        // A ratio that is linear in what is rare: its denominator is the horizon but for what is planned.
        record
            .unplanned
            .push(downtime - planned, horizon_s - planned);
        if let Some(forced) = &mut record.forced {
            forced.lengths.merge(&self.lengths);
            self.lost.push(&mut forced.lost);
        }
        self.lengths.clear();
    }
}
