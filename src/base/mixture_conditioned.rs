//! A Gaussian mixture of which some variables are known: its marginal and conditional distributions are Gaussian mixtures
//! too (Bishop, "Pattern Recognition and Machine Learning", 2006, section 2.3.1).
//!
//! With the known variables first, the Cholesky factor of a component's covariance is
//!
//! ```text
//! L = | A 0 |     white = A⁻¹·(known - their means),     unknown = their means + B·white + D·ε
//!     | B D |
//! ```
//!
//! so that one factorisation gives ln N(known) and the draws of the others.

use std::f64::consts::TAU;

use rand::{Rng, RngExt};

use super::cholesky::cholesky;
use super::{Base, Conditioned, StandardNormal};
use crate::numeric::log_sum_exp;

pub(super) struct ConditionedMixture {
    /// The known variables, then the others.
    order: Vec<usize>,
    known: usize,
    log_weights: Vec<f64>,
    parts: Vec<Part>,
}

/// A component, in that order.
struct Part {
    mean: Vec<f64>,
    factor: Vec<f64>,
}

impl ConditionedMixture {
    /// A mixture of components with these means and whitening matrices (below the diagonal, and its logarithm), some
    /// variables known. `None` when a covariance is not positive definite in double precision.
    pub fn new<'a>(
        log_weights: &[f64],
        components: impl Iterator<Item = (&'a [f64], &'a [f64], &'a [f64])>,
        known: &[bool],
    ) -> Option<ConditionedMixture> {
        let side = |wanted: bool| (0..known.len()).filter(move |i| known[*i] == wanted);
        let order: Vec<usize> = side(true).chain(side(false)).collect();
        let parts =
            components.map(|(mean, below, log_diagonal)| Part::new(mean, below, log_diagonal, &order));
        Some(ConditionedMixture {
            known: side(true).count(),
            log_weights: log_weights.to_vec(),
            parts: parts.collect::<Option<_>>()?,
            order,
        })
    }

    /// For each component the logarithm of its weight times the density of the known variables, and these whitened.
    fn shares(&self, z: &[f64]) -> Vec<(f64, Vec<f64>)> {
        let part = |(part, log_weight): (&Part, &f64)| {
            let (log_density, white) = part.known(z, &self.order[..self.known]);
            (log_weight + log_density, white)
        };
        self.parts.iter().zip(&self.log_weights).map(part).collect()
    }
}

impl Part {
    fn new(mean: &[f64], below: &[f64], log_diagonal: &[f64], order: &[usize]) -> Option<Part> {
        let d = mean.len();
        // Rows of W⁻¹ by forward substitution: the covariance is W⁻¹·W⁻ᵀ.
        let mut root = vec![0.0; d * d];
        for i in 0..d {
            let scale = (-log_diagonal[i]).exp();
            root[i * d + i] = scale;
            for j in 0..i {
                let sum: f64 = (j..i).map(|k| below[i * d + k] * root[k * d + j]).sum();
                root[i * d + j] = -sum * scale;
            }
        }
        let entry = |i: usize, j: usize| (0..d).map(|k| root[i * d + k] * root[j * d + k]).sum::<f64>();
        let covariance: Vec<f64> = order
            .iter()
            .flat_map(|i| order.iter().map(move |j| (*i, *j)))
            .map(|(i, j)| entry(i, j))
            .collect();
        let mean = order.iter().map(|i| mean[*i]).collect();
        Some(Part { mean, factor: cholesky(d, &covariance)? })
    }

    fn known(&self, z: &[f64], known: &[usize]) -> (f64, Vec<f64>) {
        let d = self.mean.len();
        let mut white = Vec::with_capacity(d);
        let mut log_density = -0.5 * known.len() as f64 * TAU.ln();
        for (k, variable) in known.iter().enumerate() {
            let before: f64 = white.iter().enumerate().map(|(j, w)| self.factor[k * d + j] * w).sum();
            let scale = self.factor[k * d + k];
            let value: f64 = (z[*variable] - self.mean[k] - before) / scale;
            log_density -= 0.5 * value * value + scale.ln();
            white.push(value);
        }
        (log_density, white)
    }
}

impl Conditioned for ConditionedMixture {
    fn log_marginal(&self, z: &[f64]) -> f64 {
        let shares = self.shares(z);
        // Learned weights are not normalised.
        let total = log_sum_exp(self.log_weights.iter().copied());
        log_sum_exp(shares.iter().map(|(log, _)| *log)) - total
    }

    fn complete(&self, random: &mut dyn Rng, z: &mut [f64]) {
        let shares = self.shares(z);
        let largest = shares.iter().map(|(log, _)| *log).fold(f64::NEG_INFINITY, f64::max);
        // Where no component is possible, their weights decide.
        let weight = |k: usize| match largest.is_finite() {
            true => (shares[k].0 - largest).exp(),
            false => self.log_weights[k].exp(),
        };
        let mut left = random.random::<f64>() * (0..shares.len()).map(weight).sum::<f64>();
        let found = (0..shares.len()).find(|k| {
            left -= weight(*k);
            left < 0.0
        });
        let chosen = found.unwrap_or(shares.len() - 1);
        let Part { mean, factor } = &self.parts[chosen];
        let d = mean.len();
        let mut white = shares[chosen].1.clone();
        white.resize(d, 0.0);
        StandardNormal::new(d - self.known).sample(random, &mut white[self.known..]);
        for k in self.known..d {
            let sum: f64 = (0..=k).map(|j| factor[k * d + j] * white[j]).sum();
            z[self.order[k]] = mean[k] + sum;
        }
    }
}
