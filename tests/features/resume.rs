//! Runs that were ended early and go on: what they say in the end is what they would have said without a
//! pause, to the byte.

use super::folder::{Folder, ended};
use super::library::{Silent, load, replications};
use fivenines::experiment::{
    Checkpoint, CheckpointHeader, Kind, Options, Reader, RunError, Watch, Writer, run_from,
};
use fivenines::model::Method;
use fivenines::report;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

/// Ends a run after so many steps.
struct After {
    steps: AtomicU64,
    most: u64,
}

impl Watch for After {
    fn progress(&self, _done: u64, _total: u64) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }
    fn stop(&self) -> bool {
        self.steps.load(Ordering::Relaxed) > self.most
    }
}

/// Ends a run at the first border of a block after so many steps.
struct EnoughAfter(After);

impl Watch for EnoughAfter {
    fn progress(&self, done: u64, total: u64) {
        self.0.progress(done, total);
    }
    fn stop(&self) -> bool {
        false
    }
    fn enough(&self) -> bool {
        self.0.stop()
    }
}

fn after(most: u64) -> After {
    let steps = AtomicU64::new(0);
    After { steps, most }
}

/// What comes back from a file.
fn stored(checkpoint: &Checkpoint) -> Checkpoint {
    let mut writer = Writer::new(Vec::new(), Kind::Checkpoint).expect("it writes");
    writer.frame(checkpoint).expect("it writes");
    let bytes = writer.finish().expect("it writes");
    let mut reader = Reader::new(bytes.as_slice(), Kind::Checkpoint).expect("a checkpoint");
    reader.frame().expect("it reads")
}

/// Ends the run after each of some steps, and lets it go on; returns how many histories there were then.
#[track_caller]
fn check(source: &str, options: &Options, steps: &[u64]) -> Vec<u64> {
    let loaded = load(source);
    let run =
        |from, watch: &dyn Watch| run_from(&loaded.system, &loaded.hash, options, from, watch);
    let (whole, _) = run(None, &Silent).expect("it runs");
    let files = report::files(&whole);
    let mut paused = Vec::new();
    let mut watches: Vec<Box<dyn Watch>> = Vec::new();
    for &most in steps {
        watches.push(Box::new(after(most)));
        watches.push(Box::new(EnoughAfter(after(most))));
    }
    for watch in watches {
        let (part, checkpoint) = match run(None, &*watch) {
            Ok(found) => found,
            Err(RunError::Interrupted) => continue,
            Err(error) => panic!("{error}"),
        };
        let at = checkpoint.histories();
        if !part.run.complete {
            assert!(report::files(&part) != files);
            paused.push(at);
        }
        let (resumed, end) = run(Some(stored(&checkpoint)), &Silent).expect("it goes on");
        assert!(report::files(&resumed) == files, "after {at} histories");
        assert_eq!(end.histories(), whole.run.replications);
    }
    let first = paused.iter().any(|&at| at % 1_024 != 0 && at < 1_024);
    let later = paused.iter().any(|&at| at >= 1_024);
    assert!(first && later, "ended after {paused:?}");
    paused
}

const COMMON: &str = "
fivenines: 1
run: {horizon: 1y}
services: {app: {faults: {crash: {every: {exponential: {mean: 10d}}, lasts: {exponential: {mean: 1h}}}}}}
targets: [structural.availability >= 99.583%]
";

const SITE: &str = "
fivenines: 1
run: {horizon: 10m}
services:
  app:
    replicas: 2
    workers: 2
    faults: {crash: {every: {exponential: {mean: 5m}}, lasts: {exponential: {mean: 30s}}}}
    operations: {read: {takes: {exponential: {mean: 50ms}}}}
balancers: {edge: {to: app, algorithm: least_conn, probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}}}
workload: {users: {arrive: {poisson: 1/s}, journeys: {app.read: 100%}, through: edge, patience: 1s}}
targets: [availability >= 90%, probability(downtime > 1m) <= 4%]
";

#[test]
fn structure_goes_on_wherever_it_was_ended() {
    check(COMMON, &replications(5_000), &[5, 20, 40, 70, 100, 150]);
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_go_on_wherever_they_were_ended() {
    let source = SITE
        .replace("10m}", "1d}")
        .replace("5m", "8h")
        .replace("30s", "10m");
    let options = Options {
        method: Some(Method::Windows),
        ..replications(2_100)
    };
    check(&source, &options, &[10, 50, 68]);
}

#[test]
#[ignore = "long: CI runs it"]
fn every_request_goes_on_wherever_it_was_ended() {
    let options = Options {
        method: Some(Method::Exact),
        ..replications(3_000)
    };
    check(SITE, &options, &[10, 20, 50, 70, 90]);
}

/// The target is decided by 16 blocks at the fifth look. By fewer blocks at an early look, which may spend
/// more of the error, it would be too.
#[test]
fn looks_that_were_taken_are_not_taken_again() {
    let paused = check(COMMON, &Options::default(), &[10, 60, 200, 400, 500]);
    let late = paused.iter().any(|at| (9 * 1_024..16 * 1_024).contains(at));
    assert!(late, "ended after {paused:?}");
}

/// In 3,000 histories of which few branches carry everything: ended while outages are forced, and while they
/// are waited for instead.
#[test]
fn a_run_that_has_given_up_forcing_remembers_it() {
    let source = "
fivenines: 1
run: {horizon: 30d, seed: 388}
services:
  app: {replicas: 2, faults: {crash: {every: {weibull: {scale: 200h, shape: 0.4}}, lasts: {lognormal: {mean: 1h, sigma: 1}}}}}
  big: {replicas: 20, needs: 17, faults: {crash: {every: {exponential: {mean: 2000h}}, lasts: {exponential: {mean: 3h}}}}}
";
    check(source, &replications(3_000), &[10, 50, 120, 150, 180]);
}

const LONG: &str = "run site.yaml --replications 6000 --seed 4 --break-even";

/// A run of the program that its budget of time has ended at the first border of a block.
fn out_of_time() -> Folder {
    let source = SITE.replace("mean: 30s", "mean: 20s..40s");
    let folder = Folder::with(&[("site.yaml", &source)]);
    let ended = folder.ends(&format!("{LONG} --max-time 1ms --out part"));
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(
        ended
            .err
            .contains("`fivenines run --resume part` goes on from there"),
        "{}",
        ended.err
    );
    assert!(folder.has("part/resume.fns") && folder.has("part/report.html"));
    folder
}

#[test]
fn a_run_out_of_time_goes_on_and_is_the_run_to_the_byte() {
    let folder = out_of_time();
    let out = folder.runs(&format!("{LONG} --json --out whole"));
    assert!(!folder.has("whole/resume.fns"));
    let ended = folder.ends("run --resume part --max-time 1ms");
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(folder.has("part/resume.fns"), "{}", ended.err);
    assert!(folder.runs("run --resume part --json") == out);
    assert!(folder.files("part") == folder.files("whole"));
    folder.refuses(
        "run --resume part",
        2,
        &["part/resume.fns: there is no such file"],
    );
}

#[test]
fn another_run_is_not_gone_on_with() {
    let folder = out_of_time();
    folder.put("other.yaml", SITE.as_bytes());
    for (line, words) in [
        ("run other.yaml --resume part", "is of another scenario"),
        (
            "run --resume part --seed 5",
            "its seed is 4, and `--seed 5` is asked for",
        ),
        (
            "run --resume part --replications 3001",
            "it has 6,000 histories",
        ),
        (
            "run --resume part --method none",
            "its method is left to the scenario",
        ),
        ("check --resume part", "`fivenines run --resume DIR`"),
        (
            "run --resume nowhere",
            "nowhere/resume.fns: there is no such file",
        ),
        ("run --resume part --out else", "cannot be used with"),
        (
            "merge site.yaml part/resume.fns",
            "is the checkpoint of a run",
        ),
    ] {
        folder.refuses(line, 2, &[words]);
    }
    let whole = folder.bytes("part/resume.fns");
    let mut reader = Reader::new(whole.as_slice(), Kind::Checkpoint).expect("a checkpoint");
    let header: CheckpointHeader = reader.frame().expect("a header");
    let mut writer = Writer::new(Vec::new(), Kind::Checkpoint).expect("it writes");
    let version = "0.0.9".into();
    writer
        .frame(&CheckpointHeader { version, ..header })
        .expect("it writes");
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    for (bytes, words) in [
        (&whole[..whole.len() / 2], "ends too early"),
        (&damaged, "is damaged"),
        (b"fivenines: 1\n", "was not written by"),
        (
            &writer.finish().expect("it writes"),
            "was left by fivenines 0.0.9",
        ),
    ] {
        folder.put("part/resume.fns", bytes);
        folder.refuses("run --resume part", 2, &[words]);
    }
    std::fs::remove_file(folder.path("part/resume.fns")).expect("it is removed");
    folder.pipe("part/resume.fns");
    folder.refuses("run --resume part", 2, &["it is no plain file"]);
    std::fs::remove_file(folder.path("part/resume.fns")).expect("it is removed");
    folder.put("part/resume.fns", &whole);
    std::fs::rename(folder.path("site.yaml"), folder.path("moved.yaml")).expect("it moves");
    folder.refuses(
        "run --resume part",
        2,
        &["site.yaml: there is no such file", "FILE --resume DIR"],
    );
    folder.runs("run moved.yaml --resume part --seed 4 --replications 6000");
}

#[test]
fn a_check_goes_on_as_a_check() {
    let folder = Folder::with(&[("site.yaml", COMMON)]);
    let ended = folder.ends("check site.yaml --replications 100000 --max-time 1ms --out part");
    assert!(folder.has("part/resume.fns"), "{}", ended.err);
    let out = folder.runs("check site.yaml --replications 100000 --out whole");
    assert!(folder.runs("check --resume part") == out);
    assert!(folder.files("part") == folder.files("whole"));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on_and_is_the_run_to_the_byte() {
    let folder = Folder::with(&[("site.yaml", COMMON)]);
    let line = "run site.yaml --replications 300000";
    let child = folder
        .command(&format!("{line} --out part"))
        .spawn()
        .expect("it starts");
    std::thread::sleep(std::time::Duration::from_millis(400));
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.expect("kill is there").success());
    let found = ended(&child.wait_with_output().expect("it ends"));
    assert_eq!(found.code, 130, "{}", found.err);
    assert!(
        found.err.contains("`fivenines run --resume part` goes on"),
        "{}",
        found.err
    );
    folder.runs(&format!("{line} --out whole"));
    folder.runs("run --resume part");
    assert!(folder.files("part") == folder.files("whole"));
}
