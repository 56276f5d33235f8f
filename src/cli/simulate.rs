//! What `run` and `check` share: simulate a scenario file as the arguments say.

use super::exit::Exit;
use super::output::Output;
use super::progress::{self, Progress, Show};
use super::resume::{Begun, Unfinished};
use super::scenario_file::ScenarioFile;
use crate::experiment::outcome::{Inputs, Outcome};
use crate::experiment::{self, CheckpointHeader, Options, RunError, VERSION};
use crate::model::{Method, System};
use crate::report::numbers;
use crate::scenario::{self, Loaded};
use std::time::Duration;

/// What came of it.
#[derive(Debug)]
pub(super) struct Simulated {
    /// What was found out.
    pub(super) outcome: Outcome,
    /// Whether somebody pressed Ctrl-C.
    pub(super) interrupted: bool,
    /// From where it can go on, if it was ended early.
    pub(super) unfinished: Option<Unfinished>,
}

/// Simulates as `begun` says; where there is no outcome, says why and gives the exit code.
pub(super) fn simulate(begun: Begun, output: &mut Output<'_>) -> Result<Simulated, Exit> {
    let Begun {
        file,
        path,
        arguments,
        options,
        from,
    } = begun;
    let draws = file.draws(&path, options.seed);
    let draws = draws.map_err(|problems| {
        output.error_text(&problems.render(output.err_colour()));
        Exit::Usage
    })?;
    if !arguments.execution.quiet {
        let system = &file.loaded.system;
        if let Some(from) = &from {
            let done = numbers::plural(from.histories(), "history");
            output.note(&format!("{done} are there already"));
        }
        // A refusal is reported by the run itself, with its place.
        if let Ok((plan, cost)) = experiment::plan(system, &options) {
            let replications = options.replications.or(system.run.replications);
            output.note(&cost.words(&plan, replications, options.verdicts_only));
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
        quiet: arguments.execution.quiet,
        threads: arguments.execution.threads,
        max_time: arguments.sampling.max_time,
    };
    let after = Afterwards {
        file: &file,
        draws: &draws,
        options: &options,
        break_even: arguments.break_even,
    };
    let result = under_way(how, &progress, output, || {
        let Loaded { system, hash, .. } = &file.loaded;
        let (mut outcome, at) = experiment::run_from(system, hash, &options, from, &progress)?;
        after.follow(&mut outcome, &progress)?;
        Ok((outcome, at))
    })?;
    let (mut outcome, checkpoint) =
        result.map_err(|error| explain(&error, &file, &progress, output))?;
    let interrupted = progress.interrupted();
    let short = |inputs: &Inputs| inputs.draws < inputs.asked;
    // Break-even factors do not tell whether they were cut short.
    let cut =
        !outcome.run.complete || outcome.inputs.as_ref().is_some_and(short) || arguments.break_even;
    if progress.out_of_time() && !outcome.run.complete {
        // A budget of time ends a run as planned, at a whole block: what it says can be repeated.
        outcome.run.complete = true;
        if !arguments.execution.quiet {
            output.note(&format!(
                "time is up after {}; `--replications {} --method {}` simulates the same again",
                numbers::plural(outcome.run.replications, "history"),
                outcome.run.replications,
                word(outcome.run.method)
            ));
        }
    }
    let unfinished = (interrupted || progress.out_of_time() && cut).then(|| Unfinished {
        header: CheckpointHeader {
            version: VERSION.to_owned(),
            hash: file.loaded.hash.clone(),
            file: path.to_string_lossy().into_owned(),
            options,
            break_even: arguments.break_even,
        },
        checkpoint,
        quiet: arguments.execution.quiet,
    });
    Ok(Simulated {
        outcome,
        interrupted,
        unfinished,
    })
}

/// What follows the histories of a run.
#[derive(Debug)]
pub(super) struct Afterwards<'a> {
    /// The scenario.
    pub(super) file: &'a ScenarioFile,
    /// All draws of its ranges.
    pub(super) draws: &'a [System],
    /// What was asked for.
    pub(super) options: &'a Options,
    /// Whether break-even factors are wanted.
    pub(super) break_even: bool,
}

impl Afterwards<'_> {
    /// Adds it to the outcome.
    pub(super) fn follow(
        &self,
        outcome: &mut Outcome,
        progress: &Progress,
    ) -> Result<(), RunError> {
        let Loaded { system, ranges, .. } = &self.file.loaded;
        if !self.draws.is_empty() {
            let found = experiment::inputs(ranges, self.draws, self.options, outcome, progress)?;
            outcome.inputs = Some(found);
        }
        if self.break_even && outcome.run.complete {
            match experiment::break_even(system, self.options, outcome, progress) {
                Ok(found) => outcome.break_even = found,
                // What the run itself has found is reported all the same.
                Err(RunError::Interrupted) => outcome.run.complete = false,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
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
