//! A folder for a test, and the program in it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub(crate) struct Folder(TempDir);

/// How the program ended, and what it said.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    /// A folder with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            folder.put(name, text.as_bytes());
        }
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a file");
    }

    /// A pipe that nobody writes to.
    pub(crate) fn pipe(&self, name: &str) {
        let made = Command::new("mkfifo").arg(self.path(name)).status();
        assert!(made.expect("mkfifo starts").success());
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// All files of a folder, by name.
    pub(crate) fn files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.path(name)).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let names = names.map(|file| file.into_string().expect("a name"));
        names
            .map(|file| (file.clone(), self.bytes(&format!("{name}/{file}"))))
            .collect()
    }

    /// The program with the words of a command line, the first of which is its own name.
    pub(crate) fn command(&self, line: &str) -> Command {
        let line = line.trim();
        let words = line.strip_prefix("fivenines ").unwrap_or(line);
        let mut command = Command::new(env!("CARGO_BIN_EXE_fivenines"));
        command
            .args(words.split_whitespace())
            .current_dir(self.0.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn ends(&self, line: &str) -> Ended {
        ended(&self.command(line).output().expect("the program starts"))
    }

    /// What a command prints that ends well.
    #[track_caller]
    pub(crate) fn runs(&self, line: &str) -> String {
        let ended = self.ends(line);
        assert_eq!(ended.code, 0, "{line}: {}", ended.err);
        ended.out
    }

    /// A command that is refused: with this code and these words on standard error, and nothing printed.
    #[track_caller]
    pub(crate) fn refuses(&self, line: &str, code: i32, words: &[&str]) -> String {
        let ended = self.ends(line);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (code, ""),
            "{line}: {}",
            ended.err
        );
        for word in words {
            assert!(ended.err.contains(word), "{line}: {word}: {}", ended.err);
        }
        ended.err
    }
}

pub(crate) fn ended(output: &Output) -> Ended {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    Ended {
        code: output.status.code().expect("it ends by itself"),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}
