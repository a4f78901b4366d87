//! 1/cosh², the derivative of tanh, computed from the exponential: alone, and together with tanh.
//!
//! With e = exp(-2|a|) and q = 2e/(1 + e), tanh |a| = 1 - q and 1/cosh² a = q·(2 - q). The second has no
//! cancellation, down to the subnormal numbers. A training step needs both; together they cost little more
//! than tanh alone.

use pulp::Simd;

use super::elementwise::{Function, Pair};
use super::exponential::exp_in_two;
use super::real::Real;
use super::tanh::near_zero;
use super::vector::Vector;

/// 1/cosh² a, with an error of at most 3 ulp.
#[derive(Clone, Copy, Debug)]
pub struct SechSquared;

impl Function for SechSquared {
    #[inline(always)]
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> Vector<S, F> {
        let Complement { up, down, q } = Complement::new(a.abs());
        up * (-q + F::TWO) * down
    }
}

/// tanh a, with an error of at most 2 ulp, and 1/cosh² a, with at most 3 ulp.
#[derive(Clone, Copy, Debug)]
pub struct TanhAndSlope;

impl Pair for TanhAndSlope {
    #[inline(always)]
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> [Vector<S, F>; 2] {
        let m = a.abs();
        let Complement { up, down, q } = Complement::new(m);
        // As in Tanh: 1 - q would lose digits below `turn`.
        let far = -(q - F::ONE);
        let is_far = a.like(F::HYPERBOLIC_TANGENT.turn).less_eq(m);
        let tanh = is_far.select(far, near_zero(m)).with_sign_of(a);
        [tanh, up * (-q + F::TWO) * down]
    }
}

/// q = 1 - tanh m for m ≥ 0.
struct Complement<S: Simd, F: Real> {
    /// q without its last power of two, so that a subnormal result is rounded once, by the last product.
    up: Vector<S, F>,
    down: Vector<S, F>,
    q: Vector<S, F>,
}

impl<S: Simd, F: Real> Complement<S, F> {
    #[inline(always)]
    fn new(m: Vector<S, F>) -> Complement<S, F> {
        let [e, down] = exp_in_two((-(m + m)).at_least(-F::EXPONENTIAL.beyond));
        let up = (e + e) / (e * down + F::ONE);
        Complement { up, down, q: up * down }
    }
}
