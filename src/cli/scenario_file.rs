//! Reads a scenario file, whatever it turns out to be, and checks it.

use super::exit::Exit;
use super::output::Output;
use crate::report;
use crate::scenario::{self, Loaded};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// A scenario is text that people write; no more than this is read of it.
const LIMIT: u64 = 1024 * 1024;

/// A scenario that was read and checked.
#[derive(Debug)]
pub(super) struct ScenarioFile {
    /// The bytes of the file, for messages that show its lines.
    pub(super) source: Vec<u8>,
    /// Its name, for messages.
    pub(super) name: String,
    /// What it means.
    pub(super) loaded: Loaded,
}

/// Whether the scenario comes from standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The name of the file for messages, harmless for a terminal.
pub(super) fn name_of(path: &Path) -> String {
    if is_stdin(path) {
        "standard input".to_owned()
    } else {
        report::line(&path.to_string_lossy())
    }
}

/// Reads and checks the scenario; on a mistake says so and gives the exit code.
pub(super) fn open(path: &Path, output: &mut Output<'_>) -> Result<ScenarioFile, Exit> {
    let name = name_of(path);
    let source = match read(path) {
        Ok(source) => source,
        Err(why) => {
            output.error(&format!("{name}: {why}"));
            return Err(Exit::Usage);
        }
    };
    let files = |named: &str| read_named(path, named);
    match scenario::load_with(&source, &name, &files) {
        Ok(loaded) => Ok(ScenarioFile {
            source,
            name,
            loaded,
        }),
        Err(problems) => {
            output.error_text(&problems.render(output.err_colour()));
            let count = report::numbers::plural(problems.count() as u64, "problem");
            output.error(&format!("{name}: {count}, nothing was simulated"));
            Err(Exit::Usage)
        }
    }
}

/// At most [`LIMIT`] bytes; the reason in words if there are more or none can be had.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut source = Vec::new();
    let limit = LIMIT + 1;
    if is_stdin(path) {
        let stdin = std::io::stdin();
        stdin
            .lock()
            .take(limit)
            .read_to_end(&mut source)
            .map_err(|error| reason(&error))?;
    } else {
        // Opening a directory succeeds on some systems.
        let kind = std::fs::metadata(path).map_err(|error| reason(&error))?;
        if kind.is_dir() {
            return Err("is a directory, not a scenario file".to_owned());
        }
        let file = File::open(path).map_err(|error| reason(&error))?;
        file.take(limit)
            .read_to_end(&mut source)
            .map_err(|error| reason(&error))?;
    }
    if source.len() as u64 > LIMIT {
        return Err("is larger than 1 MiB, the limit of a scenario".to_owned());
    }
    Ok(source)
}

/// The bytes of a file that the scenario at `path` names: a plain file that lies, links followed, in the
/// folder of the scenario or below it. Of one that is too large, just too many bytes.
fn read_named(path: &Path, named: &str) -> Result<Vec<u8>, String> {
    if is_stdin(path) {
        return Err("a scenario from standard input has no folder to look in".to_owned());
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let folder = folder.canonicalize().map_err(|error| reason(&error))?;
    let whole = folder.join(named);
    let whole = whole.canonicalize().map_err(|error| reason(&error))?;
    if !whole.starts_with(&folder) {
        return Err("a link leads out of the folder of the scenario".to_owned());
    }
    let kind = std::fs::metadata(&whole).map_err(|error| reason(&error))?;
    if !kind.is_file() {
        return Err("is no plain file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(&whole).map_err(|error| reason(&error))?;
    file.take(scenario::NAMED_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| reason(&error))?;
    Ok(bytes)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "may not be read (permission denied)".to_owned(),
        ErrorKind::IsADirectory => "is a directory, not a scenario file".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}
