//! Where a variable is compared, with what, and in which order.

use super::Whole;
use crate::sweep::bound::{Bound, Bounds, End};
use crate::sweep::reach::{NONE, Reach, Relation};
use crate::sweep::simplify::simplify;
use crate::tape::{Cut, NodeId, Op, Var};

/// What a variable is compared with.
pub(super) struct Threshold<'t> {
    pub at: Var<'t>,
    /// The conditions, each with whether it holds below.
    conditions: Vec<(NodeId, bool)>,
    /// Whether the threshold itself counts as above.
    closed_above: bool,
}

impl Threshold<'_> {
    pub fn conditions(&self) -> impl Iterator<Item = NodeId> {
        self.conditions.iter().map(|(id, _)| *id)
    }

    /// Every condition, and whether it holds on this side.
    pub fn holds(&self, above: bool) -> impl Iterator<Item = (NodeId, bool)> {
        self.conditions.iter().map(move |(id, below)| (*id, *below != above))
    }
}

impl<'t> Whole<'t> {
    /// The variable that is compared, and with what; `None` if something else decides.
    pub(super) fn thresholds(&self) -> Option<(Option<Var<'t>>, Vec<Threshold<'t>>)> {
        let cut = Cut::new(self.tape, &[self.z.id()], &[self.x.id()]);
        let reach = Reach::new(self.tape, &cut, Relation::Value);
        let mut variable: Option<Var<'t>> = None;
        let mut thresholds: Vec<Threshold<'t>> = Vec::new();
        for id in cut.nodes().iter().filter(|id| reach.depends_on_input(**id)) {
            let node = self.tape.node(*id);
            // A sign jumps, and what is inside of an equation is not looked into.
            if matches!(node.op, Op::Sign | Op::Substitution(_) | Op::Root(_)) {
                return None;
            }
            if !matches!(node.op, Op::Less | Op::LessEq) {
                continue;
            }
            let [left, right] = [node.operands[0], node.operands[1]].map(|id| self.tape.var(id));
            // z < t and z ≤ t hold below; t < z and t ≤ z above.
            let below = self.places(left).is_some();
            let (own, at) = if below { (left, right) } else { (right, left) };
            if self.places(own).is_none() || variable.is_some_and(|known| known.id() != own.id()) {
                return None;
            }
            variable = Some(own);
            let closed_above = below == (node.op == Op::Less);
            match thresholds.iter_mut().find(|threshold| threshold.at.id() == at.id()) {
                Some(known) if known.closed_above != closed_above => return None,
                Some(known) => known.conditions.push((*id, below)),
                None => thresholds.push(Threshold { at, conditions: vec![(*id, below)], closed_above }),
            }
        }
        // What is compared with is known before the variable is.
        let highest = reach.highest(&self.inputs);
        let places = variable.and_then(|variable| self.places(variable)).unwrap_or_default();
        let earlier = thresholds.iter().all(|threshold| {
            let mut elements = reach.layout().elements(threshold.at.id()).zip(&places);
            elements.all(|(e, place)| highest[e] == NONE || highest[e] < self.inputs[*place])
        });
        earlier.then_some((variable, thresholds))
    }

    /// The thresholds in ascending order, if they have one.
    pub(super) fn in_order(&self, thresholds: Vec<Threshold<'t>>) -> Option<Vec<Threshold<'t>>> {
        let less = |lower: &Threshold<'t>, upper: &Threshold<'t>| {
            let difference = upper.at - lower.at;
            let simple = simplify(self.tape, difference.id(), 0, &self.within).value;
            let bound = Bounds::new(self.tape, &self.within).of(simple.id());
            bound.is_positive() && bound.defined
        };
        let mut ordered: Vec<Threshold<'t>> = Vec::new();
        for new in thresholds {
            // Mostly they come in order.
            let place = (0..ordered.len()).rev().find(|k| less(&ordered[*k], &new)).map_or(0, |k| k + 1);
            if ordered.get(place).is_some_and(|next| !less(&new, next)) {
                return None;
            }
            ordered.insert(place, new);
        }
        Some(ordered)
    }
}

/// That what ascends has positive differences.
pub(super) fn ascending(nodes: &[Var<'_>]) -> Vec<(NodeId, Bound)> {
    let pairs =
        nodes.iter().enumerate().flat_map(|(j, upper)| nodes[..j].iter().map(move |lower| *upper - *lower));
    pairs.map(|difference| (difference.id(), Bound::between(0.0, f64::INFINITY))).collect()
}

/// z - t and t - z for the letter t of every threshold, and where they lie on one piece.
pub(super) fn distances<'t>(
    variable: Var<'t>,
    thresholds: &[Threshold<'t>],
    letters: &[Var<'t>],
    piece: usize,
) -> Vec<(NodeId, Bound)> {
    let mut distances = Vec::new();
    for (k, (threshold, letter)) in thresholds.iter().zip(letters).enumerate() {
        let (up, down) = (variable - *letter, *letter - variable);
        let above = k < piece;
        let (positive, negative) = if above { (up, down) } else { (down, up) };
        let zero = End { at: 0.0, open: above != threshold.closed_above };
        let reals = Bound { nonzero: zero.open, ..Bound::REALS };
        distances.push((positive.id(), Bound { low: zero, ..reals }));
        distances.push((negative.id(), Bound { high: zero, ..reals }));
    }
    distances
}
