//! What a run leaves behind: files, verdicts, partial results, and what repeats it.

use crate::place::{Case, FILES, Place, ended, names};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The names of `result.json` that are promised to stay.
const NAMES: [(&str, &[&str]); 10] = [
    (
        "",
        &[
            "format",
            "scenario",
            "run",
            "availability",
            "downtime_s_per_year",
            "outages",
            "requests",
            "latency_s",
            "structural",
            "services",
            "causes",
            "targets",
        ],
    ),
    ("/scenario", &["name", "hash"]),
    (
        "/run",
        &[
            "seed",
            "replications",
            "horizon_s",
            "method",
            "engine",
            "complete",
        ],
    ),
    ("/availability", &["request", "full", "time", "structural"]),
    (
        "/downtime_s_per_year",
        &["mean", "p50", "p90", "p99", "none"],
    ),
    ("/outages", &["per_year", "duration_s", "mtbf_s", "mttr_s"]),
    (
        "/requests",
        &[
            "issued",
            "good",
            "degraded",
            "failed",
            "in_flight",
            "failed_by_cause",
        ],
    ),
    (
        "/latency_s",
        &["mean", "p50", "p90", "p95", "p99", "p999", "largest_seen"],
    ),
    (
        "/structural",
        &[
            "availability",
            "downtime_s_per_year",
            "outages_per_year",
            "mtbf_s",
            "mttr_s",
        ],
    ),
    (
        "/availability/request",
        &["value", "low", "high", "confidence", "n"],
    ),
];

#[test]
fn a_run_writes_whole_files_with_the_stable_names() {
    let place = Place::new();
    let case = Case {
        targets: "[availability >= 90%]",
        ..Case::default()
    };
    place.put("case.yaml", &case.text());
    let found = place.ends(&["run", "case.yaml"]);
    assert_eq!(
        (found.code, place.names("reports/case")),
        (0, FILES.map(str::to_owned).to_vec())
    );
    assert!(found.out.starts_with("MET"), "{}", found.out);
    let result = place.result("reports/case");
    for (at, names) in NAMES {
        for name in names {
            let path = format!("{at}/{name}");
            assert!(result.pointer(&path).is_some(), "{path} is missing");
        }
    }
    assert_eq!(result["run"]["complete"], true);
    assert_eq!(result["targets"][0]["expression"], "availability >= 90%");
    assert_eq!(result["targets"][0]["verdict"], "met");
    assert!(result["services"]["app"].is_object());
    let count = |name: &str| result["requests"][name].as_f64().unwrap();
    let parts = count("good") + count("degraded") + count("failed") + count("in_flight");
    assert!(
        (parts - count("issued")).abs() <= 1e-6 * parts,
        "{}",
        result["requests"]
    );
    let read = |name: &str| std::fs::read_to_string(place.path("reports/case").join(name)).unwrap();
    assert!(read("report.html").trim_end().ends_with("</html>"));
    for name in FILES.iter().filter(|name| name.ends_with(".svg")) {
        assert!(read(name).trim_end().ends_with("</svg>"), "{name}");
    }
    assert!(read("summary.md").contains("availability"));
    // The data on standard output are the file's.
    let json = place.ends(&["run", "case.yaml", "--json", "--threads", "3"]);
    assert_eq!(json.out, read("result.json"));
}

#[test]
fn check_ends_with_the_worst_verdict() {
    let place = Place::new();
    for (targets, code) in [
        ("[availability >= 50%]", 0),
        ("[availability >= 50%, latency.p50 <= 1us]", 99),
        (
            "[availability >= 50%, probability(downtime > 30d) <= 0%]",
            98,
        ),
        ("[]", 2),
    ] {
        let case = Case {
            targets,
            every: "1d",
            ..Case::default()
        };
        place.put("case.yaml", &case.text());
        let found = place.ends(&["check", "case.yaml"]);
        assert_eq!(found.code, code, "{targets}: {}{}", found.out, found.err);
        assert_eq!(place.names("."), ["case.yaml"]);
    }
    // Both replicas are down together for a quarter of the time.
    place.put(
        "case.yaml",
        &Case {
            every: "{exponential: {mean: 1h}}",
            lasts: "{exponential: {mean: 1h}}",
            targets: "[latency.p50 <= 1m, availability >= 99%]",
            ..Case::default()
        }
        .text(),
    );
    let found = place.ends(&["check", "case.yaml", "--json"]);
    assert_eq!(found.code, 99, "{}", found.err);
    let result: Value = serde_json::from_str(&found.out).unwrap();
    let verdicts = ["/targets/0/verdict", "/targets/1/verdict"].map(|at| result.pointer(at));
    assert_eq!(verdicts, [Some(&"met".into()), Some(&"missed".into())]);
}

/// Few requests, so that a block of histories takes no time.
fn rare() -> String {
    "arrive: {poisson: 1/s}, patience: 3s, journeys: {read: 100%}".into()
}

#[test]
fn an_interrupted_run_leaves_a_valid_partial_result() {
    let place = Place::new();
    place.put(
        "case.yaml",
        &Case {
            horizon: "30d",
            workload: rare(),
            ..Case::default()
        }
        .text(),
    );
    let arguments = [
        "run",
        "case.yaml",
        "--replications",
        "10000000",
        "--out",
        "out",
    ];
    let child = place.limited(&arguments, 60, 2_048).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3));
    let killed = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status();
    assert!(killed.unwrap().success());
    let found = ended(&child.wait_with_output().unwrap());
    assert_eq!(found.code, 130, "{}", found.err);
    assert!(found.err.contains("interrupted"), "{}", found.err);
    let mut names = place.names("out");
    assert!(names.contains(&"resume.fns".to_owned()), "{names:?}");
    names.retain(|name| name != "resume.fns");
    assert_eq!(names, FILES);
    let result = place.result("out");
    assert_eq!(result["run"]["complete"], false);
    let replications = result["run"]["replications"].as_u64().unwrap();
    assert!((1..10_000_000).contains(&replications), "{replications}");
}

#[test]
fn a_run_out_of_time_says_how_to_repeat_it_to_the_byte() {
    let place = Place::new();
    let case = Case {
        targets: "[availability >= 99.9%]",
        horizon: "30d",
        workload: rare(),
        ..Case::default()
    };
    place.put("case.yaml", &case.text());
    let found = place.ends(&[
        "run",
        "case.yaml",
        "--replications",
        "10000000",
        "--max-time",
        "300ms",
        "--json",
        "--out",
        "a",
    ]);
    assert_eq!(found.code, 0, "{}", found.err);
    let note = found
        .err
        .split("`--replications ")
        .nth(1)
        .expect(&found.err);
    let replications = note.split('`').next().unwrap();
    let (replications, method) = replications.split_once(" --method ").unwrap();
    let again = place.ends(&[
        "run",
        "case.yaml",
        "--replications",
        replications,
        "--method",
        method,
        "--json",
        "--out",
        "b",
    ]);
    assert!(
        found.out == again.out,
        "a run of {replications} histories differs from its repetition"
    );
}

#[test]
fn the_scenario_of_the_readme_is_right() {
    let place = Place::new();
    let readme = include_str!("../../README.md");
    let scenario = readme
        .split("```yaml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    assert!(scenario.lines().count() <= 10);
    place.put("ten.yaml", scenario);
    assert_eq!(place.ends(&["validate", "ten.yaml"]).code, 0);
    let found = place.ends(&["check", "ten.yaml", "--replications", "32"]);
    assert_eq!(found.code, 0, "{}{}", found.out, found.err);
}

#[test]
fn every_scenario_of_the_repository_is_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files: Vec<_> = names(&folder)
        .into_iter()
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    assert!(files.len() >= 3);
    let paths: Vec<_> = files.iter().map(|name| folder.join(name)).collect();
    let mut arguments = vec!["validate"];
    arguments.extend(paths.iter().map(|path| path.to_str().unwrap()));
    let found = Place::new().ends(&arguments);
    assert_eq!(found.code, 0, "{}", found.err);
    for name in files {
        assert!(found.out.contains(&format!("{name}: ok")), "{}", found.out);
    }
}
