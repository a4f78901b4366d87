//! The derivative rules of the elementwise operations: one line an operation.
//!
//! With y = op(a, b), the partial of y by each operand, written with a, b and y. Both the tangent and the
//! adjoint sweep read this table, so that a rule exists once. Choices (select, min, max) are not here: their
//! derivative *selects* and never multiplies, so that a NaN of the branch not taken goes nowhere.

use std::f64::consts::{FRAC_2_SQRT_PI, TAU};

use crate::tape::{Op, Var};

/// ∂y/∂operand.
pub(super) enum Partial<'t> {
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
pub(super) fn partial<'t>(op: &Op, operands: &[Var<'t>], y: Var<'t>, k: usize) -> Partial<'t> {
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
        // 1/√(1 + a²), but a² overflows where cosh(asinh a) does not.
        (Op::Asinh, _) => By(y.cosh().recip()),
        // φ(a)/Φ(a) in logarithms: both are 0 in f64 where their quotient is about -a.
        (Op::LnNormalCdf, _) => By((-0.5 * (a * a) - y).exp() / TAU.sqrt()),
        (Op::LnGamma, _) => By(a.polygamma(0)),
        (Op::Polygamma(n), _) => By(a.polygamma(n + 1)),
        (Op::Powi(0), _) => Zero,
        (Op::Powi(1), _) => One,
        (Op::Powi(2), _) => By(2.0 * a),
        (Op::Powi(n), _) => By(f64::from(*n) * a.powi(n - 1)),
        (Op::Add, _) => One,
        (Op::Sub, 0) => One,
        (Op::Sub, _) => MinusOne,
        (Op::Mul, 0) => By(b()),
        (Op::Mul, _) => By(a),
        (Op::Div, 0) => By(b().recip()),
        (Op::Div, _) => By(-(y / b())),
        (Op::Pow, 0) => By(b() * a.pow(b() - 1.0)),
        (Op::Pow, _) => By(y * a.ln()),
        (Op::Less | Op::LessEq, _) => Zero,
        _ => unreachable!("{} has no partial: it is not elementwise, or a choice", op.name()),
    }
}

/// The first operand's share in a choice: the condition under which `min` or `max` takes it.
pub(super) fn takes_first<'t>(op: &Op, a: Var<'t>, b: Var<'t>) -> Var<'t> {
    match op {
        Op::Min => a.le(b).var(),
        Op::Max => a.ge(b).var(),
        _ => unreachable!("{} is no choice", op.name()),
    }
}
