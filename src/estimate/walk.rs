//! The quiet time of a history, by its control alone: where windows would lie, and what is between them.

use super::group::GroupRunner;
use super::windows::{felt_for, visible};
use crate::model::System;
use crate::path::{KeyMaker, Regime};
use crate::time::SimTime;

impl GroupRunner<'_> {
    /// Follows control through one history by the same rules as [`GroupRunner::windows`], without traffic.
    /// `visit` is handed each stretch of quiet time with what `note` made of its regime; with `by_blame` a
    /// change of blame begins another stretch. Returns the seconds that lie in windows; afterwards
    /// `self.spells` knows when the structure could not serve.
    pub(super) fn quiet_time<T>(
        &mut self,
        replication: u64,
        by_blame: bool,
        note: impl Fn(&System, &mut KeyMaker, &Regime) -> T,
        mut visit: impl FnMut(&T, SimTime, SimTime),
    ) -> f64 {
        let (plan, windows) = (self.plan, self.plan.windows);
        let lead = windows.look_back.saturating_add(windows.warm_up);
        let half_slice = plan.traffic.slice.mul_f64(0.5);
        self.control.restart(plan.seed, replication);
        self.step_to(plan.from);
        self.spells.begin(plan.from, self.control.structure());
        let (mut from, mut windows_s) = (plan.from, 0.0);
        let mut noted = note(self.system, &mut self.keys, self.control.regime());
        let mut quiet = |noted: &T, from: SimTime, to: SimTime| {
            if from < to {
                visit(noted, from, to);
            }
        };
        while self.control.next_time() < plan.to {
            let at = self.control.next_time();
            self.signals.clear();
            self.step_watched();
            if !visible(&self.signals) {
                if by_blame && !self.signals.is_empty() {
                    let near = plan.slice_start(at + half_slice);
                    let free = self.control.next_time().before(windows.look_back) >= near;
                    let border = if free { near } else { plan.slice_start(at) }.max(from);
                    quiet(&noted, from, border);
                    from = border;
                    noted = note(self.system, &mut self.keys, self.control.regime());
                }
                continue;
            }
            let open = plan.slice_start(at.before(windows.look_back)).max(from);
            quiet(&noted, from, open);
            let felt = felt_for((self.system, plan), &self.signals);
            let mut end = plan.slice_end(at + felt).min(plan.to);
            loop {
                let next = self.control.next_time();
                if next >= plan.to || plan.slice_start(next.before(lead)) > end {
                    break;
                }
                self.signals.clear();
                self.step_watched();
                let feels = if visible(&self.signals) {
                    next + felt_for((self.system, plan), &self.signals)
                } else {
                    next
                };
                end = end.max(plan.slice_end(feels).min(plan.to));
            }
            windows_s += end.since(open).as_secs_f64();
            from = end;
            noted = note(self.system, &mut self.keys, self.control.regime());
        }
        quiet(&noted, from, plan.to);
        self.spells.end(plan.to);
        windows_s
    }

    fn step_watched(&mut self) {
        let at = self.control.step(&mut self.signals).at;
        self.spells.observe(at, self.control.structure());
    }
}
