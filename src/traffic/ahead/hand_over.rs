//! What is in progress, as the event engine knows it: frames, queues, deadlines and what is due.

use super::line::NEVER;
use super::{Ahead, Fate};
use crate::ids::{Id, SlotId};
use crate::random::Sequence;
use crate::time::SimTime;
use crate::traffic::frames::{Kind, NONE, State, Wait};
use crate::traffic::plan::Plan;
use crate::traffic::stretch::{Stretch, WORK};

impl<'a> Ahead<'a> {
    /// The event engine goes on from here.
    #[cold]
    pub(in crate::traffic) fn hand_over(&mut self, plan: &Plan<'a>, stretch: &mut Stretch<'a>) {
        self.close(stretch);
        let now = stretch.now;
        let mut started = std::mem::take(&mut stretch.found);
        started.clear();
        let mut open = std::mem::take(&mut self.open);
        for fate in &open {
            let request = if fate.told {
                NONE
            } else {
                self.request(plan, stretch, fate)
            };
            let attempt = self.attempt(plan, stretch, (fate, request));
            if fate.start < self.until {
                started.push((SimTime::from_nanos(fate.start), attempt));
            }
        }
        // At one instant what was begun first is done first.
        started.sort_unstable();
        for &(_, index) in &started {
            // Until now a place for the instant.
            let frame = &mut stretch.frames[index];
            let end = SimTime::from_nanos(std::mem::take(&mut frame.due));
            frame.due = stretch.agenda.push(end, WORK, index);
        }
        open.clear();
        (self.open, stretch.found) = (open, started);
        let until = if self.until == NEVER {
            now
        } else {
            SimTime::from_nanos(self.until)
        };
        stretch.now = now.max(until);
    }

    /// The frame of a request that waits for its attempt.
    fn request(&self, plan: &Plan<'a>, stretch: &mut Stretch<'a>, fate: &Fate) -> u32 {
        let row = &self.rows.rows[fate.row as usize];
        let workload = &plan.workloads[row.workload];
        let at = SimTime::from_nanos(fate.at);
        let calls = plan.journeys[row.journey].calls;
        let (index, frame) = stretch.frames.take(Kind::Request, fate.key);
        workload.place(|| frame.roll());
        (frame.since, frame.call_from) = (at, at);
        frame.what = row.journey.index() as u32;
        (frame.position, frame.end) = (calls.from, calls.end);
        frame.condition = self.standings[fate.row as usize].condition as u8;
        (frame.counted, frame.cell) = (fate.counted, fate.cell);
        frame.attempts = 1;
        let generation = frame.generation;
        stretch.now = at;
        stretch.start_timer(workload.timer, index, generation);
        index
    }

    /// The frame of an attempt. What is due of it is put there for the caller to schedule.
    fn attempt(
        &self,
        plan: &Plan<'a>,
        stretch: &mut Stretch<'a>,
        (fate, request): (&Fate, u32),
    ) -> u32 {
        let row = &self.rows.rows[fate.row as usize];
        let call = plan.call(row.position);
        let index = if request == NONE {
            let mut draws = Sequence::from_key(fate.key);
            plan.workloads[row.workload].place(|| draws.bits());
            let (index, frame) = stretch.frames.take(Kind::Attempt, draws.bits());
            frame.counted = fate.counted;
            frame.what = call.operation.index() as u32;
            (frame.position, frame.end) = (call.calls.from, call.calls.end);
            (frame.relay, frame.member) = (fate.relay, fate.member);
            frame.rank = call.rank.unwrap_or(0);
            index
        } else {
            let key = stretch.frames[request].roll();
            let target = (fate.relay, fate.member);
            stretch.send(call, request, key, fate.counted, target)
        };
        let slot = SlotId::from_index(fate.slot as usize);
        if !fate.placed {
            stretch.frames[index].state = State::Lost;
            return index;
        }
        let frame = &mut stretch.frames[index];
        frame.slot = fate.slot;
        if fate.start >= self.until {
            frame.since = SimTime::from_nanos(fate.at);
            stretch.enqueue(plan, slot, index, 0);
            return index;
        }
        let station = &mut stretch.stations[slot];
        station.busy += 1;
        frame.since = SimTime::from_nanos(fate.start);
        frame.state = State::Working;
        frame.wait = if fate.error { Wait::Error } else { Wait::Work };
        call.takes.sample(&mut frame.draws);
        if row.fails > 0.0 {
            frame.roll();
        }
        frame.due = fate.end;
        stretch.count(row.pool, fate.counted, |tally| {
            tally.served += 1;
            tally.wait_ns += u128::from(fate.start - fate.at);
        });
        index
    }
}
