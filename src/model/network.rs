//! The network: links between places, and which of them lie between two slots.
//!
//! A link joins two domains that do not overlap, or the users outside of all domains and a domain. It
//! lies between two slots if each of them is in one of its ends. All links between two slots are
//! crossed, one after the other: their round trips add up, each may lose what crosses it, and where one
//! is cut nothing passes. Slots without a link between them are next to each other.
//!
//! Slots whose innermost domain that is an end of some link is the same are at one *site*: no link
//! tells them apart. Users are at a site of their own.

use super::{ChannelTo, FaultKind, System};
use crate::ids::{BalancerId, CallId, ChannelId, DomainId, Id, IdVec, LinkId, PoolId, SlotId};
use crate::random::Dist;
use crate::time::SimSpan;

/// A link.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name, e.g. `wan`.
    pub name: String,
    /// What it joins.
    pub ends: [End; 2],
    /// From a request's departure to the arrival of an answer that took no time, seconds; one half on
    /// the way there, the other on the way back.
    pub round_trip: Dist,
    /// The share of requests, and of answers, that are lost on it and sent again. 0 to below 1.
    pub loss: f64,
    /// After how long, beside the mean round trip, what was lost is sent again; each further time after
    /// twice as long.
    pub resends_after: SimSpan,
}

/// What a link joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The users, who are in no domain.
    Users,
    /// Everything in a domain.
    Domain(DomainId),
}

/// How badly a link is doing: all its faults together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkState {
    /// Whether nothing passes.
    pub cut: bool,
    /// The share of what crosses it that is lost, beside what always is. Of several faults each has its
    /// own chance. 1 is as good as cut, and `cut` says so.
    pub loss: f64,
    /// Its round trip takes this many times as long; at least 1. Factors multiply.
    pub factor: f64,
    /// And this much longer.
    pub adds: SimSpan,
}

/// Never NaN: made of factors of at least 1 and shares only.
impl Eq for LinkState {}

impl LinkState {
    /// Well.
    pub const NONE: Self = Self {
        cut: false,
        loss: 0.0,
        factor: 1.0,
        adds: SimSpan::ZERO,
    };

    /// Whether anything is wrong.
    #[inline]
    pub fn is_any(self) -> bool {
        self != Self::NONE
    }

    /// Whether it delays or loses more than usual.
    pub fn is_slow(self) -> bool {
        self.loss > 0.0 || self.factor > 1.0 || !self.adds.is_zero()
    }

    /// With one more fault.
    #[must_use]
    pub fn and(self, kind: FaultKind) -> Self {
        match kind {
            FaultKind::Partition => Self { cut: true, ..self },
            FaultKind::Loss { share } => {
                let loss = 1.0 - (1.0 - self.loss) * (1.0 - share);
                Self {
                    loss,
                    cut: self.cut || loss >= 1.0,
                    ..self
                }
            }
            FaultKind::Latency { factor, adds } => Self {
                factor: self.factor * factor,
                adds: self.adds.saturating_add(adds),
                ..self
            },
            FaultKind::Crash
            | FaultKind::Hang
            | FaultKind::Pause
            | FaultKind::Slow { .. }
            | FaultKind::Errors { .. }
            | FaultKind::Isolated
            | FaultKind::Power
            | FaultKind::Common
            | FaultKind::Maintenance
            | FaultKind::Rollout
            | FaultKind::Release
            | FaultKind::Configuration
            | FaultKind::Certificate
            | FaultKind::Outage(_)
            | FaultKind::Burst => self,
        }
    }
}

/// Which links lie between which sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roads {
    sites: usize,
    of_slot: IdVec<SlotId, u32>,
    /// The sites of domains that are ends.
    of_domain: Vec<Option<u32>>,
    /// Where the links between two sites stand in `links`, by [`Roads::pair`].
    between: Vec<(u32, u32)>,
    links: Vec<LinkId>,
    /// The pairs of sites, in both directions, that each link lies between.
    pairs: IdVec<LinkId, Vec<u32>>,
    far: bool,
}

/// The site of the users.
pub const USERS: u32 = 0;

impl Roads {
    /// Works out the sites of `system`.
    pub fn new(system: &System) -> Self {
        // Sites: users, whatever is in no end, then each domain that is an end.
        let mut site_of_domain = vec![None; system.domains.len()];
        let mut members: Vec<Option<DomainId>> = vec![None, None];
        for link in &system.links {
            for end in link.ends {
                if let End::Domain(domain) = end
                    && site_of_domain[domain.index()].is_none()
                {
                    site_of_domain[domain.index()] = Some(members.len() as u32);
                    members.push(Some(domain));
                }
            }
        }
        if system.links.is_empty() {
            members.truncate(1);
        }
        let sites = members.len();
        // What is in no end is at the second site; without links all is at one.
        let elsewhere = u32::from(sites > 1);
        let of_slot = system.slots.iter().map(|slot| {
            let mut around = system.around(slot.domain);
            let site = around.find_map(|domain| site_of_domain[domain.index()]);
            site.unwrap_or(elsewhere)
        });
        let of_slot = of_slot.collect();
        let is_in = |site: usize, end: End| match end {
            End::Users => site == USERS as usize,
            End::Domain(domain) => system.around(members[site]).any(|around| around == domain),
        };
        // No site is at both ends of a link, so no pair of sites comes twice for one link.
        let mut crossings: Vec<(u32, LinkId)> = Vec::new();
        for (id, link) in system.links.pairs() {
            let [here, there] = link.ends.map(|end| {
                (0..sites)
                    .filter(|&site| is_in(site, end))
                    .collect::<Vec<_>>()
            });
            for &one in &here {
                for &other in &there {
                    crossings.push(((one * sites + other) as u32, id));
                    crossings.push(((other * sites + one) as u32, id));
                }
            }
        }
        crossings.sort_unstable();
        let mut pairs: IdVec<LinkId, Vec<u32>> = IdVec::filled(Vec::new(), system.links.len());
        let mut between = vec![(0, 0); sites * sites];
        for (row, &(pair, link)) in (0_u32..).zip(&crossings) {
            pairs[link].push(pair);
            let (first, end) = &mut between[pair as usize];
            if *first == *end {
                *first = row;
            }
            *end = row + 1;
        }
        let links = crossings.into_iter().map(|(_, link)| link).collect();
        let far = |link: &Link| !link.round_trip.is_zero() || link.loss > 0.0;
        Self {
            sites,
            of_slot,
            of_domain: site_of_domain,
            between,
            links,
            pairs,
            far: system.links.iter().any(far),
        }
    }

    /// How many sites there are.
    pub fn sites(&self) -> usize {
        self.sites
    }

    /// The site of what stands in `domain`.
    pub fn site_of(&self, system: &System, domain: DomainId) -> u32 {
        let mut around = system.around(Some(domain));
        let site = around.find_map(|domain| self.of_domain[domain.index()]);
        site.unwrap_or(u32::from(self.sites > 1))
    }

    /// The site of a slot; `None`: of the users.
    #[inline]
    pub fn site(&self, of: Option<SlotId>) -> u32 {
        of.map_or(USERS, |slot| self.of_slot[slot])
    }

    /// The row of two sites in a table of all pairs of them.
    #[inline]
    pub fn pair(&self, one: u32, other: u32) -> usize {
        one as usize * self.sites + other as usize
    }

    /// The links between two slots or users.
    #[inline]
    pub fn between(&self, one: Option<SlotId>, other: Option<SlotId>) -> &[LinkId] {
        self.between_sites(self.site(one), self.site(other))
    }

    /// The links between two sites.
    #[inline]
    pub fn between_sites(&self, one: u32, other: u32) -> &[LinkId] {
        let (first, end) = self.between[self.pair(one, other)];
        &self.links[first as usize..end as usize]
    }

    /// The pairs of sites that a link lies between, as rows.
    pub fn pairs(&self, link: LinkId) -> &[u32] {
        &self.pairs[link]
    }

    /// The share of some slots that stands at each site.
    fn shares(&self, slots: &[SlotId]) -> Vec<f64> {
        let mut shares = vec![0.0; self.sites];
        for &slot in slots {
            shares[self.site(Some(slot)) as usize] += 1.0 / slots.len() as f64;
        }
        shares
    }

    /// Whether any link takes time or loses something when all is well.
    pub fn is_far(&self) -> bool {
        self.far
    }
}

impl System {
    /// `domain` and the domains around it, the innermost first.
    pub fn around(&self, domain: Option<DomainId>) -> impl Iterator<Item = DomainId> {
        std::iter::successors(domain, |&id| self.domains[id].parent)
    }

    /// How long the network keeps one attempt of each call when all is well, seconds: the mean of what
    /// lies between its callers and those who are called, all slots alike. Empty without a network;
    /// nothing for the calls of users, who hold no worker.
    pub fn ways(&self) -> IdVec<CallId, f64> {
        if self.links.is_empty() {
            return IdVec::new();
        }
        let roads = Roads::new(self);
        let of_pools: IdVec<PoolId, Vec<f64>> = self
            .pools
            .iter()
            .map(|pool| roads.shares(&pool.slots))
            .collect();
        let balancers = self.balancers.iter();
        let of_balancers: IdVec<BalancerId, Vec<f64>> =
            balancers.map(|one| roads.shares(&one.slots)).collect();
        let lasts = |one: &[f64], other: &[f64]| self.lasts(&roads, one, other);
        let mut ways = IdVec::filled(0.0, self.calls.len());
        for operation in &self.operations {
            let from = &of_pools[operation.pool];
            let mut open = operation.calls.clone();
            while let Some(id) = open.pop() {
                let call = &self.calls[id];
                let to = &of_pools[self.operations[call.to].pool];
                ways[id] = match call.through {
                    None => lasts(from, to),
                    Some(balancer) => {
                        let through = &of_balancers[balancer];
                        lasts(from, through) + lasts(through, to)
                    }
                };
                open.extend(self.followers(id));
            }
        }
        ways
    }

    /// How long the packets that open a connection are on their way when all is well, seconds: the mean of
    /// what lies between its callers and its addresses.
    pub fn openings(&self) -> IdVec<ChannelId, f64> {
        if self.links.is_empty() {
            return IdVec::filled(0.0, self.channels.len());
        }
        let roads = Roads::new(self);
        let channels = self.channels.iter().map(|channel| {
            let to = match channel.to {
                ChannelTo::Pool(pool) => &self.pools[pool].slots,
                ChannelTo::Balancer(balancer) => &self.balancers[balancer].slots,
            };
            let from = roads.shares(&self.pools[channel.from].slots);
            self.lasts(&roads, &from, &roads.shares(to))
        });
        channels.collect()
    }

    /// The mean round trip between slots of which these shares stand at each site.
    fn lasts(&self, roads: &Roads, one: &[f64], other: &[f64]) -> f64 {
        let pairs = (0..roads.sites()).flat_map(|a| (0..roads.sites()).map(move |b| (a, b)));
        let between = pairs.filter(|&(a, b)| one[a] > 0.0 && other[b] > 0.0);
        let each = between.map(|(a, b)| {
            let links = roads.between_sites(a as u32, b as u32).iter();
            let mean: f64 = links.map(|&link| self.links[link].round_trip.mean()).sum();
            one[a] * other[b] * mean
        });
        each.sum::<f64>()
    }

    /// The slots at one end of a link; none at that of the users.
    pub fn slots_at(&self, end: End) -> impl Iterator<Item = SlotId> {
        self.slots.pairs().filter_map(move |(id, slot)| match end {
            End::Users => None,
            End::Domain(domain) => self
                .around(slot.domain)
                .any(|around| around == domain)
                .then_some(id),
        })
    }
}
