//! Targets: `<metric> >= <bound>` or `<metric> <= <bound>`.

use super::place::quoted;
use super::suggest::nearest;
use super::units::{self, Percent};
use crate::ids::{JourneyId, WorkloadId};
use crate::model::{Method, Metric, Population, Relation};
use std::ops::Range;

/// What an editor shows beside a target.
pub(super) const ABOUT: &str = "A condition on a metric; it must hold with statistical confidence.\n\nAvailability, at least: `availability`, `availability.full`, `availability.time`, `structural.availability`, `<workload>.availability`, `<workload>.<journey>.availability` (`>= 99.95%`).\nMean per year, at most: `downtime`, `structural.downtime` (`<= 4h`), `outages`, `structural.outages` (`<= 2`).\nLatency, at most: `latency.p50`, `.p90`, `.p95`, `.p99`, `.p999`, also after `<workload>.` or `<workload>.<journey>.` (`<= 300ms`); a failed request counts as later than any bound.\nRisk, at most: `probability(downtime > 4h)`, `probability(structural.downtime > 4h)` (`<= 5%`), of one history.\n\nAvailability and downtime may be followed by `excluding planned`: what is due to planned work is left out (`availability excluding planned >= 99.9%`).";

/// What targets can speak about.
pub(super) struct Known {
    pub(super) workloads: Vec<(String, WorkloadId)>,
    pub(super) journeys: Vec<(String, JourneyId)>,
    pub(super) method: Option<Method>,
}

/// What is wrong with a target, and in which part of its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrongTarget {
    pub(super) part: Option<Range<usize>>,
    pub(super) message: String,
    pub(super) help: String,
}

const LIKE: &str = "write a metric, `>=` or `<=`, and a bound, such as `availability >= 99.95%`";

/// How a bound is written, and on which side of it a metric is good.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// At least so much per cent.
    Availability,
    /// At most so much per cent.
    Probability,
    /// At most so long.
    Span,
    /// At most so many.
    Number,
}

const QUANTILES: &[(&str, f64)] = &[
    ("p50", 0.5),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p999", 0.999),
    ("p99.9", 0.999),
];

/// A target as it was understood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Parsed {
    pub(super) metric: Metric,
    pub(super) excluding_planned: bool,
    pub(super) relation: Relation,
    pub(super) bound: f64,
}

/// Takes ` excluding planned` from the end of a metric's name.
fn without_planned(name: &str) -> (&str, bool) {
    let stripped = name
        .strip_suffix("planned")
        .map(str::trim_end)
        .and_then(|rest| rest.strip_suffix("excluding"))
        .filter(|rest| rest.ends_with(' '));
    stripped.map_or((name, false), |rest| (rest.trim_end(), true))
}

/// Reads a target.
pub(super) fn parse(text: &str, known: &Known) -> Result<Parsed, WrongTarget> {
    let wrong = |part: Option<Range<usize>>, message: String, help: String| WrongTarget {
        part,
        message,
        help,
    };
    // The comparison inside `probability(...)` is not the target's.
    let from = if text.trim_start().starts_with("probability") {
        text.find(')').unwrap_or(0)
    } else {
        0
    };
    let is_sign = |ch: char| matches!(ch, '<' | '>' | '=' | '!' | '≥' | '≤');
    let Some(at) = text[from..].find(is_sign).map(|at| from + at) else {
        return Err(wrong(
            None,
            format!("{} compares nothing", quoted(text)),
            LIKE.into(),
        ));
    };
    let after = text[at..]
        .find(|ch: char| !is_sign(ch))
        .map_or(text.len(), |end| at + end);
    let relation = match &text[at..after] {
        ">=" | "≥" => Relation::AtLeast,
        "<=" | "≤" => Relation::AtMost,
        sign => {
            let help = match sign {
                ">" => "write `>=`: a bound that is just reached is met".into(),
                "<" => "write `<=`: a bound that is just reached is met".into(),
                "=>" => "write `>=`".into(),
                "=<" => "write `<=`".into(),
                _ => LIKE.into(),
            };
            return Err(wrong(
                Some(at..after),
                format!("{} is no comparison of targets", quoted(sign)),
                help,
            ));
        }
    };
    let part = |slice: &str| {
        let start = slice.as_ptr() as usize - text.as_ptr() as usize;
        start..start + slice.len()
    };
    let name = text[..at].trim();
    let value = text[after..].trim();
    if name.is_empty() || value.is_empty() {
        return Err(wrong(
            None,
            format!("{} is incomplete", quoted(text)),
            LIKE.into(),
        ));
    }
    let whole = name;
    let (name, excluding_planned) = without_planned(name);
    let (metric, kind) = metric(name, known).map_err(|mut error| {
        error.part = Some(part(name));
        error
    })?;
    if excluding_planned && !can_exclude_planned(metric) {
        return Err(wrong(
            Some(part(whole)),
            format!("{} cannot leave out what is planned", quoted(name)),
            "availability, availability.full, availability.time, structural.availability, downtime, structural.downtime, <workload>.availability and <workload>.<journey>.availability can".into(),
        ));
    }
    let structural = matches!(
        metric,
        Metric::StructuralAvailability
            | Metric::StructuralDowntime
            | Metric::StructuralOutages
            | Metric::StructuralDowntimeExceeds(_)
    );
    if !structural && known.workloads.is_empty() {
        return Err(wrong(
            Some(part(name)),
            format!("{} counts requests, and the file states no workload", quoted(name)),
            "state a `workload`, or use structural.availability, structural.downtime, structural.outages or probability(structural.downtime > 4h)".into(),
        ));
    }
    if !structural && known.method == Some(Method::None) {
        return Err(wrong(
            Some(part(name)),
            format!(
                "{} counts requests, and `method: none` simulates no request",
                quoted(name)
            ),
            "remove `method: none`, or use a structural metric".into(),
        ));
    }
    let good = if kind == Bound::Availability {
        Relation::AtLeast
    } else {
        Relation::AtMost
    };
    if relation != good {
        let (word, sign) = if good == Relation::AtLeast {
            ("at least", ">=")
        } else {
            ("at most", "<=")
        };
        return Err(wrong(
            Some(at..after),
            format!("{} must be {word} something", quoted(name)),
            format!("write `{sign}`"),
        ));
    }
    let bound = match kind {
        Bound::Availability | Bound::Probability => {
            units::percent(value).map(|Percent(share)| share)
        }
        Bound::Span => units::span(value).map(units::Span::secs),
        Bound::Number => match value.parse::<f64>() {
            Ok(number)
                if number.is_finite()
                    && number >= 0.0
                    && value.bytes().all(|b| b.is_ascii_digit() || b == b'.') =>
            {
                Ok(number)
            }
            _ => Err(format!(
                "{} is no number of outages\nwrite a plain number per year, such as 2 or 0.5",
                quoted(value)
            )),
        },
    };
    let bound = bound.map_err(|error| {
        let (message, help) = error.split_once('\n').unwrap_or((error.as_str(), LIKE));
        wrong(Some(part(value)), message.to_owned(), help.to_owned())
    })?;
    Ok(Parsed {
        metric,
        excluding_planned,
        relation,
        bound,
    })
}

/// Whether seconds or requests are measured, so that some of them can be left out.
fn can_exclude_planned(metric: Metric) -> bool {
    match metric {
        Metric::Availability(_)
        | Metric::FullAvailability
        | Metric::TimeAvailability
        | Metric::StructuralAvailability
        | Metric::Downtime
        | Metric::StructuralDowntime => true,
        Metric::Outages
        | Metric::StructuralOutages
        | Metric::Latency { .. }
        | Metric::DowntimeExceeds(_)
        | Metric::StructuralDowntimeExceeds(_) => false,
    }
}

fn metric(name: &str, known: &Known) -> Result<(Metric, Bound), WrongTarget> {
    let found = match name {
        "availability.full" => Some((Metric::FullAvailability, Bound::Availability)),
        "availability.time" => Some((Metric::TimeAvailability, Bound::Availability)),
        "structural.availability" => Some((Metric::StructuralAvailability, Bound::Availability)),
        "downtime" => Some((Metric::Downtime, Bound::Span)),
        "structural.downtime" => Some((Metric::StructuralDowntime, Bound::Span)),
        "outages" => Some((Metric::Outages, Bound::Number)),
        "structural.outages" => Some((Metric::StructuralOutages, Bound::Number)),
        _ => of_requests(name, Population::All),
    };
    if let Some(found) = found {
        return Ok(found);
    }
    if let Some(inside) = name
        .strip_prefix("probability")
        .map(str::trim_start)
        .and_then(|rest| rest.strip_prefix('('))
    {
        return probability(name, inside);
    }
    // A journey's name may itself have dots: the longest name that fits is meant.
    let journeys = known
        .journeys
        .iter()
        .map(|(name, id)| (name, Population::Journey(*id)));
    let workloads = known
        .workloads
        .iter()
        .map(|(name, id)| (name, Population::Workload(*id)));
    let mut owners: Vec<(&String, Population)> = journeys.chain(workloads).collect();
    owners.sort_by_key(|(owner, _)| std::cmp::Reverse(owner.len()));
    for (owner, population) in owners {
        let rest = name
            .strip_prefix(owner.as_str())
            .and_then(|rest| rest.strip_prefix('.'));
        if let Some(found) = rest.and_then(|rest| of_requests(rest, population)) {
            return Ok(found);
        }
    }
    let all = all_metrics(known);
    let mut help = match nearest(name, all.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {}? ", quoted(near)),
        None => String::new(),
    };
    if name.contains(" over ") {
        help = "targets over windows are not supported by this version. ".into();
    }
    help.push_str("metrics: availability, availability.full, availability.time, structural.availability, downtime, structural.downtime, outages, structural.outages, latency.p50|p90|p95|p99|p999, <workload>.availability, <workload>.<journey>.availability, the same with .latency.p99, probability(downtime > 4h), probability(structural.downtime > 4h); availability and downtime also with `excluding planned`");
    Err(WrongTarget {
        part: None,
        message: format!("unknown metric {}", quoted(name)),
        help,
    })
}

/// Metrics of requests, which every population has.
fn of_requests(name: &str, population: Population) -> Option<(Metric, Bound)> {
    if name == "availability" {
        return Some((Metric::Availability(population), Bound::Availability));
    }
    let quantile = name.strip_prefix("latency.")?;
    let &(_, quantile) = QUANTILES.iter().find(|&&(name, _)| name == quantile)?;
    Some((
        Metric::Latency {
            population,
            quantile,
        },
        Bound::Span,
    ))
}

fn probability(name: &str, inside: &str) -> Result<(Metric, Bound), WrongTarget> {
    let wrong = |message: String| {
        WrongTarget {
        part: None,
        message,
        help: "write it as `probability(downtime > 4h) <= 5%` or `probability(structural.downtime > 4h) <= 5%`".into(),
    }
    };
    let unclear = || wrong(format!("{} is not understood", quoted(name)));
    let inside = inside.strip_suffix(')').ok_or_else(unclear)?;
    let (what, span) = inside.split_once('>').ok_or_else(unclear)?;
    let span = span.trim();
    let length = units::span(span)
        .map_err(|error| wrong(error.lines().next().unwrap_or_default().to_owned()))?;
    let length = length
        .fixed()
        .ok_or_else(|| wrong(format!("{} is longer than any horizon", quoted(span))))?;
    match what.trim() {
        "downtime" => Ok((Metric::DowntimeExceeds(length), Bound::Probability)),
        "structural.downtime" => Ok((
            Metric::StructuralDowntimeExceeds(length),
            Bound::Probability,
        )),
        other => Err(wrong(format!(
            "there is no probability of {}",
            quoted(other)
        ))),
    }
}

/// Everything that can be named, for the nearest name.
fn all_metrics(known: &Known) -> Vec<String> {
    let mut all: Vec<String> = [
        "availability",
        "availability.full",
        "availability.time",
        "structural.availability",
        "downtime",
        "structural.downtime",
        "outages",
        "structural.outages",
    ]
    .map(str::to_owned)
    .into();
    let owners = known
        .workloads
        .iter()
        .map(|(name, _)| name)
        .chain(known.journeys.iter().map(|(name, _)| name));
    let prefixes: Vec<String> = std::iter::once(String::new())
        .chain(owners.map(|name| format!("{name}.")))
        .collect();
    for prefix in prefixes {
        if !prefix.is_empty() {
            all.push(format!("{prefix}availability"));
        }
        all.extend(
            QUANTILES
                .iter()
                .map(|(quantile, _)| format!("{prefix}latency.{quantile}")),
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;

    fn known() -> Known {
        Known {
            workloads: vec![("readers".into(), WorkloadId::from_index(0))],
            journeys: vec![
                ("readers.read".into(), JourneyId::from_index(0)),
                ("readers.app.read".into(), JourneyId::from_index(1)),
            ],
            method: None,
        }
    }

    fn check(text: &str, metric: Metric, bound: f64) {
        let found = parse(text, &known()).expect(text);
        assert_eq!((found.metric, found.bound), (metric, bound), "{text}");
    }

    fn refused(text: &str) -> WrongTarget {
        parse(text, &known()).expect_err(text)
    }

    #[test]
    fn every_kind_of_metric_is_read() {
        check(
            "availability >= 99.95%",
            Metric::Availability(Population::All),
            0.9995,
        );
        check("availability.full>=99%", Metric::FullAvailability, 0.99);
        check("availability.time >= 99%", Metric::TimeAvailability, 0.99);
        check(
            "structural.availability >= 99%",
            Metric::StructuralAvailability,
            0.99,
        );
        check("downtime <= 4h", Metric::Downtime, 14_400.0);
        check(
            "structural.downtime <= 30 min",
            Metric::StructuralDowntime,
            1_800.0,
        );
        check("outages <= 2", Metric::Outages, 2.0);
        check("structural.outages <= 0.5", Metric::StructuralOutages, 0.5);
        check(
            "probability(downtime > 4h) <= 5%",
            Metric::DowntimeExceeds(crate::time::SimSpan::from_secs(14_400)),
            0.05,
        );
        check(
            "probability(structural.downtime > 4h) <= 5%",
            Metric::StructuralDowntimeExceeds(crate::time::SimSpan::from_secs(14_400)),
            0.05,
        );
    }

    #[test]
    fn planned_work_can_be_left_out_of_seconds_and_requests() {
        for text in [
            "availability excluding planned >= 99.9%",
            "readers.read.availability  excluding  planned >= 99.9%",
            "structural.downtime excluding planned <= 1h",
        ] {
            assert!(
                parse(text, &known()).expect(text).excluding_planned,
                "{text}"
            );
        }
        assert!(
            !parse("availability >= 99.9%", &known())
                .expect("right")
                .excluding_planned
        );
        let wrong = refused("outages excluding planned <= 2");
        assert!(
            wrong.message.contains("cannot leave out"),
            "{}",
            wrong.message
        );
        assert_eq!(wrong.part, Some(0..25));
        assert!(
            refused("availability without planned >= 99%")
                .message
                .contains("unknown metric")
        );
        assert!(
            refused("excluding planned >= 99%")
                .message
                .contains("unknown metric")
        );
    }

    #[test]
    fn the_longest_name_that_fits_is_meant() {
        let journey = |index| Population::Journey(JourneyId::from_index(index));
        check(
            "readers.availability >= 99%",
            Metric::Availability(Population::Workload(WorkloadId::from_index(0))),
            0.99,
        );
        check(
            "readers.read.availability >= 99%",
            Metric::Availability(journey(0)),
            0.99,
        );
        check(
            "readers.app.read.latency.p99.9 <= 1s",
            Metric::Latency {
                population: journey(1),
                quantile: 0.999,
            },
            1.0,
        );
        check(
            "latency.p999 <= 1s",
            Metric::Latency {
                population: Population::All,
                quantile: 0.999,
            },
            1.0,
        );
    }

    #[test]
    fn a_strict_comparison_is_refused_with_the_way_out() {
        assert_eq!(
            refused("availability > 99%").help,
            "write `>=`: a bound that is just reached is met"
        );
        assert!(refused("downtime < 4h").help.contains("`<=`"));
        assert!(
            refused("availability == 99%")
                .message
                .contains("no comparison")
        );
    }

    #[test]
    fn a_wrong_direction_is_refused() {
        assert!(refused("availability <= 99%").message.contains("at least"));
        assert!(refused("downtime >= 4h").message.contains("at most"));
        assert!(
            refused("probability(downtime > 4h) >= 5%")
                .message
                .contains("at most")
        );
    }

    #[test]
    fn an_unknown_metric_gets_the_nearest_and_the_list() {
        let wrong = refused("availabilty >= 99%");
        assert!(
            wrong.help.starts_with("did you mean `availability`?"),
            "{}",
            wrong.help
        );
        assert!(wrong.help.contains("structural.outages"));
        assert_eq!(wrong.part, Some(0..11));
        assert!(
            refused("writers.read.availability >= 99%")
                .help
                .contains("readers.read.availability")
        );
    }

    #[test]
    fn a_bound_needs_its_unit() {
        assert!(refused("availability >= 0.9995").help.contains("99.95%"));
        assert!(refused("latency.p99 <= 300").message.contains("no unit"));
        assert!(refused("outages <= 2/y").help.contains("plain number"));
        for text in [
            "",
            "availability",
            "availability >=",
            ">= 99%",
            "probability(downtime) <= 5%",
            "probability(downtime > 4h <= 5%",
            "latency.p42 <= 1s",
        ] {
            refused(text);
        }
    }

    #[test]
    fn metrics_of_requests_need_requests() {
        let nobody = Known {
            workloads: vec![],
            journeys: vec![],
            method: None,
        };
        assert!(
            parse("availability >= 99%", &nobody)
                .expect_err("no workload")
                .message
                .contains("no workload")
        );
        assert!(parse("structural.availability >= 99%", &nobody).is_ok());
        let structure = Known {
            method: Some(Method::None),
            ..known()
        };
        assert!(
            parse("downtime <= 1h", &structure)
                .expect_err("no request")
                .message
                .contains("method: none")
        );
    }
}
