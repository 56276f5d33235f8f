//! Sites in an order that does not depend on their names, for the keys of regimes.
//!
//! Which slots are next to each other matters as soon as any link takes time or is cut. Sites are told
//! apart by what their slots do and by how they are linked, and ordered by that; the key then holds
//! the links between all pairs of sites in this order, so that it never takes two regimes for one that
//! are not alike, and exchanging two sites that are alike in everything changes nothing.

use super::Regime;
use crate::ids::{Id, LinkId, SlotId};
use crate::model::{Owner, System, USERS};
use crate::random::{Key, mix};

/// Rounds of telling sites apart by how their neighbours are.
const ROUNDS: usize = 3;

/// The order of the sites of a regime; keeps its buffers between calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Sites {
    /// The same number for links whose figures are the same.
    classes: Vec<u64>,
    colours: Vec<u64>,
    next: Vec<u64>,
    order: Vec<u32>,
    /// The place of each site in the order.
    ranks: Vec<u32>,
}

impl Sites {
    /// Orders the sites of `regime`, whose slots are doing as `place` says; whether sites matter in it.
    pub(super) fn rank(
        &mut self,
        system: &System,
        regime: &Regime,
        place: impl Fn(SlotId) -> u64,
    ) -> bool {
        let network = &regime.network;
        if system.links.is_empty() || !(network.is_far() || network.is_cut()) {
            return false;
        }
        if self.classes.is_empty() {
            self.classify(system);
        }
        let sites = network.roads.sites();
        self.colours.clear();
        self.colours.resize(sites, 1);
        self.colours[USERS as usize] = 2;
        for (id, slot) in system.slots.pairs() {
            let owner = match slot.owner {
                Owner::Pool(pool) => 2 * pool.index() as u64,
                Owner::Balancer(balancer) => 2 * balancer.index() as u64 + 1,
            };
            let site = network.roads.site(Some(id)) as usize;
            // Sums do not depend on the order of the slots.
            self.colours[site] =
                self.colours[site].wrapping_add(mix(mix(owner) ^ mix(place(id) ^ 1)));
        }
        for _ in 0..ROUNDS {
            self.next.clear();
            for one in 0..sites as u32 {
                let around = (0..sites as u32).fold(0_u64, |sum, other| {
                    let link = self.between(regime, one, other);
                    sum.wrapping_add(mix(link ^ mix(self.colours[other as usize])))
                });
                self.next.push(mix(self.colours[one as usize]) ^ around);
            }
            std::mem::swap(&mut self.colours, &mut self.next);
        }
        self.order.clear();
        self.order.extend(0..sites as u32);
        // The users come first.
        let colours = &self.colours;
        self.order
            .sort_by_key(|&site| (site != USERS, colours[site as usize]));
        self.ranks.clear();
        self.ranks.resize(sites, 0);
        for (rank, &site) in self.order.iter().enumerate() {
            self.ranks[site as usize] = rank as u32;
        }
        true
    }

    /// The place of a slot's site in the order.
    pub(super) fn rank_of(&self, regime: &Regime, slot: SlotId) -> u64 {
        u64::from(self.ranks[regime.network.roads.site(Some(slot)) as usize])
    }

    /// From which sites a balancer instance is reached at the address of its balancer, while that differs.
    pub(super) fn held_from(&self, system: &System, regime: &Regime, instance: SlotId) -> u64 {
        let Owner::Balancer(balancer) = system.slots[instance].owner else {
            return 0;
        };
        let network = &regime.network;
        let sites = 0..network.roads.sites() as u32;
        sites
            .filter(|&site| network.holders[network.row(balancer, site)] == Some(instance))
            .fold(0, |sum, site| {
                sum.wrapping_add(mix(u64::from(self.ranks[site as usize]) + 1))
            })
    }

    /// The links between all pairs of sites, in order.
    pub(super) fn add_to(&self, mut key: Key, regime: &Regime) -> Key {
        for (rank, &one) in self.order.iter().enumerate() {
            for &other in &self.order[..rank] {
                key = key.with(self.between(regime, one, other));
            }
        }
        key
    }

    /// The links between two sites, and how they are.
    fn between(&self, regime: &Regime, one: u32, other: u32) -> u64 {
        let network = &regime.network;
        let links = network.roads.between_sites(one, other).iter();
        links.fold(0, |sum, &link| {
            let now = network.links[link];
            let state = Key::of_seed(self.classes[link.index()])
                .with(u64::from(now.cut))
                .with(now.loss.to_bits())
                .with(now.factor.to_bits())
                .with(now.adds.as_nanos());
            sum.wrapping_add(mix(state.get()))
        })
    }

    fn classify(&mut self, system: &System) {
        let figures = |link: LinkId| {
            let link = &system.links[link];
            format!(
                "{:?} {} {:?}",
                link.round_trip, link.loss, link.resends_after
            )
        };
        let all: Vec<String> = system.links.ids().map(figures).collect();
        for one in &all {
            let first = all.iter().position(|other| other == one);
            self.classes.push(first.unwrap_or_default() as u64);
        }
    }
}
