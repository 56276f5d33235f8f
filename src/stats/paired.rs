//! Differences of two designs that were simulated on the same random numbers.
//!
//! Each independent unit (a replication, or a group of them) was lived through by both designs, so
//! the noise that both share cancels in the difference of the unit, and the interval of the mean
//! difference is as narrow as the designs are alike. What is kept are sums of products of the
//! *differences* and the baseline, not of the two designs: two copies of one design then give
//! exactly zero everywhere, and nearly equal designs lose no digits.

use super::interval::{nothing_seen, poisson_rate, student_t};

/// Below so many units in which the designs differ, scatter alone says too little.
const FEW: u64 = 30;

/// A figure of a candidate minus that of the baseline.
///
/// An end without a bound is infinite. `value` lies within `[low, high]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The best single number.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// The probability with which such intervals contain the truth, e.g. 0.95.
    pub confidence: f64,
    /// Independent units that both designs lived through: replications or groups of them.
    pub n: u64,
    /// How much the two designs' errors go together, -1 to 1; `None` where one of them has none.
    pub correlation: Option<f64>,
}

impl Difference {
    /// Between two copies of one design: exactly nothing.
    pub fn none(n: u64, confidence: f64) -> Self {
        Self {
            value: 0.0,
            low: 0.0,
            high: 0.0,
            confidence,
            n,
            correlation: Some(1.0),
        }
    }

    /// This difference times `factor`; a negative one exchanges the ends.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        // An end without a bound has none after scaling either.
        let end = |end: f64| {
            if end.is_infinite() {
                end * factor.signum()
            } else {
                // Adding zero turns a negative zero into a plain one.
                end * factor + 0.0
            }
        };
        let (low, high) = if factor < 0.0 {
            (end(self.high), end(self.low))
        } else {
            (end(self.low), end(self.high))
        };
        Self {
            value: self.value * factor + 0.0,
            low,
            high,
            ..self
        }
    }

    /// Whether the interval does not contain zero.
    pub fn is_significant(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// What is known about a figure besides its sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scope {
    /// Replications behind the units.
    pub histories: u64,
    /// The largest value that the figure of one unit can have; infinite if nothing bounds it.
    pub largest: f64,
}

/// Sums over units, each with a pair (y, x) of the baseline and one of the candidate, for the
/// difference of the two ratios of sums.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Paired {
    /// Units.
    pub n: u64,
    /// Units in which the designs differ.
    pub changed: u64,
    /// Sums of y and x of the baseline.
    pub base: [f64; 2],
    /// Sums of y and x of the candidate.
    pub other: [f64; 2],
    /// Sum of the differences of y.
    dy: f64,
    /// Upper triangle, by rows, of the products of (dy, dx, y, x); y and x are the baseline's.
    products: [f64; 10],
}

/// Row and column of each entry of the upper triangle.
const TRIANGLE: [(usize, usize); 10] = [
    (0, 0),
    (0, 1),
    (0, 2),
    (0, 3),
    (1, 1),
    (1, 2),
    (1, 3),
    (2, 2),
    (2, 3),
    (3, 3),
];

impl Paired {
    /// Adds one unit.
    pub fn push(&mut self, base: (f64, f64), other: (f64, f64)) {
        self.n += 1;
        let v = [other.0 - base.0, other.1 - base.1, base.0, base.1];
        self.changed += u64::from(v[0] != 0.0 || v[1] != 0.0);
        self.dy += v[0];
        for (sum, value) in self.base.iter_mut().zip([base.0, base.1]) {
            *sum += value;
        }
        for (sum, value) in self.other.iter_mut().zip([other.0, other.1]) {
            *sum += value;
        }
        for (sum, (i, j)) in self.products.iter_mut().zip(TRIANGLE) {
            *sum += v[i] * v[j];
        }
    }

    /// Adds all units of `more`, which come after the ones here.
    pub fn merge(&mut self, more: &Self) {
        self.n += more.n;
        self.changed += more.changed;
        self.dy += more.dy;
        for (sum, value) in self.base.iter_mut().zip(more.base) {
            *sum += value;
        }
        for (sum, value) in self.other.iter_mut().zip(more.other) {
            *sum += value;
        }
        for (sum, value) in self.products.iter_mut().zip(more.products) {
            *sum += value;
        }
    }

    /// Adds `n` units of which everything is zero but x, which is 1 in both designs.
    pub fn push_plain(&mut self, n: u64) {
        let count = n as f64;
        self.n += n;
        self.base[1] += count;
        self.other[1] += count;
        self.products[9] += count;
    }

    /// Sum of the products of two linear forms of (dy, dx, y, x).
    fn product(&self, one: [f64; 4], two: [f64; 4]) -> f64 {
        self.products
            .iter()
            .zip(TRIANGLE)
            .map(|(sum, (i, j))| {
                let weight = if i == j {
                    one[i] * two[i]
                } else {
                    one[i] * two[j] + one[j] * two[i]
                };
                weight * sum
            })
            .sum()
    }

    /// The candidate's ratio of sums minus the baseline's, with the variance of the paired
    /// linearised residuals (Cochran 1977, 6.4, for each ratio; their difference unit by unit).
    /// `None` if either denominator is not above zero.
    ///
    /// Where only a few units differ, their number is bounded as a Poisson count and their signed
    /// size by its scatter, each at half the error; where none does, the probability that one in so
    /// many histories could still differ bounds the difference.
    ///
    /// # Panics
    /// If `confidence` is not between 0 and 1.
    pub fn difference(&self, scope: Scope, confidence: f64) -> Option<Difference> {
        let ([ya, xa], [yb, xb]) = (self.base, self.other);
        if !(xa > 0.0 && xb > 0.0) {
            return None;
        }
        let (ra, rb) = (ya / xa, yb / xb);
        let (value, n) = (rb - ra, self.n as f64);
        let residual_a = [0.0, 0.0, 1.0 / xa, -ra / xa];
        let residual_b = [1.0 / xb, -rb / xb, 1.0 / xb, -rb / xb];
        let (var_a, var_b) = (
            self.product(residual_a, residual_a),
            self.product(residual_b, residual_b),
        );
        let correlation = (var_a > 0.0 && var_b > 0.0).then(|| {
            let together = self.product(residual_a, residual_b);
            (together / (var_a * var_b).sqrt()).clamp(-1.0, 1.0)
        });
        let (low, high) = if self.changed == 0 {
            let unseen = times(nothing_seen(scope.histories, confidence), scope.largest);
            (-unseen, unseen)
        } else if self.n < 2 {
            (f64::NEG_INFINITY, f64::INFINITY)
        } else if self.changed < FEW && self.changed * 2 < self.n {
            self.few(scope, confidence)
        } else {
            // The coefficients are written so that they vanish for equal denominators and ratios.
            let apart = 1.0 / xb - 1.0 / xa;
            let residual = [1.0 / xb, -rb / xb, apart, -value / xb - ra * apart];
            let variance = self.product(residual, residual).max(0.0) * n / (n - 1.0);
            let half = student_t(confidence, n - 1.0) * variance.sqrt();
            (value - half, value + half)
        };
        Some(Difference {
            value,
            low: low.clamp(-scope.largest, value),
            high: high.clamp(value, scope.largest),
            confidence,
            n: self.n,
            correlation,
        })
    }

    /// Few units differ: the exact Poisson interval of their number and the t interval of their
    /// signed size, each at half the error.
    fn few(&self, scope: Scope, confidence: f64) -> (f64, f64) {
        let (changed, n) = (self.changed as f64, self.n as f64);
        let each = 0.5 + 0.5 * confidence;
        let number = poisson_rate(self.changed, 1.0, each);
        if self.changed < 2 {
            // One difference says nothing about how large the next one is, nor on which side.
            let unseen = times((number.high / n).min(1.0), scope.largest);
            return (-unseen, unseen);
        }
        let unit = self.base[1] / n;
        let size = self.dy / changed;
        let scatter = ((self.products[0] - self.dy * size) / (changed - 1.0)).max(0.0);
        let half = student_t(each, changed - 1.0) * (scatter / changed).sqrt();
        let ends = [size - half, size + half];
        let corner = |number: f64, size: f64| number * size / (n * unit);
        let all = [
            corner(number.low, ends[0]),
            corner(number.high, ends[0]),
            corner(number.low, ends[1]),
            corner(number.high, ends[1]),
        ];
        (
            all.into_iter().fold(f64::INFINITY, f64::min),
            all.into_iter().fold(f64::NEG_INFINITY, f64::max),
        )
    }
}

/// A probability times a size that may be without bound; `0 * infinity` would be NaN.
fn times(probability: f64, largest: f64) -> f64 {
    if largest.is_finite() {
        probability * largest
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Dist, Key};

    const SHARE: Scope = Scope {
        histories: 10_000,
        largest: 1.0,
    };

    #[test]
    fn two_copies_differ_by_exactly_nothing() {
        let mut paired = Paired::default();
        for i in 0..50 {
            let pair = (0.1 * f64::from(i % 7), 3.0 + 0.3 * f64::from(i % 5));
            paired.push(pair, pair);
        }
        let difference = paired.difference(SHARE, 0.95).unwrap();
        assert_eq!((paired.changed, difference.value), (0, 0.0));
        assert!((difference.correlation.unwrap() - 1.0).abs() < 1e-12);
        // Only the caller knows that they are copies; seen alone, they could still differ.
        assert!(difference.high > 0.0 && difference.high < 4e-4);
        assert_eq!(Difference::none(50, 0.95).high, 0.0);
    }

    #[test]
    fn the_variance_is_that_of_the_paired_residuals() {
        let pairs = [
            ((3.0, 10.0), (2.0, 11.0)),
            ((1.0, 12.0), (1.5, 12.0)),
            ((4.0, 9.0), (2.0, 8.0)),
            ((2.0, 14.0), (1.0, 15.0)),
            ((0.0, 11.0), (0.5, 10.0)),
        ];
        let mut paired = Paired::default();
        pairs.iter().for_each(|&(a, b)| paired.push(a, b));
        let (ra, rb): (f64, f64) = (10.0 / 56.0, 7.0 / 56.0);
        let residual = |&((ya, xa), (yb, xb)): &((f64, f64), (f64, f64))| {
            (yb - rb * xb) / 56.0 - (ya - ra * xa) / 56.0
        };
        let squares: f64 = pairs.iter().map(|pair| residual(pair).powi(2)).sum();
        let half = 2.776_445_105_197_793 * (squares * 5.0 / 4.0).sqrt();
        let difference = paired.difference(SHARE, 0.95).unwrap();
        assert!((difference.value - (rb - ra)).abs() < 1e-15);
        assert!((difference.high - difference.value - half).abs() < 1e-12);
        assert!((difference.value - difference.low - half).abs() < 1e-12);
        let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
        for &((ya, xa), (yb, xb)) in &pairs {
            let (a, b) = (ya - ra * xa, yb - rb * xb);
            (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
        }
        let expected = ab / (aa * bb).sqrt();
        assert!((difference.correlation.unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let (mut whole, mut parts) = (Paired::default(), Paired::default());
        for part in 0..4 {
            let mut some = Paired::default();
            for i in 0..8 {
                let y = f64::from((i * 7 + part * 3) % 5);
                whole.push((y, 1.0), (0.5 * y, 1.0));
                some.push((y, 1.0), (0.5 * y, 1.0));
            }
            some.push_plain(3);
            whole.push_plain(3);
            parts.merge(&some);
        }
        assert_eq!(whole, parts);
        assert_eq!((whole.n, whole.base[1]), (44, 44.0));
    }

    /// 400 macro-runs: a common part much larger than the difference, as with common random numbers.
    /// A true coverage of 0.95 leaves [0.91, 0.98] with probability below 1e-3.
    #[test]
    fn covers_the_true_difference_and_is_narrower_than_two_runs() {
        let noise = Dist::exponential(1.0).unwrap();
        let (mut covered, mut paired_width, mut separate) = (0, 0.0, 0.0);
        for run in 0..400 {
            let mut stream = Key::of_seed(5).with(run).stream();
            let mut paired = Paired::default();
            let (mut aa, mut bb) = (Vec::new(), Vec::new());
            for _ in 0..32 {
                let common = noise.sample(&mut stream);
                let a = common + 0.2 * noise.sample(&mut stream);
                let b = common + 0.1 * noise.sample(&mut stream);
                paired.push((a, 1.0), (b, 1.0));
                aa.push(a);
                bb.push(b);
            }
            let scope = Scope {
                histories: 32,
                largest: f64::INFINITY,
            };
            let difference = paired.difference(scope, 0.95).unwrap();
            covered += u32::from((difference.low..=difference.high).contains(&-0.1));
            paired_width += difference.high - difference.low;
            let variance = |values: &[f64]| {
                let mean = values.iter().sum::<f64>() / 32.0;
                values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 31.0 / 32.0
            };
            separate += 2.0 * 2.04 * (variance(&aa) + variance(&bb)).sqrt();
        }
        let coverage = f64::from(covered) / 400.0;
        assert!((0.91..0.98).contains(&coverage), "{coverage}");
        assert!(
            paired_width < 0.3 * separate,
            "{paired_width} against {separate}"
        );
    }

    /// Rare differences, all on one side or on both: never less coverage than promised.
    #[test]
    fn a_few_units_that_differ_are_a_count_and_a_size() {
        let size = Dist::exponential(0.001).unwrap();
        for (better, worse) in [(0.01, 0.0), (0.006, 0.003)] {
            let mut covered = 0;
            for run in 0..400 {
                let mut stream = Key::of_seed(9).with(run).stream();
                let mut paired = Paired::default();
                for _ in 0..1_000 {
                    let u = stream.uniform();
                    let d = match u {
                        u if u < better => -size.sample(&mut stream),
                        u if u < better + worse => size.sample(&mut stream),
                        _ => 0.0,
                    };
                    paired.push((0.5, 1.0), (0.5 + d, 1.0));
                }
                let difference = paired.difference(SHARE, 0.95).unwrap();
                let truth = (worse - better) * 0.001;
                covered += u32::from((difference.low..=difference.high).contains(&truth));
            }
            assert!(covered >= 372, "{better} {worse}: {covered} of 400");
        }
    }

    #[test]
    fn a_negative_factor_exchanges_the_ends() {
        let difference = Difference {
            value: 1.0,
            low: 0.5,
            high: f64::INFINITY,
            confidence: 0.95,
            n: 3,
            correlation: None,
        };
        let turned = difference.scaled(-2.0);
        assert_eq!(
            (turned.value, turned.low, turned.high),
            (-2.0, f64::NEG_INFINITY, -1.0)
        );
        assert!(turned.is_significant());
    }
}
