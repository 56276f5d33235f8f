//! Which member of a pool gets the next attempt. Sans-IO: random bits are arguments.
//!
//! Each balancer process owns one [`AnyBalancer`] with its own tables: which members it believes up,
//! how many attempts it has in progress at each, where its turn stands. One algorithm a file.
//!
//! An attempt goes to a member that is believed up and has not been tried by the same call. Members
//! are numbered in the order of the configuration.

mod least_connections;
mod random;
mod round_robin;
pub mod slow_start;
mod two_choices;

pub use least_connections::LeastConnections;
pub use random::Random;
pub use round_robin::RoundRobin;
pub use slow_start::SlowStart;
pub use two_choices::TwoChoices;

/// The members that a call has tried already, as bits of 64-bit words: bit `m % 64` of word `m / 64`
/// belongs to member `m`. Missing words are zero, so no word at all is the empty set.
#[derive(Clone, Copy, Debug)]
pub struct Tried<'a>(pub &'a [u64]);

impl Tried<'_> {
    /// Whether nothing was tried.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Whether `member` was tried.
    #[inline]
    pub fn contains(self, member: u32) -> bool {
        let word = self.0.get(member as usize / 64).copied().unwrap_or(0);
        word >> (member % 64) & 1 == 1
    }
}

/// A balancing algorithm, by its name in the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`RoundRobin`].
    RoundRobin,
    /// [`LeastConnections`].
    LeastConnections,
    /// [`TwoChoices`].
    TwoChoices,
    /// [`Random`].
    Random,
}

/// One balancer process of any algorithm.
// The tag is a number of its own: left alone, the compiler hides it in the capacity of a vector, and
// telling the algorithms apart, three times for each attempt, takes twice as long.
#[derive(Clone, Debug)]
#[repr(u8)]
pub enum AnyBalancer {
    /// In turn.
    RoundRobin(RoundRobin),
    /// The fewest attempts in progress.
    LeastConnections(LeastConnections),
    /// The better of two.
    TwoChoices(TwoChoices),
    /// Any.
    Random(Random),
}

/// Runs the same expression on the balancer inside.
macro_rules! each {
    ($any:expr, $inner:ident => $run:expr) => {
        match $any {
            AnyBalancer::RoundRobin($inner) => $run,
            AnyBalancer::LeastConnections($inner) => $run,
            AnyBalancer::TwoChoices($inner) => $run,
            AnyBalancer::Random($inner) => $run,
        }
    };
}

impl AnyBalancer {
    /// For members of these weights, at least 1, all believed up and idle. [`TwoChoices`] and
    /// [`Random`] draw all members alike, whatever their weight.
    pub fn new(kind: Kind, weights: &[u32]) -> Self {
        match kind {
            Kind::RoundRobin => Self::RoundRobin(RoundRobin::new(weights)),
            Kind::LeastConnections => Self::LeastConnections(LeastConnections::new(weights)),
            Kind::TwoChoices => Self::TwoChoices(TwoChoices::new(weights.len())),
            Kind::Random => Self::Random(Random::new(weights.len())),
        }
    }

    /// Forgets everything but who is believed up: the tables of a process that has just started.
    pub fn restart(&mut self) {
        each!(self, inner => inner.restart());
    }

    /// From now on `member` is believed up, or not.
    pub fn set(&mut self, member: u32, up: bool) {
        each!(self, inner => inner.set(member, up));
    }

    /// Chooses among the members believed up and not in `tried`; `None` if there is none. `bits` are
    /// 64 random bits, of which algorithms that do not draw take no notice.
    #[inline(always)]
    pub fn pick(&mut self, bits: u64, tried: Tried<'_>) -> Option<u32> {
        match self {
            Self::RoundRobin(inner) => inner.pick(tried),
            Self::LeastConnections(inner) => inner.pick(tried),
            Self::TwoChoices(inner) => inner.pick(bits, tried),
            Self::Random(inner) => inner.pick(bits, tried),
        }
    }

    /// The two members among which [`TwoChoices`] chooses: see [`TwoChoices::pair`]. `None` for any other algorithm.
    #[inline(always)]
    pub fn pair(&self, bits: u64) -> Option<Option<(u32, u32)>> {
        match self {
            Self::TwoChoices(inner) => Some(inner.pair(bits)),
            Self::RoundRobin(_) | Self::LeastConnections(_) | Self::Random(_) => None,
        }
    }

    /// The same for a call that has tried nobody, where somebody else knows how many attempts are in progress at
    /// a member, and none is [begun](Self::begin) here.
    #[inline(always)]
    pub fn pick_by(&mut self, bits: u64, mut in_progress: impl FnMut(u32) -> u32) -> Option<u32> {
        match self {
            Self::RoundRobin(inner) => inner.pick(Tried(&[])),
            Self::LeastConnections(inner) => inner.pick_by(in_progress),
            Self::TwoChoices(inner) => {
                let (first, second) = inner.pair(bits)?;
                let fewer = in_progress(first) < in_progress(second);
                Some(if fewer { first } else { second })
            }
            Self::Random(inner) => inner.pick(bits, Tried(&[])),
        }
    }

    /// An attempt at `member` has failed on the member's account: where turns follow weights, its own is
    /// less by one `max_fails`th of it, rounded down, and comes back by one at each choice.
    pub fn fail(&mut self, member: u32, max_fails: u32) {
        match self {
            Self::RoundRobin(inner) => inner.fail(member, max_fails),
            Self::LeastConnections(inner) => inner.fail(member, max_fails),
            Self::TwoChoices(_) | Self::Random(_) => {}
        }
    }

    /// From now on `member` has this weight, at least 1, for the algorithms that have weights.
    pub fn weigh(&mut self, member: u32, weight: u32) {
        match self {
            Self::RoundRobin(inner) => inner.weigh(member, weight),
            Self::LeastConnections(inner) => inner.weigh(member, weight),
            Self::TwoChoices(_) | Self::Random(_) => {}
        }
    }

    /// An attempt at `member` begins.
    #[inline]
    pub fn begin(&mut self, member: u32) {
        match self {
            Self::LeastConnections(inner) => inner.begin(member),
            Self::TwoChoices(inner) => inner.begin(member),
            Self::RoundRobin(_) | Self::Random(_) => {}
        }
    }

    /// An attempt at `member` that had begun since the last restart has ended.
    #[inline]
    pub fn end(&mut self, member: u32) {
        match self {
            Self::LeastConnections(inner) => inner.end(member),
            Self::TwoChoices(inner) => inner.end(member),
            Self::RoundRobin(_) | Self::Random(_) => {}
        }
    }
}

/// A number below `count` from 32 random bits, by multiplication (Lemire 2019 without its
/// rejection): the probabilities differ by less than `count` / 2^32.
#[inline]
fn below(count: usize, bits: u32) -> usize {
    ((count as u64 * u64::from(bits)) >> 32) as usize
}

/// The members believed up, in the order of the configuration, so that one is drawn in O(1) and
/// what is drawn does not depend on who went and came before.
#[derive(Clone, Debug)]
struct UpSet(Vec<u32>);

impl UpSet {
    fn all(members: usize) -> Self {
        let count = u32::try_from(members).expect("scenario limits keep pools far below 2^32");
        Self((0..count).collect())
    }

    /// O(members): views change seldom compared with draws.
    fn set(&mut self, member: u32, up: bool) {
        match (self.0.binary_search(&member), up) {
            (Err(place), true) => self.0.insert(place, member),
            (Ok(place), false) => {
                self.0.remove(place);
            }
            (Ok(_), true) | (Err(_), false) => {}
        }
    }

    /// How many are up and not tried.
    #[inline(always)]
    fn count(&self, tried: Tried<'_>) -> usize {
        if tried.is_empty() {
            self.0.len()
        } else {
            self.0
                .iter()
                .filter(|&&member| !tried.contains(member))
                .count()
        }
    }

    /// The one with `index` others before it among those up and not tried.
    #[inline(always)]
    fn nth(&self, index: usize, tried: Tried<'_>) -> Option<u32> {
        if tried.is_empty() {
            self.0.get(index).copied()
        } else {
            self.0
                .iter()
                .copied()
                .filter(|&member| !tried.contains(member))
                .nth(index)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    const KINDS: [Kind; 4] = [
        Kind::RoundRobin,
        Kind::LeastConnections,
        Kind::TwoChoices,
        Kind::Random,
    ];

    #[test]
    fn every_algorithm_avoids_members_that_are_down_or_tried() {
        let mut stream = Key::of_seed(3).stream();
        for kind in KINDS {
            let mut balancer = AnyBalancer::new(kind, &[1; 70]);
            for member in (0..70).filter(|member| member % 2 == 1) {
                balancer.set(member, false);
            }
            let tried = [0x5555_5555_5555_5554, 0];
            for _ in 0..100 {
                let member = balancer.pick(stream.bits(), Tried(&tried)).unwrap();
                assert!([0, 64, 66, 68].contains(&member), "{kind:?} chose {member}");
                balancer.begin(member);
            }
        }
    }

    #[test]
    fn nobody_is_chosen_when_nobody_is_left() {
        for kind in KINDS {
            let mut balancer = AnyBalancer::new(kind, &[1; 3]);
            assert_eq!(balancer.pick(1, Tried(&[0b111])), None, "{kind:?}");
            for member in 0..3 {
                balancer.set(member, false);
            }
            assert_eq!(balancer.pick(1, Tried(&[])), None, "{kind:?}");
            balancer.set(2, true);
            assert_eq!(balancer.pick(u64::MAX, Tried(&[])), Some(2), "{kind:?}");
        }
    }

    #[test]
    fn who_is_up_survives_a_restart() {
        for kind in KINDS {
            let mut balancer = AnyBalancer::new(kind, &[1; 3]);
            balancer.set(0, false);
            balancer.set(1, false);
            balancer.restart();
            assert_eq!(balancer.pick(0, Tried(&[])), Some(2), "{kind:?}");
        }
    }
}
