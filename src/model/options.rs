//! What a fit of a model may be told.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::model::Model;
use super::record::{FitRecord, Reading};
use crate::flow::Progress;

/// Which densities are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Gaussian mixtures and, from [`NETWORK_ROWS`] rows on or where the density is conditional, autoregressive spline flows
    /// in several orders, mixed by their likelihood of the held-out rows. Couplings are no part of it.
    #[default]
    Auto,
    /// One Gaussian with full covariance.
    Gaussian,
    /// Gaussian mixtures.
    Mixture,
    /// Spline coupling flows.
    Coupling,
    /// Autoregressive spline flows.
    Autoregressive,
}

/// With fewer rows to fit to, [`Choice::Auto`] tries no networks: they would remember the rows.
pub const NETWORK_ROWS: usize = 250;

impl Choice {
    /// Whether it can be conditioned on columns.
    pub fn takes_given_columns(self) -> bool {
        !matches!(self, Choice::Gaussian | Choice::Mixture)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Choice::Auto => "auto",
            Choice::Gaussian => "gaussian",
            Choice::Mixture => "mixture",
            Choice::Coupling => "coupling",
            Choice::Autoregressive => "autoregressive",
        })
    }
}

/// Options of [`Model::fit`](crate::model::Model::fit).
pub struct ModelOptions<'a> {
    /// Columns on which the density is conditioned.
    pub given: Vec<String>,
    /// Which densities are tried.
    pub choice: Choice,
    /// About how long it may take. Where this is short, flows are trained for fewer epochs or not at all: then the
    /// result depends on the speed of the machine, otherwise on the seed alone.
    pub time: Duration,
    /// Seed of everything that is random.
    pub seed: u64,
    /// The share of the rows that is held out to choose by.
    pub held_out: f64,
    /// A weight for each row, 0 or more: a row of weight 2 is as good as two of them.
    pub weights: Option<&'a [f64]>,
    /// How the table was read, which the model keeps.
    pub reading: Reading,
    /// Fits the candidates of another fit again, whatever the time: to the same rows with the same options and seed, the
    /// result is the same bit for bit.
    pub like: Option<&'a FitRecord>,
    /// Goes on from a model of the same rows, options and seed, whose fit was ended: its candidates are kept.
    pub resume: Option<Model>,
    /// Is called with the model so far after each candidate: what is left when a fit is ended from outside.
    pub checkpoint: Option<&'a mut dyn FnMut(&Model)>,
    /// Is called when a candidate is begun, and after each of its epochs.
    pub progress: Option<&'a mut dyn FnMut(Trying<'_>)>,
    /// Is asked after each epoch whether to stop; what is best so far is kept.
    pub stop: Option<&'a dyn Fn() -> bool>,
}

impl Default for ModelOptions<'_> {
    fn default() -> Self {
        ModelOptions {
            given: Vec::new(),
            choice: Choice::Auto,
            time: Duration::from_secs(60),
            seed: 0,
            held_out: 0.1,
            weights: None,
            reading: Reading::default(),
            like: None,
            resume: None,
            checkpoint: None,
            progress: None,
            stop: None,
        }
    }
}

/// The candidate that is being fitted.
#[derive(Clone, Copy, Debug)]
pub struct Trying<'a> {
    /// What it is.
    pub candidate: &'a str,
    /// The state of its fit; none for a mixture.
    pub progress: Option<Progress>,
}
