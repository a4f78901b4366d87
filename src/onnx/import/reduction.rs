//! Operators that make one element of several: sums, products, extremes, softmax, cumulative sums.

use super::array::{Array, Elements, assembled};
use super::call::{Call, Result};
use super::cases::{self, Cases};
use super::dims;
use super::elementwise::pair;
use crate::tape::Var;

/// What is made of several elements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reduction {
    Sum,
    Mean,
    Product,
    Max,
    Min,
    /// Σ a²
    SumOfSquares,
    /// √Σ a²
    Norm,
    /// Σ |a|
    SumOfSizes,
    /// ln Σ a
    LogSum,
    /// ln Σ eᵃ
    LogSumExp,
}

/// Reduces along axes.
pub(super) fn reduce<'t>(call: &Call<'_, 't>, reduction: Reduction) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let rank = operand.dims.len();
    let axes = match call.axes(1, rank)? {
        Some(axes) if axes.is_empty() && call.int("noop_with_empty_axes", 0) != 0 => {
            return Ok(vec![operand.clone()]);
        }
        Some(axes) if !axes.is_empty() => axes,
        _ => (0..rank).collect(),
    };
    let found = dims::reduced(&operand.dims, &axes, call.int("keepdims", 1) != 0);
    let groups = dims::groups(&operand.dims, &axes);
    let members = groups.first().map_or(0, Vec::len);
    if operand.count() == 0 || members == 0 {
        return Err(call.refuse("it reduces a tensor without elements"));
    }
    let member = |k: usize| {
        let positions: Vec<usize> = groups.iter().map(|group| group[k]).collect();
        operand.picked(&positions, found.clone())
    };
    if !operand.is_float() {
        return whole(call, reduction, &found, members, member);
    }
    // A sum of everything is one operation, and so is a norm.
    let everything = groups.len() == 1;
    let flat = || -> Result<Var<'t>> {
        let all = operand.reshaped(vec![operand.count()]);
        all.var(call.tape).map_err(|reason| call.wrong(reason))
    };
    let of = |k: usize| -> Result<Var<'t>> { member(k).var(call.tape).map_err(|reason| call.wrong(reason)) };
    let joined =
        |map: &dyn Fn(Var<'t>) -> Var<'t>, join: &dyn Fn(Var<'t>, Var<'t>) -> Var<'t>| -> Result<Var<'t>> {
            let mut total = map(of(0)?);
            for k in 1..members {
                total = join(total, map(of(k)?));
            }
            Ok(total)
        };
    let sum = |map: &dyn Fn(Var<'t>) -> Var<'t>| -> Result<Var<'t>> {
        match everything {
            true => Ok(map(flat()?).sum()),
            false => joined(map, &|a, b| a + b),
        }
    };
    let var = match reduction {
        Reduction::Sum => sum(&|a| a)?,
        Reduction::Mean => sum(&|a| a)? / members as f64,
        Reduction::SumOfSquares => sum(&|a| a * a)?,
        Reduction::SumOfSizes => sum(&|a| a.abs())?,
        Reduction::LogSum => sum(&|a| a)?.ln(),
        Reduction::Norm if everything => flat()?.norm(),
        Reduction::Norm => sum(&|a| a * a)?.sqrt(),
        Reduction::Product => joined(&|a| a, &|a, b| a * b)?,
        Reduction::Max => joined(&|a| a, &|a, b| a.max(b))?,
        Reduction::Min => joined(&|a| a, &|a, b| a.min(b))?,
        Reduction::LogSumExp => joined(&|a| a, &|a, b| a.log_add_exp(b))?,
    };
    Ok(call.recorded(found, var))
}

/// Reduces whole numbers and truth values.
fn whole<'t>(
    call: &Call<'_, 't>,
    reduction: Reduction,
    found: &[usize],
    members: usize,
    member: impl Fn(usize) -> Array<'t>,
) -> Result<Vec<Array<'t>>> {
    let function = |a: i64, b: i64| match reduction {
        Reduction::Sum => a.checked_add(b),
        Reduction::Product => a.checked_mul(b),
        Reduction::Max => Some(a.max(b)),
        Reduction::Min => Some(a.min(b)),
        _ => None,
    };
    let of = |k: usize| -> Result<Cases<'t>> {
        let array = member(k);
        array.cases().ok_or_else(|| call.refuse(format!("it reduces {}", array.kind())))
    };
    let mut total = of(0)?;
    for k in 1..members {
        total = total.combine(&of(k)?, function).ok_or_else(|| {
            call.refuse(format!(
                "whole numbers that overflow or depend on the input in more than {} cases",
                cases::MOST
            ))
        })?;
    }
    let elements = match total.0.len() {
        1 => Elements::Integers(total.0.swap_remove(0).values),
        _ => Elements::Cases(total),
    };
    Ok(vec![Array::new(found.to_vec(), elements)])
}

/// Applies a function of vectors along an axis.
fn along<'t>(
    call: &Call<'_, 't>,
    axis: usize,
    function: impl Fn(&[Var<'t>]) -> Vec<Var<'t>>,
) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let groups = dims::groups(&operand.dims, &[axis]);
    let size = operand.dims[axis];
    if operand.count() == 0 {
        return Ok(vec![operand.clone()]);
    }
    let member = |k: usize| {
        let positions: Vec<usize> = groups.iter().map(|group| group[k]).collect();
        let count = positions.len();
        operand.picked(&positions, vec![count]).var(call.tape).map_err(|reason| call.wrong(reason))
    };
    let members = (0..size).map(member).collect::<Result<Vec<Var<'t>>>>()?;
    let results = function(&members);
    let parts: Vec<Array<'t>> =
        results.into_iter().map(|var| Array::new(vec![groups.len()], Elements::Recorded(var))).collect();
    let mut places = vec![(0, 0); operand.count()];
    for (group, positions) in groups.iter().enumerate() {
        positions.iter().enumerate().for_each(|(k, position)| places[*position] = (k, group));
    }
    Ok(vec![
        assembled(call.tape, &parts, &places, operand.dims.clone()).map_err(|reason| call.wrong(reason))?,
    ])
}

/// The axis of a softmax; before version 13 all axes from it on were one, which is the same for the last.
fn softmax_axis(call: &Call<'_, '_>) -> Result<usize> {
    let rank = call.operand(0)?.dims.len();
    let axis = call.axis(call.int("axis", if call.version < 13 { 1 } else { -1 }), rank)?;
    match call.version < 13 && axis + 1 != rank {
        true => {
            Err(call
                .refuse("before operator set 13 it is taken over several axes; export with opset_version=17"))
        }
        false => Ok(axis),
    }
}

/// eᵃ/Σeᵃ along an axis.
pub(super) fn softmax<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    along(call, softmax_axis(call)?, |members| {
        let largest = members.iter().copied().reduce(|a, b| a.max(b)).expect("an axis is not empty");
        let powers: Vec<Var<'t>> = members.iter().map(|member| (*member - largest).exp()).collect();
        let sum = powers.iter().copied().reduce(|a, b| a + b).expect("an axis is not empty");
        powers.iter().map(|power| *power / sum).collect()
    })
}

/// ln(eᵃ/Σeᵃ) along an axis.
pub(super) fn log_softmax<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    along(call, softmax_axis(call)?, |members| {
        let total = members.iter().copied().reduce(|a, b| a.log_add_exp(b)).expect("an axis is not empty");
        members.iter().map(|member| *member - total).collect()
    })
}

/// Sums of all elements up to each along an axis.
pub(super) fn cumulative_sum<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let rank = operand.dims.len();
    let axis = match call.integers(1)? {
        [axis] => call.axis(*axis, rank)?,
        other => return Err(call.wrong(format!("{} axes", other.len()))),
    };
    let (exclusive, reverse) = (call.int("exclusive", 0) != 0, call.int("reverse", 0) != 0);
    let size = operand.dims[axis];
    let order: Vec<usize> = if reverse { (0..size).rev().collect() } else { (0..size).collect() };
    if let Elements::Integers(values) = &operand.elements {
        let mut sums = vec![0i64; values.len()];
        for group in dims::groups(&operand.dims, &[axis]) {
            let mut total = 0i64;
            for k in &order {
                let next = total.wrapping_add(values[group[*k]]);
                sums[group[*k]] = if exclusive { total } else { next };
                total = next;
            }
        }
        return Ok(vec![Array::new(operand.dims.clone(), Elements::Integers(sums))]);
    }
    if !operand.is_float() {
        return Err(call.refuse(format!("a cumulative sum of {}", operand.kind())));
    }
    along(call, axis, |members| {
        let mut sums = vec![members[0]; members.len()];
        let mut total: Option<Var<'t>> = None;
        for k in &order {
            let next = total.map_or(members[*k], |total| total + members[*k]);
            sums[*k] = match (exclusive, total) {
                (false, _) => next,
                (true, Some(total)) => total,
                (true, None) => call.tape.constants(members[*k].shape(), &vec![0.0; members[*k].len()]),
            };
            total = Some(next);
        }
        sums
    })
}

/// (x - mean)/√(variance + ε)·scale + shift along the last axes.
pub(super) fn layer_normalisation<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let rank = operand.dims.len();
    let axis = call.axis(call.int("axis", -1), rank)?;
    if axis + 1 != rank {
        return Err(call.refuse("it normalises along several axes; only the last one is read"));
    }
    let (size, epsilon) = (operand.dims[axis] as f64, call.float("epsilon", 1e-5));
    let normal = along(call, axis, |members| {
        let mean = members.iter().copied().reduce(|a, b| a + b).expect("an axis is not empty") / size;
        let squares = members.iter().map(|member| (*member - mean).powi(2));
        let variance = squares.reduce(|a, b| a + b).expect("an axis is not empty") / size;
        members.iter().map(|member| (*member - mean) / (variance + epsilon).sqrt()).collect()
    })?;
    let none = |_: i64, _: i64| None;
    let scaled = pair(call, &normal[0], call.operand(1)?, &|x, scale| x * scale, &none)?;
    Ok(vec![match call.optional(2) {
        Some(shift) => pair(call, &scaled, shift, &|x, shift| x + shift, &none)?,
        None => scaled,
    }])
}
