//! The functions of two numbers, and the choices between two.
//!
//! A choice is its own kind because its derivative *selects* and never multiplies, so that a NaN of the branch not
//! taken goes nowhere.

use super::elementwise::elementwise;
use super::{Condition, Op, Operand, Var};

/// A function of two numbers, applied to each pair of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Binary {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a·b
    Mul,
    /// a/b
    Div,
    /// aᵇ, for a > 0; 0 where a is 0 and b > 0
    Pow,
    /// ln(eᵃ + eᵇ), without overflow
    LogAddExp,
    /// 1 where a < b, else 0: a condition
    Less,
    /// 1 where a ≤ b, else 0: a condition
    LessEq,
}

/// One of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// the smaller one
    Min,
    /// the larger one
    Max,
    /// condition ? a : b, never looking at the one not taken
    Select,
}

impl Binary {
    /// Every function once.
    pub const ALL: &[Binary] = &[
        Binary::Add,
        Binary::Sub,
        Binary::Mul,
        Binary::Div,
        Binary::Pow,
        Binary::LogAddExp,
        Binary::Less,
        Binary::LessEq,
    ];

    /// The name in messages and printed programs.
    pub fn name(self) -> &'static str {
        match self {
            Binary::Add => "add",
            Binary::Sub => "sub",
            Binary::Mul => "mul",
            Binary::Div => "div",
            Binary::Pow => "pow",
            Binary::LogAddExp => "log_add_exp",
            Binary::Less => "less",
            Binary::LessEq => "less_eq",
        }
    }
}

impl Choice {
    /// Every choice once.
    pub const ALL: &[Choice] = &[Choice::Min, Choice::Max, Choice::Select];

    /// The name in messages and printed programs.
    pub fn name(self) -> &'static str {
        match self {
            Choice::Min => "min",
            Choice::Max => "max",
            Choice::Select => "select",
        }
    }
}

impl<'t> Var<'t> {
    /// aᵇ for a > 0; 0 where a is 0 and b > 0.
    #[track_caller]
    pub fn pow(self, exponent: impl Operand<'t>) -> Var<'t> {
        elementwise(Op::Binary(Binary::Pow), &[self, exponent.on(self.tape())])
    }

    /// ln(eᵃ + eᵇ), without overflow. It increases in both, which bounds know, so that sums of powers that are formed
    /// of it are proven monotone; see also [`Var::log_sum_exp`](Var::log_sum_exp).
    #[track_caller]
    pub fn log_add_exp(self, other: impl Operand<'t>) -> Var<'t> {
        elementwise(Op::Binary(Binary::LogAddExp), &[self, other.on(self.tape())])
    }

    /// The smaller of the two.
    #[track_caller]
    pub fn min(self, other: impl Operand<'t>) -> Var<'t> {
        elementwise(Op::Choice(Choice::Min), &[self, other.on(self.tape())])
    }

    /// The larger of the two.
    #[track_caller]
    pub fn max(self, other: impl Operand<'t>) -> Var<'t> {
        elementwise(Op::Choice(Choice::Max), &[self, other.on(self.tape())])
    }

    /// a < b
    #[track_caller]
    pub fn lt(self, other: impl Operand<'t>) -> Condition<'t> {
        Condition(elementwise(Op::Binary(Binary::Less), &[self, other.on(self.tape())]))
    }

    /// a ≤ b
    #[track_caller]
    pub fn le(self, other: impl Operand<'t>) -> Condition<'t> {
        Condition(elementwise(Op::Binary(Binary::LessEq), &[self, other.on(self.tape())]))
    }

    /// a > b
    #[track_caller]
    pub fn gt(self, other: impl Operand<'t>) -> Condition<'t> {
        Condition(elementwise(Op::Binary(Binary::Less), &[other.on(self.tape()), self]))
    }

    /// a ≥ b
    #[track_caller]
    pub fn ge(self, other: impl Operand<'t>) -> Condition<'t> {
        Condition(elementwise(Op::Binary(Binary::LessEq), &[other.on(self.tape()), self]))
    }
}
