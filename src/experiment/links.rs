//! What links add to the cost of following a history, for statements of cost: probes that are lost, the
//! structure function worked out site by site while a link is cut, and the probes that a link concerns.

use crate::ids::Id;
use crate::model::{Component, Roads, System};
use std::collections::BTreeSet;

/// Control transitions that cost as much as asking for one slot, or one pair of places, once (about 2 ns
/// of 100).
const ASKED: f64 = 0.02;

/// CPU seconds of looking at what one probe meets, when something has changed on its way.
const LOOK_CPU_S: f64 = 5e-8;

/// How often per second the results of probes over links that always lose something are looked at: they
/// are drawn in runs of equal ones, some at a time.
pub(super) fn lossy_probes(system: &System) -> f64 {
    /// Runs that are drawn at a time.
    const RUNS: f64 = 8.0;
    let lost = system.links.iter().map(|link| link.loss);
    let most = lost
        .map(|loss| 1.0 - (1.0 - loss).powi(2))
        .fold(0.0, f64::max);
    if most <= 0.0 {
        return 0.0;
    }
    let probed = system.balancers.iter().map(|balancer| {
        let interval = balancer.probes.as_ref().map(|probes| probes.interval);
        let members = system.pools[balancer.to].slots.len() * balancer.slots.len();
        interval.map_or(0.0, |interval| members as f64 / interval.as_secs_f64())
    });
    // Runs end at each change from one result to the other; half a chance gives the most of them.
    let changes = 2.0 * most.min(0.5) * (1.0 - most.min(0.5));
    probed.sum::<f64>() * changes / RUNS
}

/// What working out the structure site by site costs per second of a history, in transitions: after each
/// change while any link is cut, all of it.
pub(super) fn split_structure(system: &System) -> f64 {
    let (mut changes, mut cut) = (0.0, 0.0);
    for clock in &system.clocks {
        let fault = &system.faults[clock.fault];
        let cycle = (fault.every.mean() + fault.lasts.mean()).max(1e-9);
        changes += 2.0 / cycle;
        if matches!(clock.component, Component::Link(_)) {
            cut += fault.lasts.mean() / cycle;
        }
    }
    if cut == 0.0 {
        return 0.0;
    }
    let roads = Roads::new(system);
    let asked = system.operations.iter().map(|operation| {
        let slots = system.pools[operation.pool].slots.iter();
        let places: BTreeSet<u32> = slots.map(|&slot| roads.site(Some(slot))).collect();
        (places.len() * roads.sites()) as f64
    });
    // Several links may be cut at a time; then it is not the sum.
    let share = 1.0 - f64::exp(-cut);
    changes * share * ASKED * (system.slots.len() as f64 + asked.sum::<f64>())
}

/// CPU seconds per second of a history with traffic for what the probes of balancers meet over links
/// that change: every watch of and by every slot at either end is looked at.
pub(super) fn probed(system: &System) -> f64 {
    let mut secs = 0.0;
    for clock in &system.clocks {
        let Component::Link(link) = clock.component else {
            continue;
        };
        let fault = &system.faults[clock.fault];
        let cycle = (fault.every.mean() + fault.lasts.mean()).max(1e-9);
        let mut touched = vec![false; system.slots.len()];
        for end in system.links[link].ends {
            system
                .slots_at(end)
                .for_each(|slot| touched[slot.index()] = true);
        }
        let count = |slots: &[crate::ids::SlotId]| {
            slots.iter().filter(|slot| touched[slot.index()]).count() as f64
        };
        for balancer in system.balancers.iter().filter(|row| row.probes.is_some()) {
            let (members, instances) = (&system.pools[balancer.to].slots, &balancer.slots);
            let looks =
                count(members) * instances.len() as f64 + count(instances) * members.len() as f64;
            secs += 2.0 / cycle * looks * LOOK_CPU_S;
        }
    }
    secs
}
