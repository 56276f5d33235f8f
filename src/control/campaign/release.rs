//! Releases: replicas restart with a new version, some at once, one group after the other. A version that
//! is bad is broken from its start; once that is noticed the roll stops, and the replicas go back.

use super::{Stage, State, Step};
use crate::control::blame::After;
use crate::control::plan::{Delay, NONE, Plan};
use crate::control::stops::Stop;
use crate::ids::{CampaignId, ClockId, SlotId};
use crate::path::{CampaignStep, Event, Signal, SlotState};
use crate::time::{SimSpan, SimTime};

/// See [`crate::model::Release`].
#[derive(Clone, Debug)]
pub(super) struct ReleasePlan {
    pub(super) rollout: ClockId,
    pub(super) release: ClockId,
    pub(super) slots: Vec<SlotId>,
    pub(super) unit: u32,
    pub(super) bad: f64,
    pub(super) noticed: Delay,
    pub(super) rolls: (u32, SimSpan),
    pub(super) back: (u32, SimSpan),
    pub(super) drain: Option<SimSpan>,
}

impl ReleasePlan {
    fn at_work(&self, (first, end): (u32, u32)) -> &[SlotId] {
        &self.slots[first as usize..end as usize]
    }
}

/// The version that a slot runs, or will run when it has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::control) enum Version {
    /// One that works.
    Good,
    /// It starts into a broken one, of this campaign.
    Doomed(CampaignId),
    /// A broken one, of this campaign.
    Broken(CampaignId),
}

impl Version {
    /// The campaign that brought a bad version, if it is one.
    pub(in crate::control) fn bad(self) -> Option<CampaignId> {
        match self {
            Self::Good => None,
            Self::Doomed(id) | Self::Broken(id) => Some(id),
        }
    }
}

impl State {
    pub(super) fn roll(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        work: &ReleasePlan,
        signals: &mut Vec<Signal>,
    ) -> (Step, ClockId) {
        if self.campaigns[id].noticed_at <= self.now {
            return self.notice_release(plan, id, work, signals);
        }
        let before = self.cause_of_roll(id, work);
        let all = work.slots.len() as u32;
        let now = &mut self.campaigns[id];
        let step = match now.stage {
            Stage::Begin => {
                if now.parts.1 == 0 {
                    now.bad = self.demands.happens(work.bad, now.draws.uniform());
                    now.notice = work.noticed.draw(&mut now.draws);
                }
                let first = now.parts.1;
                now.parts = (first, all.min(first + work.rolls.0));
                match work.drain {
                    Some(drain) => {
                        let cause = self.wave_begins(plan, id, work);
                        for &slot in work.at_work(self.campaigns[id].parts) {
                            self.set_drained(plan, slot, true, cause, signals);
                        }
                        self.later(plan, id, Stage::Stop, self.now + drain);
                        CampaignStep::Drains
                    }
                    None => {
                        self.wave_begins(plan, id, work);
                        self.restart_wave(plan, id, work, signals)
                    }
                }
            }
            Stage::Stop => self.restart_wave(plan, id, work, signals),
            Stage::Return => {
                self.wave_is_up(plan, id, work, signals);
                CampaignStep::Returns
            }
            Stage::Back => self.roll_back(plan, id, work, signals),
            Stage::Reach | Stage::Wait | Stage::End => {
                self.over(plan, id);
                CampaignStep::Ends
            }
        };
        let parts = self.campaigns[id].shown;
        // A version that shows to be bad in this very step is the cause of what it stops.
        let after = self.cause_of_roll(id, work);
        let cause = if before == work.release {
            before
        } else {
            after
        };
        ((step, parts), cause)
    }

    /// What is done now is due to the roll as planned, or to the version that has shown to be bad.
    fn cause_of_roll(&self, id: CampaignId, work: &ReleasePlan) -> ClockId {
        if self.campaigns[id].broken {
            work.release
        } else {
            work.rollout
        }
    }

    /// Some replicas are taken out: planned, unless the version is already failing elsewhere.
    fn wave_begins(&mut self, plan: &Plan, id: CampaignId, work: &ReleasePlan) -> ClockId {
        self.campaigns[id].shown = self.campaigns[id].parts;
        if !self.campaigns[id].broken {
            self.blames
                .turn(&plan.audiences, work.rollout, true, self.now);
        }
        self.cause_of_roll(id, work)
    }

    fn restart_wave(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        work: &ReleasePlan,
        signals: &mut Vec<Signal>,
    ) -> CampaignStep {
        let (parts, bad) = (self.campaigns[id].parts, self.campaigns[id].bad);
        self.campaigns[id].shown = parts;
        let cause = self.cause_of_roll(id, work);
        // The roll itself is out of the way while replicas start: what is open then says so.
        self.campaigns[id].reached = parts.1;
        for &slot in work.at_work(parts) {
            let starts = self.restart_slot(plan, id, slot, cause, !bad, signals);
            if bad && starts {
                self.slots[slot].version = Version::Doomed(id);
            } else if bad {
                self.break_slot(plan, id, work, slot, signals);
            }
        }
        self.blames
            .turn(&plan.audiences, work.rollout, false, self.now);
        self.spread(plan, Some(cause), signals);
        let up = self.all_started(plan, work.at_work(parts));
        if up > self.now {
            self.later(plan, id, Stage::Return, up);
        } else {
            self.wave_is_up(plan, id, work, signals);
        }
        CampaignStep::Restarts
    }

    fn wave_is_up(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        work: &ReleasePlan,
        signals: &mut Vec<Signal>,
    ) {
        self.undrain_wave(plan, id, work, signals);
        let now = &self.campaigns[id];
        if (now.parts.1 as usize) < work.slots.len() {
            self.later(plan, id, Stage::Begin, self.now + work.rolls.1);
        } else if now.bad {
            self.later(plan, id, Stage::Wait, SimTime::NEVER);
        } else {
            self.over(plan, id);
        }
    }

    fn undrain_wave(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        work: &ReleasePlan,
        signals: &mut Vec<Signal>,
    ) {
        let parts = self.campaigns[id].parts;
        self.campaigns[id].shown = parts;
        if work.drain.is_some() {
            let cause = self.cause_of_roll(id, work);
            for &slot in work.at_work(parts) {
                self.set_drained(plan, slot, false, cause, signals);
            }
        }
    }

    /// Somebody notices: the roll stops, and the first of what it reached goes back. One step, for a
    /// change of blame alone would part the requests in progress from what happens to them.
    fn notice_release(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        work: &ReleasePlan,
        signals: &mut Vec<Signal>,
    ) -> (Step, ClockId) {
        self.noticed(plan, id, work.unit);
        if matches!(self.campaigns[id].stage, Stage::Stop | Stage::Return) {
            self.undrain_wave(plan, id, work, signals);
        }
        self.campaigns[id].parts = (0, 0);
        let step = self.roll_back(plan, id, work, signals);
        ((step, self.campaigns[id].shown), work.release)
    }

    fn roll_back(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        work: &ReleasePlan,
        signals: &mut Vec<Signal>,
    ) -> CampaignStep {
        let now = &mut self.campaigns[id];
        let first = now.parts.1;
        now.parts = (first, now.reached.min(first + work.back.0));
        now.shown = now.parts;
        let (parts, last) = (now.parts, now.parts.1 == now.reached);
        for &slot in work.at_work(parts) {
            if self.slots[slot].version == Version::Broken(id) {
                self.slots[slot].blocked -= 1;
            }
            self.slots[slot].version = Version::Good;
            self.restart_slot(plan, id, slot, work.release, true, signals);
        }
        if last {
            self.blames
                .turn(&plan.audiences, work.release, false, self.now);
        }
        self.spread(plan, Some(work.release), signals);
        let up = self.all_started(plan, work.at_work(parts));
        match (last, up > self.now) {
            (true, true) => self.later(plan, id, Stage::End, up),
            (true, false) => self.over(plan, id),
            (false, _) => self.later(plan, id, Stage::Back, up + work.back.1),
        }
        CampaignStep::RollsBack
    }

    /// `slot` restarts, unless a fault keeps it down: it then starts when that is over. Says whether it
    /// is starting now.
    fn restart_slot(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        slot: SlotId,
        cause: ClockId,
        comes_back: bool,
        signals: &mut Vec<Signal>,
    ) -> bool {
        let (known, state) = (&plan.slots[slot], &mut self.slots[slot]);
        if !state.starting && !state.stops.may_run() {
            return false;
        }
        let starts = known.start_timer != NONE;
        if known.restart != NONE {
            self.note_end(plan, slot, false);
        }
        let (known, state) = (&plan.slots[slot], &mut self.slots[slot]);
        if starts {
            if !std::mem::replace(&mut state.starting, true) {
                state.stops.change(Stop::Process, true);
            }
            let takes = known.starts.draw(&mut self.campaigns[id].draws);
            if state.stops.is_paused() {
                state.start_left = takes;
            } else {
                self.agenda.set(known.start_timer, self.now + takes);
            }
            let next = Some((cause, After::Unready));
            self.blames
                .change(&plan.audiences, known.unit, &mut state.condition, next);
        } else if let before @ (SlotState::Serving | SlotState::Paused) = self.regime.slots[slot]
            && comes_back
        {
            // Gone and back at once: all that is lost is what was in progress.
            for state in [SlotState::Refusing, before] {
                signals.push(Signal::Slot { slot, state });
            }
        }
        self.find_state(slot, Some(cause), signals);
        starts
    }

    /// A replica has the bad version.
    fn break_slot(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        work: &ReleasePlan,
        slot: SlotId,
        signals: &mut Vec<Signal>,
    ) {
        let state = &mut self.slots[slot];
        state.version = Version::Broken(id);
        state.blocked += 1;
        state.root = Some(work.release);
        self.find_state(slot, Some(work.release), signals);
        self.begins_to_hurt(plan, id, work.release, work.unit);
    }

    /// A replica has started, into the bad version of campaign `id`.
    pub(in crate::control) fn start_broken(
        &mut self,
        plan: &Plan,
        slot: SlotId,
        id: CampaignId,
        signals: &mut Vec<Signal>,
    ) -> Option<(Event, Option<ClockId>)> {
        let super::WorkPlan::Release(work) = &plan.campaigns[id].work else {
            return None;
        };
        if self.slots[slot].version == Version::Doomed(id) {
            self.break_slot(plan, id, work, slot, signals);
        } else {
            // It had it before, and was stopped by a fault.
            self.find_state(slot, Some(work.release), signals);
        }
        self.spread(plan, Some(work.release), signals);
        let part = plan.slots[slot].index;
        let event = Event::Campaign {
            campaign: id,
            step: CampaignStep::Breaks,
            parts: (part, part + 1),
        };
        Some((event, Some(work.release)))
    }
}
