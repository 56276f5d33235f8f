//! Connections that are lost with what they lead to, waited for, and opened again.

use super::harness::{compare, system};

/// A store that crashes, behind two services with few connections that cost something to open.
const DIRECT: &str = "
fivenines: 1
run: {horizon: 2h}
services:
  app:
    replicas: 2
    faults: {crash: {every: {exponential: {mean: 10m}}, lasts: 5s}}
    connections: {db: {max: 4, setup: {exponential: {mean: 200ms}}, idle_timeout: 5s, wait: 300ms, queue: 10}}
    operations: {read: {takes: {exponential: {mean: 5ms}}, calls: [{to: db.query, timeout: 500ms}]}}
stores:
  db:
    members: 1
    starts_in: 2s
    faults: {crash: {every: {exponential: {mean: 5m}}, lasts: {exponential: {mean: 10s}}}}
    operations: {query: {takes: {exponential: {mean: 60ms}}}}
workload: {users: {arrive: {poisson: 40/s}, journeys: {app.read: 100%}, patience: 2s}}
";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_connections_are_lost_and_waited_for() {
    let paired = compare(&system(DIRECT), 32, |_| {});
    paired.agrees();
}

/// The same behind a balancer with two instances, where members hang.
const BALANCED: &str = "
fivenines: 1
run: {horizon: 2h}
services:
  app:
    replicas: 2
    connections: {edge: {max: 6, setup: 20ms, idle_timeout: 3s, wait: 100ms}}
    operations: {read: {takes: {exponential: {mean: 5ms}}, calls: [{to: page.show, through: edge, timeout: 400ms}]}}
  page:
    replicas: 3
    workers: 4
    starts_in: 5s
    faults: {hang: {every: {exponential: {mean: 10m}}, lasts: {exponential: {mean: 20s}}}}
    operations: {show: {takes: {exponential: {mean: 60ms}}}}
balancers:
  edge:
    to: page
    replicas: 2
    probes: {interval: 2s, timeout: 1s, fall: 2, rise: 2}
    faults: {crash: {every: {exponential: {mean: 20m}}, lasts: 10s}}
workload: {users: {arrive: {poisson: 40/s}, journeys: {app.read: 100%}, patience: 2s}}
";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_connections_lead_to_a_balancer() {
    let paired = compare(&system(BALANCED), 32, |_| {});
    paired.agrees();
}
