//! Coupling layers, recognised on the tape.
//!
//! The output is concatenated from two parts: one is a copy of some inputs, the other is computed from those
//! and from the remaining inputs. The derivation of such a layer uses zₐ and z_b, as in the literature.

use crate::tape::{NodeId, Op, Shape, Subgraph, Tape};

/// Coupling mask: the variables of the identity part and of the transformed part.
#[derive(Clone, Debug)]
pub(super) struct CouplingParts {
    pub(super) identity: Vec<u32>,
    pub(super) transformed: Vec<u32>,
    /// The identity part of the input, as a node; that of the output is the same node.
    pub(super) passed: NodeId,
    /// The transformed part of the input.
    pub(super) before: NodeId,
    /// The transformed part of the output.
    pub(super) after: NodeId,
}

impl CouplingParts {
    /// Returns the coupling mask of a map, if it is a coupling layer.
    pub(super) fn of(tape: &Tape, input: NodeId, output: NodeId) -> Option<CouplingParts> {
        let parts = parts(tape, output)?;
        let [first, second] = parts.as_slice() else { return None };
        let copied = |(node, places): &(NodeId, Vec<u32>)| {
            tape.with_node(*node, |node| match &node.op {
                Op::Gather(indices) => node.operands[0] == input && **indices == **places,
                _ => false,
            })
        };
        let ((passed, identity), (after, moved)) = match (copied(first), copied(second)) {
            (true, false) => (first.clone(), second.clone()),
            (false, true) => (second.clone(), first.clone()),
            _ => return None,
        };
        let before = tape.find(Op::Gather(moved.clone().into()), &[input], Shape::Vector(moved.len()))?;
        let inside = Subgraph::new(tape, &[passed, before], &[after]);
        (!inside.nodes().contains(&input)).then_some(CouplingParts {
            identity,
            transformed: moved,
            passed,
            before,
            after,
        })
    }
}

/// Returns the vectors that an output is concatenated from, and which places of the output each fills.
pub(super) fn parts(tape: &Tape, output: NodeId) -> Option<Vec<(NodeId, Vec<u32>)>> {
    let d = tape.shape(output).len();
    let mut places: Vec<u32> = (0..d as u32).collect();
    let mut id = output;
    loop {
        let node = tape.node(id);
        match &node.op {
            Op::Gather(indices) => {
                places = places.iter().map(|place| indices[*place as usize]).collect();
                id = node.operands[0];
            }
            Op::Concat => {
                // places[k] is the position of output k in the concatenation.
                let mut filled = vec![None; node.shape.len()];
                for (k, place) in places.iter().enumerate() {
                    filled[*place as usize] = Some(k as u32);
                }
                let filled: Vec<u32> = filled.into_iter().collect::<Option<_>>()?;
                let mut start = 0;
                let parts = node.operands.iter().map(|part| {
                    let length = tape.shape(*part).len();
                    let own = filled[start..start + length].to_vec();
                    start += length;
                    (*part, own)
                });
                return Some(parts.collect());
            }
            _ => return None,
        }
    }
}
