//! Rules that move data and compute nothing: gathers of what was itself moved, sums over parts.

use super::exact::{exact_product, exact_sum};
use super::terms::Terms;
use super::{Rule, Simplifier};
use crate::tape::{Binary, NodeId, Op, Shape, Unary, Var};

impl<'t> Simplifier<'t> {
    /// These elements of a node, without going through what only moves them.
    pub(super) fn gather(&mut self, from: NodeId, indices: &[u32], shape: Shape) -> Var<'t> {
        let mut from = from;
        let mut indices = indices.to_vec();
        let mut moved = false;
        let found = loop {
            let node = self.tape.node(from);
            let whole = shape == node.shape && indices.iter().enumerate().all(|(k, i)| k == *i as usize);
            if whole {
                break Some(self.tape.var(from));
            }
            if let Some(value) = self.number(from) {
                break Some(self.tape.constant(value).broadcast(shape));
            }
            match &node.op {
                Op::Unary(Unary::Neg) if self.number(node.operands[0]).is_some() => {
                    let value = self.number(node.operands[0]).expect("just looked at");
                    break Some(self.tape.constant(-value).broadcast(shape));
                }
                Op::Constant(data) => {
                    let values: Vec<f64> = indices.iter().map(|i| data.values()[*i as usize]).collect();
                    break Some(self.tape.constants(shape, &values));
                }
                Op::Broadcast => break Some(self.tape.var(node.operands[0]).broadcast(shape)),
                Op::Gather(inner) => {
                    indices = indices.iter().map(|i| inner[*i as usize]).collect();
                    from = node.operands[0];
                }
                Op::Transpose => {
                    let (rows, columns) = node.shape.matrix_dims();
                    let turned = |i: &u32| (*i as usize % columns) * rows + *i as usize / columns;
                    indices = indices.iter().map(|i| turned(i) as u32).collect();
                    from = node.operands[0];
                }
                Op::Scatter(places) => {
                    let mut source = vec![None; node.shape.len()];
                    let mut twice = false;
                    for (k, place) in places.iter().enumerate() {
                        twice |= source[*place as usize].replace(k as u32).is_some();
                    }
                    if twice {
                        break None;
                    }
                    let sources: Vec<Option<u32>> = indices.iter().map(|i| source[*i as usize]).collect();
                    if sources.iter().all(Option::is_none) {
                        break Some(self.tape.constants(shape, &vec![0.0; shape.len()]));
                    }
                    let Some(all) = sources.into_iter().collect::<Option<Vec<u32>>>() else { break None };
                    indices = all;
                    from = node.operands[0];
                }
                Op::Concat => {
                    let mut start = 0;
                    let part = node.operands.iter().find_map(|operand| {
                        let end = start + self.tape.shape(*operand).len() as u32;
                        let inside = indices.iter().all(|i| (start..end).contains(i));
                        let first = std::mem::replace(&mut start, end);
                        inside.then_some((*operand, first))
                    });
                    let Some((part, first)) = part else { break None };
                    indices.iter_mut().for_each(|i| *i -= first);
                    from = part;
                }
                _ => break None,
            }
            moved = true;
        };
        if moved || found.is_some() {
            self.step(Rule::GatherMoved);
        }
        found.unwrap_or_else(|| {
            let positions: Vec<usize> = indices.iter().map(|i| *i as usize).collect();
            self.tape.var(from).pick("gather", &positions, shape)
        })
    }

    /// A gather carried through sums and products, if that meets a structural zero or moved data on the way:
    /// the diagonal of `mask⊙W + scatter(eˡ)` is eˡ.
    pub(super) fn gather_through(
        &mut self,
        from: NodeId,
        indices: &[u32],
        shape: Shape,
        depth: usize,
    ) -> Option<Var<'t>> {
        let node = self.tape.node(from);
        let zero = |simplifier: &Self, var: Var<'t>| simplifier.number(var.id()) == Some(0.0);
        match node.op {
            Op::Binary(Binary::Add | Binary::Sub | Binary::Mul) if depth > 0 => {
                let (a, b) = (node.operands[0], node.operands[1]);
                let through = [a, b].map(|side| self.gather_through(side, indices, shape, depth - 1));
                if through.iter().all(Option::is_none) {
                    return None;
                }
                let [a, b] = [(a, through[0]), (b, through[1])]
                    .map(|(side, through)| through.unwrap_or_else(|| self.gather(side, indices, shape)));
                Some(match node.op {
                    Op::Binary(Binary::Mul) if zero(self, a) || zero(self, b) => {
                        self.step(Rule::ProductZero);
                        self.tape.constant(0.0).broadcast(shape)
                    }
                    Op::Binary(Binary::Mul) if self.number(a.id()) == Some(1.0) => b,
                    Op::Binary(Binary::Mul) if self.number(b.id()) == Some(1.0) => a,
                    Op::Binary(Binary::Mul) => a * b,
                    Op::Binary(Binary::Add) if zero(self, a) => b,
                    Op::Binary(Binary::Add | Binary::Sub) if zero(self, b) => a,
                    Op::Binary(Binary::Add) => a + b,
                    _ if zero(self, a) => -b,
                    _ => a - b,
                })
            }
            Op::Constant(_) | Op::Scatter(_) | Op::Concat | Op::Transpose | Op::Broadcast => {
                let picked = self.gather(from, indices, shape);
                // A gather of a part that stays a gather of the same node has gained nothing.
                let still = self.tape.with_node(picked.id(), |node| {
                    matches!(node.op, Op::Gather(_)) && node.operands[0] == from
                });
                (!still).then_some(picked)
            }
            _ => None,
        }
    }

    /// Whether a gather stands in a sum or product, down to this depth.
    pub(super) fn holds_gather(&self, id: NodeId, depth: usize) -> bool {
        let node = self.tape.node(id);
        match node.op {
            Op::Gather(_) => true,
            Op::Binary(Binary::Add | Binary::Sub | Binary::Mul) | Op::Unary(Unary::Neg) if depth > 0 => {
                node.operands.iter().any(|operand| self.holds_gather(*operand, depth - 1))
            }
            _ => false,
        }
    }

    /// Σ over all elements.
    pub(super) fn sum(&mut self, of: NodeId) -> Var<'t> {
        let derived = |id: NodeId| id.index() >= self.first && self.small(id);
        let terms = self.terms(of, &derived, &|id| id, 4096);
        let Some(terms) = terms else { return self.tape.var(of).sum() };
        let splits = |simplifier: &Self, id: NodeId| {
            simplifier
                .tape
                .with_node(id, |node| matches!(node.op, Op::Concat | Op::Broadcast | Op::Scatter(_)))
                || simplifier.permuted(id).is_some()
        };
        let divisible = !terms.constants.is_empty() || terms.list().iter().any(|(id, _)| splits(self, *id));
        let mut total = Terms::new(Shape::Scalar);
        if !divisible {
            self.add_sum_of_rest(terms, &mut total);
            return self.emit_terms(&total);
        }
        self.step(Rule::SumMoved);
        let count = terms.shape.len() as f64;
        let mut rest = Terms::new(terms.shape);
        for value in &terms.constants {
            match exact_product(*value, count) {
                Some(product) => total.add_constant(product),
                None => rest.add_constant(*value),
            }
        }
        let mut open: Vec<(NodeId, f64)> = terms.list();
        let mut whole_parts: Vec<(NodeId, f64)> = Vec::new();
        while let Some((id, coefficient)) = open.pop() {
            let node = self.tape.node(id);
            match &node.op {
                Op::Concat => open.extend(node.operands.iter().map(|part| (*part, coefficient))),
                Op::Scatter(_) => open.push((node.operands[0], coefficient)),
                Op::Broadcast => {
                    let times = coefficient * node.shape.len() as f64;
                    whole_parts.push((node.operands[0], times));
                }
                Op::Constant(data) => {
                    let exact = data.values().iter().try_fold(0.0, |sum, value| exact_sum(sum, *value));
                    match exact {
                        Some(sum) if exact_product(sum, coefficient).is_some() => {
                            total.add_constant(sum * coefficient);
                        }
                        _ => total.add(self.tape.var(id).sum().id(), coefficient),
                    }
                }
                _ if node.shape == Shape::Scalar => whole_parts.push((id, coefficient)),
                _ => match self.permuted(id) {
                    Some(inner) => open.push((inner, coefficient)),
                    None if node.shape == rest.shape => rest.add(id, coefficient),
                    None => total.add(self.sum(id).id(), coefficient),
                },
            }
        }
        for (id, coefficient) in whole_parts {
            match self.number(id) {
                Some(number) if exact_product(number, coefficient).is_some() => {
                    total.add_constant(number * coefficient);
                }
                _ => total.add(id, coefficient),
            }
        }
        self.add_sum_of_rest(rest, &mut total);
        self.emit_terms(&total)
    }

    /// Σ of terms that stay together, their common coefficient before the sum.
    fn add_sum_of_rest(&mut self, mut rest: Terms, total: &mut Terms) {
        if rest.list().is_empty() && rest.constants.is_empty() {
            return;
        }
        let common = rest.parts.values().next().copied().unwrap_or(1.0);
        let alone = rest.constants.is_empty() && rest.loose.is_empty();
        let same = alone && rest.parts.values().all(|c| *c == common);
        if same {
            rest.parts.values_mut().for_each(|coefficient| *coefficient = 1.0);
        }
        let sum = self.emit_terms(&rest).sum();
        total.add(sum.id(), if same { common } else { 1.0 });
    }

    /// A concatenation of elements of one node, as these elements of that node.
    pub(super) fn gathers_of_one(&mut self, parts: &[NodeId], shape: Shape) -> Option<Var<'t>> {
        let mut from = None;
        let mut indices: Vec<u32> = Vec::with_capacity(shape.len());
        for part in parts {
            let node = self.tape.node(*part);
            let base = match &node.op {
                Op::Gather(own) => {
                    indices.extend(own.iter());
                    node.operands[0]
                }
                _ => {
                    indices.extend(0..node.shape.len() as u32);
                    *part
                }
            };
            if *from.get_or_insert(base) != base {
                return None;
            }
        }
        self.step(Rule::ConcatGathers);
        Some(self.gather(from?, &indices, shape))
    }

    /// What a node is a permutation of, if it is one.
    fn permuted(&self, id: NodeId) -> Option<NodeId> {
        let node = self.tape.node(id);
        let Op::Gather(indices) = &node.op else { return None };
        let mut seen = vec![false; self.tape.shape(node.operands[0]).len()];
        if seen.len() != indices.len() {
            return None;
        }
        indices.iter().for_each(|i| seen[*i as usize] = true);
        seen.iter().all(|seen| *seen).then_some(node.operands[0])
    }
}
