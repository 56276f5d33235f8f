//! Users in a closed loop against the machine repairman, and bursts. Seeds are fixed; each check states
//! its standard error, and tolerates four of them.

use super::build::{Build, call, exponential, settings};
use crate::analytic::ClosedLoop;
use crate::ids::{JourneyId, WorkloadId};
use crate::model::{Bursts, Users};
use crate::path::{Regime, Signal};
use crate::random::Dist;
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Source, Tally, Traffic};

use super::fivenines::ids::{FaultId, Id};

const SOURCE: Source = Source::Replication {
    seed: 5,
    replication: 0,
};

fn after(secs: u64) -> SimTime {
    SimTime::START + SimSpan::from_secs(secs)
}

/// 12 users in front of 3 servers with a mean service of 1.5 s.
fn loop_of(think: Dist) -> (Build, JourneyId) {
    let mut system = Build::new();
    let pool = system.pool("app", 1, Some(3), None);
    let serve = system.operation(pool, exponential(1.5));
    let site = system.site(call(serve));
    let journey = system.workload("users", 12.0 / think.mean(), None, vec![site]);
    let last = system.0.workloads.as_mut_slice().last_mut().unwrap();
    last.users = Some(Users { count: 12, think });
    (system, journey)
}

fn run(system: &Build, secs: u64) -> Tally {
    let mut traffic = Traffic::new(&system.0, settings());
    traffic.begin(&Regime::all_up(&system.0), SimTime::START, SOURCE);
    traffic.count(after(1_000), after(1_000 + secs));
    traffic.run_until(after(1_000 + secs));
    while traffic.counted_in_flight() > 0 {
        traffic.step();
    }
    traffic.finish(traffic.now());
    let tally = traffic.tally().clone();
    tally.check().unwrap();
    tally
}

/// The response is as the machine repairman's for every distribution of thinking with one mean.
///
/// About 3.6e5 requests; blocks of them gave standard errors of 0.0045 s for the mean response and
/// 0.003/s for the throughput, and Little's law holds over the whole round.
#[test]
fn users_wait_as_machines_for_repair_however_they_think() {
    let exact = ClosedLoop::new(12, 4.0, 3, 1.5);
    let secs = 200_000;
    let constant = Dist::constant(4.0).unwrap();
    let uniform = Dist::uniform(0.0, 8.0).unwrap();
    for think in [exponential(4.0), uniform, constant] {
        let (system, journey) = loop_of(think);
        let tally = run(&system, secs);
        let users = tally.users[WorkloadId::from_index(0)];
        let response = tally.journeys[journey].latency.mean().unwrap() * 1e-9;
        let z = (response - exact.mean_response()) / 0.0045;
        assert!(
            z.abs() < 4.0,
            "{response} against {}",
            exact.mean_response()
        );
        let throughput = users.ended as f64 / secs as f64;
        let z = (throughput - exact.throughput()) / 0.003;
        assert!(z.abs() < 4.0, "{throughput} against {}", exact.throughput());
        let round = 12.0 / throughput;
        assert!((round - response - 4.0).abs() < 0.02);
        assert_eq!(
            (users.calm, users.calm_waited_ns),
            (users.ended, users.waited_ns)
        );
        assert!((users.waited_ns as f64 * 1e-9 / users.ended as f64 - response).abs() < 1e-6);
    }
}

/// A stretch that begins at the same instant sees the same users; nobody is in two places.
#[test]
fn a_user_has_one_request_at_a_time() {
    let (system, _) = loop_of(exponential(0.1));
    let mut traffic = Traffic::new(&system.0, settings());
    for _ in 0..2 {
        traffic.begin(&Regime::all_up(&system.0), SimTime::START, SOURCE);
        while traffic.now() < after(500) {
            traffic.step();
            // Each has a frame for the request and one for its attempt.
            assert!(traffic.frames_in_use() <= 24);
        }
        traffic.finish(traffic.now());
    }
    assert_eq!(run(&system, 500).users, run(&system, 500).users);
}

/// What comes in a burst comes besides: the usual requests stay where they were.
#[test]
fn a_burst_moves_no_usual_request_and_brings_its_share() {
    let mut system = Build::new();
    let pool = system.pool("app", 1, None, None);
    let serve = system.operation(pool, Dist::constant(0.001).unwrap());
    let site = system.site(call(serve));
    let journey = system.workload("users", 50.0, None, vec![site]);
    let times = |system: &Build, burst: bool| {
        let mut traffic = Traffic::new(&system.0, settings());
        traffic.begin(&Regime::all_up(&system.0), SimTime::START, SOURCE);
        traffic.count(after(0), after(300));
        let workload = WorkloadId::from_index(0);
        let signal = |active| Signal::Burst { workload, active };
        let mut counts = Vec::new();
        for (at, active) in [(100, true), (200, false), (300, false)] {
            traffic.run_until(after(at));
            counts.push(traffic.tally().journeys[journey].counts.issued);
            if burst && at < 300 {
                traffic.apply(after(at), signal(active));
            }
        }
        counts
    };
    let usual = times(&system, false);
    let fault = FaultId::from_index(0);
    system.0.workloads.as_mut_slice()[0].bursts = Some(Bursts { fault, factor: 5.0 });
    assert_eq!(times(&system, false), usual);
    let more = times(&system, true);
    assert_eq!(more[0], usual[0]);
    // 100 s of 200/s besides: one standard error is 141.
    let extra = (more[1] - usual[1]) as f64;
    assert!((extra - 20_000.0).abs() < 4.0 * 141.0, "{extra}");
    assert_eq!(more[2] - more[1], usual[2] - usual[1]);
}
