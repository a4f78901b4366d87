//! Errors of running a program.

use std::fmt;

use thiserror::Error;

use crate::tape::{ParameterError, Place};

/// Why a program could not run.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// The parameters do not fit.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The parameters were not loaded yet.
    #[error("the program has no parameters yet: call `load` before `run`")]
    NotLoaded,
    /// A wrong number of inputs.
    #[error("the program takes {expected} inputs, but {given} were given")]
    Inputs {
        /// The number of inputs of the program.
        expected: usize,
        /// The number of inputs given.
        given: usize,
    },
    /// The values of an input do not form whole rows.
    #[error("input {input} holds {given} numbers, but {rows} rows of {width} are {}", rows * width)]
    Rows {
        /// The input, counted from 0.
        input: usize,
        /// The number of rows to run.
        rows: usize,
        /// The width of a row.
        width: usize,
        /// The number of values given.
        given: usize,
    },
}

/// Where a non-finite number first arose.
#[derive(Clone, Debug, PartialEq)]
pub struct NonFinite {
    /// The operation whose operands were finite and whose result was not.
    pub operation: &'static str,
    /// The source line that recorded it.
    pub place: Place,
    /// The element of the result, counted row by row.
    pub element: usize,
    /// The row of the batch.
    pub row: usize,
    /// The non-finite result.
    pub value: f64,
    /// The corresponding element of each operand of equal shape: the operands of an elementwise operation.
    pub operands: Vec<f64>,
    /// Of a system of equations: how far its left side is from 0 where the search for a solution ended.
    pub residual: Option<f64>,
}

/// Formats a number, with an exponent where it would be long.
fn short(value: f64) -> String {
    let plain = value.to_string();
    if plain.len() <= 24 { plain } else { format!("{value:e}") }
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} gives {}", self.operation, self.value)?;
        if !self.operands.is_empty() {
            let operands: Vec<String> = self.operands.iter().map(|value| short(*value)).collect();
            write!(f, " from {}", operands.join(" and "))?;
        }
        write!(f, " in row {} (element {}), at {}", self.row, self.element, self.place)?;
        match self.operation {
            // The name of `tape::Solution::End`.
            "initial value problem" => f.write_str(
                ": its velocity was not finite, or its steps became too many or too short; allow more steps or \
                 larger errors, or bound the slopes of the velocity",
            ),
            // The name of `tape::Equation::System`.
            "system of equations" => {
                f.write_str(": Newton's method found no solution")?;
                if let Some(residual) = self.residual {
                    write!(f, ", its residual is {}", short(residual))?;
                }
                f.write_str(
                    "; the map may not reach this point, or not be one-to-one near it: write an `inverse` beside `forward`, or bound its weights",
                )
            }
            _ => Ok(()),
        }
    }
}
