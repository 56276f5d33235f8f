//! The network as traffic sees it at one instant: how its links are, and which places they keep apart.

use crate::ids::{BalancerId, Id, IdVec, LinkId, SlotId};
use crate::model::{LinkState, Roads, System};
use std::sync::Arc;

/// How all links are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Which links lie between which places; the same at all times.
    pub roads: Arc<Roads>,
    /// How each link is.
    pub links: IdVec<LinkId, LinkState>,
    /// Who is reached at the address of each balancer from each site, row by row of a balancer, while
    /// anything is cut: both sides of a partition may have a master of their own. Empty if there is no
    /// link.
    pub holders: Vec<Option<SlotId>>,
    /// For each pair of sites, whether nothing passes between them.
    cut: Vec<bool>,
    /// Whether there is such a pair.
    any_cut: bool,
}

impl Network {
    /// All links well.
    pub fn all_up(system: &System) -> Self {
        let roads = Roads::new(system);
        let sites = roads.sites();
        let holders = if system.links.is_empty() {
            0
        } else {
            system.balancers.len() * sites
        };
        Self {
            links: IdVec::filled(LinkState::NONE, system.links.len()),
            holders: vec![None; holders],
            cut: vec![false; sites * sites],
            any_cut: false,
            roads: Arc::new(roads),
        }
    }

    /// All links are well again, and nobody holds anything of its own.
    pub fn reset(&mut self) {
        self.links.as_mut_slice().fill(LinkState::NONE);
        self.holders.fill(None);
        self.cut.fill(false);
        self.any_cut = false;
    }

    /// Takes over the state of another network of the same system, without allocating.
    pub fn take_over(&mut self, other: &Self) {
        let links = other.links.as_slice();
        self.links.as_mut_slice().copy_from_slice(links);
        self.holders.copy_from_slice(&other.holders);
        self.cut.copy_from_slice(&other.cut);
        self.any_cut = other.any_cut;
    }

    /// `link` is in `state` from now on.
    pub fn set(&mut self, link: LinkId, state: LinkState) {
        let before = std::mem::replace(&mut self.links[link], state);
        if before.cut == state.cut {
            return;
        }
        let sites = self.roads.sites() as u32;
        for &pair in self.roads.pairs(link) {
            let mut links = self.roads.between_sites(pair / sites, pair % sites).iter();
            self.cut[pair as usize] = links.any(|&link| self.links[link].cut);
        }
        self.any_cut = self.links.iter().any(|link| link.cut);
    }

    /// Whether any link is cut.
    #[inline]
    pub fn is_cut(&self) -> bool {
        self.any_cut
    }

    /// Whether anything passes between two sites.
    #[inline]
    pub fn connects(&self, one: u32, other: u32) -> bool {
        !self.cut[self.roads.pair(one, other)]
    }

    /// Whether crossing any link takes time, or may have to be tried again.
    pub fn is_far(&self) -> bool {
        self.roads.is_far() || self.links.iter().any(|link| link.is_slow())
    }

    /// The row in `holders` of what is reached at the address of `balancer` from `site`.
    #[inline]
    pub fn row(&self, balancer: BalancerId, site: u32) -> usize {
        balancer.index() * self.roads.sites() + site as usize
    }
}
