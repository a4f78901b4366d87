//! The derivative rules of the elementwise operations: one line an operation.
//!
//! With y = op(a, b), the partial of y by each operand, written with a, b and y. Both the tangent and the
//! adjoint sweep read this table, so that a rule exists once. Choices (select, min, max) are not here: their
//! derivative *selects* and never multiplies, so that a NaN of the branch not taken goes nowhere.

use std::f64::consts::FRAC_2_SQRT_PI;

use crate::tape::{Op, Var, select};

/// ∂y/∂operand.
pub(crate) enum Partial<'t> {
    /// 0 wherever it exists: there is no edge.
    Zero,
    /// 1
    One,
    /// -1
    MinusOne,
    /// This.
    By(Var<'t>),
}

/// The partial of `y = op(operands)` by operand `k`.
///
/// # Panics
/// When the operation is not elementwise, or is a choice.
pub(crate) fn partial<'t>(op: &Op, operands: &[Var<'t>], y: Var<'t>, k: usize) -> Partial<'t> {
    use Partial::{By, MinusOne, One, Zero};
    let a = operands[0];
    let b = || operands[1];
    match (op, k) {
        (Op::Neg, _) => MinusOne,
        (Op::Recip, _) => By(-(y * y)),
        (Op::Exp, _) => By(y),
        (Op::Ln, _) => By(a.recip()),
        (Op::ExpM1, _) => By(a.exp()),
        (Op::Ln1p, _) => By((1.0 + a).recip()),
        // Not 1 - y²: that cancels where y is near ±1, and is 0 from a = 19.06 on.
        (Op::Tanh, _) => By(a.sech_squared()),
        (Op::SechSquared, _) => By(-2.0 * (a.tanh() * y)),
        // σ(a)·σ(-a), not y·(1 - y): that cancels where σ is near 1.
        (Op::Sigmoid, _) => By(y * (-a).sigmoid()),
        (Op::Softplus, _) => By(a.sigmoid()),
        (Op::Sin, _) => By(a.cos()),
        (Op::Cos, _) => By(-a.sin()),
        (Op::Sqrt, _) => By(0.5 / y),
        (Op::Abs, _) => By(a.sign()),
        (Op::Sign, _) => Zero,
        (Op::Erf, _) => By(FRAC_2_SQRT_PI * (-(a * a)).exp()),
        (Op::Sinh, _) => By(a.cosh()),
        (Op::Cosh, _) => By(a.sinh()),
        // Neither 1/√(1 + a²) as it stands, where a² overflows, nor 1/cosh y, which has y units of error.
        (Op::Asinh, _) => By(a.asinh_slope()),
        // -a·y³, of which neither part overflows.
        (Op::AsinhSlope, _) => By(-((a * y) * (y * y))),
        (Op::LnNormalCdf, _) => By(a.inverse_mills(0)),
        (Op::InverseMills(n), _) => By(a.inverse_mills(n + 1)),
        (Op::LnGamma, _) => By(a.polygamma(0)),
        (Op::Polygamma(n), _) => By(a.polygamma(n + 1)),
        (Op::Powi(0), _) => Zero,
        (Op::Powi(1), _) => One,
        (Op::Powi(2), _) => By(2.0 * a),
        // n - 1 is no i32.
        (Op::Powi(i32::MIN), _) => By(f64::from(i32::MIN) * (y / a)),
        (Op::Powi(n), _) => By(f64::from(*n) * a.powi(n - 1)),
        (Op::Add, _) => One,
        (Op::Sub, 0) => One,
        (Op::Sub, _) => MinusOne,
        (Op::Mul, 0) => By(b()),
        (Op::Mul, _) => By(a),
        (Op::Div, 0) => By(b().recip()),
        (Op::Div, _) => By(-(y / b())),
        (Op::Pow, 0) => By(b() * a.pow(b() - 1.0)),
        // aᵇ·ln a goes to 0 with a where b > 0, but 0·ln 0 is NaN.
        (Op::Pow, _) => By(select(y.abs().le(0.0), 0.0, y * a.ln())),
        (Op::Less | Op::LessEq, _) => Zero,
        _ => unreachable!("{} has no partial: it is not elementwise, or a choice", op.name()),
    }
}

/// The first operand's share in a choice: the condition under which `min` or `max` takes it.
pub(crate) fn takes_first<'t>(op: &Op, a: Var<'t>, b: Var<'t>) -> Var<'t> {
    match op {
        Op::Min => a.le(b).var(),
        Op::Max => a.ge(b).var(),
        _ => unreachable!("{} is no choice", op.name()),
    }
}
