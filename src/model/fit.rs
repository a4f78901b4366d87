//! Fitting a model to a table: candidates one after another, and weights by the rows that were held out.

use std::time::Instant;

use super::candidates::Found;
use super::error::ModelError;
use super::model::{About, Model, mixture};
use super::options::ModelOptions;
use super::plan::{Trial, plan};
use super::prepare::{columns, given, prepare};
use super::record::{FitRecord, LeftOut, mean_and_error};
use crate::flow::FittedFlow;
use crate::table::{Block, Look};

impl Model {
    /// Fits a density to the columns that a look at the table found usable. Rows with missing cells must have been left
    /// out.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use pushforward::model::{Choice, Model, ModelOptions};
    /// use pushforward::prelude::*;
    /// use pushforward::table::{Block, Kinds, Look};
    ///
    /// let rows: Vec<f64> = (0..300).flat_map(|k| [f64::from(k).sin(), 3.0 + f64::from(k * k).cos()]).collect();
    /// let block = Block::from(&Table::new(&["a", "b"], rows)?);
    /// let look = Look::of(&block, &Kinds::new())?;
    /// let options = ModelOptions { choice: Choice::Gaussian, ..ModelOptions::default() };
    /// let model = Model::fit(&block, &look, options)?;
    ///
    /// let scores = model.score(&block)?;
    /// assert!(scores[0].unwrap().log_prob > -4.0);
    /// let samples = model.sample(5, None, 7)?;
    /// assert_eq!(samples.columns(), ["a", "b"]);
    /// assert_eq!(Model::from_bytes(&model.to_bytes()?)?.sample(5, None, 7)?, samples);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Column`] when no column can be modelled or there are too few rows, and [`ModelError::Flow`].
    pub fn fit(block: &Block, look: &Look, mut options: ModelOptions<'_>) -> Result<Model, ModelError> {
        let start = Instant::now();
        let columns = columns(block, look, &options.given)?;
        let given = given(block, look, &options.given)?;
        let prepared = prepare(block, look, &columns, &given, &options)?;
        let mut found = Found::default();
        let deadline = start + options.time;
        let plan = plan(options.choice, prepared.training.len(), columns.len(), !given.is_empty());
        if plan.is_empty() {
            let problem = "Gaussians and their mixtures are not conditioned on columns: choose auto, coupling or \
                           autoregressive";
            return Err(ModelError::Column(problem.to_string()));
        }
        for (k, trial) in plan.iter().enumerate() {
            let stopped = options.stop.is_some_and(|stop| stop());
            let left = deadline.saturating_duration_since(Instant::now());
            if !found.flows.is_empty() && (stopped || left.is_zero()) {
                break;
            }
            let share = left / shares(&plan, k);
            found.try_one(trial, &prepared, &columns, &mut options, share)?;
        }
        let weights = weights(&found.held_out);
        let mut kept = Vec::new();
        for ((candidate, flow), weight) in found.candidates.iter_mut().zip(found.flows).zip(&weights) {
            candidate.weight = *weight;
            if *weight > 0.0 {
                kept.push((*weight, flow));
            }
        }
        let (weights, flows): (Vec<f64>, Vec<FittedFlow>) = kept.into_iter().unzip();
        let of_kept: Vec<Vec<f64>> = found
            .candidates
            .iter()
            .zip(found.held_out)
            .filter(|(candidate, _)| candidate.weight > 0.0)
            .map(|(_, logs)| logs)
            .collect();
        let (score, error) = mean_and_error(&mixture(&weights, &of_kept));
        let fit = FitRecord {
            seed: options.seed,
            library: env!("CARGO_PKG_VERSION").to_string(),
            rows: prepared.training.len(),
            held_out: prepared.held_out.len(),
            candidates: found.candidates,
            score,
            error,
            centres: prepared.means,
            scales: prepared.deviations,
            left_out: LeftOut::of(look, &options.given),
        };
        let mut model = Model { about: About { columns, given, weights, ranks: Vec::new(), fit }, flows };
        let mut ranks: Vec<f64> =
            model.score(block)?.into_iter().flatten().map(|score| score.log_prob).collect();
        ranks.sort_by(f64::total_cmp);
        const RANKS: usize = 1000;
        if ranks.len() > RANKS {
            ranks = (0..RANKS).map(|k| ranks[(2 * k + 1) * ranks.len() / (2 * RANKS)]).collect();
        }
        model.about.ranks = ranks;
        Ok(model)
    }
}

/// Returns by what the time that is left is divided: the first flow gets half of it, each other trial an equal share.
fn shares(plan: &[Trial], k: usize) -> u32 {
    let is_flow = |trial: &Trial| matches!(trial, Trial::Flow { .. });
    let first = is_flow(&plan[k]) && !plan[..k].iter().any(is_flow);
    let left = (plan.len() - k) as u32;
    if first { left.min(2) } else { left }
}

/// Weights of a mixture that maximise the likelihood of held-out rows, by expectation-maximisation with a prior of one
/// row in all; those below a hundredth, or below two rows, are set to 0.
fn weights(logs: &[Vec<f64>]) -> Vec<f64> {
    let rows = logs.first().map_or(0, Vec::len);
    let mut weights = vec![1.0 / logs.len() as f64; logs.len()];
    for _ in 0..500 {
        let mixed = mixture(&weights, logs);
        let mut next = vec![1.0 / logs.len() as f64; logs.len()];
        for (row, total) in mixed.iter().enumerate().filter(|(_, total)| total.is_finite()) {
            for (k, own) in logs.iter().enumerate() {
                next[k] += (weights[k].ln() + own[row] - total).exp();
            }
        }
        let total: f64 = next.iter().sum();
        weights = next.into_iter().map(|weight| weight / total).collect();
    }
    let least = 0.01_f64.max(2.0 / rows.max(1) as f64).min(0.5 / logs.len() as f64);
    let kept: f64 = weights.iter().filter(|weight| **weight >= least).sum();
    weights.into_iter().map(|weight| if weight >= least { weight / kept } else { 0.0 }).collect()
}
