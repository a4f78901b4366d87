//! Why a declared structure is refused, in the terms of whoever wrote the layer.

use std::fmt;
use std::panic::Location;

use thiserror::Error;

use super::Structure;
use crate::sweep::reach::Step;
use crate::tape::{Op, Tape};

/// One operation on a path of dependence.
#[derive(Clone, Debug, PartialEq)]
pub struct PathStep {
    /// The operation's name.
    pub operation: &'static str,
    /// The source line that recorded it.
    pub place: &'static Location<'static>,
}

/// A declaration that could not be proven: a path leads from an input to an output where none may.
///
/// A path is not a counterexample (`z0 + z1 - z1` has one): it is the reason why there is no proof.
#[derive(Clone, Debug, PartialEq)]
pub struct Unproven {
    /// What was declared.
    pub structure: Structure,
    /// The input the path starts from.
    pub input: usize,
    /// The output it leads to.
    pub output: usize,
    /// The operations on the way; data movement (gathers, concatenations) is left out.
    pub path: Vec<PathStep>,
}

impl Unproven {
    pub(super) fn new(
        tape: &Tape,
        structure: &Structure,
        input: usize,
        output: usize,
        steps: &[Step],
    ) -> Unproven {
        let moves = |op: &Op| {
            matches!(
                op,
                Op::Input(_) | Op::Gather(_) | Op::Scatter(_) | Op::Concat | Op::Broadcast | Op::Transpose
            )
        };
        let path = steps[1..]
            .iter()
            .filter_map(|step| {
                let place = tape.place(step.node);
                tape.look(step.node, |node| {
                    (!moves(&node.op)).then(|| PathStep { operation: node.op.name(), place })
                })
            })
            .collect();
        Unproven { structure: structure.clone(), input, output, path }
    }

    /// The path in one line: `z[2] → tanh → mul → x[0]`.
    pub fn chain(&self) -> String {
        let mut names: Vec<&str> = self.path.iter().map(|step| step.operation).collect();
        const SHOWN: usize = 12;
        if names.len() > SHOWN {
            let tail = names.split_off(names.len() - SHOWN / 2);
            names.truncate(SHOWN / 2);
            names.push("…");
            names.extend(tail);
        }
        let mut parts = vec![format!("z[{}]", self.input)];
        parts.extend(names.into_iter().map(str::to_string));
        parts.push(format!("x[{}]", self.output));
        parts.join(" → ")
    }
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "declared {}, and that cannot be proven:", self.structure)?;
        write!(f, "\n    x[{}] depends on z[{}]:   {}", self.output, self.input, self.chain())?;
        let mut told: Vec<&PathStep> = Vec::new();
        for step in &self.path {
            if !told.iter().any(|other| other.place == step.place) && told.len() < 6 {
                write!(f, "\n        {:<8} {}:{}", step.operation, step.place.file(), step.place.line())?;
                told.push(step);
            }
        }
        Ok(())
    }
}

impl std::error::Error for Unproven {}

/// Why a structure cannot be used.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum StructureError {
    /// It could not be proven.
    #[error(transparent)]
    Unproven(#[from] Box<Unproven>),
    /// det J = 0 for all inputs and all parameters: there is no density.
    #[error("det J = 0 everywhere, so there is no density: {reason}")]
    Singular {
        /// What makes it singular, in terms of inputs and outputs.
        reason: String,
    },
    /// The declaration does not fit the dimension.
    #[error("the declared structure does not fit {d} variables: {reason}")]
    Declaration {
        /// The dimension.
        d: usize,
        /// What does not fit.
        reason: String,
    },
}
