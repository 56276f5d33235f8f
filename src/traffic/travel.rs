//! Attempts on their way over links of the network that take time, or lose what crosses them.
//!
//! An attempt travels from its caller to the balancer instance, on to the member that the instance
//! chooses when it gets there, and back. One drawn round trip of each link is split evenly between the
//! two ways. What is lost is sent again after the round trip to be expected and `resends_after`, and
//! each further time after twice as long, at most two minutes, fifteen times (Linux; RFC 6298 5): the
//! caller notices nothing but the delay, or its own timer. Connections are open already, but for those of
//! which callers keep a pool: a refusal takes as long as an answer, and the end of a connection is noticed
//! one way later, or as what is lost.
//!
//! To open one of a pool (`channels.rs`) takes a round trip, which has numbers of its own. If either of
//! its two packets is lost, both are sent again after a second, and each further time after twice as long,
//! six times (Linux; RFC 6298 2.1: nobody knows the round trip yet).
//!
//! When a caller closes its connection, what is on its way to a slot arrives all the same: a worker that
//! is free takes it up, for nobody; in a queue it does not stay.
//!
//! All of it is kept off the way of requests that cross no such link, behind the flag for whatever is
//! not well (`impaired.rs`).

use super::attempt::nanos;
use super::call::Next;
use super::frames::{Kind, NONE, State, Wait, travel_draws, uniform};
use super::plan::{Plan, Through};
use super::stretch::{Stretch, WORK};
use crate::ids::{BalancerId, Id, LinkId, SlotId};
use crate::model::ServedBy;
use crate::path::SlotState;
use crate::random::Sequence;
use crate::time::SimSpan;

/// Times that something is sent again until the connection is given up (`tcp_retries2`).
const RESENT: f64 = 15.0;

/// The longest wait before something is sent again (`TCP_RTO_MAX`), seconds.
const LONGEST_WAIT: f64 = 120.0;

/// The wait before the opening of a connection is tried again (`TCP_TIMEOUT_INIT`), seconds, unless what
/// is lost on the way is known to be missed later.
const OPENS_AGAIN: f64 = 1.0;

/// Times that it is tried again (`tcp_syn_retries`).
const OPENED_AGAIN: f64 = 6.0;

/// The part of the way between a caller and whom it calls: the balancer instance, if there is one.
const FRONT: u64 = 0;
/// The part between the instance and the slot.
const BACK: u64 = 1;

/// On the way there.
const THERE: u64 = 0;
/// On the way back.
const HOME: u64 = 1;

/// What the opening of a connection draws: its round trip, then what is lost of it. After what the two
/// ways of both parts draw.
const OPENING: u64 = 6;

/// Links, one after the other.
struct Crossing {
    /// A drawn round trip, and the one to be expected, seconds.
    secs: f64,
    mean: f64,
    /// The chance to get through in one direction.
    passes: f64,
    resends_after: SimSpan,
}

impl<'a> Stretch<'a> {
    /// What follows from the regime as a whole.
    pub(super) fn look_at_regime(&mut self) {
        let network = &self.regime.network;
        self.far = network.is_far();
        self.islands = self.regime.islands.iter().any(Option::is_some) || network.is_cut();
        self.impaired = self.far || super::impaired::is_impaired(&self.regime);
    }

    /// Who holds the address of `balancer` for those at `from`.
    #[inline]
    pub(super) fn holder(&self, balancer: BalancerId, from: Option<SlotId>) -> Option<SlotId> {
        if self.islands && self.regime.network.is_cut() {
            let network = &self.regime.network;
            return network.holders[network.row(balancer, network.roads.site(from))];
        }
        self.regime.holders[balancer]
    }

    /// How long a part of the way of the attempt `key` takes in one direction; `None` if what is sent
    /// never arrives.
    fn one_way(
        &self,
        plan: &Plan<'a>,
        (from, to): (Option<SlotId>, Option<SlotId>),
        key: u64,
        (part, direction): (u64, u64),
    ) -> Option<SimSpan> {
        let network = &self.regime.network;
        let links: &[LinkId] = network.roads.between(from, to);
        if links.is_empty() {
            return Some(SimSpan::ZERO);
        }
        // The same numbers on both ways, so that they make one round trip.
        let found = self.cross(plan, links, travel_draws(key, part));
        let mut secs = 0.5 * found.secs;
        if found.passes < 1.0 {
            let bits = travel_draws(key, 2 + 2 * part + direction).bits();
            let lost = (uniform(bits).ln() / f64::ln_1p(-found.passes)).floor();
            if lost > RESENT {
                return None;
            }
            let mut wait = found.resends_after.as_secs_f64() + found.mean;
            for _ in 0..lost as u32 {
                secs += wait.min(LONGEST_WAIT);
                wait *= 2.0;
            }
        }
        Some(nanos(secs))
    }

    /// How the links between two places are doing.
    fn cross(&self, plan: &Plan<'a>, links: &[LinkId], mut draws: Sequence) -> Crossing {
        let mut found = Crossing {
            secs: 0.0,
            mean: 0.0,
            passes: 1.0,
            resends_after: SimSpan::ZERO,
        };
        for &link in links {
            let (known, now) = (&plan.system.links[link], self.regime.network.links[link]);
            let adds = now.adds.as_secs_f64();
            found.secs += known.round_trip.sample(&mut draws) * now.factor + adds;
            found.mean += known.round_trip.mean() * now.factor + adds;
            found.passes *= (1.0 - known.loss) * (1.0 - now.loss);
            found.resends_after = found.resends_after.max(known.resends_after);
        }
        found
    }

    /// How long the packets that open a connection for the attempt `key` take; `None` if none gets
    /// through.
    pub(super) fn handshake(
        &self,
        plan: &Plan<'a>,
        (from, to): (SlotId, SlotId),
        key: u64,
    ) -> Option<SimSpan> {
        let links = self.regime.network.roads.between(Some(from), Some(to));
        if !self.far || links.is_empty() {
            return Some(SimSpan::ZERO);
        }
        let found = self.cross(plan, links, travel_draws(key, OPENING));
        let mut secs = found.secs;
        let passes = found.passes * found.passes;
        if passes < 1.0 {
            let bits = travel_draws(key, OPENING + 1).bits();
            let lost = (uniform(bits).ln() / f64::ln_1p(-passes)).floor();
            if lost > OPENED_AGAIN {
                return None;
            }
            // Waits that double: 1, 3, 7, ... times the first.
            let wait = found.resends_after.as_secs_f64().max(OPENS_AGAIN);
            secs += wait * (lost.exp2() - 1.0);
        }
        Some(nanos(secs))
    }

    /// One attempt of the current call of `caller`, where the network takes time.
    #[inline(never)]
    pub(super) fn attempt_far(&mut self, plan: &Plan<'a>, caller: u32, key: u64) -> Next {
        let frame = &self.frames[caller];
        let (counted, from) = (frame.counted, frame.at());
        let call = plan.call(frame.position);
        self.count(call.pool, counted, |tally| tally.attempts += 1);
        let relay = match call.through {
            Through::Nobody => NONE,
            Through::One(relay) => relay,
            Through::Any { first, count } => Self::any_relay(key, first, count),
            Through::Holder(balancer) => {
                let holder = self.holder(balancer, from);
                let Some(relay) = holder.and_then(|slot| plan.relay_of[slot]) else {
                    let index = self.send(call, caller, key, counted, (NONE, NONE));
                    self.frames[index].state = State::Lost;
                    return Next::Idle;
                };
                relay
            }
        };
        let first = if relay == NONE {
            let Some(slot) = self.next_in_turn(plan, caller, call) else {
                self.count(call.pool, counted, |tally| tally.attempts_refused += 1);
                self.frames[caller].latest = NONE;
                return Next::TryFailed(caller);
            };
            slot
        } else {
            self.relays[relay as usize].slot
        };
        let index = self.send(call, caller, key, counted, (relay, NONE));
        self.frames[index].way = key;
        self.set_out(plan, index, (from, first))
    }

    /// An attempt leaves its caller for the slot or instance that it goes to first.
    pub(super) fn set_out(
        &mut self,
        plan: &Plan<'a>,
        index: u32,
        (from, first): (Option<SlotId>, SlotId),
    ) -> Next {
        let now = self.now;
        let frame = &mut self.frames[index];
        frame.since = now;
        frame.wait = if frame.relay == NONE {
            frame.slot = first.index() as u32;
            Wait::AtSlot
        } else {
            Wait::AtRelay
        };
        self.depart(plan, index, (from, first), (FRONT, THERE))
    }

    /// An attempt leaves for a slot or instance; what happens there is in its `wait`.
    fn depart(
        &mut self,
        plan: &Plan<'a>,
        index: u32,
        (from, to): (Option<SlotId>, SlotId),
        part: (u64, u64),
    ) -> Next {
        let key = self.frames[index].way;
        let takes = if self.regime.reaches(from, to) {
            self.one_way(plan, (from, Some(to)), key, part)
        } else {
            None
        };
        let frame = &mut self.frames[index];
        let Some(takes) = takes else {
            frame.state = State::Lost;
            return Next::Idle;
        };
        frame.state = State::Away;
        if takes.is_zero() {
            return self.arrive_at(plan, index);
        }
        frame.due = self.agenda.push(self.now + takes, WORK, index);
        Next::Idle
    }

    /// An attempt is where it was on its way to.
    #[inline(never)]
    pub(super) fn arrive_at(&mut self, plan: &Plan<'a>, index: u32) -> Next {
        debug_assert!(self.frames[index].kind == Kind::Attempt);
        let frame = &mut self.frames[index];
        frame.due = 0;
        match frame.wait {
            Wait::AtRelay => self.at_relay(plan, index),
            Wait::AtSlot => self.at_slot(plan, index),
            wait => self.at_home(plan, index, wait),
        }
    }

    fn at_relay(&mut self, plan: &Plan<'a>, index: u32) -> Next {
        let frame = &mut self.frames[index];
        debug_assert!(frame.parent != NONE, "one that is closed does not get here");
        let (relay, key) = (frame.relay, frame.way);
        frame.state = State::Lost;
        let instance = self.relays[relay as usize].slot;
        if frame.cut_front {
            return Next::Idle;
        }
        match self.regime.slots[instance] {
            SlotState::Serving if self.relay_errs(instance, key) => {
                self.send_back(plan, index, Wait::HomeRefused, FRONT)
            }
            SlotState::Serving => self.forward(plan, index),
            SlotState::Refusing | SlotState::Standby => {
                self.send_back(plan, index, Wait::HomeRefused, FRONT)
            }
            SlotState::Silent | SlotState::Hung => Next::Idle,
            SlotState::Paused => {
                let frame = &mut self.frames[index];
                (frame.state, frame.wait) = (State::Held, Wait::Enter);
                Next::Idle
            }
        }
    }

    /// A running instance chooses a member and sends the attempt on.
    pub(super) fn forward(&mut self, plan: &Plan<'a>, index: u32) -> Next {
        let frame = &self.frames[index];
        let (caller, relay, key) = (frame.parent, frame.relay, frame.draws.key());
        let call = plan.call(self.frames[caller].position);
        let fresh = self.frames[caller].tried == 0;
        let Some((slot, member)) = self.choose(plan, (caller, fresh), call, relay, key) else {
            return self.send_back(plan, index, Wait::HomeRefused, FRONT);
        };
        self.connect(index, member);
        let frame = &mut self.frames[index];
        frame.slot = slot.index() as u32;
        frame.wait = Wait::AtSlot;
        let instance = self.relays[relay as usize].slot;
        self.depart(plan, index, (Some(instance), slot), (BACK, THERE))
    }

    fn at_slot(&mut self, plan: &Plan<'a>, index: u32) -> Next {
        let frame = &mut self.frames[index];
        let (caller, counted, key) = (frame.parent, frame.counted, frame.draws.key());
        let slot = SlotId::from_index(frame.slot as usize);
        let cut = if frame.relay == NONE {
            frame.cut_front
        } else {
            frame.cut_back
        };
        frame.state = State::Lost;
        let state = self.regime.slots[slot];
        let heard = !cut && state != SlotState::Silent;
        if caller == NONE {
            let station = &self.stations[slot];
            let free = station.busy < station.workers || self.share_accepts(slot);
            if !heard || state != SlotState::Serving || !free {
                self.drop_attempt(index);
                return Next::Idle;
            }
        } else if !heard {
            return Next::Idle;
        } else {
            let call = plan.call(self.frames[caller].position);
            let refused = matches!(state, SlotState::Refusing | SlotState::Standby)
                || state == SlotState::Serving
                    && call.served_by == ServedBy::Quorum
                    && !self.has_quorum(plan, call.pool, slot);
            if refused {
                return self.send_back(plan, index, Wait::HomeRefused, BACK);
            }
        }
        if matches!(state, SlotState::Hung | SlotState::Paused) {
            if !self.stuck_accepts(slot) {
                return self.send_back(plan, index, Wait::HomeShed, BACK);
            }
            self.wait_at_stuck(plan, slot, index, key);
            return Next::Idle;
        }
        if self.share_accepts(slot) {
            self.wait_at_stuck(plan, slot, index, key);
            return Next::Idle;
        }
        let now = self.now;
        let station = &mut self.stations[slot];
        let free = station.busy < station.workers;
        if !free && station.waiting >= station.queue {
            return self.send_back(plan, index, Wait::HomeShed, BACK);
        }
        station.busy += u32::from(free);
        self.frames[index].since = now;
        if free {
            let pool = plan.operation(self.frames[index].what).pool;
            self.count(pool, counted, |tally| tally.served += 1);
            self.serve_impaired(plan, index);
        } else {
            self.enqueue(plan, slot, index, key);
        }
        Next::Idle
    }

    /// How long what is sent to the slot of an attempt takes to get there from its caller; `None` if it
    /// never does.
    pub(super) fn way_there(&self, plan: &Plan<'a>, index: u32) -> Option<SimSpan> {
        if !self.far {
            return Some(SimSpan::ZERO);
        }
        let frame = &self.frames[index];
        let caller = self.frames[frame.parent].at();
        self.one_way(plan, (caller, frame.at()), frame.way, (FRONT, THERE))
    }

    /// How long the way home of an attempt takes from the instance ([`FRONT`]) or slot ([`BACK`]).
    fn way_home(&self, plan: &Plan<'a>, index: u32, from: u64) -> Option<SimSpan> {
        let frame = &self.frames[index];
        let caller = self.frames[frame.parent].at();
        let key = frame.way;
        if frame.relay == NONE {
            return self.one_way(plan, (frame.at(), caller), key, (FRONT, HOME));
        }
        let instance = Some(self.relays[frame.relay as usize].slot);
        let front = self.one_way(plan, (instance, caller), key, (FRONT, HOME))?;
        if from == FRONT {
            return Some(front);
        }
        let back = self.one_way(plan, (frame.at(), instance), key, (BACK, HOME))?;
        Some(front.saturating_add(back))
    }

    /// How much later a caller notices that the slot of an attempt, or the instance, has closed the
    /// connection.
    pub(super) fn notices_in(&self, plan: &Plan<'a>, index: u32, at_slot: bool) -> Option<SimSpan> {
        if !self.far {
            return Some(SimSpan::ZERO);
        }
        self.way_home(plan, index, if at_slot { BACK } else { FRONT })
    }

    /// An answer, or what stands for one, goes home.
    pub(super) fn send_back(&mut self, plan: &Plan<'a>, index: u32, wait: Wait, from: u64) -> Next {
        let takes = self.way_home(plan, index, from);
        let frame = &mut self.frames[index];
        frame.wait = wait;
        let Some(takes) = takes else {
            frame.state = State::Lost;
            return Next::Idle;
        };
        if takes.is_zero() {
            return self.at_home(plan, index, wait);
        }
        frame.state = State::Away;
        frame.due = self.agenda.push(self.now + takes, WORK, index);
        Next::Idle
    }

    /// An instance sends back what it held.
    pub(super) fn send_on(&mut self, plan: &Plan<'a>, index: u32, wait: Wait) -> Next {
        self.send_back(plan, index, wait, FRONT)
    }

    /// An attempt has waited too long at its slot, which says so.
    pub(super) fn send_shed(&mut self, plan: &Plan<'a>, index: u32) -> Next {
        self.send_back(plan, index, Wait::HomeShed, BACK)
    }

    /// The slot is done with an attempt; whether its answer takes time on its way.
    pub(super) fn leave_slot(&mut self, plan: &Plan<'a>, index: u32, succeeded: bool) -> bool {
        let takes = self.way_home(plan, index, BACK);
        if takes == Some(SimSpan::ZERO) {
            return false;
        }
        let frame = &mut self.frames[index];
        let slot = SlotId::from_index(frame.slot as usize);
        frame.wait = if succeeded {
            Wait::Home
        } else {
            Wait::HomeError
        };
        (frame.state, frame.due) = match takes {
            Some(takes) => (State::Away, self.agenda.push(self.now + takes, WORK, index)),
            None => (State::Lost, 0),
        };
        let (counted, busy) = (frame.counted, self.now.since(frame.since));
        let pool = plan.operation(frame.what).pool;
        self.count(pool, counted, |tally| {
            tally.busy_ns += u128::from(busy.as_nanos())
        });
        self.free_worker(plan, slot);
        true
    }

    /// An answer, or what stands for one, is back at the caller.
    fn at_home(&mut self, plan: &Plan<'a>, index: u32, wait: Wait) -> Next {
        let succeeded = wait == Wait::Home;
        let way_back = self.way_back(index);
        let frame = &mut self.frames[index];
        debug_assert!(frame.parent != NONE, "one that is closed does not get here");
        frame.state = State::Lost;
        if frame.cut_front || frame.cut_back || way_back == SlotState::Hung {
            return Next::Idle;
        }
        if way_back == SlotState::Paused {
            frame.state = State::Held;
            frame.wait = if succeeded {
                Wait::Back
            } else {
                Wait::BackError
            };
            frame.base &= wait == Wait::HomeError;
            return Next::Idle;
        }
        let (caller, member) = (frame.parent, frame.member);
        let (degraded, base) = (frame.degraded, frame.base && wait == Wait::HomeError);
        if matches!(wait, Wait::HomeRefused | Wait::HomeShed) {
            self.end_failed(plan, index);
        } else {
            self.tell_answer(plan, index, succeeded);
        }
        // As where the network takes no time: who refuses closes the connection, all else is an answer.
        self.unlink(plan, index, wait != Wait::HomeRefused);
        let (pool, counted) = self.part(plan, index);
        self.count(pool, counted, |tally| match wait {
            Wait::Home => tally.attempts_answered += 1,
            Wait::HomeRefused => tally.attempts_refused += 1,
            Wait::HomeShed => tally.attempts_shed += 1,
            _ => tally.attempts_failed += 1,
        });
        if self.answers.awaited > 0 && wait == Wait::Home {
            let frame = &self.frames[index];
            self.note_answer(plan, frame.what, frame.slot);
        }
        self.drop_attempt(index);
        self.frames[caller].latest = member;
        self.hear(caller, succeeded, (degraded, base))
    }

    /// The connection of an attempt on its way is closed, or its caller has stopped: what is on its way
    /// to a slot arrives there for nobody, the rest is gone.
    pub(super) fn close_away(&mut self, index: u32) {
        if self.frames[index].wait == Wait::AtSlot {
            self.disconnect(index);
        } else {
            self.drop_attempt(index);
        }
    }
}
