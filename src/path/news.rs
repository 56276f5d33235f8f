//! What traffic has to tell control: overload acts back on it.

use crate::ids::SlotId;
use crate::time::SimTime;

/// What became of a probe that workers answer and that found none of them free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeNews {
    /// When.
    pub at: SimTime,
    /// The instance of a balancer that probes.
    pub instance: SlotId,
    /// The index of the member in the balancer's pool.
    pub member: u32,
    /// When the probe started.
    pub started: SimTime,
    /// What became of it.
    pub probe: ProbeState,
}

/// What became of such a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeState {
    /// It queues.
    Waits,
    /// It was answered in time.
    Passed,
    /// It was not, or the queue was full.
    Failed,
}
