//! Random: one member, drawn uniformly.
//!
//! # Source
//! nginx `random`, `src/http/modules/ngx_http_upstream_random_module.c`, for equal weights.
//! Different: drawn among the eligible directly, not by repeated draws that fall back to round
//! robin after 20.

use super::{Tried, UpSet, below};

/// Any member.
#[derive(Clone, Debug)]
pub struct Random {
    members: UpSet,
}

impl Random {
    /// For this many members, all believed up.
    pub fn new(members: usize) -> Self {
        Self {
            members: UpSet::all(members),
        }
    }

    /// There is nothing to forget but who is believed up, and that is kept.
    pub fn restart(&mut self) {}

    /// From now on `member` is believed up, or not.
    pub fn set(&mut self, member: u32, up: bool) {
        self.members.set(member, up);
    }

    /// One of those believed up and not tried.
    #[inline]
    pub fn pick(&mut self, bits: u64, tried: Tried<'_>) -> Option<u32> {
        let count = self.members.count(tried);
        self.members.nth(below(count, (bits >> 32) as u32), tried)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    #[test]
    fn members_that_are_left_are_chosen_alike() {
        let mut balancer = Random::new(6);
        balancer.set(1, false);
        let mut stream = Key::of_seed(11).stream();
        let mut picks = [0_u32; 6];
        for _ in 0..60_000 {
            picks[balancer.pick(stream.bits(), Tried(&[0b1000])).unwrap() as usize] += 1;
        }
        // A share of 1/4 has a standard error of 0.0018: within five of them.
        for (member, &picks) in picks.iter().enumerate() {
            let expected = if member == 1 || member == 3 {
                0.0
            } else {
                0.25
            };
            assert!((f64::from(picks) / 60_000.0 - expected).abs() < 0.009);
        }
    }
}
