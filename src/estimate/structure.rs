//! Structural figures of a path: what the structure function alone says, whatever anybody knew.
//!
//! Downtime counts its seconds inside the horizon. An outage belongs to where it began and is
//! followed to its end for its duration, at most one horizon further.

use super::down::rates;
use super::periods::Periods;
use super::rare::{ForcedRecord, Weighted};
use super::recoveries::{RecoveryRecord, RecoveryTally};
use super::sums::Sums;
use crate::control::Control;
use crate::ids::{BalancerId, Id, IdVec, JourneyId, PoolId};
use crate::model::structure::StructureState;
use crate::model::{Source, System};
use crate::path::{Cause, Signal};
use crate::stats::Histogram;
use crate::time::{SimSpan, SimTime};
use serde::{Deserialize, Serialize};

/// Structural figures of many replications.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StructureRecord {
    /// Replications.
    pub replications: u64,
    /// Control transitions inside the horizons.
    pub transitions: u64,
    /// Per replication: (downtime in seconds, outages begun).
    pub system: Sums,
    /// Per replication: (downtime in seconds that is planned, 0).
    pub planned: Sums,
    /// Per replication: (downtime in seconds that is not planned, seconds without planned downtime).
    pub unplanned: Sums,
    /// Per replication: (seconds of the outages begun, followed to their ends; their number).
    pub durations: Sums,
    /// Durations of the outages begun, nanoseconds.
    pub duration_histogram: Histogram,
    /// Outages that were still going on one horizon after the end.
    pub unended: u64,
    /// Replications that were up at the last instant of the horizon.
    pub up_at_end: u64,
    /// Downtime of each replication in order, nanoseconds.
    pub downtimes: Vec<u64>,
    /// Per replication: downtime in seconds by [`Cause::index`]; rows that are zero are not pushed,
    /// so `n` is [`StructureRecord::replications`].
    pub by_cause: Vec<Sums>,
    /// Per replication and pool: (downtime in seconds, outages begun).
    pub pools: Vec<Sums>,
    /// The same for balancers.
    pub balancers: Vec<Sums>,
    /// The same for journeys.
    pub journeys: Vec<Sums>,
    /// What forced branches found beside these sums; `None` where nothing was forced. The sums are
    /// then weighted, `downtimes` and `duration_histogram` empty.
    pub forced: Option<Box<ForcedRecord>>,
    /// Per replication, by target: (periods that miss its bound, periods); those on structure are filled.
    pub periods: Vec<Sums>,
    /// Recoveries of stores.
    pub recoveries: RecoveryRecord,
}

impl StructureRecord {
    /// Without any replication.
    pub fn new(system: &System) -> Self {
        Self {
            replications: 0,
            transitions: 0,
            system: Sums::default(),
            planned: Sums::default(),
            unplanned: Sums::default(),
            durations: Sums::default(),
            duration_histogram: Histogram::new(),
            unended: 0,
            up_at_end: 0,
            downtimes: Vec::new(),
            by_cause: vec![Sums::default(); Cause::count(system.faults.len())],
            pools: vec![Sums::default(); system.pools.len()],
            balancers: vec![Sums::default(); system.balancers.len()],
            journeys: vec![Sums::default(); system.journeys.len()],
            forced: None,
            periods: vec![Sums::default(); system.targets.len()],
            recoveries: RecoveryRecord::new(system),
        }
    }

    /// Adds the replications of `other`, which come after the ones here.
    pub fn merge(&mut self, other: &Self) {
        self.replications += other.replications;
        self.transitions += other.transitions;
        self.system.merge(&other.system);
        self.planned.merge(&other.planned);
        self.unplanned.merge(&other.unplanned);
        self.durations.merge(&other.durations);
        if !other.duration_histogram.is_empty() {
            self.duration_histogram.merge(&other.duration_histogram);
        }
        self.unended += other.unended;
        self.up_at_end += other.up_at_end;
        self.recoveries.merge(&other.recoveries);
        self.downtimes.extend_from_slice(&other.downtimes);
        let tables = [
            (&mut self.by_cause, &other.by_cause),
            (&mut self.pools, &other.pools),
            (&mut self.balancers, &other.balancers),
            (&mut self.journeys, &other.journeys),
            (&mut self.periods, &other.periods),
        ];
        for (mine, theirs) in tables {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                mine.merge(theirs);
            }
        }
        match (&mut self.forced, &other.forced) {
            (Some(mine), Some(theirs)) => mine.merge(theirs, &self.system),
            (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
            (_, None) => {}
        }
    }
}

/// Structural figures of one replication.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Downtime, nanoseconds.
    pub downtime_ns: u64,
    /// Outages begun.
    pub outages: u64,
    /// (seconds of the outages begun, followed to their ends; their number).
    pub durations: (f64, f64),
    /// Downtime in seconds by [`Cause::index`]; only those that have any.
    pub by_cause: Vec<(usize, f64)>,
    /// (target, periods that miss its bound, periods) of the targets on structure, and (target, recoveries
    /// over its bound, recoveries) of those on recoveries.
    pub periods: Vec<(usize, u64, u64)>,
    /// (seconds without a leader, recoveries) and (seconds of writes lost, recoveries in which another
    /// member led) of all stores.
    pub recoveries: [(f64, f64); 2],
}

impl History {
    /// Downtime, seconds.
    pub fn downtime_s(&self) -> f64 {
        seconds(self.downtime_ns)
    }
}

/// Up and down of one thing, in one replication.
#[derive(Clone, Copy, Debug, Default)]
struct Spell {
    down_since: Option<SimTime>,
    downtime: u64,
    outages: u64,
}

impl Spell {
    fn observe(&mut self, at: SimTime, up: bool) {
        match (self.down_since, up) {
            (None, false) => {
                self.down_since = Some(at);
                self.outages += 1;
            }
            (Some(since), true) => {
                self.downtime += at.since(since).as_nanos();
                self.down_since = None;
            }
            (None, true) | (Some(_), false) => {}
        }
    }

    /// Starts a replication at `at`; an outage that is going on began before and is not counted.
    fn begin(at: SimTime, up: bool) -> Self {
        Self {
            down_since: (!up).then_some(at),
            downtime: 0,
            outages: 0,
        }
    }

    fn end(&mut self, at: SimTime) {
        if let Some(since) = self.down_since.take() {
            self.downtime += at.since(since).as_nanos();
        }
    }

    fn push_to(self, sums: &mut Sums) {
        // Most things are up for all of most histories.
        if self.downtime == 0 && self.outages == 0 {
            sums.push_zero();
        } else {
            sums.push(seconds(self.downtime), self.outages as f64);
        }
    }
}

fn seconds(nanos: u64) -> f64 {
    SimSpan::from_nanos(nanos).as_secs_f64()
}

/// Follows the structural state of one replication after the other.
#[derive(Debug)]
pub struct StructureTally {
    from: SimTime,
    to: SimTime,
    system: Spell,
    pools: Vec<Spell>,
    balancers: Vec<Spell>,
    journeys: Vec<Spell>,
    /// Nanoseconds by cause, with the causes touched in this replication.
    by_cause: Vec<u64>,
    touched: Vec<usize>,
    /// Whether each cause is planned.
    planned: Vec<bool>,
    /// (cause, nanoseconds) of the replication that ended last.
    charged: Vec<(usize, u64)>,
    cause: usize,
    cause_since: SimTime,
    /// Start of the outage in progress if it began inside the horizon.
    began: Option<SimTime>,
    durations: Vec<u64>,
    /// [`StructureState::changes`] when the state was last looked at.
    seen: u64,
    recoveries: RecoveryTally,
    periods: Periods,
    /// What they found in the replication that ended last.
    judged: Vec<(usize, u64, u64)>,
    losing: Losing,
}

/// The requests that are lost while the system is down, by cause.
#[derive(Debug)]
struct Losing {
    /// Requests per second by journey.
    rates: IdVec<JourneyId, f64>,
    /// Of the journeys that are down, and since when they are the same.
    now: f64,
    since: SimTime,
    by_cause: Vec<f64>,
}

impl Losing {
    /// Up to `at` they were due to `cause`.
    fn charge(&mut self, at: SimTime, cause: usize) {
        if self.now > 0.0 {
            self.by_cause[cause] += self.now * at.since(self.since).as_secs_f64();
        }
        self.since = at;
    }

    /// From `at` on these journeys are down.
    fn look(&mut self, at: SimTime, structure: &StructureState) {
        self.since = at;
        self.now = if structure.system_up() {
            0.0
        } else {
            let down = self
                .rates
                .pairs()
                .filter(|(id, _)| !structure.journey_up(*id));
            down.map(|(_, rate)| rate).sum()
        };
    }
}

impl StructureTally {
    /// For replications of `system` over `[from, to)`.
    pub fn new(system: &System, from: SimTime, to: SimTime) -> Self {
        Self {
            from,
            to,
            system: Spell::default(),
            pools: vec![Spell::default(); system.pools.len()],
            balancers: vec![Spell::default(); system.balancers.len()],
            journeys: vec![Spell::default(); system.journeys.len()],
            by_cause: vec![0; Cause::count(system.faults.len())],
            touched: Vec::new(),
            planned: Cause::planned(system),
            charged: Vec::new(),
            cause: 0,
            cause_since: from,
            began: None,
            durations: Vec::new(),
            seen: 0,
            recoveries: RecoveryTally::new(system),
            periods: Periods::new(system, Source::Structure, from, to),
            judged: Vec::new(),
            losing: Losing {
                rates: rates(system, from, to),
                now: 0.0,
                since: from,
                by_cause: vec![0.0; Cause::count(system.faults.len())],
            },
        }
    }

    /// Begins a replication: `control` stands at the start of the horizon.
    pub fn begin(&mut self, control: &Control<'_>) {
        let structure = control.structure();
        self.seen = structure.changes();
        self.system = Spell::begin(self.from, structure.system_up());
        for (index, spell) in self.pools.iter_mut().enumerate() {
            *spell = Spell::begin(self.from, structure.pool_up(PoolId::from_index(index)));
        }
        for (index, spell) in self.balancers.iter_mut().enumerate() {
            *spell = Spell::begin(
                self.from,
                structure.balancer_up(BalancerId::from_index(index)),
            );
        }
        for (index, spell) in self.journeys.iter_mut().enumerate() {
            *spell = Spell::begin(
                self.from,
                structure.journey_up(JourneyId::from_index(index)),
            );
        }
        self.began = None;
        self.durations.clear();
        self.periods.begin();
        self.cause_since = self.from;
        self.cause = Cause::from(structure.blame()).index();
        self.losing.look(self.from, structure);
    }

    /// Observes the state after a transition at `at`, inside the horizon.
    #[inline]
    pub fn observe(&mut self, at: SimTime, control: &Control<'_>, record: &mut StructureRecord) {
        if !control.recoveries().is_empty() {
            self.recoveries
                .add(control.recoveries(), &mut record.recoveries);
        }
        let structure = control.structure();
        if structure.changes() != self.seen {
            self.seen = structure.changes();
            self.look(at, structure);
        }
    }

    /// Something flipped at `at`.
    fn look(&mut self, at: SimTime, structure: &StructureState) {
        let up = structure.system_up();
        self.losing.charge(at, self.cause);
        if self.system.down_since.is_some() {
            let cause = Cause::from(structure.blame()).index();
            if up || cause != self.cause {
                self.charge(at);
                self.cause = cause;
            }
            if up {
                self.end_outage(at);
            }
        } else if !up {
            self.cause = Cause::from(structure.blame()).index();
            self.cause_since = at;
            self.began = Some(at);
        }
        self.system.observe(at, up);
        for (index, spell) in self.pools.iter_mut().enumerate() {
            spell.observe(at, structure.pool_up(PoolId::from_index(index)));
        }
        for (index, spell) in self.balancers.iter_mut().enumerate() {
            spell.observe(at, structure.balancer_up(BalancerId::from_index(index)));
        }
        for (index, spell) in self.journeys.iter_mut().enumerate() {
            spell.observe(at, structure.journey_up(JourneyId::from_index(index)));
        }
        if self.system.down_since.is_some() || self.losing.now > 0.0 {
            self.losing.look(at, structure);
        }
    }

    fn charge(&mut self, at: SimTime) {
        if self.by_cause[self.cause] == 0 {
            self.touched.push(self.cause);
        }
        self.by_cause[self.cause] += at.since(self.cause_since).as_nanos();
        let planned = self.planned[self.cause];
        let (from, to) = (self.cause_since.as_nanos(), at.as_nanos());
        self.periods.push_bad(from, to, 1.0, planned);
        self.cause_since = at;
    }

    fn end_outage(&mut self, at: SimTime) {
        if let Some(began) = self.began.take() {
            self.durations.push(at.since(began).as_nanos());
        }
    }

    /// Ends the replication. An outage in progress is followed further with `control`, which is
    /// left wherever that ends.
    pub fn end(&mut self, control: &mut Control<'_>, record: &mut StructureRecord) {
        if self.system.down_since.is_some() {
            self.charge(self.to);
        } else {
            record.up_at_end += 1;
        }
        self.system.end(self.to);
        self.recoveries.end(&mut record.recoveries);
        self.judged.clear();
        self.periods.end(|target, judged| {
            self.judged.push((target, judged.over, judged.periods));
            record.periods[target].push(judged.over as f64, judged.periods as f64);
        });
        if self.began.is_some() && !self.follow(control) {
            record.unended += 1;
        }
        let tables = [
            (&mut self.pools, &mut record.pools),
            (&mut self.balancers, &mut record.balancers),
            (&mut self.journeys, &mut record.journeys),
        ];
        for (spells, sums) in tables {
            for (spell, sums) in spells.iter_mut().zip(sums) {
                spell.end(self.to);
                spell.push_to(sums);
            }
        }
        record.replications += 1;
        self.system.push_to(&mut record.system);
        record.downtimes.push(self.system.downtime);
        let total: u64 = self.durations.iter().sum();
        record
            .durations
            .push(seconds(total), self.durations.len() as f64);
        for &duration in &self.durations {
            record.duration_histogram.record(duration);
        }
        let mut planned = 0;
        self.charged.clear();
        for index in self.touched.drain(..) {
            let nanos = std::mem::take(&mut self.by_cause[index]);
            self.losing.by_cause[index] = 0.0;
            if self.planned[index] {
                planned += nanos;
            }
            if nanos > 0 {
                record.by_cause[index].push(seconds(nanos), 0.0);
                self.charged.push((index, nanos));
            }
        }
        record.planned.push(seconds(planned), 0.0);
        record.unplanned.push(
            seconds(self.system.downtime - planned),
            seconds(self.to.since(self.from).as_nanos() - planned),
        );
    }

    /// The replication that [`StructureTally::end`] ended last.
    pub fn ended(&self) -> History {
        History {
            downtime_ns: self.system.downtime,
            outages: self.system.outages,
            durations: (
                seconds(self.durations.iter().sum()),
                self.durations.len() as f64,
            ),
            by_cause: self
                .charged
                .iter()
                .map(|&(cause, nanos)| (cause, seconds(nanos)))
                .collect(),
            periods: [self.judged.as_slice(), self.recoveries.judged()].concat(),
            recoveries: self.recoveries.sums(),
        }
    }

    /// [`StructureTally::observe`] in a part of a replication: recoveries are those of whole ones.
    pub(super) fn observe_part(&mut self, at: SimTime, control: &Control<'_>) {
        let structure = control.structure();
        if structure.changes() != self.seen {
            self.seen = structure.changes();
            self.look(at, structure);
        }
    }

    /// Begins a part of a replication at `at`, at which everything is up.
    pub(super) fn begin_up(&mut self, at: SimTime) {
        self.system = Spell::begin(at, true);
        for spells in [&mut self.pools, &mut self.balancers, &mut self.journeys] {
            spells.fill(Spell::begin(at, true));
        }
        self.began = None;
        self.durations.clear();
        self.periods.begin();
        self.cause_since = at;
        self.losing.now = 0.0;
        // Whatever was looked at last was another history.
        self.seen = u64::MAX;
    }

    /// Ends a part of a replication at `at`, and adds it to `sums` with a weight. An outage in progress is
    /// followed further with `control`. Returns the downtime, if there was an outage.
    pub(super) fn end_part(
        &mut self,
        at: SimTime,
        control: &mut Control<'_>,
        weight: f64,
        sums: &mut Weighted,
    ) -> Option<SimSpan> {
        let was_down = self.system.down_since.is_some();
        if was_down {
            self.losing.charge(at, self.cause);
            self.losing.now = 0.0;
            self.charge(at);
        }
        self.system.end(at);
        let tables = [
            (&mut self.pools, &mut sums.pools),
            (&mut self.balancers, &mut sums.balancers),
            (&mut self.journeys, &mut sums.journeys),
        ];
        for (spells, pairs) in tables {
            for (spell, pair) in spells.iter_mut().zip(pairs) {
                spell.end(at);
                pair.0 += weight * seconds(spell.downtime);
                pair.1 += weight * spell.outages as f64;
            }
        }
        let down = self.journeys.iter().map(|spell| seconds(spell.downtime));
        sums.lost.add(down, &self.losing.rates, weight);
        if !was_down && self.system.outages == 0 {
            return None;
        }
        if self.began.is_some() {
            self.follow(control);
        }
        sums.system.0 += weight * seconds(self.system.downtime);
        sums.system.1 += weight * self.system.outages as f64;
        for &duration in &self.durations {
            sums.durations.0 += weight * seconds(duration);
            sums.durations.1 += weight;
            sums.lengths.add(duration, weight);
        }
        for index in self.touched.drain(..) {
            let secs = weight * seconds(std::mem::take(&mut self.by_cause[index]));
            let lost = weight * std::mem::take(&mut self.losing.by_cause[index]);
            sums.by_cause[index] += secs;
            sums.lost.by_cause[index] += lost;
            if self.planned[index] {
                sums.planned += secs;
                sums.lost.planned += lost;
            }
        }
        Some(SimSpan::from_nanos(self.system.downtime))
    }

    /// Follows an outage that goes on at the end of the horizon, at most one horizon further; whether
    /// it ended.
    fn follow(&mut self, control: &mut Control<'_>) -> bool {
        let limit = self.to + self.to.since(self.from);
        let mut signals: Vec<Signal> = Vec::new();
        while control.next_time() < limit {
            signals.clear();
            let transition = control.step(&mut signals);
            if control.structure().system_up() {
                self.end_outage(transition.at);
                return true;
            }
        }
        self.end_outage(limit);
        false
    }
}
