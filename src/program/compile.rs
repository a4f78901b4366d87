//! From the outputs wanted to a flat list of instructions.
//!
//! What depends on no input is *shared*: computed once when the parameters are loaded. The rest runs for each chunk of
//! rows. A batch sum is pushed through what is linear, so that the gradient of a weight matrix is one product of two
//! matrices; it is accumulated as soon as both are there.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::chain::chained;
use super::emit::{Emitted, Emitter};
use super::instruction::{Instruction, Work};
use super::lower::Block;
use super::memory::Memory;
use super::needs::summed_operands;
use super::place::Places;
use super::plan::{Found, Output, Plan, SharedWork, Slot};
use super::slopes::together;
use crate::sweep::reach::Layout;
use crate::sweep::zeros::structural_zeros;
use crate::tape::{Cut, Declaration, NodeId, Op, Shape, Tape};

/// What is known of each node while compiling, by position in the cut.
pub(super) struct Compiler<'t> {
    pub tape: &'t Tape,
    pub cut: Cut,
    pub layout: Layout,
    pub zeros: Vec<bool>,
    pub outputs: Vec<Output>,
    pub blocks: &'t [Block<NodeId>],
    /// How many of the cut's inputs are the program's; the others are unknowns of equations.
    pub inputs: usize,
    pub batched: Vec<bool>,
    /// Whether the batch sum of the node is better formed from the batch sums of its operands.
    pub pushes_sum: Vec<bool>,
    pub needs_value: Vec<bool>,
    pub needs_sum: Vec<bool>,
    /// How many operands of other nodes it is, and of outputs.
    pub uses: Vec<u32>,
    pub unread: HashMap<usize, Vec<bool>>,
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
            uses: vec![0; count],
            unread: HashMap::new(),
        }
    }

    pub(super) fn position(&self, id: NodeId) -> usize {
        self.layout.position(id).expect("the node belongs to the program")
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
        let mut build = Build::new();
        let count = self.cut.nodes().len();
        let mut values = vec![usize::MAX; count];
        let mut sums = vec![usize::MAX; count];
        let mut parameters = Vec::new();
        let mut shared = Vec::new();
        let declarations = self.tape.declarations();
        for (position, id) in self.cut.nodes().iter().enumerate() {
            if !self.needs_value[position] || self.cut.is_input(*id) {
                continue;
            }
            let node = self.tape.node(*id);
            if let Op::Input(number) = node.op {
                panic!("the program needs input {number}, which was not listed");
            }
            if self.batched[position] {
                continue;
            }
            values[position] = build.slot(node.shape, &self.zeros[self.layout.elements(*id)]);
            match &node.op {
                Op::Parameter(number) => {
                    parameters.push((values[position], declarations[*number as usize].clone()));
                }
                op => shared.push(SharedWork {
                    op: op.clone(),
                    operands: node.operands.iter().map(|operand| values[self.position(*operand)]).collect(),
                    out: values[position],
                    place: self.tape.place(*id),
                }),
            }
        }
        // Sums that are formed from the numbers of each row, and those that follow from them.
        let before = build.length;
        let direct = |position: usize, op: &Op| {
            !self.pushes_sum[position]
                || *op == Op::Outer
                || summed_operands(op, |k| self.batched[self.operand(position, k)]).is_empty()
        };
        let late = self.late_sums();
        for (position, id) in self.cut.nodes().iter().enumerate().filter(|(p, _)| self.needs_sum[*p]) {
            let node = self.tape.node(*id);
            if direct(position, &node.op) && late.binary_search(&position).is_err() {
                sums[position] = build.slot(node.shape, &[]);
            }
        }
        let early = before..build.length;
        for position in late {
            sums[position] = build.slot(self.tape.shape(self.cut.nodes()[position]), &[]);
        }
        let late = early.end..build.length;
        let mut after = Vec::new();
        for (position, id) in self.cut.nodes().iter().enumerate() {
            if !self.needs_sum[position] || sums[position] != usize::MAX {
                continue;
            }
            let node = self.tape.node(*id);
            sums[position] = build.slot(node.shape, &self.zeros[self.layout.elements(*id)]);
            let positions: Vec<usize> = node.operands.iter().map(|o| self.position(*o)).collect();
            let summed = summed_operands(&node.op, |k| self.batched[positions[k]]);
            let source =
                |k: usize| if summed.contains(&k) { sums[positions[k]] } else { values[positions[k]] };
            let operands = (0..positions.len()).map(source).collect();
            let place = self.tape.place(*id);
            after.push(SharedWork { op: node.op.clone(), operands, out: sums[position], place });
        }
        let offsets: Vec<Option<usize>> =
            values.iter().map(|slot| build.slots.get(*slot).map(|slot| slot.offset)).collect();
        // Where the sum of a node goes, if it is formed row by row.
        let to: HashMap<usize, usize> = (0..count)
            .filter(|p| sums[*p] != usize::MAX && build.slots[sums[*p]].offset < late.end)
            .map(|position| (position, build.slots[sums[position]].offset - early.start))
            .collect();
        let emitted = Emitter::new(&self, &offsets, members).emit(&to, &|position| self.pushes_sum[position]);
        let outputs: Vec<Found> = self
            .outputs
            .iter()
            .map(|output| {
                let position = self.position(output.node());
                match output {
                    Output::Each(_) => Found::Each(emitted.places_of(position, &offsets, &self)),
                    Output::Sum(_) => Found::Sum(sums[position]),
                }
            })
            .collect();
        self.finish(emitted, outputs, build, (parameters, shared, after), (early, late))
    }

    #[allow(clippy::type_complexity)]
    fn finish(
        &self,
        emitted: Emitted,
        outputs: Vec<Found>,
        build: Build,
        (parameters, shared, after): (Vec<(usize, Declaration)>, Vec<SharedWork>, Vec<SharedWork>),
        (sums, late_sums): (Range<usize>, Range<usize>),
    ) -> Plan {
        let Emitted { instructions, matrices, blocks, inputs, .. } = emitted;
        let is_late = |instruction: &Instruction| matches!(&instruction.work, Work::AddOuter { to, .. } if sums.start + to >= late_sums.start);
        let (mut late, mut instructions): (Vec<Instruction>, Vec<Instruction>) =
            instructions.into_iter().partition(is_late);
        late.sort_by_key(|instruction| match &instruction.work {
            Work::AddOuter { to, .. } => *to,
            _ => unreachable!("only sums of outer products are late"),
        });
        let rows = |k: usize| matrices[k].rows();
        let columns = |k: usize| matrices[k].width;
        let starts: Vec<usize> = inputs.iter().filter(|(_, n)| *n > 0).map(|(row, _)| *row).collect();
        let kept: Vec<usize> = outputs
            .iter()
            .filter_map(|found| match found {
                Found::Each(places) => Some(places),
                Found::Sum(_) => None,
            })
            .flat_map(|places| places.iter().filter(|place| !place.is_shared()).map(|place| place.index()))
            .chain(late.iter().flat_map(|sum| sum.read(&columns)).map(|(first, _)| first))
            .collect();
        if self.blocks.is_empty() {
            let kept: Vec<(usize, usize)> = outputs
                .iter()
                .filter_map(|found| match found {
                    Found::Each(places) => Some(places),
                    Found::Sum(_) => None,
                })
                .flat_map(Places::iter)
                .filter(|place| !place.is_shared())
                .map(|place| (place.index(), 1))
                .chain(late.iter().flat_map(|sum| sum.read(&columns)))
                .collect();
            instructions = chained(instructions, &kept, &columns);
        }
        instructions = together(instructions);
        let memory = Memory::new(&blocks, &instructions, (&starts, &kept), (&rows, &columns));
        let row = |row: usize| memory.row(row);
        instructions.iter_mut().chain(&mut late).for_each(|instruction| instruction.renumber(&row));
        let starts: HashMap<usize, usize> =
            parameters.iter().enumerate().map(|(k, (slot, _))| (build.slots[*slot].offset, k)).collect();
        let (mut matrices_of, mut matrices_derived) = (vec![Vec::new(); parameters.len()], Vec::new());
        for (number, matrix) in matrices.iter().enumerate() {
            match starts.get(&matrix.start()) {
                Some(parameter) => matrices_of[*parameter].push(number),
                None => matrices_derived.push(number),
            }
        }
        let outputs = outputs.into_iter().map(|found| match found {
            Found::Each(places) => Found::Each(places.renumbered(&row)),
            sum => sum,
        });
        Plan {
            inputs: inputs.iter().map(|(first, n)| (if *n > 0 { row(*first) } else { 0 }, *n)).collect(),
            parameters,
            slots: build.slots,
            zeros: build.zeros,
            shared,
            instructions,
            late,
            after,
            outputs: outputs.collect(),
            length: build.length,
            sums,
            late_sums,
            rows: memory.rows,
            rows_in_all: blocks.iter().map(|block| block.count).sum(),
            matrices,
            matrices_of,
            matrices_derived,
        }
    }
}

/// Slots of shared numbers, handed out in the order of execution, so that operands lie before results.
struct Build {
    slots: Vec<Slot>,
    zeros: Vec<bool>,
    length: usize,
}

impl Build {
    /// The first shared number is 0.
    fn new() -> Build {
        Build { slots: Vec::new(), zeros: Vec::new(), length: 1 }
    }

    fn slot(&mut self, shape: Shape, zeros: &[bool]) -> usize {
        let offset = self.length;
        self.length += shape.len();
        let start = self.zeros.len();
        if zeros.iter().any(|zero| *zero) {
            self.zeros.extend_from_slice(zeros);
        }
        self.slots.push(Slot { offset, shape, zeros: (start, self.zeros.len()) });
        self.slots.len() - 1
    }
}
