//! Small systems for tests, built piece by piece.

use super::fivenines::ids::{BalancerId, CallId, IdVec, JourneyId, OperationId, PoolId, SlotId};
use super::fivenines::model::{
    Algorithm, Backoff, Balancer, Call, Care, Discipline, Fork, Jitter, Journey, Operation, Owner,
    Patience, Pool, PoolKind, Retries, RunSettings, ServedBy, Slot, Start, System, Vrrp, Workload,
};
use super::fivenines::random::Dist;
use super::fivenines::time::SimSpan;
use super::fivenines::traffic::TrafficSettings;

/// A system under construction.
#[derive(Debug)]
pub(crate) struct Build(pub(crate) System);

/// Exponential with this mean in seconds.
pub(crate) fn exponential(mean: f64) -> Dist {
    Dist::exponential(mean).expect("a positive mean")
}

/// Always this many seconds.
pub(crate) fn constant(secs: f64) -> Dist {
    Dist::constant(secs).expect("not negative")
}

/// One attempt without a deadline, no balancer.
pub(crate) fn call(to: OperationId) -> Call {
    Call {
        to,
        through: None,
        timeout: None,
        passes_deadline: false,
        retries: retries(0, 0),
        hit: 1.0,
        on_miss: vec![],
        on_failure: vec![],
        optional: false,
        chance: 1.0,
        priority: None,
        fork: None,
        channel: None,
    }
}

/// Retries with a fixed pause.
pub(crate) fn retries(max: u32, pause_ms: u64) -> Retries {
    let pause = SimSpan::from_millis(pause_ms);
    Retries {
        max,
        backoff: Backoff {
            base: pause,
            factor: 1.0,
            cap: pause,
            jitter: Jitter::None,
        },
    }
}

/// Slices of one second, bad below 95 %.
pub(crate) fn settings() -> TrafficSettings {
    TrafficSettings {
        bins: None,
        slice: SimSpan::from_secs(1),
        bad_below: 0.95,
        settle: SimSpan::from_secs(10),
        bounds: vec![],
    }
}

impl Build {
    pub(crate) fn new() -> Self {
        Self(System {
            links: Default::default(),
            prices: Default::default(),
            name: "test".into(),
            run: RunSettings {
                horizon: SimSpan::from_secs(86_400),
                seed: 1,
                start: Start::New,
                method: None,
                replications: None,
                slice: None,
                bad_below: 0.95,
            },
            domains: IdVec::new(),
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
            care: Care::default(),
            targets: vec![],
            needs_at_peak: vec![],
            warnings: vec![],
        })
    }

    fn slots(&mut self, name: &str, owner: Owner, count: u32) -> Vec<SlotId> {
        (0..count)
            .map(|index| {
                let name = format!("{name}-{}", index + 1);
                self.0.slots.push(Slot {
                    name,
                    owner,
                    index,
                    domain: None,
                    node: None,
                })
            })
            .collect()
    }

    pub(crate) fn pool(
        &mut self,
        name: &str,
        replicas: u32,
        workers: Option<u32>,
        queue: Option<u32>,
    ) -> PoolId {
        use super::fivenines::ids::Id;
        let id = PoolId::from_index(self.0.pools.len());
        let slots = self.slots(name, Owner::Pool(id), replicas);
        self.0.pools.push(Pool {
            name: name.into(),
            kind: PoolKind::Service,
            slots,
            needs: 1,
            workers,
            queue,
            discipline: Discipline::Fifo,
            queue_timeout: None,
            starts_in: constant(1.0),
            standby: None,
            replication: None,
            refills_in: super::fivenines::time::SimSpan::ZERO,
        })
    }

    pub(crate) fn balancer(
        &mut self,
        to: PoolId,
        instances: u32,
        algorithm: Algorithm,
        vrrp: bool,
    ) -> BalancerId {
        use super::fivenines::ids::Id;
        let id = BalancerId::from_index(self.0.balancers.len());
        let slots = self.slots("balancer", Owner::Balancer(id), instances);
        let failover = vrrp.then(|| Vrrp {
            advert_int: SimSpan::from_secs(1),
            priorities: (0..instances).map(|i| 150 - i as u8).collect(),
            preempt: true,
            coverage: 1.0,
            rescue: None,
        });
        self.0.balancers.push(Balancer {
            name: format!("balancer-{}", self.0.balancers.len()),
            to,
            slots,
            needs: 1,
            algorithm,
            probes: None,
            passive: None,
            outlier_detection: None,
            slow_start: super::fivenines::time::SimSpan::ZERO,
            failover,
            starts_in: constant(1.0),
        })
    }

    pub(crate) fn operation(&mut self, pool: PoolId, takes: Dist) -> OperationId {
        self.served_by(pool, takes, ServedBy::Any)
    }

    pub(crate) fn served_by(
        &mut self,
        pool: PoolId,
        takes: Dist,
        served_by: ServedBy,
    ) -> OperationId {
        let name = format!("operation-{}", self.0.operations.len());
        self.0.operations.push(Operation {
            name,
            pool,
            served_by,
            takes,
            fails: 0.0,
            calls: vec![],
        })
    }

    /// Makes `from` call something while it is served.
    pub(crate) fn calls(&mut self, from: OperationId, call: Call) -> CallId {
        let id = self.0.calls.push(call);
        self.0.operations[from].calls.push(id);
        id
    }

    pub(crate) fn site(&mut self, call: Call) -> CallId {
        self.0.calls.push(call)
    }

    /// Makes the calls of `fork` at the same time.
    pub(crate) fn fork(&mut self, fork: Fork) -> Vec<CallId> {
        let calls = fork.calls.clone();
        let id = self.0.forks.push(fork);
        for &call in &calls {
            use super::fivenines::ids::Id;
            self.0.calls.as_mut_slice()[call.index()].fork = Some(id);
        }
        calls
    }

    /// A workload with one journey.
    pub(crate) fn workload(
        &mut self,
        name: &str,
        rate: f64,
        patience: Option<SimSpan>,
        calls: Vec<CallId>,
    ) -> JourneyId {
        let journey = self.0.journeys.push(Journey {
            name: format!("{name}.go"),
            calls,
            good_within: None,
        });
        self.0.workloads.push(Workload {
            name: name.into(),
            rate,
            every: None,
            profile: None,
            users: None,
            bursts: None,
            journeys: vec![(journey, 1.0)],
            patience: patience.map(Patience::Fixed),
            line: 1,
        });
        journey
    }
}
