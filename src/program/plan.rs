//! A compiled program: its instructions, and the numbers it computes with.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::OnceLock;

use super::Threads;
use super::compile::Compiler;
use super::deferred::Stripe;
use super::instruction::{Instruction, Work};
use super::integrate::{StepCounts, Steps};
use super::lower::{Lowered, lower};
use super::matrix::{Matrix, MatrixId, Packed};
use super::precision::Precision;
use super::register::{Registers, Rows};
use super::run::lanes_for;
use super::workspace::{Passes, PlanId, Pool};
use crate::sweep::propagate_copies;
use crate::tape::{Declaration, NodeId, Op, Place, Shape, Subgraph, Tape};

/// A requested result for a node.
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

    /// Returns the request for another node.
    pub(super) fn at(self, node: NodeId) -> Output {
        match self {
            Output::Each(_) => Output::Each(node),
            Output::Sum(_) => Output::Sum(node),
        }
    }
}

/// The index of a slot of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotId(pub usize);

/// The location of a shared node's numbers, or of a batch sum.
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
    pub place: Place,
}

/// The location of an output.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// In these registers, for each chunk.
    Each(Registers),
    /// In this slot, after all chunks.
    Sum(SlotId),
}

impl Found {
    /// The registers of an output for each row.
    pub fn registers(&self) -> Option<&Registers> {
        match self {
            Found::Each(registers) => Some(registers),
            Found::Sum(_) => None,
        }
    }
}

/// The instructions of a program, independent of the values of its parameters.
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
    /// By parameter: the matrices whose source it is; and the matrices whose source is computed from parameters.
    pub matrices_of: Vec<Vec<MatrixId>>,
    pub matrices_derived: Vec<MatrixId>,
    pub instructions: Vec<Instruction>,
    pub after: Vec<SharedWork>,
    pub outputs: Vec<Found>,
    /// Sums of outer products that are computed after all chunks in memory: see `deferred`.
    pub deferred: Vec<Instruction>,
    /// The number of shared numbers, and the ranges of the batch sums among them: those of each chunk, then the
    /// deferred ones.
    pub length: usize,
    pub sums: Range<usize>,
    pub deferred_sums: Range<usize>,
    /// Rows of lanes in memory, and the number of rows without reuse.
    pub rows: usize,
    pub rows_in_all: usize,
}

/// A compiled program: it runs over any number of rows, from any number of threads.
///
/// It holds what is the same for every run: instructions, and the numbers that [`Program::load`] computed from the
/// parameters. A run writes to a [`Workspace`](super::Workspace).
#[derive(Clone, Debug)]
pub struct Program<F> {
    pub(super) plan: Plan,
    /// The matrices laid out for products, with their numbers.
    pub(super) packed: Vec<Packed<F>>,
    /// The numbers that depend on parameters only.
    pub(super) shared: Vec<F>,
    pub(super) lanes: usize,
    pub(super) threads: Threads,
    /// How deferred sums are split, for the number of threads of the first run.
    pub(super) stripes: OnceLock<Vec<Stripe>>,
    pub(super) loaded: bool,
    pub(super) pool: Pool<F>,
    pub(super) passes: Passes,
    pub(super) taken: StepCounts,
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
            taken: StepCounts::default(),
            plan,
        }
    }
}

impl<F> Program<F> {
    /// The number of samples in a chunk.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// The number of scalar operations for one row: one for each element, two for each entry of a matrix product that
    /// is not a structural zero; data movement is not counted, and an iteration of Newton's method counts as one.
    pub fn operations(&self) -> u64 {
        let instructions = self.plan.instructions.iter().chain(&self.plan.deferred);
        instructions.map(|instruction| instruction.operations(&self.plan.matrices)).sum()
    }

    /// How often it has been run since it was compiled, by [`Program::run`], [`Program::run_into`] or
    /// [`Program::run_with`], whatever the number of rows.
    pub fn passes(&self) -> u64 {
        self.passes.count()
    }

    /// The steps that were taken for initial-value problems since it was compiled, by all runs and rows; those of adjoints,
    /// which go back over the same steps, are not counted.
    pub fn steps(&self) -> Steps {
        self.taken.total()
    }

    /// The number of instructions that run once per loading of the parameters, per sample, and once per batch.
    pub fn instructions(&self) -> (usize, usize, usize) {
        let each = self.plan.instructions.len() + self.plan.deferred.len();
        (self.plan.shared.len(), each, self.plan.after.len())
    }
}

impl Plan {
    /// Whether products of matrices are most of the work, without sums of outer products; and then the number of rows
    /// that the largest of them reads.
    pub(super) fn products(&self) -> Option<usize> {
        let (mut all, mut products, mut rows) = (0, 0, 0);
        let instructions = self.instructions.iter().flat_map(|instruction| match &instruction.work {
            Work::Integrate(integration) => integration.body.as_slice(),
            _ => std::slice::from_ref(instruction),
        });
        for instruction in instructions {
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
