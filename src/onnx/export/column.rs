//! The columns of a model in a graph: points of cells, encodings of given columns, and values as the file has them.

use std::f64::consts::TAU;

use super::elementary::ln_1p;
use super::value::Value;
use crate::layers::Transform;
use crate::model::{Encoding, INSIDE, ModelColumn};
use crate::onnx::schema::DataType;
use crate::table::{Kind, Limits};

/// v - p·⌊v/p⌋: in [0, p).
fn remainder(v: Value<'_>, period: f64) -> Value<'_> {
    v - period * (v / period).floor()
}

/// A value of the file as flows take it: angles are brought into the period that begins at the cut.
pub(super) fn wrapped<'g>(column: &ModelColumn, v: Value<'g>) -> Value<'g> {
    match column.kind {
        Kind::Circular { period, .. } => column.offset + remainder(v - column.offset, period),
        _ => v,
    }
}

/// The value on the real line; infinite or NaN for a value that the column cannot have.
fn unbounded<'g>(column: &ModelColumn, v: Value<'g>) -> Value<'g> {
    match column.transform() {
        Transform::Exp => {
            let above = v - column.start();
            let below = v.graph.number_of(v.kind, f64::NEG_INFINITY);
            v.le(column.start()).select(below, above.ln())
        }
        Transform::Sigmoid { lower, upper } => {
            let share = (v - lower) / (upper - lower);
            share.ln() - ln_1p(-share)
        }
        _ => v,
    }
}

fn to_file<'g>(column: &ModelColumn, v: Value<'g>) -> Value<'g> {
    match column.transform() {
        Transform::Exp => column.start() + v.exp(),
        Transform::Sigmoid { lower, upper } => lower + (upper - lower) / (1.0 + (-v).exp()),
        _ => v,
    }
}

/// Points of the cells of values [rows, 1]: [rows, points].
pub(super) fn in_cell<'g>(column: &ModelColumn, v: Value<'g>, shares: &[f64]) -> Value<'g> {
    let graph = v.graph;
    let list = |share: &dyn Fn(f64) -> f64| {
        graph.numbers(&[1, shares.len() as i64], &shares.iter().map(|s| share(*s)).collect::<Vec<_>>())
    };
    if !column.has_limits() {
        return to_file(column, unbounded(column, v) + list(&|share| column.cell * (share - 0.5)));
    }
    let (lower, upper) = column.ends();
    let bounded = |v: Value<'g>| {
        let v = if lower.is_finite() { v.max(lower) } else { v };
        if upper.is_finite() { v.min(upper) } else { v }
    };
    let (from, to) = (bounded(v - 0.5 * column.cell), bounded(v + 0.5 * column.cell));
    let inside = from + (to - from) * list(&|share| share.clamp(INSIDE, 1.0 - INSIDE));
    // Outside of the flow's codomain, so that its density is 0.
    let none = v.lt(upper).select(graph.number_of(v.kind, lower - column.cell), upper + column.cell);
    let outside = match column.kind {
        Kind::Rounded { limits: Limits::Positive, .. } => v.le(0.0),
        Kind::Rounded { step, limits: Limits::From(least) } => v.lt(least - 1e-6 * step),
        Kind::Rounded { step, limits: Limits::Within { lower, upper } } => {
            v.lt(lower - 1e-6 * step).or(v.gt(upper + 1e-6 * step))
        }
        _ => return inside,
    };
    outside.select(none, inside)
}

/// A sample as the file has values: rounded as its data were, angles in their own period.
pub(super) fn written<'g>(column: &ModelColumn, v: Value<'g>) -> Value<'g> {
    match column.kind {
        Kind::Rounded { step, limits } => {
            // A value at the end of a cell is not rounded beyond the limits.
            let (first, last) = limits.ends(step, column.offset);
            let place = |value: f64| ((value - column.offset) / step).round();
            let steps = ((v - column.offset) / step + 0.5).floor();
            let steps = if first.is_finite() { steps.max(place(first)) } else { steps };
            let steps = if last.is_finite() { steps.min(place(last)) } else { steps };
            let per_unit = (1.0 / step).round();
            let start = (column.offset / step).round();
            let decimal = per_unit >= 1.0 && per_unit * step == 1.0 && start / per_unit == column.offset;
            if decimal { (start + steps) / per_unit } else { column.offset + step * steps }
        }
        Kind::Circular { start, period } => start + remainder(v - start, period),
        _ => v,
    }
}

/// The context numbers of a given column: [rows, width] from its values [rows, 1]. A category is given by the place of its
/// level, from 0; one that is no level makes NaN.
pub(super) fn encoded<'g>(encoding: &Encoding, v: Value<'g>) -> Value<'g> {
    match encoding {
        Encoding::Standardised { mean, deviation } => (v - *mean) / *deviation,
        Encoding::Logarithm { mean, deviation } => {
            let nan = v.graph.number_of(v.kind, f64::NAN);
            v.le(0.0).select(nan, (v.ln() - *mean) / *deviation)
        }
        Encoding::Circle { start, period } => {
            let angle = TAU * remainder((v - *start) / *period, 1.0);
            v.graph.concat(1, &[angle.cos(), angle.sin()])
        }
        Encoding::OneHot { levels } => {
            let places: Vec<f64> = (0..levels.len()).map(|k| k as f64).collect();
            let places = v.graph.numbers(&[1, levels.len() as i64], &places);
            let own = v.eq(places);
            let none = own.any().not().unsqueeze(&[1]);
            let nan = v.graph.number_of(v.kind, f64::NAN);
            none.select(nan, own.cast(v.kind))
        }
    }
}

/// The place of each row in the list of combinations of categories, from those of its levels [rows, columns]; and whether
/// all of them are places.
pub(super) fn combination<'g>(levels: &[usize], v: Value<'g>) -> (Value<'g>, Value<'g>) {
    let graph = v.graph;
    let counts: Vec<f64> = levels.iter().map(|count| *count as f64).collect();
    let mut strides = vec![1.0; levels.len()];
    for k in (1..levels.len()).rev() {
        strides[k - 1] = strides[k] * counts[k];
    }
    let list = |values: &[f64]| graph.numbers(&[levels.len() as i64], values);
    let known = v.ge(0.0).and(v.lt(list(&counts))).and(v.eq(v.floor()));
    let all = known.not().any().not();
    let zero = graph.number_of(v.kind, 0.0);
    let place = (known.select(v, zero) * list(&strides)).sum(&[1]).cast(DataType::Int64);
    (place, all)
}
