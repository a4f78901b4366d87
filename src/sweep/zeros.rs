//! Structural zeros: the elements of a program that are 0 for all inputs and parameters.
//!
//! A factor that is the **constant** 0 (a mask, padding) makes a product 0; a parameter that happens to be 0.0 does
//! not. The dependence sweep has no edges through structural zeros, and the executor skips them: 0·∞ is NaN in
//! floating-point arithmetic and must not propagate through a proven zero.

use super::function::at_zero;
use super::reach::Layout;
use crate::tape::{Binary, Choice, Node, Op, Shape, Subgraph, Tape};

/// Which elements of a program are the constant 0, whatever the inputs and parameters are.
pub fn structural_zeros(tape: &Tape, subgraph: &Subgraph, layout: &Layout) -> Vec<bool> {
    let mut zeros = vec![false; layout.len()];
    for id in subgraph.nodes() {
        if subgraph.is_input(*id) {
            continue;
        }
        let node = tape.node(*id);
        let (known, own) = zeros.split_at_mut(layout.elements(*id).start);
        let operands: Vec<&[bool]> = node.operands.iter().map(|o| &known[layout.elements(*o)]).collect();
        node_zeros(tape, &node, &operands, &mut own[..node.shape.len()]);
    }
    zeros
}

fn node_zeros(tape: &Tape, node: &Node, operands: &[&[bool]], zeros: &mut [bool]) {
    let some = |k: usize| operands[k].iter().any(|zero| *zero);
    match &node.op {
        Op::Input(_) | Op::Parameter(_) | Op::LogAbsDet | Op::Inverse => {}
        // A power series of a triangular matrix is one; nothing else is looked for.
        Op::MatrixExp => {
            let n = node.shape.matrix_dims().0;
            for lower in [true, false] {
                let beside = |e: usize| if lower { e % n > e / n } else { e % n < e / n };
                if (0..n * n).filter(|e| beside(*e)).all(|e| operands[0][e]) {
                    (0..n * n).filter(|e| beside(*e)).for_each(|e| zeros[e] = true);
                }
            }
        }
        Op::Equation(_) | Op::Solution(_) => {}
        Op::Constant(data) => {
            for (zero, value) in zeros.iter_mut().zip(data.values()) {
                *zero = *value == 0.0;
            }
        }
        Op::Unary(op) if at_zero(*op) == Some(0.0) => zeros.copy_from_slice(operands[0]),
        Op::Unary(_) => {}
        Op::Binary(Binary::Pow | Binary::LogAddExp | Binary::Less | Binary::LessEq) => {}
        Op::Binary(Binary::Add | Binary::Sub) | Op::Choice(Choice::Min | Choice::Max) => {
            for (e, zero) in zeros.iter_mut().enumerate() {
                *zero = operands[0][e] && operands[1][e];
            }
        }
        Op::Binary(Binary::Mul) => {
            for (e, zero) in zeros.iter_mut().enumerate() {
                *zero = operands[0][e] || operands[1][e];
            }
        }
        // 0/b is 0 only where b cannot be 0; that is known of constants here.
        Op::Binary(Binary::Div) => {
            let constant = tape.with_node(node.operands[1], |b| match &b.op {
                Op::Constant(data) => Some(data.clone()),
                Op::Broadcast => tape.with_node(b.operands[0], |scalar| match &scalar.op {
                    Op::Constant(data) => Some(data.clone()),
                    _ => None,
                }),
                _ => None,
            });
            let Some(constant) = constant else { return };
            for (e, zero) in zeros.iter_mut().enumerate() {
                *zero = operands[0][e] && constant.values()[e.min(constant.values().len() - 1)] != 0.0;
            }
        }
        Op::Choice(Choice::Select) => {
            for (e, zero) in zeros.iter_mut().enumerate() {
                *zero = operands[1][e] && operands[2][e];
            }
        }
        Op::Broadcast => zeros.fill(operands[0][0]),
        Op::Sum => zeros[0] = operands[0].iter().all(|zero| *zero),
        Op::Gather(indices) => {
            for (zero, index) in zeros.iter_mut().zip(indices.iter()) {
                *zero = operands[0][*index as usize];
            }
        }
        Op::Scatter(indices) => {
            zeros.fill(true);
            for (k, index) in indices.iter().enumerate() {
                zeros[*index as usize] &= operands[0][k];
            }
        }
        Op::Concat => {
            let mut all = operands.iter().flat_map(|operand| operand.iter());
            for zero in zeros {
                *zero = *all.next().expect("a concatenation is as long as its parts");
            }
        }
        Op::Transpose => {
            let (rows, columns) = node.shape.matrix_dims();
            for row in 0..rows {
                for column in 0..columns {
                    zeros[row * columns + column] = operands[0][column * rows + row];
                }
            }
        }
        Op::MatVec | Op::MatMul => {
            if !some(0) && !some(1) {
                return;
            }
            let (rows, inner, columns) = product_sizes(tape, node);
            for row in 0..rows {
                for column in 0..columns {
                    zeros[row * columns + column] =
                        (0..inner).all(|k| operands[0][row * inner + k] || operands[1][k * columns + column]);
                }
            }
        }
        Op::Outer => {
            let columns = operands[1].len();
            for (e, zero) in zeros.iter_mut().enumerate() {
                *zero = operands[0][e / columns] || operands[1][e % columns];
            }
        }
    }
}

/// Rows, inner length and columns of a product of a matrix with a vector or a matrix.
pub(crate) fn product_sizes(tape: &Tape, node: &Node) -> (usize, usize, usize) {
    let (rows, inner) = tape.shape(node.operands[0]).matrix_dims();
    match tape.shape(node.operands[1]) {
        Shape::Matrix(_, columns) => (rows, inner, columns),
        _ => (rows, inner, 1),
    }
}
