//! Log-linear histogram of spans in nanoseconds.
//!
//! 128 buckets per octave: a bucket is at most 1/128 of its values wide, and with interpolation
//! inside it a quantile is far closer. Buckets below 256 ns hold one value each. The whole range of
//! `u64` is covered, so recording never fails, and counts are integers, so that merging is exact in
//! any order. One histogram takes 58 KiB.

use super::zeros;
use serde::{Deserialize, Serialize, Serializer};

/// Buckets per octave, as a power of two: relative width 2^-7.
const PRECISION: u32 = 7;

/// Counts of spans in buckets of relative width 2^-7.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    #[serde(serialize_with = "counts", deserialize_with = "zeros::deserialize")]
    counts: Box<[u64; Histogram::BUCKETS]>,
    total: u64,
    sum: u128,
    max: u64,
}

/// One bucket and what is in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket<T> {
    /// Its place: 0 to [`Histogram::BUCKETS`] - 1.
    pub index: usize,
    /// The smallest value it holds, nanoseconds.
    pub low: u64,
    /// The largest value it holds, nanoseconds.
    pub high: u64,
    /// How many values, or which weight.
    pub count: T,
}

fn counts<S: Serializer>(
    counts: &[u64; Histogram::BUCKETS],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    zeros::serialize(counts, serializer)
}

impl Histogram {
    /// Number of buckets.
    pub const BUCKETS: usize = (1 << PRECISION) * (64 - PRECISION as usize + 1);

    /// Without any value.
    pub fn new() -> Self {
        let counts: Box<[u64]> = vec![0; Self::BUCKETS].into();
        let counts = counts
            .try_into()
            .expect("the length is the constant of the type");
        Self {
            counts,
            total: 0,
            sum: 0,
            max: 0,
        }
    }

    /// The bucket of a value.
    #[inline]
    pub const fn index_of(nanos: u64) -> usize {
        // Below 2^8 the value is the index. Above, the leading eight bits select within the octave
        // and each octave starts 128 buckets after the one before.
        let shift = (nanos | 1 << PRECISION).ilog2() - PRECISION;
        ((shift as usize) << PRECISION) + (nanos >> shift) as usize
    }

    /// The smallest and the largest value of a bucket.
    ///
    /// # Panics
    /// If there is no such bucket.
    pub const fn bounds_of(index: usize) -> (u64, u64) {
        assert!(index < Self::BUCKETS, "there is no such bucket");
        let shift = (index >> PRECISION).saturating_sub(1);
        let low = ((index - (shift << PRECISION)) as u64) << shift;
        (low, low + ((1 << shift) - 1))
    }

    /// Counts one value.
    #[inline]
    pub fn record(&mut self, nanos: u64) {
        self.counts[Self::index_of(nanos)] += 1;
        self.total += 1;
        self.sum += u128::from(nanos);
        self.max = self.max.max(nanos);
    }

    /// Adds all values of `other`.
    pub fn merge(&mut self, other: &Self) {
        let used = Self::index_of(other.max) + 1;
        for (count, more) in self.counts[..used].iter_mut().zip(&other.counts[..used]) {
            *count += more;
        }
        self.total += other.total;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// Forgets all values, without giving back memory.
    pub fn clear(&mut self) {
        let used = Self::index_of(self.max) + 1;
        self.counts[..used].fill(0);
        (self.total, self.sum, self.max) = (0, 0, 0);
    }

    /// How many values there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The sum of all values, exact, nanoseconds.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// The largest value, exact, nanoseconds; 0 if there is none.
    pub fn max_seen(&self) -> u64 {
        self.max
    }

    /// The mean, from the exact sum, nanoseconds; `None` if there is no value.
    pub fn mean(&self) -> Option<f64> {
        (self.total > 0).then(|| self.sum as f64 / self.total as f64)
    }

    /// The buckets that hold something, in order of value.
    pub fn iter(&self) -> impl Iterator<Item = Bucket<u64>> {
        let used = Self::index_of(self.max) + 1;
        self.counts[..used]
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(index, &count)| {
                let (low, high) = Self::bounds_of(index);
                Bucket {
                    index,
                    low,
                    high,
                    count,
                }
            })
    }

    /// The value, in nanoseconds, that a share `q` (0 to 1) of the values does not exceed,
    /// interpolated within its bucket; `None` if there is no value. Never above the largest value.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let target = q * self.total as f64;
        let buckets = self
            .iter()
            .map(|bucket| (bucket.index, bucket.count as f64));
        quantile_in(buckets, target, self.max)
    }

    /// How many values are at most `nanos`, interpolated within the bucket of `nanos`.
    pub fn count_at_most(&self, nanos: u64) -> f64 {
        if nanos >= self.max {
            return self.total as f64;
        }
        let index = Self::index_of(nanos);
        let below: u64 = self.counts[..index].iter().sum();
        below as f64 + self.counts[index] as f64 * share_of_bucket(index, nanos, self.max)
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

/// The share of a bucket's values that is at most `nanos`, a value of it, if they are spread evenly;
/// none of them is above `max`.
pub(super) fn share_of_bucket(index: usize, nanos: u64, max: u64) -> f64 {
    let (low, high) = Histogram::bounds_of(index);
    let width = (high.min(max).max(nanos) - low) as f64 + 1.0;
    ((nanos - low) as f64 + 1.0) / width
}

/// The value at which the weight of `buckets`, non-empty ones in order, reaches `target`.
pub(super) fn quantile_in(
    buckets: impl Iterator<Item = (usize, f64)>,
    target: f64,
    max: u64,
) -> Option<f64> {
    let mut before = 0.0;
    let mut last = None;
    for (index, weight) in buckets {
        let (low, high) = Histogram::bounds_of(index);
        // The values of a bucket are low..=high: one of one nanosecond answers exactly.
        let width = (high.min(max) - low) as f64;
        if before + weight >= target {
            let share = ((target - before) / weight).clamp(0.0, 1.0);
            return Some(low as f64 + width * share);
        }
        before += weight;
        last = Some(low as f64 + width);
    }
    // Rounding of weights can leave the target a hair above their sum.
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_tile_the_whole_range_without_gap_or_overlap() {
        assert_eq!(Histogram::BUCKETS, 7_424);
        let mut next = 0_u64;
        for index in 0..Histogram::BUCKETS {
            let (low, high) = Histogram::bounds_of(index);
            assert_eq!(low, next, "bucket {index}");
            assert_eq!(Histogram::index_of(low), index);
            assert_eq!(Histogram::index_of(high), index);
            assert!(high - low <= low / 128, "bucket {index} is too wide");
            next = high.wrapping_add(1);
        }
        assert_eq!(next, 0, "the last bucket ends at the largest number");
    }

    #[test]
    fn small_values_are_exact() {
        let mut histogram = Histogram::new();
        for nanos in [3, 3, 7, 200] {
            histogram.record(nanos);
        }
        assert_eq!(histogram.quantile(0.0), Some(3.0));
        assert_eq!(histogram.quantile(0.5), Some(3.0));
        assert_eq!(histogram.quantile(0.75), Some(7.0));
        assert_eq!(histogram.quantile(1.0), Some(200.0));
        assert_eq!(histogram.count_at_most(2), 0.0);
        assert_eq!(histogram.count_at_most(3), 2.0);
        assert_eq!(histogram.count_at_most(199), 3.0);
        assert_eq!(histogram.count_at_most(u64::MAX), 4.0);
        assert_eq!(histogram.mean(), Some(53.25));
    }

    #[test]
    fn a_histogram_without_values_has_no_quantile_and_no_mean() {
        let histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), None);
        assert_eq!(histogram.mean(), None);
        assert_eq!(histogram.count_at_most(5), 0.0);
        assert_eq!(histogram.iter().count(), 0);
    }

    #[test]
    fn the_ends_of_the_range_are_recorded() {
        let mut histogram = Histogram::new();
        histogram.record(0);
        histogram.record(u64::MAX);
        assert_eq!(histogram.sum(), u128::from(u64::MAX));
        assert_eq!(histogram.max_seen(), u64::MAX);
        assert_eq!(histogram.quantile(1.0), Some(u64::MAX as f64));
        assert_eq!(histogram.count_at_most(0), 1.0);
    }

    #[test]
    fn quantiles_of_an_even_spread_are_interpolated() {
        let mut histogram = Histogram::new();
        for nanos in 0..1_000_000 {
            histogram.record(nanos);
        }
        for q in [0.001, 0.1, 0.5, 0.9, 0.99, 0.999] {
            let found = histogram.quantile(q).unwrap();
            assert!((found - q * 1e6).abs() < 1.5, "{q}: {found}");
            let count = histogram.count_at_most(found as u64);
            assert!((count - q * 1e6).abs() < 2.5, "{q}: {count}");
        }
    }

    #[test]
    fn merging_parts_gives_the_whole_and_clearing_nothing() {
        let (mut whole, mut one, mut two) = (Histogram::new(), Histogram::new(), Histogram::new());
        for step in 0..5_000_u64 {
            let nanos = step * step * 977;
            whole.record(nanos);
            if step % 3 == 0 {
                one.record(nanos)
            } else {
                two.record(nanos)
            }
        }
        two.merge(&one);
        assert_eq!(two, whole);
        two.clear();
        assert_eq!(two, Histogram::new());
    }
}
