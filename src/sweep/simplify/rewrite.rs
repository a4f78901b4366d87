//! Laws applied: a left side found on the tape, and the right side recorded in normal form.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::exact::exact_product;
use super::law::{Condition, Context, Law};
use super::pattern::{Found, Head, Pattern};
use super::terms::Terms;
use super::{Rule, Simplifier, Step};
use crate::tape::{Binary, NodeId, Op, Shape, Tape, Unary, Var};

/// The laws of ln|·| with what stands between the bars. Of two forms that an expression has, the larger is meant.
static OF_LOGS: LazyLock<Vec<(Rule, &'static Law, &'static Pattern)>> = LazyLock::new(|| {
    let mut laws: Vec<_> =
        laws().filter_map(|(rule, law)| Some((rule, law, law.left.in_log_abs()?))).collect();
    laws.sort_by_key(|(_, _, inside)| std::cmp::Reverse(inside.size()));
    laws
});

/// The laws of 1 + x and of 1 - x with x, and whether it is added: p + p·x is p times the right side.
static BESIDE_ONE: LazyLock<Vec<(Rule, &'static Law, bool, &'static Pattern)>> = LazyLock::new(|| {
    let beside = |(rule, law): (Rule, &'static Law)| law.beside_one().map(|(added, x)| (rule, law, added, x));
    laws().filter_map(beside).collect()
});

/// The others in the order of the list, by the name of the outermost operation of their left side.
static OTHERS: LazyLock<FxHashMap<&'static str, Vec<(Rule, &'static Law)>>> = LazyLock::new(|| {
    let mut others: FxHashMap<&'static str, Vec<(Rule, &'static Law)>> = FxHashMap::default();
    for (rule, law) in laws() {
        if law.left.in_log_abs().is_none() && law.beside_one().is_none() {
            others.entry(law.left.operation()).or_default().push((rule, law));
        }
    }
    others
});

fn laws() -> impl Iterator<Item = (Rule, &'static Law)> {
    Rule::all().flat_map(|rule| rule.laws().iter().map(move |law| (rule, law)))
}

impl<'t> Simplifier<'t> {
    /// The right side of a law other than those of ln|·|, whose left side is this operation.
    pub(super) fn rewritten(&mut self, op: &Op, operands: &[NodeId], shape: Shape) -> Option<Var<'t>> {
        let found = self.found(op, operands)?;
        // A function that meets its inverse is nothing to tell.
        if found.law.told().is_some() && found.rule != Rule::InversePair {
            self.applied(found.rule, operands[0]);
        } else {
            self.step(found.rule);
        }
        Some(self.recorded(&found.law.right, &found.found, 0).broadcast(shape))
    }

    /// A law other than those of ln|·|, whose left side is this operation.
    pub(super) fn found(&self, op: &Op, operands: &[NodeId]) -> Option<Match> {
        OTHERS.get(op.name())?.iter().find_map(|(rule, law)| {
            let mut found = Found::default();
            let matches = law.left.matches_operation(self.tape, op, operands, &mut found);
            let found = Match { rule: *rule, law, found };
            (matches && self.admits(&found)).then_some(found)
        })
    }

    /// A law whose left side is ln|a|, times c. Those that hold for any a are asked for by `atom`.
    pub(super) fn found_log(&self, a: NodeId, c: f64, atom: bool) -> Option<Match> {
        OF_LOGS.iter().find_map(|(rule, law, inside)| {
            let mut found = Found::default();
            if matches!(inside, Pattern::Letter(_)) != atom || !inside.matches(self.tape, a, &mut found) {
                return None;
            }
            let exact = found.exponent.is_none_or(|k| exact_product(c, f64::from(k)).is_some());
            let found = Match { rule: *rule, law, found };
            (exact && self.admits(&found)).then_some(found)
        })
    }

    /// A law of 1 + x, or of 1 - x, where x is a node to a power.
    pub(super) fn found_beside_one(&self, id: NodeId, exponent: i32, added: bool) -> Option<Match> {
        BESIDE_ONE.iter().filter(|(_, _, own, _)| *own == added).find_map(|(rule, law, _, x)| {
            let (base, power) = match x {
                Pattern::Of(Head::Unary(Unary::Powi(power)), [base]) => (base, *power),
                _ => (*x, 1),
            };
            let mut found = Found::default();
            let matches = power == exponent && base.matches(self.tape, id, &mut found);
            let found = Match { rule: *rule, law, found };
            (matches && self.admits(&found)).then_some(found)
        })
    }

    /// Whether the condition of a law is proven.
    fn admits(&self, found: &Match) -> bool {
        let bound = |letter: usize| self.bounds.of(found.letter(letter));
        let proven = match found.law.condition {
            Condition::Always => true,
            Condition::Positive(a) => bound(a).is_positive(),
            Condition::Nonnegative(a) => bound(a).is_nonnegative(),
            Condition::Nonpositive(a) => bound(a).is_nonpositive(),
            Condition::Defined(a) => bound(a).defined,
            Condition::OtherThanZero(a) => self.number(found.letter(a)).is_some_and(|number| number != 0.0),
            Condition::Single(a) => self.tape.shape(found.letter(a)).len() == 1,
            Condition::Square(a) => {
                matches!(self.tape.shape(found.letter(a)), Shape::Matrix(rows, columns) if rows == columns)
            }
            Condition::ExponentNotZero => found.found.exponent() != 0,
        };
        self.holds(found.rule, proven)
    }

    /// Adds c times the right side of a law to the terms of a logarithm; what is ln|x| in it is put onto the stack.
    pub(super) fn add_right_side(
        &mut self,
        found: &Match,
        c: f64,
        depth: usize,
        terms: &mut Terms,
        stack: &mut Vec<(NodeId, f64)>,
    ) {
        if let Pattern::Letter(letter) = found.law.right {
            return self.add_all(found.letter(letter), c, terms);
        }
        let mut waiting = vec![(&found.law.right, c)];
        let mut logs = Vec::new();
        while let Some((pattern, c)) = waiting.pop() {
            if let Some(inside) = pattern.in_log_abs() {
                logs.push((self.recorded(inside, &found.found, depth).id(), c));
                continue;
            }
            // A letter that is a number is one.
            if let Pattern::Of(Head::Binary(Binary::Mul), [Pattern::Letter(k), a]) = pattern
                && let Some(product) = self.number(found.letter(*k)).and_then(|k| exact_product(k, c))
            {
                waiting.push((a, product));
                continue;
            }
            match pattern {
                Pattern::Of(Head::Binary(Binary::Add), [a, b]) => waiting.extend([(b, c), (a, c)]),
                Pattern::Of(Head::Binary(Binary::Sub), [a, b]) => waiting.extend([(b, -c), (a, c)]),
                Pattern::Of(Head::Unary(Unary::Neg), [a]) => waiting.push((a, -c)),
                Pattern::Of(Head::Binary(Binary::Mul), [Pattern::Number(k), a]) => waiting.push((a, k * c)),
                Pattern::Of(Head::Binary(Binary::Mul), [Pattern::Exponent, a]) => {
                    waiting.push((a, f64::from(found.found.exponent()) * c));
                }
                _ => {
                    let term = self.recorded(pattern, &found.found, depth).broadcast(terms.shape);
                    terms.add(term.id(), c);
                }
            }
        }
        // The first is opened first.
        stack.extend(logs.into_iter().rev());
    }

    /// Records the right side of a law, bars and logarithms opened.
    pub(super) fn recorded(&mut self, pattern: &Pattern, found: &Found, depth: usize) -> Var<'t> {
        if let Some(inside) = pattern.in_log_abs() {
            let inside = self.recorded(inside, found, depth).id();
            return self.log_abs(inside, depth);
        }
        match pattern {
            Pattern::Minus([inner]) => {
                let inner = self.recorded(inner, found, depth).id();
                self.negated(inner)
            }
            Pattern::Of(Head::Unary(Unary::Abs), [inner]) => {
                let inner = self.recorded(inner, found, depth).id();
                self.absolute(inner)
            }
            // What was derived is multiplied out, what the user wrote stays.
            Pattern::Of(head @ Head::Unary(_), [Pattern::Minus([inner])]) => {
                let inner = self.recorded(inner, found, depth).id();
                let mut argument = self.negated(inner).id();
                if inner.index() >= self.first {
                    argument = self.plain(argument);
                }
                head.record(&[self.tape.var(argument)])
            }
            Pattern::Of(head, inside) => {
                let mut operands = Vec::with_capacity(inside.len());
                for inner in *inside {
                    operands.push(self.recorded(inner, found, depth));
                }
                head.record(&operands)
            }
            Pattern::Letter(_) | Pattern::Number(_) | Pattern::Power(_) | Pattern::Exponent => {
                pattern.record(self.tape, found)
            }
        }
    }
}

/// A step as one rule makes it.
pub(crate) struct Retold<'t> {
    pub(crate) context: Context,
    /// The right side, where it is told as it stands; what no other rule opens is told in normal form.
    pub(crate) right: Option<Var<'t>>,
}

/// The law that made a step, applied once more and alone; `None` where an algorithm made it.
///
/// Of two laws for one left side the first is told. In the domain of the left side they say the same.
pub(crate) fn retold<'t>(tape: &'t Tape, step: &Step) -> Option<Retold<'t>> {
    step.rule.laws().iter().find_map(|law| {
        let (context, inside) = law.told()?;
        let mut found = Found::default();
        if !inside.matches(tape, step.before, &mut found) {
            return None;
        }
        let literal = context == Context::Log && !law.ends_in_a_sum();
        Some(Retold { context, right: literal.then(|| law.right.record(tape, &found)) })
    })
}

/// A law whose outermost operations are known, with what its letters stand for.
pub(super) struct Match {
    pub(super) rule: Rule,
    pub(super) law: &'static Law,
    pub(super) found: Found,
}

impl Match {
    /// The node of the letter that a condition is about.
    pub(super) fn letter(&self, letter: usize) -> NodeId {
        self.found.letter(letter)
    }
}
