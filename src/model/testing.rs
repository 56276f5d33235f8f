//! Small systems for tests, built by hand in a line for each part.

use super::{
    Algorithm, Backoff, Balancer, Call, Campaign, CampaignWork, Change, ClockRuns, CommonCause,
    Component, Discipline, Domain, Fault, FaultClock, FaultKind, Fork, Jitter, Journey,
    Maintenance, Node, Operation, Owner, Pool, PoolKind, Release, Retries, Rhythm, Roll,
    RunSettings, ServedBy, Slot, Start, System,
};
use crate::ids::{
    BalancerId, CallId, CampaignId, ClockId, DomainId, Id, IdVec, JourneyId, NodeId, OperationId,
    PoolId, SlotId,
};
use crate::random::{Dist, Stream};
use crate::time::SimSpan;

/// Always `secs`.
pub(crate) fn fixed(secs: f64) -> Dist {
    Dist::constant(secs).unwrap()
}

/// Exponential with this mean, seconds.
pub(crate) fn exponential(secs: f64) -> Dist {
    Dist::exponential(secs).unwrap()
}

/// Where a slot stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Nowhere,
    In(DomainId),
    On(NodeId),
}

impl System {
    /// A system with nothing in it, steady, over one year.
    pub(crate) fn empty() -> Self {
        Self {
            name: "test".into(),
            run: RunSettings {
                horizon: SimSpan::from_secs(365 * 86_400),
                seed: 1,
                start: Start::Steady,
                method: None,
                replications: None,
                slice: None,
                bad_below: 0.95,
            },
            domains: IdVec::new(),
            links: IdVec::new(),
            nodes: IdVec::new(),
            slots: IdVec::new(),
            pools: IdVec::new(),
            balancers: IdVec::new(),
            operations: IdVec::new(),
            calls: IdVec::new(),
            forks: IdVec::new(),
            channels: IdVec::new(),
            queues: IdVec::new(),
            journeys: IdVec::new(),
            workloads: IdVec::new(),
            faults: IdVec::new(),
            clocks: IdVec::new(),
            campaigns: IdVec::new(),
            care: super::Care::default(),
            targets: Vec::new(),
            prices: super::Prices::default(),
            needs_at_peak: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(crate) fn domain(&mut self, name: &str, parent: Option<DomainId>) -> DomainId {
        self.domains.push(Domain {
            name: name.into(),
            kind: "zone".into(),
            parent,
        })
    }

    pub(crate) fn node(&mut self, name: &str, domain: Option<DomainId>) -> NodeId {
        self.nodes.push(Node {
            name: name.into(),
            domain,
        })
    }

    fn slots_of(&mut self, name: &str, owner: Owner, places: &[Place]) -> Vec<SlotId> {
        let slot = |(index, place): (usize, &Place)| {
            let (node, domain) = match *place {
                Place::Nowhere => (None, None),
                Place::In(domain) => (None, Some(domain)),
                Place::On(node) => (Some(node), self.nodes[node].domain),
            };
            let name = format!("{name}-{}", index + 1);
            self.slots.push(Slot {
                name,
                owner,
                index: index as u32,
                domain,
                node,
            })
        };
        places.iter().enumerate().map(slot).collect()
    }

    /// Shocks that start the faults of `hits`, each with this chance.
    pub(crate) fn shocks(&mut self, hits: Vec<ClockId>, every: Dist, chance: f64) {
        let fault = self.faults.push(Fault {
            name: "heat".into(),
            kind: FaultKind::Common,
            runs: ClockRuns::Calendar,
            every,
            lasts: fixed(0.0),
        });
        let clock = self.clocks.push(FaultClock {
            fault,
            component: Component::Common(0),
            name: "heat".into(),
        });
        self.care.commons.push(CommonCause {
            clock,
            hits,
            chance,
        });
    }

    /// A service that starts at once, with one slot at each place and one operation.
    pub(crate) fn service(&mut self, name: &str, places: &[Place], needs: u32) -> PoolId {
        let pool = PoolId::from_index(self.pools.len());
        let slots = self.slots_of(name, Owner::Pool(pool), places);
        self.pools.push(Pool {
            name: name.into(),
            kind: PoolKind::Service,
            slots,
            needs,
            workers: None,
            queue: None,
            discipline: Discipline::Fifo,
            queue_timeout: None,
            starts_in: fixed(0.0),
            standby: None,
            replication: None,
            refills_in: SimSpan::ZERO,
        });
        self.operation(pool, ServedBy::Any);
        pool
    }

    pub(crate) fn operation(&mut self, pool: PoolId, served_by: ServedBy) -> OperationId {
        self.operations.push(Operation {
            name: format!("{}.{}", self.pools[pool].name, self.operations.len()),
            pool,
            served_by,
            takes: fixed(0.01),
            fails: 0.0,
            calls: Vec::new(),
        })
    }

    /// A balancer of `to` without probes and failover that needs one instance.
    pub(crate) fn balancer(&mut self, name: &str, to: PoolId, places: &[Place]) -> BalancerId {
        let balancer = BalancerId::from_index(self.balancers.len());
        let slots = self.slots_of(name, Owner::Balancer(balancer), places);
        self.balancers.push(Balancer {
            name: name.into(),
            to,
            slots,
            needs: 1,
            algorithm: Algorithm::RoundRobin,
            probes: None,
            passive: None,
            outlier_detection: None,
            slow_start: SimSpan::ZERO,
            failover: None,
            starts_in: fixed(0.0),
        })
    }

    /// A plain call of `to`.
    pub(crate) fn call(&mut self, to: OperationId, through: Option<BalancerId>) -> CallId {
        let backoff = Backoff {
            base: SimSpan::ZERO,
            factor: 1.0,
            cap: SimSpan::ZERO,
            jitter: Jitter::None,
        };
        self.calls.push(Call {
            to,
            through,
            timeout: None,
            passes_deadline: false,
            retries: Retries { max: 0, backoff },
            hit: 1.0,
            on_miss: Vec::new(),
            on_failure: Vec::new(),
            optional: false,
            chance: 1.0,
            priority: None,
            fork: None,
            channel: None,
        })
    }

    /// A journey that calls the first operation of each pool.
    pub(crate) fn journey(&mut self, pools: &[PoolId]) -> JourneyId {
        let mut calls = Vec::new();
        for &pool in pools {
            let of_pool = |id: &OperationId| self.operations[*id].pool == pool;
            let to = self.operations.ids().find(of_pool).unwrap();
            calls.push(self.call(to, None));
        }
        self.journey_of(calls)
    }

    pub(crate) fn journey_of(&mut self, calls: Vec<CallId>) -> JourneyId {
        let name = format!("users.{}", self.journeys.len());
        self.journeys.push(Journey {
            name,
            calls,
            good_within: None,
        })
    }

    /// One fault with a clock for each component.
    pub(crate) fn fault(
        &mut self,
        kind: FaultKind,
        components: &[Component],
        every: Dist,
        lasts: Dist,
    ) {
        let name = |system: &Self, component: Component| match component {
            Component::Slot(slot) => system.slots[slot].name.clone(),
            Component::Node(node) => system.nodes[node].name.clone(),
            Component::Domain(domain) => system.domains[domain].name.clone(),
            Component::Link(link) => system.links[link].name.clone(),
            Component::Pool(pool) => system.pools[pool].name.clone(),
            Component::Balancer(balancer) => system.balancers[balancer].name.clone(),
            Component::Common(row) => format!("common{row}"),
            Component::Workload(workload) => system.workloads[workload].name.clone(),
        };
        let kind_name = kind.word();
        let first = format!("{}.{kind_name}", name(self, components[0]));
        let fault = self.faults.push(Fault {
            name: first,
            kind,
            runs: ClockRuns::Calendar,
            every,
            lasts,
        });
        for &component in components {
            let name = format!("{}.{kind_name}", name(self, component));
            self.clocks.push(FaultClock {
                fault,
                component,
                name,
            });
        }
    }

    /// Maintenance of these components, undrained and all at once.
    pub(crate) fn maintenance(
        &mut self,
        components: &[Component],
        rhythm: Rhythm,
        lasts: Dist,
    ) -> CampaignId {
        let first = self.clocks.len();
        self.fault(FaultKind::Maintenance, components, fixed(1e6), fixed(1.0));
        let clocks = (first..self.clocks.len()).map(ClockId::from_index);
        let work = Maintenance {
            clocks: clocks.collect(),
            lasts,
            drain: None,
            one_by_one: None,
        };
        let name = self.faults.iter().last().map(|fault| fault.name.clone());
        self.campaigns.push(Campaign {
            name: name.unwrap_or_default(),
            rhythm,
            work: CampaignWork::Maintenance(work),
        })
    }

    /// Releases of a pool: one replica at once, 30 s in between, undrained.
    pub(crate) fn releases(
        &mut self,
        pool: PoolId,
        rhythm: Rhythm,
        bad: f64,
        noticed_in: Dist,
    ) -> CampaignId {
        let component = [Component::Pool(pool)];
        let rollout = ClockId::from_index(self.clocks.len());
        self.fault(FaultKind::Rollout, &component, fixed(1e6), fixed(1.0));
        let release = ClockId::from_index(self.clocks.len());
        self.fault(FaultKind::Release, &component, fixed(1e6), fixed(1.0));
        let roll = Roll {
            at_once: 1,
            pause: SimSpan::from_secs(30),
        };
        self.campaigns.push(Campaign {
            name: format!("{}.release", self.pools[pool].name),
            rhythm,
            work: CampaignWork::Release(Release {
                pool,
                rollout,
                release,
                bad,
                noticed_in,
                rolls: roll,
                rolls_back: roll,
                drain: None,
            }),
        })
    }

    /// A configuration that spreads and is taken back in 40 s, or a certificate that expires.
    pub(crate) fn changes(
        &mut self,
        owner: Owner,
        rhythm: Rhythm,
        bad: f64,
        noticed_in: Dist,
        is_certificate: bool,
    ) -> CampaignId {
        let (component, kind) = match owner {
            Owner::Pool(pool) => (Component::Pool(pool), FaultKind::Configuration),
            Owner::Balancer(balancer) => (Component::Balancer(balancer), FaultKind::Certificate),
        };
        let clock = ClockId::from_index(self.clocks.len());
        self.fault(kind, &[component], fixed(1e6), fixed(1.0));
        let spreads_in = fixed(if is_certificate { 0.0 } else { 40.0 });
        self.campaigns.push(Campaign {
            name: self.clocks[clock].name.clone(),
            rhythm,
            work: CampaignWork::Change(Change {
                owner,
                clock,
                bad,
                noticed_in,
                spreads_in,
                reverted_in: fixed(40.0),
                is_certificate,
            }),
        })
    }

    /// A crash fault with a clock for each slot of a pool.
    pub(crate) fn crashes(&mut self, pool: PoolId, every: Dist, lasts: Dist) {
        let slots = self.pools[pool].slots.iter();
        let slots: Vec<_> = slots.map(|&slot| Component::Slot(slot)).collect();
        self.fault(FaultKind::Crash, &slots, every, lasts);
    }
}

/// Pools, balancers, and calls of every kind between them, without faults. Operations only call
/// operations of later rows, so there is no cycle.
pub(crate) fn random_system(stream: &mut Stream) -> System {
    let mut system = System::empty();
    let mut below = |n: usize| (stream.bits() % n as u64) as usize;
    for pool in 0..2 + below(4) {
        let size = 1 + below(4);
        let needs = 1 + below(size) as u32;
        let pool = system.service(&format!("pool{pool}"), &vec![Place::Nowhere; size], needs);
        for _ in 0..below(3) {
            let served_by = [ServedBy::Any, ServedBy::Leader, ServedBy::Quorum][below(3)];
            system.operation(pool, served_by);
        }
    }
    for balancer in 0..below(3) {
        let to = PoolId::from_index(below(system.pools.len()));
        let places = vec![Place::Nowhere; 1 + below(2)];
        system.balancer(&format!("balancer{balancer}"), to, &places);
    }
    let operations = system.operations.len();
    for caller in (0..=operations).rev() {
        // Row `operations` stands for the journeys, which may call any operation.
        let first = if caller == operations { 0 } else { caller + 1 };
        let mut site = |system: &mut System, optional: bool| {
            let to = OperationId::from_index(first + below(operations - first));
            let through = below(3);
            let through =
                (through < system.balancers.len()).then(|| BalancerId::from_index(through));
            let call = system.call(to, through);
            system.calls[call].optional = optional && below(4) == 0;
            let rest = below(6);
            (call, rest)
        };
        for _ in 0..if caller == operations { 3 } else { 2 } {
            if first == operations {
                break;
            }
            let (call, rest) = site(&mut system, true);
            if rest < 2 {
                let (miss, _) = site(&mut system, true);
                system.calls[call].hit = 0.5;
                system.calls[call].on_miss = vec![miss];
            }
            if rest % 2 == 0 {
                let (other, _) = site(&mut system, false);
                system.calls[call].on_failure = vec![other];
            }
            let mut calls = vec![call];
            let (more, kind) = site(&mut system, false);
            if kind < 3 {
                if kind < 2 {
                    calls.push(more);
                }
                let (other, rest) = site(&mut system, true);
                let count = calls.len();
                let id = system.forks.push(Fork {
                    copies: if count == 1 { 3 } else { 1 },
                    wait_for: 1 + (rest % count) as u32,
                    deadline: None,
                    chance: 1.0,
                    on_failure: if rest < 2 { vec![other] } else { Vec::new() },
                    optional: rest == 5,
                    calls: calls.clone(),
                });
                for &call in &calls {
                    system.calls[call].fork = Some(id);
                    // What is not waited for cannot be optional too.
                    system.calls[call].optional &= rest % count + 1 == count && count > 1;
                }
            }
            if caller == operations {
                system.journey_of(calls);
            } else {
                let row = &mut system.operations[OperationId::from_index(caller)];
                row.calls.extend(calls);
            }
        }
    }
    system
}
