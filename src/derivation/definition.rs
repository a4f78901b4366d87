//! Definition of a layer, and the dependence of its outputs on its inputs.

use super::coupling::{CouplingParts, parts};
use super::prose::Prose;
use super::subject::{Subject, chosen, half, line};
use super::{Line, Section};
use crate::jacobian::map;
use crate::sweep::reach::{Reach, Relation};
use crate::sweep::{Wanted, equations};
use crate::tape::{Binary, NodeId, Op, Unary};
use crate::typeset::Written;

/// Up to this number of outputs, dependences are listed one by one.
const ONE_BY_ONE: usize = 6;
/// Up to this number of parts, an output is written part by part.
const PARTS: usize = 8;

pub(super) fn definition(subject: &mut Subject<'_>) -> Section {
    let mut lines = Vec::new();
    if let Some(parts) = subject.coupling.clone() {
        lines.push(Line::Prose(
            Prose::words("With ")
                .then(subject.introduced(&parts, &subject.called.input))
                .then(Prose::words(", and "))
                .formula(subject.called.output.clone())
                .then(Prose::words(" divided in the same way:")),
        ));
        let output = subject.called.output.clone();
        lines.push(line(half(&output, 'a').equals(&half(&subject.called.input, 'a'))));
        lines.extend(subject.lines(vec![Wanted::named(half(&output, 'b'), parts.after)]));
    } else {
        let wanted = in_parts(subject, &subject.called.output, subject.layer.output);
        lines.extend(subject.lines(wanted));
    }
    let map = map(subject.tape, subject.layer.input, subject.layer.output);
    let works_on_vectors = map.nodes().iter().any(|id| {
        subject.tape.with_node(*id, |node| {
            let linear = matches!(node.op, Op::Binary(Binary::Add | Binary::Sub) | Op::Unary(Unary::Neg));
            node.op.is_elementwise() && !linear && node.shape.len() > 1
        })
    });
    if works_on_vectors {
        lines.push(Line::Prose(Prose::typed(
            "Functions, powers and quotients of vectors, and $⊙$, work element by element.",
        )));
    }
    Section::new("Definition", lines)
}

/// Returns an output as the parts that it is concatenated from, if there are few.
pub(super) fn in_parts(subject: &Subject<'_>, name: &Written, node: NodeId) -> Vec<Wanted> {
    let by_number = equations(subject.tape, name, node);
    if by_number.len() > 1 {
        return by_number;
    }
    match parts(subject.tape, node) {
        Some(parts) if parts.len() <= PARTS && parts.len() > 1 => {
            parts.into_iter().map(|(part, places)| Wanted::quoted(chosen_part(name, &places), part)).collect()
        }
        _ => by_number,
    }
}

fn chosen_part(name: &Written, places: &[u32]) -> Written {
    use crate::typeset::{Positions, Term};
    match places {
        [only] => name.element(*only as usize),
        _ => Written::of(&Term::Part(name, &Positions::Items(places.to_vec()))),
    }
}

/// Writes which inputs each output is computed from.
pub(super) fn dependence(subject: &Subject<'_>) -> Section {
    let map = map(subject.tape, subject.layer.input, subject.layer.output);
    let pattern = Reach::new(subject.tape, &map, Relation::Value).pattern();
    let lines = match &subject.coupling {
        Some(parts) => vec![of_coupling(subject, parts, &pattern)],
        None => of_all(subject, &pattern),
    };
    Section::new("Dependence", lines)
}

fn of_coupling(subject: &Subject<'_>, parts: &CouplingParts, pattern: &[Vec<u32>]) -> Line {
    let (input, output) = (&subject.called.input, &subject.called.output);
    let own = |row: &u32| {
        let others: Vec<u32> = pattern[*row as usize]
            .iter()
            .copied()
            .filter(|column| parts.transformed.contains(column))
            .collect();
        others == [*row]
    };
    let (each, on) = match parts.transformed.len() {
        1 => ("; ", ""),
        _ if parts.transformed.iter().all(own) => ("; each variable of ", "its own variable of "),
        _ => ("; each variable of ", "variables of "),
    };
    Line::Prose(
        Prose::default()
            .formula(half(output, 'a'))
            .then(Prose::words(" is a copy of "))
            .formula(half(input, 'a'))
            .then(Prose::words(each))
            .formula(half(output, 'b'))
            .then(Prose::words(format!(" depends on {on}")))
            .formula(half(input, 'b'))
            .then(Prose::words(" and on "))
            .formula(half(input, 'a'))
            .then(Prose::words(".")),
    )
}

fn of_all(subject: &Subject<'_>, pattern: &[Vec<u32>]) -> Vec<Line> {
    let (input, output) = (&subject.called.input, &subject.called.output);
    let d = pattern.len();
    if d == 1 {
        let depends = Prose::default().formula(output.clone()).then(Prose::words(" depends on "));
        return vec![Line::Prose(depends.formula(input.clone()).then(Prose::words(".")))];
    }
    if d > ONE_BY_ONE && subject.copies() {
        return vec![Line::Prose(Prose::words("Each output is a copy of one input."))];
    }
    let all =
        |holds: &dyn Fn(usize, &[u32]) -> bool| pattern.iter().enumerate().all(|(i, row)| holds(i, row));
    if d > 1 && all(&|i, row| *row == [i as u32]) {
        let [xi, zi] = [output, input].map(|of| Written::of(&crate::typeset::Term::Index(of, "i")));
        return vec![Line::Prose(
            Prose::words("Each ")
                .formula(xi)
                .then(Prose::words(" depends on "))
                .formula(zi)
                .then(Prose::words(" alone.")),
        )];
    }
    if d > 1 && all(&|_, row| row.len() == d) {
        return vec![Line::Prose(Prose::words("Every output depends on every input."))];
    }
    if d <= ONE_BY_ONE {
        return pattern.iter().enumerate().map(|(i, row)| one(output.element(i), input, row)).collect();
    }
    let index = |of: &Written, letter: &'static str| Written::of(&crate::typeset::Term::Index(of, letter));
    let range = |from: Written, to: Written| {
        Prose::words("Each ")
            .formula(index(output, "i"))
            .then(Prose::words(" depends on "))
            .formula(from)
            .then(Prose::words(" to "))
            .formula(to)
            .then(Prose::words("."))
    };
    let (first, last) = (input.element(0), input.element(d - 1));
    if all(&|i, row| row.len() == i + 1 && row.last() == Some(&(i as u32))) {
        return vec![Line::Prose(range(first, index(input, "i")))];
    }
    if all(&|i, row| row.len() == d - i && row.first() == Some(&(i as u32))) {
        return vec![Line::Prose(range(index(input, "i"), last))];
    }
    let sizes = pattern.iter().map(Vec::len);
    let (least, most) = (sizes.clone().min().unwrap_or(0), sizes.clone().max().unwrap_or(0));
    let pairs: usize = sizes.sum();
    let each = if least == most { format!("{least}") } else { format!("{least} to {most}") };
    vec![Line::Prose(Prose::words(format!(
        "An output depends on {each} of the {d} inputs; of {} pairs of an output and an input, {pairs} depend.",
        d * d
    )))]
}

fn one(name: Written, input: &Written, row: &[u32]) -> Line {
    let depends = Prose::default().formula(name).then(Prose::words(" depends on "));
    let consecutive = row.len() > 3 && row.windows(2).all(|pair| pair[1] == pair[0] + 1);
    let on = match row {
        [] => return Line::Prose(depends.then(Prose::words("no input."))),
        [first, .., last] if consecutive => Prose::default()
            .formula(chosen(input, &[*first]))
            .then(Prose::words(" to "))
            .formula(chosen(input, &[*last])),
        _ => row.iter().enumerate().fold(Prose::default(), |list, (k, column)| {
            let list = if k == 0 { list } else { list.then(Prose::words(", ")) };
            list.formula(chosen(input, &[*column]))
        }),
    };
    Line::Prose(depends.then(on).then(Prose::words(".")))
}
