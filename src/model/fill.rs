//! Filling missing cells before a fit.
//!
//! Missing values are drawn, not averaged: from a Gaussian mixture, given what is known of their row. The mixture is
//! fitted to the complete rows first and then to all of them, in turns (stochastic EM: Celeux and Diebolt, "The SEM
//! algorithm", 1985; for missing values Tanner and Wong 1987). This is right where values are missing at random: whether
//! a cell is empty may depend on the other cells of its row, not on its own value (Rubin 1976).

use super::error::ModelError;
use super::model::Model;
use super::options::{Choice, ModelOptions};
use super::prepare::columns;
use crate::table::{Block, Cells, Column, ColumnLook, Kinds, Look, Treatment};

/// Rows of which missing cells were filled.
pub struct Filled {
    /// The rows, without those that are [left out](Filled::left_out).
    pub block: Block,
    /// The number of cells that were filled.
    pub cells: usize,
    /// The number of rows that had missing cells and were kept.
    pub rows: usize,
    /// The number of rows that are left out: all modelled values are missing, or a category that is a part of the density.
    pub left_out: usize,
}

impl Filled {
    /// Says what was filled and left out; `None` if nothing was.
    pub fn told(&self) -> Option<String> {
        let filled = (self.cells > 0).then(|| {
            format!(
                "{} missing cells of {} rows are drawn given the others of their row",
                self.cells, self.rows
            )
        });
        let told: Vec<String> = filled.into_iter().chain(self.told_left_out()).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// Says which rows are left out; `None` if none is.
    pub fn told_left_out(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "{} rows are left out, in which all values or a category are missing: categories are not drawn",
                self.left_out
            )
        })
    }

    /// Fills the missing cells of the columns that a fit models. Cells of other columns are left as they are, and rows in which
    /// a category of the density is missing are left out: no mixture of normal distributions has one.
    ///
    /// # Errors
    /// [`ModelError::Column`] when fewer than 10 rows are complete, and as [`Model::fit`].
    pub fn of(block: &Block, look: &Look, given: &[String], seed: u64) -> Result<Filled, ModelError> {
        let all_rows = block.rows();
        let categories =
            |column: &&ColumnLook| column.treatment == Treatment::Levels && !given.contains(&column.name);
        let categories: Result<Vec<&Column>, _> =
            look.columns.iter().filter(categories).map(|column| block.column(&column.name)).collect();
        let categories = categories?;
        let block = &block.filter(|row| !categories.iter().any(|column| column.cells.is_missing(row)));
        let columns = columns(block, look, given)?;
        let names: Vec<&String> = columns.iter().map(|column| &column.name).collect();
        let own = block.select(&names)?;
        let missing = |row: usize| own.columns().iter().filter(|column| column.cells.is_missing(row)).count();
        let holes: Vec<usize> = (0..own.rows()).map(missing).collect();
        let complete = own.filter(|row| holes[row] == 0);
        const LEAST: usize = 10;
        if complete.rows() < LEAST {
            return Err(ModelError::Column(format!(
                "only {} rows are complete, too few to fill the others from; leave columns out that are mostly empty",
                complete.rows()
            )));
        }
        let partial = |row: usize| (1..names.len()).contains(&holes[row]);
        let open = own.filter(partial);
        let mut kinds = Kinds::new();
        for column in &columns {
            kinds = kinds
                .with(&column.name, column.kind.clone())
                .map_err(|error| ModelError::Column(error.to_string()))?;
        }
        let mut all = complete.clone();
        let mut filled = open.clone();
        const ROUNDS: u64 = 3;
        for round in 0..ROUNDS {
            if open.rows() == 0 {
                break;
            }
            let look = Look::of(&all, &kinds)?;
            let options = ModelOptions { choice: Choice::Mixture, seed, ..ModelOptions::default() };
            let model = Model::fit(&all, &look, options)?;
            // A column that is constant in the complete rows is not modelled, and stays empty.
            let modelled: Vec<&String> = model.columns().iter().map(|column| &column.name).collect();
            let drawn =
                model.sample(open.rows(), Some(&open.select(&modelled)?), seed.wrapping_add(round + 1))?;
            let columns =
                open.columns().iter().map(|column| drawn.column(&column.name).unwrap_or(column).clone());
            filled = Block::new(columns.collect(), open.lines().to_vec())?;
            all = complete.clone();
            all.append(filled.clone())?;
        }
        let filled = put_back(block, &filled, &holes, names.len());
        Ok(Filled { left_out: all_rows - filled.block.rows(), ..filled })
    }
}

/// The rows of the table with the filled columns, without rows in which all of these are missing.
fn put_back(block: &Block, filled: &Block, holes: &[usize], modelled: usize) -> Filled {
    let mut place = 0;
    let places: Vec<Option<usize>> = holes
        .iter()
        .map(|count| {
            let open = (1..modelled).contains(count);
            place += usize::from(open);
            open.then(|| place - 1)
        })
        .collect();
    let column = |column: &Column| match (filled.column(&column.name), &column.cells) {
        (Ok(Column { cells: Cells::Numbers(new), .. }), Cells::Numbers(old)) => Column {
            name: column.name.clone(),
            cells: Cells::Numbers(
                old.iter().zip(&places).map(|(old, place)| place.map_or(*old, |place| new[place])).collect(),
            ),
        },
        _ => column.clone(),
    };
    let whole = Block::new(block.columns().iter().map(column).collect(), block.lines().to_vec());
    let whole = whole.expect("as many cells as before");
    let open = |count: &&usize| (1..modelled).contains(*count);
    Filled {
        block: whole.filter(|row| holes[row] < modelled),
        cells: holes.iter().filter(open).sum(),
        rows: holes.iter().filter(open).count(),
        left_out: 0,
    }
}
