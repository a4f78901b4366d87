//! VAE: p(x) = ∫ p(z)·N(x; m(z), s²) dz with z standard normal and m a network, the decoder.
//!
//! The integral has no formula. A second network, the encoder, guesses which z an x came from, q(z | x), and what is
//! trained is a bound: ln p(x) ≥ E[ln p(z) + ln p(x | z) - ln q(z | x)], the ELBO (Kingma and Welling, 2014).

use pushforward::prelude::*;
use pushforward::train::Loss;

use super::training::{Schedule, minimised};
use super::{Learned, Paradigm, Result, compiled, normals};

pub const PARADIGM: Paradigm = Paradigm { name: "VAE", train, sample };
const SCHEDULE: Schedule = Schedule { steps: 2400, rate: 4e-2 };
/// Units that start steep see detail sooner.
const STEEP: f64 = 3.0;

/// Mean and ln of the deviation of q(z | x).
fn encoder<'t>(x: Var<'t>) -> [Var<'t>; 2] {
    let numbers = x.tape().scope("encoder", || Network::new([36, 36]).apply(STEEP * x, 4));
    [x + numbers.slice(0..2), numbers.slice(2..4) - 1.0]
}

/// The mean of p(x | z).
pub fn decoder<'t>(z: Var<'t>) -> Var<'t> {
    z.tape().scope("decoder", || z + Network::new([18, 18]).apply(STEEP * z, 2))
}

/// The deviation s of p(x | z).
pub fn deviation(model: &Learned) -> f64 {
    model.parameters.get("log_s").map_or(f64::NAN, |log_s| log_s.values[0].exp())
}

/// ln p(z) + ln p(x | z) - ln q(z | x) at z = μ(x) + σ(x)·ε. With normal ε its mean is the ELBO.
fn log_weight<'t>(x: Var<'t>, noise: Var<'t>) -> Var<'t> {
    let normal = StandardNormal::new(2);
    let [mean, log_deviation] = encoder(x);
    let z = mean + log_deviation.exp() * noise;
    let log_s = x.tape().parameter("log_s", Shape::Scalar, Init::Constant(-2.0));
    let likelihood = normal.log_prob((x - decoder(z)) * (-log_s).exp()) - 2.0 * log_s;
    normal.log_prob(z) + likelihood - (normal.log_prob(noise) - log_deviation.sum())
}

fn train(data: &[f64], seed: u64) -> Result<Learned> {
    let loss = Loss::record(|s| -log_weight(s.data(2), s.noise(StandardNormal::new(2))))?;
    let (parameters, losses) = minimised(&loss, data, SCHEDULE, seed)?;
    let network = compiled(2, &parameters, decoder)?;
    Ok(Learned { parameters, network, losses: vec![losses] })
}

fn sample(model: &mut Learned, rows: usize, seed: u64) -> Result<Vec<f64>> {
    let numbers = normals(4 * rows, seed);
    let (z, noise) = numbers.split_at(2 * rows);
    let (means, s) = (model.network.run(&[z], rows)?.swap_remove(0), deviation(model));
    Ok(means.iter().zip(noise).map(|(mean, noise)| mean + s * noise).collect())
}

/// ln (1/k·Σ w) of k weights for each x: the ELBO at k = 1, ln p(x) in the limit (Burda, Grosse, Salakhutdinov, 2016).
pub fn bound(model: &Learned, x: &[f64], k: usize, seed: u64) -> Result<Vec<f64>> {
    let weights = compiled(4, &model.parameters, |row| log_weight(row.slice(0..2), row.slice(2..4)))?;
    let noise = normals(x.len() * k, seed);
    let mut bound = |(x, noise): (&[f64], &[f64])| {
        let rows: Vec<f64> = noise.chunks(2).flat_map(|noise| [x[0], x[1], noise[0], noise[1]]).collect();
        let weights = weights.run(&[&rows], k)?.swap_remove(0);
        let highest = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = weights.iter().map(|weight| (weight - highest).exp()).sum();
        Ok(highest + (sum / k as f64).ln())
    };
    x.chunks(2).zip(noise.chunks(2 * k)).map(&mut bound).collect()
}
