//! Axes on which orders of magnitude are equal steps: nines, times, shares.

use crate::report::numbers;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use std::ops::Range;

/// An axis: a monotone transform, its ends, its ticks and how they are written.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    transform: fn(f64) -> f64,
    ends: (f64, f64),
    ticks: Vec<f64>,
    /// How a tick is written.
    pub(super) label: fn(f64) -> String,
}

/// The smallest distance to 1 that an axis of nines tells apart.
const LEAST: f64 = 1e-12;

fn nines(v: f64) -> f64 {
    -(1.0 - v).max(LEAST).log10()
}

fn log(v: f64) -> f64 {
    v.max(f64::MIN_POSITIVE).log10()
}

/// Round numbers of time, in seconds.
const TIMES: [f64; 13] = [
    1.0,
    10.0,
    60.0,
    600.0,
    3_600.0,
    6.0 * 3_600.0,
    86_400.0,
    7.0 * 86_400.0,
    30.0 * 86_400.0,
    91.0 * 86_400.0,
    365.0 * 86_400.0,
    3_650.0 * 86_400.0,
    36_500.0 * 86_400.0,
];

/// A share in few characters, however small it is.
fn short_share(share: f64) -> String {
    if share > 0.0 && share < 5e-7 {
        format!("{:.0e} %", 100.0 * share)
    } else {
        numbers::exact_share(share)
    }
}

impl Scale {
    /// Shares near 1 (availabilities, quantiles): 90 %, 99 %, 99.9 % at equal distances.
    pub(super) fn nines(low: f64, high: f64) -> Self {
        let rests = decades(-12..=0, &[1.0, 2.0, 5.0]);
        let mut ticks: Vec<f64> = rests
            .filter(|rest| *rest <= 1.0)
            .map(|rest| 1.0 - rest)
            .collect();
        ticks.sort_by(f64::total_cmp);
        Self::new(nines, (low, high), ticks, numbers::exact_share)
    }

    /// Lengths of time in seconds.
    pub(super) fn times(low: f64, high: f64) -> Self {
        let short = decades(-9..=-1, &[1.0, 2.0, 5.0]);
        let seconds = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0].into_iter();
        let ticks = if high < 60.0 {
            short.chain(seconds).chain([60.0]).collect()
        } else {
            decades(-9..=-1, &[1.0]).chain(TIMES).collect()
        };
        Self::new(log, (low, high), ticks, numbers::exact_span)
    }

    /// Shares near 0: 100 %, 10 %, 1 % at equal distances.
    pub(super) fn shares(low: f64, high: f64) -> Self {
        let ticks = decades(-12..=0, &[1.0, 2.0, 5.0])
            .filter(|s| *s <= 1.0)
            .collect();
        Self::new(log, (low, high), ticks, short_share)
    }

    /// Widens the ends to ticks and thins the ticks to what can be read.
    fn new(
        transform: fn(f64) -> f64,
        (low, high): (f64, f64),
        ticks: Vec<f64>,
        label: fn(f64) -> String,
    ) -> Self {
        let below = ticks
            .iter()
            .rposition(|tick| *tick <= low * (1.0 + 1e-9))
            .unwrap_or(0);
        let above = ticks
            .iter()
            .position(|tick| *tick >= high * (1.0 - 1e-15))
            .unwrap_or(ticks.len() - 1)
            .max((below + 1).min(ticks.len() - 1));
        let below = below.min(above - 1);
        let mut ticks = ticks[below..=above].to_vec();
        let ends = (ticks[0], ticks[ticks.len() - 1]);
        // Closer than a twelfth of the axis, labels would run into each other.
        let length = transform(ends.1) - transform(ends.0);
        let mut last = f64::NEG_INFINITY;
        let decade = |tick: f64| {
            let at = transform(tick);
            (at - at.round()).abs() < 1e-9
        };
        if ticks.len() > 10 && ticks.iter().filter(|t| decade(**t)).count() >= 3 {
            ticks.retain(|tick| decade(*tick));
        }
        ticks.retain(|tick| {
            let keep = transform(*tick) - last >= length / 12.0;
            if keep {
                last = transform(*tick);
            }
            keep
        });
        Self {
            transform,
            ends,
            ticks,
            label,
        }
    }

    /// The ends of the axis.
    pub(super) const fn ends(&self) -> (f64, f64) {
        self.ends
    }
}

fn decades(
    range: std::ops::RangeInclusive<i32>,
    mantissas: &'static [f64],
) -> impl Iterator<Item = f64> {
    range.flat_map(move |e| {
        // Dividing keeps 0.001 what it is written as; multiplying by 10^-3 may not.
        mantissas.iter().map(move |m| {
            if e < 0 {
                m / 10_f64.powi(-e)
            } else {
                m * 10_f64.powi(e)
            }
        })
    })
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let (low, high) = ((self.transform)(self.ends.0), (self.transform)(self.ends.1));
        let at = ((self.transform)(*value) - low) / (high - low);
        limit.0 + (at.clamp(0.0, 1.0) * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            Vec::new()
        } else {
            self.ticks.clone()
        }
    }

    fn range(&self) -> Range<f64> {
        self.ends.0..self.ends.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<String> {
        scale
            .ticks
            .iter()
            .map(|tick| (scale.label)(*tick))
            .collect()
    }

    #[test]
    fn nines_are_at_equal_distances() {
        let scale = Scale::nines(0.9, 0.9999);
        let at = |v: f64| scale.map(&v, (0, 300));
        assert_eq!(
            [at(0.9), at(0.99), at(0.999), at(0.9999)],
            [0, 100, 200, 300]
        );
        assert_eq!(at(1.0), 300);
    }

    #[test]
    fn ends_are_round_numbers_around_the_data() {
        let narrow = Scale::nines(0.999_79, 0.999_83);
        assert_eq!(labels(&narrow), ["99.95 %", "99.98 %", "99.99 %"]);
        assert_eq!(
            labels(&Scale::times(0.03, 0.2)),
            ["20 ms", "50 ms", "100 ms", "200 ms"]
        );
        assert_eq!(labels(&Scale::nines(0.0, 0.999)).first().unwrap(), "0 %");
        assert_eq!(labels(&Scale::shares(0.004, 1.0)).last().unwrap(), "100 %");
    }

    /// What is left of an axis has room for so many characters.
    #[test]
    fn labels_of_tiny_shares_are_short() {
        let labels = labels(&Scale::shares(1e-10, 1.0));
        assert_eq!(labels.first().unwrap(), "1e-8 %");
        assert!(labels.contains(&"0.0001 %".to_owned()), "{labels:?}");
        assert!(labels.iter().all(|label| label.len() <= 8), "{labels:?}");
    }

    #[test]
    fn a_point_still_gives_an_axis() {
        for scale in [
            Scale::nines(1.0, 1.0),
            Scale::nines(0.0, 0.0),
            Scale::times(5.0, 5.0),
        ] {
            assert!(scale.ends.0 < scale.ends.1, "{scale:?}");
            assert!(scale.ticks.len() >= 2, "{scale:?}");
        }
    }
}
