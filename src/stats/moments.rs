//! Mean, variance and range of numbers, one at a time and in parts.

/// Count, mean, sum of squared deviations, smallest and largest. The default has seen nothing and is
/// the identity of [`merge`](Self::merge).
///
/// Updated by Welford's and merged by Chan's formula, which do not cancel. Merging rounds, so parts
/// must be merged in a fixed order for the same bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
    min: f64,
    max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self {
            count: 0,
            mean: 0.0,
            squares: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Moments {
    /// Takes in one number.
    pub fn record(&mut self, value: f64) {
        self.count += 1;
        let off = value - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Takes in all that `other` has.
    pub fn merge(&mut self, other: &Self) {
        if self.count == 0 {
            *self = *other;
            return;
        }
        if other.count == 0 {
            return;
        }
        let (ours, theirs) = (self.count as f64, other.count as f64);
        let off = other.mean - self.mean;
        self.count += other.count;
        let share = theirs / (ours + theirs);
        self.mean += off * share;
        self.squares += other.squares + off * off * ours * share;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many numbers.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; 0 if there is none.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The sum of squared deviations from the mean.
    pub fn sum_of_squares(&self) -> f64 {
        self.squares
    }

    /// The sample variance; `None` below two numbers.
    pub fn variance(&self) -> Option<f64> {
        (self.count >= 2).then(|| self.squares / (self.count - 1) as f64)
    }

    /// The standard error of the mean; `None` below two numbers.
    pub fn std_error(&self) -> Option<f64> {
        self.variance()
            .map(|variance| (variance / self.count as f64).sqrt())
    }

    /// The smallest; `None` if there is none.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// The largest; `None` if there is none.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Moments {
        let mut moments = Moments::default();
        values.iter().for_each(|value| moments.record(*value));
        moments
    }

    #[test]
    fn small_deviations_from_a_large_mean_keep_their_digits() {
        let moments = of(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]);
        assert_eq!(moments.mean(), 1e9 + 10.0);
        assert_eq!(moments.variance(), Some(30.0));
        assert_eq!(moments.std_error(), Some(7.5_f64.sqrt()));
        assert_eq!(
            (moments.min(), moments.max()),
            (Some(1e9 + 4.0), Some(1e9 + 16.0))
        );
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let values: Vec<f64> = (0..1_000).map(|n| f64::from(n * n % 977)).collect();
        let whole = of(&values);
        let mut parts = Moments::default();
        for part in values.chunks(37) {
            parts.merge(&of(part));
        }
        parts.merge(&Moments::default());
        assert_eq!(parts.count(), whole.count());
        assert!((parts.mean() / whole.mean() - 1.0).abs() < 1e-14);
        assert!((parts.sum_of_squares() / whole.sum_of_squares() - 1.0).abs() < 1e-13);
        assert_eq!((parts.min(), parts.max()), (whole.min(), whole.max()));
    }

    #[test]
    fn nothing_has_no_variance_and_no_range() {
        let nothing = Moments::default();
        assert_eq!(
            (nothing.variance(), nothing.min(), nothing.max()),
            (None, None, None)
        );
        assert_eq!(of(&[3.0]).variance(), None);
    }
}
