//! What is held fixed so that a Jacobian is diagonal, and the lemma by which its determinant follows.

use super::prose::Prose;
use super::subject::{Subject, formulas, line};
use super::{Line, Section};
use crate::jacobian::{Bottleneck, Route, Structure, bottleneck, map};
use crate::sweep::Wanted;
use crate::sweep::reach::Relation;
use crate::tape::{NodeId, Shape};
use crate::typeset::{Term, Written};

/// Maximum number of characters of the elements, with their definitions.
const LONGEST: usize = 400;

/// Writes the structure of a Jacobian with a bottleneck, and how it is known.
pub(super) fn section(subject: &mut Subject<'_>) -> Section {
    let Some(found) = found(subject) else { return Section::new("Structure", Vec::new()) };
    let [j, x, z] = [&subject.called.jacobian, &subject.called.output, &subject.called.input]
        .map(|name| name.text().to_string());
    let rank = found.rank();
    let numbers = if rank == 1 { "one number".to_string() } else { format!("{rank} numbers") };
    let mut lines = vec![Line::Prose(Prose::typed(&format!("All variables meet in {numbers}:")))];
    lines.extend(elements(subject, &found));
    let index = |of: &Written, letter: &'static str| Written::of(&Term::Index(of, letter));
    let natural = found.order().inputs() == found.order().outputs();
    let path = match natural {
        true => Prose::words(" from ")
            .formula(index(&subject.called.input, "j"))
            .then(Prose::words(" to "))
            .formula(index(&subject.called.output, "i"))
            .then(Prose::typed(" with $j ≠ i$")),
        false => Prose::words(" from a variable to an output other than its own"),
    };
    let held = Prose::typed(&format!(
        "With $C$ held fixed each output depends on a variable of its own alone. So ${j} = T + U·V$, where $T$ is $∂{x}/∂{z}$ \
         at fixed $C$, which is diagonal, $U = ∂{x}/∂C$ and $V = dC/d{z}$: a diagonal matrix and one of rank {rank}. Proven: \
         every path of the program"
    ));
    let proven = Prose::typed(" leads through $C$, whatever the inputs and the parameters are.");
    lines.push(Line::Prose(held.then(path).then(proven)));
    if !found.zeros().is_empty() {
        let count = found.zeros().len();
        let outputs = if count == 1 { "One output does".to_string() } else { format!("{count} outputs do") };
        lines.push(Line::Prose(Prose::typed(&format!(
            "{outputs} not depend on a variable of its own at fixed $C$: the entry of $T$ is 0 there."
        ))));
    }
    if !matches!(subject.layer.structure, Structure::LowRank { .. }) {
        lines.push(Line::Prose(Prose::words("No structure is declared; it was found.")));
    }
    Section::new("Structure", lines)
}

/// Writes the lemma, for a layer with a bottleneck.
pub(super) fn lemma(subject: &Subject<'_>) -> Option<Line> {
    let Route::LowRank { rank: 1.. } = subject.layer.route else { return None };
    let det = subject.called.det().text().to_string();
    Some(Line::Prose(Prose::typed(&format!(
        "By the matrix determinant lemma, ${det} = det(T)·det(1 + V·T⁻¹·U)$:"
    ))))
}

/// The bottleneck that the log-determinant was derived by.
fn found(subject: &Subject<'_>) -> Option<Bottleneck> {
    let Route::LowRank { rank } = subject.layer.route else { return None };
    let program = map(subject.tape, subject.layer.input, subject.layer.output);
    bottleneck(subject.tape, &program, Relation::Derivative, rank)
}

/// Writes C = …, or where its elements are if that is long.
fn elements(subject: &mut Subject<'_>, found: &Bottleneck) -> Vec<Line> {
    let tape = subject.tape;
    let mut nodes: Vec<(NodeId, Vec<usize>)> = Vec::new();
    for step in found.elements() {
        match nodes.last_mut().filter(|(node, _)| *node == step.node) {
            Some((_, elements)) => elements.push(step.element),
            None => nodes.push((step.node, vec![step.element])),
        }
    }
    let part = |(node, elements): &(NodeId, Vec<usize>)| match elements.len() == tape.shape(*node).len() {
        true => *node,
        false => {
            let shape = if elements.len() == 1 { Shape::Scalar } else { Shape::Vector(elements.len()) };
            tape.var(*node).pick("gather", elements, shape).id()
        }
    };
    let parts: Vec<NodeId> = nodes.iter().map(part).collect();
    let wanted = parts.iter().map(|id| Wanted::alone(*id)).collect();
    let name = Written::typed("C");
    match subject.write_if_short(wanted, LONGEST) {
        Some(sheet) => {
            let written: Vec<Written> = parts.iter().map(|id| sheet.of(*id).clone()).collect();
            let mut lines = formulas(&sheet);
            lines.push(line(match written.as_slice() {
                [one] => name.equals(one),
                several => name.equals(&Written::of(&Term::List(several.iter().collect()))),
            }));
            lines
        }
        None => {
            let told = nodes.iter().map(|(node, elements)| {
                let (place, name) = (tape.place(*node), tape.with_node(*node, |node| node.op.name()));
                let what = if elements.len() == 1 {
                    "an element".to_string()
                } else {
                    format!("{} elements", elements.len())
                };
                format!("{what} of `{name}` ({place})")
            });
            vec![Line::Prose(Prose::words(format!("C: {}.", told.collect::<Vec<_>>().join(", "))))]
        }
    }
}
