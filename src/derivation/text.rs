//! A derivation as text, 80 columns wide.

use std::fmt;

use super::{Derivation, Line};

const WIDTH: usize = 80;

impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.title, "═".repeat(self.title.chars().count().min(WIDTH)))?;
        for section in &self.sections {
            writeln!(f, "\n{}", section.heading)?;
            for line in &section.lines {
                match line {
                    Line::Prose(text) => wrapped(f, text, "  ", "  ")?,
                    Line::Formula(text) => {
                        for part in text.lines() {
                            wrapped(f, part, "    ", "        ")?;
                        }
                    }
                    Line::Step { formula, rule, statement } => {
                        wrapped(f, formula, "      ", "        ")?;
                        wrapped(f, &format!("by {rule}: {statement}"), "        ", "          ")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Words on lines of at most 80 columns; a word that is longer than a line is broken.
fn wrapped(f: &mut fmt::Formatter<'_>, text: &str, first: &str, rest: &str) -> fmt::Result {
    let mut line = first.to_string();
    let mut empty = true;
    let length = |text: &str| text.chars().count();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !empty && length(&line) + 1 + length(word) > WIDTH {
            writeln!(f, "{line}")?;
            (line, empty) = (rest.to_string(), true);
        }
        if !empty {
            line.push(' ');
        }
        for character in word.chars() {
            if length(&line) == WIDTH {
                writeln!(f, "{line}")?;
                line = rest.to_string();
            }
            line.push(character);
        }
        empty = false;
    }
    writeln!(f, "{line}")
}
