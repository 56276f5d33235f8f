//! What was typed.

use super::exit::Exit;
use crate::model::Method;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  fivenines init site.yaml                          a commented scenario to start from
  fivenines run scenarios/article-site.yaml         simulate, summarise, write a report
  fivenines check site.yaml --max-time 30s          the gate for CI: verdicts and an exit code
  fivenines compare now.yaml then.yaml              what a change is worth, with an interval
  fivenines validate scenarios/*.yaml               all mistakes, with line and column
  fivenines explain site.yaml --replication 17      one history, event by event
  fivenines plan site.yaml --replications 100000 --parts 8   a run on several machines
  fivenines run --resume reports/site               go on with a run that was ended early
  fivenines schema > fivenines.schema.json          for completion in editors
  fivenines schema --reference                      every field of a scenario, with examples
";

/// How available and how fast a design will be, why, and what would help.
#[derive(Debug, Parser)]
#[command(
    version,
    before_help = EXAMPLES,
    after_help = Exit::table(),
    max_term_width = 100,
    disable_help_subcommand = true,
    subcommand_required = true
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Simulate a scenario, print a summary, write a report
    #[command(after_help = Exit::table())]
    Run(RunArguments),
    /// Judge the targets of a scenario; writes no files unless --out is given
    #[command(after_help = Exit::table())]
    Check(RunArguments),
    /// Compare designs on the same random numbers: what a change is worth, and why
    #[command(after_help = Exit::table())]
    Compare(CompareArguments),
    /// Find all mistakes in scenarios without simulating them
    Validate(ValidateArguments),
    /// Print one history as a timeline in words
    Explain(ExplainArguments),
    /// Share out a run: what each part costs, and the commands
    Plan(PlanArguments),
    /// Simulate one part of a run, for `merge`
    #[command(after_help = Exit::table())]
    Shard(ShardArguments),
    /// Put the parts of a run together: the result is that of `run`
    #[command(after_help = Exit::table())]
    Merge(MergeArguments),
    /// Write a commented scenario to start from
    Init(InitArguments),
    /// Print the JSON Schema of scenario files, or their reference page
    Schema(SchemaArguments),
}

/// What is simulated, and when it ends.
#[derive(Args, Clone, Debug)]
pub(super) struct Sampling {
    /// Instead of the seed of the scenario, or of the baseline
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// Exactly so many histories, instead of until everything is decided
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) replications: Option<u64>,
    /// How requests are simulated; `exact` also lifts the limit on its cost
    #[arg(long, value_name = "METHOD", value_enum)]
    pub(super) method: Option<MethodArgument>,
    /// End after so much time, at the next whole block of histories, e.g. 30s, 5m, 1h30m
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(super) max_time: Option<Duration>,
}

/// How the work is done, which changes no result.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Execution {
    /// No progress and no notes on standard error
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// How many threads simulate [default: one for each core]; the result is the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
}

#[derive(Args, Clone, Debug)]
pub(super) struct RunArguments {
    /// The scenario; `-` reads it from standard input
    #[arg(value_name = "FILE", required_unless_present = "resume")]
    pub(super) file: Option<PathBuf>,
    /// Where the report goes [default of run: reports/NAME-OF-FILE/]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Go on with the run that was ended early and left its report in DIR; the result is that of a run
    /// without a pause. FILE is only needed if the scenario lies elsewhere now
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub(super) resume: Option<PathBuf>,
    /// Also find how wrong single inputs may be until a target turns
    #[arg(long)]
    pub(super) break_even: bool,
    #[command(flatten)]
    pub(super) sampling: Sampling,
    /// Print result.json instead of the summary
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) execution: Execution,
}

#[derive(Args, Clone, Debug)]
pub(super) struct CompareArguments {
    /// The designs, the baseline first; `-` reads one from standard input
    #[arg(value_name = "FILE", required = true, num_args = 2..)]
    pub(super) files: Vec<PathBuf>,
    /// End with 97 if a candidate is significantly worse in one of these: `availability`,
    /// `latency.p99`, the metric of any target, or `regression` for those of all targets. Targets
    /// count too: 99 if a candidate misses one, 98 if one is undecided
    #[arg(long, value_name = "METRIC", num_args = 1.., value_delimiter = ',')]
    pub(super) fail_on: Vec<String>,
    /// Where the report goes [default: reports/BASELINE-vs-CANDIDATE/]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) sampling: Sampling,
    /// Print comparison.json instead of the summary
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) execution: Execution,
}

/// What a run is that is shared out.
#[derive(Args, Clone, Debug)]
pub(super) struct WholeRun {
    /// How many histories the whole run has [default: the scenario's `run.replications`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) replications: Option<u64>,
    /// Instead of the scenario's seed
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// How requests are simulated; `exact` also lifts the limit on its cost
    #[arg(long, value_name = "METHOD", value_enum)]
    pub(super) method: Option<MethodArgument>,
}

#[derive(Args, Clone, Debug)]
pub(super) struct PlanArguments {
    /// The scenario; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) run: WholeRun,
    /// How many parts; fewer if there are not so many blocks of 1,024 histories
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(super) parts: u64,
    /// Print the plan as JSON: what the run is, `parts[]` with `blocks`, `replications`, `cpu_s` and `command`, and
    /// the `merge` that puts them together
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(super) struct ShardArguments {
    /// The scenario; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) run: WholeRun,
    /// Which part of how many, e.g. 2/4
    #[arg(long, value_name = "I/K", value_parser = part)]
    pub(super) part: Part,
    /// The file that is written
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// Wait for outages even where they would be forced; `merge` says when that is needed
    #[arg(long)]
    pub(super) unforced: bool,
    #[command(flatten)]
    pub(super) execution: Execution,
}

#[derive(Args, Clone, Debug)]
pub(super) struct MergeArguments {
    /// The scenario; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The files of all parts, in any order
    #[arg(value_name = "SHARD", required = true)]
    pub(super) shards: Vec<PathBuf>,
    /// Where the report goes [default: reports/NAME-OF-FILE/]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Also find how wrong single inputs may be until a target turns
    #[arg(long)]
    pub(super) break_even: bool,
    /// Print result.json instead of the summary
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) execution: Execution,
}

/// One part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Counted from 1.
    pub(super) index: u64,
    /// How many there are.
    pub(super) parts: u64,
}

/// `2/4`.
fn part(text: &str) -> Result<Part, String> {
    let numbers = text.split_once('/');
    let numbers = numbers.and_then(|(index, parts)| {
        let (index, parts) = (index.parse().ok()?, parts.parse().ok()?);
        (1..=parts)
            .contains(&index)
            .then_some(Part { index, parts })
    });
    numbers
        .ok_or_else(|| "write the number of the part and of all parts, from 1/4 to 4/4".to_owned())
}

#[derive(Args, Clone, Debug)]
pub(super) struct InitArguments {
    /// A file that does not exist yet; `-`, or no name, prints the scenario
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(super) struct SchemaArguments {
    /// Print the reference page of the language instead, in Markdown
    #[arg(long)]
    pub(super) reference: bool,
}

#[derive(Args, Clone, Debug)]
pub(super) struct ValidateArguments {
    /// The scenarios; `-` reads one from standard input
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(super) struct ExplainArguments {
    /// The scenario; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Which history, counted from 0
    #[arg(long, value_name = "N")]
    pub(super) replication: u64,
    /// Instead of the scenario's seed
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// Begin so long after the start of the history, e.g. 12d8h
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(super) from: Option<Duration>,
    /// Print at most so many events
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(super) limit: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum MethodArgument {
    /// Structure only, no requests
    None,
    /// Every request around each change, samples in between
    Windows,
    /// Every request
    Exact,
}

impl From<MethodArgument> for Method {
    fn from(method: MethodArgument) -> Self {
        match method {
            MethodArgument::None => Self::None,
            MethodArgument::Windows => Self::Windows,
            MethodArgument::Exact => Self::Exact,
        }
    }
}

/// The words of a length of time with their milliseconds; as in scenarios, a year has 365 days.
const UNITS: [(&str, f64); 8] = [
    ("ms", 1.0),
    ("s", 1_000.0),
    ("min", 60_000.0),
    ("m", 60_000.0),
    ("h", 3_600_000.0),
    ("d", 86_400_000.0),
    ("w", 604_800_000.0),
    ("y", 31_536_000_000.0),
];

/// `90s`, `1.5h`, `1h30m`.
fn span(text: &str) -> Result<Duration, String> {
    let hint = "write a number with a unit: ms, s, m, h, d, w, y; e.g. 30s or 1h30m";
    let mut rest = text.trim();
    let mut millis = 0.0;
    if rest.is_empty() {
        return Err(hint.to_owned());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let number: f64 = number.parse().map_err(|_| hint.to_owned())?;
        let (_, size) = UNITS
            .iter()
            .find(|(word, _)| *word == unit)
            .ok_or_else(|| match unit {
                "" => hint.to_owned(),
                "M" => "a bare `M` may mean minutes or months; write m or 30d".to_owned(),
                _ => format!("`{unit}` is not a unit; {hint}"),
            })?;
        millis += number * size;
        rest = after.trim_start();
    }
    Duration::try_from_secs_f64(millis / 1_000.0).map_err(|_| "that is too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn spans_are_numbers_with_units() {
        assert_eq!(span("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(span("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(span("1.5 min"), Err(span("x").unwrap_err()));
        assert_eq!(span("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(span("2d"), Ok(Duration::from_secs(172_800)));
        for wrong in ["", "90", "s", "-3s", "3M", "3 parsecs", "1e400y", "..s"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
        assert!(span("99999999999999999999999y").is_err());
    }
}
