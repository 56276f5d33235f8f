//! Many replications: cost, plan, blocks, looks; the outcome as plain data.

mod alike;
mod amounts;
mod break_even;
mod compare;
pub mod comparison;
mod cost;
mod downtimes;
mod facts;
mod figures;
mod forced;
mod in_order;
mod inputs;
mod links;
mod losses;
mod metrics;
mod moves;
pub mod outcome;
mod parts;
mod pilot;
mod queues;
mod refills;
mod run;
mod scaled;
mod shard;
mod stored;
mod summary;
mod turning;
mod turns;
mod unbounded;
mod verdict;
mod warm_up;

pub use break_even::break_even;
pub use compare::{CompareError, Input, compare, cost_together};
pub use cost::{Cost, check_history, plan};
pub use figures::{Figures, YEAR_S};
pub use inputs::inputs;
pub use run::{Checkpoint, run, run_from};
pub use shard::{Merge, Sharded, part, parts_of};
pub use stored::{CheckpointHeader, Kind, Reader, ShardHeader, StoredError, VERSION, Writer};

use crate::model::Method;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the caller of a run may set; `None` leaves it to the scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Instead of the scenario's seed.
    pub seed: Option<u64>,
    /// Exactly this many replications, instead of going on until every target is decided.
    pub replications: Option<u64>,
    /// How requests are simulated. `Some(Method::Exact)` also lifts the limit on its cost.
    pub method: Option<Method>,
    /// Whether to end as soon as every target is decided, with whatever figures there are then.
    pub verdicts_only: bool,
    /// That nobody simulates more than so many blocks alone, so that only these must not cost too much.
    pub blocks: Option<u64>,
}

/// Somebody who watches a run, and may end it.
pub trait Watch: Sync {
    /// `done` of about `total` units of work are done; `total` may grow. Called often, by any thread.
    fn progress(&self, done: u64, total: u64);
    /// Whether the run shall end as soon as it can, keeping what is whole. Polled often, by any thread.
    fn stop(&self) -> bool;
    /// Whether the run shall end with the block that is being worked on. Polled at block borders.
    fn enough(&self) -> bool {
        false
    }
}

/// Why a run did not give an outcome.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RunError {
    /// It would cost more than the limit; nothing was simulated.
    TooCostly {
        /// The line of the scenario that is responsible.
        line: u32,
        /// What it would cost, and the limit.
        message: String,
        /// What to do.
        help: String,
    },
    /// The method cannot give a true answer for this scenario; nothing is reported.
    Unsuitable {
        /// The line of the scenario that is responsible, if there is one.
        line: Option<u32>,
        /// What does not fit.
        message: String,
        /// What to do.
        help: String,
    },
    /// It was stopped before anything was whole, so there is nothing to report.
    Interrupted,
    /// A count did not add up: a bug in this program, never in the scenario.
    Internal(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooCostly { message, help, .. } | Self::Unsuitable { message, help, .. } => {
                write!(f, "{message}; {help}")
            }
            Self::Interrupted => f.write_str("stopped before anything could be reported"),
            Self::Internal(what) => write!(f, "internal error: {what}"),
        }
    }
}

impl std::error::Error for RunError {}
