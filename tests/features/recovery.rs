//! Recovery time as those who call a store feel it, against what is known exactly.
//!
//! Seeds are fixed. Means lie within four standard errors of the truth, which a right program misses once in
//! 16,000 seeds.

use fivenines::experiment::outcome::{Estimate, Outcome, Recovery, RecoveryEnd};
use fivenines::experiment::run;
use fivenines::report;

use super::library::{Silent, load, outcome, replications};

/// From the fault to a member that leads: 20 s to detect, 5 s to decide, 60 s to promote.
const LEAD_S: f64 = 85.0;

/// Seconds that a write takes.
const WRITE_S: f64 = 0.005;

/// What users do is `JOURNEYS` at `RATE`; members fail once in `MTTF`.
const STORE: &str = "
fivenines: 1
run: {horizon: HORIZON, method: METHOD, start: new}
services:
  app:
    operations:
      save: {takes: 20ms, calls: [{to: db.write}]}
      look: {takes: 1ms}
stores:
  db:
    members: 3
    failover: {generic: {detect: 20s, decide: 5s, promote: 60s}}
    faults: {crash: {every: {exponential: {mean: MTTF}}, lasts: 5m}}
    operations: {write: {takes: 5ms, from: leader}, read: {takes: 1ms, from: any}}
workload: {users: {arrive: {poisson: RATE}, journeys: {JOURNEYS}, patience: 3s}}
targets: [TARGETS]
";

fn store(method: &str, horizon: &str, mttf: &str, rate: &str, journeys: &str) -> String {
    STORE
        .replace("HORIZON", horizon)
        .replace("METHOD", method)
        .replace("MTTF", mttf)
        .replace("RATE", rate)
        .replace("JOURNEYS", journeys)
        .replace("TARGETS", "db.rto.p99 <= 10h")
}

#[track_caller]
fn recovery(outcome: &Outcome) -> &Recovery {
    let mut found = outcome
        .services
        .iter()
        .filter_map(|row| row.recovery.as_ref());
    found.next().expect("there is a store")
}

fn error(e: &Estimate) -> f64 {
    (e.high - e.low) / 3.92
}

#[track_caller]
fn mean(e: Option<&Estimate>) -> Estimate {
    *e.expect("there were recoveries")
}

/// The wait for the first good answer, beyond the time to a member that leads.
#[track_caller]
fn wait(found: &Recovery) -> f64 {
    assert_eq!(found.ends, RecoveryEnd::FirstAnswer);
    mean(found.time.mean.as_ref()).value - mean(found.lead.mean.as_ref()).value
}

/// Writes come as a Poisson stream of 2/s and take 5 ms: the first that comes to the new leader is good. The
/// time to a member that leads is the same in both figures, so only the wait has an error.
#[test]
fn recoveries_end_with_the_first_good_answer() {
    for method in ["exact", "windows"] {
        let source = store(method, "2d", "2h", "2/s", "app.save: 100%")
            .replace("db.rto.p99 <= 10h", "db.rto.p50 <= 85.305s");
        let outcome = outcome(&source, 64);
        let found = recovery(&outcome);
        let n = mean(found.time.p50.as_ref()).n as f64;
        assert!(n > 1_200.0, "{n}");
        let (seen, truth) = (wait(found), 0.5 + WRITE_S);
        assert!(
            (seen - truth).abs() < 4.0 * 0.5 / n.sqrt(),
            "{method}: {seen} and {truth}"
        );
        // Of recoveries in which no candidate is lost, which are 24 in 25, those whose write comes in time.
        let row = outcome.targets[0].measured.expect("it is measured");
        let within = 1.0 - f64::exp(-2.0 * 0.3);
        assert!(
            row.value > 0.93 * within - 0.05 && row.value < within + 0.05,
            "{method}: {row:?} and {within}"
        );
        assert!(row.n as f64 >= 0.9 * n, "{method}: {row:?}");
    }
}

/// A leader whose answers are all errors, among many who ask for something else: nobody feels a recovery, and
/// the search for it is bounded. Who asks so seldom that it is not worth a search does not ask.
#[test]
fn a_search_for_answers_ends() {
    let source = |save: &str, read: &str, fails: &str| {
        format!(
            "
fivenines: 1
run: {{horizon: 1y, method: windows}}
services:
  app:
    replicas: 3
    faults: {{crash: {{every: {{exponential: {{mean: 5d}}}}, lasts: 60s}}}}
    operations: {{read: {{takes: 1ms}}, save: {{takes: 1ms, calls: [{{to: db.write}}]}}}}
balancers: {{edge: {{to: app, probes: {{interval: 2s}}}}}}
stores:
  db:
    members: 3
    failover: {{lease: {{}}}}
    faults: {{crash: {{every: {{exponential: {{mean: 20d}}}}, lasts: 10m}}}}
    operations: {{write: {{takes: 1ms, fails: {fails}, from: leader}}}}
journeys:
  read: {{calls: [{{to: app.read, through: edge}}]}}
  save: {{calls: [{{to: app.save, through: edge}}]}}
workload: {{users: {{arrive: {{poisson: 100/s}}, journeys: {{read: {read}, save: {save}}}, patience: 1s}}}}
"
        )
    };
    let silent = outcome(&source("50%", "50%", "100%"), 8);
    assert_eq!(recovery(&silent).ends, RecoveryEnd::FirstAnswer);
    // One recovery of each history, which is never over.
    let year = 365.0 * 86_400.0;
    assert!(mean(recovery(&silent).time.mean.as_ref()).value > 0.9 * year);
    // Windows and samples are about a million requests of each, and 200,000 ask in vain.
    let requests = silent.run.requests_simulated;
    assert!(requests < 20_000_000, "{requests}");
    let seldom = outcome(&source("0.0005%", "99.9995%", "0%"), 8);
    assert_eq!(recovery(&seldom).ends, RecoveryEnd::NobodyAsks);
    let now_and_then = outcome(&source("0.002%", "99.998%", "0%"), 8);
    assert_eq!(recovery(&now_and_then).ends, RecoveryEnd::FirstAnswer);
    // Somebody asks every 500 s.
    let waited = wait(recovery(&now_and_then));
    let n = mean(recovery(&now_and_then).time.p50.as_ref()).n as f64;
    assert!(
        (waited - 500.0).abs() < 4.0 * 500.0 / n.sqrt(),
        "{waited} of {n}"
    );
}

/// A write in ten minutes: windows are long over when it comes. Until then the leader may be lost again, once
/// in ten days, and the recovery goes on.
#[test]
fn a_rare_write_is_waited_for() {
    let (every, fails) = (600.0, 1.0 / 864_000.0);
    let truth = every + every * fails * LEAD_S + WRITE_S;
    for (rate, journeys) in [
        ("6/h", "app.save: 100%"),
        ("200/h", "app.save: 3%, app.look: 97%"),
    ] {
        let source = store("windows", "1y", "10d", rate, journeys);
        let outcome = outcome(&source, 256);
        let found = recovery(&outcome);
        let n = mean(found.time.p50.as_ref()).n as f64;
        assert!(n > 8_000.0, "{n}");
        let seen = wait(found);
        assert!(
            (seen - truth).abs() < 4.0 * every / n.sqrt(),
            "{rate}: {seen} and {truth}"
        );
        let p90 = mean(found.time.p90.as_ref());
        let truth = LEAD_S + every * 10.0_f64.ln();
        assert!(
            (p90.value / truth - 1.0).abs() < 0.06,
            "{rate}: {p90:?} and {truth}"
        );
    }
}

/// Two hours, of which ten minutes pass until somebody writes: one wait in twelve is not over at the end, and
/// those are the long ones.
#[test]
#[ignore = "long: CI runs it"]
fn waits_are_followed_beyond_the_horizon() {
    let (every, fails) = (600.0, 1.0 / 14_400.0);
    let truth = every + every * fails * LEAD_S + WRITE_S;
    for method in ["exact", "windows"] {
        let source = store(method, "2h", "4h", "6/h", "app.save: 100%");
        let outcome = outcome(&source, 8_192);
        let found = recovery(&outcome);
        let n = mean(found.time.p50.as_ref()).n as f64;
        assert!(n > 3_000.0, "{n}");
        // Recoveries in which one more leader is lost count once here, and twice among those that lead.
        let seen = mean(found.time.mean.as_ref());
        let led = mean(found.lead.mean.as_ref()).value;
        assert!(
            (seen.value - led - truth).abs() < 4.0 * error(&seen),
            "{method}: {seen:?} and {}",
            led + truth
        );
    }
}

/// Windows see the waits that exact sees, whether the write comes in a window or long after it.
#[test]
#[ignore = "long: CI runs it"]
fn windows_and_exact_see_the_same_recoveries() {
    for (rate, journeys, retries) in [
        ("1/s", "app.save: 2%, app.look: 98%", ""),
        (
            "3/s",
            "app.save: 50%, app.look: 50%",
            ", retries: {max: 3, backoff: {base: 200ms, factor: 2, jitter: full}}",
        ),
    ] {
        let source = |method: &str| {
            store(method, "2d", "3h", rate, journeys)
                .replace("{to: db.write}", &format!("{{to: db.write{retries}}}"))
        };
        let found = ["exact", "windows"].map(|method| {
            let outcome = outcome(&source(method), 32);
            let found = recovery(&outcome);
            assert!(wait(found) > 0.05, "{method}: nobody waited");
            mean(found.time.mean.as_ref())
        });
        let (one, two) = (found[0], found[1]);
        let both = error(&one).hypot(error(&two));
        assert!((one.value - two.value).abs() < 3.0 * both, "{found:?}");
        // The same requests come in both.
        assert!((one.value - two.value).abs() < 0.2, "{found:?}");
    }
}

#[test]
fn without_anybody_who_asks_a_recovery_ends_when_a_member_leads() {
    let source = store("none", "1y", "10d", "2/s", "app.save: 100%");
    let unasked = store("windows", "30d", "1d", "2/s", "app.look: 100%");
    for (source, ends) in [
        (source, RecoveryEnd::NoTraffic),
        (unasked, RecoveryEnd::NobodyAsks),
    ] {
        let outcome = outcome(&source, 64);
        let found = recovery(&outcome);
        assert_eq!(found.ends, ends);
        assert_eq!(found.time, found.lead);
        let p50 = mean(found.time.p50.as_ref());
        assert!((p50.value / LEAD_S - 1.0).abs() < 1.0 / 128.0, "{p50:?}");
    }
}

#[test]
fn recoveries_are_the_same_on_any_number_of_threads() {
    let loaded = load(&store(
        "windows",
        "60d",
        "2d",
        "1/min",
        "app.save: 10%, app.look: 90%",
    ));
    let bytes = [1, 2].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let outcome = pool
            .expect("threads")
            .install(|| run(&loaded.system, &loaded.hash, &replications(128), &Silent))
            .expect("it runs");
        assert!(wait(recovery(&outcome)) > 300.0);
        report::json(&outcome)
    });
    assert!(bytes[0] == bytes[1]);
}
