//! The step of a rounded column: the largest number of which all differences between values are multiples.
//!
//! The candidates are the differences between values that several rows have, since rounding is what makes
//! values repeat; their greatest common divisor is found by Euclid's algorithm with a tolerance. Nearly all
//! rows must then lie on its lattice.

use super::summary::Summary;

/// The part of the step by which a value may be off the lattice.
const OFF: f64 = 0.02;
/// The share of the rows that must lie on the lattice.
const NEARLY_ALL: f64 = 0.99;
/// A step below this part of the spread is finer than what a density resolves.
const COARSE: f64 = 1e-3;

/// The step, if the column is rounded so coarsely that it matters: rows repeat values, and the step is
/// visible beside the spread.
pub(super) fn coarse_step(summary: &Summary) -> Option<f64> {
    let matters = 2 * summary.tied() >= summary.rows && summary.runs.len() > 1;
    matters.then(|| step(summary)).flatten().filter(|step| *step >= COARSE * summary.spread())
}

/// The step of the lattice on which nearly all rows lie.
fn step(summary: &Summary) -> Option<f64> {
    let values =
        |least: usize| summary.runs.iter().filter(move |run| run.1 >= least).map(|(value, _)| *value);
    let mut repeated: Vec<f64> = values(2).collect();
    // Where one integer fills the column, the step shows in the others.
    if repeated.len() == 1 && values(1).all(|value| value.fract() == 0.0) {
        repeated = values(1).collect();
    }
    let gaps = || repeated.windows(2).map(|pair| pair[1] - pair[0]);
    let smallest = gaps().fold(f64::INFINITY, f64::min);
    let largest = repeated.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    // A lattice that the rounding of its values hides cannot be found.
    if !smallest.is_finite() || smallest < 1e4 * f64::EPSILON * largest {
        return None;
    }
    let mut step = smallest;
    for gap in gaps() {
        step = common_divisor(gap, step, 1e-3 * smallest)?;
    }
    let range = repeated[repeated.len() - 1] - repeated[0];
    let step = decimal(range / (range / step).round());
    let (origin, _) = summary.most_common();
    let on_lattice = |value: f64| {
        let steps = (value - origin) / step;
        (steps - steps.round()).abs() <= OFF
    };
    let rows: usize =
        summary.runs.iter().filter(|(value, _)| on_lattice(*value)).map(|(_, count)| count).sum();
    (rows as f64 >= NEARLY_ALL * summary.rows as f64).then_some(step)
}

/// The greatest common divisor of two lengths, `None` below a least one. Remainders below a thousandth of the
/// divisor count as none.
fn common_divisor(mut a: f64, mut b: f64, least: f64) -> Option<f64> {
    loop {
        let remainder = (a - b * (a / b).round()).abs();
        if remainder <= 1e-3 * b {
            return Some(b);
        }
        (a, b) = (b, remainder);
        if b < least {
            return None;
        }
    }
}

/// The decimal number of few digits that a step is up to rounding, such as 0.1, else the step itself.
fn decimal(step: f64) -> f64 {
    let near = |digits: usize| format!("{step:.digits$e}").parse::<f64>().unwrap_or(step);
    (0..6).map(near).find(|near| (near - step).abs() <= 1e-9 * step).unwrap_or(step)
}
