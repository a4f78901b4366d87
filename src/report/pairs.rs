//! The pairs of columns that are shown: those that depend on one another most.

use super::dependence::CentredDistances;
use super::draws::Draws;
use crate::model::{Model, ModelColumn};

/// Two columns with rows and samples.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnPair {
    /// The places of the columns in the model.
    pub columns: (usize, usize),
    /// The distance correlation of the ranks of the rows.
    pub dependence: f64,
    /// Rows of the table, in the units of the file.
    pub rows: Vec<(f64, f64)>,
    /// As many samples.
    pub samples: Vec<(f64, f64)>,
}

/// Pairs that are shown.
const PAIRS: usize = 6;
/// Pairs in which one column is shown.
const EACH: usize = 2;
/// Rows by which dependence is measured, and points of a picture.
const ROWS: usize = 400;
const POINTS: usize = 1000;

impl ColumnPair {
    pub(super) fn strongest(model: &Model, draws: &Draws) -> Vec<ColumnPair> {
        let width = draws.width;
        // Rows and samples that are spread over all.
        let every = |most: usize| -> Vec<usize> {
            let n = draws.rows.len();
            let count = n.min(most);
            (0..count).map(|k| k * n / count).collect()
        };
        let rows = every(ROWS);
        let columns: Vec<CentredDistances> = (0..width)
            .map(|column| {
                let values: Vec<f64> = rows.iter().map(|row| draws.data[row * width + column]).collect();
                CentredDistances::of(&values)
            })
            .collect();
        let mut found: Vec<(f64, usize, usize)> = (0..width)
            .flat_map(|i| (i + 1..width).map(move |j| (i, j)))
            .map(|(i, j)| (columns[i].correlation(&columns[j]), i, j))
            .collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut shown = vec![0; width];
        let mut pairs = Vec::new();
        let points = every(POINTS);
        for (dependence, i, j) in found {
            if pairs.len() == PAIRS {
                break;
            }
            if shown[i] < EACH && shown[j] < EACH {
                shown[i] += 1;
                shown[j] += 1;
                let of = |values: &[f64]| -> Vec<(f64, f64)> {
                    let value = |row: usize, column: usize| {
                        in_file(&model.columns()[column], values[row * width + column])
                    };
                    points.iter().map(|row| (value(*row, i), value(*row, j))).collect()
                };
                let samples = draws.samples.first().map(|sample| of(sample)).unwrap_or_default();
                pairs.push(ColumnPair { columns: (i, j), dependence, rows: of(&draws.data), samples });
            }
        }
        pairs
    }
}

/// A value in the units of the file, but spread over its cell, so that points of rounded columns do not cover each other.
fn in_file(column: &ModelColumn, value: f64) -> f64 {
    match column.kind {
        crate::table::Kind::Circular { .. } => column.written(column.to_file(value)),
        _ => column.to_file(value),
    }
}
