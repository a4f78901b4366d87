//! The steps of a diffusion as a chain of normal densities, and what that says of ln p.
//!
//! The chain is a VAE with fixed encoders: x_T is standard normal, each x_{t-1} normal about what the network makes of
//! x_t. So ln p(x) is at least E ln p(x | x₁) less the divergences of the chain from the fixed process, and these are
//! formulas (Ho, Jain, Abbeel, 2020, eq. 5).

use std::f64::consts::TAU;

use super::diffusion::{END, back};
use super::{Learned, Result, normals};

/// The bound with so many steps, each of its terms with one draw of ε for each x.
pub fn bound(model: &mut Learned, x: &[f64], steps: usize, seed: u64) -> Result<Vec<f64>> {
    let mut bounds: Vec<f64> = x.chunks(2).map(|x| -from_noise(x)).collect();
    let noise = normals(x.len() * steps, seed);
    for (t, noise) in (1..=steps).zip(noise.chunks(x.len())) {
        let [now, before] = [t, t - 1].map(|t| END * t as f64 / steps as f64);
        let noised = |(x, e): (&[f64], &[f64])| {
            [now.cos() * x[0] + now.sin() * e[0], now.cos() * x[1] + now.sin() * e[1], now]
        };
        let inputs: Vec<f64> = x.chunks(2).zip(noise.chunks(2)).flat_map(noised).collect();
        let predicted = model.network.run(&[&inputs], x.len() / 2)?.swap_remove(0);
        let [_, of_noise, variance] = back(now, before);
        // The variance of q(x_before | x_now, x) is a part of that of the chain. At the last step it is 0, and what is
        // asked for is -ln p(x | x₁).
        let part = (before.sin() / now.sin()).powi(2);
        let constant = if t == 1 { (TAU * variance).ln() } else { part - 1.0 - part.ln() };
        for ((bound, e), own) in bounds.iter_mut().zip(noise.chunks(2)).zip(predicted.chunks(2)) {
            let square = (e[0] - own[0]).powi(2) + (e[1] - own[1]).powi(2);
            *bound -= 0.5 * of_noise * of_noise * square / variance + constant;
        }
    }
    Ok(bounds)
}

/// The divergence of what is left of x at the end from a standard normal density.
fn from_noise(x: &[f64]) -> f64 {
    let (mean, variance) = (END.cos(), END.sin().powi(2));
    0.5 * mean * mean * (x[0] * x[0] + x[1] * x[1]) + variance - 1.0 - variance.ln()
}
