//! The rules of requests, calls, attempts and deadlines, one by one. Work takes constant times and
//! requests come far apart, so every outcome is exact.

use super::build::{Build, call, constant, retries};
use super::case::{RARE, ended, failed, first, good, journey, latency_ms, ms, slot, state};
use crate::ids::{BalancerId, DomainId, Id, PoolId, SlotId};
use crate::model::{Algorithm, Call};
use crate::path::{Regime, Signal, SlotState};
use crate::time::SimSpan;
use crate::traffic::{Counts, Tally};

/// One pool of so many replicas behind a round-robin balancer; work takes 100 ms.
struct Simple {
    system: Build,
    pool: PoolId,
    balancer: BalancerId,
}

fn simple(replicas: u32, instances: u32, edit: impl FnOnce(&mut Call)) -> Simple {
    let mut system = Build::new();
    let pool = system.pool("app", replicas, Some(1), None);
    let balancer = system.balancer(pool, instances, Algorithm::RoundRobin, true);
    let serve = system.operation(pool, constant(0.1));
    let mut site = Call {
        through: Some(balancer),
        ..call(serve)
    };
    edit(&mut site);
    let site = system.site(site);
    system.workload("users", RARE, Some(ms(1_000)), vec![site]);
    Simple {
        system,
        pool,
        balancer,
    }
}

impl Simple {
    #[track_caller]
    fn check(
        &self,
        regime: &Regime,
        signals: &[(u64, Signal)],
        expected: Counts,
        attempts: &[(&str, u64)],
    ) -> Tally {
        let tally = first(&self.system, regime, signals);
        assert_eq!(journey(&tally), expected);
        assert_eq!(ended(&tally.pools[self.pool]), attempts);
        tally
    }

    fn up(&self) -> Regime {
        Regime::all_up(&self.system.0)
    }

    fn slot(&self, index: usize) -> SlotId {
        slot(&self.system, self.pool, index)
    }

    fn instance(&self, index: usize) -> SlotId {
        self.system.0.balancers[self.balancer].slots[index]
    }
}

#[test]
fn an_answer_exactly_at_the_deadline_is_in_time() {
    let case = simple(1, 1, |site| site.timeout = Some(ms(100)));
    case.check(&case.up(), &[], good(), &[("answered", 1)]);
    let case = simple(1, 1, |site| {
        site.timeout = Some(SimSpan::from_nanos(99_999_999))
    });
    case.check(&case.up(), &[], failed(), &[("timed out", 1)]);
}

#[test]
fn an_attempt_that_timed_out_keeps_its_worker() {
    // The first times out at 50 ms and is worked on for nobody until 100 ms. The second is sent at
    // 60 ms, gets the worker at 100 ms and times out at 110 ms.
    let case = simple(1, 1, |site| {
        site.timeout = Some(ms(50));
        site.retries = retries(1, 10);
    });
    let tally = case.check(&case.up(), &[], failed(), &[("timed out", 2)]);
    let pool = &tally.pools[case.pool];
    assert_eq!(
        (pool.served, pool.wait_ns, pool.busy_ns),
        (2, 40_000_000, 200_000_000)
    );
    assert_eq!((pool.calls, pool.calls_failed), (1, 1));
}

#[test]
fn an_attempt_that_times_out_in_the_queue_leaves_it() {
    let case = simple(1, 1, |site| {
        site.timeout = Some(ms(30));
        site.retries = retries(1, 0);
    });
    let tally = case.check(&case.up(), &[], failed(), &[("timed out", 2)]);
    assert_eq!(tally.pools[case.pool].served, 1);
}

#[test]
fn an_attempt_that_waited_for_the_queue_timeout_is_refused_then() {
    // The first times out at 30 ms and keeps its worker until 100 ms. The second queues then and is
    // refused at 50 ms, the third at 70 ms.
    let mut case = simple(1, 1, |site| {
        site.timeout = Some(ms(30));
        site.retries = retries(2, 0);
    });
    case.system.0.pools.as_mut_slice()[0].queue_timeout = Some(constant(0.02));
    let tally = case.check(&case.up(), &[], failed(), &[("shed", 2), ("timed out", 1)]);
    assert_eq!(tally.pools[case.pool].served, 1);
}

#[test]
fn a_worker_that_frees_with_the_end_of_the_queue_timeout_still_takes_the_attempt() {
    // The second attempt queues at 90 ms; the worker frees at 100 ms.
    let mut case = simple(1, 1, |site| {
        site.timeout = Some(ms(90));
        site.retries = retries(1, 0);
    });
    case.system.0.pools.as_mut_slice()[0].queue_timeout = Some(constant(0.01));
    case.check(&case.up(), &[], failed(), &[("timed out", 2)]);
    case.system.0.pools.as_mut_slice()[0].queue_timeout = Some(constant(0.009_999_999));
    case.check(&case.up(), &[], failed(), &[("shed", 1), ("timed out", 1)]);
}

#[test]
fn a_user_who_has_lost_patience_fails_the_request_and_its_attempt() {
    let mut case = simple(1, 1, |_| {});
    case.system.0.workloads.as_mut_slice()[0].patience = Some(ms(70));
    let tally = case.check(&case.up(), &[], failed(), &[("timed out", 1)]);
    assert_eq!(tally.pools[case.pool].busy_ns, 100_000_000);
}

#[test]
fn an_answer_later_than_good_within_is_no_good() {
    let mut case = simple(1, 1, |_| {});
    case.system.0.journeys.as_mut_slice()[0].good_within = Some(ms(99));
    case.check(&case.up(), &[], failed(), &[("answered", 1)]);
    case.system.0.journeys.as_mut_slice()[0].good_within = Some(ms(100));
    case.check(&case.up(), &[], good(), &[("answered", 1)]);
}

#[test]
fn a_slot_that_refuses_is_left_for_the_next_one() {
    let case = simple(2, 1, |site| site.retries = retries(1, 0));
    let mut regime = case.up();
    regime.slots[case.slot(0)] = SlotState::Refusing;
    let tally = case.check(&regime, &[], good(), &[("answered", 1), ("refused", 1)]);
    assert_eq!(latency_ms(&tally), 100.0);
}

#[test]
fn when_all_members_were_tried_they_are_tried_again() {
    let case = simple(2, 1, |site| site.retries = retries(3, 0));
    let mut regime = case.up();
    regime.slots[case.slot(0)] = SlotState::Refusing;
    regime.slots[case.slot(1)] = SlotState::Refusing;
    case.check(&regime, &[], failed(), &[("refused", 4)]);
}

#[test]
fn tried_members_are_remembered_in_pools_of_any_size() {
    let case = simple(130, 1, |site| site.retries = retries(129, 0));
    let mut regime = case.up();
    for index in 0..129 {
        regime.slots[case.slot(index)] = SlotState::Refusing;
    }
    case.check(&regime, &[], good(), &[("answered", 1), ("refused", 129)]);
}

#[test]
fn a_silent_slot_costs_the_timeout() {
    let case = simple(2, 1, |site| {
        site.timeout = Some(ms(200));
        site.retries = retries(1, 0);
    });
    let mut regime = case.up();
    regime.slots[case.slot(0)] = SlotState::Silent;
    let tally = case.check(&regime, &[], good(), &[("answered", 1), ("timed out", 1)]);
    assert_eq!(latency_ms(&tally), 300.0);
}

#[test]
fn without_any_deadline_a_silent_slot_holds_the_request_to_the_end() {
    let mut case = simple(1, 1, |_| {});
    case.system.0.workloads.as_mut_slice()[0].patience = None;
    let mut regime = case.up();
    regime.slots[case.slot(0)] = SlotState::Silent;
    let hanging = Counts {
        issued: 1,
        in_flight: 1,
        ..Counts::default()
    };
    case.check(&regime, &[], hanging, &[("in flight", 1)]);
}

#[test]
fn a_member_out_of_view_is_not_chosen_and_none_in_view_refuses() {
    let case = simple(2, 1, |_| {});
    let mut regime = case.up();
    regime.slots[case.slot(0)] = SlotState::Refusing;
    let down = |member| Signal::View {
        instance: case.instance(0),
        member,
        up: false,
    };
    regime.apply(down(0));
    case.check(&regime, &[], good(), &[("answered", 1)]);
    regime.apply(down(1));
    case.check(&regime, &[], failed(), &[("refused", 1)]);
}

#[test]
fn a_crash_resets_and_the_caller_learns_at_once() {
    let case = simple(2, 1, |site| site.retries = retries(1, 0));
    let crash = [(40, state(case.slot(0), SlotState::Refusing))];
    let tally = case.check(&case.up(), &crash, good(), &[("answered", 1), ("reset", 1)]);
    assert_eq!(latency_ms(&tally), 140.0);
    assert_eq!(tally.pools[case.pool].busy_ns, 140_000_000);
}

#[test]
fn a_slot_that_falls_silent_costs_the_timeout_and_restarts_empty() {
    let case = simple(1, 1, |site| {
        site.timeout = Some(ms(200));
        site.retries = retries(1, 0);
    });
    let outage = [
        (40, state(case.slot(0), SlotState::Silent)),
        (60, state(case.slot(0), SlotState::Serving)),
    ];
    let tally = case.check(
        &case.up(),
        &outage,
        good(),
        &[("answered", 1), ("timed out", 1)],
    );
    assert_eq!(latency_ms(&tally), 300.0);
    assert_eq!(tally.pools[case.pool].busy_ns, 140_000_000);
}

#[test]
fn callers_react_to_a_zone_as_a_whole() {
    // Both replicas stop at one instant: the retry finds the second one down already.
    let case = simple(2, 1, |site| site.retries = retries(1, 0));
    let crash = [0, 1].map(|index| (40, state(case.slot(index), SlotState::Refusing)));
    case.check(
        &case.up(),
        &crash,
        failed(),
        &[("refused", 1), ("reset", 1)],
    );
}

#[test]
fn what_is_cut_off_is_never_answered_even_if_it_heals() {
    let case = simple(1, 1, |_| {});
    let zone = Some(DomainId::from_index(0));
    let island = |island| Signal::Island {
        slot: case.slot(0),
        island,
    };
    let cut = [(40, island(zone)), (50, island(None))];
    let tally = case.check(&case.up(), &cut, failed(), &[("timed out", 1)]);
    assert_eq!(tally.pools[case.pool].busy_ns, 100_000_000);
    // Cut off before it is sent, likewise.
    let mut regime = case.up();
    regime.apply(island(zone));
    case.check(&regime, &[], failed(), &[("timed out", 1)]);
}

#[test]
fn slots_isolated_together_reach_each_other_while_the_signals_come_in() {
    let mut system = Build::new();
    let (app, store) = (
        system.pool("app", 1, None, None),
        system.pool("db", 1, None, None),
    );
    let (serve, query) = (
        system.operation(app, constant(0.0)),
        system.operation(store, constant(0.1)),
    );
    system.calls(serve, call(query));
    let site = system.site(call(serve));
    system.workload("users", RARE, Some(ms(1_000)), vec![site]);
    let zone = Some(DomainId::from_index(0));
    let isolate = [app, store].map(|pool| {
        (
            40,
            Signal::Island {
                slot: slot(&system, pool, 0),
                island: zone,
            },
        )
    });
    let tally = first(&system, &Regime::all_up(&system.0), &isolate);
    assert_eq!(ended(&tally.pools[store]), [("answered", 1)]);
    assert_eq!(ended(&tally.pools[app]), [("timed out", 1)]);
}

#[test]
fn a_balancer_instance_that_crashes_resets_and_one_that_falls_silent_does_not() {
    let case = simple(1, 2, |site| site.retries = retries(1, 0));
    let holder = Signal::Holder {
        balancer: case.balancer,
        holder: Some(case.instance(1)),
    };
    let stop = |how| [(40, state(case.instance(0), how)), (40, holder)];
    // The member works on for nobody; the retry waits for it.
    let tally = case.check(
        &case.up(),
        &stop(SlotState::Refusing),
        good(),
        &[("answered", 1), ("reset", 1)],
    );
    assert_eq!(latency_ms(&tally), 200.0);
    case.check(
        &case.up(),
        &stop(SlotState::Silent),
        failed(),
        &[("timed out", 1)],
    );
}

#[test]
fn an_address_that_nobody_holds_is_silent() {
    let case = simple(1, 2, |_| {});
    let mut regime = case.up();
    regime.holders[case.balancer] = None;
    case.check(&regime, &[], failed(), &[("timed out", 1)]);
    regime.holders[case.balancer] = Some(case.instance(1));
    case.check(&regime, &[], good(), &[("answered", 1)]);
    regime.slots[case.instance(1)] = SlotState::Refusing;
    case.check(&regime, &[], failed(), &[("refused", 1)]);
    regime.slots[case.instance(1)] = SlotState::Silent;
    case.check(&regime, &[], failed(), &[("timed out", 1)]);
}
