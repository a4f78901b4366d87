//! Rows of which some values are known: their density with the others integrated out, and draws of the others.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::error::ModelError;
use super::model::Model;
use crate::flow::Conditionals;
use crate::numeric::log_sum_exp;

/// The conditional densities of a model's flows.
pub(super) struct Completer<'m> {
    model: &'m Model,
    parts: Vec<Conditionals<'m>>,
}

/// A row of which some values are known. Unknown ones are NaN.
pub(super) struct Partial<'a> {
    /// Values as flows take them.
    pub values: &'a [f64],
    pub context: &'a [f64],
}

/// Weighted draws of what is unknown of a row.
#[derive(Default)]
pub(super) struct Completions {
    /// Rows in the units of the file, one after another.
    pub rows: Vec<f64>,
    /// The combination of levels of each.
    pub combinations: Vec<usize>,
    /// Their weights sum to the density of what is known.
    pub log_weights: Vec<f64>,
    /// The standard error of ln p.
    pub error: f64,
}

impl Completions {
    /// ln p of what is known.
    pub fn log_prob(&self) -> f64 {
        log_sum_exp(self.log_weights.iter().copied())
    }

    /// Adds draws of the same row with another context.
    pub fn append(&mut self, other: Completions) {
        self.rows.extend(other.rows);
        self.combinations.extend(other.combinations);
        self.log_weights.extend(other.log_weights);
    }

    /// The weights, with sum 1.
    pub fn shares(&self) -> Vec<f64> {
        let total = self.log_prob();
        self.log_weights.iter().map(|log| if total.is_finite() { (log - total).exp() } else { 0.0 }).collect()
    }

    /// How many independent draws say as much: 1/Σ share² (Kong, Liu, Wong, "Sequential imputations and Bayesian missing data
    /// problems", 1994).
    pub fn effective(&self) -> f64 {
        let squares: f64 = self.shares().iter().map(|share| share * share).sum();
        if squares > 0.0 { 1.0 / squares } else { 0.0 }
    }
}

impl Model {
    /// The conditional densities of its flows.
    ///
    /// # Errors
    /// [`ModelError::Flow`] when a flow has none: couplings.
    pub(super) fn completer(&self) -> Result<Completer<'_>, ModelError> {
        let parts = self.flows.iter().map(|flow| Ok(flow.conditionals()?));
        Ok(Completer { model: self, parts: parts.collect::<Result<_, ModelError>>()? })
    }
}

impl Completer<'_> {
    /// The conditional densities of each flow, with its weight.
    pub fn parts(&self) -> impl Iterator<Item = (f64, &Conditionals<'_>)> {
        self.model.about.weights.iter().copied().zip(&self.parts)
    }

    /// Draws the unknown values of a row about so many times. The seed is that of the row.
    pub fn complete(&self, row: &Partial<'_>, draws: usize, seed: u64) -> Result<Completions, ModelError> {
        let columns = self.model.columns();
        let d = columns.len();
        let known: Vec<bool> = row.values.iter().map(|value| !value.is_nan()).collect();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut all = Completions::default();
        let mut variances = Vec::new();
        for (weight, part) in self.parts() {
            const FEWEST: usize = 32;
            let count = ((draws as f64 * weight).ceil() as usize).max(FEWEST);
            let mut rows = Vec::with_capacity(count * d);
            for _ in 0..count {
                for (value, column) in row.values.iter().zip(columns) {
                    // A known rounded value is a point of its cell.
                    rows.push(match column.cell > 0.0 && !value.is_nan() {
                        true => column.in_cell(*value, random.random::<f64>()),
                        false => *value,
                    });
                }
            }
            let logs = part.complete(&mut rows, &known, row.context, &mut random)?;
            let shift = weight.ln() - (count as f64).ln();
            let mean = log_sum_exp(logs.iter().copied()) - (count as f64).ln();
            let square =
                logs.iter().map(|log| ((log - mean).exp() - 1.0).powi(2)).sum::<f64>() / count as f64;
            // Relative to the largest, below.
            variances.push((weight.ln() + mean, square / count as f64));
            all.rows.extend(rows);
            all.combinations.resize(all.combinations.len() + count, 0);
            all.log_weights.extend(logs.iter().map(|log| log + shift));
        }
        let total = all.log_prob();
        let variance: f64 = variances
            .iter()
            .filter(|(mean, _)| mean.is_finite())
            .map(|(mean, variance)| variance * (2.0 * (mean - total)).exp())
            .sum();
        all.error = variance.sqrt();
        Ok(all)
    }
}
