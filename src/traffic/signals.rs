//! What a change of the control state does to the work in progress.
//!
//! Nobody is called back from here: a caller whose attempt was cut off hears of it by an event at the
//! same instant. So it reacts to the state after all changes of that instant, and does not flee from
//! one replica of a failed zone to the next.

use super::call::Gone;
use super::frames::{Kind, NONE, State, Wait};
use super::plan::Plan;
use super::stretch::{PAUSE, Stretch};
use crate::ids::{Id, SlotId};
use crate::path::{Signal, SlotState};
use crate::time::SimTime;

impl<'a> Stretch<'a> {
    pub(super) fn apply(&mut self, plan: &Plan<'a>, at: SimTime, signal: Signal) {
        debug_assert!(at >= self.now, "time never moves backward");
        if self.islands_moved && at > self.now {
            self.cut_unreachable(plan);
        }
        self.now = self.now.max(at);
        let (slots, impairments) = (&self.regime.slots, &self.regime.impairments);
        let before = match signal {
            Signal::Slot { slot, .. } | Signal::Impaired { slot, .. } => {
                Some((slots[slot], impairments[slot]))
            }
            Signal::Island { .. }
            | Signal::Link { .. }
            | Signal::LocalHolder { .. }
            | Signal::View { .. }
            | Signal::Holder { .. }
            | Signal::Leader { .. }
            | Signal::Burst { .. }
            | Signal::Blame { .. } => None,
        };
        self.regime.apply(signal);
        match signal {
            Signal::Slot { slot, state } => {
                self.look_at_regime();
                let before = before.map_or(state, |before| before.0);
                self.pace_shares(slot);
                if (before == SlotState::Standby) != (state == SlotState::Standby) {
                    self.set_members(plan, slot);
                }
                self.refill(plan, slot, before, state);
                match plan.relay_of[slot] {
                    Some(relay) => {
                        if state == SlotState::Serving && before != SlotState::Paused {
                            self.relays[relay as usize].starts(at);
                        }
                        self.change_relay(plan, relay, before, state);
                    }
                    None => self.change_slot(plan, slot, before, state),
                }
                if !self.probers.is_empty() {
                    self.drop_probes(plan, slot);
                }
            }
            Signal::Impaired { slot, impairment } => {
                self.look_at_regime();
                let before = before.map_or(impairment, |before| before.1);
                self.pace_shares(slot);
                self.rescale(slot, impairment.factor / before.factor);
            }
            Signal::Island { .. } | Signal::Link { .. } => {
                self.look_at_regime();
                self.islands_moved = true;
            }
            Signal::View {
                instance,
                member,
                up,
            } => {
                if let Some(relay) = plan.relay_of[instance] {
                    let slot = plan.member(relay, member);
                    let stands_by = self.regime.slots[slot] == SlotState::Standby;
                    self.relays[relay as usize].notice(member, up && !stands_by, at);
                }
            }
            Signal::Blame { journey, blame } => {
                let first_bad = self.slices.first_bad();
                self.blames.set(journey, blame, at, first_bad);
            }
            Signal::Burst { workload, active } => self.arrivals.burst(workload, active, at),
            Signal::Holder { .. } | Signal::LocalHolder { .. } | Signal::Leader { .. } => {}
        }
    }

    /// Balancers send nothing to `slot` while it stands by, whatever their probes say.
    pub(super) fn set_members(&mut self, plan: &Plan<'a>, slot: SlotId) {
        let stands_by = self.regime.slots[slot] == SlotState::Standby;
        let member = plan.system.slots[slot].index;
        for (relay, &(balancer, instance)) in self.relays.iter_mut().zip(&plan.relays) {
            if plan.pool_of(slot) == Some(plan.system.balancers[balancer].to) {
                let up = self.regime.views[instance][member as usize];
                relay.set(member, up && !stands_by);
            }
        }
    }

    /// Finds attempts, in the order in which they queued or were taken up.
    pub(super) fn find(
        &mut self,
        wanted: impl Fn(&super::frames::Frame) -> bool,
    ) -> Vec<(SimTime, u32)> {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let cells = self.frames.cells().iter().zip(0..);
        found.extend(
            cells
                .filter(|(frame, _)| wanted(frame))
                .map(|(frame, i)| (frame.since, i)),
        );
        found.sort_unstable();
        found
    }

    /// A slot of a pool stops: everything queued or served there is gone. A process that hangs keeps
    /// its connections until it is restarted.
    pub(super) fn stop_slot(&mut self, plan: &Plan<'a>, slot: SlotId, state: SlotState) {
        let row = slot.index() as u32;
        let hangs = state == SlotState::Hung;
        self.settle_shares(slot);
        let found = self.find(|frame| frame.slot == row && frame.is_at_slot());
        for &(since, index) in &found {
            let frame = &mut self.frames[index];
            let (was, counted) = (frame.state, frame.counted);
            frame.state = if hangs { State::Hung } else { State::Lost };
            frame.due = 0;
            frame.held = false;
            if was != State::Queued {
                let busy = self.now.since(since);
                let pool = plan.operation(frame.what).pool;
                self.count(pool, counted, |tally| {
                    tally.busy_ns += u128::from(busy.as_nanos())
                });
            }
            if was == State::Calling {
                self.give_up_call(plan, index, Gone::Stopped);
            }
        }
        let station = &mut self.stations[slot];
        (station.busy, station.waiting) = (0, 0);
        (station.first, station.last) = (NONE, NONE);
        self.empty_discipline(plan, slot);
        for &(_, index) in &found {
            let frame = &self.frames[index];
            // One that was called by another of them may have been dropped with its caller.
            if frame.kind != Kind::Attempt {
                continue;
            }
            if frame.parent == NONE {
                self.drop_attempt(index);
            } else if state == SlotState::Refusing {
                self.reset_at_slot(plan, index);
            }
        }
        self.found = found;
    }

    /// The slot of an attempt closes its connection, and whoever holds the other end learns of it.
    pub(super) fn reset_at_slot(&mut self, plan: &Plan<'a>, index: u32) {
        let frame = &self.frames[index];
        if frame.cut_front || frame.cut_back || (self.impaired && self.fail_back(index)) {
            return;
        }
        self.reset(plan, index, true);
    }

    /// An instance of a balancer stops: the attempts through it lose their way back. What reached a
    /// member is worked on there.
    pub(super) fn stop_relay(&mut self, plan: &Plan<'a>, relay: u32, state: SlotState) {
        let found = self.find(|frame| {
            frame.kind == Kind::Attempt && frame.relay == relay && frame.state != State::Linking
        });
        for &(_, index) in &found {
            let frame = &mut self.frames[index];
            // The tables of the instance end with its process.
            frame.connected = false;
            if frame.state == State::Held {
                (frame.state, frame.due) = (State::Lost, 0);
            }
            if frame.parent == NONE || frame.cut_front {
                continue;
            }
            if state == SlotState::Refusing {
                self.reset(plan, index, false);
            } else {
                frame.cut_front = true;
            }
        }
        self.found = found;
        self.relays[relay as usize].restart();
        for &slot in &plan.standing_by {
            if self.regime.slots[slot] == SlotState::Standby {
                self.set_members(plan, slot);
            }
        }
    }

    /// An attempt is cut off, by its slot or its instance, in a way that its caller notices: at once, or
    /// as soon as the network brings it.
    fn reset(&mut self, plan: &Plan<'a>, index: u32, by_slot: bool) {
        let caller = self.frames[index].parent;
        let Some(notices_in) = self.notices_in(plan, index, by_slot) else {
            self.frames[index].cut_front = true;
            return;
        };
        self.end_failed(plan, index);
        let (pool, counted) = self.part(plan, index);
        self.count(pool, counted, |tally| tally.attempts_reset += 1);
        self.close(plan, index);
        let due = self.agenda.push(self.now + notices_in, PAUSE, caller);
        let frame = &mut self.frames[caller];
        frame.wait = Wait::Reset;
        frame.due = due;
    }

    /// Islands have moved: attempts whose caller, balancer instance and slot no longer reach each
    /// other will never be answered.
    #[cold]
    pub(super) fn cut_unreachable(&mut self, plan: &Plan<'a>) {
        self.islands_moved = false;
        for index in 0..self.frames.cells().len() as u32 {
            let frame = &self.frames[index];
            // What is linking finds out when it has a connection.
            let linking = frame.state == State::Linking;
            if frame.kind != Kind::Attempt || frame.parent == NONE || linking {
                continue;
            }
            let from = self.frames[frame.parent].at();
            let relay = (frame.relay != NONE).then(|| self.relays[frame.relay as usize].slot);
            let reaches = |from: Option<SlotId>, to: Option<SlotId>| {
                to.is_none_or(|to| self.regime.reaches(from, to))
            };
            let front = !reaches(from, relay.or(frame.at()));
            let back = relay.is_some() && !reaches(relay, frame.at());
            let frame = &mut self.frames[index];
            frame.cut_front |= front;
            frame.cut_back |= back;
        }
        self.take_all_messages(plan);
    }
}
