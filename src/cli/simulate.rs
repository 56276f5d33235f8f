//! What `run` and `check` share: simulate a scenario file as the arguments say.

use super::args::RunArguments;
use super::exit::Exit;
use super::output::Output;
use super::progress::{self, Progress, Show};
use super::scenario_file::ScenarioFile;
use crate::experiment::outcome::Outcome;
use crate::experiment::{self, Options, RunError};
use crate::model::Method;
use crate::report::numbers;
use crate::scenario;
use std::time::Duration;

/// What came of it.
#[derive(Debug)]
pub(super) struct Simulated {
    /// What was found out.
    pub(super) outcome: Outcome,
    /// Whether somebody pressed Ctrl-C.
    pub(super) interrupted: bool,
}

/// Simulates, and with `verdicts_only` ends as soon as these are known; where there is no outcome, says why and gives the exit code.
pub(super) fn simulate(
    file: &ScenarioFile,
    arguments: &RunArguments,
    verdicts_only: bool,
    output: &mut Output<'_>,
) -> Result<Simulated, Exit> {
    let options = Options {
        seed: arguments.seed,
        replications: arguments.replications,
        method: arguments.method.map(Method::from),
        verdicts_only,
    };
    let draws = file.draws(&arguments.file, arguments.seed);
    let draws = draws.map_err(|problems| {
        output.error_text(&problems.render(output.err_colour()));
        Exit::Usage
    })?;
    if !arguments.quiet {
        let system = &file.loaded.system;
        // A refusal is reported by the run itself, with its place.
        if let Ok((plan, cost)) = experiment::plan(system, &options) {
            let replications = options.replications.or(system.run.replications);
            output.note(&cost.words(&plan, replications, verdicts_only));
            if !draws.is_empty() {
                let ranges = numbers::plural(file.loaded.ranges.len() as u64, "range");
                output.note(&format!(
                    "then {} draws of {ranges}, with fewer histories each",
                    draws.len()
                ));
            }
        }
    }
    let progress = Progress::default();
    let how = How {
        quiet: arguments.quiet,
        threads: arguments.threads,
        max_time: arguments.max_time,
    };
    let result = under_way(how, &progress, output, || {
        let system = &file.loaded.system;
        let mut outcome = experiment::run(system, &file.loaded.hash, &options, &progress)?;
        if !draws.is_empty() {
            let ranges = &file.loaded.ranges;
            let found = experiment::inputs(ranges, &draws, &options, &outcome, &progress)?;
            outcome.inputs = Some(found);
        }
        if arguments.break_even && outcome.run.complete {
            outcome.break_even = experiment::break_even(system, &options, &outcome, &progress)?;
        }
        Ok(outcome)
    })?;
    let mut outcome = result.map_err(|error| explain(&error, file, &progress, output))?;
    let interrupted = progress.interrupted();
    if progress.out_of_time() && !outcome.run.complete {
        // A budget of time ends a run as planned, at a whole block: what it says can be repeated.
        outcome.run.complete = true;
        if !arguments.quiet {
            output.note(&format!(
                "time is up after {}; `--replications {} --method {}` simulates the same again",
                numbers::plural(outcome.run.replications, "history"),
                outcome.run.replications,
                word(outcome.run.method)
            ));
        }
    }
    Ok(Simulated {
        outcome,
        interrupted,
    })
}

/// How a simulation is to be carried out; none of it changes the result.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// Whether nothing is to be shown on the way.
    pub(super) quiet: bool,
    /// How many threads; `None`: one for each core.
    pub(super) threads: Option<u16>,
    /// When to end.
    pub(super) max_time: Option<Duration>,
}

/// Does `work` on its threads while progress is shown and Ctrl-C is listened to.
pub(super) fn under_way<T: Send>(
    how: How,
    progress: &Progress,
    output: &mut Output<'_>,
    work: impl FnOnce() -> T + Send,
) -> Result<T, Exit> {
    let show = match (how.quiet, output.moving) {
        (true, _) => Show::Nothing,
        (false, true) => Show::Bar,
        (false, false) => Show::Lines,
    };
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = how.threads {
        pool = pool.num_threads(threads.into());
    }
    let pool = pool.build().map_err(|error| {
        output.error(&format!("cannot start threads: {error}"));
        Exit::Failure
    })?;
    progress::listen_for_ctrl_c();
    Ok(progress::during(progress, show, how.max_time, || {
        pool.install(work)
    }))
}

/// What `--method` calls it.
pub(super) const fn word(method: Method) -> &'static str {
    match method {
        Method::None => "none",
        Method::Windows => "windows",
        Method::Exact => "exact",
    }
}

/// Says why there is no outcome.
pub(super) fn explain(
    error: &RunError,
    file: &ScenarioFile,
    progress: &Progress,
    output: &mut Output<'_>,
) -> Exit {
    let mut at_line = |line: u32, message: &str, help: &str| {
        let colour = output.err_colour();
        let text = scenario::render_at_line(&file.source, &file.name, line, message, help, colour);
        output.error_text(&text);
        Exit::Usage
    };
    match error {
        RunError::TooCostly {
            line,
            message,
            help,
        }
        | RunError::Unsuitable {
            line: Some(line),
            message,
            help,
        } => at_line(*line, message, help),
        RunError::Unsuitable {
            line: None,
            message,
            help,
        } => {
            output.error(&format!("{}: {message}", file.name));
            output.note(&format!("help: {help}"));
            Exit::Usage
        }
        RunError::Interrupted if progress.out_of_time() => {
            output.error("the time was up before anything could be reported");
            output.note("help: give it more with --max-time, or ask for less with --method none");
            Exit::Undecided
        }
        RunError::Interrupted => {
            output.error("interrupted before anything could be reported");
            Exit::Interrupted
        }
        RunError::Internal(what) => {
            output.error(&format!("internal error: {what}"));
            output.note(
                "This is a bug in fivenines, not in the scenario. Please report it with the scenario \
                 and the seed.",
            );
            Exit::Failure
        }
    }
}
