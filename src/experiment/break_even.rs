//! How wrong an input may be until a verdict turns: the structural experiment again and again on the
//! same random numbers, with one input scaled, until the figure of a target crosses its bound.
//!
//! Factors are about the figure itself, not about its interval, and about one input at a time. Only
//! targets on structural figures have them: those on requests would need traffic for each try.

use super::cost::{cpu, plan};
use super::figures::Figures;
use super::outcome::{BreakEven, Outcome};
use super::run::structure;
use super::{Options, RunError, Watch};
use crate::estimate::BLOCK;
use crate::ids::{FaultId, Id};
use crate::model::{Method, Metric, System, Target};

/// CPU seconds of all tries together, at most, by their cost in events.
const CPU_S: f64 = 20.0;

/// CPU seconds of one try, at most: a fault that comes a thousand times as often is followed no longer.
const TRY_CPU_S: f64 = 2.0;

/// Histories of one try, at least; at most a block.
const LEAST: u64 = 64;

/// Faults that are looked at: those that cost most.
const FAULTS: usize = 3;

/// Targets that are looked at.
const TARGETS: usize = 8;

/// Doublings until an input counts as harmless: a thousand times as bad, or as good.
const DOUBLINGS: u32 = 10;

/// Halvings of the last doubling: the factor is then known to one per cent.
const HALVINGS: u32 = 6;

/// What of a fault is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// How often it comes.
    Every,
    /// How long it lasts.
    Lasts,
}

/// One block of the structural experiment, small enough.
struct Tries<'a> {
    system: &'a System,
    options: Options,
    watch: &'a dyn Watch,
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
    let targets: Vec<usize> = (0..system.targets.len())
        .filter(|&index| is_structural(&system.targets[index]))
        .take(TARGETS)
        .collect();
    let mut found = vec![Vec::new(); system.targets.len()];
    let faults = worst(system, outcome);
    if targets.is_empty() || faults.is_empty() {
        return Ok(found);
    }
    let mut options = Options {
        method: Some(Method::None),
        replications: Some(1),
        ..options.clone()
    };
    let (_, cost) = plan(system, &options)?;
    // An input that is doubled doubles the transitions of its fault; most tries are near the end.
    let tries = targets.len() * faults.len() * 2 * (DOUBLINGS + HALVINGS) as usize;
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
    };
    for target in targets {
        for &fault in &faults {
            for part in [Part::Every, Part::Lasts] {
                found[target].extend(tries.factor(target, fault, part)?);
            }
        }
        // The input that may be wrong by least comes first.
        found[target].sort_by(|a: &BreakEven, b| distance(a).total_cmp(&distance(b)));
    }
    Ok(found)
}

/// How far a factor is from 1, either way.
fn distance(row: &BreakEven) -> f64 {
    row.factor.map_or(f64::INFINITY, |factor| factor.ln().abs())
}

fn is_structural(target: &Target) -> bool {
    matches!(
        target.metric,
        Metric::StructuralAvailability
            | Metric::StructuralDowntime
            | Metric::StructuralOutages
            | Metric::StructuralDowntimeExceeds(_)
    )
}

/// The faults that cost most structural downtime and have a law of their own.
fn worst(system: &System, outcome: &Outcome) -> Vec<FaultId> {
    let lost = |id: FaultId| -> f64 {
        let rows = outcome.causes.iter();
        let mine = rows.filter(|row| row.fault == system.faults[id].name);
        mine.map(|row| row.structural_downtime_s_per_year.value)
            .sum()
    };
    let mut faults: Vec<(f64, FaultId)> = system
        .faults
        .pairs()
        .filter(|(_, fault)| !fault.kind.is_driven())
        .map(|(id, _)| (lost(id), id))
        .filter(|(lost, _)| *lost > 0.0)
        .collect();
    faults.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.index().cmp(&b.1.index())));
    faults.truncate(FAULTS);
    faults.into_iter().map(|(_, id)| id).collect()
}

impl Tries<'_> {
    /// The factor at which the figure of a target crosses its bound; `None` if the input cannot be
    /// scaled.
    fn factor(
        &self,
        target: usize,
        fault: FaultId,
        part: Part,
    ) -> Result<Option<BreakEven>, RunError> {
        let row = &self.system.faults[fault];
        if part == Part::Lasts && row.lasts.is_zero() {
            return Ok(None);
        }
        let Some(met) = self.met(target, fault, part, 1.0)? else {
            return Ok(None);
        };
        // A target that is met may get worse, one that is missed must get better.
        let step = if met { 2.0 } else { 0.5 };
        let (mut near, mut far) = (1.0, None);
        for _ in 0..DOUBLINGS {
            let next = near * step;
            match self.met(target, fault, part, next)? {
                Some(now) if now == met => near = next,
                Some(_) => {
                    far = Some(next);
                    break;
                }
                None => break,
            }
        }
        let factor = match far {
            None => None,
            Some(mut far) => {
                for _ in 0..HALVINGS {
                    let middle = f64::sqrt(near * far);
                    if self.met(target, fault, part, middle)? == Some(met) {
                        near = middle;
                    } else {
                        far = middle;
                    }
                }
                Some(f64::sqrt(near * far))
            }
        };
        Ok(Some(BreakEven {
            input: format!(
                "{}.{}",
                row.name,
                match part {
                    Part::Every => "every",
                    Part::Lasts => "lasts",
                }
            ),
            often: part == Part::Every,
            met,
            factor,
            tried: near,
        }))
    }

    /// Whether the figure of a target is on the right side of its bound if one input is `factor` times
    /// as bad; `None` if that cannot be simulated.
    fn met(
        &self,
        target: usize,
        fault: FaultId,
        part: Part,
        factor: f64,
    ) -> Result<Option<bool>, RunError> {
        let mut system = self.system.clone();
        let row = &mut system.faults[fault];
        let scaled = match part {
            Part::Every => row
                .every
                .scaled(1.0 / factor)
                .map(|every| row.every = every),
            Part::Lasts => row.lasts.scaled(factor).map(|lasts| row.lasts = lasts),
        };
        if scaled.is_err() {
            return Ok(None);
        }
        match plan(&system, &self.options) {
            Ok((_, cost)) if cost.block_cpu_s <= TRY_CPU_S => {}
            _ => return Ok(None),
        }
        let (plan, record) = match structure(&system, &self.options, self.watch) {
            Ok(found) => found,
            // So bad that it cannot be followed: nothing is said beyond what has been tried.
            Err(RunError::TooCostly { .. } | RunError::Unsuitable { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let figures = Figures {
            system: &system,
            plan: &plan,
            record: &record,
        };
        let row = &system.targets[target];
        let judged = figures.judged(target, row, 0.95);
        Ok(judged.map(|measured| match row.relation {
            crate::model::Relation::AtLeast => measured.value >= row.bound,
            crate::model::Relation::AtMost => measured.value <= row.bound,
        }))
    }
}
