//! Diffusion: a fixed process adds noise to the data step by step, and one network learns to take it away.
//!
//! At angle φ a row is x_φ = cos φ·x + sin φ·ε with ε standard normal: data at φ = 0, nearly all noise near π/2. The
//! network predicts ε from x_φ and φ. A sample starts as noise and goes back in T steps, each of them a pass (Ho, Jain,
//! Abbeel, 2020, algorithms 1 and 2; the schedule of Nichol and Dhariwal, 2021, without their offset).

use std::f64::consts::FRAC_PI_2;

use pushforward::prelude::*;
use pushforward::train::Loss;

use super::training::{Schedule, minimised};
use super::{Learned, Paradigm, Result, compiled, normals};

pub const PARADIGM: Paradigm = Paradigm { name: "diffusion", train, sample };
const SCHEDULE: Schedule = Schedule { steps: 3000, rate: 2e-2 };
/// Units that start steep see detail sooner.
const STEEP: f64 = 6.0;

/// T.
pub const STEPS: usize = 60;
/// The largest angle; there cos² φ, the share of the data in the variance, is a thousandth.
pub const END: f64 = 0.98 * FRAC_PI_2;

/// φ after t steps of T.
pub fn angle(t: usize) -> f64 {
    END * t as f64 / STEPS as f64
}

/// The ε that is predicted in x_φ: sin φ·x_φ + cos φ·v, of what a network v says. Were the data standard normal, v = 0
/// would be right (Salimans and Ho, "Progressive Distillation", 2022).
fn predicted<'t>(x: Var<'t>, phi: Var<'t>) -> Var<'t> {
    phi.sin() * x + phi.cos() * velocity(x, phi)
}

/// The network v.
pub fn velocity<'t>(x: Var<'t>, phi: Var<'t>) -> Var<'t> {
    Network::new([40, 40]).apply(concat([STEEP * x, stack([phi.cos(), phi.sin()])]), 2)
}

fn train(data: &[f64], seed: u64) -> Result<Learned> {
    let loss = Loss::record(|sources| {
        let (x, noise) = (sources.data(2), sources.noise(StandardNormal::new(2)));
        let phi = END * sources.noise(Uniform::new(1)).at(0);
        let off = noise - predicted(phi.cos() * x + phi.sin() * noise, phi);
        off.dot(off)
    })?;
    let (parameters, losses) = minimised(&loss, data, SCHEDULE, seed)?;
    let network = compiled(3, &parameters, |row| predicted(row.slice(0..2), row.at(2)))?;
    Ok(Learned { parameters, network, losses: vec![losses] })
}

/// The fixed process backwards, from angle `now` to the one before: q(x_before | x_now, x) is normal. What its mean takes
/// of x_now and of ε, and its variance (Ho et al., eqs. 7 and 11).
pub fn back(now: f64, before: f64) -> [f64; 3] {
    // x_now = keep·x_before + noise of variance `added`.
    let keep = now.cos() / before.cos();
    let added = 1.0 - keep * keep;
    [1.0 / keep, -added / (keep * now.sin()), added]
}

/// Step by step from noise, each with the predicted ε in the place of the true one.
fn sample(model: &mut Learned, rows: usize, seed: u64) -> Result<Vec<f64>> {
    let mut x = normals(2 * rows, seed);
    let noise = normals(2 * rows * STEPS, seed + 1);
    for (t, noise) in (1..=STEPS).rev().zip(noise.chunks(2 * rows)) {
        let [now, before] = [t, t - 1].map(angle);
        let inputs: Vec<f64> = x.chunks(2).flat_map(|x| [x[0], x[1], now]).collect();
        let predicted = model.network.run(&[&inputs], rows)?.swap_remove(0);
        let [of_x, of_noise, variance] = back(now, before);
        for ((x, predicted), noise) in x.iter_mut().zip(predicted).zip(noise) {
            *x = of_x * *x + of_noise * predicted + variance.sqrt() * noise;
        }
    }
    Ok(x)
}
