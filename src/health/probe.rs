//! Active probes of one target by one observer, without ticking.
//!
//! Probe `k` starts at `first + k * interval`, whatever became of the one before. A probe meets the
//! target in one of three modes:
//!
//! - **answers** for as long as the probe is on its way: it passes `takes` after its start;
//! - **refuses** (no process on a live machine) at its start, or begins to while the probe is on its
//!   way: it fails at that instant;
//! - **silent** (no machine, no route) at its start, or falls silent while the probe is on its way:
//!   it fails `timeout` after its start, even if the target is back before that.
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
//! kept apart. The work is O(1) for each change, and none for each probe. A change at the very
//! instant of a probe comes before it.
//!
//! Left out: other intervals while the state is changing (`fastinter`, `downinter`) and intervals
//! counted from the end of the probe before; both are one interval here.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A process that answers.
    Answers,
    /// A live machine without the process.
    Refuses,
    /// Nothing.
    Silent,
}

/// A probe on its way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    ends: SimTime,
    passes: bool,
}

/// One observer's belief about one target.
///
/// The caller tells it every change of the target's mode and carries out the flip announced last,
/// unless a change announced another before.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Start of the first probe that has not started.
    next: SimTime,
    /// The probe before `next`, if it has not ended.
    flight: Option<Flight>,
    mode: Mode,
    health: u32,
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
        }
    }

    /// Whether the target is believed up.
    pub fn is_up(&self, pace: &Pace) -> bool {
        self.health >= pace.rise
    }

    /// The mode it was told last.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Learns that the target's mode is `mode` from `now` on, and returns when the belief will flip
    /// if nothing else changes.
    pub fn observe(&mut self, pace: &Pace, now: SimTime, mode: Mode) -> Option<SimTime> {
        self.count_before(pace, now);
        if mode != self.mode {
            let started = self.next.before(pace.interval);
            if let Some(flight) = &mut self.flight
                && flight.passes
            {
                match mode {
                    Mode::Answers => {}
                    Mode::Refuses => {
                        *flight = Flight {
                            ends: now,
                            passes: false,
                        }
                    }
                    Mode::Silent => {
                        *flight = Flight {
                            ends: started + pace.timeout,
                            passes: false,
                        };
                    }
                }
            }
            self.mode = mode;
        }
        self.next_flip(pace)
    }

    /// Carries out the flip announced last and returns when the next one will be.
    ///
    /// # Panics
    /// If none was announced.
    pub fn flip(&mut self, pace: &Pace) -> Option<SimTime> {
        let was_up = self.is_up(pace);
        if let Some(flight) = self.flight.take() {
            self.count(pace, flight.passes, 1);
        }
        if self.is_up(pace) == was_up {
            let probes = probes_to_flip(pace, self.health, self.mode)
                .expect("a flip is carried out when it was announced");
            self.next = self.next + pace.interval.saturating_mul(probes);
            self.count(pace, self.mode == Mode::Answers, probes);
        }
        self.next_flip(pace)
    }

    /// When the belief will flip if the mode stays what it is.
    #[inline]
    pub fn next_flip(&self, pace: &Pace) -> Option<SimTime> {
        let up = self.is_up(pace);
        let mut health = self.health;
        if let Some(flight) = self.flight {
            health = counted(pace, health, flight.passes, 1);
            if (health >= pace.rise) != up {
                return Some(flight.ends);
            }
        }
        let probes = probes_to_flip(pace, health, self.mode)?;
        Some(self.next + pace.interval.saturating_mul(probes - 1) + self.delay(pace))
    }

    /// From a probe's start to its end.
    fn delay(&self, pace: &Pace) -> SimSpan {
        match self.mode {
            Mode::Answers => pace.takes,
            Mode::Refuses => SimSpan::ZERO,
            Mode::Silent => pace.timeout,
        }
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
        let passes = self.mode == Mode::Answers;
        let before_last = ((now - self.next).as_nanos() - 1) / pace.interval.as_nanos();
        let last = self.next + pace.interval.saturating_mul(before_last);
        self.next = last + pace.interval;
        self.count(pace, passes, before_last);
        let ends = last + self.delay(pace);
        if ends < now {
            self.count(pace, passes, 1);
        } else {
            self.flight = Some(Flight { ends, passes });
        }
    }

    /// Counts `results` equal results in a row.
    #[inline]
    fn count(&mut self, pace: &Pace, passes: bool, results: u64) {
        self.health = counted(pace, self.health, passes, results);
    }
}

/// How many of the coming probes, all ending as the mode says, flip the belief.
#[inline]
fn probes_to_flip(pace: &Pace, health: u32, mode: Mode) -> Option<u64> {
    match (health >= pace.rise, mode == Mode::Answers) {
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
mod tests {
    use super::*;
    use crate::random::Stream;

    fn pace(interval: u64, timeout: u64, takes: u64, rise: u32, fall: u32) -> Pace {
        let span = SimSpan::from_nanos;
        Pace {
            interval: span(interval),
            timeout: span(timeout),
            takes: span(takes),
            rise,
            fall,
        }
    }

    /// The same by walking through every nanosecond. Returns the flips.
    fn ticked(pace: &Pace, first: u64, modes: &[(u64, Mode)], end: u64) -> Vec<(u64, bool)> {
        let (mut flips, mut mode, mut changes) = (Vec::new(), modes[0].1, modes.iter().peekable());
        let (full, mut health) = (pace.rise + pace.fall - 1, pace.rise);
        let mut flight: Option<(u64, u64, bool)> = None; // start, end, passes
        for now in 0..end {
            while changes
                .next_if(|change| change.0 == now)
                .is_some_and(|change| {
                    mode = change.1;
                    true
                })
            {
                if let Some((start, ends, passes)) = &mut flight
                    && *passes
                    && mode != Mode::Answers
                {
                    *passes = false;
                    let refused = mode == Mode::Refuses;
                    *ends = if refused {
                        now
                    } else {
                        *start + pace.timeout.as_nanos()
                    };
                }
            }
            for starts in [false, true] {
                if starts && now >= first && (now - first).is_multiple_of(pace.interval.as_nanos())
                {
                    assert!(flight.is_none(), "probes overlap");
                    flight = Some(match mode {
                        Mode::Answers => (now, now + pace.takes.as_nanos(), true),
                        Mode::Refuses => (now, now, false),
                        Mode::Silent => (now, now + pace.timeout.as_nanos(), false),
                    });
                }
                if let Some((_, ends, passes)) = flight
                    && ends == now
                {
                    flight = None;
                    let was_up = health >= pace.rise;
                    if passes {
                        health = (health + 1).min(full);
                        health = if health >= pace.rise { full } else { health };
                    } else {
                        health = health.saturating_sub(1);
                        health = if health < pace.rise { 0 } else { health };
                    }
                    if (health >= pace.rise) != was_up {
                        flips.push((now, !was_up));
                    }
                }
            }
        }
        flips
    }

    fn computed(pace: &Pace, first: u64, modes: &[(u64, Mode)], end: u64) -> Vec<(u64, bool)> {
        let mut watch = Watch::start(pace, SimTime::from_nanos(first), modes[0].1);
        let (mut flips, mut due) = (Vec::new(), watch.next_flip(pace));
        let end = std::iter::once((end, Mode::Silent));
        for (at, mode) in modes[1..].iter().copied().chain(end) {
            let at = SimTime::from_nanos(at);
            while let Some(flips_at) = due.filter(|due| *due < at) {
                due = watch.flip(pace);
                flips.push((flips_at.as_nanos(), watch.is_up(pace)));
            }
            due = watch.observe(pace, at, mode);
        }
        flips
    }

    #[test]
    fn computed_flips_equal_those_of_ticking_probes() {
        let mut stream = Stream::from_key(1);
        let mut below = |n: u64| stream.bits() % n;
        let mut flips = 0;
        for _ in 0..6_000 {
            let interval = 1 + below(20);
            let timeout = 1 + below(interval);
            let pace = pace(
                interval,
                timeout,
                below(timeout),
                1 + below(4) as u32,
                1 + below(4) as u32,
            );
            let kinds = [Mode::Answers, Mode::Refuses, Mode::Silent];
            let mut modes = vec![(0, kinds[below(3) as usize])];
            let mut at = 0;
            for _ in 0..8 {
                at += below(8 * interval);
                modes.push((at, kinds[below(3) as usize]));
            }
            let first = below(interval);
            let end = at + 10 * interval;
            let expected = ticked(&pace, first, &modes, end);
            assert_eq!(
                computed(&pace, first, &modes, end),
                expected,
                "{pace:?} {first} {modes:?}"
            );
            flips += expected.len();
        }
        assert!(flips > 10_000, "{flips} flips are too few to compare");
    }

    /// Delay from a fault at a random moment to the flip, in the seconds of a pace in milliseconds.
    fn delays(pace: &Pace, mode: Mode) -> (f64, f64, f64) {
        let mut stream = Stream::from_key(2);
        let (mut sum, mut least, mut most) = (0.0, f64::INFINITY, 0.0_f64);
        let trials = 100_000;
        for _ in 0..trials {
            let first = pace.interval.mul_f64(stream.uniform());
            let mut watch = Watch::start(pace, SimTime::EPOCH + first, Mode::Answers);
            let fault = SimTime::EPOCH + pace.interval.mul_f64(10.0 + stream.uniform());
            let flips = watch
                .observe(pace, fault, mode)
                .expect("it will be noticed");
            let delay = (flips - fault).as_secs_f64();
            (sum, least, most) = (sum + delay, least.min(delay), most.max(delay));
        }
        (sum / f64::from(trials), least, most)
    }

    #[test]
    fn a_refused_port_is_noticed_after_a_uniform_phase_and_two_intervals() {
        let second = 1_000_000_000;
        let (mean, least, most) = delays(&pace(10 * second, second, 0, 2, 3), Mode::Refuses);
        // U(0, 10) + 2 * 10: mean 25, standard error 2.89 / sqrt(100,000) = 0.009.
        assert!((mean - 25.0).abs() < 0.04, "{mean}");
        assert!((20.0..20.01).contains(&least) && (29.99..=30.0).contains(&most));
    }

    #[test]
    fn silence_is_noticed_one_timeout_later() {
        let second = 1_000_000_000;
        let (mean, least, most) = delays(&pace(10 * second, second, 0, 2, 3), Mode::Silent);
        assert!((mean - 26.0).abs() < 0.04, "{mean}");
        assert!((21.0..21.01).contains(&least) && (30.99..=31.0).contains(&most));
    }

    #[test]
    fn a_new_observer_needs_one_failure_and_a_settled_one_needs_all() {
        let pace = pace(10, 5, 1, 2, 3);
        let at = SimTime::from_nanos;
        let watch = Watch::start(&pace, at(3), Mode::Refuses);
        assert_eq!(watch.next_flip(&pace), Some(at(3)));
        let mut watch = Watch::start(&pace, at(3), Mode::Answers);
        assert_eq!(watch.observe(&pace, at(10), Mode::Refuses), Some(at(33)));
    }
}
