//! Quiet time that histories without traffic lend to those with.
//!
//! What a lost zone costs is mostly the hours in which what is left is overloaded: quiet time of a regime
//! that a year meets once in three, or in thirty. How often it is met, and for how long, is all in the
//! control path, which costs a ten-thousandth of the requests. So the quiet time of a group is that of as
//! many histories as it can follow, each counting the less; only windows are of those with traffic alone.
//! Both parts are means over histories that are independent of what requests do, so nothing is biased
//! (double sampling: Cochran 1977, 12).
//!
//! Borrowed time is sampled at a fixed number of instants, however many regimes it has. A regime is chosen
//! in proportion to the requests expected in its time and to how unsure its failing share is (Neyman 1934):
//! a short sample of it at the busiest hour, the same for all groups, says that beforehand. An instant in
//! its time is drawn in proportion to the rate of requests, and what a stretch from there finds stands for the
//! inverse of how likely it was to be taken (Horvitz and Thompson 1952). The instants of a group are one
//! systematic sample.
//!
//! Where overload outlived what began it, a window was longer than control alone knows: for as long, nothing
//! of that regime is borrowed.

use super::by_regime::ByRegime;
use super::down::Losses;
use super::group::{GroupError, GroupRunner, worst};
use super::met::Met;
use super::outages::Bad;
use super::slice_share::SliceShare;
use super::splitting::Split;
use super::totals::{BlameTime, Scales, Totals, of_journey};
use super::windows::{HOUR, Quiet};
use crate::model::{LoadRhythm, Method, System};
use crate::path::{Cause, KeyMaker, Regime};
use crate::random::{Key, Purpose};
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Source, Tally, Traffic};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Instants at which the borrowed time of a group is sampled.
pub const INSTANTS: u64 = 32;

/// Histories that a group follows without traffic, at most.
const MOST: f64 = 63.0;

/// Stretches of quiet time that a group keeps in mind, at most: 20 MB.
const STRETCHES: f64 = 5e5;

/// Regimes of a group that are looked at beforehand, those with the most requests; the others count as if
/// any share of theirs could fail.
const LOOKED_AT: usize = 32;

/// Samples that are told apart from those of a group's own quiet time.
const APART: u64 = 1 << 62;

/// Whether histories of `system` without traffic can lend their quiet time: not if requests act on control,
/// if a sample must stand for a whole hour, or if how many requests come depends on how they fare.
pub fn lends(system: &System, method: Method) -> bool {
    let mut workloads = system.workloads.iter();
    let alone = system.workloads.len() == 1;
    method == Method::Windows
        && system.load_rhythm() != LoadRhythm::Free
        && !system.has_steps()
        && !system.is_coupled()
        && !system.ejects()
        && workloads.all(|row| row.users.is_none() && (alone || row.bursts.is_none()))
}

/// How many histories lend to a group, of which each has about so many transitions.
pub fn lenders(transitions: f64) -> u64 {
    (STRETCHES / transitions.max(1.0)).min(MOST) as u64
}

/// What requests of a regime are like at the busiest hour.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// The share that fails.
    failing: f64,
    /// Requests seen.
    seen: f64,
}

impl Look {
    /// Of a regime that nobody has looked at.
    const NONE: Self = Self {
        failing: 1.0,
        seen: 1.0,
    };

    /// How far shares that stretches find scatter, about: the share itself, and what chance adds.
    fn scatter(self) -> f64 {
        (self.failing * self.failing + self.failing / self.seen).sqrt()
    }
}

/// Looks at regimes, in memory for as long as a thread runs groups.
#[derive(Debug, Default)]
pub(super) struct Looks {
    by_regime: ByRegime<Look>,
}

/// The quiet time that a group has borrowed, by regime.
#[derive(Default)]
pub(super) struct Borrowed {
    pub(super) regimes: BTreeMap<(u64, u64), Met>,
}

impl GroupRunner<'_> {
    /// The quiet time of histories that have no traffic, and what is lost in it while their structure is down.
    pub(super) fn borrow(
        &mut self,
        replications: &[u64],
        mut losses: Option<&mut Losses>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Borrowed, GroupError> {
        let mut borrowed = Borrowed::default();
        let note = |system: &System, keys: &mut KeyMaker, regime: &Regime| {
            (keys.key(system, regime), Rc::new(regime.clone()))
        };
        let mut stretches = Vec::new();
        for (history, &replication) in replications.iter().enumerate() {
            if stop() {
                return Err(GroupError::Stopped);
            }
            self.quiet_time(replication, true, note, |(key, regime), from, to| {
                stretches.push(Quiet {
                    key: (*key, 0),
                    regime: Rc::clone(regime),
                    from,
                    to,
                });
            });
            for quiet in stretches.drain(..) {
                if let Some(losses) = losses.as_deref_mut() {
                    self.lose_borrowed((quiet.from, quiet.to), losses);
                }
                self.meet(&mut borrowed.regimes, history, &quiet);
            }
        }
        Ok(borrowed)
    }

    /// Samples borrowed time, of which each second counts as `part` of one; failures of load that were `split`
    /// are left out.
    pub(super) fn sample_borrowed(
        &mut self,
        batch: u64,
        part: f64,
        (borrowed, split): (&Borrowed, &Split),
        (totals, bad): (&mut Totals, &mut Bad),
        stop: &dyn Fn() -> bool,
    ) -> Result<(), GroupError> {
        let mut regimes: Vec<(u64, &Met)> = borrowed
            .regimes
            .iter()
            .filter(|(_, met)| met.weight() > 0.0)
            .map(|(key, met)| (key.0, met))
            .collect();
        // The order in which a systematic sample goes through them: the heaviest first.
        regimes.sort_by(|a, b| b.1.weight().total_cmp(&a.1.weight()).then(a.0.cmp(&b.0)));
        let mut chances = Vec::with_capacity(regimes.len());
        for (index, (key, met)) in regimes.iter().enumerate() {
            if stop() {
                return Err(GroupError::Stopped);
            }
            let look = if index < LOOKED_AT {
                self.look((*key, &met.regime))?
            } else {
                Look::NONE
            };
            chances.push((
                met.weight() * look.scatter(),
                met.weight() / look.seen.sqrt().max(1.0),
            ));
        }
        let chances = joined(&chances);
        let mut stream = Key::of_seed(self.plan.seed)
            .with(Purpose::Sample as u64)
            .with(APART)
            .with(batch)
            .stream();
        let (mut reached, mut taken) = (0.0, 0);
        let offset = stream.uniform();
        for ((key, met), chance) in regimes.iter().zip(chances) {
            reached += chance * INSTANTS as f64;
            while taken < INSTANTS && taken as f64 + offset < reached {
                if stop() {
                    return Err(GroupError::Stopped);
                }
                let instant = met.instant(self.system, None, &mut stream);
                let rate = rate(self.system, &met.regime, instant);
                let at = self.plan.slice_start(instant);
                let sample = self.plan.windows.sample;
                let source = Source::Sample {
                    seed: self.plan.seed,
                    regime: *key,
                    batch: APART | (batch * INSTANTS + taken),
                };
                let traffic = self
                    .traffic
                    .as_mut()
                    .expect("only plans with traffic sample");
                traffic.clear_tally();
                let span = (at, at + sample);
                stretch(
                    traffic,
                    &met.regime,
                    self.plan.windows.warm_up,
                    span,
                    source,
                )?;
                let tally = traffic.tally();
                tally.check().map_err(GroupError::Conservation)?;
                // By how many requests this one of its regime stands for, and how likely that was taken.
                let each = met.weight() / (rate * sample.as_secs_f64());
                let scale = part * each / (chance * INSTANTS as f64);
                let scales = Scales::alike(self.system, scale);
                let split = split.get(key);
                totals.add_sampled(self.system, (tally, split), &scales, &met.blamed);
                let slice = self.plan.traffic.slice;
                let first = self.plan.slice_index(at);
                add_bad(bad, (tally, &met.blamed), (first, slice), (sample, scale));
                taken += 1;
            }
        }
        Ok(())
    }

    /// Takes out of the borrowed time for how long windows went on because overload outlived what began it.
    pub(super) fn give_back(&mut self, borrowed: &mut Borrowed, part: f64) {
        for (regime, from, to) in self.beyond.drain(..) {
            let key = (self.keys.key(self.system, &regime), 0);
            let Some(met) = borrowed.regimes.get_mut(&key) else {
                continue;
            };
            for (id, workload) in self.system.workloads.pairs() {
                let most = (1.0 - part) / part * workload.expected(from, to);
                let expected = &mut met.expected[id];
                *expected -= most.min(*expected);
            }
        }
    }

    /// What a short sample of a regime at the busiest hour says, the same for every group.
    fn look(&mut self, (key, regime): (u64, &Regime)) -> Result<Look, GroupError> {
        if let Some(&known) = self.looks.by_regime.get((key, 0), regime) {
            return Ok(known);
        }
        let at = self.plan.slice_start(busiest(self.system, regime));
        let source = Source::Sample {
            seed: self.plan.seed,
            regime: key,
            batch: APART | (APART >> 1),
        };
        let traffic = self
            .traffic
            .as_mut()
            .expect("only plans with traffic sample");
        traffic.clear_tally();
        let span = (at, at + self.plan.windows.sample);
        stretch(traffic, regime, self.plan.windows.warm_up, span, source)?;
        let (mut failed, mut issued) = (0, 0);
        for journey in &traffic.tally().journeys {
            failed += journey.counts.failed;
            issued += journey.counts.issued;
        }
        let seen = issued.max(1) as f64;
        let look = Look {
            failing: failed as f64 / seen,
            seen,
        };
        self.looks.by_regime.insert((key, 0), regime, look);
        Ok(look)
    }
}

/// Adds what a stretch says of bad slices, each second of which stands for `scale`; `first` is its first slice.
fn add_bad(
    bad: &mut Bad,
    (tally, blamed): (&Tally, &BlameTime),
    (first, slice): (u64, SimSpan),
    (lasts, scale): (SimSpan, f64),
) {
    let of = &tally.slices;
    let (known, Some((journey, commonest))) = (of.judged - of.unknown, worst(tally)) else {
        return;
    };
    if known == 0 || of.bad == 0 {
        return;
    }
    let share = SliceShare {
        judged: known,
        bad: of.bad,
        pairs: known - 1,
        // One that is bad from the first known slice on has not begun there.
        starts: of
            .runs
            .iter()
            .filter(|run| run.first > first + of.unknown)
            .count() as u64,
    };
    let secs = scale * lasts.as_secs_f64() * share.share();
    bad.secs += secs;
    bad.begins += secs / slice.as_secs_f64() / share.share() * share.begins();
    let rows = || of_journey(blamed, journey);
    let time: f64 = rows().map(|(_, secs)| secs).sum();
    for (blame, lasted) in rows() {
        let cause = blame.map_or(commonest, |blame| Cause::Fault(blame).index());
        bad.by_cause[cause] += secs * lasted / time;
    }
}

/// The hour in which most requests come to a regime.
pub(super) fn busiest(system: &System, regime: &Regime) -> SimTime {
    let hours = match system.load_rhythm() {
        LoadRhythm::Steady | LoadRhythm::Free => 1,
        LoadRhythm::Daily => 24,
        LoadRhythm::Weekly => 168,
    };
    let hour = |index: u64| SimTime::START + HOUR.saturating_mul(index);
    let rate = |at| rate(system, regime, at);
    let busier = |&a: &SimTime, &b: &SimTime| rate(a).total_cmp(&rate(b)).then(b.cmp(&a));
    (0..hours)
        .map(hour)
        .max_by(busier)
        .unwrap_or(SimTime::START)
}

/// Requests per second at an instant of a regime.
pub(super) fn rate(system: &System, regime: &Regime, at: SimTime) -> f64 {
    let workloads = system.workloads.pairs();
    let rates = workloads.map(|(id, workload)| {
        let burst = if regime.bursts[id] {
            workload.burst_factor()
        } else {
            1.0
        };
        workload.rate_at(at) * burst
    });
    rates.sum()
}

/// How likely each regime is to be taken, one instant: half by what is known of its scatter, and half by what
/// a sample without a failure leaves open.
fn joined(regimes: &[(f64, f64)]) -> Vec<f64> {
    let known: f64 = regimes.iter().map(|one| one.0).sum();
    let open: f64 = regimes.iter().map(|one| one.1).sum();
    let share = |of: f64, all: f64| if all > 0.0 { of / all } else { 0.0 };
    let half = if known > 0.0 { 0.5 } else { 0.0 };
    regimes
        .iter()
        .map(|one| half * share(one.0, known) + (1.0 - half) * share(one.1, open))
        .collect()
}

/// Runs traffic in a regime from an empty start, and counts the requests that arrive in `[at, end)`.
pub(super) fn stretch(
    traffic: &mut Traffic<'_>,
    regime: &Regime,
    warm_up: SimSpan,
    (at, end): (SimTime, SimTime),
    source: Source,
) -> Result<(), GroupError> {
    traffic.begin(regime, at.before(warm_up), source);
    traffic.count(at, end);
    traffic.run_until(end);
    traffic.run_out();
    traffic.finish(traffic.now().max(end));
    if traffic.overflowed() {
        return Err(GroupError::Overflow);
    }
    Ok(())
}
