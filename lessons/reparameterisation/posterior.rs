//! Posteriors of the bent model, trained on the bound, beside its ln p(x).

use std::error::Error;

use pushforward::prelude::*;
use pushforward::train::{Minimiser, TrainingOptions};

use super::elbo::{Layers, NOISE, bent, bounds, ellipse, loss, splines};
use super::{SEED, Told, normal, normals};

/// How many rows a step of training sees.
pub const BATCH: usize = 256;

/// ln p(x) of the bent model, ln ∫ p(z₁)·N(x; z₁², 1 + noise²) dz₁: z₂ is integrated by hand, z₁ by the midpoint rule.
pub fn evidence(x: f64) -> f64 {
    let cell = 0.01;
    let at = |k: i32| (f64::from(k) + 0.5) * cell;
    let density = |t: f64| (normal(t, 0.0, 1.0) + normal(x, t * t, 1.0 + NOISE * NOISE)).exp();
    ((-800..800).map(|k| density(at(k)) * cell).sum::<f64>()).ln()
}

/// So many x of the bent model.
pub fn bent_data(rows: usize, seed: u64) -> Vec<f64> {
    normals(3 * rows, seed).chunks(3).map(|n| n[1] + n[0] * n[0] + NOISE * n[2]).collect()
}

/// A posterior for the bent model: what it is called, its layers, and the step size that it is trained with.
pub struct Posterior {
    pub name: &'static str,
    pub layers: fn() -> Layers,
    pub learning_rate: f64,
}

pub const POSTERIORS: [Posterior; 2] = [
    Posterior { name: "normal", layers: ellipse, learning_rate: 1e-2 },
    Posterior { name: "flow", layers: splines, learning_rate: 5e-3 },
];

/// Rows of noise and x of the bent model, and ln p(x) of each.
pub struct Rows {
    pub noise: Vec<f64>,
    pub x: Vec<f64>,
    pub log_p: Vec<f64>,
}

impl Rows {
    pub fn new(rows: usize, seed: u64) -> Rows {
        let x = bent_data(rows, seed);
        let log_p = x.iter().map(|x| evidence(*x)).collect();
        Rows { noise: normals(2 * rows, seed + 1), x, log_p }
    }
}

impl Posterior {
    /// Trained on the ELBO of these x; `see` is told the number of steps made and the parameters, at powers of 2.
    pub fn trained(
        &self,
        data: &[f64],
        mut see: impl FnMut(usize, &Parameters) -> Told,
    ) -> Result<Parameters, Box<dyn Error>> {
        let loss = loss(&Chain::new((self.layers)()), bent)?;
        let settings = TrainingOptions {
            learning_rate: self.learning_rate,
            clip: 10.0,
            seed: SEED,
            ..TrainingOptions::default()
        };
        let mut minimiser = Minimiser::<f64>::new(&loss, loss.initial(SEED), settings)?;
        let steps = data.len() / BATCH;
        for (step, batch) in data.chunks(BATCH).enumerate() {
            minimiser.set_learning_rate(self.learning_rate * (1.0 - 0.95 * step as f64 / steps as f64))?;
            minimiser.step(&[batch], BATCH)?;
            if (step + 1).is_power_of_two() {
                see(step + 1, minimiser.parameters())?;
            }
        }
        Ok(minimiser.parameters().clone())
    }

    /// ln p(x) less the bound, draw by draw.
    pub fn gaps(&self, parameters: &Parameters, rows: &Rows) -> Result<Vec<f64>, Box<dyn Error>> {
        let bounds = bounds(&Chain::new((self.layers)()), bent, parameters, (&rows.noise, &rows.x))?;
        Ok(rows.log_p.iter().zip(bounds).map(|(log_p, bound)| log_p - bound).collect())
    }

    /// With what was learned, for its density and its draws.
    pub fn fitted(&self, parameters: &Parameters) -> Result<FittedFlow, Box<dyn Error>> {
        Ok(Flow::new(StandardNormal::new(2), (self.layers)())?.with(parameters.clone())?)
    }
}
