//! `merge`: the shards of a run put together; the result is that of the run.

use super::args::MergeArguments;
use super::exit::Exit;
use super::files;
use super::output::Output;
use super::progress::Progress;
use super::run;
use super::scenario_file::{self, ScenarioFile, name_of};
use super::shards::Asked;
use super::simulate::{self, How, Simulated};
use crate::estimate::{GROUPS, GroupRecord};
use crate::experiment::outcome::Outcome;
use crate::experiment::{
    self, Kind, Options, Reader, RunError, ShardHeader, Sharded, StoredError, VERSION, Watch,
};
use crate::report::numbers::plural;
use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A file of a shard that is whole.
#[derive(Debug)]
struct Shard {
    path: PathBuf,
    header: ShardHeader,
}

impl Shard {
    fn open(path: &Path) -> Result<Reader<BufReader<File>>, StoredError> {
        Reader::new(BufReader::new(files::open_plain(path)?), Kind::Shard)
    }

    /// Reads all of a file, and keeps its header.
    fn check(path: &Path) -> Result<Self, StoredError> {
        if path.is_dir() {
            return Err(StoredError::Io(std::io::ErrorKind::IsADirectory.into()));
        }
        Self::open(path)?.verify()?;
        Ok(Self {
            path: path.to_owned(),
            header: Self::open(path)?.frame()?,
        })
    }

    fn name(&self) -> String {
        name_of(&self.path)
    }
}

/// Why there is no result.
enum Wrong {
    Run(RunError),
    Stored(String, StoredError),
    /// Forced outages cannot be believed, and shards without are missing.
    Distrusted(String, Vec<Range<u64>>),
}

impl From<RunError> for Wrong {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

pub(super) fn merge(arguments: &MergeArguments, output: &mut Output<'_>) -> Exit {
    let file = match scenario_file::open(&arguments.file, output) {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    let shards = match read(&arguments.shards, &file, output) {
        Ok(shards) => shards,
        Err(exit) => return exit,
    };
    let (forced, unforced): (Vec<Shard>, Vec<Shard>) =
        shards.into_iter().partition(|shard| shard.header.forced);
    let header = forced.first().or(unforced.first());
    let header = &header.expect("there is a file at least").header;
    let options = Options {
        seed: Some(header.seed),
        replications: Some(header.replications),
        method: header.typed,
        ..Options::default()
    };
    let draws = match file.draws(&arguments.file, options.seed) {
        Ok(draws) => draws,
        Err(problems) => {
            output.error_text(&problems.render(output.err_colour()));
            return Exit::Usage;
        }
    };
    let progress = Progress::default();
    let how = How {
        quiet: arguments.execution.quiet,
        threads: arguments.execution.threads,
        max_time: None,
    };
    let planned = simulate::under_way(how, &progress, output, || {
        Sharded::new(&file.loaded.system, &of_others(&options), false)
    });
    let sharded = match planned {
        Err(exit) => return exit,
        Ok(Err(error)) => return simulate::explain(&error, &file, &progress, output),
        Ok(Ok(sharded)) => sharded,
    };
    let own = file.loaded.system.run.seed;
    let asked = Asked {
        file: &arguments.file,
        replications: sharded.replications(),
        seed: options.seed.filter(|&seed| seed != own),
        method: options.method,
        unforced: false,
        folder: arguments.shards[0].parent().unwrap_or(Path::new("")),
    };
    let main = if sharded.forced() { &forced } else { &unforced };
    let gaps = missing(main, sharded.blocks());
    if !gaps.is_empty() {
        if sharded.forced() && !unforced.is_empty() {
            output
                .note("parts made with `--unforced` only count beside all that were made without");
        }
        return incomplete(&gaps, main, &asked, sharded.blocks(), output);
    }
    let directory = run::directory_of(arguments.out.as_deref(), &arguments.file);
    let made = match run::prepare(&directory, output) {
        Ok(made) => made,
        Err(exit) => return exit,
    };
    let after = simulate::Afterwards {
        file: &file,
        draws: &draws,
        options: &options,
        break_even: arguments.break_even,
    };
    let together = simulate::under_way(how, &progress, output, || {
        let mut outcome = together(&sharded, &file, &options, (main, &unforced), &progress)?;
        after.follow(&mut outcome, &progress)?;
        Ok(outcome)
    });
    let wrong = match together {
        Ok(Ok(outcome)) => {
            let simulated = Simulated {
                outcome,
                interrupted: progress.interrupted(),
                unfinished: None,
            };
            return run::finish(&simulated, arguments.json, &directory, output);
        }
        Ok(Err(wrong)) => wrong,
        Err(exit) => {
            run::take_away(made);
            return exit;
        }
    };
    run::take_away(made);
    match wrong {
        Wrong::Run(error) => simulate::explain(&error, &file, &progress, output),
        Wrong::Stored(name, error) => {
            output.error(&format!("{name}: {error}"));
            Exit::Usage
        }
        Wrong::Distrusted(reason, gaps) => {
            output.error(&format!(
                "forced outages cannot be believed here, because {reason}: all blocks are needed without"
            ));
            let asked = Asked {
                unforced: true,
                ..asked
            };
            let exit = incomplete(&gaps, &unforced, &asked, sharded.blocks(), output);
            output.note("help: then merge them together with the files that there are");
            exit
        }
    }
}

/// The options of somebody who simulates no block: whoever did knew what it costs.
fn of_others(options: &Options) -> Options {
    Options {
        blocks: Some(0),
        ..options.clone()
    }
}

/// Reads all files, and sees that they belong together and to the scenario; in order of their blocks.
fn read(
    paths: &[PathBuf],
    file: &ScenarioFile,
    output: &mut Output<'_>,
) -> Result<Vec<Shard>, Exit> {
    let mut shards: Vec<Shard> = Vec::new();
    let mut wrong = false;
    for path in paths {
        match Shard::check(path) {
            Ok(shard) => shards.push(shard),
            Err(error) => {
                output.error(&format!("{}: {error}", name_of(path)));
                wrong = true;
            }
        }
    }
    for shard in &shards {
        let differs = of_scenario(&shard.header, file)
            .or_else(|| apart(&shards[0], shard).filter(|_| !wrong));
        if let Some(what) = differs {
            output.error(&format!("{}: {what}", shard.name()));
            wrong = true;
        }
    }
    if wrong {
        return Err(Exit::Usage);
    }
    shards.sort_by_key(|shard| (shard.header.forced, shard.header.blocks.start));
    let of = |shard: &Shard| (shard.header.forced, shard.header.blocks.clone());
    let common = shards.windows(2).find(|two| {
        let ((kind, one), (other, two)) = (of(&two[0]), of(&two[1]));
        kind == other && two.start < one.end
    });
    if let Some(two) = common {
        output.error(&format!(
            "{} and {} have blocks in common: each block must be there once",
            two[0].name(),
            two[1].name()
        ));
        return Err(Exit::Usage);
    }
    Ok(shards)
}

/// In what a shard differs from what this program would make of the scenario.
fn of_scenario(header: &ShardHeader, file: &ScenarioFile) -> Option<String> {
    if header.version != VERSION {
        return Some(format!(
            "was made by fivenines {}, and this is {VERSION}: results of two versions may differ",
            header.version
        ));
    }
    (header.hash != file.loaded.hash).then(|| {
        format!(
            "is a shard of another scenario (hash {}), and {} has hash {}",
            header.hash, file.name, file.loaded.hash
        )
    })
}

/// In what two shards differ that must be alike.
fn apart(first: &Shard, other: &Shard) -> Option<String> {
    let (one, two) = (&first.header, &other.header);
    let method = |header: &ShardHeader| simulate::word(header.method).to_owned();
    let rows = [
        ("seed", one.seed.to_string(), two.seed.to_string()),
        (
            "number of histories",
            one.replications.to_string(),
            two.replications.to_string(),
        ),
        ("method", method(one), method(two)),
    ];
    let (what, one, two) = rows.into_iter().find(|(_, one, two)| one != two)?;
    let first = first.name();
    Some(format!("its {what} is {two}, and that of {first} is {one}"))
}

/// The blocks that no shard has.
fn missing(shards: &[Shard], blocks: u64) -> Vec<Range<u64>> {
    let mut gaps = Vec::new();
    let mut next = 0;
    for Range { start, end } in shards.iter().map(|shard| shard.header.blocks.clone()) {
        if start > next {
            gaps.push(next..start);
        }
        next = end;
    }
    if next < blocks {
        gaps.push(next..blocks);
    }
    gaps
}

/// Says which parts are missing, and how they are made.
fn incomplete(
    gaps: &[Range<u64>],
    shards: &[Shard],
    asked: &Asked<'_>,
    blocks: u64,
    output: &mut Output<'_>,
) -> Exit {
    let lacking = gaps.iter().map(|gap| gap.end - gap.start).sum();
    output.error(&format!(
        "{} of {} missing; these commands make {}:",
        plural(lacking, "block"),
        crate::report::numbers::count(blocks),
        if lacking == 1 { "it" } else { "them" },
    ));
    let likely: Vec<u64> = shards.iter().map(|shard| shard.header.part.1).collect();
    for gap in gaps {
        let (indices, parts) = experiment::parts_of(gap, blocks, &likely);
        for index in indices {
            output.note(&format!("  {}", asked.shard(index, parts)));
        }
    }
    Exit::MergeIncomplete
}

/// Folds all groups, and if their forced outages cannot be believed, all groups without.
fn together(
    sharded: &Sharded<'_>,
    file: &ScenarioFile,
    options: &Options,
    (main, unforced): (&[Shard], &[Shard]),
    watch: &dyn Watch,
) -> Result<Outcome, Wrong> {
    let merged = fold(sharded, main, watch)?;
    let hash = &file.loaded.hash;
    let Some(reason) = merged.distrust() else {
        return Ok(merged.outcome(hash, None, watch)?);
    };
    let gaps = missing(unforced, sharded.blocks());
    if !gaps.is_empty() {
        return Err(Wrong::Distrusted(reason, gaps));
    }
    let sharded = Sharded::new(&file.loaded.system, &of_others(options), true)?;
    let merged = fold(&sharded, unforced, watch)?;
    Ok(merged.outcome(hash, Some(reason), watch)?)
}

fn fold<'a>(
    sharded: &'a Sharded<'_>,
    shards: &[Shard],
    watch: &dyn Watch,
) -> Result<experiment::Merge<'a>, Wrong> {
    let mut merged = sharded.merge();
    let total = sharded.blocks() * GROUPS;
    let mut done = 0;
    for shard in shards {
        let wrong = |error| Wrong::Stored(shard.name(), error);
        let mut reader = Shard::open(&shard.path).map_err(wrong)?;
        let _: ShardHeader = reader.frame().map_err(wrong)?;
        let Range { start, end } = shard.header.blocks;
        for _ in 0..(end - start) * GROUPS {
            if watch.stop() {
                return Err(RunError::Interrupted.into());
            }
            let found: GroupRecord = reader.frame().map_err(wrong)?;
            merged.push(&found);
            done += 1;
            watch.progress(done, total);
        }
    }
    Ok(merged)
}
