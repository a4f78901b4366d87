//! Sentences with formulas.

use std::fmt;

use crate::typeset::{Formula, Written};

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// Words, including the spaces around them.
    Words(String),
    /// An inline formula.
    Formula(Formula),
}

/// One or several sentences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prose(pub Vec<Span>);

impl Prose {
    /// Builds a text without formulas.
    pub(super) fn words(words: impl Into<String>) -> Prose {
        Prose(vec![Span::Words(words.into())])
    }

    /// Builds a sentence with formulas between dollar signs.
    pub(super) fn typed(sentence: &str) -> Prose {
        let spans = sentence.split('$').enumerate().filter(|(_, part)| !part.is_empty());
        let span = |(k, part): (usize, &str)| match k % 2 {
            0 => Span::Words(part.to_string()),
            _ => Span::Formula(Written::typed(part).into()),
        };
        Prose(spans.map(span).collect())
    }

    /// Appends a formula.
    pub(super) fn formula(mut self, formula: impl Into<Formula>) -> Prose {
        self.0.push(Span::Formula(formula.into()));
        self
    }

    /// The formulas in it.
    pub(super) fn formulas(&self) -> impl Iterator<Item = &Formula> {
        self.0.iter().filter_map(|span| match span {
            Span::Words(_) => None,
            Span::Formula(formula) => Some(formula),
        })
    }

    /// Appends another text.
    pub(super) fn then(mut self, other: Prose) -> Prose {
        self.0.extend(other.0);
        self
    }
}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|span| match span {
            Span::Words(words) => f.write_str(words),
            Span::Formula(formula) => f.write_str(&formula.text),
        })
    }
}
