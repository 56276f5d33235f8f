//! Domains, machines and faults as a file states them.

use super::{DomainFaults, Faults, PriceForm};
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
    /// The domain that it lies in. Default: in none.
    #[serde(rename = "in")]
    pub(in crate::scenario) within: Opt<String>,
    /// What happens to the domain as a whole. Default: nothing.
    pub(in crate::scenario) faults: Opt<DomainFaults>,
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
    /// What happens to each of them. Default: nothing, and `validate` warns of it.
    pub(in crate::scenario) faults: Opt<Faults>,
}
