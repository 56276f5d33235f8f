//! Hostile and unlucky uses of the program, from end to end: each gets a clear message or a correct
//! result, soon, with little memory, and leaves whole files or none.

#[path = "hostile/files.rs"]
mod files;
#[path = "hostile/place.rs"]
mod place;

use place::{Case, FILES, Place, SOON, ended};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

#[test]
fn what_no_run_can_answer_is_refused_with_a_reason() {
    let place = Place::new();
    for (case, says) in [
        (
            Case {
                horizon: "1000000y",
                ..Case::default()
            },
            "`horizon` is longer than 500 years",
        ),
        (
            Case {
                workload: "arrive: {poisson: 1000000000/s}, patience: 3s, journeys: {read: 100%}"
                    .into(),
                horizon: "1y",
                ..Case::default()
            },
            "of CPU time",
        ),
        (
            Case {
                workload: "arrive: {poisson: 5/s}, think: 0s, journeys: {read: 100%}".into(),
                ..Case::default()
            },
            "unknown field `think`",
        ),
        (
            Case {
                every: "0s",
                ..Case::default()
            },
            "`every` must be longer than 0s",
        ),
        (
            Case {
                every: "1ns",
                lasts: "1ns",
                horizon: "10s",
                ..Case::default()
            },
            ".crash` alone happens about 500.0 million times a second",
        ),
        (
            Case {
                every: "1us",
                lasts: "1us",
                horizon: "1h",
                ..Case::default()
            },
            "longer times between faults",
        ),
        (
            Case {
                horizon: "1ms",
                ..Case::default()
            },
            "the horizon of 0.001 s is no whole number of slices of 10 s",
        ),
        (
            Case {
                horizon: "75s",
                ..Case::default()
            },
            "use a horizon of 70 s or 80 s",
        ),
        (
            Case {
                horizon: "1h, slice: 1d",
                ..Case::default()
            },
            "`slice` is longer than the horizon",
        ),
        (
            Case {
                workload: "arrive: {poisson: 1000/s}, journeys: {read: 100%}".into(),
                service: "workers: 1, operations: {read: {takes: 20ms}}".into(),
                ..Case::default()
            },
            "`app` is offered 2000 % of what it can do, and nothing bounds its queue",
        ),
        (
            Case {
                workload: "arrive: {poisson: 1000/s}, journeys: {read: 100%}".into(),
                service: "workers: 1, queue: 1000000, operations: {read: {takes: 20ms}}".into(),
                horizon: "1y",
                ..Case::default()
            },
            "state a `patience` for all users",
        ),
    ] {
        place.put("case.yaml", &case.text());
        place.refused(&["run", "case.yaml"], 2, &[says]);
    }
}

#[test]
fn thousands_of_journeys_are_refused_before_they_fill_the_memory() {
    let place = Place::new();
    let (mut operations, mut journeys) = (String::new(), String::new());
    for index in 0..2_000 {
        let _ = write!(operations, "r{index}: {{takes: 20ms}}, ");
        let _ = write!(journeys, "r{index}: 0.05%, ");
    }
    let case = Case {
        service: format!("operations: {{{operations}}}"),
        workload: format!("arrive: {{poisson: 5/s}}, patience: 3s, journeys: {{{journeys}}}"),
        ..Case::default()
    };
    place.put("case.yaml", &case.text());
    place.refused(&["run", "case.yaml"], 2, &["GB of memory", "2000 journeys"]);
}

#[test]
fn a_quorum_larger_than_its_store_is_refused() {
    let place = Place::new();
    place.put(
        "case.yaml",
        "fivenines: 1\nstores:\n  s: {members: 3, needs: 4, operations: {w: {takes: 5ms, from: quorum}}}\n",
    );
    place.refused(
        &["check", "case.yaml"],
        2,
        &[
            "`needs` is 4, but there are only 3",
            "the number of members",
        ],
    );
}

#[test]
fn extreme_but_possible_scenarios_are_answered() {
    let place = Place::new();
    let heavy = "{weibull: {shape: 0.05, mean: 30d}}";
    for case in [
        Case {
            every: heavy,
            ..Case::default()
        },
        Case {
            every: heavy,
            lasts: "0s",
            ..Case::default()
        },
        Case {
            lasts: heavy,
            ..Case::default()
        },
        Case {
            horizon: "500y",
            lasts: "400y",
            ..Case::default()
        },
        Case {
            lasts: "0s",
            ..Case::default()
        },
        Case {
            horizon: "10s",
            ..Case::default()
        },
        Case {
            probes: "{interval: 2s, fall: 1000, rise: 1000}",
            ..Case::default()
        },
        // Overload for ever, with patience and with a full queue.
        Case {
            horizon: "10m",
            service: "workers: 1, operations: {read: {takes: 20ms}}".into(),
            workload: "arrive: {poisson: 100/s}, patience: 3s, journeys: {read: 100%}".into(),
            ..Case::default()
        },
        Case {
            horizon: "10m",
            service: "workers: 1, queue: 100000, operations: {read: {takes: 20ms}}".into(),
            workload: "arrive: {poisson: 100/s}, patience: 3s, journeys: {read: 100%}".into(),
            ..Case::default()
        },
    ] {
        place.put("case.yaml", &case.text());
        let found = place.ends(&["run", "case.yaml", "--replications", "8", "--out", "out"]);
        assert_eq!(found.code, 0, "{}{}", case.text(), found.err);
        let lines: Vec<_> = found.out.lines().collect();
        assert!(lines.len() <= 24, "{}", found.out);
        for line in lines {
            assert!(line.chars().count() <= 80 && !line.contains('…'), "{line}");
        }
        let share = &place.result("out")["availability"]["request"]["value"];
        assert!((0.0..=1.0).contains(&share.as_f64().unwrap()), "{share}");
    }
}

#[test]
fn no_failure_seen_is_a_bound_and_never_certainty() {
    let place = Place::new();
    let case = Case {
        every: "{exponential: {mean: 1000000y}}",
        targets: "[availability >= 0%, availability >= 100%, probability(downtime > 1h) <= 100%]",
        ..Case::default()
    };
    place.put("case.yaml", &case.text());
    let found = place.ends(&["check", "case.yaml", "--json"]);
    assert_eq!(found.code, 98, "{}", found.err);
    let result: Value = serde_json::from_str(&found.out).unwrap();
    let share = &result["availability"]["request"];
    assert_eq!(share["value"], 1.0);
    assert!(share["low"].as_f64().unwrap() < 1.0, "{share}");
    let verdicts: Vec<_> = result["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["verdict"])
        .collect();
    assert_eq!(verdicts, ["met", "undecided", "met"]);
}

#[test]
fn names_like_mark_up_reach_no_page() {
    let place = Place::new();
    let text = Case::default().text().replace(
        "fivenines: 1\n",
        "fivenines: 1\nname: \"<script>alert(1)</script>' onload='x' & ]]> <!--\"\n\
         description: \"</script><img src=x onerror=alert(2)>\"\n\
         sources: [\"<b>bold</b>\", \"javascript:alert(3)\"]\n",
    );
    place.put("case.yaml", &text);
    let found = place.ends(&["run", "case.yaml", "--out", "out"]);
    assert_eq!(found.code, 0, "{}", found.err);
    for name in FILES.iter().filter(|name| **name != "result.json") {
        let page = std::fs::read_to_string(place.path("out").join(name)).unwrap();
        for bad in [
            "<script>alert",
            "<img src=x",
            "<b>bold",
            "href=\"javascript",
        ] {
            assert!(!page.contains(bad), "{bad} is in {name}");
        }
    }
    // What a terminal would obey is refused at the door.
    place.put(
        "escape.yaml",
        &Case::default()
            .text()
            .replace("fivenines: 1\n", "fivenines: 1\nname: \"a\\e[31m\\nb\"\n"),
    );
    place.refused(
        &["run", "escape.yaml"],
        2,
        &["characters that cannot be shown"],
    );
}

#[test]
fn a_directory_that_takes_no_files_is_refused_before_the_work() {
    let place = Place::new();
    place.put("case.yaml", &Case::default().text());
    place.refused(
        &["run", "case.yaml", "--out", "case.yaml/deep"],
        1,
        &[
            "cannot write to case.yaml/deep",
            "a file and not a directory",
        ],
    );
    if Path::new("/proc/self").exists() {
        place.refused(
            &["run", "case.yaml", "--out", "/proc/report"],
            1,
            &["cannot write to /proc/report"],
        );
    }
}

#[test]
fn a_full_disk_leaves_the_old_report_whole() {
    let place = Place::new();
    place.put("case.yaml", &Case::default().text());
    let run = ["run", "case.yaml", "--out", "out", "--quiet"];
    assert_eq!(place.ends(&run).code, 0);
    let before = std::fs::read(place.path("out/report.html")).unwrap();
    // Files larger than this cannot be written, as on a disk without room.
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_fivenines")])
        .args(run)
        .args(["--seed", "9"])
        .current_dir(place.0.path())
        .output()
        .unwrap();
    let found = ended(&output);
    assert_eq!(found.code, 1);
    assert!(
        found
            .err
            .contains("no space left; the files there are as before"),
        "{}",
        found.err
    );
    assert_eq!(place.names("out"), FILES);
    assert!(before == std::fs::read(place.path("out/report.html")).unwrap());
}

#[test]
fn a_reader_who_leaves_ends_nothing_but_the_reading() {
    let place = Place::new();
    place.put("case.yaml", &Case::default().text());
    let mut child = place
        .limited(&["run", "case.yaml", "--out", "out"], 60, 2_048)
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let found = ended(&child.wait_with_output().unwrap());
    assert_eq!(found.code, 0, "{}", found.err);
    assert_eq!(place.names("out"), FILES);
    // A history has no end worth computing when nobody reads it.
    let dense = Case {
        every: "1s",
        lasts: "1s",
        horizon: "400y",
        ..Case::default()
    };
    place.put("dense.yaml", &dense.text());
    let limit = u64::MAX.to_string();
    let arguments = [
        "explain",
        "dense.yaml",
        "--replication",
        "0",
        "--limit",
        &limit,
    ];
    let mut child = place.limited(&arguments, SOON, 1_024).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(ended(&child.wait_with_output().unwrap()).code, 0);
}

#[test]
fn explain_tells_a_history_or_why_not() {
    let place = Place::new();
    place.put(
        "case.yaml",
        &Case {
            horizon: "1y",
            ..Case::default()
        }
        .text(),
    );
    let found = place.ends(&["explain", "case.yaml", "--replication", "3"]);
    assert_eq!(found.code, 0, "{}", found.err);
    for says in [
        "app-1.crash begins",
        "edge-1 believes app-1 down",
        "app-1.crash ends",
        "believes app-1 up",
    ] {
        assert!(found.out.contains(says), "{}", found.out);
    }
    let again = place.ends(&["explain", "case.yaml", "--replication", "3"]);
    assert_eq!(found.out, again.out);
    let far = place.ends(&[
        "explain",
        "case.yaml",
        "--replication",
        &u64::MAX.to_string(),
    ]);
    assert!(far.code == 0 && far.out.contains("begins"), "{}", far.err);
    let after = place.ends(&[
        "explain",
        "case.yaml",
        "--replication",
        "3",
        "--from",
        "900y",
    ]);
    assert_eq!((after.code, after.out.as_str()), (0, ""));
    assert!(after.err.contains("nothing happens"), "{}", after.err);
    // Dense faults: what can be shown is shown, the rest is counted up to a limit.
    place.put(
        "dense.yaml",
        &Case {
            every: "1ms",
            lasts: "1ms",
            ..Case::default()
        }
        .text(),
    );
    let dense = place.ends(&[
        "explain",
        "dense.yaml",
        "--replication",
        "0",
        "--limit",
        "3",
    ]);
    assert_eq!(
        (dense.code, dense.out.lines().count()),
        (0, 3),
        "{}",
        dense.err
    );
    assert!(
        dense.err.contains("go on with a larger `--limit`"),
        "{}",
        dense.err
    );
    place.put(
        "denser.yaml",
        &Case {
            every: "1us",
            lasts: "1us",
            ..Case::default()
        }
        .text(),
    );
    place.refused(
        &["explain", "denser.yaml", "--replication", "0"],
        2,
        &["alone happens"],
    );
}

#[test]
fn negative_numbers_are_wrong_values_and_not_unknown_flags() {
    let place = Place::new();
    place.put("case.yaml", &Case::default().text());
    place.refused(
        &["run", "case.yaml", "--seed", "-1"],
        2,
        &["invalid value '-1' for '--seed <N>'"],
    );
}
