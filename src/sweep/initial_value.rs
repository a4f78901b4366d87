//! Nodes that solve an initial-value problem: how they are recorded, what a solution depends on, and its derivatives.
//!
//! Let z(t₁) = Φ(z₀, c) be what a method makes of dz/dt = v(z, t, c), with the sizes of its steps as constants.
//!
//! *Tangent.* An explicit Runge-Kutta method applied to the system of z and ż, with dż/dt = v_z ż + v_c ċ, makes the
//! derivative of what it makes of z: each stage is a formula in z, and the second system has its derivative beside it. So
//! the tangent is a solution of the same kind, exact for the steps that are taken, if the error of z alone controls them.
//!
//! *Adjoint.* Φ_zᵀw and Φ_cᵀw by the discrete adjoint, an operation of its own ([`Solution::Adjoint`]), since a parameter's
//! share is summed over steps and rows while they are computed. Its derivatives need no third operation: with
//! s = wᵀΦ, the adjoint is ∂s, its tangent in a direction δ is ∂(wᵀ(Φ_z δz + Φ_c δc)), an adjoint of the tangent,
//! and its adjoint with weight p is the tangent of Φ in the direction p (for w) and again ∂(wᵀΦ′p).

use std::collections::HashMap;
use std::sync::Arc;

use super::adjoint::adjoint;
use super::equation::capture;
use super::reach::{Reach, Relation};
use super::tangent::tangent;
use crate::numeric::runge_kutta::{EULER, RUNGE_KUTTA_4};
use crate::tape::{
    Function, Gradient, InitialValue, Integration, Method, Node, NodeId, Op, Operands, Shape, Solution,
    Subgraph, Tape, Var, concat,
};

/// Up to this many elements the pattern of a solution is that of the velocity, closed under composition; beyond it every
/// element is said to depend on every other.
const MOST_CLOSED: usize = 512;

/// Records z(t₁) of dz/dt = `velocity`, a vector recorded as a function of the inputs `z` and `t` of the tape, with
/// z(t₀) = `start`.
#[track_caller]
pub(crate) fn initial_value<'t>(
    (z, t): (Var<'t>, Var<'t>),
    velocity: Var<'t>,
    start: Var<'t>,
    integration: Integration,
) -> Var<'t> {
    let tape = z.tape();
    let (function, captured) = capture(tape, &[z.id(), t.id()], velocity.id());
    let problem = Arc::new(InitialValue { function, integration });
    let operands = [start.id()].into_iter().chain(captured).collect();
    tape.push(Op::Solution(Solution::End(problem)), operands, start.shape())
}

/// The derivatives of a velocity backwards: recorded on a tape of its own.
pub(crate) struct Backwards {
    /// The tape.
    pub tape: Tape,
    /// z, t and the captured nodes; and the weight of v.
    pub inputs: Vec<NodeId>,
    /// The weight of v.
    pub weight: NodeId,
    /// v_zᵀ·weight, and v_cᵀ·weight of each captured node; `None` where it is structurally zero.
    pub state: Option<NodeId>,
    /// See `state`.
    pub captured: Vec<Option<NodeId>>,
}

impl Backwards {
    /// Records the derivatives of a velocity.
    pub(crate) fn new(problem: &InitialValue) -> Backwards {
        let (tape, inputs, output) = problem.function.tape();
        let weight = tape.input(problem.function.variable());
        let subgraph = Subgraph::new(&tape, &inputs, &[output]);
        let mut wrt = inputs.clone();
        wrt.remove(1);
        let shares = adjoint(&tape, &subgraph, &[(output, weight)], &wrt);
        let shares: Vec<Option<NodeId>> = shares.into_iter().map(|share| share.map(Var::id)).collect();
        let (state, weight) = (shares[0], weight.id());
        Backwards { captured: shares[1..].to_vec(), tape, inputs, weight, state }
    }
}

/// z, t and v of a problem with these captured nodes, recorded as a function of a part of a larger state.
struct Recorded<'t> {
    z: Var<'t>,
    v: Var<'t>,
    subgraph: Subgraph,
}

fn recorded<'t>(function: &Function, z: Var<'t>, t: Var<'t>, captured: &[Var<'t>]) -> Recorded<'t> {
    let arguments: Vec<NodeId> = [z, t].iter().chain(captured).map(|var| var.id()).collect();
    let v = function.apply(z.tape(), &arguments);
    Recorded { z, v, subgraph: Subgraph::new(z.tape(), &arguments, &[v.id()]) }
}

/// The tangent of a solution: of the system (z, ż), the second half at the end.
pub(super) fn end_tangent<'t>(
    problem: &Arc<InitialValue>,
    operands: &[Var<'t>],
    tangents: &[Option<Var<'t>>],
) -> Option<Var<'t>> {
    let (start, captured) = (operands[0], &operands[1..]);
    let (tape, n) = (start.tape(), start.len());
    let seeds: Vec<(NodeId, Var<'t>)> =
        captured.iter().zip(&tangents[1..]).filter_map(|(c, t)| Some((c.id(), (*t)?))).collect();
    let (both, t) = (tape.input(Shape::Vector(2 * n)), tape.input(Shape::Scalar));
    let (z, moved) = (both.slice(0..n), both.slice(n..2 * n));
    let Recorded { z, v, subgraph } = recorded(&problem.function, z, t, captured);
    if tangents[0].is_none() && tangent(tape, &subgraph, &seeds)[0].is_none() {
        return None;
    }
    let seeds: Vec<(NodeId, Var<'t>)> = seeds.into_iter().chain([(z.id(), moved)]).collect();
    let zero = || tape.constant(0.0).broadcast(Shape::Vector(n));
    let Some(rate) = tangent(tape, &subgraph, &seeds)[0] else { return tangents[0] };
    let start = concat([start, tangents[0].unwrap_or_else(zero)]);
    let end = initial_value((both, t), concat([v, rate]), start, problem.integration);
    Some(end.slice(n..2 * n))
}

/// Returns the adjoint of each of these operands of a solution.
pub(super) fn end_adjoint<'t>(
    problem: &Arc<InitialValue>,
    y: Var<'t>,
    operands: &[Var<'t>],
    own: Var<'t>,
    wrt: &[usize],
) -> Vec<Option<Var<'t>>> {
    let backwards = Backwards::new(problem);
    let moves = |k: &usize| *k == 0 || backwards.captured[*k - 1].is_some();
    match problem.integration.gradient {
        Gradient::Discrete => {
            wrt.iter().map(|k| moves(k).then(|| push_adjoint(problem, *k as u32, own, operands))).collect()
        }
        Gradient::Continuous => {
            let shares = adjoint_equation(problem, &backwards, y, operands, own, wrt);
            wrt.iter().zip(shares).map(|(k, share)| share.filter(|_| moves(k))).collect()
        }
    }
}

fn push_adjoint<'t>(problem: &Arc<InitialValue>, of: u32, own: Var<'t>, operands: &[Var<'t>]) -> Var<'t> {
    let all: Operands = [own].iter().chain(operands).map(|var| var.id()).collect();
    let shape = operands[of as usize].shape();
    own.tape().push(Op::Solution(Solution::Adjoint(problem.clone(), of)), all, shape)
}

/// Solves dz/dt = v, dλ/dt = -v_zᵀλ, dg/dt = -v_cᵀλ from the end, where λ is the weight and g is 0, to the beginning.
fn adjoint_equation<'t>(
    problem: &Arc<InitialValue>,
    backwards: &Backwards,
    y: Var<'t>,
    operands: &[Var<'t>],
    own: Var<'t>,
    wrt: &[usize],
) -> Vec<Option<Var<'t>>> {
    let (tape, n) = (y.tape(), y.len());
    let asked: Vec<usize> =
        wrt.iter().copied().filter(|k| *k > 0 && backwards.captured[k - 1].is_some()).collect();
    let lengths: Vec<usize> = asked.iter().map(|k| operands[*k].len()).collect();
    let whole = 2 * n + lengths.iter().sum::<usize>();
    let (state, t) = (tape.input(Shape::Vector(whole)), tape.input(Shape::Scalar));
    let (z, weight) = (state.slice(0..n), state.slice(n..2 * n));
    let Recorded { z, v, subgraph } = recorded(&problem.function, z, t, &operands[1..]);
    let nodes: Vec<NodeId> = [z.id()].into_iter().chain(asked.iter().map(|k| operands[*k].id())).collect();
    let shares = adjoint(tape, &subgraph, &[(v.id(), weight)], &nodes);
    let flat = |var: Var<'t>| var.reshape(Shape::Vector(var.len()));
    let zero = |count: usize| tape.constant(0.0).broadcast(Shape::Vector(count));
    let back = shares[0].map_or_else(|| zero(n), |share| -share);
    let mut rates = vec![v, back];
    for (share, count) in shares[1..].iter().zip(&lengths) {
        rates.push(share.map_or_else(|| zero(*count), |share| -flat(share)));
    }
    let start = concat([y, own, zero(whole - 2 * n)]);
    let Integration { from, to, .. } = problem.integration;
    let integration = Integration { from: to, to: from, controlled: 2 * n, ..problem.integration };
    let end = initial_value((state, t), concat(rates), start, integration);
    let mut first = 2 * n;
    let mut found: Vec<(usize, Var<'t>)> = vec![(0, end.slice(n..2 * n))];
    for (k, count) in asked.into_iter().zip(lengths) {
        found.push((k, end.slice(first..first + count).reshape(operands[k].shape())));
        first += count;
    }
    wrt.iter().map(|k| found.iter().find(|(own, _)| own == k).map(|(_, share)| *share)).collect()
}

/// Records on a tape of its own, with inputs in the place of these nodes, and then here: so that derivatives with respect to
/// one of them see none of the others as its function, nor the same node in two places.
fn apart<'t>(
    arguments: &[Var<'t>],
    record: impl for<'l> FnOnce(&[Var<'l>]) -> Option<Var<'l>>,
) -> Option<Var<'t>> {
    let local = Tape::new();
    let inputs: Vec<Var<'_>> = arguments.iter().map(|argument| local.input(argument.shape())).collect();
    let output = record(&inputs)?.id();
    let inputs: Vec<NodeId> = inputs.iter().map(|input| input.id()).collect();
    let (function, _) = capture(&local, &inputs, output);
    let ids: Vec<NodeId> = arguments.iter().map(|argument| argument.id()).collect();
    Some(function.apply(arguments[0].tape(), &ids))
}

/// The derivative of weight·(tangent of the solution) with respect to operand k; `operands` and `tangents` are inputs.
fn adjoint_of_tangent<'l>(
    problem: &Arc<InitialValue>,
    weight: Var<'l>,
    operands: &[Var<'l>],
    tangents: &[Option<Var<'l>>],
    k: usize,
) -> Option<Var<'l>> {
    let tape = weight.tape();
    let moved = end_tangent(problem, operands, tangents)?;
    let inputs: Vec<NodeId> =
        operands.iter().chain(tangents.iter().flatten()).map(|input| input.id()).collect();
    let subgraph = Subgraph::new(tape, &inputs, &[moved.id()]);
    adjoint(tape, &subgraph, &[(moved.id(), weight)], &[operands[k].id()])[0]
}

/// The tangent of an adjoint. The operands are the weight and those of the solution.
pub(super) fn adjoint_tangent<'t>(
    problem: &Arc<InitialValue>,
    of: u32,
    operands: &[Var<'t>],
    tangents: &[Option<Var<'t>>],
) -> Option<Var<'t>> {
    let by_weight = tangents[0].map(|weight| push_adjoint(problem, of, weight, &operands[1..]));
    let moving: Vec<usize> = (1..operands.len()).filter(|k| tangents[*k].is_some()).collect();
    let count = operands.len();
    let arguments: Vec<Var<'t>> =
        operands.iter().copied().chain(moving.iter().filter_map(|k| tangents[*k])).collect();
    let by_others = match moving.is_empty() {
        true => None,
        false => apart(&arguments, |inputs| {
            let mut tangents = vec![None; count - 1];
            moving.iter().zip(&inputs[count..]).for_each(|(k, input)| tangents[k - 1] = Some(*input));
            adjoint_of_tangent(problem, inputs[0], &inputs[1..count], &tangents, of as usize)
        }),
    };
    match (by_weight, by_others) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}

/// Returns the adjoint of each of these operands of an adjoint: the weight and the operands of the solution.
pub(super) fn adjoint_adjoint<'t>(
    problem: &Arc<InitialValue>,
    of: u32,
    operands: &[Var<'t>],
    own: Var<'t>,
    wrt: &[usize],
) -> Vec<Option<Var<'t>>> {
    let count = operands.len();
    let arguments: Vec<Var<'t>> = operands.iter().copied().chain([own]).collect();
    wrt.iter()
        .map(|k| match k {
            0 => {
                let mut tangents = vec![None; count - 1];
                tangents[of as usize] = Some(own);
                end_tangent(problem, &operands[1..], &tangents)
            }
            k => apart(&arguments, |inputs| {
                let mut tangents = vec![None; count - 1];
                tangents[of as usize] = Some(inputs[count]);
                adjoint_of_tangent(problem, inputs[0], &inputs[1..count], &tangents, k - 1)
            }),
        })
        .collect()
}

/// A program with the steps of its solutions written out, where they are of equal size and at most `most`: a map without
/// loops, which a checker can follow. `None` if there is nothing to write out.
pub(crate) fn written_out(
    tape: &Tape,
    input: NodeId,
    output: NodeId,
    most: usize,
) -> Option<(Tape, NodeId, NodeId)> {
    let subgraph = Subgraph::new(tape, &[input], &[output]);
    let steps = |node: &Node| match &node.op {
        Op::Solution(Solution::End(problem)) => match problem.integration.method {
            Method::Euler { steps } => Some((problem.clone(), &EULER, steps)),
            Method::RungeKutta4 { steps } => Some((problem.clone(), &RUNGE_KUTTA_4, steps)),
            Method::DormandPrince { .. } => None,
        },
        _ => None,
    };
    let steps = |node: &Node| steps(node).filter(|(.., steps)| *steps <= most);
    let inside = |id: &&NodeId| !subgraph.is_input(**id);
    if !subgraph.nodes().iter().filter(inside).any(|id| tape.with_node(*id, |node| steps(node).is_some())) {
        return None;
    }
    let new = tape.sibling();
    let mut known: HashMap<NodeId, NodeId> = HashMap::new();
    known.insert(input, new.input(tape.shape(input)).id());
    for id in subgraph.nodes().iter().filter(inside) {
        let mut node = tape.node(*id);
        node.operands.iter_mut().for_each(|operand| *operand = known[operand]);
        let copy = match steps(&node) {
            Some((problem, tableau, steps)) => {
                let Integration { from, to, .. } = problem.integration;
                let (h, captured) = ((to - from) / steps as f64, &node.operands[1..]);
                let mut z = new.var(node.operands[0]);
                for step in 0..steps {
                    let mut slopes: Vec<Var<'_>> = Vec::new();
                    for (a, c) in tableau.a.iter().zip(tableau.c) {
                        let point = moved(z, h, a, &slopes);
                        let t = new.constant(from + h * (step as f64 + c));
                        let arguments: Vec<NodeId> =
                            [point.id(), t.id()].into_iter().chain(captured.iter().copied()).collect();
                        slopes.push(problem.function.apply(&new, &arguments));
                    }
                    z = moved(z, h, tableau.b, &slopes);
                }
                z.id()
            }
            None => new.push_at(node, tape.place(*id)),
        };
        known.insert(*id, copy);
    }
    let (input, output) = (known[&input], known[&output]);
    Some((new, input, output))
}

/// z + h Σ aⱼkⱼ.
fn moved<'t>(z: Var<'t>, h: f64, a: &[f64], slopes: &[Var<'t>]) -> Var<'t> {
    let terms = a.iter().zip(slopes).filter(|(a, _)| **a != 0.0);
    terms.fold(z, |sum, (a, slope)| sum + (h * a) * *slope)
}

/// For each operand: pairs (element of the result, element of the operand) of which the first may depend on the second.
///
/// An element of the solution depends on what a chain of elements of v leads to. Where step sizes follow from z, and
/// dependences of values are asked for, everything depends on everything; so do adjoints.
pub(super) fn pairs(
    solution: &Solution,
    shape: Shape,
    relation: Relation,
    moves: impl Fn(usize) -> bool,
) -> Vec<Vec<(u32, u32)>> {
    let problem = solution.problem();
    let state = problem.function.variable();
    let captured: Vec<Shape> = problem.captured().collect();
    let own: Vec<Shape> = [state].into_iter().chain(captured).collect();
    let sizes = relation == Relation::Value && problem.integration.method.is_adaptive();
    let (shapes, is_dense) = match solution {
        Solution::End(_) => (own, sizes || state.len() > MOST_CLOSED),
        Solution::Adjoint(..) => ([state].into_iter().chain(own).collect(), true),
    };
    let count = shape.len() as u32;
    if is_dense {
        let all = |shape: &Shape| {
            (0..count).flat_map(|e| (0..shape.len() as u32).map(move |u| (e, u))).collect::<Vec<_>>()
        };
        let of = |(k, shape): (usize, &Shape)| if moves(k) { all(shape) } else { Vec::new() };
        return shapes.iter().enumerate().map(of).collect();
    }
    let (tape, mut inputs, output) = problem.function.tape();
    inputs.remove(1);
    let subgraph = Subgraph::new(&tape, &inputs, &[output]);
    let pattern = Reach::new(&tape, &subgraph, relation).pattern();
    let n = state.len();
    // The elements of z that an element of the solution follows, itself included.
    let mut follows: Vec<Vec<bool>> = (0..n).map(|e| (0..n).map(|f| e == f).collect()).collect();
    for (e, row) in pattern.iter().enumerate() {
        row.iter().filter(|u| (**u as usize) < n).for_each(|u| follows[e][*u as usize] = true);
    }
    for via in 0..n {
        let through = follows[via].clone();
        for row in follows.iter_mut().filter(|row| row[via]) {
            row.iter_mut().zip(&through).for_each(|(own, other)| *own |= other);
        }
    }
    let owner: Vec<(usize, u32)> = shapes
        .iter()
        .enumerate()
        .flat_map(|(k, shape)| (0..shape.len() as u32).map(move |u| (k, u)))
        .collect();
    let mut pairs = vec![Vec::new(); shapes.len()];
    for (e, row) in follows.iter().enumerate() {
        for f in (0..n).filter(|f| row[*f]) {
            pairs[0].push((e as u32, f as u32));
            for number in pattern[f].iter().filter(|number| **number as usize >= n) {
                let (k, u) = owner[*number as usize];
                pairs[k].push((e as u32, u));
            }
        }
    }
    for (k, pairs) in pairs.iter_mut().enumerate() {
        match moves(k) {
            true => {
                pairs.sort_unstable();
                pairs.dedup();
            }
            false => pairs.clear(),
        }
    }
    pairs
}
