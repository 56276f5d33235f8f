//! Failures of load that samples of quiet time never see: found by splitting, against closed forms.

use super::harness::system;
use fivenines::estimate::{GroupRunner, Plan, Record, TrafficFold};
use fivenines::model::{Load, Method, System};
use fivenines::path::Cause;
use fivenines::stats::Estimate;
use rayon::prelude::*;

/// One server with room for `queue + 1`.
fn single(queue: u32, load: f64) -> System {
    system(&format!(
        "
fivenines: 1
run: {{horizon: 30d}}
services:
  server:
    workers: 1
    queue: {queue}
    operations: {{work: {{takes: {{exponential: {{mean: 1s}}}}}}}}
workload: {{users: {{arrive: {{poisson: {load}/s}}, patience: 1h, journeys: {{server.work: 100%}}}}}}
"
    ))
}

/// The share that is refused by one server with so many places (Erlang; Kleinrock I, 3.6).
fn refused(places: i32, load: f64) -> f64 {
    (1.0 - load) * load.powi(places) / (1.0 - load.powi(places + 1))
}

/// What the first groups of a run find.
fn found(system: &System, seed: u64, groups: u64) -> TrafficFold {
    let mut plan = Plan::new(system, &Load::of(system), seed, Method::Windows);
    plan.traffic_per_block = groups;
    let mut runner = GroupRunner::new(system, &plan);
    let mut record = Record::new(system);
    for group in 0..groups {
        let found = runner.run(0, group, groups, &|| false).expect("it runs");
        record.push(system, &plan, group, &found);
    }
    record.traffic.expect("there is traffic")
}

fn share(found: &TrafficFold) -> Estimate {
    let share = found.failed.share(found.replications, 0.95);
    share.expect("requests")
}

/// Half of a 95 % interval in standard errors, with 15 degrees of freedom.
const HALF: f64 = 2.131;

#[track_caller]
fn meets(found: &TrafficFold, exact: f64, most: f64) {
    let share = share(found);
    let error = (share.high - share.low) / 2.0 / HALF;
    let z = (share.value - exact) / error;
    assert!(error <= most * exact, "{share:?}, exactly {exact:e}");
    assert!(z.abs() <= 4.0, "{share:?}, exactly {exact:e}, z {z}");
}

#[test]
fn a_queue_is_full_as_seldom_as_its_closed_form_says() {
    let system = single(19, 0.5);
    let found = found(&system, 1, 16);
    assert!(found.splitting.levels > 5 && found.splitting.regimes == 16);
    assert_eq!(found.simulated.failed, 0, "samples see none");
    meets(&found, refused(20, 0.5), 0.06);
}

#[test]
fn what_is_found_adds_up_by_cause_service_and_outcome() {
    let found = found(&single(19, 0.5), 2, 16);
    let [issued, good, degraded, failed, in_flight] = found.estimated;
    assert!(failed > 0.0);
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    assert!(close(issued, good + degraded + failed + in_flight));
    assert!(close(failed, found.by_cause[Cause::Load.index()].y));
    assert!(close(failed, found.pools[0].failed.y));
    assert!(close(failed, found.journeys[0].y));
}

#[test]
fn what_samples_see_is_left_to_them() {
    let found = found(&single(4, 0.5), 1, 16);
    assert_eq!(found.splitting.regimes, 0);
    assert!(found.simulated.failed > 0);
}

/// What leaves a queue in equilibrium comes to the next as a Poisson stream (Burke 1956), so that the second
/// of two is full as often as if it stood alone.
#[test]
fn a_second_queue_in_a_row_is_full_as_often_as_alone() {
    let system = system(
        "
fivenines: 1
run: {horizon: 30d}
services:
  first:
    workers: 1
    operations: {work: {takes: {exponential: {mean: 400ms}}}}
  second:
    workers: 1
    queue: 14
    operations: {work: {takes: {exponential: {mean: 500ms}}}}
journeys: {both: {calls: [{to: first.work}, {to: second.work}]}}
workload: {users: {arrive: {poisson: 1/s}, patience: 1h, journeys: {both: 100%}}}
",
    );
    let found = found(&system, 1, 16);
    assert_eq!(found.splitting.regimes, 16);
    meets(&found, refused(15, 0.5), 0.15);
}

/// The sojourn time of M/M/1 is exponential with the rate of what is left of the server (Kleinrock I, 5.7).
#[test]
fn late_answers_are_found_as_seldom_as_the_exponential_law_says() {
    let system = system(
        "
fivenines: 1
run: {horizon: 30d}
services:
  server:
    workers: 1
    operations: {work: {takes: {exponential: {mean: 1s}}}}
workload: {users: {arrive: {poisson: 0.5/s}, patience: 1h, good_within: 28s, journeys: {server.work: 100%}}}
",
    );
    let found = found(&system, 1, 16);
    assert_eq!(found.splitting.regimes, 16);
    meets(&found, (-14.0_f64).exp(), 0.06);
}

#[test]
#[ignore = "long: CI runs it"]
fn intervals_of_what_is_split_cover_the_closed_form() {
    const RUNS: u64 = 1_000;
    let (system, exact) = (single(19, 0.5), refused(20, 0.5));
    let all: Vec<Estimate> = (1..=RUNS)
        .into_par_iter()
        .map(|seed| share(&found(&system, seed, 4)))
        .collect();
    let covered = all
        .iter()
        .filter(|one| one.low <= exact && exact <= one.high)
        .count();
    let mean = all.iter().map(|one| one.value).sum::<f64>() / RUNS as f64;
    let squares: f64 = all.iter().map(|one| (one.value - mean).powi(2)).sum();
    let error = squares.sqrt() / RUNS as f64;
    println!(
        "{covered} of {RUNS} cover, mean {:.4} +- {:.4} of the truth",
        mean / exact,
        error / exact
    );
    assert!(
        (mean - exact).abs() <= 3.0 * error,
        "{mean:e}, exactly {exact:e}"
    );
    assert!((930..=970).contains(&covered), "{covered}");
}
