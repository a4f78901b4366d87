//! What becomes of rows with missing cells.

use std::fmt;
use std::str::FromStr;

use super::block::{Block, Column};
use super::error::TableError;
use super::number::{count, list};

/// What becomes of rows with missing cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Missing {
    /// They are left out, and counted.
    #[default]
    Drop,
    /// The first is an error.
    Error,
    /// They stay: the model integrates over what is missing.
    Model,
}

/// The rows that were left out because of missing cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Dropped {
    /// The number of rows left out.
    pub rows: usize,
    /// The number of rows before.
    pub of: usize,
    /// The columns with missing cells, and how many they have.
    pub columns: Vec<(String, usize)>,
}

impl Missing {
    /// Applies the choice to a block; a row counts as incomplete if any column of the block has no value
    /// there.
    ///
    /// # Errors
    /// [`TableError::MissingCell`] under [`Missing::Error`], [`TableError::NoCompleteRow`] where
    /// [`Missing::Drop`] would leave nothing.
    pub fn apply(self, block: &Block) -> Result<(Block, Dropped), TableError> {
        let missing = |column: &Column| (0..block.rows()).filter(|row| column.cells.is_missing(*row)).count();
        let counts = block.columns().iter().map(|column| (column.name.clone(), missing(column)));
        let columns: Vec<(String, usize)> = counts.filter(|(_, missing)| *missing > 0).collect();
        let complete = |row: usize| block.columns().iter().all(|column| !column.cells.is_missing(row));
        let incomplete = (0..block.rows()).find(|row| !complete(*row));
        match (self, incomplete) {
            (Missing::Error, Some(row)) => {
                let mut columns_here = block.columns().iter().filter(|column| column.cells.is_missing(row));
                let column = columns_here.next().map_or_else(String::new, |column| column.name.clone());
                let missing =
                    columns.iter().find(|(name, _)| *name == column).map_or(1, |(_, missing)| *missing);
                Err(TableError::MissingCell { path: None, line: block.lines()[row], column, missing })
            }
            (Missing::Drop, Some(_)) => {
                let kept = block.filter(complete);
                if kept.rows() == 0 {
                    let (column, missing) =
                        columns.into_iter().max_by_key(|(_, missing)| *missing).unwrap_or_default();
                    return Err(TableError::NoCompleteRow { rows: block.rows(), column, missing });
                }
                let dropped = Dropped { rows: block.rows() - kept.rows(), of: block.rows(), columns };
                Ok((kept, dropped))
            }
            _ => Ok((block.clone(), Dropped { rows: 0, of: block.rows(), columns })),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Missing::Drop => "drop",
            Missing::Error => "error",
            Missing::Model => "model",
        })
    }
}

impl FromStr for Missing {
    type Err = String;

    fn from_str(text: &str) -> Result<Missing, String> {
        match text {
            "drop" => Ok(Missing::Drop),
            "error" => Ok(Missing::Error),
            "model" => Ok(Missing::Model),
            other => Err(format!("`{other}` is not one of drop, error, model")),
        }
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns.iter().map(|(name, missing)| format!("`{name}` ({missing})"));
        let columns = list(&columns.collect::<Vec<_>>(), 6);
        match (self.rows, columns.is_empty()) {
            (0, true) => f.write_str("no cell is missing"),
            (0, false) => write!(f, "missing cells, in {columns}"),
            (rows, _) => {
                let verb = if rows == 1 { "is" } else { "are" };
                write!(
                    f,
                    "{} of {} {verb} left out: cells are missing in {columns}",
                    rows,
                    count(self.of, "row")
                )
            }
        }
    }
}
