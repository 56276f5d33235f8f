//! Fault clocks that run only while their component does.
//!
//! When such a component stops running, the time to the next fault of each of its clocks that waits
//! for one is frozen, and goes on where it was when the component runs again: no draw depends on it,
//! and a fault that is active ends by the calendar. A *part* is a component with such clocks. What
//! stands by runs, and grows old at the rate of its standby; clocks that are taken care of know both
//! (`care.rs`).
//!
//! A steady history begins in equilibrium where nothing else stops the component. In its own operating
//! time each clock is a renewal process in equilibrium, and faults that stop the component exclude each
//! other: with r_i = E lasts_i / E every_i, fault i is active with probability r_i / (1 + sum r_j).
//! Start-ups, machines, power, and faults of the same component by the calendar disturb this by
//! products of two small probabilities; the burn-in (`burn_in.rs`) outlasts the faults and with them
//! the disturbance.

use super::lists::Lists;
use super::plan::{Handled, NONE, Plan};
use super::state::State;
use crate::ids::{ClockId, Id, IdVec, SlotId};
use crate::model::{ClockRuns, Component, FaultKind, System};
use crate::path::SlotState;
use crate::time::SimTime;

/// One component with clocks that run only while it does.
#[derive(Clone, Debug)]
struct Part {
    clocks: Vec<ClockId>,
    /// If it is a slot, whose state says whether it runs.
    slot: Option<SlotId>,
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Operated {
    parts: Vec<Part>,
    /// The part of each slot, or [`NONE`].
    of_slot: IdVec<SlotId, u32>,
    /// The part of each clock that runs only while its component does, or [`NONE`].
    of_clock: IdVec<ClockId, u32>,
    /// The parts, machines and domains, that the fault of each clock stops.
    stops: Lists<u32>,
}

/// Whether one of them runs.
#[derive(Clone, Debug)]
pub(super) struct PartNow {
    runs: bool,
    /// Active faults that stop it, if it is no slot.
    stops: u32,
    /// While a history begins: whether a fault that stops it is active.
    taken: bool,
}

/// Whether this fault of a component stops the component itself.
pub(super) fn stops_itself(kind: FaultKind) -> bool {
    match kind {
        FaultKind::Crash
        | FaultKind::Hang
        | FaultKind::Pause
        | FaultKind::Power
        | FaultKind::Maintenance
        | FaultKind::Rollout
        | FaultKind::Release
        | FaultKind::Configuration
        | FaultKind::Certificate
        | FaultKind::Partition
        | FaultKind::Outage(_) => true,
        FaultKind::Slow { .. }
        | FaultKind::Errors { .. }
        | FaultKind::Isolated
        | FaultKind::Common
        | FaultKind::Burst
        | FaultKind::Loss { .. }
        | FaultKind::Latency { .. } => false,
    }
}

impl Operated {
    pub(super) fn new(system: &System) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut components: Vec<Component> = Vec::new();
        let mut of_slot = IdVec::filled(NONE, system.slots.len());
        let mut of_clock = IdVec::filled(NONE, system.clocks.len());
        for (id, clock) in system.clocks.pairs() {
            if system.faults[clock.fault].runs == ClockRuns::Calendar {
                continue;
            }
            let known = components.iter().position(|&one| one == clock.component);
            let row = known.unwrap_or_else(|| {
                let slot = match clock.component {
                    Component::Slot(slot) => Some(slot),
                    Component::Node(_)
                    | Component::Domain(_)
                    | Component::Pool(_)
                    | Component::Balancer(_)
                    | Component::Link(_)
                    | Component::Common(_)
                    | Component::Workload(_) => None,
                };
                components.push(clock.component);
                parts.push(Part {
                    clocks: Vec::new(),
                    slot,
                });
                parts.len() - 1
            });
            parts[row].clocks.push(id);
            of_clock[id] = row as u32;
            if let Some(slot) = parts[row].slot {
                of_slot[slot] = row as u32;
            }
        }
        let stops: Vec<Vec<u32>> = system
            .clocks
            .iter()
            .map(|clock| {
                let kind = system.faults[clock.fault].kind;
                let rows = components.iter().zip(0..);
                let stopped = rows.filter(|&(&part, _)| {
                    !matches!(part, Component::Slot(_))
                        && stops_itself(kind)
                        && reaches(system, clock.component, part)
                });
                stopped.map(|(_, row)| row).collect()
            })
            .collect();
        Self {
            parts,
            of_slot,
            of_clock,
            stops: Lists::new(&stops),
        }
    }

    /// Whether there are any.
    #[inline]
    pub(super) fn is_any(&self) -> bool {
        !self.parts.is_empty()
    }

    pub(super) fn has_slot(&self, slot: SlotId) -> bool {
        self.of_slot[slot] != NONE
    }

    pub(super) fn all_running(&self) -> Vec<PartNow> {
        let running = PartNow {
            runs: true,
            stops: 0,
            taken: false,
        };
        vec![running; self.parts.len()]
    }

    /// The probability that the fault of `clock` is active, given that none is active that excludes it
    /// and comes before it in the order of clocks.
    pub(super) fn down_share(&self, system: &System, clock: ClockId) -> f64 {
        let fault = |id: ClockId| &system.faults[system.clocks[id].fault];
        let ratio = |id: ClockId| {
            let (up, down) = (fault(id).every.mean(), fault(id).lasts.mean());
            if down > 0.0 { down / up } else { 0.0 }
        };
        let excludes = |id: &ClockId| stops_itself(fault(*id).kind);
        let own = ratio(clock);
        if self.of_clock[clock] == NONE || !excludes(&clock) {
            return own / (1.0 + own);
        }
        let others = self.parts[self.of_clock[clock] as usize].clocks.iter();
        // Earlier ones are not active: what is left is shared by this one, the later ones and "runs".
        let left: f64 = others
            .copied()
            .filter(|id| excludes(id) && *id >= clock)
            .map(ratio)
            .sum();
        own / (1.0 + left)
    }

    /// Whether the fault of `clock`, which would be active when a history begins, is excluded by
    /// another; if not, it excludes those to come.
    pub(super) fn is_taken(&self, plan: &Plan, clock: ClockId, parts: &mut [PartNow]) -> bool {
        let row = self.of_clock[clock];
        row != NONE
            && plan.clocks[clock].excludes
            && std::mem::replace(&mut parts[row as usize].taken, true)
    }
}

/// Whether `part`, a machine or domain, is `component` or lies in it.
fn reaches(system: &System, component: Component, part: Component) -> bool {
    if component == part {
        return true;
    }
    let Component::Domain(around) = component else {
        return false;
    };
    let mut domain = match part {
        Component::Slot(_)
        | Component::Pool(_)
        | Component::Balancer(_)
        | Component::Link(_)
        | Component::Common(_)
        | Component::Workload(_) => None,
        Component::Node(node) => system.nodes[node].domain,
        Component::Domain(domain) => system.domains[domain].parent,
    };
    while let Some(id) = domain {
        if id == around {
            return true;
        }
        domain = system.domains[id].parent;
    }
    false
}

impl State {
    /// Who runs when a history begins.
    pub(super) fn first_running(&mut self, plan: &Plan) {
        let operated = &plan.operated;
        if !operated.is_any() {
            return;
        }
        for row in 0..operated.parts.len() {
            self.parts[row].runs = true;
            self.parts[row].stops = 0;
            self.parts[row].taken = false;
        }
        for id in plan.clocks.ids() {
            if !self.has_effect(plan, id) {
                continue;
            }
            for &row in operated.stops.of(id.index()) {
                self.parts[row as usize].stops += 1;
            }
        }
        self.frozen.as_mut_slice().fill(None);
        for row in 0..operated.parts.len() {
            self.look_at_part(plan, row);
        }
    }

    /// The fault of `clock` begins or ends, and with it, if that `acts`, what keeps machines and domains
    /// from running. All slots have their states.
    pub(super) fn stop_operated(&mut self, plan: &Plan, clock: ClockId, begins: bool, acts: bool) {
        if acts {
            self.count_stop(plan, clock, begins);
        }
        let own = plan.operated.of_clock[clock];
        let alone = plan.clocks[clock].handled == Handled::Alone;
        if own != NONE && alone && !begins && !self.parts[own as usize].runs {
            self.freeze(clock);
        }
    }

    /// What keeps machines and domains from running comes or goes with the effect of `clock`.
    pub(super) fn count_stop(&mut self, plan: &Plan, clock: ClockId, begins: bool) {
        let operated = &plan.operated;
        for &row in operated.stops.of(clock.index()) {
            let part = &mut self.parts[row as usize];
            part.stops = if begins {
                part.stops + 1
            } else {
                part.stops - 1
            };
            self.look_at_part(plan, row as usize);
        }
    }

    /// Slots have changed.
    pub(super) fn run_slots(&mut self, plan: &Plan) {
        for index in 0..self.changed.len() {
            let row = plan.operated.of_slot[self.changed[index]];
            if row != NONE {
                self.look_at_part(plan, row as usize);
            }
        }
    }

    /// Freezes the clocks of a part that has stopped running, or lets them go on.
    fn look_at_part(&mut self, plan: &Plan, row: usize) {
        let part = &plan.operated.parts[row];
        let now = &mut self.parts[row];
        let runs = match part.slot {
            // How fast what stands by grows old is said by its rate (`care.rs`).
            Some(slot) => {
                let state = self.regime.slots[slot];
                matches!(state, SlotState::Serving | SlotState::Standby)
            }
            None => now.stops == 0,
        };
        if std::mem::replace(&mut now.runs, runs) == runs {
            return;
        }
        for &clock in &part.clocks {
            if let Handled::Case(case) = plan.clocks[clock].handled {
                self.set_running(plan, case, runs);
            } else if runs {
                if let Some(left) = self.frozen[clock].take() {
                    self.agenda.set_clock(clock, self.now + left);
                }
            } else if !self.clocks[clock].active {
                self.freeze(clock);
            }
        }
    }

    /// Keeps what is left of the time to the next fault.
    fn freeze(&mut self, clock: ClockId) {
        let due = self.agenda.due_clock(clock);
        if due != SimTime::NEVER {
            self.frozen[clock] = Some(due - self.now);
            self.agenda.set_clock(clock, SimTime::NEVER);
        }
    }
}
