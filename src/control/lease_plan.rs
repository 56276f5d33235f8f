//! What is worked out once about stores that choose a leader by a lease (`follow.rs`).

use super::Detail;
use super::audience::Audiences;
use super::network::{NetworkPlan, Seats};
use super::plan::{Delay, SlotPlan, Timer, follows_lease};
use crate::ids::{IdVec, PoolId, SlotId};
use crate::model::{PoolKind, StoreFailover, System};
use crate::random::{Part, name_hash};
use crate::time::SimSpan;

/// One lease.
#[derive(Clone, Debug)]
pub(super) struct LeasePlan {
    pub(super) pool: PoolId,
    pub(super) slots: Vec<SlotId>,
    pub(super) name: Part,
    pub(super) ttl: SimSpan,
    pub(super) loop_wait: SimSpan,
    pub(super) decides: Delay,
    pub(super) promotes: Delay,
    /// How long a switchover takes, if planned work is one.
    pub(super) hand_over: Option<Delay>,
    /// Where the members of the store that keeps its key stand.
    pub(super) seats: Seats,
    pub(super) unit: u32,
    pub(super) timer: u32,
}

/// The leases of `system` that are followed.
pub(super) fn leases(
    system: &System,
    detail: Detail,
    network: &NetworkPlan,
    timers: &mut Vec<Timer>,
    slots: &mut IdVec<SlotId, SlotPlan>,
) -> Vec<LeasePlan> {
    let mut leases = Vec::new();
    for (id, pool) in system.pools.pairs() {
        let PoolKind::Store {
            failover: Some(StoreFailover::Lease(lease)),
        } = &pool.kind
        else {
            continue;
        };
        if !follows_lease(system, detail, id) {
            continue;
        }
        for &slot in &pool.slots {
            slots[slot].lease = leases.len() as u32;
        }
        let timer = timers.len() as u32;
        timers.push(Timer::Lease(leases.len() as u32));
        leases.push(LeasePlan {
            pool: id,
            slots: pool.slots.clone(),
            name: Part::new(name_hash(&pool.name)),
            ttl: lease.ttl,
            loop_wait: lease.loop_wait,
            decides: Delay::of(&lease.decides_in),
            promotes: Delay::of(&lease.promotes_in),
            hand_over: lease.switchover.as_ref().map(Delay::of),
            seats: network.seats(system, &lease.key_in, &pool.slots),
            unit: Audiences::leader_unit(system, id),
            timer,
        });
    }
    leases
}
