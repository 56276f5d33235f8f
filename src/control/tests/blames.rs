//! Whom failures are attributed to, phase by phase.

use super::*;
use crate::path::Phase;

/// The blames of the first journey up to `end`: (seconds, fault, phase), rounded to whole seconds.
fn blames(system: &System, end: f64) -> Vec<(f64, String)> {
    let mut control = Control::new(system, Detail::Full);
    let mut blames = Vec::new();
    walk(&mut control, secs(end), |_, transition, signals| {
        for signal in signals {
            if let Signal::Blame { journey, blame } = *signal
                && journey.index() == 0
            {
                let what = blame.map_or("nobody".into(), |blame| {
                    format!("{} {}", system.faults[blame.fault].name, blame.phase.word())
                });
                blames.push((transition.at.secs_in_horizon(), what));
            }
        }
    });
    blames
}

fn words(blames: &[(f64, String)]) -> Vec<&str> {
    blames.iter().map(|(_, what)| what.as_str()).collect()
}

fn pool(system: &mut System, name: &str, count: usize, needs: u32) -> PoolId {
    let pool = system.service(name, &vec![Place::Nowhere; count], needs);
    system.pools[pool].starts_in = fixed(30.0);
    pool
}

fn slot(system: &System, pool: PoolId, index: usize) -> Component {
    Component::Slot(system.pools[pool].slots[index])
}

#[test]
fn a_crash_is_detected_repaired_and_warmed_up_from() {
    let mut system = System::empty();
    let app = pool(&mut system, "app", 2, 1);
    let balancer = system.balancer("edge", app, &[Place::Nowhere]);
    system.balancers[balancer].probes = Some(Probes {
        interval: SimSpan::from_secs(5),
        timeout: SimSpan::from_secs(2),
        takes: SimSpan::from_millis(5),
        rise: 2,
        fall: 2,
        work: None,
    });
    let crashed = slot(&system, app, 0);
    once(&mut system, FaultKind::Crash, crashed, 1_000.0, 100.0);
    let operation = system.operations.ids().next().unwrap();
    let call = system.call(operation, Some(balancer));
    system.journey_of(vec![call]);
    let found = blames(&new(system), 1_500.0);
    let expected = [
        "app-1.crash detect",
        "app-1.crash repair",
        "app-1.crash warm up",
        "nobody",
    ];
    assert_eq!(words(&found), expected);
    let at: Vec<f64> = found.iter().map(|(at, _)| *at).collect();
    assert_eq!((at[0], at[2]), (1_000.0, 1_100.0));
    assert!((1_005.0..1_010.0).contains(&at[1]));
    // Started at 1130, believed up after two passes.
    assert!((1_135.0..1_140.1).contains(&at[3]), "{at:?}");
}

#[test]
fn the_fault_that_completes_the_cut_is_blamed_until_it_is_over() {
    let mut system = System::empty();
    let app = pool(&mut system, "app", 2, 2);
    let other = pool(&mut system, "other", 2, 1);
    let [first, second, third] = [
        slot(&system, app, 0),
        slot(&system, app, 1),
        slot(&system, other, 0),
    ];
    once(&mut system, FaultKind::Crash, first, 1_100.0, 100.0); // over at 1230, with its start
    once(&mut system, FaultKind::Crash, third, 1_150.0, 10.0);
    once(&mut system, FaultKind::Crash, second, 1_180.0, 200.0); // over at 1410
    system.journey(&[app, other]);
    let system = new(system);
    let found = blames(&system, 2_000.0);
    let expected = [
        (1_100.0, "app-1.crash repair"), // not `other-1`, which cut nothing
        (1_200.0, "app-1.crash warm up"),
        (1_230.0, "app-2.crash repair"),
        (1_380.0, "app-2.crash warm up"),
        (1_410.0, "nobody"),
    ];
    let found: Vec<_> = found
        .iter()
        .map(|(at, what)| (*at, what.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_latest_fault_is_blamed_while_the_journey_could_be_served() {
    let mut system = System::empty();
    let app = pool(&mut system, "app", 3, 1);
    let unrelated = pool(&mut system, "unrelated", 1, 1);
    let [first, second, far] = [
        slot(&system, app, 0),
        slot(&system, app, 1),
        slot(&system, unrelated, 0),
    ];
    once(&mut system, FaultKind::Crash, first, 100.0, 1_000.0);
    once(&mut system, FaultKind::Crash, second, 200.0, 50.0);
    once(&mut system, FaultKind::Crash, far, 210.0, 500.0);
    system.journey(&[app]);
    system.journey(&[unrelated]);
    let found = blames(&new(system), 400.0);
    let expected = [
        "app-1.crash repair",
        "app-2.crash repair",
        "app-2.crash warm up",
        "app-1.crash repair",
    ];
    assert_eq!(words(&found), expected);
}

#[test]
fn a_store_is_detected_decided_and_promoted() {
    let mut system = System::empty();
    let db = pool(&mut system, "db", 3, 1);
    system.pools[db].kind = PoolKind::Store {
        failover: Some(StoreFailover::Lease(Lease {
            key_in: Vec::new(),
            switchover: None,
            ttl: SimSpan::from_secs(30),
            loop_wait: SimSpan::from_secs(10),
            decides_in: fixed(1.0),
            promotes_in: fixed(2.0),
        })),
    };
    system.operations.as_mut_slice()[0].served_by = ServedBy::Leader;
    let leader = slot(&system, db, 0);
    once(&mut system, FaultKind::Crash, leader, 1_000.0, 100.0);
    system.journey(&[db]);
    let system = new(system);
    let expected = ["detect", "decide", "promote", "repair", "warm up"]
        .map(|phase| format!("db-1.crash {phase}"));
    let found = blames(&system, 1_200.0);
    assert_eq!(words(&found)[..5], expected);
    assert_eq!(words(&found)[5..], ["nobody"]);
    let mut control = Control::new(&system, Detail::Structure);
    walk(&mut control, secs(1_010.0), |_, _, _| {});
    let blame = control.structure().blame().unwrap();
    assert_eq!(blame.phase, Phase::Detect);
    walk(&mut control, secs(1_050.0), |_, _, _| {});
    assert_eq!(control.structure().blame(), None);
}

#[test]
fn an_address_without_holder_is_detect_until_the_backup_takes_it() {
    let mut system = System::empty();
    let app = pool(&mut system, "app", 1, 1);
    let balancer = system.balancer("edge", app, &[Place::Nowhere; 2]);
    system.balancers[balancer].failover = Some(Vrrp {
        advert_int: SimSpan::from_secs(1),
        priorities: vec![150, 100],
        preempt: true,
        coverage: 1.0,
        rescue: None,
    });
    let master = Component::Slot(system.balancers[balancer].slots[0]);
    once(&mut system, FaultKind::Crash, master, 1_000.0, 100.0);
    let operation = system.operations.ids().next().unwrap();
    let call = system.call(operation, Some(balancer));
    system.journey_of(vec![call]);
    let found = blames(&new(system), 1_300.0);
    assert_eq!(
        words(&found),
        ["edge-1.crash detect", "edge-1.crash repair", "nobody"]
    );
}
