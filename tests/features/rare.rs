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
