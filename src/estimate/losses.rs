//! What each single loss leaves: one replica, machine, domain or balancer instance is lost, nothing
//! else fails, and the probes, elections and standbys of the control state are followed until nothing
//! moves any more. Losses that traffic cannot tell apart are one.

use super::plan::{look_back, warm_up};
use crate::control::{Control, Detail};
use crate::ids::{BalancerId, CallId, DomainId, Id, IdVec, JourneyId, NodeId, SlotId};
use crate::model::{
    Algorithm, Call, Care, ClockRuns, Component, Fault, FaultClock, FaultKind, Load, Lost, Owner,
    PoolKind, Reach, ServedBy, Start, System,
};
use crate::path::{KeyMaker, Regime, SlotState};
use crate::random::{Dist, name_hash};
use crate::stats::Histogram;
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Engine, Source, Traffic, TrafficSettings};
use std::collections::BTreeSet;

/// Losses that are looked at, at most; components that stand alike are looked at once.
const MOST: usize = 500;

/// When the loss happens: elections and leases have begun by then.
const AT_S: f64 = 86_400.0;

/// How long it lasts, and so how long the control state may take to settle.
const LASTS_S: f64 = 100.0 * 31_536_000.0;

/// Steps of the control state after which a state that still moves is taken as it is.
const STEPS: usize = 100_000;

/// Events between two looks at how many attempts a stretch has taken.
const EVENTS: u64 = 1 << 14;

/// Length of a slice: stretches are whole numbers of it.
const SLICE: SimSpan = SimSpan::from_secs(1);

/// A system at its busiest time of the week: what it does if one thing is lost.
#[derive(Debug)]
pub struct AtPeak {
    /// Without faults, every workload at the rate of that time.
    system: System,
    /// The busiest minute of the week.
    pub busiest: SimTime,
}

/// What is left, settled.
#[derive(Clone, Debug)]
pub struct Left {
    /// What traffic sees.
    pub(super) regime: Regime,
    /// What every pool has to carry.
    pub load: Load,
    /// Journeys that cannot be served.
    pub journeys_down: Vec<JourneyId>,
    /// Whether no slot serves.
    pub nothing: bool,
    key: u64,
}

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostPart {
    /// A replica of a service.
    Replica,
    /// A replica of a cache.
    Cache,
    /// A member of a store.
    Member,
    /// A third party.
    External,
    /// The broker of a message queue.
    Broker,
    /// An instance of a balancer.
    Instance,
    /// A machine.
    Node,
    /// A domain, of a kind in the file's word.
    Domain(DomainId),
}

/// Losses of single parts that leave the same.
#[derive(Clone, Debug)]
pub struct SingleLoss {
    /// The parts, in the order of the file: what they are, and their names.
    pub parts: Vec<(LostPart, String)>,
    /// What is left without any one of them.
    pub left: Left,
}

/// What one stretch showed.
#[derive(Clone, Debug)]
pub struct PeakStretch {
    /// Requests that arrived.
    pub issued: u64,
    /// Those that failed, or had no answer long after the end of the stretch.
    pub lost: u64,
    /// Latency of the others, nanoseconds.
    pub latency: Histogram,
}

impl AtPeak {
    /// Prepares `system`, which has a workload.
    pub fn new(system: &System) -> Self {
        let busiest = Load::busiest(system);
        let mut bare = system.clone();
        bare.run.start = Start::New;
        for workload in bare.workloads.as_mut_slice() {
            workload.rate = workload.rate_at(busiest);
            workload.profile = None;
        }
        let span = |secs| Dist::constant(secs).expect("a length of time is a constant");
        let fault = |kind: FaultKind| Fault {
            name: format!("loss.{}", kind.word()),
            kind,
            runs: ClockRuns::Calendar,
            every: span(AT_S),
            lasts: span(LASTS_S),
        };
        bare.faults = [FaultKind::Crash, FaultKind::Power]
            .map(fault)
            .into_iter()
            .collect();
        bare.clocks = IdVec::new();
        bare.campaigns = IdVec::new();
        // People may be called by failovers; nothing else is handled.
        bare.care = Care {
            crews: IdVec::new(),
            people: bare.care.people,
            ..Care::default()
        };
        bare.targets.clear();
        bare.warnings.clear();
        Self {
            system: bare,
            busiest,
        }
    }

    /// With nothing lost.
    pub fn healthy(&self, seed: u64) -> Left {
        self.settled(&self.system, seed)
    }

    /// Without `slot`, which has crashed.
    pub(super) fn without(&self, slot: SlotId, seed: u64) -> Left {
        let mut system = self.system.clone();
        system.clocks.push(FaultClock {
            fault: self.system.faults.ids().next().expect("two faults"),
            component: Component::Slot(slot),
            name: "loss".into(),
        });
        self.settled(&system, seed)
    }

    /// The same system with balancers that remember nothing of whose turn it was: members come by chance instead of
    /// in turn, and the better of two instead of the best of all.
    pub(super) fn by_chance(mut self) -> Self {
        for balancer in self.system.balancers.as_mut_slice() {
            balancer.algorithm = match balancer.algorithm {
                Algorithm::RoundRobin | Algorithm::Random => Algorithm::Random,
                Algorithm::LeastConnections | Algorithm::TwoChoices => Algorithm::TwoChoices,
            };
        }
        self
    }

    /// What each single loss leaves, in the order of the file, and how many parts were left out
    /// because there are too many of them that stand differently.
    pub fn single_losses(&self, seed: u64) -> (Vec<SingleLoss>, usize) {
        let mut system = self.system.clone();
        let crash = self.system.faults.ids().next().expect("two faults");
        let power = self.system.faults.ids().nth(1).expect("two faults");
        let mut losses: Vec<SingleLoss> = Vec::new();
        let mut left_out = 0;
        for (index, alike) in self.alike().into_iter().enumerate() {
            if index >= MOST {
                left_out += alike.parts.len();
                continue;
            }
            system.clocks = IdVec::new();
            system.clocks.push(FaultClock {
                fault: match alike.component {
                    Component::Domain(_) => power,
                    _ => crash,
                },
                component: alike.component,
                name: "loss".into(),
            });
            let left = self.settled(&system, seed);
            match losses.iter_mut().find(|loss| loss.left.same(&left)) {
                Some(loss) => loss.parts.extend(alike.parts),
                None => losses.push(SingleLoss {
                    parts: alike.parts,
                    left,
                }),
            }
        }
        (losses, left_out)
    }

    /// The state in which nothing moves any more.
    fn settled(&self, system: &System, seed: u64) -> Left {
        let mut control = Control::new(system, Detail::Full);
        control.restart(seed, 0);
        let end = SimTime::START + SimSpan::from_secs_f64(0.5 * LASTS_S);
        let mut signals = Vec::new();
        for _ in 0..STEPS {
            if control.next_time() >= end {
                break;
            }
            signals.clear();
            control.step(&mut signals);
        }
        let mut regime = control.regime().clone();
        regime.blames.as_mut_slice().fill(None);
        let lost = lost(system, &regime);
        Left {
            load: Load::at_peak(&self.system, Some(&lost)),
            journeys_down: system
                .journeys
                .ids()
                .filter(|&id| !control.structure().journey_up(id))
                .collect(),
            nothing: !regime
                .slots
                .iter()
                .any(|&state| state == SlotState::Serving),
            key: KeyMaker::default().key(system, &regime),
            regime,
        }
    }

    /// How long traffic needs until it has forgotten an empty start.
    pub fn warm_up(&self, left: &Left) -> SimSpan {
        let secs = warm_up(&self.system, &left.load, false).as_secs_f64();
        SimSpan::from_secs_f64(secs.ceil())
    }

    /// An engine for [`AtPeak::stretch`].
    pub fn traffic(&self) -> Traffic<'_> {
        let settings = TrafficSettings {
            slice: SLICE,
            bad_below: self.system.run.bad_below,
            settle: SimSpan::ZERO,
            bounds: Vec::new(),
            bins: None,
        };
        // How far it gets is limited by events.
        Traffic::with_engine(&self.system, settings, Engine::Events)
    }

    /// Simulates stretch number `batch` of `length`, whole seconds, under what is `left`, after
    /// `warm_up`. All losses of one seed meet the same requests. `None` if that takes more than
    /// `attempts`, or more requests were in progress than the engine allows.
    ///
    /// # Errors
    /// What did not add up.
    pub fn stretch(
        &self,
        traffic: &mut Traffic<'_>,
        left: &Left,
        (seed, batch): (u64, u64),
        (warm_up, length): (SimSpan, SimSpan),
        attempts: u64,
    ) -> Result<Option<PeakStretch>, String> {
        let source = Source::Sample {
            seed,
            regime: name_hash("single losses"),
            batch,
        };
        let from = SimTime::START + warm_up;
        let to = from + length;
        traffic.clear_tally();
        traffic.begin(&left.regime, SimTime::START, source);
        traffic.count(from, to);
        // An answer may take as long as users wait, or as queues remember.
        let late = to + look_back(&self.system).unwrap_or(warm_up);
        let mut enough = false;
        while !enough && traffic.next_time() < to {
            traffic.run_events(to, EVENTS);
            enough = traffic.overflowed() || traffic.tally().attempts_simulated > attempts;
        }
        while !enough && traffic.counted_in_flight() > 0 && traffic.next_time() < late {
            traffic.run_events(late, EVENTS / 64);
            enough = traffic.overflowed() || traffic.tally().attempts_simulated > 2 * attempts;
        }
        traffic.finish(traffic.now().max(to));
        let tally = traffic.tally();
        tally.check()?;
        if enough {
            return Ok(None);
        }
        let mut stretch = PeakStretch {
            issued: 0,
            lost: 0,
            latency: Histogram::new(),
        };
        for journey in &tally.journeys {
            stretch.issued += journey.counts.issued;
            stretch.lost += journey.counts.failed + journey.counts.in_flight;
            stretch.latency.merge(&journey.latency);
        }
        Ok(Some(stretch))
    }

    /// Parts that stand alike: their loss leaves the same, or nearly so.
    fn alike(&self) -> Vec<Alike> {
        let system = &self.system;
        let mut groups: Vec<(Standing, Alike)> = Vec::new();
        let mut add = |standing: Standing, component, part: (LostPart, String)| match groups
            .iter_mut()
            .find(|(other, _)| *other == standing)
        {
            Some((_, alike)) => alike.parts.push(part),
            None => groups.push((
                standing,
                Alike {
                    component,
                    parts: vec![part],
                },
            )),
        };
        for (id, slot) in system.slots.pairs() {
            let part = match slot.owner {
                Owner::Balancer(_) => LostPart::Instance,
                Owner::Pool(pool) => match system.pools[pool].kind {
                    PoolKind::Service => LostPart::Replica,
                    PoolKind::Cache => LostPart::Cache,
                    PoolKind::Store { .. } => LostPart::Member,
                    PoolKind::External => LostPart::External,
                    PoolKind::Queue => LostPart::Broker,
                },
            };
            let standing = Standing::Process(self.role(id), slot.domain);
            add(standing, Component::Slot(id), (part, slot.name.clone()));
        }
        let mut on = IdVec::<NodeId, Vec<Role>>::filled(Vec::new(), system.nodes.len());
        for (id, slot) in system.slots.pairs() {
            if let Some(node) = slot.node {
                on[node].push(self.role(id));
            }
        }
        for (id, node) in system.nodes.pairs() {
            if on[id].is_empty() {
                continue;
            }
            let mut roles = std::mem::take(&mut on[id]);
            roles.sort_unstable();
            let standing = Standing::Machine(roles, node.domain);
            add(
                standing,
                Component::Node(id),
                (LostPart::Node, node.name.clone()),
            );
        }
        let inhabited: BTreeSet<DomainId> = system
            .slots
            .iter()
            .flat_map(|slot| around(system, slot.domain))
            .collect();
        for (id, domain) in system.domains.pairs() {
            if inhabited.contains(&id) {
                add(
                    Standing::Domain(id),
                    Component::Domain(id),
                    (LostPart::Domain(id), domain.name.clone()),
                );
            }
        }
        groups.into_iter().map(|(_, alike)| alike).collect()
    }

    /// What a slot does when nothing is lost: whose it is, whether it is the first, whether it stands by.
    fn role(&self, slot: SlotId) -> Role {
        let row = &self.system.slots[slot];
        match row.owner {
            Owner::Pool(pool) => {
                let leads = row.index == 0
                    && matches!(self.system.pools[pool].kind, PoolKind::Store { .. });
                let stands_by = row.index as usize >= self.system.pools[pool].active();
                (0, pool.index(), u32::from(leads) + 2 * u32::from(stands_by))
            }
            // Priorities differ.
            Owner::Balancer(balancer) => (1, balancer.index(), row.index),
        }
    }
}

impl Left {
    /// Whether traffic could not tell them apart.
    fn same(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

/// Pool or balancer, its row, and its part in it.
type Role = (u8, usize, u32);

/// Where something stands, as far as its loss goes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Process(Role, Option<DomainId>),
    Machine(Vec<Role>, Option<DomainId>),
    Domain(DomainId),
}

/// Parts that stand alike, and one of them.
struct Alike {
    component: Component,
    parts: Vec<(LostPart, String)>,
}

/// A domain and those around it.
fn around(system: &System, domain: Option<DomainId>) -> impl Iterator<Item = DomainId> + '_ {
    std::iter::successors(domain, |&id| system.domains[id].parent)
}

/// What attempts meet in `regime`, which has no islands and no impairments.
fn lost(system: &System, regime: &Regime) -> Lost {
    let serves = |slot: SlotId| regime.slots[slot] == SlotState::Serving;
    let patience = look_back(system).map_or(0.0, SimSpan::as_secs_f64);
    let mut calls: IdVec<CallId, Reach> = system
        .calls
        .iter()
        .map(|call| {
            let timeout = call.timeout.map_or(patience, SimSpan::as_secs_f64);
            reach(system, regime, call, timeout)
        })
        .collect();
    for queue in &system.queues {
        // Messages wait for a worker that is there.
        let broker = serves(system.pools[queue.pool].slots[0]);
        let workers = system.pools[queue.consumer].slots.iter();
        let any = broker && workers.copied().any(serves);
        calls[queue.call] = Reach {
            share: f64::from(any),
            wait_s: 0.0,
        };
    }
    Lost {
        calls,
        serving: system
            .pools
            .iter()
            .map(|pool| pool.slots.iter().filter(|&&slot| serves(slot)).count() as u32)
            .collect(),
    }
}

/// What the attempts of one call meet: each slot that it may be sent to, as often as any other.
fn reach(system: &System, regime: &Regime, call: &Call, timeout: f64) -> Reach {
    let operation = &system.operations[call.to];
    let pool = &system.pools[operation.pool];
    let ways = call
        .through
        .map_or_else(|| vec![Way::Direct], |id| ways(system, regime, id));
    let led = match operation.served_by {
        ServedBy::Leader => Some(regime.leaders[operation.pool]),
        ServedBy::Any | ServedBy::Quorum => None,
    };
    let serving = |slot: SlotId| regime.slots[slot] == SlotState::Serving;
    let majority = pool.slots.iter().filter(|&&slot| serving(slot)).count() > pool.active() / 2;
    let no_quorum = operation.served_by == ServedBy::Quorum && !majority;
    let (mut met, mut silent, mut all) = (0.0, 0.0, 0.0);
    let mut meet = |slot: Option<SlotId>, weight: f64| {
        all += weight;
        match slot.map(|slot| regime.slots[slot]) {
            Some(SlotState::Serving) if !no_quorum => met += weight,
            Some(SlotState::Silent | SlotState::Hung | SlotState::Paused) => silent += weight,
            Some(SlotState::Serving | SlotState::Refusing | SlotState::Standby) | None => {}
        }
    };
    for &way in &ways {
        let instance = match way {
            Way::Direct => None,
            Way::Through(instance) if serving(instance) => Some(instance),
            Way::Through(instance) => {
                meet(Some(instance), 1.0);
                continue;
            }
            Way::Nobody => {
                meet(None, 1.0);
                continue;
            }
        };
        if let Some(leader) = led {
            meet(leader, 1.0);
            continue;
        }
        let members: Vec<SlotId> = pool
            .slots
            .iter()
            .enumerate()
            .filter(|(index, slot)| {
                regime.slots[**slot] != SlotState::Standby
                    && instance.is_none_or(|instance| regime.views[instance][*index])
            })
            .map(|(_, &slot)| slot)
            .collect();
        if members.is_empty() {
            meet(None, 1.0);
        }
        for &member in &members {
            meet(Some(member), 1.0 / members.len() as f64);
        }
    }
    let failed = all - met;
    Reach {
        share: if all > 0.0 { met / all } else { 0.0 },
        wait_s: if failed > 0.0 {
            timeout * silent / failed
        } else {
            0.0
        },
    }
}

/// How an attempt comes to its pool.
#[derive(Clone, Copy)]
enum Way {
    /// The caller chooses a slot.
    Direct,
    /// This instance of a balancer does.
    Through(SlotId),
    /// Nobody is at the address of the balancer.
    Nobody,
}

/// The ways through a balancer, each as likely as any other.
fn ways(system: &System, regime: &Regime, id: BalancerId) -> Vec<Way> {
    let balancer = &system.balancers[id];
    match (&balancer.failover, regime.holders[id]) {
        (Some(_), Some(holder)) => vec![Way::Through(holder)],
        (Some(_), None) => vec![Way::Nobody],
        (None, _) => balancer
            .slots
            .iter()
            .map(|&slot| Way::Through(slot))
            .collect(),
    }
}
