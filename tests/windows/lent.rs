//! Quiet time that histories without traffic lend: nothing is biased by it, and figures are surer.

use super::harness::{full, paired, system};
use fivenines::estimate::{GROUPS, GroupRunner, Plan, Record, TrafficFold, lends};
use fivenines::model::{Load, Method, System};
use fivenines::stats::Estimate;
use rayon::prelude::*;

/// A share of the requests fails while a fault is there: 0.3 * 6 h / (10 d + 6 h) of all, whatever the load is
/// by the hour, as the fault knows no hours.
const ERRORS: &str = "
fivenines: 1
run: {horizon: 100d}
services:
  app:
    workers: 4
    faults: {errors: {every: {exponential: {mean: 10d}}, lasts: {exponential: {mean: 6h}}, share: 30%}}
    operations: {read: {takes: {exponential: {mean: 20ms}}}}
journeys: {read: {calls: [{to: app.read}]}}
workload: {users: {arrive: {poisson: 20/s, profile: {peak: \"12:00\", ratio: 3}}, journeys: {read: 100%}, patience: 1s}}
";

/// What one run of so many histories, of which the first few have traffic, says of requests and slices.
fn found(system: &System, seed: u64, histories: u64, traffic: u64, lent: bool) -> TrafficFold {
    let mut plan = Plan::new(system, &Load::of(system), seed, Method::Windows);
    assert!(lends(system, Method::Windows));
    (plan.traffic_per_block, plan.lenders) = (traffic, if lent { 63 } else { 0 });
    folded(system, &plan, histories, 1)
}

/// All groups of the first block, each so many times.
fn folded(system: &System, plan: &Plan, histories: u64, times: u64) -> TrafficFold {
    let mut runner = GroupRunner::new(system, plan);
    let mut record = Record::new(system);
    for group in 0..GROUPS.min(plan.traffic_per_block) {
        let found = runner.run(0, group, histories, &|| false).expect("it runs");
        for _ in 0..times {
            record.push(system, plan, group, &found);
        }
    }
    record.traffic.expect("there is traffic")
}

/// The share of requests that fails, and the share of the time that is downtime.
fn shares(system: &System, found: &TrafficFold) -> [Estimate; 2] {
    let failing = found.failed.share(found.replications, 0.95);
    let horizon = system.run.horizon.as_secs_f64();
    let down = &found.outages.downtime;
    let down = down.mean(down.n, horizon, 0.95).scaled(1.0 / horizon);
    [failing.expect("requests"), down]
}

#[test]
#[ignore = "long: CI runs it"]
fn intervals_with_lent_time_cover_the_truth_and_are_narrower() {
    const RUNS: u64 = 1_000;
    /// Runs that are made without, too.
    const OWN: usize = 60;
    let system = system(ERRORS);
    let lasts = 6.0 / 246.0;
    let run = |seed, lent| shares(&system, &found(&system, seed, 256, 8, lent));
    let all: Vec<_> = (1..=RUNS)
        .into_par_iter()
        .map(|seed| run(seed, true))
        .collect();
    let own: Vec<_> = (1..=OWN as u64)
        .into_par_iter()
        .map(|seed| run(seed, false))
        .collect();
    let width = |one: &Estimate| one.high - one.low;
    // Of slices, those are bad in which more than a twentieth fails: all while the fault is there.
    for (index, truth) in [0.3 * lasts, lasts].into_iter().enumerate() {
        let one = || all.iter().map(|of| &of[index]);
        let covered = one()
            .filter(|of| of.low <= truth && truth <= of.high)
            .count();
        let mean = one().map(|of| of.value).sum::<f64>() / RUNS as f64;
        let variance = one().map(|of| (of.value - mean).powi(2)).sum::<f64>() / RUNS as f64;
        let error = (variance / RUNS as f64).sqrt();
        let lent: f64 = one().take(OWN).map(width).sum();
        let alone: f64 = own.iter().map(|of| width(&of[index])).sum();
        println!(
            "{covered} of {RUNS} cover; the mean is {:+.2} errors of {:.4} from the truth; {:.3} as wide",
            (mean - truth) / error,
            error / truth,
            lent / alone
        );
        assert!((930..=970).contains(&covered), "{covered}");
        assert!((mean - truth).abs() < 3.0 * error, "{mean} is not {truth}");
        assert!(lent < 0.35 * alone, "{lent} {alone}");
    }
}

/// The mutant: samples that several groups share, and whose error is taken to be each group's own. Intervals
/// half as wide as they should be do not cover.
#[test]
#[ignore = "long: CI runs it"]
fn samples_in_common_that_count_as_independent_do_not_cover() {
    const RUNS: u64 = 200;
    let system = system(ERRORS);
    let truth = 0.3 * 6.0 / 246.0;
    let covers = |seed: &u64| {
        let mut plan = Plan::new(&system, &Load::of(&system), *seed, Method::Windows);
        (plan.traffic_per_block, plan.lenders) = (8, 63);
        let [failing, _] = shares(&system, &folded(&system, &plan, 256, 4));
        failing.low <= truth && truth <= failing.high
    };
    let covered = (1..=RUNS).into_par_iter().filter(covers).count();
    println!("{covered} of {RUNS} cover");
    // 95 % would be 190 +- 3.1.
    assert!(covered < 170, "{covered}");
}

/// One replica alone is overloaded at noon, and well at night.
const SWINGS: &str = "
fivenines: 1
run: {horizon: 4d}
services:
  app:
    replicas: 2
    workers: 1
    queue: 20
    faults: {crash: {every: {exponential: {mean: 12h}}, lasts: {exponential: {mean: 90m}}}}
    operations: {read: {takes: {exponential: {mean: 50ms}}}}
balancers: {edge: {to: app, algorithm: least_conn, probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}}}
workload: {day: {arrive: {poisson: 18/s, profile: {peak: \"12:00\", ratio: 3}}, journeys: {read: 100%}, through: edge, patience: 1s}}
";

/// Of the same histories: a sixteenth has traffic and borrows from the others, or all have.
#[test]
#[ignore = "long: CI runs it"]
fn lent_time_says_what_traffic_in_all_histories_says() {
    const HISTORIES: u64 = 256;
    let system = system(SWINGS);
    let seeds = if full() { 48 } else { 16 };
    let all: Vec<_> = (1..=seeds)
        .into_par_iter()
        .map(|seed| {
            let of = |traffic, lent| {
                let found = found(&system, seed, HISTORIES, traffic, lent);
                let [failing, down] = shares(&system, &found);
                let outages = found.outages.downtime.x / found.replications as f64;
                [failing.value, down.value, outages]
            };
            (of(16, true), of(HISTORIES, false))
        })
        .collect();
    for index in 0..3 {
        let differences: Vec<f64> = all
            .iter()
            .map(|(lent, whole)| lent[index] - whole[index])
            .collect();
        let (sum, error) = paired(&differences);
        let (difference, error) = (sum / seeds as f64, error / seeds as f64);
        let mean = all.iter().map(|(_, whole)| whole[index]).sum::<f64>() / seeds as f64;
        println!(
            "{mean:.6}, {:+.2} % +- {:.2} %",
            100.0 * difference / mean,
            100.0 * error / mean
        );
        assert!(difference.abs() <= 3.0 * error, "{difference} +- {error}");
        assert!(error <= 0.05 * mean, "too few");
    }
}
