//! How long to simulate, from which seed, and how.

use crate::time::SimSpan;
use serde::{Deserialize, Serialize};

/// The `run` part of a scenario, with defaults filled in.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// The length of one replication.
    pub horizon: SimSpan,
    /// Everything random follows from it.
    pub seed: u64,
    /// What the histories begin with.
    pub start: Start,
    /// How requests are simulated; `None`: chosen by what it costs.
    pub method: Option<Method>,
    /// How many replications; `None`: until every target is decided.
    pub replications: Option<u64>,
    /// The length of a slice; `None`: the shortest of 1 s, 10 s and 1 min that expects at least 100
    /// requests in the quietest hour.
    pub slice: Option<SimSpan>,
    /// A slice is bad if its share of good or degraded requests is below this.
    pub bad_below: f64,
}

/// What a history begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// As if it had run for ever: clocks at their equilibrium age, some components down.
    Steady,
    /// Everything new and up.
    New,
}

/// How requests are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// Not at all: structural figures only.
    None,
    /// In full around each transition, by samples in between.
    Windows,
    /// All of them.
    Exact,
}
