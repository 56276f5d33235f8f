//! The figures of a comparison: their values and their paired differences.

use super::comparison::{CauseMove, Design, Figure, Move, TargetMove};
use super::figures::{Figures, YEAR_S};
use super::metrics::{Kind, Named, PERCENTILES, catalogue, of_targets};
use super::outcome::{CauseRow, Estimate, Outcome};
use crate::estimate::{PairRecord, Pairing, TrafficPairs, cause_key};
use crate::ids::{Id, PoolId};
use crate::model::{Metric, Population, Quantity, QueueMeasure, Relation, Source, System};
use crate::path::Phase;
use crate::stats::{Difference, Paired, Scope, Split, WeightedHistogram};
use std::collections::BTreeMap;

const CONFIDENCE: f64 = 0.95;

/// Everything found so far, ready to be subtracted.
#[derive(Debug)]
pub(super) struct Moves<'a> {
    /// By design.
    pub(super) figures: Vec<Figures<'a>>,
    /// By candidate.
    pub(super) pairings: &'a [Pairing],
    /// By candidate.
    pub(super) pairs: &'a [PairRecord],
    /// By candidate: whether it behaves exactly as the baseline.
    pub(super) same: &'a [bool],
    /// By candidate: whether at least its structure and faults do.
    pub(super) same_structure: &'a [bool],
}

/// A number that is known.
fn exactly(value: f64) -> Estimate {
    Estimate {
        value,
        low: value,
        high: value,
        confidence: CONFIDENCE,
        n: 0,
    }
}

impl<'a> Moves<'a> {
    pub(super) fn candidates(&self) -> usize {
        self.pairs.len()
    }

    fn traffic(&self, candidate: usize) -> Option<&'a TrafficPairs> {
        self.pairs[candidate].traffic.as_ref()
    }

    /// Whether the recoveries of a store of the baseline, or of all, are compared up to the first good answer.
    fn recoveries_are_felt(&self, store: Option<PoolId>) -> bool {
        self.figures[0].recoveries_are_felt(store)
    }

    /// Replications with traffic.
    fn histories(&self) -> u64 {
        let traffic = self.figures[0].record.traffic.as_ref();
        traffic.map_or(0, |traffic| traffic.replications)
    }

    fn horizon_s(&self) -> f64 {
        self.figures[0].plan.horizon_s()
    }

    /// The same population in another design.
    fn population(&self, candidate: usize, population: Population) -> Option<Population> {
        let there = |pairs: &[(usize, usize)], index: usize| {
            let found = pairs.iter().find(|pair| pair.0 == index)?;
            Some(found.1)
        };
        let pairing = &self.pairings[candidate];
        Some(match population {
            Population::All => Population::All,
            Population::Workload(id) => {
                Population::Workload(Id::from_index(there(&pairing.workloads, id.index())?))
            }
            Population::Journey(id) => {
                Population::Journey(Id::from_index(there(&pairing.journeys, id.index())?))
            }
        })
    }

    /// Latency of a population of one design, failed requests later than any value if `all`.
    fn split(&self, design: usize, population: Population, all: bool) -> Option<Split> {
        let figures = &self.figures[design];
        let traffic = figures.record.traffic.as_ref()?;
        let journeys: Vec<usize> = match population {
            Population::All => (0..figures.system.journeys.len()).collect(),
            Population::Workload(id) => figures.system.workloads[id]
                .journeys
                .iter()
                .map(|(journey, _)| journey.index())
                .collect(),
            Population::Journey(id) => vec![id.index()],
        };
        let count = traffic.journey_latency.first()?.parts.len();
        let mut parts = vec![WeightedHistogram::new(); count];
        let mut never = vec![0.0; count];
        for journey in journeys {
            for (sum, part) in parts
                .iter_mut()
                .zip(&traffic.journey_latency[journey].parts)
            {
                sum.merge(part);
            }
            if all {
                for (sum, failed) in never.iter_mut().zip(&traffic.journey_failed[journey]) {
                    *sum += failed;
                }
            }
        }
        Some(Split::new(parts, never))
    }

    /// Candidate minus baseline.
    pub(super) fn difference(
        &self,
        named: &Named,
        candidate: usize,
        confidence: f64,
    ) -> Option<Difference> {
        let found = self.found(named, candidate, confidence)?;
        let copies = self.same[candidate] && named.kind != Kind::Cost;
        let exact = copies || self.exactly_structural(named, candidate);
        Some(if exact {
            Difference::none(found.n, confidence)
        } else {
            found
        })
    }

    /// Whether a figure is structural and the designs have the same structure and faults.
    fn exactly_structural(&self, named: &Named, candidate: usize) -> bool {
        self.unmoved(candidate)
            && matches!(
                named.kind,
                Kind::OutageDuration
                    | Kind::LeadMean
                    | Kind::Plain(
                        Metric::StructuralAvailability
                            | Metric::StructuralDowntime
                            | Metric::StructuralOutages
                    )
            )
    }

    /// Whether the structural figures of a candidate cannot differ, and did not.
    fn unmoved(&self, candidate: usize) -> bool {
        let pairs = &self.pairs[candidate];
        let changed = pairs.downtime.changed + pairs.outages.changed + pairs.durations.changed;
        self.same_structure[candidate] && changed == 0
    }

    fn found(&self, named: &Named, candidate: usize, confidence: f64) -> Option<Difference> {
        let pairs = &self.pairs[candidate];
        let horizon = self.horizon_s();
        let per_year = YEAR_S / horizon;
        let of = |paired: &Paired, histories: u64, largest: f64| {
            paired.difference(Scope { histories, largest }, confidence)
        };
        let structure = self.figures[0].record.structure.replications;
        let traffic = || self.traffic(candidate);
        let histories = self.histories();
        match named.kind {
            Kind::Plain(metric) => match metric {
                Metric::Availability(population) => {
                    let traffic = traffic()?;
                    let row = |pairs: &[(usize, usize)], index: usize| {
                        pairs.iter().position(|pair| pair.0 == index)
                    };
                    let pairing = &self.pairings[candidate];
                    let paired = match population {
                        Population::All => &traffic.failed,
                        Population::Workload(id) => {
                            &traffic.workloads[row(&pairing.workloads, id.index())?]
                        }
                        Population::Journey(id) => {
                            &traffic.journeys[row(&pairing.journeys, id.index())?]
                        }
                    };
                    Some(of(paired, histories, 1.0)?.scaled(-1.0))
                }
                Metric::FullAvailability => {
                    Some(of(&traffic()?.not_full, histories, 1.0)?.scaled(-1.0))
                }
                Metric::TimeAvailability => {
                    let downtime = of(&traffic()?.downtime, histories, horizon)?;
                    Some(downtime.scaled(-1.0 / horizon))
                }
                Metric::StructuralAvailability => {
                    let downtime = of(&pairs.downtime, structure, horizon)?;
                    Some(downtime.scaled(-1.0 / horizon))
                }
                Metric::Downtime => {
                    Some(of(&traffic()?.downtime, histories, horizon)?.scaled(per_year))
                }
                Metric::StructuralDowntime => {
                    Some(of(&pairs.downtime, structure, horizon)?.scaled(per_year))
                }
                Metric::Outages => {
                    Some(of(&traffic()?.outages, histories, f64::INFINITY)?.scaled(per_year))
                }
                Metric::StructuralOutages => {
                    Some(of(&pairs.outages, structure, f64::INFINITY)?.scaled(per_year))
                }
                Metric::Latency {
                    population,
                    quantile,
                } => {
                    let base = self.split(0, population, true)?;
                    let there = self.population(candidate, population)?;
                    let other = self.split(candidate + 1, there, true)?;
                    base.difference(&other, quantile, histories, confidence)
                }
                Metric::DowntimeExceeds(_)
                | Metric::StructuralDowntimeExceeds(_)
                | Metric::Periods(_)
                | Metric::Recovery { .. }
                | Metric::Queue { .. } => None,
            },
            Kind::Answered(quantile) => {
                let base = self.split(0, Population::All, false)?;
                let other = self.split(candidate + 1, Population::All, false)?;
                base.difference(&other, quantile, histories, confidence)
            }
            Kind::AnsweredMean => {
                let base = self.split(0, Population::All, false)?;
                let other = self.split(candidate + 1, Population::All, false)?;
                of(&base.means(&other), histories, f64::INFINITY)
            }
            Kind::OutageDuration => of(&pairs.durations, structure, f64::INFINITY),
            Kind::RecoveryMean(Quantity::Time) if self.recoveries_are_felt(None) => {
                of(&traffic()?.recoveries, histories, f64::INFINITY)
            }
            Kind::RecoveryMean(quantity) => of(
                &pairs.recoveries[quantity as usize],
                structure,
                f64::INFINITY,
            ),
            Kind::LeadMean => of(&pairs.recoveries[0], structure, f64::INFINITY),
            Kind::Target(target) | Kind::Kept(target) => {
                self.of_target(candidate, target, confidence)
            }
            Kind::Cost => {
                let cost = |design: usize| self.figures[design].system.prices.per_month();
                let value = cost(candidate + 1)? - cost(0)?;
                // Prices are known: there is no error.
                Some(Difference {
                    value,
                    low: value,
                    high: value,
                    confidence,
                    n: 0,
                    correlation: None,
                })
            }
        }
    }

    /// What a target of the baseline is judged by, candidate minus baseline.
    fn of_target(&self, candidate: usize, target: usize, confidence: f64) -> Option<Difference> {
        let row = &self.figures[0].system.targets[target];
        if row.excluding_planned {
            // Pairs are kept of everything together; a difference with planned work in it would be
            // that of another metric.
            return None;
        }
        let index = self.pairings[candidate]
            .targets
            .iter()
            .position(|pair| pair.0 == target)?;
        let share = |paired: &Paired, histories| {
            let scope = Scope {
                histories,
                largest: 1.0,
            };
            paired.difference(scope, confidence)
        };
        match row.metric {
            Metric::StructuralDowntimeExceeds(_) => {
                let structure = self.figures[0].record.structure.replications;
                share(&self.pairs[candidate].exceeded[index], structure)
            }
            Metric::Periods(bound) => {
                let missed = if bound.measure.source() == Source::Structure {
                    let structure = self.figures[0].record.structure.replications;
                    share(&self.pairs[candidate].exceeded[index], structure)?
                } else {
                    share(&self.traffic(candidate)?.targets[index], self.histories())?
                };
                let kept = row.relation == Relation::AtLeast;
                Some(if kept { missed.scaled(-1.0) } else { missed })
            }
            Metric::Recovery {
                quantity: Quantity::Time,
                store,
                ..
            } if self.recoveries_are_felt(store) => {
                let late = share(&self.traffic(candidate)?.targets[index], self.histories())?;
                Some(late.scaled(-1.0))
            }
            Metric::Recovery { .. } => {
                let structure = self.figures[0].record.structure.replications;
                let late = share(&self.pairs[candidate].exceeded[index], structure)?;
                Some(late.scaled(-1.0))
            }
            Metric::DowntimeExceeds(_) => {
                share(&self.traffic(candidate)?.targets[index], self.histories())
            }
            Metric::Latency { .. } => {
                let late = share(&self.traffic(candidate)?.targets[index], self.histories())?;
                Some(late.scaled(-1.0))
            }
            metric => {
                let named = Named::plain(row.text.clone(), metric);
                self.found(&named, candidate, confidence)
            }
        }
    }

    /// The value of a metric in one design.
    fn value(&self, named: &Named, design: usize, outcome: &Outcome) -> Option<Estimate> {
        let latency = |population, quantile| {
            self.split(design, population, true)?
                .quantile(quantile, CONFIDENCE)
        };
        let answered = outcome.latency.as_ref();
        match named.kind {
            Kind::Plain(metric) => match metric {
                Metric::Availability(population) => {
                    let there = self.there(design, population)?;
                    let traffic = self.figures[design].record.traffic.as_ref()?;
                    self.figures[design].answered_share(traffic.failed_of(there), CONFIDENCE)
                }
                Metric::FullAvailability => outcome.availability.full,
                Metric::TimeAvailability => outcome.availability.time,
                Metric::StructuralAvailability => Some(outcome.availability.structural),
                Metric::Downtime => outcome.downtime.as_ref().map(|it| it.mean),
                Metric::StructuralDowntime => Some(outcome.structural_downtime.mean),
                Metric::Outages => outcome.outages.as_ref().map(|it| it.per_year),
                Metric::StructuralOutages => Some(outcome.structural_outages.per_year),
                Metric::Latency {
                    population,
                    quantile,
                } => latency(self.there(design, population)?, quantile),
                Metric::DowntimeExceeds(_)
                | Metric::StructuralDowntimeExceeds(_)
                | Metric::Periods(_)
                | Metric::Recovery { .. }
                | Metric::Queue { .. } => None,
            },
            Kind::AnsweredMean => answered.map(|it| it.mean),
            Kind::Answered(q) => {
                let it = answered?;
                let all = [it.p50, it.p90, it.p95, it.p99, it.p999];
                let index = PERCENTILES.iter().position(|(_, one)| *one == q)?;
                Some(all[index])
            }
            Kind::OutageDuration => outcome.structural_outages.duration_mean,
            Kind::RecoveryMean(quantity) => {
                let record = self.figures[design].record;
                let felt = record
                    .traffic
                    .as_ref()
                    .filter(|_| quantity == Quantity::Time && self.recoveries_are_felt(None));
                let found =
                    felt.map_or(&record.structure.recoveries, |traffic| &traffic.recoveries);
                let all = found.of(None);
                let sums = [all.time, all.loss][quantity as usize];
                sums.ratio(f64::INFINITY, CONFIDENCE)
            }
            Kind::LeadMean => {
                let all = self.figures[design].record.structure.recoveries.of(None);
                all.time.ratio(f64::INFINITY, CONFIDENCE)
            }
            Kind::Cost => outcome.cost.as_ref().map(|bill| exactly(bill.per_month)),
            Kind::Target(target) | Kind::Kept(target) => {
                let text = &self.figures[0].system.targets[target].text;
                let row = outcome.targets.iter().find(|it| it.expression == *text);
                row.and_then(|row| row.measured)
            }
        }
    }

    /// The population of the baseline in design `design`.
    fn there(&self, design: usize, population: Population) -> Option<Population> {
        match design {
            0 => Some(population),
            _ => self.population(design - 1, population),
        }
    }

    /// Every figure of all designs.
    pub(super) fn figures(&self, designs: &[Design]) -> Vec<Figure> {
        let systems: Vec<&System> = self.figures.iter().map(|it| it.system).collect();
        let base = systems[0];
        let mut all = catalogue(&systems, self.figures[0].plan.method);
        for named in of_targets(base) {
            if !all.iter().any(|it| it.name == named.name) {
                all.push(named);
            }
        }
        all.iter()
            .map(|named| Figure {
                name: named.name.clone(),
                unit: named.unit(),
                higher_is_better: named.higher_is_better(),
                values: designs
                    .iter()
                    .enumerate()
                    .map(|(design, row)| self.value(named, design, &row.outcome))
                    .collect(),
                differences: (0..self.candidates())
                    .map(|candidate| self.difference(named, candidate, CONFIDENCE))
                    .collect(),
            })
            .collect()
    }

    /// Every target of the baseline.
    pub(super) fn targets(&self) -> Vec<TargetMove> {
        let targets = self.figures[0].system.targets.iter().enumerate();
        targets
            .map(|(index, target)| TargetMove {
                expression: target.text.clone(),
                at_least: target.relation == crate::model::Relation::AtLeast
                    || matches!(
                        target.metric,
                        Metric::Latency { .. }
                            | Metric::Recovery { .. }
                            | Metric::Queue {
                                measure: QueueMeasure::Time { .. },
                                ..
                            }
                    ),
                differences: (0..self.candidates())
                    .map(|candidate| {
                        let found = self.of_target(candidate, index, CONFIDENCE)?;
                        Some(if self.same[candidate] {
                            Difference::none(found.n, CONFIDENCE)
                        } else {
                            found
                        })
                    })
                    .collect(),
            })
            .collect()
    }

    /// Every cause that cost anything in any design, the largest difference first.
    pub(super) fn causes(&self, designs: &[Design]) -> Vec<CauseMove> {
        let mut keys: BTreeMap<(String, usize), ()> = BTreeMap::new();
        for figures in &self.figures {
            let structure = &figures.record.structure;
            for (index, sums) in structure.by_cause.iter().enumerate() {
                let traffic = figures.record.traffic.as_ref();
                let seen = traffic.map_or(0.0, |traffic| {
                    traffic.by_cause[index].y + traffic.outages.by_cause[index].y
                });
                if sums.y + seen > 0.0 {
                    keys.insert(cause_key(figures.system, index), ());
                }
            }
        }
        let mut rows: Vec<CauseMove> = keys.keys().map(|key| self.cause(key, designs)).collect();
        rows.sort_by(|a, b| {
            let size = |row: &CauseMove| {
                let row = row
                    .failed_per_million
                    .as_ref()
                    .unwrap_or(&row.structural_downtime_s_per_year);
                let sizes = row.differences.iter().flatten();
                sizes.map(|it| it.value.abs()).fold(0.0, f64::max)
            };
            let ties = || (&a.fault, a.phase).cmp(&(&b.fault, b.phase));
            size(b).total_cmp(&size(a)).then_with(ties)
        });
        rows
    }

    fn cause(&self, key: &(String, usize), designs: &[Design]) -> CauseMove {
        let (fault, phase) = match key {
            (name, 0) if name.is_empty() => ("load".to_owned(), None),
            (name, _) if name.is_empty() => ("base".to_owned(), None),
            (name, phase) => (name.clone(), Some(Phase::ALL[*phase])),
        };
        let values = |of: &dyn Fn(&CauseRow) -> Option<Estimate>| -> Vec<f64> {
            let found = |design: &Design| {
                let mut rows = design.outcome.causes.iter();
                let row = rows.find(|row| row.fault == fault && row.phase == phase)?;
                Some(of(row)?.value)
            };
            designs.iter().map(|it| found(it).unwrap_or(0.0)).collect()
        };
        let horizon = self.horizon_s();
        let per_year = YEAR_S / horizon;
        let structure = self.figures[0].record.structure.replications;
        let row_in = |candidate: usize| {
            let systems = [&self.figures[0], &self.figures[candidate + 1]].map(|it| it.system);
            self.pairings[candidate].causes.iter().position(|pair| {
                let base = pair
                    .0
                    .is_some_and(|index| cause_key(systems[0], index) == *key);
                base || pair
                    .1
                    .is_some_and(|index| cause_key(systems[1], index) == *key)
            })
        };
        let differences = |of: &dyn Fn(usize, usize) -> Option<Difference>| {
            (0..self.candidates())
                .map(|candidate| {
                    let found = of(candidate, row_in(candidate)?)?;
                    Some(if self.same[candidate] {
                        Difference::none(found.n, CONFIDENCE)
                    } else {
                        found
                    })
                })
                .collect::<Vec<_>>()
        };
        let scope = |histories, largest| Scope { histories, largest };
        let histories = self.histories();
        let traffic = self.figures[0].record.traffic.is_some();
        CauseMove {
            failed_per_million: traffic.then(|| Move {
                values: values(&|row| row.failed_per_million),
                differences: differences(&|candidate, row| {
                    let paired = &self.traffic(candidate)?.by_cause[row];
                    let found = paired.difference(scope(histories, 1.0), CONFIDENCE)?;
                    Some(found.scaled(1e6))
                }),
            }),
            downtime_s_per_year: traffic.then(|| Move {
                values: values(&|row| row.downtime_s_per_year),
                differences: differences(&|candidate, row| {
                    let paired = &self.traffic(candidate)?.downtime_by_cause[row];
                    let found = paired.difference(scope(histories, horizon), CONFIDENCE)?;
                    Some(found.scaled(per_year))
                }),
            }),
            structural_downtime_s_per_year: Move {
                values: values(&|row| Some(row.structural_downtime_s_per_year)),
                differences: differences(&|candidate, row| {
                    let paired = &self.pairs[candidate].by_cause[row];
                    if self.unmoved(candidate) {
                        return Some(Difference::none(paired.n, CONFIDENCE));
                    }
                    let found = paired.difference(scope(structure, horizon), CONFIDENCE)?;
                    Some(found.scaled(per_year))
                }),
            },
            fault,
            phase,
        }
    }
}

/// What must be read before the differences are trusted: the warnings of all designs, each once.
pub(super) fn warnings(designs: &[Design]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let bills: Vec<_> = designs.iter().map(|it| it.outcome.cost.as_ref()).collect();
    let stated = bills.iter().flatten().count();
    if stated > 0 && stated < designs.len() {
        all.push("costs are not subtracted: not every design states prices".to_owned());
    } else if bills
        .iter()
        .flatten()
        .any(|bill| Some(&bill.currency) != bills[0].map(|bill| &bill.currency))
    {
        all.push("costs are not subtracted: the designs use different currencies".to_owned());
    }
    for text in designs.iter().flat_map(|design| &design.outcome.warnings) {
        if !all.contains(text) {
            all.push(text.clone());
        }
    }
    all
}
