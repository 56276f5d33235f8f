//! The network as a file states it: links between places.

use super::{LinkFaults, SpanDist};
use crate::scenario::read::{List, Opt};
use crate::scenario::units::{Percent, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// A link between two domains, or between the users and a domain: everything in one reaches everything in the other over it.
///
/// What crosses several links (of zones and of the regions around them, of users and of a region) crosses one after the other: their round trips add up, each may lose it, and nothing passes where one is cut.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {between: [north, south], round_trip: 30ms}"
)]
#[schemars(rename = "Link")]
pub(in crate::scenario) struct LinkForm {
    /// The two places that it joins: domains of which none lies in the other, or `users` and a domain.
    #[schemars(required, length(min = 2, max = 2))]
    pub(in crate::scenario) between: Opt<List<String>>,
    /// From the departure of a request to the arrival of an answer that took no time, as `ping` shows it; half of it each way. Connections are open already, but for those that a service opens with `connections`. At most 10min. Default: 0s.
    pub(in crate::scenario) round_trip: Opt<SpanDist>,
    /// Share of requests, and of answers, that are lost on it. They are sent again like TCP segments, until whoever waits has left. Default: 0%.
    pub(in crate::scenario) loss: Opt<Percent>,
    /// How long after it should have been there, beside the round trip, what was lost is sent again; doubled each time, up to 120s. Default: 200ms. Evidence: documented (Linux: TCP_RTO_MIN; RFC 6298 asks for 1s).
    pub(in crate::scenario) resends_after: Opt<Span>,
    /// What happens to it. Default: nothing.
    pub(in crate::scenario) faults: Opt<LinkFaults>,
}
