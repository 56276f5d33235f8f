//! Identities and extreme parameters: inverses return to where they came from, far out in both
//! tails, and no shape that is accepted ever gives NaN or a negative span.

use fivenines::random::{Dist, Key};

/// Every shape over the range of parameters that scenarios use, and beyond.
fn grid() -> Vec<Dist> {
    let mut laws = vec![
        Dist::constant(0.0).unwrap(),
        Dist::constant(30.0).unwrap(),
        Dist::uniform(0.0, 1e-9).unwrap(),
        Dist::uniform(8.0, 20.0).unwrap(),
        Dist::uniform(1e6, 1e6 + 1.0).unwrap(),
        Dist::empirical(vec![0.0, 0.0, 3.0]).unwrap(),
        Dist::empirical((1..=1_000).map(f64::from).collect()).unwrap(),
    ];
    for shape in [0.05, 0.2, 0.5, 0.75, 1.0, 1.5, 3.0, 8.0, 20.0, 1_000.0] {
        laws.push(Dist::weibull_mean(shape, 3e6).unwrap());
        laws.push(Dist::weibull_scale(shape, 1e-3).unwrap());
        laws.push(Dist::gamma_mean(shape, 40.0).unwrap());
    }
    for shape in [0.01, 1_000.0, 10_000.0] {
        laws.push(Dist::gamma_scale(shape, 2.0).unwrap());
    }
    for sigma in [0.01, 0.3, 1.0, 2.0, 4.0, 6.0] {
        laws.push(Dist::lognormal_median_sigma(3_600.0, sigma).unwrap());
    }
    let (short, long) = (
        Dist::exponential(1e-3).unwrap(),
        Dist::exponential(1e6).unwrap(),
    );
    let late = Dist::lognormal_median_sigma(100.0, 4.0).unwrap();
    laws.push(Dist::mixture(vec![(0.999, short.clone()), (0.001, long.clone())]).unwrap());
    laws.push(Dist::mixture(vec![(1.0, short), (1.0, long), (1e-6, late)]).unwrap());
    laws
}

/// Those of the grid without jumps and gaps.
fn continuous() -> Vec<Dist> {
    let jumps =
        |dist: &Dist| dist.is_constant() || dist.max() <= 1_000.0 && dist.max() % 1.0 == 0.0;
    grid().into_iter().filter(|dist| !jumps(dist)).collect()
}

#[test]
fn hazards_invert_from_tail_to_tail() {
    for dist in continuous() {
        for hazard in [1e-9, 1e-4, 0.01, 0.3, 0.7, 1.0, 5.0, 30.0, 200.0, 2_000.0] {
            let x = dist.inverse_cumulative_hazard(hazard);
            assert!(x >= 0.0 && x.is_finite(), "{dist:?} at {hazard}: {x}");
            // A quantile smaller than any number, or one that a bounded law cannot resolve.
            if x < 1e-280 || dist.max().is_finite() {
                continue;
            }
            let back = dist.cumulative_hazard(x);
            // One unit in the last place of x moves the hazard by its elasticity times that; narrow
            // laws (a thousandth, a hundredth wide) have elasticities of thousands.
            assert!(
                (back / hazard - 1.0).abs() < 1e-11,
                "{dist:?} at {hazard}: {back}"
            );
        }
    }
}

#[test]
fn quantiles_invert_survival_functions() {
    for dist in continuous() {
        for p in [1e-6, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999_999] {
            let x = dist.quantile(p);
            if x < 1e-280 || x > 1e5 && dist.max() < 1e7 {
                continue;
            }
            let share = 1.0 - dist.sf(x);
            assert!((share - p).abs() < 1e-9, "{dist:?}: {share}, not {p}");
            let back = dist.quantile(share);
            // Near 1 the share itself has lost digits: a step of 1e-16 of 1e-6.
            assert!((back / x - 1.0).abs() < 1e-7, "{dist:?}: {back}, not {x}");
            let other = dist.quantile_of_sf(1.0 - p);
            assert!((other / x - 1.0).abs() < 1e-7, "{dist:?}: {other}, not {x}");
        }
        assert!(dist.quantile(0.0) >= 0.0);
        assert_eq!(dist.quantile(1.0), dist.max(), "{dist:?}");
    }
}

#[test]
fn quantiles_of_tiny_survival_probabilities_are_those_of_their_hazards() {
    for dist in continuous()
        .iter()
        .filter(|dist| dist.max() == f64::INFINITY)
    {
        for sf in [1e-300, 1e-100, 1e-17, 1e-8] {
            let one = dist.quantile_of_sf(sf);
            let other = dist.inverse_cumulative_hazard(-f64::ln(sf));
            assert!(
                (one / other - 1.0).abs() < 1e-11,
                "{dist:?} at {sf}: {one}, {other}"
            );
        }
    }
}

#[test]
fn no_number_that_comes_out_is_negative_or_not_a_number() {
    let uniforms = [
        2_f64.powi(-53),
        1e-9,
        0.3,
        0.5,
        0.999,
        1.0 - 2_f64.powi(-53),
    ];
    let mut stream = Key::of_seed(5).stream();
    let sound = |dist: &Dist, what: &str, value: f64| {
        assert!(
            value >= 0.0 && value.is_finite(),
            "{what} of {dist:?}: {value}"
        );
    };
    for dist in &grid() {
        sound(dist, "mean", dist.mean());
        sound(dist, "variance", dist.variance());
        for _ in 0..2_000 {
            sound(dist, "sample", dist.sample(&mut stream));
        }
        for u in uniforms {
            sound(dist, "quantile of sf", dist.quantile_of_sf(u));
            sound(dist, "quantile", dist.quantile(u));
            for v in uniforms {
                let (age, rest) = dist.equilibrium(u, v);
                sound(dist, "equilibrium age", age);
                sound(dist, "equilibrium rest", rest);
                sound(dist, "residual in equilibrium", dist.residual(age, v));
                let old = dist.quantile_of_sf(u);
                // At, just before, just after and far beyond an age that occurs.
                for age in [
                    0.0,
                    old,
                    old.next_down().max(0.0),
                    old.next_up(),
                    100.0 * old,
                    1e12,
                ] {
                    sound(dist, "residual", dist.residual(age, v));
                }
            }
        }
        for x in [0.0, 1e-300, 1e-9, 1.0, 1e9, 1e300, f64::INFINITY] {
            let hazard = dist.cumulative_hazard(x);
            assert!(hazard >= 0.0, "hazard of {dist:?} at {x}: {hazard}");
            assert!((0.0..=1.0).contains(&dist.sf(x)), "sf of {dist:?} at {x}");
        }
    }
}

#[test]
fn a_new_thing_lives_as_long_as_its_draw() {
    for dist in &grid() {
        for u in [1e-12, 0.01, 0.5, 0.99] {
            let (residual, quantile) = (dist.residual(0.0, u), dist.quantile_of_sf(u));
            // Values at 0 are spent at once: a part that is still there at age 0 is not one of them.
            if dist.sf(0.0) == 1.0 {
                let off = (residual - quantile).abs();
                assert!(
                    off <= 1e-12 * quantile,
                    "{dist:?}: {residual}, not {quantile}"
                );
            }
        }
    }
}

#[test]
fn a_larger_uniform_never_gives_a_longer_life() {
    for dist in &grid() {
        let age = dist.quantile(0.4);
        let (mut draw, mut rest) = (f64::INFINITY, f64::INFINITY);
        for step in 1..200 {
            let u = f64::from(step) / 200.0;
            // A few units in the last place are the price of inversion by iteration.
            let (next, left) = (dist.quantile_of_sf(u), dist.residual(age, u));
            assert!(
                next <= draw * (1.0 + 1e-14),
                "draw of {dist:?} at {u}: {next} after {draw}"
            );
            let slack = 1e-12 * (age + rest);
            assert!(
                left <= rest + slack,
                "residual of {dist:?} at {u}: {left} after {rest}"
            );
            (draw, rest) = (next, left);
        }
    }
}

#[test]
fn spans_that_must_end_do_end() {
    let constant = Dist::constant(30.0).unwrap();
    assert_eq!(constant.residual(10.0, 0.7), 20.0);
    assert_eq!(constant.residual(30.0, 0.7), 0.0);
    assert_eq!(constant.residual(31.0, 0.7), 0.0);
    assert_eq!(constant.equilibrium(0.3, 0.25), (7.5, 22.5));
    assert_eq!(
        Dist::constant(0.0).unwrap().equilibrium(0.3, 0.25),
        (0.0, 0.0)
    );
    let uniform = Dist::uniform(10.0, 20.0).unwrap();
    assert_eq!(uniform.residual(4.0, 0.25), 13.5);
    assert_eq!(uniform.residual(18.0, 0.25), 1.5);
    assert_eq!(uniform.residual(20.0, 0.25), 0.0);
    let seen = Dist::empirical(vec![1.0, 4.0, 9.0, 9.0]).unwrap();
    assert_eq!(seen.residual(1.0, 0.9), 3.0);
    assert_eq!(seen.residual(1.0, 0.6), 8.0);
    assert_eq!(seen.residual(9.0, 0.5), 0.0);
    assert_eq!(seen.quantile(0.25), 1.0);
    assert_eq!(seen.quantile(0.5), 4.0);
    assert_eq!(seen.quantile(0.51), 9.0);
}

#[test]
fn constants_in_a_mixture_come_out_exactly() {
    let restart = Dist::constant(30.0).unwrap();
    let replace = Dist::lognormal_median_sigma(3_600.0, 1.0).unwrap();
    let repair = Dist::mixture(vec![(0.8, restart), (0.2, replace)]).unwrap();
    let mut stream = Key::of_seed(9).stream();
    let n = 20_000;
    let quick = (0..n).filter(|_| repair.draw(&mut stream) == 30.0).count() as f64;
    // 5 standard errors.
    assert!(
        (quick - 0.8 * f64::from(n)).abs() < 5.0 * (0.16 * f64::from(n)).sqrt(),
        "{quick}"
    );
    assert_eq!(repair.residual(10.0, 0.5), 20.0);
    assert!(repair.residual(30.0, 0.5) > 0.0);
}
