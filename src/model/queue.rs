//! Message queues and who takes from them.

use crate::ids::{CallId, PoolId};
use crate::time::SimSpan;

/// A message queue: a pool of one slot, the broker, with one operation, `publish`.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Its pool.
    pub pool: PoolId,
    /// Messages it can hold, those in work included.
    pub capacity: u32,
    /// How often a message is delivered at most; `None` for ever.
    pub max_deliveries: Option<u32>,
    /// From a delivery that nobody acknowledges to the next.
    pub redelivers_after: SimSpan,
    /// Whether messages survive when the broker stops.
    pub durable: bool,
    /// The service whose workers take from it.
    pub consumer: PoolId,
    /// The call that is made for each delivery, of an operation of that service: one attempt, whose
    /// timeout is `redelivers_after`.
    pub call: CallId,
}
