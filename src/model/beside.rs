//! What the density of a row is conditioned on: given columns, and categories that are part of the density.

use super::column::contexts;
use super::error::ModelError;
use super::model::Model;
use crate::table::Block;

/// The contexts that rows may have: one for each row, and several where categories are missing.
pub(super) struct Contexts {
    /// The row of each.
    pub rows: Vec<usize>,
    /// Its combination of levels; 0 without categories.
    pub combinations: Vec<usize>,
    /// The logarithm of its probability; 0 without categories.
    pub logs: Vec<f64>,
    /// The context numbers, one after another.
    pub values: Vec<f64>,
    width: usize,
}

impl Contexts {
    /// The number of contexts.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The context numbers of one of them.
    pub fn of(&self, k: usize) -> &[f64] {
        &self.values[k * self.width..(k + 1) * self.width]
    }

    /// Which are those of a row.
    pub fn of_row(&self, row: usize) -> std::ops::Range<usize> {
        self.rows.partition_point(|other| *other < row)..self.rows.partition_point(|other| *other <= row)
    }
}

impl Model {
    /// The number of context numbers of a row.
    pub(super) fn context_width(&self) -> usize {
        let given: usize = self.given().iter().map(|column| column.encoding.width()).sum();
        given + self.categories().map_or(0, |categories| categories.width())
    }

    /// The contexts of rows.
    pub(super) fn contexts(&self, block: &Block) -> Result<Contexts, ModelError> {
        let given = contexts(self.given(), block)?;
        let width = self.context_width();
        let count = block.rows();
        let Some(categories) = self.categories() else {
            let (rows, none) = ((0..count).collect(), vec![0; count]);
            return Ok(Contexts { rows, combinations: none, logs: vec![0.0; count], values: given, width });
        };
        let own = width - categories.width();
        let mut all = Contexts {
            rows: Vec::new(),
            combinations: Vec::new(),
            logs: Vec::new(),
            values: Vec::new(),
            width,
        };
        for (row, combinations) in categories.of_rows(block)?.into_iter().enumerate() {
            for combination in combinations {
                all.rows.push(row);
                all.combinations.push(combination);
                all.logs.push(categories.shares[combination].ln());
                all.values.extend_from_slice(&given[row * own..(row + 1) * own]);
                categories.encode(combination, &mut all.values);
            }
        }
        Ok(all)
    }
}
