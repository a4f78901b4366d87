//! Samples for the rows of a table: each row is compared with samples that the model draws for it.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::options::ReportOptions;
use crate::model::{CategoryColumn, Model, ModelColumn, ModelError, contexts, values};
use crate::numeric::quartile_deviation;
use crate::table::{Block, Cells, Kind};

/// Rows of a table and samples for them, on the real line (ln x for a positive column).
///
/// Rounded and tied values are spread over their cells, those of rows and samples alike: what is compared is the
/// distribution of rounded values, and no value is equal to another.
pub(super) struct Draws {
    /// The number of modelled columns.
    pub width: usize,
    /// The rows that are compared, by their place in the table.
    pub rows: Vec<usize>,
    /// Their values, row after row.
    pub data: Vec<f64>,
    /// Samples, each as large as `data`; with given columns the k-th row of a sample is drawn given those of the k-th row.
    pub samples: Vec<Vec<f64>>,
    /// The numbers of the given columns, row after row.
    pub contexts: Vec<f64>,
    /// The categories of rows and samples.
    pub categories: Vec<LevelDraws>,
    /// For each row and column, how many of all samples for the row are below its value.
    pub below: Vec<u32>,
    /// The number of samples for each row.
    pub count: usize,
    /// The centre and the scale of each column.
    pub scales: Vec<(f64, f64)>,
}

/// A category of rows and of samples.
pub(super) struct LevelDraws {
    pub column: String,
    pub levels: Vec<String>,
    /// The place of each row's level; `None` for one that the model does not have.
    pub rows: Vec<Option<usize>>,
    /// Levels that the model does not have, and the number of rows with each.
    pub unknown: Vec<(String, usize)>,
    /// The places of the levels of the first sample.
    pub first: Vec<Option<usize>>,
    /// How often all samples have each level.
    pub counts: Vec<u64>,
}

impl LevelDraws {
    fn of(own: &CategoryColumn, block: &Block) -> Result<LevelDraws, ModelError> {
        let mut draws = LevelDraws {
            column: own.name.clone(),
            levels: own.levels.clone(),
            rows: Vec::new(),
            unknown: Vec::new(),
            first: Vec::new(),
            counts: vec![0; own.levels.len()],
        };
        let texts = texts(&block.column(&own.name)?.cells);
        draws.rows = texts.iter().map(|text| draws.place(text)).collect();
        for (text, _) in texts.into_iter().zip(&draws.rows).filter(|(_, place)| place.is_none()) {
            match draws.unknown.iter_mut().find(|(level, _)| *level == text) {
                Some((_, rows)) => *rows += 1,
                None => draws.unknown.push((text, 1)),
            }
        }
        Ok(draws)
    }

    fn place(&self, level: &str) -> Option<usize> {
        self.levels.iter().position(|other| other == level)
    }

    /// Counts the levels of a sample.
    fn count(&mut self, sample: &Block) -> Result<(), ModelError> {
        let texts = texts(&sample.column(&self.column)?.cells);
        let places: Vec<Option<usize>> = texts.iter().map(|text| self.place(text)).collect();
        places.iter().flatten().for_each(|place| self.counts[*place] += 1);
        if self.first.is_empty() {
            self.first = places;
        }
        Ok(())
    }
}

fn texts(cells: &Cells) -> Vec<String> {
    match cells {
        Cells::Text(texts) => texts.iter().map(|text| text.clone().unwrap_or_default()).collect(),
        Cells::Numbers(values) => values.iter().map(ToString::to_string).collect(),
    }
}

/// Samples that are kept whole, for pictures.
const KEPT: usize = 10;

impl Draws {
    pub fn of(model: &Model, block: &Block, options: &ReportOptions<'_>) -> Result<Draws, ModelError> {
        let mut random = ChaCha8Rng::seed_from_u64(options.seed);
        let columns = model.columns();
        let width = columns.len();
        let mut rows: Vec<usize> = (0..block.rows()).collect();
        rows.shuffle(&mut random);
        rows.truncate(options.rows.max(1));
        rows.sort_unstable();
        let mut taken = vec![false; block.rows()];
        rows.iter().for_each(|row| taken[*row] = true);
        let block = block.filter(|row| taken[row]);
        let complete = values(columns, &block, false)?;
        let data = on_the_real_line(columns, complete.into_iter(), &mut random);
        let given: Vec<&String> = model.given().iter().map(|column| &column.name).collect();
        let given = if given.is_empty() { None } else { Some(block.select(&given)?) };
        let names: Vec<&String> = columns.iter().map(|column| &column.name).collect();
        let mut below = vec![0; data.len()];
        let mut samples = Vec::new();
        let own = model.categories().into_iter().flat_map(|categories| &categories.columns);
        let categories: Result<Vec<LevelDraws>, ModelError> =
            own.map(|column| LevelDraws::of(column, &block)).collect();
        let mut categories = categories?;
        for _ in 0..options.samples {
            let drawn = model.sample(rows.len(), given.as_ref(), random.random())?;
            categories.iter_mut().try_for_each(|category| category.count(&drawn))?;
            let drawn = drawn.to_table(&names)?;
            let drawn = on_the_real_line(columns, drawn.values().iter().copied(), &mut random);
            for ((count, value), drawn) in below.iter_mut().zip(&data).zip(&drawn) {
                *count += u32::from(drawn < value);
            }
            if samples.len() < KEPT {
                samples.push(drawn);
            }
        }
        let contexts = contexts(model.given(), &block)?;
        let scales = scales(model, &samples);
        Ok(Draws { width, rows, data, samples, contexts, categories, below, count: options.samples, scales })
    }

    /// The values of a column of the rows.
    pub fn data_of(&self, column: usize) -> Vec<f64> {
        self.data.iter().skip(column).step_by(self.width).copied().collect()
    }

    /// The values of a column of all samples that were kept.
    pub fn samples_of(&self, column: usize) -> Vec<f64> {
        let of = |sample: &Vec<f64>| -> Vec<f64> {
            sample.iter().skip(column).step_by(self.width).copied().collect()
        };
        self.samples.iter().flat_map(of).collect()
    }

    /// The rank of each row's value in a column among the samples for the row, at random within its step of 1/(count + 1):
    /// uniform on (0, 1) if the row is a sample, too. This is the probability integral transform, by samples.
    pub fn ranks_of(&self, column: usize, seed: u64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(column as u64);
        let below = self.below.iter().skip(column).step_by(self.width);
        below.map(|below| (f64::from(*below) + random.random::<f64>()) / (self.count + 1) as f64).collect()
    }

    /// Standardised rows and a standardised sample for each, with the numbers of the given columns and of categories beside both. Rows with
    /// a value that no sample can have, as 0 in a positive column, are left out and counted.
    pub fn pairs(&self) -> Pairs {
        let beside = self.contexts.len() / self.rows.len().max(1);
        let levels: usize = self.categories.iter().map(|category| category.levels.len()).sum();
        let mut pairs =
            Pairs { width: self.width + beside + levels, rows: Vec::new(), samples: Vec::new(), left_out: 0 };
        let Some(first) = self.samples.first() else { return pairs };
        for (k, (row, sample)) in self.data.chunks(self.width).zip(first.chunks(self.width)).enumerate() {
            if row.iter().chain(sample).any(|value| !value.is_finite()) {
                pairs.left_out += 1;
                continue;
            }
            let context = &self.contexts[k * beside..(k + 1) * beside];
            for (values, into, is_row) in [(row, &mut pairs.rows, true), (sample, &mut pairs.samples, false)]
            {
                let standardised = values.iter().zip(&self.scales);
                into.extend(standardised.map(|(value, (centre, scale))| (value - centre) / scale));
                into.extend_from_slice(context);
                for category in &self.categories {
                    let own = if is_row { category.rows[k] } else { category.first[k] };
                    into.extend(
                        (0..category.levels.len()).map(|level| f64::from(u8::from(own == Some(level)))),
                    );
                }
            }
        }
        pairs
    }
}

/// Rows and samples in pairs, standardised.
pub(super) struct Pairs {
    /// The numbers of a row.
    pub width: usize,
    pub rows: Vec<f64>,
    pub samples: Vec<f64>,
    /// Rows that are in no pair.
    pub left_out: usize,
}

/// Values of the file on the real line, spread over their cells.
fn on_the_real_line(
    columns: &[ModelColumn],
    values: impl Iterator<Item = f64>,
    random: &mut ChaCha8Rng,
) -> Vec<f64> {
    let value = |(k, value): (usize, f64)| {
        let column = &columns[k % columns.len()];
        let share = if column.cell > 0.0 { random.random::<f64>() } else { 0.5 };
        let value = match column.kind {
            // Samples and data are multiples of the step up to rounding, which decides nothing.
            Kind::Rounded { step, .. } => column.offset + ((value - column.offset) / step).round() * step,
            _ => column.wrapped(value),
        };
        column.spread(value, share)
    };
    values.enumerate().map(value).collect()
}

/// Centre and scale of each column: of the training rows, or for a model of a version that did not keep them of samples.
fn scales(model: &Model, samples: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let (fit, width) = (model.fit_record(), model.columns().len());
    if fit.scales.len() == width {
        return fit.centres.iter().copied().zip(fit.scales.iter().copied()).collect();
    }
    let column = |k: usize| {
        let values = samples.iter().flat_map(|sample| sample.iter().skip(k).step_by(width).copied());
        let finite: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        let mean = finite.iter().sum::<f64>() / finite.len().max(1) as f64;
        let scale = quartile_deviation(finite);
        (mean, if scale > 0.0 { scale } else { 1.0 })
    };
    (0..width).map(column).collect()
}
