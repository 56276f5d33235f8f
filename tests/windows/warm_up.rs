//! How long traffic needs to forget how a stretch began, measured by coalescence: against what is exact, and where the
//! formula is too short.

use super::harness::{compare, system};
use fivenines::estimate::{AtPeak, Coalescence, Pair, Plan, Runs, Took};
use fivenines::experiment::{self, Options};
use fivenines::model::{Load, Method, System};
use fivenines::path::Regime;
use fivenines::time::{SimSpan, SimTime};
use fivenines::traffic::{Engine, Source, Traffic, TrafficSettings};

/// One server, 80 requests a second of 100 that it can do.
const SINGLE: &str = "
fivenines: 1
run: {horizon: 1h}
services:
  app:
    replicas: 1
    workers: 1
    faults: {crash: {every: {exponential: {mean: 30d}}, lasts: 60s}}
    operations: {read: {takes: {exponential: {mean: 10ms}}}}
workload: {users: {arrive: {poisson: 80/s}, journeys: {app.read: 100%}, patience: 1h}}
";

/// From a backlog of k and from empty, the same requests coalesce when the longer queue is empty for the first time: a
/// busy period that k customers begin. Its mean is k / (mu - lambda), and its variance k (mu + lambda) / (mu - lambda)^3
/// (Kleinrock, Queueing Systems, volume 1, section 5.8).
#[test]
fn a_single_server_coalesces_when_its_backlog_has_been_worked_off() {
    const PAIRS: u32 = 4_096;
    let system = system(SINGLE);
    let peak = AtPeak::new(&system);
    let (healthy, mut runs) = (peak.healthy(7), Runs::new(&peak));
    let (mu, lambda) = (100.0, 80.0);
    for backlog in [1, 20] {
        let pieces = [backlog].into_iter().collect();
        let (mut sum, mut squares) = (0.0, 0.0);
        for batch in 0..PAIRS {
            let source = Source::Sample {
                seed: 7,
                regime: u64::from(backlog),
                batch: u64::from(batch),
            };
            let formula = SimSpan::from_secs(20);
            let (pair, _) = runs.pair((&healthy, &pieces), source, formula, u64::MAX);
            let Pair::One(after) = pair else {
                panic!("{pair:?}");
            };
            sum += after.as_secs_f64();
            squares += after.as_secs_f64().powi(2);
        }
        let n = f64::from(PAIRS);
        let k = f64::from(backlog);
        let exact = k / (mu - lambda);
        let variance = k * (mu + lambda) / f64::powi(mu - lambda, 3);
        let (mean, error) = (sum / n, (variance / n).sqrt());
        let found = squares / n - mean * mean;
        println!(
            "backlog {backlog}: mean {mean:.4} s, exactly {exact} s ({:+.2} se), variance {found:.4}, exactly {variance:.4}",
            (mean - exact) / error
        );
        assert!((mean - exact).abs() <= 3.0 * error, "{mean} {exact}");
        // Its own error is larger for one customer, whose busy periods are short and seldom very long.
        let most = if backlog == 1 { 0.3 } else { 0.1 };
        assert!((found / variance - 1.0).abs() <= most, "{found} {variance}");
    }
}

fn by_windows(system: &System) -> Plan {
    let options = Options {
        method: Some(Method::Windows),
        ..Options::default()
    };
    experiment::plan(system, &options).expect("windows fit").0
}

fn by_formula(system: &System) -> Plan {
    Plan::new(system, &Load::of(system), 7, Method::Windows)
}

/// Three services in series, each busy for 85 % of the time, in front of which callers try again: a backlog passes from
/// one to the next, and the formula takes each for itself.
const SERIES: &str = "
fivenines: 1
run: {horizon: 4h}
services:
  first:
    replicas: 2
    workers: 1
    faults: {crash: {every: {exponential: {mean: 10m}}, lasts: 2s}}
    operations: {read: {takes: {exponential: {mean: 50ms}}}}
  second: {replicas: 2, workers: 1, operations: {read: {takes: {exponential: {mean: 50ms}}}}}
  third: {replicas: 2, workers: 1, operations: {read: {takes: {exponential: {mean: 50ms}}}}}
journeys:
  all:
    calls:
      - {to: first.read, timeout: 4s, retries: {max: 1}}
      - {to: second.read, timeout: 4s, retries: {max: 1}}
      - {to: third.read, timeout: 4s, retries: {max: 1}}
workload: {users: {arrive: {poisson: 34/s}, journeys: {all: 100%}, patience: 12s}}
";

#[test]
fn where_the_formula_is_too_short_the_measured_warm_up_is_used() {
    let system = system(SERIES);
    let (formula, plan) = (by_formula(&system), by_windows(&system));
    let measured = plan.coalescence.as_ref().expect("it was measured");
    println!(
        "{:?} by formula, {:?} in use: {measured:?}",
        formula.windows.warm_up, plan.windows.warm_up
    );
    assert_eq!(measured.formula, formula.windows.warm_up);
    assert!(
        plan.windows.warm_up
            >= formula
                .windows
                .warm_up
                .saturating_add(SimSpan::from_secs(10))
    );
    assert_eq!(plan.windows.warm_up, measured.asks());
    assert_eq!(
        plan.windows.after,
        plan.windows.look_back.saturating_add(plan.windows.warm_up)
    );
    assert_eq!(plan.traffic.settle, plan.windows.after);
    // And it is long enough, as far as is known; none at all is not.
    assert!(!measured.too_short(plan.windows.warm_up));
    assert!(measured.too_short(formula.windows.warm_up));
    assert!(measured.too_short(SimSpan::ZERO));
    // The same for the same seed.
    assert_eq!(plan, by_windows(&system));
}

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_where_the_formula_is_too_short() {
    compare(&system(SERIES), 64, |_| {}).agrees_within(0.03);
}

/// What two runs cannot come to is not asked of them.
#[test]
fn where_two_runs_cannot_meet_the_formula_stands() {
    let closed = SINGLE.replace(
        "{arrive: {poisson: 80/s}, journeys",
        "{arrive: {users: {count: 5, think: {exponential: {mean: 100ms}}}}, journeys",
    );
    let overloaded = SINGLE.replace("80/s", "120/s").replace("1h}}", "2s}}");
    for text in [closed, overloaded] {
        let system = system(&text);
        let plan = by_windows(&system);
        let measured = plan.coalescence.as_ref().expect("it was tried");
        assert_eq!(measured.regimes[0].took, Took::Unknown);
        assert_eq!(plan.windows, by_formula(&system).windows);
        assert!(!measured.too_short(plan.windows.warm_up));
    }
}

/// Two replicas in which one wave of time-outs keeps the next alive: a backlog stays for hours.
#[test]
fn a_backlog_that_stays_is_noticed() {
    let text = std::fs::read_to_string("scenarios/retry-storm.yaml").expect("it is there");
    let system = system(&text);
    let plan = by_formula(&system);
    let measured = Coalescence::of(&system, &plan);
    assert!(
        matches!(measured.regimes[0].took, Took::MoreThan(after) if after > plan.windows.warm_up),
        "{measured:?}"
    );
    assert!(measured.too_short(plan.windows.warm_up));
    assert_eq!(measured.asks(), SimSpan::ZERO);
}

#[test]
fn a_backlog_fills_what_there_is_and_no_more() {
    let text = SINGLE.replace("workers: 1", "workers: 3\n    queue: 20");
    let system = system(&text.replace("replicas: 1", "replicas: 2"));
    let settings = TrafficSettings {
        slice: SimSpan::from_secs(1),
        bad_below: 0.95,
        settle: SimSpan::ZERO,
        bounds: Vec::new(),
        bins: None,
    };
    let source = Source::Sample {
        seed: 7,
        regime: 1,
        batch: 0,
    };
    let mut traffic = Traffic::with_engine(&system, settings, Engine::Events);
    for (each, piled) in [(0, 0), (2, 4), (1_000, 46)] {
        traffic.begin(&Regime::all_up(&system), SimTime::START, source);
        traffic.watch_fates(true);
        assert_eq!(
            traffic.pile_up(&[each].into_iter().collect(), source),
            piled
        );
        assert_eq!(traffic.frames_in_use(), piled);
        traffic.run_until(SimTime::START + SimSpan::from_secs(10));
        // Each piece is worked off, once.
        let pieces = traffic.fates().iter().filter(|fate| fate.what == u32::MAX);
        assert_eq!(pieces.count(), piled as usize);
    }
}
