//! Quantiles of a distribution that is known in independent parts, and their paired differences.
//!
//! The interval of one quantile is Woodruff's (see [`super::woodruff`]): the share at most the
//! quantile has an interval, which the distribution itself takes back to values. The slope between
//! its two ends turns shares into values, so that the linearised residuals of two designs can be
//! subtracted part by part: both lived through the same parts, and what they share cancels.
//!
//! Weight without a value (requests that failed) counts as later than any value.
//!
//! # Source
//! Francisco and Fuller, Quantile estimation with a complex survey design, Annals of Statistics 19
//! (1991) 454-469: the linearisation, and the slope from Woodruff's interval.

use super::interval::{nothing_seen, student_t};
use super::{Difference, Estimate, Paired, WeightedHistogram};

/// A distribution of spans in nanoseconds, in independent parts.
#[derive(Clone, Debug, Default)]
pub struct Split {
    parts: Vec<WeightedHistogram>,
    /// Weight of each part that is later than any value.
    never: Vec<f64>,
    whole: WeightedHistogram,
    never_all: f64,
}

/// One quantile with what is needed to compare it.
struct Point {
    value: f64,
    low: f64,
    high: f64,
    /// Nanoseconds a unit of share.
    slope: f64,
    /// (share of this part at most the value, less what it should be) by part.
    residuals: Vec<f64>,
}

impl Split {
    /// Of `parts`, each with the weight in `never` of the same index that has no value.
    pub fn new(parts: Vec<WeightedHistogram>, never: Vec<f64>) -> Self {
        let mut whole = WeightedHistogram::new();
        for part in &parts {
            whole.merge(part);
        }
        let never_all = never.iter().sum();
        Self {
            parts,
            never,
            whole,
            never_all,
        }
    }

    fn total(&self) -> f64 {
        self.whole.total() + self.never_all
    }

    fn never_of(&self, part: usize) -> f64 {
        self.never.get(part).copied().unwrap_or(0.0)
    }

    /// The value that a share `q` of all weight does not exceed; `None` where it has none.
    fn value(&self, q: f64) -> Option<f64> {
        let wanted = q * self.total() / self.whole.total();
        (wanted <= 1.0).then(|| self.whole.quantile(wanted.max(0.0)))?
    }

    fn point(&self, q: f64, confidence: f64) -> Option<Point> {
        if self.whole.is_empty() {
            return None;
        }
        let (value, total) = (self.value(q)?, self.total());
        let nanos = value.round() as u64;
        let below: Vec<f64> = self
            .parts
            .iter()
            .map(|part| part.weight_at_most(nanos))
            .collect();
        let share = below.iter().sum::<f64>() / total;
        let residuals: Vec<f64> = below
            .iter()
            .enumerate()
            .map(|(part, below)| {
                let all = self.parts[part].total() + self.never_of(part);
                (below - share * all) / total
            })
            .collect();
        let seen = (0..self.parts.len())
            .filter(|&part| self.parts[part].total() + self.never_of(part) > 0.0)
            .count() as f64;
        let variance = residuals.iter().map(|r| r * r).sum::<f64>() * seen / (seen - 1.0);
        if seen < 2.0 || variance <= 0.0 {
            return Some(Point {
                value,
                low: f64::NEG_INFINITY,
                high: f64::INFINITY,
                slope: 0.0,
                residuals,
            });
        }
        let half = student_t(confidence, seen - 1.0) * variance.sqrt();
        let low = self.value(q - half).filter(|_| q > half);
        let high = self.value(q + half).filter(|_| q + half < 1.0);
        let slope = match (low, high) {
            (Some(low), Some(high)) => (high - low) / (2.0 * half),
            (Some(low), None) => (value - low) / half,
            (None, Some(high)) => (high - value) / half,
            (None, None) => 0.0,
        };
        Some(Point {
            value,
            low: low.unwrap_or(0.0).min(value),
            high: high.unwrap_or(f64::INFINITY).max(value),
            slope,
            residuals,
        })
    }

    /// The quantile `q` with its interval, seconds; n: the weight. `None` where it has no value.
    ///
    /// # Panics
    /// If `confidence` is not between 0 and 1.
    pub fn quantile(&self, q: f64, confidence: f64) -> Option<Estimate> {
        let point = self.point(q, confidence)?;
        let estimate = Estimate {
            value: point.value,
            low: point.low.max(0.0),
            high: point.high,
            confidence,
            n: self.total().round() as u64,
        };
        Some(estimate.scaled(1e-9))
    }

    /// (sum of the values in seconds, weight of the values) of each part of this and of `other`, for
    /// the difference of their means.
    pub fn means(&self, other: &Self) -> Paired {
        let mut paired = Paired::default();
        let of = |split: &Self, part: usize| {
            split
                .parts
                .get(part)
                .map_or((0.0, 0.0), |part| (part.sum() * 1e-9, part.total()))
        };
        for part in 0..self.parts.len().max(other.parts.len()) {
            let (base, other) = (of(self, part), of(other, part));
            if base.1 + other.1 > 0.0 {
                paired.push(base, other);
            }
        }
        paired
    }

    /// The quantile `q` of `other` minus that of this, seconds. The parts of both with the same
    /// index come from the same replications, of which there are `histories` in all. `None` where
    /// either has no value.
    ///
    /// # Panics
    /// If `confidence` is not between 0 and 1.
    pub fn difference(
        &self,
        other: &Self,
        q: f64,
        histories: u64,
        confidence: f64,
    ) -> Option<Difference> {
        let (a, b) = (self.point(q, confidence)?, other.point(q, confidence)?);
        let value = b.value - a.value;
        let both = a.residuals.len().max(b.residuals.len());
        let at = |point: &Point, part: usize| {
            point.slope * point.residuals.get(part).copied().unwrap_or(0.0)
        };
        let (mut aa, mut bb, mut ab, mut dd) = (0.0, 0.0, 0.0, 0.0);
        for part in 0..both {
            let (ra, rb) = (at(&a, part), at(&b, part));
            (aa, bb, ab) = (aa + ra * ra, bb + rb * rb, ab + ra * rb);
            dd += (rb - ra) * (rb - ra);
        }
        let n = (0..both)
            .filter(|&part| {
                let weight = |split: &Self| {
                    split.parts.get(part).map_or(0.0, WeightedHistogram::total)
                        + split.never_of(part)
                };
                weight(self) + weight(other) > 0.0
            })
            .count() as u64;
        let correlation = (aa > 0.0 && bb > 0.0).then(|| (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0));
        let (low, high) = if self.parts == other.parts && self.never == other.never {
            // No replication differs; one in so many could, with all of its requests.
            let unseen = nothing_seen(histories, confidence);
            let (low, high) = (self.value(q - unseen), self.value(q + unseen));
            let low = low.filter(|_| q > unseen).unwrap_or(0.0);
            let high = high.filter(|_| q + unseen < 1.0).unwrap_or(f64::INFINITY);
            let off = (high - a.value).max(a.value - low);
            (-off, off)
        } else if n < 2 || a.low == f64::NEG_INFINITY || b.low == f64::NEG_INFINITY {
            (f64::NEG_INFINITY, f64::INFINITY)
        } else {
            let count = n as f64;
            let half = student_t(confidence, count - 1.0) * (dd * count / (count - 1.0)).sqrt();
            // An end that one of them does not have, the difference has not either.
            (
                if a.high.is_finite() {
                    value - half
                } else {
                    f64::NEG_INFINITY
                },
                if b.high.is_finite() {
                    value + half
                } else {
                    f64::INFINITY
                },
            )
        };
        let difference = Difference {
            value,
            low: low.min(value),
            high: high.max(value),
            confidence,
            n,
            correlation,
        };
        Some(difference.scaled(1e-9))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Dist, Key};
    use crate::stats::{Histogram, Ratio, woodruff};

    fn scaled(histograms: &[Histogram]) -> Vec<WeightedHistogram> {
        histograms
            .iter()
            .map(|histogram| {
                let mut weighted = WeightedHistogram::new();
                weighted.add_scaled(histogram, 1.0);
                weighted
            })
            .collect()
    }

    /// Two designs, the second 10 % slower, on the same levels: 32 parts of 200 values.
    fn designs(run: u64) -> (Vec<Histogram>, Vec<Histogram>) {
        let level = Dist::lognormal_median_sigma(1e6, 0.3).unwrap();
        let within = Dist::exponential(1.0).unwrap();
        let mut stream = Key::of_seed(2).with(run).stream();
        (0..32)
            .map(|_| {
                let (mut one, mut two) = (Histogram::new(), Histogram::new());
                let mean = level.sample(&mut stream);
                for _ in 0..200 {
                    let value = mean * within.sample(&mut stream);
                    one.record(value as u64);
                    two.record((1.1 * value) as u64);
                }
                (one, two)
            })
            .unzip()
    }

    #[test]
    fn without_failures_it_is_woodruffs_interval() {
        let (one, _) = designs(1);
        let split = Split::new(scaled(&one), vec![0.0; 32]);
        let mut total = WeightedHistogram::new();
        one.iter().for_each(|part| total.add_scaled(part, 1.0));
        let at = total.quantile(0.9).unwrap();
        let mut shares = Ratio::default();
        for part in &scaled(&one) {
            shares.record(part.weight_at_most(at.round() as u64), part.total());
        }
        let expected = woodruff(&total, 0.9, &shares, 0.95).unwrap();
        let found = split.quantile(0.9, 0.95).unwrap();
        assert!((found.value - at * 1e-9).abs() < 1e-15);
        assert!((found.low / (expected.low * 1e-9) - 1.0).abs() < 1e-6);
        assert!((found.high / (expected.high * 1e-9) - 1.0).abs() < 1e-6);
    }

    /// 200 macro-runs; a true coverage of 0.95 leaves [0.89, 0.99] with probability below 1e-3.
    #[test]
    fn the_difference_covers_and_is_narrower_than_two_runs() {
        // The median of lognormal (sigma 0.3) times exponential, from many runs together.
        let mut all = WeightedHistogram::new();
        for run in 1_000..1_400 {
            for part in designs(run).0 {
                all.add_scaled(&part, 1.0);
            }
        }
        let truth = 0.1e-9 * all.quantile(0.5).unwrap();
        let (mut covered, mut width, mut separate) = (0, 0.0, 0.0);
        for run in 0..200 {
            let (one, two) = designs(run);
            let one = Split::new(scaled(&one), vec![0.0; 32]);
            let two = Split::new(scaled(&two), vec![0.0; 32]);
            let found = one.difference(&two, 0.5, 32, 0.95).unwrap();
            covered += u32::from((found.low..=found.high).contains(&truth));
            width += found.high - found.low;
            let (a, b) = (
                one.quantile(0.5, 0.95).unwrap(),
                two.quantile(0.5, 0.95).unwrap(),
            );
            separate += (a.high - a.low).hypot(b.high - b.low);
            assert!(found.correlation.unwrap() > 0.9);
        }
        let coverage = f64::from(covered) / 200.0;
        assert!((0.89..0.99).contains(&coverage), "{coverage}");
        assert!(width < 0.25 * separate, "{width} against {separate}");
    }

    #[test]
    fn failed_requests_are_later_than_any_value() {
        let (one, _) = designs(3);
        let none = Split::new(scaled(&one), vec![0.0; 32]);
        let some = Split::new(scaled(&one), vec![20.0; 32]);
        let (without, with) = (
            none.quantile(0.5, 0.95).unwrap(),
            some.quantile(0.5, 0.95).unwrap(),
        );
        assert!(with.value > without.value);
        assert_eq!(some.quantile(0.95, 0.95), None);
        let found = none.difference(&some, 0.5, 32, 0.95).unwrap();
        assert!((found.value - (with.value - without.value)).abs() < 1e-15);
        assert!(found.low > 0.0);
    }

    #[test]
    fn copies_differ_by_nothing_that_was_seen() {
        let (one, _) = designs(4);
        let split = Split::new(scaled(&one), vec![1.0; 32]);
        let found = split.difference(&split.clone(), 0.5, 1_000, 0.95).unwrap();
        assert_eq!(found.value, 0.0);
        assert!(found.high > 0.0 && found.high < 1e-5 && found.low == -found.high);
    }
}
