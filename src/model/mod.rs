//! The compiled system: what a checked scenario means, immutable and dense.
//!
//! Everything here is valid by construction: `scenario` makes it and is the only place that reports
//! mistakes. Ids are rows of the tables of one [`System`]. Names are kept for messages, reports and
//! random-stream keys, never for look-ups on a hot path. Spans that are drawn are in seconds
//! ([`Dist`](crate::random::Dist)); instants and fixed spans are [`SimSpan`](crate::time::SimSpan).

mod askers;
mod blame;
mod campaign;
mod care;
mod channel;
mod evaluate;
mod failover;
mod faults;
mod fork;
mod input;
mod load;
mod network;
mod outlier;
mod pace;
mod period;
mod price;
mod profile;
mod queue;
mod run;
mod service;
mod split;
pub mod structure;
mod target;
#[cfg(test)]
pub(crate) mod testing;
mod topology;
mod workload;

pub use blame::{Blame, Phase};
pub use campaign::{Campaign, CampaignWork, Change, Maintenance, Release, Rhythm, Roll};
pub use care::{
    Care, CommonCause, Crew, CrewOrder, Flaps, Handling, People, Repair, Restart, Spares, Step,
    Work,
};
pub use channel::{Channel, ChannelTo};
pub use failover::{
    Failback, GenericFailover, Lease, QuorumFailover, Replication, Rescue, Standby, StoreFailover,
};
pub use faults::{ClockRuns, Component, Fault, FaultClock, FaultKind, Impairment, OutageKind};
pub use fork::Fork;
pub use input::{INPUT_DRAWS, InputRange};
pub use load::{ChannelLoad, Load, Lost, PoolLoad, Reach};
pub use network::{End, Link, LinkState, Roads, USERS};
pub use outlier::{OutlierDetection, OutlierRate};
pub use period::{Counted, Measure, Over, PERIODS_KEPT, PeriodBound, Source};
pub use price::{Price, Prices};
pub use profile::{Profile, Steps, Swing};
pub use queue::Queue;
pub use run::{Method, RunSettings, Start};
pub use service::{
    Algorithm, Backoff, Balancer, Call, Discipline, Jitter, NeedsAtPeak, Operation, Passive, Pool,
    PoolKind, Probes, Retries, ServedBy, Vrrp,
};
pub use target::{Metric, Population, Quantity, QueueMeasure, Relation, Target};
pub use topology::{Domain, Node, Owner, Slot};
pub use workload::{Bursts, Journey, LoadRhythm, Patience, Users, Workload};

use crate::ids::{
    BalancerId, CallId, CampaignId, ChannelId, ClockId, DomainId, FaultId, ForkId, IdVec,
    JourneyId, LinkId, NodeId, OperationId, PoolId, QueueId, SlotId, WorkloadId,
};

/// A whole design, ready to be simulated.
#[derive(Clone, Debug)]
pub struct System {
    /// The scenario's name, for people.
    pub name: String,
    /// How long, from which seed, by which method.
    pub run: RunSettings,
    /// Failure domains; a parent comes before its children.
    pub domains: IdVec<DomainId, Domain>,
    /// Links between domains, or between users and a domain.
    pub links: IdVec<LinkId, Link>,
    /// Machines.
    pub nodes: IdVec<NodeId, Node>,
    /// Running places of pools and balancers.
    pub slots: IdVec<SlotId, Slot>,
    /// Services, caches, stores and third parties.
    pub pools: IdVec<PoolId, Pool>,
    /// Balancers.
    pub balancers: IdVec<BalancerId, Balancer>,
    /// Operations of the pools.
    pub operations: IdVec<OperationId, Operation>,
    /// Call sites. A call's own `on_miss` and `on_failure` calls are rows of this table too.
    pub calls: IdVec<CallId, Call>,
    /// Calls made at the same time.
    pub forks: IdVec<ForkId, Fork>,
    /// Connections that services keep to what they call.
    pub channels: IdVec<ChannelId, Channel>,
    /// Message queues, each with who takes from it.
    pub queues: IdVec<QueueId, Queue>,
    /// What users do.
    pub journeys: IdVec<JourneyId, Journey>,
    /// Streams of requests; empty when the scenario states no workload.
    pub workloads: IdVec<WorkloadId, Workload>,
    /// Faults as stated.
    pub faults: IdVec<FaultId, Fault>,
    /// One row for each fault of each component.
    pub clocks: IdVec<ClockId, FaultClock>,
    /// What operators do to components; each turns some of the clocks.
    pub campaigns: IdVec<CampaignId, Campaign>,
    /// How faults are handled that need more than time.
    pub care: Care,
    /// What must hold.
    pub targets: Vec<Target>,
    /// What the parts cost.
    pub prices: Prices,
    /// Pools whose needs follow from the load.
    pub needs_at_peak: Vec<NeedsAtPeak>,
    /// What makes a result worth less than it looks, for people; already worded.
    pub warnings: Vec<String>,
}

impl System {
    /// Whether overload acts back on control: workers that have no time for probes fail them.
    pub fn is_coupled(&self) -> bool {
        let mut probes = self.balancers.iter().filter_map(|row| row.probes.as_ref());
        probes.any(|probes| probes.work.is_some())
    }

    /// Whether any balancer ejects members because of what comes of its attempts.
    pub fn ejects(&self) -> bool {
        let mut balancers = self.balancers.iter();
        balancers.any(|row| row.outlier_detection.is_some())
    }

    /// The message queue whose broker is `pool`.
    pub fn queue_of(&self, pool: PoolId) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.pool == pool)
    }

    /// From the end of what stopped this slot to serving again, seconds.
    pub fn starts_in(&self, slot: SlotId) -> &crate::random::Dist {
        match self.slots[slot].owner {
            Owner::Pool(pool) => &self.pools[pool].starts_in,
            Owner::Balancer(balancer) => &self.balancers[balancer].starts_in,
        }
    }
}
