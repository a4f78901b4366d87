//! The derivative rules of the elementwise operations: those of two operands, one line each, and of choices.
//!
//! With y = op(a, b), the partial of y by each operand, written with a, b and y. Both the tangent and the
//! adjoint sweep read this table, so that a rule exists once. Choices (select, min, max) have no partials: their
//! derivative *selects* and never multiplies, so that a NaN of the branch not taken goes nowhere.

use super::function;
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

/// The derivative of y = op(a): a row of [`function`].
pub(crate) fn unary<'t>(op: Unary, a: Var<'t>, y: Var<'t>) -> Partial<'t> {
    function::derivative(op, a, y)
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
