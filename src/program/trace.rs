//! Where a number that is not finite first arose: the program once more, a row and an instruction at a time.

use super::element::{Chunk, Element};
use super::error::{NonFinite, ProgramError};
use super::instruction::{Instruction, Work};
use super::lanes::Lane;
use super::place::Place;
use super::plan::{Program, Slot};
use super::run::Space;

impl<F: Element> Program<F> {
    /// The first operation, in the order of the program, that makes a number that is not finite out of
    /// finite ones; looked for in one row at a time, among the given rows.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn trace_nonfinite(
        &mut self,
        inputs: &[&[F]],
        rows: usize,
    ) -> Result<Option<NonFinite>, ProgramError> {
        self.check(inputs, rows)?;
        for work in &self.plan.shared {
            let numbers = |slot: usize| {
                let Slot { offset, shape, .. } = self.plan.slots[slot];
                &self.values[offset..offset + shape.len()]
            };
            let out = numbers(work.out);
            let finite = |values: &[F]| values.iter().all(|value| value.is_finite());
            if finite(out) || work.operands.iter().any(|slot| !finite(numbers(*slot))) {
                continue;
            }
            let element = out.iter().position(|value| !value.is_finite()).expect("one is not finite");
            let same = work.operands.iter().filter(|slot| numbers(**slot).len() == out.len());
            return Ok(Some(NonFinite {
                operation: work.op.name(),
                place: work.place,
                element,
                row: 0,
                value: out[element].to_double(),
                operands: same.map(|slot| numbers(*slot)[element].to_double()).collect(),
            }));
        }
        let mut space = Space { sums: vec![F::zero(); self.plan.sums.len()], ..Space::default() };
        for row in 0..rows {
            let found = self.traced(inputs, row, &mut space);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn traced(&self, inputs: &[&[F]], row: usize, space: &mut Space<F>) -> Option<NonFinite> {
        let lane = Lane::of::<F>(1);
        space.rows.clear();
        space.rows.resize(self.plan.rows * lane.stride, F::zero());
        for ((first, width), rows) in self.plan.inputs.iter().zip(inputs) {
            for (e, value) in rows[row * width..(row + 1) * width].iter().enumerate() {
                space.rows[(first + e) * lane.stride..(first + e + 1) * lane.stride].fill(*value);
            }
        }
        for instruction in &self.plan.instructions {
            let before = self.operands_of(instruction, lane, space);
            let task = Chunk {
                instructions: std::slice::from_ref(instruction),
                matrices: &self.packed,
                shared: &self.values,
                lane,
                space,
            };
            F::run(task);
            if before.iter().flatten().any(|value| !value.is_finite()) {
                continue;
            }
            let written = instruction.written(&|k| self.plan.matrices[k].rows());
            let numbers = written.iter().flat_map(|(first, count)| *first..first + count);
            let bad = numbers.enumerate().find(|(_, row)| !space.rows[row * lane.stride].is_finite());
            if let Some((at, place)) = bad {
                let element = instruction.elements.as_ref().map_or(at, |elements| elements[at] as usize);
                return Some(NonFinite {
                    operation: instruction.name,
                    place: instruction.place,
                    element,
                    row,
                    value: space.rows[place * lane.stride].to_double(),
                    operands: before
                        .get(at)
                        .map_or(Vec::new(), |own| own.iter().map(|v| v.to_double()).collect()),
                });
            }
        }
        None
    }

    /// The operands of each number that an instruction writes; for a product all of them together.
    fn operands_of(&self, instruction: &Instruction, lane: Lane, space: &Space<F>) -> Vec<Vec<F>> {
        let number = |place: Place, k: usize| match place.is_shared() {
            true => self.values[place.index()],
            false => space.rows[(place.index() + k) * lane.stride],
        };
        match &instruction.work {
            Work::Elementwise { segments, .. } => segments
                .iter()
                .flat_map(|segment| {
                    (0..segment.count)
                        .map(|k| segment.operands.iter().map(|place| number(*place, k)).collect::<Vec<F>>())
                })
                .collect(),
            _ => {
                let read = instruction.read(&|k| self.plan.matrices[k].width);
                let rows = read.iter().flat_map(|(first, count)| *first..first + count);
                // They go into every result, so that none of them is told.
                match rows.map(|row| space.rows[row * lane.stride]).find(|value| !value.is_finite()) {
                    Some(value) => vec![vec![value]],
                    None => Vec::new(),
                }
            }
        }
    }
}
