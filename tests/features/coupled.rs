//! Workers that answer probes: what overload makes of that, against an exact solution and in the program.

use super::folder::Folder;
use super::library::{Silent, load, outcome, replications};
use fivenines::experiment::outcome::Outcome;
use fivenines::experiment::{Options, run};
use fivenines::model::Method;

/// One server, and a probe every 10 s that has failed after 100 ms. One failure takes the server out, one pass
/// brings it back.
const ONE_SERVER: &str = "
fivenines: 1
run: {horizon: 12h, method: METHOD}
services:
  app:
    replicas: 1
    workers: 1
    operations: {read: {takes: {exponential: {mean: 10ms}}}}
balancers: {edge: {to: app, probes: {interval: 10s, timeout: 100ms, takes: 1us, rise: 1, fall: 1, answered_by: workers}}}
workload: {users: {arrive: {poisson: 80/s}, journeys: {app.read: 100%}, through: edge, patience: 60s}}
";

/// A probe waits as a request does in M/M/1: for longer than t with the chance rho exp(-(mu - lambda) t). When it
/// is late, everybody is refused until the next one, 9.9 s later, which finds an empty queue. The one after that
/// finds it in equilibrium again, nine relaxation times later.
#[test]
fn an_m_m_1_queue_fails_its_probes_as_often_as_it_should() {
    let late = 0.8 * (-(100.0 - 80.0) * 0.1_f64).exp();
    let share = late / (1.0 + late);
    let expected = share * 9.9 / 10.0;
    // Probes that fail as often as that leave no quiet time, so that both methods are one.
    for (method, histories, most) in [("exact", 16, 0.02), ("windows", 4, 0.04)] {
        let found = outcome(&ONE_SERVER.replace("METHOD", method), histories);
        let requests = found.availability.request.expect("there is traffic");
        let (failed, error) = (1.0 - requests.value, (requests.high - requests.low) / 4.0);
        assert!(error < most * expected, "{method}: {error}");
        assert!(
            (failed - expected).abs() < 3.0 * error,
            "{method}: {failed} and not {expected}, +- {error}"
        );
        let late = found.run.late_probes.expect("workers answer");
        if method == "exact" {
            // Late probes come one by one, never two in a row, so that their number varies less than by Poisson's law.
            let expected = share * found.run.traffic_replications as f64 * 4_320.0;
            let failed = late.failed as f64;
            assert!(
                (failed - expected).abs() < 3.5 * expected.sqrt(),
                "{failed} {expected}"
            );
        }
        assert_eq!(late.left_out_in_samples, 0);
    }
}

/// Two of three replicas cannot do the work of three.
const SHORT: &str = "
fivenines: 1
run: {horizon: 2h}
services:
  app:
    replicas: 3
    workers: 2
    queue: 100
    faults: {crash: {every: {exponential: {mean: 3h}}, lasts: 60s}}
    operations: {read: {takes: {exponential: {mean: 100ms}}}}
balancers: {edge: {to: app, probes: {interval: 2s, timeout: 1s, rise: 2, fall: 2, answered_by: WHO}}}
workload: {users: {arrive: {poisson: 45/s}, journeys: {app.read: 100%}, through: edge, patience: 10s}}
targets: [availability >= 90%]
";

fn failed(found: &Outcome) -> f64 {
    1.0 - found.availability.request.expect("there is traffic").value
}

#[test]
fn workers_that_answer_probes_make_overload_worse() {
    let workers = outcome(&SHORT.replace("WHO", "workers"), 32);
    let listener = outcome(&SHORT.replace("WHO", "listener"), 32);
    assert!(failed(&workers) > 2.0 * failed(&listener));
    assert!(listener.run.late_probes.is_none());
    assert!(workers.run.late_probes.expect("workers answer").failed > 1_000);
}

#[test]
fn a_timeline_says_that_load_is_not_in_it() {
    let folder = Folder::with(&[
        ("workers.yaml", &SHORT.replace("WHO", "workers")),
        ("listener.yaml", &SHORT.replace("WHO", "listener")),
    ]);
    let says = |file: &str| {
        folder
            .ends(&format!("explain {file}.yaml --replication 0"))
            .err
    };
    assert!(says("workers").contains("workers answer probes here"));
    assert!(!says("listener").contains("workers answer"));
}

/// The load of one that is lost takes the others down as well, which only a simulation of both clocks shows.
#[test]
fn a_single_loss_shows_what_it_drags_along() {
    let lost = |who: &str| {
        let found = outcome(&SHORT.replace("WHO", who), 8);
        let peak = found.at_peak.expect("single losses are looked at");
        let app = peak.losses.iter().find(|row| row.part.starts_with("app"));
        let lost = app.expect("a replica").left.lost.expect("there is traffic");
        lost.value
    };
    assert!(lost("workers") > 2.0 * lost("listener"));
}

#[test]
#[ignore = "long: CI runs it"]
fn both_clocks_together_are_the_same_on_any_number_of_threads() {
    let source = SHORT.replace("WHO", "workers");
    let folder = Folder::with(&[("short.yaml", &source)]);
    for method in ["exact", "windows"] {
        let results: Vec<String> = [1, 2, 8]
            .map(|threads| {
                folder.runs(&format!(
                    "run short.yaml --method {method} --replications 40 --threads {threads} --json --quiet --out {threads}"
                ))
            })
            .to_vec();
        assert_eq!(results[0], results[1]);
        assert_eq!(results[0], results[2]);
    }
}

/// Where all replicas together cannot do the work, there is no quiet time at all, and a year of that is too much.
#[test]
fn a_pool_that_never_rests_is_refused_by_windows() {
    let source = SHORT
        .replace("WHO", "workers")
        .replace("45/s", "90/s")
        .replace("{mean: 3h}", "{mean: 20y}")
        .replace("2h", "60d");
    let loaded = load(&source);
    let options = Options {
        method: Some(Method::Windows),
        ..replications(8)
    };
    let error = run(&loaded.system, &loaded.hash, &options, &Silent).expect_err("too much");
    let text = error.to_string();
    assert!(text.contains("no worker has time for them"), "{text}");
}

/// However seldom probes come, quiet time is not looked at for as long as thirty of them take.
#[test]
fn probes_that_come_once_in_weeks_do_not_take_for_ever() {
    let source = SHORT
        .replace("WHO", "workers")
        .replace("interval: 2s", "interval: 20d")
        .replace("2h", "60d")
        .replace("{mean: 3h}", "{mean: 20d}")
        .replace("45/s", "20/s")
        .replace("run: {", "run: {method: windows, ");
    let found = outcome(&source, 2);
    let requests = found.run.requests_simulated;
    assert!(requests < 5_000_000, "{requests}");
}
