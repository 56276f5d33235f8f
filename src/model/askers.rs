//! Who asks the leader of a store: the journeys whose calls come to an operation that only it serves.
//!
//! Calls that are made only after others have failed do not count: as long as all is well nobody waits
//! for what they ask. Nor does what hardly any request comes to, for which a year of requests would have to
//! be looked through.

use super::{ServedBy, System};
use crate::ids::{CallId, Id, IdVec, JourneyId, OperationId, PoolId};

/// Of the requests of a workload, the least share that must ask.
const LEAST: f64 = 1e-5;

/// The chance that an operation asks, where it is known already.
type Known = [Option<f64>];

impl System {
    /// By journey: whether users ask the leader of `store` in it, at least one request of a workload in
    /// 100,000. Messages are asked for by whoever publishes them.
    pub fn askers(&self, store: PoolId) -> IdVec<JourneyId, bool> {
        let mut asks = IdVec::filled(false, self.journeys.len());
        let mut known = vec![None; self.operations.len()];
        for workload in &self.workloads {
            for &(journey, share) in &workload.journeys {
                let chance = self.calls_ask(&self.journeys[journey].calls, store, &mut known);
                asks[journey] |= share * chance >= LEAST;
            }
        }
        asks
    }

    /// Whether any user asks the leader of `store`, which chooses one.
    pub fn asks_leader(&self, store: PoolId) -> bool {
        self.pools[store].chooses_leader() && self.askers(store).iter().any(|&asks| asks)
    }

    /// The same of one store, or of any.
    pub fn asks_leaders(&self, store: Option<PoolId>) -> bool {
        let mut stores = self.pools.ids();
        stores.any(|id| store.is_none_or(|store| store == id) && self.asks_leader(id))
    }

    /// The chance that any of `calls` comes there, if all is well.
    fn calls_ask(&self, calls: &[CallId], store: PoolId, known: &mut Known) -> f64 {
        let none = calls.iter().fold(1.0, |none, &id| {
            let call = &self.calls[id];
            let asked = self.operation_asks(call.to, store, known);
            let missed = if call.hit < 1.0 {
                (1.0 - call.hit) * self.calls_ask(&call.on_miss, store, known)
            } else {
                0.0
            };
            none * (1.0 - call.chance * (1.0 - (1.0 - asked) * (1.0 - missed)))
        });
        1.0 - none
    }

    fn operation_asks(&self, id: OperationId, store: PoolId, known: &mut Known) -> f64 {
        if let Some(chance) = known[id.index()] {
            return chance;
        }
        let operation = &self.operations[id];
        let chance = if operation.pool == store && operation.served_by == ServedBy::Leader {
            1.0
        } else {
            let message = self.queue_of(operation.pool).map(|queue| queue.call);
            let own = self.calls_ask(&operation.calls, store, known);
            let of_message = message.map_or(0.0, |call| self.calls_ask(&[call], store, known));
            1.0 - (1.0 - own) * (1.0 - of_message)
        };
        known[id.index()] = Some(chance);
        chance
    }
}
