//! Balancers that know only what their own attempts tell them: `max_fails` and `fail_timeout`.

use super::harness::{compare, system};
use fivenines::time::SimSpan;

/// Replicas that crash refuse, those of a zone that is cut off say nothing; either costs a request each
/// time that a balancer tries again.
const PASSIVE: &str = "
fivenines: 1
run: {horizon: 2h}
domains:
  a: {kind: zone, faults: {isolated: {every: {exponential: {mean: 8m}}, lasts: {exponential: {mean: 40s}}}}}
  b: {kind: zone}
services:
  app:
    replicas: 4
    across: [a, b]
    workers: 2
    starts_in: 3s
    faults: {crash: {every: {exponential: {mean: 8m}}, lasts: {exponential: {mean: 60s}}}}
    operations: {read: {takes: {exponential: {mean: 5ms}}}}
balancers: {edge: {to: app, replicas: 2, max_fails: 2, fail_timeout: 5s}}
journeys: {read: {calls: [{to: app.read, through: edge, timeout: 150ms}]}}
workload: {users: {arrive: {poisson: 100/s}, journeys: {read: 100%}, patience: 500ms}}
";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_balancers_learn_from_their_attempts() {
    // Tests are seldom: a sample must be long to meet as many of them as there are.
    let paired = compare(&system(PASSIVE), 40, |plan| {
        plan.windows.sample = SimSpan::from_secs(400)
    });
    paired.agrees_within(0.03);
    assert!(
        paired.simulated < 0.5,
        "windows must not be the whole of it"
    );
}
