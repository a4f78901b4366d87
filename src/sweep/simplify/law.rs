//! Laws: what a rule says, as a left side, a right side and a condition.
//!
//! A law is the only place where its rewriting stands. The simplifier looks for its left side and records its right side
//! (`rewrite.rs`), a derivation tells one step of it (`rewrite::retold`), and a test holds both sides against each other in
//! numbers and against the statement that is printed.

use super::pattern::{Found, Head, LETTERS, Pattern, needed};
use crate::tape::{Binary, Shape, Tape, Unary, Var};

/// left = right, where the condition holds.
#[derive(Debug)]
pub struct Law {
    pub(super) left: Pattern,
    pub(super) right: Pattern,
    pub(super) condition: Condition,
}

/// What the bounds, or the nodes themselves, have to show before a law is used. The number is that of a letter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Condition {
    /// Nothing.
    Always,
    /// a > 0
    Positive(usize),
    /// a ≥ 0
    Nonnegative(usize),
    /// a ≤ 0
    Nonpositive(usize),
    /// a has a value for all inputs.
    Defined(usize),
    /// a is a number other than 0.
    OtherThanZero(usize),
    /// a has one element.
    Single(usize),
    /// a has as many rows as columns.
    Square(usize),
    /// The exponent is not 0.
    ExponentNotZero,
}

/// Where a rewritten expression stands in the formula that tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// ln|a|
    Log,
    /// ln(1 + a)
    LogOnePlus,
    /// eᵃ - 1
    ExpLessOne,
}

impl Law {
    /// What is told of the operation around the left side, and its argument.
    pub(super) fn told(&self) -> Option<(Context, &'static Pattern)> {
        let log = self.left.in_log_abs().or_else(|| self.left.argument(Unary::Ln));
        let one_plus = || self.left.argument(Unary::Ln1p).map(|inside| (Context::LogOnePlus, inside));
        let less_one = || self.left.argument(Unary::ExpM1).map(|inside| (Context::ExpLessOne, inside));
        log.map(|inside| (Context::Log, inside)).or_else(one_plus).or_else(less_one)
    }

    /// x and whether it is added, where the left side is 1 ± x.
    pub(super) fn beside_one(&self) -> Option<(bool, &'static Pattern)> {
        match &self.left {
            Pattern::Of(Head::Binary(Binary::Add), [Pattern::Number(1.0), x]) => Some((true, x)),
            Pattern::Of(Head::Binary(Binary::Sub), [Pattern::Number(1.0), x]) => Some((false, x)),
            _ => None,
        }
    }

    /// Whether the right side is a sum of which no other rule opens a term.
    pub(super) fn ends_in_a_sum(&self) -> bool {
        let mut sum = &self.right;
        while let Pattern::Of(Head::Binary(Binary::Mul), [Pattern::Number(_), inner]) = sum {
            sum = inner;
        }
        let sums = matches!(sum, Pattern::Of(Head::Binary(Binary::Add | Binary::Sub) | Head::Select, _));
        sums && !self.right.any(&|part| part.in_log_abs().is_some())
    }

    /// The shapes of the letters up to the last that the law has. Some laws ask for a matrix, others leave it open.
    pub fn shapes(&self) -> Vec<Shape> {
        let used = |letter: &usize| self.left.any(&|part| *part == Pattern::Letter(*letter));
        let count = (0..LETTERS).rfind(used).map_or(0, |last| last + 1);
        let shape = |letter: usize| match self.condition {
            Condition::Single(single) if single == letter => Shape::Matrix(1, 1),
            _ => needed(&self.left, letter).unwrap_or(Shape::Scalar),
        };
        (0..count).map(shape).collect()
    }

    /// Whether the condition allows these letters, of which each is one number, and this exponent.
    pub fn admits(&self, letters: &[f64], exponent: i32) -> bool {
        match self.condition {
            Condition::Always | Condition::Defined(_) | Condition::Single(_) | Condition::Square(_) => true,
            Condition::Positive(a) => letters[a] > 0.0,
            Condition::Nonnegative(a) => letters[a] >= 0.0,
            Condition::Nonpositive(a) => letters[a] <= 0.0,
            Condition::OtherThanZero(a) => letters[a] != 0.0,
            Condition::ExponentNotZero => exponent != 0,
        }
    }

    /// The letter that has to be a number in the program, if one has to.
    pub fn constant(&self) -> Option<usize> {
        match self.condition {
            Condition::OtherThanZero(a) => Some(a),
            _ => None,
        }
    }

    /// Records both sides with these letters and this exponent.
    pub fn record<'t>(&self, tape: &'t Tape, letters: &[Var<'t>], exponent: i32) -> [Var<'t>; 2] {
        let mut found = Found { exponent: Some(exponent), ..Found::default() };
        for (place, letter) in found.letters.iter_mut().zip(letters) {
            *place = Some(letter.id());
        }
        let left = self.left.record(tape, &found);
        [left, self.right.record(tape, &found).broadcast(left.shape())]
    }
}
