//! The adjoint sweep: derivatives backwards, emitted as nodes.
//!
//! From a weight on each output, the derivative of the weighted sum by any nodes of the program: gradients,
//! rows of Jacobians, what training needs.
//!
//! *Guards.* The adjoint of the branch that a select did not take is 0, and 0 times the partial of a square
//! root at 0 is NaN. So an adjoint that comes out of a choice travels with the condition under which it
//! counts, is multiplied as it is, and is masked afterwards: the NaN is dropped, never multiplied.

use super::equation;
use super::partial::{Partial, partial, takes_first};
use super::tangent::{choice, times};
use crate::tape::{Cut, Node, NodeId, Op, Shape, Tape, Var, concat};

/// The derivative of Σ seed·output by each node of `wrt`; `None` where it is zero by structure.
///
/// A seed is an output of the program and its weight, of the same shape. The nodes of `wrt` are inputs,
/// parameters, or any other nodes of the program.
pub fn adjoint<'t>(
    tape: &'t Tape,
    cut: &Cut,
    seeds: &[(NodeId, Var<'t>)],
    wrt: &[NodeId],
) -> Vec<Option<Var<'t>>> {
    let last = cut.nodes().last().map_or(0, |id| id.index() + 1);
    let wanted = active(tape, cut, wrt, last);
    let mut pending: Vec<Pending<'t>> = (0..last).map(|_| Pending::default()).collect();
    for (output, seed) in seeds {
        pending[output.index()].add(Adjoint { value: *seed, guard: None });
    }
    let mut found: Vec<Option<Var<'t>>> = vec![None; last];
    for id in cut.nodes().iter().rev() {
        if !wanted[id.index()] {
            continue;
        }
        let Some(own) = std::mem::take(&mut pending[id.index()]).total(tape.shape(*id)) else { continue };
        if wrt.contains(id) {
            found[id.index()] = Some(own.masked());
        }
        if !cut.is_input(*id) {
            let node = tape.node(*id);
            spread(tape, *id, &node, own, &wanted, &mut pending);
        }
    }
    wrt.iter().map(|id| found.get(id.index()).copied().flatten()).collect()
}

/// Which nodes depend on a node of `wrt`, or are one.
fn active(tape: &Tape, cut: &Cut, wrt: &[NodeId], last: usize) -> Vec<bool> {
    let mut active = vec![false; last];
    for id in wrt.iter().filter(|id| id.index() < last) {
        active[id.index()] = true;
    }
    for id in cut.nodes() {
        if !active[id.index()] && !cut.is_input(*id) {
            active[id.index()] =
                tape.look(*id, |node| node.operands.iter().any(|operand| active[operand.index()]));
        }
    }
    active
}

/// An adjoint and the condition under which it counts.
#[derive(Clone, Copy)]
struct Adjoint<'t> {
    value: Var<'t>,
    guard: Option<Var<'t>>,
}

impl<'t> Adjoint<'t> {
    /// The value where it counts and 0 elsewhere.
    fn masked(self) -> Var<'t> {
        match self.guard {
            Some(guard) => {
                let zero = self.value.tape().constant(0.0).broadcast(self.value.shape());
                choice(guard, self.value, zero)
            }
            None => self.value,
        }
    }

    /// The adjoint through a linear map of elements; the guard moves along.
    fn moved(self, f: impl Fn(Var<'t>) -> Var<'t>) -> Adjoint<'t> {
        Adjoint { value: f(self.masked()), guard: self.guard.map(&f) }
    }

    /// The adjoint after a map that mixes elements: it counts where any of them did.
    fn mixed(self, value: Var<'t>) -> Adjoint<'t> {
        let any = |guard: Var<'t>| guard.sum().gt(0.0).var().broadcast(value.shape());
        Adjoint { value, guard: self.guard.map(any) }
    }

    fn both(self, other: Adjoint<'t>) -> Adjoint<'t> {
        let guard = match (self.guard, other.guard) {
            (Some(a), Some(b)) if a.id() == b.id() => {
                return Adjoint { value: self.value + other.value, guard: Some(a) };
            }
            (Some(a), Some(b)) => Some(a.max(b)),
            _ => None,
        };
        Adjoint { value: self.masked() + other.masked(), guard }
    }
}

/// What has arrived at a node so far.
///
/// Shares that came through gathers are kept apart and scattered together: a program that reads a vector
/// element by element costs one scatter, not one a read.
#[derive(Default)]
struct Pending<'t> {
    sum: Option<Adjoint<'t>>,
    pieces: Vec<(Adjoint<'t>, Vec<usize>)>,
}

impl<'t> Pending<'t> {
    fn add(&mut self, share: Adjoint<'t>) {
        self.sum = Some(match self.sum {
            Some(sum) => sum.both(share),
            None => share,
        });
    }

    fn total(mut self, shape: Shape) -> Option<Adjoint<'t>> {
        if let Some((first, _)) = self.pieces.first() {
            let tape = first.value.tape();
            let positions: Vec<usize> = self.pieces.iter().flat_map(|(_, p)| p.iter().copied()).collect();
            let join = |part: &dyn Fn(&Adjoint<'t>) -> Var<'t>| {
                let parts: Vec<Var<'t>> = self.pieces.iter().map(|(adjoint, _)| part(adjoint)).collect();
                let joined = if parts.len() == 1 { parts[0] } else { concat(parts) };
                joined.scatter(&positions, shape)
            };
            let value = join(&|a: &Adjoint<'t>| a.masked());
            let guarded = self.pieces.iter().any(|(adjoint, _)| adjoint.guard.is_some());
            let guard = guarded.then(|| {
                let one = |shape| tape.constant(1.0).broadcast(shape);
                join(&|a: &Adjoint<'t>| a.guard.unwrap_or_else(|| one(a.value.shape()))).gt(0.0).var()
            });
            self.add(Adjoint { value, guard });
        }
        self.sum
    }
}

/// Whether a matrix is a parameter, or one times a constant: what leads to it has finite derivatives.
fn is_weight(tape: &Tape, matrix: NodeId) -> bool {
    let is = |id: NodeId, of: fn(&Op) -> bool| tape.look(id, |node| of(&node.op));
    let parameter = |id: NodeId| is(id, |op| matches!(op, Op::Parameter(_)));
    let constant = |id: NodeId| is(id, |op| matches!(op, Op::Constant(_)));
    let factors = tape.look(matrix, |node| match (&node.op, node.operands.as_slice()) {
        (Op::Mul, [a, b]) => Some((*a, *b)),
        _ => None,
    });
    parameter(matrix)
        || factors.is_some_and(|(a, b)| (parameter(a) && constant(b)) || (constant(a) && parameter(b)))
}

/// Hands a node's adjoint to its operands: one line an operation.
fn spread<'t>(
    tape: &'t Tape,
    id: NodeId,
    node: &Node,
    own: Adjoint<'t>,
    wanted: &[bool],
    pending: &mut [Pending<'t>],
) {
    let y = tape.var(id);
    let operands: Vec<Var<'t>> = node.operands.iter().map(|operand| tape.var(*operand)).collect();
    let wants = |k: usize| wanted[node.operands[k].index()];
    let mut give = |k: usize, share: Adjoint<'t>| pending[node.operands[k].index()].add(share);
    match &node.op {
        Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => {}
        Op::Select => {
            let holds = operands[0];
            let fails = 1.0 - holds;
            for (k, condition) in [(1, holds), (2, fails)] {
                if wants(k) {
                    give(k, guarded(own, condition));
                }
            }
        }
        Op::Min | Op::Max => {
            let first = takes_first(&node.op, operands[0], operands[1]);
            for (k, condition) in [(0, first), (1, 1.0 - first)] {
                if wants(k) {
                    give(k, guarded(own, condition));
                }
            }
        }
        op if op.is_elementwise() => {
            for k in 0..operands.len() {
                if !wants(k) {
                    continue;
                }
                let value = match partial(op, &operands, y, k) {
                    Partial::Zero => continue,
                    Partial::One => own.value,
                    Partial::MinusOne => -own.value,
                    Partial::By(factor) => times(factor, own.value),
                };
                give(k, Adjoint { value, guard: own.guard });
            }
        }
        Op::Broadcast => give(0, own.mixed(own.masked().sum())),
        Op::Sum => give(0, own.moved(|v| v.broadcast(operands[0].shape()))),
        Op::Gather(indices) => {
            let positions = indices.iter().map(|index| *index as usize).collect();
            pending[node.operands[0].index()].pieces.push((own, positions));
        }
        Op::Scatter(indices) => {
            let positions: Vec<usize> = indices.iter().map(|index| *index as usize).collect();
            let shape = operands[0].shape();
            give(0, own.moved(|v| v.gather(&positions).reshape(shape)));
        }
        Op::Concat => {
            let mut start = 0;
            for (k, operand) in operands.iter().enumerate() {
                let positions: Vec<usize> = (start..start + operand.len()).collect();
                start += operand.len();
                if wants(k) {
                    give(k, own.moved(|v| v.pick("concat", &positions, operand.shape())));
                }
            }
        }
        Op::Transpose => give(0, own.moved(Var::transpose)),
        Op::MatVec => {
            let (matrix, vector, value) = (operands[0], operands[1], own.masked());
            if wants(0) && own.guard.is_some() && is_weight(tape, node.operands[0]) {
                // The vector is masked, not the product: what is an outer product stays one, which a sum over a batch
                // never forms for each sample. No NaN can arise on the way on from here.
                let vector = own.mixed(vector).masked();
                give(0, Adjoint { value: value.outer(vector), guard: None });
            } else if wants(0) {
                give(0, own.mixed(value.outer(vector)));
            }
            if wants(1) {
                give(1, own.mixed(matrix.transpose().matvec(value)));
            }
        }
        Op::MatMul => {
            let (left, right, value) = (operands[0], operands[1], own.masked());
            if wants(0) {
                give(0, own.mixed(value.matmul(right.transpose())));
            }
            if wants(1) {
                give(1, own.mixed(left.transpose().matmul(value)));
            }
        }
        Op::Outer => {
            let (left, right, value) = (operands[0], operands[1], own.masked());
            if wants(0) {
                give(0, own.mixed(value.matvec(right)));
            }
            if wants(1) {
                give(1, own.mixed(value.transpose().matvec(left)));
            }
        }
        // ∂ ln|det A| / ∂A = A⁻ᵀ
        Op::LogAbsDet => {
            let inverse = operands[0].inverse().transpose();
            give(0, own.mixed(own.masked().broadcast(inverse.shape()) * inverse));
        }
        // Y = A⁻¹: the adjoint of A is -Yᵀ Ȳ Yᵀ
        Op::Inverse => {
            let transposed = y.transpose();
            give(0, own.mixed(-transposed.matmul(own.masked()).matmul(transposed)));
        }
        Op::Substitution(_) | Op::Root(_) => {
            let wrt: Vec<usize> = (0..operands.len()).filter(|k| wants(*k)).collect();
            let shares = match &node.op {
                Op::Root(root) => equation::root_adjoint(root, y, &operands, own.masked(), &wrt),
                Op::Substitution(substitution) => {
                    equation::substitution_adjoint(substitution, y, &operands, own.masked(), &wrt)
                }
                _ => unreachable!("an equation"),
            };
            for (k, share) in wrt.into_iter().zip(shares) {
                if let Some(share) = share {
                    give(k, own.mixed(share));
                }
            }
        }
        op => unreachable!("{} is elementwise", op.name()),
    }
}

/// The same adjoint, counting only where the condition holds as well.
fn guarded<'t>(own: Adjoint<'t>, condition: Var<'t>) -> Adjoint<'t> {
    let guard = match own.guard {
        Some(guard) => guard.min(condition),
        None => condition,
    };
    Adjoint { value: own.value, guard: Some(guard) }
}
