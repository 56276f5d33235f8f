//! Targets: `<metric> >= <bound>` or `<metric> <= <bound>`.

use super::place::quoted;
use super::suggest::nearest;
use super::units::{self, Percent};
use crate::ids::{JourneyId, PoolId, QueueId, WorkloadId};
use crate::model::{
    Method, Metric, PERIODS_KEPT, PeriodBound, Population, Quantity, QueueMeasure, Relation, Source,
};
use crate::time::SimSpan;
use std::ops::Range;

mod period;
/// What an editor shows beside a target.
pub(super) const ABOUT: &str = "A condition on a metric; it must hold with statistical confidence.\n\nAvailability, at least: `availability`, `availability.full`, `availability.time`, `structural.availability`, `<workload>.availability`, `<workload>.<journey>.availability` (`>= 99.95%`).\nMean per year, at most: `downtime`, `structural.downtime` (`<= 4h`), `outages`, `structural.outages` (`<= 2`).\nLatency, at most: `latency.p50`, `.p90`, `.p95`, `.p99`, `.p999`, also after `<workload>.` or `<workload>.<journey>.` (`<= 300ms`); a failed request counts as later than any bound.\nRisk, at most: `probability(downtime > 4h)`, `probability(structural.downtime > 4h)`, `probability(availability < 99.9%)` and the same of `availability.full`, `<workload>.availability`, `<workload>.<journey>.availability`, `availability.time` and `structural.availability` (`<= 5%`), of one history.\n\nRecovery of stores that lose their leader, at most: `rto.p50`, `.p90`, `.p95`, `.p99`, `.p999` (from the fault to the first good answer of the new leader; without requests, or if no call asks the leader, to a member that leads) and `rpo.p99` and the like (for how long before the fault what was acknowledged is lost), of all stores or of one (`articles.rto.p99 <= 60s`).\n\nMessages of a queue: `queue.<name>.delivered` (of those that are done, dead or lost, the share that is done; `>= 99.9%`), `queue.<name>.dead`, `.lost`, `.full` (the share of attempts to publish that is refused; `<= 0.1%`), `.backlog` (the mean number in the queue or in work; `<= 100`) and `.time.p50`, `.p90`, `.p95`, `.p99`, `.p999` (from publishing to done, one that is dead or lost later than any bound; `<= 5min`).\n\nPeriods: `availability over 30d >= 99.9%` is met if at least 95 % of the periods of 30 days keep the bound: one after the other from the start of a history, as far as they are whole. `availability over rolling 30d >= 99.9%` is met if at least 95 % of the histories keep it in every such period, whenever it begins. Of `availability`, `availability.full`, `<workload>.availability`, `<workload>.<journey>.availability`, `availability.time`, `structural.availability` (`>=`), `downtime` and `structural.downtime` (`<=`). Another share is asked for by `probability(availability over 30d < 99.9%) <= 1%`. A length has whole slices.\n\nAvailability and downtime may be followed by `excluding planned`: what is due to planned work is left out (`availability excluding planned >= 99.9%`, `probability(downtime over 30d excluding planned > 1h) <= 5%`).";

/// What targets can speak about.
pub(super) struct Known {
    pub(super) workloads: Vec<(String, WorkloadId)>,
    pub(super) journeys: Vec<(String, JourneyId)>,
    pub(super) method: Option<Method>,
    pub(super) horizon: SimSpan,
    /// Those that choose a leader.
    pub(super) stores: Vec<Store>,
    /// Message queues.
    pub(super) queues: Vec<(String, QueueId)>,
    /// The length of a slice, if it is stated.
    pub(super) slice: Option<SimSpan>,
}

/// A store that chooses a leader.
pub(super) struct Store {
    pub(super) name: String,
    pub(super) id: PoolId,
    /// Whether it says how it replicates.
    pub(super) replicates: bool,
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
    let of_probability = kind == Bound::Probability;
    if excluding_planned && (of_probability || !can_exclude_planned(metric)) {
        return Err(wrong(
            Some(part(whole)),
            format!("{} cannot leave out what is planned", quoted(name)),
            "availability, availability.full, availability.time, structural.availability, downtime, structural.downtime, <workload>.availability and <workload>.<journey>.availability can".into(),
        ));
    }
    let structural = match metric {
        Metric::StructuralAvailability
        | Metric::StructuralDowntime
        | Metric::StructuralOutages
        | Metric::StructuralDowntimeExceeds(_)
        | Metric::Recovery { .. } => true,
        Metric::Periods(bound) => bound.measure.source() == Source::Structure,
        _ => false,
    };
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
                "{} is no number\nwrite a plain number, such as 2 or 0.5 (of outages: per year)",
                quoted(value)
            )),
        },
    };
    let bound = bound.map_err(|error| {
        let (message, help) = error.split_once('\n').unwrap_or((error.as_str(), LIKE));
        wrong(Some(part(value)), message.to_owned(), help.to_owned())
    })?;
    if let Metric::Periods(period) = metric
        && !of_probability
    {
        return Ok(Parsed {
            metric: Metric::Periods(PeriodBound {
                bound,
                excluding_planned,
                ..period
            }),
            excluding_planned: false,
            relation: Relation::AtLeast,
            bound: PERIODS_KEPT,
        });
    }
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
        | Metric::StructuralDowntime
        | Metric::Periods(_) => true,
        Metric::Outages
        | Metric::StructuralOutages
        | Metric::Latency { .. }
        | Metric::DowntimeExceeds(_)
        | Metric::StructuralDowntimeExceeds(_)
        | Metric::Recovery { .. }
        | Metric::Queue { .. } => false,
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
        return period::probability(name, inside, known);
    }
    if let Some(found) = period::plain(name, known) {
        return found;
    }
    if let Some(found) = recovery(name, known) {
        return found;
    }
    if let Some(found) = of_messages(name, known) {
        return found;
    }
    let mut owners = owned(name, known);
    if let Some(found) = owners.find_map(|(population, rest)| of_requests(rest, population)) {
        return Ok(found);
    }
    let all = all_metrics(known);
    let mut help = match nearest(name, all.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {}? ", quoted(near)),
        None => String::new(),
    };
    help.push_str("metrics: availability, availability.full, availability.time, structural.availability, downtime, structural.downtime, outages, structural.outages, latency.p50|p90|p95|p99|p999, <workload>.availability, <workload>.<journey>.availability, the same with .latency.p99, availability and downtime also as `availability over 30d` or `over rolling 30d`, with `excluding planned`, and in probability(downtime > 4h); rto.p99, rpo.p99, <store>.rto.p99; queue.<name>.delivered|dead|lost|full|backlog|time.p99");
    Err(WrongTarget {
        part: None,
        message: format!("unknown metric {}", quoted(name)),
        help,
    })
}

/// The workloads and journeys whose names `name` begins with, each with the rest of it. A journey's name may
/// itself have dots: the longest name that fits comes first.
fn owned<'n>(name: &'n str, known: &Known) -> impl Iterator<Item = (Population, &'n str)> {
    let journeys = known
        .journeys
        .iter()
        .map(|(name, id)| (name, Population::Journey(*id)));
    let workloads = known
        .workloads
        .iter()
        .map(|(name, id)| (name, Population::Workload(*id)));
    let mut owners: Vec<(usize, Population, &'n str)> = journeys
        .chain(workloads)
        .filter_map(|(owner, population)| {
            let rest = name.strip_prefix(owner.as_str())?.strip_prefix('.')?;
            Some((owner.len(), population, rest))
        })
        .collect();
    owners.sort_by_key(|(length, ..)| std::cmp::Reverse(*length));
    owners
        .into_iter()
        .map(|(_, population, rest)| (population, rest))
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

/// `queue.mail.delivered`, `queue.mail.time.p99`.
fn of_messages(name: &str, known: &Known) -> Option<Result<(Metric, Bound), WrongTarget>> {
    const CAN: &str = "write queue.<name>.delivered, .dead, .lost, .full, .backlog, .time.p50, .time.p90, .time.p95, .time.p99 or .time.p999";
    let rest = name.strip_prefix("queue.")?;
    // A queue's name has no dots.
    let (queue, what) = rest.split_once('.').unwrap_or((rest, ""));
    let wrong = |message: String, help: String| {
        Some(Err(WrongTarget {
            part: None,
            message,
            help,
        }))
    };
    let names = known.queues.iter().map(|(name, _)| name.as_str());
    let Some(&(_, id)) = known.queues.iter().find(|(name, _)| name == queue) else {
        let names: Vec<&str> = names.collect();
        let help = if names.is_empty() {
            "the file states no `queues`".into()
        } else {
            format!("message queues: {}", names.join(", "))
        };
        return wrong(format!("{} is no message queue", quoted(queue)), help);
    };
    let (measure, bound) = match what {
        "delivered" => (QueueMeasure::Delivered, Bound::Availability),
        "dead" => (QueueMeasure::Dead, Bound::Probability),
        "lost" => (QueueMeasure::Lost, Bound::Probability),
        "full" => (QueueMeasure::Full, Bound::Probability),
        "backlog" => (QueueMeasure::Backlog, Bound::Number),
        _ => {
            let quantile = what.strip_prefix("time.");
            let found = QUANTILES.iter().find(|(name, _)| quantile == Some(*name));
            let Some(&(_, quantile)) = found else {
                return wrong(
                    format!("{} is nothing that is measured of messages", quoted(what)),
                    CAN.into(),
                );
            };
            (QueueMeasure::Time { quantile }, Bound::Span)
        }
    };
    Some(Ok((Metric::Queue { queue: id, measure }, bound)))
}

/// `rto.p99`, `articles.rpo.p99`.
fn recovery(name: &str, known: &Known) -> Option<Result<(Metric, Bound), WrongTarget>> {
    let (rest, quantile) = name.rsplit_once('.')?;
    let &(_, quantile) = QUANTILES.iter().find(|&&(name, _)| name == quantile)?;
    let (store, word) = match rest.rsplit_once('.') {
        Some((store, word)) => (Some(store), word),
        None => (None, rest),
    };
    let quantity = match word {
        "rto" => Quantity::Time,
        "rpo" => Quantity::Loss,
        _ => return None,
    };
    let wrong = |message: String, help: &str| {
        Some(Err(WrongTarget {
            part: None,
            message,
            help: help.into(),
        }))
    };
    let row = match store {
        Some(store) => match known.stores.iter().find(|row| row.name == store) {
            Some(row) => Some(row),
            None => {
                let names: Vec<&str> = known.stores.iter().map(|row| row.name.as_str()).collect();
                return wrong(
                    format!(
                        "{} is no store with `failover` and an operation `from: leader`",
                        quoted(store)
                    ),
                    &format!("stores that choose a leader: {}", names.join(", ")),
                );
            }
        },
        None => None,
    };
    let stores = || {
        known
            .stores
            .iter()
            .filter(|it| row.is_none_or(|row| row.id == it.id))
    };
    if stores().count() == 0 {
        return wrong(
            format!("{} without any store that chooses a leader", quoted(name)),
            "state `failover` for a store, and an operation `from: leader`",
        );
    }
    if quantity == Quantity::Loss && !stores().any(|row| row.replicates) {
        return wrong(
            format!(
                "{} of a store that does not say how it replicates",
                quoted(name)
            ),
            "add `replication: async` and a `lag`, or `replication: sync`",
        );
    }
    let metric = Metric::Recovery {
        quantity,
        store: row.map(|row| row.id),
        quantile,
    };
    Some(Ok((metric, Bound::Span)))
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
mod tests;
