//! Regimes that traffic cannot tell apart have one key.
//!
//! Slots of one pool are exchangeable, so their states are sorted, jointly with what every instance
//! of every balancer believes about them; instances of one balancer are sorted by state, impairment,
//! island and whether they hold the address. Impairments are part of the key only in regimes that have
//! any, and so are bursts, and which slots are at one site of the network only where that matters (`sites.rs`). Whom
//! failures are attributed to is no part of the key.

use super::sites::Sites;
use super::{Regime, SlotState};
use crate::ids::{Id, SlotId};
use crate::model::Owner;
use crate::model::System;
use crate::random::{Key, mix};

/// Makes keys; keeps its buffers between calls.
#[derive(Clone, Debug, Default)]
pub struct KeyMaker {
    instances: Vec<([u64; 4], SlotId)>,
    sites: Sites,
    columns: Vec<Vec<u64>>,
}

fn place(regime: &Regime, slot: SlotId) -> u64 {
    let island = regime.islands[slot].map_or(0, |domain| domain.index() as u64 + 1);
    let state = regime.slots[slot] as u64;
    (state >> 2 << 40) | (island << 2) | (state & 3)
}

/// How badly a slot is doing: all zero if nothing is wrong, or no regime of its kind has it.
fn impairment(regime: &Regime, slot: SlotId) -> [u64; 2] {
    let impairment = regime.impairments[slot];
    if impairment.is_any() {
        [impairment.factor.to_bits(), impairment.errors.to_bits()]
    } else {
        [0; 2]
    }
}

impl KeyMaker {
    /// The key of `regime`: equal for regimes that differ only by the names of exchangeable slots.
    pub fn key(&mut self, system: &System, regime: &Regime) -> u64 {
        let mut key = Key::of_seed(0x7265_6769_6d65);
        for (workload, _) in regime.bursts.pairs().filter(|(_, active)| **active) {
            key = key.with(workload.index() as u64);
        }
        let impaired = regime.impairments.iter().any(|one| one.is_any());
        let leads = |slot: SlotId| match system.slots[slot].owner {
            Owner::Pool(pool) => regime.leaders[pool] == Some(slot),
            Owner::Balancer(balancer) => regime.holders[balancer] == Some(slot),
        };
        let standing = |slot: SlotId| {
            let [factor, errors] = impairment(regime, slot);
            mix(place(regime, slot) << 1 | u64::from(leads(slot))) ^ mix(factor) ^ errors
        };
        let sited = self.sites.rank(system, regime, standing);
        let parts = match (sited, impaired) {
            (true, _) => 4,
            (false, true) => 3,
            (false, false) => 1,
        };
        if sited {
            key = self.sites.add_to(key, regime);
        }
        // Instances in canonical order, balancer by balancer.
        self.instances.clear();
        for (id, balancer) in system.balancers.pairs() {
            let start = self.instances.len();
            for &slot in &balancer.slots {
                let held = u64::from(regime.holders[id] == Some(slot));
                let [factor, errors] = impairment(regime, slot);
                let place = place(regime, slot) << 1 | held;
                let site = if sited {
                    let rank = self.sites.rank_of(regime, slot);
                    mix(rank) ^ self.sites.held_from(system, regime, slot)
                } else {
                    0
                };
                self.instances.push(([place, factor, errors, site], slot));
            }
            self.instances[start..].sort_by_key(|instance| instance.0);
            key = self.instances[start..]
                .iter()
                .flat_map(|instance| &instance.0[..parts])
                .fold(key, |key, &part| key.with(part));
        }
        for (id, pool) in system.pools.pairs() {
            self.columns
                .resize_with(pool.slots.len().max(self.columns.len()), Vec::new);
            for (member, &slot) in pool.slots.iter().enumerate() {
                let column = &mut self.columns[member];
                column.clear();
                let leads = u64::from(regime.leaders[id] == Some(slot));
                column.push(place(regime, slot) << 1 | leads);
                if sited {
                    column.push(self.sites.rank_of(regime, slot));
                }
                if impaired {
                    column.extend(impairment(regime, slot));
                }
                for &(_, instance) in &self.instances {
                    let view = &regime.views[instance];
                    let watches = matches!(
                        system.slots[instance].owner,
                        Owner::Balancer(balancer)
                            if system.balancers[balancer].to == id
                    );
                    // What an instance that sends nothing on believes moves nothing.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DomainId;
    use crate::model::testing::random_system;
    use crate::model::{FaultKind, Impairment};
    use crate::path::Signal;

    /// Exchanges two slots of one pool everywhere in a regime.
    fn exchanged(system: &System, regime: &Regime, a: SlotId, b: SlotId) -> Regime {
        let swap = |slot: SlotId| match slot {
            slot if slot == a => b,
            slot if slot == b => a,
            slot => slot,
        };
        let mut other = regime.clone();
        other.slots = system
            .slots
            .ids()
            .map(|slot| regime.slots[swap(slot)])
            .collect();
        other.impairments = system
            .slots
            .ids()
            .map(|slot| regime.impairments[swap(slot)])
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
            .collect();
        let (i, j) = (
            system.slots[a].index as usize,
            system.slots[b].index as usize,
        );
        for balancer in &system.balancers {
            if system.slots[a].owner == Owner::Pool(balancer.to) {
                for &instance in &balancer.slots {
                    other.views[instance].swap(i, j);
                }
            }
        }
        other
    }

    const STATES: [SlotState; 6] = [
        SlotState::Serving,
        SlotState::Refusing,
        SlotState::Silent,
        SlotState::Hung,
        SlotState::Paused,
        SlotState::Standby,
    ];

    /// A regime of `system` in which anything may be the case.
    fn random_regime(system: &System, bits: &mut impl FnMut(u64) -> u64) -> Regime {
        let mut regime = Regime::all_up(system);
        let impaired = bits(2) == 0;
        for slot in system.slots.ids() {
            regime.apply(Signal::Slot {
                slot,
                state: STATES[bits(6) as usize],
            });
            if impaired && bits(2) == 0 {
                let kinds = [
                    FaultKind::Slow { factor: 3.0 },
                    FaultKind::Errors { share: 0.5 },
                ];
                let impairment = Impairment::NONE.and(kinds[bits(2) as usize]);
                regime.apply(Signal::Impaired { slot, impairment });
            }
            if !system.domains.is_empty() && bits(3) == 0 {
                let domain = bits(system.domains.len() as u64) as usize;
                regime.apply(Signal::Island {
                    slot,
                    island: Some(DomainId::from_index(domain)),
                });
            }
        }
        for balancer in &system.balancers {
            for &instance in &balancer.slots {
                for member in 0..regime.views[instance].len() as u32 {
                    regime.apply(Signal::View {
                        instance,
                        member,
                        up: bits(2) == 0,
                    });
                }
            }
        }
        regime
    }

    #[test]
    fn relabelling_exchangeable_slots_keeps_the_key_and_anything_else_changes_it() {
        let mut stream = Key::of_seed(11).stream();
        let (mut keys, mut compared, mut told_apart) = (KeyMaker::default(), 0, 0);
        for _ in 0..200 {
            let system = random_system(&mut stream);
            let mut bits = |n: u64| stream.bits() % n;
            let regime = random_regime(&system, &mut bits);
            let key = keys.key(&system, &regime);
            for pool in &system.pools {
                for pair in pool.slots.windows(2) {
                    let other = exchanged(&system, &regime, pair[0], pair[1]);
                    assert_eq!(keys.key(&system, &other), key);
                    compared += u32::from(other != regime);
                }
            }
            let slot = SlotId::from_index(bits(system.slots.len() as u64) as usize);
            let mut other = regime.clone();
            let state = regime.slots[slot] as u64;
            other.slots[slot] = STATES[((state + 1 + bits(5)) % 6) as usize];
            told_apart += u32::from(keys.key(&system, &other) != key);
            let mut other = regime.clone();
            let worse = FaultKind::Slow { factor: 2.0 };
            other.impairments[slot] = regime.impairments[slot].and(worse);
            told_apart += u32::from(keys.key(&system, &other) != key);
        }
        assert!(compared > 100, "the regimes were not all alike");
        assert_eq!(told_apart, 400);
    }
}
