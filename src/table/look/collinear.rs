//! Columns that follow from others: copies, sums, and other linear relations.
//!
//! A density of a column that others determine has no bound: the rows lie on a plane. The columns are
//! standardised and reduced to the triangular factor R of their QR factorisation, some rows at a time. Then
//! each column, in the order of the file, is projected on those before it that are independent; what is left
//! of it is its distance from them, in its own standard deviations.
//!
//! A distance counts as 0 up to [`RANK`], 10⁻⁷: a sum that was stored as f32, or printed with seven digits,
//! differs by that much from the exact one, and a density that follows such a difference gains 16 nats a row
//! from nothing but rounding. Where numbers are large against their spread, as times are, their own rounding
//! in f64 counts, too. Independent columns are kept with a distance above 10⁻⁷, and Householder reflections
//! are exact for a matrix that differs by a few ε, so that the distance of a dependent column is computed as
//! at most 10⁷·ε ≈ 10⁻⁹.

use std::fmt;

use crate::table::number::{rounded, shown};
use crate::table::table::moments;

/// The distance from others, in its own standard deviations, up to which a column depends on them.
const RANK: f64 = 1e-7;
/// Rows that are reduced at a time.
const ROWS: usize = 512;
/// Coefficients of standardised columns below this are rounding.
const NEGLIGIBLE: f64 = 1e-6;

/// A column as a linear function of others.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Relation {
    /// The column that follows from the others.
    pub column: String,
    /// The other columns with their coefficients.
    pub terms: Vec<(String, f64)>,
    /// What is added.
    pub constant: f64,
    /// Whether the coefficients are numbers of few digits, else they are rounded.
    pub exact: bool,
    /// Whether it holds between the logarithms of the columns.
    pub logarithms: bool,
}

/// Finds the columns that follow from columns before them. Rows with missing cells do not count; with hardly
/// more rows than columns nothing can be said, and nothing is.
pub(super) fn relations(columns: &[(&str, Vec<f64>)], logarithms: bool) -> Vec<Relation> {
    let length = columns.first().map_or(0, |(_, values)| values.len());
    let complete: Vec<usize> =
        (0..length).filter(|row| columns.iter().all(|(_, values)| !values[*row].is_nan())).collect();
    if complete.len() <= columns.len() + 1 {
        return Vec::new();
    }
    let statistics = |(name, values): &(&str, Vec<f64>)| {
        let kept = complete.iter().map(|row| values[*row]);
        let (mean, deviation) = moments(kept.clone());
        let size = kept.fold(0.0, |size: f64, value| size.max(value.abs()));
        Standard { name: name.to_string(), mean, deviation, rounding: f64::EPSILON * size / deviation }
    };
    let all: Vec<Standard> = columns.iter().map(statistics).collect();
    let varying: Vec<usize> = (0..columns.len()).filter(|j| all[*j].deviation > 0.0).collect();
    let standard: Vec<&Standard> = varying.iter().map(|j| &all[*j]).collect();
    let mut reduced = vec![Vec::new(); varying.len()];
    for rows in complete.chunks(ROWS) {
        for ((j, column), reduced) in varying.iter().zip(&standard).zip(&mut reduced) {
            let values = &columns[*j].1;
            reduced.extend(rows.iter().map(|row| (values[*row] - column.mean) / column.deviation));
        }
        reduce(&mut reduced);
    }
    let scale = (complete.len() as f64).sqrt();
    reduced.iter_mut().flatten().for_each(|value| *value /= scale);
    dependent(reduced, &standard).into_iter().map(|found| found.relation(&standard, logarithms)).collect()
}

/// A column's mean, deviation, and the rounding of its numbers in its deviations.
struct Standard {
    name: String,
    mean: f64,
    deviation: f64,
    rounding: f64,
}

/// A column that follows from others, with coefficients of standardised columns.
struct Dependence {
    column: usize,
    terms: Vec<(usize, f64)>,
}

/// Replaces columns by the upper triangle R of their QR factorisation, by Householder reflections.
fn reduce(columns: &mut [Vec<f64>]) {
    let rows = columns.first().map_or(0, Vec::len);
    let rank = columns.len().min(rows);
    for k in 0..rank {
        let (before, after) = columns.split_at_mut(k + 1);
        reflect(&mut before[k], after, k);
    }
    columns.iter_mut().for_each(|column| column.truncate(rank));
}

/// Reflects columns so that one of them is 0 below a row.
fn reflect(column: &mut [f64], others: &mut [Vec<f64>], row: usize) {
    let direction = &mut column[row..];
    let norm = norm(direction);
    if norm == 0.0 {
        return;
    }
    let end = if direction[0] > 0.0 { -norm } else { norm };
    direction[0] -= end;
    let square: f64 = direction.iter().map(|value| value * value).sum();
    for other in others {
        let other = &mut other[row..];
        let product: f64 = direction.iter().zip(other.iter()).map(|(a, b)| a * b).sum();
        let factor = 2.0 * product / square;
        other.iter_mut().zip(direction.iter()).for_each(|(value, part)| *value -= factor * part);
    }
    direction.fill(0.0);
    direction[0] = end;
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Finds the columns that are linear functions of columns before them.
fn dependent(mut columns: Vec<Vec<f64>>, standard: &[&Standard]) -> Vec<Dependence> {
    let (mut kept, mut found): (Vec<usize>, Vec<Dependence>) = (Vec::new(), Vec::new());
    for j in 0..columns.len() {
        let rank = kept.len();
        let distance = norm(&columns[j][rank.min(columns[j].len())..]);
        if distance < 1e-3 {
            let coefficients = solve(&columns, &kept, &columns[j]);
            let rounding: f64 =
                kept.iter().zip(&coefficients).map(|(k, c)| c.abs() * standard[*k].rounding).sum();
            if distance <= RANK.max(8.0 * (rounding + standard[j].rounding)) {
                let terms = kept.iter().copied().zip(coefficients).filter(|(_, c)| c.abs() > NEGLIGIBLE);
                found.push(Dependence { column: j, terms: terms.collect() });
                continue;
            }
        }
        let (before, after) = columns.split_at_mut(j + 1);
        reflect(&mut before[j], after, rank);
        kept.push(j);
    }
    found
}

/// Solves the triangular system of the columns that are kept.
fn solve(columns: &[Vec<f64>], kept: &[usize], right: &[f64]) -> Vec<f64> {
    let mut solution = right[..kept.len()].to_vec();
    for k in (0..kept.len()).rev() {
        let column = &columns[kept[k]];
        solution[k] /= column[k];
        let value = solution[k];
        solution[..k].iter_mut().zip(column).for_each(|(left, entry)| *left -= value * entry);
    }
    solution
}

impl Dependence {
    /// The relation in the units of the file.
    fn relation(self, standard: &[&Standard], logarithms: bool) -> Relation {
        let own = standard[self.column];
        let mut exact = true;
        let mut short = |value: f64| {
            let near = (1..=5).map(|digits| rounded(value, digits));
            near.into_iter().find(|near| (near - value).abs() <= RANK * value.abs()).unwrap_or_else(|| {
                exact = false;
                rounded(value, 4)
            })
        };
        let raw = self.terms.iter().map(|(k, c)| (standard[*k], c * own.deviation / standard[*k].deviation));
        let raw: Vec<(&Standard, f64)> = raw.collect();
        let constant = own.mean - raw.iter().map(|(column, factor)| factor * column.mean).sum::<f64>();
        let sizes =
            own.mean.abs() + raw.iter().map(|(column, factor)| (factor * column.mean).abs()).sum::<f64>();
        let constant = match constant.abs() <= NEGLIGIBLE * (own.deviation + sizes) {
            true => 0.0,
            false => short(constant),
        };
        let terms = raw.iter().map(|(column, factor)| (column.name.clone(), short(*factor))).collect();
        Relation { column: own.name.clone(), terms, constant, exact, logarithms }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &str| if self.logarithms { format!("ln {name}") } else { name.to_string() };
        write!(f, "{} {}", name(&self.column), if self.exact { "=" } else { "≈" })?;
        let mut first = true;
        let mut add = |f: &mut fmt::Formatter<'_>, negative: bool, text: String| {
            let sign = match (std::mem::take(&mut first), negative) {
                (true, false) => " ",
                (true, true) => " -",
                (false, false) => " + ",
                (false, true) => " - ",
            };
            write!(f, "{sign}{text}")
        };
        for (column, factor) in &self.terms {
            let text = match factor.abs() {
                1.0 => name(column),
                size => format!("{}·{}", shown(size), name(column)),
            };
            add(f, *factor < 0.0, text)?;
        }
        if self.constant != 0.0 {
            add(f, self.constant < 0.0, shown(self.constant.abs()))?;
        }
        Ok(())
    }
}
