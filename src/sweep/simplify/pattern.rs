//! Patterns: the two sides of a law, over which operations are applied to letters.
//!
//! A pattern is written once, as a constant, and read three ways: it is looked for on a tape, it is recorded as it
//! stands, and the simplifier puts it into normal form while it is applied (`rewrite.rs`).

use crate::sweep::tangent::choice;
use crate::tape::{Binary, Choice, NodeId, Op, Shape, Tape, Unary, Var};

/// How many letters a law may have.
pub(super) const LETTERS: usize = 3;

/// ½·ln 2π, as f64 has it.
pub(super) const LN_SQRT_TAU: f64 = 0.918_938_533_204_672_7;

/// One side of a law.
#[derive(Debug, PartialEq)]
pub(super) enum Pattern {
    /// Any node; the same one wherever the letter stands.
    Letter(usize),
    /// A number, repeated to any shape.
    Number(f64),
    /// An operation on patterns.
    Of(Head, &'static [Pattern]),
    /// aᵏ for a whole number k.
    Power(&'static [Pattern; 1]),
    /// The k of a power on the other side.
    Exponent,
    /// -a, recorded without two minus signs.
    Minus(&'static [Pattern; 1]),
}

/// The operations that patterns know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Head {
    Unary(Unary),
    Binary(Binary),
    Select,
    MatVec,
    MatMul,
    Transpose,
    Inverse,
    LogAbsDet,
}

impl Head {
    pub(super) fn of(op: &Op) -> Option<Head> {
        match op {
            Op::Unary(function) => Some(Head::Unary(*function)),
            Op::Binary(function) => Some(Head::Binary(*function)),
            Op::Choice(Choice::Select) => Some(Head::Select),
            Op::MatVec => Some(Head::MatVec),
            Op::MatMul => Some(Head::MatMul),
            Op::LogAbsDet => Some(Head::LogAbsDet),
            Op::Transpose => Some(Head::Transpose),
            Op::Inverse => Some(Head::Inverse),
            _ => None,
        }
    }

    /// Records the operation.
    pub(super) fn record<'t>(self, operands: &[Var<'t>]) -> Var<'t> {
        match self {
            Head::Unary(function) => operands[0].apply(function),
            Head::Binary(Binary::Add) => operands[0] + operands[1],
            Head::Binary(Binary::Sub) => operands[0] - operands[1],
            Head::Binary(Binary::Mul) => operands[0] * operands[1],
            Head::Binary(Binary::Div) => operands[0] / operands[1],
            Head::Binary(Binary::Pow) => operands[0].pow(operands[1]),
            Head::Binary(Binary::Less) => operands[0].lt(operands[1]).var(),
            Head::Binary(Binary::LogAddExp) => operands[0].log_add_exp(operands[1]),
            Head::Binary(Binary::LessEq) => operands[0].le(operands[1]).var(),
            Head::Select => {
                let shape = operands[1].shape();
                choice(operands[0].broadcast(shape), operands[1], operands[2].broadcast(shape))
            }
            Head::MatVec => operands[0].matvec(operands[1]),
            Head::MatMul => operands[0].matmul(operands[1]),
            Head::LogAbsDet => operands[0].log_abs_det(),
            Head::Transpose => operands[0].transpose(),
            Head::Inverse => operands[0].inverse(),
        }
    }
}

/// What the letters of a pattern stand for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    pub(super) letters: [Option<NodeId>; LETTERS],
    pub(super) exponent: Option<i32>,
}

impl Found {
    /// The node that a letter stands for.
    pub(super) fn letter(&self, letter: usize) -> NodeId {
        self.letters[letter].expect("the letters of a right side stand on the left side")
    }

    pub(super) fn exponent(&self) -> i32 {
        self.exponent.expect("an exponent on the right side stands on the left side")
    }
}

impl Pattern {
    /// Whether the node has this form; `found` gets what the letters stand for.
    pub(super) fn matches(&self, tape: &Tape, id: NodeId, found: &mut Found) -> bool {
        match self {
            Pattern::Letter(letter) => *found.letters[*letter].get_or_insert(id) == id,
            Pattern::Number(value) => number(tape, id) == Some(*value),
            Pattern::Of(..) | Pattern::Power(_) | Pattern::Minus(_) => {
                if !tape.with_node(id, |node| self.may_be(&node.op)) {
                    return false;
                }
                let node = tape.node(id);
                self.matches_operation(tape, &node.op, &node.operands, found)
            }
            Pattern::Exponent => false,
        }
    }

    /// Whether an operation on these operands has this form.
    pub(super) fn matches_operation(
        &self,
        tape: &Tape,
        op: &Op,
        operands: &[NodeId],
        found: &mut Found,
    ) -> bool {
        if !self.may_be(op) {
            return false;
        }
        if let (Pattern::Power(_), Op::Unary(Unary::Powi(exponent))) = (self, op) {
            found.exponent = Some(*exponent);
        }
        self.inside().iter().zip(operands).all(|(pattern, id)| pattern.matches(tape, *id, found))
    }

    /// The name of the outermost operation.
    ///
    /// # Panics
    /// For a pattern without one: a letter or a number is no left side.
    pub(super) fn operation(&self) -> &'static str {
        match self {
            Pattern::Of(Head::Unary(function), _) => function.name(),
            Pattern::Of(Head::Binary(function), _) => function.name(),
            Pattern::Of(Head::Select, _) => Op::Choice(Choice::Select).name(),
            Pattern::Of(Head::MatVec, _) => Op::MatVec.name(),
            Pattern::Of(Head::MatMul, _) => Op::MatMul.name(),
            Pattern::Of(Head::LogAbsDet, _) => Op::LogAbsDet.name(),
            Pattern::Of(Head::Transpose, _) => Op::Transpose.name(),
            Pattern::Of(Head::Inverse, _) => Op::Inverse.name(),
            Pattern::Power(_) => Unary::Powi(0).name(),
            Pattern::Minus(_) => Unary::Neg.name(),
            Pattern::Letter(_) | Pattern::Number(_) | Pattern::Exponent => {
                panic!("the left side of a law is an operation")
            }
        }
    }

    /// Whether the outermost operation may be this one.
    fn may_be(&self, op: &Op) -> bool {
        match self {
            Pattern::Of(head, _) => Head::of(op) == Some(*head),
            Pattern::Power(_) => matches!(op, Op::Unary(Unary::Powi(_))),
            Pattern::Minus(_) => *op == Op::Unary(Unary::Neg),
            Pattern::Letter(_) | Pattern::Number(_) | Pattern::Exponent => false,
        }
    }

    /// The patterns that the outermost operation is applied to.
    pub(super) fn inside(&self) -> &'static [Pattern] {
        match self {
            Pattern::Of(_, inside) => inside,
            Pattern::Power(inside) | Pattern::Minus(inside) => *inside,
            Pattern::Letter(_) | Pattern::Number(_) | Pattern::Exponent => &[],
        }
    }

    /// The argument, where this is the function of something.
    pub(super) fn argument(&self, function: Unary) -> Option<&'static Pattern> {
        match self {
            Pattern::Of(Head::Unary(own), [argument]) if *own == function => Some(argument),
            _ => None,
        }
    }

    /// x, where this is ln|x|.
    pub(super) fn in_log_abs(&self) -> Option<&'static Pattern> {
        self.argument(Unary::Ln)?.argument(Unary::Abs)
    }

    /// How many operations, letters and numbers stand in it.
    pub(super) fn size(&self) -> usize {
        1 + self.inside().iter().map(Pattern::size).sum::<usize>()
    }

    /// Whether this holds for some part of the pattern.
    pub(super) fn any(&self, holds: &dyn Fn(&Pattern) -> bool) -> bool {
        holds(self) || self.inside().iter().any(|inner| inner.any(holds))
    }

    /// Records the pattern as it stands; only 1·x is x.
    pub(super) fn record<'t>(&self, tape: &'t Tape, found: &Found) -> Var<'t> {
        match self {
            Pattern::Letter(letter) => tape.var(found.letter(*letter)),
            Pattern::Number(value) => tape.constant(*value),
            Pattern::Exponent => tape.constant(f64::from(found.exponent())),
            Pattern::Power([base]) => base.record(tape, found).powi(found.exponent()),
            Pattern::Minus([inner]) => -inner.record(tape, found),
            Pattern::Of(head, inside) => {
                let operands: Vec<Var<'t>> =
                    inside.iter().map(|pattern| pattern.record(tape, found)).collect();
                if *head == Head::Binary(Binary::Mul) && number(tape, operands[0].id()) == Some(1.0) {
                    return operands[1];
                }
                head.record(&operands)
            }
        }
    }
}

/// The one number that all elements of a constant have.
pub(super) fn number(tape: &Tape, id: NodeId) -> Option<f64> {
    tape.with_node(id, |node| match &node.op {
        Op::Constant(data) => {
            let first = *data.values().first()?;
            data.values().iter().all(|value| *value == first).then_some(first)
        }
        Op::Broadcast => tape.with_node(node.operands[0], |node| match &node.op {
            Op::Constant(data) => data.values().first().copied(),
            _ => None,
        }),
        _ => None,
    })
}

/// The shape that a letter needs so that a pattern has one; `None` where any will do.
pub(super) fn needed(pattern: &Pattern, letter: usize) -> Option<Shape> {
    let is = |pattern: &Pattern| *pattern == Pattern::Letter(letter);
    let own = match pattern {
        Pattern::Of(Head::MatVec, [matrix, _]) if is(matrix) => Some(Shape::Matrix(2, 2)),
        Pattern::Of(Head::MatVec, [_, vector]) if is(vector) => Some(Shape::Vector(2)),
        Pattern::Of(Head::Transpose | Head::Inverse | Head::LogAbsDet, [matrix]) if is(matrix) => {
            Some(Shape::Matrix(2, 2))
        }
        Pattern::Of(Head::MatMul, [a, b]) if is(a) || is(b) => Some(Shape::Matrix(2, 2)),
        _ => None,
    };
    own.or_else(|| pattern.inside().iter().find_map(|inner| needed(inner, letter)))
}

/// Writes a pattern: letters `a`, `b`, `c`, numbers, and everything else in brackets. `(f x)` is a function, `(x + y)` and
/// its kin an operation, `(|x|)` and `(ln |x|)` have bars, `(x ^ k)` is a whole power with a letter of its own, and
/// `(minus x)` is -x without two minus signs.
macro_rules! pattern {
    (a) => { Pattern::Letter(0) };
    (b) => { Pattern::Letter(1) };
    (c) => { Pattern::Letter(2) };
    (k) => { Pattern::Exponent };
    (LN_SQRT_TAU) => { Pattern::Number(LN_SQRT_TAU) };
    ($number:literal) => { Pattern::Number($number) };
    // Numbers below 0 one by one: `literal` would take the sign of -x for the beginning of one.
    ((-2.0)) => { Pattern::Number(-2.0) };
    ((-0.5)) => { Pattern::Number(-0.5) };
    ((- $x:tt)) => { Pattern::Of(Head::Unary(Unary::Neg), &[pattern!($x)]) };
    ((minus $x:tt)) => { Pattern::Minus(&[pattern!($x)]) };
    ((ln |$x:tt|)) => { Pattern::Of(Head::Unary(Unary::Ln), &[pattern!((|$x|))]) };
    ((|$x:tt|)) => { Pattern::Of(Head::Unary(Unary::Abs), &[pattern!($x)]) };
    (($x:tt + $y:tt)) => { Pattern::Of(Head::Binary(Binary::Add), &[pattern!($x), pattern!($y)]) };
    (($x:tt - $y:tt)) => { Pattern::Of(Head::Binary(Binary::Sub), &[pattern!($x), pattern!($y)]) };
    (($x:tt * $y:tt)) => { Pattern::Of(Head::Binary(Binary::Mul), &[pattern!($x), pattern!($y)]) };
    ((1 / $y:tt)) => { Pattern::Of(Head::Unary(Unary::Recip), &[pattern!($y)]) };
    (($x:tt / $y:tt)) => { Pattern::Of(Head::Binary(Binary::Div), &[pattern!($x), pattern!($y)]) };
    (($x:tt < $y:tt)) => { Pattern::Of(Head::Binary(Binary::Less), &[pattern!($x), pattern!($y)]) };
    (($x:tt ^ k)) => { Pattern::Power(&[pattern!($x)]) };
    (($x:tt ^ $k:literal)) => { Pattern::Of(Head::Unary(Unary::Powi($k)), &[pattern!($x)]) };
    (($x:tt ^ $y:tt)) => { Pattern::Of(Head::Binary(Binary::Pow), &[pattern!($x), pattern!($y)]) };
    ((if $x:tt {$y:tt} else {$z:tt})) => {
        Pattern::Of(Head::Select, &[pattern!($x), pattern!($y), pattern!($z)])
    };
    ((matvec $x:tt $y:tt)) => { Pattern::Of(Head::MatVec, &[pattern!($x), pattern!($y)]) };
    ((matmul $x:tt $y:tt)) => { Pattern::Of(Head::MatMul, &[pattern!($x), pattern!($y)]) };
    ((lndet $x:tt)) => { Pattern::Of(Head::LogAbsDet, &[pattern!($x)]) };
    ((transpose $x:tt)) => { Pattern::Of(Head::Transpose, &[pattern!($x)]) };
    ((inverse $x:tt)) => { Pattern::Of(Head::Inverse, &[pattern!($x)]) };
    ((InverseMills $x:tt)) => { Pattern::Of(Head::Unary(Unary::InverseMills(0)), &[pattern!($x)]) };
    ((exp $x:tt)) => { Pattern::Of(Head::Unary(Unary::Exp), &[pattern!($x)]) };
    ((ln $x:tt)) => { Pattern::Of(Head::Unary(Unary::Ln), &[pattern!($x)]) };
    (($function:ident $x:tt)) => { Pattern::Of(Head::Unary(Unary::$function), &[pattern!($x)]) };
}

pub(super) use pattern;
