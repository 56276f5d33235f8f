//! How wrong an input may be until a verdict turns, where that can be worked out.

use fivenines::experiment::outcome::{BreakEven, Scaled, Unturned};
use fivenines::experiment::{break_even, run};

use super::library::{Silent, load, replications};

/// The rows of the only target of a scenario.
fn rows(source: &str) -> Vec<BreakEven> {
    let loaded = load(source);
    let options = replications(1_024);
    let outcome = run(&loaded.system, &loaded.hash, &options, &Silent).expect("it runs");
    let found = break_even(&loaded.system, &options, &outcome, &Silent).expect("it can be tried");
    found.into_iter().next().expect("one target")
}

fn factor(rows: &[BreakEven], input: &str) -> f64 {
    let row = rows.iter().find(|row| row.input == input);
    row.and_then(|row| row.factor)
        .expect("a factor of that input")
}

const ONE: &str = "
fivenines: 1
run: {horizon: 20y}
services: {app: {faults: {crash: {every: {exponential: {mean: 10d}}, lasts: {exponential: {mean: 1h}}}}}}
targets: [structural.availability >= 99%]
";

/// A component that is up for M and down for R: its availability is M / (M + k R), however k comes
/// about, and a share of 99 % is reached at k = M / (99 R).
#[test]
#[ignore = "long: CI runs it"]
fn one_component_turns_where_its_availability_says() {
    let found = rows(ONE);
    let exact = 240.0 / 99.0;
    for input in ["app.crash.every", "app.crash.lasts"] {
        let factor = factor(&found, input);
        assert!(
            (factor / exact - 1.0).abs() < 0.02,
            "{input}: {factor} is not {exact}"
        );
    }
    assert!(found.iter().all(|row| row.met));
}

#[test]
#[ignore = "long: CI runs it"]
fn a_target_that_is_missed_says_how_much_better_it_must_get() {
    let found = rows(&ONE.replace("99%", "99.9%"));
    let exact = 240.0 / 999.0;
    let factor = factor(&found, "app.crash.lasts");
    assert!(
        (factor / exact - 1.0).abs() < 0.03,
        "{factor} is not {exact}"
    );
    assert!(found.iter().all(|row| !row.met));
}

/// Two of two that must both fail: the share of time without either is u^2 with u = k R / (M + k R).
#[test]
fn a_pair_may_be_wrong_by_the_root() {
    let found = rows(
        &ONE.replace("app: {", "app: {replicas: 2, ")
            .replace("99%", "99.99%"),
    );
    let exact = 0.01 / 0.99 * 240.0;
    let factor = factor(&found, "app.crash.lasts");
    assert!(
        (factor / exact - 1.0).abs() < 0.05,
        "{factor} is not {exact}"
    );
}

#[test]
#[ignore = "long: CI runs it"]
fn what_no_fault_can_turn_has_no_factor_and_says_how_far_it_was_tried() {
    let found = rows(&ONE.replace(">= 99%", ">= 0.01%").replace("20y", "1y"));
    let lasts = found.iter().find(|row| row.input == "app.crash.lasts");
    let row = lasts.expect("the only fault");
    assert!(
        row.met && row.factor.is_none() && row.tried >= 512.0,
        "{row:?}"
    );
}

/// Detection that takes 10 s in the mean, exponentially, is over within 100 s for 99 % of all losses up to a
/// mean of 100 s / ln 100.
const STORE: &str = "
fivenines: 1
run: {horizon: 20y, method: none}
stores:
  db:
    members: 3
    faults: {crash: {every: {exponential: {mean: 10d}}, lasts: 1h}}
    failover: {generic: {detect: {exponential: {mean: 10s}}, promote: 0s}}
    operations: {write: {takes: 5ms, from: leader}}
services: {app: {operations: {put: {takes: 1ms, calls: [{to: db.write}]}}}}
workload: {users: {arrive: {poisson: 1/min}, journeys: {app.put: 100%}, patience: 3s}}
targets: [db.rto.p99 <= 100s]
";

#[test]
#[ignore = "long: CI runs it"]
fn a_detection_may_take_as_long_as_its_quantile_says() {
    let found = rows(STORE);
    let exact = 10.0 / 100.0_f64.ln();
    let factor = factor(&found, "db.failover.detect");
    assert!(
        (factor / exact - 1.0).abs() < 0.03,
        "{factor} is not {exact}"
    );
    assert_eq!(found[0].scaled, Scaled::Long);
}

/// One in twenty failovers fails and takes the hour of the repair: one in ten is too many.
#[test]
#[ignore = "long: CI runs it"]
fn twice_as_many_failovers_may_fail() {
    let found = rows(
        &STORE
            .replace(
                "promote: 0s",
                "promote: 0s, coverage: 95%, on_failure: {takes: 5h, restores: leader}",
            )
            .replace("mean: 10s", "mean: 1s")
            .replace("p99 <= 100s", "p90 <= 30m"),
    );
    let row = found.iter().find(|row| row.input == "db.failover.coverage");
    let row = row.expect("a coverage");
    assert_eq!(row.scaled, Scaled::Failing);
    let factor = row.factor.expect("it turns");
    assert!((factor / 2.0 - 1.0).abs() < 0.05, "{factor} is not 2");
}

/// One in twenty takeovers of an address fails and leaves nobody there for 30 minutes, beside the time in which
/// both instances are down: 240 h of work and one of repair, after each loss of the master.
#[test]
#[ignore = "long: CI runs it"]
fn more_takeovers_of_an_address_may_fail() {
    let found = rows(
        "
fivenines: 1
run: {horizon: 5y, replications: 256}
services: {app: {operations: {read: {takes: 1ms}}}}
balancers:
  edge:
    to: app
    replicas: 2
    failover: {vrrp: {priorities: [150, 100], coverage: 95%, on_failure: {takes: 30m}}}
    faults: {crash: {every: {exponential: {mean: 240h}}, lasts: 1h}}
workload: {users: {arrive: {poisson: 1/min}, journeys: {read: 100%}, through: edge, patience: 1s}}
targets: [availability >= 99.976%]
",
    );
    let row = found
        .iter()
        .find(|row| row.input == "edge.failover.coverage");
    let row = row.expect("a coverage");
    assert_eq!(row.scaled, Scaled::Failing);
    let factor = row.factor.expect("it turns");
    // Takeovers that work take 3.6 s after the last advertisement, on average half a second old.
    let both = 1.0 / 241.0 / 241.0;
    let exact = (240e-6 - both - 3.1 / 3600.0 / 241.0) / (0.05 * 0.5 / 241.0);
    assert!(
        (factor / exact - 1.0).abs() < 0.1,
        "{factor} is not {exact}"
    );
}

/// Requests that come evenly over time fail for as long as their only replica is down; the factor is that
/// of the structure, and lies between two that are not far apart.
#[test]
#[ignore = "long: CI runs it"]
fn a_target_on_requests_turns_where_the_time_does() {
    let found = rows(
        "
fivenines: 1
run: {horizon: 1y, replications: 256}
services:
  app:
    faults: {crash: {every: {exponential: {mean: 1d}}, lasts: {exponential: {mean: 10m}}}}
    operations: {read: {takes: 1ms}}
workload: {users: {arrive: {poisson: 1/min}, journeys: {app.read: 100%}, patience: 3s}}
targets: [availability >= 98%]
",
    );
    // 1440 minutes up, 10 k down: 98 % are reached at k = 1440 / 49 / 10.
    let exact = 1_440.0 / 490.0;
    for input in ["app.crash.every", "app.crash.lasts"] {
        let row = found.iter().find(|row| row.input == input).expect(input);
        let (near, far) = row.between.expect(input);
        assert!(row.met && near < exact && exact < far, "{row:?}");
        assert!(far / near < 2.1, "{row:?}");
    }
}

/// Exactly the availability that is asked for: so few histories cannot say which side it is on.
#[test]
fn what_is_too_close_to_call_is_called_so() {
    let found = rows(
        "
fivenines: 1
run: {horizon: 30d, replications: 64}
services:
  app:
    faults: {crash: {every: {exponential: {mean: 1d}}, lasts: {exponential: {mean: 24m}}}}
    operations: {read: {takes: 1ms}}
workload: {users: {arrive: {poisson: 1/min}, journeys: {app.read: 100%}, patience: 3s}}
targets: [availability >= 98.36%]
",
    );
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].unturned, Some(Unturned::TooClose));
    assert_eq!(found[0].factor, None);
}
