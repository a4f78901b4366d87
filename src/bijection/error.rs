//! Why a bijection cannot be used.

use thiserror::Error;

use crate::jacobian::StructureError;
use crate::tape::{RecordErrors, Shape};

/// What is wrong with a layer, and with which.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum BijectionError {
    /// Mistakes while recording `forward` or `inverse`.
    #[error("{layer}: {errors}")]
    Recording {
        /// The layer.
        layer: String,
        /// All of them.
        errors: RecordErrors,
    },
    /// The dimensions do not fit.
    #[error(
        "{layer}: {function} must map {expected} variables to {expected}, but it gives {given}; \
         a density needs as many outputs as inputs"
    )]
    Dimension {
        /// The layer.
        layer: String,
        /// `forward`, `inverse` or `log_det`.
        function: &'static str,
        /// What `dim` says.
        expected: usize,
        /// What came out.
        given: Shape,
    },
    /// There is nothing to map.
    #[error("{layer} maps 0 variables; give it at least one")]
    NoVariables {
        /// The layer.
        layer: String,
    },
    /// A declared domain or codomain is none.
    #[error("{layer}: its {side} cannot be used: {error}")]
    Domain {
        /// The layer.
        layer: String,
        /// `domain` or `codomain`.
        side: &'static str,
        /// Why not.
        error: String,
    },
    /// A layer goes where the next one is not defined.
    #[error(
        "{chain}: {before} reaches {reaches}, but {next} takes {takes} only; put a layer between them that maps the one \
         into the other (Transform::Exp maps ℝ onto (0, ∞), Transform::Sigmoid onto an interval), or declare a smaller \
         `codomain` if {before} stays inside"
    )]
    Unfit {
        /// The chain.
        chain: String,
        /// The layer that leaves.
        before: String,
        /// Where it goes.
        reaches: String,
        /// The layer after it.
        next: String,
        /// Where that is defined.
        takes: String,
    },
    /// A layer of another dimension stands in a chain.
    #[error(
        "{chain}: layer {position} ({layer}) maps {given} variables, but the first layer maps {expected}"
    )]
    Chain {
        /// The chain.
        chain: String,
        /// The place of the layer, counted from 0.
        position: usize,
        /// The layer.
        layer: String,
        /// What the first layer has.
        expected: usize,
        /// What this one has.
        given: usize,
    },
    /// `forward` recorded twice gave two programs.
    #[error(
        "{layer}: {function} is not a pure recording: called twice with the same variable it recorded two \
         different programs; draw random numbers and read clocks where the layer is made, not in {function}"
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
        /// Why not.
        #[source]
        error: StructureError,
    },
    /// The inverse is needed and the layer has none.
    #[error(
        "{layer}: no inverse can be derived, since {reason}; log p(x) needs z = f⁻¹(x), so write `fn inverse` \
         beside `forward` (`audit` checks that the two agree)"
    )]
    NoInverse {
        /// The layer.
        layer: String,
        /// What stands in the way of a derived one.
        reason: String,
    },
    /// The parameters given do not fit the layer.
    #[error("{layer}: {error}")]
    Parameters {
        /// The layer.
        layer: String,
        /// What does not fit.
        error: String,
    },
    /// A log-determinant by hand that is not one number.
    #[error("{layer}: log_det must be a scalar, but it gives {given}; sum over the variables")]
    LogDetShape {
        /// The layer.
        layer: String,
        /// What came out.
        given: Shape,
    },
}
