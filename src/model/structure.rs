//! The structure function: which journeys are up, given which slots can serve.
//!
//! A slot *can serve* if it is running and users reach it. One that hangs or stands still cannot; one
//! that is slow can, and so can one that answers some attempts with errors, unless it is all of them.
//! From there upwards:
//!
//! - a pool or balancer is up if at least `needs` of its slots can serve;
//! - an operation is up if its pool is, its leader can serve (for what needs the leader), a majority
//!   of all members can (for what needs a quorum), and all of its calls that are not optional are up;
//! - a call is up if the balancer in its way and the operation called are up, with all of its `on_miss`
//!   calls unless every look-up is a hit; or else if it has `on_failure` calls and all of them are up;
//! - a fork is up if as many of its calls are as are waited for, an optional one always; or else if
//!   its `on_failure` calls are. Calls of a fork count through it only;
//! - a journey is up if all of its calls that are not optional are;
//! - the system is up if every journey is. A system without journeys is up if all of its pools and
//!   balancers are.
//!
//! While links of the network are cut, what can be served depends on where (`split.rs`).
//!
//! It says what could be served, whatever the balancers believe. The tree is compiled to *gates* with
//! a count of inputs that are down. A slot that changes touches its own count; only when that crosses
//! a threshold does the change travel upwards, and only as far as gates flip. The function is
//! monotone, so one change never makes a gate flip twice.

use super::split::{Slots, Split, SplitState};
use super::{LinkState, Owner, ServedBy, System};
use crate::ids::{
    BalancerId, CallId, ForkId, Id, IdVec, JourneyId, LinkId, OperationId, PoolId, SlotId,
};
use crate::model::Blame;

pub use super::evaluate::{Verdicts, evaluate};

/// A pool or balancer: a group of slots of which some number must be able to serve.
#[derive(Clone, Debug)]
struct Group {
    size: u32,
    needs: u32,
    /// Half of the members and one, for the quorum gate; 0 if nothing needs a quorum.
    majority: u32,
    /// Whether anything needs the leader.
    led: bool,
}

#[derive(Clone, Copy, Debug)]
struct Gate {
    /// Down from so many inputs on that are down, at least 1: any, all, or some number of them.
    fails_at: u32,
    /// Where its consumers stand in `Structure::consumers`.
    consumers: (u32, u32),
}

/// Where each kind of gate begins.
#[derive(Clone, Copy, Debug)]
struct Layout {
    balancers: usize,
    leaders: usize,
    quorums: usize,
    operations: usize,
    /// The regular way of each call.
    regular: usize,
    /// The way of each call when the regular one is down.
    instead: usize,
    calls: usize,
    /// The calls of each fork.
    forked: usize,
    /// What is done instead of each fork.
    fork_instead: usize,
    forks: usize,
    journeys: usize,
    system: usize,
}

/// The compiled tree of one system.
#[derive(Clone, Debug)]
pub struct Structure {
    layout: Layout,
    gates: Vec<Gate>,
    consumers: Vec<u32>,
    groups: Vec<Group>,
    /// The group of each slot.
    group_of: IdVec<SlotId, u32>,
    /// How it is worked out while links are cut.
    split: Option<Box<Split>>,
}

impl Structure {
    /// Compiles the tree of `system`.
    pub fn new(system: &System) -> Self {
        let (pools, calls) = (system.pools.len(), system.calls.len());
        let leaders = pools + system.balancers.len();
        let operations = leaders + 2 * pools;
        let regular = operations + system.operations.len();
        let (forked, forks) = (regular + 3 * calls, system.forks.len());
        let journeys = forked + 3 * forks;
        let layout = Layout {
            balancers: pools,
            leaders,
            quorums: leaders + pools,
            operations,
            regular,
            instead: regular + calls,
            calls: regular + 2 * calls,
            forked,
            fork_instead: forked + forks,
            forks: forked + 2 * forks,
            journeys,
            system: journeys + system.journeys.len(),
        };
        let inputs = layout.inputs(system);
        let mut consumers_of = vec![Vec::new(); layout.system + 1];
        for (gate, sources) in inputs.iter().enumerate() {
            for &source in sources {
                consumers_of[source].push(gate as u32);
            }
        }
        let (mut gates, mut consumers) = (Vec::new(), Vec::new());
        for (gate, mine) in consumers_of.iter().enumerate() {
            let first = consumers.len() as u32;
            consumers.extend_from_slice(mine);
            gates.push(Gate {
                fails_at: layout.fails_at(system, gate, inputs[gate].len()),
                consumers: (first, consumers.len() as u32),
            });
        }
        let group = |slots: &Vec<SlotId>, needs: u32| Group {
            size: slots.len() as u32,
            needs,
            majority: 0,
            led: false,
        };
        let needed = |gate: usize| !consumers_of[gate].is_empty();
        let of_pools = system.pools.pairs().map(|(id, pool)| {
            let mut of_pool = group(&pool.slots, pool.needs);
            if needed(layout.quorums + id.index()) {
                of_pool.majority = pool.active() as u32 / 2 + 1;
            }
            of_pool.led = needed(layout.leaders + id.index());
            of_pool
        });
        let of_balancers = system
            .balancers
            .iter()
            .map(|one| group(&one.slots, one.needs));
        Self {
            layout,
            gates,
            consumers,
            groups: of_pools.chain(of_balancers).collect(),
            group_of: system
                .slots
                .iter()
                .map(|slot| layout.group(slot.owner) as u32)
                .collect(),
            split: Split::new(system),
        }
    }
}

impl Layout {
    fn group(self, owner: Owner) -> usize {
        match owner {
            Owner::Pool(pool) => pool.index(),
            Owner::Balancer(balancer) => self.balancers + balancer.index(),
        }
    }

    /// From how many of its `inputs` down on a gate is down.
    fn fails_at(self, system: &System, gate: usize, inputs: usize) -> u32 {
        let inputs = inputs as u32;
        if (self.calls..self.forked).contains(&gate) || (self.forks..self.journeys).contains(&gate)
        {
            // Either way is enough.
            return inputs;
        }
        if !(self.forked..self.fork_instead).contains(&gate) {
            return 1;
        }
        // One call stands for all copies of it: they are up and down together.
        let fork = &system.forks[ForkId::from_index(gate - self.forked)];
        if fork.copies > 1 {
            return 1;
        }
        // Optional ones are refused where not all are waited for, so the others are all of them.
        inputs.saturating_sub(fork.wait_for) + 1
    }

    /// The gates that each gate depends on.
    fn inputs(self, system: &System) -> Vec<Vec<usize>> {
        let mut inputs = vec![Vec::new(); self.system + 1];
        let needed = |calls: &[CallId]| -> Vec<usize> {
            let items = system.items(calls).filter(|item| {
                let first = &system.calls[item[0]];
                !first
                    .fork
                    .map_or(first.optional, |id| system.forks[id].optional)
            });
            let gate = |item: &[CallId]| match system.calls[item[0]].fork {
                Some(fork) => self.forks + fork.index(),
                None => self.calls + item[0].index(),
            };
            items.map(gate).collect()
        };
        for (id, operation) in system.operations.pairs() {
            let pool = operation.pool.index();
            let mut all = needed(&operation.calls);
            all.push(pool);
            match operation.served_by {
                ServedBy::Any => {}
                ServedBy::Leader => all.push(self.leaders + pool),
                ServedBy::Quorum => all.push(self.quorums + pool),
            }
            inputs[self.operations + id.index()] = all;
        }
        for (id, call) in system.calls.pairs() {
            let mut regular = vec![self.operations + call.to.index()];
            regular.extend(
                call.through
                    .map(|balancer| self.balancers + balancer.index()),
            );
            if call.hit < 1.0 {
                regular.extend(needed(&call.on_miss));
            }
            inputs[self.regular + id.index()] = regular;
            inputs[self.calls + id.index()].push(self.regular + id.index());
            if !call.on_failure.is_empty() {
                inputs[self.instead + id.index()] = needed(&call.on_failure);
                inputs[self.calls + id.index()].push(self.instead + id.index());
            }
        }
        for (id, fork) in system.forks.pairs() {
            let calls = fork
                .calls
                .iter()
                .filter(|&&call| !system.calls[call].optional);
            inputs[self.forked + id.index()] =
                calls.map(|call| self.calls + call.index()).collect();
            inputs[self.forks + id.index()].push(self.forked + id.index());
            if !fork.on_failure.is_empty() {
                inputs[self.fork_instead + id.index()] = needed(&fork.on_failure);
                inputs[self.forks + id.index()].push(self.fork_instead + id.index());
            }
        }
        for (id, journey) in system.journeys.pairs() {
            inputs[self.journeys + id.index()] = needed(&journey.calls);
        }
        let top = if system.journeys.is_empty() {
            0..self.leaders
        } else {
            self.journeys..self.system
        };
        inputs[self.system] = top.collect();
        inputs
    }
}

/// The value of the structure function, kept up to date slot by slot.
#[derive(Clone, Debug)]
pub struct StructureState {
    layout: Layout,
    up: Vec<bool>,
    /// Inputs of each gate that are down.
    down: Vec<u32>,
    /// Slots of each group that can serve.
    serving: Vec<u32>,
    serves: IdVec<SlotId, bool>,
    leaders: IdVec<PoolId, Option<SlotId>>,
    /// Journeys that flipped since [`StructureState::take_flipped`].
    flipped: Vec<JourneyId>,
    stack: Vec<u32>,
    blame: Option<Blame>,
    /// See [`StructureState::changes`].
    changes: u64,
    /// Whether links are cut, or were until just now: then `split` answers, not the gates.
    is_split: bool,
    /// Whether that answer is out of date.
    unsettled: bool,
    split: Option<Box<SplitState>>,
}

impl StructureState {
    /// Everything up, first members leading.
    pub fn new(system: &System, structure: &Structure) -> Self {
        Self {
            layout: structure.layout,
            up: vec![true; structure.gates.len()],
            down: vec![0; structure.gates.len()],
            serving: structure.groups.iter().map(|group| group.size).collect(),
            serves: IdVec::filled(true, system.slots.len()),
            leaders: system
                .pools
                .iter()
                .map(|pool| pool.slots.first().copied())
                .collect(),
            flipped: Vec::with_capacity(2 * system.journeys.len()),
            stack: Vec::with_capacity(structure.gates.len()),
            blame: None,
            changes: 0,
            is_split: false,
            unsettled: false,
            split: structure
                .split
                .as_ref()
                .map(|split| Box::new(SplitState::new(split))),
        }
    }

    /// Everything up again, with these leaders.
    pub fn reset(&mut self, structure: &Structure, leaders: &IdVec<PoolId, Option<SlotId>>) {
        self.up.fill(true);
        self.down.fill(0);
        for (serving, group) in self.serving.iter_mut().zip(&structure.groups) {
            *serving = group.size;
        }
        self.serves.as_mut_slice().fill(true);
        self.leaders
            .as_mut_slice()
            .copy_from_slice(leaders.as_slice());
        self.flipped.clear();
        self.blame = None;
        self.changes += 1;
        (self.is_split, self.unsettled) = (false, false);
        if let Some(split) = &mut self.split {
            split.reset();
        }
    }

    /// A number that grows whenever anything flips that is asked for here, or the blame changes: as
    /// long as it stays, so does every answer but those about single slots.
    #[inline]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether the system is up, nobody is blamed and no journey waits to be taken as flipped.
    #[inline]
    pub fn calm(&self) -> bool {
        self.system_up() && self.blame.is_none() && self.flipped.is_empty() && !self.unsettled
    }

    /// Whether every journey can be served.
    #[inline]
    pub fn system_up(&self) -> bool {
        match &self.split {
            Some(split) if self.is_split => split.system,
            _ => self.up[self.layout.system],
        }
    }

    /// Whether `journey` can be served.
    #[inline]
    pub fn journey_up(&self, journey: JourneyId) -> bool {
        match &self.split {
            Some(split) if self.is_split => split.journeys[journey.index()],
            _ => self.up[self.layout.journeys + journey.index()],
        }
    }

    /// Whether `pool` has enough slots that can serve.
    #[inline]
    pub fn pool_up(&self, pool: PoolId) -> bool {
        self.up[pool.index()]
    }

    /// Whether `balancer` has enough instances that can serve.
    #[inline]
    pub fn balancer_up(&self, balancer: BalancerId) -> bool {
        self.up[self.layout.balancers + balancer.index()]
    }

    /// Whether `operation` can be served, with all it needs.
    pub fn operation_up(&self, operation: OperationId) -> bool {
        self.up[self.layout.operations + operation.index()]
    }

    /// Whether `slot` is running and users reach it.
    #[inline]
    pub fn serves(&self, slot: SlotId) -> bool {
        self.serves[slot]
    }

    /// How many slots of `pool` can serve.
    pub fn serving(&self, pool: PoolId) -> u32 {
        self.serving[pool.index()]
    }

    /// Whom the system's outage is attributed to; `None` while it is up.
    #[inline]
    pub fn blame(&self) -> Option<Blame> {
        self.blame
    }

    /// States whom the system's outage is attributed to.
    pub fn set_blame(&mut self, blame: Option<Blame>) {
        if self.blame != blame {
            self.blame = blame;
            self.changes += 1;
        }
    }

    /// How many instances of `balancer` can serve.
    pub fn instances_serving(&self, balancer: BalancerId) -> u32 {
        self.serving[self.layout.balancers + balancer.index()]
    }

    /// A journey that flipped and was not taken yet. One that flipped twice comes twice.
    pub fn take_flipped(&mut self) -> Option<JourneyId> {
        self.flipped.pop()
    }

    /// `slot` can serve from now on, or cannot.
    #[inline]
    pub fn set_slot(&mut self, structure: &Structure, slot: SlotId, serves: bool) {
        if self.serves[slot] == serves {
            return;
        }
        self.serves[slot] = serves;
        self.unsettled |= self.is_split;
        let index = structure.group_of[slot] as usize;
        let group = &structure.groups[index];
        // The threshold is crossed between `needs` and the count below it, in either direction.
        let before = self.serving[index];
        let after = before + 2 * u32::from(serves) - 1;
        self.serving[index] = after;
        let most = before.max(after);
        if most == group.needs {
            self.shift(structure, index, serves);
        }
        if most == group.majority {
            self.shift(structure, self.layout.quorums + index, serves);
        }
        if group.led && self.leaders[PoolId::from_index(index)] == Some(slot) {
            self.shift(structure, self.layout.leaders + index, serves);
        }
    }

    /// `leader` leads `pool` from now on.
    pub fn set_leader(&mut self, structure: &Structure, pool: PoolId, leader: Option<SlotId>) {
        let leads = |leader: Option<SlotId>| leader.is_some_and(|slot| self.serves[slot]);
        let (before, after) = (leads(self.leaders[pool]), leads(leader));
        self.leaders[pool] = leader;
        self.unsettled |= self.is_split;
        if before != after && structure.groups[pool.index()].led {
            self.shift(structure, self.layout.leaders + pool.index(), after);
        }
    }

    /// The links are like this from now on, and `changed` is not as it was. While any is cut,
    /// [`StructureState::settle`] has to be called after each change, before any journey is asked for.
    pub fn set_link(
        &mut self,
        structure: &Structure,
        links: &IdVec<LinkId, LinkState>,
        changed: LinkId,
    ) {
        let (Some(split), Some(state)) = (&structure.split, &mut self.split) else {
            return;
        };
        let was_cut = state.is_cut();
        state.set_link(split, links, changed);
        if !self.is_split && state.is_cut() {
            let journeys = &self.up[self.layout.journeys..self.layout.system];
            state.journeys.copy_from_slice(journeys);
            state.system = self.up[self.layout.system];
            self.is_split = true;
        }
        self.unsettled |= was_cut || state.is_cut();
    }

    /// Works out anew what depends on links that are cut, if anything has changed.
    #[inline]
    pub fn settle(&mut self, structure: &Structure) {
        if self.unsettled {
            self.settle_split(structure);
        }
    }

    #[cold]
    fn settle_split(&mut self, structure: &Structure) {
        self.unsettled = false;
        let (Some(split), Some(state)) = (&structure.split, &mut self.split) else {
            return;
        };
        state.remember();
        if state.is_cut() {
            let slots = Slots {
                serves: &self.serves,
                leaders: &self.leaders,
            };
            state.evaluate(split, slots);
            if self.layout.journeys == self.layout.system {
                // Pools and balancers as such know of no network.
                state.system = self.up[self.layout.system];
            }
        } else {
            let journeys = &self.up[self.layout.journeys..self.layout.system];
            state.journeys.copy_from_slice(journeys);
            state.system = self.up[self.layout.system];
            self.is_split = false;
        }
        self.changes += u64::from(state.compare(&mut self.flipped));
    }

    /// An input of `gate` rose or fell; so do the gates above it that depend on it.
    #[inline(never)]
    fn shift(&mut self, structure: &Structure, gate: usize, rose: bool) {
        self.stack.push(gate as u32);
        while let Some(index) = self.stack.pop() {
            let index = index as usize;
            let gate = &structure.gates[index];
            if rose {
                self.down[index] -= 1;
            } else {
                self.down[index] += 1;
            }
            let up = self.down[index] < gate.fails_at;
            if up != self.up[index] {
                self.up[index] = up;
                self.changes += 1;
                if (self.layout.journeys..self.layout.system).contains(&index) && !self.is_split {
                    self.flipped
                        .push(JourneyId::from_index(index - self.layout.journeys));
                }
                let (first, end) = gate.consumers;
                self.stack
                    .extend_from_slice(&structure.consumers[first as usize..end as usize]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::random_system;
    use crate::random::Stream;

    #[test]
    fn slot_by_slot_equals_from_nothing_on_random_systems() {
        let mut stream = Stream::from_key(5);
        let (mut up, mut down) = (0, 0);
        for case in 0..400 {
            let system = random_system(&mut stream);
            let structure = Structure::new(&system);
            let mut state = StructureState::new(&system, &structure);
            let mut leaders: IdVec<PoolId, Option<SlotId>> = system
                .pools
                .iter()
                .map(|pool| Some(pool.slots[0]))
                .collect();
            let mut serves: IdVec<SlotId, bool> = IdVec::filled(true, system.slots.len());
            let mut journeys = vec![true; system.journeys.len()];
            for _ in 0..60 {
                if stream.uniform() < 0.2 {
                    let pool = PoolId::from_index(stream.bits() as usize % system.pools.len());
                    let members = &system.pools[pool].slots;
                    leaders[pool] = members
                        .get(stream.bits() as usize % (members.len() + 1))
                        .copied();
                    state.set_leader(&structure, pool, leaders[pool]);
                } else {
                    let slot = SlotId::from_index(stream.bits() as usize % system.slots.len());
                    // Mostly up, or every system would soon be down for good.
                    serves[slot] = stream.uniform() < 0.7;
                    state.set_slot(&structure, slot, serves[slot]);
                }
                let expected = evaluate(&system, |slot| serves[slot], &leaders);
                let found = Verdicts {
                    pools: system.pools.ids().map(|id| state.pool_up(id)).collect(),
                    balancers: system
                        .balancers
                        .ids()
                        .map(|id| state.balancer_up(id))
                        .collect(),
                    operations: system
                        .operations
                        .ids()
                        .map(|id| state.operation_up(id))
                        .collect(),
                    journeys: system
                        .journeys
                        .ids()
                        .map(|id| state.journey_up(id))
                        .collect(),
                    system: state.system_up(),
                };
                assert_eq!(found, expected, "case {case}: {system:#?}");
                while let Some(journey) = state.take_flipped() {
                    journeys[journey.index()] = !journeys[journey.index()];
                }
                assert_eq!(journeys, expected.journeys.as_slice());
                up += usize::from(expected.system);
                down += usize::from(!expected.system);
            }
        }
        assert!(up > 3_000 && down > 3_000, "{up} up, {down} down");
    }
}
