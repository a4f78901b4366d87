//! Where a number that is not finite first arose: the program once more, a row and an instruction at a time.

use super::error::{NonFinite, ProgramError};
use super::instruction::{Instruction, Work};
use super::plan::{Found, Program, Slot, SlotId};
use super::precision::Precision;
use super::register::{Kind, Register, Registers, Row, Rows, Segment};
use super::workspace::Space;
use crate::kernel::Lanes;
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
    Each(Vec<Vec<Row>>),
    /// The same for all of them.
    All(Vec<Row>),
}

impl Sources {
    fn of(&self, number: usize) -> &[Row] {
        match self {
            Sources::Each(each) => each.get(number).map_or(&[], Vec::as_slice),
            Sources::All(all) => all,
        }
    }
}

impl<F: Precision> Program<F> {
    /// The operation that makes a number that is not finite out of finite ones, among those that an output comes from:
    /// the branch of a choice that is not taken is nobody's source. Looked for in one row at a time, among the given
    /// rows. Where every output is finite, it is the first such operation in the order of the program.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn trace_nonfinite(&self, inputs: &[&[F]], rows: usize) -> Result<Option<NonFinite>, ProgramError> {
        self.check(inputs, rows)?;
        Ok(F::trace(self, inputs, rows))
    }

    pub(super) fn trace_here(&self, inputs: &[&[F]], rows: usize) -> Option<NonFinite> {
        for work in &self.plan.shared {
            let numbers = |slot: SlotId| {
                let Slot { offset, shape, .. } = self.plan.slots[slot.0];
                &self.shared[offset..offset + shape.len()]
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
        let lanes = Lanes::padded::<F>(1);
        space.rows.clear();
        space.rows.resize(self.plan.rows * lanes.stride, F::zero());
        for (own, rows) in self.plan.inputs.iter().zip(inputs) {
            for (own, value) in own.indices().zip(&rows[row * own.count..]) {
                space.rows[own * lanes.stride..][..lanes.stride].fill(*value);
            }
        }
        let mut found: Vec<NonFinite> = Vec::new();
        // By row of memory: where the number that is not finite comes from, as an index of `found`.
        let mut origin: Vec<Option<usize>> = vec![None; self.plan.rows];
        for instruction in &self.plan.instructions {
            let before = self.operands_of(instruction, lanes, space);
            let sources = self.sources_of(instruction, lanes, space);
            self.run_instructions(std::slice::from_ref(instruction), lanes, space);
            let written = instruction.written(&self.plan.matrices);
            if written.is_empty()
                && let Some(known) = sources.of(0).iter().find_map(|row| origin[row.index()])
            {
                return Traced::Output(found.swap_remove(known));
            }
            let numbers = written.iter().flat_map(|rows| rows.indices());
            for (at, written) in numbers.enumerate() {
                let value = space.rows[written * lanes.stride];
                if value.is_finite() {
                    origin[written] = None;
                    continue;
                }
                let known = sources.of(at).iter().find_map(|row| origin[row.index()]);
                let own = before.get(at).or(before.last());
                if known.is_some() || own.is_some_and(|own| own.iter().any(|value| !value.is_finite())) {
                    origin[written] = known;
                    continue;
                }
                origin[written] = Some(found.len());
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
        let deferred = self.plan.deferred.iter().flat_map(|sum| sum.read(&self.plan.matrices));
        let outputs = self.plan.outputs.iter().filter_map(Found::registers);
        let rows = outputs.flat_map(Registers::iter).filter_map(Register::row);
        match rows.chain(deferred.flat_map(Rows::iter)).find_map(|row| origin[row.index()]) {
            Some(known) => Traced::Output(found.swap_remove(known)),
            None => Traced::Hidden(found.into_iter().next()),
        }
    }

    /// The rows that each number which an instruction writes is formed from; of a choice those of the branch taken.
    fn sources_of(&self, instruction: &Instruction, lanes: Lanes, space: &Space<F>) -> Sources {
        let row = |register: Register, k: usize| register.row().map(|row| row.after(k));
        match &instruction.work {
            Work::Elementwise { op, segments } => {
                let each = |segment: &Segment, k: usize| -> Vec<Row> {
                    let operands = &segment.operands;
                    let taken: &[Register] = match op {
                        Op::Choice(Choice::Select) => {
                            let condition = self.number(operands[0], k, lanes, space);
                            if condition == F::zero() { &operands[2..] } else { &operands[1..2] }
                        }
                        _ => operands,
                    };
                    taken.iter().filter_map(|register| row(*register, k)).collect()
                };
                let numbers =
                    segments.iter().flat_map(|segment| (0..segment.count).map(move |k| (segment, k)));
                Sources::Each(numbers.map(|(segment, k)| each(segment, k)).collect())
            }
            _ => {
                // What an equation writes itself is none of its sources.
                let written = instruction.written(&self.plan.matrices);
                let own = |row: &Row| written.iter().any(|rows| rows.contains(*row));
                let read = instruction.read(&self.plan.matrices).into_iter().flat_map(Rows::iter);
                Sources::All(read.filter(|row| !own(row)).collect())
            }
        }
    }

    /// The number of a register's element, in the first lane.
    fn number(&self, register: Register, element: usize, lanes: Lanes, space: &Space<F>) -> F {
        match register.kind() {
            Kind::Shared(index) => self.shared[index],
            Kind::Row(row) => space.rows[row.after(element).index() * lanes.stride],
        }
    }

    /// The operands of each number that an instruction writes; for a product all of them together.
    fn operands_of(&self, instruction: &Instruction, lanes: Lanes, space: &Space<F>) -> Vec<Vec<F>> {
        let number = |register: &Register, k: usize| self.number(*register, k, lanes, space);
        match &instruction.work {
            Work::Elementwise { segments, .. } | Work::TanhAndSlope { segments, .. } => segments
                .iter()
                .flat_map(|segment| {
                    (0..segment.count).map(|k| {
                        segment.operands.iter().map(|register| number(register, k)).collect::<Vec<F>>()
                    })
                })
                .collect(),
            _ => {
                let read = instruction.read(&self.plan.matrices).into_iter().flat_map(Rows::iter);
                // They go into every result, so that none of them is told.
                match read.map(|row| number(&row.into(), 0)).find(|value| !value.is_finite()) {
                    Some(value) => vec![vec![value]],
                    None => Vec::new(),
                }
            }
        }
    }
}
