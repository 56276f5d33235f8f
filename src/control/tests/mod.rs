//! The slow clock against closed forms and stories.

mod blames;
mod campaigns;
mod care;
mod care_promises;
mod flaps;
mod followers;
mod kinds;
mod laws;
mod leads;
mod mixed;
mod promises;
mod restarts;

use super::{Control, Detail};
use crate::ids::{Id, PoolId};
use crate::model::testing::{Place, exponential, fixed};
use crate::model::{
    CampaignWork, ClockRuns, Component, FaultKind, Handling, Lease, Owner, PoolKind, Probes,
    Rhythm, ServedBy, Start, StoreFailover, System, Vrrp,
};
use crate::path::{Event, Signal, SlotState, Transition};
use crate::random::Stream;
use crate::time::{SimSpan, SimTime};

const HOUR: f64 = 3_600.0;
const YEAR: SimSpan = SimSpan::from_secs(365 * 86_400);

fn secs(secs: f64) -> SimTime {
    SimTime::START + SimSpan::from_secs_f64(secs)
}

/// Steps through everything before `end`; calls `visit` with each step's transition and signals.
fn walk(
    control: &mut Control<'_>,
    end: SimTime,
    mut visit: impl FnMut(&Control<'_>, Transition, &[Signal]),
) {
    let mut signals = Vec::new();
    while control.next_time() < end {
        signals.clear();
        let transition = control.step(&mut signals);
        visit(control, transition, &signals);
    }
}

/// The states of all slots after each event.
fn slots(system: &System, end: f64) -> Vec<(f64, Vec<SlotState>)> {
    let mut control = Control::new(system, Detail::Full);
    let mut states = Vec::new();
    walk(&mut control, secs(end), |control, transition, _| {
        let slots = control.regime().slots.as_slice().to_vec();
        states.push((transition.at.secs_in_horizon(), slots));
    });
    states
}

/// When the system goes down and up again in a history of `seconds`, followed in so much detail.
fn flips(system: &System, detail: Detail, seconds: f64) -> Vec<(SimTime, bool)> {
    let mut control = Control::new(system, detail);
    control.restart(2, 7);
    let (mut flips, mut up) = (Vec::new(), true);
    walk(&mut control, secs(seconds), |control, transition, _| {
        if control.structure().system_up() != up {
            up = !up;
            flips.push((transition.at, up));
        }
    });
    flips
}

/// Down time of the system within `[START, end)` of one history, and how often it went down there.
fn downtime(control: &mut Control<'_>, end: SimTime) -> (SimSpan, u32) {
    let (mut total, mut outages) = (SimSpan::ZERO, 0);
    let (mut since, mut up) = (SimTime::START, control.structure().system_up());
    walk(control, end, |control, transition, _| {
        let up_now = control.structure().system_up();
        if up_now != up {
            let at = transition.at.max(SimTime::START);
            if up_now {
                total = total.saturating_add(at - since);
            } else if transition.at >= SimTime::START {
                outages += 1;
            }
            (since, up) = (at, up_now);
        }
    });
    if !up {
        total = total.saturating_add(end - since);
    }
    (total, outages)
}

/// Mean unavailability with its standard error, and outages per hour with theirs, over histories of
/// `years` each.
fn simulate(system: &System, histories: u64, years: u64) -> ((f64, f64), (f64, f64)) {
    let mut control = Control::new(system, Detail::Structure);
    let length = YEAR.saturating_mul(years);
    let (mut down, mut outages) = (Vec::new(), Vec::new());
    for replication in 0..histories {
        control.restart(11, replication);
        let (time, times) = downtime(&mut control, SimTime::START + length);
        down.push(time.as_secs_f64() / length.as_secs_f64());
        outages.push(f64::from(times) / (length.as_secs_f64() / HOUR));
    }
    let mean = |values: &[f64]| {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let spread = values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>();
        (mean, (spread / (count - 1.0) / count).sqrt())
    };
    (mean(&down), mean(&outages))
}

/// Within four standard errors, and those at most `percent` of the value.
#[track_caller]
fn check((mean, error): (f64, f64), expected: f64, percent: f64) {
    assert!(
        error < expected * percent / 100.0,
        "too few: {mean} with error {error}"
    );
    let z = (mean - expected) / error;
    assert!(z.abs() < 4.0, "{mean}, expected {expected}, z = {z}");
}

/// Begins as new, so that nothing happens before the fault that a test states.
fn new(mut system: System) -> System {
    system.run.start = Start::New;
    system
}

/// One fault that begins `at` seconds into a new history and lasts `lasts` seconds, and not again for
/// another `at` seconds.
fn once(system: &mut System, kind: FaultKind, component: Component, at: f64, lasts: f64) {
    system.fault(kind, &[component], fixed(at), fixed(lasts));
}

/// A random system in which every part can fail, with probes, VRRP and leases.
fn random_full(stream: &mut Stream) -> System {
    let mut system = System::empty();
    let mut below = |n: usize| (stream.bits() % n as u64) as usize;
    let region = system.domain("region", None);
    let zones: Vec<_> = (0..3)
        .map(|i| system.domain(&format!("zone{i}"), Some(region)))
        .collect();
    let nodes: Vec<_> = (0..4)
        .map(|i| system.node(&format!("node{i}"), Some(zones[below(3)])))
        .collect();
    let mut pools = Vec::new();
    for pool in 0..1 + below(3) {
        let count = 1 + below(4);
        let places: Vec<Place> = (0..count)
            .map(|_| match below(3) {
                0 => Place::On(nodes[below(4)]),
                1 => Place::In(zones[below(3)]),
                _ => Place::Nowhere,
            })
            .collect();
        let id = system.service(&format!("pool{pool}"), &places, 1 + below(count) as u32);
        system.pools[id].starts_in =
            [fixed(0.0), fixed(40.0), exponential(100.0)][below(3)].clone();
        if below(2) == 0 {
            let failover = (below(3) > 0).then(|| {
                StoreFailover::Lease(Lease {
                    key_in: Vec::new(),
                    switchover: None,
                    ttl: SimSpan::from_secs(30),
                    loop_wait: SimSpan::from_secs(10),
                    decides_in: exponential(2.0),
                    promotes_in: [fixed(0.0), exponential(3.0)][below(2)].clone(),
                })
            });
            system.pools[id].kind = PoolKind::Store { failover };
            system
                .operations
                .as_mut_slice()
                .last_mut()
                .unwrap()
                .served_by = [ServedBy::Leader, ServedBy::Quorum, ServedBy::Any][below(3)];
        }
        system.crashes(id, exponential(3_000.0), exponential(300.0));
        pools.push(id);
    }
    for index in 0..below(3) {
        let to = pools[below(pools.len())];
        let count = 1 + below(3);
        let places: Vec<Place> = (0..count).map(|_| Place::In(zones[below(3)])).collect();
        let id = system.balancer(&format!("balancer{index}"), to, &places);
        let balancer = &mut system.balancers[id];
        balancer.starts_in = [fixed(0.0), fixed(5.0)][below(2)].clone();
        balancer.probes = (below(4) > 0).then(|| Probes {
            interval: SimSpan::from_secs(5),
            timeout: SimSpan::from_secs(2),
            takes: SimSpan::from_millis(10),
            rise: 1 + below(3) as u32,
            fall: 1 + below(3) as u32,
            work: None,
        });
        balancer.failover = (below(4) > 0).then(|| Vrrp {
            advert_int: SimSpan::from_secs(1),
            priorities: [150, 100, 50][..count].to_vec(),
            preempt: below(2) == 0,
            coverage: if count == 2 { 0.5 } else { 1.0 },
            rescue: Some(Handling::Drawn(exponential(400.0))),
        });
        let slots: Vec<_> = balancer
            .slots
            .iter()
            .map(|&slot| Component::Slot(slot))
            .collect();
        system.fault(
            FaultKind::Crash,
            &slots,
            exponential(4_000.0),
            exponential(200.0),
        );
        let operation = system
            .operations
            .ids()
            .find(|&id| system.operations[id].pool == to)
            .unwrap();
        let call = system.call(operation, Some(id));
        system.calls[call].optional = below(4) == 0;
        system.journey_of(vec![call]);
    }
    system.journey(&pools);
    system.journey(&pools[..1]);
    let nodes: Vec<_> = nodes.into_iter().map(Component::Node).collect();
    let kinds = [
        FaultKind::Hang,
        FaultKind::Pause,
        FaultKind::Slow { factor: 4.0 },
        FaultKind::Errors { share: 0.4 },
        FaultKind::Errors { share: 1.0 },
    ];
    let slots: Vec<_> = system.slots.ids().map(Component::Slot).collect();
    for kind in kinds {
        let components = [&nodes, &slots][below(2)];
        let first = system.clocks.len();
        system.fault(kind, components, exponential(9_000.0), exponential(150.0));
        // Two faults of one kind need two names.
        for clock in &mut system.clocks.as_mut_slice()[first..] {
            clock.name.push_str(&format!("-{first}"));
        }
    }
    system.fault(
        FaultKind::Crash,
        &nodes,
        exponential(8_000.0),
        exponential(400.0),
    );
    let mut domains: Vec<_> = zones.into_iter().map(Component::Domain).collect();
    domains.push(Component::Domain(region));
    system.fault(
        FaultKind::Isolated,
        &domains,
        exponential(9_000.0),
        exponential(100.0),
    );
    system.fault(
        FaultKind::Power,
        &domains,
        exponential(20_000.0),
        exponential(300.0),
    );
    for fault in system.faults.as_mut_slice() {
        if below(4) == 0 {
            fault.runs = ClockRuns::Operating;
        }
    }
    system
}

/// Adds campaigns of every kind, in quick succession.
fn add_campaigns(system: &mut System, stream: &mut Stream) {
    let mut below = |n: usize| (stream.bits() % n as u64) as usize;
    let rhythm = |secs: u64| Rhythm::Clock {
        every: SimSpan::from_secs(secs),
        at: None,
    };
    let slots_of = |slots: &[crate::ids::SlotId]| -> Vec<Component> {
        slots.iter().map(|&slot| Component::Slot(slot)).collect()
    };
    let mut maintained = vec![vec![Component::Domain(
        system.domains.ids().next().unwrap(),
    )]];
    maintained.push(system.nodes.ids().map(Component::Node).collect());
    maintained.extend(system.pools.iter().map(|pool| slots_of(&pool.slots)));
    maintained.extend(system.balancers.iter().map(|one| slots_of(&one.slots)));
    for components in maintained {
        let rhythm = [rhythm(5_000), Rhythm::Drawn(exponential(6_000.0))][below(2)].clone();
        let id = system.maintenance(&components, rhythm, exponential(60.0));
        if let CampaignWork::Maintenance(work) = &mut system.campaigns[id].work {
            work.drain = (below(2) == 0).then(|| SimSpan::from_secs(20));
            work.one_by_one = (below(2) == 0).then(|| SimSpan::from_secs(below(3) as u64 * 10));
        }
    }
    for pool in system.pools.ids().collect::<Vec<_>>() {
        let id = system.releases(pool, rhythm(4_000), 0.5, exponential(150.0));
        if let CampaignWork::Release(work) = &mut system.campaigns[id].work {
            work.drain = (below(2) == 0).then(|| SimSpan::from_secs(20));
            work.rolls.at_once = 1 + below(2) as u32;
            work.rolls_back.at_once = 1 + below(3) as u32;
            work.rolls_back.pause = SimSpan::from_secs(below(2) as u64 * 30);
        }
        let owner = Owner::Pool(pool);
        system.changes(owner, rhythm(3_000), 0.3, exponential(100.0), false);
    }
    for balancer in system.balancers.ids().collect::<Vec<_>>() {
        let owner = Owner::Balancer(balancer);
        system.changes(owner, rhythm(3_000), 0.2, exponential(100.0), true);
    }
}
