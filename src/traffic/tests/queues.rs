//! Queues with closed forms. Seeds are fixed; each check states its standard error, and tolerates
//! four of them.

use super::build::{Build, call, exponential, retries, settings};
use crate::model::{Algorithm, Call};
use crate::path::Regime;
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Source, Tally, Traffic};

/// Runs `secs` seconds after a tenth of that as warm-up.
fn run(system: &Build, secs: u64) -> Tally {
    let mut traffic = Traffic::new(&system.0, settings());
    let from = SimTime::START;
    let start = from + SimSpan::from_secs(secs / 10);
    let end = start + SimSpan::from_secs(secs);
    traffic.begin(
        &Regime::all_up(&system.0),
        from,
        Source::Replication {
            seed: 5,
            replication: 0,
        },
    );
    traffic.count(start, end);
    traffic.run_until(end);
    while traffic.counted_in_flight() > 0 {
        traffic.step();
    }
    traffic.finish(traffic.next_time());
    let tally = traffic.tally().clone();
    tally.check().unwrap();
    tally
}

#[track_caller]
fn close(what: &str, got: f64, exact: f64, standard_error: f64) {
    let z = (got - exact) / standard_error;
    assert!(z.abs() < 4.0, "{what}: {got}, exactly {exact}, z = {z:.1}");
}

/// One server, mean service 1 s, arrivals 0.8/s: sojourn exponential with mean 5 s.
///
/// The standard error of the mean over n requests is about sqrt(2 (1 + rho) / n) / (1 - rho)^2
/// (Whitt 1989): 0.047 s at n = 1.6e6.
#[test]
fn one_server_queue() {
    let mut system = Build::new();
    let pool = system.pool("app", 1, Some(1), None);
    let serve = system.operation(pool, exponential(1.0));
    let site = system.site(call(serve));
    let journey = system.workload("users", 0.8, None, vec![site]);
    let tally = run(&system, 2_000_000);
    let latency = &tally.journeys[journey].latency;
    close("mean", latency.mean().unwrap() * 1e-9, 5.0, 0.047);
    // p99 = 5 ln 100; its error is about ln 100 times that of the mean.
    close("p99", latency.quantile(0.99).unwrap() * 1e-9, 23.026, 0.25);
    let utilisation = tally.pools[pool].busy_ns as f64 * 1e-9 / 2_000_000.0;
    close("utilisation", utilisation, 0.8, 0.001);
}

/// Four servers at rho 0.8: Erlang C 0.5964, wait 0.5964 / (4 - 3.2) = 0.7455 s.
#[test]
fn four_server_queue() {
    let mut system = Build::new();
    let pool = system.pool("app", 1, Some(4), None);
    let serve = system.operation(pool, exponential(1.0));
    let site = system.site(call(serve));
    let journey = system.workload("users", 3.2, None, vec![site]);
    let tally = run(&system, 500_000);
    let mean = tally.journeys[journey].latency.mean().unwrap() * 1e-9;
    close("mean", mean, 1.745_54, 0.008);
    let pool = &tally.pools[pool];
    close(
        "wait",
        pool.wait_ns as f64 / pool.served as f64 * 1e-9,
        0.745_54,
        0.008,
    );
}

/// Two queues in a row with arrivals 0.8/s and mean services 1 s and 5/6 s, loads 0.8 and 2/3: by
/// Burke and Jackson the sojourns are independent with means 1 / 0.2 = 5 s and 5/6 / (1/3) = 2.5 s.
#[test]
fn two_queues_in_a_row() {
    let mut system = Build::new();
    let (first, second) = (
        system.pool("a", 1, Some(1), None),
        system.pool("b", 1, Some(1), None),
    );
    let (a, b) = (
        system.operation(first, exponential(1.0)),
        system.operation(second, exponential(5.0 / 6.0)),
    );
    let sites = vec![system.site(call(a)), system.site(call(b))];
    let journey = system.workload("users", 0.8, None, sites);
    let tally = run(&system, 2_000_000);
    close(
        "mean",
        tally.journeys[journey].latency.mean().unwrap() * 1e-9,
        7.5,
        0.05,
    );
}

/// Exp(80 ms), timeout 200 ms, 3 attempts, pause 50 ms. With q = exp(-200/80) = 0.082085: attempts
/// 1 + q + q^2 = 1.088823, success 1 - q^3 = 0.9994469. The mean latency of a success is that of a
/// service below its timeout, 80 - 200 q / (1 - q) = 62.115 ms, and 250 ms for each attempt before,
/// (q + 2 q^2) (1 - q) / (1 - q^3) = 0.087764 of them: 84.056 ms.
#[test]
fn timeouts_and_retries() {
    let mut system = Build::new();
    let pool = system.pool("app", 1, None, None);
    let serve = system.operation(pool, exponential(0.08));
    let site = system.site(Call {
        timeout: Some(SimSpan::from_millis(200)),
        retries: retries(2, 50),
        ..call(serve)
    });
    let journey = system.workload("users", 1_000.0, None, vec![site]);
    let tally = run(&system, 2_000);
    let n = 2e6_f64;
    let counts = tally.journeys[journey].counts;
    let attempts = tally.pools[pool].attempts as f64 / counts.issued as f64;
    close("attempts", attempts, 1.088_823, 0.305 / n.sqrt());
    let success = counts.good as f64 / counts.issued as f64;
    close("success", success, 0.999_446_9, 0.0235 / n.sqrt());
    close(
        "latency",
        tally.journeys[journey].latency.mean().unwrap() * 1e-6,
        84.056,
        90.0 / n.sqrt(),
    );
    assert_eq!(tally.pools[pool].calls_failed, counts.failed);
}

/// Loss: 10 servers, no queue, 8 Erlang: Erlang B = 0.121661.
#[test]
fn a_full_queue_refuses() {
    let mut system = Build::new();
    let pool = system.pool("app", 1, Some(10), Some(0));
    let serve = system.operation(pool, exponential(1.0));
    let site = system.site(call(serve));
    let journey = system.workload("users", 8.0, None, vec![site]);
    let tally = run(&system, 200_000);
    let counts = tally.journeys[journey].counts;
    close(
        "loss",
        counts.failed as f64 / counts.issued as f64,
        0.121_661,
        0.0008,
    );
    assert_eq!(tally.pools[pool].attempts_shed, counts.failed);
}

/// Joining the shorter of two queues at rho 0.8, two servers: mean sojourn 2.6 to 2.8 s lies well
/// below two separate queues (5 s) and above one shared queue (1/(1 - 0.64) = 2.78 s).
#[test]
fn balancing_by_load_beats_balancing_by_turn() {
    let mean = |algorithm| {
        let mut system = Build::new();
        let pool = system.pool("app", 4, Some(1), None);
        let balancer = system.balancer(pool, 1, algorithm, false);
        let serve = system.operation(pool, exponential(1.0));
        let site = system.site(Call {
            through: Some(balancer),
            ..call(serve)
        });
        let journey = system.workload("users", 3.2, None, vec![site]);
        run(&system, 200_000).journeys[journey]
            .latency
            .mean()
            .unwrap()
            * 1e-9
    };
    let [random, turn, two, least] = [
        Algorithm::Random,
        Algorithm::RoundRobin,
        Algorithm::TwoChoices,
        Algorithm::LeastConnections,
    ]
    .map(mean);
    close("random", random, 5.0, 0.1);
    assert!(
        random > turn && turn > two && two > least && least > 1.745,
        "{turn} {two} {least}"
    );
}
