//! Autoregressive: p(x) = p(x₁)·p(x₂ | x₁), each factor a mixture of logistic densities.
//!
//! One masked network (MADE) gives the numbers of both factors: those of x₁ are constants, those of x₂ read x₁. A
//! density is one pass. A sample is two: x₂ cannot be drawn before x₁ is known.

use pushforward::prelude::*;
use pushforward::train::Loss;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::training::{Schedule, minimised};
use super::{Learned, Paradigm, Result, compiled};

pub const PARADIGM: Paradigm = Paradigm { name: "autoregressive", train, sample };
const SCHEDULE: Schedule = Schedule { steps: 2000, rate: 1e-2 };
const PARTS: usize = 8;

/// A part of the two mixtures: ln of its weights, its locations and ln of its scales, each of x₁ and of x₂.
pub struct Part<'t> {
    pub log_weight: Var<'t>,
    pub location: Var<'t>,
    pub log_scale: Var<'t>,
}

pub fn mixtures<'t>(x: Var<'t>) -> Vec<Part<'t>> {
    let numbers = MaskedNetwork::new(2, [24, 24]).apply(x, 3 * PARTS);
    let total = log_sum_exp(numbers[..PARTS].iter().copied());
    // Locations start evenly spread over (-2, 2), scales at 1/e.
    let part = |k: usize| Part {
        log_weight: numbers[k] - total,
        location: numbers[PARTS + k] - 2.0 + 4.0 * (k as f64 + 0.5) / PARTS as f64,
        log_scale: numbers[2 * PARTS + k] - 1.0,
    };
    (0..PARTS).map(part).collect()
}

/// ln Σ eᵃ, of x₁ and of x₂.
fn log_sum_exp<'t>(terms: impl Iterator<Item = Var<'t>>) -> Var<'t> {
    terms.reduce(|sum, term| sum + (term - sum).softplus()).expect("a mixture has parts")
}

/// ln p(x): of a standard logistic u, ln p(u) = -u - 2·softplus(-u).
pub fn log_prob<'t>(x: Var<'t>) -> Var<'t> {
    let density = |part: Part<'t>| {
        let u = (x - part.location) * (-part.log_scale).exp();
        part.log_weight - u - 2.0 * (-u).softplus() - part.log_scale
    };
    log_sum_exp(mixtures(x).into_iter().map(density)).sum()
}

fn train(data: &[f64], seed: u64) -> Result<Learned> {
    let loss = Loss::record(|sources| -log_prob(sources.data(2)))?;
    let (parameters, losses) = minimised(&loss, data, SCHEDULE, seed)?;
    let network = compiled(2, &parameters, |x| {
        concat(mixtures(x).into_iter().flat_map(|part| [part.log_weight, part.location, part.log_scale]))
    })?;
    Ok(Learned { parameters, network, losses: vec![losses] })
}

/// One variable after the other, each with a pass of its own: a part by its weight, then a logistic number.
fn sample(model: &mut Learned, rows: usize, seed: u64) -> Result<Vec<f64>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut x = vec![0.0; 2 * rows];
    for i in 0..2 {
        let numbers = model.network.run(&[&x], rows)?.swap_remove(0);
        for (row, numbers) in x.chunks_mut(2).zip(numbers.chunks(6 * PARTS)) {
            let mut left: f64 = random.random();
            let chosen = numbers.chunks(6).position(|part| {
                left -= part[i].exp();
                left < 0.0
            });
            // Weights sum to 1 up to rounding.
            let part = &numbers[6 * chosen.unwrap_or(PARTS - 1)..][..6];
            let mut u = [0.0];
            Logistic::new(1).sample(&mut random, &mut u);
            row[i] = part[2 + i] + part[4 + i].exp() * u[0];
        }
    }
    Ok(x)
}
