//! What was read: the columns of the model as the table has them, and what was left out.

use std::collections::HashSet;

use crate::model::{Encoding, Model, ModelError};
use crate::table::{Block, Cells, Dropped, Kind, Missing};

/// What was read of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadTable {
    /// The number of rows with all values that the model needs.
    pub rows: usize,
    /// The rows with missing values, which are left out.
    pub dropped: Dropped,
    /// The columns that the model needs.
    pub columns: Vec<ReadColumn>,
}

/// A column of the model as the table has it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadColumn {
    /// Its name.
    pub name: String,
    /// Its kind in the model.
    pub kind: String,
    /// How the model uses it.
    pub used: String,
    /// The number of missing values.
    pub missing: usize,
    /// The number of different values.
    pub distinct: usize,
    /// The least, the median and the largest value, of numbers.
    pub range: Option<[f64; 3]>,
}

impl ReadTable {
    /// Leaves out rows with missing values, and describes the others.
    pub(super) fn of(model: &Model, block: &Block) -> Result<(ReadTable, Block), ModelError> {
        let block = block.select(&model.needs())?;
        if block.rows() == 0 {
            return Err(ModelError::Column("it has no rows".to_string()));
        }
        let (complete, dropped) = Missing::Drop.apply(&block)?;
        let modelled = model.columns().iter().map(|column| {
            let used = match column.kind {
                Kind::Rounded { .. } => "modelled, before rounding",
                _ if column.cell > 0.0 => "modelled, equal values spread",
                _ => "modelled",
            };
            (column.name.as_str(), column.kind.to_string(), used.to_string())
        });
        let categories = model.categories().into_iter().flat_map(|categories| &categories.columns);
        let categories = categories.map(|column| {
            let kind = format!("category: {}", column.levels.join(", "));
            (column.name.as_str(), kind, "modelled, a probability for each level".to_string())
        });
        let given = model.given().iter().map(|column| {
            let kind = match &column.encoding {
                Encoding::Standardised { .. } => "real".to_string(),
                Encoding::Logarithm { .. } => "positive".to_string(),
                Encoding::Circle { start, period } => {
                    Kind::Circular { start: *start, period: *period }.to_string()
                }
                Encoding::OneHot { levels } => format!("category: {}", levels.join(", ")),
            };
            (column.name.as_str(), kind, "given".to_string())
        });
        let columns: Result<Vec<ReadColumn>, ModelError> = modelled
            .chain(categories)
            .chain(given)
            .map(|(name, kind, used)| {
                let cells = &block.column(name)?.cells;
                let missing = (0..cells.len()).filter(|row| cells.is_missing(*row)).count();
                let (distinct, range) = match cells {
                    Cells::Numbers(values) => of_numbers(values),
                    Cells::Text(texts) => (texts.iter().flatten().collect::<HashSet<_>>().len(), None),
                };
                Ok(ReadColumn { name: name.to_string(), kind, used, missing, distinct, range })
            })
            .collect();
        Ok((ReadTable { rows: complete.rows(), dropped, columns: columns? }, complete))
    }
}

/// The number of different values, and the least, the median and the largest one.
fn of_numbers(values: &[f64]) -> (usize, Option<[f64; 3]>) {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let range = sorted.first().zip(sorted.last()).map(|(low, high)| [*low, sorted[sorted.len() / 2], *high]);
    sorted.dedup();
    (sorted.len(), range)
}
