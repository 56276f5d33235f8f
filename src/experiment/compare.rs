//! The loop of a comparison: all designs group by group on the same random numbers, until what is
//! watched is decided.

use super::alike;
use super::amounts::cpu;
use super::comparison::{Comparison, Design, Judgement, Watched};
use super::cost::RUN_CPU_S;
use super::figures::Figures;
use super::in_order::in_order;
use super::metrics::Metrics;
use super::moves::Moves;
use super::outcome::Verdict;
use super::run::{BLOCKS_AT_ONCE, ejecting, looks_of, overflow, starving, unsettled};
use super::{Options, RunError, Watch, moves, summary, verdict};
use crate::estimate::{
    BLOCK, GROUPS, GroupError, PairRecord, Pairing, Plan, Record, TogetherRecord, TogetherRunner,
};
use crate::model::{Algorithm, Backoff, Jitter, Method, Prices, System};
use crate::random::Dist;
use crate::stats::Looks;
use crate::time::SimSpan;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// The chance that a comparison calls any watched metric worse or better that is not, at most.
const ERROR: f64 = 0.05;

/// One design that is to be compared.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The name of its file, for people.
    pub file: &'a str,
    /// The system.
    pub system: &'a System,
    /// The scenario's hash, copied into the outcome.
    pub hash: &'a str,
}

/// Why a comparison gave nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareError {
    /// The design that is to blame.
    pub design: usize,
    /// Keys from the top of its file to what is to blame, where the error has no line.
    pub path: &'static [&'static str],
    /// What is wrong.
    pub error: RunError,
}

impl fmt::Display for CompareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for CompareError {}

/// Simulates all `designs`, of which the first is the baseline, on common random numbers. `fail_on`
/// names the metrics to watch: `regression`, or those of figures and targets; without any, what counts
/// as a regression is watched.
///
/// As with [`super::run()`], the result depends on the scenarios, the seed and the options alone.
///
/// # Errors
/// See [`CompareError`].
///
/// # Panics
/// If there are fewer than two designs.
pub fn compare(
    designs: &[Input<'_>],
    fail_on: &[String],
    options: &Options,
    watch: &dyn Watch,
) -> Result<Comparison, CompareError> {
    assert!(designs.len() >= 2, "a comparison needs two designs");
    let systems: Vec<&System> = designs.iter().map(|design| design.system).collect();
    let (plans, block_cpu_s) = alike::plans(&systems, options)?;
    let pairings: Vec<Pairing> = systems[1..]
        .iter()
        .map(|system| Pairing::new(systems[0], system))
        .collect();
    let metrics = Metrics::new(&systems, plans[0].method, fail_on)?;
    let same: Vec<bool> = systems.iter().map(|it| same(systems[0], it)).collect();
    let asked = options.replications.or(systems[0].run.replications);
    let mut progress = Progress {
        systems: &systems,
        plans: &plans,
        pairings: &pairings,
        watch,
        records: systems.iter().map(|system| Record::new(system)).collect(),
        pairs: pairings.iter().map(PairRecord::new).collect(),
        same_structure: systems[1..]
            .iter()
            .map(|it| same_structure(systems[0], it))
            .collect(),
        blocks: 0,
    };
    let (mut look, mut complete) = (1, true);
    loop {
        let until = asked.map_or(1 << (look - 1), |replications| replications.div_ceil(BLOCK));
        match progress.advance(until, asked.unwrap_or(u64::MAX))? {
            End::Reached => {}
            End::Enough => {
                complete = asked.is_some() && progress.blocks >= until;
                break;
            }
            End::Stopped => {
                complete = false;
                break;
            }
        }
        let too_long = (1_u64 << look) as f64 * block_cpu_s > RUN_CPU_S;
        if asked.is_some() || too_long || progress.decided(&metrics, &same, look) {
            break;
        }
        look += 1;
    }
    let looks = looks_of(progress.blocks);
    let moves = progress.moves(&same);
    let outcomes = designs.iter().enumerate().map(|(index, design)| {
        let figures = progress.figures(index);
        let targets = verdict::judge_all(&figures, looks);
        summary::outcome(&figures, design.hash, targets, looks, complete)
    });
    let designs: Vec<Design> = designs
        .iter()
        .zip(outcomes)
        .zip(&same)
        .map(|((design, outcome), &same)| Design {
            file: design.file.to_owned(),
            outcome,
            changes: Vec::new(),
            same,
        })
        .collect();
    Ok(Comparison {
        figures: moves.figures(&designs),
        targets: moves.targets(),
        causes: moves.causes(&designs),
        watched: watched(&moves, &metrics, looks),
        gate: !fail_on.is_empty(),
        warnings: moves::warnings(&designs),
        designs,
        complete,
        looks,
    })
}

/// What a comparison of `designs` would cost, in a sentence for people.
///
/// # Errors
/// See [`CompareError`].
pub fn cost_together(designs: &[Input<'_>], options: &Options) -> Result<String, CompareError> {
    let systems: Vec<&System> = designs.iter().map(|design| design.system).collect();
    let (plans, block_cpu_s) = alike::plans(&systems, options)?;
    let asked = options.replications.or(systems[0].run.replications);
    let in_block = asked.unwrap_or(BLOCK).min(BLOCK);
    let each = if asked.unwrap_or(BLOCK) > BLOCK {
        "each block of "
    } else {
        ""
    };
    let traffic = match plans[0].traffic_per_block.min(in_block) {
        0 => String::new(),
        some => format!(", {some} of them with traffic"),
    };
    Ok(format!(
        "{each}{in_block} histories of {} designs{traffic}, about {} of CPU time",
        systems.len(),
        cpu(block_cpu_s.max(1.0))
    ))
}

/// Whether two systems behave exactly alike: names of the whole, prices and lines do not count.
fn same(base: &System, other: &System) -> bool {
    let plain = |system: &System| {
        let mut system = system.clone();
        system.name.clear();
        system.warnings.clear();
        system.prices = Prices::default();
        // What the comparison itself makes alike.
        system.run = base.run.clone();
        for target in &mut system.targets {
            target.line = 0;
        }
        system.targets.sort_by(|a, b| a.text.cmp(&b.text));
        for workload in system.workloads.as_mut_slice() {
            workload.line = 0;
        }
        format!("{system:?}")
    };
    plain(base) == plain(other)
}

/// Whether two systems have the same structure, faults and control, whatever requests do in them: then
/// their structural figures come from the same paths.
fn same_structure(base: &System, other: &System) -> bool {
    let plain = |system: &System| {
        let mut system = system.clone();
        let nothing = Dist::constant(0.0).expect("zero seconds is a constant");
        for pool in system.pools.as_mut_slice() {
            (pool.workers, pool.queue) = (None, None);
        }
        for balancer in system.balancers.as_mut_slice() {
            balancer.algorithm = Algorithm::RoundRobin;
            (balancer.probes, balancer.failover) = (None, None);
            balancer.slow_start = SimSpan::ZERO;
            (balancer.passive, balancer.outlier_detection) = (None, None);
        }
        for operation in system.operations.as_mut_slice() {
            operation.takes = nothing.clone();
        }
        for call in system.calls.as_mut_slice() {
            call.timeout = None;
            call.retries.max = 0;
            call.retries.backoff = Backoff {
                base: SimSpan::ZERO,
                factor: 1.0,
                cap: SimSpan::ZERO,
                jitter: Jitter::None,
            };
        }
        for journey in system.journeys.as_mut_slice() {
            journey.good_within = None;
        }
        for workload in system.workloads.as_mut_slice() {
            workload.rate = 0.0;
            workload.profile = None;
            workload.users = None;
            workload.patience = None;
        }
        system
    };
    same(&plain(base), &plain(other))
}

fn watched(moves: &Moves<'_>, metrics: &Metrics, look: u32) -> Vec<Watched> {
    let candidates = moves.candidates();
    let family = metrics.watched.len() * candidates;
    let confidence = Looks::new(ERROR, family).confidence_at(look.max(1));
    metrics
        .watched
        .iter()
        .map(|metric| Watched {
            name: metric.name.clone(),
            unit: metric.unit(),
            higher_is_better: metric.higher_is_better(),
            rows: (0..candidates)
                .map(|candidate| {
                    let difference = moves.difference(metric, candidate, confidence);
                    (judge(difference, metric.higher_is_better()), difference)
                })
                .collect(),
        })
        .collect()
}

fn judge(difference: Option<crate::stats::Difference>, higher_is_better: bool) -> Judgement {
    match difference {
        Some(found) if found.is_significant() => {
            if (found.value > 0.0) == higher_is_better {
                Judgement::Better
            } else {
                Judgement::Worse
            }
        }
        _ => Judgement::Open,
    }
}

/// How far an advance came.
enum End {
    Reached,
    Enough,
    Stopped,
}

struct Progress<'a> {
    systems: &'a [&'a System],
    plans: &'a [Plan],
    pairings: &'a [Pairing],
    watch: &'a dyn Watch,
    records: Vec<Record>,
    pairs: Vec<PairRecord>,
    same_structure: Vec<bool>,
    blocks: u64,
}

impl Progress<'_> {
    fn figures(&self, design: usize) -> Figures<'_> {
        Figures {
            system: self.systems[design],
            plan: &self.plans[design],
            record: &self.records[design],
        }
    }

    fn moves<'b>(&'b self, same: &'b [bool]) -> Moves<'b> {
        Moves {
            figures: (0..self.systems.len())
                .map(|design| self.figures(design))
                .collect(),
            pairings: self.pairings,
            pairs: &self.pairs,
            same: &same[1..],
            same_structure: &self.same_structure,
        }
    }

    /// Whether every target of every design has its verdict and every watched metric its side.
    fn decided(&self, metrics: &Metrics, same: &[bool], look: u32) -> bool {
        let targets = (0..self.systems.len()).all(|design| {
            verdict::judge_all(&self.figures(design), look)
                .iter()
                .all(|row| row.verdict != Verdict::Undecided)
        });
        let moves = self.moves(same);
        targets
            && watched(&moves, metrics, look).iter().all(|row| {
                let mut rows = row.rows.iter().zip(&same[1..]);
                rows.all(|((judgement, _), same)| *same || *judgement != Judgement::Open)
            })
    }

    /// Runs blocks until `until` are done; replications from `replications` on do not exist.
    fn advance(&mut self, until: u64, replications: u64) -> Result<End, CompareError> {
        let at_once = if self.plans[0].method == Method::None {
            BLOCKS_AT_ONCE
        } else {
            1
        };
        while self.blocks < until {
            let from = self.blocks;
            let to = until.min(from + at_once);
            if let Err((index, (design, error))) = self.groups(from, to, until, replications) {
                let blame = |error| CompareError {
                    design,
                    path: &[],
                    error,
                };
                match error {
                    GroupError::Stopped => {}
                    GroupError::Overflow => return Err(blame(overflow(self.systems[design]))),
                    GroupError::Starving(since) => {
                        return Err(blame(starving(self.systems[design], since)));
                    }
                    GroupError::Ejecting(since) => {
                        return Err(blame(ejecting(self.systems[design], since)));
                    }
                    GroupError::Unsettled(since) => {
                        return Err(blame(unsettled(self.systems[design], since)));
                    }
                    GroupError::Conservation(what) => {
                        return Err(blame(RunError::Internal(what)));
                    }
                }
                self.blocks = index / GROUPS;
                return if self.records[0].structure.replications == 0 {
                    Err(blame(RunError::Interrupted))
                } else {
                    Ok(End::Stopped)
                };
            }
            self.blocks = to;
            if self.watch.enough() && self.blocks < until {
                return Ok(End::Enough);
            }
        }
        Ok(if self.watch.enough() {
            End::Enough
        } else {
            End::Reached
        })
    }

    /// Runs the groups of the blocks `from..to` and folds them in order of index. As in a run, what
    /// cannot be finished leaves whole blocks, and in the first block whatever is whole in order.
    fn groups(
        &mut self,
        from: u64,
        to: u64,
        until: u64,
        replications: u64,
    ) -> Result<(), (u64, (usize, GroupError))> {
        let done = AtomicU64::new(from * GROUPS);
        let (systems, plans, pairings, watch) =
            (self.systems, self.plans, self.pairings, self.watch);
        watch.progress(from * GROUPS, until * GROUPS);
        let with_traffic = plans[0].method != Method::None;
        let before = (with_traffic && from > 0).then(|| (self.records.clone(), self.pairs.clone()));
        let mut held: Vec<TogetherRecord> = Vec::new();
        let (records, pairs) = (&mut self.records, &mut self.pairs);
        let mut fold = |group: u64, found: &TogetherRecord| {
            for (design, found) in found.designs.iter().enumerate() {
                records[design].push(systems[design], &plans[design], group, found);
            }
            for (pairs, found) in pairs.iter_mut().zip(&found.pairs) {
                pairs.merge(found);
            }
        };
        let ended = in_order(
            from * GROUPS..to * GROUPS,
            || TogetherRunner::new(systems, plans, pairings),
            |runner, index| {
                let (block, group) = (index / GROUPS, index % GROUPS);
                let found = runner.run(block, group, replications, &|| watch.stop());
                watch.progress(done.fetch_add(1, Ordering::Relaxed) + 1, until * GROUPS);
                found
            },
            |index, found| {
                if with_traffic || index < GROUPS {
                    fold(index % GROUPS, &found);
                    return;
                }
                held.push(found);
                if held.len() as u64 == GROUPS {
                    for (group, found) in (0..).zip(held.drain(..)) {
                        fold(group, &found);
                    }
                }
            },
        );
        if ended.is_err()
            && let Some((records, pairs)) = before
        {
            (self.records, self.pairs) = (records, pairs);
        }
        ended
    }
}
