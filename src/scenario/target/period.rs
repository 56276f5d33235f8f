//! Targets on periods of a history: `availability over 30d`, `probability(downtime over rolling 7d > 1h)`.

use super::{Bound, Known, WrongTarget, owned, without_planned};
use crate::model::{Counted, Measure, Metric, Over, PeriodBound, Source};
use crate::scenario::limits;
use crate::scenario::place::quoted;
use crate::scenario::units::{self, Percent};
use crate::time::SimSpan;

const LIKE: &str = "write it as `probability(downtime > 4h) <= 5%`, `probability(availability < 99.9%) <= 5%` or, of periods, `probability(availability over 30d < 99.9%) <= 5%`";

const CAN: &str = "availability, availability.full, <workload>.availability, <workload>.<journey>.availability, availability.time, structural.availability, downtime and structural.downtime can be asked of periods";

fn wrong(message: String, help: impl Into<String>) -> WrongTarget {
    WrongTarget {
        part: None,
        message,
        help: help.into(),
    }
}

fn measure(name: &str, known: &Known) -> Option<Measure> {
    Some(match name {
        "availability" => Measure::Requests(Counted::ALL),
        "availability.full" => Measure::Requests(Counted {
            full: true,
            ..Counted::ALL
        }),
        "availability.time" => Measure::Time,
        "structural.availability" => Measure::Structure,
        "downtime" => Measure::Downtime,
        "structural.downtime" => Measure::StructuralDowntime,
        _ => {
            let (of, _) = owned(name, known).find(|(_, rest)| *rest == "availability")?;
            Measure::Requests(Counted { of, full: false })
        }
    })
}

/// Splits `availability over rolling 30d` at its ` over `.
fn split(name: &str) -> Option<(&str, &str)> {
    let (what, over) = name.split_once(" over ")?;
    Some((what.trim(), over.trim()))
}

/// Reads `30d` or `rolling 30d`.
fn over(text: &str, measure: Measure, known: &Known) -> Result<Over, WrongTarget> {
    let rolling = text
        .strip_prefix("rolling")
        .filter(|rest| rest.starts_with(' '));
    let length = rolling.unwrap_or(text).trim();
    let span = units::span(length).map_err(|error| {
        let (message, help) = error.split_once('\n').unwrap_or((error.as_str(), ""));
        let help = if help.is_empty() {
            "write a length such as `over 30d` or `over rolling 30d`"
        } else {
            help
        };
        wrong(message.to_owned(), help)
    })?;
    let length_s = quoted(length);
    let Some(length) = span.fixed().filter(|span| *span <= known.horizon) else {
        return Err(wrong(
            format!("periods of {length_s} are longer than the horizon"),
            "shorten them, or lengthen `run.horizon`: only whole periods are judged",
        ));
    };
    if length.is_zero() {
        return Err(wrong(
            "periods of no time at all".to_owned(),
            "write a length such as `over 30d`",
        ));
    }
    if known.horizon.as_nanos() / length.as_nanos() > limits::PERIODS {
        return Err(wrong(
            format!(
                "there are more than {} periods of {length_s} in the horizon",
                limits::PERIODS
            ),
            "take longer periods",
        ));
    }
    // Unless it is stated, a slice is a second, ten, or a minute.
    let slice = known.slice.unwrap_or(SimSpan::from_secs(60));
    let whole = length.as_nanos().is_multiple_of(slice.as_nanos());
    if measure.source() != Source::Structure && !whole {
        let of = match known.slice {
            Some(_) => "slices",
            None => "minutes",
        };
        return Err(wrong(
            format!("periods of {length_s} are no whole {of}"),
            "requests are counted by slices, and a period has whole ones; `run.slice` sets their length",
        ));
    }
    Ok(if rolling.is_some() {
        Over::Rolling(length)
    } else {
        Over::Calendar(length)
    })
}

/// `availability over 30d`, whose bound is still to be read; `None` if no period is named.
pub(super) fn plain(name: &str, known: &Known) -> Option<Result<(Metric, Bound), WrongTarget>> {
    let (what, length) = split(name)?;
    let read = || {
        let Some(measure) = measure(what, known) else {
            return Err(wrong(
                format!("{} cannot be asked of periods", quoted(what)),
                CAN,
            ));
        };
        let metric = Metric::Periods(PeriodBound {
            measure,
            over: over(length, measure, known)?,
            excluding_planned: false,
            bound: 0.0,
        });
        let bound = if measure.is_share() {
            Bound::Availability
        } else {
            Bound::Span
        };
        Ok((metric, bound))
    };
    Some(read())
}

/// What stands inside and after the brackets of `probability(...)`.
pub(super) fn probability(
    name: &str,
    inside: &str,
    known: &Known,
) -> Result<(Metric, Bound), WrongTarget> {
    let unclear = || wrong(format!("{} is not understood", quoted(name)), LIKE);
    let inside = inside.strip_suffix(')').ok_or_else(unclear)?;
    let at = inside.find(['<', '>', '=']).ok_or_else(unclear)?;
    let (what, rest) = inside.split_at(at);
    let sign_end = rest
        .find(|ch: char| !matches!(ch, '<' | '>' | '='))
        .ok_or_else(unclear)?;
    let (sign, value) = (&rest[..sign_end], rest[sign_end..].trim());
    let (what, excluding_planned) = without_planned(what.trim());
    let (what, length) = match split(what) {
        Some((what, length)) => (what, Some(length)),
        None => (what, None),
    };
    let Some(measure) = measure(what, known) else {
        let help = if what.starts_with("latency") || what.starts_with("outages") {
            CAN
        } else {
            LIKE
        };
        return Err(wrong(
            format!("there is no probability of {}", quoted(what)),
            help,
        ));
    };
    let (wanted, of) = if measure.is_share() {
        ("<", "too little availability")
    } else {
        (">", "too much downtime")
    };
    if sign != wanted {
        return Err(wrong(
            format!("{} asks for the probability of {of}", quoted(name)),
            format!("write `{wanted}` inside the brackets: what is just reached is kept"),
        ));
    }
    let over = match length {
        Some(length) => over(length, measure, known)?,
        None => Over::History,
    };
    let first = |error: String| wrong(error.lines().next().unwrap_or_default().to_owned(), LIKE);
    let bound = if measure.is_share() {
        let Percent(share) = units::percent(value).map_err(first)?;
        share
    } else {
        let length = units::span(value).map_err(first)?;
        let fixed = length.fixed().ok_or_else(|| {
            let message = format!("{} is longer than any horizon", quoted(value));
            wrong(message, LIKE)
        })?;
        match (measure, over, excluding_planned) {
            (Measure::Downtime, Over::History, false) => {
                return Ok((Metric::DowntimeExceeds(fixed), Bound::Probability));
            }
            (Measure::StructuralDowntime, Over::History, false) => {
                return Ok((Metric::StructuralDowntimeExceeds(fixed), Bound::Probability));
            }
            _ => fixed.as_secs_f64(),
        }
    };
    let metric = Metric::Periods(PeriodBound {
        measure,
        over,
        excluding_planned,
        bound,
    });
    Ok((metric, Bound::Probability))
}
