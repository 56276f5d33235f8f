//! RESTART: what is too rare to wait for is found by splitting the trajectories that come near it.
//!
//! A function of the state, its *importance*, has thresholds `T_1 < T_2 < ...`, each with a factor `R_i`.
//! A trajectory is on *level* `i` from when it rises to `T_i` until it falls below `T_(i-1)`. When it gets there,
//! `R_i - 1` *retrials* go on from the same state beside it, with draws of their own; a retrial ends when it falls from
//! the level on which it was born, while the main trajectory goes on for ever. So the trajectory and its retrials
//! stand for one together, each with the inverse of `R_i`, until each of them falls; from then on the one that is left
//! stands for all, as it is by the same law. What happens on level `i` counts by the inverse of the product of the
//! factors up to there. That is exact whatever thresholds, factors and importance are: they decide about the scatter
//! alone. That levels end one threshold below where they begin (retrials *prolonged* by one) makes retrials fewer and
//! longer, which is cheaper where taking over a state costs as much as many changes of it.
//!
//! What a change pays belongs to the level that it begins on: only then has every copy of the state been made that
//! could pay. A change that rises by several levels splits at each of them.
//!
//! Some trees grow far beyond what was planned. They are not given up, for then only the small ones would count: from so
//! many changes on nothing is split any more, and who rises from there on goes on alone, with the weight that it has. That
//! is as exact, since what has happened decides about it and nothing that is still to come.
//!
//! Trajectories that spring from one another are alike, so intervals come from independent main ones only.
//!
//! # Source
//! M. Villen-Altamirano and J. Villen-Altamirano, RESTART: a method for accelerating rare event
//! simulations, Queueing, Performance and Control in ATM (ITC-13), 1991, 71-76; the same, On the efficiency
//! of RESTART for multidimensional state systems, ACM TOMACS 16 (2006) 251-279; J. Villen-Altamirano, RESTART
//! simulation of networks of queues with Erlang service times, Winter Simulation Conference 2009 (prolonged retrials).

use crate::random::Key;

/// A process that can be split.
pub(super) trait Trajectory: Clone {
    /// What its changes pay, summed up by weight.
    type Reward;

    /// Goes on to the next change; `false` if there is none any more.
    fn advance(&mut self) -> bool;

    /// How near the state is to what is looked for: the nearer the more, in any unit.
    fn importance(&self) -> f64;

    /// Adds what the last change pays, times `weight`.
    fn collect(&mut self, weight: f64, into: &mut Self::Reward);

    /// Takes over the state of `of`; what is not yet drawn will be drawn by `key`.
    fn branch_from(&mut self, of: &Self, key: u64);
}

/// Thresholds of importance and the factors by which trajectories are split at them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Levels {
    /// Ascending.
    thresholds: Vec<f64>,
    /// As many, at least 1 each.
    factors: Vec<u32>,
}

impl Levels {
    /// Of (threshold, factor), ascending by threshold; a factor of 0 counts as 1.
    pub(super) fn new(of: impl IntoIterator<Item = (f64, u32)>) -> Self {
        let (thresholds, factors): (Vec<f64>, Vec<u32>) = of
            .into_iter()
            .map(|(threshold, factor)| (threshold, factor.max(1)))
            .unzip();
        debug_assert!(thresholds.is_sorted(), "thresholds ascend");
        Self {
            thresholds,
            factors,
        }
    }

    /// How many thresholds.
    pub(super) fn len(&self) -> usize {
        self.thresholds.len()
    }

    /// Threshold and factor of each, ascending.
    pub(super) fn rows(&self) -> impl Iterator<Item = (f64, u32)> + '_ {
        let rows = self.thresholds.iter().zip(&self.factors);
        rows.map(|(&threshold, &factor)| (threshold, factor))
    }

    /// Below which importance a trajectory falls from `level`.
    #[inline]
    fn floor(&self, level: usize) -> f64 {
        match level {
            0 => f64::NEG_INFINITY,
            1 => 0.5 * self.thresholds[0],
            _ => self.thresholds[level - 2],
        }
    }

    /// The level of a trajectory of `importance` that was on `level` before.
    #[inline]
    fn next(&self, level: usize, importance: f64) -> usize {
        let mut next = level;
        while next < self.thresholds.len() && importance >= self.thresholds[next] {
            next += 1;
        }
        while importance < self.floor(next) {
            next -= 1;
        }
        next
    }
}

/// What following a main trajectory took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effort {
    /// Changes, retrials included.
    pub(super) changes: u64,
    /// Those of main trajectories.
    pub(super) main: u64,
    /// Retrials.
    pub(super) retrials: u64,
}

/// Where trajectories were: visits to importances between 0 and 1, in bins.
#[derive(Clone, Debug)]
pub(super) struct Visits {
    /// Changes that end in each bin.
    pub(super) counts: Vec<u64>,
    /// The same, weighted.
    pub(super) weights: Vec<f64>,
}

impl Visits {
    /// Bins, all alike; the last one is that of 1 and more.
    pub(super) const BINS: usize = 1_024;

    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            counts: vec![0; Self::BINS],
            weights: vec![0.0; Self::BINS],
        }
    }

    /// The least importance that is in a bin.
    pub(super) fn from(bin: usize) -> f64 {
        bin as f64 / (Self::BINS - 1) as f64
    }

    pub(super) fn add(&mut self, importance: f64, weight: f64) {
        // What is rounded below the lower end of its bin would be below a threshold there.
        let mut bin = (importance * (Self::BINS - 1) as f64) as usize;
        bin = bin.min(Self::BINS - 1);
        if bin + 1 < Self::BINS && importance >= Self::from(bin + 1) {
            bin += 1;
        } else if bin > 0 && importance < Self::from(bin) {
            bin -= 1;
        }
        self.counts[bin] += 1;
        self.weights[bin] += weight;
    }
}

impl Default for Visits {
    fn default() -> Self {
        Self::new()
    }
}

/// Follows main trajectories with all that is split off them; keeps the memory of retrials.
#[derive(Debug)]
pub(super) struct Restart<'l, T: Trajectory> {
    levels: &'l Levels,
    /// One for each retrial that others are in the midst of.
    spare: Vec<Option<T>>,
    /// What changes on each level count, of the main trajectory and of each of those.
    weights: Vec<Vec<f64>>,
    key: Key,
    /// Changes from which on nothing is split, and those at which everything ends.
    until: u64,
    most: u64,
    effort: Effort,
    visits: Option<Visits>,
}

impl<'l, T: Trajectory> Restart<'l, T> {
    /// With retrials that draw by `key`; at most `most` changes in all.
    pub(super) fn new(levels: &'l Levels, key: Key, most: u64) -> Self {
        Self {
            levels,
            spare: (0..levels.len()).map(|_| None).collect(),
            weights: vec![vec![1.0; levels.len() + 1]; levels.len() + 1],
            key,
            until: u64::MAX,
            most,
            effort: Effort::default(),
            visits: None,
        }
    }

    /// The same; nothing is split any more when there were so many changes.
    pub(super) fn split_until(self, until: u64) -> Self {
        Self { until, ..self }
    }

    /// Whether there were.
    pub(super) fn is_past(&self) -> bool {
        self.effort.changes >= self.until
    }

    /// The same, and notes where trajectories are.
    pub(super) fn noting(levels: &'l Levels, key: Key, most: u64) -> Self {
        Self {
            visits: Some(Visits::new()),
            ..Self::new(levels, key, most)
        }
    }

    /// What was done so far.
    pub(super) fn effort(&self) -> Effort {
        self.effort
    }

    /// The weights of all visits together.
    #[cfg(test)]
    pub(super) fn weight_seen(&self) -> f64 {
        let visits = self.visits.iter();
        visits.flat_map(|visits| &visits.weights).sum()
    }

    /// Where trajectories were, if that was noted.
    pub(super) fn visits(&self) -> Option<&Visits> {
        self.visits.as_ref()
    }

    /// Follows `main` to its end, with all that is split off it. `false` if that would take more changes than
    /// there may be: then what was collected says nothing.
    pub(super) fn follow(&mut self, main: &mut T, into: &mut T::Reward) -> bool {
        let level = self.levels.next(0, main.importance());
        self.split(main, 0, level, 0, into) && self.go_on(main, level, (0, 0), into)
    }

    /// From level `from` to `to` at once: retrials at each threshold between them.
    fn split(
        &mut self,
        parent: &T,
        from: usize,
        to: usize,
        depth: usize,
        into: &mut T::Reward,
    ) -> bool {
        for level in from + 1..=to {
            let factor = if self.is_past() {
                1
            } else {
                self.levels.factors[level - 1]
            };
            let weights = &mut self.weights[depth];
            weights[level] = weights[level - 1] / f64::from(factor);
            for _ in 1..factor {
                if !self.retrial(parent, level, to, depth, into) {
                    return false;
                }
            }
        }
        true
    }

    /// A retrial born on level `born`, and on `level` at once.
    fn retrial(
        &mut self,
        parent: &T,
        born: usize,
        level: usize,
        depth: usize,
        into: &mut T::Reward,
    ) -> bool {
        self.effort.retrials += 1;
        self.weights[depth + 1][born] = self.weights[depth][born];
        let key = self.key.with(self.effort.retrials).get();
        let mut retrial = match self.spare[depth].take() {
            Some(spare) => spare,
            None => parent.clone(),
        };
        retrial.branch_from(parent, key);
        // It has risen above the thresholds beyond its own as well.
        let done = self.split(&retrial, born, level, depth + 1, into)
            && self.go_on(&mut retrial, level, (born, depth + 1), into);
        self.spare[depth] = Some(retrial);
        done
    }

    /// Follows a trajectory, now on `level`, until it ends or falls from the level on which it was born, 0 of a main
    /// one; `depth` others wait for it.
    fn go_on(
        &mut self,
        trajectory: &mut T,
        mut level: usize,
        (born, depth): (usize, usize),
        into: &mut T::Reward,
    ) -> bool {
        loop {
            if self.effort.changes >= self.most {
                return false;
            }
            if !trajectory.advance() {
                return true;
            }
            self.effort.changes += 1;
            self.effort.main += u64::from(born == 0);
            let weight = self.weights[depth][level];
            trajectory.collect(weight, into);
            let importance = trajectory.importance();
            let now = self.levels.next(level, importance);
            if let Some(visits) = &mut self.visits {
                visits.add(importance, weight);
            }
            if now < born {
                return true;
            }
            if now > level && !self.split(trajectory, level, now, depth, into) {
                return false;
            }
            level = now;
        }
    }
}
