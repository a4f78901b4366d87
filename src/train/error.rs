//! Errors of training.

use thiserror::Error;

use crate::program::{NonFinite, ProgramError};
use crate::tape::{ParameterError, RecordErrors, Shape};

/// Why a loss cannot be recorded or minimised.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// Recording errors.
    #[error(transparent)]
    Recording(#[from] RecordErrors),
    /// The program cannot run.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The loss is not a scalar for each row.
    #[error(
        "the loss must be a scalar for each row, but a {0} was recorded; reduce it with `.sum()` or `.at(0)`"
    )]
    Shape(Shape),
    /// No parameter has the given name or scope.
    #[error("there is no parameter or scope named {scope}; the parameters are {}", listed(.known))]
    Scope {
        /// The name.
        scope: String,
        /// The existing parameters.
        known: Vec<String>,
    },
    /// The loss depends on no learned parameter.
    #[error("the loss depends on no parameter that is to be learned")]
    NothingToLearn,
    /// The number of data inputs is wrong.
    #[error(
        "the loss takes {expected} inputs of data, in the order in which they were recorded, but {given} were given"
    )]
    Inputs {
        /// The number of inputs of the loss.
        expected: usize,
        /// The number of inputs given.
        given: usize,
    },
    /// The data contain a NaN or an infinity, so the loss is not finite.
    #[error(
        "input {input} of the data is {value} in row {row}, column {column} (all count from 0), and so the \
         loss is not finite; remove such rows or fill them in"
    )]
    Data {
        /// Which data input.
        input: usize,
        /// The row.
        row: usize,
        /// The column.
        column: usize,
        /// NaN, ∞ or -∞.
        value: f64,
    },
    /// There are no rows to average over.
    #[error("a step needs at least one row")]
    NoRows,
    /// A setting is invalid.
    #[error("{name} is {value}; it must be {allowed}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// Which values are allowed.
        allowed: &'static str,
    },
    /// The loss or a gradient is not finite.
    #[error("the loss or its gradient is not finite: {}", blamed(.0.as_ref()))]
    NotFinite(Option<NonFinite>),
}

impl From<ParameterError> for TrainError {
    fn from(error: ParameterError) -> TrainError {
        TrainError::Program(error.into())
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_string(),
        names => names.join(", "),
    }
}

fn blamed(origin: Option<&NonFinite>) -> String {
    match origin {
        Some(origin) => origin.to_string(),
        None => "no single operation produced it: each is finite for finite operands".to_string(),
    }
}
