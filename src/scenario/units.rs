//! Quantities with units as a file writes them: `30s`, `1h30m`, `99.95%`, `400/s`, `20:00`.
//!
//! Decimal texts are read as decimal numbers, in integers: `0.1s` is 100,000,000 ns and `99.95%` is
//! the double nearest to 0.9995, not a product of two rounded numbers.

use super::limits;
use super::place::quoted;
use crate::time::{NANOS_PER_SEC, SimSpan};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Units of time with their nanoseconds. A month is 730 h and a year 8760 h, as in tables of
/// availability.
const UNITS: &[(&str, u128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
    ("mo", 2_628_000_000_000_000),
    ("y", 31_536_000_000_000_000),
];

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    nanos: u128,
}

/// A share, written as per cent; 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Percent(pub(super) f64);

/// Events per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rate(pub(super) f64);

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeOfDay(pub(super) SimSpan);

/// A time of day, of one weekday if it has one (0: Monday).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WeekTime {
    pub(super) day: Option<u64>,
    pub(super) time: SimSpan,
}

impl Span {
    /// Seconds; exact for whole seconds.
    pub(super) fn secs(self) -> f64 {
        let second = u128::from(NANOS_PER_SEC);
        (self.nanos / second) as f64 + (self.nanos % second) as f64 / NANOS_PER_SEC as f64
    }

    /// As a fixed span; `None` beyond the clock.
    pub(super) fn fixed(self) -> Option<SimSpan> {
        (self.nanos <= limits::YEARS * 31_536_000_000_000_000)
            .then(|| SimSpan::from_nanos(u64::try_from(self.nanos).unwrap_or(u64::MAX)))
    }

    /// Whether it is no time at all.
    pub(super) fn is_zero(self) -> bool {
        self.nanos == 0
    }
}

/// What is wrong with a quantity, and in a second line what to write.
pub(super) type Wrong = String;

/// An unsigned decimal number at the head of `text`: digits, number of decimals, and the rest.
fn decimal(text: &str) -> Option<(u128, u32, &str)> {
    let end = text
        .find(|ch: char| !ch.is_ascii_digit() && ch != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    // 18 digits and 12 decimals, so that nothing below can overflow 128 bits.
    let fits = !whole.is_empty() && whole.len() <= 18 && decimals.len() <= 12;
    if !fits || decimals.contains('.') || number.ends_with('.') {
        return None;
    }
    let digits = format!("{whole}{decimals}").parse().ok()?;
    Some((digits, decimals.len() as u32, rest))
}

/// Reads a length of time.
pub(super) fn span(text: &str) -> Result<Span, Wrong> {
    const LIKE: &str = "write a number with a unit, such as 250ms, 1h30m or 0.5d (units: ns us ms s m min h d w mo y)";
    let wrong = || format!("{} is no length of time\n{LIKE}", quoted(text));
    if text.starts_with('-') {
        return Err(format!("{} is negative\n{LIKE}", quoted(text)));
    }
    let mut rest = text;
    let mut nanos = 0_u128;
    let mut last = u128::MAX;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let (digits, decimals, after) = decimal(rest).ok_or_else(wrong)?;
        let after = after.strip_prefix(' ').unwrap_or(after);
        let end = after
            .find(|ch: char| !ch.is_alphabetic())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        if unit.is_empty() && !after.is_empty() {
            return Err(wrong());
        }
        if unit.is_empty() {
            return Err(format!(
                "{} has no unit\n{}",
                quoted(text),
                if digits == 0 {
                    "write 0s".into()
                } else {
                    format!("{}s or {}ms? {LIKE}", text.trim(), text.trim())
                }
            ));
        }
        if unit == "M" {
            return Err("the unit `M` could be minutes or months\nwrite `m` or `min` for minutes, `mo` for months".into());
        }
        let Some(&(_, size)) = UNITS.iter().find(|&&(name, _)| name == unit) else {
            return Err(format!("{} is no unit of time\n{LIKE}", quoted(unit)));
        };
        if size >= last {
            return Err(format!(
                "{}: the parts of a time go from long to short, each unit once\n{LIKE}",
                quoted(text)
            ));
        }
        last = size;
        let scale = 10_u128.pow(decimals);
        let product = digits.checked_mul(size).ok_or_else(wrong)?;
        nanos += (product + scale / 2) / scale;
        if digits > 0 && product * 2 < scale {
            return Err(format!(
                "{} is less than half a nanosecond\nwrite 0s if you mean no time",
                quoted(text)
            ));
        }
        rest = next.strip_prefix(' ').unwrap_or(next);
    }
    Ok(Span { nanos })
}

/// Reads a percentage from 0 to 100 as a share.
pub(super) fn percent(text: &str) -> Result<Percent, Wrong> {
    let wrong = || format!("{} is no percentage such as 99.95%", quoted(text));
    let Some(number) = text.strip_suffix('%') else {
        return Err(match text.parse::<f64>() {
            Ok(share) if (0.0..=1.0).contains(&share) => {
                format!("{}\nwrite {}%", wrong(), decimal_shift(text))
            }
            Ok(_) => format!("{}\nwrite {text}%", wrong()),
            Err(_) => wrong(),
        });
    };
    let number = number.trim_end();
    if number.starts_with('-') {
        return Err(format!("{} is less than 0%", quoted(text)));
    }
    let Some((_, _, "")) = decimal(number) else {
        return Err(wrong());
    };
    // One rounding, by the parser of decimal numbers.
    let share: f64 = format!("{number}e-2").parse().map_err(|_| wrong())?;
    if share > 1.0 {
        Err(format!("{} is more than 100%", quoted(text)))
    } else {
        Ok(Percent(share))
    }
}

/// Reads a plain number: digits, with a sign, decimals or a power of ten where needed.
pub(super) fn number(text: &str) -> Result<f64, Wrong> {
    let begins = text.strip_prefix('-').unwrap_or(text);
    let begins = begins.starts_with(|ch: char| ch.is_ascii_digit());
    let numeric = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
    match text.parse::<f64>() {
        Ok(number) if begins && text.bytes().all(numeric) && number.is_finite() => Ok(number),
        _ => Err(format!("{} is no plain number", quoted(text))),
    }
}

/// Reads a weight, a number or a percentage, of which only proportions count.
pub(super) fn weight(text: &str) -> Result<f64, Wrong> {
    let wrong = || {
        format!(
            "{} is no weight\nwrite a number or a percentage, 0 or more, such as 3 or 40%",
            quoted(text)
        )
    };
    if text.starts_with('-') {
        return Err(format!(
            "a weight of {} is negative\nnothing comes less often than never: write 0 or more",
            quoted(text)
        ));
    }
    let number = text.strip_suffix('%').map(str::trim_end);
    let Some((_, _, "")) = decimal(number.unwrap_or(text)) else {
        return Err(wrong());
    };
    match number {
        Some(number) => format!("{number}e-2").parse().map_err(|_| wrong()),
        None => text.parse().map_err(|_| wrong()),
    }
}

/// `text`, a number from 0 to 1, times 100, without the noise of binary fractions.
fn decimal_shift(text: &str) -> String {
    let per_cent = text.parse::<f64>().unwrap_or(0.0) * 100.0;
    ((per_cent * 1e9).round() / 1e9).to_string()
}

/// Reads a number of events in a unit of time as events per second.
pub(super) fn rate(text: &str) -> Result<Rate, Wrong> {
    let wrong = || {
        format!(
            "{} is no rate\nwrite a number per unit of time, such as 400/s, 3/min or 0.5/h",
            quoted(text)
        )
    };
    let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
    let (number, unit) = (number.trim(), unit.trim());
    if number.starts_with('-') {
        return Err(format!("{} is negative", quoted(text)));
    }
    let Some((_, _, "")) = decimal(number) else {
        return Err(wrong());
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    if unit == "M" {
        return Err("the unit `M` could be minutes or months\nwrite `min` or `mo`".into());
    }
    let &(_, nanos) = UNITS
        .iter()
        .find(|&&(name, _)| name == unit)
        .ok_or_else(wrong)?;
    let per_second = if nanos >= 1_000_000_000 {
        number / (nanos / 1_000_000_000) as f64
    } else {
        number * (1_000_000_000 / nanos) as f64
    };
    Ok(Rate(per_second))
}

/// Reads a time of day, `00:00` to `23:59`, with seconds if need be.
pub(super) fn time_of_day(text: &str) -> Result<TimeOfDay, Wrong> {
    let wrong = || {
        format!(
            "{} is no time of day\nwrite it from \"00:00\" to \"23:59\", such as \"20:00\"",
            quoted(text)
        )
    };
    let part = |text: &str, below: u64| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>()
            .ok()
            .filter(|&number| digits && number < below)
    };
    let parts: Vec<&str> = text.split(':').collect();
    let secs = match parts.as_slice() {
        [hours, minutes] => part(hours, 24)
            .zip(part(minutes, 60))
            .map(|(h, m)| h * 3_600 + m * 60),
        [hours, minutes, seconds] => part(hours, 24)
            .zip(part(minutes, 60))
            .zip(part(seconds, 60))
            .map(|((h, m), s)| h * 3_600 + m * 60 + s),
        _ => None,
    };
    secs.map(|secs| TimeOfDay(SimSpan::from_secs(secs)))
        .ok_or_else(wrong)
}

/// The days of a week as a file names them.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Reads a time of day with or without a weekday.
pub(super) fn week_time(text: &str) -> Result<WeekTime, Wrong> {
    let wrong = || {
        format!(
            "{} is no time\nwrite a time of day, such as \"03:00\", or a weekday with it, such as \"Sun 03:00\" (days: {})",
            quoted(text),
            DAYS.join(" ")
        )
    };
    let (day, time) = match text.split_once(' ') {
        None => (None, text),
        Some((day, time)) => {
            let day = DAYS.iter().position(|&name| name == day);
            (Some(day.ok_or_else(wrong)? as u64), time.trim_start())
        }
    };
    let TimeOfDay(time) = time_of_day(time).map_err(|_| wrong())?;
    Ok(WeekTime { day, time })
}

/// Reads a quantity with serde: the text as it stands, through its own function.
macro_rules! quantity {
    ($type:ident, $read:ident, $expected:literal, $pattern:expr, $about:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$type, E> {
                        $read(text).map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Text)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "description": $about, "type": "string", "pattern": $pattern })
            }
        }
    };
}

/// What [`span`] accepts, as far as a regular expression can say it, or a range of it.
pub(super) const SPAN_PATTERN: &str = "^[0-9]+(\\.[0-9]+)? ?(ns|us|ms|s|m|min|h|d|w|mo|y)( ?[0-9]+(\\.[0-9]+)? ?(ns|us|ms|s|m|min|h|d|w|mo|y))*( ?\\.\\. ?[0-9]+(\\.[0-9]+)? ?(ns|us|ms|s|m|min|h|d|w|mo|y)( ?[0-9]+(\\.[0-9]+)? ?(ns|us|ms|s|m|min|h|d|w|mo|y))*)?$";
/// What [`percent`] accepts, or a range of it.
const PERCENT_PATTERN: &str =
    "^(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?) ?%( ?\\.\\. ?(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?) ?%)?$";
/// What [`rate`] accepts, or a range of it.
const RATE_PATTERN: &str = "^[0-9]+(\\.[0-9]+)? ?/ ?(ns|us|ms|s|m|min|h|d|w|mo|y)( ?\\.\\. ?[0-9]+(\\.[0-9]+)? ?/ ?(ns|us|ms|s|m|min|h|d|w|mo|y))?$";

quantity!(
    Span,
    span,
    "a length of time such as 30s",
    SPAN_PATTERN,
    "A length of time: a number with a unit, such as `250ms`, `1h30m` or `0.5d`. Units: ns us ms s m min h d w mo (730 h) y (8760 h). What is not known may be a range, `10m..2h`."
);
quantity!(
    Percent,
    percent,
    "a percentage such as 99.95%",
    PERCENT_PATTERN,
    "A percentage from 0% to 100%, such as `99.95%`. What is not known may be a range, `0.5%..2%`."
);
quantity!(
    Rate,
    rate,
    "a rate such as 400/s",
    RATE_PATTERN,
    "A number per unit of time, such as `400/s` or `3/min`. What is not known may be a range, `100/s..300/s`."
);
quantity!(
    TimeOfDay,
    time_of_day,
    "a time of day such as \"20:00\"",
    "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$",
    "A time of day, such as `\"20:00\"`."
);
quantity!(
    WeekTime,
    week_time,
    "a time such as \"Sun 03:00\"",
    "^((Mon|Tue|Wed|Thu|Fri|Sat|Sun) +)?([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$",
    "A time of day, such as `\"03:00\"`, or a weekday with it, such as `\"Sun 03:00\"`."
);

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(text: &str) -> f64 {
        span(text).expect(text).secs()
    }

    #[test]
    fn every_unit_has_its_length() {
        let expected = [
            ("1ns", 1e-9),
            ("1us", 1e-6),
            ("1ms", 1e-3),
            ("1s", 1.0),
            ("1m", 60.0),
            ("1min", 60.0),
            ("1h", 3_600.0),
            ("1d", 86_400.0),
            ("1w", 604_800.0),
            ("1mo", 2_628_000.0),
            ("1y", 31_536_000.0),
        ];
        for (text, seconds) in expected {
            assert_eq!(secs(text), seconds, "{text}");
        }
    }

    #[test]
    fn decimals_and_compounds_are_exact() {
        assert_eq!(
            span("0.1s").unwrap().fixed(),
            Some(SimSpan::from_millis(100))
        );
        assert_eq!(secs("1h30m"), 5_400.0);
        assert_eq!(secs("1d 2h 3min 4.5s"), 93_784.5);
        assert_eq!(secs("657d"), 56_764_800.0);
        assert_eq!(secs("0s"), 0.0);
        assert_eq!(secs("2.5y"), 78_840_000.0);
    }

    #[test]
    fn a_bare_number_a_bare_m_and_nonsense_are_refused_with_a_way_out() {
        assert!(
            span("30")
                .unwrap_err()
                .contains("has no unit\n30s or 30ms?")
        );
        assert!(span("5M").unwrap_err().contains("`mo` for months"));
        for text in [
            "",
            " ",
            "s",
            "1.s",
            ".5s",
            "1..2s",
            "-1s",
            "1s1s",
            "1s1h",
            "1x",
            "1e3s",
            "1h30",
            "0.0000000001ns",
            "9999999999999999999y",
            "∞",
            "1 s s",
        ] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn longer_than_the_clock_is_no_fixed_span() {
        assert!(span("500y").unwrap().fixed().is_some());
        assert_eq!(span("501y").unwrap().fixed(), None);
        assert_eq!(secs("1000000y"), 31_536_000_000_000.0);
    }

    #[test]
    fn a_percentage_is_the_nearest_double() {
        assert_eq!(percent("99.95%"), Ok(Percent(0.9995)));
        assert_eq!(percent("99.999%"), Ok(Percent(0.99999)));
        assert_eq!(percent("0%"), Ok(Percent(0.0)));
        assert_eq!(percent("100%"), Ok(Percent(1.0)));
        assert!(percent("100.1%").unwrap_err().contains("more than 100%"));
        assert!(percent("0.9995").unwrap_err().contains("write 99.95%"));
        assert!(percent("95").unwrap_err().contains("write 95%"));
        for text in ["-1%", "%", "a%", "1e1%", "nan%", "1.%"] {
            assert!(percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_is_per_second() {
        assert_eq!(rate("400/s"), Ok(Rate(400.0)));
        assert_eq!(rate("3/min"), Ok(Rate(0.05)));
        assert_eq!(rate("1/ms"), Ok(Rate(1_000.0)));
        for text in ["400", "400/", "/s", "-1/s", "4/M", "inf/s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_weekday_may_stand_before_a_time_of_day() {
        let time = SimSpan::from_secs(3 * 3_600);
        assert_eq!(week_time("03:00"), Ok(WeekTime { day: None, time }));
        let day = Some(6);
        assert_eq!(week_time("Sun 03:00"), Ok(WeekTime { day, time }));
        for text in [
            "Sun",
            "Sunday 03:00",
            "Sun 24:00",
            "sun 03:00",
            "03:00 Sun",
            "",
        ] {
            assert!(week_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_of_day_ends_before_midnight() {
        assert_eq!(
            time_of_day("20:00"),
            Ok(TimeOfDay(SimSpan::from_secs(72_000)))
        );
        assert_eq!(
            time_of_day("23:59:59"),
            Ok(TimeOfDay(SimSpan::from_secs(86_399)))
        );
        for text in ["24:00", "20:60", "8:00", "20", "20:00:00:00", "+1:00"] {
            assert!(time_of_day(text).is_err(), "{text}");
        }
    }
}
