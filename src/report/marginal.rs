//! Histograms of each column: rows of the table against samples of the model, in the same bins.

use super::draws::Draws;
use crate::model::{Model, ModelColumn};
use crate::table::Kind;

/// The distribution of a column among rows and among samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Marginal {
    /// The column.
    pub column: String,
    /// Whether the bins are equally wide on a logarithmic scale: for positive columns that span many powers of ten.
    pub logarithmic: bool,
    /// The edges of the bins, one more than there are bins.
    pub edges: Vec<f64>,
    /// The share of the rows in each bin.
    pub rows: Vec<f64>,
    /// The share of the samples in each bin.
    pub samples: Vec<f64>,
}

/// The share of the rows that may lie outside of a picture, on each side.
const CUT: f64 = 0.002;
/// A positive column has a logarithmic scale if its range without the cut spans this factor.
const WIDE: f64 = 50.0;

impl Marginal {
    pub(super) fn all(model: &Model, draws: &Draws) -> Vec<Marginal> {
        let of = |(k, column): (usize, &ModelColumn)| {
            let in_file = |values: Vec<f64>| -> Vec<f64> {
                values.into_iter().map(|value| column.written(column.to_file(value))).collect()
            };
            Marginal::of(column, &in_file(draws.data_of(k)), &in_file(draws.samples_of(k)))
        };
        model.columns().iter().enumerate().map(of).collect()
    }

    fn of(column: &ModelColumn, rows: &[f64], samples: &[f64]) -> Marginal {
        let sorted = sorted(rows);
        let (low, high) = (quantile(&sorted, CUT), quantile(&sorted, 1.0 - CUT));
        let logarithmic = column.kind == Kind::Positive && low > 0.0 && high > WIDE * low;
        let edges = match logarithmic {
            true => {
                let logs: Vec<f64> =
                    sorted.iter().filter(|value| **value > 0.0).map(|value| value.ln()).collect();
                edges(&logs, &Kind::Real, 0.0).into_iter().map(f64::exp).collect()
            }
            false => edges(&sorted, &column.kind, column.offset),
        };
        let (rows, samples) = (shares(rows, &edges), shares(samples, &edges));
        Marginal { column: column.name.clone(), logarithmic, edges, rows, samples }
    }

    /// The first and the last edge.
    pub fn range(&self) -> (f64, f64) {
        (self.edges[0], self.edges[self.edges.len() - 1])
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The value that this share of the sorted values does not exceed; 0 of none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((share * last as f64).round() as usize).copied().unwrap_or(0.0)
}

/// Edges of equally wide bins, by the rule of Freedman and Diaconis (1981): twice the distance of the quartiles over ∛n.
fn edges(sorted: &[f64], kind: &Kind, offset: f64) -> Vec<f64> {
    const FEWEST: f64 = 8.0;
    const MOST: f64 = 40.0;
    let (mut low, mut high) = (quantile(sorted, CUT), quantile(sorted, 1.0 - CUT));
    if let Kind::Circular { start, period } = kind {
        (low, high) = (*start, start + period);
    }
    let spread = quantile(sorted, 0.75) - quantile(sorted, 0.25);
    let width = 2.0 * spread / (sorted.len().max(1) as f64).cbrt();
    if let Kind::Rounded { step, .. } = kind {
        // Whole steps: bins of different numbers of steps would show a pattern that is none.
        let (first, last) = (((low - offset) / step).round(), ((high - offset) / step).round());
        let cells = last - first + 1.0;
        let steps = (width / step).round().max((cells / MOST).ceil()).max(1.0);
        let bins = (cells / steps).ceil().max(1.0);
        return (0..=bins as usize).map(|k| offset + (first - 0.5 + k as f64 * steps) * step).collect();
    }
    if high <= low {
        (low, high) = (low - 0.5 * low.abs().max(1.0), high + 0.5 * high.abs().max(1.0));
    } else if !matches!(kind, Kind::Circular { .. }) {
        // A margin in which samples show that no row reaches.
        let margin = 0.04 * (high - low);
        (low, high) = (low - margin, high + margin);
        match kind {
            Kind::Positive => low = low.max(0.0),
            Kind::Bounded { lower, upper } => (low, high) = (low.max(*lower), high.min(*upper)),
            _ => {}
        }
    }
    let bins = if width > 0.0 { ((high - low) / width).ceil().clamp(FEWEST, MOST) } else { MOST };
    (0..=bins as usize).map(|k| low + (high - low) * k as f64 / bins).collect()
}

/// The share of the values in each bin.
fn shares(values: &[f64], edges: &[f64]) -> Vec<f64> {
    let mut counts = vec![0.0; edges.len() - 1];
    for value in values {
        let bin = edges.partition_point(|edge| edge <= value);
        if (1..edges.len()).contains(&bin) {
            counts[bin - 1] += 1.0;
        }
    }
    counts.iter().map(|count| count / values.len().max(1) as f64).collect()
}
