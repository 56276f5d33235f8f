//! One event of a history: what is due, what it does to slots, and what follows from that.

use super::agenda::Next;
use super::blame::After;
use super::effect::Effect;
use super::plan::{ClockPlan, Handled, NONE, Plan, Timer};
use super::state::{ClockNow, SlotNow, State};
use super::stops::Stop;
use crate::ids::{ClockId, Id, SlotId};
use crate::model::Impairment;
use crate::path::{Event, Signal, SlotState, Transition};
use crate::time::{SimSpan, SimTime};

impl ClockNow {
    /// How long a fault lasts, or the time to the next one.
    #[inline]
    pub(super) fn draw(&mut self, known: &ClockPlan, fault: bool) -> SimSpan {
        // Beginnings and ends alternate unpredictably: chosen by index, they cost no branch.
        let which = usize::from(fault);
        known.spans[which].draw(&mut self.draws[which])
    }
}

impl SlotNow {
    /// What a connection meets, from the faults on the slot and the changes to it.
    #[inline]
    fn state(&self) -> SlotState {
        self.stops.state(self.blocked > 0)
    }
}

impl State {
    /// Carries out the next event.
    pub(super) fn step(&mut self, plan: &Plan, signals: &mut Vec<Signal>) -> Transition {
        let (at, next) = self.agenda.first();
        debug_assert!(at != SimTime::NEVER, "a step needs a pending event");
        self.now = at;
        if !self.remarks.is_empty() {
            self.remarks.clear();
        }
        self.recoveries.clear();
        // Most events are faults and verdicts: the others would make them pay for their variables.
        let event = match next {
            Next::Clock(clock) if plan.clocks[clock].handled == Handled::Alone => {
                let event = self.toggle(plan, clock, signals);
                self.conclude(plan, Some(clock), signals);
                event
            }
            Next::Timer(timer) if let Timer::Watch(index) = plan.timers[timer as usize] => {
                let (event, cause) = self.flip(plan, index as usize, signals);
                self.conclude(plan, cause, signals);
                event
            }
            next => {
                let (event, cause) = self.step_seldom(plan, next, signals);
                self.conclude(plan, cause, signals);
                event
            }
        };
        Transition { at, event }
    }

    /// The end of a step that happened because of `cause`: who is to blame now.
    #[inline(always)]
    pub(super) fn conclude(
        &mut self,
        plan: &Plan,
        cause: Option<ClockId>,
        signals: &mut Vec<Signal>,
    ) {
        // While the system is up and nobody is to be judged, as after most events of a structural
        // history, there is nobody to blame.
        if !(self.system_was_up && self.structure.calm() && self.blames.all_judged()) {
            self.note_cuts(plan, cause);
            self.judge(plan, signals);
        }
    }

    /// What is due of any other kind.
    #[inline(never)]
    fn step_seldom(
        &mut self,
        plan: &Plan,
        next: Next,
        signals: &mut Vec<Signal>,
    ) -> (Event, Option<ClockId>) {
        match next {
            Next::Clock(clock) => match plan.clocks[clock].handled {
                Handled::Alone => unreachable!("`step` carries out faults that nobody handles"),
                Handled::Case(case) => self.step_case(plan, case, signals),
                Handled::Common(row) => self.strike(plan, row, signals),
            },
            Next::Timer(timer) => match plan.timers[timer as usize] {
                Timer::Watch(_) => unreachable!("`step` carries out verdicts"),
                Timer::Start(slot) => self.finish_start(plan, slot, signals),
                Timer::Group(index) => self.move_address(plan, index as usize, signals),
                Timer::Lease(index) => self.move_lease(plan, index as usize, signals),
                Timer::Campaign(id) => self.campaign(plan, id, signals),
                Timer::Lead(index) => self.move_lead(plan, index as usize, signals),
                Timer::Activation(row) => self.end_activation(plan, row, timer, signals),
                Timer::Order(stock) => self.receive_part(plan, stock, timer),
                Timer::Flap(row) => self.turn(plan, row, signals),
                Timer::FallBack(index) => self.fall_back(plan, index as usize, signals),
            },
        }
    }

    /// A fault begins or ends.
    #[inline(always)]
    fn toggle(&mut self, plan: &Plan, id: ClockId, signals: &mut Vec<Signal>) -> Event {
        let (known, clock) = (&plan.clocks[id], &mut self.clocks[id]);
        let begins = !clock.active;
        clock.active = begins;
        self.agenda.set_clock(id, self.now + clock.ahead);
        clock.ahead = clock.draw(known, !begins);
        self.blames.turn(&plan.audiences, id, begins, self.now);
        match known.effect {
            Effect::Lone(slot) => self.toggle_lone(plan, slot, id, begins, signals),
            Effect::Stop(_)
            | Effect::Machine(_)
            | Effect::Impair
            | Effect::Isolation(_)
            | Effect::Burst(_)
            | Effect::Link(_) => {
                self.toggle_any(plan, id, begins, signals);
            }
        }
        if begins {
            Event::FaultBegins(id)
        } else {
            Event::FaultEnds(id)
        }
    }

    /// The fault of `clock`, of any kind, begins or ends.
    #[inline(never)]
    fn toggle_any(&mut self, plan: &Plan, clock: ClockId, begins: bool, signals: &mut Vec<Signal>) {
        let acts = self.change_effect(plan, clock, clock, begins, signals);
        self.spread(plan, Some(clock), signals);
        if plan.operated.is_any() {
            self.stop_operated(plan, clock, begins, acts);
        }
    }

    /// The same as [`State::apply`] and [`State::spread`] for the fault of one process that starts at
    /// once: most of the events of most histories.
    #[inline]
    fn toggle_lone(
        &mut self,
        plan: &Plan,
        slot: SlotId,
        clock: ClockId,
        begins: bool,
        signals: &mut Vec<Signal>,
    ) {
        let now = &mut self.slots[slot];
        now.stops.change(Stop::Process, begins);
        let state = now.state();
        if self.regime.slots[slot] != state {
            now.root = Some(clock);
            self.regime.slots[slot] = state;
            signals.push(Signal::Slot { slot, state });
            let serves = state == SlotState::Serving && self.regime.islands[slot].is_none();
            self.structure.set_slot(&plan.structure, slot, serves);
            if plan.slots[slot].followed {
                self.tell_all(plan, slot, Some(clock), signals);
            }
        }
    }

    /// What a fault that begins or ends, because of `cause`, does to the state and island of slots.
    pub(super) fn apply(
        &mut self,
        plan: &Plan,
        clock: ClockId,
        cause: ClockId,
        begins: bool,
        signals: &mut Vec<Signal>,
    ) {
        let affected = plan.affected.of(clock.index());
        let effect = plan.clocks[clock].effect;
        if let Effect::Burst(workload) = effect {
            self.regime.bursts[workload] = begins;
            signals.push(Signal::Burst {
                workload,
                active: begins,
            });
            return;
        }
        if let Effect::Link(link) = effect {
            return self.find_link(plan, link, affected, signals);
        }
        if let Effect::Isolation(domain) = effect {
            let isolations = &mut self.isolations[domain];
            *isolations = if begins {
                *isolations + 1
            } else {
                *isolations - 1
            };
            for &slot in affected {
                self.find_island(plan, slot, cause, signals);
            }
            return;
        }
        let itself = plan.clocks[clock].ends_process;
        for &slot in affected {
            if begins && plan.slots[slot].restart != NONE && effect.ends_process() {
                self.note_end(plan, slot, itself);
            }
            match effect {
                Effect::Lone(_) => self.stop(plan, slot, Stop::Process, cause, begins),
                Effect::Stop(stop) => self.stop(plan, slot, stop, cause, begins),
                Effect::Machine(stop) => {
                    self.stop(plan, slot, stop, cause, begins);
                    if stop != Stop::Machine {
                        self.jam(slot, begins);
                    }
                }
                Effect::Impair | Effect::Isolation(_) | Effect::Burst(_) | Effect::Link(_) => {
                    self.find_impairment(plan, slot, cause, signals);
                    continue;
                }
            }
            self.find_state(slot, Some(cause), signals);
        }
    }

    /// One more reason for `slot` not to serve, or one less. When the last one is gone that leaves no
    /// process behind, it starts; while it stands still, so does its start.
    fn stop(&mut self, plan: &Plan, slot: SlotId, stop: Stop, cause: ClockId, begins: bool) {
        let known = &plan.slots[slot];
        let state = &mut self.slots[slot];
        state.stops.change(stop, begins);
        if stop == Stop::Paused {
            if state.starting {
                let timer = known.start_timer;
                if begins {
                    let due = self.agenda.due(timer);
                    if due != SimTime::NEVER {
                        state.start_left = due - self.now;
                        self.agenda.cancel(timer);
                    }
                } else if !state.stops.is_paused() {
                    self.agenda.set(timer, self.now + state.start_left);
                }
            }
            return;
        }
        let condition = &mut state.condition;
        if begins {
            if state.starting {
                state.starting = false;
                state.stops.change(Stop::Process, false);
                self.agenda.cancel(known.start_timer);
                self.blames
                    .change(&plan.audiences, known.unit, condition, None);
            }
        } else if state.stops.may_run() && known.start_timer != NONE {
            state.starting = true;
            state.stops.change(Stop::Process, true);
            let takes = self.restarts_in(plan, slot, stop == Stop::Hung);
            let state = &mut self.slots[slot];
            if state.stops.is_paused() {
                state.start_left = takes;
            } else {
                self.agenda.set(known.start_timer, self.now + takes);
            }
            let next = Some((cause, After::Unready));
            let condition = &mut state.condition;
            self.blames
                .change(&plan.audiences, known.unit, condition, next);
        }
    }

    /// The machine of `slot` hangs or stands still for one more reason, or one less.
    fn jam(&mut self, slot: SlotId, begins: bool) {
        let state = &mut self.slots[slot];
        state.stuck = if begins {
            state.stuck + 1
        } else {
            state.stuck - 1
        };
        // Whoever follows the machine has to look, even if the process was stopped before.
        if self.regime.slots[slot] == state.state() {
            self.changed.push(slot);
        }
    }

    /// How badly `slot` is doing, from the faults on it.
    fn find_impairment(
        &mut self,
        plan: &Plan,
        slot: SlotId,
        cause: ClockId,
        signals: &mut Vec<Signal>,
    ) {
        let mut impairment = Impairment::NONE;
        for &(clock, kind) in plan.impaired_by.of(slot.index()) {
            if self.has_effect(plan, clock) {
                impairment = impairment.and(kind);
            }
        }
        if self.regime.impairments[slot] != impairment {
            self.regime.impairments[slot] = impairment;
            signals.push(Signal::Impaired { slot, impairment });
            if self.regime.slots[slot] == SlotState::Serving {
                self.slots[slot].root = Some(cause);
            }
            self.changed.push(slot);
        }
    }

    /// The state of `slot` from the faults on it.
    #[inline]
    pub(super) fn find_state(
        &mut self,
        slot: SlotId,
        cause: Option<ClockId>,
        signals: &mut Vec<Signal>,
    ) {
        let now = &mut self.slots[slot];
        let state = match now.state() {
            SlotState::Serving if now.stands_by => SlotState::Standby,
            state => state,
        };
        if self.regime.slots[slot] != state {
            now.root = cause;
            self.regime.slots[slot] = state;
            signals.push(Signal::Slot { slot, state });
            self.changed.push(slot);
        }
    }

    /// The innermost isolated domain around `slot`.
    fn find_island(
        &mut self,
        plan: &Plan,
        slot: SlotId,
        cause: ClockId,
        signals: &mut Vec<Signal>,
    ) {
        let mut island = plan.slots[slot].domain;
        while let Some(domain) = island
            && self.isolations[domain] == 0
        {
            island = plan.parents[domain];
        }
        if self.regime.islands[slot] != island {
            self.slots[slot].root = Some(cause);
            self.regime.islands[slot] = island;
            signals.push(Signal::Island { slot, island });
            self.changed.push(slot);
        }
    }

    fn finish_start(
        &mut self,
        plan: &Plan,
        slot: SlotId,
        signals: &mut Vec<Signal>,
    ) -> (Event, Option<ClockId>) {
        let known = &plan.slots[slot];
        self.agenda.cancel(known.start_timer);
        if self.start_fails(plan, slot) {
            return (Event::StartFails(slot), self.slots[slot].root);
        }
        let now = &mut self.slots[slot];
        let cause = now.root;
        now.starting = false;
        now.stops.change(Stop::Process, false);
        self.blames
            .change(&plan.audiences, known.unit, &mut now.condition, None);
        if let Some(campaign) = self.slots[slot].version.bad()
            && let Some(broken) = self.start_broken(plan, slot, campaign, signals)
        {
            return broken;
        }
        self.find_state(slot, cause, signals);
        self.spread(plan, cause, signals);
        (Event::Started(slot), cause)
    }

    /// Tells everybody concerned about the slots that changed. All slots have their final state
    /// before anybody looks: two slots that move together never lose each other.
    #[inline]
    pub(super) fn spread(
        &mut self,
        plan: &Plan,
        cause: Option<ClockId>,
        signals: &mut Vec<Signal>,
    ) {
        if !plan.standbys.is_empty() {
            self.tell_standbys(plan, cause, signals);
        }
        for index in 0..self.changed.len() {
            let slot = self.changed[index];
            let serves = self.can_serve(slot);
            self.structure.set_slot(&plan.structure, slot, serves);
        }
        if plan.operated.is_any() {
            self.run_slots(plan);
        }
        if plan.derived {
            for index in 0..self.changed.len() {
                self.tell_watches(plan, self.changed[index], cause, signals);
            }
            for index in 0..self.changed.len() {
                self.tell_failover(plan, self.changed[index], cause, signals);
            }
        }
        self.changed.clear();
    }

    /// Notes who completed a cut, if something went down in this step.
    #[inline(never)]
    pub(super) fn note_cuts(&mut self, plan: &Plan, cause: Option<ClockId>) {
        self.structure.settle(&plan.structure);
        while let Some(journey) = self.structure.take_flipped() {
            let up = self.structure.journey_up(journey);
            self.blames.cut(&plan.audiences, journey, up, cause);
        }
        let up = self.structure.system_up();
        if up != self.system_was_up {
            self.system_was_up = up;
            self.blames.cut_system(up, cause);
        }
    }

    /// Whom each journey concerned now blames, and the system.
    #[inline(never)]
    pub(super) fn judge(&mut self, plan: &Plan, signals: &mut Vec<Signal>) {
        let audiences = &plan.audiences;
        while let Some((audience, latest)) = self.blames.next_dirty(audiences) {
            for &journey in audiences.journeys.of(audience as usize) {
                let blame = if self.structure.journey_up(journey) {
                    latest
                } else {
                    self.blames.of_journey(audiences, audience, journey)
                };
                if self.regime.blames[journey] != blame {
                    self.regime.blames[journey] = blame;
                    signals.push(Signal::Blame { journey, blame });
                }
            }
        }
        if !self.structure.system_up() {
            let blame = self.blames.of_system(audiences);
            self.structure.set_blame(blame);
        } else if self.structure.blame().is_some() {
            self.structure.set_blame(None);
        }
    }
}
