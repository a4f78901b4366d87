//! Comparisons that both an inverse and the log-determinant at its result make, made once.

use std::collections::HashMap;

use super::recording::InverseWithLogDet;
use crate::sweep::propagate_copies;
use crate::tape::{Binary, NodeId, Op, Subgraph, Tape, Thresholds, Var};

/// Returns z and ln|det J| with comparisons of z by thresholds in the form of those of x, which the inverse has made
/// already: a spline then looks for one bin, and gradients pass through what was chosen by it once.
///
/// It is for densities alone. What is proven of a layer and its inverse is proven of them as they are recorded.
pub(super) fn compared_once<'t>(
    x: Var<'t>,
    recorded: InverseWithLogDet<'t>,
    thresholds: &[Thresholds],
) -> InverseWithLogDet<'t> {
    if thresholds.is_empty() {
        return recorded;
    }
    let tape = x.tape();
    // The parts of x and z that a coupling moves about are to be the same nodes.
    let mut outputs = vec![recorded.z.id(), recorded.log_det.id()];
    for noted in thresholds {
        outputs.extend([noted.image, noted.of]);
        outputs.extend(noted.pairs.iter().flat_map(|(image, threshold)| [*image, *threshold]));
    }
    let mut outputs = propagate_copies(tape, &Subgraph::new(tape, &[x.id()], &outputs)).into_iter();
    let mut next = || outputs.next().expect("as many nodes as were given");
    let [z, log_det] = [next(), next()];
    // (z, x_k) to (x, y_k)
    let mut same: HashMap<[NodeId; 2], [NodeId; 2]> = HashMap::new();
    for noted in thresholds {
        let [image, of] = [next(), next()];
        for _ in &noted.pairs {
            let [image_threshold, threshold] = [next(), next()];
            same.insert([image, image_threshold], [of, threshold]);
        }
    }
    InverseWithLogDet { z: tape.var(z), log_det: rewritten(tape, x.id(), log_det, &same) }
}

/// Records a node anew with these operands of comparisons replaced.
fn rewritten<'t>(
    tape: &'t Tape,
    x: NodeId,
    output: NodeId,
    same: &HashMap<[NodeId; 2], [NodeId; 2]>,
) -> Var<'t> {
    let subgraph = Subgraph::new(tape, &[x], &[output]);
    let mut new: HashMap<NodeId, NodeId> = HashMap::new();
    for id in subgraph.nodes() {
        if subgraph.is_input(*id) {
            continue;
        }
        let mut node = tape.node(*id);
        let known = match (&node.op, node.operands.as_slice()) {
            (Op::Binary(Binary::Less | Binary::LessEq), [a, b]) => same.get(&[*a, *b]).copied(),
            _ => None,
        };
        let operands = match known {
            Some(operands) => operands.into_iter().collect(),
            None => {
                node.operands.iter().map(|operand| new.get(operand).copied().unwrap_or(*operand)).collect()
            }
        };
        if operands != node.operands {
            node.operands = operands;
            new.insert(*id, tape.push(node.op, node.operands, node.shape).id());
        }
    }
    tape.var(new.get(&output).copied().unwrap_or(output))
}
