//! The columns of a model: how the numbers of a file become the variables of flows.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::error::ModelError;
use crate::layers::Transform;
use crate::table::{Block, Cells, Column, Kind, Limits};

/// A column whose density is modelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelColumn {
    /// Its name in the file.
    pub name: String,
    /// What values it can have.
    pub kind: Kind,
    /// The width of a cell of values that are rounded (in the units of the file) or tied (on the real line: of ln x for a
    /// positive column): a row has the mean density of its cell. 0 for values that are neither.
    pub cell: f64,
    /// A rounded value of the fit, from which others differ by multiples of the cell; for a circle the place where it
    /// is cut, in the widest gap between values.
    pub offset: f64,
}

/// The ends of the first and the last cell of a column with limits are at infinity: points keep away from them by this share.
pub(crate) const INSIDE: f64 = 1e-9;

impl ModelColumn {
    /// The bijection from the real line to its values.
    pub(crate) fn transform(&self) -> Transform {
        match self.kind {
            Kind::Positive | Kind::Rounded { limits: Limits::Positive | Limits::From(_), .. } => {
                Transform::Exp
            }
            Kind::Rounded { limits: Limits::Within { .. }, .. } => {
                let (lower, upper) = self.ends();
                Transform::Sigmoid { lower, upper }
            }
            Kind::Bounded { lower, upper } => Transform::Sigmoid { lower, upper },
            Kind::Circular { period, .. } => {
                Transform::Sigmoid { lower: self.offset, upper: self.offset + period }
            }
            _ => Transform::Identity,
        }
    }

    /// The ends of the values before rounding, in the units of the file.
    pub(crate) fn ends(&self) -> (f64, f64) {
        match self.kind {
            Kind::Rounded { step, limits } => {
                let (first, last) = limits.ends(step, self.offset);
                (first - 0.5 * step, last + 0.5 * step)
            }
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    /// Where the exponential begins: at 0, or for rounded values with a limit at the end of the first cell.
    pub(crate) fn start(&self) -> f64 {
        if self.has_limits() && self.transform() == Transform::Exp { self.ends().0 } else { 0.0 }
    }

    /// Whether it has rounded values with limits, whose cells are not of one width on the real line.
    pub(crate) fn has_limits(&self) -> bool {
        matches!(self.kind, Kind::Rounded { limits, .. } if limits != Limits::None)
    }

    /// The value on the real line; infinite or NaN for a value that the column cannot have.
    pub(crate) fn unbounded(&self, value: f64) -> f64 {
        match self.transform() {
            Transform::Exp if value <= self.start() => f64::NEG_INFINITY,
            Transform::Exp => (value - self.start()).ln(),
            Transform::Sigmoid { lower, upper } => {
                let share = (value - lower) / (upper - lower);
                share.ln() - (-share).ln_1p()
            }
            _ => value,
        }
    }

    /// The value of the file for a value on the real line.
    pub(crate) fn to_file(&self, value: f64) -> f64 {
        match self.transform() {
            Transform::Exp => self.start() + value.exp(),
            Transform::Sigmoid { lower, upper } => lower + (upper - lower) / (1.0 + (-value).exp()),
            _ => value,
        }
    }

    /// ln of the derivative of the value of the file with respect to the value on the real line.
    pub(super) fn log_slope(&self, value: f64) -> f64 {
        match self.transform() {
            Transform::Exp => (value - self.start()).ln(),
            Transform::Sigmoid { lower, upper } => {
                ((value - lower) / (upper - lower)).ln() + (upper - value).ln()
            }
            _ => 0.0,
        }
    }

    /// A point of the cell of a rounded or tied value, from its start (0) to its end (1).
    pub(super) fn in_cell(&self, value: f64, share: f64) -> f64 {
        if !self.has_limits() {
            return self.to_file(self.unbounded(value) + self.cell * (share - 0.5));
        }
        let (lower, upper) = self.ends();
        if self.kind.outside(value).is_some() {
            // Outside of the flow's codomain, so that its density is 0.
            return if value < upper { lower - self.cell } else { upper + self.cell };
        }
        let (from, to) = ((value - 0.5 * self.cell).max(lower), (value + 0.5 * self.cell).min(upper));
        from + (to - from) * share.clamp(INSIDE, 1.0 - INSIDE)
    }

    /// A point of the cell of a value, on the real line.
    pub(crate) fn spread(&self, value: f64, share: f64) -> f64 {
        match self.has_limits() {
            true => self.unbounded(self.in_cell(value, share)),
            false => self.unbounded(value) + self.cell * (share - 0.5),
        }
    }

    /// A value of the file as flows take it: angles are brought into the period that begins at the cut.
    pub(crate) fn wrapped(&self, value: f64) -> f64 {
        match self.circle() {
            Some((cut, period)) => cut + (value - cut).rem_euclid(period),
            None => value,
        }
    }

    /// Where a circle is cut, and its period.
    pub(crate) fn circle(&self) -> Option<(f64, f64)> {
        match self.kind {
            Kind::Circular { period, .. } => Some((self.offset, period)),
            _ => None,
        }
    }

    /// A sample as the file has values: rounded as its data were, angles in their own period.
    pub(crate) fn written(&self, value: f64) -> f64 {
        match self.kind {
            Kind::Rounded { step, limits } => {
                // A value at the end of a cell is not rounded beyond the limits.
                let (first, last) = limits.ends(step, self.offset);
                let place = |value: f64| ((value - self.offset) / step).round();
                let steps = place(value).max(place(first)).min(place(last));
                let per_unit = (1.0 / step).round();
                let start = (self.offset / step).round();
                // 41/100 is the decimal number 0.41, 41·0.01 is its neighbour.
                let decimal = per_unit >= 1.0 && per_unit * step == 1.0 && start / per_unit == self.offset;
                if decimal { (start + steps) / per_unit } else { self.offset + steps * step }
            }
            Kind::Circular { start, period } => start + (value - start).rem_euclid(period),
            _ => value,
        }
    }
}

/// A column on which the density is conditioned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GivenColumn {
    /// Its name in the file.
    pub name: String,
    /// How its values become numbers of a context.
    pub encoding: Encoding,
}

/// How the values of a given column become numbers of a context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// (x - mean)/deviation.
    Standardised {
        /// The mean of the training rows.
        mean: f64,
        /// Their standard deviation.
        deviation: f64,
    },
    /// (ln x - mean)/deviation.
    Logarithm {
        /// The mean of ln x.
        mean: f64,
        /// Its standard deviation.
        deviation: f64,
    },
    /// Cosine and sine of the angle.
    Circle {
        /// The value at angle 0.
        start: f64,
        /// The length of the circle.
        period: f64,
    },
    /// 1 for the level of the row, 0 for each other level.
    OneHot {
        /// The levels.
        levels: Vec<String>,
    },
}

impl Encoding {
    /// The number of context numbers.
    pub fn width(&self) -> usize {
        match self {
            Encoding::Standardised { .. } | Encoding::Logarithm { .. } => 1,
            Encoding::Circle { .. } => 2,
            Encoding::OneHot { levels } => levels.len(),
        }
    }
}

impl Encoding {
    /// The kind of column that is encoded so.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Encoding::Standardised { .. } => Kind::Real,
            Encoding::Logarithm { .. } => Kind::Positive,
            Encoding::Circle { start, period } => Kind::Circular { start: *start, period: *period },
            Encoding::OneHot { levels } => Kind::Category { levels: levels.clone() },
        }
    }
}

impl GivenColumn {
    /// Fits the encoding of a column of this kind to its values.
    pub(super) fn fit(name: &str, kind: &Kind, cells: &Cells) -> Result<GivenColumn, ModelError> {
        let encoding = match (kind, cells) {
            (Kind::Circular { start, period }, _) => Encoding::Circle { start: *start, period: *period },
            (Kind::Category { levels }, _) => Encoding::OneHot { levels: levels.clone() },
            (Kind::Positive, Cells::Numbers(values)) => {
                let (mean, deviation) = moments(values.iter().map(|value| value.ln()));
                Encoding::Logarithm { mean, deviation }
            }
            (_, Cells::Numbers(values)) => {
                let (mean, deviation) = moments(values.iter().copied());
                Encoding::Standardised { mean, deviation }
            }
            (_, Cells::Text(_)) => {
                let problem =
                    format!("column `{name}` is {kind}: give numbers or categories (--kind {name}=category)");
                return Err(ModelError::Column(problem));
            }
        };
        Ok(GivenColumn { name: name.to_string(), encoding })
    }

    /// Appends the context numbers of a row.
    pub(super) fn encode(
        &self,
        cells: &Cells,
        row: usize,
        line: u64,
        into: &mut Vec<f64>,
    ) -> Result<(), ModelError> {
        let missing =
            || ModelError::Column(format!("line {line}: the given column `{}` is missing", self.name));
        if cells.is_missing(row) {
            return Err(missing());
        }
        let number = || match cells {
            Cells::Numbers(values) => Ok(values[row]),
            Cells::Text(_) => Err(ModelError::Column(format!("line {line}: `{}` is no number", self.name))),
        };
        match &self.encoding {
            Encoding::Standardised { mean, deviation } => into.push((number()? - mean) / deviation),
            Encoding::Logarithm { mean, deviation } => {
                let value = number()?;
                if value <= 0.0 {
                    let problem = format!(
                        "line {line}: `{}` is {value}; it must be above 0, as in every row of the fit",
                        self.name
                    );
                    return Err(ModelError::Column(problem));
                }
                into.push((value.ln() - mean) / deviation);
            }
            Encoding::Circle { start, period } => {
                let angle = TAU * ((number()? - start) / period).rem_euclid(1.0);
                into.extend([angle.cos(), angle.sin()]);
            }
            Encoding::OneHot { levels } => {
                let text = match cells {
                    Cells::Numbers(values) => values[row].to_string(),
                    Cells::Text(texts) => texts[row].clone().unwrap_or_default(),
                };
                let Some(place) = levels.iter().position(|level| *level == text) else {
                    let problem = format!(
                        "line {line}: `{}` is `{text}`, which no row of the fit was; the levels are: {}",
                        self.name,
                        levels.join(", ")
                    );
                    return Err(ModelError::Column(problem));
                };
                into.extend((0..levels.len()).map(|k| if k == place { 1.0 } else { 0.0 }));
            }
        }
        Ok(())
    }
}

pub(super) fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    let deviation = (values.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    (mean, if deviation > 0.0 { deviation } else { 1.0 })
}

/// The modelled values of rows as flows take them, row after row; missing ones are NaN. A column that is not there is
/// missing in each row where that is allowed.
pub(crate) fn values(columns: &[ModelColumn], block: &Block, absent: bool) -> Result<Vec<f64>, ModelError> {
    let cells: Result<Vec<_>, ModelError> = columns
        .iter()
        .map(|column| match block.column(&column.name) {
            Ok(Column { cells: Cells::Numbers(values), .. }) => Ok(Some(values)),
            Ok(_) => Err(ModelError::Column(format!(
                "column `{}` is text; it was numbers in the fit",
                column.name
            ))),
            Err(_) if absent => Ok(None),
            Err(error) => Err(error.into()),
        })
        .collect();
    let cells = cells?;
    let value = |row: usize, i: usize| cells[i].map_or(f64::NAN, |values| columns[i].wrapped(values[row]));
    Ok((0..block.rows())
        .flat_map(|row| (0..columns.len()).map(move |i| (row, i)))
        .map(|(row, i)| value(row, i))
        .collect())
}

/// The context numbers of rows, row after row.
pub(crate) fn contexts(given: &[GivenColumn], block: &Block) -> Result<Vec<f64>, ModelError> {
    let mut contexts = Vec::new();
    let columns: Result<Vec<_>, _> = given.iter().map(|column| block.column(&column.name)).collect();
    let columns = columns?;
    for row in 0..block.rows() {
        for (column, read) in given.iter().zip(&columns) {
            column.encode(&read.cells, row, block.lines()[row], &mut contexts)?;
        }
    }
    Ok(contexts)
}
