//! Some sections of a derivation, with what their formulas need of the others.

use std::collections::BTreeSet;

use super::{Derivation, Line, Section};
use crate::typeset::Formula;

impl Derivation {
    /// The sections with these headings, in the order of the derivation. Where their formulas use the names of common
    /// parts that sections left out define (`h₃ = …`), these definitions come first.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// let short = derive(&Householder::new(2, 2))?.excerpt(&["Definition", "Log-determinant"]);
    /// assert_eq!(short.sections.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn excerpt(&self, headings: &[&str]) -> Derivation {
        let (mut sections, mut defined, mut left_out) = (Vec::new(), BTreeSet::new(), Vec::new());
        for section in &self.sections {
            if !headings.contains(&section.heading.as_str()) {
                for line in &section.lines {
                    if let Some(name) = name_defined_by(line) {
                        // The layers of a chain use the same names.
                        defined.remove(name);
                        left_out.push(line);
                    }
                }
                continue;
            }
            let own: BTreeSet<&str> = section.lines.iter().filter_map(name_defined_by).collect();
            let mut wanted: BTreeSet<&str> =
                section.lines.iter().flat_map(formulas).flat_map(|formula| names(&formula.text)).collect();
            let mut missing = Vec::new();
            // A definition uses only names that were defined before it.
            for line in left_out.iter().rev() {
                let Some(name) = name_defined_by(line) else { continue };
                if wanted.contains(name) && !own.contains(name) && defined.insert(name) {
                    wanted.extend(formulas(line).into_iter().flat_map(|formula| names(&formula.text)));
                    missing.push((*line).clone());
                }
            }
            defined.extend(own);
            missing.reverse();
            missing.extend(section.lines.iter().cloned());
            sections.push(Section { lines: missing, ..section.clone() });
        }
        Derivation { title: self.title.clone(), sections }
    }
}

fn formulas(line: &Line) -> Vec<&Formula> {
    match line {
        Line::Prose(prose) => prose.formulas().collect(),
        Line::Formula(formula) | Line::Step { formula, .. } => vec![formula],
        Line::Matrix(matrix) => matrix.entries.iter().map(|entry| &entry.value).collect(),
    }
}

/// The h₃ of `h₃ = …`: a name for a common part, which no variable and no Jacobian has.
fn name_defined_by(line: &Line) -> Option<&str> {
    let Line::Formula(formula) = line else { return None };
    let (name, _) = formula.text.split_once(" = ")?;
    let is_name = names(name).next() == Some(name) && !name.starts_with(['x', 'z', 'J']);
    is_name.then_some(name)
}

/// Letters with a number below them, as h₁₂.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let is_below = |c: &char| ('₀'..='₉').contains(c);
    let letters = text.char_indices().filter(move |(_, c)| c.is_alphabetic() && !is_below(c));
    letters.filter_map(move |(at, letter)| {
        let rest = &text[at + letter.len_utf8()..];
        let length: usize = rest.chars().take_while(is_below).map(char::len_utf8).sum();
        (length > 0).then(|| &text[at..at + letter.len_utf8() + length])
    })
}
