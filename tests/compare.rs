//! `compare` as its users meet it: known differences, exactly nothing between copies, refusals,
//! exit codes, files.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[path = "compare/known.rs"]
mod known;
#[path = "compare/unlike.rs"]
mod unlike;

fn fivenines(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fivenines"))
        .args(arguments)
        .env_remove("NO_COLOR")
        .output()
        .expect("the program starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// A folder with scenarios, and a place for reports.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path.to_str().expect("plain").to_owned()
    }

    fn out(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Compares and reads `comparison.json` from standard output.
    fn compare(&self, arguments: &[&str]) -> (i32, Value) {
        let out = self.out("out");
        let mut all = vec![
            "compare",
            "--quiet",
            "--json",
            "--out",
            out.to_str().expect("plain"),
        ];
        all.extend(arguments);
        let output = fivenines(&all);
        let result = serde_json::from_slice(&output.stdout);
        let result = result.unwrap_or_else(|_| panic!("{arguments:?}: {}", err(&output)));
        (code(&output), result)
    }
}

fn number(value: &Value, at: &str) -> f64 {
    let found = value.pointer(at).unwrap_or_else(|| panic!("no {at}"));
    found.as_f64().unwrap_or_else(|| panic!("{at} is {found}"))
}

/// (value, low, high) of a difference of the first candidate.
fn difference(result: &Value, figure: &str) -> (f64, f64, f64) {
    let row = &result["figures"][figure]["differences"][0];
    (
        number(row, "/value"),
        number(row, "/low"),
        number(row, "/high"),
    )
}

/// Half the width of the interval that two separate runs would give.
fn separate(result: &Value, figure: &str) -> f64 {
    let half = |design: usize| {
        let value = &result["figures"][figure]["values"][design];
        (number(value, "/high") - number(value, "/low")) / 2.0
    };
    half(0).hypot(half(1))
}

const SITE: &str = "
fivenines: 1
name: Site
currency: EUR
run: {horizon: 30d, seed: 3}
services:
  app:
    replicas: 3
    workers: 4
    price: {per_month: 40}
    faults: {crash: {every: {exponential: {mean: 10d}}, lasts: 10m}}
    operations: {read: {takes: {exponential: {mean: 20ms}}, calls: [{to: db.query, timeout: 200ms, retries: {max: 1}}]}}
stores:
  db:
    members: 2
    price: {per_month: 100}
    failover: {lease: {ttl: 30s, loop_wait: 10s}}
    faults: {crash: {every: {exponential: {mean: 15d}}, lasts: 10m}}
    operations: {query: {takes: {exponential: {mean: 5ms}}, from: leader}}
balancers:
  edge: {to: app, probes: {interval: 2s, timeout: 1s, rise: 2, fall: 3}, price: {per_month: 20}}
workload:
  users: {arrive: {poisson: 20/s}, journeys: {read: 100%}, through: edge, patience: 2s}
targets: [availability >= 99%, latency.p99 <= 500ms]
";

const STRUCTURE: &str = "
fivenines: 1
run: {horizon: 1y, method: none, replications: 4096}
services:
  server: {replicas: 1, faults: {crash: {every: {exponential: {mean: 1000h}}, lasts: {exponential: {mean: 10h}}}}}
";

#[test]
fn a_known_difference_is_found_with_its_sign_and_size() {
    let folder = Folder::new();
    let (base, other) = (
        "tests/oracles/avail-29-quorum3.yaml",
        "tests/oracles/avail-29-quorum5.yaml",
    );
    // Unavailability of 2 of 3 and of 3 of 5, as in tests/oracles/cases.json.
    let truth = 1.193_623_923e-5 - 7.928_401_413e-8;
    let (code, result) = folder.compare(&[base, other, "--replications", "65536"]);
    assert_eq!(code, 0);
    let (value, low, high) = difference(&result, "structural.availability");
    assert!(low <= truth && truth <= high, "{low}..{high}, not {truth}");
    assert!((value / truth - 1.0).abs() < 0.06 && low > 0.0, "{value}");
    let (outages, low, high) = difference(&result, "structural.outages");
    let truth = 0.001_040_750_779 - 0.104_491_794_5;
    assert!(low <= truth && truth <= high, "{low}..{high}: {outages}");
    assert_eq!(result["designs"][1]["standing"], "better");
    let change = &result["designs"][1]["changes"][0];
    assert_eq!(change["path"], "stores.log.members");
    assert_eq!(
        (&change["before"], &change["after"]),
        (&Value::from("3"), &Value::from("5"))
    );
    // And the other way round.
    let (_, back) = folder.compare(&[other, base, "--replications", "65536"]);
    assert_eq!(difference(&back, "structural.availability").0, -value);
    assert_eq!(back["designs"][1]["standing"], "worse");
}

#[test]
fn a_shorter_repair_is_worth_what_theory_says_in_a_narrower_interval() {
    let folder = Folder::new();
    let base = folder.file("base.yaml", STRUCTURE);
    let short = folder.file("short.yaml", &STRUCTURE.replace("mean: 10h", "mean: 5h"));
    let (_, result) = folder.compare(&[&base, &short]);
    let truth = 1000.0 / 1005.0 - 1000.0 / 1010.0;
    let (value, low, high) = difference(&result, "structural.availability");
    assert!(low <= truth && truth <= high, "{low}..{high}, not {truth}");
    assert!((value / truth - 1.0).abs() < 0.03, "{value}");
    let half = (high - low) / 2.0;
    let apart = separate(&result, "structural.availability");
    assert!(half < 0.6 * apart, "{half} against {apart}");
    let correlation =
        &result["figures"]["structural.availability"]["differences"][0]["correlation"];
    assert!(correlation.as_f64().expect("a number") > 0.8);
    let (value, low, high) = difference(&result, "structural.outage_duration");
    assert!(low <= -18_000.0 && -18_000.0 <= high, "{value}");
}

/// The site for so little time that every request can be simulated.
fn short() -> String {
    SITE.replace("horizon: 30d", "horizon: 12h")
        .replace("mean: 10d", "mean: 4h")
        .replace("mean: 15d", "mean: 6h")
}

#[test]
fn two_copies_differ_by_exactly_nothing() {
    let folder = Folder::new();
    let one = folder.file("one.yaml", &short());
    let two = folder.file(
        "two.yaml",
        &short().replace("name: Site", "name: Copy # a comment"),
    );
    for method in ["none", "windows", "exact"] {
        let replications = if method == "none" { "512" } else { "4" };
        let (code, result) = folder.compare(&[
            &one,
            &two,
            "--method",
            method,
            "--replications",
            replications,
            "--fail-on",
            "regression",
        ]);
        assert!([0, 98].contains(&code), "{method} ends with {code}");
        assert_eq!(result["designs"][1]["standing"], "same");
        assert_eq!(result["designs"][1]["changes"], Value::Array(Vec::new()));
        let figures = result["figures"].as_object().expect("figures");
        for (name, figure) in figures {
            let d = &figure["differences"][0];
            if d.is_null() {
                continue;
            }
            for end in ["value", "low", "high"] {
                assert_eq!(d[end].as_f64(), Some(0.0), "{method} {name} {end}: {d}");
            }
        }
        for cause in result["causes"].as_array().expect("causes") {
            let d = &cause["structural_downtime_s_per_year"]["differences"][0];
            assert_eq!(
                (d["value"].as_f64(), d["high"].as_f64()),
                (Some(0.0), Some(0.0))
            );
        }
    }
}

/// A replica more takes nothing from the others: everything that both designs have does the same.
#[test]
fn a_replica_added_moves_no_draw_of_another_component() {
    let folder = Folder::new();
    let base = folder.file("base.yaml", SITE);
    let more = folder.file("more.yaml", &SITE.replace("replicas: 3", "replicas: 4"));
    let events = |file: &str, replication: &str| {
        let output = fivenines(&[
            "explain",
            file,
            "--replication",
            replication,
            "--limit",
            "100000",
        ]);
        assert_eq!(code(&output), 0, "{}", err(&output));
        let text = String::from_utf8(output.stdout).expect("text");
        // What is down, in brackets, and what balancers believe belong to the whole.
        text.lines()
            .map(|line| line.split('[').next().unwrap_or("").trim_end().to_owned())
            .filter(|line| line.contains("begins") || line.contains("ends"))
            .filter(|line| !line.contains("app-4"))
            .collect::<Vec<_>>()
    };
    for replication in ["0", "1", "7"] {
        let (one, two) = (events(&base, replication), events(&more, replication));
        assert!(!one.is_empty() && one == two, "{one:#?} {two:#?}");
    }
    let (_, result) = folder.compare(&[&base, &more, "--replications", "8"]);
    let requests = |design: usize| {
        let value = &result["figures"]["availability"]["values"][design];
        number(value, "/value")
    };
    assert!(requests(0) > 0.9 && requests(1) > 0.9);
    assert_eq!(number(&result, "/figures/cost/differences/0/value"), 40.0);
    assert_eq!(number(&result, "/figures/cost/values/0/value"), 340.0);
}

#[test]
#[ignore = "long: CI runs it"]
fn request_figures_are_narrower_than_two_runs() {
    let folder = Folder::new();
    let base = folder.file("base.yaml", &short());
    let slow = folder.file("slow.yaml", &short().replace("fall: 3", "fall: 6"));
    for method in ["exact", "windows"] {
        let (_, result) =
            folder.compare(&[&base, &slow, "--replications", "32", "--method", method]);
        for figure in [
            "latency.answered.p50",
            "latency.answered.p99",
            "availability",
        ] {
            let (value, low, high) = difference(&result, figure);
            let (half, apart) = ((high - low) / 2.0, separate(&result, figure));
            assert!(
                half < apart,
                "{method} {figure}: {half} against {apart}, {value}"
            );
        }
        assert!(difference(&result, "availability").0 < 0.0, "{method}");
        assert_eq!(
            difference(&result, "structural.availability"),
            (0.0, 0.0, 0.0)
        );
    }
}

#[test]
fn each_design_has_the_figures_of_its_own_run() {
    let folder = Folder::new();
    let base = folder.file("base.yaml", &short());
    let more = folder.file("more.yaml", &short().replace("replicas: 3", "replicas: 4"));
    let (_, result) = folder.compare(&[&base, &more, "--replications", "4", "--method", "exact"]);
    for (index, file) in [&base, &more].into_iter().enumerate() {
        let out = folder.out("run");
        let run = fivenines(&[
            "run",
            file,
            "--quiet",
            "--json",
            "--replications",
            "4",
            "--method",
            "exact",
            "--out",
            out.to_str().expect("plain"),
        ]);
        let run: Value = serde_json::from_slice(&run.stdout).expect("JSON");
        let values = |name: &str| result["figures"][name]["values"][index].clone();
        assert_eq!(values("availability"), run["availability"]["request"]);
        assert_eq!(
            values("structural.availability"),
            run["availability"]["structural"]
        );
        assert_eq!(values("latency.answered.p99"), run["latency_s"]["p99"]);
        assert_eq!(result["designs"][index]["cost"], run["cost"]);
    }
}

#[test]
fn a_regression_ends_with_97_but_missed_targets_come_first() {
    let folder = Folder::new();
    let base = folder.file("base.yaml", STRUCTURE);
    let long = folder.file("long.yaml", &STRUCTURE.replace("mean: 10h", "mean: 20h"));
    let (code, result) = folder.compare(&[&base, &long, "--fail-on", "structural.availability"]);
    assert_eq!(code, 97);
    assert_eq!(result["gate"], true);
    assert_eq!(result["watched"][0]["candidates"][0]["judgement"], "worse");
    // Better is no regression, and without a gate nothing fails.
    assert_eq!(
        folder.compare(&[&long, &base, "--fail-on", "regression"]).0,
        0
    );
    assert_eq!(folder.compare(&[&base, &long]).0, 0);
    // The same with targets: met by both, then missed.
    let with =
        |text: &str, bound: &str| format!("{text}targets: [structural.availability >= {bound}]\n");
    let long_text = STRUCTURE.replace("mean: 10h", "mean: 20h");
    for (bound, expected) in [("90%", 97), ("98.5%", 99)] {
        let base = folder.file("base.yaml", &with(STRUCTURE, bound));
        let long = folder.file("long.yaml", &with(&long_text, bound));
        assert_eq!(
            folder
                .compare(&[&base, &long, "--fail-on", "structural.availability"])
                .0,
            expected,
            "{bound}"
        );
    }
}

#[test]
fn unlike_designs_are_refused_where_they_are_unlike() {
    let folder = Folder::new();
    let base = folder.file("base.yaml", SITE);
    for (from, to, message, help) in [
        (
            "horizon: 30d",
            "horizon: 60d",
            "the horizon is 60 d, and that of the baseline is 30 d",
            "state the same `horizon`",
        ),
        (
            "availability >= 99%",
            "availability >= 98%",
            "the baseline has `availability >= 99%` instead",
            "copy the `targets`",
        ),
        (
            ", latency.p99 <= 500ms",
            "",
            "the target `latency.p99 <= 500ms` of the baseline is not here",
            "copy the `targets`",
        ),
        (
            "horizon: 30d",
            "horizon: 30d, bad_below: 50%",
            "a slice is bad below 50 %",
            "the same `bad_below`",
        ),
        (
            "horizon: 30d",
            "horizon: 30d, start: new",
            "histories start `new`",
            "the same `start`",
        ),
    ] {
        let other = folder.file("other.yaml", &SITE.replace(from, to));
        let out = folder.out("never");
        let output = fivenines(&[
            "compare",
            &base,
            &other,
            "--out",
            out.to_str().expect("plain"),
        ]);
        let said = err(&output);
        assert_eq!(code(&output), 2, "{said}");
        for part in [message, help, "other.yaml:"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!out.exists(), "nothing came to be in it");
    }
    let output = fivenines(&["compare", &base, &base, "--fail-on", "avalability"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("`avalability` is no metric of this comparison"));
    let output = fivenines(&["compare", &base]);
    assert_eq!(code(&output), 2);
}

#[test]
fn the_files_are_whole_and_the_same_on_any_number_of_threads() {
    let folder = Folder::new();
    let base = folder.file("base.yaml", SITE);
    let more = folder.file("more.yaml", &SITE.replace("replicas: 3", "replicas: 4"));
    let third = folder.file("third.yaml", &SITE.replace("members: 2", "members: 3"));
    let bytes = |threads: &str| {
        let out = folder.out(threads);
        let output = fivenines(&[
            "compare",
            &base,
            &more,
            &third,
            "--quiet",
            "--replications",
            "48",
            "--threads",
            threads,
            "--out",
            out.to_str().expect("plain"),
        ]);
        assert_eq!(code(&output), 0, "{}", err(&output));
        let read = |name: &str| std::fs::read(out.join(name)).expect(name);
        (
            read("comparison.json"),
            read("report.html"),
            read("summary.md"),
            read("differences-B.svg"),
        )
    };
    let one = bytes("1");
    assert!(one == bytes("2") && one == bytes("8"));
    let page = String::from_utf8(one.1).expect("text");
    assert!(!page.contains("src=\"http") && !page.contains("<link"));
}

#[test]
fn the_summary_fits_a_terminal_and_begins_with_the_verdict() {
    let folder = Folder::new();
    let base = folder.file("base.yaml", SITE);
    let more = folder.file("more.yaml", &SITE.replace("replicas: 3", "replicas: 4"));
    let out = folder.out("out");
    let output = fivenines(&[
        "compare",
        &base,
        &more,
        "--quiet",
        "--replications",
        "8",
        "--out",
        out.to_str().expect("plain"),
    ]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.lines().count() <= 24, "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    let first = text.lines().next().expect("a line");
    let verdicts = ["BETTER: ", "WORSE: ", "MIXED: ", "NO DIFFERENCE SEEN: "];
    assert!(
        verdicts.iter().any(|verdict| first.starts_with(verdict)),
        "{text}"
    );
    assert!(text.contains("~ app.replicas 3 -> 4"), "{text}");
}

#[test]
fn no_text_of_a_file_reaches_a_reader_unescaped() {
    let folder = Folder::new();
    let base = folder.file("base.yaml", STRUCTURE);
    let text = STRUCTURE.replace(
        "fivenines: 1",
        "fivenines: 1\nname: \"<script>alert(1)</script>\"\ndescription: x\n\
         domains: {a: {kind: \"</script><b>|`[x](y)\"}}",
    );
    let other = folder.file("other.yaml", &text);
    let out = folder.out("out");
    let output = fivenines(&[
        "compare",
        &base,
        &other,
        "--quiet",
        "--out",
        out.to_str().expect("plain"),
    ]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect(name);
    for name in ["report.html", "summary.md"] {
        let text = read(name);
        assert!(
            !text.contains("<script>alert") && !text.contains("<b>"),
            "{name}"
        );
    }
    assert!(!read("summary.md").contains("`[x](y)"));
}

#[cfg(unix)]
#[test]
fn an_interrupted_comparison_leaves_a_valid_part() {
    let folder = Folder::new();
    let base = folder.file("base.yaml", STRUCTURE);
    let long = folder.file("long.yaml", &STRUCTURE.replace("mean: 10h", "mean: 20h"));
    let out = folder.out("out");
    let child = Command::new(env!("CARGO_BIN_EXE_fivenines"))
        .args([
            "compare",
            &base,
            &long,
            "--replications",
            "500000000",
            "--quiet",
            "--out",
        ])
        .arg(&out)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.expect("kill is there").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(code(&output), 130, "{}", err(&output));
    let text = std::fs::read_to_string(out.join("comparison.json")).expect("a partial result");
    let result: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(result["run"]["complete"], false);
    assert!(number(&result, "/run/replications") > 0.0);
    assert!(difference(&result, "structural.availability").2 < 0.0);
}

#[test]
fn a_negative_price_is_a_mistake_at_its_place() {
    let folder = Folder::new();
    let file = folder.file(
        "site.yaml",
        &SITE.replace("per_month: 100", "per_month: -100"),
    );
    let output = fivenines(&["validate", &file]);
    let said = err(&output);
    assert_eq!(code(&output), 2, "{said}");
    assert!(said.contains("the price of `db` is negative"), "{said}");
    assert!(said.contains("price: {per_month: -100}"), "{said}");
}

#[test]
fn init_gives_a_scenario_that_runs_and_never_overwrites() {
    let folder = Folder::new();
    let path = folder.out("new.yaml");
    let file = path.to_str().expect("plain");
    assert_eq!(code(&fivenines(&["init", file])), 0);
    let text = std::fs::read_to_string(Path::new(file)).expect("it was written");
    assert!(
        text.contains("release: {every:"),
        "what fails most is in it"
    );
    let printed = fivenines(&["init"]);
    assert_eq!(String::from_utf8(printed.stdout).expect("text"), text);
    assert_eq!(fivenines(&["init", "-"]).stdout, text.as_bytes());
    let again = fivenines(&["init", file]);
    assert_eq!(code(&again), 2);
    assert!(err(&again).contains("exists already"), "{}", err(&again));
    assert_eq!(code(&fivenines(&["validate", file])), 0);
    let out = folder.out("out");
    let run = fivenines(&[
        "run",
        file,
        "--quiet",
        "--replications",
        "4",
        "--out",
        out.to_str().expect("plain"),
    ]);
    assert_eq!(code(&run), 0, "{}", err(&run));
}
