//! Journeys and workloads as a file states them.

use super::{Arrive, BurstsForm, CallForm, Priority, SpanDist};
use crate::scenario::read::{Entries, List, Opt};
use crate::scenario::units::{Percent, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// A user-facing operation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a journey such as {calls: [{to: app.read}]}"
)]
#[schemars(rename = "Journey")]
pub(in crate::scenario) struct JourneyForm {
    /// The calls it makes, one after the other, or some of them at the same time (`parallel`).
    #[schemars(required)]
    pub(in crate::scenario) calls: Opt<List<CallForm>>,
    /// How urgent its calls are where `discipline: priority` serves them. Default: normal.
    pub(in crate::scenario) priority: Opt<Priority>,
    /// An answer later than this is no good. Default: the workload's `good_within`, or else its patience.
    pub(in crate::scenario) good_within: Opt<Span>,
}

/// A stream of requests that come whatever happened to the ones before.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a workload such as {arrive: {poisson: 400/s}, journeys: {read: 100%}, through: edge}"
)]
#[schemars(rename = "Workload")]
pub(in crate::scenario) struct WorkloadForm {
    /// How often requests come.
    #[schemars(required)]
    pub(in crate::scenario) arrive: Opt<Arrive>,
    /// Times in which many more requests come, such as
    /// `{every: {exponential: {mean: 30d}}, lasts: 1h, factor: 5}`. Default: there are none.
    pub(in crate::scenario) bursts: Opt<BurstsForm>,
    /// What they do, with shares that sum to 100%. Each key is a name under `journeys`, an operation
    /// of the service behind `through`, or `<service>.<operation>`; it is looked for in this order.
    /// In results the journey is named `<workload>.<key>`.
    #[schemars(required)]
    pub(in crate::scenario) journeys: Opt<Entries<Percent>>,
    /// The balancer that they enter through. Default: none; users take the replicas in turn.
    pub(in crate::scenario) through: Opt<String>,
    /// How long a user waits before leaving: for all the same, or drawn for each. Default: for ever.
    pub(in crate::scenario) patience: Opt<SpanDist>,
    /// An answer later than this is no good. Default: the patience.
    pub(in crate::scenario) good_within: Opt<Span>,
}
