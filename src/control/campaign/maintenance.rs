//! Maintenance: each part is drained, stopped for a while, started, and gets requests again; all at
//! once, or one when the one before is back.

use super::{Stage, State, Step};
use crate::control::plan::{Delay, Plan};
use crate::ids::{CampaignId, ClockId, Id};
use crate::path::{CampaignStep, Signal};
use crate::time::{SimSpan, SimTime};

/// See [`crate::model::Maintenance`].
#[derive(Clone, Debug)]
pub(super) struct MaintenancePlan {
    pub(super) clocks: Vec<ClockId>,
    pub(super) lasts: Delay,
    pub(super) drain: Option<SimSpan>,
    pub(super) one_by_one: Option<SimSpan>,
}

impl MaintenancePlan {
    /// The parts that follow those before `first`.
    fn wave(&self, first: u32) -> (u32, u32) {
        let all = self.clocks.len() as u32;
        let end = if self.one_by_one.is_some() {
            first + 1
        } else {
            all
        };
        (first, end)
    }

    fn at_work(&self, (first, end): (u32, u32)) -> &[ClockId] {
        &self.clocks[first as usize..end as usize]
    }
}

impl State {
    pub(super) fn maintain(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        work: &MaintenancePlan,
        signals: &mut Vec<Signal>,
    ) -> (Step, ClockId) {
        let now = &mut self.campaigns[id];
        if now.stage == Stage::Begin {
            now.parts = work.wave(now.parts.1);
        }
        let parts = now.parts;
        let clocks = work.at_work(parts);
        let step = match now.stage {
            Stage::Begin => match work.drain {
                Some(drain) => {
                    self.drain_parts(plan, clocks, signals);
                    self.later(plan, id, Stage::Stop, self.now + drain);
                    CampaignStep::Drains
                }
                None => self.stop_parts(plan, id, work, signals),
            },
            Stage::Stop => self.stop_parts(plan, id, work, signals),
            Stage::End => {
                self.turn_parts(plan, clocks, false, signals);
                let started = clocks
                    .iter()
                    .map(|clock| self.all_started(plan, plan.affected.of(clock.index())));
                let back = started.max().unwrap_or(self.now);
                if work.drain.is_some() && back > self.now {
                    self.later(plan, id, Stage::Return, back);
                } else {
                    self.return_parts(plan, id, work, back, signals);
                }
                CampaignStep::Ends
            }
            Stage::Return | Stage::Reach | Stage::Wait | Stage::Back => {
                self.return_parts(plan, id, work, self.now, signals);
                CampaignStep::Returns
            }
        };
        ((step, parts), clocks[0])
    }

    fn drain_parts(&mut self, plan: &Plan, clocks: &[ClockId], signals: &mut Vec<Signal>) {
        for &clock in clocks {
            // What is lost for want of these parts is already due to the work.
            self.blames.turn(&plan.audiences, clock, true, self.now);
            for &slot in plan.affected.of(clock.index()) {
                self.set_drained(plan, slot, true, clock, signals);
            }
        }
    }

    fn stop_parts(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        work: &MaintenancePlan,
        signals: &mut Vec<Signal>,
    ) -> CampaignStep {
        let clocks = work.at_work(self.campaigns[id].parts);
        self.turn_parts(plan, clocks, true, signals);
        let lasts = work.lasts.draw(&mut self.campaigns[id].draws);
        self.later(plan, id, Stage::End, self.now + lasts);
        CampaignStep::Stops
    }

    /// The work begins or ends. All slots have their final state before anybody looks.
    fn turn_parts(
        &mut self,
        plan: &Plan,
        clocks: &[ClockId],
        begins: bool,
        signals: &mut Vec<Signal>,
    ) {
        for &clock in clocks {
            self.blames.turn(&plan.audiences, clock, begins, self.now);
            self.apply(plan, clock, clock, begins, signals);
        }
        self.spread(plan, Some(clocks[0]), signals);
        if plan.operated.is_any() {
            for &clock in clocks {
                self.stop_operated(plan, clock, begins, true);
            }
        }
    }

    /// The parts, which serve again at `back`, get requests again; then it is the turn of the next, if
    /// there are any.
    fn return_parts(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        work: &MaintenancePlan,
        back: SimTime,
        signals: &mut Vec<Signal>,
    ) {
        let parts = self.campaigns[id].parts;
        if work.drain.is_some() {
            for &clock in work.at_work(parts) {
                for &slot in plan.affected.of(clock.index()) {
                    self.set_drained(plan, slot, false, clock, signals);
                }
            }
        }
        match work.one_by_one {
            Some(pause) if (parts.1 as usize) < work.clocks.len() => {
                self.later(plan, id, Stage::Begin, back + pause);
            }
            _ => self.over(plan, id),
        }
    }
}
