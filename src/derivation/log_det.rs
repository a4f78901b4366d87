//! ln|det J| from the diagonal (or from the matrix) to its simplest form, one rule a line.

use super::bottleneck;
use super::diagonal::Diagonal;
use super::element::Elements;
use super::prose::Prose;
use super::step::{applied, opened};
use super::subject::{Subject, formulas, line};
use super::{Line, Section};
use crate::jacobian::Route;
use crate::sweep::simplify::{Step, simplify};
use crate::sweep::{Sheet, Wanted};
use crate::tape::{NodeId, Op, Tape};
use crate::typeset::{Product, Term, Written};

pub(super) fn section(subject: &mut Subject<'_>, diagonal: Option<&Diagonal>) -> Section {
    let tape = subject.tape;
    let layer = subject.layer;
    if matches!(layer.route, Route::Dense { .. })
        && let Some(section) = dense(subject)
    {
        return section;
    }
    let told: Vec<(Step, Option<NodeId>)> = layer
        .steps
        .iter()
        .filter(|step| !moves(tape, step.before))
        .map(|step| {
            let first = subject.first();
            (*step, applied(tape, step, first, (layer.input, subject.domain)).map(|after| after.id()))
        })
        .collect();
    let parts: Vec<NodeId> =
        diagonal.iter().flat_map(|diagonal| &diagonal.parts).map(|part| part.node).collect();
    let mut wanted: Vec<Wanted> = parts.iter().map(|id| Wanted::alone(*id)).collect();
    for (step, after) in &told {
        wanted.push(Wanted::alone(step.before));
        wanted.extend(after.map(Wanted::alone));
    }
    wanted.push(Wanted::alone(layer.log_det));
    if diagonal.is_none() {
        wanted.push(Wanted::alone(layer.unsimplified_log_det));
    }
    let sheet = subject.write(wanted);
    let name = subject.called.log_det();
    let mut lines: Vec<Line> = bottleneck::lemma(subject).into_iter().collect();
    lines.extend(formulas(&sheet));
    let said = match diagonal {
        Some(diagonal) => {
            let sum = literal(subject, &sheet, diagonal);
            let entries = subject.called.diagonal_entry().log_abs();
            let entries = Written::of(&Term::Total { sign: 'Σ', over: "i", body: &entries });
            let natural = subject.d() > 1
                && layer.structure.order(subject.d()).is_some_and(|o| o.inputs() == o.outputs());
            lines.push(line(if natural { name.equals(&entries).equals(&sum) } else { name.equals(&sum) }));
            sum
        }
        None => {
            lines.push(line(name.equals(sheet.of(layer.unsimplified_log_det))));
            sheet.of(layer.unsimplified_log_det).clone()
        }
    };
    let before: Vec<Written> = told.iter().map(|(step, _)| subject.opened(&sheet, step.before)).collect();
    for ((step, after), before) in told.iter().zip(before) {
        let log = opened(tape, step, &before);
        let after = after.map(|after| subject.opened(&sheet, after));
        // ln a¹ = ln a is a rule application too, but it changes nothing to show.
        if after.as_ref().is_some_and(|after| after.text() == log.text()) {
            continue;
        }
        let formula = after.map_or_else(|| log.clone(), |after| log.equals(&after));
        let condition = match step.rule.condition() {
            "-" => Prose::default(),
            condition => Prose::words(format!(", if {condition}")),
        };
        lines.push(Line::Step {
            formula: formula.into(),
            rule: step.rule.name(),
            statement: Prose::default().formula(Written::typed(step.rule.statement())).then(condition),
        });
    }
    // Of a determinant there is no ln|before| to tell.
    for rule in layer.rules.iter().filter(|rule| rule.name().starts_with("det-")) {
        lines.push(Line::Prose(
            Prose::words(format!("By {}: ", rule.name())).formula(Written::typed(rule.statement())),
        ));
    }
    let result = sheet.of(layer.log_det);
    if result.text() != said.text() {
        lines.push(line(name.equals(result)));
    }
    Section::new("Log-determinant", lines)
}

/// Writes the determinant of a dense Jacobian whose entries are listed: two rows are expanded, for more an LU
/// is named.
fn dense(subject: &mut Subject<'_>) -> Option<Section> {
    let tape = subject.tape;
    let name = subject.called.log_det();
    let matrix = match tape.node(subject.layer.log_det) {
        node if node.op == Op::LogAbsDet => node.operands[0],
        _ => return None,
    };
    let moved = |op: &Op| matches!(op, Op::Gather(_) | Op::Scatter(_) | Op::Concat | Op::Transpose);
    if !tape.with_node(matrix, |node| moved(&node.op)) {
        return None;
    }
    if let Some(whole) = subject.whole {
        subject.log_det = tape.var(whole).log_abs_det().id();
        let sheet = subject.write(vec![Wanted::named(name, subject.log_det)]);
        return Some(Section::new("Log-determinant", formulas(&sheet)));
    }
    if subject.d() != 2 {
        let said = Prose::words("of these entries, by LU in the program: no closed form is written out.");
        return Some(Section::new(
            "Log-determinant",
            vec![Line::Prose(Prose::default().formula(name).then(Prose::words(" ")).then(said))],
        ));
    }
    let first = subject.first();
    let given = [(subject.layer.input, subject.domain)];
    let mut elements = Elements::scalars(tape);
    let [a, b, c, d] = [0, 1, 2, 3].map(|e| elements.of(matrix, &[e]));
    let det = simplify(tape, (a * d - b * c).id(), first, &given).value;
    let log = simplify(tape, det.abs().ln().id(), first, &given).value;
    subject.log_det = log.id();
    let sheet = subject.write(vec![Wanted::alone(det.id()), Wanted::alone(log.id())]);
    let entry =
        |row: usize, column: usize| Written::of(&Term::Element(&subject.called.jacobian, vec![row, column]));
    let product = |a: Written, b: Written| a.times(Product::Scalar, &b);
    let by_entries = product(entry(0, 0), entry(1, 1)).minus(&product(entry(0, 1), entry(1, 0)));
    let mut lines = formulas(&sheet);
    lines.push(line(subject.called.det().equals(&by_entries).equals(sheet.of(det.id()))));
    lines.push(line(name.equals(sheet.of(log.id()))));
    Some(Section::new("Log-determinant", lines))
}

/// Writes ln|1| + Σᵢ ln|exp(zᵢ)|: one term for each range of the diagonal.
fn literal(subject: &Subject<'_>, sheet: &Sheet, diagonal: &Diagonal) -> Written {
    let terms = diagonal.parts.iter().map(|part| {
        let log = match subject.tape.shape(part.node) {
            shape if shape.len() == 1 => sheet.of(part.node).log_abs(),
            _ => match sheet.indexed(part.node) {
                Some(body) if !body.sums() => {
                    Written::of(&Term::Total { sign: 'Σ', over: "i", body: &body.log_abs() })
                }
                _ => Written::of(&Term::Total { sign: 'Σ', over: "", body: &sheet.of(part.node).log_abs() }),
            },
        };
        match part.times {
            1 => log,
            times => Written::number(times as f64).times(Product::Scalar, &log),
        }
    });
    terms.reduce(|sum, next| sum.plus(&next)).unwrap_or_else(|| Written::number(0.0))
}

/// Returns whether a node is a number, a data movement or a stack: steps on these are not shown.
fn moves(tape: &Tape, id: NodeId) -> bool {
    tape.with_node(id, |node| {
        matches!(node.op, Op::Constant(_) | Op::Broadcast | Op::Gather(_) | Op::Concat | Op::Transpose)
    }) || is_number(tape, id)
}

/// Returns whether a node is a function of a number, which formulas write as a number: |-5| as 5.
fn is_number(tape: &Tape, mut id: NodeId) -> bool {
    loop {
        let node = tape.node(id);
        match node.op {
            Op::Constant(_) => return true,
            Op::Unary(_) | Op::Broadcast => id = node.operands[0],
            _ => return false,
        }
    }
}
