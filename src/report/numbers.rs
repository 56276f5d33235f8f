//! How numbers are printed: never more digits than the interval supports, in the reader's unit.
//!
//! A figure is a [`Printed`]: the value with its unit, and the interval in the same unit. Three rules:
//!
//! - The last digit printed is the first digit of the interval's half width (the second, if the
//!   first is a 1), and there are never more than four significant digits; of a share, four
//!   significant digits of its distance to 0 or 1, so that every nine is seen.
//! - What is not zero is never printed as zero, and what is not certain never as 100 %.
//! - Where nothing was seen, the bound is printed instead of the value: `< 36 s/y (95 %)`.

mod change;

pub use change::change;

use crate::experiment::outcome::Estimate;
use std::fmt;

/// Seconds in a year of 8,760 hours.
pub const YEAR_S: f64 = 31_536_000.0;

/// A figure in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// The value with its unit, e.g. `99.981 %`, or a bound, e.g. `< 36 s/y`.
    pub value: String,
    /// The interval in the same unit, e.g. `99.979 .. 99.983`; for a bound its confidence, e.g.
    /// `95 %`; empty if there is nothing to say.
    pub interval: String,
}

impl Printed {
    fn new(value: impl Into<String>, interval: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            interval: interval.into(),
        }
    }

    /// The interval for a place of its own, away from the value: a bound's confidence with a word.
    pub fn beside(&self) -> String {
        if self.interval.ends_with('%') {
            format!("bound at {}", self.interval)
        } else {
            self.interval.clone()
        }
    }

    /// What stands where a figure could not be given.
    pub fn absent() -> Self {
        Self::new("-", "")
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value)?;
        if self.interval.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.interval)
        }
    }
}

/// A share (0 to 1) as per cent with enough nines: `99.981 % (99.979 .. 99.983)`.
pub fn share(e: &Estimate) -> Printed {
    if e.value >= 1.0 {
        return if e.low >= 1.0 {
            Printed::new("100 %", "exact")
        } else if e.low > 0.0 {
            let decimals = 1 - exponent(100.0 - 100.0 * e.low);
            Printed::new(
                format!("> {} %", below(100.0 * e.low, decimals)),
                percent(e.confidence),
            )
        } else {
            Printed::new("no failure seen", "no lower bound")
        };
    }
    if e.value <= 0.0 {
        return if e.high <= 0.0 {
            Printed::new("0 %", "exact")
        } else if e.high < 1.0 {
            let decimals = 1 - exponent(100.0 * e.high);
            Printed::new(
                format!("< {} %", above(100.0 * e.high, decimals)),
                percent(e.confidence),
            )
        } else {
            Printed::new("none seen", "no upper bound")
        };
    }
    let (value, low, high) = (
        100.0 * e.value,
        100.0 * e.low.max(0.0),
        100.0 * e.high.min(1.0),
    );
    let rest = 100.0 * (1.0 - e.value);
    let near = value.min(rest);
    let places = places(near, near - value + low, near - value + high);
    let end = |x: f64| {
        let text = fixed(x, places);
        if text.parse() == Ok(100.0) {
            "100".to_owned()
        } else if text.parse() == Ok(0.0) {
            "0".to_owned()
        } else {
            text
        }
    };
    Printed::new(
        format!("{} %", fixed(value, places)),
        format!("{} .. {}", end(low), end(high)),
    )
}

/// A length of time, in seconds, in the unit its reader would use: `3.2 min (2.9 .. 3.5)`.
pub fn span(e: &Estimate) -> Printed {
    spans(e, "")
}

/// Seconds per year: `3.2 min/y (2.9 .. 3.5)`.
pub fn span_per_year(e: &Estimate) -> Printed {
    spans(e, "/y")
}

/// The value of [`span`] with at most three significant digits, where there is no room for more.
pub fn brief_span(e: &Estimate) -> String {
    if !(e.value > 0.0 && e.value.is_finite()) {
        return span(e).value;
    }
    let (size, unit) = unit_of(e.value);
    let value = e.value / size;
    let most = 2 - exponent(value);
    format!(
        "{} {unit}",
        fixed(value, places(value, e.low / size, e.high / size).min(most))
    )
}

fn spans(e: &Estimate, suffix: &str) -> Printed {
    let seen = [e.value, e.high, e.low]
        .into_iter()
        .find(|s| *s > 0.0 && s.is_finite());
    let (size, unit) = unit_of(seen.unwrap_or(0.0));
    quantity(e, size, &format!(" {unit}{suffix}"))
}

/// A number of events per year: `1.8 per year (1.6 .. 2.0)`.
pub fn per_year(e: &Estimate) -> Printed {
    quantity(e, 1.0, " per year")
}

/// A number without a unit: `1.003 (1.002 .. 1.004)`.
pub fn plain(e: &Estimate) -> Printed {
    quantity(e, 1.0, "")
}

/// A number that cannot be negative, in units of `size`.
fn quantity(e: &Estimate, size: f64, unit: &str) -> Printed {
    let (value, low, high) = (e.value / size, e.low / size, e.high / size);
    if value == 0.0 {
        return if high == 0.0 {
            Printed::new("none", "")
        } else if high.is_finite() {
            let bound = above(high, 1 - exponent(high));
            Printed::new(format!("< {bound}{unit}"), percent(e.confidence))
        } else {
            Printed::new("none seen", "no upper bound")
        };
    }
    if !value.is_finite() {
        let bound = below(low, 1 - exponent(low));
        return Printed::new(format!("> {bound}{unit}"), percent(e.confidence));
    }
    let places = places(value, low, high);
    let low = if low.is_finite() {
        fixed(low, places)
    } else {
        "no lower bound".to_owned()
    };
    let high = if high.is_finite() {
        fixed(high, places)
    } else {
        "no upper bound".to_owned()
    };
    Printed::new(
        format!("{}{unit}", fixed(value, places)),
        format!("{low} .. {high}"),
    )
}

/// A length of time that is known, in seconds, to three significant digits: `90 s`, `1.5 h`, `1 y`.
pub fn exact_span(seconds: f64) -> String {
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    if !seconds.is_finite() {
        return "for ever".to_owned();
    }
    // A whole number of a larger unit is said in that unit: 1 min, not 60 s.
    let whole = |size: f64, most: f64| seconds % size == 0.0 && seconds <= most * size;
    let (size, unit) = if whole(YEAR_S, f64::INFINITY) {
        (YEAR_S, "y")
    } else if whole(3_600.0, 47.0) {
        (3_600.0, "h")
    } else if whole(60.0, 119.0) {
        (60.0, "min")
    } else {
        unit_of(seconds)
    };
    format!("{} {unit}", significant(seconds / size, 3))
}

/// A length of time to two significant digits, for differences: `12 min`.
pub fn short_span(seconds: f64) -> String {
    let (size, unit) = unit_of(seconds);
    format!("{} {unit}", significant(seconds / size, 2))
}

/// An amount of money: `1,240 EUR`, `12.50 EUR`; the currency may be empty.
pub fn money(amount: f64, currency: &str) -> String {
    let places = if amount.fract() == 0.0 || amount.abs() >= 10_000.0 {
        0
    } else {
        2
    };
    format!("{} {currency}", fixed(amount, places))
        .trim_end()
        .to_owned()
}

/// A share that is known, to three significant digits of its distance to 0 or 1: `99.95 %`.
pub fn exact_share(share: f64) -> String {
    format!("{} %", percent_digits(share))
}

/// A part of a whole, for people: `42 %`, `3.1 %`, `< 0.1 %`.
pub fn part(share: f64) -> String {
    match 100.0 * share {
        p if p <= 0.0 => "0 %".to_owned(),
        p if p < 0.1 => "< 0.1 %".to_owned(),
        p if p < 9.95 => format!("{p:.1} %"),
        // Only the whole is 100 %.
        p if p < 100.0 => format!("{:.0} %", p.min(99.0)),
        _ => "100 %".to_owned(),
    }
}

/// A difference of two shares in percentage points, two significant digits: `0.031 pp`.
pub fn points(difference: f64) -> String {
    format!("{} pp", significant(100.0 * difference.abs(), 2))
}

/// A whole number with thousands separators: `12,614,400`.
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// A number of things: `1 outage`, `1,024 histories`.
pub fn plural(n: u64, noun: &str) -> String {
    let noun = match noun.strip_suffix('y') {
        _ if n == 1 => noun.to_owned(),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if noun.ends_with('s') => format!("{noun}es"),
        _ => format!("{noun}s"),
    };
    format!("{} {noun}", count(n))
}

/// A confidence as per cent, as short as possible: `95 %`, `99.17 %`.
pub fn percent(confidence: f64) -> String {
    format!("{} %", trimmed(format!("{:.2}", 100.0 * confidence)))
}

/// `value` to `digits` significant digits, without trailing zeros, with thousands separators.
pub fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return trimmed(format!("{value}"));
    }
    trimmed(fixed(value, digits - 1 - exponent(value)))
}

fn percent_digits(share: f64) -> String {
    let value = 100.0 * share;
    let near = value.min(100.0 - value);
    if near <= 0.0 {
        return trimmed(format!("{value}"));
    }
    trimmed(fixed(value, 2 - exponent(near)))
}

/// The unit for a length of time, with its size in seconds.
fn unit_of(seconds: f64) -> (f64, &'static str) {
    match seconds.abs() {
        s if s < 0.000_999_5 => (0.000_001, "µs"),
        s if s < 0.999_5 => (0.001, "ms"),
        s if s < 119.5 => (1.0, "s"),
        s if s < 119.5 * 60.0 => (60.0, "min"),
        s if s < 47.95 * 3_600.0 => (3_600.0, "h"),
        s if s < 2.0 * YEAR_S => (86_400.0, "d"),
        _ => (YEAR_S, "y"),
    }
}

/// The power of ten of the leading digit; 0 for zero.
fn exponent(value: f64) -> i32 {
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    // The difference of two shares is a little off a power of ten that it should be.
    (value.abs().log10() + 1e-9).floor() as i32
}

/// Decimals for `value` with the interval `low..high`; negative: rounded to tens, hundreds, ...
///
/// `value` must not be zero.
fn places(value: f64, low: f64, high: f64) -> i32 {
    let half = match (low.is_finite(), high.is_finite()) {
        (true, true) => (high - low) / 2.0,
        (true, false) => value - low,
        (false, true) => high - value,
        (false, false) => 0.0,
    };
    let first = -exponent(value);
    let most = first + 3;
    if half <= value.abs() * 1e-12 {
        return most.min(first + 2);
    }
    // One digit more behind a leading 1, where rounding would move the end by up to a half.
    let lead = half / 10_f64.powi(exponent(half));
    let supported = -exponent(half) + i32::from(lead < 1.95);
    supported.clamp(first, most)
}

/// `value` rounded to `places` decimals, or to tens, hundreds, ..., with thousands separators.
fn fixed(value: f64, places: i32) -> String {
    let text = match usize::try_from(places) {
        Ok(decimals) => format!("{value:.decimals$}"),
        Err(_) => {
            let step = 10_f64.powi(-places);
            format!("{:.0}", (value / step).round() * step)
        }
    };
    grouped(
        text.strip_prefix('-')
            .filter(|t| t.bytes().all(|b| b"0.".contains(&b)))
            .unwrap_or(&text),
    )
}

/// `value` rounded down to `places` decimals; a step is left for the noise of binary fractions.
fn below(value: f64, places: i32) -> String {
    let step = 10_f64.powi(places);
    fixed((value * step * (1.0 + 1e-12)).floor() / step, places)
}

/// `value` rounded up to `places` decimals.
fn above(value: f64, places: i32) -> String {
    let step = 10_f64.powi(places);
    fixed((value * step * (1.0 - 1e-12)).ceil() / step, places)
}

/// Without trailing zeros behind the point.
fn trimmed(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// With a comma between every three digits before the point.
fn grouped(text: &str) -> String {
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut out = sign.to_owned();
    for (i, digit) in digits.char_indices() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests;
