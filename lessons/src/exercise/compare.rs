//! Equality of two formulas: by simplifying their difference, otherwise by values at points.
//!
//! Only formulas that simplify to the same formula, and are defined on the whole domain of their variables,
//! are called equal *for all* values. Others are called equal at the points of `probes.rs`.

use super::equal::{equal, scalars};
use super::normal_form::equal_in_normal_form;
use super::probes::Probes;
use super::proof::formula;
use super::space::Space;
use pushforward::audit::Evidence;
use pushforward::sweep::bound::Bounds;
use pushforward::sweep::simplify::simplify;
use pushforward::tape::{Binary, NodeId, Op, Shape, Tape, Unary, Var};

/// Relative difference up to which two numbers count as equal.
const TOLERANCE: f64 = 1e-9;
/// Points where the relative rounding error may exceed this are not compared.
const VAGUE: f64 = 3e-8;
/// A relative difference that is visible in four digits.
const VISIBLE: f64 = 1e-2;
/// Number of generic points; they come first among the probes.
const ORDINARY: usize = 64;

/// Result of a comparison of two formulas.
#[derive(Clone, Debug, PartialEq)]
pub enum Comparison {
    /// Equal: by simplification, or at all points that were tried.
    Equal(Evidence),
    /// Different: a point, and both values there. The answer may be undefined there.
    Different {
        /// The variables.
        at: Vec<f64>,
        /// The value of the answer.
        given: Vec<f64>,
        /// The expected value.
        asked: Vec<f64>,
    },
}

impl Comparison {
    /// Returns whether they are equal.
    pub fn holds(&self) -> bool {
        matches!(self, Comparison::Equal(_))
    }

    /// Returns whether they are proven equal for all values of the variables.
    pub fn is_proven(&self) -> bool {
        matches!(self, Comparison::Equal(Evidence::Proven { .. }))
    }
}

/// Compares two formulas of the same shape on the domain of the variables.
///
/// Formulas of different shapes are different.
pub fn compared<'t>(space: &Space<'t>, given: Var<'t>, asked: Var<'t>) -> Comparison {
    if given.shape() != asked.shape() {
        let at = Probes::of(space, &[]).rows[..space.width()].to_vec();
        let [given, asked] = [given, asked].map(|node| space.numbers(&[node], &at).swap_remove(0));
        return Comparison::Different { at, given, asked };
    }
    let found = at_points(space, given, asked);
    let proven = found.holds()
        && equal(space, given, asked)
        && Bounds::new(space.tape(), space.within()).of(given.id()).defined;
    if proven {
        return Comparison::Equal(Evidence::Proven {
            reason: "simplified, the two are one formula".to_string(),
        });
    }
    if !found.holds() {
        return found;
    }
    equal_in_normal_form(space, given, asked).map_or(found, Comparison::Equal)
}

/// Compares them at the probes where both are finite and accurate enough.
fn at_points<'t>(space: &Space<'t>, given: Var<'t>, asked: Var<'t>) -> Comparison {
    let probes = Probes::of(space, &[given, asked]);
    let elements = given.len();
    let element =
        |node: Var<'t>, k: usize| if node.shape() == Shape::Scalar { node } else { flat(node).at(k) };
    let mut outputs = Vec::new();
    for k in 0..elements {
        let pair = [element(given, k), element(asked, k)];
        outputs.extend([pair[0], pair[1], space.rounding(pair[0]) + space.rounding(pair[1])]);
    }
    let numbers = space.numbers(&outputs, &probes.rows);
    let width = space.width();
    let (mut worst, mut count) = (0.0f64, 0);
    let mut told = vec![false; probes.count(width)];
    let mut apart: Option<((bool, bool, f64), usize)> = None;
    for (row, at) in probes.rows.chunks(width).enumerate() {
        let mut says = true;
        for k in 0..elements {
            let [mine, other, rounding] = [0, 1, 2].map(|part| numbers[3 * k + part][row]);
            if !other.is_finite() {
                says = false;
                continue;
            }
            let scale = other.abs().max(1.0);
            let off = (mine - other).abs() / scale;
            // Only where the rounding error leaves enough digits.
            let vague = rounding.is_nan() || rounding > VAGUE * scale;
            let differs = match mine.is_finite() {
                true if vague => {
                    says = false;
                    false
                }
                true => off > TOLERANCE.max(2.0 * rounding / scale),
                false => {
                    says = false;
                    space.undefined(element(given, k), at).is_some()
                }
            };
            if differs {
                // Of the points with a visible difference, take the first generic one, otherwise the one with
                // the simplest numbers.
                let plain = |value: &f64| if *value == 0.0 { 0.5 } else { value.abs().ln().abs() };
                let special = row >= ORDINARY;
                let plainness = if special { at.iter().map(plain).sum() } else { row as f64 };
                let order = (off <= VISIBLE, special, plainness);
                if apart.is_none_or(|(least, _)| order < least) {
                    apart = Some((order, row));
                }
            } else if mine.is_finite() && !vague {
                worst = worst.max(off);
            }
        }
        told[row] = says;
        count += usize::from(says);
    }
    let nothing = (count == 0).then_some(0);
    match apart.map(|(_, row)| row).or(nothing).or_else(|| probes.hidden(&told)) {
        Some(row) => {
            let part = |which: usize| (0..elements).map(|k| numbers[3 * k + which][row]).collect();
            let at = probes.rows[row * width..(row + 1) * width].to_vec();
            Comparison::Different { at, given: part(0), asked: part(1) }
        }
        None => {
            Comparison::Equal(Evidence::Checked { points: count, worst, tolerance: TOLERANCE, seed: None })
        }
    }
}

fn flat(node: Var<'_>) -> Var<'_> {
    match node.shape() {
        Shape::Vector(_) => node,
        shape => node.reshape(Shape::Vector(shape.len())),
    }
}

/// Returns the terms that only one of two sums has: of the answer, and of the expected formula.
///
/// Terms count as common if their values agree, so a term that is only written differently, or as several, is
/// not listed.
pub fn terms_apart<'t>(
    space: &Space<'t>,
    name: &str,
    input: Var<'t>,
    pair: [Var<'t>; 2],
) -> [Vec<String>; 2] {
    let tape = space.tape();
    let rows = Probes::of(space, &[]).rows;
    let written_out = |node: Var<'t>| match scalars(space, node).as_deref() {
        Some([scalar]) => *scalar,
        _ => node,
    };
    let terms = pair
        .map(written_out)
        .map(|node| summands(tape, simplify(tape, node.id(), 0, space.within()).value.id()));
    let [mut mine, mut others] = terms.map(|terms| {
        let numbers = space.numbers(&terms, &rows);
        terms.into_iter().zip(numbers).collect::<Vec<_>>()
    });
    // Remove the smallest sets of terms with the same sum on both sides first.
    while let Some((left, right)) = equal_parts(&mine, &others) {
        let keep = |mask: usize| move |k: usize| mask & (1 << k) == 0;
        mine = kept(mine, keep(left));
        others = kept(others, keep(right));
    }
    [mine, others].map(|terms| terms.into_iter().map(|(term, _)| formula(tape, term, input, name)).collect())
}

type Term<'t> = (Var<'t>, Vec<f64>);

fn kept<'t>(terms: Vec<Term<'t>>, keep: impl Fn(usize) -> bool) -> Vec<Term<'t>> {
    terms.into_iter().enumerate().filter(|(k, _)| keep(*k)).map(|(_, term)| term).collect()
}

/// Returns the smallest sets of terms of each side, as bit masks, that have the same sum. An empty sum is 0.
fn equal_parts(mine: &[Term<'_>], others: &[Term<'_>]) -> Option<(usize, usize)> {
    /// Above this number of terms there are too many pairs of subsets.
    const TERMS: usize = 6;
    let sides = [mine, others].map(|terms| 1usize << terms.len().min(TERMS));
    let mut pairs: Vec<(usize, usize)> = (0..sides[0])
        .flat_map(|a| (0..sides[1]).map(move |b| (a, b)))
        .filter(|pair| *pair != (0, 0))
        .collect();
    pairs.sort_by_key(|(a, b)| (a.count_ones() + b.count_ones(), *a, *b));
    pairs.into_iter().find(|(a, b)| {
        let rows = mine.iter().chain(others).map(|(_, values)| values.len()).next().unwrap_or(0);
        let part = |terms: &[Term<'_>], mask: usize, row: usize| -> (f64, f64) {
            let picked = terms.iter().enumerate().filter(|(k, _)| mask & (1 << k) != 0);
            picked.fold((0.0, 0.0), |(sum, size), (_, (_, values))| {
                (sum + values[row], size + values[row].abs())
            })
        };
        let mut seen = 0;
        let same = (0..rows).all(|row| {
            let ((left, a), (right, b)) = (part(mine, *a, row), part(others, *b, row));
            if !left.is_finite() || !right.is_finite() || a + b > 1e12 {
                return true;
            }
            seen += 1;
            (left - right).abs() <= TOLERANCE * (a + b)
        });
        same && seen > 0
    })
}

/// Returns the terms of a sum, with their signs.
fn summands(tape: &Tape, node: NodeId) -> Vec<Var<'_>> {
    let (mut open, mut terms) = (vec![(node, false)], Vec::new());
    while let Some((id, negative)) = open.pop() {
        let node = tape.node(id);
        match node.op {
            Op::Binary(Binary::Add) => {
                open.extend(node.operands.iter().rev().map(|operand| (*operand, negative)))
            }
            Op::Binary(Binary::Sub) => {
                open.extend([(node.operands[1], !negative), (node.operands[0], negative)])
            }
            Op::Unary(Unary::Neg) => open.push((node.operands[0], !negative)),
            _ if negative => terms.push(-tape.var(id)),
            _ => terms.push(tape.var(id)),
        }
    }
    terms
}
