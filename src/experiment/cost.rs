//! What a run would cost, in events, and the plan that follows. Never measured, so that the plan
//! depends on nothing but the scenario and the seed.

use super::amounts::{cpu, many};
use super::links;
use super::refills;
use super::turns::Turns;
use super::unbounded;
use super::{Options, RunError};
use crate::estimate::{
    BLOCK, Brackets, Coalescence, GROUPS, INSTANTS, Plan, is_never_quiet, lead_in, lenders, lends,
    look_back,
};
use crate::ids::Id;
use crate::model::{Algorithm, Component, FaultKind, Load, LoadRhythm, Method, System};

/// Attempts that count as a second of CPU: what a laptop core does with nested calls, queues and
/// time-outs (about 140 ns each were measured on the article site).
pub(super) const ATTEMPTS_PER_CPU_S: f64 = 7e6;

/// Members of a balancer that cost as much to look through as the rest of an attempt.
const MEMBERS_PER_ATTEMPT: f64 = 100.0;

/// Control transitions that count as a second of CPU.
const TRANSITIONS_PER_CPU_S: f64 = 1e7;

/// CPU seconds that `exact` may cost without being asked for by name.
const EXACT_CPU_S: f64 = 60.0;

/// CPU seconds that a block of `windows` may cost without being asked for by name.
const WINDOWS_CPU_S: f64 = 600.0;

/// CPU seconds of traffic that make decent figures, at most, if more than the least number of
/// replications.
pub(super) const FIGURES_CPU_S: f64 = 24.0;

/// CPU seconds of traffic in one block where there are targets: many can be decided by less than makes
/// decent figures. Who asks for less than a block gets figures.
const LOOK_CPU_S: f64 = 6.0;

/// CPU seconds a run may take while targets are undecided.
pub(super) const RUN_CPU_S: f64 = 100.0;

/// CPU seconds that single losses at the busiest time take at most, beside the blocks.
pub(super) const LOSSES_CPU_S: f64 = 1.0;

/// CPU seconds beyond which nothing is begun.
pub(super) const LIMIT_CPU_S: f64 = 86_400.0;

/// Bytes beyond which nothing is begun.
const LIMIT_BYTES: f64 = 2e9;

/// Transitions before a history that is to be shown at once.
const LEAD_IN_TRANSITIONS: f64 = 2e7;

/// Replications with traffic in a block, at least: two make an interval, these make a decent one.
pub(super) const LEAST_TRAFFIC: u64 = 8;

/// What one replication costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Control transitions of one replication.
    pub transitions: f64,
    /// Attempts simulated for one replication with traffic, by the plan's method.
    pub attempts: f64,
    /// CPU seconds of one replication with traffic for probes that changes of links concern.
    pub(super) probed_s: f64,
    /// CPU seconds of one block.
    pub block_cpu_s: f64,
    /// Bytes that replications in progress and the record need, about.
    pub bytes: f64,
}

impl Cost {
    /// CPU seconds of one replication with traffic.
    pub(super) fn with_traffic_s(self) -> f64 {
        self.attempts / ATTEMPTS_PER_CPU_S + self.probed_s + self.control_s()
    }

    /// Replications with traffic that so many CPU seconds pay for, within what a block may have.
    fn affordable(self, cpu_s: f64) -> u64 {
        let affordable = (cpu_s / self.with_traffic_s().max(1e-9)).floor();
        (affordable as u64).clamp(LEAST_TRAFFIC, BLOCK)
    }

    /// Blocks that make decent figures, about, whatever is decided before.
    pub(super) fn blocks_for_figures(self, plan: &Plan) -> u64 {
        if plan.method == Method::None {
            return 1;
        }
        let traffic = plan.traffic_per_block.max(1);
        (self.affordable(FIGURES_CPU_S) / traffic).max(1)
    }

    /// What a run by `plan` costs, in a sentence for people.
    /// `verdicts_only` as in [`Options`].
    pub fn words(&self, plan: &Plan, replications: Option<u64>, verdicts_only: bool) -> String {
        let histories = replications.unwrap_or(BLOCK);
        let in_block = histories.min(BLOCK);
        let with_traffic = plan.traffic_per_block.min(in_block);
        let traffic = if with_traffic == 0 {
            String::new()
        } else {
            format!(
                ", {with_traffic} of them with traffic, about {} attempts",
                many(self.attempts * with_traffic as f64)
            )
        };
        let losses = if with_traffic == 0 {
            String::new()
        } else {
            format!(" and at most {} for single losses", cpu(LOSSES_CPU_S))
        };
        let least = if replications.is_some() || verdicts_only {
            1
        } else {
            self.blocks_for_figures(plan)
        };
        let each = match (histories > BLOCK, least) {
            (true, _) => "in each block: ".to_owned(),
            (false, 1) => String::new(),
            (false, least) => format!("in each of at least {least} blocks: "),
        };
        format!(
            "{each}{in_block} histories{traffic}, about {} transitions, {} of CPU time{losses}, {:.0} MB",
            many(self.transitions * in_block as f64),
            cpu(self.block_cpu_s.max(1.0)),
            (self.bytes / 1e6).max(1.0),
        )
    }

    pub(super) fn control_s(self) -> f64 {
        self.transitions / TRANSITIONS_PER_CPU_S
    }
}

/// Decides how `system` will be simulated.
///
/// # Errors
/// [`RunError::TooCostly`] and [`RunError::Unsuitable`], before anything is simulated.
pub fn plan(system: &System, options: &Options) -> Result<(Plan, Cost), RunError> {
    plan_with(system, options, None)
}

/// The same with what is `known` of the warm-up of a system that differs in its faults only.
pub(super) fn plan_with(
    system: &System,
    options: &Options,
    known: Option<&Coalescence>,
) -> Result<(Plan, Cost), RunError> {
    let load = Load::of(system);
    let finish = |plan: Plan| finish((system, known), &load, options, plan);
    let seed = seed_of(system, options);
    let asked = options.method.or(system.run.method);
    if system.workloads.is_empty() {
        if let Some(Method::Windows | Method::Exact) = options.method {
            return Err(RunError::Unsuitable {
                line: None,
                message: "there is no workload, so there are no requests to simulate".into(),
                help: "add a `workload`, or leave out `--method`".into(),
            });
        }
        return finish(Plan::new(system, &load, seed, Method::None));
    }
    if let Some(method) = asked {
        return finish(Plan::new(system, &load, seed, method));
    }
    // Every request of the whole run, if that is cheap; else windows.
    let exact = Plan::new(system, &load, seed, Method::Exact);
    let all = load.rate * exact.horizon_s() * load.attempts_per_request;
    let replications = options
        .replications
        .or(system.run.replications)
        .unwrap_or(BLOCK);
    let cheap = all * replications as f64 / ATTEMPTS_PER_CPU_S <= FIGURES_CPU_S;
    let sampled = look_back(system).is_some()
        && system.changes_within_hours().is_none()
        && system.queues.is_empty();
    if cheap || !sampled {
        return finish(exact);
    }
    finish(Plan::new(system, &load, seed, Method::Windows))
}

fn seed_of(system: &System, options: &Options) -> u64 {
    options.seed.unwrap_or(system.run.seed)
}

fn finish(
    (system, known): (&System, Option<&Coalescence>),
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
    unbounded::check(system, load, &plan)?;
    check_slices(system, &plan)?;
    let faults = transitions(system, plan.horizon_s()) / 4.0;
    let followed = plan.horizon_s() + lead_in(system, seed_of(system, options)).as_secs_f64();
    let transitions = transitions(system, followed);
    let sampled =
        |plan: &Plan| plan.windows.sample.as_secs_f64() + plan.windows.warm_up.as_secs_f64();
    let probes = probing(system);
    let requests = match plan.method {
        Method::None => 0.0,
        Method::Exact => (load.rate + probes) * plan.to.since(plan.traffic_from()).as_secs_f64(),
        Method::Windows => {
            super::queues::check(system)?;
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
            if let Some(line) = system.changes_within_hours() {
                return Err(RunError::Unsuitable {
                    line: Some(line),
                    message:
                        "`windows` samples quiet time by the hour, and the rates of this trace \
                              change within hours"
                            .into(),
                    help: "use `--method exact`, or a trace with a line for each hour".into(),
                });
            }
            plan.heed(
                known
                    .cloned()
                    .unwrap_or_else(|| Coalescence::of(system, &plan)),
            );
            // Each fault makes a few transitions; windows overlap into about two each.
            let window = plan.windows.look_back.as_secs_f64()
                + plan.windows.warm_up.as_secs_f64()
                + plan.windows.after.as_secs_f64();
            let refills = refills::seconds(system, plan.horizon_s());
            let mut windows = (2.0 * faults * window + refills).min(plan.horizon_s());
            let attempts_per_s = load.rate * load.attempts_per_request;
            if is_never_quiet(system, &plan, attempts_per_s) {
                windows = plan.horizon_s();
            }
            // Each stretch between windows is sampled, long ones in every hour of the day or week.
            let hours = match system.load_rhythm() {
                LoadRhythm::Steady => 0.0,
                LoadRhythm::Daily => 48.0,
                LoadRhythm::Weekly | LoadRhythm::Free => 336.0,
            };
            let samples = 16.0 + faults + hours;
            // Each window and sample begins by drawing where every user of a closed loop is.
            let users = system.workloads.iter().filter_map(|row| row.users.as_ref());
            let users: f64 = users.map(|users| f64::from(users.count)).sum();
            (load.rate + probes) * (windows + samples * sampled(&plan)) + users * (faults + samples)
        }
    };
    let mut cost = Cost {
        transitions,
        attempts: requests * load.attempts_per_request * picking(system),
        probed_s: followed * links::probed(system),
        block_cpu_s: 0.0,
        bytes: bytes(system, &plan),
    };
    if lends(system, plan.method) {
        // Each group that has traffic samples what it borrows, too: as long as that is no great part of all, or
        // all is cheap.
        let histories = (cost.affordable(FIGURES_CPU_S) / GROUPS).max(1) as f64;
        let borrowed = (load.rate + probes) * INSTANTS as f64 * sampled(&plan) / histories;
        let borrowed = borrowed * load.attempts_per_request * picking(system);
        let least = (cost.attempts + borrowed) / ATTEMPTS_PER_CPU_S * LEAST_TRAFFIC as f64;
        if borrowed <= 0.5 * cost.attempts || least <= LOOK_CPU_S {
            plan.lenders = lenders(transitions);
            cost.attempts += borrowed;
        }
    }
    if plan.method != Method::None {
        let asked = options.replications.or(system.run.replications);
        let looks = asked.is_none_or(|replications| replications >= BLOCK);
        let block_cpu_s = if looks && !system.targets.is_empty() {
            LOOK_CPU_S
        } else {
            FIGURES_CPU_S
        };
        let traffic = cost.affordable(block_cpu_s);
        plan.traffic_per_block = if traffic >= GROUPS {
            traffic / GROUPS * GROUPS
        } else {
            traffic
        };
    }
    let asked = options.replications.or(system.run.replications);
    let replications = asked.unwrap_or(BLOCK);
    let in_block = plan.traffic_per_block.min(replications) as f64;
    // Bounds of downtime are found by following control a second time, and quiet time is lent by a third.
    let without = replications.min(BLOCK) as f64 - in_block;
    let times = u8::from(Brackets::serve(system, plan.method)) + u8::from(plan.lenders > 0);
    let in_control = replications.min(BLOCK) as f64 + f64::from(times) * without;
    cost.block_cpu_s = cost.with_traffic_s() * in_block + cost.control_s() * in_control;
    let blocks = replications.div_ceil(BLOCK) as f64;
    let total = cost.block_cpu_s * blocks;
    let alone = options
        .blocks
        .map_or(blocks, |most| blocks.min(most as f64));
    check_memory(system, &cost, line)?;
    let unasked = plan.method == Method::Exact && options.method != Some(Method::Exact);
    let limit = if unasked { EXACT_CPU_S } else { LIMIT_CPU_S };
    // A run can end at a block border, so it is the block that must not take too long.
    let long_block = plan.method == Method::Windows
        && options.method != Some(Method::Windows)
        && cost.block_cpu_s > WINDOWS_CPU_S;
    let mostly_faults = cost.control_s() > 0.5 * cost.with_traffic_s();
    if cost.control_s() * in_control > LIMIT_CPU_S / 24.0
        || (alone * cost.block_cpu_s > limit && mostly_faults)
    {
        return Err(too_dense(
            system,
            &format!("a run would take about {} of CPU time", cpu(total)),
        ));
    }
    if unasked && total > EXACT_CPU_S {
        return Err(RunError::TooCostly {
            line,
            message: format!(
                "simulating every request would take about {} of CPU time ({} attempts); \
                 the limit is {EXACT_CPU_S} s",
                cpu(total),
                many(cost.attempts * in_block * blocks),
            ),
            help: if look_back(system).is_some() {
                "use `--method windows`, fewer replications, a shorter horizon or a lower rate; \
                 or type `--method exact` if you want to wait"
            } else {
                "state a `patience` for all users, without which only every request can be \
                 simulated; or ask for fewer replications, a shorter horizon or a lower rate; or \
                 type `--method exact` if you want to wait"
            }
            .into(),
        });
    }
    if alone * cost.block_cpu_s > limit || long_block {
        let (what, secs, limit) = if long_block {
            ("a block of the run", cost.block_cpu_s, WINDOWS_CPU_S)
        } else {
            ("the run", alone * cost.block_cpu_s, limit)
        };
        return Err(RunError::TooCostly {
            line,
            message: format!(
                "{what} would take about {} of CPU time ({} attempts in each replication with \
                 traffic); the limit is {}",
                cpu(secs),
                many(cost.attempts),
                cpu(limit)
            ),
            help: if plan.method == Method::None {
                "use fewer replications or a shorter horizon"
            } else {
                "use a lower rate, a shorter patience, a shorter horizon or fewer replications; or \
                 `--method none` for structural figures only; up to a day, type the method with \
                 `--method` if you want to wait"
            }
            .into(),
        });
    }
    Ok((plan, cost))
}

/// Probes a second that workers answer, each with a look through all pairs of who probes whom.
fn probing(system: &System) -> f64 {
    let balancers = system.balancers.iter();
    let probed = balancers.filter_map(|row| Some((row, row.probes.as_ref()?)));
    let (mut pairs, mut rate) = (0.0, 0.0);
    for (balancer, probes) in probed.filter(|(_, probes)| probes.work.is_some()) {
        let own = (balancer.slots.len() * system.pools[balancer.to].slots.len()) as f64;
        pairs += own;
        rate += own / probes.interval.as_secs_f64();
    }
    rate * (1.0 + pairs / MEMBERS_PER_ATTEMPT)
}

/// How much more an attempt costs because balancers look through all their members.
fn picking(system: &System) -> f64 {
    let members = system
        .balancers
        .iter()
        .filter(|balancer| {
            matches!(
                balancer.algorithm,
                Algorithm::RoundRobin | Algorithm::LeastConnections
            )
        })
        .map(|balancer| system.pools[balancer.to].slots.len())
        .max();
    1.0 + members.unwrap_or(0) as f64 / MEMBERS_PER_ATTEMPT
}

/// Refuses a horizon that ends within a slice: its last requests would belong to no slice.
fn check_slices(system: &System, plan: &Plan) -> Result<(), RunError> {
    let (horizon, slice) = (system.run.horizon.as_nanos(), plan.traffic.slice.as_nanos());
    if plan.method == Method::None || horizon.is_multiple_of(slice) {
        return Ok(());
    }
    let secs = plan.traffic.slice.as_secs_f64();
    let whole = horizon / slice;
    let nearest = if whole == 0 {
        format!("{secs} s")
    } else {
        format!(
            "{} s or {} s",
            whole as f64 * secs,
            (whole + 1) as f64 * secs
        )
    };
    Err(RunError::Unsuitable {
        line: None,
        message: format!(
            "the horizon of {} s is no whole number of slices of {secs} s",
            plan.horizon_s()
        ),
        help: format!(
            "use a horizon of {nearest}, or state a `slice` under `run` that divides the horizon"
        ),
    })
}

/// Control transitions in `secs` of one replication, about.
fn transitions(system: &System, secs: f64) -> f64 {
    let turns = Turns::of(system);
    // Starts that fail, for each end of a process.
    let mut failing = vec![0.0; system.slots.len()];
    for restart in &system.care.restarts {
        for slot in &restart.slots {
            failing[slot.index()] = restart.starts_fail / (1.0 - restart.starts_fail);
        }
    }
    let mut sum = 0.0;
    for clock in &system.clocks {
        let fault = &system.faults[clock.fault];
        let cycle = (fault.every.mean() + fault.lasts.mean()).max(1e-9);
        let touched = match fault.kind {
            FaultKind::Crash
            | FaultKind::Hang
            | FaultKind::Pause
            | FaultKind::Slow { .. }
            | FaultKind::Errors { .. }
            | FaultKind::Outage(_)
            | FaultKind::Burst => 2.0,
            FaultKind::Isolated
            | FaultKind::Power
            | FaultKind::Maintenance
            | FaultKind::Common
            | FaultKind::Partition
            | FaultKind::Loss { .. }
            | FaultKind::Latency { .. } => 4.0,
            // Each replica is drained, restarts, starts and returns.
            FaultKind::Rollout => match clock.component {
                Component::Pool(pool) => 2.0 * system.pools[pool].slots.len() as f64,
                _ => 2.0,
            },
            // Seldom, but each time a number is drawn.
            FaultKind::Release | FaultKind::Configuration | FaultKind::Certificate => 0.1,
        };
        sum += secs / cycle * 2.0 * touched;
        if let Component::Slot(slot) = clock.component {
            sum += secs / cycle * failing[slot.index()];
        }
        sum += secs * 2.0 * touched * turns.per_s(clock.fault);
    }
    sum + secs * (links::lossy_probes(system) + links::split_structure(system))
}

/// Refuses faults that come so often that following them takes too long.
fn too_dense(system: &System, cost: &str) -> RunError {
    let mut worst = ("", f64::INFINITY);
    let turns = Turns::of(system);
    let mut flaps = ("", 0.0, 0);
    for clock in &system.clocks {
        let fault = &system.faults[clock.fault];
        let cycle = fault.every.mean() + fault.lasts.mean();
        if cycle < worst.1 {
            worst = (&clock.name, cycle);
        }
        let turns = turns.per_s(clock.fault);
        if turns > flaps.1 {
            let line = system.care.flaps.get(&clock.fault).map(|flaps| flaps.line);
            flaps = (&clock.name, turns, line.unwrap_or_default());
        }
    }
    let often = |cycle: f64| {
        if cycle >= 1.0 {
            format!("once in {cycle:.0} s")
        } else {
            format!("about {} times a second", many(1.0 / cycle.max(1e-9)))
        }
    };
    let (name, cycle) = worst;
    if flaps.1 * cycle > 1.0 {
        let (name, turns, line) = flaps;
        return RunError::Unsuitable {
            line: Some(line),
            message: format!(
                "`{name}` alone comes and goes {} over all time, and {cost}",
                often(1.0 / turns)
            ),
            help: "use longer `down` and `up`, shorter or rarer faults, fewer components with them, a \
                   shorter horizon or fewer replications"
                .into(),
        };
    }
    RunError::Unsuitable {
        line: None,
        message: format!("`{name}` alone happens {}, and {cost}", often(cycle)),
        help:
            "use longer times between faults, fewer components with faults, a shorter horizon or \
               fewer replications"
                .into(),
    }
}

/// Whether one history of `system` can be replayed in a few seconds.
///
/// # Errors
/// [`RunError::Unsuitable`] where faults before its first instant alone would take longer.
pub fn check_history(system: &System, seed: u64) -> Result<(), RunError> {
    let before = lead_in(system, seed).as_secs_f64();
    let transitions = transitions(system, before);
    if transitions > LEAD_IN_TRANSITIONS {
        let minutes = before / 60.0;
        let cost = format!(
            "the {minutes:.0} min before the history, in which everything settles, have {} changes",
            many(transitions)
        );
        return Err(too_dense(system, &cost));
    }
    Ok(())
}

/// Refuses more memory than an ordinary machine has to spare.
fn check_memory(system: &System, cost: &Cost, line: u32) -> Result<(), RunError> {
    if cost.bytes <= LIMIT_BYTES {
        return Ok(());
    }
    Err(RunError::TooCostly {
        line,
        message: format!(
            "the run would need about {:.0} GB of memory for the latencies of {} journeys and {} \
             services; the limit is {:.0} GB",
            cost.bytes / 1e9,
            system.journeys.len(),
            system.pools.len(),
            LIMIT_BYTES / 1e9
        ),
        help: "use fewer journeys, or `--method none` for structural figures only".into(),
    })
}

/// What all groups of a block hold until they are folded.
fn bytes(system: &System, plan: &Plan) -> f64 {
    /// Measured with 500 journeys: the histograms of one journey or service in one group.
    const EACH: f64 = 60e3;
    let histograms = 3 + system.journeys.len() + system.pools.len();
    if plan.method == Method::None {
        1e5
    } else {
        /// A user of a closed loop in each of some threads.
        const USER: f64 = 50.0 * 16.0;
        let users = system.workloads.iter().filter_map(|row| row.users.as_ref());
        let users: f64 = users.map(|users| f64::from(users.count)).sum();
        histograms as f64 * EACH * GROUPS as f64 + users * USER
    }
}
