//! The structure with its proof, the diagonal and its signs with their proofs, and the determinant.

use super::bottleneck;
use super::element::Elements;
use super::prose::Prose;
use super::subject::{Subject, formulas, line};
use super::{Line, Section};
use crate::jacobian::{Order, Route, Structure};
use crate::sweep::bound::{Bound, Bounds, End};
use crate::sweep::simplify::{sign, simplify};
use crate::sweep::{Sheet, Wanted};
use crate::tape::{NodeId, Op, Shape, Tape, Var};
use crate::typeset::{Function, Product, Term, Written};

/// Up to this number of variables, an order is written out.
const SPELLED_OUT: usize = 12;

/// The simplified diagonal: by rows, or in the order of the structure if rows and columns are ordered
/// differently.
#[derive(Clone, Debug)]
pub(super) struct Diagonal {
    /// The whole diagonal.
    pub(super) whole: NodeId,
    pub(super) parts: Vec<Part>,
}

/// A range of a diagonal: a vector, or one number repeated.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) node: NodeId,
    pub(super) times: usize,
}

impl Diagonal {
    pub(super) fn of(subject: &Subject<'_>) -> Option<Diagonal> {
        let tape = subject.tape;
        let literal = tape.var(subject.layer.diagonal?);
        let order = subject.layer.structure.order(subject.d())?;
        let rows = order.outputs();
        // The diagonal of a matrix is read by rows, whatever the order of solving.
        let natural = match subject.coupling.is_none() && order.inputs() == rows && !rows.is_sorted() {
            true => {
                let mut places = vec![0; rows.len()];
                rows.iter().enumerate().for_each(|(k, row)| places[*row] = k);
                literal.gather(&places)
            }
            false => literal,
        };
        let first = subject.first();
        let given = [(subject.layer.input, subject.domain)];
        let whole = simplify(tape, of_a_matrix(tape, natural).id(), first, &given).value.id();
        Some(Diagonal { whole, parts: stretches(tape, whole) })
    }

    fn wanted(&self) -> Vec<Wanted> {
        self.parts.iter().map(|part| Wanted::alone(part.node)).collect()
    }

    /// Writes the parts one after another; a repeated number is written as often as it occurs, if that is not
    /// too often.
    fn listed(&self, sheet: &Sheet) -> Written {
        let parts: Vec<Written> = self
            .parts
            .iter()
            .flat_map(|part| {
                let written = sheet.of(part.node).clone();
                match part.times {
                    0..=4 => vec![written; part.times],
                    _ => vec![written.clone(), Written::typed("…"), written],
                }
            })
            .collect();
        match parts.as_slice() {
            [only] => only.clone(),
            _ => Written::of(&Term::List(parts.iter().collect())),
        }
    }
}

/// Simplifies the diagonal of a matrix: for W⊙M + diag(v) it is v if the mask M has a zero diagonal.
fn of_a_matrix<'t>(tape: &'t Tape, entries: Var<'t>) -> Var<'t> {
    let (mut id, mut places) = (entries.id(), (0..entries.len()).collect::<Vec<_>>());
    while let Op::Gather(indices) = tape.node(id).op {
        places = places.iter().map(|place| indices[*place] as usize).collect();
        id = tape.node(id).operands[0];
    }
    match tape.shape(id) {
        Shape::Matrix(..) => Elements::vectors(tape).of(id, &places),
        _ => entries,
    }
}

/// Returns the vectors and repeated numbers that a vector is concatenated from.
fn stretches(tape: &Tape, whole: NodeId) -> Vec<Part> {
    let operands = tape.with_node(whole, |node| match node.op {
        Op::Concat => node.operands.to_vec(),
        _ => vec![whole],
    });
    let mut parts: Vec<Part> = Vec::new();
    for id in operands {
        let node = tape.node(id);
        let equal = |values: &[f64]| values.iter().all(|value| value.to_bits() == values[0].to_bits());
        let (node, times) = match &node.op {
            Op::Broadcast => (node.operands[0], node.shape.len()),
            Op::Constant(data) if equal(data.values()) => {
                (tape.constant(data.values()[0]).id(), node.shape.len())
            }
            _ => (id, 1),
        };
        match parts.last_mut() {
            Some(part) if part.node == node => part.times += times,
            _ => parts.push(Part { node, times }),
        }
    }
    parts
}

/// Writes the declared structure and its proof.
pub(super) fn structure(subject: &mut Subject<'_>) -> Section {
    if let Route::LowRank { rank: 1.. } = subject.layer.route {
        return bottleneck::section(subject);
    }
    let (input, output) = (&subject.called.input, &subject.called.output);
    let j = subject.called.jacobian.text();
    let typed = |sentence: String| Prose::typed(&sentence);
    let index = |of: &Written, letter: &'static str| Written::of(&Term::Index(of, letter));
    let no_path = |condition: &str| {
        Prose::words(" Proven: no path of the program leads from ")
            .formula(index(input, "j"))
            .then(Prose::words(" to "))
            .formula(index(output, "i"))
            .then(typed(format!(" with ${condition}$, whatever the inputs and the parameters are.")))
    };
    let proven = match (&subject.layer.structure, &subject.coupling) {
        (Structure::Dense, _) if matches!(subject.layer.route, Route::Product { .. }) => typed(format!(
            "No structure is declared; it was found that all paths lead through vectors on the way, so that ${j}$ is a product, \
             and its determinant that of each factor ({}).",
            subject.layer.route
        )),
        (Structure::Dense, _) if matches!(subject.layer.route, Route::Linear { .. }) => {
            typed(format!("The map is linear in its variables, and ${j}$ the product of its matrices: {}.", subject.layer.route))
        }
        (Structure::Dense, _) => {
            typed(format!(
                "No structure is declared for ${j}$: the determinant needs the full matrix ({}).",
                subject.layer.route
            ))
        }
        (Structure::LowRank { rank }, _) => typed(format!("${j}$ is a diagonal matrix and one of rank {rank}.")),
        (_, Some(_)) => typed(format!(
            "${j}$ is lower triangular in blocks, and the block at the lower right is diagonal. Proven: no path of the \
             program leads where a zero stands, whatever the inputs and the parameters are."
        )),
        (Structure::Diagonal, _) if subject.d() == 1 => typed(format!("${j}$ is one number.")),
        (Structure::Diagonal, _) => typed(format!("${j}$ is diagonal.")).then(no_path("j ≠ i")),
        (Structure::LowerTriangular, _) => typed(format!("${j}$ is lower triangular.")).then(no_path("j > i")),
        (Structure::UpperTriangular, _) => typed(format!("${j}$ is upper triangular.")).then(no_path("j < i")),
        (Structure::Triangular { order }, _) => typed(format!("${j}$ is triangular, "))
            .then(ordered(order, input, output))
            .then(Prose::words(
                ". Proven: no path of the program leads from a variable to an output that comes before it, whatever the \
                 inputs and the parameters are.",
            )),
        (Structure::BlockTriangular { order, blocks }, _) => {
            let sizes: Vec<String> = blocks.iter().take(SPELLED_OUT).map(usize::to_string).collect();
            let more = if blocks.len() > SPELLED_OUT { ", …" } else { "" };
            typed(format!("${j}$ is block triangular, with blocks of {}{more} variables, ", sizes.join(", ")))
                .then(ordered(order, input, output))
                .then(Prose::words(
                    ". Proven: no path of the program leads from a variable to an output of a block before its own, \
                     whatever the inputs and the parameters are.",
                ))
        }
    };
    Section::new("Structure", vec![Line::Prose(proven)])
}

/// Writes the order of the rows and columns.
fn ordered(order: &Order, input: &Written, output: &Written) -> Prose {
    let list = |of: &Written, places: &[usize]| {
        let mut parts: Vec<Written> =
            places.iter().take(SPELLED_OUT).map(|place| of.element(*place)).collect();
        if places.len() > SPELLED_OUT {
            parts.push(Written::typed("…"));
        }
        Written::of(&Term::List(parts.iter().collect()))
    };
    let rows = Prose::words("with its rows in the order ")
        .formula(list(output, order.outputs()))
        .then(Prose::words(" and its columns in the order "));
    rows.formula(list(input, order.inputs()))
}

/// Writes the entries and their signs.
pub(super) fn section(subject: &mut Subject<'_>, diagonal: &Diagonal) -> Section {
    let sheet = subject.write(diagonal.wanted());
    let mut lines = formulas(&sheet);
    if subject.d() > 1 {
        let listed = diagonal.listed(&sheet);
        lines.push(line(on_the_diagonal(subject).equals(&listed)));
    }
    let bounds = Bounds::new(subject.tape, &[(subject.layer.input, subject.domain)]);
    let known: Vec<Bound> = diagonal.parts.iter().map(|part| bounds.of(part.node)).collect();
    for (part, bound) in diagonal.parts.iter().zip(&known) {
        let constant = matches!(subject.tape.node(part.node).op, Op::Constant(_));
        if !constant && (bound.low.at.is_finite() || bound.high.at.is_finite()) {
            let interval = Written::typed(&interval(*bound));
            lines.push(line(Written::of(&Term::Relation(sheet.of(part.node), '∈', &interval))));
        }
    }
    let each = if subject.d() > 1 { "Every entry is" } else { "It is" };
    let given = [(subject.layer.input, subject.domain)];
    let signs = || diagonal.parts.iter().map(|part| sign(subject.tape, part.node, subject.first(), &given));
    let by_factors = "for all inputs and parameters (the bounds of its factors, over one denominator)";
    let sentence = if known.iter().all(|bound| bound.is_positive()) {
        format!(
            "{each} above 0, for all inputs and parameters (bounds): each output grows with its own variable."
        )
    } else if known.iter().all(|bound| bound.is_negative()) {
        format!(
            "{each} below 0, for all inputs and parameters (bounds): each output falls with its own variable."
        )
    } else if known.iter().all(|bound| bound.nonzero) {
        "No entry is ever 0, for all inputs and parameters (bounds): each output is strictly monotone in its own \
         variable."
            .to_string()
    } else if signs().all(|sign| sign == Some(1.0)) {
        format!("{each} above 0, {by_factors}: each output grows with its own variable.")
    } else if signs().all(|sign| sign == Some(-1.0)) {
        format!("{each} below 0, {by_factors}: each output falls with its own variable.")
    } else {
        "The bounds of this formula do not determine every sign; where an entry is 0 there is no density."
            .to_string()
    };
    lines.push(Line::Prose(Prose::words(sentence)));
    Section::new("Diagonal", lines)
}

/// Writes diag(J), or the entries on the diagonal after rows and columns are reordered.
fn on_the_diagonal(subject: &Subject<'_>) -> Written {
    let matched =
        subject.layer.structure.order(subject.d()).filter(|order| order.inputs() != order.outputs());
    let Some(order) = matched else { return diag(&subject.called.jacobian) };
    let pairs = order.outputs().iter().zip(order.inputs());
    let entry = |(row, column): (&usize, &usize)| {
        Written::of(&Term::Element(&subject.called.jacobian, vec![*row, *column]))
    };
    let mut entries: Vec<Written> = pairs.take(SPELLED_OUT / 2).map(entry).collect();
    if subject.d() > SPELLED_OUT / 2 {
        entries.push(Written::typed("…"));
    }
    Written::of(&Term::List(entries.iter().collect()))
}

/// Writes an interval with ends of five digits, rounded outwards.
fn interval(bound: Bound) -> String {
    let shown = |end: End, up: bool| {
        if end.at.is_infinite() {
            return if up { "∞".to_string() } else { "-∞".to_string() };
        }
        let scale = 10f64.powi(4 - end.at.abs().log10().floor().max(-300.0) as i32);
        let nearest = (end.at * scale).round() / scale;
        let near = (nearest - end.at).abs() <= 1e-12 * end.at.abs();
        let outwards = if up { (end.at * scale).ceil() } else { (end.at * scale).floor() } / scale;
        let value = if end.at == 0.0 || near { nearest } else { outwards };
        format!("{}", if end.at == 0.0 { 0.0 } else { value })
    };
    let open = if bound.low.open { '(' } else { '[' };
    let close = if bound.high.open { ')' } else { ']' };
    format!("{open}{}, {}{close}", shown(bound.low, false), shown(bound.high, true))
}

/// Writes det J as the product of the diagonal, with the sign of the order.
pub(super) fn determinant(subject: &mut Subject<'_>, diagonal: &Diagonal) -> Section {
    let tape = subject.tape;
    let first = tape.len();
    let odd = subject.layer.structure.order(subject.d()).is_some_and(|order| is_odd(&order));
    let scalar = |part: &&Part| tape.shape(part.node).len() == 1;
    let numbers = diagonal.parts.iter().filter(scalar).map(|part| {
        let base = tape.var(part.node).reshape(Shape::Scalar);
        if part.times == 1 { base } else { base.powi(part.times as i32) }
    });
    let product = numbers.reduce(|product, next| product * next).map(|product| {
        let given = [(subject.layer.input, subject.domain)];
        simplify(tape, product.id(), first, &given).value.id()
    });
    let vectors: Vec<NodeId> =
        diagonal.parts.iter().filter(|part| !scalar(part)).map(|part| part.node).collect();
    let wanted = product.iter().chain(&vectors).map(|id| Wanted::alone(*id)).collect();
    let sheet = subject.write(wanted);
    let is_one = |id: NodeId| {
        tape.with_node(id, |node| matches!(&node.op, Op::Constant(data) if data.values() == [1.0]))
    };
    let mut factors: Vec<Written> = product
        .filter(|id| vectors.is_empty() || !is_one(*id))
        .map(|id| sheet.of(id).clone())
        .into_iter()
        .collect();
    factors.extend(vectors.iter().map(|id| total('∏', &sheet, *id)));
    let product = factors.into_iter().reduce(|product, next| product.times(Product::Scalar, &next));
    let product = product.unwrap_or_else(|| Written::number(1.0));
    let product = if odd { product.negative() } else { product };
    let mut lines = formulas(&sheet);
    let entries =
        Written::of(&Term::Total { sign: '∏', over: "i", body: &subject.called.diagonal_entry() });
    let det = subject.called.det();
    let order = subject.layer.structure.order(subject.d());
    let exchanged = order.is_some_and(|order| order.inputs() != order.outputs());
    lines.push(line(match exchanged || subject.d() == 1 {
        true => det.equals(&product),
        false => det.equals(&entries).equals(&product),
    }));
    if exchanged {
        let (number, effect) = if odd { ("odd", "turns") } else { ("even", "leaves") };
        lines.push(Line::Prose(Prose::words(format!(
            "The product of these entries; putting rows and columns in order takes an {number} number of exchanges, which \
             {effect} the sign."
        ))));
    }
    Section::new("Determinant", lines)
}

/// Writes Σ or ∏ over the elements of a vector.
pub(super) fn total(sign: char, sheet: &Sheet, vector: NodeId) -> Written {
    match sheet.indexed(vector) {
        Some(body) if !body.sums() => Written::of(&Term::Total { sign, over: "i", body }),
        _ => Written::of(&Term::Total { sign, over: "", body: sheet.of(vector) }),
    }
}

pub(super) fn diag(of: &Written) -> Written {
    Written::of(&Term::Call(&Function::named("diag"), vec![of]))
}

/// Returns whether the permutations of rows and columns together are odd.
fn is_odd(order: &Order) -> bool {
    let exchanges = |places: &[usize]| {
        let mut seen = vec![false; places.len()];
        let mut odd = false;
        for start in 0..places.len() {
            let (mut at, mut length) = (start, 0);
            while !std::mem::replace(&mut seen[at], true) {
                at = places[at];
                length += 1;
            }
            odd ^= length > 0 && length % 2 == 0;
        }
        odd
    };
    exchanges(order.inputs()) ^ exchanges(order.outputs())
}
