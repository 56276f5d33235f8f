//! Periods of histories: how many of them miss the bound of a target.
//!
//! A period of time is over its limit when its bad seconds are more than its bound allows. One of
//! requests, when more of them fail than `(1 - bound)` of those that end: `failed - (1 - bound) ended`
//! is summed over the period. With `excluding planned` what is due to planned work counts on neither
//! side, so that a planned failure weighs `1 - bound`.
//!
//! # Requests that are sampled
//!
//! Years have so many requests that the share that fails in a quiet regime is nearly its expectation,
//! and that is what a period gets. But the sample of one group is small: if one request in 2,000
//! fails, as many as 1 in 1,000 do in some samples of thousands, and every period of that group would
//! miss `99.9%`. So of the regime that holds most of the time the share stays open: of each period it
//! is found from which share on it misses its bound, these are counted, and they are read off at the
//! share that all groups have found together, with its error. Where the load swings over the day this
//! is the share of a whole day; the other regimes, which hold for little of the time, have the share
//! that their own group found.

use super::meter::{Judged, Meter, Stretch};
use super::sums::Sums;
use super::views::view_of;
use crate::model::{
    Counted, Measure, Metric, Over, PeriodBound, Population, Source, System, Target,
};
use crate::stats::{self, Estimate};
use crate::time::{SimSpan, SimTime};
use serde::{Deserialize, Serialize};

/// Seconds in a year of 365 days.
const YEAR_S: f64 = 8_760.0 * 3_600.0;

/// The targets on periods that are taken from one source, followed through one replication after the
/// other.
#[derive(Clone, Debug)]
pub struct Periods {
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    /// Index of the target.
    target: usize,
    bound: PeriodBound,
    /// Of requests: which are counted.
    view: usize,
    meter: Meter,
}

/// Requests between two instants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestCount {
    /// That ended.
    pub ended: f64,
    /// That failed.
    pub failed: f64,
    /// That failed because of planned work.
    pub planned: f64,
    /// That ended, and of which it is open how many failed.
    pub open: f64,
}

/// The bound that periods keep or miss by `target`: its own, or for targets on the availability or the
/// downtime of everything together the same of a whole history.
pub fn period_bound(target: &Target, horizon: SimSpan) -> Option<PeriodBound> {
    let (measure, scale) = match target.metric {
        Metric::Periods(bound) => return Some(bound),
        Metric::Availability(Population::All) => (Measure::Requests(Counted::ALL), 1.0),
        Metric::TimeAvailability => (Measure::Time, 1.0),
        Metric::StructuralAvailability => (Measure::Structure, 1.0),
        // Stated for a year.
        Metric::Downtime => (Measure::Downtime, horizon.as_secs_f64() / YEAR_S),
        Metric::StructuralDowntime => (Measure::StructuralDowntime, horizon.as_secs_f64() / YEAR_S),
        Metric::Availability(_)
        | Metric::FullAvailability
        | Metric::Outages
        | Metric::StructuralOutages
        | Metric::Latency { .. }
        | Metric::DowntimeExceeds(_)
        | Metric::StructuralDowntimeExceeds(_)
        | Metric::Recovery { .. }
        | Metric::Queue { .. } => return None,
    };
    Some(PeriodBound {
        measure,
        over: Over::History,
        excluding_planned: target.excluding_planned,
        bound: target.bound * scale,
    })
}

/// The bounds that are looked at, with the index of their targets.
pub(super) fn bounds_of(system: &System) -> impl Iterator<Item = (usize, PeriodBound)> + '_ {
    let targets = system.targets.iter().enumerate();
    targets.filter_map(|(index, target)| Some((index, period_bound(target, system.run.horizon)?)))
}

/// For each target, where it is on periods of requests, a place for what is found.
pub(super) fn request_periods(system: &System) -> Vec<Option<RequestPeriods>> {
    let mut rows = vec![None; system.targets.len()];
    for (target, bound) in bounds_of(system) {
        if bound.measure.source() == Source::Requests {
            rows[target] = Some(RequestPeriods::new(1.0 - bound.bound));
        }
    }
    rows
}

impl Periods {
    /// Those of `system` that are taken from `source`, of histories over `[from, to)`.
    pub fn new(system: &System, source: Source, from: SimTime, to: SimTime) -> Self {
        let horizon = to.since(from);
        let rows = bounds_of(system)
            .filter(|(_, bound)| bound.measure.source() == source)
            .map(|(target, bound)| {
                let length = bound.over.length().unwrap_or(horizon);
                let limit = match bound.measure {
                    Measure::Requests(_) => 0.0,
                    Measure::Time | Measure::Structure => {
                        (1.0 - bound.bound) * length.as_secs_f64()
                    }
                    Measure::Downtime | Measure::StructuralDowntime => bound.bound,
                };
                let rolling = matches!(bound.over, Over::Rolling(_));
                Row {
                    target,
                    bound,
                    view: view_of(system, bound.measure),
                    meter: Meter::new(from, to, length.as_nanos(), rolling, limit),
                }
            })
            .collect();
        Self { rows }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Begins a replication.
    pub fn begin(&mut self) {
        for row in &mut self.rows {
            row.meter.begin();
        }
    }

    /// Of the time between two instants, in nanoseconds, `share` is bad.
    pub fn push_bad(&mut self, from: u64, to: u64, share: f64, planned: bool) {
        let secs = (to - from) as f64 * 1e-9 * share;
        for row in &mut self.rows {
            let weight = match (planned && row.bound.excluding_planned, row.bound.measure) {
                (false, _) => secs,
                (true, Measure::Downtime | Measure::StructuralDowntime) => 0.0,
                (true, _) => secs * (1.0 - row.bound.bound),
            };
            row.meter.push(Stretch {
                from,
                to,
                weight,
                open: 0.0,
            });
        }
    }

    /// Requests of a view between two instants, in nanoseconds.
    pub fn push_requests(&mut self, view: usize, from: u64, to: u64, count: RequestCount) {
        for row in self.rows.iter_mut().filter(|row| row.view == view) {
            let allowed = 1.0 - row.bound.bound;
            let spared = if row.bound.excluding_planned {
                count.planned * row.bound.bound
            } else {
                0.0
            };
            row.meter.push(Stretch {
                from,
                to,
                weight: count.failed - spared - allowed * count.ended,
                open: count.open,
            });
        }
    }

    /// Ends the replication; `visit` is handed what each target has found, with its index.
    pub fn end(&mut self, mut visit: impl FnMut(usize, &Judged)) {
        for row in &mut self.rows {
            visit(row.target, row.meter.end());
        }
    }
}

/// Steps of a ladder to a factor of ten: each is 0.9 % wide.
const STEPS: usize = 256;

/// Factors of ten below and above the middle.
const DECADES: usize = 2;

/// Numbers above zero, counted by their size beside a middle.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ladder {
    middle: f64,
    counts: Vec<u32>,
}

impl Ladder {
    fn new(middle: f64) -> Self {
        Self {
            middle: middle.max(1e-12),
            counts: vec![0; 2 * DECADES * STEPS + 1],
        }
    }

    /// The place of `value`: steps above the lowest one.
    fn place(&self, value: f64) -> f64 {
        let decades = (value / self.middle).log10() + DECADES as f64;
        (decades * STEPS as f64).clamp(0.0, (2 * DECADES * STEPS) as f64)
    }

    fn record(&mut self, value: f64) {
        let place = self.place(value) as usize;
        self.counts[place] += 1;
    }

    /// How many are below `value`.
    fn below(&self, value: f64) -> f64 {
        if value <= 0.0 {
            return 0.0;
        }
        let place = self.place(value);
        let whole = place as usize;
        let before: u64 = self.counts[..whole].iter().copied().map(u64::from).sum();
        before as f64 + place.fract() * f64::from(self.counts[whole])
    }

    fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine = mine.saturating_add(*theirs);
        }
    }
}

/// Periods of requests in some replications, for one target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestPeriods {
    histories: u64,
    periods: u64,
    over: u64,
    open: u64,
    factors: Ladder,
}

impl RequestPeriods {
    /// Of no replication, for a target that allows so large a share to fail.
    pub fn new(allowed: f64) -> Self {
        Self {
            histories: 0,
            periods: 0,
            over: 0,
            open: 0,
            factors: Ladder::new(allowed),
        }
    }

    /// Adds a replication.
    pub fn push(&mut self, judged: &Judged) {
        self.histories += 1;
        self.periods += judged.periods;
        self.over += judged.over;
        self.open += judged.open.len() as u64;
        for &factor in &judged.open {
            self.factors.record(factor);
        }
    }

    /// Adds the replications of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.histories += other.histories;
        self.periods += other.periods;
        self.over += other.over;
        self.open += other.open;
        self.factors.merge(&other.factors);
    }

    /// Periods that miss their bound if this share fails where it is open.
    pub fn missed(&self, share: f64) -> f64 {
        self.over as f64 + self.factors.below(share)
    }

    /// Periods.
    pub fn periods(&self) -> u64 {
        self.periods
    }
}

/// The share of histories in which something held that was seen in `hits` of `n`.
fn of_histories(hits: f64, n: u64, confidence: f64) -> Estimate {
    let count = (hits.round() as u64).min(n);
    let interval = stats::clopper_pearson(count, n.max(1), confidence);
    Estimate {
        value: (hits / n.max(1) as f64).clamp(interval.low, interval.high),
        low: interval.low,
        high: interval.high,
        confidence,
        n,
    }
}

/// The share of periods that miss their bound, of (missed, periods) by replication.
pub fn missed_share(sums: &Sums, over: Over, confidence: f64) -> Option<Estimate> {
    match over {
        Over::History | Over::Rolling(_) => {
            (sums.n > 0).then(|| of_histories(sums.y, sums.n, confidence))
        }
        Over::Calendar(_) => Some(sums.share(sums.n, confidence)?.counted(sums.x as u64)),
    }
}

/// The same of requests, in parts that are independent of each other. `open` is (failed, sampled) by
/// group in the regime that holds most of the time.
pub fn missed_share_of_requests(
    parts: &[RequestPeriods],
    open: &Sums,
    over: Over,
    confidence: f64,
) -> Option<Estimate> {
    let at = |share: f64, confidence: f64| {
        let mut sums = Sums::default();
        let mut histories = 0;
        for part in parts.iter().filter(|part| part.histories > 0) {
            histories += part.histories;
            sums.push(part.missed(share), part.periods as f64);
        }
        match over {
            Over::History | Over::Rolling(_) => {
                (histories > 0).then(|| of_histories(sums.y, histories, confidence))
            }
            Over::Calendar(_) => Some(sums.share(histories, confidence)?.counted(sums.x as u64)),
        }
    };
    if parts.iter().all(|part| part.open == 0) || open.x <= 0.0 {
        return at(0.0, confidence);
    }
    // Half of the error each for the histories and for the share that fails in quiet time.
    let half = 0.5 * (1.0 + confidence);
    let mut share = open.ratio(1.0, half)?;
    if open.hits == 0 {
        // Every request sampled could have failed, and none has.
        share.high = stats::nothing_seen(open.x as u64, half);
    }
    let found = at(share.value, half)?;
    Some(Estimate {
        low: at(share.low, half)?.low.min(found.low),
        high: at(share.high, half)?.high.max(found.high),
        confidence,
        ..found
    })
}
