//! Hand-made outcomes for tests: an ordinary one, the largest, one without traffic, one without faults.

use crate::experiment::outcome::*;
use crate::model::Method;
use crate::path::Phase;

/// Text that wants to be markup, a terminal escape and a second line.
pub(crate) const HOSTILE: &str = "</script><script>alert('x')</script>\" onload=\"x \x1b[31mred\nline `|*[a](javascript:b)\u{202e}";

fn e(value: f64, low: f64, high: f64, n: u64) -> Estimate {
    Estimate {
        value,
        low,
        high,
        confidence: 0.95,
        n,
    }
}

fn around(value: f64, relative: f64, n: u64) -> Estimate {
    e(value, value * (1.0 - relative), value * (1.0 + relative), n)
}

fn latency(median: f64, tail: f64) -> Latency {
    let at = |q: f64| median * (1.0 / (2.0 * (1.0 - q))).powf(tail);
    let curve = (0..100)
        .map(|i| 1.0 - 10_f64.powf(-f64::from(i) * 0.045))
        .map(|q| (q, at(q)))
        .collect();
    let p = |q: f64| around(at(q), 0.004, 12_614_400);
    Latency {
        mean: around(median * 1.2, 0.002, 12_614_400),
        p50: p(0.5),
        p90: p(0.9),
        p95: p(0.95),
        p99: p(0.99),
        p999: p(0.999),
        largest_seen: at(0.999_999),
        curve,
    }
}

fn downtime(mean: f64, n: u64) -> Downtime {
    let exceedance = (0..150)
        .map(|i| {
            let share = 0.59 * 10_f64.powf(-f64::from(i) * 0.02);
            (mean * 0.6 * (0.62 / share).ln(), share)
        })
        .collect();
    Downtime {
        mean: around(mean, 0.12, n),
        p50: Some(e(mean * 0.2, 0.0, mean * 0.3, n)),
        p90: Some(around(mean * 2.6, 0.1, n)),
        p95: Some(around(mean * 3.5, 0.15, n)),
        p99: None,
        none: e(0.41, 0.38, 0.44, n),
        exceedance,
    }
}

fn outages(per_year: f64) -> Outages {
    Outages {
        per_year: around(per_year, 0.06, 1_843),
        duration_mean: Some(around(2_460.0, 0.09, 1_843)),
        duration_p50: Some(around(1_300.0, 0.09, 1_843)),
        duration_p99: Some(around(14_460.0, 0.2, 1_843)),
        mtbf: Some(around(31_536_000.0 / per_year, 0.06, 1_843)),
    }
}

fn none_seen(n: u64) -> (Downtime, Outages) {
    let bound = 1.0 - 0.05_f64.powf(1.0 / n as f64);
    let downtime = Downtime {
        mean: e(0.0, 0.0, bound * 31_536_000.0, n),
        p50: Some(e(0.0, 0.0, 0.0, n)),
        p90: None,
        p95: None,
        p99: None,
        none: e(1.0, 1.0 - bound, 1.0, n),
        exceedance: Vec::new(),
    };
    let outages = Outages {
        per_year: e(0.0, 0.0, f64::INFINITY, 0),
        duration_mean: None,
        duration_p50: None,
        duration_p99: None,
        mtbf: None,
    };
    (downtime, outages)
}

fn service(name: &str, kind: &'static str, calls: bool) -> Service {
    Service {
        name: name.to_owned(),
        kind,
        structural: e(0.999_93, 0.999_91, 0.999_95, 1_024),
        structural_outages: outages(0.7),
        connections: Vec::new(),
        recovery: None,
        calls: calls.then(|| Calls {
            availability: Some(e(0.999_88, 0.999_86, 0.999_9, 98_000_000)),
            attempts_per_call: Some(e(1.003_1, 1.002_7, 1.003_5, 98_000_000)),
            attempts_per_request: Some(e(1.502, 1.501, 1.503, 98_000_000)),
            utilisation: Some(e(0.312, 0.309, 0.315, 64)),
            wait_mean: Some(e(0.000_41, 0.000_39, 0.000_43, 98_000_000)),
            latency: Some(latency(0.006, 0.4)),
        }),
    }
}

fn cause(fault: &str, phase: Option<Phase>, share: f64) -> CauseRow {
    CauseRow {
        fault: fault.to_owned(),
        phase,
        planned: fault.ends_with(".maintenance"),
        failed_per_million: Some(around(190.0 * share, 0.2, 64)),
        downtime_s_per_year: Some(around(7_900.0 * share, 0.3, 64)),
        structural_downtime_s_per_year: around(3_150.0 * share, 0.1, 1_024),
    }
}

/// A target that is met, `availability >= 99.95%`.
pub(crate) fn target(expression: &str, verdict: Verdict) -> TargetRow {
    let measured = match verdict {
        Verdict::Met => Estimate {
            confidence: 0.991_67,
            ..e(0.999_81, 0.999_79, 0.999_83, 64)
        },
        Verdict::Missed => Estimate {
            confidence: 0.991_67,
            ..e(0.999_2, 0.999_1, 0.999_3, 64)
        },
        Verdict::Undecided => Estimate {
            confidence: 0.991_67,
            ..e(0.999_52, 0.999_4, 0.999_6, 64)
        },
    };
    TargetRow {
        expression: expression.to_owned(),
        line: 64,
        verdict,
        measured: Some(measured),
        shown: Some(measured.value),
        required: 0.9995,
        unit: Unit::Share,
        at_least: true,
        periods: None,
        missed_by_histories: None,
    }
}

fn latency_target(expression: &str, verdict: Verdict, shown: Option<f64>) -> TargetRow {
    TargetRow {
        measured: Some(e(0.994_2, 0.994_0, 0.994_4, 12_614_400)),
        shown,
        required: 0.99,
        unit: Unit::SharedLatency,
        ..target(expression, verdict)
    }
}

/// What a good run of an ordinary scenario gives.
pub(crate) fn ordinary() -> Outcome {
    Outcome {
        name: "Article site, three zones".to_owned(),
        hash: "3f9c01ab77de2210".to_owned(),
        run: RunFacts {
            seed: 7,
            replications: 1_024,
            traffic_replications: 64,
            horizon_s: 31_536_000.0,
            method: Method::Windows,
            arrival_driven: Some(false),
            steady: true,
            complete: true,
            slice_s: Some(1.0),
            bad_below: 0.95,
            requests_simulated: 12_614_400,
            attempts_simulated: 31_234_567,
            transitions_simulated: 2_345_678,
            regimes: 214,
            share_simulated: 0.000_7,
            bounded_histories: 0,
            lent_histories: 960,
            unsettled_windows: 0,
            unsettled_mean_s: 0.0,
            late_probes: None,
            ejections: None,
            warm_up: Some(WarmUpFacts {
                used_s: 4.0,
                formula_s: 2.0,
                pairs: 64,
                mean_s: Some(0.715_7),
                largest_s: Some(2.464_2),
                missing: Some("app".into()),
                measured: 3,
                unknown: 0,
                slow: Vec::new(),
                too_short: false,
            }),
            forcing: None,
            splitting: None,
            looks: 3,
        },
        availability: Availability {
            request: Some(e(0.999_81, 0.999_79, 0.999_83, 64)),
            full: Some(e(0.999_42, 0.999_39, 0.999_45, 64)),
            time: Some(e(0.999_75, 0.999_7, 0.999_8, 64)),
            structural: e(0.999_9, 0.999_88, 0.999_92, 1_024),
            structural_at_end: e(0.999_9, 0.996, 1.0, 1_024),
        },
        downtime: Some(downtime(7_900.0, 64)),
        planned_downtime: Some(around(630.0, 0.2, 64)),
        outages: Some(outages(1.8)),
        structural_downtime: Downtime {
            p99: Some(around(22_000.0, 0.2, 1_024)),
            ..downtime(3_150.0, 1_024)
        },
        structural_planned_downtime: around(250.0, 0.1, 1_024),
        structural_outages: outages(1.1),
        requests: Some(Requests {
            total: RequestCounts {
                issued: 807_321_600_000,
                good: 806_853_353_472,
                degraded: 314_855_424,
                failed: 153_391_072,
                in_flight: 32,
            },
            simulated: RequestCounts {
                issued: 12_000_000,
                good: 11_800_000,
                degraded: 150_000,
                failed: 49_990,
                in_flight: 10,
            },
            failed_by_cause: vec![
                ("articles.crash, promote".to_owned(), 100_000_000.4),
                ("load".to_owned(), 53_391_071.6),
            ],
            failed_planned: 12_271_285.8,
        }),
        latency: Some(latency(0.038, 0.42)),
        latency_by_condition: vec![
            (Condition::Healthy, latency(0.037, 0.4)),
            (Condition::Failover, latency(0.21, 0.6)),
            (Condition::Degraded, latency(0.052, 0.5)),
        ],
        services: vec![
            service("app", "service", true),
            service("cache", "cache", true),
            service("articles", "store", true),
            service("edge", "balancer", false),
        ],
        users: Vec::new(),
        queues: Vec::new(),
        journeys: vec![
            JourneyRow {
                name: "readers.read".to_owned(),
                structural: e(0.999_95, 0.999_93, 0.999_97, 1_024),
                availability: Some(e(0.999_84, 0.999_82, 0.999_86, 64)),
                latency: Some(latency(0.037, 0.4)),
            },
            JourneyRow {
                name: "readers.publish".to_owned(),
                structural: e(0.999_9, 0.999_88, 0.999_92, 1_024),
                availability: Some(e(0.998_3, 0.998_1, 0.998_5, 64)),
                latency: None,
            },
        ],
        causes: vec![
            cause("articles.crash", Some(Phase::Promote), 0.31),
            cause("articles.crash", Some(Phase::Detect), 0.22),
            cause("north-a.power", Some(Phase::Repair), 0.17),
            cause("web.crash", Some(Phase::Detect), 0.11),
            cause("app.maintenance", Some(Phase::WarmUp), 0.08),
            cause("north-a.power", Some(Phase::Converge), 0.05),
            cause("articles.crash", Some(Phase::Decide), 0.03),
            CauseRow { structural_downtime_s_per_year: e(0.0, 0.0, 0.0, 1_024), ..cause("load", None, 0.02) },
            CauseRow {
                failed_per_million: Some(e(0.0, 0.0, f64::INFINITY, 64)),
                ..cause("edge.crash", Some(Phase::Decide), 0.01)
            },
        ],
        targets: vec![
            target("availability >= 99.95%", Verdict::Met),
            target("readers.publish.availability >= 99.95%", Verdict::Missed),
            latency_target("latency.p99 <= 300ms", Verdict::Met, Some(0.183)),
            TargetRow {
                measured: Some(Estimate { confidence: 0.991_67, ..e(0.05, 0.02, 0.11, 64) }),
                shown: Some(0.05),
                required: 0.05,
                at_least: false,
                ..target("probability(downtime > 4h) <= 5%", Verdict::Undecided)
            },
        ],
        inputs: None,
        break_even: (0..4)
            .map(|index| {
                let row = BreakEven {
                    input: "north-a.power.every".to_owned(),
                    scaled: Scaled::Often,
                    met: true,
                    factor: (index < 2).then_some(3.1),
                    between: (index < 2).then_some((3.08, 3.12)),
                    tried: 1_024.0,
                    unturned: (index >= 2).then_some(Unturned::NotYet),
                };
                vec![row; index]
            })
            .collect(),
        needs_at_peak: vec![NeedsRow {
            pool: "app".to_owned(),
            needs: 4,
            replicas: 6,
            busy: 18.1,
            workers: 6,
            utilisation: 0.8,
            busiest_s: 72_000.0,
        }],
        at_peak: Some(at_peak()),
        cost: Some(Bill {
            currency: "EUR".to_owned(),
            per_month: 1_234.5,
            items: vec![
                BillItem { component: "web".to_owned(), count: 6, each_per_month: 180.0, per_month: 1_080.0 },
                BillItem { component: "edge".to_owned(), count: 2, each_per_month: 77.25, per_month: 154.5 },
            ],
            without_price: vec!["cache".to_owned(), "articles".to_owned()],
        }),
        warnings: vec![
            "cache is assumed never to fail: it states no fault".to_owned(),
            "no fault of kind release, configuration, human or common cause is stated; real systems \
             lose most of their time there"
                .to_owned(),
        ],
    }
}

/// Three losses at a busy hour, the last of which was not simulated.
fn at_peak() -> AtPeak {
    let left = |lost: Option<f64>, app: f64| PeakState {
        utilisation: vec![("app".to_owned(), Some(app)), ("articles".to_owned(), None)],
        journeys_down: Vec::new(),
        nothing: false,
        lost: lost.map(|lost| e(lost, lost * 0.9, lost * 1.1 + 1e-4, 64_000)),
        latency_p99: lost.map(|lost| around(0.1 + lost, 0.05, 64_000)),
    };
    let loss = |part: &str, kind: &str, left: PeakState| SingleLoss {
        kind: kind.to_owned(),
        part: part.to_owned(),
        alike: vec!["north-c".to_owned()],
        left,
    };
    let mut worst = left(Some(0.031), 1.04);
    worst.journeys_down.push("readers.publish".to_owned());
    AtPeak {
        busiest_s: 2.0 * 86_400.0 + 20.0 * 3_600.0,
        rate: 600.0,
        healthy: left(Some(0.0), 0.52),
        losses: vec![
            loss("north-a", "zone", worst),
            loss("app-1", "replica", left(Some(0.0), 0.63)),
            loss("edge-1", "balancer", left(None, 0.52)),
        ],
        left_out: 0,
    }
}

/// More of everything than fits, with hostile text wherever the file allows free text.
pub(crate) fn largest() -> Outcome {
    let mut o = ordinary();
    o.name = format!("{HOSTILE} {}", "very long name ".repeat(40));
    o.run.complete = false;
    o.run.seed = u64::MAX;
    o.run.requests_simulated = u64::MAX;
    o.warnings = (0..50).map(|i| format!("warning {i}: {HOSTILE}")).collect();
    for i in 0..40 {
        let verdict = [Verdict::Met, Verdict::Undecided, Verdict::Missed][i % 3];
        let unit = [
            Unit::Share,
            Unit::Seconds,
            Unit::PerYear,
            Unit::SharedLatency,
        ][i % 4];
        o.targets.push(TargetRow {
            unit,
            shown: (i % 8 != 7).then_some(f64::INFINITY),
            measured: (i % 5 != 4).then(|| e(0.5, 0.25, f64::INFINITY, 9)),
            ..target(&format!("{HOSTILE} {i} {}", "long ".repeat(i)), verdict)
        });
        let name = format!("a-very-long-service-name-number-{i}-{}", "x".repeat(i));
        o.services.push(service(&name, "service", i % 2 == 0));
        o.causes.push(cause(
            &format!("{name}.crash"),
            Some(Phase::ALL[i % 6]),
            0.01,
        ));
        o.journeys.push(JourneyRow {
            name,
            ..o.journeys[0].clone()
        });
        if let Some(at) = &mut o.at_peak {
            let mut row = at.losses[0].clone();
            row.kind = format!("{HOSTILE} {i}");
            row.alike = vec![format!("alike-{i}"); i];
            row.left.journeys_down = vec![format!("journey-{i}"); i];
            at.losses.push(row);
            at.left_out = 1_234;
        }
    }
    o
}

/// Structure only: no traffic.
pub(crate) fn without_traffic() -> Outcome {
    let mut o = ordinary();
    o.run = RunFacts {
        method: Method::None,
        warm_up: None,
        arrival_driven: None,
        traffic_replications: 0,
        slice_s: None,
        requests_simulated: 0,
        attempts_simulated: 0,
        regimes: 0,
        share_simulated: 0.0,
        horizon_s: 30.0 * 86_400.0,
        steady: false,
        ..o.run
    };
    o.availability = Availability {
        request: None,
        full: None,
        time: None,
        ..o.availability
    };
    (o.downtime, o.outages, o.requests, o.latency) = (None, None, None, None);
    o.at_peak = None;
    o.latency_by_condition.clear();
    for row in &mut o.services {
        row.calls = None;
    }
    for row in &mut o.journeys {
        (row.availability, row.latency) = (None, None);
    }
    for row in &mut o.causes {
        (row.failed_per_million, row.downtime_s_per_year) = (None, None);
    }
    o.targets.clear();
    o.warnings.clear();
    o
}

/// Nothing failed in any history.
pub(crate) fn without_failures() -> Outcome {
    let mut o = ordinary();
    let (downtime, outages) = none_seen(64);
    let good = e(1.0, 0.999_71, 1.0, 64);
    o.availability = Availability {
        request: Some(good),
        full: Some(good),
        time: Some(good),
        structural: good,
        structural_at_end: good,
    };
    (o.structural_downtime, o.structural_outages) = (downtime.clone(), outages.clone());
    o.structural_planned_downtime = o.structural_downtime.mean;
    o.planned_downtime = Some(o.structural_downtime.mean);
    (o.downtime, o.outages) = (Some(downtime), Some(outages.clone()));
    for row in &mut o.services {
        row.structural = good;
        row.structural_outages = outages.clone();
    }
    for row in &mut o.journeys {
        row.structural = good;
        row.availability = Some(good);
    }
    o.causes.clear();
    o.latency_by_condition.truncate(1);
    o.targets = vec![TargetRow {
        measured: Some(good),
        ..target("availability >= 99.95%", Verdict::Met)
    }];
    if let Some(r) = &mut o.requests {
        r.failed_by_cause.clear();
        r.failed_planned = 0.0;
    }
    o
}
