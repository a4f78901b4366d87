//! Numeric values of recorded nodes in one call.

use super::{Output, Program};
use crate::tape::{Parameters, Tape, Var};

/// Returns the values of some nodes at rows of the input, with the initial parameters of seed 0.
///
/// # Panics
/// When the rows are not whole.
pub fn values(tape: &Tape, input: Var<'_>, outputs: &[Var<'_>], rows: &[f64]) -> Vec<Vec<f64>> {
    let outputs: Vec<Output> = outputs.iter().map(|output| Output::Each(output.id())).collect();
    let mut program = Program::compile(tape, &[input.id()], &outputs);
    program.load(&Parameters::initialise(tape, 0)).expect("the parameters are the tape's own");
    let width = input.len();
    assert!(rows.len().is_multiple_of(width), "{} values cannot be split into rows of {width}", rows.len());
    program.run(&[rows], rows.len() / width).expect("whole rows of the only input")
}
