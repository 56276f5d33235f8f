//! Whether designs can be compared at all, and the one plan by which all of them are simulated.

use super::cost::{ATTEMPTS_PER_CPU_S, Cost, FIGURES_CPU_S, LEAST_TRAFFIC, LIMIT_CPU_S, plan};
use super::{CompareError, Options, RunError};
use crate::estimate::{BLOCK, GROUPS, Plan, burn_in};
use crate::model::{Method, Relation, Start, System};

/// The plans of all designs, alike in everything that a difference must not come from, and the CPU
/// seconds of a block of all of them.
pub(super) fn plans(
    systems: &[&System],
    options: &Options,
) -> Result<(Vec<Plan>, f64), CompareError> {
    for (design, system) in systems.iter().enumerate().skip(1) {
        check(systems[0], system).map_err(|wrong| CompareError { design, ..wrong })?;
    }
    let method = method(systems, options)?;
    let options = Options {
        seed: options.seed.or(Some(systems[0].run.seed)),
        replications: options.replications.or(systems[0].run.replications),
        method,
        ..Options::default()
    };
    let each = systems.iter().enumerate().map(|(design, system)| {
        plan(system, &options).map_err(|error| CompareError {
            design,
            path: &[],
            error,
        })
    });
    let mut made: Vec<(Plan, Cost)> = each.collect::<Result<_, _>>()?;
    // Where each design may choose, windows for one of them means windows for all.
    if let Some(windows) = made
        .iter()
        .position(|(plan, _)| plan.method == Method::Windows)
        .filter(|_| made.iter().any(|(plan, _)| plan.method == Method::Exact))
    {
        let options = Options {
            method: Some(Method::Windows),
            ..options
        };
        for (design, system) in systems.iter().enumerate() {
            made[design] = plan(system, &options).map_err(|error| CompareError {
                design: if design == 0 { windows } else { design },
                path: &[],
                error,
            })?;
        }
    }
    let first = made[0].0.method;
    let lead = systems.iter().map(|system| burn_in(system, first)).max();
    for (plan, _) in &mut made {
        plan.lead = lead.unwrap_or(plan.lead);
        plan.common = true;
        plan.lenders = 0;
    }
    let cpu_s = align(&mut made, &options)?;
    Ok((made.into_iter().map(|(plan, _)| plan).collect(), cpu_s))
}

/// Refuses designs whose figures do not mean the same.
fn check(base: &System, other: &System) -> Result<(), CompareError> {
    let refuse = |path: &'static [&'static str], line, message: String, help: &str| {
        Err(CompareError {
            design: 1,
            path,
            error: RunError::Unsuitable {
                line,
                message,
                help: help.into(),
            },
        })
    };
    let (a, b) = (&base.run, &other.run);
    if a.horizon != b.horizon {
        return refuse(
            &["run", "horizon"],
            None,
            format!(
                "the horizon is {}, and that of the baseline is {}",
                span(b.horizon.as_secs_f64()),
                span(a.horizon.as_secs_f64())
            ),
            "figures of histories of different lengths cannot be subtracted: state the same \
             `horizon` in both",
        );
    }
    if a.start != b.start {
        let word = |start| match start {
            Start::Steady => "`steady`",
            Start::New => "`new`",
        };
        return refuse(
            &["run", "start"],
            None,
            format!(
                "histories start {}, and those of the baseline {}",
                word(b.start),
                word(a.start)
            ),
            "state the same `start` in both",
        );
    }
    if a.slice != b.slice {
        return refuse(
            &["run", "slice"],
            None,
            "the slices in which time is judged are not those of the baseline".into(),
            "state the same `slice` under `run` in both, or none",
        );
    }
    if a.bad_below != b.bad_below {
        return refuse(
            &["run", "bad_below"],
            None,
            format!(
                "a slice is bad below {} %, and below {} % in the baseline",
                100.0 * b.bad_below,
                100.0 * a.bad_below
            ),
            "state the same `bad_below` under `run` in both",
        );
    }
    let sign = |relation| match relation {
        Relation::AtLeast => ">=",
        Relation::AtMost => "<=",
    };
    for target in &other.targets {
        if !base.targets.iter().any(|it| it.text == target.text) {
            let metric = target.text.split(sign(target.relation)).next();
            let like = base.targets.iter().find(|it| {
                metric.is_some_and(|metric| it.text.split(sign(it.relation)).next() == Some(metric))
            });
            let instead = like.map_or_else(
                || "the baseline does not have this target".to_owned(),
                |like| format!("the baseline has `{}` instead", like.text),
            );
            return refuse(&[], Some(target.line), instead, SAME_TARGETS);
        }
    }
    if let Some(missing) = base
        .targets
        .iter()
        .find(|target| !other.targets.iter().any(|it| it.text == target.text))
    {
        return refuse(
            &["targets"],
            None,
            format!("the target `{}` of the baseline is not here", missing.text),
            SAME_TARGETS,
        );
    }
    if base.workloads.is_empty() != other.workloads.is_empty() {
        let (who, not) = if base.workloads.is_empty() {
            ("this design", "the baseline")
        } else {
            ("the baseline", "this design")
        };
        return refuse(
            &["workload"],
            None,
            format!("{who} has a workload and {not} has none"),
            "give both the same `workload`, or compare the structure of both with `--method none`",
        );
    }
    Ok(())
}

const SAME_TARGETS: &str = "designs are compared by the same targets: copy the `targets` of one \
                            file to the other, or remove them from both";

/// The method that was asked for.
fn method(systems: &[&System], options: &Options) -> Result<Option<Method>, CompareError> {
    if options.method.is_some() {
        return Ok(options.method);
    }
    let mut asked: Option<Method> = None;
    for (design, system) in systems.iter().enumerate() {
        match (asked, system.run.method) {
            (None, Some(method)) => asked = Some(method),
            (Some(first), Some(method)) if first != method => {
                return Err(CompareError {
                    design,
                    path: &["run", "method"],
                    error: RunError::Unsuitable {
                        line: None,
                        message: "this method is not that of a design before".into(),
                        help: "state the same `method` in all, or choose one with `--method`"
                            .into(),
                    },
                });
            }
            _ => {}
        }
    }
    Ok(asked)
}

/// Makes the plans alike: the longest spans, the longest slice, and as many replications with
/// traffic as a block of all designs can afford.
fn align(made: &mut [(Plan, Cost)], options: &Options) -> Result<f64, CompareError> {
    let replications = options.replications.unwrap_or(BLOCK);
    let first = made[0].0.clone();
    let mut windows = first.windows;
    let mut slice = first.traffic.slice;
    let mut bounds = first.traffic.bounds.clone();
    for (plan, _) in made.iter() {
        windows.look_back = windows.look_back.max(plan.windows.look_back);
        windows.warm_up = windows.warm_up.max(plan.windows.warm_up);
        windows.after = windows.after.max(plan.windows.after);
        windows.sample = windows.sample.max(plan.windows.sample);
        slice = slice.max(plan.traffic.slice);
        bounds.extend(&plan.traffic.bounds);
    }
    bounds.sort_unstable();
    bounds.dedup();
    let sample = windows.sample.as_nanos().div_ceil(slice.as_nanos()).max(1);
    windows.sample = slice.saturating_mul(sample);
    // Every design is simulated around the changes of all.
    let union = if first.method == Method::Windows {
        made.len() as f64
    } else {
        1.0
    };
    let control: f64 = made.iter().map(|(_, cost)| cost.control_s()).sum();
    let attempts: f64 = made.iter().map(|(_, cost)| cost.attempts).sum();
    let with_traffic = union * attempts / ATTEMPTS_PER_CPU_S + control;
    let traffic = if first.method == Method::None {
        0
    } else {
        let affordable =
            ((FIGURES_CPU_S / with_traffic.max(1e-9)).floor() as u64).clamp(LEAST_TRAFFIC, BLOCK);
        if affordable >= GROUPS {
            affordable / GROUPS * GROUPS
        } else {
            affordable
        }
    };
    for (plan, _) in made.iter_mut() {
        plan.windows = windows;
        plan.traffic.slice = slice;
        plan.traffic.settle = windows.after;
        plan.traffic.bounds.clone_from(&bounds);
        plan.traffic_per_block = traffic;
    }
    let block =
        with_traffic * traffic.min(replications) as f64 + control * replications.min(BLOCK) as f64;
    let total = block * replications.div_ceil(BLOCK) as f64;
    if total > LIMIT_CPU_S {
        return Err(CompareError {
            design: 0,
            path: &["run"],
            error: RunError::Unsuitable {
                line: None,
                message: format!(
                    "all designs together would take about {:.0} h of CPU time; the limit is {:.0} h",
                    total / 3_600.0,
                    LIMIT_CPU_S / 3_600.0
                ),
                help: "use fewer replications, a shorter horizon or fewer designs".into(),
            },
        });
    }
    Ok(block)
}

/// A span that is known, for people.
fn span(secs: f64) -> String {
    const DAY: f64 = 86_400.0;
    match secs {
        s if s % (365.0 * DAY) == 0.0 => format!("{} y", s / (365.0 * DAY)),
        s if s % DAY == 0.0 => format!("{} d", s / DAY),
        s if s % 3_600.0 == 0.0 => format!("{} h", s / 3_600.0),
        s => format!("{s} s"),
    }
}
