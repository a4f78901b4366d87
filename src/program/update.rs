//! Changing parameters in place: what a training step does with the sums of a run.

use super::compile::{Found, Program};
use super::error::ProgramError;
use super::lanes::Element;
use crate::tape::{Parameters, Shape};

impl<F: Element> Program<F> {
    /// Runs over rows for the sake of the sums alone, which stay where they are: see [`Program::sum`].
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn accumulate(&mut self, inputs: &[&[F]], rows: usize) -> Result<(), ProgramError> {
        let mut results = std::mem::take(&mut self.results);
        results.resize_with(self.plan.outputs.len(), Vec::new);
        let done = self.run_into(inputs, rows, &mut results);
        self.results = results;
        done
    }

    /// A sum of the last run, by the number of its output.
    ///
    /// # Panics
    /// When the output is not a sum.
    pub fn sum(&self, output: usize) -> &[F] {
        let Found::Sum(slot) = &self.plan.outputs[output] else { panic!("output {output} is no sum") };
        let slot = self.plan.slots[*slot];
        &self.values[slot.offset..slot.offset + slot.shape.len()]
    }

    /// Names and shapes of the parameters that the program depends on, in its own order.
    pub fn parameter_names(&self) -> impl Iterator<Item = (&str, Shape)> {
        self.plan.parameters.iter().map(|(_, declaration)| (declaration.name.as_str(), declaration.shape))
    }

    /// Hands every parameter, by its number, over to be changed, with the sum that `gradient` names for it; then
    /// computes again what depends on parameters alone.
    ///
    /// # Panics
    /// When such an output is not a sum of the parameter's shape.
    pub fn update(&mut self, gradient: &[usize], mut change: impl FnMut(usize, &mut [F], &[F])) {
        // Sums lie behind the parameters and behind all that follows from them.
        let (parameters, sums) = self.values.split_at_mut(self.plan.sums.0);
        for (number, (slot, _)) in self.plan.parameters.iter().enumerate() {
            let Found::Sum(sum) = &self.plan.outputs[gradient[number]] else { panic!("a gradient is a sum") };
            let (own, sum) = (self.plan.slots[*slot], self.plan.slots[*sum]);
            assert_eq!(own.shape, sum.shape, "a gradient has its parameter's shape");
            let gradient = &sums[sum.offset - self.plan.sums.0..][..sum.shape.len()];
            change(number, &mut parameters[own.offset..own.offset + own.shape.len()], gradient);
        }
        self.prepare();
    }

    /// The values of its parameters as they are now, put into a store.
    ///
    /// # Panics
    /// Never: a parameter's values fill its shape.
    pub fn save(&self, parameters: &mut Parameters) {
        for (slot, declaration) in &self.plan.parameters {
            let slot = self.plan.slots[*slot];
            let values = &self.values[slot.offset..slot.offset + slot.shape.len()];
            let values = values.iter().map(|value| value.to_double()).collect();
            parameters.set(&declaration.name, declaration.shape, values).expect("they fill the shape");
        }
    }
}
