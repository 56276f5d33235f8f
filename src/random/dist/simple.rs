//! Constant, exponential and uniform spans.

use super::law::Law;
use super::uniform;
use rand::Rng;

/// Always the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Constant {
    pub(super) secs: f64,
}

impl Law for Constant {
    fn mean(&self) -> f64 {
        self.secs
    }

    fn variance(&self) -> f64 {
        0.0
    }

    fn max(&self) -> f64 {
        self.secs
    }

    fn cumulative_hazard(&self, x: f64) -> f64 {
        if x < self.secs { 0.0 } else { f64::INFINITY }
    }

    fn inverse_hazard(&self, _hazard: f64) -> f64 {
        self.secs
    }

    fn quantile_of_sf(&self, _sf: f64) -> f64 {
        self.secs
    }

    fn length_biased(&self, _u: f64) -> f64 {
        self.secs
    }
}

/// Without memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Exponential {
    pub(super) mean: f64,
}

impl Law for Exponential {
    fn mean(&self) -> f64 {
        self.mean
    }

    fn variance(&self) -> f64 {
        self.mean * self.mean
    }

    fn cumulative_hazard(&self, x: f64) -> f64 {
        x.max(0.0) / self.mean
    }

    fn hazard(&self, _x: f64) -> Option<f64> {
        Some(1.0 / self.mean)
    }

    fn inverse_hazard(&self, hazard: f64) -> f64 {
        self.mean * hazard
    }

    #[inline]
    fn quantile_of_sf(&self, sf: f64) -> f64 {
        -self.mean * sf.ln()
    }

    fn residual(&self, _age: f64, u: f64) -> f64 {
        self.quantile_of_sf(u)
    }

    fn length_biased(&self, u: f64) -> f64 {
        self.mean * crate::random::special::Gamma::new(2.0).quantile_of_sf(u)
    }
}

/// Equally dense between two ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Uniform {
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Uniform {
    #[inline]
    pub(super) fn sample<R: Rng>(&self, numbers: &mut R) -> f64 {
        self.min + (self.max - self.min) * uniform(numbers)
    }

    /// The value with a share `sf` of the support above it, from the nearer end.
    fn at(&self, cdf: f64, sf: f64) -> f64 {
        let width = self.max - self.min;
        if cdf < 0.5 {
            self.min + width * cdf
        } else {
            self.max - width * sf
        }
    }
}

impl Law for Uniform {
    fn mean(&self) -> f64 {
        0.5 * (self.min + self.max)
    }

    fn variance(&self) -> f64 {
        let width = self.max - self.min;
        width * width / 12.0
    }

    fn max(&self) -> f64 {
        self.max
    }

    fn cumulative_hazard(&self, x: f64) -> f64 {
        let width = self.max - self.min;
        if x <= self.min {
            0.0
        } else if x >= self.max {
            f64::INFINITY
        } else if x - self.min < self.max - x {
            -f64::ln_1p(-(x - self.min) / width)
        } else {
            -((self.max - x) / width).ln()
        }
    }

    fn inverse_hazard(&self, hazard: f64) -> f64 {
        self.at(-(-hazard).exp_m1(), (-hazard).exp())
    }

    fn quantile_of_sf(&self, sf: f64) -> f64 {
        self.at(1.0 - sf, sf)
    }

    fn residual(&self, age: f64, u: f64) -> f64 {
        let (from, left) = (self.min.max(age), self.max - self.min.max(age));
        // What is left of the support is uniform again.
        if left <= 0.0 {
            0.0
        } else {
            (from - age) + left * (1.0 - u)
        }
    }

    fn length_biased(&self, u: f64) -> f64 {
        // The squares of the biased values are uniform; factors keep the difference exact.
        let below = self.min * self.min;
        let gap = (self.max - self.min) * (self.max + self.min);
        (below + gap * (1.0 - u)).sqrt().min(self.max)
    }
}
