//! The quantile function Φ⁻¹ of the standard normal.
//!
//! Source: Wichura, "Algorithm AS 241: The percentage points of the normal distribution" (1988), PPND16: three quotients
//! of polynomials of degree 7. One step of Halley's method with Φ of this library makes both inverse to each other.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use super::mills::upper_tail;

/// Coefficients over and under, of rising powers.
pub(crate) type Quotient = ([f64; 8], [f64; 8]);

/// Of q = p - ½, in 0.180625 - q².
#[rustfmt::skip]
pub(crate) const MIDDLE: Quotient = (
    [3.387_132_872_796_366_6, 1.331_416_678_917_843_8e2, 1.971_590_950_306_551_4e3, 1.373_169_376_550_946e4,
     4.592_195_393_154_987e4, 6.726_577_092_700_87e4, 3.343_057_558_358_813e4, 2.509_080_928_730_122_7e3],
    [1.0, 4.231_333_070_160_091e1, 6.871_870_074_920_579e2, 5.394_196_021_424_751e3,
     2.121_379_430_158_659_6e4, 3.930_789_580_009_271e4, 2.872_908_573_572_194_3e4, 5.226_495_278_852_854e3],
);
/// In √(-ln p) - 1.6, for p from e⁻²⁵ on.
#[rustfmt::skip]
pub(crate) const NEAR: Quotient = (
    [1.423_437_110_749_683_6, 4.630_337_846_156_546, 5.769_497_221_460_691, 3.647_848_324_763_204_6,
     1.270_458_252_452_368_4, 2.417_807_251_774_506e-1, 2.272_384_498_926_918_4e-2, 7.745_450_142_783_414e-4],
    [1.0, 2.053_191_626_637_759, 1.676_384_830_183_803_8, 6.897_673_349_851e-1,
     1.481_039_764_274_800_8e-1, 1.519_866_656_361_645_7e-2, 5.475_938_084_995_345e-4, 1.050_750_071_644_416_9e-9],
);
/// In √(-ln p) - 5, below that.
#[rustfmt::skip]
pub(crate) const FAR: Quotient = (
    [6.657_904_643_501_103, 5.463_784_911_164_114, 1.784_826_539_917_291_3, 2.965_605_718_285_048_7e-1,
     2.653_218_952_657_612_4e-2, 1.242_660_947_388_078_4e-3, 2.711_555_568_743_487_6e-5, 2.010_334_399_292_288e-7],
    [1.0, 5.998_322_065_558_88e-1, 1.369_298_809_227_358e-1, 1.487_536_129_085_061_5e-2,
     7.868_691_311_456_133e-4, 1.846_318_317_510_054_8e-5, 1.421_511_758_316_446e-7, 2.044_263_103_389_939_8e-15],
);

fn quotient((over, under): &Quotient, at: f64) -> f64 {
    let value = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * at + c);
    value(over) / value(under)
}

/// The z with Φ(z) = p; ±∞ at 0 and 1, NaN outside of them.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return if p == 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * quotient(&MIDDLE, 0.180_625 - q * q);
    }
    // 1 - p of a p above ½ is exact.
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-tail.ln()).sqrt();
    let z = if r <= 5.0 { quotient(&NEAR, r - 1.6) } else { quotient(&FAR, r - 5.0) };
    // Of subnormal numbers the ratio has no more digits than the first approximation.
    let step = if tail > 1e-300 { refined(z, tail) } else { 0.0 };
    (z + step).copysign(q)
}

/// Halley's step for Q(z) = tail, in the form of a relative error of the tail.
fn refined(z: f64, tail: f64) -> f64 {
    let q = if z > 1.0 { upper_tail(z) } else { 0.5 * libm::erfc(z * FRAC_1_SQRT_2) };
    let density = (-0.5 * z * z).exp() / TAU.sqrt();
    let newton = (q - tail) / density;
    newton / (1.0 - 0.5 * z * newton)
}

#[cfg(test)]
mod tests {
    use super::normal_quantile;

    /// p and Φ⁻¹(p), to 40 digits with mpmath 1.3: the root of Φ(z) = p for the double p.
    #[rustfmt::skip]
    const KNOWN: &[(f64, f64)] = &[
        (5e-324, -38.467405617144344), (1e-310, -37.663060331949524), (2.2250738585072014e-308, -37.5193793471445),
        (1e-300, -37.0470962993612), (1e-200, -30.20559417957964), (1e-100, -21.273453560965326),
        (1e-50, -14.933337534788489), (1e-20, -9.262340089798407), (1.3e-11, -6.667611456510741),
        (1e-10, -6.361340902404057), (1e-05, -4.264890793922825), (0.001, -3.0902323061678136),
        (0.02, -2.053748910631823), (0.0749, -1.4402382675279637), (0.075, -1.439531470938456),
        (0.0751, -1.43882539275254), (0.1, -1.2815515655446004), (0.25, -0.6744897501960817),
        (0.3, -0.5244005127080408), (0.49, -0.025068908258711057), (0.4999999, -2.5066282747031063e-07),
        (0.5000001, 2.506628273311648e-07), (0.51, 0.025068908258711057), (0.7, 0.5244005127080407),
        (0.9, 1.2815515655446006), (0.9249, 1.4388253927525403), (0.92501, 1.4396021182393162),
        (0.97, 1.8807936081512506), (0.999, 3.090232306167813), (0.9999999, 5.199337582290661),
        (0.9999999999999999, 8.209536151601387),
    ];

    #[test]
    fn quantiles_have_all_digits() {
        for (p, z) in KNOWN {
            let found = normal_quantile(*p);
            assert!((found / z - 1.0).abs() < 4e-16, "{p}: {found} instead of {z}");
        }
        assert_eq!(normal_quantile(0.5), 0.0);
        assert_eq!([0.0, 1.0].map(normal_quantile), [f64::NEG_INFINITY, f64::INFINITY]);
        assert!([-1e-9, 1.0 + 1e-9, f64::NAN].map(normal_quantile).iter().all(|z| z.is_nan()));
    }
}
