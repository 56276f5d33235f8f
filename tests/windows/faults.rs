//! Each kind of fault that does not simply stop a replica, alone and all together.

use super::harness::{compare, system};
use fivenines::model::System;

/// Replicas with one fault each of the kinds that do not simply stop them; probes notice some.
fn impaired(fault: &str) -> System {
    system(
        &"
fivenines: 1
run: {horizon: 1h}
services:
  app:
    replicas: 3
    workers: 4
    queue: 40
    starts_in: 5s
    faults: {FAULT}
    operations: {read: {takes: {exponential: {mean: 40ms}}}}
balancers: {edge: {to: app, algorithm: least_conn, probes: {interval: 2s, timeout: 1s, takes: 100ms, rise: 2, fall: 2}}}
workload: {users: {arrive: {poisson: 60/s}, journeys: {read: 100%}, through: edge, patience: 1s}}
"
        .replace("FAULT", fault),
    )
}

const SPELL: &str = "every: {exponential: {mean: 600s}}, lasts: {exponential: {mean: 40s}}";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_replicas_hang() {
    let paired = compare(&impaired(&format!("hang: {{{SPELL}}}")), 64, |_| {});
    paired.agrees();
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_replicas_stand_still() {
    let paired = compare(&impaired(&format!("pause: {{{SPELL}}}")), 64, |_| {});
    paired.agrees();
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_replicas_are_slow() {
    let system = impaired(&format!("slow: {{factor: 20, {SPELL}}}"));
    let paired = compare(&system, 64, |_| {});
    paired.agrees();
}

#[test]
fn windows_agree_with_exact_when_replicas_answer_with_errors() {
    let system = impaired(&format!("errors: {{share: 40%, {SPELL}}}"));
    let paired = compare(&system, 64, |_| {});
    paired.agrees();
}

/// Faults of every kind that one crew repairs, a shock that makes all replicas hang or fail at once,
/// clocks that stand still.
const MIXED: &str = "
fivenines: 1
run: {horizon: 1h}
crews: {ops: {count: 1}}
common_causes: {heat: {hits: [app.disk, app.hang], every: {exponential: {mean: 40m}}, chance: 50%}}
services:
  app:
    replicas: 3
    workers: 4
    queue: 40
    queue_timeout: 500ms
    starts_in: 5s
    faults:
      hang: {every: {exponential: {mean: 20m}}, lasts: {exponential: {mean: 30s}}, repaired_by: ops, clock: operating, common: {beta: 10%}}
      disk: {kind: errors, share: 60%, every: {exponential: {mean: 20m}}, lasts: {exponential: {mean: 30s}}, noticed_in: 5s, repaired_by: ops}
      slow: {factor: 10, every: {exponential: {mean: 20m}}, lasts: {exponential: {mean: 30s}}, repaired_by: ops}
      pause: {every: {exponential: {mean: 20m}}, lasts: {exponential: {mean: 10s}}, clock: operating}
    operations: {read: {takes: {exponential: {mean: 40ms}}, fails: 0.1%}}
balancers: {edge: {to: app, algorithm: least_conn, probes: {interval: 2s, timeout: 1s, takes: 100ms, rise: 2, fall: 2}}}
workload: {users: {arrive: {poisson: 60/s}, journeys: {read: 100%}, through: edge, patience: 1s}}
";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_a_crew_repairs_faults_of_every_kind() {
    let paired = compare(&system(MIXED), 64, |_| {});
    paired.agrees();
}
