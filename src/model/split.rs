//! The structure function while links are cut: who reaches whom is asked for site by site.
//!
//! A partition leaves both sides running, so a slot that serves may be of no use to some of those who
//! need it. What can be served then depends on where it is asked for:
//!
//! - an operation can be served for a site if at least `needs` slots of its pool can serve, are reached
//!   from there, reach a majority of the members (for what needs a quorum), and all of the operation's
//!   own calls can be served for the site of that slot; what needs the leader needs a leader of which
//!   that is so, beside `needs` slots that are reached;
//! - a call that goes through a balancer needs so many instances that can serve, are reached, and from
//!   which the operation can be served;
//! - a journey is up if its calls can be served for the users.
//!
//! So it is up if there is a way for its requests to be served, though balancers may not know it and
//! callers on the wrong side fail. With nothing cut this is the function of the gates. Pools and
//! balancers as such are judged by their own slots, cut off from others or not.

use super::{LinkState, Operation, Roads, ServedBy, System, USERS};
use crate::ids::{BalancerId, CallId, Id, IdVec, JourneyId, LinkId, OperationId, PoolId, SlotId};

/// What is needed to work it out: there only for systems with links.
#[derive(Clone, Debug)]
pub(super) struct Split {
    system: System,
    roads: Roads,
    /// The sites of the slots of each pool, then of each balancer; rows of `SplitState::serving`.
    of_pools: IdVec<PoolId, Vec<Stand>>,
    of_balancers: IdVec<BalancerId, Vec<Stand>>,
    /// The row of each slot.
    row_of: IdVec<SlotId, u32>,
    rows: usize,
}

/// Slots of one pool or balancer at one site.
#[derive(Clone, Copy, Debug)]
struct Stand {
    site: u32,
    row: u32,
}

/// What was worked out last.
#[derive(Clone, Debug)]
pub(super) struct SplitState {
    /// Whether nothing passes between each pair of sites.
    cut: Vec<bool>,
    any_cut: bool,
    /// Whether each journey can be served.
    pub(super) journeys: Vec<bool>,
    pub(super) system: bool,
    /// The same before it was last worked out.
    before: (Vec<bool>, bool),
    /// Slots that can serve, by row of `Split`.
    serving: Vec<u32>,
    /// By operation, or call, and site: whether it can be served, if that is known.
    operations: Vec<Option<bool>>,
    calls: Vec<Option<bool>>,
}

/// The state of the slots.
#[derive(Clone, Copy)]
pub(super) struct Slots<'a> {
    pub(super) serves: &'a IdVec<SlotId, bool>,
    pub(super) leaders: &'a IdVec<PoolId, Option<SlotId>>,
}

impl Split {
    pub(super) fn new(system: &System) -> Option<Box<Self>> {
        if system.links.is_empty() {
            return None;
        }
        let roads = Roads::new(system);
        let mut row_of = IdVec::filled(0, system.slots.len());
        let mut rows = 0;
        let mut stands = |slots: &Vec<SlotId>| {
            let mut stands: Vec<Stand> = Vec::new();
            for &slot in slots {
                let site = roads.site(Some(slot));
                let known = stands.iter().find(|stand| stand.site == site).copied();
                let stand = known.unwrap_or(Stand { site, row: rows });
                if known.is_none() {
                    stands.push(stand);
                    rows += 1;
                }
                row_of[slot] = stand.row;
            }
            stands
        };
        let of_pools = system
            .pools
            .iter()
            .map(|pool| stands(&pool.slots))
            .collect();
        let balancers = system.balancers.iter();
        let of_balancers = balancers.map(|balancer| stands(&balancer.slots)).collect();
        Some(Box::new(Self {
            system: system.clone(),
            of_pools,
            of_balancers,
            rows: rows as usize,
            row_of,
            roads,
        }))
    }
}

impl SplitState {
    pub(super) fn new(split: &Split) -> Self {
        let (sites, system) = (split.roads.sites(), &split.system);
        Self {
            cut: vec![false; sites * sites],
            any_cut: false,
            journeys: vec![true; system.journeys.len()],
            system: true,
            before: (vec![true; system.journeys.len()], true),
            serving: vec![0; split.rows],
            operations: vec![None; system.operations.len() * sites],
            calls: vec![None; system.calls.len() * sites],
        }
    }

    pub(super) fn reset(&mut self) {
        self.cut.fill(false);
        self.any_cut = false;
    }

    /// Whether anything is cut.
    pub(super) fn is_cut(&self) -> bool {
        self.any_cut
    }

    /// The links are like this from now on, and `changed` is not as it was.
    pub(super) fn set_link(
        &mut self,
        split: &Split,
        links: &IdVec<LinkId, LinkState>,
        changed: LinkId,
    ) {
        self.any_cut = links.iter().any(|link| link.cut);
        let sites = split.roads.sites() as u32;
        for &pair in split.roads.pairs(changed) {
            let mut between = split.roads.between_sites(pair / sites, pair % sites).iter();
            self.cut[pair as usize] = between.any(|&link| links[link].cut);
        }
    }

    /// Keeps what is known, to be compared with what will be.
    pub(super) fn remember(&mut self) {
        self.before.0.copy_from_slice(&self.journeys);
        self.before.1 = self.system;
    }

    /// Adds the journeys that have flipped since; returns whether anything has.
    pub(super) fn compare(&self, flipped: &mut Vec<JourneyId>) -> bool {
        let pairs = self.before.0.iter().zip(&self.journeys).enumerate();
        let changed = pairs.filter(|(_, (before, after))| before != after);
        flipped.extend(changed.map(|(row, _)| JourneyId::from_index(row)));
        self.before.0 != self.journeys || self.before.1 != self.system
    }

    /// Works out all journeys.
    pub(super) fn evaluate(&mut self, split: &Split, slots: Slots<'_>) {
        self.operations.fill(None);
        self.calls.fill(None);
        self.serving.fill(0);
        for (slot, &row) in split.row_of.pairs() {
            self.serving[row as usize] += u32::from(slots.serves[slot]);
        }
        for id in split.system.journeys.ids() {
            let up = self.all_up(split, slots, &split.system.journeys[id].calls, USERS);
            self.journeys[id.index()] = up;
        }
        self.system = self.journeys.iter().all(|&up| up);
    }

    fn connects(&self, split: &Split, one: u32, other: u32) -> bool {
        !self.cut[split.roads.pair(one, other)]
    }

    /// Whether anything that serves there is reached from `site`.
    fn is_there(&self, split: &Split, site: u32, stand: Stand) -> bool {
        self.serving[stand.row as usize] > 0 && self.connects(split, site, stand.site)
    }

    /// Whether those who serve an operation at `site` reach a majority, if they need one.
    fn has_quorum(&self, split: &Split, operation: &Operation, site: u32) -> bool {
        if operation.served_by != ServedBy::Quorum {
            return true;
        }
        let stands = split.of_pools[operation.pool].iter();
        let reached = stands.filter(|stand| self.connects(split, site, stand.site));
        let members: u32 = reached.map(|stand| self.serving[stand.row as usize]).sum();
        2 * members as usize > split.system.pools[operation.pool].active()
    }

    /// Whether all items of `list` that are needed can be served for `site`.
    fn all_up(&mut self, split: &Split, slots: Slots<'_>, list: &[CallId], site: u32) -> bool {
        let system = &split.system;
        system.items(list).all(|item| {
            let first = &system.calls[item[0]];
            let Some(fork) = first.fork.map(|id| &system.forks[id]) else {
                return first.optional || self.call_up(split, slots, item[0], site);
            };
            if fork.optional {
                return true;
            }
            let mut up = 0;
            for &call in item {
                let succeeds =
                    system.calls[call].optional || self.call_up(split, slots, call, site);
                up += fork.copies * u32::from(succeeds);
            }
            up >= fork.wait_for
                || !fork.on_failure.is_empty() && self.all_up(split, slots, &fork.on_failure, site)
        })
    }

    fn call_up(&mut self, split: &Split, slots: Slots<'_>, id: CallId, site: u32) -> bool {
        let row = id.index() * split.roads.sites() + site as usize;
        if let Some(known) = self.calls[row] {
            return known;
        }
        let call = &split.system.calls[id];
        let served = match call.through {
            None => self.operation_up(split, slots, call.to, site),
            Some(balancer) => {
                let mut usable = 0;
                for stand in &split.of_balancers[balancer] {
                    if self.is_there(split, site, *stand)
                        && self.operation_up(split, slots, call.to, stand.site)
                    {
                        usable += self.serving[stand.row as usize];
                    }
                }
                usable >= split.system.balancers[balancer].needs
            }
        };
        let regular = served && (call.hit >= 1.0 || self.all_up(split, slots, &call.on_miss, site));
        let up = regular
            || !call.on_failure.is_empty() && self.all_up(split, slots, &call.on_failure, site);
        self.calls[row] = Some(up);
        up
    }

    fn operation_up(
        &mut self,
        split: &Split,
        slots: Slots<'_>,
        id: OperationId,
        site: u32,
    ) -> bool {
        let row = id.index() * split.roads.sites() + site as usize;
        if let Some(known) = self.operations[row] {
            return known;
        }
        let operation = &split.system.operations[id];
        let pool = &split.system.pools[operation.pool];
        let led = operation.served_by == ServedBy::Leader;
        let mut usable = 0;
        for stand in &split.of_pools[operation.pool] {
            let can = self.is_there(split, site, *stand)
                && (led
                    || self.has_quorum(split, operation, stand.site)
                        && self.all_up(split, slots, &operation.calls, stand.site));
            usable += u32::from(can) * self.serving[stand.row as usize];
        }
        let leads = slots.leaders[operation.pool].is_some_and(|leader| {
            let there = split.roads.site(Some(leader));
            led && slots.serves[leader]
                && self.connects(split, site, there)
                && self.all_up(split, slots, &operation.calls, there)
        });
        let up = usable >= pool.needs && (leads || !led);
        self.operations[row] = Some(up);
        up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::structure::{Structure, StructureState, evaluate};
    use crate::model::testing::{Place, exponential, fixed, random_system};
    use crate::model::{Component, End, FaultKind, Link};
    use crate::random::Stream;
    use crate::time::SimSpan;

    fn link(system: &mut System, ends: [End; 2]) -> LinkId {
        let name = format!("link-{}", system.links.len());
        system.links.push(Link {
            name,
            ends,
            round_trip: fixed(0.0),
            loss: 0.0,
            resends_after: SimSpan::from_millis(200),
        })
    }

    #[test]
    fn with_nothing_cut_it_is_the_function_of_the_gates() {
        let mut stream = Stream::from_key(8);
        let (mut up, mut down) = (0, 0);
        for _ in 0..200 {
            let mut system = random_system(&mut stream);
            let [one, other] = ["one", "other"].map(|name| system.domain(name, None));
            for slot in system.slots.as_mut_slice() {
                slot.domain = Some(if stream.uniform() < 0.5 { one } else { other });
            }
            link(&mut system, [End::Domain(one), End::Domain(other)]);
            link(&mut system, [End::Users, End::Domain(one)]);
            let Some(split) = Split::new(&system) else {
                continue;
            };
            let mut state = SplitState::new(&split);
            for _ in 0..20 {
                let mut serves = IdVec::filled(true, system.slots.len());
                for slot in system.slots.ids() {
                    serves[slot] = stream.uniform() < 0.8;
                }
                let pools = system.pools.iter();
                let leaders = pools.map(|pool| Some(pool.slots[0])).collect();
                let slots = Slots {
                    serves: &serves,
                    leaders: &leaders,
                };
                state.evaluate(&split, slots);
                let expected = evaluate(&system, |slot| serves[slot], &leaders);
                assert_eq!(state.journeys, expected.journeys.as_slice());
                let count = state.journeys.iter().filter(|&&up| up).count();
                up += count;
                down += state.journeys.len() - count;
            }
        }
        assert!(up > 500 && down > 500, "{up} up, {down} down");
    }

    #[test]
    fn a_way_that_is_left_is_enough_and_each_side_counts_its_own() {
        let mut system = System::empty();
        let [north, south] = ["north", "south"].map(|name| system.domain(name, None));
        let app = system.service("app", &[Place::In(north), Place::In(south)], 1);
        let db = system.service("db", &[Place::In(north)], 1);
        let to = |pool: PoolId, system: &System| {
            let mut ids = system.operations.ids();
            ids.find(|&id| system.operations[id].pool == pool).unwrap()
        };
        let query = to(db, &system);
        let call = system.call(query, None);
        let read = to(app, &system);
        system.operations[read].calls = vec![call];
        system.journey(&[app]);
        let wan = link(&mut system, [End::Domain(north), End::Domain(south)]);
        let access = link(&mut system, [End::Users, End::Domain(north)]);
        let component = [Component::Link(wan)];
        system.fault(
            FaultKind::Partition,
            &component,
            exponential(1e6),
            fixed(60.0),
        );
        let structure = Structure::new(&system);
        let mut state = StructureState::new(&system, &structure);
        let mut links = IdVec::filled(LinkState::NONE, system.links.len());
        let cut = LinkState::NONE.and(FaultKind::Partition);
        let mut set = |state: &mut StructureState, link: LinkId, to: LinkState| {
            links[link] = to;
            state.set_link(&structure, &links, link);
            state.settle(&structure);
            state.system_up()
        };
        // The replica in the north still reaches the store.
        assert!(set(&mut state, wan, cut));
        // Nobody reaches the north any more.
        assert!(!set(&mut state, access, cut));
        // By way of the south somebody does.
        assert!(set(&mut state, wan, LinkState::NONE));
        let southern = system.pools[app].slots[1];
        state.set_slot(&structure, southern, false);
        state.settle(&structure);
        assert!(!state.system_up());
        assert!(set(&mut state, access, LinkState::NONE));
        state.set_slot(&structure, southern, true);
        assert!(state.system_up());
        let flips = std::iter::from_fn(|| state.take_flipped()).count();
        assert_eq!(flips, 4, "down, up, down, up");
    }
}
