//! Changes without a restart that turn out to be bad: a configuration that reaches one replica after the
//! other, and is taken back in the same way; a certificate that expires on all of them at once.
//!
//! Those that turn out well change nothing, so they are passed over without an event.

use super::{Stage, State, Step};
use crate::control::plan::{Delay, Plan};
use crate::ids::{CampaignId, ClockId, SlotId};
use crate::path::{CampaignStep, Signal};
use crate::time::{SimSpan, SimTime};

/// See [`crate::model::Change`].
#[derive(Clone, Debug)]
pub(super) struct ChangePlan {
    pub(super) clock: ClockId,
    pub(super) slots: Vec<SlotId>,
    pub(super) unit: u32,
    pub(super) bad: f64,
    pub(super) noticed: Delay,
    pub(super) spreads: Delay,
    pub(super) reverts: Delay,
    pub(super) at_once: bool,
    pub(super) renews: bool,
}

impl ChangePlan {
    /// When part `part` of `count` is reached by something that begins at `from` and takes `span`.
    fn due(&self, from: SimTime, span: SimSpan, part: u32, count: u32) -> SimTime {
        if self.at_once {
            from + span
        } else {
            from + span.mul_f64(f64::from(part + 1) / f64::from(count))
        }
    }
}

impl State {
    pub(super) fn change(
        &mut self,
        plan: &Plan,
        id: CampaignId,
        work: &ChangePlan,
        signals: &mut Vec<Signal>,
    ) -> (Step, ClockId) {
        let now = &mut self.campaigns[id];
        if now.noticed_at <= self.now {
            let reached = now.reached;
            now.parts = (0, 0);
            (now.since, now.span) = (self.now, work.reverts.draw(&mut now.draws));
            let due = work.due(now.since, now.span, 0, reached);
            self.noticed(plan, id, work.unit);
            self.later(plan, id, Stage::Back, due);
            if due > self.now {
                return ((CampaignStep::Noticed, (0, reached)), work.clock);
            }
        }
        let all = work.slots.len() as u32;
        let now = &mut self.campaigns[id];
        if now.stage == Stage::Begin {
            now.notice = work.noticed.draw(&mut now.draws);
            (now.since, now.span) = (self.now, work.spreads.draw(&mut now.draws));
            let due = work.due(now.since, now.span, 0, all);
            if due > self.now {
                self.later(plan, id, Stage::Reach, due);
                return ((CampaignStep::Begins, (0, all)), work.clock);
            }
        }
        let back = self.campaigns[id].stage == Stage::Back;
        let now = &mut self.campaigns[id];
        let count = if back { now.reached } else { all };
        let (since, span, first) = (now.since, now.span, now.parts.1);
        let mut end = first;
        while end < count && work.due(since, span, end, count) <= self.now {
            end += 1;
        }
        now.parts = (first, end);
        for &slot in &work.slots[first as usize..end as usize] {
            let state = &mut self.slots[slot];
            state.blocked = if back {
                state.blocked - 1
            } else {
                state.blocked + 1
            };
            self.find_state(slot, Some(work.clock), signals);
        }
        self.spread(plan, Some(work.clock), signals);
        let next = if end < count {
            work.due(since, span, end, count)
        } else {
            SimTime::NEVER
        };
        let step = if !back {
            self.campaigns[id].reached = end;
            self.begins_to_hurt(plan, id, work.clock, work.unit);
            let stage = if end < count {
                Stage::Reach
            } else {
                Stage::Wait
            };
            self.later(plan, id, stage, next);
            CampaignStep::Reaches
        } else if end < count {
            self.later(plan, id, Stage::Back, next);
            CampaignStep::Reverts
        } else {
            self.blames
                .turn(&plan.audiences, work.clock, false, self.now);
            if work.renews {
                // The new certificate is valid from now on.
                self.campaigns[id].scheduled = self.now;
            }
            self.over(plan, id);
            CampaignStep::Reverts
        };
        ((step, (first, end)), work.clock)
    }
}
