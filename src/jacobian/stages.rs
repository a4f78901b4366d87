//! Maps that are one map after another: x = F(v), v = G(z), for a vector v of the program with as many elements as there are
//! variables.
//!
//! By the chain rule det J = det ∂F/∂v · det ∂G/∂z, so that each of them may have a structure of its own, where J has none: two
//! planar flows in one `forward`, or a triangular map between two products with matrices.
//!
//! v is such a vector if every path from z to x leads through it. Operands come before their users, so that a path that does
//! not meet v has an edge from a node before v to one behind it: one pass over the edges finds all of them.

use crate::tape::{NodeId, Shape, Subgraph, Tape};

/// Returns the vectors that all paths from the input to the output lead through, the input first and the output last; of a map
/// that is not one after another these are the two.
pub(crate) fn stages(tape: &Tape, map: &Subgraph) -> Vec<NodeId> {
    let ([input], [output]) = (map.inputs(), map.outputs()) else { return Vec::new() };
    let nodes = map.nodes();
    let mut found = vec![*input];
    if input == output {
        return found;
    }
    // By place among the nodes: the last user, of nodes that depend on the input.
    let mut moves = vec![false; nodes.len()];
    let mut last_use = vec![0; nodes.len()];
    let place = |id: &NodeId| map.position(*id);
    for (at, id) in nodes.iter().enumerate() {
        if id == input {
            moves[at] = true;
            continue;
        }
        tape.with_node(*id, |node| {
            for operand in node.operands.iter().filter_map(place) {
                if moves[operand] {
                    (moves[at], last_use[operand]) = (true, at);
                }
            }
        });
    }
    let shape = tape.shape(*input);
    let mut furthest = 0;
    for (at, id) in nodes.iter().enumerate().filter(|(at, _)| moves[*at]) {
        let separates = id != input && furthest <= at;
        if separates && (id == output || tape.shape(*id) == shape && matches!(shape, Shape::Vector(_))) {
            found.push(*id);
        }
        furthest = furthest.max(last_use[at]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::stages;
    use crate::jacobian::map;
    use crate::tape::{Shape, Tape};

    #[test]
    fn what_no_path_leads_past_is_a_stage() {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(3));
        let y = z + z.sum().tanh();
        let w = y.sinh();
        let x = w + y.dot(w);
        // w is passed by the edge from y to the product.
        assert_eq!(stages(&tape, &map(&tape, z.id(), x.id())), [z.id(), y.id(), x.id()]);
        // Other numbers than there are variables do not count, whatever leads through them.
        let narrow = concat_of(z.slice(0..2).tanh());
        assert_eq!(stages(&tape, &map(&tape, z.id(), narrow.id())), [z.id(), narrow.id()]);
        let skip = y.sinh() + z;
        assert_eq!(stages(&tape, &map(&tape, z.id(), skip.id())), [z.id(), skip.id()]);
        // What does not depend on z is no edge.
        let shift = tape.vector(&[1.0, 2.0, 3.0]).tanh();
        let moved = (z.sinh() + shift).asinh() + shift;
        assert_eq!(stages(&tape, &map(&tape, z.id(), moved.id())).len(), 5);
    }

    fn concat_of(two: crate::tape::Var<'_>) -> crate::tape::Var<'_> {
        crate::tape::concat([two, two.sum()])
    }
}
