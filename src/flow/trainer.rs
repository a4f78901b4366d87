//! One training step after another: loss, gradients and Adam in one compiled program, on numbers that stay in place.

use super::adam::Adam;
use super::density::{DensityTape, Flow, finite_rows, whole_rows};
use super::error::FlowError;
use super::support::{Outside, Watch};
use crate::program::{Element, NonFinite, Output, Profile, Program, Threads};
use crate::sweep::adjoint;
use crate::tape::{Cut, Parameters};

/// Minimises the mean of -ln p(x), a minibatch a step. `Flow::fit` does the rest: shuffles, holds out, stops.
///
/// ```
/// use pushforward::flow::Trainer;
/// use pushforward::prelude::*;
///
/// let layers: Vec<Box<dyn Bijection>> = vec![Box::new(Affine::new([1.0], [0.0]))];
/// let flow = Flow::new(StandardNormal::new(1), layers)?;
/// let mut trainer = Trainer::<f64>::new(&flow, flow.initial(0)?, 0.1)?;
/// let data = [4.0, 6.0, 5.0, 7.0];
/// let losses: Vec<f64> = (0..400).map(|_| trainer.step(&data)).collect::<Result<_, _>>()?;
/// assert!(losses[399] < losses[0]);
/// let shift = trainer.parameters().get("layers.0.shift").unwrap().values[0];
/// assert!((shift - 5.5).abs() < 0.1);          // the mean of the data
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Trainer<F> {
    program: Program<F>,
    threads: Threads,
    /// By parameter of the program: the output that is its gradient, if it has one.
    gradients: Vec<Option<usize>>,
    /// The output that counts numbers outside of the support, and what tells where; `None` where all rows are inside.
    outside: Option<(usize, Watch<F>)>,
    adam: Adam<F>,
    parameters: Parameters,
    clip: f64,
    width: usize,
    context: usize,
}

/// What came of a step.
pub(super) enum Step {
    /// It was made; the mean loss before it.
    Made(f64),
    /// A row has no density; nothing was changed.
    Outside,
    /// The loss or a gradient is not finite; nothing was changed.
    NotFinite,
}

impl<F: Element> Trainer<F> {
    /// Starts from these parameters, with this step size.
    ///
    /// # Errors
    /// [`FlowError::Setting`], and what is wrong with a layer or with the parameters.
    pub fn new(flow: &Flow, parameters: Parameters, learning_rate: f64) -> Result<Trainer<F>, FlowError> {
        Trainer::on(&flow.density()?, parameters, learning_rate)
    }

    pub(super) fn on(
        density: &DensityTape,
        parameters: Parameters,
        learning_rate: f64,
    ) -> Result<Trainer<F>, FlowError> {
        check_rate(learning_rate)?;
        let tape = &density.tape;
        let loss = -tape.var(density.log_prob);
        let nodes = tape.parameters();
        let inputs = density.inputs();
        let cut = Cut::new(tape, &inputs, &[loss.id()]);
        let found = adjoint(tape, &cut, &[(loss.id(), tape.constant(1.0))], &nodes);
        let mut outputs = vec![Output::Sum(loss.id())];
        let mut names = Vec::new();
        for (declaration, gradient) in tape.declarations().into_iter().zip(found) {
            if let Some(gradient) = gradient {
                outputs.push(Output::Sum(gradient.id()));
                names.push(declaration.name);
            }
        }
        let outside = density.support.as_ref().map(|support| {
            outputs.push(Output::Sum(support.outside));
            (outputs.len() - 1, support.watch(tape, &inputs))
        });
        let mut program = Program::compile(tape, &inputs, &outputs);
        program.load(&parameters)?;
        let output_of = |name: &str| names.iter().position(|known| known == name).map(|k| k + 1);
        // What only steers a choice has no gradient, and stays where it is.
        let gradients: Vec<Option<usize>> =
            program.parameter_names().map(|(name, _)| output_of(name)).collect();
        let lengths: Vec<usize> = program.parameter_names().map(|(_, shape)| shape.len()).collect();
        Ok(Trainer {
            gradients,
            outside,
            adam: Adam::new(learning_rate, &lengths),
            width: tape.shape(density.x).len(),
            context: density.context.map_or(0, |node| tape.shape(node).len()),
            clip: f64::INFINITY,
            program,
            threads: Threads::All,
            parameters,
        })
    }

    /// Shortens gradients that are longer than this (Euclidean, over all parameters).
    pub fn set_clip(&mut self, clip: f64) {
        self.clip = clip;
    }

    /// Changes the step size from now on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.adam.set_learning_rate(learning_rate);
    }

    /// Sets on how many threads it runs; results do not depend on it.
    pub fn set_threads(&mut self, threads: Threads) {
        self.threads = threads;
        self.program.set_threads(threads);
    }

    /// One step on these rows; gives their mean loss before it.
    ///
    /// # Errors
    /// [`FlowError::Setting`] for a step size or a clip that is not positive, [`FlowError::Rows`], [`FlowError::Nan`],
    /// [`FlowError::Infinite`]; [`FlowError::Outside`] for a row without a density, and [`FlowError::NotFinite`] for a
    /// loss or gradients that are not finite. Then nothing was changed.
    pub fn step(&mut self, rows: &[F]) -> Result<f64, FlowError> {
        self.step_given(rows, &[])
    }

    /// The same for a conditional density: a context for each row.
    ///
    /// # Errors
    /// As [`Trainer::step`], and [`FlowError::Context`], [`FlowError::ContextRows`].
    pub fn step_given(&mut self, rows: &[F], contexts: &[F]) -> Result<f64, FlowError> {
        check_rate(self.adam.learning_rate())?;
        check_clip(self.clip)?;
        if !rows.len().is_multiple_of(self.width) || rows.is_empty() {
            return Err(FlowError::Rows { width: self.width, given: rows.len() });
        }
        let count = rows.len() / self.width;
        let inputs = match self.context {
            0 if contexts.is_empty() => vec![rows],
            width if width == 0 || contexts.is_empty() => {
                return Err(FlowError::Context { expected: width, given: contexts.len() });
            }
            width if contexts.len() != count * width => {
                return Err(FlowError::ContextRows { rows: count, contexts: contexts.len() / width });
            }
            _ => vec![rows, contexts],
        };
        let step = self.try_step(&inputs, count)?;
        if let Step::Made(loss) = step {
            return Ok(loss);
        }
        for (values, width) in inputs.iter().zip([self.width, self.context]) {
            let doubles: Vec<f64> = values.iter().map(|value| value.to_double()).collect();
            whole_rows(&doubles, width)?;
            finite_rows(&doubles, width)?;
        }
        if let Some(outside) = self.first_outside(&inputs, count)? {
            return Err(FlowError::Outside(outside));
        }
        let origin = self.origin(&inputs, count)?;
        Err(FlowError::not_finite(origin.as_ref().map_or(0, |origin| origin.row), origin))
    }

    /// The same with the inputs of the program.
    pub(super) fn try_step(&mut self, inputs: &[&[F]], count: usize) -> Result<Step, FlowError> {
        match self.threads {
            // From one of the threads that share: nobody sleeps between sums, updates and what comes of them.
            Threads::All => rayon::scope(|_| self.try_step_here(inputs, count)),
            Threads::One => self.try_step_here(inputs, count),
        }
    }

    fn try_step_here(&mut self, inputs: &[&[F]], count: usize) -> Result<Step, FlowError> {
        self.program.accumulate(inputs, count)?;
        if let Some((output, _)) = &self.outside
            && self.program.sum(*output)[0].to_double() > 0.0
        {
            return Ok(Step::Outside);
        }
        let loss = self.program.sum(0)[0].to_double() / count as f64;
        let square = self.program.sum_of_squares(self.gradients.iter().copied().flatten());
        let length = square.sqrt() / count as f64;
        if !loss.is_finite() || !length.is_finite() {
            return Ok(Step::NotFinite);
        }
        let clipped = if length > self.clip { self.clip / length } else { 1.0 };
        let scale = F::of(clipped / count as f64);
        let (step, moments) = self.adam.next(scale);
        self.program.update(&self.gradients, moments, |moments, values, gradient| {
            step.change(moments, values, gradient);
        });
        Ok(Step::Made(loss))
    }

    /// Where a step's time goes, apart from the changes of the parameters.
    ///
    /// # Errors
    /// [`FlowError::Rows`] for rows that are not whole.
    pub fn profile(&mut self, rows: &[F], repeats: usize) -> Result<Profile, FlowError> {
        if !rows.len().is_multiple_of(self.width) {
            return Err(FlowError::Rows { width: self.width, given: rows.len() });
        }
        Ok(self.program.profile(&[rows], rows.len() / self.width, repeats)?)
    }

    /// The first of these rows that has no density under the parameters as they are now.
    pub(super) fn first_outside(
        &mut self,
        inputs: &[&[F]],
        count: usize,
    ) -> Result<Option<Outside>, FlowError> {
        let Some((_, watch)) = &mut self.outside else { return Ok(None) };
        self.program.save(&mut self.parameters);
        watch.load(&self.parameters)?;
        watch.first_outside(inputs, count)
    }

    pub(super) fn origin(&mut self, inputs: &[&[F]], count: usize) -> Result<Option<NonFinite>, FlowError> {
        Ok(self.program.trace_nonfinite(inputs, count)?)
    }

    /// The parameters as they are now.
    pub fn parameters(&mut self) -> &Parameters {
        self.program.save(&mut self.parameters);
        &self.parameters
    }
}

pub(super) fn check_rate(rate: f64) -> Result<(), FlowError> {
    let allowed = "a positive number";
    match rate > 0.0 && rate.is_finite() {
        true => Ok(()),
        false => Err(FlowError::Setting { name: "learning_rate", value: rate.to_string(), allowed }),
    }
}

pub(super) fn check_clip(clip: f64) -> Result<(), FlowError> {
    let allowed = "positive (f64::INFINITY for no clipping)";
    match clip > 0.0 {
        true => Ok(()),
        false => Err(FlowError::Setting { name: "clip", value: clip.to_string(), allowed }),
    }
}
