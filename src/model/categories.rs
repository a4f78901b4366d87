//! Categories that are part of a density: p(c, x) = p(c)·p(x | c), with the flows conditioned on c.
//!
//! p(c) is that of each combination of levels, (n + ½)/(N + ½·K) for n of N rows and K combinations, so that none that the
//! levels allow is impossible (Jeffreys' prior; Krichevsky and Trofimov 1981).

use serde::{Deserialize, Serialize};

use super::error::ModelError;
use crate::table::{Block, Cells, Column, Kind, Look, Treatment};

/// Categories whose probabilities are part of a density.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Categories {
    /// The columns.
    pub columns: Vec<CategoryColumn>,
    /// The probability of each combination of levels; those of the last column follow one another.
    pub shares: Vec<f64>,
}

/// A column of categories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CategoryColumn {
    /// Its name in the file.
    pub name: String,
    /// The levels.
    pub levels: Vec<String>,
}

impl Categories {
    /// Counts the combinations of levels; `None` when no column is a category that is not given.
    pub(super) fn fit(
        block: &Block,
        look: &Look,
        given: &[String],
        weights: Option<&[f64]>,
    ) -> Result<Option<Categories>, ModelError> {
        let own = look.columns.iter().filter(|column| column.treatment == Treatment::Levels);
        let columns: Vec<CategoryColumn> = own
            .filter(|column| !given.contains(&column.name))
            .filter_map(|column| match &column.kind {
                Kind::Category { levels } => {
                    Some(CategoryColumn { name: column.name.clone(), levels: levels.clone() })
                }
                _ => None,
            })
            .collect();
        if columns.is_empty() {
            return Ok(None);
        }
        const MOST: usize = 1000;
        let combinations = columns.iter().try_fold(1_usize, |product, column| {
            product.checked_mul(column.levels.len()).filter(|product| *product <= MOST)
        });
        let Some(combinations) = combinations else {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            return Err(ModelError::Column(format!(
                "the categories {} have more than {MOST} combinations: make some of them contexts (--given), or leave them out",
                names.join(", ")
            )));
        };
        let mut categories = Categories { columns, shares: vec![0.0; combinations] };
        let mut counted = Vec::with_capacity(block.rows());
        for (row, options) in categories.of_rows(block)?.into_iter().enumerate() {
            let [combination] = options[..] else {
                let line = block.lines()[row];
                return Err(ModelError::Column(format!(
                    "line {line} has a missing cell: leave such rows out"
                )));
            };
            counted.push((combination, weights.map_or(1.0, |weights| weights[row])));
        }
        categories.shares = categories.shares_of(counted.into_iter());
        Ok(Some(categories))
    }

    /// The probability of each combination, by weighted rows.
    pub(super) fn shares_of(&self, rows: impl Iterator<Item = (usize, f64)>) -> Vec<f64> {
        let mut shares = vec![0.5; self.shares.len()];
        rows.for_each(|(combination, weight)| shares[combination] += weight);
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        shares
    }

    /// The number of context numbers.
    pub(crate) fn width(&self) -> usize {
        self.columns.iter().map(|column| column.levels.len()).sum()
    }

    /// In what they are not as they must be, if in anything.
    pub(super) fn fault(&self) -> Option<String> {
        let combinations: usize = self.columns.iter().map(|column| column.levels.len()).product();
        let total: f64 = self.shares.iter().sum();
        let sound = self.shares.len() == combinations && self.shares.iter().all(|share| *share > 0.0);
        (!sound || (total - 1.0).abs() > 1e-9).then(|| {
            format!("the probabilities of {combinations} combinations of levels are {:?}", self.shares)
        })
    }

    /// The combinations that each row may have: one if all categories are known, more where some are missing, none for a
    /// level that no row of the fit had.
    pub(super) fn of_rows(&self, block: &Block) -> Result<Vec<Vec<usize>>, ModelError> {
        let columns: Vec<Option<&Column>> =
            self.columns.iter().map(|column| block.column(&column.name).ok()).collect();
        let of_row = |row: usize| {
            let mut combinations = vec![0];
            for (column, read) in self.columns.iter().zip(&columns) {
                let level = read.and_then(|read| text(&read.cells, row));
                let places: Vec<usize> = match level {
                    None => (0..column.levels.len()).collect(),
                    Some(level) => {
                        column.levels.iter().position(|other| *other == level).into_iter().collect()
                    }
                };
                let further = |before: &usize| {
                    let before = before * column.levels.len();
                    places.iter().map(move |place| before + place).collect::<Vec<_>>()
                };
                combinations = combinations.iter().flat_map(further).collect();
            }
            combinations
        };
        Ok((0..block.rows()).map(of_row).collect())
    }

    /// The levels of a combination.
    pub(crate) fn levels(&self, combination: usize) -> Vec<usize> {
        let mut left = combination;
        let mut levels: Vec<usize> = self
            .columns
            .iter()
            .rev()
            .map(|column| {
                let level = left % column.levels.len();
                left /= column.levels.len();
                level
            })
            .collect();
        levels.reverse();
        levels
    }

    /// Appends the context numbers of a combination: 1 for each of its levels, 0 for others.
    pub(crate) fn encode(&self, combination: usize, into: &mut Vec<f64>) {
        for (column, level) in self.columns.iter().zip(self.levels(combination)) {
            into.extend((0..column.levels.len()).map(|k| f64::from(u8::from(k == level))));
        }
    }

    /// The columns of these combinations, one a row.
    pub(super) fn written(&self, combinations: &[usize]) -> Vec<Column> {
        let levels: Vec<Vec<usize>> =
            combinations.iter().map(|combination| self.levels(*combination)).collect();
        let column = |(k, column): (usize, &CategoryColumn)| Column {
            name: column.name.clone(),
            cells: Cells::Text(levels.iter().map(|levels| Some(column.levels[levels[k]].clone())).collect()),
        };
        self.columns.iter().enumerate().map(column).collect()
    }
}

/// The level of a row as text; `None` where it is missing.
fn text(cells: &Cells, row: usize) -> Option<String> {
    match cells {
        Cells::Numbers(values) => (!values[row].is_nan()).then(|| values[row].to_string()),
        Cells::Text(texts) => texts[row].clone(),
    }
}
