//! Maximum likelihood: minibatches, Adam, early stopping on held-out rows.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::error::FlowError;
use super::fitted::FittedFlow;
use super::flow::Flow;
use super::forward_kl::check_weights;
use super::history::{History, Progress, Stop};
use super::minibatch::{Minibatch, add_noise, gather, shuffle};
use super::rows::{finite_rows, whole_rows};
use super::scores::Scores;
use super::trainer::Trainer;
use crate::program::{Precision, Threads};
use crate::table::Table;
use crate::tape::Parameters;
use crate::train::{Average, Schedule, Step, check_averaging, check_clip, check_rate, check_weight_decay};

/// Draws rows anew.
pub type Redraw<'a> = &'a dyn Fn(&mut [f64], &mut dyn Rng);

/// Options of [`Flow::fit`].
pub struct FitOptions<'a> {
    /// Seed of the initial parameters, the held-out rows and the order of the minibatches.
    pub seed: u64,
    /// Maximum number of epochs, passes over the training rows.
    pub epochs: usize,
    /// Number of rows in a minibatch; at most all of them.
    pub batch: usize,
    /// Adam's step size, which the schedule multiplies.
    pub learning_rate: f64,
    /// Number of steps, one for each minibatch, in which the step size rises linearly from near 0.
    pub warm_up: usize,
    /// How the step size falls after the warm-up, over the maximum number of epochs; defaults to a cosine to a tenth.
    pub schedule: Schedule,
    /// The fraction of the rows that is held out for early stopping.
    pub held_out: f64,
    /// Stop when the held-out likelihood has not increased for this many epochs.
    pub patience: usize,
    /// Maximum norm of the gradient (Euclidean, over all parameters); longer ones are scaled down.
    pub clip: f64,
    /// The rows that are held out, counted from 0, where a random fraction will not do: groups that belong together, or
    /// rows of your own choice.
    pub held_out_rows: Option<&'a [usize]>,
    /// Decoupled weight decay: before each step every parameter is multiplied by 1 - rate·decay (Loshchilov and Hutter,
    /// "Decoupled weight decay regularization", 2019, algorithm 2).
    pub weight_decay: f64,
    /// Averaging of the parameters over steps: the mean of the last step has this weight, the new parameters the rest.
    /// The averages are what is evaluated and kept (Polyak and Juditsky 1992). 0 is no averaging.
    pub averaging: f64,
    /// For each column the width of uniform noise around its values, drawn anew in each epoch: dequantisation of rounded
    /// values (Theis, van den Oord, Bethge, "A note on the evaluation of generative models", 2016, section 3.1).
    pub noise: Option<&'a [f64]>,
    /// Draws rows anew in each epoch, in place of `noise`, where its width depends on the value.
    pub redrawn: Option<Redraw<'a>>,
    /// A weight for each row, 0 or more: each epoch has a row as often as its weight among all weights says on average, and
    /// the held-out likelihood is a weighted mean.
    pub weights: Option<&'a [f64]>,
    /// Whether steps are computed in single precision. Likelihoods are always computed in double precision.
    pub single_precision: bool,
    /// The parameters to start from; else the initial ones of the seed.
    pub start: Option<&'a Parameters>,
    /// Is asked after each epoch whether to stop; the best parameters so far are kept.
    pub stop: Option<&'a dyn Fn() -> bool>,
    /// The contexts of a conditional density p(x | c), one for each row of the data.
    pub contexts: Option<&'a Table>,
    /// Is called after each epoch, and once before the first step.
    pub progress: Option<&'a mut dyn FnMut(Progress)>,
    /// The threads of a step; the result does not depend on them. One is enough where several fits run at the same time.
    pub threads: Threads,
}

impl Default for FitOptions<'_> {
    fn default() -> Self {
        FitOptions {
            seed: 0,
            epochs: 200,
            batch: 256,
            learning_rate: 2e-3,
            warm_up: 0,
            schedule: Schedule::Cosine { last: 0.1 },
            held_out: 0.1,
            patience: 25,
            clip: 10.0,
            held_out_rows: None,
            weight_decay: 0.0,
            averaging: 0.0,
            noise: None,
            redrawn: None,
            weights: None,
            single_precision: false,
            start: None,
            stop: None,
            contexts: None,
            progress: None,
            threads: Threads::All,
        }
    }
}

impl FitOptions<'_> {
    fn check(&self, (rows, columns): (usize, usize)) -> Result<(), FlowError> {
        let setting = |name, value: String, allowed| Err(FlowError::Setting { name, value, allowed });
        for (name, value) in [("batch", self.batch), ("epochs", self.epochs), ("patience", self.patience)] {
            if value == 0 {
                return setting(name, "0".into(), "at least 1");
            }
        }
        check_rate(self.learning_rate)?;
        check_clip(self.clip)?;
        if !(self.held_out > 0.0 && self.held_out < 1.0) {
            return setting("held_out", self.held_out.to_string(), "between 0 and 1");
        }
        check_weight_decay(self.weight_decay)?;
        check_averaging(self.averaging)?;
        if let Some(noise) = self.noise
            && (noise.len() != columns || !noise.iter().all(|width| *width >= 0.0 && width.is_finite()))
        {
            return setting("noise", format!("{noise:?}"), "a width of 0 or above for each column");
        }
        if let Some(held_out) = self.held_out_rows {
            let sound = held_out.iter().all(|row| *row < rows) && (1..rows).contains(&held_out.len());
            if !sound {
                return setting(
                    "held_out_rows",
                    format!("{} rows", held_out.len()),
                    "some of the rows, not all",
                );
            }
        }
        if let Some(weights) = self.weights {
            if weights.len() != rows {
                let value = format!("{} numbers", weights.len());
                return setting("weights", value, "a number of 0 or more for each row");
            }
            check_weights(weights)?;
        }
        const LEAST: usize = 10;
        if rows < LEAST { Err(FlowError::TooFew { rows, least: LEAST }) } else { Ok(()) }
    }
}

impl Flow {
    /// Fits by maximum likelihood: minimises the mean of -ln p(x), the forward Kullback-Leibler divergence up to a
    /// constant; with [contexts](FitOptions::contexts) that of -ln p(x | c).
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// // x is c, give or take a half.
    /// let c: Vec<f64> = (0..400).map(|k| (f64::from(k) * 0.37).sin()).collect();
    /// let x: Vec<f64> = c.iter().enumerate().map(|(k, c)| c + 0.5 * (k as f64 * 2.1).sin()).collect();
    /// let (x, c) = (Table::new(&["x"], x)?, Table::new(&["c"], c)?);
    ///
    /// let network = MaskedNetwork::new(1, [8]).with_context(1);
    /// let layers: Vec<Box<dyn Bijection>> = vec![Box::new(Autoregressive::maf(network))];
    /// let flow = Flow::new(StandardNormal::new(1), layers)?;
    /// let mut epochs = 0;
    /// let options = FitOptions {
    ///     epochs: 40,
    ///     batch: 64,
    ///     learning_rate: 2e-2,
    ///     contexts: Some(&c),
    ///     progress: Some(&mut |told| epochs = told.epoch),
    ///     ..FitOptions::default()
    /// };
    /// let fitted = flow.fit(&x, options)?;
    /// assert!((1..=40).contains(&epochs));                     // fewer where it stops early
    /// let near = fitted.log_prob_given(&[0.9], &[0.9])?[0];
    /// let far = fitted.log_prob_given(&[0.9], &[-0.9])?[0];
    /// assert!(near > far);
    /// let samples = fitted.sample_given(100, &[0.9], 7)?;      // one context for all of them
    /// assert!(samples.iter().sum::<f64>() / 100.0 > 0.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FlowError::Setting`], [`FlowError::Width`], [`FlowError::TooFew`], [`FlowError::Context`],
    /// [`FlowError::ContextRows`], [`FlowError::Weight`], [`FlowError::NoWeight`]; [`FlowError::Nan`], [`FlowError::Infinite`], [`FlowError::Outside`],
    /// [`FlowError::Impossible`] and [`FlowError::NotFinite`] with the row that has no finite likelihood to start from.
    pub fn fit(self, data: &Table, options: FitOptions<'_>) -> Result<FittedFlow, FlowError> {
        let (parameters, history) = match options.single_precision {
            true => train::<f32>(&self, data, options)?,
            false => train::<f64>(&self, data, options)?,
        };
        FittedFlow::new(self, parameters, history)
    }
}

/// Fits, and keeps the parameters of the best epoch.
fn train<F: Precision>(
    flow: &Flow,
    data: &Table,
    mut settings: FitOptions<'_>,
) -> Result<(Parameters, History), FlowError> {
    let (d, contexts, mut progress) = (flow.dim(), settings.contexts, settings.progress.take());
    let mut tell = |told: Progress| progress.iter_mut().for_each(|progress| progress(told));
    if data.width() != d {
        return Err(FlowError::Width { expected: d, given: data.width() });
    }
    settings.check((data.rows(), d))?;
    whole_rows(data.values(), d)?;
    finite_rows(data.values(), d)?;
    let width = contexts.map_or(0, Table::width);
    if width != flow.context() {
        return Err(FlowError::Context { expected: flow.context(), given: width });
    }
    let seen = contexts.map_or(&[][..], Table::values);
    let count = whole_rows(seen, width.max(1))?;
    finite_rows(seen, width.max(1))?;
    if width > 0 && count != data.rows() {
        return Err(FlowError::ContextRows { rows: data.rows(), contexts: count });
    }
    let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
    let (mut training, held_out) = split(data.rows(), &settings, &mut random);
    for (part, rows) in [("training", &training), ("held-out", &held_out)] {
        if settings.weights.is_some_and(|weights| rows.iter().all(|row| weights[*row] == 0.0)) {
            let value = format!("0 for all {part} rows");
            return Err(FlowError::Setting { name: "weights", value, allowed: "above 0 for some of them" });
        }
    }
    // One draw of the noise for everything that is evaluated; each epoch draws its own.
    let redraw = |values: &mut [f64], random: &mut ChaCha8Rng| match (settings.redrawn, settings.noise) {
        (Some(redrawn), _) => redrawn(values, random),
        (None, Some(widths)) => add_noise(values, widths, random),
        (None, None) => {}
    };
    let jittered = (settings.noise.is_some() || settings.redrawn.is_some()).then(|| {
        let mut values = data.values().to_vec();
        redraw(&mut values, &mut random);
        Table::new(data.columns(), values).expect("as many values as before")
    });
    let evaluated = jittered.as_ref().unwrap_or(data);

    let density = flow.density();
    let parameters = match settings.start {
        Some(start) => start.clone(),
        None => Parameters::initialise(&density.tape, settings.seed),
    };
    let mut trainer = Trainer::<F>::on(&density, parameters.clone(), settings.learning_rate)?;
    trainer.set_clip(settings.clip);
    trainer.set_weight_decay(settings.weight_decay);
    trainer.set_threads(settings.threads);
    let mut average = Average::new(settings.averaging, &parameters);
    let mut scores = Scores::new(&density, evaluated, contexts, (&held_out, settings.weights));
    scores.set_threads(settings.threads);
    let start = scores.held_out(&parameters)?;
    if let Some(outside) = scores.first_outside(&parameters, &[&training, &held_out])? {
        return Err(FlowError::Outside(outside));
    }
    if !start.is_finite() {
        scores.refuse_impossible(&parameters, &held_out)?;
    }

    let mut best = parameters.clone();
    let mut history = History { stop: Stop::Epochs, ..History::default() };
    let epochs = settings.epochs;
    let told = Progress { epoch: 0, epochs, training: f64::NAN, held_out: start, best: start };
    tell(told);
    history.epochs.push(told);
    let mut best_score = start;
    let mut rows = Minibatch::default();
    let mut singles = Minibatch::<F>::default();
    let mut drawn = Vec::new();
    let batches = training.len().div_ceil(settings.batch);
    let steps = epochs.saturating_mul(batches);
    settings.schedule.check(settings.warm_up, steps)?;
    let mut step = 0;
    for epoch in 1..=epochs {
        if let Some(weights) = settings.weights {
            drawn = resampled(&training, weights, &mut random);
        }
        let training = if settings.weights.is_some() { &mut drawn } else { &mut training };
        shuffle(training, &mut random);
        let mut total = 0.0;
        for batch in training.chunks(settings.batch) {
            let factor = settings.schedule.factor(step, settings.warm_up, steps);
            step += 1;
            trainer.set_learning_rate(settings.learning_rate * factor);
            gather(data, contexts, batch, &mut rows);
            redraw(&mut rows.values, &mut random);
            singles.take(&rows);
            let inputs = singles.inputs(scores.inputs);
            match trainer.try_step(&inputs, batch.len())? {
                Step::Made(loss) => {
                    total += loss * batch.len() as f64;
                    average.add(|| trainer.parameters());
                }
                Step::Refused | Step::NotFinite => {
                    let origin = trainer.origin(&inputs, batch.len())?;
                    let now = trainer.parameters().clone();
                    // Before the first update, a row without a finite likelihood is an error.
                    scores.refuse_impossible(&parameters, batch)?;
                    history.stop = scores.why(&now, batch, epoch, origin)?;
                    return Ok((best, history));
                }
            }
        }
        let parameters = average.or(trainer.parameters());
        let held_out_score = scores.held_out(parameters)?;
        if let Some(outside) = scores.first_outside(parameters, &[training, &held_out])? {
            history.stop = Stop::Outside { epoch, outside };
            return Ok((best, history));
        }
        if held_out_score > best_score && held_out_score.is_finite() {
            best_score = held_out_score;
            best = parameters.clone();
            history.best_epoch = epoch;
        }
        let mean = -total / training.len() as f64;
        let told = Progress { epoch, epochs, training: mean, held_out: held_out_score, best: best_score };
        tell(told);
        history.epochs.push(told);
        if epoch - history.best_epoch >= settings.patience {
            history.stop = Stop::Early;
            break;
        }
        if settings.stop.is_some_and(|stop| stop()) {
            history.stop = Stop::Asked { epoch };
            break;
        }
    }
    Ok((best, history))
}

/// Splits the rows into training and held-out rows.
fn split(rows: usize, settings: &FitOptions<'_>, random: &mut ChaCha8Rng) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..rows).collect();
    shuffle(&mut order, random);
    if let Some(held_out) = settings.held_out_rows {
        let mut held = vec![false; rows];
        held_out.iter().for_each(|row| held[*row] = true);
        return order.into_iter().partition(|row| !held[*row]);
    }
    let kept_out = ((rows as f64 * settings.held_out).round() as usize).clamp(1, rows - 1);
    let training = order.split_off(kept_out);
    (training, order)
}

/// Draws as many rows as there are, each as often as its weight says on average, by one random number (systematic
/// resampling: Kitagawa 1996).
fn resampled(rows: &[usize], weights: &[f64], random: &mut ChaCha8Rng) -> Vec<usize> {
    let total: f64 = rows.iter().map(|row| weights[*row]).sum();
    let step = total / rows.len() as f64;
    let mut next = step * random.random::<f64>();
    let mut below = 0.0;
    let mut drawn = Vec::with_capacity(rows.len());
    for row in rows {
        below += weights[*row];
        while next < below && drawn.len() < rows.len() {
            drawn.push(*row);
            next += step;
        }
    }
    drawn
}
