//! Claims by cases: where s ≤ 0, and where s > 0.
//!
//! A norm √s has the slope 0 where s ≤ 0 and ½/√s·s′ elsewhere; a division by s may be kept from 0 in the same way. Of such a
//! choice one branch is undefined for some numbers at which it is not taken. For every point one of the two cases holds, and
//! in each of them the choice is one of its branches. Where s is a sum of squares, s ≤ 0 means that each of them is the square
//! of 0.

use std::collections::{BTreeSet, HashMap};

use super::interval::Interval;
use super::map::Map;
use super::rejection::{Checked, reject};
use super::scalar::{Function, Id, Scalar, Scalars};
use super::sign::sign;

/// Up to this number of conditions are distinguished.
const MOST: usize = 3;

/// A map under a condition, with the scalars in question as they are under it.
pub(super) struct Case {
    pub map: Map,
    pub roots: Vec<Id>,
}

/// Returns the sign of a scalar, if it is the same everywhere, in every case. `hints` are simpler formulas that may be equal
/// to it.
pub(super) fn sign_by_cases(map: &mut Map, id: Id, hints: &[Id]) -> Checked<i32> {
    let roots: Vec<Id> = [id].into_iter().chain(hints.iter().copied()).collect();
    if condition(&map.scalars, &roots, |_, _| true).is_none() {
        return by_hints(map, id, hints);
    }
    let mut found = None;
    for mut case in split(map, &roots, |_, _| true)? {
        let one = by_hints(&mut case.map, case.roots[0], &case.roots[1..])?;
        if *found.get_or_insert(one) != one {
            return reject("a slope has two signs");
        }
    }
    match found {
        Some(sign) => Ok(sign),
        None => reject("a slope cannot be shown to have one sign"),
    }
}

fn by_hints(map: &mut Map, id: Id, hints: &[Id]) -> Checked<i32> {
    let equal = hints.iter().find_map(|hint| sign(map, id, Some(*hint)).ok());
    equal.map_or_else(|| sign(map, id, None), Ok)
}

/// Distinguishes the cases of the conditions s ≤ 0 on which the scalars depend, of those s that are `allowed`.
pub(super) fn split(
    map: &mut Map,
    roots: &[Id],
    allowed: impl Fn(&Scalars, Id) -> bool,
) -> Checked<Vec<Case>> {
    let mut cases = vec![Case { map: copy(map), roots: roots.to_vec() }];
    for _ in 0..MOST {
        let mut next = Vec::new();
        let mut changed = false;
        for mut case in cases {
            match condition(&case.map.scalars, &case.roots, &allowed) {
                None => next.push(case),
                Some((condition, s)) => {
                    // One of the cases holds only where s is a number.
                    if !case.map.ranges.of(&case.map.scalars, s).defined {
                        return reject("a condition cannot be shown to be defined everywhere");
                    }
                    changed = true;
                    next.push(under(&case, condition, s, true));
                    next.push(under(&case, condition, s, false));
                }
            }
        }
        cases = next;
        if !changed {
            break;
        }
    }
    Ok(cases)
}

fn copy(map: &Map) -> Map {
    Map {
        scalars: map.scalars.clone(),
        inputs: map.inputs.clone(),
        outputs: map.outputs.clone(),
        ranges: map.ranges.clone(),
    }
}

/// A condition s ≤ 0 of a choice, and s.
fn condition(scalars: &Scalars, roots: &[Id], allowed: impl Fn(&Scalars, Id) -> bool) -> Option<(Id, Id)> {
    scalars.order(roots, |_| false).into_iter().find_map(|id| {
        let Scalar::Apply(Function::Select, operands) = scalars.get(id) else { return None };
        match scalars.get(operands[0]) {
            Scalar::Apply(Function::LessEq, sides)
                if scalars.value(sides[1]) == Some(0.0) && allowed(scalars, sides[0]) =>
            {
                Some((operands[0], sides[0]))
            }
            _ => None,
        }
    })
}

/// The case s ≤ 0, or s > 0.
fn under(case: &Case, condition: Id, s: Id, holds: bool) -> Case {
    let mut map = copy(&case.map);
    // With a number for the condition, a choice is its branch.
    let value = map.scalars.number(if holds { 1.0 } else { 0.0 });
    let decided = HashMap::from([(condition, value)]);
    let mut roots: Vec<Id> = case.roots.iter().map(|root| map.scalars.replaced(*root, &decided)).collect();
    let mut s = s;
    if let Some(bases) = squares(&map.scalars, s) {
        // For s > 0 the bases are any numbers: what holds for all numbers in their place holds for them.
        let number = |map: &mut Map| if holds { map.scalars.number(0.0) } else { map.scalars.letter() };
        let by: HashMap<Id, Id> = bases
            .into_iter()
            .filter(|base| !matches!(map.scalars.get(*base), Scalar::Number(_)))
            .collect::<BTreeSet<Id>>()
            .into_iter()
            .map(|base| (base, number(&mut map)))
            .collect();
        roots = roots.into_iter().map(|root| map.scalars.replaced(root, &by)).collect();
        s = map.scalars.replaced(s, &by);
    }
    if !holds {
        map.ranges.narrow(s, Interval::between(0.0, f64::INFINITY));
    }
    Case { map, roots }
}

/// The bases, if a scalar is a sum of squares: it is not positive only where all of them are 0.
pub(super) fn squares(scalars: &Scalars, s: Id) -> Option<Vec<Id>> {
    let terms = match scalars.get(s) {
        Scalar::Sum(terms) => terms.clone(),
        _ => vec![s],
    };
    let base = |term: Id| match scalars.get(term) {
        Scalar::Apply(Function::Mul, pair) if pair[0] == pair[1] => Some(pair[0]),
        Scalar::Apply(Function::Powi(n), base) if *n > 0 && n % 2 == 0 => Some(base[0]),
        _ => None,
    };
    terms.into_iter().map(base).collect()
}
