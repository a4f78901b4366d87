//! The sections of a single layer.

use super::diagonal::{self, Diagonal};
use super::prose::Prose;
use super::subject::{Subject, VariableNames, line};
use super::{Line, Section, definition, inverse, jacobian, log_det, motion};
use crate::bijection::{Bijection, BijectionError, Leaf, Recording, record};
use crate::typeset::{Term, Written};

/// Which sections a layer has: all for a single layer, fewer within a chain, which has the others itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    Within,
}

pub(super) fn sections(
    leaf: &Leaf<'_>,
    called: &VariableNames,
    extent: Extent,
) -> Result<Vec<Section>, BijectionError> {
    match (leaf.is_inverse(), leaf.motion()) {
        (true, _) => turned(leaf.layer(), called, extent),
        (false, Some(motion)) => motion::sections(leaf.layer(), motion, called, extent == Extent::Whole),
        (false, None) => straight(leaf.layer(), called, extent),
    }
}

fn straight(
    bijection: &dyn Bijection,
    called: &VariableNames,
    extent: Extent,
) -> Result<Vec<Section>, BijectionError> {
    let recording = record(bijection)?;
    let mut subject = subject(&recording, bijection, called.clone());
    let mut sections = vec![definition::definition(&mut subject)];
    sections.extend(derivatives(&mut subject));
    if extent == Extent::Whole {
        let (section, standing) = inverse::section(bijection, &mut subject, "Inverse");
        sections.push(section);
        sections.push(inverse::density(bijection, &mut subject, &standing));
    }
    Ok(sections)
}

/// Writes the sections of an `Inverse`, defined as z = g(x): everything is derived from g.
fn turned(
    other: &dyn Bijection,
    called: &VariableNames,
    extent: Extent,
) -> Result<Vec<Section>, BijectionError> {
    let recording = record(other)?;
    let mut subject = subject(&recording, other, called.turned("J_g"));
    let mut first = definition::definition(&mut subject);
    let (x, z) = (subject.called.input.clone(), subject.called.output.clone());
    let said = Prose::default()
        .formula(x)
        .then(Prose::typed(" is the point that $g$ takes to "))
        .formula(z)
        .then(Prose::typed("; what is written is $g = f⁻¹$:"));
    first.lines.insert(0, Line::Prose(said));
    let mut sections = vec![first];
    sections.extend(derivatives(&mut subject));
    if let Some(last) = sections.last_mut() {
        let inverse = Written::of(&Term::Inverse(&subject.called.jacobian));
        let said = Prose::default()
            .formula(called.jacobian.equals(&inverse))
            .then(Prose::words(", so the sign turns:"));
        last.lines.push(Line::Prose(said));
        last.lines.push(line(called.log_det().equals(&subject.called.log_det().negative())));
    }
    if extent == Extent::Whole {
        sections.push(inverse::section(other, &mut subject, "The map, solved").0);
        sections.push(inverse::density_of_turned(&mut subject));
    }
    Ok(sections)
}

fn subject<'a>(recording: &'a Recording, bijection: &dyn Bijection, called: VariableNames) -> Subject<'a> {
    Subject::new(recording.tape(), &recording.layers()[0], bijection.domain().into(), called)
}

/// Writes what follows from `forward` alone: dependence, Jacobian, structure, diagonal, determinants.
fn derivatives(subject: &mut Subject<'_>) -> Vec<Section> {
    let diagonal = Diagonal::of(subject);
    let mut sections = vec![
        definition::dependence(subject),
        jacobian::section(subject, diagonal.as_ref()),
        diagonal::structure(subject),
    ];
    if let Some(diagonal) = &diagonal {
        sections.push(diagonal::section(subject, diagonal));
        sections.push(diagonal::determinant(subject, diagonal));
    }
    sections.push(log_det::section(subject, diagonal.as_ref()));
    sections
}
