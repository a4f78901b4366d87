//! Number types of the kernels, and the operations on a register of each.

use std::ops::{Add, Div, Mul, Neg, Sub};

use pulp::Simd;
use pulp::bytemuck::{self, Pod};

use super::exponential::{self, Exponential};
use super::logarithm::{self, Logarithm};
use super::tanh::{self, HyperbolicTangent};

/// Maximum number of lanes of a register in any instruction set: sixteen f32 of AVX-512.
pub(super) const WIDEST: usize = 16;

/// A number type that kernels compute with: `f64` or `f32`.
///
/// The associated functions are one or a few instructions each; the formulas of the kernels use them as
/// operators and methods of [`Vector`](super::Vector). Their names are nouns, so that `F::sqrt` is
/// unambiguous for a type that is both a `Real` and a `num_traits::Float`.
pub trait Real:
    Pod
    + PartialOrd
    + Send
    + Sync
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
{
    /// A register of lanes.
    type Register<S: Simd>: Pod + Send + Sync;
    /// One truth value for each lane.
    type Mask<S: Simd>: Copy;

    /// 0
    const ZERO: Self;
    /// ½
    const HALF: Self;
    /// 1
    const ONE: Self;
    /// 2
    const TWO: Self;
    /// ∞
    const INFINITY: Self;
    /// NaN
    const NAN: Self;
    /// All bits set.
    const ALL_BITS: Self;
    /// Constants of [`Exp`](super::Exp) and of the functions based on it.
    const EXPONENTIAL: Exponential<Self>;
    /// Constants of [`Ln`](super::Ln) and of the functions based on it.
    const LOGARITHM: Logarithm<Self>;
    /// Constants of [`Tanh`](super::Tanh).
    const HYPERBOLIC_TANGENT: HyperbolicTangent<Self>;

    /// Number of lanes of a register.
    fn lanes<S: Simd>() -> usize {
        size_of::<Self::Register<S>>() / size_of::<Self>()
    }
    /// Splits a slice into whole registers and the rest.
    fn registers<S: Simd>(values: &[Self]) -> (&[Self::Register<S>], &[Self]);
    /// Splits a mutable slice into whole registers and the rest.
    fn registers_mut<S: Simd>(values: &mut [Self]) -> (&mut [Self::Register<S>], &mut [Self]);

    /// The value in every lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Register<S>;
    /// a + b
    fn sum<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// a - b
    fn difference<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// a·b
    fn product<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// a/b
    fn quotient<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// a·b + c: one rounding with fused multiply-add, otherwise two.
    fn product_sum<S: Simd>(
        simd: S,
        a: Self::Register<S>,
        b: Self::Register<S>,
        c: Self::Register<S>,
    ) -> Self::Register<S>;
    /// -a
    fn negation<S: Simd>(simd: S, a: Self::Register<S>) -> Self::Register<S>;
    /// |a|
    fn magnitude<S: Simd>(simd: S, a: Self::Register<S>) -> Self::Register<S>;
    /// √a
    fn root<S: Simd>(simd: S, a: Self::Register<S>) -> Self::Register<S>;
    /// Bitwise and.
    fn both<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// Bitwise or.
    fn either<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// a < b
    fn less<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Mask<S>;
    /// a ≤ b
    fn less_eq<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Mask<S>;
    /// a = b
    fn equal<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Mask<S>;
    /// `then` where the mask is set, `otherwise` elsewhere.
    fn choice<S: Simd>(
        simd: S,
        mask: Self::Mask<S>,
        then: Self::Register<S>,
        otherwise: Self::Register<S>,
    ) -> Self::Register<S>;
    /// The sum of all lanes, in an order that depends on the instruction set.
    fn total<S: Simd>(simd: S, a: Self::Register<S>) -> Self;

    /// The smaller of a and a number; NaN stays NaN.
    fn at_most<S: Simd>(a: Self::Register<S>, limit: Self) -> Self::Register<S>;
    /// The larger of a and a number; NaN stays NaN.
    fn at_least<S: Simd>(a: Self::Register<S>, limit: Self) -> Self::Register<S>;
    /// 2ᵏ, where `shifted` = k + `shift` of [`Exponential`] has the integer k in its lowest bits; 2ᵏ must be
    /// normal.
    fn power_of_two<S: Simd>(shifted: Self::Register<S>) -> Self::Register<S>;
    /// a·2ᵏ with k as in [`Real::power_of_two`]; a and a·2ᵏ must be normal.
    fn times_power_of_two<S: Simd>(a: Self::Register<S>, shifted: Self::Register<S>) -> Self::Register<S>;
    /// 2^⌈k/2⌉ and 2^⌊k/2⌋, whose product is 2ᵏ, also where 2ᵏ is not normal.
    fn powers_of_two<S: Simd>(shifted: Self::Register<S>) -> [Self::Register<S>; 2];
    /// 1/a for a power of two.
    fn inverse_power<S: Simd>(a: Self::Register<S>) -> Self::Register<S>;
    /// m and k with a = m·2ᵏ and √½ ≤ m < √2, for a positive and normal.
    fn mantissa_and_exponent<S: Simd>(simd: S, a: Self::Register<S>) -> [Self::Register<S>; 2];
}

/// Maps each lane separately. The loop has a fixed length and is vectorised; it is used where pulp has no
/// generic operation: shifts of 64-bit lanes, and a minimum that keeps NaN.
#[inline(always)]
fn map_lanes<R: Pod, T: Pod>(mut register: R, change: impl Fn(T) -> T) -> R {
    for lane in bytemuck::cast_slice_mut::<R, T>(std::slice::from_mut(&mut register)) {
        *lane = change(*lane);
    }
    register
}

/// Combines two registers lane by lane.
#[inline(always)]
fn zip_lanes<R: Pod, T: Pod>(mut register: R, other: R, combine: impl Fn(T, T) -> T) -> R {
    let others = bytemuck::cast_slice::<R, T>(std::slice::from_ref(&other));
    let lanes = bytemuck::cast_slice_mut::<R, T>(std::slice::from_mut(&mut register));
    for (lane, other) in lanes.iter_mut().zip(others) {
        *lane = combine(*lane, *other);
    }
    register
}

impl Real for f64 {
    type Register<S: Simd> = S::f64s;
    type Mask<S: Simd> = S::m64s;

    const ZERO: f64 = 0.0;
    const HALF: f64 = 0.5;
    const ONE: f64 = 1.0;
    const TWO: f64 = 2.0;
    const INFINITY: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
    const ALL_BITS: f64 = f64::from_bits(u64::MAX);
    const EXPONENTIAL: Exponential<f64> = exponential::OF_F64;
    const LOGARITHM: Logarithm<f64> = logarithm::OF_F64;
    const HYPERBOLIC_TANGENT: HyperbolicTangent<f64> = tanh::OF_F64;

    #[inline(always)]
    fn registers<S: Simd>(values: &[f64]) -> (&[S::f64s], &[f64]) {
        S::as_simd_f64s(values)
    }
    #[inline(always)]
    fn registers_mut<S: Simd>(values: &mut [f64]) -> (&mut [S::f64s], &mut [f64]) {
        S::as_mut_simd_f64s(values)
    }

    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: f64) -> S::f64s {
        simd.splat_f64s(value)
    }
    #[inline(always)]
    fn sum<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.add_f64s(a, b)
    }
    #[inline(always)]
    fn difference<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.sub_f64s(a, b)
    }
    #[inline(always)]
    fn product<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.mul_f64s(a, b)
    }
    #[inline(always)]
    fn quotient<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.div_f64s(a, b)
    }
    #[inline(always)]
    fn product_sum<S: Simd>(simd: S, a: S::f64s, b: S::f64s, c: S::f64s) -> S::f64s {
        simd.mul_add_e_f64s(a, b, c)
    }
    #[inline(always)]
    fn negation<S: Simd>(simd: S, a: S::f64s) -> S::f64s {
        simd.neg_f64s(a)
    }
    #[inline(always)]
    fn magnitude<S: Simd>(simd: S, a: S::f64s) -> S::f64s {
        simd.abs_f64s(a)
    }
    #[inline(always)]
    fn root<S: Simd>(simd: S, a: S::f64s) -> S::f64s {
        simd.sqrt_f64s(a)
    }
    #[inline(always)]
    fn both<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.and_f64s(a, b)
    }
    #[inline(always)]
    fn either<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.or_f64s(a, b)
    }
    #[inline(always)]
    fn less<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::m64s {
        simd.less_than_f64s(a, b)
    }
    #[inline(always)]
    fn less_eq<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::m64s {
        simd.less_than_or_equal_f64s(a, b)
    }
    #[inline(always)]
    fn equal<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::m64s {
        simd.equal_f64s(a, b)
    }
    #[inline(always)]
    fn choice<S: Simd>(simd: S, mask: S::m64s, then: S::f64s, otherwise: S::f64s) -> S::f64s {
        simd.select_f64s(mask, then, otherwise)
    }
    #[inline(always)]
    fn total<S: Simd>(simd: S, a: S::f64s) -> f64 {
        simd.reduce_sum_f64s(a)
    }

    #[inline(always)]
    fn at_most<S: Simd>(a: S::f64s, limit: f64) -> S::f64s {
        map_lanes(a, |a: f64| if limit < a { limit } else { a })
    }
    #[inline(always)]
    fn at_least<S: Simd>(a: S::f64s, limit: f64) -> S::f64s {
        map_lanes(a, |a: f64| if limit > a { limit } else { a })
    }
    #[inline(always)]
    fn power_of_two<S: Simd>(shifted: S::f64s) -> S::f64s {
        map_lanes(shifted, |k: u64| (k << 52).wrapping_add(f64::to_bits(1.0)))
    }
    #[inline(always)]
    fn times_power_of_two<S: Simd>(a: S::f64s, shifted: S::f64s) -> S::f64s {
        zip_lanes(a, shifted, |a: u64, k: u64| a.wrapping_add(k << 52))
    }
    #[inline(always)]
    fn powers_of_two<S: Simd>(shifted: S::f64s) -> [S::f64s; 2] {
        // Shifted by one bit less, ⌊k/2⌋ is in the exponent field, and the odd bit below it.
        let down = map_lanes(shifted, |k: u64| (k << (52 - 1)) & (u64::MAX << 52));
        let up = zip_lanes(shifted, down, |k: u64, down: u64| (k << 52).wrapping_sub(down));
        let power = |half: u64| half.wrapping_add(f64::to_bits(1.0));
        [map_lanes(up, power), map_lanes(down, power)]
    }
    #[inline(always)]
    fn inverse_power<S: Simd>(a: S::f64s) -> S::f64s {
        map_lanes(a, |a: u64| (2 * f64::to_bits(1.0)).wrapping_sub(a))
    }
    #[inline(always)]
    fn mantissa_and_exponent<S: Simd>(simd: S, a: S::f64s) -> [S::f64s; 2] {
        const ONE: u64 = f64::to_bits(1.0);
        const ROOT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
        // 2 to the number of mantissa bits: its lowest bits count units.
        const COUNTER: f64 = (1_u64 << 52) as f64;
        // Adding the bits of 1 less those of √½ makes the exponent field step at √½·2ᵏ instead of at 2ᵏ.
        let moved = map_lanes(a, |a: u64| a.wrapping_add(ONE - ROOT_HALF));
        let mantissa = map_lanes(moved, |a: u64| (a & ((1 << 52) - 1)).wrapping_add(ROOT_HALF));
        let field = map_lanes(moved, |a: u64| (a >> 52) | COUNTER.to_bits());
        let exponent = simd.sub_f64s(field, simd.splat_f64s(COUNTER + (ONE >> 52) as f64));
        [mantissa, exponent]
    }
}

impl Real for f32 {
    type Register<S: Simd> = S::f32s;
    type Mask<S: Simd> = S::m32s;

    const ZERO: f32 = 0.0;
    const HALF: f32 = 0.5;
    const ONE: f32 = 1.0;
    const TWO: f32 = 2.0;
    const INFINITY: f32 = f32::INFINITY;
    const NAN: f32 = f32::NAN;
    const ALL_BITS: f32 = f32::from_bits(u32::MAX);
    const EXPONENTIAL: Exponential<f32> = exponential::OF_F32;
    const LOGARITHM: Logarithm<f32> = logarithm::OF_F32;
    const HYPERBOLIC_TANGENT: HyperbolicTangent<f32> = tanh::OF_F32;

    #[inline(always)]
    fn registers<S: Simd>(values: &[f32]) -> (&[S::f32s], &[f32]) {
        S::as_simd_f32s(values)
    }
    #[inline(always)]
    fn registers_mut<S: Simd>(values: &mut [f32]) -> (&mut [S::f32s], &mut [f32]) {
        S::as_mut_simd_f32s(values)
    }

    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: f32) -> S::f32s {
        simd.splat_f32s(value)
    }
    #[inline(always)]
    fn sum<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.add_f32s(a, b)
    }
    #[inline(always)]
    fn difference<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.sub_f32s(a, b)
    }
    #[inline(always)]
    fn product<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.mul_f32s(a, b)
    }
    #[inline(always)]
    fn quotient<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.div_f32s(a, b)
    }
    #[inline(always)]
    fn product_sum<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
        simd.mul_add_e_f32s(a, b, c)
    }
    #[inline(always)]
    fn negation<S: Simd>(simd: S, a: S::f32s) -> S::f32s {
        simd.neg_f32s(a)
    }
    #[inline(always)]
    fn magnitude<S: Simd>(simd: S, a: S::f32s) -> S::f32s {
        simd.abs_f32s(a)
    }
    #[inline(always)]
    fn root<S: Simd>(simd: S, a: S::f32s) -> S::f32s {
        simd.sqrt_f32s(a)
    }
    #[inline(always)]
    fn both<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.and_f32s(a, b)
    }
    #[inline(always)]
    fn either<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.or_f32s(a, b)
    }
    #[inline(always)]
    fn less<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::m32s {
        simd.less_than_f32s(a, b)
    }
    #[inline(always)]
    fn less_eq<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::m32s {
        simd.less_than_or_equal_f32s(a, b)
    }
    #[inline(always)]
    fn equal<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::m32s {
        simd.equal_f32s(a, b)
    }
    #[inline(always)]
    fn choice<S: Simd>(simd: S, mask: S::m32s, then: S::f32s, otherwise: S::f32s) -> S::f32s {
        simd.select_f32s(mask, then, otherwise)
    }
    #[inline(always)]
    fn total<S: Simd>(simd: S, a: S::f32s) -> f32 {
        simd.reduce_sum_f32s(a)
    }

    #[inline(always)]
    fn at_most<S: Simd>(a: S::f32s, limit: f32) -> S::f32s {
        map_lanes(a, |a: f32| if limit < a { limit } else { a })
    }
    #[inline(always)]
    fn at_least<S: Simd>(a: S::f32s, limit: f32) -> S::f32s {
        map_lanes(a, |a: f32| if limit > a { limit } else { a })
    }
    #[inline(always)]
    fn power_of_two<S: Simd>(shifted: S::f32s) -> S::f32s {
        map_lanes(shifted, |k: u32| (k << 23).wrapping_add(f32::to_bits(1.0)))
    }
    #[inline(always)]
    fn times_power_of_two<S: Simd>(a: S::f32s, shifted: S::f32s) -> S::f32s {
        zip_lanes(a, shifted, |a: u32, k: u32| a.wrapping_add(k << 23))
    }
    #[inline(always)]
    fn powers_of_two<S: Simd>(shifted: S::f32s) -> [S::f32s; 2] {
        // Shifted by one bit less, ⌊k/2⌋ is in the exponent field, and the odd bit below it.
        let down = map_lanes(shifted, |k: u32| (k << (23 - 1)) & (u32::MAX << 23));
        let up = zip_lanes(shifted, down, |k: u32, down: u32| (k << 23).wrapping_sub(down));
        let power = |half: u32| half.wrapping_add(f32::to_bits(1.0));
        [map_lanes(up, power), map_lanes(down, power)]
    }
    #[inline(always)]
    fn inverse_power<S: Simd>(a: S::f32s) -> S::f32s {
        map_lanes(a, |a: u32| (2 * f32::to_bits(1.0)).wrapping_sub(a))
    }
    #[inline(always)]
    fn mantissa_and_exponent<S: Simd>(simd: S, a: S::f32s) -> [S::f32s; 2] {
        const ONE: u32 = f32::to_bits(1.0);
        const ROOT_HALF: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
        // 2 to the number of mantissa bits: its lowest bits count units.
        const COUNTER: f32 = (1_u32 << 23) as f32;
        // Adding the bits of 1 less those of √½ makes the exponent field step at √½·2ᵏ instead of at 2ᵏ.
        let moved = map_lanes(a, |a: u32| a.wrapping_add(ONE - ROOT_HALF));
        let mantissa = map_lanes(moved, |a: u32| (a & ((1 << 23) - 1)).wrapping_add(ROOT_HALF));
        let field = map_lanes(moved, |a: u32| (a >> 23) | COUNTER.to_bits());
        let exponent = simd.sub_f32s(field, simd.splat_f32s(COUNTER + (ONE >> 23) as f32));
        [mantissa, exponent]
    }
}
