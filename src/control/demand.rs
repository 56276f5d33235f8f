//! Chances that are decided when something is demanded: whether a common cause hits a part, whether a
//! failover or an activation fails, whether a release is bad.
//!
//! Each of them has a number from the stream of whoever asks, whatever is decided, so that no answer moves
//! any later draw. In a branch of a history (`force.rs`) numbers of its own decide instead, and an answer can be
//! made likelier for one step: it is then written down with both chances. Nothing here weighs anything.
//!
//! Other chances of control are always left alone. A start that fails only prolongs what is down already; a
//! takeover of an address and a probe that meets an error change nothing that the structure function sees;
//! which changes of configuration are bad thins out their calendar ahead of time, and is no demand.

use crate::random::{Key, Sequence};

/// One answer in a step in which answers are watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// Whether it happened.
    pub happened: bool,
    /// How likely that is.
    pub chance: f64,
    /// How likely it is made, or would be made.
    pub raised: f64,
}

/// How demands are decided from now on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Demand {
    /// By their own chances.
    Alone,
    /// By their own chances; they are written down with the chance that they would be raised to.
    Watched(f64),
    /// By this chance, where it is larger than their own; they are written down.
    Raised(f64),
}

/// Numbers of a branch, and what they decided.
#[derive(Clone, Debug)]
pub(super) struct Demands {
    /// In a branch, what decides.
    draws: Option<Sequence>,
    how: Demand,
    decisions: Vec<Decision>,
}

impl Demands {
    pub(super) fn new() -> Self {
        Self {
            draws: None,
            how: Demand::Alone,
            decisions: Vec::new(),
        }
    }

    /// A whole history: every number decides for itself.
    pub(super) fn reset(&mut self) {
        self.draws = None;
        self.set(Demand::Alone);
    }

    /// A branch, in which the sequence of `key` decides.
    pub(super) fn branch(&mut self, key: Key) {
        self.draws = Some(key.sequence());
        self.set(Demand::Alone);
    }

    /// Forgets what was decided; the next decisions are made like this.
    pub(super) fn set(&mut self, how: Demand) {
        self.how = how;
        self.decisions.clear();
    }

    pub(super) fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// Whether what has this chance happens; `drawn` is the number of whoever asks.
    #[inline]
    pub(super) fn happens(&mut self, chance: f64, drawn: f64) -> bool {
        if self.draws.is_none() {
            drawn < chance
        } else {
            self.decide(chance)
        }
    }

    /// Whether what works with a probability of `coverage` fails; `drawn` is the number of whoever asks.
    #[inline]
    pub(super) fn fails(&mut self, coverage: f64, drawn: f64) -> bool {
        if self.draws.is_none() {
            drawn >= coverage
        } else {
            self.decide(1.0 - coverage)
        }
    }

    #[inline(never)]
    fn decide(&mut self, chance: f64) -> bool {
        let Some(draws) = &mut self.draws else {
            return false;
        };
        let drawn = draws.uniform();
        let is_open = chance > 0.0 && chance < 1.0;
        let (decides, raised) = match self.how {
            Demand::Alone => return drawn < chance,
            Demand::Watched(to) => (chance, chance.max(to)),
            Demand::Raised(to) if is_open => (chance.max(to), chance.max(to)),
            Demand::Raised(_) => (chance, chance),
        };
        let happened = drawn < decides;
        if is_open {
            self.decisions.push(Decision {
                happened,
                chance,
                raised,
            });
        }
        happened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_branch_the_number_of_the_asker_decides() {
        let mut demands = Demands::new();
        assert!(demands.happens(0.3, 0.29) && !demands.happens(0.3, 0.3));
        assert!(demands.fails(0.7, 0.7) && !demands.fails(0.7, 0.69));
        assert!(demands.decisions().is_empty());
    }

    #[test]
    fn in_a_branch_a_raised_chance_is_what_happens_and_is_written_down() {
        let mut demands = Demands::new();
        let mut shares = [0.0; 3];
        for (share, how) in
            shares
                .iter_mut()
                .zip([Demand::Alone, Demand::Watched(0.5), Demand::Raised(0.5)])
        {
            for branch in 0..4_000 {
                demands.branch(Key::of_seed(branch));
                demands.set(how);
                let failed = demands.fails(0.9, 0.5);
                // What cannot be otherwise is no decision.
                assert!(!demands.happens(0.0, 0.5) && demands.happens(1.0, 0.5));
                *share += f64::from(u8::from(failed)) / 4_000.0;
                let known = demands.decisions();
                if how == Demand::Alone {
                    assert!(known.is_empty());
                } else {
                    assert_eq!(known.len(), 1);
                    assert_eq!((known[0].happened, known[0].raised), (failed, 0.5));
                    assert!((known[0].chance - 0.1).abs() < 1e-12);
                }
            }
        }
        for (share, expected) in shares.into_iter().zip([0.1, 0.1, 0.5]) {
            assert!((share - expected).abs() < 0.03, "{share} for {expected}");
        }
        demands.reset();
        assert!(demands.decisions().is_empty() && demands.happens(0.3, 0.2));
    }

    #[test]
    fn a_chance_is_never_made_smaller() {
        let mut demands = Demands::new();
        demands.branch(Key::of_seed(1));
        demands.set(Demand::Raised(0.2));
        demands.happens(0.6, 0.5);
        assert_eq!(
            (demands.decisions()[0].chance, demands.decisions()[0].raised),
            (0.6, 0.6)
        );
    }
}
