//! `check`: verdicts and an exit code for CI.

use super::args::RunArguments;
use super::exit::Exit;
use super::output::Output;
use super::simulate::{Simulated, simulate};
use super::{files, resume};
use crate::experiment::outcome::Verdict;
use crate::report;
use std::path::Path;

pub(super) fn check(arguments: &RunArguments, output: &mut Output<'_>) -> Exit {
    let begun = match resume::open(arguments, true, output) {
        Ok(begun) => begun,
        Err(exit) => return exit,
    };
    let file = &begun.file;
    if file.loaded.system.targets.is_empty() {
        output.error(&format!(
            "{}: states no targets, so there is nothing to check",
            file.name
        ));
        output
            .note("help: add `targets:`, e.g. `- availability >= 99.95%`, or use `fivenines run`");
        return Exit::Usage;
    }
    let directory = begun.arguments.out.clone();
    if let Some(directory) = &directory
        && let Err(error) = files::prepare(directory)
    {
        output.error(&error.to_string());
        return Exit::Failure;
    }
    match simulate(begun, output) {
        Err(exit) => exit,
        Ok(simulated) => finish(&simulated, arguments.json, directory.as_deref(), output),
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
            .and_then(|()| resume::leave(simulated.unfinished.as_ref(), directory, output))
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
