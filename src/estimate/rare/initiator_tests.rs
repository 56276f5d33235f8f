//! Faults that hardly any history has are injected: against closed forms of independent parts.

#![expect(clippy::print_stdout, reason = "the figures belong beside a verdict")]

use super::tests::{agrees, check, found, mean, run, system};
use crate::estimate::StructureRecord;
use crate::model::{Blame, Phase, System};
use crate::path::Cause;

const HOURS_OF_A_YEAR: f64 = 8_760.0;

/// Three replicas of which one is needed, down one hour in 1,000, in a zone that loses power for 5 h by this law.
fn zone(every: &str) -> System {
    system(&format!(
        "
fivenines: 1
run: {{horizon: 1y}}
domains: {{x: {{kind: zone, faults: {{power: {{every: {every}, lasts: {{exponential: {{mean: 5h}}}}}}}}}}}}
services: {{app: {{replicas: 3, across: [x], faults: {{crash: {{every: {{exponential: {{mean: 1000h}}}}, lasts: {{exponential: {{mean: 1h}}}}}}}}}}}}
"
    ))
}

/// The injected branches of `record`: how many, and how far the mean of what was forced in them is from 1.
fn injected(record: &StructureRecord) -> (u64, f64) {
    let injected = record.forced.as_ref().unwrap().injected;
    println!(
        "{} injected, {} hits, weight {:.4} ({:+.2} se), effective {:.3}, largest {:.4}",
        injected.count,
        injected.hits,
        injected.mean(),
        injected.mean_z(),
        injected.effective_share().unwrap_or(0.0),
        injected.largest_share().unwrap_or(0.0)
    );
    (injected.count, injected.mean_z())
}

/// A zone that is lost every hundred thousand years, beside crashes: both are half of the downtime.
#[test]
fn a_zone_that_is_lost_every_hundred_thousand_years() {
    let mean = 1e5 * HOURS_OF_A_YEAR;
    let (zone_down, all_down) = (5.0 / (mean + 5.0), 1.0 / 1_001.0_f64.powi(3));
    let exact = 1.0 - (1.0 - zone_down) * (1.0 - all_down);
    let frequency = (1.0 - zone_down) * (1.0 - all_down) * (1.0 / mean + 3.0 * all_down);
    let outages = frequency * HOURS_OF_A_YEAR;
    for (row, every) in [
        "{exponential: {mean: 100000y}}",
        "{weibull: {shape: 2, mean: 100000y}}",
        "{lognormal: {mean: 100000y, sigma: 0.7}}",
    ]
    .into_iter()
    .enumerate()
    {
        let system = zone(every);
        let record = run(&system, 40 + row as u64, 8, 0.5);
        let found = found(&system, &record);
        let (count, mean_z) = injected(&record);
        check("U", found.unavailability, exact, 0.03);
        check("outages", found.outages, outages, 0.02);
        check("any", found.any, -(-outages).exp_m1(), 0.02);
        assert!(found.mean_z.abs() < 3.5 && mean_z.abs() < 3.5);
        // One in each history that is well at its instant.
        let share = count as f64 / record.replications as f64;
        assert!(share > 0.98, "{share}");
    }
}

/// The downtime by cause: that of the zone is known to what its length varies, though no history lost it.
#[test]
fn what_is_injected_is_its_own_cause() {
    let system = zone("{exponential: {mean: 100000y}}");
    let record = run(&system, 44, 4, 0.5);
    let down = |name: &str| {
        let faults = system.faults.pairs();
        let (id, _) = faults.into_iter().find(|(_, it)| it.name == name).unwrap();
        let phase = Phase::Repair;
        let cause = Cause::Fault(Blame { fault: id, phase }).index();
        mean(&record.by_cause[cause], record.replications)
    };
    let power = down("x.power");
    check("power", power, 5.0 * 3_600.0 / 100_000.0, 0.03);
    assert!(down("app.crash").0 > 0.0);
}

/// Regions lost at several rates, shocks that hit by chance and a single part: as plain histories have it, where
/// those are just rare enough to be injected.
#[test]
fn injected_faults_agree_with_plain_histories() {
    let system = system(
        "
fivenines: 1
run: {horizon: 30d}
domains:
  x: {kind: zone, faults: {power: {every: {exponential: {mean: 500d}}, lasts: {lognormal: {median: 1h, p95: 6h}}}}}
  y: {kind: zone, faults: {isolated: {every: {weibull: {shape: 1.5, mean: 600d}}, lasts: {exponential: {mean: 2h}}}}}
common_causes: {shock: {hits: [app.crash], every: {exponential: {mean: 550d}}, chance: 70%}}
services:
  app:
    replicas: 4
    across: [x, y]
    needs: 3
    faults: {crash: {every: {exponential: {mean: 30d}}, lasts: {exponential: {mean: 1h}}}}
    operations: {read: {takes: 1ms, calls: [{to: key.get}]}}
  key:
    replicas: 1
    faults: {crash: {every: {gamma: {shape: 2, mean: 700d}}, lasts: {exponential: {mean: 30m}}}}
    operations: {get: {takes: 1ms}}
journeys: {read: {calls: [{to: app.read}]}}
",
    );
    let record = run(&system, 45, 8, 0.5);
    let found = found(&system, &record);
    let (count, mean_z) = injected(&record);
    agrees(&system, &record, &found);
    assert!(count as f64 > 0.7 * record.replications as f64 && mean_z.abs() < 3.5);
}

/// What comes often enough, or does little, is not injected.
#[test]
fn ordinary_faults_are_not_injected() {
    for source in [
        "services: {app: {replicas: 3, needs: 2, faults: {crash: {every: {exponential: {mean: 100y}}, lasts: 1h}}}}",
        "services: {app: {replicas: 1, faults: {crash: {every: {exponential: {mean: 15y}}, lasts: 1h}}}}",
        // Of twenty that are outages by themselves, a history has one as it is.
        "services: {app: {replicas: 20, needs: 20, faults: {crash: {every: {exponential: {mean: 18y}}, lasts: 1h}}}}",
        "services: {app: {replicas: 1, faults: {crash: {every: {weibull: {shape: 0.7, mean: 100y}}, lasts: 1h}}}}",
    ] {
        let system = system(&format!("fivenines: 1\nrun: {{horizon: 1y}}\n{source}\n"));
        let record = run(&system, 46, 1, 1.0);
        assert_eq!(injected(&record).0, 0, "{source}");
    }
}
