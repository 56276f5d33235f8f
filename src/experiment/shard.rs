//! A run in parts: each simulates some whole blocks, anywhere, and leaves the records of its groups; put
//! together they are folded in order of index, as the run itself does, so that the bytes are the same.
//!
//! The records are kept apart and not folded by part: sums of floats depend on the order in which they are
//! added, and only the order of the run gives its last digits.

use super::cost::{Cost, plan};
use super::in_order::in_order;
use super::outcome::Outcome;
use super::run::{Checkpoint, Ended, failed, report};
use super::{Options, RunError, Watch, pilot};
use crate::estimate::{BLOCK, Brackets, GROUPS, GroupRecord, GroupRunner, Plan, Record};
use crate::model::{Method, System};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The blocks of part `index`, counted from 1, of `parts` of a run with so many blocks.
pub fn part(blocks: u64, index: u64, parts: u64) -> Range<u64> {
    let border = |index: u64| {
        let border = u128::from(blocks) * u128::from(index) / u128::from(parts);
        border as u64
    };
    border(index - 1)..border(index)
}

/// Parts that have these blocks together, of `blocks` in all: which ones of how many. `likely` are the
/// numbers of parts to try first.
pub fn parts_of(missing: &Range<u64>, blocks: u64, likely: &[u64]) -> (Range<u64>, u64) {
    // The index after the last part that ends at or before a border, if it ends just there.
    let at_border = |border: u64, parts: u64| {
        let index = (u128::from(border) * u128::from(parts)).div_ceil(u128::from(blocks)) as u64;
        (part(blocks, index + 1, parts).start == border).then_some(index)
    };
    let tries = likely.iter().copied().chain(1..=blocks);
    let found = tries.filter(|parts| *parts <= blocks).find_map(|parts| {
        let first = at_border(missing.start, parts)?;
        let last = at_border(missing.end, parts)?;
        Some((first + 1..last + 1, parts))
    });
    // With as many parts as blocks, every border is one of both.
    found.unwrap_or((missing.start + 1..missing.end + 1, blocks))
}

/// A run whose blocks may be simulated apart.
#[derive(Debug)]
pub struct Sharded<'a> {
    system: &'a System,
    plan: Plan,
    cost: Cost,
    replications: u64,
}

impl<'a> Sharded<'a> {
    /// The run of `system` that `options` ask for; with `unforced` outages are waited for, even if the pilot
    /// finds that forcing them is worth it. Takes the time of the pilot.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn new(system: &'a System, options: &Options, unforced: bool) -> Result<Self, RunError> {
        let mut sharded = Self::without_pilot(system, options)?;
        if !unforced {
            sharded.plan.forcing = pilot::forcing(system, &sharded.plan, &sharded.cost);
        }
        Ok(sharded)
    }

    /// The same for somebody who does not simulate.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn without_pilot(system: &'a System, options: &Options) -> Result<Self, RunError> {
        let Some(replications) = options.replications.or(system.run.replications) else {
            return Err(RunError::Unsuitable {
                line: None,
                message: "a run in parts needs to know how many histories it has".into(),
                help: "add `--replications N`, or `run: {replications: N}` to the scenario".into(),
            });
        };
        let (mut plan, cost) = plan(system, options)?;
        plan.brackets = Brackets::serve(system, plan.method);
        Ok(Self {
            system,
            plan,
            cost,
            replications,
        })
    }

    /// Whether outages are forced.
    pub fn forced(&self) -> bool {
        self.plan.forcing.is_some()
    }

    /// How requests are simulated.
    pub fn method(&self) -> Method {
        self.plan.method
    }

    /// The seed of all streams.
    pub fn seed(&self) -> u64 {
        self.plan.seed
    }

    /// How many histories the whole run has.
    pub fn replications(&self) -> u64 {
        self.replications
    }

    /// How many blocks that is; the last may not be full.
    pub fn blocks(&self) -> u64 {
        self.replications.div_ceil(BLOCK)
    }

    /// How many histories there are in some blocks.
    pub fn histories(&self, blocks: &Range<u64>) -> u64 {
        let end = blocks.end.saturating_mul(BLOCK).min(self.replications);
        end.saturating_sub(blocks.start * BLOCK)
    }

    /// What the histories of a block cost, in a sentence for people.
    pub fn words(&self) -> String {
        self.cost.words(&self.plan, Some(self.replications), false)
    }

    /// CPU seconds of so many blocks.
    pub fn cpu_s(&self, blocks: u64) -> f64 {
        self.cost.block_cpu_s * blocks as f64
    }

    /// Simulates some blocks, and hands the record of each group to `take`, in order, until it returns
    /// `false`.
    ///
    /// # Errors
    /// See [`RunError`]; [`RunError::Interrupted`] if whoever watches or `take` has had enough.
    pub fn simulate(
        &self,
        blocks: Range<u64>,
        watch: &dyn Watch,
        take: &mut (dyn FnMut(GroupRecord) -> bool + Send),
    ) -> Result<(), RunError> {
        let total = (blocks.end - blocks.start) * GROUPS;
        let (done, refused) = (AtomicU64::new(0), AtomicBool::new(false));
        let pilots = Arc::default();
        let stop = || watch.stop() || refused.load(Ordering::Relaxed);
        watch.progress(0, total);
        let ended = in_order(
            blocks.start * GROUPS..blocks.end * GROUPS,
            || GroupRunner::sharing(self.system, &self.plan, &pilots),
            |runner, index| {
                let (block, group) = (index / GROUPS, index % GROUPS);
                let found = runner.run(block, group, self.replications, &stop);
                watch.progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                found
            },
            |_, found| {
                if !take(found) {
                    refused.store(true, Ordering::Relaxed);
                }
            },
        );
        match ended {
            Err((_, error)) => Err(failed(self.system, error).unwrap_or(RunError::Interrupted)),
            Ok(()) if refused.into_inner() => Err(RunError::Interrupted),
            Ok(()) => Ok(()),
        }
    }

    /// Begins to put the groups of all blocks together.
    pub fn merge(&self) -> Merge<'_> {
        Merge {
            sharded: self,
            record: Record::new(self.system),
            groups: 0,
        }
    }
}

/// Groups of a run, put together.
#[derive(Debug)]
pub struct Merge<'a> {
    sharded: &'a Sharded<'a>,
    record: Record,
    groups: u64,
}

impl Merge<'_> {
    /// Adds the next group, in order of index.
    pub fn push(&mut self, found: &GroupRecord) {
        let (system, plan) = (self.sharded.system, &self.sharded.plan);
        self.record.push(system, plan, self.groups % GROUPS, found);
        self.groups += 1;
    }

    /// Why the forced outages of all groups cannot be believed; then all blocks are needed without.
    pub fn distrust(&self) -> Option<String> {
        pilot::distrust(&self.record.structure)
    }

    /// What the run says. `given_up` is why its outages were not forced, if forced groups have shown that.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn outcome(
        self,
        hash: &str,
        given_up: Option<String>,
        watch: &dyn Watch,
    ) -> Result<Outcome, RunError> {
        let Sharded { system, plan, .. } = self.sharded;
        let ended = Ended {
            at: Checkpoint::after(self.record, self.groups / GROUPS),
            complete: true,
            stopped: false,
        };
        report((system, hash), plan, &ended, given_up, watch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_all_blocks_once_and_alike_in_size() {
        for blocks in [1, 2, 7, 1_000, u64::MAX / 1_024] {
            for parts in [1, 2, 3, 7].into_iter().filter(|parts| *parts <= blocks) {
                let ranges: Vec<_> = (1..=parts)
                    .map(|index| part(blocks, index, parts))
                    .collect();
                assert_eq!((ranges[0].start, ranges[ranges.len() - 1].end), (0, blocks));
                assert!(ranges.windows(2).all(|two| two[0].end == two[1].start));
                let lengths = ranges.iter().map(|range| range.end - range.start);
                let (least, most) = (lengths.clone().min(), lengths.max());
                assert!(most.unwrap() - least.unwrap() <= 1 && least.unwrap() > 0);
            }
        }
    }

    #[test]
    fn what_is_missing_is_named_in_parts() {
        assert_eq!(parts_of(&(0..3), 3, &[]), (1..2, 1));
        assert_eq!(parts_of(&(2..4), 8, &[4]), (2..3, 4));
        assert_eq!(parts_of(&(2..6), 8, &[4]), (2..4, 4));
        for (from, to, blocks) in [(3, 4, 8), (1, 6, 7), (0, 5, 11), (4, 11, 11)] {
            for likely in [&[][..], &[3], &[20]] {
                let (indices, parts) = parts_of(&(from..to), blocks, likely);
                let ranges: Vec<_> = indices.map(|index| part(blocks, index, parts)).collect();
                assert_eq!((ranges[0].start, ranges[ranges.len() - 1].end), (from, to));
            }
        }
    }
}
