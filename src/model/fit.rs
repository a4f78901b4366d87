//! Fitting a model to a table: candidates one after another, and weights by the rows that were held out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::architecture::{Architecture, Conditioner};
use super::column::{GivenColumn, ModelColumn, contexts, values};
use super::error::ModelError;
use super::model::{About, Model, mixture};
use super::record::{Candidate, FitRecord};
use crate::base::{Base, GaussianMixture, MixtureOptions};
use crate::bijection::Bijection;
use crate::flow::{FitOptions, FittedFlow, Flow, Progress, Trainer};
use crate::layers::{Affine, Elementwise, Transform};
use crate::table::{Block, Cells, Column, Kind, Look, Table, Treatment};
use crate::tape::Parameters;

/// Which densities are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// All of them, mixed by their likelihood of the held-out rows.
    #[default]
    Auto,
    /// One Gaussian with full covariance.
    Gaussian,
    /// Gaussian mixtures.
    Mixture,
    /// Spline coupling flows.
    Coupling,
    /// Autoregressive spline flows.
    Autoregressive,
}

/// Options of [`Model::fit`].
pub struct ModelOptions<'a> {
    /// Columns on which the density is conditioned.
    pub given: Vec<String>,
    /// Which densities are tried.
    pub choice: Choice,
    /// After this time no further candidate is begun, and the one that trains stops at the end of its epoch.
    pub time: Duration,
    /// Seed of everything that is random.
    pub seed: u64,
    /// The share of the rows that is held out to choose by.
    pub held_out: f64,
    /// Is called when a candidate is begun, and after each of its epochs.
    pub progress: Option<&'a mut dyn FnMut(Trying<'_>)>,
    /// Is asked after each epoch whether to stop; what is best so far is kept.
    pub stop: Option<&'a dyn Fn() -> bool>,
}

impl Default for ModelOptions<'_> {
    fn default() -> Self {
        ModelOptions {
            given: Vec::new(),
            choice: Choice::Auto,
            time: Duration::from_secs(60),
            seed: 0,
            held_out: 0.1,
            progress: None,
            stop: None,
        }
    }
}

/// The candidate that is being fitted.
#[derive(Clone, Copy, Debug)]
pub struct Trying<'a> {
    /// What it is.
    pub candidate: &'a str,
    /// The state of its fit; none for a mixture.
    pub progress: Option<Progress>,
}

/// Rows on the real line, standardised: what candidates are fitted to.
struct Prepared {
    table: Table,
    contexts: Option<Table>,
    noise: Vec<f64>,
    held_out: Vec<usize>,
    training: Vec<usize>,
    /// The last layers of each flow: from standardised variables to the units of the file.
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Model {
    /// Fits a density to the columns that a look at the table found usable. Rows with missing cells must have been left
    /// out.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use pushforward::model::{Choice, Model, ModelOptions};
    /// use pushforward::prelude::*;
    /// use pushforward::table::{Block, Kinds, Look};
    ///
    /// let rows: Vec<f64> = (0..300).flat_map(|k| [f64::from(k).sin(), 3.0 + f64::from(k * k).cos()]).collect();
    /// let block = Block::from(&Table::new(&["a", "b"], rows)?);
    /// let look = Look::of(&block, &Kinds::new())?;
    /// let options = ModelOptions { choice: Choice::Gaussian, ..ModelOptions::default() };
    /// let model = Model::fit(&block, &look, options)?;
    ///
    /// let scores = model.score(&block)?;
    /// assert!(scores[0].unwrap().log_prob > -4.0);
    /// let samples = model.sample(5, None, 7)?;
    /// assert_eq!(samples.columns(), ["a", "b"]);
    /// assert_eq!(Model::from_bytes(&model.to_bytes()?)?.sample(5, None, 7)?, samples);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Column`] when no column can be modelled or there are too few rows, and [`ModelError::Flow`].
    pub fn fit(block: &Block, look: &Look, mut options: ModelOptions<'_>) -> Result<Model, ModelError> {
        let start = Instant::now();
        let columns = columns(block, look, &options.given)?;
        let given = given(block, look, &options.given)?;
        let prepared = prepare(block, look, &columns, &given, &options)?;
        let mut found = Found { candidates: Vec::new(), held_out: Vec::new(), flows: Vec::new() };
        let deadline = start + options.time;
        let plan = plan(options.choice, prepared.training.len(), columns.len(), !given.is_empty());
        let trials = plan.len();
        for (k, trial) in plan.iter().enumerate() {
            let stopped = options.stop.is_some_and(|stop| stop());
            let left = deadline.saturating_duration_since(Instant::now());
            if !found.flows.is_empty() && (stopped || left.is_zero()) {
                break;
            }
            // The first flow gets half of the time, the others share what is left.
            let share = if found.flows.len() < 3 { 2 } else { trials - k };
            found.try_one(trial, &prepared, &columns, &mut options, left / share.max(1) as u32)?;
        }
        let weights = weights(&found.held_out);
        let mut kept = Vec::new();
        for ((candidate, flow), weight) in found.candidates.iter_mut().zip(found.flows).zip(&weights) {
            candidate.weight = *weight;
            if *weight > 0.0 {
                kept.push((*weight, flow));
            }
        }
        let (weights, flows): (Vec<f64>, Vec<FittedFlow>) = kept.into_iter().unzip();
        let of_kept: Vec<Vec<f64>> = found
            .candidates
            .iter()
            .zip(found.held_out)
            .filter(|(candidate, _)| candidate.weight > 0.0)
            .map(|(_, logs)| logs)
            .collect();
        let (score, error) = mean_and_error(&mixture(&weights, &of_kept));
        let fit = FitRecord {
            seed: options.seed,
            library: env!("CARGO_PKG_VERSION").to_string(),
            rows: prepared.training.len(),
            held_out: prepared.held_out.len(),
            candidates: found.candidates,
            score,
            error,
        };
        let mut model = Model { about: About { columns, given, weights, ranks: Vec::new(), fit }, flows };
        let mut ranks: Vec<f64> =
            model.score(block)?.into_iter().flatten().map(|score| score.log_prob).collect();
        ranks.sort_by(f64::total_cmp);
        const RANKS: usize = 1000;
        if ranks.len() > RANKS {
            ranks = (0..RANKS).map(|k| ranks[(2 * k + 1) * ranks.len() / (2 * RANKS)]).collect();
        }
        model.about.ranks = ranks;
        Ok(model)
    }
}

/// A candidate to try.
enum Trial {
    /// Mixtures of 1, 2, … components; the best by the held-out rows.
    Mixtures { most: usize },
    /// A flow.
    Flow { architecture: Architecture, batch: usize, epochs: usize, seed: u64 },
}

/// A candidate that was fitted to standardised variables.
struct Tried {
    name: String,
    start: Instant,
    base: Box<dyn Base>,
    layers: Vec<Box<dyn Bijection>>,
    parameters: Parameters,
}

impl Tried {
    /// A mixture is a base already: one layer leaves it as it is.
    fn mixture(name: String, start: Instant, base: Box<dyn Base>, d: usize) -> Tried {
        Tried { name, start, base, layers: vec![unchanged(d)], parameters: Parameters::default() }
    }
}

/// What was tried.
struct Found {
    candidates: Vec<Candidate>,
    /// ln p of the held-out rows in the units of the file, by candidate.
    held_out: Vec<Vec<f64>>,
    flows: Vec<FittedFlow>,
}

impl Found {
    fn try_one(
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
                let tried = Tried { name, start, base, layers: layers(), parameters };
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
        let Tried { name, start, base, mut layers, parameters } = tried;
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
                each.map(|(i, z)| to_file(&columns[i], prepared.means[i] + prepared.deviations[i] * z))
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
        self.candidates.push(Candidate { name, held_out, error, seconds, weight: 0.0 });
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

fn to_file(column: &ModelColumn, value: f64) -> f64 {
    match column.transform() {
        Transform::Exp => value.exp(),
        Transform::Sigmoid { lower, upper } => lower + (upper - lower) / (1.0 + (-value).exp()),
        _ => value,
    }
}

/// x = z.
fn unchanged(d: usize) -> Box<dyn Bijection> {
    Box::new(Affine::fixed(vec![1.0; d], vec![0.0; d]))
}

fn mixture_name(components: usize) -> String {
    match components {
        1 => "Gaussian".to_string(),
        more => format!("Gaussian mixture, {more} components"),
    }
}

fn name(architecture: &Architecture, seed: u64) -> String {
    let kind = match architecture.conditioner {
        Conditioner::Coupling => "spline coupling",
        Conditioner::Autoregressive => "autoregressive spline",
    };
    let hidden: Vec<String> = architecture.hidden.iter().map(ToString::to_string).collect();
    let number = if seed > 0 { format!(", no. {}", seed + 1) } else { String::new() };
    format!("{kind} flow, {} layers of {}{number}", architecture.layers, hidden.join("×"))
}

/// What is tried, in this order: a few rows do not get a network that remembers them.
fn plan(choice: Choice, rows: usize, d: usize, conditional: bool) -> Vec<Trial> {
    let most = match choice {
        Choice::Gaussian => 1,
        Choice::Mixture | Choice::Auto => 30,
        Choice::Coupling | Choice::Autoregressive => 0,
    };
    let mut plan = Vec::new();
    if most > 0 && !conditional {
        plan.push(Trial::Mixtures { most });
    }
    // Measured by `cargo bench --bench tables`; see the README.
    let batch = if rows < 100_000 { 64 } else { 256 };
    let epochs = (1_200_000 / rows.max(1)).clamp(15, 120);
    let flow = |conditioner: Conditioner, layers: usize, seed: u64| Trial::Flow {
        architecture: Architecture {
            conditioner,
            layers,
            hidden: match conditioner {
                Conditioner::Coupling => vec![32, 32],
                Conditioner::Autoregressive => vec![64, 64],
            },
            bins: 8,
            bound: 5.0,
            degrees: None,
            linear: true,
        },
        batch,
        epochs,
        seed,
    };
    let networks = match choice {
        Choice::Gaussian | Choice::Mixture => vec![],
        Choice::Coupling => vec![flow(Conditioner::Coupling, 6, 0)],
        Choice::Autoregressive => vec![flow(Conditioner::Autoregressive, 4, 0)],
        Choice::Auto if rows < 250 && !conditional => vec![],
        Choice::Auto if d == 1 => vec![flow(Conditioner::Autoregressive, 1, 0)],
        Choice::Auto => vec![
            flow(Conditioner::Autoregressive, 4, 0),
            flow(Conditioner::Coupling, 6, 0),
            flow(Conditioner::Autoregressive, 4, 1),
            flow(Conditioner::Coupling, 6, 1),
            flow(Conditioner::Autoregressive, 4, 2),
        ],
    };
    plan.extend(networks);
    plan
}

/// Weights of a mixture that maximise the likelihood of held-out rows, by expectation-maximisation; those below a
/// hundredth are set to 0.
fn weights(logs: &[Vec<f64>]) -> Vec<f64> {
    let rows = logs.first().map_or(0, Vec::len);
    let mut weights = vec![1.0 / logs.len() as f64; logs.len()];
    for _ in 0..500 {
        let mixed = mixture(&weights, logs);
        // A prior of one row for each candidate keeps a few rows from deciding everything.
        let mut next = vec![1.0 / logs.len() as f64; logs.len()];
        for (row, total) in mixed.iter().enumerate().filter(|(_, total)| total.is_finite()) {
            for (k, own) in logs.iter().enumerate() {
                next[k] += (weights[k].ln() + own[row] - total).exp();
            }
        }
        let total: f64 = next.iter().sum();
        weights = next.into_iter().map(|weight| weight / total).collect();
    }
    let least = 0.01_f64.max(2.0 / rows.max(1) as f64).min(0.5 / logs.len() as f64);
    let kept: f64 = weights.iter().filter(|weight| **weight >= least).sum();
    weights.into_iter().map(|weight| if weight >= least { weight / kept } else { 0.0 }).collect()
}

fn mean_and_error(logs: &[f64]) -> (f64, f64) {
    let count = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    (mean, (variance / count).sqrt())
}

/// The columns to model.
fn columns(block: &Block, look: &Look, given: &[String]) -> Result<Vec<ModelColumn>, ModelError> {
    let mut columns = Vec::new();
    for found in &look.columns {
        if found.treatment == Treatment::Levels && !given.contains(&found.name) {
            return Err(ModelError::Column(format!(
                "column `{}` is a category: make it a context (--given {}), or leave it out (--kind {}=text)",
                found.name, found.name, found.name
            )));
        }
        if given.contains(&found.name)
            || !matches!(found.treatment, Treatment::Fitted | Treatment::Dequantised)
        {
            continue;
        }
        let cell = found.noise.unwrap_or(0.0);
        let Ok(Column { cells: Cells::Numbers(values), .. }) = block.column(&found.name) else {
            continue;
        };
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        // Noise may lead out of a bounded set.
        let kind = match &found.kind {
            Kind::Positive | Kind::Bounded { .. } if cell > 0.0 && least - cell <= 0.0 => Kind::Real,
            kind => kind.clone(),
        };
        columns.push(ModelColumn { name: found.name.clone(), kind, cell, offset: least });
    }
    match columns.is_empty() {
        true => Err(ModelError::Column("no column is left to model: see what was said of each".to_string())),
        false => Ok(columns),
    }
}

fn given(block: &Block, look: &Look, names: &[String]) -> Result<Vec<GivenColumn>, ModelError> {
    names
        .iter()
        .map(|name| {
            let cells = &block.column(name)?.cells;
            let kind = look.column(name).map_or(Kind::Real, |found| found.kind.clone());
            GivenColumn::fit(name, &kind, cells)
        })
        .collect()
}

fn prepare(
    block: &Block,
    look: &Look,
    columns: &[ModelColumn],
    given: &[GivenColumn],
    options: &ModelOptions<'_>,
) -> Result<Prepared, ModelError> {
    const LEAST: usize = 10;
    let d = columns.len();
    if block.rows() < LEAST {
        return Err(ModelError::Column(format!(
            "{} rows are too few; at least {LEAST} are needed",
            block.rows()
        )));
    }
    let mut unbounded = Vec::with_capacity(block.rows() * d);
    for (row, values) in values(columns, block)?.into_iter().enumerate() {
        let line = block.lines()[row];
        let values = values.ok_or_else(|| {
            ModelError::Column(format!("line {line} has a missing cell: leave such rows out"))
        })?;
        for (column, value) in columns.iter().zip(values) {
            let image = column.unbounded(value);
            if !image.is_finite() {
                return Err(ModelError::Column(format!(
                    "line {line}: `{}` is {value}, which is not inside of {}; give it another kind, or leave the row out",
                    column.name, column.kind
                )));
            }
            unbounded.push(image);
        }
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let table = Table::new(&names, unbounded)?;
    // Copies of a row stay together: a row that is trained on tells nothing about itself.
    let mut taken = vec![false; table.rows()];
    draw_groups(&look.groups, options.held_out, options.seed).into_iter().for_each(|row| taken[row] = true);
    let (held_out, training): (Vec<usize>, Vec<usize>) = (0..table.rows()).partition(|row| taken[*row]);
    if training.is_empty() || held_out.is_empty() {
        let problem =
            "there are too few different rows to hold some out: all are copies of a few".to_string();
        return Err(ModelError::Column(problem));
    }
    let (means, deviations) = scales(&table.filter(|row| !taken[row]));
    let noise = columns.iter().zip(&deviations).map(|(column, deviation)| column.cell / deviation).collect();
    let table = table.standardised(&(means.clone(), deviations.clone()));
    let contexts = match given.is_empty() {
        true => None,
        false => {
            let values = contexts(given, block)?;
            let width = values.len() / block.rows();
            let names: Vec<String> = (0..width).map(|k| format!("context_{k}")).collect();
            Some(Table::new(&names, values)?)
        }
    };
    Ok(Prepared { table, contexts, noise, held_out, training, means, deviations })
}

/// A centre and a scale for each column: mean and standard deviation; median and quartiles where a few values far away
/// would set the scale of all others.
fn scales(table: &Table) -> (Vec<f64>, Vec<f64>) {
    let (mut centres, mut scales) = table.moments();
    let rows = table.rows();
    for j in 0..table.width() {
        let mut sorted: Vec<f64> = table.values().iter().skip(j).step_by(table.width()).copied().collect();
        sorted.sort_by(f64::total_cmp);
        const NORMAL_QUARTILES: f64 = 1.349;
        let quartiles = (sorted[3 * (rows - 1) / 4] - sorted[(rows - 1) / 4]) / NORMAL_QUARTILES;
        const FAR: f64 = 20.0;
        if quartiles > 0.0 && scales[j] > FAR * quartiles {
            (centres[j], scales[j]) = (sorted[rows / 2], quartiles);
        }
        if scales[j] == 0.0 {
            scales[j] = 1.0;
        }
    }
    (centres, scales)
}

/// Draws about this share of rows, in ascending order, such that rows of one group are all drawn or all left.
pub fn draw_groups(groups: &[usize], share: f64, seed: u64) -> Vec<usize> {
    let mut sizes = BTreeMap::<usize, usize>::new();
    groups.iter().for_each(|group| *sizes.entry(*group).or_default() += 1);
    let mut order: Vec<usize> = sizes.keys().copied().collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for last in (1..order.len()).rev() {
        order.swap(last, random.random_range(0..=last));
    }
    let wanted = (groups.len() as f64 * share).round() as usize;
    let (mut taken, mut count) = (BTreeSet::new(), 0);
    for group in order {
        if count >= wanted {
            break;
        }
        count += sizes[&group];
        taken.insert(group);
    }
    (0..groups.len()).filter(|row| taken.contains(&groups[*row])).collect()
}

/// A row with noise in the cells of its rounded values, the same each time.
fn jittered(prepared: &Prepared, row: usize, seed: u64) -> Vec<f64> {
    let values = prepared.table.row(row).iter().zip(&prepared.noise);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(row as u64);
    values
        .map(
            |(value, width)| {
                if *width > 0.0 { value + width * (random.random::<f64>() - 0.5) } else { *value }
            },
        )
        .collect()
}
