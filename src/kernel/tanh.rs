//! tanh, which together with the matrix products takes most of the time of a training step.
//!
//! With m = |a|, tanh m is m + m³·P(m²) up to [`HyperbolicTangent::turn`], and 1 - 2/(e²ᵐ + 1) beyond. There
//! the result is above ½ and errors of the exponential are damped (an error of 1 ulp becomes ⅜), so a simple
//! exponential without a split ln 2 is enough. Below, there is neither an exponential nor a quotient, so no
//! digits are lost. Both branches are computed in every lane: evaluating P costs less than computing e²ᵐ - 1
//! accurately.

use pulp::Simd;

use super::elementwise::Function;
use super::real::Real;
use super::vector::Vector;

/// Constants of tanh for a number type.
#[derive(Debug)]
pub struct HyperbolicTangent<F: 'static> {
    /// The threshold between the two formulas, just above artanh ½.
    pub(super) turn: F,
    /// Coefficients of P: minimax relative error of m + m³·P(m²) against tanh m below the threshold (Remez).
    near: &'static [F],
    /// Coefficients of e²ʰ on |h| ≤ 0.25015·ln 2: minimax relative error with the first terms fixed to 1 + 2h
    /// (Remez).
    exp_of_twice: &'static [F],
    /// Above this, tanh rounds to 1.
    beyond: F,
    two_log2_e: F,
    half_ln_2: F,
}

pub(super) const OF_F64: HyperbolicTangent<f64> = HyperbolicTangent {
    turn: 0.55,
    // Minimax error 2^-60.6; 2^-58.7 with these rounded coefficients.
    near: &[
        -0.333333333333333,
        0.13333333333326686,
        -0.053968253963791166,
        0.021869488386591755,
        -0.00886323261193224,
        0.0035920921248297527,
        -0.0014555433966433598,
        0.0005884465680212072,
        -0.00023338648177022807,
        8.332304333974988e-05,
        -1.9498525289251734e-05,
    ],
    // Minimax error 2^-57.9; 2^-56.3 with these rounded coefficients.
    exp_of_twice: &[
        1.0,
        2.0,
        2.0000000000000044,
        1.3333333333333128,
        0.6666666666644747,
        0.26666666667184213,
        0.0888888892402032,
        0.025396824967201075,
        0.00634918218809335,
        0.001410948448427266,
        0.0002829344510315379,
        5.120002530491869e-05,
    ],
    beyond: 20.0,
    two_log2_e: 2.0 * std::f64::consts::LOG2_E,
    half_ln_2: 0.5 * std::f64::consts::LN_2,
};

pub(super) const OF_F32: HyperbolicTangent<f32> = HyperbolicTangent {
    turn: 0.55,
    // Minimax error 2^-29.8; 2^-27.7 with these rounded coefficients.
    near: &[-0.33333316, 0.13332587, -0.05385242, 0.021072073, -0.006274741],
    // Minimax error 2^-28.3; 2^-27.7 with these rounded coefficients.
    exp_of_twice: &[1.0, 2.0, 1.9999998, 1.3333216, 0.6666943, 0.26780003, 0.08841311],
    beyond: 10.0,
    two_log2_e: 2.0 * std::f32::consts::LOG2_E,
    half_ln_2: 0.5 * std::f32::consts::LN_2,
};

/// tanh a, with an error of at most 2 ulp.
#[derive(Clone, Copy, Debug)]
pub struct Tanh;

impl Function for Tanh {
    #[inline(always)]
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> Vector<S, F> {
        let of = F::HYPERBOLIC_TANGENT;
        let m = a.abs();
        let near = near_zero(m);
        // 2m = k·ln 2 + 2h with an integer k.
        let within = m.at_most(of.beyond);
        let shift = a.like(F::EXPONENTIAL.shift);
        let shifted = within.mul_add(a.like(of.two_log2_e), shift);
        let h = (shifted - shift).mul_add(a.like(-of.half_ln_2), within);
        let e = h.polynomial(of.exp_of_twice).times_power_of_two(shifted);
        let far = a.like(F::ONE) - a.like(F::TWO) / (e + F::ONE);
        // NaN takes the near formula: adding exponent bits to a NaN could make it a number.
        a.like(of.turn).less_eq(m).select(far, near).with_sign_of(a)
    }
}

/// Computes tanh m for 0 ≤ m up to [`HyperbolicTangent::turn`].
#[inline(always)]
pub(super) fn near_zero<S: Simd, F: Real>(m: Vector<S, F>) -> Vector<S, F> {
    let square = m * m;
    (square * m).mul_add(square.polynomial(F::HYPERBOLIC_TANGENT.near), m)
}
