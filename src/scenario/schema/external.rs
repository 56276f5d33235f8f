//! Third parties as a file states them: what their contract says, and nothing of what is inside.

use super::{PriceForm, SpanDist};
use crate::scenario::read::{Entries, Opt};
use crate::scenario::units::Percent;
use schemars::JsonSchema;
use serde::Deserialize;

/// A third party that is known by its service level agreement only: no replicas, no machines, and no
/// limit unless one is stated. Operations call it directly, without a balancer.
///
/// Its outages come at random: how often follows from `availability` and how long they last, with
/// `mean of lasts * availability / (1 - availability)` between them on average. Their cause in results
/// is `<name>.outage`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a third party such as {availability: 99.9%, outages: {lasts: 30m}, operations: {charge: {takes: 120ms}}}"
)]
#[schemars(rename = "External")]
pub(in crate::scenario) struct ExternalForm {
    /// The share of time in which it has no outage, such as `99.9%`: what the contract promises, or
    /// better what you have measured. Above 0%; at 100% it never fails.
    #[schemars(required)]
    pub(in crate::scenario) availability: Opt<Percent>,
    /// Its outages; needed unless `availability` is 100%. Default: none.
    pub(in crate::scenario) outages: Opt<OutagesForm>,
    /// What a caller meets during an outage. Default: errors.
    pub(in crate::scenario) during_outage: Opt<DuringOutage>,
    /// Requests that it works on at once; one more is refused. Default: any number.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(in crate::scenario) concurrency: Opt<u64>,
    /// What it costs. Default: nothing is known.
    pub(in crate::scenario) price: Opt<PriceForm>,
    /// What it can be asked to do.
    #[schemars(required)]
    pub(in crate::scenario) operations: Opt<Entries<ExternalOperation>>,
}

/// The outages of a third party.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {lasts: {lognormal: {median: 20m, p95: 3h}}}"
)]
#[schemars(rename = "Outages")]
pub(in crate::scenario) struct OutagesForm {
    /// From the beginning of one to its end. Contracts say nothing of it; status pages do.
    #[schemars(required)]
    pub(in crate::scenario) lasts: Opt<SpanDist>,
}

/// What a caller meets during an outage of a third party.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`errors`, `silent` or `refused`"
)]
pub(in crate::scenario) enum DuringOutage {
    /// Every request is answered with an error, at once.
    Errors,
    /// Nothing answers: callers wait until their own timeout. What was in progress is never answered.
    Silent,
    /// Connections are refused, and those in use are reset.
    Refused,
}

/// An operation of a third party.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "an operation such as {takes: 120ms, fails: 0.1%}"
)]
pub(in crate::scenario) struct ExternalOperation {
    /// From asking to the answer, seen by the caller, the network included.
    #[schemars(required)]
    pub(in crate::scenario) takes: Opt<SpanDist>,
    /// How often it ends in an error when there is no outage. Default: 0%.
    pub(in crate::scenario) fails: Opt<Percent>,
}
