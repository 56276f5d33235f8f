//! Both request engines leave the same records: of samples, of windows, of every request.

use super::harness::system;
use fivenines::estimate::{GroupRunner, Plan};
use fivenines::model::{Load, Method};
use fivenines::traffic::{Engine, arrival_driven};

/// Replicas that crash, behind a pair with probes; a member is overloaded when another is down, users leave, some
/// work ends in errors; targets that count requests by time.
const SITE: &str = "
fivenines: 1
run: {horizon: 40d, seed: 5}
services:
  app:
    replicas: 3
    workers: 2
    queue: 8
    faults:
      crash: {every: {exponential: {mean: 4d}}, lasts: {exponential: {mean: 20m}}}
      hang: {every: {exponential: {mean: 9d}}, lasts: 5m}
    operations:
      read: {takes: {exponential: {mean: 8ms}}}
      write: {takes: {lognormal: {median: 9ms, p95: 40ms}}, fails: 2%}
balancers:
  edge:
    to: app
    algorithm: two_choices
    replicas: 2
    failover: {vrrp: {advert_int: 1s, priorities: [150, 100]}}
    probes: {interval: 2s, timeout: 300ms, rise: 2, fall: 2}
    faults: {crash: {every: {exponential: {mean: 12d}}, lasts: 1h}}
journeys:
  read: {calls: [{to: app.read, through: edge, timeout: 120ms}]}
  write: {calls: [{to: app.write, through: edge}]}
workload:
  users: {arrive: {poisson: 250/s, profile: {peak: \"20:00\", ratio: 2}}, journeys: {read: 90%, write: 10%}, patience: 400ms}
targets: [\"availability >= 99.9%\", \"availability over 10d >= 99.9%\"]
";

fn same(text: &str, method: Method, traffic: u64) {
    let system = system(text);
    assert_eq!(arrival_driven(&system), Ok(()));
    let records = [Engine::Events, Engine::Automatic].map(|engine| {
        let mut plan = Plan::new(&system, &Load::of(&system), 3, method);
        plan.traffic_per_block = traffic;
        plan.engine = engine;
        let mut runner = GroupRunner::new(&system, &plan);
        let records =
            (0..2).map(|group| runner.run(0, group, traffic, &|| false).expect("it runs"));
        let records: Vec<_> = records.collect();
        assert!(records[0].traffic.is_some());
        serde_json::to_string(&records).expect("records can be written")
    });
    assert!(records[0].len() > 1_000);
    assert!(records[0] == records[1], "the engines differ");
}

#[test]
fn samples_and_windows_are_the_same_by_both_engines() {
    same(SITE, Method::Windows, 64);
}

#[test]
fn every_request_of_a_short_history_is_the_same_by_both_engines() {
    let text = SITE.replace("40d", "20m").replace("mean: 4d", "mean: 10m");
    let text = text.replace(", \"availability over 10d >= 99.9%\"", "");
    same(&text, Method::Exact, 64);
}
