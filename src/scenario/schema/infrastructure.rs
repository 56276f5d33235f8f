//! Domains, machines and faults as a file states them.

use super::{
    CertificateForm, CommonForm, ConfigurationForm, MaintenanceForm, PriceForm, ReleaseForm,
    SpanDist, SparesForm,
};
use crate::scenario::read::{List, Opt};
use schemars::JsonSchema;
use serde::Deserialize;

/// A failure domain.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {kind: zone, in: north}"
)]
pub(in crate::scenario) struct Domain {
    /// What it is: region, zone, rack, power feed, ... Default: domain.
    pub(in crate::scenario) kind: Opt<String>,
    /// The domain that it lies in.
    #[serde(rename = "in")]
    pub(in crate::scenario) within: Opt<String>,
    /// What happens to the domain as a whole.
    pub(in crate::scenario) faults: Opt<DomainFaults>,
}

/// What happens to a domain as a whole.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping of faults")]
pub(in crate::scenario) struct DomainFaults {
    /// Everything in it stops without a word, and starts again when power is back.
    pub(in crate::scenario) power: Opt<Fault>,
    /// It cannot be reached from outside nor reach out; what is inside lives on.
    pub(in crate::scenario) isolated: Opt<Fault>,
    /// Everything in it is stopped for planned work, and starts again.
    pub(in crate::scenario) maintenance: Opt<MaintenanceForm>,
}

/// What happens to each of several equal components.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping of faults")]
pub(in crate::scenario) struct Faults {
    /// It stops. A machine takes everything on it down.
    pub(in crate::scenario) crash: Opt<Fault>,
    /// It is stopped for planned work.
    pub(in crate::scenario) maintenance: Opt<MaintenanceForm>,
    /// New versions roll over the replicas; some are bad. Of services only.
    pub(in crate::scenario) release: Opt<ReleaseForm>,
    /// New configurations reach the replicas without a restart; some are bad. Of services only.
    pub(in crate::scenario) configuration: Opt<ConfigurationForm>,
    /// The certificate that all use expires if its renewal fails. Of services and balancers only.
    pub(in crate::scenario) certificate: Opt<CertificateForm>,
}

/// A fault: how often, and how long.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a fault such as {every: {exponential: {mean: 30d}}, lasts: 1h}"
)]
pub(in crate::scenario) struct Fault {
    /// From the end of one to the start of the next: a time to failure.
    #[schemars(required)]
    pub(in crate::scenario) every: Opt<SpanDist>,
    /// From its start to its end; with `repaired_by`, `noticed_in` or `spares`, from the start of the work on it. What it stopped may need longer, see `starts_in`.
    #[schemars(required)]
    pub(in crate::scenario) lasts: Opt<SpanDist>,
    /// From its start until somebody begins to do something about it: monitoring, or a user who calls. Default: 0s.
    pub(in crate::scenario) noticed_in: Opt<SpanDist>,
    /// Spare parts for its repair, shared by all that have this fault. Default: parts are at hand.
    pub(in crate::scenario) spares: Opt<SparesForm>,
    /// The crew that repairs it. Default: each component has somebody of its own.
    pub(in crate::scenario) repaired_by: Opt<String>,
    /// How urgent its repair is, 1 before all others. Needed if the crew works in `order: priority`.
    #[schemars(range(min = 1, max = 1_000))]
    pub(in crate::scenario) priority: Opt<u64>,
    /// The part of it that hits all of them at once. Default: none.
    pub(in crate::scenario) common: Opt<CommonForm>,
}

/// A group of equal machines, named `<group>-1`, `<group>-2`, ...
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {count: 6, across: [north-a, north-b]}"
)]
pub(in crate::scenario) struct Nodes {
    /// How many. Default: 1.
    #[schemars(range(min = 1, max = 10_000))]
    pub(in crate::scenario) count: Opt<u64>,
    /// Domains that they are dealt over, in turn. Default: in no domain.
    pub(in crate::scenario) across: Opt<List<String>>,
    /// What one of them costs. Default: nothing is known.
    pub(in crate::scenario) price: Opt<PriceForm>,
    /// What happens to each of them.
    pub(in crate::scenario) faults: Opt<Faults>,
}
