//! The plain executor: one node after another, one row at a time, by the value sweep. Equations are solved by
//! separate methods that share nothing with the compiled ones (as many passes as there are variables;
//! bisection), initial-value problems by the textbook's steps of equal size.

use std::collections::HashMap;

use pushforward::prelude::*;
use pushforward::sweep::reach::Layout;
use pushforward::sweep::value::{OperandValues, evaluate};
use pushforward::sweep::zeros::structural_zeros;
use pushforward::tape::{Equation, Function, Method, NodeId, Op, Solution, Subgraph};

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
                z = function(&equation.function, &[&z], operands);
            }
            z
        }
        Op::Equation(Equation::Root(equation)) => {
            let ends = equation.ends.values();
            let mut low = vec![ends[0].max(-1e6); shape.len()];
            let mut high = vec![ends[1].min(1e6); shape.len()];
            for _ in 0..200 {
                let middle: Vec<f64> = low.iter().zip(&high).map(|(a, b)| 0.5 * (a + b)).collect();
                let h = function(&equation.function, &[&middle], operands);
                for (e, h) in h.iter().enumerate() {
                    if *h < 0.0 { low[e] = middle[e] } else { high[e] = middle[e] }
                }
            }
            low.iter().zip(&high).map(|(a, b)| 0.5 * (a + b)).collect()
        }
        Op::Solution(Solution::End(problem)) => {
            let (integration, captured) = (problem.integration, &operands[1..]);
            let (steps, is_euler) = match integration.method {
                Method::Euler { steps } => (steps, true),
                Method::RungeKutta4 { steps } => (steps, false),
                method => panic!("{method:?} has no plain form here"),
            };
            let h = (integration.to - integration.from) / steps as f64;
            let moved = |z: &[f64], v: &[f64], part: f64| -> Vec<f64> {
                z.iter().zip(v).map(|(z, v)| z + part * h * v).collect()
            };
            let mut z = operands[0].clone();
            for k in 0..steps {
                let at = |z: &[f64], part: f64| {
                    let t = integration.from + h * (k as f64 + part);
                    function(&problem.function, &[z, &[t]], captured)
                };
                let first = at(&z, 0.0);
                if is_euler {
                    z = moved(&z, &first, 1.0);
                    continue;
                }
                let second = at(&moved(&z, &first, 0.5), 0.5);
                let third = at(&moved(&z, &second, 0.5), 0.5);
                let fourth = at(&moved(&z, &third, 1.0), 1.0);
                for (part, v) in
                    [(1.0 / 6.0, first), (1.0 / 3.0, second), (1.0 / 3.0, third), (1.0 / 6.0, fourth)]
                {
                    z = moved(&z, &v, part);
                }
            }
            z
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
fn function(function: &Function, variables: &[&[f64]], captured: &[&Vec<f64>]) -> Vec<f64> {
    let mut numbers: Vec<Vec<f64>> = variables.iter().map(|values| values.to_vec()).collect();
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
