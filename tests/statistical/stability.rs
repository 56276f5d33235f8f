//! Value stability: the first draws and samples of every shape. A change here changes every result
//! of every scenario, and belongs in the changelog under "Results".
//!
//! Compared to 13 digits and not to the last bit: `ln`, `exp` and `powf` come from the platform and
//! may differ in the last one. A change of what is drawn moves the first digit.

use fivenines::random::{Dist, Key};

#[track_caller]
fn check(name: &str, dist: Dist, draws: [f64; 4], samples: [f64; 4]) {
    let (mut one, mut other) = (Key::of_seed(42).stream(), Key::of_seed(43).stream());
    for (index, (drawn, sampled)) in draws.into_iter().zip(samples).enumerate() {
        let found = dist.draw(&mut one);
        assert!(
            (found - drawn).abs() <= 1e-13 * drawn,
            "draw {index} of {name}: {found:?}"
        );
        let found = dist.sample(&mut other);
        assert!(
            (found - sampled).abs() <= 1e-13 * sampled,
            "sample {index} of {name}: {found:?}"
        );
    }
}

#[test]
fn streams_give_the_same_bits_for_ever() {
    let mut stream = Key::component(7, 3, fivenines::random::name_hash("app-3"), PURPOSE).stream();
    assert_eq!(
        [stream.bits(), stream.bits()],
        [0x1b08_5a61_61e0_6bd5, 0x81b1_58a3_5f3a_7602]
    );
    assert_eq!(stream.uniform(), 0.5876101652270543);
}

const PURPOSE: fivenines::random::Purpose = fivenines::random::Purpose::Failure;

#[test]
fn draws_and_samples_of_every_shape_stay_what_they_are() {
    check(
        "constant",
        Dist::constant(30.0).unwrap(),
        [30.0, 30.0, 30.0, 30.0],
        [30.0, 30.0, 30.0, 30.0],
    );
    check(
        "exponential",
        Dist::exponential(100.0).unwrap(),
        [
            40.17726125624697,
            241.93521355024598,
            13.80205060163929,
            60.65721164753214,
        ],
        [
            102.81872133461745,
            51.777548105899484,
            156.12246154850604,
            54.77703272483825,
        ],
    );
    check(
        "weibull",
        Dist::weibull_mean(0.75, 100.0).unwrap(),
        [
            24.899667107971155,
            272.7837829604878,
            5.990704839398967,
            43.125057974673155,
        ],
        [
            87.15976158894664,
            34.92006766559559,
            152.1155535752929,
            37.64301833075332,
        ],
    );
    check(
        "lognormal",
        Dist::lognormal_median_p95(60.0, 360.0).unwrap(),
        [
            37.253598404392555,
            260.27061582424363,
            17.492480372024424,
            53.017127304037714,
        ],
        [
            93.3103683260623,
            16.4695084239615,
            49.32281480565783,
            81.15184049240519,
        ],
    );
    check(
        "gamma below 1",
        Dist::gamma_mean(0.5, 10.0).unwrap(),
        [
            1.8261809249697079,
            28.92744254133263,
            0.26336667380367346,
            3.659565106404721,
        ],
        [
            7.064831213389104,
            22.12070361890879,
            1.8168165769313867,
            40.89040847094351,
        ],
    );
    check(
        "gamma above 1",
        Dist::gamma_mean(2.5, 10.0).unwrap(),
        [
            6.400650944493826,
            19.103508810792366,
            3.675924824416021,
            8.05844134050722,
        ],
        [
            11.279302646206483,
            7.650057362576905,
            25.99897921900225,
            7.870087463652347,
        ],
    );
    check(
        "erlang",
        Dist::erlang_mean(3, 12.0).unwrap(),
        [
            8.111486379039032,
            21.9611113271477,
            4.9531356056266915,
            9.978126438976075,
        ],
        [
            13.539760433943282,
            9.534241392286756,
            29.182950278300204,
            9.780153176419265,
        ],
    );
    check(
        "uniform",
        Dist::uniform(8.0, 20.0).unwrap(),
        [
            11.970405430351788,
            18.932249056593232,
            9.547030050021304,
            13.45740069789771,
        ],
        [
            15.612599651429186,
            10.403819538217299,
            13.532929499464439,
            15.607000229351028,
        ],
    );
    check(
        "mixture",
        Dist::mixture(vec![
            (0.8, Dist::constant(30.0).unwrap()),
            (0.2, Dist::exponential(900.0).unwrap()),
        ])
        .unwrap(),
        [30.0, 728.9228007615234, 30.0, 30.0],
        [30.0, 30.0, 30.0, 30.0],
    );
    check(
        "empirical",
        Dist::empirical(vec![1.0, 2.0, 3.0, 5.0, 8.0, 13.0]).unwrap(),
        [2.0, 13.0, 1.0, 3.0],
        [5.0, 2.0, 3.0, 5.0],
    );
}
