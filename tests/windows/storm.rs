//! Overload that outlives what began it: a retry storm goes on for as long as the load is high.

use super::harness::{compare, system};
use fivenines::path::Cause;

/// One replica alone is overloaded for as long as the other is away. Both together carry the load, but not
/// three attempts for each request, which work goes on for after everybody has given up. Hours of little
/// load end it.
const STORM: &str = "
fivenines: 1
run: {horizon: 6h}
services:
  app:
    replicas: 2
    workers: 4
    queue: 400
    discipline: processor_sharing
    faults: {crash: {every: {exponential: {mean: 3h}}, lasts: 60s}}
    operations: {read: {takes: {exponential: {mean: 400ms}}}}
balancers: {edge: {to: app, probes: {interval: 2s, timeout: 1s, rise: 2, fall: 3}}}
journeys: {read: {calls: [{to: app.read, through: edge, timeout: 2500ms, retries: {max: 2}}]}}
workload:
  users:
    arrive: {poisson: 8/s, profile: {hours: [13, 13, 2, 13, 13, 2, 13, 13, 2, 13, 13, 2, 13, 13, 2, 13, 13, 2, 13, 13, 2, 13, 13, 2]}}
    journeys: {read: 100%}
    patience: 20s
";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_retries_outlive_their_trigger() {
    let paired = compare(&system(STORM), 24, |_| {});
    paired.agrees();
    // Nearly all of it comes long after everything is repaired, and is the crash's all the same until slices
    // are good now and then.
    assert!(paired.share > 0.05, "{}", paired.share);
    for found in [&paired.exact, &paired.windows] {
        let of_the_crash = |index: &usize| matches!(Cause::from_index(*index), Cause::Fault(_));
        let failed = |index: usize| found.by_cause[index];
        let sum: f64 = (0..found.by_cause.len())
            .filter(of_the_crash)
            .map(failed)
            .sum();
        assert!(sum > 0.9 * found.failed, "{sum} of {}", found.failed);
    }
    assert!(
        paired.simulated < 0.7,
        "windows must not be the whole of it"
    );
}

/// A method that takes it for settled after the usual time finds next to nothing of it.
#[test]
fn without_looking_whether_it_has_settled_a_storm_is_missed() {
    let paired = compare(&system(STORM), 24, |plan| plan.windows.settles = false);
    assert!(
        paired.difference < -0.5 * paired.share,
        "the mutant must not pass"
    );
}
