//! Detection and takeover as consequences of the settings, in whole systems.

use super::*;
use crate::path::Phase;

fn pace(interval: u64, rise: u32, fall: u32) -> Probes {
    Probes {
        interval: SimSpan::from_secs(interval),
        timeout: SimSpan::from_secs(2),
        takes: SimSpan::ZERO,
        rise,
        fall,
        work: None,
    }
}

/// Least, mean and most of many delays, each measured in one history.
fn spread(system: &System, measure: impl Fn(&mut Control<'_>) -> f64) -> (f64, f64, f64) {
    let mut control = Control::new(system, Detail::Full);
    let (mut least, mut sum, mut most) = (f64::INFINITY, 0.0, 0.0_f64);
    let histories = 20_000;
    for replication in 0..histories {
        control.restart(8, replication);
        let delay = measure(&mut control);
        (least, sum, most) = (least.min(delay), sum + delay, most.max(delay));
    }
    (least, sum / histories as f64, most)
}

/// When the first event that `wanted` accepts comes, in seconds of the horizon.
fn first(control: &mut Control<'_>, wanted: impl Fn(Event) -> bool) -> f64 {
    let mut signals = Vec::new();
    loop {
        let transition = control.step(&mut signals);
        if wanted(transition.event) {
            return transition.at.secs_in_horizon();
        }
    }
}

/// A balancer with two instances in zones a and b that probe two members there.
fn probed(kind: FaultKind, at: f64, lasts: f64) -> System {
    let mut system = System::empty();
    let zones = [system.domain("a", None), system.domain("b", None)];
    let places = zones.map(Place::In);
    let pool = system.service("app", &places, 1);
    let balancer = system.balancer("edge", pool, &places);
    system.balancers[balancer].probes = Some(pace(10, 2, 3));
    let component = match kind {
        FaultKind::Isolated | FaultKind::Power => Component::Domain(zones[0]),
        _ => Component::Slot(system.pools[pool].slots[0]),
    };
    once(&mut system, kind, component, at, lasts);
    let operation = system.operations.ids().next().unwrap();
    let call = system.call(operation, Some(balancer));
    system.journey_of(vec![call]);
    new(system)
}

#[test]
fn a_crash_is_noticed_after_a_phase_and_two_intervals() {
    let system = probed(FaultKind::Crash, 1_000.0, 500.0);
    // U(0, 10) + 2 * 10 and, after the end, U(0, 10) + 10.
    let down = |event| matches!(event, Event::Verdict { up: false, .. });
    let up = |event| matches!(event, Event::Verdict { up: true, .. });
    let instance = system.balancers.as_slice()[0].slots[1];
    let of = |event| matches!(event, Event::Verdict { instance: by, .. } if by == instance);
    let (least, mean, most) = spread(&system, |control| {
        first(control, |event| down(event) && of(event)) - 1_000.0
    });
    assert!((20.0..20.1).contains(&least) && (29.9..=30.0).contains(&most));
    assert!((mean - 25.0).abs() < 0.1, "{mean}");
    let (least, mean, most) = spread(&system, |control| {
        first(control, |event| up(event) && of(event)) - 1_500.0
    });
    assert!((10.0..10.1).contains(&least) && (19.9..=20.0).contains(&most));
    assert!((mean - 15.0).abs() < 0.1, "{mean}");
}

#[test]
fn a_short_crash_is_not_noticed() {
    let system = probed(FaultKind::Crash, 1_000.0, 19.0);
    let mut control = Control::new(&system, Detail::Full);
    for replication in 0..200 {
        control.restart(8, replication);
        walk(&mut control, secs(1_900.0), |_, transition, _| {
            assert!(!matches!(transition.event, Event::Verdict { .. }));
        });
    }
}

#[test]
fn an_isolated_instance_sees_its_own_zone_and_nothing_else() {
    let system = probed(FaultKind::Isolated, 1_000.0, 300.0);
    let mut control = Control::new(&system, Detail::Full);
    walk(&mut control, secs(1_200.0), |_, _, _| {});
    let instances = &system.balancers.as_slice()[0].slots;
    assert_eq!(control.regime().views[instances[0]], [true, false]);
    assert_eq!(control.regime().views[instances[1]], [false, true]);
    walk(&mut control, secs(1_400.0), |_, _, _| {});
    assert!(
        instances
            .iter()
            .all(|&instance| control.regime().views[instance] == [true, true])
    );
}

#[test]
fn an_instance_that_returns_believes_everybody_up() {
    let mut system = probed(FaultKind::Crash, 1_000.0, 900.0);
    let instance = system.balancers.as_slice()[0].slots[0];
    once(
        &mut system,
        FaultKind::Crash,
        Component::Slot(instance),
        1_200.0,
        100.0,
    );
    let mut control = Control::new(&system, Detail::Full);
    let mut signals = Vec::new();
    let ends = loop {
        signals.clear();
        let transition = control.step(&mut signals);
        match transition.event {
            Event::FaultEnds(_) => break transition.at,
            Event::FaultBegins(_) if transition.at > secs(1_100.0) => {
                assert_eq!(control.regime().views[instance], [false, true]);
            }
            _ => {}
        }
    };
    assert_eq!(ends, secs(1_300.0));
    assert!(signals.contains(&Signal::View {
        instance,
        member: 0,
        up: true
    }));
    // One failure takes it down, within one interval.
    let down = first(&mut control, |event| matches!(event, Event::Verdict { .. }));
    assert!((1_300.0..1_310.0).contains(&down), "{down}");
}

/// A pair with VRRP in zones a and b; the first has priority 150.
fn pair(kind: FaultKind, preempt: bool) -> System {
    let mut system = probed(kind, 1_000.3, 100.0);
    let balancer = &mut system.balancers.as_mut_slice()[0];
    balancer.failover = Some(Vrrp {
        advert_int: SimSpan::from_secs(1),
        priorities: vec![150, 100],
        preempt,
        coverage: 1.0,
        rescue: None,
    });
    if kind == FaultKind::Crash {
        let slot = balancer.slots[0];
        system.clocks.as_mut_slice()[0].component = Component::Slot(slot);
    }
    system
}

#[test]
fn the_backup_takes_over_and_gives_back_as_configured() {
    for kind in [FaultKind::Crash, FaultKind::Power, FaultKind::Isolated] {
        for preempt in [true, false] {
            let system = pair(kind, preempt);
            let slots = system.balancers.as_slice()[0].slots.clone();
            let mut control = Control::new(&system, Detail::Full);
            for replication in 0..50 {
                control.restart(4, replication);
                let mut holders = Vec::new();
                walk(&mut control, secs(2_000.0), |_, transition, signals| {
                    for signal in signals {
                        if let Signal::Holder { holder, .. } = *signal {
                            holders.push((transition.at.secs_in_horizon(), holder));
                        }
                    }
                });
                assert_eq!(holders[0], (1_000.3, None), "{kind:?}");
                // The last advertisement was up to one second before the fault.
                let taken = holders[1].0 - 1_000.3;
                assert!((2.609375..3.609375).contains(&taken), "{taken}");
                assert_eq!(holders[1].1, Some(slots[1]));
                let back = holders.get(2).map(|&(at, holder)| (at - 1_100.3, holder));
                match (kind, preempt) {
                    (FaultKind::Isolated, _) => {
                        // Two masters until the first advertisement of either.
                        let (at, holder) = back.unwrap();
                        assert!((0.0..1.0).contains(&at) && holder == Some(slots[0]));
                    }
                    (_, true) => {
                        let (at, holder) = back.unwrap();
                        assert!(
                            (at - 3.4140625).abs() < 1e-6 && holder == Some(slots[0]),
                            "{at}"
                        );
                    }
                    (_, false) => assert_eq!(back, None),
                }
            }
        }
    }
}

/// Three members in zones a, b and c; the fault hits the first, which leads.
fn store(kind: FaultKind) -> System {
    let mut system = System::empty();
    let zones = ["a", "b", "c"].map(|name| system.domain(name, None));
    let pool = system.service("db", &zones.map(Place::In), 1);
    system.pools[pool].kind = PoolKind::Store {
        failover: Some(StoreFailover::Lease(Lease {
            key_in: Vec::new(),
            switchover: None,
            ttl: SimSpan::from_secs(30),
            loop_wait: SimSpan::from_secs(10),
            decides_in: fixed(0.5),
            promotes_in: fixed(2.0),
        })),
    };
    system.operations.as_mut_slice()[0].served_by = ServedBy::Leader;
    let component = match kind {
        FaultKind::Isolated | FaultKind::Power => Component::Domain(zones[0]),
        _ => Component::Slot(system.pools[pool].slots[0]),
    };
    once(&mut system, kind, component, 1_000.0, 300.0);
    system.journey(&[pool]);
    new(system)
}

#[test]
fn a_new_leader_leads_after_expiry_decision_and_promotion() {
    for kind in [FaultKind::Crash, FaultKind::Power, FaultKind::Isolated] {
        let system = store(kind);
        let slots = system.pools.as_slice()[0].slots.clone();
        let (least, mean, most) = spread(&system, |control| {
            first(control, |event| event == Event::Leads(slots[1])) - 1_000.0
        });
        // U(20, 30) + 0.5 + 2.
        assert!((22.5..22.6).contains(&least) && (32.4..=32.5).contains(&most));
        assert!((mean - 27.5).abs() < 0.1, "{mean}");
    }
}

#[test]
fn a_store_is_down_from_the_loss_to_the_new_leader_and_keeps_it() {
    for detail in [Detail::Structure, Detail::Full] {
        let system = store(FaultKind::Crash);
        let slots = system.pools.as_slice()[0].slots.clone();
        let mut control = Control::new(&system, detail);
        let mut leaders = Vec::new();
        let mut flips = Vec::new();
        let mut up = true;
        walk(
            &mut control,
            secs(2_000.0),
            |control, transition, signals| {
                for signal in signals {
                    if let Signal::Leader { leader, .. } = *signal {
                        leaders.push(leader);
                    }
                }
                if control.structure().system_up() != up {
                    up = !up;
                    flips.push(transition.event);
                }
            },
        );
        assert_eq!(leaders, [None, Some(slots[1])]);
        assert!(
            matches!(flips[..], [Event::FaultBegins(_), Event::Leads(_)]),
            "{flips:?}"
        );
        assert_eq!(
            control.regime().leaders.as_slice()[0],
            Some(slots[1]),
            "no failback"
        );
    }
}

#[test]
fn without_failover_the_first_member_leads_whatever_happens() {
    let mut system = store(FaultKind::Crash);
    system.pools.as_mut_slice()[0].kind = PoolKind::Store { failover: None };
    let slots = system.pools.as_slice()[0].slots.clone();
    let mut control = Control::new(&system, Detail::Full);
    let (down, outages) = downtime(&mut control, secs(2_000.0));
    assert_eq!((down, outages), (SimSpan::from_secs(300), 1));
    assert_eq!(control.regime().leaders.as_slice()[0], Some(slots[0]));
}

#[test]
fn a_start_that_is_interrupted_begins_anew() {
    let mut system = System::empty();
    let node = system.node("n", None);
    let pool = system.service("app", &[Place::On(node)], 1);
    system.pools[pool].starts_in = fixed(60.0);
    let slot = system.pools[pool].slots[0];
    once(
        &mut system,
        FaultKind::Crash,
        Component::Slot(slot),
        1_100.0,
        10.0,
    );
    once(
        &mut system,
        FaultKind::Crash,
        Component::Node(node),
        1_130.0,
        20.0,
    );
    system.journey(&[pool]);
    let system = new(system);
    let mut control = Control::new(&system, Detail::Full);
    let mut states = Vec::new();
    walk(&mut control, secs(1_215.0), |_, transition, signals| {
        for signal in signals {
            if let Signal::Slot { state, .. } = *signal {
                states.push((transition.at.secs_in_horizon(), state));
            }
        }
    });
    use crate::path::SlotState::{Refusing, Serving, Silent};
    let expected = [
        (1_100.0, Refusing),
        (1_130.0, Silent),
        (1_150.0, Refusing),
        (1_210.0, Serving),
    ];
    assert_eq!(states, expected);
}

/// A pair that crashes every ten hours in the mean and is down for one, and whose takeovers fail, to be made
/// good within half an hour by a person: share of the time without a holder, and its standard error.
fn uncovered(preempt: bool, histories: u64) -> (f64, f64) {
    let mut system = System::empty();
    let places = [Place::Nowhere; 2];
    let pool = system.service("app", &[Place::Nowhere], 1);
    let balancer = system.balancer("edge", pool, &places);
    system.balancers[balancer].failover = Some(Vrrp {
        advert_int: SimSpan::from_millis(1),
        priorities: vec![150, 100],
        preempt,
        coverage: 0.8,
        rescue: Some(Handling::Drawn(exponential(0.5 * HOUR))),
    });
    let slots: Vec<Component> = system.balancers[balancer]
        .slots
        .iter()
        .map(|&slot| Component::Slot(slot))
        .collect();
    system.fault(
        FaultKind::Crash,
        &slots,
        exponential(10.0 * HOUR),
        exponential(HOUR),
    );
    let operation = system.operations.ids().next().unwrap();
    let call = system.call(operation, Some(balancer));
    system.journey_of(vec![call]);
    let mut control = Control::new(&system, Detail::Full);
    let end = SimTime::START + YEAR;
    let mut shares = Vec::new();
    for replication in 0..histories {
        control.restart(11, replication);
        let (mut free, mut since) = (SimSpan::ZERO, None);
        walk(&mut control, end, |control, transition, _| {
            let at = transition.at.max(SimTime::START);
            match (control.regime().holders[balancer], since) {
                (None, None) => since = Some(at),
                (Some(_), Some(from)) => {
                    free = free.saturating_add(at.since(from));
                    since = None;
                }
                _ => {}
            }
        });
        if let Some(from) = since {
            free = free.saturating_add(end.since(from));
        }
        shares.push(free.as_secs_f64() / YEAR.as_secs_f64());
    }
    let n = shares.len() as f64;
    let mean = shares.iter().sum::<f64>() / n;
    let spread: f64 = shares.iter().map(|share| (share - mean).powi(2)).sum();
    (mean, (spread / (n - 1.0) / n).sqrt())
}

#[test]
fn takeovers_that_fail_are_those_of_a_chain_of_four_states() {
    // Both run; one runs as master; one runs that did not take the address; none runs.
    let (fails, repaired, by_hand, covered) = (0.1, 1.0, 2.0, 0.8);
    let mut chain = crate::analytic::Chain::new(4);
    chain.add(0, 1, fails + covered * fails);
    chain.add(0, 2, (1.0 - covered) * fails);
    chain.add(1, 0, repaired);
    chain.add(1, 3, fails);
    // The old master is back, a person has moved the address, or it is lost as well.
    chain.add(2, 0, repaired);
    chain.add(2, 1, by_hand);
    chain.add(2, 3, fails);
    chain.add(3, 1, 2.0 * repaired);
    let shares = chain.steady();
    for preempt in [false, true] {
        check(uncovered(preempt, 800), shares[2] + shares[3], 1.0);
    }
}

#[test]
fn a_takeover_that_fails_is_said_and_blamed_on_the_decision() {
    let mut system = pair(FaultKind::Crash, false);
    let slots = {
        let balancer = &mut system.balancers.as_mut_slice()[0];
        let vrrp = balancer.failover.as_mut().unwrap();
        (vrrp.coverage, vrrp.rescue) = (1e-12, Some(Handling::Drawn(fixed(60.0))));
        balancer.slots.clone()
    };
    let mut control = Control::new(&system, Detail::Full);
    let mut found = Vec::new();
    walk(&mut control, secs(1_090.0), |control, transition, _| {
        let blame = control.regime().blames.as_slice()[0];
        found.push((transition.event, blame.map(|blame| blame.phase)));
    });
    let moves: Vec<_> = found
        .iter()
        .filter(|(event, _)| matches!(event, Event::TakeoverFails(_) | Event::Master(_)))
        .copied()
        .collect();
    assert_eq!(
        moves[0],
        (Event::TakeoverFails(slots[1]), Some(Phase::Decide)),
        "{found:?}"
    );
    assert_eq!(
        moves[1],
        (Event::Master(slots[1]), Some(Phase::Repair)),
        "{found:?}"
    );
}
