//! Failover by stated times, elections and standbys, against stories to the second.

use super::*;
use crate::model::{Failback, GenericFailover, Handling, QuorumFailover, Rescue, Standby};
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
