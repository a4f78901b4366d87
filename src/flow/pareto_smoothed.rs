//! Pareto-smoothed importance sampling.
//!
//! A few large weights can decide an estimate, and its standard error does not tell: where the weights have no
//! variance, the deviation of those drawn is finite all the same. But large weights follow a generalised Pareto
//! distribution, and its shape k says which moments exist: those of order below 1/k. So k is estimated from the
//! largest M = ⌈min(S/5, 3√S)⌉ of S weights, and these are replaced by the expected order statistics of the fitted
//! distribution, quantiles at (i - ½)/M, at most the largest weight: a little bias for much less variance.
//!
//! Source: Vehtari, Simpson, Gelman, Yao, Gabry, "Pareto smoothed importance sampling" (2024); the fit is that of
//! Zhang and Stephens (2009), with the prior of Vehtari et al. that k is near ½, of the weight of ten draws.

use std::fmt;

use super::importance::ImportanceSample;
use crate::numeric::GeneralisedPareto;

/// Smoothed importance weights, and the shape k̂ of the tail of the raw ones.
///
/// | k̂ | what it means |
/// |---|---|
/// | below ½ | weights have a finite variance: errors shrink as 1/√S, and standard errors hold |
/// | ½ to 0.7 | smoothed estimates are of use; errors shrink more slowly |
/// | above [the threshold](ParetoSmoothed::threshold), 0.7 at most | neither estimates nor errors are reliable: a better or wider proposal helps, more draws hardly |
/// | above 1 | weights have no mean |
#[derive(Clone, Debug, PartialEq)]
pub struct ParetoSmoothed {
    /// The points with the smoothed weights.
    pub sample: ImportanceSample,
    /// k̂. -∞ when the largest weights are all equal, so that there is no tail; ∞ when fewer than 5 stand out, from
    /// which nothing can be estimated (fewer than 21 draws, or nearly all weights 0).
    pub shape: f64,
    /// The number of weights that were smoothed.
    pub tail: usize,
}

impl ImportanceSample {
    /// Smooths the largest weights by a generalised Pareto distribution, whose shape k̂ tells whether the estimates
    /// can be relied on.
    pub fn pareto_smoothed(&self) -> ParetoSmoothed {
        let (log_weights, shape, tail) = smoothed(self.log_weights());
        ParetoSmoothed { sample: self.with_log_weights(log_weights), shape, tail }
    }
}

impl ParetoSmoothed {
    /// min(1 - 1/log₁₀ S, 0.7): with k̂ above this, more than S draws would be needed for a mean to be reliable
    /// (Vehtari et al. 2024).
    pub fn threshold(&self) -> f64 {
        (1.0 - 1.0 / (self.sample.log_weights().len() as f64).log10()).min(0.7)
    }

    /// Whether k̂ is below the threshold.
    pub fn is_reliable(&self) -> bool {
        self.shape < self.threshold()
    }
}

impl fmt::Display for ParetoSmoothed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shape, threshold, draws) = (self.shape, self.threshold(), self.sample.log_weights().len());
        match self.is_reliable() {
            true => {
                write!(f, "k̂ = {shape:.2}, below {threshold:.2}: estimates from {draws} draws are reliable")
            }
            false => write!(
                f,
                "k̂ = {shape:.2}, not below {threshold:.2}: estimates from {draws} draws and their errors are not reliable; \
                 use a proposal with heavier tails or nearer to the target"
            ),
        }
    }
}

/// Weights as equal as rounding leaves them.
const EQUAL: f64 = 1e-10;

/// Returns ln weights with a smoothed tail, k̂, and the length of the tail.
fn smoothed(log_weights: &[f64]) -> (Vec<f64>, f64, usize) {
    let draws = log_weights.len();
    let unsmoothed = |shape: f64| (log_weights.to_vec(), shape, 0);
    let length = (draws as f64 / 5.0).min(3.0 * (draws as f64).sqrt()).ceil() as usize;
    if length < GeneralisedPareto::LEAST {
        return unsmoothed(f64::INFINITY);
    }
    let mut order: Vec<usize> = (0..draws).collect();
    order.sort_by(|i, j| log_weights[*i].total_cmp(&log_weights[*j]));
    let largest = log_weights[order[draws - 1]];
    // Relative to the largest weight; one that underflows is no part of the tail.
    let cutoff = (log_weights[order[draws - 1 - length]] - largest).max(f64::MIN_POSITIVE.ln());
    if -cutoff < EQUAL {
        return unsmoothed(f64::NEG_INFINITY);
    }
    let tail: Vec<usize> = order.into_iter().filter(|i| log_weights[*i] - largest > cutoff).collect();
    let excess = |i: &usize| cutoff.exp() * (log_weights[*i] - largest - cutoff).exp_m1();
    let excesses: Vec<f64> = tail.iter().map(excess).collect();
    let Some(fitted) = GeneralisedPareto::fit(&excesses) else { return unsmoothed(f64::INFINITY) };
    let count = tail.len() as f64;
    let fitted = GeneralisedPareto { shape: (count * fitted.shape + 10.0 * 0.5) / (count + 10.0), ..fitted };
    let mut smoothed = log_weights.to_vec();
    for (rank, i) in tail.iter().enumerate() {
        let weight = cutoff.exp() + fitted.quantile((rank as f64 + 0.5) / count);
        smoothed[*i] = largest + weight.ln().min(0.0);
    }
    (smoothed, fitted.shape, tail.len())
}
