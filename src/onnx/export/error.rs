//! Why something cannot be written as an ONNX file.

use thiserror::Error;

use crate::flow::FlowError;
use crate::tape::{Op, ParameterError, Place};

/// Why a flow or a model cannot be written as an ONNX file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// An operation has no graph.
    #[error(
        "`{operation}`, recorded at {place}, cannot be written as ONNX: there are no operators for it. Export what does not \
         need it (log_prob, inverse or sample), or use a layer without it"
    )]
    Operation {
        /// The operation.
        operation: String,
        /// Where it was recorded.
        place: Place,
    },
    /// A mixture of flows has no z.
    #[error(
        "this model is a mixture of {flows} flows, so that no single z belongs to an x: export log_prob or sample"
    )]
    Mixture {
        /// The number of flows.
        flows: usize,
    },
    /// A model needs what graphs do not have.
    #[error("{0}")]
    Columns(String),
    /// The flow cannot be recorded.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// The file cannot be written.
    #[error("{path} cannot be written: {source}")]
    Write {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl ExportError {
    /// An operation that has no graph.
    pub(super) fn operation(op: &Op, place: Place) -> ExportError {
        ExportError::Operation { operation: op.name().to_string(), place }
    }
}

impl From<ParameterError> for ExportError {
    fn from(error: ParameterError) -> ExportError {
        ExportError::Flow(FlowError::Program(error.into()))
    }
}
