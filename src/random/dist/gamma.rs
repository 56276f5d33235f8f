//! Gamma spans; with a whole shape k (Erlang) the sum of k exponential stages.

use super::law::Law;
use super::uniform;
use crate::random::special::Gamma;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct GammaLaw {
    unit: Gamma,
    scale: f64,
}

impl GammaLaw {
    pub(super) fn new(shape: f64, scale: f64) -> Self {
        Self {
            unit: Gamma::new(shape),
            scale,
        }
    }

    pub(super) fn scaled(self, factor: f64) -> Self {
        let scale = self.scale * factor;
        Self { scale, ..self }
    }

    /// # Source
    /// Marsaglia and Tsang, A simple method for generating gamma variables, ACM TOMS 26 (2000)
    /// 363-372; below shape 1 by their remark on U^(1/shape).
    pub(super) fn sample<R: Rng>(&self, numbers: &mut R) -> f64 {
        let shape = self.unit.shape();
        if shape >= 1.0 {
            return self.scale * marsaglia_tsang(shape, numbers);
        }
        let boosted = marsaglia_tsang(shape + 1.0, numbers);
        self.scale * boosted * uniform(numbers).powf(1.0 / shape)
    }
}

/// A gamma value with this shape >= 1 and scale 1.
fn marsaglia_tsang<R: Rng>(shape: f64, numbers: &mut R) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x: f64 = StandardNormal.sample(numbers);
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        let (u, square) = (uniform(numbers), x * x);
        // The first test is a cheap sufficient one. An infinite normal fails both: it is redrawn.
        if u < 1.0 - 0.0331 * square * square || u.ln() < 0.5 * square + d * (1.0 - v + v.ln()) {
            return d * v;
        }
    }
}

impl Law for GammaLaw {
    fn mean(&self) -> f64 {
        self.unit.shape() * self.scale
    }

    fn variance(&self) -> f64 {
        self.unit.shape() * self.scale * self.scale
    }

    fn cumulative_hazard(&self, x: f64) -> f64 {
        self.unit.cumulative_hazard(x / self.scale)
    }

    fn hazard(&self, x: f64) -> Option<f64> {
        // Below shape 1 it is infinite at 0.
        let rises = self.unit.shape() >= 1.0;
        rises.then(|| self.unit.hazard(x / self.scale) / self.scale)
    }

    fn inverse_hazard(&self, hazard: f64) -> f64 {
        self.scale * self.unit.inverse_hazard(hazard)
    }

    fn quantile_of_sf(&self, sf: f64) -> f64 {
        self.scale * self.unit.quantile_of_sf(sf)
    }

    fn length_biased(&self, u: f64) -> f64 {
        self.scale * Gamma::new(self.unit.shape() + 1.0).quantile_of_sf(u)
    }
}
