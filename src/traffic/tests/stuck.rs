//! Slots and balancer instances that hang, are paused, are slow or answer with errors: times worked
//! out by hand. Work takes constant times and requests come far apart.

use super::build::{Build, call, constant, retries};
use super::case::{RARE, ended, failed, first, good, journey, latency_ms, ms, slot, state};
use crate::ids::{Id, JourneyId, SlotId};
use crate::model::{Algorithm, Call, Fork, Impairment};
use crate::path::{Cause, Regime, Signal, SlotState};
use crate::traffic::Tally;

/// One replica that works for a second, called directly, with patience for ten.
fn plain(edit: impl FnOnce(&mut Call)) -> (Build, SlotId, crate::ids::PoolId) {
    let mut system = Build::new();
    let pool = system.pool("app", 1, Some(1), None);
    let serve = system.operation(pool, constant(1.0));
    let mut site = call(serve);
    edit(&mut site);
    let site = system.site(site);
    system.workload("users", RARE, Some(ms(10_000)), vec![site]);
    let replica = slot(&system, pool, 0);
    (system, replica, pool)
}

fn slow(slot: SlotId, factor: f64) -> Signal {
    let impairment = Impairment {
        factor,
        errors: 0.0,
    };
    Signal::Impaired { slot, impairment }
}

fn errors(slot: SlotId) -> Signal {
    let impairment = Impairment {
        factor: 1.0,
        errors: 1.0,
    };
    Signal::Impaired { slot, impairment }
}

#[track_caller]
fn answered_after(system: &Build, signals: &[(u64, Signal)], expected: f64) -> Tally {
    let tally = first(system, &Regime::all_up(&system.0), signals);
    assert_eq!(journey(&tally), good());
    assert!(
        (latency_ms(&tally) - expected).abs() < 1e-6,
        "{}",
        latency_ms(&tally)
    );
    tally
}

#[test]
fn work_at_a_paused_slot_goes_on_where_it_was() {
    let (system, replica, _) = plain(|_| {});
    let pause = [
        (300, state(replica, SlotState::Paused)),
        (800, state(replica, SlotState::Serving)),
    ];
    answered_after(&system, &pause, 1_500.0);
}

#[test]
fn what_is_left_of_the_work_takes_as_many_times_as_long() {
    let (system, replica, _) = plain(|_| {});
    answered_after(&system, &[(500, slow(replica, 2.0))], 1_500.0);
    // 500 ms, then 400 at half the pace, then the 300 that are left.
    let spell = [(500, slow(replica, 2.0)), (900, slow(replica, 1.0))];
    answered_after(&system, &spell, 1_200.0);
    // 500 ms, and the other 500 at half the pace; the pace changes while it stands still.
    let both = [
        (500, state(replica, SlotState::Paused)),
        (600, slow(replica, 2.0)),
        (700, state(replica, SlotState::Serving)),
    ];
    answered_after(&system, &both, 1_700.0);
}

#[test]
fn what_comes_to_a_paused_slot_waits() {
    let (system, replica, _) = plain(|_| {});
    let mut regime = Regime::all_up(&system.0);
    regime.apply(state(replica, SlotState::Paused));
    let tally = first(
        &system,
        &regime,
        &[(700, state(replica, SlotState::Serving))],
    );
    assert_eq!(journey(&tally), good());
    assert!((latency_ms(&tally) - 1_700.0).abs() < 1e-6);
}

#[test]
fn a_slot_that_hangs_answers_nobody_and_resets_all_when_it_is_restarted() {
    let (system, replica, pool) = plain(|call| call.retries = retries(1, 0));
    // Reset at 3 s, refused at once on the way back.
    let starts = [
        (300, state(replica, SlotState::Hung)),
        (3_000, state(replica, SlotState::Refusing)),
    ];
    let tally = first(&system, &Regime::all_up(&system.0), &starts);
    assert_eq!(journey(&tally), failed());
    assert_eq!(ended(&tally.pools[pool]), [("refused", 1), ("reset", 1)]);
    // A process that starts at once serves the second attempt: its work was lost.
    let at_once = [
        (300, state(replica, SlotState::Hung)),
        (3_000, state(replica, SlotState::Serving)),
    ];
    answered_after(&system, &at_once, 4_000.0);
    // One that was sent while it hung is reset as well.
    let mut regime = Regime::all_up(&system.0);
    regime.apply(state(replica, SlotState::Hung));
    let tally = first(&system, &regime, &at_once[1..]);
    assert_eq!(ended(&tally.pools[pool]), [("answered", 1), ("reset", 1)]);
    // Nobody waits for ever.
    let tally = first(&system, &regime, &[]);
    assert_eq!(journey(&tally), failed());
    assert_eq!(ended(&tally.pools[pool]), [("timed out", 1)]);
}

#[test]
fn a_machine_that_goes_down_with_a_hung_process_resets_nobody() {
    let (system, replica, pool) = plain(|_| {});
    let signals = [
        (300, state(replica, SlotState::Hung)),
        (3_000, state(replica, SlotState::Silent)),
    ];
    let tally = first(&system, &Regime::all_up(&system.0), &signals);
    assert_eq!(ended(&tally.pools[pool]), [("timed out", 1)]);
}

#[test]
fn an_error_comes_at_once_and_may_be_tried_again() {
    let (system, replica, pool) = plain(|call| call.retries = retries(1, 400));
    let mut regime = Regime::all_up(&system.0);
    regime.apply(errors(replica));
    let tally = first(&system, &regime, &[(200, slow(replica, 1.0))]);
    assert_eq!(journey(&tally), good());
    assert!((latency_ms(&tally) - 1_400.0).abs() < 1e-6);
    assert_eq!(ended(&tally.pools[pool]), [("answered", 1), ("failed", 1)]);
}

/// An application that works for 100 ms and then calls a store that works for 200 ms.
fn chain(edit: impl FnOnce(&mut Call)) -> (Build, [SlotId; 2]) {
    let mut system = Build::new();
    let pools = [
        system.pool("app", 1, Some(1), None),
        system.pool("store", 1, Some(1), None),
    ];
    let [serve, query] = [(pools[0], 0.1), (pools[1], 0.2)]
        .map(|(pool, secs)| system.operation(pool, constant(secs)));
    let mut inner = call(query);
    edit(&mut inner);
    system.calls(serve, inner);
    let site = system.site(call(serve));
    system.workload("users", RARE, Some(ms(10_000)), vec![site]);
    let slots = pools.map(|pool| slot(&system, pool, 0));
    (system, slots)
}

#[test]
fn a_paused_caller_hears_of_the_answer_afterwards() {
    let (system, [app, _]) = chain(|_| {});
    let pause = [
        (150, state(app, SlotState::Paused)),
        (900, state(app, SlotState::Serving)),
    ];
    answered_after(&system, &pause, 900.0);
}

#[test]
fn a_paused_caller_finds_the_deadline_of_a_whole_call_over() {
    let (mut system, [app, _]) = chain(|_| {});
    let calls = system.0.operations.as_slice()[0].calls.clone();
    let calls = system.fork(Fork {
        calls,
        copies: 1,
        wait_for: 1,
        deadline: Some(ms(150)),
        chance: 1.0,
        on_failure: vec![],
        optional: false,
    });
    system.0.operations.as_mut_slice()[0].calls = calls;
    let pause = [
        (150, state(app, SlotState::Paused)),
        (900, state(app, SlotState::Serving)),
    ];
    let tally = first(&system, &Regime::all_up(&system.0), &pause);
    let [front, store] = [0, 1].map(|row| &tally.pools.as_slice()[row]);
    assert_eq!(journey(&tally), failed());
    assert_eq!(ended(store), [("timed out", 1)]);
    // The connection stays open, and the store works to the end.
    assert_eq!(store.busy_ns, 200_000_000);
    assert_eq!(front.busy_ns, 900_000_000);
}

#[test]
fn a_paused_caller_finds_its_deadline_over() {
    // The deadline at 250 ms comes first; the second attempt takes from 900 to 1,100 ms.
    let (system, [app, _]) = chain(|inner| {
        inner.timeout = Some(ms(150));
        inner.retries = retries(1, 0);
    });
    let pause = [
        (150, state(app, SlotState::Paused)),
        (900, state(app, SlotState::Serving)),
    ];
    let tally = first(&system, &Regime::all_up(&system.0), &pause);
    let store = system.0.pools.ids().nth(1).unwrap();
    // The second has 150 ms as well, and needs 200.
    assert_eq!(journey(&tally), failed());
    assert_eq!(ended(&tally.pools[store]), [("timed out", 2)]);
}

#[test]
fn calls_of_a_slot_that_hangs_are_abandoned() {
    let (system, [app, _]) = chain(|_| {});
    let tally = first(
        &system,
        &Regime::all_up(&system.0),
        &[
            (150, state(app, SlotState::Hung)),
            (900, state(app, SlotState::Serving)),
        ],
    );
    let store = system.0.pools.ids().nth(1).unwrap();
    assert_eq!(journey(&tally), failed());
    assert_eq!(ended(&tally.pools[store]), [("abandoned", 1)]);
}

/// One replica that works for 100 ms behind one balancer instance.
fn balanced() -> (Build, SlotId, crate::ids::PoolId) {
    let mut system = Build::new();
    let pool = system.pool("app", 1, Some(1), None);
    let balancer = system.balancer(pool, 1, Algorithm::RoundRobin, false);
    let serve = system.operation(pool, constant(0.1));
    let site = system.site(Call {
        through: Some(balancer),
        ..call(serve)
    });
    system.workload("users", RARE, Some(ms(10_000)), vec![site]);
    let instance = system.0.balancers[balancer].slots[0];
    (system, instance, pool)
}

#[test]
fn a_paused_balancer_hands_on_and_brings_back_afterwards() {
    let (system, instance, _) = balanced();
    let pause = [
        (50, state(instance, SlotState::Paused)),
        (400, state(instance, SlotState::Serving)),
    ];
    answered_after(&system, &pause, 400.0);
    let mut regime = Regime::all_up(&system.0);
    regime.apply(state(instance, SlotState::Paused));
    let tally = first(&system, &regime, &pause[1..]);
    assert_eq!(journey(&tally), good());
    assert!((latency_ms(&tally) - 500.0).abs() < 1e-6);
}

#[test]
fn a_balancer_that_hangs_brings_nothing_back_and_resets_all_when_it_is_restarted() {
    let (system, instance, pool) = balanced();
    for before in [0, 50] {
        let mut regime = Regime::all_up(&system.0);
        let mut signals = vec![(900, state(instance, SlotState::Serving))];
        if before == 0 {
            regime.apply(state(instance, SlotState::Hung));
        } else {
            signals.insert(0, (before, state(instance, SlotState::Hung)));
        }
        let tally = first(&system, &regime, &signals);
        assert_eq!(journey(&tally), failed());
        assert_eq!(ended(&tally.pools[pool]), [("reset", 1)]);
    }
}

#[test]
fn a_balancer_answers_with_errors_itself() {
    let (system, instance, pool) = balanced();
    let mut regime = Regime::all_up(&system.0);
    regime.apply(errors(instance));
    let tally = first(&system, &regime, &[]);
    assert_eq!(journey(&tally), failed());
    assert_eq!(ended(&tally.pools[pool]), [("refused", 1)]);
}

#[test]
fn a_paused_slot_refuses_afterwards_what_has_waited_too_long() {
    let (mut system, replica, pool) = plain(|_| {});
    system.0.pools.as_mut_slice()[pool.index()].queue_timeout = Some(constant(0.2));
    let mut paused = Regime::all_up(&system.0);
    paused.apply(state(replica, SlotState::Paused));
    let until = |millis| [(millis, state(replica, SlotState::Serving))];
    let tally = first(&system, &paused, &until(500));
    assert_eq!(journey(&tally), failed());
    assert_eq!(ended(&tally.pools[pool]), [("shed", 1)]);
    let tally = first(&system, &paused, &until(100));
    assert_eq!(journey(&tally), good());
    assert!((latency_ms(&tally) - 1_100.0).abs() < 1e-6);
}

#[test]
fn an_operation_fails_by_itself_at_a_slow_slot_too() {
    let (mut system, replica, pool) = plain(|_| {});
    system.0.operations.as_mut_slice()[0].fails = 1.0;
    let mut regime = Regime::all_up(&system.0);
    regime.apply(slow(replica, 2.0));
    let tally = first(&system, &regime, &[]);
    assert_eq!(ended(&tally.pools[pool]), [("failed", 1)]);
    assert_eq!(tally.pools[pool].busy_ns, 2_000_000_000);
    let causes = &tally.journeys[JourneyId::from_index(0)].failed_by_cause;
    assert_eq!(causes[Cause::Base.index()], 1);
    // An error of the slot is not the operation's own.
    let mut regime = Regime::all_up(&system.0);
    regime.apply(errors(replica));
    let tally = first(&system, &regime, &[]);
    let causes = &tally.journeys[JourneyId::from_index(0)].failed_by_cause;
    assert_eq!(causes[Cause::Base.index()], 0);
    assert_eq!(tally.pools[pool].busy_ns, 0);
}
