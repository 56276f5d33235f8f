//! Request figures of two parts, plain and forced: they add up to what was counted, are surer, and their intervals
//! cover.

use super::harness::{full, paired, system, z};
use fivenines::estimate::{Forcing, GROUPS, GroupRunner, Plan, Record, Sums};
use fivenines::experiment::{self, Options, Watch};
use fivenines::model::{Load, Method, System};
use rayon::prelude::*;

/// Two services that are down now and then, one of which only one of two journeys needs.
const TWO: &str = "
fivenines: 1
run: {horizon: 10d}
domains: {hall: {kind: zone, faults: {power: {every: {exponential: {mean: 60d}}, lasts: {exponential: {mean: 2h}}}}}}
services:
  app:
    replicas: 2
    workers: 2
    across: [hall]
    faults: {crash: {every: {exponential: {mean: 4d}}, lasts: {exponential: {mean: 5h}}}}
    operations: {read: {takes: {exponential: {mean: 20ms}}}}
  db:
    replicas: 2
    workers: 4
    needs: 1
    faults: {crash: {every: {weibull: {shape: 0.8, mean: 5d}}, lasts: {exponential: {mean: 6h}}}}
    operations: {query: {takes: {exponential: {mean: 10ms}}}}
balancers:
  edge: {to: app, algorithm: least_conn, probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}}
  data: {to: db, algorithm: random, probes: {interval: 2s, timeout: 500ms, rise: 2, fall: 2}}
journeys:
  read: {calls: [{to: app.read, through: edge, timeout: 300ms, retries: {max: 1}}]}
  buy: {calls: [{to: app.read, through: edge}, {to: db.query, through: data}]}
workload:
  many: {arrive: {poisson: 20/s, profile: {peak: \"12:00\", ratio: 3}}, journeys: {read: 100%}, patience: 1s}
  few: {arrive: {poisson: 5/s}, journeys: {buy: 100%}, patience: 2s}
";

/// Nobody looks on.
struct Silent;

impl Watch for Silent {
    fn progress(&self, _done: u64, _total: u64) {}

    fn stop(&self) -> bool {
        false
    }
}

/// Groups of one block, of which the first few histories have traffic and the others lend.
fn found(system: &System, seed: u64, (histories, traffic): (u64, u64), forced: bool) -> Record {
    let mut plan = Plan::new(system, &Load::of(system), seed, Method::Windows);
    (plan.traffic_per_block, plan.lenders) = (traffic, 63);
    plan.forcing = forced.then_some(Forcing { share: 1.0 });
    // It would find the same for both.
    plan.windows.splits = false;
    let mut runner = GroupRunner::new(system, &plan);
    let mut record = Record::new(system);
    for group in 0..GROUPS {
        let found = runner.run(0, group, histories, &|| false).expect("it runs");
        record.push(system, &plan, group, &found);
    }
    record
}

/// Figures of requests and slices, of each history with traffic; `forced` says whether parts are to be added.
fn figures(record: &Record) -> Vec<f64> {
    let traffic = record.traffic.as_ref().expect("there is traffic");
    let structure = &record.structure;
    let (with, all) = (traffic.replications as f64, structure.replications as f64);
    let both = |plain: f64, forced: Option<f64>| plain / with + forced.unwrap_or(0.0) / all;
    let lost = structure.forced.as_ref().map(|forced| &forced.lost);
    let of = |plain: &Sums, forced: Option<&Sums>| both(plain.y, forced.map(|sums| sums.y));
    let sliced = &traffic.outages.downtime;
    let parts = lost.map(|_| &structure.system);
    let all_causes = |sums: &[Sums]| sums.iter().map(|sums| sums.y).sum::<f64>();
    let mut figures = vec![
        of(&traffic.failed, lost.map(|lost| &lost.all)),
        of(&traffic.not_full, lost.map(|lost| &lost.all)),
        both(
            all_causes(&traffic.by_cause),
            lost.map(|lost| all_causes(&lost.by_cause)),
        ),
        of(sliced, parts),
        both(sliced.x, parts.map(|sums| sums.x)),
        both(
            all_causes(&traffic.outages.by_cause),
            parts.map(|_| all_causes(&structure.by_cause)),
        ),
    ];
    for (row, plain) in traffic.workloads.iter().enumerate() {
        figures.push(of(plain, lost.map(|lost| &lost.workloads[row])));
    }
    figures
}

const NAMES: [&str; 8] = [
    "failed",
    "not full",
    "failed by cause",
    "downtime",
    "outages",
    "downtime by cause",
    "many",
    "few",
];

/// On the same histories, with outages that come as often as they do and with two parts: where every eighth history
/// has traffic and borrows, and where a third has and slices borrow nothing.
#[test]
#[ignore = "long: CI runs it"]
fn both_parts_together_say_what_was_counted() {
    let system = system(TWO);
    let most = if full() { 0.04 } else { 0.06 };
    // Where slices borrow nothing, downtime differs by more.
    for (histories, traffic, seeds) in [(256, 32, 24), (192, 64, 48)] {
        let seeds = if full() { seeds } else { seeds / 2 };
        let runs: Vec<_> = (1..=seeds)
            .into_par_iter()
            .map(|seed| {
                let of = |forced| figures(&found(&system, seed, (histories, traffic), forced));
                (of(false), of(true))
            })
            .collect();
        for (index, name) in NAMES.into_iter().enumerate() {
            let differences: Vec<f64> = runs
                .iter()
                .map(|(own, parts)| parts[index] - own[index])
                .collect();
            let (difference, error) = paired(&differences);
            let total: f64 = runs.iter().map(|(own, _)| own[index]).sum();
            println!(
                "{histories}/{traffic} {name}: {:+.2} se, error {:.2} %",
                z((difference, error)),
                100.0 * error / total
            );
            assert!(z((difference, error)).abs() <= 3.0, "{name}");
            assert!(error <= most * total, "{name}: too few histories");
        }
    }
}

/// A pair that is down once in 230 years, and then for two hours: what fails is what comes meanwhile.
#[test]
#[ignore = "long: CI runs it"]
fn intervals_of_two_parts_cover() {
    const RUNS: u64 = 1_000;
    let source = std::fs::read_to_string("tests/oracles/rare-requests.yaml").expect("a file");
    let system = system(&source);
    let down = (4.0_f64 / 4_004.0).powi(2);
    let runs: Vec<_> = (1..=RUNS)
        .map(|seed| {
            let mut system = system.clone();
            system.run.seed = seed;
            let options = Options {
                replications: Some(256),
                ..Options::default()
            };
            let outcome = experiment::run(&system, "", &options, &Silent).expect("it runs");
            assert!(outcome.run.forcing.is_some(), "seed {seed}");
            let failing = outcome.availability.request.expect("requests").complement();
            let downtime = outcome.downtime.expect("slices").mean;
            [failing, downtime.scaled(1.0 / 31_536_000.0)]
        })
        .collect();
    for (index, name) in ["failed share", "downtime"].into_iter().enumerate() {
        let of = || runs.iter().map(|run| run[index]);
        let covered = of().filter(|it| it.low <= down && down <= it.high).count();
        let values: Vec<f64> = of().map(|it| it.value - down).collect();
        let (sum, error) = paired(&values);
        println!(
            "{name}: {covered} of {RUNS} cover; the mean is {:+.2} errors of {:.2} % from the truth",
            sum / error,
            100.0 * error / RUNS as f64 / down
        );
        assert!((930..=970).contains(&covered), "{name}: {covered}");
        assert!((sum / error).abs() < 3.0, "{name}");
    }
}
