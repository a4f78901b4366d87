//! From the outputs wanted to a flat list of instructions.

use std::panic::Location;

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
    fn node(self) -> NodeId {
        match self {
            Output::Each(id) | Output::Sum(id) => id,
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
    pub(super) batched: Vec<Instruction>,
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
        let outputs: Vec<Output> = outputs
            .iter()
            .zip(resolved)
            .map(|(output, node)| match output {
                Output::Each(_) => Output::Each(node),
                Output::Sum(_) => Output::Sum(node),
            })
            .collect();
        Compiler::new(tape, inputs, &outputs).compile()
    }

    /// How many samples are computed side by side.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Scalar operations for one row: one an element, two an entry of a matrix product that is not a
    /// structural zero; moving data counts nothing.
    pub fn operations(&self) -> u64 {
        self.batched.iter().map(|instruction| self.operations_of(instruction)).sum()
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
    batched: Vec<bool>,
    /// Whether the batch sum of the node is better formed from the batch sums of its operands.
    pushes_sum: Vec<bool>,
    needs_value: Vec<bool>,
    needs_sum: Vec<bool>,
}

impl<'t> Compiler<'t> {
    fn new(tape: &'t Tape, inputs: &[NodeId], outputs: &[Output]) -> Compiler<'t> {
        let wanted: Vec<NodeId> = outputs.iter().map(|output| output.node()).collect();
        let cut = Cut::new(tape, inputs, &wanted);
        let layout = Layout::new(tape, &cut);
        let zeros = structural_zeros(tape, &cut, &layout);
        let count = cut.nodes().len();
        Compiler {
            tape,
            cut,
            layout,
            zeros,
            outputs: outputs.to_vec(),
            batched: vec![false; count],
            pushes_sum: vec![false; count],
            needs_value: vec![false; count],
            needs_sum: vec![false; count],
        }
    }

    fn position(&self, id: NodeId) -> usize {
        self.layout.position(id).expect("the node belongs to the program")
    }

    fn compile<F: Number>(mut self) -> Program<F> {
        self.classify();
        self.mark_needs();
        let mut build = Build::default();
        let count = self.cut.nodes().len();
        let mut values = vec![usize::MAX; count];
        let mut sums = vec![usize::MAX; count];
        let (mut shared, mut batched) = (Vec::new(), Vec::new());
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
                    if self.batched[position] { &mut batched } else { &mut shared }.push(instruction);
                }
            }
        }
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
        let inputs = self.cut.inputs().iter().map(|id| values[self.position(*id)]).collect();
        Program {
            inputs,
            parameters,
            slots: build.slots,
            zeros: build.zeros,
            shared,
            batched,
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
        for id in self.cut.inputs() {
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
