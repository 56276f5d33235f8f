//! The standard normal distribution: survival function, cumulative hazard and their inverses.

use std::f64::consts::{LN_2, TAU};

/// -ln P(Z > z).
pub(crate) fn normal_cumulative_hazard(z: f64) -> f64 {
    if z < -CENTRE {
        // P(Z <= z), which is below a quarter here, so nothing cancels.
        -f64::ln_1p(-(tail_ratio(-z).ln() - 0.5 * z * z).exp())
    } else if z < CENTRE {
        -(0.5 - from_median(z)).ln()
    } else {
        0.5 * z * z - tail_ratio(z).ln()
    }
}

/// The upper quartile of the normal law, where the two approximations meet.
const CENTRE: f64 = 0.674_489_75;

/// P(0 < Z <= z) for z within the quartiles.
///
/// # Source
/// Cody, Rational Chebyshev approximation for the error function, Mathematics of Computation 23
/// (1969) 631-637, in the normal scaling; as is the first half of [`tail_ratio`].
fn from_median(z: f64) -> f64 {
    let square = z * z;
    z * (horner(&BODY_ABOVE, square) / horner(&BODY_BELOW, square))
}

/// P(Z > z) / exp(-z^2/2) for z beyond the upper quartile.
///
/// The error function of `statrs` is not used: at z = 3 its tail is wrong in the eleventh digit.
fn tail_ratio(z: f64) -> f64 {
    if z < 5.6 {
        return horner(&FLANK_ABOVE, z) / horner(&FLANK_BELOW, z);
    }
    // Mills' ratio as Laplace's continued fraction 1/(z + 1/(z + 2/(z + 3/...))); twenty terms leave
    // an error of 1e-16 at z = 5.6.
    let mills = 1.0 / (1..=20).rev().fold(z, |below, k| z + f64::from(k) / below);
    mills / TAU.sqrt()
}

/// The z with -ln P(Z > z) = `hazard`; minus infinity at 0.
pub(crate) fn normal_inverse_hazard(hazard: f64) -> f64 {
    // The lower tail is at most 2^-1 up to ln 2, then the upper one is.
    if hazard <= LN_2 {
        let cdf = -(-hazard).exp_m1();
        if cdf <= 0.0 {
            f64::NEG_INFINITY
        } else {
            -upper_point(cdf, || -cdf.ln())
        }
    } else if hazard == f64::INFINITY {
        f64::INFINITY
    } else if hazard < 700.0 {
        upper_point((-hazard).exp(), || hazard)
    } else {
        // Beyond the range of the rational approximation. Newton on the hazard, whose slope is
        // z + 1/z to 1e-6 here; the hazard is convex, so the steps approach from above.
        let mut z = (2.0 * hazard).sqrt();
        for _ in 0..6 {
            z -= (normal_cumulative_hazard(z) - hazard) / (z + 1.0 / z);
        }
        z
    }
}

/// The z with P(Z > z) = `sf`, for `sf` between 0 and 1.
pub(crate) fn normal_quantile_of_sf(sf: f64) -> f64 {
    if sf <= 0.5 {
        if sf <= 0.0 {
            f64::INFINITY
        } else {
            upper_point(sf, || -sf.ln())
        }
    } else {
        // Exact: 1 - sf has no more digits than sf for sf in [1/2, 1].
        let cdf = 1.0 - sf;
        if cdf <= 0.0 {
            f64::NEG_INFINITY
        } else {
            -upper_point(cdf, || -cdf.ln())
        }
    }
}

/// The z >= 0 that is exceeded with probability `tail` <= 1/2; `hazard` gives -ln(tail) if needed.
///
/// # Source
/// Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988) 477-484; relative error 1e-16.
#[inline]
fn upper_point(tail: f64, hazard: impl FnOnce() -> f64) -> f64 {
    let from_half = 0.5 - tail;
    if from_half <= 0.425 {
        let r = 0.180_625 - from_half * from_half;
        return from_half * (horner(&CENTRE_ABOVE, r) / horner(&CENTRE_BELOW, r));
    }
    let r = hazard().sqrt();
    if r <= 5.0 {
        horner(&TAIL_ABOVE, r - 1.6) / horner(&TAIL_BELOW, r - 1.6)
    } else {
        horner(&FAR_ABOVE, r - 5.0) / horner(&FAR_BELOW, r - 5.0)
    }
}

/// The polynomial with `coefficients[i]` for the power i.
#[inline]
fn horner<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    coefficients
        .iter()
        .rev()
        .fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const BODY_ABOVE: [f64; 5] = [
    18_154.981_253_343_56,
    1_067.689_485_460_371,
    161.028_231_068_555_88,
    2.235_252_035_460_684,
    0.065_682_337_918_207_45,
];
const BODY_BELOW: [f64; 5] = [
    45_507.789_335_026_73,
    10_260.932_208_618_979,
    976.098_551_737_776_7,
    47.202_581_904_688_24,
    1.0,
];
const FLANK_ABOVE: [f64; 9] = [
    9_842.714_838_383_978,
    11_602.651_437_647_35,
    6_848.190_450_536_282,
    2_494.537_585_290_372_6,
    597.270_276_394_800_3,
    93.506_656_132_177_85,
    8.883_149_794_388_377,
    0.398_941_512_088_134_66,
    1.076_557_677_372_019_2e-8,
];
const FLANK_BELOW: [f64; 9] = [
    19_685.429_676_859_992,
    38_912.003_286_093_27,
    34_900.952_721_145_98,
    18_615.571_640_885_097,
    6_485.558_298_266_761,
    1_519.377_599_407_554_8,
    235.387_901_782_625,
    22.266_688_044_328_117,
    1.0,
];
const CENTRE_ABOVE: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_BELOW: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_545,
];
const TAIL_ABOVE: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    0.000_774_545_014_278_341_4,
];
const TAIL_BELOW: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    0.000_547_593_808_499_534_5,
    1.050_750_071_644_416_9e-9,
];
const FAR_ABOVE: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    0.000_027_115_555_687_434_876,
    2.010_334_399_292_288_1e-7,
];
const FAR_BELOW: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    0.000_786_869_131_145_613_2,
    0.000_018_463_183_175_100_547,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference values from 50-digit arithmetic.
    #[test]
    fn hazards_agree_with_multiprecision_from_tail_to_tail() {
        for (z, hazard) in REFERENCE {
            let found = normal_cumulative_hazard(z);
            assert!(
                (found / hazard - 1.0).abs() < 1e-13,
                "H({z}) = {found}, not {hazard}"
            );
            let back = normal_inverse_hazard(hazard);
            assert!(
                (back - z).abs() < 2e-15 * z.abs().max(1.0) * 4.0,
                "{back}, not {z}"
            );
        }
    }

    const REFERENCE: [(f64, f64); 18] = [
        (-30.0, 4.906713927148187e-198),
        (-8.5, 9.479534822203318e-18),
        (-3.0, 0.0013508099647481938),
        (-1.0, 0.17275377902344988),
        (-0.25, 0.5129840754094305),
        (0.0, LN_2),
        (0.5, 1.1759117615936185),
        (1.25, 2.247625677214318),
        (1.8, 3.3261737963785936),
        (2.5, 5.08164827727869),
        (5.0, 15.064998393988725),
        (7.5, 31.075890902890002),
        (11.9, 74.2074180512483),
        (12.1, 76.62386124251323),
        (20.0, 203.91715537109727),
        (37.0, 689.0305855768906),
        (60.0, 1805.0135606805673),
        (300.0, 45006.62273211866),
    ];

    #[test]
    fn quantiles_of_either_tail_mirror_each_other() {
        for sf in [1e-300, 1e-20, 1e-6, 0.02, 0.075, 0.2, 0.499] {
            let z = normal_quantile_of_sf(sf);
            let hazard = normal_cumulative_hazard(z);
            assert!((hazard / -sf.ln() - 1.0).abs() < 4e-15, "{sf}: {hazard}");
            assert!((normal_inverse_hazard(-sf.ln()) - z).abs() < 1e-13 * z);
        }
        assert_eq!(normal_quantile_of_sf(0.5), 0.0);
        assert_eq!(normal_quantile_of_sf(0.75), -normal_quantile_of_sf(0.25));
    }
}
