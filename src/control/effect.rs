//! What faults do to the slots that they affect.

use super::stops::Stop;
use crate::ids::{DomainId, SlotId};
use crate::model::{Component, FaultKind, OutageKind};

/// What a fault does to the slots it affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The process of this slot, which starts at once, ends.
    Lone(SlotId),
    /// They stop for this reason.
    Stop(Stop),
    /// The same, with the machine they are on: what else runs there stops too.
    Machine(Stop),
    /// They become slow, or answer with errors.
    Impair,
    /// This domain is cut off with them.
    Isolation(DomainId),
}

impl Effect {
    /// Whether processes end by it.
    pub(super) fn ends_process(self) -> bool {
        match self {
            Self::Lone(_) => true,
            Self::Stop(stop) | Self::Machine(stop) => stop != Stop::Paused,
            Self::Impair | Self::Isolation(_) => false,
        }
    }
}

/// What a fault of this kind does to what it affects.
pub(super) fn effect(component: Component, kind: FaultKind) -> Effect {
    let stop = match kind {
        FaultKind::Slow { .. }
        | FaultKind::Errors { .. }
        | FaultKind::Outage(OutageKind::Errors) => return Effect::Impair,
        // A third party without a sign of life is like one whose machine is gone.
        FaultKind::Outage(OutageKind::Silent) => return Effect::Stop(Stop::Machine),
        FaultKind::Outage(OutageKind::Refused) => return Effect::Stop(Stop::Process),
        FaultKind::Hang => Stop::Hung,
        FaultKind::Pause => Stop::Paused,
        FaultKind::Crash
        | FaultKind::Power
        | FaultKind::Isolated
        | FaultKind::Common
        | FaultKind::Maintenance
        | FaultKind::Rollout
        | FaultKind::Release
        | FaultKind::Configuration
        | FaultKind::Certificate => Stop::Machine,
    };
    match component {
        // It does nothing itself; the faults that it starts do.
        Component::Common(_) => Effect::Stop(Stop::Process),
        // What all replicas share never has a machine of its own.
        Component::Pool(_) | Component::Balancer(_) => Effect::Stop(Stop::Process),
        Component::Slot(_) if stop == Stop::Machine => Effect::Stop(Stop::Process),
        Component::Slot(_) => Effect::Stop(stop),
        Component::Domain(domain) if kind == FaultKind::Isolated => Effect::Isolation(domain),
        Component::Node(_) | Component::Domain(_) => Effect::Machine(stop),
    }
}
