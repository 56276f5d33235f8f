//! `check`: verdicts and an exit code for CI.

use super::args::RunArguments;
use super::exit::Exit;
use super::output::Output;
use super::simulate::{Simulated, simulate};
use super::{files, scenario_file};
use crate::experiment::outcome::Verdict;
use crate::report;
use std::path::Path;

pub(super) fn check(arguments: &RunArguments, output: &mut Output<'_>) -> Exit {
    let file = match scenario_file::open(&arguments.file, output) {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    if file.loaded.system.targets.is_empty() {
        output.error(&format!(
            "{}: states no targets, so there is nothing to check",
            file.name
        ));
        output
            .note("help: add `targets:`, e.g. `- availability >= 99.95%`, or use `fivenines run`");
        return Exit::Usage;
    }
    if let Some(directory) = &arguments.out
        && let Err(error) = files::prepare(directory)
    {
        output.error(&error.to_string());
        return Exit::Failure;
    }
    match simulate(&file, arguments, true, output) {
        Err(exit) => exit,
        Ok(simulated) => finish(&simulated, arguments.json, arguments.out.as_deref(), output),
    }
}

/// Prints the verdicts; the exit code is the worst of them, missed before undecided.
pub(super) fn finish(
    simulated: &Simulated,
    json: bool,
    directory: Option<&Path>,
    output: &mut Output<'_>,
) -> Exit {
    let outcome = &simulated.outcome;
    if json {
        output.print(&report::json(outcome));
    } else {
        output.print(&report::verdicts(outcome, output.style()));
    }
    if let Some(directory) = directory
        && let Err(error) = files::write(directory, &report::files(outcome))
    {
        output.error(&error.to_string());
        return Exit::Failure;
    }
    if simulated.interrupted {
        return Exit::Interrupted;
    }
    match report::overall(outcome) {
        Some(Verdict::Missed) => Exit::Missed,
        Some(Verdict::Undecided) => Exit::Undecided,
        Some(Verdict::Met) | None => Exit::Success,
    }
}
