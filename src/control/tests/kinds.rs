//! Faults that do not simply stop a component, several faults of one, and clocks that stand still.

use super::*;
use crate::ids::ClockId;
use crate::path::SlotState::{Hung, Paused, Refusing, Serving};

/// A replica that starts in 20 s, behind an instance that probes it every 10 s with 2 s for an answer.
fn probed(kind: FaultKind, lasts: f64) -> System {
    let mut system = System::empty();
    let pool = system.service("app", &[Place::Nowhere], 1);
    system.pools[pool].starts_in = fixed(20.0);
    let balancer = system.balancer("edge", pool, &[Place::Nowhere]);
    system.balancers[balancer].probes = Some(Probes {
        interval: SimSpan::from_secs(10),
        timeout: SimSpan::from_secs(2),
        takes: SimSpan::from_secs(1),
        rise: 2,
        fall: 3,
        work: None,
    });
    let component = Component::Slot(system.pools[pool].slots[0]);
    once(&mut system, kind, component, 1_000.0, lasts);
    let operation = system.operations.ids().next().unwrap();
    let call = system.call(operation, Some(balancer));
    system.journey_of(vec![call]);
    new(system)
}

/// What happened, and when in seconds.
type Dated<T> = Vec<(f64, T)>;

/// Verdicts with their seconds, and states of the replica.
fn story(system: &System, replication: u64) -> (Dated<bool>, Dated<crate::path::SlotState>) {
    let mut control = Control::new(system, Detail::Full);
    control.restart(3, replication);
    let (mut verdicts, mut states) = (Vec::new(), Vec::new());
    walk(&mut control, secs(1_990.0), |_, transition, signals| {
        let at = transition.at.secs_in_horizon();
        if let Event::Verdict { up, .. } = transition.event {
            verdicts.push((at, up));
        }
        for signal in signals {
            if let Signal::Slot { state, .. } = *signal {
                states.push((at, state));
            }
        }
    });
    (verdicts, states)
}

#[test]
fn a_hang_is_noticed_by_time_outs_and_ends_with_a_start() {
    let system = probed(FaultKind::Hang, 500.0);
    for replication in 0..200 {
        let (verdicts, states) = story(&system, replication);
        assert_eq!(
            states,
            [(1_000.0, Hung), (1_500.0, Refusing), (1_520.0, Serving)]
        );
        // A probe on its way, or the next one, and two more, each with its time-out.
        let [(down, false), (up, true)] = verdicts[..] else {
            panic!("{verdicts:?}");
        };
        assert!((1_021.0..=1_032.0).contains(&down), "{down}");
        assert!((1_531.0..=1_541.0).contains(&up), "{up}");
    }
}

#[test]
fn a_pause_is_over_at_once_and_a_short_one_is_not_noticed() {
    let (_, states) = story(&probed(FaultKind::Pause, 500.0), 0);
    assert_eq!(states, [(1_000.0, Paused), (1_500.0, Serving)]);
    for replication in 0..200 {
        assert!(
            story(&probed(FaultKind::Pause, 19.0), replication)
                .0
                .is_empty()
        );
    }
}

#[test]
fn a_slow_replica_fails_its_probes_if_they_take_too_long() {
    for replication in 0..50 {
        assert!(
            story(&probed(FaultKind::Slow { factor: 1.9 }, 500.0), replication)
                .0
                .is_empty()
        );
        let (verdicts, states) =
            story(&probed(FaultKind::Slow { factor: 2.0 }, 500.0), replication);
        assert!(states.is_empty());
        assert_eq!(verdicts.len(), 2, "{verdicts:?}");
        assert!((1_021.0..=1_032.0).contains(&verdicts[0].0));
    }
}

#[test]
fn a_replica_that_comes_and_goes_is_seen_as_its_probes_meet_it() {
    // Down in [9, 15) of every 15 s, probed every 5 s from a phase below 5 s. From a phase below 4 s
    // one probe in three fails: never two in a row. From 4 s on two in a row fail and one passes: down
    // with the second failure, at 10 s and the phase, and never two passes in a row to return.
    let mut system = System::empty();
    let pool = system.service("app", &[Place::Nowhere], 1);
    let balancer = system.balancer("edge", pool, &[Place::Nowhere]);
    system.balancers[balancer].probes = Some(Probes {
        interval: SimSpan::from_secs(5),
        timeout: SimSpan::from_secs(2),
        takes: SimSpan::ZERO,
        rise: 2,
        fall: 2,
        work: None,
    });
    system.crashes(pool, fixed(9.0), fixed(6.0));
    let operation = system.operations.ids().next().unwrap();
    let call = system.call(operation, Some(balancer));
    system.journey_of(vec![call]);
    let mut system = new(system);
    let mut down = 0;
    for replication in 0..400 {
        let (verdicts, _) = story(&system, replication);
        match verdicts[..] {
            [] => {}
            [(at, false)] => {
                assert!((14.0..15.0).contains(&at), "{at}");
                down += 1;
            }
            _ => panic!("{verdicts:?}"),
        }
    }
    // One in five, 80 of 400, give or take four times 8.
    assert!((48..=112).contains(&down), "{down}");
    // With one pass to return it comes and goes with every cycle.
    system.balancers[balancer].probes.as_mut().unwrap().rise = 1;
    let flips: Vec<usize> = (0..100)
        .map(|replication| story(&system, replication).0.len())
        .collect();
    let cycles = 1_990 / 15;
    assert!(
        flips
            .iter()
            .all(|&flips| flips == 0 || flips.abs_diff(2 * cycles) <= 2)
    );
    assert!(flips.iter().any(|&flips| flips > 0));
}

/// One component with two faults, `(every, lasts)` each, whose clocks run as said.
fn two(faults: [(crate::random::Dist, f64); 2], runs: ClockRuns) -> System {
    let mut system = System::empty();
    let pool = system.service("app", &[Place::Nowhere], 1);
    for ((every, lasts), name) in faults.into_iter().zip(["disk", "memory"]) {
        system.crashes(pool, every, fixed(lasts));
        let clock = system.clocks.as_mut_slice().last_mut().unwrap();
        clock.name = format!("app-1.{name}");
    }
    for fault in system.faults.as_mut_slice() {
        fault.runs = runs;
    }
    system.journey(&[pool]);
    system
}

#[test]
fn an_operating_clock_stands_still_while_its_component_is_down() {
    let system = two(
        [(fixed(100.0), 30.0), (fixed(70.0), 10.0)],
        ClockRuns::Operating,
    );
    let system = new(system);
    let mut control = Control::new(&system, Detail::Structure);
    let mut seen = Vec::new();
    walk(&mut control, secs(300.0), |_, transition, _| {
        if let Event::FaultBegins(clock) = transition.event {
            seen.push((clock.index(), transition.at.secs_in_horizon()));
        }
    });
    // The second at 70, until 80; the first has 30 left then; the second has used 30 of its 70 at
    // 110, goes on at 140 and comes at 180, when the first has 60 left, until 190; at 250 it has 10 left itself, and goes on at 280.
    assert_eq!(
        seen,
        [(1, 70.0), (0, 110.0), (1, 180.0), (0, 250.0), (1, 290.0)]
    );
}

#[test]
fn faults_with_operating_clocks_in_series_have_their_closed_form() {
    // A = 1 / (1 + 5 / 100 + 6 / 50), whatever the laws (Barlow and Proschan).
    let faults = || {
        let uniform = crate::random::Dist::uniform(0.0, 100.0 * HOUR).unwrap();
        [
            (exponential(100.0 * HOUR), 5.0 * HOUR),
            (uniform, 6.0 * HOUR),
        ]
    };
    let (down, outages) = simulate(&two(faults(), ClockRuns::Operating), 4_000, 1);
    let ratio = 5.0 / 100.0 + 6.0 / 50.0;
    check(down, ratio / (1.0 + ratio), 0.3);
    // One of them ends every stretch of operation.
    check(outages, (1.0 / 100.0 + 1.0 / 50.0) / (1.0 + ratio), 0.3);
    // By the calendar they overlap.
    let (down, _) = simulate(&two(faults(), ClockRuns::Calendar), 4_000, 1);
    check(down, 1.0 - 1.0 / (1.05 * 1.12), 0.3);
}

#[test]
fn an_operating_clock_waits_for_the_start_as_well() {
    let mut system = two(
        [
            (exponential(100.0 * HOUR), 5.0 * HOUR),
            (exponential(50.0 * HOUR), 6.0 * HOUR),
        ],
        ClockRuns::Operating,
    );
    system.pools.as_mut_slice()[0].starts_in = fixed(2.0 * HOUR);
    let ratio = 7.0 / 100.0 + 8.0 / 50.0;
    let (down, _) = simulate(&system, 4_000, 1);
    check(down, ratio / (1.0 + ratio), 0.3);
}

#[test]
fn the_draws_of_a_clock_do_not_depend_on_how_it_runs() {
    // Spans from the end of a fault to the next, less the time the other was active in between.
    let spans = |runs| {
        let system = new(two(
            [(exponential(1_000.0), 10.0), (exponential(700.0), 20.0)],
            runs,
        ));
        let mut control = Control::new(&system, Detail::Structure);
        let (mut ended, mut other, mut found) = (0.0, 0.0, Vec::new());
        let first = ClockId::from_index(0);
        walk(&mut control, secs(50_000.0), |_, transition, _| {
            let at = transition.at.secs_in_horizon();
            match transition.event {
                Event::FaultBegins(clock) if clock == first => {
                    let stood = if runs == ClockRuns::Operating {
                        other
                    } else {
                        0.0
                    };
                    found.push(at - ended - stood);
                }
                Event::FaultEnds(clock) if clock == first => (ended, other) = (at, 0.0),
                Event::FaultEnds(_) => other += 20.0,
                _ => {}
            }
        });
        found
    };
    let (calendar, operating) = (spans(ClockRuns::Calendar), spans(ClockRuns::Operating));
    let least = calendar.len().min(operating.len());
    assert!(least > 30);
    for (a, b) in calendar.iter().zip(&operating) {
        assert!((a - b).abs() < 1e-3, "{a} {b}");
    }
}
