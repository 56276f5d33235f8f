//! Who asks the leader of a store: the journeys whose calls come to an operation that only it serves.
//!
//! Calls that are made only after others have failed do not count: as long as all is well nobody waits
//! for what they ask.

use super::{ServedBy, System};
use crate::ids::{CallId, Id, IdVec, JourneyId, OperationId, PoolId};

impl System {
    /// By journey: whether users ask the leader of `store` in it. Messages are asked for by whoever
    /// publishes them.
    pub fn askers(&self, store: PoolId) -> IdVec<JourneyId, bool> {
        let mut asks = IdVec::filled(false, self.journeys.len());
        for workload in &self.workloads {
            for &(journey, share) in &workload.journeys {
                let mut seen = vec![false; self.operations.len()];
                asks[journey] |=
                    share > 0.0 && self.calls_ask(&self.journeys[journey].calls, store, &mut seen);
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

    fn calls_ask(&self, calls: &[CallId], store: PoolId, seen: &mut [bool]) -> bool {
        calls.iter().any(|&id| {
            let call = &self.calls[id];
            call.chance > 0.0
                && (self.operation_asks(call.to, store, seen)
                    || call.hit < 1.0 && self.calls_ask(&call.on_miss, store, seen))
        })
    }

    fn operation_asks(&self, id: OperationId, store: PoolId, seen: &mut [bool]) -> bool {
        // Where a second way comes to what was looked through, the first has found nothing there.
        if std::mem::replace(&mut seen[id.index()], true) {
            return false;
        }
        let operation = &self.operations[id];
        if operation.pool == store && operation.served_by == ServedBy::Leader {
            return true;
        }
        let message = self.queue_of(operation.pool).map(|queue| queue.call);
        self.calls_ask(&operation.calls, store, seen)
            || message.is_some_and(|call| self.calls_ask(&[call], store, seen))
    }
}
