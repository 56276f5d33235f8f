//! The load a scenario offers to its pools when nothing fails: what a run costs, how busy each pool
//! is, how long its queues remember.
//!
//! Visits are counted along the calls (a cache look-up's misses and calls with a chance with their
//! probability, retries and fallbacks as far as the operation called has errors of its own), so these
//! are the figures of a healthy system.

use crate::ids::{CallId, Id, IdVec, LinkId, OperationId, PoolId};
use crate::model::{Discipline, Fork, System};

/// The load on one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PoolLoad {
    /// Attempts per second at the busiest time.
    pub rate_max: f64,
    /// How long one of them holds a worker, seconds, without any waiting.
    pub hold_mean: f64,
    /// Share of worker time in use at the busiest time; `None` if workers are not limited.
    pub utilisation_max: Option<f64>,
}

/// The load on the connections that a service keeps to one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkLoad {
    /// Attempts per second at the busiest time, of all replicas together.
    pub rate_max: f64,
    /// How long one of them keeps its connection, seconds, without any waiting.
    pub hold_mean: f64,
}

/// The load a scenario offers.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Requests per second, mean over a week.
    pub rate: f64,
    /// Requests per second at the busiest time, all workloads at their own peaks.
    pub rate_max: f64,
    /// Requests per second in the quietest hour.
    pub rate_min: f64,
    /// Attempts that one request causes, on average.
    pub attempts_per_request: f64,
    /// By pool.
    pub pools: IdVec<PoolId, PoolLoad>,
    /// By connections that a service keeps.
    pub links: IdVec<LinkId, LinkLoad>,
}

/// Visits per request and holding times, worked out along the calls.
struct Walk<'a> {
    system: &'a System,
    /// Time one attempt at an operation holds its worker, NaN until known.
    hold: IdVec<OperationId, f64>,
    /// Attempts per second at each operation.
    rate: IdVec<OperationId, f64>,
    /// On connections: attempts per second, and how many of them are in use.
    links: IdVec<LinkId, (f64, f64)>,
}

impl Walk<'_> {
    /// Seconds from the start to the end of a call that succeeds at once.
    fn call_lasts(&mut self, call: CallId) -> f64 {
        let row = &self.system.calls[call];
        let (tries, failed) = self.tries(call);
        let misses = self.calls_last(&row.on_miss);
        let rescue = self.calls_last(&row.on_failure);
        let setup = row
            .link
            .map_or(0.0, |link| self.system.links[link].setup.mean());
        tries * (setup + self.operation_holds(row.to))
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

    /// Adds `rate` attempts per second to everything below `call`.
    fn visit(&mut self, call: CallId, rate: f64) {
        let row = &self.system.calls[call];
        let fork = row.fork.map(|fork| &self.system.forks[fork]);
        let made = fork.map_or(1.0, |fork| f64::from(fork.copies) * fork.chance);
        let rate = rate * made * row.chance;
        let (tries, failed) = self.tries(call);
        let operation = &self.system.operations[row.to];
        self.rate[row.to] += rate * tries;
        if let Some(link) = row.link {
            let hold = self.operation_holds(row.to);
            let (all, busy) = self.links[link];
            self.links[link] = (all + rate * tries, busy + rate * tries * hold);
        }
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

impl Load {
    /// The load of `system`; all zero without a workload.
    pub fn of(system: &System) -> Self {
        let mut walk = Walk {
            system,
            hold: IdVec::filled(f64::NAN, system.operations.len()),
            rate: IdVec::filled(0.0, system.operations.len()),
            links: IdVec::filled((0.0, 0.0), system.links.len()),
        };
        let (mut rate, mut rate_max, mut rate_min) = (0.0, 0.0, 0.0);
        for workload in &system.workloads {
            rate += workload.rate;
            rate_max += workload.rate_max();
            rate_min += workload.rate_min();
            for &(journey, share) in &workload.journeys {
                for &call in &system.journeys[journey].calls {
                    walk.visit(call, workload.rate_max() * share);
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
        let attempts_max: f64 = pools.iter().map(|pool| pool.rate_max).sum();
        for index in 0..pools.len() {
            let id = PoolId::from_index(index);
            let (pool, row) = (&mut pools[id], &system.pools[id]);
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
            links: walk
                .links
                .iter()
                .map(|&(rate_max, busy)| LinkLoad {
                    rate_max,
                    hold_mean: if rate_max > 0.0 { busy / rate_max } else { 0.0 },
                })
                .collect(),
        }
    }
}
