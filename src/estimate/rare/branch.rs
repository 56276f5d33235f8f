//! One branch: an episode in which faults are forced, with its weight.

use super::tail::tail;
use super::{First, Forcer, Start, secs};
use crate::control::Control;
use crate::estimate::rare::ForcedRecord;
use crate::ids::Id;
use crate::path::Event;
use crate::random::Stream;
use crate::time::{SimSpan, SimTime};

/// The probability that a fault is forced before the next event.
const FORCED: f64 = 0.5;

/// The same from the beginning of a release: it takes many steps, each of which would halve how often nothing
/// comes between.
const SELDOM: f64 = 0.1;

/// The share of forced faults that bring the system nearer to an outage, if any does.
const NEARER: f64 = 0.8;

/// Intervals in which faults are forced; what lasts longer goes on by its own law.
const MOST_INTERVALS: u32 = 30;

/// What a branch works with.
#[derive(Debug)]
pub(super) struct Scratch {
    /// As `Forcer::since`, of the branch.
    since: Vec<f64>,
    /// Clocks that were looked at, all branches together.
    pub(super) looked: u64,
    /// Whether faults that have ended do not come back by themselves.
    holds: bool,
    /// Rows that wait for their fault, and of those the ones that bring an outage nearer.
    idle: Vec<u32>,
    nearer: Vec<u32>,
    /// For each of the latter, how likely it and those before it are chosen, up to a factor.
    up_to: Vec<f64>,
}

impl Scratch {
    pub(super) fn new(clocks: usize) -> Self {
        Self {
            since: vec![0.0; clocks],
            looked: 0,
            holds: false,
            idle: Vec::with_capacity(clocks),
            nearer: Vec::with_capacity(clocks),
            up_to: Vec::with_capacity(clocks),
        }
    }
}

/// What a branch has come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    pub(super) weight: f64,
    /// Its events.
    pub(super) steps: u64,
    /// The probability that a fault is forced in its next interval.
    forcing: f64,
    /// Whether a fault was forced.
    pub(super) forced: bool,
    /// Whether anything that was demanded was made likelier.
    pub(super) raised: bool,
    /// Whether the first duration that was drawn is longer than its median, if any was.
    pub(super) is_long: Option<bool>,
}

impl Course {
    fn new(weight: f64) -> Self {
        Self {
            weight,
            steps: 0,
            forcing: FORCED,
            forced: false,
            raised: false,
            is_long: None,
        }
    }

    /// What has begun goes on by itself for many steps.
    pub(super) fn takes_its_course(&mut self) {
        self.forcing = SELDOM;
    }
}

/// How the forced part of a branch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Everything is well, or the horizon is over.
    Well,
    /// The system is down.
    Down,
    /// It takes long.
    Long,
}

impl<'a> Forcer<'a> {
    /// Runs the branch that begins in the state of `control`, of which `self.tally` has seen the
    /// beginning, or with its next event, and adds what it found. Returns the number of its events.
    pub(super) fn branch(
        &mut self,
        control: &mut Control<'a>,
        stream: &mut Stream,
        start: Start,
        forced: &mut ForcedRecord,
    ) -> u64 {
        self.branch.since.copy_from_slice(&self.since);
        let mut course = Course::new(1.0 / start.share);
        let (First::Past(initiator) | First::Due(initiator)) = start.first;
        if let First::Due(_) = start.first {
            self.branch.holds = false;
            // Another state was taken over, of which nothing may come.
            self.branch.looked += self.clocks.len() as u64;
            self.tally.begin_up(control.next_time());
            self.demanded(control, stream, &mut course);
            if self.is_well(control) {
                let from = self.begun(control, initiator);
                forced.push(&course, start, from, None);
                return course.steps;
            }
        }
        let from = self.begun(control, initiator);
        self.branch.holds = true;
        self.branch.looked += self.clocks.len() as u64;
        for one in &self.clocks {
            if control.awaits_fault(one.clock) {
                control.begin_fault_at(one.clock, SimTime::NEVER);
            }
        }
        if let Some(row) = initiator {
            self.lengthen(control, row, stream, &mut course);
        }
        let end = self.forced(control, stream, &mut course);
        let mut at = control.now().max(self.from);
        if end != End::Well {
            self.release(control, stream);
            at = self.to;
            while control.next_time() < self.to {
                let now = self.naturally(control, &mut course.steps);
                if self.is_well(control) {
                    at = now;
                    break;
                }
            }
        }
        let ended_well = end == End::Well || at < self.to;
        let downtime = self.tally.end_part(
            if ended_well { at } else { self.to },
            control,
            course.weight,
            &mut self.sums,
        );
        let downtime_s = downtime.map(SimSpan::as_secs_f64);
        forced.push(&course, start, from, downtime_s);
        let weight = course.weight;
        if let Some(downtime) = downtime
            && start.is_clean
        {
            let rest = if ended_well {
                self.rest_of_year(control, &mut course.steps)
            } else {
                SimSpan::ZERO
            };
            let year = downtime.saturating_add(rest);
            self.any += weight;
            forced.years.add(year.as_nanos(), weight);
            for (sum, limit) in self.exceeds.iter_mut().zip(&self.limits) {
                if limit.is_some_and(|limit| year > limit) {
                    *sum += weight;
                }
            }
        }
        course.steps
    }

    /// By which fault a branch has begun, and how far an outage is then.
    fn begun(&mut self, control: &Control<'a>, initiator: Option<u32>) -> (Option<usize>, u32) {
        let fault = initiator.map(|row| {
            let clock = self.clocks[row as usize].clock;
            self.system.clocks[clock].fault.index()
        });
        let distance = if control.structure().system_up() {
            self.relevance.distance_of(control)
        } else {
            0
        };
        (fault, distance)
    }

    /// Forces faults until the system is down, or well, or it takes long.
    fn forced(
        &mut self,
        control: &mut Control<'a>,
        stream: &mut Stream,
        course: &mut Course,
    ) -> End {
        let mut now = control.now().max(self.from);
        for _ in 0..MOST_INTERVALS {
            if !control.structure().system_up() {
                return End::Down;
            }
            if self.is_well(control) {
                return End::Well;
            }
            let until = control.next_time().min(self.to);
            let width = until.since(now);
            self.look(control);
            // Less room than two nanoseconds cannot be forced into.
            let can_force = !self.branch.idle.is_empty() && width.as_nanos() >= 2;
            if can_force && stream.uniform() < course.forcing {
                course.forced = true;
                let (row, chance) = self.choose(stream);
                let (after, factor) = self.instant(row, now, width, stream.uniform());
                course.weight *= factor / (course.forcing * chance);
                if course.weight <= 0.0 {
                    return End::Well;
                }
                let most = width.as_nanos() - 1;
                let after = SimSpan::from_secs_f64(after).as_nanos().min(most);
                now = now + SimSpan::from_nanos(after);
                control.begin_fault_at(self.clocks[row as usize].clock, now);
                self.begin(control, row, stream, course);
                self.lengthen(control, row, stream, course);
                continue;
            }
            if can_force {
                let hazards: f64 = self
                    .branch
                    .idle
                    .iter()
                    .map(|&row| self.hazard(row, now, width))
                    .sum();
                course.weight *= (-hazards).exp() / (1.0 - course.forcing);
            }
            if until >= self.to {
                return End::Well;
            }
            now = until;
            let at = self.demanded(control, stream, course);
            debug_assert!(at == until, "the next event is the one that was due");
        }
        if control.structure().system_up() {
            End::Long
        } else {
            End::Down
        }
    }

    /// Which faults can be forced, and which of them bring the system nearer to an outage.
    fn look(&mut self, control: &Control<'_>) {
        let structure = control.structure();
        self.relevance.look(control);
        self.branch.looked += self.clocks.len() as u64;
        self.branch.idle.clear();
        self.branch.nearer.clear();
        self.branch.up_to.clear();
        let mut sum = 0.0;
        for (row, one) in self.clocks.iter().enumerate() {
            if control.awaits_fault(one.clock) {
                self.branch.idle.push(row as u32);
                let takes = self.relevance.brings_nearer(row, structure);
                if takes > 0 && !self.initiators.seldom_meets_others(row) {
                    // A fault that takes several slots at once saves as many rare events.
                    sum += f64::from(takes).powi(2);
                    self.branch.nearer.push(row as u32);
                    self.branch.up_to.push(sum);
                }
            }
        }
    }

    /// One of the rows looked at, and the probability that it was chosen.
    fn choose(&self, stream: &mut Stream) -> (u32, f64) {
        let Scratch {
            idle,
            nearer,
            up_to,
            ..
        } = &self.branch;
        let (which, place) = (stream.uniform(), stream.uniform());
        let anybody = idle[(place * idle.len() as f64) as usize];
        let any = 1.0 / idle.len() as f64;
        let Some(&sum) = up_to.last() else {
            return (anybody, any);
        };
        let row = if which < NEARER {
            let chosen = up_to.partition_point(|&up_to| up_to <= place * sum);
            nearer[chosen.min(nearer.len() - 1)]
        } else {
            anybody
        };
        let chance = nearer
            .iter()
            .position(|&other| other == row)
            .map_or(0.0, |at| {
                let before = if at == 0 { 0.0 } else { up_to[at - 1] };
                (up_to[at] - before) / sum
            });
        (row, NEARER * chance + (1.0 - NEARER) * any)
    }

    /// The cumulative hazard of the fault of `row` over `width` from `now`.
    fn hazard(&self, row: u32, now: SimTime, width: SimSpan) -> f64 {
        let one = &self.clocks[row as usize];
        let width = width.as_secs_f64();
        if let Some(hazard) = one.hazard {
            return hazard * width;
        }
        let age = self.age(row, now);
        let before = one.every.cumulative_hazard(age);
        (one.every.cumulative_hazard(age + width) - before).max(0.0)
    }

    fn age(&self, row: u32, now: SimTime) -> f64 {
        (secs(now) - self.branch.since[row as usize]).max(0.0)
    }

    /// When the fault of `row` begins within `width` from `now`, seconds from now, and the factor of
    /// the weight: that it comes there, and no other fault before it.
    fn instant(&self, row: u32, now: SimTime, width: SimSpan, place: f64) -> (f64, f64) {
        let one = &self.clocks[row as usize];
        let chance = -f64::exp_m1(-self.hazard(row, now, width));
        let hazard = -f64::ln_1p(-place * chance);
        let after = match one.hazard {
            Some(rate) => hazard / rate,
            None => {
                let age = self.age(row, now);
                let whole = one.every.cumulative_hazard(age) + hazard;
                one.every.inverse_cumulative_hazard(whole) - age
            }
        };
        let after = after.clamp(0.0, width.as_secs_f64());
        let until = SimSpan::from_secs_f64(after);
        let others = self.branch.idle.iter().filter(|&&other| other != row);
        let hazards: f64 = others.map(|&other| self.hazard(other, now, until)).sum();
        (after, chance * (-hazards).exp())
    }

    /// The fault of `row`, which is due now, begins.
    fn begin(
        &mut self,
        control: &mut Control<'a>,
        row: u32,
        stream: &mut Stream,
        course: &mut Course,
    ) {
        let clock = self.clocks[row as usize].clock;
        loop {
            self.demanded(control, stream, course);
            // Something else may be due at the same instant, and come before it.
            if !control.awaits_fault(clock) || control.next_time() > control.now() {
                return;
            }
        }
    }

    /// How long the fault of `row`, which has just begun, lasts: drawn with a heavier tail.
    fn lengthen(
        &mut self,
        control: &mut Control<'a>,
        row: u32,
        stream: &mut Stream,
        course: &mut Course,
    ) {
        let one = &self.clocks[row as usize];
        let (Some(lasts), true) = (&one.lasts, control.structure().system_up()) else {
            return;
        };
        let (sf, factor) = tail(stream.uniform(), stream.uniform());
        course.weight *= factor;
        course.is_long.get_or_insert(sf < 0.5);
        let lasts = SimSpan::from_secs_f64(lasts.quantile_of_sf(sf));
        control.last_for(one.clock, lasts);
    }

    /// The next event of the branch; a fault that has ended does not come back by itself, while faults
    /// are forced.
    pub(super) fn naturally(&mut self, control: &mut Control<'a>, steps: &mut u64) -> SimTime {
        self.signals.clear();
        let transition = control.step(&mut self.signals);
        *steps += 1;
        self.tally.observe_part(transition.at, control);
        if let Event::FaultEnds(clock) | Event::FaultBegins(clock) = transition.event
            && let Some(row) = self.rows[clock]
            && control.awaits_fault(clock)
        {
            self.branch.since[row as usize] = secs(transition.at);
            if self.branch.holds {
                control.begin_fault_at(clock, SimTime::NEVER);
            }
        }
        transition.at
    }
}

impl<'a> Forcer<'a> {
    /// Whatever waits for its fault gets the rest of its life, drawn by its own law given its age.
    fn release(&mut self, control: &mut Control<'a>, stream: &mut Stream) {
        self.branch.holds = false;
        self.branch.looked += self.clocks.len() as u64;
        let now = control.now().max(self.from);
        for (row, one) in self.clocks.iter().enumerate() {
            let place = stream.uniform();
            if control.awaits_fault(one.clock) {
                let rest = one.every.residual(self.age(row as u32, now), place);
                control.begin_fault_at(one.clock, now + SimSpan::from_secs_f64(rest));
            }
        }
    }

    /// Downtime from now to the end of the horizon.
    fn rest_of_year(&mut self, control: &mut Control<'a>, steps: &mut u64) -> SimSpan {
        let mut downtime = SimSpan::ZERO;
        let mut down_since = None;
        while control.next_time() < self.to {
            self.signals.clear();
            let at = control.step(&mut self.signals).at;
            *steps += 1;
            match (down_since, control.structure().system_up()) {
                (None, false) => down_since = Some(at),
                (Some(since), true) => {
                    downtime = downtime.saturating_add(at.since(since));
                    down_since = None;
                }
                (None, true) | (Some(_), false) => {}
            }
        }
        down_since.map_or(downtime, |since| {
            downtime.saturating_add(self.to.since(since))
        })
    }
}
