//! Risks of downtime from histories without traffic, against the exact probability.

use super::library::system;
use fivenines::estimate::{GROUPS, GroupRunner, Plan, Record};
use fivenines::experiment::Figures;
use fivenines::experiment::outcome::Estimate;
use fivenines::model::{Load, Method};
use fivenines::stats::clopper_pearson;

/// A part that fails about once in fifty years, for three hours.
const SELDOM: &str = "
fivenines: 1
run: {horizon: 1y}
services:
  app:
    replicas: 1
    faults: {crash: {every: {exponential: {mean: 50y}}, lasts: 3h}}
    operations: {read: {takes: 10ms}}
workload: {users: {arrive: {poisson: 5/s, profile: {peak: \"12:00\", ratio: 2}}, journeys: {app.read: 100%}, patience: 1s}}
targets: [probability(downtime > 2h) <= 4%]
";

/// What a block with eight histories with traffic says, at 95 %.
fn judged(source: &str, seed: u64, brackets: bool) -> Estimate {
    let system = system(source);
    let mut plan = Plan::new(&system, &Load::of(&system), seed, Method::Windows);
    (plan.traffic_per_block, plan.brackets) = (8, brackets);
    let mut record = Record::new(&system);
    let mut runner = GroupRunner::new(&system, &plan);
    for group in 0..GROUPS {
        let found = runner.run(0, group, 1_024, &|| false).expect("it runs");
        record.push(&system, &plan, group, &found);
    }
    let (plan, record, system) = (&plan, &record, &system);
    let figures = Figures {
        system,
        plan,
        record,
    };
    let judged = figures.judged(0, &system.targets[0], 0.95);
    judged.expect("there is traffic")
}

/// The chance of a fault of which more than two of its three hours lie in the year.
///
/// It begins less than one hour before the year or more than two before its end. One hour before the year
/// the part is up, or has been down for up to three hours.
fn exact() -> f64 {
    let (year, mean, lasts): (f64, f64, f64) = (8_760.0, 50.0 * 8_760.0, 3.0);
    let up = mean / (mean + lasts);
    let none = (-(year - 1.0) / mean).exp();
    // The mean of exp(x / mean) over the three hours that a repair may still take.
    let later = mean / lasts * ((lasts / mean).exp() - 1.0);
    1.0 - none * (up + (1.0 - up) * later)
}

#[test]
fn a_rare_year_is_seen_in_histories_without_traffic() {
    let exact = exact();
    assert!((exact - 0.0198).abs() < 1e-4, "{exact}");
    let seeds = 1..=20;
    let found: Vec<Estimate> = seeds.map(|seed| judged(SELDOM, seed, true)).collect();
    let covered = found
        .iter()
        .filter(|one| one.low <= exact && exact <= one.high);
    // Exact intervals cover 95 % and more: fewer than 17 of 20 come twice in a hundred times, at most.
    assert!(covered.count() > 16);
    // Where no history with traffic met the fault, nothing is known of its quiet time, and the histories with two
    // hours of it may exceed the limit or not: 20 of 1,024, more than 38 in one block of 7,000.
    let widest = clopper_pearson(38, 1_024, 0.975).high;
    for one in &found {
        assert!(one.high - one.low < widest, "{one:?}");
        assert!(one.n == 1_024);
    }
    let alone = judged(SELDOM, 1, false);
    assert!(alone.high > 0.3, "{alone:?}");
}

#[test]
fn what_windows_hold_may_be_all_bad_or_all_good() {
    // A minute of detection a day: in windows, so that nothing is known of it without traffic.
    let source = SELDOM
        .replace("mean: 50y}}, lasts: 3h", "mean: 30d}}, lasts: 5s")
        .replace("downtime > 2h", "downtime > 1min");
    let with = judged(&source, 1, true);
    let without = judged(&source, 1, false);
    // Half the error is spent on each, so with bounds that say nothing the interval is a little wider.
    assert!(
        with.low <= without.low && without.high <= with.high,
        "{with:?} {without:?}"
    );
    assert!(with.high - with.low < 1.2 * (without.high - without.low));
}
