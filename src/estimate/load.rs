//! The load a scenario offers to its pools when nothing fails: what a run costs, how busy each pool
//! is, how long its queues remember.
//!
//! Visits are counted along the calls (a cache look-up's misses and calls with a chance with their
//! probability, retries and fallbacks as far as the operation called has errors of its own), so these
//! are the figures of a healthy system.

use crate::ids::{CallId, Id, IdVec, OperationId, PoolId, WorkloadId};
use crate::model::{Discipline, Fork, LoadRhythm, System, Workload};
use crate::time::{SimSpan, SimTime};

/// The load on one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PoolLoad {
    /// Attempts per second at the busiest time.
    pub rate_max: f64,
    /// How long one of them holds a worker, seconds, without any waiting.
    pub hold_mean: f64,
    /// Share of worker time in use at the busiest time, outside bursts; `None` if workers are not
    /// limited.
    pub utilisation_max: Option<f64>,
    /// How many times that is in use when all workloads that have bursts are in one; 1 without.
    pub burst_factor: f64,
    /// The same on average over bursts and the time between them, without users in closed loops.
    pub mean_factor: f64,
}

/// The load a scenario offers.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Requests per second, mean over a week, bursts included.
    pub rate: f64,
    /// Requests per second at the busiest time, all workloads at their own peaks, outside bursts.
    pub rate_max: f64,
    /// Requests per second in the quietest hour in which any come.
    pub rate_min: f64,
    /// Attempts that one request causes, on average.
    pub attempts_per_request: f64,
    /// By pool.
    pub pools: IdVec<PoolId, PoolLoad>,
}

/// Visits per request and holding times, worked out along the calls.
struct Walk<'a> {
    system: &'a System,
    /// Time one attempt at an operation holds its worker, NaN until known.
    hold: IdVec<OperationId, f64>,
    /// Attempts per second at each operation.
    rate: IdVec<OperationId, f64>,
}

impl Walk<'_> {
    /// Seconds from the start to the end of a call that succeeds at once.
    fn call_lasts(&mut self, call: CallId) -> f64 {
        let row = &self.system.calls[call];
        let (tries, failed) = self.tries(call);
        let misses = self.calls_last(&row.on_miss);
        let rescue = self.calls_last(&row.on_failure);
        tries * self.operation_holds(row.to)
            + (1.0 - failed) * (1.0 - row.hit) * misses
            + failed * rescue
    }

    /// Attempts of a call, and the probability that all fail, as far as errors of the operation's own
    /// work go.
    fn tries(&self, call: CallId) -> (f64, f64) {
        let row = &self.system.calls[call];
        let (fails, most) = (
            self.system.operations[row.to].fails,
            f64::from(row.retries.max) + 1.0,
        );
        if fails >= 1.0 {
            return (most, 1.0);
        }
        let failed = fails.powf(most);
        ((1.0 - failed) / (1.0 - fails), failed)
    }

    /// Seconds from the start to the end of a list of calls that all succeed at once.
    fn calls_last(&mut self, calls: &[CallId]) -> f64 {
        let system = self.system;
        let mut secs = 0.0;
        for item in system.items(calls) {
            secs += match system.calls[item[0]].fork {
                Some(fork) => system.forks[fork].chance * self.fork_lasts(&system.forks[fork]),
                None => system.calls[item[0]].chance * self.call_lasts(item[0]),
            };
        }
        secs
    }

    /// Seconds until `wait_for` of the calls of `fork` are done, taking the calls as independent and
    /// all but the operation's own work in them as constant: the time by which the expected number
    /// done is that of the order statistic's median rank (Blom), right within some per cent.
    fn fork_lasts(&mut self, fork: &Fork) -> f64 {
        let system = self.system;
        let copies = f64::from(fork.copies);
        let mut legs = Vec::with_capacity(fork.calls.len());
        for &call in &fork.calls {
            let takes = &system.operations[system.calls[call].to].takes;
            let rest = self.call_lasts(call) - takes.mean();
            legs.push((takes, rest.max(0.0)));
        }
        let n = copies * legs.len() as f64;
        let wanted = (f64::from(fork.wait_for) - 0.375) / (n + 0.25) * n;
        let done = |at: f64| -> f64 {
            let each = legs.iter().map(|(takes, rest)| 1.0 - takes.sf(at - rest));
            copies * each.sum::<f64>()
        };
        let mut high = 1e-9;
        while done(high) < wanted && high < 1e9 {
            high *= 2.0;
        }
        let mut low = 0.0;
        // 60 halvings leave nothing that a double could tell apart.
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if done(middle) < wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    fn operation_holds(&mut self, operation: OperationId) -> f64 {
        if self.hold[operation].is_nan() {
            let row = &self.system.operations[operation];
            let calls = self.calls_last(&row.calls);
            self.hold[operation] = row.takes.mean() + (1.0 - row.fails) * calls;
        }
        self.hold[operation]
    }

    /// Seconds of work that each pool is offered per second, where each workload sends `rate` of it.
    fn work(&mut self, rate: impl Fn(WorkloadId, &Workload) -> f64) -> IdVec<PoolId, f64> {
        let system = self.system;
        self.rate.as_mut_slice().fill(0.0);
        for (id, workload) in system.workloads.pairs() {
            for &(journey, share) in &workload.journeys {
                for &call in &system.journeys[journey].calls {
                    self.visit(call, rate(id, workload) * share);
                }
            }
        }
        let mut work = IdVec::filled(0.0, system.pools.len());
        for (id, operation) in system.operations.pairs() {
            work[operation.pool] += self.rate[id] * self.operation_holds(id);
        }
        work
    }

    /// Requests per second of users in a closed loop, at most: as if nobody waited for a worker, and no
    /// more than the workers can do. `None` for an open loop.
    fn closed_rate(&mut self, workload: &Workload) -> Option<f64> {
        let system = self.system;
        let users = workload.users.as_ref()?;
        let mut answer = 0.0;
        for &(journey, share) in &workload.journeys {
            answer += share * self.calls_last(&system.journeys[journey].calls);
        }
        let work = self.work(|_, row| f64::from(u8::from(std::ptr::eq(row, workload))));
        let most = system.pools.pairs().filter_map(|(id, pool)| {
            let workers = f64::from(pool.workers?) * pool.active() as f64;
            (work[id] > 0.0).then(|| workers / work[id])
        });
        let least = most.fold(f64::INFINITY, f64::min);
        Some((f64::from(users.count) / (users.think.mean() + answer)).min(least))
    }

    /// Adds `rate` attempts per second to everything below `call`.
    fn visit(&mut self, call: CallId, rate: f64) {
        let row = &self.system.calls[call];
        let fork = row.fork.map(|fork| &self.system.forks[fork]);
        let made = fork.map_or(1.0, |fork| f64::from(fork.copies) * fork.chance);
        let rate = rate * made * row.chance;
        let (tries, failed) = self.tries(call);
        let operation = &self.system.operations[row.to];
        self.rate[row.to] += rate * tries;
        for &below in &operation.calls {
            self.visit(below, rate * tries * (1.0 - operation.fails));
        }
        for &miss in &row.on_miss {
            self.visit(miss, rate * (1.0 - failed) * (1.0 - row.hit));
        }
        if failed > 0.0 {
            for &other in &row.on_failure {
                self.visit(other, rate * failed);
            }
        }
    }
}

/// How many times the usual requests of a workload come on average over its bursts and the time
/// between them.
fn mean_factor(system: &System, workload: &Workload) -> f64 {
    workload.bursts.map_or(1.0, |bursts| {
        let fault = &system.faults[bursts.fault];
        let (every, lasts) = (fault.every.mean(), fault.lasts.mean());
        1.0 + (bursts.factor - 1.0) * lasts / (every + lasts)
    })
}

/// Requests per second in the quietest hour in which any come.
fn quietest_hour(system: &System) -> f64 {
    const WEEK: u64 = 168;
    const YEAR: u64 = 8_760;
    let hour = SimSpan::from_secs(3_600);
    let hours = match system.load_rhythm() {
        LoadRhythm::Steady | LoadRhythm::Daily | LoadRhythm::Weekly => WEEK,
        LoadRhythm::Free => (system.run.horizon.as_nanos() / hour.as_nanos()).clamp(1, YEAR),
    };
    let rates = (0..hours).map(|index| {
        let from = SimTime::START + hour.saturating_mul(index);
        let workloads = system.workloads.iter();
        workloads
            .map(|row| row.expected(from, from + hour))
            .sum::<f64>()
            / 3_600.0
    });
    rates
        .filter(|&rate| rate > 0.0)
        .fold(f64::INFINITY, f64::min)
}

impl Load {
    /// The load of `system`; all zero without a workload.
    pub fn of(system: &System) -> Self {
        let mut walk = Walk {
            system,
            hold: IdVec::filled(f64::NAN, system.operations.len()),
            rate: IdVec::filled(0.0, system.operations.len()),
        };
        let (mut rate, mut rate_max, mut rate_min) = (0.0, 0.0, 0.0);
        let closed: IdVec<WorkloadId, Option<f64>> = system
            .workloads
            .iter()
            .map(|row| walk.closed_rate(row))
            .collect();
        walk.rate.as_mut_slice().fill(0.0);
        for (id, workload) in system.workloads.pairs() {
            rate += workload.rate * mean_factor(system, workload);
            let most = closed[id].unwrap_or_else(|| workload.rate_max());
            rate_max += most;
            rate_min += closed[id].unwrap_or_else(|| workload.rate_min());
            for &(journey, share) in &workload.journeys {
                for &call in &system.journeys[journey].calls {
                    walk.visit(call, most * share);
                }
            }
        }
        let mut pools: IdVec<PoolId, PoolLoad> =
            IdVec::filled(PoolLoad::default(), system.pools.len());
        for (id, operation) in system.operations.pairs() {
            let pool = &mut pools[operation.pool];
            pool.rate_max += walk.rate[id];
            // A request that waits for its calls takes no share of a processor.
            let held = match system.pools[operation.pool].discipline {
                Discipline::ProcessorSharing => operation.takes.mean(),
                Discipline::Fifo | Discipline::Lifo | Discipline::Priority => {
                    walk.operation_holds(id)
                }
            };
            pool.hold_mean += walk.rate[id] * held;
        }
        if system.has_steps() {
            rate_min = quietest_hour(system);
        }
        let mut workloads = system.workloads.iter();
        let uneven = workloads.any(|row| row.bursts.is_some() || row.users.is_some());
        let work = uneven.then(|| {
            let usual = |id, row: &Workload| closed[id].unwrap_or_else(|| row.rate_max());
            let in_burst = |id, row: &Workload| usual(id, row) * row.burst_factor();
            // Users in a closed loop never pile up more work than there are users.
            let on_average = |id: WorkloadId, row: &Workload| match closed[id] {
                None => row.rate_max() * mean_factor(system, row),
                Some(_) => 0.0,
            };
            [
                walk.work(usual),
                walk.work(in_burst),
                walk.work(on_average),
            ]
        });
        let attempts_max: f64 = pools.iter().map(|pool| pool.rate_max).sum();
        for index in 0..pools.len() {
            let id = PoolId::from_index(index);
            let (pool, row) = (&mut pools[id], &system.pools[id]);
            (pool.burst_factor, pool.mean_factor) = (1.0, 1.0);
            if let Some([usual, in_burst, on_average]) = &work
                && usual[id] > 0.0
            {
                pool.burst_factor = in_burst[id] / usual[id];
                pool.mean_factor = on_average[id] / usual[id];
            }
            pool.utilisation_max = row
                .workers
                .map(|workers| pool.hold_mean / (f64::from(workers) * row.active() as f64));
            pool.hold_mean = if pool.rate_max > 0.0 {
                pool.hold_mean / pool.rate_max
            } else {
                0.0
            };
        }
        Self {
            rate,
            rate_max,
            rate_min,
            attempts_per_request: if rate_max > 0.0 {
                attempts_max / rate_max
            } else {
                0.0
            },
            pools,
        }
    }
}
