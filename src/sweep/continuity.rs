//! Decides whether a program may be discontinuous in its inputs.
//!
//! Every operation is continuous where it is defined, except for comparisons, signs and selects; and at a jump,
//! positive slopes do not imply monotonicity (`z + select(z < 0, 1, 0)` has slope 1 and is not one-to-one). A node
//! that solves an equation is continuous if the equation's function is, so these functions are examined too, and
//! functions inside of them.

use std::sync::Arc;

use super::function::{Smoothness, smoothness};
use super::reach::{Reach, Relation};
use crate::tape::{Binary, Choice, Equation, Function, NodeId, Op, Solution, Subgraph, Tape};

/// Whether an output may be discontinuous in the inputs of the program: `false` is a proof that none is wherever the
/// program is defined.
pub fn may_be_discontinuous(tape: &Tape, subgraph: &Subgraph) -> bool {
    // Functions of equations that depend on an input, with the captured nodes that do.
    let mut waiting: Vec<(Arc<Function>, Vec<bool>)> = Vec::new();
    if jumps_outside_of_functions(tape, subgraph, &mut waiting) {
        return true;
    }
    while let Some((function, moving)) = waiting.pop() {
        let (tape, inputs, output) = function.tape();
        // The variable is the solution of the equation: it depends on whatever is captured.
        let moves = |(k, id): (usize, &NodeId)| (k == 0 || moving[k - 1]).then_some(*id);
        let inputs: Vec<NodeId> = inputs.iter().enumerate().filter_map(moves).collect();
        if jumps_outside_of_functions(&tape, &Subgraph::new(&tape, &inputs, &[output]), &mut waiting) {
            return true;
        }
    }
    false
}

/// Examines a program without the functions of its equations, which are collected.
fn jumps_outside_of_functions(
    tape: &Tape,
    subgraph: &Subgraph,
    functions: &mut Vec<(Arc<Function>, Vec<bool>)>,
) -> bool {
    let reach = Reach::new(tape, subgraph, Relation::Value);
    subgraph.nodes().iter().filter(|id| !subgraph.is_input(**id) && reach.depends_on_input(**id)).any(|id| {
        tape.with_node(*id, |node| {
            let moving = || -> Vec<bool> {
                node.operands.iter().map(|operand| reach.depends_on_input(*operand)).collect()
            };
            match &node.op {
                Op::Unary(op) => smoothness(*op) == Smoothness::Steps,
                Op::Binary(Binary::Less | Binary::LessEq) => true,
                Op::Binary(
                    Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Pow | Binary::LogAddExp,
                ) => false,
                // A jump whatever its condition depends on.
                Op::Choice(Choice::Select) => reach.depends_on_input(node.operands[0]),
                // Of several solutions another one may be found nearby.
                Op::Equation(Equation::System(_)) => moving().contains(&true),
                Op::Equation(equation) => {
                    functions.push((equation.function().clone(), moving()));
                    false
                }
                Op::Solution(solution) => {
                    // A step of another size is another formula. Adjoints have the derivative of v in them.
                    let problem = solution.problem();
                    let mut moving = moving();
                    // In the place of the initial value the function has t, which is the same for all inputs.
                    moving[0] = false;
                    functions.push((problem.function.clone(), moving));
                    matches!(solution, Solution::Adjoint(..)) || problem.integration.method.is_adaptive()
                }
                Op::Choice(Choice::Min | Choice::Max) => false,
                Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => false,
                Op::Broadcast | Op::Sum | Op::Gather(_) | Op::Scatter(_) | Op::Concat => false,
                Op::Transpose | Op::MatVec | Op::MatMul | Op::Outer => false,
                Op::LogAbsDet | Op::Inverse | Op::MatrixExp => false,
            }
        })
    })
}
