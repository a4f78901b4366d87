//! The rows of a table as candidates see them: on the real line, standardised, split.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::categories::Categories;
use super::column::{GivenColumn, ModelColumn, contexts, moments, values};
use super::error::ModelError;
use super::options::ModelOptions;
use super::record::LeftOut;
use crate::layers::Transform;
use crate::numeric::quartile_deviation;
use crate::table::{Block, Cells, Column, Kind, Look, Table, Treatment};

/// Rows on the real line, standardised: what candidates are fitted to.
pub(super) struct Prepared {
    pub table: Table,
    pub contexts: Option<Table>,
    pub noise: Vec<f64>,
    /// A number for each row, the same for rows that belong together.
    pub groups: Vec<usize>,
    /// Weights of all rows, if they have any.
    pub weights: Option<Vec<f64>>,
    pub held_out: Vec<usize>,
    pub training: Vec<usize>,
    /// The columns that are no part of the model.
    pub left_out: Vec<LeftOut>,
    /// The last layers of each flow: from standardised variables to the units of the file.
    pub means: Vec<f64>,
    pub deviations: Vec<f64>,
    columns: Vec<ModelColumn>,
    /// ln of the probability of each row's categories, as the training rows have them; 0 without categories.
    pub log_shares: Vec<f64>,
}

/// The columns to model.
pub(super) fn columns(block: &Block, look: &Look, given: &[String]) -> Result<Vec<ModelColumn>, ModelError> {
    let mut columns = Vec::new();
    for found in &look.columns {
        if given.contains(&found.name)
            || !matches!(found.treatment, Treatment::Fitted | Treatment::Dequantised)
        {
            continue;
        }
        let Ok(Column { cells: Cells::Numbers(values), .. }) = block.column(&found.name) else {
            continue;
        };
        let offset = match found.kind {
            Kind::Circular { start, period } => cut(values, start, period),
            _ => values.iter().copied().fold(f64::INFINITY, f64::min),
        };
        let mut column =
            ModelColumn { name: found.name.clone(), kind: found.kind.clone(), cell: 0.0, offset };
        column.cell = match (found.noise, column.transform()) {
            (None, _) => 0.0,
            (Some(noise), _) if matches!(column.kind, Kind::Rounded { .. }) => noise,
            (Some(noise), Transform::Identity) => noise,
            // Ties: a cell as narrow on the real line as it would be in the units of the file.
            (Some(_), _) => {
                TIE * moments(values.iter().map(|value| column.unbounded(column.wrapped(*value)))).1
            }
        };
        columns.push(column);
    }
    match columns.is_empty() {
        true => Err(ModelError::Column("no column is left to model: see what was said of each".to_string())),
        false => Ok(columns),
    }
}

/// The width of the cell of tied values, as a fraction of the standard deviation.
const TIE: f64 = 1e-3;

/// Where a circle is cut: in the middle of the widest gap between values.
fn cut(values: &[f64], start: f64, period: f64) -> f64 {
    let mut angles: Vec<f64> = values.iter().map(|value| (value - start).rem_euclid(period)).collect();
    angles.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (angles.first(), angles.last()) else { return start };
    let around = (*last, first + period - last);
    let gaps = angles.windows(2).map(|pair| (pair[0], pair[1] - pair[0])).chain([around]);
    let (from, width) = gaps.max_by(|a, b| a.1.total_cmp(&b.1)).expect("a gap at least");
    start + from + width / 2.0
}

pub(super) fn given(block: &Block, look: &Look, names: &[String]) -> Result<Vec<GivenColumn>, ModelError> {
    names
        .iter()
        .map(|name| {
            let cells = &block.column(name)?.cells;
            let kind = look.column(name).map_or(Kind::Real, |found| found.kind.clone());
            GivenColumn::fit(name, &kind, cells)
        })
        .collect()
}

pub(super) fn prepare(
    block: &Block,
    look: &Look,
    columns: &[ModelColumn],
    (given, categories): (&[GivenColumn], Option<&Categories>),
    options: &ModelOptions<'_>,
) -> Result<Prepared, ModelError> {
    const LEAST: usize = 5;
    let d = columns.len();
    if block.rows() < LEAST {
        return Err(ModelError::Column(format!(
            "{} rows are too few; at least {LEAST} are needed",
            block.rows()
        )));
    }
    let mut unbounded = Vec::with_capacity(block.rows() * d);
    for (row, values) in values(columns, block, false)?.chunks(d).enumerate() {
        let line = block.lines()[row];
        if values.iter().any(|value| value.is_nan()) {
            let problem = format!("line {line} has a missing cell: leave such rows out");
            return Err(ModelError::Column(problem));
        }
        for (column, value) in columns.iter().zip(values) {
            let image = column.unbounded(*value);
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
    let weights = options.weights.map(<[f64]>::to_vec);
    if let Some(weights) = &weights {
        let sound = weights.iter().all(|weight| *weight >= 0.0 && weight.is_finite());
        let some = |rows: &[usize]| rows.iter().any(|row| weights[*row] > 0.0);
        if weights.len() != block.rows() || !sound || !some(&training) || !some(&held_out) {
            let problem = "each row needs a weight of 0 or more, and more than a few of them one above 0";
            return Err(ModelError::Column(problem.to_string()));
        }
    }
    let (means, deviations) = scales(&table.filter(|row| !taken[row]));
    let noise = columns.iter().zip(&deviations).map(|(column, deviation)| column.cell / deviation).collect();
    let table = table.standardised(&(means.clone(), deviations.clone()));
    let contexts = match (given.is_empty(), categories) {
        (true, None) => None,
        _ => {
            let given = contexts(given, block)?;
            let own = given.len() / block.rows();
            let of_rows = categories.map(|categories| categories.of_rows(block)).transpose()?;
            let mut values = Vec::new();
            for row in 0..block.rows() {
                values.extend_from_slice(&given[row * own..(row + 1) * own]);
                if let (Some(categories), Some(of_rows)) = (categories, &of_rows) {
                    of_rows[row].iter().for_each(|combination| categories.encode(*combination, &mut values));
                }
            }
            let width = values.len() / block.rows();
            let names: Vec<String> = (0..width).map(|k| format!("context_{k}")).collect();
            Some(Table::new(&names, values)?)
        }
    };
    let log_shares = match categories {
        None => vec![0.0; block.rows()],
        Some(categories) => {
            let of_rows: Vec<usize> = categories.of_rows(block)?.into_iter().flatten().collect();
            let counted =
                |row: &usize| (of_rows[*row], weights.as_ref().map_or(1.0, |weights| weights[*row]));
            let shares = categories.shares_of(training.iter().map(counted));
            of_rows.iter().map(|combination| shares[*combination].ln()).collect()
        }
    };
    let left_out = match options.like {
        // The columns of the other fit were chosen, so that nothing else is left out here.
        Some(record) => record.left_out.clone(),
        None => LeftOut::of(look, &options.given),
    };
    let (groups, columns) = (look.groups.clone(), columns.to_vec());
    Ok(Prepared {
        table,
        contexts,
        noise,
        groups,
        left_out,
        weights,
        held_out,
        training,
        means,
        deviations,
        columns,
        log_shares,
    })
}

impl Prepared {
    /// Whether cells are not of one width on the real line.
    pub fn has_limits(&self) -> bool {
        self.columns.iter().any(ModelColumn::has_limits)
    }

    /// Moves the values of rows within their cells, to places that are drawn.
    pub fn move_in_cells(&self, rows: &mut [f64], random: &mut dyn Rng) {
        for row in rows.chunks_mut(self.columns.len()) {
            for (i, value) in row.iter_mut().enumerate().filter(|(i, _)| self.noise[*i] > 0.0) {
                let share = random.random::<f64>();
                let (column, mean, deviation) = (&self.columns[i], self.means[i], self.deviations[i]);
                *value = match column.has_limits() {
                    true => {
                        (column.spread(column.to_file(mean + deviation * *value), share) - mean) / deviation
                    }
                    false => *value + self.noise[i] * (share - 0.5),
                };
            }
        }
    }

    /// The weights of some of the rows.
    pub fn weights_of(&self, rows: &[usize]) -> Option<Vec<f64>> {
        let weights = self.weights.as_ref()?;
        Some(rows.iter().map(|row| weights[*row]).collect())
    }
}

/// A centre and a scale for each column: mean and standard deviation; median and quartiles where a few values far away
/// would set the scale of all others.
fn scales(table: &Table) -> (Vec<f64>, Vec<f64>) {
    let (mut centres, mut scales) = table.moments();
    for j in 0..table.width() {
        let column = || table.values().iter().skip(j).step_by(table.width()).copied();
        let quartiles = quartile_deviation(column());
        const FAR: f64 = 20.0;
        if quartiles > 0.0 && scales[j] > FAR * quartiles {
            let mut sorted: Vec<f64> = column().collect();
            sorted.sort_by(f64::total_cmp);
            (centres[j], scales[j]) = (sorted[table.rows() / 2], quartiles);
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
    order.shuffle(&mut random);
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

/// Deals rows into folds of about equal size, the rows of one group into one fold, and returns the fold of each row.
pub fn deal_groups(groups: &[usize], folds: usize, seed: u64) -> Vec<usize> {
    let mut members = BTreeMap::<usize, Vec<usize>>::new();
    groups.iter().enumerate().for_each(|(row, group)| members.entry(*group).or_default().push(row));
    let mut order: Vec<Vec<usize>> = members.into_values().collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let (mut fold_of, mut sizes) = (vec![0; groups.len()], vec![0; folds]);
    for rows in order {
        let smallest = (0..folds).min_by_key(|fold| sizes[*fold]).unwrap_or(0);
        sizes[smallest] += rows.len();
        rows.into_iter().for_each(|row| fold_of[row] = smallest);
    }
    fold_of
}

/// Splits rows into so many parts by groups; returns for each part the rows of all others, and its own.
pub(super) fn folds(groups: &[usize], count: usize, seed: u64) -> Vec<(Vec<usize>, Vec<usize>)> {
    let fold_of = deal_groups(groups, count, seed);
    let of = |fold: usize| (0..groups.len()).partition(|row| fold_of[*row] != fold);
    (0..count).map(of).collect()
}

/// A row with noise in the cells of its rounded values, the same each time.
pub(super) fn jittered(prepared: &Prepared, row: usize, seed: u64) -> Vec<f64> {
    let mut values = prepared.table.row(row).to_vec();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(row as u64);
    prepared.move_in_cells(&mut values, &mut random);
    values
}
