//! Observed values, each equally likely.

use super::law::Law;
use rand::Rng;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Empirical {
    /// Ascending, not empty.
    values: Vec<f64>,
    mean: f64,
}

impl Empirical {
    /// `values` is not empty; all of it is finite and not negative.
    pub(super) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let mean = values.iter().map(|value| value / values.len() as f64).sum();
        Self { values, mean }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        self.values.iter().copied()
    }

    pub(super) fn is_constant(&self) -> bool {
        self.values.first() == self.values.last()
    }

    pub(super) fn sample<R: Rng>(&self, numbers: &mut R) -> f64 {
        // The upper word of a product is uniform below the count; off by less than count / 2^64.
        let index = (u128::from(numbers.next_u64()) * self.values.len() as u128) >> 64;
        self.values[index as usize]
    }

    /// The value exceeded by `above` values (not necessarily whole) or fewer.
    fn exceeded_by(&self, above: f64) -> f64 {
        let last = self.values.len() - 1;
        // `as` saturates: a share just above 1 gives the smallest value.
        self.values[last.saturating_sub(above.floor() as usize)]
    }

    /// How many values are above `x`.
    fn above(&self, x: f64) -> usize {
        self.values.len() - self.values.partition_point(|&value| value <= x)
    }
}

impl Law for Empirical {
    fn mean(&self) -> f64 {
        self.mean
    }

    fn variance(&self) -> f64 {
        let count = self.values.len() as f64;
        self.values
            .iter()
            .map(|value| (value - self.mean) * (value - self.mean) / count)
            .sum()
    }

    fn max(&self) -> f64 {
        self.values[self.values.len() - 1]
    }

    fn cumulative_hazard(&self, x: f64) -> f64 {
        match self.above(x) {
            0 => f64::INFINITY,
            above if above == self.values.len() => 0.0,
            above => -(above as f64 / self.values.len() as f64).ln(),
        }
    }

    fn inverse_hazard(&self, hazard: f64) -> f64 {
        // The hazards at the values come from logarithms: without the allowance, rounding would move
        // half of them to the next value.
        self.exceeded_by(self.values.len() as f64 * (-hazard).exp() * (1.0 + 1e-12))
    }

    fn quantile_of_sf(&self, sf: f64) -> f64 {
        self.exceeded_by(self.values.len() as f64 * sf)
    }

    fn residual(&self, age: f64, u: f64) -> f64 {
        let above = self.above(age);
        // What has outlived them all ends now.
        if above == 0 {
            0.0
        } else {
            self.exceeded_by(above as f64 * u) - age
        }
    }

    fn length_biased(&self, u: f64) -> f64 {
        let total: f64 = self.values.iter().sum();
        let mut above = total * u;
        // From the top, so that `u` is a survival probability as everywhere.
        for &value in self.values.iter().rev() {
            above -= value;
            if above < 0.0 {
                return value;
            }
        }
        self.values[0]
    }
}
