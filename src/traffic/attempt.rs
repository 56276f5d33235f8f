//! Attempts: choosing a target, getting there, waiting for a worker, being served, ending.

use super::call::Next;
use super::frames::{Frame, Kind, NONE, State, Wait, pick_bits, relay_bits};
use super::plan::{CallPlan, Plan, Through};
use super::stretch::{Halt, Stretch, WORK};
use crate::balance::Tried;
use crate::engine::Agenda;
use crate::ids::{Id, PoolId, SlotId};
use crate::model::{Discipline, ServedBy};
use crate::path::SlotState;
use crate::random::Dist;
use crate::time::{SimSpan, SimTime};

/// What an attempt meets on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Somebody who refuses at once, perhaps a member that a balancer chose.
    Refused { relay: u32, member: u32 },
    /// Nobody: no answer will ever come.
    Silence { relay: u32, member: u32 },
    /// A running slot.
    Slot {
        slot: SlotId,
        relay: u32,
        member: u32,
    },
    /// A slot that hangs or is paused.
    Stuck {
        slot: SlotId,
        relay: u32,
        member: u32,
    },
    /// A balancer instance that is paused.
    Held { relay: u32 },
}

/// Refused by somebody who is no member of a pool.
pub(super) const REFUSED: Target = Target::Refused {
    relay: NONE,
    member: NONE,
};

impl<'a> Stretch<'a> {
    /// One attempt of the current call of `caller`.
    #[inline(always)]
    pub(super) fn attempt(&mut self, plan: &Plan<'a>, caller: u32) -> Next {
        if self.frames.full() {
            self.halt = Halt::Overflow;
            return Next::Idle;
        }
        let frame = &mut self.frames[caller];
        let call = plan.call(frame.position);
        let key = frame.roll();
        let (counted, from) = (frame.counted, frame.at());
        let mut fresh = frame.tried == 0;
        frame.attempts += 1;
        frame.base = false;
        if frame.attempts > 1 {
            self.mark_tried(plan, caller);
            fresh = self.frames[caller].tried == 0;
        }
        self.tally.attempts_simulated += 1;
        if let Some(channel) = call.channel {
            self.count(call.pool, counted, |tally| tally.attempts += 1);
            return self.attempt_linked(plan, (caller, channel), call, (key, counted));
        }
        if self.far {
            return self.attempt_far(plan, caller, key);
        }
        let target = self.target(plan, (caller, from, fresh), call, key);
        let tally = &mut self.tally.pools[call.pool];
        if counted {
            tally.attempts += 1;
        }
        match target {
            Target::Refused { relay, member } => {
                if counted {
                    tally.attempts_refused += 1;
                }
                self.turned_away(plan, relay, member);
                self.frames[caller].latest = member;
                Next::TryFailed(caller)
            }
            Target::Silence { relay, member } => {
                let index = self.send(call, caller, key, counted, (relay, member));
                self.frames[index].state = State::Lost;
                Next::Idle
            }
            Target::Slot {
                slot,
                relay,
                member,
            } => {
                let station = &mut self.stations[slot];
                let free = station.busy < station.workers;
                if free {
                    station.busy += 1;
                    if counted {
                        tally.served += 1;
                    }
                } else if station.waiting >= station.queue {
                    if self.share_accepts(slot) {
                        self.count(call.pool, counted, |tally| tally.served += 1);
                        let index = self.send(call, caller, key, counted, (relay, member));
                        self.begin_share((call.takes, call.fails), slot, index);
                        return Next::Idle;
                    }
                    self.count(call.pool, counted, |tally| tally.attempts_shed += 1);
                    self.turned_away(plan, relay, member);
                    self.frames[caller].latest = member;
                    return Next::TryFailed(caller);
                }
                let now = self.now;
                let index = self.send(call, caller, key, counted, (relay, member));
                let frame = &mut self.frames[index];
                frame.slot = slot.index() as u32;
                frame.since = now;
                if free && self.impaired {
                    self.serve_impaired(plan, index);
                } else if free {
                    let work = (call.takes, call.fails);
                    serve(frame, work, now, index, &mut self.agenda);
                } else {
                    self.enqueue(plan, slot, index, key);
                }
                Next::Idle
            }
            Target::Stuck {
                slot,
                relay,
                member,
            } => {
                if !self.stuck_accepts(slot) {
                    self.count(call.pool, counted, |tally| tally.attempts_shed += 1);
                    self.turned_away(plan, relay, member);
                    self.frames[caller].latest = member;
                    return Next::TryFailed(caller);
                }
                let index = self.send(call, caller, key, counted, (relay, member));
                self.wait_at_stuck(plan, slot, index, key);
                Next::Idle
            }
            Target::Held { relay } => {
                let index = self.send(call, caller, key, counted, (relay, NONE));
                let frame = &mut self.frames[index];
                (frame.state, frame.wait) = (State::Held, Wait::Enter);
                Next::Idle
            }
        }
    }

    /// Puts an attempt on its way: its caller and its balancer wait for it from now on.
    #[inline(always)]
    pub(super) fn send(
        &mut self,
        call: &CallPlan<'a>,
        caller: u32,
        key: u64,
        counted: bool,
        (relay, member): (u32, u32),
    ) -> u32 {
        let rank = call.rank.unwrap_or(self.frames[caller].rank);
        let (index, frame) = self.frames.take(Kind::Attempt, key);
        (frame.parent, frame.counted) = (caller, counted);
        frame.what = call.operation.index() as u32;
        (frame.position, frame.end) = (call.calls.from, call.calls.end);
        (frame.relay, frame.member) = (relay, member);
        frame.rank = rank;
        let generation = frame.generation;
        if member != NONE {
            frame.connected = true;
            self.relays[relay as usize].begin(member);
        }
        let parent = &mut self.frames[caller];
        (parent.child, parent.latest) = (index, member);
        self.start_timer(call.timer, index, generation);
        index
    }

    /// Where an attempt goes. `fresh`: the call has tried nobody.
    #[inline(always)]
    fn target(
        &mut self,
        plan: &Plan<'a>,
        (caller, from, fresh): (u32, Option<SlotId>, bool),
        call: &CallPlan<'a>,
        key: u64,
    ) -> Target {
        const SILENCE: Target = Target::Silence {
            relay: NONE,
            member: NONE,
        };
        let relay = match call.through {
            Through::Nobody => return self.target_in_turn(plan, (caller, from), call),
            through => match self.relay_for(plan, through, from, key) {
                Some(relay) => relay,
                None => return SILENCE,
            },
        };
        self.sent_to(plan, (caller, from, fresh), call, relay, key)
    }

    /// The instance of a balancer that an attempt goes to; `None` if nobody has the address.
    #[inline(always)]
    pub(super) fn relay_for(
        &self,
        plan: &Plan<'a>,
        through: Through,
        from: Option<SlotId>,
        key: u64,
    ) -> Option<u32> {
        match through {
            Through::Nobody => None,
            Through::One(relay) => Some(relay),
            Through::Any { first, count } => Some(Self::any_relay(key, first, count)),
            Through::Holder(balancer) => plan.relay_of[self.holder(balancer, from)?],
        }
    }

    /// Where an attempt goes that is sent to an instance of a balancer.
    #[inline(always)]
    pub(super) fn sent_to(
        &mut self,
        plan: &Plan<'a>,
        (caller, from, fresh): (u32, Option<SlotId>, bool),
        call: &CallPlan<'a>,
        relay: u32,
        key: u64,
    ) -> Target {
        const SILENCE: Target = Target::Silence {
            relay: NONE,
            member: NONE,
        };
        let instance = self.relays[relay as usize].slot;
        if !self.reaches(from, instance) {
            return SILENCE;
        }
        match self.regime.slots[instance] {
            SlotState::Serving => {}
            SlotState::Refusing | SlotState::Standby => return REFUSED,
            SlotState::Silent => return SILENCE,
            SlotState::Hung => {
                return Target::Silence {
                    relay,
                    member: NONE,
                };
            }
            SlotState::Paused => return Target::Held { relay },
        }
        if self.impaired && self.relay_errs(instance, key) {
            return REFUSED;
        }
        self.through(plan, (caller, fresh), call, relay, key)
    }

    /// One of the instances of a balancer, all alike.
    #[inline(always)]
    pub(super) fn any_relay(key: u64, first: u32, count: u32) -> u32 {
        first + (((relay_bits(key) >> 32) * u64::from(count)) >> 32) as u32
    }

    /// Where an attempt goes that is at a running instance of a balancer. `fresh`: the call has tried
    /// nobody.
    #[inline(always)]
    pub(super) fn through(
        &mut self,
        plan: &Plan<'a>,
        (caller, fresh): (u32, bool),
        call: &CallPlan<'a>,
        relay: u32,
        key: u64,
    ) -> Target {
        let Some((slot, member)) = self.choose(plan, (caller, fresh), call, relay, key) else {
            return REFUSED;
        };
        let instance = self.relays[relay as usize].slot;
        self.knock(plan, Some(instance), slot, call, relay, member)
    }

    /// Whom a running instance of a balancer sends an attempt to, and which member that is.
    #[inline(always)]
    pub(super) fn choose(
        &mut self,
        plan: &Plan<'a>,
        (caller, fresh): (u32, bool),
        call: &CallPlan<'a>,
        relay: u32,
        key: u64,
    ) -> Option<(SlotId, u32)> {
        if call.served_by == ServedBy::Leader {
            let leader = self.regime.leaders[call.pool]?;
            return Some((leader, plan.system.slots[leader].index));
        }
        if self.relays[relay as usize].ejects() {
            self.check_ejected(plan, relay);
        }
        let picked = if fresh {
            self.relays[relay as usize].pick(pick_bits(key), Tried(&[]), self.now)
        } else {
            self.pick_again(plan, caller, relay, pick_bits(key))
        };
        picked.map(|member| (call.slots[member as usize], member))
    }

    /// Whether a packet from `from` (`None`: from a user) arrives at `to`.
    #[inline(always)]
    pub(super) fn reaches(&self, from: Option<SlotId>, to: SlotId) -> bool {
        !self.islands || self.regime.reaches(from, to)
    }

    /// The member chosen by a balancer instance for a call that has tried some; when all it believes
    /// up were tried, they are tried again.
    #[inline(never)]
    fn pick_again(&mut self, plan: &Plan<'a>, caller: u32, relay: u32, bits: u64) -> Option<u32> {
        let now = self.now;
        let balancer = &mut self.relays[relay as usize];
        let tried = self.frames[caller].tried;
        let words = plan.tried_words;
        let picked = if words <= 1 {
            balancer.pick(bits, Tried(&[tried]), now)
        } else {
            let block = (tried as usize - 1) * words;
            balancer.pick(bits, Tried(&self.tried[block..block + words]), now)
        };
        if picked.is_some() {
            return picked;
        }
        let picked = balancer.pick(bits, Tried(&[]), now);
        self.forget_tried(plan, caller);
        picked
    }

    /// What a packet from `from` meets at `slot`.
    #[inline(always)]
    pub(super) fn knock(
        &self,
        plan: &Plan<'a>,
        from: Option<SlotId>,
        slot: SlotId,
        call: &CallPlan<'a>,
        relay: u32,
        member: u32,
    ) -> Target {
        if !self.reaches(from, slot) {
            return Target::Silence { relay, member };
        }
        match self.regime.slots[slot] {
            SlotState::Silent => Target::Silence { relay, member },
            SlotState::Refusing | SlotState::Standby => Target::Refused { relay, member },
            SlotState::Serving
                if call.served_by == ServedBy::Quorum
                    && !self.has_quorum(plan, call.pool, slot) =>
            {
                Target::Refused { relay, member }
            }
            SlotState::Serving => Target::Slot {
                slot,
                relay,
                member,
            },
            SlotState::Hung | SlotState::Paused => Target::Stuck {
                slot,
                relay,
                member,
            },
        }
    }

    /// Whether a majority of the pool's members runs where `slot` reaches it.
    pub(super) fn has_quorum(&self, plan: &Plan<'a>, pool: PoolId, slot: SlotId) -> bool {
        let pool = &plan.system.pools[pool];
        let members = &pool.slots;
        let with = |&&member: &&SlotId| {
            self.regime.slots[member] == SlotState::Serving
                && self.regime.reaches(Some(slot), member)
        };
        2 * members.iter().filter(with).count() > pool.active()
    }

    fn mark_tried(&mut self, plan: &Plan<'a>, caller: u32) {
        let member = self.frames[caller].latest;
        if member == NONE {
            return;
        }
        let bit = 1_u64 << (member % 64);
        let words = plan.tried_words;
        if words <= 1 {
            self.frames[caller].tried |= bit;
            return;
        }
        if self.frames[caller].tried == 0 {
            let block = self.tried_free.pop().unwrap_or_else(|| {
                self.tried.resize(self.tried.len() + words, 0);
                (self.tried.len() / words - 1) as u32
            });
            self.tried[block as usize * words..][..words].fill(0);
            self.frames[caller].tried = u64::from(block) + 1;
        }
        let block = (self.frames[caller].tried as usize - 1) * words;
        self.tried[block + member as usize / 64] |= bit;
    }

    /// The current call has tried nobody.
    pub(super) fn forget_tried(&mut self, plan: &Plan<'a>, caller: u32) {
        let frame = &mut self.frames[caller];
        if frame.tried != 0 && plan.tried_words > 1 {
            self.tried_free.push((frame.tried - 1) as u32);
        }
        frame.tried = 0;
        frame.latest = NONE;
    }

    /// The slot is done with an attempt: the worker goes on, the answer goes back.
    #[inline(always)]
    pub(super) fn end_attempt(&mut self, plan: &Plan<'a>, index: u32, succeeded: bool) -> Next {
        let succeeded = succeeded && (self.brokers.is_empty() || self.store(plan, index));
        if self.impaired && self.end_behind_stuck(plan, index, succeeded) {
            return Next::Idle;
        }
        let frame = &mut self.frames[index];
        let (caller, counted, degraded) = (frame.parent, frame.counted, frame.degraded);
        let base = frame.base;
        let (what, since) = (frame.what, frame.since);
        let slot = SlotId::from_index(frame.slot as usize);
        let returns = caller != NONE && !frame.cut_front && !frame.cut_back;
        if returns || caller == NONE {
            if caller == NONE {
                self.done_for_nobody(plan, index, succeeded);
            } else {
                self.tell_answer(plan, index, succeeded);
            }
            self.unlink(plan, index, true);
            self.drop_attempt(index);
        } else {
            frame.state = State::Lost;
            frame.due = 0;
        }
        if counted {
            let tally = &mut self.tally.pools[plan.operation(what).pool];
            tally.busy_ns += u128::from(self.now.since(since).as_nanos());
            if returns && succeeded {
                tally.attempts_answered += 1;
            } else if returns {
                tally.attempts_failed += 1;
            }
        }
        if self.answers.awaited > 0 && returns && succeeded {
            self.note_answer(plan, what, slot.index() as u32);
        }
        if self.now < self.refills.until && returns && succeeded {
            self.look_up(plan, slot, caller);
        }
        self.free_worker(plan, slot);
        if !returns {
            return Next::Idle;
        }
        self.hear(caller, succeeded, (degraded, base))
    }

    /// The attempt of the current call of `caller` has ended; whether its answer was degraded, or came
    /// of an operation's own error.
    #[inline(always)]
    pub(super) fn hear(
        &mut self,
        caller: u32,
        succeeded: bool,
        (degraded, base): (bool, bool),
    ) -> Next {
        if self.impaired && self.hold_end(caller, succeeded, (degraded, base)) {
            return Next::Idle;
        }
        if succeeded {
            return Next::Answered { caller, degraded };
        }
        let frame = &mut self.frames[caller];
        (frame.child, frame.base) = (NONE, base);
        Next::TryFailed(caller)
    }

    /// A worker of `slot` takes the next attempt of the queue, or is idle.
    #[inline(always)]
    pub(super) fn free_worker(&mut self, plan: &Plan<'a>, slot: SlotId) {
        let station = &mut self.stations[slot];
        let first = station.first;
        if first == NONE {
            station.busy -= 1;
            if !self.brokers.is_empty() {
                self.take_messages(plan, slot);
            }
            return;
        }
        if station.discipline == Discipline::Priority {
            self.leave_rank(plan, first);
        }
        let station = &mut self.stations[slot];
        let now = self.now;
        let frame = &mut self.frames[first];
        let after = frame.after;
        station.waiting -= 1;
        station.first = after;
        if after == NONE {
            station.last = NONE;
        }
        let operation = plan.operation(frame.what);
        if frame.counted {
            let tally = &mut self.tally.pools[operation.pool];
            tally.served += 1;
            tally.wait_ns += u128::from(now.since(frame.since).as_nanos());
        }
        if self.impaired {
            self.serve_impaired(plan, first);
        } else {
            let work = (operation.takes, operation.fails);
            serve(frame, work, now, first, &mut self.agenda);
        }
        if after != NONE {
            self.frames[after].before = NONE;
        }
    }
}

impl<'a> Stretch<'a> {
    /// A free worker, counted as busy already, takes an attempt.
    pub(super) fn serve_at(&mut self, plan: &Plan<'a>, index: u32) {
        if self.impaired {
            return self.serve_impaired(plan, index);
        }
        let (now, frame) = (self.now, &mut self.frames[index]);
        let operation = plan.operation(frame.what);
        let work = (operation.takes, operation.fails);
        serve(frame, work, now, index, &mut self.agenda);
    }
}

/// A worker, counted as busy already, takes the attempt `index` at `now`.
#[inline(always)]
fn serve(
    frame: &mut Frame,
    (takes, fails): (&Dist, f64),
    now: SimTime,
    index: u32,
    agenda: &mut Agenda,
) {
    let secs = takes.sample(&mut frame.draws);
    let fails = fails > 0.0 && frame.draws.uniform() < fails;
    frame.since = now;
    frame.state = State::Working;
    frame.wait = if fails { Wait::Error } else { Wait::Work };
    frame.due = agenda.push(now + nanos(secs), WORK, index);
}

/// A drawn number of seconds as a span, to the nearest nanosecond, halves up. Cheaper than
/// [`SimSpan::from_secs_f64`], whose rounding is a function call on most machines.
#[inline]
pub(super) fn nanos(secs: f64) -> SimSpan {
    debug_assert!(secs.is_nan() || secs >= 0.0);
    let nanos = secs * 1e9 + 0.5;
    // Both casts saturate and map NaN to zero; by way of i64 it takes half as long.
    SimSpan::from_nanos(if nanos < 9e18 {
        nanos as i64 as u64
    } else {
        nanos as u64
    })
}
