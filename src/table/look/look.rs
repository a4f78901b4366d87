//! The look itself: each column's kind, and what would spoil a fit.

use std::collections::HashMap;

use rustc_hash::FxHashMap;

use super::collinear::{Relation, relations};
use super::column::{ColumnLook, Treatment};
use super::detect::{self, Detected};
use super::repeats::{Repeats, groups};
use super::summary::Summary;
use super::suspects;
use crate::table::block::{Block, Cells, Column};
use crate::table::error::TableError;
use crate::table::kind::Kind;
use crate::table::kinds::Kinds;
use crate::table::number::shown;

/// A number of larger magnitude has a square that overflows, or a sum of squares that does.
const HUGE: f64 = 1e150;
/// The share of the rows with one value from which a density rises without bound there.
const TIED: f64 = 0.002;
/// The noise that undoes ties, as a part of the column's spread.
const NOISE: f64 = 1e-3;

/// What was found in a table before a fit, and what is done about it.
///
/// Its text has about ten lines; with `{:#}` it has a line for each column, with the reason for its kind.
///
/// ```
/// use pushforward::table::{Block, Cells, Column, Kinds, Look, Treatment};
///
/// let numbers = |step: f64| Cells::Numbers((0..100).map(|k| (f64::from(k) * step).sin()).collect());
/// let column = |name: &str, cells| Column { name: name.to_string(), cells };
/// let constant = column("site", Cells::Numbers(vec![0.1; 100]));
/// let block = Block::new(vec![column("a", numbers(0.7)), column("b", numbers(0.3)), constant], (2..102).collect())?;
/// let look = Look::of(&block, &Kinds::new())?;
/// assert_eq!(look.used(), ["a", "b"]);
/// assert_eq!(look.columns[2].why, "each value is 0.1");
/// # Ok::<(), pushforward::table::TableError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Look {
    /// The number of rows.
    pub rows: usize,
    /// The columns, in the order of the table.
    pub columns: Vec<ColumnLook>,
    /// Columns that follow from others.
    pub relations: Vec<Relation>,
    /// Rows that repeat earlier ones in all columns that are used.
    pub repeats: Repeats,
    /// A number for each row, the same for rows that are equal in all columns that are used, so that a split
    /// into training and test rows can keep copies together. Not part of the serialised look.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub groups: Vec<usize>,
}

impl Look {
    /// Looks at a table; `kinds` are those of the user, the others are found.
    ///
    /// # Errors
    /// [`TableError::Column`] for a kind of a column that the table does not have, [`TableError::Kind`] for a
    /// value that does not fit its column's given kind, [`TableError::Huge`] for a number whose square
    /// overflows.
    pub fn of(block: &Block, kinds: &Kinds) -> Result<Look, TableError> {
        for (name, _) in kinds.iter() {
            block.column(name)?;
        }
        let look = |column: &Column| column_look(block, column, kinds.get(&column.name));
        let mut columns: Vec<ColumnLook> = block.columns().iter().map(look).collect::<Result<_, _>>()?;
        let relations = find_relations(block, &mut columns);
        let used = columns.iter().zip(block.columns()).filter(|(look, _)| look.treatment.is_used());
        let (groups, repeats) = groups(block, &used.map(|(_, column)| column).collect::<Vec<_>>());
        Ok(Look { rows: block.rows(), columns, relations, repeats, groups })
    }

    /// Keeps rows together that have the same label, and what is equal to one of them: [`Look::groups`] become those of
    /// the smallest row of each group.
    ///
    /// # Panics
    /// When there is not one label a row.
    pub fn keep_together<Label: Eq + std::hash::Hash>(&mut self, labels: &[Label]) {
        assert_eq!(labels.len(), self.groups.len(), "one label a row");
        let mut first: FxHashMap<&Label, usize> = FxHashMap::default();
        // Union-find: each row points to an earlier one of its group, or to itself.
        let mut parent: Vec<usize> = self.groups.clone();
        let root = |parent: &mut Vec<usize>, mut row: usize| {
            while parent[row] != row {
                parent[row] = parent[parent[row]];
                row = parent[row];
            }
            row
        };
        for (row, label) in labels.iter().enumerate() {
            let other = *first.entry(label).or_insert(row);
            let (a, b) = (root(&mut parent, row), root(&mut parent, other));
            parent[a.max(b)] = a.min(b);
        }
        self.groups = (0..labels.len()).map(|row| root(&mut parent, row)).collect();
    }

    /// The names of the columns that are part of the density.
    pub fn used(&self) -> Vec<&str> {
        let used = self.columns.iter().filter(|column| column.treatment.is_used());
        used.map(|column| column.name.as_str()).collect()
    }

    /// The look at a column of this name.
    pub fn column(&self, name: &str) -> Option<&ColumnLook> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether there are too few rows to estimate a covariance of the columns that are used.
    pub fn has_too_few_rows(&self) -> bool {
        self.rows <= self.used().len()
    }
}

fn column_look(block: &Block, column: &Column, given: Option<&Kind>) -> Result<ColumnLook, TableError> {
    let missing = (0..block.rows()).filter(|row| column.cells.is_missing(*row)).count();
    let mut look = match &column.cells {
        Cells::Numbers(values) => numbers_look(block, column, values, given)?,
        Cells::Text(texts) => texts_look(block, column, texts, given)?,
    };
    look.missing = missing;
    look.treatment = match look.kind {
        _ if look.noise.is_some() => Treatment::Dequantised,
        Kind::Category { .. } if given.is_some() => Treatment::Levels,
        _ if look.kind.is_number() => Treatment::Fitted,
        _ => Treatment::LeftOut,
    };
    if let (Kind::Category { .. }, None) = (&look.kind, given) {
        let name = &column.name;
        look.hint =
            Some(format!("--kind {name}=category makes it part of the density, --given {name} a context"));
    }
    Ok(look)
}

fn numbers_look(
    block: &Block,
    column: &Column,
    values: &[f64],
    given: Option<&Kind>,
) -> Result<ColumnLook, TableError> {
    if let Some(row) = values.iter().position(|value| value.abs() > HUGE) {
        let (line, column) = (block.lines()[row], column.name.clone());
        return Err(TableError::Huge { line, column, value: values[row] });
    }
    let summary = Summary::of(values);
    let found = match given {
        None => detect::of_numbers(&column.name, values, block.lines(), &summary),
        Some(kind) => given_kind(match kind {
            Kind::Category { .. } => {
                let levels = summary.runs.iter().map(|(value, _)| shown(*value));
                Kind::Category { levels: levels.collect() }
            }
            kind => kind.clone(),
        }),
    };
    let refused = values.iter().enumerate().find_map(|(row, value)| Some((row, found.kind.refuses(*value)?)));
    if let Some((row, allowed)) = refused {
        let (kind, cell) = (found.kind.to_string(), shown(values[row]));
        let (line, column) = (block.lines()[row], column.name.clone());
        return Err(TableError::Kind { line, column, cell, kind, allowed });
    }
    let suspects = match found.kind.is_number() {
        true => suspects::of(&found.kind, values, &summary, block.lines()),
        false => Vec::new(),
    };
    let (value, rows) = summary.most_common();
    let tied = found.kind.is_number() && is_tied(&found.kind, &summary, rows);
    let most_common = (rows > 0).then(|| (shown(value), rows));
    let noise = match found.kind {
        Kind::Rounded { step, .. } => Some(step),
        _ => tied.then(|| NOISE * summary.spread()),
    };
    Ok(ColumnLook { suspects, tied, noise, ..start(column, found, summary.runs.len(), most_common) })
}

/// Whether so many rows have one value that it stands out of the density. In a rounded column all values
/// repeat, so that it must stand out of the next.
fn is_tied(kind: &Kind, summary: &Summary, most: usize) -> bool {
    let mut counts: Vec<usize> = summary.runs.iter().map(|(_, rows)| *rows).collect();
    counts.sort_unstable();
    let others = match kind {
        Kind::Rounded { .. } => counts.iter().rev().nth(1),
        _ => counts.get((counts.len().max(1) - 1) / 2),
    };
    // In a short column a few rows are a share, by chance.
    let share = if most < 20 { 5.0 * TIED } else { TIED };
    let stands_out = counts.len() > 1 && others.is_some_and(|others| most >= 5 * others);
    most >= 5 && stands_out && most as f64 >= share * summary.rows as f64
}

fn texts_look(
    block: &Block,
    column: &Column,
    texts: &[Option<String>],
    given: Option<&Kind>,
) -> Result<ColumnLook, TableError> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for text in texts.iter().flatten() {
        *counts.entry(text).or_insert(0) += 1;
    }
    let found = match given {
        None => detect::of_texts(texts, &counts),
        Some(Kind::Category { .. }) => given_kind(Kind::Category { levels: detect::levels(&counts) }),
        Some(kind) if kind.is_number() => {
            let row = texts.iter().position(Option::is_some).unwrap_or(0);
            return Err(TableError::Kind {
                line: block.lines().get(row).copied().unwrap_or(0),
                column: column.name.clone(),
                cell: texts.get(row).cloned().flatten().unwrap_or_default(),
                kind: kind.to_string(),
                allowed: "this kind has numbers, and the column is text",
            });
        }
        Some(kind) => given_kind(kind.clone()),
    };
    let most_common = counts.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
    let most_common = most_common.map(|(text, rows)| (text.to_string(), *rows));
    Ok(start(column, found, counts.len(), most_common))
}

fn given_kind(kind: Kind) -> Detected {
    Detected { kind, why: "given".to_string(), hint: None }
}

fn start(
    column: &Column,
    found: Detected,
    distinct: usize,
    most_common: Option<(String, usize)>,
) -> ColumnLook {
    ColumnLook {
        name: column.name.clone(),
        kind: found.kind,
        why: found.why,
        hint: found.hint,
        treatment: Treatment::LeftOut,
        missing: 0,
        distinct,
        most_common,
        tied: false,
        noise: None,
        suspects: Vec::new(),
    }
}

/// Finds columns that follow from others, also by the logarithms of positive ones, and marks them.
fn find_relations(block: &Block, columns: &mut [ColumnLook]) -> Vec<Relation> {
    let mut found = Vec::new();
    for logarithms in [false, true] {
        let looked_at =
            columns.iter().zip(block.columns()).filter_map(|(look, column)| match &column.cells {
                Cells::Numbers(values)
                    if logarithms && look.kind == Kind::Positive && look.treatment.is_used() =>
                {
                    Some((column.name.as_str(), values.iter().map(|value| value.ln()).collect()))
                }
                Cells::Numbers(values) if !logarithms && look.kind.is_number() => {
                    Some((column.name.as_str(), values.clone()))
                }
                _ => None,
            });
        let looked_at: Vec<(&str, Vec<f64>)> = looked_at.collect();
        let relations = relations(&looked_at, logarithms);
        for relation in &relations {
            if let Some(look) = columns.iter_mut().find(|look| look.name == relation.column) {
                look.treatment = Treatment::Dependent;
            }
        }
        found.extend(relations);
    }
    found
}
