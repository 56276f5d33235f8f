//! What a comparison found out, as plain data: every figure of every design, and what changed.

use super::outcome::{Estimate, Outcome};
use crate::path::Phase;

pub use crate::stats::Difference;

/// Everything a comparison found out. Design 0 is the baseline; candidate `i` is design `i + 1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The designs with what each of them gives, from the same histories.
    pub designs: Vec<Design>,
    /// Whether it ended as planned, not by an interruption.
    pub complete: bool,
    /// How many times the watched metrics were looked at.
    pub looks: u32,
    /// Every figure that the designs share.
    pub figures: Vec<Figure>,
    /// Verdicts and measures of each target, in the order of the baseline's file.
    pub targets: Vec<TargetMove>,
    /// Where it is lost: largest difference first.
    pub causes: Vec<CauseMove>,
    /// What was asked for with `--fail-on`, or else what counts as a regression.
    pub watched: Vec<Watched>,
    /// Whether the watched metrics were asked for, so that a regression is a failure.
    pub gate: bool,
    /// What must be read before the differences are trusted.
    pub warnings: Vec<String>,
}

/// One design.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    /// The name of its file, for people.
    pub file: String,
    /// What it gives, as a run of its own would say it.
    pub outcome: Outcome,
    /// What was changed from the baseline's file; empty for the baseline.
    pub changes: Vec<Change>,
    /// Whether it behaves exactly as the baseline: the same but for names and prices.
    pub same: bool,
}

/// One difference between two files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// Keys from the top of the file, joined by dots.
    pub path: String,
    /// The value in the baseline's file, in one line; empty if there is none.
    pub before: String,
    /// The value in the candidate's file.
    pub after: String,
}

/// What happened to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// Only the candidate has it.
    Added,
    /// Only the baseline has it.
    Removed,
    /// They differ.
    Changed,
}

/// How a figure is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureUnit {
    /// A share of 1.
    Share,
    /// Seconds.
    Seconds,
    /// Seconds per year.
    SecondsPerYear,
    /// A number per year.
    PerYear,
    /// Money per month.
    PerMonth,
}

/// One figure of all designs.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its stable name, e.g. `structural.availability`.
    pub name: String,
    /// Its unit.
    pub unit: FigureUnit,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// By design; `None` where it could not be measured.
    pub values: Vec<Option<Estimate>>,
    /// By candidate: candidate minus baseline.
    pub differences: Vec<Option<Difference>>,
}

/// One target in all designs.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetMove {
    /// As it stands in the file.
    pub expression: String,
    /// Whether what is measured must be at least, not at most, what is required.
    pub at_least: bool,
    /// By candidate: the difference of what the target is judged by; for latency targets the share
    /// of requests within the bound.
    pub differences: Vec<Option<Difference>>,
}

/// One (fault, phase) in all designs.
#[derive(Clone, Debug, PartialEq)]
pub struct CauseMove {
    /// The fault's name, or `load` or `base`.
    pub fault: String,
    /// The phase; `None` for `load` and `base`.
    pub phase: Option<Phase>,
    /// Failed requests per million issued; `None` without traffic.
    pub failed_per_million: Option<Move>,
    /// Downtime, seconds per year; `None` without traffic.
    pub downtime_s_per_year: Option<Move>,
    /// Structural downtime, seconds per year.
    pub structural_downtime_s_per_year: Move,
}

/// A figure of a cause by design, and its differences by candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// By design.
    pub values: Vec<f64>,
    /// By candidate.
    pub differences: Vec<Option<Difference>>,
}

/// What a watched metric says about one candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Significantly worse than the baseline.
    Worse,
    /// Significantly better.
    Better,
    /// The interval contains zero.
    Open,
}

/// A metric that decides whether a candidate is worse.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// As it was asked for.
    pub name: String,
    /// Its unit.
    pub unit: FigureUnit,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// By candidate, with the interval that decides.
    pub rows: Vec<(Judgement, Option<Difference>)>,
}

impl Comparison {
    /// Whether `candidate` is worse in anything that is watched.
    pub fn is_worse(&self, candidate: usize) -> bool {
        self.any(candidate, Judgement::Worse)
    }

    /// Whether `candidate` is better in anything that is watched.
    pub fn is_better(&self, candidate: usize) -> bool {
        self.any(candidate, Judgement::Better)
    }

    fn any(&self, candidate: usize, judgement: Judgement) -> bool {
        self.watched
            .iter()
            .any(|row| row.rows[candidate].0 == judgement)
    }

    /// The candidates, without the baseline.
    pub fn candidates(&self) -> &[Design] {
        &self.designs[1..]
    }

    /// The figure of that name.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}
