//! A fitted density of the columns of a table.

use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::column::{Encoding, GivenColumn, ModelColumn, contexts, values};
use super::error::ModelError;
use super::file::Content;
use super::flows;
use super::record::FitRecord;
use super::registry::Registry;
use crate::flow::FittedFlow;
use crate::table::{Block, Table};

/// A density of columns of a table, possibly given others: a mixture of flows in the units of the file, with what is
/// needed to use it on new rows.
///
/// p(x | c) = Σ wₖ·pₖ(x | c). The weights maximise the likelihood of the rows held out in the fit (Smyth and Wolpert,
/// "Linearly combining density estimators via stacking", 1999); a single flow has weight 1.
pub struct Model {
    pub(super) about: About,
    pub(super) flows: Vec<FittedFlow>,
}

/// What a model file says beside its flows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct About {
    pub columns: Vec<ModelColumn>,
    pub given: Vec<GivenColumn>,
    pub weights: Vec<f64>,
    /// ln p of training rows at equal shares, ascending.
    pub ranks: Vec<f64>,
    pub fit: FitRecord,
}

/// The density of a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Score {
    /// ln p in the units of the file; -∞ where the density is 0. For a row with rounded values it is that of the mean
    /// density of its cell.
    pub log_prob: f64,
    /// The standard error of ln p, where it is a mean over points of a cell, as if these were random; they are spread
    /// evenly, so it is an upper estimate. 0 where ln p is exact.
    pub error: f64,
    /// The share of the training rows that are less likely.
    pub rank: f64,
}

/// Points of the cell of a row with rounded values.
const CELL_POINTS: usize = 32;

impl Model {
    /// The modelled columns.
    pub fn columns(&self) -> &[ModelColumn] {
        &self.about.columns
    }

    /// The columns on which the density is conditioned.
    pub fn given(&self) -> &[GivenColumn] {
        &self.about.given
    }

    /// The flows with their weights.
    pub fn flows(&self) -> impl Iterator<Item = (f64, &FittedFlow)> {
        self.about.weights.iter().copied().zip(&self.flows)
    }

    /// How it was fitted.
    pub fn fit_record(&self) -> &FitRecord {
        &self.about.fit
    }

    /// The names of all columns that a row needs to have.
    pub fn needs(&self) -> Vec<String> {
        let own = self.about.columns.iter().map(|column| column.name.clone());
        own.chain(self.about.given.iter().map(|column| column.name.clone())).collect()
    }

    /// Returns the density of each row; `None` for a row in which a modelled value is missing.
    ///
    /// # Errors
    /// [`ModelError::Table`] for a column that is not there, [`ModelError::Column`] for a given value that cannot be used,
    /// and [`ModelError::Flow`] where a density that should exist cannot be computed.
    pub fn score(&self, block: &Block) -> Result<Vec<Option<Score>>, ModelError> {
        let rows = values(&self.about.columns, block)?;
        let width = self.context_width();
        let given = contexts(&self.about.given, block)?;
        let known: Vec<usize> = (0..rows.len()).filter(|row| rows[*row].is_some()).collect();
        let points = if self.has_cells() { CELL_POINTS } else { 1 };
        let (mut inputs, mut beside) = (Vec::new(), Vec::new());
        for row in &known {
            let values = rows[*row].as_deref().unwrap_or_default();
            for point in 0..points {
                self.push_point(values, point, &mut inputs);
                beside.extend_from_slice(&given[row * width..(row + 1) * width]);
            }
        }
        let logs = self.log_prob_of(&inputs, &beside)?;
        let mut scores = vec![None; rows.len()];
        for (row, logs) in known.into_iter().zip(logs.chunks(points)) {
            let (log_prob, error) = log_mean(logs);
            let below = self.about.ranks.partition_point(|rank| *rank < log_prob);
            let rank = below as f64 / self.about.ranks.len().max(1) as f64;
            scores[row] = Some(Score { log_prob, error, rank });
        }
        Ok(scores)
    }

    /// Draws rows of the modelled columns; with given columns, `given` has one row for each of them, or one for all.
    ///
    /// # Errors
    /// [`ModelError::Column`] for given values that cannot be used, and [`ModelError::Flow`].
    pub fn sample(&self, count: usize, given: Option<&Block>, seed: u64) -> Result<Table, ModelError> {
        let names: Vec<&str> = self.about.columns.iter().map(|column| column.name.as_str()).collect();
        let d = names.len();
        let beside = match (given, self.about.given.is_empty()) {
            (Some(block), false) => contexts(&self.about.given, block)?,
            (None, true) => Vec::new(),
            (_, true) => return Err(ModelError::Column("this model has no given columns".to_string())),
            (None, false) => {
                let names: Vec<&str> = self.about.given.iter().map(|column| column.name.as_str()).collect();
                let problem =
                    format!("this model is conditioned on {}: give a value for each", names.join(", "));
                return Err(ModelError::Column(problem));
            }
        };
        let rows_given = given.map_or(1, Block::rows);
        if rows_given != 1 && rows_given != count {
            let problem = format!(
                "{rows_given} rows of given values do not fit {count} samples; give one, or one for each"
            );
            return Err(ModelError::Column(problem));
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn = vec![0.0; count * d];
        // Which flow each row comes from.
        let total: f64 = self.about.weights.iter().sum();
        let chosen: Vec<usize> = (0..count)
            .map(|_| {
                let mut left = random.random::<f64>() * total;
                let found = self.about.weights.iter().position(|weight| {
                    left -= weight;
                    left < 0.0
                });
                found.unwrap_or(self.flows.len() - 1)
            })
            .collect();
        let width = self.context_width();
        for (k, flow) in self.flows.iter().enumerate() {
            let rows: Vec<usize> = (0..count).filter(|row| chosen[*row] == k).collect();
            let of = |row: &usize| if rows_given == 1 { 0 } else { *row };
            let own = rows.iter().map(of).flat_map(|row| &beside[row * width..(row + 1) * width]);
            let own: Vec<f64> = own.copied().collect();
            let values = flow.sample_given(rows.len(), &own, random.random::<u64>())?;
            for (row, values) in rows.into_iter().zip(values.chunks(d)) {
                for (i, column) in self.about.columns.iter().enumerate() {
                    drawn[row * d + i] = column.written(values[i]);
                }
            }
        }
        Ok(Table::new(&names, drawn)?)
    }

    /// Writes a model file, which is complete or absent.
    ///
    /// # Errors
    /// [`ModelError::Write`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ModelError> {
        self.content()?.write(path.as_ref())
    }

    /// Returns the bytes of a model file.
    ///
    /// # Errors
    /// None for the layers that a fit uses.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        Ok(self.content()?.to_bytes())
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// As [`FittedFlow::load`], and [`ModelError::Foreign`] for the file of a flow without columns.
    pub fn load(path: impl AsRef<Path>) -> Result<Model, ModelError> {
        Model::of(Content::read(path.as_ref())?)
    }

    /// Reads the bytes of a model file.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Model, ModelError> {
        Model::of(Content::from_bytes(bytes)?)
    }

    fn content(&self) -> Result<Content, ModelError> {
        let about = serde_json::to_value(&self.about)
            .map_err(|error| ModelError::Parameters(format!("the description cannot be written: {error}")))?;
        flows::write(&self.flows, about)
    }

    fn of(content: Content) -> Result<Model, ModelError> {
        let (flows, about) = flows::read(content, &Registry::catalogue())?;
        if about == Value::Null {
            let problem =
                "it is a flow without the columns of a table (FittedFlow::load reads it)".to_string();
            return Err(ModelError::Foreign(problem));
        }
        let about: About = serde_json::from_value(about)
            .map_err(|error| ModelError::Foreign(format!("its columns are not ours: {error}")))?;
        let model = Model { about, flows };
        match model.fault() {
            Some(problem) => Err(ModelError::Parameters(problem)),
            None => Ok(model),
        }
    }

    /// Returns in what the columns, the weights and the flows do not fit each other, if in anything.
    fn fault(&self) -> Option<String> {
        let About { columns, given, weights, .. } = &self.about;
        let (d, context) = (columns.len(), self.context_width());
        let flow = |flow: &FittedFlow| flow.flow().dim() == d && flow.flow().context() == context;
        if self.flows.is_empty() || !self.flows.iter().all(flow) {
            return Some(format!("its flows are not of {d} columns given {context} numbers"));
        }
        let total: f64 = weights.iter().sum();
        let positive = weights.iter().all(|weight| *weight > 0.0);
        if weights.len() != self.flows.len() || !positive || (total - 1.0).abs() > 1e-9 {
            return Some(format!("the weights of its {} flows are {weights:?}", self.flows.len()));
        }
        let finite = |number: f64| number.is_finite() && number >= 0.0;
        let FitRecord { centres, scales, .. } = &self.about.fit;
        let sound = centres.iter().all(|centre| centre.is_finite())
            && scales.iter().all(|scale| finite(*scale) && *scale > 0.0);
        if !sound || centres.len() != scales.len() || ![0, d].contains(&scales.len()) {
            return Some(format!("the scales of its {d} columns are {scales:?}, about {centres:?}"));
        }
        if let Some(column) = columns.iter().find(|column| !finite(column.cell) || !column.offset.is_finite())
        {
            return Some(format!("the cells of `{}` are {} wide", column.name, column.cell));
        }
        let unsound = |column: &&GivenColumn| match &column.encoding {
            Encoding::Standardised { mean, deviation } | Encoding::Logarithm { mean, deviation } => {
                !(mean.is_finite() && finite(*deviation) && *deviation > 0.0)
            }
            Encoding::Circle { start, period } => !(start.is_finite() && finite(*period) && *period > 0.0),
            Encoding::OneHot { levels } => levels.is_empty(),
        };
        let column = given.iter().find(unsound)?;
        Some(format!("the encoding of `{}` is {:?}", column.name, column.encoding))
    }

    /// Returns ln p of rows in the units of the file.
    pub(super) fn log_prob_of(&self, rows: &[f64], contexts: &[f64]) -> Result<Vec<f64>, ModelError> {
        let logs: Result<Vec<Vec<f64>>, ModelError> =
            self.flows.iter().map(|flow| Ok(flow.log_prob_given(rows, contexts)?)).collect();
        Ok(mixture(&self.about.weights, &logs?))
    }

    /// The number of context numbers of a row.
    fn context_width(&self) -> usize {
        self.about.given.iter().map(|column| column.encoding.width()).sum()
    }

    fn has_cells(&self) -> bool {
        self.about.columns.iter().any(|column| column.cell > 0.0)
    }

    /// Appends a point of the cell of a row: midpoints for the first rounded column, and for others a Kronecker sequence
    /// whose steps are powers of the root of xⁿ⁺¹ = x + 1 (Roberts, "The unreasonable effectiveness of quasirandom
    /// sequences", 2018); the same points for every row.
    fn push_point(&self, values: &[f64], point: usize, into: &mut Vec<f64>) {
        let cells = self.about.columns.iter().filter(|column| column.cell > 0.0).count();
        let root = (0..64).fold(2.0_f64, |root, _| (1.0 + root).powf(1.0 / cells.max(1) as f64));
        let mut step = 1.0;
        let mut first = true;
        for (value, column) in values.iter().zip(&self.about.columns) {
            if column.cell == 0.0 {
                into.push(*value);
                continue;
            }
            let share = if first {
                (point as f64 + 0.5) / CELL_POINTS as f64
            } else {
                step /= root;
                (0.5 + step * point as f64).fract()
            };
            first = false;
            into.push(column.to_file(column.unbounded(*value) + column.cell * (share - 0.5)));
        }
    }
}

/// Returns ln Σ wₖ·exp(lₖ) of each row.
pub(super) fn mixture(weights: &[f64], logs: &[Vec<f64>]) -> Vec<f64> {
    if let [only] = logs {
        return only.clone();
    }
    let rows = logs.first().map_or(0, Vec::len);
    let row = |row: usize| {
        let terms = weights.iter().zip(logs).map(|(weight, logs)| weight.ln() + logs[row]);
        log_sum(terms)
    };
    (0..rows).map(row).collect()
}

fn log_sum(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + terms.map(|term| (term - largest).exp()).sum::<f64>().ln()
}

/// Returns ln of the mean of densities, and its standard error by the delta method.
fn log_mean(logs: &[f64]) -> (f64, f64) {
    let count = logs.len() as f64;
    let mean = log_sum(logs.iter().copied()) - count.ln();
    if logs.len() == 1 || mean == f64::NEG_INFINITY {
        return (mean, 0.0);
    }
    let variance = logs.iter().map(|log| ((log - mean).exp() - 1.0).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}
