//! Faults that come and go while they last.

use super::*;
use crate::ids::ClockId;
use crate::model::{Crew, CrewOrder, Flaps, Handling, Impairment, Repair, Work};
use crate::path::SlotState::{Refusing, Serving};
use crate::random::Dist;

/// Lets every fault of a system come and go.
fn flap(system: &mut System, down: &Dist, up: &Dist) {
    for fault in system.faults.ids() {
        let (down, up) = (down.clone(), up.clone());
        let flaps = Flaps { down, up, line: 1 };
        system.care.flaps.insert(fault, flaps);
    }
}

/// One replica that crashes at 1,000 s for 100 s, there for 5 s and gone for 20 s in turn.
fn one(fall: u32) -> System {
    let mut system = System::empty();
    let pool = system.service("app", &[Place::Nowhere], 1);
    let balancer = system.balancer("edge", pool, &[Place::Nowhere]);
    system.balancers[balancer].probes = Some(Probes {
        interval: SimSpan::from_secs(2),
        timeout: SimSpan::from_secs(1),
        takes: SimSpan::ZERO,
        rise: 2,
        fall,
        work: None,
    });
    let component = Component::Slot(system.pools[pool].slots[0]);
    once(&mut system, FaultKind::Crash, component, 1_000.0, 100.0);
    let operation = system.operations.ids().next().unwrap();
    let call = system.call(operation, Some(balancer));
    system.journey_of(vec![call]);
    flap(&mut system, &fixed(5.0), &fixed(20.0));
    new(system)
}

#[test]
fn the_effect_is_there_and_gone_in_turn_until_the_fault_ends() {
    let system = one(4);
    let mut control = Control::new(&system, Detail::Full);
    let (mut states, mut events, mut blamed) = (Vec::new(), Vec::new(), Vec::new());
    walk(
        &mut control,
        secs(1_990.0),
        |control, transition, signals| {
            let at = transition.at.secs_in_horizon();
            events.push((at, transition.event));
            let blame = control.regime().blames[crate::ids::JourneyId::from_index(0)];
            blamed.push((at, blame.is_some()));
            for signal in signals {
                if let Signal::Slot { state, .. } = *signal {
                    states.push((at, state));
                }
            }
        },
    );
    let expected: Vec<_> = [1_000.0, 1_025.0, 1_050.0, 1_075.0]
        .iter()
        .flat_map(|&at| [(at, Refusing), (at + 5.0, Serving)])
        .collect();
    assert_eq!(states, expected);
    // Four failed probes in a row take six seconds at least: nobody minds. One fault, blamed all the
    // time; it ends where it would have come again.
    assert_eq!(events.len(), 9, "{events:?}");
    assert_eq!(
        events[8],
        (1_100.0, Event::FaultEnds(ClockId::from_index(0)))
    );
    assert!(blamed[..8].iter().all(|&(_, blamed)| blamed));
    assert_eq!(blamed[8], (1_100.0, false));
}

#[test]
fn probes_with_a_lower_threshold_see_every_turn() {
    let system = one(2);
    let mut control = Control::new(&system, Detail::Full);
    for replication in 0..50 {
        control.restart(3, replication);
        let mut verdicts = Vec::new();
        walk(&mut control, secs(1_990.0), |_, transition, _| {
            if let Event::Verdict { up, .. } = transition.event {
                verdicts.push(up);
            }
        });
        assert_eq!(verdicts, [false, true].repeat(4));
    }
}

/// A replica with a fault every ten minutes that lasts a minute, there for 5 s and gone for 15 s in
/// turn, all in the mean.
fn random() -> System {
    let mut system = System::empty();
    let pool = system.service("app", &[Place::Nowhere], 1);
    system.crashes(pool, exponential(600.0), exponential(60.0));
    system.journey(&[pool]);
    flap(&mut system, &exponential(5.0), &exponential(15.0));
    system
}

#[test]
fn downtime_and_outages_are_those_of_a_renewal_process_that_is_killed() {
    // Ends come at rate mu: a turn that is there ends by itself with chance a / (a + mu), and the one
    // after it with b / (b + mu).
    let (mu, a, b) = (1.0 / 60.0, 1.0 / 5.0, 1.0 / 15.0);
    let times = 1.0 / (1.0 - a / (a + mu) * b / (b + mu));
    let there = times / (a + mu);
    let (share, outages) = simulate(&random(), 8, 2);
    check(share, there / 660.0, 1.0);
    check(outages, times / 660.0 * HOUR, 1.0);
}

#[test]
fn a_fault_that_waits_for_a_crew_flaps_until_it_is_repaired() {
    let mut system = System::empty();
    let pool = system.service("app", &[Place::Nowhere; 2], 1);
    system.crashes(pool, fixed(100.0), fixed(40.0));
    system.journey(&[pool]);
    flap(&mut system, &fixed(5.0), &fixed(10.0));
    let crew = system.care.crews.push(Crew {
        name: "ops".into(),
        count: 1,
        order: CrewOrder::Fifo,
    });
    for fault in system.faults.ids() {
        let repair = Repair {
            noticed_in: Handling::Drawn(fixed(0.0)),
            spares: None,
            crew: Some(crew),
            priority: 1,
            work: Work::Lasts,
        };
        system.care.repairs.insert(fault, repair);
    }
    let system = new(system);
    let mut control = Control::new(&system, Detail::Full);
    let mut came = [Vec::new(), Vec::new()];
    walk(&mut control, secs(181.0), |control, transition, _| {
        for (came, (_, &state)) in came.iter_mut().zip(control.regime().slots.pairs()) {
            let last = came.last().is_some_and(|&(_, state)| state);
            if last != (state != Serving) {
                came.push((transition.at.secs_in_horizon(), state != Serving));
            }
        }
    });
    let turns = |until: f64| {
        let mut turns = Vec::new();
        let mut at = 100.0;
        while at < until {
            turns.extend([(at, true), ((at + 5.0_f64).min(until), false)]);
            at += 15.0;
        }
        turns
    };
    assert_eq!(came, [turns(140.0), turns(180.0)]);
}

#[test]
fn whatever_flaps_all_is_well_when_no_fault_is_active() {
    let mut stream = Stream::from_key(17);
    let mut rounds = 0;
    for round in 0..40 {
        let mut system = random_full(&mut stream);
        for pool in system.pools.as_mut_slice() {
            pool.starts_in = fixed(0.0);
        }
        for balancer in system.balancers.as_mut_slice() {
            balancer.starts_in = fixed(0.0);
        }
        for fault in system.faults.as_mut_slice() {
            if round % 2 == 0 {
                fault.runs = ClockRuns::Operating;
            }
        }
        flap(&mut system, &exponential(300.0), &exponential(600.0));
        let mut control = Control::new(&system, Detail::Full);
        control.restart(9, round);
        let mut active = vec![false; system.clocks.len()];
        let mut regime = control.regime().clone();
        let mut calm = 0;
        walk(
            &mut control,
            secs(400.0 * HOUR),
            |control, transition, signals| {
                for &signal in signals {
                    regime.apply(signal);
                }
                assert_eq!(&regime, control.regime());
                match transition.event {
                    Event::FaultBegins(clock) => active[clock.index()] = true,
                    Event::FaultEnds(clock) => active[clock.index()] = false,
                    Event::FaultTurns { clock, .. } => {
                        // Also the first we hear of one that was active from the beginning.
                        active[clock.index()] = true;
                    }
                    _ => {}
                }
                if transition.at > secs(200.0 * HOUR) && !active.contains(&true) {
                    calm += 1;
                    for (slot, &state) in regime.slots.pairs() {
                        let name = &system.slots[slot].name;
                        assert_eq!(state, Serving, "{name} after {transition:?}, round {round}");
                    }
                    assert!(regime.islands.iter().all(Option::is_none));
                    assert!(
                        regime
                            .impairments
                            .iter()
                            .all(|&one| one == Impairment::NONE)
                    );
                }
            },
        );
        rounds += u32::from(calm > 0);
    }
    assert!(rounds > 20, "{rounds}");
}
