//! erf, Φ, ln Φ, φ/Φ and Φ⁻¹ in ONNX, right in both tails.
//!
//! All but Φ⁻¹ come from w(t) = e^(t²)·erfc(t) for t ≥ 0, which neither under- nor overflows: of three pieces by their
//! rational approximations, and beyond 28 of the asymptotic series.
//!
//! Sources: the coefficients of erf and erfc are those of FreeBSD's `s_erf.c` (Sun Microsystems, 1993, "Permission to use,
//! copy, modify, and distribute this software is freely granted, provided that this notice is preserved"); those of Φ⁻¹ are
//! Wichura's (`numeric/quantile.rs`); the series: Abramowitz and Stegun (1964), 7.1.23.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI, TAU};

use super::elementary::{ln_1p, polynomial};
use super::value::Value;
use crate::numeric::quantile::{FAR, MIDDLE, NEAR, Quotient};

const ERX: f64 = 8.450_629_115_104_675e-1;
/// Of erf near 0: over and under, of rising powers of t².
#[rustfmt::skip]
const PP: [f64; 5] = [
    0.128_379_167_095_512_56, -0.325_042_107_247_001_5, -0.028_481_749_575_598_51, -0.005_770_270_296_489_442,
    -2.376_301_665_665_016_3e-05,
];
#[rustfmt::skip]
const QQ: [f64; 6] = [
    1.0, 0.397_917_223_959_155_35, 0.065_022_249_988_767_3, 0.005_081_306_281_875_766,
    0.000_132_494_738_004_321_64, -3.960_228_278_775_368e-06,
];
/// Of erf - ERX in t - 1, up to 1.25.
#[rustfmt::skip]
const PA: [f64; 7] = [
    -0.002_362_118_560_752_659_4, 0.414_856_118_683_748_33, -0.372_207_876_035_701_3, 0.318_346_619_901_161_75,
    -0.110_894_694_282_396_68, 0.035_478_304_325_618_236, -0.002_166_375_594_868_791,
];
#[rustfmt::skip]
const QA: [f64; 7] = [
    1.0, 0.106_420_880_400_844_23, 0.540_397_917_702_171, 0.071_828_654_414_196_27,
    0.126_171_219_808_761_64, 0.013_637_083_912_029_05, 0.011_984_499_846_799_107,
];
/// Of ln(t·erfc(t)) + t² + 0.5625 in 1/t², from 1.25 on.
#[rustfmt::skip]
const RA: [f64; 8] = [
    -0.009_864_944_034_847_148, -0.693_858_572_707_181_8, -10.558_626_225_323_291, -62.375_332_450_326_006,
    -162.396_669_462_573_47, -184.605_092_906_711_04, -81.287_435_506_306_6, -9.814_329_344_169_145,
];
#[rustfmt::skip]
const SA: [f64; 9] = [
    1.0, 19.651_271_667_439_257, 137.657_754_143_519_04, 434.565_877_475_229_23,
    645.387_271_733_267_9, 429.008_140_027_567_83, 108.635_005_541_779_44, 6.570_249_770_319_282,
    -0.060_424_415_214_858_1,
];
/// The same from 1/0.35 on.
#[rustfmt::skip]
const RB: [f64; 7] = [
    -0.009_864_942_924_700_1, -0.799_283_237_680_523, -17.757_954_917_754_752, -160.636_384_855_821_92,
    -637.566_443_368_389_6, -1_025.095_131_611_077_2, -483.519_191_608_651_4,
];
#[rustfmt::skip]
const SB: [f64; 8] = [
    1.0, 30.338_060_743_482_46, 325.792_512_996_573_9, 1_536.729_586_084_437,
    3_199.858_219_508_595_5, 2_553.050_406_433_164_4, 474.528_541_206_955_37, -22.440_952_446_585_82,
];

/// Where the pieces of the approximations meet.
const PIECES: [f64; 4] = [0.84375, 1.25, 1.0 / 0.35, 28.0];

fn quotient<'g>(at: Value<'g>, over: &[f64], under: &[f64]) -> Value<'g> {
    polynomial(at, over) / polynomial(at, under)
}

/// erf on [0, 0.84375).
fn near<'g>(t: Value<'g>) -> Value<'g> {
    t + t * quotient(t * t, &PP, &QQ)
}

/// e^(t²)·erfc(t) for t ≥ 0.
fn scaled_erfc(t: Value<'_>) -> Value<'_> {
    t.graph.call("scaled_erfc", [t], |[t]| {
        let square = t * t;
        let middle = 1.0 - ERX - quotient(t - 1.0, &PA, &QA);
        let plain = t.lt(PIECES[0]).select(1.0 - near(t), middle) * square.exp();
        let s = square.recip();
        let exponent = t.lt(PIECES[2]).select(quotient(s, &RA, &SA), quotient(s, &RB, &SB));
        let far = (exponent - 0.5625).exp() / t;
        // 1/(t√π)·(1 - s/2 + 3s²/4 - …)
        let series = polynomial(s, &[1.0, -0.5, 0.75, -1.875, 6.5625, -29.53125, 162.421875]);
        let farther = 0.5 * FRAC_2_SQRT_PI * (series / t);
        t.lt(PIECES[1]).select(plain, t.lt(PIECES[3]).select(far, farther))
    })
}

/// e^(-a²/2), with the square formed in two parts: rounding it would cost a²/2 units.
fn bell(a: Value<'_>) -> Value<'_> {
    a.graph.call("bell", [a], |[a]| {
        // Beyond it is 0; the parts of ∞ would make NaN.
        let m = a.abs().min(100.0);
        // Of few bits: its square is exact.
        let high = 0.0625 * (16.0 * m).floor();
        (-0.5 * (high * high)).exp() * (-0.5 * ((m - high) * (m + high))).exp()
    })
}

/// erf a
pub(super) fn erf(a: Value<'_>) -> Value<'_> {
    let m = a.abs();
    // Beyond 6 it is 1.
    let far = m.min(6.0);
    let tail = (-(far * far)).exp() * scaled_erfc(far);
    m.lt(PIECES[0]).select(near(m), 1.0 - tail) * a.sign()
}

/// Φ(-|a|)
fn lower(a: Value<'_>) -> Value<'_> {
    a.graph.call("lower_tail", [a], |[a]| 0.5 * (bell(a) * scaled_erfc(a.abs() * FRAC_1_SQRT_2)))
}

/// Φ(a)
pub(super) fn normal_cdf(a: Value<'_>) -> Value<'_> {
    let tail = lower(a);
    a.gt(0.0).select(1.0 - tail, tail)
}

/// ln Φ(a): below 0 it is -a²/2 + ln ½w, so that nothing underflows.
pub(super) fn ln_normal_cdf(a: Value<'_>) -> Value<'_> {
    let below = (0.5 * scaled_erfc(a.abs() * FRAC_1_SQRT_2)).ln() - 0.5 * (a * a);
    a.gt(0.0).select(ln_1p(-lower(a)), below)
}

/// φ(a)/Φ(a): below 0 it is √(2/π)/w.
pub(super) fn inverse_mills(a: Value<'_>) -> Value<'_> {
    let infinite = a.eq(f64::NEG_INFINITY);
    let below = (2.0 / PI).sqrt() / scaled_erfc(a.abs() * FRAC_1_SQRT_2);
    let above = (1.0 / TAU.sqrt()) * bell(a) / (1.0 - lower(a));
    let all = a.gt(0.0).select(above, below);
    infinite.select(a.abs(), all)
}

/// Φ⁻¹(p): three quotients of polynomials; ±∞ at 0 and 1, NaN outside of them.
pub(super) fn normal_quantile(p: Value<'_>) -> Value<'_> {
    let of = |(over, under): &Quotient, at| quotient(at, over, under);
    let q = p - 0.5;
    let middle = q * of(&MIDDLE, 0.180_625 - q * q);
    let tail = q.lt(0.0).select(p, 1.0 - p);
    let r = (-tail.ln()).sqrt();
    let far = r.le(5.0).select(of(&NEAR, r - 1.6), of(&FAR, r - 5.0));
    let infinite = p.graph.number_of(p.kind, f64::INFINITY);
    let far = tail.eq(0.0).select(infinite, far) * q.sign();
    q.abs().le(0.425).select(middle, far)
}
