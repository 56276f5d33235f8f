//! What is decided when it is demanded: rare failures of failovers, rare hits of common causes, against chains
//! that are solved here.

#![expect(clippy::print_stdout, reason = "the figures belong beside a verdict")]

use super::tests::{agrees, check, found, mean, run, system};
use crate::analytic::Chain;
use crate::estimate::StructureRecord;
use crate::model::System;

/// Two members, of which the second takes over with this coverage.
fn pair(coverage: &str, every: &str, person: &str) -> System {
    system(&format!(
        "
fivenines: 1
run: {{horizon: 1y}}
stores:
  db:
    members: 2
    failover: {{generic: {{detect: 0s, promote: 0s, coverage: {coverage}, after_all_lost: lead, on_failure: {{takes: {person}}}}}}}
    faults: {{crash: {{every: {every}, lasts: {{exponential: {{mean: 1h}}}}}}}}
    operations: {{write: {{takes: 1ms, from: leader}}}}
journeys: {{write: {{calls: [{{to: db.write}}]}}}}
"
    ))
}

/// Downtime share and outages an hour of such a pair, all times exponential, repairs of one hour.
fn pair_exactly(fail: f64, coverage: f64, person: f64) -> (f64, f64) {
    // Both up; one up, and it leads; the leader down, uncovered; both down, with a person at it; both down.
    let mut chain = Chain::new(5);
    chain.add(0, 1, fail * (1.0 + coverage));
    chain.add(0, 2, fail * (1.0 - coverage));
    chain.add(1, 0, 1.0);
    chain.add(1, 4, fail);
    chain.add(2, 0, 1.0);
    chain.add(2, 1, person);
    chain.add(2, 3, fail);
    chain.add(3, 1, 1.0);
    chain.add(3, 2, 1.0);
    chain.add(3, 4, person);
    chain.add(4, 1, 2.0);
    chain.outages(|state| state < 2)
}

/// How many times the events plain histories need for the relative error of `record`.
fn gain(record: &StructureRecord, exact_any: f64) -> f64 {
    let forced = record.forced.as_ref().unwrap();
    let (value, error) = mean(&forced.any, record.replications);
    // Of plain histories an outage has the variance of a coin.
    let plain = (1.0 - exact_any) / exact_any / record.replications as f64;
    let events = record.transitions as f64 / (record.transitions - forced.effort) as f64;
    let gain = plain / (error / value).powi(2) / events;
    println!("worth {gain:.0} times as many events of plain histories");
    gain
}

#[test]
fn a_failover_that_fails_once_in_ten_thousand() {
    let (exact, frequency) = pair_exactly(1.0 / 20_000.0, 0.999_9, 0.5);
    let system = pair(
        "99.99%",
        "{exponential: {mean: 20000h}}",
        "{exponential: {mean: 2h}}",
    );
    let record = run(&system, 1, 64, 1.0);
    let found = found(&system, &record);
    check("U", found.unavailability, exact, 0.01);
    check("outages", found.outages, frequency * 8_760.0, 0.01);
    assert!(found.mean_z.abs() < 3.5 && found.effective > 0.3);
    assert!(record.forced.as_ref().unwrap().raised > 10_000);
    assert!(gain(&record, frequency * 8_760.0) > 1_000.0);
}

/// Three of which one is needed, with shocks that hit each of them with this chance.
fn shocked(chance: &str, shock: &str, every: &str, lasts: &str) -> System {
    system(&format!(
        "
fivenines: 1
run: {{horizon: 1y}}
common_causes: {{shock: {{hits: [app.crash], every: {shock}, chance: {chance}}}}}
services: {{app: {{replicas: 3, faults: {{crash: {{every: {every}, lasts: {lasts}}}}}}}}}
"
    ))
}

#[test]
fn a_common_cause_that_hits_one_in_a_hundred() {
    let (fail, shock, chance) = (1.0 / 5_000.0, 1.0 / 5_000.0, 0.01_f64);
    let mut chain = Chain::new(4);
    for down in 0..4_u32 {
        let up = 3 - down;
        let at = down as usize;
        if up > 0 {
            chain.add(at, at + 1, f64::from(up) * fail);
        }
        if down > 0 {
            chain.add(at, at - 1, f64::from(down));
        }
        for hit in 1..=up {
            let ways = [[1.0, 1.0, 1.0], [2.0, 1.0, 0.0], [3.0, 3.0, 1.0]];
            let ways: f64 = ways[up as usize - 1][hit as usize - 1];
            let hits = chance.powi(hit as i32) * (1.0 - chance).powi((up - hit) as i32);
            chain.add(at, at + hit as usize, shock * ways * hits);
        }
    }
    let (exact, frequency) = chain.outages(|state| state < 3);
    let hours = "{exponential: {mean: 5000h}}";
    let system = shocked("1%", hours, hours, "{exponential: {mean: 1h}}");
    let record = run(&system, 2, 48, 0.5);
    let found = found(&system, &record);
    check("U", found.unavailability, exact, 0.01);
    check("outages", found.outages, frequency * 8_760.0, 0.01);
    assert!(found.mean_z.abs() < 3.5 && found.effective > 0.2);
    assert!(gain(&record, frequency * 8_760.0) > 1_000.0);
}

/// Where shocks alone take everything down, how often they do depends on their mean and their chance only.
#[test]
fn how_often_shocks_hit_all_does_not_depend_on_laws() {
    let exact = 8_760.0 / 500.0 * 0.02_f64.powi(3);
    for (row, (shock, lasts)) in [
        ("{exponential: {mean: 500h}}", "{exponential: {mean: 10m}}"),
        ("{weibull: {shape: 1.5, mean: 500h}}", "10m"),
        (
            "{uniform: {min: 100h, max: 900h}}",
            "{lognormal: {mean: 10m, sigma: 1}}",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let seldom = "{exponential: {mean: 10000000h}}";
        let system = shocked("2%", shock, seldom, lasts);
        let found = found(&system, &run(&system, 20 + row as u64, 2, 1.0));
        check(shock, found.outages, exact, 0.02);
        assert!(found.mean_z.abs() < 3.5);
    }
}

/// Two of twenty are needed by a shock that hits one in a thousand: no more are hit than that takes.
#[test]
fn of_a_large_group_about_as_many_are_hit_as_an_outage_takes() {
    let chance = 0.001_f64;
    let none = (1.0 - chance).powi(20);
    let two = 1.0 - none - 20.0 * chance * (1.0 - chance).powi(19);
    let system = system(
        "
fivenines: 1
run: {horizon: 1y}
common_causes: {shock: {hits: [app.crash], every: {exponential: {mean: 2000h}}, chance: 0.1%}}
services: {app: {replicas: 20, needs: 19, faults: {crash: {every: {exponential: {mean: 100000000h}}, lasts: 1h}}}}
",
    );
    let found = found(&system, &run(&system, 4, 8, 1.0));
    check("outages", found.outages, 8_760.0 / 2_000.0 * two, 0.02);
    assert!(found.mean_z.abs() < 3.5 && found.effective > 0.3);
}

/// At moderate chances plain histories say the same, whatever is demanded.
#[test]
fn demands_agree_with_plain_histories() {
    let hours = "{exponential: {mean: 500h}}";
    let lasts = "{lognormal: {mean: 5h, sigma: 1}}";
    let others = [
        // An activation, beside machines and shocks that hit what stands by as well.
        "
common_causes: {heat: {hits: [app.crash], every: {exponential: {mean: 60d}}, chance: 30%}}
nodes: {web: {count: 3, faults: {crash: {every: {exponential: {mean: 60d}}, lasts: {exponential: {mean: 2h}}}}}}
services:
  app:
    replicas: 1
    on: web
    standby: {count: 2, kind: warm, rate: 50%, activates_in: 10m, coverage: 70%, on_failure: {takes: 2h}}
    faults: {crash: {every: {weibull: {shape: 1.5, mean: 20d}}, lasts: {exponential: {mean: 3h}}}}
",
        // A release, at once or drained, with a pair that fails over.
        "
services:
  app:
    replicas: 3
    starts_in: 1m
    faults:
      crash: {every: {exponential: {mean: 20d}}, lasts: {exponential: {mean: 4h}}}
      release: {every: 7d, bad: 30%, noticed_in: {exponential: {mean: 20m}}}
    operations: {read: {takes: 1ms, calls: [{to: db.write}]}}
stores:
  db:
    members: 3
    failover: {generic: {detect: 30s, promote: 1m, coverage: 70%, on_failure: {takes: 1h, restores: all}}}
    faults: {crash: {every: {exponential: {mean: 30d}}, lasts: {exponential: {mean: 3h}}}}
    operations: {write: {takes: 1ms, from: leader}}
journeys: {read: {calls: [{to: app.read}]}}
",
    ];
    let others =
        others.map(|source| system(&format!("fivenines: 1\nrun: {{horizon: 90d}}{source}")));
    let mut systems = vec![
        pair("70%", hours, "{exponential: {mean: 2h}}"),
        shocked("40%", "{exponential: {mean: 300h}}", hours, lasts),
    ];
    systems.extend(others);
    for (row, system) in systems.iter().enumerate() {
        let record = run(system, 30 + row as u64, 3, 0.5);
        let found = found(system, &record);
        agrees(system, &record, &found);
        assert!(record.forced.as_ref().unwrap().raised > 500);
    }
}

/// Whatever branches decide, the histories that they spring from are those without any.
#[test]
fn demands_of_branches_move_nothing_in_histories() {
    let shocks = "{exponential: {mean: 300h}}";
    let lasts = "{lognormal: {mean: 5h, sigma: 1}}";
    for system in [
        pair(
            "70%",
            "{exponential: {mean: 500h}}",
            "{exponential: {mean: 2h}}",
        ),
        shocked("40%", shocks, shocks, lasts),
    ] {
        let natural = |share| {
            let record = run(&system, 6, 1, share);
            let forced = record.forced.unwrap();
            assert_eq!(share > 0.0, forced.raised > 0);
            (mean(&forced.natural, 1_024), forced.natural.hits)
        };
        assert_eq!(natural(0.0), natural(1.0));
    }
}
