//! Where a number that is not finite first arose: the program once more, a row and an instruction at a time.

use super::element::{Chunk, Element};
use super::error::{NonFinite, ProgramError};
use super::instruction::{Instruction, Work};
use super::lanes::Lane;
use super::place::{Place, Places, Segment};
use super::plan::{Found, Program, Slot};
use super::run::Space;
use crate::tape::{Choice, Op};

/// What tracing one row found.
enum Traced {
    /// Where an output that is not finite comes from.
    Output(NonFinite),
    /// Every output is finite; there may be a number in between that is not.
    Hidden(Option<NonFinite>),
}

/// The rows that the numbers which an instruction writes are formed from.
enum Sources {
    /// Number by number.
    Each(Vec<Vec<usize>>),
    /// The same for all of them.
    All(Vec<usize>),
}

impl Sources {
    fn of(&self, number: usize) -> &[usize] {
        match self {
            Sources::Each(each) => each.get(number).map_or(&[], Vec::as_slice),
            Sources::All(all) => all,
        }
    }
}

impl<F: Element> Program<F> {
    /// The operation that makes a number that is not finite out of finite ones, among those that an output comes from:
    /// the branch of a choice that is not taken is nobody's source. Looked for in one row at a time, among the given
    /// rows. Where every output is finite, it is the first such operation in the order of the program.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn trace_nonfinite(
        &mut self,
        inputs: &[&[F]],
        rows: usize,
    ) -> Result<Option<NonFinite>, ProgramError> {
        self.check(inputs, rows)?;
        Ok(F::trace(self, inputs, rows))
    }

    pub(super) fn trace_here(&mut self, inputs: &[&[F]], rows: usize) -> Option<NonFinite> {
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
            return Some(NonFinite {
                operation: work.op.name(),
                place: work.place,
                element,
                row: 0,
                value: out[element].to_double(),
                operands: same.map(|slot| numbers(*slot)[element].to_double()).collect(),
            });
        }
        let mut space = Space { sums: vec![F::zero(); self.plan.sums.len()], ..Space::default() };
        let mut hidden = None;
        for row in 0..rows {
            match self.traced(inputs, row, &mut space) {
                Traced::Output(found) => return Some(found),
                Traced::Hidden(found) => hidden = hidden.or(found),
            }
        }
        hidden
    }

    fn traced(&self, inputs: &[&[F]], row: usize, space: &mut Space<F>) -> Traced {
        let lane = Lane::of::<F>(1);
        space.rows.clear();
        space.rows.resize(self.plan.rows * lane.stride, F::zero());
        for ((first, width), rows) in self.plan.inputs.iter().zip(inputs) {
            for (e, value) in rows[row * width..(row + 1) * width].iter().enumerate() {
                space.rows[(first + e) * lane.stride..(first + e + 1) * lane.stride].fill(*value);
            }
        }
        let mut found: Vec<NonFinite> = Vec::new();
        // By row of memory: where the number that is not finite comes from, as an index of `found`.
        let mut origin: Vec<Option<usize>> = vec![None; self.plan.rows];
        for instruction in &self.plan.instructions {
            let before = self.operands_of(instruction, lane, space);
            let sources = self.sources_of(instruction, lane, space);
            let task = Chunk {
                instructions: std::slice::from_ref(instruction),
                matrices: &self.packed,
                shared: &self.values,
                lane,
                space,
            };
            F::run(task);
            let written = instruction.written(&|k| self.plan.matrices[k].rows());
            if written.is_empty()
                && let Some(known) = sources.of(0).iter().find_map(|row| origin[*row])
            {
                return Traced::Output(found.swap_remove(known));
            }
            let numbers = written.iter().flat_map(|(first, count)| *first..first + count);
            for (at, place) in numbers.enumerate() {
                let value = space.rows[place * lane.stride];
                if value.is_finite() {
                    origin[place] = None;
                    continue;
                }
                let known = sources.of(at).iter().find_map(|row| origin[*row]);
                let own = before.get(at).or(before.last());
                if known.is_some() || own.is_some_and(|own| own.iter().any(|value| !value.is_finite())) {
                    origin[place] = known;
                    continue;
                }
                origin[place] = Some(found.len());
                let element = instruction
                    .elements
                    .as_ref()
                    .and_then(|elements| elements.get(at))
                    .map_or(at, |e| *e as usize);
                found.push(NonFinite {
                    operation: instruction.name,
                    place: instruction.place,
                    element,
                    row,
                    value: value.to_double(),
                    operands: before
                        .get(at)
                        .map_or(Vec::new(), |own| own.iter().map(|v| v.to_double()).collect()),
                });
            }
        }
        let late = self.plan.late.iter().flat_map(|sum| sum.read(&|k| self.plan.matrices[k].width));
        let late = late.flat_map(|(first, count)| first..first + count);
        let outputs = self.plan.outputs.iter().filter_map(|output| match output {
            Found::Each(places) => Some(places),
            Found::Sum(_) => None,
        });
        let rows = outputs.flat_map(Places::iter).filter(|place| !place.is_shared()).map(Place::index);
        match rows.chain(late).find_map(|row| origin[row]) {
            Some(known) => Traced::Output(found.swap_remove(known)),
            None => Traced::Hidden(found.into_iter().next()),
        }
    }

    /// The rows that each number which an instruction writes is formed from; of a choice those of the branch taken.
    fn sources_of(&self, instruction: &Instruction, lane: Lane, space: &Space<F>) -> Sources {
        let row = |place: Place, k: usize| (!place.is_shared()).then(|| place.index() + k);
        match &instruction.work {
            Work::Elementwise { op, segments } => {
                let each = |segment: &Segment, k: usize| -> Vec<usize> {
                    let operands = &segment.operands;
                    let taken: &[Place] = match op {
                        Op::Choice(Choice::Select) => {
                            let condition = match row(operands[0], k) {
                                Some(row) => space.rows[row * lane.stride],
                                None => self.values[operands[0].index()],
                            };
                            if condition == F::zero() { &operands[2..] } else { &operands[1..2] }
                        }
                        _ => operands,
                    };
                    taken.iter().filter_map(|place| row(*place, k)).collect()
                };
                let numbers =
                    segments.iter().flat_map(|segment| (0..segment.count).map(move |k| (segment, k)));
                Sources::Each(numbers.map(|(segment, k)| each(segment, k)).collect())
            }
            _ => {
                // What an equation writes itself is none of its sources.
                let written = instruction.written(&|k| self.plan.matrices[k].rows());
                let own =
                    |row: &usize| written.iter().any(|(first, count)| (*first..first + count).contains(row));
                let read = instruction.read(&|k| self.plan.matrices[k].width);
                let rows = read.iter().flat_map(|(first, count)| *first..first + count);
                Sources::All(rows.filter(|row| !own(row)).collect())
            }
        }
    }

    /// The operands of each number that an instruction writes; for a product all of them together.
    fn operands_of(&self, instruction: &Instruction, lane: Lane, space: &Space<F>) -> Vec<Vec<F>> {
        let number = |place: Place, k: usize| match place.is_shared() {
            true => self.values[place.index()],
            false => space.rows[(place.index() + k) * lane.stride],
        };
        match &instruction.work {
            Work::Elementwise { segments, .. } | Work::TanhAndSlope { segments, .. } => segments
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
