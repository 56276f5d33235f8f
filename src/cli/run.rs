//! `run`: simulate, summarise, write a report.

use super::args::RunArguments;
use super::exit::Exit;
use super::output::Output;
use super::simulate::{Simulated, simulate};
use super::{files, resume, scenario_file};
use crate::report;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Where the report of a scenario goes: `reports/<name of the file>/`.
fn default_directory(file: &Path) -> PathBuf {
    Path::new("reports").join(stem(file))
}

/// Where a report goes: where the arguments say, or to its default place.
pub(super) fn directory_of(out: Option<&Path>, file: &Path) -> PathBuf {
    out.map_or_else(|| default_directory(file), Path::to_owned)
}

/// The name of a scenario's file without folder and ending.
pub(super) fn stem(file: &Path) -> &OsStr {
    let stem = if scenario_file::is_stdin(file) {
        None
    } else {
        file.file_stem()
    };
    stem.unwrap_or_else(|| "stdin".as_ref())
}

/// Makes the directory of a report; returns the directories that were not there before.
pub(super) fn prepare(directory: &Path, output: &mut Output<'_>) -> Result<Vec<PathBuf>, Exit> {
    let made = directory
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
        .map(Path::to_owned)
        .collect();
    files::prepare(directory).map_err(|error| {
        output.error(&error.to_string());
        Exit::Failure
    })?;
    Ok(made)
}

/// Takes away directories in which nothing came to be.
pub(super) fn take_away(made: Vec<PathBuf>) {
    for path in made {
        // Where that fails, an empty directory does no harm.
        let _ = std::fs::remove_dir(path);
    }
}

pub(super) fn run(arguments: &RunArguments, output: &mut Output<'_>) -> Exit {
    let begun = match resume::open(arguments, false, output) {
        Ok(begun) => begun,
        Err(exit) => return exit,
    };
    let directory = directory_of(begun.arguments.out.as_deref(), &begun.path);
    let made = match prepare(&directory, output) {
        Ok(made) => made,
        Err(exit) => return exit,
    };
    match simulate(begun, output) {
        Err(exit) => {
            take_away(made);
            // Without a gate, a budget that was too small for any result is a failure.
            if exit == Exit::Undecided {
                Exit::Failure
            } else {
                exit
            }
        }
        Ok(simulated) => finish(&simulated, arguments.json, &directory, output),
    }
}

/// Writes the report, then the summary: whoever reads the summary finds the files.
pub(super) fn finish(
    simulated: &Simulated,
    json: bool,
    directory: &Path,
    output: &mut Output<'_>,
) -> Exit {
    let outcome = &simulated.outcome;
    let written = files::write(directory, &report::files(outcome));
    let page = directory.join("report.html");
    let place = written.is_ok().then(|| page.to_string_lossy());
    if json {
        output.print(&report::json(outcome));
    } else {
        output.print(&report::summary(outcome, place.as_deref(), output.style()));
    }
    let left =
        written.and_then(|()| resume::leave(simulated.unfinished.as_ref(), directory, output));
    match left {
        Err(error) => {
            output.error(&error.to_string());
            Exit::Failure
        }
        Ok(()) if simulated.interrupted => Exit::Interrupted,
        Ok(()) => Exit::Success,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_named_after_its_scenario() {
        let of = |file: &str| default_directory(Path::new(file));
        assert_eq!(
            of("scenarios/article-site.yaml"),
            Path::new("reports/article-site")
        );
        assert_eq!(of("-"), Path::new("reports/stdin"));
        assert_eq!(of(".."), Path::new("reports/stdin"));
    }
}
