//! Requests that fail of load too seldom for samples of quiet time: found by splitting.
//!
//! A sample of a regime sees a failure of one request in ten thousand, and not one in ten million. Where a queue
//! can be full or a deadline pass, a pilot ([`levels`]) looks for thresholds that lead there; if it finds any,
//! what the regime's samples say of failures of load is replaced by what [`restart`] finds in long stretches of
//! it. Each group has its own, at instants of its own, so the scatter between groups contains all of it. The
//! pilot is the same for all groups: it decides about the scatter only.
//!
//! Replaced are failures of load of journeys, and calls to pools that failed without an operation's error, in
//! which the pilot saw next to none; others are common enough for samples. What a regime's blames make of its
//! failures holds for these as well.

mod levels;
mod requests;
mod restart;
#[cfg(test)]
mod tandem_tests;

use levels::{Found, Stage, find};
use restart::Restart;

use super::by_regime::ByRegime;
use super::group::{GroupError, GroupRunner};
use super::lend::{self, Borrowed, busiest};
use super::met::Met;
use super::plan::Plan;
use crate::ids::{IdVec, JourneyId, PoolId};
use crate::model::{LoadRhythm, Method, System};
use crate::path::Regime;
use crate::random::{Key, Purpose};
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Engine, Importance, Source, Traffic, splits};
use requests::{Requests, Weighed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Requests of a stage of the pilot, about.
const PILOT_REQUESTS: f64 = 8_192.0;

/// Failures among them, at most, that are too few for samples.
const FEW: u64 = 3;

/// What a pilot may take, in changes of a small system: looking at the state of a large one takes more.
const PILOT_CHANGES: f64 = 4e6;

/// The same of a group's stretches of a regime that holds all the time, about; beyond which factor, and how many
/// changes, nothing is split any more; and beyond how many times that they are given up.
const GROUP_CHANGES: f64 = 262_144.0;
const SPLIT_UNTIL: f64 = 16.0;
const LEAST_UNTIL: f64 = 2.5e5;
const AT_MOST: u64 = 16;

/// Regimes that hold less of the quiet time are left to samples.
const SHARE: f64 = 0.01;

/// Stretches of a regime in a group where the load is steady, and where it swings, at most.
const STRETCHES: f64 = 4.0;
const MOST_STRETCHES: f64 = 64.0;

/// The least that a stretch is longer than its warm-up, where the load is steady.
const LONG: f64 = 8.0;

/// Samples that are told apart from those of other kinds.
const APART: u64 = 3 << 60;

/// How a regime is split.
#[derive(Debug)]
pub(super) struct Splitting {
    importance: Arc<Importance>,
    found: Found,
    /// What a change costs, looking at the state included.
    change: f64,
    /// Requests for each change of a main trajectory.
    requests_per_main: f64,
    rare: Rare,
}

/// What is too seldom for samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rare {
    /// Failures of load, by journey.
    journeys: IdVec<JourneyId, bool>,
    /// Calls that fail without an operation's error, by pool.
    pools: IdVec<PoolId, bool>,
}

/// What splitting took in one group, or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SplittingRecord {
    /// Regimes that were split, summed over groups.
    pub regimes: u64,
    /// Thresholds of the regime that has the most.
    pub levels: u64,
    /// Main trajectories.
    pub roots: u64,
    /// Retrials.
    pub retrials: u64,
    /// Changes of state, all together.
    pub changes: u64,
    /// Requests of all trajectories that failed of load.
    pub hits: u64,
    /// Regimes of groups that would have taken too long, and were left to samples.
    pub given_up: u64,
    /// Those that took so long that they were followed to their end without more splitting.
    pub unsplit: u64,
    /// Sum and sum of squares of what main trajectories found.
    found: (f64, f64),
}

impl SplittingRecord {
    /// A main trajectory that found so much.
    fn add_root(&mut self, found: f64) {
        self.roots += 1;
        self.found.0 += found;
        self.found.1 += found * found;
    }

    /// Adds that of another group.
    pub(super) fn merge(&mut self, other: &Self) {
        self.regimes += other.regimes;
        self.levels = self.levels.max(other.levels);
        self.roots += other.roots;
        self.retrials += other.retrials;
        self.changes += other.changes;
        self.hits += other.hits;
        self.given_up += other.given_up;
        self.unsplit += other.unsplit;
        self.found.0 += other.found.0;
        self.found.1 += other.found.1;
    }

    /// Main trajectories that would say as much if each that finds anything found the same; 0 without hits.
    pub fn effective_hits(&self) -> f64 {
        let (sum, squares) = self.found;
        if squares > 0.0 {
            sum * sum / squares
        } else {
            0.0
        }
    }
}

/// What the stretches of one regime found in a group.
#[derive(Debug)]
pub(super) struct FoundInGroup {
    /// What it replaces.
    pub(super) rare: Rare,
    /// Failures of load by journey, and failed calls by pool, in all the quiet time of the regime.
    weighed: Weighed,
    /// Requests of each journey, and of all, that are expected in it.
    expected: IdVec<JourneyId, f64>,
    all: f64,
}

impl FoundInGroup {
    /// Nothing yet, in quiet time of so many requests of each workload.
    fn new(system: &System, rare: &Rare, mets: &[&Met]) -> Self {
        let mut expected = IdVec::filled(0.0, system.journeys.len());
        for (id, workload) in system.workloads.pairs() {
            let requests: f64 = mets.iter().map(|met| met.expected[id]).sum();
            let shares: f64 = workload.journeys.iter().map(|row| row.1).sum();
            for &(journey, share) in &workload.journeys {
                expected[journey] = requests * share / shares;
            }
        }
        Self {
            rare: rare.clone(),
            weighed: Weighed::new(system),
            expected,
            all: mets.iter().map(|met| met.weight()).sum(),
        }
    }

    /// Of the requests of a journey in quiet time of the regime, the share that fails of load instead of what
    /// samples say; `None` if samples are to be believed.
    pub(super) fn share(&self, journey: JourneyId) -> Option<f64> {
        let (failed, expected) = (self.weighed.journeys[journey], self.expected[journey]);
        self.rare.journeys[journey].then(|| if failed > 0.0 { failed / expected } else { 0.0 })
    }

    /// The same of calls to a pool, by request of any workload.
    pub(super) fn calls(&self, pool: PoolId) -> Option<f64> {
        let failed = self.weighed.calls[pool];
        self.rare.pools[pool].then(|| if failed > 0.0 { failed / self.all } else { 0.0 })
    }
}

/// What pilots found, for all threads that run groups of one plan. Whoever asks first runs the pilot, and who asks
/// meanwhile waits for it; the answer is the same whoever it is.
#[derive(Debug, Default)]
pub struct Pilots {
    by_regime: Mutex<ByRegime<Arc<Pilot>>>,
}

/// How a regime is split, once known; `None` if it is not.
type Pilot = OnceLock<Option<Arc<Splitting>>>;

impl Pilots {
    /// The pilot of `regime`, whose key is `key`.
    fn of(&self, key: u64, regime: &Regime) -> Arc<Pilot> {
        let known = self.by_regime.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        if let Some(pilot) = known.get((key, 0), regime) {
            return Arc::clone(pilot);
        }
        let pilot = Arc::default();
        known.insert((key, 0), regime, Arc::clone(&pilot));
        pilot
    }
}

/// What was found, by regime.
pub(super) type Split = BTreeMap<u64, FoundInGroup>;

impl<'a> GroupRunner<'a> {
    /// Splits the regimes of a group that hold enough of its quiet time, own and borrowed.
    pub(super) fn split(
        &mut self,
        batch: u64,
        (met, borrowed): (&BTreeMap<(u64, u64), Met>, &Borrowed),
        record: &mut SplittingRecord,
        stop: &dyn Fn() -> bool,
    ) -> Result<Split, GroupError> {
        let mut split = Split::new();
        let plan = self.plan;
        let wanted = plan.windows.splits && !plan.common && plan.method == Method::Windows;
        if !wanted || !splits(self.system) {
            return Ok(split);
        }
        let mut regimes: BTreeMap<u64, Vec<&Met>> = BTreeMap::new();
        for (key, met) in met.iter().chain(&borrowed.regimes) {
            regimes.entry(key.0).or_default().push(met);
        }
        let weight = |mets: &[&Met]| mets.iter().map(|met| met.weight()).sum::<f64>();
        let whole: f64 = regimes.values().map(|mets| weight(mets)).sum();
        for (key, mets) in regimes {
            let share = weight(&mets) / whole;
            // Also without anybody.
            if share.is_nan() || share < SHARE {
                continue;
            }
            if stop() {
                return Err(GroupError::Stopped);
            }
            let Some(splitting) = self.pilot((key, &mets[0].regime)) else {
                continue;
            };
            if let Some(found) = self.stretches(batch, key, (&splitting, share), &mets, record) {
                split.insert(key, found);
            }
        }
        Ok(split)
    }

    /// Long stretches of a regime that holds `share` of the quiet time.
    fn stretches(
        &self,
        batch: u64,
        key: u64,
        (splitting, share): (&Splitting, f64),
        mets: &[&Met],
        record: &mut SplittingRecord,
    ) -> Option<FoundInGroup> {
        let (system, plan) = (self.system, self.plan);
        let mut stream = Key::of_seed(plan.seed)
            .with(Purpose::Splitting as u64)
            .with(key)
            .with(batch)
            .stream();
        let changes = GROUP_CHANGES * share / splitting.change;
        let requests = changes / splitting.found.changes_per_main * splitting.requests_per_main;
        let rate = lend::rate(system, &mets[0].regime, busiest(system, &mets[0].regime));
        let (sample, warm_up) = (plan.windows.sample, plan.windows.warm_up.as_secs_f64());
        let secs = (requests / rate).max(sample.as_secs_f64());
        let (count, each) = match system.load_rhythm() {
            LoadRhythm::Steady => {
                let count = (secs / (LONG * warm_up)).clamp(1.0, STRETCHES).floor();
                let each = SimSpan::from_secs_f64(secs / count);
                (
                    count,
                    plan.slice_end(SimTime::EPOCH + each).since(SimTime::EPOCH),
                )
            }
            _ => {
                let count = (secs / sample.as_secs_f64()).ceil();
                (count.min(MOST_STRETCHES), sample)
            }
        };
        let levels = &splitting.found.levels;
        let retrials = Key::of_seed(plan.seed)
            .with(Purpose::Splitting as u64)
            .with(key)
            .with(batch)
            .with(1);
        // What a stretch takes beside what it counts: warm-up.
        let planned = changes * (1.0 + count * warm_up / secs);
        let until = (SPLIT_UNTIL * planned).max(LEAST_UNTIL) as u64;
        let most = until.saturating_mul(AT_MOST);
        let mut restart = Restart::new(levels, retrials, most).split_until(until);
        let mut root = Requests::new(self.by_events(), Arc::clone(&splitting.importance));
        let mut found = FoundInGroup::new(system, &splitting.rare, mets);
        let mut own = SplittingRecord {
            regimes: 1,
            levels: levels.len() as u64,
            ..SplittingRecord::default()
        };
        for stretch in 0..count as u64 {
            let mut left = stream.uniform() * found.all;
            let chosen = mets.iter().find(|met| {
                left -= met.weight();
                left < 0.0
            });
            let met = chosen.copied().unwrap_or(mets[0]);
            let instant = met.instant(system, None, &mut stream);
            let at = plan.slice_start(instant);
            let source = Source::Sample {
                seed: plan.seed,
                regime: key,
                batch: APART | (batch * MOST_STRETCHES as u64 + stretch),
            };
            root.begin(
                &met.regime,
                warm_up_before(plan, at),
                (at, at + each),
                source,
            );
            let mut weighed = Weighed::new(system);
            if !restart.follow(&mut root, &mut weighed) || root.overflowed() {
                record.given_up += 1;
                return None;
            }
            root.end();
            own.add_root(weighed.sum(&found.rare));
            // Instants are drawn in proportion to the rate, so each request stands for as many (Horvitz and Thompson).
            let requests = lend::rate(system, &met.regime, instant) * each.as_secs_f64();
            let scale = found.all / (requests * count);
            found.weighed.add_scaled(&weighed, scale);
        }
        let effort = restart.effort();
        (own.retrials, own.changes) = (effort.retrials, effort.changes);
        own.hits = found.weighed.hits(&found.rare);
        own.unsplit = u64::from(restart.is_past());
        record.merge(&own);
        Some(found)
    }

    /// How a regime is split, the same for every group that meets it; `None` if it is not.
    fn pilot(&self, (key, regime): (u64, &Regime)) -> Option<Arc<Splitting>> {
        let pilot = self.pilots.of(key, regime);
        let found = pilot.get_or_init(|| self.new_pilot((key, regime)).map(Arc::new));
        found.clone()
    }

    fn new_pilot(&self, (key, regime): (u64, &Regime)) -> Option<Splitting> {
        let (system, plan) = (self.system, self.plan);
        let traffic = self.by_events();
        let importance = Arc::new(Importance::new(&traffic, system, regime)?);
        let change = importance.cost();
        let mut root = Requests::new(traffic, Arc::clone(&importance));
        let busiest = busiest(system, regime);
        let at = plan.slice_start(busiest);
        let rate = lend::rate(system, regime, busiest);
        let least = plan.windows.sample.as_secs_f64();
        let mut rare = Rare {
            journeys: IdVec::filled(true, system.journeys.len()),
            pools: IdVec::filled(true, system.pools.len()),
        };
        let (mut left, mut requests_per_main) = (PILOT_CHANGES / change, 0.0);
        let found = find(|levels, number, longer| {
            let secs = (PILOT_REQUESTS * longer as f64 / rate).max(least);
            let end = plan.slice_end(at + SimSpan::from_secs_f64(secs));
            let source = Source::Sample {
                seed: plan.seed,
                regime: key,
                batch: APART | (1 << 59) | number,
            };
            root.begin(regime, warm_up_before(plan, at), (at, end), source);
            let retrials = Key::of_seed(plan.seed)
                .with(Purpose::Splitting as u64)
                .with(key)
                .with(APART | number);
            let mut restart = Restart::noting(levels, retrials, left as u64);
            let mut weighed = Weighed::new(system);
            if !restart.follow(&mut root, &mut weighed) || root.overflowed() {
                return None;
            }
            let effort = restart.effort();
            left -= effort.changes as f64;
            if number == 0 {
                rare = weighed.rare(FEW);
            }
            requests_per_main = root.end() / effort.main.max(1) as f64;
            rare.journeys.iter().any(|&rare| rare).then(|| Stage {
                visits: restart.visits().cloned().unwrap_or_default(),
                hits: weighed.hits(&rare),
                effort,
            })
        })?;
        Some(Splitting {
            importance,
            found,
            change,
            requests_per_main,
            rare,
        })
    }

    /// Traffic that goes by events and notes failures.
    fn by_events(&self) -> Traffic<'a> {
        let settings = self.plan.traffic.clone();
        let mut traffic = Traffic::with_engine(self.system, settings, Engine::Events);
        traffic.want_failed(true);
        traffic
    }
}

fn warm_up_before(plan: &Plan, at: SimTime) -> SimTime {
    at.before(plan.windows.warm_up)
}
