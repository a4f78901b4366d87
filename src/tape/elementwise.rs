//! Elementwise operations and their shape rule: equal shapes, or a scalar, which is broadcast.

use std::panic::Location;

use super::var::unary;
use super::{Condition, Op, Operand, Operands, Shape, Var};

/// Records an elementwise operation; operands are broadcast to a common shape first.
#[track_caller]
pub(super) fn elementwise<'t>(op: Op, operands: &[Var<'t>]) -> Var<'t> {
    let place = Location::caller();
    let (first, tape) = (operands[0], operands[0].tape());
    if !first.same_tape(operands, op.name(), place) {
        return first;
    }
    let shapes: Vec<Shape> = operands.iter().map(|operand| operand.shape()).collect();
    let shape = shapes.iter().copied().find(|shape| *shape != Shape::Scalar).unwrap_or(Shape::Scalar);
    if shapes.iter().any(|other| *other != shape && *other != Shape::Scalar) {
        let message = "the shapes differ; only a scalar is repeated to fit".to_string();
        tape.note(op.name(), message, &shapes, place);
        return tape.placeholder(shape);
    }
    let ids: Operands = operands.iter().map(|operand| operand.broadcast(shape).id()).collect();
    tape.push(op, ids, shape)
}

impl<'t> Var<'t> {
    /// Broadcasts a scalar to this shape; returns a node of this shape unchanged.
    ///
    /// A vector or matrix of another shape is a recording error.
    #[track_caller]
    pub fn broadcast(self, shape: Shape) -> Var<'t> {
        if self.shape() == shape {
            return self;
        }
        if self.shape() != Shape::Scalar {
            let message = "only a scalar can be repeated".to_string();
            self.tape().note("broadcast", message, &[self.shape(), shape], Location::caller());
            return self.tape().placeholder(shape);
        }
        unary(Op::Broadcast, self, shape)
    }

    /// aᵏ for an integer k.
    #[track_caller]
    pub fn powi(self, exponent: i32) -> Var<'t> {
        elementwise(Op::Powi(exponent), &[self])
    }

    /// The derivative of order `order` + 1 of ln Γ(a), for a > 0; order 0 is the digamma function.
    #[track_caller]
    pub fn polygamma(self, order: u32) -> Var<'t> {
        elementwise(Op::Polygamma(order), &[self])
    }

    /// The derivative of order `order` of φ(a)/Φ(a), the inverse Mills ratio of the standard normal, which is itself the
    /// derivative of ln Φ(a). Exact in both tails.
    #[track_caller]
    pub fn inverse_mills(self, order: u32) -> Var<'t> {
        elementwise(Op::InverseMills(order), &[self])
    }

    /// aᵇ for a > 0.
    #[track_caller]
    pub fn pow(self, exponent: impl Operand<'t>) -> Var<'t> {
        elementwise(Op::Pow, &[self, exponent.on(self.tape())])
    }

    /// The smaller of the two.
    #[track_caller]
    pub fn min(self, other: impl Operand<'t>) -> Var<'t> {
        elementwise(Op::Min, &[self, other.on(self.tape())])
    }

    /// The larger of the two.
    #[track_caller]
    pub fn max(self, other: impl Operand<'t>) -> Var<'t> {
        elementwise(Op::Max, &[self, other.on(self.tape())])
    }

    /// a < b
    #[track_caller]
    pub fn lt(self, other: impl Operand<'t>) -> Condition<'t> {
        Condition(elementwise(Op::Less, &[self, other.on(self.tape())]))
    }

    /// a ≤ b
    #[track_caller]
    pub fn le(self, other: impl Operand<'t>) -> Condition<'t> {
        Condition(elementwise(Op::LessEq, &[self, other.on(self.tape())]))
    }

    /// a > b
    #[track_caller]
    pub fn gt(self, other: impl Operand<'t>) -> Condition<'t> {
        Condition(elementwise(Op::Less, &[other.on(self.tape()), self]))
    }

    /// a ≥ b
    #[track_caller]
    pub fn ge(self, other: impl Operand<'t>) -> Condition<'t> {
        Condition(elementwise(Op::LessEq, &[other.on(self.tape()), self]))
    }
}

macro_rules! functions {
    ($($name:ident $op:ident $meaning:literal;)*) => {
        impl<'t> Var<'t> {
            $(
                #[doc = $meaning]
                #[track_caller]
                pub fn $name(self) -> Var<'t> {
                    elementwise(Op::$op, &[self])
                }
            )*
        }
    };
}

functions! {
    recip Recip "1/a";
    exp Exp "eᵃ";
    ln Ln "The natural logarithm, for a > 0.";
    exp_m1 ExpM1 "eᵃ - 1, exact near 0.";
    ln_1p Ln1p "ln(1 + a), exact near 0, for a > -1.";
    tanh Tanh "The hyperbolic tangent.";
    sech_squared SechSquared "1/cosh² a: 1 - tanh² a, with all digits where tanh a is near ±1.";
    sigmoid Sigmoid "The logistic function 1/(1 + e⁻ᵃ).";
    softplus Softplus "ln(1 + eᵃ), without overflow.";
    sin Sin "The sine, in radians.";
    cos Cos "The cosine, in radians.";
    sqrt Sqrt "The square root, for a ≥ 0; its derivative at 0 is ∞. For √(Σ a²) see [`Var::norm`](Var::norm).";
    abs Abs "The absolute value.";
    sign Sign "-1, 0 or 1: the sign.";
    erf Erf "The error function 2/√π ∫₀ᵃ exp(-t²) dt.";
    sinh Sinh "The hyperbolic sine.";
    cosh Cosh "The hyperbolic cosine.";
    asinh Asinh "The inverse hyperbolic sine, ln(a + √(1 + a²)).";
    asinh_slope AsinhSlope "1/√(1 + a²), without overflow: the derivative of asinh.";
    ln_normal_cdf LnNormalCdf "ln Φ(a), Φ the standard normal distribution function; exact in both tails.";
    ln_gamma LnGamma "ln Γ(a), for a > 0.";
}
