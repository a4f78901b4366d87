//! Bounds element by element, on request: what a matrix with blocks of its own kinds needs.
//!
//! The interval of a matrix is around all of its elements. Where those on the diagonal are positive, those on one side of it 0 and the others any
//! number, the interval is ℝ, and so is that of everything behind it. Here each element has an interval, computed from the elements that it is
//! made of: as many steps as one evaluation of the program has, so that it is for questions that the intervals of nodes leave open.

use rustc_hash::FxHashMap;

use super::arithmetic::{product, sum};
use super::{Bound, Bounds, Region};
use crate::tape::{NodeId, Op, Shape};

/// Maximum number of elements and products for one question; beyond it an element has its node's interval.
const MOST: usize = 1 << 18;
/// Maximum number of operations between an element and the nodes whose own interval is used.
const DEEPEST: usize = 200;

struct Elements<'a, 't> {
    bounds: &'a Bounds<'t>,
    known: FxHashMap<(NodeId, usize), Bound>,
    left: usize,
}

impl Bounds<'_> {
    /// Returns an interval around all elements of a node, each bounded by the elements that it is made of. It is never
    /// wider than [`Bounds::of`].
    pub(crate) fn by_elements(&self, id: NodeId) -> Bound {
        self.each_element(id).hull(self.tape.shape(id).len())
    }

    /// Returns an interval for each element of a node, as [`Bounds::by_elements`].
    pub(crate) fn each_element(&self, id: NodeId) -> Region {
        let whole = self.of(id);
        let mut elements = Elements { bounds: self, known: FxHashMap::default(), left: MOST };
        let count = self.tape.shape(id).len();
        let all: Vec<Bound> = (0..count).map(|e| elements.of(id, e, DEEPEST)).collect();
        if elements.left == 0 { Region::All(whole) } else { Region::from(all) }
    }
}

impl Elements<'_, '_> {
    fn of(&mut self, id: NodeId, e: usize, deep: usize) -> Bound {
        if let Some(bound) = self.known.get(&(id, e)) {
            return *bound;
        }
        if let Some(region) = self.bounds.given.get(&id) {
            return region.element(e);
        }
        if deep == 0 || self.left == 0 {
            return self.bounds.of(id);
        }
        self.left -= 1;
        let bound = self.made(id, e, deep - 1).in_order();
        self.known.insert((id, e), bound);
        bound
    }

    fn made(&mut self, id: NodeId, e: usize, deep: usize) -> Bound {
        let node = self.bounds.tape.node(id);
        let shape = |k: usize| self.bounds.tape.shape(node.operands[k]);
        match &node.op {
            Op::Constant(data) => Bound::closed(data.values()[e], data.values()[e]),
            Op::Gather(indices) => self.of(node.operands[0], indices[e] as usize, deep),
            Op::Broadcast => self.of(node.operands[0], 0, deep),
            Op::Transpose => match node.shape {
                Shape::Matrix(rows, columns) => {
                    self.of(node.operands[0], (e % columns) * rows + e / columns, deep)
                }
                _ => self.bounds.of(id),
            },
            Op::Concat => {
                let mut rest = e;
                for part in &node.operands {
                    let length = self.bounds.tape.shape(*part).len();
                    if rest < length {
                        return self.of(*part, rest, deep);
                    }
                    rest -= length;
                }
                self.bounds.of(id)
            }
            Op::Scatter(indices) => {
                let from = indices.iter().enumerate().filter(|(_, index)| **index as usize == e);
                let terms: Vec<usize> = from.map(|(k, _)| k).collect();
                self.left = self.left.saturating_sub(indices.len() / 64);
                let terms = terms.into_iter().map(|k| self.of(node.operands[0], k, deep));
                terms.reduce(sum).unwrap_or(Bound::closed(0.0, 0.0))
            }
            Op::Sum => {
                let terms = (0..shape(0).len()).map(|k| self.of(node.operands[0], k, deep));
                terms.reduce(sum).unwrap_or(Bound::closed(0.0, 0.0))
            }
            Op::MatVec | Op::MatMul => {
                let (_, inner) = shape(0).matrix_dims();
                let columns = if node.op == Op::MatVec { 1 } else { shape(1).matrix_dims().1 };
                let (row, column) = (e / columns, e % columns);
                let mut total: Option<Bound> = None;
                for k in 0..inner {
                    let a = self.of(node.operands[0], row * inner + k, deep);
                    // A factor that is 0 takes the product with it, whatever the other one is.
                    let term = if a == Bound::closed(0.0, 0.0) {
                        a
                    } else {
                        product(a, self.of(node.operands[1], k * columns + column, deep))
                    };
                    total = Some(total.map_or(term, |total| sum(total, term)));
                }
                total.unwrap_or(Bound::closed(0.0, 0.0))
            }
            Op::Outer => {
                let columns = shape(1).len();
                product(
                    self.of(node.operands[0], e / columns, deep),
                    self.of(node.operands[1], e % columns, deep),
                )
            }
            Op::Unary(_) | Op::Binary(_) | Op::Choice(_) => {
                let operands: Vec<Bound> =
                    node.operands.iter().map(|operand| self.of(*operand, e, deep)).collect();
                self.bounds.of_operands(&node, |k| operands[k])
            }
            Op::Input(_)
            | Op::Parameter(_)
            | Op::LogAbsDet
            | Op::Inverse
            | Op::MatrixExp
            | Op::Equation(_)
            | Op::Solution(_) => self.bounds.of(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Bounds;
    use crate::tape::{Init, Shape, Tape};

    #[test]
    fn blocks_of_a_matrix_are_kept_apart() {
        let tape = Tape::new();
        let any = tape.parameter("any", Shape::Matrix(2, 2), Init::Constant(0.0));
        let log = tape.parameter("log", Shape::Vector(2), Init::Constant(0.0));
        let weight = log.exp().diagonal_matrix() + tape.mask(2, 2, |i, j| i > j) * any;
        let row = weight.matvec(tape.vector(&[1.0, 0.0])).at(0);
        let bounds = Bounds::new(&tape, &[]);
        assert!(!bounds.of(row.id()).is_positive());
        assert!(bounds.by_elements(row.id()).is_positive());
        // The element below the diagonal may have any sign.
        let below = weight.matvec(tape.vector(&[1.0, 0.0])).at(1);
        assert!(!bounds.by_elements(below.id()).is_nonnegative());
    }
}
