//! Message queues as a file states them.

use super::{Faults, PriceForm, SpanDist};
use crate::scenario::read::{List, Opt};
use crate::scenario::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// A message queue: one broker that keeps messages until a consumer has done them. A call of
/// `<queue>.publish` is answered when the queue has the message, and fails if the queue is down or full.
/// One service takes from it (`takes_from`): a worker that is free takes the message that has waited
/// longest. A delivery that is not acknowledged within `redelivers_after` is made again.
///
/// Nothing that becomes of a message concerns its publisher. A backlog can last for hours, so traffic
/// is simulated request by request (`--method exact`).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a queue such as {capacity: 100000, max_deliveries: 5, redelivers_after: 30s}"
)]
#[schemars(rename = "Queue")]
pub(in crate::scenario) struct QueueForm {
    /// Messages it can hold, those in work included; one more is refused. Default: 1000000, which is also the most. Evidence: assumed.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(in crate::scenario) capacity: Opt<u64>,
    /// How often a message is delivered at most; one that failed so often is a dead letter. Default: for ever.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(in crate::scenario) max_deliveries: Opt<u64>,
    /// From a delivery to the next one if nobody has acknowledged it: the worker failed, died, or is
    /// still at it (then another does the same work again). At least 1s. Default: 30s.
    /// Evidence: documented (the visibility timeout of SQS).
    pub(in crate::scenario) redelivers_after: Opt<Span>,
    /// Whether messages survive when the broker stops. Default: true.
    pub(in crate::scenario) durable: Opt<bool>,
    /// How long it takes to store a message, until the publisher has its answer. Default: 1ms. Evidence: assumed.
    pub(in crate::scenario) takes: Opt<SpanDist>,
    /// The domain that the broker stands in, as a list of one. Default: in no domain. Not together with `on`.
    pub(in crate::scenario) across: Opt<List<String>>,
    /// The group of machines of which the first runs the broker. Default: on none that can fail. Not together with `across`.
    pub(in crate::scenario) on: Opt<String>,
    /// From the end of what stopped the broker to serving again. Default: 0s.
    pub(in crate::scenario) starts_in: Opt<SpanDist>,
    /// What it costs. Default: nothing is known; for what runs `on` machines, their price counts.
    pub(in crate::scenario) price: Opt<PriceForm>,
    /// What happens to the broker. Default: nothing, and `validate` warns of it.
    pub(in crate::scenario) faults: Opt<Faults>,
}

/// The queue that a service takes from. Its workers do nothing else.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {queue: mail, operation: send}"
)]
#[schemars(rename = "TakesFrom")]
pub(in crate::scenario) struct TakesFromForm {
    /// The queue.
    #[schemars(required)]
    pub(in crate::scenario) queue: Opt<String>,
    /// The operation of this service that is done for each message.
    #[schemars(required)]
    pub(in crate::scenario) operation: Opt<String>,
}
