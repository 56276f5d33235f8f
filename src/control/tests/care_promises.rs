//! What holds for every history of every system with handling, standbys and failover of any kind.

use super::promises::agree;
use super::*;
use crate::ids::FaultId;
use crate::model::{
    Crew, CrewOrder, Failback, GenericFailover, Handling, QuorumFailover, Repair, Rescue, Spares,
    Standby, Work,
};

/// A random system in which everything that `random_full` has is taken care of.
fn random_cared(stream: &mut Stream) -> System {
    let mut system = random_full(stream);
    let mut below = |n: usize| (stream.bits() % n as u64) as usize;
    let orders = [
        CrewOrder::Fifo,
        CrewOrder::Priority { preempts: false },
        CrewOrder::Priority { preempts: true },
    ];
    let crew = system.care.crews.push(Crew {
        name: "ops".into(),
        count: 1 + below(2) as u32,
        order: orders[below(3)],
    });
    for fault in 0..system.faults.len() {
        if below(3) == 0 {
            continue;
        }
        let repair = Repair {
            noticed_in: Handling::Drawn([fixed(0.0), exponential(30.0)][below(2)].clone()),
            spares: (below(3) == 0).then(|| Spares {
                count: 1 + below(2) as u32,
                replaced_in: exponential(2_000.0),
            }),
            crew: (below(2) == 0).then_some(crew),
            priority: 1 + below(3) as u32,
            work: Work::Lasts,
        };
        system
            .care
            .repairs
            .insert(FaultId::from_index(fault), repair);
    }
    for pool in system.pools.as_mut_slice() {
        let size = pool.slots.len() as u32;
        if size > pool.needs && below(2) == 0 {
            pool.standby = Some(Standby {
                count: 1 + below((size - pool.needs) as usize) as u32,
                rate: [0.0, 0.3, 1.0][below(3)],
                activates_in: [fixed(0.0), exponential(50.0)][below(2)].clone(),
                coverage: 1.0,
                rescue: None,
            });
        }
        if let PoolKind::Store { failover } = &mut pool.kind {
            *failover = match below(4) {
                0 => failover.clone(),
                1 => {
                    // A group that elects its leader has no standbys.
                    pool.standby = None;
                    Some(StoreFailover::Quorum(QuorumFailover {
                        elects_in: exponential(20.0),
                        switchover: None,
                    }))
                }
                _ => Some(StoreFailover::Generic(Box::new(GenericFailover {
                    watched_from: Vec::new(),
                    detect: [fixed(0.0), exponential(20.0)][below(2)].clone(),
                    decide: fixed(0.0),
                    promote: [fixed(0.0), exponential(60.0)][below(2)].clone(),
                    coverage: [1.0, 0.5][below(2)],
                    rescue: Some(Rescue {
                        takes: Handling::Drawn(exponential(400.0)),
                        restores_all: below(2) == 0,
                    }),
                    promote_the_last: below(2) == 0,
                    switchover: None,
                    repairs_wait: below(2) == 0,
                    failback: (below(2) == 0).then(|| Failback {
                        after: fixed(100.0),
                        takes: exponential(5.0),
                    }),
                }))),
            };
        }
    }
    let slots = system.clocks.pairs();
    let hits = slots.filter(|(_, clock)| matches!(clock.component, Component::Slot(_)));
    let hits = hits.map(|(id, _)| id).collect();
    system.shocks(hits, exponential(9_000.0), 0.5);
    system
}

#[test]
fn structure_regime_and_blame_agree_and_every_signal_says_something_new() {
    let mut stream = Stream::from_key(31);
    for case in 0..60 {
        let mut system = random_cared(&mut stream);
        if case % 4 == 0 {
            system.run.start = Start::New;
        }
        let mut control = Control::new(&system, Detail::Full);
        control.restart(5, case);
        let mut regime = control.regime().clone();
        walk(&mut control, secs(40_000.0), |control, _, signals| {
            for &signal in signals {
                let before = regime.clone();
                regime.apply(signal);
                assert_ne!(before, regime, "{signal:?} says nothing new");
            }
            assert_eq!(&regime, control.regime());
            agree(&system, control);
        });
    }
}

#[test]
fn a_clone_goes_on_as_the_original_does_and_a_history_can_be_begun_again() {
    let mut stream = Stream::from_key(33);
    for _ in 0..20 {
        let system = random_cared(&mut stream);
        let mut control = Control::new(&system, Detail::Full);
        let history = |control: &mut Control<'_>| {
            let mut history = Vec::new();
            walk(control, secs(60_000.0), |_, transition, signals| {
                history.push((transition, signals.to_vec()));
            });
            history
        };
        control.restart(9, 4);
        let first = history(&mut control);
        control.restart(9, 5);
        walk(&mut control, secs(20_000.0), |_, _, _| {});
        let mut copy = control.clone();
        assert_eq!(history(&mut copy), history(&mut control));
        control.restart(9, 4);
        assert_eq!(first, history(&mut control));
    }
}

#[test]
fn less_detail_leaves_the_structure_as_it_is() {
    let mut stream = Stream::from_key(34);
    for _ in 0..20 {
        let mut system = random_cared(&mut stream);
        system.run.start = Start::New;
        let found = |detail| flips(&system, detail, 60_000.0);
        assert_eq!(found(Detail::Structure), found(Detail::Full));
    }
}
