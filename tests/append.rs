//! Copies of nodes on another tape: what a tape recorded can be appended, and a node of a wrong shape cannot.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

use pushforward::bijection::inverse_with_log_det;
use pushforward::prelude::*;
use pushforward::program::values;
use pushforward::tape::{Binary, Node, NodeId, Op, Subgraph, Unary};

use crate::catalogue::catalogue;

/// Copies a subgraph to a tape on which the same parameters are declared.
fn copied(from: &Tape, subgraph: &Subgraph, input: (NodeId, NodeId), to: &Tape) -> HashMap<NodeId, NodeId> {
    for declared in from.declarations() {
        let _ = to.parameter(&declared.name, declared.shape, declared.init);
    }
    let mut known = HashMap::from([input]);
    for id in subgraph.nodes().iter().filter(|id| **id != input.0) {
        let node = from.node(*id);
        let operands = node.operands.iter().map(|operand| known[operand]).collect();
        known.insert(*id, to.append(Node { op: node.op, operands, shape: node.shape }, from.place(*id)));
    }
    known
}

#[test]
fn every_layer_and_its_inverse_can_be_copied_node_for_node() {
    let mut count = 0;
    for entry in catalogue() {
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(entry.layer.dim()));
        let Ok(found) = inverse_with_log_det(&entry.layer, x) else { continue };
        let subgraph = Subgraph::new(&tape, &[x.id()], &[found.z.id(), found.log_det.id()]);
        let other = Tape::new();
        let input = other.input(x.shape());
        let known = copied(&tape, &subgraph, (x.id(), input.id()), &other);
        let point: Vec<f64> = (0..x.len()).map(|i| 0.2 + 0.15 * i as f64).collect();
        let [z, log_det] = [found.z, found.log_det].map(|node| other.var(known[&node.id()]));
        let copy = values(&other, input, &[z, log_det], &point);
        let original = values(&tape, x, &[found.z, found.log_det], &point);
        let bits = |values: &[Vec<f64>]| -> Vec<u64> {
            values.iter().flatten().map(|value| value.to_bits()).collect()
        };
        assert_eq!(bits(&copy), bits(&original), "{}", entry.layer.name());
        count += 1;
    }
    assert!(count > 20, "only {count} layers have an inverse to copy");
}

#[test]
fn a_node_that_its_operation_does_not_give_is_refused() {
    let tape = Tape::new();
    let (scalar, vector) = (tape.input(Shape::Scalar), tape.input(Shape::Vector(2)));
    let matrix = vector.outer(vector);
    let wrong: [(Op, Vec<Var<'_>>, Shape); 9] = [
        (Op::Unary(Unary::Exp), vec![vector], Shape::Scalar),
        (Op::Binary(Binary::Mul), vec![vector, scalar], Shape::Vector(2)),
        (Op::Binary(Binary::Mul), vec![vector], Shape::Vector(2)),
        (Op::Sum, vec![vector], Shape::Vector(2)),
        (Op::Gather([0, 2].into()), vec![vector], Shape::Vector(2)),
        (Op::Scatter([0, 3].into()), vec![vector], Shape::Vector(3)),
        (Op::MatVec, vec![matrix, scalar], Shape::Vector(2)),
        (Op::Inverse, vec![vector], Shape::Vector(2)),
        (Op::Parameter(0), vec![], Shape::Scalar),
    ];
    for (op, operands, shape) in wrong {
        let name = op.name();
        let node = Node { op, operands: operands.iter().map(|operand| operand.id()).collect(), shape };
        let appended = catch_unwind(AssertUnwindSafe(|| tape.append(node, Location::caller().into())));
        assert!(appended.is_err(), "{name} of a wrong shape is appended");
    }
}
