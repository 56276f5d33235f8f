//! Weibull spans: H(x) = (x / scale)^shape. Below shape 1 what is young fails most, above it what is
//! old.

use super::exp1;
use super::law::Law;
use crate::random::special::Gamma;
use rand::Rng;
use statrs::function::gamma::gamma;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Weibull {
    shape: f64,
    inverse_shape: f64,
    scale: f64,
}

impl Weibull {
    pub(super) fn new(shape: f64, scale: f64) -> Self {
        Self {
            shape,
            inverse_shape: 1.0 / shape,
            scale,
        }
    }

    pub(super) fn scaled(self, factor: f64) -> Self {
        Self::new(self.shape, self.scale * factor)
    }

    /// The mean at scale 1.
    pub(super) fn unit_mean(shape: f64) -> f64 {
        gamma(1.0 + 1.0 / shape)
    }

    #[inline]
    pub(super) fn sample<R: Rng>(&self, numbers: &mut R) -> f64 {
        self.scale * exp1(numbers).powf(self.inverse_shape)
    }
}

impl Law for Weibull {
    fn mean(&self) -> f64 {
        self.scale * Self::unit_mean(self.shape)
    }

    fn variance(&self) -> f64 {
        let mean = gamma(1.0 + self.inverse_shape);
        let second = gamma(1.0 + 2.0 * self.inverse_shape);
        // For narrow laws the difference cancels; then E(ln X) and its variance give it: with
        // e = 1/shape, Gamma(1 + 2e)/Gamma(1 + e)^2 - 1 = exp(lg(1 + 2e) - 2 lg(1 + e)) - 1, and the
        // exponent is e^2 pi^2/6 - 2 e^3 zeta(3) + 14/4 e^4 zeta(4) - ...
        let e = self.inverse_shape;
        let relative = if e < 1e-2 {
            const ZETA: [f64; 6] = [
                1.644_934_066_848_226_4,
                1.202_056_903_159_594_3,
                1.082_323_233_711_138_2,
                1.036_927_755_143_37,
                1.017_343_061_984_449,
                1.008_349_277_381_922_8,
            ];
            // lg(1 + z) = -euler z + sum over k >= 2 of zeta(k) (-z)^k / k.
            let exponent: f64 = (2..8)
                .zip(ZETA)
                .map(|(k, zeta)| zeta * (-e).powi(k) * (2_f64.powi(k) - 2.0) / f64::from(k))
                .sum();
            exponent.exp_m1()
        } else {
            second / (mean * mean) - 1.0
        };
        (self.scale * mean) * (self.scale * mean) * relative
    }

    fn cumulative_hazard(&self, x: f64) -> f64 {
        (x.max(0.0) / self.scale).powf(self.shape)
    }

    fn hazard(&self, x: f64) -> Option<f64> {
        // Below shape 1 it is infinite at 0.
        let rises = self.shape >= 1.0;
        rises.then(|| self.shape / self.scale * (x.max(0.0) / self.scale).powf(self.shape - 1.0))
    }

    fn inverse_hazard(&self, hazard: f64) -> f64 {
        self.scale * hazard.powf(self.inverse_shape)
    }

    #[inline]
    fn quantile_of_sf(&self, sf: f64) -> f64 {
        self.scale * (-sf.ln()).powf(self.inverse_shape)
    }

    fn residual(&self, age: f64, u: f64) -> f64 {
        let spent = self.cumulative_hazard(age);
        let more = -u.ln();
        if spent <= more {
            return (self.inverse_hazard(spent + more) - age).max(0.0);
        }
        if spent == f64::INFINITY {
            return 0.0;
        }
        // age ((1 + more/spent)^(1/shape) - 1), which keeps its digits when the rest is short.
        age * ((more / spent).ln_1p() * self.inverse_shape).exp_m1()
    }

    fn length_biased(&self, u: f64) -> f64 {
        // The hazard spent by a length-biased life is gamma with shape 1 + 1/shape.
        self.inverse_hazard(Gamma::new(1.0 + self.inverse_shape).quantile_of_sf(u))
    }
}
