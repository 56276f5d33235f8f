//! Failover by stated times, elections and standbys as a file states them.

use super::SpanDist;
use crate::scenario::read::{List, Opt};
use crate::scenario::units::Percent;
use schemars::JsonSchema;
use serde::Deserialize;

/// Failover of which only the length of each stage is known.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {detect: 20s, promote: 60s}"
)]
#[schemars(rename = "Generic")]
pub(in crate::scenario) struct GenericForm {
    /// From the loss of the leader to its detection; a leader that is back by then goes on. `{heartbeat: {every: 1s, dead_after: 3.5s}}` for heartbeats that it sends.
    #[schemars(required)]
    pub(in crate::scenario) detect: Opt<SpanDist>,
    /// From the detection to the choice of a candidate. Default: 0s.
    pub(in crate::scenario) decide: Opt<SpanDist>,
    /// From the choice to leading. A candidate that is lost meanwhile makes it void; another promotion begins.
    #[schemars(required)]
    pub(in crate::scenario) promote: Opt<SpanDist>,
    /// The chance that a failover works. Default: 100%.
    pub(in crate::scenario) coverage: Opt<Percent>,
    /// What happens when it does not. Default: none; needed if `coverage` is below 100%.
    pub(in crate::scenario) on_failure: Opt<RescueForm>,
    /// What the first member does that is back after all were lost. Default: promote.
    pub(in crate::scenario) after_all_lost: Opt<LastForm>,
    /// When the repair of a member begins. Default: at_once.
    pub(in crate::scenario) repairs: Opt<RepairsForm>,
    /// Domains of those who watch the members and decide, one for each name: a member is lost, too, when no more than half of them can reach it over the network. Default: users do, so that a partition between members alone loses none of them.
    pub(in crate::scenario) watched_from: Opt<List<String>>,
    /// The lead returns to the first member, in a planned switchover. Default: it stays where it went.
    pub(in crate::scenario) failback: Opt<FailbackForm>,
    /// How long nobody leads when planned work (`maintenance`, a release) stops the leader: it hands the lead over to the next member. Default: planned work is a failover like any other loss.
    pub(in crate::scenario) switchover: Opt<SpanDist>,
}

/// A person puts a failed failover right.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {takes: 90m, restores: all}"
)]
#[schemars(rename = "OnFailure")]
pub(in crate::scenario) struct RescueForm {
    /// From the loss of the leader. `{people: on_call}` for people.
    #[schemars(required)]
    pub(in crate::scenario) takes: Opt<SpanDist>,
    /// What is right again then. Default: leader.
    pub(in crate::scenario) restores: Opt<RestoresForm>,
}

/// What a person puts right.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`leader` or `all`"
)]
#[schemars(rename = "Restores")]
pub(in crate::scenario) enum RestoresForm {
    /// A member that is available leads.
    Leader,
    /// All faults of the members themselves are over.
    All,
}

/// What the first member does that is back after all were lost.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`promote` or `lead`"
)]
#[schemars(rename = "AfterAllLost")]
pub(in crate::scenario) enum LastForm {
    /// It is promoted before it leads.
    Promote,
    /// It leads at once.
    Lead,
}

/// When the repair of a member begins.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`at_once` or `after_failover`"
)]
#[schemars(rename = "Repairs")]
pub(in crate::scenario) enum RepairsForm {
    /// When it has failed.
    AtOnce,
    /// When no failover is going on.
    AfterFailover,
}

/// The lead returns to the first member.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {after: 10m, takes: 5s}"
)]
#[schemars(rename = "Failback")]
pub(in crate::scenario) struct FailbackForm {
    /// How long the first member has to be available before. Default: 0s.
    pub(in crate::scenario) after: Opt<SpanDist>,
    /// How long nobody leads. Default: 0s.
    pub(in crate::scenario) takes: Opt<SpanDist>,
}

/// Election by a majority of all members: there is a leader only while a majority runs and is reachable.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping such as {elects_in: 2s}")]
#[schemars(rename = "QuorumElection")]
pub(in crate::scenario) struct QuorumForm {
    /// How long an election takes, from the loss of the leader or the return of a majority, with time-outs and catching up.
    #[schemars(required)]
    pub(in crate::scenario) elects_in: Opt<SpanDist>,
    /// How long nobody leads when planned work (`maintenance`, a release) stops the leader: it hands the lead over to another member of the majority. Default: planned work is a failover like any other loss.
    pub(in crate::scenario) switchover: Opt<SpanDist>,
}

/// When a write to a store is acknowledged. Operations `from: leader` count as writes.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`async`, `sync` or `semi_sync`"
)]
#[schemars(rename = "Replication")]
pub(in crate::scenario) enum ReplicationForm {
    /// When the leader has it. What its successor does not have yet is lost in a failover: see `lag`. What `from: any` reads may be as old as the lag, which is not counted.
    Async,
    /// When another member has it too. Nothing is lost, and nobody can write while no other member is available. How long the copy takes belongs to `takes` of the operation.
    Sync,
    /// As `sync`, but when no other member has been available for `semi_sync_timeout`, the leader goes on without, until one is back. What it acknowledges meanwhile is lost if another leads next. Evidence: documented, MySQL 8.0 (semisynchronous replication).
    SemiSync,
}

/// What stands by. Balancers and callers send nothing to it, and know at once when it has taken over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {count: 1, kind: cold}"
)]
#[schemars(rename = "Standby")]
pub(in crate::scenario) struct StandbyForm {
    /// How many. Default: 1.
    #[schemars(range(min = 1, max = 10_000))]
    pub(in crate::scenario) count: Opt<u64>,
    /// How it ages and fails while it stands by. Default: hot.
    pub(in crate::scenario) kind: Opt<StandbyKind>,
    /// How fast a warm one ages, compared to one that works. Default: none; needed for `kind: warm`.
    pub(in crate::scenario) rate: Opt<Percent>,
    /// From the loss of one that works to another serving in its stead. Default: 0s.
    pub(in crate::scenario) activates_in: Opt<SpanDist>,
    /// The chance that an activation works. Default: 100%.
    pub(in crate::scenario) coverage: Opt<Percent>,
    /// What happens when it does not. Default: none; needed if `coverage` is below 100%.
    pub(in crate::scenario) on_failure: Opt<ByHandForm>,
}

/// A person activates a standby that was not activated by itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping such as {takes: 30m}")]
#[schemars(rename = "ByHand")]
pub(in crate::scenario) struct ByHandForm {
    /// From the loss of one that works to the standby serving. `{people: on_call}` for people.
    #[schemars(required)]
    pub(in crate::scenario) takes: Opt<SpanDist>,
}

/// How a standby ages and fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`cold`, `warm` or `hot`"
)]
pub(in crate::scenario) enum StandbyKind {
    /// Not at all.
    Cold,
    /// More slowly, at `rate`.
    Warm,
    /// As if it worked.
    Hot,
}
