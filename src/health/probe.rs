//! Probes on a fixed grid, the counter of their results, and when the belief flips.
//!
//! Probe `k` starts at `first + k * interval`, whatever became of the one before. A probe meets the
//! target in one of these modes:
//!
//! - **answers** for as long as the probe is on its way: it passes `takes` after its start;
//! - **refuses** (no process on a live machine) at its start, or begins to while the probe is on its
//!   way: it fails at that instant;
//! - **silent** (no machine, no route) at its start, or falls silent while the probe is on its way:
//!   it fails `timeout` after its start, even if the target is back before that;
//! - **hangs**: it fails `timeout` after its start, or when the process is restarted before that: its
//!   connection is reset;
//! - **pauses**: the probe is not worked on; it passes if the target goes on early enough, and fails
//!   `timeout` after its start if not;
//! - **impaired**: the answer takes `factor` times as long (of a probe on its way: what is left of it),
//!   and a probe that has no answer within `timeout` has failed; or the probe meets an error, by its
//!   own chance and at its start, and fails at once; or the network between them delays it, or loses
//!   it by its own chance: then it fails `timeout` after its start. A refusal takes no time.
//!
//! Results move the counter of HAProxy: `health` from 0 to `rise + fall - 1`, up from `rise`. A
//! failure takes one and, below `rise`, everything; a pass adds one and, from `rise` on, fills it up.
//! So `fall` failures in a row take a healthy target down, one pass in between makes it whole
//! again, and it needs `rise` passes in a row to return. An observer that starts believes its target
//! up with `health = rise`: one failure takes it down (recorded on HAProxy 2.6.12; `src/check.c`,
//! `src/server.c`).
//!
//! The target's mode is constant between two faults, so the probes in between all end the same way
//! and are counted by a division when the mode changes; the one probe on its way at that instant is
//! kept apart. The work is O(1) for each change, and none for each probe. Where chance decides,
//! results are drawn in runs of equal ones, a few runs ahead; if the belief has not flipped at their
//! end, the observer asks to be called again. A change at the very instant of a probe
//! comes before it.
//!
//! A probe that the workers of its target answer may have to wait for one. Then somebody else follows it through
//! the queue and says so ([`Watch::waits`]), and how it ended ([`Watch::told`]), unless the target stops or
//! falls silent before. Where errors or losses are drawn, they alone decide.
//!
//! Left out: other intervals while the state is changing (`fastinter`, `downinter`) and intervals
//! counted from the end of the probe before; both are one interval here.

mod told;

use super::luck::Luck;
use crate::time::{SimSpan, SimTime};

/// How a target is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From one probe's start to the next one's; above zero.
    pub interval: SimSpan,
    /// When a probe without an answer has failed; at most `interval`.
    pub timeout: SimSpan,
    /// How long a passing probe is on its way; less than `timeout`.
    pub takes: SimSpan,
    /// Passes in a row until a target that is down counts as up, at least 1.
    pub rise: u32,
    /// Failures in a row until a target that is up counts as down, at least 1.
    pub fall: u32,
}

/// What a probe meets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// A process that answers.
    Answers,
    /// A process that is slow, or answers with errors.
    Impaired {
        /// An answer takes this many times as long, at least 1.
        factor: f64,
        /// The share of probes that meet an error, 0 to 1.
        errors: f64,
        /// How much longer the probe is on its way, over the network there and back; less than the
        /// time-out where any probe is in time.
        adds: SimSpan,
        /// The share of probes that are not back in time, being lost or late on the network, 0 to 1.
        lost: f64,
    },
    /// A live machine without the process.
    Refuses,
    /// Nothing.
    Silent,
    /// A process that hangs and will be restarted.
    Hangs,
    /// A process that stands still and will go on.
    Pauses,
}

impl Mode {
    /// The share of probes that meet an error, if it is chance.
    fn chance(self) -> Option<f64> {
        match self {
            Self::Impaired { errors, lost, .. } => {
                let fails = errors + lost * (1.0 - errors);
                (fails > 0.0 && fails < 1.0).then_some(fails)
            }
            Self::Answers | Self::Refuses | Self::Silent | Self::Hangs | Self::Pauses => None,
        }
    }

    /// Whether a probe that starts now, and meets an error or not, passes, and how long it takes.
    fn result(self, pace: &Pace, error: bool) -> (bool, SimSpan) {
        match self {
            Self::Answers => (true, pace.takes),
            Self::Impaired { errors, lost, .. } if error || errors.max(lost) >= 1.0 => {
                // Which of the two it was is not drawn: the more frequent one.
                let after = if lost > errors {
                    pace.timeout
                } else {
                    SimSpan::ZERO
                };
                (false, after)
            }
            Self::Impaired { factor, adds, .. } if !adds.is_zero() => {
                let takes = pace.takes.mul_f64(factor).saturating_add(adds);
                (true, takes.min(pace.timeout))
            }
            Self::Impaired { factor, .. } => {
                let takes = pace.takes.mul_f64(factor);
                (takes < pace.timeout, takes.min(pace.timeout))
            }
            Self::Refuses => (false, SimSpan::ZERO),
            Self::Silent | Self::Hangs | Self::Pauses => (false, pace.timeout),
        }
    }
}

/// A probe on its way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    /// When it ends if the mode stays what it is.
    ends: SimTime,
    passes: bool,
    held: Held,
}

/// What can still change the end of a probe on its way.
#[derive(Clone, Copy, Debug)]
enum Held {
    /// Its answer, of which so much was `left` at `from`, as a healthy target would take.
    Works { left: SimSpan, from: SimTime },
    /// The end of the process that hangs.
    Hangs,
    /// Its turn in a queue; how it ends will be told.
    Waits,
    /// Nothing.
    Decided,
}

impl Flight {
    /// A probe that starts at `start`.
    fn new(pace: &Pace, mode: Mode, error: bool, start: SimTime) -> Self {
        let (passes, after) = mode.result(pace, error);
        let held = match mode {
            Mode::Answers | Mode::Pauses => Held::Works {
                left: pace.takes,
                from: start,
            },
            Mode::Impaired { lost, .. } if lost > 0.0 && !passes => Held::Decided,
            Mode::Impaired { adds, .. } if !after.is_zero() => Held::Works {
                left: pace.takes,
                from: start + adds,
            },
            Mode::Hangs => Held::Hangs,
            Mode::Impaired { .. } | Mode::Refuses | Mode::Silent => Held::Decided,
        };
        Self {
            ends: start + after,
            passes,
            held,
        }
    }

    /// The same after the mode has changed at `now`.
    fn carried(self, pace: &Pace, start: SimTime, modes: (Mode, Mode), now: SimTime) -> Self {
        let limit = start + pace.timeout;
        let failed = |ends, held| Self {
            ends,
            passes: false,
            held,
        };
        let (left, from) = match self.held {
            Held::Decided => return self,
            Held::Waits => {
                return match modes.1 {
                    Mode::Refuses => failed(now, Held::Decided),
                    Mode::Silent => failed(limit, Held::Decided),
                    Mode::Hangs => failed(limit, Held::Hangs),
                    Mode::Answers | Mode::Impaired { .. } | Mode::Pauses => self,
                };
            }
            Held::Hangs if modes.1 == Mode::Silent => return failed(limit, Held::Decided),
            Held::Hangs => return failed(now, Held::Decided),
            Held::Works { left, from } => (left, from),
        };
        let left = match modes.0 {
            Mode::Impaired { factor, .. } => {
                left.saturating_sub(now.since(from).mul_f64(factor.recip()))
            }
            Mode::Pauses => left,
            Mode::Answers | Mode::Refuses | Mode::Silent | Mode::Hangs => {
                left.saturating_sub(now.since(from))
            }
        };
        let rest = match modes.1 {
            Mode::Answers => left,
            Mode::Impaired { factor, .. } => left.mul_f64(factor),
            Mode::Pauses => SimSpan::MAX,
            Mode::Refuses => return failed(now, Held::Decided),
            Mode::Silent => return failed(limit, Held::Decided),
            Mode::Hangs => return failed(limit, Held::Hangs),
        };
        let done = now.max(from) + rest;
        Self {
            ends: done.min(limit),
            passes: done < limit,
            held: Held::Works {
                left,
                from: now.max(from),
            },
        }
    }
}

/// One observer's belief about one target.
///
/// The caller tells it every change of the target's mode and calls [`Watch::flip`] at the instant
/// announced last. Uniforms on (0, 1) are asked for where chance decides.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Start of the first probe that has not started.
    next: SimTime,
    /// The probe before `next`, if it has not ended.
    flight: Option<Flight>,
    mode: Mode,
    health: u32,
    luck: Luck,
}

impl Watch {
    /// A new observer, whose first probe starts at `first` and whose target is in `mode`. It
    /// believes the target up. Ask [`Watch::next_flip`] when that may end.
    pub fn start(pace: &Pace, first: SimTime, mode: Mode) -> Self {
        Self {
            next: first,
            flight: None,
            mode,
            health: pace.rise,
            luck: Luck::new(),
        }
    }

    /// Becomes a new observer, see [`Watch::start`].
    #[inline]
    pub fn restart(&mut self, pace: &Pace, first: SimTime, mode: Mode) {
        self.next = first;
        self.flight = None;
        self.mode = mode;
        self.health = pace.rise;
        self.luck.forget();
    }

    /// Whether the target is believed up.
    #[inline]
    pub fn is_up(&self, pace: &Pace) -> bool {
        self.health >= pace.rise
    }

    /// The mode it was told last.
    #[inline]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Learns that the target's mode is `mode` from `now` on, and returns when the belief will flip
    /// if nothing else changes.
    #[inline(always)]
    pub fn observe(
        &mut self,
        pace: &Pace,
        now: SimTime,
        mode: Mode,
        draw: impl FnMut() -> f64,
    ) -> Option<SimTime> {
        self.count_before(pace, now);
        if mode != self.mode {
            if let Some(flight) = self.flight {
                let started = self.next.before(pace.interval);
                let modes = (self.mode, mode);
                self.flight = Some(flight.carried(pace, started, modes, now));
            }
            self.mode = mode;
            self.luck.forget();
        }
        self.next_flip(pace, draw)
    }

    /// The observer stands still from `now` on: it starts no probe, and forgets the one on its way.
    pub fn rest(&mut self, pace: &Pace, now: SimTime) {
        self.count_before(pace, now);
        self.flight = None;
    }

    /// The observer goes on at `now` after a [`rest`](Self::rest), on its grid and with the results
    /// it had; returns when the belief will flip.
    pub fn resume(
        &mut self,
        pace: &Pace,
        now: SimTime,
        mode: Mode,
        draw: impl FnMut() -> f64,
    ) -> Option<SimTime> {
        let missed = now
            .since(self.next)
            .as_nanos()
            .div_ceil(pace.interval.as_nanos());
        self.next = self.next + pace.interval.saturating_mul(missed);
        self.mode = mode;
        self.luck.forget();
        self.next_flip(pace, draw)
    }

    /// Carries out what was announced last and returns when the next flip will be. Where chance
    /// decides, the belief may be the same afterwards.
    ///
    /// # Panics
    /// If nothing was announced.
    pub fn flip(&mut self, pace: &Pace, draw: impl FnMut() -> f64) -> Option<SimTime> {
        if self.mode.chance().is_some() {
            self.go_on(pace);
            return self.next_flip(pace, draw);
        }
        let Some(flight) = self.flight.take() else {
            self.flip_alike(pace);
            return None;
        };
        let was_up = self.is_up(pace);
        self.count(pace, flight.passes, 1);
        if self.is_up(pace) == was_up {
            self.flip_alike(pace);
        }
        self.next_flip(pace, draw)
    }

    /// Goes on to the flip by results that are all alike; later ones agree with the belief.
    #[inline]
    fn flip_alike(&mut self, pace: &Pace) {
        let (passes, _) = self.mode.result(pace, false);
        let probes = probes_to_flip(pace, self.health, passes)
            .expect("a flip is carried out when it was announced");
        self.next = self.next + pace.interval.saturating_mul(probes);
        self.count(pace, passes, probes);
    }

    /// When the belief will flip if the mode stays what it is, or when to ask again. While a probe waits
    /// in a queue, nobody knows.
    #[inline]
    pub fn next_flip(&mut self, pace: &Pace, draw: impl FnMut() -> f64) -> Option<SimTime> {
        if matches!(self.flight, Some(flight) if matches!(flight.held, Held::Waits)) {
            return None;
        }
        if let Some(chance) = self.mode.chance() {
            return self.next_by_chance(pace, chance, draw);
        }
        let was_up = self.is_up(pace);
        let mut health = self.health;
        if let Some(flight) = self.flight {
            health = counted(pace, health, flight.passes, 1);
            if (health >= pace.rise) != was_up {
                return Some(flight.ends);
            }
        }
        let (passes, after) = self.mode.result(pace, false);
        let probes = probes_to_flip(pace, health, passes)?;
        Some(self.next + pace.interval.saturating_mul(probes - 1) + after)
    }

    /// [`Watch::next_flip`] where each probe meets an error by `chance`.
    #[cold]
    fn next_by_chance(
        &mut self,
        pace: &Pace,
        chance: f64,
        mut draw: impl FnMut() -> f64,
    ) -> Option<SimTime> {
        self.luck.look_ahead(chance, &mut draw);
        let (_, at) = self.walk(pace);
        (at != SimTime::NEVER).then_some(at)
    }

    /// Goes on to what was announced last where chance decides.
    #[cold]
    fn go_on(&mut self, pace: &Pace) {
        (*self, _) = self.walk(pace);
    }

    /// The observer after its next flip, or at the end of what is known of its luck; and when that is.
    fn walk(&self, pace: &Pace) -> (Self, SimTime) {
        let was_up = self.is_up(pace);
        let mut after = self.clone();
        let mut at = self.next;
        if let Some(flight) = after.flight.take() {
            after.count(pace, flight.passes, 1);
            at = flight.ends;
        }
        while after.is_up(pace) == was_up
            && let Some((error, left)) = after.luck.run()
        {
            let (passes, takes) = after.mode.result(pace, error);
            let probes =
                probes_to_flip(pace, after.health, passes).map_or(left, |probes| probes.min(left));
            after.luck.pass(probes);
            after.count(pace, passes, probes);
            at = after.next + pace.interval.saturating_mul(probes - 1) + takes;
            after.next = after.next + pace.interval.saturating_mul(probes);
        }
        (after, at)
    }

    /// Starts and counts what did so before `now`.
    fn count_before(&mut self, pace: &Pace, now: SimTime) {
        if let Some(flight) = self.flight {
            if flight.ends >= now {
                return; // and the next one starts no earlier
            }
            self.flight = None;
            self.count(pace, flight.passes, 1);
        }
        if self.next >= now {
            return;
        }
        let before_last = ((now - self.next).as_nanos() - 1) / pace.interval.as_nanos();
        if self.mode.chance().is_some() {
            self.count_by_chance(pace, now, before_last + 1);
            return;
        }
        let (passes, takes) = self.mode.result(pace, false);
        let last = self.next + pace.interval.saturating_mul(before_last);
        self.next = last + pace.interval;
        let ended = last + takes < now;
        self.count(pace, passes, before_last + u64::from(ended));
        if !ended {
            self.flight = Some(Flight::new(pace, self.mode, false, last));
        }
    }

    /// The same for the next `probes`, which meet errors by chance.
    #[cold]
    fn count_by_chance(&mut self, pace: &Pace, now: SimTime, mut probes: u64) {
        while probes > 0 {
            // A run that is not known has not begun: the end of the last one was announced.
            let (error, run) = match self.luck.run() {
                Some((error, left)) => (error, left.min(probes)),
                None => (false, probes),
            };
            debug_assert!(
                self.luck.run().is_some(),
                "what is due is carried out first"
            );
            self.luck.pass(run);
            probes -= run;
            let (passes, _) = self.mode.result(pace, error);
            let last = self.next + pace.interval.saturating_mul(run - 1);
            self.next = last + pace.interval;
            self.count(pace, passes, run - 1);
            let flight = Flight::new(pace, self.mode, error, last);
            if flight.ends < now {
                self.count(pace, passes, 1);
            } else {
                self.flight = Some(flight);
            }
        }
    }

    /// Counts `results` equal results in a row.
    #[inline]
    fn count(&mut self, pace: &Pace, passes: bool, results: u64) {
        self.health = counted(pace, self.health, passes, results);
    }
}

/// How many of the coming probes flip the belief if all of them pass, or fail.
#[inline]
fn probes_to_flip(pace: &Pace, health: u32, passes: bool) -> Option<u64> {
    match (health >= pace.rise, passes) {
        (true, false) => Some(u64::from(health - pace.rise) + 1),
        (false, true) => Some(u64::from(pace.rise - health)),
        _ => None,
    }
}

/// The counter after `results` equal results in a row.
#[inline]
fn counted(pace: &Pace, health: u32, passes: bool, results: u64) -> u32 {
    if results == 0 {
        return health;
    }
    let (now, rise) = (u64::from(health), u64::from(pace.rise));
    if passes {
        if now + results >= rise {
            pace.rise + (pace.fall - 1)
        } else {
            (now + results) as u32
        }
    } else if now >= rise + results {
        (now - results) as u32
    } else {
        0
    }
}

#[cfg(test)]
mod tests;
