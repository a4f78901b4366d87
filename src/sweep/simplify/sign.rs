//! The sign of a product: of factors that the bounds know one by one.
//!
//! The slope of a quotient is a difference, N'/D - N·D'/D², and an interval of a difference has no sign. Brought to one
//! denominator, as its logarithm is, it is a product whose factors often have one.

use super::Simplifier;
use crate::sweep::bound::Bound;
use crate::tape::{Binary, Choice, NodeId, Op, Tape, Unary};

/// How deeply sums, choices and moved data may be nested.
const DEEPEST: usize = 16;

/// The sign that every element of a node has, for all inputs and parameters: 1 or -1, if bounds prove it.
///
/// Nodes before `first` were written by the user. `given` says where nodes lie that the program does not compute, or
/// where they lie under the conditions that the question is asked under.
pub fn sign(tape: &Tape, node: NodeId, first: usize, given: &[(NodeId, Bound)]) -> Option<f64> {
    let mut simplifier = Simplifier::new(tape, first, given);
    // A simplified expression may be defined where this one is not.
    if !simplifier.bounds.of(node).defined {
        return None;
    }
    let literal = simplifier.sign(node, 1);
    literal.or_else(|| {
        let simple = simplifier.run(node).id();
        simplifier.sign(simple, DEEPEST)
    })
}

impl Simplifier<'_> {
    fn sign(&mut self, id: NodeId, depth: usize) -> Option<f64> {
        let bound = self.bounds.of(id);
        if bound.is_positive() || bound.is_negative() {
            return Some(if bound.is_positive() { 1.0 } else { -1.0 });
        }
        let depth = depth.checked_sub(1)?;
        let node = self.tape.node(id);
        let operands = &node.operands;
        match node.op {
            Op::Unary(Unary::Neg) => Some(-self.sign(operands[0], depth)?),
            Op::Unary(Unary::Recip) | Op::Broadcast | Op::Gather(_) | Op::Transpose => {
                self.sign(operands[0], depth)
            }
            Op::Binary(Binary::Mul | Binary::Div) => {
                Some(self.sign(operands[0], depth)? * self.sign(operands[1], depth)?)
            }
            Op::Choice(Choice::Select) => self.one_sign(&operands[1..], depth),
            Op::Concat => self.one_sign(operands, depth),
            Op::Binary(Binary::Add | Binary::Sub) => {
                let factors = self.factored(id)?;
                let mut sign = 1.0;
                for (base, exponent) in factors {
                    sign *= self.sign(base, depth)?.powi(exponent);
                }
                Some(sign)
            }
            _ => None,
        }
    }

    /// The sign of all of these, if it is one.
    fn one_sign(&mut self, nodes: &[NodeId], depth: usize) -> Option<f64> {
        let mut signs = nodes.iter().map(|id| self.sign(*id, depth));
        let first = signs.next()??;
        signs.all(|sign| sign == Some(first)).then_some(first)
    }
}
