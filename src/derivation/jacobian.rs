//! The Jacobian: one formula for all entries of a diagonal, blocks for a coupling layer, entry by entry for
//! few variables, and in matrix form for many.

use super::coupling::CouplingParts;
use super::diagonal::{Diagonal, diag};
use super::element::Elements;
use super::prose::Prose;
use super::slope::slope;
use super::subject::{Subject, formulas, half, line, matrix};
use super::{Line, Section};
use crate::jacobian::{Structure, jacobian, map};
use crate::sweep::Wanted;
use crate::sweep::simplify::simplify;
use crate::tape::NodeId;
use crate::typeset::{Term, Written};

/// Up to this number of variables, the Jacobian is written entry by entry.
pub(super) const WRITTEN_OUT: usize = 4;
/// Maximum number of characters of the entries.
const LONGEST: usize = 800;
/// Maximum number of characters of a Jacobian in matrix form, with its definitions.
const LONGEST_MATRIX: usize = 600;

pub(super) fn section(subject: &mut Subject<'_>, diagonal: Option<&Diagonal>) -> Section {
    let parts = subject.coupling.clone();
    let lines = match (&parts, diagonal) {
        (Some(parts), Some(diagonal)) => blocks(subject, parts, diagonal.whole),
        (_, Some(diagonal)) if subject.layer.structure == Structure::Diagonal && subject.d() > 1 => {
            of_diagonal(subject, diagonal.whole)
        }
        _ if subject.d() > WRITTEN_OUT && subject.copies() => vec![Line::Prose(Prose::words(
            "Each row has a single 1, in the column of the input that its output is a copy of; the other entries are 0.",
        ))],
        _ => entries(subject).or_else(|| in_matrices(subject)).unwrap_or_else(|| unwritten(subject)),
    };
    Section::new("Jacobian", lines)
}

/// Writes ∂xᵢ/∂zᵢ = … for all i in one formula.
fn of_diagonal(subject: &mut Subject<'_>, diagonal: NodeId) -> Vec<Line> {
    let sheet = subject.write(vec![Wanted::alone(diagonal)]);
    let mut lines = formulas(&sheet);
    let index = |of: &Written| Written::of(&Term::Index(of, "i"));
    let name = index(&subject.called.output).partial(&index(&subject.called.input));
    lines.push(line(match sheet.indexed(diagonal) {
        Some(entry) => name.equals(entry),
        None => subject.called.jacobian.equals(&diag(sheet.of(diagonal))),
    }));
    lines.push(zeros());
    lines
}

fn zeros() -> Line {
    Line::Prose(Prose::words("The other entries are 0."))
}

/// Writes [I, 0; ∂x_b/∂z_a, diag(…)].
fn blocks(subject: &mut Subject<'_>, parts: &CouplingParts, diagonal: NodeId) -> Vec<Line> {
    let tape = subject.tape;
    let first = tape.len();
    let moved: Vec<usize> = (parts.identity.len()..subject.d()).collect();
    let own = simplify(tape, tape.var(diagonal).gather(&moved).id(), first, &[]).value.id();
    let across = slope(tape, parts.passed, parts.after);
    let mut wanted = vec![Wanted::alone(own)];
    wanted.extend(across.map(|across| Wanted::alone(across.id())));
    // The block below the diagonal does not enter the determinant: it is not written out where it is long.
    let short = across.and_then(|_| subject.write_if_short(wanted, LONGEST_MATRIX));
    let shown = short.as_ref().zip(across).map(|(sheet, across)| sheet.of(across.id()).clone());
    let sheet = short.unwrap_or_else(|| subject.write(vec![Wanted::alone(own)]));
    let mut lines = formulas(&sheet);
    let (input, output) = (subject.called.input.clone(), subject.called.output.clone());
    let name = |x: char, z: char| half(&output, x).partial(&half(&input, z));
    let one = |count: usize| if count == 1 { Written::number(1.0) } else { Written::typed("I") };
    let own = match parts.transformed.len() {
        _ if sheet.of(own).text() == "1" => one(parts.transformed.len()),
        1 => sheet.of(own).clone(),
        _ => diag(sheet.of(own)),
    };
    lines.push(Line::Prose(
        Prose::words("In blocks, with rows ")
            .formula(half(&output, 'a'))
            .then(Prose::words(", "))
            .formula(half(&output, 'b'))
            .then(Prose::words(" and columns "))
            .formula(half(&input, 'a'))
            .then(Prose::words(", "))
            .formula(half(&input, 'b'))
            .then(Prose::words(":")),
    ));
    let corner = name('b', 'a');
    let entries = vec![
        (name('a', 'a'), Some(one(parts.identity.len()))),
        (name('a', 'b'), None),
        (corner.clone(), Some(corner.clone())),
        (name('b', 'b'), Some(own)),
    ];
    lines.push(matrix(&subject.called.jacobian, 2, entries));
    if let Some(shown) = shown {
        lines.push(line(corner.equals(&shown)));
    }
    lines
}

/// Writes the entries one by one, if that is short enough.
fn entries(subject: &mut Subject<'_>) -> Option<Vec<Line>> {
    let (tape, d) = (subject.tape, subject.d());
    if d > WRITTEN_OUT {
        return None;
    }
    // Derived again even if the Jacobian of a dense layer is on the tape already.
    let first = subject.first();
    let whole = jacobian(tape, &map(tape, subject.layer.input, subject.layer.output)).id();
    let mut elements = Elements::scalars(tape);
    let given = [(subject.layer.input, subject.domain)];
    let values: Vec<NodeId> =
        (0..d * d).map(|e| simplify(tape, elements.of(whole, &[e]).id(), first, &given).value.id()).collect();
    let kept: Vec<NodeId> = values.iter().copied().filter(|id| !subject.is_zero(*id)).collect();
    let sheet = subject.write_if_short(kept.iter().map(|id| Wanted::alone(*id)).collect(), LONGEST)?;
    subject.by_entries = true;
    let mut lines = formulas(&sheet);
    let variable = |of: &Written, k: usize| if d == 1 { of.clone() } else { of.element(k) };
    let named = (0..d * d).map(|e| {
        let name = variable(&subject.called.output, e / d).partial(&variable(&subject.called.input, e % d));
        (name, (!subject.is_zero(values[e])).then(|| sheet.of(values[e]).clone()))
    });
    let named: Vec<_> = named.collect();
    match named.as_slice() {
        [(name, Some(value))] => lines.push(line(name.equals(value))),
        _ => lines.push(matrix(&subject.called.jacobian, d, named)),
    }
    Some(lines)
}

/// Writes J = W₁·diag(…)·W₀.
fn in_matrices(subject: &mut Subject<'_>) -> Option<Vec<Line>> {
    let whole = slope(subject.tape, subject.layer.input, subject.layer.output)?;
    let name = subject.called.jacobian.clone();
    let sheet = subject.write_if_short(vec![Wanted::named(name, whole.id())], LONGEST_MATRIX)?;
    subject.whole = Some(whole.id());
    Some(formulas(&sheet))
}

fn unwritten(subject: &Subject<'_>) -> Vec<Line> {
    let d = subject.d();
    vec![Line::Prose(Prose::words(format!(
        "Its {} entries are not written out; what the determinant needs of them follows.",
        d * d
    )))]
}
