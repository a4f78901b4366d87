//! Registers of lanes with arithmetic operators, in which the formulas of the kernels are written.

use std::ops::{Add, Div, Mul, Neg, Sub};

use pulp::Simd;

use super::real::Real;

/// As many lanes as the instruction set computes at once.
#[derive(Clone, Copy)]
pub struct Vector<S: Simd, F: Real> {
    simd: S,
    register: F::Register<S>,
}

/// One truth value for each lane.
#[derive(Clone, Copy)]
pub struct Mask<S: Simd, F: Real> {
    simd: S,
    mask: F::Mask<S>,
}

impl<S: Simd, F: Real> Vector<S, F> {
    /// Wraps a register.
    #[inline(always)]
    pub fn new(simd: S, register: F::Register<S>) -> Self {
        Vector { simd, register }
    }

    /// The value in every lane.
    #[inline(always)]
    pub fn splat(simd: S, value: F) -> Self {
        Vector::new(simd, F::splat(simd, value))
    }

    /// The value in every lane, for the instruction set of this vector.
    #[inline(always)]
    pub fn like(self, value: F) -> Self {
        Vector::splat(self.simd, value)
    }

    /// The register.
    #[inline(always)]
    pub fn register(self) -> F::Register<S> {
        self.register
    }

    /// self·b + c: one rounding with fused multiply-add, otherwise two.
    #[inline(always)]
    pub fn mul_add(self, b: Self, c: Self) -> Self {
        Vector { register: F::product_sum(self.simd, self.register, b.register, c.register), ..self }
    }

    /// |a|
    #[inline(always)]
    pub fn abs(self) -> Self {
        Vector { register: F::magnitude(self.simd, self.register), ..self }
    }

    /// √a
    #[inline(always)]
    pub fn sqrt(self) -> Self {
        Vector { register: F::root(self.simd, self.register), ..self }
    }

    /// |self| with the sign of `other`.
    #[inline(always)]
    pub fn with_sign_of(self, other: Self) -> Self {
        let sign = F::both(self.simd, other.register, F::splat(self.simd, -F::ZERO));
        Vector { register: F::either(self.simd, self.abs().register, sign), ..self }
    }

    /// The smaller of a and a number; NaN stays NaN.
    #[inline(always)]
    pub fn at_most(self, limit: F) -> Self {
        Vector { register: F::at_most::<S>(self.register, limit), ..self }
    }

    /// The larger of a and a number; NaN stays NaN.
    #[inline(always)]
    pub fn at_least(self, limit: F) -> Self {
        Vector { register: F::at_least::<S>(self.register, limit), ..self }
    }

    /// a < b
    #[inline(always)]
    pub fn less(self, b: Self) -> Mask<S, F> {
        Mask { simd: self.simd, mask: F::less(self.simd, self.register, b.register) }
    }

    /// a ≤ b
    #[inline(always)]
    pub fn less_eq(self, b: Self) -> Mask<S, F> {
        Mask { simd: self.simd, mask: F::less_eq(self.simd, self.register, b.register) }
    }

    /// a = b
    #[inline(always)]
    pub fn equal(self, b: Self) -> Mask<S, F> {
        Mask { simd: self.simd, mask: F::equal(self.simd, self.register, b.register) }
    }

    /// 2ᵏ from k + `shift` of [`Exponential`](super::Exponential); 2ᵏ must be normal.
    #[inline(always)]
    pub(super) fn power_of_two(self) -> Self {
        Vector { register: F::power_of_two::<S>(self.register), ..self }
    }

    /// self·2ᵏ from k + `shift` of [`Exponential`](super::Exponential); both must be normal.
    #[inline(always)]
    pub(super) fn times_power_of_two(self, shifted: Self) -> Self {
        Vector { register: F::times_power_of_two::<S>(self.register, shifted.register), ..self }
    }

    /// Two powers of two whose product is 2ᵏ, also where 2ᵏ is not normal.
    #[inline(always)]
    pub(super) fn powers_of_two(self) -> [Self; 2] {
        let [up, down] = F::powers_of_two::<S>(self.register);
        [Vector { register: up, ..self }, Vector { register: down, ..self }]
    }

    /// 1/a for a power of two.
    #[inline(always)]
    pub(super) fn inverse_power(self) -> Self {
        Vector { register: F::inverse_power::<S>(self.register), ..self }
    }

    /// m and k with a = m·2ᵏ and √½ ≤ m < √2, for a positive and normal.
    #[inline(always)]
    pub(super) fn mantissa_and_exponent(self) -> [Self; 2] {
        let [mantissa, exponent] = F::mantissa_and_exponent(self.simd, self.register);
        [Vector { register: mantissa, ..self }, Vector { register: exponent, ..self }]
    }

    /// Computes c₀ + c₁·x + c₂·x² + …: a short one by Horner's rule, a long one by Horner's rule in x⁴ over
    /// independent cubics (Estrin), which halves the latency for two more products. For a short one, the
    /// loops are long enough to hide the latency, and the number of products matters.
    #[inline(always)]
    pub(super) fn polynomial(self, coefficients: &'static [F]) -> Self {
        if coefficients.len() <= 7 {
            let mut sum = self.like(coefficients[coefficients.len() - 1]);
            for &coefficient in coefficients[..coefficients.len() - 1].iter().rev() {
                sum = sum.mul_add(self, self.like(coefficient));
            }
            return sum;
        }
        let square = self * self;
        let fourth = square * square;
        let mut start = (coefficients.len() - 1) / 4 * 4;
        let mut sum = self.cubic(square, coefficients, start);
        while start > 0 {
            start -= 4;
            sum = sum.mul_add(fourth, self.cubic(square, coefficients, start));
        }
        sum
    }

    /// Computes the next four terms of a polynomial, or as many as there are.
    #[inline(always)]
    fn cubic(self, square: Self, coefficients: &'static [F], start: usize) -> Self {
        let low = self.linear(coefficients, start);
        if start + 2 < coefficients.len() {
            square.mul_add(self.linear(coefficients, start + 2), low)
        } else {
            low
        }
    }

    #[inline(always)]
    fn linear(self, coefficients: &'static [F], start: usize) -> Self {
        let constant = self.like(coefficients[start]);
        if start + 1 < coefficients.len() {
            self.mul_add(self.like(coefficients[start + 1]), constant)
        } else {
            constant
        }
    }
}

impl<S: Simd, F: Real> Mask<S, F> {
    /// `then` where the mask is set, `otherwise` elsewhere.
    #[inline(always)]
    pub fn select(self, then: Vector<S, F>, otherwise: Vector<S, F>) -> Vector<S, F> {
        Vector::new(self.simd, F::choice(self.simd, self.mask, then.register, otherwise.register))
    }
}

impl<S: Simd, F: Real> Neg for Vector<S, F> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Vector { register: F::negation(self.simd, self.register), ..self }
    }
}

/// Defines an operator between two vectors, and between a vector and a number.
macro_rules! operators {
    ($($operator:ident $method:ident $function:ident,)*) => {$(
        impl<S: Simd, F: Real> $operator for Vector<S, F> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Vector { register: F::$function(self.simd, self.register, other.register), ..self }
            }
        }

        impl<S: Simd, F: Real> $operator<F> for Vector<S, F> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: F) -> Self {
                self.$method(self.like(other))
            }
        }
    )*};
}

operators! {
    Add add sum,
    Sub sub difference,
    Mul mul product,
    Div div quotient,
}
