//! Values that may be no measurements: markers of missing values, and mistakes.
//!
//! A value is suspect if it lies far outside of the quartiles and far from the next value. One that several
//! rows share, or that is written with nines or as a power of ten, is a marker; the rest are outliers.

use super::summary::Summary;
use crate::table::kind::Kind;
use crate::table::number::{count, list, rounded, shown};

/// Spreads between a quartile and a marker of missing values.
const MARKER: f64 = 5.0;
/// Spreads between a quartile and an outlier.
const OUTLIER: f64 = 10.0;
/// Spreads between a suspect value and the next value towards the others.
const APART: f64 = 3.0;
/// Lines that are listed.
const LINES: usize = 5;

/// A value that may be no measurement.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Suspect {
    /// The value.
    pub value: f64,
    /// Whether it looks like a marker of missing values, as -9999 does.
    pub marker: bool,
    /// The number of rows that have it.
    pub rows: usize,
    /// The lines of the first of these rows.
    pub lines: Vec<u64>,
}

/// Finds the suspect values of a column.
pub(super) fn of(kind: &Kind, values: &[f64], summary: &Summary, lines: &[u64]) -> Vec<Suspect> {
    // A positive column is looked at by its logarithms, as it is modelled.
    let scale = |value: f64| kind.scaled(value);
    let scaled: Vec<f64> = summary.runs.iter().map(|(value, _)| scale(*value)).collect();
    let [low, fourth, high, top] = [0.05, 0.25, 0.75, 0.95].map(|share| scale(summary.quantile(share)));
    let spread = (high - fourth).max(0.41 * (top - low));
    if summary.rows < 8 || spread <= 0.0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut from_end = |order: &mut dyn Iterator<Item = usize>, distance: &dyn Fn(f64) -> f64| {
        let order: Vec<usize> = order.collect();
        let mut last = 0;
        for (place, pair) in order.windows(2).enumerate() {
            let (value, next) = (scaled[pair[0]], scaled[pair[1]]);
            if distance(value) < MARKER * spread {
                break;
            }
            let (original, rows) = summary.runs[pair[0]];
            let marker = rows > 1 || is_marker(original);
            if (value - next).abs() >= APART * spread && (marker || distance(value) >= OUTLIER * spread) {
                last = place + 1;
            }
        }
        // All values beyond the last wide gap.
        found.extend(order[..last].iter().map(|place| summary.runs[*place]));
    };
    from_end(&mut (0..scaled.len()), &|value| fourth - value);
    from_end(&mut (0..scaled.len()).rev(), &|value| value - high);
    let suspect = |(value, rows): (f64, usize)| {
        let places = values.iter().zip(lines).filter(|(other, _)| **other == value).map(|(_, line)| *line);
        let marker = rows > 1 || is_marker(value);
        Suspect { value, marker, rows, lines: places.take(LINES).collect() }
    };
    found.into_iter().map(suspect).collect()
}

/// Whether a number is a power of ten from 100 on, or all nines, as markers of missing values are.
fn is_marker(value: f64) -> bool {
    let size = value.abs();
    if size < 99.0 || size.fract() != 0.0 {
        return false;
    }
    let digits = format!("{size}");
    digits.bytes().all(|digit| digit == b'9') || digits.trim_end_matches('0') == "1"
}

impl std::fmt::Display for Suspect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 3;
        // A marker is to be copied, an outlier only seen.
        let value = shown(if self.marker { self.value } else { rounded(self.value, 6) });
        let lines: Vec<String> = self.lines.iter().take(SHOWN).map(ToString::to_string).collect();
        match self.rows - lines.len() {
            0 if self.rows == 1 => write!(f, "{value} (line {})", lines[0]),
            0 => write!(f, "{value} in {} (lines {})", count(self.rows, "row"), list(&lines, SHOWN)),
            more => {
                write!(
                    f,
                    "{value} in {} (lines {} and {more} more)",
                    count(self.rows, "row"),
                    lines.join(", ")
                )
            }
        }
    }
}
