//! In-place updates of parameters: what a training step does with the sums of a run.

use rayon::prelude::*;
use smallvec::SmallVec;

use super::error::ProgramError;
use super::matrix::{Matrix, Packed};
use super::plan::{Found, Program};
use super::precision::Precision;
use super::run::Threads;
use super::workspace::Workspace;
use crate::tape::{Parameters, Shape};

/// From this many numbers on an update is split over threads.
const LARGE: usize = 1 << 15;

/// This many numbers are squared and summed at a time.
const PIECE: usize = 1 << 14;

/// A parameter to be updated, and the matrices whose source it is.
struct Job<'a, T, F> {
    state: &'a mut T,
    values: &'a mut [F],
    gradient: &'a [F],
    matrices: SmallVec<[(&'a mut Packed<F>, &'a Matrix); 2]>,
}

impl<F: Precision> Program<F> {
    /// Runs over rows and keeps only the sums, in the workspace: see [`Program::sum`].
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn accumulate(
        &self,
        workspace: &mut Workspace<F>,
        inputs: &[&[F]],
        rows: usize,
    ) -> Result<(), ProgramError> {
        self.check(inputs, rows)?;
        F::run_and_sum(self, workspace, inputs, rows, &mut []);
        Ok(())
    }

    /// Returns a sum of the last run in a workspace, by the index of its output.
    ///
    /// # Panics
    /// When the output is not a sum, or the last run in the workspace was another program's.
    pub fn sum<'a>(&self, workspace: &'a Workspace<F>, output: usize) -> &'a [F] {
        let Found::Sum(slot) = &self.plan.outputs[output] else { panic!("output {output} is no sum") };
        workspace.slot(&self.plan, *slot)
    }

    /// Returns Σ a² over every number of these sums, in double precision; bitwise the same on any number of threads.
    ///
    /// # Panics
    /// As [`Program::sum`].
    pub fn sum_of_squares(&self, workspace: &Workspace<F>, outputs: impl Iterator<Item = usize>) -> f64 {
        let of = |output: usize| {
            let values = self.sum(workspace, output);
            match self.threads {
                Threads::All if values.len() > LARGE => {
                    let pieces: Vec<f64> = values.par_chunks(PIECE).map(squares).collect();
                    pieces.into_iter().sum::<f64>()
                }
                _ => values.chunks(PIECE).map(squares).sum::<f64>(),
            }
        };
        outputs.map(of).sum()
    }

    /// Names and shapes of the parameters that the program depends on, in its own order.
    pub fn parameter_names(&self) -> impl Iterator<Item = (&str, Shape)> {
        self.plan.parameters.iter().map(|(_, declaration)| (declaration.name.as_str(), declaration.shape))
    }

    /// Updates every parameter that has a gradient, with its optimiser state and the sum that `gradient` names for it
    /// in the last run in the workspace; then recomputes everything that depends only on parameters. Matrices are
    /// updated right after their parameter, while it is in the cache.
    ///
    /// # Panics
    /// When there is not a state for each parameter, a gradient is not a sum of the parameter's shape, or the last run in
    /// the workspace was another program's.
    pub fn update<T: Send>(
        &mut self,
        workspace: &Workspace<F>,
        gradient: &[Option<usize>],
        states: &mut [T],
        change: impl Fn(&mut T, &mut [F], &[F]) + Sync,
    ) {
        assert_eq!(states.len(), self.plan.parameters.len(), "a state for each parameter");
        // Parameters are stored in order.
        let (mut rest, mut start) = (self.shared.as_mut_slice(), 0);
        let mut packed: Vec<Option<&mut Packed<F>>> = self.packed.iter_mut().map(Some).collect();
        let mut jobs: Vec<Job<'_, T, F>> = Vec::with_capacity(states.len());
        for (number, (state, output)) in states.iter_mut().zip(gradient).enumerate() {
            let Some(output) = output else { continue };
            let slot = self.plan.parameters[number].0;
            let Found::Sum(sum) = &self.plan.outputs[*output] else { panic!("a gradient is a sum") };
            let own = self.plan.slots[slot.0];
            assert_eq!(own.shape, self.plan.slots[sum.0].shape, "a gradient has its parameter's shape");
            let (values, after) = rest.split_at_mut(own.offset - start).1.split_at_mut(own.shape.len());
            (rest, start) = (after, own.offset + own.shape.len());
            let gradient = workspace.slot(&self.plan, *sum);
            let own = self.plan.matrices_of[number]
                .iter()
                .map(|k| (packed[k.0].take().expect("a matrix has one source"), k.of(&self.plan.matrices)));
            jobs.push(Job { state, values, gradient, matrices: own.collect() });
        }
        let run = |job: Job<'_, T, F>| {
            let Job { state, values, gradient, matrices } = job;
            change(state, values, gradient);
            for (packed, matrix) in matrices {
                packed.load_from(matrix, values);
            }
        };
        match self.threads {
            Threads::All if self.plan.deferred_sums.end - self.plan.sums.start > LARGE => {
                jobs.into_par_iter().for_each(run)
            }
            _ => jobs.into_iter().for_each(run),
        }
        F::derive_shared(self);
    }

    /// Returns the current values of the parameters as a store.
    ///
    /// # Panics
    /// Never: a parameter's values fill its shape.
    pub fn save(&self, parameters: &mut Parameters) {
        for (slot, declaration) in &self.plan.parameters {
            let slot = self.plan.slots[slot.0];
            let values = &self.shared[slot.offset..slot.offset + slot.shape.len()];
            let doubles = values.iter().map(|value| value.to_double());
            match parameters.get_mut(&declaration.name).filter(|own| own.shape == declaration.shape) {
                Some(own) => own.values.iter_mut().zip(doubles).for_each(|(own, value)| *own = value),
                None => parameters
                    .set(&declaration.name, declaration.shape, doubles.collect())
                    .expect("they fill the shape"),
            }
        }
    }
}

/// Returns Σ a², with sixteen running sums in double precision.
fn squares<F: Precision>(a: &[F]) -> f64 {
    let mut sums = [0.0; 16];
    let chunks = a.chunks_exact(16);
    let rest: f64 = chunks.remainder().iter().map(|a| a.to_double() * a.to_double()).sum();
    for chunk in chunks {
        for (sum, a) in sums.iter_mut().zip(chunk) {
            *sum += a.to_double() * a.to_double();
        }
    }
    rest + sums.iter().sum::<f64>()
}
