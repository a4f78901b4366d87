//! Maps that lose dimensions: x depends on z through fewer numbers than there are variables.
//!
//! If every path from an input to an output meets a set S of elements, J = ∂x/∂S·∂S/∂z has at most the rank |S|. The smallest
//! S is a minimum vertex cut; if it has fewer elements than there are variables, det J = 0 for all inputs and parameters. That
//! no output can be matched with an input of its own (Hall) is the case in which S consists of inputs and outputs.

use super::paths::paths;
use crate::sweep::reach::{NONE, Reach, Relation, Step};
use crate::tape::{Subgraph, Tape};

/// Finds a smallest set of elements, inputs among them, through which every path from an input to an output leads, if it has
/// fewer elements than there are variables. Then J is a product ∂x/∂S·∂S/∂z of a rank below d, so that det J = 0 everywhere.
pub(crate) fn waist(tape: &Tape, map: &Subgraph) -> Option<Vec<Step>> {
    let reach = Reach::new(tape, map, Relation::Derivative);
    let d = reach.output_elements().len();
    let natural: Vec<u32> = (0..reach.input_elements().len() as u32).collect();
    let only_input = reach.only_input(&natural);
    let ends = reach.output_elements().into_iter().filter(|element| only_input[*element] != NONE);
    let moves = |element: usize| only_input[element] != NONE;
    let found = paths(&reach, ends, d.checked_sub(1)?, |_, _| false, (moves, true))?;
    Some(found.iter().map(|element| reach.step(*element)).collect())
}

/// Explains why a waist makes det J = 0.
pub(super) fn through_a_waist(tape: &Tape, map: &Subgraph, waist: &[Step]) -> String {
    const SHOWN: usize = 4;
    let input = map.inputs()[0];
    let name = |step: &Step| match step.node == input {
        true => format!("z[{}]", step.element),
        false => {
            let place = tape.place(step.node);
            let name = tape.with_node(step.node, |node| node.op.name());
            format!("{name}[{}] of {place}", step.element)
        }
    };
    let mut shown: Vec<String> = waist.iter().take(SHOWN).map(name).collect();
    if waist.len() > SHOWN {
        shown.push("…".to_string());
    }
    let d = tape.shape(input).len();
    let numbers = if waist.len() == 1 { "number" } else { "numbers" };
    format!(
        "x depends on z through {} {numbers} alone, fewer than {d} variables: {}",
        waist.len(),
        shown.join(", ")
    )
}
