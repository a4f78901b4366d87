//! Locates the first non-finite number: runs the program again, one row and one instruction at a time.

use super::error::{NonFinite, ProgramError};
use super::instruction::{Equation, Instruction, Work};
use super::plan::{Found, Program, Slot, SlotId};
use super::precision::Precision;
use super::register::{Kind, Register, Registers, Row, Rows, Segment};
use super::workspace::Space;
use crate::kernel::Lanes;
use crate::tape::{Choice, Op};

/// The result of tracing one row.
enum Traced {
    /// The origin of a non-finite output.
    Output(NonFinite),
    /// Every output is finite; an intermediate result may not be.
    Hidden(Option<NonFinite>),
}

/// The rows that each number written by an instruction is computed from.
enum Sources {
    /// A list for each number.
    Each(Vec<Vec<Row>>),
    /// One list for all numbers.
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
    /// Returns the operation with finite operands and a non-finite result that a non-finite output is computed from;
    /// the branch of a select that is not taken is not a source. The given rows are examined one at a time. Where
    /// every output is finite, it is the first such operation in the order of the program.
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
                residual: None,
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
        // By row of memory: the origin of a non-finite number, as an index of `found`.
        let mut origin: Vec<Option<usize>> = vec![None; self.plan.rows];
        for instruction in &self.plan.instructions {
            let before = self.operands_of(instruction, lanes, space);
            let sources = self.sources_of(instruction, lanes, space);
            self.run_instructions(std::slice::from_ref(instruction), lanes, space);
            let written = match &instruction.work {
                // What its body leaves behind are the numbers of one stage.
                Work::Integrate(integration) => integration.results(),
                _ => instruction.written(&self.plan.matrices),
            };
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
                    residual: match &instruction.work {
                        Work::Solve(equation) if matches!(**equation, Equation::System { .. }) => {
                            space.systems.last().map(|search| search.residual(0))
                        }
                        _ => None,
                    },
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

    /// Returns the rows that each number written by an instruction is computed from; of a choice those of the branch
    /// taken.
    fn sources_of(&self, instruction: &Instruction, lanes: Lanes, space: &Space<F>) -> Sources {
        match &instruction.work {
            Work::Elementwise { op, segments } => {
                let each = |segment: &Segment, k: usize| -> Vec<Row> {
                    let operands = segment.element(k).operands;
                    let taken: &[Register] = match op {
                        Op::Choice(Choice::Select) => {
                            let condition = self.number(operands[0], lanes, space);
                            if condition == F::zero() { &operands[2..] } else { &operands[1..2] }
                        }
                        _ => &operands,
                    };
                    taken.iter().filter_map(|register| register.row()).collect()
                };
                let numbers =
                    segments.iter().flat_map(|segment| (0..segment.count).map(move |k| (segment, k)));
                Sources::Each(numbers.map(|(segment, k)| each(segment, k)).collect())
            }
            _ => {
                // Rows that an equation writes itself are not sources.
                let written = instruction.written(&self.plan.matrices);
                let own = |row: &Row| written.iter().any(|rows| rows.contains(*row));
                let read = instruction.read(&self.plan.matrices).into_iter().flat_map(Rows::iter);
                Sources::All(read.filter(|row| !own(row)).collect())
            }
        }
    }

    /// Returns the number of a register, in the first lane.
    fn number(&self, register: Register, lanes: Lanes, space: &Space<F>) -> F {
        match register.kind() {
            Kind::Shared(index) => self.shared[index],
            Kind::Row(row) => space.rows[row.index() * lanes.stride],
        }
    }

    /// Returns the operands of each number that an instruction writes; for a product all of them together.
    fn operands_of(&self, instruction: &Instruction, lanes: Lanes, space: &Space<F>) -> Vec<Vec<F>> {
        let number = |register: &Register| self.number(*register, lanes, space);
        match &instruction.work {
            Work::Elementwise { segments, .. } | Work::TanhAndSlope { segments, .. } => segments
                .iter()
                .flat_map(|segment| {
                    (0..segment.count)
                        .map(|k| segment.element(k).operands.iter().map(number).collect::<Vec<F>>())
                })
                .collect(),
            _ => {
                let read = instruction.read(&self.plan.matrices).into_iter().flat_map(Rows::iter);
                // They all contribute to every result, so none of them is reported.
                match read.map(|row| number(&row.into())).find(|value| !value.is_finite()) {
                    Some(value) => vec![vec![value]],
                    None => Vec::new(),
                }
            }
        }
    }
}
