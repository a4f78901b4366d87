//! Inversion by Newton's method where no chain of invertible operations exists, if the output is strictly monotone in
//! its variable.
//!
//! Only the necessary part is solved this way: from the operation without an inverse down to the nearest node that
//! all paths pass through (its *dominator*); from there on operations are inverted again.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Group, InversionError, Sweep};
use crate::sweep::bound::Bound;
use crate::sweep::equation::root;
use crate::sweep::reach::{Reach, Relation};
use crate::sweep::{may_be_discontinuous, tangent};
use crate::tape::{Node, NodeId, Place, Subgraph, Tape, Var};

/// The result for an operation that cannot be inverted.
pub(super) enum Solved<'t> {
    /// The value of these elements, from which inversion continues.
    For(Var<'t>, Group),
    /// An operand that should be known depends on another variable of the group.
    NeedsItself(Place),
}

/// Why a slice cannot be recorded as a function of the unknown.
enum Unsliced {
    /// A condition in it depends on a variable that is not known yet.
    NeedsItself,
    /// Elements of one node belong to slices of different kinds.
    Mixed,
}

/// A node and some of its elements.
type Elements = (NodeId, Vec<usize>);

impl<'t> Sweep<'t, '_> {
    /// Solves for the dominator of a group by Newton's method.
    pub(super) fn root(
        &mut self,
        group: &Group,
        value: Var<'t>,
        obstacle: InversionError,
    ) -> Result<Solved<'t>, InversionError> {
        let Some(inputs) = self.inputs_of(group) else { return Err(obstacle) };
        let own: HashSet<u32> = group.outputs.iter().map(|output| self.outputs[*output]).collect();
        let last = own.iter().max().copied().unwrap_or(0);
        let before = self.recovered.first_missing_label()..last;
        if before.into_iter().any(|label| !own.contains(&label) && !self.recovered.is_complete(label)) {
            return Ok(Solved::NeedsItself(obstacle.place));
        }
        let unknown = self.tape.input(value.shape());
        let waiting = self.recovered.holds(inputs[0]);
        let (image, rest) = match self.dominator(group) {
            Some(rest) => match self.slice(group, &rest, unknown) {
                Ok(image) => (Some(image), rest),
                Err(Unsliced::NeedsItself) => return Ok(Solved::NeedsItself(obstacle.place)),
                Err(Unsliced::Mixed) => return Err(obstacle),
            },
            None if waiting => return Err(obstacle),
            None => {
                // The variables may be read in any shapes.
                self.recovered.push((unknown, inputs.clone()));
                let image = self.known(group.node, &group.elements);
                self.recovered.pop();
                let image = (image.len() == unknown.len()).then(|| image.reshape(unknown.shape()));
                (image, (self.map.inputs()[0], inputs))
            }
        };
        let Some(image) = image else { return Err(obstacle) };
        let subgraph = Subgraph::new(self.tape, &[unknown.id()], &[image.id()]);
        if !own_element_only(self.tape, &subgraph) {
            return Ok(Solved::NeedsItself(obstacle.place));
        }
        let within = self.bounds.of_elements(rest.0, &rest.1);
        let Some(rising) = self.monotone(&subgraph, (unknown, within), image) else {
            let reason = format!(
                "{}, and the bounds do not prove it strictly monotone in its variable, so Newton's method is \
                 not applicable either",
                obstacle.reason
            );
            return Err(InversionError { reason, ..obstacle });
        };
        let difference = if rising { image - value } else { value - image };
        // A closed end lies inside of the next wider open interval.
        let low = if within.low.open { within.low.at } else { within.low.at.next_down() };
        let high = if within.high.open { within.high.at } else { within.high.at.next_up() };
        let solution = root(self.tape, unknown, difference, (low, high));
        let rest = Group { node: rest.0, outputs: group.outputs.clone(), elements: rest.1 };
        Ok(Solved::For(solution, rest))
    }

    /// Whether these elements of a node depend on their own variables.
    fn is_own(&self, group: &Group, (id, elements): &Elements) -> Option<bool> {
        let own = |(output, e): (&usize, &usize)| self.label(*id, *e) == self.outputs[*output];
        let count = group.outputs.iter().zip(elements).filter(|pair| own(*pair)).count();
        match count {
            0 => Some(false),
            all if all == elements.len() => Some(true),
            _ => None,
        }
    }

    /// Returns what elements are computed from: their source if they are only moved, else the operands of an
    /// elementwise operation.
    fn made_of(&self, group: &Group, (id, elements): &Elements) -> Option<Vec<Elements>> {
        let here = Group { node: *id, outputs: group.outputs.clone(), elements: elements.clone() };
        let moved = self.split(here).ok()?;
        let [only] = moved.as_slice() else { return None };
        if only.node != *id {
            return Some(vec![(only.node, only.elements.clone())]);
        }
        self.tape.with_node(*id, |node| {
            let elementwise = node.op.is_elementwise();
            elementwise.then(|| node.operands.iter().map(|operand| (*operand, elements.clone())).collect())
        })
    }

    /// Returns the nearest elements through which all paths from the group to its variables lead; `None` where the
    /// paths are not chains of elementwise operations.
    fn dominator(&self, group: &Group) -> Option<Elements> {
        let mut frontier: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
        let mut next = (group.node, group.elements.clone());
        loop {
            for part in self.made_of(group, &next)? {
                if self.is_own(group, &part)? {
                    let elements = frontier.entry(part.0).or_insert_with(|| part.1.clone());
                    if *elements != part.1 {
                        return None;
                    }
                }
            }
            // Operands come before their users, so no other node of the frontier uses the last one.
            let last = frontier.pop_last()?;
            if frontier.is_empty() {
                return Some(last);
            }
            if self.map.is_input(last.0) {
                return None;
            }
            next = last;
        }
    }

    /// Records the group as a function of unknowns in place of these elements, the other operands being known.
    fn slice(&self, group: &Group, base: &Elements, unknown: Var<'t>) -> Result<Var<'t>, Unsliced> {
        let shape = unknown.shape();
        let mut done: HashMap<Elements, Var<'t>> = HashMap::from([(base.clone(), unknown)]);
        let top = (group.node, group.elements.clone());
        let mut stack = vec![top.clone()];
        while let Some(key) = stack.last().cloned() {
            if done.contains_key(&key) {
                stack.pop();
                continue;
            }
            let value = if self.is_own(group, &key).ok_or(Unsliced::Mixed)? {
                let parts = self.made_of(group, &key).ok_or(Unsliced::Mixed)?;
                let missing = parts.iter().filter(|part| !done.contains_key(*part));
                let missing: Vec<Elements> = missing.cloned().collect();
                if !missing.is_empty() {
                    stack.extend(missing);
                    continue;
                }
                let node = self.tape.node(key.0);
                match node.op.is_elementwise() {
                    false => done[&parts[0]],
                    true => {
                        let operands = parts.iter().map(|part| done[part].id()).collect();
                        let node = Node { op: node.op, operands, shape };
                        self.tape.var(self.tape.push_at(node, self.tape.place(key.0)))
                    }
                }
            } else if self.is_known(key.0, &key.1) {
                self.known(key.0, &key.1).reshape(shape)
            } else {
                return Err(Unsliced::NeedsItself);
            };
            done.insert(key, value);
            stack.pop();
        }
        Ok(done[&top])
    }

    /// Whether f is proven strictly increasing (true) or decreasing (false) in its variable: f and its slope are
    /// defined, the slope has one sign (bounds), and f is continuous, since at a jump slopes do not imply
    /// monotonicity.
    fn monotone(
        &mut self,
        subgraph: &Subgraph,
        (unknown, within): (Var<'t>, Bound),
        image: Var<'t>,
    ) -> Option<bool> {
        let one = self.tape.constant(1.0).broadcast(unknown.shape());
        let slope = tangent(self.tape, subgraph, &[(unknown.id(), one)])[0]?;
        self.bounds.give(unknown.id(), within.into());
        let mut bound = self.bounds.of(slope.id());
        if !(bound.defined && (bound.is_positive() || bound.is_negative())) {
            bound = self.bounds.by_elements(slope.id());
        }
        let sound =
            bound.defined && self.bounds.of(image.id()).defined && !may_be_discontinuous(self.tape, subgraph);
        (sound && (bound.is_positive() || bound.is_negative())).then(|| bound.is_positive())
    }
}

/// Whether each element of the output depends on its own element of the input and on no other.
fn own_element_only(tape: &Tape, subgraph: &Subgraph) -> bool {
    let reach = Reach::new(tape, subgraph, Relation::Value);
    let outputs = reach.output_elements();
    let n = outputs.len() as u32;
    let own = |labels: Vec<u32>| {
        let highest = reach.highest(&labels);
        outputs.iter().zip(labels).all(|(element, label)| highest[*element] == label)
    };
    own((0..n).collect()) && own((0..n).rev().collect())
}
