//! What serves requests: pools, their operations, the calls between them, and balancers.

use super::outlier::OutlierDetection;
use super::{Handling, Replication, Standby, StoreFailover};
use crate::ids::{BalancerId, CallId, ChannelId, ForkId, OperationId, PoolId, SlotId};
use crate::random::Dist;
use crate::time::{SimSpan, SimTime};

/// A service, cache, store or third party.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its name, e.g. `app`.
    pub name: String,
    /// What kind of pool.
    pub kind: PoolKind,
    /// Its slots, in order.
    pub slots: Vec<SlotId>,
    /// How many reachable slots it needs to count as up, at least 1 and at most all.
    pub needs: u32,
    /// Requests that one slot serves at once, `None` for any number. A request holds its worker
    /// through the calls it makes.
    pub workers: Option<u32>,
    /// Requests that may wait at one slot when all workers are busy; `None` for any number. One more is
    /// refused at once.
    pub queue: Option<u32>,
    /// In which order they are served.
    pub discipline: Discipline,
    /// How long a request may wait there before it is refused, seconds; `None` for ever.
    pub queue_timeout: Option<Dist>,
    /// From the end of what stopped a slot to serving again, seconds.
    pub starts_in: Dist,
    /// What stands by.
    pub standby: Option<Standby>,
    /// When a write is acknowledged, for stores that say so.
    pub replication: Option<Replication>,
    /// How long after its start a slot of a cache has its content again; zero: at once. Until then, it has
    /// a share of it that grows in proportion to the time.
    pub refills_in: SimSpan,
}

impl Pool {
    /// Whether it is a store that chooses a leader when it has lost one.
    pub fn chooses_leader(&self) -> bool {
        matches!(self.kind, PoolKind::Store { failover: Some(_) })
    }

    /// How many slots serve when nothing is lost: all but those that stand by.
    pub fn active(&self) -> usize {
        let standbys = self.standby.as_ref().map_or(0, |standby| standby.count);
        self.slots.len().saturating_sub(standbys as usize)
    }
}

/// What a pool's [`needs`](Pool::needs) was worked out from.
#[derive(Clone, Debug, PartialEq)]
pub struct NeedsAtPeak {
    /// The pool.
    pub pool: PoolId,
    /// The share of the workers that may be in use at the busiest time, above 0 and at most 1.
    pub utilisation: f64,
    /// Workers in use then, on average.
    pub busy: f64,
    /// The busiest minute of the week.
    pub busiest: SimTime,
}

/// Whom a worker that is free takes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// The one that has waited longest.
    Fifo,
    /// The one that has waited shortest.
    Lifo,
    /// The most urgent, of equally urgent ones the one that has waited longest; nothing is interrupted.
    Priority,
    /// Nobody waits: `k` requests in their own work progress at the rate `min(1, workers / k)` each.
    /// `workers + queue` may be there, those that wait for calls included.
    ProcessorSharing,
}

/// What kind of pool.
#[derive(Clone, Debug)]
pub enum PoolKind {
    /// Stateless replicas.
    Service,
    /// A cache.
    Cache,
    /// The broker of a message queue: one slot.
    Queue,
    /// A third party, of which only what it promises is known: one slot, in no domain.
    External,
    /// A stateful service.
    Store {
        /// How a leader is chosen; `None`: the first member always leads.
        failover: Option<StoreFailover>,
    },
}

/// Which members can serve an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServedBy {
    /// Any slot of the pool.
    Any,
    /// The leader of the store.
    Leader,
    /// Any member, while a majority of all members is running and reachable from it.
    Quorum,
}

/// An operation of a pool.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its name with its pool's, e.g. `app.read`.
    pub name: String,
    /// The pool that serves it.
    pub pool: PoolId,
    /// Which of its slots can.
    pub served_by: ServedBy,
    /// Its own work, before its calls, seconds.
    pub takes: Dist,
    /// The probability that its own work ends in an error: the calls are not made then. 0 to 1.
    pub fails: f64,
    /// Calls it makes, one after the other but for those of one fork.
    pub calls: Vec<CallId>,
}

/// A call site.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is called.
    pub to: OperationId,
    /// The balancer the attempts go through; `None`: the caller itself takes the pool's slots in
    /// turn (or goes to the leader), whatever their state.
    pub through: Option<BalancerId>,
    /// How long one attempt may last; `None`: as long as the caller's own patience.
    pub timeout: Option<SimSpan>,
    /// Whether who serves it knows how long the caller waits, and stops when that is over, with the
    /// calls that it makes.
    pub passes_deadline: bool,
    /// What happens after a failed attempt.
    pub retries: Retries,
    /// The probability that the answer is a hit; 1 for anything that is not a cache look-up.
    pub hit: f64,
    /// Calls to make after a miss; one that fails fails this call.
    pub on_miss: Vec<CallId>,
    /// Calls to make instead, when this call has failed. If it is not empty, this call succeeds if they do.
    pub on_failure: Vec<CallId>,
    /// Whether the caller goes on without an answer; its own answer is then degraded.
    pub optional: bool,
    /// The probability that it is made at all; not made is as good as done.
    pub chance: f64,
    /// How urgent it is, the higher the sooner; `None`: as urgent as its caller,
    /// and 0 for a user.
    pub priority: Option<i16>,
    /// The fork that it is made in; `None`: it is made alone, after the one before.
    pub fork: Option<ForkId>,
    /// The connections that its attempts use; `None`: connecting takes no time and has no limit.
    pub channel: Option<ChannelId>,
}

/// Further attempts of one call.
#[derive(Clone, Debug)]
pub struct Retries {
    /// Attempts after the first, at most.
    pub max: u32,
    /// The pause before each.
    pub backoff: Backoff,
}

/// The pause before retry `n` (1, 2, ...): `base * factor^(n-1)`, at most `cap`, then jittered.
#[derive(Clone, Debug)]
pub struct Backoff {
    /// The first pause.
    pub base: SimSpan,
    /// How much longer each next pause is, at least 1.
    pub factor: f64,
    /// The longest pause.
    pub cap: SimSpan,
    /// How the pause is spread.
    pub jitter: Jitter,
}

/// How a pause is spread, so that many clients do not return at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// The pause itself.
    None,
    /// Uniform between zero and the pause.
    Full,
    /// Half the pause, and a uniform half.
    Equal,
}

/// A balancer: all its instances.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// Its name, e.g. `edge`.
    pub name: String,
    /// The pool it sends to.
    pub to: PoolId,
    /// Its instances.
    pub slots: Vec<SlotId>,
    /// How many reachable instances it needs to count as up.
    pub needs: u32,
    /// How it chooses.
    pub algorithm: Algorithm,
    /// How it looks at its members; `None`: it believes all of them up, always.
    pub probes: Option<Probes>,
    /// How it learns from the attempts it sends; `None`: it does not.
    pub passive: Option<Passive>,
    /// Whom it ejects because of what came of the attempts it sends; `None`: nobody.
    pub outlier_detection: Option<OutlierDetection>,
    /// For how long a member that its probes bring back gets a growing share of the attempts; zero: its whole share at
    /// once.
    pub slow_start: SimSpan,
    /// How the address moves between instances; `None`: users spread over all instances at random,
    /// whatever their state.
    pub failover: Option<Vrrp>,
    /// From the end of what stopped an instance to serving again, seconds.
    pub starts_in: Dist,
}

/// How a replica is chosen among those believed up and not yet tried by this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Smooth weighted round robin with equal weights, as nginx does it: each in turn.
    RoundRobin,
    /// The fewest attempts in progress from this instance; ties in turn, as nginx does it.
    LeastConnections,
    /// Of two distinct replicas drawn uniformly, the one with fewer attempts in progress.
    TwoChoices,
    /// One drawn uniformly.
    Random,
}

/// Active health checks of each member by each instance of a balancer, on a fixed grid.
#[derive(Clone, Debug)]
pub struct Probes {
    /// From one probe's start to the next one's.
    pub interval: SimSpan,
    /// When a probe without an answer has failed; at most `interval`.
    pub timeout: SimSpan,
    /// How long a passing probe is on its way; less than `timeout`.
    pub takes: SimSpan,
    /// Passes in a row until a member that is down counts as up.
    pub rise: u32,
    /// Failures in a row until a member that is up counts as down.
    pub fall: u32,
    /// What a probe asks of a worker of the member, seconds, if it queues for one like a request; `None` if
    /// something else answers it, however busy the workers are.
    pub work: Option<Dist>,
}

/// Passive failure accounting, as nginx does it: a member that failed `max_fails` times gets nothing for
/// `fail_timeout`, and then one attempt as a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passive {
    /// Failures after which a member is left alone; at least 1.
    pub max_fails: u32,
    /// For how long, and how long failures are remembered; whole seconds.
    pub fail_timeout: SimSpan,
}

/// VRRP between the instances of a balancer (RFC 5798, as keepalived does it).
#[derive(Clone, Debug)]
pub struct Vrrp {
    /// The interval between advertisements.
    pub advert_int: SimSpan,
    /// `priorities[i]` belongs to instance `i`; 1 to 254, all different.
    pub priorities: Vec<u8>,
    /// Whether an instance that returns takes the address back from one with a lower priority.
    pub preempt: bool,
    /// The probability that a backup whose master is lost takes the address.
    pub coverage: f64,
    /// From a takeover that failed to the address being there by the work of a person; there if `coverage`
    /// is below 1.
    pub rescue: Option<Handling>,
}
