//! Who depends on what: journeys with the same dependencies form one audience, and every fault is
//! told only to the audiences it can hurt.
//!
//! A *unit* is what a journey depends on directly: a pool, a balancer, the leadership of a store. Nodes
//! and domains come in through the slots of a unit.
//!
//! The system as a whole depends on what any journey does. Its outages are rare, so nothing is kept in
//! order for it: it only has a row of counters, shared with an audience of the same dependencies.

use super::Detail;
use super::lists::Lists;
use crate::ids::{CallId, ClockId, FaultId, Id, IdVec, JourneyId, LinkId, PoolId, SlotId};
use crate::model::{Component, End, Owner, ServedBy, System};
use std::collections::BTreeMap;

/// The audiences of one system.
#[derive(Clone, Debug)]
pub(super) struct Audiences {
    /// How many there are; each has a row of its own.
    pub(super) count: usize,
    /// Rows of counters: one for each audience, and the system's if no audience has its dependencies.
    pub(super) rows: usize,
    /// The rows that depend on each unit.
    pub(super) of_unit: Lists<u32>,
    /// The audiences that the fault of each clock can hurt.
    pub(super) of_clock: Lists<u32>,
    /// The rows, the system's too, that the fault of each clock can hurt.
    pub(super) rows_of_clock: Lists<u32>,
    /// The journeys of each audience.
    pub(super) journeys: Lists<JourneyId>,
    /// The audience of each journey.
    pub(super) of_journey: IdVec<JourneyId, u32>,
    /// The row of the system as a whole.
    pub(super) system: u32,
    /// The clocks whose faults can hurt the system at all.
    pub(super) clocks: Vec<ClockId>,
    /// Whether the fault of each clock can make a journey impossible to serve.
    pub(super) stops: IdVec<ClockId, bool>,
    /// The fault of each clock.
    pub(super) faults: IdVec<ClockId, FaultId>,
    /// The place of each clock in the order of names: its fault's, then its own.
    pub(super) ranks: IdVec<ClockId, u32>,
}

impl Audiences {
    /// The unit of an owner of slots.
    pub(super) fn unit_of(system: &System, owner: Owner) -> u32 {
        match owner {
            Owner::Pool(pool) => pool.index() as u32,
            Owner::Balancer(balancer) => (system.pools.len() + balancer.index()) as u32,
        }
    }

    /// The unit of a store's leadership.
    pub(super) fn leader_unit(system: &System, pool: PoolId) -> u32 {
        (system.pools.len() + system.balancers.len() + pool.index()) as u32
    }

    /// Groups the journeys of `system`; `affected` are the slots that each clock's fault affects.
    /// For the structure alone there is no audience.
    pub(super) fn new(system: &System, detail: Detail, affected: &Lists<SlotId>) -> Self {
        let units = 2 * system.pools.len() + system.balancers.len();
        let mut everything = vec![system.journeys.is_empty(); units];
        let mut rows: BTreeMap<Vec<bool>, u32> = BTreeMap::new();
        let mut journeys: Vec<Vec<JourneyId>> = Vec::new();
        let mut of_journey = IdVec::new();
        for (id, journey) in system.journeys.pairs() {
            let cone = cone(system, &journey.calls, units);
            for (all, one) in everything.iter_mut().zip(&cone) {
                *all |= one;
            }
            if detail == Detail::Structure {
                of_journey.push(0);
                continue;
            }
            let next = rows.len() as u32;
            let row = *rows.entry(cone).or_insert(next);
            if row == next {
                journeys.push(Vec::new());
            }
            journeys[row as usize].push(id);
            of_journey.push(row);
        }
        let count = rows.len();
        let system_row = *rows.entry(everything).or_insert(count as u32);
        let mut of_unit = vec![Vec::new(); units];
        for (cone, &row) in &rows {
            for (unit, _) in cone.iter().enumerate().filter(|(_, depends)| **depends) {
                of_unit[unit].push(row);
            }
        }
        let mut of_clock: Vec<Vec<u32>> = (0..system.clocks.len())
            .map(|clock| {
                let id = ClockId::from_index(clock);
                if let Component::Link(link) = system.clocks[id].component {
                    return joined(system, &rows, link);
                }
                let slots = affected.of(clock).iter();
                let touched = slots.map(|&slot| Self::unit_of(system, system.slots[slot].owner));
                let crowded = crowded(system, system.clocks.as_slice()[clock].component, units);
                let mut hurt: Vec<u32> = touched
                    .chain(crowded)
                    .flat_map(|unit| of_unit[unit as usize].iter().copied())
                    .collect();
                hurt.sort_unstable();
                hurt.dedup();
                hurt
            })
            .collect();
        let stops: IdVec<ClockId, bool> = system
            .clocks
            .iter()
            .map(|clock| match clock.component {
                Component::Common(row) => {
                    let mut hits = system.care.commons[row as usize].hits.iter();
                    hits.any(|&hit| system.faults[system.clocks[hit].fault].kind.stops())
                }
                Component::Slot(_)
                | Component::Node(_)
                | Component::Domain(_)
                | Component::Link(_)
                | Component::Pool(_)
                | Component::Balancer(_)
                | Component::Workload(_) => system.faults[clock.fault].kind.stops(),
            })
            .collect();
        let hurts =
            |clock: &ClockId| stops[*clock] && of_clock[clock.index()].contains(&system_row);
        let clocks = system.clocks.ids().filter(hurts).collect();
        let rows_of_clock = Lists::new(&of_clock);
        for hurt in &mut of_clock {
            hurt.retain(|&row| (row as usize) < count);
        }
        let mut by_name: Vec<ClockId> = system.clocks.ids().collect();
        by_name.sort_by_key(|&id| {
            let clock = &system.clocks[id];
            (&system.faults[clock.fault].name, &clock.name)
        });
        let mut ranks = IdVec::filled(0, system.clocks.len());
        for (rank, &clock) in by_name.iter().enumerate() {
            ranks[clock] = rank as u32;
        }
        Self {
            count,
            rows: rows.len(),
            of_unit: Lists::new(&of_unit),
            of_clock: Lists::new(&of_clock),
            rows_of_clock,
            journeys: Lists::new(&journeys),
            of_journey,
            system: system_row,
            clocks,
            stops,
            faults: system.clocks.iter().map(|clock| clock.fault).collect(),
            ranks,
        }
    }
}

/// The units that a burst of a workload crowds, if `component` is one: all that its journeys need.
fn crowded(system: &System, component: Component, units: usize) -> Vec<u32> {
    let Component::Workload(workload) = component else {
        return Vec::new();
    };
    let mut all = vec![false; units];
    for &(journey, _) in &system.workloads[workload].journeys {
        let own = cone(system, &system.journeys[journey].calls, units);
        all.iter_mut().zip(own).for_each(|(all, own)| *all |= own);
    }
    (0..)
        .zip(all)
        .filter(|(_, needs)| *needs)
        .map(|(unit, _)| unit)
        .collect()
}

/// The rows with something on either side of a link: it can keep nobody else apart.
fn joined(system: &System, rows: &BTreeMap<Vec<bool>, u32>, link: LinkId) -> Vec<u32> {
    let [a, b] = system.links[link].ends.map(|end| match end {
        // They are part of every journey.
        End::Users => None,
        End::Domain(_) => {
            let units = system.slots_at(end).map(|slot| {
                let owner = system.slots[slot].owner;
                Audiences::unit_of(system, owner) as usize
            });
            Some(units.collect::<Vec<usize>>())
        }
    });
    let has = |cone: &[bool], end: &Option<Vec<usize>>| match end {
        None => true,
        Some(units) => units.iter().any(|&unit| cone[unit]),
    };
    let both = rows
        .iter()
        .filter(|(cone, _)| has(cone, &a) && has(cone, &b));
    let mut hurt: Vec<u32> = both.map(|(_, &row)| row).collect();
    hurt.sort_unstable();
    hurt
}

/// The units that these calls depend on, directly or further down; optional calls and the ways taken
/// on a miss or failure count too.
fn cone(system: &System, calls: &[CallId], units: usize) -> Vec<bool> {
    let mut cone = vec![false; units];
    let mut seen = vec![false; system.calls.len()];
    let mut open = calls.to_vec();
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        let call = &system.calls[id];
        let operation = &system.operations[call.to];
        cone[Audiences::unit_of(system, Owner::Pool(operation.pool)) as usize] = true;
        if operation.served_by == ServedBy::Leader {
            cone[Audiences::leader_unit(system, operation.pool) as usize] = true;
        }
        if let Some(balancer) = call.through {
            cone[Audiences::unit_of(system, Owner::Balancer(balancer)) as usize] = true;
        }
        open.extend(system.followers(id));
        open.extend(&operation.calls);
    }
    cone
}
