//! What faults do, and to which slots.

use super::lists::Lists;
use super::stops::Stop;
use crate::ids::{ClockId, DomainId, Id, LinkId, SlotId, WorkloadId};
use crate::model::{Component, FaultKind, OutageKind, Owner, System};

/// What a fault does to the slots it affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The process of this slot, which starts at once, ends.
    Lone(SlotId),
    /// They stop for this reason.
    Stop(Stop),
    /// The same, with the machine they are on: what else runs there stops too.
    Machine(Stop),
    /// They become slow, or answer with errors.
    Impair,
    /// This domain is cut off with them.
    Isolation(DomainId),
    /// This link between them is cut, or becomes lossy or slow.
    Link(LinkId),
    /// This workload sends more.
    Burst(WorkloadId),
}

impl Effect {
    /// Whether processes end by it.
    pub(super) fn ends_process(self) -> bool {
        match self {
            Self::Lone(_) => true,
            Self::Stop(stop) | Self::Machine(stop) => stop != Stop::Paused,
            Self::Impair | Self::Isolation(_) | Self::Burst(_) | Self::Link(_) => false,
        }
    }
}

/// The slots that each clock's fault affects, and how.
pub(super) fn affected(system: &System) -> (Lists<SlotId>, Vec<Effect>) {
    let mut in_domain = vec![Vec::new(); system.domains.len()];
    let mut on_node = vec![Vec::new(); system.nodes.len()];
    for (id, slot) in system.slots.pairs() {
        if let Some(node) = slot.node {
            on_node[node.index()].push(id);
        }
        let mut around = slot.domain;
        while let Some(domain) = around {
            in_domain[domain.index()].push(id);
            around = system.domains[domain].parent;
        }
    }
    let clocks = system.clocks.iter().map(|clock| {
        let kind = system.faults[clock.fault].kind;
        let slots = match clock.component {
            Component::Slot(slot) => vec![slot],
            Component::Node(node) => on_node[node.index()].clone(),
            Component::Domain(domain) => in_domain[domain.index()].clone(),
            Component::Pool(pool) => system.pools[pool].slots.clone(),
            Component::Balancer(id) => system.balancers[id].slots.clone(),
            Component::Link(link) => {
                let ends = system.links[link].ends;
                ends.iter().flat_map(|&end| system.slots_at(end)).collect()
            }
            Component::Common(_) | Component::Workload(_) => Vec::new(),
        };
        (slots, effect(clock.component, kind))
    });
    let (mut slots, effects): (Vec<_>, Vec<_>) = clocks.unzip();
    for (slots, clock) in slots.iter_mut().zip(&system.clocks) {
        // Handing on takes a balancer no time, so nothing there can take longer.
        if matches!(system.faults[clock.fault].kind, FaultKind::Slow { .. }) {
            slots.retain(|&slot| matches!(system.slots[slot].owner, Owner::Pool(_)));
        }
    }
    for common in &system.care.commons {
        let hits = common.hits.iter();
        let mut all: Vec<SlotId> = hits.flat_map(|hit| slots[hit.index()].clone()).collect();
        all.sort_unstable();
        all.dedup();
        slots[common.clock.index()] = all;
    }
    (Lists::new(&slots), effects)
}

/// What a fault of this kind does to what it affects.
fn effect(component: Component, kind: FaultKind) -> Effect {
    if let Component::Link(link) = component {
        return Effect::Link(link);
    }
    let stop = match kind {
        FaultKind::Slow { .. }
        | FaultKind::Errors { .. }
        | FaultKind::Outage(OutageKind::Errors) => return Effect::Impair,
        // A third party without a sign of life is like one whose machine is gone.
        FaultKind::Outage(OutageKind::Silent) => return Effect::Stop(Stop::Machine),
        FaultKind::Outage(OutageKind::Refused) => return Effect::Stop(Stop::Process),
        FaultKind::Hang => Stop::Hung,
        FaultKind::Pause => Stop::Paused,
        FaultKind::Crash
        | FaultKind::Power
        | FaultKind::Isolated
        | FaultKind::Common
        | FaultKind::Maintenance
        | FaultKind::Rollout
        | FaultKind::Release
        | FaultKind::Configuration
        | FaultKind::Certificate
        | FaultKind::Partition
        | FaultKind::Loss { .. }
        | FaultKind::Latency { .. }
        | FaultKind::Burst => Stop::Machine,
    };
    match component {
        // It does nothing itself; the faults that it starts do.
        Component::Common(_) => Effect::Stop(Stop::Process),
        Component::Workload(workload) => Effect::Burst(workload),
        // What all replicas share never has a machine of its own.
        Component::Pool(_) | Component::Balancer(_) => Effect::Stop(Stop::Process),
        Component::Slot(_) if stop == Stop::Machine => Effect::Stop(Stop::Process),
        Component::Slot(_) => Effect::Stop(stop),
        Component::Domain(domain) if kind == FaultKind::Isolated => Effect::Isolation(domain),
        Component::Node(_) | Component::Domain(_) | Component::Link(_) => Effect::Machine(stop),
    }
}

/// The clocks that make each slot slow or answer with errors.
pub(super) fn impaired_by(
    system: &System,
    affected: &Lists<SlotId>,
) -> Lists<(ClockId, FaultKind)> {
    let mut of_slots = vec![Vec::new(); system.slots.len()];
    for (id, clock) in system.clocks.pairs() {
        let kind = system.faults[clock.fault].kind;
        if kind.impairs() {
            for slot in affected.of(id.index()) {
                of_slots[slot.index()].push((id, kind));
            }
        }
    }
    Lists::new(&of_slots)
}
