//! Balancers that leave members alone after failures: how many requests an outage costs, worked out.

use fivenines::model::Method;

use super::library::{Silent, load, replications};
use fivenines::experiment::{Options, run};

/// One of two zones loses its power for 215 s at a time, and nothing else ever fails.
const ONE_OF_TWO: &str = "
fivenines: 1
run: {horizon: 1d}
domains:
  a: {kind: zone, faults: {power: {every: 585s, lasts: 215s}}}
  b: {kind: zone}
services: {app: {replicas: 2, across: [a, b], operations: {read: {takes: 1ms}}}}
balancers: {edge: {to: app, ACCOUNTING}}
journeys: {read: {calls: [{to: app.read, through: edge, timeout: 100ms}]}}
workload: {users: {arrive: {poisson: 100/s}, journeys: {read: 100%}, patience: 5s}}
";

/// Failures per outage, with the standard error of that.
fn failures(accounting: &str) -> (f64, f64) {
    let loaded = load(&ONE_OF_TWO.replace("ACCOUNTING", accounting));
    let options = Options {
        method: Some(Method::Exact),
        ..replications(2)
    };
    let found = run(&loaded.system, &loaded.hash, &options, &Silent).expect("it runs");
    let requests = found.requests.expect("there is traffic");
    // Two days, an outage each 800 s.
    let outages: f64 = 2.0 * 86_400.0 / 800.0;
    // What fails before anything is known varies by half of its number, as a renewal process of every
    // second arrival does; tests do not vary.
    let failed = requests.simulated.failed as f64;
    (failed / outages, (0.5 * 5.0 / outages).sqrt())
}

/// Silence costs the first attempt at the zone and those that follow it until that has timed out: every
/// second of 100 arrivals a second, which from one of them on makes 100 ms / 20 ms - 1/4 more (Cox 1962,
/// renewal function of a gamma law of shape 2). Then it costs one test in each turn, which takes
/// `fail_timeout` and the second that follows it: 19 in 215 s with 10 s.
#[test]
fn an_outage_costs_its_beginning_and_one_test_in_each_turn() {
    for (fail_timeout, tests) in [(10, 19.0), (6, 30.0)] {
        let (found, error) = failures(&format!("max_fails: 1, fail_timeout: {fail_timeout}s"));
        let expected = 1.0 + 100.0 / 20.0 - 0.25 + tests;
        assert!(
            (found - expected).abs() < 3.5 * error,
            "{fail_timeout} s: {found} and not {expected}, +- {error}"
        );
    }
}

/// Without it, half of all requests fail for as long as it lasts.
#[test]
fn what_nobody_counts_goes_on_failing() {
    let (found, _) = failures("max_fails: 0, fail_timeout: 10s");
    assert!(
        (found / (0.5 * 100.0 * 215.0) - 1.0).abs() < 0.02,
        "{found}"
    );
}
