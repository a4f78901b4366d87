//! Comparing densities of a table by cross-validation.
//!
//! The rows are dealt into folds, equal rows into one. Each density is fitted to all folds but one and scores the rows
//! of that one, so that every row has a ln p of a fit that did not see it. Densities are compared row by row: the error
//! of a mean difference is much smaller than the errors of the means, as rows that are unlikely are so under all of them.
//!
//! The errors take rows as independent. Fits of different folds share rows, which they leave out of account (Bengio and
//! Grandvalet, "No unbiased estimator of the variance of k-fold cross-validation", 2004).

use std::time::{Duration, Instant};

use serde::Serialize;

use super::error::ModelError;
use super::model::Model;
use super::options::{Choice, ModelOptions, Trying};
use super::prepare::deal_groups;
use super::record::weighted_mean_and_error;
use crate::table::{Block, Look};

/// Options of [`Comparison::of`].
pub struct CompareOptions<'a> {
    /// Columns on which the densities are conditioned.
    pub given: Vec<String>,
    /// The densities to compare.
    pub choices: Vec<Choice>,
    /// The number of folds.
    pub folds: usize,
    /// About how long each fit may take.
    pub time: Duration,
    /// Seed of the folds and of the fits.
    pub seed: u64,
    /// A weight for each row, 0 or more, in fits and in means: a row of weight 2 is as good as two of them, one of weight
    /// 0 counts for nothing.
    pub weights: Option<&'a [f64]>,
    /// Is called when a fit is begun, and with its progress.
    pub progress: Option<&'a mut dyn FnMut(Comparing<'_>)>,
    /// Is asked whether to stop; the folds that were completed are compared.
    pub stop: Option<&'a dyn Fn() -> bool>,
}

impl Default for CompareOptions<'_> {
    fn default() -> Self {
        CompareOptions {
            given: Vec::new(),
            choices: vec![
                Choice::Gaussian,
                Choice::Mixture,
                Choice::Coupling,
                Choice::Autoregressive,
                Choice::Auto,
            ],
            folds: 5,
            time: Duration::from_secs(60),
            seed: 0,
            weights: None,
            progress: None,
            stop: None,
        }
    }
}

/// The fit that a comparison is at.
#[derive(Clone, Copy, Debug)]
pub struct Comparing<'a> {
    /// The number of fits that are done.
    pub done: usize,
    /// The number of fits in all.
    pub fits: usize,
    /// The density that is fitted.
    pub choice: Choice,
    /// The state of its fit.
    pub trying: Trying<'a>,
}

/// Densities of one table, compared on rows that their fits did not see.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The number of rows that the means are of.
    pub rows: usize,
    /// Rows that some density gives no probability: they are in no mean.
    pub impossible: usize,
    /// The number of folds that were completed.
    pub folds: usize,
    /// The seed.
    pub seed: u64,
    /// The densities, in the order that was asked for.
    pub densities: Vec<Compared>,
    /// The place of the best density: of those with the fewest impossible rows the one with the largest mean.
    pub best: usize,
}

/// A density of a comparison; ln p is in nats, in the units of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Which density.
    pub choice: Choice,
    /// Mean ln p of rows that its fits did not see.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
    /// The mean difference to the best density, row by row; 0 for the best.
    pub difference: f64,
    /// The standard error of the difference.
    pub difference_error: f64,
    /// Seconds of a fit, on average.
    pub seconds: f64,
    /// Rows to which it gives no probability.
    pub impossible: usize,
}

impl Comparison {
    /// Compares densities of the columns that a look at the table found usable. Rows with missing cells must have been
    /// left out.
    ///
    /// ```
    /// use pushforward::model::{Choice, CompareOptions, Comparison};
    /// use pushforward::prelude::*;
    /// use pushforward::table::{Block, Kinds, Look};
    ///
    /// // Two clusters: a mixture of Gaussians is better than one.
    /// let value = |k: u32| f64::from(k % 2) * 20.0 + f64::from(k).sin();
    /// let block = Block::from(&Table::new(&["x"], (0..200).map(value).collect())?);
    /// let look = Look::of(&block, &Kinds::new())?;
    /// let choices = vec![Choice::Gaussian, Choice::Mixture];
    /// let comparison = Comparison::of(&block, &look, CompareOptions { choices, ..CompareOptions::default() })?;
    ///
    /// assert_eq!(comparison.best, 1);
    /// let gaussian = &comparison.densities[0];
    /// assert!(gaussian.difference < -10.0 * gaussian.difference_error);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Column`] for fewer than two folds or more than there are different rows, for no density, for weights
    /// that are not one a row, and when it is stopped before the first fold is completed; otherwise as [`Model::fit`].
    pub fn of(block: &Block, look: &Look, mut options: CompareOptions<'_>) -> Result<Comparison, ModelError> {
        let refused = |problem: &str| Err(ModelError::Column(problem.to_string()));
        if options.choices.is_empty() {
            return refused("there is no density to compare");
        }
        if options.folds < 2 {
            return refused("a comparison needs two folds at least: one to fit to, and one to score");
        }
        if options.weights.is_some_and(|weights| weights.len() != block.rows()) {
            return refused("a comparison needs one weight for each row");
        }
        let fold_of = deal_groups(&look.groups, options.folds, options.seed);
        if (0..options.folds).any(|fold| !fold_of.contains(&fold)) {
            let problem = format!("there are too few different rows for {} folds", options.folds);
            return Err(ModelError::Column(problem));
        }
        let mut logs = vec![vec![f64::NAN; block.rows()]; options.choices.len()];
        let mut seconds = vec![0.0; options.choices.len()];
        let mut folds = 0;
        let stopped = || options.stop.is_some_and(|stop| stop());
        let fits = options.folds * options.choices.len();
        'folds: for fold in 0..options.folds {
            let (training, test) = (block.filter(|row| fold_of[row] != fold), rows_of(&fold_of, fold));
            let of_test = block.filter(|row| fold_of[row] == fold);
            let weights: Option<Vec<f64>> = options.weights.map(|weights| {
                let rows = weights.iter().zip(&fold_of).filter(|(_, other)| **other != fold);
                rows.map(|(weight, _)| *weight).collect()
            });
            // The columns are the same for all folds, and only rows are left out.
            let groups = look.groups.iter().zip(&fold_of).filter(|(_, other)| **other != fold);
            let look = Look {
                rows: training.rows(),
                groups: groups.map(|(group, _)| *group).collect(),
                ..look.clone()
            };
            for (k, choice) in options.choices.iter().enumerate() {
                let (start, done) = (Instant::now(), fold * options.choices.len() + k);
                let progress = &mut options.progress;
                let mut tell = |trying: Trying<'_>| {
                    progress.iter_mut().for_each(|show| {
                        show(Comparing { done, fits, choice: *choice, trying });
                    });
                };
                let fit = ModelOptions {
                    given: options.given.clone(),
                    choice: *choice,
                    time: options.time,
                    seed: options.seed,
                    weights: weights.as_deref(),
                    progress: Some(&mut tell),
                    stop: options.stop,
                    ..ModelOptions::default()
                };
                let model = Model::fit(&training, &look, fit)?;
                if stopped() {
                    break 'folds;
                }
                seconds[k] += start.elapsed().as_secs_f64();
                for (row, score) in test.iter().zip(model.score(&of_test)?) {
                    logs[k][*row] = score.map_or(f64::NAN, |score| score.log_prob);
                }
            }
            folds += 1;
        }
        if folds == 0 {
            return refused(
                "it was stopped before all densities were fitted once: there is nothing to compare",
            );
        }
        let counts = |row: &usize| options.weights.is_none_or(|weights| weights[*row] > 0.0);
        let scored: Vec<usize> =
            (0..block.rows()).filter(|row| fold_of[*row] < folds).filter(counts).collect();
        seconds.iter_mut().for_each(|seconds| *seconds /= folds as f64);
        Ok(Comparison::from_logs(&options, &logs, &scored, &seconds, folds))
    }

    fn from_logs(
        options: &CompareOptions<'_>,
        logs: &[Vec<f64>],
        scored: &[usize],
        seconds: &[f64],
        folds: usize,
    ) -> Comparison {
        let possible = |row: &&usize| logs.iter().all(|logs| logs[**row].is_finite());
        let rows: Vec<usize> = scored.iter().filter(possible).copied().collect();
        let weights: Option<Vec<f64>> =
            options.weights.map(|weights| rows.iter().map(|row| weights[*row]).collect());
        let mean_of = |value: &dyn Fn(usize) -> f64| {
            let values: Vec<f64> = rows.iter().map(|row| value(*row)).collect();
            weighted_mean_and_error(&values, weights.as_deref())
        };
        let impossible = |logs: &[f64]| scored.iter().filter(|row| !logs[**row].is_finite()).count();
        let rank = |k: &usize| (impossible(&logs[*k]), -mean_of(&|row| logs[*k][row]).0);
        let better = |a: &usize, b: &usize| {
            let (a, b) = (rank(a), rank(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        };
        let best = (0..logs.len()).min_by(better).unwrap_or(0);
        let densities = options.choices.iter().enumerate().map(|(k, choice)| {
            let (mean, error) = mean_of(&|row| logs[k][row]);
            let (difference, difference_error) = mean_of(&|row| logs[k][row] - logs[best][row]);
            let impossible = impossible(&logs[k]);
            Compared {
                choice: *choice,
                mean,
                error,
                difference,
                difference_error,
                seconds: seconds[k],
                impossible,
            }
        });
        Comparison {
            rows: rows.len(),
            impossible: scored.len() - rows.len(),
            folds,
            seed: options.seed,
            densities: densities.collect(),
            best,
        }
    }
}

fn rows_of(fold_of: &[usize], fold: usize) -> Vec<usize> {
    (0..fold_of.len()).filter(|row| fold_of[*row] == fold).collect()
}
