//! Numbers that are known as a range only: what is drawn, and what it does to the figures.

use fivenines::experiment::outcome::{Outcome, Verdict};
use fivenines::experiment::{inputs, run};
use fivenines::model::{FaultKind, INPUT_DRAWS, System};
use fivenines::{report, scenario};

use super::library::{Silent, load};

fn no_file(_: &str) -> Result<Vec<u8>, String> {
    Err("there is none".to_owned())
}

fn draws(source: &str) -> Vec<System> {
    (0..INPUT_DRAWS)
        .map(|index| {
            let drawn = scenario::load_drawn(source.as_bytes(), "x.yaml", &no_file, None, index);
            drawn.unwrap_or_else(|problems| panic!("{}", problems.render(false)))
        })
        .collect()
}

fn outcome(source: &str, count: u64) -> Outcome {
    let loaded = load(source);
    let options = super::library::replications(count);
    let mut outcome = run(&loaded.system, &loaded.hash, &options, &Silent).expect("it runs");
    if !loaded.ranges.is_empty() {
        let all = inputs(&loaded.ranges, &draws(source), &options, &outcome, &Silent);
        outcome.inputs = Some(all.expect("all draws run"));
    }
    outcome
}

const ONE: &str = "
fivenines: 1
run: {horizon: 5y, seed: 3}
services: {app: {faults: {crash: {every: {exponential: {mean: 10d}}, lasts: {exponential: {mean: 10m..2h}}}}}}
targets: [structural.availability >= 99%, structural.availability >= 99.7%]
";

/// With a mean time to repair R whose logarithm is uniform from a to b, the mean of R / (M + R) is
/// ln((M + b) / (M + a)) / ln(b / a). Within one of sixteen strata R is within a factor of 12^(1/16), a
/// deviation of 4.5 %; the errors of strata are independent, which leaves 4.5 % * sqrt(1.47 / 16) = 1.4 %
/// for the mean (1.47: mean square over squared mean of R), 4.1 % as three of them. Against the mean of the
/// sixteen values that were drawn only simulation is left: 0.33 % from 190,000 repairs, 1 % as three.
#[test]
fn the_mean_over_the_draws_is_that_of_the_closed_form() {
    let outcome = outcome(ONE, 1_024);
    let all = outcome.inputs.as_ref().expect("ranges");
    let figure = all.figures.iter();
    let figure = figure
        .clone()
        .find(|figure| figure.name == "availability.structural")
        .expect("a structural availability");
    let (up, a, b) = (240.0_f64, 1.0 / 6.0, 2.0);
    let exact = ((up + b) / (up + a)).ln() / (b / a).ln();
    let mean = 1.0 - figure.mean;
    assert!((mean / exact - 1.0).abs() < 0.041, "{mean} is not {exact}");
    let hours = draws(ONE)
        .iter()
        .map(|system| {
            system
                .faults
                .iter()
                .map(|row| row.lasts.mean())
                .sum::<f64>()
                / 3_600.0
        })
        .collect::<Vec<_>>();
    let drawn = hours.iter().map(|hours| hours / (up + hours)).sum::<f64>() / 16.0;
    assert!((mean / drawn - 1.0).abs() < 0.01, "{mean} is not {drawn}");
    // The ends lie in the outer strata.
    let stratum = (b / a).powf(1.0 / 16.0) * 1.02;
    let (best, worst) = (1.0 - figure.high, 1.0 - figure.low);
    let (least, most) = (a / (up + a), b / (up + b));
    assert!(best > least / 1.02 && best < least * stratum, "{best}");
    assert!(worst < most * 1.02 && worst > most / stratum, "{worst}");
    // The variance over the inputs, by the second moment of the closed form to first order: R is small
    // beside M.
    let log = (b / a).ln();
    let (first, second) = ((b - a) / log, (b * b - a * a) / 2.0 / log);
    let deviation = (second - first * first).sqrt() / up;
    assert!(
        (figure.deviation / deviation - 1.0).abs() < 0.08,
        "{} is not {deviation}",
        figure.deviation
    );
    assert!(figure.simulation < figure.deviation / 10.0);
    // The other figures are those of the geometric mean.
    let middle = (a * b).sqrt();
    let found = 1.0 - outcome.availability.structural.value;
    assert!((found / (middle / (up + middle)) - 1.0).abs() < 0.02);
}

/// Whole numbers among other things: how many are needed, and how urgent something is.
#[test]
fn needs_and_priority_may_be_ranges() {
    let source = "
fivenines: 1
run: {horizon: 1y}
services:
  app:
    replicas: 4
    workers: 1
    discipline: priority
    needs: 1..4
    operations: {read: {takes: 10ms}}
journeys: {read: {calls: [{to: app.read, priority: -1..2}]}, write: {calls: [{to: app.read}]}}
workload: {users: {arrive: {poisson: 1/s}, journeys: {read: 50%, write: 50%}}}
";
    let found = |system: &System| {
        let needs: Vec<u32> = system.pools.iter().map(|pool| pool.needs).collect();
        let urgent = system.calls.iter().find_map(|call| call.priority);
        (needs[0], urgent.expect("the first journey states it"))
    };
    // Rounded up from 2.5 and from 0.5.
    assert_eq!(found(&load(source).system), (3, 1));
    let all: Vec<_> = draws(source).iter().map(found).collect();
    for needs in 1..=4 {
        let count = all.iter().filter(|drawn| drawn.0 == needs).count();
        assert_eq!(count, 4, "{all:?}");
    }
    for priority in -1..=2 {
        let count = all.iter().filter(|drawn| drawn.1 == priority).count();
        assert_eq!(count, 4, "{all:?}");
    }
}

/// 99 % would need a repair of 2.4 h, and holds everywhere; 99.7 % needs 43.3 minutes, which
/// ln(4.33) / ln(12) = 59 % of the values are below.
#[test]
fn a_target_is_judged_over_the_draws_and_check_wants_all_of_them() {
    let outcome = outcome(ONE, 1_024);
    let all = outcome.inputs.as_ref().expect("ranges");
    let met: Vec<u32> = all.targets.iter().map(|row| row.unwrap().met).collect();
    assert_eq!(met[0], INPUT_DRAWS);
    assert!((8..=11).contains(&met[1]), "{met:?}");
    assert!(
        outcome
            .targets
            .iter()
            .all(|row| row.verdict == Verdict::Met)
    );
    assert_eq!(report::overall(&outcome), Some(Verdict::Undecided));
    let text = report::verdicts(&outcome, report::Style::Plain);
    assert!(
        text.contains("met in 16 of 16 draws of the inputs"),
        "{text}"
    );
    assert!(
        text.contains("UNDECIDED: 1 of 2 targets met in all draws of the inputs"),
        "{text}"
    );
}

#[test]
fn the_same_file_gives_the_same_bytes() {
    let twice = [(); 2].map(|()| report::json(&outcome(ONE, 64)));
    assert_eq!(twice[0], twice[1]);
    assert!(twice[0].contains("\"met_in\""));
}

/// A range more moves no draw of those that were there, and another seed moves all.
#[test]
fn a_range_of_one_component_moves_no_draw_of_another() {
    let lasts = |source: &str| -> Vec<f64> {
        let rows = draws(source);
        rows.iter()
            .map(|system| {
                let mut faults = system.faults.iter();
                let fault = faults.find(|fault| fault.name == "app.crash");
                fault.expect("a fault").lasts.mean()
            })
            .collect()
    };
    let before = lasts(ONE);
    let other =
        "{app: {faults: {crash: {every: {exponential: {mean: 1d..30d}}, lasts: 5m..10m}}}, app:";
    let more = ONE.replace("{app:", &other.replacen("app", "a-first", 1));
    assert_eq!(lasts(&more), before);
    assert_ne!(lasts(&ONE.replace("seed: 3", "seed: 4")), before);
    // Each draw is in a part of the range of its own.
    let mut parts: Vec<u32> = before
        .iter()
        .map(|secs| ((secs / 600.0).ln() / 12.0_f64.ln() * 16.0) as u32)
        .collect();
    parts.sort_unstable();
    assert_eq!(parts, (0..16).collect::<Vec<_>>());
}

/// An alias of a range is the same input: it has one draw, and one row.
#[test]
fn an_alias_is_the_same_input() {
    let source = "
fivenines: 1
services:
  a: {faults: {crash: {every: {exponential: {mean: 9d}}, lasts: &repair {exponential: {mean: 10m..2h}}}}}
  b: {faults: {crash: {every: {exponential: {mean: 9d}}, lasts: *repair}}}
";
    assert_eq!(load(source).ranges.len(), 1);
    for system in draws(source) {
        let lasts: Vec<f64> = system.faults.iter().map(|row| row.lasts.mean()).collect();
        assert_eq!(lasts[0], lasts[1]);
    }
}

/// Rates and percentages, with requests: a queue whose load is known to a factor of three.
#[test]
fn requests_are_simulated_for_every_draw_where_that_is_cheap() {
    let source = "
fivenines: 1
run: {horizon: 10min, start: new, seed: 5, method: exact}
services:
  app: {workers: 1, operations: {read: {takes: {exponential: {mean: 20ms}}, fails: 1%..3%}}}
workload:
  users: {arrive: {poisson: 10/s..30/s}, patience: 10s, journeys: {app.read: 100%}}
targets: [availability >= 95%]
";
    let outcome = outcome(source, 32);
    let all = outcome.inputs.as_ref().expect("ranges");
    assert!(all.traffic_replications >= 8, "{all:?}");
    let named = |name: &str| {
        let figure = all.figures.iter().find(|figure| figure.name == name);
        *figure.expect("a figure")
    };
    let availability = named("availability.request");
    assert!(
        availability.low > 0.968 && availability.low < 0.973,
        "{availability:?}"
    );
    assert!(availability.high > 0.987 && availability.high < 0.992);
    // The median of an M/M/1 queue is ln 2 / (50/s - rate).
    let latency = named("latency_s.p50");
    let exact = [10.0, 30.0].map(|rate: f64| 2.0_f64.ln() / (50.0 - rate));
    assert!((latency.low / exact[0] - 1.0).abs() < 0.05, "{latency:?}");
    assert!(latency.high < exact[1] * 1.05 && latency.high > exact[1] * 0.85);
    assert_eq!(all.targets[0].map(|row| row.met), Some(INPUT_DRAWS));
}

#[test]
fn a_range_counts_for_the_hash() {
    let wider = ONE.replace("10m..2h", "5m..4h");
    assert_ne!(load(ONE).hash, load(&wider).hash);
    let fixed = ONE.replace("10m..2h", "30m");
    assert!(load(&fixed).ranges.is_empty());
    assert!(!report::json(&outcome(&fixed, 16)).contains("\"inputs\""));
}

/// A file of nothing but ranges, right and wrong ones, is refused, in no time.
#[test]
fn twenty_thousand_ranges_are_refused() {
    for range in ["1s..2s", "2s..1s", "1..2", "1s..2%"] {
        let items = vec![range; 20_000].join(", ");
        let source = format!("fivenines: 1\nservices: {{app: {{replicas: [{items}]}}}}\n");
        let refused = scenario::load(source.as_bytes(), "x.yaml");
        assert!(refused.is_err(), "{range}");
    }
}

/// Numbers without a unit: above 0 on a logarithmic scale, else on a linear one; whole numbers are counted
/// out, sixteen draws of four numbers being four of each.
#[test]
fn plain_numbers_are_drawn_on_their_scale_and_whole_ones_as_often_as_each_other() {
    let source = "
fivenines: 1
services:
  app:
    replicas: 2..5
    faults:
      slow: {every: {exponential: {mean: 9d}}, lasts: 1h, factor: 2..8}
      crash: {every: {weibull: {shape: 0.5..2, mean: 9d}}, lasts: {lognormal: {mu: -2..2, sigma: 1}}}
    operations: {read: {takes: 20ms}}
workload:
  users: {arrive: {poisson: 1/s, profile: {peak: \"20:00\", ratio: 2..3}}, patience: 10s, journeys: {app.read: 100%}}
";
    let middle = load(source);
    assert_eq!(middle.ranges.len(), 5);
    let factor = |system: &System| {
        let mut faults = system.faults.iter();
        match faults.find(|fault| fault.name == "app.slow").unwrap().kind {
            FaultKind::Slow { factor } => factor,
            other => panic!("{other:?}"),
        }
    };
    // The logarithm of a lognormal's mean is mu + sigma^2 / 2.
    let mu = |system: &System| {
        let mut faults = system.faults.iter();
        let crash = faults.find(|fault| fault.name == "app.crash").unwrap();
        crash.lasts.mean().ln() - 0.5
    };
    assert!((factor(&middle.system) - 4.0).abs() < 1e-9);
    assert!(mu(&middle.system).abs() < 1e-6);
    let all = draws(source);
    let strata = |positions: Vec<f64>| {
        let mut parts: Vec<u32> = positions.iter().map(|at| (at * 16.0) as u32).collect();
        parts.sort_unstable();
        assert_eq!(parts, (0..16).collect::<Vec<_>>(), "{positions:?}");
    };
    let of = |at: &dyn Fn(&System) -> f64| all.iter().map(at).collect::<Vec<f64>>();
    strata(of(&|system| (factor(system) / 2.0).ln() / 4_f64.ln()));
    strata(of(&|system| (mu(system) + 2.0) / 4.0));
    let mut replicas = [0; 6];
    for system in &all {
        replicas[system
            .pools
            .iter()
            .map(|pool| pool.slots.len())
            .sum::<usize>()] += 1;
    }
    assert_eq!(replicas, [0, 0, 4, 4, 4, 4]);
    // JSON has no word for a range but a text.
    let json = "{\"fivenines\": 1, \"services\": {\"app\": {\"replicas\": \"2..5\"}}}";
    assert_eq!(load(json).ranges.len(), 1);
}

/// A queue with one worker whose number of places is not known: M/M/1/K loses (1 - a) a^K / (1 - a^(K+1)).
#[test]
fn a_range_of_places_gives_the_losses_of_the_closed_form() {
    let source = "
fivenines: 1
run: {horizon: 10min, start: new, seed: 5, method: exact}
services:
  app: {workers: 1, queue: 1..4, operations: {read: {takes: {exponential: {mean: 20ms}}}}}
workload:
  users: {arrive: {poisson: 40/s}, patience: 1h, journeys: {app.read: 100%}}
";
    let outcome = outcome(source, 32);
    let all = outcome.inputs.as_ref().expect("ranges");
    let figure = all.figures.iter();
    let mut figure = figure.clone();
    let figure = figure
        .find(|row| row.name == "availability.request")
        .unwrap();
    let exact = |queue: i32| {
        let (load, places) = (0.8_f64, queue + 1);
        1.0 - (1.0 - load) * load.powi(places) / (1.0 - load.powi(places + 1))
    };
    // Four draws of each; a tenth of a per cent is three errors of 200,000 requests.
    assert!((figure.low - exact(1)).abs() < 3e-3, "{figure:?}");
    assert!((figure.high - exact(4)).abs() < 3e-3, "{figure:?}");
    let mean = (1..=4).map(exact).sum::<f64>() / 4.0;
    assert!((figure.mean - mean).abs() < 2e-3, "{} {mean}", figure.mean);
}
