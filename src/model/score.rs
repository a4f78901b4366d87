//! The density of rows.

use serde::Serialize;

use super::column::{ModelColumn, values};
use super::complete::Partial;
use super::error::ModelError;
use super::model::Model;
use crate::flow::FlowError;
use crate::numeric::log_sum_exp;
use crate::table::Block;

/// The density of a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Score {
    /// ln p in the units of the file; -∞ where the density is 0. For a row with rounded values it is that of the mean
    /// density of its cell; for a row in which values are missing, of those that are there.
    pub log_prob: f64,
    /// The standard error of ln p where it is a mean: over points of a cell, as if these were random (they are spread
    /// evenly, so it is an upper estimate), and over draws of missing values. 0 where ln p is exact.
    pub error: f64,
    /// The share of the training rows, or of an even selection of many, that are less likely; `None` where values are
    /// missing.
    pub rank: Option<f64>,
}

/// Points of the cell of a row with rounded values.
const CELL_POINTS: usize = 32;
/// Draws of missing values.
const DRAWS: usize = 256;

impl Model {
    /// Returns the density of each row.
    ///
    /// A row in which some modelled values are missing has the density of the others: the missing ones are integrated
    /// out, exactly by Gaussian mixtures and where they come last in the order of a flow, and by importance sampling
    /// otherwise ([`Conditionals`](crate::flow::Conditionals)). `None` for a row without any value, and for one with missing values
    /// if the model has couplings, which do not give that density.
    ///
    /// # Errors
    /// [`ModelError::Table`] for a column that is not there, [`ModelError::Column`] for a given value that cannot be used,
    /// and [`ModelError::Flow`] where a density that should exist cannot be computed.
    pub fn score(&self, block: &Block) -> Result<Vec<Option<Score>>, ModelError> {
        let d = self.columns().len();
        let rows = values(self.columns(), block, false)?;
        let contexts = self.contexts(block)?;
        let values = |row: usize| &rows[row * d..(row + 1) * d];
        let has_holes = |row: usize| values(row).iter().any(|value| value.is_nan());
        let points = self.points();
        let cells = CellPoints::new(self.columns());
        let (mut inputs, mut beside) = (Vec::new(), Vec::new());
        for k in (0..contexts.len()).filter(|k| !has_holes(contexts.rows[*k])) {
            for point in 0..points {
                cells.push(values(contexts.rows[k]), point, &mut inputs);
                beside.extend_from_slice(contexts.of(k));
            }
        }
        let logs = self.log_prob_of(&inputs, &beside)?;
        let mut logs = logs.chunks(points).map(log_mean);
        let mut completer = None;
        let mut scores = Vec::with_capacity(block.rows());
        let mut next = 0;
        for row in 0..block.rows() {
            let options =
                next..next + contexts.rows[next..].iter().take_while(|other| **other == row).count();
            next = options.end;
            let one_of_many = options.len() > 1;
            if !has_holes(row) {
                let own = options.clone().map(|k| (contexts.logs[k], logs.next().expect("one a context")));
                let (log_prob, error) = total(&own.collect::<Vec<_>>());
                let ranks = &self.about.ranks;
                let below = ranks.partition_point(|rank| *rank < log_prob);
                let rank = (!one_of_many).then(|| below as f64 / ranks.len().max(1) as f64);
                scores.push(Some(Score { log_prob, error, rank }));
                continue;
            }
            // A row of categories alone has their probability; a row without anything has none.
            let nothing = values(row).iter().all(|value| value.is_nan());
            let all_combinations = self.categories().is_none_or(|all| options.len() == all.shares.len());
            if nothing && all_combinations {
                scores.push(None);
                continue;
            }
            if completer.is_none() {
                completer = match self.completer() {
                    Ok(completer) => Some(completer),
                    Err(ModelError::Flow(FlowError::NoOrder { .. })) => None,
                    Err(error) => return Err(error),
                };
            }
            let Some(completer) = &completer else {
                scores.push(None);
                continue;
            };
            let mut own = Vec::new();
            for k in options {
                let partial = Partial { values: values(row), context: contexts.of(k) };
                let drawn = completer.complete(&partial, DRAWS, block.lines()[row]);
                let drawn = drawn.map_err(|error| self.far_error(error, values(row)))?;
                own.push((contexts.logs[k], (drawn.log_prob(), drawn.error)));
            }
            let (log_prob, error) = total(&own);
            scores.push(Some(Score { log_prob, error, rank: None }));
        }
        Ok(scores)
    }

    /// The number of points at which the density of a row is computed.
    pub(super) fn points(&self) -> usize {
        if self.has_cells() { CELL_POINTS } else { 1 }
    }

    pub(super) fn has_cells(&self) -> bool {
        self.columns().iter().any(|column| column.cell > 0.0)
    }
}

/// The points of cells: the same ones for every row.
struct CellPoints<'a> {
    columns: &'a [ModelColumn],
    /// By column the step of its sequence; 0 for the first rounded column, `None` for one that is not rounded.
    steps: Vec<Option<f64>>,
}

impl CellPoints<'_> {
    /// Midpoints for the first rounded column, and for others a Kronecker sequence whose steps are powers of the root of
    /// xⁿ⁺¹ = x + 1 (Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018).
    fn new(columns: &[ModelColumn]) -> CellPoints<'_> {
        let cells = columns.iter().filter(|column| column.cell > 0.0).count();
        let root = (0..64).fold(2.0_f64, |root, _| (1.0 + root).powf(1.0 / cells.max(1) as f64));
        let (mut step, mut first) = (1.0, true);
        let mut of = |column: &ModelColumn| {
            if column.cell == 0.0 {
                return None;
            }
            if std::mem::take(&mut first) {
                return Some(0.0);
            }
            step /= root;
            Some(step)
        };
        let steps = columns.iter().map(&mut of).collect();
        CellPoints { columns, steps }
    }

    /// Appends a point of the cell of a row.
    fn push(&self, values: &[f64], point: usize, into: &mut Vec<f64>) {
        for ((value, column), step) in values.iter().zip(self.columns).zip(&self.steps) {
            into.push(step.map_or(*value, |step| column.in_cell(*value, share(step, point))));
        }
    }
}

/// Where a point lies in the cell of a column with this step, from its start (0) to its end (1).
fn share(step: f64, point: usize) -> f64 {
    match step {
        0.0 => (point as f64 + 0.5) / CELL_POINTS as f64,
        step => (0.5 + step * point as f64).fract(),
    }
}

/// By column, where the points of a cell lie in it; `None` for a column without cells.
#[cfg(feature = "onnx")]
pub(crate) fn cell_shares(columns: &[ModelColumn]) -> Vec<Option<Vec<f64>>> {
    let shares = |step: f64| (0..CELL_POINTS).map(|point| share(step, point)).collect();
    CellPoints::new(columns).steps.into_iter().map(|step| step.map(shares)).collect()
}

/// Returns ln of the mean of densities, and its standard error by the delta method.
fn log_mean(logs: &[f64]) -> (f64, f64) {
    let count = logs.len() as f64;
    let mean = log_sum_exp(logs.iter().copied()) - count.ln();
    if logs.len() == 1 || mean == f64::NEG_INFINITY {
        return (mean, 0.0);
    }
    let variance = logs.iter().map(|log| ((log - mean).exp() - 1.0).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

/// ln of a sum of products of a probability and a density, and its standard error.
fn total(terms: &[(f64, (f64, f64))]) -> (f64, f64) {
    let total = log_sum_exp(terms.iter().map(|(share, (log, _))| share + log));
    if total == f64::NEG_INFINITY {
        return (total, 0.0);
    }
    let square = |(share, (log, error)): &(f64, (f64, f64))| ((share + log - total).exp() * error).powi(2);
    (total, terms.iter().map(square).sum::<f64>().sqrt())
}
