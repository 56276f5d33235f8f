//! How far a system is from an outage, counted in slots, and which faults bring it nearer.
//!
//! For each pool and balancer whose loss takes the system down the number of slots that must be lost for
//! it is known beforehand, by asking the structure function. The distance of a state is the least that is
//! left of any of them. It only steers which faults are forced: an outage that comes about in another
//! way is found less often, and weighs more.

use crate::control::Control;
use crate::ids::{ClockId, IdVec, PoolId, SlotId};
use crate::model::structure::{StructureState, evaluate};
use crate::model::{Owner, System};
use crate::path::SlotState;

/// A pool or balancer whose loss takes the system down.
#[derive(Clone, Copy, Debug)]
struct Group {
    owner: Owner,
    size: u32,
    /// Slots that must be lost for it.
    losses: u32,
    /// Those that have to serve when all is well; fewer than `size` of a pool with standbys.
    active: u32,
}

impl Group {
    /// Its slots that cannot serve, nor stand by.
    fn lost(self, control: &Control<'_>) -> u32 {
        let structure = control.structure();
        match self.owner {
            Owner::Pool(id) if self.active < self.size => {
                let regime = control.regime();
                let is_there = |slot: &&SlotId| {
                    let state = regime.slots[**slot];
                    matches!(state, SlotState::Serving | SlotState::Standby)
                        && regime.islands[**slot].is_none()
                };
                let slots = &control.system().pools[id].slots;
                let there = slots.iter().filter(is_there).count() as u32;
                let missing = self.active.saturating_sub(structure.serving(id));
                missing.max(self.size - there)
            }
            Owner::Pool(id) => self.size - structure.serving(id),
            Owner::Balancer(id) => self.size - structure.instances_serving(id),
        }
    }
}

/// What a fault takes away from one group.
#[derive(Clone, Debug)]
struct Hit {
    group: usize,
    slots: Vec<SlotId>,
}

/// The groups of a system that matter, and what each fault does to them.
#[derive(Clone, Debug)]
pub(super) struct Relevance {
    groups: Vec<Group>,
    /// By clock, in the order of those that can be forced and matter.
    hits: Vec<Vec<Hit>>,
    /// What is left of each group in the state looked at last.
    left: Vec<u32>,
    distance: u32,
}

impl Relevance {
    /// For `control`'s system; with the clocks that can be forced and affect any of the groups.
    pub(super) fn new(system: &System, control: &Control<'_>) -> (Self, Vec<ClockId>) {
        let pools = system.pools.pairs();
        let pools = pools.map(|(id, pool)| (Owner::Pool(id), pool.slots.len()));
        let balancers = system.balancers.pairs();
        let balancers = balancers.map(|(id, one)| (Owner::Balancer(id), one.slots.len()));
        let groups: Vec<Group> = pools
            .chain(balancers)
            .filter_map(|(owner, size)| {
                let losses = losses(system, owner, size)?;
                let size = size as u32;
                let active = match owner {
                    Owner::Pool(id) => system.pools[id].active() as u32,
                    Owner::Balancer(_) => size,
                };
                Some(Group {
                    owner,
                    size,
                    losses,
                    active,
                })
            })
            .collect();
        let mut hits = Vec::new();
        let mut clocks = Vec::new();
        for clock in control.forceable() {
            let affected = control.affected(clock);
            let of_clock: Vec<Hit> = groups
                .iter()
                .enumerate()
                .map(|(group, known)| Hit {
                    group,
                    slots: affected
                        .iter()
                        .copied()
                        .filter(|&slot| system.slots[slot].owner == known.owner)
                        .collect(),
                })
                .filter(|hit| !hit.slots.is_empty())
                .collect();
            if !of_clock.is_empty() {
                hits.push(of_clock);
                clocks.push(clock);
            }
        }
        let relevance = Self {
            left: vec![0; groups.len()],
            groups,
            hits,
            distance: 0,
        };
        (relevance, clocks)
    }

    /// Whether every slot of every group can serve, or stands by where enough others serve. Then no fault is active that can be forced and
    /// matters: each of them keeps a slot from serving.
    pub(super) fn all_well(&self, control: &Control<'_>) -> bool {
        self.groups.iter().all(|group| group.lost(control) == 0)
    }

    /// Looks at a state.
    pub(super) fn look(&mut self, control: &Control<'_>) {
        self.distance = u32::MAX;
        for (left, group) in self.left.iter_mut().zip(&self.groups) {
            *left = group.losses.saturating_sub(group.lost(control));
            self.distance = self.distance.min(*left);
        }
    }

    /// How many more slots must be lost for an outage in a state, which is then the one looked at last.
    pub(super) fn distance_of(&mut self, control: &Control<'_>) -> u32 {
        self.look(control);
        self.distance
    }

    /// How many slots the fault in row `row` takes that bring the state looked at last nearer to an
    /// outage; 0 if it does not.
    pub(super) fn brings_nearer(&self, row: usize, structure: &StructureState) -> u32 {
        let nearer = self.hits[row].iter().map(|hit| {
            let serves = |slot: &&SlotId| structure.serves(**slot);
            let takes = hit.slots.iter().filter(serves).count() as u32;
            let nearer = self.left[hit.group].saturating_sub(takes) < self.distance;
            if nearer { takes } else { 0 }
        });
        nearer.max().unwrap_or(0)
    }

    /// Whether `slot` belongs to a group.
    pub(super) fn matters(&self, system: &System, slot: SlotId) -> bool {
        let owner = system.slots[slot].owner;
        self.groups.iter().any(|group| group.owner == owner)
    }

    /// The share that has to be lost, of the slots that the fault in row `row` may take from the group that it
    /// brings nearest to its loss in the state looked at last; 1 if that takes more than all of them.
    pub(super) fn share_needed(&self, row: usize, structure: &StructureState) -> f64 {
        let serves = |slot: &&SlotId| structure.serves(**slot);
        let nearest = self.hits[row]
            .iter()
            .map(|hit| {
                let takes = hit.slots.iter().filter(serves).count() as u32;
                let left = self.left[hit.group];
                (left.saturating_sub(takes), left, takes)
            })
            .min();
        nearest.map_or(1.0, |(_, left, takes)| {
            f64::from(left) / f64::from(takes.max(1))
        })
    }

    /// Whether the fault in row `row` takes several slots of a group, or as many as its loss needs.
    pub(super) fn takes_much(&self, row: usize) -> bool {
        self.hits[row].iter().any(|hit| {
            let takes = hit.slots.len() as u32;
            takes > 1 || takes >= self.groups[hit.group].losses
        })
    }

    /// How many slots of one group the fault in row `row` takes when everything is well.
    pub(super) fn takes(&self, row: usize) -> usize {
        let slots = self.hits[row].iter().map(|hit| hit.slots.len());
        slots.max().unwrap_or(0)
    }
}

/// How many of the `size` slots of `owner` must be lost until the system is down, everything else being up
/// and the first members leading; `None` if it stays up without them.
fn losses(system: &System, owner: Owner, size: usize) -> Option<u32> {
    let leaders: IdVec<PoolId, Option<SlotId>> = system
        .pools
        .iter()
        .map(|pool| pool.slots.first().copied())
        .collect();
    // The last ones first: who leads is lost last.
    let up_without = |lost: usize| {
        let is_lost = |slot: SlotId| {
            let slot = &system.slots[slot];
            slot.owner == owner && slot.index as usize >= size - lost
        };
        evaluate(system, |slot| !is_lost(slot), &leaders).system
    };
    let (mut up, mut down) = (0, size);
    if size == 0 || up_without(down) {
        return None;
    }
    // The structure function is monotone.
    while down - up > 1 {
        let middle = usize::midpoint(up, down);
        if up_without(middle) {
            up = middle;
        } else {
            down = middle;
        }
    }
    Some(down as u32)
}
