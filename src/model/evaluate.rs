//! The structure function worked out from nothing: slow and plain, the reference for the gates.

use super::{ServedBy, System};
use crate::ids::{BalancerId, CallId, IdVec, JourneyId, OperationId, PoolId, SlotId};

/// The value of the structure function, worked out from nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// Whether each pool has enough slots that can serve.
    pub pools: IdVec<PoolId, bool>,
    /// The same for balancers.
    pub balancers: IdVec<BalancerId, bool>,
    /// Whether each operation can be served.
    pub operations: IdVec<OperationId, bool>,
    /// Whether each journey can be served.
    pub journeys: IdVec<JourneyId, bool>,
    /// Whether the system is up.
    pub system: bool,
}

/// Works out the structure function for the slots that can serve and the leaders given.
///
/// Slow and plain: it begins with every operation and call up and takes down what cannot be, until
/// nothing changes. The reference for [`StructureState`](super::structure::StructureState).
pub fn evaluate(
    system: &System,
    serves: impl Fn(SlotId) -> bool,
    leaders: &IdVec<PoolId, Option<SlotId>>,
) -> Verdicts {
    let count = |slots: &[SlotId]| slots.iter().filter(|&&slot| serves(slot)).count();
    let enough = |slots: &[SlotId], needs: u32| count(slots) >= needs as usize;
    let pools: IdVec<PoolId, bool> = system
        .pools
        .iter()
        .map(|pool| enough(&pool.slots, pool.needs))
        .collect();
    let balancers: IdVec<BalancerId, bool> = system
        .balancers
        .iter()
        .map(|one| enough(&one.slots, one.needs))
        .collect();
    let mut operations: IdVec<OperationId, bool> = IdVec::filled(true, system.operations.len());
    let mut calls: IdVec<CallId, bool> = IdVec::filled(true, system.calls.len());
    let all = |calls: &IdVec<CallId, bool>, list: &[CallId]| all_up(system, calls, list);
    loop {
        let before = (operations.clone(), calls.clone());
        for (id, operation) in system.operations.pairs() {
            let pool = &system.pools[operation.pool];
            let can = match operation.served_by {
                ServedBy::Any => true,
                ServedBy::Leader => leaders[operation.pool].is_some_and(&serves),
                ServedBy::Quorum => 2 * count(&pool.slots) > pool.active(),
            };
            operations[id] = can && pools[operation.pool] && all(&calls, &operation.calls);
        }
        for (id, call) in system.calls.pairs() {
            let regular = operations[call.to]
                && call.through.is_none_or(|balancer| balancers[balancer])
                && (call.hit >= 1.0 || all(&calls, &call.on_miss));
            calls[id] = regular || (!call.on_failure.is_empty() && all(&calls, &call.on_failure));
        }
        if before == (operations.clone(), calls.clone()) {
            break;
        }
    }
    let journeys: IdVec<JourneyId, bool> = system
        .journeys
        .iter()
        .map(|journey| all(&calls, &journey.calls))
        .collect();
    let system = if journeys.is_empty() {
        pools.iter().chain(&balancers).all(|&up| up)
    } else {
        journeys.iter().all(|&up| up)
    };
    Verdicts {
        pools,
        balancers,
        operations,
        journeys,
        system,
    }
}

/// Whether all items of `list` are up that are needed.
fn all_up(system: &System, calls: &IdVec<CallId, bool>, list: &[CallId]) -> bool {
    system.items(list).all(|item| {
        let first = &system.calls[item[0]];
        let Some(fork) = first.fork.map(|id| &system.forks[id]) else {
            return calls[item[0]] || first.optional;
        };
        let succeed = |call: &&CallId| calls[**call] || system.calls[**call].optional;
        let up = fork.copies * item.iter().filter(succeed).count() as u32;
        up >= fork.wait_for
            || fork.optional
            || !fork.on_failure.is_empty() && all_up(system, calls, &fork.on_failure)
    })
}
