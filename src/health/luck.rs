//! The results ahead of probes that fail by chance, as runs of equal ones.
//!
//! Each probe fails by its own chance, so runs of failures and runs of passes alternate, and their
//! lengths are geometric. Drawn run by run, a share of one in a billion costs as little as one of a
//! half, and the results do not depend on who looks at them when.

/// Runs that are drawn ahead: the work of one look, at most.
const AHEAD: usize = 8;

/// What comes next.
#[derive(Clone, Debug)]
pub(super) struct Luck {
    runs: [u64; AHEAD],
    /// Of the runs, the first one that is not used up; [`AHEAD`] if none is known.
    at: usize,
    /// Whether that run is one of errors.
    errors: bool,
    /// Whether nothing was drawn yet.
    fresh: bool,
}

impl Luck {
    /// Nothing is known.
    pub(super) const fn new() -> Self {
        Self {
            runs: [0; AHEAD],
            at: AHEAD,
            errors: false,
            fresh: true,
        }
    }

    /// Nothing is known any more.
    #[inline]
    pub(super) fn forget(&mut self) {
        (self.at, self.errors, self.fresh) = (AHEAD, false, true);
    }

    /// Draws until as much is known as there is place for; `share` of the probes, above 0 and below
    /// 1, meets an error.
    pub(super) fn look_ahead(&mut self, share: f64, draw: &mut impl FnMut() -> f64) {
        if self.fresh {
            self.fresh = false;
            self.errors = draw() < share;
        }
        self.runs.copy_within(self.at.., 0);
        let known = AHEAD - self.at;
        self.at = 0;
        for place in known..AHEAD {
            let errors = self.errors ^ (place % 2 == 1);
            // ln of the chance that one more is like the one before.
            let again = if errors {
                share.ln()
            } else {
                f64::ln_1p(-share)
            };
            // The cast saturates: longer than any clock runs.
            self.runs[place] = ((draw().ln() / again) as u64).saturating_add(1);
        }
    }

    /// The next run: whether it is one of errors, and how many probes are left of it. `None` beyond
    /// what is known.
    pub(super) fn run(&self) -> Option<(bool, u64)> {
        let left = *self.runs.get(self.at)?;
        Some((self.errors, left))
    }

    /// The next `probes`, at most a run, have been.
    pub(super) fn pass(&mut self, probes: u64) {
        self.runs[self.at] -= probes;
        if self.runs[self.at] == 0 {
            self.at += 1;
            self.errors = !self.errors;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    /// One result after the other.
    fn results(share: f64, count: usize) -> Vec<bool> {
        let mut stream = Stream::from_key(5);
        let (mut luck, mut found) = (Luck::new(), Vec::new());
        while found.len() < count {
            let Some((errors, _)) = luck.run() else {
                luck.look_ahead(share, &mut || stream.uniform());
                continue;
            };
            found.push(errors);
            luck.pass(1);
        }
        found
    }

    #[test]
    fn each_result_is_an_error_by_its_own_chance() {
        for share in [0.02, 0.5, 0.6, 0.97] {
            let results = results(share, 200_000);
            let mean = |found: usize, of: usize| found as f64 / of as f64;
            let errors = results.iter().filter(|&&error| error).count();
            let error = (share * (1.0 - share) / 200_000.0_f64).sqrt();
            assert!((mean(errors, 200_000) - share).abs() < 4.0 * error);
            // After an error as often as at any other time.
            let after: Vec<bool> = results
                .windows(2)
                .filter(|pair| pair[0])
                .map(|pair| pair[1])
                .collect();
            let both = after.iter().filter(|&&error| error).count();
            let error = (share * (1.0 - share) / after.len() as f64).sqrt();
            assert!((mean(both, after.len()) - share).abs() < 4.0 * error);
        }
    }

    #[test]
    fn the_smallest_shares_cost_no_more_than_others() {
        let mut stream = Stream::from_key(6);
        for share in [1e-300, 1e-12, 1.0 - 1e-16] {
            let mut luck = Luck::new();
            luck.look_ahead(share, &mut || stream.uniform());
            let (errors, left) = luck.run().unwrap();
            assert!(errors == (share > 0.5) && left > 1_000_000);
        }
    }
}
