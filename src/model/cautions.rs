//! What is to be said of given values that a density knows little about.

use super::column::Encoding;
use super::model::Model;
use crate::table::{Block, Cells};

/// So many deviations from the mean of the fit is far for a column on which a density is conditioned.
const FAR: f64 = 6.0;

impl Model {
    /// Says which given values lie far from the rows of the fit: what is drawn given them follows from how the flows continue
    /// beyond their rows, and not from rows. A sentence for each such column, with the value that is farthest.
    ///
    /// Far is, for a column that is modelled, farther from the rows of the fit than these are from one another; for a column
    /// that the model is always [given](Model::given), six deviations from its mean. Values of `ln x` are meant where a
    /// column is positive.
    pub fn cautions(&self, given: &Block) -> Vec<String> {
        let mut told = Vec::new();
        for (i, column) in self.columns().iter().enumerate() {
            let usual = self.about.usual.get(i).map_or(&[][..], |usual| &usual.values);
            let (Some(values), Some(first), Some(last)) =
                (numbers(given, &column.name), usual.first(), usual.last())
            else {
                continue;
            };
            // Angles have no far end.
            if column.circle().is_none() {
                let most = format!("of which most are from {first} to {last}");
                told.extend(farthest(&column.name, values, |value| self.distance(i, value), 1.0, &most));
            }
        }
        for column in self.given() {
            let Some(values) = numbers(given, &column.name) else { continue };
            let (mean, deviation, is_logarithm) = match column.encoding {
                Encoding::Standardised { mean, deviation } => (mean, deviation, false),
                Encoding::Logarithm { mean, deviation } => (mean, deviation, true),
                Encoding::Circle { .. } | Encoding::OneHot { .. } => continue,
            };
            let place = |value: f64| if is_logarithm { value.ln() } else { value };
            let back = |place: f64| if is_logarithm { place.exp() } else { place };
            let distance = |value: f64| ((place(value) - mean) / deviation).abs();
            let ends = (back(mean - 2.0 * deviation), back(mean + 2.0 * deviation));
            let most = format!("of which most are from {:.4} to {:.4}", ends.0, ends.1);
            told.extend(farthest(&column.name, values, distance, FAR, &most));
        }
        told
    }
}

fn numbers<'a>(block: &'a Block, name: &str) -> Option<&'a [f64]> {
    match &block.column(name).ok()?.cells {
        Cells::Numbers(values) => Some(values),
        Cells::Text(_) => None,
    }
}

/// A sentence on the value that is farthest from the rows of the fit, if any is farther than `far`.
fn farthest(
    name: &str,
    values: &[f64],
    distance: impl Fn(f64) -> f64,
    far: f64,
    most: &str,
) -> Option<String> {
    let beyond: Vec<(f64, f64)> = values
        .iter()
        .map(|value| (distance(*value), *value))
        .filter(|(distance, _)| *distance > far)
        .collect();
    let (_, value) = beyond.iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let others = match beyond.len() - 1 {
        0 => String::new(),
        1 => " (and far in another row)".to_string(),
        more => format!(" (and far in {more} other rows)"),
    };
    Some(format!(
        "given `{name}` is {value}{others}, far from the rows of the fit, {most}: what follows from it is extrapolated"
    ))
}
