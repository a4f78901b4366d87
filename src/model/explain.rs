//! Why a row is unlikely.
//!
//! A density is a product of densities of single variables, each given those before it in an order: what a column
//! contributes to ln p of a row is ln p(xᵢ | those before it). The order is the flow's own; a model of several flows has
//! several orders, and contributions are averaged over them, by weight, so that no single order decides. (Averages over all
//! orders are the Shapley values of ln p: Shapley 1953; Lundberg and Lee 2017.) What a contribution amounts to is seen by
//! its rank among those of the same column in the training rows.
//!
//! Where a contribution is below those of all training rows, values are blamed one after another ([`Blame`]), and the
//! others are explained without them.

use std::cmp::Ordering;

use serde::Serialize;

use super::blame::{Blame, Row};
use super::column::values;
use super::complete::Completer;
use super::error::ModelError;
use super::expected::{Asked, Expected};
use super::levels::LevelReason;
use super::model::Model;
use super::record::{Usual, shares_of};
use crate::flow::FlowError;
use crate::table::{Block, Kind};

/// Why a row is unlikely, or not: its columns, the least likely one first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The columns, by rank; those that are blamed come first.
    pub reasons: Vec<Reason>,
    /// The categories of which another level is more than ten times as probable, given all other values of the row but for
    /// those that are blamed.
    pub levels: Vec<LevelReason>,
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
    /// What the value would be expected to be, given all others of the row but for those that are blamed; `None` where
    /// these are impossible.
    pub expected: Option<Expected>,
    /// What a value must be that the column cannot have: "above 0".
    pub outside: Option<String>,
}

/// Rows that say what is usual.
const ROWS: usize = 2000;

impl Model {
    /// Returns why each row is unlikely: `most` columns, the least likely ones, and categories of which another level is far more
    /// probable. `None` for a row in which a value is missing.
    ///
    /// # Errors
    /// As [`Model::score`].
    pub fn explain(&self, block: &Block, most: usize) -> Result<Vec<Option<Explanation>>, ModelError> {
        let d = self.columns().len();
        let rows = values(self.columns(), block, false)?;
        let width = self.context_width();
        let contexts = self.contexts(block)?;
        let complete = |row: &usize| rows[row * d..(row + 1) * d].iter().all(|value| !value.is_nan());
        let mut levels = self.level_reasons(block, &rows)?;
        let known = |row: &usize| complete(row) && contexts.of_row(*row).len() == 1;
        let known: Vec<usize> = (0..block.rows()).filter(known).collect();
        let inputs: Vec<f64> = known.iter().flat_map(|row| &rows[row * d..(row + 1) * d]).copied().collect();
        let given: Vec<f64> =
            known.iter().flat_map(|row| contexts.of(contexts.of_row(*row).start)).copied().collect();
        let completer = match self.completer() {
            Ok(completer) => Some(completer),
            Err(ModelError::Flow(FlowError::NoOrder { .. })) => None,
            Err(error) => return Err(error),
        };
        // A model whose fit was ended from outside does not know what is usual.
        let contributions = match &completer {
            Some(completer) if !self.about.usual.is_empty() => {
                Some(completer.contributions(&inputs, &given)?)
            }
            _ => None,
        };
        let mut told = Vec::with_capacity(known.len());
        for (place, row) in known.iter().enumerate() {
            let own = Row {
                values: &inputs[place * d..(place + 1) * d],
                context: &given[place * width..(place + 1) * width],
                contributions: contributions.as_ref().map(|all| &all[place * d..(place + 1) * d]),
                levels: &levels[*row],
            };
            let blame = self.blame(own, completer.as_ref(), most)?;
            let columns = self.columns_told(&blame, own, most);
            if !blame.columns.is_empty() && self.categories().is_some() {
                // Nor are categories expected from what is blamed.
                let alone = block.filter(|other| other == *row);
                levels[*row] = self.level_reasons(&alone, &blame.values)?.remove(0);
            }
            told.push((columns, blame));
        }
        // Each column that is told is asked what it would be expected to be.
        let mut asked = Vec::new();
        for (place, (columns, blame)) in told.iter().enumerate() {
            for told in columns.iter().filter(|told| !blame.is_beside(told.column)) {
                let mut values = blame.values.clone();
                values[told.column] = inputs[place * d + told.column];
                asked.push((values, told.column, &blame.context));
            }
        }
        let asked: Vec<Asked<'_>> = asked
            .iter()
            .map(|(values, column, context)| Asked { values, context, column: *column })
            .collect();
        let mut expected = self.expected(&asked)?.into_iter();
        let mut explained: Vec<Option<Explanation>> = vec![None; block.rows()];
        for ((place, row), (columns, blame)) in known.into_iter().enumerate().zip(&told) {
            let mut reasons = Vec::with_capacity(columns.len());
            for Told { column, contribution, rank } in columns {
                let (own, value) = (&self.columns()[*column], inputs[place * d + column]);
                let expected = match &completer {
                    Some(completer) if blame.is_beside(*column) => {
                        self.expected_beside(completer, blame, *column, block.lines()[row])?
                    }
                    _ if blame.is_beside(*column) => None,
                    _ => expected.next().flatten(),
                };
                reasons.push(Reason {
                    column: own.name.clone(),
                    value: if matches!(own.kind, Kind::Circular { .. }) { own.written(value) } else { value },
                    contribution: *contribution,
                    rank: *rank,
                    expected,
                    outside: own.kind.outside(value),
                });
            }
            if contributions.is_none() {
                let tail = |reason: &Reason| reason.expected.map_or(1.0, |expected| expected.tail);
                reasons[blame.columns.len()..].sort_by(|a, b| tail(a).total_cmp(&tail(b)));
                reasons.truncate(most);
            }
            let levels = std::mem::take(&mut levels[row]);
            explained[row] = Some(Explanation { reasons, levels });
        }
        // A level that no row of the fit had is all that is told of its row.
        for row in (0..block.rows()).filter(complete) {
            if explained[row].is_none() && !levels[row].is_empty() {
                let levels = std::mem::take(&mut levels[row]);
                explained[row] = Some(Explanation { reasons: Vec::new(), levels });
            }
        }
        Ok(explained)
    }

    /// The columns that are told of a row: those that are blamed, and the least likely ones of the others. Without
    /// contributions all of them.
    fn columns_told(&self, blame: &Blame, row: Row<'_>, most: usize) -> Vec<Told> {
        let d = self.columns().len();
        let Some(contributions) = row.contributions else {
            let others = (0..d).filter(|i| !blame.columns.contains(i));
            let order = blame.columns.iter().copied().chain(others);
            return order.map(|column| Told { column, contribution: None, rank: None }).collect();
        };
        let own = self.ranks_of(contributions);
        let first = blame.columns.iter().map(|column| Told {
            column: *column,
            contribution: Some(contributions[*column]),
            rank: Some(own[*column].0),
        });
        let beside = blame.contributions.as_deref().unwrap_or(contributions);
        let ranks = self.ranks_of(beside);
        let mut order: Vec<usize> = (0..d).filter(|i| !blame.columns.contains(i)).collect();
        order.sort_by(|a, b| ranks[*a].partial_cmp(&ranks[*b]).unwrap_or(Ordering::Equal));
        let others = order.into_iter().map(|column| Told {
            column,
            contribution: Some(beside[column]),
            rank: Some(ranks[column].0),
        });
        first.chain(others).take(most).collect()
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
    pub(super) fn contributions(&self, rows: &[f64], given: &[f64]) -> Result<Option<Vec<f64>>, ModelError> {
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

/// A column that is told of a row.
struct Told {
    column: usize,
    contribution: Option<f64>,
    rank: Option<f64>,
}

impl Completer<'_> {
    pub(super) fn contributions(&self, rows: &[f64], given: &[f64]) -> Result<Vec<f64>, ModelError> {
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
