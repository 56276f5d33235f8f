//! Sums over independent units (replications, groups of them) that merge exactly in order, and the
//! intervals that follow from them.

use crate::stats;
use crate::stats::Estimate;
use serde::{Deserialize, Serialize};

/// Sums of pairs (y, x), one pair a unit: enough for the mean of either and for the ratio of sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Units.
    pub n: u64,
    /// Units whose y was not zero.
    pub hits: u64,
    /// Sum of y.
    pub y: f64,
    /// Sum of x.
    pub x: f64,
    yy: f64,
    xx: f64,
    xy: f64,
}

impl Sums {
    /// Adds one unit.
    pub fn push(&mut self, y: f64, x: f64) {
        self.push_as(y, x, y != 0.0);
    }

    /// The same, where what counts as a unit with y is said.
    pub fn push_as(&mut self, y: f64, x: f64, hit: bool) {
        self.n += 1;
        self.hits += u64::from(hit);
        self.y += y;
        self.x += x;
        self.yy += y * y;
        self.xx += x * x;
        self.xy += x * y;
    }

    /// Adds a unit with y of which `taken` is taken away; what is a unit with y follows from y itself.
    pub fn push_net(&mut self, y: f64, taken: f64, x: f64) {
        self.push_as(y - taken, x, y != 0.0);
    }

    /// Adds one unit of which both are zero: the same as `push(0.0, 0.0)`.
    pub fn push_zero(&mut self) {
        self.n += 1;
    }

    /// Adds all units of `other`, which come after the ones here.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.hits += other.hits;
        self.y += other.y;
        self.x += other.x;
        self.yy += other.yy;
        self.xx += other.xx;
        self.xy += other.xy;
    }
}

/// Below so many units with an event, scatter alone says too little: the number of events is then
/// bounded as a Poisson count, and only their size by its scatter.
const FEW: u64 = 30;

impl Sums {
    /// y and x exchanged. `hits` still counts units with y, which for downtime and outages is the same.
    #[must_use]
    pub fn swapped(self) -> Self {
        Self {
            y: self.x,
            x: self.y,
            yy: self.xx,
            xx: self.yy,
            ..self
        }
    }

    /// The same with each y times `factor`.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            y: self.y * factor,
            yy: self.yy * factor * factor,
            xy: self.xy * factor,
            ..self
        }
    }

    /// The variance of the mean of y - `ratio` x over `n` units, of which those not pushed had zero; infinite below
    /// two units.
    pub fn residual_variance(&self, n: u64, ratio: f64) -> f64 {
        if n < 2 {
            return f64::INFINITY;
        }
        let count = n as f64;
        let mean = (self.y - ratio * self.x) / count;
        let squares = self.yy - 2.0 * ratio * self.xy + ratio * ratio * self.xx;
        (squares - count * mean * mean).max(0.0) / (count - 1.0) / count
    }

    /// Mean of y a unit over `n` units, of which those not pushed had zero. A unit's y lies in
    /// `[0, largest]`.
    ///
    /// With no event at all the upper end is `largest` times the probability that one unit in so
    /// many could still have one, `1 - (1 - confidence)^(1/n)`.
    pub fn mean(&self, n: u64, largest: f64, confidence: f64) -> Estimate {
        let count = n as f64;
        let value = if n == 0 { 0.0 } else { self.y / count };
        let variance = if n < 2 {
            f64::INFINITY
        } else {
            ((self.yy - self.y * value) / (count - 1.0)).max(0.0) / count
        };
        self.interval(value, variance, n, count, largest, confidence)
    }

    /// y over x, a share, where the units stand for `histories` in all: with no event at all, the
    /// upper end is the probability that one history in so many could still have one.
    pub fn share(&self, histories: u64, confidence: f64) -> Option<Estimate> {
        let mut estimate = self.ratio(1.0, confidence)?;
        if self.hits == 0 {
            estimate.high = stats::nothing_seen(histories, confidence);
        }
        Some(estimate.counted(histories))
    }

    /// y over x: a ratio of sums, with the linearised variance (Cochran 1977, 6.4). `None` if x is
    /// zero. The ratio lies in `[0, largest]`.
    pub fn ratio(&self, largest: f64, confidence: f64) -> Option<Estimate> {
        if self.x.is_nan() || self.x <= 0.0 {
            return None;
        }
        let (n, ratio) = (self.n as f64, self.y / self.x);
        let variance = if self.n < 2 {
            f64::INFINITY
        } else {
            let residuals = self.yy - 2.0 * ratio * self.xy + ratio * ratio * self.xx;
            residuals.max(0.0) * n / (n - 1.0) / (self.x * self.x)
        };
        Some(self.interval(ratio, variance, self.n, self.x, largest, confidence))
    }

    /// y over x where x counts the events that y measures: a mean per event, such as the length of an
    /// outage. Units without an event say nothing, so they are no degrees of freedom. `None` without
    /// any event.
    pub fn per_event(&self, confidence: f64) -> Option<Estimate> {
        if self.x.is_nan() || self.x <= 0.0 {
            return None;
        }
        let (hits, value) = (self.hits as f64, self.y / self.x);
        let (low, high) = if self.hits < 2 {
            (0.0, f64::INFINITY)
        } else {
            let residuals = (self.yy - 2.0 * value * self.xy + value * value * self.xx).max(0.0);
            let error = (residuals * hits / (hits - 1.0)).sqrt() / self.x;
            let half = stats::student_t(confidence, hits - 1.0) * error;
            ((value - half).max(0.0), value + half)
        };
        Some(Estimate {
            value,
            low,
            high,
            confidence,
            n: self.x.round() as u64,
        })
    }

    /// `base` is what the sum of y is divided by.
    fn interval(
        &self,
        value: f64,
        variance: f64,
        n: u64,
        base: f64,
        largest: f64,
        confidence: f64,
    ) -> Estimate {
        let (low, high) = if n == 0 {
            (0.0, largest)
        } else if self.hits == 0 {
            let unseen = stats::nothing_seen(n, confidence);
            // `0 * infinity` would be NaN: without a largest value nothing bounds the mean.
            (
                0.0,
                if largest.is_finite() {
                    unseen * largest
                } else {
                    f64::INFINITY
                },
            )
        } else if n < 2 {
            (0.0, largest)
        } else if self.hits < FEW && self.hits * 2 < n {
            self.few(n, base, confidence, largest)
        } else {
            let half = stats::student_t(confidence, (n - 1) as f64) * variance.sqrt();
            (value - half, value + half)
        };
        let low = low.clamp(0.0, value.max(0.0));
        Estimate {
            value,
            low,
            high: high.min(largest).max(value),
            confidence,
            n,
        }
    }

    /// Few events: the exact Poisson interval of their number and the t interval of their size,
    /// joined in logarithms.
    fn few(&self, n: u64, base: f64, confidence: f64, largest: f64) -> (f64, f64) {
        let hits = self.hits as f64;
        let number = stats::poisson_rate(self.hits, 1.0, confidence);
        if self.hits < 2 || self.y <= 0.0 {
            // One event says nothing about how large the next one is.
            let share = (number.high / n as f64).min(1.0);
            return (
                0.0,
                if largest.is_finite() {
                    share * largest
                } else {
                    f64::INFINITY
                },
            );
        }
        let size = self.y / hits;
        let scatter = ((self.yy - self.y * size) / (hits - 1.0)).max(0.0).sqrt() / size;
        let t = stats::student_t(confidence, hits - 1.0);
        let of_size = t * scatter / hits.sqrt();
        let down = (hits / number.low).ln().hypot(of_size);
        let up = (number.high / hits).ln().hypot(of_size);
        let value = self.y / base;
        (value * (-down).exp(), value * up.exp())
    }
}
