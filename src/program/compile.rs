//! From the outputs wanted to a flat list of instructions.

use std::collections::{HashMap, HashSet};
use std::panic::Location;

use super::lower::{Block, Lowered, Part, lower};
use super::movement;
use crate::sweep::reach::Layout;
use crate::sweep::value::Number;
use crate::sweep::zeros::structural_zeros;
use crate::tape::{Cut, Declaration, Node, NodeId, Op, Shape, Tape};

/// What is wanted of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Its value for each row.
    Each(NodeId),
    /// Its sum over all rows.
    Sum(NodeId),
}

impl Output {
    pub(super) fn node(self) -> NodeId {
        match self {
            Output::Each(id) | Output::Sum(id) => id,
        }
    }

    /// The same of another node.
    pub(super) fn at(self, node: NodeId) -> Output {
        match self {
            Output::Each(_) => Output::Each(node),
            Output::Sum(_) => Output::Sum(node),
        }
    }
}

/// Where the numbers of a node are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub batched: bool,
    /// In elements; a batched slot starts at `offset · lanes`.
    pub offset: usize,
    pub shape: Shape,
    /// Its structural zeros, as a range of [`Program::zeros`]; empty when it has none.
    pub zeros: (usize, usize),
}

/// One node's work.
#[derive(Clone, Debug)]
pub(super) struct Instruction {
    pub op: Op,
    pub operands: Vec<usize>,
    pub out: usize,
    pub place: &'static Location<'static>,
}

/// What is done for each chunk of rows.
#[derive(Clone, Debug)]
pub(super) enum Work {
    Run(Instruction),
    /// Solve the equation of this block.
    Solve(usize),
}

/// A batch sum.
#[derive(Clone, Debug)]
pub(super) enum Accumulate {
    /// Σ over lanes of a node.
    Lanes { from: usize, to: usize },
    /// Σ over lanes of a bᵀ.
    Outer { left: usize, right: usize, to: usize },
}

/// A compiled program: run it over as many rows as you like.
#[derive(Clone, Debug)]
pub struct Program<F> {
    pub(super) inputs: Vec<usize>,
    pub(super) parameters: Vec<(usize, Declaration)>,
    pub(super) slots: Vec<Slot>,
    pub(super) zeros: Vec<bool>,
    pub(super) shared: Vec<Instruction>,
    pub(super) batched: Vec<Work>,
    /// Equations to solve, and the instructions that they run.
    pub(super) blocks: Vec<Block<usize>>,
    pub(super) members: Vec<Instruction>,
    pub(super) sums: Vec<Accumulate>,
    pub(super) after: Vec<Instruction>,
    pub(super) outputs: Vec<(Output, usize)>,
    /// Elements of shared slots before the first accumulator, and of the accumulators.
    pub(super) accumulators: (usize, usize),
    pub(super) shared_values: Vec<F>,
    pub(super) batched_values: Vec<F>,
    pub(super) batched_elements: usize,
    pub(super) lanes: usize,
    pub(super) loaded: bool,
}

impl<F: Number> Program<F> {
    /// Compiles what the outputs need of a tape. Dead nodes are dropped, common work is shared.
    ///
    /// # Panics
    /// When an [`Op::Input`] that is not among `inputs` is needed.
    pub fn compile(tape: &Tape, inputs: &[NodeId], outputs: &[Output]) -> Program<F> {
        let wanted: Vec<NodeId> = outputs.iter().map(|output| output.node()).collect();
        let cut = Cut::new(tape, inputs, &wanted);
        let resolved = movement::resolve(tape, &cut);
        let outputs: Vec<Output> =
            outputs.iter().zip(resolved).map(|(output, node)| output.at(node)).collect();
        match lower(tape, inputs, &outputs) {
            None => Compiler::new(tape, inputs, &outputs, &[]).compile(&HashSet::new()),
            Some(lowered) => {
                let Lowered { tape, inputs, outputs, blocks } = &lowered;
                Compiler::new(tape, inputs, outputs, blocks).compile(&lowered.members())
            }
        }
    }

    /// How many samples are computed side by side.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Scalar operations for one row: one an element, two an entry of a matrix product that is not a
    /// structural zero; moving data counts nothing, and an iteration of Newton's method as one.
    pub fn operations(&self) -> u64 {
        let of = |work: &Work| match work {
            Work::Run(instruction) => self.operations_of(instruction),
            Work::Solve(block) => self.block_operations(*block),
        };
        self.batched.iter().map(of).sum()
    }

    fn block_operations(&self, block: usize) -> u64 {
        let of = |part: &Part<usize>| match part {
            Part::Run { node, elements } => {
                elements.iter().map(|e| self.element_operations(&self.members[*node], *e)).sum()
            }
            Part::Solve { block, elements } => {
                let all = self.slots[self.blocks[*block].variable].shape.len().max(1) as u64;
                self.block_operations(*block) * elements.len() as u64 / all
            }
        };
        self.blocks[block].parts().into_iter().map(of).sum()
    }

    /// The share of one element of an instruction.
    fn element_operations(&self, instruction: &Instruction, e: usize) -> u64 {
        let length = self.slots[instruction.out].shape.len().max(1);
        match &instruction.op {
            Op::MatVec | Op::MatMul => {
                let left = self.slots[instruction.operands[0]];
                let Shape::Matrix(_, inner) = left.shape else { unreachable!("a matrix") };
                let row = e / (length / left.shape.rows().max(1)).max(1);
                let zeros = &self.zeros[left.zeros.0..left.zeros.1];
                let zero = |k: &usize| zeros.get(row * inner + k) == Some(&true);
                2 * (inner - (0..inner).filter(zero).count()) as u64
            }
            _ => self.operations_of(instruction) / length as u64,
        }
    }

    fn operations_of(&self, instruction: &Instruction) -> u64 {
        let shape = |k: usize| self.slots[instruction.operands[k]].shape;
        let length = self.slots[instruction.out].shape.len() as u64;
        match &instruction.op {
            Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => 0,
            Op::Broadcast | Op::Gather(_) | Op::Scatter(_) | Op::Concat | Op::Transpose => 0,
            Op::Sum => shape(0).len() as u64,
            Op::MatVec | Op::MatMul => {
                let zeros = self.slots[instruction.operands[0]].zeros;
                let zeros = self.zeros[zeros.0..zeros.1].iter().filter(|zero| **zero).count();
                let columns = length / shape(0).rows().max(1) as u64;
                2 * (shape(0).len() - zeros) as u64 * columns
            }
            // An elimination takes 2/3 d³ operations, an inverse three times that.
            Op::LogAbsDet => 2 * (shape(0).rows() as u64).pow(3) / 3,
            Op::Inverse => 2 * (shape(0).rows() as u64).pow(3),
            _ => length,
        }
    }

    /// How many instructions run once per loading of the parameters, per sample, and once per batch.
    pub fn instructions(&self) -> (usize, usize, usize) {
        (self.shared.len(), self.batched.len(), self.after.len())
    }
}

/// What is known of each node while compiling, by position in the cut.
struct Compiler<'t> {
    tape: &'t Tape,
    cut: Cut,
    layout: Layout,
    zeros: Vec<bool>,
    outputs: Vec<Output>,
    blocks: &'t [Block<NodeId>],
    /// How many of the cut's inputs are the program's; the others are unknowns of equations.
    inputs: usize,
    batched: Vec<bool>,
    /// Whether the batch sum of the node is better formed from the batch sums of its operands.
    pushes_sum: Vec<bool>,
    needs_value: Vec<bool>,
    needs_sum: Vec<bool>,
}

impl<'t> Compiler<'t> {
    fn new(
        tape: &'t Tape,
        inputs: &[NodeId],
        outputs: &[Output],
        blocks: &'t [Block<NodeId>],
    ) -> Compiler<'t> {
        let mut wanted: Vec<NodeId> = outputs.iter().map(|output| output.node()).collect();
        wanted.extend(blocks.iter().flat_map(Block::results));
        let variables = blocks.iter().map(|block| block.variable);
        let starts: Vec<NodeId> = inputs.iter().copied().chain(variables).collect();
        let cut = Cut::new(tape, &starts, &wanted);
        let layout = Layout::new(tape, &cut);
        let zeros = structural_zeros(tape, &cut, &layout);
        let count = cut.nodes().len();
        Compiler {
            tape,
            cut,
            layout,
            zeros,
            outputs: outputs.to_vec(),
            blocks,
            inputs: inputs.len(),
            batched: vec![false; count],
            pushes_sum: vec![false; count],
            needs_value: vec![false; count],
            needs_sum: vec![false; count],
        }
    }

    fn position(&self, id: NodeId) -> usize {
        self.layout.position(id).expect("the node belongs to the program")
    }

    fn compile<F: Number>(mut self, inside: &HashSet<NodeId>) -> Program<F> {
        self.classify();
        self.mark_needs();
        let mut build = Build::default();
        let count = self.cut.nodes().len();
        let mut values = vec![usize::MAX; count];
        let mut sums = vec![usize::MAX; count];
        let (mut shared, mut batched) = (Vec::new(), Vec::new());
        let (mut members, mut member_of) = (Vec::new(), HashMap::new());
        let ready = self.blocks_by_last_node(inside);
        let mut parameters = Vec::new();
        let declarations = self.tape.declarations();
        for (position, id) in self.cut.nodes().iter().enumerate() {
            if !self.needs_value[position] {
                continue;
            }
            let node = self.tape.node(*id);
            let zeros = &self.zeros[self.layout.elements(*id)];
            values[position] = build.slot(self.batched[position], node.shape, zeros);
            match &node.op {
                _ if self.cut.is_input(*id) => {}
                Op::Input(number) => panic!("the program needs input {number}, which was not listed"),
                Op::Parameter(number) => {
                    parameters.push((values[position], declarations[*number as usize].clone()));
                }
                _ => {
                    let instruction = self.instruction(*id, &node, &values, values[position]);
                    if inside.contains(id) {
                        member_of.insert(*id, members.len());
                        members.push(instruction);
                    } else if self.batched[position] {
                        batched.push(Work::Run(instruction));
                    } else {
                        shared.push(instruction);
                    }
                }
            }
            batched.extend(ready.get(id).into_iter().flatten().map(|block| Work::Solve(*block)));
        }
        let blocks = self
            .blocks
            .iter()
            .map(|block| block.renamed(&|id| values[self.position(id)], &|id| member_of[&id]));
        let blocks = blocks.collect();
        let before = build.shared;
        let mut accumulates = Vec::new();
        for (position, id) in self.cut.nodes().iter().enumerate() {
            if !self.needs_sum[position] {
                continue;
            }
            let node = self.tape.node(*id);
            let value = |k: usize| values[self.position(node.operands[k])];
            if !self.pushes_sum[position] {
                sums[position] = build.slot(false, node.shape, &[]);
                accumulates.push(Accumulate::Lanes { from: values[position], to: sums[position] });
            } else if node.op == Op::Outer {
                sums[position] = build.slot(false, node.shape, &[]);
                let (left, right) = (value(0), value(1));
                accumulates.push(Accumulate::Outer { left, right, to: sums[position] });
            }
        }
        let accumulators = (before, build.shared);
        let mut after = Vec::new();
        for (position, id) in self.cut.nodes().iter().enumerate() {
            if !self.needs_sum[position] || sums[position] != usize::MAX {
                continue;
            }
            let node = self.tape.node(*id);
            sums[position] = build.slot(false, node.shape, &self.zeros[self.layout.elements(*id)]);
            let positions: Vec<usize> = node.operands.iter().map(|o| self.position(*o)).collect();
            let summed = summed_operands(&node.op, |k| self.batched[positions[k]]);
            let source =
                |k: usize| if summed.contains(&k) { sums[positions[k]] } else { values[positions[k]] };
            let operands = (0..positions.len()).map(source).collect();
            let out = sums[position];
            after.push(Instruction { op: node.op.clone(), operands, out, place: self.tape.place(*id) });
        }
        let outputs = self
            .outputs
            .iter()
            .map(|output| {
                let position = self.position(output.node());
                match output {
                    Output::Each(_) => (*output, values[position]),
                    Output::Sum(_) => (*output, sums[position]),
                }
            })
            .collect();
        let inputs = self.cut.inputs()[..self.inputs].iter().map(|id| values[self.position(*id)]).collect();
        Program {
            inputs,
            parameters,
            slots: build.slots,
            zeros: build.zeros,
            shared,
            batched,
            blocks,
            members,
            sums: accumulates,
            after,
            outputs,
            accumulators,
            shared_values: vec![F::zero(); build.shared],
            batched_values: Vec::new(),
            batched_elements: build.batched,
            lanes: lanes_for(build.batched),
            loaded: false,
        }
    }

    /// Blocks that stand for themselves, by the last node that they need.
    fn blocks_by_last_node(&self, inside: &HashSet<NodeId>) -> HashMap<NodeId, Vec<usize>> {
        let mut ready: HashMap<NodeId, Vec<usize>> = HashMap::new();
        for (number, block) in self.blocks.iter().enumerate().filter(|(_, block)| !block.inner) {
            let last = self.last_node(block).max(block.variable);
            debug_assert!(inside.contains(&last) || block.parts().is_empty() || last == block.variable);
            ready.entry(last).or_default().push(number);
        }
        ready
    }

    fn last_node(&self, block: &Block<NodeId>) -> NodeId {
        let mut last = block.results().into_iter().max().expect("a block has a result");
        let mut open = vec![block];
        while let Some(block) = open.pop() {
            last = block.results().into_iter().fold(last, NodeId::max);
            for part in block.parts() {
                match part {
                    Part::Run { node, .. } => last = last.max(*node),
                    Part::Solve { block, .. } => open.push(&self.blocks[*block]),
                }
            }
        }
        last
    }

    fn instruction(&self, id: NodeId, node: &Node, values: &[usize], out: usize) -> Instruction {
        let operands = node.operands.iter().map(|operand| values[self.position(*operand)]).collect();
        Instruction { op: node.op.clone(), operands, out, place: self.tape.place(id) }
    }

    /// Which nodes are batched, and through which the batch sum is pushed.
    fn classify(&mut self) {
        for (position, id) in self.cut.nodes().iter().enumerate() {
            if self.cut.is_input(*id) {
                self.batched[position] = true;
                continue;
            }
            let node = self.tape.node(*id);
            let positions: Vec<usize> = node.operands.iter().map(|o| self.position(*o)).collect();
            self.batched[position] = positions.iter().any(|p| self.batched[*p]);
            if self.batched[position] {
                let linear = summed_operands(&node.op, |k| self.batched[positions[k]]);
                self.pushes_sum[position] =
                    node.op == Op::Outer || linear.iter().any(|k| self.pushes_sum[positions[*k]]);
            }
        }
    }

    fn mark_needs(&mut self) {
        let results: Vec<NodeId> = self.blocks.iter().flat_map(Block::results).collect();
        for id in self.cut.inputs().iter().chain(&results) {
            let position = self.position(*id);
            self.needs_value[position] = true;
        }
        for output in self.outputs.clone() {
            let position = self.position(output.node());
            match output {
                Output::Each(_) => self.needs_value[position] = true,
                Output::Sum(_) => self.needs_sum[position] = true,
            }
        }
        for position in (0..self.cut.nodes().len()).rev() {
            let id = self.cut.nodes()[position];
            let node = self.tape.node(id);
            let operands: Vec<usize> = if self.cut.is_input(id) {
                Vec::new()
            } else {
                node.operands.iter().map(|operand| self.position(*operand)).collect()
            };
            if self.needs_sum[position] && self.pushes_sum[position] {
                let summed = summed_operands(&node.op, |k| self.batched[operands[k]]);
                for (k, operand) in operands.iter().enumerate() {
                    if summed.contains(&k) {
                        self.needs_sum[*operand] = true;
                    } else {
                        self.needs_value[*operand] = true;
                    }
                }
            } else if self.needs_sum[position] {
                self.needs_value[position] = true;
            }
            if self.needs_value[position] {
                operands.iter().for_each(|operand| self.needs_value[*operand] = true);
            }
        }
    }
}

/// The operands to replace by their batch sums, where Σ op(…) = op(Σ …); none where that is not so.
fn summed_operands(op: &Op, batched: impl Fn(usize) -> bool) -> Vec<usize> {
    match op {
        Op::Neg | Op::Gather(_) | Op::Scatter(_) | Op::Transpose | Op::Broadcast | Op::Sum => vec![0],
        Op::Add | Op::Sub => vec![0, 1],
        Op::Mul | Op::MatVec | Op::MatMul if !batched(0) => vec![1],
        Op::Mul | Op::Div | Op::MatVec | Op::MatMul if !batched(1) => vec![0],
        _ => Vec::new(),
    }
}

/// Slots handed out in the order of execution, so that operands lie before results.
#[derive(Default)]
struct Build {
    slots: Vec<Slot>,
    zeros: Vec<bool>,
    shared: usize,
    batched: usize,
}

impl Build {
    fn slot(&mut self, batched: bool, shape: Shape, zeros: &[bool]) -> usize {
        let end = if batched { &mut self.batched } else { &mut self.shared };
        let offset = *end;
        *end += shape.len();
        let start = self.zeros.len();
        if zeros.iter().any(|zero| *zero) {
            self.zeros.extend_from_slice(zeros);
        }
        self.slots.push(Slot { batched, offset, shape, zeros: (start, self.zeros.len()) });
        self.slots.len() - 1
    }
}

/// As many lanes as keep the numbers of a chunk within a few MiB, but enough to vectorise.
fn lanes_for(batched_elements: usize) -> usize {
    match batched_elements {
        0..=4096 => 256,
        elements if elements > 1 << 22 => 1,
        elements => ((1 << 20) / elements).clamp(8, 256),
    }
}
