//! Caches that lose their content: for twenty minutes the database behind them has more to do than it can.

use super::harness::{compare, system};
use fivenines::path::Cause;

const REFILLED: &str = "
fivenines: 1
run: {horizon: 12h}
services:
  app:
    operations:
      read: {takes: 5ms, calls: [{to: cache.get, timeout: 20ms, hit: 90%, on_miss: [{to: db.query}], on_failure: [{to: db.query}]}]}
caches:
  cache:
    refills_in: 20m
    faults:
      crash: {every: {exponential: {mean: 4h}}, lasts: 10s}
      pause: {every: {exponential: {mean: 4h}}, lasts: 100ms}
    operations: {get: {takes: 300us}}
stores:
  db: {members: 1, workers: 1, queue: 10, operations: {query: {takes: {exponential: {mean: 150ms}}}}}
workload: {users: {arrive: {poisson: 12/s}, journeys: {app.read: 100%}, patience: 2s}}
";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_caches_fill_again() {
    let paired = compare(&system(REFILLED), 32, |_| {});
    paired.agrees_within(0.03);
    // The fault lasts ten seconds of which every cache passes: what fails comes later, and is the fault's.
    assert!(paired.share > 0.005, "{}", paired.share);
    let of_faults = |index: usize| matches!(Cause::from_index(index), Cause::Fault(_));
    let share = paired.agrees_about("after crashes", of_faults, 0.02);
    assert!(share > 0.9, "{share}");
}
