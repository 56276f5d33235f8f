//! The metrics of a comparison: which there are, what they are called, and which are watched.

use super::comparison::FigureUnit;
use super::{CompareError, RunError};
use crate::model::{Method, Metric, Population, Quantity, Relation, System};

/// Percentiles of latency with the names that targets use.
pub(super) const PERCENTILES: [(&str, f64); 5] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99.9", 0.999),
];

/// Journeys that have figures of their own beyond those of targets.
const JOURNEYS: usize = 20;

/// What a metric measures; the ids are the baseline's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// What a target could name.
    Plain(Metric),
    /// A percentile of answered requests.
    Answered(f64),
    /// The mean of answered requests.
    AnsweredMean,
    /// The mean length of a structural outage.
    OutageDuration,
    /// The mean length of recoveries of all stores, or of the writes lost in them.
    RecoveryMean(Quantity),
    /// The mean time to a member that leads, of the same.
    LeadMean,
    /// What target `index` of the pairing is judged by, a share.
    Target(usize),
    /// The same where more is better: the share of periods, or of recoveries, that keep a bound.
    Kept(usize),
    /// Money per month.
    Cost,
}

/// A metric with its name.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// The metrics that are watched.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) watched: Vec<Named>,
}

impl Named {
    pub(super) fn plain(name: impl Into<String>, metric: Metric) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Plain(metric),
        }
    }

    pub(super) fn unit(&self) -> FigureUnit {
        match self.kind {
            Kind::Plain(metric) => match metric {
                Metric::Availability(_)
                | Metric::FullAvailability
                | Metric::TimeAvailability
                | Metric::StructuralAvailability
                | Metric::Periods(_)
                | Metric::DowntimeExceeds(_)
                | Metric::StructuralDowntimeExceeds(_)
                | Metric::Queue { .. } => FigureUnit::Share,
                Metric::Downtime | Metric::StructuralDowntime => FigureUnit::SecondsPerYear,
                Metric::Outages | Metric::StructuralOutages => FigureUnit::PerYear,
                Metric::Latency { .. } | Metric::Recovery { .. } => FigureUnit::Seconds,
            },
            Kind::Answered(_)
            | Kind::AnsweredMean
            | Kind::OutageDuration
            | Kind::RecoveryMean(_)
            | Kind::LeadMean => FigureUnit::Seconds,
            Kind::Target(_) | Kind::Kept(_) => FigureUnit::Share,
            Kind::Cost => FigureUnit::PerMonth,
        }
    }

    pub(super) fn higher_is_better(&self) -> bool {
        matches!(
            self.kind,
            Kind::Kept(_)
                | Kind::Plain(
                    Metric::Availability(_)
                        | Metric::FullAvailability
                        | Metric::TimeAvailability
                        | Metric::StructuralAvailability
                )
        )
    }
}

/// Every metric that has a name of its own.
pub(super) fn catalogue(systems: &[&System], method: Method) -> Vec<Named> {
    let base = systems[0];
    let mut all = Vec::new();
    if method != Method::None {
        all.extend([
            Named::plain("availability", Metric::Availability(Population::All)),
            Named::plain("availability.full", Metric::FullAvailability),
            Named::plain("availability.time", Metric::TimeAvailability),
        ]);
    }
    all.push(Named::plain(
        "structural.availability",
        Metric::StructuralAvailability,
    ));
    if method != Method::None {
        all.extend([
            Named::plain("downtime", Metric::Downtime),
            Named::plain("outages", Metric::Outages),
        ]);
    }
    all.extend([
        Named::plain("structural.downtime", Metric::StructuralDowntime),
        Named::plain("structural.outages", Metric::StructuralOutages),
        Named {
            name: "structural.outage_duration".into(),
            kind: Kind::OutageDuration,
        },
    ]);
    let stores = |system: &&System, lag: bool| {
        let mut stores = system.pools.iter().filter(|pool| pool.chooses_leader());
        stores.any(|pool| !lag || pool.replication.is_some())
    };
    for (name, kind, lag) in [
        ("rto.mean", Kind::RecoveryMean(Quantity::Time), false),
        ("lead.mean", Kind::LeadMean, false),
        ("rpo.mean", Kind::RecoveryMean(Quantity::Loss), true),
    ] {
        if systems.iter().all(|system| stores(system, lag)) {
            all.push(Named {
                name: name.into(),
                kind,
            });
        }
    }
    if method != Method::None {
        let population = Population::All;
        for (word, quantile) in PERCENTILES {
            all.push(Named::plain(
                format!("latency.{word}"),
                Metric::Latency {
                    population,
                    quantile,
                },
            ));
        }
        all.push(Named {
            name: "latency.answered.mean".into(),
            kind: Kind::AnsweredMean,
        });
        for (word, quantile) in PERCENTILES {
            all.push(Named {
                name: format!("latency.answered.{word}"),
                kind: Kind::Answered(quantile),
            });
        }
        for (id, journey) in base.journeys.pairs().take(JOURNEYS) {
            let population = Population::Journey(id);
            all.push(Named::plain(
                format!("{}.availability", journey.name),
                Metric::Availability(population),
            ));
            for (word, quantile) in [PERCENTILES[0], PERCENTILES[3]] {
                all.push(Named::plain(
                    format!("{}.latency.{word}", journey.name),
                    Metric::Latency {
                        population,
                        quantile,
                    },
                ));
            }
        }
    }
    if have_cost(systems) {
        all.push(Named {
            name: "cost".into(),
            kind: Kind::Cost,
        });
    }
    all
}

/// Whether all designs state prices, in one currency.
fn have_cost(systems: &[&System]) -> bool {
    let currency = &systems[0].prices.currency;
    systems
        .iter()
        .all(|system| !system.prices.rows.is_empty() && system.prices.currency == *currency)
}

/// The part of a target before its relation.
fn metric_of(text: &str) -> &str {
    let end = text
        .rfind(">=")
        .or_else(|| text.rfind("<="))
        .unwrap_or(text.len());
    text[..end].trim()
}

/// The metrics that the targets name, each once.
pub(super) fn of_targets(base: &System) -> Vec<Named> {
    let mut all: Vec<Named> = Vec::new();
    for (index, target) in base.targets.iter().enumerate() {
        // No pairs are kept of what is left when planned work is left out, nor of messages.
        if target.excluding_planned || matches!(target.metric, Metric::Queue { .. }) {
            continue;
        }
        let kind = match target.metric {
            Metric::DowntimeExceeds(_) | Metric::StructuralDowntimeExceeds(_) => {
                Kind::Target(index)
            }
            Metric::Recovery { .. } => Kind::Kept(index),
            Metric::Periods(_) if target.relation == Relation::AtLeast => Kind::Kept(index),
            Metric::Periods(_) => Kind::Target(index),
            metric => Kind::Plain(metric),
        };
        let mut name = metric_of(&target.text).to_owned();
        let judged_by_it = matches!(kind, Kind::Target(_) | Kind::Kept(_));
        let of_recoveries = matches!(target.metric, Metric::Recovery { .. });
        if of_recoveries || judged_by_it && all.iter().any(|it| it.name == name) {
            // A share of recoveries, or the same periods and another bound.
            name.clone_from(&target.text);
        }
        if !all.iter().any(|it| it.name == name) {
            all.push(Named { name, kind });
        }
    }
    all
}

/// The names that can be watched.
pub(super) fn names(systems: &[&System], method: Method) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let all = catalogue(systems, method).into_iter();
    for named in all.chain(of_targets(systems[0])) {
        if !names.contains(&named.name) {
            names.push(named.name);
        }
    }
    names
}

impl Metrics {
    /// What to watch: `asked`, or what counts as a regression.
    pub(super) fn new(
        systems: &[&System],
        method: Method,
        asked: &[String],
    ) -> Result<Self, CompareError> {
        let base = systems[0];
        let all: Vec<Named> = catalogue(systems, method)
            .into_iter()
            .chain(of_targets(base))
            .collect();
        let mut watched: Vec<Named> = Vec::new();
        let mut watch = |named: &Named| {
            if !watched.iter().any(|it| it.name == named.name) {
                watched.push(named.clone());
            }
        };
        let regression = || {
            let judged = of_targets(base);
            if !judged.is_empty() {
                return judged;
            }
            let wanted: &[&str] = if method == Method::None {
                &["structural.availability"]
            } else {
                &["availability", "latency.p99"]
            };
            let row = |name: &&str| all.iter().find(|it| it.name == **name).cloned();
            wanted.iter().filter_map(row).collect()
        };
        if asked.is_empty() {
            regression().iter().for_each(&mut watch);
        }
        for name in asked {
            if name == "regression" {
                regression().iter().for_each(&mut watch);
                continue;
            }
            let wanted = metric_of(name)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            let whole = name.split_whitespace().collect::<Vec<_>>().join(" ");
            let mut named = all.iter().filter(|it| it.name == whole);
            let by_name = named.next();
            match by_name.or_else(|| all.iter().find(|it| it.name == wanted)) {
                Some(named) => watch(named),
                None => {
                    let names = names(systems, method);
                    return Err(CompareError {
                        design: 0,
                        path: &[],
                        error: RunError::Unsuitable {
                            line: None,
                            message: format!("`{wanted}` is no metric of this comparison"),
                            help: format!(
                                "--fail-on takes `regression`, or any of: {}",
                                names.join(", ")
                            ),
                        },
                    });
                }
            }
        }
        Ok(Self { watched })
    }
}
