//! Mathematics in Unicode text, LaTeX and MathML.
//!
//! A term is set in each notation by a file of its own; precedence decides where brackets are needed. Nothing here
//! knows of tapes: the [render sweep](crate::sweep::render()) reads a program as terms, and derivations write their own.

mod function;
mod latex;
mod mathml;
mod parse;
mod piece;
mod term;
mod text;

pub(crate) use function::Function;
pub(crate) use latex::escape as latex_words;
pub use mathml::escape as html_words;
pub(crate) use piece::Break;
pub(crate) use term::{Positions, Product, Term, Written};
pub(crate) use text::{picked, subscript, superscript};

/// A formula in three notations; all of them say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    /// Unicode text on one line: `x₂ = z₂/w`.
    pub text: String,
    /// LaTeX for a mathematical mode, with amsmath and amssymb: `x_{2} = \frac{z_{2}}{w}`.
    pub latex: String,
    /// MathML, the content of one `<math>` element.
    pub mathml: String,
    /// Where a line of the MathML may end.
    pub(crate) breaks: Vec<Break>,
    /// About how many characters wide the MathML is.
    pub(crate) width: usize,
}

impl From<Written> for Formula {
    fn from(written: Written) -> Formula {
        Formula {
            text: written.text.string,
            latex: written.latex.string,
            mathml: written.mathml.string,
            breaks: written.mathml.breaks,
            width: written.mathml.width,
        }
    }
}
