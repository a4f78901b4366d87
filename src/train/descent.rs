//! Gradient descent: loss and gradients in one compiled program, Adam, and parameters that stay in the
//! program's memory.

use super::adam::Adam;
use super::error::TrainError;
use crate::program::{NonFinite, Output, Precision, Profile, Program, ProgramError, Threads, Workspace};
use crate::sweep::adjoint;
use crate::tape::{NodeId, Parameters, Subgraph, Tape};

/// A loss and its gradients as a program, the optimiser, and the parameters.
pub(crate) struct Descent<F> {
    program: Program<F>,
    workspace: Workspace<F>,
    threads: Threads,
    /// For each parameter of the program, the output that is its gradient, if it has one.
    gradients: Vec<Option<usize>>,
    /// The output whose sum must be 0; otherwise the step is refused.
    refuses: Option<usize>,
    adam: Adam<F>,
    parameters: Parameters,
    clip: f64,
}

/// Result of a step.
pub(crate) enum Step {
    /// The parameters were updated; holds the mean loss before the update.
    Made(f64),
    /// The sum that must be 0 is not; nothing was changed.
    Refused,
    /// The loss or a gradient is not finite; nothing was changed.
    NotFinite,
}

impl<F: Precision> Descent<F> {
    /// Compiles a scalar loss on a tape over these inputs. Only parameters for which `learns` holds are
    /// updated. A step is refused if the sum of `refuses` is above 0.
    pub fn new(
        tape: &Tape,
        inputs: &[NodeId],
        (loss, refuses): (NodeId, Option<NodeId>),
        learns: impl Fn(&str) -> bool,
        parameters: Parameters,
        learning_rate: f64,
    ) -> Result<Descent<F>, TrainError> {
        check_rate(learning_rate)?;
        let (nodes, names): (Vec<NodeId>, Vec<String>) = tape
            .parameters()
            .into_iter()
            .zip(tape.declarations())
            .filter(|(_, declaration)| learns(&declaration.name))
            .map(|(node, declaration)| (node, declaration.name))
            .unzip();
        let subgraph = Subgraph::new(tape, inputs, &[loss]);
        let found = adjoint(tape, &subgraph, &[(loss, tape.constant(1.0))], &nodes);
        let mut outputs = vec![Output::Sum(loss)];
        let mut learned = Vec::new();
        for (name, gradient) in names.into_iter().zip(found) {
            if let Some(gradient) = gradient {
                outputs.push(Output::Sum(gradient.id()));
                learned.push(name);
            }
        }
        let refuses = refuses.map(|node| {
            outputs.push(Output::Sum(node));
            outputs.len() - 1
        });
        let mut program = Program::compile(tape, inputs, &outputs);
        program.load(&parameters)?;
        let output_of = |name: &str| learned.iter().position(|known| known == name).map(|k| k + 1);
        // Parameters used only in conditions have no gradient and are not updated.
        let gradients = program.parameter_names().map(|(name, _)| output_of(name)).collect();
        let lengths: Vec<usize> = program.parameter_names().map(|(_, shape)| shape.len()).collect();
        Ok(Descent {
            gradients,
            refuses,
            adam: Adam::new(learning_rate, &lengths),
            clip: f64::INFINITY,
            program,
            workspace: Workspace::default(),
            threads: Threads::All,
            parameters,
        })
    }

    pub fn set_clip(&mut self, clip: f64) {
        self.clip = clip;
    }

    pub fn set_weight_decay(&mut self, weight_decay: f64) {
        self.adam.set_weight_decay(weight_decay);
    }

    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.adam.set_learning_rate(learning_rate);
    }

    pub fn set_threads(&mut self, threads: Threads) {
        self.threads = threads;
        self.program.set_threads(threads);
    }

    pub fn threads(&self) -> Threads {
        self.threads
    }

    /// Checks that learning rate and clip are valid.
    pub fn check(&self) -> Result<(), TrainError> {
        check_rate(self.adam.learning_rate())?;
        check_clip(self.clip)
    }

    pub fn step(&mut self, inputs: &[&[F]], rows: usize) -> Result<Step, ProgramError> {
        match self.threads {
            // Runs inside the thread pool; avoids worker wake-ups between sums and updates.
            Threads::All => rayon::scope(|_| self.step_here(inputs, rows)),
            Threads::One => self.step_here(inputs, rows),
        }
    }

    fn step_here(&mut self, inputs: &[&[F]], rows: usize) -> Result<Step, ProgramError> {
        self.program.accumulate(&mut self.workspace, inputs, rows)?;
        if self.refuses.is_some_and(|output| self.program.sum(&self.workspace, output)[0].to_double() > 0.0) {
            return Ok(Step::Refused);
        }
        let loss = self.program.sum(&self.workspace, 0)[0].to_double() / rows as f64;
        let square = self.program.sum_of_squares(&self.workspace, self.gradients.iter().copied().flatten());
        let length = square.sqrt() / rows as f64;
        if !loss.is_finite() || !length.is_finite() {
            return Ok(Step::NotFinite);
        }
        let clipped = if length > self.clip { self.clip / length } else { 1.0 };
        let scale = F::of(clipped / rows as f64);
        let (step, moments) = self.adam.next(scale);
        self.program.update(&self.workspace, &self.gradients, moments, |moments, values, gradient| {
            step.change(moments, values, gradient);
        });
        Ok(Step::Made(loss))
    }

    /// Computes the mean loss over these rows, without a step.
    pub fn mean(&mut self, inputs: &[&[F]], rows: usize) -> Result<f64, ProgramError> {
        self.program.accumulate(&mut self.workspace, inputs, rows)?;
        Ok(self.program.sum(&self.workspace, 0)[0].to_double() / rows as f64)
    }

    /// Number of learned parameters.
    pub fn learned(&self) -> usize {
        self.gradients.iter().flatten().count()
    }

    pub fn profile(&self, inputs: &[&[F]], rows: usize, repeats: usize) -> Result<Profile, ProgramError> {
        self.program.profile(inputs, rows, repeats)
    }

    pub fn origin(&self, inputs: &[&[F]], rows: usize) -> Result<Option<NonFinite>, ProgramError> {
        self.program.trace_nonfinite(inputs, rows)
    }

    /// The current parameters.
    pub fn parameters(&mut self) -> &Parameters {
        self.program.save(&mut self.parameters);
        &self.parameters
    }

    /// Whether two programs learn the same parameters, in the same order.
    pub fn learns_the_same(&self, other: &Descent<F>) -> bool {
        let learned = |descent: &Descent<F>| -> Vec<(String, bool)> {
            let names = descent.program.parameter_names().zip(&descent.gradients);
            names.map(|((name, _), gradient)| (name.to_string(), gradient.is_some())).collect()
        };
        learned(self) == learned(other)
    }

    /// Goes on where another descent of the same parameters is: takes its parameters, and its optimiser's state in exchange for
    /// its own.
    pub fn go_on_from(&mut self, other: &mut Descent<F>) -> Result<(), TrainError> {
        self.program.load(other.parameters())?;
        std::mem::swap(&mut self.adam, &mut other.adam);
        Ok(())
    }

    /// Copies the values of parameters that are not learned here.
    pub fn take(&mut self, others: &Parameters) -> Result<(), TrainError> {
        self.program.save(&mut self.parameters);
        let names = self.program.parameter_names().zip(&self.gradients);
        for ((name, shape), _) in names.filter(|(_, gradient)| gradient.is_none()) {
            if let Some(tensor) = others.get(name) {
                self.parameters.set(name, shape, tensor.values.clone())?;
            }
        }
        Ok(self.program.load(&self.parameters)?)
    }
}

pub(crate) fn check_rate(rate: f64) -> Result<(), TrainError> {
    let allowed = "a positive number";
    match rate > 0.0 && rate.is_finite() {
        true => Ok(()),
        false => Err(TrainError::Setting { name: "learning_rate", value: rate.to_string(), allowed }),
    }
}

pub(crate) fn check_clip(clip: f64) -> Result<(), TrainError> {
    let allowed = "positive (f64::INFINITY for no clipping)";
    match clip > 0.0 {
        true => Ok(()),
        false => Err(TrainError::Setting { name: "clip", value: clip.to_string(), allowed }),
    }
}

pub(crate) fn check_weight_decay(decay: f64) -> Result<(), TrainError> {
    let allowed = "0 or a positive number";
    match decay >= 0.0 && decay.is_finite() {
        true => Ok(()),
        false => Err(TrainError::Setting { name: "weight_decay", value: decay.to_string(), allowed }),
    }
}

pub(crate) fn check_averaging(averaging: f64) -> Result<(), TrainError> {
    let allowed = "from 0 to below 1";
    match (0.0..1.0).contains(&averaging) {
        true => Ok(()),
        false => Err(TrainError::Setting { name: "averaging", value: averaging.to_string(), allowed }),
    }
}
