//! A program: the tape cut down to what some outputs need.

use super::{NodeId, Tape};

/// The nodes between some inputs and some outputs, in topological order.
///
/// An input may be any node: behind it nothing is looked at. So one layer of a composition, or the part of a
/// flow from x to z, is cut out of the same tape without recording it again.
#[derive(Clone, Debug)]
pub struct Cut {
    inputs: Vec<NodeId>,
    outputs: Vec<NodeId>,
    nodes: Vec<NodeId>,
}

impl Cut {
    /// Cuts out what the outputs need, stopping at the inputs.
    ///
    /// Inputs that no output needs belong to the program all the same.
    pub fn new(tape: &Tape, inputs: &[NodeId], outputs: &[NodeId]) -> Cut {
        let mut needed = vec![false; tape.len()];
        let mut is_input = vec![false; tape.len()];
        for input in inputs {
            needed[input.index()] = true;
            is_input[input.index()] = true;
        }
        for output in outputs {
            needed[output.index()] = true;
        }
        // Operands come before their users: one pass backwards reaches everything, without recursion.
        let last = inputs.iter().chain(outputs).map(|id| id.index() + 1).max().unwrap_or(0);
        for index in (0..last).rev() {
            if needed[index] && !is_input[index] {
                tape.look(NodeId(index as u32), |node| {
                    for operand in &node.operands {
                        needed[operand.index()] = true;
                    }
                });
            }
        }
        let nodes = (0..last).filter(|index| needed[*index]).map(|index| NodeId(index as u32)).collect();
        Cut { inputs: inputs.to_vec(), outputs: outputs.to_vec(), nodes }
    }

    /// The inputs, as given.
    pub fn inputs(&self) -> &[NodeId] {
        &self.inputs
    }

    /// The outputs, as given.
    pub fn outputs(&self) -> &[NodeId] {
        &self.outputs
    }

    /// Every node of the program, operands before users.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// Whether the program starts at this node.
    pub fn is_input(&self, id: NodeId) -> bool {
        self.inputs.contains(&id)
    }
}
