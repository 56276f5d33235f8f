//! The two clocks allocate nothing in the steady state: traffic once its tables have grown to the work
//! in progress, control once its lists have.
//!
//! Its own test binary, because the counting allocator serves the whole process.

use ::fivenines;
use fivenines::control::{Control, Detail};
use fivenines::ids::Id;
use fivenines::model::{Algorithm, Call, Discipline, Fork, Patience, Probes, Queue};
use fivenines::path::{Regime, Signal, SlotState};
use fivenines::time::{SimSpan, SimTime};
use fivenines::traffic::{Source, Traffic};

#[path = "../src/traffic/tests/build.rs"]
mod build;

use build::{Build, call, exponential, retries, settings};

/// Ten application replicas behind two balancer instances, three store members, misses, timeouts,
/// retries with pauses, some of them in progress at any time; queues by priority, shared processors,
/// calls at the same time with a deadline that is passed on; messages that are delivered again; users each with a patience of its own.
fn system() -> Build {
    let mut system = Build::new();
    let app = system.pool("app", 10, Some(4), Some(64));
    let store = system.pool("db", 3, Some(16), None);
    let edge = system.balancer(app, 2, Algorithm::TwoChoices, false);
    // Workers answer its probes, not all of them in time.
    system.0.balancers[edge].probes = Some(Probes {
        interval: SimSpan::from_millis(50),
        timeout: SimSpan::from_millis(5),
        takes: SimSpan::from_millis(1),
        rise: 2,
        fall: 2,
        work: Some(build::constant(0.001)),
    });
    let serve = system.operation(app, exponential(0.010));
    let query = system.operation(store, exponential(0.004));
    let fetch = system.site(call(query));
    system.calls(
        serve,
        Call {
            timeout: Some(SimSpan::from_millis(20)),
            retries: retries(2, 5),
            hit: 0.8,
            on_miss: vec![fetch],
            ..call(query)
        },
    );
    system.0.pools.as_mut_slice()[app.index()].discipline = Discipline::Priority;
    let leaf = system.pool("leaf", 6, Some(2), Some(50));
    system.0.pools.as_mut_slice()[leaf.index()].discipline = Discipline::ProcessorSharing;
    let get = system.operation(leaf, exponential(0.002));
    let shards = system.site(Call {
        timeout: Some(SimSpan::from_millis(10)),
        priority: Some(1),
        passes_deadline: true,
        ..call(get)
    });
    let shards = system.fork(Fork {
        calls: vec![shards],
        copies: 3,
        wait_for: 2,
        deadline: Some(SimSpan::from_millis(8)),
        chance: 0.5,
        on_failure: vec![],
        optional: true,
    });
    system.0.operations[serve].calls.extend(shards);
    let site = system.site(Call {
        through: Some(edge),
        timeout: Some(SimSpan::from_millis(200)),
        retries: retries(1, 10),
        ..call(serve)
    });
    let broker = system.pool("mail", 1, None, None);
    let mailer = system.pool("mailer", 2, Some(4), None);
    let publish = system.operation(broker, exponential(0.001));
    let send = system.operation(mailer, exponential(0.020));
    system.0.operations[send].fails = 0.1;
    let redelivers_after = SimSpan::from_millis(60);
    let delivery = system.site(Call {
        timeout: Some(redelivers_after),
        ..call(send)
    });
    system.0.queues.push(Queue {
        pool: broker,
        capacity: 100,
        max_deliveries: Some(3),
        redelivers_after,
        durable: true,
        consumer: mailer,
        call: delivery,
    });
    system.calls(
        serve,
        Call {
            chance: 0.1,
            optional: true,
            ..call(publish)
        },
    );
    system.workload("users", 1_800.0, Some(SimSpan::from_secs(1)), vec![site]);
    system.workload("others", 50.0, None, vec![site]);
    let others = &mut system.0.workloads.as_mut_slice()[1];
    others.patience = Some(Patience::Drawn(exponential(0.5)));
    system
}

#[test]
fn the_event_loop_allocates_nothing_in_the_steady_state() {
    let system = system();
    let mut traffic = Traffic::new(&system.0, settings());
    let mut now = SimTime::START;
    let slot = system.0.pools.as_slice()[0].slots[3];
    traffic.begin(
        &Regime::all_up(&system.0),
        now,
        Source::Replication {
            seed: 1,
            replication: 1,
        },
    );
    let mut minute = |traffic: &mut Traffic<'_>| {
        for (after, state) in [(20, SlotState::Silent), (40, SlotState::Serving)] {
            traffic.run_until(now + SimSpan::from_secs(after));
            traffic.apply(
                now + SimSpan::from_secs(after),
                Signal::Slot { slot, state },
            );
        }
        now = now + SimSpan::from_secs(60);
        traffic.run_until(now);
    };
    minute(&mut traffic);
    traffic.count(
        SimTime::START + SimSpan::from_secs(60),
        SimTime::START + SimSpan::from_secs(180),
    );
    // Probes that fail make rare peaks, to which tables grow.
    for _ in 0..6 {
        minute(&mut traffic);
    }
    let before = traffic.tally().attempts_simulated;
    let allocated = allocation_counter::measure(|| minute(&mut traffic));
    assert!(traffic.tally().attempts_simulated > before + 200_000);
    assert_eq!(allocated.count_total, 0, "{allocated:?}");
    traffic.finish(now);
    traffic
        .tally()
        .check()
        .expect("everything is accounted for");
    // A further stretch uses the same tables.
    let regime = Regime::all_up(&system.0);
    let allocated = allocation_counter::measure(|| {
        traffic.clear_tally();
        traffic.begin(
            &regime,
            SimTime::START,
            Source::Sample {
                seed: 1,
                regime: 7,
                batch: 0,
            },
        );
        traffic.run_until(SimTime::START + SimSpan::from_secs(10));
    });
    assert_eq!(allocated.count_total, 0, "{allocated:?}");
}

/// Two pools, one of them overloaded, with a member that is silent: users who leave, work for nobody, full
/// queues, errors.
#[test]
fn going_from_arrival_to_arrival_and_handing_over_to_events_allocates_nothing_in_the_steady_state()
{
    let mut system = Build::new();
    for (name, algorithm, rate) in [
        ("app", Algorithm::TwoChoices, 1_000.0),
        ("web", Algorithm::LeastConnections, 600.0),
    ] {
        let pool = system.pool(name, 4, Some(3), Some(30));
        let edge = system.balancer(pool, 1, algorithm, false);
        let serve = system.operation(pool, exponential(0.015));
        system.0.operations[serve].fails = 0.01;
        let site = system.site(Call {
            through: Some(edge),
            timeout: Some(SimSpan::from_millis(100)),
            ..call(serve)
        });
        system.workload(name, rate, Some(SimSpan::from_secs(1)), vec![site]);
    }
    let slot = system.0.pools.as_slice()[0].slots[1];
    let mut regime = Regime::all_up(&system.0);
    let state = SlotState::Silent;
    regime.apply(Signal::Slot { slot, state });
    let mut traffic = Traffic::new(&system.0, settings());
    let mut stretch = |batch, secs: u64| {
        let at = |secs: u64| SimTime::START + SimSpan::from_secs(secs);
        let source = Source::Sample {
            seed: 1,
            regime: 7,
            batch,
        };
        traffic.begin(&regime, at(0), source);
        traffic.count(at(2), at(secs));
        for sec in 1..=secs {
            traffic.run_until(at(sec));
        }
        assert!(traffic.is_arrival_driven());
        let state = SlotState::Serving;
        traffic.apply(at(secs), Signal::Slot { slot, state });
        assert!(!traffic.is_arrival_driven() && traffic.frames_in_use() > 30);
        traffic.run_out();
        traffic.finish(traffic.now());
        traffic.tally().slices.judged
    };
    stretch(0, 120);
    let mut judged = 0;
    let allocated = allocation_counter::measure(|| judged = stretch(1, 20));
    assert_eq!(allocated.count_total, 0, "{allocated:?}");
    assert_eq!(judged, 118 + 18);
}

/// Zones, machines, processes that start, probes, an address and a lease.
#[test]
fn control_allocates_nothing_in_the_steady_state() {
    let source = include_bytes!("../scenarios/article-site.yaml");
    let Ok(loaded) = fivenines::scenario::load(source, "article-site.yaml") else {
        panic!("the scenario is accepted");
    };
    let end = SimTime::START + SimSpan::from_secs(365 * 86_400);
    for detail in [Detail::Structure, Detail::Full] {
        let mut control = Control::new(&loaded.system, detail);
        let mut signals = Vec::new();
        let mut years = |replications: std::ops::Range<u64>| {
            let mut steps = 0;
            for replication in replications {
                control.restart(1, replication);
                while control.next_time() < end {
                    signals.clear();
                    control.step(&mut signals);
                    steps += 1;
                }
            }
            steps
        };
        years(0..200);
        let mut steps = 0;
        let allocated = allocation_counter::measure(|| steps = years(200..250));
        assert!(steps > 1_000, "{steps} steps");
        assert_eq!(allocated.count_total, 0, "{detail:?}: {allocated:?}");
    }
}
