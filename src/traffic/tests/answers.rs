//! The first good answer of a leader, and when requests come that ask for it.

use super::build::{Build, call, constant, settings};
use super::case::{RARE, SOURCE, first_arrival, ms, slot};
use crate::ids::{Id, IdVec, JourneyId, PoolId};
use crate::model::{PoolKind, ServedBy};
use crate::path::{Regime, Signal, SlotState};
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Asking, Traffic};

/// A store of three members, whose leader writes in 30 ms, and somebody who looks at something else first.
fn written(rate: f64) -> (Build, PoolId) {
    let mut system = Build::new();
    let store = system.pool("db", 3, None, None);
    system.0.pools.as_mut_slice()[store.index()].kind = PoolKind::Store { failover: None };
    let write = system.served_by(store, constant(0.03), ServedBy::Leader);
    let site = system.site(call(write));
    system.workload("writers", rate, Some(ms(1_000)), vec![site]);
    (system, store)
}

/// When the answer came, so long after the first request arrived; it is awaited from `from` ms after it, and
/// `signals` come so many milliseconds after it.
fn answered(from: u64, signals: impl Fn(&Build, PoolId) -> Vec<(u64, Signal)>) -> Option<SimSpan> {
    let (system, store) = written(RARE);
    let arrival = first_arrival(&system);
    let mut traffic = Traffic::new(&system.0, settings());
    traffic.await_answer(store, arrival + ms(from));
    traffic.begin(&Regime::all_up(&system.0), SimTime::START, SOURCE);
    for (after, signal) in signals(&system, store) {
        traffic.run_until(arrival + ms(after));
        traffic.apply(arrival + ms(after), signal);
    }
    traffic.run_until(arrival + ms(10_000));
    let came = traffic.take_answer(store);
    assert_eq!(traffic.awaits_answer(), came.is_none());
    assert_eq!(traffic.take_answer(store), None);
    came.map(|at| at.since(arrival))
}

#[test]
fn the_first_good_answer_of_the_leader_of_the_moment_is_noted() {
    let leads = |system: &Build, pool, member: usize| Signal::Leader {
        pool,
        leader: Some(slot(system, pool, member)),
    };
    assert_eq!(answered(0, |_, _| vec![]), Some(ms(30)));
    assert_eq!(answered(30, |_, _| vec![]), Some(ms(30)));
    assert_eq!(answered(31, |_, _| vec![]), None);
    // Somebody else leads when it is answered.
    let moved = |system: &Build, pool| vec![(10, leads(system, pool, 2))];
    assert_eq!(answered(0, moved), None);
    // A stop of who serves it is no good answer.
    let stopped = |system: &Build, pool| {
        let slot = slot(system, pool, 0);
        let state = SlotState::Refusing;
        vec![(10, Signal::Slot { slot, state })]
    };
    assert_eq!(answered(0, stopped), None);
}

#[test]
fn requests_that_ask_are_found_without_simulating_any() {
    let (alone, _) = written(0.01);
    let mut traffic = Traffic::new(&alone.0, settings());
    let regime = Regime::all_up(&alone.0);
    let mut from = SimTime::START;
    let truth = [(); 5].map(|()| {
        traffic.begin(&regime, from, SOURCE);
        let at = traffic.next_time();
        from = at + SimSpan::from_nanos(1);
        at
    });
    // Beside others who come a hundred times as often.
    let (mut system, _) = written(0.01);
    let look = system.pool("app", 1, None, None);
    let look = system.operation(look, constant(0.001));
    let site = system.site(call(look));
    system.workload("readers", 1.0, Some(ms(1_000)), vec![site]);
    let mut wanted: IdVec<JourneyId, bool> = IdVec::filled(false, system.0.journeys.len());
    wanted[JourneyId::from_index(0)] = true;
    let mut traffic = Traffic::new(&system.0, settings());
    let bursts = Regime::all_up(&system.0).bursts;
    traffic.seek_asking((SOURCE, SimTime::START), &bursts, &wanted);
    for at in truth {
        assert_eq!(traffic.next_asking(1_000), Asking::At(at));
    }
    // The last one of a scan of none is still to be looked at.
    assert!(matches!(traffic.next_asking(0), Asking::NotBefore(at) if at > truth[4]));
}
