//! What can go wrong with a training.

use thiserror::Error;

use crate::program::{NonFinite, ProgramError};
use crate::tape::{ParameterError, RecordErrors, Shape};

/// Why a loss cannot be recorded or minimised.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TrainError {
    /// Mistakes of the recording.
    #[error(transparent)]
    Recording(#[from] RecordErrors),
    /// A program cannot run.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A loss is one number for each row.
    #[error(
        "a loss is one number for each row, but a {0} was recorded: `.sum()` or `.at(0)` makes it a scalar"
    )]
    Shape(Shape),
    /// Parameters are asked for under a name that none has.
    #[error("no parameter is called {scope}, or stands under {scope}.; there are {}", listed(.known))]
    Scope {
        /// The name.
        scope: String,
        /// The parameters that there are.
        known: Vec<String>,
    },
    /// Nothing could be learned.
    #[error("the loss depends on no parameter that is to be learned")]
    NothingToLearn,
    /// Another number of data inputs.
    #[error(
        "the loss takes {expected} inputs of data, in the order in which they were recorded, but {given} were given"
    )]
    Inputs {
        /// How many it has.
        expected: usize,
        /// How many were given.
        given: usize,
    },
    /// A number in the data is NaN or infinite, and the loss with it.
    #[error(
        "input {input} of the data is {value} in row {row}, column {column} (all count from 0), and so the loss is not \
         finite; leave such rows out or fill them in"
    )]
    Data {
        /// Which input of data.
        input: usize,
        /// The row.
        row: usize,
        /// The column.
        column: usize,
        /// NaN, ∞ or -∞.
        value: f64,
    },
    /// A mean over no rows.
    #[error("a step needs at least one row")]
    NoRows,
    /// A setting makes no sense.
    #[error("{name} is {value}; it must be {allowed}")]
    Setting {
        /// Which setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would do.
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
        None => "every operation is finite in itself".to_string(),
    }
}
