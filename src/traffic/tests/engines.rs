//! The arrival-driven engine counts what the event engine counts: everything, to the last bucket.

use super::any_system::Dice;
use super::build::{Build, call, constant, exponential, settings};
use crate::ids::{FaultId, Id, JourneyId, SlotId};
use crate::model::{Algorithm, Call, Fault, FaultKind, Impairment, Owner, Standby};
use crate::path::{Blame, Cause, Phase, Regime, Signal, SlotState};
use crate::random::{Dist, Key};
use crate::time::{SimSpan, SimTime};
use crate::traffic::{
    BinSettings, BinView, Engine, Source, Tally, Traffic, TrafficSettings, arrival_driven,
};
use proptest::prelude::*;

fn at(millis: u64) -> SimTime {
    SimTime::START + SimSpan::from_millis(millis)
}

/// Up to three pools that make no calls, each behind a balancer or none, and up to three workloads, from idle to
/// overloaded.
fn any_system(dice: &mut Dice) -> Build {
    let mut system = Build::new();
    // Work that always takes as long is for systems with one kind of failure.
    let plain = dice.chance(0.25);
    let mut targets = Vec::new();
    for index in 0..1 + dice.below(if plain { 1 } else { 3 }) {
        let replicas = 1 + dice.below(6) as u32;
        let workers = dice.spare(6).map(|workers| workers + 1);
        let pool = system.pool(&format!("pool-{index}"), replicas, workers, dice.spare(12));
        if replicas > 1 && dice.chance(0.2) {
            system.0.pools.as_mut_slice()[pool.index()].standby = Some(Standby {
                count: 1,
                rate: 0.0,
                activates_in: constant(0.0),
                coverage: 1.0,
                rescue: None,
            });
        }
        let takes = match dice.below(4) {
            _ if plain => constant(0.01 * dice.below(5) as f64),
            0 => Dist::lognormal_median_p95(0.01, 0.2).unwrap(),
            1 => exponential(0.002),
            _ => exponential(0.03),
        };
        let algorithms = [
            Algorithm::RoundRobin,
            Algorithm::LeastConnections,
            Algorithm::TwoChoices,
            Algorithm::Random,
        ];
        let algorithm = algorithms[dice.below(4) as usize];
        let counts = matches!(
            algorithm,
            Algorithm::LeastConnections | Algorithm::TwoChoices
        );
        let vrrp = dice.chance(0.5);
        let instances = 1 + dice.below(if counts && !vrrp { 1 } else { 3 }) as u32;
        let through = dice
            .chance(0.8)
            .then(|| system.balancer(pool, instances, algorithm, vrrp));
        for _ in 0..1 + dice.below(2) {
            let operation = system.operation(pool, takes.clone());
            if !plain && dice.chance(0.3) {
                system.0.operations.as_mut_slice()[operation.index()].fails =
                    dice.below(11) as f64 / 10.0;
            }
            targets.push(Call {
                through,
                ..call(operation)
            });
        }
    }
    for name in
        &["readers", "writers", "others"][..1 + dice.below(if plain { 1 } else { 3 }) as usize]
    {
        let mut site = targets[dice.below(targets.len() as u64) as usize].clone();
        site.timeout = dice
            .chance(0.6)
            .then(|| SimSpan::from_millis(10 * dice.below(12)));
        let sites = vec![system.site(site)];
        let patience = dice
            .chance(0.7)
            .then(|| SimSpan::from_millis(20 + 10 * dice.below(50)));
        let rate = 5.0 + dice.below(60) as f64 * [1.0, 10.0][dice.below(2) as usize];
        system.workload(name, rate, patience, sites);
        if plain && dice.chance(0.5) {
            let last = system.0.workloads.as_mut_slice().last_mut().unwrap();
            last.every = Some(SimSpan::from_millis(5 * (1 + dice.below(4))));
        }
    }
    if !plain && system.0.workloads.len() > 1 && dice.chance(0.5) {
        // One of two journeys.
        let second = JourneyId::from_index(1);
        let first = &mut system.0.workloads.as_mut_slice()[0];
        first.journeys = vec![(first.journeys[0].0, 0.6), (second, 0.4)];
    }
    if !plain && dice.chance(0.3) {
        let journey = &mut system.0.journeys.as_mut_slice()[0];
        journey.good_within = Some(SimSpan::from_millis(5 * dice.below(20)));
    }
    for name in ["a", "b"] {
        let span = constant(1.0);
        system.0.faults.push(Fault {
            name: name.to_owned(),
            kind: FaultKind::Crash,
            runs: crate::model::ClockRuns::Calendar,
            every: span.clone(),
            lasts: span,
        });
    }
    assert_eq!(arrival_driven(&system.0), Ok(()));
    system
}

fn any_settings(system: &Build, dice: &mut Dice) -> TrafficSettings {
    let causes = Cause::count(system.0.faults.len());
    TrafficSettings {
        bounds: vec![SimSpan::from_millis(10), SimSpan::from_millis(100)],
        slice: SimSpan::from_millis([100, 500, 1_000][dice.below(3) as usize]),
        bins: dice.chance(0.5).then(|| BinSettings {
            origin: 3,
            bin: 1 + dice.below(4),
            block: 8,
            planned: (0..causes).map(|cause| cause % 3 == 2).collect(),
            views: vec![BinView {
                journeys: (0..system.0.journeys.len()).map(|id| id == 0).collect(),
                full: false,
            }],
        }),
        ..settings()
    }
}

fn any_blame(dice: &mut Dice) -> Option<Blame> {
    let fault = FaultId::from_index(dice.below(2) as usize);
    let phase = Phase::ALL[dice.below(6) as usize];
    dice.chance(0.5).then_some(Blame { fault, phase })
}

/// A change of one thing. Without `stuck`, nothing hangs, pauses or is slow.
fn any_signal(system: &Build, dice: &mut Dice, stuck: bool) -> Signal {
    let slot = SlotId::from_index(dice.below(system.0.slots.len() as u64) as usize);
    let states = [
        SlotState::Serving,
        SlotState::Refusing,
        SlotState::Silent,
        SlotState::Standby,
        SlotState::Hung,
        SlotState::Paused,
    ];
    let stands_by = match system.0.slots[slot].owner {
        Owner::Pool(pool) => system.0.pools[pool].standby.is_some(),
        Owner::Balancer(_) => false,
    };
    match dice.below(if system.0.balancers.is_empty() { 3 } else { 6 }) {
        0 => {
            let known = if stuck { 6 } else { 4 };
            let state = match states[dice.below(known) as usize] {
                SlotState::Standby if !stands_by => SlotState::Serving,
                state => state,
            };
            Signal::Slot { slot, state }
        }
        1 if stuck => Signal::Impaired {
            slot,
            impairment: Impairment {
                factor: 1.0,
                errors: 0.4 * dice.below(3) as f64,
            },
        },
        1 => Signal::Island {
            slot,
            island: dice
                .chance(0.4)
                .then(|| crate::ids::DomainId::from_index(0)),
        },
        2 => Signal::Blame {
            journey: JourneyId::from_index(dice.below(system.0.journeys.len() as u64) as usize),
            blame: any_blame(dice),
        },
        kind => {
            let all: Vec<_> = system.0.balancers.pairs().collect();
            let (balancer, row) = all[dice.below(all.len() as u64) as usize];
            let instance = row.slots[dice.below(row.slots.len() as u64) as usize];
            if kind == 3 {
                let holder = (row.failover.is_some() && dice.chance(0.8)).then_some(instance);
                return Signal::Holder { balancer, holder };
            }
            let members = system.0.pools[row.to].slots.len() as u64;
            Signal::View {
                instance,
                member: dice.below(members) as u32,
                up: dice.chance(0.3),
            }
        }
    }
}

fn any_regime(system: &Build, dice: &mut Dice) -> Regime {
    let mut regime = Regime::all_up(&system.0);
    for _ in 0..dice.below(6) {
        regime.apply(any_signal(system, dice, false));
    }
    // As control tells them: who holds an address is one of those that serve.
    regime
}

/// What one engine counts: the same stretch, with the same changes, by the same calls.
fn counted(
    system: &Build,
    settings: &TrafficSettings,
    engine: Engine,
    dice: &mut Dice,
    changes: bool,
) -> (Tally, Vec<(u32, u64)>, bool) {
    let mut traffic = Traffic::with_engine(&system.0, settings.clone(), engine);
    let (mut seen, mut used) = (Vec::new(), false);
    for batch in 0..2 {
        let source = Source::Sample {
            seed: 5,
            regime: dice.below(1_000),
            batch,
        };
        traffic.begin(&any_regime(system, dice), at(0), source);
        traffic.count(at(2_000), at(6_000));
        traffic.count(at(8_000), at(12_000));
        let mut millis = 0;
        while millis < 12_000 {
            millis += dice.below(4_000);
            if dice.chance(0.5) {
                while traffic.next_time() < at(millis) {
                    traffic.run_events(at(millis), 100);
                }
            }
            traffic.run_until(at(millis));
            used |= traffic.is_arrival_driven();
            seen.push((traffic.frames_in_use(), traffic.counted_in_flight()));
            if changes && dice.chance(0.4) {
                for _ in 0..1 + dice.below(2) {
                    traffic.apply(at(millis), any_signal(system, dice, true));
                }
            }
        }
        // What hangs for ever is not waited for.
        let waits = system.0.workloads.iter().all(|row| row.patience.is_some());
        if waits && dice.chance(0.5) {
            traffic.run_out();
            assert_eq!(traffic.counted_in_flight(), 0);
            traffic.finish(traffic.now().max(at(millis)));
        } else {
            traffic.finish(at(millis + dice.below(2) * 100));
        }
        traffic.tally().check().unwrap();
    }
    (traffic.tally().clone(), seen, used)
}

#[track_caller]
fn same(system: &Build, settings: &TrafficSettings, seed: u64, changes: bool) -> bool {
    let both = [Engine::Events, Engine::Automatic].map(|engine| {
        let mut dice = Dice(Key::of_seed(seed).with(9).stream());
        counted(system, settings, engine, &mut dice, changes)
    });
    let [(events, seen, _), (arrivals, also, used)] = both;
    for (one, other) in events.journeys.iter().zip(&arrivals.journeys) {
        assert_eq!(one.counts, other.counts);
        assert_eq!(one.failed_by_cause, other.failed_by_cause);
    }
    assert_eq!(
        format!("{:?}", events.slices),
        format!("{:?}", arrivals.slices)
    );
    assert_eq!(seen, also);
    assert!(
        events == arrivals,
        "counts differ: {:?} {:?}",
        plain(&events),
        plain(&arrivals)
    );
    used
}

/// The counts of pools without their histograms.
fn plain(tally: &Tally) -> Vec<[u128; 12]> {
    let row = |pool: &crate::traffic::PoolTally| {
        [
            pool.calls.into(),
            pool.calls_failed.into(),
            pool.attempts.into(),
            pool.attempts_answered.into(),
            pool.attempts_failed.into(),
            pool.attempts_refused.into(),
            pool.attempts_shed.into(),
            pool.attempts_timed_out.into(),
            pool.attempts_in_flight.into(),
            pool.served.into(),
            pool.wait_ns,
            pool.busy_ns,
        ]
    };
    tally.pools.iter().map(row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn in_any_regime_of_any_system_that_it_can_run(seed in any::<u64>()) {
        let mut dice = Dice(Key::of_seed(seed).with(0).stream());
        let system = any_system(&mut dice);
        let settings = any_settings(&system, &mut dice);
        prop_assert!(same(&system, &settings, seed, false));
    }

    #[test]
    fn also_when_something_changes_in_the_middle(seed in any::<u64>()) {
        let mut dice = Dice(Key::of_seed(seed).with(0).stream());
        let system = any_system(&mut dice);
        let settings = any_settings(&system, &mut dice);
        same(&system, &settings, seed, true);
    }
}
