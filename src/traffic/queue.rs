//! Waiting for a worker: how an attempt joins the queue of a slot, leaves it, and gives up.

use super::attempt::nanos;
use super::call::Next;
use super::frames::{NONE, State, Wait, queue_draws};
use super::plan::Plan;
use super::stretch::{PAUSE, Stretch};
use crate::ids::{Id, SlotId};
use crate::model::Discipline;
use crate::random::Dist;

impl<'a> Stretch<'a> {
    /// An attempt joins the queue of `slot`, at its place.
    pub(super) fn enqueue(&mut self, plan: &Plan<'a>, slot: SlotId, index: u32, key: u64) {
        let station = &mut self.stations[slot];
        if station.discipline == Discipline::Fifo {
            let last = station.last;
            station.last = index;
            station.waiting += 1;
            if last == NONE {
                station.first = index;
            } else {
                self.frames[last].after = index;
            }
            let frame = &mut self.frames[index];
            (frame.before, frame.after) = (last, NONE);
            frame.state = State::Queued;
        } else {
            self.enqueue_ahead(plan, slot, index);
        }
        if let Some(most) = plan.operation(self.frames[index].what).queue_timeout {
            self.limit_wait(most, index, key);
        }
    }

    /// An attempt in a queue waits no longer than it draws from `most`. A worker that takes it sooner
    /// leaves the entry behind, so those that are not wanted any more are swept now and then.
    #[inline(never)]
    fn limit_wait(&mut self, most: &Dist, index: u32, key: u64) {
        let ends = self.now + nanos(most.sample(&mut queue_draws(key)));
        let frame = &mut self.frames[index];
        frame.wait = Wait::Worker;
        frame.due = self.agenda.push(ends, PAUSE, index);
        let frames = &self.frames;
        self.agenda
            .sweep(|payload, ticket| frames[payload].due == ticket);
    }

    /// An attempt has waited in its queue for as long as it may: it is refused, if its caller can hear
    /// of it. A slot that is paused notices afterwards, and has taken it out of the queue then.
    #[inline(never)]
    pub(super) fn waited_too_long(&mut self, plan: &Plan<'a>, index: u32) -> Next {
        if self.frames[index].state == State::Queued {
            if self.impaired && self.hold(index, Wait::Worker) {
                return Next::Idle;
            }
            self.dequeue(plan, index);
        }
        let frame = &mut self.frames[index];
        let (caller, reachable) = (frame.parent, !frame.cut_front && !frame.cut_back);
        if caller != NONE && !reachable {
            frame.state = State::Lost;
            return Next::Idle;
        }
        if caller == NONE {
            self.drop_attempt(index);
            return Next::Idle;
        }
        frame.state = State::Lost;
        if self.impaired && self.fail_back(index) {
            return Next::Idle;
        }
        if self.far {
            return self.send_shed(plan, index);
        }
        self.end_failed(plan, index);
        // It is told so: its connection is as good as before.
        self.unlink(plan, index, true);
        let (pool, counted) = self.part(plan, index);
        self.count(pool, counted, |tally| tally.attempts_shed += 1);
        self.drop_attempt(index);
        self.hear(caller, false, (false, false))
    }

    /// Takes an attempt out of its queue.
    pub(super) fn dequeue(&mut self, plan: &Plan<'a>, index: u32) {
        self.leave_rank(plan, index);
        let frame = &self.frames[index];
        let (before, after) = (frame.before, frame.after);
        let station = &mut self.stations[SlotId::from_index(frame.slot as usize)];
        station.waiting -= 1;
        if before == NONE {
            station.first = after;
        } else {
            self.frames[before].after = after;
        }
        let station = &mut self.stations[SlotId::from_index(self.frames[index].slot as usize)];
        if after == NONE {
            station.last = before;
        } else {
            self.frames[after].before = before;
        }
    }
}
