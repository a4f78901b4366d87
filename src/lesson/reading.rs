//! Formulas and values of a recording, for lessons.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::bijection::Recording;
use crate::program::{Output, Program};
use crate::sweep::{Formula, Names, Written};
use crate::tape::{Parameters, Tape, Var};

/// Formulas, one a line, each in every notation; a lesson shows text in a terminal and MathML in the book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formulas(pub Vec<Formula>);

impl fmt::Display for Formulas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self.0.iter().map(|formula| formula.text.as_str()).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl From<Vec<Formula>> for Formulas {
    fn from(lines: Vec<Formula>) -> Formulas {
        Formulas(lines)
    }
}

/// Typed formulas, one a line.
impl From<&str> for Formulas {
    fn from(text: &str) -> Formulas {
        Formulas(text.lines().map(|line| Written::typed(line).into()).collect())
    }
}

/// Typed formulas, one a line.
impl From<String> for Formulas {
    fn from(text: String) -> Formulas {
        Formulas::from(text.as_str())
    }
}

impl Formulas {
    /// Appends lines; definitions that are already present are not repeated.
    pub fn and(mut self, other: Formulas) -> Formulas {
        let new: Vec<Formula> = other.0.into_iter().filter(|line| !self.0.contains(line)).collect();
        self.0.extend(new);
        self
    }
}

/// Writes `name = …` for a node, with names for the inputs; definitions that it needs come first.
pub fn equation(name: &str, node: Var<'_>, inputs: &[(Var<'_>, &str)]) -> Formulas {
    let names = inputs.iter().fold(Names::new(), |names, (input, name)| names.with(input.id(), name));
    crate::sweep::formulas(node.tape(), &[(name, node.id())], &names).into()
}

/// Returns the path of a file in `lessons/data`.
pub fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/data").join(file)
}

/// Writes the formulas of x = f(z) and of ln|det J|, as recorded and derived.
pub fn formulas(recording: &Recording) -> Formulas {
    let names = Names::new().with(recording.input().id(), "z");
    let outputs = [("x", recording.output().id()), ("ln|det J|", recording.log_det().id())];
    crate::sweep::formulas(recording.tape(), &outputs, &names).into()
}

/// Computes nodes at rows of the input, with the initial parameter values of seed 0.
///
/// # Panics
/// When the last row is incomplete.
pub fn values(tape: &Tape, input: Var<'_>, outputs: &[Var<'_>], rows: &[f64]) -> Vec<Vec<f64>> {
    let outputs: Vec<Output> = outputs.iter().map(|output| Output::Each(output.id())).collect();
    let mut program = Program::compile(tape, &[input.id()], &outputs);
    program.load(&Parameters::initialise(tape, 0)).expect("the parameters are the tape's own");
    let width = input.len();
    assert!(rows.len().is_multiple_of(width), "{} numbers are not whole rows of {width}", rows.len());
    program.run(&[rows], rows.len() / width).expect("whole rows of the only input")
}
