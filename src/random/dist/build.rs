//! Distributions from the numbers people know, checked. Messages are for the reader of a scenario.

use super::empirical::Empirical;
use super::gamma::GammaLaw;
use super::lognormal::Lognormal;
use super::mixture::Mixture;
use super::simple::{Constant, Exponential, Uniform};
use super::weibull::Weibull;
use super::{Dist, Shape};
use crate::random::special::normal_quantile_of_sf;
use std::fmt;

/// Why parameters make no distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistError(pub(crate) String);

impl fmt::Display for DistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DistError {}

fn error<T>(message: impl Into<String>) -> Result<T, DistError> {
    Err(DistError(message.into()))
}

/// `value` if it is a finite number.
fn finite(name: &str, value: f64) -> Result<f64, DistError> {
    if value.is_nan() {
        error(format!("{name} must be a number"))
    } else if value.is_infinite() {
        error(format!("{name} must be finite"))
    } else {
        Ok(value)
    }
}

/// `value` if it is a finite number above 0.
fn positive(name: &str, value: f64) -> Result<f64, DistError> {
    let value = finite(name, value)?;
    if value > 0.0 {
        Ok(value)
    } else {
        error(format!("{name} must be above 0, not {value}"))
    }
}

/// `value` if it is a finite number of at least 0.
fn not_negative(name: &str, value: f64) -> Result<f64, DistError> {
    let value = finite(name, value)?;
    if value >= 0.0 {
        Ok(value)
    } else {
        error(format!("{name} must be at least 0, not {value}"))
    }
}

/// `value` if it lies in a range that keeps every moment and quantile a number.
fn within(name: &str, value: f64, low: f64, high: f64) -> Result<f64, DistError> {
    let value = positive(name, value)?;
    if value < low {
        error(format!("{name} must be at least {low}, not {value}"))
    } else if value > high {
        error(format!("{name} must be at most {high}, not {value}"))
    } else {
        Ok(value)
    }
}

/// Lowest and highest shape of a Weibull law. At 0.05 the mean is 10^18 scales and the variance still
/// a number; at 1000 the values spread by a thousandth.
const WEIBULL_SHAPES: (f64, f64) = (0.05, 1_000.0);

/// Lowest and highest shape of a gamma law. At 0.01 half of the values are below 10^-30 scales; at
/// 10,000 the values spread by a hundredth, and a quantile still takes microseconds.
const GAMMA_SHAPES: (f64, f64) = (0.01, 10_000.0);

impl Dist {
    fn checked(shape: Shape) -> Result<Self, DistError> {
        let dist = Self(shape);
        if !dist.mean().is_finite() || !dist.variance().is_finite() {
            return error("the values would be too large to compute with");
        }
        if dist.mean() < f64::MIN_POSITIVE && dist.max() > 0.0 {
            return error("the values would be too small to compute with");
        }
        Ok(dist)
    }

    /// Always `secs`, which may be 0.
    ///
    /// # Errors
    /// If it is negative or not a finite number.
    pub fn constant(secs: f64) -> Result<Self, DistError> {
        // Adding zero turns -0 into 0.
        Ok(Self(Shape::Constant(Constant {
            secs: not_negative("the value", secs)? + 0.0,
        })))
    }

    /// Exponential with this mean, in seconds.
    ///
    /// # Errors
    /// If the mean is not a finite number above 0.
    pub fn exponential(mean: f64) -> Result<Self, DistError> {
        Self::checked(Shape::Exponential(Exponential {
            mean: positive("mean", mean)?,
        }))
    }

    /// Weibull with this shape (0.05 to 1000) and mean, in seconds.
    ///
    /// # Errors
    /// If a parameter is out of range.
    pub fn weibull_mean(shape: f64, mean: f64) -> Result<Self, DistError> {
        let shape = within("shape", shape, WEIBULL_SHAPES.0, WEIBULL_SHAPES.1)?;
        Self::weibull(shape, positive("mean", mean)? / Weibull::unit_mean(shape))
    }

    /// Weibull with this shape (0.05 to 1000) and scale (the 63.2nd percentile), in seconds.
    ///
    /// # Errors
    /// If a parameter is out of range.
    pub fn weibull_scale(shape: f64, scale: f64) -> Result<Self, DistError> {
        let shape = within("shape", shape, WEIBULL_SHAPES.0, WEIBULL_SHAPES.1)?;
        Self::weibull(shape, positive("scale", scale)?)
    }

    fn weibull(shape: f64, scale: f64) -> Result<Self, DistError> {
        if scale < f64::MIN_POSITIVE {
            return error("the values would be too small to compute with");
        }
        if shape == 1.0 {
            return Self::exponential(scale);
        }
        Self::checked(Shape::Weibull(Weibull::new(shape, scale)))
    }

    /// Lognormal: the natural logarithm of the seconds has mean `mu` and standard deviation `sigma`.
    ///
    /// # Errors
    /// If `sigma` is not above 0 or the values leave the range of numbers.
    pub fn lognormal(mu: f64, sigma: f64) -> Result<Self, DistError> {
        let (mu, sigma) = (finite("mu", mu)?, positive("sigma", sigma)?);
        Self::checked(Shape::Lognormal(Lognormal { mu, sigma }))
    }

    /// Lognormal with this median and 95th percentile, in seconds.
    ///
    /// # Errors
    /// If the 95th percentile is not above the median, or the median not above 0.
    pub fn lognormal_median_p95(median: f64, p95: f64) -> Result<Self, DistError> {
        let (median, p95) = (positive("median", median)?, positive("p95", p95)?);
        if p95 <= median {
            return error(format!("p95 must be above the median, {median}, not {p95}"));
        }
        Self::lognormal(
            median.ln(),
            (p95.ln() - median.ln()) / normal_quantile_of_sf(0.05),
        )
    }

    /// Lognormal with this median, in seconds, and standard deviation of the logarithm.
    ///
    /// # Errors
    /// If a parameter is not above 0 or the values leave the range of numbers.
    pub fn lognormal_median_sigma(median: f64, sigma: f64) -> Result<Self, DistError> {
        Self::lognormal(positive("median", median)?.ln(), sigma)
    }

    /// Lognormal with this mean, in seconds, and standard deviation of the logarithm.
    ///
    /// # Errors
    /// If a parameter is not above 0 or the values leave the range of numbers.
    pub fn lognormal_mean_sigma(mean: f64, sigma: f64) -> Result<Self, DistError> {
        let (mean, sigma) = (positive("mean", mean)?, positive("sigma", sigma)?);
        Self::lognormal(mean.ln() - 0.5 * sigma * sigma, sigma)
    }

    /// Gamma with this shape (0.01 to 10000) and mean, in seconds.
    ///
    /// # Errors
    /// If a parameter is out of range.
    pub fn gamma_mean(shape: f64, mean: f64) -> Result<Self, DistError> {
        let shape = within("shape", shape, GAMMA_SHAPES.0, GAMMA_SHAPES.1)?;
        Self::gamma(shape, positive("mean", mean)? / shape)
    }

    /// Gamma with this shape (0.01 to 10000) and scale (mean over shape), in seconds.
    ///
    /// # Errors
    /// If a parameter is out of range.
    pub fn gamma_scale(shape: f64, scale: f64) -> Result<Self, DistError> {
        let shape = within("shape", shape, GAMMA_SHAPES.0, GAMMA_SHAPES.1)?;
        Self::gamma(shape, positive("scale", scale)?)
    }

    fn gamma(shape: f64, scale: f64) -> Result<Self, DistError> {
        if scale < f64::MIN_POSITIVE {
            return error("the values would be too small to compute with");
        }
        if shape == 1.0 {
            return Self::exponential(scale);
        }
        Self::checked(Shape::Gamma(GammaLaw::new(shape, scale)))
    }

    /// The sum of `k` (1 to 10000) exponential stages, with this mean of the whole, in seconds.
    ///
    /// # Errors
    /// If a parameter is out of range.
    pub fn erlang_mean(k: u32, mean: f64) -> Result<Self, DistError> {
        let k = within("k", f64::from(k), 1.0, GAMMA_SHAPES.1)?;
        Self::gamma(k, positive("mean", mean)? / k)
    }

    /// Equally dense from `min` to `max`, in seconds.
    ///
    /// # Errors
    /// If `min` is negative or not below `max`.
    pub fn uniform(min: f64, max: f64) -> Result<Self, DistError> {
        let (min, max) = (not_negative("min", min)? + 0.0, not_negative("max", max)?);
        if min >= max {
            return error(format!("max must be above min, {min}, not {max}"));
        }
        Self::checked(Shape::Uniform(Uniform { min, max }))
    }

    /// One of several laws, chosen by weight. Weights need not sum to 1. Mixtures of mixtures are
    /// flattened.
    ///
    /// # Errors
    /// If there is none, or a weight is not above 0.
    pub fn mixture(laws: Vec<(f64, Self)>) -> Result<Self, DistError> {
        if laws.is_empty() {
            return error("a mixture needs at least one distribution");
        }
        let mut flat = Vec::with_capacity(laws.len());
        for (weight, law) in laws {
            let weight = positive("weight", weight)?;
            match &law.0 {
                Shape::Mixture(inner) => {
                    flat.extend(
                        inner
                            .parts()
                            .map(|(part, law)| (weight * part, law.clone())),
                    );
                }
                _ => flat.push((weight, law)),
            }
        }
        let total: f64 = flat.iter().map(|(weight, _)| weight).sum();
        if !total.is_finite()
            || flat
                .iter()
                .any(|(weight, _)| weight / total < f64::MIN_POSITIVE)
        {
            return error("the weights are too far apart to compute with");
        }
        if flat.len() == 1 {
            return Ok(flat.remove(0).1);
        }
        Self::checked(Shape::Mixture(Mixture::new(flat)))
    }

    /// The same law with every value multiplied by `factor`.
    ///
    /// # Errors
    /// If the factor is not a finite number above 0, or the values leave the range of numbers.
    pub fn scaled(&self, factor: f64) -> Result<Self, DistError> {
        let factor = positive("factor", factor)?;
        match &self.0 {
            Shape::Constant(law) => Self::constant(law.secs * factor),
            Shape::Exponential(law) => Self::exponential(law.mean * factor),
            Shape::Weibull(law) => Self::checked(Shape::Weibull(law.scaled(factor))),
            Shape::Lognormal(law) => Self::lognormal(law.mu + factor.ln(), law.sigma),
            Shape::Gamma(law) => Self::checked(Shape::Gamma(law.scaled(factor))),
            Shape::Uniform(law) => Self::uniform(law.min * factor, law.max * factor),
            Shape::Mixture(law) => {
                let parts = law.parts();
                let parts = parts.map(|(weight, law)| Ok((weight, law.scaled(factor)?)));
                Self::mixture(parts.collect::<Result<_, _>>()?)
            }
            Shape::Empirical(law) => {
                Self::empirical(law.values().map(|value| value * factor).collect())
            }
        }
    }

    /// Observed values in seconds, each equally likely.
    ///
    /// # Errors
    /// If there is none, or one is negative or not a finite number.
    pub fn empirical(values: Vec<f64>) -> Result<Self, DistError> {
        if values.is_empty() {
            return error("at least one value is needed");
        }
        let values: Result<Vec<f64>, _> = values
            .into_iter()
            .map(|value| Ok(not_negative("a value", value)? + 0.0))
            .collect();
        Self::checked(Shape::Empirical(Empirical::new(values?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_law_has_scaled_quantiles() {
        let laws = [
            Dist::constant(3.0),
            Dist::exponential(5.0),
            Dist::weibull_mean(0.75, 7.0),
            Dist::lognormal_median_p95(1.0, 4.0),
            Dist::gamma_mean(2.5, 3.0),
            Dist::uniform(1.0, 2.0),
            Dist::empirical(vec![1.0, 2.0, 4.0]),
            Dist::mixture(vec![
                (0.3, Dist::exponential(1.0).unwrap()),
                (0.7, Dist::uniform(2.0, 3.0).unwrap()),
            ]),
        ];
        for law in laws {
            let law = law.unwrap();
            let scaled = law.scaled(2.5).unwrap();
            for p in [0.01, 0.3, 0.5, 0.9, 0.999] {
                let (found, expected) = (scaled.quantile(p), 2.5 * law.quantile(p));
                assert!(
                    (found / expected - 1.0).abs() < 1e-9,
                    "{law:?} {found} {expected}"
                );
            }
            assert!(law.scaled(0.0).is_err());
        }
    }

    #[track_caller]
    fn refused(result: Result<Dist, DistError>, message: &str) {
        assert_eq!(result.unwrap_err().to_string(), message);
    }

    #[test]
    fn messages_name_the_parameter_and_what_is_accepted() {
        refused(Dist::constant(-1.0), "the value must be at least 0, not -1");
        refused(Dist::exponential(0.0), "mean must be above 0, not 0");
        refused(Dist::exponential(f64::NAN), "mean must be a number");
        refused(Dist::exponential(f64::INFINITY), "mean must be finite");
        refused(
            Dist::weibull_mean(-1.0, 5.0),
            "shape must be above 0, not -1",
        );
        refused(
            Dist::weibull_scale(0.01, 5.0),
            "shape must be at least 0.05, not 0.01",
        );
        refused(
            Dist::gamma_mean(1e9, 5.0),
            "shape must be at most 10000, not 1000000000",
        );
        refused(Dist::erlang_mean(0, 5.0), "k must be above 0, not 0");
        refused(
            Dist::lognormal_median_p95(2.0, 1.0),
            "p95 must be above the median, 2, not 1",
        );
        refused(
            Dist::lognormal_median_sigma(2.0, 0.0),
            "sigma must be above 0, not 0",
        );
        refused(Dist::uniform(2.0, 1.0), "max must be above min, 2, not 1");
        refused(
            Dist::mixture(vec![]),
            "a mixture needs at least one distribution",
        );
        refused(Dist::empirical(vec![]), "at least one value is needed");
        refused(
            Dist::empirical(vec![1.0, -2.0]),
            "a value must be at least 0, not -2",
        );
        let one = Dist::constant(1.0).unwrap();
        refused(
            Dist::mixture(vec![(0.0, one)]),
            "weight must be above 0, not 0",
        );
    }

    #[test]
    fn numbers_that_overflow_are_refused() {
        let large = "the values would be too large to compute with";
        refused(Dist::exponential(1e300), large);
        refused(Dist::lognormal(0.0, 40.0), large);
        refused(Dist::weibull_scale(0.05, 1e290), large);
        let small = "the values would be too small to compute with";
        refused(Dist::weibull_mean(0.05, 1e-300), small);
        refused(Dist::lognormal(-800.0, 1.0), small);
    }

    #[test]
    fn parameters_mean_what_they_are_called() {
        let close = |found: f64, expected: f64| {
            assert!(
                (found / expected - 1.0).abs() < 1e-13,
                "{found}, not {expected}"
            );
        };
        close(Dist::weibull_mean(0.75, 657.0).unwrap().mean(), 657.0);
        close(
            Dist::weibull_scale(2.0, 10.0).unwrap().mean(),
            8.862_269_254_527_58,
        );
        close(
            Dist::lognormal_median_p95(3.0, 7.0).unwrap().quantile(0.5),
            3.0,
        );
        close(
            Dist::lognormal_median_p95(3.0, 7.0).unwrap().quantile(0.95),
            7.0,
        );
        close(Dist::lognormal_mean_sigma(5.0, 1.2).unwrap().mean(), 5.0);
        close(Dist::gamma_mean(2.5, 4.0).unwrap().mean(), 4.0);
        close(Dist::gamma_scale(2.5, 4.0).unwrap().variance(), 40.0);
        close(Dist::erlang_mean(4, 8.0).unwrap().variance(), 16.0);
        close(Dist::uniform(2.0, 8.0).unwrap().variance(), 3.0);
        close(Dist::empirical(vec![1.0, 2.0, 6.0]).unwrap().mean(), 3.0);
        // Hyperexponential: second moment 2 sum w m^2.
        let fast = Dist::exponential(0.01).unwrap();
        let slow = Dist::exponential(0.4).unwrap();
        let mix = Dist::mixture(vec![(98.0, fast), (2.0, slow)]).unwrap();
        close(mix.mean(), 0.0178);
        close(
            mix.variance(),
            2.0 * (0.98 * 1e-4 + 0.02 * 0.16) - 0.0178 * 0.0178,
        );
    }

    #[test]
    fn narrow_and_wide_weibull_variances_meet() {
        // Both branches at their border, and a value from 50-digit arithmetic on each side.
        close_variance(100.1, 1.5998885099144895e-04);
        close_variance(99.9, 1.6062191900054052e-04);
        close_variance(1_000.0, 1.640_642_681_484_991e-6);
    }

    #[track_caller]
    fn close_variance(shape: f64, expected: f64) {
        let found = Dist::weibull_scale(shape, 1.0).unwrap().variance();
        assert!(
            (found / expected - 1.0).abs() < 1e-9,
            "{found}, not {expected}"
        );
    }

    #[test]
    fn special_cases_are_recognised() {
        assert_eq!(Dist::erlang_mean(1, 3.0), Dist::exponential(3.0));
        assert_eq!(Dist::weibull_mean(1.0, 3.0), Dist::exponential(3.0));
        let (a, b) = (Dist::constant(1.0).unwrap(), Dist::constant(2.0).unwrap());
        let inner = Dist::mixture(vec![(1.0, a.clone()), (1.0, b.clone())]).unwrap();
        let nested = Dist::mixture(vec![(1.0, inner), (1.0, a.clone())]).unwrap();
        assert_eq!(
            nested,
            Dist::mixture(vec![(0.5, a.clone()), (0.5, b), (1.0, a)]).unwrap()
        );
        assert!(Dist::constant(0.0).unwrap().is_zero());
        assert!(Dist::empirical(vec![2.0, 2.0]).unwrap().is_constant());
    }
}
