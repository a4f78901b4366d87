//! Fitting candidates, and what they say of the rows that were held out.

use std::time::{Duration, Instant};

use super::column::ModelColumn;
use super::error::ModelError;
use super::model::Model;
use super::plan::{Trial, mixture_name};
use super::prepare::{Prepared, folds, jittered};
use super::record::{Candidate, Recipe, weighted_mean_and_error};
use super::task::{Task, Times, Tried};
use super::training::{Order, train};
use crate::base::{Base, GaussianMixture, MixtureOptions};
use crate::bijection::Bijection;
use crate::flow::{FittedFlow, Flow};
use crate::layers::{Affine, Elementwise, Transform};
use crate::tape::Parameters;

impl Tried {
    /// A mixture is a base already: one layer leaves it as it is.
    fn mixture(components: usize, start: Instant, base: GaussianMixture, d: usize) -> Tried {
        Tried {
            name: mixture_name(components),
            recipe: Recipe::Mixture { components },
            start,
            base: Box::new(base),
            layers: vec![unchanged(d)],
            parameters: Parameters::default(),
            epochs: Vec::new(),
        }
    }
}

/// A candidate, with its flow and ln p of the held-out rows in the units of the file unless it was dropped in an earlier
/// fit.
pub(super) struct Entry {
    pub candidate: Candidate,
    pub fitted: Option<(FittedFlow, Vec<f64>)>,
}

/// What was tried.
#[derive(Default)]
pub(super) struct Found {
    pub entries: Vec<Entry>,
}

impl Found {
    /// Whether some candidate was fitted.
    pub fn is_something(&self) -> bool {
        self.entries.iter().any(|entry| entry.fitted.is_some())
    }

    /// Takes over the candidates of a model that was fitted to the same rows.
    pub fn resume(&mut self, model: Model, task: &Task<'_, '_>) -> Result<(), ModelError> {
        let Model { about, flows } = model;
        let mut flows = flows.into_iter();
        for candidate in about.fit.candidates {
            let flow = if candidate.weight > 0.0 { flows.next() } else { None };
            let flow = match (flow, &candidate.recipe) {
                // In the end it was fitted to the held-out rows, too, which shall judge it.
                (Some(_), Some(Recipe::Mixture { components })) => {
                    let mixture = task.mixture(*components, &task.prepared.training);
                    let (d, none) = (task.columns.len(), Parameters::default());
                    Some(task.in_units(Box::new(mixture), vec![unchanged(d)], none)?)
                }
                (flow, _) => flow,
            };
            let logs = flow.as_ref().map(|flow| task.held_out(flow)).transpose()?;
            self.entries.push(Entry { candidate, fitted: flow.zip(logs) });
        }
        Ok(())
    }

    /// Fits the candidates of a group, unless they are there already; `after` is called with what was found so far after each.
    pub fn try_group(
        &mut self,
        trials: &[Trial],
        task: &mut Task<'_, '_>,
        (times, threads): (Times, usize),
        after: &mut dyn FnMut(&mut Found) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let mut flows = Vec::new();
        let mut limited = false;
        for trial in trials {
            match trial {
                Trial::Mixtures { most } => {
                    let is_mixture =
                        |entry: &Entry| matches!(entry.candidate.recipe, Some(Recipe::Mixture { .. }));
                    if !self.entries.iter().any(is_mixture) {
                        self.try_mixtures(*most, task, times.share(1))?;
                        after(self)?;
                    }
                }
                Trial::Mixture { components } => {
                    let (start, d) = (Instant::now(), task.columns.len());
                    task.tell(&mixture_name(*components), None);
                    let mixture = task.mixture(*components, &task.prepared.training);
                    self.keep(Tried::mixture(*components, start, mixture, d), task)?;
                    after(self)?;
                }
                Trial::Flow(flow) => {
                    limited = true;
                    flows.push(flow.clone());
                }
                Trial::Again(flow) => flows.push(flow.clone()),
            }
        }
        flows.retain(|flow| self.entries.iter().all(|entry| entry.candidate.name != flow.name()));
        if flows.is_empty() {
            return Ok(());
        }
        let is_flow = |entry: &Entry| matches!(entry.candidate.recipe, Some(Recipe::Flow { .. }));
        let order = Order {
            threads,
            times: limited.then_some(times),
            is_something: self.is_something(),
            is_first: !self.entries.iter().any(is_flow),
        };
        train(task, &flows, order, &mut |task, tried| {
            self.keep(tried, task)?;
            after(self)
        })
    }

    /// Tries more and more components until the held-out likelihood has fallen twice.
    fn try_mixtures(
        &mut self,
        most: usize,
        task: &mut Task<'_, '_>,
        time: Duration,
    ) -> Result<(), ModelError> {
        let (prepared, d) = (task.prepared, task.columns.len());
        let mut best: Option<(f64, usize)> = None;
        let mut worse = 0;
        let start = Instant::now();
        // The last number of components, and how long it took.
        let mut last = (1, Duration::ZERO);
        for components in [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 30] {
            // So few rows cannot choose.
            const FEWEST: usize = 10;
            let enough = prepared.training.len() > components * (d + 1) && prepared.held_out.len() >= FEWEST;
            // These components, and then the best ones twice again: for the training rows and for all.
            let ahead = 3 * last.1 * components as u32 / last.0;
            let late = start.elapsed() + ahead > time;
            if components > most || (components > 1 && (!enough || worse >= 2 || late)) {
                break;
            }
            let own = Instant::now();
            task.tell(&mixture_name(components), None);
            if components == 1 {
                let gaussian = task.mixture(1, &prepared.training);
                self.keep(Tried::mixture(1, start, gaussian, d), task)?;
                if most == 1 {
                    break;
                }
            }
            let score = task.mixture_score(components)?;
            last = (components as u32, own.elapsed());
            match &best {
                Some((before, _)) if score <= *before => worse += 1,
                _ => {
                    worse = 0;
                    best = Some((score, components));
                }
            }
        }
        match best {
            Some((_, components)) if components > 1 => {
                let mixture = task.mixture(components, &prepared.training);
                self.keep(Tried::mixture(components, start, mixture, d), task)
            }
            _ => Ok(()),
        }
    }

    /// Builds the flow in the units of the file, and scores the held-out rows.
    fn keep(&mut self, tried: Tried, task: &Task<'_, '_>) -> Result<(), ModelError> {
        let Tried { name, recipe, start, base, layers, parameters, epochs } = tried;
        let flow = task.in_units(base, layers, parameters)?;
        let logs = task.held_out(&flow)?;
        let weights = task.prepared.weights_of(&task.prepared.held_out);
        let (held_out, error) = weighted_mean_and_error(&logs, weights.as_deref());
        let seconds = start.elapsed().as_secs_f64();
        let candidate =
            Candidate { name, held_out, error, seconds, weight: 0.0, recipe: Some(recipe), epochs };
        self.entries.push(Entry { candidate, fitted: Some((flow, logs)) });
        Ok(())
    }
}

impl Task<'_, '_> {
    /// Standardised rows with noise in their cells.
    fn rows(&self, rows: &[usize]) -> Vec<f64> {
        rows.iter().flat_map(|row| jittered(self.prepared, *row, self.options.seed)).collect()
    }

    /// A mixture of standardised variables, fitted to some of the rows; several components to an even selection of many,
    /// which have far fewer parameters than it has numbers.
    pub fn mixture(&self, components: usize, rows: &[usize]) -> GaussianMixture {
        const MANY: usize = 100_000;
        let step = if components == 1 { 1 } else { rows.len().div_ceil(MANY).max(1) };
        let some: Vec<usize> = rows.iter().step_by(step).copied().collect();
        let rows = some.as_slice();
        let weights = self.prepared.weights_of(rows).unwrap_or_else(|| vec![1.0; rows.len()]);
        // Several first means are affordable in small tables, where they matter.
        let starts = if rows.len() < 5000 { 5 } else { 1 };
        let options =
            MixtureOptions { components, seed: self.options.seed, starts, ..MixtureOptions::default() };
        GaussianMixture::fit_weighted(&self.rows(rows), &weights, self.columns.len(), options)
    }

    /// How well so many components predict rows that they were not fitted to: those held out, or in a small table each
    /// fifth of all rows in turn.
    fn mixture_score(&self, components: usize) -> Result<f64, ModelError> {
        let Prepared { training, held_out, table, .. } = self.prepared;
        const SMALL: usize = 10_000;
        let parts = match table.rows() * self.columns.len() <= SMALL {
            true => folds(&self.prepared.groups, 5, self.options.seed),
            false => vec![(training.clone(), held_out.clone())],
        };
        let (mut logs, mut weights) = (Vec::new(), self.prepared.weights.is_some().then(Vec::new));
        for (fitted, others) in parts {
            if fitted.len() <= components || others.is_empty() {
                continue;
            }
            let mixture = self.mixture(components, &fitted);
            let flow = Flow::new(mixture, [unchanged(self.columns.len())])?.with(Parameters::default())?;
            logs.extend(flow.log_prob(&self.rows(&others))?);
            if let (Some(weights), Some(own)) = (&mut weights, self.prepared.weights_of(&others)) {
                weights.extend(own);
            }
        }
        Ok(weighted_mean_and_error(&logs, weights.as_deref()).0)
    }

    /// A flow of standardised variables as one of the units of the file.
    pub fn in_units(
        &self,
        base: Box<dyn Base>,
        mut layers: Vec<Box<dyn Bijection>>,
        parameters: Parameters,
    ) -> Result<FittedFlow, ModelError> {
        let Prepared { means, deviations, .. } = self.prepared;
        layers.push(Box::new(Affine::fixed(deviations.clone(), means.clone())));
        let transforms: Vec<Transform> = self.columns.iter().map(ModelColumn::transform).collect();
        if transforms.iter().any(|transform| *transform != Transform::Identity) {
            layers.push(Box::new(Elementwise::each(transforms)));
        }
        let starts: Vec<f64> = self.columns.iter().map(ModelColumn::start).collect();
        if starts.iter().any(|start| *start != 0.0) {
            layers.push(Box::new(Affine::fixed(vec![1.0; starts.len()], starts)));
        }
        Ok(Flow::new(base, layers)?.with(parameters)?)
    }

    /// A mixture fitted to all rows, in the units of the file.
    pub fn refitted(&self, components: usize) -> Result<FittedFlow, ModelError> {
        let all: Vec<usize> = (0..self.prepared.table.rows()).collect();
        let mixture = self.mixture(components, &all);
        self.in_units(Box::new(mixture), vec![unchanged(self.columns.len())], Parameters::default())
    }

    /// ln p of the held-out rows in the units of the file, with that of their categories.
    fn held_out(&self, flow: &FittedFlow) -> Result<Vec<f64>, ModelError> {
        let Prepared { held_out, means, deviations, .. } = self.prepared;
        let rows: Vec<f64> = held_out
            .iter()
            .flat_map(|row| {
                let standardised = jittered(self.prepared, *row, 1);
                let each = standardised.into_iter().enumerate();
                each.map(|(i, z)| self.columns[i].to_file(means[i] + deviations[i] * z)).collect::<Vec<f64>>()
            })
            .collect();
        let contexts: Vec<f64> = match &self.prepared.contexts {
            Some(contexts) => held_out.iter().flat_map(|row| contexts.row(*row)).copied().collect(),
            None => Vec::new(),
        };
        let mut logs = flow.log_prob_given(&rows, &contexts)?;
        logs.iter_mut().zip(held_out).for_each(|(log, row)| *log += self.prepared.log_shares[*row]);
        Ok(logs)
    }
}

/// x = z.
fn unchanged(d: usize) -> Box<dyn Bijection> {
    Box::new(Affine::fixed(vec![1.0; d], vec![0.0; d]))
}
