//! The invert sweep: a triangular program run backwards, emitted as nodes.
//!
//! Output i is a function of its own input zᵢ alone once the inputs before it are known. If zᵢ occurs once on
//! the way, the chain of operations between them is peeled off from the outside: x = z·eˢ + t gives x - t,
//! then (x - t)·e⁻ˢ. Outputs that come out of one node are peeled together, so that a coupling layer's inverse
//! is as long as the layer. What is known (s and t of a coupling layer) is recorded again on the inputs
//! recovered so far; hash-consing makes it the node that forward has.
//!
//! Where a variable occurs several times, or passes through an operation that has no inverse, the answer is an
//! error that says which one and where.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::panic::Location;

use super::reach::{NONE, Reach, Relation};
use crate::tape::{Cut, Node, NodeId, Op, Shape, Tape, Var, concat};

/// Beyond so many variables that each need the one before, the conditioner would be written out too often.
const MOST_STAGES: usize = 64;

/// Why a program cannot be run backwards as a formula.
#[derive(Clone, Debug, PartialEq)]
pub struct NotInverted {
    /// The output, counted from 0.
    pub output: usize,
    /// What stands in the way.
    pub reason: String,
    /// The source line of the operation.
    pub place: &'static Location<'static>,
}

impl fmt::Display for NotInverted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x[{}] {} ({}:{})", self.output, self.reason, self.place.file(), self.place.line())
    }
}

/// Outputs that come out of one node: which output is which element.
#[derive(Clone, Debug)]
struct Group {
    node: NodeId,
    outputs: Vec<usize>,
    elements: Vec<usize>,
}

/// z with f(z) = y, as nodes; `order` gives the place of each input and of each output in the order of solving.
///
/// # Errors
/// [`NotInverted`], with the operation in the way.
pub fn invert<'t>(
    tape: &'t Tape,
    map: &Cut,
    (inputs, outputs): (&[u32], &[u32]),
    y: Var<'t>,
) -> Result<Var<'t>, NotInverted> {
    let reach = Reach::new(tape, map, Relation::Value);
    let highest = reach.highest(inputs);
    let mut sweep = Sweep { tape, map, highest, outputs, reach, pieces: Vec::new(), d: inputs.len() };
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
            Peeled::Inputs(piece) => sweep.pieces.push(piece),
            Peeled::NeedsItself(place) => sweep.one_by_one(&group, y, place)?,
        }
    }
    Ok(sweep.recovered())
}

struct Sweep<'t, 'a> {
    tape: &'t Tape,
    map: &'a Cut,
    reach: Reach<'a>,
    highest: Vec<u32>,
    outputs: &'a [u32],
    /// Values of inputs recovered so far, and which inputs they are.
    pieces: Vec<(Var<'t>, Vec<usize>)>,
    d: usize,
}

enum Peeled<'t> {
    /// The values of these inputs.
    Inputs((Var<'t>, Vec<usize>)),
    /// Something that should be known depends on another variable of the group.
    NeedsItself(&'static Location<'static>),
}

impl<'t> Sweep<'t, '_> {
    fn fail<T>(&self, output: usize, node: NodeId, reason: impl Into<String>) -> Result<T, NotInverted> {
        Err(NotInverted { output, reason: reason.into(), place: self.tape.place(node) })
    }

    /// Whether a group is written in scalars: what is passed on as it is goes with the others of its stack.
    fn like(&self, node: NodeId) -> Shape {
        let stacked = self.tape.look(self.map.outputs()[0], |output| {
            output.op == Op::Concat
                && output.operands.iter().all(|part| self.tape.shape(*part) == Shape::Scalar)
        });
        if stacked && self.map.is_input(node) { Shape::Scalar } else { self.tape.shape(node) }
    }

    /// Follows outputs through what only moves data, to the nodes that compute them.
    fn split(&self, whole: Group) -> Result<Vec<Group>, NotInverted> {
        let mut groups: BTreeMap<NodeId, Group> = BTreeMap::new();
        for (output, element) in whole.outputs.iter().zip(&whole.elements) {
            let (mut id, mut e) = (whole.node, *element);
            while !self.map.is_input(id) {
                let node = self.tape.node(id);
                match &node.op {
                    Op::Gather(indices) => e = indices[e] as usize,
                    Op::Broadcast if node.shape.len() == 1 => e = 0,
                    Op::Transpose => {
                        let Shape::Matrix(rows, columns) = node.shape else { unreachable!("a matrix") };
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

    /// A group whose variables need one another: in order, one after the other.
    fn one_by_one(
        &mut self,
        group: &Group,
        y: Var<'t>,
        place: &'static Location<'static>,
    ) -> Result<(), NotInverted> {
        let mut members: Vec<(usize, usize)> =
            group.outputs.iter().copied().zip(group.elements.iter().copied()).collect();
        members.sort_by_key(|(output, _)| self.outputs[*output]);
        if members.len() > MOST_STAGES {
            let reason = format!(
                "needs the variable before it, and so do {} others: the inverse is a sequence of that many \
                 steps, too long for a formula",
                members.len() - 1
            );
            return Err(NotInverted { output: members[0].0, reason, place });
        }
        for (output, element) in members {
            let one = Group { node: group.node, outputs: vec![output], elements: vec![element] };
            let value = self.pick(y, &[output], self.like(group.node));
            match self.peel(&one, value)? {
                Peeled::Inputs(piece) => self.pieces.push(piece),
                Peeled::NeedsItself(place) => {
                    let reason = "needs a variable that comes after it".to_string();
                    return Err(NotInverted { output, reason, place });
                }
            }
        }
        Ok(())
    }

    /// Takes one operation after the other from around the unknown.
    fn peel(&self, group: &Group, value: Var<'t>) -> Result<Peeled<'t>, NotInverted> {
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
            if !recorded.op.is_elementwise() {
                let reason = format!("passes through {}, which mixes elements", recorded.op.name());
                return self.fail(outputs[0], node, reason);
            }
            let unknown = match self.unknown_operand(&recorded, node, &outputs, &elements)? {
                Some(unknown) => unknown,
                None => return Ok(Peeled::NeedsItself(self.tape.place(node))),
            };
            value = self.undo(&recorded, node, &outputs, &elements, unknown, value)?;
            node = recorded.operands[unknown];
        }
    }

    /// Which operand holds the unknown; `None` if the others are not known yet.
    fn unknown_operand(
        &self,
        recorded: &Node,
        id: NodeId,
        outputs: &[usize],
        elements: &[usize],
    ) -> Result<Option<usize>, NotInverted> {
        let label = |operand: NodeId, e: usize| {
            let position = self.reach.layout().position(operand);
            position.map_or(NONE, |_| self.highest[self.reach.layout().elements(operand).start + e])
        };
        let mut unknown = None;
        for (output, e) in outputs.iter().zip(elements) {
            let own = self.outputs[*output];
            let mut holders =
                (0..recorded.operands.len()).filter(|k| label(recorded.operands[*k], *e) == own);
            let (Some(holder), None) = (holders.next(), holders.next()) else {
                let reason = format!(
                    "uses its variable on both sides of {}: no chain of operations to undo",
                    recorded.op.name()
                );
                return self.fail(*output, id, reason);
            };
            if *unknown.get_or_insert(holder) != holder {
                return self.fail(*output, id, "is computed from another operand than its neighbours");
            }
        }
        let unknown = unknown.expect("a group has an element");
        let known: Vec<usize> = self.pieces.iter().flat_map(|(_, inputs)| inputs.iter().copied()).collect();
        let input_elements = self.reach.input_elements();
        let solved: HashSet<u32> = known.iter().map(|input| self.highest[input_elements[*input]]).collect();
        // What depends on labels below the first that is missing, and on no other, is known.
        let missing = (0..).find(|label| !solved.contains(label)).unwrap_or(NONE);
        let others = (0..recorded.operands.len()).filter(|k| *k != unknown);
        let ready = others.flat_map(|k| elements.iter().map(move |e| (k, *e))).all(
            |(k, e)| matches!(label(recorded.operands[k], e), found if found == NONE || found < missing),
        );
        Ok(ready.then_some(unknown))
    }

    /// The other operand's elements, on the inputs recovered so far.
    fn known(&self, id: NodeId, elements: &[usize]) -> Var<'t> {
        let part = Cut::new(self.tape, self.map.inputs(), &[id]);
        let input = self.map.inputs()[0];
        let reached = Reach::new(self.tape, &part, Relation::Value);
        let depends = reached.depends_on_input(id);
        if !depends {
            return self.pick(self.tape.var(id), elements, self.tape.shape(id));
        }
        let mut renamed: HashMap<NodeId, NodeId> = HashMap::from([(input, self.recovered().id())]);
        for node_id in part.nodes().iter().filter(|node_id| **node_id != input) {
            let mut node = self.tape.node(*node_id);
            // Inputs that were recovered together are read where they are.
            if let Op::Gather(indices) = &node.op
                && node.operands[0] == input
                && let Some(value) = self.recovered_together(indices, node.shape)
            {
                renamed.insert(*node_id, value.id());
                continue;
            }
            let mut changed = false;
            for operand in &mut node.operands {
                if let Some(new) = renamed.get(operand) {
                    *operand = *new;
                    changed = true;
                }
            }
            if changed {
                renamed.insert(*node_id, self.tape.push(node.op, node.operands, node.shape).id());
            }
        }
        self.pick(self.tape.var(renamed.get(&id).copied().unwrap_or(id)), elements, self.tape.shape(id))
    }

    /// These inputs, if one piece holds them all.
    fn recovered_together(&self, indices: &[u32], shape: Shape) -> Option<Var<'t>> {
        self.pieces.iter().find_map(|(value, inputs)| {
            let place = |i: &u32| inputs.iter().position(|input| *input == *i as usize);
            let places: Vec<usize> = indices.iter().map(place).collect::<Option<_>>()?;
            let picked = self.pick(*value, &places, shape);
            (picked.shape() == shape).then_some(picked)
        })
    }

    /// All inputs as one vector; 0 where they are not recovered yet.
    fn recovered(&self) -> Var<'t> {
        let mut place = vec![usize::MAX; self.d];
        let mut next = 0;
        for (_, inputs) in &self.pieces {
            for input in inputs {
                place[*input] = next;
                next += 1;
            }
        }
        let mut parts: Vec<Var<'t>> = self.pieces.iter().map(|(value, _)| *value).collect();
        let missing: Vec<usize> = (0..self.d).filter(|input| place[*input] == usize::MAX).collect();
        if !missing.is_empty() {
            missing.iter().enumerate().for_each(|(k, input)| place[*input] = next + k);
            parts.push(self.tape.constant(0.0).broadcast(Shape::Vector(missing.len())));
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

    /// These elements, as a scalar if `like` is one; the node itself where that is all of it.
    fn pick(&self, var: Var<'t>, elements: &[usize], like: Shape) -> Var<'t> {
        let shape = match (like, elements.len()) {
            (Shape::Scalar, 1) => Shape::Scalar,
            (_, count) => Shape::Vector(count),
        };
        let broadcast = self.tape.look(var.id(), |node| (node.op == Op::Broadcast).then(|| node.operands[0]));
        if let Some(scalar) = broadcast {
            return self.tape.var(scalar).broadcast(shape);
        }
        let whole = var.shape() == shape && elements.iter().enumerate().all(|(k, e)| k == *e);
        if whole { var } else { var.pick("gather", elements, shape) }
    }

    /// v with W·v = y, where W is square and the whole of v is unknown.
    fn solve(
        &self,
        recorded: &Node,
        id: NodeId,
        outputs: &[usize],
        elements: &[usize],
        value: Var<'t>,
    ) -> Result<Var<'t>, NotInverted> {
        let matrix = recorded.operands[0];
        let fixed = {
            let part = Cut::new(self.tape, self.map.inputs(), &[matrix]);
            !Reach::new(self.tape, &part, Relation::Value).depends_on_input(matrix)
        };
        let shape = self.tape.shape(matrix);
        let whole = elements.iter().enumerate().all(|(k, e)| k == *e);
        if !fixed || !whole || shape != Shape::Matrix(elements.len(), elements.len()) {
            let reason = "passes through a matrix that is not square, not whole or not fixed";
            return self.fail(outputs[0], id, reason);
        }
        Ok(self.tape.var(matrix).inverse().matvec(value))
    }

    /// The unknown operand of one operation, from its result and the other operand.
    fn undo(
        &self,
        recorded: &Node,
        id: NodeId,
        outputs: &[usize],
        elements: &[usize],
        unknown: usize,
        y: Var<'t>,
    ) -> Result<Var<'t>, NotInverted> {
        let other = || self.known(recorded.operands[1 - unknown], elements);
        let two = |what: &str| self.fail(outputs[0], id, format!("passes through {what}: two z for one x"));
        Ok(match &recorded.op {
            Op::Neg => -y,
            Op::Recip => y.recip(),
            Op::Exp => y.ln(),
            Op::Ln => y.exp(),
            Op::ExpM1 => y.ln_1p(),
            Op::Ln1p => y.exp_m1(),
            Op::Sinh => y.asinh(),
            Op::Asinh => y.sinh(),
            Op::Tanh => 0.5 * (y.ln_1p() - (-y).ln_1p()),
            Op::Sigmoid => y.ln() - (-y).ln_1p(),
            Op::Softplus => y + (-(-y).exp_m1()).ln(),
            Op::Sqrt => y * y,
            Op::Powi(1) => y,
            Op::Powi(-1) => y.recip(),
            Op::Powi(k) if k % 2 != 0 => y.sign() * y.abs().pow(1.0 / f64::from(*k)),
            Op::Powi(_) => return two("an even power"),
            Op::Abs => return two("|·|"),
            Op::Cosh => return two("an even function"),
            Op::Sin | Op::Cos => return two("a periodic function"),
            Op::Add => y - other(),
            Op::Sub if unknown == 0 => y + other(),
            Op::Sub => other() - y,
            // Dividing by eˢ is multiplying by e⁻ˢ, as one would write it.
            Op::Mul => match self.exponent(recorded.operands[1 - unknown]) {
                Some((s, true)) => y * self.known(s, elements).exp(),
                Some((s, false)) => y * (-self.known(s, elements)).exp(),
                None => y / other(),
            },
            Op::Div if unknown == 0 => y * other(),
            Op::Div => other() / y,
            Op::Pow if unknown == 0 => y.pow(other().recip()),
            Op::Pow => y.ln() / other().ln(),
            op => {
                let reason = format!("passes through {}, which has no inverse here", op.name());
                return self.fail(outputs[0], id, reason);
            }
        })
    }

    /// s, where the node is eˢ or e⁻ˢ, and whether it is the latter.
    fn exponent(&self, id: NodeId) -> Option<(NodeId, bool)> {
        let argument = self.tape.look(id, |node| (node.op == Op::Exp).then(|| node.operands[0]))?;
        let inner = self.tape.look(argument, |node| (node.op == Op::Neg).then(|| node.operands[0]));
        Some(inner.map_or((argument, false), |inner| (inner, true)))
    }
}
