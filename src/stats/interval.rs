//! Intervals for means, shares, rates and quantiles.
//!
//! Every function takes the confidence, strictly between 0 and 1, and panics outside: it is a
//! constant of the program or comes from the plan of looks, never from a file.

use super::Moments;
use super::beta::Beta;
use crate::random::special::{Gamma, normal_quantile_of_sf};

/// From `low` to `high`, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end; minus infinity if nothing is known.
    pub low: f64,
    /// The upper end; infinity if nothing is known.
    pub high: f64,
}

impl Interval {
    /// All numbers: nothing is known.
    pub const UNBOUNDED: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
    };

    /// Whether `value` lies within.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Half of the width; infinite if an end is.
    pub fn half_width(self) -> f64 {
        0.5 * (self.high - self.low)
    }

    /// The part of this interval within what is possible at all, e.g. 0 to 1 for a probability.
    #[must_use]
    pub fn clamped(self, least: f64, most: f64) -> Self {
        Self {
            low: self.low.clamp(least, most),
            high: self.high.clamp(least, most),
        }
    }

    /// Both ends times `factor` >= 0: another unit.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            low: self.low * factor,
            high: self.high * factor,
        }
    }
}

/// The chance of error on both sides together.
#[track_caller]
fn alpha(confidence: f64) -> f64 {
    assert!(
        confidence > 0.0 && confidence < 1.0,
        "a confidence is between 0 and 1"
    );
    1.0 - confidence
}

/// The t with P(|T| <= t) = `confidence` for Student's T with `freedom` > 0 degrees of freedom;
/// infinite without any.
///
/// ```
/// use fivenines::stats::student_t;
/// assert!((student_t(0.95, 30.0) - 2.042_272_456_301_238).abs() < 1e-12);
/// ```
///
/// # Panics
/// If `confidence` is not between 0 and 1.
pub fn student_t(confidence: f64, freedom: f64) -> f64 {
    let alpha = alpha(confidence);
    if freedom.is_nan() || freedom <= 0.0 {
        return f64::INFINITY;
    }
    if freedom > 1e7 {
        // The first correction, (z^3 + z) / 4 freedom, is the last that can be seen.
        let z = normal_quantile_of_sf(0.5 * alpha);
        return z + z * (z * z + 1.0) / (4.0 * freedom);
    }
    // T^2 / (freedom + T^2) is beta(1/2, freedom/2), and T^2 / freedom its odds.
    let beta = Beta {
        a: 0.5 * freedom,
        b: 0.5,
    };
    (0.5 * (freedom.ln() - beta.logit_of_lower(alpha))).exp()
}

/// Student's interval for the mean of what `moments` has seen; unbounded below two numbers or if
/// they are all alike.
///
/// # Panics
/// If `confidence` is not between 0 and 1.
pub fn mean_interval(moments: &Moments, confidence: f64) -> Interval {
    match moments.std_error() {
        Some(error) if error > 0.0 => {
            let half = student_t(confidence, (moments.count() - 1) as f64) * error;
            Interval {
                low: moments.mean() - half,
                high: moments.mean() + half,
            }
        }
        _ => Interval::UNBOUNDED,
    }
}

/// The exact interval of a probability of which `hits` of `trials` independent trials were seen:
/// covers at least with `confidence`, so it is the one for gates. [0, 1] without trials.
///
/// # Panics
/// If there are more hits than trials or `confidence` is not between 0 and 1.
///
/// # Source
/// Clopper and Pearson, Biometrika 26 (1934) 404-413.
pub fn clopper_pearson(hits: u64, trials: u64, confidence: f64) -> Interval {
    assert!(hits <= trials, "there cannot be more hits than trials");
    let tail = 0.5 * alpha(confidence);
    let (hit, miss) = (hits as f64, (trials - hits) as f64);
    let low = match hits {
        0 => 0.0,
        // All of them: low^trials = tail.
        _ if hits == trials => (tail.ln() / hit).exp(),
        _ => Beta {
            a: hit,
            b: miss + 1.0,
        }
        .quantile(tail),
    };
    let high = match hits {
        _ if hits == trials => 1.0,
        0 => -(tail.ln() / miss).exp_m1(),
        _ => Beta {
            a: hit + 1.0,
            b: miss,
        }
        .quantile(1.0 - tail),
    };
    Interval { low, high }
}

/// Wilson's interval of a probability of which `hits` of `trials` independent trials were seen:
/// covers with about `confidence`, shorter than the exact one. [0, 1] without trials.
///
/// # Panics
/// If there are more hits than trials or `confidence` is not between 0 and 1.
pub fn wilson(hits: u64, trials: u64, confidence: f64) -> Interval {
    assert!(hits <= trials, "there cannot be more hits than trials");
    let z = normal_quantile_of_sf(0.5 * alpha(confidence));
    if trials == 0 {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    let (n, square) = (trials as f64, z * z);
    let share = hits as f64 / n;
    let centre = (share + 0.5 * square / n) / (1.0 + square / n);
    let spread = (share * (1.0 - share) / n + 0.25 * square / (n * n)).sqrt();
    let half = z * spread / (1.0 + square / n);
    // At either end the exact answer is the end itself; the difference would miss it by rounding.
    Interval {
        low: if hits == 0 {
            0.0
        } else {
            (centre - half).max(0.0)
        },
        high: if hits == trials {
            1.0
        } else {
            (centre + half).min(1.0)
        },
    }
}

/// The upper bound, at this (one-sided) confidence, of the probability of something that none of
/// `trials` independent trials showed: 1 - (1 - confidence)^(1/trials), at 95 % about 3/trials. 1
/// without trials.
///
/// ```
/// use fivenines::stats::nothing_seen;
/// assert!((nothing_seen(1_000, 0.95) - 0.002_991_250).abs() < 1e-9);
/// ```
///
/// # Panics
/// If `confidence` is not between 0 and 1.
pub fn nothing_seen(trials: u64, confidence: f64) -> f64 {
    let alpha = alpha(confidence);
    if trials == 0 {
        1.0
    } else {
        -(alpha.ln() / trials as f64).exp_m1()
    }
}

/// The exact interval of the rate of a Poisson process that showed `count` events in `exposure`
/// (in the unit of time wanted, above 0).
///
/// # Panics
/// If `exposure` is not above 0 or `confidence` is not between 0 and 1.
///
/// # Source
/// Garwood, Biometrika 28 (1936) 437-442.
pub fn poisson_rate(count: u64, exposure: f64, confidence: f64) -> Interval {
    assert!(exposure > 0.0, "a rate needs an exposure");
    let tail = 0.5 * alpha(confidence);
    let count = count as f64;
    let low = if count == 0.0 {
        0.0
    } else {
        Gamma::new(count).quantile_of_sf(1.0 - tail)
    };
    let high = Gamma::new(count + 1.0).quantile_of_sf(tail);
    Interval {
        low: low / exposure,
        high: high / exposure,
    }
}

/// The ranks (1 = smallest) between whose values the quantile `q` of a law lies with at least this
/// confidence, of `n` independent values of that law; `None` if `n` is too small for such ranks.
///
/// Exact for every law: the number of values at most the quantile is binomial.
///
/// # Panics
/// If `q` or `confidence` is not between 0 and 1.
pub fn quantile_ranks(n: u64, q: f64, confidence: f64) -> Option<(u64, u64)> {
    assert!(q > 0.0 && q < 1.0, "a quantile is between 0 and 1");
    let tail = 0.5 * alpha(confidence);
    // P(B <= k) and P(B > k) of a binomial, by the beta law of order statistics.
    let at_most = |k: u64| match k {
        k if k >= n => 1.0,
        k => Beta {
            a: (n - k) as f64,
            b: k as f64 + 1.0,
        }
        .share_at_most(1.0 - q),
    };
    let above = |k: u64| match k {
        k if k >= n => 0.0,
        k => Beta {
            a: k as f64 + 1.0,
            b: (n - k) as f64,
        }
        .share_at_most(q),
    };
    // Largest rank that the quantile is below with at most the tail's probability: P(B < rank).
    if n == 0 || at_most(0) > tail || above(n - 1) > tail {
        return None;
    }
    // P(B <= k) grows with k and P(B > k) falls; the first k past the tail ends each search.
    let low = first(0, n, |k| at_most(k) > tail);
    let high = first(0, n, |k| above(k) <= tail) + 1;
    Some((low, high))
}

/// The first number in `[from, to]` that satisfies `holds`, which stays true once it is; `to` if
/// none before does.
fn first(mut from: u64, mut to: u64, holds: impl Fn(u64) -> bool) -> u64 {
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            to = middle
        } else {
            from = middle + 1
        }
    }
    from
}

/// The interval of the quantile `q` of a law from independent values of it in ascending order;
/// `None` if there are too few for this confidence.
///
/// # Panics
/// If `q` or `confidence` is not between 0 and 1.
pub fn quantile_of_sorted(values: &[f64], q: f64, confidence: f64) -> Option<Interval> {
    debug_assert!(values.is_sorted(), "values are in ascending order");
    let (low, high) = quantile_ranks(values.len() as u64, q, confidence)?;
    Some(Interval {
        low: values[low as usize - 1],
        high: values[high as usize - 1],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() < 1e-12,
            "{found}, not {expected}"
        );
    }

    /// From 60-digit arithmetic.
    #[test]
    fn student_quantiles_agree_with_multiprecision() {
        close(student_t(0.95, 1.0), 12.706204736174705);
        close(student_t(0.999, 1.0), 636.6192487687197);
        close(student_t(0.95, 4.0), 2.7764451051977944);
        close(student_t(0.999, 4.0), 8.610301581379275);
        close(student_t(0.95, 30.0), 2.042_272_456_301_238);
        close(student_t(0.999, 30.0), 3.645958635042022);
        close(student_t(0.95, 1000.0), 1.9623390808264085);
        close(student_t(0.999, 1000.0), 3.300_282_648_423_913);
        close(student_t(0.95, 1000000.0), 1.959966356814107);
        close(student_t(0.999, 1000000.0), 3.290536461248691);
        // Where the expansion takes over there is no step.
        let (above, below) = (student_t(0.999, 1.000_001e7), student_t(0.999, 0.999_999e7));
        assert!((above / below - 1.0).abs() < 1e-11, "{above} {below}");
        assert_eq!(student_t(0.95, 0.0), f64::INFINITY);
    }

    #[test]
    fn means_without_spread_are_unknown() {
        let mut moments = Moments::default();
        assert_eq!(mean_interval(&moments, 0.95), Interval::UNBOUNDED);
        moments.record(1.0);
        moments.record(1.0);
        assert_eq!(mean_interval(&moments, 0.95), Interval::UNBOUNDED);
        moments.record(4.0);
        let interval = mean_interval(&moments, 0.95);
        // Mean 2, standard error 1, t with 2 degrees of freedom.
        close(interval.high, 2.0 + 4.302_652_729_749_462);
        close(interval.half_width(), 4.302_652_729_749_462);
        assert!(interval.contains(0.0) && !interval.contains(7.0));
    }

    #[test]
    fn exact_interval_of_a_share() {
        let interval = clopper_pearson(3, 100, 0.95);
        close(interval.low, 0.006_229_971_538_306_445);
        close(interval.high, 0.085_176_052_974_280_04);
        // Symmetric, and closed where nothing or everything was seen.
        let mirrored = clopper_pearson(97, 100, 0.95);
        close(1.0 - mirrored.high, interval.low);
        let none = clopper_pearson(0, 50, 0.95);
        assert_eq!(none.low, 0.0);
        close(none.high, 1.0 - 0.025_f64.powf(1.0 / 50.0));
        assert_eq!(clopper_pearson(50, 50, 0.95).high, 1.0);
        assert_eq!(
            clopper_pearson(0, 0, 0.95),
            Interval {
                low: 0.0,
                high: 1.0
            }
        );
        // Many trials: 3 of 10^12 is Poisson.
        let rare = clopper_pearson(3, 1_000_000_000_000, 0.95);
        let poisson = poisson_rate(3, 1e12, 0.95);
        assert!(
            (rare.low / poisson.low - 1.0).abs() < 1e-9,
            "{rare:?} {poisson:?}"
        );
        assert!(
            (rare.high / poisson.high - 1.0).abs() < 1e-9,
            "{rare:?} {poisson:?}"
        );
        // And 3 * 10^6 of 10^7 is normal.
        let many = clopper_pearson(3_000_000, 10_000_000, 0.95);
        let half = 1.959_963_984_540_054 * (0.3_f64 * 0.7 / 1e7).sqrt();
        assert!((many.half_width() / half - 1.0).abs() < 1e-3);
    }

    #[test]
    fn wilson_is_shorter_and_stays_within_the_exact_ends() {
        for (hits, trials) in [(0, 10), (3, 100), (50, 100), (10, 10)] {
            let (short, exact) = (
                wilson(hits, trials, 0.95),
                clopper_pearson(hits, trials, 0.95),
            );
            assert!(short.half_width() < exact.half_width());
            assert!(short.low >= 0.0 && short.high <= 1.0);
        }
        let interval = wilson(10, 40, 0.95);
        assert!((interval.low - 0.141_86).abs() < 1e-4, "{interval:?}");
        assert!((interval.high - 0.401_94).abs() < 1e-4, "{interval:?}");
        assert_eq!(
            wilson(0, 0, 0.95),
            Interval {
                low: 0.0,
                high: 1.0
            }
        );
    }

    #[test]
    fn rates_agree_with_multiprecision() {
        let cases = [
            (0, 0.0, 3.688_879_454_113_936),
            (1, 0.025_317_807_984_289_875, 5.571_643_390_938_899),
            (10, 4.795_388_696_132_534, 18.390_356_042_017_78),
            (100, 81.363_991_250_923_14, 121.626_793_792_426_39),
        ];
        for (count, low, high) in cases {
            let interval = poisson_rate(count, 2.0, 0.95);
            assert!(
                (2.0 * interval.low - low).abs() <= 1e-12 * low,
                "{count}: {interval:?}"
            );
            close(2.0 * interval.high, high);
        }
    }

    #[test]
    fn nothing_seen_is_the_rule_of_three() {
        assert!((nothing_seen(1_000_000, 0.95) * 1e6 - 3.0).abs() < 0.005);
        close(nothing_seen(1, 0.9), 0.9);
        assert_eq!(nothing_seen(0, 0.95), 1.0);
    }

    /// Coverage of the ranks summed from the binomial itself; one rank less on either side would be
    /// too little.
    #[test]
    fn order_statistics_cover_at_least_and_not_by_a_rank_more_than_needed() {
        for (n, q) in [
            (20_u64, 0.5),
            (50, 0.5),
            (100, 0.9),
            (400, 0.99),
            (1_000, 0.1),
        ] {
            let (low, high) = quantile_ranks(n, q, 0.95).unwrap();
            let mut ln_weight = n as f64 * (1.0 - q).ln();
            let (mut below, mut below_next, mut from, mut from_next) = (0.0, 0.0, 0.0, 0.0);
            for k in 0..=n {
                let weight = ln_weight.exp();
                below += if k < low { weight } else { 0.0 };
                below_next += if k < low + 1 { weight } else { 0.0 };
                from += if k >= high { weight } else { 0.0 };
                from_next += if k >= high - 1 { weight } else { 0.0 };
                ln_weight += ((n - k) as f64 / (k + 1) as f64 * q / (1.0 - q)).ln();
            }
            assert!(
                below <= 0.025 && below_next > 0.025,
                "{n} {q} {low}: {below} {below_next}"
            );
            assert!(
                from <= 0.025 && from_next > 0.025,
                "{n} {q} {high}: {from} {from_next}"
            );
        }
    }

    #[test]
    fn too_few_values_have_no_interval_of_a_far_quantile() {
        assert_eq!(quantile_ranks(0, 0.5, 0.95), None);
        assert_eq!(quantile_ranks(5, 0.5, 0.95), None);
        assert_eq!(quantile_ranks(6, 0.5, 0.95), Some((1, 6)));
        // The largest of n exceeds the 99th percentile with 1 - 0.99^n >= 0.975 from n = 368 on.
        assert_eq!(quantile_ranks(367, 0.99, 0.95), None);
        assert_eq!(quantile_ranks(368, 0.99, 0.95).unwrap().1, 368);
        let values: Vec<f64> = (1..=6).map(f64::from).collect();
        let interval = quantile_of_sorted(&values, 0.5, 0.95);
        assert_eq!(
            interval,
            Some(Interval {
                low: 1.0,
                high: 6.0
            })
        );
    }

    #[test]
    fn intervals_change_unit_and_keep_to_what_is_possible() {
        let interval = Interval {
            low: -0.5,
            high: 0.25,
        };
        assert_eq!(
            interval.clamped(0.0, 1.0).scaled(100.0),
            Interval {
                low: 0.0,
                high: 25.0
            }
        );
        assert_eq!(Interval::UNBOUNDED.half_width(), f64::INFINITY);
    }
}
