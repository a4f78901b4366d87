//! Points and parameters of an audit.

use std::f64::consts::PI;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::base::{Base, StandardNormal};
use crate::bijection::Domain;
use crate::tape::{Parameters, Shape};

/// Draws points of the domain, row by row: near the middle, and in the tails.
pub(super) fn points(domain: &Domain, d: usize, count: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut points = vec![0.0; count * d];
    for (row, point) in points.chunks_mut(d.max(1)).enumerate() {
        StandardNormal::new(d).sample(&mut random, point);
        let spread = if row % 4 == 3 { 3.0 } else { 1.0 };
        for (i, value) in point.iter_mut().enumerate() {
            *value *= spread;
            if !domain.couples() {
                *value = into(&domain.of(i), *value);
            }
        }
        match domain {
            Domain::Ordered => point.sort_by(f64::total_cmp),
            Domain::Simplex => {
                let sum: f64 = 1.0 + point.iter().map(|value| value.exp()).sum::<f64>();
                point.iter_mut().for_each(|value| *value = value.exp() / sum);
            }
            _ => {}
        }
    }
    points
}

/// Maps the real line monotonically into the domain of one variable.
pub(super) fn into(domain: &Domain, value: f64) -> f64 {
    match (domain, domain.ends()) {
        (Domain::Circle, _) => PI * (2.0 / (1.0 + (-value).exp()) - 1.0),
        (_, (f64::NEG_INFINITY, f64::INFINITY)) => value,
        (_, (lower, f64::INFINITY)) => lower + value.exp(),
        (_, (f64::NEG_INFINITY, upper)) => upper - (-value).exp(),
        (_, (lower, upper)) => lower + (upper - lower) / (1.0 + (-value).exp()),
    }
}

/// Adds noise to the initial parameters, so that no claim holds only because a network starts at 0.
///
/// The noise on a matrix shrinks with its width, so that a matrix near the identity stays far from singular.
pub(super) fn perturbed(mut parameters: Parameters, seed: u64) -> Parameters {
    const NOISE: f64 = 0.4;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(1);
    for (_, tensor) in parameters.iter_mut() {
        let fan_in = match tensor.shape {
            Shape::Matrix(_, columns) => columns.max(1) as f64,
            _ => 1.0,
        };
        for value in &mut tensor.values {
            *value += NOISE / fan_in.sqrt() * (2.0 * random.random::<f64>() - 1.0);
        }
    }
    parameters
}
