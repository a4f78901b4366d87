//! A program where no division or norm meets 0: each choice by a condition s ≤ 0 is what it is for s > 0.
//!
//! The checker distinguishes the two cases of such a condition; in this one the simpler formulas of a certificate are to be
//! equal to what it forms itself.

use std::collections::HashMap;

use crate::tape::{Binary, Choice, NodeId, Op, Subgraph, Tape, Var};

/// Records the program of a node anew.
pub(super) fn generic<'t>(tape: &'t Tape, inputs: &[NodeId], of: Var<'t>) -> Var<'t> {
    let subgraph = Subgraph::new(tape, inputs, &[of.id()]);
    let mut new: HashMap<NodeId, NodeId> = HashMap::new();
    for id in subgraph.nodes() {
        let node = tape.node(*id);
        let taken = match node.op {
            Op::Choice(Choice::Select) if is_not_positive(tape, node.operands[0]) => Some(node.operands[2]),
            _ => None,
        };
        let recorded = match taken {
            _ if subgraph.is_input(*id) => *id,
            Some(branch) => new[&branch],
            None if node.operands.iter().all(|operand| new[operand] == *operand) => *id,
            None => tape
                .push(node.op, node.operands.iter().map(|operand| new[operand]).collect(), node.shape)
                .id(),
        };
        new.insert(*id, recorded);
    }
    tape.var(new[&of.id()])
}

/// Whether a condition is s ≤ 0.
fn is_not_positive(tape: &Tape, condition: NodeId) -> bool {
    tape.with_node(condition, |node| {
        node.op == Op::Binary(Binary::LessEq)
            && tape.with_node(node.operands[1], |bound| match &bound.op {
                Op::Constant(data) => data.values().iter().all(|value| *value == 0.0),
                _ => false,
            })
    })
}
