//! Deadlines of calls, deadlines passed on, and users each with a patience of its own.

use super::build::{Build, call, constant, exponential, retries, settings};
use super::case::{RARE, SOURCE, ended, failed, first, good, journey, latency_ms, ms, slot};
use crate::ids::PoolId;
use crate::model::{Call, Discipline, Fork, Patience};
use crate::path::{Regime, SlotState};
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Tally, Traffic};

/// A user of an application that calls a middle tier, which calls a store: 10, 20 and 100 ms.
fn chain(edit: impl FnOnce(&mut Call, &mut Call)) -> (Build, [PoolId; 3]) {
    let mut system = Build::new();
    let pools = ["app", "middle", "store"].map(|name| system.pool(name, 1, Some(1), None));
    let takes = [0.01, 0.02, 0.1];
    let operations = [0, 1, 2].map(|i| system.operation(pools[i], constant(takes[i])));
    let (mut from_app, mut from_middle) = (call(operations[1]), call(operations[2]));
    edit(&mut from_app, &mut from_middle);
    system.calls(operations[0], from_app);
    system.calls(operations[1], from_middle);
    let site = system.site(call(operations[0]));
    system.workload("users", RARE, Some(ms(1_000)), vec![site]);
    (system, pools)
}

fn run(system: &Build) -> Tally {
    first(system, &Regime::all_up(&system.0), &[])
}

/// Gives the only call of a list, or all of it, a deadline.
fn with_deadline(system: &mut Build, mut fork: Fork, millis: u64) {
    fork.deadline = Some(ms(millis));
    let calls = system.fork(fork);
    system.0.journeys.as_mut_slice()[0].calls = calls;
}

fn plain(calls: Vec<crate::ids::CallId>) -> Fork {
    Fork {
        wait_for: calls.len() as u32,
        calls,
        copies: 1,
        deadline: None,
        chance: 1.0,
        on_failure: vec![],
        optional: false,
    }
}

const BUSY: fn(&Tally, [PoolId; 3]) -> [f64; 3] =
    |tally, pools| pools.map(|pool| tally.pools[pool].busy_ns as f64 * 1e-6);

#[test]
fn a_deadline_that_is_not_passed_on_leaves_work_for_nobody() {
    let (system, pools) = chain(|from_app, _| from_app.timeout = Some(ms(50)));
    let tally = run(&system);
    assert_eq!(journey(&tally), failed());
    // 10 ms of its own and 50 of waiting; the middle tier waits for the whole answer.
    assert_eq!(BUSY(&tally, pools), [60.0, 120.0, 100.0]);
    assert_eq!(ended(&tally.pools[pools[1]]), [("timed out", 1)]);
}

#[test]
fn a_deadline_that_is_passed_on_stops_the_work_as_far_as_it_is_passed() {
    let (system, pools) = chain(|from_app, _| {
        (from_app.timeout, from_app.passes_deadline) = (Some(ms(50)), true);
    });
    let tally = run(&system);
    assert_eq!(journey(&tally), failed());
    assert_eq!(BUSY(&tally, pools), [60.0, 50.0, 100.0]);
    // Its call has failed with it.
    assert_eq!(ended(&tally.pools[pools[2]]), [("timed out", 1)]);
    let (system, pools) = chain(|from_app, from_middle| {
        (from_app.timeout, from_app.passes_deadline) = (Some(ms(50)), true);
        from_middle.passes_deadline = true;
    });
    let tally = run(&system);
    // The store has worked from 30 to 60 ms.
    assert_eq!(BUSY(&tally, pools), [60.0, 50.0, 30.0]);
}

#[test]
fn work_that_stops_frees_its_worker_at_once() {
    for (discipline, passes, expected) in [
        (Discipline::Fifo, true, 30.0),
        (Discipline::Fifo, false, 110.0),
        // Alone after 20 ms, of which half was its own.
        (Discipline::ProcessorSharing, true, 20.0),
        (Discipline::ProcessorSharing, false, 20.0),
    ] {
        let mut system = Build::new();
        let pool = system.pool("station", 1, Some(1), None);
        system.0.pools[pool].discipline = discipline;
        let (long, short) = (
            system.operation(pool, constant(0.1)),
            system.operation(pool, constant(0.01)),
        );
        let long = system.site(Call {
            timeout: Some(ms(20)),
            passes_deadline: passes,
            optional: true,
            ..call(long)
        });
        let short = system.site(call(short));
        let calls = system.fork(plain(vec![long, short]));
        system.workload("users", RARE, Some(ms(1_000)), calls);
        let tally = run(&system);
        assert_eq!(latency_ms(&tally), expected, "{discipline:?} {passes}");
        let busy = if passes {
            if discipline == Discipline::Fifo {
                30.0
            } else {
                20.0
            }
        } else {
            110.0
        };
        assert_eq!(tally.pools[pool].busy_ns as f64 * 1e-6, busy);
    }
}

#[test]
fn a_call_ends_at_its_deadline_with_all_its_attempts_and_pauses() {
    let (mut system, pools) = chain(|_, _| {});
    let store = system.operation(pools[2], constant(0.1));
    let site = system.site(Call {
        timeout: Some(ms(40)),
        retries: retries(9, 10),
        ..call(store)
    });
    // Attempts at 0 and 50 ms; the pause that begins at 90 is not waited for.
    with_deadline(&mut system, plain(vec![site]), 95);
    let tally = run(&system);
    assert_eq!(journey(&tally), failed());
    let pool = &tally.pools[pools[2]];
    assert_eq!(
        (ended(pool), pool.calls_failed),
        (vec![("timed out", 2)], 1)
    );
    // An answer exactly at the deadline has come in time.
    let (mut system, pools) = chain(|_, _| {});
    let store = system.operation(pools[2], constant(0.1));
    let site = system.site(call(store));
    with_deadline(&mut system, plain(vec![site]), 100);
    let tally = run(&system);
    assert_eq!((journey(&tally), latency_ms(&tally)), (good(), 100.0));
}

#[test]
fn a_deadline_holds_for_calls_at_the_same_time_together_and_a_fallback_begins_then() {
    let (mut system, pools) = chain(|_, _| {});
    let operations = [0.03, 0.09].map(|takes| system.operation(pools[2], constant(takes)));
    let other = system.operation(pools[1], constant(0.02));
    let fallback = system.site(call(other));
    let calls = operations
        .map(|operation| system.site(call(operation)))
        .to_vec();
    let mut fork = plain(calls);
    fork.on_failure = vec![fallback];
    // One worker: they end after 30 and 120 ms.
    with_deadline(&mut system, fork, 80);
    let tally = run(&system);
    assert_eq!((journey(&tally), latency_ms(&tally)), (good(), 100.0));
    assert_eq!(
        ended(&tally.pools[pools[2]]),
        [("answered", 1), ("timed out", 1)]
    );
}

#[test]
fn what_was_decided_otherwise_stops_where_the_deadline_is_passed_on() {
    let mut system = Build::new();
    let pool = system.pool("leaf", 2, Some(1), None);
    let operations = [0.01, 0.05].map(|takes| system.operation(pool, constant(takes)));
    let calls = operations
        .map(|operation| {
            system.site(Call {
                passes_deadline: true,
                ..call(operation)
            })
        })
        .to_vec();
    let calls = system.fork(Fork {
        wait_for: 1,
        ..plain(calls)
    });
    system.workload("users", RARE, None, calls);
    let tally = run(&system);
    assert_eq!(latency_ms(&tally), 10.0);
    // Each call site begins with the first slot: the second waits for the same worker.
    assert_eq!(tally.pools[pool].busy_ns, 10_000_000);
    let mut regime = Regime::all_up(&system.0);
    regime.slots[slot(&system, pool, 1)] = SlotState::Refusing;
    assert_eq!(journey(&first(&system, &regime, &[])), good());
}

#[test]
fn users_leave_each_after_a_time_of_its_own() {
    let mut system = Build::new();
    let pool = system.pool("app", 1, None, None);
    let work = system.operation(pool, exponential(0.1));
    let site = system.site(call(work));
    system.workload("users", 200.0, None, vec![site]);
    let row = &mut system.0.workloads.as_mut_slice()[0];
    row.patience = Some(Patience::Drawn(exponential(0.3)));
    let mut traffic = Traffic::new(&system.0, settings());
    let end = SimTime::START + SimSpan::from_secs(500);
    traffic.begin(&Regime::all_up(&system.0), SimTime::START, SOURCE);
    traffic.count(SimTime::START, end);
    traffic.run_until(end);
    traffic.finish(end);
    traffic.tally().check().unwrap();
    let row = traffic.tally().journeys.iter().next().unwrap();
    // The lesser of two exponentials: it is the patience in 1 of 4 cases, and 75 ms on average.
    let left = row.counts.failed as f64 / row.counts.issued as f64;
    assert!(
        (left - 0.25).abs() < 4.0 * (0.1875_f64 / 1e5).sqrt(),
        "{left}"
    );
    let mean = row.latency.mean().unwrap() * 1e-6;
    assert!(
        (mean - 75.0).abs() < 4.0 * 75.0 / 75_000_f64.sqrt(),
        "{mean}"
    );
}
