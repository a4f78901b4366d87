//! Copy propagation: data movement is resolved, so that equal expressions become one node.
//!
//! Gathers of concatenations, gathers of gathers and identity gathers are replaced by their sources. Values do not
//! change; but in a flow that computes z = f⁻¹(x) and then derives log|det J| at z, both turn out to read the same
//! half of x, so that the conditioner's network runs once instead of twice. This holds for gradients too: if copies
//! are propagated before the adjoint sweep, the adjoints of z and of log|det J| meet at one node and pass through the
//! network together.

use std::collections::HashMap;

use crate::tape::{Node, NodeId, Op, Subgraph, Tape};

/// Returns the outputs without redundant data movement.
pub fn propagate_copies(tape: &Tape, subgraph: &Subgraph) -> Vec<NodeId> {
    let mut renamed: HashMap<NodeId, NodeId> = HashMap::new();
    for id in subgraph.nodes() {
        if subgraph.is_input(*id) {
            continue;
        }
        let mut node = tape.node(*id);
        let mut changed = false;
        for operand in &mut node.operands {
            if let Some(new) = renamed.get(operand) {
                *operand = *new;
                changed = true;
            }
        }
        let new = match look_through(tape, subgraph, &node) {
            Some(new) => new,
            None if changed => tape.push(node.op, node.operands, node.shape).id(),
            None => continue,
        };
        renamed.insert(*id, new);
    }
    subgraph.outputs().iter().map(|id| renamed.get(id).copied().unwrap_or(*id)).collect()
}

/// Returns the source of a gather, if it is simpler.
fn look_through(tape: &Tape, subgraph: &Subgraph, node: &Node) -> Option<NodeId> {
    let Op::Gather(indices) = &node.op else { return None };
    let mut from = node.operands[0];
    let mut positions: Vec<usize> = indices.iter().map(|index| *index as usize).collect();
    let mut moved = false;
    while !subgraph.is_input(from) {
        let source = tape.node(from);
        match &source.op {
            Op::Gather(inner) => {
                positions.iter_mut().for_each(|position| *position = inner[*position] as usize);
                from = source.operands[0];
            }
            Op::Concat => {
                let mut start = 0;
                let part = source.operands.iter().find(|part| {
                    let length = tape.shape(**part).len();
                    let inside = positions.iter().all(|p| (start..start + length).contains(p));
                    if !inside {
                        start += length;
                    }
                    inside && !positions.is_empty()
                });
                let Some(part) = part else { break };
                positions.iter_mut().for_each(|position| *position -= start);
                from = *part;
            }
            Op::Broadcast => {
                let scalar = tape.var(source.operands[0]);
                return Some(scalar.broadcast(node.shape).id());
            }
            _ => break,
        }
        moved = true;
    }
    let source = tape.var(from);
    if source.shape() == node.shape && positions.iter().enumerate().all(|(e, position)| e == *position) {
        return Some(from);
    }
    moved.then(|| source.pick("gather", &positions, node.shape).id())
}
