//! Which values of a row are to blame.
//!
//! A value far out makes others look unlikely that are expected from it. So values are blamed one after another: among the
//! columns whose contribution is below those of all training rows and whose value is far from them, the one whose value is
//! worst, given all others, by
//! ln p(median | others) - ln p(value | others), which depends on neither units nor an order. It is then replaced by that
//! median, and the contributions are looked at again. A category is treated likewise, with its most probable level in place
//! of the median. What is blamed is left out where the others are explained: they are drawn without it. Values that only do
//! not go together are not blamed: each is expected from the others.

use super::complete::{Completer, Partial};
use super::error::ModelError;
use super::expected::{Asked, Expected};
use super::levels::LevelReason;
use super::model::Model;

/// A row whose values are all known.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    /// The values, as flows take them.
    pub values: &'a [f64],
    pub context: &'a [f64],
    /// What each column contributes to ln p; `None` for a model of couplings.
    pub contributions: Option<&'a [f64]>,
    pub levels: &'a [LevelReason],
}

/// What is blamed of a row, and the row with other values in its place.
pub(super) struct Blame {
    /// The columns, the worst first.
    pub columns: Vec<usize>,
    pub values: Vec<f64>,
    pub context: Vec<f64>,
    /// The contributions in the changed row, if it was changed.
    pub contributions: Option<Vec<f64>>,
    draws: bool,
}

impl Blame {
    /// Whether a column is explained without those that are blamed.
    pub fn is_beside(&self, column: usize) -> bool {
        self.draws && !self.columns.is_empty() && !self.columns.contains(&column)
    }
}

/// How far out a value is that is blamed, as a multiple of the range of nearly all training rows.
const FAR: f64 = 0.5;
/// Draws of a value that is expected without others.
const DRAWS: usize = 1024;

impl Model {
    /// Blames values of a row, at most so many and never all.
    pub(super) fn blame(
        &self,
        row: Row<'_>,
        completer: Option<&Completer<'_>>,
        most: usize,
    ) -> Result<Blame, ModelError> {
        let d = self.columns().len();
        let mut blame = Blame {
            columns: Vec::new(),
            values: row.values.to_vec(),
            context: row.context.to_vec(),
            contributions: None,
            draws: completer.is_some(),
        };
        if self.about.usual.is_empty() {
            return Ok(blame);
        }
        // What a column cannot have is blamed whatever else there is; a usual value takes its place.
        for (i, (value, column)) in row.values.iter().zip(self.columns()).enumerate() {
            if column.kind.outside(*value).is_some() {
                let usual = &self.about.usual[i].values;
                blame.values[i] = usual[usual.len() / 2];
                blame.columns.push(i);
            }
        }
        if !blame.columns.is_empty() {
            blame.contributions = self.contributions(&blame.values, &blame.context)?;
        }
        // Levels are known by the row as it is: only before any value is blamed.
        let mut level = match blame.columns.is_empty() {
            true => row.levels.iter().max_by(|a, b| a.gain().total_cmp(&b.gain())),
            false => None,
        };
        while blame.columns.len() < most && blame.columns.len() + 1 < d {
            let is_far = |i: &usize| self.distance(*i, blame.values[*i]) > FAR;
            let below = match blame.contributions.as_deref().or(row.contributions) {
                Some(contributions) => self.below_all(contributions),
                None => (0..d).filter(is_far).collect(),
            };
            let below: Vec<usize> = below.into_iter().filter(|i| !blame.columns.contains(i)).collect();
            if below.is_empty() {
                break;
            }
            let unusual: Vec<usize> = below.into_iter().filter(is_far).collect();
            let asked =
                |column: &usize| Asked { values: &blame.values, context: &blame.context, column: *column };
            let expected = self.expected(&unusual.iter().map(asked).collect::<Vec<_>>())?;
            let changed = |(i, expected): (&usize, &Option<Expected>)| {
                let mut values = blame.values.clone();
                values[*i] = self.columns()[*i].wrapped(expected.as_ref()?.median);
                Some((*i, values))
            };
            let changed: Vec<(usize, Vec<f64>)> = unusual.iter().zip(&expected).filter_map(changed).collect();
            let rows: Vec<f64> = changed.iter().flat_map(|(_, values)| values).copied().collect();
            let logs = self.log_prob_of(&rows, &blame.context.repeat(changed.len()))?;
            let now = self.log_prob_of(&blame.values, &blame.context)?[0];
            let now = if now.is_finite() { now } else { f64::MIN };
            let possible = (0..logs.len()).filter(|k| logs[*k].is_finite());
            let worst = possible.max_by(|a, b| logs[*a].total_cmp(&logs[*b]));
            let gain = worst.map_or(0.0, |k| logs[k] - now);
            let is_impossible = worst.is_none() && now == f64::MIN;
            match (worst, level) {
                (_, Some(reason)) if reason.gain() >= gain => {
                    blame.context.clone_from(&reason.context);
                    level = None;
                }
                (Some(k), _) if gain > 0.0 => {
                    blame.columns.push(changed[k].0);
                    blame.values.clone_from(&changed[k].1);
                    level = None;
                }
                // None alone makes the row possible: the one that is farthest out, by itself.
                (None, _) if is_impossible => {
                    let distance = |i: &usize| self.distance(*i, blame.values[*i]);
                    let far = unusual.iter().copied().max_by(|a, b| distance(a).total_cmp(&distance(b)));
                    let Some(i) = far else { break };
                    let usual = &self.about.usual[i].values;
                    blame.values[i] = usual[usual.len() / 2];
                    blame.columns.push(i);
                }
                _ => break,
            }
            blame.contributions = self.contributions(&blame.values, &blame.context)?;
        }
        Ok(blame)
    }

    /// The columns whose contribution is below those of all training rows, or no number.
    fn below_all(&self, contributions: &[f64]) -> Vec<usize> {
        let least =
            |i: usize| self.about.usual[i].contributions.first().copied().unwrap_or(f64::NEG_INFINITY);
        (0..contributions.len())
            .filter(|i| contributions[*i].is_nan() || contributions[*i] < least(*i))
            .collect()
    }

    /// How far a value is from the training rows on the real line, as a multiple of how far these are apart; negative
    /// among them, and NaN for a missing value.
    pub(super) fn distance(&self, column: usize, value: f64) -> f64 {
        let usual = self.about.usual.get(column).map_or(&[][..], |usual| &usual.values);
        let place = |value: f64| self.columns()[column].unbounded(value);
        let (Some(first), Some(last)) = (usual.first(), usual.last()) else { return f64::NAN };
        let (first, last, own) = (place(*first), place(*last), place(value));
        if own.is_nan() {
            return f64::NAN;
        }
        (first - own).max(own - last) / (last - first).max(f64::MIN_POSITIVE)
    }

    /// What a value would be expected to be, given the others but for those that are blamed: by weighted draws.
    pub(super) fn expected_beside(
        &self,
        completer: &Completer<'_>,
        blame: &Blame,
        column: usize,
        seed: u64,
    ) -> Result<Option<Expected>, ModelError> {
        let mut values = blame.values.clone();
        values[column] = f64::NAN;
        blame.columns.iter().for_each(|i| values[*i] = f64::NAN);
        let drawn = completer.complete(&Partial { values: &values, context: &blame.context }, DRAWS, seed)?;
        let own = &self.columns()[column];
        let mut pairs: Vec<(f64, f64)> = drawn
            .rows
            .iter()
            .skip(column)
            .step_by(values.len())
            .copied()
            .zip(drawn.shares())
            .filter(|(value, share)| value.is_finite() && *share > 0.0)
            .collect();
        if pairs.is_empty() {
            return Ok(None);
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let quantile = |level: f64| own.written(super::sample::quantile(&pairs, level));
        let below: f64 =
            pairs.iter().filter(|(value, _)| *value < blame.values[column]).map(|(_, share)| share).sum();
        Ok(Some(Expected {
            lower: quantile(0.05),
            median: quantile(0.5),
            upper: quantile(0.95),
            tail: (2.0 * below.min(1.0 - below)).max(0.0),
        }))
    }
}
