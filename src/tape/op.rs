//! The operations: one enum, with name and arity beside each.
//!
//! Functions of elements are grouped by what sweeps do alike with them: those of one number (`unary.rs`), of two, and
//! choices between two (`binary.rs`). Shapes are checked where an operation is recorded (`elementwise.rs`,
//! `tensor.rs`).

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Binary, Choice, Equation, Shape, Solution, Unary};

/// The position of a node on its tape. Operands come before the nodes that use them, so ids are in
/// topological order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The position on the tape, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The operands of a node; three at most, except for concatenations and functions that are held.
pub type Operands = SmallVec<[NodeId; 3]>;

/// The numbers of a constant, compared bitwise (so that hash-consing is exact: 0.0 is not -0.0).
#[derive(Clone, Debug)]
pub struct Data(Arc<[f64]>);

impl Data {
    /// Copies the numbers, in element order.
    pub fn new(values: &[f64]) -> Data {
        Data(values.into())
    }

    /// The numbers in element order.
    pub fn values(&self) -> &[f64] {
        &self.0
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Data) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.len() == other.0.len()
                && self.0.iter().zip(other.0.iter()).all(|(a, b)| a.to_bits() == b.to_bits()))
    }
}

impl Eq for Data {}

impl std::hash::Hash for Data {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.len().hash(state);
        for value in self.0.iter() {
            value.to_bits().hash(state);
        }
    }
}

/// Element positions of a gather or a scatter.
pub type Indices = Arc<[u32]>;

/// An operation on the operands of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Op {
    /// an input of the program, by its number
    Input(u32),
    /// a parameter, by its number among the tape's declarations
    Parameter(u32),
    /// constant numbers
    Constant(Data),

    /// A function of each element.
    Unary(Unary),
    /// A function of two elements at the same place.
    Binary(Binary),
    /// One of two elements at the same place.
    Choice(Choice),

    /// a scalar, broadcast to the node's shape
    Broadcast,
    /// the sum of all elements
    Sum,
    /// the elements at these positions of the operand, in the node's shape
    Gather(Indices),
    /// element k of the operand added at position `indices[k]` of a zero node
    Scatter(Indices),
    /// all elements of all operands, one after another, in the node's shape
    Concat,
    /// a matrix with rows and columns exchanged
    Transpose,
    /// matrix times vector
    MatVec,
    /// matrix times matrix
    MatMul,
    /// a bᵀ of two vectors
    Outer,
    /// ln|det a| of a square matrix, by LU
    LogAbsDet,
    /// the inverse of a square matrix, by LU
    Inverse,
    /// The exponential of a square matrix, Σ Aᵏ/k!.
    MatrixExp,

    /// The z that satisfies an equation.
    Equation(Equation),
    /// Of an initial-value problem dz/dt = v(z, t): the solution at the end, or an adjoint of it.
    Solution(Solution),
}

impl Op {
    /// The name in messages and printed programs.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input(_) => "input",
            Op::Parameter(_) => "parameter",
            Op::Constant(_) => "constant",
            Op::Unary(function) => function.name(),
            Op::Binary(function) => function.name(),
            Op::Choice(choice) => choice.name(),
            Op::Broadcast => "broadcast",
            Op::Sum => "sum",
            Op::Gather(_) => "gather",
            Op::Scatter(_) => "scatter",
            Op::Concat => "concat",
            Op::Transpose => "transpose",
            Op::MatVec => "matvec",
            Op::MatMul => "matmul",
            Op::Outer => "outer",
            Op::LogAbsDet => "log_abs_det",
            Op::Inverse => "inverse",
            Op::MatrixExp => "matrix_exp",
            Op::Equation(equation) => equation.name(),
            Op::Solution(solution) => solution.name(),
        }
    }

    /// Number of operands; `None` for concatenations, equations and solutions, which take any number.
    pub fn arity(&self) -> Option<usize> {
        match self {
            Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => Some(0),
            Op::Unary(_) => Some(1),
            Op::Binary(_) | Op::Choice(Choice::Min | Choice::Max) => Some(2),
            Op::Choice(Choice::Select) => Some(3),
            Op::Broadcast | Op::Sum | Op::Gather(_) | Op::Scatter(_) | Op::Transpose => Some(1),
            Op::MatVec | Op::MatMul | Op::Outer => Some(2),
            Op::LogAbsDet | Op::Inverse | Op::MatrixExp => Some(1),
            Op::Concat | Op::Equation(_) | Op::Solution(_) => None,
        }
    }

    /// Returns whether element e of the node depends only on element e of each operand.
    pub fn is_elementwise(&self) -> bool {
        matches!(self, Op::Unary(_) | Op::Binary(_) | Op::Choice(_))
    }
}

/// An operation with its operands, and the shape of the result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// The operation.
    pub op: Op,
    /// The operands.
    pub operands: Operands,
    /// The shape of the result.
    pub shape: Shape,
}
