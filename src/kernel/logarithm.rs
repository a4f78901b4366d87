//! ln a and ln(1 + a).
//!
//! a = m·2ᵏ with √½ ≤ m < √2, and ln a = k·ln 2 + ln(1 + f) with f = m - 1. With s = f/(2 + f), ln(1 + f) = 2
//! artanh s = f - (f²/2 - s·(f²/2 + s²·L(s²))), of which only the small last term has more than one rounding;
//! L is a polynomial.

use pulp::Simd;

use super::elementwise::Function;
use super::real::Real;
use super::vector::Vector;

/// Constants of the logarithm for a number type.
#[derive(Debug)]
pub struct Logarithm<F: 'static> {
    /// Coefficients of L(z) ≈ (2 artanh s - 2s)/(s·z) with z = s²: minimax relative error of 2s + s·z·L(z)
    /// against 2 artanh s on 0 ≤ z ≤ 0.02947, slightly beyond (√2 - 1)²/(√2 + 1)² (Remez).
    pub(super) tail: &'static [F],
    pub(super) least_normal: F,
    /// Two to the power `lift_exponent`: scales all subnormal numbers to normal ones.
    pub(super) lift: F,
    pub(super) lift_exponent: F,
    /// √2 - 1
    pub(super) root_2_less_1: F,
    /// Adding 1 to a number of this exponent has no effect, and two to its negative is normal.
    pub(super) large_exponent: F,
}

pub(super) const OF_F64: Logarithm<f64> = Logarithm {
    // Minimax error 2^-59.5; 2^-59.1 with these rounded coefficients.
    tail: &[
        0.6666666666666735,
        0.3999999999941109,
        0.2857142874326393,
        0.22222198475824748,
        0.1818356974868638,
        0.15313903015358185,
        0.14797510056010874,
    ],
    least_normal: f64::MIN_POSITIVE,
    lift: (1_u64 << 54) as f64,
    lift_exponent: 54.0,
    root_2_less_1: std::f64::consts::SQRT_2 - 1.0,
    large_exponent: 1000.0,
};

pub(super) const OF_F32: Logarithm<f32> = Logarithm {
    // Minimax error 2^-30.2; 2^-30.0 with these rounded coefficients.
    tail: &[0.66666776, 0.39977494, 0.29873094],
    least_normal: f32::MIN_POSITIVE,
    lift: (1_u32 << 25) as f32,
    lift_exponent: 25.0,
    root_2_less_1: std::f32::consts::SQRT_2 - 1.0,
    large_exponent: 100.0,
};

/// ln a, with an error of at most 1 ulp; -∞ at 0 and NaN below.
#[derive(Clone, Copy, Debug)]
pub struct Ln;

impl Function for Ln {
    #[inline(always)]
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> Vector<S, F> {
        let of = F::LOGARITHM;
        let small = a.less(a.like(of.least_normal));
        let [m, k] = small.select(a * of.lift, a).mantissa_and_exponent();
        let k = small.select(k - of.lift_exponent, k);
        let value = ln_of_parts(m - F::ONE, k, k * F::EXPONENTIAL.ln_2_low);
        within_domain(a, value)
    }
}

/// ln(1 + a) without cancellation at 0, with an error of at most 1 ulp; -∞ at -1 and NaN below.
#[derive(Clone, Copy, Debug)]
pub struct Ln1p;

impl Function for Ln1p {
    #[inline(always)]
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> Vector<S, F> {
        let of = F::LOGARITHM;
        // 1 + a = `one_plus` + `lost` exactly (Knuth's two-sum).
        let one_plus = a + F::ONE;
        let a_part = one_plus - F::ONE;
        let lost = (a - a_part) - ((one_plus - a_part) - F::ONE);
        let [m, k] = one_plus.mantissa_and_exponent();
        let f = m - F::ONE;
        // Scale the rounding error to f and correct the logarithm to first order: the derivative 1/(1 + f) is
        // needed to a few percent only, and exactly at f = 0.
        let scale = (-k.at_most(of.large_exponent) + F::EXPONENTIAL.shift).power_of_two();
        let correction = lost * scale * ((f - F::ONE) * f + F::ONE);
        let low = k.mul_add(a.like(F::EXPONENTIAL.ln_2_low), correction);
        // Restores the sign of a zero.
        within_domain(one_plus, ln_of_parts(f, k, low)).with_sign_of(a)
    }
}

/// Computes ln((1 + f)·2ᵏ), where `low` is a small correction of the order of the low part of k·ln 2.
#[inline(always)]
pub(super) fn ln_of_parts<S: Simd, F: Real>(
    f: Vector<S, F>,
    k: Vector<S, F>,
    low: Vector<S, F>,
) -> Vector<S, F> {
    let half_square = f * F::HALF * f;
    let s = f / (f + F::TWO);
    let z = s * s;
    let bracket = z.mul_add(z.polynomial(F::LOGARITHM.tail), half_square);
    let rest = half_square - s.mul_add(bracket, low);
    k.mul_add(f.like(F::EXPONENTIAL.ln_2_high), f - rest)
}

/// Returns `value` where 0 < a < ∞, and the limits of ln at 0, below, at ∞ and at NaN elsewhere.
#[inline(always)]
fn within_domain<S: Simd, F: Real>(a: Vector<S, F>, value: Vector<S, F>) -> Vector<S, F> {
    let zero = a.like(F::ZERO);
    let outside = a.equal(zero).select(a.like(-F::INFINITY), a.like(F::NAN));
    let value = a.less(a.like(F::INFINITY)).select(value, a);
    zero.less(a).select(value, outside)
}
