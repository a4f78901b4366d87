//! Proof of a declared structure, for all inputs and all parameters.
//!
//! Label the variables by their place in the order; hi(v) is the largest label among the inputs that element
//! v depends on. If hi(xᵢ) ≤ i for every output, no path leads from zⱼ to xᵢ with j > i, so J is lower
//! triangular everywhere. The proof uses value dependence (conditions count), so it also gives the order in
//! which the variables can be solved for.

use super::bottleneck::declared_bottleneck;
use super::error::{StructureError, Unproven};
use super::structure::{Order, Structure};
use crate::sweep::reach::{NONE, Reach, Relation};
use crate::tape::{Subgraph, Tape};

/// A structure that holds for all inputs and all parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// The proven structure.
    pub structure: Structure,
    /// The order of solving.
    pub order: Order,
    /// The labels of inputs, and of outputs: places in the order, or of their blocks.
    pub(super) labels: (Vec<u32>, Vec<u32>),
}

impl Proof {
    /// Returns the place in the order of each input, and of each output.
    pub fn labels(&self) -> (&[u32], &[u32]) {
        (&self.labels.0, &self.labels.1)
    }
}

/// Proves the declared structure; `None` for a dense Jacobian, which claims nothing, and for one of low rank, which has no
/// order of solving: what is proven of it is a [`Bottleneck`](super::Bottleneck).
///
/// # Errors
/// [`StructureError::Unproven`] with the path that prevents the proof, [`StructureError::NoBottleneck`], and
/// [`StructureError::Declaration`] when order or blocks do not match the dimension.
pub fn prove(tape: &Tape, map: &Subgraph, structure: &Structure) -> Result<Option<Proof>, StructureError> {
    let d = tape.shape(map.inputs()[0]).len();
    if let Structure::LowRank { rank } = structure {
        return declared_bottleneck(tape, map, *rank).map(|_| None);
    }
    let Some(order) = structure.order(d) else { return Ok(None) };
    if !order.is_permutation(d) {
        let reason = "the order must name each variable from 0 to d - 1 once".to_string();
        return Err(StructureError::Declaration { d, reason });
    }
    let labels = labels(d, structure, &order)?;
    let reach = Reach::new(tape, map, Relation::Value);
    refuse_above(tape, &reach, structure, &labels)?;
    if *structure == Structure::Diagonal {
        // Also from the other side: no entries below the diagonal.
        let flip = |list: &[u32]| list.iter().map(|label| d as u32 - 1 - label).collect::<Vec<_>>();
        refuse_above(tape, &reach, structure, &(flip(&labels.0), flip(&labels.1)))?;
    }
    Ok(Some(Proof { structure: structure.clone(), order, labels }))
}

/// Returns the labels of inputs and outputs: places in the order, or numbers of blocks.
fn labels(d: usize, structure: &Structure, order: &Order) -> Result<(Vec<u32>, Vec<u32>), StructureError> {
    let (inputs, outputs) = order.ranks();
    let Structure::BlockTriangular { blocks, .. } = structure else { return Ok((inputs, outputs)) };
    if blocks.iter().sum::<usize>() != d || blocks.contains(&0) {
        let reason = format!("the block sizes sum to {}, or a block is empty", blocks.iter().sum::<usize>());
        return Err(StructureError::Declaration { d, reason });
    }
    let block_of: Vec<u32> =
        blocks.iter().enumerate().flat_map(|(block, size)| vec![block as u32; *size]).collect();
    let blocked = |ranks: Vec<u32>| ranks.into_iter().map(|rank| block_of[rank as usize]).collect();
    Ok((blocked(inputs), blocked(outputs)))
}

/// Returns an error if an output depends on an input of a larger label.
fn refuse_above(
    tape: &Tape,
    reach: &Reach<'_>,
    structure: &Structure,
    (inputs, outputs): &(Vec<u32>, Vec<u32>),
) -> Result<(), StructureError> {
    let highest = reach.highest(inputs);
    for (output, element) in reach.output_elements().into_iter().enumerate() {
        let label = highest[element];
        if label == NONE || label <= outputs[output] {
            continue;
        }
        // In a block several inputs have the label; one of them has the path.
        for input in (0..inputs.len()).filter(|input| inputs[*input] == label) {
            if let Some(steps) = reach.path(input, output) {
                return Err(Box::new(Unproven::new(tape, structure, input, output, &steps)).into());
            }
        }
        unreachable!("hi({output}) = {label} has a path from an input of that label");
    }
    Ok(())
}
