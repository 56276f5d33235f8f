//! Slow start: a member that has come back gets a growing share of the attempts.
//!
//! Weights count in sixteenths. A member that comes back has `floor((16 e + s) / s)` of them after `e` whole seconds of a
//! slow start of `s` seconds: one at once, all of them from fifteen sixteenths of it on. Whoever was there as the process
//! started has its whole weight.
//!
//! # Source
//! HAProxy `slowstart`, `src/server.c` (`server_recalc_eweight`); 6, 10 and 45 s were recorded from 2.6.12. Different:
//! upstream's seconds are those of its clock, these begin with the member's return.

use crate::time::{SimSpan, SimTime};

/// Parts of a whole weight.
pub const WHOLE: u32 = 16;

/// The parts of its weight that a member has `elapsed` whole seconds after it came back, in a slow start of `seconds`.
pub fn parts(elapsed: u64, seconds: u64) -> u32 {
    let seconds = seconds.max(1);
    let parts = (u64::from(WHOLE) * elapsed.min(seconds) + seconds) / seconds;
    (parts as u32).min(WHOLE)
}

/// Which members of one process are on their way back.
#[derive(Clone, Debug)]
pub struct SlowStart {
    seconds: u64,
    /// Who is there.
    up: Vec<bool>,
    /// When each came back; never for those that have their whole weight.
    since: Vec<SimTime>,
    /// When any weight grows next.
    next: SimTime,
}

impl SlowStart {
    /// For so many members, all there, and so many seconds, at least one.
    pub fn new(members: usize, seconds: u64) -> Self {
        Self {
            seconds: seconds.max(1),
            up: vec![true; members],
            since: vec![SimTime::NEVER; members],
            next: SimTime::NEVER,
        }
    }

    /// The process starts: all have their whole weight, which `weigh` is told of those that had not.
    pub fn restart(&mut self, mut weigh: impl FnMut(u32, u32)) {
        for (member, since) in (0..).zip(&mut self.since) {
            if *since != SimTime::NEVER {
                *since = SimTime::NEVER;
                weigh(member, WHOLE);
            }
        }
        self.next = SimTime::NEVER;
    }

    /// From now on `member` is there, or not. It has its whole weight if it is.
    pub fn set(&mut self, member: u32, up: bool) {
        self.up[member as usize] = up;
        self.since[member as usize] = SimTime::NEVER;
    }

    /// The same for one that the process notices at `now`: its weight from now on.
    pub fn notice(&mut self, member: u32, up: bool, now: SimTime) -> u32 {
        let was = std::mem::replace(&mut self.up[member as usize], up);
        let since = &mut self.since[member as usize];
        if up && was {
            let begun = *since != SimTime::NEVER;
            return if begun {
                parts(elapsed(*since, now), self.seconds)
            } else {
                WHOLE
            };
        }
        if !up {
            *since = SimTime::NEVER;
            return WHOLE;
        }
        *since = now;
        self.next = self.next.min(now + SimSpan::from_secs(1));
        parts(0, self.seconds)
    }

    /// Whether any weight has grown by `now`.
    #[inline(always)]
    pub fn is_due(&self, now: SimTime) -> bool {
        now >= self.next
    }

    /// Weights grow up to `now`; `weigh` is told each of them.
    pub fn grow(&mut self, now: SimTime, mut weigh: impl FnMut(u32, u32)) {
        self.next = SimTime::NEVER;
        for (member, since) in (0..).zip(&mut self.since) {
            if *since == SimTime::NEVER {
                continue;
            }
            let passed = elapsed(*since, now);
            let has = parts(passed, self.seconds);
            weigh(member, has);
            if has == WHOLE {
                *since = SimTime::NEVER;
            } else {
                self.next = self.next.min(*since + SimSpan::from_secs(passed + 1));
            }
        }
    }
}

/// Whole seconds.
fn elapsed(since: SimTime, now: SimTime) -> u64 {
    now.since(since).as_nanos() / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HAProxy 2.6.12: weight 10 and 60 s, of which `show stat` tells ten sixteenths of these, rounded up.
    #[test]
    fn parts_are_those_of_haproxy() {
        for (elapsed, weight) in [(0, 10), (15, 50), (30, 90), (59, 160), (60, 160)] {
            assert_eq!(10 * parts(elapsed, 60), weight, "after {elapsed} s");
        }
        let all = |seconds| {
            (0..=seconds)
                .map(|at| parts(at, seconds))
                .collect::<Vec<_>>()
        };
        assert_eq!(all(6), [1, 3, 6, 9, 11, 14, 16]);
        assert_eq!(all(10), [1, 2, 4, 5, 7, 9, 10, 12, 13, 15, 16]);
        assert_eq!(parts(42, 45), 15);
        assert_eq!(parts(43, 45), 16);
        assert_eq!((parts(0, 1), parts(1, 1)), (1, 16));
    }

    /// Of `n` choices in a second in which one of two has `w` sixteenths, it gets `n w / (16 + w)`.
    #[test]
    fn the_share_grows_with_the_weight() {
        use crate::balance::{AnyBalancer, Kind, Tried};
        let at = |secs: f64| SimTime::START + SimSpan::from_secs_f64(secs);
        for kind in [Kind::RoundRobin, Kind::LeastConnections] {
            let mut balancer = AnyBalancer::new(kind, &[WHOLE; 2]);
            let mut slow = SlowStart::new(2, 10);
            slow.notice(1, false, at(0.0));
            balancer.weigh(1, slow.notice(1, true, at(0.0)));
            for second in 0..12_u32 {
                slow.grow(at(f64::from(second)), |member, weight| {
                    balancer.weigh(member, weight);
                });
                let weight = parts(u64::from(second), 10);
                let (mut chosen, choices) = (0, 1_000);
                for _ in 0..choices {
                    let member = balancer.pick(0, Tried(&[])).unwrap();
                    chosen += member;
                }
                let expected = f64::from(choices * weight) / f64::from(WHOLE + weight);
                assert!(
                    (f64::from(chosen) - expected).abs() <= 2.0,
                    "{kind:?} {second} {chosen}"
                );
            }
        }
    }

    #[test]
    fn who_comes_back_grows_by_the_second_and_who_was_there_does_not() {
        let at = |secs: f64| SimTime::START + SimSpan::from_secs_f64(secs);
        let mut slow = SlowStart::new(2, 10);
        assert_eq!(slow.notice(0, true, at(1.0)), WHOLE);
        assert!(!slow.is_due(at(1e6)));
        assert_eq!(slow.notice(1, false, at(2.0)), WHOLE);
        assert_eq!(slow.notice(1, true, at(5.5)), 1);
        assert_eq!(slow.notice(1, true, at(7.6)), 4);
        assert!(!slow.is_due(at(6.4)) && slow.is_due(at(6.5)));
        let mut seen = Vec::new();
        slow.grow(at(8.6), |member, parts| seen.push((member, parts)));
        assert!(!slow.is_due(at(9.4)) && slow.is_due(at(9.5)));
        slow.grow(at(15.5), |member, parts| seen.push((member, parts)));
        assert_eq!(seen, [(1, 5), (1, 16)]);
        assert!(!slow.is_due(at(1e6)));
        // Gone and back again in between, and a new process.
        slow.notice(1, false, at(20.0));
        assert_eq!(slow.notice(1, true, at(21.0)), 1);
        slow.restart(|member, parts| seen.push((member, parts)));
        assert_eq!(seen.last(), Some(&(1, 16)));
        assert!(!slow.is_due(at(1e6)));
        // Told, not noticed.
        slow.set(0, false);
        slow.set(0, true);
        assert!(!slow.is_due(at(1e6)));
    }
}
