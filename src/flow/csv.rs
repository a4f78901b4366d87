//! Tables from CSV files.

use std::path::Path;

use thiserror::Error;

use super::table::Table;

/// Why a table cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be read as CSV.
    #[error("{path}: {source}")]
    Csv {
        /// The file.
        path: String,
        /// What is wrong.
        #[source]
        source: ::csv::Error,
    },
    /// There is no such column.
    #[error("{path} has no column `{name}`; its columns are: {known}")]
    Column {
        /// The file.
        path: String,
        /// The requested name.
        name: String,
        /// The columns of the file.
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
        /// The text of the cell.
        cell: String,
    },
}

impl Table {
    /// Reads these columns of a CSV file with a header line; rows for which `keep` returns false are left out.
    ///
    /// `keep` gets the whole row by column name. Give `&[]` for all columns.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and the column.
    pub fn read(
        path: impl AsRef<Path>,
        columns: &[&str],
        keep: impl Fn(&dyn Fn(&str) -> Option<String>) -> bool,
    ) -> Result<Table, TableError> {
        let shown = path.as_ref().display().to_string();
        let failed = |source| TableError::Csv { path: shown.clone(), source };
        let mut reader = ::csv::Reader::from_path(path.as_ref()).map_err(failed)?;
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
}
