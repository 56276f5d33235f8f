//! The fast clock: requests through the real per-request algorithms, over any stretch of a path.
//!
//! The driver of [`Traffic`] hands it a [`Regime`], lets it run, and applies each [`Signal`] of the path at its
//! instant; it knows nothing of faults, probes or elections. Inside are two engines of one meaning: one goes from
//! event to event, the other, where systems allow it and until something changes, from arrival to arrival (`ahead`).
//!
//! # Rules
//!
//! **Requests.** A request is one run of a journey: its calls, one after the other. A call is up to
//! `1 + retries.max` attempts with pauses in between. An attempt goes to a slot: a free worker
//! serves it; else it queues, first in first out unless its pool has another
//! [discipline](crate::model::Discipline); if the queue is full, or when it has waited for
//! `queue_timeout`, it is refused (*shed*). Being
//! served means the operation's own time, then the operation's calls while holding the worker, then
//! the answer. With the operation's probability `fails` its own work ends in an error: the calls are
//! not made, and the attempt has failed. The network takes no time.
//!
//! **Success and failure.** After an answer, with probability `1 - hit`, the calls of `on_miss` are
//! made, and one that fails fails the call. When all attempts have failed, the calls of `on_failure`
//! are made instead, if there are any, and decide. An optional call that fails leaves the answer
//! *degraded*; any other fails the attempt that made it at once, which its own caller may retry.
//!
//! **At the same time.** Calls of a fork begin together, each with its own attempts. When `wait_for`
//! of them have succeeded the fork has, and fails as soon as that is impossible; what is still in
//! progress is then let go as after a time-out, and is neither a success nor a failure of who serves
//! it (*abandoned*). A call with a chance is drawn anew for each run of its caller; one that is not
//! made counts as done.
//!
//! **Deadlines.** An attempt whose `timeout` is over has failed for its caller: it leaves the queue,
//! or its slot works on for nobody; where the call passes its deadline on, the slot stops at that
//! instant, as if it were told, with the calls it makes, and its worker is free. (A caller whose slot
//! has stopped tells nobody.) A call whose own `deadline` is over lets go its attempt or pause in the
//! same way, and has failed. A user whose patience is over leaves: the request has failed, and
//! its attempt is let go in the same way. An answer exactly at a deadline has come in time. At one
//! instant the order is: changes of control, work done, pauses and waits in a queue over, attempts
//! timing out, calls, users leaving, requests arriving; within each, in the order of scheduling.
//!
//! **Targets that are down.** A slot that refuses fails the attempt at once. A silent slot, and one
//! that is cut off from the caller, gives no answer: the attempt ends by its timeout or the user's
//! patience, and where there is neither it stays in flight to the end of the stretch. When a slot
//! begins to refuse, what is queued or served there is *reset*, and the callers learn at that instant;
//! when it falls silent, they learn from their own timers. Calls that a stopped slot was making are
//! *abandoned*: who serves them works on. Once cut off, an attempt is never answered, even if the
//! islands join again. When a balancer instance stops, the attempts through it are reset or fall
//! silent in the same way, and what had reached a member is worked on there. A move of a balancer's
//! address leaves the attempts through the old holder alone.
//!
//! **Targets that hang.** The slot accepts every connection and answers none; what was in progress
//! there is over. Calls that it was making are abandoned. When its process is restarted, the
//! connections to it are reset.
//!
//! **Targets that are paused.** Connections are accepted and queue, up to workers and queue together;
//! nothing is worked on. Work in progress goes on afterwards where it was. A call that the slot makes
//! goes on where it is served, but the slot notices answers, resets and its own deadlines, those of
//! its queue too, only afterwards: whichever came first counts.
//!
//! **Targets that are impaired.** Work at a slow slot takes `factor` times as long; of work in progress
//! it is what is left that does. A slot with errors answers that share of its attempts, each by its
//! own chance, with an error as soon as a worker takes them, before any work: as a rule, a process
//! that has lost what it needs fails fast. (A balancer that looks at connections only will prefer it.)
//! A caller may retry an error like any failure. Handing on takes a balancer no time, so a slow one
//! is as fast as any.
//!
//! **Balancer instances that hang or are paused.** One that hangs accepts connections, and neither
//! hands on what comes nor brings back answers; restarted, it resets them. One that is paused hands
//! on afterwards what came meanwhile, and brings back the answers it has missed.
//!
//! **Balancers.** With failover, users reach the holder of the address; without, an instance drawn
//! uniformly from all of them. The instance chooses among the members it believes up and its call
//! has not tried (all of them again when all were tried); if it believes none up it refuses. It counts
//! an attempt as in progress until the attempt ends or its caller gives up; a restart empties its
//! tables. Where it has a slow start, a member that comes back into its view has a growing weight; as a stretch begins,
//! all have their whole one. An operation that only the leader serves goes to the leader.
//!
//! **Calls without balancer** take the pool's slots in turn, whatever their state, one turn for each
//! call site. An operation of the leader goes to the leader, and is refused while there is none. One
//! that needs a quorum is refused by a member that does not see a majority of all members running.
//!
//! **Connections.** Where a service keeps connections, an attempt first needs one to the slot or the
//! instance that it goes to: an idle one, or a new one, which takes its time, or one for which it waits
//! in order of arrival. It keeps it until the attempt ends for its caller. After an answer, an error
//! included, the connection is idle; a caller that stops waiting closes it, and a new one is opened for
//! the next that waits. The idle ones to a slot that stops are gone, and so are all of a caller that
//! stops. An attempt that waits for longer than it may, or finds too many waiting, is *shed*. One to a
//! slot that is silent holds its connection until it times out.
//!
//! **Probes** that workers answer queue like attempts, after those that came before them, and take a worker for
//! as long as they say. See `probers`.
//!
//! **Messages.** When a broker has done its work for an attempt to publish, the queue has a message, or
//! the attempt has failed if it was full; nothing that becomes of the message concerns the publisher. Free
//! workers of the consumer take messages in order while the broker runs. A delivery is an attempt at the
//! consumer's operation; its answer acknowledges the message, unless the broker is down. Without an
//! acknowledgement the message joins the queue again `redelivers_after` after the delivery began, or is a
//! dead letter if it was delivered as often as it may. Whoever was at work on it works on.
//!
//! **Causes.** A failed request is attributed to the fault its journey suffers from when it fails;
//! within `settle` after the last one has gone, or while slices have been bad without a break since it was
//! there, to that one, warming up; else to `base` if the latest
//! attempt of the call that decided was answered with an operation's own error, or with a failure that
//! came of one; else to the load.
//!
//! # What it costs
//!
//! Nothing is allocated once the tables have grown to the work in progress. Their growth is bounded
//! ([`Traffic::set_frame_limit`]): a backlog that goes beyond ends the stretch with
//! [`Traffic::overflowed`].
//!
//! Everything a request draws comes from its own key, by a path of numbers that depends on its own
//! calls only: the draws of one request never depend on another, and every stretch that covers a
//! request sees the same one.

mod ahead;
mod answers;
mod arrivals;
mod askers;
mod attempt;
mod bins;
mod blame;
mod branch;
mod broker;
mod call;
mod channels;
mod crowd;
mod discipline;
mod ejection;
mod fates;
mod fork;
mod frames;
mod impaired;
mod importance;
mod leave;
mod plan;
mod probers;
mod queue;
mod refill;
mod relay;
mod sharing;
mod signals;
mod slices;
mod stretch;
mod tally;
#[cfg(test)]
mod tests;
mod travel;
mod turn;

pub use ahead::{WhyEvents, arrival_driven};
pub use arrivals::Source;
pub use askers::Asking;
pub use bins::{Bin, BinSettings, BinView};
pub use branch::{Failed, splits};
pub use fates::Fate;
pub use importance::Importance;
pub use tally::{
    BadRun, ChannelTally, Counts, JourneyTally, PoolTally, ProbeTally, QueueTally, SliceTally,
    Tally, TrafficSettings, UserTally,
};

use crate::engine::{PAYLOAD_LIMIT, Rings};
use crate::ids::{IdVec, JourneyId, PoolId, SlotId, WorkloadId};
use crate::model::System;
use crate::path::{ProbeNews, Regime, Signal};
use crate::time::{SimSpan, SimTime};
use ahead::Ahead;
use askers::Askers;
use plan::Plan;
use stretch::{Halt, Stretch};

/// Requests and attempts in progress, at most, unless [`Traffic::set_frame_limit`] says otherwise:
/// 4 million, half a gigabyte. A backlog beyond that is not a state anybody plans for.
pub const FRAME_LIMIT: u32 = 4_000_000;

/// How requests are simulated. Both ways give the same counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// From arrival to arrival where the system and the regime allow it, else by events.
    Automatic,
    /// By events.
    Events,
}

/// The fast clock. One is made for each thread and used for many stretches.
#[derive(Clone, Debug)]
pub struct Traffic<'a> {
    plan: Plan<'a>,
    stretch: Stretch<'a>,
    /// The arrival-driven engine, where it can run this system.
    ahead: Option<Box<Ahead<'a>>>,
    /// Made when it is needed.
    askers: Option<Box<Askers<'a>>>,
}

impl<'a> Traffic<'a> {
    /// An engine for `system`, idle: nothing happens before [`begin`](Self::begin).
    pub fn new(system: &'a System, settings: TrafficSettings) -> Self {
        Self::with_engine(system, settings, Engine::Automatic)
    }

    /// The same with the say how requests are simulated.
    pub fn with_engine(system: &'a System, settings: TrafficSettings, engine: Engine) -> Self {
        let mut rings = Rings::new();
        let plan = Plan::new(system, &mut rings);
        let stretch = Stretch::new(&plan, rings, &settings, FRAME_LIMIT);
        let ahead = match engine {
            Engine::Automatic => Ahead::new(&plan).ok().map(Box::new),
            Engine::Events => None,
        };
        Self {
            plan,
            stretch,
            ahead,
            askers: None,
        }
    }

    /// Begins a stretch at `from` under `regime`: queues are empty, turns are at their start, and
    /// the requests of `source` arrive from `from` on. What was tallied before stays; what was in
    /// progress without [`finish`](Self::finish) is dropped.
    pub fn begin(&mut self, regime: &Regime, from: SimTime, source: Source) {
        if let Some(ahead) = &mut self.ahead {
            ahead.end(&mut self.stretch);
        }
        self.stretch.begin(&self.plan, regime, from, source);
        if let Some(ahead) = &mut self.ahead {
            ahead.begin(&self.plan, &self.stretch, from);
        }
    }

    /// The arrival-driven engine, if it runs the stretch.
    #[inline]
    fn ahead(&self) -> Option<&Ahead<'a>> {
        self.ahead.as_deref().filter(|ahead| ahead.is_active())
    }

    /// Whether the stretch is run from arrival to arrival now, not by events.
    pub fn is_arrival_driven(&self) -> bool {
        self.ahead().is_some()
    }

    /// Counts the requests that arrive in `[from, to)`. Both lie on slice borders, `from` is not
    /// before now; further ranges come later and do not overlap. One that begins where the last
    /// one ends continues it.
    pub fn count(&mut self, from: SimTime, to: SimTime) {
        self.stretch.slices.count(from, to);
    }

    /// When the next event is due; [`SimTime::NEVER`] without any or after an overflow.
    pub fn next_time(&self) -> SimTime {
        match self.ahead() {
            Some(ahead) => ahead.next_time(&self.stretch),
            None => self.stretch.next_time(),
        }
    }

    /// Carries out one event, if there is one, or all of an instant.
    pub fn step(&mut self) {
        if let Some(ahead) = self.ahead.as_mut().filter(|ahead| ahead.is_active()) {
            return ahead.step(&self.plan, &mut self.stretch);
        }
        self.stretch.run(&self.plan, SimTime::NEVER, 1);
    }

    /// Carries out all events before `end`.
    pub fn run_until(&mut self, end: SimTime) {
        self.run_events(end, u64::MAX);
    }

    /// Carries out about `limit` events before `end`, for drivers that want to look up now and then.
    pub fn run_events(&mut self, end: SimTime, mut limit: u64) {
        if let Some(ahead) = self.ahead.as_mut().filter(|ahead| ahead.is_active()) {
            let arrived = ahead.run(&self.plan, &mut self.stretch, end, limit);
            if ahead.is_active() {
                return;
            }
            limit = limit.saturating_sub(arrived);
        }
        self.stretch.run(&self.plan, end, limit);
    }

    /// Carries out all events up to the one with which the last counted request in progress ends, or up to an
    /// overflow.
    pub fn run_out(&mut self) {
        if let Some(ahead) = self.ahead.as_mut().filter(|ahead| ahead.is_active()) {
            ahead.drain(&self.plan, &mut self.stretch);
        }
        while self.counted_in_flight() > 0 && !self.overflowed() {
            self.stretch.run(&self.plan, SimTime::NEVER, 1);
        }
    }

    /// The time of the last event or change carried out.
    pub fn now(&self) -> SimTime {
        self.stretch.now
    }

    /// A change of the control state at `at`; all events before `at` have been carried out, those at
    /// `at` not.
    pub fn apply(&mut self, at: SimTime, signal: Signal) {
        if let Some(ahead) = self.ahead.as_mut().filter(|ahead| ahead.is_active()) {
            ahead.hand_over(&self.plan, &mut self.stretch);
        }
        self.stretch.apply(&self.plan, at, signal);
    }

    /// Counted requests in progress.
    pub fn counted_in_flight(&self) -> u64 {
        self.stretch.counted_in_flight
    }

    /// Ends the stretch at `at`: counted requests and attempts in progress are in flight, slices are
    /// judged, and nothing happens until the next [`begin`](Self::begin).
    pub fn finish(&mut self, at: SimTime) {
        if let Some(ahead) = self.ahead.as_mut().filter(|ahead| ahead.is_active()) {
            ahead.finish(&mut self.stretch, at);
        }
        self.stretch.finish(&self.plan, at);
    }

    /// Everything counted since the last [`clear_tally`](Self::clear_tally); adds up after
    /// [`finish`](Self::finish).
    pub fn tally(&self) -> &Tally {
        &self.stretch.tally
    }

    /// Drains the runs of bad slices that have ended.
    pub fn take_runs(&mut self) -> Vec<BadRun> {
        self.stretch.tally.take_runs()
    }

    /// Sets all counts to zero.
    pub fn clear_tally(&mut self) {
        if let Some(ahead) = &mut self.ahead {
            ahead.clear_tally();
        }
        self.stretch.clear_tally();
    }

    /// Asks for the first good answer, not before `from`, to an operation that only the leader of `store`
    /// serves, by whoever leads it then. Stretches that begin do not forget it.
    pub fn await_answer(&mut self, store: PoolId, from: SimTime) {
        self.stretch.answers.wait_for(store, from);
    }

    /// None of the answers that are awaited comes before `from`: what is simulated of the time before it
    /// is known to have none.
    pub fn no_answer_before(&mut self, from: SimTime) {
        self.stretch.answers.none_before(from);
    }

    /// Whether any answer is awaited that has not come.
    pub fn awaits_answer(&self) -> bool {
        self.stretch.answers.awaited > 0
    }

    /// When the answer that was awaited of `store` came, once.
    pub fn take_answer(&mut self, store: PoolId) -> Option<SimTime> {
        self.stretch.answers.take(store)
    }

    /// Looks for requests of `source` from `from` on that are of `wanted` journeys; see
    /// [`next_asking`](Self::next_asking). A stretch in progress is left alone.
    pub fn seek_asking(
        &mut self,
        (source, from): (Source, SimTime),
        bursts: &IdVec<WorkloadId, bool>,
        wanted: &IdVec<JourneyId, bool>,
    ) {
        let system = self.plan.system;
        let askers = self
            .askers
            .get_or_insert_with(|| Box::new(Askers::new(system)));
        askers.begin(&self.plan, (source, from), bursts, wanted);
    }

    /// The next of them, among at most `most` requests.
    pub fn next_asking(&mut self, most: u64) -> Asking {
        match &mut self.askers {
            Some(askers) => askers.next(&self.plan, most),
            None => Asking::At(SimTime::NEVER),
        }
    }

    /// Whether control is on the same clock from now on, before the changes of this instant. As a stretch begins
    /// it is not, and instances leave out members with late probes by themselves. If it is,
    /// [`run_until`](Self::run_until) and the like return as soon as there are news for it, which are to be
    /// [taken](Self::take_news) before they go on.
    pub fn follow_probes(&mut self, follow: bool) {
        self.stretch.follow_probes(&self.plan, follow);
    }

    /// Whether control is to be told something before traffic goes on.
    pub fn has_news(&self) -> bool {
        self.stretch.halt == Halt::News
    }

    /// What control is to be told next.
    pub fn take_news(&mut self) -> Option<ProbeNews> {
        let (news, more) = self.stretch.probers.take_news();
        if self.stretch.halt == Halt::News && !more {
            self.stretch.halt = Halt::No;
        }
        news
    }

    /// The next probe of each instance and member starts when `start` says, or a whole number of intervals
    /// apart from that; not at all if it says `None`. Without this, phases are drawn.
    pub fn align_probes(&mut self, start: impl Fn(SlotId, u32) -> Option<SimTime>) {
        let now = self.stretch.now;
        self.stretch.probers.align(&self.plan, now, start);
    }

    /// Whether balancers with outlier detection have not settled: they have ejected somebody who answers, or remember it,
    /// or have not yet ejected for the longest time somebody who does not.
    pub fn is_ejecting(&self) -> bool {
        self.stretch.is_ejecting(&self.plan)
    }

    /// Where balancers eject members that do not answer again and again: from one ejection to the next, at the longest.
    pub fn ejection_turn(&self) -> Option<SimSpan> {
        self.stretch.ejection_turn(&self.plan)
    }

    /// No answer is awaited any more.
    pub fn forget_answers(&mut self) {
        self.stretch.answers.forget();
    }

    /// From now on it is written down what becomes of each request, or not. Only by events.
    pub fn watch_fates(&mut self, watch: bool) {
        self.stretch.fates.watched = watch;
        self.stretch.fates.list.clear();
    }

    /// What became of requests, and of pieces of a backlog, since that began, in the order of their ends.
    pub fn fates(&self) -> &[Fate] {
        &self.stretch.fates.list
    }

    /// The requests in progress, in no order: since when, and of which journey. Only by events.
    pub fn requests_in_progress(&self, into: &mut Vec<(SimTime, u32)>) {
        self.stretch.requests_in_progress(into);
    }

    /// At the beginning of a stretch, which goes by events: puts so much work that nobody waits for at each slot of
    /// each pool that serves, as far as there is room; how much these are together. Its draws are those of `source`.
    pub fn pile_up(&mut self, backlog: &IdVec<PoolId, u32>, source: Source) -> u32 {
        self.stretch.pile_up(&self.plan, backlog, source)
    }

    /// Callers without balancer take any slot instead of one after the other, the same in every run that comes to
    /// the call at the same instant. Only by events.
    pub fn take_turns_by_chance(&mut self) {
        let calls = self.plan.system.calls.len();
        self.stretch.chances = Some(IdVec::filled(SimTime::EPOCH, calls));
    }

    /// Requests, attempts and branches in progress, at most: 1 to 2^24 - 1.
    pub fn set_frame_limit(&mut self, limit: u32) {
        self.stretch
            .frames
            .set_limit(limit.clamp(1, PAYLOAD_LIMIT - 1));
    }

    /// Requests, attempts and branches in progress.
    pub fn frames_in_use(&self) -> u32 {
        match self.ahead() {
            Some(ahead) => ahead.live(),
            None => self.stretch.frames.live(),
        }
    }

    /// Whether the stretch stood still because the work in progress reached its limit. It can be
    /// finished; its figures describe it up to that moment.
    pub fn overflowed(&self) -> bool {
        self.stretch.halt == Halt::Overflow
    }
}
