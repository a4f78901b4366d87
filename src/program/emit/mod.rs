//! From nodes to instructions: the registers of a node's elements, and the instructions that compute them.

mod equation;
mod integration;
mod product;

use std::collections::{HashMap, HashSet};

use smallvec::SmallVec;

use crate::kernel::EntryMask;
use crate::program::compile::Compiler;
use crate::program::instruction::{Instruction, Work};
use crate::program::matrix::Matrix;
use crate::program::register::{Register, Registers, Row, Rows, segments};
use crate::sweep::is_one;
use crate::tape::{Binary, Node, NodeId, Op};

/// The result of emission.
pub(super) struct Emitted {
    pub instructions: Vec<Instruction>,
    pub matrices: Vec<Matrix>,
    /// Blocks of contiguous rows: the results of one instruction each.
    pub blocks: Vec<Rows>,
    /// By input: its rows.
    pub inputs: Vec<Rows>,
    registers: Vec<Option<Registers>>,
}

impl Emitted {
    /// The registers of the elements of a node.
    pub(super) fn registers_of(
        &self,
        position: usize,
        shared: &[Option<usize>],
        compiler: &Compiler<'_>,
    ) -> Registers {
        match (&self.registers[position], shared[position]) {
            (Some(registers), _) => registers.clone(),
            (None, Some(offset)) => shared_places(offset, compiler, position),
            (None, None) => unreachable!("an output has a value"),
        }
    }
}

/// Registers of shared numbers: one register where they are all equal, so that one kernel call serves all elements.
fn shared_places(offset: usize, compiler: &Compiler<'_>, position: usize) -> Registers {
    let id = compiler.subgraph.nodes()[position];
    let (count, repeats) = compiler.tape.with_node(id, |node| {
        let repeats = match &node.op {
            Op::Broadcast => true,
            Op::Constant(data) => data.values().windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits()),
            _ => false,
        };
        (node.shape.len(), repeats)
    });
    let zeros = compiler.zeros_of(id);
    if !zeros.is_empty() && zeros.iter().all(|zero| *zero) {
        return Registers::Repeat { register: Register::ZERO, count };
    }
    let first = Register::shared(offset);
    if repeats { Registers::Repeat { register: first, count } } else { Registers::Run { first, count } }
}

pub(super) struct Emitter<'c, 't> {
    compiler: &'c Compiler<'t>,
    /// By position: the first register of a shared node.
    shared: &'c [Option<usize>],
    members: HashSet<NodeId>,
    /// By node that only an equation computes: its first row, and the position of each element among its rows.
    inside: HashMap<NodeId, (Row, Vec<usize>)>,
    registers: Vec<Option<Registers>>,
    blocks: Vec<Rows>,
    /// The first row that is not assigned.
    next: Row,
    matrices: Vec<Matrix>,
    list: Vec<Instruction>,
    /// By block: the batch sums that are added up in its body.
    loop_sums: HashMap<usize, Vec<LoopSum>>,
}

/// A batch sum that is added up in the body of a loop over steps.
#[derive(Clone, Copy)]
struct LoopSum {
    /// The last node that it is formed from, by position.
    after: usize,
    position: usize,
    to: usize,
    pushed: bool,
}

type Operands = SmallVec<[Register; 3]>;

impl<'c, 't> Emitter<'c, 't> {
    pub(super) fn new(
        compiler: &'c Compiler<'t>,
        shared: &'c [Option<usize>],
        members: HashSet<NodeId>,
    ) -> Emitter<'c, 't> {
        let registers = vec![None; compiler.subgraph.nodes().len()];
        Emitter {
            compiler,
            shared,
            members,
            inside: HashMap::new(),
            registers,
            blocks: Vec::new(),
            next: Row::new(0),
            matrices: Vec::new(),
            list: Vec::new(),
            loop_sums: HashMap::new(),
        }
    }

    /// Emits all nodes, in order. `sums` says by position where the batch sum of a node is accumulated, and `pushes`
    /// for which of them it is computed from the operands.
    pub(super) fn emit(mut self, sums: &HashMap<usize, usize>, pushes: &dyn Fn(usize) -> bool) -> Emitted {
        let compiler = self.compiler;
        let mut inputs = Vec::new();
        for (number, id) in compiler.subgraph.inputs().iter().enumerate() {
            let shape = compiler.tape.shape(*id);
            let first = self.new_rows(shape.len());
            self.registers[compiler.position(*id)] =
                Some(Registers::Run { first: first.into(), count: shape.len() });
            if number < compiler.inputs {
                inputs.push(Rows::new(first, shape.len()));
            }
        }
        for block in compiler.blocks {
            self.reserve(block);
        }
        let ready = self.blocks_by_last_node();
        let mut sums_at: HashMap<usize, Vec<usize>> = HashMap::new();
        self.loop_sums = self.sums_of_loops(sums, pushes);
        // What a block gives a value to is known after the block.
        let mut after: HashMap<usize, usize> = HashMap::new();
        for (number, block) in compiler.blocks.iter().enumerate() {
            let last = compiler.position(self.last_node(number));
            after.extend(block.variables().into_iter().map(|id| (compiler.position(id), last)));
        }
        let known_at = |position: usize| after.get(&position).copied().unwrap_or(position);
        let outside = |position: &&usize| !compiler.loops.contains_key(*position);
        for position in sums.keys().filter(outside) {
            let node = compiler.tape.node(compiler.subgraph.nodes()[*position]);
            let from = match pushes(*position) {
                true => node.operands.iter().map(|operand| known_at(compiler.position(*operand))).max(),
                false => Some(known_at(*position)),
            };
            sums_at.entry(from.unwrap_or(*position)).or_default().push(*position);
        }
        sums_at.values_mut().for_each(|list| list.sort_unstable());
        for (position, id) in compiler.subgraph.nodes().iter().enumerate() {
            let batched = compiler.batched[position] && compiler.needs_value[position];
            if batched && !compiler.subgraph.is_input(*id) && !self.members.contains(id) {
                self.node(*id, None);
            }
            for block in ready.get(id).into_iter().flatten() {
                let (work, name) = self.block(*block, None);
                self.push_block(work, *block, name);
            }
            if compiler.has_equations() {
                continue;
            }
            for summed in sums_at.get(&position).into_iter().flatten() {
                self.sum(*summed, sums[summed], pushes(*summed));
            }
        }
        // A node that an equation computes is known once the equation is solved, whatever its position on the tape.
        if compiler.has_equations() {
            let mut all: Vec<usize> = sums.keys().filter(outside).copied().collect();
            all.sort_unstable();
            all.into_iter().for_each(|summed| self.sum(summed, sums[&summed], pushes(summed)));
        }
        let Emitter { list, matrices, blocks, registers, .. } = self;
        Emitted { instructions: list, matrices, blocks, inputs, registers }
    }

    /// Assigns contiguous rows, apart from all others.
    fn new_rows(&mut self, count: usize) -> Row {
        let first = self.next;
        // A gap, so that rows of two blocks are never taken for contiguous ones.
        self.next = first.after(count + 1);
        self.blocks.push(Rows::new(first, count));
        first
    }

    fn registers(&self, id: NodeId) -> Registers {
        let position = self.compiler.position(id);
        match (&self.registers[position], self.shared[position]) {
            (Some(registers), _) => registers.clone(),
            (None, Some(offset)) => shared_places(offset, self.compiler, position),
            // Inside of an equation no element of it is known yet, and none is read.
            (None, None) if self.members.contains(&id) => {
                Registers::Repeat { register: Register::UNKNOWN, count: self.compiler.tape.shape(id).len() }
            }
            (None, None) => unreachable!("an operand comes before its users"),
        }
    }

    fn push_at(&mut self, work: Work, id: NodeId, name: &'static str, elements: Option<Vec<usize>>) {
        let place = self.compiler.tape.place(id);
        let elements = elements.map(|list| list.into_iter().map(|e| e as u32).collect());
        self.list.push(Instruction { work, name, place, elements });
    }

    fn push_block(&mut self, work: Work, block: usize, name: &'static str) {
        let block = &self.compiler.blocks[block];
        let place = block.place().unwrap_or_else(|| self.compiler.tape.place(block.variable));
        self.list.push(Instruction { work, name, place, elements: None });
    }

    /// Emits instructions for a node, or for some of its elements.
    fn node(&mut self, id: NodeId, only: Option<&[usize]>) {
        let node = self.compiler.tape.node(id);
        let position = self.compiler.position(id);
        let count = node.shape.len();
        let all: Vec<usize> = (0..count).collect();
        let elements = only.unwrap_or(&all);
        let zeros = self.compiler.zeros_of(id).to_vec();
        let zero = |e: usize| !zeros.is_empty() && zeros[e];
        let operand = |emitter: &Self, k: usize| emitter.registers(node.operands[k]);
        let mut list = match (&self.registers[position], only) {
            (Some(Registers::List(list)), Some(_)) => list.clone(),
            _ => vec![Register::UNKNOWN; count],
        };
        match &node.op {
            Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => unreachable!("a shared node"),
            Op::Equation(_) | Op::Solution(_) => unreachable!("equations are unfolded"),
            Op::Broadcast => {
                let register = operand(self, 0).get(0);
                if only.is_none() {
                    self.registers[position] = Some(Registers::Repeat { register, count });
                    return;
                }
                elements.iter().for_each(|e| list[*e] = register);
            }
            Op::Gather(indices) => {
                let from = operand(self, 0);
                elements.iter().for_each(|e| list[*e] = from.get(indices[*e] as usize));
            }
            Op::Concat => {
                let parts: Vec<Registers> = (0..node.operands.len()).map(|k| operand(self, k)).collect();
                let all: Vec<Register> = parts.iter().flat_map(Registers::iter).collect();
                elements.iter().for_each(|e| list[*e] = all[*e]);
            }
            Op::Transpose => {
                let (rows, columns) = node.shape.matrix_dims();
                let from = operand(self, 0);
                elements.iter().for_each(|e| list[*e] = from.get((e % columns) * rows + e / columns));
            }
            Op::Scatter(indices) => {
                let from = operand(self, 0);
                let mut terms: Vec<Vec<Register>> = vec![Vec::new(); count];
                for (k, index) in indices.iter().enumerate() {
                    terms[*index as usize].push(from.get(k));
                }
                for e in elements {
                    list[*e] = self.sum_of(id, &node, *e, std::mem::take(&mut terms[*e]));
                }
            }
            Op::Sum => {
                let terms: Vec<Register> = operand(self, 0).iter().collect();
                if !elements.is_empty() {
                    list[0] = self.sum_of(id, &node, 0, terms);
                }
            }
            Op::Outer if is_one(self.compiler.tape.var(node.operands[1])) => {
                // Each element is repeated along its row, as by a gather.
                let (left, (_, columns)) = (operand(self, 0), node.shape.matrix_dims());
                elements.iter().for_each(|e| list[*e] = left.get(e / columns));
            }
            Op::Outer => {
                let (left, right) = (operand(self, 0), operand(self, 1));
                let columns = right.len();
                let of = |e: usize| SmallVec::from_slice(&[left.get(e / columns), right.get(e % columns)]);
                self.elementwise(
                    id,
                    &Op::Binary(Binary::Mul),
                    elements,
                    only.is_some(),
                    &zero,
                    &of,
                    &mut list,
                );
            }
            op @ (Op::Unary(_) | Op::Binary(_) | Op::Choice(_)) => {
                let registers: SmallVec<[Registers; 3]> =
                    (0..node.operands.len()).map(|k| operand(self, k)).collect();
                let repeated =
                    registers.iter().all(|registers| matches!(registers, Registers::Repeat { .. }));
                if repeated && only.is_none() && count > 1 && zeros.is_empty() {
                    // All elements are equal: computed once.
                    let of =
                        |_: usize| registers.iter().map(|registers| registers.get(0)).collect::<Operands>();
                    self.elementwise(id, op, &[0], false, &zero, &of, &mut list);
                    self.registers[position] = Some(Registers::Repeat { register: list[0], count });
                    return;
                }
                let of = |e: usize| registers.iter().map(|registers| registers.get(e)).collect::<Operands>();
                self.elementwise(id, op, elements, only.is_some(), &zero, &of, &mut list);
            }
            Op::MatVec | Op::MatMul => self.product(id, &node, elements, only.is_some(), &zero, &mut list),
            Op::LogAbsDet | Op::Inverse | Op::MatrixExp => {
                let from = operand(self, 0);
                let from = self.together(id, &from);
                let out = self.out_rows(id, &all, only.is_some());
                let shapes = (self.compiler.tape.shape(node.operands[0]), node.shape);
                let work = Work::Lanewise { op: node.op.clone(), from, out, shapes };
                self.push_at(work, id, node.op.name(), None);
                (0..count).for_each(|e| list[e] = out.after(e).into());
            }
        }
        self.registers[position] = Some(match only {
            Some(_) => Registers::List(list),
            None => Registers::of(list),
        });
    }

    /// Assigns rows to these elements of a node: new ones, or those that were reserved for a node inside of an
    /// equation.
    fn out_rows(&mut self, id: NodeId, elements: &[usize], inside: bool) -> Row {
        match self.inside.get(&id) {
            Some((first, order)) if inside => {
                first.after(elements.iter().map(|e| order[*e]).min().unwrap_or(0))
            }
            _ => self.new_rows(elements.len()),
        }
    }

    /// Returns the row of an element: the next one, or the one reserved for it.
    fn row(&self, id: NodeId, e: usize, inside: bool, (first, number): (Row, usize)) -> Row {
        match self.inside.get(&id) {
            Some((first, order)) if inside => first.after(order[e]),
            _ => first.after(number),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn elementwise(
        &mut self,
        id: NodeId,
        op: &Op,
        elements: &[usize],
        inside: bool,
        zero: &dyn Fn(usize) -> bool,
        operands: &dyn Fn(usize) -> Operands,
        list: &mut [Register],
    ) {
        let mut computed: Vec<(usize, Operands)> = Vec::with_capacity(elements.len());
        for e in elements {
            let own = operands(*e);
            list[*e] = match op {
                _ if zero(*e) => Register::ZERO,
                // A structural zero contributes nothing to the sum.
                Op::Binary(Binary::Add) if own[0] == Register::ZERO => own[1],
                Op::Binary(Binary::Add | Binary::Sub) if own[1] == Register::ZERO => own[0],
                _ => {
                    computed.push((*e, own));
                    continue;
                }
            };
        }
        if computed.is_empty() {
            return;
        }
        let chosen: Vec<usize> = computed.iter().map(|(e, _)| *e).collect();
        if *op == Op::Binary(Binary::Add) && self.adds_to_product(id, &computed, list) {
            return;
        }
        let first = self.out_rows(id, &chosen, inside);
        let rows: Vec<Row> =
            (0..chosen.len()).map(|number| self.row(id, chosen[number], inside, (first, number))).collect();
        chosen.iter().zip(&rows).for_each(|(e, row)| list[*e] = (*row).into());
        let name = self.compiler.tape.with_node(id, |node| node.op.name());
        let operands = computed.into_iter().map(|(_, operands)| operands);
        let segments = segments(rows.iter().copied().zip(operands));
        let work = Work::Elementwise { op: op.clone(), segments };
        let whole = chosen.len() == self.compiler.tape.shape(id).len();
        self.push_at(work, id, name, (!whole).then_some(chosen));
    }

    /// Returns the sum of some registers: the register if there is one, 0 if there is none.
    fn sum_of(&mut self, id: NodeId, node: &Node, e: usize, terms: Vec<Register>) -> Register {
        let terms: Vec<Register> = terms.into_iter().filter(|register| *register != Register::ZERO).collect();
        match terms.len() {
            0 => Register::ZERO,
            1 => terms[0],
            _ => {
                let inside = self.inside.contains_key(&id);
                let out = self.out_rows(id, &[e], inside);
                self.push_at(Work::Sum { out, terms }, id, node.op.name(), Some(vec![e]));
                out.into()
            }
        }
    }

    /// Accumulates the batch sum of a node.
    fn sum(&mut self, position: usize, to: usize, pushed: bool) {
        let id = self.compiler.subgraph.nodes()[position];
        let node = self.compiler.tape.node(id);
        if pushed && node.op == Op::Binary(Binary::Mul) {
            let (left, right) = (self.registers(node.operands[0]), self.registers(node.operands[1]));
            let pairs = left.iter().zip(right.iter()).collect();
            self.push_at(Work::AddProducts { pairs, to }, id, "sum of mul", None);
            return;
        }
        if pushed {
            let (left, right) = (self.registers(node.operands[0]), self.registers(node.operands[1]));
            let left = Rows::new(self.together(id, &left), left.len());
            let right = Rows::new(self.together(id, &right), right.len());
            let mask = EntryMask::new([left.count, right.count], self.compiler.unread(position));
            self.push_at(Work::AddOuter { left, right, to, mask }, id, "sum of outer", None);
            return;
        }
        let from = self.registers(id).iter().collect();
        self.push_at(Work::AddLanes { from, to }, id, "sum", None);
    }
}
