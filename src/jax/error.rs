//! What cannot be written as a JAX module, or read back.

use std::fmt;

use crate::bijection::BijectionError;

/// Why there is no module, or why parameters cannot be taken back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JaxError {
    /// A layer has no inverse that could be written.
    Bijection(BijectionError),
    /// An operation that has no counterpart in JAX.
    Operation {
        /// The layer or base in which it stands.
        of: String,
        /// The operation.
        operation: String,
        /// What to do instead.
        advice: &'static str,
    },
    /// A part of a model that is not a flow.
    Model(String),
    /// A file of parameters cannot be read.
    Parameters(String),
    /// A folder cannot be written.
    Write {
        /// The folder or file.
        path: String,
        /// What the system says.
        problem: String,
    },
}

impl fmt::Display for JaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JaxError::Bijection(error) => write!(f, "{error}"),
            JaxError::Operation { of, operation, advice } => {
                write!(f, "{of}: {operation} has no counterpart in a JAX module; {advice}")
            }
            JaxError::Model(problem) => f.write_str(problem),
            JaxError::Parameters(problem) => write!(f, "the parameters cannot be taken back: {problem}"),
            JaxError::Write { path, problem } => write!(f, "{path} cannot be written: {problem}"),
        }
    }
}

impl std::error::Error for JaxError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            JaxError::Bijection(error) => Some(error),
            _ => None,
        }
    }
}

impl From<BijectionError> for JaxError {
    fn from(error: BijectionError) -> JaxError {
        JaxError::Bijection(error)
    }
}
