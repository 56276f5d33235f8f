//! What a sample of a regime says about its slices, and about the borders to others: see `outages`.

use serde::{Deserialize, Serialize};

/// What a sample says about the slices of a regime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SliceShare {
    /// Slices judged.
    pub judged: u64,
    /// Bad ones among them.
    pub bad: u64,
    /// Pairs of neighbours among them.
    pub pairs: u64,
    /// Pairs of a good one and then a bad one.
    pub starts: u64,
}

impl SliceShare {
    /// Share of bad slices; 0 without any slice.
    pub fn share(self) -> f64 {
        if self.judged == 0 {
            0.0
        } else {
            self.bad as f64 / self.judged as f64
        }
    }

    /// Whether the regime counts as one long outage.
    pub fn solid(self) -> bool {
        self.share() >= 0.5
    }

    /// Chance that a slice is good and the next one bad; 0 without any pair.
    pub fn begins(self) -> f64 {
        if self.pairs == 0 {
            0.0
        } else {
            self.starts as f64 / self.pairs as f64
        }
    }

    /// Correlation of neighbours; 0 where all are good or all are bad, and no pair is mixed.
    fn correlation(self) -> f64 {
        let independent = self.share() * (1.0 - self.share());
        if independent > 0.0 && self.pairs > 0 {
            1.0 - self.begins() / independent
        } else {
            0.0
        }
    }

    /// By how much a slice of the regime and its neighbour, seen to be `bad` or not, are bad together
    /// more often than if they were independent; `above` says on which side of the regime's share
    /// the neighbour's chance to be bad lies.
    fn together(self, bad: bool, above: bool) -> f64 {
        self.correlation()
            * match (above, bad) {
                (true, true) | (false, false) => 0.0,
                (true, false) => self.share(),
                (false, true) => 1.0 - self.share(),
            }
    }

    /// Chance that a slice of this regime is bad and the one before it, of the regime `before`, good.
    pub(super) fn begins_after(self, before: Self) -> f64 {
        let (p, q) = (self.share(), before.share());
        let correlation = 0.5 * (self.correlation() + before.correlation());
        p - p * q - correlation * (p.min(q) - p * q)
    }

    /// Expected outages that begin with a slice that was seen, after one of the regime that was not.
    pub(super) fn begins_seen(self, bad: bool, above: bool) -> f64 {
        let independent = if bad { 1.0 - self.share() } else { 0.0 };
        independent - self.together(bad, above)
    }

    /// Expected outages that begin with a slice of the regime that was not seen, after one that was.
    pub(super) fn begins_unseen(self, bad: bool, above: bool) -> f64 {
        let independent = if bad { 0.0 } else { self.share() };
        independent - self.together(bad, above)
    }
}
