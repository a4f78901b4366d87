//! Derivations: everything that follows from `forward`, as a document.
//!
//! [`derive()`] records a bijection and writes down what the sweeps find: the definition, the Jacobian, its
//! structure with the proof, the diagonal with its signs, the log-determinant step by step with the rule of
//! each step, the inverse, the density. Not one formula is typed in: all of them are rendered from the tape, in
//! an order that does not depend on the machine, so that a derivation can be pinned by a snapshot test:
//! `insta::assert_snapshot!(derive(&layer)?)`.

mod text;

use crate::bijection::{Bijection, BijectionError, Domain, LayerRecord, Recording, derived_inverse, record};
use crate::jacobian::{Structure, jacobian, map};
use crate::sweep::bound::{Bound, Bounds};
use crate::sweep::simplify::simplify;
use crate::sweep::{Names, render_program, subscript, superscript};
use crate::tape::{NodeId, Op, Shape, Tape};

/// Up to so many variables the Jacobian is written entry by entry.
const WRITTEN_OUT: usize = 4;
/// How many characters they may take.
const LONGEST: usize = 800;

/// A derivation: a title and its sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derivation {
    /// What is derived: `Bend: ℝ² → ℝ²`.
    pub title: String,
    /// The sections, in order.
    pub sections: Vec<Section>,
}

/// One section of a derivation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub heading: String,
    /// What it says.
    pub lines: Vec<Line>,
}

/// One line of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A sentence.
    Prose(String),
    /// A formula.
    Formula(String),
    /// A formula that follows from the one before, with the rule and what it says.
    Step {
        /// The formula.
        formula: String,
        /// The name of the rule.
        rule: &'static str,
        /// What the rule says.
        statement: &'static str,
    },
}

/// Derives everything that follows from `forward`.
///
/// # Errors
/// What keeps the bijection from being recorded, a structure that cannot be proven, or a determinant that is
/// proven to be 0.
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
    let recording = record(bijection)?;
    let d = recording.dim();
    let domain = |domain: Domain| match d {
        1 => domain.to_string(),
        d => format!("{domain}{}", superscript(d as i32)),
    };
    let title =
        format!("{}: {} → {}", recording.name(), domain(bijection.domain()), domain(bijection.codomain()));
    let mut sections = vec![definition(&recording)];
    let layers = recording.layers();
    for layer in layers {
        let within = if layers.len() == 1 { bijection.domain().into() } else { Bound::REALS };
        sections.extend(layer_sections(&recording, layer, within, layers.len() > 1));
    }
    if layers.len() > 1 {
        sections.push(sum(layers));
    }
    sections.push(inverse(bijection));
    sections.push(density());
    Ok(Derivation { title, sections })
}

fn definition(recording: &Recording) -> Section {
    let layers = recording.layers();
    let name = |k: usize| match k {
        0 => "z".to_string(),
        k if k == layers.len() => "x".to_string(),
        k => format!("y{}", subscript(k)),
    };
    let mut lines = Vec::new();
    for (k, layer) in layers.iter().enumerate() {
        let names = Names::new().with(layer.input, &name(k));
        let program = render_program(recording.tape(), &[(&name(k + 1), layer.output)], &names);
        lines.extend(program.into_iter().map(Line::Formula));
    }
    Section { heading: "Definition".to_string(), lines }
}

fn layer_sections(recording: &Recording, layer: &LayerRecord, within: Bound, several: bool) -> Vec<Section> {
    let tape = recording.tape();
    let names = Names::new().with(layer.input, if several { "y" } else { "z" });
    let variable = if several { "y" } else { "z" };
    let title = |what: &str| match several {
        true => format!("{what} of {}", layer.name),
        false => what.to_string(),
    };
    vec![
        Section { heading: title("Jacobian"), lines: structure(tape, layer, &names, variable, within) },
        Section { heading: title("Log-determinant"), lines: log_det(tape, layer, &names) },
    ]
}

/// The entries for small d, the structure with its reason, the diagonal with its signs.
fn structure(tape: &Tape, layer: &LayerRecord, names: &Names, variable: &str, within: Bound) -> Vec<Line> {
    let d = tape.shape(layer.input).len();
    let mut lines = Vec::new();
    if d <= WRITTEN_OUT {
        let first = tape.len();
        let matrix = jacobian(tape, &map(tape, layer.input, layer.output)).reshape(Shape::Vector(d * d));
        let entry = |e: usize| simplify(tape, matrix.at(e).id(), first, &[(layer.input, within)]).value.id();
        let name = |e: usize| format!("∂x{}/∂{variable}{}", subscript(e / d + 1), subscript(e % d + 1));
        let is_zero = |id: NodeId| match tape.node(id).op {
            Op::Constant(data) => data.values() == [0.0],
            _ => false,
        };
        let entries: Vec<(String, NodeId)> =
            (0..d * d).map(|e| (name(e), entry(e))).filter(|(_, id)| !is_zero(*id)).collect();
        let outputs: Vec<(&str, NodeId)> = entries.iter().map(|(name, id)| (name.as_str(), *id)).collect();
        let program = render_program(tape, &outputs, names);
        // Beyond a page the entries of a network's Jacobian tell nobody anything.
        if program.iter().map(|line| line.chars().count()).sum::<usize>() <= LONGEST {
            lines.extend(program.into_iter().map(Line::Formula));
            if entries.len() < d * d {
                lines.push(Line::Prose("The other entries are 0.".to_string()));
            }
        }
    }
    match &layer.structure {
        Structure::Dense => lines.push(Line::Prose(format!(
            "No structure is declared: the determinant takes the whole of J ({}).",
            layer.route
        ))),
        structure => lines.push(Line::Prose(format!(
            "J is {structure}: proven, no path of the program leads where the structure has a zero."
        ))),
    }
    if let Some(diagonal) = layer.diagonal {
        let bound = Bounds::new(tape, &[(layer.input, within)]).of(diagonal);
        let sign = match bound {
            bound if bound.is_positive() => {
                "Every entry of the diagonal is above 0, for all inputs and parameters: each output grows with its own variable."
            }
            bound if bound.is_negative() => {
                "Every entry of the diagonal is below 0, for all inputs and parameters: each output falls with its own variable."
            }
            bound if bound.nonzero => {
                "No entry of the diagonal is ever 0: each output is strictly monotone in its own variable."
            }
            _ => {
                "The signs of the diagonal depend on inputs or parameters: where an entry is 0 there is no density."
            }
        };
        lines.push(Line::Prose(sign.to_string()));
    }
    lines
}

/// From the diagonal (or the matrix) to the simplest form, a rule a line.
fn log_det(tape: &Tape, layer: &LayerRecord, names: &Names) -> Vec<Line> {
    let told: Vec<_> = layer.steps.iter().filter(|step| !moves(tape, step.before)).collect();
    let result = "ln|det J|".to_string();
    let mut outputs: Vec<(String, NodeId)> = vec![(result.clone(), layer.literal_log_det)];
    outputs.extend(told.iter().enumerate().map(|(k, step)| (format!("#{k}"), step.before)));
    if layer.log_det != layer.literal_log_det {
        outputs.push((result, layer.log_det));
    }
    // All together, so that what they share has one name.
    let named: Vec<(&str, NodeId)> = outputs.iter().map(|(name, id)| (name.as_str(), *id)).collect();
    let line = |text: String| {
        let step = text.strip_prefix('#').and_then(|rest| rest.split_once(" = "));
        match step.and_then(|(k, formula)| Some((told.get(k.parse::<usize>().ok()?)?, formula))) {
            Some((step, formula)) => Line::Step {
                formula: format!("ln|{formula}|"),
                rule: step.rule.name(),
                statement: step.rule.statement(),
            },
            None => Line::Formula(text),
        }
    };
    render_program(tape, &named, names).into_iter().map(line).collect()
}

/// Numbers, moved data and stacks of scalars: their steps say nothing to a reader.
fn moves(tape: &Tape, id: NodeId) -> bool {
    let node = tape.node(id);
    match node.op {
        Op::Constant(_) | Op::Broadcast | Op::Gather(_) => true,
        Op::Concat => node.operands.iter().all(|part| tape.shape(*part) == Shape::Scalar),
        _ => false,
    }
}

fn sum(layers: &[LayerRecord]) -> Section {
    let list: Vec<String> = layers.iter().map(|layer| format!("ln|det J| of {}", layer.name)).collect();
    Section {
        heading: "Log-determinant of the whole".to_string(),
        lines: vec![
            Line::Prose(
                "The determinant of a product is the product of the determinants, each at its own point:"
                    .to_string(),
            ),
            Line::Formula(format!("ln|det J| = {}", list.join(" + "))),
        ],
    }
}

fn inverse(bijection: &(impl Bijection + ?Sized)) -> Section {
    let heading = "Inverse".to_string();
    if !bijection.layers().is_empty() {
        let lines = vec![Line::Prose("The layers' inverses, last to first.".to_string())];
        return Section { heading, lines };
    }
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(bijection.dim()));
    let names = Names::new().with(x.id(), "x");
    let formulas = |z: NodeId| render_program(&tape, &[("z", z)], &names).into_iter().map(Line::Formula);
    let lines = match derived_inverse(bijection, x) {
        Ok(z) => {
            let mut lines =
                vec![Line::Prose("Derived, by undoing one operation after the other:".to_string())];
            lines.extend(formulas(z.id()));
            lines
        }
        Err(error) => match bijection.inverse(x) {
            Some(z) => {
                let mut lines = vec![Line::Prose("As the layer gives it (an audit checks it):".to_string())];
                lines.extend(formulas(z.id()));
                lines
            }
            None => vec![Line::Prose(format!("{error}."))],
        },
    };
    Section { heading, lines }
}

fn density() -> Section {
    let formula = "ln p_X(x) = ln p_Z(z) - ln|det J|  with  z = f⁻¹(x)".to_string();
    Section { heading: "Density".to_string(), lines: vec![Line::Formula(formula)] }
}
