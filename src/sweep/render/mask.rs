//! Constants too large to be written out: a mask is described by the positions of its ones, other constants by their
//! size.

use crate::tape::Shape;
use crate::typeset::superscript;
use crate::typeset::{Term, Written};

/// Maximum number of rows for which a staircase lists its steps.
const STEPS: usize = 16;

/// A condition on row i and column j, typed and as a function.
type Condition = (&'static str, fn(usize, usize) -> bool);

const TRIANGLES: [Condition; 4] =
    [("j < i", |i, j| j < i), ("j ≤ i", |i, j| j <= i), ("j > i", |i, j| j > i), ("j ≥ i", |i, j| j >= i)];

/// Describes the constant of this name.
pub(super) fn described(name: &Written, values: &[f64], shape: Shape) -> Written {
    let ones = values.iter().filter(|value| **value == 1.0).count();
    let mask = values.iter().all(|value| *value == 0.0 || *value == 1.0);
    let size = |n: usize| superscript(n as i32);
    let space = match shape {
        Shape::Scalar => String::new(),
        Shape::Vector(n) => size(n),
        Shape::Matrix(rows, columns) => format!("{}ˣ{}", size(rows), size(columns)),
    };
    if let (true, Shape::Matrix(_, columns)) = (mask, shape)
        && let Some(condition) = pattern(values, columns)
    {
        let (one, zero) = (Written::number(1.0), Written::number(0.0));
        let cases = one.choice(&condition, &zero);
        return Written::of(&Term::Index(name, "ij")).equals(&cases);
    }
    let space = match mask {
        true => format!("{{0, 1}}{space} with {ones} ones"),
        false => format!("ℝ{space} of given numbers"),
    };
    Written::of(&Term::Relation(name, '∈', &Written::typed(&space)))
}

/// Describes the positions of the ones of a mask, as a condition on row i and column j.
fn pattern(values: &[f64], columns: usize) -> Option<Written> {
    let holds = |condition: &dyn Fn(usize, usize) -> bool| {
        values.iter().enumerate().all(|(e, value)| (*value == 1.0) == condition(e / columns, e % columns))
    };
    if let Some((condition, _)) = TRIANGLES.iter().find(|(_, condition)| holds(condition)) {
        return Some(Written::typed(condition));
    }
    let rows: Vec<&[f64]> = values.chunks(columns.max(1)).collect();
    let steps: Vec<usize> =
        rows.iter().map(|row| row.iter().filter(|value| **value == 1.0).count()).collect();
    let staircase = holds(&|i, j| j < steps[i]);
    (staircase && rows.len() <= STEPS).then(|| {
        let steps: Vec<Written> = steps.into_iter().map(|step| Written::number(step as f64)).collect();
        let steps = Written::of(&Term::List(steps.iter().collect()));
        let step = Written::of(&Term::Index(&steps, "i"));
        Written::of(&Term::Relation(&Written::typed("j"), '≤', &step))
    })
}
