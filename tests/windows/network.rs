//! Links that take time, lose or are cut: closed forms, and both methods on the same histories.

use super::harness::{compare, system};

/// Users, a balancer in one zone, a replica in the other.
const FAR: &str = "
fivenines: 1
run: {horizon: 1h}
domains: {a: {kind: zone}, b: {kind: zone}}
network:
  access: {between: [users, a], round_trip: 20ms}
  zones: {between: [a, b], round_trip: 4ms}
services: {app: {across: [b], operations: {read: {takes: 10ms}}}}
balancers: {edge: {to: app, across: [a]}}
workload: {users: {arrive: {poisson: 5/s}, journeys: {read: 100%}, through: edge, patience: 1s}}
";

#[test]
fn round_trips_add_to_the_work() {
    let found = compare(&system(FAR), 4, |_| {}).exact;
    assert!(found.failed == 0.0 && found.ended > 10_000.0);
    for share in [0.01, 0.5, 0.999] {
        let latency = found.latency.quantile(share).unwrap() * 1e-9;
        assert!((latency / 0.034 - 1.0).abs() < 0.008, "{latency}");
    }
}

#[test]
fn a_drawn_round_trip_is_split_between_the_two_ways() {
    let source = FAR
        .replace(
            "round_trip: 20ms",
            "round_trip: {exponential: {mean: 40ms}}",
        )
        .replace("round_trip: 4ms", "round_trip: 0s")
        .replace("takes: 10ms", "takes: 0ms")
        .replace("poisson: 5/s", "poisson: 50/s");
    let found = compare(&system(&source), 4, |_| {}).exact;
    // Quantiles of the exponential itself, which two independent halves would not have.
    for share in [0.1, 0.5, 0.9, 0.99_f64] {
        let latency = found.latency.quantile(share).unwrap() * 1e-9;
        let expected = -0.04 * (1.0 - share).ln();
        assert!((latency / expected - 1.0).abs() < 0.03, "{latency}");
    }
}

#[test]
fn what_is_lost_fails_an_attempt_by_its_timer_and_a_call_by_all_its_attempts() {
    let source = "
fivenines: 1
run: {horizon: 1h}
domains: {a: {kind: zone}, b: {kind: zone}}
network: {zones: {between: [a, b], loss: 10%}}
services:
  front: {across: [a], operations: {read: {takes: 0s, calls: [{to: app.read, timeout: 150ms, retries: {max: 1}}]}}}
  app: {across: [b], operations: {read: {takes: 1ms}}}
workload: {users: {arrive: {poisson: 20/s}, journeys: {front.read: 100%}, patience: 2s}}
";
    let found = compare(&system(source), 4, |_| {}).exact;
    // There or back, both times.
    let lost: f64 = (1.0 - 0.9 * 0.9_f64).powi(2);
    let (share, n) = (found.failed / found.ended, found.ended);
    let error = (lost * (1.0 - lost) / n).sqrt();
    println!("{share:.5}, expected {lost:.5} +- {error:.5}");
    assert!((share - lost).abs() < 3.5 * error);
}

#[test]
fn what_is_lost_once_comes_later_by_the_wait_and_twice_by_three_waits() {
    let source = FAR
        .replace("round_trip: 4ms", "loss: 20%")
        .replace("patience: 1s", "patience: 100s");
    let found = compare(&system(&source), 8, |_| {}).exact;
    // 30 ms if nothing is lost: 0.8^2 of them; 230 ms after one loss: 2 * 0.2 * 0.8^2.
    for (share, expected) in [(0.6, 0.03), (0.68, 0.23), (0.87, 0.23)] {
        let latency = found.latency.quantile(share).unwrap() * 1e-9;
        assert!(
            (latency / expected - 1.0).abs() < 0.008,
            "{share}: {latency}"
        );
    }
}

/// Replicas in two zones in turn, and a store in one of them.
const CUT: &str = "
fivenines: 1
run: {horizon: 1h}
domains: {a: {kind: zone}, b: {kind: zone}}
network:
  zones: {between: [a, b], faults: {partition: {every: {exponential: {mean: 300s}}, lasts: {exponential: {mean: 60s}}}}}
services:
  app: {replicas: 2, across: [a, b], operations: {read: {takes: 2ms, calls: [{to: db.get, timeout: 100ms}]}}}
stores: {db: {members: 1, across: [a], operations: {get: {takes: 2ms, from: any}}}}
balancers: {edge: {to: app, replicas: 2, algorithm: random}}
workload: {users: {arrive: {poisson: 30/s}, journeys: {read: 100%}, through: edge, patience: 500ms}}
";

#[test]
#[ignore = "long: CI runs it"]
fn a_partition_fails_those_on_the_wrong_side() {
    let paired = compare(&system(CUT), 128, |_| {});
    // One half of the requests, while it lasts: 60 s of 360 s. An hour has about 10 of them, whose number
    // and lengths vary.
    let expected = 0.5 * 60.0 / 360.0;
    let error = expected * (2.0 / (10.0 * paired.histories)).sqrt();
    println!("{:.5}, expected {expected:.5} +- {error:.5}", paired.share);
    assert!((paired.share - expected).abs() < 3.5 * error);
    paired.agrees();
    // All of it by the partition: no other fault is there.
    let load = paired.exact.by_cause[0] + paired.exact.by_cause[1];
    assert!(load <= 0.01 * paired.exact.failed);
}

/// Zones far apart with probes, an address, a store that elects its leader, and these faults of the
/// link between them.
fn mixed(faults: &str) -> String {
    "
fivenines: 1
run: {horizon: 1h}
domains: {a: {kind: zone}, b: {kind: zone}, c: {kind: zone}}
network:
  ab: {between: [a, b], round_trip: {lognormal: {median: 20ms, p95: 30ms}}, loss: 0.5%, faults: {FAULTS}}
  bc: {between: [b, c], round_trip: 5ms}
services:
  app:
    replicas: 3
    across: [a, b, c]
    workers: 4
    queue: 40
    operations: {read: {takes: {exponential: {mean: 20ms}}, calls: [{to: db.get, timeout: 150ms, retries: {max: 1}}]}}
stores: {db: {members: 3, across: [a, b, c], failover: {quorum: {elects_in: 2s}}, operations: {get: {takes: 2ms, from: leader}}}}
balancers: {edge: {to: app, replicas: 2, across: [a, b], failover: {vrrp: {priorities: [150, 100]}}, algorithm: least_conn, probes: {interval: 2s, timeout: 300ms, takes: 100ms, rise: 2, fall: 3}}}
workload: {users: {arrive: {poisson: 40/s}, journeys: {read: 100%}, through: edge, patience: 1s}}
"
    .replace("FAULTS", faults)
}

const SPELL: &str = "every: {exponential: {mean: 600s}}, lasts: {exponential: {mean: 40s}}";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_a_link_is_cut() {
    let source = mixed(&format!("partition: {{{SPELL}}}"));
    let paired = compare(&system(&source), 40, |_| {});
    paired.agrees();
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_a_link_loses_or_is_slow() {
    let source = mixed(&format!(
        "loss: {{share: 30%, {SPELL}}}, latency: {{adds: 150ms, factor: 2, {SPELL}}}"
    ));
    let paired = compare(&system(&source), 40, |_| {});
    paired.agrees();
}
