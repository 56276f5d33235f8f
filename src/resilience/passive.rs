//! Passive failure accounting: a balancer leaves a member alone after failures of the attempts that it
//! sent there itself.
//!
//! After `max_fails` failures the member gets nothing for `fail_timeout`; then one attempt is the test,
//! and until it has ended the others stay away for as long again. A success of an attempt chosen after
//! the window forgives everything. Time is counted in whole seconds.
//!
//! # Source
//! nginx 1.22.1, `src/http/ngx_http_upstream_round_robin.c` (`ngx_http_upstream_get_peer`,
//! `ngx_http_upstream_free_round_robin_peer`), whose tables are those of one worker process without a
//! shared zone. An only member is never left alone, as there.

use crate::time::{SimSpan, SimTime};

/// What one process knows of the members it sends attempts to.
#[derive(Clone, Debug)]
pub struct Passive {
    /// Failures after which a member is left alone; at least 1.
    max_fails: u32,
    /// For how long, and how long failures are remembered: whole seconds.
    fail_timeout: u64,
    peers: Vec<Peer>,
    /// Members that are left alone, in the order in which that began.
    resting: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Peer {
    fails: u32,
    /// Whole seconds of the last failure.
    accessed: u64,
    /// Whole seconds of the last failure, or of the first attempt after the window.
    checked: u64,
    rests: bool,
}

/// The program counts seconds of an epoch long gone, so that no window is open when it starts.
const EPOCH: u64 = 1 << 32;

fn whole_seconds(now: SimTime) -> u64 {
    EPOCH + now.as_nanos() / 1_000_000_000
}

impl Passive {
    /// For so many members, of which nothing is known.
    ///
    /// # Panics
    /// If `max_fails` is zero: that turns the accounting off, so there is nothing to keep.
    pub fn new(max_fails: u32, fail_timeout: SimSpan, members: usize) -> Self {
        assert!(max_fails > 0, "nothing is counted");
        Self {
            max_fails,
            fail_timeout: fail_timeout.as_nanos() / 1_000_000_000,
            peers: vec![Peer::default(); members],
            resting: Vec::new(),
        }
    }

    /// Takes it for known that `member` fails, which has been tested last so many whole seconds before
    /// `now`, at most `fail_timeout`; whether it is left alone.
    pub fn assume(&mut self, member: u32, now: SimTime, ago: u64) -> bool {
        let now = whole_seconds(now);
        if self.peers.len() > 1 {
            let checked = now - ago.min(self.fail_timeout);
            let peer = &mut self.peers[member as usize];
            (peer.fails, peer.accessed, peer.checked) = (self.max_fails, checked, checked);
        }
        self.settle(member, now)
    }

    /// Whole seconds of the longest rest.
    pub fn fail_timeout(&self) -> u64 {
        self.fail_timeout
    }

    /// Failures after which a member is left alone.
    pub fn max_fails(&self) -> u32 {
        self.max_fails
    }

    /// Forgets everything, as a process that has just started.
    pub fn restart(&mut self) {
        self.peers.fill(Peer::default());
        self.resting.clear();
    }

    /// Whether `member` is left alone.
    #[inline]
    pub fn rests(&self, member: u32) -> bool {
        self.peers[member as usize].rests
    }

    /// Ends the rest of members whose time is over at `now`, and names them to `ends`.
    #[inline]
    pub fn wake(&mut self, now: SimTime, mut ends: impl FnMut(u32)) {
        if self.resting.is_empty() {
            return;
        }
        let (now, timeout, peers) = (whole_seconds(now), self.fail_timeout, &mut self.peers);
        self.resting.retain(|&member| {
            let peer = &mut peers[member as usize];
            peer.rests = now - peer.checked <= timeout;
            if !peer.rests {
                ends(member);
            }
            peer.rests
        });
    }

    /// `member` was chosen at `now`; whether it is left alone from now on, until it has passed the test.
    #[inline]
    pub fn chosen(&mut self, member: u32, now: SimTime) -> bool {
        let now = whole_seconds(now);
        let peer = &mut self.peers[member as usize];
        if now - peer.checked > self.fail_timeout {
            peer.checked = now;
        }
        self.settle(member, now)
    }

    /// An attempt at `member` has failed at `now`; whether it is left alone from now on.
    pub fn failed(&mut self, member: u32, now: SimTime) -> bool {
        let now = whole_seconds(now);
        let alone = self.peers.len() == 1;
        let peer = &mut self.peers[member as usize];
        if alone {
            peer.fails = 0;
            return false;
        }
        peer.fails = peer.fails.saturating_add(1);
        (peer.accessed, peer.checked) = (now, now);
        self.settle(member, now)
    }

    /// An attempt at `member` has ended otherwise; whether that ends its rest.
    #[inline]
    pub fn ended(&mut self, member: u32) -> bool {
        let peer = &mut self.peers[member as usize];
        if peer.accessed >= peer.checked || peer.fails == 0 {
            return false;
        }
        peer.fails = 0;
        if !peer.rests {
            return false;
        }
        peer.rests = false;
        self.resting.retain(|&other| other != member);
        true
    }

    /// Notes whether `member` is left alone.
    #[inline]
    fn settle(&mut self, member: u32, now: u64) -> bool {
        let peer = &mut self.peers[member as usize];
        let rests = peer.fails >= self.max_fails && now - peer.checked <= self.fail_timeout;
        if rests && !peer.rests {
            peer.rests = true;
            self.resting.push(member);
        }
        rests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: f64) -> SimTime {
        SimTime::START + SimSpan::from_secs_f64(secs)
    }

    fn two(max_fails: u32) -> Passive {
        Passive::new(max_fails, SimSpan::from_secs(10), 2)
    }

    /// The members that may be chosen at an instant.
    fn awake(passive: &mut Passive, now: f64) -> Vec<u32> {
        passive.wake(at(now), |_| {});
        (0..2).filter(|&member| !passive.rests(member)).collect()
    }

    #[test]
    fn one_failure_is_enough_by_default_and_the_window_is_strictly_longer() {
        let mut passive = two(1);
        assert!(!passive.chosen(0, at(3.9)));
        assert!(passive.failed(0, at(3.95)));
        // Seconds are whole: 13 - 3 is not more than 10.
        assert_eq!(awake(&mut passive, 13.99), [1]);
        assert_eq!(awake(&mut passive, 14.0), [0, 1]);
    }

    #[test]
    fn one_attempt_tests_and_the_others_wait_for_it() {
        let mut passive = two(1);
        passive.failed(0, at(0.0));
        assert_eq!(awake(&mut passive, 11.0), [0, 1]);
        assert!(passive.chosen(0, at(11.0)));
        assert_eq!(awake(&mut passive, 11.5), [1]);
        // It passes: at once everybody comes again.
        assert!(passive.ended(0));
        assert_eq!(awake(&mut passive, 11.6), [0, 1]);
        assert!(!passive.chosen(0, at(11.6)));
    }

    #[test]
    fn a_test_that_fails_begins_another_window() {
        let mut passive = two(1);
        passive.failed(0, at(0.0));
        awake(&mut passive, 11.0);
        passive.chosen(0, at(11.0));
        assert!(passive.failed(0, at(12.0)));
        assert_eq!(awake(&mut passive, 22.9), [1]);
        assert_eq!(awake(&mut passive, 23.0), [0, 1]);
    }

    #[test]
    fn a_success_forgives_only_after_the_window() {
        let mut passive = two(3);
        passive.failed(0, at(1.0));
        passive.failed(0, at(2.0));
        // Chosen within the window: what failed before still counts.
        passive.chosen(0, at(3.0));
        passive.ended(0);
        assert!(passive.failed(0, at(4.0)));
        let mut passive = two(3);
        passive.failed(0, at(1.0));
        passive.failed(0, at(2.0));
        passive.chosen(0, at(13.0));
        passive.ended(0);
        assert!(!passive.failed(0, at(14.0)));
    }

    #[test]
    fn an_only_member_is_never_left_alone() {
        let mut passive = Passive::new(1, SimSpan::from_secs(10), 1);
        for second in 0..20 {
            assert!(!passive.failed(0, at(f64::from(second))));
            assert!(!passive.chosen(0, at(f64::from(second))));
        }
    }

    #[test]
    fn what_is_known_from_the_start_is_tested_in_its_turn() {
        let mut passive = two(3);
        assert!(passive.assume(0, at(100.5), 4));
        assert_eq!(awake(&mut passive, 106.9), [1]);
        assert_eq!(awake(&mut passive, 107.0), [0, 1]);
        assert!(passive.chosen(0, at(107.0)));
    }

    #[test]
    fn a_new_process_knows_nothing() {
        let mut passive = two(1);
        passive.failed(1, at(5.0));
        passive.restart();
        assert_eq!(awake(&mut passive, 5.0), [0, 1]);
    }
}
