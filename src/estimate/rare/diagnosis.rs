//! What says whether forced figures can be believed, beside the mean weight of branches: by which faults outages
//! begin, whether branches with long and with short durations agree, and whether the error falls as it should.

use crate::estimate::sums::Sums;
use serde::{Deserialize, Serialize};

/// Branches that begin with one fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Initiator {
    /// How many.
    pub branches: u64,
    /// Those that met an outage.
    pub hits: u64,
    /// Seconds of downtime in them, by weight.
    pub downtime_s: f64,
    /// How many more slots must be lost after it, at least and at most, for an outage; 0 if it is one.
    pub distance: (u32, u32),
}

impl Initiator {
    pub(super) fn push(&mut self, distance: u32, downtime_s: Option<f64>) {
        self.distance = if self.branches == 0 {
            (distance, distance)
        } else {
            (self.distance.0.min(distance), self.distance.1.max(distance))
        };
        self.branches += 1;
        if let Some(secs) = downtime_s {
            self.hits += 1;
            self.downtime_s += secs;
        }
    }

    fn merge(&mut self, other: &Self) {
        if other.branches == 0 {
            return;
        }
        self.distance = if self.branches == 0 {
            other.distance
        } else {
            (
                self.distance.0.min(other.distance.0),
                self.distance.1.max(other.distance.1),
            )
        };
        self.branches += other.branches;
        self.hits += other.hits;
        self.downtime_s += other.downtime_s;
    }
}

/// Branches of which so many met no outage say that none comes that way.
const MANY: u64 = 256;

/// The histories of the fewest that are doubled four times, which met an outage.
const ENOUGH: u64 = 30;

/// Diagnostics of many replications.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Diagnosis {
    /// By fault; the last row is that of everything else that begins an episode.
    pub initiators: Vec<Initiator>,
    /// Weights of branches whose first duration is longer than its median less those of the others: their
    /// number, sum and sum of squares. Each kind has half of the weight.
    long_less_short: (u64, f64, f64),
    /// (downtime, outages) of the first 2, 4, 8, ... replications.
    doublings: Vec<Sums>,
}

impl Diagnosis {
    pub(super) fn new(faults: usize) -> Self {
        Self {
            initiators: vec![Initiator::default(); faults + 1],
            long_less_short: (0, 0.0, 0.0),
            doublings: Vec::new(),
        }
    }

    /// A branch whose first duration was drawn.
    pub(super) fn drawn(&mut self, weight: f64, is_long: bool) {
        let (count, sum, squares) = &mut self.long_less_short;
        *count += 1;
        *sum += if is_long { weight } else { -weight };
        *squares += weight * weight;
    }

    /// Adds the replications of `other`, which come after the ones here; `whole` is what all of them add up to.
    pub(super) fn merge(&mut self, other: &Self, whole: &Sums) {
        for (mine, theirs) in self.initiators.iter_mut().zip(&other.initiators) {
            mine.merge(theirs);
        }
        self.long_less_short.0 += other.long_less_short.0;
        self.long_less_short.1 += other.long_less_short.1;
        self.long_less_short.2 += other.long_less_short.2;
        if whole.n.is_power_of_two() {
            self.doublings.push(*whole);
        }
    }

    /// How far the weights of branches with long and with short first durations are apart, in standard errors.
    pub fn strata_z(&self) -> f64 {
        let (count, sum, squares) = self.long_less_short;
        let n = count as f64;
        if count < 2 {
            return 0.0;
        }
        let mean = sum / n;
        let variance = ((squares - sum * mean) / (n - 1.0)).max(0.0) / n;
        if variance == 0.0 {
            0.0
        } else {
            mean / variance.sqrt()
        }
    }

    /// The relative error of the downtime over the one of a sixteenth of the replications, both at the last
    /// doubling: about 1/4 if all is well, 1 if replications add nothing. `None` of too few.
    pub fn error_ratio(&self) -> Option<f64> {
        let last = self.doublings.last()?;
        let first = self
            .doublings
            .iter()
            .find(|sums| sums.n == last.n / 16 && sums.hits >= ENOUGH)?;
        let error =
            |sums: &Sums| sums.residual_variance(sums.n, 0.0).sqrt() / (sums.y / sums.n as f64);
        let ratio = error(last) / error(first);
        ratio.is_finite().then_some(ratio)
    }

    /// The faults by which no outage begins in many branches, though one is as near then as after others by
    /// which some do.
    pub fn without_hits(&self) -> impl Iterator<Item = usize> + '_ {
        let hit = self.initiators.iter().filter(|row| row.hits > 0);
        let farthest = hit.map(|row| row.distance.1).max();
        let rows = self.initiators.iter().enumerate();
        rows.filter(move |(_, row)| {
            row.hits == 0
                && row.branches >= MANY
                && farthest.is_some_and(|farthest| row.distance.0 <= farthest)
        })
        .map(|(index, _)| index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_after_which_an_outage_is_near_should_begin_some() {
        let mut diagnosis = Diagnosis::new(3);
        for branch in 0..300 {
            diagnosis.initiators[0].push(1, (branch % 3 == 0).then_some(2.0));
            diagnosis.initiators[1].push(1, None);
            // Farther than any that an outage began with.
            diagnosis.initiators[2].push(2, None);
        }
        // Too few to say so.
        diagnosis.initiators[3].push(0, None);
        assert_eq!(diagnosis.without_hits().collect::<Vec<_>>(), [1]);
        let first = diagnosis.initiators[0];
        assert_eq!((first.hits, first.downtime_s), (100, 200.0));
        let mut merged = Diagnosis::new(3);
        merged.merge(&diagnosis, &Sums::default());
        merged.merge(&diagnosis, &Sums::default());
        assert_eq!(merged.initiators[1].branches, 600);
        assert_eq!(merged.initiators[2].distance, (2, 2));
    }

    #[test]
    fn weights_that_only_long_durations_have_are_noticed() {
        let mut diagnosis = Diagnosis::new(0);
        for branch in 0..1_000 {
            diagnosis.drawn(1.0, branch % 2 == 0);
        }
        assert_eq!(diagnosis.strata_z(), 0.0);
        // Then 1,500 of +1 and 500 of -1: a mean of 1/2, and squares of 2,000 - 2,000 / 4 around it.
        for _ in 0..1_000 {
            diagnosis.drawn(1.0, true);
        }
        let error = (1_500.0_f64 / 1_999.0 / 2_000.0).sqrt();
        assert!((diagnosis.strata_z() - 0.5 / error).abs() < 1e-9);
    }

    /// An error that falls with the root of the number, and one that a single heavy branch keeps up.
    #[test]
    fn the_error_of_a_sixteenth_is_four_times_as_large() {
        let ratio = |heavy: bool| {
            let (mut diagnosis, mut whole) = (Diagnosis::new(0), Sums::default());
            for unit in 0..1_024_u64 {
                let y = 1.0 + (unit % 2) as f64 + if heavy && unit == 1_000 { 4e3 } else { 0.0 };
                whole.push(y, 1.0);
                diagnosis.merge(&Diagnosis::new(0), &whole);
            }
            diagnosis.error_ratio().expect("enough")
        };
        assert!((ratio(false) - 0.25).abs() < 0.01);
        assert!(ratio(true) > 5.0);
    }
}
