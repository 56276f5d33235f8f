//! Whom a failure is attributed to: a fault, and how far its handling had come.

use crate::ids::FaultId;

/// A phase of an incident, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nobody has noticed.
    Detect,
    /// Noticed; who takes over is being decided.
    Decide,
    /// The chosen one is being promoted.
    Promote,
    /// The change is on its way to those who must know.
    Converge,
    /// Waiting for the repair.
    Repair,
    /// Repaired; starting, refilling, working off a backlog.
    WarmUp,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: [Self; 6] = [
        Self::Detect,
        Self::Decide,
        Self::Promote,
        Self::Converge,
        Self::Repair,
        Self::WarmUp,
    ];

    /// The word of the reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Decide => "decide",
            Self::Promote => "promote",
            Self::Converge => "converge",
            Self::Repair => "repair",
            Self::WarmUp => "warm up",
        }
    }
}

/// Whom a failure is attributed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blame {
    /// The fault.
    pub fault: FaultId,
    /// How far its handling had come.
    pub phase: Phase,
}
