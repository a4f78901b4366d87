//! Importance sampling: draws of a flow q, weighted to stand for a target p = p̃/Z.
//!
//! For x₁ … x_S ~ q and wᵢ = p̃(xᵢ)/q(xᵢ)
//!
//! Z ≈ w̄ = Σ wᵢ/S,  E_p[h] ≈ Σ wᵢ h(xᵢ) / Σ wᵢ,  effective sample size (Σ wᵢ)² / Σ wᵢ²:
//!
//! the first without bias, the second with one of order 1/S. Standard errors are those of the delta method: of ln Z
//! the deviation of the weights over w̄·√S, of E_p[h] the root of Σ w̃ᵢ²(h(xᵢ) - E_p[h])², w̃ᵢ the weights divided by
//! their sum. They hold as long as the weights have a variance, which is what k̂
//! ([`ParetoSmoothed`](super::ParetoSmoothed)) tells.
//!
//! Source: Owen, "Monte Carlo theory, methods and examples" (2013), sections 9.1 to 9.3; Kong, "A note on importance
//! sampling using standardized weights" (1992); Papamakarios et al. (2021), section 6.2.

use std::fmt;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::context::Contexts;
use super::error::FlowError;
use super::fitted::FittedFlow;
use super::rows::whole_rows;
use super::target::{Draws, Evaluated};
use crate::numeric::log_sum_exp;
use crate::tape::Var;

/// An estimate with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error; infinite for a single draw, of which no spread can be seen.
    pub error: f64,
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ± {}", self.value, self.error)
    }
}

/// Points with the logarithms of their importance weights, which are known up to a factor.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportanceSample {
    points: Vec<f64>,
    width: usize,
    log_weights: Vec<f64>,
}

impl FittedFlow {
    /// Draws points of this flow and weighs them by a target: ln w = ln p̃(x) - ln q(x). `target` records ln p̃(x) of
    /// a vector of as many variables, as a scalar, with or without its constant; -∞ is a weight of 0. ln q(x) is
    /// computed along with x, by ln|det J_f(z)|, so that no layer is inverted.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// // Proposal N(0, 1.5²); target exp(-x²/2), whose integral is √(2π).
    /// let layer: Box<dyn Bijection> = Box::new(Affine::fixed([1.5], [0.0]));
    /// let flow = Flow::new(StandardNormal::new(1), [layer])?;
    /// let proposal = flow.with(Parameters::default())?;
    /// let sample = proposal.importance_sample(|x| -0.5 * x.at(0).powi(2), 10_000, 7)?;
    ///
    /// let evidence = sample.log_evidence();
    /// assert!((evidence.value - 0.5 * std::f64::consts::TAU.ln()).abs() < 4.0 * evidence.error);
    /// let variance = sample.expectation(|x| x[0] * x[0]);
    /// assert!((variance.value - 1.0).abs() < 4.0 * variance.error && variance.error < 0.02);
    /// assert!(sample.effective_sample_size() > 8000.0);
    /// assert!(sample.pareto_smoothed().is_reliable());       // k̂ is below 0.7
    /// # Ok::<(), FlowError>(())
    /// ```
    ///
    /// # Errors
    /// [`FlowError::Setting`] for no draws; [`FlowError::Target`] with the point where ln p̃ is NaN or ∞;
    /// [`FlowError::NoWeight`] when it is -∞ at all of them; [`FlowError::Context`], and those of
    /// [`FittedFlow::sample`].
    pub fn importance_sample<T>(
        &self,
        target: T,
        count: usize,
        seed: u64,
    ) -> Result<ImportanceSample, FlowError>
    where
        T: for<'t> Fn(Var<'t>) -> Var<'t>,
    {
        self.importance_sample_given(target, count, &[], seed)
    }

    /// Draws points of q(x | c) and weighs them by a target, which reads the context by `x.tape().context(width)`; a
    /// context for each draw, or one for all. Weights of draws with different contexts belong to different targets:
    /// evidence and expectations are those of a single context.
    ///
    /// # Errors
    /// As [`FittedFlow::importance_sample`], and [`FlowError::ContextRows`].
    pub fn importance_sample_given<T>(
        &self,
        target: T,
        count: usize,
        contexts: &[f64],
        seed: u64,
    ) -> Result<ImportanceSample, FlowError>
    where
        T: for<'t> Fn(Var<'t>) -> Var<'t>,
    {
        let d = self.flow().dim();
        if count == 0 {
            return Err(FlowError::Setting { name: "count", value: "0".to_string(), allowed: "at least 1" });
        }
        let draws = Draws::new(self.flow(), &target, self.parameters())?;
        let contexts = Contexts::new(draws.context, contexts, count)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut z = vec![0.0; count * d];
        z.chunks_mut(d).for_each(|row| self.base().sample(&mut random, row));
        let Evaluated { x, log_density, log_target } = draws.evaluate(&contexts.beside(&z), count, true)?;
        let log_weights =
            log_target.iter().zip(log_density).map(|(target, density)| target - density).collect();
        ImportanceSample::new(x, log_weights)
    }
}

impl ImportanceSample {
    /// Builds one from points, row after row, and the logarithm of a weight for each: ln p̃(x) - ln q(x), for points
    /// that were drawn from any density q. The number of variables is the number of values divided by that of
    /// weights.
    ///
    /// # Errors
    /// [`FlowError::NoWeight`] when no weight is above 0, as where there are none; [`FlowError::Weight`] for a
    /// logarithm that is NaN or ∞; [`FlowError::Rows`] and [`FlowError::Nan`] for the points.
    pub fn new(points: Vec<f64>, log_weights: Vec<f64>) -> Result<ImportanceSample, FlowError> {
        let rows = log_weights.len();
        if let Some(row) = log_weights.iter().position(|log| log.is_nan() || *log == f64::INFINITY) {
            let (value, allowed) = (log_weights[row], "finite, or -∞ for a weight of 0");
            return Err(FlowError::Weight { what: "ln weight", row, value, allowed });
        }
        if log_weights.iter().all(|log| *log == f64::NEG_INFINITY) {
            return Err(FlowError::NoWeight { rows });
        }
        let width = points.len() / rows;
        if width * rows != points.len() {
            return Err(FlowError::Rows { width: width.max(1), given: points.len() });
        }
        if width > 0 {
            whole_rows(&points, width)?;
        }
        Ok(ImportanceSample { points, width, log_weights })
    }

    /// The points, row after row.
    pub fn points(&self) -> &[f64] {
        &self.points
    }

    /// The logarithms of the weights, ln p̃(x) - ln q(x).
    pub fn log_weights(&self) -> &[f64] {
        &self.log_weights
    }

    /// The weights divided by their sum.
    pub fn weights(&self) -> Vec<f64> {
        let total = log_sum_exp(self.log_weights.iter().copied());
        self.log_weights.iter().map(|log| (log - total).exp()).collect()
    }

    /// Returns the effective sample size (Σ w)² / Σ w², from 1 to the number of draws: about as many independent
    /// draws of the target would estimate a mean as well (Kong 1992). It is itself an estimate from the draws: where
    /// these miss a part of the target, it is too large.
    pub fn effective_sample_size(&self) -> f64 {
        let total = log_sum_exp(self.log_weights.iter().copied());
        let squares = log_sum_exp(self.log_weights.iter().map(|log| 2.0 * log));
        (2.0 * total - squares).exp()
    }

    /// Returns the logarithm of the mean weight, an estimate of ln Z = ln ∫ p̃(x) dx, with its standard error by the
    /// delta method: the weights' deviation over their mean and √S. For a normalised target ln Z is 0.
    pub fn log_evidence(&self) -> Estimate {
        let count = self.log_weights.len() as f64;
        let value = log_sum_exp(self.log_weights.iter().copied()) - count.ln();
        let squares: f64 = self.log_weights.iter().map(|log| ((log - value).exp() - 1.0).powi(2)).sum();
        Estimate { value, error: standard_error(squares, count) }
    }

    /// Returns the mean of ln w, an estimate of the evidence lower bound ln Z - KL(q ‖ p), with its standard error.
    /// -∞ when a weight is 0.
    pub fn evidence_lower_bound(&self) -> Estimate {
        let count = self.log_weights.len() as f64;
        let value = self.log_weights.iter().sum::<f64>() / count;
        if value == f64::NEG_INFINITY {
            return Estimate { value, error: f64::INFINITY };
        }
        let squares: f64 = self.log_weights.iter().map(|log| (log - value).powi(2)).sum();
        Estimate { value, error: standard_error(squares, count) }
    }

    /// Returns the self-normalised estimate Σ wᵢ h(xᵢ) / Σ wᵢ of the target's mean of a function of a point, with its
    /// standard error (Owen 2013, section 9.2). The function is not asked where the weight is 0.
    pub fn expectation(&self, mut of: impl FnMut(&[f64]) -> f64) -> Estimate {
        let weighted: Vec<(f64, f64)> = self
            .weights()
            .into_iter()
            .enumerate()
            .filter(|(_, weight)| *weight > 0.0)
            .map(|(row, weight)| (weight, of(&self.points[row * self.width..(row + 1) * self.width])))
            .collect();
        let value: f64 = weighted.iter().map(|(weight, h)| weight * h).sum();
        let squares: f64 = weighted.iter().map(|(weight, h)| (weight * (h - value)).powi(2)).sum();
        let error = if self.log_weights.len() < 2 { f64::INFINITY } else { squares.sqrt() };
        Estimate { value, error }
    }

    /// The same points with other weights.
    pub(super) fn with_log_weights(&self, log_weights: Vec<f64>) -> ImportanceSample {
        ImportanceSample { log_weights, points: self.points.clone(), width: self.width }
    }
}

/// The standard error of a mean from the sum of squared deviations.
fn standard_error(squares: f64, count: f64) -> f64 {
    if count < 2.0 { f64::INFINITY } else { (squares / (count - 1.0) / count).sqrt() }
}
