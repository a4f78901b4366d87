//! Initial-value problems as loops over the steps that `program/integrate.rs` takes.

use super::error::ExportError;
use super::value::Value;
use crate::numeric::runge_kutta::{DIFFERENCE, DORMAND_PRINCE, EULER, RUNGE_KUTTA_4, Tableau};
use crate::onnx::schema::DataType;
use crate::tape::{Integration, Method};

/// Step sizes are this much shorter than the error estimate allows, and change by these factors at most.
const SAFETY: f64 = 0.9;
const SHRINKS: f64 = 0.2;
const GROWS: f64 = 10.0;

/// The solution at the end of the problem that is z at its beginning; `velocity` takes z, t, and whether t has rows.
pub(super) fn end<'g>(
    problem: &Integration,
    z: Value<'g>,
    rows: Value<'g>,
    elements: usize,
    velocity: impl Fn(Value<'g>, Value<'g>, bool) -> Result<Value<'g>, ExportError>,
) -> Result<Value<'g>, ExportError> {
    match problem.method {
        Method::Euler { steps } => equal_steps(problem, &EULER, steps, z, velocity),
        Method::RungeKutta4 { steps } => equal_steps(problem, &RUNGE_KUTTA_4, steps, z, velocity),
        Method::DormandPrince { relative, absolute, most_steps } => {
            let controlled = Some(problem.controlled).filter(|count| *count < elements);
            let control = Control { problem, relative, absolute, most_steps, controlled, rows };
            control.end(z, |z, t| velocity(z, t, true))
        }
    }
}

/// Σ cⱼkⱼ of the slopes with a coefficient that is not 0.
fn combined<'g>(slopes: &[Value<'g>], coefficients: &[f64]) -> Option<Value<'g>> {
    let terms = slopes.iter().zip(coefficients).filter(|(_, c)| **c != 0.0);
    terms.map(|(slope, c)| *slope * *c).reduce(|a, b| a + b)
}

fn equal_steps<'g>(
    problem: &Integration,
    tableau: &Tableau,
    steps: usize,
    z: Value<'g>,
    velocity: impl Fn(Value<'g>, Value<'g>, bool) -> Result<Value<'g>, ExportError>,
) -> Result<Value<'g>, ExportError> {
    let float = z.kind;
    let h = (problem.to - problem.from) / steps as f64;
    let carried = z.graph.repeat(steps, &[z], |step, carried| {
        let z = carried[0];
        let step = step.cast(DataType::Double);
        let mut slopes: Vec<Value<'g>> = Vec::new();
        for (a, c) in tableau.a.iter().zip(tableau.c) {
            let t = (problem.from + h * (step + *c)).cast(float);
            let at = combined(&slopes, a).map_or(z, |sum| z + h * sum);
            slopes.push(velocity(at, t, false)?);
        }
        let sum = combined(&slopes, tableau.b).expect("a stage");
        Ok::<_, ExportError>((None, vec![z + h * sum]))
    })?;
    Ok(carried[0])
}

/// Steps whose sizes each row chooses by its own error estimate. Times and sizes are doubles.
struct Control<'g, 'a> {
    problem: &'a Integration,
    relative: f64,
    absolute: f64,
    most_steps: usize,
    /// The number of elements that control the steps, unless all do.
    controlled: Option<usize>,
    rows: Value<'g>,
}

impl<'g> Control<'g, '_> {
    /// The root mean square, by row, of values [rows, n] over the scale of the controlled elements.
    fn scaled(&self, values: Value<'g>, scale: Value<'g>) -> Value<'g> {
        let ratio = values / scale;
        (ratio * ratio).reduce("ReduceMean", &[1], false).sqrt()
    }

    fn end(
        &self,
        z: Value<'g>,
        velocity: impl Fn(Value<'g>, Value<'g>) -> Result<Value<'g>, ExportError>,
    ) -> Result<Value<'g>, ExportError> {
        let (from, to) = (self.problem.from, self.problem.to);
        if from == to {
            return Ok(z);
        }
        let (graph, float) = (z.graph, z.kind);
        let double = |value: f64| graph.number_of(DataType::Double, value);
        let by_row = |value: Value<'g>| value.expand(self.rows);
        let column = |row: Value<'g>| row.cast(float).unsqueeze(&[1]);
        // v takes t by row.
        let velocity = |z: Value<'g>, t: Value<'g>| velocity(z, t.cast(float));
        let (h, slope) = self.first(z, &velocity)?;
        let start = [
            z,
            slope,
            by_row(double(from)),
            h,
            by_row(graph.truths(&[], &[false])),
            by_row(graph.truths(&[], &[true])),
        ];
        let carried = graph.repeat(self.most_steps, &start, |step, carried| {
            let [z, slope, t, h, after_rejection, moving] = carried[..] else {
                unreachable!("six are carried")
            };
            let own = moving.select(h, 0.0);
            let next_t = own.eq(to - t).select(double(to), t + own);
            let mut slopes = vec![slope];
            let mut at = z;
            for stage in 1..=DORMAND_PRINCE.c.len() {
                let is_last = stage == DORMAND_PRINCE.c.len();
                let (a, c) = match is_last {
                    true => (DORMAND_PRINCE.b, 1.0),
                    false => (DORMAND_PRINCE.a[stage], DORMAND_PRINCE.c[stage]),
                };
                let sum = combined(&slopes, a).expect("a stage");
                // A row that waits stands where it is, whatever its slopes are.
                at = moving.unsqueeze(&[1]).select(z + column(own) * sum, z);
                let time = if c == 1.0 { next_t } else { t + c * own };
                slopes.push(velocity(at, time)?);
            }
            let sum = combined(&slopes, &DIFFERENCE).expect("a stage").cast(DataType::Double);
            let size = z.abs().max(at.abs()).cast(DataType::Double);
            let scale = self.absolute + self.relative * size;
            let error = self.controlled(own.unsqueeze(&[1]) * sum, scale);
            let finite = at.is_nan().any().or(at.is_infinite().any()).not();
            let error = finite.select(error, f64::NAN);
            let accepted = error.le(1.0).and(moving);
            let factor = (SAFETY * error.pow(-0.2)).max(SHRINKS).min(GROWS);
            let factor = error.eq(0.0).select(double(GROWS), factor);
            let factor = error.is_nan().select(double(SHRINKS), factor);
            // Directly after a rejection a step does not grow.
            let most = after_rejection.or(accepted.not()).select(double(1.0), GROWS);
            let t = accepted.select(next_t, t);
            let grown = h * factor.min(most);
            let rest = to - t;
            let h = grown.abs().ge(rest.abs()).select(rest, grown);
            let arrived = accepted.and(t.eq(to));
            let stands = (t + h).eq(t);
            let last = step.eq((self.most_steps - 1) as f64);
            let failed = moving.and(arrived.not()).and(stands.or(last));
            let takes = accepted.unsqueeze(&[1]);
            let z = failed.unsqueeze(&[1]).select(graph.number_of(float, f64::NAN), takes.select(at, z));
            let slope = takes.select(slopes[DORMAND_PRINCE.c.len()], slope);
            let moving = moving.and(arrived.or(failed).not());
            let goes_on = moving.any_of_all();
            Ok::<_, ExportError>((Some(goes_on), vec![z, slope, t, h, accepted.not(), moving]))
        })?;
        Ok(carried[0])
    }

    /// As [`Control::scaled`], of the controlled elements alone.
    fn controlled(&self, values: Value<'g>, scale: Value<'g>) -> Value<'g> {
        match self.controlled {
            None => self.scaled(values, scale),
            Some(count) => {
                let places: Vec<i64> = (0..count as i64).collect();
                let places = values.graph.integers(&places);
                self.scaled(values.gather(1, places), scale.gather(1, places))
            }
        }
    }

    /// The sizes of first steps (Hairer, Nørsett and Wanner, section II.4), and v at the beginning.
    fn first(
        &self,
        z: Value<'g>,
        velocity: &impl Fn(Value<'g>, Value<'g>) -> Result<Value<'g>, ExportError>,
    ) -> Result<(Value<'g>, Value<'g>), ExportError> {
        let graph = z.graph;
        let double = |value: f64| graph.number_of(DataType::Double, value);
        let (from, span) = (self.problem.from, self.problem.to - self.problem.from);
        let slope = velocity(z, double(from).expand(self.rows))?;
        let (state, speed) = (z.cast(DataType::Double), slope.cast(DataType::Double));
        let scale = self.absolute + self.relative * state.abs();
        let (position, pace) = (self.controlled(state, scale), self.controlled(speed, scale));
        let small = position.lt(1e-5).or(pace.lt(1e-5));
        let short = small.select(double(1e-6), 0.01 * position / pace).min(span.abs());
        let step = short * span.signum();
        let at = z + step.cast(z.kind).unsqueeze(&[1]) * slope;
        let moved = velocity(at, from + step)?.cast(DataType::Double);
        let bend = self.controlled(moved - speed, scale) / short;
        let most = pace.max(bend);
        let guess = most.le(1e-15).select((1e-3 * short).max(1e-6), (0.01 / most).pow(0.2));
        let h = (100.0 * short).min(guess).min(span.abs());
        // A velocity that is not finite is met again by the first step.
        let sound = h.gt(0.0).and(h.is_infinite().not());
        Ok((sound.select(h, span.abs()) * span.signum(), slope))
    }
}
