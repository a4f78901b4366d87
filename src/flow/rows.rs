//! Validation of rows of numbers.

use super::error::FlowError;

/// Returns the number of rows, if they are whole.
pub(super) fn whole_rows(rows: &[f64], width: usize) -> Result<usize, FlowError> {
    if !rows.len().is_multiple_of(width) {
        return Err(FlowError::Rows { width, given: rows.len() });
    }
    match rows.iter().position(|value| value.is_nan()) {
        Some(place) => Err(FlowError::Nan { row: place / width, column: place % width }),
        None => Ok(rows.len() / width),
    }
}

/// Returns an error for an infinite value.
pub(super) fn finite_rows(rows: &[f64], width: usize) -> Result<(), FlowError> {
    match rows.iter().position(|value| value.is_infinite()) {
        Some(at) => Err(FlowError::Infinite { row: at / width, column: at % width, value: rows[at] }),
        None => Ok(()),
    }
}
