//! The questions that judges ask of an answer, each answered with evidence.

use super::source::quoted;
use super::verdict::NotYet;
use crate::audit::{Evidence, Topic, audit};
use crate::bijection::{Bijection, BijectionError, Domain, Recording, push_forward, record, record_forward};
use crate::jacobian::{Structure, StructureError, Unproven, discover, map};
use crate::lesson::values;
use crate::sweep::bound::Bound;
use crate::sweep::reach::{Reach, Relation};
use crate::sweep::simplify::simplify;
use crate::sweep::{Names, render};
use crate::tape::{Cut, NodeId, Op, RecordErrors, Shape, Tape, Var};

/// How many points formulas are compared at.
const POINTS: usize = 64;
/// Up to which relative difference two numbers count as one.
const TOLERANCE: f64 = 1e-9;

/// Points of ℝᵈ or of a part of it that are nowhere special, row after row: a Kronecker sequence.
pub fn points(domain: &Domain, d: usize) -> Vec<f64> {
    let domains: Vec<Domain> = (0..d).map(|i| domain.of(i)).collect();
    (0..POINTS * d)
        .map(|k| {
            let (row, column) = ((k / d + 1) as f64, (k % d) as f64);
            let unit =
                (row * (0.618_033_988_749_895 + 0.154_508_497_187_474 * column) + 0.37 * column).fract();
            match (&domains[k % d], domains[k % d].ends()) {
                (Domain::Circle, _) | (_, (f64::NEG_INFINITY, f64::INFINITY)) => 5.0 * unit - 2.5,
                (_, (lower, f64::INFINITY)) => lower + (4.0 * unit - 2.0).exp(),
                (_, (f64::NEG_INFINITY, upper)) => upper - (4.0 * unit - 2.0).exp(),
                (_, (lower, upper)) => lower + (upper - lower) * (0.01 + 0.98 * unit),
            }
        })
        .collect()
}

/// A node as a formula, with the input under the name `name`; definitions that it needs stand below it.
pub fn formula(tape: &Tape, node: Var<'_>, input: Var<'_>, name: &str) -> String {
    render(tape, node.id(), &Names::new().with(input.id(), name))
}

/// The answer on a tape, with its declared structure proven.
///
/// # Errors
/// Mistakes of the recording with their source lines, another dimension than `d`, a declaration that cannot be
/// proven, with the path and a point that refutes it, and a determinant that is 0 everywhere.
pub fn recorded(answer: &dyn Bijection, d: usize) -> Result<Recording, NotYet> {
    if answer.dim() != d {
        let headline = format!("`dim` says {}, but the map has {d} variables.", answer.dim());
        return Err(NotYet::new(headline));
    }
    record(answer).map_err(|error| refused(answer, error))
}

/// Why an answer could not be recorded, in the learner's terms.
fn refused(answer: &dyn Bijection, error: BijectionError) -> NotYet {
    match error {
        BijectionError::Recording { errors, .. } => mistakes(&errors),
        BijectionError::Structure { error: StructureError::Unproven(unproven), .. } => {
            unproven_declaration(answer, &unproven)
        }
        BijectionError::Structure { error: StructureError::Singular { reason }, .. } => {
            NotYet::new("det J is 0 everywhere, so x has no density.")
                .because(reason)
                .advise("Every input must be found again in some output of its own.")
        }
        other => NotYet::new("the layer cannot be recorded.").because(other.to_string()),
    }
}

/// Refuses a tape on which mistakes were noted, each told with its source line.
///
/// # Errors
/// All of them.
pub fn without_mistakes(tape: &Tape) -> Result<(), NotYet> {
    tape.check().map_err(|errors| mistakes(&errors))
}

fn mistakes(errors: &RecordErrors) -> NotYet {
    let count = errors.0.len();
    let told = if count == 1 { "a mistake".to_string() } else { format!("{count} mistakes") };
    errors.0.iter().fold(NotYet::new(format!("the formulas have {told}.")), |told, error| {
        told.because(format!("{}: {}", error.operation, error.message))
            .because(quoted(error.place.file(), error.place.line()))
    })
}

/// The path with the learner's lines, a point if there is one, and what could be declared.
fn unproven_declaration(answer: &dyn Bijection, unproven: &Unproven) -> NotYet {
    let (i, j) = (unproven.output, unproven.input);
    let mut told = NotYet::new(format!("it is declared {}, and that cannot be proven.", unproven.structure))
        .because(format!("x[{i}] depends on z[{j}]:   {}", unproven.chain()));
    let mut lines: Vec<String> = Vec::new();
    for step in &unproven.path {
        let line = quoted(step.place.file(), step.place.line());
        if !lines.contains(&line) && lines.len() < 4 {
            lines.push(line);
        }
    }
    told = lines.into_iter().fold(told, NotYet::because);
    if let Ok(report) = audit(answer)
        && let Some(claim) = report.claim(Topic::Structure)
    {
        let last = claim.evidence.detail().lines().last().map(str::to_string).unwrap_or_default();
        told = match claim.evidence {
            Evidence::Refuted { .. } => told.because(format!("{last} So it is refuted, not only unproven.")),
            _ => told.because(last),
        };
    }
    match found(answer) {
        Some(structure) => told.advise(format!(
            "As written the layer is {structure}; or drop what leads from z[{j}] to x[{i}]."
        )),
        None => told.advise(format!("Drop what leads from z[{j}] to x[{i}].")),
    }
}

/// The structure that a map has as it is written, if it is better than dense.
fn found(answer: &dyn Bijection) -> Option<Structure> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(answer.dim()));
    let x = record_forward(answer, z).ok()?;
    let found = discover(&tape, &map(&tape, z.id(), x.id())).ok()?.structure;
    (found != Structure::Dense).then_some(found)
}

/// Whether two formulas are one.
#[derive(Clone, Debug, PartialEq)]
pub enum Sameness {
    /// They are: by simplification, or as far as the points tell.
    Same(Evidence),
    /// They are not: a point, and what each is there.
    Apart {
        /// The input.
        at: Vec<f64>,
        /// What the answer is there.
        given: Vec<f64>,
        /// What was asked for.
        asked: Vec<f64>,
    },
}

/// Compares two formulas in `input` over a domain: by simplifying their difference, and else at points.
pub fn compared(tape: &Tape, input: Var<'_>, given: Var<'_>, asked: Var<'_>, domain: Domain) -> Sameness {
    if given.shape() == asked.shape() {
        let within = [(input.id(), Bound::from(&domain))];
        let difference = simplify(tape, (given - asked).id(), 0, &within).value;
        let simple = [given, asked].map(|node| simplify(tape, node.id(), 0, &within).value.id());
        let zero = tape.look(
            difference.id(),
            |node| matches!(&node.op, Op::Constant(data) if data.values().iter().all(|value| *value == 0.0)),
        );
        if zero || simple[0] == simple[1] {
            let reason = "simplified, the two are one formula".to_string();
            return Sameness::Same(Evidence::Proven { reason });
        }
    }
    let rows = points(&domain, input.len());
    let numbers = values(tape, input, &[given, asked], &rows);
    let width = [given.len(), asked.len()];
    let mut worst = 0.0f64;
    for (row, at) in rows.chunks(input.len()).enumerate() {
        let [mine, other] = [0, 1].map(|k| numbers[k][row * width[k]..(row + 1) * width[k]].to_vec());
        let off = mine.iter().zip(&other).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
        let off = off.fold(0.0, |worst: f64, off| if off.is_nan() { f64::INFINITY } else { worst.max(off) });
        if width[0] != width[1] || off > TOLERANCE {
            return Sameness::Apart { at: at.to_vec(), given: mine, asked: other };
        }
        worst = worst.max(off);
    }
    Sameness::Same(Evidence::Checked { points: POINTS, worst, tolerance: TOLERANCE, seed: None })
}

/// Whether two maps are one.
///
/// # Errors
/// What keeps the answer from being recorded.
pub fn same_map(answer: &dyn Bijection, asked: &dyn Bijection) -> Result<Sameness, NotYet> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(asked.dim()));
    let given = record_forward(answer, z).map_err(|error| refused(answer, error))?;
    let asked = record_forward(asked, z).map_err(|error| NotYet::new(error.to_string()))?;
    Ok(compared(&tape, z, given, asked, answer.domain()))
}

/// The derived ln|det J| of a bijection at a node.
///
/// # Errors
/// What keeps the answer from being recorded.
pub fn derived_log_det<'t>(answer: &dyn Bijection, z: Var<'t>) -> Result<Var<'t>, NotYet> {
    push_forward(answer, z).map(|pushed| pushed.log_det).map_err(|error| refused(answer, error))
}

/// The terms of two sums that only one of them has: of the answer, and of what was asked for.
pub fn terms_apart(
    tape: &Tape,
    input: Var<'_>,
    name: &str,
    [given, asked]: [Var<'_>; 2],
    domain: Domain,
) -> [Vec<String>; 2] {
    let terms = |node: Var<'_>| -> Vec<String> {
        let simple = simplify(tape, node.id(), 0, &[(input.id(), Bound::from(&domain))]).value;
        summands(tape, simple.id()).into_iter().map(|term| formula(tape, term, input, name)).collect()
    };
    let (mut mine, mut others) = (terms(given), terms(asked));
    mine.retain(|term| match others.iter().position(|other| other == term) {
        Some(at) => {
            others.remove(at);
            false
        }
        None => true,
    });
    [mine, others]
}

/// The terms of a sum, with their signs.
fn summands(tape: &Tape, node: NodeId) -> Vec<Var<'_>> {
    let (mut open, mut terms) = (vec![(node, false)], Vec::new());
    while let Some((id, negative)) = open.pop() {
        let node = tape.node(id);
        match node.op {
            Op::Add => open.extend(node.operands.iter().rev().map(|operand| (*operand, negative))),
            Op::Sub => open.extend([(node.operands[1], !negative), (node.operands[0], negative)]),
            Op::Neg => open.push((node.operands[0], !negative)),
            _ if negative => terms.push(-tape.var(id)),
            _ => terms.push(tape.var(id)),
        }
    }
    terms
}

/// For each output the inputs that it depends on, for all inputs and parameters.
pub fn depends(answer: &dyn Bijection) -> Vec<Vec<u32>> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(answer.dim()));
    let Ok(x) = chained(answer, z) else { return vec![Vec::new(); answer.dim()] };
    let cut = Cut::new(&tape, &[z.id()], &[x.id()]);
    Reach::new(&tape, &cut, Relation::Value).pattern()
}

/// x = f(z) of a layer or of a composition.
///
/// # Errors
/// What keeps the answer from being recorded.
pub fn chained<'t>(answer: &dyn Bijection, z: Var<'t>) -> Result<Var<'t>, NotYet> {
    let layers = answer.layers();
    if layers.is_empty() {
        return record_forward(answer, z).map_err(|error| refused(answer, error));
    }
    layers
        .iter()
        .enumerate()
        .try_fold(z, |z, (k, layer)| z.tape().scope(&format!("layers.{k}"), || chained(layer.as_ref(), z)))
}
