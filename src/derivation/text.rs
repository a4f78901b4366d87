//! Derivations as text of 80 columns, two of which are left for an indent.

use std::fmt;

use super::{Derivation, Line, Matrix};

const WIDTH: usize = 78;

impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = self.title.to_string();
        writeln!(f, "{title}\n{}", "═".repeat(length(&title).min(WIDTH)))?;
        for section in &self.sections {
            writeln!(f, "\n{}", section.heading)?;
            // A section with subsections is underlined.
            if self.sections.iter().any(|other| other.level > 0) && section.level == 0 {
                writeln!(f, "{}", "─".repeat(length(&section.heading).min(WIDTH)))?;
            }
            for line in &section.lines {
                match line {
                    Line::Prose(prose) => words(f, &unbroken(prose), "  ", "  ")?,
                    Line::Formula(formula) => broken(f, &formula.text, "    ", "        ")?,
                    Line::Step { formula, rule, statement } => {
                        broken(f, &formula.text, "      ", "          ")?;
                        words(f, &format!("by {rule}: {}", unbroken(statement)), "        ", "          ")?;
                    }
                    Line::Matrix(matrix) => set(f, matrix)?,
                }
            }
        }
        Ok(())
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// Writes a matrix as a whole if it fits on the line, otherwise entry by entry.
fn set(f: &mut fmt::Formatter<'_>, matrix: &Matrix) -> fmt::Result {
    let widths = matrix.widths(|entry| length(&entry.text));
    let name = format!("    {} = ", matrix.name.text);
    if length(&name) + widths.iter().map(|width| width + 2).sum::<usize>() + 2 > WIDTH {
        for (name, value) in matrix.equations() {
            broken(f, &format!("{} = {}", name.text, value.text), "    ", "        ")?;
        }
        return match matrix.has_zeros() {
            true => writeln!(f, "  The other entries are 0."),
            false => Ok(()),
        };
    }
    let rows: Vec<_> = matrix.entries.chunks(matrix.columns.max(1)).collect();
    for (k, row) in rows.iter().enumerate() {
        let brackets = match k {
            _ if rows.len() == 1 => ('[', ']'),
            0 => ('⎡', '⎤'),
            k if k + 1 == rows.len() => ('⎣', '⎦'),
            _ => ('⎢', '⎥'),
        };
        let before = if k == rows.len().div_ceil(2) - 1 { name.clone() } else { " ".repeat(length(&name)) };
        write!(f, "{before}{}", brackets.0)?;
        for (entry, width) in row.iter().zip(&widths) {
            write!(f, " {}{}", entry.value.text, " ".repeat(width - length(&entry.value.text) + 1))?;
        }
        writeln!(f, "{}", brackets.1)?;
    }
    Ok(())
}

/// A non-breaking space.
const FIXED: char = '\u{a0}';

/// Returns a sentence in which short formulas are not broken.
fn unbroken(prose: &super::Prose) -> String {
    use super::Span;
    let span = |span: &Span| match span {
        Span::Words(words) => words.clone(),
        Span::Formula(formula) if length(&formula.text) <= WIDTH / 2 => {
            formula.text.replace(' ', &FIXED.to_string())
        }
        Span::Formula(formula) => formula.text.clone(),
    };
    prose.0.iter().map(span).collect()
}

/// Writes words in lines of at most `WIDTH` characters; a word longer than a line is broken.
fn words(f: &mut fmt::Formatter<'_>, text: &str, first: &str, rest: &str) -> fmt::Result {
    let mut line = first.to_string();
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !empty && length(&line) + 1 + length(word) > WIDTH {
            writeln!(f, "{}", line.replace(FIXED, " "))?;
            (line, empty) = (rest.to_string(), true);
        }
        if !empty {
            line.push(' ');
        }
        for character in word.chars() {
            if length(&line) == WIDTH {
                writeln!(f, "{}", line.replace(FIXED, " "))?;
                line = rest.to_string();
            }
            line.push(character);
        }
        empty = false;
    }
    writeln!(f, "{}", line.replace(FIXED, " "))
}

/// Writes a formula in lines of at most `WIDTH` characters, broken before an operator or after a comma, where
/// the brackets are nested least.
fn broken(f: &mut fmt::Formatter<'_>, formula: &str, first: &str, rest: &str) -> fmt::Result {
    let formula: Vec<char> = formula.chars().collect();
    let prices = prices(&formula);
    let (mut start, mut indent) = (0, first);
    while formula.len() - start + length(indent) > WIDTH {
        let room = WIDTH - length(indent);
        // Skip the first third; of the cheapest places take the last.
        let places = start + room / 3 + 1..=start + room;
        let cheapest = places
            .filter_map(|at| prices[at].map(|price| (price, at)))
            .min_by_key(|(price, at)| (*price, std::cmp::Reverse(*at)));
        let end = cheapest.map_or(start + room, |(_, at)| at);
        writeln!(f, "{indent}{}", formula[start..end].iter().collect::<String>().trim_end())?;
        start = end;
        indent = rest;
    }
    writeln!(f, "{indent}{}", formula[start..].iter().collect::<String>())
}

/// Returns the cost of a line break before each character: mainly the depth of brackets, then the precedence
/// of the operator; `None` where no break is allowed.
fn prices(formula: &[char]) -> Vec<Option<i32>> {
    let mut depth = 0;
    let mut bars = false;
    let mut word = 0;
    let mut prices = Vec::with_capacity(formula.len() + 1);
    for (at, c) in formula.iter().enumerate() {
        let before = at.checked_sub(1).map(|k| formula[k]);
        let spaced = before == Some(' ') && formula.get(at + 1) == Some(&' ');
        let after_comma = before == Some(' ') && at > 1 && formula[at - 2] == ',';
        let price = match c {
            '+' | '-' if spaced => Some(0),
            '=' | '∈' if spaced => Some(1),
            '·' | '⊙' => Some(1),
            _ if after_comma => Some(0),
            // A Σ is not separated from its summand.
            _ if before == Some(' ') && c.is_alphabetic() && !matches!(formula[word], 'Σ' | '∏') => {
                Some(2)
            }
            _ => None,
        };
        prices.push(price.map(|price| 3 * (depth + i32::from(bars)) + price));
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '|' => bars = !bars,
            ' ' => word = at + 1,
            _ => {}
        }
    }
    prices.push(None);
    prices
}
