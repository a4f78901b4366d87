//! Maximum likelihood: minibatches, Adam, a held-out part that says when to stop.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::density::{Flow, whole_rows};
use super::error::FlowError;
use super::table::Table;
use super::trainer::Trainer;
use crate::program::{NonFinite, Output, Program};
use crate::tape::Parameters;

/// How to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Seeds the starting values, the held-out rows and the order of the minibatches.
    pub seed: u64,
    /// At most so many passes over the training rows.
    pub epochs: usize,
    /// Rows in a minibatch.
    pub batch: usize,
    /// Adam's step size at the start; it falls to a tenth along a half cosine.
    pub learning_rate: f64,
    /// The share of the rows that is held out to decide when to stop.
    pub held_out: f64,
    /// Stop when the held-out likelihood has not risen for so many epochs.
    pub patience: usize,
    /// Gradients longer than this (Euclidean, over all parameters) are shortened to it.
    pub clip: f64,
}

impl Default for Fit {
    fn default() -> Fit {
        Fit { seed: 0, epochs: 200, batch: 256, learning_rate: 2e-3, held_out: 0.1, patience: 25, clip: 10.0 }
    }
}

/// Where a fit stands after an epoch; log-likelihoods are means in nats a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Progress {
    /// Epochs done, counted from 1; 0 is before the first step.
    pub epoch: usize,
    /// Epochs allowed.
    pub epochs: usize,
    /// Over the training rows, as seen during the epoch; NaN for epoch 0.
    pub training: f64,
    /// Over the held-out rows.
    pub held_out: f64,
    /// The best held-out value so far.
    pub best: f64,
}

/// Why a fit stopped.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stop {
    /// It was never fitted.
    #[default]
    NotFitted,
    /// All epochs were used.
    Epochs,
    /// The held-out likelihood did not rise any more.
    Early,
    /// A loss or gradient was not finite; the parameters are the best from before.
    NonFinite {
        /// The epoch.
        epoch: usize,
        /// The operation and source line where it arose, if one operation is to blame.
        origin: Option<NonFinite>,
    },
}

/// How a fit went; the parameters kept are those of the best epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// After each epoch, from 0 (before the first step) on.
    pub epochs: Vec<Progress>,
    /// The epoch whose parameters were kept.
    pub best_epoch: usize,
    /// Why it stopped.
    pub stop: Stop,
}

impl Fit {
    fn check(&self, rows: usize) -> Result<(), FlowError> {
        let setting = |name, value: String, allowed| Err(FlowError::Setting { name, value, allowed });
        if self.batch == 0 {
            return setting("batch", "0".into(), "at least 1");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return setting("learning_rate", self.learning_rate.to_string(), "a positive number");
        }
        if !(self.held_out > 0.0 && self.held_out < 1.0) {
            return setting("held_out", self.held_out.to_string(), "between 0 and 1");
        }
        if self.clip.is_nan() || self.clip <= 0.0 {
            return setting("clip", self.clip.to_string(), "positive (f64::INFINITY for no clipping)");
        }
        const LEAST: usize = 10;
        if rows < LEAST { Err(FlowError::TooFew { rows, least: LEAST }) } else { Ok(()) }
    }
}

/// Fits, and keeps the parameters of the best epoch.
pub(super) fn train(
    flow: &Flow,
    data: &Table,
    contexts: Option<&Table>,
    settings: &Fit,
    mut progress: impl FnMut(Progress),
) -> Result<(Parameters, History), FlowError> {
    let d = flow.dim();
    if data.width() != d {
        return Err(FlowError::Width { expected: d, given: data.width() });
    }
    settings.check(whole_rows(data.values(), d)?)?;
    let width = contexts.map_or(0, Table::width);
    if width != flow.context() {
        return Err(FlowError::Context { expected: flow.context(), given: width });
    }
    let seen = contexts.map_or(&[][..], Table::values);
    let count = whole_rows(seen, width.max(1))?;
    if width > 0 && count != data.rows() {
        return Err(FlowError::ContextRows { rows: data.rows(), contexts: count });
    }
    let context_of = |row: usize| &seen[row * width..(row + 1) * width];
    let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
    let mut order: Vec<usize> = (0..data.rows()).collect();
    shuffle(&mut order, &mut random);
    let kept_out = ((data.rows() as f64 * settings.held_out).round() as usize).clamp(1, data.rows() - 1);
    let held_out: Vec<f64> = order[..kept_out].iter().flat_map(|row| data.row(*row).to_vec()).collect();
    let held_out_contexts: Vec<f64> =
        order[..kept_out].iter().flat_map(|row| context_of(*row).to_vec()).collect();
    let mut training = order.split_off(kept_out);

    let density = flow.density()?;
    let inputs = density.inputs().len();
    let mut score = Program::compile(&density.tape, &density.inputs(), &[Output::Sum(density.log_prob)]);
    let parameters = Parameters::initialise(&density.tape, settings.seed);
    let mut trainer = Trainer::<f64>::on(&density, parameters.clone(), settings.learning_rate)?;
    trainer.set_clip(settings.clip);
    let mut evaluate = |parameters: &Parameters| -> Result<f64, FlowError> {
        score.load(parameters)?;
        Ok(score.run(&[held_out.as_slice(), &held_out_contexts][..inputs], kept_out)?[0][0] / kept_out as f64)
    };

    let mut best = parameters.clone();
    let start = evaluate(&parameters)?;
    let mut history = History { stop: Stop::Epochs, ..History::default() };
    let epochs = settings.epochs;
    let told = Progress { epoch: 0, epochs, training: f64::NAN, held_out: start, best: start };
    progress(told);
    history.epochs.push(told);
    let mut best_score = start;
    let mut rows = Vec::with_capacity(settings.batch * d);
    let mut given = Vec::with_capacity(settings.batch * width);
    let batches = training.len().div_ceil(settings.batch);
    for epoch in 1..=epochs {
        shuffle(&mut training, &mut random);
        let mut total = 0.0;
        for (number, batch) in training.chunks(settings.batch).enumerate() {
            let done = ((epoch - 1) * batches + number) as f64 / (epochs * batches) as f64;
            trainer.set_learning_rate(settings.learning_rate * cosine(done));
            rows.clear();
            batch.iter().for_each(|row| rows.extend_from_slice(data.row(*row)));
            given.clear();
            batch.iter().for_each(|row| given.extend_from_slice(context_of(*row)));
            let both = &[rows.as_slice(), &given][..inputs];
            let Some(loss) = trainer.try_step(both, batch.len())? else {
                let origin = trainer.origin(both, batch.len())?;
                history.stop = Stop::NonFinite { epoch, origin };
                return Ok((best, history));
            };
            total += loss * batch.len() as f64;
        }
        let parameters = trainer.parameters();
        let held_out = evaluate(parameters)?;
        if held_out > best_score || (best_score.is_nan() && held_out.is_finite()) {
            best_score = held_out;
            best = parameters.clone();
            history.best_epoch = epoch;
        }
        let training = -total / training.len() as f64;
        let told = Progress { epoch, epochs, training, held_out, best: best_score };
        progress(told);
        history.epochs.push(told);
        if epoch - history.best_epoch >= settings.patience {
            history.stop = Stop::Early;
            break;
        }
    }
    Ok((best, history))
}

/// From 1 down to 1/10 along a half cosine.
fn cosine(done: f64) -> f64 {
    0.1 + 0.9 * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}

/// Fisher and Yates.
fn shuffle(rows: &mut [usize], random: &mut ChaCha8Rng) {
    for last in (1..rows.len()).rev() {
        rows.swap(last, random.random_range(0..=last));
    }
}
