//! A histogram of spans of which there are few or none: only buckets that hold something take memory.

use super::histogram::{Histogram, quantile_in};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts of spans in the buckets of [`Histogram`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparseHistogram {
    counts: BTreeMap<usize, u64>,
    total: u64,
    max: u64,
}

impl SparseHistogram {
    /// Counts one value.
    pub fn record(&mut self, nanos: u64) {
        *self.counts.entry(Histogram::index_of(nanos)).or_default() += 1;
        self.total += 1;
        self.max = self.max.max(nanos);
    }

    /// Adds all values of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (&index, &count) in &other.counts {
            *self.counts.entry(index).or_default() += count;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    /// How many values there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// See [`Histogram::quantile`].
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let buckets = self.counts.iter();
        let buckets = buckets.map(|(&index, &count)| (index, count as f64));
        quantile_in(buckets, q * self.total as f64, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_dense_histogram_with_less_memory() {
        let (mut dense, mut sparse) = (Histogram::new(), SparseHistogram::default());
        let mut other = SparseHistogram::default();
        for step in 0..2_000_u64 {
            let value = step * step * 7_919;
            dense.record(value);
            if step % 3 == 0 {
                sparse.record(value);
            } else {
                other.record(value);
            }
        }
        sparse.merge(&other);
        assert_eq!(sparse.total(), dense.total());
        for q in [0.001, 0.2, 0.5, 0.99, 1.0] {
            assert_eq!(sparse.quantile(q), dense.quantile(q));
        }
        assert_eq!(SparseHistogram::default().quantile(0.5), None);
    }
}
