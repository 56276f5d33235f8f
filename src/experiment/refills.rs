//! How long caches fill again, replicas that come back get less than their share, and ejections grow to their longest,
//! for statements of cost.

use crate::ids::{DomainId, SlotId};
use crate::model::{Balancer, Component, Owner, Slot, System};

/// Seconds of a history in which they do, about: windows go on until it is over.
pub(super) fn seconds(system: &System, horizon_s: f64) -> f64 {
    let inside = |mut place: Option<DomainId>, domain: DomainId| {
        while let Some(id) = place {
            if id == domain {
                return true;
            }
            place = system.domains[id].parent;
        }
        false
    };
    let fills = |slot: &Slot| match slot.owner {
        Owner::Pool(pool) => {
            let balancers = system.balancers.iter().filter(|row| row.to == pool);
            let settles = |row: &Balancer| {
                let rule = row
                    .outlier_detection
                    .as_ref()
                    .filter(|_| row.probes.is_none());
                rule.map_or(row.slow_start, |rule| rule.grows_for().max(row.slow_start))
            };
            let starts = balancers.map(settles).max();
            let fills = system.pools[pool].refills_in;
            fills.max(starts.unwrap_or_default()).as_secs_f64()
        }
        Owner::Balancer(_) => 0.0,
    };
    let mut secs = 0.0;
    for clock in &system.clocks {
        let fault = &system.faults[clock.fault];
        let often = horizon_s / (fault.every.mean() + fault.lasts.mean()).max(1e-9);
        let stops = |id: SlotId, slot: &Slot| match clock.component {
            Component::Slot(other) => other == id,
            Component::Node(node) => slot.node == Some(node),
            Component::Domain(domain) => inside(slot.domain, domain),
            Component::Pool(pool) => matches!(slot.owner, Owner::Pool(own) if own == pool),
            Component::Balancer(_)
            | Component::Link(_)
            | Component::Common(_)
            | Component::Workload(_) => false,
        };
        let slots = system.slots.pairs().filter(|(id, slot)| stops(*id, slot));
        secs += often * slots.map(|(_, slot)| fills(slot)).fold(0.0, f64::max);
    }
    secs
}
