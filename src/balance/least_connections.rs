//! Least connections: the member with the fewest attempts in progress for its weight.
//!
//! Ties are broken by one step of smooth weighted round robin among the tied, so that idle members
//! come in turn and their order follows the weights. One that is alone takes that step too, which
//! adds its weight and takes it off again. O(members), as upstream.
//!
//! # Source
//! nginx, `src/http/modules/ngx_http_upstream_least_conn_module.c`; attempts are counted by this
//! process alone, as without a shared zone.

use super::{RoundRobin, Tried};

/// Set in the load of a member that is believed down: more than any number of attempts.
const DOWN: u32 = 1 << 31;

/// The fewest attempts in progress.
#[derive(Clone, Debug)]
pub struct LeastConnections {
    weights: Vec<u32>,
    /// Whether all weights are equal, so that loads compare without them.
    equal: bool,
    /// Attempts in progress, and [`DOWN`].
    loads: Vec<u32>,
    ties: RoundRobin,
}

impl LeastConnections {
    /// For members of these weights, all believed up and idle.
    pub fn new(weights: &[u32]) -> Self {
        Self {
            weights: weights.to_vec(),
            equal: all_equal(weights),
            loads: vec![0; weights.len()],
            ties: RoundRobin::new(weights),
        }
    }

    /// Forgets attempts in progress and whose turn it is.
    pub fn restart(&mut self) {
        for load in &mut self.loads {
            *load &= DOWN;
        }
        self.ties.restart();
    }

    /// From now on `member` is believed up, or not.
    pub fn set(&mut self, member: u32, up: bool) {
        let load = &mut self.loads[member as usize];
        *load = if up { *load & !DOWN } else { *load | DOWN };
    }

    /// From now on `member` has this weight.
    pub fn weigh(&mut self, member: u32, weight: u32) {
        self.weights[member as usize] = weight;
        self.equal = all_equal(&self.weights);
        self.ties.weigh(member, weight);
    }

    /// The member with the fewest attempts in progress among those believed up and not tried.
    #[inline]
    pub fn pick(&mut self, tried: Tried<'_>) -> Option<u32> {
        if self.equal && tried.is_empty() {
            let least = self
                .loads
                .iter()
                .copied()
                .min()
                .filter(|load| load & DOWN == 0)?;
            let loads = &self.loads;
            let tied = loads.iter().filter(|&&load| load == least).count();
            if tied == 1 {
                // One that is alone: the step would change nothing but a weight that was lowered.
                return loads
                    .iter()
                    .position(|&load| load == least)
                    .map(|m| m as u32);
            }
            return self.ties.pick_if(|member| loads[member as usize] == least);
        }
        let (loads, weights) = (&self.loads, &self.weights);
        let eligible = |member: u32| loads[member as usize] & DOWN == 0 && !tried.contains(member);
        // Attempts per weight, compared without dividing.
        let order = |a: u32, b: u32| {
            let of = |a: u32, b: u32| u64::from(loads[a as usize]) * u64::from(weights[b as usize]);
            of(a, b).cmp(&of(b, a))
        };
        let best = (0..loads.len() as u32)
            .filter(|&m| eligible(m))
            .min_by(|&a, &b| order(a, b))?;
        self.ties
            .pick_if(|member| eligible(member) && order(member, best).is_eq())
    }

    /// The same where somebody else knows how many attempts are in progress at a member, none of which has
    /// [begun](Self::begin).
    #[inline]
    pub fn pick_by(&mut self, mut in_progress: impl FnMut(u32) -> u32) -> Option<u32> {
        for (member, load) in (0..).zip(&mut self.loads) {
            *load = *load & DOWN | in_progress(member);
        }
        let picked = self.pick(Tried(&[]));
        for load in &mut self.loads {
            *load &= DOWN;
        }
        picked
    }

    /// An attempt at `member` has failed: see [`RoundRobin::fail`].
    pub fn fail(&mut self, member: u32, max_fails: u32) {
        self.ties.fail(member, max_fails);
    }

    /// An attempt at `member` begins.
    #[inline]
    pub fn begin(&mut self, member: u32) {
        self.loads[member as usize] += 1;
    }

    /// An attempt at `member` has ended.
    #[inline]
    pub fn end(&mut self, member: u32) {
        self.loads[member as usize] -= 1;
    }
}

fn all_equal(weights: &[u32]) -> bool {
    weights.windows(2).all(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(balancer: &mut LeastConnections) -> u32 {
        let member = balancer.pick(Tried(&[])).unwrap();
        balancer.begin(member);
        member
    }

    #[test]
    fn idle_members_come_in_turn() {
        let mut balancer = LeastConnections::new(&[1, 1, 1]);
        for member in [0, 1, 2, 0, 1, 2] {
            assert_eq!(next(&mut balancer), member);
            balancer.end(member);
        }
    }

    #[test]
    fn the_least_loaded_member_is_chosen() {
        let mut balancer = LeastConnections::new(&[1, 1, 1]);
        for _ in 0..6 {
            next(&mut balancer);
        }
        balancer.end(1);
        assert_eq!(next(&mut balancer), 1);
    }

    #[test]
    fn a_member_of_twice_the_weight_carries_twice_the_load() {
        let mut balancer = LeastConnections::new(&[2, 1]);
        for _ in 0..9 {
            next(&mut balancer);
        }
        assert_eq!(balancer.loads, [6, 3]);
    }

    #[test]
    fn a_restart_forgets_attempts_in_progress() {
        let mut balancer = LeastConnections::new(&[1, 1]);
        next(&mut balancer);
        balancer.restart();
        assert_eq!(next(&mut balancer), 0);
    }
}
