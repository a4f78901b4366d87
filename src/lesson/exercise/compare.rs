//! Whether two formulas are one: by simplifying their difference, and else at points.
//!
//! Only what is simplified to one formula, and is defined wherever its variables may lie, is said to be equal *for all* of
//! them. Anything else is said to be equal at so many points, which are those of `probes.rs`.

use super::equal::{equal, scalars};
use super::normal_form::equal_in_normal_form;
use super::probes::Probes;
use super::proof::formula;
use super::space::Space;
use crate::audit::Evidence;
use crate::sweep::bound::Bounds;
use crate::sweep::simplify::simplify;
use crate::tape::{Binary, NodeId, Op, Shape, Tape, Unary, Var};

/// Up to which relative difference two numbers count as one.
const TOLERANCE: f64 = 1e-9;
/// Where rounding may have moved a number by more than this, relative to it, nothing is compared.
const VAGUE: f64 = 3e-8;
/// A relative difference that a reader sees in four digits.
const VISIBLE: f64 = 1e-2;
/// How many points are nowhere special: they stand first among the probes.
const ORDINARY: usize = 64;

/// Whether two formulas are one.
#[derive(Clone, Debug, PartialEq)]
pub enum Sameness {
    /// They are: by simplification, or as far as the points tell.
    Same(Evidence),
    /// They are not: a point, and what each is there. What is given may have no value there.
    Apart {
        /// The variables.
        at: Vec<f64>,
        /// What the answer is there.
        given: Vec<f64>,
        /// What was asked for.
        asked: Vec<f64>,
    },
}

impl Sameness {
    /// Whether they are one.
    pub fn holds(&self) -> bool {
        matches!(self, Sameness::Same(_))
    }

    /// Whether they are one for all values of the variables.
    pub fn is_proven(&self) -> bool {
        matches!(self, Sameness::Same(Evidence::Proven { .. }))
    }
}

/// Compares two formulas of one shape wherever the variables may lie.
///
/// Formulas of different shapes are apart.
pub fn compared<'t>(space: &Space<'t>, given: Var<'t>, asked: Var<'t>) -> Sameness {
    if given.shape() != asked.shape() {
        let at = Probes::of(space, &[]).rows[..space.width()].to_vec();
        let [given, asked] = [given, asked].map(|node| space.numbers(&[node], &at).swap_remove(0));
        return Sameness::Apart { at, given, asked };
    }
    let found = at_points(space, given, asked);
    let proven = found.holds()
        && equal(space, given, asked)
        && Bounds::new(space.tape(), space.within()).of(given.id()).defined;
    if proven {
        return Sameness::Same(Evidence::Proven {
            reason: "simplified, the two are one formula".to_string(),
        });
    }
    if !found.holds() {
        return found;
    }
    equal_in_normal_form(space, given, asked).map_or(found, Sameness::Same)
}

/// Compares them at the probes: where both are numbers that rounding leaves enough digits of.
fn at_points<'t>(space: &Space<'t>, given: Var<'t>, asked: Var<'t>) -> Sameness {
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
            // As far as rounding leaves digits to compare.
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
                // Where the two are seen to differ; there the first that is nowhere special, and else the one of the
                // plainest numbers.
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
            Sameness::Apart { at, given: part(0), asked: part(1) }
        }
        None => Sameness::Same(Evidence::Checked { points: count, worst, tolerance: TOLERANCE, seed: None }),
    }
}

fn flat(node: Var<'_>) -> Var<'_> {
    match node.shape() {
        Shape::Vector(_) => node,
        shape => node.reshape(Shape::Vector(shape.len())),
    }
}

/// The terms of two sums that only one of them has: of the answer, and of what was asked for.
///
/// A term is one of both where its value is: what is written in another way, as one term or as several, is not listed.
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
    // The fewest terms that have the same sum on both sides are taken away first.
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

/// Some terms of each side, as bits, with one sum; the fewest there are. A sum of no terms is 0.
fn equal_parts(mine: &[Term<'_>], others: &[Term<'_>]) -> Option<(usize, usize)> {
    /// Beyond so many terms all pairs of parts are too many.
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

/// The terms of a sum, with their signs.
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
