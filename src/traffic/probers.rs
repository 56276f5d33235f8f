//! Probes that the workers of their targets answer: real work in a real queue, so that overload fails them.
//!
//! Control takes every probe of a member that is well for answered in time. One that finds a free worker is. Of
//! one that does not, control is told ([`ProbeNews`]) at once, and again when it has ended, if both run on one
//! clock ([`Traffic::follow_probes`](super::Traffic::follow_probes)). Otherwise, as in a sample of quiet time, no
//! fault is in the way, and the instances count results and leave members out themselves.
//!
//! A probe that is late has failed: it leaves the queue, or is worked on for nobody. What it asks of the worker is
//! the same every time. Probes of a member that is down, hangs, stands still or is out of reach are control's
//! alone. Their way over the network takes no time here.

use super::frames::{Kind, State, uniform};
use super::plan::Plan;
use super::stretch::{Halt, Stretch};
use crate::ids::{Id, SlotId};
use crate::path::{ProbeNews, ProbeState, SlotState};
use crate::random::{Key, mix};
use crate::time::{SimSpan, SimTime};

/// Who probes whom: one instance of a balancer and one member.
#[derive(Clone, Debug)]
pub(super) struct ProberPlan {
    pub instance: SlotId,
    /// Its row in the table of instances.
    pub relay: u32,
    /// The member's index in the balancer's pool, and its slot.
    pub member: u32,
    pub slot: SlotId,
    /// The row of the operations that is a probe.
    pub what: u32,
    pub interval: SimSpan,
    pub timeout: SimSpan,
    /// Failures in a row until the member is left out, and passes in a row until it is back.
    pub fall: u32,
    pub rise: u32,
}

/// One of them in motion.
#[derive(Clone, Copy, Debug)]
struct Prober {
    /// When its next probe starts, and when the last one did.
    next: SimTime,
    last: SimTime,
    /// The frame of the last one, if that waits.
    waits: Option<u32>,
    /// Whether the instance has left the member out by itself.
    out: bool,
    /// How many results in a row were not what the instance believes.
    against: u32,
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Probers {
    rows: Vec<Prober>,
    /// When anything is due.
    next: SimTime,
    /// What draws of probes begin with.
    key: u64,
    /// Whether control is told.
    live: bool,
    news: Vec<ProbeNews>,
}

impl Prober {
    fn due(&self, known: &ProberPlan) -> SimTime {
        match self.waits {
            Some(_) => self.next.min(self.last + known.timeout),
            None => self.next,
        }
    }
}

impl Probers {
    pub(super) fn new(plan: &Plan<'_>) -> Self {
        let never = Prober {
            next: SimTime::NEVER,
            last: SimTime::EPOCH,
            waits: None,
            out: false,
            against: 0,
        };
        Self {
            rows: vec![never; plan.probers.len()],
            next: SimTime::NEVER,
            key: 0,
            live: false,
            news: Vec::new(),
        }
    }

    /// A stretch begins at `now`, with phases drawn from `key`; nobody is told of anything.
    pub(super) fn begin(&mut self, plan: &Plan<'_>, now: SimTime, key: Key) {
        if self.rows.is_empty() {
            return;
        }
        for (row, known) in self.rows.iter_mut().zip(&plan.probers) {
            let (instance, member) = (known.instance.index() as u64, u64::from(known.member));
            let phase = key.with(4).with(instance).with(member).stream().uniform();
            row.next = now + known.interval.mul_f64(phase);
            (row.last, row.waits) = (SimTime::EPOCH, None);
            (row.out, row.against) = (false, 0);
        }
        self.key = key.with(5).stream().bits();
        self.live = false;
        self.news.clear();
        self.look_ahead(plan);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn next_time(&self) -> SimTime {
        self.next
    }

    /// The oldest news that was not taken, and whether there are more.
    pub(super) fn take_news(&mut self) -> (Option<ProbeNews>, bool) {
        let oldest = (!self.news.is_empty()).then(|| self.news.remove(0));
        (oldest, !self.news.is_empty())
    }

    /// Probes start when `start` says, or a whole number of intervals from then; not at all if never.
    pub(super) fn align(
        &mut self,
        plan: &Plan<'_>,
        now: SimTime,
        start: impl Fn(SlotId, u32) -> Option<SimTime>,
    ) {
        for (row, known) in self.rows.iter_mut().zip(&plan.probers) {
            let Some(start) = start(known.instance, known.member) else {
                row.next = SimTime::NEVER;
                continue;
            };
            let interval = known.interval.as_nanos();
            let first = if start >= now {
                let whole = start.since(now).as_nanos() / interval;
                start.before(known.interval.saturating_mul(whole))
            } else {
                let missed = now.since(start).as_nanos().div_ceil(interval);
                start + known.interval.saturating_mul(missed)
            };
            // One that has started at this very instant is not repeated.
            row.next = if first == row.last {
                first + known.interval
            } else {
                first
            };
        }
        self.look_ahead(plan);
    }

    fn look_ahead(&mut self, plan: &Plan<'_>) {
        let rows = self.rows.iter().zip(&plan.probers);
        let due = rows.map(|(row, known)| row.due(known)).min();
        self.next = due.unwrap_or(SimTime::NEVER);
    }
}

impl<'a> Stretch<'a> {
    /// All events before `end`, at most `most` of them and some probes. It ends at once when there are news.
    #[inline]
    pub(super) fn run(&mut self, plan: &Plan<'a>, end: SimTime, most: u64) {
        if self.probers.is_empty() {
            return self.run_requests(plan, end, most);
        }
        self.run_probed(plan, end, most);
    }

    /// The same where workers answer probes: before all else at an instant.
    fn run_probed(&mut self, plan: &Plan<'a>, end: SimTime, most: u64) {
        let begun = self.tally.requests_simulated;
        for _ in 0..most {
            let at = self.probers.next_time();
            self.run_requests(plan, end.min(at), most);
            let some = self.tally.requests_simulated - begun >= most;
            if self.halt != Halt::No || at >= end || some || self.next_of_requests() < at {
                return;
            }
            // What waited for its end may have had it meanwhile.
            if at == self.probers.next_time() {
                self.probe(plan);
            }
        }
    }

    /// What is due of probes: one starts, or one that waits is late.
    fn probe(&mut self, plan: &Plan<'a>) {
        let at = self.probers.next;
        let mut rows = self.probers.rows.iter().zip(&plan.probers);
        let Some(row) = rows.position(|(row, known)| row.due(known) == at) else {
            return;
        };
        self.now = at;
        let known = &plan.probers[row];
        let prober = &mut self.probers.rows[row];
        match prober.waits {
            Some(index) if prober.last + known.timeout == at => {
                prober.waits = None;
                self.give_up_probe(plan, index);
                self.tell(plan, row, ProbeState::Failed);
            }
            _ => {
                prober.last = at;
                prober.next = at + known.interval;
                self.start_probe(plan, row);
            }
        }
        self.probers.look_ahead(plan);
    }

    fn start_probe(&mut self, plan: &Plan<'a>, row: usize) {
        let known = &plan.probers[row];
        let (instance, slot) = (known.instance, known.slot);
        let serves = |slot: SlotId| self.regime.slots[slot] == SlotState::Serving;
        if !serves(instance) || !serves(slot) || !self.regime.reaches(Some(instance), slot) {
            return;
        }
        if self.frames.full() {
            self.halt = Halt::Overflow;
            return;
        }
        let now = self.now;
        self.tally.probes.sent += 1;
        let station = &mut self.stations[slot];
        let free = station.busy < station.workers;
        if free {
            station.busy += 1;
        } else if station.waiting >= station.queue {
            return self.tell(plan, row, ProbeState::Failed);
        }
        let key = mix(self.probers.key ^ mix(now.as_nanos()).wrapping_add(row as u64));
        let (index, frame) = self.frames.take(Kind::Attempt, key);
        (frame.what, frame.slot) = (known.what, slot.index() as u32);
        (frame.since, frame.cell) = (now, row as u32);
        if free {
            self.serve_at(plan, index);
            if self.relays[known.relay as usize].ejects() {
                self.found_well(plan, row, key);
            }
            if !self.probers.live {
                self.count_alone(plan, row, true);
            }
        } else {
            self.enqueue(plan, slot, index, key);
            self.probers.rows[row].waits = Some(index);
            self.tell(plan, row, ProbeState::Waits);
        }
    }

    /// A probe has found a free worker: unless it meets an error, an instance that ejects takes the member back.
    fn found_well(&mut self, plan: &Plan<'a>, row: usize, key: u64) {
        let known = &plan.probers[row];
        let errors = self.regime.impairments[known.slot].errors;
        if errors <= 0.0 || uniform(mix(key)) >= errors {
            self.relays[known.relay as usize].passed(known.member, self.now);
        }
    }

    /// The slot is done with a probe.
    #[cold]
    pub(super) fn probe_done(&mut self, plan: &Plan<'a>, index: u32, succeeded: bool) {
        let row = self.frames[index].cell as usize;
        let prober = &mut self.probers.rows[row];
        if prober.waits != Some(index) {
            return;
        }
        prober.waits = None;
        let state = if succeeded {
            ProbeState::Passed
        } else {
            ProbeState::Failed
        };
        self.tell(plan, row, state);
        self.probers.look_ahead(plan);
    }

    /// `slot`, which is probed or probes, is not what it was.
    #[cold]
    pub(super) fn drop_probes(&mut self, plan: &Plan<'a>, slot: SlotId) {
        let state = self.regime.slots[slot];
        for (row, known) in plan.probers.iter().enumerate() {
            let Some(index) = self.probers.rows[row].waits else {
                continue;
            };
            if known.instance == slot && state != SlotState::Serving {
                self.probers.rows[row].waits = None;
                self.give_up_probe(plan, index);
            } else if known.slot == slot && !matches!(state, SlotState::Serving | SlotState::Paused)
            {
                // Its frame went with everything else that was there. If control has not seen why, as when a
                // spare is not needed any more, it must hear of it.
                self.probers.rows[row].waits = None;
                self.tell(plan, row, ProbeState::Failed);
            }
        }
        self.probers.look_ahead(plan);
    }

    /// Nobody waits for a probe any more.
    fn give_up_probe(&mut self, plan: &Plan<'a>, index: u32) {
        if self.frames[index].state == State::Queued {
            self.dequeue(plan, index);
            self.drop_attempt(index);
        }
    }

    fn tell(&mut self, plan: &Plan<'a>, row: usize, probe: ProbeState) {
        let (known, started) = (&plan.probers[row], self.probers.rows[row].last);
        if probe == ProbeState::Passed {
            self.relays[known.relay as usize].passed(known.member, self.now);
        }
        let tally = &mut self.tally.probes;
        match probe {
            ProbeState::Waits => tally.waited += 1,
            ProbeState::Failed => tally.failed += 1,
            ProbeState::Passed => {}
        }
        if self.probers.live {
            self.probers.news.push(ProbeNews {
                at: self.now,
                instance: known.instance,
                member: known.member,
                started,
                probe,
            });
            if self.halt == Halt::No {
                self.halt = Halt::News;
            }
        } else if probe != ProbeState::Waits {
            self.count_alone(plan, row, probe == ProbeState::Passed);
        }
    }

    /// An instance that nobody follows counts a result.
    fn count_alone(&mut self, plan: &Plan<'a>, row: usize, passes: bool) {
        let (known, prober) = (&plan.probers[row], &mut self.probers.rows[row]);
        if passes != prober.out {
            prober.against = 0;
            return;
        }
        prober.against += 1;
        let enough = if prober.out { known.rise } else { known.fall };
        // What a fault has taken away is not theirs to bring back.
        let believed = self.regime.views[known.instance][known.member as usize];
        if prober.against < enough || !believed {
            return;
        }
        (prober.out, prober.against) = (!prober.out, 0);
        self.tally.probes.left_out += u64::from(prober.out);
        self.relays[known.relay as usize].notice(known.member, !prober.out, self.now);
    }

    /// From now on control is followed, and believes of all members what it told; or not any more.
    pub(super) fn follow_probes(&mut self, plan: &Plan<'a>, follow: bool) {
        self.probers.live = follow;
        for (prober, known) in self.probers.rows.iter_mut().zip(&plan.probers) {
            if prober.out {
                self.relays[known.relay as usize].set(known.member, true);
            }
            (prober.out, prober.against) = (false, 0);
        }
    }
}
