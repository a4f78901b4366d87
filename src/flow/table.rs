//! Tables of numbers: rows are samples, columns are variables.

use std::path::Path;

use thiserror::Error;

use super::error::FlowError;

/// Rows of equal width, with the names of the columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    columns: Vec<String>,
    values: Vec<f64>,
}

/// Why a table cannot be read.
#[derive(Debug, Error)]
pub enum TableError {
    /// The file cannot be read as CSV.
    #[error("{path}: {source}")]
    Csv {
        /// The file.
        path: String,
        /// What is wrong.
        #[source]
        source: csv::Error,
    },
    /// There is no such column.
    #[error("{path} has no column `{name}`; its columns are: {known}")]
    Column {
        /// The file.
        path: String,
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A cell is not a number.
    #[error("{path}, line {line}, column `{column}`: `{cell}` is not a finite number")]
    Cell {
        /// The file.
        path: String,
        /// The line, counted from 1.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        cell: String,
    },
}

impl Table {
    /// A table from numbers, row after row.
    ///
    /// # Errors
    /// [`FlowError::Rows`] when they are not whole rows.
    pub fn new(columns: &[&str], values: Vec<f64>) -> Result<Table, FlowError> {
        let width = columns.len();
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(FlowError::Rows { width, given: values.len() });
        }
        Ok(Table { columns: columns.iter().map(|name| name.to_string()).collect(), values })
    }

    /// Reads these columns of a CSV file with a header line; rows for which `keep` says no are left out.
    ///
    /// `keep` sees the whole row by column name. Give `&[]` for all columns.
    ///
    /// # Errors
    /// [`TableError`] says the file, the line and the column.
    pub fn read(
        path: impl AsRef<Path>,
        columns: &[&str],
        keep: impl Fn(&dyn Fn(&str) -> Option<String>) -> bool,
    ) -> Result<Table, TableError> {
        let shown = path.as_ref().display().to_string();
        let failed = |source| TableError::Csv { path: shown.clone(), source };
        let mut reader = csv::Reader::from_path(path.as_ref()).map_err(failed)?;
        let header: Vec<String> = reader.headers().map_err(failed)?.iter().map(str::to_string).collect();
        let wanted: Vec<String> = match columns {
            [] => header.clone(),
            _ => columns.iter().map(|name| name.to_string()).collect(),
        };
        let mut places = Vec::new();
        for name in &wanted {
            let place = header.iter().position(|known| known == name).ok_or_else(|| TableError::Column {
                path: shown.clone(),
                name: name.clone(),
                known: header.join(", "),
            })?;
            places.push(place);
        }
        let mut values = Vec::new();
        for record in reader.records() {
            let record = record.map_err(failed)?;
            let cell = |name: &str| {
                let place = header.iter().position(|known| known == name)?;
                record.get(place).map(str::to_string)
            };
            if !keep(&cell) {
                continue;
            }
            for (place, name) in places.iter().zip(&wanted) {
                let text = record.get(*place).unwrap_or("");
                let value = text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
                values.push(value.ok_or_else(|| TableError::Cell {
                    path: shown.clone(),
                    line: record.position().map_or(0, |position| position.line()),
                    column: name.clone(),
                    cell: text.to_string(),
                })?);
            }
        }
        Ok(Table { columns: wanted, values })
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.values.len() / self.width()
    }

    /// All numbers, row after row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.width()..(row + 1) * self.width()]
    }

    /// The rows for which `keep` says yes, by their place.
    pub fn filter(&self, keep: impl Fn(usize) -> bool) -> Table {
        let values =
            (0..self.rows()).filter(|row| keep(*row)).flat_map(|row| self.row(row).to_vec()).collect();
        Table { columns: self.columns.clone(), values }
    }

    /// Mean and standard deviation (of the population) of each column.
    pub fn moments(&self) -> (Vec<f64>, Vec<f64>) {
        let (rows, width) = (self.rows() as f64, self.width());
        let column = |j: usize| self.values.iter().skip(j).step_by(width);
        let means: Vec<f64> = (0..width).map(|j| column(j).sum::<f64>() / rows).collect();
        let deviations = (0..width)
            .map(|j| (column(j).map(|value| (value - means[j]).powi(2)).sum::<f64>() / rows).sqrt())
            .collect();
        (means, deviations)
    }

    /// Each column less a mean, by a standard deviation; a constant column is only shifted.
    pub fn standardised(&self, (means, deviations): &(Vec<f64>, Vec<f64>)) -> Table {
        let width = self.width();
        let scale = |j: usize| if deviations[j] > 0.0 { deviations[j] } else { 1.0 };
        let values = self.values.iter().enumerate();
        let values = values.map(|(e, value)| (value - means[e % width]) / scale(e % width)).collect();
        Table { columns: self.columns.clone(), values }
    }
}
