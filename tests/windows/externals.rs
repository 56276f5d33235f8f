//! Outages of third parties, of each kind.

use super::harness::{compare, system};

const SHOP: &str = "
fivenines: 1
run: {horizon: 1h}
services:
  shop:
    replicas: 2
    workers: 20
    queue: 100
    operations: {buy: {takes: {exponential: {mean: 20ms}}, calls: [{to: payments.charge, timeout: 800ms, retries: {max: 1}}]}}
externals:
  payments:
    availability: 95%
    outages: {lasts: {lognormal: {median: 10s, p95: 60s}}}
    during_outage: KIND
    concurrency: 30
    operations: {charge: {takes: {lognormal: {median: 120ms, p95: 400ms}}, fails: 0.1%}}
workload: {users: {arrive: {poisson: 40/s}, journeys: {shop.buy: 100%}, patience: 2s}}
";

fn agrees(kind: &str) {
    let paired = compare(&system(&SHOP.replace("KIND", kind)), 32, |_| {});
    paired.agrees();
}

#[test]
fn windows_agree_with_exact_when_a_third_party_answers_with_errors() {
    agrees("errors");
}

#[test]
fn windows_agree_with_exact_when_a_third_party_is_silent() {
    agrees("silent");
}

#[test]
fn windows_agree_with_exact_when_a_third_party_refuses() {
    agrees("refused");
}
