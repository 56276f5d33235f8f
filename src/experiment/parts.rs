//! Request figures of two parts: what the histories with traffic found, and what is lost while the structure
//! is down, from branches in which outages are forced (`estimate/down.rs`).
//!
//! The parts come from different random numbers, so their variances add up, and so do the squares of the
//! half widths of their intervals, above and below. A plain part that is smaller than the forced one has its
//! scatter for an interval: that it may have events of its own that nobody has seen is no more than what
//! holds of every figure of which something was seen. Where branches met nothing, or nothing was forced,
//! the plain part is all there is.

use super::figures::Figures;
use super::outcome::Estimate;
use crate::estimate::{LostRecord, Sums, TrafficFold, rates};
use crate::ids::Id;
use crate::model::{Population, System};
use crate::stats;

/// The plain part of a figure: by itself, and half the width of an interval from its scatter alone.
pub(super) type Plain = (Estimate, f64);

/// The plain part of a mean over `n` units, of which those not pushed had zero.
pub(super) fn plain_mean(sums: &Sums, n: u64, largest: f64, confidence: f64) -> Plain {
    let half = match n {
        0 | 1 => f64::INFINITY,
        _ => {
            let t = stats::student_t(confidence, (n - 1) as f64);
            t * sums.residual_variance(n, 0.0).sqrt()
        }
    };
    (sums.mean(n, largest, confidence), half)
}

/// The plain part of y over x, a share, where the units stand for so many histories.
pub(super) fn plain_share(sums: &Sums, histories: u64, confidence: f64) -> Option<Plain> {
    let share = sums.share(histories, confidence)?;
    let half = match sums.n {
        0 | 1 => f64::INFINITY,
        n => {
            let variance = sums.residual_variance(n, sums.y / sums.x).sqrt();
            let t = stats::student_t(confidence, (n - 1) as f64);
            t * variance * n as f64 / sums.x
        }
    };
    Some((share, half))
}

/// A figure of two parts that are independent of each other; it is at most `largest`.
pub(super) fn joined((plain, half): Plain, forced: Option<Estimate>, largest: f64) -> Estimate {
    let Some(forced) = forced else {
        return plain;
    };
    let (below, above) = if plain.value > forced.value {
        (plain.value - plain.low, plain.high - plain.value)
    } else {
        (half, half)
    };
    let value = (plain.value + forced.value).clamp(0.0, largest);
    let low = value - below.hypot(forced.value - forced.low);
    let high = value + above.hypot(forced.high - forced.value);
    Estimate {
        value,
        low: low.max(0.0),
        high: high.min(largest),
        ..plain
    }
}

/// The mean of y over the mean of x, where both have two parts: of pairs (y, x), one a unit.
pub(super) fn joined_per_event(
    plain: &Sums,
    forced: &Sums,
    n: u64,
    confidence: f64,
) -> Option<Estimate> {
    let mean = |of: fn(&Sums) -> f64| of(plain) / plain.n as f64 + of(forced) / n as f64;
    let (y, x) = (mean(|sums| sums.y), mean(|sums| sums.x));
    if plain.n < 2 || n < 2 || x.is_nan() || x <= 0.0 {
        return None;
    }
    let value = y.max(0.0) / x;
    let variance = plain.residual_variance(plain.n, value) + forced.residual_variance(n, value);
    let half = stats::student_t(confidence, (plain.n - 1) as f64) * variance.sqrt() / x;
    Some(Estimate {
        value,
        low: (value - half).max(0.0),
        high: value + half,
        confidence,
        n: (plain.x + forced.hits as f64).max(0.0).round() as u64,
    })
}

/// What the branches say of requests, with what turns it into shares.
#[derive(Clone, Copy)]
struct Forced<'a> {
    system: &'a System,
    lost: &'a LostRecord,
    traffic: &'a TrafficFold,
}

impl Figures<'_> {
    fn forced_part(&self) -> Option<Forced<'_>> {
        Some(Forced {
            system: self.system,
            lost: &self.record.structure.forced.as_deref()?.lost,
            traffic: self.record.traffic.as_ref()?,
        })
    }

    /// The forced part of a share of the requests of `population` that ended.
    fn forced_share(&self, population: Population, confidence: f64) -> Option<Estimate> {
        let forced = self.forced_part()?;
        match population {
            Population::All => {
                self.share_of_requests(&forced.lost.all, &forced.traffic.failed, confidence)
            }
            Population::Workload(id) => self.share_of_requests(
                &forced.lost.workloads[id.index()],
                &forced.traffic.workloads[id.index()],
                confidence,
            ),
            Population::Journey(id) => {
                let rate = rates(forced.system, self.plan.from, self.plan.to)[id];
                let down = self.record.structure.journeys[id.index()].times(rate);
                self.share_of_requests(&down, &forced.traffic.journeys[id.index()], confidence)
            }
        }
    }

    /// Requests lost in each history, as a share of those in `ended`.
    fn share_of_requests(&self, lost: &Sums, ended: &Sums, confidence: f64) -> Option<Estimate> {
        let traffic = self.record.traffic.as_ref()?;
        let each = ended.x / traffic.replications as f64;
        if lost.hits == 0 || each.is_nan() || each <= 0.0 {
            return None;
        }
        let n = self.record.structure.replications;
        Some(lost.mean(n, each, confidence).scaled(1.0 / each))
    }

    fn plain_share(&self, failed: &Sums, confidence: f64) -> Option<Plain> {
        plain_share(
            failed,
            self.record.traffic.as_ref()?.replications,
            confidence,
        )
    }

    /// One minus the share of `failed` among the requests of `population`.
    pub(super) fn answered_share_of(
        &self,
        population: Population,
        failed: &Sums,
        confidence: f64,
    ) -> Option<Estimate> {
        let plain = self.plain_share(failed, confidence)?;
        let forced = self.forced_share(population, confidence);
        Some(joined(plain, forced, 1.0).complement())
    }

    /// One minus the share of `failed` among all requests without those that failed because of planned work.
    pub(super) fn unplanned_answered_share(
        &self,
        failed: &Sums,
        confidence: f64,
    ) -> Option<Estimate> {
        let plain = self.plain_share(failed, confidence)?;
        let forced = self.forced_part().and_then(|forced| {
            let all = self.share_of_requests(&forced.lost.all, failed, confidence)?;
            let planned = &forced.lost.planned;
            let taken = planned.y / self.record.structure.replications as f64;
            let each = failed.x / forced.traffic.replications as f64;
            let value = (all.value - taken / each).max(0.0);
            Some(Estimate {
                value,
                low: (all.low - (all.value - value)).max(0.0),
                high: all.high - (all.value - value),
                ..all
            })
        });
        Some(joined(plain, forced, 1.0).complement())
    }

    /// The share of requests that failed for a cause.
    pub(super) fn failed_by_cause(&self, cause: usize, confidence: f64) -> Option<Estimate> {
        let traffic = self.record.traffic.as_ref()?;
        let plain = self.plain_share(&traffic.by_cause[cause], confidence)?;
        let forced = self.forced_part().and_then(|forced| {
            let lost = &forced.lost.by_cause[cause];
            self.share_of_requests(lost, &traffic.by_cause[cause], confidence)
        });
        Some(joined(plain, forced, 1.0))
    }

    /// Requests that failed in all histories with traffic, for a cause or for any: as they were counted, with
    /// what they lost while their structure was down at its expectation.
    pub(super) fn failed_requests(&self, cause: Option<usize>) -> f64 {
        let Some(traffic) = &self.record.traffic else {
            return 0.0;
        };
        let plain = cause.map_or(traffic.failed.y, |cause| traffic.by_cause[cause].y);
        let forced = self.forced_part().map_or(0.0, |forced| {
            let lost = cause.map_or(&forced.lost.all, |cause| &forced.lost.by_cause[cause]);
            lost.y / self.record.structure.replications as f64 * traffic.replications as f64
        });
        (plain + forced).max(0.0)
    }

    /// The forced part of (seconds a history, events a history) of slices: the same of structure.
    pub(super) fn forced_slices(&self, of: &Sums, confidence: f64) -> Option<Estimate> {
        self.forced_part()?;
        let n = self.record.structure.replications;
        (of.hits > 0).then(|| of.mean(n, self.plan.horizon_s(), confidence))
    }

    /// How many outages slices show in all histories with traffic, and how long they last on average.
    pub(super) fn observed_outage_length(
        &self,
        confidence: f64,
    ) -> Option<(u64, Option<Estimate>)> {
        let plain = &self.record.traffic.as_ref()?.outages.downtime;
        let structure = &self.record.structure;
        if self.forced_slices(&structure.system, confidence).is_none() {
            return Some((plain.x.round() as u64, plain.per_event(confidence)));
        }
        let mean = joined_per_event(plain, &structure.system, structure.replications, confidence);
        Some((mean.map_or(0, |mean| mean.n), mean))
    }

    /// Both parts of the share of requests that fail, and of the seconds of downtime a year; `None` if there
    /// is no forced part.
    pub(super) fn split(&self, confidence: f64) -> Option<super::facts::Parts> {
        let forced = self.forced_part()?;
        let scale = super::figures::YEAR_S / self.plan.horizon_s();
        let outages = &forced.traffic.outages.downtime;
        let plain = outages.mean(outages.n, self.plan.horizon_s(), confidence);
        let structure = &self.record.structure.system;
        Some(super::facts::Parts {
            failed: (
                self.plain_share(&forced.traffic.failed, confidence)?.0,
                self.forced_share(Population::All, confidence)?,
            ),
            downtime_s_per_year: (
                plain.scaled(scale),
                self.forced_slices(structure, confidence)?.scaled(scale),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(value: f64, below: f64, above: f64) -> Estimate {
        Estimate {
            value,
            low: value - below,
            high: value + above,
            confidence: 0.95,
            n: 32,
        }
    }

    #[test]
    fn half_widths_of_both_parts_add_up_in_squares() {
        let forced = about(5.0, 3.0, 4.0);
        // The larger plain part has its own interval, the smaller one its scatter.
        let large = joined((about(10.0, 4.0, 3.0), 1.0), Some(forced), 100.0);
        assert_eq!((large.value, large.low, large.high), (15.0, 10.0, 20.0));
        let small = joined((about(1.0, 1.0, 90.0), 4.0), Some(forced), 100.0);
        assert_eq!((small.value, small.low), (6.0, 1.0));
        assert!((small.high - (6.0 + 32.0_f64.sqrt())).abs() < 1e-12);
        // Without a forced part there is nothing to add.
        let alone = about(1.0, 1.0, 90.0);
        assert_eq!(joined((alone, 4.0), None, 100.0), alone);
    }

    /// Four units by hand: the mean of y is 2, the squares around it 8, and the share 0.5 has none.
    #[test]
    fn the_scatter_of_a_plain_part_is_that_of_its_units() {
        let mut sums = Sums::default();
        for y in [0.0, 2.0, 2.0, 4.0] {
            sums.push(y, 2.0 * y);
        }
        let t = stats::student_t(0.95, 3.0);
        let (mean, half) = plain_mean(&sums, 4, 10.0, 0.95);
        assert!((half - t * (8.0_f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
        assert_eq!(mean.value, 2.0);
        let (share, half) = plain_share(&sums, 4, 0.95).expect("requests");
        assert!(share.value == 0.5 && half < 1e-12);
    }
}
