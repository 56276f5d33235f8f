//! The control state of one history, and how a history begins.

use super::agenda::Agenda;
use super::blame::{Blames, Condition};
use super::campaign::{CampaignNow, Version};
use super::care::CareNow;
use super::demand::Demands;
use super::flap::FlapNow;
use super::lead::LeadNow;
use super::network::is_available_to;
use super::operate::PartNow;
use super::plan::{Delay, Handled, NONE, Plan};
use super::recover::RecoveryNow;
use super::restart::RestartNow;
use super::standby::StandbyNow;
use super::stops::Stops;
use crate::failover::{Group, Lease};
use crate::health::{Mode, Watch};
use crate::ids::{BalancerId, CampaignId, ClockId, DomainId, Id, IdVec, PoolId, SlotId};
use crate::model::structure::StructureState;
use crate::model::{Impairment, Start, System};
use crate::path::{Event, Recovery, Regime, Signal, SlotState};
use crate::random::{Key, Purpose, Sequence};
use crate::time::{SimSpan, SimTime};

/// One fault clock.
#[derive(Clone, Debug)]
pub(super) struct ClockNow {
    pub(super) active: bool,
    /// The span that begins with the next event, drawn ahead while others keep the processor busy:
    /// an event need not wait for a logarithm.
    pub(super) ahead: SimSpan,
    /// Times to failure, and durations.
    pub(super) draws: [Sequence; 2],
}

/// One slot.
#[derive(Clone, Debug)]
pub(super) struct SlotNow {
    /// Active faults, and its start.
    pub(super) stops: Stops,
    /// Active faults that make its machine hang or stand still.
    pub(super) stuck: u32,
    /// Whether it is starting.
    pub(super) starting: bool,
    /// What is left of its start, while it stands still.
    pub(super) start_left: SimSpan,
    /// Bad changes that keep its process from serving.
    pub(super) blocked: u32,
    /// What it runs.
    pub(super) version: Version,
    /// Campaigns that keep new requests away from it.
    pub(super) drains: u32,
    /// Whether it stands by, if it runs.
    pub(super) stands_by: bool,
    /// Whether it probes: a running instance of a balancer with probes.
    pub(super) probing: bool,
    /// Whether it would, but stands still.
    pub(super) resting: bool,
    /// The fault clock behind its last change.
    pub(super) root: Option<ClockId>,
    /// Its start, while it is starting.
    pub(super) condition: Condition,
    pub(super) start_up: Sequence,
    pub(super) phases: Sequence,
}

/// One instance's view of one member.
#[derive(Clone, Debug)]
pub(super) struct WatchNow {
    pub(super) watch: Watch,
    /// Which probes meet an error.
    pub(super) draws: Sequence,
    /// The fault clock behind the last change of what the probes meet.
    pub(super) root: Option<ClockId>,
    pub(super) condition: Condition,
}

/// One VRRP group.
#[derive(Clone, Debug)]
pub(super) struct GroupNow {
    pub(super) group: Group,
    /// Which takeovers fail.
    pub(super) draws: Sequence,
    /// The fault clock behind the last loss of the holder.
    pub(super) root: Option<ClockId>,
    pub(super) condition: Condition,
}

/// One lease.
#[derive(Clone, Debug)]
pub(super) struct LeaseNow {
    pub(super) lease: Lease,
    pub(super) draws: Sequence,
    /// The fault clock behind the last loss of the leader or of a candidate.
    pub(super) root: Option<ClockId>,
    pub(super) condition: Condition,
}

/// All of it.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) now: SimTime,
    pub(super) agenda: Agenda,
    pub(super) clocks: IdVec<ClockId, ClockNow>,
    /// What is left of the time to the next fault, of clocks whose component does not run.
    pub(super) frozen: IdVec<ClockId, Option<SimSpan>>,
    pub(super) parts: Vec<PartNow>,
    pub(super) slots: IdVec<SlotId, SlotNow>,
    /// Active isolations of each domain.
    pub(super) isolations: IdVec<DomainId, u32>,
    pub(super) watches: Vec<WatchNow>,
    pub(super) groups: Vec<GroupNow>,
    pub(super) leases: Vec<LeaseNow>,
    pub(super) campaigns: IdVec<CampaignId, CampaignNow>,
    pub(super) leads: Vec<LeadNow>,
    /// Of `leases`, and then of `leads`.
    pub(super) recovering: Vec<RecoveryNow>,
    /// What has recovered in this step.
    pub(super) recoveries: Vec<Recovery>,
    pub(super) flaps: Vec<FlapNow>,
    pub(super) restarts: Vec<RestartNow>,
    pub(super) standbys: Vec<StandbyNow>,
    pub(super) care: CareNow,
    pub(super) demands: Demands,
    /// What happened beside the event of this step.
    pub(super) remarks: Vec<Event>,
    pub(super) regime: Regime,
    pub(super) structure: StructureState,
    pub(super) blames: Blames,
    /// Slots whose state or island changed in this step.
    pub(super) changed: Vec<SlotId>,
    pub(super) system_was_up: bool,
    /// Who holds and leads when everything is up.
    first_holders: IdVec<BalancerId, Option<SlotId>>,
    first_leaders: IdVec<PoolId, Option<SlotId>>,
    /// Clocks that are down when a history begins, with the onset of their fault.
    down_at_first: Vec<(SimTime, ClockId)>,
    /// Signals of the beginning, which nobody reads.
    unread: Vec<Signal>,
}

impl State {
    pub(super) fn new(system: &System, plan: &Plan) -> Self {
        let regime = Regime::all_up(system);
        let idle = Key::of_seed(0).sequence();
        let clock = ClockNow {
            active: false,
            ahead: SimSpan::ZERO,
            draws: [idle.clone(), idle.clone()],
        };
        let slot = SlotNow {
            stops: Stops::default(),
            stuck: 0,
            starting: false,
            start_left: SimSpan::ZERO,
            blocked: 0,
            version: Version::Good,
            drains: 0,
            stands_by: false,
            probing: false,
            resting: false,
            root: None,
            condition: None,
            start_up: idle.clone(),
            phases: idle.clone(),
        };
        let watches = plan.watches.iter().map(|watch| WatchNow {
            watch: Watch::start(&watch.pace, plan.begins, Mode::Answers),
            draws: idle.clone(),
            root: None,
            condition: None,
        });
        let groups = plan.groups.iter().map(|group| GroupNow {
            group: Group::new(group.advert_int, &group.priorities, group.preempt),
            draws: idle.clone(),
            root: None,
            condition: None,
        });
        let leases = plan.leases.iter().map(|lease| LeaseNow {
            lease: Lease::new(lease.ttl, lease.loop_wait, lease.slots.len()),
            draws: idle.clone(),
            root: None,
            condition: None,
        });
        Self {
            now: plan.begins,
            agenda: Agenda::new(system.clocks.len(), plan.timers.len()),
            clocks: IdVec::filled(clock, system.clocks.len()),
            frozen: IdVec::filled(None, system.clocks.len()),
            parts: plan.operated.all_running(),
            slots: IdVec::filled(slot, system.slots.len()),
            isolations: IdVec::filled(0, system.domains.len()),
            watches: watches.collect(),
            groups: groups.collect(),
            leases: leases.collect(),
            campaigns: IdVec::filled(CampaignNow::idle(), plan.campaigns.len()),
            leads: plan.leads.iter().map(LeadNow::new).collect(),
            recovering: vec![RecoveryNow::new(); plan.recoveries.len()],
            recoveries: Vec::with_capacity(plan.recoveries.len()),
            flaps: plan.flaps.iter().map(FlapNow::new).collect(),
            restarts: vec![RestartNow::new(); plan.restarts.len()],
            standbys: plan.standbys.iter().map(StandbyNow::new).collect(),
            care: CareNow::new(plan),
            demands: Demands::new(),
            remarks: Vec::new(),
            structure: StructureState::new(system, &plan.structure),
            blames: Blames::new(&plan.audiences),
            changed: Vec::with_capacity(system.slots.len()),
            system_was_up: true,
            first_holders: regime.holders.clone(),
            first_leaders: regime.leaders.clone(),
            down_at_first: Vec::with_capacity(system.clocks.len()),
            unread: Vec::new(),
            regime,
        }
    }

    /// Begins the history of `replication`.
    pub(super) fn restart(&mut self, plan: &Plan, seed: u64, replication: u64) {
        let base = Key::of_seed(seed).with(replication);
        self.demands.reset();
        self.all_up(plan);
        let mut unread = std::mem::take(&mut self.unread);
        self.start_clocks(plan, base);
        self.start_campaigns(plan, base);
        for (slot, known) in self.slots.as_mut_slice().iter_mut().zip(&plan.slots) {
            let key = base.with_part(known.name);
            if known.start_timer != NONE {
                slot.start_up = key.with(Purpose::StartUp as u64).sequence();
            }
            if known.watches.0 < known.watches.1 {
                slot.phases = key.with(Purpose::Phase as u64).sequence();
            }
        }
        if plan.probes_by_chance() {
            for (watch, known) in self.watches.iter_mut().zip(&plan.watches) {
                let [instance, member] =
                    [known.instance, known.member].map(|slot| plan.slots[slot].name);
                let key = base.with_part(instance).with_part(member);
                watch.draws = key.with(Purpose::ProbeErrors as u64).sequence();
            }
        }
        for (now, known) in self.recovering.iter_mut().zip(&plan.recoveries) {
            now.begin(known, base);
        }
        self.start_care(plan, base);
        self.start_flaps(plan, base);
        self.start_restarts(plan, base);
        self.first_roles(plan, base);
        self.down_at_first.sort_unstable();
        for index in 0..self.down_at_first.len() {
            let (onset, clock) = self.down_at_first[index];
            self.blames.begin(&plan.audiences, clock, onset);
            self.resume_effect(plan, clock, base, &mut unread);
            for index in 0..self.changed.len() {
                let slot = self.changed[index];
                let serves = self.can_serve(slot);
                self.structure.set_slot(&plan.structure, slot, serves);
            }
            self.changed.clear();
            self.note_cuts(plan, Some(clock));
            if let Handled::Case(case) = plan.clocks[clock].handled {
                self.resume_case(plan, case);
            }
        }
        if !plan.standbys.is_empty() {
            self.changed.extend(plan.slots.ids());
            self.tell_standbys(plan, None, &mut unread);
            for index in 0..self.changed.len() {
                let slot = self.changed[index];
                let serves = self.can_serve(slot);
                self.structure.set_slot(&plan.structure, slot, serves);
            }
            self.changed.clear();
        }
        for index in 0..plan.leads.len() {
            self.first_lead(plan, index, base, &mut unread);
        }
        self.first_running(plan);
        for index in 0..plan.leases.len() {
            self.first_leader(plan, index, base, &mut unread);
        }
        self.note_cuts(plan, self.down_at_first.last().map(|&(_, clock)| clock));
        for index in 0..plan.groups.len() {
            self.first_master(plan, index, base, &mut unread);
        }
        for (slot, known) in plan.slots.pairs() {
            if known.watches.0 < known.watches.1 && self.regime.slots[slot] == SlotState::Serving {
                self.start_probing(plan, slot, &mut unread);
            }
        }
        self.judge(plan, &mut unread);
        unread.clear();
        self.unread = unread;
        self.remarks.clear();
        self.recoveries.clear();
    }

    /// Everything serving, in view and in charge, nothing pending.
    fn all_up(&mut self, plan: &Plan) {
        self.now = plan.begins;
        self.isolations.as_mut_slice().fill(0);
        for slot in self.slots.as_mut_slice() {
            (slot.stops, slot.stuck) = (Stops::default(), 0);
            (slot.starting, slot.probing, slot.resting) = (false, false, false);
            (slot.root, slot.condition) = (None, None);
            (slot.blocked, slot.version, slot.drains) = (0, Version::Good, 0);
        }
        self.regime.slots.as_mut_slice().fill(SlotState::Serving);
        if plan.impairs() {
            let impairments = self.regime.impairments.as_mut_slice();
            impairments.fill(Impairment::NONE);
        }
        self.regime.islands.as_mut_slice().fill(None);
        if plan.network.is_any() {
            self.regime.network.reset();
        }
        if plan.derived || plan.drains {
            for view in self.regime.views.as_mut_slice() {
                view.fill(true);
            }
        }
        self.regime
            .holders
            .as_mut_slice()
            .copy_from_slice(self.first_holders.as_slice());
        self.regime
            .leaders
            .as_mut_slice()
            .copy_from_slice(self.first_leaders.as_slice());
        self.regime.blames.as_mut_slice().fill(None);
        self.regime.bursts.as_mut_slice().fill(false);
        for watch in &mut self.watches {
            (watch.root, watch.condition) = (None, None);
        }
        for group in &mut self.groups {
            (group.root, group.condition) = (None, None);
        }
        for lease in &mut self.leases {
            (lease.root, lease.condition) = (None, None);
        }
        for lead in &mut self.leads {
            lead.clear();
        }
        self.structure.reset(&plan.structure, &self.first_leaders);
        self.blames.reset();
        self.changed.clear();
        self.system_was_up = true;
        self.down_at_first.clear();
    }

    /// Seeds the fault clocks and draws where each of them stands.
    fn start_clocks(&mut self, plan: &Plan, base: Key) {
        let (now, down_at_first) = (self.now, &mut self.down_at_first);
        let parts = &mut self.parts;
        let clocks = self.clocks.as_mut_slice().iter_mut();
        let due = clocks.zip(plan.clocks.pairs()).map(|(clock, (id, known))| {
            if known.driven {
                clock.active = false;
                return SimTime::NEVER;
            }
            let key = base.with_part(known.name);
            clock.draws = [Purpose::Failure, Purpose::Repair]
                .map(|purpose| key.with(purpose as u64).sequence());
            clock.active = false;
            if known.idle {
                return SimTime::NEVER;
            }
            let due = match plan.start {
                Start::New => known.spans[0].draw(&mut clock.draws[0]),
                Start::Steady => {
                    let mut draws = key.with(Purpose::Equilibrium as u64).sequence();
                    let (which, life, place) = (draws.uniform(), draws.uniform(), draws.uniform());
                    clock.active = which < known.down_share;
                    if clock.active && plan.operated.is_taken(plan, id, parts) {
                        clock.active = false;
                    }
                    let delay = &known.spans[usize::from(clock.active)];
                    if clock.active {
                        let age = delay.equilibrium(life, place).0;
                        down_at_first.push((now.before(age), id));
                    }
                    delay.equilibrium(life, place).1
                }
            };
            if known.handled == Handled::Alone {
                clock.ahead = clock.draw(known, !clock.active);
            }
            now + due
        });
        self.agenda.restart(now, due);
    }

    /// The leader at the first instant: the first member if everything is new; else any of those
    /// that can lead, for leadership stays where it once went.
    fn first_leader(&mut self, plan: &Plan, index: usize, base: Key, unread: &mut Vec<Signal>) {
        let known = &plan.leases[index];
        let now = self.now;
        let mut draws = base
            .with_part(known.name)
            .with(Purpose::Failover as u64)
            .sequence();
        let able = |index: &usize| is_available_to(&known.seats, &self.regime, known.slots[*index]);
        let leader = match plan.start {
            Start::New => Some(0),
            Start::Steady => {
                let members = 0..known.slots.len();
                let count = members.clone().filter(able).count();
                let choice = (draws.uniform() * count as f64) as usize;
                members.filter(able).nth(choice)
            }
        };
        let lease = &mut self.leases[index];
        lease
            .lease
            .reset(now, leader, |what| known.draw(&mut draws, what));
        lease.draws = draws;
        self.follow_lease(plan, index, unread);
    }

    /// The master at the first instant: of the running instances that users reach, or else of all,
    /// the one with the highest priority; any of them in a steady history without preemption.
    fn first_master(&mut self, plan: &Plan, index: usize, base: Key, unread: &mut Vec<Signal>) {
        let known = &plan.groups[index];
        let mut draws = base
            .with_part(known.name)
            .with(Purpose::Failover as u64)
            .sequence();
        let (phase, choice) = (draws.uniform(), draws.uniform());
        let since = self.now.before(known.advert_int) + known.advert_int.mul_f64(phase);
        self.groups[index].draws = base
            .with_part(known.name)
            .with(Purpose::Coverage as u64)
            .sequence();
        self.groups[index].group.reset(self.now);
        for (member, &slot) in known.slots.iter().enumerate() {
            let place = self.place_of(slot);
            self.groups[index].group.place(self.now, member, place);
        }
        if plan.network.is_any() {
            self.part_group(index, known);
        }
        let able = |place: Option<u32>| {
            if self.groups[index].group.anybody_in(0) {
                place == Some(0)
            } else {
                place.is_some()
            }
        };
        let able = |member: &usize| able(self.place_of(known.slots[*member]));
        let members = 0..known.slots.len();
        let master = if known.preempt || plan.start == Start::New {
            members
                .filter(able)
                .max_by_key(|&member| known.priorities[member])
        } else {
            let count = members.clone().filter(able).count();
            members.filter(able).nth((choice * count as f64) as usize)
        };
        if let Some(master) = master {
            self.groups[index].group.appoint(master, since);
        }
        self.follow_group(plan, index, None, unread);
    }

    /// Where a slot stands for VRRP: nowhere if its machine or process does not run; 0 is where users
    /// are. A balancer that hangs or is paused leaves the process of VRRP alone, unless it is the
    /// whole machine.
    pub(super) fn place_of(&self, slot: SlotId) -> Option<u32> {
        let runs = match self.regime.slots[slot] {
            SlotState::Serving | SlotState::Standby => true,
            SlotState::Hung | SlotState::Paused => self.slots[slot].stuck == 0,
            SlotState::Refusing | SlotState::Silent => false,
        };
        (runs && self.slots[slot].drains == 0)
            .then(|| self.regime.islands[slot].map_or(0, |domain| domain.index() as u32 + 1))
    }

    /// Whether a slot runs and users reach it.
    #[inline]
    pub(super) fn is_available(&self, slot: SlotId) -> bool {
        is_available(&self.regime, slot)
    }

    /// Whether a slot can serve: it is available, and answers some attempts without an error.
    #[inline]
    pub(super) fn can_serve(&self, slot: SlotId) -> bool {
        self.is_available(slot) && !self.regime.impairments[slot].stops()
    }
}

/// Whether a slot runs and users reach it.
#[inline]
pub(super) fn is_available(regime: &Regime, slot: SlotId) -> bool {
    regime.slots[slot] == SlotState::Serving && regime.islands[slot].is_none()
}

impl Delay {
    /// Age and rest of a span in progress, in equilibrium. What nobody uses of it costs nothing.
    #[inline(always)]
    pub(super) fn equilibrium(&self, life: f64, place: f64) -> (SimSpan, SimSpan) {
        let (age, rest) = match self {
            Self::Fixed(span) => {
                let age = span.mul_f64(place);
                return (age, span.saturating_sub(age));
            }
            Self::Drawn(dist) => dist.equilibrium(life, place),
        };
        (SimSpan::from_secs_f64(age), SimSpan::from_secs_f64(rest))
    }
}
