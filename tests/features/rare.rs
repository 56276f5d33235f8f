//! Outages too rare to wait for, through the program: when they are forced, and that it changes nothing
//! that it must not.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// `result.json` of a run of `source`, as bytes.
fn run(name: &str, source: &str, arguments: &[&str]) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rare-{name}"));
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    let file = folder.join("design.yaml");
    std::fs::write(&file, source).expect("a scenario");
    let output = Command::new(env!("CARGO_BIN_EXE_fivenines"))
        .args(["run", "--json", "--quiet", "--out"])
        .arg(folder.join("out"))
        .args(arguments)
        .arg(&file)
        .output()
        .expect("the program starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// So many replicas of which one is needed, each up for so long on average.
fn design(replicas: u32, up: &str, lasts: &str) -> String {
    format!(
        "fivenines: 1
run: {{horizon: 1y}}
services:
  app: {{replicas: {replicas}, faults: {{crash: {{every: {{exponential: {{mean: {up}}}}}, lasts: {lasts}}}}}}}
targets: [structural.availability >= 99.9999%, probability(structural.downtime > 20m) <= 1%]
"
    )
}

#[test]
fn a_nine_nines_design_is_known_at_once() {
    let source = design(3, "1000h", "{exponential: {mean: 1h}}");
    let found = json(&run("nines", &source, &["--replications", "8192"]));
    let estimate = &found["structural"]["availability"];
    let down = |end: &str| 1.0 - estimate[end].as_f64().unwrap();
    // U = (1/1001)^3.
    let exact = 1.0 / 1_001.0_f64.powi(3);
    let error = (down("low") - down("high")) / 2.0 / 1.96;
    assert!((down("value") - exact).abs() < 4.0 * error, "{estimate}");
    assert!(error < 0.05 * exact, "{estimate}");
    let forcing = &found["run"]["forcing"];
    assert!(forcing["hits"].as_u64().unwrap() > 1_000, "{forcing}");
    assert!(forcing["mean_weight_z"].as_f64().unwrap().abs() < 4.0);
    assert!(forcing["durations_z"].as_f64().unwrap().abs() < 4.0);
    // Of sixteen times as many histories the error is a quarter.
    let ratio = forcing["error_ratio"].as_f64().unwrap();
    assert!((0.15..0.45).contains(&ratio), "{ratio}");
    let rows = forcing["initiators"].as_array().unwrap();
    let sum = |of: &str| {
        rows.iter()
            .map(|row| row[of].as_f64().unwrap())
            .sum::<f64>()
    };
    assert_eq!(rows[0]["fault"], "app.crash", "{forcing}");
    assert_eq!(sum("branches"), forcing["branches"].as_f64().unwrap());
    assert_eq!(sum("hits"), forcing["hits"].as_f64().unwrap());
    assert!((sum("share") - 1.0).abs() < 1e-9, "{forcing}");
    // At least 30 % of the branches were forced, or their mean weight would say nothing.
    let share = forcing["forced"].as_f64().unwrap() / forcing["branches"].as_f64().unwrap();
    assert!(share > 0.3, "{forcing}");
    // Half of all outages that begin last longer than 20 min / ln 2 of the mean; both targets are met.
    for target in found["targets"].as_array().unwrap() {
        assert_eq!(target["verdict"], "met", "{target}");
    }
    let none = found["structural"]["downtime_s_per_year"]["none"]["value"]
        .as_f64()
        .unwrap();
    let any = 8_760.0 * 3.0 * exact;
    assert!(((1.0 - none) / any - 1.0).abs() < 0.15, "{none}");
}

#[test]
fn outages_that_are_common_are_waited_for() {
    let source = design(2, "10d", "{exponential: {mean: 12h}}");
    let found = json(&run("common", &source, &["--replications", "512"]));
    assert_eq!(found["run"]["forcing"], Value::Null);
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let source = design(3, "2000h", "{lognormal: {mean: 2h, sigma: 1}}");
    let with = |threads: &str| {
        let arguments = ["--replications", "3000", "--threads", threads];
        run(&format!("threads-{threads}"), &source, &arguments)
    };
    let one = with("1");
    assert_ne!(json(&one)["run"]["forcing"], Value::Null);
    assert!(one == with("2") && one == with("8"));
}

/// A pair whose failover fails once in ten thousand times, and a shock that hits all three replicas once in a
/// million: neither is worth waiting for.
const DEMANDS: &str = "
fivenines: 1
run: {horizon: 1y, method: none}
common_causes: {shock: {hits: [app.crash], every: {exponential: {mean: 5000h}}, chance: 1%}}
services:
  app:
    replicas: 3
    faults: {crash: {every: {exponential: {mean: 5000h}}, lasts: {exponential: {mean: 1h}}}}
    operations: {read: {takes: 1ms, calls: [{to: db.write}]}}
stores:
  db:
    members: 2
    failover: {generic: {detect: 0s, promote: 0s, coverage: 99.99%, on_failure: {takes: 30m}}}
    faults: {crash: {every: {exponential: {mean: 20000h}}, lasts: {exponential: {mean: 1h}}}}
    operations: {write: {takes: 1ms, from: leader}}
journeys: {read: {calls: [{to: app.read}]}}
";

#[test]
fn what_seldom_fails_on_demand_is_found_and_said() {
    let with = |threads: &str| {
        let arguments = ["--replications", "16384", "--threads", threads];
        run(&format!("demands-{threads}"), DEMANDS, &arguments)
    };
    let one = with("1");
    assert!(one == with("2"));
    let found = json(&one);
    let forcing = &found["run"]["forcing"];
    assert!(
        forcing["demands_raised"].as_u64().unwrap() > 1_000,
        "{forcing}"
    );
    assert!(forcing["mean_weight_z"].as_f64().unwrap().abs() < 4.0);
    let outages = &found["structural"]["outages_per_year"];
    let at = |end: &str| outages[end].as_f64().unwrap();
    // Uncovered, both members of the pair, all three replicas.
    let pair = 8_760.0 / 20_000.0 * (1e-4 + 2.0 / 20_000.0);
    let triple = 8_760.0 / 5_000.0 * 1e-6;
    let error = (at("high") - at("low")) / 2.0 / 1.96;
    assert!(error < 0.06 * at("value"), "{outages}");
    // The closed form leaves out what is of higher order.
    let z = (at("value") - pair - triple) / error.hypot(0.01 * pair);
    assert!(z.abs() < 3.5, "{outages}: {z}");
}

/// What no history meets: the loss of the only zone, once in a hundred thousand years. Branches of what begins by
/// itself knew nothing of it, and stated 1e-9 within 3 % where 6.7e-9 is true.
#[test]
fn a_zone_that_is_hardly_ever_lost_is_injected_and_said() {
    let source = "
fivenines: 1
run: {horizon: 1y, method: none}
domains: {x: {kind: zone, faults: {power: {every: {exponential: {mean: 100000y}}, lasts: {exponential: {mean: 5h}}}}}}
services: {app: {replicas: 3, across: [x], faults: {crash: {every: {exponential: {mean: 1000h}}, lasts: {exponential: {mean: 1h}}}}}}
";
    let with = |threads: &str| {
        let arguments = ["--replications", "16384", "--threads", threads];
        run(&format!("zone-{threads}"), source, &arguments)
    };
    let one = with("1");
    assert!(one == with("3"));
    let found = json(&one);
    let estimate = &found["structural"]["availability"];
    let down = |end: &str| 1.0 - estimate[end].as_f64().unwrap();
    let zone = 5.0 / (1e5 * 8_760.0 + 5.0);
    let exact = 1.0 - (1.0 - zone) * (1.0 - 1.0 / 1_001.0_f64.powi(3));
    let error = (down("low") - down("high")) / 2.0 / 1.96;
    assert!((down("value") - exact).abs() < 3.5 * error, "{estimate}");
    assert!(error < 0.01 * exact, "{estimate}");
    let forcing = &found["run"]["forcing"];
    let injected = &forcing["injected"];
    let branches = injected["branches"].as_u64().unwrap();
    assert!(branches > 16_000 && branches <= 16_384, "{injected}");
    assert_eq!(injected["hits"], injected["branches"]);
    assert_eq!(injected["mean_weight"], 1.0);
    assert!(forcing["mean_weight_z"].as_f64().unwrap().abs() < 4.0);
}

/// What nothing can force: everything fails by the clock.
#[test]
fn deterministic_lives_are_waited_for() {
    let source = "
fivenines: 1
run: {horizon: 1y}
services: {app: {replicas: 3, faults: {crash: {every: 40d, lasts: 1h}}}}
";
    let found = json(&run("clockwork", source, &["--replications", "512"]));
    assert_eq!(found["run"]["forcing"], Value::Null);
}

/// Components that are repaired independently of each other: the unavailability of anything made of them depends
/// on means only (product form), whatever the laws. 32 of them after A. Goyal and others, IEEE TC 41 (1992), with
/// repairs of their own: two pairs each of processors and controllers, six clusters of which three in four are needed.
#[test]
#[ignore = "long: CI runs it"]
fn of_laws_of_independent_parts_means_alone_matter() {
    let pair = |mean: f64| (1.0 / (mean + 1.0)).powi(2);
    let cluster = |mean: f64| {
        let down = 1.0 / (mean + 1.0);
        let up = 1.0 - down;
        1.0 - up.powi(4) - 4.0 * down * up.powi(3)
    };
    let exact = 1.0 - (1.0 - pair(2_000.0)).powi(4) * (1.0 - cluster(6_000.0)).powi(6);
    assert!((exact - 1.998_444e-6).abs() < 1e-12, "{exact}");
    for (name, every, lasts) in [
        ("exp-det", "{exponential: {mean: MEAN}}", "1h"),
        (
            "weibull-uniform",
            "{weibull: {shape: 0.7, mean: MEAN}}",
            "{uniform: {min: 0s, max: 2h}}",
        ),
        (
            "gamma-erlang",
            "{gamma: {shape: 2.5, mean: MEAN}}",
            "{erlang: {k: 3, mean: 1h}}",
        ),
        (
            "lognormal-exp",
            "{lognormal: {mean: MEAN, sigma: 1}}",
            "{exponential: {mean: 1h}}",
        ),
        (
            "weibull-lognormal",
            "{weibull: {shape: 1.5, mean: MEAN}}",
            "{lognormal: {mean: 1h, sigma: 1}}",
        ),
    ] {
        let service = |replicas: u32, needs: u32, mean: &str| {
            let every = every.replace("MEAN", mean);
            format!(
                "{{replicas: {replicas}, needs: {needs}, faults: {{crash: {{every: {every}, lasts: {lasts}}}}}}}"
            )
        };
        let pairs = (1..=4).map(|i| format!("  pair-{i}: {}\n", service(2, 1, "2000h")));
        let disks = (1..=6).map(|i| format!("  disks-{i}: {}\n", service(4, 3, "6000h")));
        let services: String = pairs.chain(disks).collect();
        let source =
            format!("fivenines: 1\nrun: {{horizon: 1y, method: none}}\nservices:\n{services}");
        let found = json(&run(name, &source, &["--replications", "32768"]));
        let estimate = &found["structural"]["availability"];
        let down = |end: &str| 1.0 - estimate[end].as_f64().unwrap();
        let error = (down("low") - down("high")) / 2.0 / 1.96;
        let z = (down("value") - exact) / error;
        assert!(z.abs() < 3.0, "{name}: {z}");
        assert!(error <= 0.01 * exact, "{name}: {error}");
        let forcing = &found["run"]["forcing"];
        let share = forcing["forced"].as_f64().unwrap() / forcing["branches"].as_f64().unwrap();
        assert!(
            share > 0.3 && forcing["mean_weight_z"].as_f64().unwrap().abs() < 4.0,
            "{forcing}"
        );
    }
}

/// Of requests, what is lost in outages that no history meets counts with its probability; both parts are stated,
/// add up to the figures, and so do the causes. One thread or two, the bytes are the same.
#[test]
fn requests_know_outages_that_no_history_has_met() {
    let source = std::fs::read_to_string("tests/oracles/rare-requests.yaml").expect("a file");
    // Seed 8 is one whose histories meet no outage.
    let arguments = ["--replications", "256", "--seed", "8", "--threads"];
    let of = |threads| run(threads, &source, &[&arguments[..], &[threads]].concat());
    let bytes = of("1");
    assert!(bytes == of("2"), "other bytes on two threads");
    let found = json(&bytes);
    let forcing = &found["run"]["forcing"];
    assert_eq!(forcing["natural_hits"], 0, "{forcing}");
    let value = |at: &str| found.pointer(at).and_then(Value::as_f64).expect(at);
    let exact = (4.0_f64 / 4_004.0).powi(2);
    let failing = 1.0 - value("/availability/request/value");
    let (low, high) = (
        value("/availability/request/low"),
        value("/availability/request/high"),
    );
    assert!(1.0 - high < exact && exact < 1.0 - low, "{failing}");
    assert!(high - low < 0.6 * exact, "{low} {high}");
    for (part, whole) in [
        ("failed_share", failing),
        (
            "downtime_s_per_year",
            value("/downtime_s_per_year/mean/value"),
        ),
    ] {
        let of = |kind: &str| value(&format!("/run/forcing/requests/{part}/{kind}/value"));
        assert!(
            (of("plain") + of("forced") - whole).abs() < 1e-6 * whole,
            "{part}"
        );
        assert!(of("forced") > 0.99 * whole, "{part}");
    }
    let causes = found["requests"]["failed_by_cause"]
        .as_object()
        .expect("causes");
    let sum: f64 = causes.values().filter_map(Value::as_f64).sum();
    let failed = value("/requests/failed");
    assert!(
        (sum - failed).abs() <= 1.0 && failed > 10_000.0,
        "{sum} {failed}"
    );
    let rows = found["causes"].as_array().expect("rows");
    let per_million: f64 = rows
        .iter()
        .filter_map(|row| row.pointer("/failed_per_million/value")?.as_f64())
        .sum();
    assert!((per_million - 1e6 * failing).abs() < 1e-6 * per_million);
}
