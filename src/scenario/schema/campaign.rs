//! What operators do, as a file states it.

use super::SpanDist;
use crate::scenario::read::Opt;
use crate::scenario::units::{Percent, Span, WeekTime};
use schemars::JsonSchema;
use serde::Deserialize;

/// Planned work, by the clock: each component is stopped and comes back. Downtime due to it is planned.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "maintenance such as {every: 7d, at: \"Sun 03:00\", lasts: 45m}"
)]
#[schemars(rename = "Maintenance")]
pub(in crate::scenario) struct MaintenanceForm {
    /// From start to start. A plain time such as `7d` goes by the clock; a distribution is drawn anew each time.
    #[schemars(required)]
    pub(in crate::scenario) every: Opt<SpanDist>,
    /// When the work starts, such as "Sun 03:00" (`every` in whole weeks) or "03:00" (`every` in whole days). Default: at a time drawn for each history.
    pub(in crate::scenario) at: Opt<WeekTime>,
    /// How long each component is stopped. What starts then may need longer, see `starts_in`.
    #[schemars(required)]
    pub(in crate::scenario) lasts: Opt<SpanDist>,
    /// Whether balancers send nothing to a component any more before it stops, so that requests in progress end first. The instances of a balancer hand over their address. Default: true.
    pub(in crate::scenario) drained: Opt<bool>,
    /// How long before it stops a component gets no new requests. Default: the longest patience of all users; 30s without one. Evidence: documented, Kubernetes (`terminationGracePeriodSeconds`).
    pub(in crate::scenario) drains_in: Opt<Span>,
    /// Whether components are stopped one after the other, each when the one before serves again, and not all at once. Default: false.
    pub(in crate::scenario) one_by_one: Opt<bool>,
    /// One by one: from the return of one component to the next. Default: 30s. Evidence: assumed.
    pub(in crate::scenario) pause: Opt<Span>,
}

/// New versions of a service. Each rolls over its replicas, which restart one after the other; that is planned. A bad one is broken from its start, until it is noticed and rolled back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "releases such as {every: 7d, bad: 1%, noticed_in: {lognormal: {median: 8m, p95: 40m}}}"
)]
#[schemars(rename = "Release")]
pub(in crate::scenario) struct ReleaseForm {
    /// From start to start. A plain time such as `7d` goes by the clock; a distribution is drawn anew each time.
    #[schemars(required)]
    pub(in crate::scenario) every: Opt<SpanDist>,
    /// When a release starts, such as "Tue 10:00" (`every` in whole weeks) or "10:00" (`every` in whole days). Default: at a time drawn for each history.
    pub(in crate::scenario) at: Opt<WeekTime>,
    /// How often a version is bad.
    #[schemars(required)]
    pub(in crate::scenario) bad: Opt<Percent>,
    /// What a bad version does. Default: crash.
    pub(in crate::scenario) effect: Opt<EffectForm>,
    /// From the first replica with a bad version to when that is noticed; then the roll stops and is taken back.
    #[schemars(required)]
    pub(in crate::scenario) noticed_in: Opt<SpanDist>,
    /// How a version rolls over the replicas. Default: one at once, with 30s in between, drained. Evidence: assumed.
    pub(in crate::scenario) rolls: Opt<RollForm>,
    /// How a bad version is rolled back. Default: as it rolled, but not drained.
    pub(in crate::scenario) rolls_back: Opt<RollBackForm>,
}

/// What a bad version or configuration does.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields, expecting = "`crash`")]
#[schemars(rename = "Effect")]
pub(in crate::scenario) enum EffectForm {
    /// It cannot serve: connections are refused.
    Crash,
}

/// How a version rolls over replicas.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {at_once: 1, pause: 30s}"
)]
#[schemars(rename = "Roll")]
pub(in crate::scenario) struct RollForm {
    /// How many replicas restart together. Default: 1.
    #[schemars(range(min = 1))]
    pub(in crate::scenario) at_once: Opt<u64>,
    /// From when they have started to when the next restart. Default: 30s. Evidence: assumed.
    pub(in crate::scenario) pause: Opt<Span>,
    /// Whether balancers send nothing to a replica any more before it restarts, so that requests in progress end first. Default: true.
    pub(in crate::scenario) drained: Opt<bool>,
    /// How long before it restarts a replica gets no new requests. Default: the longest patience of all users; 30s without one. Evidence: documented, Kubernetes (`terminationGracePeriodSeconds`).
    pub(in crate::scenario) drains_in: Opt<Span>,
}

/// How a bad version is rolled back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {at_once: 1, pause: 30s}"
)]
#[schemars(rename = "RollBack")]
pub(in crate::scenario) struct RollBackForm {
    /// How many replicas restart together. Default: as many as when it rolled.
    #[schemars(range(min = 1))]
    pub(in crate::scenario) at_once: Opt<u64>,
    /// From when they have started to when the next restart. Default: as when it rolled.
    pub(in crate::scenario) pause: Opt<Span>,
}

/// New configurations of a service, which reach its replicas without a restart. A good one has no effect, a bad one keeps a replica from serving until it is noticed and taken back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "configurations such as {every: 1d, bad: 0.2%, noticed_in: 5m}"
)]
#[schemars(rename = "Configuration")]
pub(in crate::scenario) struct ConfigurationForm {
    /// From start to start. A plain time such as `1d` goes by the clock; a distribution is drawn anew each time.
    #[schemars(required)]
    pub(in crate::scenario) every: Opt<SpanDist>,
    /// When it starts, such as "Tue 10:00" (`every` in whole weeks) or "10:00" (`every` in whole days). Default: at a time drawn for each history.
    pub(in crate::scenario) at: Opt<WeekTime>,
    /// How often a configuration is bad.
    #[schemars(required)]
    pub(in crate::scenario) bad: Opt<Percent>,
    /// What a bad configuration does. Default: crash.
    pub(in crate::scenario) effect: Opt<EffectForm>,
    /// From the first replica with a bad configuration to when that is noticed; then it spreads no further and is taken back.
    #[schemars(required)]
    pub(in crate::scenario) noticed_in: Opt<SpanDist>,
    /// How long until it has reached all replicas, one after the other. Default: 0s, all at once.
    pub(in crate::scenario) spreads_in: Opt<SpanDist>,
    /// From noticing until it is taken back on all replicas reached, one after the other. Default: as long as it takes to spread.
    pub(in crate::scenario) reverted_in: Opt<SpanDist>,
}

/// A certificate that all replicas use. If its renewal fails, it expires on all of them at once, and none can serve until a new one is there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a certificate such as {valid_for: 90d, renewal_fails: 1%, noticed_in: 10m, renewed_in: 30m}"
)]
#[schemars(rename = "Certificate")]
pub(in crate::scenario) struct CertificateForm {
    /// From one renewal to the next, which is due before it expires.
    #[schemars(required)]
    pub(in crate::scenario) valid_for: Opt<Span>,
    /// How often a renewal fails without anybody noticing before it expires.
    #[schemars(required)]
    pub(in crate::scenario) renewal_fails: Opt<Percent>,
    /// From its expiry to when that is noticed.
    #[schemars(required)]
    pub(in crate::scenario) noticed_in: Opt<SpanDist>,
    /// From then to when all have a new one.
    #[schemars(required)]
    pub(in crate::scenario) renewed_in: Opt<SpanDist>,
}
