//! The tangent sweep: forward-mode derivatives, emitted as nodes.
//!
//! Seeds are directions at the inputs; the result is the derivative of every output in that direction, a node on the
//! same tape. A tangent that is structurally zero is *absent*: it costs nothing, and no 0·∞ can arise from it.
//!
//! A *sliced* sweep keeps an edge only if both its ends carry the same label. With the slices of a triangular program
//! as labels, and 1 as the seed of every input, one sweep gives the whole diagonal of the Jacobian: nodes outside of
//! every slice (the conditioner of a coupling layer) are not differentiated.

use smallvec::SmallVec;

use super::equation;
use super::initial_value;
use super::partial::{self, Partial, branches};
use super::reach::{Layout, NONE};
use crate::tape::{Choice, Equation, Node, NodeId, Op, Shape, Solution, Subgraph, Tape, Var, joined};

/// Returns the derivative of each output in the direction of the seeds; `None` where it is structurally zero.
///
/// A seed is an input of the program and its tangent, of the same shape; inputs without a seed have the tangent 0.
pub fn tangent<'t>(tape: &'t Tape, subgraph: &Subgraph, seeds: &[(NodeId, Var<'t>)]) -> Vec<Option<Var<'t>>> {
    Sweep { tape, labels: None }.run(subgraph, seeds, &mut [])
}

/// Elements of a node that a sweep holds fixed: their tangents are given, whatever those of their operands are.
pub(crate) struct Fixed<'t> {
    pub node: NodeId,
    /// For each element of the node, whether it is fixed.
    pub elements: Vec<bool>,
    /// The tangents of the fixed elements, of the shape of the node and 0 elsewhere; none if all are 0.
    pub given: Option<Var<'t>>,
    /// Set by the sweep: the tangent that the node has by its operands.
    pub own: Option<Var<'t>>,
}

/// As [`tangent`], with elements held fixed.
pub(crate) fn tangent_fixing<'t>(
    tape: &'t Tape,
    subgraph: &Subgraph,
    seeds: &[(NodeId, Var<'t>)],
    fixed: &mut [Fixed<'t>],
) -> Vec<Option<Var<'t>>> {
    Sweep { tape, labels: None }.run(subgraph, seeds, fixed)
}

/// As [`tangent`], restricted to edges whose two ends carry the same label.
///
/// `labels` gives each element of `layout` a label, or [`NONE`].
pub fn sliced_tangent<'t>(
    tape: &'t Tape,
    subgraph: &Subgraph,
    seeds: &[(NodeId, Var<'t>)],
    layout: &Layout,
    labels: &[u32],
) -> Vec<Option<Var<'t>>> {
    Sweep { tape, labels: Some((layout, labels)) }.run(subgraph, seeds, &mut [])
}

struct Sweep<'t, 'l> {
    tape: &'t Tape,
    labels: Option<(&'l Layout, &'l [u32])>,
}

impl<'t> Sweep<'t, '_> {
    fn run(
        &self,
        subgraph: &Subgraph,
        seeds: &[(NodeId, Var<'t>)],
        fixed: &mut [Fixed<'t>],
    ) -> Vec<Option<Var<'t>>> {
        let at = |id: NodeId| subgraph.position(id).expect("the node belongs to the program");
        let mut tangents: Vec<Option<Var<'t>>> = vec![None; subgraph.nodes().len()];
        for (input, seed) in seeds {
            tangents[at(*input)] = Some(*seed);
        }
        for (position, id) in subgraph.nodes().iter().enumerate() {
            if subgraph.is_input(*id) {
                continue;
            }
            let operands: SmallVec<[Option<Var<'t>>; 3]> = self
                .tape
                .with_node(*id, |node| node.operands.iter().map(|operand| tangents[at(*operand)]).collect());
            if operands.iter().any(Option::is_some) && self.carries_label(*id) {
                tangents[position] = self.node(*id, &self.tape.node(*id), &operands);
            }
            if let Some(fixed) = fixed.iter_mut().find(|fixed| fixed.node == *id) {
                fixed.own = tangents[position];
                let keep: Vec<bool> = fixed.elements.iter().map(|fixed| !fixed).collect();
                tangents[position] = add(fixed.own.and_then(|own| restrict(own, &keep)), fixed.given);
            }
        }
        subgraph.outputs().iter().map(|output| tangents[at(*output)]).collect()
    }

    /// The labels of a node's elements, if this sweep is sliced.
    fn labels(&self, id: NodeId) -> Option<&[u32]> {
        self.labels.map(|(layout, labels)| &labels[layout.elements(id)])
    }

    fn carries_label(&self, id: NodeId) -> bool {
        self.labels(id).is_none_or(|labels| labels.iter().any(|label| *label != NONE))
    }

    fn node(&self, id: NodeId, node: &Node, tangents: &[Option<Var<'t>>]) -> Option<Var<'t>> {
        let Some(own) = self.labels(id) else { return rule(self.tape, id, node, tangents) };
        match &node.op {
            Op::MatVec => {
                // The entries whose row and column are in one slice: O(entries), not O(rows·columns).
                let vector = tangents[1].and_then(|t| self.sliced_product(node, own, t));
                let matrix = self.label_by_label(id, node, own, &[tangents[0], None]);
                add(vector, matrix)
            }
            Op::MatMul
            | Op::Outer
            | Op::LogAbsDet
            | Op::Inverse
            | Op::MatrixExp
            | Op::Equation(_)
            | Op::Solution(_) => self.label_by_label(id, node, own, tangents),
            // One element may be read several times: drop edges at the reading node, not at the element.
            Op::Broadcast | Op::Gather(_) => {
                let theirs = self.labels(node.operands[0])?;
                let from = |v: usize| match &node.op {
                    Op::Gather(indices) => theirs[indices[v] as usize],
                    _ => theirs[0],
                };
                let keep: Vec<bool> =
                    own.iter().enumerate().map(|(v, label)| *label != NONE && *label == from(v)).collect();
                restrict(rule(self.tape, id, node, tangents)?, &keep)
            }
            _ => {
                // Accumulated while iterating: a concatenation may have as many operands as elements.
                let mut start = 0;
                let restricted = |(k, t): (usize, &Option<Var<'t>>)| {
                    let first = start;
                    start += self.tape.shape(node.operands[k]).len();
                    t.and_then(|t| self.restrict_operand(node, own, (k, first), t))
                };
                let kept: Vec<Option<Var<'t>>> = tangents.iter().enumerate().map(restricted).collect();
                rule(self.tape, id, node, &kept)
            }
        }
    }

    /// Returns the tangent of operand k on the elements whose edge into the node is kept, and zero elsewhere. `first`
    /// is the number of elements of the operands before it.
    fn restrict_operand(
        &self,
        node: &Node,
        own: &[u32],
        (k, first): (usize, usize),
        t: Var<'t>,
    ) -> Option<Var<'t>> {
        let theirs = self.labels(node.operands[k])?;
        let same = |v: usize, u: usize| own[v] == theirs[u] && own[v] != NONE;
        let keep: Vec<bool> = match &node.op {
            Op::Sum => (0..theirs.len()).map(|u| same(0, u)).collect(),
            Op::Scatter(indices) => indices.iter().enumerate().map(|(u, v)| same(*v as usize, u)).collect(),
            Op::Concat => (0..theirs.len()).map(|u| same(first + u, u)).collect(),
            Op::Transpose => {
                let (rows, columns) = node.shape.matrix_dims();
                let mut keep = vec![false; theirs.len()];
                for v in 0..own.len() {
                    let u = (v % columns) * rows + v / columns;
                    keep[u] = same(v, u);
                }
                keep
            }
            _ => (0..theirs.len()).map(|e| same(e, e)).collect(),
        };
        restrict(t, &keep)
    }

    /// Σ over the kept entries (row, column) of the matrix, times the tangent of the column.
    fn sliced_product(&self, node: &Node, own: &[u32], t: Var<'t>) -> Option<Var<'t>> {
        let theirs = self.labels(node.operands[1])?;
        let columns = theirs.len();
        let by_label = positions_by_label(theirs);
        let (mut entries, mut from, mut to) = (Vec::new(), Vec::new(), Vec::new());
        for (row, label) in own.iter().enumerate() {
            let start = by_label.partition_point(|(known, _)| known < label);
            for (_, column) in by_label[start..].iter().take_while(|(known, _)| known == label) {
                entries.push(row * columns + column);
                from.push(*column);
                to.push(row);
            }
        }
        if entries.is_empty() {
            return None;
        }
        let matrix = self.tape.var(node.operands[0]);
        let products = times(matrix.gather(&entries), pick(t, &from, Shape::Vector(from.len()))?);
        let in_place = to.len() == own.len() && to.iter().enumerate().all(|(row, to)| row == *to);
        Some(if in_place { products } else { products.scatter(&to, node.shape) })
    }

    /// Runs one full sweep of the node for each label: for operations in which all elements interact.
    fn label_by_label(
        &self,
        id: NodeId,
        node: &Node,
        own: &[u32],
        tangents: &[Option<Var<'t>>],
    ) -> Option<Var<'t>> {
        if tangents.iter().all(Option::is_none) {
            return None;
        }
        let mut labels: Vec<u32> = own.iter().copied().filter(|label| *label != NONE).collect();
        labels.sort_unstable();
        labels.dedup();
        let mut sum = None;
        for label in labels {
            let kept: Vec<Option<Var<'t>>> = tangents
                .iter()
                .zip(&node.operands)
                .map(|(t, operand)| {
                    let theirs = self.labels(*operand)?;
                    restrict((*t)?, &theirs.iter().map(|other| *other == label).collect::<Vec<_>>())
                })
                .collect();
            let derivative = rule(self.tape, id, node, &kept)
                .and_then(|d| restrict(d, &own.iter().map(|other| *other == label).collect::<Vec<_>>()));
            sum = add(sum, derivative);
        }
        sum
    }
}

/// The positions of labelled elements, sorted by label and then by position.
fn positions_by_label(labels: &[u32]) -> Vec<(u32, usize)> {
    let mut positions: Vec<(u32, usize)> = labels
        .iter()
        .enumerate()
        .filter(|(_, label)| **label != NONE)
        .map(|(e, label)| (*label, e))
        .collect();
    positions.sort_unstable();
    positions
}

/// Returns the tangent of a node from those of its operands: one line for each operation.
fn rule<'t>(tape: &'t Tape, id: NodeId, node: &Node, tangents: &[Option<Var<'t>>]) -> Option<Var<'t>> {
    let y = tape.var(id);
    let operands: Vec<Var<'t>> = node.operands.iter().map(|operand| tape.var(*operand)).collect();
    let linear = |f: &dyn Fn(Var<'t>) -> Var<'t>| tangents[0].map(f);
    match &node.op {
        Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => None,
        Op::Unary(op) => tangents[0].and_then(|t| share(partial::unary(*op, operands[0], y), t)),
        Op::Binary(op) => {
            let of = |k: usize| {
                let partial = |t| share(partial::binary(*op, [operands[0], operands[1]], y, k), t);
                tangents[k].and_then(partial)
            };
            add(of(0), of(1))
        }
        Op::Choice(op) => {
            let (first, [a, b]) = branches(*op, &operands);
            choose(first, tangents[a], tangents[b])
        }
        Op::Broadcast => linear(&|t| t.broadcast(node.shape)),
        Op::Sum => linear(&|t| t.sum()),
        Op::Gather(indices) => {
            let positions: Vec<usize> = indices.iter().map(|index| *index as usize).collect();
            tangents[0].and_then(|t| pick(t, &positions, node.shape))
        }
        Op::Scatter(indices) => {
            let positions: Vec<usize> = indices.iter().map(|index| *index as usize).collect();
            linear(&|t| t.scatter(&positions, node.shape))
        }
        Op::Concat => {
            let zero = |k: usize| tape.constant(0.0).broadcast(operands[k].shape());
            tangents.iter().any(Option::is_some).then(|| {
                joined((0..operands.len()).map(|k| tangents[k].unwrap_or_else(|| zero(k))))
                    .reshape(node.shape)
            })
        }
        Op::Transpose => linear(&|t| t.transpose()),
        Op::MatVec => add(
            tangents[0].map(|t| t.matvec(operands[1])),
            tangents[1].map(|t| match one_hot(t) {
                Some(column) => operands[0].column(column),
                None => operands[0].matvec(t),
            }),
        ),
        Op::MatMul => {
            add(tangents[0].map(|t| t.matmul(operands[1])), tangents[1].map(|t| operands[0].matmul(t)))
        }
        Op::Outer => {
            add(tangents[0].map(|t| t.outer(operands[1])), tangents[1].map(|t| operands[0].outer(t)))
        }
        // d ln|det A| = tr(A⁻¹ dA)
        Op::LogAbsDet => linear(&|t| (operands[0].inverse().transpose() * t).sum()),
        // d A⁻¹ = -A⁻¹ dA A⁻¹
        Op::Inverse => linear(&|t| -y.matmul(t).matmul(y)),
        Op::MatrixExp => linear(&|t| exponential_tangent(operands[0], t)),
        Op::Equation(Equation::Substitution(g)) => equation::substitution_tangent(g, y, &operands, tangents),
        Op::Equation(Equation::Contraction(g)) => equation::contraction_tangent(g, y, &operands, tangents),
        Op::Equation(Equation::Root(h)) => equation::root_tangent(h, y, &operands, tangents),
        Op::Equation(Equation::System(h)) => equation::system_tangent(h, y, &operands, tangents),
        Op::Solution(Solution::End(problem)) => initial_value::end_tangent(problem, &operands, tangents),
        Op::Solution(Solution::Adjoint(problem, of)) => {
            initial_value::adjoint_tangent(problem, *of, &operands, tangents)
        }
    }
}

/// The tangent of exp A at T: the upper right block of exp [[A, T], [0, A]].
///
/// Source: Higham, "Functions of Matrices" (2008), eq. 3.16.
pub(super) fn exponential_tangent<'t>(a: Var<'t>, t: Var<'t>) -> Var<'t> {
    let n = a.shape().matrix_dims().0;
    let places = |rows: usize, columns: usize| {
        let entry = move |e: usize| (rows + e / n) * 2 * n + columns + e % n;
        (0..n * n).map(entry).collect::<Vec<usize>>()
    };
    let whole = [(a, places(0, 0)), (t, places(0, n)), (a, places(n, n))];
    let whole = whole.map(|(block, places)| block.scatter(&places, Shape::Matrix(2 * n, 2 * n)));
    let [upper, beside, lower] = whole;
    (upper + beside + lower)
        .matrix_exp()
        .reshape(Shape::Vector(4 * n * n))
        .gather(&places(0, n))
        .reshape(Shape::Matrix(n, n))
}

/// Returns the contribution of an operand's tangent to that of the node.
fn share<'t>(partial: Partial<'t>, t: Var<'t>) -> Option<Var<'t>> {
    match partial {
        Partial::Zero => None,
        Partial::One => Some(t),
        Partial::MinusOne => Some(-t),
        Partial::By(factor) => Some(times(factor, t)),
    }
}

/// Returns the tangent of a choice: it selects, so that a NaN of the branch not taken does not propagate.
fn choose<'t>(condition: Var<'t>, then: Option<Var<'t>>, otherwise: Option<Var<'t>>) -> Option<Var<'t>> {
    if then.is_none() && otherwise.is_none() {
        return None;
    }
    let zero = condition.tape().constant(0.0).broadcast(condition.shape());
    Some(choice(condition, then.unwrap_or(zero), otherwise.unwrap_or(zero)))
}

/// Records a select whose condition is a node already.
pub(crate) fn choice<'t>(condition: Var<'t>, then: Var<'t>, otherwise: Var<'t>) -> Var<'t> {
    let operands = [condition.id(), then.id(), otherwise.id()];
    condition.tape().push(Op::Choice(Choice::Select), operands.into_iter().collect(), condition.shape())
}

pub(super) fn add<'t>(a: Option<Var<'t>>, b: Option<Var<'t>>) -> Option<Var<'t>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (one, other) => one.or(other),
    }
}

/// Keeps some elements and puts a structural zero elsewhere.
fn restrict<'t>(t: Var<'t>, keep: &[bool]) -> Option<Var<'t>> {
    let positions: Vec<usize> = (0..keep.len()).filter(|e| keep[*e]).collect();
    if positions.is_empty() {
        return None;
    }
    if positions.len() == keep.len() {
        return Some(t);
    }
    Some(t.gather(&positions).scatter(&positions, t.shape()))
}

/// Returns `factor·t`, without the product when t is 1.
pub(super) fn times<'t>(factor: Var<'t>, t: Var<'t>) -> Var<'t> {
    if is_one(t) { factor } else { factor * t }
}

/// Gathers a tangent; a repeated scalar stays a repeated scalar and a constant a constant, and a tangent that is zero
/// everywhere is absent.
fn pick<'t>(t: Var<'t>, positions: &[usize], shape: Shape) -> Option<Var<'t>> {
    let node = t.tape().node(t.id());
    match &node.op {
        Op::Broadcast => Some(t.tape().var(node.operands[0]).broadcast(shape)),
        Op::Constant(data) => {
            let values: Vec<f64> = positions.iter().map(|position| data.values()[*position]).collect();
            let moves = values.iter().any(|value| *value != 0.0);
            moves.then(|| t.tape().constants(shape, &values))
        }
        _ => Some(t.pick("gather", positions, shape)),
    }
}

/// Whether every element is the constant 1.
pub(crate) fn is_one(t: Var<'_>) -> bool {
    let node = t.tape().node(t.id());
    match &node.op {
        Op::Constant(data) => data.values().iter().all(|value| *value == 1.0),
        Op::Broadcast => t.tape().with_node(node.operands[0], |scalar| match &scalar.op {
            Op::Constant(data) => data.values() == [1.0],
            _ => false,
        }),
        _ => false,
    }
}

/// Returns the position of the only entry of a constant unit vector.
fn one_hot(t: Var<'_>) -> Option<usize> {
    t.tape().with_node(t.id(), |node| {
        let Op::Constant(data) = &node.op else { return None };
        let place = data.values().iter().position(|value| *value != 0.0)?;
        let alone = data.values()[place + 1..].iter().all(|value| *value == 0.0);
        (alone && data.values()[place] == 1.0).then_some(place)
    })
}
