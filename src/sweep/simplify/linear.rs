//! Sums are linear: Σ (uᵢ + b·vᵢ)·wᵢ = Σ uᵢwᵢ + b·Σ vᵢwᵢ, where b is the same for all i.
//!
//! A repeated factor goes before the sum where the sum is a product as it is. A product is multiplied out only if what comes
//! of it is smaller: so wᵀ(u + c·w/wᵀw) becomes wᵀu + c.

use super::terms::Terms;
use super::{Rule, Simplifier};
use crate::tape::{Binary, NodeId, Op, Subgraph, Unary, Var};

/// A product of numbers that are the same for all elements, and of vectors.
#[derive(Clone, Default)]
struct Part {
    sign: f64,
    /// Scalars, and whether they are divided by.
    repeated: Vec<(NodeId, bool)>,
    /// Vectors, and whether they are divided by.
    factors: Vec<(NodeId, bool)>,
}

/// Up to this number of products a sum is multiplied out.
const MOST_PARTS: usize = 8;
/// Up to this number of nodes of an expression are counted.
const DEEPEST: usize = 12;

impl<'t> Simplifier<'t> {
    /// Σ over all elements of a node, with what is repeated before the sum; `None` where nothing is gained.
    pub(super) fn linear_sum(&mut self, of: NodeId) -> Option<Var<'t>> {
        // What the user wrote is computed anyway, and is opened only where that makes the whole smaller.
        let derived = self.addends(of, DEEPEST, &|id| id.index() >= self.first)?;
        let number = |id: NodeId| self.number(id).is_some();
        let pulled =
            |part: &Part| part.repeated.iter().any(|(id, _)| !number(*id)) && !part.factors.is_empty();
        let plain = derived.len() == 1 && pulled(&derived[0]);
        let parts = if plain { derived } else { self.addends(of, DEEPEST, &|_| true)? };
        if parts.iter().all(|part| part.repeated.iter().all(|(id, _)| number(*id))) {
            return None;
        }
        let told = (self.steps.len(), self.rules.len());
        let mut total: Option<Var<'t>> = None;
        for part in &parts {
            let product = |sides: &[(NodeId, bool)]| {
                let mut product: Option<Var<'t>> = None;
                for (id, _) in sides.iter().filter(|(_, below)| !below) {
                    let factor = self.tape.var(*id);
                    product = Some(product.map_or(factor, |product| product * factor));
                }
                for (id, _) in sides.iter().filter(|(_, below)| *below) {
                    let factor = self.tape.var(*id);
                    product = Some(product.map_or_else(|| factor.recip(), |product| product / factor));
                }
                product
            };
            let sum = match product(&part.factors) {
                Some(vector) => self.sum(vector.id()),
                None => self.tape.constant(self.tape.shape(of).len() as f64),
            };
            let term = product(&part.repeated).map_or(sum, |repeated| repeated * sum);
            let term = if part.sign < 0.0 { -term } else { term };
            total = Some(total.map_or(term, |total| total + term));
        }
        let total = total?;
        let value = self.again(total);
        let size = |id: NodeId| Subgraph::new(self.tape, &[], &[id]).nodes().len();
        if plain || size(value.id()) < size(self.tape.var(of).sum().id()) {
            self.step(Rule::SumLinear);
            return Some(value);
        }
        for step in self.steps.split_off(told.0) {
            self.told.remove(&step);
        }
        self.rules.truncate(told.1);
        None
    }

    /// Simplifies what was just recorded, sums that it holds excepted.
    fn again(&mut self, var: Var<'t>) -> Var<'t> {
        let everything = |id: NodeId| self.small(id);
        match self.terms(var.id(), &|id| id == var.id() || everything(id), &|id| id, 64) {
            Some(terms) => {
                let mut opened = Terms::new(terms.shape);
                terms.constants.iter().for_each(|constant| opened.add_constant(*constant));
                for (id, coefficient) in terms.list() {
                    let term = self.cancelled(id);
                    match self.terms(term.id(), &|id| self.small(id), &|id| id, 64) {
                        Some(inner) if inner.list().iter().all(|(_, c)| c.abs() == 1.0) => {
                            inner.list().iter().for_each(|(id, c)| opened.add(*id, c * coefficient));
                            inner.constants.iter().for_each(|c| opened.add_constant(c * coefficient));
                        }
                        _ => opened.add(term.id(), coefficient),
                    }
                }
                self.emit_terms(&opened)
            }
            None => var,
        }
    }

    /// A product with what cancels in it left out.
    fn cancelled(&mut self, id: NodeId) -> Var<'t> {
        match self.factors(id, &|other| other == id || self.small(other), &|id| id, 64) {
            Some(factors) if factors.count() < factors.leaves => self.emit_factors(&factors),
            _ => self.tape.var(id),
        }
    }

    /// A node as a sum of products; `None` where there are too many.
    fn addends(&self, id: NodeId, depth: usize, open: &dyn Fn(NodeId) -> bool) -> Option<Vec<Part>> {
        let node = self.tape.node(id);
        let one = |part: Part| Some(vec![part]);
        match &node.op {
            Op::Broadcast => {
                one(Part { sign: 1.0, repeated: vec![(node.operands[0], false)], ..Part::default() })
            }
            Op::Unary(Unary::Neg) if depth > 0 && open(id) => {
                let mut parts = self.addends(node.operands[0], depth - 1, open)?;
                parts.iter_mut().for_each(|part| part.sign = -part.sign);
                Some(parts)
            }
            Op::Binary(op @ (Binary::Add | Binary::Sub)) if depth > 0 && open(id) => {
                let mut parts = self.addends(node.operands[0], depth - 1, open)?;
                let sign = if *op == Binary::Sub { -1.0 } else { 1.0 };
                parts.extend(self.addends(node.operands[1], depth - 1, open)?.into_iter().map(|mut part| {
                    part.sign *= sign;
                    part
                }));
                (parts.len() <= MOST_PARTS).then_some(parts)
            }
            Op::Binary(Binary::Mul) if depth > 0 && open(id) => {
                let [left, right] = [0, 1].map(|k| self.addends(node.operands[k], depth - 1, open));
                let (left, right) = (left?, right?);
                if left.len() * right.len() > MOST_PARTS {
                    return None;
                }
                let both = |a: &Part, b: &Part| Part {
                    sign: a.sign * b.sign,
                    repeated: [a.repeated.clone(), b.repeated.clone()].concat(),
                    factors: [a.factors.clone(), b.factors.clone()].concat(),
                };
                Some(left.iter().flat_map(|a| right.iter().map(move |b| both(a, b))).collect())
            }
            Op::Binary(Binary::Div) if depth > 0 && open(id) => {
                let mut parts = self.addends(node.operands[0], depth - 1, open)?;
                let below = self.tape.with_node(node.operands[1], |below| match below.op {
                    Op::Broadcast => Some(below.operands[0]),
                    _ => None,
                });
                for part in &mut parts {
                    match below {
                        Some(scalar) => part.repeated.push((scalar, true)),
                        None => part.factors.push((node.operands[1], true)),
                    }
                }
                Some(parts)
            }
            _ => one(Part { sign: 1.0, factors: vec![(id, false)], ..Part::default() }),
        }
    }
}
