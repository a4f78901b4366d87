//! Errors of the library as they are raised in Python: their texts say what, where, and what to do.

use std::fmt::Display;

use pushforward::model::ModelError;
use pyo3::PyErr;
use pyo3::exceptions::PyValueError;

/// A ValueError with the library's text.
pub fn refused(error: impl Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// An error of a description, which is not of a file here.
pub fn undescribed(error: ModelError) -> PyErr {
    match error {
        ModelError::Settings { name, problem } => PyValueError::new_err(format!("{name}: {problem}")),
        other => refused(other),
    }
}
