//! The inputs whose break-even factors are looked for: faults, how soon they are noticed, and what takes
//! over with which chance.

use super::outcome::{Outcome, Scaled};
use crate::ids::{BalancerId, FaultId, Id, PoolId};
use crate::model::{Handling, PoolKind, StoreFailover, System};
use crate::random::Dist;

/// Faults that are looked at: those that cost most.
const FAULTS: usize = 3;

/// Delays and chances that are looked at beside them.
const OTHERS: usize = 4;

/// One number of a design, or one law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// How often a fault comes.
    Every(FaultId),
    /// How long it lasts.
    Lasts(FaultId),
    /// Until anybody does anything about it.
    Noticed(FaultId),
    /// From the loss of a leader to its detection; of a lease, how long the key lives.
    Detect(PoolId),
    /// How many failovers of a store do not work.
    Coverage(PoolId),
    /// The time until something that stands by serves.
    Activates(PoolId),
    /// How many activations do not work.
    Activation(PoolId),
    /// How often a balancer probes.
    Probes(BalancerId),
    /// How often its instances advertise.
    Adverts(BalancerId),
    /// How many takeovers of its address do not work.
    Takeover(BalancerId),
}

/// What is scaled: faults by what they cost, of requests or of structure, then delays and chances in the order of the file.
pub(super) fn inputs(system: &System, outcome: &Outcome, of_requests: bool) -> Vec<Input> {
    let faults = worst(system, outcome, of_requests);
    let mut rows: Vec<Input> = Vec::new();
    for &fault in &faults {
        rows.push(Input::Every(fault));
        if !system.faults[fault].lasts.is_zero() {
            rows.push(Input::Lasts(fault));
        }
    }
    let mut others: Vec<Input> = Vec::new();
    for &fault in &faults {
        if let Some(repair) = system.care.repairs.get(&fault)
            && let Handling::Drawn(dist) = &repair.noticed_in
            && !dist.is_zero()
        {
            others.push(Input::Noticed(fault));
        }
    }
    for (id, pool) in system.pools.pairs() {
        if let PoolKind::Store {
            failover: Some(failover),
            ..
        } = &pool.kind
        {
            match failover {
                StoreFailover::Generic(generic) => {
                    if !generic.detect.is_zero() {
                        others.push(Input::Detect(id));
                    }
                    if generic.coverage < 1.0 {
                        others.push(Input::Coverage(id));
                    }
                }
                StoreFailover::Lease(_) | StoreFailover::Quorum(_) => {
                    others.push(Input::Detect(id));
                }
            }
        }
        if let Some(standby) = &pool.standby {
            if !standby.activates_in.is_zero() {
                others.push(Input::Activates(id));
            }
            if standby.coverage < 1.0 {
                others.push(Input::Activation(id));
            }
        }
    }
    // The structure function sees neither probes nor addresses.
    for (id, balancer) in system.balancers.pairs().filter(|_| of_requests) {
        if balancer.probes.is_some() {
            others.push(Input::Probes(id));
        }
        if let Some(vrrp) = &balancer.failover {
            others.push(Input::Adverts(id));
            if vrrp.coverage < 1.0 {
                others.push(Input::Takeover(id));
            }
        }
    }
    others.truncate(OTHERS);
    rows.extend(others);
    rows
}

/// The faults that cost most and have a law of their own.
fn worst(system: &System, outcome: &Outcome, of_requests: bool) -> Vec<FaultId> {
    let lost = |id: FaultId| -> f64 {
        let rows = outcome.causes.iter();
        let mine = rows.filter(|row| row.fault == system.faults[id].name);
        mine.map(|row| {
            if of_requests {
                row.failed_per_million.map_or(0.0, |failed| failed.value)
            } else {
                row.structural_downtime_s_per_year.value
            }
        })
        .sum()
    };
    let mut faults: Vec<(f64, FaultId)> = system
        .faults
        .pairs()
        .filter(|(_, fault)| !fault.kind.is_driven())
        .map(|(id, _)| (lost(id), id))
        .filter(|(lost, _)| *lost > 0.0)
        .collect();
    faults.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.index().cmp(&b.1.index())));
    faults.truncate(FAULTS);
    faults.into_iter().map(|(_, id)| id).collect()
}

/// `dist` times `factor`, if there is such a law.
fn stretch(dist: &mut Dist, factor: f64) -> bool {
    dist.scaled(factor).map(|scaled| *dist = scaled).is_ok()
}

/// `factor` times as many failures; no more than all.
fn fail(coverage: &mut f64, factor: f64) -> bool {
    let failing = (1.0 - *coverage) * factor;
    *coverage = 1.0 - failing;
    failing <= 1.0
}

impl Input {
    /// The name on the way to it in the file.
    pub(super) fn name(self, system: &System) -> String {
        let pool = |id: PoolId, field: &str| format!("{}.{field}", system.pools[id].name);
        let balancer =
            |id: BalancerId, field: &str| format!("{}.{field}", system.balancers[id].name);
        match self {
            Self::Every(id) => format!("{}.every", system.faults[id].name),
            Self::Lasts(id) => format!("{}.lasts", system.faults[id].name),
            Self::Noticed(id) => format!("{}.noticed_in", system.faults[id].name),
            Self::Detect(id) => match &system.pools[id].kind {
                PoolKind::Store {
                    failover: Some(StoreFailover::Lease(_)),
                    ..
                } => pool(id, "failover.ttl"),
                PoolKind::Store {
                    failover: Some(StoreFailover::Quorum(_)),
                    ..
                } => pool(id, "failover.elects_in"),
                _ => pool(id, "failover.detect"),
            },
            Self::Coverage(id) => pool(id, "failover.coverage"),
            Self::Activates(id) => pool(id, "standby.activates_in"),
            Self::Activation(id) => pool(id, "standby.coverage"),
            Self::Probes(id) => balancer(id, "probes.interval"),
            Self::Adverts(id) => balancer(id, "failover.advert_int"),
            Self::Takeover(id) => balancer(id, "failover.coverage"),
        }
    }

    /// What a factor says about it.
    pub(super) fn scaled(self) -> Scaled {
        match self {
            Self::Every(_) => Scaled::Often,
            Self::Coverage(_) | Self::Activation(_) | Self::Takeover(_) => Scaled::Failing,
            Self::Lasts(_)
            | Self::Noticed(_)
            | Self::Detect(_)
            | Self::Activates(_)
            | Self::Probes(_)
            | Self::Adverts(_) => Scaled::Long,
        }
    }

    /// Makes it `factor` times as bad; returns whether that is possible.
    pub(super) fn scale(self, system: &mut System, factor: f64) -> bool {
        match self {
            Self::Every(id) => stretch(&mut system.faults[id].every, 1.0 / factor),
            Self::Lasts(id) => stretch(&mut system.faults[id].lasts, factor),
            Self::Noticed(id) => {
                let repair = system.care.repairs.get_mut(&id);
                match repair.map(|repair| &mut repair.noticed_in) {
                    Some(Handling::Drawn(dist)) => stretch(dist, factor),
                    Some(Handling::People(_)) | None => false,
                }
            }
            Self::Detect(id) => match &mut system.pools[id].kind {
                PoolKind::Store {
                    failover: Some(StoreFailover::Lease(lease)),
                    ..
                } => {
                    lease.ttl = lease.ttl.mul_f64(factor);
                    // The key must outlive the pause between two renewals.
                    lease.ttl >= lease.loop_wait
                }
                PoolKind::Store {
                    failover: Some(StoreFailover::Generic(generic)),
                    ..
                } => stretch(&mut generic.detect, factor),
                PoolKind::Store {
                    failover: Some(StoreFailover::Quorum(quorum)),
                    ..
                } => stretch(&mut quorum.elects_in, factor),
                _ => false,
            },
            Self::Coverage(id) => match &mut system.pools[id].kind {
                PoolKind::Store {
                    failover: Some(StoreFailover::Generic(generic)),
                    ..
                } => fail(&mut generic.coverage, factor),
                _ => false,
            },
            Self::Activates(id) => {
                let standby = system.pools[id].standby.as_mut();
                standby.is_some_and(|standby| stretch(&mut standby.activates_in, factor))
            }
            Self::Activation(id) => {
                let standby = system.pools[id].standby.as_mut();
                standby.is_some_and(|standby| fail(&mut standby.coverage, factor))
            }
            Self::Probes(id) => system.balancers[id].probes.as_mut().is_some_and(|probes| {
                probes.interval = probes.interval.mul_f64(factor);
                probes.timeout = probes.timeout.min(probes.interval);
                probes.takes < probes.timeout
            }),
            Self::Adverts(id) => system.balancers[id].failover.as_mut().is_some_and(|vrrp| {
                vrrp.advert_int = vrrp.advert_int.mul_f64(factor);
                !vrrp.advert_int.is_zero()
            }),
            Self::Takeover(id) => {
                let vrrp = system.balancers[id].failover.as_mut();
                vrrp.is_some_and(|vrrp| fail(&mut vrrp.coverage, factor))
            }
        }
    }
}
