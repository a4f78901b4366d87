//! Inlining of equations into nodes that a program can run, and the order in which their elements are computed.
//!
//! A node that solves an equation holds a function. Lowering inlines the nodes of that function; its unknown becomes
//! a variable that a *block* computes: a substitution element by element, each element of each node once, as soon as
//! its operands are known; a root by iterating its slice. Nodes of the function that do not depend on its unknown
//! stay outside of the block and are computed once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::plan::Output;
use crate::sweep::reach::{NONE, Reach, Relation};
use crate::sweep::{Backwards, system_jacobian, tangent};
use crate::tape::{Equation, InitialValue, NodeId, Op, Operands, Place, Shape, Solution, Subgraph, Tape};

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
    /// h(c) = 0 for all elements of c together, by Newton's method.
    System {
        value: W,
        /// ∂h/∂c.
        jacobian: W,
        /// The nodes that depend on no element of c, and those that compute h and its Jacobian.
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
    /// z(t₁) of an initial-value problem: the variable is z at a stage. The solution is another one, so that what is computed of
    /// it is not what the body computes of z, though it may be the same function.
    Motion {
        problem: Arc<InitialValue>,
        place: Place,
        /// z(t₀).
        start: W,
        time: W,
        velocity: W,
        body: Vec<Part<W>>,
        end: W,
        /// Whether an adjoint needs the points of all stages.
        keeps: bool,
    },
    /// The adjoints of a motion: the variable is z at a stage.
    Adjoint {
        problem: Arc<InitialValue>,
        place: Place,
        /// The block of the motion.
        motion: usize,
        /// The weight of z(t₁).
        weight: W,
        time: W,
        /// The weight of v at a stage.
        stage_weight: W,
        body: Vec<Part<W>>,
        /// v_zᵀ times the weight, unless it is 0.
        back: Option<W>,
        /// The node of the adjoint of z(t₀), if it is asked for.
        initial: Option<W>,
        shares: Vec<Share<W>>,
    },
}

/// The adjoint of a captured node: the sum over all stages of all steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share<W> {
    /// The operand of the solution.
    pub of: u32,
    /// The sum.
    pub variable: W,
    /// What is added at each stage.
    pub node: W,
}

/// Some elements of a node, or of the unknown of another block.
#[derive(Clone, Debug)]
pub(super) enum Part<W> {
    Run {
        node: W,
        elements: Vec<usize>,
    },
    /// A node with all of its elements, in the body of a loop over steps.
    Whole(W),
    Solve {
        block: usize,
        elements: Vec<usize>,
    },
}

impl<W: Copy> Block<W> {
    /// The nodes that it runs, in order; a root's slices once each.
    pub(super) fn parts(&self) -> Vec<&Part<W>> {
        match &self.kind {
            Kind::Substitution { stages, .. } => stages.iter().flatten().collect(),
            Kind::Contraction { once, iterate, .. } | Kind::System { once, iterate, .. } => {
                once.iter().chain(iterate).collect()
            }
            Kind::Root { once, slices, .. } => once.iter().chain(slices.iter().flatten()).collect(),
            Kind::Motion { body, .. } | Kind::Adjoint { body, .. } => body.iter().collect(),
        }
    }

    /// The source line of an initial-value problem.
    pub(super) fn place(&self) -> Option<Place> {
        match &self.kind {
            Kind::Motion { place, .. } | Kind::Adjoint { place, .. } => Some(*place),
            _ => None,
        }
    }

    /// Whether it is a loop over steps: its body is a program of its own kind, whose nodes are computed whole.
    pub(super) fn is_integration(&self) -> bool {
        matches!(self.kind, Kind::Motion { .. } | Kind::Adjoint { .. })
    }

    /// The inputs that it gives values to.
    pub(super) fn variables(&self) -> Vec<W> {
        match &self.kind {
            Kind::Motion { time, end, .. } => vec![self.variable, *time, *end],
            Kind::Adjoint { time, stage_weight, initial, shares, .. } => {
                [self.variable, *time, *stage_weight]
                    .into_iter()
                    .chain(*initial)
                    .chain(shares.iter().map(|share| share.variable))
                    .collect()
            }
            _ => vec![self.variable],
        }
    }

    /// The variable that is the solution in the end.
    fn solution(&self) -> W {
        match &self.kind {
            Kind::Motion { end, .. } => *end,
            _ => self.variable,
        }
    }

    /// The variable of the adjoint of an operand.
    fn adjoint_of(&self, of: u32) -> W {
        let own = match &self.kind {
            Kind::Adjoint { initial, .. } if of == 0 => *initial,
            _ => self.shares().iter().find(|share| share.of == of).map(|share| share.variable),
        };
        own.expect("adjoints are recorded of what v depends on, and asked for")
    }

    /// The adjoints of captured nodes.
    pub(super) fn shares(&self) -> &[Share<W>] {
        match &self.kind {
            Kind::Adjoint { shares, .. } => shares,
            _ => &[],
        }
    }

    /// The results that it reads, whatever is asked for; shares are read if they are.
    pub(super) fn results(&self) -> Vec<W> {
        match &self.kind {
            Kind::Motion { start, velocity, .. } => vec![*start, *velocity],
            Kind::Adjoint { weight, back, .. } => [*weight].into_iter().chain(*back).collect(),
            Kind::Substitution { output, .. } | Kind::Contraction { output, .. } => vec![*output],
            Kind::System { value, jacobian, .. } => vec![*value, *jacobian],
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
            Part::Run { node, .. } | Part::Whole(node) => Some(*node),
            Part::Solve { .. } => None,
        };
        parts.filter_map(run).collect()
    }
}

/// Inlines the equations of a program; `None` when it has none.
pub(super) fn lower(tape: &Tape, inputs: &[NodeId], outputs: &[Output]) -> Option<Lowered> {
    let wanted: Vec<NodeId> = outputs.iter().map(|output| output.node()).collect();
    let subgraph = Subgraph::new(tape, inputs, &wanted);
    let is_equation =
        |id: &NodeId| tape.with_node(*id, |node| matches!(node.op, Op::Equation(_) | Op::Solution(_)));
    if !subgraph.nodes().iter().any(|id| !subgraph.is_input(*id) && is_equation(id)) {
        return None;
    }
    let new = tape.sibling();
    let mut known: HashMap<NodeId, NodeId> = HashMap::new();
    for input in inputs {
        known.insert(*input, new.input(tape.shape(*input)).id());
    }
    let mut unfolding =
        Unfolding { to: &new, blocks: Vec::new(), beside: Vec::new(), motions: HashMap::new() };
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
    /// The blocks of motions, by problem and operands: an adjoint goes back over the steps that were taken for the value.
    motions: HashMap<(Arc<InitialValue>, Vec<NodeId>), usize>,
}

impl Unfolding<'_> {
    /// Copies the nodes of a subgraph; equations become variables, each computed by the block of that number.
    fn copy(
        &mut self,
        from: &Tape,
        subgraph: &Subgraph,
        known: &mut HashMap<NodeId, NodeId>,
    ) -> HashMap<NodeId, Vec<usize>> {
        let mut blocks = HashMap::new();
        let mut adjoints: HashMap<(Arc<InitialValue>, Vec<NodeId>), usize> = HashMap::new();
        for id in subgraph.nodes() {
            if known.contains_key(id) {
                continue;
            }
            let mut node = from.node(*id);
            let operands: Operands = node.operands.iter().map(|operand| known[operand]).collect();
            let place = from.place(*id);
            let new = match &node.op {
                Op::Equation(equation) => {
                    let (block, beside) = self.equation(equation, node.shape, &operands);
                    let variable = block.variable;
                    blocks.insert(*id, vec![self.push(block, beside)]);
                    variable
                }
                Op::Solution(Solution::End(problem)) => {
                    let block = self.motion(problem, &operands, place);
                    blocks.insert(*id, vec![block]);
                    self.blocks[block].solution()
                }
                Op::Solution(Solution::Adjoint(problem, of)) => {
                    let key = (problem.clone(), operands.to_vec());
                    let (block, new) = match adjoints.get(&key) {
                        Some(block) => (*block, Vec::new()),
                        None => {
                            // All adjoints of one solution are computed together.
                            let alike = |other: &NodeId| {
                                from.with_node(*other, |other| match &other.op {
                                    Op::Solution(Solution::Adjoint(own, of)) => {
                                        (own == problem && other.operands == node.operands).then_some(*of)
                                    }
                                    _ => None,
                                })
                            };
                            let asked: Vec<u32> = subgraph.nodes().iter().filter_map(alike).collect();
                            self.adjoint(problem, (&operands, &asked), place)
                        }
                    };
                    adjoints.insert(key, block);
                    blocks.insert(*id, new);
                    self.blocks[block].adjoint_of(*of)
                }
                _ => {
                    node.operands = operands;
                    self.to.push_at(node, place)
                }
            };
            known.insert(*id, new);
        }
        blocks
    }

    fn push(&mut self, block: Block<NodeId>, beside: Vec<NodeId>) -> usize {
        self.blocks.push(block);
        self.beside.push(beside);
        self.blocks.len() - 1
    }

    /// Adds the block of an initial-value problem with these operands.
    fn motion(&mut self, problem: &Arc<InitialValue>, operands: &[NodeId], place: Place) -> usize {
        let (local, inputs, output) = problem.function.tape();
        let variable = self.to.input(local.shape(inputs[0])).id();
        let time = self.to.input(Shape::Scalar).id();
        let arguments: Vec<NodeId> = [variable, time].iter().chain(&operands[1..]).copied().collect();
        let Inlined { known, body, beside } =
            self.inline(&local, &inputs, &arguments, &inputs[..2], &[output]);
        let (velocity, problem) = (known[&output], problem.clone());
        let key = (problem.clone(), operands.to_vec());
        // After the body, so that what is needed of it is known before it is asked of the body.
        let end = self.to.input(problem.function.variable()).id();
        let kind =
            Kind::Motion { problem, place, start: operands[0], time, velocity, body, end, keeps: false };
        let block = self.push(Block { variable, kind, inner: false }, beside);
        self.motions.insert(key, block);
        block
    }

    /// Adds the block of the adjoints of a solution with respect to what is asked for; returns it, and the blocks that are
    /// new.
    fn adjoint(
        &mut self,
        problem: &Arc<InitialValue>,
        (operands, asked): (&[NodeId], &[u32]),
        place: Place,
    ) -> (usize, Vec<usize>) {
        let (weight, own) = (operands[0], &operands[1..]);
        let before = self.motions.get(&(problem.clone(), own.to_vec())).copied();
        let motion = before.unwrap_or_else(|| self.motion(problem, own, place));
        if let Kind::Motion { keeps, .. } = &mut self.blocks[motion].kind {
            *keeps = true;
        }
        let backwards = Backwards::new(problem);
        let local = &backwards.tape;
        let variable = self.to.input(problem.function.variable()).id();
        let time = self.to.input(Shape::Scalar).id();
        let stage_weight = self.to.input(problem.function.variable()).id();
        let mut inputs = backwards.inputs.clone();
        inputs.push(backwards.weight);
        let moving = [inputs[0], inputs[1], backwards.weight];
        let arguments: Vec<NodeId> =
            [variable, time].iter().chain(&own[1..]).chain([&stage_weight]).copied().collect();
        let wanted = |of: &u32| Some((*of, backwards.captured[of.checked_sub(1)? as usize]?));
        let shares: Vec<(u32, NodeId)> = asked.iter().filter_map(wanted).collect();
        let outputs: Vec<NodeId> = shares.iter().map(|(_, node)| *node).chain(backwards.state).collect();
        let Inlined { known, body, beside } = self.inline(local, &inputs, &arguments, &moving, &outputs);
        // Inputs after the body, so that what is needed of them is known before it is asked of the body.
        let initial = asked.contains(&0).then(|| self.to.input(problem.function.variable()).id());
        let mut share = |(of, node): (u32, NodeId)| {
            let variable = self.to.input(self.to.shape(own[of as usize])).id();
            Share { of, variable, node: known[&node] }
        };
        let shares = shares.into_iter().map(&mut share).collect();
        let back = backwards.state.map(|state| known[&state]);
        let kind = Kind::Adjoint {
            problem: problem.clone(),
            place,
            motion,
            weight,
            time,
            stage_weight,
            body,
            back,
            initial,
            shares,
        };
        let block = self.push(Block { variable, kind, inner: false }, beside);
        (block, if before.is_none() { vec![motion, block] } else { vec![block] })
    }

    /// Records a function's nodes on the tape, for the body of a loop in which some of its inputs move.
    fn inline(
        &mut self,
        local: &Tape,
        inputs: &[NodeId],
        arguments: &[NodeId],
        moving: &[NodeId],
        outputs: &[NodeId],
    ) -> Inlined {
        let subgraph = Subgraph::new(local, moving, outputs);
        let mut known: HashMap<NodeId, NodeId> =
            inputs.iter().copied().zip(arguments.iter().copied()).collect();
        let mut moving: Vec<NodeId> = moving.iter().map(|id| known[id]).collect();
        let inner = self.copy(local, &subgraph, &mut known);
        let mut moves: HashSet<NodeId> = subgraph.inputs().iter().copied().collect();
        let (mut body, mut beside) = (Vec::new(), Vec::new());
        let mut run: HashSet<NodeId> = HashSet::new();
        for id in subgraph.nodes().iter().filter(|id| !subgraph.is_input(**id)) {
            if is_captured(local, *id) && self.is_given(known[id]) {
                continue;
            }
            if !local.with_node(*id, |node| node.operands.iter().any(|operand| moves.contains(operand))) {
                beside.push(known[id]);
                continue;
            }
            moves.insert(*id);
            for block in inner.get(id).into_iter().flatten() {
                self.blocks[*block].inner = true;
                let beside = self.beside[*block].clone();
                let around = Subgraph::new(self.to, &moving, &beside);
                let reach = Reach::new(self.to, &around, Relation::Value);
                for node in around.nodes() {
                    if beside.contains(node) && reach.depends_on_input(*node) && run.insert(*node) {
                        body.push(Part::Whole(*node));
                    }
                }
                body.push(self.solved(*block));
                moving.extend(self.blocks[*block].variables());
            }
            if !inner.contains_key(id) && run.insert(known[id]) {
                body.push(Part::Whole(known[id]));
            }
        }
        Inlined { known, body, beside }
    }

    /// The whole of a block, inside of another one.
    fn solved(&self, block: usize) -> Part<NodeId> {
        let count = self.to.shape(self.blocks[block].variable).len();
        Part::Solve { block, elements: (0..count).collect() }
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
            Equation::System(equation) => {
                let (local, inputs, value) = equation.function.tape();
                let subgraph = Subgraph::new(&local, &inputs, &[value]);
                let jacobian = system_jacobian(&local, &subgraph, local.var(inputs[0])).id();
                // All elements become known at once.
                let labels = vec![0; count];
                let Unfolded { variable, known, parts, beside } =
                    self.unfold(&local, &inputs, &[value, jacobian], operands, &labels);
                sort(parts);
                let iterate = sorted.swap_remove(1);
                let once = sorted.swap_remove(0);
                let kind = Kind::System { value: known[&value], jacobian: known[&jacobian], once, iterate };
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
            if is_captured(local, *id) && self.is_given(known[id]) {
                continue;
            }
            if !reach.depends_on_input(*id) {
                beside.push(known[id]);
                continue;
            }
            let highest = &highest[reach.layout().elements(*id)];
            let solved = inner.get(id);
            for block in solved.into_iter().flatten() {
                self.blocks[*block].inner = true;
                parts.extend(self.beside_inner(*block, variable, labels, &mut run));
                let whole = !matches!(self.blocks[*block].kind, Kind::Root { .. });
                let at_once = labels.iter().all(|label| *label == 0);
                if self.blocks[*block].is_integration() || whole && at_once {
                    // All elements together, once all that any of them depends on is known.
                    let label = highest.iter().copied().filter(|label| *label != NONE).max().unwrap_or(NONE);
                    parts.push((label, self.solved(*block)));
                    continue;
                }
                let solve = |(label, elements)| (label, Part::Solve { block: *block, elements });
                parts.extend(by_label(highest).into_iter().map(solve));
            }
            if solved.is_none() && run.insert(known[id]) {
                let run = |(label, elements)| (label, Part::Run { node: known[id], elements });
                parts.extend(by_label(highest).into_iter().map(run));
            }
        }
        Unfolded { variable, known, parts, beside }
    }

    /// Whether a node is a variable that the caller or a block around this one gives values to. The solution of a block that is
    /// known already is a variable, too, for which this one has to wait.
    fn is_given(&self, id: NodeId) -> bool {
        self.to.with_node(id, |node| matches!(node.op, Op::Input(_)))
            && !self.blocks.iter().any(|block| block.variables().contains(&id))
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

/// Whether a node of a function stands for one outside of it.
fn is_captured(local: &Tape, id: NodeId) -> bool {
    local.with_node(id, |node| matches!(node.op, Op::Input(_)))
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

/// A function's nodes on the tape, for the body of a loop.
struct Inlined {
    known: HashMap<NodeId, NodeId>,
    body: Vec<Part<NodeId>>,
    /// The nodes that depend on nothing that moves in the loop.
    beside: Vec<NodeId>,
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
