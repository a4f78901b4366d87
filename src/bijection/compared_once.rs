//! Comparisons that both an inverse and the log-determinant at its result make, made once.

use std::collections::HashMap;

use super::bottleneck::replaced;
use super::recording::InverseWithLogDet;
use crate::sweep::propagate_copies;
use crate::tape::{Binary, NodeId, Op, Subgraph, Thresholds, Var};

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
    // Comparisons of z by x_k, and those of x by y_k.
    let mut same: HashMap<NodeId, NodeId> = HashMap::new();
    for noted in thresholds {
        let [image, of] = [next(), next()];
        for _ in &noted.pairs {
            let [image_threshold, threshold] = [next(), next()];
            let shape = tape.shape(image);
            for compare in [Binary::Less, Binary::LessEq].map(Op::Binary) {
                if let Some(found) = tape.find(compare.clone(), &[image, image_threshold], shape) {
                    let operands = [of, threshold].into_iter().collect();
                    same.insert(found, tape.push(compare, operands, shape).id());
                }
            }
        }
    }
    InverseWithLogDet { z: tape.var(z), log_det: replaced(tape, tape.var(log_det), &same) }
}
