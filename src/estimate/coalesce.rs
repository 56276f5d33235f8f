//! How long traffic needs to forget how a stretch began, measured by coalescence.
//!
//! The same requests, with the same draws, are simulated twice: from empty, and from the worst that there may be. From
//! the last request on that fares differently in the two, both are one, so nothing is left of how they began. (Where
//! more work never makes anybody sooner, whatever lies between the two has met them by then: Propp and Wilson 1996.) The
//! worst at each slot is what an M/M/c queue of that load exceeds for 1e-4 of the time, but no more than its cap, or than
//! the longest patience lets stand.
//!
//! Whose turn it is does not belong to what is to be forgotten: any place in it is as likely as any other, and two runs
//! in which it differs never meet again. So members are taken by chance here instead of in turn, and the better of two
//! instead of the one with the fewest. Less even, so it is forgotten no sooner.
//!
//! Looked at are the regimes with all up and with one replica of each of the busiest pools missing, at the busiest time. Cost is
//! counted in attempts and bounded. Where that is not enough, or two runs cannot meet, nothing is said, and the formula
//! ([`warm_up`](super::warm_up)) stands; where it is the longer, too: it also knows of slow faults and bursts.

use super::losses::{AtPeak, Left};
use super::plan::{Plan, look_back};
use crate::ids::{IdVec, PoolId};
use crate::model::System;
use crate::random::name_hash;
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Fate, Source, Traffic};
use std::iter;

/// Pairs of runs in each regime.
pub const PAIRS: u64 = 64;

/// Regimes that are looked at, at most: all up, and a replica of each of the busiest pools missing.
const REGIMES: usize = 32;

/// Attempts of all pairs of all regimes together, at most, with pieces of work in a backlog.
const ATTEMPTS: u64 = 7_000_000;

/// The first look at a pair is after this part of the warm-up that was worked out, at least so long; each further one
/// after twice as long.
const FIRST: u64 = 64;
const SHORTEST: SimSpan = SimSpan::from_nanos(1_000_000);

/// So many times the mean a warm-up is at least.
const MEANS: f64 = 5.0;

/// A regime is slow if a pair has not coalesced after so many times the warm-up that was worked out.
const SLOW: u64 = 8;

/// The share of the time for which a queue without a cap is longer than the one that is begun with.
const BEYOND: f64 = 1e-4;

/// Ends of one request that are so close differ by the rounding of shared work only.
const ROUNDING: SimSpan = SimSpan::from_nanos(1_000);

/// Events between two looks at how many attempts a run has taken.
const EVENTS: u64 = 1 << 12;

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Coalescence {
    /// The warm-up that was worked out without it.
    pub formula: SimSpan,
    /// Each regime: all up first, then one replica of a pool missing, in the order of the file.
    pub regimes: Vec<Coalesced>,
}

/// What was measured in one regime.
#[derive(Clone, Debug, PartialEq)]
pub struct Coalesced {
    /// The pool of which a replica is missing; `None`: all is up.
    pub missing: Option<PoolId>,
    /// How long it took.
    pub took: Took,
}

/// How long two runs took to be one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Took {
    /// All pairs have coalesced.
    Times {
        /// On average, seconds.
        mean_s: f64,
        /// The longest, seconds.
        largest_s: f64,
    },
    /// One has not, after this time.
    MoreThan(SimSpan),
    /// Not known: it would take too many attempts, or nothing could be begun with.
    Unknown,
}

/// How two runs went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pair {
    /// They were one after this time.
    One(SimSpan),
    /// They were not after this time.
    Two(SimSpan),
    /// They took more attempts than they were allowed.
    Costly,
}

impl Coalescence {
    /// Measures in `system`, for which `plan` was made. The same for the same seed.
    pub fn of(system: &System, plan: &Plan) -> Self {
        let (seed, formula) = (plan.seed, plan.windows.warm_up);
        let peak = AtPeak::new(system).by_chance();
        let mut runs = Runs::new(&peak);
        let healthy = peak.healthy(seed);
        let pools = system.pools.pairs();
        let several = pools.filter(|(_, pool)| pool.workers.is_some() && pool.active() > 1);
        let several: Vec<PoolId> = several.map(|(id, _)| id).collect();
        let mut busiest = several.clone();
        let busy = |pool: PoolId| healthy.load.pools[pool].utilisation_max.unwrap_or(0.0);
        busiest.sort_by(|&a, &b| busy(b).total_cmp(&busy(a)));
        busiest.truncate(REGIMES - 1);
        let (mut left, mut open) = (ATTEMPTS, 1 + busiest.len() as u64);
        let mut regimes = Vec::with_capacity(1 + several.len());
        for missing in iter::once(None).chain(several.into_iter().map(Some)) {
            let state = match missing {
                None => healthy.clone(),
                Some(pool) if busiest.contains(&pool) => {
                    let pool = &system.pools[pool];
                    peak.without(pool.slots[pool.active() - 1], seed)
                }
                Some(_) => {
                    let took = Took::Unknown;
                    regimes.push(Coalesced { missing, took });
                    continue;
                }
            };
            let mut share = left / open;
            (left, open) = (left - share, open - 1);
            let backlog = worst(system, &state).filter(|_| may_meet(system, &state));
            let took = backlog.map_or(Took::Unknown, |backlog| {
                let source = |batch| Source::Sample {
                    seed,
                    regime: name_hash("coalescence") ^ regimes.len() as u64,
                    batch,
                };
                runs.took((&state, &backlog), source, formula, &mut share)
            });
            // What is left over is for the others.
            left += share;
            regimes.push(Coalesced { missing, took });
        }
        Self { formula, regimes }
    }

    /// The warm-up that it asks for, whole seconds: as long as the longest pair of any regime took, and five times
    /// their mean. Zero if nothing was measured.
    pub fn asks(&self) -> SimSpan {
        let asks = self.regimes.iter().map(|row| row.took.asks_s());
        SimSpan::from_secs_f64(asks.fold(0.0, f64::max).ceil())
    }

    /// Whether a warm-up of `used` is too short, as far as is known: for what was measured, or where a pair took longer.
    pub fn too_short(&self, used: SimSpan) -> bool {
        let longer = |row: &Coalesced| matches!(row.took, Took::MoreThan(than) if than >= used);
        self.asks() > used || self.regimes.iter().any(longer)
    }
}

impl Took {
    /// The warm-up that it asks for, seconds; zero if it is not known.
    pub fn asks_s(self) -> f64 {
        match self {
            Self::Times { mean_s, largest_s } => largest_s.max(MEANS * mean_s),
            Self::MoreThan(_) | Self::Unknown => 0.0,
        }
    }
}

/// Two runs of the same requests, one after the other pair.
#[derive(Debug)]
pub struct Runs<'a> {
    empty: Traffic<'a>,
    loaded: Traffic<'a>,
}

impl<'a> Runs<'a> {
    /// For the system of `peak`.
    pub fn new(peak: &'a AtPeak) -> Self {
        let traffic = || {
            let mut traffic = peak.traffic();
            traffic.take_turns_by_chance();
            traffic
        };
        Self {
            empty: traffic(),
            loaded: traffic(),
        }
    }

    /// [`PAIRS`] pairs, each with requests of its own, for `left` attempts at most, of which those that were made are
    /// taken.
    fn took(
        &mut self,
        state: (&Left, &IdVec<PoolId, u32>),
        source: impl Fn(u64) -> Source,
        formula: SimSpan,
        left: &mut u64,
    ) -> Took {
        let (mut sum, mut largest) = (0.0, 0.0_f64);
        for pair in 0..PAIRS {
            // Some take longer than others.
            let may = (4 * *left / (PAIRS - pair)).min(*left);
            let (found, attempts) = self.pair(state, source(pair), formula, may);
            *left -= attempts.min(*left);
            match found {
                Pair::One(after) => {
                    sum += after.as_secs_f64();
                    largest = largest.max(after.as_secs_f64());
                }
                Pair::Two(after) => return Took::MoreThan(after),
                Pair::Costly => return Took::Unknown,
            }
        }
        Took::Times {
            mean_s: sum / PAIRS as f64,
            largest_s: largest,
        }
    }

    /// One pair with the requests of `source`, in what is `left` at the busiest time, for at most so many attempts;
    /// and how many it took. The second run begins with a `backlog`, so much at each slot of each pool.
    pub fn pair(
        &mut self,
        (left, backlog): (&Left, &IdVec<PoolId, u32>),
        source: Source,
        formula: SimSpan,
        attempts: u64,
    ) -> (Pair, u64) {
        let from = SimTime::START;
        for run in [&mut self.empty, &mut self.loaded] {
            run.clear_tally();
            run.begin(&left.regime, from, source);
            run.watch_fates(true);
        }
        let piled = u64::from(self.loaded.pile_up(backlog, source));
        let longest = formula.saturating_mul(SLOW);
        let mut look = SimSpan::from_nanos(formula.as_nanos() / FIRST).max(SHORTEST);
        loop {
            let to = from + look;
            let mut made = piled;
            for run in [&mut self.empty, &mut self.loaded] {
                let may = attempts.saturating_sub(made);
                if !run_to(run, to, may) {
                    return (Pair::Costly, attempts);
                }
                made += cost(run);
            }
            let known = self.differed().map_or(SimSpan::ZERO, |at| at.since(from));
            // One for as long again: what they have not shown by then is nothing to anybody.
            if known.saturating_mul(2) <= look && self.look_alike() {
                return (Pair::One(known), made);
            }
            if look >= longest {
                return (Pair::Two(look), made);
            }
            look = look.saturating_mul(2).min(longest);
        }
    }

    /// When the last request or piece of work ended that has fared differently so far; `None` if none has.
    fn differed(&self) -> Option<SimTime> {
        let sorted = |run: &Traffic<'_>| {
            let mut fates = run.fates().to_vec();
            fates.sort_unstable();
            fates
        };
        let (empty, loaded) = (sorted(&self.empty), sorted(&self.loaded));
        let (mut one, mut other) = (&empty[..], &loaded[..]);
        let mut latest: Option<SimTime> = None;
        let who = |fate: &Fate| (fate.since, fate.what, fate.answered);
        loop {
            let ended = match (one.first(), other.first()) {
                (None, None) => return latest,
                (Some(a), Some(b)) if who(a) == who(b) => {
                    (one, other) = (&one[1..], &other[1..]);
                    let (first, last) = (a.end.min(b.end), a.end.max(b.end));
                    if last.since(first) <= ROUNDING {
                        continue;
                    }
                    last
                }
                (Some(a), Some(b)) if who(a) > who(b) => {
                    other = &other[1..];
                    b.end
                }
                (Some(a), _) => {
                    one = &one[1..];
                    a.end
                }
                (None, Some(b)) => {
                    other = &other[1..];
                    b.end
                }
            };
            latest = latest.max(Some(ended));
        }
    }

    /// Whether the same requests are in progress in both, and as much else.
    fn look_alike(&self) -> bool {
        let requests = |run: &Traffic<'_>| {
            let mut requests = Vec::new();
            run.requests_in_progress(&mut requests);
            requests.sort_unstable();
            requests
        };
        self.empty.frames_in_use() == self.loaded.frames_in_use()
            && requests(&self.empty) == requests(&self.loaded)
    }
}

/// Lets a run go on to `to`; whether that took no more than `attempts` of its whole.
fn run_to(run: &mut Traffic<'_>, to: SimTime, attempts: u64) -> bool {
    while run.next_time() < to {
        run.run_events(to, EVENTS);
        if run.overflowed() || cost(run) > attempts {
            return false;
        }
    }
    true
}

/// Attempts of a run so far; requests, if hardly any of them makes one.
fn cost(run: &Traffic<'_>) -> u64 {
    let tally = run.tally();
    tally.attempts_simulated.max(tally.requests_simulated)
}

/// Whether two runs may become one. Where users wait for an answer before they come again, whatever has once shifted
/// one of them stays so. Where there is more work than can be done, queues are never empty, and nothing else makes them
/// alike, though what is lost has long been the same. Where workers answer probes, or balancers
/// eject members, windows end by a rule of their own.
fn may_meet(system: &System, left: &Left) -> bool {
    let crowds = system.workloads.iter().any(|row| row.users.is_some());
    let loads = left.load.pools.iter();
    let overloaded = |rho: f64| rho >= 1.0;
    !crowds
        && !system.is_coupled()
        && !system.ejects()
        && !loads
            .filter_map(|pool| pool.utilisation_max)
            .any(overloaded)
}

/// What a run begins with at the worst: so much at each slot of each pool. `None` if that is too much to be tried, or if
/// there is nobody to wait for.
fn worst(system: &System, left: &Left) -> Option<IdVec<PoolId, u32>> {
    /// The share of waits that `queue_timeout` ends that are taken to end there.
    const LONGEST_WAIT: f64 = 0.999;
    /// At one slot.
    const MOST: f64 = 100_000.0;
    let patience = look_back(system).map_or(f64::INFINITY, SimSpan::as_secs_f64);
    let closed = system.workloads.iter().map(|row| row.users.as_ref());
    let users: f64 = closed
        .map(|users| users.map_or(f64::INFINITY, |users| f64::from(users.count)))
        .sum();
    let pools = system.pools.pairs().map(|(id, pool)| {
        let load = left.load.pools[id];
        let (Some(workers), Some(rho)) = (pool.workers, load.utilisation_max) else {
            return Some(0);
        };
        if rho <= 0.0 {
            return Some(0);
        }
        let each = load.hold_mean / f64::from(workers);
        let ends = pool.queue_timeout.as_ref();
        let waits = ends.map_or(f64::INFINITY, |wait| wait.quantile(LONGEST_WAIT));
        let bound = (patience.min(waits) / each.max(1e-12)).min(users);
        let stands = if rho < 1.0 {
            BEYOND.ln() / rho.ln()
        } else {
            f64::INFINITY
        };
        let places = pool.queue.map_or(f64::INFINITY, f64::from);
        let all = f64::from(workers) + stands.min(places).min(bound).ceil();
        (all <= MOST).then_some(all as u32)
    });
    let all: IdVec<PoolId, u32> = pools.collect::<Option<_>>()?;
    all.iter().any(|&each| each > 0).then_some(all)
}
