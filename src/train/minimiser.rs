//! Minimisation of a loss.

use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::average::Average;
use super::descent::{Descent, Step, check_averaging, check_weight_decay};
use super::error::TrainError;
use super::loss::{Input, Loss, Source};
use super::schedule::Schedule;
use crate::base::Base;
use crate::program::{Precision, Profile, Threads};
use crate::tape::{NodeId, Parameters};

/// Options of a minimisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingOptions {
    /// Adam's learning rate, which the schedule multiplies.
    pub learning_rate: f64,
    /// Gradients with a Euclidean norm (over all learned parameters) above this are scaled down to it.
    pub clip: f64,
    /// Decoupled weight decay (AdamW): before each step every learned parameter is multiplied by 1 - rate·decay
    /// (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2).
    pub weight_decay: f64,
    /// Averaging of the parameters over steps, for [`Minimiser::averaged`]: the mean of the last step has this
    /// weight, the new parameters the rest (Polyak and Juditsky 1992). 0 is no averaging.
    pub averaging: f64,
    /// Number of steps in which the learning rate rises linearly from near 0.
    pub warm_up: usize,
    /// How the learning rate falls after the warm-up.
    pub schedule: Schedule,
    /// Number of steps with which a cosine or an exponential schedule ends, those of the warm-up among them; others
    /// do not use it.
    pub steps: usize,
    /// Seed of the noise.
    pub seed: u64,
}

impl Default for TrainingOptions {
    fn default() -> TrainingOptions {
        TrainingOptions {
            learning_rate: 1e-3,
            clip: f64::INFINITY,
            weight_decay: 0.0,
            averaging: 0.0,
            warm_up: 0,
            schedule: Schedule::Constant,
            steps: 0,
            seed: 0,
        }
    }
}

/// Minimises the mean of a [`Loss`] over the rows of minibatches, by Adam.
///
/// Two minimisers with different parts of the same parameters can play a game; each copies the other's
/// parameters ([`Minimiser::follow`]):
///
/// ```
/// use pushforward::prelude::*;
/// use pushforward::train::{Loss, Minimiser, TrainingOptions, Sources};
///
/// // min over a, max over b of ab + a²/2 - b²/2 - a, seen with noise: at a = b = ½.
/// fn value<'t>(sources: &Sources<'t>) -> Var<'t> {
///     let noise = sources.noise(StandardNormal::new(1)).at(0);
///     let number = |name| sources.tape().parameter(name, Shape::Scalar, Init::Constant(2.0));
///     let (a, b) = (number("a"), number("b"));
///     a * b + 0.5 * a * a - 0.5 * b * b - a + 0.1 * (a + b) * noise
/// }
/// let (low, high) = (Loss::record(value)?, Loss::record(|sources| -value(sources))?);
/// let settings = TrainingOptions { learning_rate: 0.02, ..TrainingOptions::default() };
/// let mut a = Minimiser::<f64>::with_trainable_scopes(&low, low.initial(0), &["a"], settings)?;
/// let mut b = Minimiser::<f64>::with_trainable_scopes(&high, high.initial(0), &["b"], settings)?;
/// for _ in 0..2000 {
///     b.step(&[], 256)?;
///     a.follow(&mut b)?;
///     a.step(&[], 256)?;
///     b.follow(&mut a)?;
/// }
/// assert!((a.parameters().get("a").unwrap().values[0] - 0.5).abs() < 0.05);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Minimiser<F> {
    descent: Descent<F>,
    /// The other losses' programs, by loss; at the place of the one in use there is none.
    others: Vec<Option<Descent<F>>>,
    /// The loss in use.
    used: usize,
    /// For each input its noise; `None` for data.
    inputs: Vec<Option<Noise<F>>>,
    random: ChaCha8Rng,
    /// Number of data inputs.
    data: usize,
    settings: TrainingOptions,
    average: Average,
    /// Number of steps made.
    made: usize,
}

fn descent<F: Precision>(
    loss: &Loss,
    parameters: Parameters,
    learns: impl Fn(&str) -> bool,
    settings: &TrainingOptions,
) -> Result<Descent<F>, TrainError> {
    let (tape, value) = loss.recording();
    let nodes: Vec<NodeId> = loss.inputs().iter().map(|input| input.node).collect();
    let mut descent = Descent::new(tape, &nodes, (value, None), learns, parameters, settings.learning_rate)?;
    descent.set_clip(settings.clip);
    descent.check()?;
    check_weight_decay(settings.weight_decay)?;
    descent.set_weight_decay(settings.weight_decay);
    Ok(descent)
}

fn of_losses(value: String) -> TrainError {
    TrainError::Setting { name: "losses", value, allowed: "losses of the same inputs and parameters" }
}

/// Noise for the rows of a step.
struct Noise<F> {
    base: Arc<dyn Base>,
    draws: Vec<f64>,
    values: Vec<F>,
}

impl<F: Precision> Noise<F> {
    fn draw(&mut self, rows: usize, random: &mut ChaCha8Rng) {
        let width = self.base.dim();
        self.draws.resize(width * rows, 0.0);
        self.draws.chunks_mut(width.max(1)).for_each(|row| self.base.sample(random, row));
        self.values.clear();
        self.values.extend(self.draws.iter().map(|value| F::of(*value)));
    }
}

impl<F: Precision> Minimiser<F> {
    /// Builds a minimiser that starts from these parameters and learns all of them.
    ///
    /// # Errors
    /// [`TrainError::Setting`], [`TrainError::NothingToLearn`], and [`TrainError::Program`] when a parameter
    /// is missing or has another shape.
    pub fn new(
        loss: &Loss,
        parameters: Parameters,
        settings: TrainingOptions,
    ) -> Result<Minimiser<F>, TrainError> {
        Minimiser::learning(loss, parameters, |_| true, settings)
    }

    /// Builds a minimiser that starts from these parameters and learns those with one of these names or
    /// scopes: `decoder` includes `decoder.net.0.weight` and so on. The others are not updated.
    ///
    /// # Errors
    /// As [`Minimiser::new`], and [`TrainError::Scope`] for a name that no parameter has.
    pub fn with_trainable_scopes(
        loss: &Loss,
        parameters: Parameters,
        parts: &[&str],
        settings: TrainingOptions,
    ) -> Result<Minimiser<F>, TrainError> {
        let is_part = |name: &str, part: &str| {
            name.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let known = loss.parameter_names();
        if let Some(part) = parts.iter().find(|part| !known.iter().any(|name| is_part(name, part))) {
            return Err(TrainError::Scope { scope: part.to_string(), known });
        }
        Minimiser::learning(loss, parameters, |name| parts.iter().any(|part| is_part(name, part)), settings)
    }

    /// Builds a minimiser of losses that estimate the same thing with different amounts of work, such as a series with a random
    /// number of terms: each step takes one of them ([`Minimiser::step_of`]), the first unless told otherwise.
    ///
    /// ```
    /// use pushforward::prelude::*;
    /// use pushforward::train::{Loss, Minimiser, TrainingOptions};
    ///
    /// // a² + a·noise or a² - a·noise: both have the mean a².
    /// let loss = |sign: f64| Loss::record(|sources| {
    ///     let noise = sources.noise(StandardNormal::new(1)).at(0);
    ///     let a = sources.tape().parameter("a", Shape::Scalar, Init::Constant(1.0));
    ///     a * a + sign * a * noise
    /// });
    /// let losses = [loss(1.0)?, loss(-1.0)?];
    /// let start = losses[0].initial(0);
    /// let settings = TrainingOptions { learning_rate: 0.05, ..TrainingOptions::default() };
    /// let mut minimiser = Minimiser::<f64>::any_of(&losses, start, settings)?;
    /// for step in 0..200 {
    ///     minimiser.step_of(step % 2, &[], 256)?;
    /// }
    /// assert!(minimiser.parameters().get("a").unwrap().values[0].abs() < 0.05);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Minimiser::new`], and [`TrainError::Setting`] without a loss, or when one has other inputs or learns other parameters
    /// than the first one.
    pub fn any_of(
        losses: &[Loss],
        parameters: Parameters,
        settings: TrainingOptions,
    ) -> Result<Minimiser<F>, TrainError> {
        let Some(first) = losses.first() else {
            return Err(of_losses("none".to_string()));
        };
        let mut minimiser = Minimiser::new(first, parameters, settings)?;
        for (k, loss) in losses.iter().enumerate() {
            let same = |(a, b): (&Input, &Input)| match (&a.source, &b.source) {
                (Source::Data, Source::Data) => true,
                (Source::Noise(a), Source::Noise(b)) => a.dim() == b.dim(),
                _ => false,
            };
            let (own, of_first) = (loss.inputs(), first.inputs());
            if own.len() != of_first.len() || !own.iter().zip(of_first).all(same) {
                return Err(of_losses(format!("loss {k}, which has other inputs than loss 0")));
            }
            let own = match k {
                0 => None,
                _ => Some(descent(loss, minimiser.parameters().clone(), |_| true, &settings)?),
            };
            if own.as_ref().is_some_and(|own| !own.learns_the_same(&minimiser.descent)) {
                return Err(of_losses(format!("loss {k}, which learns other parameters than loss 0")));
            }
            minimiser.others.push(own);
        }
        Ok(minimiser)
    }

    /// As [`Minimiser::step`], on this one of the losses.
    ///
    /// # Errors
    /// As [`Minimiser::step`], and [`TrainError::Setting`] when there is no such loss.
    pub fn step_of(&mut self, which: usize, data: &[&[F]], rows: usize) -> Result<f64, TrainError> {
        self.take_up(which)?;
        self.step(data, rows)
    }

    /// Puts a loss in the place of the one in use.
    fn take_up(&mut self, which: usize) -> Result<(), TrainError> {
        if which == self.used {
            return Ok(());
        }
        let count = self.others.len().max(1);
        let Some(mut next) = self.others.get_mut(which).and_then(Option::take) else {
            return Err(of_losses(format!("loss {which} of {count}")));
        };
        next.set_threads(self.descent.threads());
        next.go_on_from(&mut self.descent)?;
        self.others[self.used] = Some(std::mem::replace(&mut self.descent, next));
        self.used = which;
        Ok(())
    }

    fn learning(
        loss: &Loss,
        parameters: Parameters,
        learns: impl Fn(&str) -> bool,
        settings: TrainingOptions,
    ) -> Result<Minimiser<F>, TrainError> {
        let mut descent = descent(loss, parameters, learns, &settings)?;
        check_averaging(settings.averaging)?;
        settings.schedule.check(settings.warm_up, settings.steps)?;
        if descent.learned() == 0 {
            return Err(TrainError::NothingToLearn);
        }
        let noise = |input: &Input| match &input.source {
            Source::Data => None,
            Source::Noise(base) => Some(Noise { base: base.clone(), draws: Vec::new(), values: Vec::new() }),
        };
        let inputs: Vec<_> = loss.inputs().iter().map(noise).collect();
        Ok(Minimiser {
            data: inputs.iter().filter(|noise| noise.is_none()).count(),
            inputs,
            random: ChaCha8Rng::seed_from_u64(settings.seed),
            settings,
            average: Average::new(settings.averaging, descent.parameters()),
            made: 0,
            descent,
            others: Vec::new(),
            used: 0,
        })
    }

    /// Takes one step on `rows` rows. `data` holds the values of each data input, row by row; noise is drawn
    /// anew. Returns the mean loss before the step.
    ///
    /// # Errors
    /// [`TrainError::Inputs`], [`TrainError::NoRows`], [`TrainError::Program`] if the data do not have this
    /// number of rows. If the loss is not finite, [`TrainError::Data`] with the number in the data that
    /// caused it, or else [`TrainError::NotFinite`] with the operation; then nothing was changed but the
    /// state of the noise generator.
    pub fn step(&mut self, data: &[&[F]], rows: usize) -> Result<f64, TrainError> {
        self.draw(data, rows)?;
        let inputs = inputs(&self.inputs, data);
        self.descent.set_learning_rate(self.learning_rate());
        match self.descent.step(&inputs, rows)? {
            Step::Made(loss) => {
                self.made += 1;
                self.average.add(|| self.descent.parameters());
                Ok(loss)
            }
            _ => match first_not_finite(data, rows) {
                Some(error) => Err(error),
                None => Err(TrainError::NotFinite(self.descent.origin(&inputs, rows)?)),
            },
        }
    }

    /// Computes the mean loss over `rows` rows with new noise, without a step.
    ///
    /// # Errors
    /// As [`Minimiser::step`], except that the mean may be infinite or NaN.
    pub fn mean(&mut self, data: &[&[F]], rows: usize) -> Result<f64, TrainError> {
        self.draw(data, rows)?;
        Ok(self.descent.mean(&inputs(&self.inputs, data), rows)?)
    }

    /// The noise of the last step, input by input.
    pub(crate) fn noise(&self) -> impl Iterator<Item = &[f64]> {
        self.inputs.iter().flatten().map(|noise| noise.draws.as_slice())
    }

    /// Draws the noise of `rows` rows, if the data have the right shape.
    fn draw(&mut self, data: &[&[F]], rows: usize) -> Result<(), TrainError> {
        if data.len() != self.data {
            return Err(TrainError::Inputs { expected: self.data, given: data.len() });
        }
        if rows == 0 {
            return Err(TrainError::NoRows);
        }
        self.inputs.iter_mut().flatten().for_each(|noise| noise.draw(rows, &mut self.random));
        Ok(())
    }

    /// Copies the parameters that are not learned here from another minimiser.
    ///
    /// # Errors
    /// [`TrainError::Program`] when a parameter has different shapes in the two.
    pub fn follow(&mut self, other: &mut Minimiser<F>) -> Result<(), TrainError> {
        self.descent.take(other.descent.parameters())
    }

    /// The current parameters.
    pub fn parameters(&mut self) -> &Parameters {
        self.descent.parameters()
    }

    /// The averages of the parameters over the steps so far ([`TrainingOptions::averaging`]); the current parameters
    /// without averaging, and before the first step.
    pub fn averaged(&mut self) -> &Parameters {
        self.average.or(self.descent.parameters())
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        let TrainingOptions { learning_rate, schedule, warm_up, steps, .. } = self.settings;
        learning_rate * schedule.factor(self.made, warm_up, steps)
    }

    /// Changes the learning rate from now on; the schedule goes on multiplying it.
    ///
    /// # Errors
    /// [`TrainError::Setting`] if it is not a positive number.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), TrainError> {
        super::check_rate(learning_rate)?;
        self.settings.learning_rate = learning_rate;
        Ok(())
    }

    /// Sets the number of threads; results do not depend on it.
    pub fn set_threads(&mut self, threads: Threads) {
        self.descent.set_threads(threads);
    }

    /// Measures where the time of a step goes, without the parameter updates.
    ///
    /// # Errors
    /// As [`Minimiser::step`].
    pub fn profile(&mut self, data: &[&[F]], rows: usize, repeats: usize) -> Result<Profile, TrainError> {
        self.draw(data, rows)?;
        Ok(self.descent.profile(&inputs(&self.inputs, data), rows, repeats)?)
    }
}

/// Returns an error for the first number in the data that is not finite.
fn first_not_finite<F: Precision>(data: &[&[F]], rows: usize) -> Option<TrainError> {
    data.iter().enumerate().find_map(|(input, values)| {
        let place = values.iter().position(|value| !value.is_finite())?;
        let (width, value) = (values.len() / rows, values[place].to_double());
        Some(TrainError::Data { input, row: place / width, column: place % width, value })
    })
}

/// Returns the inputs of the program: the given data and the drawn noise.
fn inputs<'a, F>(inputs: &'a [Option<Noise<F>>], data: &[&'a [F]]) -> Vec<&'a [F]> {
    let mut data = data.iter().copied();
    let of = |noise: &'a Option<Noise<F>>| match noise {
        Some(noise) => noise.values.as_slice(),
        None => data.next().expect("the data were counted"),
    };
    inputs.iter().map(of).collect()
}
