//! The arrival-driven engine: what becomes of a request is worked out when it arrives.
//!
//! While nothing changes, who is served first in, first out is served as soon as one of the workers is free of
//! those who came before, whatever comes after. So there are no events but arrivals, and no state but when
//! work ends (`line`). It counts what the event engine counts, from the same draws and to the last
//! bucket; which systems it can run is in `plan`.
//!
//! *Fates* that are over before the instant up to which it runs are counted at once; the others are kept until
//! then. So at the end of each run everything is known that the event engine knows then, and the first change of
//! a stretch [hands over](Ahead::hand_over) what is in progress to it.
//!
//! Only the causes of failures have an order: by it the commonest cause of a slice is found. Where there may be
//! several, failures are put in order at the end of each run.

mod arrive;
mod hand_over;
mod line;
mod plan;

pub use plan::{WhyEvents, arrival_driven};

use super::arrivals::Arrival;
use super::frames::NONE as NOBODY;
use super::plan::{Plan, Through};
use super::stretch::Stretch;
use crate::ids::{Id, JourneyId, SlotId};
use crate::path::SlotState;
use crate::stats::Histogram;
use crate::time::{SimSpan, SimTime};
use arrive::Drawn;
use line::{Line, NEVER};
use plan::Rows;

/// Requests that a run expects: enough that few are left over at its end.
const RUN: f64 = 4_096.0;

/// What an attempt meets somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meets {
    Service,
    Refusal,
    Silence,
}

/// Where attempts of a row go, as long as nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// To slots in turn.
    Turn,
    /// To an instance of a balancer.
    Relay(u32),
    /// To any of some instances.
    Any { first: u32, count: u32 },
    /// Nobody has the address.
    Silence,
}

/// What is so of a row, as long as nothing changes.
#[derive(Clone, Copy, Debug)]
struct Standing {
    way: Way,
    condition: usize,
    /// The causes of failures: of an operation's own error, and of all others.
    base: usize,
    load: usize,
}

/// An instance of a balancer.
#[derive(Clone, Copy, Debug)]
struct Gate {
    meets: Meets,
    /// Where its members begin in the table of members.
    first: usize,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
struct Fate {
    /// When it arrived, and which request of the stretch it is.
    at: u64,
    number: u64,
    key: u64,
    /// When it gets a worker, and is worked on to the end: never if it leaves the queue before, or is lost.
    start: u64,
    end: u64,
    /// When the caller stops waiting.
    deadline: u64,
    row: u32,
    slot: u32,
    relay: u32,
    member: u32,
    cell: u32,
    counted: bool,
    /// Its work ends in an error.
    error: bool,
    /// It waits in a queue, or has a worker.
    placed: bool,
    /// It has been counted how it ended for its caller.
    told: bool,
}

impl Fate {
    /// When it ends for its caller.
    #[inline(always)]
    fn told_at(&self) -> u64 {
        self.end.min(self.deadline)
    }

    /// When nothing is left of it.
    #[inline(always)]
    fn over_at(&self) -> u64 {
        if self.start == NEVER {
            self.deadline
        } else {
            self.end
        }
    }
}

/// What the requests of a row came to that is not in the tally yet.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    issued: u64,
    /// How many latencies of the histogram of the row have been counted, and their sum.
    known: (u64, u128),
    /// Work done for those whose latency is in the histogram of the row, nanoseconds.
    busy: u128,
}

/// A failure that was not yet counted in its slice: when, in which order at one instant, and what.
type Failure = ((u64, u32, u64, u64), (u32, JourneyId, usize));

/// The engine, for one system.
#[derive(Clone, Debug)]
pub(super) struct Ahead<'a> {
    rows: Rows<'a>,
    standings: Vec<Standing>,
    gates: Vec<Gate>,
    /// Members of the pools behind the instances, and what is met there.
    members: Vec<(SlotId, Meets)>,
    /// What users meet at slots.
    slots: Vec<Meets>,
    lines: Vec<Line>,
    /// Those that are not over, in order of arrival.
    open: Vec<Fate>,
    /// The next that arrive.
    coming: Vec<Arrival>,
    drawn: Vec<Drawn>,
    /// By row: what was counted at once, and the latencies of what was answered well.
    sums: Vec<Sum>,
    latencies: Vec<Histogram>,
    failures: Vec<Failure>,
    /// Whether failures have several causes.
    ordered: bool,
    /// Whether it runs the stretch.
    active: bool,
    /// All that happens before this has happened.
    until: u64,
    /// What is in progress then, as the event engine counts it; and when the next of it ends.
    live: u64,
    soonest: u64,
    /// Requests of the stretch.
    number: u64,
}

impl<'a> Ahead<'a> {
    /// The engine for the system of `plan`.
    ///
    /// # Errors
    /// Why that needs events.
    pub(super) fn new(plan: &Plan<'a>) -> Result<Self, WhyEvents> {
        let rows = Rows::new(plan)?;
        let system = plan.system;
        let mut members = Vec::new();
        let gate = |&(balancer, _): &_| {
            let slots = &system.pools[system.balancers[balancer].to].slots;
            let first = members.len();
            members.extend(slots.iter().map(|&slot| (slot, Meets::Service)));
            Gate {
                meets: Meets::Service,
                first,
            }
        };
        let gates = plan.relays.iter().map(gate).collect();
        let lines = vec![Line::new(rows.classes); system.slots.len()];
        Ok(Self {
            standings: Vec::with_capacity(rows.rows.len()),
            gates,
            members,
            slots: vec![Meets::Service; system.slots.len()],
            lines,
            open: Vec::new(),
            coming: Vec::new(),
            drawn: Vec::new(),
            sums: vec![Sum::default(); rows.rows.len()],
            latencies: vec![Histogram::new(); rows.rows.len()],
            failures: Vec::new(),
            ordered: false,
            active: false,
            until: 0,
            live: 0,
            soonest: NEVER,
            number: 0,
            rows,
        })
    }

    /// Whether it runs the stretch that has begun.
    #[inline]
    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    /// A stretch has begun at `from`: takes it, unless its regime needs events.
    pub(super) fn begin(&mut self, plan: &Plan<'a>, stretch: &Stretch<'a>, from: SimTime) {
        self.lines.iter_mut().for_each(Line::clear);
        (self.live, self.soonest, self.number) = (0, NEVER, 0);
        self.until = from.as_nanos();
        self.active = !stretch.impaired && stretch.brokers.is_empty();
        if self.active {
            self.look_around(plan, stretch);
        }
    }

    /// What is in progress of a stretch that was not finished is dropped.
    pub(super) fn end(&mut self, stretch: &mut Stretch<'a>) {
        if self.active {
            self.close(stretch);
            self.open.clear();
        }
    }

    /// What was counted before is dropped.
    pub(super) fn clear_tally(&mut self) {
        self.sums.fill(Sum::default());
        let latencies = self.latencies.iter_mut();
        latencies
            .filter(|one| !one.is_empty())
            .for_each(Histogram::clear);
    }

    /// What is so as long as nothing changes.
    fn look_around(&mut self, plan: &Plan<'a>, stretch: &Stretch<'a>) {
        let meets = |from: Option<SlotId>, slot: SlotId| match stretch.regime.slots[slot] {
            _ if !stretch.reaches(from, slot) => Meets::Silence,
            SlotState::Serving => Meets::Service,
            SlotState::Refusing | SlotState::Standby => Meets::Refusal,
            SlotState::Silent | SlotState::Hung | SlotState::Paused => Meets::Silence,
        };
        for (slot, known) in plan.system.slots.ids().zip(&mut self.slots) {
            *known = meets(None, slot);
        }
        for (relay, gate) in stretch.relays.iter().zip(&mut self.gates) {
            gate.meets = meets(None, relay.slot);
        }
        let mut members = self.members.iter_mut();
        for (&(balancer, instance), _) in plan.relays.iter().zip(&self.gates) {
            let count = plan.system.pools[plan.system.balancers[balancer].to]
                .slots
                .len();
            for (slot, known) in members.by_ref().take(count) {
                *known = meets(Some(instance), *slot);
            }
        }
        self.standings.clear();
        let (mut first, mut several) = (None, false);
        for row in &self.rows.rows {
            let way = match plan.call(row.position).through {
                Through::Nobody => Way::Turn,
                Through::One(relay) => Way::Relay(relay),
                Through::Any { first, count } => Way::Any { first, count },
                Through::Holder(balancer) => {
                    let holder = stretch.holder(balancer, None);
                    match holder.and_then(|slot| plan.relay_of[slot]) {
                        Some(relay) => Way::Relay(relay),
                        None => Way::Silence,
                    }
                }
            };
            let journey = row.journey.index() as u32;
            let cause = |base| stretch.blames.cause(journey, stretch.now, base, None);
            let standing = Standing {
                way,
                condition: usize::from(stretch.blames.condition(row.journey)),
                base: cause(true),
                load: cause(false),
            };
            let any = *first.get_or_insert(standing.load);
            several |= any != standing.load || row.fails > 0.0 && any != standing.base;
            self.standings.push(standing);
        }
        self.ordered = several;
    }

    /// When anything happens next.
    pub(super) fn next_time(&self, stretch: &Stretch<'a>) -> SimTime {
        stretch
            .arrivals
            .next_time()
            .min(SimTime::from_nanos(self.soonest))
    }

    /// Requests and attempts in progress.
    pub(super) fn live(&self) -> u32 {
        u32::try_from(self.live).unwrap_or(u32::MAX)
    }

    /// Lets everything happen that does before `end`, or at least `most` arrivals of it; how many that were. It may
    /// [hand over](Self::hand_over) on the way.
    pub(super) fn run(
        &mut self,
        plan: &Plan<'a>,
        stretch: &mut Stretch<'a>,
        end: SimTime,
        most: u64,
    ) -> u64 {
        let (end, mut arrived) = (end.as_nanos(), 0);
        while self.until < end && arrived < most {
            let expected = RUN.max(self.open.len() as f64 / 2.0);
            // A request is two frames, and twice as many come as are expected once in the age of the world.
            let room = self.live as f64 + 4.0 * expected;
            if room >= f64::from(stretch.frames.limit()) {
                self.hand_over(plan, stretch);
                return arrived;
            }
            let span = SimSpan::from_secs_f64(expected / self.rows.rate).as_nanos();
            let next = stretch.arrivals.next_time().as_nanos().max(self.until);
            let horizon = next.saturating_add(span.max(1)).min(end);
            arrived += self.arrivals_before(plan, stretch, horizon);
            self.settle(stretch, horizon);
        }
        self.sum_up(stretch);
        arrived
    }

    /// Lets happen what does at the next instant at which anything does.
    pub(super) fn step(&mut self, plan: &Plan<'a>, stretch: &mut Stretch<'a>) {
        let next = self.next_time(stretch);
        if next != SimTime::NEVER {
            self.run(plan, stretch, next + SimSpan::from_nanos(1), u64::MAX);
        }
    }

    /// Lets everything happen up to the instant at which the last counted request in progress ends, and no
    /// request arrive then. One that never ends is for events.
    pub(super) fn drain(&mut self, plan: &Plan<'a>, stretch: &mut Stretch<'a>) {
        while self.active && stretch.counted_in_flight > 0 {
            let counted = self.open.iter().filter(|fate| fate.counted && !fate.told);
            let last = counted.map(Fate::told_at).max().unwrap_or(NEVER);
            if last == NEVER {
                return self.hand_over(plan, stretch);
            }
            self.run(plan, stretch, SimTime::from_nanos(last), u64::MAX);
            if self.active {
                self.settle(stretch, last + 1);
                stretch.now = stretch.now.max(SimTime::from_nanos(last));
            }
        }
    }

    /// All that happens before `horizon` has happened, arrivals included.
    fn settle(&mut self, stretch: &mut Stretch<'a>, horizon: u64) {
        self.until = horizon;
        (self.live, self.soonest) = (0, NEVER);
        let mut open = std::mem::take(&mut self.open);
        open.retain_mut(|fate| {
            if !fate.told && fate.told_at() < horizon {
                fate.told = true;
                stretch.counted_in_flight -= u64::from(fate.counted);
                self.tell(stretch, fate);
            }
            if fate.over_at() < horizon {
                self.count_work(stretch, fate);
                return false;
            }
            self.live += if fate.told { 1 } else { 2 };
            let next = if fate.told { fate.end } else { fate.told_at() };
            self.soonest = self.soonest.min(next);
            true
        });
        self.open = open;
        if !self.failures.is_empty() {
            self.failures.sort_unstable();
            for (_, (cell, journey, cause)) in self.failures.drain(..) {
                end_in_slice(stretch, cell, journey, Some(cause));
            }
        }
    }

    /// Counts how a request, if it is counted, ended for its caller.
    fn tell(&mut self, stretch: &mut Stretch<'a>, fate: &Fate) {
        if !fate.counted {
            return;
        }
        let row = &self.rows.rows[fate.row as usize];
        let standing = self.standings[fate.row as usize];
        let tally = &mut stretch.tally.pools[row.pool];
        tally.calls += 1;
        let mut cause = standing.load;
        let in_time = fate.end <= fate.deadline;
        if in_time && !fate.error {
            tally.attempts_answered += 1;
            let latency = fate.end - fate.at;
            tally.latency.record(latency);
            if latency <= row.good_within {
                stretch.tally.journeys[row.journey].counts.good += 1;
                stretch.latencies[row.journey][standing.condition].record(latency);
                count_within(stretch, row.journey, latency);
                return end_in_slice(stretch, fate.cell, row.journey, None);
            }
        } else {
            tally.calls_failed += 1;
            if in_time {
                tally.attempts_failed += 1;
                cause = standing.base;
            } else {
                tally.attempts_timed_out += 1;
                tally.calls_failed_of_load += 1;
            }
        }
        let order = if in_time {
            (fate.end, 0, fate.start, fate.number)
        } else {
            (fate.deadline, 2 + row.ring, fate.at, fate.number)
        };
        let journey = row.journey;
        self.fail(stretch, order, (fate.cell, journey, cause));
    }

    /// A counted request has failed.
    fn fail(
        &mut self,
        stretch: &mut Stretch<'a>,
        order: (u64, u32, u64, u64),
        (cell, journey, cause): (u32, JourneyId, usize),
    ) {
        let tally = &mut stretch.tally.journeys[journey];
        tally.counts.failed += 1;
        tally.failed_by_cause[cause] += 1;
        if self.ordered {
            self.failures.push((order, (cell, journey, cause)));
        } else {
            end_in_slice(stretch, cell, journey, Some(cause));
        }
    }

    /// Counts the work that was done for a request, if there was any.
    fn count_work(&self, stretch: &mut Stretch<'a>, fate: &Fate) {
        if fate.counted && fate.start != NEVER {
            let tally = &mut stretch.tally.pools[self.rows.rows[fate.row as usize].pool];
            tally.served += 1;
            tally.wait_ns += u128::from(fate.start - fate.at);
            tally.busy_ns += u128::from(fate.end - fate.start);
        }
    }

    /// Puts what was counted at once into the tally, but for latencies.
    fn sum_up(&mut self, stretch: &mut Stretch<'a>) {
        let sums = self.sums.iter_mut().zip(&self.latencies);
        for (row, (sum, latencies)) in self.rows.rows.iter().zip(sums) {
            let (good, latency) = (latencies.total(), latencies.sum());
            let (known, before) = std::mem::replace(&mut sum.known, (good, latency));
            let (more, latency) = (good - known, latency - before);
            let (issued, busy) = (
                std::mem::take(&mut sum.issued),
                std::mem::take(&mut sum.busy),
            );
            let journey = &mut stretch.tally.journeys[row.journey];
            journey.counts.issued += issued;
            journey.counts.good += more;
            let tally = &mut stretch.tally.pools[row.pool];
            tally.attempts += issued;
            tally.calls += more;
            tally.attempts_answered += more;
            tally.served += more;
            tally.busy_ns += busy;
            tally.wait_ns += latency - busy;
        }
    }

    /// It is over: the same with latencies.
    fn close(&mut self, stretch: &mut Stretch<'a>) {
        self.active = false;
        self.sum_up(stretch);
        let latencies = self.latencies.iter_mut().zip(&mut self.sums);
        let rows = self.rows.rows.iter().zip(&self.standings);
        for ((row, standing), (latencies, sum)) in rows.zip(latencies) {
            sum.known = (0, 0);
            if !latencies.is_empty() {
                stretch.tally.pools[row.pool].latency.merge(latencies);
                stretch.latencies[row.journey][standing.condition].merge(latencies);
                latencies.clear();
            }
        }
    }

    /// The stretch ends at `at`: what is in progress is counted as such.
    pub(super) fn finish(&mut self, stretch: &mut Stretch<'a>, at: SimTime) {
        self.close(stretch);
        for fate in self.open.drain(..).filter(|fate| fate.counted) {
            let row = &self.rows.rows[fate.row as usize];
            let tally = &mut stretch.tally.pools[row.pool];
            if !fate.told {
                tally.attempts_in_flight += 1;
                stretch.tally.journeys[row.journey].counts.in_flight += 1;
            }
            if fate.start < self.until {
                tally.served += 1;
                tally.wait_ns += u128::from(fate.start - fate.at);
                tally.busy_ns += u128::from(at.since(SimTime::from_nanos(fate.start)).as_nanos());
            }
        }
    }
}

/// A counted request was answered well: which bounds it keeps.
fn count_within(stretch: &mut Stretch<'_>, journey: JourneyId, latency: u64) {
    let within = &mut stretch.tally.journeys[journey].within;
    for (bound, within) in stretch.bounds.iter().zip(within) {
        *within += u64::from(latency <= bound.as_nanos());
    }
}

/// A counted request ends: in its slice, and in the views of it.
#[inline(always)]
fn end_in_slice(stretch: &mut Stretch<'_>, cell: u32, journey: JourneyId, cause: Option<usize>) {
    if stretch.slices.has_views() {
        stretch.slices.view(cell, journey, cause, false);
    }
    stretch.slices.end(cell, cause, &mut stretch.tally.slices);
}
