//! The gamma distribution with scale 1: cumulative hazard and its inverse.
//!
//! Series below, continued fraction above, both times a prefix that is computed from the deviance
//! and not from `a ln x - x - ln_gamma(a)`, which loses as many digits as a ln a has.

use super::{normal_inverse_hazard, normal_quantile_of_sf};
use statrs::function::gamma::ln_gamma;
use std::f64::consts::{LN_2, TAU};

/// From this shape on Stirling's series is exact to rounding (the first neglected term is 3e-17).
const STIRLING_FROM: f64 = 16.0;

/// Above this shape the Wilson-Hilferty formula, exact to 1e-9 there, stands for the quantile: the
/// series would take ten thousands of terms.
const WILSON_HILFERTY_FROM: f64 = 1e8;

/// A gamma distribution with scale 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gamma {
    shape: f64,
    /// ln Gamma(shape + 1).
    ln_gamma_next: f64,
}

impl Gamma {
    /// With this shape, which must be above 0.
    pub(crate) fn new(shape: f64) -> Self {
        Self {
            shape,
            ln_gamma_next: ln_gamma(shape + 1.0),
        }
    }

    /// The shape.
    pub(crate) fn shape(self) -> f64 {
        self.shape
    }

    /// The density at `x` over the survival function.
    pub(crate) fn hazard(self, x: f64) -> f64 {
        if x <= 0.0 {
            return if self.shape > 1.0 { 0.0 } else { 1.0 };
        }
        (self.ln_prefix(x) + self.cumulative_hazard(x)).exp() * self.shape / x
    }

    /// ln(x^a e^-x / Gamma(a + 1)).
    fn ln_prefix(self, x: f64) -> f64 {
        let a = self.shape;
        if a < STIRLING_FROM {
            a * x.ln() - x - self.ln_gamma_next
        } else {
            a * ln_one_plus_minus((x - a) / a) - 0.5 * (TAU * a).ln() - ln_gamma_rest(a)
        }
    }

    /// cdf / prefix, for x not far above the shape.
    fn series(self, x: f64) -> f64 {
        let (mut term, mut sum, mut index) = (1.0, 1.0, self.shape);
        loop {
            index += 1.0;
            term *= x / index;
            sum += term;
            // Once terms halve, the rest is less than the last one.
            if term <= sum * 1e-17 || !term.is_finite() {
                return sum;
            }
        }
    }

    /// sf / (a prefix), for x above the shape; Lentz's evaluation of the continued fraction.
    fn fraction(self, x: f64) -> f64 {
        let a = self.shape;
        let mut b = x + 1.0 - a;
        let mut c = f64::MAX;
        let mut d = 1.0 / b;
        let mut product = d;
        let mut index = 0.0;
        loop {
            index += 1.0;
            let an = index * (a - index);
            b += 2.0;
            d = 1.0 / nonzero(b + an * d);
            c = nonzero(b + an / c);
            let factor = c * d;
            product *= factor;
            if (factor - 1.0).abs() <= 2e-16 || index > 1e6 {
                return product;
            }
        }
    }

    /// Whether the series is the way to compute at x.
    fn is_low(self, x: f64) -> bool {
        x < self.shape + 1.0
    }

    /// -ln P(X > x).
    pub(crate) fn cumulative_hazard(self, x: f64) -> f64 {
        if x <= 0.0 {
            0.0
        } else if x == f64::INFINITY {
            f64::INFINITY
        } else if self.is_low(x) {
            -f64::ln_1p(-(self.ln_prefix(x).exp() * self.series(x)).min(1.0))
        } else {
            -(self.ln_prefix(x) + (self.shape * self.fraction(x)).ln())
        }
    }

    /// density / sf at x > 0.
    fn hazard_rate(self, x: f64) -> f64 {
        if self.is_low(x) {
            let prefix = self.ln_prefix(x).exp();
            prefix * self.shape / x / (1.0 - prefix * self.series(x))
        } else {
            1.0 / (x * self.fraction(x))
        }
    }

    /// The x with -ln P(X > x) = `hazard`.
    pub(crate) fn inverse_hazard(self, hazard: f64) -> f64 {
        if hazard <= 0.0 {
            0.0
        } else if hazard == f64::INFINITY {
            f64::INFINITY
        } else if self.shape > WILSON_HILFERTY_FROM {
            self.wilson_hilferty(normal_inverse_hazard(hazard))
        } else if hazard < LN_2 {
            self.quantile_of_cdf(-(-hazard).exp_m1(), normal_inverse_hazard(hazard))
        } else {
            self.quantile_of_hazard(hazard, normal_inverse_hazard(hazard))
        }
    }

    /// The x with P(X > x) = `sf`.
    pub(crate) fn quantile_of_sf(self, sf: f64) -> f64 {
        if sf <= 0.0 {
            f64::INFINITY
        } else if sf >= 1.0 {
            0.0
        } else if self.shape > WILSON_HILFERTY_FROM {
            self.wilson_hilferty(normal_quantile_of_sf(sf))
        } else if sf > 0.5 {
            self.quantile_of_cdf(1.0 - sf, normal_quantile_of_sf(sf))
        } else {
            self.quantile_of_hazard(-sf.ln(), normal_quantile_of_sf(sf))
        }
    }

    /// The quantile at the normal quantile `z`, roughly. May be negative for small shapes.
    fn wilson_hilferty(self, z: f64) -> f64 {
        let ninth = 1.0 / (9.0 * self.shape);
        self.shape * (1.0 - ninth + z * ninth.sqrt()).powi(3)
    }

    /// The quantile of `cdf` <= 1/2, by Newton on ln cdf over ln x.
    ///
    /// That function is concave, so from the first step on the iterates come from the left, whatever
    /// the start; and it is a straight line in the far lower tail, where the start is exact.
    fn quantile_of_cdf(self, cdf: f64, z: f64) -> f64 {
        let a = self.shape;
        let ln_cdf = cdf.ln();
        let power_law = (ln_cdf + self.ln_gamma_next) / a;
        let guess = self.wilson_hilferty(z);
        // The power law is a lower bound; Wilson-Hilferty is useless once its cube has lost its sign.
        let mut ln_x = if guess > 0.0 {
            guess.ln().max(power_law)
        } else {
            power_law
        };
        for _ in 0..60 {
            let x = ln_x.exp();
            if x == 0.0 {
                return 0.0;
            }
            let series = self.series(x);
            let step = (self.ln_prefix(x) + series.ln() - ln_cdf) * series / a;
            ln_x -= step;
            // Quadratic convergence: what is left is about a step^2.
            if step * step * (1.0 + a) < 1e-16 {
                break;
            }
        }
        ln_x.exp()
    }

    /// The quantile at `hazard` >= ln 2, by Newton on the cumulative hazard.
    ///
    /// Convex for shapes above 1, concave below: monotone after the first step either way. Steps
    /// that would leave the half-line are cut.
    fn quantile_of_hazard(self, hazard: f64, z: f64) -> f64 {
        let guess = self.wilson_hilferty(z);
        // Below shape 1 the exponential tail dominates; ln x corrections come with the steps.
        let mut x = if self.shape >= 0.5 {
            guess
        } else {
            (hazard + self.shape.ln()).max(1e-3)
        };
        for _ in 0..100 {
            let step = (self.cumulative_hazard(x) - hazard) / self.hazard_rate(x);
            let next = if step < x { x - step } else { 0.25 * x };
            let done = (next - x).abs() <= 1e-9 * x;
            x = next;
            if done {
                break;
            }
        }
        x
    }
}

/// `value`, or a tiny number instead of zero, so that Lentz's recurrences can go on.
fn nonzero(value: f64) -> f64 {
    if value == 0.0 {
        f64::MIN_POSITIVE
    } else {
        value
    }
}

/// ln(1 + m) - m without cancellation, for m > -1.
pub(crate) fn ln_one_plus_minus(m: f64) -> f64 {
    if !(-0.4..=0.6).contains(&m) {
        return m.ln_1p() - m;
    }
    // ln(1 + m) = 2 artanh(t) with t = m / (2 + m), and 2 t - m = -m t.
    let t = m / (2.0 + m);
    let square = t * t;
    let (mut power, mut sum, mut odd) = (2.0 * t * square, 0.0, 3.0);
    loop {
        let next = sum + power / odd;
        if next == sum {
            return sum - m * t;
        }
        sum = next;
        power *= square;
        odd += 2.0;
    }
}

/// ln Gamma(a) minus Stirling's (a - 1/2) ln a - a + ln(2 pi)/2, for a >= 16.
pub(crate) fn ln_gamma_rest(a: f64) -> f64 {
    const COEFFICIENTS: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1_260.0,
        -1.0 / 1_680.0,
        1.0 / 1_188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let step = 1.0 / (a * a);
    COEFFICIENTS
        .iter()
        .rev()
        .fold(0.0, |sum, coefficient| sum * step + coefficient)
        / a
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (shape, x, cumulative hazard) from 50-digit arithmetic.
    #[test]
    fn hazards_and_quantiles_agree_with_multiprecision() {
        for (shape, x, hazard) in REFERENCE {
            let gamma = Gamma::new(shape);
            let found = gamma.cumulative_hazard(x);
            assert!(
                (found / hazard - 1.0).abs() < 1e-12,
                "H({shape}, {x}) = {found}, not {hazard}"
            );
            let back = gamma.inverse_hazard(hazard);
            assert!(
                (back / x - 1.0).abs() < 1e-12,
                "inverse({shape}, {hazard}) = {back}, not {x}"
            );
        }
    }

    const REFERENCE: [(f64, f64, f64); 109] = [
        (0.05, 0.0005, 1.2120908445443996),
        (0.05, 0.015, 1.7841818988162508),
        (0.05, 0.045000000000000005, 2.102198807698796),
        (0.05, 0.04995, 2.1387795983894526),
        (0.05, 0.051000000000000004, 2.1462350042362672),
        (0.05, 0.07500000000000001, 2.2953254402228263),
        (0.05, 0.2, 2.800314986368596),
        (0.05, 1.5, 5.2333550828068995),
        (0.2, 0.002, 0.3770981494529712),
        (0.2, 0.06, 0.9528172833750141),
        (0.2, 0.18000000000000002, 1.3895833825596593),
        (0.2, 0.1998, 1.4452178523197097),
        (0.2, 0.20400000000000001, 1.45669191223281),
        (0.2, 0.30000000000000004, 1.6956866403162474),
        (0.2, 0.8, 2.6339045499291855),
        (0.2, 6.0, 9.068601956825086),
        (0.5, 0.005, 0.08300741217032802),
        (0.5, 0.15, 0.5380556507217004),
        (0.5, 0.45, 1.0706614450589023),
        (0.5, 0.4995, 1.147111806234389),
        (0.5, 0.51, 1.1630899823845118),
        (0.5, 0.75, 1.511080734357216),
        (0.5, 2.0, 3.0900371531220867),
        (0.5, 15.0, 16.95731815812879),
        (0.75, 0.0075, 0.02803035030106229),
        (0.75, 0.22499999999999998, 0.3908361558554208),
        (0.75, 0.675, 0.9647065038843632),
        (0.75, 0.74925, 1.0534908455897787),
        (0.75, 0.765, 1.0721968243814894),
        (0.75, 1.125, 1.4905074231868674),
        (0.75, 3.0, 3.5420181474487618),
        (0.75, 22.5, 23.49226381699879),
        (1.0, 0.01, 0.01),
        (1.0, 0.3, 0.3),
        (1.0, 0.9, 0.9),
        (1.0, 0.999, 0.999),
        (1.0, 1.02, 1.02),
        (1.0, 1.5, 1.5),
        (1.0, 4.0, 4.0),
        (1.0, 30.0, 30.0),
        (1.5, 0.015, 0.0013705439476249743),
        (1.5, 0.44999999999999996, 0.19185347063723712),
        (1.5, 1.35, 0.8204641073589259),
        (1.5, 1.4985, 0.9362691057606087),
        (1.5, 1.53, 0.9611140758264538),
        (1.5, 2.25, 1.5498006609184667),
        (1.5, 6.0, 4.90855347928502),
        (1.5, 45.0, 42.96495492849725),
        (2.5, 0.025, 2.920996660587093e-05),
        (2.5, 0.75, 0.09094293412071676),
        (2.5, 2.25, 0.7342120418339027),
        (2.5, 2.4975, 0.8758911473843551),
        (2.5, 2.55, 0.906839394051244),
        (2.5, 3.75, 1.6818482224166142),
        (2.5, 10.0, 6.684827300476975),
        (2.5, 75.0, 68.78851821693556),
        (4.0, 0.04, 1.033095830486029e-07),
        (4.0, 1.2, 0.03435230999573193),
        (4.0, 3.6, 0.66316883436617),
        (4.0, 3.996, 0.8341303186642831),
        (4.0, 4.08, 0.8722760467460436),
        (4.0, 6.0, 1.8891261358266886),
        (4.0, 16.0, 9.281389503159943),
        (4.0, 120.0, 107.40418182067525),
        (9.0, 0.09, 9.845916486550389e-16),
        (9.0, 2.6999999999999997, 0.0019154608216494103),
        (9.0, 8.1, 0.5471584428587914),
        (9.0, 8.991, 0.7834242552001734),
        (9.0, 9.18, 0.8389026810914957),
        (9.0, 13.5, 2.538364519636312),
        (9.0, 36.0, 17.694482242496814),
        (9.0, 270.0, 235.7872654062086),
        (15.5, 0.155, 4.6962936071880965e-26),
        (15.5, 4.6499999999999995, 5.6387973443672004e-05),
        (15.5, 13.950000000000001, 0.46788938197426305),
        (15.5, 15.4845, 0.7597667975776368),
        (15.5, 15.81, 0.8317015118431702),
        (15.5, 23.25, 3.3121928930224387),
        (15.5, 62.0, 28.433145832209842),
        (15.5, 465.0, 402.44576389999287),
        (16.5, 0.165, 1.2254268658537173e-27),
        (16.5, 4.95, 3.3085959658605944e-05),
        (16.5, 14.85, 0.45853325404165174),
        (16.5, 16.4835, 0.7574381972295916),
        (16.5, 16.830000000000002, 0.8315849544007612),
        (16.5, 24.75, 3.4269771994165215),
        (16.5, 66.0, 30.076196301330707),
        (16.5, 495.0, 428.07536245102796),
        (20.0, 0.2, 3.562628499239534e-33),
        (20.0, 6.0, 5.180182354133406e-06),
        (20.0, 18.0, 0.4293744807407201),
        (20.0, 19.98, 0.7507024482350921),
        (20.0, 20.4, 0.832133476517519),
        (20.0, 30.0, 3.822480863297408),
        (20.0, 80.0, 35.81511484139611),
        (20.0, 600.0, 517.766097925268),
        (250.0, 75.0, 6.878504726604479e-57),
        (250.0, 225.0, 0.05451921547833054),
        (250.0, 249.75, 0.6973600542885953),
        (250.0, 255.0, 0.9976639735622448),
        (250.0, 375.0, 26.64344399538408),
        (250.0, 1000.0, 408.2067966151227),
        (250.0, 7500.0, 6406.748095395811),
        (10000.0, 9000.0, 2.073299202433928e-25),
        (10000.0, 9990.0, 0.6189351472810177),
        (10000.0, 10200.0, 3.759846180932281),
        (10000.0, 15000.0, 950.1804880123547),
        (10000.0, 40000.0, 16143.679162583276),
        (10000.0, 300000.0, 255996.91759982813),
    ];

    #[test]
    fn inverse_returns_to_its_argument_for_every_shape_and_tail() {
        for shape in [
            0.01, 0.1, 0.2, 0.5, 0.9, 1.0, 1.5, 3.0, 10.0, 15.9, 16.1, 100.0, 1e4, 1e6,
        ] {
            let gamma = Gamma::new(shape);
            for hazard in [
                1e-12, 1e-6, 0.01, 0.3, 0.69, 0.7, 1.0, 3.0, 20.0, 300.0, 5000.0,
            ] {
                let x = gamma.inverse_hazard(hazard);
                // Below this the quantile of a tiny shape is smaller than any number.
                if x > 1e-290 {
                    let back = gamma.cumulative_hazard(x);
                    assert!(
                        (back / hazard - 1.0).abs() < 1e-9,
                        "{shape} {hazard}: {back}"
                    );
                }
            }
        }
    }

    #[test]
    fn quantile_of_sf_is_the_inverse_hazard_of_its_logarithm() {
        for shape in [0.3, 2.0, 40.0] {
            for sf in [1e-200, 1e-9, 0.1, 0.5, 0.9, 0.999_999] {
                let gamma = Gamma::new(shape);
                let (one, other) = (gamma.quantile_of_sf(sf), gamma.inverse_hazard(-f64::ln(sf)));
                assert!(
                    (one / other - 1.0).abs() < 1e-10,
                    "{shape} {sf}: {one} {other}"
                );
            }
        }
    }
}
