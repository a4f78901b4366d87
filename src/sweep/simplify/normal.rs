//! Normal forms: a sum as terms with coefficients, a product as bases with exponents.
//!
//! Coefficients are folded only where the f64 result is exact, so that a normal form is equal to what it came
//! from over the reals and not only nearly so.

use super::exact::exact_product;
use super::factors::Factors;
use super::pattern::number;
use super::terms::Terms;
use super::{Rule, Simplifier};
use crate::tape::{Binary, NodeId, Op, Unary, Var};

/// Among how many softplus of a sum opposite ones are looked for.
const SOFTPLUS: usize = 32;

impl<'t> Simplifier<'t> {
    /// The one number that all elements of a constant have.
    pub(super) fn number(&self, id: NodeId) -> Option<f64> {
        number(self.tape, id)
    }

    /// A node as a sum; `look` says which sums and multiples are looked into.
    ///
    /// `None` when the node has more than `limit` terms or a coefficient cannot be folded exactly.
    pub(super) fn terms(
        &self,
        id: NodeId,
        look: &dyn Fn(NodeId) -> bool,
        resolve: &dyn Fn(NodeId) -> NodeId,
        limit: usize,
    ) -> Option<Terms> {
        let mut terms = Terms::new(self.tape.shape(id));
        let mut stack = vec![(id, 1.0)];
        while let Some((id, coefficient)) = stack.pop() {
            if terms.leaves + stack.len() > limit {
                return None;
            }
            let node = self.tape.node(id);
            let opened = look(id);
            match node.op {
                Op::Binary(Binary::Add) if opened => {
                    stack.extend([(node.operands[1], coefficient), (node.operands[0], coefficient)])
                }
                Op::Binary(Binary::Sub) if opened => {
                    stack.extend([(node.operands[1], -coefficient), (node.operands[0], coefficient)])
                }
                // A sign is no work: it is taken along whoever wrote it.
                Op::Unary(Unary::Neg) => stack.push((node.operands[0], -coefficient)),
                Op::Binary(Binary::Mul) if opened && self.multiple(&node.operands, coefficient).is_some() => {
                    stack.push(self.multiple(&node.operands, coefficient).expect("just seen"));
                }
                _ => {
                    let leaf = resolve(id);
                    let sign = self.tape.argument(leaf, Unary::Neg).is_some();
                    if leaf != id && (sign || look(leaf)) {
                        stack.push((leaf, coefficient));
                    } else if let Some(number) = self.number(leaf) {
                        terms.add_constant(exact_product(number, coefficient)?);
                    } else {
                        terms.add(leaf, coefficient);
                    }
                }
            }
        }
        Some(terms)
    }

    /// A product with a number, as the other factor with its coefficient.
    fn multiple(&self, operands: &[NodeId], coefficient: f64) -> Option<(NodeId, f64)> {
        for k in 0..2 {
            if let Some(number) = self.number(operands[k]) {
                return Some((operands[1 - k], exact_product(number, coefficient)?));
            }
        }
        None
    }

    /// A node as a product; `look` says which products and powers are looked into.
    pub(super) fn factors(
        &self,
        id: NodeId,
        look: &dyn Fn(NodeId) -> bool,
        resolve: &dyn Fn(NodeId) -> NodeId,
        limit: usize,
    ) -> Option<Factors> {
        let shape = self.tape.shape(id);
        let mut factors = Factors::new(shape);
        let mut stack = vec![(id, 1i32)];
        while let Some((id, exponent)) = stack.pop() {
            if factors.leaves + stack.len() > limit || exponent.unsigned_abs() > 1 << 20 {
                return None;
            }
            let node = self.tape.node(id);
            let opened = look(id);
            match node.op {
                Op::Binary(Binary::Mul) if opened => {
                    stack.extend([(node.operands[1], exponent), (node.operands[0], exponent)])
                }
                Op::Binary(Binary::Div) if opened => {
                    stack.extend([(node.operands[1], -exponent), (node.operands[0], exponent)])
                }
                Op::Unary(Unary::Recip) if opened => stack.push((node.operands[0], -exponent)),
                Op::Unary(Unary::Neg) => {
                    if exponent % 2 != 0 {
                        factors.add_constant(-1.0);
                    }
                    stack.push((node.operands[0], exponent));
                }
                Op::Unary(Unary::Powi(k)) if opened && k != 0 && k.unsigned_abs() < 1 << 10 => {
                    stack.push((node.operands[0], k * exponent))
                }
                _ => {
                    let leaf = resolve(id);
                    let sign = self.tape.argument(leaf, Unary::Neg).is_some();
                    if leaf != id && (sign || look(leaf)) {
                        stack.push((leaf, exponent));
                        continue;
                    }
                    if let Some(number) = self.number(leaf) {
                        if number != 0.0 && (exponent == 1 || number == 1.0 || number == -1.0) {
                            factors.add_constant(number.powi(exponent));
                            continue;
                        }
                        if number != 0.0 && number.is_finite() && exponent == -1 {
                            factors.add_divisor(number);
                            continue;
                        }
                        if number == 0.0 && exponent > 0 {
                            factors.add_constant(0.0);
                            continue;
                        }
                    }
                    let argument = self.tape.argument(leaf, Unary::Exp);
                    match argument {
                        Some(argument) => {
                            factors.leaves += 1;
                            // e⁻ᵃ is 1/eᵃ: one of the two has to be the normal form.
                            let inner = self.tape.argument(argument, Unary::Neg);
                            factors.exponents.push(match inner {
                                Some(inner) => (inner, -exponent),
                                None => (argument, exponent),
                            });
                        }
                        None => factors.add(leaf, exponent)?,
                    }
                }
            }
        }
        self.join_signs(&mut factors)?;
        self.join_square_roots(&mut factors)?;
        Some(factors)
    }

    /// a/√a is √a.
    fn join_square_roots(&self, factors: &mut Factors) -> Option<()> {
        let found: Vec<(NodeId, NodeId)> = factors
            .parts
            .iter()
            .filter(|(_, exponent)| **exponent < 0)
            .filter_map(|(id, _)| Some((*id, self.tape.argument(*id, Unary::Sqrt)?)))
            .collect();
        for (root, a) in found {
            while factors.parts.get(&root).is_some_and(|exponent| *exponent < 0)
                && factors.parts.get(&a).is_some_and(|exponent| *exponent > 0)
            {
                factors.add(a, -1)?;
                factors.add(root, 2)?;
                factors.roots = true;
            }
        }
        Some(())
    }

    /// sign(a)·a is |a|.
    fn join_signs(&self, factors: &mut Factors) -> Option<()> {
        let sign = |id: NodeId| self.tape.argument(id, Unary::Sign);
        let found: Vec<(NodeId, NodeId)> = factors
            .parts
            .iter()
            .filter(|(_, exponent)| **exponent == 1)
            .filter_map(|(id, _)| Some((*id, sign(*id)?)))
            .filter(|(_, a)| factors.parts.get(a).is_some_and(|exponent| *exponent > 0))
            .collect();
        for (sign, a) in found {
            factors.parts.shift_remove(&sign);
            factors.add(a, -1)?;
            factors.add(self.tape.var(a).abs().id(), 1)?;
            factors.signs = true;
        }
        Some(())
    }

    /// A sum as a node again, in canonical order; what is positive first.
    pub(super) fn emit_terms(&mut self, terms: &Terms) -> Var<'t> {
        let shape = terms.shape;
        let mut parts = terms.list();
        parts.sort_by_cached_key(|(id, _)| self.keys.of(*id));
        let mut numbers = terms.constants.clone();
        numbers.sort_by(f64::total_cmp);
        let constant = |value: f64| self.tape.constant(value).broadcast(shape);
        let mut sum: Option<Var<'t>> = None;
        // What is added first, then what is taken away, so that no sum begins with a minus needlessly.
        for positive in [true, false] {
            for value in numbers.iter().filter(|value| (**value > 0.0) == positive) {
                sum = Some(match sum {
                    Some(sum) if positive => sum + constant(*value),
                    Some(sum) => sum - constant(-value),
                    None => constant(*value),
                });
            }
            for (id, coefficient) in parts.iter().filter(|(_, c)| (*c > 0.0) == positive) {
                let base = self.tape.var(*id);
                let size = coefficient.abs();
                let term = if size == 1.0 { base } else { size * base };
                sum = Some(match sum {
                    Some(sum) if positive => sum + term,
                    Some(sum) => sum - term,
                    None if positive => term,
                    None if size == 1.0 => -base,
                    None => *coefficient * base,
                });
            }
        }
        sum.unwrap_or_else(|| constant(0.0))
    }

    /// softplus(a) = a + softplus(-a), wherever that makes a sum shorter: a - softplus(a) loses its digits where a is large.
    pub(super) fn pair_softplus(&mut self, mut terms: Terms) -> Terms {
        while let Some(shorter) = self.with_softplus_turned(&terms) {
            self.step(Rule::SoftplusPair);
            terms = shorter;
        }
        // What the user wrote as a sum may hold what cancels.
        let sums = |id: NodeId| {
            self.tape.with_node(id, |node| matches!(node.op, Op::Binary(Binary::Add | Binary::Sub)))
                && self.small(id)
        };
        let written: Vec<(NodeId, f64)> =
            terms.parts.iter().map(|(id, c)| (*id, *c)).filter(|(id, _)| sums(*id)).take(SOFTPLUS).collect();
        for (id, c) in written {
            let Some(inner) = self.terms(id, &|other| self.small(other), &|id| id, 16) else { continue };
            let mut rest = terms.clone();
            rest.parts.shift_remove(&id);
            let Some(mut opened) = rest.plus(&inner, c) else { continue };
            let turned = self.with_softplus_turned(&opened);
            if turned.is_some() || opened.count() < rest.count() + inner.count() {
                opened = turned.unwrap_or(opened);
                opened.leaves = terms.leaves + 1;
                self.step(Rule::SumCollect);
                return self.pair_softplus(opened);
            }
        }
        terms
    }

    fn with_softplus_turned(&mut self, terms: &Terms) -> Option<Terms> {
        let argument = |id: NodeId| self.tape.argument(id, Unary::Softplus);
        let all: Vec<(NodeId, f64, Terms)> = terms
            .parts
            .iter()
            .filter_map(|(id, c)| Some((*id, *c, argument(*id)?)))
            .take(SOFTPLUS)
            .filter_map(|(id, c, a)| Some((id, c, self.terms(a, &|other| self.small(other), &|id| id, 16)?)))
            .collect();
        for (id, c, a) in &all {
            let mut turned = terms.clone();
            turned.parts.shift_remove(id);
            let opposite = all.iter().find(|(_, _, b)| b.plus(a, 1.0).is_some_and(|sum| sum.is_zero()));
            let Some(mut turned) = turned.plus(a, *c) else { continue };
            match opposite {
                Some((other, ..)) => turned.add(*other, *c),
                None if turned.count() + 1 < terms.count() => {
                    let negative = Terms::new(a.shape).plus(a, -1.0)?;
                    let negative = self.emit_terms(&negative);
                    turned.add(negative.softplus().id(), *c);
                }
                None => continue,
            }
            if turned.count() < terms.count() {
                turned.leaves = terms.leaves;
                return Some(turned);
            }
        }
        None
    }

    /// The node as k times another.
    pub(super) fn multiple_of(&self, a: NodeId) -> Option<(NodeId, f64)> {
        let node = self.tape.node(a);
        if node.op != Op::Binary(Binary::Mul) {
            return None;
        }
        let k = self.number(node.operands[0])?;
        Some((node.operands[1], k))
    }

    /// A product as a node again, in canonical order, with one division at most.
    pub(super) fn emit_factors(&mut self, factors: &Factors) -> Var<'t> {
        let shape = factors.shape;
        if factors.constants.contains(&0.0) {
            self.step(Rule::ProductZero);
            return self.tape.constant(0.0).broadcast(shape);
        }
        let mut parts: Vec<(NodeId, i32)> = factors.parts.iter().map(|(id, e)| (*id, *e)).collect();
        if factors.signs {
            self.step(Rule::SignTimes);
        }
        if factors.roots {
            self.step(Rule::SqrtQuotient);
        }
        let exponentials = self.emit_exponentials(factors);
        parts.extend(exponentials);
        parts.extend(
            factors.divisors.iter().map(|value| (self.tape.constant(*value).broadcast(shape).id(), -1)),
        );
        parts.sort_by_cached_key(|(id, _)| self.keys.of(*id));
        let power = |simplifier: &Simplifier<'t>, id: NodeId, exponent: i32| simplifier.power(id, exponent);
        let mut over: Option<Var<'t>> = None;
        let mut under: Option<Var<'t>> = None;
        let mut negative = false;
        for value in &factors.constants {
            if *value == -1.0 {
                negative = !negative;
                continue;
            }
            let value = self.tape.constant(*value).broadcast(shape);
            over = Some(over.map_or(value, |over| over * value));
        }
        for (id, exponent) in parts {
            let side = if exponent > 0 { &mut over } else { &mut under };
            let factor = power(self, id, exponent.abs());
            *side = Some(side.map_or(factor, |side| side * factor));
        }
        let product = match (over, under) {
            (Some(over), Some(under)) => over / under,
            (Some(over), None) => over,
            (None, Some(under)) => under.recip(),
            (None, None) => self.tape.constant(1.0).broadcast(shape),
        };
        if negative { -product } else { product }
    }

    /// The exponentials of a product: together where that makes the sum in the exponent smaller.
    fn emit_exponentials(&mut self, factors: &Factors) -> Vec<(NodeId, i32)> {
        if factors.exponents.len() < 2 {
            return factors.exponents.iter().map(|part| self.exponential(part)).collect();
        }
        let mut sum = Terms::new(factors.shape);
        for (argument, exponent) in &factors.exponents {
            let exponent = f64::from(*exponent);
            let terms = self.terms(*argument, &|id| self.small(id), &|id| id, 64).filter(|terms| {
                let numbers = terms.constants.iter().chain(terms.parts.values());
                numbers.copied().all(|c| exact_product(c, exponent).is_some())
            });
            match terms {
                Some(terms) => {
                    terms.list().iter().for_each(|(id, c)| sum.add(*id, c * exponent));
                    terms.constants.iter().for_each(|c| sum.add_constant(c * exponent));
                }
                None => sum.add(*argument, exponent),
            }
        }
        if !sum.merged() {
            return factors.exponents.iter().map(|part| self.exponential(part)).collect();
        }
        self.step(Rule::ExpSum);
        if sum.list().is_empty() && sum.constants.is_empty() {
            self.step(Rule::ExpZero);
            return Vec::new();
        }
        let argument = self.emit_terms(&sum);
        vec![(argument.exp().id(), 1)]
    }

    /// (eᵃ)ᵏ as a factor: e⁻ᵃ rather than a division by eᵃ.
    fn exponential(&self, (argument, exponent): &(NodeId, i32)) -> (NodeId, i32) {
        match exponent {
            -1 => (self.negated(*argument).exp().id(), 1),
            _ => (self.tape.var(*argument).exp().id(), *exponent),
        }
    }

    /// bᵏ for k > 0, as the square that is on the tape already if there is one.
    pub(super) fn power(&self, id: NodeId, exponent: i32) -> Var<'t> {
        let base = self.tape.var(id);
        match exponent {
            1 => base,
            2 if self.tape.find(Op::Binary(Binary::Mul), &[id, id], base.shape()).is_some() => base * base,
            k => base.powi(k),
        }
    }
}
