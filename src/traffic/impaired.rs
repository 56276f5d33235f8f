//! Slots and balancer instances that hang, are paused, are slow or answer with errors.
//!
//! All of it is kept off the way of requests in a healthy system: that looks at one flag, set if
//! [`is_impaired`] or if the network takes time (`travel.rs`), and comes here only then.
//!
//! Of work in progress at a paused slot, what is left is kept in `call_from`, which an attempt needs
//! only when its own work is done. A frame whose slot is paused and to which something happens is
//! *held*: `wait` says what it will hear.

use super::attempt::{Target, nanos};
use super::call::{Gone, Next};
use super::frames::{Frame, Kind, NONE, State, Wait, error_bits, relay_error_bits, uniform};
use super::plan::Plan;
use super::stretch::{PAUSE, Stretch, WORK};
use crate::ids::{Id, SlotId};
use crate::model::Discipline;
use crate::path::{Regime, SlotState};
use crate::time::{SimSpan, SimTime};

/// Whether any slot hangs, is paused, is slow or answers with errors.
pub(super) fn is_impaired(regime: &Regime) -> bool {
    let stuck = |&state: &SlotState| matches!(state, SlotState::Hung | SlotState::Paused);
    regime.slots.iter().any(stuck) || regime.impairments.iter().any(|one| one.is_any())
}

impl<'a> Stretch<'a> {
    /// A slot of a pool has changed.
    pub(super) fn change_slot(
        &mut self,
        plan: &Plan<'a>,
        slot: SlotId,
        before: SlotState,
        after: SlotState,
    ) {
        use SlotState::{Hung, Paused, Refusing, Serving, Silent, Standby};
        if !matches!(after, Serving | Paused) {
            self.break_links(plan, slot);
            if !self.brokers.is_empty() {
                self.stop_broker(plan, slot);
            }
        }
        match (before, after) {
            (Serving | Paused, Refusing | Silent | Hung) | (Serving, Standby) => {
                self.stop_slot(plan, slot, after)
            }
            (Serving, Paused) => self.pause_slot(slot),
            (Paused, Serving) => self.resume_slot(plan, slot),
            // Another serves in its stead: it closes the connections that it finds.
            (Paused, Standby) => self.stop_slot(plan, slot, Refusing),
            (Hung, Serving | Paused | Refusing | Silent | Standby) => {
                self.end_hang(plan, slot, after)
            }
            (Refusing | Silent | Standby, _)
            | (Serving, Serving)
            | (Paused, Paused)
            | (Hung, Hung) => {}
        }
        if after == Serving && !self.brokers.is_empty() {
            self.take_messages(plan, slot);
        }
    }

    /// An instance of a balancer has changed.
    pub(super) fn change_relay(
        &mut self,
        plan: &Plan<'a>,
        relay: u32,
        before: SlotState,
        after: SlotState,
    ) {
        use SlotState::{Hung, Paused, Refusing, Serving, Silent, Standby};
        if !matches!(after, Serving | Paused) {
            self.break_links(plan, self.relays[relay as usize].slot);
        }
        match (before, after) {
            (Serving | Paused, Refusing | Silent) => self.stop_relay(plan, relay, after),
            (Hung, Silent) => self.stop_relay(plan, relay, Silent),
            (Hung, Serving | Paused | Refusing | Standby) => self.stop_relay(plan, relay, Refusing),
            (Paused, Serving) => self.resume_relay(relay),
            (Paused, Hung) => self.lose_held(relay),
            // Balancers have no standbys.
            (Refusing | Silent | Standby, _)
            | (Serving, _)
            | (Paused, Paused | Standby)
            | (Hung, Hung) => {}
        }
    }

    /// Keeps what is left of the work in progress at `slot`.
    fn pause_slot(&mut self, slot: SlotId) {
        if self.shares(slot) {
            return;
        }
        let row = slot.index() as u32;
        for entry in self.agenda.entries() {
            let frame = &mut self.frames[entry.payload];
            if frame.due == entry.ticket && frame.slot == row && frame.state == State::Working {
                frame.due = 0;
                frame.call_from = SimTime::from_nanos(entry.at.since(self.now).as_nanos());
            }
        }
    }

    /// Work goes on, what has happened is heard of, and free workers take from the queue.
    fn resume_slot(&mut self, plan: &Plan<'a>, slot: SlotId) {
        let row = slot.index() as u32;
        let shares = self.shares(slot);
        let found = self.find(|frame| {
            let paused = !shares && frame.state == State::Working && frame.due == 0;
            frame.slot == row && (frame.held || paused)
        });
        for &(_, index) in &found {
            let frame = &self.frames[index];
            if frame.held && frame.wait == Wait::Worker {
                // It has waited too long, and hears of it before any worker takes it.
                self.dequeue(plan, index);
                self.frames[index].state = State::Lost;
            }
            let frame = &mut self.frames[index];
            let (after, class) = if frame.held {
                (0, PAUSE)
            } else {
                (frame.call_from.as_nanos(), WORK)
            };
            frame.held = false;
            let at = SimTime::from_nanos(self.now.as_nanos().saturating_add(after));
            frame.due = self.agenda.push(at, class, index);
        }
        self.found = found;
        self.resume_links(slot);
        loop {
            let station = &mut self.stations[slot];
            if station.first == NONE || station.busy >= station.workers {
                return;
            }
            station.busy += 1;
            self.free_worker(plan, slot);
        }
    }

    /// The process of a slot that hung is gone: its connections are reset, or lost with the machine.
    fn end_hang(&mut self, plan: &Plan<'a>, slot: SlotId, after: SlotState) {
        let row = slot.index() as u32;
        let found = self.find(|frame| frame.slot == row && frame.state == State::Hung);
        for &(_, index) in &found {
            self.frames[index].state = State::Lost;
            if after != SlotState::Silent {
                self.reset_at_slot(plan, index);
            }
        }
        self.found = found;
    }

    /// An instance of a balancer goes on: what it holds is on its way again.
    fn resume_relay(&mut self, relay: u32) {
        let found = self.find(|frame| frame.relay == relay && frame.state == State::Held);
        for &(_, index) in &found {
            self.frames[index].due = self.agenda.push(self.now, PAUSE, index);
        }
        self.found = found;
    }

    /// An instance of a balancer that was paused hangs: what it held will not be answered.
    fn lose_held(&mut self, relay: u32) {
        let found = self.find(|frame| frame.relay == relay && frame.state == State::Held);
        for &(_, index) in &found {
            let frame = &mut self.frames[index];
            (frame.state, frame.due) = (State::Lost, 0);
        }
        self.found = found;
    }

    /// What is left of the work in progress at `slot` takes `factor` times as long.
    pub(super) fn rescale(&mut self, slot: SlotId, factor: f64) {
        if factor == 1.0 || self.shares(slot) {
            return;
        }
        let row = slot.index() as u32;
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        for entry in self.agenda.entries() {
            let frame = &self.frames[entry.payload];
            if frame.due == entry.ticket && frame.slot == row && frame.state == State::Working {
                found.push((entry.at, entry.payload));
            }
        }
        found.sort_unstable();
        for &(at, index) in &found {
            let at = self.now + at.since(self.now).mul_f64(factor);
            self.frames[index].due = self.agenda.push(at, WORK, index);
        }
        if self.regime.slots[slot] == SlotState::Paused {
            let paused = self.find_paused(row, found);
            for &(left, index) in &paused {
                let left = left.since(SimTime::EPOCH).mul_f64(factor);
                self.frames[index].call_from = SimTime::EPOCH + left;
            }
            found = paused;
        }
        self.found = found;
    }

    /// Work in progress at a slot that is paused, with what is left of it.
    fn find_paused(&self, row: u32, mut found: Vec<(SimTime, u32)>) -> Vec<(SimTime, u32)> {
        found.clear();
        let cells = self.frames.cells().iter().zip(0..);
        let paused = cells.filter(|(frame, _)| frame.slot == row && frame.state == State::Working);
        found.extend(paused.map(|(frame, index)| (frame.call_from, index)));
        found
    }

    /// Whether requests share the workers of `slot`.
    fn shares(&self, slot: SlotId) -> bool {
        self.stations[slot].discipline == Discipline::ProcessorSharing
    }

    /// The deadline of what a leg does is over at a slot that is paused: whether it is, and the leg
    /// hears of it afterwards. What it waits for works on, for nobody closes the connection.
    #[cold]
    pub(super) fn expire_unseen(&mut self, plan: &Plan<'a>, leg: u32) -> bool {
        let slot = self.frames[leg].at();
        if slot.is_none_or(|slot| self.regime.slots[slot] != SlotState::Paused) {
            return false;
        }
        let over = |frame: &Frame| frame.held && frame.wait == Wait::Expired;
        if !over(&self.frames[leg]) {
            self.give_up_call(plan, leg, Gone::Unseen);
        }
        self.hold(leg, Wait::Expired)
    }

    /// Whether a slot that hangs or is paused has room for one more connection.
    #[cold]
    pub(super) fn stuck_accepts(&self, slot: SlotId) -> bool {
        let station = &self.stations[slot];
        self.regime.slots[slot] == SlotState::Hung
            || self.share_accepts(slot)
            || station.busy + station.waiting < station.workers.saturating_add(station.queue)
    }

    /// An attempt waits at a slot that hangs or is paused.
    #[cold]
    pub(super) fn wait_at_stuck(&mut self, plan: &Plan<'a>, slot: SlotId, index: u32, key: u64) {
        let frame = &mut self.frames[index];
        frame.slot = slot.index() as u32;
        frame.since = self.now;
        if self.regime.slots[slot] == SlotState::Hung {
            frame.state = State::Hung;
        } else if self.shares(slot) {
            let frame = &self.frames[index];
            let counted = frame.counted;
            let operation = plan.operation(frame.what);
            self.count(operation.pool, counted, |tally| tally.served += 1);
            self.begin_share((operation.takes, operation.fails), slot, index);
        } else {
            self.enqueue(plan, slot, index, key);
        }
    }

    /// A worker takes an attempt in an impaired system; the slot serves.
    #[cold]
    pub(super) fn serve_impaired(&mut self, plan: &Plan<'a>, index: u32) {
        self.serve_after(plan, index, SimSpan::ZERO);
    }

    /// The same for what is at the worker only after a time, for which the worker waits.
    pub(super) fn serve_after(&mut self, plan: &Plan<'a>, index: u32, there: SimSpan) {
        let now = self.now;
        let frame = &mut self.frames[index];
        let slot = SlotId::from_index(frame.slot as usize);
        let impairment = self.regime.impairments[slot];
        let fails = uniform(error_bits(&frame.draws)) < impairment.errors;
        frame.since = now;
        frame.state = State::Working;
        let (wait, after) = if fails {
            (Wait::Fault, 0.0)
        } else {
            let operation = plan.operation(frame.what);
            let takes = operation.takes.sample(&mut frame.draws);
            let fails = operation.fails > 0.0 && frame.draws.uniform() < operation.fails;
            let wait = if fails { Wait::Error } else { Wait::Work };
            (wait, takes * impairment.factor)
        };
        frame.wait = wait;
        let at = now + nanos(after).saturating_add(there);
        frame.due = self.agenda.push(at, WORK, index);
    }

    /// Whether the balancer instance in `slot` answers the attempt `key` with an error.
    #[cold]
    pub(super) fn relay_errs(&self, slot: SlotId, key: u64) -> bool {
        uniform(relay_error_bits(key)) < self.regime.impairments[slot].errors
    }

    /// If the slot of `caller` is paused, notes what it will hear afterwards.
    #[cold]
    pub(super) fn hold(&mut self, caller: u32, wait: Wait) -> bool {
        let frame = &mut self.frames[caller];
        let paused = frame.slot != NONE
            && self.regime.slots[SlotId::from_index(frame.slot as usize)] == SlotState::Paused;
        // A leg that is over hears of nothing else.
        if paused && !(frame.held && frame.wait == Wait::Expired) {
            (frame.wait, frame.held, frame.due) = (wait, true, 0);
        }
        paused
    }

    /// The attempt of `caller` has ended: whether its slot is paused and it hears of it afterwards.
    #[cold]
    pub(super) fn hold_end(
        &mut self,
        caller: u32,
        succeeded: bool,
        (degraded, base): (bool, bool),
    ) -> bool {
        let wait = if succeeded { Wait::Answer } else { Wait::Reset };
        let held = self.hold(caller, wait);
        if held {
            let frame = &mut self.frames[caller];
            frame.child = NONE;
            frame.degraded |= degraded;
            frame.base = base && !succeeded;
        }
        held
    }

    /// An attempt has timed out for a caller that is paused: nobody closes the connection, so the
    /// other end works on.
    #[cold]
    pub(super) fn time_out_unseen(&mut self, plan: &Plan<'a>, index: u32) {
        let (pool, counted) = self.part(plan, index);
        self.count(pool, counted, |tally| tally.attempts_timed_out += 1);
        match self.frames[index].state {
            State::Lost | State::Hung | State::Held | State::Linking => self.drop_attempt(index),
            State::Away => self.close_away(index),
            State::Outside | State::Queued | State::Working | State::Calling => {}
        }
    }

    /// What the balancer instance of an attempt does to its way back.
    pub(super) fn way_back(&self, index: u32) -> SlotState {
        match self.frames[index].relay {
            NONE => SlotState::Serving,
            relay => self.regime.slots[self.relays[relay as usize].slot],
        }
    }

    /// An attempt is done with at its slot, and its balancer instance is stuck: whether that was all.
    #[cold]
    pub(super) fn end_behind_stuck(&mut self, plan: &Plan<'a>, index: u32, ok: bool) -> bool {
        let way_back = self.way_back(index);
        let stuck = matches!(way_back, SlotState::Hung | SlotState::Paused);
        let frame = &mut self.frames[index];
        if frame.parent == NONE || frame.cut_front || frame.cut_back {
            return false;
        }
        if !stuck {
            return self.far && self.leave_slot(plan, index, ok);
        }
        let slot = SlotId::from_index(frame.slot as usize);
        frame.due = 0;
        (frame.state, frame.wait) = if way_back == SlotState::Hung {
            (State::Lost, Wait::Work)
        } else {
            let wait = if ok { Wait::Back } else { Wait::BackError };
            (State::Held, wait)
        };
        let (counted, busy) = (frame.counted, self.now.since(frame.since));
        let pool = plan.operation(frame.what).pool;
        self.count(pool, counted, |tally| {
            tally.busy_ns += u128::from(busy.as_nanos())
        });
        self.free_worker(plan, slot);
        true
    }

    /// The slot of an attempt has closed its connection: whether its balancer instance is stuck and
    /// the caller does not hear of it yet.
    #[cold]
    pub(super) fn fail_back(&mut self, index: u32) -> bool {
        let way_back = self.way_back(index);
        let frame = &mut self.frames[index];
        if way_back == SlotState::Paused {
            (frame.state, frame.wait) = (State::Held, Wait::BackError);
            frame.base = false;
        }
        matches!(way_back, SlotState::Hung | SlotState::Paused)
    }

    /// A frame hears of something that is not the end of its work.
    #[cold]
    pub(super) fn due_seldom(&mut self, plan: &Plan<'a>, index: u32, wait: Wait) -> Next {
        match wait {
            Wait::Pause | Wait::Reset | Wait::Answer if self.hold(index, wait) => Next::Idle,
            Wait::Pause => Next::Try(index),
            Wait::Reset => Next::TryFailed(index),
            Wait::Answer => Next::Answered {
                caller: index,
                degraded: false,
            },
            Wait::Work | Wait::Error | Wait::Fault => self.end_attempt(plan, index, false),
            Wait::Worker => self.waited_too_long(plan, index),
            Wait::Channel => self.waited_for_link(plan, index),
            Wait::Linked => self.linked(plan, index),
            Wait::AtRelay
            | Wait::AtSlot
            | Wait::Home
            | Wait::HomeError
            | Wait::HomeRefused
            | Wait::HomeShed => self.arrive_at(plan, index),
            Wait::Redeliver => self.redeliver(plan, index),
            Wait::Share | Wait::ShareError | Wait::ShareFault => self.share_done(plan, index),
            Wait::Expired if self.hold(index, wait) => Next::Idle,
            Wait::Expired => {
                self.frames[index].base = false;
                self.end_leg(plan, index, false)
            }
            // Paused again at the same instant.
            _ if self.way_back(index) == SlotState::Paused => Next::Idle,
            Wait::Enter => self.enter(plan, index),
            Wait::Back => self.bring_back(plan, index, true),
            Wait::BackError => self.bring_back(plan, index, false),
        }
    }

    /// A balancer instance brings back an answer that it held.
    fn bring_back(&mut self, plan: &Plan<'a>, index: u32, ok: bool) -> Next {
        let frame = &mut self.frames[index];
        frame.state = State::Lost;
        if frame.cut_front {
            return Next::Idle;
        }
        if self.far {
            let wait = if ok { Wait::Home } else { Wait::HomeError };
            return self.send_on(plan, index, wait);
        }
        let (degraded, base) = (frame.degraded, frame.base);
        let caller = frame.parent;
        self.tell_answer(plan, index, ok);
        self.unlink(plan, index, true);
        let (pool, counted) = self.part(plan, index);
        self.count(pool, counted, |tally| {
            tally.attempts_answered += u64::from(ok);
            tally.attempts_failed += u64::from(!ok);
        });
        if self.answers.awaited > 0 && ok {
            let frame = &self.frames[index];
            self.note_answer(plan, frame.what, frame.slot);
        }
        self.drop_attempt(index);
        self.hear(caller, ok, (degraded, base))
    }

    /// A balancer instance hands on an attempt that it held.
    fn enter(&mut self, plan: &Plan<'a>, index: u32) -> Next {
        let frame = &self.frames[index];
        debug_assert!(frame.kind == Kind::Attempt && frame.parent != NONE);
        let (caller, relay, key) = (frame.parent, frame.relay, frame.draws.key());
        let call = plan.call(self.frames[caller].position);
        let fresh = self.frames[caller].tried == 0;
        let instance = self.relays[relay as usize].slot;
        if self.far {
            self.frames[index].state = State::Lost;
            return if self.relay_errs(instance, key) {
                self.send_on(plan, index, Wait::HomeRefused)
            } else {
                self.forward(plan, index)
            };
        }
        let target = if self.relay_errs(instance, key) {
            super::attempt::REFUSED
        } else {
            self.through(plan, (caller, fresh), call, relay, key)
        };
        if let Target::Held { .. } = target {
            return Next::Idle;
        }
        self.hand_on(plan, index, target)
    }

    /// An attempt that has a frame already meets its target.
    pub(super) fn hand_on(&mut self, plan: &Plan<'a>, index: u32, target: Target) -> Next {
        let key = self.frames[index].draws.key();
        let (slot, member) = match target {
            Target::Refused { member, .. } => return self.turn_away(plan, index, member, false),
            Target::Held { .. } => return Next::Idle,
            Target::Silence { member, .. } => (None, member),
            Target::Slot { slot, member, .. } => (Some(slot), member),
            Target::Stuck { slot, member, .. } => {
                if !self.stuck_accepts(slot) {
                    return self.turn_away(plan, index, member, true);
                }
                self.connect(index, member);
                self.wait_at_stuck(plan, slot, index, key);
                return Next::Idle;
            }
        };
        let Some(slot) = slot else {
            self.connect(index, member);
            self.frames[index].state = State::Lost;
            return Next::Idle;
        };
        if self.share_accepts(slot) {
            self.connect(index, member);
            self.wait_at_stuck(plan, slot, index, key);
            return Next::Idle;
        }
        let station = &mut self.stations[slot];
        let free = station.busy < station.workers;
        if !free && station.waiting >= station.queue {
            return self.turn_away(plan, index, member, true);
        }
        station.busy += u32::from(free);
        self.connect(index, member);
        let frame = &mut self.frames[index];
        (frame.slot, frame.since) = (slot.index() as u32, self.now);
        if free {
            let counted = frame.counted;
            let pool = plan.operation(frame.what).pool;
            self.count(pool, counted, |tally| tally.served += 1);
            self.serve_impaired(plan, index);
        } else {
            self.enqueue(plan, slot, index, key);
        }
        Next::Idle
    }

    /// An attempt that an instance held begins to count as in progress with a member.
    pub(super) fn connect(&mut self, index: u32, member: u32) {
        if member == NONE {
            return;
        }
        let frame = &mut self.frames[index];
        (frame.member, frame.connected) = (member, true);
        let (relay, caller) = (frame.relay, frame.parent);
        self.relays[relay as usize].begin(member);
        self.frames[caller].latest = member;
    }

    /// An attempt that an instance held is refused, or shed by a full queue.
    fn turn_away(&mut self, plan: &Plan<'a>, index: u32, member: u32, shed: bool) -> Next {
        let caller = self.frames[index].parent;
        self.turned_away(plan, self.frames[index].relay, member);
        // Who turns it away because of a full queue says so: the connection is as good as before.
        self.unlink(plan, index, shed);
        let (pool, counted) = self.part(plan, index);
        self.count(pool, counted, |tally| {
            tally.attempts_shed += u64::from(shed);
            tally.attempts_refused += u64::from(!shed);
        });
        self.drop_attempt(index);
        self.frames[caller].latest = member;
        self.hear(caller, false, (false, false))
    }
}
