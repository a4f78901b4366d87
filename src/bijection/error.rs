//! Errors of bijections.

use thiserror::Error;

use crate::jacobian::StructureError;
use crate::tape::{RecordErrors, Shape};

/// What is wrong, and with which layer.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum BijectionError {
    /// Errors while recording `forward` or `inverse`.
    #[error("{layer}: {errors}")]
    Recording {
        /// The layer.
        layer: String,
        /// All errors.
        errors: RecordErrors,
    },
    /// The number of outputs differs from the number of inputs.
    #[error(
        "{layer}: {function} must map {expected} variables to {expected}, but it gives {given}; \
         a density needs as many outputs as inputs"
    )]
    Dimension {
        /// The layer.
        layer: String,
        /// `forward`, `inverse` or `log_det`.
        function: &'static str,
        /// The value of `dim`.
        expected: usize,
        /// The shape of the result.
        given: Shape,
    },
    /// The layer has no variables.
    #[error("{layer} maps 0 variables; give it at least one")]
    NoVariables {
        /// The layer.
        layer: String,
    },
    /// A declared domain or codomain is invalid.
    #[error("{layer}: its {side} cannot be used: {error}")]
    Domain {
        /// The layer.
        layer: String,
        /// `domain` or `codomain`.
        side: &'static str,
        /// The reason.
        error: String,
    },
    /// A layer's image is not in the domain of the next layer.
    #[error(
        "{chain}: the image of {before} is {reaches}, but the domain of {next} is {takes}; insert a layer \
         that maps one into the other (Transform::Exp maps ℝ onto (0, ∞), Transform::Sigmoid onto an \
         interval), or declare a smaller `codomain` for {before}"
    )]
    Unfit {
        /// The chain.
        chain: String,
        /// The earlier layer.
        before: String,
        /// Its image.
        reaches: String,
        /// The next layer.
        next: String,
        /// Its domain.
        takes: String,
    },
    /// A layer in a chain has another dimension.
    #[error(
        "{chain}: layer {position} ({layer}) maps {given} variables, but the first layer maps {expected}"
    )]
    Chain {
        /// The chain.
        chain: String,
        /// The position of the layer, from 0.
        position: usize,
        /// The layer.
        layer: String,
        /// The dimension of the first layer.
        expected: usize,
        /// The dimension of this layer.
        given: usize,
    },
    /// `forward` recorded two different programs.
    #[error(
        "{layer}: {function} is not a pure recording: called twice with the same variable it recorded two \
         different programs; move random numbers, clocks and counters from {function} to the constructor"
    )]
    Impure {
        /// The layer.
        layer: String,
        /// `forward` or `inverse`.
        function: &'static str,
    },
    /// The declared structure cannot be used.
    #[error("{layer}: {error}")]
    Structure {
        /// The layer.
        layer: String,
        /// The reason.
        #[source]
        error: StructureError,
    },
    /// An inverse is needed, but the layer has none.
    #[error(
        "{layer}: no inverse can be derived, since {reason}; log p(x) needs z = f⁻¹(x), so write an `inverse` \
         beside `forward` (`audit` checks that the two agree)"
    )]
    NoInverse {
        /// The layer.
        layer: String,
        /// Why none can be derived.
        reason: String,
    },
    /// The parameters do not match the layer.
    #[error("{layer}: {error}")]
    Parameters {
        /// The layer.
        layer: String,
        /// What does not match.
        error: String,
    },
    /// A log-determinant written by hand is not a scalar.
    #[error("{layer}: log_det must be a scalar, but it gives {given}; sum over the variables")]
    LogDetShape {
        /// The layer.
        layer: String,
        /// The shape of the result.
        given: Shape,
    },
}
