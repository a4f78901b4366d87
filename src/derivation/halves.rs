//! Layers that pass some variables on and move the others: coupling layers, read off the tape.
//!
//! Nobody declares it. The output is put together of two parts, one a copy of some inputs, the other computed from
//! those and from inputs of its own; then the derivation is written with zₐ and z_b, as the papers have it.

use crate::tape::{Cut, NodeId, Op, Shape, Tape};

/// Which variables pass and which are moved.
#[derive(Clone, Debug)]
pub(super) struct Halves {
    pub(super) passing: Vec<u32>,
    pub(super) moved: Vec<u32>,
    /// The input's variables that pass, as a node; the output's are the same node.
    pub(super) passed: NodeId,
    /// The input's variables that are moved.
    pub(super) before: NodeId,
    /// The output's.
    pub(super) after: NodeId,
}

impl Halves {
    /// The halves of a map, if it has two.
    pub(super) fn of(tape: &Tape, input: NodeId, output: NodeId) -> Option<Halves> {
        let parts = parts(tape, output)?;
        let [first, second] = parts.as_slice() else { return None };
        let copied = |(node, places): &(NodeId, Vec<u32>)| {
            tape.look(*node, |node| match &node.op {
                Op::Gather(indices) => node.operands[0] == input && **indices == **places,
                _ => false,
            })
        };
        let ((passed, passing), (after, moved)) = match (copied(first), copied(second)) {
            (true, false) => (first.clone(), second.clone()),
            (false, true) => (second.clone(), first.clone()),
            _ => return None,
        };
        let before = tape.find(Op::Gather(moved.clone().into()), &[input], Shape::Vector(moved.len()))?;
        let inside = Cut::new(tape, &[passed, before], &[after]);
        (!inside.nodes().contains(&input)).then_some(Halves { passing, moved, passed, before, after })
    }
}

/// The vectors that an output is put together of, and which places of the output each fills.
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
                // places[k] is where output k lies in the concatenation.
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
