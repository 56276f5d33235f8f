//! Exchangeable parts: which of several equal zones, machines or replicas fails changes no figure.

use super::system;
use fivenines::control::{Control, Detail};
use fivenines::model::System;
use fivenines::path::{KeyMaker, Regime};
use fivenines::time::{SimSpan, SimTime};
use fivenines::traffic::{Source, Traffic, TrafficSettings};
use std::collections::{BTreeMap, BTreeSet};

/// Three equal zones of which one loses power for an hour, with everything in it. Nothing about the
/// control state is drawn but the phases of probes.
fn site(zones: [&str; 3], failing: usize, machines: &str, app: &str) -> String {
    let domains: String = zones
        .iter()
        .enumerate()
        .map(|(index, zone)| {
            let faults = if index == failing {
                ", faults: {power: {every: 5d, lasts: 1h}}"
            } else {
                ""
            };
            format!("  {zone}: {{kind: zone{faults}}}\n")
        })
        .collect();
    let across = zones.join(", ");
    format!(
        "
fivenines: 1
run: {{horizon: 10d, start: new, seed: 5}}
domains:
{domains}nodes: {{{machines}: {{count: 3, across: [{across}]}}}}
services:
  {app}:
    replicas: 6
    on: {machines}
    workers: 2
    starts_in: 20s
    operations: {{read: {{takes: {{exponential: {{mean: 20ms}}}}, calls: [{{to: db.read, through: pool, timeout: 50ms, retries: {{max: 2}}}}]}}}}
  db:
    replicas: 3
    across: [{across}]
    operations: {{read: {{takes: {{exponential: {{mean: 5ms}}}}}}}}
balancers:
  pool: {{to: db, algorithm: ALGORITHM, probes: {{interval: 2s}}}}
  edge: {{to: {app}, algorithm: ALGORITHM, probes: {{interval: 2s, timeout: 1s, rise: 2, fall: 3}}}}
workload:
  users: {{arrive: {{poisson: 100/s}}, journeys: {{read: 100%}}, through: edge, patience: 1s}}
"
    )
}

/// The regimes of the history by their keys, and for how long each holds, in seconds.
fn regimes(system: &System) -> BTreeMap<u64, (Regime, f64)> {
    let mut control = Control::new(system, Detail::Full);
    let (mut keys, mut signals) = (KeyMaker::default(), Vec::new());
    let mut found = BTreeMap::new();
    let end = SimTime::START + system.run.horizon;
    let mut at = SimTime::START;
    while at < end {
        let regime = control.regime().clone();
        let until = control.next_time().min(end);
        if until > at {
            let entry = found
                .entry(keys.key(system, &regime))
                .or_insert_with(|| (regime, 0.0));
            entry.1 += until.since(at).as_secs_f64();
        }
        if until >= end {
            break;
        }
        at = until;
        signals.clear();
        control.step(&mut signals);
    }
    found
}

/// What 200 s of requests see under `regime`: counts, and the sum of what is known of latency.
fn sample(system: &System, regime: &Regime, key: u64) -> Vec<u64> {
    let settings = TrafficSettings {
        slice: SimSpan::from_secs(1),
        bad_below: 0.95,
        settle: SimSpan::ZERO,
        bounds: vec![SimSpan::from_millis(30), SimSpan::from_millis(80)],
        bins: None,
    };
    let mut traffic = Traffic::new(system, settings);
    let source = Source::Sample {
        seed: 7,
        regime: key,
        batch: 0,
    };
    let (from, to) = (SimSpan::from_secs(10), SimSpan::from_secs(210));
    traffic.begin(regime, SimTime::START, source);
    traffic.count(SimTime::START + from, SimTime::START + to);
    traffic.run_until(SimTime::START + to);
    while traffic.counted_in_flight() > 0 {
        traffic.step();
    }
    traffic.finish(traffic.now());
    let tally = traffic.tally();
    let journeys = tally.journeys.iter().flat_map(|journey| {
        [
            journey.counts.good,
            journey.counts.degraded,
            journey.counts.failed,
        ]
        .into_iter()
        .chain(journey.within.iter().copied())
    });
    let pools = tally
        .pools
        .iter()
        .flat_map(|pool| [pool.calls, pool.attempts, pool.attempts_failed]);
    journeys.chain(pools).collect()
}

#[test]
fn which_of_equal_zones_fails_changes_neither_regimes_nor_what_requests_see() {
    for algorithm in ["round_robin", "least_conn", "two_choices", "random"] {
        let with = |zones, failing, machines, app| {
            system(&site(zones, failing, machines, app).replace("ALGORITHM", algorithm))
        };
        let systems = [
            with(["a", "b", "c"], 0, "web", "app"),
            with(["a", "b", "c"], 1, "web", "app"),
            with(["a", "b", "c"], 2, "web", "app"),
            // Other names, in another order.
            with(["oslo", "bergen", "alta"], 1, "host", "shop"),
        ];
        let histories: Vec<_> = systems.iter().map(regimes).collect();
        // Healthy, and two of six gone for long enough that the balancer knows.
        // In between, chance decides whose probe fails first.
        let settled = |index: usize| -> Vec<u64> {
            histories[index]
                .iter()
                .filter(|(_, (_, seconds))| *seconds > 600.0)
                .map(|(&key, _)| key)
                .collect()
        };
        assert_eq!(settled(0).len(), 2);
        for index in 1..systems.len() {
            assert_eq!(settled(index), settled(0), "{algorithm}: system {index}");
        }
        for key in settled(0) {
            let seen: Vec<_> = systems
                .iter()
                .zip(&histories)
                .map(|(system, history)| sample(system, &history[&key].0, key))
                .collect();
            assert!(seen[0][0] > 18_000, "{:?}", seen[0]);
            for other in &seen[1..] {
                assert_eq!(other, &seen[0], "{algorithm}");
            }
        }
    }
}

/// Without probes nothing is drawn, so all regimes are the same, those of a moment included.
#[test]
fn which_of_equal_zones_fails_changes_no_regime() {
    let keys = |zones, failing, machines, app| -> BTreeSet<u64> {
        let text = site(zones, failing, machines, app).replace("ALGORITHM", "round_robin");
        let text = text
            .replace(
                ", probes: {interval: 2s, timeout: 1s, rise: 2, fall: 3}",
                "",
            )
            .replace(", probes: {interval: 2s}", "");
        regimes(&system(&text)).into_keys().collect()
    };
    let first = keys(["a", "b", "c"], 0, "web", "app");
    assert!(first.len() >= 3, "{first:?}");
    for failing in [1, 2] {
        assert_eq!(keys(["a", "b", "c"], failing, "web", "app"), first);
        assert_eq!(
            keys(["oslo", "bergen", "alta"], failing, "host", "shop"),
            first
        );
    }
}
