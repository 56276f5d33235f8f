//! Failover by stated times, elections and standbys, against stories to the second.

use super::*;
use crate::model::{
    Failback, GenericFailover, Handling, QuorumFailover, Replication, Rescue, Standby,
};
use crate::path::{Phase, SlotState};

fn generic() -> GenericFailover {
    GenericFailover {
        watched_from: Vec::new(),
        detect: fixed(20.0),
        decide: fixed(5.0),
        promote: fixed(60.0),
        coverage: 1.0,
        rescue: None,
        promote_the_last: true,
        repairs_wait: false,
        failback: None,
        switchover: None,
    }
}

/// A store of `members` with this failover; the faults are (member, begins, lasts).
fn store(members: usize, failover: StoreFailover, faults: &[(usize, f64, f64)]) -> System {
    let mut system = System::empty();
    let db = system.service("db", &vec![Place::Nowhere; members], 1);
    system.pools[db].kind = PoolKind::Store {
        failover: Some(failover),
    };
    system.operations.as_mut_slice()[0].served_by = ServedBy::Leader;
    for &(member, at, lasts) in faults {
        let slot = Component::Slot(system.pools[db].slots[member]);
        once(&mut system, FaultKind::Crash, slot, at, lasts);
    }
    system.journey(&[db]);
    new(system)
}

/// Up or down, phase and leader after each event up to `end`.
fn states(system: &System, end: f64) -> Vec<(f64, Option<Phase>, Option<u32>)> {
    let mut control = Control::new(system, Detail::Full);
    let mut states = Vec::new();
    walk(&mut control, secs(end), |control, transition, _| {
        let blame = control.structure().blame();
        assert_eq!(blame.is_none(), control.structure().system_up());
        let leader = control.regime().leaders[PoolId::from_index(0)];
        states.push((
            transition.at.secs_in_horizon(),
            blame.map(|blame| blame.phase),
            leader.map(|slot| system.slots[slot].index),
        ));
    });
    states
}

#[test]
fn a_failover_is_detected_decided_and_promoted() {
    let system = store(
        2,
        StoreFailover::Generic(Box::new(generic())),
        &[(0, 100.0, 500.0)],
    );
    let expected = [
        (100.0, Some(Phase::Detect), Some(0)),
        (120.0, Some(Phase::Decide), None),
        (125.0, Some(Phase::Promote), None),
        (185.0, None, Some(1)),
        (600.0, None, Some(1)),
    ];
    assert_eq!(states(&system, 650.0), expected);
}

#[test]
fn a_void_promotion_begins_anew_and_is_remarked() {
    let faults = [(0, 100.0, 5_000.0), (1, 150.0, 5_000.0)];
    let system = store(3, StoreFailover::Generic(Box::new(generic())), &faults);
    let found = states(&system, 1_000.0);
    let last = found.last().copied();
    assert_eq!(last, Some((210.0, None, Some(2))), "{found:?}");
    let mut control = Control::new(&system, Detail::Full);
    let mut remarks = Vec::new();
    walk(&mut control, secs(160.0), |control, _, _| {
        remarks.extend_from_slice(control.remarks());
    });
    let slots = &system.pools[PoolId::from_index(0)].slots;
    let expected = [Event::PromotionVoid(slots[1]), Event::Promoting(slots[2])];
    assert_eq!(remarks, expected);
}

#[test]
fn a_person_restores_what_a_failed_failover_has_left() {
    let failover = GenericFailover {
        coverage: 1e-12,
        rescue: Some(Rescue {
            takes: Handling::Drawn(fixed(400.0)),
            restores_all: true,
        }),
        repairs_wait: true,
        ..generic()
    };
    let faults = [(0, 100.0, 50.0), (1, 200.0, 5_000.0)];
    let system = store(2, StoreFailover::Generic(Box::new(failover)), &faults);
    let expected = [
        (100.0, Some(Phase::Decide), None),
        (200.0, Some(Phase::Decide), None),
        (500.0, None, Some(0)),
    ];
    assert_eq!(states(&system, 590.0), expected);
}

#[test]
fn repairs_wait_until_a_failover_is_over() {
    let failover = GenericFailover {
        repairs_wait: true,
        ..generic()
    };
    let system = store(
        2,
        StoreFailover::Generic(Box::new(failover)),
        &[(0, 100.0, 50.0)],
    );
    let found = states(&system, 300.0);
    let times: Vec<f64> = found.iter().map(|state| state.0).collect();
    // Led by the other from 185 on; repaired 50 s after that, and failing again 100 s later.
    assert_eq!(times, [100.0, 120.0, 125.0, 185.0, 235.0]);
}

#[test]
fn the_lead_returns_to_the_first_member() {
    let failover = GenericFailover {
        failback: Some(Failback {
            after: fixed(60.0),
            takes: fixed(3.0),
        }),
        ..generic()
    };
    let system = store(
        2,
        StoreFailover::Generic(Box::new(failover)),
        &[(0, 1_000.0, 500.0)],
    );
    let found = states(&system, 2_000.0);
    let expected = [
        (1_500.0, None, Some(1)),
        (1_560.0, Some(Phase::Promote), None),
        (1_563.0, None, Some(0)),
    ];
    assert_eq!(found[4..], expected);
}

#[test]
fn a_group_without_majority_has_no_leader_and_elects_one_when_it_is_back() {
    let failover = StoreFailover::Quorum(QuorumFailover {
        elects_in: fixed(5.0),
        switchover: None,
    });
    let faults = [(0, 100.0, 300.0), (1, 200.0, 100.0), (2, 2_000.0, 10.0)];
    let system = store(3, failover, &faults);
    let expected = [
        (100.0, Some(Phase::Decide), None),
        (105.0, None, Some(1)),
        (200.0, Some(Phase::Repair), None),
        (300.0, Some(Phase::Decide), None),
        (305.0, None, Some(2)),
        (400.0, None, Some(2)),
    ];
    assert_eq!(states(&system, 450.0), expected);
}

/// One active and `count` standbys; the faults are (slot, every, lasts).
fn standing(count: u32, rate: f64, activates: f64, faults: &[(usize, f64, f64)]) -> System {
    let mut system = System::empty();
    let app = system.service("app", &vec![Place::Nowhere; 1 + count as usize], 1);
    system.pools[app].standby = Some(Standby {
        count,
        rate,
        activates_in: fixed(activates),
        coverage: 1.0,
        rescue: None,
    });
    for &(slot, at, lasts) in faults {
        let slot = Component::Slot(system.pools[app].slots[slot]);
        once(&mut system, FaultKind::Crash, slot, at, lasts);
    }
    system.journey(&[app]);
    new(system)
}

use SlotState::{Refusing, Serving, Standby as Waits};

#[test]
fn a_cold_standby_takes_over_and_grows_old_only_from_then_on() {
    let system = standing(1, 0.0, 30.0, &[(0, 100.0, 40.0), (1, 200.0, 1_000.0)]);
    let expected = [
        (100.0, vec![Refusing, Waits]),
        (130.0, vec![Refusing, Serving]),
        (140.0, vec![Waits, Serving]),
        // Activated from 100 on, it is 200 s old at 300; the first, as good as new, takes over.
        (300.0, vec![Waits, Refusing]),
        (330.0, vec![Serving, Refusing]),
        // The first has been activated from 300 on.
        (400.0, vec![Refusing, Refusing]),
        (440.0, vec![Serving, Refusing]),
    ];
    assert_eq!(slots(&system, 450.0), expected);
}

#[test]
fn an_active_one_that_is_back_in_time_goes_on() {
    let system = standing(1, 1.0, 30.0, &[(0, 100.0, 20.0)]);
    let expected = [
        (100.0, vec![Refusing, Waits]),
        (120.0, vec![Serving, Waits]),
    ];
    assert_eq!(slots(&system, 200.0), expected);
}

#[test]
fn a_warm_standby_grows_old_at_its_rate() {
    let system = standing(1, 0.25, 0.0, &[(1, 100.0, 10.0)]);
    let found = slots(&system, 900.0);
    let expected = [
        (400.0, vec![Serving, Refusing]),
        (410.0, vec![Serving, Waits]),
        (810.0, vec![Serving, Refusing]),
        (820.0, vec![Serving, Waits]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_standby_that_takes_over_at_once_leaves_no_outage() {
    let system = standing(1, 1.0, 0.0, &[(0, 100.0, 1_000.0)]);
    let mut control = Control::new(&system, Detail::Structure);
    walk(&mut control, secs(100.5), |control, _, _| {
        assert!(control.structure().system_up());
    });
    assert_eq!(control.regime().slots.as_slice(), [Refusing, Serving]);
}

/// Two members, of which the leader waits ten seconds for the other.
fn semi_sync(failover: GenericFailover, faults: &[(usize, f64, f64)]) -> System {
    let mut system = store(2, StoreFailover::Generic(Box::new(failover)), faults);
    let timeout = SimSpan::from_secs(10);
    system.pools[PoolId::from_index(0)].replication = Some(Replication::SemiSync { timeout });
    system
}

#[test]
fn a_leader_goes_on_alone_after_a_time_and_what_it_acknowledged_since_is_lost_with_it() {
    // The copy is gone from 100 to 1000, the leader from 500 on.
    let system = semi_sync(generic(), &[(1, 100.0, 900.0), (0, 500.0, 5_000.0)]);
    let found = states(&system, 1_061.0);
    let leaders: Vec<_> = found.iter().map(|&(at, _, leader)| (at, leader)).collect();
    let expected = [
        (100.0, None),
        (110.0, Some(0)),
        (500.0, None),
        (1_000.0, None),
        // Promoted after 60 s, with the other away, for which it waits.
        (1_060.0, None),
    ];
    assert_eq!(leaders, expected);
    let mut control = Control::new(&system, Detail::Full);
    let mut lost = Vec::new();
    walk(&mut control, secs(1_061.0), |control, _, _| {
        lost.extend(control.recoveries().iter().map(|one| (one.moved, one.lag)));
    });
    assert_eq!(lost, [(true, SimSpan::from_secs(390))]);
}

#[test]
fn nothing_is_lost_with_a_leader_in_step_or_that_has_not_waited_long_enough() {
    for faults in [
        vec![(0, 500.0, 5_000.0)],
        vec![(1, 300.0, 150.0), (0, 500.0, 90.0)],
        vec![(1, 495.0, 100.0), (0, 500.0, 5_000.0)],
    ] {
        let system = semi_sync(generic(), &faults);
        let mut control = Control::new(&system, Detail::Full);
        let mut recovered = 0;
        walk(&mut control, secs(700.0), |control, _, _| {
            for recovery in control.recoveries() {
                assert!(recovery.moved && recovery.lag.is_zero(), "{recovery:?}");
                recovered += 1;
            }
        });
        assert_eq!(recovered, 1, "{faults:?}");
    }
}

#[test]
fn seconds_of_writes_that_are_lost_are_those_of_a_chain() {
    let at_once = GenericFailover {
        detect: fixed(0.0),
        decide: fixed(0.0),
        promote: fixed(0.0),
        ..generic()
    };
    let mut system = semi_sync(at_once, &[]);
    system.run.start = Start::Steady;
    let timeout = SimSpan::from_secs(1_800);
    let db = PoolId::from_index(0);
    system.pools[db].replication = Some(Replication::SemiSync { timeout });
    system.crashes(db, exponential(20.0 * HOUR), exponential(HOUR));
    let mut control = Control::new(&system, Detail::Full);
    let mut sums = Vec::new();
    for replication in 0..600 {
        control.restart(12, replication);
        let mut sum = 0.0;
        walk(
            &mut control,
            SimTime::START + YEAR,
            |control, transition, _| {
                if transition.at >= SimTime::START {
                    sum += control
                        .recoveries()
                        .iter()
                        .map(|one| one.lag.as_secs_f64())
                        .sum::<f64>();
                }
            },
        );
        sums.push(sum);
    }
    let n = sums.len() as f64;
    let mean = sums.iter().sum::<f64>() / n;
    let spread: f64 = sums.iter().map(|sum| (sum - mean).powi(2)).sum();
    // Per hour: a member is left alone when the other fails, or when it is the first back. It is lost before
    // the other is back with some probability, has then been alone for an exponential time, of which
    // half an hour does not count, and in one case of two the other is back first.
    let (fails, repaired) = (1.0 / 20.0, 1.0_f64);
    let (up, all) = (repaired / (repaired + fails), repaired + fails);
    let alone = 2.0 * fails * up * up + 2.0 * repaired * (1.0 - up) * (1.0 - up);
    let each = fails / all * (-0.5 * all).exp() / all * 0.5;
    let exact = alone * each * YEAR.as_secs_f64();
    check((mean, (spread / (n - 1.0) / n).sqrt()), exact, 3.0);
}
