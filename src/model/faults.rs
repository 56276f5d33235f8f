//! What happens to components, and when.

use crate::ids::{BalancerId, DomainId, FaultId, LinkId, NodeId, PoolId, SlotId, WorkloadId};
use crate::random::Dist;
use crate::time::SimSpan;

/// A fault as the file states it.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Its name, `<component>.<its own name>`, e.g. `app.crash`, `north-a.power` or `app.disk`. One
    /// that the file gives no name of its own is named like its kind.
    pub name: String,
    /// What happens.
    pub kind: FaultKind,
    /// When the time to the next one runs. Of a campaign it means nothing.
    pub runs: ClockRuns,
    /// From the end of one to the start of the next, seconds (a time to failure); of a campaign from
    /// start to start, for estimates of cost only.
    pub every: Dist,
    /// From its start to its end, seconds. The component may need longer until it serves again. Of a
    /// campaign for estimates of cost only.
    pub lasts: Dist,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultKind {
    /// The component stops. A slot's process ends and refuses connections; a node takes everything
    /// on it down without a word.
    Crash,
    /// It accepts connections and never answers. What is in progress stops for good; at the end the
    /// process is restarted: its connections are reset, and it starts.
    Hang,
    /// It stands still: connections are accepted and queue, nothing is worked on, and what was in
    /// progress goes on afterwards where it was.
    Pause,
    /// Work takes `factor` (at least 1) times as long, work in progress included.
    Slow {
        /// How many times as long.
        factor: f64,
    },
    /// A share of the attempts, each by its own chance, is answered with an error.
    Errors {
        /// Which share, above 0 and at most 1.
        share: f64,
    },
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
    /// A burst of a workload: many times as many requests (see [`Bursts`](super::Bursts)).
    Burst,
    /// Nothing passes over a link; both sides live on.
    Partition,
    /// A link loses a share of what crosses it, beside what it always loses.
    Loss {
        /// Which share, above 0 and at most 1.
        share: f64,
    },
    /// The round trip of a link takes longer.
    Latency {
        /// How many times as long, at least 1.
        factor: f64,
        /// How much longer on top.
        adds: SimSpan,
    },
    /// An outage of a third party, whatever goes on inside it.
    Outage(OutageKind),
}

/// What callers meet during an outage of a third party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutageKind {
    /// An error, at once.
    Errors,
    /// No answer; what was in progress is never answered.
    Silent,
    /// Connections are refused, and those in use are reset.
    Refused,
}

impl FaultKind {
    /// The word of the file, and the second part of the name of a fault that has none of its own.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Hang => "hang",
            Self::Pause => "pause",
            Self::Slow { .. } => "slow",
            Self::Errors { .. } => "errors",
            Self::Isolated => "isolated",
            Self::Power => "power",
            Self::Common => "common",
            Self::Maintenance => "maintenance",
            Self::Rollout => "rollout",
            Self::Release => "release",
            Self::Configuration => "configuration",
            Self::Certificate => "certificate",
            Self::Burst => "burst",
            Self::Partition => "partition",
            Self::Loss { .. } => "loss",
            Self::Latency { .. } => "latency",
            Self::Outage(_) => "outage",
        }
    }

    /// Whether it is planned work, which is shown apart and which a target may leave out.
    pub const fn is_planned(self) -> bool {
        match self {
            Self::Maintenance | Self::Rollout => true,
            Self::Crash
            | Self::Hang
            | Self::Pause
            | Self::Slow { .. }
            | Self::Errors { .. }
            | Self::Isolated
            | Self::Power
            | Self::Common
            | Self::Release
            | Self::Configuration
            | Self::Certificate
            | Self::Partition
            | Self::Loss { .. }
            | Self::Latency { .. }
            | Self::Outage(_)
            | Self::Burst => false,
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
            Self::Crash
            | Self::Hang
            | Self::Pause
            | Self::Slow { .. }
            | Self::Errors { .. }
            | Self::Isolated
            | Self::Power
            | Self::Common
            | Self::Partition
            | Self::Loss { .. }
            | Self::Latency { .. }
            | Self::Outage(_)
            | Self::Burst => false,
        }
    }

    /// Whether it leaves what it happens to running: slow, or answering with errors.
    pub fn impairs(self) -> bool {
        matches!(
            self,
            Self::Slow { .. } | Self::Errors { .. } | Self::Outage(OutageKind::Errors)
        )
    }

    /// Whether a slot with this fault cannot serve: neither slow work nor errors now and then stop it.
    /// Of a common cause that depends on what it starts: it is taken to.
    pub fn stops(self) -> bool {
        match self {
            Self::Crash
            | Self::Hang
            | Self::Pause
            | Self::Isolated
            | Self::Power
            | Self::Common
            | Self::Maintenance
            | Self::Rollout
            | Self::Release
            | Self::Configuration
            | Self::Certificate
            | Self::Partition
            | Self::Outage(_) => true,
            Self::Slow { .. } | Self::Latency { .. } | Self::Burst => false,
            Self::Errors { share } | Self::Loss { share } => share >= 1.0,
        }
    }
}

/// When the time to the next fault runs. How long a fault lasts always runs by the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockRuns {
    /// Always, whatever else is down.
    Calendar,
    /// Only while the component itself runs. A slot does while its process serves, slowly or with
    /// errors included; a node while it is neither crashed, hung nor paused and has power; a domain
    /// while it has power. What is cut off from the others runs.
    Operating,
}

/// How badly a slot that runs is doing: all its `slow` and `errors` faults together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairment {
    /// Work takes this many times as long; at least 1. Factors of several faults multiply.
    pub factor: f64,
    /// The share of attempts answered with an error. Of several faults each has its own chance.
    pub errors: f64,
}

impl Impairment {
    /// Well.
    pub const NONE: Self = Self {
        factor: 1.0,
        errors: 0.0,
    };

    /// Whether anything is wrong.
    #[inline]
    pub fn is_any(self) -> bool {
        self != Self::NONE
    }

    /// Whether nothing is served at all.
    #[inline]
    pub fn stops(self) -> bool {
        self.errors >= 1.0
    }

    /// With one more fault.
    #[must_use]
    pub fn and(self, kind: FaultKind) -> Self {
        match kind {
            FaultKind::Slow { factor } => Self {
                factor: self.factor * factor,
                ..self
            },
            FaultKind::Errors { share } => Self {
                errors: 1.0 - (1.0 - self.errors) * (1.0 - share),
                ..self
            },
            FaultKind::Outage(OutageKind::Errors) => Self {
                errors: 1.0,
                ..self
            },
            FaultKind::Crash
            | FaultKind::Hang
            | FaultKind::Pause
            | FaultKind::Isolated
            | FaultKind::Power
            | FaultKind::Common
            | FaultKind::Maintenance
            | FaultKind::Rollout
            | FaultKind::Release
            | FaultKind::Configuration
            | FaultKind::Certificate
            | FaultKind::Partition
            | FaultKind::Loss { .. }
            | FaultKind::Latency { .. }
            | FaultKind::Outage(OutageKind::Silent | OutageKind::Refused)
            | FaultKind::Burst => self,
        }
    }
}

/// Never NaN: made of factors of at least 1 and shares only.
impl Eq for Impairment {}

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
    /// A link of the network.
    Link(LinkId),
    /// No single one: a common cause, by its row in [`Care::commons`](super::Care::commons).
    Common(u32),
    /// A workload.
    Workload(WorkloadId),
}

/// The fault of one component: an alternating renewal process of its own.
#[derive(Clone, Debug)]
pub struct FaultClock {
    /// Which fault.
    pub fault: FaultId,
    /// What it happens to.
    pub component: Component,
    /// `<component>.<name of the fault>`, e.g. `app-3.crash`; the key of its random streams.
    pub name: String,
}
