//! The state of a stretch and its event loop: what is next, requests arriving and ending.

use super::answers::Answers;
use super::arrivals::{Arrivals, NOBODY, Source};
use super::attempt::nanos;
use super::blame::Blames;
use super::branch::Failures;
use super::broker::Brokers;
use super::call::Next;
use super::channels::Channels;
use super::fates::Fates;
use super::frames::{Frames, Kind, NONE, State, Wait, patience_draws};
use super::plan::Plan;
use super::probers::Probers;
use super::refill::Refills;
use super::relay::Relay;
use super::sharing::Sharing;
use super::slices::Slices;
use super::tally::{Tally, TrafficSettings};
use crate::engine::{Agenda, Due, Rings, Timer};
use crate::ids::{CallId, Id, IdVec, JourneyId, PoolId, SlotId};
use crate::model::Discipline;
use crate::path::Regime;
use crate::random::Dist;
use crate::stats::Histogram;
use crate::time::{SimSpan, SimTime};

/// Classes of agenda entries: at one instant work is done before pauses end, so that an answer that
/// comes exactly with a deadline has come in time.
pub(super) const WORK: u8 = 0;
pub(super) const PAUSE: u8 = 1;

/// Why the event loop stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// It does not.
    No,
    /// Somebody is to be told of a probe before it goes on.
    News,
    /// Too much is in progress.
    Overflow,
}

/// A slot: its workers and the queue in front of them.
#[derive(Clone, Debug)]
pub(super) struct Station {
    pub busy: u32,
    pub workers: u32,
    pub waiting: u32,
    pub queue: u32,
    pub first: u32,
    pub last: u32,
    pub discipline: Discipline,
    /// By priority: where its ranks begin in [`Stretch::ranks`]. Sharing: its row of
    /// [`Stretch::shared`], and then it has neither workers nor a queue of its own.
    pub more: u32,
}

/// Everything that moves.
#[derive(Clone, Debug)]
pub(super) struct Stretch<'a> {
    pub now: SimTime,
    pub arrivals: Arrivals<'a>,
    pub agenda: Agenda,
    pub rings: Rings,
    pub frames: Frames,
    pub stations: IdVec<SlotId, Station>,
    /// The last of each rank in the queues of the stations that serve by priority.
    pub ranks: Vec<u32>,
    /// The work in progress at stations whose workers are shared.
    pub shared: Vec<Sharing>,
    pub relays: Vec<Relay>,
    /// Messages in queues.
    pub brokers: Brokers,
    /// Connections that callers keep.
    pub channels: Channels<'a>,
    /// The next slot in turn of each call site without balancer.
    pub turns: IdVec<CallId, u32>,
    /// If any is taken instead, by chance: when each call site was last come to.
    pub chances: Option<IdVec<CallId, SimTime>>,
    pub regime: Regime,
    /// Whether any slot or link is cut off.
    pub islands: bool,
    /// Whether any link takes time, or loses something.
    pub far: bool,
    /// Whether any slot hangs, is paused, is slow or answers with errors, or any link is far.
    pub impaired: bool,
    /// Whether islands have changed and attempts were not yet looked at.
    pub islands_moved: bool,
    pub blames: Blames,
    pub slices: Slices,
    pub bounds: Vec<SimSpan>,
    /// Members tried by calls to pools of more than 64: blocks of words, and free blocks.
    pub tried: Vec<u64>,
    pub tried_free: Vec<u32>,
    /// Legs that have not begun, the next one last, with their generations.
    pub pending: Vec<(u32, u32)>,
    /// Frames found by a scan.
    pub found: Vec<(SimTime, u32)>,
    pub tally: Tally,
    pub answers: Answers,
    pub fates: Fates,
    pub refills: Refills,
    /// The user of a closed loop that each request in progress is of, by frame.
    pub seats: Vec<u32>,
    /// Latencies of good and degraded requests that are not yet in the tally, by what the request met
    /// on arrival: counted once here, summed both ways at the end of the stretch.
    pub latencies: IdVec<JourneyId, [Histogram; 3]>,
    pub counted_in_flight: u64,
    pub probers: Probers,
    /// Failures one by one, for whoever asked for them.
    pub failures: Failures,
    pub halt: Halt,
}

impl<'a> Stretch<'a> {
    pub(super) fn new(
        plan: &Plan<'a>,
        rings: Rings,
        settings: &TrafficSettings,
        frame_limit: u32,
    ) -> Self {
        let system = plan.system;
        let (mut ranks, mut shared) = (Vec::new(), Vec::new());
        let station = |slot: SlotId| {
            let pool = plan.pool_of(slot).map(|pool| &system.pools[pool]);
            let mut station = Station {
                busy: 0,
                workers: pool.and_then(|pool| pool.workers).unwrap_or(u32::MAX),
                waiting: 0,
                queue: pool.and_then(|pool| pool.queue).unwrap_or(u32::MAX),
                first: NONE,
                last: NONE,
                discipline: pool.map_or(Discipline::Fifo, |pool| pool.discipline),
                more: NONE,
            };
            match station.discipline {
                Discipline::Fifo | Discipline::Lifo => {}
                Discipline::Priority => {
                    station.more = ranks.len() as u32;
                    ranks.resize(ranks.len() + plan.ranks as usize, NONE);
                }
                Discipline::ProcessorSharing => {
                    station.more = shared.len() as u32;
                    shared.push(Sharing::new(station.workers, station.queue));
                    (station.workers, station.queue) = (0, 0);
                }
            }
            station
        };
        let stations = system.slots.ids().map(station).collect();
        let relay = |&(balancer, slot): &_| Relay::new(system, &system.balancers[balancer], slot);
        Self {
            now: SimTime::EPOCH,
            arrivals: Arrivals::new(system),
            agenda: Agenda::new(),
            rings,
            frames: Frames::new(frame_limit),
            stations,
            ranks,
            shared,
            relays: plan.relays.iter().map(relay).collect(),
            brokers: Brokers::new(plan),
            channels: Channels::new(plan),
            turns: IdVec::filled(0, system.calls.len()),
            chances: None,
            regime: Regime::all_up(system),
            islands: false,
            far: false,
            impaired: false,
            islands_moved: false,
            blames: Blames::new(system.journeys.len(), settings.settle),
            slices: Slices::new(settings.slice, settings.bad_below, settings.bins.clone()),
            bounds: settings.bounds.clone(),
            tried: Vec::new(),
            tried_free: Vec::new(),
            pending: Vec::new(),
            found: Vec::new(),
            tally: Tally::new(system, settings),
            answers: Answers::new(system.pools.len()),
            fates: Fates::default(),
            refills: Refills::new(system.slots.len()),
            seats: Vec::new(),
            latencies: system
                .journeys
                .ids()
                .map(|_| std::array::from_fn(|_| Histogram::new()))
                .collect(),
            counted_in_flight: 0,
            probers: Probers::new(plan),
            failures: Failures::default(),
            halt: Halt::No,
        }
    }

    pub(super) fn begin(
        &mut self,
        plan: &Plan<'a>,
        regime: &Regime,
        from: SimTime,
        source: Source,
    ) {
        self.clear();
        self.now = from;
        self.take_over(regime);
        self.refills.begin();
        self.pace_all_shares();
        self.blames.begin(&regime.blames);
        for relay in &mut self.relays {
            relay.restart();
            for (member, &up) in regime.views[relay.slot].iter().enumerate() {
                relay.set(member as u32, up);
            }
        }
        for &slot in &plan.standing_by {
            self.set_members(plan, slot);
        }
        self.know_failures(plan, source);
        self.know_outliers(plan, source);
        self.probers.begin(plan, from, source.known(from));
        self.turns.as_mut_slice().fill(0);
        self.halt = Halt::No;
        self.arrivals.begin(source, from, &regime.bursts);
    }

    /// Copies a regime row by row: its derived `clone_from` would allocate.
    fn take_over(&mut self, regime: &Regime) {
        let Regime {
            slots,
            impairments,
            islands,
            network,
            views,
            holders,
            leaders,
            blames,
            bursts,
        } = regime;
        let own = &mut self.regime;
        own.slots.as_mut_slice().copy_from_slice(slots.as_slice());
        own.impairments
            .as_mut_slice()
            .copy_from_slice(impairments.as_slice());
        own.islands
            .as_mut_slice()
            .copy_from_slice(islands.as_slice());
        for (own, view) in own.views.as_mut_slice().iter_mut().zip(views) {
            own.clone_from(view);
        }
        own.holders
            .as_mut_slice()
            .copy_from_slice(holders.as_slice());
        own.leaders
            .as_mut_slice()
            .copy_from_slice(leaders.as_slice());
        own.blames.as_mut_slice().copy_from_slice(blames.as_slice());
        own.bursts.as_mut_slice().copy_from_slice(bursts.as_slice());
        own.network.take_over(network);
        self.look_at_regime();
    }

    /// Drops all work in progress.
    fn clear(&mut self) {
        self.sum_latencies();
        self.arrivals.end();
        self.agenda.clear();
        self.rings.clear();
        self.frames.clear();
        for station in self.stations.as_mut_slice() {
            (station.busy, station.waiting) = (0, 0);
            (station.first, station.last) = (NONE, NONE);
        }
        self.ranks.fill(NONE);
        for shared in &mut self.shared {
            shared.clear();
        }
        self.brokers.clear();
        self.channels.clear();
        self.tried.clear();
        self.tried_free.clear();
        self.pending.clear();
        self.islands_moved = false;
        self.slices.clear();
        self.counted_in_flight = 0;
    }

    pub(super) fn next_time(&self) -> SimTime {
        if self.halt == Halt::Overflow {
            return SimTime::NEVER;
        }
        self.next_of_requests().min(self.probers.next_time())
    }

    pub(super) fn next_of_requests(&self) -> SimTime {
        self.agenda
            .next_time()
            .min(self.rings.next_time())
            .min(self.arrivals.next_time())
    }

    /// All events of requests before `end`, at most `most` of them. Order at one instant: work done, pauses
    /// over, attempts timed out, users leaving, requests arriving.
    #[inline]
    pub(super) fn run_requests(&mut self, plan: &Plan<'a>, end: SimTime, mut most: u64) {
        // Not while more changes of this instant may come.
        if self.islands_moved && end > self.now {
            self.cut_unreachable(plan);
        }
        while most > 0 && self.halt == Halt::No {
            let (agenda, ring) = (self.agenda.next_time(), self.rings.next_time());
            let arrival = self.arrivals.next_time();
            if agenda <= ring && agenda <= arrival {
                if agenda >= end {
                    return;
                }
                if let Some(due) = self.agenda.pop() {
                    self.due(plan, due);
                }
            } else if ring <= arrival {
                if ring >= end {
                    return;
                }
                if let Some(timer) = self.rings.pop() {
                    self.expire(plan, timer);
                }
            } else {
                if arrival >= end {
                    return;
                }
                self.arrive(plan);
            }
            most -= 1;
        }
    }

    #[inline(always)]
    fn due(&mut self, plan: &Plan<'a>, due: Due) {
        self.now = due.at;
        let frame = &mut self.frames[due.payload];
        if frame.due != due.ticket {
            return;
        }
        // Before anything is written: then it is looked up only once.
        if frame.wait == Wait::Work && frame.position == frame.end {
            let next = self.end_attempt(plan, due.payload, true);
            return self.drive(plan, next);
        }
        frame.due = 0;
        let next = match frame.wait {
            Wait::Work => {
                frame.state = State::Calling;
                Next::Proceed(due.payload)
            }
            Wait::Share | Wait::ShareError | Wait::ShareFault => self.share_done(plan, due.payload),
            Wait::Error => {
                frame.base = true;
                self.end_attempt(plan, due.payload, false)
            }
            Wait::Worker => self.waited_too_long(plan, due.payload),
            Wait::Pause if !self.impaired => Next::Try(due.payload),
            wait => self.due_seldom(plan, due.payload, wait),
        };
        self.drive(plan, next);
    }

    fn expire(&mut self, plan: &Plan<'a>, timer: Timer) {
        self.now = timer.at;
        if !wanted(&self.frames, &timer) {
            return;
        }
        let index = timer.payload;
        let kind = self.frames[index].kind;
        if kind == Kind::Request {
            self.leave(plan, index);
        } else if kind == Kind::Leg {
            if self.impaired && self.expire_unseen(plan, index) {
                return;
            }
            let next = self.leg_expired(plan, index);
            self.drive(plan, next);
        } else {
            let caller = self.frames[index].parent;
            if self.impaired && self.hold(caller, Wait::Reset) {
                return self.time_out_unseen(plan, index);
            }
            self.end_failed(plan, index);
            self.time_out(plan, index);
            self.drive(plan, Next::TryFailed(caller));
        }
    }

    /// Starts the deadline of frame `index` in its `generation`.
    #[inline(always)]
    pub(super) fn start_timer(&mut self, ring: Option<u32>, index: u32, generation: u32) {
        let Some(ring) = ring else { return };
        let frames = &self.frames;
        self.rings.push(ring, self.now, index, generation, |timer| {
            wanted(frames, timer)
        });
    }

    /// The user of request `index` leaves after a time of its own.
    #[inline(never)]
    fn start_patience(&mut self, patience: &Dist, key: u64, index: u32, generation: u32) {
        let at = self.now + nanos(patience.sample(&mut patience_draws(key)));
        let frames = &self.frames;
        self.rings
            .push_loose(at, index, generation, |timer| wanted(frames, timer));
    }

    fn arrive(&mut self, plan: &Plan<'a>) {
        if self.frames.full() {
            self.halt = Halt::Overflow;
            return;
        }
        let arrival = self.arrivals.next();
        self.now = arrival.at;
        let workload = &plan.workloads[arrival.workload];
        let (index, frame) = self.frames.take(Kind::Request, arrival.key);
        let journey = workload.journey(|| frame.roll());
        let (calls, direct) = (plan.journeys[journey].calls, plan.journeys[journey].direct);
        (frame.since, frame.call_from) = (arrival.at, arrival.at);
        frame.what = journey.index() as u32;
        (frame.position, frame.end) = (calls.from, calls.end);
        frame.condition = self.blames.condition(journey);
        self.tally.requests_simulated += 1;
        if let Some(cell) = self.slices.arrive(arrival.at, &mut self.tally.slices) {
            (frame.counted, frame.cell) = (true, cell);
            self.tally.journeys[journey].counts.issued += 1;
            self.counted_in_flight += 1;
        }
        let generation = frame.generation;
        if arrival.user != NOBODY {
            self.seat(index, arrival.user);
        }
        self.start_timer(workload.timer, index, generation);
        if let Some(patience) = workload.patience {
            self.start_patience(patience, arrival.key, index, generation);
        }
        // What a new frame needs for its first call it has got above.
        let next = if direct {
            self.attempt(plan, index)
        } else {
            Next::Proceed(index)
        };
        self.drive(plan, next);
    }

    /// The user has waited long enough.
    fn leave(&mut self, plan: &Plan<'a>, request: u32) {
        self.give_up_call(plan, request, super::call::Gone::Left);
        self.end_request(plan, request, false);
    }

    /// A request has been answered, or has failed.
    #[inline(always)]
    pub(super) fn end_request(&mut self, plan: &Plan<'a>, request: u32, answered: bool) {
        let frame = &self.frames[request];
        let (journey, condition) = (frame.what, usize::from(frame.condition));
        let (since, cell) = (frame.since, frame.cell);
        let (counted, degraded, base) = (frame.counted, frame.degraded, frame.base);
        let crowd = plan.journeys[JourneyId::from_index(journey as usize)].crowd;
        if crowd != NONE {
            self.think(crowd, request);
        }
        self.frames.release(request);
        if self.fates.watched {
            self.note_fate(since, journey, (answered, !degraded));
        }
        if !counted {
            return;
        }
        let id = JourneyId::from_index(journey as usize);
        let tally = &mut self.tally.journeys[id];
        let latency = self.now.since(since);
        let mut cause = None;
        if answered && latency <= plan.journeys[id].good_within {
            if degraded {
                tally.counts.degraded += 1;
            } else {
                tally.counts.good += 1;
            }
            self.latencies[id][condition].record(latency.as_nanos());
            for (bound, within) in self.bounds.iter().zip(&mut tally.within) {
                *within += u64::from(latency <= *bound);
            }
        } else {
            let first_bad = self.slices.first_bad();
            let base = !answered && base;
            let index = self.blames.cause(journey, self.now, base, first_bad);
            tally.counts.failed += 1;
            tally.failed_by_cause[index] += 1;
            cause = Some(index);
            self.failures.of_request(id, index);
        }
        if self.slices.has_views() {
            self.slices.view(cell, id, cause, degraded);
        }
        self.slices.end(cell, cause, &mut self.tally.slices);
        self.counted_in_flight -= 1;
    }

    /// Adds the latencies of the stretch to the tally.
    fn sum_latencies(&mut self) {
        for (journey, latencies) in self.latencies.pairs() {
            for (condition, latency) in latencies.iter().enumerate() {
                if !latency.is_empty() {
                    self.tally.journeys[journey].latency.merge(latency);
                    self.tally.latency_by_condition[condition].merge(latency);
                }
            }
        }
        self.clear_latencies();
    }

    fn clear_latencies(&mut self) {
        for latencies in self.latencies.as_mut_slice() {
            for latency in latencies.iter_mut().filter(|latency| !latency.is_empty()) {
                latency.clear();
            }
        }
    }

    /// Sets all counts to zero.
    pub(super) fn clear_tally(&mut self) {
        self.clear_latencies();
        self.tally.clear();
    }

    pub(super) fn finish(&mut self, plan: &Plan<'a>, at: SimTime) {
        self.now = self.now.max(at);
        self.settle_all_shares();
        self.finish_links();
        self.finish_messages();
        for frame in self.frames.cells() {
            if !frame.counted {
                continue;
            }
            match frame.kind {
                Kind::Request => {
                    let journey = JourneyId::from_index(frame.what as usize);
                    self.tally.journeys[journey].counts.in_flight += 1;
                }
                Kind::Attempt => {
                    let pool = plan.operation(frame.what).pool;
                    let tally = &mut self.tally.pools[pool];
                    if frame.parent != NONE {
                        tally.attempts_in_flight += 1;
                    }
                    if matches!(frame.state, State::Working | State::Calling) {
                        tally.busy_ns += u128::from(at.since(frame.since).as_nanos());
                    }
                }
                Kind::Free | Kind::Miss | Kind::Rescue | Kind::Leg | Kind::Message => {}
            }
        }
        self.slices.finish(at, &mut self.tally.slices);
        self.clear();
    }

    /// The tally of a pool, if `counted`.
    #[inline]
    pub(super) fn count(
        &mut self,
        pool: PoolId,
        counted: bool,
        add: impl FnOnce(&mut super::PoolTally),
    ) {
        if counted {
            add(&mut self.tally.pools[pool]);
        }
    }
}

/// Whether somebody still waits for a deadline.
#[inline]
pub(super) fn wanted(frames: &Frames, timer: &Timer) -> bool {
    let frame = &frames[timer.payload];
    frame.generation == timer.generation
        && (matches!(frame.kind, Kind::Request | Kind::Leg)
            || (frame.kind == Kind::Attempt && frame.parent != NONE))
}
