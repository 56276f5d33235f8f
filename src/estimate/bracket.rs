//! Downtime of histories whose requests are not simulated, between two bounds.
//!
//! How likely a year with more than 12 h of downtime is cannot be told from a few years with traffic: if
//! none of 32 had any, it may still be 9 %. But what control does in a year costs a ten-thousandth of its
//! requests, and it bounds the downtime. Where there would be windows, anything from none to all of their
//! time may be bad. In quiet time a regime has the share of bad slices that the samples of all groups
//! found in such hours, three standard errors up or down, or at most the share of the hours that are as busy
//! or busier; one that nobody has sampled may be all bad or all good. A history whose upper bound is below
//! the limit does not exceed it, whatever its requests do.
//!
//! Where samples of a regime had no bad slice, it counts as having none, as in every other figure: the
//! standard error of zero is zero. A bound that allowed for what hundreds of slices have not shown would
//! put hours into the downtime of every quiet year.
//!
//! The bounds hold as far as windows contain what a transition does: where overload outlived one and a
//! window had to go on (`settle`), or acts back on control (`coupled`), they say nothing and are not used.

use super::group::{GroupRecord, GroupRunner};
use super::plan::{GROUPS, Plan};
use super::slice_share::SliceShare;
use super::windows::{HOUR, hour_slot};
use crate::model::{LoadRhythm, Method, Metric, System};
use crate::path::{KeyMaker, Regime};
use crate::time::{SimSpan, SimTime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A regime's key and its hour of the day or week (0 where the load does not move).
pub type RegimeHour = (u64, u64);

/// Slices of a regime in an hour that must have been judged before their share is believed.
const LEAST_SLICES: u64 = 30;

/// Regimes and hours that are remembered; what comes later counts as never sampled.
const MOST_REGIMES: usize = 1 << 16;

/// What control says about the downtime of one history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outline {
    /// Seconds that `windows` would simulate request by request.
    pub windows_s: f64,
    /// Seconds of quiet time by regime and hour, in order.
    pub quiet: Vec<(RegimeHour, f64)>,
}

/// The share of bad slices, less and plus three standard errors; `None` of too few.
fn between(share: SliceShare) -> Option<(f64, f64)> {
    if share.judged < LEAST_SLICES {
        return None;
    }
    let p = share.share();
    let spread = 3.0 * (p * (1.0 - p) / share.judged as f64).sqrt();
    Some(((p - spread).max(0.0), (p + spread).min(1.0)))
}

/// What samples say about the slices of regimes.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Shares {
    by_hour: BTreeMap<RegimeHour, SliceShare>,
    /// Requests expected of each workload, by hour of the day or week.
    loads: Vec<Vec<f64>>,
}

impl Shares {
    fn new(system: &System) -> Self {
        let hours = match system.load_rhythm() {
            LoadRhythm::Steady | LoadRhythm::Free => 1,
            LoadRhythm::Daily => 24,
            LoadRhythm::Weekly => 168,
        };
        let load = |hour: u64| {
            let from = SimTime::START + HOUR.saturating_mul(hour);
            let workloads = system.workloads.iter();
            let expected = workloads.map(|workload| workload.expected(from, from + HOUR));
            expected.collect()
        };
        Self {
            by_hour: BTreeMap::new(),
            loads: (0..hours).map(load).collect(),
        }
    }

    fn add(&mut self, hour: RegimeHour, share: SliceShare) {
        if self.by_hour.len() < MOST_REGIMES || self.by_hour.contains_key(&hour) {
            let all = self.by_hour.entry(hour).or_default();
            all.judged += share.judged;
            all.bad += share.bad;
        }
    }

    /// Between which shares of its slices a regime is bad in an hour.
    fn bounds(&self, (key, slot): RegimeHour) -> (f64, f64) {
        let own = self.by_hour.get(&(key, slot)).copied();
        if let Some(bounds) = own.and_then(between) {
            return bounds;
        }
        let load = |slot: u64| &self.loads[slot as usize];
        let mut busier = SliceShare::default();
        for (&(_, other), share) in self.by_hour.range((key, 0)..=(key, u64::MAX)) {
            if load(other)
                .iter()
                .zip(load(slot))
                .all(|(other, own)| other >= own)
            {
                busier.judged += share.judged;
                busier.bad += share.bad;
            }
        }
        (0.0, between(busier).map_or(1.0, |(_, high)| high))
    }
}

/// How many histories certainly, and how many possibly, exceed the limit of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Exceeding {
    target: usize,
    limit: SimSpan,
    certainly: u64,
    possibly: u64,
}

/// Bounds of all histories without traffic, against the limits of the targets that ask for them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Brackets {
    rows: Vec<Exceeding>,
    histories: u64,
    shares: Shares,
    /// Of the block that is not whole yet.
    outlines: Vec<Outline>,
}

impl Brackets {
    /// Of no history.
    pub fn new(system: &System) -> Self {
        let targets = system.targets.iter().enumerate();
        let rows = targets.filter_map(|(target, row)| match row.metric {
            Metric::DowntimeExceeds(limit) => Some(Exceeding {
                target,
                limit,
                certainly: 0,
                possibly: 0,
            }),
            _ => None,
        });
        Self {
            rows: rows.collect(),
            histories: 0,
            shares: Shares::new(system),
            outlines: Vec::new(),
        }
    }

    /// Whether a run of `system` by `method` is helped by bounds, and can have them.
    pub fn serve(system: &System, method: Method) -> bool {
        method == Method::Windows
            && system.load_rhythm() != LoadRhythm::Free
            && !system.is_coupled()
            && !system.ejects()
            && !Self::new(system).rows.is_empty()
    }

    /// Adds group `group` of a block; the last one ends it.
    pub(super) fn push(&mut self, group: u64, record: &GroupRecord) {
        if self.rows.is_empty() {
            return;
        }
        self.outlines.extend_from_slice(&record.outlines);
        let traffic = record.traffic.iter();
        for &(hour, share) in traffic.flat_map(|traffic| &traffic.shares) {
            self.shares.add(hour, share);
        }
        if group == GROUPS - 1 {
            self.judge();
        }
    }

    fn judge(&mut self) {
        let mut known = BTreeMap::new();
        for outline in self.outlines.drain(..) {
            self.histories += 1;
            let (mut least, mut most) = (0.0, outline.windows_s);
            for (hour, secs) in outline.quiet {
                let (low, high) = *known
                    .entry(hour)
                    .or_insert_with(|| self.shares.bounds(hour));
                least += secs * low;
                most += secs * high;
            }
            for row in &mut self.rows {
                let limit = row.limit.as_secs_f64();
                row.certainly += u64::from(least > limit);
                row.possibly += u64::from(most > limit);
            }
        }
    }

    /// How many histories were judged.
    pub fn histories(&self) -> u64 {
        self.histories
    }

    /// Of the histories judged: how many certainly exceed the limit of target `index`, how many possibly
    /// do, and how many there are; `None` without any.
    pub fn of(&self, index: usize) -> Option<(u64, u64, u64)> {
        let row = self.rows.iter().find(|row| row.target == index)?;
        (self.histories > 0).then_some((row.certainly, row.possibly, self.histories))
    }
}

impl GroupRunner<'_> {
    /// Notes where windows of one history would lie and what quiet time there would be.
    pub(super) fn outline(&mut self, replication: u64) -> Outline {
        let of = (self.system, self.plan);
        let mut quiet = BTreeMap::new();
        let key = |system: &System, keys: &mut KeyMaker, regime: &Regime| keys.key(system, regime);
        let windows_s = self.quiet_time(replication, false, key, |&key, from, to| {
            add_quiet(&mut quiet, of, key, (from, to));
        });
        Outline {
            windows_s,
            quiet: quiet.into_iter().collect(),
        }
    }
}

/// Adds a stretch of a regime, hour by hour where the load moves.
fn add_quiet(
    quiet: &mut BTreeMap<RegimeHour, f64>,
    (system, plan): (&System, &Plan),
    key: u64,
    (from, to): (SimTime, SimTime),
) {
    let mut add = |slot: u64, secs: f64| *quiet.entry((key, slot)).or_default() += secs;
    if system.load_rhythm() == LoadRhythm::Steady {
        if to > from {
            add(0, to.since(from).as_secs_f64());
        }
        return;
    }
    let slots = hours_of(system, plan, (from, to));
    for (slot, &secs) in (0..).zip(&slots).filter(|(_, secs)| **secs > 0.0) {
        add(slot, secs);
    }
}

/// Seconds of a stretch by hour of the day or week. What whole turns of that rhythm hold is known without
/// looking at each of their hours.
fn hours_of(system: &System, plan: &Plan, (from, to): (SimTime, SimTime)) -> [f64; 168] {
    let hour = HOUR.as_nanos();
    let hours = match system.load_rhythm() {
        LoadRhythm::Weekly => 168,
        LoadRhythm::Daily => 24,
        LoadRhythm::Steady | LoadRhythm::Free => 0,
    };
    let turn = HOUR.saturating_mul(hours);
    let mut slots = [0.0; 168];
    let mut at = from;
    while at < to {
        let border = SimTime::from_nanos((at.as_nanos() / hour + 1) * hour);
        // The border itself may lie inside a slice, which then belongs to the hour before.
        let end = plan.slice_end(border).min(to);
        slots[hour_slot(system, at) as usize] += end.since(at).as_secs_f64();
        at = end;
        let turns = (to.since(at).as_nanos())
            .checked_div(turn.as_nanos())
            .unwrap_or(0);
        if turns > 0 && at == border {
            for slot in &mut slots[..hours as usize] {
                *slot += turns as f64 * HOUR.as_secs_f64();
            }
            at = at + turn.saturating_mul(turns);
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Load;
    use crate::scenario;

    /// One replica alone is overloaded at noon, and nearly so at night.
    const SWINGS: &str = "
fivenines: 1
run: {horizon: 4d}
services:
  app:
    replicas: 2
    workers: 1
    queue: 20
    faults: {crash: {every: {exponential: {mean: 12h}}, lasts: {exponential: {mean: 90m}}}}
    operations: {read: {takes: {exponential: {mean: 50ms}}}}
balancers: {edge: {to: app, algorithm: least_conn, probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}}}
workload: {day: {arrive: {poisson: 18/s, profile: {peak: \"12:00\", ratio: 3}}, journeys: {read: 100%}, through: edge, patience: 1s}}
targets: [probability(downtime > 1h) <= 4%]
";

    fn swings() -> System {
        match scenario::load(SWINGS.as_bytes(), "test.yaml") {
            Ok(loaded) => loaded.system,
            Err(problems) => panic!("{}", problems.render(false)),
        }
    }

    #[test]
    fn whole_days_hold_what_their_hours_hold() {
        let system = swings();
        let plan = Plan::new(&system, &Load::of(&system), 3, Method::Windows);
        let at = |secs: u64| SimTime::START + SimSpan::from_secs(secs);
        for (from, to) in [
            (0, 86_400),
            (1_000, 90_000_000),
            (86_399, 864_123),
            (7_200, 7_205),
        ] {
            let found = hours_of(&system, &plan, (at(from), at(to)));
            // Less than a day has no whole one.
            let mut summed = [0.0; 168];
            let mut border = from;
            while border < to {
                let next = (border + 50_000).min(to);
                let part = hours_of(&system, &plan, (at(border), at(next)));
                for (slot, secs) in summed.iter_mut().zip(part) {
                    *slot += secs;
                }
                border = next;
            }
            for (found, summed) in found.iter().zip(summed) {
                assert!(
                    (found - summed).abs() < 1e-6 * summed.max(1.0),
                    "{from} {to}"
                );
            }
        }
    }

    #[test]
    fn downtime_lies_between_the_bounds() {
        let system = swings();
        let mut plan = Plan::new(&system, &Load::of(&system), 3, Method::Windows);
        plan.traffic_per_block = 4 * GROUPS;
        let mut runner = GroupRunner::new(&system, &plan);
        let mut shares = Shares::new(&system);
        let mut histories = Vec::new();
        for group in 0..GROUPS {
            let found = runner
                .run(0, group, 4 * GROUPS, &|| false)
                .expect("it runs");
            let traffic = found.traffic.expect("all have traffic");
            for &(hour, share) in &traffic.shares {
                shares.add(hour, share);
            }
            let replications = (group..4 * GROUPS).step_by(GROUPS as usize);
            histories.extend(replications.zip(traffic.outages.downtimes));
        }
        let (mut lowest, mut highest, mut total, mut outside) = (0.0, 0.0, 0.0, 0);
        for (replication, downtime) in histories {
            let outline = runner.outline(replication);
            let covered: f64 = outline.quiet.iter().map(|(_, secs)| secs).sum();
            assert!((covered + outline.windows_s - 345_600.0).abs() < 1e-6);
            let (mut least, mut most) = (0.0, outline.windows_s);
            for &(hour, secs) in &outline.quiet {
                let (low, high) = shares.bounds(hour);
                least += low * secs;
                most += high * secs;
            }
            let downtime = downtime as f64 * 1e-9;
            let noise = 0.2 * downtime;
            outside += u64::from(downtime + noise < least || downtime - noise > most);
            total += downtime;
            (lowest, highest) = (lowest + least, highest + most);
        }
        assert!(
            lowest <= total && total <= highest,
            "{lowest} {total} {highest}"
        );
        // A group's own few samples of hours that are sometimes bad are off by more than that now and then.
        assert!(outside <= 6, "{outside} of 128");
        let apart = highest - lowest;
        assert!(
            apart < total,
            "bounds {apart} s apart say little of {total} s"
        );
    }
}
