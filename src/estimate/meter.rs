//! Periods of one replication, one after the other or rolling: which of them are over a limit.
//!
//! What counts comes as stretches in order of time, each evenly spread over its length: a weight, and
//! an *open* part whose weight is a factor that is known only when everything has been simulated. Of a
//! period with an open part the factor is found from which on it is over the limit.
//!
//! The weight of a rolling period changes at a constant rate between the instants at which one of its
//! edges meets an end of a stretch, so the largest weight and the smallest factor are found among
//! these. Kept are the stretches that a period of this length can still touch.

use crate::time::SimTime;
use std::collections::VecDeque;

/// What counts between two instants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Its start, nanoseconds.
    pub from: u64,
    /// Its end, nanoseconds.
    pub to: u64,
    /// What it weighs.
    pub weight: f64,
    /// What it weighs in addition, times the factor.
    pub open: f64,
}

/// What became of the periods of a replication.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// Periods, or for rolling ones 1.
    pub periods: u64,
    /// Those that are over the limit whatever the factor is.
    pub over: u64,
    /// For each that depends on it, the factor above which it is over the limit.
    pub open: Vec<f64>,
}

/// Follows one replication after the other.
#[derive(Clone, Debug)]
pub struct Meter {
    from: u64,
    to: u64,
    length: u64,
    limit: f64,
    /// Weight and open part of the period that is going on.
    weight: f64,
    open: f64,
    shape: Shape,
    judged: Judged,
}

#[derive(Clone, Debug)]
enum Shape {
    /// The index of the period that is going on.
    Calendar(u64),
    Rolling(Rolling),
}

#[derive(Clone, Debug)]
struct Rolling {
    /// The right edge.
    at: u64,
    inside: VecDeque<Stretch>,
    over: bool,
    factor: f64,
}

/// What rounding may add to a sum of weights: it must not push a period over a limit that it just reaches.
fn tolerance(limit: f64) -> f64 {
    limit.abs() * 1e-12 + 1e-9
}

/// What a period is.
enum Standing {
    /// Within the limit, whatever the factor is.
    Within,
    /// Over the limit, whatever the factor is.
    Over,
    /// Over the limit if the factor is larger.
    From(f64),
}

fn standing(weight: f64, open: f64, limit: f64) -> Standing {
    if weight > limit + tolerance(limit) {
        Standing::Over
    } else if open > 0.0 {
        Standing::From(((limit - weight) / open).max(0.0))
    } else {
        Standing::Within
    }
}

impl Meter {
    /// Periods of `length` nanoseconds in `[from, to)`; over the limit is what weighs more.
    pub fn new(from: SimTime, to: SimTime, length: u64, rolling: bool, limit: f64) -> Self {
        let from = from.as_nanos();
        let shape = if rolling {
            Shape::Rolling(Rolling {
                at: from,
                inside: VecDeque::new(),
                over: false,
                factor: f64::INFINITY,
            })
        } else {
            Shape::Calendar(0)
        };
        Self {
            from,
            to: to.as_nanos(),
            length: length.max(1),
            limit,
            weight: 0.0,
            open: 0.0,
            shape,
            judged: Judged::default(),
        }
    }

    /// Begins a replication.
    pub fn begin(&mut self) {
        (self.weight, self.open) = (0.0, 0.0);
        self.judged.periods = 0;
        self.judged.over = 0;
        self.judged.open.clear();
        match &mut self.shape {
            Shape::Calendar(index) => *index = 0,
            Shape::Rolling(rolling) => {
                rolling.at = self.from;
                rolling.inside.clear();
                (rolling.over, rolling.factor) = (false, f64::INFINITY);
            }
        }
    }

    /// Whole periods in the horizon.
    fn whole(&self) -> u64 {
        (self.to - self.from) / self.length
    }

    /// Adds a stretch, not before the end of the one before.
    pub fn push(&mut self, stretch: Stretch) {
        let (from, to) = (stretch.from.max(self.from), stretch.to.min(self.to));
        if from >= to {
            return;
        }
        let part = |from: u64, to: u64| {
            let share = (to - from) as f64 / (stretch.to - stretch.from) as f64;
            (stretch.weight * share, stretch.open * share)
        };
        if let Shape::Rolling(_) = self.shape {
            self.roll(from, None);
            // The left edge must not come to a stretch that is not wholly inside yet.
            let mut at = from;
            while at < to {
                let end = to.min(at + self.length);
                let (weight, open) = part(at, end);
                let piece = Stretch {
                    from: at,
                    to: end,
                    weight,
                    open,
                };
                self.roll(end, Some(piece));
                at = end;
            }
            return;
        }
        let mut at = from;
        while at < to {
            let index = (at - self.from) / self.length;
            if index >= self.whole() {
                return;
            }
            let end = to.min(self.from + (index + 1) * self.length);
            let (weight, open) = part(at, end);
            if let Shape::Calendar(going_on) = self.shape
                && going_on != index
            {
                self.close();
                self.shape = Shape::Calendar(index);
            }
            self.weight += weight;
            self.open += open;
            at = end;
        }
    }

    /// The period that is going on is over.
    fn close(&mut self) {
        match standing(self.weight, self.open, self.limit) {
            Standing::Over => self.judged.over += 1,
            Standing::From(factor) => self.judged.open.push(factor),
            Standing::Within => {}
        }
        (self.weight, self.open) = (0.0, 0.0);
    }

    /// Moves the right edge to `to`, through `enters` if anything counts there.
    fn roll(&mut self, to: u64, enters: Option<Stretch>) {
        let Shape::Rolling(rolling) = &mut self.shape else {
            return;
        };
        while rolling.at < to {
            let left = rolling.at.saturating_sub(self.length).max(self.from);
            let moves = rolling.at >= self.from + self.length;
            // How far it is until an edge meets an end of a stretch.
            let mut step = to - rolling.at;
            if !moves {
                step = step.min(self.from + self.length - rolling.at);
            }
            let mut leaves = 0.0;
            if moves && let Some(first) = rolling.inside.front() {
                if first.from > left {
                    step = step.min(first.from - left);
                } else {
                    step = step.min(first.to - left);
                    leaves = step as f64 / (first.to - left) as f64;
                }
            }
            if let Some(stretch) = &enters {
                let share = step as f64 / (stretch.to - stretch.from) as f64;
                self.weight += stretch.weight * share;
                self.open += stretch.open * share;
            }
            if leaves > 0.0
                && let Some(first) = rolling.inside.front_mut()
            {
                self.weight -= first.weight * leaves;
                self.open -= first.open * leaves;
                first.weight -= first.weight * leaves;
                first.open -= first.open * leaves;
                first.from = left + step;
                if first.from >= first.to {
                    rolling.inside.pop_front();
                    if rolling.inside.is_empty() && enters.is_none() {
                        // What rounding has left.
                        (self.weight, self.open) = (0.0, 0.0);
                    }
                }
            }
            rolling.at += step;
            if rolling.at >= self.from + self.length {
                match standing(self.weight, self.open, self.limit) {
                    Standing::Over => rolling.over = true,
                    Standing::From(factor) => rolling.factor = rolling.factor.min(factor),
                    Standing::Within => {}
                }
            }
        }
        if let Some(stretch) = enters {
            rolling.inside.push_back(stretch);
        }
    }

    /// Ends the replication.
    pub fn end(&mut self) -> &Judged {
        self.roll(self.to, None);
        match &self.shape {
            Shape::Calendar(_) => {
                self.close();
                self.judged.periods = self.whole();
            }
            Shape::Rolling(rolling) => {
                self.judged.periods = 1;
                if rolling.over {
                    self.judged.over = 1;
                } else if rolling.factor.is_finite() {
                    self.judged.open.push(rolling.factor);
                }
            }
        }
        &self.judged
    }
}

#[cfg(test)]
mod tests;
