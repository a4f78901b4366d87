//! The render sweep: a program as formulas, in Unicode text, LaTeX and MathML.
//!
//! One walk over the nodes writes terms, which [`typeset`](crate::typeset) sets in each notation; indices count from 1, as in printed mathematics. Formulas are built bottom-up, node by node,
//! so nothing recurses. An expression that recurs or grows long is given a name of its own (`h₁ = …`), the same in
//! every notation, so that what is written of a program is as long as the program, however often its parts are shared.

mod mask;
mod movement;
mod node;
mod walk;

use std::collections::HashMap;

pub(crate) use walk::{Sheet, Wanted};

use crate::tape::{NodeId, Op, Tape};
use crate::typeset::{Formula, Written};

/// Names for nodes that are not to be written out: the input z, the output of an earlier layer.
#[derive(Clone, Debug, Default)]
pub struct Names {
    given: HashMap<NodeId, Written>,
    /// What the names of definitions stand for.
    definitions: HashMap<NodeId, Written>,
    /// The letters of definitions, of masks and of other constants, and how many of each there are.
    letters: Option<[(char, usize); 3]>,
}

impl Names {
    /// No names yet.
    pub fn new() -> Names {
        Names::default()
    }

    /// Adds a name: a letter with or without a subscript (`z`, `y₁`, `z_a`), or a word.
    pub fn with(self, node: NodeId, name: &str) -> Names {
        self.with_written(node, Written::name(name))
    }

    pub(crate) fn with_written(mut self, node: NodeId, name: Written) -> Names {
        self.given.insert(node, name);
        self
    }

    /// Adds the names of what was written before on this tape; names that exist already are kept.
    pub(crate) fn after(mut self, earlier: &Names) -> Names {
        for (node, name) in &earlier.given {
            self.given.entry(*node).or_insert_with(|| name.clone());
        }
        self.definitions.extend(earlier.definitions.iter().map(|(node, written)| (*node, written.clone())));
        self.letters = self.letters.or(earlier.letters);
        self
    }

    /// Returns the definition that the name of a node stands for, if there is one.
    pub(crate) fn definition(&self, node: NodeId) -> Option<&Written> {
        self.definitions.get(&node)
    }
}

/// Writes one node as text, expanded as far as it stays readable; necessary definitions are appended after `where`.
pub fn render(tape: &Tape, node: NodeId, names: &Names) -> String {
    let sheet = Sheet::written_out(tape, node, names);
    let text = sheet.of(node).text();
    let definitions: Vec<&str> = sheet.lines().iter().map(|line| line.text()).collect();
    match definitions.len() {
        0 => text.to_string(),
        _ => format!("{text}\n  where {}", definitions.join("\n        ")),
    }
}

/// Writes a program line by line: definitions of shared expressions, then `name = formula` for each output.
///
/// A stack of scalars is a column of equations, `x₁ = …`, `x₂ = …`.
///
/// ```
/// use pushforward::prelude::*;
/// use pushforward::sweep::{Names, formulas};
///
/// let tape = Tape::new();
/// let z = tape.input(Shape::Vector(2));
/// let y = z.at(0) / z.at(1).sqrt();
/// let lines = formulas(&tape, &[("y", y.id())], &Names::new().with(z.id(), "z"));
/// assert_eq!(lines[0].text, "y = z₁/√z₂");
/// assert_eq!(lines[0].latex, r"y = \frac{z_{1}}{\sqrt{z_{2}}}");
/// assert!(lines[0].mathml.contains("<mfrac>"));
/// ```
pub fn formulas(tape: &Tape, outputs: &[(&str, NodeId)], names: &Names) -> Vec<Formula> {
    let of_output = |(name, node): &(&str, NodeId)| match name.chars().count() {
        1 => equations(tape, &Written::name(name), *node),
        _ => vec![Wanted::named(Written::typed(name), *node)],
    };
    let wanted: Vec<Wanted> = outputs.iter().flat_map(of_output).collect();
    Sheet::new(tape, wanted, names).into_lines().into_iter().map(Formula::from).collect()
}

/// Writes one equation, or one for each element of a stack.
pub(crate) fn equations(tape: &Tape, name: &Written, node: NodeId) -> Vec<Wanted> {
    let parts = tape.with_node(node, |node| (node.op == Op::Concat).then(|| node.operands.clone()));
    match parts {
        Some(parts) if parts.len() > 1 && parts.iter().all(|part| tape.shape(*part).len() == 1) => {
            parts.iter().enumerate().map(|(k, part)| Wanted::quoted(name.element(k), *part)).collect()
        }
        _ => vec![Wanted::quoted(name.clone(), node)],
    }
}
