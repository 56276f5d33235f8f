//! Targets that are read and targets that are refused.

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
        horizon: SimSpan::from_secs(31_536_000),
        slice: None,
        queues: vec![],
        stores: vec![
            Store {
                name: "articles".into(),
                id: PoolId::from_index(3),
                replicates: true,
            },
            Store {
                name: "users".into(),
                id: PoolId::from_index(4),
                replicates: false,
            },
        ],
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
        horizon: SimSpan::from_secs(31_536_000),
        slice: None,
        queues: vec![],
        stores: vec![
            Store {
                name: "articles".into(),
                id: PoolId::from_index(3),
                replicates: true,
            },
            Store {
                name: "users".into(),
                id: PoolId::from_index(4),
                replicates: false,
            },
        ],
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

fn periods(text: &str) -> (crate::model::PeriodBound, Relation, f64) {
    let found = parse(text, &known()).expect(text);
    match found.metric {
        Metric::Periods(bound) => (bound, found.relation, found.bound),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn periods_are_named_by_their_length() {
    use crate::model::{Counted, Measure, Over};
    let day = |days: u64| SimSpan::from_secs(days * 86_400);
    let (bound, relation, share) = periods("availability over 30d >= 99.9%");
    assert_eq!(
        (bound.measure, bound.over),
        (Measure::Requests(Counted::ALL), Over::Calendar(day(30)))
    );
    assert_eq!(
        (bound.bound, relation, share),
        (0.999, Relation::AtLeast, 0.95)
    );
    let (bound, ..) = periods("structural.downtime over rolling 7d excluding planned <= 1h");
    assert_eq!(
        (
            bound.measure,
            bound.over,
            bound.bound,
            bound.excluding_planned
        ),
        (
            Measure::StructuralDowntime,
            Over::Rolling(day(7)),
            3_600.0,
            true
        )
    );
    let (bound, relation, share) = periods("probability(availability.time < 99.9%) <= 1%");
    assert_eq!((bound.measure, bound.over), (Measure::Time, Over::History));
    assert_eq!((relation, share), (Relation::AtMost, 0.01));
    let (bound, ..) = periods("probability(downtime over 30d excluding planned > 1h) <= 5%");
    assert_eq!(
        (bound.over, bound.excluding_planned),
        (Over::Calendar(day(30)), true)
    );
}

#[test]
fn periods_that_cannot_be_judged_are_refused() {
    for (text, says) in [
        ("availability over 2y >= 99%", "longer than the horizon"),
        ("availability over 1h30s >= 99%", "no whole minutes"),
        (
            "structural.availability over 1s >= 99%",
            "more than 100000 periods",
        ),
        ("availability over soon >= 99%", "soon"),
        ("outages over 30d <= 2", "cannot be asked of periods"),
        (
            "probability(availability > 99%) <= 5%",
            "too little availability",
        ),
        (
            "probability(downtime over 30d < 1h) <= 5%",
            "too much downtime",
        ),
        (
            "probability(latency.p99 over 1d > 1s) <= 5%",
            "no probability of",
        ),
        (
            "probability(downtime > 1h) excluding planned <= 5%",
            "cannot leave out",
        ),
        ("availability over 30d <= 99%", "must be at least"),
    ] {
        let wrong = refused(text);
        assert!(wrong.message.contains(says), "{text}: {}", wrong.message);
        assert!(!wrong.help.is_empty(), "{text}");
    }
}
