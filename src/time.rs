//! Instants and spans of simulated time, in whole nanoseconds.
//!
//! Two types, so that adding two instants does not compile. Integers, because at one year an `f64`
//! clock in seconds has steps of 3.7 ns and two events that should be ordered may compare equal.
//!
//! The clock of a history starts 52 weeks before its horizon ([`SimTime::START`] is the first
//! instant of the horizon, a Monday 00:00), so that burn-in and warm-up have ordinary instants and
//! weekly profiles stay aligned. An instant that would lie after the end of the clock (584 years)
//! becomes [`SimTime::NEVER`].

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};

/// Nanoseconds in a second.
pub const NANOS_PER_SEC: u64 = 1_000_000_000;

/// An instant of a simulated history, in nanoseconds of its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(u64);

/// A length of simulated time, in nanoseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SimSpan(u64);

impl SimTime {
    /// The first instant of the clock, 52 weeks before the horizon.
    pub const EPOCH: Self = Self(0);
    /// The first instant of the horizon: day 0, a Monday 00:00.
    pub const START: Self = Self(52 * 7 * 86_400 * NANOS_PER_SEC);
    /// After everything: the instant of an event that does not come.
    pub const NEVER: Self = Self(u64::MAX);

    /// The instant `nanos` after [`SimTime::EPOCH`].
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since [`SimTime::EPOCH`].
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start of the horizon; negative during burn-in.
    ///
    /// ```
    /// use fivenines::time::{SimSpan, SimTime};
    /// assert_eq!((SimTime::START + SimSpan::from_secs(90)).secs_in_horizon(), 90.0);
    /// ```
    pub fn secs_in_horizon(self) -> f64 {
        (self.0 as i128 - Self::START.0 as i128) as f64 / NANOS_PER_SEC as f64
    }

    /// The span since `earlier`, or zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> SimSpan {
        SimSpan(self.0.saturating_sub(earlier.0))
    }

    /// The instant `span` before this one, not before [`SimTime::EPOCH`].
    pub const fn before(self, span: SimSpan) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl SimSpan {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span, 584 years; stands for "for ever".
    pub const MAX: Self = Self(u64::MAX);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A span of whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// Rounds `secs` to the nearest nanosecond. Negative values and NaN become zero; what is too
    /// long becomes [`SimSpan::MAX`]: a heavy-tailed draw saturates, it never wraps.
    ///
    /// ```
    /// use fivenines::time::SimSpan;
    /// assert_eq!(SimSpan::from_secs_f64(1.5), SimSpan::from_millis(1_500));
    /// assert_eq!(SimSpan::from_secs_f64(f64::INFINITY), SimSpan::MAX);
    /// assert_eq!(SimSpan::from_secs_f64(f64::NAN), SimSpan::ZERO);
    /// ```
    pub fn from_secs_f64(secs: f64) -> Self {
        Self(rounded(secs * NANOS_PER_SEC as f64))
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }

    /// The sum, or [`SimSpan::MAX`].
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `times` such spans one after the other, or [`SimSpan::MAX`].
    pub const fn saturating_mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }

    /// This span multiplied by `factor` and rounded to the nearest nanosecond.
    pub fn mul_f64(self, factor: f64) -> Self {
        Self(rounded(self.0 as f64 * factor))
    }

    /// Whether this is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// `nanos.round()` as an integer, halves upward, without a call into the mathematics library.
#[inline]
fn rounded(nanos: f64) -> u64 {
    // `as` saturates at both ends and maps NaN to zero; from 2^53 on nothing is left over.
    let whole = nanos as u64;
    whole.saturating_add(u64::from(nanos - whole as f64 >= 0.5))
}

impl Add<SimSpan> for SimTime {
    type Output = Self;
    fn add(self, span: SimSpan) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// The span between two instants.
///
/// # Panics
/// In debug builds, if the right-hand instant is later: that is a bug in the caller.
impl Sub for SimTime {
    type Output = SimSpan;
    fn sub(self, earlier: Self) -> SimSpan {
        debug_assert!(self.0 >= earlier.0, "time never moves backward");
        SimSpan(self.0.wrapping_sub(earlier.0))
    }
}

/// Day of the horizon and time of day, e.g. `day 12 08:30:00.250`.
impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NEVER {
            return f.write_str("never");
        }
        let (sign, nanos) = match self.0.checked_sub(Self::START.0) {
            Some(after) => ("", after),
            None => ("-", Self::START.0 - self.0),
        };
        let millis = nanos / 1_000_000;
        let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
        let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
        let (seconds, millis) = (rest / 1_000 % 60, rest % 1_000);
        write!(
            f,
            "day {sign}{days} {hours:02}:{minutes:02}:{seconds:02}.{millis:03}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_horizon_starts_on_a_monday_at_midnight() {
        assert_eq!(SimTime::START.as_nanos() % (7 * 86_400 * NANOS_PER_SEC), 0);
        assert_eq!(SimTime::START.to_string(), "day 0 00:00:00.000");
    }

    #[test]
    fn adding_past_the_end_of_the_clock_is_never() {
        assert_eq!(SimTime::START + SimSpan::MAX, SimTime::NEVER);
        assert_eq!(SimTime::NEVER + SimSpan::from_secs(1), SimTime::NEVER);
    }

    #[test]
    fn spans_round_as_the_mathematics_library_does() {
        let half = 0.5_f64;
        let mut values = vec![
            0.0,
            -0.0,
            -0.6,
            -7.5,
            1e300,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ];
        for value in [
            half,
            1.5,
            2.5,
            1e9 + half,
            4_503_599_627_370_497.0,
            9_007_199_254_740_993.0,
            1.8e19,
        ] {
            values.extend([value.next_down(), value, value.next_up()]);
        }
        for value in values {
            assert_eq!(rounded(value), value.round() as u64, "{value:e}");
        }
    }

    #[test]
    fn instants_before_the_horizon_are_written_with_a_sign() {
        assert_eq!(
            SimTime::START.before(SimSpan::from_secs(61)).to_string(),
            "day -0 00:01:01.000"
        );
        assert_eq!(
            SimTime::START
                .before(SimSpan::from_secs(2))
                .secs_in_horizon(),
            -2.0
        );
    }
}
