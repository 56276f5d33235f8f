//! One component that fails and is repaired: point and interval availability, and the distribution
//! of the downtime of a year.
//!
//! Source: Takacs, On certain sojourn time problems in the theory of stochastic processes, Acta
//! Mathematica Hungarica 8 (1957) 169-191; Barlow and Proschan (1975), chapter 7.

use super::Part;
use super::queueing::bisect;
use crate::random::special::Gamma;

/// A component, up at time 0, with exponential times to failure and Erlang times to repair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alternating {
    mttf: f64,
    mttr: f64,
    stages: u32,
}

impl Alternating {
    /// Mean times to failure and to repair in any one unit of time, both above 0; repair has this
    /// many exponential stages, at least 1.
    ///
    /// # Panics
    /// If a mean is not above 0 or there is no stage.
    pub fn new(mttf: f64, mttr: f64, stages: u32) -> Self {
        assert!(
            mttf > 0.0 && mttr > 0.0 && stages > 0,
            "means are above 0 and stages at least 1"
        );
        Self { mttf, mttr, stages }
    }

    /// The component in the long run.
    pub fn steady(self) -> Part {
        Part::repaired(self.mttf, self.mttr)
    }

    /// The probability that it is up at time `t`; only for exponential repair, else `None`.
    pub fn up_at(self, t: f64) -> Option<f64> {
        let rate = 1.0 / self.mttf + 1.0 / self.mttr;
        let down = self.steady().unavailability * -f64::exp_m1(-rate * t);
        (self.stages == 1).then_some(1.0 - down)
    }

    /// The expected downtime in [0, `t`]; only for exponential repair, else `None`.
    pub fn mean_downtime(self, t: f64) -> Option<f64> {
        let rate = 1.0 / self.mttf + 1.0 / self.mttr;
        let settled = t + f64::exp_m1(-rate * t) / rate;
        (self.stages == 1).then_some(self.steady().unavailability * settled)
    }

    /// The probability that there is no downtime in [0, `t`].
    pub fn no_downtime(self, t: f64) -> f64 {
        (-t / self.mttf).exp()
    }

    /// The probability that the downtime in [0, `t`] is at most `x` >= 0.
    ///
    /// By the time the component has been up for t - x, its failures are Poisson; the downtime is at
    /// most x if their repairs, all of them complete, took no longer than x.
    pub fn downtime_at_most(self, x: f64, t: f64) -> f64 {
        if x >= t {
            return 1.0;
        }
        let failures = (t - x) / self.mttf;
        let stage = self.mttr / f64::from(self.stages);
        // From the mode outwards would save terms; years have few failures, so from 0 is enough.
        let most = failures + 12.0 * failures.sqrt() + 40.0;
        let mut ln_weight = -failures;
        let mut sum = ln_weight.exp();
        let mut n = 1.0;
        while n <= most {
            ln_weight += (failures / n).ln();
            let repairs = Gamma::new(n * f64::from(self.stages));
            sum += ln_weight.exp() * -(-repairs.cumulative_hazard(x / stage)).exp_m1();
            n += 1.0;
        }
        sum.min(1.0)
    }

    /// The downtime in [0, `t`] that a share `q` of histories does not exceed.
    pub fn downtime_quantile(self, q: f64, t: f64) -> f64 {
        if self.no_downtime(t) >= q {
            return 0.0;
        }
        bisect(0.0, t, |x| self.downtime_at_most(x, t) >= q)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: f64 = 8_760.0;

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() < 1e-8,
            "{found}, not {expected}"
        );
    }

    #[test]
    fn availability_settles_from_one() {
        let component = Alternating::new(100.0, 8.0, 1);
        for (t, point, interval) in [
            (1.0, 0.990_645_623_1, 0.995_217_606_8),
            (8.0, 0.951_081_15, 0.971_221_157_4),
            (168.0, 0.925_925_925_9, 0.929_191_978_6),
            (YEAR, 0.925_925_925_9, 0.925_988_562_6),
        ] {
            close(component.up_at(t).unwrap(), point);
            close(1.0 - component.mean_downtime(t).unwrap() / t, interval);
        }
        close(component.steady().availability(), 0.925_925_925_9);
        assert_eq!(Alternating::new(100.0, 8.0, 2).up_at(1.0), None);
    }

    #[test]
    fn downtime_of_a_year_with_exponential_repairs() {
        let component = Alternating::new(2_190.0, 2.0, 1);
        close(component.no_downtime(YEAR), 0.018_315_638_89);
        close(component.mean_downtime(YEAR).unwrap(), 7.990_877_577);
        for (q, downtime) in [
            (0.5, 6.969_246_973),
            (0.75, 11.124_514_3),
            (0.9, 15.651_427_31),
            (0.95, 18.715_967_69),
            (0.99, 25.180_349_72),
        ] {
            close(component.downtime_quantile(q, YEAR), downtime);
        }
        close(
            component.downtime_at_most(0.001 * YEAR, YEAR),
            0.621_443_148_8,
        );
        close(
            component.downtime_at_most(0.000_5 * YEAR, YEAR),
            0.300_149_171_9,
        );
        close(
            component.downtime_at_most(0.000_1 * YEAR, YEAR),
            0.057_074_521_22,
        );
        assert_eq!(component.downtime_quantile(0.01, YEAR), 0.0);
        assert_eq!(component.downtime_at_most(YEAR, YEAR), 1.0);
    }

    #[test]
    fn downtime_of_a_year_with_staged_repairs() {
        let component = Alternating::new(500.0, 4.0, 3);
        for (q, downtime) in [
            (0.5, 68.417_072_25),
            (0.75, 81.774_724_91),
            (0.9, 94.619_922_1),
            (0.95, 102.673_413_4),
            (0.99, 118.507_770_2),
        ] {
            close(component.downtime_quantile(q, YEAR), downtime);
        }
    }
}
