//! The load a scenario offers to its pools: what a run costs, how busy each pool is, how long its
//! queues remember.
//!
//! Visits are counted along the calls (a cache look-up's misses and calls with a chance with their
//! probability, retries and fallbacks as far as the operation called has errors of its own), so these
//! are the figures of a healthy system. With something [`Lost`], attempts that reach nobody are
//! retried, fall back and end what calls them, each by its own chance.

use super::pace::closed_rates;
use super::{Discipline, Fork, LoadRhythm, Queue, ServedBy, System, Workload};
use crate::ids::{CallId, ChannelId, Id, IdVec, OperationId, PoolId};
use crate::time::{SimSpan, SimTime};

/// The load on one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PoolLoad {
    /// Attempts per second at the busiest time.
    pub rate_max: f64,
    /// How long one of them holds a worker, seconds, without any waiting.
    pub hold_mean: f64,
    /// Workers in use at the busiest time, on average, if there are enough of them.
    pub busy: f64,
    /// The same as a share of the workers of all slots that serve; above 1 if there are not enough.
    /// `None` if workers are not limited or none serves.
    pub utilisation_max: Option<f64>,
    /// How many times that is in use when all workloads that have bursts are in one; 1 without.
    pub burst_factor: f64,
    /// The same on average over bursts and the time between them, without users in closed loops.
    pub mean_factor: f64,
}

/// The load on the connections that a service keeps to one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChannelLoad {
    /// Attempts per second at the busiest time, of all replicas together.
    pub rate_max: f64,
    /// How long one of them keeps its connection, seconds, without any waiting.
    pub hold_mean: f64,
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
    /// By connections that a service keeps.
    pub channels: IdVec<ChannelId, ChannelLoad>,
    /// By pool: attempts per second, mean over a week, at operations that only a leader serves; 0 where
    /// nothing is replicated.
    pub writes: IdVec<PoolId, f64>,
}

/// What attempts meet when a part of the system is lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Lost {
    /// Slots of each pool that serve.
    pub serving: IdVec<PoolId, u32>,
    /// What the attempts of each call meet.
    pub calls: IdVec<CallId, Reach>,
}

/// What the attempts of one call meet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// The share of them that reach a slot that serves.
    pub share: f64,
    /// How long each of the others holds its caller, seconds.
    pub wait_s: f64,
}

/// Visits per request and holding times, worked out along the calls.
struct Walk<'a> {
    system: &'a System,
    lost: Option<&'a Lost>,
    /// The probability that one attempt at an operation succeeds once it has reached a slot, as far as
    /// it is asked for; NaN until known.
    ok: IdVec<OperationId, f64>,
    /// Time one attempt at an operation holds its worker, NaN until known.
    hold: IdVec<OperationId, f64>,
    /// Attempts per second at each operation.
    rate: IdVec<OperationId, f64>,
    /// How long the network keeps one attempt of each call, seconds; empty if that is no matter.
    ways: IdVec<CallId, f64>,
    /// On connections: attempts per second, and how many of them are in use.
    channels: IdVec<ChannelId, (f64, f64)>,
}

impl Walk<'_> {
    /// Seconds from the start to the end of a call that succeeds at once.
    fn call_lasts(&mut self, call: CallId) -> f64 {
        let row = &self.system.calls[call];
        let (tries, failed) = self.tries(call);
        let misses = self.calls_last(&row.on_miss);
        let rescue = self.calls_last(&row.on_failure);
        let way = self.ways.get(call).copied().unwrap_or(0.0);
        let channels = &self.system.channels;
        let setup = row
            .channel
            .map_or(0.0, |channel| channels[channel].setup.mean());
        let holds = setup + self.operation_holds(row.to) + way;
        let each = self.lost.map_or(holds, |lost| {
            let reach = lost.calls[call];
            reach.share * holds + (1.0 - reach.share) * reach.wait_s
        });
        tries * each + (1.0 - failed) * (1.0 - row.hit) * misses + failed * rescue
    }

    /// Attempts of a call, and the probability that all fail, as far as errors of the operation's own
    /// work go, and what is lost.
    fn tries(&mut self, call: CallId) -> (f64, f64) {
        let row = &self.system.calls[call];
        let most = f64::from(row.retries.max) + 1.0;
        let fails = match self.lost {
            None => self.system.operations[row.to].fails,
            Some(lost) => 1.0 - lost.calls[call].share * self.operation_ok(row.to),
        };
        if fails >= 1.0 {
            return (most, 1.0);
        }
        let failed = fails.powf(most);
        ((1.0 - failed) / (1.0 - fails), failed)
    }

    /// Deliveries of one message, on average, as far as they end in errors.
    fn deliveries(&mut self, queue: &Queue) -> f64 {
        let to = self.system.calls[queue.call].to;
        let fails = 1.0 - self.operation_ok(to);
        let secs = self.system.run.horizon.as_secs_f64();
        let most = queue.max_deliveries.map_or(f64::INFINITY, f64::from);
        let most = most.min(1.0 + secs / queue.redelivers_after.as_secs_f64());
        if fails < 1.0 {
            (1.0 - fails.powf(most)) / (1.0 - fails)
        } else {
            most
        }
    }

    /// The probability that an attempt at `operation` succeeds once it has reached a slot.
    fn operation_ok(&mut self, operation: OperationId) -> f64 {
        if self.ok[operation].is_nan() {
            let row = &self.system.operations[operation];
            self.ok[operation] = (1.0 - row.fails) * self.all_ok(&row.calls);
        }
        self.ok[operation]
    }

    /// The probability that a list of calls succeeds.
    fn all_ok(&mut self, calls: &[CallId]) -> f64 {
        let system = self.system;
        system.items(calls).map(|item| self.item_ok(item)).product()
    }

    /// The probability that its caller goes on after one call, or after the calls of one fork.
    fn item_ok(&mut self, item: &[CallId]) -> f64 {
        let system = self.system;
        let Some(fork) = system.calls[item[0]].fork.map(|id| &system.forks[id]) else {
            let row = &system.calls[item[0]];
            let ok = if row.optional {
                1.0
            } else {
                self.call_ok(item[0])
            };
            return 1.0 - row.chance * (1.0 - ok);
        };
        let regular = self.fork_ok(fork);
        let ok = match (fork.optional, fork.on_failure.is_empty()) {
            (true, _) => 1.0,
            (false, true) => regular,
            (false, false) => regular + (1.0 - regular) * self.all_ok(&fork.on_failure),
        };
        1.0 - fork.chance * (1.0 - ok)
    }

    /// The probability that enough calls of a fork succeed. Where it waits for fewer than all, it is
    /// taken to be certain or impossible, by the number that is expected to succeed.
    fn fork_ok(&mut self, fork: &Fork) -> f64 {
        let (copies, wanted) = (f64::from(fork.copies), f64::from(fork.wait_for));
        let legs: Vec<f64> = fork.calls.iter().map(|&call| self.call_ok(call)).collect();
        if wanted >= copies * legs.len() as f64 {
            legs.iter().map(|ok| ok.powf(copies)).product()
        } else {
            f64::from(copies * legs.iter().sum::<f64>() >= wanted)
        }
    }

    /// The probability that a call that is made succeeds, with all its attempts and what is done
    /// instead.
    fn call_ok(&mut self, call: CallId) -> f64 {
        let row = &self.system.calls[call];
        let (_, failed) = self.tries(call);
        let found = row.hit + (1.0 - row.hit) * self.all_ok(&row.on_miss);
        let regular = (1.0 - failed) * found;
        if row.on_failure.is_empty() {
            regular
        } else {
            regular + (1.0 - regular) * self.all_ok(&row.on_failure)
        }
    }

    /// Adds `rate` runs per second of a list of calls, each of which is made if the ones before it
    /// have succeeded.
    fn visit_all(&mut self, calls: &[CallId], mut rate: f64) {
        let system = self.system;
        for item in system.items(calls) {
            for &call in item {
                self.visit(call, rate);
            }
            if self.lost.is_some() {
                if let Some(fork) = system.calls[item[0]].fork.map(|id| &system.forks[id])
                    && !fork.on_failure.is_empty()
                {
                    let failed = 1.0 - self.fork_ok(fork);
                    self.visit_all(&fork.on_failure, rate * fork.chance * failed);
                }
                rate *= self.item_ok(item);
            }
        }
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
        let arrive = match self.lost {
            None => rate * tries,
            Some(lost) => rate * tries * lost.calls[call].share,
        };
        self.rate[row.to] += arrive;
        if let Some(channel) = row.channel {
            let way = self.ways.get(call).copied().unwrap_or(0.0);
            let hold = self.operation_holds(row.to) + way;
            let (all, busy) = self.channels[channel];
            self.channels[channel] = (all + arrive, busy + arrive * hold);
        }
        self.visit_all(&operation.calls, arrive * (1.0 - operation.fails));
        if let Some(queue) = self.system.queue_of(operation.pool) {
            let deliveries = self.deliveries(queue);
            self.visit(queue.call, arrive * (1.0 - operation.fails) * deliveries);
        }
        self.visit_all(&row.on_miss, rate * (1.0 - failed) * (1.0 - row.hit));
        if failed > 0.0 {
            self.visit_all(&row.on_failure, rate * failed);
        }
    }
}

impl Load {
    /// The load of `system` when nothing is lost, every workload at its own peak; all zero without a
    /// workload.
    pub fn of(system: &System) -> Self {
        let peaks = system.workloads.iter().zip(closed_rates(system));
        let peaks = peaks.map(|(workload, closed)| closed.unwrap_or_else(|| workload.rate_max()));
        let peaks: Vec<f64> = peaks.collect();
        Self::at_rates(system, &peaks, None).with_time(system, &peaks)
    }

    /// The load of `system` at its [busiest] time, with what is `lost`.
    ///
    /// [busiest]: Load::busiest
    pub fn at_peak(system: &System, lost: Option<&Lost>) -> Self {
        let at = Self::busiest(system);
        let rates = system.workloads.iter().zip(closed_rates(system));
        let rates = rates.map(|(workload, closed)| closed.unwrap_or_else(|| workload.rate_at(at)));
        Self::at_rates(system, &rates.collect::<Vec<_>>(), lost)
    }

    /// The first minute of the week, or of a horizon that no week is like another of, in which all
    /// workloads together have the highest rate outside bursts.
    pub fn busiest(system: &System) -> SimTime {
        const WEEK: u64 = 7 * 24 * 60;
        /// More than any trace has that does not repeat.
        const MOST: u64 = 1 << 20;
        let minutes = match system.load_rhythm() {
            LoadRhythm::Steady | LoadRhythm::Daily | LoadRhythm::Weekly => WEEK,
            LoadRhythm::Free => (system.run.horizon.as_nanos() / 60_000_000_000).clamp(1, MOST),
        };
        let mut busiest = (SimTime::START, 0.0);
        for minute in 0..minutes {
            let at = SimTime::START + SimSpan::from_secs(60 * minute);
            let rates = system.workloads.iter().map(|workload| workload.rate_at(at));
            let rate: f64 = rates.sum();
            // The same top of another day may differ in its last digits.
            if rate > busiest.1 * (1.0 + 1e-9) {
                busiest = (at, rate);
            }
        }
        busiest.0
    }

    /// Seconds from a request of `workload` to its answer, on average, if it never waits.
    pub(super) fn answer_s(system: &System, workload: &Workload) -> f64 {
        let mut walk = Walk {
            system,
            lost: None,
            ok: IdVec::filled(f64::NAN, system.operations.len()),
            hold: IdVec::filled(f64::NAN, system.operations.len()),
            rate: IdVec::filled(0.0, system.operations.len()),
            ways: system.ways(),
            channels: IdVec::filled((0.0, 0.0), system.channels.len()),
        };
        let journeys = workload.journeys.iter();
        journeys
            .map(|&(id, share)| share * walk.calls_last(&system.journeys[id].calls))
            .sum()
    }

    pub(super) fn at_rates(system: &System, rates: &[f64], lost: Option<&Lost>) -> Self {
        let mut walk = Walk {
            system,
            lost,
            ok: IdVec::filled(f64::NAN, system.operations.len()),
            hold: IdVec::filled(f64::NAN, system.operations.len()),
            rate: IdVec::filled(0.0, system.operations.len()),
            ways: system.ways(),
            channels: IdVec::filled((0.0, 0.0), system.channels.len()),
        };
        let (mut rate, mut rate_max, mut rate_min) = (0.0, 0.0, 0.0);
        for (workload, &peak) in system.workloads.iter().zip(rates) {
            rate += workload.rate;
            rate_max += peak;
            rate_min += workload.rate_min();
            for &(journey, share) in &workload.journeys {
                walk.visit_all(&system.journeys[journey].calls, peak * share);
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
            (pool.burst_factor, pool.mean_factor) = (1.0, 1.0);
            let serving = lost.map_or(row.active() as f64, |lost| f64::from(lost.serving[id]));
            pool.busy = pool.hold_mean;
            pool.utilisation_max = row
                .workers
                .filter(|_| serving > 0.0)
                .map(|workers| pool.hold_mean / (f64::from(workers) * serving));
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
            channels: walk
                .channels
                .iter()
                .map(|&(rate_max, busy)| ChannelLoad {
                    rate_max,
                    hold_mean: if rate_max > 0.0 { busy / rate_max } else { 0.0 },
                })
                .collect(),
            writes: writes(system),
        }
    }
}

/// Attempts per second, mean over a week, at the operations of each pool that only a leader serves.
fn writes(system: &System) -> IdVec<PoolId, f64> {
    let mut writes = IdVec::filled(0.0, system.pools.len());
    if system.pools.iter().all(|pool| pool.replication.is_none()) {
        return writes;
    }
    let mut walk = Walk {
        system,
        lost: None,
        ok: IdVec::filled(f64::NAN, system.operations.len()),
        hold: IdVec::filled(f64::NAN, system.operations.len()),
        rate: IdVec::filled(0.0, system.operations.len()),
        ways: IdVec::new(),
        channels: IdVec::filled((0.0, 0.0), system.channels.len()),
    };
    for workload in &system.workloads {
        for &(journey, share) in &workload.journeys {
            walk.visit_all(&system.journeys[journey].calls, workload.rate * share);
        }
    }
    for (id, operation) in system.operations.pairs() {
        if operation.served_by == ServedBy::Leader {
            writes[operation.pool] += walk.rate[id];
        }
    }
    writes
}
