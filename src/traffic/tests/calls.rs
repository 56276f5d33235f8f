//! The rules of calls that calls make: workers held, misses, fallbacks, leaders, blame.

use super::build::{Build, call, constant, retries, settings};
use super::case::{RARE, SOURCE, ended, failed, first, good, journey, latency_ms, ms, slot, state};
use crate::ids::{DomainId, FaultId, Id, JourneyId, PoolId};
use crate::model::{Call, ClockRuns, Fault, FaultKind, PoolKind, ServedBy};
use crate::path::{Blame, Cause, Phase, Regime, Signal, SlotState};
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Counts, Traffic};

/// An application whose operation calls one of a store, as `edit` says.
fn chain(edit: impl FnOnce(&mut Build, &mut Call, PoolId)) -> (Build, PoolId, PoolId) {
    let mut system = Build::new();
    let (app, store) = (
        system.pool("app", 1, Some(1), None),
        system.pool("db", 3, Some(1), None),
    );
    let (serve, query) = (
        system.operation(app, constant(0.1)),
        system.operation(store, constant(0.05)),
    );
    let mut site = call(query);
    edit(&mut system, &mut site, app);
    system.calls(serve, site);
    let site = system.site(call(serve));
    system.workload("users", RARE, Some(ms(1_000)), vec![site]);
    (system, app, store)
}

#[test]
fn a_worker_is_held_through_the_calls_it_makes() {
    let (system, app, store) = chain(|_, _, _| {});
    let tally = first(&system, &Regime::all_up(&system.0), &[]);
    assert_eq!((journey(&tally), latency_ms(&tally)), (good(), 150.0));
    assert_eq!(tally.pools[app].busy_ns, 150_000_000);
    assert_eq!(tally.pools[store].busy_ns, 50_000_000);
}

#[test]
fn an_error_of_the_work_itself_makes_no_calls_is_retried_and_is_the_base() {
    let (mut system, app, store) = chain(|_, _, _| {});
    system.0.operations.as_mut_slice()[0].fails = 1.0;
    system.0.calls.as_mut_slice()[1].retries = retries(2, 10);
    let tally = first(&system, &Regime::all_up(&system.0), &[]);
    assert_eq!(journey(&tally), failed());
    assert_eq!(ended(&tally.pools[app]), [("failed", 3)]);
    assert_eq!(ended(&tally.pools[store]), []);
    assert_eq!(tally.pools[app].busy_ns, 300_000_000);
    let causes = &tally.journeys[JourneyId::from_index(0)].failed_by_cause;
    assert_eq!(causes[Cause::Base.index()], 1);
}

#[test]
fn an_error_below_is_the_base_of_the_failure_above_but_a_timeout_after_it_is_not() {
    let cause = |timeout| {
        let (mut system, ..) = chain(|_, _, _| {});
        system.0.operations.as_mut_slice()[1].fails = 1.0;
        system.0.calls.as_mut_slice()[1].timeout = timeout;
        let tally = first(&system, &Regime::all_up(&system.0), &[]);
        assert_eq!(journey(&tally), failed());
        let causes = &tally.journeys[JourneyId::from_index(0)].failed_by_cause;
        Cause::from_index(causes.iter().position(|&count| count == 1).unwrap())
    };
    assert_eq!(cause(None), Cause::Base);
    assert_eq!(cause(Some(ms(140))), Cause::Load);
}

#[test]
fn a_call_that_fails_fails_its_caller_unless_it_is_optional() {
    let refusing = |system: &Build, store| {
        let mut regime = Regime::all_up(&system.0);
        for index in 0..3 {
            regime.slots[slot(system, store, index)] = SlotState::Refusing;
        }
        regime
    };
    let (system, app, store) = chain(|_, _, _| {});
    let tally = first(&system, &refusing(&system, store), &[]);
    assert_eq!(journey(&tally), failed());
    assert_eq!(ended(&tally.pools[app]), [("failed", 1)]);
    let (system, app, store) = chain(|_, site, _| site.optional = true);
    let tally = first(&system, &refusing(&system, store), &[]);
    assert_eq!(
        journey(&tally),
        Counts {
            issued: 1,
            degraded: 1,
            ..Counts::default()
        }
    );
    assert_eq!(ended(&tally.pools[app]), [("answered", 1)]);
}

#[test]
fn a_caller_that_stops_leaves_its_calls_to_those_who_serve_them() {
    let (system, app, store) = chain(|_, _, _| {});
    let crash = [(120, state(slot(&system, app, 0), SlotState::Refusing))];
    let tally = first(&system, &Regime::all_up(&system.0), &crash);
    assert_eq!(journey(&tally), failed());
    assert_eq!(ended(&tally.pools[app]), [("reset", 1)]);
    assert_eq!(ended(&tally.pools[store]), [("abandoned", 1)]);
    assert_eq!(
        (tally.pools[store].busy_ns, tally.pools[store].calls),
        (50_000_000, 0)
    );
    assert_eq!(tally.pools[app].busy_ns, 120_000_000);
}

#[test]
fn a_miss_makes_further_calls_and_so_does_a_failure() {
    // Always a miss: 100 ms, then 50 ms, then 20 ms.
    let mut origin = None;
    let (system, _, store) = chain(|system, site, app| {
        let fetch = system.operation(app, constant(0.02));
        system.0.pools.as_mut_slice()[app.index()].workers = None;
        let fetch = system.site(call(fetch));
        origin = Some(fetch);
        (site.hit, site.on_miss, site.on_failure) = (0.0, vec![fetch], vec![fetch]);
    });
    let tally = first(&system, &Regime::all_up(&system.0), &[]);
    assert_eq!((journey(&tally), latency_ms(&tally)), (good(), 170.0));
    let mut regime = Regime::all_up(&system.0);
    for index in 0..3 {
        regime.slots[slot(&system, store, index)] = SlotState::Refusing;
    }
    let tally = first(&system, &regime, &[]);
    assert_eq!((journey(&tally), latency_ms(&tally)), (good(), 120.0));
    assert_eq!(
        (tally.pools[store].calls, tally.pools[store].calls_failed),
        (1, 1)
    );
}

#[test]
fn a_share_of_answers_are_misses() {
    let mut system = Build::new();
    let (cache, store) = (
        system.pool("cache", 1, None, None),
        system.pool("db", 1, None, None),
    );
    let (get, query) = (
        system.operation(cache, constant(0.001)),
        system.operation(store, constant(0.001)),
    );
    let query = system.site(call(query));
    let site = system.site(Call {
        hit: 0.85,
        on_miss: vec![query],
        ..call(get)
    });
    system.workload("users", 1_000.0, None, vec![site]);
    let mut traffic = Traffic::new(&system.0, settings());
    traffic.begin(&Regime::all_up(&system.0), SimTime::START, SOURCE);
    traffic.count(SimTime::START, SimTime::START + SimSpan::from_secs(100));
    traffic.run_until(SimTime::START + SimSpan::from_secs(100));
    traffic.finish(SimTime::START + SimSpan::from_secs(100));
    let share =
        traffic.tally().pools[store].calls as f64 / traffic.tally().pools[cache].calls as f64;
    // 100,000 draws: standard error 0.0011.
    assert!((share - 0.15).abs() < 0.0045, "{share}");
}

#[test]
fn without_balancer_slots_are_taken_in_turn_whatever_their_state() {
    let (mut system, _, store) = chain(|_, site, _| site.retries = retries(2, 0));
    let mut regime = Regime::all_up(&system.0);
    regime.slots[slot(&system, store, 0)] = SlotState::Refusing;
    regime.slots[slot(&system, store, 1)] = SlotState::Refusing;
    let tally = first(&system, &regime, &[]);
    assert_eq!(
        ended(&tally.pools[store]),
        [("answered", 1), ("refused", 2)]
    );
    system.0.calls.as_mut_slice()[0].retries.max = 1;
    assert_eq!(journey(&first(&system, &regime, &[])), failed());
}

#[test]
fn a_leader_or_a_quorum_serves_what_only_they_may() {
    let (mut system, _, store) = chain(|_, _, _| {});
    system.0.pools.as_mut_slice()[store.index()].kind = PoolKind::Store { failover: None };
    let member = |index| slot(&system, store, index);
    let members = [0, 1, 2].map(member);
    let serve = |system: &mut Build, by| system.0.operations.as_mut_slice()[1].served_by = by;
    let mut regime = Regime::all_up(&system.0);
    serve(&mut system, ServedBy::Leader);
    regime.slots[members[0]] = SlotState::Refusing;
    assert_eq!(journey(&first(&system, &regime, &[])), failed());
    regime.leaders[store] = Some(members[2]);
    assert_eq!(journey(&first(&system, &regime, &[])), good());
    regime.leaders[store] = None;
    let tally = first(&system, &regime, &[]);
    assert_eq!(ended(&tally.pools[store]), [("refused", 1)]);

    serve(&mut system, ServedBy::Quorum);
    let mut regime = Regime::all_up(&system.0);
    regime.slots[members[2]] = SlotState::Silent;
    assert_eq!(journey(&first(&system, &regime, &[])), good());
    regime.islands[members[1]] = Some(DomainId::from_index(0));
    let tally = first(&system, &regime, &[]);
    assert_eq!(ended(&tally.pools[store]), [("refused", 1)]);
}

#[test]
fn failures_are_attributed_to_the_blame_of_the_moment() {
    let (mut system, app, _) = chain(|_, _, _| {});
    let fault = FaultId::from_index(0);
    system.0.faults.push(Fault {
        name: "app.crash".into(),
        kind: FaultKind::Crash,
        runs: ClockRuns::Calendar,
        every: constant(1.0),
        lasts: constant(1.0),
    });
    let journey = JourneyId::from_index(0);
    let blame = |phase| Signal::Blame {
        journey,
        blame: Some(Blame { fault, phase }),
    };
    let gone = Signal::Blame {
        journey,
        blame: None,
    };
    let silent = state(slot(&system, app, 0), SlotState::Silent);
    let cause = |signals: &[(u64, Signal)]| {
        let tally = first(&system, &Regime::all_up(&system.0), signals);
        let causes = &tally.journeys[journey].failed_by_cause;
        Cause::from_index(causes.iter().position(|&count| count == 1).unwrap())
    };
    let of = |phase| Cause::Fault(Blame { fault, phase });
    assert_eq!(cause(&[(10, silent)]), Cause::Load);
    let during = [
        (10, silent),
        (10, blame(Phase::Detect)),
        (20, blame(Phase::Repair)),
    ];
    assert_eq!(cause(&during), of(Phase::Repair));
    assert_eq!(
        cause(&[(10, silent), (10, blame(Phase::Detect)), (20, gone)]),
        of(Phase::WarmUp)
    );
}
