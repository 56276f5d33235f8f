//! Availability and outage frequency of independent parts in series, in parallel and k of n.
//!
//! In the long run both depend on the mean times to failure and to repair only, not on the shape of
//! their distributions, provided that every part has its own repair: an acceptance test for any
//! choice of distributions.
//!
//! Source: Barlow and Proschan, Statistical Theory of Reliability and Life Testing (1975), chapter 2;
//! the frequency-duration method of Billinton and Allan, Reliability Evaluation of Engineering
//! Systems (1992), chapter 7.

/// A part, or a system, in the long run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// The share of time it is down. Kept instead of the availability, whose nines hide the digits.
    pub unavailability: f64,
    /// How often it goes down, per unit of time.
    pub frequency: f64,
}

impl Part {
    /// A part with this mean time to failure and mean time to repair, in any one unit of time.
    pub fn repaired(mttf: f64, mttr: f64) -> Self {
        Self {
            unavailability: mttr / (mttf + mttr),
            frequency: 1.0 / (mttf + mttr),
        }
    }

    /// The share of time it is up.
    pub fn availability(self) -> f64 {
        1.0 - self.unavailability
    }

    /// Mean length of an outage.
    pub fn mean_outage(self) -> f64 {
        self.unavailability / self.frequency
    }

    /// Mean time up between outages.
    pub fn mean_up(self) -> f64 {
        self.availability() / self.frequency
    }

    /// Mean time from the start of one outage to the start of the next.
    pub fn mtbf(self) -> f64 {
        1.0 / self.frequency
    }
}

/// Up while all `parts` are; without any, always.
pub fn series(parts: &[Part]) -> Part {
    let up: f64 = parts
        .iter()
        .map(|part| (-part.unavailability).ln_1p())
        .sum();
    let frequency = sum_with_others(parts, |other| other.availability());
    Part {
        unavailability: -up.exp_m1(),
        frequency,
    }
}

/// Up while any of `parts` is; without any, never.
pub fn parallel(parts: &[Part]) -> Part {
    let unavailability = parts.iter().map(|part| part.unavailability).product();
    Part {
        unavailability,
        frequency: sum_with_others(parts, |other| other.unavailability),
    }
}

/// The frequency at which one part goes down while all others are as `state` weighs them.
fn sum_with_others(parts: &[Part], state: impl Fn(&Part) -> f64) -> f64 {
    let others = |index: usize| -> f64 {
        let weigh = |(other, part)| if other == index { 1.0 } else { state(part) };
        parts.iter().enumerate().map(weigh).product()
    };
    parts
        .iter()
        .enumerate()
        .map(|(index, part)| part.frequency * others(index))
        .sum()
}

/// Up while at least `needed` of `parts`, which may differ, are.
///
/// ```
/// use fivenines::analytic::{Part, k_of_n};
/// let system = k_of_n(2, &[Part::repaired(99.0, 1.0); 3]);
/// assert!((system.availability() - 0.999_702).abs() < 1e-12);
/// ```
pub fn k_of_n(needed: usize, parts: &[Part]) -> Part {
    // Sums of products of probabilities: no difference, so no digit is lost.
    let unavailability = up_counts(parts, None).iter().take(needed).sum();
    let critical = |index: usize| match needed {
        0 => 0.0,
        _ => up_counts(parts, Some(index))
            .get(needed - 1)
            .copied()
            .unwrap_or(0.0),
    };
    let frequency = parts
        .iter()
        .enumerate()
        .map(|(index, part)| part.frequency * critical(index))
        .sum();
    Part {
        unavailability,
        frequency,
    }
}

/// `result[k]`: the probability that exactly k parts are up, `without` one of them.
fn up_counts(parts: &[Part], without: Option<usize>) -> Vec<f64> {
    let mut counts = vec![1.0];
    for (_, part) in parts
        .iter()
        .enumerate()
        .filter(|(index, _)| Some(*index) != without)
    {
        counts.push(0.0);
        for up in (0..counts.len()).rev() {
            let fewer = if up == 0 { 0.0 } else { counts[up - 1] };
            counts[up] = counts[up] * part.unavailability + fewer * part.availability();
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() < 1e-9,
            "{found}, not {expected}"
        );
    }

    /// Values of exactly solved Markov chains.
    #[test]
    fn one_part_alternates() {
        let part = Part::repaired(1_000.0, 10.0);
        close(part.availability(), 0.990_099_009_9);
        close(part.frequency, 0.000_990_099_009_9);
        close(part.mean_outage(), 10.0);
    }

    #[test]
    fn two_of_three() {
        let system = k_of_n(2, &[Part::repaired(1_000.0, 8.0); 3]);
        close(system.unavailability, 0.000_187_964_662_6);
        close(system.frequency, 4.686_618_916e-5);
        close(system.mean_up(), 21_333.333_33);
        close(system.mean_outage(), 4.010_666_667);
        close(system.mtbf(), 21_337.344);
    }

    #[test]
    fn three_tiers() {
        let tiers = [
            parallel(&[Part::repaired(4_380.0, 1.0); 2]),
            k_of_n(2, &[Part::repaired(720.0, 4.0); 3]),
            parallel(&[Part::repaired(2_190.0, 6.0); 2]),
        ];
        let system = series(&tiers);
        close(system.unavailability, 9.875_156_694e-5);
        close(system.frequency, 4.812_518_935e-5);
        close(system.mean_up(), 20_777.087_05);
        close(system.mean_outage(), 2.051_972_538);
    }

    #[test]
    fn quorums_keep_their_digits_far_below_the_last_nine() {
        let node = Part::repaired(1_000.0, 2.0);
        close(k_of_n(2, &[node; 3]).unavailability, 1.193_623_923e-5);
        close(k_of_n(2, &[node; 3]).frequency, 1.192_828_704e-5);
        close(k_of_n(3, &[node; 5]).unavailability, 7.928_401_413e-8);
        close(k_of_n(3, &[node; 5]).frequency, 1.188_071_665e-7);
        let rare = k_of_n(1, &[Part::repaired(1_000.0, 1.0); 3]);
        close(rare.unavailability, 9.970_059_9e-10);
        close(rare.frequency, 2.991_017_97e-9);
        let quorum = k_of_n(3, &[Part::repaired(2_000.0, 2.0); 5]);
        close(quorum.unavailability, 9.955_125_721e-9);
        close(quorum.frequency, 1.492_522_448e-8);
    }

    /// Three zones with one node each, of which two must be reachable: a node behind its zone is in
    /// series with it.
    #[test]
    fn nodes_behind_zones() {
        let reachable = series(&[Part::repaired(1_000.0, 2.0), Part::repaired(4_380.0, 6.0)]);
        let system = k_of_n(2, &[reachable; 3]);
        close(system.unavailability, 3.381_838_598e-5);
        close(system.frequency, 2.460_582_262e-5);
    }

    #[test]
    fn series_and_parallel_are_the_ends_of_k_of_n() {
        let parts = [
            Part::repaired(10.0, 1.0),
            Part::repaired(70.0, 3.0),
            Part::repaired(5.0, 5.0),
        ];
        let (all, any) = (k_of_n(3, &parts), k_of_n(1, &parts));
        close(all.unavailability, series(&parts).unavailability);
        close(all.frequency, series(&parts).frequency);
        close(any.unavailability, parallel(&parts).unavailability);
        close(any.frequency, parallel(&parts).frequency);
        assert_eq!(
            k_of_n(0, &parts),
            Part {
                unavailability: 0.0,
                frequency: 0.0
            }
        );
        close(k_of_n(4, &parts).unavailability, 1.0);
        assert_eq!(
            series(&[]),
            Part {
                unavailability: 0.0,
                frequency: 0.0
            }
        );
        assert_eq!(
            parallel(&[]),
            Part {
                unavailability: 1.0,
                frequency: 0.0
            }
        );
    }
}
