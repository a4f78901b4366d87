//! Forward divergence from weighted samples.
//!
//! KL(p ‖ q) = E_p[ln p(x) - ln q(x)]. Of rows xᵢ that stand for p with weights wᵢ, all but a constant of it is
//! estimated by -Σ wᵢ ln q(xᵢ) / Σ wᵢ: self-normalised, so that weights need only be known up to a factor. Rows drawn
//! from another density r have the weights p̃(x)/r(x) ([`ImportanceSample`](super::ImportanceSample)); for equal
//! weights it is maximum likelihood.
//!
//! Source: Papamakarios et al. (2021), section 2.3.1; Müller et al., "Neural importance sampling" (2019).

use super::density::RecordedDensity;
use super::error::FlowError;
use super::flow::Flow;
use crate::tape::select;
use crate::train::Loss;

impl Flow {
    /// Records the loss w·(-ln q(x)), whose mean over rows with weights of mean 1 ([`normalised_weights`]) is the
    /// forward divergence up to a constant. Its data are x (as many columns as variables), w (one column), and the
    /// context, if the flow has one. [`FitOptions::weights`](super::FitOptions::weights) does the same within
    /// [`Flow::fit`], by drawing rows as often as their weights say.
    ///
    /// A row of weight 0 counts for nothing, whatever its density. A row with a weight outside of the flow's support
    /// has an infinite loss, which a step reports as an error.
    ///
    /// ```
    /// use pushforward::flow::normalised_weights;
    /// use pushforward::prelude::*;
    /// use pushforward::train::{Minimiser, TrainingOptions};
    ///
    /// let layer: Box<dyn Bijection> = Box::new(Affine::identity(1));
    /// let flow = Flow::new(StandardNormal::new(1), [layer])?;
    /// let loss = flow.forward_kl()?;
    /// let options = TrainingOptions { learning_rate: 0.02, ..TrainingOptions::default() };
    /// let mut minimiser = Minimiser::<f64>::new(&loss, flow.initial(0), options)?;
    /// let (x, w) = ([0.0, 2.0, 4.0, 100.0], normalised_weights(&[1.0, 2.0, 1.0, 0.0])?);
    /// for _ in 0..1000 {
    ///     minimiser.step(&[&x, &w], 4)?;
    /// }
    /// let fitted = flow.with(minimiser.parameters().clone())?;
    /// let (mean, sd) = (2.0, 2f64.sqrt());             // of the weighted rows
    /// let exact = -sd.ln() - 0.5 * std::f64::consts::TAU.ln();
    /// assert!((fitted.log_prob(&[mean])?[0] - exact).abs() < 1e-3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of a layer.
    pub fn forward_kl(&self) -> Result<Loss, FlowError> {
        Loss::try_record(|sources| {
            let (x, weight) = (sources.data(self.dim()), sources.data(1).at(0));
            let RecordedDensity { log_prob, support, .. } =
                RecordedDensity::at(self.base(), self.bijection(), x)?;
            // ln of the indicator of the support: 0 inside and -∞ outside.
            let log_prob = match support {
                Some(support) => {
                    let outside = x.tape().var(support.outside).gt(0.0);
                    log_prob + select(outside, x.tape().constant(0.0), 1.0).ln()
                }
                None => log_prob,
            };
            Ok(select(weight.abs().le(0.0), x.tape().constant(0.0), -(weight * log_prob)))
        })
    }
}

/// Divides weights by their mean. The mean of weight·loss over rows is then the self-normalised estimate
/// Σ wᵢ·lossᵢ / Σ wᵢ.
///
/// # Errors
/// [`FlowError::Weight`] for a weight that is negative, NaN or infinite, [`FlowError::NoWeight`] when none is above 0.
pub fn normalised_weights(weights: &[f64]) -> Result<Vec<f64>, FlowError> {
    check_weights(weights)?;
    // The largest is divided out first, so that the sum cannot overflow.
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let mean = weights.iter().map(|weight| weight / largest).sum::<f64>() / weights.len() as f64;
    Ok(weights.iter().map(|weight| weight / largest / mean).collect())
}

/// Returns an error for a weight that is no weight, and where none is above 0.
pub(super) fn check_weights(weights: &[f64]) -> Result<(), FlowError> {
    if let Some(row) = weights.iter().position(|weight| !(*weight >= 0.0 && weight.is_finite())) {
        let allowed = "a finite number of 0 or more";
        return Err(FlowError::Weight { what: "weight", row, value: weights[row], allowed });
    }
    match weights.iter().any(|weight| *weight > 0.0) {
        true => Ok(()),
        false => Err(FlowError::NoWeight { rows: weights.len() }),
    }
}
