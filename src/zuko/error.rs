//! Why a state dict is no flow here, or a flow no state dict.

use std::fmt;

use crate::flow::FlowError;

/// Why a state dict cannot be read, or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum ZukoError {
    /// The bytes are no safetensors.
    File(String),
    /// A tensor is missing, has another shape, or holds what it cannot.
    Tensor {
        /// Its name in the state dict.
        name: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A transform that has no counterpart here.
    Transform {
        /// Its number, from 0.
        transform: usize,
        /// What it has.
        problem: String,
    },
    /// A setting that no layer can have.
    Settings(String),
    /// A parameter that is none of the state dict.
    Parameters(String),
    /// The layers do not make a flow.
    Flow(FlowError),
}

impl fmt::Display for ZukoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ZukoError::File(problem) => {
                write!(
                    f,
                    "no state dict: {problem}; write one with safetensors.torch.save_file(flow.state_dict(), path)"
                )
            }
            ZukoError::Tensor { name, problem } => write!(f, "`{name}` of the state dict {problem}"),
            ZukoError::Transform { transform, problem } => {
                write!(f, "transform {transform} of the state dict {problem}")
            }
            ZukoError::Settings(problem) | ZukoError::Parameters(problem) => write!(f, "{problem}"),
            ZukoError::Flow(error) => write!(f, "the layers of the state dict make no flow: {error}"),
        }
    }
}

impl std::error::Error for ZukoError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ZukoError::Flow(error) => Some(error),
            _ => None,
        }
    }
}

impl From<FlowError> for ZukoError {
    fn from(error: FlowError) -> ZukoError {
        ZukoError::Flow(error)
    }
}
