//! Programs as scalars: every element of every node is an expression of elements of the inputs and
//! parameters.
//!
//! Data movement, sums and matrix products are written out, so that each question is about scalar functions
//! only. Equal expressions are one scalar, and operands have smaller numbers than the scalars that use them,
//! so that one pass in the order of the numbers answers a question. An element that is the constant 0 (of
//! either sign) makes a product 0, whatever the other factor is, as it does in the executor; an equation
//! z = G(z) is solved by writing out its elements in their order.

use std::borrow::Cow;
use std::rc::Rc;

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashSet};

pub(super) use super::function::Function;

/// The number of a scalar.
pub(super) type Id = u32;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scalar {
    /// An element of the input.
    Input(usize),
    /// A variable introduced by the checker, such as the unknown of an equation or a distance, and the bits
    /// of the ends between which it lies.
    Letter(usize, [u64; 2]),
    Parameter(Rc<str>, usize),
    /// A number, by its bits.
    Number(u64),
    /// 2/√π, the slope of erf at 0.
    TwoOverRootPi,
    Apply(Function, Vec<Id>),
    Sum(Vec<Id>),
    /// Element i of the solution v of A v = b.
    Solve(Rc<[Id]>, Rc<[Id]>, usize),
    /// An element of the inverse of a matrix.
    Inverse(Rc<[Id]>, usize),
    /// The element at a place of a matrix's exponential.
    MatrixExp(Rc<[Id]>, usize),
    LogAbsDet(Rc<[Id]>),
    /// The value of the letter at which the body is 0, and the bits of the ends between which it lies.
    Root {
        body: Id,
        letter: Id,
        ends: [u64; 2],
    },
}

impl Scalar {
    pub fn operands(&self) -> Cow<'_, [Id]> {
        match self {
            Scalar::Input(_) | Scalar::Letter(..) | Scalar::Parameter(..) => Cow::Borrowed(&[]),
            Scalar::Number(_) | Scalar::TwoOverRootPi => Cow::Borrowed(&[]),
            Scalar::Apply(_, operands) | Scalar::Sum(operands) => Cow::Borrowed(operands),
            Scalar::Solve(matrix, right, _) => matrix.iter().chain(right.iter()).copied().collect(),
            Scalar::Inverse(matrix, _) | Scalar::MatrixExp(matrix, _) | Scalar::LogAbsDet(matrix) => {
                Cow::Borrowed(matrix)
            }
            Scalar::Root { body, letter, .. } => Cow::Owned(vec![*letter, *body]),
        }
    }

    /// Returns the expression with other operands.
    fn with(&self, of: impl Fn(Id) -> Id) -> Scalar {
        let all = |ids: &[Id]| ids.iter().map(|id| of(*id)).collect::<Vec<_>>();
        match self {
            Scalar::Apply(function, operands) => Scalar::Apply(*function, all(operands)),
            Scalar::Sum(operands) => Scalar::Sum(all(operands)),
            Scalar::Solve(matrix, right, i) => Scalar::Solve(all(matrix).into(), all(right).into(), *i),
            Scalar::Inverse(matrix, i) => Scalar::Inverse(all(matrix).into(), *i),
            Scalar::MatrixExp(matrix, i) => Scalar::MatrixExp(all(matrix).into(), *i),
            Scalar::LogAbsDet(matrix) => Scalar::LogAbsDet(all(matrix).into()),
            Scalar::Root { body, letter, ends } => {
                Scalar::Root { body: of(*body), letter: of(*letter), ends: *ends }
            }
            leaf => leaf.clone(),
        }
    }
}

/// All scalars of a certificate.
#[derive(Clone, Default)]
pub(super) struct Scalars {
    all: IndexSet<Scalar, FxBuildHasher>,
    letters: usize,
}

impl Scalars {
    pub fn get(&self, id: Id) -> &Scalar {
        &self.all[id as usize]
    }

    pub fn push(&mut self, scalar: Scalar) -> Id {
        self.all.insert_full(scalar).0 as Id
    }

    pub fn number(&mut self, value: f64) -> Id {
        // In real arithmetic -0 = 0.
        self.push(Scalar::Number((value + 0.0).to_bits()))
    }

    /// Number of scalars.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Adds a letter for a real number.
    pub fn letter(&mut self) -> Id {
        self.letter_between([f64::NEG_INFINITY, f64::INFINITY].map(f64::to_bits))
    }

    /// Adds a letter for a number in the open interval between these ends.
    pub fn letter_between(&mut self, ends: [u64; 2]) -> Id {
        self.letters += 1;
        self.push(Scalar::Letter(self.letters, ends))
    }

    pub fn value(&self, id: Id) -> Option<f64> {
        match self.get(id) {
            Scalar::Number(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    pub fn apply(&mut self, function: Function, operands: &[Id]) -> Id {
        if self.is_zero_of(function, operands) {
            return self.number(0.0);
        }
        // Adding 0 has no effect.
        if let (Function::Add, [a, b]) = (function, operands) {
            match (self.value(*a), self.value(*b)) {
                (Some(0.0), _) => return *b,
                (_, Some(0.0)) => return *a,
                _ => {}
            }
        }
        // Of the numbers 0 and 1, which conditions are, the smaller, the larger and the difference are exact.
        if let (Function::Min | Function::Max | Function::Sub, [a, b]) = (function, operands)
            && let (Some(a), Some(b)) = (self.value(*a), self.value(*b))
            && [a, b].iter().all(|value| [0.0, 1.0].contains(value))
        {
            return self.number(match function {
                Function::Min => a.min(b),
                Function::Max => a.max(b),
                _ => a - b,
            });
        }
        // With a constant condition, only the branch taken counts.
        if function == Function::Select
            && let Some(condition) = self.value(operands[0])
        {
            return operands[if condition == 0.0 { 2 } else { 1 }];
        }
        self.push(Scalar::Apply(function, operands.to_vec()))
    }

    /// Returns whether a result is 0 because operands are the constant 0. A product then is, whatever the
    /// other factor.
    fn is_zero_of(&self, function: Function, operands: &[Id]) -> bool {
        use Function as F;
        let zero = |k: usize| self.value(operands[k]) == Some(0.0);
        match function {
            F::Mul => zero(0) || zero(1),
            F::Add | F::Sub | F::Min | F::Max => zero(0) && zero(1),
            F::Select => zero(1) && zero(2),
            F::Div => zero(0) && self.value(operands[1]).is_some_and(|value| value != 0.0),
            F::Powi(n) => n > 0 && zero(0),
            F::Neg | F::ExpM1 | F::Ln1p | F::Tanh | F::Sin | F::Sqrt | F::Abs | F::Sign => zero(0),
            F::Erf | F::Sinh | F::Asinh | F::AtanPi | F::TanPi => zero(0),
            // Not 0 at 0, or a base, a condition and an order that would have to be looked at.
            F::Recip
            | F::Exp
            | F::Ln
            | F::Sech2
            | F::Sigmoid
            | F::Softplus
            | F::Cos
            | F::Cosh
            | F::AsinhSlope => false,
            F::NormalCdf
            | F::NormalQuantile
            | F::LnNormalCdf
            | F::InverseMills(_)
            | F::LnGamma
            | F::Polygamma(_)
            | F::Pow
            | F::LogAddExp
            | F::Less
            | F::LessEq => false,
        }
    }

    /// Returns the scalars on which `roots` depend, operands first; without those for which `stop` holds, and
    /// those that only they need.
    pub fn order(&self, roots: &[Id], stop: impl Fn(Id) -> bool) -> Vec<Id> {
        let mut seen = FxHashSet::default();
        let mut stack: Vec<Id> = roots.to_vec();
        while let Some(id) = stack.pop() {
            if !stop(id) && seen.insert(id) {
                stack.extend_from_slice(&self.get(id).operands());
            }
        }
        let mut order: Vec<Id> = seen.into_iter().collect();
        order.sort_unstable();
        order
    }

    /// Returns an expression with some scalars replaced by others.
    ///
    /// What is multiplied by a 0 that comes in so stays: only the *constant* 0 of a program takes whatever the other factor
    /// is, and at a point where a factor is 0 the other one may be undefined.
    pub fn replaced(&mut self, root: Id, by: &std::collections::HashMap<Id, Id>) -> Id {
        let mut new = by.clone();
        // Scalars older than all of the replaced ones contain none of them.
        let least = by.keys().copied().min().unwrap_or(0);
        for id in self.order(&[root], |id| id < least || by.contains_key(&id)) {
            let scalar = self.get(id).clone();
            let changed =
                scalar.operands().iter().any(|operand| new.get(operand).is_some_and(|n| n != operand));
            let again = match changed {
                true => match scalar.with(|operand| new.get(&operand).copied().unwrap_or(operand)) {
                    Scalar::Apply(Function::Mul, operands) => {
                        self.push(Scalar::Apply(Function::Mul, operands))
                    }
                    Scalar::Apply(function, operands) => self.apply(function, &operands),
                    other => self.push(other),
                },
                false => id,
            };
            new.insert(id, again);
        }
        new.get(&root).copied().unwrap_or(root)
    }
}
