//! A histogram whose values carry weights: what samples of regimes become when each is scaled to the
//! time spent in its regime.

use super::histogram::{Bucket, Histogram, quantile_in, share_of_bucket};
use super::zeros;
use serde::{Deserialize, Serialize};

/// Weights of spans in the buckets of [`Histogram`].
///
/// Values are counted as integers first, in a [`Histogram`] for each group, and scaled once: adding
/// weights value by value would round a billion times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightedHistogram {
    #[serde(with = "zeros")]
    weights: Vec<f64>,
    total: f64,
    sum: f64,
    max: u64,
}

impl WeightedHistogram {
    /// Without any weight.
    pub fn new() -> Self {
        Self {
            weights: Vec::new(),
            total: 0.0,
            sum: 0.0,
            max: 0,
        }
    }

    /// Adds the values of `histogram`, each with the weight `factor` >= 0.
    pub fn add_scaled(&mut self, histogram: &Histogram, factor: f64) {
        debug_assert!(
            factor.is_finite() && factor >= 0.0,
            "a weight is finite and not negative"
        );
        if factor == 0.0 || histogram.is_empty() {
            return;
        }
        self.reach(histogram.max_seen());
        for bucket in histogram.iter() {
            self.weights[bucket.index] += bucket.count as f64 * factor;
        }
        self.total += histogram.total() as f64 * factor;
        self.sum += histogram.sum() as f64 * factor;
        self.max = self.max.max(histogram.max_seen());
    }

    /// Adds one value with the weight `weight` >= 0: for few values, each of which has a weight of its own.
    pub fn add(&mut self, nanos: u64, weight: f64) {
        debug_assert!(
            weight.is_finite() && weight >= 0.0,
            "a weight is finite and not negative"
        );
        self.reach(nanos);
        self.weights[Histogram::index_of(nanos)] += weight;
        self.total += weight;
        self.sum += weight * nanos as f64;
        self.max = self.max.max(nanos);
    }

    /// Makes room for values up to `nanos`; buckets beyond the largest value take no memory.
    fn reach(&mut self, nanos: u64) {
        let used = Histogram::index_of(nanos) + 1;
        if self.weights.len() < used {
            self.weights.resize(used, 0.0);
        }
    }

    /// Adds all weights of `other`. The result depends on the order of merges in its last digits:
    /// merge in index order.
    pub fn merge(&mut self, other: &Self) {
        self.reach(other.max);
        for (weight, more) in self.weights.iter_mut().zip(&other.weights) {
            *weight += more;
        }
        self.total += other.total;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// Forgets all weights, without giving back memory.
    pub fn clear(&mut self) {
        self.weights.clear();
        (self.total, self.sum, self.max) = (0.0, 0.0, 0);
    }

    /// The sum of the weights.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// Whether there is no weight.
    pub fn is_empty(&self) -> bool {
        self.total <= 0.0
    }

    /// The largest value that has a weight, exact, nanoseconds; 0 if there is none.
    pub fn max_seen(&self) -> u64 {
        self.max
    }

    /// Sum of weight times value, nanoseconds.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The weighted mean, from exact sums, nanoseconds; `None` without weight.
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.sum / self.total)
    }

    /// The buckets that hold something, in order of value.
    pub fn iter(&self) -> impl Iterator<Item = Bucket<f64>> {
        self.weights
            .iter()
            .enumerate()
            .filter(|(_, weight)| **weight > 0.0)
            .map(|(index, &count)| {
                let (low, high) = Histogram::bounds_of(index);
                Bucket {
                    index,
                    low,
                    high,
                    count,
                }
            })
    }

    /// The value, in nanoseconds, that a share `q` (0 to 1) of the weight does not exceed,
    /// interpolated within its bucket; `None` without weight.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let buckets = self.iter().map(|bucket| (bucket.index, bucket.count));
        quantile_in(buckets, q * self.total, self.max)
    }

    /// The weight of the values that are at most `nanos`, interpolated within the bucket of `nanos`.
    pub fn weight_at_most(&self, nanos: u64) -> f64 {
        if nanos >= self.max {
            return self.total;
        }
        let index = Histogram::index_of(nanos);
        let below: f64 = self.weights[..index].iter().sum();
        below + self.weights[index] * share_of_bucket(index, nanos, self.max)
    }

    /// The share of the weight at values that are at most `nanos`; `None` without weight.
    pub fn share_at_most(&self, nanos: u64) -> Option<f64> {
        (!self.is_empty()).then(|| (self.weight_at_most(nanos) / self.total).min(1.0))
    }

    /// The distribution function for drawing: up to `points` >= 2 pairs (value in nanoseconds, share
    /// of the weight at most that), with values in equal ratios from the smallest bucket to the
    /// largest value. Shares never fall; the last one is 1. Empty without weight.
    pub fn curve(&self, points: usize) -> Vec<(f64, f64)> {
        let Some(first) = self.iter().next() else {
            return Vec::new();
        };
        let (low, high) = (first.low.max(1) as f64, self.max.max(1) as f64);
        let steps = points.max(2) - 1;
        let mut curve: Vec<(f64, f64)> = Vec::with_capacity(steps + 1);
        for step in 0..=steps {
            let value = match step {
                step if step == steps => self.max,
                step => (low * (high / low).powf(step as f64 / steps as f64)) as u64,
            };
            let share = (self.weight_at_most(value) / self.total).min(1.0);
            // Ratios below a nanosecond give the same value again.
            match curve.last_mut() {
                Some(last) if last.0 >= value as f64 => *last = (last.0, last.1.max(share)),
                _ => curve.push((value as f64, share)),
            }
        }
        curve
    }
}

impl Default for WeightedHistogram {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::new();
        values.into_iter().for_each(|value| histogram.record(value));
        histogram
    }

    #[test]
    fn weights_count_as_that_many_values() {
        let (fast, slow) = (of(0..100_000), of(1_000_000..1_100_000));
        let mut weighted = WeightedHistogram::new();
        weighted.add_scaled(&fast, 3.0);
        weighted.add_scaled(&slow, 1.0);
        let mut counted = Histogram::new();
        for part in [&fast, &fast, &fast, &slow] {
            counted.merge(part);
        }
        assert_eq!(weighted.total(), counted.total() as f64);
        assert_eq!(weighted.mean(), counted.mean());
        assert_eq!(weighted.max_seen(), counted.max_seen());
        for q in [0.0, 0.2, 0.5, 0.74, 0.76, 0.9, 1.0] {
            assert_eq!(weighted.quantile(q), counted.quantile(q));
        }
        let half = weighted.share_at_most(500_000).unwrap();
        assert!((half - 0.75).abs() < 1e-12);
    }

    #[test]
    fn merging_adds_weights() {
        let mut one = WeightedHistogram::new();
        one.add_scaled(&of([5, 6]), 0.5);
        let mut two = WeightedHistogram::new();
        two.add_scaled(&of([7, 70_000]), 0.25);
        one.merge(&two);
        assert_eq!(one.total(), 1.5);
        assert_eq!(one.iter().map(|bucket| bucket.count).sum::<f64>(), 1.5);
        one.clear();
        assert_eq!(one, WeightedHistogram::new());
    }

    #[test]
    fn curves_rise_to_one() {
        let mut weighted = WeightedHistogram::new();
        assert!(weighted.curve(10).is_empty());
        weighted.add_scaled(&of((0..1_000).map(|n| n * n)), 0.1);
        let curve = weighted.curve(64);
        assert!(
            curve
                .windows(2)
                .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1)
        );
        assert_eq!(curve.last(), Some(&(998_001.0, 1.0)));
        let mut same = WeightedHistogram::new();
        same.add_scaled(&of([9]), 2.0);
        assert_eq!(same.curve(64), vec![(9.0, 1.0)]);
    }

    #[test]
    fn nothing_has_no_share() {
        let empty = WeightedHistogram::new();
        assert_eq!(
            (empty.quantile(0.5), empty.mean(), empty.share_at_most(1)),
            (None, None, None)
        );
    }
}
