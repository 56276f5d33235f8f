//! Stations that do not serve in the order of arrival.

use super::build::{Build, call, constant, exponential, settings};
use super::case::{RARE, SOURCE, ended, first, good, journey, latency_ms, ms, slot, state};
use crate::ids::{Id, PoolId, SlotId};
use crate::model::{Call, Discipline, Fork, Impairment};
use crate::path::{Regime, Signal, SlotState};
use crate::stats::Histogram;
use crate::time::{SimSpan, SimTime};
use crate::traffic::{PoolTally, Traffic};

/// A user who calls operations of one station at the same time: time each takes, and its priority.
/// Each operation is of a pool of its own, which asks the station, so that each is seen apart.
fn together(
    discipline: Discipline,
    workers: u32,
    queue: Option<u32>,
    work: &[(u64, Option<i16>)],
) -> (Build, PoolId, Vec<PoolId>) {
    let mut system = Build::new();
    let station = system.pool("station", 1, Some(workers), queue);
    system.0.pools.as_mut_slice()[station.index()].discipline = discipline;
    let (mut calls, mut fronts) = (Vec::new(), Vec::new());
    for &(millis, priority) in work {
        let operation = system.operation(station, constant(millis as f64 * 1e-3));
        let front = system.pool("front", 1, None, None);
        let ask = system.operation(front, constant(0.0));
        system.calls(ask, call(operation));
        calls.push(system.site(Call {
            priority,
            ..call(ask)
        }));
        fronts.push(front);
    }
    let calls = system.fork(Fork {
        wait_for: calls.len() as u32,
        calls,
        copies: 1,
        deadline: None,
        chance: 1.0,
        on_failure: vec![],
        optional: false,
    });
    system.workload("users", RARE, Some(ms(50_000)), calls);
    (system, station, fronts)
}

/// When each was answered, milliseconds after they were asked.
fn answered(system: &Build, fronts: &[PoolId]) -> Vec<f64> {
    let tally = first(system, &Regime::all_up(&system.0), &[]);
    assert_eq!(journey(&tally), good());
    let mean = |pool: &PoolTally| pool.latency.mean().unwrap() * 1e-6;
    fronts
        .iter()
        .map(|&front| mean(&tally.pools[front]))
        .collect()
}

/// Histograms round to 1 in 1,000 or so; the means of single values do not.
#[track_caller]
fn check(discipline: Discipline, workers: u32, work: &[(u64, Option<i16>)], expected: &[f64]) {
    let (system, station, fronts) = together(discipline, workers, None, work);
    assert_eq!(answered(&system, &fronts), expected);
    let tally = first(&system, &Regime::all_up(&system.0), &[]);
    let all: u64 = work.iter().map(|(millis, _)| millis).sum();
    let busy = tally.pools[station].busy_ns as f64 * 1e-6;
    assert!((busy - all as f64).abs() < 1e-5, "{busy}");
}

const PLAIN: [(u64, Option<i16>); 3] = [(10, None), (20, None), (30, None)];

#[test]
fn first_in_first_out() {
    check(Discipline::Fifo, 1, &PLAIN, &[10.0, 30.0, 60.0]);
}

#[test]
fn last_in_first_out() {
    check(Discipline::Lifo, 1, &PLAIN, &[10.0, 60.0, 40.0]);
}

#[test]
fn the_most_urgent_first_and_of_equals_the_first() {
    let work = [
        (10, Some(-1)),
        (10, None),
        (10, Some(7)),
        (10, Some(-1)),
        (10, Some(7)),
        (10, Some(0)),
    ];
    // The first is in work already, and is not interrupted. What is called is as urgent as its caller.
    let expected = [10.0, 40.0, 20.0, 60.0, 30.0, 50.0];
    check(Discipline::Priority, 1, &work, &expected);
}

#[test]
fn those_in_work_share_the_workers() {
    // 30 ms for the first, as three share; 20 more for the second, as two share; then 10 alone.
    check(Discipline::ProcessorSharing, 1, &PLAIN, &[30.0, 50.0, 60.0]);
    // Two workers for three: 10 ms take 15; the other two are at full speed.
    check(Discipline::ProcessorSharing, 2, &PLAIN, &[15.0, 25.0, 35.0]);
    check(Discipline::ProcessorSharing, 3, &PLAIN, &[10.0, 20.0, 30.0]);
}

#[test]
fn as_many_share_as_workers_and_queue_together() {
    let work = [(10, None); 4];
    let (system, station, _) = together(Discipline::ProcessorSharing, 1, Some(2), &work);
    let tally = first(&system, &Regime::all_up(&system.0), &[]);
    // The fork fails with the fourth, at once; the other three are worked on.
    assert_eq!(ended(&tally.pools[station]), [("answered", 3), ("shed", 1)]);
    assert_eq!(tally.pools[station].busy_ns, 30_000_000);
}

#[test]
fn a_crash_ends_what_shares() {
    let (mut system, station, _) = together(Discipline::ProcessorSharing, 1, None, &PLAIN);
    let crash = [
        (12, state(slot(&system, station, 0), SlotState::Refusing)),
        (14, state(slot(&system, station, 0), SlotState::Serving)),
    ];
    let regime = Regime::all_up(&system.0);
    let tally = first(&system, &regime, &crash);
    assert_eq!(ended(&tally.pools[station]), [("reset", 3)]);
    // Four milliseconds of work for each of three.
    assert_eq!(tally.pools[station].busy_ns, 12_000_000);
    // Tried again, they find it empty.
    for call in system.0.calls.as_mut_slice() {
        call.retries = super::build::retries(1, 2);
    }
    let tally = first(&system, &regime, &crash);
    assert_eq!((journey(&tally), latency_ms(&tally)), (good(), 74.0));
}

/// What becomes of [`PLAIN`] where one worker is shared: when the last is answered, and milliseconds
/// for which the worker is busy.
#[track_caller]
fn check_shared(signals: impl Fn(SlotId) -> Vec<(u64, Signal)>, answered: f64, busy: f64) {
    let (system, station, _) = together(Discipline::ProcessorSharing, 1, None, &PLAIN);
    let signals = signals(slot(&system, station, 0));
    let tally = first(&system, &Regime::all_up(&system.0), &signals);
    assert_eq!(journey(&tally), good());
    assert!((latency_ms(&tally) - answered).abs() < 1e-5);
    let worked = tally.pools[station].busy_ns as f64 * 1e-6;
    assert!((worked - busy).abs() < 1e-5, "{worked}");
}

#[test]
fn a_paused_worker_is_shared_for_nothing() {
    let pause = |slot| {
        vec![
            (12, state(slot, SlotState::Paused)),
            (17, state(slot, SlotState::Serving)),
        ]
    };
    check_shared(pause, 65.0, 65.0);
    // Who comes meanwhile waits with the others.
    let (system, station, _) = together(Discipline::ProcessorSharing, 1, Some(1), &PLAIN[..2]);
    let slot = slot(&system, station, 0);
    let mut regime = Regime::all_up(&system.0);
    regime.apply(state(slot, SlotState::Paused));
    let back = [(40, state(slot, SlotState::Serving))];
    let tally = first(&system, &regime, &back);
    assert_eq!((journey(&tally), latency_ms(&tally)), (good(), 70.0));
    assert_eq!(ended(&tally.pools[station]), [("answered", 2)]);
}

#[test]
fn a_slow_worker_is_shared_at_its_pace() {
    let impaired = |slot, factor| {
        let impairment = Impairment {
            factor,
            errors: 0.0,
        };
        Signal::Impaired { slot, impairment }
    };
    // After 30 ms the first is done, and 10 and 20 are left of the others.
    check_shared(|slot| vec![(30, impaired(slot, 2.0))], 90.0, 90.0);
    // 15 ms at half the pace do 7.5 of the 30 that are left.
    let spell = |slot| vec![(30, impaired(slot, 2.0)), (45, impaired(slot, 1.0))];
    check_shared(spell, 67.5, 67.5);
    let both = |slot| {
        vec![
            (30, state(slot, SlotState::Paused)),
            (35, impaired(slot, 2.0)),
            (40, state(slot, SlotState::Serving)),
        ]
    };
    check_shared(both, 100.0, 100.0);
}

#[test]
fn errors_of_a_shared_worker_take_no_work() {
    let (system, station, _) = together(Discipline::ProcessorSharing, 1, None, &PLAIN);
    let slot = slot(&system, station, 0);
    let impairment = Impairment {
        factor: 1.0,
        errors: 1.0,
    };
    let mut regime = Regime::all_up(&system.0);
    regime.apply(Signal::Impaired { slot, impairment });
    let tally = first(&system, &regime, &[]);
    assert_eq!(ended(&tally.pools[station]), [("failed", 3)]);
    assert_eq!(tally.pools[station].busy_ns, 0);
}

#[test]
fn who_waits_for_a_call_takes_no_share() {
    let mut system = Build::new();
    let station = system.pool("station", 1, Some(1), None);
    system.0.pools.as_mut_slice()[station.index()].discipline = Discipline::ProcessorSharing;
    let slow = system.pool("slow", 1, None, None);
    let wait = system.operation(slow, constant(0.1));
    let (short, long) = (
        system.operation(station, constant(0.01)),
        system.operation(station, constant(0.05)),
    );
    system.calls(short, call(wait));
    let calls = vec![system.site(call(short)), system.site(call(long))];
    let calls = system.fork(Fork {
        calls,
        copies: 1,
        wait_for: 2,
        deadline: None,
        chance: 1.0,
        on_failure: vec![],
        optional: false,
    });
    system.workload("users", RARE, None, calls);
    let tally = first(&system, &Regime::all_up(&system.0), &[]);
    // 20 ms together; 40 more alone, while the other waits from 20 to 120.
    assert_eq!(latency_ms(&tally), 120.0);
    let latency: &Histogram = &tally.pools[station].latency;
    assert_eq!(latency.mean().unwrap() * 1e-6, 90.0);
    assert_eq!(tally.pools[station].busy_ns, 60_000_000);
}

/// Mean latency of a queue with one worker and exponential work of 10 ms at a load of 0.7.
fn mean_at(discipline: Discipline) -> f64 {
    let mut system = Build::new();
    let pool = system.pool("station", 1, Some(1), None);
    system.0.pools.as_mut_slice()[pool.index()].discipline = discipline;
    let work = system.operation(pool, exponential(0.01));
    let site = system.site(call(work));
    system.workload("users", 70.0, None, vec![site]);
    let mut traffic = Traffic::new(&system.0, settings());
    let at = |secs| SimTime::START + SimSpan::from_secs(secs);
    traffic.begin(&Regime::all_up(&system.0), SimTime::START, SOURCE);
    traffic.count(at(10), at(5_010));
    traffic.run_until(at(5_020));
    traffic.finish(at(5_020));
    let tally = traffic.tally();
    tally.check().unwrap();
    // The load is that of the work, whoever gets it when.
    let busy = tally.pools[pool].busy_ns as f64 * 1e-9 / 5_000.0;
    assert!((busy - 0.7).abs() < 0.012, "{busy}");
    tally
        .journeys
        .iter()
        .next()
        .unwrap()
        .latency
        .mean()
        .unwrap()
        * 1e-6
}

#[test]
fn the_mean_of_an_exponential_queue_does_not_depend_on_the_discipline() {
    // 10 ms / 0.3 for all of them; 350,000 requests whose sojourns are correlated: about 0.4 ms.
    for discipline in [
        Discipline::Fifo,
        Discipline::Lifo,
        Discipline::Priority,
        Discipline::ProcessorSharing,
    ] {
        let mean = mean_at(discipline);
        assert!((mean - 33.333).abs() < 1.3, "{discipline:?} {mean}");
    }
}
