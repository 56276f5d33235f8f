//! `compare`: two or more designs on the same random numbers.

use super::args::CompareArguments;
use super::exit::Exit;
use super::output::Output;
use super::progress::Progress;
use super::scenario_file::ScenarioFile;
use super::simulate::{self, How};
use super::{files, run, scenario_file};
use crate::experiment::comparison::{Change, ChangeKind, Comparison};
use crate::experiment::outcome::Verdict;
use crate::experiment::{self, CompareError, Input, Options, RunError};
use crate::model::Method;
use crate::report::{self, numbers};
use crate::scenario;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub(super) fn compare(arguments: &CompareArguments, output: &mut Output<'_>) -> Exit {
    let stdin = arguments
        .files
        .iter()
        .filter(|it| scenario_file::is_stdin(it));
    if stdin.count() > 1 {
        output.error("only one design can come from standard input");
        return Exit::Usage;
    }
    let mut designs = Vec::new();
    let mut wrong = None;
    for path in &arguments.files {
        match scenario_file::open(path, output) {
            Ok(file) => designs.push(file),
            Err(exit) => wrong = Some(exit),
        }
    }
    if let Some(exit) = wrong {
        return exit;
    }
    if !arguments.execution.quiet && designs.iter().any(|file| !file.loaded.ranges.is_empty()) {
        output.note("designs with ranges are compared with every range at its middle");
    }
    let directory = arguments
        .out
        .clone()
        .unwrap_or_else(|| default_directory(&arguments.files));
    let made = match run::prepare(&directory, output) {
        Ok(made) => made,
        Err(exit) => return exit,
    };
    match together(&designs, arguments, output) {
        Ok((comparison, interrupted)) => {
            finish(&comparison, interrupted, arguments.json, &directory, output)
        }
        Err(exit) => {
            run::take_away(made);
            // Without a gate, a budget that was too small for any result is a failure.
            if exit == Exit::Undecided && arguments.fail_on.is_empty() {
                Exit::Failure
            } else {
                exit
            }
        }
    }
}

/// `reports/<baseline>-vs-<candidate>/`.
fn default_directory(paths: &[PathBuf]) -> PathBuf {
    let mut name = OsString::new();
    for (index, path) in paths.iter().enumerate() {
        if index > 0 {
            name.push("-vs-");
        }
        name.push(run::stem(path));
    }
    Path::new("reports").join(name)
}

/// What the designs are called: their files without folders, unless two have the same name.
fn labels(designs: &[ScenarioFile]) -> Vec<String> {
    let short = |name: &str| {
        let end = name.rsplit(['/', '\\']).next();
        end.unwrap_or(name).to_owned()
    };
    let labels: Vec<String> = designs.iter().map(|design| short(&design.name)).collect();
    let unique = (1..labels.len()).all(|at| !labels[..at].contains(&labels[at]));
    if unique {
        labels
    } else {
        designs.iter().map(|design| design.name.clone()).collect()
    }
}

/// Simulates all designs; the flag says whether somebody pressed Ctrl-C.
fn together(
    designs: &[ScenarioFile],
    arguments: &CompareArguments,
    output: &mut Output<'_>,
) -> Result<(Comparison, bool), Exit> {
    let labels = labels(designs);
    let inputs: Vec<Input<'_>> = designs
        .iter()
        .zip(&labels)
        .map(|(design, file)| Input {
            file,
            system: &design.loaded.system,
            hash: &design.loaded.hash,
        })
        .collect();
    let options = Options {
        seed: arguments.sampling.seed,
        replications: arguments.sampling.replications,
        method: arguments.sampling.method.map(Method::from),
        ..Options::default()
    };
    if !arguments.execution.quiet {
        notes(designs, arguments, output);
        if let Ok(words) = experiment::cost_together(&inputs, &options) {
            output.note(&words);
        }
    }
    let progress = Progress::default();
    let how = How {
        quiet: arguments.execution.quiet,
        threads: arguments.execution.threads,
        max_time: arguments.sampling.max_time,
    };
    let result = simulate::under_way(how, &progress, output, || {
        experiment::compare(&inputs, &arguments.fail_on, &options, &progress)
    })?;
    let mut comparison = result.map_err(|error| explain(&error, designs, &progress, output))?;
    for (index, design) in designs.iter().enumerate().skip(1) {
        comparison.designs[index].changes = changes(&designs[0], design);
    }
    if progress.out_of_time() && !comparison.complete {
        comparison.complete = true;
        for design in &mut comparison.designs {
            design.outcome.run.complete = true;
        }
        if !arguments.execution.quiet {
            let facts = &comparison.designs[0].outcome.run;
            output.note(&format!(
                "time is up after {}; `--replications {} --method {}` simulates the same again",
                numbers::plural(facts.replications, "history"),
                facts.replications,
                simulate::word(facts.method)
            ));
        }
    }
    Ok((comparison, progress.interrupted()))
}

/// What the baseline decides for the others.
fn notes(designs: &[ScenarioFile], arguments: &CompareArguments, output: &mut Output<'_>) {
    let base = &designs[0].loaded.system.run;
    for design in &designs[1..] {
        let theirs = &design.loaded.system.run;
        if arguments.sampling.seed.is_none() && theirs.seed != base.seed {
            output.note(&format!(
                "{}: its seed {} is not used; all designs run with seed {} of the baseline",
                design.name, theirs.seed, base.seed
            ));
        }
        if arguments.sampling.replications.is_none()
            && theirs.replications.is_some()
            && theirs.replications != base.replications
        {
            output.note(&format!(
                "{}: its number of replications is not used; that of the baseline counts",
                design.name
            ));
        }
    }
}

fn changes(base: &ScenarioFile, other: &ScenarioFile) -> Vec<Change> {
    scenario::changes(&base.source, &other.source)
        .into_iter()
        .map(|change| Change {
            kind: match (&change.before, &change.after) {
                (None, _) => ChangeKind::Added,
                (_, None) => ChangeKind::Removed,
                (Some(_), Some(_)) => ChangeKind::Changed,
            },
            path: change.path,
            before: change.before.unwrap_or_default(),
            after: change.after.unwrap_or_default(),
        })
        .collect()
}

/// Says why there is no comparison, at the place in the file that is to blame.
fn explain(
    wrong: &CompareError,
    designs: &[ScenarioFile],
    progress: &Progress,
    output: &mut Output<'_>,
) -> Exit {
    let file = &designs[wrong.design];
    let found = match &wrong.error {
        RunError::Unsuitable {
            line: None,
            message,
            help,
        } if !wrong.path.is_empty() => Some(RunError::Unsuitable {
            line: Some(scenario::line_at(&file.source, wrong.path).unwrap_or(1)),
            message: message.clone(),
            help: help.clone(),
        }),
        _ => None,
    };
    simulate::explain(
        found.as_ref().unwrap_or(&wrong.error),
        file,
        progress,
        output,
    )
}

/// Writes the report, then the summary; the exit code is missed before undecided before regression.
pub(super) fn finish(
    comparison: &Comparison,
    interrupted: bool,
    json: bool,
    directory: &Path,
    output: &mut Output<'_>,
) -> Exit {
    let written = files::write(directory, &report::comparison::files(comparison));
    let page = directory.join("report.html");
    let place = written.is_ok().then(|| page.to_string_lossy());
    if json {
        output.print(&report::comparison::json(comparison));
    } else {
        let text = report::comparison::summary(comparison, place.as_deref(), output.style());
        output.print(&text);
    }
    if let Err(error) = written {
        output.error(&error.to_string());
        return Exit::Failure;
    }
    if interrupted {
        return Exit::Interrupted;
    }
    if !comparison.gate {
        return Exit::Success;
    }
    let candidates = comparison.candidates();
    let any = |verdict| {
        let mut overall = candidates.iter().map(|it| report::overall(&it.outcome));
        overall.any(|it| it == Some(verdict))
    };
    if any(Verdict::Missed) {
        Exit::Missed
    } else if any(Verdict::Undecided) {
        Exit::Undecided
    } else if (0..candidates.len()).any(|candidate| comparison.is_worse(candidate)) {
        Exit::Regression
    } else {
        Exit::Success
    }
}
