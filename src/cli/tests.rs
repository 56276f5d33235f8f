//! Commands with writers instead of the standard streams.

use super::output::Output;
use super::simulate::Simulated;
use super::{Exit, check, execute, run};
use crate::experiment::outcome::{Outcome, Verdict};
use crate::report::fixture;
use std::io::{self, ErrorKind, Write};

/// What a command said, and how it ended.
struct Said {
    exit: Exit,
    out: String,
    err: String,
}

fn with(command: impl FnOnce(&mut Output<'_>) -> Exit) -> Said {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = command(&mut Output::plain(&mut out, &mut err));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said {
        exit,
        out: text(out),
        err: text(err),
    }
}

fn typed(arguments: &[&str]) -> Said {
    let arguments = std::iter::once("fivenines").chain(arguments.iter().copied());
    with(|output| execute(arguments.map(Into::into), output))
}

fn simulated(outcome: Outcome) -> Simulated {
    Simulated {
        interrupted: !outcome.run.complete,
        unfinished: None,
        outcome,
    }
}

/// A writer whose reader has left, or whose disk is full.
struct Broken(ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_run_writes_the_report_and_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out");
    let said = with(|output| run::finish(&simulated(fixture::ordinary()), false, &target, output));
    assert_eq!((said.exit, said.err.as_str()), (Exit::Success, ""));
    assert!(said.out.contains("report.html"), "{}", said.out);
    for name in [
        "result.json",
        "report.html",
        "summary.md",
        "availability.svg",
        "latency.svg",
    ] {
        assert!(target.join(name).is_file(), "{name}");
    }
}

#[test]
fn a_run_ends_well_although_a_target_is_missed() {
    let dir = tempfile::tempdir().unwrap();
    let said =
        with(|output| run::finish(&simulated(fixture::ordinary()), true, dir.path(), output));
    assert_eq!(said.exit, Exit::Success);
    assert!(serde_json::from_str::<serde_json::Value>(&said.out).is_ok());
}

#[test]
fn an_interrupted_run_leaves_a_partial_report() {
    let dir = tempfile::tempdir().unwrap();
    let said =
        with(|output| run::finish(&simulated(fixture::largest()), false, dir.path(), output));
    assert_eq!(said.exit, Exit::Interrupted);
    let result = std::fs::read_to_string(dir.path().join("result.json")).unwrap();
    assert!(result.contains("\"complete\": false"));
}

#[test]
fn the_summary_is_printed_even_if_the_report_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let said = with(|output| run::finish(&simulated(fixture::ordinary()), false, &file, output));
    assert_eq!(said.exit, Exit::Failure);
    assert!(
        said.out.starts_with("MISSED") && !said.out.contains("report.html"),
        "{}",
        said.out
    );
    assert!(
        said.err.starts_with("error: cannot write to "),
        "{}",
        said.err
    );
}

#[test]
fn a_check_ends_with_the_worst_verdict() {
    let mut outcome = fixture::ordinary();
    for (verdict, exit) in [
        (Verdict::Missed, Exit::Missed),
        (Verdict::Undecided, Exit::Undecided),
        (Verdict::Met, Exit::Success),
    ] {
        let said = with(|output| check::finish(&simulated(outcome.clone()), false, None, output));
        assert_eq!(said.exit, exit);
        outcome.targets.retain(|row| row.verdict != verdict);
    }
}

#[test]
fn a_reader_who_left_changes_nothing_and_a_full_disk_is_an_error() {
    for (kind, exit, silent) in [
        (ErrorKind::BrokenPipe, Exit::Missed, true),
        (ErrorKind::StorageFull, Exit::Missed, false),
    ] {
        let mut err = Vec::new();
        let mut broken = Broken(kind);
        let mut output = Output::plain(&mut broken, &mut err);
        let end = check::finish(&simulated(fixture::ordinary()), false, None, &mut output);
        assert_eq!(output.finish(end), exit);
        drop(output);
        assert_eq!(err.is_empty(), silent, "{}", String::from_utf8_lossy(&err));
    }
    let mut err = Vec::new();
    let mut broken = Broken(ErrorKind::StorageFull);
    let mut output = Output::plain(&mut broken, &mut err);
    output.print("x");
    assert_eq!(output.finish(Exit::Success), Exit::Failure);
}

#[test]
fn help_is_data_and_mistakes_are_not() {
    let help = typed(&["--help"]);
    assert_eq!((help.exit, help.err.as_str()), (Exit::Success, ""));
    let wrong = typed(&["run"]);
    assert_eq!((wrong.exit, wrong.out.as_str()), (Exit::Usage, ""));
    assert!(wrong.err.contains("FILE"), "{}", wrong.err);
}
