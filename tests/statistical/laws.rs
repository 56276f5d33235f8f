//! Draws, samples, residual lives and equilibrium ages against closed forms.

use super::ks::follows;
use fivenines::random::{Dist, Key, Stream};
use statrs::distribution::{ContinuousCDF, Gamma, LogNormal, Weibull};

const N: usize = 100_000;

/// A law with its distribution function and the integral of its survival function from 0 to x, which
/// over the mean is the distribution function of the equilibrium age.
struct Case {
    name: &'static str,
    dist: Dist,
    cdf: Box<dyn Fn(f64) -> f64>,
    survived: Box<dyn Fn(f64) -> f64>,
}

fn cases() -> Vec<Case> {
    vec![
        exponential(3.0),
        weibull("weibull 0.5", 0.5, 2.0),
        weibull("weibull 0.75", 0.75, 100.0),
        weibull("weibull 3", 3.0, 10.0),
        lognormal("lognormal 0.4", 1.0, 0.4),
        lognormal("lognormal 1.2", 8.0, 1.2),
        gamma("gamma 0.4", 0.4, 5.0),
        gamma("gamma 2.5", 2.5, 0.1),
        gamma("erlang 12", 12.0, 1.0),
        uniform(2.0, 9.0),
        hyperexponential(),
    ]
}

fn exponential(mean: f64) -> Case {
    Case {
        name: "exponential",
        dist: Dist::exponential(mean).unwrap(),
        cdf: Box::new(move |x| -f64::exp_m1(-x / mean)),
        survived: Box::new(move |x| -mean * f64::exp_m1(-x / mean)),
    }
}

fn weibull(name: &'static str, shape: f64, scale: f64) -> Case {
    let law = Weibull::new(shape, scale).unwrap();
    let spent = Gamma::new(1.0 / shape, 1.0).unwrap();
    let dist = Dist::weibull_scale(shape, scale).unwrap();
    let mean = dist.mean();
    Case {
        name,
        dist,
        cdf: Box::new(move |x| law.cdf(x)),
        survived: Box::new(move |x| mean * spent.cdf((x / scale).powf(shape))),
    }
}

/// The integral of a survival function is E min(X, x) = x sf(x) + the mean up to x; for lognormal and
/// gamma laws the latter is the mean times a law of the same family.
fn lognormal(name: &'static str, mu: f64, sigma: f64) -> Case {
    let law = LogNormal::new(mu, sigma).unwrap();
    let biased = LogNormal::new(mu + sigma * sigma, sigma).unwrap();
    let mean = (mu + 0.5 * sigma * sigma).exp();
    Case {
        name,
        dist: Dist::lognormal(mu, sigma).unwrap(),
        cdf: Box::new(move |x| law.cdf(x)),
        survived: Box::new(move |x| x * law.sf(x) + mean * biased.cdf(x)),
    }
}

fn gamma(name: &'static str, shape: f64, scale: f64) -> Case {
    let law = Gamma::new(shape, 1.0 / scale).unwrap();
    let biased = Gamma::new(shape + 1.0, 1.0 / scale).unwrap();
    let dist = if shape.fract() == 0.0 {
        Dist::erlang_mean(shape as u32, shape * scale).unwrap()
    } else {
        Dist::gamma_scale(shape, scale).unwrap()
    };
    Case {
        name,
        dist,
        cdf: Box::new(move |x| law.cdf(x)),
        survived: Box::new(move |x| x * law.sf(x) + shape * scale * biased.cdf(x)),
    }
}

fn uniform(min: f64, max: f64) -> Case {
    Case {
        name: "uniform",
        dist: Dist::uniform(min, max).unwrap(),
        cdf: Box::new(move |x| ((x - min) / (max - min)).clamp(0.0, 1.0)),
        survived: Box::new(move |x| {
            let inside = x.clamp(min, max) - min;
            x.min(min) + inside - 0.5 * inside * inside / (max - min)
        }),
    }
}

fn hyperexponential() -> Case {
    let (fast, slow) = (exponential(0.5), exponential(20.0));
    let parts = vec![(9.0, fast.dist), (1.0, slow.dist)];
    Case {
        name: "mixture",
        dist: Dist::mixture(parts).unwrap(),
        cdf: Box::new(move |x| 0.9 * (fast.cdf)(x) + 0.1 * (slow.cdf)(x)),
        survived: Box::new(move |x| 0.9 * (fast.survived)(x) + 0.1 * (slow.survived)(x)),
    }
}

fn stream(test: u64, case: usize) -> Stream {
    Key::of_seed(2026).with(test).with(case as u64).stream()
}

#[test]
fn draws_follow_their_law() {
    for (index, case) in cases().iter().enumerate() {
        let mut stream = stream(1, index);
        let drawn = (0..N).map(|_| case.dist.draw(&mut stream)).collect();
        follows(case.name, drawn, &case.cdf);
    }
}

/// Ten times as many: the data plane's samplers are not inversions, and their faults would be small.
#[test]
fn samples_follow_their_law() {
    for (index, case) in cases().iter().enumerate() {
        let mut stream = stream(2, index);
        let sampled = (0..4 * N).map(|_| case.dist.sample(&mut stream)).collect();
        follows(case.name, sampled, &case.cdf);
    }
}

#[test]
fn residual_lives_follow_the_conditional_law() {
    for (index, case) in cases().iter().enumerate() {
        let mut stream = stream(3, index);
        // An early and a late age.
        for p in [0.2, 0.98] {
            let age = case.dist.quantile(p);
            let (before, left) = ((case.cdf)(age), 1.0 - (case.cdf)(age));
            let lives = (0..N / 2)
                .map(|_| case.dist.residual(age, stream.uniform()))
                .collect();
            follows(case.name, lives, &|r| ((case.cdf)(age + r) - before) / left);
        }
    }
}

#[test]
fn ages_and_residual_lives_in_equilibrium_follow_the_integrated_tail() {
    for (index, case) in cases().iter().enumerate() {
        let mut stream = stream(4, index);
        let pairs: Vec<(f64, f64)> = (0..N / 2)
            .map(|_| case.dist.equilibrium(stream.uniform(), stream.uniform()))
            .collect();
        let mean = case.dist.mean();
        let cdf = |x: f64| (case.survived)(x) / mean;
        follows(case.name, pairs.iter().map(|pair| pair.0).collect(), &cdf);
        follows(case.name, pairs.iter().map(|pair| pair.1).collect(), &cdf);
    }
}

/// The remaining life in equilibrium, given the age, is the residual life at that age: joining the
/// two halves of the renewal process must not change it. Tested by its probability transform.
#[test]
fn equilibrium_and_residual_life_are_one_law() {
    for (index, case) in cases().iter().enumerate() {
        let mut stream = stream(5, index);
        let transformed = (0..N / 2)
            .map(|_| {
                let (age, rest) = case.dist.equilibrium(stream.uniform(), stream.uniform());
                let spent = case.dist.cumulative_hazard(age);
                -f64::exp_m1(spent - case.dist.cumulative_hazard(age + rest))
            })
            .collect();
        follows(case.name, transformed, &|u| u.clamp(0.0, 1.0));
    }
}

/// Means and variances of a million samples within 5 standard errors, those taken from the law
/// itself; two tests for each of 11 laws, alpha 1.3e-5 in all. Fourth moments exist for all of them,
/// but of the widest lognormal the sample variance is useless, so it is left out.
#[test]
fn moments_of_samples_are_those_of_the_law() {
    for (index, case) in cases().iter().enumerate() {
        let mut stream = stream(6, index);
        let n = 400_000;
        let (mean, variance) = (case.dist.mean(), case.dist.variance());
        let (mut first, mut second, mut fourth) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let off = case.dist.sample(&mut stream) - mean;
            first += off;
            second += off * off;
            fourth += off.powi(4);
        }
        let n = f64::from(n);
        let z = first / n / (variance / n).sqrt();
        assert!(
            z.abs() < 5.0,
            "{}: mean off by {z} standard errors",
            case.name
        );
        if case.name != "lognormal 1.2" {
            let error = ((fourth / n - variance * variance) / n).sqrt();
            let z = (second / n - variance) / error;
            assert!(
                z.abs() < 5.0,
                "{}: variance off by {z} standard errors",
                case.name
            );
        }
    }
}

/// Shares of the values of an empirical law, drawn and sampled: each count within 5 standard errors
/// (18 counts, alpha 1e-5).
#[test]
fn empirical_values_come_equally_often_and_biased_ones_by_their_size() {
    let values = [1.0, 2.0, 3.0, 4.0, 10.0, 20.0];
    let dist = Dist::empirical(values.to_vec()).unwrap();
    let mut stream = stream(7, 0);
    let n = 200_000;
    let mut counts = [[0_u32; 6]; 3];
    let place = |value: f64| {
        values
            .iter()
            .position(|v| (v - value).abs() < 1e-9)
            .unwrap()
    };
    for _ in 0..n {
        counts[0][place(dist.draw(&mut stream))] += 1;
        counts[1][place(dist.sample(&mut stream))] += 1;
        let (age, rest) = dist.equilibrium(stream.uniform(), stream.uniform());
        counts[2][place(age + rest)] += 1;
    }
    for (kind, counts) in counts.iter().enumerate() {
        for (value, count) in values.iter().zip(counts) {
            let share = if kind == 2 { value / 40.0 } else { 1.0 / 6.0 };
            let error = (f64::from(n) * share * (1.0 - share)).sqrt();
            let z = (f64::from(*count) - f64::from(n) * share) / error;
            assert!(z.abs() < 5.0, "kind {kind}, value {value}: {z}");
        }
    }
}
