//! The loop of a run: blocks of replications in parallel, folded in order; looks; the end.

use super::cost::{Cost, RUN_CPU_S, plan};
use super::figures::Figures;
use super::outcome::{Outcome, Verdict};
use super::{Options, RunError, Watch, summary, verdict};
use crate::estimate::{BLOCK, GROUPS, GroupError, GroupRecord, GroupRunner, Plan, Record};
use crate::model::{Method, System};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// Blocks that are worked on at once when replications are cheap, so that all threads are busy.
pub(super) const BLOCKS_AT_ONCE: u64 = 16;

/// Simulates `system` and reports what was found. `hash` is the scenario's, copied into the outcome.
///
/// The outcome depends on the scenario, the seed and the options, and on nothing else: not on the
/// number of threads, not on the clock. Only [`Watch`] can end a run early, and the outcome says so.
///
/// # Errors
/// See [`RunError`].
pub fn run(
    system: &System,
    hash: &str,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Outcome, RunError> {
    let (plan, cost) = plan(system, options)?;
    let asked = options.replications.or(system.run.replications);
    let mut progress = Progress {
        system,
        plan: &plan,
        watch,
        record: Record::new(system),
        blocks: 0,
    };
    let mut look = 1;
    let mut complete = true;
    loop {
        let until = asked.map_or(1 << (look - 1), |replications| replications.div_ceil(BLOCK));
        match progress.advance(until, asked.unwrap_or(u64::MAX))? {
            End::Reached => {}
            End::Enough => {
                // Ended by the watcher, unless everything that was asked for is there.
                complete = asked.is_some() && progress.blocks >= until;
                break;
            }
            End::Stopped => {
                complete = false;
                break;
            }
        }
        if asked.is_some() || decided(&progress, look) || too_long(&cost, look) {
            break;
        }
        look += 1;
    }
    let looks = looks_of(progress.blocks);
    let figures = Figures {
        system,
        plan: &plan,
        record: &progress.record,
    };
    let targets = verdict::judge_all(&figures, looks);
    Ok(summary::outcome(&figures, hash, targets, looks, complete))
}

/// How many looks there are until so many blocks: at 1, 2, 4, ... of them, and at the end. It follows
/// from the number of blocks alone, so that a run that ended by itself, by a budget of time or at a
/// given number of replications judges the same replications in the same way.
pub(super) fn looks_of(blocks: u64) -> u32 {
    blocks.max(1).next_power_of_two().trailing_zeros() + 1
}

/// Whether every target has its verdict.
fn decided(progress: &Progress<'_>, look: u32) -> bool {
    let figures = Figures {
        system: progress.system,
        plan: progress.plan,
        record: &progress.record,
    };
    verdict::judge_all(&figures, look)
        .iter()
        .all(|row| row.verdict != Verdict::Undecided)
}

/// Whether the blocks up to the next look would take longer than a run may, by its cost in events.
fn too_long(cost: &Cost, looks: u32) -> bool {
    (1_u64 << looks) as f64 * cost.block_cpu_s > RUN_CPU_S
}

/// How far an advance came.
enum End {
    Reached,
    Enough,
    Stopped,
}

struct Progress<'a> {
    system: &'a System,
    plan: &'a Plan,
    watch: &'a dyn Watch,
    record: Record,
    blocks: u64,
}

impl Progress<'_> {
    /// Runs blocks until `until` are done; replications from `replications` on do not exist.
    fn advance(&mut self, until: u64, replications: u64) -> Result<End, RunError> {
        let at_once = if self.plan.method == Method::None {
            BLOCKS_AT_ONCE
        } else {
            1
        };
        while self.blocks < until {
            let from = self.blocks;
            let to = until.min(from + at_once);
            let groups = self.groups(from, to, until, replications);
            let whole = groups.iter().take_while(|group| group.is_ok()).count() as u64;
            if let Some(Err(error)) = groups.get(whole as usize) {
                match error {
                    GroupError::Stopped => {}
                    GroupError::Overflow => return Err(overflow(self.system)),
                    GroupError::Conservation(what) => return Err(RunError::Internal(what.clone())),
                }
                // Whole blocks, so that the same number of replications gives the same bytes; in
                // the first block whatever is whole in order of index, which is no selection.
                let keep = if from + whole / GROUPS > 0 {
                    whole / GROUPS * GROUPS
                } else {
                    whole
                };
                self.fold(groups.into_iter().take(keep as usize));
                self.blocks += keep / GROUPS;
                let nothing = self.record.structure.replications == 0;
                return if nothing {
                    Err(RunError::Interrupted)
                } else {
                    Ok(End::Stopped)
                };
            }
            self.fold(groups.into_iter());
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

    fn groups(
        &self,
        from: u64,
        to: u64,
        until: u64,
        replications: u64,
    ) -> Vec<Result<GroupRecord, GroupError>> {
        let done = AtomicU64::new(from * GROUPS);
        let (system, plan, watch) = (self.system, self.plan, self.watch);
        watch.progress(from * GROUPS, until * GROUPS);
        (from * GROUPS..to * GROUPS)
            .collect::<Vec<u64>>()
            .into_par_iter()
            .map_init(
                || GroupRunner::new(system, plan),
                |runner, index| {
                    let (block, group) = (index / GROUPS, index % GROUPS);
                    let record = runner.run(block, group, replications, &|| watch.stop());
                    watch.progress(done.fetch_add(1, Ordering::Relaxed) + 1, until * GROUPS);
                    record
                },
            )
            .collect()
    }

    fn fold(&mut self, groups: impl Iterator<Item = Result<GroupRecord, GroupError>>) {
        for (index, group) in groups.enumerate() {
            if let Ok(group) = group {
                self.record
                    .push(self.system, self.plan, index as u64 % GROUPS, &group);
            }
        }
    }
}

pub(super) fn overflow(system: &System) -> RunError {
    RunError::Unsuitable {
        line: system.workloads.iter().next().map(|workload| workload.line),
        message: "more requests were in progress at once than the limit of 4 million: a queue \
                  grew without bound"
            .into(),
        help: "state a `queue` for the services or a shorter `patience` for the users, or lower \
               the rate"
            .into(),
    }
}
