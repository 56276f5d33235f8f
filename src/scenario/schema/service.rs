//! Services, caches, stores, balancers and calls as a file states them.

use super::{
    ConnectionsForm, Faults, GenericForm, Needs, OutlierDetectionForm, PriceForm, Priority,
    QuorumForm, ReplicationForm, RestartForm, SpanDist, StandbyForm, TakesFromForm,
};
use crate::scenario::read::{Entries, List, Opt};
use crate::scenario::units::{Percent, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// Fields that all pools and balancers have, with those of one kind.
macro_rules! placed {
    ($(#[$doc:meta])* $name:ident, $like:literal, { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, expecting = $like)]
        pub(in crate::scenario) struct $name {
            $($(#[$field_doc])* pub(in crate::scenario) $field: Opt<$type>,)*
            /// Domains that they are dealt over, in turn. Default: in no domain. Not together with `on`.
            pub(in crate::scenario) across: Opt<List<String>>,
            /// The group of machines that they run on, dealt in turn. Default: on none that can fail. Not together with `across`.
            pub(in crate::scenario) on: Opt<String>,
            /// How many reachable ones it needs to count as up: a number; or `at_peak`, as many as carry
            /// the load at the busiest time of the week, or `{at_peak: 80%}`, as many as carry it with at
            /// most so much of their `workers` in use. Default: 1.
            pub(in crate::scenario) needs: Opt<Needs>,
            /// From the end of what stopped one to serving again. Default: 0s.
            pub(in crate::scenario) starts_in: Opt<SpanDist>,
            /// Who starts one again whose process has ended, and how. Default: it starts when the fault is over.
            pub(in crate::scenario) restart: Opt<RestartForm>,
            /// What one of them costs. Default: nothing is known; for what runs `on` machines, their price counts.
            pub(in crate::scenario) price: Opt<PriceForm>,
            /// What happens to each of them. Default: nothing, and `validate` warns of it.
            pub(in crate::scenario) faults: Opt<Faults>,
        }
    };
}

placed! {
    /// A stateless deployable unit. Its replicas are named `<service>-1`, `<service>-2`, ...
    Service, "a service, such as {replicas: 2}", {
        /// How many replicas. Default: 1.
        #[schemars(range(min = 1, max = 10_000))]
        replicas: u64,
        /// Requests that one replica serves at once; each holds its worker through the calls it makes. Default: any number.
        #[schemars(range(min = 1, max = 1_000_000))]
        workers: u64,
        /// Requests that may wait at one replica while all workers are busy; one more is refused. Default: any number.
        #[schemars(range(min = 0, max = 1_000_000))]
        queue: u64,
        /// Whom a worker that is free takes next. Default: fifo.
        discipline: DisciplineForm,
        /// How long a request may wait for a worker before it is refused, as HAProxy's `timeout queue`. Default: for ever.
        queue_timeout: SpanDist,
        /// Replicas beside these that stand by for them. Default: none.
        standby: StandbyForm,
        /// The connections that each replica keeps to what it calls, by the name of the service, cache, store or
        /// third party that it calls directly, or of the balancer that it calls through. Default: connecting
        /// takes no time and has no limit.
        connections: Entries<ConnectionsForm>,
        /// The message queue that its workers take from. Default: they serve calls.
        takes_from: TakesFromForm,
        /// What it can be asked to do. Default: nothing.
        operations: Entries<ServiceOperation>,
    }
}
placed! {
    /// A cache. Calls to it say how often they hit.
    Cache, "a cache, such as {replicas: 1}", {
        /// How many replicas. Default: 1.
        #[schemars(range(min = 1, max = 10_000))]
        replicas: u64,
        /// Requests that one replica serves at once. Default: any number.
        #[schemars(range(min = 1, max = 1_000_000))]
        workers: u64,
        /// Requests that may wait at one replica while all workers are busy; one more is refused. Default: any number.
        #[schemars(range(min = 0, max = 1_000_000))]
        queue: u64,
        /// Whom a worker that is free takes next. Default: fifo.
        discipline: DisciplineForm,
        /// How long a request may wait for a worker before it is refused, as HAProxy's `timeout queue`. Default: for ever.
        queue_timeout: SpanDist,
        /// How long after its start a replica has as much in memory as before it went down. Until then a look-up hits less often, in proportion to the time since. Histories begin with full caches. Default: 0s. Evidence: assumed.
        refills_in: Span,
        /// What it can be asked to do. Default: nothing.
        operations: Entries<PlainOperation>,
    }
}
placed! {
    /// A stateful service. Its members are named `<store>-1`, `<store>-2`, ...; the first leads at the beginning.
    Store, "a store, such as {members: 3}", {
        /// How many members.
        #[schemars(required, range(min = 1, max = 10_000))]
        members: u64,
        /// Requests that one member serves at once. Default: any number.
        #[schemars(range(min = 1, max = 1_000_000))]
        workers: u64,
        /// Requests that may wait at one member while all workers are busy; one more is refused. Default: any number.
        #[schemars(range(min = 0, max = 1_000_000))]
        queue: u64,
        /// Whom a worker that is free takes next. Default: fifo.
        discipline: DisciplineForm,
        /// How long a request may wait for a worker before it is refused, as HAProxy's `timeout queue`. Default: for ever.
        queue_timeout: SpanDist,
        /// How a leader is chosen when the present one fails. Default: the first member leads, always.
        failover: StoreFailover,
        /// When a write is acknowledged. Default: not stated; then no data loss is reported.
        replication: ReplicationForm,
        /// With `replication: async`: how far a copy lags behind when the leader is lost, drawn for each failover. What was acknowledged in this time is lost with it. Default: none; needed with `replication: async`.
        lag: SpanDist,
        /// With `replication: semi_sync`: how long nobody can write, without another member, before the leader goes on alone. Default: 10s. Evidence: documented, MySQL 8.0 (`rpl_semi_sync_source_timeout`).
        semi_sync_timeout: Span,
        /// Members beside these that stand by for them. Default: none.
        standby: StandbyForm,
        /// What it can be asked to do. Default: nothing.
        operations: Entries<StoreOperation>,
    }
}
placed! {
    /// Chooses a replica for every attempt that goes through it. Its instances are named `<balancer>-1`, ...
    Balancer, "a balancer, such as {to: app}", {
        /// The service, cache or store that it sends to.
        #[schemars(required)]
        to: String,
        /// How it chooses. Default: round_robin.
        algorithm: Algorithm,
        /// How it looks at the replicas. Default: it does not, and believes all of them up.
        probes: ProbesForm,
        /// Failures of attempts (refused, reset, or without an answer within the call's `timeout`) after which a replica gets no more of them for `fail_timeout`, as in nginx; 0 for never. Each instance counts for itself. Default: 1 with `fail_timeout`, else never. Evidence: recorded, nginx 1.22.1.
        #[schemars(range(min = 0, max = 1_000_000))]
        max_fails: u64,
        /// How long that is, in whole seconds; then one attempt is the test. Failures are remembered for as long. Default: 10s with `max_fails`. Evidence: recorded, nginx 1.22.1.
        fail_timeout: Span,
        /// Whom it ejects because of what came of the attempts it sent there, as Envoy does it. Each instance judges for itself. Default: nobody. Evidence: recorded, Envoy 1.40.0.
        outlier_detection: OutlierDetectionForm,
        /// Replicas that are believed up and not ejected, as a share of all, below which a balancer sends to all of them, whatever it believes: Envoy's panic. 0% for never. Default: 50% with `outlier_detection`, else 0%. Evidence: recorded, Envoy 1.40.0.
        healthy_panic_threshold: Percent,
        /// For how long a replica that its probes bring back gets less than its share, in whole seconds, as HAProxy's `slowstart`: it begins with a sixteenth of its weight, which grows by the second. Each instance counts for itself. With `round_robin` and `least_conn` only. Default: none, it has its whole share at once. Evidence: recorded, HAProxy 2.6.12.
        slow_start: Span,
        /// How many instances. Default: 1.
        #[schemars(range(min = 1, max = 10_000))]
        replicas: u64,
        /// How the address moves between instances. Default: users spread over all instances at random, whatever their state.
        failover: BalancerFailover,
    }
}

/// An operation of a service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an operation such as {takes: 20ms}")]
pub(in crate::scenario) struct ServiceOperation {
    /// Its own work, before the calls it makes.
    #[schemars(required)]
    pub(in crate::scenario) takes: Opt<SpanDist>,
    /// How often its own work ends in an error; the calls are not made then. Default: 0%.
    pub(in crate::scenario) fails: Opt<Percent>,
    /// Calls it makes, one after the other, or some of them at the same time (`parallel`). Default: none.
    pub(in crate::scenario) calls: Opt<List<CallForm>>,
}

/// An operation of a cache.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an operation such as {takes: 1ms}")]
pub(in crate::scenario) struct PlainOperation {
    /// How long it works.
    #[schemars(required)]
    pub(in crate::scenario) takes: Opt<SpanDist>,
    /// How often the work ends in an error. Default: 0%.
    pub(in crate::scenario) fails: Opt<Percent>,
}

/// An operation of a store.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "an operation such as {takes: 4ms, from: leader}"
)]
pub(in crate::scenario) struct StoreOperation {
    /// How long it works.
    #[schemars(required)]
    pub(in crate::scenario) takes: Opt<SpanDist>,
    /// How often the work ends in an error. Default: 0%.
    pub(in crate::scenario) fails: Opt<Percent>,
    /// Which members can serve it. Default: any.
    pub(in crate::scenario) from: Opt<FromForm>,
}

/// Whom a worker that is free takes next.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`fifo`, `lifo`, `priority` or `processor_sharing`"
)]
#[schemars(rename = "Discipline")]
pub(in crate::scenario) enum DisciplineForm {
    /// The one that has waited longest.
    Fifo,
    /// The one that has waited shortest.
    Lifo,
    /// The most urgent; of equally urgent ones the one that has waited longest. Work that has begun is not interrupted.
    Priority,
    /// Nobody waits: the requests in work share the workers evenly, each at most one, as processes
    /// share the cores of a machine. One that waits for a call takes no share. `queue` says how many more
    /// than `workers` may be there; one more is refused.
    ProcessorSharing,
}

/// Which members can serve an operation.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`any`, `leader` or `quorum`"
)]
#[schemars(rename = "From")]
pub(in crate::scenario) enum FromForm {
    /// Any running member.
    Any,
    /// The leader.
    Leader,
    /// Any member, while a majority of all members is running and reachable from it.
    Quorum,
}

/// How a store chooses a leader.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`lease: {...}`, `generic: {...}` or `quorum: {...}`"
)]
pub(in crate::scenario) enum StoreFailover {
    /// A key that the leader renews and that expires, as Patroni does it. Evidence: recorded, Patroni 3.0.2 with etcd 3.4.
    Lease(LeaseForm),
    /// Stages of stated length: detect, decide, promote.
    Generic(Box<GenericForm>),
    /// Election by a majority of all members, as Raft does it. Evidence: documented, Raft (USENIX ATC 2014).
    Quorum(QuorumForm),
}

/// A leader lease, as Patroni does it. Evidence: recorded, Patroni 3.0.2 with etcd 3.4.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {ttl: 30s, loop_wait: 10s}"
)]
#[schemars(rename = "Lease")]
pub(in crate::scenario) struct LeaseForm {
    /// How long the key lives after a renewal. Default: 30s. Evidence: read in source, Patroni a4a6dc0 (2024).
    pub(in crate::scenario) ttl: Opt<Span>,
    /// How often the leader renews it; at most `ttl`. Default: 10s. Evidence: read in source, Patroni a4a6dc0 (2024).
    pub(in crate::scenario) loop_wait: Opt<Span>,
    /// From the key's expiry to a member holding it. Default: uniform from 30ms to 130ms. Evidence: recorded, Patroni 3.0.2 with etcd 3.4.
    pub(in crate::scenario) decides_in: Opt<SpanDist>,
    /// From holding the key to serving as leader. Default: uniform from 1s to 5s. Evidence: assumed, for a loaded database; 50 to 150 ms were recorded for an idle one (Patroni 3.0.2, PostgreSQL 15).
    pub(in crate::scenario) promotes_in: Opt<SpanDist>,
    /// Domains in which the store that keeps the key (etcd, Consul, ZooKeeper) has its members, one for each name. A member leads only while more than half of them can be reached from it over the network. Default: one beside each member.
    pub(in crate::scenario) key_in: Opt<List<String>>,
    /// How long nobody leads when planned work (`maintenance`, a release) stops the leader: it gives the key away to the next member. Default: planned work is a failover like any other loss.
    pub(in crate::scenario) switchover: Opt<SpanDist>,
}

/// How a balancer chooses among the replicas that it believes up.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`round_robin`, `least_conn`, `two_choices` or `random`"
)]
pub(in crate::scenario) enum Algorithm {
    /// Each in turn. Evidence: read in source, nginx 3f6f782 (2026).
    RoundRobin,
    /// The one with the fewest attempts in progress. Evidence: read in source, nginx 3f6f782 (2026).
    LeastConn,
    /// Of two drawn at random, the one with fewer attempts in progress. Evidence: read in source, nginx 3f6f782 (2026).
    TwoChoices,
    /// One drawn at random. Evidence: read in source, nginx 3f6f782 (2026).
    Random,
}

/// Active health checks of each replica by each instance of a balancer. Evidence: recorded, HAProxy 2.6.12.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {interval: 2s, timeout: 1s, rise: 2, fall: 3}"
)]
#[schemars(rename = "Probes")]
pub(in crate::scenario) struct ProbesForm {
    /// From one probe's start to the next one's. Default: 2s. Evidence: read in source, HAProxy 50872da (3.4-dev; `inter`).
    pub(in crate::scenario) interval: Opt<Span>,
    /// When a probe without an answer has failed; at most `interval`. Default: the interval, at most 1s. Evidence: assumed.
    pub(in crate::scenario) timeout: Opt<Span>,
    /// How long a passing probe is on its way; less than `timeout`. Default: 1ms. Evidence: assumed.
    pub(in crate::scenario) takes: Opt<Span>,
    /// Passes in a row until a replica that is down counts as up. Default: 2. Evidence: read in source, HAProxy 50872da (3.4-dev).
    #[schemars(range(min = 1))]
    pub(in crate::scenario) rise: Opt<u32>,
    /// Failures in a row until a replica that is up counts as down. Default: 3. Evidence: read in source, HAProxy 50872da (3.4-dev).
    #[schemars(range(min = 1))]
    pub(in crate::scenario) fall: Opt<u32>,
    /// Who answers: with `workers`, a probe waits in the queue like a request and takes a worker for `takes`, so that a replica with more work than it can do fails its probes and is left out, which leaves more for the others. Such probes are simulated one by one, so their `interval` is 10ms or more. Default: listener. Evidence: documented, HAProxy (without `option httpchk` a check is a TCP connection).
    pub(in crate::scenario) answered_by: Opt<Answerer>,
}

/// Who answers a probe.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`listener` or `workers`"
)]
pub(in crate::scenario) enum Answerer {
    /// The kernel, which accepts a connection, or a thread that does nothing else: a probe passes however busy the workers are.
    Listener,
    /// The workers that serve requests, as with a health page of the application.
    Workers,
}

/// How the address of a balancer moves between its instances.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`vrrp: {...}`"
)]
pub(in crate::scenario) enum BalancerFailover {
    /// VRRP (RFC 5798), as keepalived does it. Evidence: recorded, keepalived 2.2.7.
    Vrrp(VrrpForm),
}

/// VRRP between the instances of a balancer. Evidence: recorded, keepalived 2.2.7.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {priorities: [150, 100]}"
)]
#[schemars(rename = "Vrrp")]
pub(in crate::scenario) struct VrrpForm {
    /// The interval between advertisements. Default: 1s. Evidence: read in source, keepalived 9cbce3e (2026).
    pub(in crate::scenario) advert_int: Opt<Span>,
    /// One for each instance, in order: 1 to 254, all different; the highest is preferred.
    #[schemars(required)]
    pub(in crate::scenario) priorities: Opt<List<u64>>,
    /// Whether an instance that returns takes the address back from one with a lower priority. Default: true. Evidence: read in source, keepalived 9cbce3e (2026).
    pub(in crate::scenario) preempt: Opt<bool>,
    /// The chance that a backup takes the address when it hears no master any more. Taking it back from a weaker master, or where nobody has run, always works. Default: 100%. Evidence: assumed.
    pub(in crate::scenario) coverage: Opt<Percent>,
    /// What happens when it does not: nobody has the address until a person moves it, or the old master is back. Default: none; needed if `coverage` is below 100%.
    pub(in crate::scenario) on_failure: Opt<MovedByHandForm>,
}

/// A person moves an address that a backup has not taken.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping such as {takes: 20m}")]
#[schemars(rename = "MovedByHand")]
pub(in crate::scenario) struct MovedByHandForm {
    /// From the takeover that failed to the backup having the address. `{people: on_call}` for people.
    #[schemars(required)]
    pub(in crate::scenario) takes: Opt<SpanDist>,
}

/// A call of another service, cache or store.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a call such as {to: articles.query, timeout: 20ms}"
)]
#[schemars(
    rename = "Call",
    extend("oneOf" = [{"required": ["to"]}, {"required": ["parallel"]}])
)]
pub(in crate::scenario) struct CallForm {
    /// What is called: `<service>.<operation>`. Default: none; either this or `parallel` is needed.
    pub(in crate::scenario) to: Opt<String>,
    /// Instead of `to`: calls that are made at the same time. Default: none. Beside it may stand `wait_for`, `deadline`,
    /// `chance`, `on_failure` and `optional`, which are then said of all of them together.
    pub(in crate::scenario) parallel: Opt<List<CallForm>>,
    /// How often this call is made at the same time, such as once for each shard. `deadline`,
    /// `chance`, `on_failure` and `optional` are then said of all of them together, everything else of each. Default: once.
    #[schemars(range(min = 2, max = 10_000))]
    pub(in crate::scenario) fan_out: Opt<u64>,
    /// With `parallel` or `fan_out`: how many of the calls must succeed. Then the caller goes on, and
    /// lets go what is still in progress, as after a timeout; it fails as soon as so many cannot
    /// succeed any more. With 1 the first answer wins. Default: all.
    #[schemars(range(min = 1))]
    pub(in crate::scenario) wait_for: Opt<u64>,
    /// How often the call is made at all, drawn for each run of its caller. Default: 100%.
    pub(in crate::scenario) chance: Opt<Percent>,
    /// The balancer that the attempts go through. Default: the caller takes the replicas in turn, whatever their state.
    pub(in crate::scenario) through: Opt<String>,
    /// How long one attempt may last. Default: as long as the caller's own patience.
    pub(in crate::scenario) timeout: Opt<Span>,
    /// How long the call may last, with all its attempts and pauses, before it has failed; an
    /// `on_failure` begins then. Default: as long as the caller's own patience.
    pub(in crate::scenario) deadline: Opt<Span>,
    /// Whether who serves it knows how long the caller waits: when that is over, its work for this
    /// call stops, with the calls that it makes (where those pass it on as well). Otherwise it works
    /// on for nobody. Default: false.
    pub(in crate::scenario) passes_deadline: Opt<bool>,
    /// Further attempts after a failed one. Default: none.
    pub(in crate::scenario) retries: Opt<RetriesForm>,
    /// How often a look-up in a cache finds something. Default: 100%.
    pub(in crate::scenario) hit: Opt<Percent>,
    /// Calls to make after a miss; one that fails fails this call. Default: none; a miss is then an answer like a hit.
    pub(in crate::scenario) on_miss: Opt<List<CallForm>>,
    /// Calls to make instead when this call has failed; it succeeds if they do. Default: none.
    pub(in crate::scenario) on_failure: Opt<List<CallForm>>,
    /// Whether the caller goes on without an answer; its own answer is then degraded. Default: false.
    pub(in crate::scenario) optional: Opt<bool>,
    /// How urgent it is where `discipline: priority` serves it, as are the calls that it causes.
    /// Default: as urgent as its caller.
    pub(in crate::scenario) priority: Opt<Priority>,
}

/// Further attempts of one call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {max: 2, backoff: {base: 50ms}}"
)]
#[schemars(rename = "Retries")]
pub(in crate::scenario) struct RetriesForm {
    /// Attempts after the first, at most.
    #[schemars(required, range(min = 1))]
    pub(in crate::scenario) max: Opt<u64>,
    /// The pause before each. Default: none.
    pub(in crate::scenario) backoff: Opt<BackoffForm>,
}

/// The pause before a retry: `base`, then `factor` times longer each time, at most `cap`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {base: 50ms, jitter: full}"
)]
#[schemars(rename = "Backoff")]
pub(in crate::scenario) struct BackoffForm {
    /// The first pause.
    #[schemars(required)]
    pub(in crate::scenario) base: Opt<Span>,
    /// How much longer each next pause is, at least 1. Default: 2. Evidence: assumed.
    #[schemars(range(min = 1.0))]
    pub(in crate::scenario) factor: Opt<f64>,
    /// The longest pause. Default: 10s, or `base` if that is longer. Evidence: assumed.
    pub(in crate::scenario) cap: Opt<Span>,
    /// How the pause is spread. Default: none.
    pub(in crate::scenario) jitter: Opt<JitterForm>,
}

/// How a pause is spread, so that many clients do not return at once. Evidence: documented, AWS architecture blog (2015).
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`none`, `full` or `equal`"
)]
#[schemars(rename = "Jitter")]
pub(in crate::scenario) enum JitterForm {
    /// The pause itself.
    None,
    /// Between nothing and the pause.
    Full,
    /// Between half the pause and the pause.
    Equal,
}
