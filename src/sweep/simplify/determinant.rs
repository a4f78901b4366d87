//! ln|det| of a matrix that is triangular, orthogonal or of two rows.
//!
//! Products, transposes and inverses are laws (`rules.rs`); here is what asks for the entries of a matrix.

use super::{Rule, Simplifier};
use crate::sweep::bound::{Skew, skew};
use crate::sweep::reach::Layout;
use crate::sweep::zeros::structural_zeros;
use crate::tape::{Binary, NodeId, Op, Shape, Subgraph, Unary, Var};

impl<'t> Simplifier<'t> {
    /// ln|det| of a matrix that no law applies to; `None` where only an LU decomposition is left.
    pub(super) fn determinant(&mut self, matrix: NodeId) -> Option<Var<'t>> {
        if self.tape.shape(matrix).len() == 1 {
            self.step(Rule::OneByOne);
            let only = self.gather(matrix, &[0], Shape::Scalar);
            return Some(self.log_abs(only.id(), 0));
        }
        if let Some(value) = self.exact_determinant(matrix) {
            self.step(Rule::ConstantDeterminant);
            let determinant = self.tape.constant(value);
            return Some(self.log_abs(determinant.id(), 0));
        }
        self.log_determinant(matrix)
    }

    /// Opens the determinants in what a law has made of one: sums of determinants of its factors.
    pub(super) fn determinants_in(&mut self, value: Var<'t>) -> Var<'t> {
        let node = self.tape.node(value.id());
        let operand = |k: usize| self.tape.var(node.operands[k]);
        match node.op {
            Op::Binary(Binary::Add) => {
                let (a, b) = (operand(0), operand(1));
                self.determinants_in(a) + self.determinants_in(b)
            }
            Op::Unary(Unary::Neg) => {
                let a = operand(0);
                -self.determinants_in(a)
            }
            Op::LogAbsDet => match self.rewritten(&node.op, &node.operands, node.shape) {
                Some(value) => self.determinants_in(value),
                None => self.determinant(node.operands[0]).unwrap_or(value),
            },
            _ => value,
        }
    }

    fn log_determinant(&mut self, matrix: NodeId) -> Option<Var<'t>> {
        let Shape::Matrix(n, columns) = self.tape.shape(matrix) else { return None };
        if n != columns {
            return None;
        }
        if self.tape.with_node(matrix, |node| node.op == Op::MatrixExp) {
            self.step(Rule::DeterminantExponential);
            let of = self.tape.node(matrix).operands[0];
            let places: Vec<u32> = (0..n).map(|i| (i * n + i) as u32).collect();
            let diagonal = self.gather(of, &places, Shape::Vector(n));
            return Some(self.sum(diagonal.id()));
        }
        if self.is_triangular(matrix, n) {
            self.step(Rule::DeterminantTriangular);
            let places: Vec<u32> = (0..n).map(|i| (i * n + i) as u32).collect();
            let diagonal = self.gather(matrix, &places, Shape::Vector(n));
            let logs = self.log_abs(diagonal.id(), 0);
            return Some(self.sum(logs.id()));
        }
        if self.is_reflection(matrix, n) {
            self.step(Rule::DeterminantReflection);
            return Some(self.tape.constant(0.0));
        }
        if let Some(Skew { one, part, transpose, added: false }) = skew(self.tape, matrix) {
            self.step(Rule::DeterminantSkew);
            let [one, part, transpose] = [one, part, transpose].map(|id| self.tape.var(id));
            let other = one + (part - transpose);
            // Written out where the other side of a Cayley transform is, so that the two cancel.
            return Some(self.log_determinant(other.id()).unwrap_or_else(|| other.log_abs_det()));
        }
        (n == 2).then(|| {
            self.step(Rule::DeterminantOfTwo);
            let entry = |simplifier: &mut Self, e: u32| simplifier.gather(matrix, &[e], Shape::Scalar);
            let [a, b, c, d] = [0, 1, 2, 3].map(|e| entry(self, e));
            self.log_abs((a * d - b * c).id(), 0)
        })
    }

    /// Whether the entries on one side of the diagonal are the constant 0.
    fn is_triangular(&self, matrix: NodeId, n: usize) -> bool {
        let subgraph = Subgraph::new(self.tape, &[], &[matrix]);
        let layout = Layout::new(self.tape, &subgraph);
        let zeros = structural_zeros(self.tape, &subgraph, &layout);
        let own = &zeros[layout.elements(matrix)];
        let side = |lower: bool| {
            (0..n * n).filter(|e| if lower { e % n > e / n } else { e % n < e / n }).all(|e| own[e])
        };
        side(true) || side(false)
    }

    /// Whether it is 1 - (2/vᵀv)·v·vᵀ.
    fn is_reflection(&self, matrix: NodeId, n: usize) -> bool {
        let of = |id: NodeId| self.tape.node(id);
        let difference = of(matrix);
        if difference.op != Op::Binary(Binary::Sub) || !is_identity(self, difference.operands[0], n) {
            return false;
        }
        let product = of(difference.operands[1]);
        if product.op != Op::Binary(Binary::Mul) {
            return false;
        }
        let sides = [[0, 1], [1, 0]].map(|side| side.map(|k| product.operands[k]));
        sides.into_iter().any(|[factor, outer]| {
            let (factor, outer) = (of(factor), of(outer));
            outer.op == Op::Outer
                && outer.operands[0] == outer.operands[1]
                && factor.op == Op::Broadcast
                && self.is_two_over_square(factor.operands[0], outer.operands[0])
        })
    }

    /// Whether it is 2/Σ vᵢ².
    fn is_two_over_square(&self, id: NodeId, v: NodeId) -> bool {
        let quotient = self.tape.node(id);
        if quotient.op != Op::Binary(Binary::Div) || self.number(quotient.operands[0]) != Some(2.0) {
            return false;
        }
        let sum = self.tape.node(quotient.operands[1]);
        sum.op == Op::Sum && {
            let square = self.tape.node(sum.operands[0]);
            match square.op {
                Op::Binary(Binary::Mul) => square.operands.iter().all(|operand| *operand == v),
                Op::Unary(Unary::Powi(2)) => square.operands[0] == v,
                _ => false,
            }
        }
    }
}

fn is_identity(simplifier: &Simplifier<'_>, id: NodeId, n: usize) -> bool {
    simplifier.tape.with_node(id, |node| match &node.op {
        Op::Constant(data) => {
            let one = |(e, value): (usize, &f64)| *value == f64::from(u8::from(e / n == e % n));
            data.values().len() == n * n && data.values().iter().enumerate().all(one)
        }
        _ => false,
    })
}
