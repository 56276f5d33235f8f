//! The beta distribution: both tails and the inverse, for counts from 1 to billions.
//!
//! `statrs` stops its continued fraction after 141 terms, which is too few from some ten thousand
//! trials on, and inverts from a start clamped to [0.0001, 0.9999]. Here the fraction runs until it
//! stands, and the inverse works on the logit, so that a probability of 1e-12 has all its digits.

use crate::random::special::{ln_gamma_rest, ln_one_plus_minus, normal_quantile_of_sf};
use statrs::function::gamma::ln_gamma;
use std::f64::consts::TAU;

/// From here on Stirling's series gives ln Gamma to the last digit.
const STIRLING_FROM: f64 = 16.0;

/// A beta distribution with shapes above 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beta {
    pub(super) a: f64,
    pub(super) b: f64,
}

impl Beta {
    fn mirrored(self) -> Self {
        Self {
            a: self.b,
            b: self.a,
        }
    }

    /// ln(x^a (1 - x)^b / B(a, b)), with y = 1 - x.
    fn ln_prefix(self, x: f64, y: f64) -> f64 {
        let Self { a, b } = self;
        let n = a + b;
        if a >= STIRLING_FROM && b >= STIRLING_FROM {
            // Deviances from the point of largest prefix, whose linear terms cancel.
            let off = (x * b - y * a) / n;
            a * ln_one_plus_minus(off * n / a)
                + b * ln_one_plus_minus(-off * n / b)
                + 0.5 * (a / n * b / TAU).ln()
                + ln_gamma_rest(n)
                - ln_gamma_rest(a)
                - ln_gamma_rest(b)
        } else if b >= STIRLING_FROM {
            // Only b is large: ln Gamma(n) - ln Gamma(b) from the series' difference.
            let grown =
                (n - 0.5) * (a / b).ln_1p() + a * b.ln() - a + ln_gamma_rest(n) - ln_gamma_rest(b);
            let ln_y = if x < 0.5 { (-x).ln_1p() } else { y.ln() };
            a * x.ln() + b * ln_y + grown - ln_gamma(a)
        } else if a >= STIRLING_FROM {
            self.mirrored().ln_prefix(y, x)
        } else {
            a * x.ln() + b * y.ln() + ln_gamma(n) - ln_gamma(a) - ln_gamma(b)
        }
    }

    /// prefix / cdf for x below about the mean, by Lentz.
    ///
    /// # Source
    /// DiDonato and Morris, Algorithm 708, ACM TOMS 18 (1992) 360-373. Unlike the better known
    /// fraction it takes y = 1 - x from the caller and loses nothing where x is close to 1.
    fn fraction(self, x: f64, y: f64) -> f64 {
        let Self { a, b } = self;
        let off = a * y - b * x + 1.0;
        let mut value = nonzero(a * off / (a + 1.0));
        let (mut c, mut d) = (value, 0.0);
        let mut m = 0.0;
        loop {
            m += 1.0;
            let step = a + 2.0 * m - 1.0;
            let above = (a + m - 1.0) / step * ((a + b + m - 1.0) / step) * m * (b - m) * x * x;
            let below = m + m * (b - m) * x / step + (a + m) * (off + m * (1.0 + y)) / (step + 2.0);
            d = 1.0 / nonzero(below + above * d);
            c = nonzero(below + above / c);
            let factor = c * d;
            value *= factor;
            if (factor - 1.0).abs() <= 4e-16 || m > 1e6 {
                return value;
            }
        }
    }

    /// ln P(X <= x) and its slope over the logit of x, at x in (0, 1), with y = 1 - x.
    fn ln_cdf(self, x: f64, y: f64) -> (f64, f64) {
        let ln_prefix = self.ln_prefix(x, y);
        if x < (self.a + 1.0) / (self.a + self.b + 2.0) {
            let fraction = self.fraction(x, y);
            (ln_prefix - fraction.ln(), fraction)
        } else {
            // d ln cdf / d logit = x y density / cdf, and the prefix is x y times the density.
            let prefix = ln_prefix.exp();
            let share = 1.0 - prefix / self.mirrored().fraction(y, x);
            (share.ln(), prefix / share)
        }
    }

    /// P(X <= x).
    pub(super) fn share_at_most(self, x: f64) -> f64 {
        if x <= 0.0 {
            0.0
        } else if x >= 1.0 {
            1.0
        } else {
            self.ln_cdf(x, 1.0 - x).0.exp()
        }
    }

    /// The x with P(X <= x) = `tail`, as ln(x / (1 - x)), for `tail` in (0, 1).
    ///
    /// Newton on ln cdf over the logit. That function is concave, so from the first step on the
    /// iterates come from the left, whatever the start.
    pub(super) fn logit_of_lower(self, tail: f64) -> f64 {
        if tail > 0.5 {
            return -self.mirrored().logit_of_lower(1.0 - tail);
        }
        let Self { a, b } = self;
        let ln_tail = tail.ln();
        // The logit is normal in first order, with these moments.
        let spread = (1.0 / a + 1.0 / b).sqrt();
        let mut logit = (a / b).ln() - normal_quantile_of_sf(tail) * spread.min(3.0);
        for _ in 0..200 {
            let (x, y) = (1.0 / (1.0 + (-logit).exp()), 1.0 / (1.0 + logit.exp()));
            let (ln_cdf, slope) = self.ln_cdf(x, y);
            let step = (ln_cdf - ln_tail) / slope;
            // A start far to the right has next to no slope: go a bounded way at first.
            logit -= step.clamp(-50.0, 50.0);
            // Quadratic convergence, with a curvature of at most the shapes.
            if step * step * (1.0 + a.min(b)) < 1e-15 {
                break;
            }
        }
        logit
    }

    /// The x with P(X <= x) = `tail`, for `tail` in (0, 1).
    pub(super) fn quantile(self, tail: f64) -> f64 {
        1.0 / (1.0 + (-self.logit_of_lower(tail)).exp())
    }
}

/// `value`, or a tiny number instead of zero, so that Lentz's recurrences can go on.
fn nonzero(value: f64) -> f64 {
    if value == 0.0 {
        f64::MIN_POSITIVE
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (a, b, x, cdf) from 50-digit arithmetic.
    #[test]
    fn shares_and_quantiles_agree_with_multiprecision() {
        for (a, b, x, share) in REFERENCE {
            let beta = Beta { a, b };
            let found = beta.share_at_most(x);
            assert!(
                (found / share - 1.0).abs() < 1e-11,
                "I({a}, {b}, {x}) = {found}, not {share}"
            );
            if share < 0.9 {
                let back = beta.quantile(share);
                assert!(
                    (back / x - 1.0).abs() < 1e-10,
                    "({a}, {b}, {share}): {back}, not {x}"
                );
            }
        }
    }

    const REFERENCE: [(f64, f64, f64, f64); 17] = [
        (1.0, 1.0, 0.3, 0.3),
        (0.5, 0.5, 0.01, 0.06376856085851985),
        (2.0, 3.0, 0.4, 0.5248),
        (0.5, 12.0, 0.2, 0.9780170029558977),
        (1.0, 1000000.0, 1e-07, 0.0951625864882278),
        (3.0, 1000000000.0, 1e-09, 0.0803013973473038),
        (15.5, 16.5, 0.3, 0.015307399805439388),
        (20.0, 30.0, 0.2, 0.000687727628741589),
        (200.0, 1000.0, 0.14, 0.004954600903016765),
        (200.0, 1000.0, 0.2, 0.9985039919583307),
        (1.0, 50.0, 0.05, 0.9230550247232867),
        (0.5, 500.0, 0.0001, 0.24811637042903145),
        (5.0, 100000.0, 2e-05, 0.05265843095353545),
        (17.0, 10000000.0, 1e-06, 0.027041891870335618),
        (17.0, 10000000.0, 3e-06, 0.9961274079713925),
        (1000.0, 1000.0, 0.45, 3.683198869007578e-06),
        (5000.0, 20.0, 0.99, 3.847192015322758e-07),
    ];
}
