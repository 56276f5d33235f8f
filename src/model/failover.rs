//! How a store chooses a leader, and how a pool replaces what it lost by what stands by.

use super::Handling;
use crate::ids::DomainId;
use crate::random::Dist;
use crate::time::SimSpan;

/// How a store chooses a leader when the present one is lost.
#[derive(Clone, Debug)]
pub enum StoreFailover {
    /// A key that expires.
    Lease(Lease),
    /// Stated times.
    Generic(Box<GenericFailover>),
    /// Election by majority.
    Quorum(QuorumFailover),
}

/// When a write to a store is acknowledged.
#[derive(Clone, Debug)]
pub enum Replication {
    /// When the leader has it; a member that takes over lacks what was written in this time before,
    /// seconds.
    Async {
        /// How far it lags behind.
        lag: Dist,
    },
    /// When another member has it too: nothing is lost, and nobody can write while there is none.
    Sync,
    /// The same, but where no other member has been available for so long, the leader goes on alone:
    /// what it acknowledges from then on is lost with it.
    SemiSync {
        /// How long it waits for another.
        timeout: SimSpan,
    },
}

/// A leader lease in the manner of Patroni: the leader renews a key every `loop_wait`, the key
/// expires `ttl` after the last renewal, and a running member takes it.
#[derive(Clone, Debug)]
pub struct Lease {
    /// How long the key lives after a renewal.
    pub ttl: SimSpan,
    /// How often the leader renews it; at most `ttl`.
    pub loop_wait: SimSpan,
    /// From the key's expiry to a member holding it, seconds.
    pub decides_in: Dist,
    /// From holding the key to serving as leader, seconds.
    pub promotes_in: Dist,
    /// Where the members of the store that keeps the key stand, one each: whoever holds the key must
    /// reach more than half of them. Empty: beside the members of this store.
    pub key_in: Vec<DomainId>,
    /// How long nobody leads when planned work stops the leader, seconds; `None` if that is a failover.
    pub switchover: Option<Dist>,
}

/// Failover of which only the length of each stage is known (see
/// [`failover::Generic`](crate::failover::Generic)).
#[derive(Clone, Debug)]
pub struct GenericFailover {
    /// From the loss of the leader to its detection, seconds.
    pub detect: Dist,
    /// From the detection to the choice of a candidate, seconds.
    pub decide: Dist,
    /// From the choice to leading, seconds.
    pub promote: Dist,
    /// The probability that a failover works.
    pub coverage: f64,
    /// What happens when it does not; there if `coverage` is below 1.
    pub rescue: Option<Rescue>,
    /// Whether the first member to come back, after all were lost, is promoted before it leads.
    pub promote_the_last: bool,
    /// Whether repairs of members begin only when no failover is going on.
    pub repairs_wait: bool,
    /// Where those stand who detect and decide, one each: a member is available while more than half of
    /// them reach it. Empty: where the users are.
    pub watched_from: Vec<DomainId>,
    /// Whether and how the lead returns to the first member.
    pub failback: Option<Failback>,
    /// How long nobody leads when planned work stops the leader, seconds; `None` if that is a failover.
    pub switchover: Option<Dist>,
}

/// A person puts a failed failover right.
#[derive(Clone, Debug)]
pub struct Rescue {
    /// From the loss of the leader, seconds.
    pub takes: Handling,
    /// Whether all faults of the members themselves are over then; or else a member that is available
    /// leads.
    pub restores_all: bool,
}

/// The lead returns to the first member.
#[derive(Clone, Debug)]
pub struct Failback {
    /// How long it has to be available before, seconds.
    pub after: Dist,
    /// How long nobody leads, seconds.
    pub takes: Dist,
}

/// Election by majority (see [`failover::Quorum`](crate::failover::Quorum)).
#[derive(Clone, Debug)]
pub struct QuorumFailover {
    /// How long an election takes, from the loss of the leader or the return of a majority, seconds.
    pub elects_in: Dist,
    /// How long nobody leads when planned work stops the leader, seconds; `None` if that is an election.
    pub switchover: Option<Dist>,
}

/// What stands by in a pool: its last slots, as long as nothing is lost.
#[derive(Clone, Debug)]
pub struct Standby {
    /// How many, at least 1 and fewer than the slots of the pool.
    pub count: u32,
    /// How fast it grows old while it stands by: 0 if it does not, 1 as if it worked.
    pub rate: f64,
    /// From the loss of one that works to another serving in its stead, seconds.
    pub activates_in: Dist,
    /// The probability that an activation works.
    pub coverage: f64,
    /// From the loss to another serving by the work of a person, where it does not.
    pub rescue: Option<Handling>,
}
