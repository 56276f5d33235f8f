//! Traces of arrivals: what is read, what is refused, and that only files beside the scenario are.

use fivenines::scenario::{self, Loaded, load_with};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn scenario(arrive: &str, horizon: &str) -> String {
    format!(
        "fivenines: 1
run: {{horizon: {horizon}}}
services: {{app: {{operations: {{read: {{takes: 10ms}}}}}}}}
balancers: {{edge: {{to: app}}}}
workload: {{users: {{arrive: {{trace: {arrive}}}, journeys: {{read: 100%}}, through: edge, patience: 1s}}}}
"
    )
}

fn with(arrive: &str, horizon: &str, csv: &str) -> Result<Loaded, String> {
    let files = |name: &str| match name {
        "arrivals.csv" => Ok(csv.as_bytes().to_vec()),
        other => Err(format!("{other} is not asked for")),
    };
    load_with(scenario(arrive, horizon).as_bytes(), "test.yaml", &files)
        .map_err(|problems| problems.render(false))
}

#[track_caller]
fn refused(arrive: &str, horizon: &str, csv: &str, message: &str) {
    let text = with(arrive, horizon, csv).expect_err("this is refused");
    assert!(text.contains(message), "{text}");
}

const HOURS: &str = "time,per_hour\n0,3600\n3600,0\n7200,10800\n10800,0\n";

#[test]
fn a_trace_is_part_of_what_the_scenario_means() {
    let whole = with("{file: arrivals.csv, repeat: 4h}", "1d", HOURS).expect("a trace");
    let users = whole.system.workloads.iter().next().expect("one");
    assert!((users.rate - 1.0).abs() < 1e-12);
    assert!((users.rate_max() - 3.0).abs() < 1e-12);
    let other = HOURS.replace("10800\n1", "10801\n1");
    let other = with("{file: arrivals.csv, repeat: 4h}", "1d", &other).expect("a trace");
    assert_ne!(whole.hash, other.hash);
    // What comes after the horizon is not part of it.
    let short = with("{file: arrivals.csv}", "3h", HOURS).expect("a trace");
    let users = short.system.workloads.iter().next().expect("one");
    assert!((users.rate - 4.0 / 3.0).abs() < 1e-12);
}

#[test]
fn what_is_wrong_with_a_trace_is_said_with_its_line() {
    let beside = "{file: arrivals.csv}";
    refused(
        beside,
        "4h",
        &HOURS.replace("\n7200", "\n1800"),
        "`arrivals.csv`, line 4: this line has an earlier time",
    );
    refused(
        beside,
        "4h",
        &HOURS.replace("7200,10800\n", ""),
        "line 4: a gap: 7200 s since",
    );
    refused(
        beside,
        "4h",
        &HOURS.replace("10800\n1", "-5\n1"),
        "line 4: `-5` is negative",
    );
    refused(
        beside,
        "4h",
        &HOURS.replace("10800\n1", "lots\n1"),
        "line 4: `lots` is no number",
    );
    refused(beside, "4h", "", "the file is empty");
    refused(
        beside,
        "4h",
        &HOURS.replace("10800\n1", "0\n1").replace("3600\n3", "0\n3"),
        "nothing comes in this trace",
    );
    refused(
        beside,
        "5h",
        HOURS,
        "the trace ends after 14400 s, and the horizon has 18000 s",
    );
    refused(
        "{file: arrivals.csv, repeat: 5h}",
        "1d",
        HOURS,
        "the trace lasts 14400 s (4 intervals of 3600 s), not 18000 s",
    );
    refused(
        "{file: other.csv}",
        "4h",
        HOURS,
        "other.csv is not asked for",
    );
    let long = "x".repeat(scenario::NAMED_FILE_BYTES + 1);
    refused(beside, "4h", &long, "is larger than 32 MiB");
}

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("inside")).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    fn validate(&self, scenario: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fivenines"));
        command.arg("validate").arg(self.0.join(scenario));
        command.output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn only_plain_files_in_the_folder_of_the_scenario_are_read() {
    let folder = Folder::new("traces");
    let mut csv = String::from("time,per_minute\n");
    for minute in 0..60 {
        let _ = writeln!(csv, "{},{}", minute * 60, minute);
    }
    folder.write("outside.csv", &csv);
    folder.write("inside/arrivals.csv", &csv);
    let told = |file: &str| {
        let text = scenario(&format!("{{file: {file}}}"), "1h");
        folder.write("inside/site.yaml", &text);
        let output = folder.validate("inside/site.yaml");
        let text = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), text)
    };
    let (code, text) = told("arrivals.csv");
    assert_eq!(code, 0, "{text}");
    for (file, why) in [
        ("../outside.csv", "leads out of the folder"),
        ("missing.csv", "there is no such file"),
        ("/dev/zero", "only files in the folder"),
    ] {
        let (code, text) = told(file);
        assert!(code == 2 && text.contains(why), "{text}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../outside.csv", folder.0.join("inside/link.csv")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.0.join("inside/endless.csv")).unwrap();
        std::os::unix::fs::symlink("arrivals.csv", folder.0.join("inside/same.csv")).unwrap();
        std::fs::create_dir(folder.0.join("inside/folder.csv")).unwrap();
        for (file, why) in [
            ("link.csv", "a link leads out of the folder"),
            ("endless.csv", "a link leads out of the folder"),
            ("folder.csv", "is no plain file"),
        ] {
            let (code, text) = told(file);
            assert!(code == 2 && text.contains(why), "{text}");
        }
        assert_eq!(told("same.csv").0, 0);
    }
}
