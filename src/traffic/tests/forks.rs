//! The rules of calls made at the same time, and of calls that are not always made.

use super::build::{Build, call, constant, exponential, settings};
use super::case::{RARE, SOURCE, ended, failed, first, good, journey, latency_ms, ms, slot, state};
use crate::ids::{CallId, JourneyId, OperationId, PoolId};
use crate::model::{Call, Fork};
use crate::path::{Regime, SlotState};
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Counts, Tally, Traffic};

/// An application that calls pools which answer after so many milliseconds, at the same time.
fn parallel(
    takes: &[u64],
    edit: impl FnOnce(&mut Build, &mut Fork),
) -> (Build, PoolId, Vec<PoolId>) {
    let mut system = Build::new();
    let app = system.pool("app", 1, Some(1), None);
    let serve = system.operation(app, constant(0.1));
    let (mut calls, mut pools) = (Vec::new(), Vec::new());
    for &takes in takes {
        let pool = system.pool("leaf", 1, Some(1), None);
        let operation = system.operation(pool, constant(takes as f64 * 1e-3));
        calls.push(system.site(call(operation)));
        pools.push(pool);
    }
    let mut fork = Fork {
        wait_for: calls.len() as u32,
        calls,
        copies: 1,
        deadline: None,
        chance: 1.0,
        on_failure: vec![],
        optional: false,
    };
    edit(&mut system, &mut fork);
    let calls = system.fork(fork);
    system.0.operations[serve].calls.extend(calls);
    let site = system.site(call(serve));
    system.workload("users", RARE, Some(ms(1_000)), vec![site]);
    (system, app, pools)
}

fn run(system: &Build, refusing: &[PoolId]) -> Tally {
    let mut regime = Regime::all_up(&system.0);
    for &pool in refusing {
        regime.slots[slot(system, pool, 0)] = SlotState::Refusing;
    }
    first(system, &regime, &[])
}

#[test]
fn the_slowest_of_all_and_the_fastest_of_some_decide() {
    let (system, app, pools) = parallel(&[20, 50, 30], |_, _| {});
    let tally = run(&system, &[]);
    assert_eq!((journey(&tally), latency_ms(&tally)), (good(), 150.0));
    assert_eq!(tally.pools[app].busy_ns, 150_000_000);
    for (wait_for, expected) in [(1, 120.0), (2, 130.0)] {
        let (system, _, _) = parallel(&[20, 50, 30], |_, fork| fork.wait_for = wait_for);
        let tally = run(&system, &[]);
        assert_eq!((journey(&tally), latency_ms(&tally)), (good(), expected));
        // Nobody counts the call that was let go, and who serves it works on.
        let slow = &tally.pools[pools[1]];
        assert_eq!((ended(slow), slow.calls), (vec![("abandoned", 1)], 0));
        assert_eq!(slow.busy_ns, 50_000_000);
    }
}

#[test]
fn a_fork_fails_as_soon_as_it_cannot_succeed() {
    let (system, app, pools) = parallel(&[20, 50, 30], |_, _| {});
    let tally = run(&system, &[pools[2]]);
    assert_eq!(journey(&tally), failed());
    // Refused at once: the other two have begun, and are let go at the same instant.
    assert_eq!(tally.pools[app].busy_ns, 100_000_000);
    assert_eq!(ended(&tally.pools[pools[0]]), [("abandoned", 1)]);
    // When the first fails at once, the others do not begin.
    let tally = run(&system, &[pools[0]]);
    assert_eq!(journey(&tally), failed());
    assert_eq!(tally.pools[pools[1]].attempts, 0);
}

#[test]
fn as_many_may_fail_as_are_not_waited_for() {
    let (system, _, pools) = parallel(&[20, 50, 30], |_, fork| fork.wait_for = 2);
    let tally = run(&system, &[pools[0]]);
    assert_eq!((journey(&tally), latency_ms(&tally)), (good(), 150.0));
    assert_eq!(journey(&run(&system, &[pools[0], pools[2]])), failed());
}

#[test]
fn a_fork_that_fails_is_done_without_or_done_otherwise() {
    let degraded = Counts {
        issued: 1,
        degraded: 1,
        ..Counts::default()
    };
    let (system, _, pools) = parallel(&[20, 50], |_, fork| fork.optional = true);
    assert_eq!(journey(&run(&system, &[pools[1]])), degraded);
    let (system, _, pools) = parallel(&[20, 50], |system, fork| {
        let pool = system.pool("other", 1, None, None);
        let operation = system.operation(pool, constant(0.07));
        fork.on_failure = vec![system.site(call(operation))];
    });
    let tally = run(&system, &[pools[1]]);
    assert_eq!((journey(&tally), latency_ms(&tally)), (good(), 170.0));
    // An optional one of all that are waited for.
    let (mut system, _, pools) = parallel(&[20, 50], |_, _| {});
    system.0.calls.as_mut_slice()[1].optional = true;
    assert_eq!(journey(&run(&system, &[pools[1]])), degraded);
}

#[test]
fn a_user_who_leaves_leaves_all_of_them() {
    let (system, _, pools) = parallel(&[20, 2_000, 3_000], |_, _| {});
    let tally = run(&system, &[]);
    assert_eq!(journey(&tally), failed());
    for pool in [1, 2] {
        // The application goes on for nobody, and gets its answers.
        assert_eq!(ended(&tally.pools[pools[pool]]), [("answered", 1)]);
    }
    // A user who makes them directly closes the connections.
    let mut direct = system;
    let calls: Vec<CallId> = direct.0.forks.as_mut_slice()[0].calls.clone();
    direct.0.journeys.as_mut_slice()[0].calls = calls;
    let tally = run(&direct, &[]);
    assert_eq!(journey(&tally), failed());
    for pool in [1, 2] {
        let pool = &tally.pools[pools[pool]];
        assert_eq!(
            (ended(pool), pool.calls_failed),
            (vec![("timed out", 1)], 1)
        );
    }
}

#[test]
fn a_caller_that_stops_abandons_all_of_them() {
    let (system, app, pools) = parallel(&[200, 300], |_, _| {});
    let crash = [(120, state(slot(&system, app, 0), SlotState::Refusing))];
    let tally = first(&system, &Regime::all_up(&system.0), &crash);
    assert_eq!(journey(&tally), failed());
    for pool in pools {
        assert_eq!(ended(&tally.pools[pool]), [("abandoned", 1)]);
    }
}

#[test]
fn copies_go_to_the_slots_in_turn_and_queue_where_they_meet() {
    for (replicas, expected) in [(3, 130.0), (4, 120.0)] {
        let (mut system, _, _) = parallel(&[10], |_, fork| (fork.copies, fork.wait_for) = (8, 8));
        // Two rounds over four slots, three over three.
        let pool = system.pool("shard", replicas, Some(1), None);
        let operation = system.operation(pool, constant(0.01));
        system.0.calls.as_mut_slice()[0].to = operation;
        let tally = run(&system, &[]);
        assert_eq!((journey(&tally), latency_ms(&tally)), (good(), expected));
        assert_eq!(ended(&tally.pools[pool]), [("answered", 8)]);
    }
}

/// Mean latency of 20,000 requests, milliseconds, and attempts per request.
fn mean(system: &Build) -> (f64, f64) {
    let mut traffic = Traffic::new(&system.0, settings());
    traffic.begin(&Regime::all_up(&system.0), SimTime::START, SOURCE);
    let end = SimTime::START + SimSpan::from_secs(200);
    traffic.count(SimTime::START, end);
    traffic.run_until(end);
    traffic.finish(end);
    traffic.tally().check().unwrap();
    let row = traffic.tally().journeys.iter().next().unwrap();
    let attempts: u64 = traffic.tally().pools.iter().map(|pool| pool.attempts).sum();
    let issued = row.counts.issued as f64;
    (row.latency.mean().unwrap() * 1e-6, attempts as f64 / issued)
}

fn leaves(edit: impl FnOnce(&mut Build, OperationId) -> Vec<CallId>) -> Build {
    let mut system = Build::new();
    let pool = system.pool("leaf", 1, None, None);
    let operation = system.operation(pool, exponential(0.01));
    let calls = edit(&mut system, operation);
    let _: JourneyId = system.workload("users", 100.0, None, calls);
    system
}

#[test]
fn independent_copies_take_as_long_as_their_order_statistic() {
    // Of n exponentials the k-th is done after a sum of 1 / (n - i), i below k.
    for wait_for in [1, 7, 10_u32] {
        let system = leaves(|system, operation| {
            let site = system.site(call(operation));
            system.fork(Fork {
                calls: vec![site],
                copies: 10,
                wait_for,
                deadline: None,
                chance: 1.0,
                on_failure: vec![],
                optional: false,
            })
        });
        let expected: f64 = (0..wait_for).map(|i| 10.0 / f64::from(10 - i)).sum();
        let variance: f64 = (0..wait_for)
            .map(|i| (10.0 / f64::from(10 - i)).powi(2))
            .sum();
        let (found, attempts) = mean(&system);
        let error = (variance / 20_000.0).sqrt();
        assert!((found - expected).abs() < 4.0 * error, "{found} {expected}");
        assert!((attempts - 10.0).abs() < 1e-9);
    }
}

#[test]
fn a_call_with_a_chance_is_made_for_that_share_of_requests() {
    let system = leaves(|system, operation| {
        let always = system.site(call(operation));
        let seldom = system.site(Call {
            chance: 0.3,
            ..call(operation)
        });
        vec![always, seldom]
    });
    let (found, attempts) = mean(&system);
    // 20,000 draws: standard errors 0.0032 and, with a variance of 100 * (1.3 + 0.3 * 0.7), 0.09 ms.
    assert!((attempts - 1.3).abs() < 0.013, "{attempts}");
    assert!((found - 13.0).abs() < 0.36, "{found}");
}
