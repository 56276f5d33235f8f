//! Downtime and outages of a record, with the percentiles that are known.

use super::figures::{Figures, YEAR_S};
use super::outcome::{Downtime, Estimate, Outages};
use super::summary::{CONFIDENCE, CURVE_POINTS};
use crate::stats::{self, Histogram};

pub(super) fn downtime(figures: &Figures<'_>, mean: Estimate, downtimes: &[u64]) -> Downtime {
    let mut sorted = downtimes.to_vec();
    sorted.sort_unstable();
    let per_year = YEAR_S / figures.plan.horizon_s();
    let n = sorted.len() as u64;
    let secs = |rank: usize| sorted[rank] as f64 * 1e-9;
    let quantile = |q: f64| {
        let (low, high) = stats::quantile_ranks(n, q, CONFIDENCE)?;
        let middle = ((q * n as f64).ceil() as usize).clamp(1, sorted.len()) - 1;
        let (low, high) = (secs(low as usize - 1), secs(high as usize - 1));
        let estimate = Estimate {
            value: secs(middle),
            low,
            high,
            confidence: CONFIDENCE,
            n,
        };
        Some(estimate.scaled(per_year))
    };
    let zero = sorted.iter().take_while(|&&nanos| nanos == 0).count() as u64;
    Downtime {
        mean,
        p50: quantile(0.5),
        p90: quantile(0.9),
        p95: quantile(0.95),
        p99: quantile(0.99),
        none: share_of(zero, n),
        exceedance: exceedance(&sorted),
    }
}

/// Structural downtime of a replication. Where outages were forced their weights tell how many replications
/// have any, and a percentile is known as far as it is none at all.
pub(super) fn structural_downtime(figures: &Figures<'_>) -> Downtime {
    let structure = &figures.record.structure;
    let mean = figures.structural_downtime(CONFIDENCE);
    let Some(forced) = &structure.forced else {
        return downtime(figures, mean, &structure.downtimes);
    };
    let n = structure.replications;
    let any = forced.any.mean(n, 1.0, CONFIDENCE);
    let quantile = |q: f64| {
        (any.high < 1.0 - q).then_some(Estimate {
            value: 0.0,
            low: 0.0,
            high: 0.0,
            confidence: CONFIDENCE,
            n,
        })
    };
    let years = &forced.years;
    let curve = years.curve(CURVE_POINTS).into_iter();
    Downtime {
        mean,
        p50: quantile(0.5),
        p90: quantile(0.9),
        p95: quantile(0.95),
        p99: quantile(0.99),
        none: any.complement(),
        exceedance: curve
            .map(|(nanos, below)| (nanos * 1e-9, any.value * (1.0 - below)))
            .collect(),
    }
}

/// The share of `n` replications in which something held, with its exact interval.
pub(super) fn share_of(hits: u64, n: u64) -> Estimate {
    let interval = stats::clopper_pearson(hits, n.max(1), CONFIDENCE);
    Estimate {
        value: if n == 0 { 1.0 } else { hits as f64 / n as f64 },
        low: interval.low,
        high: interval.high,
        confidence: CONFIDENCE,
        n,
    }
}

/// Share of replications with more than each of at most 200 values that occurred.
fn exceedance(sorted: &[u64]) -> Vec<(f64, f64)> {
    const POINTS: usize = 200;
    let n = sorted.len();
    let positive = sorted.partition_point(|&nanos| nanos == 0);
    let step = (n - positive).div_ceil(POINTS).max(1);
    (positive..n)
        .step_by(step)
        .map(|rank| (sorted[rank] as f64 * 1e-9, (n - rank) as f64 / n as f64))
        .collect()
}

/// From how many there are, `count` of them met, and how long they last on average.
pub(super) fn outages(
    per_year: Estimate,
    count: u64,
    mean: Option<Estimate>,
    histogram: &Histogram,
) -> Outages {
    let quantile = |q: f64| {
        let total = histogram.total();
        let (low, high) = stats::quantile_ranks(total, q, CONFIDENCE)?;
        let at = |rank: u64| histogram.quantile((rank as f64 - 0.5) / total as f64);
        let value = histogram.quantile(q)?;
        let (low, high) = (at(low)?.min(value), at(high)?.max(value));
        Some(
            Estimate {
                value,
                low,
                high,
                confidence: CONFIDENCE,
                n: total,
            }
            .scaled(1e-9),
        )
    };
    let mtbf = (count > 0).then(|| Estimate {
        value: YEAR_S / per_year.value,
        low: YEAR_S / per_year.high,
        high: YEAR_S / per_year.low,
        confidence: CONFIDENCE,
        n: count,
    });
    Outages {
        per_year,
        duration_mean: mean,
        duration_p50: quantile(0.5),
        duration_p99: quantile(0.99),
        mtbf,
    }
}
