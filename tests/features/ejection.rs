//! Outlier detection: what a replica that always fails costs, worked out, and what the program says of it.

use super::folder::Folder;
use super::library::{outcome, system};
use fivenines::estimate::{Plan, is_never_quiet};
use fivenines::model::{Load, Method};

/// One of four replicas is lost for good, and says nothing; every fourth of 10 requests a second goes there.
const LOST: &str = "
fivenines: 1
run: {horizon: 1d, method: METHOD}
domains: {a: {kind: zone, faults: {power: {every: 1s, lasts: 1000d}}}, b: {kind: zone}, c: {kind: zone}, d: {kind: zone}}
services: {app: {replicas: 4, across: [a, b, c, d], operations: {read: {takes: 1ms}}}}
balancers: {edge: {to: app, outlier_detection: {max_ejection_percent: 25%}}}
journeys: {read: {calls: [{to: app.read, through: edge, timeout: 20ms}]}}
workload: {users: {arrive: {poisson: 10/s}, journeys: {read: 100%}, patience: 5s}}
";

/// It is ejected after five failures, two seconds after the sweep that brought it back, and so comes back at the 31st
/// sweep of 10 s from there, not the 30th: five requests in 310 s, whatever chance does.
#[test]
fn who_always_fails_costs_five_requests_in_each_turn_of_the_longest_ejection() {
    let expected = 5.0 / (310.0 * 10.0);
    for (method, histories, most) in [("exact", 8, 0.04), ("windows", 256, 0.08)] {
        let found = outcome(&LOST.replace("METHOD", method), histories);
        let requests = found.availability.request.expect("there is traffic");
        let (failed, error) = (1.0 - requests.value, (requests.high - requests.low) / 4.0);
        assert!(error < most * expected, "{method}: {error}");
        assert!(
            (failed - expected).abs() < 3.0 * error + 0.005 * expected,
            "{method}: {failed} and not {expected}, +- {error}"
        );
        let ejections = found.run.ejections.expect("it ejects");
        assert_eq!(ejections.seen, 0, "nobody who answers is ejected");
    }
    // Where the cap forbids it, a quarter fails.
    let capped = LOST.replace("METHOD", "windows").replace("25%", "24%");
    let found = outcome(&capped, 32);
    let failed = 1.0 - found.availability.request.expect("traffic").value;
    assert!((failed - 0.25).abs() < 1e-3, "{failed}");
}

/// What all replicas need is lost now and then, all answer with errors, and all are ejected.
const EMPTIED: &str = "
fivenines: 1
name: Emptied
run: {horizon: 30d, seed: 5}
services: {app: {replicas: 3, workers: 4, operations: {read: {takes: 5ms, calls: [{to: store.query}]}}}}
stores:
  store:
    members: 1
    faults: {crash: {every: {exponential: {mean: 10d}}, lasts: 90s}}
    operations: {query: {takes: 2ms}}
balancers: {edge: {to: app, healthy_panic_threshold: PANIC, outlier_detection: {max_ejection_percent: 100%}}}
workload: {users: {arrive: {poisson: 20/s}, journeys: {app.read: 100%}, through: edge, patience: 1s}}
";

/// The report says how often replicas that answer were ejected, and how long was simulated for it; with panic requests
/// are sent to who is ejected, and the outage is over with its fault.
#[test]
fn a_pool_that_is_emptied_by_ejection_stays_empty_and_panic_prevents_it() {
    let mut downtime = Vec::new();
    for panic in ["0%", "50%"] {
        let source = EMPTIED.replace("PANIC", panic);
        let folder = Folder::with(&[("emptied.yaml", &source)]);
        folder.runs("run emptied.yaml --replications 192 --out out");
        let result: serde_json::Value =
            serde_json::from_slice(&folder.bytes("out/result.json")).expect("it is JSON");
        let ejections = &result["run"]["simulated"]["ejections"];
        assert!(ejections["seen"].as_u64().is_some_and(|seen| seen > 100));
        assert!(
            ejections["windows"]
                .as_u64()
                .is_some_and(|windows| windows > 0)
        );
        let page = String::from_utf8(folder.bytes("out/report.html")).expect("it is text");
        assert!(page.contains("Balancers eject replicas by what comes of requests: they did so"));
        let value = |path: [&str; 2]| {
            result[path[0]][path[1]]["value"]
                .as_f64()
                .expect("a number")
        };
        downtime.push(value(["downtime_s_per_year", "mean"]) / value(["outages", "per_year"]));
    }
    // With panic 90 s of it, and two slices of 10 s that it fills in part. Without: out after a quarter of a second, back
    // at the first sweep after 30 s, and out for 60 s more, which end at a sweep 15 s after the fault, in the mean.
    assert!((95.0..101.0).contains(&downtime[1]), "{downtime:?}");
    assert!((110.0..120.0).contains(&downtime[0]), "{downtime:?}");
}

/// A run must say beforehand that every request will be simulated, or a file from a stranger could keep a machine busy:
/// where half of all answers are errors, members are ejected for ever; where none is, nobody is.
#[test]
fn what_is_never_quiet_is_known_beforehand() {
    let source = |fails: &str| {
        format!(
            "
fivenines: 1
run: {{horizon: 30d}}
services: {{app: {{replicas: 3, operations: {{read: {{takes: 1ms, fails: {fails}}}}}}}}}
balancers: {{edge: {{to: app, outlier_detection: {{max_ejection_percent: 100%}}}}}}
workload: {{users: {{arrive: {{poisson: 3/s}}, journeys: {{app.read: 100%}}, through: edge, patience: 1s}}}}
"
        )
    };
    for (fails, expected) in [("50%", true), ("0%", false)] {
        let system = system(&source(fails));
        let plan = Plan::new(&system, &Load::of(&system), 1, Method::Windows);
        assert_eq!(is_never_quiet(&system, &plan, 3.0), expected, "{fails}");
        assert!(!is_never_quiet(&system, &plan, 1e9), "too long to look");
    }
}
