//! What is measured of all alike: a distance of samples from data, and what people put in the place of a density.

use std::f64::consts::TAU;

use pushforward::prelude::*;
use pushforward::sweep::tangent;
use pushforward::tape::Subgraph;

/// The energy distance 2·E|X - Y| - E|X - X'| - E|Y - Y'| of two samples of rows of two numbers, and its error by the
/// jackknife over all rows.
///
/// It is 0 if and only if the two distributions are one (Székely and Rizzo, 2013). Means are over pairs of different
/// rows, so that it is right on average, and may come out below 0.
pub fn energy_distance(x: &[f64], y: &[f64]) -> (f64, f64) {
    let sums = |a: &[f64], b: &[f64]| -> Vec<f64> {
        let from =
            |p: &[f64]| b.chunks(2).map(|q| ((p[0] - q[0]).powi(2) + (p[1] - q[1]).powi(2)).sqrt()).sum();
        a.chunks(2).map(from).collect()
    };
    let (n, m) = (x.len() as f64 / 2.0, y.len() as f64 / 2.0);
    let (across, back) = (sums(x, y), sums(y, x));
    let within = [sums(x, x), sums(y, y)];
    let total = |sums: &[f64]| sums.iter().sum::<f64>();
    let of = |across: f64, [inner, outer]: [f64; 2], n: f64, m: f64| {
        2.0 * across / (n * m) - inner / (n * (n - 1.0)) - outer / (m * (m - 1.0))
    };
    let (all, inner) = (total(&across), [total(&within[0]), total(&within[1])]);
    let without_x: Vec<f64> = (0..across.len())
        .map(|i| of(all - across[i], [inner[0] - 2.0 * within[0][i], inner[1]], n - 1.0, m))
        .collect();
    let without_y: Vec<f64> = (0..back.len())
        .map(|j| of(all - back[j], [inner[0], inner[1] - 2.0 * within[1][j]], n, m - 1.0))
        .collect();
    let spread = |without: &[f64]| {
        let count = without.len() as f64;
        let centre = total(without) / count;
        (count - 1.0) / count * without.iter().map(|value| (value - centre).powi(2)).sum::<f64>()
    };
    (of(all, inner, n, m), (spread(&without_x) + spread(&without_y)).sqrt())
}

/// ln of the kernel density of a sample of rows of d numbers: the mean of normal densities of this deviation about them.
pub fn log_kernel_density(sample: &[f64], d: usize, deviation: f64, x: &[f64]) -> Vec<f64> {
    let scale = 0.5 / (deviation * deviation);
    let constant = -0.5 * d as f64 * (TAU * deviation * deviation).ln() - ((sample.len() / d) as f64).ln();
    let of = |x: &[f64]| {
        let square = |row: &[f64]| row.iter().zip(x).map(|(s, x)| (x - s) * (x - s)).sum::<f64>();
        constant + log_sum_exp(sample.chunks(d).map(|row| -scale * square(row)).collect())
    };
    x.chunks(d).map(of).collect()
}

/// ln Σ eᵃ.
fn log_sum_exp(terms: Vec<f64>) -> f64 {
    let highest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // What is below e⁻⁴⁰ of the highest changes no digit.
    let near = terms.iter().filter(|term| **term > highest - 40.0);
    highest + near.map(|term| (term - highest).exp()).sum::<f64>().ln()
}

/// The middles of the cells of a square grid over (-reach, reach)², row by row from below, and the area of one.
pub fn grid(reach: f64, side: usize) -> (Vec<f64>, f64) {
    let cell = 2.0 * reach / side as f64;
    let at = move |k: usize| -reach + (k as f64 + 0.5) * cell;
    ((0..side * side).flat_map(|k| [at(k % side), at(k / side)]).collect(), cell * cell)
}

/// ln p(x) of a model that is normal with deviation s about m(z), z standard normal: the integral over z as a sum over the
/// cells of a grid, of this area each, whose middles `z` the network takes to `means`.
pub fn log_integral(z: &[f64], means: &[f64], area: f64, s: f64, x: &[f64]) -> Vec<f64> {
    let constant = (area / (TAU * s).powi(2)).ln();
    let prior: Vec<f64> = z.chunks(2).map(|z| 0.5 * (z[0] * z[0] + z[1] * z[1])).collect();
    let of = |x: &[f64]| {
        let square = |m: &[f64]| ((x[0] - m[0]).powi(2) + (x[1] - m[1]).powi(2)) / (s * s);
        constant
            + log_sum_exp(means.chunks(2).zip(&prior).map(|(m, prior)| -0.5 * square(m) - prior).collect())
    };
    x.chunks(2).map(of).collect()
}

/// det of the Jacobian of a map of two variables, by two tangents.
pub fn determinant<'t>(z: Var<'t>, image: Var<'t>) -> Var<'t> {
    let tape = z.tape();
    let subgraph = Subgraph::new(tape, &[z.id()], &[image.id()]);
    let [a, b] = [[1.0, 0.0], [0.0, 1.0]].map(|along| {
        let moved = tangent(tape, &subgraph, &[(z.id(), tape.vector(&along))])[0];
        moved.unwrap_or(tape.vector(&[0.0, 0.0]))
    });
    stack([a.at(0) * b.at(1) - a.at(1) * b.at(0)])
}
