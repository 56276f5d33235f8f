//! `run`: simulate, summarise, write a report.

use super::args::RunArguments;
use super::exit::Exit;
use super::output::Output;
use super::simulate::{Simulated, simulate};
use super::{files, scenario_file};
use crate::report;
use std::path::{Path, PathBuf};

/// Where the report of a scenario goes: `reports/<name of the file>/`.
fn default_directory(file: &Path) -> PathBuf {
    let stem = if scenario_file::is_stdin(file) {
        None
    } else {
        file.file_stem()
    };
    Path::new("reports").join(stem.unwrap_or_else(|| "stdin".as_ref()))
}

pub(super) fn run(arguments: &RunArguments, output: &mut Output<'_>) -> Exit {
    let file = match scenario_file::open(&arguments.file, output) {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    let directory = arguments
        .out
        .clone()
        .unwrap_or_else(|| default_directory(&arguments.file));
    let made: Vec<PathBuf> = directory
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
        .map(Path::to_owned)
        .collect();
    if let Err(error) = files::prepare(&directory) {
        output.error(&error.to_string());
        return Exit::Failure;
    }
    match simulate(&file, arguments, output) {
        Err(exit) => {
            for path in made {
                // Nothing came to be in it; where that fails, an empty directory does no harm.
                let _ = std::fs::remove_dir(path);
            }
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
    match written {
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
