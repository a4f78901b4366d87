//! A compiled program: what it does, and the numbers it does it with.

use std::collections::HashSet;
use std::ops::Range;
use std::panic::Location;
use std::sync::OnceLock;

use super::Threads;
use super::compile::Compiler;
use super::deferred::Stripe;
use super::instruction::{Instruction, Work};
use super::lower::{Lowered, lower};
use super::matrix::{Matrix, MatrixId, Packed};
use super::precision::Precision;
use super::register::{Registers, Rows};
use super::run::lanes_for;
use super::workspace::{Passes, PlanId, Pool};
use crate::sweep::propagate_copies;
use crate::tape::{Declaration, NodeId, Op, Shape, Subgraph, Tape};

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

/// Which of a plan's slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotId(pub usize);

/// Where a shared node's numbers are, or a batch sum's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub offset: usize,
    pub shape: Shape,
    /// Its structural zeros, as a range of [`Plan::zeros`]; empty when it has none.
    pub zeros: (usize, usize),
}

/// A shared node's work.
#[derive(Clone, Debug)]
pub(super) struct SharedWork {
    pub op: Op,
    pub operands: Vec<SlotId>,
    pub out: SlotId,
    pub place: &'static Location<'static>,
}

/// Where an output is found.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// In these registers of each chunk.
    Each(Registers),
    /// In this slot, after all chunks.
    Sum(SlotId),
}

impl Found {
    /// The registers that each row's numbers are in.
    pub fn registers(&self) -> Option<&Registers> {
        match self {
            Found::Each(registers) => Some(registers),
            Found::Sum(_) => None,
        }
    }
}

/// What a program does, whatever its numbers are.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub id: PlanId,
    /// By input: the rows of its elements.
    pub inputs: Vec<Rows>,
    pub parameters: Vec<(SlotId, Declaration)>,
    pub slots: Vec<Slot>,
    pub zeros: Vec<bool>,
    pub shared: Vec<SharedWork>,
    pub matrices: Vec<Matrix>,
    /// By parameter: the matrices that have its numbers as they are; and those whose numbers follow from parameters.
    pub matrices_of: Vec<Vec<MatrixId>>,
    pub matrices_derived: Vec<MatrixId>,
    pub instructions: Vec<Instruction>,
    pub after: Vec<SharedWork>,
    pub outputs: Vec<Found>,
    /// Sums of outer products that are formed when all chunks are through: see `deferred`.
    pub deferred: Vec<Instruction>,
    /// Shared numbers in all, and where the batch sums lie among them: those of each chunk, then the deferred ones.
    pub length: usize,
    pub sums: Range<usize>,
    pub deferred_sums: Range<usize>,
    /// Rows of lanes in memory, and as many as there would be if none were used again.
    pub rows: usize,
    pub rows_in_all: usize,
}

/// A compiled program: run it over as many rows as you like, from as many threads as you like.
///
/// It holds what is the same for every run: instructions, and the numbers that [`Program::load`] computed from the
/// parameters. What a run writes lies in a [`Workspace`](super::Workspace).
#[derive(Clone, Debug)]
pub struct Program<F> {
    pub(super) plan: Plan,
    /// The matrices laid out for products, with their numbers.
    pub(super) packed: Vec<Packed<F>>,
    /// The numbers that depend on parameters alone.
    pub(super) shared: Vec<F>,
    pub(super) lanes: usize,
    pub(super) threads: Threads,
    /// How deferred sums are cut, for as many threads as there were at the first run.
    pub(super) stripes: OnceLock<Vec<Stripe>>,
    pub(super) loaded: bool,
    pub(super) pool: Pool<F>,
    pub(super) passes: Passes,
}

impl<F: Precision> Program<F> {
    /// Compiles what the outputs need of a tape. Dead nodes are dropped, common work is shared.
    ///
    /// # Panics
    /// When an [`Op::Input`] that is not among `inputs` is needed.
    pub fn compile(tape: &Tape, inputs: &[NodeId], outputs: &[Output]) -> Program<F> {
        let plan = Plan::new(tape, inputs, outputs);
        Program {
            packed: plan.matrices.iter().map(Packed::new).collect(),
            shared: vec![F::zero(); plan.sums.start],
            lanes: lanes_for(&plan, size_of::<F>()),
            threads: Threads::default(),
            stripes: OnceLock::new(),
            loaded: false,
            pool: Pool::default(),
            passes: Passes::default(),
            plan,
        }
    }
}

impl<F> Program<F> {
    /// How many samples are computed side by side.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Scalar operations for one row: one an element, two an entry of a matrix product that is not a
    /// structural zero; moving data counts nothing, and an iteration of Newton's method as one.
    pub fn operations(&self) -> u64 {
        let instructions = self.plan.instructions.iter().chain(&self.plan.deferred);
        instructions.map(|instruction| instruction.operations(&self.plan.matrices)).sum()
    }

    /// How often it has been run since it was compiled: a pass is one call of [`Program::run`],
    /// [`Program::run_into`] or [`Program::run_with`] that ran, whatever the number of rows.
    pub fn passes(&self) -> u64 {
        self.passes.count()
    }

    /// How many instructions run once per loading of the parameters, per sample, and once per batch.
    pub fn instructions(&self) -> (usize, usize, usize) {
        let each = self.plan.instructions.len() + self.plan.deferred.len();
        (self.plan.shared.len(), each, self.plan.after.len())
    }
}

impl Plan {
    /// Whether products of matrices are most of the work, and no sums of outer products are; and then how many rows
    /// the largest of them reads.
    pub(super) fn products(&self) -> Option<usize> {
        let (mut all, mut products, mut rows) = (0, 0, 0);
        for instruction in &self.instructions {
            let own = instruction.operations(&self.matrices);
            all += own;
            match &instruction.work {
                Work::AddOuter { .. } => return None,
                Work::Product { matrix, .. } => {
                    products += own;
                    rows = rows.max(matrix.of(&self.matrices).width);
                }
                _ => {}
            }
        }
        (self.deferred.is_empty() && 2 * products > all).then_some(rows)
    }

    fn new(tape: &Tape, inputs: &[NodeId], outputs: &[Output]) -> Plan {
        let wanted: Vec<NodeId> = outputs.iter().map(|output| output.node()).collect();
        let subgraph = Subgraph::new(tape, inputs, &wanted);
        let resolved = propagate_copies(tape, &subgraph);
        let outputs: Vec<Output> =
            outputs.iter().zip(resolved).map(|(output, node)| output.at(node)).collect();
        match lower(tape, inputs, &outputs) {
            None => Compiler::new(tape, inputs, &outputs, &[]).compile(HashSet::new()),
            Some(lowered) => {
                let members = lowered.members();
                let Lowered { tape, inputs, outputs, blocks } = &lowered;
                Compiler::new(tape, inputs, outputs, blocks).compile(members)
            }
        }
    }
}
