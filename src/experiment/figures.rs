//! Figures of a record at any confidence: the one place where a metric gets its number.

use super::outcome::Estimate;
use super::parts::{joined, plain_mean, plain_share};
use crate::estimate::{
    Brackets, LatencyFold, Plan, Record, RecoveryRecord, Sums, TrafficFold, missed_share,
    missed_share_of_requests, period_bound,
};
use crate::ids::PoolId;
use crate::model::{
    Metric, PeriodBound, Population, Quantity, QueueMeasure, Relation, Source, System, Target,
};
use crate::stats::{self, Ratio, WeightedHistogram};
use crate::time::SimSpan;

/// Seconds in a year of 365 days.
pub const YEAR_S: f64 = 8_760.0 * 3_600.0;

/// Below so many outages, their number is judged as a Poisson count.
const FEW_OUTAGES: u64 = 30;

/// A record with what is needed to read it.
#[derive(Clone, Copy, Debug)]
pub struct Figures<'a> {
    /// The system.
    pub system: &'a System,
    /// The plan.
    pub plan: &'a Plan,
    /// What was found.
    pub record: &'a Record,
}

impl Figures<'_> {
    fn per_year(&self) -> f64 {
        YEAR_S / self.plan.horizon_s()
    }

    fn traffic(&self) -> Option<&TrafficFold> {
        self.record.traffic.as_ref()
    }

    /// Structural downtime, seconds per year.
    pub fn structural_downtime(&self, confidence: f64) -> Estimate {
        let structure = &self.record.structure;
        structure
            .system
            .mean(structure.replications, self.plan.horizon_s(), confidence)
            .scaled(self.per_year())
    }

    /// Share of time in which a thing with these (downtime, outages) was up.
    pub fn up_share(&self, sums: &Sums, confidence: f64) -> Estimate {
        let replications = self.record.structure.replications;
        let horizon = self.plan.horizon_s();
        sums.mean(replications, horizon, confidence)
            .scaled(1.0 / horizon)
            .complement()
    }

    /// Outages per year of a thing with these (downtime, outages) over `n` replications.
    pub fn outages_per_year(&self, sums: &Sums, n: u64, confidence: f64) -> Estimate {
        let count = sums.x.round() as u64;
        let estimate = if count == 0 && n > 0 {
            // No outage in n histories: at most so many in one, as a Poisson count.
            let high = -(1.0 - confidence).ln() / n as f64;
            Estimate {
                value: 0.0,
                low: 0.0,
                high,
                confidence,
                n,
            }
        } else if count < FEW_OUTAGES && n > 0 {
            // Few outages: their number is a Poisson count, and its exact interval is known.
            let interval = stats::poisson_rate(count, n as f64, confidence);
            let (low, high) = (interval.low, interval.high);
            let value = (sums.x / n as f64).clamp(low, high);
            Estimate {
                value,
                low,
                high,
                confidence,
                n,
            }
        } else {
            sums.swapped().mean(n, f64::INFINITY, confidence)
        };
        estimate.scaled(self.per_year()).counted(count)
    }

    /// The same of structural outages, where they may have weights.
    pub fn structural_outages_per_year(&self, sums: &Sums, confidence: f64) -> Estimate {
        let n = self.record.structure.replications;
        if self.record.structure.forced.is_none() {
            return self.outages_per_year(sums, n, confidence);
        }
        let mean = sums.swapped().mean(n, f64::INFINITY, confidence);
        mean.scaled(self.per_year())
            .counted(self.structural_outages_met(sums))
    }

    /// How many structural outages were met; where they have weights, in how many histories.
    pub fn structural_outages_met(&self, sums: &Sums) -> u64 {
        if self.record.structure.forced.is_some() {
            sums.hits
        } else {
            sums.x.round() as u64
        }
    }

    /// Downtime from slices, seconds per year.
    pub fn downtime(&self, confidence: f64) -> Option<Estimate> {
        let sums = &self.traffic()?.outages.downtime;
        Some(self.yearly(sums, &self.record.structure.system, confidence))
    }

    /// Seconds per year, from slices of each history with traffic and from its structure.
    fn yearly(&self, slices: &Sums, structure: &Sums, confidence: f64) -> Estimate {
        let horizon = self.plan.horizon_s();
        let plain = plain_mean(slices, slices.n, horizon, confidence);
        let forced = self.forced_slices(structure, confidence);
        joined(plain, forced, horizon).scaled(self.per_year())
    }

    /// Outages from slices, per year.
    pub fn observed_outages(&self, confidence: f64) -> Option<Estimate> {
        let sums = &self.traffic()?.outages.downtime;
        let plain = self.outages_per_year(sums, sums.n, confidence);
        let (_, half) = plain_mean(&sums.swapped(), sums.n, f64::INFINITY, confidence);
        let structure = &self.record.structure.system;
        let forced = self
            .forced_slices(structure, confidence)
            .map(|_| self.structural_outages_per_year(structure, confidence));
        let plain = (plain, half * self.per_year());
        Some(joined(plain, forced, f64::INFINITY))
    }

    /// Share of time outside outages.
    pub fn time_availability(&self, confidence: f64) -> Option<Estimate> {
        Some(self.downtime(confidence)?.scaled(1.0 / YEAR_S).complement())
    }

    /// One minus the share of `failed`, counted in traffic replications, which has no forced part.
    pub fn answered_share(&self, failed: &Sums, confidence: f64) -> Option<Estimate> {
        let replications = self.traffic()?.replications;
        Some(failed.share(replications, confidence)?.complement())
    }

    /// The probability that one replication has more than `limit` of downtime, from all of them.
    fn exceeds(downtimes: &[u64], limit: SimSpan, confidence: f64) -> Option<Estimate> {
        if downtimes.is_empty() {
            return None;
        }
        let hits = downtimes
            .iter()
            .filter(|&&nanos| nanos > limit.as_nanos())
            .count() as u64;
        let n = downtimes.len() as u64;
        let interval = stats::clopper_pearson(hits, n, confidence);
        Some(Estimate {
            value: hits as f64 / n as f64,
            low: interval.low,
            high: interval.high,
            confidence,
            n,
        })
    }

    /// The bounds of histories without traffic, if they hold.
    fn brackets(&self) -> Option<&Brackets> {
        let settled = self.traffic()?.unsettled == 0;
        settled.then_some(&self.record.brackets)
    }

    /// Histories whose downtime is bounded without traffic.
    pub(super) fn bounded_histories(&self) -> u64 {
        self.brackets().map_or(0, Brackets::histories)
    }

    /// The probability that one replication has more than `limit` of downtime: from the ones with traffic,
    /// and from the bounds of the others where there are any. Each may err with half the chance, and what
    /// both allow is left.
    fn downtime_exceeds(&self, index: usize, limit: SimSpan, confidence: f64) -> Option<Estimate> {
        let traffic = self.traffic()?;
        let downtimes = &traffic.outages.downtimes;
        let bounded = self.brackets().and_then(|brackets| brackets.of(index));
        let Some((certainly, possibly, histories)) = bounded else {
            return Self::exceeds(downtimes, limit, confidence);
        };
        let half = 0.5 + 0.5 * confidence;
        let seen = Self::exceeds(downtimes, limit, half)?;
        let n = seen.n + histories;
        let hits = (seen.value * seen.n as f64).round() as u64;
        let least = stats::clopper_pearson(hits + certainly, n, half);
        let most = stats::clopper_pearson(hits + possibly, n, half);
        let (low, high) = (seen.low.max(least.low), seen.high.min(most.high));
        let high = high.max(low);
        let between = |count: u64| (hits + count) as f64 / n as f64;
        let value = seen.value.clamp(between(certainly), between(possibly));
        Some(Estimate {
            value: value.clamp(low, high),
            low,
            high,
            confidence,
            n,
        })
    }

    /// Whether recoveries of a store, or of all, end with the first good answer: traffic ran, and calls ask
    /// the leader of any of them.
    pub fn recoveries_are_felt(&self, store: Option<PoolId>) -> bool {
        self.record.traffic.is_some() && self.system.asks_leaders(store)
    }

    /// The recoveries that a quantity is read off, with the replications that have them.
    pub fn recoveries(&self, quantity: Quantity, store: Option<PoolId>) -> (&RecoveryRecord, u64) {
        let structure = &self.record.structure;
        match self.traffic() {
            Some(traffic) if quantity == Quantity::Time && self.recoveries_are_felt(store) => {
                (&traffic.recoveries, traffic.replications)
            }
            _ => (&structure.recoveries, structure.replications),
        }
    }

    /// A percentile of the recoveries of a store, or of all, seconds.
    pub fn recovery_quantile(
        &self,
        quantity: Quantity,
        store: Option<PoolId>,
        quantile: f64,
    ) -> Option<f64> {
        let found = self.recoveries(quantity, store).0.of(store);
        let spans = match quantity {
            Quantity::Time => &found.times,
            Quantity::Loss => &found.losses,
        };
        Some(spans.quantile(quantile)? * 1e-9)
    }

    /// The share of histories that miss target `index` by themselves; `None` if it is not on the
    /// availability or the downtime of everything together.
    pub fn missed_by_histories(&self, index: usize, confidence: f64) -> Option<Estimate> {
        let target = &self.system.targets[index];
        if matches!(target.metric, Metric::Periods(_)) {
            return None;
        }
        let bound = period_bound(target, self.plan.to.since(self.plan.from))?;
        self.periods_missed(index, bound, confidence)
    }

    /// The share of the periods of target `index` that miss its bound.
    fn periods_missed(
        &self,
        index: usize,
        bound: PeriodBound,
        confidence: f64,
    ) -> Option<Estimate> {
        let of = |sums: &Sums| missed_share(sums, bound.over, confidence);
        match bound.measure.source() {
            Source::Structure => of(&self.record.structure.periods[index]),
            Source::Slices => of(&self.traffic()?.outages.periods[index]),
            Source::Requests => {
                let traffic = self.traffic()?;
                let parts = &traffic.periods[index];
                let calm = traffic.calm(self.system, bound.measure);
                missed_share_of_requests(parts, &calm, bound.over, confidence)
            }
        }
    }

    /// What a target is judged by; `None` if nothing was measured. For latency targets it is the
    /// share of requests within the bound.
    pub fn judged(&self, index: usize, target: &Target, confidence: f64) -> Option<Estimate> {
        if target.excluding_planned {
            return self.unplanned(target.metric, confidence);
        }
        let structure = &self.record.structure;
        match target.metric {
            Metric::Availability(population) => {
                let traffic = self.traffic()?;
                let failed = match population {
                    Population::All => &traffic.failed,
                    Population::Workload(id) => &traffic.workloads[crate::ids::Id::index(id)],
                    Population::Journey(id) => &traffic.journeys[crate::ids::Id::index(id)],
                };
                self.answered_share_of(population, failed, confidence)
            }
            Metric::FullAvailability => {
                self.answered_share_of(Population::All, &self.traffic()?.not_full, confidence)
            }
            Metric::TimeAvailability => self.time_availability(confidence),
            Metric::StructuralAvailability => Some(self.up_share(&structure.system, confidence)),
            Metric::Downtime => self.downtime(confidence),
            Metric::StructuralDowntime => Some(self.structural_downtime(confidence)),
            Metric::Outages => self.observed_outages(confidence),
            Metric::StructuralOutages => {
                Some(self.structural_outages_per_year(&structure.system, confidence))
            }
            Metric::Latency { population, .. } => {
                self.answered_share_of(population, &self.traffic()?.late[index], confidence)
            }
            Metric::Queue { queue, measure } => {
                let traffic = self.traffic()?;
                let fold = &traffic.queues[crate::ids::Id::index(queue)];
                let share = |sums: &Sums| sums.share(traffic.replications, confidence);
                match measure {
                    QueueMeasure::Delivered => self.answered_share(&fold.undone, confidence),
                    QueueMeasure::Dead => share(&fold.dead),
                    QueueMeasure::Lost => share(&fold.lost),
                    QueueMeasure::Full => share(&fold.full),
                    QueueMeasure::Backlog => fold.held.ratio(f64::INFINITY, confidence),
                    QueueMeasure::Time { .. } => {
                        self.answered_share(&traffic.late[index], confidence)
                    }
                }
            }
            Metric::Recovery {
                quantity, store, ..
            } => {
                let (found, replications) = self.recoveries(quantity, store);
                let late = &found.late[index];
                Some(
                    late.share(replications, confidence)?
                        .complement()
                        .counted(late.x as u64),
                )
            }
            Metric::Periods(bound) => {
                let missed = self.periods_missed(index, bound, confidence)?;
                Some(match target.relation {
                    Relation::AtLeast => missed.complement(),
                    Relation::AtMost => missed,
                })
            }
            Metric::DowntimeExceeds(limit) => self.downtime_exceeds(index, limit, confidence),
            Metric::StructuralDowntimeExceeds(limit) => match &structure.forced {
                None => Self::exceeds(&structure.downtimes, limit, confidence),
                Some(forced) => {
                    let n = structure.replications;
                    Some(forced.exceeds[index].mean(n, 1.0, confidence))
                }
            },
        }
    }
}

impl Figures<'_> {
    /// A metric without what is due to planned work: of the seconds or requests that are not, those
    /// that are bad.
    fn unplanned(&self, metric: Metric, confidence: f64) -> Option<Estimate> {
        let horizon = self.plan.horizon_s();
        let structure = &self.record.structure;
        match metric {
            Metric::Availability(population) => {
                let unplanned = &self.traffic()?.unplanned;
                match population {
                    Population::All => self.unplanned_answered_share(&unplanned.failed, confidence),
                    Population::Workload(id) => self.answered_share(
                        &unplanned.workloads[crate::ids::Id::index(id)],
                        confidence,
                    ),
                    Population::Journey(id) => self
                        .answered_share(&unplanned.journeys[crate::ids::Id::index(id)], confidence),
                }
            }
            Metric::FullAvailability => {
                self.unplanned_answered_share(&self.traffic()?.unplanned.not_full, confidence)
            }
            Metric::TimeAvailability => {
                let sums = &self.traffic()?.outages.unplanned;
                let plain = plain_share(sums, sums.n, confidence)?;
                let forced = self.forced_slices(&structure.unplanned, confidence);
                let forced = forced.map(|mean| mean.scaled(1.0 / horizon));
                Some(joined(plain, forced, 1.0).complement())
            }
            Metric::StructuralAvailability => {
                Some(structure.unplanned.ratio(1.0, confidence)?.complement())
            }
            Metric::Downtime => {
                let slices = &self.traffic()?.outages.unplanned;
                Some(self.yearly(slices, &structure.unplanned, confidence))
            }
            Metric::StructuralDowntime => {
                let sums = &structure.unplanned;
                let mean = sums.mean(sums.n, horizon, confidence);
                Some(mean.scaled(self.per_year()))
            }
            // Refused where targets are read.
            Metric::Outages
            | Metric::StructuralOutages
            | Metric::Latency { .. }
            | Metric::DowntimeExceeds(_)
            | Metric::StructuralDowntimeExceeds(_)
            | Metric::Periods(_)
            | Metric::Recovery { .. }
            | Metric::Queue { .. } => None,
        }
    }

    /// Planned downtime from slices, seconds per year.
    pub fn planned_downtime(&self, confidence: f64) -> Option<Estimate> {
        let slices = &self.traffic()?.outages.planned;
        Some(self.yearly(slices, &self.record.structure.planned, confidence))
    }

    /// Planned structural downtime, seconds per year.
    pub fn structural_planned_downtime(&self, confidence: f64) -> Estimate {
        let planned = &self.record.structure.planned;
        planned
            .mean(planned.n, self.plan.horizon_s(), confidence)
            .scaled(self.per_year())
    }
}

/// A percentile of a latency in seconds, from parts that are independent of each other.
pub(super) fn latency_quantile(fold: &[&LatencyFold], q: f64, confidence: f64) -> Option<Estimate> {
    let whole = whole(fold);
    let value = whole.quantile(q)?;
    let nanos = value.round() as u64;
    let mut shares = Ratio::default();
    for part in 0..fold.first().map_or(0, |fold| fold.parts.len()) {
        let (mut below, mut total) = (0.0, 0.0);
        for fold in fold {
            below += fold.parts[part].weight_at_most(nanos);
            total += fold.parts[part].total();
        }
        if total > 0.0 {
            shares.record(below, total);
        }
    }
    let n = whole.total().round() as u64;
    let interval = stats::woodruff(&whole, q, &shares, confidence)?;
    let (low, high) = (interval.low.clamp(0.0, value), interval.high.max(value));
    Some(
        Estimate {
            value,
            low,
            high,
            confidence,
            n,
        }
        .scaled(1e-9),
    )
}

/// The mean of a latency, seconds.
pub(super) fn latency_mean(fold: &[&LatencyFold], confidence: f64) -> Option<Estimate> {
    let mut sums = Sums::default();
    let parts = fold.first().map_or(0, |fold| fold.parts.len());
    for part in 0..parts {
        let (mut secs, mut total) = (0.0, 0.0);
        for fold in fold {
            secs += fold.parts[part].sum() * 1e-9;
            total += fold.parts[part].total();
        }
        if total > 0.0 {
            sums.push(secs, total);
        }
    }
    sums.ratio(f64::INFINITY, confidence)
}

/// All parts of all folds in one histogram.
pub(super) fn whole(fold: &[&LatencyFold]) -> WeightedHistogram {
    let mut whole = WeightedHistogram::new();
    for fold in fold {
        whole.merge(&fold.whole());
    }
    whole
}
