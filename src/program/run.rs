//! Running a compiled program over rows, one chunk of lanes at a time.
//!
//! Chunks are divided into *shards*, whose number depends on the rows and the program, not on the number of threads;
//! each shard sums over its own chunks in order, and the sums of the shards are added in order. So all results are
//! bitwise the same on any number of threads.

use std::ops::Range;

use rayon::prelude::*;
use smallvec::SmallVec;

use super::error::ProgramError;
use super::execute::Chunk;
use super::instruction::Instruction;
use super::integrate::Steps;
use super::plan::{Found, Plan, Program, SharedWork, Slot};
use super::precision::{ChunkWork, Precision};
use super::register::{Kind, Registers, Rows};
use super::workspace::{Space, Workspace};
use crate::kernel::Lanes;
use crate::sweep::value::{OperandValues, evaluate};
use crate::tape::Parameters;

/// The number of threads of a program; results do not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// All threads of rayon's global pool.
    #[default]
    All,
    /// The caller's thread only.
    One,
}

/// The size of a second-level cache in which a chunk's numbers stay.
const CACHE_BYTES: usize = 1 << 20;
const MOST_LANES: usize = 512;
/// The size of a first-level cache in which the operand of a product stays.
const FIRST_CACHE_BYTES: usize = 32 << 10;
/// Below this number of rows a product costs less than the dispatch of the next instruction.
const PANEL_ROWS: usize = 32;
/// The number of lanes is a multiple of this: whole registers of every instruction set.
const LANES_STEP: usize = 16;
/// The number of lanes that the widest registers multiply at a time: four registers of sixteen.
const PANEL: usize = 64;
/// The number of elements that are transposed at a time between rows of numbers and rows of lanes: a cache line.
const TRANSPOSED: usize = 8;
/// The number of sums that one thread adds at a time.
const SUMS_AT_ONCE: usize = 1 << 15;
/// The memory of the chunks from which deferred sums are computed together.
const DEFERRED_BYTES: usize = 64 << 20;
/// The minimum number of rows in a shard.
const LEAST_ROWS: usize = 128;

/// Returns the number of lanes that keeps the live rows of a chunk in the second-level cache, in whole panels. Each
/// chunk reads and writes all deferred sums once, so with them chunks are longer. Where products are most of the work
/// one panel is enough, if their operand then stays in the first-level cache.
pub(super) fn lanes_for(plan: &Plan, bytes: usize) -> usize {
    let rows = plan.rows;
    let fit = CACHE_BYTES / (bytes * rows.max(1));
    let fewest = if plan.deferred.is_empty() { PANEL } else { 2 * PANEL };
    let most = match plan.products() {
        Some(read) if (PANEL_ROWS..=FIRST_CACHE_BYTES / (PANEL * bytes)).contains(&read) => PANEL,
        _ => MOST_LANES,
    };
    let fit = ((fit + PANEL / 2) / PANEL * PANEL).clamp(fewest, most);
    // A chunk of one lane with a million rows is large enough.
    const LARGEST: usize = 1 << 24;
    if fit * rows > LARGEST { (LARGEST / rows.max(1)).clamp(1, fit) } else { fit }
}

/// Returns at least this many lanes, in whole panels if they fill one.
fn whole_panels(lanes: usize) -> usize {
    lanes.next_multiple_of(if lanes > PANEL / 2 { PANEL } else { LANES_STEP })
}

/// A shard's number, its workspace, and its rows of each output; few enough to need no allocation.
type Job<'a, F> = (usize, &'a mut Space<F>, SmallVec<[&'a mut [F]; 4]>);
type Jobs<'a, F> = SmallVec<[Job<'a, F>; 16]>;

/// The partition of the rows into shards and chunks.
#[derive(Clone, Copy, Debug)]
struct Shards {
    count: usize,
    /// Rows of each shard but the last.
    rows: usize,
    lanes: usize,
}

impl Shards {
    /// Rows of each chunk but the last.
    fn chunks(self) -> usize {
        self.rows.div_ceil(self.lanes.max(1))
    }
}

impl<F: Precision> Program<F> {
    /// Sets the number of threads.
    pub fn set_threads(&mut self, threads: Threads) {
        self.threads = threads;
    }

    /// Loads the values of the parameters and computes everything that depends only on them.
    ///
    /// # Errors
    /// [`ProgramError::Parameter`] when a parameter is missing or has another shape.
    pub fn load(&mut self, parameters: &Parameters) -> Result<(), ProgramError> {
        for (slot, declaration) in &self.plan.parameters {
            let tensor = parameters.resolve(declaration)?;
            let offset = self.plan.slots[slot.0].offset;
            for (value, given) in self.shared[offset..].iter_mut().zip(&tensor.values) {
                *value = F::of(*given);
            }
        }
        F::prepare(self);
        Ok(())
    }

    /// Computes everything that depends only on parameters, whose values are loaded.
    pub(super) fn prepare_here(&mut self) {
        self.derive_shared_here();
        for number in self.plan.matrices_of.iter().flatten() {
            self.packed[number.0].load(number.of(&self.plan.matrices), &self.shared);
        }
        self.loaded = true;
    }

    /// Computes the shared numbers, without loading matrices whose source is a parameter.
    pub(super) fn derive_shared_here(&mut self) {
        for work in &self.plan.shared {
            let (known, rest) = self.shared.split_at_mut(self.plan.slots[work.out.0].offset);
            step(&self.plan, work, (known, &[]), rest);
        }
        for number in &self.plan.matrices_derived {
            self.packed[number.0].load(number.of(&self.plan.matrices), &self.shared);
        }
    }

    /// Runs over `rows` rows; each input holds its rows one after another. The workspace is one of the program's own.
    ///
    /// For an [`Output::Each`](super::Output::Each) the result holds its rows one after another, for an
    /// [`Output::Sum`](super::Output::Sum) one row. No rows are fine: sums are 0.
    ///
    /// # Errors
    /// [`ProgramError::NotLoaded`], [`ProgramError::Inputs`], [`ProgramError::Rows`].
    pub fn run(&self, inputs: &[&[F]], rows: usize) -> Result<Vec<Vec<F>>, ProgramError> {
        let mut results: Vec<Vec<F>> = self.plan.outputs.iter().map(|_| Vec::new()).collect();
        self.run_into(inputs, rows, &mut results)?;
        Ok(results)
    }

    /// Runs into existing vectors: a call of the same size allocates nothing.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn run_into(&self, inputs: &[&[F]], rows: usize, results: &mut [Vec<F>]) -> Result<(), ProgramError> {
        let mut workspace = self.pool.take();
        let done = self.run_with(&mut workspace, inputs, rows, results);
        self.pool.put_back(workspace);
        done
    }

    /// Runs in the caller's workspace, into existing vectors.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn run_with(
        &self,
        workspace: &mut Workspace<F>,
        inputs: &[&[F]],
        rows: usize,
        results: &mut [Vec<F>],
    ) -> Result<(), ProgramError> {
        self.check(inputs, rows)?;
        for (found, result) in self.plan.outputs.iter().zip(&mut *results) {
            let width = match found {
                Found::Each(registers) => rows * registers.len(),
                Found::Sum(slot) => self.plan.slots[slot.0].shape.len(),
            };
            result.resize(width, F::zero());
        }
        F::run_and_sum(self, workspace, inputs, rows, results);
        self.passes.add_one();
        for (found, result) in self.plan.outputs.iter().zip(results) {
            if let Found::Sum(slot) = found {
                result.copy_from_slice(workspace.slot(&self.plan, *slot));
            }
        }
        Ok(())
    }

    /// Runs over rows of the right size, and leaves the sums in the workspace. Without `results` nothing else is
    /// stored.
    pub(super) fn run_and_sum_here(
        &self,
        workspace: &mut Workspace<F>,
        inputs: &[&[F]],
        rows: usize,
        results: &mut [Vec<F>],
    ) {
        let shards = self.shards(rows);
        workspace.fit(&self.plan, shards.count);
        let Workspace { spaces, sums, panels, .. } = workspace;
        // Sums: those of each chunk, the deferred ones, and those that are computed from other sums.
        let start = self.plan.sums.start;
        let own = &mut spaces[..shards.count];
        for space in &mut *own {
            space.steps = Steps::default();
            space.sums.clear();
            space.sums.resize(self.plan.sums.len(), F::zero());
        }
        if self.plan.deferred.is_empty() {
            self.run_shards(shards, 0..shards.chunks(), inputs, rows, own, results);
        } else {
            for chunk in 0..shards.chunks() {
                self.run_shards(shards, chunk..chunk + 1, inputs, rows, own, results);
                let deferred = self.plan.deferred_sums.start - start..self.plan.deferred_sums.end - start;
                self.add_deferred(own, &mut sums[deferred], panels, chunk == 0);
            }
        }
        // Shard after shard, independent of the order in which threads finish.
        let own = &spaces[..shards.count];
        let add = |(part, total): (usize, &mut [F])| {
            total.fill(F::zero());
            for space in own {
                let shares = &space.sums[part * SUMS_AT_ONCE..];
                total.iter_mut().zip(shares).for_each(|(sum, share)| *sum = *sum + *share);
            }
        };
        let total = &mut sums[..self.plan.sums.len()];
        match self.threads {
            Threads::All if total.len() > SUMS_AT_ONCE => {
                total.par_chunks_mut(SUMS_AT_ONCE).enumerate().for_each(add);
            }
            _ => total.chunks_mut(SUMS_AT_ONCE).enumerate().for_each(add),
        }
        own.iter().for_each(|space| self.taken.add(&space.steps));
        for work in &self.plan.after {
            let (known, rest) = sums.split_at_mut(self.plan.slots[work.out.0].offset - start);
            step(&self.plan, work, (&self.shared, known), rest);
        }
    }

    /// Runs some chunks of every shard.
    fn run_shards(
        &self,
        shards: Shards,
        chunks: Range<usize>,
        inputs: &[&[F]],
        rows: usize,
        spaces: &mut [Space<F>],
        results: &mut [Vec<F>],
    ) {
        // Each shard writes its own rows of each output.
        let mut jobs: Jobs<'_, F> =
            spaces.iter_mut().enumerate().map(|(k, space)| (k, space, SmallVec::new())).collect();
        for (found, result) in self.plan.outputs.iter().zip(results.iter_mut()) {
            if let Found::Each(registers) = found {
                let mut rest = result.as_mut_slice();
                for (shard, _, parts) in &mut jobs {
                    let own = shards.rows.min(rows - (*shard * shards.rows).min(rows));
                    let (part, after) = rest.split_at_mut(own * registers.len());
                    parts.push(part);
                    rest = after;
                }
            }
        }
        let run = |(shard, space, parts): &mut Job<'_, F>| {
            let shard = *shard;
            let (first, end) = (shard * shards.rows, rows.min((shard + 1) * shards.rows));
            for chunk in chunks.clone() {
                let start = first + chunk * shards.lanes;
                if start >= end {
                    space.lanes = None;
                    break;
                }
                let count = shards.lanes.min(end - start);
                let lanes = Lanes::compact::<F>(count);
                space.lanes = Some(lanes);
                self.chunk(inputs, start, lanes, space);
                let each = self.plan.outputs.iter().filter_map(Found::registers);
                for (registers, part) in each.zip(&mut *parts) {
                    let width = registers.len();
                    let own = &mut part[(start - first) * width..(start - first + count) * width];
                    self.write_rows(registers, lanes, space, own);
                }
            }
        };
        match self.threads {
            Threads::All if shards.count > 1 => jobs.par_iter_mut().for_each(run),
            _ => jobs.iter_mut().for_each(run),
        }
    }

    /// Partitions the rows, by their number and the program only.
    fn shards(&self, rows: usize) -> Shards {
        let bytes = self.plan.sums.len() * size_of::<F>();
        // Sums cost memory and time for each shard; so do the rows from which deferred sums are computed.
        let most = match bytes {
            _ if !self.plan.deferred.is_empty() => {
                (DEFERRED_BYTES / (self.plan.rows * self.lanes * size_of::<F>())).clamp(2, 16)
            }
            0 => 64,
            b if b <= 64 << 10 => 16,
            b if b <= 4 << 20 => 4,
            _ => 2,
        };
        let count = (rows / LEAST_ROWS).clamp(1, most);
        let share = rows.div_ceil(count).next_multiple_of(LANES_STEP).max(LANES_STEP);
        // Chunks of a shard have nearly equal sizes.
        let chunks = share.div_ceil(self.lanes.max(1));
        let lanes = match self.lanes {
            lanes if lanes < LANES_STEP => lanes,
            lanes => whole_panels(share.div_ceil(chunks)).min(lanes.max(LANES_STEP)),
        };
        let share = share.div_ceil(lanes) * lanes;
        Shards { count: rows.div_ceil(share.max(1)), rows: share, lanes }
    }

    /// Loads the rows `start..`, computes, and adds to the sums of the workspace.
    fn chunk(&self, inputs: &[&[F]], start: usize, lanes: Lanes, space: &mut Space<F>) {
        self.bring_in(inputs, start, lanes, space);
        self.run_instructions(&self.plan.instructions, lanes, space);
    }

    /// Runs instructions on the loaded chunk of a workspace.
    pub(super) fn run_instructions(&self, instructions: &[Instruction], lanes: Lanes, space: &mut Space<F>) {
        let chunk = Chunk { matrices: &self.packed, shared: &self.shared, lanes, space };
        F::run(ChunkWork { instructions, chunk });
    }

    /// Returns the number of lanes of a chunk of this many rows.
    pub(super) fn chunk_lanes(&self, rows: usize) -> usize {
        self.shards(rows).lanes.min(rows)
    }

    /// Loads the rows from `start` on, an input's numbers side by side in lanes.
    pub(super) fn bring_in(&self, inputs: &[&[F]], start: usize, lanes: Lanes, space: &mut Space<F>) {
        let Lanes { count, stride } = lanes;
        if space.rows.len() < self.plan.rows * stride {
            space.rows.resize(self.plan.rows * stride, F::zero());
        }
        for (Rows { first, count: width }, rows) in self.plan.inputs.iter().copied().zip(inputs) {
            let target = &mut space.rows[first.index() * stride..][..width * stride];
            if stride == 1 {
                target.copy_from_slice(&rows[start * width..][..width]);
                continue;
            }
            for (block, target) in target.chunks_mut(TRANSPOSED * stride).enumerate() {
                for at in 0..stride {
                    // Lanes beyond the last row repeat it.
                    let row = (start + at.min(count - 1)) * width;
                    let values =
                        &rows[row + block * TRANSPOSED..(row + (block + 1) * TRANSPOSED).min(row + width)];
                    for (k, value) in values.iter().enumerate() {
                        target[k * stride + at] = *value;
                    }
                }
            }
        }
    }

    fn write_rows(&self, registers: &Registers, lanes: Lanes, space: &Space<F>, out: &mut [F]) {
        let width = registers.len();
        for first in (0..width).step_by(TRANSPOSED) {
            let block = first..(first + TRANSPOSED).min(width);
            // The address of each register's numbers, and the stride from lane to lane.
            let rows: SmallVec<[(&[F], usize); TRANSPOSED]> = block
                .clone()
                .map(|e| match registers.get(e).kind() {
                    Kind::Shared(index) => (&self.shared[index..][..1], 0),
                    Kind::Row(row) => (&space.rows[row.index() * lanes.stride..][..lanes.count], 1),
                })
                .collect();
            for (at, out) in out.chunks_exact_mut(width).take(lanes.count).enumerate() {
                for (value, (row, step)) in out[block.clone()].iter_mut().zip(&rows) {
                    *value = row[at * step];
                }
            }
        }
    }

    pub(super) fn check(&self, inputs: &[&[F]], rows: usize) -> Result<(), ProgramError> {
        if !self.loaded {
            return Err(ProgramError::NotLoaded);
        }
        if inputs.len() != self.plan.inputs.len() {
            return Err(ProgramError::Inputs { expected: self.plan.inputs.len(), given: inputs.len() });
        }
        for (number, (Rows { count: width, .. }, values)) in self.plan.inputs.iter().zip(inputs).enumerate() {
            if values.len() != rows * width {
                return Err(ProgramError::Rows { input: number, rows, width: *width, given: values.len() });
            }
        }
        Ok(())
    }
}

/// Runs one shared instruction, whose operands are known: numbers that depend on parameters only, and sums. `rest`
/// begins with its result.
fn step<F: Precision>(plan: &Plan, work: &SharedWork, (shared, sums): (&[F], &[F]), rest: &mut [F]) {
    let out = plan.slots[work.out.0];
    let operands: SmallVec<[OperandValues<'_, F>; 3]> = work
        .operands
        .iter()
        .map(|slot| {
            let Slot { offset, shape, zeros } = plan.slots[slot.0];
            let known = match offset.checked_sub(plan.sums.start) {
                None => &shared[offset..],
                Some(offset) => &sums[offset..],
            };
            OperandValues {
                values: &known[..shape.len()],
                width: 1,
                shape,
                zeros: &plan.zeros[zeros.0..zeros.1],
            }
        })
        .collect();
    let zeros = &plan.zeros[out.zeros.0..out.zeros.1];
    evaluate(&work.op, out.shape, &operands, &mut rest[..out.shape.len()], 1, zeros);
}
