//! What can be wrong with a file.

use thiserror::Error;

/// Why a file cannot be read as a map.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file cannot be opened.
    #[error("{file} cannot be read: {reason}")]
    File {
        /// The file.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// The bytes are not those of an ONNX file.
    #[error("this is no ONNX file, or it was cut off: {reason}; write it anew with torch.onnx.export")]
    Format {
        /// What the decoder says.
        reason: String,
    },
    /// The file as a whole is of a kind that is not read.
    #[error("{what}; {advice}")]
    Model {
        /// What it is.
        what: String,
        /// What to do.
        advice: &'static str,
    },
    /// The graph is no map from ℝᵈ to ℝᵈ.
    #[error("the graph is no map of one row of numbers: {what}; {advice}")]
    Signature {
        /// What is in the way.
        what: String,
        /// What to do.
        advice: &'static str,
    },
    /// There is no output of this name.
    #[error("the graph has no output `{name}`; its outputs are {outputs}")]
    Output {
        /// The name asked for.
        name: String,
        /// Those that there are.
        outputs: String,
    },
    /// There is no stored tensor of this name.
    #[error("the graph has no tensor `{name}` that could be {role}; its tensors are {tensors}")]
    Tensor {
        /// The name asked for.
        name: String,
        /// What it should be.
        role: &'static str,
        /// Those that there are.
        tensors: String,
    },
    /// A stored tensor is not as its type and shape say.
    #[error("tensor `{name}`: {what}; {advice}")]
    Data {
        /// Its name.
        name: String,
        /// What is wrong with it.
        what: String,
        /// What to do.
        advice: &'static str,
    },
    /// A value is used that no node gives before.
    #[error(
        "node `{node}` ({operator}) uses `{value}`, which no node before it gives: the graph has a cycle or is incomplete"
    )]
    Unknown {
        /// The node.
        node: String,
        /// Its operator.
        operator: String,
        /// The value.
        value: String,
    },
    /// An operator that is not read.
    #[error("node `{node}`: the operator {operator} is not read: {reason}")]
    Operator {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
        /// Why, and what to do.
        reason: String,
    },
    /// An operator with operands or settings that do not fit.
    #[error("node `{node}` ({operator}): {reason}")]
    Node {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
        /// What does not fit.
        reason: String,
    },
}
