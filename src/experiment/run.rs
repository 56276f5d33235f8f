//! The loop of a run: blocks of replications in parallel, folded in order; looks; the end.

use super::cost::{Cost, RUN_CPU_S, plan};
use super::figures::Figures;
use super::in_order::in_order;
use super::outcome::{Outcome, Verdict};
use super::{Options, RunError, Watch, losses, pilot, summary, verdict};
use crate::estimate::{
    BLOCK, Brackets, GROUPS, GroupError, GroupRecord, GroupRunner, Pilots, Plan, Record,
};
use crate::model::{Method, System};
use crate::time::SimTime;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
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
    run_from(system, hash, options, None, watch).map(|(outcome, _)| outcome)
}

/// Where a run stands: enough to go on, and to end with the outcome that it would have had without a
/// pause.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What is folded.
    record: Record,
    /// The next group: at the start of a block, or, as long as no block is whole, anywhere in the first.
    next: u64,
    /// The look that comes next; earlier ones are not taken again, with data that they did not have.
    look: u32,
    /// Why outages are not forced any more.
    given_up: Option<String>,
}

impl Checkpoint {
    /// How many histories are done.
    pub fn histories(&self) -> u64 {
        self.record.structure.replications
    }
}

/// The same from where an earlier run of the same scenario, with the same options, was ended; and where
/// this one ended.
///
/// # Errors
/// See [`RunError`].
pub fn run_from(
    system: &System,
    hash: &str,
    options: &Options,
    from: Option<Checkpoint>,
    watch: &dyn Watch,
) -> Result<(Outcome, Checkpoint), RunError> {
    let (mut plan, cost) = plan(system, options)?;
    let until = Until {
        replications: options.replications.or(system.run.replications),
        blocks: if options.verdicts_only {
            1
        } else {
            cost.blocks_for_figures(&plan)
        },
    };
    plan.brackets = Brackets::serve(system, plan.method);
    let mut at = from.unwrap_or_else(|| Checkpoint::start(system));
    if at.given_up.is_none() {
        plan.forcing = pilot::forcing(system, &plan, &cost);
    }
    let (ended, distrust) = loop {
        let given_up = at.given_up.take();
        let ended = simulate(system, &plan, &cost, until, at, watch)?;
        let reason = pilot::distrust(&ended.at.record.structure);
        if reason.is_none() || !ended.complete {
            let distrust = reason.or_else(|| given_up.clone());
            let at = Checkpoint {
                given_up,
                ..ended.at
            };
            break (Ended { at, ..ended }, distrust);
        }
        // What cannot be believed is not reported: all of it again, waiting for outages.
        plan.forcing = None;
        at = Checkpoint {
            given_up: reason,
            ..Checkpoint::start(system)
        };
    };
    let outcome = report((system, hash), &plan, &ended, distrust, watch)?;
    Ok((outcome, ended.at))
}

/// What a run, or the shards of one, say in the end.
pub(super) fn report(
    (system, hash): (&System, &str),
    plan: &Plan,
    ended: &Ended,
    distrust: Option<String>,
    watch: &dyn Watch,
) -> Result<Outcome, RunError> {
    let looks = looks_of(ended.at.next / GROUPS);
    let figures = Figures {
        system,
        plan,
        record: &ended.at.record,
    };
    let targets = verdict::judge_all(&figures, looks);
    let mut outcome = summary::outcome(&figures, hash, targets, looks, ended.complete);
    outcome.warnings.extend(distrust.map(|reason| {
        let instead = if plan.forcing.is_some() {
            "read the structural figures with care: the run was stopped before they could be replaced"
        } else {
            "structural outages were waited for instead"
        };
        format!("forcing outages was given up, because {reason}; {instead}")
    }));
    if plan.method != Method::None && !ended.stopped {
        let run = outcome.run.attempts_simulated;
        outcome.at_peak = losses::at_peak(system, plan.seed, run, &|| watch.stop())?;
        outcome.run.complete &= outcome.at_peak.is_some();
    }
    Ok(outcome)
}

/// How long a run goes on.
#[derive(Clone, Copy, Debug)]
struct Until {
    /// Exactly these, if anybody asked for a number.
    replications: Option<u64>,
    /// If not: until all targets are decided, and these blocks at least are done.
    blocks: u64,
}

/// What a run by one plan has come to.
pub(super) struct Ended {
    pub(super) at: Checkpoint,
    pub(super) complete: bool,
    pub(super) stopped: bool,
}

impl Checkpoint {
    /// Where every run begins.
    fn start(system: &System) -> Self {
        Self {
            record: Record::new(system),
            next: 0,
            look: 1,
            given_up: None,
        }
    }

    /// Where a run ends that has folded `record` from so many blocks.
    pub(super) fn after(record: Record, blocks: u64) -> Self {
        Self {
            record,
            next: blocks * GROUPS,
            look: looks_of(blocks),
            given_up: None,
        }
    }
}

/// Blocks and looks from where a run stands until every target is decided, or everything asked for is
/// there, or it would take too long.
fn simulate(
    system: &System,
    plan: &Plan,
    cost: &Cost,
    goes_on: Until,
    from: Checkpoint,
    watch: &dyn Watch,
) -> Result<Ended, RunError> {
    let asked = goes_on.replications;
    let mut look = from.look;
    let mut progress = Progress {
        system,
        plan,
        watch,
        record: from.record,
        next: from.next,
        pilots: Arc::default(),
    };
    let (mut complete, mut stopped) = (true, false);
    loop {
        let until = asked.map_or(1 << (look - 1), |replications| replications.div_ceil(BLOCK));
        match progress.advance(until, asked.unwrap_or(u64::MAX))? {
            End::Reached => {}
            End::Enough => {
                // Ended by the watcher, unless everything that was asked for is there.
                complete = asked.is_some() && progress.blocks() >= until;
                break;
            }
            End::Stopped => {
                (complete, stopped) = (false, true);
                break;
            }
        }
        let enough = progress.blocks() >= goes_on.blocks && decided(&progress, look);
        if asked.is_some() || enough || too_long(cost, look) {
            break;
        }
        look += 1;
    }
    Ok(Ended {
        at: Checkpoint {
            record: progress.record,
            next: progress.next,
            look,
            given_up: None,
        },
        complete,
        stopped,
    })
}

/// What the structural experiment finds in the replications that `options` ask for, by method `none`, with
/// outages as often as they come.
///
/// # Errors
/// See [`RunError`].
pub(super) fn structure(
    system: &System,
    options: &Options,
    watch: &dyn Watch,
) -> Result<(Plan, Record), RunError> {
    let (plan, _) = plan(system, options)?;
    let replications = options.replications.unwrap_or(BLOCK);
    let mut progress = Progress {
        system,
        plan: &plan,
        watch,
        record: Record::new(system),
        next: 0,
        pilots: Arc::default(),
    };
    match progress.advance(replications.div_ceil(BLOCK), replications)? {
        End::Reached | End::Enough => {}
        End::Stopped => return Err(RunError::Interrupted),
    }
    let record = progress.record;
    Ok((plan, record))
}

/// How many histories are simulated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Histories {
    /// Of structure; at most a block.
    pub(super) all: u64,
    /// How many of them have traffic, as the plan says too.
    pub(super) traffic: u64,
}

/// The first `histories` of `system` by `plan`; `None` if whoever watches has had enough before.
///
/// # Errors
/// See [`RunError`].
pub(super) fn some(
    system: &System,
    plan: &Plan,
    histories: Histories,
    watch: &dyn Watch,
) -> Result<Option<Record>, RunError> {
    if watch.enough() || watch.stop() {
        return Ok(None);
    }
    let mut progress = Progress {
        system,
        plan,
        watch,
        record: Record::new(system),
        next: 0,
        pilots: Arc::default(),
    };
    match progress.advance(1, histories.all) {
        Ok(End::Reached | End::Enough) => Ok(Some(progress.record)),
        Ok(End::Stopped) | Err(RunError::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
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
    /// The next group.
    next: u64,
    /// Those of the plan.
    pilots: Arc<Pilots>,
}

impl Progress<'_> {
    /// How many blocks are done.
    fn blocks(&self) -> u64 {
        self.next / GROUPS
    }

    /// Runs blocks until `until` are done; replications from `replications` on do not exist.
    fn advance(&mut self, until: u64, replications: u64) -> Result<End, RunError> {
        let at_once = if self.plan.method == Method::None {
            BLOCKS_AT_ONCE
        } else {
            1
        };
        while self.blocks() < until {
            let to = until.min(self.blocks() + at_once);
            if let Err((index, error)) = self.groups(to, until, replications) {
                if let Some(error) = failed(self.system, error) {
                    return Err(error);
                }
                // Of the first block everything is folded that is whole in order.
                self.next = if index < GROUPS {
                    index
                } else {
                    index / GROUPS * GROUPS
                };
                let nothing = self.record.structure.replications == 0;
                return if nothing {
                    Err(RunError::Interrupted)
                } else {
                    Ok(End::Stopped)
                };
            }
            self.next = to * GROUPS;
            if self.watch.enough() && self.blocks() < until {
                return Ok(End::Enough);
            }
        }
        Ok(if self.watch.enough() {
            End::Enough
        } else {
            End::Reached
        })
    }

    /// Runs the groups up to block `to` and folds them in order of index. If one cannot be
    /// finished, the record is left with whole blocks, so that the same number of replications gives
    /// the same bytes; in the first block with whatever is whole in order, which is no selection.
    fn groups(&mut self, to: u64, until: u64, replications: u64) -> Result<(), (u64, GroupError)> {
        let from = self.next;
        let done = AtomicU64::new(from);
        let (system, plan, watch, pilots) = (self.system, self.plan, self.watch, &self.pilots);
        watch.progress(from, until * GROUPS);
        // Records of groups with traffic are large: they are folded at once, and the record before
        // the block is kept beside. The others are small: they wait until their block is whole.
        let with_traffic = plan.method != Method::None;
        let before = (with_traffic && from >= GROUPS).then(|| self.record.clone());
        let mut held: Vec<GroupRecord> = Vec::new();
        let record = &mut self.record;
        let ended = in_order(
            from..to * GROUPS,
            || GroupRunner::sharing(system, plan, pilots),
            |runner, index| {
                let (block, group) = (index / GROUPS, index % GROUPS);
                let found = runner.run(block, group, replications, &|| watch.stop());
                watch.progress(done.fetch_add(1, Ordering::Relaxed) + 1, until * GROUPS);
                found
            },
            |index, found| {
                if with_traffic || index < GROUPS {
                    record.push(system, plan, index % GROUPS, &found);
                    return;
                }
                held.push(found);
                if held.len() as u64 == GROUPS {
                    for (group, found) in (0..).zip(held.drain(..)) {
                        record.push(system, plan, group, &found);
                    }
                }
            },
        );
        if ended.is_err()
            && let Some(before) = before
        {
            self.record = before;
        }
        ended
    }
}

/// Why a run ends if one of its groups does; `None` if it was stopped.
pub(super) fn failed(system: &System, error: GroupError) -> Option<RunError> {
    match error {
        GroupError::Stopped => None,
        GroupError::Overflow => Some(overflow(system)),
        GroupError::Unsettled(since) => Some(unsettled(system, since)),
        GroupError::Starving(since) => Some(starving(system, since)),
        GroupError::Ejecting(since) => Some(ejecting(system, since)),
        GroupError::Conservation(what) => Some(RunError::Internal(what)),
    }
}

/// Requests that never settle.
pub(super) fn unsettled(system: &System, since: SimTime) -> RunError {
    RunError::Unsuitable {
        line: system.workloads.iter().next().map(|workload| workload.line),
        message: format!(
            "after a change at {since} requests had not settled when 100 million attempts were simulated: \
             overload outlives what began it"
        ),
        help: "lower the rate or the `retries`, state a `queue` or a shorter `patience`, or simulate a \
               short `horizon` with `--method exact`"
            .into(),
    }
}

/// Probes fail for want of workers for so long that it cannot be followed.
pub(super) fn starving(system: &System, since: SimTime) -> RunError {
    RunError::Unsuitable {
        line: system.workloads.iter().next().map(|workload| workload.line),
        message: format!(
            "from {since} on probes fail because no worker has time for them, and 100 million attempts later they \
             still do: as long as that lasts, every request has to be simulated"
        ),
        help: "lower the rate, add workers, let a `listener` answer probes (`answered_by`), or simulate a short \
               `horizon` with `--method exact`"
            .into(),
    }
}

/// Balancers eject replicas and let them back for so long that it cannot be followed.
pub(super) fn ejecting(system: &System, since: SimTime) -> RunError {
    RunError::Unsuitable {
        line: system.workloads.iter().next().map(|workload| workload.line),
        message: format!(
            "from {since} on balancers eject replicas and let them back, and 100 million attempts later they still do: \
             as long as that lasts, every request has to be simulated"
        ),
        help: "lower the rate, let errors eject less soon (`outlier_detection`), or simulate a short `horizon` with \
               `--method exact`"
            .into(),
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
