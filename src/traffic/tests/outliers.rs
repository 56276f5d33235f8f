//! Outlier detection of a balancer's instance: what brings an ejected member back, and what it forgets.

use super::build::{Build, call, constant, settings};
use super::case::{ms, state};
use crate::ids::{Id, SlotId};
use crate::model::{Algorithm, Impairment, OutlierDetection, OutlierRate, Probes};
use crate::path::{Regime, SlotState};
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Source, Traffic};

fn detection() -> OutlierDetection {
    let off = OutlierRate {
        minimum_hosts: 5,
        request_volume: 100,
        enforcing: 0,
    };
    OutlierDetection {
        consecutive_5xx: 1,
        enforcing_consecutive_5xx: 100,
        consecutive_gateway_failure: 5,
        enforcing_consecutive_gateway_failure: 0,
        interval: SimSpan::from_secs(10),
        base_ejection_time: SimSpan::from_secs(30),
        max_ejection_time: SimSpan::from_secs(300),
        max_ejection_time_jitter: SimSpan::ZERO,
        max_ejection_percent: 50,
        always_eject_one_host: false,
        success_rate: off,
        success_rate_stdev_factor: 1_900,
        failure_percentage: off,
        failure_percentage_threshold: 85,
        passed_probe_unejects: true,
        healthy_panic_threshold: 0,
    }
}

/// The first of two replicas answers such a share with errors, and one error ejects it: errors of 100 s at 50 requests a
/// second, and how often it was ejected.
fn errors(
    share: f64,
    edit: impl FnOnce(&mut Build, &mut OutlierDetection),
    restarts: bool,
) -> (u64, u64) {
    let mut system = Build::new();
    let app = system.pool("app", 2, Some(4), None);
    let edge = system.balancer(app, 1, Algorithm::RoundRobin, false);
    let mut rule = detection();
    edit(&mut system, &mut rule);
    system.0.balancers[edge].outlier_detection = Some(rule);
    let work = system.operation(app, constant(0.001));
    let mut site = call(work);
    site.through = Some(edge);
    let site = system.site(site);
    system.workload("users", 50.0, None, vec![site]);
    let mut traffic = Traffic::new(&system.0, settings());
    let mut regime = Regime::all_up(&system.0);
    let errs = Impairment {
        factor: 1.0,
        errors: share,
    };
    regime.impairments[SlotId::from_index(0)] = errs;
    let source = Source::Replication {
        seed: 3,
        replication: 0,
    };
    let begin = SimTime::START + SimSpan::from_secs(100);
    let end = begin + SimSpan::from_secs(100);
    traffic.begin(&regime, begin, source);
    traffic.count(begin, end);
    if restarts {
        let instance = system.0.balancers[edge].slots[0];
        for second in [25, 50, 75] {
            let at = begin + SimSpan::from_secs(second);
            traffic.run_until(at);
            traffic.apply(at, state(instance, SlotState::Refusing));
            traffic.apply(at + ms(1), state(instance, SlotState::Serving));
        }
    }
    traffic.run_until(end);
    traffic.finish(end);
    let tally = traffic.tally();
    tally.check().expect("all is there");
    (tally.pools[app].attempts_failed, tally.ejections)
}

/// At once, at a sweep after 30 s, and at one after 60 s more.
#[test]
fn who_errs_is_away_until_a_sweep_finds_that_its_time_is_over() {
    let (failed, ejections) = errors(1.0, |_, _| {}, false);
    assert!((2..=3).contains(&failed), "{failed}");
    assert_eq!(failed, ejections);
}

/// Each probe, every 10 s, passes, and brings it back.
#[test]
fn a_probe_that_passes_brings_it_back_unless_that_is_turned_off() {
    let probes = |work: Option<f64>| Probes {
        interval: SimSpan::from_secs(10),
        timeout: SimSpan::from_secs(1),
        takes: SimSpan::from_millis(1),
        rise: 1,
        fall: 1,
        work: work.map(constant),
    };
    for work in [None, Some(0.001)] {
        let watched = |rule: &mut OutlierDetection, system: &mut Build, unejects: bool| {
            rule.passed_probe_unejects = unejects;
            system.0.balancers.as_mut_slice()[0].probes = Some(probes(work));
        };
        // One answer in fifty is an error, which is met within 2 s of a return.
        let away = |share: f64, unejects: bool| {
            errors(share, |system, rule| watched(rule, system, unejects), false).0
        };
        assert!(
            (8..=11).contains(&away(0.02, true)),
            "{work:?}: {}",
            away(0.02, true)
        );
        assert!(
            (2..=3).contains(&away(1.0, true)),
            "{work:?}: an error is no pass"
        );
        assert!((2..=3).contains(&away(1.0, false)), "{work:?}");
    }
}

#[test]
fn an_instance_that_starts_anew_knows_of_no_ejection() {
    let (failed, _) = errors(1.0, |_, _| {}, true);
    assert_eq!(failed, 4);
}

/// With one of two healthy there is no panic below 50 %, but below 60 % there is, and the ejection is ignored.
#[test]
fn in_a_panic_all_get_attempts() {
    let (failed, ejections) = errors(1.0, |_, rule| rule.healthy_panic_threshold = 50, false);
    assert_eq!(failed, ejections);
    let (failed, ejections) = errors(1.0, |_, rule| rule.healthy_panic_threshold = 60, false);
    assert!((2_300..=2_700).contains(&failed), "{failed}");
    assert!((2..=4).contains(&ejections), "{ejections}");
}
