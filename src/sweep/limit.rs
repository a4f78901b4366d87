//! The limit sweep: the limits of the elements of a program as its variable tends to ±∞.
//!
//! It is used for increasing functions: one that tends to -∞ on the left and to ∞ on the right has a zero whatever
//! its other operands are, so that an equation has a solution for every right side. Limits hold for all values of the
//! other operands, each kept fixed.

use std::collections::HashMap;

use super::bound::{Bound, Bounds};
use super::continuity::may_be_discontinuous;
use super::function;
use crate::tape::{Binary, Choice, Function, Node, NodeId, Op, Subgraph, Tape};

/// The limits of the elements of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Constant: they do not depend on the variable.
    Fixed,
    /// They stay bounded.
    Bounded,
    /// They tend to ∞.
    Up,
    /// They tend to -∞.
    Down,
    /// Unknown.
    Unknown,
}

use Limit::{Bounded, Down, Fixed, Unknown, Up};

impl Limit {
    /// The limit of a function that is continuous on the reals and has these limits on the left and on the right.
    pub fn of_continuous(self, left: Limit, right: Limit) -> Limit {
        match self {
            Down => left,
            Up => right,
            Fixed | Bounded | Unknown => self,
        }
    }

    /// The limit of a function that tends to ∞ on the right, and of which nothing else is known.
    pub fn only_upwards(self) -> Limit {
        if self == Up { Up } else { Unknown }
    }
}

/// Whether an increasing function is proven to have a zero between these ends, for all values of what it captures.
/// Only ends at ±∞ are proven.
pub(super) fn crosses_zero(function: &Function, ends: (f64, f64), captured: &[Bound]) -> bool {
    if ends != (f64::NEG_INFINITY, f64::INFINITY) {
        return false;
    }
    let (tape, inputs, output) = function.tape();
    let variable = inputs[0];
    let given: Vec<(NodeId, Bound)> =
        inputs.into_iter().zip([Bound::REALS].into_iter().chain(captured.iter().copied())).collect();
    let bounds = Bounds::new(&tape, &given);
    // A continuous function that is negative on the left and positive on the right has a zero between.
    bounds.of(output).defined
        && !may_be_discontinuous(&tape, &Subgraph::new(&tape, &[variable], &[output]))
        && limit(&tape, variable, output, &bounds, Down) == Down
        && limit(&tape, variable, output, &bounds, Up) == Up
}

fn limit(tape: &Tape, variable: NodeId, output: NodeId, bounds: &Bounds<'_>, start: Limit) -> Limit {
    let subgraph = Subgraph::new(tape, &[variable], &[output]);
    let mut limits: HashMap<NodeId, Limit> = HashMap::new();
    for id in subgraph.nodes() {
        // A sum of no elements is constant.
        let limit = match *id == variable {
            _ if tape.shape(*id).is_empty() => Fixed,
            true => start,
            false => node_limit(&tape.node(*id), &limits, bounds),
        };
        limits.insert(*id, limit);
    }
    limits[&output]
}

fn node_limit(node: &Node, limits: &HashMap<NodeId, Limit>, bounds: &Bounds<'_>) -> Limit {
    let of = |k: usize| limits[&node.operands[k]];
    if node.operands.iter().all(|operand| limits[operand] == Fixed) {
        return Fixed;
    }
    let bound = |k: usize| bounds.of(node.operands[k]);
    match &node.op {
        Op::Unary(op) => function::limit(*op, of(0)),
        Op::Binary(Binary::Add) => sum(of(0), of(1)),
        Op::Binary(Binary::Sub) => sum(of(0), turned(of(1))),
        Op::Binary(Binary::Mul) => product((of(0), bound(0)), (of(1), bound(1))),
        // A denominator bounded away from 0 keeps a bounded quotient bounded; a constant one also keeps signs.
        Op::Binary(Binary::Div) => match (of(0), of(1)) {
            (Up, Fixed) if bound(1).is_positive() => Up,
            (Down, Fixed) if bound(1).is_positive() => Down,
            (Up, Fixed) if bound(1).is_negative() => Down,
            (Down, Fixed) if bound(1).is_negative() => Up,
            (Bounded, Fixed) if bound(1).nonzero => Bounded,
            (Bounded | Fixed, Up | Down) => Bounded,
            _ => Unknown,
        },
        // Between the larger one and that plus ln 2.
        Op::Binary(Binary::LogAddExp) => match (of(0), of(1)) {
            (Up, _) | (_, Up) => Up,
            (Down, Down) => Down,
            (Unknown, _) | (_, Unknown) => Unknown,
            _ => Bounded,
        },
        Op::Binary(Binary::Less | Binary::LessEq) => Bounded,
        Op::Choice(Choice::Min | Choice::Max) => match (of(0), of(1)) {
            (a, b) if a == b => a,
            (Fixed | Bounded, Fixed | Bounded) => Bounded,
            _ => Unknown,
        },
        // Whichever branch is taken.
        Op::Choice(Choice::Select) => match (of(1), of(2)) {
            (Fixed | Bounded, Fixed | Bounded) => Bounded,
            (a, b) if a == b => a,
            _ => Unknown,
        },
        Op::Broadcast | Op::Gather(_) | Op::Transpose | Op::Sum => of(0),
        Op::Concat => {
            let first = of(0);
            let alike = (1..node.operands.len()).all(|k| of(k) == first);
            if alike { first } else { Unknown }
        }
        Op::MatVec | Op::MatMul | Op::Outer => product((of(0), bound(0)), (of(1), bound(1))),
        Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => Fixed,
        Op::Binary(Binary::Pow) => Unknown,
        Op::Scatter(_) | Op::LogAbsDet | Op::Inverse | Op::MatrixExp | Op::Equation(_) | Op::Solution(_) => {
            Unknown
        }
    }
}

fn turned(limit: Limit) -> Limit {
    match limit {
        Up => Down,
        Down => Up,
        other => other,
    }
}

fn sum(a: Limit, b: Limit) -> Limit {
    match (a, b) {
        (Fixed | Bounded, Fixed | Bounded) => Bounded,
        (Up, Up | Fixed | Bounded) | (Fixed | Bounded, Up) => Up,
        (Down, Down | Fixed | Bounded) | (Fixed | Bounded, Down) => Down,
        _ => Unknown,
    }
}

fn product((a, a_bound): (Limit, Bound), (b, b_bound): (Limit, Bound)) -> Limit {
    // A bounded factor preserves a limit only if it is bounded away from 0.
    let sign = |limit: Limit, bound: Bound| match limit {
        Fixed if bound.is_positive() => Some(1),
        Fixed if bound.is_negative() => Some(-1),
        Bounded if bound.low.at > 0.0 => Some(1),
        Bounded if bound.high.at < 0.0 => Some(-1),
        Up => Some(1),
        Down => Some(-1),
        _ => None,
    };
    match (a, b) {
        (Fixed | Bounded, Fixed | Bounded) => Bounded,
        _ => match (sign(a, a_bound), sign(b, b_bound)) {
            (Some(a), Some(b)) if a * b > 0 => Up,
            (Some(_), Some(_)) => Down,
            _ => Unknown,
        },
    }
}
