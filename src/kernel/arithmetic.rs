//! Functions and operations that are an instruction or a few.

use pulp::Simd;

use super::elementwise::{Function, Operation};
use super::real::Real;
use super::vector::{Mask, Vector};

/// A function by its formula.
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

/// An operation by its formula.
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
    /// -1 or 1; a itself where it is a zero or NaN
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
    /// The smaller one; a NaN on either side comes out.
    Min: |a, b| unless_first_is_nan(a, a.less_eq(b).select(a, b));
    /// The larger one; a NaN on either side comes out.
    Max: |a, b| unless_first_is_nan(a, b.less_eq(a).select(a, b));
    /// 1 where a < b, else 0
    Less: |a, b| one_or_zero(a, a.less(b));
    /// 1 where a ≤ b, else 0
    LessEq: |a, b| one_or_zero(a, a.less_eq(b));
}

/// aᵏ for a whole number k, by squaring: the products, and for k < 0 the reciprocal at the end, that the
/// standard library takes too.
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

/// The value, and a where it is NaN: a comparison with it is false, so that the value is that of b.
#[inline(always)]
fn unless_first_is_nan<S: Simd, F: Real>(a: Vector<S, F>, value: Vector<S, F>) -> Vector<S, F> {
    a.equal(a).select(value, a)
}

#[inline(always)]
fn one_or_zero<S: Simd, F: Real>(a: Vector<S, F>, mask: Mask<S, F>) -> Vector<S, F> {
    mask.select(a.like(F::ONE), a.like(F::ZERO))
}
