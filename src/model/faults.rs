//! What happens to components, and when.

use crate::ids::{BalancerId, DomainId, FaultId, NodeId, PoolId, SlotId};
use crate::random::Dist;

/// A fault as the file states it.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Its name, `<component>.<kind>`, e.g. `app.crash` or `north-a.power`.
    pub name: String,
    /// What happens.
    pub kind: FaultKind,
    /// From the end of one to the start of the next, seconds (a time to failure); of a campaign from
    /// start to start, for estimates of cost only.
    pub every: Dist,
    /// From its start to its end, seconds. The component may need longer until it serves again. Of a
    /// campaign for estimates of cost only.
    pub lasts: Dist,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The component stops. A slot's process ends and refuses connections; a node takes everything
    /// on it down without a word.
    Crash,
    /// A domain cannot be reached from outside, nor reach out; what is inside lives on.
    Isolated,
    /// Everything in a domain stops without a word, and starts again when power is back.
    Power,
    /// A shock from outside that starts faults of several components at once, and is itself over at
    /// once (see [`CommonCause`](super::CommonCause)).
    Common,
    /// Planned work on a component, by a [`Campaign`](super::Campaign): it stops like in a crash, a
    /// domain like without power.
    Maintenance,
    /// The planned part of a release: replicas that restart.
    Rollout,
    /// A bad version of a service, from its first broken replica to the last one rolled back.
    Release,
    /// A bad configuration of a service.
    Configuration,
    /// An expired certificate.
    Certificate,
}

impl FaultKind {
    /// The word of the file, and the second part of a fault's name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Isolated => "isolated",
            Self::Power => "power",
            Self::Common => "common",
            Self::Maintenance => "maintenance",
            Self::Rollout => "rollout",
            Self::Release => "release",
            Self::Configuration => "configuration",
            Self::Certificate => "certificate",
        }
    }

    /// Whether it is planned work, which is shown apart and which a target may leave out.
    pub const fn is_planned(self) -> bool {
        match self {
            Self::Maintenance | Self::Rollout => true,
            Self::Crash
            | Self::Isolated
            | Self::Power
            | Self::Common
            | Self::Release
            | Self::Configuration
            | Self::Certificate => false,
        }
    }

    /// Whether a campaign turns its clocks, and not times to failure and to repair.
    pub const fn is_driven(self) -> bool {
        match self {
            Self::Maintenance
            | Self::Rollout
            | Self::Release
            | Self::Configuration
            | Self::Certificate => true,
            Self::Crash | Self::Isolated | Self::Power | Self::Common => false,
        }
    }
}

/// What a fault clock belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// A slot.
    Slot(SlotId),
    /// A machine.
    Node(NodeId),
    /// A domain.
    Domain(DomainId),
    /// All slots of a pool together.
    Pool(PoolId),
    /// All instances of a balancer together.
    Balancer(BalancerId),
    /// No single one: a common cause, by its row in [`Care::commons`](super::Care::commons).
    Common(u32),
}

/// The fault of one component: an alternating renewal process of its own.
#[derive(Clone, Debug)]
pub struct FaultClock {
    /// Which fault.
    pub fault: FaultId,
    /// What it happens to.
    pub component: Component,
    /// `<component>.<kind>`, e.g. `app-3.crash`; the key of its random streams.
    pub name: String,
}
