//! The invert sweep: the inverse of a triangular program, emitted as nodes.
//!
//! Output i is a function of its own input zᵢ alone once the inputs before it are known. If zᵢ occurs once, the
//! operations between zᵢ and the output are inverted from the outside inwards: x = z·eˢ + t gives x - t, then (x -
//! t)·e⁻ˢ. Outputs that are elements of one node are inverted together, so that a coupling layer's inverse is as long
//! as the layer. Known operands (s and t of a coupling layer) are recorded again on the inputs recovered so far;
//! hash-consing makes them the nodes that forward has.
//!
//! *Variables of one vector that depend on each other in order* (an autoregressive layer) are one equation z = G(x,
//! z) in which each element depends only on those before it: it is solved element by element, every node of it
//! computed once.
//!
//! *A variable that occurs several times*, or passes through an operation without an inverse, is found by Newton's
//! method between brackets, where the bounds prove that the output is strictly monotone in it. Otherwise the result
//! is an error that names the output, the operation and its source line.

mod recovered;
mod root;
mod undo;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use self::recovered::{Piece, Recovered};
use self::root::Solved;
use super::bound::{Bounds, Region};
use super::equation::substitution;
use super::reach::{NONE, Reach, Relation};
use crate::tape::{Node, NodeId, Op, Place, Shape, Subgraph, Tape, Var, concat};

/// Maximum number of variables that are solved one after the other: beyond it the conditioner would be repeated too
/// often.
const MOST_STAGES: usize = 64;

/// Why the inverse of a program cannot be derived as a formula.
#[derive(Clone, Debug, PartialEq)]
pub struct InversionError {
    /// The output, counted from 0.
    pub output: usize,
    /// The obstacle.
    pub reason: String,
    /// The source line of the operation.
    pub place: Place,
}

impl fmt::Display for InversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x[{}] {} ({})", self.output, self.reason, self.place)
    }
}

/// Outputs that are elements of one node, with their positions in it.
#[derive(Clone, Debug)]
struct Group {
    node: NodeId,
    outputs: Vec<usize>,
    elements: Vec<usize>,
}

/// Returns z with f(z) = y, as nodes; the labels give the position of each input and of each output in the order of
/// solving, and the regions are assumed bounds of z and y.
/// Every output is used once and every input is recovered once, each step inverting an operation that is one-to-one
/// where it is defined. So for a y in its region, wherever the result is defined it is the one z with f(z) = y, if
/// there is one.
///
/// # Errors
/// [`InversionError`], with the operation in the way.
pub fn invert<'t>(
    tape: &'t Tape,
    map: &Subgraph,
    (inputs, outputs): (&[u32], &[u32]),
    y: Var<'t>,
    (within, image): (Region, Region),
) -> Result<Var<'t>, InversionError> {
    if inputs.is_empty() {
        return Ok(y);
    }
    let reach = Reach::new(tape, map, Relation::Value);
    let highest = reach.highest(inputs);
    let input_of = inputs.iter().enumerate().map(|(input, label)| (*label, input)).collect();
    let bounds = Bounds::within(tape, [(map.inputs()[0], within.clone()), (y.id(), image)]);
    let recovered = Recovered::new(inputs);
    let mut sweep =
        Sweep { tape, map, highest, outputs, input_of, reach, recovered, bounds, d: inputs.len(), within };
    let whole = Group {
        node: map.outputs()[0],
        outputs: (0..outputs.len()).collect(),
        elements: (0..outputs.len()).collect(),
    };
    let mut groups = sweep.split(whole)?;
    groups.sort_by_key(|group| group.outputs.iter().map(|output| outputs[*output]).min());
    for group in groups {
        let value = sweep.pick(y, &group.outputs, sweep.like(group.node));
        match sweep.peel(&group, value)? {
            Peeled::Inputs(piece) => sweep.recover(&group, piece)?,
            Peeled::NeedsItself(place) => sweep.in_order(&group, y, place)?,
        }
    }
    match sweep.recovered.missing() {
        None => Ok(sweep.all()),
        Some(input) => {
            let reason = format!("and the other outputs do not determine z[{input}]");
            sweep.fail(0, map.outputs()[0], reason)
        }
    }
}

struct Sweep<'t, 'a> {
    tape: &'t Tape,
    map: &'a Subgraph,
    reach: Reach<'a>,
    highest: Vec<u32>,
    outputs: &'a [u32],
    /// The input of each label; the inputs of a block of a block triangular map share a label.
    input_of: HashMap<u32, usize>,
    recovered: Recovered<'t>,
    /// Bounds of all nodes, z being in its domain.
    bounds: Bounds<'t>,
    d: usize,
    within: Region,
}

enum Peeled<'t> {
    /// The values of these inputs.
    Inputs(Piece<'t>),
    /// An operand that should be known depends on another variable of the group.
    NeedsItself(Place),
}

impl<'t> Sweep<'t, '_> {
    fn fail<T>(&self, output: usize, node: NodeId, reason: impl Into<String>) -> Result<T, InversionError> {
        Err(InversionError { output, reason: reason.into(), place: self.tape.place(node) })
    }

    /// Accepts values of inputs as recovered, if the group is solved for these inputs and each is new.
    fn recover(&mut self, group: &Group, (value, inputs): Piece<'t>) -> Result<(), InversionError> {
        let labels: HashSet<u32> = group.outputs.iter().map(|output| self.outputs[*output]).collect();
        let mut seen = HashSet::new();
        let wrong = inputs.iter().find(|input| {
            let due = labels.contains(&self.recovered.label(**input)) && !self.recovered.holds(**input);
            !due || !seen.insert(**input)
        });
        if let Some(input) = wrong {
            let reason = format!("determines z[{input}], which another output determines too");
            return self.fail(group.outputs[0], group.node, reason);
        }
        // A recovered input lies in the domain of z, wherever the x lies that it was computed from.
        let region = match &self.within {
            Region::All(bound) => Region::All(*bound),
            each => inputs.iter().map(|input| each.element(*input)).collect::<Vec<_>>().into(),
        };
        self.bounds.give(value.id(), region);
        self.recovered.push((value, inputs));
        Ok(())
    }

    /// Whether a group is inverted scalar by scalar: an output that is an unchanged input belongs to the group of its
    /// stack.
    fn like(&self, node: NodeId) -> Shape {
        let stacked = self.tape.with_node(self.map.outputs()[0], |output| {
            output.op == Op::Concat
                && output.operands.iter().all(|part| self.tape.shape(*part) == Shape::Scalar)
        });
        if stacked && self.map.is_input(node) { Shape::Scalar } else { self.tape.shape(node) }
    }

    /// Traces outputs through data movement to the nodes that compute them.
    fn split(&self, whole: Group) -> Result<Vec<Group>, InversionError> {
        let mut groups: BTreeMap<NodeId, Group> = BTreeMap::new();
        for (output, element) in whole.outputs.iter().zip(&whole.elements) {
            let (mut id, mut e) = (whole.node, *element);
            while !self.map.is_input(id) {
                let node = self.tape.node(id);
                match &node.op {
                    Op::Gather(indices) => e = indices[e] as usize,
                    Op::Broadcast if node.shape.len() == 1 => e = 0,
                    Op::Transpose => {
                        let (rows, columns) = node.shape.matrix_dims();
                        e = (e % columns) * rows + e / columns;
                    }
                    Op::Concat => {
                        let part = node.operands.iter().find(|part| {
                            let length = self.tape.shape(**part).len();
                            let inside = e < length;
                            if !inside {
                                e -= length;
                            }
                            inside
                        });
                        id = *part.expect("an element lies in a part");
                        continue;
                    }
                    Op::Scatter(places) => {
                        let mut sources = (0..places.len()).filter(|k| places[*k] as usize == e);
                        match (sources.next(), sources.next()) {
                            (Some(source), None) => e = source,
                            (None, _) => return self.fail(*output, id, "is 0 whatever z is"),
                            _ => return self.fail(*output, id, "is a sum of several elements of a scatter"),
                        }
                    }
                    _ => break,
                }
                id = node.operands[0];
            }
            let group =
                groups.entry(id).or_insert(Group { node: id, outputs: Vec::new(), elements: Vec::new() });
            group.outputs.push(*output);
            group.elements.push(e);
        }
        Ok(groups.into_values().collect())
    }

    /// Solves a group whose variables depend on each other: as one equation, or else one after the other.
    fn in_order(&mut self, group: &Group, y: Var<'t>, place: Place) -> Result<(), InversionError> {
        let Some(inputs) = self.inputs_of(group) else { return self.one_by_one(group, y, place) };
        let unknown = self.tape.input(Shape::Vector(inputs.len()));
        self.recovered.push((unknown, inputs.clone()));
        let value = self.pick(y, &group.outputs, self.like(group.node));
        let peeled = self.peel(group, value);
        self.recovered.pop();
        if let Ok(Peeled::Inputs((value, elements))) = peeled
            && elements == inputs
        {
            let labels: Vec<u32> = group.outputs.iter().map(|output| self.outputs[*output]).collect();
            let mut sorted = labels.clone();
            sorted.sort_unstable();
            let order: Vec<u32> =
                labels.iter().map(|label| sorted.partition_point(|other| other < label) as u32).collect();
            if let Some(solved) = substitution(self.tape, unknown, value, &order) {
                return self.recover(group, (solved, inputs));
            }
        }
        self.one_by_one(group, y, place)
    }

    /// Returns the inputs that the outputs of a group are solved for, if there is one for each.
    fn inputs_of(&self, group: &Group) -> Option<Vec<usize>> {
        let of = |output: &usize| self.input_of[&self.outputs[*output]];
        (self.input_of.len() == self.d).then(|| group.outputs.iter().map(of).collect())
    }

    /// Solves a group whose variables depend on each other one after the other, in order.
    fn one_by_one(&mut self, group: &Group, y: Var<'t>, place: Place) -> Result<(), InversionError> {
        let mut members: Vec<(usize, usize)> =
            group.outputs.iter().copied().zip(group.elements.iter().copied()).collect();
        members.sort_by_key(|(output, _)| self.outputs[*output]);
        if members.len() > MOST_STAGES {
            let reason = format!(
                "depends on the variable before it, and so do {} others: the inverse needs as many \
                 sequential steps, too many for a formula",
                members.len() - 1
            );
            return Err(InversionError { output: members[0].0, reason, place });
        }
        for (output, element) in members {
            let one = Group { node: group.node, outputs: vec![output], elements: vec![element] };
            let value = self.pick(y, &[output], self.like(group.node));
            match self.peel(&one, value)? {
                Peeled::Inputs(piece) => self.recover(&one, piece)?,
                Peeled::NeedsItself(place) => {
                    let reason = "needs a variable that comes after it".to_string();
                    return Err(InversionError { output, reason, place });
                }
            }
        }
        Ok(())
    }

    /// Inverts one operation after the other, from the output inwards.
    fn peel(&mut self, group: &Group, value: Var<'t>) -> Result<Peeled<'t>, InversionError> {
        let Group { mut node, outputs, mut elements } = group.clone();
        let mut value = value;
        loop {
            if self.map.is_input(node) {
                return Ok(Peeled::Inputs((value, elements)));
            }
            let moved = self.split(Group { node, outputs: outputs.clone(), elements: elements.clone() })?;
            let [only] = moved.as_slice() else {
                return self.fail(outputs[0], node, "comes from several nodes that are then combined");
            };
            if only.node != node {
                (node, elements) = (only.node, only.elements.clone());
                continue;
            }
            let recorded = self.tape.node(node);
            if recorded.op == Op::MatVec {
                value = self.solve(&recorded, node, &outputs, &elements, value)?;
                node = recorded.operands[1];
                continue;
            }
            let undone = match recorded.op.is_elementwise() {
                false => {
                    let reason =
                        format!("passes through {}, which combines several elements", recorded.op.name());
                    self.fail(outputs[0], node, reason)
                }
                true => match self.unknown_operand(&recorded, node, &outputs, &elements) {
                    Ok(Some(unknown)) => self
                        .undo(&recorded, node, &outputs, &elements, unknown, value)
                        .map(|value| (value, recorded.operands[unknown])),
                    Ok(None) => return Ok(Peeled::NeedsItself(self.tape.place(node))),
                    Err(error) => Err(error),
                },
            };
            (value, node) = match undone {
                Ok(next) => next,
                Err(obstacle) => {
                    let group = Group { node, outputs: outputs.clone(), elements: elements.clone() };
                    match self.root(&group, value, obstacle)? {
                        Solved::For(value, rest) => {
                            elements = rest.elements;
                            (value, rest.node)
                        }
                        Solved::NeedsItself(place) => return Ok(Peeled::NeedsItself(place)),
                    }
                }
            };
        }
    }

    /// The label of an element: the position of the last variable it depends on.
    fn label(&self, id: NodeId, e: usize) -> u32 {
        let layout = self.reach.layout();
        layout.position(id).map_or(NONE, |_| self.highest[layout.elements(id).start + e])
    }

    /// Whether elements depend only on variables that are recovered.
    fn is_known(&self, id: NodeId, elements: &[usize]) -> bool {
        // An element whose label is below the first missing one is known.
        let missing = self.recovered.first_missing_label();
        elements.iter().all(|e| matches!(self.label(id, *e), label if label == NONE || label < missing))
    }

    /// Returns the operand that contains the unknown; `None` if the others are not known yet.
    fn unknown_operand(
        &self,
        recorded: &Node,
        id: NodeId,
        outputs: &[usize],
        elements: &[usize],
    ) -> Result<Option<usize>, InversionError> {
        let label = |operand: NodeId, e: usize| self.label(operand, e);
        let mut unknown = None;
        for (output, e) in outputs.iter().zip(elements) {
            let own = self.outputs[*output];
            let mut holders =
                (0..recorded.operands.len()).filter(|k| label(recorded.operands[*k], *e) == own);
            let (Some(holder), None) = (holders.next(), holders.next()) else {
                let reason = format!(
                    "uses its variable in both operands of {}, so it cannot be inverted step by step",
                    recorded.op.name()
                );
                return self.fail(*output, id, reason);
            };
            if *unknown.get_or_insert(holder) != holder {
                return self.fail(*output, id, "is computed from another operand than its neighbours");
            }
        }
        let unknown = unknown.expect("a group has an element");
        let others = (0..recorded.operands.len()).filter(|k| *k != unknown);
        let ready = others.into_iter().all(|k| self.is_known(recorded.operands[k], elements));
        Ok(ready.then_some(unknown))
    }

    /// Records the other operand's elements on the inputs recovered so far.
    fn known(&self, id: NodeId, elements: &[usize]) -> Var<'t> {
        let part = Subgraph::new(self.tape, self.map.inputs(), &[id]);
        let input = self.map.inputs()[0];
        let reached = Reach::new(self.tape, &part, Relation::Value);
        let depends = reached.depends_on_input(id);
        if !depends {
            return self.pick(self.tape.var(id), elements, self.tape.shape(id));
        }
        let mut renamed: HashMap<NodeId, NodeId> = HashMap::new();
        for node_id in part.nodes().iter().filter(|node_id| **node_id != input) {
            let mut node = self.tape.node(*node_id);
            // Inputs that were recovered together are read from one piece.
            if let Op::Gather(indices) = &node.op
                && node.operands[0] == input
                && let Some(value) = self.recovered_together(indices, node.shape)
            {
                renamed.insert(*node_id, value.id());
                continue;
            }
            let mut changed = false;
            for operand in &mut node.operands {
                if *operand == input {
                    renamed.entry(input).or_insert_with(|| self.all().id());
                }
                if let Some(new) = renamed.get(operand) {
                    *operand = *new;
                    changed = true;
                }
            }
            if changed {
                let place = self.tape.place(*node_id);
                renamed.insert(*node_id, self.tape.push_at(node, place));
            }
        }
        let value = match id == input {
            true => self.all(),
            false => self.tape.var(renamed.get(&id).copied().unwrap_or(id)),
        };
        self.pick(value, elements, self.tape.shape(id))
    }

    /// Reads these inputs from one piece, if it has them all.
    fn recovered_together(&self, indices: &[u32], shape: Shape) -> Option<Var<'t>> {
        let (value, places) = self.recovered.together(indices)?;
        let picked = self.pick(value, &places, shape);
        (picked.shape() == shape).then_some(picked)
    }

    /// Returns all inputs as one vector; 0 where they are not recovered yet.
    fn all(&self) -> Var<'t> {
        let (mut parts, place, missing) = self.recovered.parts();
        if missing > 0 {
            parts.push(self.tape.constant(0.0).broadcast(Shape::Vector(missing)));
        }
        let joined = if parts.len() == 1 && parts[0].shape() == Shape::Vector(self.d) {
            parts[0]
        } else {
            concat(parts)
        };
        match place.iter().enumerate().all(|(k, place)| k == *place) {
            true => joined,
            false => joined.gather(&place),
        }
    }

    /// Returns these elements, as a scalar if `like` is one; the node itself if it has no others.
    fn pick(&self, var: Var<'t>, elements: &[usize], like: Shape) -> Var<'t> {
        let shape = match (like, elements.len()) {
            (Shape::Scalar, 1) => Shape::Scalar,
            (_, count) => Shape::Vector(count),
        };
        let broadcast =
            self.tape.with_node(var.id(), |node| (node.op == Op::Broadcast).then(|| node.operands[0]));
        if let Some(scalar) = broadcast {
            return self.tape.var(scalar).broadcast(shape);
        }
        let whole = var.shape() == shape && elements.iter().enumerate().all(|(k, e)| k == *e);
        if whole { var } else { var.pick("gather", elements, shape) }
    }
}
