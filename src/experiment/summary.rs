//! From a record to the outcome: every figure with its 95 % interval.

use super::downtimes::{downtime, outages, share_of, structural_downtime};
use super::figures::{Figures, YEAR_S, latency_mean, latency_quantile, whole};
use super::forced::{few_roots, forcing_facts, splitting_facts, without_hits};
use super::outcome::{
    Availability, Bill, BillItem, Calls, CauseRow, Condition, Connections, Ejections, Estimate,
    JourneyRow, LateProbes, Latency, NeedsRow, Outcome, Recovery, RecoveryEnd, RequestCounts,
    Requests, RunFacts, Service, Spans, TargetRow, UserRow,
};
use super::parts::{joined, plain_mean};
use crate::estimate::{LatencyFold, PoolFold, Sums, TrafficFold};
use crate::ids::{ChannelId, Id, PoolId};
use crate::model::{
    Channel, Load, Method, PoolKind, Population, Prices, Quantity, Replication, System,
};
use crate::path::Cause;
use crate::stats::{self, Histogram, SparseHistogram};
use crate::traffic::{Counts, arrival_driven};

pub(super) const CONFIDENCE: f64 = 0.95;

/// Points of a curve for charts.
pub(super) const CURVE_POINTS: usize = 100;

/// Everything that was found, for people and files.
pub(super) fn outcome(
    figures: &Figures<'_>,
    hash: &str,
    targets: Vec<TargetRow>,
    looks: u32,
    complete: bool,
) -> Outcome {
    let (system, record) = (figures.system, figures.record);
    let structure = &record.structure;
    let traffic = record.traffic.as_ref();
    let observed = traffic.map(|traffic| &traffic.outages);
    Outcome {
        name: system.name.clone(),
        hash: hash.to_owned(),
        run: facts(figures, looks, complete),
        availability: Availability {
            request: traffic.and_then(|found| {
                figures.answered_share_of(Population::All, &found.failed, CONFIDENCE)
            }),
            full: traffic.and_then(|found| {
                figures.answered_share_of(Population::All, &found.not_full, CONFIDENCE)
            }),
            time: figures.time_availability(CONFIDENCE),
            structural: figures.up_share(&structure.system, CONFIDENCE),
            structural_at_end: share_of(structure.up_at_end, structure.replications),
        },
        downtime: observed.and_then(|observed| {
            let mean = figures.downtime(CONFIDENCE)?;
            Some(downtime(figures, mean, &observed.downtimes))
        }),
        planned_downtime: figures.planned_downtime(CONFIDENCE),
        outages: observed.and_then(|observed| {
            let per_year = figures.observed_outages(CONFIDENCE)?;
            let (count, mean) = figures.observed_outage_length(CONFIDENCE)?;
            Some(outages(per_year, count, mean, &observed.durations))
        }),
        structural_downtime: structural_downtime(figures),
        structural_planned_downtime: figures.structural_planned_downtime(CONFIDENCE),
        structural_outages: outages(
            figures.structural_outages_per_year(&structure.system, CONFIDENCE),
            figures.structural_outages_met(&structure.system),
            structure.durations.per_event(CONFIDENCE),
            &structure.duration_histogram,
        ),
        requests: traffic.map(|traffic| requests(figures, traffic)),
        latency: traffic.and_then(|traffic| latency(&traffic.latency.iter().collect::<Vec<_>>())),
        latency_by_condition: traffic.map_or_else(Vec::new, |traffic| {
            [Condition::Healthy, Condition::Failover, Condition::Degraded]
                .into_iter()
                .zip(&traffic.latency)
                .filter_map(|(condition, fold)| Some((condition, latency(&[fold])?)))
                .collect()
        }),
        services: services(figures),
        queues: super::queues::rows(figures),
        journeys: journeys(figures),
        users: users(figures),
        causes: causes(figures),
        targets,
        break_even: Vec::new(),
        inputs: None,
        needs_at_peak: needs_at_peak(system),
        at_peak: None,
        cost: bill(&system.prices),
        warnings: warnings(figures),
    }
}

fn needs_at_peak(system: &System) -> Vec<NeedsRow> {
    let rows = system.needs_at_peak.iter().map(|row| {
        let pool = &system.pools[row.pool];
        NeedsRow {
            pool: pool.name.clone(),
            needs: pool.needs,
            replicas: pool.active() as u32,
            busy: row.busy,
            workers: pool.workers.unwrap_or(0),
            utilisation: row.utilisation,
            busiest_s: row.busiest.secs_in_horizon(),
        }
    });
    rows.collect()
}

fn bill(prices: &Prices) -> Option<Bill> {
    let per_month = prices.per_month()?;
    let mut items: Vec<BillItem> = prices
        .rows
        .iter()
        .map(|row| BillItem {
            component: row.component.clone(),
            count: row.count,
            each_per_month: row.each_per_month,
            per_month: row.per_month(),
        })
        .collect();
    items.sort_by(|a, b| b.per_month.total_cmp(&a.per_month));
    Some(Bill {
        currency: prices.currency.clone().unwrap_or_default(),
        per_month,
        items,
        without_price: prices.without.clone(),
    })
}

fn facts(figures: &Figures<'_>, looks: u32, complete: bool) -> RunFacts {
    let (plan, record) = (figures.plan, figures.record);
    let traffic = record.traffic.as_ref();
    RunFacts {
        seed: plan.seed,
        replications: record.structure.replications,
        traffic_replications: traffic.map_or(0, |traffic| traffic.replications),
        horizon_s: plan.horizon_s(),
        method: plan.method,
        arrival_driven: traffic.map(|_| arrival_driven(figures.system).is_ok()),
        steady: plan.steady,
        complete,
        slice_s: (plan.method != Method::None).then(|| plan.traffic.slice.as_secs_f64()),
        bad_below: plan.traffic.bad_below,
        requests_simulated: traffic.map_or(0, |traffic| traffic.requests_simulated),
        attempts_simulated: traffic.map_or(0, |traffic| traffic.attempts_simulated),
        transitions_simulated: record.structure.transitions,
        regimes: traffic.map_or(0, |traffic| traffic.regimes),
        share_simulated: traffic.map_or(0.0, |traffic| traffic.window_s / traffic.covered_s),
        bounded_histories: figures.bounded_histories(),
        lent_histories: traffic.map_or(0, |traffic| traffic.lent),
        unsettled_windows: traffic.map_or(0, |traffic| traffic.unsettled),
        unsettled_mean_s: traffic.map_or(0.0, |traffic| {
            traffic.unsettled_s / traffic.unsettled.max(1) as f64
        }),
        late_probes: traffic
            .filter(|_| figures.system.is_coupled())
            .map(|traffic| LateProbes {
                failed: traffic.probes.failed,
                left_out_in_samples: traffic.probes.left_out,
                windows: traffic.probes.longer.windows,
                share_of_time: traffic.probes.longer.windows_s / traffic.covered_s,
            }),
        ejections: traffic
            .filter(|_| figures.system.ejects())
            .map(|traffic| Ejections {
                seen: traffic.ejections.seen,
                windows: traffic.ejections.longer.windows,
                share_of_time: traffic.ejections.longer.windows_s / traffic.covered_s,
            }),
        warm_up: traffic.and_then(|_| super::warm_up::facts(figures.system, plan)),
        forcing: record
            .structure
            .forced
            .as_deref()
            .map(|forced| forcing_facts(figures, forced)),
        splitting: traffic.and_then(|traffic| splitting_facts(&traffic.splitting)),
        looks,
    }
}

fn requests(figures: &Figures<'_>, traffic: &TrafficFold) -> Requests {
    let [issued, _, degraded, _, in_flight] = traffic.estimated.map(|figure| figure.round() as u64);
    let failed = figures.failed_requests(None).round() as u64;
    // Good is what is left, so that the rounded figures still add up.
    let total = RequestCounts {
        issued,
        good: issued.saturating_sub(degraded + failed + in_flight),
        degraded,
        failed,
        in_flight,
    };
    let Counts {
        issued,
        good,
        degraded,
        failed,
        in_flight,
    } = traffic.simulated;
    Requests {
        total,
        simulated: RequestCounts {
            issued,
            good,
            degraded,
            failed,
            in_flight,
        },
        failed_by_cause: traffic
            .by_cause
            .iter()
            .enumerate()
            .map(|(index, _)| (index, figures.failed_requests(Some(index))))
            .filter(|&(_, failed)| failed > 0.0)
            .map(|(index, failed)| (cause_name(figures, Cause::from_index(index)), failed))
            .collect(),
        failed_planned: traffic.planned.y,
    }
}

fn cause_name(figures: &Figures<'_>, cause: Cause) -> String {
    match cause {
        Cause::Load => "load".into(),
        Cause::Base => "base".into(),
        Cause::Fault(blame) => {
            format!(
                "{} ({})",
                figures.system.faults[blame.fault].name,
                blame.phase.word()
            )
        }
    }
}

pub(super) fn latency(folds: &[&LatencyFold]) -> Option<Latency> {
    let mean = latency_mean(folds, CONFIDENCE)?;
    let quantile = |q: f64| latency_quantile(folds, q, CONFIDENCE);
    let whole = whole(folds);
    Some(Latency {
        mean: mean.counted(whole.total().round() as u64),
        p50: quantile(0.5)?,
        p90: quantile(0.9)?,
        p95: quantile(0.95)?,
        p99: quantile(0.99)?,
        p999: quantile(0.999)?,
        largest_seen: whole.max_seen() as f64 * 1e-9,
        curve: curve(&whole),
    })
}

/// Percentiles at equal steps of the number of nines, as far as the count carries.
fn curve(whole: &crate::stats::WeightedHistogram) -> Vec<(f64, f64)> {
    let nines = whole.total().max(1.0).log10().min(6.0);
    (0..CURVE_POINTS)
        .filter_map(|step| {
            let q = 1.0 - 10_f64.powf(-nines * step as f64 / (CURVE_POINTS - 1) as f64);
            Some((q, whole.quantile(q)? * 1e-9))
        })
        .collect()
}

fn services(figures: &Figures<'_>) -> Vec<Service> {
    let structure = &figures.record.structure;
    let load = Load::of(figures.system);
    let row = |name: &str, kind, sums: &Sums, calls| Service {
        name: name.to_owned(),
        kind,
        structural: figures.up_share(sums, CONFIDENCE),
        structural_outages: outages(
            figures.structural_outages_per_year(sums, CONFIDENCE),
            figures.structural_outages_met(sums),
            sums.per_event(CONFIDENCE),
            &Histogram::new(),
        ),
        calls,
        connections: Vec::new(),
        recovery: None,
    };
    let pools = figures.system.pools.pairs().map(|(id, pool)| {
        let kind = match pool.kind {
            PoolKind::Service => "service",
            PoolKind::Cache => "cache",
            PoolKind::Store { .. } => "store",
            PoolKind::External => "external",
            PoolKind::Queue => "queue",
        };
        let traffic = figures.record.traffic.as_ref();
        let calls = traffic.and_then(|traffic| calls(&traffic.pools[id.index()]));
        Service {
            connections: connections(figures, id),
            recovery: pool
                .chooses_leader()
                .then(|| recovery(figures, id, load.writes[id])),
            ..row(&pool.name, kind, &structure.pools[id.index()], calls)
        }
    });
    let balancers = figures.system.balancers.pairs().map(|(id, balancer)| {
        row(
            &balancer.name,
            "balancer",
            &structure.balancers[id.index()],
            None,
        )
    });
    pools.chain(balancers).collect()
}

/// The connections that the slots of `pool` keep.
fn connections(figures: &Figures<'_>, pool: PoolId) -> Vec<Connections> {
    let Some(traffic) = &figures.record.traffic else {
        return Vec::new();
    };
    let system = figures.system;
    let own = system
        .channels
        .pairs()
        .filter(|(_, channel)| channel.from == pool);
    let row = |(id, channel): (ChannelId, &Channel)| {
        let fold = &traffic.channels[id.index()];
        let share = |sums: &Sums| {
            let ratio = sums.ratio(1.0, CONFIDENCE);
            ratio.map(|ratio| ratio.counted(sums.x.round() as u64))
        };
        Connections {
            to: channel.name(system).to_owned(),
            opened: share(&fold.opened),
            shed: share(&fold.shed),
            wait_mean: fold
                .wait
                .ratio(f64::INFINITY, CONFIDENCE)
                .map(|ratio| ratio.counted(fold.wait.x.round() as u64)),
        }
    };
    own.map(row).collect()
}

/// Recoveries of a store that takes so many writes per second.
fn recovery(figures: &Figures<'_>, id: PoolId, writes: f64) -> Recovery {
    let structure = &figures.record.structure;
    let found = &structure.recoveries.stores[id.index()];
    let (felt, _) = figures.recoveries(Quantity::Time, Some(id));
    let felt = &felt.stores[id.index()];
    let replication = figures.system.pools[id].replication.as_ref();
    let per_year = figures.outages_per_year(&found.time, found.time.n, CONFIDENCE);
    let lost = found
        .loss
        .mean(found.loss.n, f64::INFINITY, CONFIDENCE)
        .scaled(YEAR_S / figures.plan.horizon_s());
    Recovery {
        per_year,
        time: spans(&felt.time, &felt.times),
        ends: if figures.recoveries_are_felt(Some(id)) {
            RecoveryEnd::FirstAnswer
        } else if figures.record.traffic.is_some() {
            RecoveryEnd::NobodyAsks
        } else {
            RecoveryEnd::NoTraffic
        },
        lead: spans(&found.time, &found.times),
        loss: replication.map(|_| spans(&found.loss, &found.losses)),
        writes_lost_per_year: replication.filter(|_| writes > 0.0).map(|kind| match kind {
            // Nothing can be lost, however many histories there are.
            Replication::Sync => Estimate {
                high: 0.0,
                ..lost.scaled(0.0)
            },
            Replication::Async { .. } | Replication::SemiSync { .. } => lost.scaled(writes),
        }),
    }
}

/// `sums` are (seconds, events) by replication.
fn spans(sums: &Sums, single: &SparseHistogram) -> Spans {
    let quantile = |q: f64| {
        let total = single.total();
        let (low, high) = stats::quantile_ranks(total, q, CONFIDENCE)?;
        let at = |rank: u64| single.quantile((rank as f64 - 0.5) / total as f64);
        let value = single.quantile(q)?;
        let estimate = Estimate {
            value,
            low: at(low)?.min(value),
            high: at(high)?.max(value),
            confidence: CONFIDENCE,
            n: total,
        };
        Some(estimate.scaled(1e-9))
    };
    Spans {
        mean: sums.per_event(CONFIDENCE),
        p50: quantile(0.5),
        p90: quantile(0.9),
        p99: quantile(0.99),
    }
}

fn calls(pool: &PoolFold) -> Option<Calls> {
    let count = pool.failed.x.round() as u64;
    if count == 0 {
        return None;
    }
    let any = |sums: &Sums| {
        sums.ratio(f64::INFINITY, CONFIDENCE)
            .map(|ratio| ratio.counted(count))
    };
    Some(Calls {
        availability: pool
            .failed
            .ratio(1.0, CONFIDENCE)
            .map(|failed| failed.complement().counted(count)),
        attempts_per_call: any(&pool.attempts),
        attempts_per_request: any(&pool.per_request),
        utilisation: any(&pool.busy),
        wait_mean: any(&pool.wait),
        latency: latency(&[&pool.latency]),
    })
}

fn users(figures: &Figures<'_>) -> Vec<UserRow> {
    let Some(traffic) = figures.record.traffic.as_ref() else {
        return Vec::new();
    };
    let workloads = figures.system.workloads.iter().zip(&traffic.demand);
    let rows = workloads.filter_map(|(workload, demand)| {
        let users = workload.users.as_ref()?;
        let made = demand.ratio(f64::INFINITY, CONFIDENCE);
        Some(UserRow {
            name: workload.name.clone(),
            count: users.count,
            rate: demand.y / traffic.covered_s,
            lost_demand: made.map(Estimate::complement),
        })
    });
    rows.collect()
}

fn journeys(figures: &Figures<'_>) -> Vec<JourneyRow> {
    let traffic = figures.record.traffic.as_ref();
    figures
        .system
        .journeys
        .pairs()
        .map(|(id, journey)| JourneyRow {
            name: journey.name.clone(),
            structural: figures
                .up_share(&figures.record.structure.journeys[id.index()], CONFIDENCE),
            availability: traffic.and_then(|traffic| {
                figures.answered_share_of(
                    Population::Journey(id),
                    &traffic.journeys[id.index()],
                    CONFIDENCE,
                )
            }),
            latency: traffic.and_then(|traffic| latency(&[&traffic.journey_latency[id.index()]])),
        })
        .collect()
}

fn causes(figures: &Figures<'_>) -> Vec<CauseRow> {
    let structure = &figures.record.structure;
    let per_year = YEAR_S / figures.plan.horizon_s();
    let horizon = figures.plan.horizon_s();
    let mut rows: Vec<(f64, CauseRow)> = Vec::new();
    for (index, sums) in structure.by_cause.iter().enumerate() {
        let traffic = figures.record.traffic.as_ref();
        let failed = figures.failed_by_cause(index, CONFIDENCE);
        let seen = traffic.map(|traffic| traffic.outages.by_cause[index]);
        let size = figures.failed_requests(Some(index)) + seen.map_or(0.0, |sums| sums.y) + sums.y;
        if size == 0.0 {
            continue;
        }
        let cause = Cause::from_index(index);
        let (fault, phase) = match cause {
            Cause::Load => ("load".to_owned(), None),
            Cause::Base => ("base".to_owned(), None),
            Cause::Fault(blame) => (
                figures.system.faults[blame.fault].name.clone(),
                Some(blame.phase),
            ),
        };
        let yearly = |sums: &Sums, n: u64| sums.mean(n, horizon, CONFIDENCE).scaled(per_year);
        let row = CauseRow {
            fault,
            phase,
            planned: cause.is_planned(figures.system),
            failed_per_million: failed.map(|share| share.scaled(1e6)),
            downtime_s_per_year: seen.zip(traffic).map(|(seen, traffic)| {
                let plain = plain_mean(&seen, traffic.replications, horizon, CONFIDENCE);
                let forced = figures.forced_slices(sums, CONFIDENCE);
                joined(plain, forced, horizon).scaled(per_year)
            }),
            structural_downtime_s_per_year: yearly(sums, structure.replications),
        };
        let weight = row
            .failed_per_million
            .map_or(row.structural_downtime_s_per_year.value, |failed| {
                failed.value
            });
        rows.push((weight, row));
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.fault.cmp(&b.1.fault)));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Overload that outlives its cause for less than this, on average, is a backlog and no storm, seconds.
const STORM_S: f64 = 60.0;

fn warnings(figures: &Figures<'_>) -> Vec<String> {
    let mut warnings = figures.system.warnings.clone();
    let record = figures.record;
    if let Some(forced) = &record.structure.forced {
        warnings.extend(without_hits(figures.system, forced));
    }
    if record.structure.unended > 0 {
        warnings.push(format!(
            "{} of the structural outages were still going on one horizon after the end; their \
             durations are cut there",
            record.structure.unended
        ));
    }
    if let Some(traffic) = &record.traffic {
        warnings.extend(few_roots(&traffic.splitting));
        let warm_up = super::warm_up::facts(figures.system, figures.plan);
        warnings.extend(warm_up.as_ref().and_then(super::warm_up::warning));
        if traffic.replications < 2 {
            warnings.push(
                "one replication with traffic has no interval: ask for at least 2, better 32"
                    .to_owned(),
            );
        } else if traffic.failed.n < 8 {
            warnings.push(format!(
                "request figures rest on {} independent groups of replications, so their intervals \
                 are wide; ask for more replications",
                traffic.failed.n
            ));
        }
        let mean_s = traffic.unsettled_s / traffic.unsettled.max(1) as f64;
        if mean_s >= STORM_S {
            warnings.insert(0, format!(
                "overload outlived what began it {} times in {} histories, for {:.0} s on average: such a \
                 time was simulated until requests had settled; fewer retries, a shorter `queue` or \
                 more workers would shorten it",
                traffic.unsettled,
                traffic.replications,
                mean_s,
            ));
        }
    }
    warnings
}
