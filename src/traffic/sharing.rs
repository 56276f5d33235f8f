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
//!
//! A slot that is slow divides the rate by its factor, and one that is paused does nothing. The workers
//! are busy all the while: a second clock says for how long without getting anywhere.

use super::attempt::nanos;
use super::call::Next;
use super::frames::{NONE, State, Wait, error_bits, uniform};
use super::plan::Plan;
use super::stretch::{Stretch, WORK};
use crate::ids::{Id, SlotId};
use crate::model::Discipline;
use crate::path::SlotState;
use crate::random::Dist;
use crate::time::{SimSpan, SimTime};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A request in work.
#[derive(Clone, Copy, Debug)]
struct Job {
    /// When it is done, on the clock of its station.
    end: f64,
    /// When it came, on that clock, and the loss then.
    from: f64,
    lost: f64,
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
    /// Nanoseconds of a worker that such a request has had for nothing.
    lost: f64,
    /// Work done in a nanosecond of a worker: 1 unless the slot is slow or paused.
    pace: f64,
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
            lost: 0.0,
            pace: 1.0,
            at: SimTime::EPOCH,
            order: 0,
            scheduled: NONE,
        }
    }

    /// Requests in work.
    pub(super) fn in_work(&self) -> usize {
        self.jobs.len()
    }

    /// Nobody is in work; keeps the memory.
    pub(super) fn clear(&mut self) {
        self.jobs.clear();
        (self.clock, self.lost) = (0.0, 0.0);
        (self.order, self.scheduled) = (0, NONE);
    }

    /// Sets the pace from `now` on. Whoever is next has to be scheduled anew.
    fn set_pace(&mut self, now: SimTime, pace: f64) {
        self.advance(now);
        self.pace = pace;
    }

    /// How long a request has had a worker.
    fn worked(&self, job: &Job) -> SimSpan {
        SimSpan::from_nanos((self.clock - job.from + (self.lost - job.lost)) as u64)
    }

    /// The share of a worker that each request has.
    fn rate(&self) -> f64 {
        (self.workers / self.jobs.len() as f64).min(1.0)
    }

    /// Sets the clock to `now`; nobody has come or gone since it was set.
    fn advance(&mut self, now: SimTime) {
        if self.jobs.is_empty() {
            (self.clock, self.lost) = (0.0, 0.0);
        } else {
            let had = now.since(self.at).as_nanos() as f64 * self.rate();
            self.clock += had * self.pace;
            self.lost += had * (1.0 - self.pace);
        }
        self.at = now;
    }

    /// Who is done next and when, if nobody comes.
    fn next(&self) -> Option<(u32, SimTime)> {
        let Reverse(job) = self.jobs.peek().filter(|_| self.pace > 0.0)?;
        let rate = self.rate() * self.pace;
        let left = ((job.end - self.clock).max(0.0) / rate + 0.5) as u64;
        Some((job.index, self.at + SimSpan::from_nanos(left)))
    }
}

impl<'a> Stretch<'a> {
    /// A request begins its own work at a station that shares.
    #[inline(never)]
    pub(super) fn begin_share(&mut self, (takes, fails): (&Dist, f64), slot: SlotId, index: u32) {
        let now = self.now;
        let frame = &mut self.frames[index];
        let errors = self.regime.impairments[slot].errors;
        let (work, wait) = if self.impaired && uniform(error_bits(&frame.draws)) < errors {
            (0.0, Wait::ShareFault)
        } else {
            let work = nanos(takes.sample(&mut frame.draws)).as_nanos() as f64;
            let fails = fails > 0.0 && frame.draws.uniform() < fails;
            (work, if fails { Wait::ShareError } else { Wait::Share })
        };
        frame.slot = slot.index() as u32;
        frame.since = now;
        frame.state = State::Working;
        frame.wait = wait;
        let station = &mut self.stations[slot];
        station.busy += 1;
        let shared = &mut self.shared[station.more as usize];
        shared.advance(now);
        shared.order += 1;
        shared.jobs.push(Reverse(Job {
            end: shared.clock + work,
            from: shared.clock,
            lost: shared.lost,
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
        // By its own end: the clock may be a rounding beyond it.
        let worked = (job.end - job.from + (shared.lost - job.lost)) as u64;
        let worked = SimSpan::from_nanos(worked);
        self.schedule_share(slot);
        let frame = &mut self.frames[index];
        frame.since = self.now.before(worked);
        if frame.wait == Wait::ShareFault {
            return self.end_attempt(plan, index, false);
        }
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

    /// The state of a slot or how slow it is has changed: if its workers are shared, so has the pace.
    pub(super) fn pace_shares(&mut self, slot: SlotId) {
        let station = &self.stations[slot];
        if station.discipline != Discipline::ProcessorSharing {
            return;
        }
        let pace = match self.regime.slots[slot] {
            SlotState::Paused => 0.0,
            _ => 1.0 / self.regime.impairments[slot].factor,
        };
        let shared = &mut self.shared[station.more as usize];
        if shared.pace != pace {
            shared.set_pace(self.now, pace);
            self.schedule_share(slot);
        }
    }

    /// Whether one more request may be at a station that shares.
    pub(super) fn share_accepts(&self, slot: SlotId) -> bool {
        let station = &self.stations[slot];
        station.discipline == Discipline::ProcessorSharing
            && station.busy < self.shared[station.more as usize].most
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
            let worked = shared.worked(job);
            self.frames[job.index].since = now.before(worked);
        }
    }

    /// The same as [`Self::pace_shares`] everywhere.
    pub(super) fn pace_all_shares(&mut self) {
        if !self.shared.is_empty() {
            for index in 0..self.stations.len() {
                self.pace_shares(SlotId::from_index(index));
            }
        }
    }

    /// The same as [`Self::settle_shares`] everywhere.
    pub(super) fn settle_all_shares(&mut self) {
        if !self.shared.is_empty() {
            for index in 0..self.stations.len() {
                self.settle_shares(SlotId::from_index(index));
            }
        }
    }
}
