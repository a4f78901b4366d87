//! The least likely rows, with their values.

use super::draws::Draws;
use crate::model::{LevelReason, Model, ModelError, Reason, Score};
use crate::table::{Block, Cells, rounded, shown};

/// A row among the least likely ones.
#[derive(Clone, Debug, PartialEq)]
pub struct OddRow {
    /// Its line in the file.
    pub line: u64,
    /// Its density.
    pub score: Score,
    /// Its values, modelled ones first, in the order of [`Model::needs`].
    pub values: Vec<OddValue>,
    /// Why it is unlikely.
    pub reasons: Vec<String>,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct OddValue {
    /// The value as text.
    pub text: String,
    /// The share of all samples that are below, for a modelled column.
    pub below: Option<f64>,
}

impl OddValue {
    /// Whether hardly a sample lies as far out.
    pub fn is_far(&self) -> bool {
        const FAR: f64 = 0.005;
        self.below.is_some_and(|below| !(FAR..=1.0 - FAR).contains(&below))
    }
}

/// Rows that are listed.
const LISTED: usize = 20;

impl OddRow {
    /// The least likely rows, the least likely first.
    pub(super) fn least(
        model: &Model,
        block: &Block,
        scores: &[Score],
        draws: &Draws,
    ) -> Result<Vec<OddRow>, ModelError> {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*a].log_prob.total_cmp(&scores[*b].log_prob).then(a.cmp(b)));
        order.truncate(LISTED);
        let sorted: Vec<Vec<f64>> = (0..draws.width)
            .map(|column| {
                let mut samples = draws.samples_of(column);
                samples.sort_by(f64::total_cmp);
                samples
            })
            .collect();
        let names = model.needs();
        let value = |row: usize, k: usize| -> Result<OddValue, ModelError> {
            Ok(match &block.column(&names[k])?.cells {
                Cells::Numbers(values) => {
                    let below = model.columns().get(k).map(|column| {
                        let place = column.unbounded(column.wrapped(values[row]));
                        let below = sorted[k].partition_point(|sample| *sample < place);
                        below as f64 / sorted[k].len().max(1) as f64
                    });
                    OddValue { text: shown(rounded(values[row], 6)), below }
                }
                Cells::Text(texts) => OddValue { text: texts[row].clone().unwrap_or_default(), below: None },
            })
        };
        let mut chosen = vec![false; block.rows()];
        order.iter().for_each(|row| chosen[*row] = true);
        let mut in_order = order.clone();
        in_order.sort_unstable();
        let reasons = reasons(model, &block.filter(|row| chosen[row]))?;
        order
            .into_iter()
            .map(|row| {
                let values: Result<Vec<OddValue>, ModelError> =
                    (0..names.len()).map(|k| value(row, k)).collect();
                let place = in_order.partition_point(|other| *other < row);
                Ok(OddRow {
                    line: block.lines()[row],
                    score: scores[row],
                    values: values?,
                    reasons: reasons[place].clone(),
                })
            })
            .collect()
    }
}

/// Why each of these rows is unlikely, in sentences; none where nothing is known. The page shows them below the values.
fn reasons(model: &Model, rows: &Block) -> Result<Vec<Vec<String>>, ModelError> {
    const MOST: usize = 3;
    let short = |value: f64| shown(rounded(value, 4));
    let told = |reason: &Reason| {
        let Reason { column, value, expected, outside, .. } = reason;
        if let Some(outside) = outside {
            return format!("{column} = {}, must be {outside}", short(*value));
        }
        let Some(expected) = expected else { return format!("{column} = {}", short(*value)) };
        let (median, lower, upper) = (short(expected.median), short(expected.lower), short(expected.upper));
        format!("{column} = {}, expected {median} ({lower} to {upper})", short(*value))
    };
    let level = |reason: &LevelReason| {
        let LevelReason { column, level, expected, expected_probability, .. } = reason;
        format!("{column} = {level}, expected {expected} ({:.0} %)", 100.0 * expected_probability)
    };
    let explained = model.explain(rows, MOST)?.into_iter().map(|row| {
        let row = row.into_iter();
        row.flat_map(|row| {
            row.levels.iter().map(level).chain(row.reasons.iter().map(told)).collect::<Vec<String>>()
        })
    });
    Ok(explained.map(Iterator::collect).collect())
}
