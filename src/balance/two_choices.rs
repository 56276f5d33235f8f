//! Two choices: of two distinct members drawn uniformly, the one with fewer attempts in progress.
//!
//! With equal loads the second drawn is taken, as nginx does; since the pair is drawn in random
//! order, that is either with the same probability. O(1) for a first attempt; a retry walks the
//! members to leave out those already tried.
//!
//! # Source
//! nginx `random two least_conn`, `src/http/modules/ngx_http_upstream_random_module.c`, for equal
//! weights. Different: a pair is drawn among the eligible directly, not by repeated draws that give
//! up after 20; the probabilities are the same until then.

use super::{Tried, UpSet, below};

/// The better of two.
#[derive(Clone, Debug)]
pub struct TwoChoices {
    members: UpSet,
    in_progress: Vec<u32>,
}

impl TwoChoices {
    /// For this many members, all believed up and idle.
    pub fn new(members: usize) -> Self {
        Self {
            members: UpSet::all(members),
            in_progress: vec![0; members],
        }
    }

    /// Forgets attempts in progress.
    pub fn restart(&mut self) {
        self.in_progress.fill(0);
    }

    /// From now on `member` is believed up, or not.
    pub fn set(&mut self, member: u32, up: bool) {
        self.members.set(member, up);
    }

    /// The better of two that are believed up and not tried; the only one, if there is one only.
    #[inline(always)]
    pub fn pick(&mut self, bits: u64, tried: Tried<'_>) -> Option<u32> {
        let count = self.members.count(tried);
        if count < 2 {
            return self.members.nth(0, tried);
        }
        let (first, second) = two_of(count, bits);
        let (first, second) = (
            self.members.nth(first, tried)?,
            self.members.nth(second, tried)?,
        );
        let fewer = self.in_progress[first as usize] < self.in_progress[second as usize];
        Some(if fewer { first } else { second })
    }

    /// The two among which a call that has tried nobody chooses: the first, if it has fewer attempts in progress,
    /// else the second. Twice the same, if it is the only one.
    #[inline(always)]
    pub fn pair(&self, bits: u64) -> Option<(u32, u32)> {
        let Self { members, .. } = self;
        let count = members.count(Tried(&[]));
        if count < 2 {
            return members.nth(0, Tried(&[])).map(|only| (only, only));
        }
        let (first, second) = two_of(count, bits);
        Some((
            members.nth(first, Tried(&[]))?,
            members.nth(second, Tried(&[]))?,
        ))
    }

    /// An attempt at `member` begins.
    #[inline]
    pub fn begin(&mut self, member: u32) {
        self.in_progress[member as usize] += 1;
    }

    /// An attempt at `member` has ended.
    #[inline]
    pub fn end(&mut self, member: u32) {
        self.in_progress[member as usize] -= 1;
    }
}

/// Two distinct places below `count`, which is at least 2.
#[inline(always)]
fn two_of(count: usize, bits: u64) -> (usize, usize) {
    let first = below(count, (bits >> 32) as u32);
    let mut second = below(count - 1, bits as u32);
    if second >= first {
        second += 1;
    }
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    /// Shares of picks by member over 60,000 draws: each within 0.01 (5 standard errors of 0.002).
    #[track_caller]
    fn check(balancer: &mut TwoChoices, tried: &[u64], expected: &[f64]) {
        let mut stream = Key::of_seed(11).stream();
        let mut picks = vec![0_u32; expected.len()];
        for _ in 0..60_000 {
            picks[balancer.pick(stream.bits(), Tried(tried)).unwrap() as usize] += 1;
        }
        for (&picks, expected) in picks.iter().zip(expected) {
            assert!(
                (f64::from(picks) / 60_000.0 - expected).abs() < 0.01,
                "{picks} {expected}"
            );
        }
    }

    #[test]
    fn equal_members_are_chosen_alike() {
        check(&mut TwoChoices::new(4), &[], &[0.25; 4]);
    }

    #[test]
    fn the_most_loaded_member_is_never_chosen_and_the_idle_one_by_half() {
        let mut balancer = TwoChoices::new(4);
        for member in [0, 0, 1, 2] {
            balancer.begin(member);
        }
        // Six pairs: three hold member 3, one is {1, 2}, two are {0, 1} and {0, 2}.
        check(&mut balancer, &[], &[0.0, 0.25, 0.25, 0.5]);
    }

    #[test]
    fn of_two_that_are_left_the_better_is_taken() {
        let mut balancer = TwoChoices::new(4);
        balancer.begin(1);
        check(&mut balancer, &[0b1001], &[0.0, 0.0, 1.0, 0.0]);
    }
}
