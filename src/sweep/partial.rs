//! The derivative rules of elementwise operations: those of two operands, one line each, and of choices.
//!
//! With y = op(a, b), the partial of y with respect to each operand, in terms of a, b and y. The tangent and the
//! adjoint sweep share this table, so that each rule exists once. Choices (select, min, max) have no partials: their
//! derivative *selects* and never multiplies, so that a NaN of the branch not taken does not propagate.

use super::function;
use crate::tape::{Binary, Choice, Unary, Var, select};

/// ∂y/∂operand.
pub(crate) enum Partial<'t> {
    /// 0 wherever it exists: the operand gets no derivative.
    Zero,
    /// 1
    One,
    /// -1
    MinusOne,
    /// This node.
    By(Var<'t>),
}

/// Returns the derivative of y = op(a): a row of [`function`].
pub(crate) fn unary<'t>(op: Unary, a: Var<'t>, y: Var<'t>) -> Partial<'t> {
    function::derivative(op, a, y)
}

/// Returns the partial of y = op(a, b) with respect to operand k.
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
        // aᵇ·ln a tends to 0 with a where b > 0, but 0·ln 0 is NaN.
        (Binary::Pow, _) => By(select(y.abs().le(0.0), 0.0, y * a.ln())),
        (Binary::LogAddExp, 0) => By((a - b).sigmoid()),
        (Binary::LogAddExp, _) => By((b - a).sigmoid()),
        (Binary::Less | Binary::LessEq, _) => Zero,
    }
}

/// Returns the condition under which a choice selects the first of two operands, and which operands these are.
pub(crate) fn branches<'t>(choice: Choice, operands: &[Var<'t>]) -> (Var<'t>, [usize; 2]) {
    match choice {
        Choice::Min => (operands[0].le(operands[1]).var(), [0, 1]),
        Choice::Max => (operands[0].ge(operands[1]).var(), [0, 1]),
        Choice::Select => (operands[0], [1, 2]),
    }
}
