//! The plain executor: one node after another, one row at a time, by the value sweep. Equations are solved by
//! separate methods that share nothing with the compiled ones (as many passes as there are variables;
//! bisection).

use std::collections::HashMap;

use pushforward::prelude::*;
use pushforward::sweep::reach::Layout;
use pushforward::sweep::value::{OperandValues, evaluate};
use pushforward::sweep::zeros::structural_zeros;
use pushforward::tape::{Equation, Function, NodeId, Op, Subgraph};

/// The numbers of some nodes at one row of one input.
pub fn plain(
    tape: &Tape,
    input: NodeId,
    outputs: &[NodeId],
    row: &[f64],
    parameters: &Parameters,
) -> Vec<Vec<f64>> {
    let subgraph = Subgraph::new(tape, &[input], outputs);
    let layout = Layout::new(tape, &subgraph);
    let zeros = structural_zeros(tape, &subgraph, &layout);
    let mut numbers: HashMap<NodeId, Vec<f64>> = HashMap::from([(input, row.to_vec())]);
    for id in subgraph.nodes().iter().filter(|id| **id != input) {
        let node = tape.node(*id);
        let own = &zeros[layout.elements(*id)];
        let values = match &node.op {
            Op::Parameter(number) => {
                let declaration = &tape.declarations()[*number as usize];
                parameters.get(&declaration.name).unwrap().values.clone()
            }
            op => {
                let operands: Vec<&Vec<f64>> =
                    node.operands.iter().map(|operand| &numbers[operand]).collect();
                let shapes: Vec<Shape> = node.operands.iter().map(|operand| tape.shape(*operand)).collect();
                let zeros: Vec<&[bool]> =
                    node.operands.iter().map(|operand| &zeros[layout.elements(*operand)]).collect();
                step(op, node.shape, &operands, &shapes, &zeros, own)
            }
        };
        numbers.insert(*id, values);
    }
    outputs.iter().map(|id| numbers[id].clone()).collect()
}

fn step(
    op: &Op,
    shape: Shape,
    operands: &[&Vec<f64>],
    shapes: &[Shape],
    zeros: &[&[bool]],
    own: &[bool],
) -> Vec<f64> {
    match op {
        Op::Equation(Equation::Substitution(equation)) => {
            // So many passes that the last element has what it needs.
            let mut z = vec![0.0; shape.len()];
            for _ in 0..shape.len() {
                z = function(&equation.function, &z, operands);
            }
            z
        }
        Op::Equation(Equation::Root(equation)) => {
            let ends = equation.ends.values();
            let mut low = vec![ends[0].max(-1e6); shape.len()];
            let mut high = vec![ends[1].min(1e6); shape.len()];
            for _ in 0..200 {
                let middle: Vec<f64> = low.iter().zip(&high).map(|(a, b)| 0.5 * (a + b)).collect();
                let h = function(&equation.function, &middle, operands);
                for (e, h) in h.iter().enumerate() {
                    if *h < 0.0 { low[e] = middle[e] } else { high[e] = middle[e] }
                }
            }
            low.iter().zip(&high).map(|(a, b)| 0.5 * (a + b)).collect()
        }
        op => {
            let lanes: Vec<OperandValues<'_, f64>> = operands
                .iter()
                .zip(shapes)
                .zip(zeros)
                .map(|((values, shape), zeros)| OperandValues { values, width: 1, shape: *shape, zeros })
                .collect();
            let mut out = vec![0.0; shape.len()];
            evaluate(op, shape, &lanes, &mut out, 1, own);
            out
        }
    }
}

/// A function's value, node by node.
fn function(function: &Function, variable: &[f64], captured: &[&Vec<f64>]) -> Vec<f64> {
    let mut numbers: Vec<Vec<f64>> = vec![variable.to_vec()];
    numbers.extend(captured.iter().map(|values| (*values).clone()));
    // Structural zeros: constants, as far as they matter for finite numbers.
    for node in &function.nodes()[numbers.len()..] {
        let operands: Vec<&Vec<f64>> =
            node.operands.iter().map(|operand| &numbers[operand.index()]).collect();
        let shapes: Vec<Shape> =
            node.operands.iter().map(|operand| function.nodes()[operand.index()].shape).collect();
        let zeros: Vec<&[bool]> = shapes.iter().map(|_| [].as_slice()).collect();
        let values = step(&node.op, node.shape, &operands, &shapes, &zeros, &[]);
        numbers.push(values);
    }
    numbers[function.output().index()].clone()
}
