//! Sigmoid, softplus and ln(eᵃ + eᵇ), computed from the exponential, each with an error of at most 2 ulp.

use pulp::Simd;

use super::elementwise::{Function, Operation};
use super::exponential::exp_within;
use super::logarithm::ln_of_parts;
use super::real::Real;
use super::vector::Vector;

/// 1/(1 + e⁻ᵃ). With e = exp(-|a|) it is q = e/(1 + e) below 0 and 1 - q above, accurate in both tails.
#[derive(Clone, Copy, Debug)]
pub struct Sigmoid;

impl Function for Sigmoid {
    #[inline(always)]
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> Vector<S, F> {
        let e = exp_of_minus_abs(a);
        let denominator = e + F::ONE;
        let lost = e - (denominator - F::ONE);
        let q = e / denominator;
        // First-order correction for the rounding error of 1 + e: q·(1 - lost/(1 + e)), with 1/(1 + e) = 1 - q.
        let q = (q * lost).mul_add(q - F::ONE, q);
        a.less(a.like(F::ZERO)).select(q, -(q - F::ONE))
    }
}

/// ln(1 + eᵃ) = max(a, 0) + ln(1 + exp(-|a|)).
#[derive(Clone, Copy, Debug)]
pub struct Softplus;

impl Function for Softplus {
    #[inline(always)]
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> Vector<S, F> {
        ln_of_one_plus_exp_of_minus_abs(a) + a.at_least(F::ZERO)
    }
}

/// ln(eᵃ + eᵇ) = max(a, b) + ln(1 + exp(-|a - b|)).
#[derive(Clone, Copy, Debug)]
pub struct LogAddExp;

impl Operation for LogAddExp {
    #[inline(always)]
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>, b: Vector<S, F>) -> Vector<S, F> {
        // Two equal infinities have no difference.
        let difference = a - b;
        let apart = a.less_eq(b).select(b.less_eq(a).select(a.like(F::ZERO), difference), difference);
        ln_of_one_plus_exp_of_minus_abs(apart) + a.less(b).select(b, a)
    }
}

/// ln(1 + exp(-|a|))
#[inline(always)]
fn ln_of_one_plus_exp_of_minus_abs<S: Simd, F: Real>(a: Vector<S, F>) -> Vector<S, F> {
    let e = exp_of_minus_abs(a);
    // 1 + e = (1 + f)·2ᵏ with f exact: f = e, or f = (e - 1)/2 where 1 + e is above √2.
    let below = e.less_eq(e.like(F::LOGARITHM.root_2_less_1));
    let f = below.select(e, (e - F::ONE) * F::HALF);
    let k = below.select(e.like(F::ZERO), e.like(F::ONE));
    ln_of_parts(f, k, k * F::EXPONENTIAL.ln_2_low)
}

#[inline(always)]
fn exp_of_minus_abs<S: Simd, F: Real>(a: Vector<S, F>) -> Vector<S, F> {
    exp_within((-a.abs()).at_least(-F::EXPONENTIAL.beyond))
}
