//! What a run leaves that was ended early, and how it goes on.

use super::args::RunArguments;
use super::exit::Exit;
use super::files::{self, WriteError};
use super::output::Output;
use super::scenario_file::{self, ScenarioFile, name_of};
use super::shards::quoted;
use super::simulate::word;
use crate::experiment::{
    Checkpoint, CheckpointHeader, Kind, Options, Reader, StoredError, VERSION, Writer,
};
use crate::model::Method;
use crate::report::numbers::plural;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

/// The file beside the report.
const FILE: &str = "resume.fns";

/// What `run` and `check` begin with.
#[derive(Debug)]
pub(super) struct Begun {
    /// The scenario.
    pub(super) file: ScenarioFile,
    /// Its place.
    pub(super) path: PathBuf,
    /// What was typed, now or when the run began.
    pub(super) arguments: RunArguments,
    /// What is to be simulated.
    pub(super) options: Options,
    /// Where the run stands, if it began before.
    pub(super) from: Option<Checkpoint>,
}

/// What is left of a run that was ended early.
#[derive(Debug)]
pub(super) struct Unfinished {
    /// Which run it is.
    pub(super) header: CheckpointHeader,
    /// Where it stands.
    pub(super) checkpoint: Checkpoint,
    /// Whether nothing is to be said about it.
    pub(super) quiet: bool,
}

/// The command of a run with these options.
fn command(options: &Options) -> &'static str {
    if options.verdicts_only {
        "check"
    } else {
        "run"
    }
}

/// Opens the scenario, and with `--resume` what is left of an earlier run; on a mistake says so and gives
/// the exit code.
pub(super) fn open(
    arguments: &RunArguments,
    verdicts_only: bool,
    output: &mut Output<'_>,
) -> Result<Begun, Exit> {
    let mut arguments = arguments.clone();
    let Some(directory) = arguments.resume.clone() else {
        let path = arguments.file.clone().unwrap_or_else(|| "-".into());
        return Ok(Begun {
            file: scenario_file::open(&path, output)?,
            path,
            options: Options {
                seed: arguments.sampling.seed,
                replications: arguments.sampling.replications,
                method: arguments.sampling.method.map(Method::from),
                verdicts_only,
                ..Options::default()
            },
            arguments,
            from: None,
        });
    };
    let place = directory.join(FILE);
    let (header, checkpoint) = read(&place, output)?;
    let wrong = |what: &str, output: &mut Output<'_>| {
        output.error(&format!("{}: {what}", name_of(&place)));
        Err(Exit::Usage)
    };
    let options = header.options;
    if options.verdicts_only != verdicts_only {
        let own = command(&options);
        return wrong(
            &format!("is of `{own}`: `fivenines {own} --resume DIR` goes on from it"),
            output,
        );
    }
    let path = match arguments.file.take() {
        Some(path) => path,
        None if header.file == "-" => {
            return wrong(
                "the scenario came from standard input: give it again, `-` before `--resume`",
                output,
            );
        }
        None => PathBuf::from(&header.file),
    };
    let file = match scenario_file::open(&path, output) {
        Ok(file) => file,
        Err(exit) => {
            output.note("help: if the scenario lies elsewhere now, name it: `FILE --resume DIR`");
            return Err(exit);
        }
    };
    if header.hash != file.loaded.hash {
        let (hash, own) = (&header.hash, &file.loaded.hash);
        return wrong(
            &format!(
                "is of another scenario (hash {hash}), and {} has hash {own}; run it anew",
                file.name
            ),
            output,
        );
    }
    if let Some(what) = differs(&arguments, &options, header.break_even, &file) {
        return wrong(&format!("{what}; leave it out, or run anew"), output);
    }
    arguments.break_even = header.break_even;
    arguments.out = Some(directory);
    Ok(Begun {
        file,
        path,
        arguments,
        options,
        from: Some(checkpoint),
    })
}

/// Reads a checkpoint, once it is known to be whole and of this version.
fn read(place: &Path, output: &mut Output<'_>) -> Result<(CheckpointHeader, Checkpoint), Exit> {
    let open = || Reader::new(BufReader::new(files::open_plain(place)?), Kind::Checkpoint);
    let verified = open().and_then(Reader::verify).and_then(|()| {
        let mut reader = open()?;
        let header: CheckpointHeader = reader.frame()?;
        // What another version wrote may have another form.
        let same = header.version == VERSION;
        let checkpoint = same.then(|| reader.frame()).transpose()?;
        Ok((header, checkpoint))
    });
    let name = name_of(place);
    match verified {
        Ok((header, Some(checkpoint))) => Ok((header, checkpoint)),
        Ok((header, None)) => {
            output.error(&format!(
                "{name}: was left by fivenines {}, and this is {VERSION}: results of two versions may \
                 differ; go on with that version, or run anew",
                header.version
            ));
            Err(Exit::Usage)
        }
        Err(StoredError::Io(error)) if error.kind() == ErrorKind::NotFound => {
            output.error(&format!(
                "{name}: there is no such file: a run leaves it if it is ended early, and takes it away \
                 when it is finished"
            ));
            Err(Exit::Usage)
        }
        Err(error) => {
            output.error(&format!("{name}: {error}"));
            Err(Exit::Usage)
        }
    }
}

/// In what the arguments differ from those of the run that is to go on.
fn differs(
    arguments: &RunArguments,
    options: &Options,
    break_even: bool,
    file: &ScenarioFile,
) -> Option<String> {
    let run = &file.loaded.system.run;
    let seed = options.seed.unwrap_or(run.seed);
    if let Some(typed) = arguments.sampling.seed.filter(|&typed| typed != seed) {
        return Some(format!(
            "its seed is {seed}, and `--seed {typed}` is asked for"
        ));
    }
    let of = options.replications.or(run.replications);
    if let Some(typed) = arguments
        .sampling
        .replications
        .filter(|&typed| Some(typed) != of)
    {
        let own = of.map_or_else(
            || "as many histories as its targets need".to_owned(),
            |of| plural(of, "history"),
        );
        return Some(format!(
            "it has {own}, and `--replications {typed}` is asked for"
        ));
    }
    let typed = arguments.sampling.method.map(Method::from);
    if let Some(typed) = typed.filter(|&typed| Some(typed) != options.method) {
        let own = options.method.map_or("left to the scenario", word);
        let typed = word(typed);
        return Some(format!(
            "its method is {own}, and `--method {typed}` is asked for"
        ));
    }
    (arguments.break_even && !break_even)
        .then(|| "it has no break-even factors, and `--break-even` is asked for".to_owned())
}

/// Leaves what is unfinished beside the report, or takes away what an earlier run has left.
pub(super) fn leave(
    unfinished: Option<&Unfinished>,
    directory: &Path,
    output: &mut Output<'_>,
) -> Result<(), WriteError> {
    let place = directory.join(FILE);
    let Some(unfinished) = unfinished else {
        return files::remove(&place);
    };
    let mut begun = files::begin(&place)?;
    let written = Writer::new(begun.writer(), Kind::Checkpoint).and_then(|mut writer| {
        writer.frame(&unfinished.header)?;
        writer.frame(&unfinished.checkpoint)?;
        writer.finish().map(drop)
    });
    written.map_err(|error| begun.wrong(error))?;
    begun.finish()?;
    if !unfinished.quiet {
        output.note(&format!(
            "{} are kept: `fivenines {} --resume {}` goes on from there",
            plural(unfinished.checkpoint.histories(), "history"),
            command(&unfinished.header.options),
            quoted(directory)
        ));
    }
    Ok(())
}
