//! ln|·| of products, powers and the slopes of the usual functions, written as sums.
//!
//! This is where Σ ln|J_ii| becomes a textbook formula. Each rule holds over the reals; in floating point each
//! one widens the range: ln|eᵃ| overflows at a = 710, a does not.

use super::exact::{exact_product, exact_quotient, exact_sum};
use super::terms::Terms;
use super::{Rule, Simplifier};
use crate::tape::{Binary, Choice, Node, NodeId, Op, Shape, Unary, Var};

/// How deeply choices and concatenations may be nested; beyond, ln|·| is left as it is.
const DEEPEST: usize = 64;
/// Among how many logarithms pairs are looked for.
const SEVERAL: usize = 64;

impl<'t> Simplifier<'t> {
    /// ln|a| as a node.
    pub(super) fn log_abs(&mut self, a: NodeId, depth: usize) -> Var<'t> {
        // Once for each expression: two branches of a choice often share the rest of it.
        if let Some(known) = self.logs.get(&a) {
            return self.tape.var(*known);
        }
        let terms = self.log_abs_terms(a, depth);
        let terms = self.reopened(terms, depth);
        let terms = self.join_roots(terms);
        let mut terms = self.pair_softplus(terms);
        self.drop_bars(&mut terms);
        self.reuse_quotients(&mut terms);
        self.reuse_quotients_by_numbers(&mut terms);
        if terms.merged() && terms.leaves > 1 {
            self.step(Rule::SumCollect);
        }
        let log = self.emit_terms(&terms);
        self.logs.insert(a, log.id());
        log
    }

    fn log_abs_terms(&mut self, a: NodeId, depth: usize) -> Terms {
        let shape = self.tape.shape(a);
        let mut terms = Terms::new(shape);
        let mut stack: Vec<(NodeId, f64)> = vec![(a, 1.0)];
        while let Some((id, c)) = stack.pop() {
            let node = self.tape.node(id);
            let operand = |k: usize| node.operands[k];
            if let Some(number) = self.number(id) {
                self.log_of_number(number, shape, c, &mut terms);
                continue;
            }
            if let Some(found) = self.found_log(id, c, false) {
                self.applied(found.rule, id);
                self.add_right_side(&found, c, depth, &mut terms, &mut stack);
                continue;
            }
            match &node.op {
                Op::Unary(Unary::ExpM1) if self.exp_m1(operand(0)).is_some() => {
                    let other = self.exp_m1(operand(0)).expect("just seen");
                    stack.push((other.id(), c));
                }
                Op::Unary(Unary::ExpM1) => self.log_exp_m1(id, operand(0), c, &mut terms),
                Op::Broadcast if depth < DEEPEST => {
                    let log = self.log_abs(operand(0), depth + 1);
                    self.add_all(log.broadcast(shape).id(), c, &mut terms);
                }
                Op::Choice(Choice::Select) if depth < DEEPEST && self.opens_choice(id, &node) => {
                    self.applied(Rule::LogSelect, id);
                    let [then, otherwise] = [1, 2].map(|k| self.log_abs(operand(k), depth + 1));
                    let chosen = self.choice(operand(0), then, otherwise);
                    self.add_all(chosen.id(), c, &mut terms);
                }
                Op::Concat if depth < DEEPEST => {
                    self.applied(Rule::LogConcat, id);
                    let parts: Vec<NodeId> =
                        node.operands.iter().map(|part| self.log_abs(*part, depth + 1).id()).collect();
                    terms.add(self.tape.push(Op::Concat, parts.into_iter().collect(), node.shape).id(), c);
                }
                Op::Gather(indices) => match self.gathered(operand(0), indices, shape) {
                    Some(inner) => {
                        self.applied(Rule::LogGather, id);
                        stack.push((inner.id(), c));
                    }
                    None => terms.add(self.log_of_atom(id).id(), c),
                },
                Op::Binary(Binary::Add | Binary::Sub) => {
                    if let Some(factors) = self.stable(id) {
                        stack.extend(factors.into_iter().map(|(base, e)| (base, c * f64::from(e))));
                    } else if let Some(factors) = self.factored(id) {
                        stack.extend(factors.into_iter().map(|(base, e)| (base, c * f64::from(e))));
                    } else {
                        terms.add(self.log_of_atom(id).id(), c);
                    }
                }
                _ => terms.add(self.log_of_atom(id).id(), c),
            }
        }
        terms
    }

    /// ln|eᵃ - 1|, so that nothing overflows or cancels whatever the sign of a.
    fn log_exp_m1(&mut self, id: NodeId, a: NodeId, c: f64, terms: &mut Terms) {
        let bound = self.bounds.of(a);
        let argument = self.tape.var(a);
        let (share, rest) = if bound.is_nonpositive() {
            (None, argument)
        } else if bound.is_nonnegative() {
            (Some(argument), self.negated(a))
        } else {
            (Some(argument.max(0.0)), -argument.abs())
        };
        if let Some(share) = share {
            self.applied(Rule::LogExpM1, id);
            self.add_all(share.id(), c, terms);
        }
        if let Some(other) = self.exp_m1(rest.id()) {
            let log = self.log_abs(other.id(), DEEPEST);
            return self.add_all(log.id(), c, terms);
        }
        let below = rest.exp_m1();
        let known = self.bounds.of(below.id()).is_negative();
        let log = if known { (-below).ln() } else { below.abs().ln() };
        terms.add(log.id(), c);
    }

    /// ln(t² + k) beside asinh(t/√k), as what cancels with it: t² + k = k·cosh²(asinh(t/√k)).
    fn join_roots(&mut self, terms: Terms) -> Terms {
        let asinh = |id: NodeId| self.tape.argument(id, Unary::Asinh);
        let list = terms.list();
        let Some((root, s)) = list.iter().find_map(|(id, _)| Some((*id, asinh(*id)?))) else { return terms };
        let node = self.tape.node(s);
        let (t, root_of_k) = match node.op {
            Op::Binary(Binary::Div) => (node.operands[0], Some(node.operands[1])),
            _ => (s, None),
        };
        for (id, c) in list {
            let node = self.tape.node(id);
            let sum = match node.op {
                Op::Unary(Unary::Ln) => node.operands[0],
                Op::Unary(Unary::Ln1p) => (1.0 + self.tape.var(node.operands[0])).id(),
                _ => continue,
            };
            let Some((square, k)) = self.square_and_number(sum) else { continue };
            if square != t || root_of_k != self.root_of(k, terms.shape) {
                continue;
            }
            let mut opened = Terms::new(terms.shape);
            opened.add(root, 2.0);
            opened.add((-2.0 * self.tape.var(root)).softplus().id(), 2.0);
            opened.add(self.tape.constant(2.0).ln().broadcast(terms.shape).id(), -2.0);
            self.log_of_number(k, terms.shape, 1.0, &mut opened);
            let mut rest = terms.clone();
            rest.parts.shift_remove(&id);
            if let Some(joined) = rest.plus(&opened, c)
                && !joined.parts.contains_key(&root)
            {
                self.step(Rule::LogRoot);
                return joined;
            }
        }
        terms
    }

    /// Logarithms that came as they were written, ln(1 - σ(a)) in an exponent, opened where that keeps digits.
    fn reopened(&mut self, mut terms: Terms, depth: usize) -> Terms {
        for (id, c) in terms.list().into_iter().take(SEVERAL) {
            let node = self.tape.node(id);
            let inside = match node.op {
                Op::Unary(Unary::Ln) => match self.tape.node(node.operands[0]) {
                    Node { op: Op::Unary(Unary::Abs), operands, .. } => operands[0],
                    _ => node.operands[0],
                },
                Op::Unary(Unary::Ln1p) => (1.0 + self.tape.var(node.operands[0])).id(),
                _ => continue,
            };
            let barred =
                self.tape.argument(node.operands[0], Unary::Abs).is_some() && node.op == Op::Unary(Unary::Ln);
            let sum = self.tape.with_node(inside, |node| {
                matches!(node.op, Op::Binary(Binary::Add | Binary::Sub) | Op::Gather(_))
            });
            let same = barred || self.bounds.of(inside).is_nonnegative();
            if !sum
                || !self.holds(Rule::LogOnePlus, same)
                || depth >= DEEPEST
                || terms.parts.get(&id) != Some(&c)
            {
                continue;
            }
            let told = self.steps.len();
            let opened = self.log_abs_terms(inside, depth + 1);
            let unchanged =
                opened.list().iter().any(|(other, _)| *other == id || self.is_log_of(*other, inside));
            if unchanged {
                // Nothing came of it, so nothing is told.
                for step in self.steps.split_off(told) {
                    self.told.remove(&step);
                }
                continue;
            }
            let mut rest = terms.clone();
            rest.parts.shift_remove(&id);
            if let Some(more) = rest.plus(&opened, c) {
                terms = more;
            }
        }
        terms
    }

    /// Whether this is ln a, ln|a|, or ln_1p(a - 1).
    fn is_log_of(&self, log: NodeId, a: NodeId) -> bool {
        let node = self.tape.node(log);
        match node.op {
            Op::Unary(Unary::Ln) => {
                node.operands[0] == a
                    || self.tape.with_node(node.operands[0], |inner| {
                        inner.op == Op::Unary(Unary::Abs) && inner.operands[0] == a
                    })
            }
            Op::Unary(Unary::Ln1p) => (1.0 + self.tape.var(node.operands[0])).id() == a,
            _ => false,
        }
    }

    /// Whether ln|·| goes into the branches of a choice. One logarithm of a choice that the user wrote is better than
    /// one for each branch, unless both branches lose theirs.
    fn opens_choice(&self, id: NodeId, node: &Node) -> bool {
        let without = |branch: &NodeId| {
            let exponential = self.tape.argument(*branch, Unary::Exp).is_some();
            exponential || self.number(*branch).is_some_and(|number| number.abs() == 1.0)
        };
        id.index() >= self.first || node.operands[1..].iter().all(without)
    }

    /// t and k, where a node is t² + k for a number k > 0.
    pub(super) fn square_and_number(&self, id: NodeId) -> Option<(NodeId, f64)> {
        let terms = self.terms(id, &|other| other == id || self.small(other), &|id| id, 4)?;
        let list = terms.list();
        let ([k], [(square, 1.0)]) = (terms.constants.as_slice(), list.as_slice()) else { return None };
        let node = self.tape.node(*square);
        let t = node.operands.first().copied();
        let square = match node.op {
            Op::Binary(Binary::Mul) => node.operands[1] == node.operands[0],
            Op::Unary(Unary::Powi(exponent)) => exponent == 2,
            _ => false,
        };
        (square && self.holds(Rule::AsinhRoot, *k > 0.0)).then_some((t?, *k))
    }

    /// √k as a node; nothing for k = 1.
    pub(super) fn root_of(&self, k: f64, shape: Shape) -> Option<NodeId> {
        let root = k.sqrt();
        let exact = exact_product(root, root) == Some(k);
        let constant = if exact { self.tape.constant(root) } else { self.tape.constant(k).sqrt() };
        (k != 1.0).then(|| constant.broadcast(shape).id())
    }

    /// Adds the terms of a sum that was derived; what the user wrote stays one term.
    pub(super) fn add_all(&mut self, id: NodeId, c: f64, terms: &mut Terms) {
        let first = self.first;
        // A number times anything is a term, whoever wrote it.
        let node = self.tape.node(id);
        if node.op == Op::Binary(Binary::Mul)
            && let Some(number) = self.number(node.operands[0])
            && node.operands[1].index() < first
            && let Some(product) = exact_product(c, number)
        {
            return terms.add(node.operands[1], product);
        }
        let found =
            self.terms(id, &|id| id.index() >= first && self.small(id), &|id| id, 64).filter(|found| {
                found
                    .list()
                    .iter()
                    .map(|(_, d)| *d)
                    .chain(found.constants.iter().copied())
                    .all(|d| exact_product(c, d).is_some())
            });
        match found {
            Some(found) => {
                found.list().iter().for_each(|(id, d)| terms.add(*id, c * d));
                found.constants.iter().for_each(|d| terms.add_constant(c * d));
            }
            None => terms.add(id, c),
        }
    }

    fn log_of_number(&mut self, number: f64, shape: Shape, c: f64, terms: &mut Terms) {
        let constant = |value: f64| self.tape.constant(value);
        if number.abs() == 1.0 {
            terms.leaves += 1;
            self.step(Rule::LogOne);
            return;
        }
        // ln|0| is -∞ and stays as it is: a determinant that is 0 is not to be hidden.
        let log = if number == 0.0 { constant(0.0).abs().ln() } else { constant(number.abs()).ln() };
        terms.add(log.broadcast(shape).id(), c);
    }

    /// ln|a| of what no rule opens; without the bars where a > 0 is proven.
    fn log_of_atom(&mut self, id: NodeId) -> Var<'t> {
        let a = self.tape.var(id);
        if let Op::Constant(data) = self.tape.node(id).op
            && data.values().iter().all(|value| value.abs() == 1.0)
        {
            self.step(Rule::LogOne);
            return self.tape.constant(0.0).broadcast(a.shape());
        }
        if let Some(rest) = self.one_plus(id) {
            self.applied(Rule::LogOnePlus, id);
            return self.log_one_plus(rest.id()).unwrap_or_else(|| rest.ln_1p());
        }
        if let Some(found) = self.found_log(id, 1.0, true) {
            self.applied(found.rule, id);
            return self.recorded(&found.law.right, &found.found, DEEPEST);
        }
        a.abs().ln()
    }

    /// t, where the node is 1 + t and t > -1 is proven.
    fn one_plus(&mut self, id: NodeId) -> Option<Var<'t>> {
        let node = self.tape.node(id);
        if !matches!(node.op, Op::Binary(Binary::Add | Binary::Sub)) {
            return None;
        }
        let mut terms = self.terms(id, &|other| self.small(other), &|id| id, 16)?;
        let at = terms.constants.iter().position(|constant| *constant == 1.0)?;
        terms.constants.remove(at);
        if terms.list().is_empty() {
            return None;
        }
        let rest = self.emit_terms(&terms);
        let low = self.bounds.of(rest.id()).low;
        let above = low.at > -1.0 || (low.at == -1.0 && low.open) || self.bounds.of(id).is_positive();
        self.holds(Rule::LogOnePlus, above).then_some(rest)
    }

    /// The elements of moved data, or of something that ln|·| opens; `None` where a gather is best left alone.
    pub(super) fn gathered(&mut self, from: NodeId, indices: &[u32], shape: Shape) -> Option<Var<'t>> {
        let node = self.tape.node(from);
        let of = |simplifier: &mut Self, k: usize| simplifier.gather(node.operands[k], indices, shape);
        match node.op {
            Op::Unary(Unary::Exp) => Some(of(self, 0).exp()),
            Op::Unary(Unary::Sigmoid) => Some(of(self, 0).sigmoid()),
            Op::Unary(Unary::Cosh) => Some(of(self, 0).cosh()),
            Op::Unary(Unary::Tanh) => Some(of(self, 0).tanh()),
            Op::Unary(Unary::SechSquared) => Some(of(self, 0).sech_squared()),
            Op::Unary(Unary::AsinhSlope) => Some(of(self, 0).asinh_slope()),
            Op::Unary(Unary::InverseMills(order)) => Some(of(self, 0).inverse_mills(order)),
            Op::Unary(Unary::Neg | Unary::Abs) => Some(of(self, 0)),
            Op::Unary(Unary::Recip) => Some(of(self, 0).recip()),
            Op::Binary(Binary::Mul) => Some(of(self, 0) * of(self, 1)),
            Op::Binary(Binary::Div) => Some(of(self, 0) / of(self, 1)),
            Op::Binary(Binary::Add | Binary::Sub) => self.gather_through(from, indices, shape, 16),
            Op::Constant(_) | Op::Broadcast | Op::Gather(_) | Op::Scatter(_) | Op::Concat | Op::Transpose => {
                let picked = self.gather(from, indices, shape);
                let same = self.tape.with_node(picked.id(), |node| {
                    matches!(&node.op, Op::Gather(known) if **known == *indices) && node.operands[0] == from
                });
                (!same).then_some(picked)
            }
            _ => None,
        }
    }

    /// -a without two minus signs.
    pub(super) fn negated(&self, id: NodeId) -> Var<'t> {
        match self.tape.argument(id, Unary::Neg) {
            Some(inner) => self.tape.var(inner),
            None => match self.multiple_of(id) {
                Some((base, -1.0)) => self.tape.var(base),
                Some((base, k)) => -k * self.tape.var(base),
                None => -self.tape.var(id),
            },
        }
    }

    /// ln|a| beside ln a, which is defined for a > 0 only: both are ln a.
    fn drop_bars(&mut self, terms: &mut Terms) {
        let list: Vec<(NodeId, f64)> = terms.list().into_iter().take(SEVERAL).collect();
        for (barred, c) in &list {
            let Some(a) =
                self.tape.argument(*barred, Unary::Ln).and_then(|a| self.tape.argument(a, Unary::Abs))
            else {
                continue;
            };
            let plain = list.iter().find(|(id, _)| id != barred && self.is_unbarred_log_of(*id, a));
            if let Some((plain, _)) = plain
                && terms.parts.get(barred) == Some(c)
                && terms.parts.contains_key(plain)
            {
                terms.parts.shift_remove(barred);
                terms.add(*plain, *c);
                self.step(Rule::LogBars);
            }
        }
    }

    /// Whether this is ln a, or ln_1p(a - 1), however the sum is written.
    fn is_unbarred_log_of(&self, log: NodeId, a: NodeId) -> bool {
        let inside = match self.tape.argument(log, Unary::Ln1p) {
            Some(b) => (1.0 + self.tape.var(b)).id(),
            None => match self.tape.argument(log, Unary::Ln) {
                Some(inside) => inside,
                None => return false,
            },
        };
        let terms = |id: NodeId| self.terms(id, &|other| self.small(other), &|id| id, 16);
        inside == a
            || terms(inside).zip(terms(a)).is_some_and(|(left, right)| {
                let loose = !left.loose.is_empty() || !right.loose.is_empty();
                !loose && left.parts == right.parts && left.constants == right.constants
            })
    }

    /// c·ln u - (c + e)·ln v + e·ln w for numbers v and w is c·ln(u/v) + e·ln(w/v), where u/v has been computed anyway and
    /// w/v is exact.
    fn reuse_quotients_by_numbers(&mut self, terms: &mut Terms) {
        if !terms.loose.is_empty() {
            return;
        }
        let shape = terms.shape;
        let of = |simplifier: &Self, id: NodeId| -> Option<NodeId> {
            let log = match simplifier.tape.node(id) {
                Node { op: Op::Broadcast, operands, .. } => operands[0],
                _ => id,
            };
            simplifier.tape.argument(log, Unary::Ln)
        };
        let list: Vec<(NodeId, f64)> = terms.list().into_iter().take(SEVERAL).collect();
        let logs: Vec<(NodeId, NodeId, f64)> =
            list.iter().filter_map(|(id, c)| Some((*id, of(self, *id)?, *c))).collect();
        let numbers: Vec<(NodeId, f64, f64)> = logs
            .iter()
            .filter_map(|(id, a, c)| Some((*id, self.number(*a).filter(|n| *n > 0.0)?, *c)))
            .collect();
        for (over, u, c) in logs.iter().filter(|(_, a, _)| self.number(*a).is_none()) {
            for (under, v, d) in &numbers {
                let divisor = self.tape.constant(*v).broadcast(shape).id();
                let Some(quotient) = self.tape.find(Op::Binary(Binary::Div), &[*u, divisor], shape) else {
                    continue;
                };
                let found = numbers.iter().find_map(|(other, w, e)| {
                    let fits =
                        other != under && exact_sum(*c, *e).and_then(|sum| exact_sum(sum, *d)) == Some(0.0);
                    Some((*other, exact_quotient(*w, *v).filter(|_| fits)?, *e))
                });
                if let Some((other, quotient_of_numbers, e)) = found
                    && [over, under, &other].into_iter().all(|id| terms.parts.contains_key(id))
                {
                    for id in [over, under, &other] {
                        terms.parts.shift_remove(id);
                    }
                    terms.add(self.tape.var(quotient).ln().id(), *c);
                    self.log_of_number(quotient_of_numbers, shape, e, terms);
                    self.step(Rule::LogQuotients);
                    return;
                }
            }
        }
    }

    /// ln|u| - ln|v| is ln|u/v| where u/v has been computed anyway.
    fn reuse_quotients(&mut self, terms: &mut Terms) {
        let argument = |id: NodeId| {
            let inner = self.tape.argument(id, Unary::Ln)?;
            Some(self.tape.argument(inner, Unary::Abs).unwrap_or(inner))
        };
        let logs: Vec<(NodeId, NodeId, f64)> =
            terms.list().iter().filter_map(|(id, c)| Some((*id, argument(*id)?, *c))).collect();
        // Every pair is tried: that is for a handful of logarithms, as a layer has them.
        if logs.len() > SEVERAL {
            return;
        }
        for (over, u, c) in logs.iter().filter(|(_, _, c)| *c > 0.0) {
            for (under, v, d) in logs.iter().filter(|(_, _, d)| d == &-c) {
                let Some(quotient) = self.tape.find(Op::Binary(Binary::Div), &[*u, *v], terms.shape) else {
                    continue;
                };
                if terms.parts.contains_key(over) && terms.parts.contains_key(under) && *d == -c {
                    let log = self.log_of_atom(quotient);
                    terms.parts.shift_remove(over);
                    terms.parts.shift_remove(under);
                    terms.add(log.id(), *c);
                    break;
                }
            }
        }
    }
}
