//! `windows` against `exact` on the same histories: the same control paths and the same requests,
//! so that the paired difference contains nothing but what the method leaves out.
//!
//! Faults are compressed (minutes apart, not months), so that exact histories are affordable and
//! windows are a large part of the time. Everything must agree within three standard errors, of which
//! one is at most 1 % of the failed share (`Paired::agrees`). Seeds are fixed: one under a plain
//! `cargo test`, four with `FIVENINES_ORACLES=full`, as in CI, for half the errors. The mutants are
//! kept: a method without look-back, or without warm-up, must not pass.

#![expect(clippy::print_stdout, reason = "the figures belong beside a verdict")]

#[path = "windows/connections.rs"]
mod connections;
#[path = "windows/coupled.rs"]
mod coupled;
#[path = "windows/ejection.rs"]
mod ejection;
#[path = "windows/engines.rs"]
mod engines;
#[path = "windows/externals.rs"]
mod externals;
#[path = "windows/far_connections.rs"]
mod far_connections;
#[path = "windows/faults.rs"]
mod faults;
#[path = "windows/harness.rs"]
mod harness;
#[path = "windows/lent.rs"]
mod lent;
#[path = "windows/network.rs"]
mod network;
#[path = "windows/parts.rs"]
mod parts;
#[path = "windows/passive.rs"]
mod passive;
#[path = "windows/periods.rs"]
mod periods;
#[path = "windows/refill.rs"]
mod refill;
#[path = "windows/slow_start.rs"]
mod slow_start;
#[path = "windows/spells.rs"]
mod spells;
#[path = "windows/splitting.rs"]
mod splitting;
#[path = "windows/storm.rs"]
mod storm;
#[path = "windows/warm_up.rs"]
mod warm_up;
#[path = "windows/workload.rs"]
mod workload;

use fivenines::path::Cause;
use fivenines::time::SimSpan;
use harness::{Found, compare, system};

/// Short work, quick detection: most failures are requests sent to a dead replica before it is noticed.
const PROBED: &str = "
fivenines: 1
run: {horizon: 1h}
services:
  app:
    replicas: 3
    workers: 2
    starts_in: 5s
    faults: {crash: {every: {exponential: {mean: 600s}}, lasts: {exponential: {mean: 60s}}}}
    operations: {read: {takes: {exponential: {mean: 15ms}}}}
balancers: {edge: {to: app, algorithm: two_choices, probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}}}
workload: {users: {arrive: {poisson: 100/s}, journeys: {read: 100%}, through: edge, patience: 500ms}}
";

/// Long work and many at once: a crash takes as many requests as were in progress.
const IN_FLIGHT: &str = "
fivenines: 1
run: {horizon: 1h}
services:
  app:
    replicas: 3
    faults: {crash: {every: {exponential: {mean: 600s}}, lasts: {exponential: {mean: 60s}}}}
    operations: {read: {takes: {exponential: {mean: 1s}}}}
balancers: {edge: {to: app, algorithm: least_conn, probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}}}
workload: {users: {arrive: {poisson: 40/s}, journeys: {read: 100%}, through: edge, patience: 10s}}
";

/// A queue that is long even when all is well: a window that begins empty loses too few requests.
const QUEUED: &str = "
fivenines: 1
run: {horizon: 4h}
services:
  app:
    replicas: 2
    workers: 1
    faults: {crash: {every: {exponential: {mean: 150s}}, lasts: {exponential: {mean: 2s}}}}
    operations: {read: {takes: {exponential: {mean: 100ms}}}}
balancers: {edge: {to: app, algorithm: round_robin, probes: {interval: 1s, timeout: 500ms, rise: 1, fall: 1}}}
workload: {users: {arrive: {poisson: 18/s}, journeys: {read: 100%}, through: edge, patience: 2s}}
";

/// Two workloads, one of which swings by a factor of three over the day: with one replica gone, the
/// other is overloaded at noon and idle at night. The quiet time must be sampled where requests are.
const SWING: &str = "
fivenines: 1
run: {horizon: 1d}
services:
  app:
    replicas: 2
    workers: 1
    queue: 20
    faults: {crash: {every: {exponential: {mean: 90m}}, lasts: {exponential: {mean: 10m}}}}
    operations: {read: {takes: {exponential: {mean: 100ms}}}, list: {takes: {exponential: {mean: 50ms}}}}
balancers: {edge: {to: app, algorithm: least_conn, probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}}}
workload:
  day: {arrive: {poisson: 7/s, profile: {peak: \"12:00\", ratio: 3}}, journeys: {read: 100%}, through: edge, patience: 1s}
  always: {arrive: {poisson: 1/s}, journeys: {list: 100%}, through: edge, patience: 2s}
";

/// Replicas are drained and stopped one by one, sometimes while another is down; the hall stops as a
/// whole, undrained, now and then.
const MAINTAINED: &str = "
fivenines: 1
run: {horizon: 4h}
domains: {hall: {faults: {maintenance: {every: {exponential: {mean: 3h}}, lasts: {exponential: {mean: 10s}}, drained: false}}}}
services:
  app:
    replicas: 3
    across: [hall]
    workers: 2
    starts_in: 5s
    faults:
      crash: {every: {exponential: {mean: 20m}}, lasts: {exponential: {mean: 60s}}}
      maintenance: {every: 30m, lasts: 40s, one_by_one: true, pause: 20s}
    operations: {read: {takes: {exponential: {mean: 15ms}}}}
balancers: {edge: {to: app, algorithm: two_choices, probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}}}
workload: {users: {arrive: {poisson: 100/s}, journeys: {read: 100%}, through: edge, patience: 500ms}}
";

/// Releases roll, some of them bad; bad configurations spread; the certificate of the balancers expires.
const RELEASED: &str = "
fivenines: 1
run: {horizon: 4h}
services:
  app:
    replicas: 3
    workers: 2
    starts_in: 5s
    faults:
      crash: {every: {exponential: {mean: 40m}}, lasts: {exponential: {mean: 60s}}}
      release: {every: 30m, bad: 30%, noticed_in: {exponential: {mean: 40s}}, rolls: {pause: 10s}}
      configuration: {every: 20m, bad: 20%, noticed_in: {exponential: {mean: 30s}}, spreads_in: 20s, reverted_in: 5s}
    operations: {read: {takes: {exponential: {mean: 15ms}}}}
balancers:
  edge:
    to: app
    replicas: 2
    algorithm: two_choices
    probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}
    faults: {certificate: {valid_for: 1h, renewal_fails: 10%, noticed_in: 20s, renewed_in: 10s}}
workload: {users: {arrive: {poisson: 100/s}, journeys: {read: 100%}, through: edge, patience: 500ms}}
";

/// A leader that moves, a cache that misses, a pair of balancers, retries: everything together.
const SITE: &str = "
fivenines: 1
run: {horizon: 1h}
domains:
  a: {kind: zone, faults: {power: &power {every: {exponential: {mean: 3h}}, lasts: {uniform: {min: 30s, max: 2m}}}}}
  b: {kind: zone, faults: {isolated: {every: {exponential: {mean: 2h}}, lasts: 1m}}}
  c: {kind: zone}
services:
  app:
    replicas: 6
    across: [a, b, c]
    workers: 8
    queue: 32
    starts_in: {uniform: {min: 2s, max: 5s}}
    faults: {crash: {every: {exponential: {mean: 1h}}, lasts: {lognormal: {median: 20s, p95: 80s}}}}
    operations:
      read:
        takes: {lognormal: {median: 8ms, p95: 30ms}}
        calls: [{to: cache.get, timeout: 20ms, hit: 85%, on_miss: [{to: articles.query, timeout: 200ms}], on_failure: [{to: articles.query, timeout: 200ms}]}]
      publish:
        takes: 10ms
        calls: [{to: articles.write, timeout: 200ms, retries: {max: 2, backoff: {base: 50ms, jitter: full}}}]
caches:
  cache: {across: [a], faults: {crash: {every: {exponential: {mean: 2h}}, lasts: 20s}}, operations: {get: {takes: 300us}}}
balancers:
  edge:
    to: app
    algorithm: least_conn
    probes: {interval: 2s, timeout: 1s, rise: 2, fall: 3}
    replicas: 2
    across: [a, b]
    failover: {vrrp: {advert_int: 1s, priorities: [150, 100]}}
    faults: {crash: {every: {exponential: {mean: 2h}}, lasts: 30s}}
stores:
  articles:
    members: 3
    across: [a, b, c]
    failover: {lease: {ttl: 30s, loop_wait: 10s}}
    faults: {crash: {every: {exponential: {mean: 1h}}, lasts: {exponential: {mean: 1m}}}}
    operations:
      query: {takes: {exponential: {mean: 2ms}}, from: any}
      write: {takes: {exponential: {mean: 4ms}}, from: leader}
workload:
  readers: {arrive: {poisson: 100/s}, journeys: {read: 90%, publish: 10%}, through: edge, patience: 2s}
";

/// One crew for everything, a standby that takes its time, failovers that fail now and then, shocks.
const HANDLED: &str = "
fivenines: 1
run: {horizon: 1h}
crews: {ops: {count: 1, order: priority, preempts: true}}
people: {on_call: {acknowledge: {uniform: {min: 5s, max: 20s}}, act: 10s}}
common_causes: {heat: {hits: [app.crash, articles.crash], every: {exponential: {mean: 40m}}, chance: 70%}}
services:
  app:
    replicas: 2
    standby: {count: 1, kind: warm, rate: 30%, activates_in: 5s}
    workers: 4
    faults: {crash: {every: {exponential: {mean: 12m}}, lasts: {exponential: {mean: 1m}}, noticed_in: 3s, repaired_by: ops, priority: 2}}
    operations: {publish: {takes: {exponential: {mean: 10ms}}, calls: [{to: articles.write, timeout: 200ms}]}}
balancers: {edge: {to: app, algorithm: two_choices, probes: {interval: 1s, timeout: 500ms, rise: 1, fall: 2}}}
stores:
  articles:
    members: 3
    failover: {generic: {detect: {heartbeat: {every: 1s, dead_after: 3s}}, promote: {exponential: {mean: 4s}}, coverage: 80%, on_failure: {takes: {people: on_call}, restores: all}, failback: {after: 20s, takes: 1s}}}
    faults: {crash: {every: {exponential: {mean: 15m}}, lasts: {exponential: {mean: 30s}}, repaired_by: ops, priority: 1}}
    operations: {write: {takes: {exponential: {mean: 4ms}}, from: leader}}
workload: {users: {arrive: {poisson: 60/s}, journeys: {publish: 100%}, through: edge, patience: 1s}}
";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_repairs_queue_and_standbys_take_over() {
    let paired = compare(&system(HANDLED), 64, |_| {});
    paired.agrees();
}

/// Shards asked at the same time, of which one may be missing; shared processors, urgent work first,
/// deadlines passed on, and users each with a patience of its own.
const FORKS: &str = "
fivenines: 1
run: {horizon: 1h}
services:
  front:
    replicas: 2
    workers: 8
    queue: 40
    discipline: priority
    faults: {crash: {every: {exponential: {mean: 20m}}, lasts: {exponential: {mean: 30s}}}}
    operations:
      search: {takes: 5ms, calls: [{to: shard.find, fan_out: 3, wait_for: 2, timeout: 150ms, deadline: 250ms, passes_deadline: true}]}
      list: {takes: {exponential: {mean: 20ms}}, calls: [{to: shard.find, chance: 50%, timeout: 200ms, optional: true}]}
  shard:
    replicas: 3
    workers: 1
    discipline: processor_sharing
    queue: 30
    faults: {crash: {every: {exponential: {mean: 10m}}, lasts: {exponential: {mean: 30s}}}}
    operations: {find: {takes: {exponential: {mean: 12ms}}}}
balancers: {edge: {to: front, algorithm: least_conn, probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}}}
journeys:
  search: {priority: high, calls: [{to: front.search}]}
  list: {priority: low, calls: [{to: front.list}]}
workload:
  users: {arrive: {poisson: 60/s}, journeys: {search: 70%, list: 30%}, through: edge, patience: {uniform: {min: 200ms, max: 1s}}}
";

#[test]
fn windows_agree_with_exact_when_detection_dominates() {
    let paired = compare(&system(PROBED), 64, |_| {});
    paired.agrees();
    assert!(
        paired.simulated < 0.5,
        "windows must not be the whole of it"
    );
}

#[test]
fn windows_agree_with_exact_when_requests_in_flight_dominate() {
    let paired = compare(&system(IN_FLIGHT), 64, |_| {});
    paired.agrees();
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_calls_are_made_at_the_same_time() {
    let paired = compare(&system(FORKS), 32, |_| {});
    paired.agrees();
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_queues_are_long() {
    let paired = compare(&system(QUEUED), 64, |plan| {
        plan.windows.sample = SimSpan::from_secs(400)
    });
    paired.agrees();
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_the_load_swings() {
    let paired = compare(&system(SWING), 64, |plan| {
        plan.windows.sample = SimSpan::from_secs(300)
    });
    paired.agrees();
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_through_maintenance() {
    let paired = compare(&system(MAINTAINED), 32, |_| {});
    paired.agrees();
    let planned = Cause::planned(&system(MAINTAINED));
    let share = paired.agrees_about("planned", |cause| planned[cause], 0.01);
    assert!(share > 0.1);
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_through_releases() {
    let system = system(RELEASED);
    let paired = compare(&system, 32, |_| {});
    paired.agrees();
    paired.agrees_about_causes(0.02);
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_on_a_whole_site() {
    // A regime in which about half of the slices are bad says little in eight of them.
    let paired = compare(&system(SITE), 64, |plan| {
        plan.windows.sample = SimSpan::from_secs(60)
    });
    paired.agrees();
    assert!(paired.downtime_error() <= 0.01);
    paired.agrees_about_causes(0.02);
    for q in [0.5, 0.9, 0.99] {
        let at = |found: &Found| found.latency.quantile(q).expect("requests were answered");
        let (windows, exact) = (at(&paired.windows), at(&paired.exact));
        assert!((windows / exact - 1.0).abs() <= 0.02, "the percentile {q}");
    }
}

#[test]
fn without_look_back_the_requests_in_flight_are_missed() {
    let paired = compare(&system(IN_FLIGHT), 64, |plan| {
        plan.windows.look_back = SimSpan::ZERO
    });
    assert!(
        paired.difference < -3.0 * paired.error,
        "the mutant must not pass"
    );
}

#[test]
fn without_warm_up_the_queue_is_missed() {
    let paired = compare(&system(QUEUED), 64, |plan| {
        plan.windows.sample = SimSpan::from_secs(400);
        plan.windows.warm_up = SimSpan::ZERO;
    });
    assert!(
        paired.difference < -3.0 * paired.error,
        "the mutant must not pass"
    );
}
