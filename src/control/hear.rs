//! What traffic tells of probes: overload makes members fail them that no fault has touched.

use super::plan::Plan;
use super::state::State;
use crate::ids::SlotId;
use crate::path::{ProbeNews, ProbeState, Signal};
use crate::time::SimTime;

impl State {
    /// Takes in what became of a probe, not before now and not after what is due next.
    pub(super) fn hear(&mut self, plan: &Plan, news: ProbeNews, signals: &mut Vec<Signal>) {
        debug_assert!(self.now <= news.at && news.at <= self.agenda.next_time());
        self.now = news.at;
        self.remarks.clear();
        self.recoveries.clear();
        let Some(index) = self.watch_of(plan, news.instance, news.member) else {
            return;
        };
        let known = &plan.watches[index];
        let matters = self.matters(known.instance, known.member);
        let watch = &mut self.watches[index];
        let was_up = watch.watch.is_up(&known.pace);
        let (pace, draws) = (&known.pace, &mut watch.draws);
        let ended = (news.started, news.probe == ProbeState::Passed);
        let due = match news.probe {
            ProbeState::Waits => watch.watch.waits(pace, news.started, || draws.uniform()),
            ProbeState::Passed | ProbeState::Failed => {
                watch.watch.told(pace, ended, || draws.uniform())
            }
        };
        self.agenda.set(known.timer, due.unwrap_or(SimTime::NEVER));
        let up = watch.watch.is_up(pace);
        if up == was_up {
            return;
        }
        if !up {
            // No fault is behind it: it is the load.
            watch.root = None;
        }
        watch.weigh(plan, known, matters, &mut self.blames);
        let shown = up && self.slots[known.member].drains == 0;
        self.show(known.instance, known.member_index, shown, signals);
        self.conclude(plan, None, signals);
    }

    /// The watch of an instance that probes, on a member of its balancer's pool.
    fn watch_of(&self, plan: &Plan, instance: SlotId, member: u32) -> Option<usize> {
        let (first, end) = plan.slots[instance].watches;
        let index = first + member;
        (self.slots[instance].probing && index < end).then_some(index as usize)
    }

    /// When an instance starts its next probe of a member, or started one on the same grid; `None` while it
    /// does not probe.
    pub(super) fn probe_start(
        &self,
        plan: &Plan,
        instance: SlotId,
        member: u32,
    ) -> Option<SimTime> {
        let index = self.watch_of(plan, instance, member)?;
        Some(self.watches[index].watch.next_start())
    }

    /// Whether no member that workers answer for fails probes for want of them, or has just done so.
    pub(super) fn probes_are_calm(&self, plan: &Plan, at: SimTime) -> bool {
        plan.watches
            .iter()
            .zip(&self.watches)
            .filter(|(known, _)| known.by_workers && self.slots[known.instance].probing)
            .all(|(known, now)| now.watch.is_calm(&known.pace, at))
    }
}
