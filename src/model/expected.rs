//! What a value would be expected to be, given all others of its row: the density of a row as a function of one of its
//! values, normalised. Any density gives this, by quadrature of one variable.
//!
//! The value runs over the real line of its column. A grid is refined where the mass is, until no interval has more than
//! 2 % of it, and the distribution function follows by the trapezoidal rule.

use serde::Serialize;

use super::column::ModelColumn;
use super::error::ModelError;
use super::model::Model;

/// The distribution of a value given all others of its row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Expected {
    /// 5 % are below.
    pub lower: f64,
    /// Half of them are below.
    pub median: f64,
    /// 95 % are below.
    pub upper: f64,
    /// The share that is at least as far out as the value of the row, on both sides.
    pub tail: f64,
}

/// Points of the first grid, and rounds of refinement.
const POINTS: usize = 24;
const ROUNDS: usize = 14;
/// Intervals with a larger share of the mass are divided.
const SHARE: f64 = 0.02;

/// A value to be expected: that of a column of a row.
pub(super) struct Asked<'a> {
    /// The values of the row, as flows take them.
    pub values: &'a [f64],
    pub context: &'a [f64],
    pub column: usize,
}

/// The points at which the density is known as a function of one value: place on the real line, ln p there.
struct Line {
    points: Vec<(f64, f64)>,
}

impl Model {
    /// Returns the distribution of each of these values, given all others of its row; `None` where these are impossible.
    pub(super) fn expected(&self, asked: &[Asked<'_>]) -> Result<Vec<Option<Expected>>, ModelError> {
        let mut lines: Vec<Line> = asked.iter().map(|asked| self.line(asked)).collect();
        for _ in 0..ROUNDS {
            self.evaluate(asked, &mut lines)?;
            lines.iter_mut().for_each(Line::refine);
        }
        self.evaluate(asked, &mut lines)?;
        let expected = |(line, asked): (&Line, &Asked<'_>)| {
            line.expected(&self.columns()[asked.column], asked.values[asked.column])
        };
        Ok(lines.iter().zip(asked).map(expected).collect())
    }

    /// The first points: the values of training rows, and as far beyond them as they are apart.
    fn line(&self, asked: &Asked<'_>) -> Line {
        let column = &self.columns()[asked.column];
        let usual = self.about.usual.get(asked.column).map_or(&[][..], |usual| &usual.values);
        let mut at: Vec<f64> = usual.iter().map(|x| column.unbounded(*x)).collect();
        at.retain(|t| t.is_finite());
        let ends = |at: &[f64]| {
            let lower = at.iter().copied().fold(f64::INFINITY, f64::min);
            (lower, at.iter().copied().fold(f64::NEG_INFINITY, f64::max))
        };
        // From a value that is farther out a grid would not be refined to where the mass is.
        const FAR: f64 = 1e3;
        let own = column.unbounded(asked.values[asked.column]);
        let (lower, upper) = ends(&at);
        let far = FAR * (upper - lower);
        if own.is_finite() && (at.is_empty() || !(own < lower - far || own > upper + far)) {
            at.push(own);
        }
        let (lower, upper) = ends(&at);
        let width = (upper - lower).max(1e-6 * lower.abs()).max(f64::MIN_POSITIVE);
        at.extend((0..=POINTS).map(|k| lower - width + 3.0 * width * k as f64 / POINTS as f64));
        at.sort_by(f64::total_cmp);
        at.dedup();
        Line { points: at.into_iter().map(|t| (t, f64::NAN)).collect() }
    }

    /// Computes ln p at the points where it is not known.
    fn evaluate(&self, asked: &[Asked<'_>], lines: &mut [Line]) -> Result<(), ModelError> {
        let (mut rows, mut contexts, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (line, asked) in lines.iter().zip(asked) {
            for (t, _) in line.points.iter().filter(|(_, log)| log.is_nan()) {
                let value = self.columns()[asked.column].to_file(*t);
                let start = rows.len();
                rows.extend_from_slice(asked.values);
                rows[start + asked.column] = value;
                contexts.extend_from_slice(asked.context);
                values.push(value);
            }
        }
        let mut logs = self.log_prob_of(&rows, &contexts)?.into_iter().zip(values);
        for (line, asked) in lines.iter_mut().zip(asked) {
            for (_, log) in line.points.iter_mut().filter(|(_, log)| log.is_nan()) {
                let (own, value) = logs.next().expect("a row for each point");
                let slope = self.columns()[asked.column].log_slope(value);
                // Where the value of the file has come to an end of its range, no mass is left.
                *log = if own.is_finite() && slope.is_finite() { own + slope } else { f64::NEG_INFINITY };
            }
        }
        Ok(())
    }
}

impl Line {
    /// The mass of each interval, relative to the density's largest value.
    fn masses(&self) -> Vec<f64> {
        let largest = self.points.iter().map(|(_, log)| *log).fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return vec![0.0; self.points.len() - 1];
        }
        let mass = |pair: &[(f64, f64)]| {
            let [(a, log_a), (b, log_b)] = [pair[0], pair[1]];
            0.5 * (b - a) * ((log_a - largest).exp() + (log_b - largest).exp())
        };
        self.points.windows(2).map(mass).collect()
    }

    /// Divides intervals with much of the mass into four.
    fn refine(&mut self) {
        let masses = self.masses();
        let total: f64 = masses.iter().sum();
        let mut points = Vec::with_capacity(self.points.len() * 2);
        for (pair, mass) in self.points.windows(2).zip(masses) {
            points.push(pair[0]);
            if mass > SHARE * total {
                let (a, b) = (pair[0].0, pair[1].0);
                let new = (1..4).map(|k| a + (b - a) * f64::from(k) / 4.0);
                points.extend(new.filter(|t| *t > a && *t < b).map(|t| (t, f64::NAN)));
            }
        }
        points.extend(self.points.last());
        self.points = points;
    }

    fn expected(&self, column: &ModelColumn, value: f64) -> Option<Expected> {
        let masses = self.masses();
        let total: f64 = masses.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let quantile = |level: f64| {
            let mut below = 0.0;
            for (pair, mass) in self.points.windows(2).zip(&masses) {
                if below + mass >= level * total && *mass > 0.0 {
                    let share = (level * total - below) / mass;
                    return column.written(column.to_file(pair[0].0 + share * (pair[1].0 - pair[0].0)));
                }
                below += mass;
            }
            f64::NAN
        };
        // Half of the cell of a rounded value is on each side.
        let at = column.unbounded(value);
        let below: f64 = self
            .points
            .windows(2)
            .zip(&masses)
            .filter(|(pair, _)| pair[1].0 <= at)
            .map(|(_, mass)| mass)
            .sum();
        let share = below / total;
        let tail = (2.0 * share.min(1.0 - share)).max(0.0);
        Some(Expected { lower: quantile(0.05), median: quantile(0.5), upper: quantile(0.95), tail })
    }
}
