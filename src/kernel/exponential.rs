//! eᵃ and eᵃ - 1.
//!
//! Argument reduction: a = k·ln 2 + r with an integer k and |r| ≤ ½ ln 2. Then eᵃ = 2ᵏ·eʳ, where
//! eʳ = 1 + r + r²·Q(r) with a polynomial Q, and 2ᵏ is built from its exponent bits. ln 2 is split in two;
//! the first part has so few bits that k times it is exact, so that r is accurate to its last digit (Cody and
//! Waite, "Software Manual for the Elementary Functions", 1980, chapter 6).

use pulp::Simd;

use super::elementwise::Function;
use super::real::Real;
use super::vector::Vector;

/// Constants of the exponential for a number type.
#[derive(Debug)]
pub struct Exponential<F: 'static> {
    pub(super) log2_e: F,
    /// 1.5 times 2 to the number of mantissa bits: adding it rounds to an integer, which is then in the
    /// lowest bits.
    pub(super) shift: F,
    pub(super) ln_2_high: F,
    pub(super) ln_2_low: F,
    /// Coefficients of Q: minimax relative error of r + r²·Q(r) against eʳ - 1 on |r| ≤ 0.50025·ln 2 (Remez).
    pub(super) tail: &'static [F],
    /// The exponential of this is ∞, that of its negative is 0.
    pub(super) beyond: F,
}

pub(super) const OF_F64: Exponential<f64> = Exponential {
    log2_e: std::f64::consts::LOG2_E,
    shift: 1.5 * (1_u64 << 52) as f64,
    // 42 bits, so that the product with a k of 11 bits is exact.
    ln_2_high: 0.6931471805598903,
    ln_2_low: 5.497923018708371e-14,
    // Minimax error 2^-61.7; 2^-60.7 with these rounded coefficients.
    tail: &[
        0.5,
        0.16666666666666677,
        0.0416666666666667,
        0.008333333333321579,
        0.0013888888888866744,
        0.00019841269886266449,
        2.4801587360757367e-05,
        2.7557244061860046e-06,
        2.7557242578494875e-07,
        2.5109090403946266e-08,
        2.092450125480476e-09,
    ],
    beyond: 800.0,
};

pub(super) const OF_F32: Exponential<f32> = Exponential {
    log2_e: std::f32::consts::LOG2_E,
    shift: 1.5 * (1_u32 << 23) as f32,
    // 15 bits, for a k of 8 bits.
    ln_2_high: 0.69314575,
    ln_2_low: 1.4286068e-06,
    // Minimax error 2^-32.0; 2^-28.7 with these rounded coefficients.
    tail: &[0.5, 0.16666667, 0.041666355, 0.008333273, 0.001394105, 0.00019914229],
    beyond: 150.0,
};

/// eᵃ, with an error of at most 1 ulp.
#[derive(Clone, Copy, Debug)]
pub struct Exp;

impl Function for Exp {
    #[inline(always)]
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> Vector<S, F> {
        let beyond = F::EXPONENTIAL.beyond;
        exp_within(a.at_most(beyond).at_least(-beyond))
    }
}

/// eᵃ - 1 without cancellation at 0, with an error of at most 2 ulp.
#[derive(Clone, Copy, Debug)]
pub struct ExpM1;

impl Function for ExpM1 {
    #[inline(always)]
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> Vector<S, F> {
        let beyond = F::EXPONENTIAL.beyond;
        let reduced = Reduced::new(a.at_most(beyond).at_least(-beyond));
        // In two steps, of which the first neither overflows nor underflows; for k = 0 it is exact in r, down
        // to the smallest numbers. Only the sign of a zero is lost.
        let [up, down] = reduced.shifted.powers_of_two();
        let [large, small] = reduced.exp_m1(up, up - down.inverse_power());
        ((large + small) * down).with_sign_of(a)
    }
}

/// Computes eᵃ for |a| ≤ [`Exponential::beyond`] or NaN.
#[inline(always)]
pub(super) fn exp_within<S: Simd, F: Real>(a: Vector<S, F>) -> Vector<S, F> {
    let [e, down] = exp_in_two(a);
    e * down
}

/// Computes two factors of eᵃ for |a| ≤ [`Exponential::beyond`] or NaN: a normal number and a power of two,
/// so that a subnormal result is rounded once, by the last product.
#[inline(always)]
pub(super) fn exp_in_two<S: Simd, F: Real>(a: Vector<S, F>) -> [Vector<S, F>; 2] {
    let of = F::EXPONENTIAL;
    let shifted = a.mul_add(a.like(of.log2_e), a.like(of.shift));
    let k = shifted - of.shift;
    let r = k.mul_add(a.like(-of.ln_2_high), a);
    let r = k.mul_add(a.like(-of.ln_2_low), r);
    let one_plus = r + F::ONE;
    let lost = r - (one_plus - F::ONE);
    let e = one_plus + (r * r).mul_add(r.polynomial(of.tail), lost);
    let [up, down] = shifted.powers_of_two();
    [e * up, down]
}

/// The argument reduction a = k·ln 2 + r, prepared for eᵃ - 1.
struct Reduced<S: Simd, F: Real> {
    /// k + [`Exponential::shift`]
    shifted: Vector<S, F>,
    r: Vector<S, F>,
    /// eʳ - 1 - r, plus the rounding error of r.
    rest: Vector<S, F>,
}

impl<S: Simd, F: Real> Reduced<S, F> {
    /// Reduces a, for |a| ≤ [`Exponential::beyond`] or NaN.
    #[inline(always)]
    fn new(a: Vector<S, F>) -> Reduced<S, F> {
        let of = F::EXPONENTIAL;
        let shifted = a.mul_add(a.like(of.log2_e), a.like(of.shift));
        let k = shifted - of.shift;
        let high = k.mul_add(a.like(-of.ln_2_high), a);
        let low = k * of.ln_2_low;
        let r = high - low;
        let lost = (high - r) - low;
        Reduced { shifted, r, rest: (r * r).mul_add(r.polynomial(of.tail), lost) }
    }

    /// Returns power·(eʳ - 1) + `less_one` as the sum of a large and a small part. r enters the large one,
    /// where the cancellation for k = 1 is exact.
    #[inline(always)]
    fn exp_m1(self, power: Vector<S, F>, less_one: Vector<S, F>) -> [Vector<S, F>; 2] {
        [power.mul_add(self.r, less_one), power * self.rest]
    }
}
