//! Running a compiled program over rows.

use super::compile::{Accumulate, Instruction, Output, Program, Slot, Work};
use super::error::{NonFinite, ProgramError};
use crate::sweep::value::{Lanes, Number, add_lanes, add_outer_products, evaluate, evaluate_element};
use crate::tape::Parameters;

impl<F: Number> Program<F> {
    /// Takes the values of the parameters and computes everything that depends on nothing else.
    ///
    /// # Errors
    /// [`ProgramError::Parameter`] when a parameter is missing or has another shape.
    pub fn load(&mut self, parameters: &Parameters) -> Result<(), ProgramError> {
        for (slot, declaration) in &self.parameters {
            let tensor = parameters.resolve(declaration)?;
            let offset = self.slots[*slot].offset;
            for (value, given) in self.shared_values[offset..].iter_mut().zip(&tensor.values) {
                *value = F::of(*given);
            }
        }
        for instruction in &self.shared {
            step(&self.slots, &self.zeros, instruction, &mut self.shared_values, None, 1);
        }
        self.loaded = true;
        Ok(())
    }

    /// Runs over `rows` rows; each input holds its rows one after another.
    ///
    /// For an [`Output::Each`] the result holds its rows one after another, for an [`Output::Sum`] one row.
    /// No rows are fine: sums are 0.
    ///
    /// # Errors
    /// [`ProgramError::NotLoaded`], [`ProgramError::Inputs`], [`ProgramError::Rows`].
    pub fn run(&mut self, inputs: &[&[F]], rows: usize) -> Result<Vec<Vec<F>>, ProgramError> {
        self.check(inputs, rows)?;
        let (before, after) = self.accumulators;
        self.shared_values[before..after].fill(F::zero());
        let mut results: Vec<Vec<F>> = self
            .outputs
            .iter()
            .map(|(output, slot)| match output {
                Output::Each(_) => Vec::with_capacity(rows * self.slots[*slot].shape.len()),
                Output::Sum(_) => Vec::new(),
            })
            .collect();
        let mut start = 0;
        while start < rows {
            let lanes = self.lanes.min(rows - start);
            self.chunk(inputs, start, lanes);
            for ((output, slot), result) in self.outputs.iter().zip(&mut results) {
                if let Output::Each(_) = output {
                    let node = self.lanes_of(*slot, lanes);
                    for lane in 0..lanes {
                        let lane = if node.width == 1 { 0 } else { lane };
                        result.extend((0..node.shape.len()).map(|e| node.values[e * node.width + lane]));
                    }
                }
            }
            self.accumulate(lanes);
            start += lanes;
        }
        for instruction in &self.after {
            step(&self.slots, &self.zeros, instruction, &mut self.shared_values, None, 1);
        }
        for ((output, slot), result) in self.outputs.iter().zip(&mut results) {
            if let Output::Sum(_) = output {
                result.extend_from_slice(self.lanes_of(*slot, 1).values);
            }
        }
        Ok(results)
    }

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
        for row in 0..rows {
            self.chunk(inputs, row, 1);
            let batched = self.batched.iter().filter_map(|work| match work {
                Work::Run(instruction) => Some(instruction),
                Work::Solve(_) => None,
            });
            for instruction in self.shared.iter().chain(&self.members).chain(batched) {
                let out = self.lanes_of(instruction.out, 1);
                let Some(element) = out.values.iter().position(|value| !value.is_finite()) else { continue };
                let operands: Vec<Lanes<'_, F>> =
                    instruction.operands.iter().map(|slot| self.lanes_of(*slot, 1)).collect();
                if operands.iter().any(|operand| operand.values.iter().any(|value| !value.is_finite())) {
                    continue;
                }
                let same = operands.iter().filter(|operand| operand.shape == out.shape);
                return Ok(Some(NonFinite {
                    operation: instruction.op.name(),
                    place: instruction.place,
                    element,
                    row,
                    value: out.values[element].to_double(),
                    operands: same.map(|operand| operand.values[element].to_double()).collect(),
                }));
            }
        }
        Ok(None)
    }

    fn check(&self, inputs: &[&[F]], rows: usize) -> Result<(), ProgramError> {
        if !self.loaded {
            return Err(ProgramError::NotLoaded);
        }
        if inputs.len() != self.inputs.len() {
            return Err(ProgramError::Inputs { expected: self.inputs.len(), given: inputs.len() });
        }
        for (number, (slot, values)) in self.inputs.iter().zip(inputs).enumerate() {
            let width = self.slots[*slot].shape.len();
            if values.len() != rows * width {
                return Err(ProgramError::Rows { input: number, rows, width, given: values.len() });
            }
        }
        Ok(())
    }

    /// Computes the batched nodes for the rows `start..start + lanes`.
    fn chunk(&mut self, inputs: &[&[F]], start: usize, lanes: usize) {
        let needed = self.batched_elements * lanes;
        if self.batched_values.len() < needed {
            self.batched_values.resize(needed, F::zero());
        }
        for (slot, rows) in self.inputs.iter().zip(inputs) {
            let Slot { offset, shape, .. } = self.slots[*slot];
            let width = shape.len();
            let target = &mut self.batched_values[offset * lanes..(offset + width) * lanes];
            for lane in 0..lanes {
                let row = &rows[(start + lane) * width..(start + lane + 1) * width];
                for (e, value) in row.iter().enumerate() {
                    target[e * lanes + lane] = *value;
                }
            }
        }
        for number in 0..self.batched.len() {
            match &self.batched[number] {
                Work::Run(instruction) => {
                    let batched = Some(&mut self.batched_values);
                    step(&self.slots, &self.zeros, instruction, &mut self.shared_values, batched, lanes);
                }
                Work::Solve(block) => self.solve(*block, None, lanes),
            }
        }
    }

    /// Adds this chunk's share to the batch sums.
    fn accumulate(&mut self, lanes: usize) {
        for sum in &self.sums {
            let (Accumulate::Lanes { to, .. } | Accumulate::Outer { to, .. }) = sum;
            let Slot { offset, shape, .. } = self.slots[*to];
            // Accumulators lie behind all values that they sum.
            let (values, accumulators) = self.shared_values.split_at_mut(offset);
            let sums = &mut accumulators[..shape.len()];
            let of =
                |slot: &usize| lanes_in(&self.slots[*slot], &self.zeros, values, &self.batched_values, lanes);
            match sum {
                Accumulate::Lanes { from, .. } => add_lanes(of(from), lanes, sums),
                Accumulate::Outer { left, right, .. } => {
                    add_outer_products(of(left), of(right), lanes, sums);
                }
            }
        }
    }

    fn lanes_of(&self, slot: usize, lanes: usize) -> Lanes<'_, F> {
        lanes_in(&self.slots[slot], &self.zeros, &self.shared_values, &self.batched_values, lanes)
    }
}

fn lanes_in<'a, F>(
    slot: &Slot,
    zeros: &'a [bool],
    shared: &'a [F],
    batched: &'a [F],
    lanes: usize,
) -> Lanes<'a, F> {
    let length = slot.shape.len();
    let zeros = &zeros[slot.zeros.0..slot.zeros.1];
    if slot.batched {
        let values = &batched[slot.offset * lanes..(slot.offset + length) * lanes];
        Lanes { values, width: lanes, shape: slot.shape, zeros }
    } else {
        let values = &shared[slot.offset..slot.offset + length];
        Lanes { values, width: 1, shape: slot.shape, zeros }
    }
}

/// Runs some elements of one instruction, which is batched.
pub(super) fn step_elements<F: Number>(
    slots: &[Slot],
    zeros: &[bool],
    instruction: &Instruction,
    elements: &[usize],
    shared: &[F],
    batched: &mut [F],
    lanes: usize,
) {
    let out = slots[instruction.out];
    let own_zeros = &zeros[out.zeros.0..out.zeros.1];
    let (known, rest) = batched.split_at_mut(out.offset * lanes);
    let operands: Vec<Lanes<'_, F>> = instruction
        .operands
        .iter()
        .map(|slot| lanes_in(&slots[*slot], zeros, shared, known, lanes))
        .collect();
    for e in elements {
        let target = &mut rest[e * lanes..(e + 1) * lanes];
        if own_zeros.get(*e) == Some(&true) {
            target.fill(F::zero());
        } else {
            evaluate_element(&instruction.op, out.shape, &operands, *e, target, lanes);
        }
    }
}

/// Runs one instruction; its result lies behind its operands, in the shared or the batched numbers.
pub(super) fn step<F: Number>(
    slots: &[Slot],
    zeros: &[bool],
    instruction: &Instruction,
    shared: &mut [F],
    batched: Option<&mut Vec<F>>,
    lanes: usize,
) {
    let out = slots[instruction.out];
    let length = out.shape.len();
    let own_zeros = &zeros[out.zeros.0..out.zeros.1];
    let run = |shared: &[F], batched: &[F], target: &mut [F], lanes: usize| {
        let operands: Vec<Lanes<'_, F>> = instruction
            .operands
            .iter()
            .map(|slot| lanes_in(&slots[*slot], zeros, shared, batched, lanes))
            .collect();
        evaluate(&instruction.op, out.shape, &operands, target, lanes, own_zeros);
    };
    match batched {
        Some(batched) if out.batched => {
            let (known, rest) = batched.split_at_mut(out.offset * lanes);
            run(shared, known, &mut rest[..length * lanes], lanes);
        }
        _ => {
            let (known, rest) = shared.split_at_mut(out.offset);
            run(known, &[], &mut rest[..length], 1);
        }
    }
}
