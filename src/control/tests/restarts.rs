//! Processes that somebody starts again.

use super::*;
use crate::model::{Handling, Restart, Standby};
use crate::orchestrate::restart::Rule;
use crate::path::SlotState::{Refusing, Serving, Silent};

/// One replica that is started again by `rule` in `starts` seconds; a person needs 600 s.
fn one(rule: Rule, starts: f64, place: Place) -> System {
    let mut system = System::empty();
    let pool = system.service("app", &[place], 1);
    system.pools[pool].starts_in = fixed(starts);
    system.journey(&[pool]);
    system.care.restarts.push(Restart {
        slots: system.pools[pool].slots.clone(),
        restarts: rule.restarts,
        at_once: rule.at_once,
        first: rule.first,
        factor: rule.factor,
        cap: rule.cap,
        resets_after: rule.resets_after,
        limit: rule.limit.map(|limit| (limit.starts, limit.within)),
        person: Handling::Drawn(fixed(600.0)),
        starts_fail: 0.0,
    });
    system
}

/// States of the replica, which crashes at 1,000 s for `lasts` seconds.
fn story(mut system: System, lasts: f64) -> Vec<(f64, crate::path::SlotState)> {
    let component = Component::Slot(system.pools.iter().next().unwrap().slots[0]);
    once(&mut system, FaultKind::Crash, component, 1_000.0, lasts);
    let system = new(system);
    let mut control = Control::new(&system, Detail::Full);
    let mut states = Vec::new();
    walk(&mut control, secs(1_990.0), |_, transition, signals| {
        for signal in signals {
            if let Signal::Slot { state, .. } = *signal {
                states.push((transition.at.secs_in_horizon(), state));
            }
        }
    });
    states
}

#[test]
fn while_a_crash_lasts_every_start_fails_and_the_pauses_grow() {
    // Starts from 1000, 1012, 1034, 1076 and 1158 s, each of 2 s; the crash lasts until 1100 s.
    let states = story(one(Rule::KUBERNETES, 2.0, Place::Nowhere), 100.0);
    assert_eq!(states, [(1_000.0, Refusing), (1_160.0, Serving)]);
    // Over at once: one start without a pause.
    let states = story(one(Rule::KUBERNETES, 2.0, Place::Nowhere), 0.0);
    assert_eq!(states, [(1_000.0, Refusing), (1_002.0, Serving)]);
}

#[test]
fn beyond_the_limit_a_person_starts_it() {
    // Starts every 0.6 s from 1000.1 s on; the sixth, at 1003.1 s, is beyond the limit.
    let states = story(one(Rule::SYSTEMD, 0.5, Place::Nowhere), 100.0);
    let [(1_000.0, Refusing), (up, Serving)] = states[..] else {
        panic!("{states:?}");
    };
    assert!((up - 1_603.6).abs() < 1e-6, "{up}");
    let never = Rule {
        restarts: false,
        ..Rule::KUBERNETES
    };
    let states = story(one(never, 2.0, Place::Nowhere), 100.0);
    assert_eq!(states, [(1_000.0, Refusing), (1_602.0, Serving)]);
}

#[test]
fn what_has_lost_its_machine_starts_afresh() {
    let slow = Rule {
        at_once: false,
        first: SimSpan::from_secs(100),
        ..Rule::KUBERNETES
    };
    let mut system = System::empty();
    let node = system.node("n", None);
    let mut made = one(slow, 2.0, Place::Nowhere);
    std::mem::swap(&mut system.nodes, &mut made.nodes);
    let slot = made.pools.iter().next().unwrap().slots[0];
    made.slots[slot].node = Some(node);
    once(
        &mut made,
        FaultKind::Crash,
        Component::Node(node),
        1_005.0,
        10.0,
    );
    let states = story(made, 0.0);
    let expected = [
        (1_000.0, Refusing),
        (1_005.0, Silent),
        (1_015.0, Refusing),
        (1_017.0, Serving),
    ];
    assert_eq!(states, expected);
}

/// With a crash every `every` seconds of running in the mean.
fn crashing(rule: Rule, starts: f64, fails: f64, every: f64) -> System {
    let mut system = one(rule, starts, Place::Nowhere);
    system.care.restarts[0].starts_fail = fails;
    let component = Component::Slot(system.pools.iter().next().unwrap().slots[0]);
    let every = exponential(every);
    system.fault(FaultKind::Crash, &[component], every, fixed(0.0));
    for fault in system.faults.as_mut_slice() {
        fault.runs = ClockRuns::Operating;
    }
    system
}

#[test]
fn starts_that_fail_are_a_geometric_number() {
    let rule = Rule {
        at_once: false,
        factor: 1.0,
        first: SimSpan::from_secs(8),
        cap: SimSpan::from_secs(8),
        ..Rule::KUBERNETES
    };
    let (share, outages) = simulate(&crashing(rule, 4.0, 0.4, 1_000.0), 8, 2);
    let down = 12.0 / 0.6;
    check(share, down / (down + 1_000.0), 1.0);
    check(outages, HOUR / (down + 1_000.0), 1.0);
}

#[test]
fn back_off_is_a_chain_of_crashes_that_follow_soon() {
    // A crash follows soon, within ten minutes of the beginning of a start of 5 s, with chance p; the
    // k-th in a row meets the k-th pause.
    let (every, starts) = (400.0, 5.0);
    let p = -f64::exp_m1(-(600.0 - starts) / every);
    let pauses = [0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0];
    let mean: f64 = (0..400)
        .map(|k| (1.0 - p) * p.powi(k) * pauses[(k as usize).min(6)])
        .sum();
    let down = mean + starts;
    let system = crashing(Rule::KUBERNETES, starts, 0.0, every);
    let (share, outages) = simulate(&system, 8, 2);
    check(share, down / (down + every), 1.0);
    check(outages, HOUR / (down + every), 1.0);
}

#[test]
fn a_standby_that_is_not_activated_waits_for_a_person() {
    let mut system = System::empty();
    let pool = system.service("app", &[Place::Nowhere; 2], 1);
    system.pools[pool].standby = Some(Standby {
        count: 1,
        rate: 0.0,
        activates_in: fixed(10.0),
        coverage: 0.7,
        rescue: Some(Handling::Drawn(fixed(300.0))),
    });
    system.journey(&[pool]);
    let first = Component::Slot(system.pools[pool].slots[0]);
    once(&mut system, FaultKind::Crash, first, 1_000.0, 500.0);
    let system = new(system);
    let mut control = Control::new(&system, Detail::Structure);
    let mut by_hand = 0;
    for replication in 0..2_000 {
        control.restart(1, replication);
        let (down, outages) = downtime(&mut control, secs(1_990.0));
        assert_eq!(outages, 1);
        match down.as_secs_f64() {
            10.0 => {}
            300.0 => by_hand += 1,
            other => panic!("{other}"),
        }
    }
    // A standard deviation of 20.5.
    assert!((538..=662).contains(&by_hand), "{by_hand}");
}
