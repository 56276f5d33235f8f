//! What holds for every history of every system.

use super::*;
use crate::ids::JourneyId;
use crate::model::structure::evaluate;
use crate::path::SlotState;

#[test]
fn the_regime_is_its_beginning_and_every_signal_since() {
    let mut stream = Stream::from_key(21);
    let mut kinds = [0; 9];
    for case in 0..60 {
        let mut system = random_full(&mut stream);
        if case % 4 == 0 {
            system.run.start = Start::New;
        }
        if case % 3 != 0 {
            add_campaigns(&mut system, &mut stream);
        }
        let mut control = Control::new(&system, Detail::Full);
        for replication in 0..2 {
            control.restart(5, replication);
            let mut regime = control.regime().clone();
            let mut last = control.begins();
            walk(
                &mut control,
                secs(40_000.0),
                |control, transition, signals| {
                    assert!(transition.at >= last);
                    last = transition.at;
                    for &signal in signals {
                        let before = regime.clone();
                        regime.apply(signal);
                        assert_ne!(before, regime, "{signal:?} says nothing new");
                        kinds[match signal {
                            Signal::Slot { .. } => 0,
                            Signal::Island { .. } => 1,
                            Signal::View { .. } => 2,
                            Signal::Holder { .. } => 3,
                            Signal::Leader { .. } => 4,
                            Signal::Blame { .. } | Signal::Burst { .. } => 5,
                            Signal::Impaired { .. } => 6,
                            Signal::Link { .. } => 7,
                            Signal::LocalHolder { .. } => 8,
                        }] += 1;
                    }
                    assert_eq!(&regime, control.regime());
                    agree(&system, control);
                },
            );
        }
    }
    // Links have tests of their own.
    assert!(kinds[..7].iter().all(|&count| count > 500), "{kinds:?}");
}

/// What must hold between structure, regime and blame at any instant.
pub(super) fn agree(system: &System, control: &Control<'_>) {
    let (regime, structure) = (control.regime(), control.structure());
    let serves = |slot| {
        regime.slots[slot] == SlotState::Serving
            && regime.islands[slot].is_none()
            && regime.impairments[slot].errors < 1.0
    };
    let expected = evaluate(system, serves, &regime.leaders);
    assert_eq!(structure.system_up(), expected.system);
    for journey in system.journeys.ids() {
        assert_eq!(structure.journey_up(journey), expected.journeys[journey]);
        // Nothing is down without somebody to blame.
        assert!(structure.journey_up(journey) || regime.blames[journey].is_some());
    }
    assert_eq!(structure.blame().is_some(), !structure.system_up());
    for (id, balancer) in system.balancers.pairs() {
        if let Some(holder) = regime.holders[id] {
            // The process of VRRP goes on beside a balancer that hangs or stands still.
            let gone = [SlotState::Refusing, SlotState::Silent].contains(&regime.slots[holder]);
            assert!(!gone && regime.islands[holder].is_none() && balancer.failover.is_some());
        }
    }
}

#[test]
fn nothing_to_blame_means_nothing_is_wrong() {
    let mut stream = Stream::from_key(22);
    let mut calm = 0;
    for case in 0..40 {
        let mut system = random_full(&mut stream);
        if case % 2 == 0 {
            add_campaigns(&mut system, &mut stream);
        }
        let mut control = Control::new(&system, Detail::Full);
        control.restart(5, 1);
        // The second last journey calls every pool directly.
        let all = JourneyId::from_index(system.journeys.len() - 2);
        let mut active = 0_i32;
        let mut seen = vec![false; system.clocks.len()];
        walk(&mut control, secs(40_000.0), |control, transition, _| {
            if let Event::FaultBegins(clock) | Event::FaultEnds(clock) = transition.event {
                let begins = matches!(transition.event, Event::FaultBegins(_));
                // The first event of a clock says what it was before.
                if !std::mem::replace(&mut seen[clock.index()], true) && !begins {
                    active += 1;
                }
                active += if begins { 1 } else { -1 };
            }
            let regime = control.regime();
            if regime.blames[all].is_none() {
                calm += 1;
                for pool in &system.pools {
                    for &slot in &pool.slots {
                        assert_eq!(regime.slots[slot], SlotState::Serving);
                        assert_eq!(regime.islands[slot], None);
                        assert!(!regime.impairments[slot].is_any());
                    }
                }
            }
        });
        assert!(active >= 0);
    }
    assert!(calm > 300, "{calm}");
}

#[test]
fn a_clone_goes_on_as_the_original_does() {
    let mut stream = Stream::from_key(23);
    for case in 0..20 {
        let mut system = random_full(&mut stream);
        if case % 2 == 0 {
            add_campaigns(&mut system, &mut stream);
        }
        let mut control = Control::new(&system, Detail::Full);
        control.restart(9, 4);
        walk(&mut control, secs(20_000.0), |_, _, _| {});
        let mut copy = control.clone();
        let history = |control: &mut Control<'_>| {
            let mut history = Vec::new();
            walk(control, secs(60_000.0), |_, transition, signals| {
                history.push((transition, signals.to_vec()));
            });
            history
        };
        assert_eq!(history(&mut copy), history(&mut control));
        assert_eq!(copy.regime(), control.regime());
        // And a history can be begun again after any other.
        control.restart(9, 4);
        let first = history(&mut control);
        control.restart(9, 5);
        history(&mut control);
        control.restart(9, 4);
        assert_eq!(first, history(&mut control));
    }
}

#[test]
fn adding_a_component_moves_no_draw_of_another() {
    let build = |more: bool| {
        let mut system = System::empty();
        if more {
            let pool = system.service("other", &[Place::Nowhere; 2], 1);
            system.pools[pool].starts_in = exponential(60.0);
            system.crashes(pool, exponential(5_000.0), exponential(700.0));
            system.journey(&[pool]);
        }
        let pool = system.service("app", &[Place::Nowhere; 2], 1);
        system.pools[pool].starts_in = exponential(60.0);
        system.crashes(pool, exponential(4_000.0), exponential(500.0));
        let balancer = system.balancer("edge", pool, &[Place::Nowhere; 2]);
        system.balancers[balancer].probes = Some(probes(5, 3));
        system.journey(&[pool]);
        system
    };
    let history = |system: &System| {
        let mut control = Control::new(system, Detail::Full);
        control.restart(1, 2);
        let mut events = Vec::new();
        walk(&mut control, secs(100_000.0), |_, transition, _| {
            let name = match transition.event {
                Event::FaultBegins(clock) => format!("+{}", system.clocks[clock].name),
                Event::FaultEnds(clock) => format!("-{}", system.clocks[clock].name),
                Event::Started(slot) => format!("started {}", system.slots[slot].name),
                Event::Verdict { member, up, .. } => format!("{} {up}", system.slots[member].name),
                event => format!("{event:?}"),
            };
            if !name.contains("other") {
                events.push((transition.at, name));
            }
        });
        events
    };
    let (one, both) = (history(&build(false)), history(&build(true)));
    assert!(one.len() > 200);
    assert_eq!(one, both);
}

fn probes(interval: u64, fall: u32) -> Probes {
    Probes {
        interval: SimSpan::from_secs(interval),
        timeout: SimSpan::from_secs(1),
        takes: SimSpan::from_millis(20),
        rise: 2,
        fall,
        work: None,
    }
}

#[test]
fn less_detail_leaves_the_structure_as_it_is() {
    let mut stream = Stream::from_key(24);
    for case in 0..20 {
        let mut system = random_full(&mut stream);
        system.run.start = Start::New;
        if case % 2 == 0 {
            add_campaigns(&mut system, &mut stream);
        }
        let found = |detail| flips(&system, detail, 60_000.0);
        assert_eq!(found(Detail::Structure), found(Detail::Full));
    }
}
