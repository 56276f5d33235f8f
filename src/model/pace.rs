//! Rates for the load: users in a closed loop, who send as often as they are answered, and bursts.

use super::{Load, LoadRhythm, System, Workload};
use crate::ids::Id;
use crate::time::{SimSpan, SimTime};

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

/// Requests per second of users in a closed loop, by workload, at most: as if nobody waited for a
/// worker, and no more than the workers can do. `None` for an open loop.
pub(super) fn closed_rates(system: &System) -> Vec<Option<f64>> {
    let workloads = system.workloads.iter().enumerate();
    let rates = workloads.map(|(row, workload)| {
        let users = workload.users.as_ref()?;
        let mut alone = vec![0.0; system.workloads.len()];
        alone[row] = 1.0;
        let load = Load::at_rates(system, &alone, None);
        let most = system.pools.pairs().filter_map(|(id, pool)| {
            let workers = f64::from(pool.workers?) * pool.active() as f64;
            (load.pools[id].busy > 0.0).then(|| workers / load.pools[id].busy)
        });
        let least = most.fold(f64::INFINITY, f64::min);
        let round = users.think.mean() + Load::answer_s(system, workload);
        Some((f64::from(users.count) / round).min(least))
    });
    rates.collect()
}

impl Load {
    /// Adds what bursts, users in closed loops and steps do to a load at `peaks`, the highest rates of
    /// all workloads outside bursts.
    pub(super) fn with_time(mut self, system: &System, peaks: &[f64]) -> Self {
        let workloads = || system.workloads.iter().zip(peaks);
        let bursts = system.workloads.iter().any(|row| row.bursts.is_some());
        let closed = system.workloads.iter().any(|row| row.users.is_some());
        if closed {
            let rate = |(row, &peak): (&Workload, &f64)| match row.users {
                Some(_) => peak,
                None => row.rate_min(),
            };
            self.rate_min = workloads().map(rate).sum();
        }
        if system.has_steps() {
            self.rate_min = quietest_hour(system);
        }
        if !bursts && !closed {
            return self;
        }
        let mean = system.workloads.iter();
        self.rate = mean.map(|row| row.rate * mean_factor(system, row)).sum();
        let in_burst: Vec<f64> = workloads()
            .map(|(row, peak)| peak * row.burst_factor())
            .collect();
        // Users in a closed loop never pile up more work than there are users.
        let of_others: Vec<f64> = workloads()
            .map(|(row, peak)| match row.users {
                Some(_) => 0.0,
                None => peak * mean_factor(system, row),
            })
            .collect();
        let in_burst = Self::at_rates(system, &in_burst, None);
        let of_others = Self::at_rates(system, &of_others, None);
        for index in 0..self.pools.len() {
            let id = crate::ids::PoolId::from_index(index);
            let usual = self.pools[id].busy;
            if usual > 0.0 {
                self.pools[id].burst_factor = in_burst.pools[id].busy / usual;
                self.pools[id].mean_factor = of_others.pools[id].busy / usual;
            }
        }
        self
    }
}
