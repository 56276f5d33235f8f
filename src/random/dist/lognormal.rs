//! Lognormal spans: the logarithm is normal. What repairs and human reactions look like.

use super::law::Law;
use crate::random::special::{
    normal_cumulative_hazard, normal_inverse_hazard, normal_quantile_of_sf,
};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use std::f64::consts::TAU;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lognormal {
    /// Mean of the logarithm of seconds.
    pub(super) mu: f64,
    /// Standard deviation of the logarithm.
    pub(super) sigma: f64,
}

impl Lognormal {
    #[inline]
    pub(super) fn sample<R: Rng>(&self, numbers: &mut R) -> f64 {
        let z: f64 = StandardNormal.sample(numbers);
        // As in `exp1`: the ziggurat's tail is infinite once in 2^53 times the chance of the tail.
        (self.mu + self.sigma * z.clamp(-12.0, 12.0)).exp()
    }
}

impl Law for Lognormal {
    fn mean(&self) -> f64 {
        (self.mu + 0.5 * self.sigma * self.sigma).exp()
    }

    fn variance(&self) -> f64 {
        let square = self.sigma * self.sigma;
        (2.0 * self.mu + square).exp() * square.exp_m1()
    }

    fn cumulative_hazard(&self, x: f64) -> f64 {
        if x <= 0.0 {
            0.0
        } else {
            normal_cumulative_hazard((x.ln() - self.mu) / self.sigma)
        }
    }

    fn hazard(&self, x: f64) -> Option<f64> {
        if x <= 0.0 {
            return Some(0.0);
        }
        let z = (x.ln() - self.mu) / self.sigma;
        // The density over the survival function, of which both may be too small for a number.
        let ratio = (normal_cumulative_hazard(z) - 0.5 * z * z).exp();
        Some(ratio / (x * self.sigma * TAU.sqrt()))
    }

    fn inverse_hazard(&self, hazard: f64) -> f64 {
        (self.mu + self.sigma * normal_inverse_hazard(hazard)).exp()
    }

    #[inline]
    fn quantile_of_sf(&self, sf: f64) -> f64 {
        (self.mu + self.sigma * normal_quantile_of_sf(sf)).exp()
    }

    fn length_biased(&self, u: f64) -> f64 {
        let square = self.sigma * self.sigma;
        Self {
            mu: self.mu + square,
            sigma: self.sigma,
        }
        .quantile_of_sf(u)
    }
}
