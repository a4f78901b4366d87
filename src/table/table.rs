//! Tables of numbers: rows are samples, columns are variables.

use super::error::TableError;

/// Rows of equal width, with the names of the columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    columns: Vec<String>,
    values: Vec<f64>,
}

impl Table {
    /// Makes a table from numbers, row after row.
    ///
    /// # Errors
    /// [`TableError::Rows`] when they are not whole rows.
    pub fn new<Name: AsRef<str>>(columns: &[Name], values: Vec<f64>) -> Result<Table, TableError> {
        let width = columns.len();
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(TableError::Rows { width, given: values.len() });
        }
        Ok(Table { columns: columns.iter().map(|name| name.as_ref().to_string()).collect(), values })
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.width()
    }

    /// All numbers, row after row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.width()..(row + 1) * self.width()]
    }

    /// Returns the rows for which `keep` returns true, given their index.
    pub fn filter(&self, keep: impl Fn(usize) -> bool) -> Table {
        let values =
            (0..self.rows()).filter(|row| keep(*row)).flat_map(|row| self.row(row).to_vec()).collect();
        Table { columns: self.columns.clone(), values }
    }

    /// Returns mean and (population) standard deviation of each column.
    ///
    /// A column of equal numbers has that number as its mean and exactly 0 as its deviation: the sum of forty
    /// times 0.1 is rounded, and what is left of it would pass for a spread.
    pub fn moments(&self) -> (Vec<f64>, Vec<f64>) {
        (0..self.width()).map(|j| moments(self.values.iter().skip(j).step_by(self.width()).copied())).unzip()
    }

    /// Standardises each column: subtracts its mean and divides by its standard deviation; a constant column
    /// is only shifted.
    ///
    /// Within a flow [`Affine::standardising`](crate::layers::Affine::standardising) does the same as its
    /// last layer, and ln p stays in the units of the data.
    pub fn standardised(&self, (means, deviations): &(Vec<f64>, Vec<f64>)) -> Table {
        let width = self.width();
        let scale = |j: usize| if deviations[j] > 0.0 { deviations[j] } else { 1.0 };
        let values = self.values.iter().enumerate();
        let values = values.map(|(e, value)| (value - means[e % width]) / scale(e % width)).collect();
        Table { columns: self.columns.clone(), values }
    }
}

/// Mean and standard deviation of some numbers.
pub(super) fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    if let Some(first) = values.clone().next()
        && values.clone().all(|value| value == first)
    {
        return (first, 0.0);
    }
    let rows = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / rows;
    let largest = values.clone().map(|value| (value - mean).abs()).fold(0.0, f64::max);
    // Squares that would overflow or vanish are taken of scaled numbers.
    let scale = if largest > 0.0 && !(1e-140..1e150).contains(&largest) { largest } else { 1.0 };
    let square = |value: f64| ((value - mean) / scale).powi(2);
    (mean, scale * (values.map(square).sum::<f64>() / rows).sqrt())
}
