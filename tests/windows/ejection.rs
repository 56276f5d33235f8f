//! Outlier detection: who is ejected stays away after the fault is over, and the longer the more often it was.

use super::harness::{compare, system};
use fivenines::time::SimSpan;

/// Replicas that crash refuse, those of a zone that is cut off say nothing; no probe tells anybody.
const CRASHES: &str = "
fivenines: 1
run: {horizon: 3h}
domains:
  a: {kind: zone, faults: {isolated: {every: {exponential: {mean: 50m}}, lasts: {exponential: {mean: 40s}}}}}
  b: {kind: zone}
services:
  app:
    replicas: 4
    across: [a, b]
    workers: 2
    starts_in: 3s
    faults: {crash: {every: {exponential: {mean: 40m}}, lasts: {exponential: {mean: 3m}}}}
    operations: {read: {takes: {exponential: {mean: 5ms}}}}
balancers:
  edge:
    to: app
    replicas: 2
    outlier_detection: {consecutive_5xx: 8, interval: 2s, base_ejection_time: 4s, max_ejection_time: 16s, max_ejection_percent: 75%}
journeys: {read: {calls: [{to: app.read, through: edge, timeout: 150ms}]}}
workload: {users: {arrive: {poisson: 100/s}, journeys: {read: 100%}, patience: 500ms}}
";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_members_that_fail_are_ejected() {
    // Tests are seldom: a sample must be long to meet as many of them as there are.
    let paired = compare(&system(CRASHES), 64, |plan| {
        plan.windows.sample = SimSpan::from_secs(200);
    });
    paired.agrees_within(0.03);
    assert!(paired.simulated < 0.9, "{}", paired.simulated);
}

/// The store fails for a minute or two, every answer is an error, and all replicas are ejected: nobody is asked, even
/// when the store is there again, until their times are over.
const EMPTIED: &str = "
fivenines: 1
run: {horizon: 6h}
services:
  app:
    replicas: 3
    workers: 4
    operations: {read: {takes: {exponential: {mean: 5ms}}, calls: [{to: store.query}]}}
stores:
  store:
    members: 1
    faults: {crash: {every: {exponential: {mean: 1h}}, lasts: {uniform: {min: 60s, max: 120s}}}}
    operations: {query: {takes: {exponential: {mean: 2ms}}}}
balancers:
  edge:
    to: app
    healthy_panic_threshold: 0%
    outlier_detection: {interval: 5s, base_ejection_time: 10s, max_ejection_time: 120s, max_ejection_percent: 100%}
journeys: {read: {calls: [{to: app.read, through: edge}]}}
workload: {users: {arrive: {poisson: 60/s}, journeys: {read: 100%}, patience: 1s}}
";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_a_pool_is_emptied_by_ejection() {
    let paired = compare(&system(EMPTIED), 48, |_| {});
    paired.agrees_within(0.02);
    assert!(paired.simulated < 0.3, "{}", paired.simulated);
    // Without ejection what fails ends with the fault; with Envoy's panic, nearly so.
    let panics = EMPTIED.replace(
        "healthy_panic_threshold: 0%",
        "healthy_panic_threshold: 50%",
    );
    let panics = compare(&system(&panics), 16, |_| {});
    assert!(
        paired.share > 1.1 * panics.share,
        "{} {}",
        paired.share,
        panics.share
    );
}

/// The mutant is kept: windows that end whoever is still ejected.
#[test]
#[ignore = "long: CI runs it"]
fn if_windows_do_not_wait_for_ejections_to_end_failures_are_missed() {
    let paired = compare(&system(EMPTIED), 32, |plan| plan.windows.settles = false);
    assert!(
        paired.difference < -4.0 * paired.error,
        "the mutant must not pass"
    );
}
