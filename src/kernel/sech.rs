//! 1/cosh², the derivative of tanh, made of the exponential.

use pulp::Simd;

use super::elementwise::Function;
use super::exponential::exp_in_two;
use super::real::Real;
use super::vector::Vector;

/// 1/cosh² a = q·(2 - q) with q = 1 - tanh |a| = 2e/(1 + e) and e = exp(-2|a|): nothing cancels, down to the
/// subnormal numbers. Within 3 ulp.
#[derive(Clone, Copy, Debug)]
pub struct SechSquared;

impl Function for SechSquared {
    #[inline(always)]
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> Vector<S, F> {
        let m = a.abs();
        let [e, down] = exp_in_two((-(m + m)).at_least(-F::EXPONENTIAL.beyond));
        let small = e * down;
        let denominator = small + F::ONE;
        // q without its last power of two, so that a result below the normal numbers is rounded once.
        let q = (e + e) / denominator;
        q * (-(q * down) + F::TWO) * down
    }
}
