//! Flow matching: a velocity learned by regression, without a solver.
//!
//! Noise z ~ p_Z and a row x are joined by a straight line, z + u·(x - (1 - σ)·z) for u from 0 to 1, whose velocity is
//! x - (1 - σ)·z: at u = 1 it is a small ball around x. The field that is nearest in the mean square is the mean velocity of
//! all lines through a point, and that field carries p_Z to the density of the rows (with noise σ added). Neither an equation
//! is solved nor a trace taken while it is learned; both are for the density of the fitted flow.
//!
//! Source: Lipman, Chen, Ben-Hamu, Nickel, Le, "Flow Matching for Generative Modeling" (2023), section 4.1, example II,
//! eqs. 20 to 23.

use super::error::FlowError;
use super::flow::Flow;
use crate::bijection::leaves;
use crate::train::{Loss, TrainError};

impl Flow {
    /// Records the loss |v(z + u·w, t) - w|² with w = x - (1 - σ)·z, for a flow that is one
    /// [continuous](crate::layers::Continuous) layer over a base without parameters. Its data are the rows x (and the
    /// context, if the field reads one); z and u are drawn anew for each row of each step. t goes over the time span of the
    /// layer as u goes from 0 to 1, and velocities are per unit of t. `sigma` is the width σ that a row is given; 0 is
    /// sound.
    ///
    /// ```
    /// use pushforward::prelude::*;
    /// use pushforward::train::{Minimiser, TrainingOptions};
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    ///
    /// let field = NetworkField::new(1, Network::new([16]));
    /// let layer: Box<dyn Bijection> = Box::new(Continuous::new(field, Solver::RungeKutta4, 8));
    /// let flow = Flow::new(StandardNormal::new(1), [layer])?;
    /// let loss = flow.flow_matching(0.0)?;
    /// let options = TrainingOptions { learning_rate: 0.02, ..TrainingOptions::default() };
    /// let mut minimiser = Minimiser::<f64>::new(&loss, flow.initial(0), options)?;
    /// // Rows of N(2, 0.5²).
    /// let mut rows = vec![0.0; 512];
    /// StandardNormal::new(512).sample(&mut ChaCha8Rng::seed_from_u64(1), &mut rows);
    /// rows.iter_mut().for_each(|x| *x = 2.0 + 0.5 * *x);
    /// for _ in 0..1500 {
    ///     minimiser.step(&[&rows], 512)?;
    /// }
    /// let fitted = flow.with(minimiser.parameters().clone())?;
    /// let exact = -0.5f64 * (0.5 * 0.5 * std::f64::consts::TAU).ln();
    /// assert!((fitted.log_prob(&[2.0])?[0] - exact).abs() < 0.2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FlowError::NotOneMotion`] for other layers, [`FlowError::LearnedBase`], [`FlowError::Setting`] for a width that is
    /// negative or not below 1, and [`FlowError::Training`] for a field that cannot be recorded.
    pub fn flow_matching(&self, sigma: f64) -> Result<Loss, FlowError> {
        if !(0.0..1.0).contains(&sigma) {
            let value = sigma.to_string();
            return Err(FlowError::Setting { name: "sigma", value, allowed: "at least 0 and below 1" });
        }
        let layers = leaves(self.bijection());
        let (motion, path) = match layers.as_slice() {
            [layer] if !layer.is_inverse() && layer.motion().is_some() => {
                (layer.motion().expect("it has one"), layer.path().clone())
            }
            _ => {
                let layers = layers.iter().map(|layer| layer.name()).collect();
                return Err(FlowError::NotOneMotion { layers });
            }
        };
        if let Some(parameter) = self.learned_by_base() {
            let reason = "flow matching learns the velocity alone".to_string();
            return Err(FlowError::LearnedBase { base: self.base().name(), parameter, reason });
        }
        let (d, (from, to)) = (self.dim(), motion.span());
        if from == to {
            let value = format!("from {from} to {to}");
            return Err(FlowError::Setting {
                name: "the time span",
                value,
                allowed: "of two different times",
            });
        }
        Loss::try_record(|sources| {
            let (x, z) = (sources.data(d), sources.noise_of(self.base.clone()));
            let u = sources.noise(crate::base::Uniform::new(1)).at(0);
            let w = if sigma == 0.0 { x - z } else { x - (1.0 - sigma) * z };
            let (point, span) = (z + u * w, to - from);
            let t = if (from, to) == (0.0, 1.0) { u } else { from + span * u };
            let v = path.scope(sources.tape(), || sources.tape().pass(|| motion.velocity(point, t)));
            sources.tape().check().map_err(TrainError::Recording)?;
            let off = v - if span == 1.0 { w } else { w / span };
            Ok(off.dot(off))
        })
    }
}
