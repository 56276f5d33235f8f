//! Campaigns: what operators do by the clock, whatever else happens. Each has one timer and turns fault
//! clocks of its own, so that what it does to slots, and whom it is blamed on, is as with any fault.
//!
//! What one occurrence of a campaign draws comes from a sequence of its own, keyed by its number, so
//! that a longer occurrence, or one that was left out, moves no draw of the next.

mod change;
mod maintenance;
mod release;
mod rhythm;

use super::audience::Audiences;
use super::blame::{After, Condition};
use super::lists::Lists;
use super::plan::{Delay, NONE, Plan, Timer, WatchPlan};
use super::state::{SlotNow, State};
use crate::ids::{CampaignId, ClockId, Id, IdVec, SlotId};
use crate::model::{CampaignWork, Owner, Rhythm, System};
use crate::path::{CampaignStep, Event, Signal};
use crate::random::{Key, Part, Purpose, Sequence, name_hash};
use crate::time::{SimSpan, SimTime};
use change::ChangePlan;
use maintenance::MaintenancePlan;
use release::ReleasePlan;
pub(super) use release::Version;

/// One campaign.
#[derive(Clone, Debug)]
pub(super) struct CampaignPlan {
    name: Part,
    rhythm: Rhythm,
    lead: SimSpan,
    /// No history is followed beyond.
    end: SimTime,
    timer: u32,
    work: WorkPlan,
}

#[derive(Clone, Debug)]
enum WorkPlan {
    Maintenance(MaintenancePlan),
    Release(ReleasePlan),
    Change(ChangePlan),
}

/// What a campaign does when its timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Starts with its first parts.
    Begin,
    /// Stops the parts that have been drained.
    Stop,
    /// Ends the work on them.
    End,
    /// Sends requests to them again, and goes on to the next.
    Return,
    /// Reaches further parts with a bad change.
    Reach,
    /// Nothing, until somebody notices.
    Wait,
    /// Takes back what was bad from further parts.
    Back,
}

/// Where a campaign stands.
#[derive(Clone, Debug)]
pub(super) struct CampaignNow {
    key: Key,
    /// How many occurrences have begun or were left out.
    occurrence: u64,
    /// Times from start to start.
    intervals: Sequence,
    /// What this occurrence draws.
    draws: Sequence,
    /// The start that the rhythm has set: of the next occurrence, or of the one in progress.
    scheduled: SimTime,
    stage: Stage,
    /// The parts at work: from the first to before the second.
    parts: (u32, u32),
    /// The parts that the present step is about.
    shown: (u32, u32),
    /// When the next stage is due.
    next: SimTime,
    /// Whether this occurrence is bad.
    bad: bool,
    /// Whether that has begun to hurt.
    broken: bool,
    /// From then to when it is noticed, and that instant once it is known.
    notice: SimSpan,
    noticed_at: SimTime,
    /// Parts reached by what is new.
    reached: u32,
    /// When a change began to spread, or to be reverted, and how long that takes.
    since: SimTime,
    span: SimSpan,
    /// That nobody has noticed.
    condition: Condition,
}

impl CampaignNow {
    pub(super) fn idle() -> Self {
        let key = Key::of_seed(0);
        Self {
            key,
            occurrence: 0,
            intervals: key.sequence(),
            draws: key.sequence(),
            scheduled: SimTime::NEVER,
            stage: Stage::Begin,
            parts: (0, 0),
            shown: (0, 0),
            next: SimTime::NEVER,
            bad: false,
            broken: false,
            notice: SimSpan::ZERO,
            noticed_at: SimTime::NEVER,
            reached: 0,
            since: SimTime::EPOCH,
            span: SimSpan::ZERO,
            condition: None,
        }
    }
}

impl CampaignPlan {
    /// Whether what it stops is drained first.
    pub(super) fn drains(&self) -> bool {
        match &self.work {
            WorkPlan::Maintenance(work) => work.drain.is_some(),
            WorkPlan::Release(work) => work.drain.is_some(),
            WorkPlan::Change(_) => false,
        }
    }
}

/// Who sends to a slot: an instance of a balancer, with its watch if it probes.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    instance: SlotId,
    member_index: u32,
    /// [`NONE`] if it believes every member up.
    watch: u32,
}

/// The campaigns of `system`, each with a timer.
pub(super) fn plan_campaigns(
    system: &System,
    timers: &mut Vec<Timer>,
) -> IdVec<CampaignId, CampaignPlan> {
    let plan = |(id, campaign): (CampaignId, &crate::model::Campaign)| {
        let timer = timers.len() as u32;
        timers.push(Timer::Campaign(id));
        CampaignPlan {
            name: Part::new(name_hash(&campaign.name)),
            rhythm: campaign.rhythm.clone(),
            lead: campaign.lead(),
            end: SimTime::START + system.run.horizon.saturating_mul(2),
            timer,
            work: match &campaign.work {
                CampaignWork::Maintenance(work) => WorkPlan::Maintenance(MaintenancePlan {
                    clocks: work.clocks.clone(),
                    lasts: Delay::of(&work.lasts),
                    drain: work.drain,
                    one_by_one: work.one_by_one,
                }),
                CampaignWork::Release(work) => WorkPlan::Release(ReleasePlan {
                    rollout: work.rollout,
                    release: work.release,
                    slots: system.pools[work.pool].slots.clone(),
                    unit: Audiences::unit_of(system, Owner::Pool(work.pool)),
                    bad: work.bad,
                    noticed: Delay::of(&work.noticed_in),
                    rolls: (work.rolls.at_once, work.rolls.pause),
                    back: (work.rolls_back.at_once, work.rolls_back.pause),
                    drain: work.drain,
                }),
                CampaignWork::Change(work) => WorkPlan::Change(ChangePlan {
                    clock: work.clock,
                    slots: work.slots(system).to_vec(),
                    unit: Audiences::unit_of(system, work.owner),
                    bad: work.bad,
                    noticed: Delay::of(&work.noticed_in),
                    spreads: Delay::of(&work.spreads_in),
                    reverts: Delay::of(&work.reverted_in),
                    at_once: work.is_certificate,
                    renews: work.is_certificate,
                }),
            },
        }
    };
    system.campaigns.pairs().map(plan).collect()
}

/// Who sends to each slot; nobody, unless it is `wanted`.
pub(super) fn views(system: &System, wanted: bool, watches: &[WatchPlan]) -> Lists<View> {
    let mut views = vec![Vec::new(); system.slots.len()];
    if wanted {
        for balancer in &system.balancers {
            let members = &system.pools[balancer.to].slots;
            for &instance in &balancer.slots {
                for (member_index, &member) in members.iter().enumerate() {
                    let member_index = member_index as u32;
                    let watch = watches
                        .iter()
                        .position(|watch| watch.instance == instance && watch.member == member);
                    views[member.index()].push(View {
                        instance,
                        member_index,
                        watch: watch.map_or(NONE, |watch| watch as u32),
                    });
                }
            }
        }
    }
    Lists::new(&views)
}

impl CampaignPlan {
    /// The slots of a release that chance may find bad; none for any other campaign.
    pub(super) fn risky_release(&self) -> &[SlotId] {
        match &self.work {
            WorkPlan::Release(work) if work.bad > 0.0 && work.bad < 1.0 => &work.slots,
            WorkPlan::Release(_) | WorkPlan::Maintenance(_) | WorkPlan::Change(_) => &[],
        }
    }
}

impl State {
    /// Whether the next step of a campaign is its beginning.
    pub(super) fn begins_campaign(&self, id: CampaignId) -> bool {
        let now = &self.campaigns[id];
        now.stage == Stage::Begin && now.parts.1 == 0
    }

    /// Whether an occurrence of a campaign has begun and is not over.
    pub(super) fn is_under_way(&self, id: CampaignId) -> bool {
        self.campaigns[id].parts.1 > 0
    }

    /// Sets all campaigns to their first starts.
    pub(super) fn start_campaigns(&mut self, plan: &Plan, base: Key) {
        for (id, known) in plan.campaigns.pairs() {
            let key = base.with_part(known.name);
            let mut draws = key.with(Purpose::Equilibrium as u64).sequence();
            let mut intervals = key.with(Purpose::Failure as u64).sequence();
            let earliest = self.now + known.lead;
            self.campaigns[id] = CampaignNow {
                key: key.with(Purpose::Campaign as u64),
                scheduled: known
                    .rhythm
                    .first(earliest, plan.start, &mut draws, &mut intervals),
                intervals,
                ..CampaignNow::idle()
            };
            self.seek(plan, id);
        }
    }

    /// Waits for the scheduled occurrence, or for the first after it that is not past and in which
    /// anything happens.
    fn seek(&mut self, plan: &Plan, id: CampaignId) {
        let known = &plan.campaigns[id];
        loop {
            let now = &mut self.campaigns[id];
            now.draws = now.key.with(now.occurrence).sequence();
            now.occurrence += 1;
            let happens = match &known.work {
                WorkPlan::Maintenance(_) | WorkPlan::Release(_) => true,
                WorkPlan::Change(work) => now.draws.uniform() < work.bad,
            };
            let due = now.scheduled.before(known.lead);
            if happens && due >= self.now {
                self.later(plan, id, Stage::Begin, due);
                return;
            }
            if due > known.end {
                self.later(plan, id, Stage::Wait, SimTime::NEVER);
                return;
            }
            now.scheduled = known.rhythm.next(now.scheduled, &mut now.intervals);
        }
    }

    /// The occurrence is over: waits for the next.
    fn over(&mut self, plan: &Plan, id: CampaignId) {
        let now = &mut self.campaigns[id];
        (now.parts, now.reached) = ((0, 0), 0);
        (now.bad, now.broken, now.noticed_at) = (false, false, SimTime::NEVER);
        let rhythm = &plan.campaigns[id].rhythm;
        now.scheduled = rhythm.next(now.scheduled, &mut now.intervals);
        self.seek(plan, id);
    }

    /// Something bad has begun to do harm, if it has not before: from now on it can be noticed.
    fn begins_to_hurt(&mut self, plan: &Plan, id: CampaignId, clock: ClockId, unit: u32) {
        let now = &mut self.campaigns[id];
        if std::mem::replace(&mut now.broken, true) {
            return;
        }
        now.noticed_at = self.now + now.notice;
        self.blames.turn(&plan.audiences, clock, true, self.now);
        let next = Some((clock, After::Unnoticed));
        self.blames
            .change(&plan.audiences, unit, &mut now.condition, next);
        let due = now.next.min(now.noticed_at);
        self.agenda.set(plan.campaigns[id].timer, due);
    }

    /// It is noticed.
    fn noticed(&mut self, plan: &Plan, id: CampaignId, unit: u32) {
        let now = &mut self.campaigns[id];
        now.noticed_at = SimTime::NEVER;
        self.blames
            .change(&plan.audiences, unit, &mut now.condition, None);
    }

    /// The next step of a campaign is due.
    pub(super) fn campaign(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        signals: &mut Vec<Signal>,
    ) -> (Event, Option<ClockId>) {
        let (step, clock) = match &plan.campaigns[id].work {
            WorkPlan::Maintenance(work) => self.maintain(plan, id, work, signals),
            WorkPlan::Release(work) => self.roll(plan, id, work, signals),
            WorkPlan::Change(work) => self.change(plan, id, work, signals),
        };
        let event = Event::Campaign {
            campaign: id,
            step: step.0,
            parts: step.1,
        };
        (event, Some(clock))
    }

    /// Comes back to campaign `id` at `at` for `stage`.
    fn later(&mut self, plan: &Plan, id: CampaignId, stage: Stage, at: SimTime) {
        let now = &mut self.campaigns[id];
        (now.stage, now.next) = (stage, at);
        let due = at.min(now.noticed_at);
        self.agenda.set(plan.campaigns[id].timer, due);
    }

    /// Keeps new requests away from `slot`, or lets them come again, for one campaign.
    fn set_drained(
        &mut self,
        plan: &Plan,
        slot: SlotId,
        drained: bool,
        cause: ClockId,
        signals: &mut Vec<Signal>,
    ) {
        let now = &mut self.slots[slot];
        let before = now.drains > 0;
        now.drains = if drained {
            now.drains + 1
        } else {
            now.drains - 1
        };
        if before == (now.drains > 0) {
            return;
        }
        for view in plan.viewed_by.of(slot.index()) {
            let View {
                instance,
                member_index,
                watch,
            } = *view;
            let SlotNow {
                probing, resting, ..
            } = self.slots[instance];
            let believed = if watch == NONE || !(probing || resting) {
                true
            } else {
                let known = &plan.watches[watch as usize];
                self.watches[watch as usize].watch.is_up(&known.pace)
            };
            self.show(instance, member_index, believed && !drained, signals);
            if watch != NONE {
                let matters = self.slots[instance].probing && self.matters(instance, slot);
                let known = &plan.watches[watch as usize];
                self.watches[watch as usize].weigh(plan, known, matters, &mut self.blames);
            }
        }
        let known = &plan.slots[slot];
        if known.group != NONE {
            let place = self.place_of(slot);
            let group = &mut self.groups[known.group as usize].group;
            if drained {
                group.resign(self.now, known.index as usize);
            } else {
                group.place(self.now, known.index as usize, place);
            }
            self.follow_group(plan, known.group as usize, Some(cause), signals);
        }
    }

    /// When the last of `slots` that is starting will serve; now, if none is.
    fn all_started(&self, plan: &Plan, slots: &[SlotId]) -> SimTime {
        let dues = slots.iter().filter_map(|&slot| {
            let (timer, state) = (plan.slots[slot].start_timer, &self.slots[slot]);
            // Nobody knows how long what stands still will do so.
            let due = || match state.stops.is_paused() {
                true => self.now + state.start_left,
                false => self.agenda.due(timer),
            };
            state.starting.then(due)
        });
        dues.max().unwrap_or(self.now)
    }
}

/// A step with its parts.
type Step = (CampaignStep, (u32, u32));
