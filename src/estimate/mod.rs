//! Drives the two clocks: plans units of work, runs one, folds records. Owns no thread.

use crate::ids::JourneyId;
use crate::model::System;
use crate::path::Transition;

/// One entry of a history.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What happened, and when.
    pub transition: Transition,
    /// Whether every journey can be served after it, whatever the balancers know.
    pub up: bool,
    /// The journeys that cannot.
    pub journeys_down: Vec<JourneyId>,
}

/// Replays the control state of one replication over the horizon, in order of time.
pub fn history(system: &System, seed: u64, replication: u64, visit: &mut dyn FnMut(&Entry)) {
    let _ = (system, seed, replication, visit);
}
