//! A request arrives: what becomes of it.

use super::line::NEVER;
use super::{Ahead, Fate, Meets, NOBODY, Way, count_within, end_in_slice};
use crate::ids::{Id, SlotId};
use crate::random::Sequence;
use crate::time::SimTime;
use crate::traffic::arrivals::Arrival;
use crate::traffic::attempt::nanos;
use crate::traffic::frames::pick_bits;
use crate::traffic::plan::Plan;
use crate::traffic::stretch::Stretch;

/// So many requests are drawn together, at most.
const TOGETHER: usize = 256;

/// The order of arrivals at one instant: after everything else.
const ARRIVING: u32 = u32::MAX;

impl<'a> Ahead<'a> {
    /// All requests that arrive before `horizon`; how many those were. What is over before is counted, the rest
    /// is left open.
    pub(super) fn arrivals_before(
        &mut self,
        plan: &Plan<'a>,
        stretch: &mut Stretch<'a>,
        horizon: u64,
    ) -> u64 {
        let before = self.number;
        let mut coming = std::mem::take(&mut self.coming);
        let mut drawn = std::mem::take(&mut self.drawn);
        loop {
            // Together: then one loop draws when they come, and another what becomes of them.
            coming.clear();
            let end = SimTime::from_nanos(horizon);
            stretch.arrivals.take_before(end, TOGETHER, &mut coming);
            let Some(last) = coming.last() else {
                break;
            };
            stretch.now = last.at;
            drawn.clear();
            drawn.extend(coming.iter().map(|arrival| self.draw(plan, arrival)));
            for (&arrival, &drawn) in coming.iter().zip(&drawn) {
                self.arrive(plan, stretch, (arrival, drawn), horizon);
            }
        }
        (self.coming, self.drawn) = (coming, drawn);
        let arrived = self.number - before;
        stretch.tally.requests_simulated += arrived;
        stretch.tally.attempts_simulated += arrived;
        arrived
    }

    /// What a request draws, whether it is served or not: the numbers that its frames would draw.
    #[inline(always)]
    fn draw(&self, plan: &Plan<'a>, arrival: &Arrival) -> Drawn {
        let mut draws = Sequence::from_key(arrival.key);
        let place = plan.workloads[arrival.workload].place(|| draws.bits());
        let index = self.rows.first[arrival.workload] + place;
        let key = draws.bits();
        let row = &self.rows.rows[index];
        let mut draws = Sequence::from_key(key);
        let work = nanos(row.takes.sample_here(&mut draws)).as_nanos();
        let error = row.fails > 0.0 && draws.uniform() < row.fails;
        Drawn {
            index,
            key,
            work,
            error,
        }
    }

    #[inline(always)]
    fn arrive(
        &mut self,
        plan: &Plan<'a>,
        stretch: &mut Stretch<'a>,
        (arrival, drawn): (Arrival, Drawn),
        horizon: u64,
    ) {
        let at = arrival.at.as_nanos();
        self.number += 1;
        let Drawn {
            index,
            key,
            work,
            error,
        } = drawn;
        let cell = stretch.slices.arrive(arrival.at, &mut stretch.tally.slices);
        let target = self.target(plan, stretch, (at, index), key);
        let row = &self.rows.rows[index];
        let sum = &mut self.sums[index];
        let counted = cell.is_some();
        sum.issued += u64::from(counted);
        let (cell, deadline) = (cell.unwrap_or(0), at.saturating_add(row.deadline));
        let number = self.number;
        let fate = |start, end, error, placed| Fate {
            at,
            number,
            key: arrival.key,
            start,
            end,
            deadline,
            row: index as u32,
            slot: target.slot,
            relay: target.relay,
            member: target.member,
            cell,
            counted,
            error,
            placed,
            told: false,
        };
        if target.meets != Meets::Service {
            let fate = fate(NEVER, NEVER, false, false);
            return self.miss(stretch, fate, horizon, target.meets);
        }
        let mut start = at;
        let line = &mut self.lines[target.slot as usize];
        if row.lined {
            let present = target.present.unwrap_or_else(|| line.pass(at));
            start = line.turn(at, present, row.workers);
            if row.queue != u32::MAX && line.is_full(present, row.workers, row.queue) {
                let fate = fate(NEVER, NEVER, false, false);
                return self.turn_away(stretch, &fate, false);
            }
        }
        if start > deadline {
            return self.quit(stretch, fate(NEVER, NEVER, false, true), horizon);
        }
        let end = start.saturating_add(work);
        if row.lined {
            line.serve(end);
        }
        let latency = end - at;
        let good = end <= deadline && latency <= row.good_within && !error;
        if !good || end >= horizon {
            return self.keep_served(stretch, fate(start, end, error, true), horizon);
        }
        // Nearly all.
        if counted {
            sum.busy += u128::from(end - start);
            self.latencies[index].record(latency);
            if !stretch.bounds.is_empty() {
                count_within(stretch, row.journey, latency);
            }
            end_in_slice(stretch, cell, row.journey, None);
        }
    }

    /// A request that is served, but not so well, or not so soon.
    #[inline(never)]
    fn keep_served(&mut self, stretch: &mut Stretch<'a>, fate: Fate, horizon: u64) {
        let row = &self.rows.rows[fate.row as usize];
        if row.compared && fate.end > fate.deadline {
            let line = &mut self.lines[fate.slot as usize];
            line.leave(row.class, fate.deadline, Some(fate.end));
        }
        self.keep(stretch, fate, horizon);
    }

    /// One that leaves the queue before its turn.
    #[inline(never)]
    fn quit(&mut self, stretch: &mut Stretch<'a>, fate: Fate, horizon: u64) {
        let class = self.rows.rows[fate.row as usize].class;
        self.lines[fate.slot as usize].leave(class, fate.deadline, None);
        self.keep(stretch, fate, horizon);
    }

    /// One that nobody serves.
    #[inline(never)]
    fn miss(&mut self, stretch: &mut Stretch<'a>, fate: Fate, horizon: u64, meets: Meets) {
        if meets == Meets::Refusal {
            return self.turn_away(stretch, &fate, true);
        }
        let row = &self.rows.rows[fate.row as usize];
        if row.compared && fate.member != NOBODY {
            self.lines[fate.slot as usize].leave(row.class, fate.deadline, None);
        }
        self.keep(stretch, fate, horizon);
    }

    /// A request was refused, or shed, as it came.
    #[inline(never)]
    fn turn_away(&mut self, stretch: &mut Stretch<'a>, fate: &Fate, refused: bool) {
        if !fate.counted {
            return;
        }
        let row = &self.rows.rows[fate.row as usize];
        let tally = &mut stretch.tally.pools[row.pool];
        tally.calls += 1;
        tally.calls_failed += 1;
        tally.calls_failed_of_load += 1;
        if refused {
            tally.attempts_refused += 1;
        } else {
            tally.attempts_shed += 1;
        }
        let cause = self.standings[fate.row as usize].load;
        let journey = row.journey;
        let order = (fate.at, ARRIVING, fate.at, fate.number);
        self.fail(stretch, order, (fate.cell, journey, cause));
    }

    /// Counts a fate that is over before `horizon`, and keeps any other.
    fn keep(&mut self, stretch: &mut Stretch<'a>, fate: Fate, horizon: u64) {
        if fate.over_at() < horizon {
            self.tell(stretch, &fate);
            self.count_work(stretch, &fate);
            return;
        }
        stretch.counted_in_flight += u64::from(fate.counted);
        self.open.push(fate);
    }

    /// Where an attempt goes, and what it meets there.
    #[inline(always)]
    fn target(
        &mut self,
        plan: &Plan<'a>,
        stretch: &mut Stretch<'a>,
        (now, index): (u64, usize),
        key: u64,
    ) -> Target {
        let relay = match self.standings[index].way {
            Way::Relay(relay) => relay,
            Way::Any { first, count } => Stretch::any_relay(key, first, count),
            Way::Silence => return Target::nobody(Meets::Silence),
            Way::Turn => {
                let position = self.rows.rows[index].position;
                let slot = stretch.next_turn(plan, position, plan.call(position));
                return Target {
                    slot: slot.index() as u32,
                    ..Target::nobody(self.slots[slot.index()])
                };
            }
        };
        let gate = self.gates[relay as usize];
        if gate.meets != Meets::Service {
            return Target::nobody(gate.meets);
        }
        let (lines, members) = (&mut self.lines, &self.members[gate.first..]);
        let balancer = &mut stretch.relays[relay as usize];
        let bits = pick_bits(key);
        let (picked, present) = match balancer.pair(bits) {
            Some(None) => (None, None),
            Some(Some((first, second))) => {
                let one = lines[members[first as usize].0.index()].look(now);
                let other = lines[members[second as usize].0.index()].look(now);
                // Without a branch: it would be a coin toss.
                let both = [(first, one.0), (second, other.0)];
                let (picked, present) = both[usize::from(one.1 >= other.1)];
                (Some(picked), Some(present))
            }
            None => {
                let picked = balancer.pick_by(bits, |member| {
                    lines[members[member as usize].0.index()].look(now).1
                });
                (picked, None)
            }
        };
        let Some(member) = picked else {
            return Target::nobody(Meets::Refusal);
        };
        let (slot, meets): (SlotId, Meets) = members[member as usize];
        Target {
            meets,
            slot: slot.index() as u32,
            relay,
            member,
            present,
        }
    }
}

/// What a request draws.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    /// Its row, the key of its attempt, for how long a worker has it, nanoseconds, and whether that ends in an
    /// error.
    index: usize,
    key: u64,
    work: u64,
    error: bool,
}

/// Where an attempt goes.
#[derive(Clone, Copy, Debug)]
struct Target {
    meets: Meets,
    slot: u32,
    relay: u32,
    member: u32,
    /// What [`Line::pass`](super::line::Line::pass) said, if it was asked.
    present: Option<usize>,
}

impl Target {
    /// No member of a pool.
    fn nobody(meets: Meets) -> Self {
        Self {
            meets,
            slot: NOBODY,
            relay: NOBODY,
            member: NOBODY,
            present: None,
        }
    }
}
