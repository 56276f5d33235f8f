//! Rates that move in steps, and bursts.

use super::harness::{compare, system};
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
fn windows_agree_with_exact_when_the_rate_goes_by_hour_and_day() {
    let paired = compare(&system(HOURS), 64, |_| {});
    assert!(paired.agrees() && paired.error <= 0.02 * paired.share);
    // The mean over a week is a requests per second; Monday and Tuesday have three of its six shares.
    let expected = 64.0 * 604_800.0 * 3.0 / 6.0;
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
    assert!(paired.agrees() && paired.error <= 0.02 * paired.share);
    let failed = |found: &super::Found, name: &str| -> f64 {
        let rows = found.by_cause.iter().enumerate();
        rows.filter(|(row, _)| match Cause::from_index(*row) {
            Cause::Fault(blame) => system.faults[blame.fault].name == name,
            Cause::Load | Cause::Base => false,
        })
        .map(|(_, failed)| failed)
        .sum()
    };
    for name in ["readers.burst", "app.crash"] {
        let (exact, windows) = (failed(&paired.exact, name), failed(&paired.windows, name));
        println!("{name}: {windows:.0} against {exact:.0}");
        assert!((windows / exact - 1.0).abs() < 0.05);
        assert!(exact > 0.05 * paired.exact.failed);
    }
    // Four times as many during 60 s of 660 s.
    let expected = 64.0 * 7_200.0 * (16.0 * (1.0 + 3.0 * 60.0 / 660.0) + 4.0);
    assert!((paired.exact.ended / expected - 1.0).abs() < 0.01);
    assert!((paired.windows.ended / paired.exact.ended - 1.0).abs() < 0.01);
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
fn windows_agree_with_exact_when_users_wait_for_their_answers() {
    let paired = compare(&system(CLOSED), 64, |_| {});
    // Users of a window draw anew, so the difference contains the luck of both methods.
    assert!(paired.agrees() && paired.error <= 0.05 * paired.share);
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
    let source = format!("{before}{after}");
    let loaded = fivenines::scenario::load_with(source.as_bytes(), "test.yaml", &files);
    let system = match loaded {
        Ok(loaded) => loaded.system,
        Err(problems) => panic!("{}", problems.render(false)),
    };
    let paired = compare(&system, 64, |_| {});
    assert!(paired.agrees() && paired.error <= 0.02 * paired.share);
    assert!((paired.windows.ended / paired.exact.ended - 1.0).abs() < 0.01);
}
