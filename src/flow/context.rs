//! The contexts of a conditional density, for the rows that they belong to.

use std::borrow::Cow;

use super::error::FlowError;
use super::rows::whole_rows;

/// A context for each of some rows; empty for a flow without context.
pub(super) struct Contexts<'a> {
    width: usize,
    values: Cow<'a, [f64]>,
}

impl<'a> Contexts<'a> {
    /// Contexts as given: one for each row, or one for all; none for a flow without context.
    pub fn new(width: usize, given: &'a [f64], rows: usize) -> Result<Contexts<'a>, FlowError> {
        if width == 0 || given.is_empty() {
            // No rows need no context.
            return match (width, given.len()) {
                (0, 0) => Ok(Contexts { width, values: Cow::Borrowed(given) }),
                (_, 0) if rows == 0 => Ok(Contexts { width, values: Cow::Borrowed(given) }),
                (expected, given) => Err(FlowError::Context { expected, given }),
            };
        }
        let count = whole_rows(given, width)?;
        let values = match count {
            _ if count == rows => Cow::Borrowed(given),
            1 => Cow::Owned(given.repeat(rows)),
            contexts => return Err(FlowError::ContextRows { rows, contexts }),
        };
        Ok(Contexts { width, values })
    }

    /// Returns the inputs of a program: the rows, and their contexts if there are any.
    pub fn beside<'b>(&'b self, rows: &'b [f64]) -> Vec<&'b [f64]> {
        match self.width {
            0 => vec![rows],
            _ => vec![rows, &self.values],
        }
    }

    /// Returns the inputs of a program for a single row.
    pub fn beside_row<'b>(&'b self, values: &'b [f64], row: usize) -> Vec<&'b [f64]> {
        match self.width {
            0 => vec![values],
            width => vec![values, &self.values[row * width..(row + 1) * width]],
        }
    }
}
