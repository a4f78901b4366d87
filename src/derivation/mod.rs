//! Derivations: everything that follows from `forward`, as a document.
//!
//! [`derive()`] records a bijection and writes the results of the sweeps: the definition, the dependence of
//! outputs on inputs, the Jacobian, its structure with the proof, the diagonal with its signs, the
//! determinant, the log-determinant step by step with the rule of each step, the inverse, the density. All
//! formulas are rendered from the tape, in an order that does not depend on the machine, so that a snapshot
//! test can pin a derivation: `insta::assert_snapshot!(derive(&layer)?)`.
//!
//! A derivation has three output formats: its `Display` is text of 80 columns, [`Derivation::latex`] a
//! document for pdflatex or xelatex, [`Derivation::html`] a page with MathML.

mod bottleneck;
mod chain;
mod coupling;
mod definition;
mod diagonal;
mod element;
mod excerpt;
mod formulas;
pub mod html;
mod inverse;
mod jacobian;
mod latex;
mod layer;
mod log_det;
mod motion;
mod prose;
mod slope;
mod step;
mod subject;
mod text;

pub use formulas::{Formulas, equation, formulas};
pub use prose::{Prose, Span};

use self::layer::Extent;
use self::subject::VariableNames;
use crate::bijection::{Bijection, BijectionError, Domain, leaves, record};
use crate::typeset::{Formula, Written};

/// A derivation: a title and its sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derivation {
    /// The subject: `Bend: ℝ² → ℝ²`.
    pub title: Prose,
    /// The sections, in order.
    pub sections: Vec<Section>,
}

/// A section of a derivation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// 0, or 1 for a subsection of the section before it.
    pub level: usize,
    /// The content.
    pub lines: Vec<Line>,
}

impl Section {
    fn new(heading: &str, lines: Vec<Line>) -> Section {
        Section { heading: heading.to_string(), level: 0, lines }
    }
}

/// A line of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Sentences.
    Prose(Prose),
    /// A formula.
    Formula(Formula),
    /// A formula that follows from the one before it by a rule.
    Step {
        /// The formula.
        formula: Formula,
        /// The name of the rule.
        rule: &'static str,
        /// The statement of the rule and its condition.
        statement: Prose,
    },
    /// A matrix, written as a whole where it fits and entry by entry otherwise.
    Matrix(Matrix),
}

/// A matrix with names for its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Name of the matrix.
    pub name: Formula,
    /// Number of columns.
    pub columns: usize,
    /// Its entries, by rows.
    pub entries: Vec<Entry>,
}

/// An entry of a matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name: ∂x₁/∂z₂.
    pub name: Formula,
    /// Its value.
    pub value: Formula,
    /// Whether it is 0 by structure.
    pub zero: bool,
}

impl Matrix {
    /// Returns the width of each column, measured by `width`.
    fn widths(&self, width: impl Fn(&Formula) -> usize) -> Vec<usize> {
        let column = |c: usize| self.entries.iter().skip(c).step_by(self.columns.max(1));
        (0..self.columns).map(|c| column(c).map(|entry| width(&entry.value)).max().unwrap_or(0)).collect()
    }

    /// Returns the entries as equations, `∂x₁/∂z₁ = …`, without structural zeros and without those that have
    /// only a name.
    fn equations(&self) -> impl Iterator<Item = (&Formula, &Formula)> {
        let told = |entry: &&Entry| !entry.zero && entry.name != entry.value;
        self.entries.iter().filter(told).map(|entry| (&entry.name, &entry.value))
    }

    fn has_zeros(&self) -> bool {
        self.entries.iter().any(|entry| entry.zero)
    }
}

/// Derives everything that follows from `forward`.
///
/// # Errors
/// When the bijection cannot be recorded, its structure cannot be proven, or its determinant is proven to be
/// 0.
///
/// ```
/// use pushforward::prelude::*;
///
/// struct Bend;
/// impl Bijection for Bend {
///     fn dim(&self) -> usize { 2 }
///     fn structure(&self) -> Structure { Structure::LowerTriangular }
///     fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
///         let (z1, z2) = (z.at(0), z.at(1));
///         stack([z1, z2 * z1.tanh().exp() + z1.powi(2)])
///     }
/// }
/// let text = derive(&Bend)?.to_string();
/// assert!(text.contains("ln|det J| = tanh(z₁)"));
/// assert!(text.contains("z₂ = (x₂ - x₁²)·exp(-tanh(x₁))"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn derive(bijection: &(impl Bijection + ?Sized)) -> Result<Derivation, BijectionError> {
    of(&bijection)
}

/// Not generic, so that it is compiled once instead of for every layer type.
fn of(bijection: &dyn Bijection) -> Result<Derivation, BijectionError> {
    let recording = record(bijection)?;
    let domain = |domain: Domain| domain.written(recording.dim());
    let spaces =
        Written::typed(&format!("{} → {}", domain(bijection.domain()), domain(bijection.codomain())));
    let title = Prose::words(format!("{}: ", recording.name())).formula(spaces);
    let leaves = leaves(bijection);
    let sections = match leaves.as_slice() {
        [leaf] if leaf.path().is_empty() => {
            layer::sections(leaf, &VariableNames::new("z", "x", "J"), Extent::Whole)?
        }
        _ => chain::sections(leaves, &recording)?,
    };
    Ok(Derivation { title, sections })
}
