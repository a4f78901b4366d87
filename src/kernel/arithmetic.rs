//! Functions and operations of one or a few instructions.

use pulp::Simd;

use super::elementwise::{Function, Operation};
use super::real::Real;
use super::vector::{Mask, Vector};

/// Defines functions by formulas.
macro_rules! functions {
    ($($(#[$meaning:meta])* $name:ident: |$a:ident| $formula:expr;)*) => {$(
        $(#[$meaning])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Function for $name {
            #[inline(always)]
            fn of<S: Simd, F: Real>(self, $a: Vector<S, F>) -> Vector<S, F> {
                $formula
            }
        }
    )*};
}

/// Defines operations by formulas.
macro_rules! operations {
    ($($(#[$meaning:meta])* $name:ident: |$a:ident, $b:ident| $formula:expr;)*) => {$(
        $(#[$meaning])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Operation for $name {
            #[inline(always)]
            fn of<S: Simd, F: Real>(self, $a: Vector<S, F>, $b: Vector<S, F>) -> Vector<S, F> {
                $formula
            }
        }
    )*};
}

functions! {
    /// -a
    Neg: |a| -a;
    /// 1/a
    Recip: |a| a.like(F::ONE) / a;
    /// |a|
    Abs: |a| a.abs();
    /// -1 or 1; a itself where it is ±0 or NaN
    Sign: |a| {
        let zero = a.like(F::ZERO);
        zero.less(a).select(a.like(F::ONE), a.less(zero).select(a.like(-F::ONE), a))
    };
    /// √a
    Sqrt: |a| a.sqrt();
}

operations! {
    /// a + b
    Add: |a, b| a + b;
    /// a - b
    Sub: |a, b| a - b;
    /// a·b
    Mul: |a, b| a * b;
    /// a/b
    Div: |a, b| a / b;
    /// The smaller one; NaN if either is NaN.
    Min: |a, b| unless_first_is_nan(a, a.less_eq(b).select(a, b));
    /// The larger one; NaN if either is NaN.
    Max: |a, b| unless_first_is_nan(a, b.less_eq(a).select(a, b));
    /// 1 where a < b, else 0
    Less: |a, b| one_or_zero(a, a.less(b));
    /// 1 where a ≤ b, else 0
    LessEq: |a, b| one_or_zero(a, a.less_eq(b));
}

/// aᵏ for an integer k, by repeated squaring: the same products as in the standard library, and for k < 0 the
/// reciprocal at the end.
#[derive(Clone, Copy, Debug)]
pub struct Powi(
    /// k
    pub i32,
);

impl Function for Powi {
    #[inline(always)]
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> Vector<S, F> {
        let (mut left, mut square, mut power) = (self.0.unsigned_abs(), a, a.like(F::ONE));
        loop {
            if left & 1 == 1 {
                power = power * square;
            }
            left >>= 1;
            if left == 0 {
                break;
            }
            square = square * square;
        }
        if self.0 < 0 { a.like(F::ONE) / power } else { power }
    }
}

/// Returns a where a is NaN, `value` elsewhere: comparisons with NaN are false, so `value` would be b.
#[inline(always)]
fn unless_first_is_nan<S: Simd, F: Real>(a: Vector<S, F>, value: Vector<S, F>) -> Vector<S, F> {
    a.equal(a).select(value, a)
}

#[inline(always)]
fn one_or_zero<S: Simd, F: Real>(a: Vector<S, F>, mask: Mask<S, F>) -> Vector<S, F> {
    mask.select(a.like(F::ONE), a.like(F::ZERO))
}
