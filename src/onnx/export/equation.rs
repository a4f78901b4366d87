//! Equations as loops: solved element by element, by iterating a contraction, or by Newton's method between brackets, as
//! `program/solve.rs` solves them.

use super::error::ExportError;
use super::value::Value;
use crate::sweep::lipschitz::steps;

/// The unknown of an equation, with an axis for the rows.
pub(super) struct Unknown<'g, 'a> {
    /// The number of rows, as a list of one number.
    pub rows: Value<'g>,
    /// The other axes.
    pub sizes: &'a [i64],
    /// G of z.
    pub evaluate: &'a dyn Fn(Value<'g>) -> Result<Value<'g>, ExportError>,
}

impl<'g> Unknown<'g, '_> {
    /// Copies of a number, or of a truth value, in its shape.
    fn filled(&self, value: Value<'g>) -> Value<'g> {
        let graph = value.graph;
        match self.sizes {
            [] => value.expand(self.rows),
            sizes => value.expand(graph.concat(0, &[self.rows, graph.integers(sizes)])),
        }
    }

    /// The same for numbers by row.
    fn by_row(&self, value: Value<'g>) -> Value<'g> {
        value.expand(self.rows)
    }
}

/// z = G(z), element after element: those that are not known yet are 0, which the others do not look at.
pub(super) fn substitution<'g>(order: &[u32], unknown: &Unknown<'g, '_>) -> Result<Value<'g>, ExportError> {
    let graph = unknown.rows.graph;
    let places: Vec<i64> = order.iter().map(|place| i64::from(*place)).collect();
    let count = places.iter().max().map_or(0, |last| *last as usize + 1);
    let places = graph.integers_shaped(unknown.sizes, &places);
    let start = unknown.filled(graph.number_of(graph.float(), 0.0));
    let solved = graph.repeat(count, &[start], |step, carried| {
        let found = (unknown.evaluate)(carried[0])?;
        Ok::<_, ExportError>((None, vec![places.eq(step).select(found, carried[0])]))
    })?;
    Ok(solved[0])
}

/// z = G(z) for a contraction: z ← G(z) until the residual is below what rounding resolves, or does not fall by L any more.
/// NaN where nothing near a solution was found.
pub(super) fn contraction<'g>(lipschitz: f64, unknown: &Unknown<'g, '_>) -> Result<Value<'g>, ExportError> {
    let graph = unknown.rows.graph;
    let float = graph.float();
    let (zero, epsilon) = (graph.number_of(float, 0.0), graph.epsilon());
    let axes: Vec<i64> = (1..=unknown.sizes.len() as i64).collect();
    let by_element = |row: Value<'g>| if axes.is_empty() { row } else { row.unsqueeze(&axes) };
    let length = |z: Value<'g>| {
        let square = z * z;
        (if axes.is_empty() { square } else { square.sum(&axes) }).sqrt()
    };
    let most = 2 * steps(lipschitz, epsilon) + 2;
    let start = [
        unknown.filled(zero),
        unknown.by_row(graph.number_of(float, f64::INFINITY)),
        unknown.by_row(zero),
        unknown.by_row(graph.truths(&[], &[false])),
    ];
    let solved = graph.repeat(most, &start, |step, carried| {
        let [z, last, first, done] = carried[..] else { unreachable!("four are carried") };
        let image = (unknown.evaluate)(z)?;
        let residual = length(image - z);
        let first = step.eq(0.0).select(residual, first);
        // |G(0)| ≤ (1 + L)·|z*|
        let scale = length(image).max(first);
        let below = residual.le(epsilon * (1.0 - lipschitz) * scale);
        // A plain step that does not bring the residual down has met rounding.
        let falls = residual.lt(last);
        let ends = below.or(falls.not());
        // An L that is wrong shows here.
        let found = below.or(residual.le(1e3 * epsilon * scale.max(1.0)));
        let nan = graph.number_of(float, f64::NAN);
        let next = by_element(ends.and(found.not())).select(nan, image);
        let next = by_element(done).select(z, next);
        let done = done.or(ends);
        Ok::<_, ExportError>((Some(done.not().any_of_all()), vec![next, residual, first, done]))
    })?;
    Ok(solved[0])
}

/// Newton and bisection steps together; a bracket of all numbers is halved to one in 64 of them.
const MOST_STEPS: usize = 300;

/// h(z) = 0 between two ends, for an h that increases in each element: Newton's method between brackets, and a step to the
/// middle of a bracket that did not halve in three steps. `evaluate` returns h and its slope. NaN where there is no root.
pub(super) fn root<'g>(
    ends: (f64, f64),
    unknown: &Unknown<'g, '_>,
    evaluate: impl Fn(Value<'g>) -> Result<(Value<'g>, Value<'g>), ExportError>,
) -> Result<Value<'g>, ExportError> {
    let graph = unknown.rows.graph;
    let float = graph.float();
    let number = |value: f64| graph.number_of(float, value);
    let (low, high) = (ends.0.max(-graph.largest()), ends.1.min(graph.largest()));
    let begin = match (ends.0.is_infinite(), ends.1.is_infinite()) {
        (true, true) => 0.0,
        (false, false) => low + (high - low) * 0.5,
        (false, true) => low + 1.0,
        (true, false) => high - 1.0,
    };
    let none = unknown.filled(graph.truths(&[], &[false]));
    let [begin, low, high, before] =
        [begin, low, high, f64::INFINITY].map(|value| unknown.filled(number(value)));
    let start = [begin, low, high, before, none, none, none];
    let solved = graph.repeat(MOST_STEPS, &start, |step, carried| {
        let [z, low, high, before, seen_below, seen_above, done] = carried[..] else {
            unreachable!("seven are carried")
        };
        let (h, slope) = evaluate(z)?;
        let below = h.lt(0.0);
        let above = h.gt(0.0);
        let (low, high) = (below.select(z, low), above.select(z, high));
        let (seen_below, seen_above) = (seen_below.or(below), seen_above.or(above));
        let middle = between(low, high);
        let newton = z - h / slope;
        let inside = newton.gt(low).and(newton.lt(high));
        // At every third step: whether the bracket has halved since the last of them.
        let looks = step.with("Mod", 3.0).eq(0.0);
        let width = width(low, high);
        let slow = looks.and(width.gt(0.5 * before));
        let before = looks.select(width, before);
        let next = inside.and(slow.not()).select(newton, middle);
        // A bracket without a number inside: without both signs there is no root.
        let stuck = middle.gt(low).and(middle.lt(high)).not();
        let at_end = seen_below.and(seen_above).select(z, f64::NAN);
        // A step of a few units in the last place is rounding.
        let resolution = 2.0 * graph.epsilon() * z.abs().max(graph.smallest());
        let small = inside.and((newton - z).abs().le(resolution));
        let exact = h.eq(0.0);
        let next = small.select(newton, next);
        let next = stuck.select(at_end, next);
        let next = exact.select(z, next);
        let next = h.is_nan().select(h, next);
        let next = done.select(z, next);
        let done = done.or(h.is_nan()).or(exact).or(stuck).or(small);
        let carried = vec![next, low, high, before, seen_below, seen_above, done];
        Ok::<_, ExportError>((Some(done.not().any_of_all()), carried))
    })?;
    Ok(solved[0])
}

/// A number between two others that halves the order of magnitude while they are far apart, and then their distance.
fn between<'g>(low: Value<'g>, high: Value<'g>) -> Value<'g> {
    let graph = low.graph;
    low.graph.call("between", [low, high], |[low, high]| {
        let apart = low.lt(0.0).and(high.gt(0.0));
        let (a, b) = (low.abs(), high.abs());
        let (near, far) = (a.min(b), a.max(b));
        let least = near.max(graph.smallest());
        let geometric = least.sqrt() * far.sqrt();
        let size = (0.25 * far).gt(least).select(geometric, near + 0.5 * (far - near));
        let sign = low.lt(0.0).select(graph.number_of(low.kind, -1.0), 1.0);
        apart.select(graph.number_of(low.kind, 0.0), sign * size)
    })
}

/// How wide a bracket is: its relative width where the ends are within a factor of 2, else in orders of magnitude.
fn width<'g>(low: Value<'g>, high: Value<'g>) -> Value<'g> {
    let graph = low.graph;
    low.graph.call("bracket_width", [low, high], |[low, high]| {
        let far = low.abs().max(high.abs());
        let near = low.abs().min(high.abs());
        // Orders of magnitude above the smallest number.
        let place = |a: Value<'g>| (a.abs().max(graph.smallest()).ln() - graph.smallest().ln()) * a.sign();
        let alike = low.sign().eq(high.sign()).and((2.0 * near).gt(far));
        alike.select((high - low) / far, 1.0 + (place(high) - place(low)))
    })
}
