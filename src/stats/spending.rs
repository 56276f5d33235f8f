//! How the chance of a wrong verdict is spent over targets and looks.
//!
//! A run that stops as soon as a target is decided looks at its data many times, and each look could
//! be wrong. With m targets each look k = 1, 2, ... may be wrong with probability
//! alpha / (m k (k + 1)); these sum to alpha over all targets and all looks, however many there are,
//! so the chance that a run states any wrong verdict is at most alpha (Bonferroni).

/// The plan of looks at `targets` conditions that are judged together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Looks {
    alpha: f64,
    targets: u64,
}

impl Looks {
    /// Spends `alpha` (between 0 and 1) over this many targets; no target counts as one.
    ///
    /// # Panics
    /// If `alpha` is not between 0 and 1.
    pub fn new(alpha: f64, targets: usize) -> Self {
        assert!(
            alpha > 0.0 && alpha < 1.0,
            "a probability of error is between 0 and 1"
        );
        Self {
            alpha,
            targets: targets.max(1) as u64,
        }
    }

    /// The chance of error that one target may take at look `k` = 1, 2, ...
    ///
    /// # Panics
    /// If `k` is 0.
    pub fn alpha_at(&self, k: u32) -> f64 {
        assert!(k > 0, "looks are counted from 1");
        let k = f64::from(k);
        self.alpha / self.targets as f64 / (k * (k + 1.0))
    }

    /// The confidence of a target's deciding interval at look `k` = 1, 2, ...
    ///
    /// # Panics
    /// If `k` is 0.
    pub fn confidence_at(&self, k: u32) -> f64 {
        1.0 - self.alpha_at(k)
    }
}

/// Which look there is after this many blocks: looks are at 1, 2, 4, 8, ... blocks, so that a run
/// of any length takes few of them and spends little; `None` between them.
///
/// ```
/// use fivenines::stats::looks_at;
/// assert_eq!([1, 2, 3, 4, 8].map(looks_at), [Some(1), Some(2), None, Some(3), Some(4)]);
/// ```
pub fn looks_at(blocks: u64) -> Option<u32> {
    blocks
        .is_power_of_two()
        .then(|| blocks.trailing_zeros() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_looks_at_all_targets_together_spend_no_more_than_alpha() {
        let looks = Looks::new(0.05, 7);
        let spent: f64 = (1..100_000).map(|k| 7.0 * looks.alpha_at(k)).sum();
        assert!(spent < 0.05 && spent > 0.0499, "{spent}");
    }

    #[test]
    fn the_first_look_takes_half() {
        assert_eq!(Looks::new(0.05, 1).alpha_at(1), 0.025);
        assert_eq!(Looks::new(0.05, 5).confidence_at(1), 1.0 - 0.005);
        assert_eq!(Looks::new(0.05, 0), Looks::new(0.05, 1));
    }

    #[test]
    fn there_is_no_look_before_the_first_block() {
        assert_eq!(looks_at(0), None);
        assert_eq!(looks_at(1 << 20), Some(21));
    }
}
