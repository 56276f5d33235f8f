//! Designs that cannot be compared, and scenarios that no run can answer: files in, text out.
//!
//! `tests/invalid/compare/<case>.yaml` is compared with `base.yaml` beside it, and
//! `tests/invalid/run/<case>.yaml` is run; `<case>.txt` is what is printed. `UPDATE_GOLDEN=1` writes the
//! latter anew, to be read before it is committed.

use super::{code, err};
use std::path::Path;
use std::process::Command;

/// What the program says about each file of `folder`, called by `arguments` and the file's name.
fn says_what_was_reviewed(folder: &str, arguments: &[&str], least: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/invalid")
        .join(folder);
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|file| {
            file.expect("readable")
                .file_name()
                .into_string()
                .expect("text")
        })
        .filter(|name| name.ends_with(".yaml") && name != "base.yaml")
        .collect();
    files.sort();
    assert!(files.len() >= least, "only {files:?}");
    for file in files {
        let output = Command::new(env!("CARGO_BIN_EXE_fivenines"))
            .args(arguments)
            .arg(&file)
            .current_dir(&folder)
            .output()
            .expect("the program starts");
        let said = err(&output);
        assert_eq!(code(&output), 2, "{file}: {said}");
        assert!(output.stdout.is_empty(), "{file}");
        assert!(!folder.join("reports").exists(), "{file} left files");
        let golden = folder.join(&file).with_extension("txt");
        if update {
            std::fs::write(&golden, &said).expect("writable");
        } else {
            let expected = std::fs::read_to_string(&golden).unwrap_or_default();
            assert_eq!(said, expected, "{file}: UPDATE_GOLDEN=1 writes it anew");
        }
    }
}

#[test]
fn designs_that_are_unlike_are_refused_in_words_that_were_reviewed() {
    says_what_was_reviewed("compare", &["compare", "base.yaml"], 8);
}

#[test]
fn what_no_run_can_answer_is_refused_in_words_that_were_reviewed() {
    says_what_was_reviewed("run", &["run"], 3);
}
