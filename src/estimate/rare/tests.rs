//! Forced outages against exact solutions.

#![expect(clippy::print_stdout, reason = "the figures belong beside a verdict")]

use super::{ForcedRecord, Forcing};
use crate::estimate::{BLOCK, GROUPS, GroupRunner, Plan, StructureRecord};
use crate::model::{Load, Method, System};
use crate::scenario;

pub(super) fn system(source: &str) -> System {
    match scenario::load(source.as_bytes(), "test.yaml") {
        Ok(loaded) => loaded.system,
        Err(problems) => panic!("{}", problems.render(false)),
    }
}

/// So many blocks with forced outages.
pub(super) fn run(system: &System, seed: u64, blocks: u64, share: f64) -> StructureRecord {
    let mut plan = Plan::new(system, &Load::of(system), seed, Method::None);
    plan.forcing = Some(Forcing { share });
    let mut runner = GroupRunner::new(system, &plan);
    let mut record = StructureRecord::new(system);
    for block in 0..blocks {
        for group in 0..GROUPS {
            let found = runner
                .run(block, group, BLOCK * blocks, &|| false)
                .expect("structural groups do not fail");
            record.merge(&found.structure);
        }
    }
    record
}

pub(super) struct Found {
    pub(super) unavailability: (f64, f64),
    pub(super) outages: (f64, f64),
    pub(super) any: (f64, f64),
    pub(super) mean_z: f64,
    pub(super) effective: f64,
}

/// Mean of y and its standard error.
pub(super) fn mean(sums: &crate::estimate::Sums, n: u64) -> (f64, f64) {
    let estimate = sums.mean(n, f64::INFINITY, 0.95);
    (estimate.value, (estimate.high - estimate.value) / 1.96)
}

pub(super) fn found(system: &System, record: &StructureRecord) -> Found {
    let horizon = system.run.horizon.as_secs_f64();
    let forced: &ForcedRecord = record.forced.as_ref().expect("outages were forced");
    let n = record.replications;
    let (downtime, outages) = (mean(&record.system, n), mean(&record.system.swapped(), n));
    let branches = forced.branches;
    let effective = branches.effective_share().unwrap_or(0.0);
    println!(
        "downtime share {:.4e} +- {:.1} %, outages {:.4e} +- {:.1} %, any {:.4e} +- {:.1} %; {} branches, \
         {} hits, weight {:.4} ({:+.2} se), effective {:.3}, largest {:.4}; natural {} outages",
        downtime.0 / horizon,
        100.0 * downtime.1 / downtime.0,
        outages.0,
        100.0 * outages.1 / outages.0,
        mean(&forced.any, n).0,
        100.0 * mean(&forced.any, n).1 / mean(&forced.any, n).0,
        branches.count,
        branches.hits,
        branches.mean(),
        branches.mean_z(),
        effective,
        branches.largest_share().unwrap_or(0.0),
        forced.natural.x,
    );
    Found {
        unavailability: (downtime.0 / horizon, downtime.1 / horizon),
        outages,
        any: mean(&forced.any, n),
        mean_z: branches.mean_z(),
        effective,
    }
}

pub(super) fn check(what: &str, (value, error): (f64, f64), exact: f64, allowed: f64) {
    let z = (value - exact) / error.hypot(0.001 * exact);
    println!(
        "{what}: {value:.5e} for {exact:.5e}, {z:+.2} se of {:.2} %",
        100.0 * error / exact
    );
    assert!(
        z.abs() < 3.5,
        "{what}: {value} for {exact}, {z} standard errors"
    );
    assert!(
        error < allowed * exact,
        "{what}: standard error {:.3} of it",
        error / exact
    );
}

const ONE_OF_THREE: &str = "
fivenines: 1
run: {horizon: 8766h}
services: {app: {replicas: 3, faults: {crash: {every: {exponential: {mean: 1000h}}, lasts: {exponential: {mean: 1h}}}}}}
";

#[test]
fn one_of_three_with_repairs_of_their_own() {
    let system = system(ONE_OF_THREE);
    let found = found(&system, &run(&system, 1, 4, 0.25));
    // Birth-death chain: U = (1/1001)^3, frequency 3 U an hour.
    check("U", found.unavailability, 9.970_059_9e-10, 0.06);
    check("outages", found.outages, 2.991_017_97e-9 * 8_766.0, 0.04);
    check("any", found.any, 2.618_785e-5 * 8_766.0 / 8_760.0, 0.04);
    assert!(found.mean_z.abs() < 4.0 && found.effective > 0.1);
}

#[test]
fn a_quorum_of_five() {
    let found = {
        let system = system(
            "
fivenines: 1
run: {horizon: 1y}
services: {app: {replicas: 5, needs: 3, faults: {crash: {every: {exponential: {mean: 2000h}}, lasts: {exponential: {mean: 2h}}}}}}
",
        );
        found(&system, &run(&system, 2, 2, 0.5))
    };
    check("U", found.unavailability, 9.955_125_721e-9, 0.06);
    check("outages", found.outages, 1.492_522_448e-8 * 8_760.0, 0.04);
    check("any", found.any, 1.305_398_467e-4, 0.04);
    assert!(found.mean_z.abs() < 4.0 && found.effective > 0.1);
}

/// Three of each of two kinds, one of each needed.
fn two_kinds(crews: &str, repaired: [&str; 2]) -> System {
    let kind = |name: &str, mttf: &str, mttr: &str, repaired: &str| {
        format!(
            "  {name}: {{replicas: 3, faults: {{crash: {{every: {{exponential: {{mean: {mttf}}}}}, lasts: \
             {{exponential: {{mean: {mttr}}}}}{repaired}}}}}}}\n"
        )
    };
    system(&format!(
        "fivenines: 1\nrun: {{horizon: 1y}}\n{crews}services:\n{}{}",
        kind("a", "1000h", "1h", repaired[0]),
        kind("b", "1500h", "2h", repaired[1]),
    ))
}

#[test]
fn two_kinds_with_repairs_of_their_own_or_one_crew() {
    let crew = ", repaired_by: ops";
    let cases = [
        ("", ["", ""], [3.357_920_104e-9, 6.532_389_135e-9]),
        (
            "crews: {ops: {count: 1}}\n",
            [crew, crew],
            [2.051_894_6e-8, 1.322_360_072e-8],
        ),
        (
            "crews: {ops: {count: 1, order: priority, preempts: true}}\n",
            [
                ", repaired_by: ops, priority: 1",
                ", repaired_by: ops, priority: 2",
            ],
            [2.036_625_345e-8, 1.313_385_281e-8],
        ),
    ];
    for (crews, repaired, [unavailability, frequency]) in cases {
        let system = two_kinds(crews, repaired);
        let found = found(&system, &run(&system, 3, 2, 0.3));
        check("U", found.unavailability, unavailability, 0.25);
        check("outages", found.outages, frequency * 8_760.0, 0.06);
        assert!(found.mean_z.abs() < 4.0 && found.effective > 0.03);
    }
}

#[test]
fn six_replicas_in_three_zones() {
    let zone = "{kind: zone, faults: {power: {every: {exponential: {mean: 20000h}}, lasts: {exponential: {mean: 1h}}}}}";
    let system = system(&format!(
        "
fivenines: 1
run: {{horizon: 1y}}
domains: {{x: {zone}, y: {zone}, z: {zone}}}
services: {{app: {{replicas: 6, across: [x, y, z], faults: {{crash: {{every: {{exponential: {{mean: 2000h}}}}, lasts: {{exponential: {{mean: 30m}}}}}}}}}}}}
",
    ));
    let found = found(&system, &run(&system, 4, 3, 1.0));
    check("U", found.unavailability, 1.254_502_828e-13, 0.4);
    check("outages", found.outages, 3.777_596_751e-13 * 8_760.0, 0.3);
    assert!(found.mean_z.abs() < 4.0);
}

/// With repairs of their own, how often components are down depends on means only: the same value for
/// every pair of laws.
#[test]
fn unavailability_does_not_depend_on_laws() {
    let laws = [
        ("exponential: {mean: 500h}", "{exponential: {mean: 5h}}"),
        (
            "weibull: {shape: 1.5, mean: 500h}",
            "{lognormal: {mean: 5h, sigma: 1}}",
        ),
        ("weibull: {shape: 0.7, mean: 500h}", "5h"),
        (
            "gamma: {shape: 3, mean: 500h}",
            "{uniform: {min: 2h, max: 8h}}",
        ),
        (
            "lognormal: {mean: 500h, sigma: 1.2}",
            "{erlang: {k: 3, mean: 5h}}",
        ),
    ];
    // Three in four needed: U = 1 - P(at most one down) for each of two groups.
    let u: f64 = 5.0 / 505.0;
    let (a, group) = (1.0 - u, |a: f64| a.powi(4) + 4.0 * a.powi(3) * u);
    let exact = 1.0 - group(a) * group(a);
    for (row, (every, lasts)) in laws.into_iter().enumerate() {
        let fault = format!("faults: {{crash: {{every: {{{every}}}, lasts: {lasts}}}}}");
        let system = system(&format!(
            "
fivenines: 1
run: {{horizon: 1y}}
services:
  a: {{replicas: 4, needs: 3, {fault}}}
  b: {{replicas: 4, needs: 3, {fault}}}
"
        ));
        let found = found(&system, &run(&system, 10 + row as u64, 2, 0.2));
        check(every, found.unavailability, exact, 0.03);
        assert!(found.mean_z.abs() < 4.0);
    }
}

/// What the backbone meets by itself agrees with what the branches say, also where other parts are
/// handled by people, restart, fail over, and are maintained.
#[test]
fn forced_figures_agree_with_plain_ones_where_outages_are_common() {
    let system = system(
        "
fivenines: 1
run: {horizon: 90d}
crews: {ops: {count: 1}}
domains:
  x: {kind: zone, faults: {power: {every: {exponential: {mean: 60d}}, lasts: {lognormal: {median: 1h, p95: 6h}}}}}
  y: {kind: zone}
common_causes: {heat: {hits: [app.crash], every: {exponential: {mean: 100d}}, chance: 60%}}
nodes: {web: {count: 4, across: [x, y], faults: {crash: {every: {weibull: {shape: 0.8, mean: 30d}}, lasts: {lognormal: {median: 2h, sigma: 1}}}}}}
services:
  app:
    replicas: 4
    on: web
    needs: 2
    starts_in: 1m
    faults:
      crash: {every: {exponential: {mean: 10d}}, lasts: {exponential: {mean: 1h}}, noticed_in: 10m, repaired_by: ops}
      maintenance: {every: 30d, lasts: 20m, one_by_one: true}
    operations: {read: {takes: 1ms, calls: [{to: db.write}]}}
stores:
  db:
    members: 2
    across: [x, y]
    failover: {generic: {detect: 30s, promote: 1m, coverage: 90%, on_failure: {takes: 1h}}}
    faults: {crash: {every: {exponential: {mean: 40d}}, lasts: {exponential: {mean: 3h}}, repaired_by: ops}}
    operations: {write: {takes: 1ms, from: leader}}
journeys: {read: {calls: [{to: app.read}]}}
",
    );
    let record = run(&system, 5, 3, 0.5);
    agrees(&system, &record, &found(&system, &record));
}

/// Whether what branches say agrees with what the histories themselves had.
pub(super) fn agrees(system: &System, record: &StructureRecord, found: &Found) {
    let natural = &record.forced.as_ref().unwrap().natural;
    let outages = mean(&natural.swapped(), record.replications);
    let natural = mean(natural, record.replications);
    let horizon = system.run.horizon.as_secs_f64();
    // On the same histories, but independent given the beginnings of episodes: errors add at most.
    for ((value, error), (plain, other)) in [
        (
            found.unavailability,
            (natural.0 / horizon, natural.1 / horizon),
        ),
        (found.outages, outages),
    ] {
        let z = (value - plain) / error.hypot(other);
        println!("{value:.5e} forced, {plain:.5e} plain, {z:+.2} se");
        assert!(z.abs() < 3.5 && other < 0.06 * plain && error < 0.06 * value);
    }
    assert!(found.mean_z.abs() < 4.0);
}
