//! Whole numbers that depend on data: the index of a bin, as in splines.
//!
//! Such a number is one of a few known ones, and conditions say which. It is kept as that: a list of cases, each with the
//! numbers of all elements and the condition, element by element, under which they are these. The conditions of an element
//! exclude one another and one of them always holds. Arithmetic works on the known numbers, a sum of comparisons counts them
//! exactly whether or not the thresholds ascend, and reading at such an index is a choice between the elements that it can
//! mean. So nothing is rounded, and nothing is assumed.

use super::recorded::{canonical, picked};
use crate::tape::{Condition, Tape, Var, select};

/// The largest number of cases.
pub(super) const MOST: usize = 64;

/// One value for each element, and where it holds.
#[derive(Clone)]
pub(super) struct Case<'t> {
    pub values: Vec<i64>,
    /// `None` where it always holds.
    pub holds: Option<Condition<'t>>,
}

/// Whole numbers that depend on data.
#[derive(Clone)]
pub(super) struct Cases<'t>(pub Vec<Case<'t>>);

/// A condition with which nothing else need be looked at.
fn both<'t>(a: Option<Condition<'t>>, b: Option<Condition<'t>>) -> Option<Condition<'t>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.and(b)),
        (one, other) => one.or(other),
    }
}

impl<'t> Cases<'t> {
    /// 1 where a condition holds, 0 elsewhere.
    pub fn of(condition: Condition<'t>) -> Cases<'t> {
        let count = condition.var().len();
        let case = |value, holds| Case { values: vec![value; count], holds: Some(holds) };
        Cases(vec![case(0, condition.negate()), case(1, condition)])
    }

    /// Numbers that are known.
    pub fn known(values: Vec<i64>) -> Cases<'t> {
        Cases(vec![Case { values, holds: None }])
    }

    /// A function of two such numbers of as many elements; `None` if it is not a number somewhere, or of too many cases.
    pub fn combine(
        &self,
        other: &Cases<'t>,
        function: impl Fn(i64, i64) -> Option<i64>,
    ) -> Option<Cases<'t>> {
        let mut found: Vec<Case<'t>> = Vec::new();
        for a in &self.0 {
            for b in &other.0 {
                let values = a
                    .values
                    .iter()
                    .zip(&b.values)
                    .map(|(a, b)| function(*a, *b))
                    .collect::<Option<Vec<i64>>>()?;
                let holds = both(a.holds, b.holds);
                match found.iter_mut().find(|case| case.values == values) {
                    Some(case) => {
                        case.holds = case.holds.zip(holds).map(|(known, more)| known.or(more));
                    }
                    None => found.push(Case { values, holds }),
                }
                if found.len() > MOST {
                    return None;
                }
            }
        }
        Some(Cases(found))
    }

    /// Where a relation holds; `None` if there is none in any case.
    pub fn condition(
        &self,
        tape: &'t Tape,
        dims: &[usize],
        relation: impl Fn(usize, i64) -> bool,
    ) -> Condition<'t> {
        let shape = canonical(dims);
        let mut found: Option<Condition<'t>> = None;
        for case in &self.0 {
            let true_at: Vec<bool> =
                case.values.iter().enumerate().map(|(e, value)| relation(e, *value)).collect();
            if !true_at.contains(&true) {
                continue;
            }
            let known: Vec<f64> = true_at.iter().map(|holds| f64::from(u8::from(*holds))).collect();
            let everywhere = true_at.iter().all(|holds| *holds);
            let here = match (case.holds, everywhere) {
                (Some(holds), true) => holds,
                (Some(holds), false) => holds.and(Condition::of(tape.constants(shape, &known))),
                (None, _) => Condition::of(tape.constants(shape, &known)),
            };
            found = Some(found.map_or(here, |found| found.or(here)));
        }
        found.unwrap_or_else(|| Condition::of(tape.constants(shape, &vec![0.0; known_count(dims)])))
    }

    /// The elements at these positions.
    pub fn picked(&self, positions: &[usize], dims: &[usize]) -> Cases<'t> {
        let case = |case: &Case<'t>| Case {
            values: positions.iter().map(|position| case.values[*position]).collect(),
            holds: case.holds.map(|holds| Condition::of(picked(holds.var(), positions, dims))),
        };
        Cases(self.0.iter().map(case).collect())
    }

    /// What `read` gives in the case that holds.
    pub fn choose(&self, mut read: impl FnMut(&[i64]) -> Var<'t>) -> Var<'t> {
        let mut chosen: Option<Var<'t>> = None;
        for case in &self.0 {
            let here = read(&case.values);
            chosen = Some(match (chosen, case.holds) {
                (Some(other), Some(holds)) => select(holds, here, other),
                _ => here,
            });
        }
        chosen.expect("there is at least one case")
    }

    /// As floating-point numbers.
    pub fn numbers(&self, tape: &'t Tape, dims: &[usize]) -> Var<'t> {
        let shape = canonical(dims);
        self.choose(|values| {
            let values: Vec<f64> = values.iter().map(|value| *value as f64).collect();
            tape.constants(shape, &values)
        })
    }
}

fn known_count(dims: &[usize]) -> usize {
    dims.iter().product()
}
