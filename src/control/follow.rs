//! What follows from slots that changed: verdicts of probes, holders of addresses, leaders of stores.

use super::blame::{After, Blames};
use super::lease_plan::LeasePlan;
use super::network::is_available_to;
use super::plan::{NONE, Plan, WatchPlan};
use super::state::{GroupNow, State, WatchNow};
use crate::failover::{Draw, Moved, Stage};
use crate::health::Mode;
use crate::ids::{ClockId, Id, SlotId};
use crate::path::{Event, Signal, SlotState};
use crate::random::Sequence;
use crate::time::{SimSpan, SimTime};

impl LeasePlan {
    /// One span that the lease asks for.
    pub(super) fn draw(&self, draws: &mut Sequence, what: Draw) -> SimSpan {
        match what {
            Draw::Phase => self.loop_wait.mul_f64(draws.uniform()),
            Draw::Decide => self.decides.draw(draws),
            Draw::Promote => self.promotes.draw(draws),
            Draw::HandOver => self
                .hand_over
                .as_ref()
                .map_or(SimSpan::ZERO, |takes| takes.draw(draws)),
        }
    }
}

impl WatchNow {
    /// What a watch leaves open: a dead member that it believes up, or a live one it believes down, if
    /// that `matters`, as its instance probes, users reach it, and it sends to that member.
    #[inline(never)]
    pub(super) fn weigh(
        &mut self,
        plan: &Plan,
        known: &WatchPlan,
        matters: bool,
        blames: &mut Blames,
    ) {
        let answers = self.watch.mode() == known.usual;
        let after = match (answers, self.watch.is_up(&known.pace)) {
            _ if !matters => None,
            (false, true) => Some(After::Unnoticed),
            (true, false) => Some(After::Unready),
            (true, true) | (false, false) => None,
        };
        let next = self.root.zip(after);
        blames.change(&plan.audiences, known.unit, &mut self.condition, next);
    }
}

impl State {
    /// What the probes of one watch meet.
    fn mode(&self, plan: &Plan, known: &WatchPlan) -> Mode {
        let (instance, member) = (known.instance, known.member);
        if !self.regime.reaches(Some(instance), member) {
            return Mode::Silent;
        }
        if plan.network.is_any()
            && matches!(
                self.regime.slots[member],
                SlotState::Serving | SlotState::Standby
            )
        {
            let links = &self.regime.network.links;
            let impairment = self.regime.impairments[member];
            return plan.network.probed(known, impairment, |link| links[link]);
        }
        self.mode_nearby(member)
    }

    /// What a probe of `member` meets that arrives there at once.
    #[inline(always)]
    fn mode_nearby(&self, member: SlotId) -> Mode {
        let impairment = self.regime.impairments[member];
        match self.regime.slots[member] {
            SlotState::Serving | SlotState::Standby if impairment.is_any() => Mode::Impaired {
                factor: impairment.factor,
                errors: impairment.errors,
                adds: SimSpan::ZERO,
                lost: 0.0,
            },
            SlotState::Serving | SlotState::Standby => Mode::Answers,
            SlotState::Refusing => Mode::Refuses,
            SlotState::Silent => Mode::Silent,
            SlotState::Hung => Mode::Hangs,
            SlotState::Paused => Mode::Pauses,
        }
    }

    /// Tells all followers of the only slot that changed.
    #[inline(never)]
    pub(super) fn tell_all(
        &mut self,
        plan: &Plan,
        slot: SlotId,
        cause: Option<ClockId>,
        signals: &mut Vec<Signal>,
    ) {
        self.tell_watches(plan, slot, cause, signals);
        let known = &plan.slots[slot];
        if [known.group, known.lead, known.lease] != [NONE; 3] {
            self.tell_failover(plan, slot, cause, signals);
        }
    }

    /// Tells the watches of a slot that changed, as a member and as an instance, and its group.
    pub(super) fn tell_watches(
        &mut self,
        plan: &Plan,
        slot: SlotId,
        cause: Option<ClockId>,
        signals: &mut Vec<Signal>,
    ) {
        // Without a network, what probes meet is the same for all instances on the island of the member.
        let (nearby, island) = (self.mode_nearby(slot), self.regime.islands[slot]);
        for &watch in plan.watched_by.of(slot.index()) {
            let instance = plan.watches[watch as usize].instance;
            if self.slots[instance].probing {
                let reaches = self.regime.islands[instance] == island;
                let mode = match reaches {
                    _ if plan.network.is_any() => self.mode(plan, &plan.watches[watch as usize]),
                    true => nearby,
                    false => Mode::Silent,
                };
                self.look(plan, watch as usize, mode, cause);
            }
        }
        let known = &plan.slots[slot];
        let (first, end) = known.watches;
        if first < end {
            let state = self.regime.slots[slot];
            let rested = self.slots[slot].resting;
            self.slots[slot].resting =
                state == SlotState::Paused && (rested || self.slots[slot].probing);
            match (self.slots[slot].probing, state == SlotState::Serving) {
                (false, true) if rested => self.resume_probing(plan, slot),
                (false, true) => self.start_probing(plan, slot, signals),
                (true, false) => self.stop_probing(plan, slot),
                (true, true) => {
                    for watch in first..end {
                        let mode = self.mode(plan, &plan.watches[watch as usize]);
                        self.look(plan, watch as usize, mode, cause);
                    }
                }
                (false, false) => {}
            }
        }
        if known.group != NONE {
            let place = self.place_of(slot);
            let group = &mut self.groups[known.group as usize].group;
            group.place(self.now, known.index as usize, place);
            if plan.network.is_any() {
                let index = known.group as usize;
                self.part_group(index, &plan.groups[index]);
            }
        }
    }

    /// Tells the group and the lease of a slot that changed, after all watches of all slots.
    pub(super) fn tell_failover(
        &mut self,
        plan: &Plan,
        slot: SlotId,
        cause: Option<ClockId>,
        signals: &mut Vec<Signal>,
    ) {
        let known = &plan.slots[slot];
        if known.group != NONE {
            self.follow_group(plan, known.group as usize, cause, signals);
        }
        if known.lead != NONE {
            self.tell_lead(plan, known.lead as usize, cause, signals);
        }
        if known.lease != NONE {
            self.tell_lease(plan, known.lease as usize, cause, signals);
        }
    }

    /// An instance that starts believes every member up and draws the phases of its probes.
    pub(super) fn start_probing(
        &mut self,
        plan: &Plan,
        instance: SlotId,
        signals: &mut Vec<Signal>,
    ) {
        self.slots[instance].probing = true;
        let (first, end) = plan.slots[instance].watches;
        for index in first as usize..end as usize {
            let known = &plan.watches[index];
            let mode = self.mode(plan, known);
            let phase = known
                .pace
                .interval
                .mul_f64(self.slots[instance].phases.uniform());
            let whole = self.structure.serves(known.member);
            let up = self.slots[known.member].drains == 0;
            let watch = &mut self.watches[index];
            watch.watch.restart(&known.pace, self.now + phase, mode);
            watch.root = self.slots[if whole { instance } else { known.member }].root;
            // Nothing is due and nothing open before, nor if what it believes is so.
            if mode != Mode::Answers {
                let draws = &mut watch.draws;
                let due = watch.watch.next_flip(&known.pace, || draws.uniform());
                self.agenda.set(known.timer, due.unwrap_or(SimTime::NEVER));
                let matters = self.regime.islands[instance].is_none() && up;
                watch.weigh(plan, known, matters, &mut self.blames);
            }
            self.show(instance, known.member_index, up, signals);
        }
    }

    fn stop_probing(&mut self, plan: &Plan, instance: SlotId) {
        self.slots[instance].probing = false;
        // One that ends forgets everything.
        let resting = self.slots[instance].resting;
        let (first, end) = plan.slots[instance].watches;
        for index in first as usize..end as usize {
            let known = &plan.watches[index];
            self.agenda.cancel(known.timer);
            let watch = &mut self.watches[index];
            if resting {
                watch.watch.rest(&known.pace, self.now);
            }
            if watch.condition.is_some() {
                watch.weigh(plan, known, false, &mut self.blames);
            }
        }
    }

    /// An instance that was paused goes on with what it believed.
    fn resume_probing(&mut self, plan: &Plan, instance: SlotId) {
        self.slots[instance].probing = true;
        let (first, end) = plan.slots[instance].watches;
        for index in first as usize..end as usize {
            let known = &plan.watches[index];
            let mode = self.mode(plan, known);
            let root = self.slots[known.member].root;
            let matters = self.matters(instance, known.member);
            let watch = &mut self.watches[index];
            if watch.watch.mode() != mode {
                watch.root = root;
            }
            let draws = &mut watch.draws;
            let pace = &known.pace;
            let due = watch.watch.resume(pace, self.now, mode, || draws.uniform());
            self.agenda.set(known.timer, due.unwrap_or(SimTime::NEVER));
            watch.weigh(plan, known, matters, &mut self.blames);
        }
    }

    /// The probes of one watch, whose instance probes, meet `mode` from now on.
    #[inline(always)]
    fn look(&mut self, plan: &Plan, index: usize, mode: Mode, cause: Option<ClockId>) {
        let known = &plan.watches[index];
        let matters = self.matters(known.instance, known.member);
        let watch = &mut self.watches[index];
        if watch.watch.mode() != mode {
            watch.root = cause;
            let draws = &mut watch.draws;
            let pace = &known.pace;
            let due = watch
                .watch
                .observe(pace, self.now, mode, || draws.uniform());
            self.agenda.set(known.timer, due.unwrap_or(SimTime::NEVER));
        }
        watch.weigh(plan, known, matters, &mut self.blames);
    }

    /// Whether what an instance that probes believes of a member can hurt anybody: users reach the
    /// instance, and it would send to the member, which it does not to one that is drained.
    #[inline]
    pub(super) fn matters(&self, instance: SlotId, member: SlotId) -> bool {
        self.regime.islands[instance].is_none() && self.slots[member].drains == 0
    }

    pub(super) fn show(
        &mut self,
        instance: SlotId,
        member: u32,
        up: bool,
        signals: &mut Vec<Signal>,
    ) {
        let view = &mut self.regime.views[instance][member as usize];
        if *view != up {
            *view = up;
            signals.push(Signal::View {
                instance,
                member,
                up,
            });
        }
    }

    /// A verdict is due.
    #[inline(always)]
    pub(super) fn flip(
        &mut self,
        plan: &Plan,
        index: usize,
        signals: &mut Vec<Signal>,
    ) -> (Event, Option<ClockId>) {
        let known = &plan.watches[index];
        let matters = self.matters(known.instance, known.member);
        let watch = &mut self.watches[index];
        let cause = watch.root;
        let was_up = watch.watch.is_up(&known.pace);
        let draws = &mut watch.draws;
        let due = watch.watch.flip(&known.pace, || draws.uniform());
        let up = watch.watch.is_up(&known.pace);
        self.agenda.set(known.timer, due.unwrap_or(SimTime::NEVER));
        watch.weigh(plan, known, matters, &mut self.blames);
        let shown = up && self.slots[known.member].drains == 0;
        self.show(known.instance, known.member_index, shown, signals);
        let (instance, member) = (known.instance, known.member);
        let event = if up == was_up {
            Event::Undecided { instance, member }
        } else {
            Event::Verdict {
                instance,
                member,
                up,
            }
        };
        (event, cause)
    }

    /// The state of a VRRP group is taken over: its timer, its holder, and what it leaves open while
    /// nobody holds the address although somebody could.
    pub(super) fn follow_group(
        &mut self,
        plan: &Plan,
        index: usize,
        cause: Option<ClockId>,
        signals: &mut Vec<Signal>,
    ) {
        let known = &plan.groups[index];
        self.agenda
            .set(known.timer, self.groups[index].group.next_time());
        let holder = if plan.network.is_any() {
            self.find_holders(known, index, signals)
        } else {
            self.groups[index].group.holder(0)
        };
        let holder = holder.map(|member| known.slots[member]);
        let now = &mut self.groups[index];
        let before = self.regime.holders[known.balancer];
        if before != holder {
            self.regime.holders[known.balancer] = holder;
            signals.push(Signal::Holder {
                balancer: known.balancer,
                holder,
            });
            if holder.is_none() {
                now.root = cause;
            }
        }
        let next = match holder {
            // A person is at it.
            None if now.group.waits_in(0) => {
                now.root.or(cause).map(|clock| (clock, After::Undecided))
            }
            None if now.group.anybody_in(0) => {
                let after = if before.is_some() {
                    After::Unnoticed
                } else {
                    After::Unready
                };
                now.condition.or_else(|| cause.map(|clock| (clock, after)))
            }
            _ => None,
        };
        self.blames
            .change(&plan.audiences, known.unit, &mut now.condition, next);
    }

    /// A move of a VRRP group is due.
    pub(super) fn move_address(
        &mut self,
        plan: &Plan,
        index: usize,
        signals: &mut Vec<Signal>,
    ) -> (Event, Option<ClockId>) {
        let (known, at) = (&plan.groups[index], self.now);
        let GroupNow {
            group, draws, root, ..
        } = &mut self.groups[index];
        let cause = *root;
        let moved = group.fire(|| {
            let works = known.coverage >= 1.0 || draws.uniform() < known.coverage;
            (!works).then(|| known.rescue.draw(plan, at, draws))
        });
        self.follow_group(plan, index, cause, signals);
        let event = match moved {
            Moved::Master(member) => Event::Master(known.slots[member]),
            Moved::Fails(member) => Event::TakeoverFails(known.slots[member]),
        };
        (event, cause)
    }

    /// Members of a store changed.
    pub(super) fn tell_lease(
        &mut self,
        plan: &Plan,
        index: usize,
        cause: Option<ClockId>,
        signals: &mut Vec<Signal>,
    ) {
        let (known, now, regime) = (&plan.leases[index], &mut self.leases[index], &self.regime);
        let before = now.lease.stage();
        let available = |member: usize| is_available_to(&known.seats, regime, known.slots[member]);
        if known.hand_over.is_some() && cause.is_some_and(|clock| plan.clocks[clock].planned) {
            now.lease
                .hand_over(self.now, available, |what| known.draw(&mut now.draws, what));
        }
        now.lease
            .react(self.now, available, |what| known.draw(&mut now.draws, what));
        let after = now.lease.stage();
        if after != before && matches!(after, Stage::Lapsing | Stage::Promoting | Stage::Switching)
        {
            now.root = cause;
        }
        self.follow_lease(plan, index, signals);
    }

    /// A step of a lease is due.
    pub(super) fn move_lease(
        &mut self,
        plan: &Plan,
        index: usize,
        signals: &mut Vec<Signal>,
    ) -> (Event, Option<ClockId>) {
        let (known, now, regime) = (&plan.leases[index], &mut self.leases[index], &self.regime);
        let (before, cause) = (now.lease.stage(), now.root);
        let chosen = now.lease.chosen();
        now.lease.fire(
            self.now,
            |member| is_available_to(&known.seats, regime, known.slots[member]),
            |what| known.draw(&mut now.draws, what),
        );
        let event = match (before, chosen) {
            (Stage::Deciding, Some(member)) => Event::Promoting(known.slots[member]),
            (Stage::Promoting | Stage::Switching, Some(member)) => {
                Event::Leads(known.slots[member])
            }
            _ => Event::LeaseExpired(known.pool),
        };
        self.follow_lease(plan, index, signals);
        (event, cause)
    }

    /// The state of a lease is taken over: its timer, its leader, and what it leaves open.
    pub(super) fn follow_lease(&mut self, plan: &Plan, index: usize, signals: &mut Vec<Signal>) {
        let known = &plan.leases[index];
        self.agenda
            .set(known.timer, self.leases[index].lease.next_time());
        let now = &mut self.leases[index];
        let leader = now.lease.leader().map(|member| known.slots[member]);
        let switches = now.lease.stage() == Stage::Switching;
        self.note_leader(plan, index, leader, switches);
        let leader = self.writable(plan, index, leader, &known.slots);
        let now = &mut self.leases[index];
        if self.regime.leaders[known.pool] != leader {
            self.regime.leaders[known.pool] = leader;
            signals.push(Signal::Leader {
                pool: known.pool,
                leader,
            });
            self.structure
                .set_leader(&plan.structure, known.pool, leader);
        }
        let after = match now.lease.stage() {
            Stage::Led | Stage::Vacant => None,
            Stage::Lapsing => Some(After::Unnoticed),
            Stage::Deciding => Some(After::Undecided),
            Stage::Promoting | Stage::Switching => Some(After::Unpromoted),
        };
        let next = now.root.zip(after);
        self.blames
            .change(&plan.audiences, known.unit, &mut now.condition, next);
    }
}
