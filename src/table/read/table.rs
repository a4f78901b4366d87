//! A whole file as a table of numbers.

use std::path::Path;

use super::options::ReadOptions;
use super::reader::Reader;
use crate::table::error::TableError;
use crate::table::table::Table;

impl Table {
    /// Reads these columns of a file; rows for which `keep` returns false are left out.
    ///
    /// `keep` gets the whole row by column name. Give `&[]` for all columns. How the file is written is found
    /// from its first rows, as by [`Reader::open`]; a [`Reader`] reads columns of text and missing cells,
    /// too.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and the column.
    pub fn read(
        path: impl AsRef<Path>,
        columns: &[&str],
        keep: impl Fn(&dyn Fn(&str) -> Option<String>) -> bool,
    ) -> Result<Table, TableError> {
        let mut reader = Reader::open(path, &ReadOptions::default())?;
        let names: Vec<String> = match columns {
            [] => reader.columns().to_vec(),
            _ => columns.iter().map(|name| name.to_string()).collect(),
        };
        let places = reader.places(&names)?;
        let mut values = Vec::new();
        while reader.next_record()? {
            let cell = |name: &str| {
                let place = reader.columns().iter().position(|known| known == name)?;
                reader.text(place).ok().map(str::to_string)
            };
            if !keep(&cell) {
                continue;
            }
            for place in &places {
                let value = reader.number(*place)?;
                values.push(value.ok_or_else(|| reader.missing(*place))?);
            }
        }
        Table::new(&names, values)
    }
}
