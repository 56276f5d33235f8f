//! Runs that are shared out, through the program: the parts put together are the run, to the byte, and what
//! does not belong together is refused.

use super::folder::{Folder, ended};
use fivenines::experiment::{Kind, Reader, ShardHeader, Writer};
use serde_json::Value;
use std::process::Command;

/// Outages are common.
const COMMON: &str = "
fivenines: 1
run: {horizon: 1y}
services: {app: {replicas: 2, faults: {crash: {every: {exponential: {mean: 10d}}, lasts: {exponential: {mean: 12h}}}}}}
targets: [structural.availability >= 99.7%]
";

/// Outages are forced.
const RARE: &str = "
fivenines: 1
run: {horizon: 1y}
services: {app: {replicas: 3, faults: {crash: {every: {exponential: {mean: 1000h}}, lasts: {exponential: {mean: 1h}}}}}}
targets: [structural.availability >= 99.9999%]
";

/// Outages are forced, failovers that fail are made likelier, and the loss of a zone is injected.
const RARE_IN_EVERY_WAY: &str = "
fivenines: 1
run: {horizon: 1y}
domains: {x: {kind: zone, faults: {power: {every: {weibull: {shape: 1.5, mean: 9000y}}, lasts: {exponential: {mean: 5h}}}}}}
services:
  app:
    replicas: 3
    across: [x]
    faults: {crash: {every: {exponential: {mean: 1000h}}, lasts: {exponential: {mean: 1h}}}}
    operations: {read: {takes: 1ms, calls: [{to: db.write}]}}
stores:
  db:
    members: 2
    failover: {generic: {detect: 0s, promote: 0s, coverage: 99.99%, on_failure: {takes: 30m}}}
    faults: {crash: {every: {exponential: {mean: 20000h}}, lasts: {exponential: {mean: 1h}}}}
    operations: {write: {takes: 1ms, from: leader}}
journeys: {read: {calls: [{to: app.read}]}}
targets: [structural.availability >= 99.9999%]
";

/// Outages are forced, and what is found that way cannot be believed.
const DISTRUSTED: &str = "
fivenines: 1
run: {horizon: 30d, seed: 388}
services:
  app: {replicas: 2, faults: {crash: {every: {weibull: {scale: 200h, shape: 0.4}}, lasts: {lognormal: {mean: 1h, sigma: 1}}}}}
  big: {replicas: 20, needs: 17, faults: {crash: {every: {exponential: {mean: 2000h}}, lasts: {exponential: {mean: 3h}}}}}
";

/// A site with requests: `HORIZON` and so on are put in.
const SITE: &str = "
fivenines: 1
run: {horizon: HORIZON}
services:
  app:
    replicas: 2
    workers: 2
    faults: {crash: {every: {exponential: {mean: UP}}, lasts: {exponential: {mean: DOWN}}}}
    operations: {read: {takes: {exponential: {mean: 50ms}}}}
balancers: {edge: {to: app, algorithm: least_conn, probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}}}
workload: {users: {arrive: {poisson: 1/s}, journeys: {app.read: 100%}, through: edge, patience: 1s}}
targets: [availability >= 90%, probability(downtime > LIMIT) <= 4%, latency.p99 <= 2s, availability over PERIOD >= 90%]
";

fn site(horizon: &str, up: &str, down: &str, limit: &str, period: &str) -> String {
    let rows = [
        ("HORIZON", horizon),
        ("UP", up),
        ("DOWN", down),
        ("LIMIT", limit),
        ("PERIOD", period),
    ];
    let put = |text: String, (word, value): (&str, &str)| text.replace(word, value);
    rows.into_iter().fold(SITE.to_owned(), put)
}

/// A result of a run, without all others.
#[track_caller]
fn json(folder: &Folder, name: &str) -> Value {
    serde_json::from_slice(&folder.bytes(name)).expect("JSON")
}

/// Runs `source` at once, and in 1, 2 and 3 parts whose files are named in any order.
#[track_caller]
fn check(source: &str, options: &str) -> Folder {
    let folder = Folder::with(&[("site.yaml", source)]);
    folder.runs(&format!("run site.yaml {options} --out whole"));
    let whole = folder.files("whole");
    for parts in 1..=3 {
        for part in 1..=parts {
            let threads = 1 + part % 2;
            folder.runs(&format!(
                "shard site.yaml {options} --part {part}/{parts} --threads {threads} --out {part}.fns"
            ));
        }
        let files = ["1.fns", "3.fns 1.fns 2.fns", "2.fns 1.fns"][[0, 0, 2, 1][parts]];
        folder.runs(&format!("merge site.yaml {files} --out merged"));
        assert!(folder.files("merged") == whole, "{parts} parts: {options}");
    }
    folder
}

#[test]
fn structure_in_parts_is_the_run_to_the_byte() {
    check(COMMON, "--replications 3000");
    check(COMMON, "--replications 4096 --seed 7");
}

#[test]
fn forced_outages_in_parts_are_the_run_to_the_byte() {
    let folder = check(RARE, "--replications 3000");
    assert_ne!(
        json(&folder, "whole/result.json")["run"]["forcing"],
        Value::Null
    );
    let folder = check(RARE_IN_EVERY_WAY, "--replications 3000");
    let forcing = &json(&folder, "whole/result.json")["run"]["forcing"];
    assert!(forcing["demands_raised"] != Value::Null && forcing["injected"] != Value::Null);
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_in_parts_are_the_run_to_the_byte() {
    let source = site("4d", "1d", "20m", "1h", "1d");
    let folder = check(&source, "--replications 2100 --method windows");
    let run = &json(&folder, "whole/result.json")["run"];
    assert_eq!(run["method"], "windows");
    assert!(run["simulated"]["windows"] != 0, "{run}");
}

#[test]
#[ignore = "long: CI runs it"]
fn every_request_in_parts_is_the_run_to_the_byte() {
    let source = site("10m", "5m", "30s", "1m", "1m");
    check(&source, "--replications 2500 --method exact");
    // Which the scenario chooses by itself, too.
    check(&source, "--replications 2500");
}

#[test]
fn what_follows_a_run_follows_its_parts() {
    let source = site("10m", "2m..6m", "30s", "1m", "1m");
    let folder = Folder::with(&[("site.yaml", &source)]);
    let options = "--replications 2100 --seed 5";
    folder.runs(&format!("run site.yaml {options} --break-even --out whole"));
    for part in 1..=2 {
        folder.runs(&format!(
            "shard site.yaml {options} --part {part}/2 --out {part}.fns"
        ));
    }
    folder.runs("merge site.yaml 1.fns 2.fns --break-even --out merged");
    assert!(folder.files("merged") == folder.files("whole"));
    let result = json(&folder, "merged/result.json");
    assert_ne!(result["targets"][0]["break_even"], Value::Array(Vec::new()));
    for name in ["inputs", "peak", "single_losses"] {
        assert_ne!(result[name], Value::Null, "{name}");
    }
}

/// The commands that a message names, one a line.
fn commands(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| line.starts_with("fivenines "));
    lines.map(str::to_owned).collect()
}

#[test]
fn what_cannot_be_believed_is_asked_for_again_without_forcing() {
    let folder = Folder::with(&[("site.yaml", DISTRUSTED)]);
    folder.runs("run site.yaml --replications 3000 --out whole");
    for part in 1..=2 {
        folder.runs(&format!(
            "shard site.yaml --replications 3000 --part {part}/2 --out {part}.fns"
        ));
    }
    let words = [
        "a few branches carry most of the weight",
        "3 blocks of 3 missing",
    ];
    let err = folder.refuses("merge site.yaml 1.fns 2.fns --out merged", 3, &words);
    assert!(!folder.has("merged"));
    let again = commands(&err);
    assert!(
        again.iter().all(|line| line.contains("--unforced")),
        "{err}"
    );
    let mut files = "1.fns 2.fns".to_owned();
    for line in &again {
        folder.runs(line);
        files += line.rsplit("--out").next().expect("a file");
    }
    folder.runs(&format!("merge site.yaml {files} --out merged"));
    assert!(folder.files("merged") == folder.files("whole"));
    // Why they were waited for is only known from those that were forced.
    let unforced = files.trim_start_matches("1.fns 2.fns");
    let words = ["3 blocks of 3", "`--unforced` only count beside"];
    folder.refuses(&format!("merge site.yaml {unforced}"), 3, &words);
}

#[test]
fn the_commands_of_a_plan_are_the_run() {
    let folder = Folder::with(&[("site.yaml", COMMON)]);
    folder.runs("run site.yaml --replications 4096 --seed 3 --out whole");
    let plan = folder.runs("plan site.yaml --replications 4096 --seed 3 --parts 3");
    assert!(
        plan.contains("part 3 of 3: blocks 3 to 4, 2,048 histories"),
        "{plan}"
    );
    let lines = commands(&plan);
    assert_eq!(lines.len(), 4, "{plan}");
    for line in &lines {
        folder.runs(line);
    }
    assert!(folder.files("reports/site") == folder.files("whole"));

    let plan = folder.runs("plan site.yaml --replications 4096 --seed 3 --parts 3 --json");
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    let parts = plan["parts"].as_array().expect("parts");
    let of_json: Vec<_> = parts.iter().map(|part| &part["command"]).collect();
    assert!(of_json.into_iter().eq(&lines[..3]) && plan["merge"] == lines[3]);
    assert_eq!(
        (&plan["blocks"], &plan["parts"][2]["replications"]),
        (&4.into(), &2048.into())
    );

    let few = folder.ends("plan site.yaml --replications 1500 --parts 5");
    assert!(
        few.err
            .contains("1,500 histories make 2 blocks, so there are 2 parts and not 5"),
        "{}",
        few.err
    );
    assert_eq!(commands(&few.out).len(), 3, "{}", few.out);
    let words = [
        "how many histories it has",
        "--replications N",
        "run: {replications: N}",
    ];
    folder.refuses("plan site.yaml --parts 5", 2, &words);
    folder.put(
        "own.yaml",
        COMMON
            .replace("horizon: 1y", "horizon: 1y, replications: 2000")
            .as_bytes(),
    );
    let plan = folder.runs("plan own.yaml --parts 2");
    assert!(plan.contains("--replications 2000 --part 2/2"), "{plan}");
}

#[test]
fn the_readme_shares_out_a_run() {
    let readme = include_str!("../../README.md");
    let section = readme
        .split("## On several machines")
        .nth(1)
        .expect("a section");
    let block = section
        .split("```sh\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let lines: Vec<String> = commands(block.expect("commands"))
        .into_iter()
        .map(|line| {
            line.split('#')
                .next()
                .expect("a command")
                .replace("--max-time 10m", "--max-time 1ms")
        })
        .collect();
    let [plan, shard, merge, run, resume] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    let folder = Folder::with(&[("site.yaml", COMMON)]);
    let planned = folder.runs(plan);
    assert!(
        planned.contains(shard.trim()) && planned.contains(merge.trim()),
        "{planned}"
    );
    for part in 1..=3 {
        let part = part.to_string();
        folder.runs(
            &shard
                .replace("2/3", &format!("{part}/3"))
                .replace("2of3", &format!("{part}of3")),
        );
    }
    folder.runs(merge);
    let merged = folder.files("reports/site");
    folder.runs(run);
    folder.runs(resume);
    assert!(folder.files("reports/site") == merged);
}

#[test]
fn what_is_missing_is_named_with_the_commands_that_make_it() {
    let folder = Folder::with(&[("site.yaml", COMMON)]);
    folder.runs("run site.yaml --replications 6000 --seed 9 --out whole");
    for part in [2, 4] {
        folder.runs(&format!(
            "shard site.yaml --replications 6000 --seed 9 --part {part}/4 --out {part}.fns"
        ));
    }
    let err = folder.refuses(
        "merge site.yaml 4.fns 2.fns --out merged",
        3,
        &["of 6 missing"],
    );
    assert!(!folder.has("merged"));
    let lines = commands(&err);
    assert!(
        lines[0].contains("--part 1/4") && lines[1].contains("--part 3/4"),
        "{err}"
    );
    let mut files = String::new();
    for line in &lines {
        folder.runs(line);
        files += line.rsplit("--out").next().expect("a file");
    }
    folder.runs(&format!("merge site.yaml 2.fns {files} 4.fns --out merged"));
    assert!(folder.files("merged") == folder.files("whole"));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let other = COMMON.replace("10d", "11d");
    let source = site("10m", "5m", "30s", "1m", "1m");
    let folder = Folder::with(&[
        ("site.yaml", COMMON),
        ("other.yaml", &other),
        ("requests.yaml", &source),
    ]);
    let shard = |file: &str, options: &str, out: &str| {
        folder.runs(&format!("shard {file} {options} --out {out}"));
    };
    shard("site.yaml", "--replications 3000 --part 1/2", "a.fns");
    shard("site.yaml", "--replications 3000 --part 2/2", "b.fns");
    shard(
        "site.yaml",
        "--replications 3000 --part 2/3",
        "overlaps.fns",
    );
    shard("site.yaml", "--replications 3001 --part 2/2", "longer.fns");
    shard(
        "site.yaml",
        "--replications 3000 --part 2/2 --seed 2",
        "seed.fns",
    );
    shard("other.yaml", "--replications 3000 --part 2/2", "other.fns");
    folder.pipe("pipe.fns");
    for (file, words) in [
        ("b.fns overlaps.fns", &["blocks in common"][..]),
        ("a.fns", &["blocks in common"]),
        (
            "longer.fns",
            &["longer.fns: its number of histories is 3001, and that of a.fns is 3000"],
        ),
        (
            "seed.fns",
            &["seed.fns: its seed is 2, and that of a.fns is 1"],
        ),
        (
            "other.fns",
            &[
                "other.fns: is a shard of another scenario",
                "site.yaml has hash",
            ],
        ),
        ("no.fns", &["no.fns: there is no such file"]),
        (".", &["is a directory"]),
        (
            "pipe.fns",
            &["pipe.fns: cannot be read: it is no plain file"],
        ),
        ("site.yaml", &["site.yaml: was not written by"]),
    ] {
        let line = format!("merge site.yaml a.fns {file} --out merged");
        folder.refuses(&line, 2, words);
    }
    shard(
        "requests.yaml",
        "--replications 1100 --part 1/2",
        "exact.fns",
    );
    shard(
        "requests.yaml",
        "--replications 1100 --part 2/2 --method none",
        "none.fns",
    );
    let line = "merge requests.yaml exact.fns none.fns --out merged";
    folder.refuses(
        line,
        2,
        &["its method is none, and that of exact.fns is exact"],
    );

    let whole = folder.bytes("b.fns");
    folder.put("cut.fns", &whole[..whole.len() / 2]);
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    folder.put("damaged.fns", &damaged);
    let mut newer = whole.clone();
    newer[8] = 9;
    folder.put("newer.fns", &newer);
    let mut reader = Reader::new(whole.as_slice(), Kind::Shard).expect("a shard");
    let header: ShardHeader = reader.frame().expect("a header");
    let version = ShardHeader {
        version: "0.0.9".into(),
        ..header
    };
    let mut writer = Writer::new(Vec::new(), Kind::Shard).expect("it writes");
    writer.frame(&version).expect("it writes");
    folder.put("version.fns", &writer.finish().expect("it writes"));
    for (file, words) in [
        ("cut.fns", "cut.fns: ends too early"),
        ("damaged.fns", "damaged.fns: is damaged"),
        (
            "newer.fns",
            "newer.fns: is in format 9 of a later fivenines",
        ),
        ("version.fns", "version.fns: was made by fivenines 0.0.9"),
    ] {
        let line = format!("merge site.yaml a.fns {file} --out merged");
        folder.refuses(&line, 2, &[words]);
    }
    assert!(!folder.has("merged"));
    folder.runs("merge site.yaml a.fns b.fns --out merged");
}

#[test]
fn a_part_that_cannot_be_is_refused() {
    let folder = Folder::with(&[("site.yaml", COMMON)]);
    for part in ["0/4", "5/4", "4", "a/b", "1/0"] {
        let line = format!("shard site.yaml --replications 9999 --part {part} --out x.fns");
        folder.refuses(&line, 2, &["from 1/4 to 4/4"]);
    }
    let words = ["3,000 histories make 3 blocks", "use at most 3 parts"];
    folder.refuses(
        "shard site.yaml --replications 3000 --part 1/4 --out x.fns",
        2,
        &words,
    );
    folder.refuses(
        "shard site.yaml --part 1/4 --out x.fns",
        2,
        &["--replications N"],
    );
    let line = "shard site.yaml --replications 3000 --part 1/3 --out no/x.fns";
    folder.refuses(line, 1, &["cannot write to no/x.fns"]);
    assert!(!folder.has("x.fns"));
}

#[cfg(unix)]
#[test]
fn a_part_that_is_interrupted_leaves_nothing() {
    let folder = Folder::with(&[("site.yaml", COMMON)]);
    let line = "shard site.yaml --replications 100000000 --part 1/1 --out x.fns";
    let child = folder.command(line).spawn().expect("it starts");
    std::thread::sleep(std::time::Duration::from_millis(400));
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.expect("kill is there").success());
    let found = ended(&child.wait_with_output().expect("it ends"));
    assert_eq!(found.code, 130, "{}", found.err);
    assert!(found.err.contains("so none was written"), "{}", found.err);
    assert!(folder.files(".").keys().eq(["site.yaml"]));
}

/// A part of a run may take the day that a run may.
#[test]
fn only_a_part_must_not_cost_too_much() {
    let folder = Folder::with(&[("site.yaml", RARE)]);
    let run = "site.yaml --replications 100000000000";
    folder.refuses(&format!("run {run} --out out"), 2, &["would take about"]);
    let plan = folder.runs(&format!("plan {run} --parts 10000 --json"));
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    assert!(plan["cpu_s"].as_f64() > Some(86_400.0), "{}", plan["cpu_s"]);
    folder.refuses(&format!("plan {run} --parts 2"), 2, &["would take about"]);
}
