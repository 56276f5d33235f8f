//! Faults with a story of their own: of domains, of all replicas at once, of operators, that come and
//! go, and whose processes somebody starts again.

use super::harness::{Paired, compare, system};

/// Replicas behind a balancer with probes; what stands around and in them is to be filled in.
fn site(around: &str, app: &str) -> String {
    "
fivenines: 1
run: {horizon: 1h}
AROUND
services:
  app:
    replicas: 3
    workers: 4
    queue: 40
    APP
    operations: {read: {takes: {exponential: {mean: 40ms}}}}
balancers: {edge: {to: app, algorithm: least_conn, probes: {interval: 2s, timeout: 1s, takes: 100ms, rise: 2, fall: 2}}}
workload: {users: {arrive: {poisson: 60/s}, journeys: {read: 100%}, through: edge, patience: 1s}}
"
    .replace("AROUND", around)
    .replace("APP", app)
}

#[track_caller]
fn agrees(source: &str, replications: u64) -> Paired {
    let paired = compare(&system(source), replications, |_| {});
    paired.agrees();
    paired
}

const SPELL: &str = "every: {exponential: {mean: 600s}}, lasts: {exponential: {mean: 40s}}";

#[test]
fn windows_agree_with_exact_when_zones_are_cut_off() {
    let zone = format!("{{faults: {{isolated: {{{SPELL}}}}}}}");
    let around = format!("domains: {{a: {zone}, b: {zone}}}");
    agrees(&site(&around, "across: [a, b]"), 64);
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_zones_lose_power() {
    let zone = format!("{{faults: {{power: {{{SPELL}}}}}}}");
    let around = format!("domains: {{a: {zone}, b: {zone}}}");
    agrees(&site(&around, "across: [a, b]\n    starts_in: 5s"), 64);
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_a_shock_hits_them_all() {
    let app = format!("faults: {{crash: {{{SPELL}, common: {{beta: 30%}}}}}}");
    agrees(&site("", &app), 64);
}

#[test]
fn windows_agree_with_exact_when_configurations_are_bad() {
    let app = "faults: {configuration: {every: {exponential: {mean: 600s}}, bad: 60%, spreads_in: 10s, noticed_in: 20s, reverted_in: 10s}}";
    agrees(&site("", app), 64);
}

#[test]
fn windows_agree_with_exact_when_certificates_expire() {
    let app = "faults: {certificate: {valid_for: 10m, renewal_fails: 60%, noticed_in: {exponential: {mean: 20s}}, renewed_in: {exponential: {mean: 20s}}}}";
    agrees(&site("", app), 64);
}

#[test]
fn windows_agree_with_exact_when_a_fault_comes_and_goes() {
    let flaps = "flaps: {down: {exponential: {mean: 4s}}, up: {exponential: {mean: 12s}}}";
    let app = format!("starts_in: 1s\n    faults: {{crash: {{{SPELL}, {flaps}}}}}");
    agrees(&site("", &app), 64);
}

#[test]
fn windows_agree_with_exact_when_processes_crash_in_a_loop() {
    let app = "starts_in: 2s
    restart: {like: kubernetes, starts_fail: 40%}
    faults:
      crash: {every: {exponential: {mean: 300s}}}
      loop: {kind: crash, every: {exponential: {mean: 30m}}, lasts: {exponential: {mean: 40s}}}";
    agrees(&site("", app), 64);
}
