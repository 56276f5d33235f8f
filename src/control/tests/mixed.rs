//! Hangs, pauses, slow work and errors where faults are taken care of: crews, common causes, standbys,
//! operating clocks, failovers and elections.

use super::*;
use crate::ids::FaultId;
use crate::model::{
    Crew, CrewOrder, GenericFailover, Handling, Impairment, QuorumFailover, Repair, Standby, Work,
};
use crate::path::SlotState::{Hung, Paused, Refusing, Serving, Standby as Waits};

/// The last fault of `system` is repaired by a crew of one.
fn by_crew(system: &mut System) {
    if system.care.crews.is_empty() {
        system.care.crews.push(Crew {
            name: "ops".into(),
            count: 1,
            order: CrewOrder::Fifo,
        });
    }
    let repair = Repair {
        noticed_in: Handling::Drawn(fixed(0.0)),
        spares: None,
        crew: system.care.crews.ids().next(),
        priority: 1,
        work: Work::Lasts,
    };
    let fault = FaultId::from_index(system.faults.len() - 1);
    system.care.repairs.insert(fault, repair);
}

/// A shock at 100 s that starts every fault of `system`.
fn shock(system: &mut System) {
    let hits = system.clocks.ids().collect();
    system.shocks(hits, fixed(100.0), 1.0);
}

/// Signals of slots and their impairments with their seconds, up to `end`.
fn seen(system: &System, end: f64) -> Vec<(f64, Signal)> {
    let mut control = Control::new(system, Detail::Full);
    let mut seen = Vec::new();
    walk(&mut control, secs(end), |_, transition, signals| {
        let at = transition.at.secs_in_horizon();
        let shown =
            |signal: &&Signal| matches!(signal, Signal::Slot { .. } | Signal::Impaired { .. });
        seen.extend(signals.iter().filter(shown).map(|&signal| (at, signal)));
    });
    seen
}

/// When the system goes down and up again.
fn flips(system: &System, detail: Detail, end: f64) -> Vec<(f64, bool)> {
    let mut control = Control::new(system, detail);
    let (mut flips, mut up) = (Vec::new(), true);
    walk(&mut control, secs(end), |control, transition, _| {
        if control.structure().system_up() != up {
            up = !up;
            flips.push((transition.at.secs_in_horizon(), up));
        }
    });
    flips
}

/// Three services with one fault each, which hit at 100, 110 and 120 s and take 50 s of work.
fn three(kinds: [FaultKind; 3]) -> System {
    let mut system = System::empty();
    let mut pools = Vec::new();
    for (index, kind) in kinds.into_iter().enumerate() {
        let pool = system.service(&format!("app{index}"), &[Place::Nowhere], 1);
        let slot = Component::Slot(system.pools[pool].slots[0]);
        let at = 100.0 + 10.0 * index as f64;
        once(&mut system, kind, slot, at, 50.0);
        by_crew(&mut system);
        pools.push(pool);
    }
    system.journey(&pools);
    new(system)
}

#[test]
fn one_crew_ends_hangs_slow_work_and_errors_one_after_the_other() {
    let kinds = [
        FaultKind::Hang,
        FaultKind::Slow { factor: 3.0 },
        FaultKind::Errors { share: 0.5 },
    ];
    let system = three(kinds);
    let slots: Vec<_> = system.slots.ids().collect();
    let state = |state| Signal::Slot {
        slot: slots[0],
        state,
    };
    let impaired = |index: usize, impairment| Signal::Impaired {
        slot: slots[index],
        impairment,
    };
    let expected = [
        (100.0, state(Hung)),
        (110.0, impaired(1, Impairment::NONE.and(kinds[1]))),
        (120.0, impaired(2, Impairment::NONE.and(kinds[2]))),
        (150.0, state(Serving)),
        (200.0, impaired(1, Impairment::NONE)),
        (250.0, impaired(2, Impairment::NONE)),
    ];
    // The hang comes again 100 s after its end.
    assert_eq!(seen(&system, 250.0 - 1e-6), expected[..5]);
    assert!(seen(&system, 251.0).contains(&expected[5]));
}

#[test]
fn a_crew_at_slow_work_keeps_a_crash_waiting_whatever_is_followed() {
    let slow = FaultKind::Slow { factor: 3.0 };
    let system = three([slow, FaultKind::Crash, FaultKind::Pause]);
    for detail in [Detail::Structure, Detail::Full] {
        // The crash waits until 150, is repaired until 200, and the pause until 250.
        let expected = [(110.0, false), (250.0, true)];
        assert_eq!(flips(&system, detail, 255.0), expected);
    }
}

#[test]
fn a_common_cause_starts_faults_of_any_kind_and_is_blamed_until_the_last_is_over() {
    for kind in [
        FaultKind::Hang,
        FaultKind::Pause,
        FaultKind::Errors { share: 1.0 },
    ] {
        let mut system = System::empty();
        let pool = system.service("app", &[Place::Nowhere; 2], 1);
        let slots: Vec<_> = system.pools[pool].slots.clone();
        let components: Vec<_> = slots.iter().map(|&slot| Component::Slot(slot)).collect();
        system.fault(kind, &components, fixed(1e6), fixed(30.0));
        by_crew(&mut system);
        shock(&mut system);
        system.journey(&[pool]);
        let system = new(system);
        for detail in [Detail::Structure, Detail::Full] {
            let expected = [(100.0, false), (130.0, true)];
            assert_eq!(flips(&system, detail, 190.0), expected, "{kind:?}");
        }
        let heat = system.clocks[system.care.commons[0].clock].fault;
        let mut control = Control::new(&system, Detail::Full);
        walk(&mut control, secs(190.0), |control, transition, _| {
            let at = transition.at.secs_in_horizon();
            let blames = control.regime().blames.as_slice();
            let fault = blames[0].map(|blame| blame.fault);
            assert_eq!(fault, (at < 160.0).then_some(heat), "at {at}");
        });
        assert!(control.regime().slots.iter().all(|&state| state == Serving));
    }
}

#[test]
fn a_common_cause_of_slow_work_cuts_nothing() {
    let mut system = System::empty();
    let pool = system.service("app", &[Place::Nowhere], 1);
    let slot = Component::Slot(system.pools[pool].slots[0]);
    let slow = FaultKind::Slow { factor: 5.0 };
    system.fault(slow, &[slot], fixed(1e6), fixed(30.0));
    shock(&mut system);
    // By itself, while it is slow.
    once(&mut system, FaultKind::Crash, slot, 110.0, 10.0);
    system.journey(&[pool]);
    let system = new(system);
    let crash = FaultId::from_index(system.faults.len() - 1);
    let mut control = Control::new(&system, Detail::Full);
    walk(&mut control, secs(115.0), |_, _, _| {});
    let blame = control.structure().blame();
    assert_eq!(blame.map(|blame| blame.fault), Some(crash));
    assert_eq!(control.regime().impairments.as_slice()[0].factor, 5.0);
}

/// One active slot and a cold standby that is activated in 30 s; the faults are (slot, kind, every,
/// lasts), their clocks run as said.
fn cold(faults: &[(usize, FaultKind, f64, f64)], runs: ClockRuns) -> System {
    let mut system = System::empty();
    let app = system.service("app", &[Place::Nowhere; 2], 1);
    system.pools[app].standby = Some(Standby {
        count: 1,
        rate: 0.0,
        activates_in: fixed(30.0),
        coverage: 1.0,
        rescue: None,
    });
    for &(slot, kind, every, lasts) in faults {
        let slot = Component::Slot(system.pools[app].slots[slot]);
        once(&mut system, kind, slot, every, lasts);
    }
    for fault in system.faults.as_mut_slice() {
        fault.runs = runs;
    }
    system.journey(&[app]);
    new(system)
}

#[test]
fn an_operating_clock_of_a_cold_standby_stands_still_until_it_is_activated() {
    let crash = FaultKind::Crash;
    let faults = [(0, crash, 100.0, 40.0), (1, crash, 200.0, 1_000.0)];
    let expected = [
        (100.0, vec![Refusing, Waits]),
        (130.0, vec![Refusing, Serving]),
        (140.0, vec![Waits, Serving]),
        // Activated from 100 on, it is 200 s old at 300; so is the first at 400.
        (300.0, vec![Waits, Refusing]),
        (330.0, vec![Serving, Refusing]),
        (400.0, vec![Refusing, Refusing]),
        (440.0, vec![Serving, Refusing]),
    ];
    for runs in [ClockRuns::Operating, ClockRuns::Calendar] {
        assert_eq!(slots(&cold(&faults, runs), 450.0), expected);
    }
}

#[test]
fn an_operating_clock_of_a_standby_stands_still_again_while_it_is_paused() {
    let faults = [
        (0, FaultKind::Crash, 100.0, 5_000.0),
        (1, FaultKind::Crash, 200.0, 5_000.0),
        (1, FaultKind::Pause, 60.0, 60.0),
    ];
    // 60 s of operation between two pauses; the crash after 200 s of operation from 100 on.
    let expected = [
        (100.0, vec![Refusing, Waits]),
        (130.0, vec![Refusing, Serving]),
        (160.0, vec![Refusing, Paused]),
        (220.0, vec![Refusing, Serving]),
        (280.0, vec![Refusing, Paused]),
        (340.0, vec![Refusing, Serving]),
        (400.0, vec![Refusing, Paused]),
        (460.0, vec![Refusing, Serving]),
        (480.0, vec![Refusing, Refusing]),
    ];
    let system = cold(&faults, ClockRuns::Operating);
    assert_eq!(slots(&system, 1_000.0), expected);
    // By the calendar it crashes during the second pause.
    let found = slots(&cold(&faults, ClockRuns::Calendar), 1_000.0);
    assert!(found.contains(&(300.0, vec![Refusing, Refusing])));
}

#[test]
fn a_hung_active_slot_is_replaced_by_its_standby() {
    let system = cold(&[(0, FaultKind::Hang, 100.0, 400.0)], ClockRuns::Calendar);
    let expected = [
        (100.0, vec![Hung, Waits]),
        (130.0, vec![Hung, Serving]),
        (500.0, vec![Waits, Serving]),
    ];
    assert_eq!(slots(&system, 550.0), expected);
}

#[test]
fn a_member_that_hangs_or_is_paused_is_lost_to_every_failover() {
    let generic = StoreFailover::Generic(Box::new(GenericFailover {
        watched_from: Vec::new(),
        detect: fixed(20.0),
        decide: fixed(0.0),
        promote: fixed(10.0),
        coverage: 1.0,
        rescue: None,
        promote_the_last: true,
        repairs_wait: false,
        failback: None,
        switchover: None,
    }));
    let quorum = StoreFailover::Quorum(QuorumFailover {
        elects_in: fixed(30.0),
        switchover: None,
    });
    let lease = StoreFailover::Lease(Lease {
        key_in: Vec::new(),
        switchover: None,
        ttl: SimSpan::from_secs(15),
        loop_wait: SimSpan::from_secs(5),
        decides_in: fixed(5.0),
        promotes_in: fixed(5.0),
    });
    for failover in [generic, quorum, lease] {
        for kind in [
            FaultKind::Hang,
            FaultKind::Pause,
            FaultKind::Errors { share: 1.0 },
        ] {
            let mut system = System::empty();
            let db = system.service("db", &[Place::Nowhere; 3], 1);
            system.pools[db].kind = PoolKind::Store {
                failover: Some(failover.clone()),
            };
            system.operations.as_mut_slice()[0].served_by = ServedBy::Leader;
            let first = Component::Slot(system.pools[db].slots[0]);
            once(&mut system, kind, first, 100.0, 500.0);
            system.journey(&[db]);
            let system = new(system);
            let mut control = Control::new(&system, Detail::Full);
            walk(&mut control, secs(140.0), |_, _, _| {});
            let leader = control.regime().leaders[db];
            // One that answers with errors is as good a leader as any to those who watch it.
            let stays = matches!(kind, FaultKind::Errors { .. });
            let led_by_first = leader == Some(system.pools[db].slots[0]);
            assert!(
                leader.is_some() && led_by_first == stays,
                "{failover:?} {kind:?}"
            );
            assert_eq!(control.structure().system_up(), !stays);
        }
    }
}
