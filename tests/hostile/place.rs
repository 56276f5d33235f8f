//! A folder for a test, a scenario to put in it, and the program with limits.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Seconds of CPU after which a program that should only say something is stopped: far more than it needs.
pub(crate) const SOON: u32 = 10;

/// Two replicas behind a balancer; the parts that a test is about are put in.
pub(crate) struct Case {
    pub(crate) horizon: &'static str,
    pub(crate) service: String,
    pub(crate) every: &'static str,
    pub(crate) lasts: &'static str,
    pub(crate) probes: &'static str,
    pub(crate) workload: String,
    pub(crate) targets: &'static str,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            horizon: "1d",
            service: "replicas: 2, operations: {read: {takes: 20ms}}".into(),
            every: "{exponential: {mean: 10d}}",
            lasts: "10m",
            probes: "{interval: 2s, timeout: 1s, fall: 3, rise: 2}",
            workload: "arrive: {poisson: 50/s}, patience: 3s, journeys: {read: 100%}".into(),
            targets: "[]",
        }
    }
}

impl Case {
    pub(crate) fn text(&self) -> String {
        format!(
            "fivenines: 1\nrun: {{horizon: {}, replications: 64}}\nservices:\n  app: {{{}, faults: \
             {{crash: {{every: {}, lasts: {}}}}}}}\nbalancers: {{edge: {{to: app, probes: {}}}}}\n\
             workload: {{users: {{{}, through: edge}}}}\ntargets: {}\n",
            self.horizon,
            self.service,
            self.every,
            self.lasts,
            self.probes,
            self.workload,
            self.targets
        )
    }
}

/// A folder for one test, and the program in it.
pub(crate) struct Place(pub(crate) TempDir);

pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The program with limits on its CPU time and its address space.
    pub(crate) fn limited(&self, arguments: &[&str], cpu_s: u32, megabytes: u32) -> Command {
        let script = format!(
            "ulimit -t {cpu_s}; ulimit -v {}; exec \"$0\" \"$@\"",
            megabytes * 1024
        );
        let mut command = Command::new("sh");
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_fivenines")])
            .args(arguments)
            .current_dir(self.0.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    #[track_caller]
    pub(crate) fn ends(&self, arguments: &[&str]) -> Ended {
        let output = self.limited(arguments, 60, 2_048).output().unwrap();
        ended(&output)
    }

    /// Refused with `code` and `says`, soon, and nothing is left.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str], code: i32, says: &[&str]) {
        let before = self.names(".");
        let output = self.limited(arguments, SOON, 1_024).output().unwrap();
        let found = ended(&output);
        assert_eq!(
            (found.code, found.out.as_str()),
            (code, ""),
            "{}",
            found.err
        );
        for says in says {
            assert!(
                found.err.contains(says),
                "`{says}` is not in: {}",
                found.err
            );
        }
        // Whoever reads a number should not have to decode it.
        assert!(!found.err.contains("e0 "), "{}", found.err);
        assert_eq!(self.names("."), before);
    }

    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        names(&self.path(folder))
    }

    pub(crate) fn result(&self, folder: &str) -> Value {
        let text = std::fs::read(self.path(folder).join("result.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[track_caller]
pub(crate) fn ended(output: &Output) -> Ended {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let err = text(&output.stderr);
    assert!(!err.contains("panicked"), "{err}");
    Ended {
        code: output
            .status
            .code()
            .unwrap_or_else(|| panic!("killed: {err}")),
        out: text(&output.stdout),
        err,
    }
}

pub(crate) const FILES: [&str; 8] = [
    "availability.svg",
    "causes-downtime.svg",
    "causes-requests.svg",
    "downtime.svg",
    "latency.svg",
    "report.html",
    "result.json",
    "summary.md",
];
