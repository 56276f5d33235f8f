//! Distributions of spans, in seconds.

use super::Stream;
use std::fmt;

/// A distribution of a non-negative span, in seconds; its parameters have been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Dist(Shape);

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Constant(f64),
    Exponential { mean: f64 },
}

/// Why parameters make no distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistError(pub(crate) String);

impl fmt::Display for DistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DistError {}

impl Dist {
    /// Always `secs`.
    pub fn constant(secs: f64) -> Result<Self, DistError> {
        Ok(Self(Shape::Constant(secs)))
    }

    /// Exponential with this mean.
    pub fn exponential(mean: f64) -> Result<Self, DistError> {
        Ok(Self(Shape::Exponential { mean }))
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        match self.0 {
            Shape::Constant(secs) => secs,
            Shape::Exponential { mean } => mean,
        }
    }

    /// The value below which a share `p` lies.
    pub fn quantile(&self, p: f64) -> f64 {
        match self.0 {
            Shape::Constant(secs) => secs,
            Shape::Exponential { mean } => -mean * (1.0 - p).ln(),
        }
    }

    /// One value by inversion, from one uniform (control plane).
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        self.quantile(stream.uniform())
    }

    /// One value, as fast as possible (data plane).
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> f64 {
        self.draw(stream)
    }
}
