//! What a model keeps of its fit.

use serde::{Deserialize, Serialize};

use super::architecture::Architecture;
use crate::flow::History;
use crate::table::{Look, Treatment};

/// A candidate of a fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// What it is: `Gaussian mixture, 6 components`.
    pub name: String,
    /// Mean ln p of the held-out rows, in the units of the file.
    pub held_out: f64,
    /// Its standard error.
    pub error: f64,
    /// The seconds that its fit took.
    pub seconds: f64,
    /// Its weight in the model; 0 if it is not part of it.
    pub weight: f64,
    /// What it takes to fit it again; `None` in files of older versions.
    #[serde(default)]
    pub recipe: Option<Recipe>,
    /// Its learning curve: some of its epochs, the first, the last and the best among them. Empty for what is not
    /// trained by epochs, and in files of versions that did not keep it.
    #[serde(default)]
    pub epochs: Vec<Epoch>,
}

/// What it takes to fit a candidate again to the same rows, bit for bit, whatever the time that it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    /// A Gaussian mixture.
    Mixture {
        /// The number of components.
        components: usize,
    },
    /// A flow.
    Flow {
        /// Its layers.
        architecture: Architecture,
        /// Rows of a minibatch.
        batch: usize,
        /// The epochs of the schedule of the learning rate.
        epochs: usize,
        /// The epoch after which training ended, by itself or because it was asked to.
        trained: usize,
        /// Which of several flows of this sort it is.
        seed: u64,
    },
}

/// A point of a learning curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The number of epochs done.
    pub epoch: usize,
    /// Mean ln p of the training rows, as seen during the epoch, of standardised columns.
    pub training: f64,
    /// Mean ln p of the held-out rows after it, of standardised columns.
    pub held_out: f64,
}

impl Epoch {
    /// Thins the course of a fit to at most 60 epochs.
    pub(super) fn of(history: &History) -> Vec<Epoch> {
        const MOST: usize = 60;
        let finite: Vec<Epoch> = history
            .epochs
            .iter()
            .map(|told| Epoch { epoch: told.epoch, training: told.training, held_out: told.held_out })
            .filter(|point| point.training.is_finite() && point.held_out.is_finite())
            .collect();
        if finite.len() <= MOST {
            return finite;
        }
        // Room for the best one, which may lie between.
        let mut places: Vec<usize> = (0..MOST - 1).map(|k| k * (finite.len() - 1) / (MOST - 2)).collect();
        places.extend(finite.iter().position(|point| point.epoch == history.best_epoch));
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| finite[place]).collect()
    }
}

/// A column of the table of a fit that is no part of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Why it was left out.
    pub why: String,
}

impl LeftOut {
    /// The columns that a look at the table leaves out, but for those that are given.
    pub(super) fn of(look: &Look, given: &[String]) -> Vec<LeftOut> {
        let out = look.columns.iter().filter(|column| {
            matches!(column.treatment, Treatment::LeftOut | Treatment::Dependent)
                && !given.contains(&column.name)
        });
        out.map(|column| {
            let relation = look.relations.iter().find(|relation| relation.column == column.name);
            let why = match relation {
                Some(relation) => format!("it follows from others: {relation}"),
                None => format!("{}: {}", column.kind.name(), column.why),
            };
            LeftOut { name: column.name.clone(), why }
        })
        .collect()
    }
}

/// How the table of a fit was read: new rows are read in the same way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Cells that mean a missing value, beside those that always do.
    #[serde(default)]
    pub missing_markers: Vec<String>,
    /// The columns that were read, also those that are no part of the model: a row in which one of them was missing may have
    /// been left out.
    #[serde(default)]
    pub columns: Vec<String>,
}

/// How a model was fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitRecord {
    /// The seed.
    pub seed: u64,
    /// The library's version.
    pub library: String,
    /// The number of rows fitted to.
    pub rows: usize,
    /// The number of rows held out to choose by.
    pub held_out: usize,
    /// The candidates in the order in which they were tried.
    pub candidates: Vec<Candidate>,
    /// Mean ln p of the held-out rows under the model.
    pub score: f64,
    /// Its standard error.
    pub error: f64,
    /// The centre of each column over the training rows, on the real line (of ln x for a positive column). Empty in
    /// files of versions that did not keep it.
    #[serde(default)]
    pub centres: Vec<f64>,
    /// The scale of each column over the training rows, on the real line.
    #[serde(default)]
    pub scales: Vec<f64>,
    /// The columns of the table that are no part of the model.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
}

/// What a column is like in the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Usual {
    /// Its values as flows take them, at equal shares, ascending.
    pub values: Vec<f64>,
    /// Its contributions to ln p, at equal shares, ascending; none for a model of couplings.
    pub contributions: Vec<f64>,
}

/// Values in ascending order; of many, about so many at equal shares.
pub(super) fn shares_of(mut values: Vec<f64>, most: usize) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    if values.len() <= most {
        return values;
    }
    (0..most).map(|k| values[(2 * k + 1) * values.len() / (2 * most)]).collect()
}

/// The weighted mean of log-likelihoods and its standard error; a row of weight 0 counts for nothing.
pub fn weighted_mean_and_error(logs: &[f64], weights: Option<&[f64]>) -> (f64, f64) {
    let Some(weights) = weights else { return mean_and_error(logs) };
    let counted = || logs.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
    let total: f64 = counted().map(|(_, weight)| weight).sum();
    let mean = counted().map(|(log, weight)| weight * log).sum::<f64>() / total;
    let square: f64 = counted().map(|(log, weight)| (weight * (log - mean)).powi(2)).sum();
    let count = counted().count() as f64;
    (mean, (square * count / (count - 1.0).max(1.0)).sqrt() / total)
}

/// The mean of log-likelihoods and its standard error.
pub fn mean_and_error(logs: &[f64]) -> (f64, f64) {
    let count = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    (mean, (variance / count).sqrt())
}
