//! The values of a graph: tensors that are known, and tensors that are recorded.

use super::cases::Cases;
use super::dims;
use super::recorded::{canonical, picked};
use crate::tape::{Condition, Tape, Var, joined};

/// The elements of a tensor, in order.
#[derive(Clone)]
pub(super) enum Elements<'t> {
    /// Floating-point numbers that are known.
    Numbers(Vec<f64>),
    /// Whole numbers that are known: shapes, axes, indices.
    Integers(Vec<i64>),
    /// Truth values that are known: masks.
    Truths(Vec<bool>),
    /// Floating-point numbers that depend on the input or on parameters.
    Recorded(Var<'t>),
    /// Truth values that do.
    Conditions(Condition<'t>),
    /// Whole numbers that do.
    Cases(Cases<'t>),
}

/// A tensor.
#[derive(Clone)]
pub(super) struct Array<'t> {
    pub dims: Vec<usize>,
    pub elements: Elements<'t>,
}

impl<'t> Array<'t> {
    pub fn new(dims: Vec<usize>, elements: Elements<'t>) -> Array<'t> {
        Array { dims, elements }
    }

    /// A vector of whole numbers.
    pub fn integers(values: Vec<i64>) -> Array<'t> {
        Array::new(vec![values.len()], Elements::Integers(values))
    }

    /// Number of elements.
    pub fn count(&self) -> usize {
        self.dims.iter().product()
    }

    /// What its elements are, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.elements {
            Elements::Numbers(_) | Elements::Recorded(_) => "floating-point numbers",
            Elements::Integers(_) => "whole numbers",
            Elements::Cases(_) => "whole numbers that depend on the input",
            Elements::Truths(_) => "truth values",
            Elements::Conditions(_) => "truth values that depend on the input",
        }
    }

    /// Returns whether the elements are known.
    pub fn is_known(&self) -> bool {
        matches!(self.elements, Elements::Numbers(_) | Elements::Integers(_) | Elements::Truths(_))
    }

    /// Returns whether the elements are floating-point numbers.
    pub fn is_float(&self) -> bool {
        matches!(self.elements, Elements::Numbers(_) | Elements::Recorded(_))
    }

    /// As floating-point numbers on a tape.
    ///
    /// # Errors
    /// A known number that is not finite.
    pub fn var(&self, tape: &'t Tape) -> Result<Var<'t>, String> {
        let constant = |values: &[f64]| match values.iter().find(|value| !value.is_finite()) {
            Some(value) => {
                Err(format!("the number {value} of the file would enter a formula; only finite numbers can"))
            }
            None => Ok(tape.constants(canonical(&self.dims), values)),
        };
        if self.count() == 0 {
            return Err("a tensor without elements would enter a formula".to_string());
        }
        match &self.elements {
            Elements::Numbers(values) => constant(values),
            Elements::Integers(values) => {
                constant(&values.iter().map(|value| *value as f64).collect::<Vec<_>>())
            }
            Elements::Truths(values) => {
                constant(&values.iter().map(|value| f64::from(u8::from(*value))).collect::<Vec<_>>())
            }
            Elements::Recorded(var) => Ok(*var),
            Elements::Conditions(condition) => Ok(condition.var()),
            Elements::Cases(cases) => Ok(cases.numbers(tape, &self.dims)),
        }
    }

    /// As truth values on a tape; `None` if they are numbers.
    pub fn condition(&self, tape: &'t Tape) -> Option<Condition<'t>> {
        match &self.elements {
            Elements::Conditions(condition) => Some(*condition),
            Elements::Truths(values) => {
                let values: Vec<f64> = values.iter().map(|value| f64::from(u8::from(*value))).collect();
                Some(Condition::of(tape.constants(canonical(&self.dims), &values)))
            }
            _ => None,
        }
    }

    /// As whole numbers, known or not; `None` if they are others.
    pub fn cases(&self) -> Option<Cases<'t>> {
        match &self.elements {
            Elements::Cases(cases) => Some(cases.clone()),
            Elements::Integers(values) => Some(Cases::known(values.clone())),
            _ => None,
        }
    }

    /// The elements at these positions, as a tensor of this shape.
    pub fn picked(&self, positions: &[usize], dims: Vec<usize>) -> Array<'t> {
        fn of<T: Copy>(values: &[T], positions: &[usize]) -> Vec<T> {
            positions.iter().map(|position| values[*position]).collect()
        }
        let elements = match &self.elements {
            Elements::Numbers(values) => Elements::Numbers(of(values, positions)),
            Elements::Integers(values) => Elements::Integers(of(values, positions)),
            Elements::Truths(values) => Elements::Truths(of(values, positions)),
            // The tape has no nodes without elements.
            Elements::Recorded(_) if positions.is_empty() => Elements::Numbers(Vec::new()),
            Elements::Conditions(_) if positions.is_empty() => Elements::Truths(Vec::new()),
            Elements::Cases(_) if positions.is_empty() => Elements::Integers(Vec::new()),
            Elements::Recorded(var) => Elements::Recorded(picked(*var, positions, &dims)),
            Elements::Conditions(condition) => {
                Elements::Conditions(Condition::of(picked(condition.var(), positions, &dims)))
            }
            Elements::Cases(cases) => Elements::Cases(cases.picked(positions, &dims)),
        };
        Array { dims, elements }
    }

    /// The same elements in another shape of as many.
    pub fn reshaped(&self, dims: Vec<usize>) -> Array<'t> {
        let positions: Vec<usize> = (0..self.count()).collect();
        self.picked(&positions, dims)
    }

    /// Broadcast to a shape; `None` if it does not fit.
    pub fn broadcast(&self, to: &[usize]) -> Option<Array<'t>> {
        if self.dims == to {
            return Some(self.clone());
        }
        if dims::broadcast(&self.dims, to).as_deref() != Some(to) {
            return None;
        }
        Some(self.picked(&dims::broadcast_positions(&self.dims, to), to.to_vec()))
    }
}

/// A tensor of elements of several: for each of its elements, of which part and which one.
///
/// # Errors
/// Parts of different kinds, or a number that is not finite beside recorded ones.
pub(super) fn assembled<'t>(
    tape: &'t Tape,
    parts: &[Array<'t>],
    places: &[(usize, usize)],
    dims: Vec<usize>,
) -> Result<Array<'t>, String> {
    let mut first = Vec::with_capacity(parts.len());
    let mut total = 0;
    for part in parts {
        first.push(total);
        total += part.count();
    }
    let positions: Vec<usize> = places.iter().map(|(part, at)| first[*part] + at).collect();
    let full: Vec<&Array<'t>> = parts.iter().filter(|part| part.count() > 0).collect();
    let Some(sample) = full.first() else { return Ok(Array::new(dims, parts[0].elements.clone())) };
    if let [one] = full[..] {
        return Ok(one.picked(&positions, dims));
    }
    if let Some(other) = full.iter().find(|part| part.is_float() != sample.is_float()) {
        return Err(format!("{} and {} are joined; they must be of one type", sample.kind(), other.kind()));
    }
    let all = vec![total];
    let whole = if full.iter().all(|part| matches!(part.elements, Elements::Numbers(_))) {
        let values = full.iter().flat_map(|part| match &part.elements {
            Elements::Numbers(values) => values.clone(),
            _ => Vec::new(),
        });
        Array::new(all, Elements::Numbers(values.collect()))
    } else if full.iter().all(|part| matches!(part.elements, Elements::Integers(_))) {
        let values = full.iter().flat_map(|part| match &part.elements {
            Elements::Integers(values) => values.clone(),
            _ => Vec::new(),
        });
        Array::new(all, Elements::Integers(values.collect()))
    } else if full.iter().all(|part| matches!(part.elements, Elements::Truths(_))) {
        let values = full.iter().flat_map(|part| match &part.elements {
            Elements::Truths(values) => values.clone(),
            _ => Vec::new(),
        });
        Array::new(all, Elements::Truths(values.collect()))
    } else if sample.is_float() {
        let vars = full.iter().map(|part| part.var(tape)).collect::<Result<Vec<_>, _>>()?;
        Array::new(all, Elements::Recorded(joined(vars)))
    } else if full.iter().all(|part| part.condition(tape).is_some()) {
        let conditions = full.iter().filter_map(|part| part.condition(tape)).map(Condition::var);
        Array::new(all, Elements::Conditions(Condition::of(joined(conditions))))
    } else {
        let cases: Vec<(Cases<'t>, usize)> =
            full.iter().filter_map(|part| Some((part.cases()?, part.count()))).collect();
        if cases.len() < full.len() {
            return Err("truth values and whole numbers are joined; they must be of one type".to_string());
        }
        Array::new(all, Elements::Cases(side_by_side(tape, &cases)))
    };
    Ok(whole.picked(&positions, dims))
}

/// The whole numbers of several tensors, one after another: case k of all is case k of each.
fn side_by_side<'t>(tape: &'t Tape, parts: &[(Cases<'t>, usize)]) -> Cases<'t> {
    use super::cases::Case;
    let most = parts.iter().map(|(cases, _)| cases.0.len()).max().unwrap_or(0);
    let case = |k: usize| {
        let (mut values, mut holds) = (Vec::new(), Vec::new());
        for (cases, count) in parts {
            let known = |value: f64| tape.constants(canonical(&[*count]), &vec![value; *count]);
            match cases.0.get(k) {
                Some(case) => {
                    values.extend(&case.values);
                    holds.push(case.holds.map_or_else(|| known(1.0), Condition::var));
                }
                None => {
                    values.extend(vec![0; *count]);
                    holds.push(known(0.0));
                }
            }
        }
        Case { values, holds: Some(Condition::of(joined(holds))) }
    };
    Cases((0..most).map(case).collect())
}
