//! The recordings of Envoy 1.40.0 in `tests/recordings`, read for tests.

use super::{Outcome, Rate, Settings};
use crate::time::SimSpan;
use std::collections::BTreeMap;

const RECORDED: &str = include_str!("../../../tests/recordings/envoy-outlier.txt");

/// One scripted run of the program.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) hosts: u32,
    pub(crate) settings: Settings,
    /// Percent.
    pub(crate) panic_threshold: u32,
    /// Whether a health check that passes brings a host back.
    pub(crate) unejects: bool,
    /// By time, in milliseconds.
    pub(crate) lines: Vec<(u64, Line)>,
}

/// What was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Report(u32, Outcome),
    NoHost,
    Eject(u32),
    Uneject(u32),
    Check(u32),
}

/// All cases, in the order of the file.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for block in RECORDED.split("\n\n") {
        let lines = block.lines().filter(|line| !line.starts_with("# envoy"));
        let mut lines = lines.filter(|line| !line.is_empty());
        let Some(name) = lines.next() else { continue };
        let name = name.strip_prefix("case ").expect("a case");
        let hosts = lines.next().and_then(|line| line.strip_prefix("hosts "));
        let hosts = hosts.and_then(|hosts| hosts.parse().ok()).expect("hosts");
        let rule = lines.next().and_then(|line| line.strip_prefix("rule "));
        let rule: BTreeMap<_, _> = rule
            .expect("a rule")
            .split(' ')
            .map(|field| field.split_once('=').expect("a field"))
            .collect();
        let number = |field: &str, default: u64| match rule.get(field) {
            Some(&"true") => 1,
            Some(&"false") => 0,
            Some(value) => value.parse().expect("a number"),
            None => default,
        };
        cases.push(Case {
            name,
            hosts,
            settings: settings(|field, default| number(field, default) as u32),
            panic_threshold: number("healthy_panic_threshold", 50) as u32,
            unejects: number("successful_active_health_check_uneject_host", 1) == 1,
            lines: lines.map(line).collect(),
        });
    }
    cases
}

fn settings(number: impl Fn(&str, u64) -> u32) -> Settings {
    let ms = |field: &str, default: u64| SimSpan::from_millis(u64::from(number(field, default)));
    Settings {
        consecutive_5xx: number("consecutive_5xx", 5),
        enforcing_consecutive_5xx: number("enforcing_consecutive_5xx", 100),
        consecutive_gateway_failure: number("consecutive_gateway_failure", 5),
        enforcing_consecutive_gateway_failure: number("enforcing_consecutive_gateway_failure", 0),
        interval: ms("interval_ms", 10_000),
        base_ejection_time: ms("base_ejection_time_ms", 30_000),
        max_ejection_time: ms("max_ejection_time_ms", 300_000),
        max_ejection_time_jitter: SimSpan::ZERO,
        max_ejection_percent: number("max_ejection_percent", 10),
        always_eject_one_host: number("always_eject_one_host", 0) == 1,
        success_rate: Rate {
            minimum_hosts: number("success_rate_minimum_hosts", 5),
            request_volume: u64::from(number("success_rate_request_volume", 100)),
            enforcing: number("enforcing_success_rate", 100),
        },
        success_rate_stdev_factor: number("success_rate_stdev_factor", 1_900),
        failure_percentage: Rate {
            minimum_hosts: number("failure_percentage_minimum_hosts", 5),
            request_volume: u64::from(number("failure_percentage_request_volume", 50)),
            enforcing: number("enforcing_failure_percentage", 0),
        },
        failure_percentage_threshold: number("failure_percentage_threshold", 85),
    }
}

fn line(text: &str) -> (u64, Line) {
    let mut words = text.trim_start_matches("# ").split(' ');
    let ms = words.next().and_then(|ms| ms.parse().ok());
    let what = words.next().expect("something happened");
    let mut number = || -> u32 {
        let word = words.next();
        word.and_then(|word| word.parse().ok()).expect("a number")
    };
    let line = match what {
        "report" => {
            let host = number();
            let outcome = match number() {
                200 => Outcome::Success,
                500 => Outcome::Error,
                502..=504 => Outcome::GatewayFailure,
                code => panic!("the code {code}"),
            };
            Line::Report(host, outcome)
        }
        "no_host" => Line::NoHost,
        "eject" => Line::Eject(number()),
        "uneject" => Line::Uneject(number()),
        "health_check" => Line::Check(number()),
        what => panic!("{what}"),
    };
    (ms.expect("a time"), line)
}
