//! Periods of requests and of slices: both methods judge the same ones in the same way.

use super::harness::{paired, system, z};
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

/// (failed, sampled) where nothing happens, of all groups.
fn calm(records: &[TrafficRecord]) -> f64 {
    let sum = |of: fn(&TrafficRecord) -> f64| records.iter().map(of).sum::<f64>();
    let (failed, sampled) = (sum(|it| it.calm[0].0), sum(|it| it.calm[0].1));
    if sampled > 0.0 { failed / sampled } else { 0.0 }
}

fn run(system: &System, method: Method, replications: u64) -> Vec<TrafficRecord> {
    let mut plan = Plan::new(system, &Load::of(system), 11, method);
    plan.traffic_per_block = replications;
    let run = |group| {
        let record = GroupRunner::new(system, &plan)
            .run(0, group, replications, &|| false)
            .expect("nothing is lost");
        record.traffic.expect("every group has traffic")
    };
    (0..GROUPS).map(run).collect()
}

/// Periods that miss the bound of `target`, by group.
fn missed(records: &[TrafficRecord], target: usize) -> Vec<f64> {
    let calm = calm(records);
    let one = |record: &TrafficRecord| match &record.periods[target] {
        Some(requests) => requests.missed(calm),
        None => record.outages.periods[target].y,
    };
    records.iter().map(one).collect()
}

#[test]
fn windows_agree_with_exact_about_periods() {
    let system = system(SHOP);
    let exact = run(&system, Method::Exact, 96);
    let windows = run(&system, Method::Windows, 96);
    assert!((calm(&windows) - 0.01).abs() < 0.001);
    for (index, target) in system.targets.iter().enumerate() {
        let (whole, sampled) = (missed(&exact, index), missed(&windows, index));
        let differences: Vec<f64> = whole.iter().zip(&sampled).map(|(a, b)| b - a).collect();
        let all = whole.iter().sum::<f64>();
        let found = paired(&differences);
        println!(
            "{}: {all} by exact, {:.1} by windows, {:+.1} +- {:.1} ({:+.2} se)",
            target.text,
            sampled.iter().sum::<f64>(),
            found.0,
            found.1,
            z(found)
        );
        assert!(all > 20.0, "{}: too few to compare", target.text);
        // The last digit of one period in doubt is no difference.
        assert!(found.0.abs() <= 3.0 * found.1.max(1.0), "{}", target.text);
        assert!(found.1 <= 0.12 * all, "{}", target.text);
    }
}
