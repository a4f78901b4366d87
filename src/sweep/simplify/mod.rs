//! The simplify sweep: an equal, smaller program.
//!
//! It is applied to what was derived and never to what the user wrote: nodes recorded before `first` are
//! looked into, but stay as they are. Every step is a [`Rule`] from one list, sound over the reals; side
//! conditions are proven by the [bound sweep](super::bound). Sums and products have a normal form (flattened,
//! ordered, like terms collected, numbers folded only where that is exact), so that
//! Σ ln|∂(z·eˢ + t)/∂z| comes out as Σ s.
//!
//! Nodes are rewritten bottom-up, each once, without recursion. A chain of sums (or of products) is collected
//! at its top, so that 10⁵ terms take one pass; what is shared is opened only while it is small.

#[cfg(test)]
mod conditions;
mod determinant;
mod exact;
mod factors;
mod law;
mod linear;
mod logarithm;
mod movement;
mod normal;
mod order;
mod pattern;
mod quotient;
mod rewrite;
mod rules;
mod sign;
mod stable;
mod terms;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use rustc_hash::FxHashMap;

pub(crate) use law::Context;
pub use law::Law;
pub(crate) use rewrite::retold;
pub use rules::Rule;
pub use sign::sign;

use self::order::Keys;
use super::bound::{Bound, Bounds, Region};
use super::tangent::choice;
use crate::tape::{Binary, Choice, Node, NodeId, Op, Shape, Subgraph, Tape, Unary, Var};

/// How large an expression may be to be opened wherever it is used.
const SHARED: usize = 512;

/// A simplified node, and how it came about.
#[derive(Clone, Debug)]
pub struct Simplified<'t> {
    /// The result.
    pub value: Var<'t>,
    /// The steps that rewrote one expression as another, in the order in which they were made.
    pub steps: Vec<Step>,
    /// Every rule that was used, whether or not its step is told.
    pub rules: Vec<Rule>,
}

/// One step of a derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// The rule.
    pub rule: Rule,
    /// The expression whose ln|·| was opened.
    pub before: NodeId,
}

/// Rewrites `node` as an equal, smaller expression.
///
/// Nodes before `first` were written by the user and stay as they are. `given` says where nodes lie that the
/// program does not compute (an input in its domain).
pub fn simplify<'t>(tape: &'t Tape, node: NodeId, first: usize, given: &[(NodeId, Bound)]) -> Simplified<'t> {
    simplify_trusting(tape, node, first, given, None)
}

/// The same where each element of a node may lie in an interval of its own.
pub(crate) fn simplify_within<'t>(
    tape: &'t Tape,
    node: NodeId,
    first: usize,
    given: impl IntoIterator<Item = (NodeId, Region)>,
) -> Simplified<'t> {
    let mut simplifier = Simplifier::within(tape, first, given);
    let value = simplifier.run(node);
    Simplified { value, steps: simplifier.steps, rules: simplifier.rules }
}

/// The same with the side condition of one rule taken for granted: what its condition is for shows in a test.
fn simplify_trusting<'t>(
    tape: &'t Tape,
    node: NodeId,
    first: usize,
    given: &[(NodeId, Bound)],
    trusted: Option<Rule>,
) -> Simplified<'t> {
    let mut simplifier = Simplifier { trusted, ..Simplifier::new(tape, first, given) };
    let value = simplifier.run(node);
    Simplified { value, steps: simplifier.steps, rules: simplifier.rules }
}

/// A sum as a product, and the rules that made it one.
type Unmixed = (stable::Product, Vec<Rule>);

struct Simplifier<'t> {
    /// A rule whose side condition is not asked for; only in tests.
    trusted: Option<Rule>,
    tape: &'t Tape,
    first: usize,
    bounds: Bounds<'t>,
    /// How large expressions are, as far as it matters.
    sizes: RefCell<FxHashMap<NodeId, usize>>,
    keys: Keys<'t>,
    steps: Vec<Step>,
    rules: Vec<Rule>,
    told: HashSet<Step>,
    logs: HashMap<NodeId, NodeId>,
    /// Sums as products of what does not cancel, by how deeply they were looked into.
    unmixed: HashMap<(NodeId, usize), Option<Unmixed>>,
}

impl<'t> Simplifier<'t> {
    fn new(tape: &'t Tape, first: usize, given: &[(NodeId, Bound)]) -> Simplifier<'t> {
        Simplifier::within(tape, first, given.iter().map(|(id, bound)| (*id, Region::All(*bound))))
    }

    fn within(
        tape: &'t Tape,
        first: usize,
        given: impl IntoIterator<Item = (NodeId, Region)>,
    ) -> Simplifier<'t> {
        let given: Vec<(NodeId, Region)> = given.into_iter().collect();
        let starts = given.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        Simplifier {
            trusted: None,
            tape,
            first,
            bounds: Bounds::within(tape, given),
            sizes: RefCell::default(),
            keys: Keys::new(tape, &starts),
            steps: Vec::new(),
            rules: Vec::new(),
            told: HashSet::new(),
            logs: HashMap::new(),
            unmixed: HashMap::new(),
        }
    }

    fn run(&mut self, root: NodeId) -> Var<'t> {
        if root.index() < self.first {
            return self.tape.var(root);
        }
        // What the user wrote is not looked at here: a layer's log-determinant costs what the layer does.
        let derived = Subgraph::down_to(self.tape, self.first, &[], &[root]).nodes().to_vec();
        let inner = self.inner(&derived, root);
        let mut new: HashMap<NodeId, NodeId> = HashMap::new();
        for id in derived {
            if inner.contains(&id) {
                continue;
            }
            let node = self.tape.node(id);
            let value = self.rebuild(id, &node, &inner, &new);
            new.insert(id, value.id());
        }
        self.tape.var(new[&root])
    }

    /// Sums inside of sums and products inside of products that nobody else uses: they are collected at the
    /// top of their chain.
    fn inner(&self, derived: &[NodeId], root: NodeId) -> HashSet<NodeId> {
        let kind = |op: &Op| match op {
            Op::Binary(Binary::Add | Binary::Sub) | Op::Unary(Unary::Neg) => 1,
            Op::Binary(Binary::Mul | Binary::Div) | Op::Unary(Unary::Recip) => 2,
            _ => 0,
        };
        let mut uses: HashMap<NodeId, (usize, bool)> = HashMap::new();
        for id in derived {
            let node = self.tape.node(*id);
            for operand in &node.operands {
                let same = self.tape.with_node(*operand, |inner| kind(&inner.op)) == kind(&node.op);
                let entry = uses.entry(*operand).or_insert((0, true));
                *entry = (entry.0 + 1, entry.1 && same && kind(&node.op) != 0);
            }
        }
        let alone = |id: &NodeId| uses.get(id).is_some_and(|(count, same)| *count == 1 && *same);
        derived.iter().copied().filter(|id| *id != root && alone(id)).collect()
    }

    fn rebuild(
        &mut self,
        id: NodeId,
        node: &Node,
        inner: &HashSet<NodeId>,
        new: &HashMap<NodeId, NodeId>,
    ) -> Var<'t> {
        let resolve = |id: NodeId| new.get(&id).copied().unwrap_or(id);
        match node.op {
            Op::Binary(Binary::Add | Binary::Sub) | Op::Unary(Unary::Neg) => {
                return self.rebuild_sum(id, node, inner, &resolve);
            }
            Op::Binary(Binary::Mul | Binary::Div) | Op::Unary(Unary::Recip | Unary::Powi(_)) => {
                return self.rebuild_product(id, node, inner, &resolve);
            }
            _ => {}
        }
        let operands: Vec<NodeId> = node.operands.iter().map(|operand| resolve(*operand)).collect();
        let op_of = |id: NodeId| self.tape.with_node(id, |node| (node.op.clone(), node.operands.clone()));
        let again = |simplifier: &Self| {
            simplifier.tape.push(node.op.clone(), operands.iter().copied().collect(), node.shape)
        };
        if let Some(value) = self.rewritten(&node.op, &operands, node.shape) {
            return if node.op == Op::LogAbsDet { self.determinants_in(value) } else { value };
        }
        match &node.op {
            Op::Unary(Unary::Ln) => match op_of(operands[0]) {
                (Op::Unary(Unary::Abs), inside) => self.log_abs(inside[0], 0),
                (Op::Constant(data), _) if data.values().iter().all(|value| *value == 1.0) => {
                    self.step(Rule::LogOne);
                    self.tape.constant(0.0).broadcast(node.shape)
                }
                (Op::Constant(_), _) => again(self),
                // The same domain: of what is never negative, both are undefined at 0.
                _ if self.holds(Rule::AbsPositive, self.bounds.of(operands[0]).is_nonnegative()) => {
                    self.log_abs(operands[0], 0)
                }
                _ => again(self),
            },
            Op::Unary(Unary::Ln1p) => self.stable_log_one_plus(operands[0]).unwrap_or_else(|| again(self)),
            Op::Concat => self.gathers_of_one(&operands, node.shape).unwrap_or_else(|| again(self)),
            Op::Sum => match self.linear_sum(operands[0]) {
                Some(value) => value,
                None => self.sum(operands[0]),
            },
            // Carried through sums and products only where nothing remains to be gathered.
            Op::Gather(indices) => match self.gather_through(operands[0], indices, node.shape, 16) {
                Some(through) if !self.holds_gather(through.id(), 16) => {
                    self.step(Rule::GatherMoved);
                    through
                }
                _ => self.gather(operands[0], indices, node.shape),
            },
            Op::LogAbsDet => self.determinant(operands[0]).unwrap_or_else(|| again(self)),
            _ => again(self),
        }
    }

    fn rebuild_sum(
        &mut self,
        id: NodeId,
        node: &Node,
        inner: &HashSet<NodeId>,
        resolve: &dyn Fn(NodeId) -> NodeId,
    ) -> Var<'t> {
        let open = |other: NodeId| other == id || inner.contains(&other);
        let derived = |other: NodeId| open(other) || (other.index() >= self.first && self.small(other));
        let everything = |other: NodeId| open(other) || self.small(other);
        let shallow = self.terms(id, &derived, resolve, usize::MAX);
        // What the user wrote is opened only where something cancels or is collected.
        let deep = self.terms(id, &everything, resolve, 4096);
        let deep = deep.map(|deep| self.pair_softplus(deep)).filter(|deep| deep.merged());
        // a + a is 2·a, even where a is a sum.
        let deep = deep.filter(|deep| shallow.as_ref().is_none_or(|shallow| deep.count() < shallow.count()));
        match deep.or(shallow) {
            Some(terms) => {
                if terms.merged() {
                    self.step(if terms.list().is_empty() { Rule::SumCancel } else { Rule::SumCollect });
                }
                self.emit_terms(&terms)
            }
            None => {
                let operands = node.operands.iter().map(|operand| resolve(*operand)).collect();
                self.tape.push(node.op.clone(), operands, node.shape)
            }
        }
    }

    fn rebuild_product(
        &mut self,
        id: NodeId,
        node: &Node,
        inner: &HashSet<NodeId>,
        resolve: &dyn Fn(NodeId) -> NodeId,
    ) -> Var<'t> {
        // A number times a sum is multiplied out, and a number times anything is a term.
        if node.op == Op::Binary(Binary::Mul) {
            let numbers = [0, 1].map(|k| self.number(resolve(node.operands[k])));
            if let Some(k) = numbers.iter().position(Option::is_some)
                && !inner.contains(&node.operands[1 - k])
            {
                let (number, other) = (numbers[k].expect("just found"), resolve(node.operands[1 - k]));
                if number == 0.0 {
                    self.step(Rule::ProductZero);
                    return self.tape.constant(0.0).broadcast(node.shape);
                }
                let product = match number {
                    1.0 => return self.tape.var(other),
                    -1.0 => -self.tape.var(other),
                    number => number * self.tape.var(other),
                };
                let top = product.id();
                let look = |other: NodeId| other == top || (other.index() >= self.first && self.small(other));
                return match self.terms(top, &look, &|id| id, 4096) {
                    Some(terms) => self.emit_terms(&terms),
                    None => product,
                };
            }
        }
        let open = |other: NodeId| other == id || inner.contains(&other);
        let derived = |other: NodeId| open(other) || (other.index() >= self.first && self.small(other));
        let everything = |other: NodeId| open(other) || self.small(other);
        let shallow = self.factors(id, &derived, resolve, usize::MAX);
        let deep = self
            .factors(id, &everything, resolve, 4096)
            .filter(|deep| shallow.as_ref().is_none_or(|shallow| deep.count() < shallow.count()));
        match deep.or(shallow) {
            Some(factors) => {
                if factors.count() < factors.leaves {
                    let cancelled = factors.parts.is_empty();
                    self.step(if cancelled { Rule::ProductCancel } else { Rule::ProductCollect });
                }
                self.emit_factors(&factors)
            }
            None => {
                let operands = node.operands.iter().map(|operand| resolve(*operand)).collect();
                self.tape.push(node.op.clone(), operands, node.shape)
            }
        }
    }

    /// Whether an expression is small enough to be opened wherever it is used: a chain of sums or products
    /// that many others share would be copied again and again.
    fn small(&self, id: NodeId) -> bool {
        // Counted as it would be written out, and no further than it matters.
        let mut sizes = self.sizes.borrow_mut();
        let (mut waiting, mut count) = (vec![id], 0);
        while let Some(next) = waiting.pop()
            && count <= SHARED
        {
            if let Some(known) = sizes.get(&next) {
                count += known;
                continue;
            }
            count += 1;
            self.tape.with_node(next, |node| match node.op {
                Op::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Div)
                | Op::Unary(Unary::Neg | Unary::Recip | Unary::Powi(_)) => {
                    waiting.extend(node.operands.iter().copied());
                }
                _ => {}
            });
        }
        sizes.insert(id, count);
        count <= SHARED
    }

    /// |a| by what is known of a's sign.
    fn absolute(&mut self, a: NodeId) -> Var<'t> {
        let bars = Op::Unary(Unary::Abs);
        self.rewritten(&bars, &[a], self.tape.shape(a)).unwrap_or_else(|| self.tape.var(a).abs())
    }

    /// ln(1 + a) where the sum 1 + a is a product of what does not cancel, and a > -1 is proven.
    fn stable_log_one_plus(&mut self, a: NodeId) -> Option<Var<'t>> {
        let sum = 1.0 + self.tape.var(a);
        let proven = self.bounds.of(sum.id()).is_nonnegative();
        if !self.holds(Rule::LogOnePlus, proven) {
            return None;
        }
        self.stable(sum.id())?;
        Some(self.log_abs(sum.id(), 0))
    }

    /// ln(1 + a) of what is a probability or a hyperbolic tangent.
    fn log_one_plus(&mut self, a: NodeId) -> Option<Var<'t>> {
        self.rewritten(&Op::Unary(Unary::Ln1p), &[a], self.tape.shape(a))
    }

    /// eᵃ - 1 of a logarithm of 1 + b, or of a softplus.
    fn exp_m1(&mut self, a: NodeId) -> Option<Var<'t>> {
        self.rewritten(&Op::Unary(Unary::ExpM1), &[a], self.tape.shape(a))
    }

    /// det of a matrix of numbers, if no step of it is rounded.
    fn exact_determinant(&self, matrix: NodeId) -> Option<f64> {
        let Op::Constant(data) = self.tape.node(matrix).op else { return None };
        let Shape::Matrix(n, columns) = self.tape.shape(matrix) else { return None };
        let rows: Vec<&[f64]> = data.values().chunks(columns).collect();
        (n <= 4).then(|| minor(&rows, &(0..n).collect::<Vec<_>>()))?
    }

    /// A choice whose branches may have become the same.
    fn choice(&mut self, condition: NodeId, then: Var<'t>, otherwise: Var<'t>) -> Var<'t> {
        let same = self.found(&Op::Choice(Choice::Select), &[condition, then.id(), otherwise.id()]);
        if same.is_some_and(|found| found.rule == Rule::SelectSame) {
            self.step(Rule::SelectSame);
            return then;
        }
        choice(self.tape.var(condition), then, otherwise)
    }

    /// Whether the side condition of a rule is met.
    fn holds(&self, rule: Rule, proven: bool) -> bool {
        proven || self.trusted == Some(rule)
    }

    /// Notes that a rule was used.
    fn step(&mut self, rule: Rule) {
        if !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
    }

    /// Notes that a rule opened ln|before|; told once for each expression.
    fn applied(&mut self, rule: Rule, before: NodeId) {
        self.step(rule);
        let step = Step { rule, before };
        if self.told.insert(step) {
            self.steps.push(step);
        }
    }
}

/// The determinant of these columns of the rows, by its first row; `None` where a product or a sum is not exact.
fn minor(rows: &[&[f64]], columns: &[usize]) -> Option<f64> {
    let Some((row, rest)) = rows.split_first() else { return Some(1.0) };
    let mut sum = 0.0;
    for (k, column) in columns.iter().enumerate() {
        let others: Vec<usize> = columns.iter().copied().filter(|other| other != column).collect();
        let share = exact::exact_product(row[*column], minor(rest, &others)?)?;
        sum = exact::exact_sum(sum, if k % 2 == 0 { share } else { -share })?;
    }
    Some(sum)
}
