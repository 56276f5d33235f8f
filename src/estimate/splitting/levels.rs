//! Thresholds and factors of splitting, found by a pilot.
//!
//! The pilot runs in stages. Each says how much of the time trajectories are above each importance, as far up
//! as the thresholds of the stage before lead them; the next has a threshold wherever that share has fallen to
//! about half or less, split by what makes up for it, so that as many trajectories get to each level (Garvels, The
//! splitting method in rare event simulation, 2000, chapter 2). It ends when what is looked for has been met often
//! enough, or when nothing leads there.

use super::restart::{Effort, Levels, Visits};

/// A threshold stands where the share above has fallen to one part in so many.
const APART: f64 = 2.0;

/// Changes above an importance, at least, of which a stage believes the share.
const BELIEVED: u64 = 200;

/// Meetings with what is looked for after which a stage is the last but one.
const ENOUGH: u64 = 50;

/// Shares below which nothing is looked for: less than one request in the life of any system.
const HOPELESS: f64 = 1e-18;

/// The same of the logarithm of a share by extrapolation, with a margin: importance is about linear in it.
const TOO_FAR: f64 = -62.0;

/// A stage that leads no further is done again, four times as long each time, so many times.
const LONGER: u32 = 3;

/// Stages of a pilot, at most.
const STAGES: u64 = 64;

/// What a stage of the pilot came to.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    /// Where trajectories were.
    pub(super) visits: Visits,
    /// How often what is looked for was met.
    pub(super) hits: u64,
    /// What it took.
    pub(super) effort: Effort,
}

/// How to split.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// Where.
    pub(super) levels: Levels,
    /// Changes in all for each change of a main trajectory.
    pub(super) changes_per_main: f64,
}

/// Looks for levels by stages: `run` is handed the levels, the number of the stage, and how many times as long
/// as usual it is. `None` if it gives up, or if nothing leads to what is looked for.
pub(super) fn find(mut run: impl FnMut(&Levels, u64, u64) -> Option<Stage>) -> Option<Found> {
    let (mut levels, mut longer) = (Levels::new([]), 0);
    for number in 0..STAGES {
        let stage = run(&levels, number, 1 << (2 * longer))?;
        let next = fitted(&stage.visits)?;
        if stage.hits >= ENOUGH {
            let last = run(&next, STAGES + number, 1 << (2 * longer))?;
            if last.hits < ENOUGH / 5 || last.effort.main == 0 {
                return None;
            }
            return Some(Found {
                levels: next,
                changes_per_main: last.effort.changes as f64 / last.effort.main as f64,
            });
        }
        let top = |levels: &Levels| levels.rows().last().map_or(0.0, |row| row.0);
        if top(&next) > top(&levels) {
            levels = next;
        } else if longer < LONGER {
            longer += 1;
        } else {
            return None;
        }
    }
    None
}

/// Levels by the shares of a stage; `None` if they are so small that nothing above matters.
fn fitted(visits: &Visits) -> Option<Levels> {
    let above = |of: &[f64]| {
        let mut sums: Vec<f64> = of
            .iter()
            .rev()
            .scan(0.0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            })
            .collect();
        sums.reverse();
        sums
    };
    let shares = above(&visits.weights);
    let counts: Vec<f64> = visits.counts.iter().map(|&count| count as f64).collect();
    let counts = above(&counts);
    let all = shares[0];
    let (mut last, mut product, mut rows) = (all, 1.0, Vec::new());
    for bin in 1..Visits::BINS {
        if counts[bin] < BELIEVED as f64 {
            break;
        }
        if shares[bin] * APART > last * 1.05 {
            continue;
        }
        // Rounding does not add up.
        let factor = (all / shares[bin] / product).round().max(1.0);
        product *= factor;
        last = shares[bin];
        rows.push((Visits::from(bin), factor.min(f64::from(u32::MAX)) as u32));
        if last < HOPELESS * all {
            return None;
        }
    }
    if let Some(&(top, _)) = rows.last()
        && (last / all).ln() < TOO_FAR * top
    {
        return None;
    }
    Some(Levels::new(rows))
}
