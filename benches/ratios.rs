//! The speed table: each row a ratio or a rate, measured with criterion in one run.
//!
//! The bound is the Lindley recursion with histogram, the least that any simulation of a queue
//! request by request can cost. `FIVENINES_BENCH=short` measures briefly and fails, with an exit
//! code, at twice a row's goal: a guard against mistakes, not against noise.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that prints a table"
)]

use criterion::{BenchmarkId, Criterion, Throughput};
use fivenines::control::{Control, Detail};
use fivenines::estimate::{BLOCK, GROUPS, GroupRunner, Plan};
use fivenines::experiment::{Options, Watch, run};
use fivenines::model::{Load, Method, System};
use fivenines::path::Regime;
use fivenines::random::{Dist, Stream};
use fivenines::scenario;
use fivenines::stats::Histogram;
use fivenines::time::{SimSpan, SimTime};
use fivenines::traffic::{Engine, Source, Traffic, TrafficSettings};
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

const OUTPUT: &str = "target/criterion";

fn system(source: &str) -> System {
    match scenario::load(source.as_bytes(), "bench.yaml") {
        Ok(loaded) => loaded.system,
        Err(problems) => panic!("{}", problems.render(false)),
    }
}

/// Ten replicas behind a balancer, two choices, time-outs and patience, utilisation 0.8.
fn two_choices(workers: u32) -> System {
    let rate = 8.0 * f64::from(workers) / 0.01;
    system(&format!(
        "
fivenines: 1
run: {{horizon: 1h, method: exact}}
services:
  app:
    replicas: 10
    workers: {workers}
    operations: {{read: {{takes: {{exponential: {{mean: 10ms}}}}}}}}
balancers: {{edge: {{to: app, algorithm: two_choices}}}}
journeys: {{read: {{calls: [{{to: app.read, through: edge, timeout: 200ms}}]}}}}
workload: {{users: {{arrive: {{poisson: {rate}/s}}, journeys: {{read: 100%}}, patience: 1s}}}}
"
    ))
}

/// Fifty components that fail about four times a year each, in three tiers.
fn fifty(probed: bool) -> System {
    let crash =
        "faults: {crash: {every: {exponential: {mean: 80d}}, lasts: {exponential: {mean: 2h}}}}";
    let (probes, failover) = if probed {
        (
            "probes: {interval: 2s, timeout: 1s, rise: 2, fall: 3}, ",
            "failover: {vrrp: {advert_int: 1s, priorities: [150, 100]}}, ",
        )
    } else {
        ("", "")
    };
    system(&format!(
        "
fivenines: 1
run: {{horizon: 1y, method: none}}
services:
  web: {{replicas: 20, needs: 15, {crash}, operations: {{read: {{takes: 1ms, calls: [{{to: app.read, through: inner}}]}}}}}}
  app: {{replicas: 18, needs: 12, {crash}, operations: {{read: {{takes: 1ms, calls: [{{to: db.query}}]}}}}}}
stores:
  db: {{members: 8, {crash}, operations: {{query: {{takes: 1ms, from: quorum}}}}}}
balancers:
  outer: {{to: web, replicas: 2, {probes}{failover}{crash}}}
  inner: {{to: app, replicas: 2, {probes}{failover}{crash}}}
journeys: {{read: {{calls: [{{to: web.read, through: outer}}]}}}}
"
    ))
}

/// The least that a simulation of a queue can cost: one M/M/1 request with histogram.
fn lindley(c: &mut Criterion) {
    const REQUESTS: u64 = 100_000;
    let mut group = c.benchmark_group("bound");
    group.throughput(Throughput::Elements(REQUESTS));
    let gap = Dist::exponential(1.25).expect("valid");
    let service = Dist::exponential(1.0).expect("valid");
    let mut histogram = Histogram::new();
    let mut stream = Stream::from_key(1);
    group.bench_function("lindley", |b| {
        b.iter(|| {
            let mut wait = 0.0_f64;
            for _ in 0..REQUESTS {
                let sojourn = wait + service.sample(&mut stream);
                histogram.record((sojourn * 1e9) as u64);
                wait = (sojourn - gap.sample(&mut stream)).max(0.0);
            }
            assert!(histogram.total() >= REQUESTS);
            black_box(wait)
        });
    });
    group.finish();
}

/// The same requests by both engines.
fn requests(c: &mut Criterion, name: &str, engine: Engine) {
    const REQUESTS: f64 = 100_000.0;
    let mut group = c.benchmark_group(name);
    for workers in [1, 4] {
        let system = two_choices(workers);
        let rate = system.workloads.iter().next().expect("one workload").rate;
        let settings = TrafficSettings {
            bins: None,
            slice: SimSpan::from_secs(1),
            bad_below: 0.95,
            settle: SimSpan::from_secs(10),
            bounds: Vec::new(),
        };
        let mut traffic = Traffic::with_engine(&system, settings, engine);
        let regime = Regime::all_up(&system);
        let begin = SimTime::START.before(SimSpan::from_secs(1));
        traffic.begin(
            &regime,
            begin,
            Source::Replication {
                seed: 1,
                replication: 0,
            },
        );
        let step = SimSpan::from_secs_f64(REQUESTS / rate);
        let mut now = SimTime::START;
        traffic.count(now, SimTime::START + SimSpan::from_secs(360 * 86_400));
        group.throughput(Throughput::Elements(REQUESTS as u64));
        group.bench_function(BenchmarkId::new("two_choices", workers), |b| {
            b.iter(|| {
                now = now + step;
                traffic.run_until(now);
                assert!(!traffic.overflowed());
                assert_eq!(traffic.is_arrival_driven(), engine == Engine::Automatic);
                black_box(traffic.next_time())
            });
        });
    }
    group.finish();
}

fn control(c: &mut Criterion) {
    let mut group = c.benchmark_group("control");
    for (name, probed, detail) in [
        ("structure", false, Detail::Structure),
        ("probes_and_vrrp", true, Detail::Full),
    ] {
        let system = fifty(probed);
        let mut control = Control::new(&system, detail);
        let mut signals = Vec::new();
        let mut replication = 0;
        let end = SimTime::START + system.run.horizon;
        group.throughput(Throughput::Elements(1));
        group.bench_function(name, |b| {
            b.iter(|| {
                replication += 1;
                control.restart(1, replication);
                let mut down = 0_u64;
                let mut transitions = 0;
                while control.next_time() < end {
                    signals.clear();
                    control.step(&mut signals);
                    transitions += 1;
                    down += u64::from(!control.structure().system_up());
                    black_box(control.structure().blame());
                }
                assert!(transitions > 100);
                black_box(down)
            });
        });
    }
    group.finish();
}

struct Quiet;

impl Watch for Quiet {
    fn progress(&self, _done: u64, _total: u64) {}
    fn stop(&self) -> bool {
        false
    }
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("threads start")
}

fn threads(c: &mut Criterion) {
    let system = fifty(false);
    let mut group = c.benchmark_group("threads");
    group.sample_size(10);
    let options = Options {
        replications: Some(16_384),
        ..Options::default()
    };
    for threads in [1, 2] {
        let pool = pool(threads);
        group.bench_function(BenchmarkId::from_parameter(threads), |b| {
            b.iter(|| {
                let outcome = pool.install(|| run(&system, "", &options, &Quiet));
                black_box(outcome.expect("it runs"))
            });
        });
    }
    group.finish();
}

/// Years at request level on one thread.
fn years(c: &mut Criterion) {
    let three = system(
        "
fivenines: 1
run: {horizon: 1y, method: windows, replications: 32}
services:
  app:
    replicas: 3
    workers: 2
    faults: {crash: {every: {exponential: {mean: 30d}}, lasts: {exponential: {mean: 10m}}}}
    operations: {read: {takes: {exponential: {mean: 3ms}}}}
balancers: {edge: {to: app, algorithm: two_choices, probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}}}
workload: {users: {arrive: {poisson: 1000/s}, journeys: {read: 100%}, through: edge, patience: 200ms}}
",
    );
    let site = std::fs::read_to_string("scenarios/article-site.yaml").expect("the scenario");
    let site = system(&site);
    let mut group = c.benchmark_group("year");
    group.sample_size(10);
    let pool = pool(1);
    for (name, system) in [("three_replicas", &three), ("article_site", &site)] {
        let options = Options {
            replications: Some(32),
            method: Some(Method::Windows),
            ..Options::default()
        };
        group.throughput(Throughput::Elements(32));
        group.bench_function(name, |b| {
            b.iter(|| {
                let outcome = pool
                    .install(|| run(system, "", &options, &Quiet))
                    .expect("it runs");
                assert_eq!(outcome.run.traffic_replications, 32);
                black_box(outcome)
            });
        });
    }
    group.finish();
}

/// One of three is enough, each is down an hour in a thousand: an unavailability of 1e-9.
const SELDOM: &str = "
fivenines: 1
run: {horizon: 1y, method: none}
services:
  app: {replicas: 3, faults: {crash: {every: {exponential: {mean: 1000h}}, lasts: {exponential: {mean: 1h}}}}}
";

/// Histories with forced outages.
const FORCED: u64 = 36_864;

/// Squared relative errors: of the unavailability by `FORCED` histories with forced outages, and by one that
/// waits. An outage has the known probability P = 2.6188e-5 in a year (oracle rare-01) and lasts for an
/// exponential time, so that the variance over the squared mean of a year's downtime is 2 / P.
fn seldom(c: &mut Criterion) -> (f64, f64) {
    let system = system(SELDOM);
    let options = Options {
        replications: Some(FORCED),
        ..Options::default()
    };
    let pool = pool(1);
    let forced = || {
        pool.install(|| run(&system, "", &options, &Quiet))
            .expect("it runs")
    };
    let downtime = forced().structural_downtime.mean;
    let error = (downtime.high - downtime.low) / (2.0 * 1.96 * downtime.value);
    let plan = Plan::new(&system, &Load::of(&system), 1, Method::None);
    let mut group = c.benchmark_group("seldom");
    group.sample_size(10);
    group.bench_function("forced", |b| b.iter(|| black_box(forced())));
    let mut runner = GroupRunner::new(&system, &plan);
    group.bench_function("waiting", |b| {
        b.iter(|| {
            for group in 0..GROUPS {
                black_box(runner.run(0, group, BLOCK, &|| false).expect("it runs"));
            }
        });
    });
    group.finish();
    (error * error, 2.0 / 2.618_785_437e-5)
}

/// Mean time of one iteration, seconds, as criterion wrote it.
fn seconds(id: &str) -> Option<f64> {
    let path = Path::new(OUTPUT).join(id).join("new/estimates.json");
    let text = std::fs::read_to_string(path).ok()?;
    let json: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(json["mean"]["point_estimate"].as_f64()? * 1e-9)
}

struct Row {
    what: &'static str,
    value: f64,
    unit: &'static str,
    goal: f64,
    at_most: bool,
}

fn table((forced, waiting): (f64, f64)) -> Option<Vec<Row>> {
    let bound = seconds("bound/lindley")? / 100_000.0;
    let per_request = |engine: &str, workers: u32| {
        Some(seconds(&format!("{engine}/two_choices/{workers}"))? / 100_000.0)
    };
    let row = |what, value, unit, goal, at_most| Row {
        what,
        value,
        unit,
        goal,
        at_most,
    };
    Some(vec![
        row(
            "bound: Lindley with histogram, per request",
            bound * 1e9,
            "ns",
            f64::INFINITY,
            true,
        ),
        row(
            "event engine, per attempt, 1 worker",
            per_request("event", 1)? / bound,
            "x bound",
            10.0,
            true,
        ),
        row(
            "event engine, per attempt, 4 workers",
            per_request("event", 4)? / bound,
            "x bound",
            10.0,
            true,
        ),
        row(
            "arrival-driven engine, per request, 1 worker",
            per_request("arrival", 1)? / bound,
            "x bound",
            5.0,
            true,
        ),
        row(
            "arrival-driven engine, per request, 4 workers",
            per_request("arrival", 4)? / bound,
            "x bound",
            4.0,
            true,
        ),
        row(
            "control, 50 components",
            1.0 / seconds("control/structure")?,
            "years/s",
            50_000.0,
            false,
        ),
        row(
            "control, 50 components, probes and VRRP",
            1.0 / seconds("control/probes_and_vrrp")?,
            "years/s",
            15_000.0,
            false,
        ),
        row(
            "two threads over one",
            seconds("threads/1")? / seconds("threads/2")?,
            "x",
            1.9,
            false,
        ),
        row(
            "a year at 1,000/s, three replicas",
            seconds("year/three_replicas")? / 32.0 * 1e3,
            "ms CPU",
            50.0,
            true,
        ),
        row(
            "a year of article-site",
            seconds("year/article_site")? / 32.0,
            "s CPU",
            0.5,
            true,
        ),
        row(
            "efficiency at an unavailability of 1e-9, over waiting",
            waiting * seconds("seldom/waiting")?
                / BLOCK as f64
                / (forced * seconds("seldom/forced")?),
            "x",
            1_000.0,
            false,
        ),
    ])
}

fn main() -> std::process::ExitCode {
    let short = std::env::var("FIVENINES_BENCH").is_ok_and(|value| value == "short");
    let mut criterion = Criterion::default()
        .configure_from_args()
        .output_directory(Path::new(OUTPUT))
        .without_plots();
    if short {
        criterion = criterion
            .sample_size(10)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1));
    }
    lindley(&mut criterion);
    requests(&mut criterion, "event", Engine::Events);
    requests(&mut criterion, "arrival", Engine::Automatic);
    control(&mut criterion);
    threads(&mut criterion);
    years(&mut criterion);
    let errors = seldom(&mut criterion);
    criterion.final_summary();
    // `cargo bench -- FILTER` and `--test` leave rows unmeasured; then there is no table.
    let Some(rows) = table(errors) else {
        return std::process::ExitCode::SUCCESS;
    };
    println!("\n| what | measured | goal |\n|---|---|---|");
    let mut failed = false;
    for row in &rows {
        let relation = if row.at_most { "<=" } else { ">=" };
        let goal = if row.goal.is_finite() {
            format!("{relation} {} {}", row.goal, row.unit)
        } else {
            String::new()
        };
        println!("| {} | {:.4} {} | {goal} |", row.what, row.value, row.unit);
        let twice = if row.at_most {
            row.value > 2.0 * row.goal
        } else {
            row.value < row.goal / 2.0
        };
        if twice {
            eprintln!("{}: beyond twice its goal", row.what);
            failed = true;
        }
    }
    if short && failed {
        std::process::ExitCode::FAILURE
    } else {
        std::process::ExitCode::SUCCESS
    }
}
