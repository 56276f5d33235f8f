//! Differences between solved cases: sign, size, and an interval narrower than two runs would give.

use super::{Folder, difference, separate};

/// Compares an oracle case with a changed copy of it, whose availability differs by `truth`.
fn known(case: &str, (from, to): (&str, &str), truth: f64, narrower: f64) {
    let folder = Folder::new();
    let text = std::fs::read_to_string(format!("tests/oracles/{case}.yaml")).expect("a case");
    assert!(text.contains(from), "{case}: {text}");
    let base = folder.file("base.yaml", &text);
    let changed = folder.file("changed.yaml", &text.replace(from, to));
    let (code, result) = folder.compare(&[&base, &changed, "--replications", "16384"]);
    assert_eq!(code, 0);
    let (value, low, high) = difference(&result, "structural.availability");
    // |z| < 4, as for every solved case.
    let se = (high - low) / 3.92;
    assert!(
        (value - truth).abs() < 4.0 * se,
        "{case}: {low}..{high}, not {truth}"
    );
    assert!(
        value.signum() == truth.signum() && low.signum() == high.signum(),
        "{case}: {low}..{high}"
    );
    assert!(
        (value / truth - 1.0).abs() < 0.15,
        "{case}: {value}, not {truth}"
    );
    let (half, apart) = (
        (high - low) / 2.0,
        separate(&result, "structural.availability"),
    );
    assert!(
        half < narrower * apart,
        "{case}: {half} against {apart} of two runs"
    );
    let downtime = difference(&result, "structural.downtime").0;
    assert!(
        (downtime / (-value * 8_760.0 * 3_600.0) - 1.0).abs() < 1e-6,
        "{case}: {downtime}"
    );
}

/// Both down at once with a repair each: the square of one machine's share of time down.
fn both(mean: f64, lasts: f64) -> f64 {
    (lasts / (mean + lasts)).powi(2)
}

#[test]
fn a_second_technician_is_worth_what_theory_says() {
    let truth = 0.002_079_002_079 - both(720.0, 24.0);
    known("avail-11", ("count: 1", "count: 2"), truth, 0.9);
}

#[test]
fn a_common_cause_costs_what_theory_says() {
    let truth = 0.000_258_302_699_3 - both(1_000.0, 8.0);
    known("avail-22", (", common: {beta: 5%}", ""), truth, 1.0);
}

#[test]
fn a_fourth_replica_is_worth_what_theory_says() {
    let down: f64 = 8.0 / 1_008.0;
    let (three, four) = (
        3.0 * down.powi(2) - 2.0 * down.powi(3),
        4.0 * down.powi(3) - 3.0 * down.powi(4),
    );
    assert!(
        (three / 0.000_187_964_662_6 - 1.0_f64).abs() < 1e-9,
        "{three}"
    );
    known(
        "avail-09",
        ("replicas: 3", "replicas: 4"),
        three - four,
        1.0,
    );
}

/// Detection that takes 20 s in the mean instead of 10 s, exponentially: recoveries take 10 s longer, of which
/// 1 - e^-6 were over in a minute and 1 - e^-3 are now. What is lost with them is the same.
#[test]
fn a_slower_detection_is_seen_in_what_stores_recover_in() {
    let store = |detect: &str| {
        format!(
            "
fivenines: 1
run: {{horizon: 1y, method: none, replications: 1024}}
stores:
  db:
    members: 3
    replication: async
    lag: {{exponential: {{mean: 2s}}}}
    faults: {{crash: {{every: {{exponential: {{mean: 20d}}}}, lasts: 1h}}}}
    failover: {{generic: {{detect: {{exponential: {{mean: {detect}}}}}, promote: 0s}}}}
    operations: {{write: {{takes: 5ms, from: leader}}}}
targets: [db.rto.p99 <= 1min]
"
        )
    };
    let folder = Folder::new();
    let base = folder.file("base.yaml", &store("10s"));
    let slow = folder.file("slow.yaml", &store("20s"));
    let (_, result) = folder.compare(&[&base, &slow]);
    let truth = f64::exp(-6.0) - f64::exp(-3.0);
    for (figure, truth) in [("rto.mean", 10.0), ("db.rto.p99 <= 1min", truth)] {
        let (value, low, high) = difference(&result, figure);
        let se = ((high - low) / 3.92).max(1e-12);
        assert!(
            (value - truth).abs() < 4.0 * se,
            "{figure}: {low}..{high}, not {truth}"
        );
        assert!((value / truth - 1.0).abs() < 0.15, "{figure}: {value}");
    }
    // The same losses, and the same uniform behind each detection.
    let (_, low, high) = difference(&result, "rto.mean");
    assert!((high - low) / 2.0 < 0.6 * separate(&result, "rto.mean"));
    let lost = &result["figures"]["rpo.mean"]["differences"][0];
    assert_eq!(lost["value"], 0.0);
    assert_eq!(result["designs"][1]["standing"], "worse");
}

/// Writes come twice a minute instead of twice a second, so the first good answer of a new leader comes 29.5 s
/// later, while a member leads after 85 s in both. Within 100 s all but e^-30 were over, and e^-0.5 are not now.
#[test]
fn a_rarer_write_is_seen_in_what_callers_wait_for_and_not_in_who_leads() {
    let store = |rate: &str| {
        format!(
            "
fivenines: 1
run: {{horizon: 60d, method: windows, replications: 64, start: new}}
services: {{app: {{operations: {{save: {{takes: 20ms, calls: [{{to: db.write}}]}}}}}}}}
stores:
  db:
    members: 3
    faults: {{crash: {{every: {{exponential: {{mean: 5d}}}}, lasts: 10m}}}}
    failover: {{generic: {{detect: 20s, decide: 5s, promote: 60s}}}}
    operations: {{write: {{takes: 5ms, from: leader}}}}
workload: {{users: {{arrive: {{poisson: {rate}}}, journeys: {{app.save: 100%}}, patience: 3s}}}}
targets: [db.rto.p99 <= 100s]
"
        )
    };
    let folder = Folder::new();
    let base = folder.file("base.yaml", &store("2/s"));
    let rare = folder.file("rare.yaml", &store("2/min"));
    let (_, result) = folder.compare(&[&base, &rare]);
    let truth = -f64::exp(-0.5);
    for (figure, truth) in [("rto.mean", 29.5), ("db.rto.p99 <= 100s", truth)] {
        let (value, low, high) = difference(&result, figure);
        let se = ((high - low) / 3.92).max(1e-12);
        assert!(
            (value - truth).abs() < 4.0 * se,
            "{figure}: {low}..{high}, not {truth}"
        );
        assert!((value / truth - 1.0).abs() < 0.15, "{figure}: {value}");
    }
    let (value, ..) = difference(&result, "lead.mean");
    assert_eq!(value, 0.0);
}
