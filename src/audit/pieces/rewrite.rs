//! The same program with letters, choices or a threshold in place of some nodes.

use std::collections::{HashMap, HashSet};

use super::Whole;
use super::threshold::Threshold;
use crate::sweep::bound::{Bound, Bounds};
use crate::sweep::reach::{NONE, Reach, Relation};
use crate::tape::{Cut, NodeId, Op, Shape, Tape, Var};

impl<'t> Whole<'t> {
    /// The map with letters for its numbers: what holds for every number in their place holds for them, and letters are
    /// added and multiplied exactly. Whole numbers stay, and matrices and masks, in which zeros mean something.
    pub(super) fn without_numbers(self) -> Whole<'t> {
        let mut names = HashMap::new();
        let cut = Cut::new(self.tape, &[self.z.id()], &[self.x.id()]);
        let mut within = self.within.clone();
        for id in cut.nodes() {
            let node = self.tape.node(*id);
            let Op::Constant(data) = &node.op else { continue };
            let values = data.values();
            let same = values.iter().all(|value| *value == values[0]);
            if same && !matches!(node.shape, Shape::Matrix(..)) && !values.is_empty() && !is_small(values[0])
            {
                let letter = self.tape.input(node.shape);
                within.push((letter.id(), Bound::closed(values[0], values[0])));
                names.insert(*id, letter.id());
            }
        }
        let x = rewritten(self.tape, &cut, self.x, &names, |_| true, |_| None);
        Whole { x, within, written: self.tape.len(), ..self }
    }

    /// The map with letters for what is known before its variable is, down to the atoms of sums and products: of how an
    /// atom is made, its bound is all that counts, but sums may cancel. So a conditioner's network is gone from here on.
    pub(super) fn shortened(self) -> Option<Whole<'t>> {
        let (Some(variable), _) = self.thresholds()? else { return Some(self) };
        let own = self.own(variable)?;
        let bounds = Bounds::new(self.tape, &self.within);
        let (mut names, mut letters) = (HashMap::new(), Vec::new());
        let mut stack: Vec<(NodeId, bool)> = self.known(&own, variable).map(|id| (id, false)).collect();
        while let Some((id, ready)) = stack.pop() {
            let node = self.tape.node(id);
            if names.contains_key(&id) || number(bounds.of(id)).is_some_and(is_small) {
                continue;
            }
            if !matches!(node.op, Op::Add | Op::Sub | Op::Neg | Op::Mul) {
                let letter = self.tape.input(node.shape).id();
                letters.push((letter, bounds.of(id)));
                names.insert(id, letter);
            } else if ready {
                let new = again(self.tape, id, |operand| names.get(operand).copied());
                names.insert(id, new.unwrap_or(id));
            } else {
                stack.push((id, true));
                stack.extend(node.operands.iter().map(|operand| (*operand, false)));
            }
        }
        let cut = Cut::new(self.tape, &[self.z.id()], &[self.x.id()]);
        let x = rewritten(self.tape, &cut, self.x, &names, |id| own.contains(&id), |_| None);
        let nodes: Vec<NodeId> = letters.iter().map(|(id, _)| *id).collect();
        if !self.own_only(&nodes, variable, x) {
            return None;
        }
        let within = [self.within.as_slice(), &letters].concat();
        Some(Whole { x, within, written: self.tape.len(), ..self })
    }

    /// A letter for each threshold, and for everything else that is known before the variable is.
    pub(super) fn letters(
        &self,
        own: &HashSet<NodeId>,
        variable: Var<'t>,
        thresholds: &[Threshold<'t>],
    ) -> HashMap<NodeId, NodeId> {
        let bounds = Bounds::new(self.tape, &self.within);
        let letter = |id: NodeId| (id, self.tape.input(self.tape.shape(id)).id());
        let known = self.known(own, variable);
        let others = known.filter(|id| number(bounds.of(*id)).is_none_or(|value| !is_small(value)));
        let mut names: HashMap<NodeId, NodeId> = others.map(letter).collect();
        names.extend(thresholds.iter().map(|threshold| letter(threshold.at.id())));
        names
    }

    /// The nodes shaped as the variable that depend on it, element by element.
    pub(super) fn own(&self, variable: Var<'t>) -> Option<HashSet<NodeId>> {
        let cut = Cut::new(self.tape, &[self.z.id()], &[self.x.id()]);
        let reach = Reach::new(self.tape, &cut, Relation::Value);
        let highest = reach.highest(&self.inputs);
        let places = self.places(variable)?;
        let depends = |id: &NodeId| {
            let mut elements = reach.layout().elements(*id).zip(&places);
            elements.any(|(e, place)| highest[e] != NONE && highest[e] >= self.inputs[*place])
        };
        let same_shape = |id: &NodeId| self.tape.shape(*id) == variable.shape();
        let nodes = cut.nodes().iter().copied().filter(|id| !cut.is_input(*id) || *id == variable.id());
        Some(nodes.filter(|id| same_shape(id) && depends(id)).collect())
    }

    /// What such nodes are combined with, and that is known before the variable is.
    fn known(&self, own: &HashSet<NodeId>, variable: Var<'t>) -> impl Iterator<Item = NodeId> {
        let mut known: Vec<NodeId> = own.iter().flat_map(|id| self.tape.node(*id).operands).collect();
        known
            .retain(|id| !own.contains(id) && self.tape.shape(*id) == variable.shape() && *id != self.z.id());
        known.sort_unstable();
        known.dedup();
        known.into_iter()
    }

    /// x on one piece: above so many thresholds, below the others; with other names for what the nodes of `own` read.
    pub(super) fn formula(
        &self,
        own: &HashSet<NodeId>,
        thresholds: &[Threshold<'t>],
        piece: usize,
        names: &HashMap<NodeId, NodeId>,
    ) -> Var<'t> {
        let holds: HashMap<NodeId, bool> =
            thresholds.iter().enumerate().flat_map(|(k, threshold)| threshold.holds(k < piece)).collect();
        let cut = Cut::new(self.tape, &[self.z.id()], &[self.x.id()]);
        rewritten(
            self.tape,
            &cut,
            self.x,
            names,
            |id| own.contains(&id),
            |id| {
                let node = self.tape.node(id);
                let holds = if node.op == Op::Select { holds.get(&node.operands[0]) } else { None };
                holds.map(|holds| node.operands[if *holds { 1 } else { 2 }])
            },
        )
    }

    /// x with another node where the variable is read element by element.
    pub(super) fn with(&self, x: Var<'t>, variable: Var<'t>, other: Var<'t>) -> Var<'t> {
        if x.id() == variable.id() {
            return other;
        }
        let cut = Cut::new(self.tape, &[self.z.id()], &[x.id()]);
        let reads = |id: NodeId| self.tape.look(id, |node| node.op.is_elementwise() || node.op == Op::Concat);
        let names = HashMap::from([(variable.id(), other.id())]);
        rewritten(self.tape, &cut, x, &names, reads, |_| None)
    }
}

/// The one number that a node is.
fn number(bound: Bound) -> Option<f64> {
    (bound.low.at == bound.high.at).then_some(bound.low.at)
}

/// Whether a number is whole and small: such are added and multiplied exactly.
fn is_small(value: f64) -> bool {
    value.abs() <= 8.0 && value.fract() == 0.0
}

/// x with other names for what those nodes read that `applies` says; `stands_for` puts another node in the place of one.
fn rewritten<'t>(
    tape: &'t Tape,
    cut: &Cut,
    x: Var<'t>,
    names: &HashMap<NodeId, NodeId>,
    applies: impl Fn(NodeId) -> bool,
    stands_for: impl Fn(NodeId) -> Option<NodeId>,
) -> Var<'t> {
    let mut renamed: HashMap<NodeId, NodeId> = HashMap::new();
    for id in cut.nodes().iter().filter(|id| !cut.is_input(**id)) {
        let name = |other: &NodeId| {
            let given = if applies(*id) { names.get(other) } else { None };
            given.or_else(|| renamed.get(other)).copied()
        };
        let new = match stands_for(*id) {
            Some(other) => Some(name(&other).unwrap_or(other)),
            None => again(tape, *id, name),
        };
        renamed.extend(new.map(|new| (*id, new)));
    }
    tape.var(renamed.get(&x.id()).copied().unwrap_or(x.id()))
}

/// A node recorded again, if an operand has another name now.
fn again(tape: &Tape, id: NodeId, name: impl Fn(&NodeId) -> Option<NodeId>) -> Option<NodeId> {
    let mut node = tape.node(id);
    let mut changed = false;
    for operand in &mut node.operands {
        if let Some(new) = name(operand) {
            *operand = new;
            changed = true;
        }
    }
    changed.then(|| tape.push(node.op, node.operands, node.shape).id())
}
