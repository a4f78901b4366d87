//! A diffusion as a continuous flow.
//!
//! Rows that follow dx/dφ = (ε - sin φ·x)/cos φ, with the predicted ε, have the densities of the fixed process at every φ
//! without any noise, if ε is right (Song et al., "Score-Based Generative Modeling through Stochastic Differential
//! Equations", 2021, eq. 13). The right side is the network v itself. It takes data to noise one-to-one, with
//! d ln p/dφ = -tr ∂v/∂x along the way: so ln p can be had, though it was not trained.

use pushforward::prelude::*;

use super::diffusion::{END, velocity};
use super::{Learned, Result};

/// dx/dφ.
struct Curve;

impl Field for Curve {
    fn dim(&self) -> usize {
        2
    }
    fn velocity<'t>(&self, x: Var<'t>, phi: Var<'t>) -> Var<'t> {
        velocity(x, phi)
    }
}

/// ln p(x) in so many steps of the method of Runge and Kutta, four passes of the network each.
pub fn log_prob(model: &Learned, x: &[f64], steps: usize) -> Result<Vec<f64>> {
    // From noise at the largest angle to data at 0: ln p goes the other way.
    let curve = Continuous::new(Curve, Solver::RungeKutta4, steps).between(END, 0.0);
    let layers: Vec<Box<dyn Bijection>> = vec![Box::new(curve)];
    let flow = Flow::new(StandardNormal::new(2), layers)?;
    let mut parameters = Parameters::default();
    for (name, tensor) in model.parameters.iter() {
        parameters.set(&format!("layers.0.{name}"), tensor.shape, tensor.values.clone())?;
    }
    Ok(flow.with(parameters)?.log_prob(x)?)
}
