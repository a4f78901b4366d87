//! Matrices [rows, n, n]: determinants, inverses and exponentials, by elimination with partial pivoting as a loop over
//! columns. (The operator `Det` has no kernel for doubles, and there are none for the others.)

use super::value::Value;
use crate::numeric::matrix_exponential::{LARGEST, PADE};

/// The elimination of a column.
struct Step<'g> {
    /// What is left.
    matrix: Value<'g>,
    /// The pivots, by row of the batch.
    pivot: Value<'g>,
}

/// Exchanges rows so that the largest element of column k at or below its diagonal is there, and clears what is below it,
/// or all others.
fn eliminate<'g>(a: Value<'g>, n: i64, k: Value<'g>, all: bool) -> Step<'g> {
    let graph = a.graph;
    let places: Vec<i64> = (0..n).collect();
    let places = graph.integers(&places);
    let zero = graph.number_of(a.kind, 0.0);
    let column = a.gather(2, k);
    // Below the rows that are done: -1 is less than any absolute value.
    let open = places.lt(k).not();
    let best = open.select(column.abs(), graph.number_of(a.kind, -1.0)).arg_max(1);
    let order = places.eq(k).select(best, places.eq(best).select(k, places));
    let order = order.unsqueeze(&[2]).expand(a.shape());
    let a = a.gather_elements(1, order);
    let row = a.gather(1, k);
    let column = a.gather(2, k);
    let pivot = column.gather(1, k);
    let others = if all { places.eq(k).not() } else { places.gt(k) };
    // A column of zeros has nothing to be cleared.
    let none = pivot.eq(0.0).unsqueeze(&[1]);
    let factors = column / pivot.unsqueeze(&[1]);
    let factors = others.select(none.select(zero, factors), zero);
    Step { matrix: a - factors.unsqueeze(&[2]) * row.unsqueeze(&[1]), pivot }
}

/// ln|det a|: [rows]. -∞ of a singular matrix.
pub(super) fn log_abs_det(a: Value<'_>, n: usize) -> Value<'_> {
    let start = a.graph.number_of(a.kind, 0.0).expand(a.rows());
    let steps = a.graph.repeat(n, &[a, start], |k, carried| {
        let step = eliminate(carried[0], n as i64, k, false);
        Ok::<_, std::convert::Infallible>((None, vec![step.matrix, carried[1] + step.pivot.abs().ln()]))
    });
    let Ok(steps) = steps;
    steps[1]
}

/// The solution of a·x = b, column by column; NaN of a singular matrix.
fn solve<'g>(a: Value<'g>, b: Value<'g>, n: usize) -> Value<'g> {
    let graph = a.graph;
    let both = graph.concat(2, &[a, b]);
    let places: Vec<i64> = (0..n as i64).collect();
    let places = graph.integers(&places);
    let steps = graph.repeat(n, &[both], |k, carried| {
        let step = eliminate(carried[0], n as i64, k, true);
        // The row of the pivot is divided by it.
        let own = places.eq(k).unsqueeze(&[1]);
        let pivot = step.pivot.unsqueeze(&[1, 2]);
        Ok::<_, std::convert::Infallible>((None, vec![own.select(step.matrix / pivot, step.matrix)]))
    });
    let Ok(steps) = steps;
    let columns: Vec<i64> = (n as i64..2 * n as i64).collect();
    steps[0].gather(2, graph.integers(&columns))
}

fn identity<'g>(like: Value<'g>, n: usize) -> Value<'g> {
    let ones: Vec<f64> = (0..n * n).map(|e| if e / n == e % n { 1.0 } else { 0.0 }).collect();
    like.graph.numbers(&[n as i64, n as i64], &ones).expand(like.shape())
}

/// a⁻¹
pub(super) fn inverse(a: Value<'_>, n: usize) -> Value<'_> {
    solve(a, identity(a, n), n)
}

/// The exponential of a matrix: scaling, a Padé approximant of degree 13, and squaring (Higham 2005), as
/// `numeric/matrix_exponential.rs`, with the number of halvings by row.
pub(super) fn exponential(a: Value<'_>, n: usize) -> Value<'_> {
    let graph = a.graph;
    let norm = a.abs().sum(&[1]).reduce("ReduceMax", &[1], false);
    // The least whole number ≥ log₂(norm/largest): -⌊-·⌋.
    let halvings = -(-((norm / LARGEST).max(1.0).ln() / std::f64::consts::LN_2)).floor();
    let a = a * (graph.number_of(a.kind, 0.5).pow(halvings)).unsqueeze(&[1, 2]);
    let one = identity(a, n);
    let a2 = a.matmul(a);
    let a4 = a2.matmul(a2);
    let a6 = a4.matmul(a2);
    let sum = |c6: f64, c4: f64, c2: f64, c0: f64| a6 * c6 + a4 * c4 + a2 * c2 + one * c0;
    let odd = a6.matmul(sum(PADE[13], PADE[11], PADE[9], 0.0)) + sum(PADE[7], PADE[5], PADE[3], PADE[1]);
    let odd = a.matmul(odd);
    let even = a6.matmul(sum(PADE[12], PADE[10], PADE[8], 0.0)) + sum(PADE[6], PADE[4], PADE[2], PADE[0]);
    let approximant = solve(even - odd, even + odd, n);
    // Norms above 2¹⁰²⁴ are no numbers.
    const MOST: usize = 1100;
    let squared = graph.repeat(MOST, &[approximant], |k, carried| {
        let open = k.cast(halvings.kind).lt(halvings);
        let next = open.unsqueeze(&[1, 2]).select(carried[0].matmul(carried[0]), carried[0]);
        let goes_on = (k.cast(halvings.kind) + 1.0).lt(halvings).any_of_all();
        Ok::<_, std::convert::Infallible>((Some(goes_on), vec![next]))
    });
    let Ok(squared) = squared;
    squared[0]
}
