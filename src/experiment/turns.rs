//! How often faults that come and go while they last do so, for statements of cost.

use crate::ids::{CrewId, FaultId, IdVec};
use crate::model::{Handling, Repair, System};

/// Times that one component with each fault sees it come again while it lasts, per second of a
/// history, about.
pub(super) struct Turns(IdVec<FaultId, f64>);

impl Turns {
    /// Of every fault; what waits for an overworked crew, or for parts that come too slowly, is taken
    /// to last for ever.
    pub(super) fn of(system: &System) -> Self {
        let mut turns = IdVec::filled(0.0, system.faults.len());
        if system.care.flaps.is_empty() {
            return Self(turns);
        }
        let mut crews: IdVec<CrewId, f64> = IdVec::filled(0.0, system.care.crews.len());
        let mut stocks: IdVec<FaultId, f64> = IdVec::filled(0.0, system.faults.len());
        let mut shocks: IdVec<FaultId, f64> = IdVec::filled(0.0, system.faults.len());
        for clock in &system.clocks {
            let fault = &system.faults[clock.fault];
            let Some(repair) = system.care.repairs.get(&clock.fault) else {
                continue;
            };
            let busy = |span: f64| span / (fault.every.mean() + span).max(1e-9);
            if let Some(crew) = repair.crew {
                crews[crew] += busy(fault.lasts.mean()) / f64::from(system.care.crews[crew].count);
            }
            if let Some(spares) = &repair.spares {
                stocks[clock.fault] += busy(spares.replaced_in.mean()) / f64::from(spares.count);
            }
        }
        for common in &system.care.commons {
            let every = system.faults[system.clocks[common.clock].fault]
                .every
                .mean();
            for &hit in &common.hits {
                let fault = system.clocks[hit].fault;
                // Of several components with one fault, each is hit: the most of one is what counts.
                shocks[fault] = shocks[fault].max(common.chance / every.max(1e-9));
            }
        }
        for (&id, flaps) in &system.care.flaps {
            let fault = &system.faults[id];
            let begins = 1.0 / fault.every.mean().max(1e-9) + shocks[id];
            let repair = system.care.repairs.get(&id);
            let crew = repair.and_then(|repair| repair.crew);
            let waits = stocks[id].max(crew.map_or(0.0, |crew| crews[crew]));
            let lasts = fault.lasts.mean() + repair.map_or(0.0, |repair| notice(system, repair));
            let ratio = begins * lasts / (1.0 - waits).max(0.0);
            let share = if ratio.is_finite() {
                ratio / (1.0 + ratio)
            } else {
                1.0
            };
            turns[id] = share / (flaps.down.mean() + flaps.up.mean());
        }
        Self(turns)
    }

    /// Of this fault.
    pub(super) fn per_s(&self, fault: FaultId) -> f64 {
        self.0[fault]
    }
}

/// Until the fault is noticed, in the mean, seconds.
fn notice(system: &System, repair: &Repair) -> f64 {
    match &repair.noticed_in {
        Handling::Drawn(dist) => dist.mean(),
        Handling::People(people) => system.care.people[*people].mean(),
    }
}
