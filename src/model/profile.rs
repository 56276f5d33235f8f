//! How a rate moves with time: a daily swing, or steps that repeat or follow a trace.

use super::LoadRhythm;
use crate::random::piecewise::Piece;
use crate::time::{NANOS_PER_SEC, SimSpan, SimTime};
use std::f64::consts::TAU;
use std::sync::Arc;

/// How the rate of a workload moves.
#[derive(Clone, Debug, PartialEq)]
pub enum Profile {
    /// A cosine over the day.
    Swing(Swing),
    /// A level for each hour of the week, or for each interval of a trace.
    Steps(Arc<Steps>),
}

/// A daily swing of the rate: a cosine with its top at `peak`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swing {
    /// Time of day of the highest rate.
    pub peak: SimSpan,
    /// Highest rate over lowest rate, at least 1.
    pub ratio: f64,
}

const DAY: f64 = 86_400.0;

impl Swing {
    /// Half the swing as a share of the mean: (ratio - 1) / (ratio + 1).
    pub fn amplitude(self) -> f64 {
        (self.ratio - 1.0) / (self.ratio + 1.0)
    }

    /// Angle of the cosine at `at`; reduced modulo a day in integers, so that it keeps its digits.
    fn angle(self, at: SimTime) -> f64 {
        let day = 86_400 * NANOS_PER_SEC;
        let into_day = (at.as_nanos() % day) as f64 / NANOS_PER_SEC as f64;
        TAU * (into_day - self.peak.as_secs_f64()) / DAY
    }

    /// The rate at `at` as a multiple of its mean.
    pub fn level(self, at: SimTime) -> f64 {
        1.0 + self.amplitude() * self.angle(at).cos()
    }

    /// Expected requests in `[from, to)` at a mean of `rate` per second.
    fn expected(self, rate: f64, from: SimTime, to: SimTime) -> f64 {
        let swing = self.angle(to).sin() - self.angle(from).sin();
        rate * to.since(from).as_secs_f64() + rate * self.amplitude() * swing * DAY / TAU
    }
}

/// A rate that is constant in each of equal steps; the steps begin at the start of the horizon.
#[derive(Clone, Debug, PartialEq)]
pub struct Steps {
    /// Length of a step, nanoseconds.
    step: u64,
    /// Whether they begin anew after the last one, for ever and before the horizon too. If not, what
    /// comes before the first step is like the first, and what comes after the last like the last.
    repeats: bool,
    /// The rate in each step as a multiple of the mean rate.
    levels: Vec<f64>,
    /// Sums of the levels before each step, in seconds of the mean; one more than steps.
    before: Vec<f64>,
    /// The first step from each one on that is not empty; the number of steps if none is.
    filled: Vec<u32>,
}

impl Steps {
    /// Steps of length `step` with these weights, which are divided by their mean; the mean. `None`
    /// if there is none that is above zero, or the clock has no room for them.
    ///
    /// ```
    /// use fivenines::model::Steps;
    /// use fivenines::time::{SimSpan, SimTime};
    /// let hour = SimSpan::from_secs(3_600);
    /// let (steps, mean) = Steps::new(hour, true, &[3.0, 0.0]).unwrap();
    /// assert_eq!(mean, 1.5);
    /// assert_eq!(steps.level(SimTime::START), 2.0);
    /// assert_eq!(steps.level(SimTime::START + hour), 0.0);
    /// ```
    pub fn new(step: SimSpan, repeats: bool, weights: &[f64]) -> Option<(Self, f64)> {
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let count = u32::try_from(weights.len()).ok()?;
        step.as_nanos().checked_mul(u64::from(count))?;
        if step.is_zero() || !mean.is_finite() || mean <= 0.0 {
            return None;
        }
        let levels: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
        let mut before = vec![0.0];
        let mut sum = 0.0;
        for level in &levels {
            sum += level * step.as_secs_f64();
            before.push(sum);
        }
        let mut filled = vec![count; levels.len()];
        let mut next = count;
        for (index, &level) in levels.iter().enumerate().rev() {
            next = if level > 0.0 { index as u32 } else { next };
            filled[index] = next;
        }
        let step = step.as_nanos();
        let steps = Self {
            step,
            repeats,
            levels,
            before,
            filled,
        };
        Some((steps, mean))
    }

    /// How long they take until they repeat; `None` if they do not.
    pub fn period(&self) -> Option<SimSpan> {
        self.repeats.then(|| SimSpan::from_nanos(self.length()))
    }

    /// Whether every hour of a history has one level.
    pub fn is_hourly(&self) -> bool {
        self.step.is_multiple_of(3_600 * NANOS_PER_SEC)
    }

    /// How they repeat with the days and weeks.
    pub(super) fn rhythm(&self) -> LoadRhythm {
        let divides = |days: u64| (days * 86_400 * NANOS_PER_SEC).is_multiple_of(self.length());
        match self.repeats {
            true if divides(1) => LoadRhythm::Daily,
            true if divides(7) => LoadRhythm::Weekly,
            _ => LoadRhythm::Free,
        }
    }

    /// Nanoseconds of all steps.
    fn length(&self) -> u64 {
        self.step * self.levels.len() as u64
    }

    /// Where the first of all turns begins that has room before the horizon: so many nanoseconds
    /// before the epoch.
    fn ahead(&self) -> u64 {
        let length = self.length();
        (length - SimTime::START.as_nanos() % length) % length
    }

    /// The turn and the step that contain `at`.
    fn locate(&self, at: SimTime) -> (u64, usize) {
        if self.repeats {
            let place = at.as_nanos().saturating_add(self.ahead());
            let (turn, into) = (place / self.length(), place % self.length());
            return (turn, (into / self.step) as usize);
        }
        let into = at.as_nanos().saturating_sub(SimTime::START.as_nanos());
        let step = (into / self.step).min(self.levels.len() as u64 - 1);
        (0, step as usize)
    }

    /// Seconds from the start of a step to `at`; negative if that lies before it.
    fn into(&self, (turn, step): (u64, usize), at: SimTime) -> f64 {
        let start = i128::from(turn) * i128::from(self.length())
            + i128::from(self.step) * step as i128
            + if self.repeats {
                -i128::from(self.ahead())
            } else {
                i128::from(SimTime::START.as_nanos())
            };
        (i128::from(at.as_nanos()) - start) as f64 / NANOS_PER_SEC as f64
    }

    /// When a step begins.
    fn start(&self, (turn, step): (u64, usize)) -> SimTime {
        let steps =
            u128::from(turn) * u128::from(self.length()) + u128::from(self.step) * step as u128;
        let nanos = match (self.repeats, step) {
            (true, _) => steps.saturating_sub(u128::from(self.ahead())),
            (false, 0) => 0,
            (false, _) => steps + u128::from(SimTime::START.as_nanos()),
        };
        SimTime::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The rate at `at` as a multiple of its mean.
    pub fn level(&self, at: SimTime) -> f64 {
        self.levels[self.locate(at).1]
    }

    /// The highest level.
    pub fn highest(&self) -> f64 {
        self.levels.iter().copied().fold(0.0, f64::max)
    }

    /// The lowest level above zero.
    pub fn lowest(&self) -> f64 {
        let filled = self.levels.iter().copied().filter(|&level| level > 0.0);
        filled.fold(f64::INFINITY, f64::min)
    }

    /// The integral of the level over `[from, to)`, seconds of the mean.
    pub fn integral(&self, from: SimTime, to: SimTime) -> f64 {
        let (first, last) = (self.locate(from), self.locate(to));
        if first == last {
            return self.levels[first.1] * to.since(from).as_secs_f64();
        }
        let until = |place: (u64, usize), at: SimTime| {
            self.before[place.1] + self.levels[place.1] * self.into(place, at)
        };
        let turns = (last.0 - first.0) as f64 * self.before[self.levels.len()];
        turns + until(last, to) - until(first, from)
    }

    /// The step that contains `at`, at a mean of `rate` per second; an empty one with all empty ones
    /// after it.
    pub fn piece(&self, rate: f64, at: SimTime) -> Piece {
        let (turn, step) = self.locate(at);
        let count = self.levels.len();
        let (from, level) = (self.start((turn, step)), self.levels[step]);
        let next = match (level > 0.0, self.filled[step] as usize) {
            (true, _) => step + 1,
            (false, filled) => filled,
        };
        let to = match (next < count, self.repeats) {
            (true, _) => self.start((turn, next)),
            (false, false) => SimTime::NEVER,
            (false, true) if level > 0.0 => self.start((turn + 1, 0)),
            (false, true) => self.start((turn + 1, self.filled[0] as usize)),
        };
        Piece {
            from,
            to,
            rate: rate * level,
            number: turn * count as u64 + step as u64,
        }
    }
}

impl Profile {
    /// The rate at `at` as a multiple of its mean.
    pub fn level(&self, at: SimTime) -> f64 {
        match self {
            Self::Swing(swing) => swing.level(at),
            Self::Steps(steps) => steps.level(at),
        }
    }

    /// The highest multiple of the mean rate.
    pub fn highest(&self) -> f64 {
        match self {
            Self::Swing(swing) => 1.0 + swing.amplitude(),
            Self::Steps(steps) => steps.highest(),
        }
    }

    /// The lowest multiple of the mean rate at which anything comes.
    pub fn lowest(&self) -> f64 {
        match self {
            Self::Swing(swing) => 1.0 - swing.amplitude(),
            Self::Steps(steps) => steps.lowest(),
        }
    }

    /// Expected requests in `[from, to)` at a mean of `rate` per second.
    pub fn expected(&self, rate: f64, from: SimTime, to: SimTime) -> f64 {
        match self {
            Self::Swing(swing) => swing.expected(rate, from, to),
            Self::Steps(steps) => rate * steps.integral(from, to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SimSpan = SimSpan::from_secs(3_600);

    fn hours(hours: u64) -> SimTime {
        SimTime::START + HOUR.saturating_mul(hours)
    }

    #[test]
    fn the_integral_is_the_sum_of_the_steps_and_has_the_mean_it_was_given() {
        let weights: Vec<f64> = (0..168).map(|hour| f64::from(hour % 7)).collect();
        let (steps, mean) = Steps::new(HOUR, true, &weights).expect("not empty");
        assert!((mean - 3.0).abs() < 1e-12);
        let week = steps.integral(hours(0), hours(168));
        assert!((week - 604_800.0).abs() < 1e-6, "{week}");
        for (from, to) in [(0, 1), (5, 30), (160, 175), (3, 700), (30, 31)] {
            let sum: f64 = (from..to)
                .map(|hour| weights[hour % 168] / 3.0 * 3_600.0)
                .sum();
            let integral = steps.integral(hours(from as u64), hours(to as u64));
            assert!(
                (integral - sum).abs() < 1e-6,
                "{from} {to} {integral} {sum}"
            );
        }
        let half = HOUR.mul_f64(0.5);
        let part = steps.integral(hours(8) + half, hours(9) + half);
        assert!((part - 1_800.0 * (1.0 + 2.0) / 3.0).abs() < 1e-6);
    }

    #[test]
    fn steps_repeat_from_the_start_of_the_horizon_in_both_directions() {
        let (steps, _) = Steps::new(HOUR, true, &[1.0, 2.0, 0.0, 0.0, 0.0]).expect("not empty");
        let levels: Vec<f64> = (0..5).map(|hour| steps.level(hours(hour))).collect();
        assert_eq!(levels, [5.0 / 3.0, 10.0 / 3.0, 0.0, 0.0, 0.0]);
        let before = SimTime::START.before(HOUR.saturating_mul(4));
        assert_eq!(steps.level(before), 10.0 / 3.0);
        // An empty step goes on to the next that is not.
        let piece = steps.piece(3.0, hours(3) + HOUR.mul_f64(0.5));
        assert_eq!(
            (piece.from, piece.to, piece.rate),
            (hours(3), hours(5), 0.0)
        );
        let piece = steps.piece(3.0, hours(6));
        assert_eq!(
            (piece.from, piece.to, piece.rate),
            (hours(6), hours(7), 10.0)
        );
        let other = steps.piece(3.0, hours(1));
        assert_eq!(piece.number - other.number, 5);
    }

    #[test]
    fn what_does_not_repeat_goes_on_as_it_ends_and_was_before_as_it_begins() {
        let (steps, _) = Steps::new(HOUR, false, &[1.0, 0.0, 3.0]).expect("not empty");
        assert_eq!(steps.level(SimTime::EPOCH), 0.75);
        assert_eq!(steps.level(hours(1_000)), 2.25);
        let first = steps.piece(1.0, SimTime::START);
        assert_eq!((first.from, first.to), (SimTime::EPOCH, hours(1)));
        assert_eq!(steps.piece(1.0, hours(7)).to, SimTime::NEVER);
        assert_eq!(steps.piece(1.0, hours(1)).to, hours(2));
        let before = SimTime::START.before(HOUR);
        assert!((steps.integral(before, hours(4)) - 3_600.0 * (1.5 + 2.0 * 2.25)).abs() < 1e-6);
    }

    #[test]
    fn nothing_but_zeros_is_no_profile() {
        assert!(Steps::new(HOUR, true, &[0.0; 24]).is_none());
        assert!(Steps::new(HOUR, true, &[]).is_none());
        assert!(Steps::new(SimSpan::ZERO, true, &[1.0]).is_none());
    }
}
