//! Connections that callers keep to what they call: taken, opened, waited for, given back, gone.
//!
//! Each slot of a service has a pool of them, a *line*, for each address: a slot of what it calls
//! directly, or an instance of the balancer in between. The idle one that was used last is taken first, so if
//! that has been idle for too long, so have all others, and nobody needs a timer to close them: a line
//! remembers since when each is idle, and looks when one is wanted.
//!
//! An attempt that needs a connection has a frame from the beginning, so that its timeout runs while it
//! waits. It is *linking* until it has one; then it goes where it would have gone without. What is
//! silent or hangs keeps the connection of each attempt until the caller gives up, and the others wait:
//! that is how one slow dependency stops all calls to it. A connection is opened at the cost of the
//! caller only.
//!
//! Over links that take time, who opens one first waits for their round trip, or for the refusal that
//! comes back (`travel.rs`). While a link is cut, the connections over it stay: each hangs with the
//! attempt that takes it, and is closed when that is given up.

use super::attempt::{Target, nanos};
use super::call::Next;
use super::frames::{Kind, NONE, State, Wait, channel_draws};
use super::plan::{CallPlan, Plan, Through};
use super::stretch::{PAUSE, Stretch, WORK};
use crate::ids::{ChannelId, Id, IdVec, SlotId};
use crate::model::{ChannelTo, ServedBy, System};
use crate::path::SlotState;
use crate::random::Dist;
use crate::time::{SimSpan, SimTime};

/// What all lines of one kind have in common.
#[derive(Clone, Debug)]
struct ChannelPlan<'a> {
    to: ChannelTo,
    /// Its first line: caller by caller, address by address.
    first: u32,
    addresses: u32,
    callers: u32,
    /// The first instance, if it leads to a balancer, as a row of `Plan::relays`.
    relay: u32,
    max: u32,
    queue: u32,
    setup: &'a Dist,
    idle_timeout: SimSpan,
    wait: Option<SimSpan>,
}

/// The connections of one slot to one address.
#[derive(Clone, Debug)]
struct Line {
    channel: ChannelId,
    /// In use or being opened.
    busy: u32,
    waiting: u32,
    /// Those that wait, in order.
    first: u32,
    last: u32,
    /// Since when each idle one is, the latest last.
    idle: Vec<SimTime>,
}

/// All connections.
#[derive(Clone, Debug)]
pub(super) struct Channels<'a> {
    plans: IdVec<ChannelId, ChannelPlan<'a>>,
    lines: Vec<Line>,
}

impl<'a> Channels<'a> {
    pub(super) fn new(plan: &Plan<'a>) -> Self {
        let system: &'a System = plan.system;
        let mut lines = Vec::new();
        let mut plans = IdVec::new();
        for (id, channel) in system.channels.pairs() {
            let callers = system.pools[channel.from].slots.len();
            let addresses = channel.addresses(system);
            let relay = match channel.to {
                ChannelTo::Pool(_) => None,
                ChannelTo::Balancer(balancer) => plan.relay_of[system.balancers[balancer].slots[0]],
            };
            plans.push(ChannelPlan {
                to: channel.to,
                first: lines.len() as u32,
                addresses: addresses as u32,
                callers: callers as u32,
                relay: relay.unwrap_or(NONE),
                max: channel.max.unwrap_or(u32::MAX),
                queue: channel.queue.unwrap_or(u32::MAX),
                setup: &channel.setup,
                idle_timeout: channel.idle_timeout,
                wait: channel.wait,
            });
            lines.resize(
                lines.len() + callers * addresses,
                Line {
                    channel: id,
                    busy: 0,
                    waiting: 0,
                    first: NONE,
                    last: NONE,
                    idle: Vec::new(),
                },
            );
        }
        Self { plans, lines }
    }

    /// The connections of `of`, which has the same lines.
    pub(super) fn copy_from(&mut self, of: &Self) {
        for (mine, line) in self.lines.iter_mut().zip(&of.lines) {
            (mine.busy, mine.waiting) = (line.busy, line.waiting);
            (mine.first, mine.last) = (line.first, line.last);
            mine.idle.clone_from(&line.idle);
        }
    }

    /// None is open.
    pub(super) fn clear(&mut self) {
        for line in &mut self.lines {
            (line.busy, line.waiting) = (0, 0);
            (line.first, line.last) = (NONE, NONE);
            line.idle.clear();
        }
    }
}

impl<'a> Stretch<'a> {
    /// An attempt of the current call of `caller`, which needs a connection.
    #[inline(never)]
    pub(super) fn attempt_linked(
        &mut self,
        plan: &Plan<'a>,
        (caller, channel): (u32, ChannelId),
        call: &CallPlan<'a>,
        (key, counted): (u64, bool),
    ) -> Next {
        let known = &self.channels.plans[channel];
        let (first, addresses) = (known.first, known.addresses);
        let (max, queue, relays) = (known.max, known.queue, known.relay);
        let (idle_timeout, wait) = (known.idle_timeout, known.wait);
        let (relay, address) = match call.through {
            Through::Nobody => match self.next_in_turn(plan, caller, call) {
                Some(slot) => (NONE, plan.system.slots[slot].index),
                None => return self.refused(caller, call, counted),
            },
            through => match self.relay_for(plan, through, self.frames[caller].at(), key) {
                Some(relay) => (relay, relay - relays),
                None => {
                    // There is nobody at the address.
                    let index = self.send(call, caller, key, counted, (NONE, NONE));
                    self.frames[index].state = State::Lost;
                    return Next::Idle;
                }
            },
        };
        let from = self.frames[caller].slot;
        let of_caller = plan.system.slots[SlotId::from_index(from as usize)].index;
        let row = first + of_caller * addresses + address;
        let line = &mut self.channels.lines[row as usize];
        let now = self.now;
        let latest = line.idle.pop();
        let reused = latest.is_some_and(|since| now.since(since) < idle_timeout);
        if !reused {
            line.idle.clear();
        }
        if !reused && line.busy >= max {
            self.count_link(channel, counted, |tally| tally.wanted += 1);
            let line = &mut self.channels.lines[row as usize];
            if line.waiting >= queue || wait.is_some_and(SimSpan::is_zero) {
                self.count_link(channel, counted, |tally| tally.shed += 1);
                self.count(call.pool, counted, |tally| tally.attempts_shed += 1);
                self.frames[caller].latest = NONE;
                return Next::TryFailed(caller);
            }
            let index = self.send(call, caller, key, counted, (relay, NONE));
            self.frames[index].way = key;
            self.join_line(row, index, wait);
            return Next::Idle;
        }
        let reach = (!reused).then(|| self.reach(plan, row));
        let opens_in = match reach {
            None => Some(SimSpan::ZERO),
            Some(Reach::Silent) => None,
            Some(reach) => self.opens_in(plan, row, key, reach),
        };
        let refused = reach == Some(Reach::Refuses);
        if refused && opens_in == Some(SimSpan::ZERO) {
            return self.refused(caller, call, counted);
        }
        self.channels.lines[row as usize].busy += 1;
        self.count_link(channel, counted, |tally| {
            tally.wanted += 1;
            tally.reused += u64::from(reused);
            tally.opened += u64::from(!reused);
        });
        let index = self.send(call, caller, key, counted, (relay, NONE));
        let frame = &mut self.frames[index];
        (frame.line, frame.way) = (row, key);
        if opens_in == Some(SimSpan::ZERO) {
            return self.deliver(plan, index);
        }
        self.await_opening(plan, index, opens_in, refused);
        Next::Idle
    }

    /// How long the connection of a line for the attempt `key` takes to open, or to be refused; `None` if
    /// there is never an answer.
    fn opens_in(&self, plan: &Plan<'a>, row: u32, key: u64, reach: Reach) -> Option<SimSpan> {
        let ends = (self.caller(plan, row), self.address(plan, row));
        let packets = self.handshake(plan, ends, key)?;
        if reach == Reach::Refuses {
            return Some(packets);
        }
        let channel = self.channels.lines[row as usize].channel;
        let setup = self.channels.plans[channel].setup;
        let takes = nanos(setup.sample(&mut channel_draws(key)));
        Some(packets.saturating_add(takes))
    }

    /// An attempt has a place in a line, and waits for its connection to open or for the refusal.
    fn await_opening(
        &mut self,
        plan: &Plan<'a>,
        index: u32,
        opens_in: Option<SimSpan>,
        refused: bool,
    ) {
        let address = self.address(plan, self.frames[index].line);
        let frame = &mut self.frames[index];
        (frame.state, frame.wait) = (State::Linking, Wait::Linked);
        let Some(opens_in) = opens_in else {
            (frame.state, frame.due) = (State::Lost, 0);
            return;
        };
        if refused && !opens_in.is_zero() {
            (frame.state, frame.wait) = (State::Away, Wait::HomeRefused);
            if frame.relay == NONE {
                frame.slot = address.index() as u32;
            }
        }
        frame.due = self.agenda.push(self.now + opens_in, WORK, index);
    }

    fn refused(&mut self, caller: u32, call: &CallPlan<'a>, counted: bool) -> Next {
        self.count(call.pool, counted, |tally| tally.attempts_refused += 1);
        self.frames[caller].latest = NONE;
        Next::TryFailed(caller)
    }

    /// An attempt waits for a connection of a line.
    fn join_line(&mut self, row: u32, index: u32, wait: Option<SimSpan>) {
        let line = &mut self.channels.lines[row as usize];
        let last = std::mem::replace(&mut line.last, index);
        line.waiting += 1;
        if last == NONE {
            line.first = index;
        } else {
            self.frames[last].after = index;
        }
        let now = self.now;
        let frame = &mut self.frames[index];
        (frame.line, frame.state, frame.since) = (row, State::Linking, now);
        (frame.before, frame.after) = (last, NONE);
        frame.wait = Wait::Channel;
        let Some(wait) = wait else { return };
        frame.due = self.agenda.push(now + wait, PAUSE, index);
        let frames = &self.frames;
        self.agenda
            .sweep(|payload, ticket| frames[payload].due == ticket);
    }

    /// Takes an attempt that waits for a connection out of its line.
    fn leave_line(&mut self, index: u32) -> ChannelId {
        let frame = &mut self.frames[index];
        let row = std::mem::replace(&mut frame.line, NONE);
        let (before, after) = (frame.before, frame.after);
        (frame.before, frame.after) = (NONE, NONE);
        let waited = self.now.since(frame.since);
        let counted = frame.counted;
        let line = &mut self.channels.lines[row as usize];
        line.waiting -= 1;
        if before == NONE {
            line.first = after;
        } else {
            self.frames[before].after = after;
        }
        let line = &mut self.channels.lines[row as usize];
        if after == NONE {
            line.last = before;
        } else {
            self.frames[after].before = before;
        }
        let channel = line.channel;
        self.count_link(channel, counted, |tally| {
            tally.waited += 1;
            tally.wait_ns += u128::from(waited.as_nanos());
        });
        channel
    }

    /// The attempt does not need its connection any more, if it has one or waits for one; `alive`: the
    /// connection can be used again.
    #[inline(always)]
    pub(super) fn unlink(&mut self, plan: &Plan<'a>, index: u32, alive: bool) {
        if self.frames[index].line != NONE {
            self.give_back(plan, index, alive);
        }
    }

    #[inline(never)]
    fn give_back(&mut self, plan: &Plan<'a>, index: u32, alive: bool) {
        let frame = &mut self.frames[index];
        if frame.state == State::Linking && frame.wait == Wait::Channel {
            frame.due = 0;
            let counted = frame.counted;
            let channel = self.leave_line(index);
            return self.count_link(channel, counted, |tally| tally.left += 1);
        }
        let row = std::mem::replace(&mut frame.line, NONE);
        let now = self.now;
        let line = &mut self.channels.lines[row as usize];
        let next = line.first;
        if next == NONE {
            line.busy -= 1;
            if alive {
                line.idle.push(now);
            }
            return;
        }
        let channel = self.leave_line(next);
        let frame = &mut self.frames[next];
        frame.line = row;
        let counted = frame.counted;
        let key = frame.draws.key();
        let reach = (!alive).then(|| self.reach(plan, row));
        let opens_in = match reach {
            None => Some(SimSpan::ZERO),
            Some(reach) => self.opens_in(plan, row, key, reach),
        };
        self.count_link(channel, counted, |tally| {
            tally.reused += u64::from(alive);
            tally.opened += u64::from(!alive);
        });
        self.await_opening(plan, next, opens_in, reach == Some(Reach::Refuses));
    }

    /// An attempt has a connection: it goes on to whom it leads.
    pub(super) fn linked(&mut self, plan: &Plan<'a>, index: u32) -> Next {
        if self.impaired && self.hold_linking(index) {
            return Next::Idle;
        }
        self.deliver(plan, index)
    }

    /// An attempt has waited for a connection for as long as it may.
    pub(super) fn waited_for_link(&mut self, plan: &Plan<'a>, index: u32) -> Next {
        let counted = self.frames[index].counted;
        if self.frames[index].line != NONE {
            let channel = self.leave_line(index);
            self.count_link(channel, counted, |tally| tally.shed += 1);
        }
        if self.impaired && self.hold_linking(index) {
            return Next::Idle;
        }
        let caller = self.frames[index].parent;
        let (pool, counted) = self.part(plan, index);
        self.count(pool, counted, |tally| tally.attempts_shed += 1);
        self.drop_attempt(index);
        self.hear(caller, false, (false, false))
    }

    /// Whether the caller of an attempt that is linking is paused, and goes on with it afterwards.
    #[cold]
    fn hold_linking(&mut self, index: u32) -> bool {
        let caller = self.frames[self.frames[index].parent].at();
        let paused = caller.is_some_and(|slot| self.regime.slots[slot] == SlotState::Paused);
        self.frames[index].held = paused;
        paused
    }

    /// A slot that was paused goes on with the attempts that had or missed a connection meanwhile.
    pub(super) fn resume_links(&mut self, slot: SlotId) {
        if self.channels.lines.is_empty() {
            return;
        }
        let row = slot.index() as u32;
        for index in 0..self.frames.cells().len() as u32 {
            let frame = &self.frames[index];
            if frame.state != State::Linking || !frame.held || frame.parent == NONE {
                continue;
            }
            if self.frames[frame.parent].slot == row {
                let due = self.agenda.push(self.now, PAUSE, index);
                let frame = &mut self.frames[index];
                (frame.held, frame.due) = (false, due);
            }
        }
    }

    /// What somebody meets who opens a connection of a line.
    fn reach(&self, plan: &Plan<'a>, row: u32) -> Reach {
        let to = self.address(plan, row);
        if !self.regime.reaches(Some(self.caller(plan, row)), to) {
            return Reach::Silent;
        }
        match self.regime.slots[to] {
            SlotState::Serving | SlotState::Hung | SlotState::Paused => Reach::Answers,
            SlotState::Refusing | SlotState::Standby => Reach::Refuses,
            SlotState::Silent => Reach::Silent,
        }
    }

    /// The slot that keeps the connections of a line.
    fn caller(&self, plan: &Plan<'a>, row: u32) -> SlotId {
        let line = &self.channels.lines[row as usize];
        let known = &self.channels.plans[line.channel];
        let caller = plan.system.channels[line.channel].from;
        plan.system.pools[caller].slots[((row - known.first) / known.addresses) as usize]
    }

    /// The slot that the connections of a line lead to.
    fn address(&self, plan: &Plan<'a>, row: u32) -> SlotId {
        let line = &self.channels.lines[row as usize];
        let known = &self.channels.plans[line.channel];
        let address = ((row - known.first) % known.addresses) as usize;
        match known.to {
            ChannelTo::Pool(pool) => plan.system.pools[pool].slots[address],
            ChannelTo::Balancer(balancer) => plan.system.balancers[balancer].slots[address],
        }
    }

    /// Sends an attempt with a connection to where that leads.
    fn deliver(&mut self, plan: &Plan<'a>, index: u32) -> Next {
        let frame = &mut self.frames[index];
        debug_assert!(frame.kind == Kind::Attempt && frame.parent != NONE && frame.line != NONE);
        frame.state = State::Lost;
        let (caller, relay, row) = (frame.parent, frame.relay, frame.line);
        let key = frame.draws.key();
        let (from, fresh) = (self.frames[caller].at(), self.frames[caller].tried == 0);
        let call = plan.call(self.frames[caller].position);
        let target = if relay == NONE {
            let slot = self.address(plan, row);
            // Who led when the connection was asked for may lead no more.
            let deposed =
                call.served_by == ServedBy::Leader && self.regime.leaders[call.pool] != Some(slot);
            if deposed {
                super::attempt::REFUSED
            } else if self.far {
                return self.set_out(plan, index, (from, slot));
            } else {
                self.knock(plan, from, slot, call, NONE, NONE)
            }
        } else if self.far {
            let instance = self.relays[relay as usize].slot;
            return self.set_out(plan, index, (from, instance));
        } else {
            self.sent_to(plan, (caller, from, fresh), call, relay, key)
        };
        if let Target::Held { .. } = target {
            let frame = &mut self.frames[index];
            (frame.state, frame.wait) = (State::Held, Wait::Enter);
            return Next::Idle;
        }
        self.hand_on(plan, index, target)
    }

    /// A slot or instance has stopped: the idle connections to it are gone, and its own with it.
    pub(super) fn break_links(&mut self, plan: &Plan<'a>, slot: SlotId) {
        for (id, channel) in plan.system.channels.pairs() {
            let known = &self.channels.plans[id];
            let place = plan.system.slots[slot].index;
            let leads = match channel.to {
                ChannelTo::Pool(pool) => plan.pool_of(slot) == Some(pool),
                ChannelTo::Balancer(to) => {
                    plan.relay_of[slot].is_some_and(|relay| plan.relays[relay as usize].0 == to)
                }
            };
            if leads {
                for caller in 0..known.callers {
                    let row = known.first + caller * known.addresses + place;
                    self.channels.lines[row as usize].idle.clear();
                }
            }
            if plan.pool_of(slot) == Some(channel.from) {
                let row = (known.first + place * known.addresses) as usize;
                for line in &mut self.channels.lines[row..row + known.addresses as usize] {
                    line.idle.clear();
                }
            }
        }
    }

    /// The tally of these connections, if `counted`.
    #[inline]
    fn count_link(
        &mut self,
        channel: ChannelId,
        counted: bool,
        add: impl FnOnce(&mut super::ChannelTally),
    ) {
        if counted {
            add(&mut self.tally.channels[channel]);
        }
    }

    /// Counts who waits for a connection when a stretch ends.
    pub(super) fn finish_links(&mut self) {
        if self.channels.lines.is_empty() {
            return;
        }
        for frame in self.frames.cells() {
            let waits = frame.state == State::Linking && frame.wait == Wait::Channel;
            if frame.counted && waits && frame.line != NONE {
                let channel = self.channels.lines[frame.line as usize].channel;
                self.tally.channels[channel].waiting += 1;
            }
        }
    }
}

#[cfg(test)]
impl Stretch<'_> {
    /// Whether lines and frames agree.
    pub(super) fn audit_links(&self) {
        let frames = self.frames.cells();
        for (line, row) in self.channels.lines.iter().zip(0_u32..) {
            let known = &self.channels.plans[line.channel];
            let there = |waits: bool| {
                let mine = frames.iter().filter(|frame| frame.line == row);
                let waiting = mine.filter(|frame| {
                    waits == (frame.state == State::Linking && frame.wait == Wait::Channel)
                });
                waiting.count() as u32
            };
            assert_eq!((line.busy, line.waiting), (there(false), there(true)));
            assert!(line.busy <= known.max && line.waiting <= known.queue);
            assert!(line.waiting == 0 || line.busy == known.max);
            assert!(line.idle.is_sorted());
            let (mut next, mut last, mut count) = (line.first, NONE, 0);
            while next != NONE {
                let frame = &frames[next as usize];
                assert_eq!((frame.line, frame.before), (row, last));
                (last, next, count) = (next, frame.after, count + 1);
            }
            assert_eq!((line.last, line.waiting), (last, count));
        }
    }
}

/// What somebody meets who opens a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// It is opened.
    Answers,
    /// It is refused at once.
    Refuses,
    /// There is no answer.
    Silent,
}
