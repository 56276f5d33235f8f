//! `plan` and `shard`: a run in parts, on any number of machines.

use super::args::{MethodArgument, Part, PlanArguments, ShardArguments};
use super::exit::Exit;
use super::output::Output;
use super::progress::Progress;
use super::scenario_file::{self, ScenarioFile};
use super::simulate::{self, How};
use super::{files, run};
use crate::experiment::{
    self, Kind, Options, RunError, ShardHeader, Sharded, VERSION, Watch, Writer,
};
use crate::model::Method;
use crate::report::numbers::{self, plural};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// How the shards of a run are asked for.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// The scenario's file.
    pub(super) file: &'a Path,
    /// Histories of the whole run.
    pub(super) replications: u64,
    /// The seed, if it is not the scenario's.
    pub(super) seed: Option<u64>,
    /// The method, if it is asked for by name.
    pub(super) method: Option<Method>,
    /// Whether outages must not be forced.
    pub(super) unforced: bool,
    /// Where the files of shards lie.
    pub(super) folder: &'a Path,
}

impl Asked<'_> {
    /// What the file of a part is called.
    fn shard_file(&self, index: u64, parts: u64) -> PathBuf {
        let mut name = run::stem(self.file).to_owned();
        let kind = if self.unforced { "-unforced" } else { "" };
        name.push(format!("-{index}of{parts}{kind}.fns"));
        self.folder.join(name)
    }

    /// The command that makes it.
    pub(super) fn shard(&self, index: u64, parts: u64) -> String {
        let mut words = vec![
            "fivenines shard".to_owned(),
            quoted(self.file),
            format!(
                "--replications {} --part {index}/{parts}",
                self.replications
            ),
        ];
        words.extend(self.seed.map(|seed| format!("--seed {seed}")));
        let method = self.method.map(simulate::word);
        words.extend(method.map(|word| format!("--method {word}")));
        words.extend(self.unforced.then(|| "--unforced".to_owned()));
        words.push(format!("--out {}", quoted(&self.shard_file(index, parts))));
        words.join(" ")
    }

    /// The command that puts all of them together.
    fn merge(&self, parts: u64) -> String {
        let files = (1..=parts).map(|index| quoted(&self.shard_file(index, parts)));
        let files: Vec<String> = files.collect();
        let file = quoted(self.file);
        format!("fivenines merge {file} {}", files.join(" "))
    }
}

/// A path as a shell reads it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=@%,:".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// What `plan` and `shard` ask of a run of which nobody simulates more than `blocks` alone.
fn options(
    seed: Option<u64>,
    replications: Option<u64>,
    method: Option<MethodArgument>,
    blocks: u64,
) -> Options {
    Options {
        seed,
        replications,
        method: method.map(Method::from),
        blocks: Some(blocks),
        ..Options::default()
    }
}

/// `blocks 3 to 5`, counted from 1.
fn words(blocks: &Range<u64>) -> String {
    if blocks.end - blocks.start == 1 {
        format!("block {}", blocks.end)
    } else {
        format!("blocks {} to {}", blocks.start + 1, blocks.end)
    }
}

/// How many blocks a part has at most.
fn largest(file: &ScenarioFile, replications: Option<u64>, parts: u64) -> u64 {
    let all = replications.or(file.loaded.system.run.replications);
    let blocks = all.unwrap_or(0).div_ceil(crate::estimate::BLOCK);
    blocks.div_ceil(parts)
}

pub(super) fn plan(arguments: &PlanArguments, output: &mut Output<'_>) -> Exit {
    let file = match scenario_file::open(&arguments.file, output) {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    let typed = &arguments.run;
    let most = largest(&file, typed.replications, arguments.parts);
    let options = options(typed.seed, typed.replications, typed.method, most);
    let sharded = match Sharded::without_pilot(&file.loaded.system, &options) {
        Ok(sharded) => sharded,
        Err(error) => return simulate::explain(&error, &file, &Progress::default(), output),
    };
    let blocks = sharded.blocks();
    let parts = arguments.parts.min(blocks);
    let asked = Asked {
        file: &arguments.file,
        replications: sharded.replications(),
        seed: typed.seed,
        method: options.method,
        unforced: false,
        folder: Path::new(""),
    };
    if parts < arguments.parts {
        output.note(&format!(
            "{} make {}, so there are {} and not {}",
            plural(sharded.replications(), "history"),
            plural(blocks, "block"),
            plural(parts, "part"),
            numbers::count(arguments.parts),
        ));
    }
    let ranges = (1..=parts).map(|index| (index, experiment::part(blocks, index, parts)));
    if arguments.json {
        let rows = ranges.map(|(index, range)| {
            serde_json::json!({
                "part": index,
                "blocks": {"first": range.start, "count": range.end - range.start},
                "replications": sharded.histories(&range),
                "cpu_s": sharded.cpu_s(range.end - range.start),
                "command": asked.shard(index, parts),
            })
        });
        let plan = serde_json::json!({
            "format": 1,
            "version": VERSION,
            "scenario": {"name": file.loaded.system.name, "hash": file.loaded.hash},
            "seed": sharded.seed(),
            "method": simulate::word(sharded.method()),
            "replications": sharded.replications(),
            "blocks": blocks,
            "cpu_s": sharded.cpu_s(blocks),
            "parts": rows.collect::<Vec<_>>(),
            "merge": asked.merge(parts),
        });
        output.print(&format!("{plan:#}\n"));
        return Exit::Success;
    }
    let mut text = format!("{}\n\n", sharded.words());
    for (index, range) in ranges.clone() {
        let cpu_s = sharded.cpu_s(range.end - range.start).max(1.0);
        text += &format!(
            "part {index} of {parts}: {}, {}, about {} of CPU time\n",
            words(&range),
            plural(sharded.histories(&range), "history"),
            numbers::short_span(cpu_s),
        );
    }
    text += "\nAnywhere, with this version and this scenario:\n";
    for (index, _) in ranges {
        text += &format!("  {}\n", asked.shard(index, parts));
    }
    text += &format!("Then, with all files together:\n  {}\n", asked.merge(parts));
    output.print(&text);
    Exit::Success
}

pub(super) fn shard(arguments: &ShardArguments, output: &mut Output<'_>) -> Exit {
    let file = match scenario_file::open(&arguments.file, output) {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    let Part { index, parts } = arguments.part;
    let typed = &arguments.run;
    let most = largest(&file, typed.replications, parts);
    let options = options(typed.seed, typed.replications, typed.method, most);
    let progress = Progress::default();
    let sharded = match Sharded::without_pilot(&file.loaded.system, &options) {
        Ok(sharded) => sharded,
        Err(error) => return simulate::explain(&error, &file, &progress, output),
    };
    let blocks = sharded.blocks();
    if parts > blocks {
        output.error(&format!(
            "--part {index}/{parts}: {} make {}, which cannot be shared out to {parts}",
            plural(sharded.replications(), "history"),
            plural(blocks, "block"),
        ));
        output.note(&format!(
            "help: use at most {blocks} parts; `fivenines plan` prints the commands"
        ));
        return Exit::Usage;
    }
    let range = experiment::part(blocks, index, parts);
    let begun = match files::begin(&arguments.out) {
        Ok(begun) => begun,
        Err(error) => {
            output.error(&error.to_string());
            return Exit::Failure;
        }
    };
    if !arguments.execution.quiet {
        output.note(&format!(
            "{} of {}: {}",
            words(&range),
            numbers::count(blocks),
            sharded.words()
        ));
    }
    let how = How {
        quiet: arguments.execution.quiet,
        threads: arguments.execution.threads,
        max_time: None,
    };
    let made = simulate::under_way(how, &progress, output, || {
        let sharded = Sharded::new(&file.loaded.system, &options, arguments.unforced)?;
        let header = ShardHeader {
            version: VERSION.to_owned(),
            hash: file.loaded.hash.clone(),
            seed: sharded.seed(),
            replications: sharded.replications(),
            method: sharded.method(),
            typed: options.method,
            forced: sharded.forced(),
            blocks: range.clone(),
            part: (index, parts),
        };
        write(&sharded, &header, &progress, begun)
    });
    match made {
        Err(exit) => exit,
        Ok(Err(Stopped::Run(RunError::Interrupted))) => {
            output.error("interrupted: a shard appears whole or not at all, so none was written");
            Exit::Interrupted
        }
        Ok(Err(Stopped::Run(error))) => simulate::explain(&error, &file, &progress, output),
        Ok(Err(Stopped::Write(error))) => {
            output.error(&error.to_string());
            Exit::Failure
        }
        Ok(Ok(())) => {
            if !arguments.execution.quiet {
                output.note(&format!("wrote {}", scenario_file::name_of(&arguments.out)));
            }
            Exit::Success
        }
    }
}

/// Why there is no shard.
#[derive(Debug)]
enum Stopped {
    Run(RunError),
    Write(files::WriteError),
}

impl From<RunError> for Stopped {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

/// Simulates, and writes group by group, so that memory holds only a few.
fn write(
    sharded: &Sharded<'_>,
    header: &ShardHeader,
    watch: &dyn Watch,
    mut begun: files::Begun,
) -> Result<(), Stopped> {
    let mut wrong = None;
    {
        let opened = Writer::new(begun.writer(), Kind::Shard).and_then(|mut writer| {
            writer.frame(header)?;
            Ok(writer)
        });
        let mut writer = match opened {
            Ok(writer) => writer,
            Err(error) => return Err(Stopped::Write(begun.wrong(error))),
        };
        let ended = sharded.simulate(header.blocks.clone(), watch, &mut |found| {
            if wrong.is_none() {
                wrong = writer.frame(&found).err();
            }
            wrong.is_none()
        });
        if wrong.is_none() {
            ended.map_err(Stopped::Run)?;
            wrong = writer.finish().err();
        }
    }
    match wrong {
        Some(error) => Err(Stopped::Write(begun.wrong(error))),
        None => begun.finish().map_err(Stopped::Write),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_a_shell() {
        let check = |path: &str, expected: &str| assert_eq!(quoted(Path::new(path)), expected);
        check("a/b-1.yaml", "a/b-1.yaml");
        check("my site.yaml", "'my site.yaml'");
        check("it's.yaml", r"'it'\''s.yaml'");
        check("$(x)", "'$(x)'");
    }
}
