//! What single losses at the busiest time do, against queueing theory; `needs: at_peak`.

use fivenines::analytic::MultiServer;
use fivenines::experiment::outcome::{AtPeak, PeakState, SingleLoss};
use fivenines::experiment::{Options, run};
use fivenines::model::Method;

use super::library::{Silent, replications, system};

fn at_peak(source: &str) -> AtPeak {
    let options = Options {
        method: Some(Method::Windows),
        ..replications(8)
    };
    let outcome = run(&system(source), "0123456789abcdef", &options, &Silent).expect("it runs");
    outcome.at_peak.expect("there is traffic")
}

fn loss<'a>(at: &'a AtPeak, part: &str) -> &'a SingleLoss {
    let is = |row: &&SingleLoss| row.part == part || row.alike.iter().any(|name| name == part);
    at.losses.iter().find(is).expect("a row of that part")
}

fn utilisation(left: &PeakState, pool: &str) -> f64 {
    let row = left.utilisation.iter().find(|row| row.0 == pool);
    row.and_then(|row| row.1)
        .expect("workers are limited and there are some")
}

/// Two replicas of three workers behind a balancer that draws one at random: each is an M/M/3 queue
/// of half the load, and the one that is left an M/M/3 queue of all of it. The profile has its top at
/// 20:00; at other times the load is less.
const TWO: &str = "
fivenines: 1
run: {horizon: 1d, slice: 1s, seed: 3}
services:
  app:
    replicas: 2
    workers: 3
    faults: {crash: {every: {exponential: {mean: 20d}}, lasts: 1h}}
    operations: {read: {takes: {exponential: {mean: 20ms}}}}
balancers:
  edge: {to: app, algorithm: random, probes: {}, faults: {crash: {every: {exponential: {mean: 90d}}, lasts: 5m}}}
workload:
  users: {arrive: {poisson: 66.667/s, profile: {peak: \"20:00\", ratio: 2}}, journeys: {read: 100%}, through: edge, patience: 10s}
";

#[test]
fn one_replica_of_two_leaves_the_queue_that_theory_says() {
    let at = at_peak(TWO);
    let rate = 66.667 * 4.0 / 3.0;
    assert!((at.rate - rate).abs() < 1e-3, "{}", at.rate);
    assert_eq!(at.busiest_s, 72_000.0);
    let lost = loss(&at, "app-1");
    assert_eq!(
        (lost.kind.as_str(), lost.alike.as_slice()),
        ("replica", &["app-2".to_owned()][..])
    );
    for (left, rate) in [(&at.healthy, rate / 2.0), (&lost.left, rate)] {
        let queue = MultiServer::new(3, rate, 50.0).expect("a stable queue");
        assert!((utilisation(left, "app") - queue.utilisation()).abs() < 1e-5);
        let (p99, exact) = (
            left.latency_p99.expect("simulated"),
            queue.sojourn_quantile(0.99),
        );
        assert!(
            p99.low <= exact && exact <= p99.high,
            "{p99:?} is not {exact}"
        );
        assert!(
            (p99.value / exact - 1.0).abs() < 0.05,
            "{p99:?} is not {exact}"
        );
        assert_eq!(left.lost.expect("simulated").value, 0.0);
        assert!(left.lost.expect("simulated").high < 0.02);
        assert!(left.journeys_down.is_empty());
    }
}

#[test]
fn what_cannot_wait_is_lost_as_erlang_says() {
    let source = TWO
        .replace("workers: 3", "workers: 3\n    queue: 0")
        .replace("66.667/s", "112.5/s");
    let at = at_peak(&source);
    for (left, rate) in [(&at.healthy, 75.0), (&loss(&at, "app-2").left, 150.0)] {
        let (lost, exact) = (
            left.lost.expect("simulated"),
            fivenines::analytic::erlang_b(3, rate / 50.0),
        );
        assert!(
            lost.low <= exact && exact <= lost.high,
            "{lost:?} is not {exact}"
        );
        assert!(
            (lost.value / exact - 1.0).abs() < 0.05,
            "{lost:?} is not {exact}"
        );
    }
}

#[test]
fn without_the_only_balancer_nobody_is_served() {
    let at = at_peak(TWO);
    let edge = &loss(&at, "edge-1").left;
    assert_eq!(edge.lost.expect("simulated").value, 1.0);
    assert_eq!(edge.journeys_down, ["users.read"]);
    assert_eq!(utilisation(edge, "app"), 0.0);
    assert_eq!(at.losses[0].part, "edge-1", "the worst comes first");
}

/// A cache in front of a database: without it every read goes to the database.
#[test]
fn without_the_cache_the_database_carries_every_read() {
    let source = "
fivenines: 1
run: {horizon: 1d, slice: 1s}
services:
  app:
    replicas: 2
    workers: 8
    operations: {read: {takes: 5ms, calls: [{to: cache.get, hit: 80%, on_miss: [{to: db.get}], on_failure: [{to: db.get}]}]}}
caches:
  cache: {workers: 1, operations: {get: {takes: 1ms}}}
stores:
  db: {members: 3, workers: 2, operations: {get: {takes: 10ms}}, faults: {crash: {every: 90d, lasts: 1h}}}
workload:
  users: {arrive: {poisson: 100/s}, journeys: {app.read: 100%}, patience: 5s}
";
    let at = at_peak(source);
    assert!((utilisation(&at.healthy, "db") - 100.0 * 0.2 * 0.01 / 6.0).abs() < 1e-12);
    let left = &loss(&at, "cache-1").left;
    assert!((utilisation(left, "db") - 100.0 * 0.01 / 6.0).abs() < 1e-12);
    assert!((utilisation(left, "app") - 100.0 * 0.015 / 16.0).abs() < 1e-12);
    assert_eq!(
        left.utilisation
            .iter()
            .find(|row| row.0 == "cache")
            .map(|row| row.1),
        Some(None)
    );
    // Callers that take members in turn lose the third of their attempts that meets nobody.
    let left = &loss(&at, "db-1").left;
    let lost = left.lost.expect("simulated");
    assert!((lost.value - 0.2 / 3.0).abs() < 0.01, "{lost:?}");
}

#[test]
fn a_leader_is_lost_for_a_while_and_a_zone_with_all_in_it() {
    let source = "
fivenines: 1
run: {horizon: 1d, slice: 1s}
domains:
  site: {kind: region}
  a: {kind: zone, in: site}
  b: {kind: zone, in: site}
stores:
  db:
    members: 2
    across: [a, b]
    workers: 4
    failover: {generic: {detect: 10s, decide: 1s, promote: 5s}}
    faults: {crash: {every: {exponential: {mean: 90d}}, lasts: 1h}}
    operations: {put: {takes: 10ms, from: leader}}
journeys: {put: {calls: [{to: db.put}]}}
workload:
  users: {arrive: {poisson: 40/s}, journeys: {put: 100%}, patience: 2s}
";
    let at = at_peak(source);
    let member = loss(&at, "db-1");
    assert_eq!(
        member.alike,
        ["db-2"],
        "once the other leads, both losses are the same"
    );
    assert_eq!(member.left.lost.expect("simulated").value, 0.0);
    assert!(member.left.journeys_down.is_empty());
    let zone = loss(&at, "a");
    assert_eq!(
        (zone.kind.as_str(), zone.alike.as_slice()),
        ("zone", &["b".to_owned()][..])
    );
    assert!(loss(&at, "site").left.nothing);
    assert_eq!(loss(&at, "site").left.lost.expect("simulated").value, 1.0);
}

/// At the peak 88.9 requests a second take 1.78 workers: three of four replicas of one worker at 60 %
/// in use, two of them at full use.
#[test]
fn needs_follow_from_the_load_at_the_busiest_time() {
    let needs = |needs: &str| {
        let source = TWO
            .replace("replicas: 2", &format!("replicas: 4\n    needs: {needs}"))
            .replace("workers: 3", "workers: 1");
        system(&source).pools.iter().next().expect("one pool").needs
    };
    assert_eq!(needs("at_peak"), 2);
    assert_eq!(needs("{at_peak: 60%}"), 3);
    assert_eq!(needs("{at_peak: 59%}"), 4);
    assert_eq!(needs("3"), 3);
}
