//! The shape rule of each operation: which shapes of operands give which shape of the result.

use super::{Op, Shape};

impl Op {
    /// Returns whether the operation on operands of these shapes gives this shape. Inputs and parameters have the shape
    /// that they were declared with, which a tape knows.
    pub(crate) fn gives(&self, operands: &[Shape], shape: Shape) -> bool {
        let count = shape.len();
        let within = |indices: &[u32], length: usize| indices.iter().all(|index| (*index as usize) < length);
        match (self, operands) {
            (Op::Input(_) | Op::Parameter(_), []) => true,
            (Op::Constant(data), []) => data.values().len() == count,
            (Op::Unary(_), [a]) => *a == shape,
            (Op::Binary(_), [a, b]) => *a == shape && *b == shape,
            (Op::Choice(_), operands) => {
                self.arity() == Some(operands.len()) && operands.iter().all(|operand| *operand == shape)
            }
            (Op::Broadcast, [a]) => *a == Shape::Scalar,
            (Op::Sum, [_]) => shape == Shape::Scalar,
            (Op::Gather(indices), [a]) => indices.len() == count && within(indices, a.len()),
            (Op::Scatter(indices), [a]) => indices.len() == a.len() && within(indices, count),
            (Op::Concat, operands) => operands.iter().map(|operand| operand.len()).sum::<usize>() == count,
            (Op::Transpose, [Shape::Matrix(rows, columns)]) => shape == Shape::Matrix(*columns, *rows),
            (Op::MatVec, [Shape::Matrix(rows, columns), Shape::Vector(n)]) => {
                n == columns && shape == Shape::Vector(*rows)
            }
            (Op::MatMul, [Shape::Matrix(rows, inner), Shape::Matrix(n, columns)]) => {
                n == inner && shape == Shape::Matrix(*rows, *columns)
            }
            (Op::Outer, [Shape::Vector(rows), Shape::Vector(columns)]) => {
                shape == Shape::Matrix(*rows, *columns)
            }
            (Op::LogAbsDet, [Shape::Matrix(rows, columns)]) => rows == columns && shape == Shape::Scalar,
            (Op::Inverse | Op::MatrixExp, [Shape::Matrix(rows, columns)]) => {
                rows == columns && shape == Shape::Matrix(*rows, *columns)
            }
            (Op::Equation(equation), operands) => {
                let function = equation.function();
                let inputs = function.nodes().iter().take(function.inputs()).map(|node| node.shape);
                function.variable() == shape && inputs.skip(1).eq(operands.iter().copied())
            }
            (Op::Solution(solution), operands) => solution.gives(operands, shape),
            _ => false,
        }
    }
}
