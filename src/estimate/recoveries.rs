//! How long stores were without a leader after each loss of one, and how much was lost with it; or how long
//! until somebody felt that there is one again, see [`felt`](super::felt).
//!
//! A recovery belongs to the instant at which it ends, so that long ones are not left out at the end of
//! the horizon; in equilibrium as many begin before it.

use super::sums::Sums;
use crate::ids::{Id, PoolId};
use crate::model::{Metric, Quantity, System};
use crate::path::Recovery;
use crate::stats::SparseHistogram;
use serde::{Deserialize, Serialize};

/// Recoveries of one store.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StoreRecoveries {
    /// Per replication: (seconds from the loss of a leader to what ends a recovery, recoveries).
    pub time: Sums,
    /// The single ones, nanoseconds.
    pub times: SparseHistogram,
    /// Per replication: (seconds of writes lost, recoveries in which another member led).
    pub loss: Sums,
    /// The single ones, nanoseconds.
    pub losses: SparseHistogram,
}

/// Recoveries of all stores.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecoveryRecord {
    /// By pool.
    pub stores: Vec<StoreRecoveries>,
    /// By target, per replication: (over its bound, all); those on recoveries are filled.
    pub late: Vec<Sums>,
}

impl RecoveryRecord {
    /// Of no replication.
    pub fn new(system: &System) -> Self {
        Self {
            stores: vec![StoreRecoveries::default(); system.pools.len()],
            late: vec![Sums::default(); system.targets.len()],
        }
    }

    /// Adds the replications of `other`, which come after the ones here.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.stores.iter_mut().zip(&other.stores) {
            mine.time.merge(&theirs.time);
            mine.times.merge(&theirs.times);
            mine.loss.merge(&theirs.loss);
            mine.losses.merge(&theirs.losses);
        }
        for (mine, theirs) in self.late.iter_mut().zip(&other.late) {
            mine.merge(theirs);
        }
    }

    /// The recoveries of one store, or of all.
    pub fn of(&self, store: Option<PoolId>) -> StoreRecoveries {
        let mut all = StoreRecoveries::default();
        let rows = self.stores.iter().enumerate();
        for (_, row) in rows.filter(|(index, _)| store.is_none_or(|id| id.index() == *index)) {
            all.time.merge(&row.time);
            all.times.merge(&row.times);
            all.loss.merge(&row.loss);
            all.losses.merge(&row.losses);
        }
        all
    }
}

/// A target on recoveries.
#[derive(Clone, Copy, Debug)]
struct Row {
    target: usize,
    quantity: Quantity,
    store: Option<PoolId>,
    bound_s: f64,
    late: u64,
    all: u64,
}

/// Counts the recoveries of one replication after the other.
#[derive(Clone, Debug)]
pub struct RecoveryTally {
    rows: Vec<Row>,
    stores: Vec<PoolId>,
    /// (seconds, recoveries, seconds lost, of these with another member), by store.
    counts: Vec<(f64, f64, f64, f64)>,
    any: bool,
    /// Of the replication that ended last: (target, over its bound, all).
    judged: Vec<(usize, u64, u64)>,
    /// Of the same, the counts of all stores.
    sums: [(f64, f64); 2],
}

impl RecoveryTally {
    /// For replications of `system`.
    pub fn new(system: &System) -> Self {
        let rows = system.targets.iter().enumerate();
        let rows = rows.filter_map(|(target, row)| match row.metric {
            Metric::Recovery {
                quantity, store, ..
            } => Some(Row {
                target,
                quantity,
                store,
                bound_s: row.bound,
                late: 0,
                all: 0,
            }),
            _ => None,
        });
        let stores = system.pools.pairs();
        let stores = stores.filter(|(_, pool)| pool.chooses_leader());
        let stores: Vec<PoolId> = stores.map(|(id, _)| id).collect();
        Self {
            rows: rows.collect(),
            counts: vec![(0.0, 0.0, 0.0, 0.0); stores.len()],
            stores,
            any: false,
            judged: Vec::new(),
            sums: [(0.0, 0.0); 2],
        }
    }

    /// These end inside the horizon.
    pub fn add(&mut self, recoveries: &[Recovery], record: &mut RecoveryRecord) {
        for recovery in recoveries {
            let Ok(index) = self.stores.binary_search(&recovery.pool) else {
                continue;
            };
            self.any = true;
            let time = recovery.led.since(recovery.lost);
            let row = &mut record.stores[recovery.pool.index()];
            row.times.record(time.as_nanos());
            let counts = &mut self.counts[index];
            counts.0 += time.as_secs_f64();
            counts.1 += 1.0;
            if recovery.moved {
                row.losses.record(recovery.lag.as_nanos());
                counts.2 += recovery.lag.as_secs_f64();
                counts.3 += 1.0;
            }
            for row in &mut self.rows {
                if row.store.is_some_and(|store| store != recovery.pool) {
                    continue;
                }
                let (counts, secs) = match row.quantity {
                    Quantity::Time => (true, time.as_secs_f64()),
                    Quantity::Loss => (recovery.moved, recovery.lag.as_secs_f64()),
                };
                if counts {
                    row.all += 1;
                    row.late += u64::from(secs > row.bound_s);
                }
            }
        }
    }

    /// Ends a replication.
    pub fn end(&mut self, record: &mut RecoveryRecord) {
        self.judged.clear();
        let sums = &mut self.sums;
        *sums = [(0.0, 0.0); 2];
        for (store, counts) in self.stores.iter().zip(&mut self.counts) {
            let row = &mut record.stores[store.index()];
            let (time, number, loss, moved) = std::mem::take(counts);
            sums[0] = (sums[0].0 + time, sums[0].1 + number);
            sums[1] = (sums[1].0 + loss, sums[1].1 + moved);
            row.time.push(time, number);
            row.loss.push(loss, moved);
        }
        if !self.any && self.rows.is_empty() {
            return;
        }
        self.any = false;
        for row in &mut self.rows {
            record.late[row.target].push(row.late as f64, row.all as f64);
            self.judged.push((row.target, row.late, row.all));
            (row.late, row.all) = (0, 0);
        }
    }

    /// Of the replication that ended last: (target, over its bound, all) of the targets on recoveries.
    pub fn judged(&self) -> &[(usize, u64, u64)] {
        &self.judged
    }

    /// Of the replication that ended last: (seconds without a leader, recoveries) and (seconds of writes
    /// lost, recoveries in which another member led) of all stores.
    pub fn sums(&self) -> [(f64, f64); 2] {
        self.sums
    }
}
