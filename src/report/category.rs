//! Categories: how often the rows of a table have each level, against samples.

use super::draws::LevelDraws;
use crate::numeric::mills::upper_tail;

/// A category among rows and among samples.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoryCalibration {
    /// The column.
    pub column: String,
    /// Its levels; last those that only rows have.
    pub levels: Vec<LevelCount>,
    /// The probability that rows that are samples differ as much: Pearson's χ² by the approximation of Wilson and Hilferty
    /// (1931), levels that are expected in fewer than five rows taken together.
    pub p: f64,
}

/// How many rows have a level.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelCount {
    /// The level.
    pub level: String,
    /// The number of rows.
    pub rows: usize,
    /// The number that samples say; 0 for a level that the model does not have.
    pub expected: f64,
}

impl CategoryCalibration {
    pub(super) fn of(draws: &LevelDraws, samples: usize) -> CategoryCalibration {
        let of_rows = |level: usize| draws.rows.iter().filter(|place| **place == Some(level)).count();
        let mut levels: Vec<LevelCount> = draws
            .levels
            .iter()
            .enumerate()
            .map(|(k, level)| {
                let expected = draws.counts[k] as f64 / samples.max(1) as f64;
                LevelCount { level: level.clone(), rows: of_rows(k), expected }
            })
            .collect();
        let p = match draws.unknown.is_empty() {
            true => chance(&levels),
            false => 0.0,
        };
        let unknown = draws.unknown.iter();
        levels.extend(unknown.map(|(level, rows)| LevelCount {
            level: level.clone(),
            rows: *rows,
            expected: 0.0,
        }));
        CategoryCalibration { column: draws.column.clone(), levels, p }
    }
}

/// Pearson's test.
fn chance(levels: &[LevelCount]) -> f64 {
    const FEW: f64 = 5.0;
    let (many, few): (Vec<&LevelCount>, Vec<&LevelCount>) =
        levels.iter().partition(|level| level.expected >= FEW);
    let mut groups: Vec<(f64, f64)> = many.iter().map(|level| (level.rows as f64, level.expected)).collect();
    let rest =
        (few.iter().map(|level| level.rows as f64).sum(), few.iter().map(|level| level.expected).sum());
    match groups.iter_mut().min_by(|a, b| a.1.total_cmp(&b.1)) {
        // So few that they are no group of their own.
        Some(least) if rest.1 < FEW => *least = (least.0 + rest.0, least.1 + rest.1),
        _ => groups.push(rest),
    }
    let freedom = groups.len() as f64 - 1.0;
    if freedom < 1.0 {
        return 1.0;
    }
    let square: f64 = groups.iter().map(|(rows, expected)| (rows - expected).powi(2) / expected).sum();
    let part = 2.0 / (9.0 * freedom);
    let z = ((square / freedom).cbrt() - (1.0 - part)) / part.sqrt();
    if z >= 0.0 { upper_tail(z) } else { 1.0 - upper_tail(-z) }
}
