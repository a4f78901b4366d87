//! Subgraphs: the part of a tape that some outputs need.
//!
//! The cost of every operation here is proportional to the subgraph, not to the tape, so that a chain of 10⁴
//! layers can be processed layer by layer.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{NodeId, Tape};

/// The nodes between some inputs and some outputs, in topological order: a program.
///
/// An input may be any node; the nodes it depends on are not part of the subgraph. So one layer of a
/// composition, or the part of a flow from x to z, is extracted from the same tape without recording it
/// again.
#[derive(Clone, Debug)]
pub struct Subgraph {
    inputs: Vec<NodeId>,
    outputs: Vec<NodeId>,
    nodes: Vec<NodeId>,
    positions: Arc<Positions>,
}

/// The position of each node of a subgraph in its order.
#[derive(Debug)]
pub(crate) enum Positions {
    /// Indexed from the first node of the subgraph, if the subgraph is a large part of the range of its
    /// nodes.
    Dense(usize, Vec<u32>),
    /// Indexed by node.
    Sparse(FxHashMap<NodeId, u32>),
}

impl Positions {
    fn new(nodes: &[NodeId]) -> Positions {
        let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else {
            return Positions::Dense(0, Vec::new());
        };
        let span = last.index() - first.index() + 1;
        let numbered = nodes.iter().enumerate().map(|(position, id)| (*id, position as u32));
        if span > 16 * nodes.len() + 64 {
            return Positions::Sparse(numbered.collect());
        }
        let mut positions = vec![u32::MAX; span];
        numbered.for_each(|(id, position)| positions[id.index() - first.index()] = position);
        Positions::Dense(first.index(), positions)
    }

    /// Returns the position of a node, if it belongs to the subgraph.
    pub(crate) fn of(&self, id: NodeId) -> Option<usize> {
        let position = match self {
            Positions::Dense(first, positions) => {
                *positions.get(id.index().checked_sub(*first)?).filter(|position| **position != u32::MAX)?
            }
            Positions::Sparse(positions) => *positions.get(&id)?,
        };
        Some(position as usize)
    }
}

impl Subgraph {
    /// Builds the subgraph that the outputs need, up to the inputs.
    ///
    /// Inputs that no output needs belong to the subgraph too.
    pub fn new(tape: &Tape, inputs: &[NodeId], outputs: &[NodeId]) -> Subgraph {
        Subgraph::down_to(tape, 0, inputs, outputs)
    }

    /// As [`Subgraph::new`], and also without nodes recorded before `first`, except for inputs and outputs.
    pub(crate) fn down_to(tape: &Tape, first: usize, inputs: &[NodeId], outputs: &[NodeId]) -> Subgraph {
        // One bit for each node of the tape: small, even if each of many layers has a set of its own.
        let mut met = vec![0u64; tape.len().div_ceil(64)];
        let mut meet = |id: NodeId| {
            let (word, bit) = (&mut met[id.index() / 64], 1 << (id.index() % 64));
            let new = *word & bit == 0;
            *word |= bit;
            new
        };
        let mut nodes: Vec<NodeId> = inputs.iter().copied().filter(|id| meet(*id)).collect();
        let mut waiting: Vec<NodeId> = outputs.iter().copied().filter(|id| meet(*id)).collect();
        while let Some(id) = waiting.pop() {
            nodes.push(id);
            tape.with_node(id, |node| {
                let deeper = node.operands.iter().filter(|operand| operand.index() >= first);
                waiting.extend(deeper.copied().filter(|operand| meet(*operand)));
            });
        }
        // Operands come before their users.
        nodes.sort_unstable();
        let positions = Arc::new(Positions::new(&nodes));
        Subgraph { inputs: inputs.to_vec(), outputs: outputs.to_vec(), nodes, positions }
    }

    /// The inputs, as given.
    pub fn inputs(&self) -> &[NodeId] {
        &self.inputs
    }

    /// The outputs, as given.
    pub fn outputs(&self) -> &[NodeId] {
        &self.outputs
    }

    /// Every node of the subgraph, operands before users.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// Returns whether this node is an input of the subgraph.
    pub fn is_input(&self, id: NodeId) -> bool {
        self.inputs.contains(&id)
    }

    /// Returns the position of a node, if it belongs to the subgraph.
    pub fn position(&self, id: NodeId) -> Option<usize> {
        self.positions.of(id)
    }

    /// The positions of the nodes.
    pub(crate) fn positions(&self) -> Arc<Positions> {
        self.positions.clone()
    }
}
