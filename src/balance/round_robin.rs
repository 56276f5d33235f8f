//! Smooth weighted round robin: each member in turn, heavy ones spread between the others.
//!
//! At each choice every eligible member gains its effective weight, the one with the most is chosen (the
//! earliest on a tie) and pays the sum of them. Members that are not eligible keep what they had. The
//! effective weight is the weight, less what failures took off it; it comes back by one at each choice.
//! O(members), as upstream.
//!
//! # Source
//! nginx, `src/http/ngx_http_upstream_round_robin.c`.

use super::Tried;

/// Members in turn.
#[derive(Clone, Debug)]
pub struct RoundRobin {
    peers: Vec<Peer>,
}

#[derive(Clone, Debug)]
struct Peer {
    up: bool,
    weight: i64,
    effective: i64,
    current: i64,
}

impl RoundRobin {
    /// For members of these weights, all believed up.
    pub fn new(weights: &[u32]) -> Self {
        let peer = |&weight: &u32| Peer {
            up: true,
            weight: i64::from(weight),
            effective: i64::from(weight),
            current: 0,
        };
        Self {
            peers: weights.iter().map(peer).collect(),
        }
    }

    /// Starts the turn anew.
    pub fn restart(&mut self) {
        for peer in &mut self.peers {
            (peer.effective, peer.current) = (peer.weight, 0);
        }
    }

    /// From now on `member` is believed up, or not.
    pub fn set(&mut self, member: u32, up: bool) {
        self.peers[member as usize].up = up;
    }

    /// From now on `member` has this weight, and what failures took off it is forgotten.
    pub fn weigh(&mut self, member: u32, weight: u32) {
        let peer = &mut self.peers[member as usize];
        (peer.weight, peer.effective) = (i64::from(weight), i64::from(weight));
    }

    /// An attempt at `member` has failed: its effective weight is less by one `max_fails`th of its weight,
    /// rounded down, and not below zero. `max_fails` is at least 1.
    pub fn fail(&mut self, member: u32, max_fails: u32) {
        let peer = &mut self.peers[member as usize];
        let less = peer.weight / i64::from(max_fails);
        peer.effective = (peer.effective - less).max(0);
    }

    /// The member whose turn it is among those believed up and not tried.
    #[inline]
    pub fn pick(&mut self, tried: Tried<'_>) -> Option<u32> {
        step(&mut self.peers, |member, peer| {
            peer.up && !tried.contains(member)
        })
    }

    /// The member whose turn it is among those for which `eligible` holds.
    #[inline]
    pub(super) fn pick_if(&mut self, eligible: impl Fn(u32) -> bool) -> Option<u32> {
        step(&mut self.peers, |member, _| eligible(member))
    }
}

/// One step among the eligible.
#[inline]
fn step(peers: &mut [Peer], eligible: impl Fn(u32, &Peer) -> bool) -> Option<u32> {
    // Without a branch on who is ahead: with members of changing loads it is a coin toss.
    let (mut best, mut most, mut total) = (usize::MAX, i64::MIN, 0);
    for (index, peer) in peers.iter_mut().enumerate() {
        let eligible = eligible(index as u32, peer);
        let gain = if eligible { peer.effective } else { 0 };
        peer.current += gain;
        total += gain;
        peer.effective += i64::from(eligible & (peer.effective < peer.weight));
        let ahead = eligible & (peer.current > most);
        most = if ahead { peer.current } else { most };
        best = if ahead { index } else { best };
    }
    let chosen = peers.get_mut(best)?;
    chosen.current -= total;
    Some(best as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(weights: &[u32], expected: &str) {
        let mut balancer = RoundRobin::new(weights);
        let order: String = (0..expected.len())
            .map(|_| (b'a' + balancer.pick(Tried(&[])).unwrap() as u8) as char)
            .collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn heavy_members_are_spread_between_the_others() {
        check(&[5, 1, 1], "aabacaaaabacaa");
        check(&[3, 2, 1], "abacbaabacba");
        check(&[4, 2], "abaaba");
    }

    /// Weights 6 and 6, three failures allowed, the first choice fails: recorded from nginx 1.22.1.
    #[test]
    fn a_failure_makes_a_member_lighter_for_a_while() {
        let mut balancer = RoundRobin::new(&[6, 6]);
        let mut next = || (b'a' + balancer.pick(Tried(&[])).unwrap() as u8) as char;
        assert_eq!(next(), 'a');
        balancer.fail(0, 3);
        let mut next = || (b'a' + balancer.pick(Tried(&[])).unwrap() as u8) as char;
        let order: String = (0..9).map(|_| next()).collect();
        assert_eq!(order, "bbabababa");
    }

    #[test]
    fn equal_members_come_in_turn() {
        check(&[1, 1, 1], "abcabc");
    }

    #[test]
    fn a_member_that_is_down_keeps_its_place_in_the_turn() {
        let mut balancer = RoundRobin::new(&[1, 1, 1]);
        let mut next = |up: Option<bool>| {
            up.into_iter().for_each(|up| balancer.set(1, up));
            balancer.pick(Tried(&[]))
        };
        assert_eq!(next(None), Some(0)); // leaves -2, 1, 1
        assert_eq!(next(Some(false)), Some(2)); // leaves -1, 1, 0
        assert_eq!(next(None), Some(2)); // leaves 0, 1, -1
        assert_eq!(next(Some(true)), Some(1));
    }
}
