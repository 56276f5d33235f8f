//! Distributions of spans, in seconds.
//!
//! Two ways to draw, because two clocks have different needs. The control plane takes exactly one
//! uniform per value and inverts the survival function ([`Dist::draw`], [`Dist::residual`]), so that
//! the n-th fault of a component is the n-th number of its stream and a change of design moves no
//! other draw. The data plane takes whatever is fastest ([`Dist::sample`]).
//!
//! The primitive is the cumulative hazard H(x) = -ln sf(x) and not the distribution function: it has
//! all its digits in both tails, and the remaining life at an age is one inversion of it.
//!
//! Uniforms go in as survival probabilities: in [`Dist::draw`] and [`Dist::residual`] a larger one
//! never gives a longer span.

mod build;
mod empirical;
mod gamma;
mod law;
mod lognormal;
mod mixture;
mod simple;
mod weibull;

pub use build::DistError;

use super::{Stream, open_unit};
use empirical::Empirical;
use gamma::GammaLaw;
use law::Law;
use lognormal::Lognormal;
use mixture::Mixture;
use rand::Rng;
use rand_distr::{Distribution, Exp1};
use simple::{Constant, Exponential, Uniform};
use weibull::Weibull;

/// A distribution of a non-negative span, in seconds; its parameters have been checked.
///
/// Mean and variance are finite. Values may be zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Dist(Shape);

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Constant(Constant),
    Exponential(Exponential),
    Weibull(Weibull),
    Lognormal(Lognormal),
    Gamma(GammaLaw),
    Uniform(Uniform),
    Mixture(Mixture),
    Empirical(Empirical),
}

impl Dist {
    fn law(&self) -> &dyn Law {
        match &self.0 {
            Shape::Constant(law) => law,
            Shape::Exponential(law) => law,
            Shape::Weibull(law) => law,
            Shape::Lognormal(law) => law,
            Shape::Gamma(law) => law,
            Shape::Uniform(law) => law,
            Shape::Mixture(law) => law,
            Shape::Empirical(law) => law,
        }
    }

    /// The mean, in seconds.
    pub fn mean(&self) -> f64 {
        self.law().mean()
    }

    /// The variance, in square seconds.
    pub fn variance(&self) -> f64 {
        self.law().variance()
    }

    /// The end of the support: no value is larger. Infinite for most shapes.
    pub fn max(&self) -> f64 {
        self.law().max()
    }

    /// Whether every value is zero.
    pub fn is_zero(&self) -> bool {
        self.max() == 0.0
    }

    /// Whether there is only one value.
    pub fn is_constant(&self) -> bool {
        match &self.0 {
            Shape::Constant(_) => true,
            Shape::Empirical(law) => law.is_constant(),
            Shape::Exponential(_)
            | Shape::Weibull(_)
            | Shape::Lognormal(_)
            | Shape::Gamma(_)
            | Shape::Uniform(_)
            | Shape::Mixture(_) => false,
        }
    }

    /// Whether no single value has a probability of its own.
    pub fn has_density(&self) -> bool {
        match &self.0 {
            Shape::Constant(_) | Shape::Empirical(_) => false,
            Shape::Mixture(law) => law.has_density(),
            Shape::Exponential(_)
            | Shape::Weibull(_)
            | Shape::Lognormal(_)
            | Shape::Gamma(_)
            | Shape::Uniform(_) => true,
        }
    }

    /// The hazard, per second, if it is the same at every age.
    pub fn constant_hazard(&self) -> Option<f64> {
        match &self.0 {
            Shape::Exponential(law) => Some(1.0 / law.mean),
            Shape::Constant(_)
            | Shape::Weibull(_)
            | Shape::Lognormal(_)
            | Shape::Gamma(_)
            | Shape::Uniform(_)
            | Shape::Mixture(_)
            | Shape::Empirical(_) => None,
        }
    }

    /// The hazard at `age`, per second, if the law has one that is bounded at every age: no law with values of a
    /// probability of their own, none with an end, none that is infinite at 0.
    pub fn hazard(&self, age: f64) -> Option<f64> {
        self.law().hazard(age)
    }

    /// The share of values above `x`.
    pub fn sf(&self, x: f64) -> f64 {
        (-self.cumulative_hazard(x)).exp()
    }

    /// -ln [`sf`](Self::sf)`(x)`, exact to rounding in both tails; infinite from the end of the
    /// support on.
    pub fn cumulative_hazard(&self, x: f64) -> f64 {
        self.law().cumulative_hazard(x)
    }

    /// The smallest value whose cumulative hazard reaches `hazard` >= 0; at 0 the smallest value
    /// there is, at infinity [`max`](Self::max).
    pub fn inverse_cumulative_hazard(&self, hazard: f64) -> f64 {
        self.law().inverse_hazard(hazard)
    }

    /// The smallest value that a share `p` (0 to 1) does not exceed; at 1 [`max`](Self::max).
    ///
    /// ```
    /// use fivenines::random::Dist;
    /// let repair = Dist::lognormal_median_p95(3_600.0, 21_600.0).unwrap();
    /// assert!((repair.quantile(0.95) - 21_600.0).abs() < 1e-6);
    /// ```
    pub fn quantile(&self, p: f64) -> f64 {
        self.inverse_cumulative_hazard(-f64::ln_1p(-p))
    }

    /// The smallest value that is exceeded with probability `sf` (0 to 1) or less. Keeps its digits
    /// for tiny `sf`, where `quantile(1 - sf)` has none.
    #[inline]
    pub fn quantile_of_sf(&self, sf: f64) -> f64 {
        match &self.0 {
            Shape::Exponential(law) => law.quantile_of_sf(sf),
            _ => self.law().quantile_of_sf(sf),
        }
    }

    /// The remaining life of something that has lasted for `age` seconds, by inversion of its
    /// conditional survival function at `u` in (0, 1). Never negative; 0 from the end of the support
    /// on. `residual(0, u)` is `draw` with the same uniform.
    pub fn residual(&self, age: f64, u: f64) -> f64 {
        match &self.0 {
            Shape::Exponential(law) => law.quantile_of_sf(u),
            _ => self.law().residual(age, u),
        }
    }

    /// Age and remaining life of a renewal process with these lifetimes that has run for ever.
    ///
    /// The lifetime in progress is longer than usual (a long one is met more often): its density is
    /// x f(x) / mean. `u1` chooses it, `u2` the place of now within it; the two results sum to it.
    /// Both are 0 if the mean is.
    #[inline]
    pub fn equilibrium(&self, u1: f64, u2: f64) -> (f64, f64) {
        if let Shape::Exponential(law) = &self.0 {
            // Age and remaining life are independent; no gamma quantile is needed.
            return (law.quantile_of_sf(u1), law.quantile_of_sf(u2));
        }
        let life = self.law().length_biased(u1);
        let age = life * u2;
        (age, life - age)
    }

    /// One value from exactly one uniform, by inversion of the survival function (control plane).
    #[inline]
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        let sf = stream.uniform();
        match &self.0 {
            Shape::Constant(law) => law.secs,
            Shape::Exponential(law) => law.quantile_of_sf(sf),
            Shape::Lognormal(law) => law.quantile_of_sf(sf),
            Shape::Weibull(law) => law.quantile_of_sf(sf),
            _ => self.law().quantile_of_sf(sf),
        }
    }

    /// The same value as [`sample`](Self::sample), for a place that draws nearly all the time: the commonest law
    /// without a call.
    #[inline(always)]
    pub fn sample_here<R: Rng>(&self, numbers: &mut R) -> f64 {
        match &self.0 {
            Shape::Exponential(law) => law.mean * exp1(numbers),
            _ => self.sample(numbers),
        }
    }

    /// One value from any number of uniforms, as fast as possible (data plane). The same law as
    /// [`draw`](Self::draw), other values.
    #[inline]
    pub fn sample<R: Rng>(&self, numbers: &mut R) -> f64 {
        match &self.0 {
            Shape::Constant(law) => law.secs,
            Shape::Exponential(law) => law.mean * exp1(numbers),
            Shape::Lognormal(law) => law.sample(numbers),
            Shape::Weibull(law) => law.sample(numbers),
            Shape::Uniform(law) => law.sample(numbers),
            Shape::Gamma(law) => law.sample(numbers),
            Shape::Empirical(law) => law.sample(numbers),
            Shape::Mixture(law) => law.sample(numbers),
        }
    }
}

/// The next number, strictly between 0 and 1.
#[inline]
fn uniform<R: Rng>(numbers: &mut R) -> f64 {
    open_unit(numbers.next_u64())
}

/// A standard exponential by ziggurat.
#[inline]
pub(super) fn exp1<R: Rng>(numbers: &mut R) -> f64 {
    let value: f64 = Exp1.sample(numbers);
    // The tail of the ziggurat takes the logarithm of a uniform that is 0 once in 2^53: without the
    // cap, which no other value reaches (the largest is 44.4), that one would be infinite.
    value.min(50.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hazard_is_the_slope_of_the_cumulative_hazard() {
        let mixed = vec![
            (0.3, Dist::exponential(50.0).unwrap()),
            (0.7, Dist::weibull_mean(2.0, 300.0).unwrap()),
        ];
        for law in [
            Dist::exponential(100.0).unwrap(),
            Dist::weibull_mean(1.0, 100.0).unwrap(),
            Dist::weibull_mean(2.5, 100.0).unwrap(),
            Dist::lognormal_mean_sigma(100.0, 1.2).unwrap(),
            Dist::gamma_mean(3.5, 100.0).unwrap(),
            Dist::gamma_mean(40.0, 100.0).unwrap(),
            Dist::mixture(mixed).unwrap(),
        ] {
            for age in [1.0, 30.0, 99.0, 400.0, 3_000.0] {
                let step = 1e-4 * age;
                let [before, after] =
                    [age - step, age + step].map(|age| law.cumulative_hazard(age));
                let slope = (after - before) / (2.0 * step);
                let hazard = law.hazard(age).unwrap();
                let close = 1e-4 * slope + 1e-12;
                assert!(
                    (hazard - slope).abs() < close,
                    "{law:?} {age}: {hazard} {slope}"
                );
            }
            assert!(law.hazard(0.0).unwrap() < 0.1);
        }
    }

    #[test]
    fn a_hazard_without_bound_is_none() {
        for law in [
            Dist::constant(5.0).unwrap(),
            Dist::weibull_mean(0.8, 100.0).unwrap(),
            Dist::gamma_mean(0.5, 100.0).unwrap(),
            Dist::uniform(1.0, 9.0).unwrap(),
            Dist::empirical(vec![1.0, 2.0, 7.0]).unwrap(),
        ] {
            assert_eq!(law.hazard(2.0), None, "{law:?}");
        }
    }
}
