//! The inverse, and the density with all formulas inserted.

use super::definition::in_parts;
use super::element::Elements;
use super::jacobian::WRITTEN_OUT;
use super::prose::Prose;
use super::subject::{Subject, formulas, half, line};
use super::{Line, Section};
use crate::audit::{Evidence, audit_one_to_one};
use crate::bijection::{Bijection, BijectionError, derived_inverse, inverse_with_log_det};
use crate::sweep::bound::{Bound, Bounds};
use crate::sweep::lipschitz::steps;
use crate::sweep::simplify::simplify;
use crate::sweep::{Names, Sheet, Wanted, tangent};
use crate::tape::{Binary, Equation, NodeId, Op, Shape, Subgraph, Tape, Unary, Var};
use crate::typeset::{Term, Written};

/// Maximum number of characters of ln|det J| that is inserted into the density.
const PUT_IN: usize = 84;

/// Beyond this number of variables that are solved one after another, only the first two are shown.
const STAGES: usize = 8;

/// Up to this number of variables, an order is written out.
const SPELLED_OUT: usize = 12;

/// Whether each x has exactly one z, as a density requires.
#[derive(Clone)]
pub(super) enum InverseStatus {
    /// An inverse is derived, or the layer gives one and nothing refutes it.
    Inverted,
    /// No inverse is known, but the map is proven one-to-one; holds the reason.
    OneToOne(String),
    /// Neither is known; holds why no inverse could be derived.
    Open(String),
    /// Refuted: two z have the same x; holds the two points.
    Refuted(String),
}

impl InverseStatus {
    /// Determines what is known of a single layer.
    pub(super) fn of(bijection: &dyn Bijection) -> InverseStatus {
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(bijection.dim()));
        let reason = match derived_inverse(bijection, x) {
            Ok(z) if systems(&tape, z).is_empty() => return InverseStatus::Inverted,
            // There may be several solutions.
            Ok(_) => {
                return match refuted(bijection) {
                    Some(witness) => InverseStatus::Refuted(witness),
                    None => InverseStatus::Inverted,
                };
            }
            Err(BijectionError::NoInverse { reason, .. }) => reason,
            Err(error) => error.to_string(),
        };
        let claim = audit_one_to_one(bijection).ok().flatten();
        match claim.map(|claim| claim.evidence) {
            Some(Evidence::Refuted { witness }) => InverseStatus::Refuted(witness),
            _ if bijection.inverse(x).is_some() => InverseStatus::Inverted,
            Some(Evidence::Proven { reason }) => InverseStatus::OneToOne(reason),
            _ => InverseStatus::Open(reason),
        }
    }

    /// Returns whether a density may be written.
    pub(super) fn has_density(&self) -> bool {
        matches!(self, InverseStatus::Inverted | InverseStatus::OneToOne(_))
    }

    /// Returns the sentence that replaces the inverse; `None` where there is an inverse.
    pub(super) fn told(&self, name: &str) -> Option<String> {
        match self {
            InverseStatus::Inverted => None,
            InverseStatus::OneToOne(reason) => {
                Some(format!("{name} is one-to-one: {reason}. No formula for f⁻¹ is derived."))
            }
            InverseStatus::Open(reason) => Some(format!(
                "{name}: no inverse can be derived, since {reason}. It is not proven one-to-one either. If \
                 it is, write an `inverse` beside `forward` (`audit` checks that the two agree)."
            )),
            InverseStatus::Refuted(witness) => {
                Some(format!("{name} has no inverse, since it is not one-to-one: {}", sentence(witness)))
            }
        }
    }

    /// Returns the sentence that replaces the density.
    pub(super) fn without_density(&self) -> Line {
        let said = match self {
            InverseStatus::Refuted(_) => {
                "No density: several z have the same image x, and ln p_Z(z) - ln|det J| counts only one of \
                 them."
            }
            _ => {
                "No density: ln p_Z(z) - ln|det J| is the density at x = f(z) only if no other z has this \
                 image, and that is neither proven nor given."
            }
        };
        Line::Prose(Prose::words(said))
    }
}

/// Adds a full stop.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

/// Writes z = f⁻¹(x), derived from `forward` or given by the layer; also returns what is known of it.
pub(super) fn section(
    bijection: &dyn Bijection,
    subject: &mut Subject<'_>,
    heading: &str,
) -> (Section, InverseStatus) {
    let standing = InverseStatus::of(bijection);
    let x = subject.tape.input(Shape::Vector(subject.d()));
    call_image(subject, x);
    let (said, z) = match (standing.told(&bijection.name()), derived_inverse(bijection, x)) {
        (Some(told), _) => (told, None),
        (None, Ok(z)) if contraction(subject.tape, z.id()).is_some() => {
            let said = "Derived: f is z and something that brings points nearer to one another, and is solved for that z:";
            (said.to_string(), Some(z))
        }
        (None, Ok(z)) if !systems(subject.tape, z).is_empty() => {
            let unknowns = systems(subject.tape, z).into_iter().map(|id| subject.tape.shape(id).len()).max();
            let said = format!(
                "Derived: all variables meet in {} numbers, and are known once these are. They satisfy as many equations, which \
                 Newton's method solves together; that there is one solution is not proven by this:",
                unknowns.unwrap_or(0)
            );
            (said, Some(z))
        }
        (None, Ok(z)) if has_root(subject.tape, z) => {
            let said = "Derived: operations are inverted as far as possible, and the remaining equation is \
                        solved between brackets:";
            (said.to_string(), Some(z))
        }
        (None, Ok(z)) => ("Derived, by inverting one operation after the other:".to_string(), Some(z)),
        (None, Err(_)) => ("Given by the layer (an audit checks it):".to_string(), bijection.inverse(x)),
    };
    let mut lines = vec![Line::Prose(Prose::words(said))];
    if let Some(z) = z {
        lines.extend(solved(subject, z));
        lines.extend(guaranteed(subject.tape, z));
    }
    (Section::new(heading, lines), standing)
}

/// Returns the constant of an inverse that is the fixed point of a contraction.
fn contraction(tape: &Tape, z: NodeId) -> Option<f64> {
    tape.with_node(z, |node| match &node.op {
        Op::Equation(Equation::Contraction(equation)) => Some(equation.constant()),
        _ => None,
    })
}

/// Returns whether an inverse is an equation in one unknown, or contains one.
fn has_root(tape: &Tape, z: Var<'_>) -> bool {
    !roots(tape, z).is_empty()
        || tape.with_node(z.id(), |node| matches!(node.op, Op::Equation(Equation::Root(_))))
}

/// Returns the systems of equations within an inverse.
fn systems(tape: &Tape, z: Var<'_>) -> Vec<NodeId> {
    let is_system =
        |id: &NodeId| tape.with_node(*id, |node| matches!(node.op, Op::Equation(Equation::System(_))));
    Subgraph::new(tape, &[], &[z.id()]).nodes().iter().copied().filter(is_system).collect()
}

/// Returns two points with one image, if an audit finds some.
fn refuted(bijection: &dyn Bijection) -> Option<String> {
    let claim = audit_one_to_one(bijection).ok().flatten()?;
    match claim.evidence {
        Evidence::Refuted { witness } => Some(witness),
        _ => None,
    }
}

/// Returns the equations in one unknown within an inverse, except one that is the whole inverse: that is
/// written as an equation of its own.
fn roots(tape: &Tape, z: Var<'_>) -> Vec<NodeId> {
    let is_root =
        |id: &NodeId| tape.with_node(*id, |node| matches!(node.op, Op::Equation(Equation::Root(_))));
    let subgraph = Subgraph::new(tape, &[], &[z.id()]);
    subgraph.nodes().iter().copied().filter(|id| *id != z.id()).filter(is_root).collect()
}

/// Writes why the equations within an inverse have one solution: the slope of the function whose zero is
/// sought.
pub(super) fn guaranteed(tape: &Tape, z: Var<'_>) -> Option<Line> {
    let slopes: Vec<Option<String>> = roots(tape, z).into_iter().map(|root| slope(tape, root)).collect();
    if slopes.is_empty() {
        return None;
    }
    let said = |text: &str| {
        let found = Prose::words(" Newton's method between brackets. ");
        Prose::typed("$solve(…)$ denotes the $ζ$ that satisfies the equation in it, found by")
            .then(found)
            .then(Prose::words(text))
    };
    let Some(slopes) = slopes.into_iter().collect::<Option<Vec<String>>>() else {
        return Some(Line::Prose(said(
            "That its left side increases the layer says: bounds do not show it.",
        )));
    };
    let (first, rest) = slopes.split_first()?;
    let rest: Vec<&String> = rest.iter().filter(|slope| *slope != first).collect();
    let all = rest.iter().fold(first.clone(), |all, slope| format!("{all}, {slope}"));
    Some(Line::Prose(said(&format!(
        "There is exactly one, since its left side increases with the slope {all} (bounds)."
    ))))
}

/// Returns the range of the slope of the function whose zero is sought, `in [0.1, 1.9]`, if bounds show that it is
/// positive.
fn slope(tape: &Tape, root: NodeId) -> Option<String> {
    let node = tape.node(root);
    let Op::Equation(Equation::Root(equation)) = &node.op else { return None };
    let outer = Bounds::new(tape, &[]);
    let captured = node.operands.iter().map(|operand| outer.of(*operand));
    let (inner, inputs, output) = equation.function.tape();
    let ends = equation.ends.values();
    let given: Vec<(NodeId, Bound)> =
        inputs.iter().copied().zip([Bound::between(ends[0], ends[1])].into_iter().chain(captured)).collect();
    let one = inner.constant(1.0).broadcast(inner.shape(inputs[0]));
    let slope = tangent(&inner, &Subgraph::new(&inner, &[inputs[0]], &[output]), &[(inputs[0], one)])[0]?;
    let simple = simplify(&inner, slope.id(), 0, &given).value.id();
    let mut bound = Bounds::new(&inner, &given).of(simple);
    if !bound.is_positive() {
        let each = node.operands.iter().map(|operand| outer.each_element(*operand));
        let unknown = Bound::between(ends[0], ends[1]).into();
        let regions = inputs.iter().copied().zip([unknown].into_iter().chain(each));
        bound = Bounds::within(&inner, regions).by_elements(slope.id());
    }
    if !bound.is_positive() {
        return None;
    }
    let (low, high) = (plain(bound.low.at), plain(bound.high.at));
    Some(match (bound.low.at > 0.0 && low != "0", bound.high.at.is_finite()) {
        (true, true) => format!("in [{low}, {high}]"),
        (true, false) => format!("of {low} at least"),
        _ => "above 0".to_string(),
    })
}

/// Writes six digits, without trailing zeros.
fn plain(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// Names x, and its identity and transformed part.
pub(super) fn call_image(subject: &mut Subject<'_>, x: Var<'_>) {
    let output = subject.called.output.clone();
    subject.name(x.id(), output.clone());
    if let Some(parts) = subject.coupling.clone() {
        for (letter, places) in [('a', &parts.identity), ('b', &parts.transformed)] {
            let places: Vec<usize> = places.iter().map(|place| *place as usize).collect();
            subject.name(x.gather(&places).id(), half(&output, letter));
        }
    }
}

/// Writes the equations for z, by identity and transformed part or by variables where the inverse has that
/// form.
pub(super) fn solved(subject: &mut Subject<'_>, z: Var<'_>) -> Vec<Line> {
    let input = subject.called.input.clone();
    if let Some(coupling) = subject.coupling.clone()
        && let Some(parts) = super::coupling::parts(subject.tape, z.id())
        && let Some((moved, _)) = parts.iter().find(|(_, places)| *places == coupling.transformed)
    {
        let first = half(&input, 'a').equals(&half(&subject.called.output, 'a'));
        let mut lines = vec![line(first)];
        lines.extend(
            equation(subject, &half(&input, 'b'), *moved)
                .unwrap_or_else(|| subject.lines(vec![Wanted::named(half(&input, 'b'), *moved)])),
        );
        return lines;
    }
    if let Some(lines) = equation(subject, &input, z.id()) {
        return lines;
    }
    let wanted = in_parts(subject, &input, z.id());
    if wanted.len() > 1 && subject.d() <= WRITTEN_OUT && subject.by_entries {
        return by_entries(subject, z.id());
    }
    let stages = wanted.len();
    let shown = if stages > STAGES { 2 } else { stages };
    let mut lines = subject.lines(wanted.into_iter().take(shown).collect());
    if stages > STAGES {
        let said = format!("and so on, each variable from those before it, {stages} in all.");
        lines.push(Line::Prose(Prose::words(said)));
    }
    lines
}

/// Writes one variable after another: those already solved are known in the next equations.
fn by_entries(subject: &mut Subject<'_>, z: NodeId) -> Vec<Line> {
    let input = subject.called.input.clone();
    let mut elements = Elements::scalars(subject.tape);
    let each = (0..subject.d()).map(|k| Wanted::quoted(input.element(k), elements.of(z, &[k]).id()));
    let each = each.collect();
    subject.lines(each)
}

/// Writes an inverse that is an equation, with a name for the unknown.
fn equation(subject: &mut Subject<'_>, name: &Written, node: NodeId) -> Option<Vec<Line>> {
    let tape = subject.tape;
    let recorded = tape.node(node);
    let (function, order) = match &recorded.op {
        Op::Equation(Equation::Substitution(equation)) => {
            (equation.function.clone(), Some(equation.order.clone()))
        }
        Op::Equation(Equation::Root(equation)) => (equation.function.clone(), None),
        Op::Equation(Equation::Contraction(equation)) => (equation.function.clone(), None),
        _ => return None,
    };
    let unknown = tape.input(recorded.shape).id();
    subject.name(unknown, name.clone());
    let arguments: Vec<NodeId> = [unknown].into_iter().chain(recorded.operands).collect();
    let value = function.apply(tape, &arguments).id();
    if let Some(constant) = contraction(tape, node) {
        let mut lines = subject.lines(vec![Wanted::named(name.clone(), value)]);
        let constant_shown = plain(constant);
        lines.push(Line::Prose(
            Prose::words(format!(
                "Solved by iteration: the right-hand side is Lipschitz in ‖·‖₂ with the constant {constant_shown} (bounds), \
                 so that it has one fixed point (Banach), from which k steps are away by less than \
                 {constant_shown}ᵏ/(1 - {constant_shown}) times the first: {} steps for 10⁻¹². Anderson acceleration needs fewer, and is \
                 kept where it is as good as a step.",
                steps(constant, 1e-12)
            )),
        ));
        return Some(lines);
    }
    let Some(order) = order else {
        let rises = slope(tape, node).map_or_else(
            || " (the layer says so: bounds do not show it)".to_string(),
            |slope| format!(", with the slope {slope} (bounds)"),
        );
        let sheet = subject.write(vec![Wanted::alone(value)]);
        let mut lines = formulas(&sheet);
        lines.push(line(sheet.of(value).equals(&Written::number(0.0))));
        lines.push(Line::Prose(
            Prose::words(format!(
                "Each element grows strictly with its own variable{rises}, and depends on no other: the "
            ))
            .formula(name.clone())
            .then(Prose::words(" at which it is 0 is found by Newton's method between brackets.")),
        ));
        return Some(lines);
    };
    let mut lines = match subject.by_entries && order.len() == subject.d() {
        true => by_entries(subject, value),
        false => subject.lines(vec![Wanted::named(name.clone(), value)]),
    };
    let natural = order.iter().enumerate().all(|(k, place)| k == *place as usize);
    let mut said = Prose::words("Solved one variable after the other");
    if !natural && order.len() <= SPELLED_OUT {
        let mut variables: Vec<u32> = (0..order.len() as u32).collect();
        variables.sort_by_key(|variable| order[*variable as usize]);
        let each: Vec<Written> = variables.iter().map(|variable| name.element(*variable as usize)).collect();
        said = said
            .then(Prose::words(", in the order "))
            .formula(Written::of(&Term::List(each.iter().collect())));
    }
    lines.push(Line::Prose(said.then(Prose::words(
        ": the right-hand side of each needs those before it and no others, so that all of them take one pass.",
    ))));
    Some(lines)
}

/// Writes ln p_X(x) = ln p_Z(z) - ln|det J|, with the log-determinant inserted, and also as a function of x
/// alone.
pub(super) fn density(
    bijection: &dyn Bijection,
    subject: &mut Subject<'_>,
    standing: &InverseStatus,
) -> Section {
    if !standing.has_density() {
        return Section::new("Density", vec![standing.without_density()]);
    }
    let mut lines = vec![line(general().equals(&put_in(subject, false)))];
    lines.push(Line::Prose(Prose::typed(match standing {
        InverseStatus::OneToOne(_) => "where $z$ is the one point with $f(z) = x$.",
        _ => "with $z = f⁻¹(x)$ as above.",
    })));
    let whole = Subgraph::new(subject.tape, &[], &[subject.log_det]);
    if whole.nodes().contains(&subject.layer.input)
        && let Some(line) = of_x(bijection, subject)
    {
        lines.push(Line::Prose(Prose::typed("As a function of $x$ alone:")));
        lines.push(line);
    }
    Section::new("Density", lines)
}

/// Writes the density of an `Inverse`, defined as z = g(x): nothing has to be solved.
pub(super) fn density_of_turned(subject: &mut Subject<'_>) -> Section {
    let with = Prose::typed("with $z = g(x)$ as defined, in one pass.");
    Section::new("Density", vec![line(general().equals(&put_in(subject, true))), Line::Prose(with)])
}

pub(super) fn general() -> Written {
    Written::typed("ln p_X(x)")
}

pub(super) fn base() -> Written {
    Written::typed("ln p_Z(z)")
}

/// Writes ln p_Z(z) minus (or plus) the log-determinant; the latter by its name where it is long.
fn put_in(subject: &mut Subject<'_>, added: bool) -> Written {
    let log_det = subject.log_det;
    let name = subject.called.log_det();
    if subject.is_zero(log_det) {
        return base();
    }
    let terms = terms(subject.tape, log_det);
    match subject.write_if_short(terms.iter().map(|(_, id)| Wanted::alone(*id)).collect(), PUT_IN) {
        Some(sheet) => with_terms(base(), &sheet, &terms, added),
        None if added => base().plus(&name),
        None => base().minus(&name),
    }
}

/// Returns the terms of a sum with their signs, so that a subtracted sum needs no brackets.
pub(super) fn terms(tape: &Tape, sum: NodeId) -> Vec<(bool, NodeId)> {
    let mut terms = Vec::new();
    let mut open = vec![(true, sum)];
    while let Some((positive, id)) = open.pop() {
        let node = tape.node(id);
        match node.op {
            Op::Binary(Binary::Add) => {
                open.extend([(positive, node.operands[1]), (positive, node.operands[0])])
            }
            Op::Binary(Binary::Sub) => {
                open.extend([(!positive, node.operands[1]), (positive, node.operands[0])])
            }
            Op::Unary(Unary::Neg) => open.push((!positive, node.operands[0])),
            // The sum of one number is that number.
            Op::Sum if tape.shape(node.operands[0]).len() == 1 => open.push((positive, node.operands[0])),
            _ => terms.push((positive, id)),
        }
    }
    terms
}

/// Adds the terms to the base density, or subtracts them.
fn with_terms(base: Written, sheet: &Sheet, terms: &[(bool, NodeId)], added: bool) -> Written {
    terms.iter().fold(base, |sum, (positive, id)| match *positive == added {
        true => sum.plus(sheet.of(*id)),
        false => sum.minus(sheet.of(*id)),
    })
}

/// Writes the density with z = f⁻¹(x) inserted into the log-determinant, if the result is short; on a
/// separate tape, where no node has a name.
fn of_x(bijection: &dyn Bijection, subject: &Subject<'_>) -> Option<Line> {
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(subject.d()));
    let terms = terms(&tape, inverse_with_log_det(bijection, x).ok()?.log_det.id());
    let mut names = Names::new().with_written(x.id(), subject.called.output.clone());
    if let Some(parts) = &subject.coupling {
        let identity: Vec<usize> = parts.identity.iter().map(|place| *place as usize).collect();
        names = names.with_written(x.gather(&identity).id(), half(&subject.called.output, 'a'));
    }
    let sheet = Sheet::new(&tape, terms.iter().map(|(_, id)| Wanted::alone(*id)).collect(), &names);
    let base = Written::typed("ln p_Z(f⁻¹(x))");
    let short = sheet.lines().is_empty() && sheet.width() <= PUT_IN;
    short.then(|| line(general().equals(&with_terms(base, &sheet, &terms, false))))
}
