//! Fitting candidates, and what they say of the rows that were held out.

use std::time::{Duration, Instant};

use super::column::ModelColumn;
use super::error::ModelError;
use super::options::{ModelOptions, Trying};
use super::plan::{Trial, mixture_name, name};
use super::prepare::{Prepared, jittered};
use super::record::{Candidate, Epoch, mean_and_error};
use crate::base::{Base, GaussianMixture, MixtureOptions};
use crate::bijection::Bijection;
use crate::flow::{FitOptions, FittedFlow, Flow, Progress, Trainer};
use crate::layers::{Affine, Elementwise, Transform};
use crate::table::Table;
use crate::tape::Parameters;

/// A candidate that was fitted to standardised variables.
struct Tried {
    name: String,
    start: Instant,
    base: Box<dyn Base>,
    layers: Vec<Box<dyn Bijection>>,
    parameters: Parameters,
    epochs: Vec<Epoch>,
}

impl Tried {
    /// A mixture is a base already: one layer leaves it as it is.
    fn mixture(name: String, start: Instant, base: Box<dyn Base>, d: usize) -> Tried {
        Tried {
            name,
            start,
            base,
            layers: vec![unchanged(d)],
            parameters: Parameters::default(),
            epochs: Vec::new(),
        }
    }
}

/// What was tried.
#[derive(Default)]
pub(super) struct Found {
    pub candidates: Vec<Candidate>,
    /// ln p of the held-out rows in the units of the file, by candidate.
    pub held_out: Vec<Vec<f64>>,
    pub flows: Vec<FittedFlow>,
}

impl Found {
    /// Fits a candidate in about this time.
    pub fn try_one(
        &mut self,
        trial: &Trial,
        prepared: &Prepared,
        columns: &[ModelColumn],
        options: &mut ModelOptions<'_>,
        time: Duration,
    ) -> Result<(), ModelError> {
        match trial {
            Trial::Mixtures { most } => self.try_mixtures(*most, prepared, columns, options, time),
            Trial::Flow { architecture, batch, epochs, seed } => {
                let start = Instant::now();
                let name = name(architecture, *seed);
                let d = columns.len();
                let context = prepared.contexts.as_ref().map_or(0, Table::width);
                let seed = options.seed.wrapping_mul(1000).wrapping_add(*seed);
                let flow = Flow::new(architecture.base(d), architecture.layers(d, context, seed))?;
                let stop = options.stop;
                let asked = || stop.is_some_and(|stop| stop());
                // The schedule of the learning rate needs the number of epochs beforehand.
                let epoch = seconds_of_an_epoch(&flow, prepared, *batch)?;
                let affordable = (time.as_secs_f64() / epoch) as usize;
                const FEWEST: usize = 5;
                if affordable < FEWEST && !self.flows.is_empty() {
                    return Ok(());
                }
                let epochs = *epochs.min(&affordable.max(FEWEST));
                let progress = &mut options.progress;
                let mut tell = |told: Progress| {
                    progress
                        .iter_mut()
                        .for_each(|show| show(Trying { candidate: &name, progress: Some(told) }))
                };
                let fitted = flow.fit(
                    &prepared.table,
                    FitOptions {
                        seed,
                        epochs,
                        batch: *batch,
                        learning_rate: 2e-3,
                        patience: (epochs / 3).max(10),
                        held_out_rows: Some(&prepared.held_out),
                        averaging: 0.99,
                        weight_decay: 0.01,
                        noise: Some(&prepared.noise),
                        single_precision: true,
                        contexts: prepared.contexts.as_ref(),
                        stop: Some(&asked),
                        progress: Some(&mut tell),
                        ..FitOptions::default()
                    },
                )?;
                let layers = || architecture.layers(d, context, seed);
                let (base, parameters) = (architecture.base(d), fitted.parameters().clone());
                let epochs = Epoch::of(fitted.history());
                let tried = Tried { name, start, base, layers: layers(), parameters, epochs };
                self.keep(tried, prepared, columns)
            }
        }
    }

    /// Tries more and more components until the held-out likelihood has fallen twice.
    fn try_mixtures(
        &mut self,
        most: usize,
        prepared: &Prepared,
        columns: &[ModelColumn],
        options: &mut ModelOptions<'_>,
        time: Duration,
    ) -> Result<(), ModelError> {
        let d = columns.len();
        let rows: Vec<f64> =
            prepared.training.iter().flat_map(|row| jittered(prepared, *row, options.seed)).collect();
        let held: Vec<f64> =
            prepared.held_out.iter().flat_map(|row| jittered(prepared, *row, options.seed)).collect();
        let mut best: Option<(f64, usize, GaussianMixture)> = None;
        let mut worse = 0;
        let start = Instant::now();
        for components in [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 30] {
            // So few rows cannot choose.
            const FEWEST: usize = 10;
            let enough = prepared.training.len() > components * (d + 1) && prepared.held_out.len() >= FEWEST;
            if components > most || (components > 1 && (!enough || worse >= 2 || start.elapsed() >= time)) {
                break;
            }
            let label = mixture_name(components);
            options.progress.iter_mut().for_each(|show| show(Trying { candidate: &label, progress: None }));
            let mixture_options =
                MixtureOptions { components, seed: options.seed, ..MixtureOptions::default() };
            let mixture = GaussianMixture::fit(&rows, d, mixture_options);
            let flow = Flow::new(mixture.clone(), [unchanged(d)])?.with(Parameters::default())?;
            let score = mean_and_error(&flow.log_prob(&held)?).0;
            if components == 1 && most > 1 {
                let name = mixture_name(1);
                let base = Box::new(mixture.clone());
                self.keep(Tried::mixture(name, start, base, d), prepared, columns)?;
            }
            match &best {
                Some((before, ..)) if score <= *before => worse += 1,
                _ => {
                    worse = 0;
                    best = Some((score, components, mixture));
                }
            }
        }
        let Some((_, components, mixture)) = best else { return Ok(()) };
        if components == 1 && most > 1 {
            return Ok(());
        }
        self.keep(Tried::mixture(mixture_name(components), start, Box::new(mixture), d), prepared, columns)
    }

    /// Builds the flow in the units of the file, and scores the held-out rows.
    fn keep(&mut self, tried: Tried, prepared: &Prepared, columns: &[ModelColumn]) -> Result<(), ModelError> {
        let Tried { name, start, base, mut layers, parameters, epochs } = tried;
        layers.push(Box::new(Affine::fixed(prepared.deviations.clone(), prepared.means.clone())));
        let transforms: Vec<Transform> = columns.iter().map(ModelColumn::transform).collect();
        if transforms.iter().any(|transform| *transform != Transform::Identity) {
            layers.push(Box::new(Elementwise::each(transforms)));
        }
        let flow = Flow::new(base, layers)?.with(parameters)?;
        let rows: Vec<f64> = prepared
            .held_out
            .iter()
            .flat_map(|row| {
                let standardised = jittered(prepared, *row, 1);
                let each = standardised.into_iter().enumerate();
                each.map(|(i, z)| columns[i].to_file(prepared.means[i] + prepared.deviations[i] * z))
                    .collect::<Vec<f64>>()
            })
            .collect();
        let contexts: Vec<f64> = match &prepared.contexts {
            Some(contexts) => prepared.held_out.iter().flat_map(|row| contexts.row(*row)).copied().collect(),
            None => Vec::new(),
        };
        let logs = flow.log_prob_given(&rows, &contexts)?;
        let (held_out, error) = mean_and_error(&logs);
        let seconds = start.elapsed().as_secs_f64();
        self.candidates.push(Candidate { name, held_out, error, seconds, weight: 0.0, epochs });
        self.held_out.push(logs);
        self.flows.push(flow);
        Ok(())
    }
}

/// Returns the seconds of an epoch, by a few steps that are thrown away.
fn seconds_of_an_epoch(flow: &Flow, prepared: &Prepared, batch: usize) -> Result<f64, ModelError> {
    const STEPS: u32 = 5;
    let rows = &prepared.training[..batch.min(prepared.training.len())];
    let values: Vec<f32> =
        rows.iter().flat_map(|row| prepared.table.row(*row)).map(|value| *value as f32).collect();
    let contexts: Vec<f32> = match &prepared.contexts {
        Some(contexts) => rows.iter().flat_map(|row| contexts.row(*row)).map(|value| *value as f32).collect(),
        None => Vec::new(),
    };
    let mut trainer = Trainer::<f32>::new(flow, flow.initial(0), 1e-9)?;
    trainer.step_given(&values, &contexts)?;
    let start = Instant::now();
    for _ in 0..STEPS {
        trainer.step_given(&values, &contexts)?;
    }
    let steps = prepared.training.len().div_ceil(batch) as f64;
    Ok((start.elapsed() / STEPS).as_secs_f64() * steps)
}

/// x = z.
fn unchanged(d: usize) -> Box<dyn Bijection> {
    Box::new(Affine::fixed(vec![1.0; d], vec![0.0; d]))
}
