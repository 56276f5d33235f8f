//! A ratio of sums over independent groups: availability over replications, outage length over
//! outages. Never the mean of the groups' ratios, which is biased and has no meaning where a group
//! has nothing to divide by.

use super::interval::{Interval, student_t};

/// Accumulates pairs (y, x) of groups for the ratio sum y / sum x. The default has seen nothing and
/// is the identity of [`merge`](Self::merge).
///
/// If the ratio is close to 1 record what is missing from x as y (failed requests, not good ones):
/// the spread of the ratio is then not the small difference of two large numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ratio {
    groups: u64,
    sum_y: f64,
    sum_x: f64,
    mean_y: f64,
    mean_x: f64,
    // Sums of squared deviations and of their products: centred, because raw sums cancel.
    yy: f64,
    xy: f64,
    xx: f64,
}

impl Ratio {
    /// Takes in one group.
    pub fn record(&mut self, y: f64, x: f64) {
        self.merge(&Self {
            groups: 1,
            sum_y: y,
            sum_x: x,
            mean_y: y,
            mean_x: x,
            yy: 0.0,
            xy: 0.0,
            xx: 0.0,
        });
    }

    /// Takes in all groups of `other`. Rounds: merge in a fixed order for the same bits.
    pub fn merge(&mut self, other: &Self) {
        if self.groups == 0 {
            *self = *other;
            return;
        }
        if other.groups == 0 {
            return;
        }
        let (ours, theirs) = (self.groups as f64, other.groups as f64);
        let share = theirs / (ours + theirs);
        let (off_y, off_x) = (other.mean_y - self.mean_y, other.mean_x - self.mean_x);
        self.yy += other.yy + off_y * off_y * ours * share;
        self.xy += other.xy + off_y * off_x * ours * share;
        self.xx += other.xx + off_x * off_x * ours * share;
        self.mean_y += off_y * share;
        self.mean_x += off_x * share;
        self.groups += other.groups;
        self.sum_y += other.sum_y;
        self.sum_x += other.sum_x;
    }

    /// How many groups.
    pub fn groups(&self) -> u64 {
        self.groups
    }

    /// The sum of y.
    pub fn sum_y(&self) -> f64 {
        self.sum_y
    }

    /// The sum of x.
    pub fn sum_x(&self) -> f64 {
        self.sum_x
    }

    /// sum y / sum x; `None` if the latter is 0.
    pub fn value(&self) -> Option<f64> {
        (self.sum_x != 0.0).then(|| self.sum_y / self.sum_x)
    }

    /// The variance of [`value`](Self::value) by linearisation: that of the mean of y - value x,
    /// over the square of the mean of x. `None` below two groups or without a value.
    pub fn variance(&self) -> Option<f64> {
        let value = self.value()?;
        if self.groups < 2 {
            return None;
        }
        let n = self.groups as f64;
        let residual = (self.yy - 2.0 * value * self.xy + value * value * self.xx).max(0.0);
        Some(residual / (n * (n - 1.0)) / (self.mean_x * self.mean_x))
    }

    /// The standard error of [`value`](Self::value).
    pub fn std_error(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// The interval of the value by Student's t over groups; infinite if the groups show no spread.
    ///
    /// # Panics
    /// If `confidence` is not between 0 and 1.
    pub fn interval(&self, confidence: f64) -> Interval {
        match (self.value(), self.std_error()) {
            (Some(value), Some(error)) if error > 0.0 => {
                let half = student_t(confidence, (self.groups - 1) as f64) * error;
                Interval {
                    low: value - half,
                    high: value + half,
                }
            }
            _ => Interval::UNBOUNDED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_of_sums_is_not_the_mean_of_ratios() {
        let mut ratio = Ratio::default();
        ratio.record(1.0, 1.0);
        ratio.record(0.0, 3.0);
        assert_eq!(ratio.value(), Some(0.25));
    }

    #[test]
    fn linearised_variance_is_that_of_the_residuals() {
        let pairs = [
            (3.0, 10.0),
            (1.0, 12.0),
            (4.0, 9.0),
            (2.0, 14.0),
            (0.0, 11.0),
        ];
        let mut ratio = Ratio::default();
        pairs.iter().for_each(|&(y, x)| ratio.record(y, x));
        let value: f64 = 10.0 / 56.0;
        let squares: f64 = pairs.iter().map(|(y, x)| (y - value * x).powi(2)).sum();
        let expected = squares / 4.0 / 5.0 / 11.2_f64.powi(2);
        assert!((ratio.variance().unwrap() / expected - 1.0).abs() < 1e-12);
        let interval = ratio.interval(0.95);
        // t with 4 degrees of freedom.
        let half = 2.776_445_105_197_793 * expected.sqrt();
        assert!((interval.high - value - half).abs() < 1e-12);
        assert!((value - interval.low - half).abs() < 1e-12);
    }

    #[test]
    fn with_equal_denominators_it_is_the_interval_of_a_mean() {
        let (mut ratio, mut moments) = (Ratio::default(), super::super::Moments::default());
        for y in [4.0, 8.0, 1.0, 5.0] {
            ratio.record(y, 2.0);
            moments.record(y / 2.0);
        }
        let (one, two) = (
            ratio.interval(0.9),
            super::super::mean_interval(&moments, 0.9),
        );
        assert!((one.low - two.low).abs() < 1e-13 && (one.high - two.high).abs() < 1e-13);
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let (mut whole, mut parts) = (Ratio::default(), Ratio::default());
        for part in 0..10 {
            let mut some = Ratio::default();
            for n in 0..7 {
                let (y, x) = (f64::from(n * part % 5), f64::from(10 + n));
                whole.record(y, x);
                some.record(y, x);
            }
            parts.merge(&some);
        }
        assert_eq!(parts.groups(), 70);
        assert_eq!(parts.value(), whole.value());
        assert!((parts.variance().unwrap() / whole.variance().unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn no_spread_is_no_knowledge() {
        let mut ratio = Ratio::default();
        assert_eq!(ratio.value(), None);
        ratio.record(0.0, 5.0);
        assert_eq!(ratio.interval(0.95), Interval::UNBOUNDED);
        ratio.record(0.0, 5.0);
        assert_eq!(ratio.value(), Some(0.0));
        assert_eq!(ratio.interval(0.95), Interval::UNBOUNDED);
    }
}
