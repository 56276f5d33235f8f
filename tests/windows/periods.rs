//! Periods of requests and of slices: both methods judge the same ones in the same way.

use super::harness::{full, paired, seeds, system, z};
use fivenines::estimate::{GROUPS, GroupRunner, Plan, TrafficRecord};
use fivenines::model::{Load, Method, System};

/// One request in a hundred fails by itself: of the quiet time alone a period has as many failures as
/// half of what the first target allows.
const SHOP: &str = "
fivenines: 1
run: {horizon: 2h}
services:
  app:
    replicas: 3
    workers: 4
    starts_in: 5s
    faults: {crash: {every: {exponential: {mean: 20m}}, lasts: {exponential: {mean: 60s}}}}
    operations: {read: {takes: {exponential: {mean: 20ms}}, fails: 1%}}
balancers: {edge: {to: app, probes: {interval: 5s, timeout: 1s, rise: 2, fall: 3}}}
workload: {users: {arrive: {poisson: 40/s}, journeys: {read: 100%}, through: edge, patience: 1s}}
targets:
  - availability over 10m >= 98%
  - probability(availability over rolling 20m < 97%) <= 5%
  - probability(availability < 98.2%) <= 5%
  - probability(downtime over 10m > 10s) <= 5%
  - probability(downtime over rolling 20m > 65s) <= 5%
";

/// The target on rolling periods of requests.
const ROLLING: usize = 1;

/// Share of requests that fails where nothing happens, from all groups, and its standard error.
fn calm(records: &[TrafficRecord]) -> (f64, f64) {
    let sum = |of: fn(&TrafficRecord) -> f64| records.iter().map(of).sum::<f64>();
    let (failed, sampled) = (sum(|it| it.calm[0].0), sum(|it| it.calm[0].1));
    if sampled == 0.0 {
        return (0.0, 0.0);
    }
    let share = failed / sampled;
    let residual = |record: &TrafficRecord| record.calm[0].0 - share * record.calm[0].1;
    let residuals: Vec<f64> = records.iter().map(residual).collect();
    (share, paired(&residuals).1 / sampled)
}

fn run(system: &System, method: Method, seed: u64) -> Vec<TrafficRecord> {
    /// Times as long as usual: all periods of a seed are judged at the share that its samples found.
    const SAMPLES: u64 = 16;
    const REPLICATIONS: u64 = 192;
    let mut plan = Plan::new(system, &Load::of(system), seed, method);
    plan.traffic_per_block = REPLICATIONS;
    plan.windows.sample = plan.windows.sample.saturating_mul(SAMPLES);
    let mut runner = GroupRunner::new(system, &plan);
    let run = |group| {
        let record = runner
            .run(0, group, REPLICATIONS, &|| false)
            .expect("nothing is lost");
        record.traffic.expect("every group has traffic")
    };
    (0..GROUPS).map(run).collect()
}

/// Periods that miss the bound of `target`, by group, if this share fails where nothing happens.
fn missed(records: &[TrafficRecord], target: usize, calm: f64) -> Vec<f64> {
    let one = |record: &TrafficRecord| match &record.periods[target] {
        Some(requests) => requests.missed(calm),
        None => record.outages.periods[target].y,
    };
    records.iter().map(one).collect()
}

/// What was found about one target.
#[derive(Clone, Default)]
struct Row {
    exact: f64,
    windows: f64,
    /// By group.
    differences: Vec<f64>,
    /// What the share that all groups of a seed have in common adds to the variance.
    shared: f64,
    /// How many more periods `exact` may find because its requests come and fail by chance in quiet time,
    /// where `windows` has their mean: the worst of many rolling periods is worse.
    chance: f64,
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_about_periods() {
    let system = system(SHOP);
    let mut rows = vec![Row::default(); system.targets.len()];
    for seed in seeds(1) {
        let exact = run(&system, Method::Exact, seed);
        let windows = run(&system, Method::Windows, seed);
        let (share, error) = calm(&windows);
        println!("{share:.5} +- {error:.5} fail where nothing happens");
        assert!((share - 0.01).abs() <= 3.0 * error && error <= 0.0005);
        for (target, row) in rows.iter_mut().enumerate() {
            let whole = missed(&exact, target, 0.0);
            let sampled = missed(&windows, target, share);
            row.exact += whole.iter().sum::<f64>();
            row.windows += sampled.iter().sum::<f64>();
            let pairs = sampled.iter().zip(&whole);
            row.differences
                .extend(pairs.map(|(sampled, whole)| sampled - whole));
            let all = |share| missed(&windows, target, share).iter().sum::<f64>();
            row.shared += (0.5 * (all(share + error) - all(share - error))).powi(2);
            if target == ROLLING {
                // Two standard deviations of the share that fails in one period.
                let deviation = (share * (1.0 - share) / (40.0 * 1_200.0)).sqrt();
                row.chance += all(share + 2.0 * deviation) - all(share);
            }
        }
    }
    for (target, row) in system.targets.iter().zip(&rows) {
        let (difference, error) = paired(&row.differences);
        let error = (error.powi(2) + row.shared).sqrt();
        println!(
            "{}: {} by exact, {:.1} by windows, {difference:+.1} +- {error:.1} ({:+.2} se, {:.2} %)",
            target.text,
            row.exact,
            row.windows,
            z((difference, error)),
            100.0 * error / row.exact
        );
        println!("  {:.1} by chance", row.chance);
        let beyond = difference.max(0.0) + (difference + row.chance).min(0.0);
        assert!(z((beyond, error)).abs() <= 3.0, "{}", target.text);
        let most = if full() { 0.015 } else { 0.03 };
        assert!(error <= most * row.exact, "{}: too few", target.text);
    }
}
