//! How wrong an input may be until a verdict turns: the experiment again and again on the same random
//! numbers, with one input scaled, until the figure of a target crosses its bound.
//!
//! One input is scaled at a time. Of targets on structural figures it is the figure itself that crosses, so
//! factors are known to one per cent. A target on requests would need far more traffic for that: the
//! factor is looked for in a few steps, and lies between two of which the figure is clearly on one side of
//! the bound, with its interval, and on the other.

use super::amounts::cpu;
use super::cost::{LEAST_TRAFFIC, plan_with};
use super::figures::Figures;
use super::outcome::{BreakEven, Outcome, Unturned};
use super::run::{Histories, some, structure};
use super::scaled::{Input, inputs};
use super::{Options, RunError, Watch, verdict};
use crate::estimate::{BLOCK, Coalescence, GROUPS};
use crate::model::{Method, Metric, Quantity, Source, System, Target};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// CPU seconds of all tries for structural figures together, at most, by their cost in events.
const CPU_S: f64 = 20.0;

/// CPU seconds of one try, at most: a fault that comes a thousand times as often is followed no longer.
const TRY_CPU_S: f64 = 2.0;

/// The same of all tries with traffic, about: so many histories are simulated in each that they take so long.
const TRAFFIC_CPU_S: f64 = 60.0;

/// And at most: as an input gets worse, its tries take longer, and targets may turn far from each other.
const TRAFFIC_LIMIT_CPU_S: f64 = 120.0;

/// Histories of one try, at least; at most a block.
const LEAST: u64 = 64;

/// Targets that are looked at.
const TARGETS: usize = 8;

/// Doublings until an input counts as harmless: a thousand times as bad, or as good.
const DOUBLINGS: u32 = 10;

/// Halvings of the last doubling: the factor is then known to one per cent.
const HALVINGS: u32 = 6;

/// With traffic: steps of a factor of four, and halvings of the last one, to a fifth.
const STEPS: u32 = 4;
const STEP: f64 = 4.0;
const TRAFFIC_HALVINGS: u32 = 3;

/// What a try says about one target.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Whether the figure is on the right side of the bound.
    met: bool,
    /// Whether its whole interval is.
    clear: bool,
}

/// What a try says about each target; `None` if it cannot be simulated, or costs too much.
type Found = Option<Vec<Option<Seen>>>;

/// Tries of one kind, each made once.
struct Tries<'a> {
    system: &'a System,
    options: Options,
    watch: &'a dyn Watch,
    /// Histories, where they have traffic.
    histories: Option<Histories>,
    /// What was measured of the warm-up, in which no fault matters.
    coalescence: Option<Coalescence>,
    /// CPU seconds of one try, and of all that are left to be made, at most.
    try_cpu_s: f64,
    left_cpu_s: Cell<f64>,
    /// By index of the input and bits of the factor.
    known: RefCell<BTreeMap<(usize, u64), Found>>,
}

/// The break-even factors of the targets of `outcome`, which is what a run of `system` found; one list
/// for each target, empty where there is none to find.
///
/// # Errors
/// See [`RunError`]; [`RunError::TooCostly`] where even the least number of histories takes too long.
pub fn break_even(
    system: &System,
    options: &Options,
    outcome: &Outcome,
    watch: &dyn Watch,
) -> Result<Vec<Vec<BreakEven>>, RunError> {
    let targets = || 0..system.targets.len();
    let structural: Vec<usize> = targets()
        .filter(|&index| is_structural(system, outcome, &system.targets[index]))
        .take(TARGETS)
        .collect();
    let others: Vec<usize> = targets()
        .filter(|&index| !is_structural(system, outcome, &system.targets[index]))
        .take(TARGETS)
        .collect();
    let mut found = vec![Vec::new(); system.targets.len()];
    let rows = inputs(system, outcome, false);
    if !structural.is_empty() && !rows.is_empty() {
        of_structure(system, options, &structural, &rows, watch, &mut found)?;
    }
    let rows = inputs(system, outcome, true);
    if !others.is_empty() && !rows.is_empty() && outcome.run.method != Method::None {
        let options = Options {
            method: Some(outcome.run.method),
            replications: Some(LEAST),
            ..options.clone()
        };
        of_requests(system, options, &others, &rows, watch, &mut found)?;
    }
    for rows in &mut found {
        // The input that may be wrong by least comes first.
        rows.sort_by(|a: &BreakEven, b| distance(a).total_cmp(&distance(b)));
    }
    Ok(found)
}

fn of_structure(
    system: &System,
    options: &Options,
    targets: &[usize],
    inputs: &[Input],
    watch: &dyn Watch,
    found: &mut [Vec<BreakEven>],
) -> Result<(), RunError> {
    let mut options = Options {
        method: Some(Method::None),
        replications: Some(1),
        ..options.clone()
    };
    let (_, cost) = plan_with(system, &options, None)?;
    // An input that is doubled doubles the transitions of its fault; most tries are near the end.
    let tries = targets.len() * inputs.len() * (DOUBLINGS + HALVINGS) as usize;
    let each = cost.block_cpu_s * tries as f64;
    if each * LEAST as f64 > 10.0 * CPU_S {
        return Err(RunError::TooCostly {
            line: system.targets[targets[0]].line,
            message: format!(
                "break-even factors would take about {} of CPU time",
                cpu(each * LEAST as f64)
            ),
            help: "leave out `--break-even`, or state fewer targets on structural figures or a \
                   shorter horizon"
                .into(),
        });
    }
    options.replications = Some(((CPU_S / each.max(1e-12)) as u64).clamp(LEAST, BLOCK));
    let tries = Tries {
        system,
        options,
        watch,
        histories: None,
        coalescence: None,
        try_cpu_s: TRY_CPU_S,
        left_cpu_s: Cell::new(f64::INFINITY),
        known: RefCell::default(),
    };
    for &target in targets {
        for index in 0..inputs.len() {
            found[target].extend(tries.factor(target, inputs, index)?);
        }
    }
    Ok(())
}

fn of_requests(
    system: &System,
    options: Options,
    targets: &[usize],
    inputs: &[Input],
    watch: &dyn Watch,
    found: &mut [Vec<BreakEven>],
) -> Result<(), RunError> {
    // Windows, where they are cheaper than the method of the run: figures are the same but for their error.
    let windows = Options {
        method: Some(Method::Windows),
        ..options.clone()
    };
    let measured = plan_with(system, &windows, None).ok();
    let measured = measured.and_then(|(plan, _)| plan.coalescence);
    let plan = |options: &Options| plan_with(system, options, measured.as_ref());
    let cost = |options: &Options| plan(options).map(|(_, cost)| cost.with_traffic_s());
    let (own, other) = (cost(&options), cost(&windows));
    let options = match (&own, &other) {
        (Ok(own), Ok(other)) if other < own => windows,
        _ => options,
    };
    let each = cost(&options).unwrap_or(f64::INFINITY);
    // Followed for structure, and for what they lend.
    let cost_of_control =
        |options: &Options| plan(options).map_or(f64::INFINITY, |(_, cost)| 2.0 * cost.control_s());
    // One try serves all targets; they differ a little in where they turn.
    let tries = inputs.len() * (STEPS + TRAFFIC_HALVINGS) as usize + 1;
    let affordable = ((TRAFFIC_CPU_S / (each * tries as f64).max(1e-12)) as u64).min(GROUPS);
    // With the least number of histories, at least a few steps of each input must be possible.
    let least = each * LEAST_TRAFFIC as f64 * (2 * inputs.len() + 1) as f64;
    let affordable = match least <= TRAFFIC_CPU_S {
        true => affordable.max(LEAST_TRAFFIC),
        false => 0,
    };
    if affordable < LEAST_TRAFFIC {
        for &target in targets {
            let input = &inputs[0];
            found[target].push(open(system, input, true, 1.0, Unturned::TooCostly));
        }
        return Ok(());
    }
    // Histories without traffic lend their quiet time, and cost next to nothing: together as much as the others.
    let without = cost_of_control(&options);
    let all = (each * affordable as f64 / without.max(1e-12)) as u64;
    let tries = Tries {
        system,
        options,
        watch,
        histories: Some(Histories {
            all: all.clamp(LEAST, BLOCK),
            traffic: affordable,
        }),
        coalescence: measured,
        try_cpu_s: f64::INFINITY,
        left_cpu_s: Cell::new(TRAFFIC_LIMIT_CPU_S),
        known: RefCell::default(),
    };
    for &target in targets {
        let Some(first) = tries.seen(target, inputs, 0, 1.0)? else {
            continue;
        };
        if !first.clear {
            let row = open(system, &inputs[0], first.met, 1.0, Unturned::TooClose);
            found[target].push(row);
            continue;
        }
        for index in 0..inputs.len() {
            found[target].extend(tries.factor_clearly(target, inputs, index)?);
        }
    }
    Ok(())
}

/// How far a factor is from 1, either way.
fn distance(row: &BreakEven) -> f64 {
    row.factor.map_or(f64::INFINITY, |factor| factor.ln().abs())
}

/// Whether it takes no request to judge it.
fn is_structural(system: &System, outcome: &Outcome, target: &Target) -> bool {
    match target.metric {
        Metric::StructuralAvailability
        | Metric::StructuralDowntime
        | Metric::StructuralOutages
        | Metric::StructuralDowntimeExceeds(_) => true,
        Metric::Recovery {
            quantity, store, ..
        } => {
            quantity == Quantity::Loss
                || outcome.run.method == Method::None
                || !system.asks_leaders(store)
        }
        Metric::Periods(bound) => bound.measure.source() == Source::Structure,
        Metric::Availability(_)
        | Metric::FullAvailability
        | Metric::TimeAvailability
        | Metric::Downtime
        | Metric::Outages
        | Metric::Latency { .. }
        | Metric::DowntimeExceeds(_)
        | Metric::Queue { .. } => false,
    }
}

/// A row without a factor.
fn open(system: &System, input: &Input, met: bool, tried: f64, why: Unturned) -> BreakEven {
    BreakEven {
        input: input.name(system),
        scaled: input.scaled(),
        met,
        factor: None,
        between: None,
        tried,
        unturned: Some(why),
    }
}

/// A row whose factor lies between two that were tried.
fn turned(system: &System, input: &Input, met: bool, (near, far): (f64, f64)) -> BreakEven {
    BreakEven {
        input: input.name(system),
        scaled: input.scaled(),
        met,
        factor: Some(f64::sqrt(near * far)),
        between: Some((near, far)),
        tried: near,
        unturned: None,
    }
}

impl Tries<'_> {
    /// The factor at which the figure of a target crosses its bound; `None` if the input cannot be
    /// scaled, or nothing was measured.
    fn factor(
        &self,
        target: usize,
        inputs: &[Input],
        index: usize,
    ) -> Result<Option<BreakEven>, RunError> {
        let at = |factor: f64| self.seen(target, inputs, index, factor);
        let Some(first) = at(1.0)? else {
            return Ok(None);
        };
        let met = first.met;
        // A target that is met may get worse, one that is missed must get better.
        let step = if met { 2.0 } else { 0.5 };
        let (mut near, mut far) = (1.0, None);
        for _ in 0..DOUBLINGS {
            let next = near * step;
            match at(next)? {
                Some(now) if now.met == met => near = next,
                Some(_) => {
                    far = Some(next);
                    break;
                }
                None => break,
            }
        }
        let Some(mut far) = far else {
            let row = open(self.system, &inputs[index], met, near, Unturned::NotYet);
            // What cannot even be tried once is no input of this design.
            return Ok((near != 1.0).then_some(row));
        };
        for _ in 0..HALVINGS {
            let middle = f64::sqrt(near * far);
            if at(middle)?.is_some_and(|now| now.met == met) {
                near = middle;
            } else {
                far = middle;
            }
        }
        Ok(Some(turned(self.system, &inputs[index], met, (near, far))))
    }

    /// The same of a figure with an interval that is not small: between the last factor at which it was
    /// clearly as it is now, and the first at which it clearly was not.
    fn factor_clearly(
        &self,
        target: usize,
        inputs: &[Input],
        index: usize,
    ) -> Result<Option<BreakEven>, RunError> {
        let at = |factor: f64| self.seen(target, inputs, index, factor);
        let input = &inputs[index];
        let Some(first) = at(1.0)?.filter(|first| first.clear) else {
            return Ok(None);
        };
        let met = first.met;
        let step = if met { STEP } else { 1.0 / STEP };
        // The furthest that is clearly as it is now, the nearest that clearly is not.
        let (mut near, mut far, mut last) = (1.0, None, 1.0);
        for _ in 0..STEPS {
            last *= step;
            match at(last)? {
                Some(now) if now.clear && now.met == met => near = last,
                Some(now) if now.clear => {
                    far = Some(last);
                    break;
                }
                // Near the bound: the next step says more.
                Some(_) => {}
                None => break,
            }
        }
        let Some(mut far) = far else {
            // What could not be tried once, or was never clear, has nothing to say.
            let row = open(self.system, input, met, near, Unturned::NotYet);
            return Ok((near != 1.0).then_some(row));
        };
        // Halvings from both ends; in what is between them nothing is clear.
        let (mut unclear_from, mut unclear_to) = (None, None);
        for _ in 0..TRAFFIC_HALVINGS {
            let (a, b) = match (unclear_from, unclear_to) {
                (None, _) | (_, None) => (near, far),
                (Some(from), Some(to)) => {
                    let below = f64::ln(from / near).abs();
                    let above = f64::ln(far / to).abs();
                    if below > above {
                        (near, from)
                    } else {
                        (to, far)
                    }
                }
            };
            let middle = f64::sqrt(a * b);
            match at(middle)? {
                Some(now) if now.clear && now.met == met => near = middle,
                Some(now) if now.clear => far = middle,
                Some(_) => {
                    let further = |one: f64, other: f64| (one > other) == met;
                    if unclear_from.is_none_or(|from| further(from, middle)) {
                        unclear_from = Some(middle);
                    }
                    if unclear_to.is_none_or(|to| further(middle, to)) {
                        unclear_to = Some(middle);
                    }
                }
                None => break,
            }
        }
        Ok(Some(turned(self.system, input, met, (near, far))))
    }

    /// What is seen of a target if one input is `factor` times as bad.
    fn seen(
        &self,
        target: usize,
        inputs: &[Input],
        index: usize,
        factor: f64,
    ) -> Result<Option<Seen>, RunError> {
        // As it is, all inputs are alike.
        let key = (if factor == 1.0 { 0 } else { index }, factor.to_bits());
        if let Some(found) = self.known.borrow().get(&key) {
            return Ok(found.as_ref().and_then(|rows| rows[target]));
        }
        let found = self.simulate(&inputs[index], factor)?;
        let row = found.as_ref().and_then(|rows| rows[target]);
        self.known.borrow_mut().insert(key, found);
        Ok(row)
    }

    /// What is found if one input is `factor` times as bad.
    fn simulate(&self, input: &Input, factor: f64) -> Result<Found, RunError> {
        let mut system = self.system.clone();
        if !input.scale(&mut system, factor) {
            return Ok(None);
        }
        let (mut planned, cost) = match plan_with(&system, &self.options, self.coalescence.as_ref())
        {
            Ok(found) => found,
            Err(_) => return Ok(None),
        };
        let costs = match self.histories {
            None => cost.block_cpu_s,
            Some(histories) => cost.with_traffic_s() * histories.traffic as f64,
        };
        let left = self.left_cpu_s.get();
        if costs > self.try_cpu_s.min(left) {
            return Ok(None);
        }
        self.left_cpu_s.set(left - costs);
        let tried = match self.histories {
            None => structure(&system, &self.options, self.watch).map(Some),
            Some(histories) => {
                planned.traffic_per_block = histories.traffic;
                let found = some(&system, &planned, histories, self.watch);
                found.map(|record| Some((planned, record?)))
            }
        };
        let (plan, record) = match tried {
            Ok(Some(found)) => found,
            // There is no time left: what has been tried stands.
            Ok(None) if self.watch.enough() => return Ok(None),
            Ok(None) => return Err(RunError::Interrupted),
            // So bad that it cannot be followed: nothing is said beyond what has been tried.
            Err(RunError::TooCostly { .. } | RunError::Unsuitable { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let figures = Figures {
            system: &system,
            plan: &plan,
            record: &record,
        };
        let rows = verdict::judge_all(&figures, 1).into_iter();
        let seen = rows.map(|row| {
            let measured = row.measured?;
            let right = |value: f64| {
                if row.at_least {
                    value >= row.required
                } else {
                    value <= row.required
                }
            };
            let met = right(measured.value);
            let clear = right(measured.low) == met && right(measured.high) == met;
            Some(Seen { met, clear })
        });
        Ok(Some(seen.collect()))
    }
}
