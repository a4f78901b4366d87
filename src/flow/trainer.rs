//! Maximum likelihood, one training step after another.

use super::density::Density;
use super::error::FlowError;
use super::flow::Flow;
use super::outside::Outside;
use super::rows::{finite_rows, whole_rows};
use super::support::Watch;
use crate::program::{NonFinite, Precision, Profile, Threads};
use crate::tape::Parameters;
use crate::train::{Descent, Step};

/// Minimises the mean of -ln p(x), one minibatch for each step. [`Flow::fit`] adds shuffling, held-out rows and early
/// stopping.
///
/// ```
/// use pushforward::flow::Trainer;
/// use pushforward::prelude::*;
///
/// let layers: Vec<Box<dyn Bijection>> = vec![Box::new(Affine::new([1.0], [0.0]))];
/// let flow = Flow::new(StandardNormal::new(1), layers)?;
/// let mut trainer = Trainer::<f64>::new(&flow, flow.initial(0), 0.1)?;
/// let data = [4.0, 6.0, 5.0, 7.0];
/// let losses: Vec<f64> = (0..400).map(|_| trainer.step(&data)).collect::<Result<_, _>>()?;
/// assert!(losses[399] < losses[0]);
/// let shift = trainer.parameters().get("layers.0.shift").unwrap().values[0];
/// assert!((shift - 5.5).abs() < 0.1);          // the mean of the data
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Trainer<F> {
    descent: Descent<F>,
    /// Locates where rows leave the support; `None` where all rows are inside.
    outside: Option<Watch<F>>,
    width: usize,
    context: usize,
}

impl<F: Precision> Trainer<F> {
    /// Starts from these parameters, with this step size.
    ///
    /// # Errors
    /// [`FlowError::Setting`], and errors of a layer or of the parameters.
    pub fn new(flow: &Flow, parameters: Parameters, learning_rate: f64) -> Result<Trainer<F>, FlowError> {
        Trainer::on(&flow.density(), parameters, learning_rate)
    }

    pub(super) fn on(
        density: &Density,
        parameters: Parameters,
        learning_rate: f64,
    ) -> Result<Trainer<F>, FlowError> {
        let tape = &density.tape;
        let loss = -tape.var(density.log_prob);
        let inputs = density.inputs();
        // A row outside of the support has density 0, whatever the formula gives there.
        let outside = density.support.as_ref().map(|support| support.outside);
        Ok(Trainer {
            descent: Descent::new(tape, &inputs, (loss.id(), outside), |_| true, parameters, learning_rate)?,
            outside: density.support.as_ref().map(|support| support.watch(tape, &inputs)),
            width: density.width(),
            context: density.context_width(),
        })
    }

    /// Sets the maximum norm of gradients (Euclidean, over all parameters).
    pub fn set_clip(&mut self, clip: f64) {
        self.descent.set_clip(clip);
    }

    /// Sets the weight decay of the following steps; see [`FitOptions::weight_decay`](crate::flow::FitOptions::weight_decay).
    pub fn set_weight_decay(&mut self, weight_decay: f64) {
        self.descent.set_weight_decay(weight_decay);
    }

    /// Sets the step size of the following steps.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.descent.set_learning_rate(learning_rate);
    }

    /// Sets the number of threads; results do not depend on it.
    pub fn set_threads(&mut self, threads: Threads) {
        self.descent.set_threads(threads);
    }

    /// Makes one step on these rows and returns their mean loss before it.
    ///
    /// # Errors
    /// [`FlowError::Setting`] for a step size or a clip that is not positive, [`FlowError::Rows`],
    /// [`FlowError::Nan`], [`FlowError::Infinite`]; [`FlowError::Outside`] for a row with density 0, and
    /// [`FlowError::NotFinite`] for a loss or gradients that are not finite. Then no parameter was changed.
    pub fn step(&mut self, rows: &[F]) -> Result<f64, FlowError> {
        self.step_given(rows, &[])
    }

    /// Makes one step of a conditional density: a context for each row.
    ///
    /// # Errors
    /// As [`Trainer::step`], and [`FlowError::Context`], [`FlowError::ContextRows`].
    pub fn step_given(&mut self, rows: &[F], contexts: &[F]) -> Result<f64, FlowError> {
        self.descent.check()?;
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

    /// Makes one step on the inputs of the program.
    pub(super) fn try_step(&mut self, inputs: &[&[F]], count: usize) -> Result<Step, FlowError> {
        Ok(self.descent.step(inputs, count)?)
    }

    /// Profiles a step without the updates of the parameters.
    ///
    /// # Errors
    /// [`FlowError::Rows`] for rows that are not whole.
    pub fn profile(&mut self, rows: &[F], repeats: usize) -> Result<Profile, FlowError> {
        if !rows.len().is_multiple_of(self.width) {
            return Err(FlowError::Rows { width: self.width, given: rows.len() });
        }
        Ok(self.descent.profile(&[rows], rows.len() / self.width, repeats)?)
    }

    /// Returns the first of these rows that has density 0 under the present parameters.
    pub(super) fn first_outside(
        &mut self,
        inputs: &[&[F]],
        count: usize,
    ) -> Result<Option<Outside>, FlowError> {
        let Some(watch) = &mut self.outside else { return Ok(None) };
        watch.load(self.descent.parameters())?;
        watch.first_outside(inputs, count)
    }

    pub(super) fn origin(&mut self, inputs: &[&[F]], count: usize) -> Result<Option<NonFinite>, FlowError> {
        Ok(self.descent.origin(inputs, count)?)
    }

    /// The present values of the parameters.
    pub fn parameters(&mut self) -> &Parameters {
        self.descent.parameters()
    }
}
