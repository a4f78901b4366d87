//! Errors of flows.

use thiserror::Error;

use super::outside::Outside;
use crate::bijection::BijectionError;
use crate::program::{NonFinite, ProgramError};
use crate::train::TrainError;

/// Why a flow cannot be built, fitted or evaluated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum FlowError {
    /// A layer cannot be used.
    #[error(transparent)]
    Layer(#[from] BijectionError),
    /// A program cannot run.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A loss cannot be minimised.
    #[error(transparent)]
    Training(TrainError),
    /// Base and layers have different numbers of variables.
    #[error("the base has {base} variables, but the layers map {layers}")]
    Dimension {
        /// Variables of the base.
        base: usize,
        /// Variables of the layers.
        layers: usize,
    },
    /// The support of the base is not inside of the domain of the first layer.
    #[error(
        "the support of the base {base} is {support}, but the domain of the first layer ({layer}) is \
         {takes}, so probability mass would be lost; use a base with support in {takes} (Uniform is one on \
         (0, 1)), or insert a first layer that maps {support} into {takes} (Transform::Exp maps ℝ onto (0, \
         ∞), Transform::Sigmoid onto an interval)"
    )]
    Base {
        /// The base.
        base: String,
        /// Its support.
        support: String,
        /// The first layer.
        layer: String,
        /// Its domain.
        takes: String,
    },
    /// A row has density 0 where a positive density is needed.
    #[error("{0}")]
    Outside(Outside),
    /// A number in the data is infinite.
    #[error(
        "row {row}, column {column} is {value} (rows and columns count from 0); the density is 0 there; \
         remove such rows"
    )]
    Infinite {
        /// The row.
        row: usize,
        /// The column.
        column: usize,
        /// ∞ or -∞.
        value: f64,
    },
    /// A row has no finite likelihood under the initial parameters.
    #[error(
        "row {row} has ln p = {log_p} under the initial parameters, so no gradient step is possible; its \
         value of largest magnitude is {value} in column {column} (rows and columns count from 0): remove \
         the row, or standardise the columns (`Affine::standardising` is a last layer that does)"
    )]
    Impossible {
        /// The row.
        row: usize,
        /// Its likelihood.
        log_p: f64,
        /// The column of its value of largest magnitude.
        column: usize,
        /// That value.
        value: f64,
    },
    /// There is no layer.
    #[error("a flow needs at least one layer; `Affine::identity(d)` is the simplest")]
    Empty,
    /// The values do not form whole rows.
    #[error("{given} values cannot be split into rows of {width}")]
    Rows {
        /// The width of a row.
        width: usize,
        /// The number of values given.
        given: usize,
    },
    /// A context is missing, has a wrong width, or is given to a flow without context.
    #[error("{}", context_message(*expected, *given))]
    Context {
        /// The width of the context of the layers; 0 without one.
        expected: usize,
        /// The number of values given.
        given: usize,
    },
    /// The numbers of contexts and rows differ.
    #[error("{contexts} contexts do not fit {rows} rows; give one for each row, or a single one for all")]
    ContextRows {
        /// The number of rows.
        rows: usize,
        /// The number of contexts.
        contexts: usize,
    },
    /// The width of the table differs from that of the flow.
    #[error("the table has {given} columns, but the flow has {expected} variables")]
    Width {
        /// Variables of the flow.
        expected: usize,
        /// Columns of the table.
        given: usize,
    },
    /// A number in the data is NaN.
    #[error("row {row}, column {column} is NaN (both count from 0); remove such rows or fill them in")]
    Nan {
        /// The row.
        row: usize,
        /// The column.
        column: usize,
    },
    /// The density is no product of densities of single variables given others.
    #[error(
        "this flow does not give the densities of single variables given others: {reason}. Autoregressive layers in \
         one order of the variables do, and so does a Gaussian mixture"
    )]
    NoOrder {
        /// Why not.
        reason: String,
    },
    /// There are too few rows to fit.
    #[error("{rows} rows are too few for training and held-out rows; at least {least} are needed")]
    TooFew {
        /// The number of rows given.
        rows: usize,
        /// The number of rows needed.
        least: usize,
    },
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
    /// The ln density of a target is not a number, or infinite where it must be finite.
    #[error(
        "the target's ln density is {value} at x = {}: {origin}. Write it so that it is finite wherever the flow draws, or \
         end the flow with a layer whose codomain is the target's support (Transform::Exp maps ℝ onto (0, ∞), \
         Transform::Sigmoid onto an interval)",
        listed(.x)
    )]
    Target {
        /// NaN, ∞ or -∞.
        value: f64,
        /// The point.
        x: Vec<f64>,
        /// The operation in which it arose.
        origin: String,
    },
    /// A loss over draws cannot learn the parameters of the base.
    #[error(
        "the base {base} learns parameters ({parameter} is one), and the gradient of a loss over draws would leave them out: \
         {reason}. Use a base without parameters; locations and scales are an Affine layer"
    )]
    LearnedBase {
        /// The base.
        base: String,
        /// A parameter of it.
        parameter: String,
        /// Why its draws cannot be differentiated in the parameters.
        reason: String,
    },
    /// Flow matching of a flow that is not one continuous layer.
    #[error(
        "flow matching learns the velocity of one continuous layer, but this flow is {}: let it be one Continuous layer, and \
         transform the rows beforehand",
        layers.join(", ")
    )]
    NotOneMotion {
        /// The layers.
        layers: Vec<String>,
    },
    /// A weight is negative or not finite.
    #[error("the {what} of row {row} is {value} (rows count from 0); it must be {allowed}")]
    Weight {
        /// Weight or ln weight.
        what: &'static str,
        /// The row.
        row: usize,
        /// Its value.
        value: f64,
        /// Which values are allowed.
        allowed: &'static str,
    },
    /// No weight is above 0.
    #[error(
        "none of {rows} weights is above 0, so that there is nothing to average: give rows that the target makes possible"
    )]
    NoWeight {
        /// The number of weights.
        rows: usize,
    },
    /// A density in the support is not a number.
    #[error("log p is not a number in row {row}: {origin}")]
    NotFinite {
        /// The row.
        row: usize,
        /// The operation in which it arose.
        origin: String,
    },
}

/// A point; of a long one the first numbers.
fn listed(x: &[f64]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = x.iter().take(SHOWN).map(f64::to_string).collect();
    let rest = if x.len() > SHOWN { format!(", … ({} numbers)", x.len()) } else { String::new() };
    format!("({}{rest})", shown.join(", "))
}

fn context_message(expected: usize, given: usize) -> String {
    match (expected, given) {
        (0, given) => {
            format!("no layer of this flow uses a context, but a context of {given} values was given")
        }
        (expected, 0) => format!(
            "the layers of this flow take a context of {expected} numbers for each row; give it as \
             FitOptions::contexts, or with log_prob_given, sample_given or step_given"
        ),
        (expected, given) => {
            format!(
                "the layers of this flow take a context of {expected} numbers, but the table has {given} columns"
            )
        }
    }
}

impl From<TrainError> for FlowError {
    fn from(error: TrainError) -> FlowError {
        match error {
            TrainError::Program(error) => FlowError::Program(error),
            TrainError::Setting { name, value, allowed } => FlowError::Setting { name, value, allowed },
            other => FlowError::Training(other),
        }
    }
}

impl FlowError {
    pub(super) fn not_finite(row: usize, origin: Option<NonFinite>) -> FlowError {
        let origin = match origin {
            Some(origin) => origin.to_string(),
            None => "no single operation produced it: each is finite for finite operands".to_string(),
        };
        FlowError::NotFinite { row, origin }
    }
}
