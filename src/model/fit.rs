//! Fitting a model to a table: candidates, flows of small batches several at a time, and weights by the rows that were held out.

use std::time::Instant;

use super::candidates::Found;
use super::categories::Categories;
use super::error::ModelError;
use super::model::{About, Model, mixture};
use super::options::ModelOptions;
use super::plan::{Group, like, plan, side_by_side};
use super::prepare::{Prepared, columns, given, prepare};
use super::record::{Candidate, FitRecord, Recipe, shares_of, weighted_mean_and_error};
use super::task::{Task, Times};
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
    /// assert_eq!(samples.numbers()?.columns(), ["a", "b"]);
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
        let categories = Categories::fit(block, look, &options.given, options.weights)?;
        let prepared = prepare(block, look, &columns, (&given, categories.as_ref()), &options)?;
        let mut found = Found::default();
        // What is done at the end takes a little, too.
        let deadline = start + options.time.mul_f64(0.95);
        let plan = match options.like {
            Some(record) => like(record),
            None => {
                let conditional = prepared.contexts.is_some();
                plan(options.choice, prepared.training.len(), columns.len(), conditional)
            }
        };
        if plan.is_empty() {
            let problem = match options.like {
                Some(_) => "the other fit does not say how its candidates were fitted",
                None => {
                    "Gaussians and their mixtures are not conditioned on columns or categories: choose auto, \
                     coupling or autoregressive"
                }
            };
            return Err(ModelError::Column(problem.to_string()));
        }
        let before = options.resume.take();
        let mut checkpoint = options.checkpoint.take();
        let reading = std::mem::take(&mut options.reading);
        let mut task = Task { prepared: &prepared, columns: &columns, options: &mut options };
        if let Some(model) = before {
            let same = model.columns() == columns && model.given() == given;
            if !same
                || model.categories().map(|all| &all.columns) != categories.as_ref().map(|all| &all.columns)
            {
                let problem = "the model to go on from has other columns".to_string();
                return Err(ModelError::Column(problem));
            }
            found.resume(model, &task)?;
        }
        let about = |fit: FitRecord, weights: Vec<f64>| About {
            columns: columns.clone(),
            given: given.clone(),
            categories: categories.clone(),
            weights,
            ranks: Vec::new(),
            usual: Vec::new(),
            reading: reading.clone(),
            fit,
        };
        let seed = task.options.seed;
        let groups = side_by_side(&plan, rayon::current_num_threads());
        for (k, Group { trials, threads }) in groups.iter().enumerate() {
            let rounds_after = groups[k + 1..].iter().map(Group::rounds).sum();
            let times = Times { deadline, rounds_after };
            let stopped = task.options.stop.is_some_and(|stop| stop());
            let late = times.left().is_zero() && task.options.like.is_none();
            if found.is_something() && (stopped || late) {
                break;
            }
            let mut after = |found: &mut Found| match &mut checkpoint {
                Some(checkpoint) => with_model(found, &prepared, seed, &about, |model| checkpoint(model)),
                None => Ok(()),
            };
            found.try_group(&plan[trials.clone()], &mut task, (times, *threads), &mut after)?;
        }
        let (record, mut flows) = weighed(found, &prepared, options.seed);
        let task = Task { prepared: &prepared, columns: &columns, options: &mut options };
        // Weights are those of fits without the held-out rows; a mixture is then fitted to these too.
        let kept = record.candidates.iter().filter(|candidate| candidate.weight > 0.0);
        for (candidate, (flow, _)) in kept.zip(&mut flows) {
            if let Some(Recipe::Mixture { components }) = candidate.recipe {
                *flow = task.refitted(components)?;
            }
        }
        let weights =
            record.candidates.iter().map(|candidate| candidate.weight).filter(|weight| *weight > 0.0);
        let about = about(record.clone(), weights.collect());
        let mut model = Model { about, flows: flows.into_iter().map(|(flow, _)| flow).collect() };
        // Of many rows some say as well how likely rows are; a row with rounded values is many points.
        let step = (block.rows() * model.points()).div_ceil(RANKED).max(1);
        let some = block.filter(|row| row % step == 0);
        let scores = model.score(&some)?.into_iter().flatten().map(|score| score.log_prob);
        model.about.ranks = shares_of(scores.collect(), 1000);
        model.about.usual = model.usual(block)?;
        Ok(model)
    }
}

/// The most points that are scored for the ranks of later rows.
const RANKED: usize = 1 << 16;

/// A flow with ln p of the held-out rows.
type Scored = (FittedFlow, Vec<f64>);

/// Weighs candidates by the held-out rows; returns the flows that have a weight, in order.
fn weighed(mut found: Found, prepared: &Prepared, seed: u64) -> (FitRecord, Vec<Scored>) {
    let (candidates, flows) = weigh(&mut found, prepared);
    let flows: Vec<Scored> = flows.into_iter().map(|(_, scored)| scored).collect();
    (record(candidates, &flows, prepared, seed), flows)
}

/// Sets the weights of candidates; takes the flows that have one, with their places.
fn weigh(found: &mut Found, prepared: &Prepared) -> (Vec<Candidate>, Vec<(usize, Scored)>) {
    let row_weights = prepared.weights_of(&prepared.held_out);
    let fitted: Vec<usize> =
        (0..found.entries.len()).filter(|k| found.entries[*k].fitted.is_some()).collect();
    let logs: Vec<&[f64]> = found
        .entries
        .iter()
        .filter_map(|entry| entry.fitted.as_ref())
        .map(|(_, logs)| logs.as_slice())
        .collect();
    let weights = weights(&logs, row_weights.as_deref());
    found.entries.iter_mut().for_each(|entry| entry.candidate.weight = 0.0);
    let mut flows = Vec::new();
    for (k, weight) in fitted.into_iter().zip(weights) {
        let entry = &mut found.entries[k];
        entry.candidate.weight = weight;
        if weight > 0.0 {
            flows.extend(entry.fitted.take().map(|fitted| (k, fitted)));
        }
    }
    (found.entries.iter().map(|entry| entry.candidate.clone()).collect(), flows)
}

fn record(candidates: Vec<Candidate>, flows: &[Scored], prepared: &Prepared, seed: u64) -> FitRecord {
    let row_weights = prepared.weights_of(&prepared.held_out);
    let weights: Vec<f64> =
        candidates.iter().map(|candidate| candidate.weight).filter(|weight| *weight > 0.0).collect();
    let logs: Vec<&[f64]> = flows.iter().map(|(_, logs)| logs.as_slice()).collect();
    let (score, error) = weighted_mean_and_error(&mixture(&weights, &logs), row_weights.as_deref());
    FitRecord {
        seed,
        library: env!("CARGO_PKG_VERSION").to_string(),
        rows: prepared.training.len(),
        held_out: prepared.held_out.len(),
        candidates,
        score,
        error,
        centres: prepared.means.clone(),
        scales: prepared.deviations.clone(),
        left_out: prepared.left_out.clone(),
    }
}

/// Shows the model so far, and puts its flows back.
fn with_model(
    found: &mut Found,
    prepared: &Prepared,
    seed: u64,
    about: &dyn Fn(FitRecord, Vec<f64>) -> About,
    mut show: impl FnMut(&Model),
) -> Result<(), ModelError> {
    let (candidates, flows) = weigh(found, prepared);
    let (places, scored): (Vec<usize>, Vec<Scored>) = flows.into_iter().unzip();
    let weights: Vec<f64> = places.iter().map(|k| found.entries[*k].candidate.weight).collect();
    let fit = record(candidates, &scored, prepared, seed);
    let (flows, logs): (Vec<FittedFlow>, Vec<Vec<f64>>) = scored.into_iter().unzip();
    let of_all = mixture(&weights, &logs.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut model = Model { about: about(fit, weights), flows };
    model.about.ranks = shares_of(of_all, 1000);
    show(&model);
    for ((k, flow), logs) in places.into_iter().zip(model.flows).zip(logs) {
        found.entries[k].fitted = Some((flow, logs));
    }
    Ok(())
}

/// Weights of a mixture that maximise the likelihood of held-out rows, by expectation-maximisation with a prior of one
/// row in all; those below a hundredth, or below two rows, are set to 0.
fn weights(logs: &[&[f64]], row_weights: Option<&[f64]>) -> Vec<f64> {
    let rows = logs.first().map_or(0, |logs| logs.len());
    let sum = row_weights.map_or(1.0, |weights| weights.iter().sum::<f64>() / rows as f64);
    let of_row = |row: usize| row_weights.map_or(1.0, |weights| weights[row] / sum);
    // Densities relative to the largest one of each row; a row that all give no probability says nothing.
    let mut densities = Vec::with_capacity(rows * logs.len());
    let mut counts = Vec::with_capacity(rows);
    for row in 0..rows {
        let largest = logs.iter().map(|logs| logs[row]).fold(f64::NEG_INFINITY, f64::max);
        if largest.is_finite() {
            densities.extend(logs.iter().map(|logs| (logs[row] - largest).exp()));
            counts.push(of_row(row));
        }
    }
    let mut weights = vec![1.0 / logs.len() as f64; logs.len()];
    for _ in 0..500 {
        let mut next = vec![1.0 / logs.len() as f64; logs.len()];
        for (densities, count) in densities.chunks(logs.len()).zip(&counts) {
            let total: f64 = weights.iter().zip(densities).map(|(weight, density)| weight * density).sum();
            for (next, (weight, density)) in next.iter_mut().zip(weights.iter().zip(densities)) {
                *next += count * weight * density / total;
            }
        }
        let total: f64 = next.iter().sum();
        next.iter_mut().for_each(|weight| *weight /= total);
        let change =
            weights.iter().zip(&next).map(|(weight, next)| (weight - next).abs()).fold(0.0, f64::max);
        weights = next;
        if change < 1e-9 {
            break;
        }
    }
    let least = 0.01_f64.max(2.0 / rows.max(1) as f64).min(0.5 / logs.len() as f64);
    let kept: f64 = weights.iter().filter(|weight| **weight >= least).sum();
    weights.into_iter().map(|weight| if weight >= least { weight / kept } else { 0.0 }).collect()
}
