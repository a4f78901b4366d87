//! Equality of two formulas for all values of their variables: by simplification, never by numbers.
//!
//! First both are written out as scalars, so that x.at(0) of a vector and a scalar are the same. Then they
//! are simplified from the inside out: two subexpressions with the same values at some points are *suspected*
//! to be equal, and one replaces the other only if their difference simplifies to 0. So sinh(2·(a + b)) and
//! sinh(2a + 2b) become the same, in any context. A sum of logarithms of numbers is 0 if the product of their
//! powers is 1, in integers.

use std::collections::HashMap;

use super::space::Space;
use crate::exercise::points;
use pushforward::sweep::simplify::simplify;
use pushforward::tape::{Binary, Node, NodeId, Op, Shape, Tape, Unary, Var};

/// Formulas with more scalars than this are compared at points only.
const LARGEST: usize = 600;

/// Returns whether two formulas of the same shape are equal wherever both are defined.
pub(super) fn equal<'t>(space: &Space<'t>, given: Var<'t>, asked: Var<'t>) -> bool {
    match (scalars(space, given), scalars(space, asked)) {
        (Some(given), Some(asked)) => given.into_iter().zip(asked).all(|(a, b)| one(space, a, b)),
        _ => difference_is_zero(space, given, asked),
    }
}

fn difference_is_zero<'t>(space: &Space<'t>, a: Var<'t>, b: Var<'t>) -> bool {
    let tape = space.tape();
    is_zero(tape, simplify(tape, (a - b).id(), 0, space.within()).value.id())
}

/// Returns the elements of a node as scalar formulas; `None` for operations without a scalar form, or if
/// there are too many.
pub(super) fn scalars<'t>(space: &Space<'t>, node: Var<'t>) -> Option<Vec<Var<'t>>> {
    let tape = space.tape();
    let subgraph = space.subgraph(&[node]);
    let mut elements: HashMap<NodeId, Vec<Var<'t>>> = HashMap::new();
    let mut total = 0;
    for id in subgraph.nodes() {
        let node = tape.node(*id);
        let whole = tape.var(*id);
        let of = |k: usize| &elements[&node.operands[k]];
        let each: Vec<Var<'t>> = if subgraph.is_input(*id) || matches!(node.op, Op::Parameter(_)) {
            match node.shape {
                Shape::Scalar => vec![whole],
                shape => (0..shape.len()).map(|k| whole.at(k)).collect(),
            }
        } else {
            match &node.op {
                Op::Constant(data) => data.values().iter().map(|value| tape.constant(*value)).collect(),
                Op::Gather(indices) => indices.iter().map(|index| of(0)[*index as usize]).collect(),
                Op::Concat => (0..node.operands.len()).flat_map(|k| of(k).clone()).collect(),
                Op::Broadcast => vec![of(0)[0]; node.shape.len()],
                Op::Scatter(indices) => {
                    let mut each = vec![tape.constant(0.0); node.shape.len()];
                    for (index, value) in indices.iter().zip(of(0)) {
                        each[*index as usize] = sum(tape, [each[*index as usize], *value]);
                    }
                    each
                }
                Op::Transpose => {
                    let Shape::Matrix(rows, columns) = node.shape else { return None };
                    (0..rows * columns).map(|e| of(0)[(e % columns) * rows + e / columns]).collect()
                }
                Op::Sum => vec![sum(tape, of(0).iter().copied())],
                Op::MatVec | Op::MatMul => {
                    let Shape::Matrix(rows, inner) = tape.shape(node.operands[0]) else { return None };
                    let columns = of(1).len() / inner.max(1);
                    let product = |e: usize| {
                        let (row, column) = (e / columns, e % columns);
                        let terms = (0..inner)
                            .map(|k| product(tape, of(0)[row * inner + k], of(1)[k * columns + column]));
                        sum(tape, terms)
                    };
                    (0..rows * columns).map(product).collect()
                }
                op @ (Op::Unary(_) | Op::Binary(_) | Op::Choice(_)) => (0..node.shape.len())
                    .map(|e| {
                        let operands = (0..node.operands.len()).map(|k| of(k)[e].id()).collect();
                        let scalar = Node { op: op.clone(), operands, shape: Shape::Scalar };
                        tape.var(tape.append(scalar, tape.place(*id)))
                    })
                    .collect(),
                _ => return None,
            }
        };
        total += each.len();
        if total > LARGEST {
            return None;
        }
        elements.insert(*id, each);
    }
    elements.remove(&node.id())
}

fn sum<'t>(tape: &'t Tape, terms: impl IntoIterator<Item = Var<'t>>) -> Var<'t> {
    let terms = terms.into_iter().filter(|term| number(tape, term.id()) != Some(0.0));
    terms.reduce(|sum, term| sum + term).unwrap_or_else(|| tape.constant(0.0))
}

fn product<'t>(tape: &'t Tape, a: Var<'t>, b: Var<'t>) -> Var<'t> {
    match (number(tape, a.id()), number(tape, b.id())) {
        (Some(0.0), _) | (_, Some(0.0)) => tape.constant(0.0),
        (Some(1.0), _) => b,
        (_, Some(1.0)) => a,
        _ => a * b,
    }
}

fn number(tape: &Tape, id: NodeId) -> Option<f64> {
    match tape.node(id).op {
        Op::Constant(data) if data.values().len() == 1 => Some(data.values()[0]),
        _ => None,
    }
}

/// Returns whether two scalars are equal, after replacing subexpressions by those they are proven equal to.
fn one<'t>(space: &Space<'t>, a: Var<'t>, b: Var<'t>) -> bool {
    if difference_is_zero(space, a, b) {
        return true;
    }
    let tape = space.tape();
    let subgraph = space.subgraph(&[a, b]);
    if subgraph.nodes().len() > LARGEST {
        return false;
    }
    let nodes: Vec<Var<'_>> = subgraph.nodes().iter().map(|id| tape.var(*id)).collect();
    let numbers = space.numbers(&nodes, &ordinary(space));
    let mut known: HashMap<NodeId, NodeId> = HashMap::new();
    let mut parts: Vec<(NodeId, &Vec<f64>)> = Vec::new();
    for (id, values) in subgraph.nodes().iter().zip(&numbers) {
        let node = tape.node(*id);
        let rebuilt = match subgraph.is_input(*id) {
            true => *id,
            false => {
                let operands = node.operands.iter().map(|operand| known[operand]).collect();
                tape.append(Node { op: node.op, operands, shape: node.shape }, tape.place(*id))
            }
        };
        let simple = simplify(tape, rebuilt, 0, space.within()).value.id();
        let suspect = |(other, theirs): &&(NodeId, &Vec<f64>)| {
            tape.shape(*other) == node.shape
                && near(values, theirs)
                && (*other == simple || difference_is_zero(space, tape.var(*other), tape.var(simple)))
        };
        let same = parts.iter().find(suspect).map(|(other, _)| *other);
        known.insert(*id, same.unwrap_or(simple));
        if same.is_none() {
            parts.push((simple, values));
        }
    }
    let [a, b] = [a, b].map(|node| known[&node.id()]);
    a == b || difference_is_zero(space, tape.var(a), tape.var(b))
}

/// Returns generic points.
fn ordinary(space: &Space<'_>) -> Vec<f64> {
    let d = space.width();
    let columns: Vec<Vec<f64>> = space.domains().iter().map(|domain| points(domain, d)).collect();
    (0..columns[0].len()).map(|k| columns[k % d][k]).collect()
}

fn near(a: &[f64], b: &[f64]) -> bool {
    let pairs = || a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite());
    pairs().next().is_some() && pairs().all(|(a, b)| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()))
}

/// Returns whether a node is 0: the constant 0, or logarithms of numbers that cancel.
fn is_zero(tape: &Tape, id: NodeId) -> bool {
    let node = tape.node(id);
    let inside = if node.op == Op::Broadcast { node.operands[0] } else { id };
    let zeros = match tape.node(inside).op {
        Op::Constant(data) => Some(data.values().iter().all(|value| *value == 0.0)),
        _ => None,
    };
    zeros.unwrap_or_else(|| logarithms_cancel(tape, inside).unwrap_or(false))
}

/// Returns whether Σ kᵢ·ln cᵢ is 0, if the node is such a sum with small integers or half-integers kᵢ: Π
/// cᵢ^(2kᵢ) = 1, exactly.
fn logarithms_cancel(tape: &Tape, node: NodeId) -> Option<bool> {
    let (mut above, mut below) = (1u128, 1u128);
    let mut twos = 0i64;
    let mut open = vec![(node, 2.0)];
    while let Some((id, factor)) = open.pop() {
        let node = tape.node(id);
        match node.op {
            Op::Binary(Binary::Add) => open.extend(node.operands.iter().map(|operand| (*operand, factor))),
            Op::Binary(Binary::Sub) => open.extend([(node.operands[0], factor), (node.operands[1], -factor)]),
            Op::Unary(Unary::Neg) => open.push((node.operands[0], -factor)),
            Op::Binary(Binary::Mul) => {
                let numbers = [0, 1].map(|k| number(tape, node.operands[k]));
                match numbers {
                    [Some(number), _] => open.push((node.operands[1], factor * number)),
                    [_, Some(number)] => open.push((node.operands[0], factor * number)),
                    _ => return None,
                }
            }
            Op::Unary(Unary::Ln) => {
                let value = match tape.node(node.operands[0]) {
                    inner if inner.op == Op::Unary(Unary::Abs) => number(tape, inner.operands[0])?.abs(),
                    _ => number(tape, node.operands[0])?,
                };
                if value <= 0.0 || !value.is_normal() || factor.fract() != 0.0 || factor.abs() > 64.0 {
                    return None;
                }
                let bits = value.to_bits();
                let mut mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
                let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1075;
                exponent += i64::from(mantissa.trailing_zeros());
                mantissa >>= mantissa.trailing_zeros();
                twos += exponent * factor as i64;
                for _ in 0..factor.abs() as u32 {
                    let side = if factor > 0.0 { &mut above } else { &mut below };
                    *side = side.checked_mul(u128::from(mantissa))?;
                }
            }
            _ => return None,
        }
    }
    Some(twos == 0 && above == below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_equal(formulas: impl for<'t> Fn(Var<'t>) -> [Var<'t>; 2]) -> bool {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(2));
        let [a, b] = formulas(z);
        equal(&Space::reals(z), a, b)
    }

    #[test]
    fn a_scalar_and_an_element_of_a_vector_are_one() {
        assert!(are_equal(|z| [(z / 3.0 + z.exp()).at(0), z.at(0) / 3.0 + z.at(0).exp()]));
        assert!(are_equal(|z| [z.dot(z), z.at(0).powi(2) + z.at(1).powi(2)]));
        assert!(are_equal(|z| [z.tape().matrix(1, 2, &[0.5, 0.0]).matvec(z).at(0), 0.5 * z.at(0)]));
    }

    #[test]
    fn parts_that_are_equal_are_so_inside_of_functions() {
        assert!(are_equal(|z| [(2.0 * (z.at(0) + z.at(1))).sin(), (2.0 * z.at(1) + 2.0 * z.at(0)).sin()]));
    }

    #[test]
    fn logarithms_of_numbers_cancel_where_they_do() {
        let ln = |z: Var<'_>, value: f64| z.tape().constant(value).ln().id();
        assert!(are_equal(|z| [z.at(0) + z.tape().var(ln(z, 0.5)), z.at(0) - z.tape().var(ln(z, 2.0))]));
        assert!(are_equal(|z| [
            z.tape().var(ln(z, 6.0)),
            z.tape().var(ln(z, 2.0)) + z.tape().var(ln(z, 3.0))
        ]));
        assert!(are_equal(|z| [0.5 * z.tape().var(ln(z, 9.0)), 0.0 * z.at(0) + z.tape().var(ln(z, 3.0))]));
    }

    #[test]
    fn what_only_looks_equal_is_not() {
        // ln 2 rounded to f64, and numbers that differ in the last place.
        assert!(!are_equal(|z| [z.tape().constant(2.0).ln() + z.at(0), z.at(0) + 2f64.ln()]));
        assert!(!are_equal(|z| [z.tape().constant(6.0).ln(), z.tape().constant(6.0 + 1e-15).ln()]));
        // Equal at every point that is tried.
        assert!(!are_equal(|z| [z.at(0), z.at(0) + (z.at(0) - 1e9).max(0.0)]));
    }
}
