//! The functions of one number: one table with what each is, its variant, and its name.
//!
//! A row makes the variant of [`Unary`], its name in messages, certificates and printed programs, and the method of
//! [`Var`] that records it. Its value, derivative, interval and so on are a row in `src/sweep/function/`.

use super::elementwise::elementwise;
use super::{Op, Var};

macro_rules! functions {
    ($($(#[$meaning:meta])* $variant:ident $(($index:ident: $number:ty, like $example:literal))? $name:ident;)*) => {
        /// A function of one number, applied to each element.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Unary {
            $($(#[$meaning])* $variant $(($number))?,)*
        }

        impl Unary {
            /// Every function once; of those that have a number, with one such number.
            pub const ALL: &[Unary] = &[$(Unary::$variant $(($example))?),*];

            /// The name in messages and printed programs.
            pub fn name(self) -> &'static str {
                match self {
                    $(Unary::$variant { .. } => stringify!($name),)*
                }
            }

            /// The function of this name, with its number if it has one; `None` if there is none, or the number does not fit.
            pub fn named(name: &str, number: Option<i64>) -> Option<Unary> {
                let found = match name {
                    $(stringify!($name) => Unary::$variant $((<$number>::try_from(number?).ok()?))?,)*
                    _ => return None,
                };
                (found.number() == number).then_some(found)
            }

            /// The number that belongs to the function, if one does: k of aᵏ, the order of a derivative.
            pub fn number(self) -> Option<i64> {
                match self {
                    $(Unary::$variant $(($index))? => None$(.or(Some(i64::from($index))))?,)*
                }
            }
        }

        #[expect(clippy::should_implement_trait, reason = "`Neg` is implemented as well, in operators.rs")]
        impl<'t> Var<'t> {
            $(
                $(#[$meaning])*
                #[track_caller]
                pub fn $name(self $(, $index: $number)?) -> Var<'t> {
                    self.apply(Unary::$variant $(($index))?)
                }
            )*
        }
    };
}

impl<'t> Var<'t> {
    /// A function of each element.
    #[track_caller]
    pub fn apply(self, function: Unary) -> Var<'t> {
        elementwise(Op::Unary(function), &[self])
    }
}

functions! {
    /// -a
    Neg neg;
    /// 1/a
    Recip recip;
    /// eᵃ
    Exp exp;
    /// The natural logarithm, for a > 0.
    Ln ln;
    /// eᵃ - 1, exact near 0.
    ExpM1 exp_m1;
    /// ln(1 + a), exact near 0, for a > -1.
    Ln1p ln_1p;
    /// The hyperbolic tangent.
    Tanh tanh;
    /// 1/cosh² a: 1 - tanh² a, the derivative of tanh, with all digits where tanh a is near ±1.
    SechSquared sech_squared;
    /// The logistic function 1/(1 + e⁻ᵃ).
    Sigmoid sigmoid;
    /// ln(1 + eᵃ), without overflow.
    Softplus softplus;
    /// The sine, in radians.
    Sin sin;
    /// The cosine, in radians.
    Cos cos;
    /// The square root, for a ≥ 0; its derivative at 0 is ∞. For √(Σ a²) see [`Var::norm`](Var::norm).
    Sqrt sqrt;
    /// The absolute value.
    Abs abs;
    /// -1, 0 or 1: the sign. Its derivative is 0 where it has one.
    Sign sign;
    /// The error function 2/√π ∫₀ᵃ exp(-t²) dt.
    Erf erf;
    /// The hyperbolic sine.
    Sinh sinh;
    /// The hyperbolic cosine.
    Cosh cosh;
    /// The inverse hyperbolic sine, ln(a + √(1 + a²)).
    Asinh asinh;
    /// 1/√(1 + a²), without overflow: the derivative of asinh.
    AsinhSlope asinh_slope;
    /// arctan(a)/π, the arctangent in half turns, between -½ and ½ (atanPi of IEEE 754). Its ends are numbers, which those
    /// of the arctangent in radians are not; [`Var::atan`](Var::atan) is that one.
    AtanPi atan_pi;
    /// tan(π·a) for |a| < ½.
    TanPi tan_pi;
    /// Φ(a), the standard normal distribution function; exact in the lower tail.
    NormalCdf normal_cdf;
    /// The quantile Φ⁻¹(a) of the standard normal, for 0 < a < 1.
    NormalQuantile normal_quantile;
    /// ln Φ(a), Φ the standard normal distribution function; exact in both tails.
    LnNormalCdf ln_normal_cdf;
    /// The derivative of this order of φ(a)/Φ(a), the inverse Mills ratio of the standard normal, which is itself the
    /// derivative of ln Φ(a). Exact in both tails.
    InverseMills(order: u32, like 0) inverse_mills;
    /// ln Γ(a), for a > 0.
    LnGamma ln_gamma;
    /// The derivative of order `order` + 1 of ln Γ(a), for a > 0; order 0 is the digamma function.
    Polygamma(order: u32, like 1) polygamma;
    /// aᵏ for a whole number k.
    Powi(exponent: i32, like 3) powi;
}
