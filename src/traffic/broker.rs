//! Message queues: what is published waits at the broker until a worker of the consumer has done it.
//!
//! A message is a frame of its own from the instant at which it is stored to its end, with one call: that of
//! the consumer's operation. It *waits* in the broker's list, or is *in work* while its call has an
//! attempt, or waits for its redelivery. Workers of the consumer that are free take from the list as
//! soon as there is something and the broker runs and is reached. An answer is an acknowledgement,
//! which is lost if the broker does not run at that moment; a delivery without one is made again
//! `redelivers_after` after it began, whatever became of it, and the message then joins the end of the list.

use super::call::{Gone, Next};
use super::frames::{Frame, Kind, NONE, State, Wait};
use super::plan::Plan;
use super::stretch::{Halt, PAUSE, Stretch};
use crate::ids::{Id, IdVec, PoolId, QueueId, SlotId};
use crate::path::SlotState;
use crate::random::mix;

/// The messages of one queue.
#[derive(Clone, Debug)]
pub(super) struct Broker {
    /// Those that wait, in order.
    first: u32,
    last: u32,
    waiting: u32,
    /// Waiting, in work, or waiting for redelivery.
    held: u32,
    /// The replica of the consumer that is asked next.
    turn: u32,
}

/// All queues.
#[derive(Clone, Debug)]
pub(super) struct Brokers {
    rows: IdVec<QueueId, Broker>,
    /// The queue whose broker a pool is.
    of_broker: IdVec<PoolId, Option<QueueId>>,
    /// The queue that a pool takes from.
    of_consumer: IdVec<PoolId, Option<QueueId>>,
}

impl Brokers {
    pub(super) fn new(plan: &Plan<'_>) -> Self {
        let system = plan.system;
        let mut of_broker = IdVec::filled(None, system.pools.len());
        let mut of_consumer = IdVec::filled(None, system.pools.len());
        for (id, queue) in system.queues.pairs() {
            of_broker[queue.pool] = Some(id);
            of_consumer[queue.consumer] = Some(id);
        }
        let empty = Broker {
            first: NONE,
            last: NONE,
            waiting: 0,
            held: 0,
            turn: 0,
        };
        Self {
            rows: IdVec::filled(empty, system.queues.len()),
            of_broker,
            of_consumer,
        }
    }

    /// Messages that wait.
    #[cfg(test)]
    pub(super) fn waiting(&self, queue: QueueId) -> u32 {
        self.rows[queue].waiting
    }

    /// Whether there are none.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// No message is anywhere.
    pub(super) fn clear(&mut self) {
        for broker in self.rows.as_mut_slice() {
            (broker.first, broker.last) = (NONE, NONE);
            (broker.waiting, broker.held, broker.turn) = (0, 0, 0);
        }
    }
}

impl<'a> Stretch<'a> {
    /// A broker has done its work for an attempt: if that was to publish, it stores the message. Whether
    /// it could.
    #[inline(never)]
    pub(super) fn store(&mut self, plan: &Plan<'a>, index: u32) -> bool {
        let frame = &self.frames[index];
        let (pool, counted) = (plan.operation(frame.what).pool, frame.counted);
        let Some(queue) = self.brokers.of_broker[pool] else {
            return true;
        };
        if self.frames.full() {
            self.halt = Halt::Overflow;
            return true;
        }
        let settings = &plan.system.queues[queue];
        self.count_queue(queue, counted, |tally| tally.asked += 1);
        if self.brokers.rows[queue].held >= settings.capacity {
            self.count_queue(queue, counted, |tally| tally.full += 1);
            return false;
        }
        // Numbers of its own, apart from those of the attempt.
        let key = mix(!self.frames[index].draws.key());
        let slot = self.frames[index].slot;
        let now = self.now;
        let calls = plan.messages[queue];
        let (message, frame) = self.frames.take(Kind::Message, key);
        (frame.since, frame.counted, frame.slot) = (now, counted, slot);
        (frame.position, frame.end) = (calls.from, calls.end);
        frame.what = queue.index() as u32;
        self.brokers.rows[queue].held += 1;
        self.join_queue(queue, message);
        let waiting = u64::from(self.brokers.rows[queue].waiting);
        self.count_queue(queue, counted, |tally| {
            tally.published += 1;
            tally.most_waiting = tally.most_waiting.max(waiting);
        });
        self.dispatch(plan, queue);
        true
    }

    fn join_queue(&mut self, queue: QueueId, message: u32) {
        let broker = &mut self.brokers.rows[queue];
        let last = std::mem::replace(&mut broker.last, message);
        broker.waiting += 1;
        if last == NONE {
            broker.first = message;
        } else {
            self.frames[last].after = message;
        }
        let frame = &mut self.frames[message];
        (frame.before, frame.after) = (last, NONE);
    }

    /// Gives messages that wait to workers that are free.
    fn dispatch(&mut self, plan: &Plan<'a>, queue: QueueId) {
        let settings = &plan.system.queues[queue];
        let broker = plan.system.pools[settings.pool].slots[0];
        if self.regime.slots[broker] != SlotState::Serving {
            return;
        }
        let consumers = &plan.system.pools[settings.consumer].slots;
        while self.brokers.rows[queue].first != NONE {
            if self.frames.full() {
                self.halt = Halt::Overflow;
                return;
            }
            let mut found = None;
            for _ in 0..consumers.len() {
                let turn = &mut self.brokers.rows[queue].turn;
                let slot = consumers[*turn as usize];
                *turn = (*turn + 1) % consumers.len() as u32;
                let station = &self.stations[slot];
                if station.busy < station.workers
                    && self.regime.slots[slot] == SlotState::Serving
                    && self.regime.reaches(Some(broker), slot)
                {
                    found = Some(slot);
                    break;
                }
            }
            let Some(slot) = found else { return };
            self.deliver_message(plan, queue, slot);
        }
    }

    /// A free worker of `slot` takes the first message.
    fn deliver_message(&mut self, plan: &Plan<'a>, queue: QueueId, slot: SlotId) {
        let now = self.now;
        let message = self.brokers.rows[queue].first;
        let from = plan.messages[queue].from;
        let frame = &mut self.frames[message];
        let after = std::mem::replace(&mut frame.after, NONE);
        frame.position = from;
        // How often it was delivered.
        frame.spare += 1;
        (frame.call_from, frame.attempts) = (now, 1);
        frame.base = false;
        let (again, counted, key) = (frame.spare > 1, frame.counted, frame.roll());
        let broker = &mut self.brokers.rows[queue];
        (broker.first, broker.waiting) = (after, broker.waiting - 1);
        if after == NONE {
            broker.last = NONE;
        } else {
            self.frames[after].before = NONE;
        }
        self.count_queue(queue, counted, |tally| {
            tally.delivered += 1;
            tally.redelivered += u64::from(again);
        });
        self.tally.attempts_simulated += 1;
        let call = plan.call(from);
        self.count(call.pool, counted, |tally| {
            tally.attempts += 1;
            tally.served += 1;
        });
        self.stations[slot].busy += 1;
        let index = self.send(call, message, key, counted, (NONE, NONE));
        let frame = &mut self.frames[index];
        (frame.slot, frame.since, frame.way) = (slot.index() as u32, now, key);
        match self.way_there(plan, index) {
            Some(there) => self.serve_after(plan, index, there),
            None => {
                // It never gets there, and the worker takes another.
                self.frames[index].state = State::Lost;
                self.stations[slot].busy -= 1;
            }
        }
    }

    /// The delivery of a message has ended: it is done, or will be delivered again, or is a dead letter.
    pub(super) fn end_delivery(&mut self, plan: &Plan<'a>, message: u32, succeeded: bool) -> Next {
        let now = self.now;
        let frame = &self.frames[message];
        let queue = QueueId::from_index(frame.what as usize);
        let settings = &plan.system.queues[queue];
        let broker = plan.system.pools[settings.pool].slots[0];
        let (counted, deliveries, since) = (frame.counted, frame.spare, frame.since);
        if succeeded && self.regime.slots[broker] == SlotState::Serving {
            self.take_out(queue, message);
            self.count_queue(queue, counted, |tally| {
                tally.done += 1;
                tally.latency.record(now.since(since).as_nanos());
            });
            if counted {
                let within = &mut self.tally.queues[queue].within;
                for (bound, within) in self.bounds.iter().zip(within) {
                    *within += u64::from(now.since(since) <= *bound);
                }
            }
        } else if settings
            .max_deliveries
            .is_some_and(|most| deliveries >= most)
        {
            self.take_out(queue, message);
            self.count_queue(queue, counted, |tally| tally.dead += 1);
        } else {
            let due = self.frames[message].call_from + settings.redelivers_after;
            let due = self.agenda.push(due.max(now), PAUSE, message);
            let frame = &mut self.frames[message];
            (frame.wait, frame.due) = (Wait::Redeliver, due);
        }
        Next::Idle
    }

    fn take_out(&mut self, queue: QueueId, message: u32) {
        self.brokers.rows[queue].held -= 1;
        let frame = self.frames.release(message);
        let held = self.now.since(frame.since);
        self.count_queue(queue, frame.counted, |tally| {
            tally.held_ns += u128::from(held.as_nanos());
        });
    }

    /// It is time to deliver a message again.
    pub(super) fn redeliver(&mut self, plan: &Plan<'a>, message: u32) -> Next {
        let queue = QueueId::from_index(self.frames[message].what as usize);
        self.join_queue(queue, message);
        self.dispatch(plan, queue);
        Next::Idle
    }

    /// A worker of `slot` is free, or its process serves again, or the broker does.
    #[inline(never)]
    pub(super) fn take_messages(&mut self, plan: &Plan<'a>, slot: SlotId) {
        let Some(pool) = plan.pool_of(slot) else {
            return;
        };
        let queues = [self.brokers.of_broker[pool], self.brokers.of_consumer[pool]];
        for queue in queues.into_iter().flatten() {
            self.dispatch(plan, queue);
        }
    }

    /// Somebody may be reached who was not.
    pub(super) fn take_all_messages(&mut self, plan: &Plan<'a>) {
        for queue in plan.system.queues.ids() {
            self.dispatch(plan, queue);
        }
    }

    /// A broker has stopped: if it keeps nothing, all of its messages are lost; else it will never hear
    /// what came while it was paused.
    pub(super) fn stop_broker(&mut self, plan: &Plan<'a>, slot: SlotId) {
        let pool = plan.pool_of(slot);
        let Some(queue) = pool.and_then(|pool| self.brokers.of_broker[pool]) else {
            return;
        };
        let row = queue.index() as u32;
        if plan.system.queues[queue].durable {
            let unheard =
                |frame: &Frame| frame.kind == Kind::Message && frame.what == row && frame.held;
            let found = self.find(unheard);
            for &(_, message) in &found {
                let due = self.agenda.push(self.now, PAUSE, message);
                let frame = &mut self.frames[message];
                (frame.wait, frame.held, frame.due) = (Wait::Reset, false, due);
            }
            self.found = found;
            return;
        }
        let found = self.find(|frame| frame.kind == Kind::Message && frame.what == row);
        for &(_, message) in &found {
            let counted = self.frames[message].counted;
            if self.frames[message].child != NONE {
                self.give_up_call(plan, message, Gone::Stopped);
            }
            self.frames[message].due = 0;
            self.take_out(queue, message);
            self.count_queue(queue, counted, |tally| tally.lost += 1);
        }
        self.found = found;
        let broker = &mut self.brokers.rows[queue];
        (broker.first, broker.last, broker.waiting) = (NONE, NONE, 0);
    }

    /// The tally of a queue, if `counted`.
    #[inline]
    fn count_queue(
        &mut self,
        queue: QueueId,
        counted: bool,
        add: impl FnOnce(&mut super::QueueTally),
    ) {
        if counted {
            add(&mut self.tally.queues[queue]);
        }
    }

    /// Whether lists and frames agree.
    #[cfg(test)]
    pub(super) fn audit_messages(&self) {
        let frames = self.frames.cells();
        for (queue, broker) in self.brokers.rows.pairs() {
            let row = queue.index() as u32;
            let mine = frames
                .iter()
                .filter(|frame| frame.kind == Kind::Message && frame.what == row);
            let idle = mine
                .clone()
                .filter(|frame| frame.child == NONE && frame.due == 0 && !frame.held);
            assert_eq!(broker.held, mine.count() as u32);
            assert_eq!(broker.waiting, idle.count() as u32);
            let (mut next, mut last, mut count) = (broker.first, NONE, 0);
            while next != NONE {
                assert_eq!(frames[next as usize].before, last);
                (last, next, count) = (next, frames[next as usize].after, count + 1);
            }
            assert_eq!((broker.last, broker.waiting), (last, count));
        }
    }

    /// Counts the messages that are left when a stretch ends.
    pub(super) fn finish_messages(&mut self) {
        if self.brokers.is_empty() {
            return;
        }
        for frame in self.frames.cells() {
            if frame.kind == Kind::Message && frame.counted {
                let queue = QueueId::from_index(frame.what as usize);
                let tally = &mut self.tally.queues[queue];
                tally.left += 1;
                tally.held_ns += u128::from(self.now.since(frame.since).as_nanos());
            }
        }
    }
}
