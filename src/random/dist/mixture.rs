//! One of several laws, chosen by weight: what "2 % of repairs take a day" is.

use super::Dist;
use super::law::Law;
use super::uniform;
use rand::Rng;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mixture {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
struct Part {
    /// Share of values that come from this law.
    weight: f64,
    /// Share of values that come from this law or one before it.
    up_to: f64,
    law: Dist,
}

impl Mixture {
    pub(super) fn has_density(&self) -> bool {
        self.parts.iter().all(|part| part.law.has_density())
    }

    /// Weights are above 0, and there is at least one; they need not sum to 1. No law is a mixture.
    pub(super) fn new(laws: Vec<(f64, Dist)>) -> Self {
        let total: f64 = laws.iter().map(|(weight, _)| weight).sum();
        let mut up_to = 0.0;
        let part = |(weight, law)| {
            up_to += weight / total;
            Part {
                weight: weight / total,
                up_to,
                law,
            }
        };
        Self {
            parts: laws.into_iter().map(part).collect(),
        }
    }

    /// The laws with their weights, which sum to 1.
    pub(super) fn parts(&self) -> impl Iterator<Item = (f64, &Dist)> {
        self.parts.iter().map(|part| (part.weight, &part.law))
    }

    /// Not inlined: a distribution within a distribution would make a loop of all of them.
    #[inline(never)]
    pub(super) fn sample<R: Rng>(&self, numbers: &mut R) -> f64 {
        let u = uniform(numbers);
        let last = &self.parts[self.parts.len() - 1];
        self.parts
            .iter()
            .find(|part| u < part.up_to)
            .unwrap_or(last)
            .law
            .sample(numbers)
    }

    /// The smallest of `value` over the laws, and the largest.
    fn range(&self, value: impl Fn(&Dist) -> f64) -> (f64, f64) {
        self.parts
            .iter()
            .fold((f64::INFINITY, 0.0), |(low, high), part| {
                let value = value(&part.law);
                (value.min(low), value.max(high))
            })
    }
}

impl Law for Mixture {
    fn mean(&self) -> f64 {
        self.parts().map(|(weight, law)| weight * law.mean()).sum()
    }

    fn variance(&self) -> f64 {
        let mean = self.mean();
        let about = |law: &Dist| law.variance() + (law.mean() - mean) * (law.mean() - mean);
        self.parts().map(|(weight, law)| weight * about(law)).sum()
    }

    fn max(&self) -> f64 {
        self.range(Dist::max).1
    }

    fn cumulative_hazard(&self, x: f64) -> f64 {
        let least = self.range(|law| law.cumulative_hazard(x)).0;
        if least == f64::INFINITY || least == 0.0 && x < 0.0 {
            return least;
        }
        if least < 0.1 {
            // Near the lower end the shares below x keep the digits ...
            let below = |law: &Dist| -(-law.cumulative_hazard(x)).exp_m1();
            let share: f64 = self.parts().map(|(weight, law)| weight * below(law)).sum();
            return -f64::ln_1p(-share);
        }
        // ... and far out the shares above it, relative to the largest.
        let above = |law: &Dist| (least - law.cumulative_hazard(x)).exp();
        least
            - self
                .parts()
                .map(|(weight, law)| weight * above(law))
                .sum::<f64>()
                .ln()
    }

    fn hazard(&self, x: f64) -> Option<f64> {
        // The mean of the hazards of what is still alive.
        let least = self.range(|law| law.cumulative_hazard(x)).0;
        let (mut dying, mut alive) = (0.0, 0.0);
        for (weight, law) in self.parts() {
            let above = weight * (least - law.cumulative_hazard(x)).exp();
            dying += above * law.hazard(x)?;
            alive += above;
        }
        Some(dying / alive)
    }

    fn inverse_hazard(&self, hazard: f64) -> f64 {
        // The quantile of a mixture lies between those of its laws.
        let (mut low, mut high) = self.range(|law| law.inverse_cumulative_hazard(hazard));
        if hazard == 0.0 {
            return low;
        }
        if hazard == f64::INFINITY || low >= high {
            return high;
        }
        if self.cumulative_hazard(low) >= hazard {
            return low;
        }
        let missing = |x: f64| (self.cumulative_hazard(x) / hazard).ln();
        // Rounding can leave the upper end just short of the hazard; it is the quantile then.
        if missing(high) < 0.0 {
            return high;
        }
        root(&mut low, &mut high, missing);
        high
    }

    fn length_biased(&self, u: f64) -> f64 {
        let total = self.mean();
        let (mut from, mut chosen) = (0.0, None);
        for (weight, law) in self.parts() {
            let share = weight * law.mean() / total;
            if share > 0.0 {
                chosen = Some((law, (u - from) / share));
                if u < from + share {
                    break;
                }
            }
            from += share;
        }
        // What is left of the uniform within the chosen law's share is uniform again.
        let inside = |u: f64| u.clamp(f64::EPSILON / 4.0, 1.0 - f64::EPSILON / 2.0);
        chosen.map_or(0.0, |(law, u)| law.law().length_biased(inside(u)))
    }
}

/// Narrows `low` < `high` to neighbouring numbers between which the increasing `f` changes sign, so
/// that a jump of `f` (a constant among the laws) is met exactly.
///
/// The Illinois variant of false position over ln x, where hazards are nearly straight lines;
/// halving whenever three steps have not halved the bracket, as at a jump, and then more and more.
fn root(low: &mut f64, high: &mut f64, f: impl Fn(f64) -> f64) {
    *low = low.max(f64::MIN_POSITIVE);
    let (mut f_low, mut f_high) = (f(*low), f(*high));
    let (mut side, mut steps, mut goal) = (0, 0, 0.5 * (*high - *low));
    // Rounds that false position lost so far, and halvings before it may try again.
    let (mut lost, mut halvings) = (0_u32, 0_u32);
    while *high > low.next_up() {
        let width = *high - *low;
        if width <= goal {
            (steps, goal) = (0, 0.5 * width);
            halvings = halvings.saturating_sub(1);
        }
        steps += 1;
        if steps > 3 && halvings == 0 {
            lost = (lost + 1).min(5);
            halvings = 1 << lost;
        }
        let ulp = f64::EPSILON * *high;
        let ratio = *high / *low;
        let secant = *low * (-f_low / (f_high - f_low) * ratio.ln()).exp();
        let x = if halvings == 0 && width > 16.0 * ulp && secant.is_finite() {
            // A little towards the far end, so that a step that has met the root moves that end too.
            let aside = 2.0 * ulp;
            if side > 0 {
                secant - aside
            } else {
                secant + aside
            }
        } else if ratio > 4.0 {
            *low * ratio.sqrt()
        } else {
            *low + 0.5 * width
        };
        let x = x.clamp(low.next_up(), high.next_down());
        let value = f(x);
        // An end that stays for a second time counts half, so that it moves the next time.
        if value < 0.0 {
            (*low, f_low) = (x, value);
            f_high *= if side < 0 { 0.5 } else { 1.0 };
            side = -1;
        } else {
            (*high, f_high) = (x, value);
            f_low *= if side > 0 { 0.5 } else { 1.0 };
            side = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn roots_are_met_to_the_last_digit_in_few_steps() {
        let check = |from: f64, to: f64, root_at: f64, f: &dyn Fn(f64) -> f64, most: u32| {
            let (mut low, mut high, count) = (from, to, Cell::new(0));
            root(&mut low, &mut high, |x| {
                count.set(count.get() + 1);
                f(x)
            });
            assert_eq!(high, low.next_up());
            assert!(
                (high / root_at - 1.0).abs() < 4e-16,
                "{high}, not {root_at}"
            );
            assert!(count.get() <= most, "{} evaluations", count.get());
        };
        check(1e-3, 1e6, 2.0, &|x| (0.5 * x).ln(), 20);
        check(1.0, 1e9, 40.0, &|x| (x - 40.0) / (x + 40.0), 30);
        // A jump: halving to the last digit.
        check(1.0, 1e5, 30.0, &|x| if x < 30.0 { -0.2 } else { 3.0 }, 100);
        check(
            1.0,
            1e5,
            30.0,
            &|x| if x < 30.0 { -2.0 } else { f64::INFINITY },
            100,
        );
    }
}
