//! Regimes that traffic cannot tell apart have one key.
//!
//! Slots of one pool are exchangeable, so their states are sorted, jointly with what every instance
//! of every balancer believes about them; instances of one balancer are sorted by state, island and
//! whether they hold the address. Whom failures are attributed to is no part of the key.

use super::{Regime, SlotState};
use crate::ids::{Id, IdVec, SlotId};
use crate::model::System;
use crate::random::Key;

/// Makes keys; keeps its buffers between calls.
#[derive(Clone, Debug, Default)]
pub struct KeyMaker {
    instances: Vec<(u64, SlotId)>,
    columns: Vec<Vec<u64>>,
}

fn place(regime: &Regime, slot: SlotId) -> u64 {
    let island = regime.islands[slot].map_or(0, |domain| domain.index() as u64 + 1);
    (island << 2) | regime.slots[slot] as u64
}

impl KeyMaker {
    /// The key of `regime`: equal for regimes that differ only by the names of exchangeable slots.
    pub fn key(&mut self, system: &System, regime: &Regime) -> u64 {
        let mut key = Key::of_seed(0x7265_6769_6d65);
        // Instances in canonical order, balancer by balancer.
        self.instances.clear();
        for (id, balancer) in system.balancers.pairs() {
            let start = self.instances.len();
            for &slot in &balancer.slots {
                let held = u64::from(regime.holders[id] == Some(slot));
                self.instances.push((place(regime, slot) << 1 | held, slot));
            }
            self.instances[start..].sort_by_key(|instance| instance.0);
            key = self.instances[start..]
                .iter()
                .fold(key, |key, instance| key.with(instance.0));
        }
        for (id, pool) in system.pools.pairs() {
            self.columns
                .resize_with(pool.slots.len().max(self.columns.len()), Vec::new);
            for (member, &slot) in pool.slots.iter().enumerate() {
                let column = &mut self.columns[member];
                column.clear();
                let leads = u64::from(regime.leaders[id] == Some(slot));
                column.push(place(regime, slot) << 1 | leads);
                for &(_, instance) in &self.instances {
                    let view = &regime.views[instance];
                    let watches = matches!(
                        system.slots[instance].owner,
                        crate::model::Owner::Balancer(balancer)
                            if system.balancers[balancer].to == id
                    );
                    // What a dead instance believes moves nothing.
                    let alive = regime.slots[instance] == SlotState::Serving;
                    column.push(u64::from(watches && alive && !view[member]));
                }
            }
            let columns = &mut self.columns[..pool.slots.len()];
            columns.sort_unstable();
            for column in columns {
                key = column.iter().fold(key, |key, &part| key.with(part));
            }
        }
        key.get()
    }
}

/// Exchanges two slots of one pool everywhere in a regime: what [`KeyMaker::key`] does not notice.
pub fn exchanged(system: &System, regime: &Regime, a: SlotId, b: SlotId) -> Regime {
    let mut other = regime.clone();
    let swap = |slot: SlotId| {
        if slot == a {
            b
        } else if slot == b {
            a
        } else {
            slot
        }
    };
    other.slots = system
        .slots
        .ids()
        .map(|slot| regime.slots[swap(slot)])
        .collect();
    other.islands = system
        .slots
        .ids()
        .map(|slot| regime.islands[swap(slot)])
        .collect();
    other.leaders = regime
        .leaders
        .iter()
        .map(|leader| leader.map(swap))
        .collect::<IdVec<_, Option<SlotId>>>();
    let pool = system.slots[a].owner;
    for balancer in &system.balancers {
        if pool == crate::model::Owner::Pool(balancer.to) {
            for &instance in &balancer.slots {
                let (i, j) = (
                    system.slots[a].index as usize,
                    system.slots[b].index as usize,
                );
                other.views[instance].swap(i, j);
            }
        }
    }
    other
}
