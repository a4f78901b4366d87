//! Two data sets of two columns: one drawn from a known density, one measured.

use std::f64::consts::{PI, TAU};

use pushforward::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Result, normals};

/// Rows to learn from, rows held out to measure with, and others of the same kind; row after row, each column less its
/// mean over the rows to learn from, by their standard deviation.
pub struct Data {
    pub training: Vec<f64>,
    pub held_out: Vec<f64>,
    pub others: Vec<f64>,
    /// The means and standard deviations.
    pub moments: (Vec<f64>, Vec<f64>),
}

impl Data {
    fn of(training: Table, held_out: Table, others: Table) -> Data {
        let moments = training.moments();
        let [training, held_out, others] =
            [training, held_out, others].map(|part| part.standardised(&moments).values().to_vec());
        Data { training, held_out, others, moments }
    }
}

/// The deviation of the noise about the curves.
pub const NOISE: f64 = 0.15;
/// Points of each curve that its density is summed over.
const POINTS: usize = 400;

/// A point of two half circles that interlock, or of a ring around them.
fn curve(which: usize, share: f64) -> [f64; 2] {
    match which {
        0 => [(PI * share).cos(), (PI * share).sin()],
        1 => [1.0 - (PI * share).cos(), 0.5 - (PI * share).sin()],
        _ => [0.5 + 2.6 * (TAU * share).cos(), 0.25 + 2.6 * (TAU * share).sin()],
    }
}

/// A third of the rows near each curve.
pub fn moons_and_ring(seed: u64) -> Result<Data> {
    let drawn = |rows: usize, seed: u64| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let noise = normals(2 * rows, seed + 1);
        let row = |noise: &[f64]| {
            let point = curve(random.random_range(0..3), random.random());
            [point[0] + NOISE * noise[0], point[1] + NOISE * noise[1]]
        };
        Table::new(&["x₁", "x₂"], noise.chunks(2).flat_map(row).collect())
    };
    Ok(Data::of(drawn(10_000, seed)?, drawn(2000, seed + 2)?, drawn(2000, seed + 4)?))
}

/// ln of the density that the standardised rows of [`moons_and_ring`] have.
pub fn log_truth(x: &[f64], (means, deviations): &(Vec<f64>, Vec<f64>)) -> Vec<f64> {
    let share = |k: usize| ((k % POINTS) as f64 + 0.5) / POINTS as f64;
    let points: Vec<[f64; 2]> = (0..3 * POINTS).map(|k| curve(k / POINTS, share(k))).collect();
    let constant = (deviations[0] * deviations[1] / (points.len() as f64 * TAU * NOISE * NOISE)).ln();
    let of = |x: &[f64]| {
        let at = [means[0] + deviations[0] * x[0], means[1] + deviations[1] * x[1]];
        let square = |p: &[f64; 2]| (at[0] - p[0]).powi(2) + (at[1] - p[1]).powi(2);
        constant + points.iter().map(|p| (-0.5 * square(p) / (NOISE * NOISE)).exp()).sum::<f64>().ln()
    };
    x.chunks(2).map(of).collect()
}

/// Showers of gamma rays in a telescope: two columns of real data, eight of ten rows to learn from.
pub fn showers() -> Result<Data> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/magic_gamma.csv");
    let all = Table::read(path, &["size_log10", "conc"], |_| true)?;
    let part = |digits: std::ops::Range<usize>| all.filter(|row| digits.contains(&(row % 10)));
    Ok(Data::of(part(0..8), part(9..10), part(8..9)))
}
