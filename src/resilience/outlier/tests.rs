//! Ejections and returns: one by one, and as they were recorded from Envoy.

use super::recorded::{Line, cases};
use super::*;

fn at(secs: f64) -> SimTime {
    SimTime::START + SimSpan::from_secs_f64(secs)
}

/// Upstream's defaults with all detectors off.
fn off() -> Settings {
    let rate = |minimum_hosts, request_volume| Rate {
        minimum_hosts,
        request_volume,
        enforcing: 0,
    };
    Settings {
        consecutive_5xx: 5,
        enforcing_consecutive_5xx: 0,
        consecutive_gateway_failure: 5,
        enforcing_consecutive_gateway_failure: 0,
        interval: SimSpan::from_secs(10),
        base_ejection_time: SimSpan::from_secs(30),
        max_ejection_time: SimSpan::from_secs(300),
        max_ejection_time_jitter: SimSpan::ZERO,
        max_ejection_percent: 100,
        always_eject_one_host: false,
        success_rate: rate(5, 100),
        success_rate_stdev_factor: 1_900,
        failure_percentage: rate(5, 50),
        failure_percentage_threshold: 85,
    }
}

fn by_errors() -> Settings {
    Settings {
        enforcing_consecutive_5xx: 100,
        ..off()
    }
}

/// Who came back or was ejected at sweeps up to `now`.
fn sweep(detection: &mut OutlierDetection, now: f64) -> Vec<(u32, bool)> {
    let mut changes = Vec::new();
    detection.sweep(
        at(now),
        || 0,
        |member, ejected| changes.push((member, ejected)),
    );
    changes
}

fn fail(detection: &mut OutlierDetection, member: u32, times: u32, now: f64) -> bool {
    (0..times).any(|_| detection.report(member, Outcome::Error, at(now), 0))
}

#[test]
fn each_ejection_lasts_longer_up_to_the_longest_and_ends_with_a_sweep() {
    let mut detection = OutlierDetection::new(by_errors(), 4, at(10.0));
    let (mut now, mut lasted) = (3.0, Vec::new());
    for _ in 0..13 {
        assert!(!fail(&mut detection, 0, 4, now));
        assert!(fail(&mut detection, 0, 1, now));
        let begun = now;
        while sweep(&mut detection, now).is_empty() {
            now += 1.0;
        }
        lasted.push(now - begun);
    }
    // The first came in the middle of an interval, the others at sweeps.
    let whole = [37.0, 60.0, 90.0, 120.0, 150.0, 180.0, 210.0, 240.0, 270.0];
    assert_eq!(lasted[..9], whole);
    assert_eq!(lasted[9..], [300.0; 4]);
    assert!(!detection.climbs(0));
}

/// It forgets one ejection at each sweep from one interval after its return on.
#[test]
fn who_has_been_back_for_long_is_as_good_as_new() {
    let mut detection = OutlierDetection::new(by_errors(), 4, at(10.0));
    fail(&mut detection, 0, 5, 10.0);
    assert_eq!(sweep(&mut detection, 40.0), [(0, false)]);
    fail(&mut detection, 0, 5, 40.0);
    assert_eq!(sweep(&mut detection, 100.0), [(0, false)]);
    assert!(detection.remembers(0));
    sweep(&mut detection, 110.0);
    assert!(detection.remembers(0));
    sweep(&mut detection, 120.0);
    assert!(!detection.remembers(0));
    fail(&mut detection, 0, 5, 3_605.0);
    assert_eq!(sweep(&mut detection, 3_630.0), []);
    assert_eq!(sweep(&mut detection, 3_640.0), [(0, false)]);
}

#[test]
fn an_answer_begins_the_count_anew() {
    let mut detection = OutlierDetection::new(by_errors(), 4, at(10.0));
    assert!(!fail(&mut detection, 0, 4, 1.0));
    detection.report(0, Outcome::Success, at(1.0), 0);
    assert!(!fail(&mut detection, 0, 4, 1.0));
    assert!(detection.report(0, Outcome::GatewayFailure, at(1.0), 0));
}

/// 100 (ejected + 1) / members must not be above the cap: upstream's arithmetic, with less than ten members and
/// the default of 10 % for nobody.
#[test]
fn the_cap_counts_who_would_be_ejected_too() {
    let ejected = |members: u32, percent: u32, always: bool| {
        let settings = Settings {
            max_ejection_percent: percent,
            always_eject_one_host: always,
            ..by_errors()
        };
        let mut detection = OutlierDetection::new(settings, members as usize, at(10.0));
        (0..members)
            .filter(|&member| fail(&mut detection, member, 5, 1.0))
            .count()
    };
    assert_eq!(
        [
            ejected(9, 10, false),
            ejected(10, 10, false),
            ejected(20, 10, false)
        ],
        [0, 1, 2]
    );
    assert_eq!(
        [
            ejected(9, 10, true),
            ejected(4, 50, false),
            ejected(3, 50, true)
        ],
        [1, 2, 1]
    );
    assert_eq!(
        [
            ejected(3, 100, false),
            ejected(3, 0, false),
            ejected(3, 0, true)
        ],
        [3, 0, 1]
    );
}

/// Who may not be ejected is looked at again after as many errors.
#[test]
fn the_count_begins_anew_where_the_cap_forbids_it() {
    let settings = Settings {
        max_ejection_percent: 50,
        ..by_errors()
    };
    let mut detection = OutlierDetection::new(settings, 2, at(10.0));
    assert!(fail(&mut detection, 0, 5, 1.0));
    assert!(!fail(&mut detection, 1, 7, 1.0));
    assert_eq!(sweep(&mut detection, 40.0), [(0, false)]);
    assert!(!fail(&mut detection, 1, 2, 40.0));
    assert!(fail(&mut detection, 1, 1, 40.0));
}

/// Upstream's example: rates 50, 100, 100, 100, 100 have the mean 90 and the deviation 20, so the least is 52.
#[test]
fn a_rate_far_below_the_others_ejects() {
    let run = |failures: u32, volume: u32| {
        let mut settings = off();
        settings.success_rate.enforcing = 100;
        let mut detection = OutlierDetection::new(settings, 5, at(10.0));
        for member in 0..5 {
            for answer in 0..volume {
                let failed = member == 0 && answer < failures;
                let outcome = if failed {
                    Outcome::Error
                } else {
                    Outcome::Success
                };
                detection.report(member, outcome, at(1.0), 0);
            }
        }
        let found = sweep(&mut detection, 10.0);
        assert_eq!(sweep(&mut detection, 39.0), []);
        found
    };
    assert_eq!(run(50, 100), [(0, true)]);
    assert_eq!(run(50, 99), []);
    assert_eq!(run(0, 100), []);
    // However seldom: with four that never fail, two deviations of all are always further down.
    assert_eq!(run(1, 100), [(0, true)]);
}

#[test]
fn a_large_share_of_failures_ejects() {
    let run = |failures: u32, members: u32| {
        let mut settings = off();
        settings.failure_percentage.enforcing = 100;
        let mut detection = OutlierDetection::new(settings, members as usize, at(10.0));
        for member in 0..members {
            for answer in 0..100 {
                let failed = member == 1 && answer % 100 < failures;
                let outcome = if failed {
                    Outcome::Error
                } else {
                    Outcome::Success
                };
                detection.report(member, outcome, at(1.0), 0);
            }
        }
        sweep(&mut detection, 10.0)
    };
    assert_eq!(run(85, 5), [(1, true)]);
    assert_eq!(run(84, 5), []);
    assert_eq!(run(100, 4), []);
}

#[test]
fn jitter_and_chance_are_those_of_the_bits() {
    let settings = Settings {
        max_ejection_time_jitter: SimSpan::from_secs(20),
        enforcing_consecutive_5xx: 50,
        ..by_errors()
    };
    let mut detection = OutlierDetection::new(settings, 4, at(10.0));
    let mut errors =
        |bits: u64| (0..5).any(|_| detection.report(0, Outcome::Error, at(10.0), bits));
    assert!(!errors(50));
    assert!(errors(49 + (20_000 << 32)));
    assert_eq!(sweep(&mut detection, 59.0), []);
    assert_eq!(sweep(&mut detection, 60.0), [(0, false)]);
}

/// 300 s at sweeps every 10 s: who is ejected soon after one of them is back at the 31st.
#[test]
fn what_is_known_from_the_start_is_back_at_any_sweep_of_the_longest_ejection() {
    let back = |draw: f64| {
        let mut detection = OutlierDetection::new(by_errors(), 4, at(1_004.0));
        assert!(detection.assume(0, draw));
        assert!(!detection.climbs(0));
        (0..40).find(|sweeps| {
            let now = 1_004.0 + 10.0 * f64::from(*sweeps);
            !sweep(&mut detection, now).is_empty()
        })
    };
    assert_eq!(
        [back(0.01), back(0.5), back(0.99)],
        [Some(0), Some(15), Some(30)]
    );
    let capped = Settings {
        max_ejection_percent: 10,
        ..by_errors()
    };
    let mut detection = OutlierDetection::new(capped, 4, at(1_004.0));
    assert!(!detection.assume(0, 0.5));
    assert!(!detection.climbs(0), "it can never be ejected");
}

/// Sweeps at which nothing can happen cost nothing.
#[test]
fn a_long_quiet_time_is_skipped() {
    let mut detection = OutlierDetection::new(by_errors(), 3, at(3.0));
    sweep(&mut detection, 1e9);
    assert!(!detection.is_due(at(1e9)));
    assert!(detection.is_due(at(1e9 + 10.0)));
}

/// Sweeps of the recordings that came some milliseconds before an interval had passed since the one before, so that
/// what had to be so long ago was not: upstream's timers follow a coarse clock. Elsewhere it makes no difference.
const EARLY: [(&str, u64); 4] = [
    ("backoff_short", 36_935),
    ("gateway", 7_933),
    ("refused_and_silent", 3_939),
    ("panic", 3_938),
];

/// Reports to the detector, and what it makes of them: each ejection by the report that the program ejected for, each
/// return within 10 ms, and nothing else.
#[test]
fn ejections_and_returns_are_those_of_envoy() {
    const SLACK: u64 = 10;
    let at = |ms: u64| SimTime::START + SimSpan::from_millis(ms);
    let mut compared = 0;
    for case in cases() {
        let interval = case.settings.interval.as_nanos() / 1_000_000;
        // By consecutive errors at a report, everything else at a sweep.
        let mut sweeps = case.lines.windows(2).filter_map(|pair| match *pair {
            [(before, Line::Report(..)), (ms, Line::Eject(_))] if ms - before <= 2 => None,
            [_, (ms, Line::Eject(_) | Line::Uneject(_))] => Some(ms),
            _ => None,
        });
        let checks = case.name == "active_check";
        let first = if checks {
            interval / 2
        } else {
            sweeps.next().unwrap_or(interval / 2)
        };
        let first = first - (first - 1) / interval * interval;
        let hosts = case.hosts as usize;
        let mut detection = OutlierDetection::new(case.settings, hosts, at(first));
        let mut grid = first;
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        for &(ms, line) in &case.lines {
            while grid
                < ms.saturating_sub(if matches!(line, Line::Report(..)) {
                    0
                } else {
                    SLACK
                })
            {
                let early = EARLY
                    .iter()
                    .any(|&(name, early)| name == case.name && early.abs_diff(grid) <= SLACK);
                detection.next_sweep = at(grid - if early { SLACK } else { 0 });
                detection.sweep(
                    at(grid),
                    || 0,
                    |host, ejected| found.push((grid, host, ejected)),
                );
                grid += interval;
            }
            match line {
                Line::Report(host, outcome) => {
                    if detection.report(host, outcome, at(ms), 0) {
                        found.push((ms, host, true));
                    }
                }
                Line::Check(host) => {
                    if case.unejects && detection.pass(host, at(ms)) {
                        found.push((ms, host, false));
                    }
                }
                Line::Eject(host) => expected.push((ms, host, true)),
                Line::Uneject(host) => expected.push((ms, host, false)),
                Line::NoHost => {}
            }
        }
        // At one sweep in no order.
        let by_host = |mut events: Vec<(u64, u32, bool)>| {
            events.sort_by_key(|&(ms, host, _)| (host, ms));
            events
        };
        let (expected, found) = (by_host(expected), by_host(found));
        let same = expected.len() == found.len()
            && expected
                .iter()
                .zip(&found)
                .all(|(a, b)| (a.1, a.2) == (b.1, b.2) && a.0.abs_diff(b.0) <= SLACK);
        assert!(same, "{}:\n{expected:?}\n{found:?}", case.name);
        compared += expected.len();
    }
    assert!(compared > 100, "{compared} events");
}
