//! The questions that judges ask about an answer, each answered with evidence.

use super::answer::{self, Answer};
use super::probes::Probes;
use super::source::quoted;
use super::space::Space;
use super::verdict::NotYet;
use pushforward::audit::{Evidence, Topic, audit};
use pushforward::bijection::{
    Bijection, BijectionError, Domain, Recording, forward_with_log_det, record, record_forward,
};
use pushforward::jacobian::{Structure, StructureError, Unproven, discover, map};
use pushforward::sweep::reach::{Reach, Relation};
use pushforward::sweep::{Names, render};
use pushforward::tape::{RecordErrors, Shape, Tape, Var};

/// Number of generic points.
const POINTS: usize = 64;

/// Returns generic points of ℝᵈ or a subset of it, row by row: a Kronecker sequence.
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

/// Writes a node as a formula, with the input called `name`; definitions that it needs come below.
pub fn formula(tape: &Tape, node: Var<'_>, input: Var<'_>, name: &str) -> String {
    render(tape, node.id(), &Names::new().with(input.id(), name))
}

/// Records the answer on a tape and proves its declared structure.
///
/// # Errors
/// A declaration that cannot be proven, with the path and a point that refutes it, and a determinant that is
/// 0 everywhere.
pub fn recorded(answer: &dyn Bijection) -> Result<Recording, NotYet> {
    record(answer).map_err(|error| refused(answer, error))
}

/// Explains why an answer could not be recorded, in the learner's terms.
pub(super) fn refused(answer: &dyn Bijection, error: BijectionError) -> NotYet {
    match error {
        BijectionError::Recording { errors, .. } => mistakes(&errors),
        BijectionError::Structure { error: StructureError::Unproven(unproven), .. } => {
            unproven_declaration(answer, &unproven)
        }
        BijectionError::Structure { error: StructureError::Singular { reason }, .. } => {
            NotYet::new("det J is 0 everywhere, so x has no density.")
                .because(reason)
                .advise("Every input needs an output of its own that depends on it.")
        }
        other => NotYet::new("the layer cannot be recorded.").because(other.to_string()),
    }
}

/// Refuses a tape with recording errors, each reported with its source line.
///
/// # Errors
/// All of them.
pub fn without_mistakes(tape: &Tape) -> Result<(), NotYet> {
    tape.check().map_err(|errors| mistakes(&errors))
}

pub(super) fn mistakes(errors: &RecordErrors) -> NotYet {
    let count = errors.0.len();
    let told = if count == 1 { "a mistake".to_string() } else { format!("{count} mistakes") };
    errors.0.iter().fold(NotYet::new(format!("the formulas have {told}.")), |told, error| {
        told.because(format!("{}: {}", error.operation, error.message))
            .because(quoted(error.place.file(), error.place.line()))
    })
}

/// Reports the path with the learner's lines, a point if there is one, and a structure that could be
/// declared.
fn unproven_declaration(answer: &dyn Bijection, unproven: &Unproven) -> NotYet {
    let (i, j) = (unproven.output, unproven.input);
    let mut told = NotYet::new(format!("it is declared {}, and that cannot be proven.", unproven.structure))
        .because(format!("x[{i}] depends on z[{j}]:   {}", unproven.chain()));
    let mut lines: Vec<String> = Vec::new();
    for step in &unproven.path {
        let Some(place) = step.place.location() else { continue };
        let line = quoted(place.file(), place.line());
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
        Some(structure) => told
            .because(format!(
                "As written the layer is {structure}. The declaration that holds:\n    {}",
                structure.code()
            ))
            .advise(format!("Declare that, or drop what leads from z[{j}] to x[{i}].")),
        None => {
            let told = match needing_each_other(answer) {
                Some([a, b]) => told.because(format!(
                    "No order makes it triangular: x[{a}] needs z[{b}], and x[{b}] needs z[{a}]."
                )),
                None => told,
            };
            told.advise(format!("Drop what leads from z[{j}] to x[{i}]."))
        }
    }
}

/// Returns two variables each of which needs the other, so that neither can be solved for first.
fn needing_each_other(answer: &dyn Bijection) -> Option<[usize; 2]> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(answer.dim()));
    let x = record_forward(answer, z).ok()?;
    let pattern = Reach::new(&tape, &map(&tape, z.id(), x.id()), Relation::Value).pattern();
    let needs = |a: usize, b: usize| pattern[a].contains(&(b as u32));
    let pairs = (0..answer.dim()).flat_map(|a| (0..a).map(move |b| [b, a]));
    pairs.into_iter().find(|[a, b]| needs(*a, *b) && needs(*b, *a))
}

/// Returns the structure that a map has, if it is better than dense.
fn found(answer: &dyn Bijection) -> Option<Structure> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(answer.dim()));
    let x = record_forward(answer, z).ok()?;
    let found = discover(&tape, &map(&tape, z.id(), x.id())).ok()?.structure;
    (found != Structure::Dense).then_some(found)
}

/// Records the derived ln|det J| of a bijection at a node.
///
/// # Errors
/// When the answer cannot be recorded.
pub fn derived_log_det<'t>(answer: &dyn Bijection, z: Var<'t>) -> Result<Var<'t>, NotYet> {
    forward_with_log_det(answer, z).map(|pushed| pushed.log_det).map_err(|error| refused(answer, error))
}

/// Checks that an answer is one-to-one: by what an audit proves or refutes, otherwise by whether each output
/// of a triangular map is increasing, or decreasing, in its variable along all probes.
///
/// # Errors
/// Two points with the same image, an output that is not monotone, or no result.
pub fn one_to_one(answer: &Answer) -> Result<(String, Evidence), NotYet> {
    let report = audit(answer).map_err(|error| NotYet::new(error.to_string()))?;
    let claim = report.claim(Topic::Injective).cloned();
    match claim {
        Some(claim) => match claim.evidence {
            Evidence::Proven { .. } => Ok((claim.statement, claim.evidence)),
            Evidence::Refuted { witness } => Err(NotYet::new("it is not one-to-one.").because(witness)),
            _ => monotone(answer).map(|evidence| (claim.statement, evidence)),
        },
        None => monotone(answer).map(|evidence| ("no two points have the same image".to_string(), evidence)),
    }
}

/// Checks that each diagonal entry of a triangular map has one sign along every line of probes, and that no
/// output jumps back.
fn monotone(answer: &Answer) -> Result<Evidence, NotYet> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(answer.dim()));
    let pushed = forward_with_log_det(answer, z).map_err(|error| refused(answer, error))?;
    let order = answer.structure().order(answer.dim());
    let Some(order) = order else {
        return Err(NotYet::new("that it is one-to-one is not proven.")
            .because("Its Jacobian is dense as it is declared, which gives no order to follow."));
    };
    let space = Space::of(z, answer.domain());
    let x = pushed.x;
    let probes = Probes::of(&space, &[x]);
    let mut followed = 0;
    for (input, output) in order.inputs().iter().zip(order.outputs()) {
        for line in probes.along(answer.dim(), *input) {
            let images = space.numbers(&[x.at(*output)], line).swap_remove(0);
            let places: Vec<f64> = line.chunks(answer.dim()).map(|row| row[*input]).collect();
            let seen: Vec<(f64, f64)> =
                places.into_iter().zip(images).filter(|(_, image)| image.is_finite()).collect();
            followed += seen.len();
            let (Some(first), Some(last)) = (seen.first(), seen.last()) else { continue };
            let falls = first.1 > last.1;
            let turn = seen.windows(2).find(|pair| {
                let rise = if falls { pair[0].1 - pair[1].1 } else { pair[1].1 - pair[0].1 };
                rise < -1e-12 * pair[0].1.abs().max(pair[1].1.abs())
            });
            if let Some(pair) = turn {
                return Err(NotYet::new("it is not one-to-one.").because(format!(
                    "x[{output}] is not monotone in z[{input}]: it is {} at z[{input}] = {}, and {} at {}.",
                    shown(pair[0].1),
                    shown(pair[0].0),
                    shown(pair[1].1),
                    shown(pair[1].0)
                )));
            }
        }
    }
    Ok(Evidence::Checked { points: followed, worst: 0.0, tolerance: 0.0, seed: None })
}

/// Checks that an answer is defined and has a non-zero determinant at all probes.
///
/// # Errors
/// A point at which it is not.
pub fn defined(answer: &Answer) -> Result<(), NotYet> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(answer.dim()));
    let pushed = forward_with_log_det(answer, z).map_err(|error| refused(answer, error))?;
    let space = Space::of(z, answer.domain());
    let (x, log_det) = (pushed.x, pushed.log_det);
    let probes = Probes::of(&space, &[x, log_det]);
    let numbers = space.numbers(&[x, log_det], &probes.rows);
    let d = answer.dim();
    let mut singular: Option<Vec<f64>> = None;
    for (row, at) in probes.rows.chunks(d).enumerate() {
        let image = &numbers[0][row * d..(row + 1) * d];
        if image.iter().any(|value| !value.is_finite())
            && let Some(operation) = space.undefined(x, at)
        {
            return Err(NotYet::new("it is not defined for all z.")
                .because(format!("At z = {} x has no value: `{operation}` has none.", place(at)))
                .advise("z may be any number."));
        }
        let value = numbers[1][row];
        if value == f64::NEG_INFINITY && singular.is_none() && space.undefined(log_det, at).is_some() {
            singular = Some(at.to_vec());
        }
    }
    match singular {
        Some(at) => Err(NotYet::new("the determinant can be 0.")
            .because(format!("At z = {} it is 0: f is flat there.", place(&at)))
            .advise("Where f is flat, many z go to one x.")),
        None => Ok(()),
    }
}

/// Writes a number, short enough for a message.
pub fn shown(value: f64) -> String {
    let size = value.abs();
    match value == 0.0 || !value.is_finite() || (1e-3..1e5).contains(&size) {
        true => format!("{value:.4}"),
        false => format!("{value:.3e}"),
    }
}

/// Writes two different numbers with as many digits as it takes to see the difference.
pub fn apart(a: f64, b: f64) -> [String; 2] {
    let [short, other] = [a, b].map(shown);
    match short != other || a == b {
        true => [short, other],
        false => (5..=17)
            .map(|digits| [a, b].map(|value| format!("{value:.digits$}")))
            .find(|[a, b]| a != b)
            .unwrap_or([short, other]),
    }
}

/// Writes a point: a number, or several in brackets.
pub fn place(at: &[f64]) -> String {
    match at {
        [value] => shown(*value),
        _ => format!("({})", at.iter().map(|value| shown(*value)).collect::<Vec<_>>().join(", ")),
    }
}

/// Records a learner's scalar formula repeatedly; it must be the same each time.
///
/// # Errors
/// Recording errors, a result that is not a scalar (`what` names what it should be), recordings that differ,
/// parameters or a context, additional inputs.
pub fn given_formula<'t>(
    tape: &'t Tape,
    inputs: &[Var<'t>],
    what: &str,
    record: impl Fn() -> Var<'t>,
) -> Result<Var<'t>, NotYet> {
    let given = record();
    without_mistakes(tape)?;
    answer::only_of(tape, inputs, given)?;
    if (0..answer::RECORDINGS).any(|_| record().id() != given.id()) {
        return Err(answer::impure("the formula"));
    }
    if given.shape() != Shape::Scalar {
        return Err(NotYet::new(format!("{what} is one number."))
            .because(format!("the shape of yours: {}", given.shape())));
    }
    answer::nothing_learned(&tape.declarations(), tape.declared_context().is_some())?;
    Ok(given)
}
