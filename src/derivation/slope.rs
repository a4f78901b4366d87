//! Jacobians in matrix form: the chain rule with whole matrices, `W₁·diag(1 - h²)·W₀`.
//!
//! The derivative of a node is a sum of products of matrices and diagonal matrices. Elementwise operations
//! multiply by a diagonal from the left, matrix-vector products multiply by the matrix from the left, a
//! gather takes rows of the leftmost factor. Other operations (such as a sum of a vector that is used again)
//! have no such form; then the result is `None`.

use std::collections::HashMap;

use crate::sweep::reach::{Reach, Relation};
use crate::sweep::simplify::simplify;
use crate::sweep::tangent;
use crate::tape::{Node, NodeId, Op, Shape, Subgraph, Tape, Var};

/// Above this number of products, a sum is too long to read.
const PRODUCTS: usize = 8;

#[derive(Clone, Copy)]
enum Factor<'t> {
    Diagonal(Var<'t>),
    Matrix(Var<'t>),
}

/// A product, from left to right; an empty one is the identity.
type Chain<'t> = Vec<Factor<'t>>;

/// Records ∂output/∂input for two vectors; `None` where it has no matrix form. The input may be any node.
pub(super) fn slope<'t>(tape: &'t Tape, input: NodeId, output: NodeId) -> Option<Var<'t>> {
    let subgraph = Subgraph::new(tape, &[input], &[output]);
    let reach = Reach::new(tape, &subgraph, Relation::Derivative);
    let mut slopes: HashMap<NodeId, Vec<Chain<'t>>> = HashMap::from([(input, vec![Vec::new()])]);
    for id in subgraph.nodes().iter().filter(|id| **id != input && reach.depends_on_input(**id)) {
        let node = tape.node(*id);
        let sum = rule(tape, *id, &node, &slopes)?;
        if sum.len() > PRODUCTS {
            return None;
        }
        slopes.insert(*id, sum);
    }
    let sum = slopes.remove(&output)?;
    let sizes = (tape.shape(output).len(), tape.shape(input).len());
    let terms: Vec<Var<'t>> =
        sum.into_iter().map(|chain| product(tape, &chain, sizes)).collect::<Option<_>>()?;
    terms.into_iter().reduce(|sum, next| sum + next)
}

fn rule<'t>(
    tape: &'t Tape,
    id: NodeId,
    node: &Node,
    slopes: &HashMap<NodeId, Vec<Chain<'t>>>,
) -> Option<Vec<Chain<'t>>> {
    let of = |k: usize| slopes.get(&node.operands[k]);
    match &node.op {
        Op::Unary(_) | Op::Binary(_) | Op::Choice(_) if matches!(node.shape, Shape::Vector(_)) => {
            let mut sum = Vec::new();
            let mut seen: Vec<NodeId> = Vec::new();
            for operand in &node.operands {
                if seen.contains(operand) || !slopes.contains_key(operand) {
                    continue;
                }
                seen.push(*operand);
                let first = tape.len();
                // Treat the other operands as constants, even if they depend on the input.
                let local = Subgraph::new(tape, &node.operands, &[id]);
                let one = tape.constant(1.0).broadcast(node.shape);
                let Some(partial) = tangent(tape, &local, &[(*operand, one)])[0] else { continue };
                let partial = simplify(tape, partial.id(), first, &[]).value;
                sum.extend(slopes[operand].iter().map(|chain| scaled(tape, partial, chain)));
            }
            Some(sum)
        }
        Op::MatVec if of(0).is_none() => {
            let matrix = tape.var(node.operands[0]);
            let front = |chain: &Chain<'t>| [vec![Factor::Matrix(matrix)], chain.clone()].concat();
            Some(of(1)?.iter().map(front).collect())
        }
        Op::Gather(indices) if matches!(node.shape, Shape::Vector(_)) => {
            of(0)?.iter().map(|chain| rows(tape, indices, chain)).collect()
        }
        _ => None,
    }
}

/// Multiplies a product by diag(by) from the left.
fn scaled<'t>(tape: &'t Tape, by: Var<'t>, chain: &Chain<'t>) -> Chain<'t> {
    if is_one(tape, by.id()) {
        return chain.clone();
    }
    match chain.split_first() {
        Some((Factor::Diagonal(inner), rest)) => {
            let first = tape.len();
            let both = simplify(tape, (by * *inner).id(), first, &[]).value;
            [vec![Factor::Diagonal(both)], rest.to_vec()].concat()
        }
        _ => [vec![Factor::Diagonal(by)], chain.clone()].concat(),
    }
}

/// Takes rows of a product, by taking rows of its first matrix factor.
fn rows<'t>(tape: &'t Tape, indices: &[u32], chain: &Chain<'t>) -> Option<Chain<'t>> {
    let at = chain.iter().position(|factor| matches!(factor, Factor::Matrix(_)))?;
    let positions: Vec<usize> = indices.iter().map(|index| *index as usize).collect();
    let mut taken = Vec::new();
    for factor in &chain[..at] {
        if let Factor::Diagonal(diagonal) = factor {
            taken.push(Factor::Diagonal(diagonal.gather(&positions)));
        }
    }
    if let Factor::Matrix(matrix) = chain[at] {
        let (_, columns) = tape.shape(matrix.id()).matrix_dims();
        let entries: Vec<usize> =
            positions.iter().flat_map(|row| row * columns..(row + 1) * columns).collect();
        taken.push(Factor::Matrix(matrix.pick("gather", &entries, Shape::Matrix(positions.len(), columns))));
    }
    taken.extend_from_slice(&chain[at + 1..]);
    Some(taken)
}

/// Records a product as one matrix node.
fn product<'t>(tape: &'t Tape, chain: &Chain<'t>, (rows, columns): (usize, usize)) -> Option<Var<'t>> {
    let diagonal = |entries: Var<'t>| {
        let n = entries.len();
        let places: Vec<usize> = (0..n).map(|i| i * n + i).collect();
        entries.scatter(&places, Shape::Matrix(n, n))
    };
    let factors = chain.iter().map(|factor| match factor {
        Factor::Diagonal(entries) => diagonal(*entries),
        Factor::Matrix(matrix) => *matrix,
    });
    match factors.reduce(|left, right| left.matmul(right)) {
        Some(product) => Some(product),
        None => (rows == columns).then(|| diagonal(tape.constant(1.0).broadcast(Shape::Vector(rows)))),
    }
}

fn is_one(tape: &Tape, id: NodeId) -> bool {
    let node = tape.node(id);
    match node.op {
        Op::Constant(data) => data.values().iter().all(|value| *value == 1.0),
        Op::Broadcast => is_number_one(tape, node.operands[0]),
        _ => false,
    }
}

fn is_number_one(tape: &Tape, id: NodeId) -> bool {
    tape.with_node(id, |node| matches!(&node.op, Op::Constant(data) if data.values() == [1.0]))
}
