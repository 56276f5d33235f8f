//! What is worked out once for all histories of a system: who is affected by what, which timer belongs
//! to whom, the keys of the random streams.

use super::Detail;
use super::audience::Audiences;
use super::burn_in::burn_in;
use super::campaign::{CampaignPlan, View, plan_campaigns, views};
use super::care_plan::{CarePlan, Notice};
use super::effect::{Effect, affected, impaired_by};
use super::flap::{FlapPlan, flaps};
use super::lead_plan::{LeadPlan, leads};
use super::lease_plan::{LeasePlan, leases};
use super::lists::Lists;
use super::network::NetworkPlan;
use super::operate::{Operated, stops_itself};
use super::recover::{RecoveryPlan, recoveries};
use super::restart::{RestartPlan, restarts};
use super::standby::{StandbyPlan, standbys};
use super::stops::Stop;
use crate::health::{Mode, Pace};
use crate::ids::{BalancerId, CampaignId, ClockId, DomainId, Id, IdVec, PoolId, SlotId};
use crate::model::structure::Structure;
use crate::model::{Balancer, Component, FaultKind, Owner, ServedBy, Start, System};
use crate::random::{Dist, Part, Sequence, name_hash};
use crate::time::{NANOS_PER_SEC, SimSpan, SimTime};

/// A span that is drawn, or the same every time and then drawn from nothing.
#[derive(Clone, Debug)]
pub(super) enum Delay {
    Fixed(SimSpan),
    Drawn(Dist),
}

impl Delay {
    pub(super) fn of(dist: &Dist) -> Self {
        if dist.is_constant() {
            Self::Fixed(SimSpan::from_secs_f64(dist.mean()))
        } else {
            Self::Drawn(dist.clone())
        }
    }

    #[inline]
    pub(super) fn draw(&self, draws: &mut Sequence) -> SimSpan {
        match self {
            Self::Fixed(span) => *span,
            // Rounds to the nearest nanosecond as `SimSpan::from_secs_f64` does (beyond 52 days an f64
            // is too coarse for it to matter), without a call into the mathematics library.
            Self::Drawn(dist) => {
                let secs = dist.quantile_of_sf(draws.uniform());
                SimSpan::from_nanos((secs * NANOS_PER_SEC as f64 + 0.5) as u64)
            }
        }
    }
}

/// One fault clock.
#[derive(Clone, Debug)]
pub(super) struct ClockPlan {
    pub(super) name: Part,
    /// Time to the next fault and how long it lasts, in the order of `ClockNow::draws`.
    pub(super) spans: [Delay; 2],
    /// Share of time in which the fault is active.
    pub(super) down_share: f64,
    /// Whether its fault is planned work.
    pub(super) planned: bool,
    pub(super) effect: Effect,
    /// Whether a campaign turns it, and not its spans.
    pub(super) driven: bool,
    pub(super) handled: Handled,
    /// Whether it need not be followed.
    pub(super) idle: bool,
    /// Whether others of its component with operating clocks exclude it, see [`Operated`].
    pub(super) excludes: bool,
    /// Its turns, if its effect comes and goes, or [`NONE`].
    pub(super) flap: u32,
    /// Whether a process ends by itself.
    pub(super) ends_process: bool,
}

/// What happens when a fault clock is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handled {
    /// Its fault begins or ends.
    Alone,
    /// Its fault is taken care of, as this case.
    Case(u32),
    /// This common cause strikes.
    Common(u32),
}

/// Who a timer belongs to; fault clocks have theirs beside these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// A part on its way to a stock.
    Order(u32),
    /// A slot that is starting.
    Start(SlotId),
    /// The next flip of a watch.
    Watch(u32),
    /// The next move of a VRRP group.
    Group(u32),
    /// The next step of a lease.
    Lease(u32),
    /// The next step of a campaign.
    Campaign(CampaignId),
    /// The next step of a store that chooses its leader in another way.
    Lead(u32),
    /// A standby that is activated.
    Activation(u32),
    /// The next turn of a fault that comes and goes.
    Flap(u32),
    /// A leader that has waited long enough for a member to copy to.
    FallBack(u32),
}

/// No such row.
pub(super) const NONE: u32 = u32::MAX;

/// One slot.
#[derive(Clone, Debug)]
pub(super) struct SlotPlan {
    pub(super) domain: Option<DomainId>,
    pub(super) name: Part,
    pub(super) starts: Delay,
    /// How it is started again when its process ends, or [`NONE`].
    pub(super) restart: u32,
    /// [`NONE`] if it starts at once.
    pub(super) start_timer: u32,
    /// Whose failures count against whom, see [`Audiences`].
    pub(super) unit: u32,
    /// The watches it runs, as an instance of a balancer with probes.
    pub(super) watches: (u32, u32),
    /// The VRRP group it belongs to.
    pub(super) group: u32,
    /// The lease of its store.
    pub(super) lease: u32,
    /// The other way in which its store chooses a leader.
    pub(super) lead: u32,
    /// The pool with standbys that it belongs to.
    pub(super) standby: u32,
    /// Its index among its owner's slots.
    pub(super) index: u32,
    /// Whether anybody follows it: probes it, as an instance with probes, or in a failover.
    pub(super) followed: bool,
}

/// One instance's view of one member.
#[derive(Clone, Debug)]
pub(super) struct WatchPlan {
    pub(super) instance: SlotId,
    pub(super) member: SlotId,
    pub(super) member_index: u32,
    pub(super) pace: Pace,
    /// What its probes meet when all is well.
    pub(super) usual: Mode,
    /// Whether workers of the member answer.
    pub(super) by_workers: bool,
    pub(super) unit: u32,
    pub(super) timer: u32,
}

/// One VRRP group.
#[derive(Clone, Debug)]
pub(super) struct GroupPlan {
    pub(super) balancer: BalancerId,
    pub(super) slots: Vec<SlotId>,
    pub(super) name: Part,
    pub(super) advert_int: SimSpan,
    pub(super) priorities: Vec<u8>,
    pub(super) preempt: bool,
    pub(super) coverage: f64,
    pub(super) rescue: Notice,
    pub(super) unit: u32,
    pub(super) timer: u32,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) start: Start,
    /// Whether there are watches, groups or leases at all.
    pub(super) derived: bool,
    /// Whether anybody reads remarks.
    pub(super) remarks: bool,
    pub(super) care: CarePlan,
    /// The first instant of a history.
    pub(super) begins: SimTime,
    pub(super) clocks: IdVec<ClockId, ClockPlan>,
    /// The slots that each clock's fault stops, impairs or cuts off.
    pub(super) affected: Lists<SlotId>,
    /// The clocks that make each slot slow or answer with errors, and how.
    pub(super) impaired_by: Lists<(ClockId, FaultKind)>,
    /// The components with clocks that run only while they do.
    pub(super) operated: Operated,
    pub(super) network: NetworkPlan,
    pub(super) slots: IdVec<SlotId, SlotPlan>,
    /// The watches of each slot, as a member of a pool.
    pub(super) watched_by: Lists<u32>,
    pub(super) parents: IdVec<DomainId, Option<DomainId>>,
    pub(super) timers: Vec<Timer>,
    pub(super) watches: Vec<WatchPlan>,
    pub(super) groups: Vec<GroupPlan>,
    pub(super) leases: Vec<LeasePlan>,
    pub(super) campaigns: IdVec<CampaignId, CampaignPlan>,
    /// Whether any campaign drains what it stops.
    pub(super) drains: bool,
    /// Who sends to each slot, as far as traffic is followed and anything is drained.
    pub(super) viewed_by: Lists<View>,
    pub(super) leads: Vec<LeadPlan>,
    /// Of `leases`, and then of `leads`.
    pub(super) recoveries: Vec<RecoveryPlan>,
    pub(super) flaps: Vec<FlapPlan>,
    pub(super) restarts: Vec<RestartPlan>,
    pub(super) standbys: Vec<StandbyPlan>,
    pub(super) structure: Structure,
    pub(super) audiences: Audiences,
}

impl Plan {
    /// Whether chance decides about any probe: something can be slow or answer with errors, or is far.
    #[inline]
    pub(super) fn probes_by_chance(&self) -> bool {
        self.impairs() || self.network.is_any()
    }

    /// Whether anything can be slow or answer with errors.
    #[inline]
    pub(super) fn impairs(&self) -> bool {
        !self.impaired_by.is_empty()
    }

    pub(super) fn new(system: &System, detail: Detail) -> Self {
        let (affected, effects) = affected(system);
        let impaired_by = impaired_by(system, &affected);
        let operated = Operated::new(system);
        let network = NetworkPlan::new(system);
        let audiences = Audiences::new(system, detail, &affected);
        let mut timers = Vec::new();
        let (restarts, restart_of) = restarts(system);
        let mut slots: IdVec<SlotId, SlotPlan> = IdVec::new();
        for (id, slot) in system.slots.pairs() {
            let starts_in = system.starts_in(id);
            let start_timer = if starts_in.is_zero() && restart_of[id] == NONE {
                NONE
            } else {
                timers.len() as u32
            };
            if start_timer != NONE {
                timers.push(Timer::Start(id));
            }
            slots.push(SlotPlan {
                domain: slot.domain,
                name: Part::new(name_hash(&slot.name)),
                starts: Delay::of(starts_in),
                restart: restart_of[id],
                start_timer,
                unit: Audiences::unit_of(system, slot.owner),
                watches: (0, 0),
                group: NONE,
                lease: NONE,
                lead: NONE,
                standby: NONE,
                index: slot.index,
                followed: false,
            });
        }
        let mut watched_by = vec![Vec::new(); system.slots.len()];
        let (mut watches, mut groups) = (Vec::new(), Vec::new());
        if detail == Detail::Full {
            for (id, balancer) in system.balancers.pairs() {
                let unit = Audiences::unit_of(system, Owner::Balancer(id));
                add_watches(
                    system,
                    balancer,
                    unit,
                    &mut watches,
                    &mut timers,
                    &mut slots,
                );
                if let Some(vrrp) = &balancer.failover {
                    for &slot in &balancer.slots {
                        slots[slot].group = groups.len() as u32;
                    }
                    let timer = timers.len() as u32;
                    timers.push(Timer::Group(groups.len() as u32));
                    groups.push(GroupPlan {
                        balancer: id,
                        slots: balancer.slots.clone(),
                        name: Part::new(name_hash(&balancer.name)),
                        advert_int: vrrp.advert_int,
                        priorities: vrrp.priorities.clone(),
                        preempt: vrrp.preempt,
                        coverage: vrrp.coverage,
                        rescue: Notice::or_at_once(vrrp.rescue.as_ref()),
                        unit,
                        timer,
                    });
                }
            }
        }
        for watch in &mut watches {
            watch.usual = network.usual(watch);
        }
        for (index, watch) in watches.iter().enumerate() {
            watched_by[watch.member.index()].push(index as u32);
        }
        let leases = leases(system, detail, &network, &mut timers, &mut slots);
        let campaigns = plan_campaigns(system, &mut timers);
        let drains = campaigns.iter().any(CampaignPlan::drains);
        let viewed_by = views(system, drains && detail == Detail::Full, &watches);
        let leads = leads(system, detail, &network, &mut timers, &mut slots);
        let stores = leases.iter().map(|it| it.pool);
        let stores = stores.chain(leads.iter().map(|it| it.pool));
        let recoveries = recoveries(system, stores, &mut timers);
        let standbys = standbys(system, &mut timers, &mut slots);
        for (known, watched_by) in slots.as_mut_slice().iter_mut().zip(&watched_by) {
            known.followed = known.group != NONE
                || known.lease != NONE
                || known.lead != NONE
                || known.watches.0 < known.watches.1
                || !watched_by.is_empty();
        }
        let minded: Vec<bool> = system
            .clocks
            .iter()
            .map(|clock| match clock.component {
                Component::Slot(_) if system.faults[clock.fault].kind.is_driven() => false,
                Component::Slot(slot) => slots[slot].lead != NONE || slots[slot].standby != NONE,
                _ => false,
            })
            .collect();
        let care = CarePlan::new(system, &minded, &mut timers);
        let (flaps, flap_of) = flaps(system, &mut timers);
        let lone = |slot: SlotId| {
            slots[slot].start_timer == NONE
                && slots[slot].standby == NONE
                && impaired_by.of(slot.index()).is_empty()
                && !operated.has_slot(slot)
        };
        let clocks = system
            .clocks
            .pairs()
            .zip(effects)
            .map(|((id, clock), effect)| {
                let fault = &system.faults[clock.fault];
                let handled = care.handled(id, clock.component);
                let effect = match (clock.component, effect) {
                    (Component::Slot(slot), Effect::Stop(Stop::Process))
                        if handled == Handled::Alone
                            && lone(slot)
                            && flap_of[id.index()] == NONE =>
                    {
                        Effect::Lone(slot)
                    }
                    _ => effect,
                };
                ClockPlan {
                    name: Part::new(name_hash(&clock.name)),
                    spans: [Delay::of(&fault.every), Delay::of(&fault.lasts)],
                    down_share: operated.down_share(system, id),
                    planned: system.faults[system.clocks[id].fault].kind.is_planned(),
                    effect,
                    driven: fault.kind.is_driven(),
                    handled,
                    // What waits for a crew keeps others waiting, whatever it does to its component.
                    idle: handled == Handled::Alone
                        && detail == Detail::Structure
                        && !fault.kind.stops(),
                    excludes: stops_itself(fault.kind),
                    flap: flap_of[id.index()],
                    ends_process: matches!(clock.component, Component::Slot(_))
                        && matches!(fault.kind, FaultKind::Crash | FaultKind::Hang),
                }
            });
        let clocks: IdVec<ClockId, ClockPlan> = clocks.collect();
        let begins = match system.run.start {
            Start::Steady => SimTime::START.before(burn_in(system, detail)),
            Start::New => SimTime::START,
        };
        Self {
            start: system.run.start,
            derived: !(watches.is_empty()
                && groups.is_empty()
                && leases.is_empty()
                && leads.is_empty()),
            begins,
            remarks: detail == Detail::Full,
            care,
            clocks,
            affected,
            impaired_by,
            operated,
            network,
            slots,
            watched_by: Lists::new(&watched_by),
            parents: system.domains.iter().map(|domain| domain.parent).collect(),
            timers,
            watches,
            groups,
            leases,
            campaigns,
            drains,
            viewed_by,
            leads,
            recoveries,
            flaps,
            restarts,
            standbys,
            structure: Structure::new(system),
            audiences,
        }
    }
}

/// The watches of all instances of one balancer: instance by instance, member by member.
fn add_watches(
    system: &System,
    balancer: &Balancer,
    unit: u32,
    watches: &mut Vec<WatchPlan>,
    timers: &mut Vec<Timer>,
    slots: &mut IdVec<SlotId, SlotPlan>,
) {
    let Some(probes) = &balancer.probes else {
        return;
    };
    let pace = Pace {
        interval: probes.interval,
        timeout: probes.timeout,
        takes: probes.takes,
        rise: probes.rise,
        fall: probes.fall,
    };
    for &instance in &balancer.slots {
        let first = watches.len() as u32;
        for (member_index, &member) in system.pools[balancer.to].slots.iter().enumerate() {
            let timer = timers.len() as u32;
            timers.push(Timer::Watch(watches.len() as u32));
            let member_index = member_index as u32;
            watches.push(WatchPlan {
                instance,
                member,
                member_index,
                pace,
                usual: Mode::Answers,
                by_workers: probes.work.is_some(),
                unit,
                timer,
            });
        }
        slots[instance].watches = (first, watches.len() as u32);
    }
}

/// Whether anything needs the leader of `pool`.
fn needs_leader(system: &System, pool: PoolId) -> bool {
    let mut operations = system.operations.iter();
    operations.any(|operation| operation.pool == pool && operation.served_by == ServedBy::Leader)
}

/// Whether the lease of `pool` is followed, if it has one.
pub(super) fn follows_lease(system: &System, detail: Detail, pool: PoolId) -> bool {
    detail == Detail::Full || needs_leader(system, pool)
}
