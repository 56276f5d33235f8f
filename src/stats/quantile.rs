//! An interval for a quantile of weighted, clustered values.

use super::interval::{Interval, student_t};
use super::{Ratio, WeightedHistogram};

/// Woodruff's interval, in nanoseconds, for the quantile `q` of `total`.
///
/// Values within a group hang together (an outage makes many slow requests at once), so counting
/// values would promise too much. Instead the share at most the quantile is estimated like any ratio
/// over groups, and its interval is taken back through the distribution: no density is needed.
///
/// `shares` has, for each group, the weight of its values that are at most the quantile (as y, see
/// [`WeightedHistogram::weight_at_most`]) and the weight of all its values (as x), at
/// `total.quantile(q)`. The upper end is infinite if the share could be 1, the lower end 0 if it
/// could be 0. `None` if `total` is empty; unbounded if the groups show no spread.
///
/// # Panics
/// If `confidence` is not between 0 and 1.
///
/// # Source
/// Woodruff, Confidence intervals for medians and other position measures, JASA 47 (1952) 635-646.
pub fn woodruff(
    total: &WeightedHistogram,
    q: f64,
    shares: &Ratio,
    confidence: f64,
) -> Option<Interval> {
    total.quantile(q)?;
    let Some(error) = shares.std_error().filter(|error| *error > 0.0) else {
        return Some(Interval::UNBOUNDED);
    };
    let half = student_t(confidence, (shares.groups() - 1) as f64) * error;
    let at = |share: f64| total.quantile(share).unwrap_or(f64::INFINITY);
    Some(Interval {
        low: if q - half <= 0.0 { 0.0 } else { at(q - half) },
        high: if q + half >= 1.0 {
            f64::INFINITY
        } else {
            at(q + half)
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Dist, Key};
    use crate::stats::Histogram;

    /// Groups of clustered values: each has its own mean, and that is where the spread comes from.
    /// 300 macro-runs; a true coverage of 0.95 leaves [0.90, 0.985] with probability below 1e-3.
    #[test]
    fn covers_the_median_of_clustered_values() {
        let level = Dist::lognormal_median_sigma(1e6, 0.3).unwrap();
        let within = Dist::exponential(1.0).unwrap();
        // The median of a lognormal (sigma 0.3) times a unit exponential, by long simulation below.
        let mut stream = Key::of_seed(1).stream();
        let mut population = Histogram::new();
        for _ in 0..1_000_000 {
            population.record((level.sample(&mut stream) * within.sample(&mut stream)) as u64);
        }
        let truth = population.quantile(0.5).unwrap();
        let mut covered = 0;
        for run in 0..300 {
            let mut stream = Key::of_seed(2).with(run).stream();
            let groups: Vec<Histogram> = (0..40)
                .map(|_| {
                    let mut group = Histogram::new();
                    let mean = level.sample(&mut stream);
                    (0..50).for_each(|_| {
                        group.record((mean * within.sample(&mut stream)) as u64);
                    });
                    group
                })
                .collect();
            let mut total = WeightedHistogram::new();
            groups.iter().for_each(|group| total.add_scaled(group, 2.0));
            let at = total.quantile(0.5).unwrap() as u64;
            let mut shares = Ratio::default();
            for group in &groups {
                shares.record(2.0 * group.count_at_most(at), 2.0 * group.total() as f64);
            }
            covered += u32::from(
                woodruff(&total, 0.5, &shares, 0.95)
                    .unwrap()
                    .contains(truth),
            );
        }
        let coverage = f64::from(covered) / 300.0;
        assert!((0.90..0.985).contains(&coverage), "{coverage}");
    }

    #[test]
    fn shares_that_reach_an_end_leave_it_open() {
        let mut histogram = Histogram::new();
        (1..=100).for_each(|n| histogram.record(n));
        let mut total = WeightedHistogram::new();
        total.add_scaled(&histogram, 1.0);
        let mut shares = Ratio::default();
        shares.record(50.0, 50.0);
        assert_eq!(
            woodruff(&total, 0.5, &shares, 0.95),
            Some(Interval::UNBOUNDED)
        );
        shares.record(49.0, 50.0);
        let interval = woodruff(&total, 0.99, &shares, 0.95).unwrap();
        assert_eq!(interval.high, f64::INFINITY);
        assert!(interval.low > 0.0);
        assert_eq!(
            woodruff(&WeightedHistogram::new(), 0.5, &shares, 0.95),
            None
        );
    }
}
