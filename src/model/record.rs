//! What a model keeps of its fit.

use serde::{Deserialize, Serialize};

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
}

/// The mean of log-likelihoods and its standard error.
pub fn mean_and_error(logs: &[f64]) -> (f64, f64) {
    let count = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    (mean, (variance / count).sqrt())
}
