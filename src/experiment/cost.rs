//! What a run would cost, in events, and the plan that follows. Never measured, so that the plan
//! depends on nothing but the scenario and the seed.

use super::{Options, RunError};
use crate::estimate::{BLOCK, GROUPS, Load, Plan, look_back};
use crate::model::{FaultKind, Method, System};

/// Attempts that count as a second of CPU: what a laptop core does with queues and retries.
pub(super) const ATTEMPTS_PER_CPU_S: f64 = 1e7;

/// Control transitions that count as a second of CPU.
const TRANSITIONS_PER_CPU_S: f64 = 1e7;

/// CPU seconds that `exact` may cost without being asked for by name.
const EXACT_CPU_S: f64 = 60.0;

/// CPU seconds of traffic in one block, at most, if more than the least number of replications.
const BLOCK_CPU_S: f64 = 12.0;

/// CPU seconds a run may take while targets are undecided.
pub(super) const RUN_CPU_S: f64 = 80.0;

/// CPU seconds beyond which nothing is begun.
const LIMIT_CPU_S: f64 = 86_400.0;

/// Replications with traffic in a block, at least: two make an interval, these make a decent one.
const LEAST_TRAFFIC: u64 = 8;

/// What one replication costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Control transitions of one replication.
    pub transitions: f64,
    /// Attempts simulated for one replication with traffic, by the plan's method.
    pub attempts: f64,
    /// CPU seconds of one block.
    pub block_cpu_s: f64,
    /// Bytes that replications in progress and the record need, about.
    pub bytes: f64,
}

impl Cost {
    /// CPU seconds of one replication with traffic.
    fn with_traffic_s(self) -> f64 {
        self.attempts / ATTEMPTS_PER_CPU_S + self.control_s()
    }

    fn control_s(self) -> f64 {
        self.transitions / TRANSITIONS_PER_CPU_S
    }
}

/// Decides how `system` will be simulated.
///
/// # Errors
/// [`RunError::TooCostly`] and [`RunError::Unsuitable`], before anything is simulated.
pub fn plan(system: &System, options: &Options) -> Result<(Plan, Cost), RunError> {
    let load = Load::of(system);
    let seed = options.seed.unwrap_or(system.run.seed);
    let asked = options.method.or(system.run.method);
    if system.workloads.is_empty() {
        if let Some(Method::Windows | Method::Exact) = options.method {
            return Err(RunError::Unsuitable {
                line: None,
                message: "there is no workload, so there are no requests to simulate".into(),
                help: "add a `workload`, or leave out `--method`".into(),
            });
        }
        return finish(
            system,
            &load,
            options,
            Plan::new(system, &load, seed, Method::None),
        );
    }
    if let Some(method) = asked {
        return finish(
            system,
            &load,
            options,
            Plan::new(system, &load, seed, method),
        );
    }
    // Every request of the whole run, if that is cheap; else windows.
    let exact = Plan::new(system, &load, seed, Method::Exact);
    let all = load.rate * exact.horizon_s() * load.attempts_per_request;
    let replications = options
        .replications
        .or(system.run.replications)
        .unwrap_or(BLOCK);
    let cheap = all * replications as f64 / ATTEMPTS_PER_CPU_S <= BLOCK_CPU_S;
    if cheap || look_back(system).is_none() {
        return finish(system, &load, options, exact);
    }
    finish(
        system,
        &load,
        options,
        Plan::new(system, &load, seed, Method::Windows),
    )
}

fn finish(
    system: &System,
    load: &Load,
    options: &Options,
    mut plan: Plan,
) -> Result<(Plan, Cost), RunError> {
    let line = system
        .workloads
        .iter()
        .map(|workload| workload.line)
        .next()
        .unwrap_or(1);
    check_queues(system, load, &plan)?;
    let transitions = transitions(system, &plan);
    let faults: f64 = transitions / 4.0;
    let sampled = plan.windows.sample.as_secs_f64() + plan.windows.warm_up.as_secs_f64();
    let requests = match plan.method {
        Method::None => 0.0,
        Method::Exact => load.rate * plan.horizon_s(),
        Method::Windows => {
            if look_back(system).is_none() {
                let patient = system
                    .workloads
                    .iter()
                    .find(|workload| workload.patience.is_none());
                return Err(RunError::Unsuitable {
                    line: patient.map(|workload| workload.line),
                    message: "`windows` needs to know how long a request can last, and a user \
                              without `patience` waits for ever"
                        .into(),
                    help: "state a `patience`, or use `--method exact`".into(),
                });
            }
            // Each fault makes a few transitions; windows overlap into about three each.
            let window = plan.windows.look_back.as_secs_f64()
                + plan.windows.warm_up.as_secs_f64()
                + plan.windows.after.as_secs_f64();
            let windows = (3.0 * faults * window).min(plan.horizon_s());
            load.rate * (windows + 16.0 * sampled)
        }
    };
    let mut cost = Cost {
        transitions,
        attempts: requests * load.attempts_per_request,
        block_cpu_s: 0.0,
        bytes: bytes(system, &plan),
    };
    if plan.method != Method::None {
        let affordable = (BLOCK_CPU_S / cost.with_traffic_s().max(1e-9)).floor();
        let traffic = (affordable as u64).clamp(LEAST_TRAFFIC, BLOCK);
        plan.traffic_per_block = if traffic >= GROUPS {
            traffic / GROUPS * GROUPS
        } else {
            traffic
        };
    }
    let asked = options.replications.or(system.run.replications);
    let replications = asked.unwrap_or(BLOCK);
    let in_block = plan.traffic_per_block.min(replications) as f64;
    let in_control = replications.min(BLOCK) as f64;
    cost.block_cpu_s = cost.with_traffic_s() * in_block + cost.control_s() * in_control;
    let blocks = replications.div_ceil(BLOCK) as f64;
    let total = cost.block_cpu_s * blocks;
    if plan.method == Method::Exact && options.method != Some(Method::Exact) && total > EXACT_CPU_S
    {
        return Err(RunError::TooCostly {
            line,
            message: format!(
                "simulating every request would take about {} of CPU time ({:.1e} attempts); \
                 the limit is {EXACT_CPU_S} s",
                cpu(total),
                cost.attempts * in_block * blocks,
            ),
            help: "use `--method windows`, fewer replications, a shorter horizon or a lower rate; \
                   or type `--method exact` if you want to wait"
                .into(),
        });
    }
    if cost.control_s() * in_control > LIMIT_CPU_S / 24.0 {
        let (name, times) = busiest(system, &plan);
        return Err(RunError::TooCostly {
            line: 1,
            message: format!(
                "`{name}` alone happens about {times:.1e} times in one replication, and a run \
                 would take about {} of CPU time",
                cpu(total)
            ),
            help: "use a shorter horizon, or longer times between faults".into(),
        });
    }
    if total > LIMIT_CPU_S {
        return Err(RunError::TooCostly {
            line,
            message: format!(
                "the run would take about {} of CPU time ({:.1e} attempts in each replication with \
                 traffic); the limit is {}",
                cpu(total),
                cost.attempts,
                cpu(LIMIT_CPU_S)
            ),
            help: "use a lower rate, a shorter horizon or fewer replications; or `--method none` \
                   for structural figures only"
                .into(),
        });
    }
    Ok((plan, cost))
}

/// Refuses what no run can answer: a queue that grows for ever.
fn check_queues(system: &System, load: &Load, plan: &Plan) -> Result<(), RunError> {
    if plan.method == Method::None || look_back(system).is_some() {
        return Ok(());
    }
    for (id, pool) in system.pools.pairs() {
        let Some(utilisation) = load.pools[id].utilisation_max else {
            continue;
        };
        if utilisation >= 1.0 && pool.queue.is_none() {
            return Err(RunError::Unsuitable {
                line: system.workloads.iter().next().map(|workload| workload.line),
                message: format!(
                    "`{}` is offered {:.0} % of what it can do, and nothing bounds its queue",
                    pool.name,
                    utilisation * 100.0
                ),
                help: "state a `queue` for it or a `patience` for the users, or give it more \
                       workers or replicas"
                    .into(),
            });
        }
    }
    Ok(())
}

/// Control transitions of one replication, about.
fn transitions(system: &System, plan: &Plan) -> f64 {
    let mut sum = 0.0;
    for clock in &system.clocks {
        let fault = &system.faults[clock.fault];
        let cycle = (fault.every.mean() + fault.lasts.mean()).max(1e-9);
        let touched = match fault.kind {
            FaultKind::Crash => 2.0,
            FaultKind::Isolated | FaultKind::Power => 4.0,
        };
        sum += plan.horizon_s() / cycle * 2.0 * touched;
    }
    sum
}

fn busiest(system: &System, plan: &Plan) -> (String, f64) {
    let mut worst = (String::new(), 0.0);
    for clock in &system.clocks {
        let fault = &system.faults[clock.fault];
        let times = plan.horizon_s() / (fault.every.mean() + fault.lasts.mean()).max(1e-9);
        if times > worst.1 {
            worst = (clock.name.clone(), times);
        }
    }
    worst
}

fn bytes(system: &System, plan: &Plan) -> f64 {
    let histograms = 3 + system.journeys.len() + system.pools.len();
    if plan.method == Method::None {
        1e5
    } else {
        histograms as f64 * 16e3 * (GROUPS as f64 * 2.0)
    }
}

/// CPU time for people.
fn cpu(secs: f64) -> String {
    match secs {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3_600.0),
        s if s < 730.0 * 86_400.0 => format!("{:.0} days", s / 86_400.0),
        s => format!("{:.1e} years", s / (365.0 * 86_400.0)),
    }
}
