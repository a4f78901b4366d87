//! Why a row is unlikely.
//!
//! A density is a product of densities of single variables, each given those before it in an order: what a column
//! contributes to ln p of a row is ln p(xᵢ | those before it). The order is the flow's own; a model of several flows has
//! several orders, and contributions are averaged over them, by weight, so that no single order decides. (Averages over all
//! orders are the Shapley values of ln p: Shapley 1953; Lundberg and Lee 2017.) What a contribution amounts to is seen by
//! its rank among those of the same column in the training rows.

use std::cmp::Ordering;

use serde::Serialize;

use super::column::values;
use super::complete::Completer;
use super::error::ModelError;
use super::expected::{Asked, Expected};
use super::model::Model;
use super::record::{Usual, shares_of};
use crate::flow::FlowError;
use crate::table::Block;

/// Why a row is unlikely, or not: its columns, the least likely one first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The columns, by rank.
    pub reasons: Vec<Reason>,
}

/// How likely the value of a column is within its row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// The column.
    pub column: String,
    /// Its value.
    pub value: f64,
    /// ln p of the value given those before it, averaged over orders; `None` for a model of couplings.
    pub contribution: Option<f64>,
    /// The share of the training rows whose value of this column is less likely; `None` for a model of couplings.
    pub rank: Option<f64>,
    /// What the value would be expected to be, given all others of the row; `None` where these are impossible.
    pub expected: Option<Expected>,
}

/// Rows that say what is usual.
const ROWS: usize = 2000;

impl Model {
    /// Returns why each row is unlikely: `most` columns, the least likely ones. `None` for a row in which a value is missing.
    ///
    /// # Errors
    /// As [`Model::score`].
    pub fn explain(&self, block: &Block, most: usize) -> Result<Vec<Option<Explanation>>, ModelError> {
        let d = self.columns().len();
        let rows = values(self.columns(), block, false)?;
        let width = self.context_width();
        let contexts = self.contexts(block)?;
        let known = |row: &usize| {
            let complete = rows[row * d..(row + 1) * d].iter().all(|value| !value.is_nan());
            complete && contexts.of_row(*row).len() == 1
        };
        let known: Vec<usize> = (0..block.rows()).filter(known).collect();
        let inputs: Vec<f64> = known.iter().flat_map(|row| &rows[row * d..(row + 1) * d]).copied().collect();
        let given: Vec<f64> =
            known.iter().flat_map(|row| contexts.of(contexts.of_row(*row).start)).copied().collect();
        // A model whose fit was ended from outside does not know what is usual.
        let contributions = match self.about.usual.is_empty() {
            true => None,
            false => self.contributions(&inputs, &given)?,
        };
        // Without contributions, all columns are asked what they would be expected to be.
        let chosen = |place: usize| -> Vec<(usize, Option<f64>)> {
            let Some(all) = &contributions else { return (0..d).map(|i| (i, None)).collect() };
            let ranks = self.ranks_of(&all[place * d..(place + 1) * d]);
            let mut order: Vec<usize> = (0..d).collect();
            order.sort_by(|a, b| ranks[*a].partial_cmp(&ranks[*b]).unwrap_or(Ordering::Equal));
            order.into_iter().take(most).map(|i| (i, Some(ranks[i].0))).collect()
        };
        let chosen: Vec<Vec<(usize, Option<f64>)>> = (0..known.len()).map(chosen).collect();
        let of_row = |(place, columns): (usize, &Vec<(usize, Option<f64>)>)| {
            let values = &inputs[place * d..(place + 1) * d];
            let context = &given[place * width..(place + 1) * width];
            columns.iter().map(|(column, _)| Asked { values, context, column: *column }).collect::<Vec<_>>()
        };
        let asked: Vec<Asked<'_>> = chosen.iter().enumerate().flat_map(of_row).collect();
        let mut expected = self.expected(&asked)?.into_iter();
        let mut explained = vec![None; block.rows()];
        for ((place, row), columns) in known.into_iter().enumerate().zip(&chosen) {
            let reason = |((i, rank), expected): (&(usize, Option<f64>), Option<Expected>)| Reason {
                column: self.columns()[*i].name.clone(),
                value: self.columns()[*i].written(inputs[place * d + i]),
                contribution: contributions.as_ref().map(|all| all[place * d + i]),
                rank: *rank,
                expected,
            };
            let mut reasons: Vec<Reason> =
                columns.iter().zip(expected.by_ref().take(columns.len())).map(reason).collect();
            if contributions.is_none() {
                let tail = |reason: &Reason| reason.expected.map_or(1.0, |expected| expected.tail);
                reasons.sort_by(|a, b| tail(a).total_cmp(&tail(b)));
                reasons.truncate(most);
            }
            explained[row] = Some(Explanation { reasons });
        }
        Ok(explained)
    }

    /// The share of the training rows with a smaller contribution of each column, and by how much it is larger than the
    /// smallest of them (negative below all of them).
    fn ranks_of(&self, contributions: &[f64]) -> Vec<(f64, f64)> {
        contributions
            .iter()
            .zip(&self.about.usual)
            .map(|(own, usual)| {
                let all = &usual.contributions;
                let below = all.partition_point(|other| other < own);
                (below as f64 / all.len().max(1) as f64, own - all.first().copied().unwrap_or(0.0))
            })
            .collect()
    }

    /// ln p of each value given those before it in its row, averaged over orders; `None` for a model of couplings.
    fn contributions(&self, rows: &[f64], given: &[f64]) -> Result<Option<Vec<f64>>, ModelError> {
        match self.completer() {
            Ok(completer) => Ok(Some(completer.contributions(rows, given)?)),
            Err(ModelError::Flow(FlowError::NoOrder { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the columns are like in these rows.
    pub(super) fn usual(&self, block: &Block) -> Result<Vec<Usual>, ModelError> {
        let step = block.rows().div_ceil(ROWS).max(1);
        let block = block.filter(|row| row % step == 0);
        let d = self.columns().len();
        let rows = values(self.columns(), &block, false)?;
        let contributions = self.contributions(&rows, &self.contexts(&block)?.values)?;
        let column = |all: &[f64], i: usize| all.iter().skip(i).step_by(d).copied().collect::<Vec<f64>>();
        let usual = |i: usize| Usual {
            values: shares_of(column(&rows, i), 65),
            contributions: contributions.as_ref().map_or(Vec::new(), |all| shares_of(column(all, i), 1000)),
        };
        Ok((0..d).map(usual).collect())
    }
}

impl Completer<'_> {
    fn contributions(&self, rows: &[f64], given: &[f64]) -> Result<Vec<f64>, ModelError> {
        let mut sum = vec![0.0; rows.len()];
        for (weight, part) in self.parts() {
            let own = part.order().to_vec();
            // A mixture may stand in any order: four of them.
            let orders = match part.any_order() {
                true => (0..own.len().min(4)).map(|turn| turned(&own, turn)).collect(),
                false => vec![own],
            };
            let share = weight / orders.len() as f64;
            for order in orders {
                let terms = part.log_probs_in(&order, rows, given)?;
                sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum += share * term);
            }
        }
        Ok(sum)
    }
}

/// An order in two rotations, forwards and backwards.
fn turned(order: &[usize], turn: usize) -> Vec<usize> {
    let mut turned = order.to_vec();
    if turn >= 2 {
        turned.rotate_left(order.len() / 2);
    }
    if turn % 2 == 1 {
        turned.reverse();
    }
    turned
}
