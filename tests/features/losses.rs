//! What single losses at the busiest time do, against queueing theory; `needs: at_peak`.

use fivenines::analytic::{MultiServer, erlang_b};
use fivenines::experiment::outcome::{AtPeak, Estimate, PeakState, SingleLoss};
use fivenines::experiment::{Options, run};
use fivenines::model::{Method, System};

use super::library::{Silent, replications, system};

fn at_peak(source: &str) -> AtPeak {
    with_seed(&system(source), None)
}

fn with_seed(system: &System, seed: Option<u64>) -> AtPeak {
    let options = Options {
        method: Some(Method::Windows),
        seed,
        ..replications(8)
    };
    let outcome = run(system, "0123456789abcdef", &options, &Silent).expect("it runs");
    outcome.at_peak.expect("there is traffic")
}

/// What the estimates of one figure say over seeds.
#[derive(Default)]
struct Seeds {
    covered: f64,
    values: Vec<f64>,
}

impl Seeds {
    fn push(&mut self, estimate: &Estimate, exact: f64) {
        self.covered += f64::from(u8::from(estimate.low <= exact && exact <= estimate.high));
        self.values.push(estimate.value);
    }

    /// The mean is the exact value, and intervals of 95 % cover it so often: within 3 standard errors.
    #[track_caller]
    fn agree(&self, exact: f64) {
        let n = self.values.len() as f64;
        let mean = self.values.iter().sum::<f64>() / n;
        let squares: f64 = self.values.iter().map(|value| (value - mean).powi(2)).sum();
        let error = (squares / (n - 1.0) / n).sqrt();
        let covered = self.covered;
        let what = format!("{mean} +- {error} for {exact}, {covered} of {n} intervals cover it");
        assert!((mean - exact).abs() <= 3.0 * error, "{what}");
        assert!(error <= 0.005 * exact, "{what}");
        let spread = (0.95 * 0.05 * n).sqrt();
        assert!((covered - 0.95 * n).abs() <= 3.0 * spread, "{what}");
    }
}

/// A thousand, or so many that a plain `cargo test` takes seconds.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let full = std::env::var("FIVENINES_ORACLES").is_ok_and(|value| value == "full");
    1..=if full { 1_000 } else { 50 }
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
run: {horizon: 1d, slice: 1s}
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
        assert_eq!(left.lost.expect("simulated").value, 0.0);
        assert!(left.lost.expect("simulated").high < 0.02);
        assert!(left.journeys_down.is_empty());
    }
}

#[test]
#[ignore = "long: CI runs it"]
fn the_99th_percentile_is_that_of_the_queue_that_is_left() {
    let system = system(TWO);
    let rate = 66.667 * 4.0 / 3.0;
    let exact = [rate / 2.0, rate].map(|rate| {
        let queue = MultiServer::new(3, rate, 50.0).expect("a stable queue");
        queue.sojourn_quantile(0.99)
    });
    let mut found = [Seeds::default(), Seeds::default()];
    for seed in seeds() {
        let at = with_seed(&system, Some(seed));
        let states = [&at.healthy, &loss(&at, "app-1").left];
        for ((found, left), exact) in found.iter_mut().zip(states).zip(exact) {
            found.push(&left.latency_p99.expect("simulated"), exact);
        }
    }
    for (found, exact) in found.iter().zip(exact) {
        found.agree(exact);
    }
}

#[test]
#[ignore = "long: CI runs it"]
fn what_cannot_wait_is_lost_as_erlang_says() {
    let source = TWO
        .replace("workers: 3", "workers: 3\n    queue: 0")
        .replace("66.667/s", "112.5/s");
    let system = system(&source);
    let exact = [75.0, 150.0].map(|rate| erlang_b(3, rate / 50.0));
    let mut found = [Seeds::default(), Seeds::default()];
    for seed in seeds() {
        let at = with_seed(&system, Some(seed));
        let states = [&at.healthy, &loss(&at, "app-2").left];
        for ((found, left), exact) in found.iter_mut().zip(states).zip(exact) {
            found.push(&left.lost.expect("simulated"), exact);
        }
    }
    for (found, exact) in found.iter().zip(exact) {
        found.agree(exact);
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
