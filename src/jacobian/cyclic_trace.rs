//! Traces of networks without a tangent sweep: a product of matrices may be turned round under a trace.
//!
//! Where one path leads from z to v, through products with matrices that no row changes and through functions of
//! elements, J = A₁D₁A₂D₂ … with diagonal D that differ from row to row. tr J is the same for every cyclic order, and A's with
//! nothing between them are one matrix, computed once. Of one D it is Σ Aₖₖ Dₖ, of two tr(A D B E) = eᵀ(A∘Bᵀ)d: as many
//! operations as a product with one matrix, where the diagonal takes d sweeps. A network of one or two hidden layers has
//! one or two D. With three or more nothing is known to be cheaper than sweeps.

use crate::sweep::partial::{self, Partial};
use crate::tape::{Binary, NodeId, Op, Shape, Subgraph, Tape, Unary, Var};

/// A factor of J.
enum Factor<'t> {
    Matrix(Var<'t>),
    Diagonal(Var<'t>),
}

/// Records the trace of a map from d to d variables in this way, if it is such a product.
pub(super) fn cyclic_trace<'t>(tape: &'t Tape, map: &Subgraph) -> Option<Var<'t>> {
    let (&[z], &[v]) = (map.inputs(), map.outputs()) else { return None };
    let mut factors: Vec<Factor<'t>> = Vec::new();
    for factor in path(tape, map, z, v)? {
        push(&mut factors, factor);
    }
    // The first and the last stand side by side, too.
    while factors.len() > 1
        && matches!(
            (&factors[0], &factors[factors.len() - 1]),
            (Factor::Matrix(_), Factor::Matrix(_)) | (Factor::Diagonal(_), Factor::Diagonal(_))
        )
    {
        let first = factors.remove(0);
        push(&mut factors, first);
    }
    if matches!(factors.first(), Some(Factor::Diagonal(_))) && factors.len() > 1 {
        factors.rotate_left(1);
    }
    match factors.as_slice() {
        [Factor::Matrix(a)] => Some(a.diagonal().sum()),
        [Factor::Matrix(a), Factor::Diagonal(d)] => Some(a.diagonal().dot(*d)),
        [Factor::Matrix(a), Factor::Diagonal(d), Factor::Matrix(b), Factor::Diagonal(e)] => {
            Some(e.dot((*a * b.transpose()).matvec(*d)))
        }
        _ => None,
    }
}

/// Adds a factor on the right; two of a kind become one.
fn push<'t>(factors: &mut Vec<Factor<'t>>, factor: Factor<'t>) {
    let joined = match (factors.last(), &factor) {
        (Some(Factor::Matrix(a)), Factor::Matrix(b)) => Factor::Matrix(a.matmul(*b)),
        (Some(Factor::Diagonal(a)), Factor::Diagonal(b)) => Factor::Diagonal(*a * *b),
        _ => return factors.push(factor),
    };
    factors.pop();
    factors.push(joined);
}

/// The factors of J from v to z, left to right; `None` if more than one path leads to z, or something else than products and
/// functions of elements is on it, or no matrix is.
fn path<'t>(tape: &'t Tape, map: &Subgraph, z: NodeId, v: NodeId) -> Option<Vec<Factor<'t>>> {
    let at = |id: NodeId| map.position(id);
    let mut moves = vec![false; map.nodes().len()];
    let mut fixed = vec![false; map.nodes().len()];
    for (position, id) in map.nodes().iter().enumerate() {
        tape.with_node(*id, |node| {
            let is = |list: &[bool], operand: &NodeId| at(*operand).is_some_and(|at| list[at]);
            moves[position] = *id == z || node.operands.iter().any(|operand| is(&moves, operand));
            // The same for all rows: made of parameters and constants.
            fixed[position] = *id != z
                && !matches!(node.op, Op::Input(_))
                && node.operands.iter().all(|operand| is(&fixed, operand));
        });
    }
    let mut factors: Vec<Factor<'t>> = Vec::new();
    let mut id = v;
    while id != z {
        let node = tape.node(id);
        let y = tape.var(id);
        let moving: Vec<usize> = (0..node.operands.len())
            .filter(|k| at(node.operands[*k]).is_some_and(|position| moves[position]))
            .collect();
        let &[k] = moving.as_slice() else { return None };
        let next = node.operands[k];
        let operand = |k: usize| tape.var(node.operands[k]);
        let slope = |partial: Partial<'t>| match partial {
            Partial::Zero => None,
            Partial::One => Some(None),
            Partial::MinusOne => Some(Some(tape.constant(-1.0).broadcast(node.shape))),
            Partial::By(factor) => Some(Some(factor)),
        };
        match &node.op {
            Op::MatVec if k == 1 && at(node.operands[0]).is_some_and(|position| fixed[position]) => {
                factors.push(Factor::Matrix(operand(0)));
            }
            Op::Unary(Unary::Sign) | Op::Binary(Binary::Less | Binary::LessEq) => return None,
            Op::Unary(op) => {
                if let Some(slope) = slope(partial::unary(*op, operand(k), y))? {
                    factors.push(Factor::Diagonal(slope));
                }
            }
            Op::Binary(op) => {
                if let Some(slope) = slope(partial::binary(*op, [operand(0), operand(1)], y, k))? {
                    factors.push(Factor::Diagonal(slope));
                }
            }
            // z beside other numbers: columns of the matrix that is applied to all of them.
            Op::Concat if matches!(node.shape, Shape::Vector(_)) => {
                let first: usize = (0..k).map(|k| operand(k).len()).sum();
                let Some(Factor::Matrix(matrix)) = factors.pop() else { return None };
                let (rows, columns) = matrix.shape().matrix_dims();
                let count = operand(k).len();
                let places: Vec<usize> =
                    (0..rows * count).map(|e| (e / count) * columns + first + e % count).collect();
                let flat = matrix.reshape(Shape::Vector(rows * columns));
                factors.push(Factor::Matrix(flat.gather(&places).reshape(Shape::Matrix(rows, count))));
            }
            _ => return None,
        }
        if !matches!(tape.shape(next), Shape::Vector(_)) {
            return None;
        }
        id = next;
    }
    let has_matrix = factors.iter().any(|factor| matches!(factor, Factor::Matrix(_)));
    has_matrix.then_some(factors)
}
