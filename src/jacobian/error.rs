//! Errors about declared structures, in terms of the layer's inputs and outputs.

use std::fmt;

use thiserror::Error;

use super::Structure;
use crate::sweep::reach::Step;
use crate::tape::{Op, Place, Tape};

/// An operation on a path of dependence.
#[derive(Clone, Debug, PartialEq)]
pub struct PathStep {
    /// Name of the operation.
    pub operation: &'static str,
    /// Where it was recorded.
    pub place: Place,
}

/// A declared structure that could not be proven: a path leads from an input to an output where the structure
/// allows none.
///
/// A path is not a counterexample (`z0 + z1 - z1` has one): it only prevents the proof.
#[derive(Clone, Debug, PartialEq)]
pub struct Unproven {
    /// The declared structure.
    pub structure: Structure,
    /// The input at which the path starts.
    pub input: usize,
    /// The output at which it ends.
    pub output: usize,
    /// The operations on the path; data movement (gathers, concatenations) is omitted.
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
                tape.with_node(step.node, |node| {
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
                write!(f, "\n        {:<8} {}", step.operation, step.place)?;
                told.push(step);
            }
        }
        Ok(())
    }
}

impl std::error::Error for Unproven {}

/// Why a structure cannot be used.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum StructureError {
    /// It could not be proven.
    #[error(transparent)]
    Unproven(#[from] Box<Unproven>),
    /// It was declared diagonal plus a matrix of small rank, and there is no such bottleneck.
    #[error(
        "declared diagonal plus rank {rank}, and that cannot be proven: no set of {rank} of the program's elements leaves J \
         diagonal when it is held fixed{}",
        found.map_or(String::new(), |found| format!(" (the smallest set that was found has {found})"))
    )]
    NoBottleneck {
        /// The declared rank.
        rank: usize,
        /// The size of the smallest set that was found, if it is smaller than the number of variables.
        found: Option<usize>,
    },
    /// det J = 0 for all inputs and all parameters: there is no density.
    #[error("det J = 0 everywhere, so there is no density: {reason}")]
    Singular {
        /// Why it is singular, in terms of inputs and outputs.
        reason: String,
    },
    /// The declaration does not match the dimension.
    #[error("the declared structure does not fit {d} variables: {reason}")]
    Declaration {
        /// The dimension.
        d: usize,
        /// What does not match.
        reason: String,
    },
}
