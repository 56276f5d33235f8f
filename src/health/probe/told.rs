//! Probes that wait in the queue of their target: what an observer is told of them.

use super::{Flight, Held, Pace, Watch, counted};
use crate::time::SimTime;

impl Watch {
    /// Learns that the probe that started at `started` has found no free worker: how it ends will be told.
    /// Returns when the belief will flip, which is unknown until then.
    pub fn waits(
        &mut self,
        pace: &Pace,
        started: SimTime,
        draw: impl FnMut() -> f64,
    ) -> Option<SimTime> {
        if self.mode.chance().is_none() {
            self.take_up(pace, started);
        }
        self.next_flip(pace, draw)
    }

    /// Learns how a probe ended that waited, or was refused when it started: the belief may have flipped.
    /// Returns when it will flip again.
    pub fn told(
        &mut self,
        pace: &Pace,
        (started, passes): (SimTime, bool),
        draw: impl FnMut() -> f64,
    ) -> Option<SimTime> {
        if !self.holds(pace, started) && self.mode.chance().is_none() {
            self.take_up(pace, started);
        }
        if self.holds(pace, started) {
            self.flight = None;
            self.count(pace, passes, 1);
        }
        self.next_flip(pace, draw)
    }

    /// The start of the next probe that has not started, on its grid.
    pub fn next_start(&self) -> SimTime {
        self.next
    }

    /// Whether at `now` no probe waits, and the results of late ones are made up for: the next failure would
    /// be the first. What meets a fault is none of it.
    pub fn is_calm(&self, pace: &Pace, now: SimTime) -> bool {
        if self
            .flight
            .is_some_and(|flight| matches!(flight.held, Held::Waits))
        {
            return false;
        }
        let (passes, _) = self.mode.result(pace, false);
        if !passes || self.mode.chance().is_some() {
            return true;
        }
        let mut after = self.clone();
        after.count_before(pace, now);
        after.health == counted(pace, pace.rise, true, 1)
    }

    /// Whether the probe that started at `started` waits.
    fn holds(&self, pace: &Pace, started: SimTime) -> bool {
        self.flight
            .is_some_and(|flight| matches!(flight.held, Held::Waits))
            && self.next == started + pace.interval
    }

    /// The probe of `started`, which has not started yet as far as is known here, starts and waits. One that
    /// met a fault, or is not on the grid any more, is left alone.
    fn take_up(&mut self, pace: &Pace, started: SimTime) {
        self.count_before(pace, started);
        if self.next != started {
            return;
        }
        // One that ends at this very instant was in time.
        if let Some(flight) = self.flight.take() {
            self.count(pace, flight.passes, 1);
        }
        self.next = started + pace.interval;
        self.flight = Some(Flight {
            ends: SimTime::NEVER,
            passes: false,
            held: Held::Waits,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mode;
    use super::*;
    use crate::random::Stream;
    use crate::time::SimSpan;

    /// What becomes of a probe: it is answered at once, or waits and ends after a while, or is refused.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Fate {
        AtOnce,
        Waits { after: u64, passes: bool },
        Refused,
    }

    /// The belief after each result, by the counter of the module's page.
    fn counting(pace: &Pace, first: u64, fates: &[Fate]) -> Vec<(u64, bool)> {
        let (mut health, mut flips) = (pace.rise, Vec::new());
        let full = pace.rise + pace.fall - 1;
        for (start, &fate) in (first..)
            .step_by(pace.interval.as_nanos() as usize)
            .zip(fates)
        {
            let (at, passes) = match fate {
                Fate::AtOnce => (start + pace.takes.as_nanos(), true),
                Fate::Waits { after, passes } => (start + after, passes),
                Fate::Refused => (start, false),
            };
            let was_up = health >= pace.rise;
            health = match (passes, was_up) {
                (true, true) => full,
                (true, false) if health + 1 >= pace.rise => full,
                (true, false) => health + 1,
                (false, true) if health > pace.rise => health - 1,
                (false, _) => 0,
            };
            if (health >= pace.rise) != was_up {
                flips.push((at, !was_up));
            }
        }
        flips
    }

    /// The same by an observer that is only told of what is late.
    fn told(pace: &Pace, first: u64, fates: &[Fate]) -> Vec<(u64, bool)> {
        let nothing = || unreachable!("nothing is drawn");
        let mut watch = Watch::start(pace, SimTime::from_nanos(first), Mode::Answers);
        let (mut due, mut flips) = (watch.next_flip(pace, nothing), Vec::new());
        let up_to = |watch: &mut Watch, due: &mut Option<SimTime>, flips: &mut Vec<_>, end| {
            while let Some(at) = due.filter(|at| *at < end) {
                *due = watch.flip(pace, nothing);
                flips.push((at.as_nanos(), watch.is_up(pace)));
            }
        };
        for (start, &fate) in (first..)
            .step_by(pace.interval.as_nanos() as usize)
            .zip(fates)
        {
            let started = SimTime::from_nanos(start);
            let ended = match fate {
                Fate::AtOnce => continue,
                Fate::Refused => (start, false),
                Fate::Waits { after, passes } => {
                    up_to(&mut watch, &mut due, &mut flips, started);
                    due = watch.waits(pace, started, nothing);
                    assert!(!watch.is_calm(pace, started));
                    (start + after, passes)
                }
            };
            let at = SimTime::from_nanos(ended.0);
            up_to(&mut watch, &mut due, &mut flips, at);
            let was_up = watch.is_up(pace);
            due = watch.told(pace, (started, ended.1), nothing);
            if watch.is_up(pace) != was_up {
                flips.push((ended.0, !was_up));
            }
        }
        let end = first + pace.interval.as_nanos() * fates.len() as u64;
        up_to(&mut watch, &mut due, &mut flips, SimTime::from_nanos(end));
        flips
    }

    #[test]
    fn what_is_told_counts_as_if_every_probe_were_seen() {
        let (mut met, mut stream) = (0, Stream::from_key(9));
        for _ in 0..2_000 {
            let mut below = |bound: u64| stream.bits() % bound;
            let pace = Pace {
                interval: SimSpan::from_nanos(100),
                timeout: SimSpan::from_nanos(60 + below(41)),
                takes: SimSpan::from_nanos(1 + below(5)),
                rise: 1 + below(3) as u32,
                fall: 1 + below(3) as u32,
            };
            let fates: Vec<Fate> = (0..40)
                .map(|_| match below(5) {
                    0 => Fate::Refused,
                    1 => Fate::Waits {
                        after: pace.timeout.as_nanos(),
                        passes: false,
                    },
                    2 => Fate::Waits {
                        after: 10 + below(50),
                        passes: true,
                    },
                    _ => Fate::AtOnce,
                })
                .collect();
            let first = below(100);
            let expected = counting(&pace, first, &fates);
            met += expected.len();
            assert_eq!(told(&pace, first, &fates), expected, "{pace:?} {fates:?}");
        }
        assert!(met > 10_000, "{met}");
    }

    #[test]
    fn a_target_that_stops_decides_about_a_probe_that_waits() {
        let pace = Pace {
            interval: SimSpan::from_secs(2),
            timeout: SimSpan::from_secs(1),
            takes: SimSpan::from_millis(1),
            rise: 2,
            fall: 1,
        };
        let at = |millis: u64| SimTime::from_nanos(millis * 1_000_000);
        let nothing = || unreachable!("nothing is drawn");
        for (mode, flips) in [
            (Mode::Refuses, 2_300),
            (Mode::Silent, 3_000),
            (Mode::Hangs, 3_000),
        ] {
            let mut watch = Watch::start(&pace, at(0), Mode::Answers);
            assert_eq!(watch.waits(&pace, at(2_000), nothing), None);
            let due = watch.observe(&pace, at(2_300), mode, nothing);
            assert_eq!(due, Some(at(flips)), "{mode:?}");
            // What its queue would have made of it does not matter any more.
            assert_eq!(watch.told(&pace, (at(2_000), true), nothing), due);
        }
        let mut watch = Watch::start(&pace, at(0), Mode::Answers);
        watch.waits(&pace, at(2_000), nothing);
        // One that stands still may go on in time.
        assert_eq!(watch.observe(&pace, at(2_300), Mode::Pauses, nothing), None);
        assert_eq!(
            watch.observe(&pace, at(2_500), Mode::Answers, nothing),
            None
        );
        watch.told(&pace, (at(2_000), true), nothing);
        assert!(watch.is_up(&pace) && watch.is_calm(&pace, at(2_600)));
    }
}
