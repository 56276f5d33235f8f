//! Rates that move in steps, and bursts.

use super::harness::{compare, compare_seeds, system};
use fivenines::path::Cause;

/// Nobody at night, four times as many at noon as in the morning, and a busy Tuesday: two days of it.
const HOURS: &str = "
fivenines: 1
run: {horizon: 2d}
services:
  app:
    replicas: 2
    workers: 1
    starts_in: 30s
    faults: {crash: {every: {exponential: {mean: 5h}}, lasts: {exponential: {mean: 10m}}}}
    operations: {read: {takes: {exponential: {mean: 250ms}}}}
balancers: {edge: {to: app, algorithm: least_conn, probes: {interval: 5s, timeout: 2s, rise: 2, fall: 2}}}
workload:
  users:
    arrive:
      poisson: 1/s
      profile:
        hours: [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 4, 4, 2, 1, 1, 1, 2, 1, 1, 1, 1, 0, 0]
        days: {tue: 200%, weekend: 0}
    journeys: {read: 100%}
    through: edge
    patience: 3s
";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_the_rate_goes_by_hour_and_day() {
    let paired = compare_seeds(&system(HOURS), 3, 64, |_| {});
    paired.agrees();
    // The mean over a week is a requests per second; Monday and Tuesday have three of its six shares.
    let expected = paired.histories * 604_800.0 * 3.0 / 6.0;
    assert!(
        (paired.exact.ended / expected - 1.0).abs() < 0.002,
        "{}",
        paired.exact.ended
    );
    assert!(
        (paired.windows.ended / expected - 1.0).abs() < 0.01,
        "{}",
        paired.windows.ended
    );
}

/// Twice what the replicas can do, for a minute now and then, and faults besides.
const BURSTS: &str = "
fivenines: 1
run: {horizon: 2h}
services:
  app:
    replicas: 2
    workers: 1
    starts_in: 5s
    faults: {crash: {every: {exponential: {mean: 30m}}, lasts: {exponential: {mean: 30s}}}}
    operations: {read: {takes: {exponential: {mean: 50ms}}}, write: {takes: {exponential: {mean: 60ms}}}}
balancers: {edge: {to: app, algorithm: least_conn, probes: {interval: 2s, timeout: 1s, rise: 2, fall: 2}}}
workload:
  readers:
    arrive: {poisson: 16/s}
    bursts: {every: {exponential: {mean: 10m}}, lasts: {exponential: {mean: 60s}}, factor: 4}
    journeys: {read: 100%}
    through: edge
    patience: 1s
  writers: {arrive: {poisson: 4/s}, journeys: {write: 100%}, through: edge, patience: 2s}
";

#[test]
fn windows_agree_with_exact_in_bursts_and_blame_them() {
    let system = system(BURSTS);
    let paired = compare(&system, 64, |_| {});
    paired.agrees();
    for name in ["readers.burst", "app.crash"] {
        let of = |cause| match Cause::from_index(cause) {
            Cause::Fault(blame) => system.faults[blame.fault].name == name,
            Cause::Load | Cause::Base => false,
        };
        assert!(paired.agrees_about(name, of, 0.01) > 0.05);
    }
    // Four times as many during 60 s of 660 s.
    let expected = paired.histories * 7_200.0 * (16.0 * (1.0 + 3.0 * 60.0 / 660.0) + 4.0);
    assert!((paired.exact.ended / expected - 1.0).abs() < 0.01);
    assert!((paired.windows.ended / paired.exact.ended - 1.0).abs() < 0.01);
}

/// So few users that every seventh slice has none: it copies the one before, at the borders of windows and
/// of samples too.
const SELDOM: &str = "
fivenines: 1
run: {horizon: 1d, slice: 10s}
services:
  app:
    replicas: 1
    faults: {crash: {every: {exponential: {mean: 30m}}, lasts: {exponential: {mean: 2m}}}}
    operations: {read: {takes: {exponential: {mean: 250ms}}, fails: 5%}}
workload: {users: {arrive: {poisson: 0.2/s}, journeys: {app.read: 100%}, patience: 5s}}
";

#[test]
fn windows_agree_with_exact_when_slices_are_often_empty() {
    let paired = compare(&system(SELDOM), 64, |plan| {
        plan.windows.sample = plan.windows.sample.saturating_mul(8)
    });
    paired.agrees();
}

/// Users in a closed loop beside others; with a replica gone there is more than the rest can do.
const CLOSED: &str = "
fivenines: 1
run: {horizon: 2h}
services:
  app:
    replicas: 3
    workers: 1
    starts_in: 5s
    faults: {crash: {every: {exponential: {mean: 30m}}, lasts: {exponential: {mean: 60s}}}}
    operations: {read: {takes: {exponential: {mean: 100ms}}}}
balancers: {edge: {to: app, algorithm: least_conn, probes: {interval: 2s, timeout: 1s, rise: 2, fall: 2}}}
workload:
  users: {arrive: {users: {count: 60, think: {exponential: {mean: 4s}}}}, journeys: {read: 100%}, through: edge, patience: 2s}
  robots: {arrive: {poisson: 6/s}, journeys: {read: 100%}, through: edge, patience: 1s}
";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_users_wait_for_their_answers() {
    let paired = compare(&system(CLOSED), 160, |_| {});
    // Users of a window draw anew, so the difference contains the luck of both methods.
    paired.agrees();
    let ended = paired.windows.ended / paired.exact.ended - 1.0;
    assert!(ended.abs() < 0.002, "{ended}");
    assert!(paired.simulated < 0.8);
}

/// A trace of hours that repeats with no day or week, some of them empty, one of them overloaded.
#[test]
fn windows_agree_with_exact_when_rates_come_from_a_trace() {
    let mut csv = String::from("time,per_minute\n");
    for (hour, rate) in [60, 0, 150, 600, 0, 90, 60].iter().enumerate() {
        csv.push_str(&format!("{},{rate}\n", 3_600 * hour));
    }
    let source = HOURS
        .replace("2d", "1d")
        .replace("poisson: 1/s", "trace: {file: arrivals.csv, repeat: 7h}");
    let (before, after) = source.split_once("      profile:").expect("a profile");
    let (_, after) = after.split_once("weekend: 0}\n").expect("its end");
    let files = |_: &str| Ok(csv.clone().into_bytes());
    // An hour without any requests after an overloaded one is as bad as that.
    let targets = "targets: [probability(downtime over 1h > 30m) <= 5%]\n";
    let source = format!("{before}{after}{targets}");
    let loaded = fivenines::scenario::load_with(source.as_bytes(), "test.yaml", &files);
    let system = match loaded {
        Ok(loaded) => loaded.system,
        Err(problems) => panic!("{}", problems.render(false)),
    };
    let paired = compare(&system, 64, |_| {});
    paired.agrees();
    // Two hours three times a day, and now and then one in which a replica is lost.
    paired.agrees_about_periods(0, 6.0 * paired.histories);
    assert!((paired.windows.ended / paired.exact.ended - 1.0).abs() < 0.01);
}
