//! Derivations of compositions: each layer with its own variables, then the whole.

use super::inverse::InverseStatus;
use super::layer::{self, Extent};
use super::prose::Prose;
use super::subject::{Subject, VariableNames, line};
use super::{Line, Section, inverse};
use crate::bijection::{Bijection, BijectionError, Domain, Leaf, Recording, record_inverse};
use crate::jacobian::Structure;
use crate::sweep::{Sheet, Wanted};
use crate::tape::{Listing, Shape, Tape, Var};
use crate::typeset::{Product, Written, subscript};

/// Up to this number of layers, a sum over them is written out.
const WRITTEN_OUT: usize = 6;
/// Maximum length in characters of a layer's log-determinant that is inserted into the sum.
const PUT_IN: usize = 80;

/// Writes all sections of a composition.
pub(super) fn sections(leaves: Vec<Leaf<'_>>, recording: &Recording) -> Result<Vec<Section>, BijectionError> {
    let count = leaves.len();
    let called: Vec<VariableNames> = (1..=count)
        .map(|k| {
            VariableNames::new(&variable(k - 1, count), &variable(k, count), &format!("J{}", subscript(k)))
        })
        .collect();
    let mut sections = vec![definition(&leaves)];
    for (k, (leaf, called)) in leaves.iter().zip(&called).enumerate() {
        let mut own = layer::sections(leaf, called, Extent::Within)?;
        let heading = format!("Layer {} of {count}: {}", k + 1, leaf.bijection().name());
        let mut opening = Section::new(&heading, Vec::new());
        opening.lines.push(Line::Prose(
            Prose::typed(&format!("$f{}$ takes ", subscript(k + 1)))
                .formula(called.input.clone())
                .then(Prose::words(" to "))
                .formula(called.output.clone())
                .then(Prose::words(format!("; its parameters stand under {}.", leaf.path()))),
        ));
        sections.push(opening);
        own.iter_mut().for_each(|section| section.level = 1);
        sections.extend(own);
    }
    let standing = standing(&leaves);
    let mut whole = Whole { recording, leaves, called, standing, subject: None };
    let mut heading = Section::new("The whole", Vec::new());
    heading.lines.push(Line::Prose(Prose::words("Parameters carry the path of their layer.")));
    sections.push(heading);
    let mut last = vec![whole.jacobian(), whole.log_det(), whole.inverse(), whole.density()];
    last.iter_mut().for_each(|section| section.level = 1);
    sections.extend(last);
    Ok(sections)
}

/// What is known of each layer's inverse, as the layer was written. Of layers that record the same it is decided once: flows
/// repeat their layers, and a proof of one that bends can take a second.
fn standing(leaves: &[Leaf<'_>]) -> Vec<InverseStatus> {
    let mut decided: Vec<(Recorded, InverseStatus)> = Vec::new();
    let status = |leaf: &Leaf<'_>| {
        let own = Recorded::of(leaf.layer());
        if let Some((_, status)) = decided.iter().find(|(other, _)| *other == own) {
            return status.clone();
        }
        let status = InverseStatus::of(leaf.layer());
        decided.push((own, status.clone()));
        status
    };
    leaves.iter().map(status).collect()
}

/// All that the status of an inverse depends on, and the name that its text has.
#[derive(PartialEq)]
struct Recorded {
    name: String,
    structure: Structure,
    domains: [Domain; 2],
    forward: Listing,
    inverse: Option<Listing>,
}

impl Recorded {
    fn of(layer: &dyn Bijection) -> Recorded {
        let listing = |record: &dyn for<'t> Fn(Var<'t>) -> Option<Var<'t>>| {
            let tape = Tape::new();
            let argument = tape.input(Shape::Vector(layer.dim()));
            record(argument).map(|result| Listing::of(&tape, argument.id(), result.id()))
        };
        Recorded {
            name: layer.name(),
            structure: layer.structure(),
            domains: [layer.domain(), layer.codomain()],
            forward: listing(&|z| Some(layer.forward(z))).expect("a layer records its image"),
            inverse: listing(&|x| layer.inverse(x)),
        }
    }
}

/// z, y₁, …, x
fn variable(k: usize, count: usize) -> String {
    match k {
        0 => "z".to_string(),
        k if k == count => "x".to_string(),
        k => format!("y{}", subscript(k)),
    }
}

fn definition(leaves: &[Leaf<'_>]) -> Section {
    let count = leaves.len();
    let mut lines = vec![Line::Prose(Prose::words(match count {
        1 => "One layer:".to_string(),
        _ => format!("{count} layers, one after the other:"),
    }))];
    let equation = |k: usize| {
        Written::typed(&format!("{} = f{}({})", variable(k, count), subscript(k), variable(k - 1, count)))
    };
    match count {
        0..=WRITTEN_OUT => lines.extend((1..=count).map(|k| line(equation(k)))),
        _ => lines.extend([equation(1), equation(2), Written::typed("⋯"), equation(count)].map(line)),
    }
    Section::new("Definition", lines)
}

/// The sections about all layers together, on the tape of the composition.
struct Whole<'a> {
    recording: &'a Recording,
    leaves: Vec<Leaf<'a>>,
    called: Vec<VariableNames>,
    /// What is known of each layer's inverse.
    standing: Vec<InverseStatus>,
    /// The layer that was written last; it holds the names given so far.
    subject: Option<Subject<'a>>,
}

impl<'a> Whole<'a> {
    fn count(&self) -> usize {
        self.leaves.len()
    }

    /// Returns layer k, from 0, with the names given so far.
    fn subject(&mut self, k: usize) -> Subject<'a> {
        let layer = &self.recording.layers()[k];
        let domain = self.leaves[k].bijection().domain().into();
        let mut subject = Subject::new(self.recording.tape(), layer, domain, self.called[k].clone());
        if let Some(before) = self.subject.take() {
            subject.take_names(&before);
        }
        subject.name(layer.output, self.called[k].output.clone());
        subject
    }

    fn jacobian(&self) -> Section {
        let factors = self.called.iter().rev().map(|called| called.jacobian.clone());
        let said = Prose::words("By the chain rule, each factor at its own point:");
        let product = match self.count() {
            0..=WRITTEN_OUT => factors.reduce(|product, next| product.times(Product::Matrix, &next)),
            count => Some(Written::typed(&format!("J{} ⋯ J₂ J₁", subscript(count)))),
        };
        let product = product.unwrap_or_else(|| Written::typed("I"));
        Section::new("Jacobian", vec![Line::Prose(said), line(Written::typed("J").equals(&product))])
    }

    /// Writes the sum of the layers' log-determinants, by name and with short ones inserted.
    fn log_det(&mut self) -> Section {
        let mut lines = vec![Line::Prose(Prose::words(
            "The determinant of a product is the product of the determinants, so the logarithms add up:",
        ))];
        let name = Written::typed("ln|det J|");
        let names = self.called.iter().map(VariableNames::log_det);
        let sum = match self.count() {
            0..=WRITTEN_OUT => names.reduce(|sum, next| sum.plus(&next)),
            _ => Some(Written::typed("Σₖ ln|det Jₖ|")),
        };
        lines.extend(sum.map(|sum| line(name.equals(&sum))));
        let (terms, definitions) = self.terms();
        lines.extend(definitions.into_iter().map(line));
        let mut terms = terms.into_iter();
        let first = terms.next().map(|(positive, term)| if positive { term } else { term.negative() });
        let first = first.unwrap_or_else(|| Written::number(0.0));
        let sum = terms
            .fold(first, |sum, (positive, term)| if positive { sum.plus(&term) } else { sum.minus(&term) });
        lines.push(line(name.equals(&sum)));
        Section::new("Log-determinant", lines)
    }

    /// Returns each layer's log-determinant as a signed term, inserted where it is short and omitted where it
    /// is 0, and the definitions of the others.
    fn terms(&mut self) -> (Vec<(bool, Written)>, Vec<Written>) {
        let (mut terms, mut definitions) = (Vec::new(), Vec::new());
        for k in 0..self.count() {
            let mut subject = self.subject(k);
            let log_det = subject.layer.log_det;
            if !subject.is_zero(log_det) {
                let own = inverse::terms(subject.tape, log_det);
                let wanted = own.iter().map(|(_, id)| Wanted::alone(*id)).collect();
                let short = subject.write_if_short(wanted, PUT_IN);
                match &short {
                    Some(sheet) => terms.extend(own.iter().map(|(sign, id)| (*sign, sheet.of(*id).clone()))),
                    None => terms.push((true, subject.called.log_det())),
                }
                definitions.extend(short.iter().flat_map(Sheet::lines).cloned());
            }
            self.subject = Some(subject);
        }
        (terms, definitions)
    }

    /// Writes the layers' inverses, last to first.
    fn inverse(&mut self) -> Section {
        let mut lines = vec![Line::Prose(Prose::words("The inverses of the layers, last to first:"))];
        for k in (0..self.count()).rev() {
            let mut subject = self.subject(k);
            let tape = subject.tape;
            let x = tape.input(Shape::Vector(subject.d()));
            inverse::call_image(&mut subject, x);
            let leaf = &self.leaves[k];
            let told = self.standing[k].told(&leaf.bijection().name());
            match (told, leaf.path().scope(tape, || record_inverse(leaf.bijection(), x))) {
                (Some(told), _) => lines.push(Line::Prose(Prose::words(told))),
                (None, Ok(z)) => {
                    lines.extend(inverse::solved(&mut subject, z));
                    lines.extend(inverse::guaranteed(tape, z));
                }
                (None, Err(error)) => lines.push(Line::Prose(Prose::words(format!("{error}.")))),
            }
            self.subject = Some(subject);
        }
        Section::new("Inverse", lines)
    }

    fn density(&mut self) -> Section {
        if let Some(standing) = self.standing.iter().find(|standing| !standing.has_density()) {
            return Section::new("Density", vec![standing.without_density()]);
        }
        let (terms, definitions) = self.terms();
        let difference = terms.iter().fold(inverse::base(), |rest, (positive, term)| match positive {
            true => rest.minus(term),
            false => rest.plus(term),
        });
        let mut lines: Vec<Line> = definitions.into_iter().map(line).collect();
        lines.push(line(inverse::general().equals(&difference)));
        let between = if self.count() > 1 { " and the variables between" } else { "" };
        lines.push(Line::Prose(Prose::typed(&format!("with $z = f⁻¹(x)${between} as above."))));
        Section::new("Density", lines)
    }
}
