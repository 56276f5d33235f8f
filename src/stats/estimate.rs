//! A figure with its interval.

/// A figure with its interval.
///
/// An end without a bound is infinite. `value` lies within `[low, high]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The best single number.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// The probability with which such intervals contain the truth, e.g. 0.95.
    pub confidence: f64,
    /// What was counted to get it: replications, outages or requests, as its place says.
    pub n: u64,
}

impl Estimate {
    /// This figure times `factor`, which must not be negative.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        // An end without a bound has none after scaling either, not even by zero.
        let scale = |end: f64| if end.is_infinite() { end } else { end * factor };
        Self {
            value: self.value * factor,
            low: scale(self.low),
            high: scale(self.high),
            ..self
        }
    }

    /// One minus this figure, for a share.
    #[must_use]
    pub fn complement(self) -> Self {
        Self {
            value: 1.0 - self.value,
            low: 1.0 - self.high,
            high: 1.0 - self.low,
            ..self
        }
    }

    /// The same interval with another count behind it.
    #[must_use]
    pub fn counted(self, n: u64) -> Self {
        Self { n, ..self }
    }

    /// Half the width of the interval over the value; infinite without a bound.
    pub fn relative_half_width(self) -> f64 {
        if self.value == 0.0 {
            f64::INFINITY
        } else {
            (self.high - self.low) / 2.0 / self.value.abs()
        }
    }
}
