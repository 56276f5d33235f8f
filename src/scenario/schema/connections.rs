//! Connections that a service keeps to what it calls, as a file states them.

use super::SpanDist;
use crate::scenario::read::Opt;
use crate::scenario::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// The connections that each replica of a service keeps to one thing that it calls: a pool for each
/// address, as clients of databases and of HTTP/1 do it. The addresses of what is called directly are
/// its replicas; of what is called through a balancer, the instances of the balancer.
///
/// An attempt takes the idle connection that was used last, or opens one if there are fewer than
/// `max`, or waits for its turn. The connection is idle again after an answer, an error included; it is
/// closed when the caller stops waiting, and gone when either end stops.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {max: 20, setup: 5ms, wait: 200ms}"
)]
#[schemars(rename = "Connections")]
pub(in crate::scenario) struct ConnectionsForm {
    /// Connections from one replica to one address, at most, idle ones included. Default: any number.
    #[schemars(range(min = 1, max = 10_000))]
    pub(in crate::scenario) max: Opt<u64>,
    /// How long it takes to open one, such as the round trips of TCP and TLS and the login. Over links of the `network`, TCP's is added: a round trip, and after a loss 1s, 3s, 7s, up to 63s more (or as many times `resends_after`, if that is longer); state the rest, such as TLS, here. Default: 0s. Evidence: documented (Linux: TCP_TIMEOUT_INIT, tcp_syn_retries; RFC 6298 2.1).
    pub(in crate::scenario) setup: Opt<SpanDist>,
    /// An idle one is closed when it was not used for so long. Default: 60s. Evidence: assumed. At most 1d.
    pub(in crate::scenario) idle_timeout: Opt<Span>,
    /// How long an attempt waits for a free one before it has failed; 0s: not at all. Default: as long
    /// as its caller waits.
    pub(in crate::scenario) wait: Opt<Span>,
    /// Attempts that may wait for one of them; one more fails at once. Default: any number.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(in crate::scenario) queue: Opt<u64>,
}
