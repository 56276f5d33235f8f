//! What forced branches found beside the structural sums, and how far they can be believed.

use super::Start;
use super::branch::Course;
use super::{Diagnosis, LostRecord};
use crate::estimate::sums::Sums;
use crate::model::System;
use crate::stats::WeightedHistogram;
use serde::{Deserialize, Serialize};

/// Figures and diagnostics of many replications whose outages were forced.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ForcedRecord {
    /// Per replication: (weight of having any outage, 0).
    pub any: Sums,
    /// By target: per replication (weight of having more downtime than it allows, 0); targets on other
    /// metrics stay empty.
    pub exceeds: Vec<Sums>,
    /// Downtime of the replications that have any, nanoseconds, by weight.
    pub years: WeightedHistogram,
    /// Lengths of outages, nanoseconds, by weight.
    pub lengths: WeightedHistogram,
    /// The branches of episodes of the histories.
    pub branches: Weights,
    /// Those that begin with a fault that was injected, apart: how often such faults come is part of the weight
    /// of an outage in them, and not of what was forced.
    pub injected: Weights,
    /// What the outages of both count with: the sum of their weights, and of the squares.
    hit_weights: (f64, f64),
    /// Those of them in which something that was demanded was made likelier.
    pub raised: u64,
    /// What they cost, in events.
    pub effort: u64,
    /// Per replication: (downtime in seconds, outages) of the history itself, without any forcing.
    pub natural: Sums,
    /// Requests that are lost while the structure is down.
    pub lost: LostRecord,
    /// What else says whether all this can be believed.
    pub diagnosis: Diagnosis,
    /// Downtime of the replications with even and with odd numbers, as `StructureRecord::system`.
    pub halves: [Sums; 2],
}

/// Weights of branches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Branches.
    pub count: u64,
    /// Those in which a fault was forced at least once.
    pub forced: u64,
    /// Those that met an outage.
    pub hits: u64,
    sum: f64,
    squares: f64,
    hit_sum: f64,
    hit_squares: f64,
    largest: f64,
}

impl Weights {
    /// `weight` is that of what was forced, with a mean of 1; an outage counts with `whole`.
    fn push(&mut self, weight: f64, whole: f64, forced: bool, hit: bool) {
        self.count += 1;
        self.forced += u64::from(forced);
        self.sum += weight;
        self.squares += weight * weight;
        if hit {
            self.hits += 1;
            self.hit_sum += whole;
            self.hit_squares += whole * whole;
            self.largest = self.largest.max(whole);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.forced += other.forced;
        self.hits += other.hits;
        self.sum += other.sum;
        self.squares += other.squares;
        self.hit_sum += other.hit_sum;
        self.hit_squares += other.hit_squares;
        self.largest = self.largest.max(other.largest);
    }

    /// The mean weight less 1, in its standard errors: weights that correct exactly what was forced
    /// have the mean 1. 0 below two branches, or if all weights are equal.
    pub fn mean_z(&self) -> f64 {
        let n = self.count as f64;
        if self.count < 2 {
            return 0.0;
        }
        let mean = self.sum / n;
        let variance = ((self.squares - self.sum * mean) / (n - 1.0)).max(0.0) / n;
        if variance == 0.0 {
            0.0
        } else {
            (mean - 1.0) / variance.sqrt()
        }
    }

    /// The mean weight; 1 without branches.
    pub fn mean(&self) -> f64 {
        if self.count == 0 {
            return 1.0;
        }
        self.sum / self.count as f64
    }

    /// Hits of equal weight that would say as much as these, over their number; `None` without hits.
    pub fn effective_share(&self) -> Option<f64> {
        (self.hits > 0).then(|| self.hit_sum * self.hit_sum / self.hit_squares / self.hits as f64)
    }

    /// Hits of equal weight that would say as much as these.
    pub fn effective_hits(&self) -> f64 {
        self.effective_share().unwrap_or(0.0) * self.hits as f64
    }

    /// The share of the heaviest hit in the weight of all; `None` without hits.
    pub fn largest_share(&self) -> Option<f64> {
        (self.hits > 0).then(|| self.largest / self.hit_sum)
    }
}

impl ForcedRecord {
    /// Adds a branch, and its downtime if it had an outage. It begins with fault `initiator`, after which `distance`
    /// slots more must be lost for an outage.
    pub(super) fn push(
        &mut self,
        course: &Course,
        start: Start,
        (initiator, distance): (Option<usize>, u32),
        downtime_s: Option<f64>,
    ) {
        let hit = downtime_s.is_some();
        let rows = &mut self.diagnosis.initiators;
        let row = initiator.unwrap_or(rows.len() - 1);
        rows[row].push(distance, downtime_s.map(|secs| secs * course.weight));
        if let Some(is_long) = course.is_long {
            self.diagnosis.drawn(course.weight * start.share, is_long);
        }
        if start.is_injected {
            // Exactly 1 where nothing else was forced.
            let weight = course.weight / (1.0 / start.share);
            self.injected
                .push(weight, course.weight, course.forced, hit);
        } else {
            let weight = course.weight * start.share;
            self.branches.push(weight, weight, course.forced, hit);
        }
        self.raised += u64::from(course.raised);
        if hit {
            self.hit_weights.0 += course.weight;
            self.hit_weights.1 += course.weight * course.weight;
        }
    }

    pub(super) fn new(system: &System) -> Self {
        Self {
            any: Sums::default(),
            exceeds: vec![Sums::default(); system.targets.len()],
            years: WeightedHistogram::new(),
            lengths: WeightedHistogram::new(),
            branches: Weights::default(),
            injected: Weights::default(),
            hit_weights: (0.0, 0.0),
            raised: 0,
            effort: 0,
            natural: Sums::default(),
            lost: LostRecord::new(system),
            diagnosis: Diagnosis::new(system.faults.len()),
            halves: [Sums::default(); 2],
        }
    }

    /// Outages of equal weight that would say as much as those of all branches.
    pub fn effective_hits(&self) -> f64 {
        if self.injected.count == 0 {
            return self.branches.effective_hits();
        }
        let (sum, squares) = self.hit_weights;
        if squares > 0.0 {
            sum * sum / squares
        } else {
            0.0
        }
    }

    /// Adds the replications of `other`, which come after the ones here.
    /// `whole` is the downtime of all of them.
    pub fn merge(&mut self, other: &Self, whole: &Sums) {
        self.diagnosis.merge(&other.diagnosis, whole);
        self.any.merge(&other.any);
        for (mine, theirs) in self.exceeds.iter_mut().zip(&other.exceeds) {
            mine.merge(theirs);
        }
        self.years.merge(&other.years);
        self.lengths.merge(&other.lengths);
        self.branches.merge(&other.branches);
        self.injected.merge(&other.injected);
        self.hit_weights.0 += other.hit_weights.0;
        self.hit_weights.1 += other.hit_weights.1;
        self.raised += other.raised;
        self.effort += other.effort;
        self.natural.merge(&other.natural);
        self.lost.merge(&other.lost);
        for (mine, theirs) in self.halves.iter_mut().zip(&other.halves) {
            mine.merge(theirs);
        }
    }
}
