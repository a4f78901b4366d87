//! All columns of a Jacobian at once: forward mode with matrix-valued tangents.
//!
//! A node of n elements has an n×d matrix of derivatives with respect to the d variables. It starts as the
//! identity and stays diagonal through elementwise operations. A product with a weight scales the columns of
//! the weight, W·diag(v); after that, elementwise operations scale rows and further weights are matrix
//! products. A dense layer of d variables then takes a few matrix nodes instead of d tangent vectors that are
//! stacked at the end.

use crate::sweep::partial::{self, Partial, branches};
use crate::sweep::{choice, is_one};
use crate::tape::{Choice, Node, NodeId, Op, Shape, Subgraph, Tape, Var, joined};

/// The derivatives of a node with respect to the variables.
#[derive(Clone, Copy)]
enum Columns<'t> {
    /// Element e depends on variable e alone: the vector of these derivatives.
    Diagonal(Var<'t>),
    /// A matrix with a row for each element and a column for each variable.
    Full(Var<'t>),
}
use Columns::{Diagonal, Full};

/// Records `J[i][j]` = ∂xᵢ/∂zⱼ as a matrix node. `None` where an operation between z and x has no rule here;
/// columns are then derived one by one.
pub(super) fn all_columns<'t>(tape: &'t Tape, map: &Subgraph) -> Option<Var<'t>> {
    let (input, output) = (map.inputs()[0], map.outputs()[0]);
    let d = tape.shape(input).len();
    let at = |id: NodeId| map.position(id).expect("the node belongs to the program");
    let mut columns: Vec<Option<Columns<'t>>> = vec![None; map.nodes().len()];
    columns[at(input)] = Some(Diagonal(tape.constant(1.0).broadcast(Shape::Vector(d))));
    let sweep = Sweep { tape, d };
    for (position, id) in map.nodes().iter().enumerate() {
        let node = tape.node(*id);
        let operands: Vec<Option<Columns<'t>>> =
            node.operands.iter().map(|operand| map.position(*operand).and_then(|at| columns[at])).collect();
        if map.is_input(*id) || operands.iter().all(Option::is_none) {
            continue;
        }
        columns[position] = sweep.node(*id, &node, &operands)?;
    }
    columns[at(output)].map(|columns| sweep.full(columns))
}

struct Sweep<'t> {
    tape: &'t Tape,
    d: usize,
}

impl<'t> Sweep<'t> {
    fn ones(&self, count: usize) -> Var<'t> {
        self.tape.constant(1.0).broadcast(Shape::Vector(count))
    }

    /// Repeats each element of a node along its row.
    fn rows(&self, a: Var<'t>) -> Var<'t> {
        a.reshape(Shape::Vector(a.len())).outer(self.ones(self.d))
    }

    fn full(&self, columns: Columns<'t>) -> Var<'t> {
        let d = self.d;
        match columns {
            Full(matrix) => matrix,
            Diagonal(v) => {
                let places: Vec<usize> = (0..d).map(|e| e * d + e).collect();
                v.scatter(&places, Shape::Matrix(d, d))
            }
        }
    }

    fn scaled(&self, factor: Var<'t>, columns: Columns<'t>) -> Columns<'t> {
        match columns {
            Diagonal(v) => {
                let factor = factor.reshape(Shape::Vector(self.d));
                Diagonal(if is_one(v) { factor } else { factor * v })
            }
            Full(matrix) => Full(self.rows(factor) * matrix),
        }
    }

    fn sum(&self, a: Option<Columns<'t>>, b: Columns<'t>) -> Columns<'t> {
        match (a, b) {
            (None, b) => b,
            (Some(Diagonal(a)), Diagonal(b)) => Diagonal(a + b),
            (Some(a), b) => Full(self.full(a) + self.full(b)),
        }
    }

    /// Propagates derivatives through a node. The outer `None` means that there is no rule, the inner `None`
    /// that the derivative is 0.
    fn node(&self, id: NodeId, node: &Node, of: &[Option<Columns<'t>>]) -> Option<Option<Columns<'t>>> {
        let (tape, d, n) = (self.tape, self.d, node.shape.len());
        let operands: Vec<Var<'t>> = node.operands.iter().map(|operand| tape.var(*operand)).collect();
        Some(Some(match &node.op {
            Op::Choice(Choice::Select) if of[1].is_none() && of[2].is_none() => return Some(None),
            Op::Choice(op) => {
                let (first, [a, b]) = branches(*op, &operands);
                self.choose(first, of[a], of[b])
            }
            Op::Unary(op) => {
                let share = |columns| self.share(partial::unary(*op, operands[0], tape.var(id)), columns);
                return Some(of[0].and_then(share));
            }
            Op::Binary(op) => {
                let share = |k: usize| {
                    let partial = |columns| {
                        let operands = [operands[0], operands[1]];
                        self.share(partial::binary(*op, operands, tape.var(id), k), columns)
                    };
                    of[k].and_then(partial)
                };
                let (first, second) = (share(0), share(1));
                return Some(match second {
                    Some(second) => Some(self.sum(first, second)),
                    None => first,
                });
            }
            Op::Broadcast => Full(self.ones(n).outer(self.full(of[0]?).reshape(Shape::Vector(d)))),
            Op::Sum => match of[0]? {
                Diagonal(v) => Full(v.reshape(Shape::Matrix(1, d))),
                Full(matrix) => {
                    let count = operands[0].len();
                    Full(matrix.transpose().matvec(self.ones(count)).reshape(Shape::Matrix(1, d)))
                }
            },
            Op::Gather(indices) => match of[0]? {
                columns @ Diagonal(_) if n == d && in_order(indices) => columns,
                Diagonal(v) => {
                    let from: Vec<usize> = indices.iter().map(|index| *index as usize).collect();
                    let places: Vec<usize> = from.iter().enumerate().map(|(row, e)| row * d + e).collect();
                    Full(v.pick("gather", &from, Shape::Vector(n)).scatter(&places, Shape::Matrix(n, d)))
                }
                Full(matrix) => {
                    let row = |index: u32| (0..d).map(move |column| index as usize * d + column);
                    let from: Vec<usize> = indices.iter().copied().flat_map(row).collect();
                    Full(matrix.pick("gather", &from, Shape::Matrix(n, d)))
                }
            },
            Op::Concat => {
                let zero = |k: usize| {
                    let entries = operands[k].len() * d;
                    tape.constant(0.0).broadcast(Shape::Vector(entries))
                };
                let part = |k: usize| of[k].map_or_else(|| zero(k), |columns| self.full(columns));
                Full(joined((0..operands.len()).map(part)).reshape(Shape::Matrix(n, d)))
            }
            Op::MatVec if of[0].is_none() && is_weight(tape, node.operands[0]) => match of[1]? {
                Diagonal(v) if is_one(v) => Full(operands[0]),
                Diagonal(v) => Full(operands[0] * self.ones(n).outer(v)),
                Full(matrix) => Full(operands[0].matmul(matrix)),
            },
            _ => return None,
        }))
    }

    /// What an operand's derivatives add to those of the node.
    fn share(&self, partial: Partial<'t>, columns: Columns<'t>) -> Option<Columns<'t>> {
        Some(match (partial, columns) {
            (Partial::Zero, _) => return None,
            (Partial::One, columns) => columns,
            (Partial::MinusOne, Diagonal(v)) => Diagonal(-v),
            (Partial::MinusOne, Full(matrix)) => Full(-matrix),
            (Partial::By(factor), columns) => self.scaled(factor, columns),
        })
    }

    fn choose(
        &self,
        condition: Var<'t>,
        then: Option<Columns<'t>>,
        otherwise: Option<Columns<'t>>,
    ) -> Columns<'t> {
        let diagonal = |columns: Option<Columns<'t>>| match columns {
            Some(Full(_)) => None,
            Some(Diagonal(v)) => Some(v),
            None => Some(self.tape.constant(0.0).broadcast(Shape::Vector(self.d))),
        };
        if let (Some(then), Some(otherwise)) = (diagonal(then), diagonal(otherwise)) {
            return Diagonal(choice(condition.reshape(Shape::Vector(self.d)), then, otherwise));
        }
        let shape = Shape::Matrix(condition.len(), self.d);
        let zero = || self.tape.constant(0.0).broadcast(shape);
        let branch = |columns: Option<Columns<'t>>| columns.map_or_else(zero, |columns| self.full(columns));
        Full(choice(self.rows(condition), branch(then), branch(otherwise)))
    }
}

fn in_order(indices: &[u32]) -> bool {
    indices.iter().enumerate().all(|(k, index)| k == *index as usize)
}

/// Returns whether a matrix depends on parameters and constants alone, so that it is the same for all
/// samples.
fn is_weight(tape: &Tape, matrix: NodeId) -> bool {
    let subgraph = Subgraph::new(tape, &[], &[matrix]);
    !subgraph.nodes().iter().any(|id| tape.with_node(*id, |node| matches!(node.op, Op::Input(_))))
}
