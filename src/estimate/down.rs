//! What users lose while the structure cannot serve them, by control alone.
//!
//! Of systems that are seldom down a thousand histories with traffic may not meet one outage, and their
//! scatter says nothing of it. But what an outage costs is known without a request: about the requests
//! that come while it lasts, and its seconds. Its mean is known from branches in which outages are forced
//! ([`rare`](super::rare)). So what the histories themselves lose like this is taken away from their
//! request figures, which leaves the *plain part*, and the mean of the branches, the *forced part*, is
//! added: `E[Y] = E[Y - L] + E[L]`, a control variate with coefficient 1 (Ripley 1987, 5.3). Both sides
//! have the same `L`, so nothing is biased whatever requests really do: those that do not fail though the
//! structure is down, or fail for a while longer, stay in the plain part.
//!
//! `L` of a journey is the time in which it cannot be served times its mean rate. Users in closed loops
//! have no rate of their own, and no forced part.
//!
//! The quiet time of histories that lend (`lend.rs`) counts in part, so what is lost in it does too: else
//! an outage of theirs would be taken away where it was never counted.

use super::group::GroupRunner;
use super::outages::Bad;
use crate::ids::{Id, IdVec, JourneyId};
use crate::model::System;
use crate::model::structure::StructureState;
use crate::path::Cause;
use crate::time::SimTime;
use serde::{Deserialize, Serialize};

/// Requests per second of each journey, mean over `[from, to)`; 0 for users in closed loops.
pub fn rates(system: &System, from: SimTime, to: SimTime) -> IdVec<JourneyId, f64> {
    let mut rates = IdVec::filled(0.0, system.journeys.len());
    let span_s = to.since(from).as_secs_f64();
    for workload in system.workloads.iter().filter(|row| row.users.is_none()) {
        let rate = workload.expected(from, to) / span_s;
        let shares: f64 = workload.journeys.iter().map(|row| row.1).sum();
        for &(journey, share) in &workload.journeys {
            rates[journey] += rate * share / shares;
        }
    }
    rates
}

/// What is lost while the structure cannot serve, in a history or a part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lost {
    /// Requests by journey.
    pub journeys: IdVec<JourneyId, f64>,
    /// Requests by [`Cause::index`].
    pub by_cause: Vec<f64>,
    /// Seconds, and outages that begin.
    pub down: Bad,
}

impl Lost {
    /// Nothing.
    pub fn none(system: &System) -> Self {
        let causes = Cause::count(system.faults.len());
        Self {
            journeys: IdVec::filled(0.0, system.journeys.len()),
            by_cause: vec![0.0; causes],
            down: Bad::none(causes),
        }
    }

    /// Adds `factor` times `other`.
    pub fn add(&mut self, other: &Self, factor: f64) {
        let rows = self.journeys.as_mut_slice().iter_mut();
        for (mine, theirs) in rows.zip(&other.journeys) {
            *mine += factor * theirs;
        }
        let tables = [
            (&mut self.by_cause, &other.by_cause),
            (&mut self.down.by_cause, &other.down.by_cause),
        ];
        for (mine, theirs) in tables {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine += factor * theirs;
            }
        }
        self.down.secs += factor * other.down.secs;
        self.down.begins += factor * other.down.begins;
    }
}

/// A stretch in which the same journeys cannot be served, for the same cause.
#[derive(Clone, Debug)]
struct Spell {
    from: SimTime,
    to: SimTime,
    /// Whether the system was up before.
    begins: bool,
    cause: usize,
    journeys: Vec<JourneyId>,
}

/// When the structure of one history cannot serve.
#[derive(Debug)]
pub(super) struct Spells {
    /// How many there are.
    journeys: usize,
    ended: Vec<Spell>,
    open: Option<Spell>,
    /// [`StructureState::changes`] when it was last looked at.
    seen: u64,
}

impl Spells {
    /// Of a system with so many journeys.
    pub(super) fn new(journeys: usize) -> Self {
        Self {
            journeys,
            ended: Vec::new(),
            open: None,
            seen: 0,
        }
    }

    /// A history begins in this state.
    pub(super) fn begin(&mut self, at: SimTime, structure: &StructureState) {
        self.ended.clear();
        self.open = None;
        self.look(at, structure);
        if let Some(open) = &mut self.open {
            open.begins = false;
        }
    }

    /// The state after a change at `at`.
    #[inline]
    pub(super) fn observe(&mut self, at: SimTime, structure: &StructureState) {
        if structure.changes() != self.seen {
            self.look(at, structure);
        }
    }

    fn look(&mut self, at: SimTime, structure: &StructureState) {
        self.seen = structure.changes();
        let was_up = self.open.is_none();
        self.end(at);
        if !structure.system_up() {
            self.open = Some(Spell {
                from: at,
                to: SimTime::NEVER,
                begins: was_up,
                cause: Cause::from(structure.blame()).index(),
                journeys: (0..self.journeys)
                    .map(JourneyId::from_index)
                    .filter(|&journey| !structure.journey_up(journey))
                    .collect(),
            });
        }
    }

    /// The history ends.
    pub(super) fn end(&mut self, at: SimTime) {
        if let Some(open) = self.open.take() {
            self.ended.push(Spell { to: at, ..open });
        }
    }

    /// Adds what is lost in `[from, to)`.
    fn add_to(
        &self,
        lost: &mut Lost,
        rates: &IdVec<JourneyId, f64>,
        (from, to): (SimTime, SimTime),
    ) {
        for spell in &self.ended {
            let (start, end) = (spell.from.max(from), spell.to.min(to));
            if start < end {
                let secs = end.since(start).as_secs_f64();
                for &journey in &spell.journeys {
                    lost.journeys[journey] += rates[journey] * secs;
                    lost.by_cause[spell.cause] += rates[journey] * secs;
                }
                lost.down.secs += secs;
                lost.down.by_cause[spell.cause] += secs;
            }
            if spell.begins && spell.from >= from && spell.from < to {
                lost.down.begins += 1.0;
            }
        }
    }
}

/// What the histories of a group lose while their structure is down.
#[derive(Debug)]
pub(super) struct Losses {
    /// In each history with traffic.
    histories: Vec<Lost>,
    /// In the quiet time of them all, and of those that lend.
    quiet: Lost,
    borrowed: Lost,
}

impl Losses {
    pub(super) fn none(system: &System) -> Self {
        Self {
            histories: Vec::new(),
            quiet: Lost::none(system),
            borrowed: Lost::none(system),
        }
    }

    /// What is lost in the figures of the group, of whose quiet time each second counts as `part`.
    pub(super) fn counted(&self, part: f64) -> Lost {
        let mut lost = self.borrowed.clone();
        lost.add(&self.quiet, 1.0);
        let mut all = self.histories.iter();
        let Some(mut sum) = all.next().cloned() else {
            return lost;
        };
        for one in all {
            sum.add(one, 1.0);
        }
        sum.add(&self.quiet, -1.0);
        sum.add(&lost, part);
        sum
    }

    /// In history `index` of those with traffic.
    pub(super) fn of(&self, index: usize) -> &Lost {
        &self.histories[index]
    }
}

impl GroupRunner<'_> {
    /// Adds what a history with traffic loses while its structure is down.
    pub(super) fn lose(&mut self, replication: u64, losses: &mut Losses) {
        let mut stretches = Vec::new();
        self.quiet_time(
            replication,
            false,
            |_, _, _| (),
            |(), from, to| {
                stretches.push((from, to));
            },
        );
        let mut lost = Lost::none(self.system);
        let whole = (self.plan.from, self.plan.to);
        self.spells.add_to(&mut lost, &self.rates, whole);
        losses.histories.push(lost);
        for stretch in stretches {
            self.spells.add_to(&mut losses.quiet, &self.rates, stretch);
        }
    }

    /// Adds what is lost in a stretch of quiet time of the history that [`Self::quiet_time`] has followed last,
    /// which lends it.
    pub(super) fn lose_borrowed(&self, stretch: (SimTime, SimTime), losses: &mut Losses) {
        self.spells
            .add_to(&mut losses.borrowed, &self.rates, stretch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{Control, Detail};
    use crate::scenario;
    use crate::time::SimSpan;

    const PAIR: &str = "
fivenines: 1
run: {horizon: 30d}
services:
  app:
    faults: {crash: {every: {exponential: {mean: 2d}}, lasts: {exponential: {mean: 3h}}}}
    operations: {read: {takes: 1ms}, write: {takes: 1ms, calls: [{to: db.put}]}}
  db:
    faults: {crash: {every: {exponential: {mean: 3d}}, lasts: {exponential: {mean: 2h}}}}
    operations: {put: {takes: 1ms}}
workload: {users: {arrive: {poisson: 10/s}, journeys: {app.read: 75%, app.write: 25%}, patience: 1s}}
";

    fn pair() -> System {
        match scenario::load(PAIR.as_bytes(), "test.yaml") {
            Ok(loaded) => loaded.system,
            Err(problems) => panic!("{}", problems.render(false)),
        }
    }

    /// Followed second by second of the same history: what is down, for how long, and how often it begins.
    #[test]
    fn what_is_lost_is_the_rate_of_what_is_down_while_it_is() {
        let system = pair();
        let end = SimTime::START + system.run.horizon;
        let rates = rates(&system, SimTime::START, end);
        assert!((rates.iter().sum::<f64>() - 10.0).abs() < 1e-9);
        let mut control = Control::new(&system, Detail::Full);
        let mut spells = Spells::new(system.journeys.len());
        let (mut down_s, mut begins) = (vec![0.0; 2], 0.0);
        let mut signals = Vec::new();
        control.restart(7, 0);
        while control.next_time() < SimTime::START {
            control.step(&mut signals);
        }
        spells.begin(SimTime::START, control.structure());
        let mut at = SimTime::START;
        loop {
            let next = control.next_time().min(end);
            for (index, secs) in down_s.iter_mut().enumerate() {
                if !control.structure().journey_up(JourneyId::from_index(index)) {
                    *secs += next.since(at).as_secs_f64();
                }
            }
            at = next;
            if next == end {
                break;
            }
            let was_up = control.structure().system_up();
            control.step(&mut signals);
            begins += f64::from(u8::from(was_up && !control.structure().system_up()));
            spells.observe(at, control.structure());
        }
        spells.end(end);
        let mut lost = Lost::none(&system);
        // In two parts, as if quiet time were the second.
        let border = SimTime::START + SimSpan::from_secs(9 * 86_400);
        spells.add_to(&mut lost, &rates, (SimTime::START, border));
        spells.add_to(&mut lost, &rates, (border, end));
        assert!(down_s[0] > 3_600.0 && down_s[1] > down_s[0] && begins > 5.0);
        for (index, secs) in down_s.iter().enumerate() {
            let id = JourneyId::from_index(index);
            assert!((lost.journeys[id] - rates[id] * secs).abs() < 1e-6);
        }
        let sum = |of: &[f64]| of.iter().sum::<f64>();
        assert!((sum(&lost.by_cause) - sum(lost.journeys.as_slice())).abs() < 1e-6);
        assert!((sum(&lost.down.by_cause) - lost.down.secs).abs() < 1e-6);
        // Whenever the first journey is down the second is, too.
        assert!((lost.down.secs - down_s[1]).abs() < 1e-6);
        assert_eq!(lost.down.begins, begins);
    }

    #[test]
    fn quiet_time_of_lenders_is_lost_as_far_as_it_counts() {
        let system = pair();
        let seconds = |secs: f64| {
            let mut lost = Lost::none(&system);
            lost.down.secs = secs;
            lost
        };
        let losses = Losses {
            histories: vec![seconds(10.0), seconds(0.0)],
            quiet: seconds(6.0),
            borrowed: seconds(30.0),
        };
        // 4 s in windows, and a quarter of all quiet time.
        assert_eq!(losses.counted(0.25).down.secs, 4.0 + 0.25 * 36.0);
        assert_eq!(losses.of(0).down.secs, 10.0);
    }
}
