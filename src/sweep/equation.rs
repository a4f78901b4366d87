//! Nodes that solve an equation: how the equation is extracted from a tape, what its solution depends on, and its
//! derivatives.
//!
//! z = G(z, c) solved element by element, and h(z, c) = 0 solved by Newton's method, are inverses without a closed
//! formula. The implicit function theorem gives their derivatives, as nodes again: for h(z, c) = 0 dz = -h_z⁻¹ h_c
//! dc, with a diagonal h_z; for z = G(z, c) dz = G_z dz + G_c dc, an equation of the same kind for dz. In the adjoint
//! sweep the first is a division too, and the second an equation in the opposite order. For several unknowns together h_z is a
//! matrix, and the division a product with its inverse.

use std::collections::HashMap;
use std::sync::Arc;

use super::adjoint::adjoint;
use super::initial_value;
use super::reach::{Layout, NONE, Reach, Relation};
use super::tangent::{choice, tangent};
use super::zeros::structural_zeros;
use crate::tape::{
    Contraction, Data, Equation, Function, Node, NodeId, Op, Operands, Root, Shape, Subgraph, Substitution,
    System, Tape, Var, joined,
};

/// Extracts `output` as a function of variables, with the nodes it captures, which are the inputs of the function after
/// the variables.
///
/// A subexpression that does not depend on a variable is captured, so that it is computed once, outside; but a node
/// with structural zeros is copied into the function, with its ancestors, so that the zeros stay visible.
pub(crate) fn capture(tape: &Tape, variables: &[NodeId], output: NodeId) -> (Arc<Function>, Operands) {
    let subgraph = Subgraph::new(tape, variables, &[output]);
    let layout = Layout::new(tape, &subgraph);
    let zeros = structural_zeros(tape, &subgraph, &layout);
    let position = |id: NodeId| layout.position(id).expect("the node belongs to the program");
    let count = subgraph.nodes().len();
    let (mut depends, mut is_constant) = (vec![false; count], vec![false; count]);
    for (at, id) in subgraph.nodes().iter().enumerate() {
        let node = tape.node(*id);
        depends[at] =
            variables.contains(id) || node.operands.iter().any(|operand| depends[position(*operand)]);
        let leaf = matches!(node.op, Op::Input(_) | Op::Parameter(_));
        is_constant[at] = !leaf && node.operands.iter().all(|operand| is_constant[position(*operand)]);
    }
    let mut inside = vec![false; count];
    let mut needed = vec![false; count];
    needed[position(output)] = true;
    for (at, id) in subgraph.nodes().iter().enumerate().rev() {
        if !needed[at] || variables.contains(id) {
            continue;
        }
        let node = tape.node(*id);
        let leaf = matches!(node.op, Op::Input(_) | Op::Parameter(_));
        let has_zeros = zeros[layout.elements(*id)].iter().any(|zero| *zero);
        inside[at] = !leaf && (depends[at] || is_constant[at] || has_zeros);
        if inside[at] {
            node.operands.iter().for_each(|operand| needed[position(*operand)] = true);
        }
    }
    // In the order in which they are visited from the output: the function does not depend on what was recorded
    // before.
    let mut captured = Operands::new();
    let mut own: Vec<NodeId> = Vec::new();
    let mut met = vec![false; count];
    let mut stack = vec![(output, false)];
    while let Some((id, entered)) = stack.pop() {
        let at = position(id);
        if entered {
            own.push(id);
            continue;
        }
        if std::mem::replace(&mut met[at], true) || variables.contains(&id) {
            continue;
        }
        if !inside[at] {
            captured.push(id);
            continue;
        }
        stack.push((id, true));
        stack.extend(tape.node(id).operands.iter().rev().map(|operand| (*operand, false)));
    }
    let mut renamed: HashMap<NodeId, NodeId> = HashMap::new();
    let (mut nodes, mut places) = (Vec::new(), Vec::new());
    for id in variables.iter().chain(&captured) {
        renamed.insert(*id, NodeId(nodes.len() as u32));
        nodes.push(Node {
            op: Op::Input(nodes.len() as u32),
            operands: Operands::new(),
            shape: tape.shape(*id),
        });
        places.push(tape.place(*id));
    }
    for id in own {
        let mut node = tape.node(id);
        node.operands.iter_mut().for_each(|operand| *operand = renamed[operand]);
        renamed.insert(id, NodeId(nodes.len() as u32));
        nodes.push(node);
        places.push(tape.place(id));
    }
    (Arc::new(Function::new(nodes, places, renamed[&output])), captured)
}

/// Records the node z = G(z), where `output` is G(`variable`) and `order` gives the position of each element.
///
/// `None` when an element of G depends on its own or a later element of z.
pub(crate) fn substitution<'t>(
    tape: &'t Tape,
    variable: Var<'t>,
    output: Var<'t>,
    order: &[u32],
) -> Option<Var<'t>> {
    let subgraph = Subgraph::new(tape, &[variable.id()], &[output.id()]);
    let reach = Reach::new(tape, &subgraph, Relation::Value);
    let highest = reach.highest(order);
    let before = |(element, place): (usize, &u32)| highest[element] == NONE || highest[element] < *place;
    if output.shape() != variable.shape() || !reach.output_elements().into_iter().zip(order).all(before) {
        return None;
    }
    let (function, captured) = capture(tape, &[variable.id()], output.id());
    let equation = Substitution { function, order: order.into() };
    Some(tape.push(Op::Equation(Equation::Substitution(Arc::new(equation))), captured, variable.shape()))
}

/// Records the node z with h(z) = 0 within these ends, where `output` is h(`variable`).
///
/// The caller must ensure that each element of h increases with its own element of z and depends on no other.
pub(crate) fn root<'t>(tape: &'t Tape, variable: Var<'t>, output: Var<'t>, ends: (f64, f64)) -> Var<'t> {
    let (function, captured) = capture(tape, &[variable.id()], output.id());
    let equation = Root { function, ends: Data::new(&[ends.0, ends.1]) };
    tape.push(Op::Equation(Equation::Root(Arc::new(equation))), captured, variable.shape())
}

/// Records the node z = G(z), where `output` is G(`variable`), a contraction with this constant.
///
/// The caller must ensure that |G(z) - G(z′)| ≤ L·|z - z′| with an L below 1.
pub(crate) fn contraction<'t>(tape: &'t Tape, variable: Var<'t>, output: Var<'t>, lipschitz: f64) -> Var<'t> {
    let (function, captured) = capture(tape, &[variable.id()], output.id());
    let equation = Contraction { function, lipschitz: Data::new(&[lipschitz]) };
    tape.push(Op::Equation(Equation::Contraction(Arc::new(equation))), captured, variable.shape())
}

/// Records a node c with h(c) = 0 for all of its elements together, where `output` is h(`variable`), both vectors.
///
/// Nothing is known of whether there is a solution, or several.
pub(crate) fn system<'t>(tape: &'t Tape, variable: Var<'t>, output: Var<'t>) -> Var<'t> {
    let (function, captured) = capture(tape, &[variable.id()], output.id());
    tape.push(Op::Equation(Equation::System(Arc::new(System { function }))), captured, variable.shape())
}

/// Records the Jacobian ∂h/∂c of a system, a matrix by rows.
pub(crate) fn system_jacobian<'t>(tape: &'t Tape, subgraph: &Subgraph, variable: Var<'t>) -> Var<'t> {
    let count = variable.shape().len();
    let column = |m: usize| {
        let unit: Vec<f64> = (0..count).map(|e| f64::from(u8::from(e == m))).collect();
        let moved = tangent(tape, subgraph, &[(variable.id(), tape.vector(&unit))])[0];
        moved.unwrap_or_else(|| tape.constant(0.0).broadcast(Shape::Vector(count)))
    };
    joined((0..count).map(column)).reshape(Shape::Matrix(count, count)).transpose()
}

/// Which elements of an equation's solution depend on which elements of its operands.
pub(super) enum Dependence {
    /// By operand: pairs (element of z, element of the operand).
    Pairs(Vec<Vec<(u32, u32)>>),
    /// The position of each element of z, and for each element of each operand the first position that depends on it.
    First(Vec<u32>, Vec<Vec<u32>>),
}

impl Dependence {
    /// Analyses an operation that solves an equation; operands that do not depend on an input are left out.
    pub(super) fn new(
        (op, shape): (&Op, Shape),
        relation: Relation,
        moves: impl Fn(usize) -> bool,
    ) -> Option<Dependence> {
        let (function, order) = match op {
            Op::Equation(Equation::Root(root)) => (&root.function, None),
            Op::Equation(Equation::Substitution(substitution)) => {
                (&substitution.function, Some(substitution.order.clone()))
            }
            // Every element depends on all that any of them depends on.
            Op::Equation(Equation::Contraction(contraction)) => {
                let count = contraction.function.variable().len();
                (&contraction.function, Some(vec![0; count].into()))
            }
            Op::Equation(Equation::System(system)) => {
                let count = system.function.variable().len();
                (&system.function, Some(vec![0; count].into()))
            }
            Op::Solution(solution) => {
                return Some(Dependence::Pairs(initial_value::pairs(solution, shape, relation, moves)));
            }
            _ => return None,
        };
        let (tape, inputs, output) = function.tape();
        let operands = inputs.len() - 1;
        let moving: Vec<usize> = (0..operands).filter(|k| moves(*k)).collect();
        let kept: Vec<NodeId> = moving.iter().map(|k| inputs[k + 1]).collect();
        let subgraph = Subgraph::new(&tape, &kept, &[output]);
        let reach = Reach::new(&tape, &subgraph, relation);
        Some(match order {
            Some(order) => {
                let lowest = reach.lowest(&order);
                let mut first = vec![Vec::new(); operands];
                for (k, id) in moving.iter().zip(&kept) {
                    first[*k] = lowest[reach.layout().elements(*id)].to_vec();
                }
                Dependence::First(order.to_vec(), first)
            }
            None => {
                let owner: Vec<(usize, u32)> = moving
                    .iter()
                    .zip(&kept)
                    .flat_map(|(k, id)| (0..tape.shape(*id).len() as u32).map(move |u| (*k, u)))
                    .collect();
                let mut pairs = vec![Vec::new(); operands];
                for (e, row) in reach.pattern().into_iter().enumerate() {
                    for number in row {
                        let (k, u) = owner[number as usize];
                        pairs[k].push((e as u32, u));
                    }
                }
                Dependence::Pairs(pairs)
            }
        })
    }

    /// Visits (element of z, element of operand k).
    pub(super) fn edges(&self, k: usize, mut visit: impl FnMut(usize, usize)) {
        match self {
            Dependence::Pairs(pairs) => pairs[k].iter().for_each(|(e, u)| visit(*e as usize, *u as usize)),
            Dependence::First(order, first) => {
                for (u, first) in first[k].iter().enumerate().filter(|(_, first)| **first != NONE) {
                    for (e, _) in order.iter().enumerate().filter(|(_, place)| *place >= first) {
                        visit(e, u);
                    }
                }
            }
        }
    }
}

/// Records an equation's function at its solution, on the tape.
fn at_solution<'t>(function: &Function, z: Var<'t>, operands: &[Var<'t>]) -> (Subgraph, Var<'t>) {
    let arguments: Vec<NodeId> = [z].iter().chain(operands).map(|var| var.id()).collect();
    let value = function.apply(z.tape(), &arguments);
    (Subgraph::new(z.tape(), &arguments, &[value.id()]), value)
}

/// Returns h_z, which is diagonal: the sum of its row is its entry.
fn slope<'t>(subgraph: &Subgraph, z: Var<'t>) -> Var<'t> {
    let one = z.tape().constant(1.0).broadcast(z.shape());
    tangent(z.tape(), subgraph, &[(z.id(), one)])[0].expect("h grows with z")
}

/// Returns the tangent seeds of the operands that have a tangent.
fn seeds<'t>(operands: &[Var<'t>], tangents: &[Option<Var<'t>>]) -> Vec<(NodeId, Var<'t>)> {
    operands.iter().zip(tangents).filter_map(|(operand, t)| Some((operand.id(), (*t)?))).collect()
}

/// dz = -h_c dc / h_z
pub(super) fn root_tangent<'t>(
    equation: &Root,
    z: Var<'t>,
    operands: &[Var<'t>],
    tangents: &[Option<Var<'t>>],
) -> Option<Var<'t>> {
    let (subgraph, _) = at_solution(&equation.function, z, operands);
    let moved = tangent(z.tape(), &subgraph, &seeds(operands, tangents))[0]?;
    Some(-(moved / slope(&subgraph, z)))
}

/// Returns the adjoint of each of these operands: -h_cᵀ (z̄ / h_z). Where there is a condition, an element for which it does not
/// hold has the adjoint 0, and its equation may have no solution.
pub(super) fn root_adjoint<'t>(
    equation: &Root,
    z: Var<'t>,
    operands: &[Var<'t>],
    (own, within): (Var<'t>, Option<Var<'t>>),
    wrt: &[usize],
) -> Vec<Option<Var<'t>>> {
    let (subgraph, value) = at_solution(&equation.function, z, operands);
    let weight = -(own / slope(&subgraph, z));
    let wrt: Vec<NodeId> = wrt.iter().map(|k| operands[*k].id()).collect();
    let Some(within) = within else { return adjoint(z.tape(), &subgraph, &[(value.id(), weight)], &wrt) };
    // The sweep drops what comes from elements that are not taken, before it meets the others.
    let zero = z.tape().constant(0.0).broadcast(z.shape());
    let taken = choice(within, value, zero);
    let inputs: Vec<NodeId> = subgraph.inputs().iter().copied().chain([within.id()]).collect();
    let subgraph = Subgraph::new(z.tape(), &inputs, &[taken.id()]);
    adjoint(z.tape(), &subgraph, &[(taken.id(), weight)], &wrt)
}

/// dc = -h_c⁻¹ h_w dw for h(c, w) = 0
pub(super) fn system_tangent<'t>(
    equation: &System,
    c: Var<'t>,
    operands: &[Var<'t>],
    tangents: &[Option<Var<'t>>],
) -> Option<Var<'t>> {
    let (subgraph, _) = at_solution(&equation.function, c, operands);
    let moved = tangent(c.tape(), &subgraph, &seeds(operands, tangents))[0]?;
    Some(-system_jacobian(c.tape(), &subgraph, c).inverse().matvec(moved))
}

/// Returns the adjoint of each of these operands: -h_wᵀ h_c⁻ᵀ c̄.
pub(super) fn system_adjoint<'t>(
    equation: &System,
    c: Var<'t>,
    operands: &[Var<'t>],
    own: Var<'t>,
    wrt: &[usize],
) -> Vec<Option<Var<'t>>> {
    let (subgraph, value) = at_solution(&equation.function, c, operands);
    let weight = -system_jacobian(c.tape(), &subgraph, c).inverse().transpose().matvec(own);
    let wrt: Vec<NodeId> = wrt.iter().map(|k| operands[*k].id()).collect();
    adjoint(c.tape(), &subgraph, &[(value.id(), weight)], &wrt)
}

/// Solves dz = G_z dz + G_c dc for z = G(z, c), an equation of the kind of G: `solve` is given the unknown and the right side.
fn fixed_point_tangent<'t>(
    function: &Arc<Function>,
    z: Var<'t>,
    (operands, tangents): (&[Var<'t>], &[Option<Var<'t>>]),
    solve: impl FnOnce(Var<'t>, Var<'t>) -> Var<'t>,
) -> Option<Var<'t>> {
    let tape = z.tape();
    let (subgraph, _) = at_solution(function, z, operands);
    let direct = tangent(tape, &subgraph, &seeds(operands, tangents))[0]?;
    let moving = tape.input(z.shape());
    let Some(through) = tangent(tape, &subgraph, &[(z.id(), moving)])[0] else { return Some(direct) };
    Some(solve(moving, through + direct))
}

/// Returns the adjoint of each of these operands: G_cᵀ a, where a = G_zᵀ a + z̄ is what `solve` solves.
fn fixed_point_adjoint<'t>(
    function: &Arc<Function>,
    z: Var<'t>,
    operands: &[Var<'t>],
    (own, wrt): (Var<'t>, &[usize]),
    solve: impl FnOnce(Var<'t>, Var<'t>) -> Var<'t>,
) -> Vec<Option<Var<'t>>> {
    let tape = z.tape();
    let (subgraph, value) = at_solution(function, z, operands);
    let moving = tape.input(z.shape());
    let weight = match adjoint(tape, &subgraph, &[(value.id(), moving)], &[z.id()])[0] {
        None => own,
        Some(back) => solve(moving, back + own),
    };
    let wrt: Vec<NodeId> = wrt.iter().map(|k| operands[*k].id()).collect();
    adjoint(tape, &subgraph, &[(value.id(), weight)], &wrt)
}

/// The tangent of a triangular equation: one in the same order.
pub(super) fn substitution_tangent<'t>(
    equation: &Substitution,
    z: Var<'t>,
    operands: &[Var<'t>],
    tangents: &[Option<Var<'t>>],
) -> Option<Var<'t>> {
    fixed_point_tangent(&equation.function, z, (operands, tangents), |unknown, right| {
        let solved = substitution(z.tape(), unknown, right, &equation.order);
        solved.expect("a tangent sees no later element than the function does")
    })
}

/// The adjoint of a triangular equation: one in the opposite order.
pub(super) fn substitution_adjoint<'t>(
    equation: &Substitution,
    z: Var<'t>,
    operands: &[Var<'t>],
    own: Var<'t>,
    wrt: &[usize],
) -> Vec<Option<Var<'t>>> {
    fixed_point_adjoint(&equation.function, z, operands, (own, wrt), |unknown, right| {
        let last = equation.order.iter().max().copied().unwrap_or(0);
        let opposite: Vec<u32> = equation.order.iter().map(|place| last - place).collect();
        let solved = substitution(z.tape(), unknown, right, &opposite);
        solved.expect("an adjoint sees no earlier element than the function does")
    })
}

/// The tangent of a contraction: one with the same constant, since ‖G_z‖₂ ≤ L.
pub(super) fn contraction_tangent<'t>(
    equation: &Contraction,
    z: Var<'t>,
    operands: &[Var<'t>],
    tangents: &[Option<Var<'t>>],
) -> Option<Var<'t>> {
    fixed_point_tangent(&equation.function, z, (operands, tangents), |unknown, right| {
        contraction(z.tape(), unknown, right, equation.constant())
    })
}

/// The adjoint of a contraction: one with the same constant, since ‖G_zᵀ‖₂ = ‖G_z‖₂.
pub(super) fn contraction_adjoint<'t>(
    equation: &Contraction,
    z: Var<'t>,
    operands: &[Var<'t>],
    own: Var<'t>,
    wrt: &[usize],
) -> Vec<Option<Var<'t>>> {
    fixed_point_adjoint(&equation.function, z, operands, (own, wrt), |unknown, right| {
        contraction(z.tape(), unknown, right, equation.constant())
    })
}
