//! What operators do, as a file states it.

use super::SpanDist;
use crate::scenario::read::Opt;
use crate::scenario::units::{Span, WeekTime};
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
    /// How long before it stops a component gets no new requests. Default: the longest patience of all users; 30s without one (Kubernetes).
    pub(in crate::scenario) drains_in: Opt<Span>,
    /// Whether components are stopped one after the other, each when the one before serves again, and not all at once. Default: false.
    pub(in crate::scenario) one_by_one: Opt<bool>,
    /// One by one: from the return of one component to the next. Default: 30s.
    pub(in crate::scenario) pause: Opt<Span>,
}
