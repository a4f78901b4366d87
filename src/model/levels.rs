//! What the category of a row would be expected to be, given all its other values: p(c | x) ∝ p(c)·p(x | c).

use serde::Serialize;

use super::error::ModelError;
use super::model::Model;
use crate::numeric::log_sum_exp;
use crate::table::{Block, Cells, Column};

/// A category of which another level is more than ten times as probable as that of the row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LevelReason {
    /// The column.
    pub column: String,
    /// The level of the row.
    pub level: String,
    /// Its probability, given all other values of the row; 0 for a level that no row of the fit had.
    pub probability: f64,
    /// The most probable level.
    pub expected: String,
    /// Its probability.
    pub expected_probability: f64,
    /// The context numbers with the most probable level.
    #[serde(skip)]
    pub(super) context: Vec<f64>,
}

impl LevelReason {
    /// By how much ln p of the row is larger with the most probable level.
    pub(super) fn gain(&self) -> f64 {
        self.expected_probability.ln() - self.probability.max(f64::MIN_POSITIVE).ln()
    }
}

impl Model {
    /// The categories of each complete row of which another level is far more probable.
    pub(super) fn level_reasons(
        &self,
        block: &Block,
        rows: &[f64],
    ) -> Result<Vec<Vec<LevelReason>>, ModelError> {
        let d = self.columns().len();
        let mut reasons = vec![Vec::new(); block.rows()];
        for own in self.categories().into_iter().flat_map(|categories| &categories.columns) {
            let Ok(read) = block.column(&own.name) else { continue };
            let others: Vec<&Column> =
                block.columns().iter().filter(|column| column.name != own.name).collect();
            let others: Vec<Column> = others.into_iter().cloned().collect();
            let contexts = self.contexts(&Block::new(others, block.lines().to_vec())?)?;
            let is_known = |row: &usize| {
                let complete = rows[row * d..(row + 1) * d].iter().all(|value| !value.is_nan());
                // The other categories are known if there is one context for each level.
                complete && !read.cells.is_missing(*row) && contexts.of_row(*row).len() == own.levels.len()
            };
            let known: Vec<usize> = (0..block.rows()).filter(is_known).collect();
            let (mut inputs, mut given) = (Vec::new(), Vec::new());
            for row in &known {
                for k in contexts.of_row(*row) {
                    inputs.extend_from_slice(&rows[row * d..(row + 1) * d]);
                    given.extend_from_slice(contexts.of(k));
                }
            }
            let logs = self.log_prob_of(&inputs, &given)?;
            for (row, logs) in known.into_iter().zip(logs.chunks(own.levels.len())) {
                let first = contexts.of_row(row).start;
                let joint: Vec<f64> =
                    logs.iter().enumerate().map(|(k, log)| log + contexts.logs[first + k]).collect();
                let total = log_sum_exp(joint.iter().copied());
                let best = (0..joint.len()).max_by(|a, b| joint[*a].total_cmp(&joint[*b]));
                let Some(best) = best.filter(|_| total.is_finite()) else { continue };
                let level = match &read.cells {
                    Cells::Text(texts) => texts[row].clone().unwrap_or_default(),
                    Cells::Numbers(values) => values[row].to_string(),
                };
                let place = own.levels.iter().position(|other| *other == level);
                const TIMES: f64 = 10.0;
                if place.is_some_and(|place| joint[best] - joint[place] < TIMES.ln()) {
                    continue;
                }
                reasons[row].push(LevelReason {
                    column: own.name.clone(),
                    level,
                    probability: place.map_or(0.0, |place| (joint[place] - total).exp()),
                    expected: own.levels[best].clone(),
                    expected_probability: (joint[best] - total).exp(),
                    context: contexts.of(first + best).to_vec(),
                });
            }
        }
        Ok(reasons)
    }
}
