//! Compilation of requested outputs to a flat list of instructions.
//!
//! A node that depends on no input is *shared*: computed once when the parameters are loaded. The others run for each
//! chunk of rows. A batch sum is pushed through linear operations, so that the gradient of a weight matrix is one
//! product of two matrices; it is accumulated as soon as both are known.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::emit::{Emitted, Emitter};
use super::fusion::fused;
use super::instruction::{Instruction, Work};
use super::liveness::Memory;
use super::lower::Block;
use super::matrix::MatrixId;
use super::needs::summed_operands;
use super::plan::{Found, Output, Plan, SharedWork, Slot, SlotId};
use super::register::{Registers, Row, Rows};
use super::tanh_pair::together;
use super::workspace::PlanId;
use crate::sweep::reach::Layout;
use crate::sweep::zeros::structural_zeros;
use crate::tape::{Declaration, NodeId, Op, Shape, Subgraph, Tape};

/// What is known of each node during compilation, by position in the subgraph.
pub(super) struct Compiler<'t> {
    pub tape: &'t Tape,
    pub subgraph: Subgraph,
    pub layout: Layout,
    pub zeros: Vec<bool>,
    pub outputs: Vec<Output>,
    pub blocks: &'t [Block<NodeId>],
    /// The number of inputs of the subgraph that are the program's; the others are unknowns of equations.
    pub inputs: usize,
    pub batched: Vec<bool>,
    /// Whether the batch sum of the node is computed from the batch sums of its operands.
    pub pushes_sum: Vec<bool>,
    pub needs_value: Vec<bool>,
    pub needs_sum: Vec<bool>,
    /// How often the node is an operand or an output.
    pub uses: Vec<u32>,
    /// By position: the batch sum that is that of another node, which is added up over steps and rows.
    pub summed_as: HashMap<usize, usize>,
    /// By position of a node in the body of a loop over steps that adjoints are summed in: the block.
    pub loops: HashMap<usize, usize>,
    pub unread: HashMap<usize, Vec<bool>>,
    /// By matrix: what [`Compiler::source`] found.
    pub sources: RefCell<HashMap<NodeId, (NodeId, bool)>>,
}

impl<'t> Compiler<'t> {
    pub(super) fn new(
        tape: &'t Tape,
        inputs: &[NodeId],
        outputs: &[Output],
        blocks: &'t [Block<NodeId>],
    ) -> Compiler<'t> {
        let mut wanted: Vec<NodeId> = outputs.iter().map(|output| output.node()).collect();
        wanted.extend(blocks.iter().flat_map(Block::results));
        wanted.extend(blocks.iter().flat_map(Block::shares).map(|share| share.node));
        let variables = blocks.iter().flat_map(Block::variables);
        let starts: Vec<NodeId> = inputs.iter().copied().chain(variables).collect();
        let subgraph = Subgraph::new(tape, &starts, &wanted);
        let layout = Layout::new(tape, &subgraph);
        let zeros = structural_zeros(tape, &subgraph, &layout);
        let count = subgraph.nodes().len();
        Compiler {
            tape,
            subgraph,
            layout,
            zeros,
            outputs: outputs.to_vec(),
            blocks,
            inputs: inputs.len(),
            batched: vec![false; count],
            pushes_sum: vec![false; count],
            needs_value: vec![false; count],
            needs_sum: vec![false; count],
            uses: vec![0; count],
            summed_as: HashMap::new(),
            loops: HashMap::new(),
            unread: HashMap::new(),
            sources: RefCell::default(),
        }
    }

    pub(super) fn position(&self, id: NodeId) -> usize {
        self.layout.position(id).expect("the node belongs to the program")
    }

    /// Whether there are equations, whose nodes are computed element by element.
    pub(super) fn has_equations(&self) -> bool {
        self.blocks.iter().any(|block| !block.is_integration())
    }

    /// The structural zeros of a node; empty when it has none.
    pub(super) fn zeros_of(&self, id: NodeId) -> &[bool] {
        let zeros = &self.zeros[self.layout.elements(id)];
        if zeros.iter().any(|zero| *zero) { zeros } else { &[] }
    }

    pub(super) fn compile(mut self, members: HashSet<NodeId>) -> Plan {
        self.classify();
        self.mark_needs();
        self.unread = self.find_unread();
        let mut numbers = Numbers::new(self.subgraph.nodes().len());
        self.lay_out_shared(&mut numbers);
        self.lay_out_sums(&mut numbers);
        let offset = |slot: &Option<SlotId>| slot.map(|slot| numbers.slots[slot.0].offset);
        let offsets: Vec<Option<usize>> = numbers.values.iter().map(offset).collect();
        // The slot of the node's batch sum, if it is computed row by row.
        let formed = |sum: &Option<SlotId>| offset(sum).filter(|at| *at < numbers.deferred_sums.end);
        let to: HashMap<usize, usize> = (numbers.sums_of.iter().enumerate())
            .filter(|(position, _)| !self.summed_as.contains_key(position))
            .filter_map(|(position, sum)| Some((position, formed(sum)? - numbers.sums.start)))
            .collect();
        let emitted = Emitter::new(&self, &offsets, members).emit(&to, &|position| self.pushes_sum[position]);
        let outputs: Vec<Found> = self
            .outputs
            .iter()
            .map(|output| {
                let position = self.position(output.node());
                match output {
                    Output::Each(_) => Found::Each(emitted.registers_of(position, &offsets, &self)),
                    Output::Sum(_) => Found::Sum(numbers.sums_of[position].expect("the sum is formed")),
                }
            })
            .collect();
        self.finish(emitted, outputs, numbers)
    }

    /// Assigns a slot and its work to every shared node that is needed.
    fn lay_out_shared(&self, numbers: &mut Numbers) {
        let declarations = self.tape.declarations();
        for (position, id) in self.subgraph.nodes().iter().enumerate() {
            if !self.needs_value[position] || self.subgraph.is_input(*id) {
                continue;
            }
            let node = self.tape.node(*id);
            if let Op::Input(number) = node.op {
                panic!("the program needs input {number}, which was not listed");
            }
            if self.batched[position] {
                continue;
            }
            let out = numbers.slot(node.shape, &self.zeros[self.layout.elements(*id)]);
            numbers.values[position] = Some(out);
            match &node.op {
                Op::Parameter(number) => {
                    numbers.parameters.push((out, declarations[*number as usize].clone()));
                }
                op => {
                    let operands = node.operands.iter().map(|operand| numbers.value(self.position(*operand)));
                    let operands = operands.collect();
                    let place = self.tape.place(*id);
                    numbers.shared.push(SharedWork { op: op.clone(), operands, out, place });
                }
            }
        }
    }

    /// Assigns a slot to every batch sum that is needed: first to those that are computed from the values of each
    /// row, then to deferred ones, then to those that are computed from other sums, with their work.
    fn lay_out_sums(&self, numbers: &mut Numbers) {
        let direct = |position: usize, op: &Op| {
            !self.pushes_sum[position]
                || *op == Op::Outer
                || summed_operands(op, |k| self.batched[self.operand(position, k)]).is_empty()
        };
        let deferred = self.deferred_sums();
        let start = numbers.length;
        for (position, id) in self.subgraph.nodes().iter().enumerate().filter(|(p, _)| self.needs_sum[*p]) {
            let node = self.tape.node(*id);
            if self.summed_as.contains_key(&position) {
                continue;
            }
            if direct(position, &node.op) && deferred.binary_search(&position).is_err() {
                numbers.sums_of[position] = Some(numbers.slot(node.shape, &[]));
            }
        }
        numbers.sums = start..numbers.length;
        for position in deferred {
            let shape = self.tape.shape(self.subgraph.nodes()[position]);
            numbers.sums_of[position] = Some(numbers.slot(shape, &[]));
        }
        numbers.deferred_sums = numbers.sums.end..numbers.length;
        for (position, id) in self.subgraph.nodes().iter().enumerate() {
            if !self.needs_sum[position] || numbers.sums_of[position].is_some() {
                continue;
            }
            if let Some(other) = self.summed_as.get(&position) {
                numbers.sums_of[position] = numbers.sums_of[*other];
                continue;
            }
            let node = self.tape.node(*id);
            let out = numbers.slot(node.shape, &self.zeros[self.layout.elements(*id)]);
            numbers.sums_of[position] = Some(out);
            let positions: Vec<usize> = node.operands.iter().map(|o| self.position(*o)).collect();
            let summed = summed_operands(&node.op, |k| self.batched[positions[k]]);
            let source = |k: usize| match summed.contains(&k) {
                true => numbers.sums_of[positions[k]].expect("a sum that others follow from is formed"),
                false => numbers.value(positions[k]),
            };
            let operands = (0..positions.len()).map(source).collect();
            let place = self.tape.place(*id);
            numbers.after.push(SharedWork { op: node.op.clone(), operands, out, place });
        }
    }

    /// Fuses instructions, allocates memory for rows, and builds the program.
    fn finish(&self, emitted: Emitted, outputs: Vec<Found>, numbers: Numbers) -> Plan {
        let Emitted { instructions, matrices, blocks, inputs, .. } = emitted;
        let Numbers { slots, zeros, length, parameters, shared, after, sums, deferred_sums, .. } = numbers;
        let deferred_from = deferred_sums.start - sums.start;
        let target = |instruction: &Instruction| match &instruction.work {
            Work::AddOuter { to, .. } if *to >= deferred_from => Some(*to),
            _ => None,
        };
        let (mut deferred, mut instructions): (Vec<Instruction>, Vec<Instruction>) =
            instructions.into_iter().partition(|instruction| target(instruction).is_some());
        deferred.sort_by_key(target);
        // Rows that are read outside of the instructions.
        let registers = outputs.iter().filter_map(Found::registers).flat_map(Registers::iter);
        let kept: Vec<Rows> = registers
            .filter_map(|register| register.row().map(Rows::one))
            .chain(deferred.iter().flat_map(|sum| sum.read(&matrices)))
            .collect();
        if !self.has_equations() {
            instructions = fused(instructions, &kept, &matrices);
        }
        instructions = together(instructions);
        for instruction in &mut instructions {
            if let Work::Integrate(integration) = &mut instruction.work {
                let kept = integration.kept();
                integration.body = together(fused(std::mem::take(&mut integration.body), &kept, &matrices));
            }
        }
        let starts: Vec<Row> = inputs.iter().filter(|rows| rows.count > 0).map(|rows| rows.first).collect();
        let ends: Vec<Row> = kept.iter().map(|rows| rows.first).collect();
        let memory = Memory::new(&blocks, &instructions, &starts, &ends, &matrices);
        let row = |row: Row| memory.row(row);
        instructions.iter_mut().chain(&mut deferred).for_each(|instruction| instruction.renumber(&row));
        let parameter_at: HashMap<usize, usize> =
            parameters.iter().enumerate().map(|(k, (slot, _))| (slots[slot.0].offset, k)).collect();
        let (mut matrices_of, mut matrices_derived) = (vec![Vec::new(); parameters.len()], Vec::new());
        for (number, matrix) in matrices.iter().enumerate() {
            match parameter_at.get(&matrix.start()) {
                Some(parameter) => matrices_of[*parameter].push(MatrixId(number)),
                None => matrices_derived.push(MatrixId(number)),
            }
        }
        let outputs = outputs.into_iter().map(|found| match found {
            Found::Each(registers) => Found::Each(registers.renumbered(&row)),
            sum @ Found::Sum(_) => sum,
        });
        let moved = |rows: Rows| if rows.count > 0 { Rows { first: row(rows.first), ..rows } } else { rows };
        Plan {
            id: PlanId::next(),
            inputs: inputs.into_iter().map(moved).collect(),
            parameters,
            slots,
            zeros,
            shared,
            instructions,
            deferred,
            after,
            outputs: outputs.collect(),
            length,
            sums,
            deferred_sums,
            rows: memory.rows,
            rows_in_all: blocks.iter().map(|block| block.count).sum(),
            matrices,
            matrices_of,
            matrices_derived,
        }
    }
}

/// Slots of numbers that are not rows: those that depend on parameters only, then the batch sums, with the work that
/// computes them. Slots are assigned in the order of execution, so that operands precede results.
struct Numbers {
    slots: Vec<Slot>,
    zeros: Vec<bool>,
    length: usize,
    /// By position: the slot of a shared node, and that of a node's batch sum.
    values: Vec<Option<SlotId>>,
    sums_of: Vec<Option<SlotId>>,
    parameters: Vec<(SlotId, Declaration)>,
    shared: Vec<SharedWork>,
    after: Vec<SharedWork>,
    sums: Range<usize>,
    deferred_sums: Range<usize>,
}

impl Numbers {
    /// Prepares slots for this many nodes. The first shared number is 0.
    fn new(count: usize) -> Numbers {
        Numbers {
            slots: Vec::new(),
            zeros: Vec::new(),
            length: 1,
            values: vec![None; count],
            sums_of: vec![None; count],
            parameters: Vec::new(),
            shared: Vec::new(),
            after: Vec::new(),
            sums: 0..0,
            deferred_sums: 0..0,
        }
    }

    /// The slot of a shared node.
    fn value(&self, position: usize) -> SlotId {
        self.values[position].expect("a shared operand was computed before")
    }

    fn slot(&mut self, shape: Shape, zeros: &[bool]) -> SlotId {
        let offset = self.length;
        self.length += shape.len();
        let start = self.zeros.len();
        if zeros.iter().any(|zero| *zero) {
            self.zeros.extend_from_slice(zeros);
        }
        self.slots.push(Slot { offset, shape, zeros: (start, self.zeros.len()) });
        SlotId(self.slots.len() - 1)
    }
}
