//! The adjoint sweep: derivatives backwards, emitted as nodes.
//!
//! From a weight on each output, computes the derivatives of the weighted sum with respect to any nodes of the
//! program: gradients and rows of Jacobians, as training needs them.
//!
//! *Guards.* The adjoint of the branch that a select did not take is 0, and 0 times the partial of a square root at 0
//! is NaN. So the adjoint of a select carries the condition under which it is non-zero; it is propagated unmasked,
//! and masked at the end, so that a NaN of the branch not taken is dropped. An adjoint that only passes through sums,
//! data movement and finite factors stays 0 outside of its condition, and is masked at most once.
//!
//! *Shifts.* The largest number of a softmax gets no adjoint from it: see [`shifts_that_cancel`].

use std::collections::{HashMap, HashSet};

use smallvec::SmallVec;

use super::equation;
use super::guard::{Guard, Guards};
use super::initial_value;
use super::partial::{self, Partial, branches};
use super::shift_invariance::shifts_that_cancel;
use super::tangent::{choice, exponential_tangent, times};
use crate::tape::{Binary, Equation, Node, NodeId, Op, Shape, Solution, Subgraph, Tape, Unary, Var, joined};

/// Returns the derivative of Σ seed·output with respect to each node of `wrt`; `None` where it is structurally zero.
///
/// A seed is an output of the program and its weight, of the same shape. The nodes of `wrt` are inputs,
/// parameters, or any other nodes of the program.
pub fn adjoint<'t>(
    tape: &'t Tape,
    subgraph: &Subgraph,
    seeds: &[(NodeId, Var<'t>)],
    wrt: &[NodeId],
) -> Vec<Option<Var<'t>>> {
    let count = subgraph.nodes().len();
    let at = |id: NodeId| subgraph.position(id).expect("the node belongs to the program");
    let asked: HashSet<NodeId> = wrt.iter().copied().collect();
    let wanted = active(tape, subgraph, &asked);
    let mut guards = Guards::new(tape);
    let mut pending: Vec<Pending<'t>> = (0..count).map(|_| Pending::default()).collect();
    for (output, seed) in seeds {
        pending[at(*output)].add(&mut guards, Adjoint::of(*seed));
    }
    let outputs: Vec<NodeId> = seeds.iter().map(|(output, _)| *output).collect();
    let cancelled = shifts_that_cancel(tape, subgraph, &outputs);
    let mut found: HashMap<NodeId, Var<'t>> = HashMap::new();
    for (position, id) in subgraph.nodes().iter().enumerate().rev() {
        if !wanted[position] {
            continue;
        }
        let arrived = std::mem::take(&mut pending[position]);
        let Some(own) = arrived.total(&mut guards, tape.shape(*id)) else { continue };
        if asked.contains(id) {
            found.insert(*id, own.masked(&mut guards));
        }
        if !subgraph.is_input(*id) {
            let node = tape.node(*id);
            let mut spread =
                Spread { tape, subgraph, wanted: &wanted, pending: &mut pending, guards: &mut guards };
            match cancelled.contains(id) {
                // a - m: all of it goes to a.
                true if is_wanted(&wanted, subgraph, node.operands[0]) => spread.give(node.operands[0], own),
                true => {}
                false => spread.node(*id, &node, own),
            }
        }
    }
    wrt.iter().map(|id| found.get(id).copied()).collect()
}

/// By position in the program: whether a node is in `wrt` or depends on a node of `wrt`.
fn active(tape: &Tape, subgraph: &Subgraph, wrt: &HashSet<NodeId>) -> Vec<bool> {
    let mut active = vec![false; subgraph.nodes().len()];
    for (position, id) in subgraph.nodes().iter().enumerate() {
        let moved = |operand: &NodeId| subgraph.position(*operand).is_some_and(|at| active[at]);
        active[position] = wrt.contains(id)
            || (!subgraph.is_input(*id) && tape.with_node(*id, |node| node.operands.iter().any(moved)));
    }
    active
}

/// Whether an operand of a node is in `wrt` or depends on it.
fn is_wanted(wanted: &[bool], subgraph: &Subgraph, operand: NodeId) -> bool {
    subgraph.position(operand).is_some_and(|at| wanted[at])
}

/// An adjoint and the guards under which it is non-zero.
#[derive(Clone, Copy)]
struct Adjoint<'t> {
    value: Var<'t>,
    /// The guard under which it is non-zero. Elsewhere it is 0, once it is masked.
    guard: Guard,
    /// What it must be masked by: the guard, where NaN may occur outside of it, or what the last choices added to an
    /// adjoint that was masked before.
    mask: Guard,
}

impl<'t> Adjoint<'t> {
    /// An adjoint without a guard.
    fn of(value: Var<'t>) -> Adjoint<'t> {
        Adjoint { value, guard: Guard::ALWAYS, mask: Guard::ALWAYS }
    }

    /// Returns the adjoint where the guard holds and 0 elsewhere.
    fn masked(self, guards: &mut Guards<'t>) -> Var<'t> {
        masked(guards, self.mask, self.value)
    }

    /// Multiplies by a factor that may be anything where the guard does not hold.
    fn multiplied(self, value: Var<'t>) -> Adjoint<'t> {
        Adjoint { value, guard: self.guard, mask: self.guard }
    }

    /// Applies a linear map of elements to the adjoint; the guard is mapped too.
    fn moved(self, guards: &mut Guards<'t>, by: impl Fn(Var<'t>) -> Var<'t> + 't) -> Adjoint<'t> {
        let value = by(self.masked(guards));
        Adjoint { guard: guards.moved(self.guard, by), ..Adjoint::of(value) }
    }

    /// Returns the adjoint after a linear map that mixes elements, applied to a masked adjoint: it is non-zero where
    /// any of its elements may be.
    fn mixed(self, guards: &mut Guards<'t>, value: Var<'t>) -> Adjoint<'t> {
        Adjoint { guard: guards.any(self.guard, value.shape()), ..Adjoint::of(value) }
    }

    /// As [`Adjoint::mixed`], for a map whose factors may be anything.
    fn mixed_by_any(self, guards: &mut Guards<'t>, value: Var<'t>) -> Adjoint<'t> {
        self.mixed(guards, value).multiplied(value)
    }

    /// Restricts the adjoint to where the condition holds as well; `None` if that is nowhere.
    fn guarded(self, guards: &mut Guards<'t>, condition: Guard) -> Option<Adjoint<'t>> {
        let guard = guards.both(self.guard, condition);
        let mask = guards.both(self.mask, condition);
        (guard != Guard::NEVER).then_some(Adjoint { guard, mask, ..self })
    }
}

/// Returns the value where the guard holds and 0 elsewhere.
fn masked<'t>(guards: &mut Guards<'t>, guard: Guard, value: Var<'t>) -> Var<'t> {
    if guard == Guard::ALWAYS {
        return value;
    }
    let zero = value.tape().constant(0.0).broadcast(value.shape());
    choice(guards.form(guard), value, zero)
}

/// The sum of the adjoints that have reached a node so far.
///
/// Contributions that came through gathers are kept apart and scattered together: a program that reads a vector
/// element by element costs one scatter, not one for each read.
#[derive(Default)]
struct Pending<'t> {
    shares: SmallVec<[Adjoint<'t>; 2]>,
    pieces: Vec<(Adjoint<'t>, Vec<usize>)>,
}

impl<'t> Pending<'t> {
    /// Contributions with the same mask are added as they come, and masked together.
    fn add(&mut self, guards: &mut Guards<'t>, share: Adjoint<'t>) {
        let near = self.shares.len().saturating_sub(NEAR);
        match self.shares[near..].iter_mut().find(|other| other.mask == share.mask) {
            Some(sum) => {
                sum.value = sum.value + share.value;
                sum.guard = guards.either(sum.guard, share.guard);
            }
            None => self.shares.push(share),
        }
    }

    fn total(mut self, guards: &mut Guards<'t>, shape: Shape) -> Option<Adjoint<'t>> {
        if let Some(share) = scattered(guards, std::mem::take(&mut self.pieces), shape) {
            self.add(guards, share);
        }
        // Contributions whose guards exclude each other are selected from: there is nothing to add.
        let mut groups: Vec<Group<'t>> = Vec::new();
        for share in self.shares {
            let near = groups.len().saturating_sub(NEAR);
            let mut apart = |group: &Group<'t>| guards.both(group.within, share.mask) == Guard::NEVER;
            match groups[near..].iter().position(&mut apart) {
                Some(k) => groups[near + k].join(guards, share),
                None => groups.push(Group { sum: share, within: share.mask }),
            }
        }
        let mut groups = groups.into_iter().map(|group| group.sum);
        let first = groups.next()?;
        Some(groups.fold(first, |sum, share| {
            let value = sum.masked(guards) + share.masked(guards);
            Adjoint { guard: guards.either(sum.guard, share.guard), ..Adjoint::of(value) }
        }))
    }
}

/// The number of contributions or groups that another contribution is compared with.
const NEAR: usize = 8;

/// Contributions whose guards exclude each other pairwise.
struct Group<'t> {
    sum: Adjoint<'t>,
    /// The sum is 0 elsewhere.
    within: Guard,
}

impl<'t> Group<'t> {
    fn join(&mut self, guards: &mut Guards<'t>, share: Adjoint<'t>) {
        let value = choice(guards.form(share.mask), share.value, self.sum.masked(guards));
        self.sum = Adjoint { guard: guards.either(self.sum.guard, share.guard), ..Adjoint::of(value) };
        self.within = guards.either(self.within, share.mask);
    }
}

/// Scatters the contributions that came through gathers to the elements that were read.
fn scattered<'t>(
    guards: &mut Guards<'t>,
    pieces: Vec<(Adjoint<'t>, Vec<usize>)>,
    shape: Shape,
) -> Option<Adjoint<'t>> {
    if pieces.is_empty() {
        return None;
    }
    let values: Vec<Var<'t>> = pieces.iter().map(|(share, _)| share.masked(guards)).collect();
    let of = pieces.iter().map(|(share, _)| (share.guard, share.value.shape())).collect();
    let positions: Vec<usize> = pieces.into_iter().flat_map(|(_, positions)| positions).collect();
    let joined = if values.len() == 1 { values[0] } else { joined(values) };
    let value = joined.scatter(&positions, shape);
    Some(Adjoint { guard: guards.joined(of, positions, shape), ..Adjoint::of(value) })
}

/// Whether a matrix is a parameter, or one times a constant: the operands of such a matrix have finite derivatives.
fn is_weight(tape: &Tape, matrix: NodeId) -> bool {
    let is = |id: NodeId, of: fn(&Op) -> bool| tape.with_node(id, |node| of(&node.op));
    let parameter = |id: NodeId| is(id, |op| matches!(op, Op::Parameter(_)));
    let constant = |id: NodeId| is(id, |op| matches!(op, Op::Constant(_)));
    let factors = tape.with_node(matrix, |node| match (&node.op, node.operands.as_slice()) {
        (Op::Binary(Binary::Mul), [a, b]) => Some((*a, *b)),
        _ => None,
    });
    parameter(matrix)
        || factors.is_some_and(|(a, b)| (parameter(a) && constant(b)) || (constant(a) && parameter(b)))
}

/// Whether no element can be infinite or NaN: parameters and constants, possibly gathered or concatenated.
fn is_finite(tape: &Tape, mut id: NodeId) -> bool {
    loop {
        let next = tape.with_node(id, |node| match &node.op {
            Op::Parameter(_) => Ok(true),
            Op::Constant(data) => Ok(data.values().iter().all(|value| value.is_finite())),
            Op::Unary(Unary::Neg) | Op::Broadcast | Op::Gather(_) | Op::Transpose => Err(node.operands[0]),
            _ => Ok(false),
        });
        match next {
            Ok(finite) => return finite,
            Err(operand) => id = operand,
        }
    }
}

/// Propagates adjoints to operands.
struct Spread<'a, 't> {
    tape: &'t Tape,
    subgraph: &'a Subgraph,
    wanted: &'a [bool],
    pending: &'a mut [Pending<'t>],
    guards: &'a mut Guards<'t>,
}

impl<'t> Spread<'_, 't> {
    fn at(&self, id: NodeId) -> usize {
        self.subgraph.position(id).expect("operands belong to the program")
    }

    fn give(&mut self, to: NodeId, share: Adjoint<'t>) {
        let at = self.at(to);
        self.pending[at].add(self.guards, share);
    }

    /// Propagates the adjoint of one node to its operands: one arm for each operation.
    fn node(&mut self, id: NodeId, node: &Node, own: Adjoint<'t>) {
        let tape = self.tape;
        let y = tape.var(id);
        let to = &node.operands;
        let operands: Vec<Var<'t>> = to.iter().map(|operand| tape.var(*operand)).collect();
        let (subgraph, wanted) = (self.subgraph, self.wanted);
        let wants = |k: usize| is_wanted(wanted, subgraph, to[k]);
        match &node.op {
            Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => {}
            Op::Unary(op) if wants(0) => self.share(own, partial::unary(*op, operands[0], y), to[0]),
            Op::Unary(_) => {}
            Op::Binary(op) => {
                for k in (0..2).filter(|k| wants(*k)) {
                    self.share(own, partial::binary(*op, [operands[0], operands[1]], y, k), to[k]);
                }
            }
            Op::Choice(op) => {
                let (first, branches) = branches(*op, &operands);
                self.choose(own, first, branches.map(|k| (to[k], wants(k))));
            }
            Op::Broadcast => {
                let sum = own.masked(self.guards).sum();
                let share = own.mixed(self.guards, sum);
                self.give(to[0], share);
            }
            Op::Sum => {
                let shape = operands[0].shape();
                let share = own.moved(self.guards, move |v| v.broadcast(shape));
                self.give(to[0], share);
            }
            Op::Gather(indices) => {
                let positions = indices.iter().map(|index| *index as usize).collect();
                let at = self.at(to[0]);
                self.pending[at].pieces.push((own, positions));
            }
            Op::Scatter(indices) => {
                let positions: Vec<usize> = indices.iter().map(|index| *index as usize).collect();
                let shape = operands[0].shape();
                let share = own.moved(self.guards, move |v| v.gather(&positions).reshape(shape));
                self.give(to[0], share);
            }
            Op::Concat => {
                let mut start = 0;
                for (k, operand) in operands.iter().enumerate() {
                    let positions: Vec<usize> = (start..start + operand.len()).collect();
                    let shape = operand.shape();
                    start += operand.len();
                    if wants(k) {
                        let share = own.moved(self.guards, move |v| v.pick("concat", &positions, shape));
                        self.give(to[k], share);
                    }
                }
            }
            Op::Transpose => {
                let share = own.moved(self.guards, Var::transpose);
                self.give(to[0], share);
            }
            Op::MatVec => {
                let (matrix, vector, value) = (operands[0], operands[1], own.masked(self.guards));
                let weight = is_weight(tape, to[0]);
                if wants(0) && weight {
                    // Mask the vector, not the product: an outer product stays one, so that its batch sum is computed
                    // without forming it for each sample. No NaN can arise downstream from here.
                    let guard = self.guards.any(own.guard, vector.shape());
                    let vector = masked(self.guards, guard, vector);
                    self.give(to[0], Adjoint::of(value.outer(vector)));
                } else if wants(0) {
                    let share = own.mixed_by_any(self.guards, value.outer(vector));
                    self.give(to[0], share);
                }
                if wants(1) {
                    let product = matrix.transpose().matvec(value);
                    let share = match weight {
                        true => own.mixed(self.guards, product),
                        false => own.mixed_by_any(self.guards, product),
                    };
                    self.give(to[1], share);
                }
            }
            Op::MatMul => {
                let (left, right, value) = (operands[0], operands[1], own.masked(self.guards));
                if wants(0) {
                    let share = own.mixed_by_any(self.guards, value.matmul(right.transpose()));
                    self.give(to[0], share);
                }
                if wants(1) {
                    let share = own.mixed_by_any(self.guards, left.transpose().matmul(value));
                    self.give(to[1], share);
                }
            }
            Op::Outer => {
                let (left, right, value) = (operands[0], operands[1], own.masked(self.guards));
                if wants(0) {
                    let share = own.mixed_by_any(self.guards, value.matvec(right));
                    self.give(to[0], share);
                }
                if wants(1) {
                    let share = own.mixed_by_any(self.guards, value.transpose().matvec(left));
                    self.give(to[1], share);
                }
            }
            // ∂ ln|det A| / ∂A = A⁻ᵀ
            Op::LogAbsDet => {
                let inverse = operands[0].inverse().transpose();
                let product = own.masked(self.guards).broadcast(inverse.shape()) * inverse;
                let share = own.mixed_by_any(self.guards, product);
                self.give(to[0], share);
            }
            // Y = A⁻¹: the adjoint of A is -Yᵀ Ȳ Yᵀ
            Op::Inverse => {
                let transposed = y.transpose();
                let product = -transposed.matmul(own.masked(self.guards)).matmul(transposed);
                let share = own.mixed_by_any(self.guards, product);
                self.give(to[0], share);
            }
            Op::Solution(solution) => {
                let wrt: Vec<usize> = (0..operands.len()).filter(|k| wants(*k)).collect();
                let value = own.masked(self.guards);
                let shares = match solution {
                    Solution::End(problem) => initial_value::end_adjoint(problem, y, &operands, value, &wrt),
                    Solution::Adjoint(problem, of) => {
                        initial_value::adjoint_adjoint(problem, *of, &operands, value, &wrt)
                    }
                };
                self.give_each(own, to, wrt, shares);
            }
            // The adjoint of the tangent map of exp at A is the one at Aᵀ.
            Op::MatrixExp => {
                let product = exponential_tangent(operands[0].transpose(), own.masked(self.guards));
                let share = own.mixed_by_any(self.guards, product);
                self.give(to[0], share);
            }
            Op::Equation(equation) => {
                let wrt: Vec<usize> = (0..operands.len()).filter(|k| wants(*k)).collect();
                let value = own.masked(self.guards);
                let shares = match equation {
                    Equation::Root(h) => {
                        let within = (own.guard != Guard::ALWAYS).then(|| self.guards.form(own.guard));
                        equation::root_adjoint(h, y, &operands, (value, within), &wrt)
                    }
                    Equation::Substitution(g) => equation::substitution_adjoint(g, y, &operands, value, &wrt),
                    Equation::Contraction(g) => equation::contraction_adjoint(g, y, &operands, value, &wrt),
                    Equation::System(h) => equation::system_adjoint(h, y, &operands, value, &wrt),
                };
                self.give_each(own, to, wrt, shares);
            }
        }
    }

    /// Adds the shares of a node that mixes elements to these operands.
    fn give_each(&mut self, own: Adjoint<'t>, to: &[NodeId], wrt: Vec<usize>, shares: Vec<Option<Var<'t>>>) {
        for (k, share) in wrt.into_iter().zip(shares) {
            if let Some(share) = share {
                let share = own.mixed_by_any(self.guards, share);
                self.give(to[k], share);
            }
        }
    }

    /// Adds the adjoint times a partial to the operand.
    fn share(&mut self, own: Adjoint<'t>, partial: Partial<'t>, to: NodeId) {
        let share = match partial {
            Partial::Zero => return,
            Partial::One => own,
            Partial::MinusOne => Adjoint { value: -own.value, ..own },
            Partial::By(factor) => {
                let value = times(factor, own.value);
                match is_finite(self.tape, factor.id()) {
                    true => Adjoint { value, ..own },
                    false => own.multiplied(value),
                }
            }
        };
        self.give(to, share);
    }

    /// Adds to the first of two operands where the condition holds and to the second elsewhere, if they are in `wrt`.
    fn choose(&mut self, own: Adjoint<'t>, condition: Var<'t>, to: [(NodeId, bool); 2]) {
        let conditions = self.guards.of_condition(condition);
        for ((to, wanted), condition) in to.into_iter().zip(conditions) {
            if let Some(share) = own.guarded(self.guards, condition).filter(|_| wanted) {
                self.give(to, share);
            }
        }
    }
}
