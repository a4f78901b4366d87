//! Inlining of equations into nodes that a program can run, and the order in which their elements are computed.
//!
//! A node that solves an equation holds a function. Lowering inlines the nodes of that function; its unknown becomes
//! a variable that a *block* computes: a substitution element by element, each element of each node once, as soon as
//! its operands are known; a root by iterating its slice. Nodes of the function that do not depend on its unknown
//! stay outside of the block and are computed once.

use std::collections::{HashMap, HashSet};

use super::plan::Output;
use crate::sweep::reach::{NONE, Reach, Relation};
use crate::sweep::tangent;
use crate::tape::{Equation, NodeId, Op, Operands, Shape, Subgraph, Tape};

/// The nodes to run to find the unknown of an equation; `W` is the type that names a node's work.
#[derive(Clone, Debug)]
pub(super) struct Block<W> {
    /// The unknown.
    pub variable: W,
    pub kind: Kind<W>,
    /// Whether it runs inside of another block.
    pub inner: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Kind<W> {
    /// z = G(z), element by element.
    Substitution {
        output: W,
        /// The work before the element of each stage is assigned: the nodes that have become computable by then.
        /// There is one stage more than there are elements: the work after the last one.
        stages: Vec<Vec<Part<W>>>,
        /// The element that is assigned at each stage.
        order: Vec<usize>,
    },
    /// z = G(z), by iteration.
    Contraction {
        output: W,
        lipschitz: f64,
        /// The nodes that depend on no element of z, and those that compute G.
        once: Vec<Part<W>>,
        iterate: Vec<Part<W>>,
    },
    /// h(z) = 0, by Newton's method between brackets.
    Root {
        value: W,
        slope: W,
        ends: (f64, f64),
        /// The nodes that depend on no element of z.
        once: Vec<Part<W>>,
        /// By element of z: the nodes that compute h and its slope there.
        slices: Vec<Vec<Part<W>>>,
    },
}

/// Some elements of a node, or of the unknown of another block.
#[derive(Clone, Debug)]
pub(super) enum Part<W> {
    Run { node: W, elements: Vec<usize> },
    Solve { block: usize, elements: Vec<usize> },
}

impl<W: Copy> Block<W> {
    /// The nodes that it runs, in order; a root's slices once each.
    pub(super) fn parts(&self) -> Vec<&Part<W>> {
        match &self.kind {
            Kind::Substitution { stages, .. } => stages.iter().flatten().collect(),
            Kind::Contraction { once, iterate, .. } => once.iter().chain(iterate).collect(),
            Kind::Root { once, slices, .. } => once.iter().chain(slices.iter().flatten()).collect(),
        }
    }

    /// The results that it reads.
    pub(super) fn results(&self) -> Vec<W> {
        match &self.kind {
            Kind::Substitution { output, .. } | Kind::Contraction { output, .. } => vec![*output],
            Kind::Root { value, slope, .. } => vec![*value, *slope],
        }
    }
}

/// A program without equations, and the blocks that compute its variables.
pub(super) struct Lowered {
    pub tape: Tape,
    pub inputs: Vec<NodeId>,
    pub outputs: Vec<Output>,
    pub blocks: Vec<Block<NodeId>>,
}

impl Lowered {
    /// Nodes that only blocks run.
    pub(super) fn members(&self) -> HashSet<NodeId> {
        let parts = self.blocks.iter().flat_map(Block::parts);
        let run = |part: &Part<NodeId>| match part {
            Part::Run { node, .. } => Some(*node),
            Part::Solve { .. } => None,
        };
        parts.filter_map(run).collect()
    }
}

/// Inlines the equations of a program; `None` when it has none.
pub(super) fn lower(tape: &Tape, inputs: &[NodeId], outputs: &[Output]) -> Option<Lowered> {
    let wanted: Vec<NodeId> = outputs.iter().map(|output| output.node()).collect();
    let subgraph = Subgraph::new(tape, inputs, &wanted);
    let is_equation = |id: &NodeId| tape.with_node(*id, |node| matches!(node.op, Op::Equation(_)));
    if !subgraph.nodes().iter().any(|id| !subgraph.is_input(*id) && is_equation(id)) {
        return None;
    }
    let new = tape.sibling();
    let mut known: HashMap<NodeId, NodeId> = HashMap::new();
    for input in inputs {
        known.insert(*input, new.input(tape.shape(*input)).id());
    }
    let mut unfolding = Unfolding { to: &new, blocks: Vec::new(), beside: Vec::new() };
    unfolding.copy(tape, &subgraph, &mut known);
    let blocks = unfolding.blocks;
    Some(Lowered {
        inputs: inputs.iter().map(|id| known[id]).collect(),
        outputs: outputs.iter().map(|output| output.at(known[&output.node()])).collect(),
        blocks,
        tape: new,
    })
}

struct Unfolding<'t> {
    to: &'t Tape,
    blocks: Vec<Block<NodeId>>,
    /// For each block, the nodes of its function that do not depend on its unknown: factors of a slope, which are computed
    /// once, but in a block around it not before what they depend on.
    beside: Vec<Vec<NodeId>>,
}

impl Unfolding<'_> {
    /// Copies the nodes of a subgraph; equations become variables, each computed by the block of that number.
    fn copy(
        &mut self,
        from: &Tape,
        subgraph: &Subgraph,
        known: &mut HashMap<NodeId, NodeId>,
    ) -> HashMap<NodeId, usize> {
        let mut blocks = HashMap::new();
        for id in subgraph.nodes() {
            if known.contains_key(id) {
                continue;
            }
            let mut node = from.node(*id);
            let operands: Operands = node.operands.iter().map(|operand| known[operand]).collect();
            let new = match &node.op {
                Op::Equation(equation) => {
                    let (block, beside) = self.equation(equation, node.shape, &operands);
                    let variable = block.variable;
                    blocks.insert(*id, self.blocks.len());
                    self.blocks.push(block);
                    self.beside.push(beside);
                    variable
                }
                _ => {
                    node.operands = operands;
                    self.to.push_at(node, from.place(*id))
                }
            };
            known.insert(*id, new);
        }
        blocks
    }

    /// The block of an equation, and the nodes beside it.
    fn equation(
        &mut self,
        equation: &Equation,
        shape: Shape,
        operands: &[NodeId],
    ) -> (Block<NodeId>, Vec<NodeId>) {
        let count = shape.len();
        let mut sorted: Vec<Vec<Part<NodeId>>> = (0..count + 1).map(|_| Vec::new()).collect();
        // Parts by the label they wait for, after the parts that wait for none.
        let mut sort = |parts: Vec<(u32, Part<NodeId>)>| {
            for (label, part) in parts {
                let stage = if label == NONE { 0 } else { label as usize + 1 };
                sorted[stage].push(part);
            }
        };
        match equation {
            Equation::Substitution(equation) => {
                let (local, inputs, output) = equation.function.tape();
                let labels = &equation.order;
                let Unfolded { variable, known, parts, beside } =
                    self.unfold(&local, &inputs, &[output], operands, labels);
                sort(parts);
                let mut order = vec![0; count];
                labels.iter().enumerate().for_each(|(e, place)| order[*place as usize] = e);
                let kind = Kind::Substitution { output: known[&output], stages: sorted, order };
                (Block { variable, kind, inner: false }, beside)
            }
            Equation::Contraction(equation) => {
                let (local, inputs, output) = equation.function.tape();
                // All elements become known at once.
                let labels = vec![0; count];
                let Unfolded { variable, known, parts, beside } =
                    self.unfold(&local, &inputs, &[output], operands, &labels);
                sort(parts);
                let iterate = sorted.swap_remove(1);
                let once = sorted.swap_remove(0);
                let lipschitz = equation.constant();
                let kind = Kind::Contraction { output: known[&output], lipschitz, once, iterate };
                (Block { variable, kind, inner: false }, beside)
            }
            Equation::Root(equation) => {
                let (local, inputs, value) = equation.function.tape();
                let one = local.constant(1.0).broadcast(shape);
                let subgraph = Subgraph::new(&local, &inputs, &[value]);
                let slope = tangent(&local, &subgraph, &[(inputs[0], one)])[0].expect("h grows with z").id();
                let labels: Vec<u32> = (0..count as u32).collect();
                let Unfolded { variable, known, parts, beside } =
                    self.unfold(&local, &inputs, &[value, slope], operands, &labels);
                sort(parts);
                let slices = sorted.split_off(1);
                let once = sorted.swap_remove(0);
                let ends = (equation.ends.values()[0], equation.ends.values()[1]);
                let kind = Kind::Root { value: known[&value], slope: known[&slope], ends, once, slices };
                (Block { variable, kind, inner: false }, beside)
            }
        }
    }

    /// Records a function's nodes on the tape, with a new variable.
    fn unfold(
        &mut self,
        local: &Tape,
        inputs: &[NodeId],
        outputs: &[NodeId],
        operands: &[NodeId],
        labels: &[u32],
    ) -> Unfolded {
        let subgraph = Subgraph::new(local, &inputs[..1], outputs);
        let reach = Reach::new(local, &subgraph, Relation::Value);
        let highest = reach.highest(labels);
        let variable = self.to.input(local.shape(inputs[0])).id();
        let arguments = [variable].into_iter().chain(operands.iter().copied());
        let mut known: HashMap<NodeId, NodeId> = inputs.iter().copied().zip(arguments).collect();
        let inner = self.copy(local, &subgraph, &mut known);
        let (mut parts, mut beside) = (Vec::new(), Vec::new());
        let mut run: HashSet<NodeId> = HashSet::new();
        for id in subgraph.nodes().iter().filter(|id| !subgraph.is_input(**id)) {
            if !reach.depends_on_input(*id) {
                beside.push(known[id]);
                continue;
            }
            if let Some(block) = inner.get(id) {
                self.blocks[*block].inner = true;
                parts.extend(self.beside_inner(*block, variable, labels, &mut run));
            } else if !run.insert(known[id]) {
                continue;
            }
            let highest = &highest[reach.layout().elements(*id)];
            parts.extend(by_label(highest).into_iter().map(|(label, elements)| {
                let part = match inner.get(id) {
                    Some(block) => Part::Solve { block: *block, elements },
                    None => Part::Run { node: known[id], elements },
                };
                (label, part)
            }));
        }
        Unfolded { variable, known, parts, beside }
    }

    /// The nodes beside an inner block that depend on the unknown of this one, in their order.
    fn beside_inner(
        &self,
        block: usize,
        variable: NodeId,
        labels: &[u32],
        run: &mut HashSet<NodeId>,
    ) -> Vec<(u32, Part<NodeId>)> {
        let beside = &self.beside[block];
        let subgraph = Subgraph::new(self.to, &[variable], beside);
        let reach = Reach::new(self.to, &subgraph, Relation::Value);
        let highest = reach.highest(labels);
        let mut parts = Vec::new();
        for node in subgraph.nodes().iter().copied() {
            if beside.contains(&node) && reach.depends_on_input(node) && run.insert(node) {
                let highest = &highest[reach.layout().elements(node)];
                let run = |(label, elements)| (label, Part::Run { node, elements });
                parts.extend(by_label(highest).into_iter().map(run));
            }
        }
        parts
    }
}

/// The elements of a node by the label that each waits for.
fn by_label(labels: &[u32]) -> Vec<(u32, Vec<usize>)> {
    let mut sorted: Vec<(u32, usize)> = labels.iter().copied().zip(0..).collect();
    sorted.sort_unstable();
    sorted
        .chunk_by(|a, b| a.0 == b.0)
        .map(|group| (group[0].0, group.iter().map(|(_, e)| *e).collect()))
        .collect()
}

/// A function's nodes on the tape: those that depend on its variable are split into parts by the largest label among
/// the elements of the variable that they depend on, in the order of the nodes.
struct Unfolded {
    variable: NodeId,
    known: HashMap<NodeId, NodeId>,
    parts: Vec<(u32, Part<NodeId>)>,
    /// The nodes that do not depend on it.
    beside: Vec<NodeId>,
}
