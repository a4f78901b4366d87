//! The operations: one enum, with name and arity beside each.
//!
//! Every sweep is an exhaustive match on [`Op`], so the compiler asks for each new operation in all sweeps.
//! Shapes are checked where an operation is recorded (`elementwise.rs`, `tensor.rs`).

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Root, Shape, Substitution};

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

/// The operands of a node; three at most, except for a concatenation.
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
pub enum Op {
    /// an input of the program, by its number
    Input(u32),
    /// a parameter, by its number among the tape's declarations
    Parameter(u32),
    /// constant numbers
    Constant(Data),

    /// -a
    Neg,
    /// 1/a
    Recip,
    /// eᵃ
    Exp,
    /// ln a, for a > 0
    Ln,
    /// eᵃ - 1 without cancellation at 0
    ExpM1,
    /// ln(1 + a) without cancellation at 0, for a > -1
    Ln1p,
    /// tanh a
    Tanh,
    /// 1/cosh² a = 1 - tanh² a without cancellation: the derivative of tanh
    SechSquared,
    /// 1/(1 + e⁻ᵃ)
    Sigmoid,
    /// ln(1 + eᵃ)
    Softplus,
    /// sin a
    Sin,
    /// cos a
    Cos,
    /// √a, for a ≥ 0
    Sqrt,
    /// |a|
    Abs,
    /// -1, 0 or 1; its derivative is 0 where it exists
    Sign,
    /// erf a = 2/√π ∫₀ᵃ exp(-t²) dt
    Erf,
    /// sinh a
    Sinh,
    /// cosh a
    Cosh,
    /// asinh a, the inverse of sinh
    Asinh,
    /// 1/√(1 + a²) without overflow: the derivative of asinh
    AsinhSlope,
    /// ln Φ(a), Φ the distribution function of the standard normal
    LnNormalCdf,
    /// the derivative of order n of φ(a)/Φ(a), the inverse Mills ratio, which is itself the derivative of ln Φ(a)
    InverseMills(u32),
    /// ln Γ(a), for a > 0
    LnGamma,
    /// the derivative of order n + 1 of ln Γ(a), for a > 0; n = 0 is the digamma function
    Polygamma(u32),
    /// aᵏ for an integer k
    Powi(i32),

    /// a + b
    Add,
    /// a - b
    Sub,
    /// a·b
    Mul,
    /// a/b
    Div,
    /// aᵇ, for a > 0
    Pow,
    /// the smaller one
    Min,
    /// the larger one
    Max,
    /// 1 where a < b, else 0: a condition
    Less,
    /// 1 where a ≤ b, else 0: a condition
    LessEq,
    /// condition ? a : b, without evaluating the branch not taken
    Select,

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

    /// the solution of a strictly triangular equation z = G(z), element by element
    Substitution(Arc<Substitution>),
    /// the solution of h(z) = 0, where h is strictly increasing elementwise
    Root(Arc<Root>),
}

impl Op {
    /// The name in messages and printed programs.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input(_) => "input",
            Op::Parameter(_) => "parameter",
            Op::Constant(_) => "constant",
            Op::Neg => "neg",
            Op::Recip => "recip",
            Op::Exp => "exp",
            Op::Ln => "ln",
            Op::ExpM1 => "exp_m1",
            Op::Ln1p => "ln_1p",
            Op::Tanh => "tanh",
            Op::SechSquared => "sech_squared",
            Op::Sigmoid => "sigmoid",
            Op::Softplus => "softplus",
            Op::Sin => "sin",
            Op::Cos => "cos",
            Op::Sqrt => "sqrt",
            Op::Abs => "abs",
            Op::Sign => "sign",
            Op::Erf => "erf",
            Op::Sinh => "sinh",
            Op::Cosh => "cosh",
            Op::Asinh => "asinh",
            Op::LnNormalCdf => "ln_normal_cdf",
            Op::AsinhSlope => "asinh_slope",
            Op::InverseMills(_) => "inverse_mills",
            Op::LnGamma => "ln_gamma",
            Op::Polygamma(_) => "polygamma",
            Op::Powi(_) => "powi",
            Op::Add => "add",
            Op::Sub => "sub",
            Op::Mul => "mul",
            Op::Div => "div",
            Op::Pow => "pow",
            Op::Min => "min",
            Op::Max => "max",
            Op::Less => "less",
            Op::LessEq => "less_eq",
            Op::Select => "select",
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
            Op::Substitution(_) => "substitution",
            Op::Root(_) => "root",
        }
    }

    /// Number of operands; `None` for concatenations and equations, which take any number.
    pub fn arity(&self) -> Option<usize> {
        match self {
            Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => Some(0),
            Op::Neg | Op::Recip | Op::Exp | Op::Ln | Op::ExpM1 | Op::Ln1p | Op::Tanh => Some(1),
            Op::Sigmoid | Op::Softplus | Op::Sin | Op::Cos | Op::Sqrt | Op::Abs => Some(1),
            Op::Sign | Op::Erf | Op::Powi(_) | Op::Sinh | Op::Cosh | Op::Asinh => Some(1),
            Op::LnNormalCdf | Op::LnGamma | Op::Polygamma(_) => Some(1),
            Op::SechSquared | Op::AsinhSlope | Op::InverseMills(_) => Some(1),
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Pow | Op::Min | Op::Max => Some(2),
            Op::Less | Op::LessEq => Some(2),
            Op::Select => Some(3),
            Op::Broadcast | Op::Sum | Op::Gather(_) | Op::Scatter(_) | Op::Transpose => Some(1),
            Op::Concat | Op::Substitution(_) | Op::Root(_) => None,
            Op::MatVec | Op::MatMul | Op::Outer => Some(2),
            Op::LogAbsDet | Op::Inverse => Some(1),
        }
    }

    /// Returns whether element e of the node depends only on element e of each operand.
    pub fn is_elementwise(&self) -> bool {
        match self {
            Op::Neg | Op::Recip | Op::Exp | Op::Ln | Op::ExpM1 | Op::Ln1p | Op::Tanh => true,
            Op::Sigmoid | Op::Softplus | Op::Sin | Op::Cos | Op::Sqrt | Op::Abs => true,
            Op::Sign | Op::Erf | Op::Powi(_) | Op::Sinh | Op::Cosh | Op::Asinh => true,
            Op::LnNormalCdf | Op::LnGamma | Op::Polygamma(_) => true,
            Op::SechSquared | Op::AsinhSlope | Op::InverseMills(_) => true,
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Pow | Op::Min | Op::Max => true,
            Op::Less | Op::LessEq | Op::Select => true,
            Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => false,
            Op::Broadcast | Op::Sum | Op::Gather(_) | Op::Scatter(_) | Op::Concat => false,
            Op::Transpose | Op::MatVec | Op::MatMul | Op::Outer => false,
            Op::LogAbsDet | Op::Inverse | Op::Substitution(_) | Op::Root(_) => false,
        }
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
