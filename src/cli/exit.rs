//! How the program ends: every exit code, in one place.

use std::fmt::Write;
use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or all targets met.
    Success = 0,
    /// The program or the machine failed; trying again may help.
    Failure = 1,
    /// Wrong arguments or an invalid scenario; trying again does not help.
    Usage = 2,
    /// Shards are missing from a merge.
    MergeIncomplete = 3,
    /// Worse than the baseline.
    Regression = 97,
    /// A target is neither met nor missed within the budget.
    Undecided = 98,
    /// A target is missed.
    Missed = 99,
    /// Interrupted; the partial result was written.
    Interrupted = 130,
}

impl Exit {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Success,
        Self::Failure,
        Self::Usage,
        Self::MergeIncomplete,
        Self::Regression,
        Self::Undecided,
        Self::Missed,
        Self::Interrupted,
    ];

    /// The code that the calling process sees.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "done; check: all targets met",
            Self::Failure => "internal or I/O error",
            Self::Usage => "wrong usage or invalid scenario",
            Self::MergeIncomplete => "merge incomplete",
            Self::Regression => {
                "compare: regression against the baseline, no target is missed or undecided"
            }
            Self::Undecided => {
                "check, compare: a target is undecided after the budget, none is missed"
            }
            Self::Missed => "check, compare: a target is missed",
            Self::Interrupted => "interrupted, partial result written if there was one",
        }
    }

    /// The table of the help text.
    pub(super) fn table() -> String {
        let mut text = "Exit codes:\n".to_owned();
        for exit in Self::ALL {
            let _ = writeln!(text, "  {:>3}  {}", exit.code(), exit.meaning());
        }
        text
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
