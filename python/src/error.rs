//! Errors of the library as exceptions of Python.

use std::fmt::Display;

use pushforward::table::TableError;
use pyo3::PyErr;
use pyo3::exceptions::PyValueError;

use crate::line::row_of;

/// A `ValueError` with the library's text.
pub fn value_error(error: impl Display) -> PyErr {
    PyValueError::new_err(rows_for_lines(&error.to_string()))
}

/// The same for an error of a table.
pub fn table_error(error: TableError) -> PyErr {
    value_error(error)
}

/// What the text says of lines of a file, it says of rows.
fn rows_for_lines(text: &str) -> String {
    let mut parts = text.split("line ");
    let mut told = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        match part[..digits].parse() {
            Ok(line) => told.push_str(&format!("row {}{}", row_of(line), &part[digits..])),
            Err(_) => told.push_str(&format!("line {part}")),
        }
    }
    told
}
