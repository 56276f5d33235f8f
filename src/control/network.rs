//! Links that are cut, lossy or slow: what probes meet over them, and who still reaches whom.
//!
//! A probe crosses the links between its instance and its member there and back, as a request does
//! (`traffic/travel.rs`): it passes if it is back within its time-out, with what was lost sent again.
//! The chance that it is not is worked out once for a link that is well, and again for one that is not.
//!
//! While something is cut, reaching each other is no equivalence any more. So each failover says who
//! must reach a member for it to be available ([`Seats`]), each pair of instances of a VRRP group is
//! asked for alone, and each site goes to the master of its own side.

use super::lists::Lists;
use super::plan::{GroupPlan, Plan, WatchPlan};
use super::state::{State, is_available};
use crate::health::Mode;
use crate::ids::{ClockId, DomainId, Id, LinkId, SlotId};
use crate::model::{Component, FaultKind, Impairment, LinkState, Roads, System, USERS};
use crate::path::{Regime, Signal};
use crate::random::Dist;
use crate::time::SimSpan;

/// Points by which the round trips of several links in a row are added up.
const POINTS: usize = 64;

/// Times that something is sent again until the connection is given up (`tcp_retries2` of Linux).
const RESENT: i32 = 15;

/// The longest wait before something is sent again, seconds (`TCP_RTO_MAX` of Linux).
const LONGEST_WAIT: f64 = 120.0;

/// What is worked out once about the network.
#[derive(Debug)]
pub(super) struct NetworkPlan {
    pub(super) roads: Roads,
    links: Vec<Known>,
    /// The faults of each link.
    faults_of: Lists<(ClockId, FaultKind)>,
}

#[derive(Debug)]
struct Known {
    round_trip: Dist,
    loss: f64,
    resends_after: f64,
}

impl NetworkPlan {
    pub(super) fn new(system: &System) -> Self {
        let links = system.links.iter().map(|link| Known {
            round_trip: link.round_trip.clone(),
            loss: link.loss,
            resends_after: link.resends_after.as_secs_f64(),
        });
        let mut faults_of = vec![Vec::new(); system.links.len()];
        for (id, clock) in system.clocks.pairs() {
            if let Component::Link(link) = clock.component {
                faults_of[link.index()].push((id, system.faults[clock.fault].kind));
            }
        }
        Self {
            roads: Roads::new(system),
            links: links.collect(),
            faults_of: Lists::new(&faults_of),
        }
    }

    /// Whether there is any link.
    #[inline]
    pub(super) fn is_any(&self) -> bool {
        !self.links.is_empty()
    }

    /// The seats at these domains, or beside `members` if there are none.
    pub(super) fn seats(&self, system: &System, domains: &[DomainId], members: &[SlotId]) -> Seats {
        if domains.is_empty() {
            let sites = members.iter().map(|&slot| self.roads.site(Some(slot)));
            return Seats::Sites(sites.collect());
        }
        let sites = domains.iter();
        Seats::Sites(
            sites
                .map(|&domain| self.roads.site_of(system, domain))
                .collect(),
        )
    }

    /// Whether nothing takes time between two slots when all is well.
    fn is_next_door(&self, links: &[LinkId]) -> bool {
        let near = |link: &LinkId| {
            let known = &self.links[link.index()];
            known.round_trip.is_zero() && known.loss == 0.0
        };
        links.iter().all(near)
    }

    /// What the probes of a watch meet when all is well.
    pub(super) fn usual(&self, known: &WatchPlan) -> Mode {
        let links = self.roads.between(Some(known.instance), Some(known.member));
        if self.is_next_door(links) {
            return Mode::Answers;
        }
        let left = known.pace.timeout.as_secs_f64() - known.pace.takes.as_secs_f64();
        let (mean, late) = self.late(links, left, |_| LinkState::NONE);
        Mode::Impaired {
            factor: Impairment::NONE.factor,
            errors: Impairment::NONE.errors,
            adds: SimSpan::from_secs_f64(mean),
            lost: late,
        }
    }

    /// What the probes of a watch meet at a member that runs and is doing so, over links in these states.
    pub(super) fn probed(
        &self,
        known: &WatchPlan,
        impairment: Impairment,
        state: impl Fn(LinkId) -> LinkState,
    ) -> Mode {
        let links = self.roads.between(Some(known.instance), Some(known.member));
        let slow = links.iter().any(|&link| state(link).is_slow());
        if !slow && !impairment.is_any() {
            return known.usual;
        }
        if !slow && self.is_next_door(links) {
            return Mode::Impaired {
                factor: impairment.factor,
                errors: impairment.errors,
                adds: SimSpan::ZERO,
                lost: 0.0,
            };
        }
        let left = known.pace.timeout.as_secs_f64()
            - known.pace.takes.mul_f64(impairment.factor).as_secs_f64();
        let (mean, late) = self.late(links, left, state);
        Mode::Impaired {
            factor: impairment.factor,
            errors: impairment.errors,
            adds: SimSpan::from_secs_f64(mean),
            lost: late,
        }
    }

    /// The mean round trip over `links`, seconds, and the chance that nothing is back after `left`
    /// seconds.
    fn late(&self, links: &[LinkId], left: f64, state: impl Fn(LinkId) -> LinkState) -> (f64, f64) {
        let (mut fixed, mut passes, mut waits, mut mean) = (0.0, 1.0, 0.0_f64, 0.0);
        let mut random: Vec<(&Dist, f64)> = Vec::new();
        for &link in links {
            let (known, now) = (&self.links[link.index()], state(link));
            passes *= (1.0 - known.loss) * (1.0 - now.loss);
            waits = waits.max(known.resends_after);
            mean += known.round_trip.mean() * now.factor + now.adds.as_secs_f64();
            fixed += now.adds.as_secs_f64();
            if known.round_trip.is_constant() {
                fixed += known.round_trip.mean() * now.factor;
            } else {
                random.push((&known.round_trip, now.factor));
            }
        }
        let last = random.pop();
        // The sum of the others, as equally likely points.
        let mut sums = vec![fixed];
        for (dist, factor) in random {
            let point = |index: usize| dist.quantile((index as f64 + 0.5) / POINTS as f64) * factor;
            let mut all: Vec<f64> = (0..POINTS)
                .flat_map(|index| sums.iter().map(move |sum| sum + point(index)))
                .collect();
            all.sort_unstable_by(f64::total_cmp);
            let step = all.len() / POINTS;
            sums = all
                .chunks(step)
                .map(|chunk| chunk.iter().sum::<f64>() / chunk.len() as f64)
                .collect();
        }
        // The chance that the round trip alone takes `left` or longer.
        let slower = |left: f64| {
            let one = |sum: &f64| match last {
                Some((dist, factor)) => dist.sf((left - sum) / factor),
                None => f64::from(u8::from(*sum >= left)),
            };
            sums.iter().map(one).sum::<f64>() / sums.len() as f64
        };
        let mut in_time = 0.0;
        for there in 0..=RESENT {
            // Nothing is lost: no other round is possible.
            if there > 0 && passes == 1.0 {
                break;
            }
            for back in 0..=RESENT {
                let wait = resent(there, waits + mean) + resent(back, waits + mean);
                if wait >= left {
                    break;
                }
                let lost = 1.0 - passes;
                let chance = passes * passes * lost.powi(there + back);
                if chance == 0.0 {
                    break;
                }
                in_time += chance * (1.0 - slower(left - wait));
            }
        }
        // Rounding must not make chance of what is certain.
        let late: f64 = 1.0 - in_time;
        (mean, if late < 1e-12 { 0.0 } else { late.min(1.0) })
    }
}

/// How long something waits that is lost so many times, if it is first sent again after `first` seconds.
fn resent(lost: i32, first: f64) -> f64 {
    (0..lost)
        .map(|time| (first * 2.0_f64.powi(time)).min(LONGEST_WAIT))
        .sum()
}

/// Who must reach a member of a store for it to be available to the failover: more than half of them.
#[derive(Clone, Debug)]
pub(super) enum Seats {
    /// These sites.
    Sites(Vec<u32>),
    /// Those of these members that run, of all of them.
    Members(Vec<SlotId>),
}

impl Seats {
    /// Where the users are.
    pub(super) fn users() -> Self {
        Self::Sites(vec![USERS])
    }

    /// Whether more than half of them reach `slot`.
    fn reach(&self, regime: &Regime, slot: SlotId) -> bool {
        let (reach, all) = match self {
            Self::Sites(sites) => {
                let network = &regime.network;
                let site = network.roads.site(Some(slot));
                let reach = sites.iter().filter(|&&seat| network.connects(seat, site));
                (reach.count(), sites.len())
            }
            Self::Members(members) => {
                let reach = members.iter().filter(|&&member| {
                    is_available(regime, member) && regime.reaches(Some(slot), member)
                });
                (reach.count(), members.len())
            }
        };
        2 * reach > all
    }
}

/// Whether a slot runs, users reach its island, and those that have to reach it do.
#[inline]
pub(super) fn is_available_to(seats: &Seats, regime: &Regime, slot: SlotId) -> bool {
    is_available(regime, slot) && (!regime.network.is_cut() || seats.reach(regime, slot))
}

impl State {
    /// The state of `link`, from the faults on it.
    #[cold]
    pub(super) fn find_link(
        &mut self,
        plan: &Plan,
        link: LinkId,
        affected: &[SlotId],
        signals: &mut Vec<Signal>,
    ) {
        let mut state = LinkState::NONE;
        for &(clock, kind) in plan.network.faults_of.of(link.index()) {
            if self.has_effect(plan, clock) {
                state = state.and(kind);
            }
        }
        if self.regime.network.links[link] == state {
            return;
        }
        self.regime.network.set(link, state);
        signals.push(Signal::Link { link, state });
        self.structure
            .set_link(&plan.structure, &self.regime.network.links, link);
        self.changed.extend_from_slice(affected);
    }

    /// Which instances of a VRRP group do not hear each other although their places are equal.
    #[cold]
    pub(super) fn part_group(&mut self, index: usize, known: &GroupPlan) {
        for (one, &slot) in known.slots.iter().enumerate() {
            for (other, &peer) in known.slots.iter().enumerate().skip(one + 1) {
                let roads = &self.regime.network.roads;
                let (here, there) = (roads.site(Some(slot)), roads.site(Some(peer)));
                let apart = !self.regime.network.connects(here, there);
                self.groups[index].group.part(self.now, (one, other), apart);
            }
        }
    }

    /// The master of a VRRP group that is reached from `site`.
    fn holder_at(&self, known: &GroupPlan, index: usize, site: u32) -> Option<usize> {
        let network = &self.regime.network;
        let place = |member: usize| network.roads.site(Some(known.slots[member]));
        let reached = |member: usize| network.connects(site, place(member));
        self.groups[index].group.holder_among(0, reached)
    }

    /// The master that users reach, and, while anything is cut, the one that each site reaches.
    #[cold]
    pub(super) fn find_holders(
        &mut self,
        known: &GroupPlan,
        index: usize,
        signals: &mut Vec<Signal>,
    ) -> Option<usize> {
        let balancer = known.balancer;
        for site in 0..self.regime.network.roads.sites() as u32 {
            let found = self.holder_at(known, index, site);
            let found = found.filter(|_| self.regime.network.is_cut());
            let holder = found.map(|member| known.slots[member]);
            let row = self.regime.network.row(balancer, site);
            if self.regime.network.holders[row] != holder {
                self.regime.network.holders[row] = holder;
                signals.push(Signal::LocalHolder {
                    balancer,
                    site,
                    holder,
                });
            }
        }
        self.holder_at(known, index, USERS)
    }
}
