//! The program as its users meet it: what it says, where, and how it ends.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn fivenines(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fivenines"));
    command
        .args(arguments)
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    command
}

fn ends(arguments: &[&str]) -> (i32, String, String) {
    said(&fivenines(arguments).output().unwrap())
}

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn the_help_begins_with_examples_and_ends_with_the_exit_codes() {
    let (code, out, err) = ends(&["--help"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(
        out.starts_with("Examples:\n  fivenines init site.yaml"),
        "{out}"
    );
    let codes = "\
Exit codes:
    0  done; check: all targets met
    1  internal or I/O error
    2  wrong usage or invalid scenario
    3  merge incomplete
   97  compare: regression against the baseline, no target is missed or undecided
   98  check, compare: a target is undecided after the budget, none is missed
   99  check, compare: a target is missed
  130  interrupted, partial result written if there was one
";
    for arguments in [
        &["--help"][..],
        &["run", "--help"],
        &["check", "--help"],
        &["compare", "--help"],
        &["shard", "--help"],
        &["merge", "--help"],
    ] {
        let (_, out, _) = ends(arguments);
        assert!(out.trim_end().ends_with(codes.trim_end()), "{out}");
    }
}

#[test]
fn the_version_is_the_packages() {
    let version = concat!("fivenines ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(ends(&["--version"]), (0, version.to_owned(), String::new()));
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_wrong() {
    for (arguments, word) in [
        (&[][..], "Usage"),
        (&["runn", "x.yaml"], "similar subcommand exists: 'run'"),
        (&["run"], "FILE"),
        (&["run", "x.yaml", "--replicatons", "3"], "--replications"),
        (&["run", "x.yaml", "--replications", "0"], "--replications"),
        (
            &["run", "x.yaml", "--method", "guess"],
            "possible values: none, windows, exact",
        ),
        (
            &["run", "x.yaml", "--max-time", "30"],
            "write a number with a unit",
        ),
        (&["run", "x.yaml", "--threads", "0"], "--threads"),
        (&["explain", "x.yaml"], "--replication"),
        (&["validate"], "FILE"),
        (&["plan", "x.yaml"], "--parts"),
        (&["plan", "x.yaml", "--parts", "0"], "--parts"),
        (&["shard", "x.yaml", "--out", "x.fns"], "--part"),
        (&["shard", "x.yaml", "--part", "1/2"], "--out"),
        (&["merge", "x.yaml"], "SHARD"),
    ] {
        let (code, out, err) = ends(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(word), "{arguments:?}: {err}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let big = dir.path().join("big.yaml");
    std::fs::write(&big, vec![b'#'; 50 * 1024 * 1024]).unwrap();
    let missing = dir.path().join("no-such.yaml");
    for command in ["run", "check", "validate"] {
        for (path, why) in [
            (missing.as_path(), "there is no such file"),
            (dir.path(), "is a directory, not a scenario file"),
            (big.as_path(), "is larger than 1 MiB"),
        ] {
            let (code, out, err) = ends(&[command, path.to_str().unwrap()]);
            assert_eq!((code, out.as_str()), (2, ""), "{command}: {err}");
            assert!(err.starts_with("error: ") && err.contains(why), "{err}");
            assert!(err.contains(path.to_str().unwrap()), "{err}");
        }
    }
    assert!(!Path::new("reports/big").exists());
}

#[test]
fn standard_input_has_the_same_limit() {
    let mut child = fivenines(&["validate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The program stops reading, so this ends with a broken pipe.
    let chunk = vec![b'#'; 64 * 1024];
    while stdin.write_all(&chunk).is_ok() {}
    drop(stdin);
    let (code, _, err) = said(&child.wait_with_output().unwrap());
    assert_eq!(code, 2);
    assert!(
        err.contains("standard input: is larger than 1 MiB"),
        "{err}"
    );
}

#[test]
fn a_name_with_terminal_escapes_is_spelt_out() {
    let (code, _, err) = ends(&["validate", "no\u{1b}[31msuch.yaml"]);
    assert_eq!(code, 2);
    assert!(
        !err.contains('\u{1b}') && err.contains("no\\u{1b}[31msuch.yaml"),
        "{err}"
    );
}

#[cfg(unix)]
#[test]
fn a_reader_who_left_early_is_no_error() {
    let mut child = fivenines(&["--help"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let (code, _, err) = said(&child.wait_with_output().unwrap());
    assert_eq!((code, err.as_str()), (0, ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = fivenines(&["--help"]).stdout(full).output().unwrap();
    let (code, _, err) = said(&output);
    assert_eq!(code, 1);
    assert!(err.contains("cannot write to standard output"), "{err}");
}
