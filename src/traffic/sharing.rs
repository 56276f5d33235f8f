//! Processor sharing: the requests in work share the workers evenly.
//!
//! With `k` requests in work each progresses at the rate `min(1, workers / k)`, the same for all. So
//! one clock for each station, which runs at that rate, says how much work each has received since it
//! came, and the next to be done is the one whose end on that clock is the least. Only that one has an
//! entry in the agenda; whenever somebody comes or goes it is scheduled anew, and the entry before is
//! ignored when it comes up. So the result is exact, and a change costs the logarithm of `k`.
//!
//! The clock counts nanoseconds of work as a double and is set back whenever nobody is in work. A
//! busy period of a month keeps it within a nanosecond.
//!
//! A request that waits for calls of its own is not in work.

use super::attempt::nanos;
use super::call::Next;
use super::frames::{NONE, State, Wait};
use super::plan::Plan;
use super::stretch::{Stretch, WORK};
use crate::ids::{Id, SlotId};
use crate::model::Discipline;
use crate::random::Dist;
use crate::time::{SimSpan, SimTime};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A request in work.
#[derive(Clone, Copy, Debug)]
struct Job {
    /// When it is done, on the clock of its station.
    end: f64,
    /// When it came, on that clock.
    from: f64,
    /// At equal ends, who came first is done first.
    order: u64,
    index: u32,
}

impl Ord for Job {
    fn cmp(&self, other: &Self) -> Ordering {
        self.end
            .total_cmp(&other.end)
            .then(self.order.cmp(&other.order))
    }
}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Job {}

/// The work in progress at one station.
#[derive(Clone, Debug)]
pub(super) struct Sharing {
    workers: f64,
    /// Requests that may be there.
    pub(super) most: u32,
    jobs: BinaryHeap<Reverse<Job>>,
    /// Nanoseconds of work that a request has received which has been there all the time.
    clock: f64,
    /// When the clock was right.
    at: SimTime,
    order: u64,
    /// The frame that has an entry in the agenda.
    scheduled: u32,
}

impl Sharing {
    pub(super) fn new(workers: u32, queue: u32) -> Self {
        Self {
            workers: f64::from(workers),
            most: workers.saturating_add(queue),
            jobs: BinaryHeap::new(),
            clock: 0.0,
            at: SimTime::EPOCH,
            order: 0,
            scheduled: NONE,
        }
    }

    /// Requests in work.
    #[cfg(test)]
    pub(super) fn in_work(&self) -> usize {
        self.jobs.len()
    }

    /// Nobody is in work; keeps the memory.
    pub(super) fn clear(&mut self) {
        self.jobs.clear();
        (self.clock, self.order, self.scheduled) = (0.0, 0, NONE);
    }

    /// Work done in a nanosecond for each request.
    fn rate(&self) -> f64 {
        (self.workers / self.jobs.len() as f64).min(1.0)
    }

    /// Sets the clock to `now`; nobody has come or gone since it was set.
    fn advance(&mut self, now: SimTime) {
        if self.jobs.is_empty() {
            self.clock = 0.0;
        } else {
            self.clock += now.since(self.at).as_nanos() as f64 * self.rate();
        }
        self.at = now;
    }

    /// Who is done next and when, if nobody comes.
    fn next(&self) -> Option<(u32, SimTime)> {
        let Reverse(job) = self.jobs.peek()?;
        let left = ((job.end - self.clock).max(0.0) / self.rate() + 0.5) as u64;
        Some((job.index, self.at + SimSpan::from_nanos(left)))
    }
}

impl<'a> Stretch<'a> {
    /// A request begins its own work at a station that shares.
    #[inline(never)]
    pub(super) fn begin_share(&mut self, (takes, fails): (&Dist, f64), slot: SlotId, index: u32) {
        let now = self.now;
        let frame = &mut self.frames[index];
        let work = nanos(takes.sample(&mut frame.draws)).as_nanos() as f64;
        let fails = fails > 0.0 && frame.draws.uniform() < fails;
        frame.slot = slot.index() as u32;
        frame.since = now;
        frame.state = State::Working;
        frame.wait = if fails { Wait::ShareError } else { Wait::Share };
        let station = &mut self.stations[slot];
        station.busy += 1;
        let shared = &mut self.shared[station.more as usize];
        shared.advance(now);
        shared.order += 1;
        shared.jobs.push(Reverse(Job {
            end: shared.clock + work,
            from: shared.clock,
            order: shared.order,
            index,
        }));
        self.schedule_share(slot);
    }

    /// The request that was next is done with its own work.
    pub(super) fn share_done(&mut self, plan: &Plan<'a>, index: u32) -> Next {
        let slot = SlotId::from_index(self.frames[index].slot as usize);
        let shared = &mut self.shared[self.stations[slot].more as usize];
        shared.advance(self.now);
        let Some(Reverse(job)) = shared.jobs.pop() else {
            return Next::Idle;
        };
        debug_assert!(job.index == index, "only the next to be done is scheduled");
        // Its end was rounded to a nanosecond.
        shared.clock = shared.clock.max(job.end);
        shared.scheduled = NONE;
        self.schedule_share(slot);
        let worked = SimSpan::from_nanos((job.end - job.from) as u64);
        let frame = &mut self.frames[index];
        frame.since = self.now.before(worked);
        if frame.wait == Wait::ShareError {
            frame.base = true;
            return self.end_attempt(plan, index, false);
        }
        if frame.position == frame.end {
            return self.end_attempt(plan, index, true);
        }
        // What is worked is counted now, so nothing is left for the end.
        let (what, counted) = (frame.what, frame.counted);
        frame.since = SimTime::NEVER;
        frame.state = State::Calling;
        self.count(plan.operation(what).pool, counted, |tally| {
            tally.busy_ns += u128::from(worked.as_nanos());
        });
        Next::Proceed(index)
    }

    /// Schedules who is done next at a station whose clock is right.
    fn schedule_share(&mut self, slot: SlotId) {
        let shared = &mut self.shared[self.stations[slot].more as usize];
        let before = std::mem::replace(&mut shared.scheduled, NONE);
        if before != NONE {
            self.frames[before].due = 0;
        }
        if let Some((index, at)) = shared.next() {
            shared.scheduled = index;
            self.frames[index].due = self.agenda.push(at, WORK, index);
        }
    }

    /// A request in work is not worked on any more; its time in work counts from `since`.
    pub(super) fn leave_share(&mut self, slot: SlotId, index: u32) {
        self.settle_shares(slot);
        let shared = &mut self.shared[self.stations[slot].more as usize];
        shared.jobs.retain(|Reverse(job)| job.index != index);
        self.schedule_share(slot);
    }

    /// Makes the requests in work look as if they had begun as long ago as they were worked on: what
    /// is cut off now counts as busy for no longer.
    pub(super) fn settle_shares(&mut self, slot: SlotId) {
        let station = &self.stations[slot];
        if station.discipline != Discipline::ProcessorSharing {
            return;
        }
        let now = self.now;
        let shared = &mut self.shared[station.more as usize];
        shared.advance(now);
        for Reverse(job) in &shared.jobs {
            let worked = SimSpan::from_nanos((shared.clock - job.from) as u64);
            self.frames[job.index].since = now.before(worked);
        }
    }

    /// The same everywhere.
    pub(super) fn settle_all_shares(&mut self) {
        if !self.shared.is_empty() {
            for index in 0..self.stations.len() {
                self.settle_shares(SlotId::from_index(index));
            }
        }
    }
}
