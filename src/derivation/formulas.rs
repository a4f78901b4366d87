//! The formulas of a recording, without the steps that lead to them.

use std::fmt;

use crate::bijection::Recording;
use crate::sweep::Names;
use crate::tape::Var;
use crate::typeset::{Formula, Written};

/// Formulas, one a line, each as text, LaTeX and MathML.
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

/// The formulas of x = f(z) and of ln|det J|, as recorded and derived.
pub fn formulas(recording: &Recording) -> Formulas {
    let names = Names::new().with(recording.input().id(), "z");
    let outputs = [("x", recording.output().id()), ("ln|det J|", recording.log_det().id())];
    crate::sweep::formulas(recording.tape(), &outputs, &names).into()
}
