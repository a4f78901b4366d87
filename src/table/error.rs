//! Errors of tables.

use std::io;

use thiserror::Error;

use super::number::{count, shown};

/// Why a table cannot be read or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The values do not form whole rows.
    #[error("{given} values cannot be split into rows of {width}")]
    Rows {
        /// The width of a row.
        width: usize,
        /// The number of values given.
        given: usize,
    },
    /// A column has more or fewer cells than there are rows.
    #[error("column `{column}` has {cells} cells, but there are {rows} rows")]
    Lengths {
        /// The column.
        column: String,
        /// Its cells.
        cells: usize,
        /// The rows.
        rows: usize,
    },
    /// Two blocks have different columns.
    #[error("rows of other columns cannot be appended: names, order, and what is text must be the same")]
    Blocks,
    /// The file cannot be opened.
    #[error("{path} cannot be opened: {source}")]
    Open {
        /// The file.
        path: String,
        /// What is wrong.
        #[source]
        source: io::Error,
    },
    /// The file cannot be read to its end.
    #[error("{path} cannot be read to its end: {source}")]
    Read {
        /// The file.
        path: String,
        /// What is wrong.
        #[source]
        source: io::Error,
    },
    /// The file has no rows at all, not even a header.
    #[error("{path} is empty; a table is a line of column names and a line for each row")]
    Empty {
        /// The file.
        path: String,
    },
    /// The file is not text.
    #[error("{path} is not a text file: {reason}")]
    NotText {
        /// The file.
        path: String,
        /// What it seems to be, and what to do.
        reason: &'static str,
    },
    /// A Parquet file cannot be read as it was asked for.
    #[error("{path} is a Parquet file: {reason}")]
    Parquet {
        /// The file.
        path: String,
        /// Why not.
        reason: &'static str,
    },
    /// Some bytes are not UTF-8.
    #[error(
        "{path}, line {line}{}: `{text}` is not UTF-8; give the file's encoding, for example --encoding latin1",
        column.as_ref().map_or_else(String::new, |column| format!(", column `{column}`"))
    )]
    NotUtf8 {
        /// The file.
        path: String,
        /// The line, counted from 1.
        line: u64,
        /// The column, if it is not a column's name that cannot be read.
        column: Option<String>,
        /// The text, with � for what cannot be read.
        text: String,
    },
    /// The separator that was given makes one column of several.
    #[error(
        "{path} has one column with {given} between cells, but {columns} with {fits}; give --delimiter '{option}', \
         or leave it out"
    )]
    OneColumn {
        /// The file.
        path: String,
        /// The separator given, in words.
        given: String,
        /// The separator that fits, in words.
        fits: String,
        /// The separator that fits, as an option's value.
        option: String,
        /// The columns with it.
        columns: usize,
    },
    /// There is no such column.
    #[error(
        "{} no column `{name}`{}; the columns are {known}",
        path.as_ref().map_or_else(|| "there is".to_string(), |path| format!("{path} has")),
        nearest.as_ref().map_or_else(String::new, |nearest| format!(" (did you mean `{nearest}`?)"))
    )]
    Column {
        /// The file.
        path: Option<String>,
        /// The requested name.
        name: String,
        /// The name that is most like it.
        nearest: Option<String>,
        /// The names of all columns.
        known: String,
    },
    /// Several columns have one name.
    #[error(
        "{path} has {} columns named `{name}` (columns {}); give each a name of its own{}",
        places.len(),
        places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        if *looks_like_data { ", or --no-header if the first line is a row" } else { "" }
    )]
    RepeatedName {
        /// The file.
        path: String,
        /// The name.
        name: String,
        /// The columns that have it, counted from 1.
        places: Vec<usize>,
        /// Whether the name is a number.
        looks_like_data: bool,
    },
    /// A column is chosen twice.
    #[error("column `{name}` is chosen twice")]
    ChosenTwice {
        /// The name.
        name: String,
    },
    /// A line has more or fewer cells than the first.
    #[error(
        "{path}, line {line}: {}, but the first line has {expected}; a cell that holds the separator ({delimiter}){} \
         must be quoted",
        count(*found, "cell"),
        if delimiter == "`,`" { ", such as a number with a decimal comma," } else { "" }
    )]
    Ragged {
        /// The file.
        path: String,
        /// The line, counted from 1.
        line: u64,
        /// The cells of the first line.
        expected: usize,
        /// The cells of this line.
        found: usize,
        /// The separator, in words.
        delimiter: String,
    },
    /// A cell is not a finite number.
    #[error("{path}, line {line}, column `{column}`: `{cell}` is not a finite number; {advice}")]
    Cell {
        /// The file.
        path: String,
        /// The line, counted from 1.
        line: u64,
        /// The column.
        column: String,
        /// The text of the cell.
        cell: String,
        /// What to do.
        advice: &'static str,
    },
    /// A number's square overflows.
    #[error(
        "line {line}, column `{column}`: the square of {} overflows; correct or remove the row, or change the \
         column's unit",
        shown(*value)
    )]
    Huge {
        /// The line of the row, counted from 1.
        line: u64,
        /// The column.
        column: String,
        /// The number.
        value: f64,
    },
    /// A cell is missing where none may be.
    #[error(
        "{}line {line}, column `{column}` has no value{}; leave such rows out (--missing drop), or leave the column out",
        path.as_ref().map_or_else(String::new, |path| format!("{path}, ")),
        if *missing > 1 { format!(", nor have {} further rows of it", missing - 1) } else { String::new() }
    )]
    MissingCell {
        /// The file, where it is being read.
        path: Option<String>,
        /// The line of the row, counted from 1.
        line: u64,
        /// The column.
        column: String,
        /// The number of missing cells of the column.
        missing: usize,
    },
    /// Each row has a missing cell.
    #[error(
        "each of the {rows} rows has a missing cell, most often in column `{column}` ({missing} rows); leave that \
         column out"
    )]
    NoCompleteRow {
        /// The number of rows.
        rows: usize,
        /// The column with the most missing cells.
        column: String,
        /// Its missing cells.
        missing: usize,
    },
    /// A column of text is asked for as numbers.
    #[error("column `{column}` is text, and numbers are needed")]
    Text {
        /// The column.
        column: String,
    },
    /// A value does not fit the kind that a column was given.
    #[error(
        "line {line}, column `{column}`: `{cell}` does not fit the kind {kind} that was given; {allowed}"
    )]
    Kind {
        /// The line of the row, counted from 1.
        line: u64,
        /// The column.
        column: String,
        /// The cell.
        cell: String,
        /// The kind.
        kind: String,
        /// What the kind allows.
        allowed: &'static str,
    },
}

impl TableError {
    /// The error for a name that no column has.
    pub(super) fn no_column<'a>(
        path: Option<String>,
        name: &str,
        nearest: Option<String>,
        known: impl Iterator<Item = &'a str>,
    ) -> TableError {
        const MOST: usize = 40;
        let names: Vec<String> = known.map(|name| format!("`{name}`")).collect();
        let mut known = names[..names.len().min(MOST)].join(", ");
        if names.len() > MOST {
            known.push_str(&format!(" and {} more", names.len() - MOST));
        }
        TableError::Column { path, name: name.to_string(), nearest, known }
    }
}
