//! The derivative rules of the elementwise operations: one line an operation.
//!
//! With y = op(a, b), the partial of y by each operand, written with a, b and y. Both the tangent and the
//! adjoint sweep read this table, so that a rule exists once. Choices (select, min, max) have no partials: their
//! derivative *selects* and never multiplies, so that a NaN of the branch not taken goes nowhere.

use std::f64::consts::FRAC_2_SQRT_PI;

use crate::tape::{Binary, Choice, Unary, Var, select};

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

/// The derivative of y = op(a).
pub(crate) fn unary<'t>(op: Unary, a: Var<'t>, y: Var<'t>) -> Partial<'t> {
    use Partial::{By, MinusOne, One, Zero};
    match op {
        Unary::Neg => MinusOne,
        Unary::Recip => By(-(y * y)),
        Unary::Exp => By(y),
        Unary::Ln => By(a.recip()),
        Unary::ExpM1 => By(a.exp()),
        Unary::Ln1p => By((1.0 + a).recip()),
        // Not 1 - y²: that cancels where y is near ±1, and is 0 from a = 19.06 on.
        Unary::Tanh => By(a.sech_squared()),
        Unary::SechSquared => By(-2.0 * (a.tanh() * y)),
        // σ(a)·σ(-a), not y·(1 - y): that cancels where σ is near 1.
        Unary::Sigmoid => By(y * (-a).sigmoid()),
        Unary::Softplus => By(a.sigmoid()),
        Unary::Sin => By(a.cos()),
        Unary::Cos => By(-a.sin()),
        Unary::Sqrt => By(0.5 / y),
        Unary::Abs => By(a.sign()),
        Unary::Sign => Zero,
        Unary::Erf => By(FRAC_2_SQRT_PI * (-(a * a)).exp()),
        Unary::Sinh => By(a.cosh()),
        Unary::Cosh => By(a.sinh()),
        // Neither 1/√(1 + a²) as it stands, where a² overflows, nor 1/cosh y, which has y units of error.
        Unary::Asinh => By(a.asinh_slope()),
        // -a·y³, of which neither part overflows.
        Unary::AsinhSlope => By(-((a * y) * (y * y))),
        Unary::LnNormalCdf => By(a.inverse_mills(0)),
        Unary::InverseMills(n) => By(a.inverse_mills(n + 1)),
        Unary::LnGamma => By(a.polygamma(0)),
        Unary::Polygamma(n) => By(a.polygamma(n + 1)),
        Unary::Powi(0) => Zero,
        Unary::Powi(1) => One,
        Unary::Powi(2) => By(2.0 * a),
        // n - 1 is no i32.
        Unary::Powi(i32::MIN) => By(f64::from(i32::MIN) * (y / a)),
        Unary::Powi(n) => By(f64::from(n) * a.powi(n - 1)),
    }
}

/// The partial of y = op(a, b) by its operand k.
pub(crate) fn binary<'t>(op: Binary, [a, b]: [Var<'t>; 2], y: Var<'t>, k: usize) -> Partial<'t> {
    use Partial::{By, MinusOne, One, Zero};
    match (op, k) {
        (Binary::Add, _) => One,
        (Binary::Sub, 0) => One,
        (Binary::Sub, _) => MinusOne,
        (Binary::Mul, 0) => By(b),
        (Binary::Mul, _) => By(a),
        (Binary::Div, 0) => By(b.recip()),
        (Binary::Div, _) => By(-(y / b)),
        (Binary::Pow, 0) => By(b * a.pow(b - 1.0)),
        // aᵇ·ln a goes to 0 with a where b > 0, but 0·ln 0 is NaN.
        (Binary::Pow, _) => By(select(y.abs().le(0.0), 0.0, y * a.ln())),
        (Binary::Less | Binary::LessEq, _) => Zero,
    }
}

/// The condition under which a choice takes the first of two operands, and which operands these are.
pub(crate) fn branches<'t>(choice: Choice, operands: &[Var<'t>]) -> (Var<'t>, [usize; 2]) {
    match choice {
        Choice::Min => (operands[0].le(operands[1]).var(), [0, 1]),
        Choice::Max => (operands[0].ge(operands[1]).var(), [0, 1]),
        Choice::Select => (operands[0], [1, 2]),
    }
}
