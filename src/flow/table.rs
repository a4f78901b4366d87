//! Tables of numbers: rows are samples, columns are variables.

use super::error::FlowError;

/// Rows of equal width, with the names of the columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub(super) columns: Vec<String>,
    pub(super) values: Vec<f64>,
}

impl Table {
    /// Makes a table from numbers, row after row.
    ///
    /// # Errors
    /// [`FlowError::Rows`] when they are not whole rows.
    pub fn new(columns: &[&str], values: Vec<f64>) -> Result<Table, FlowError> {
        let width = columns.len();
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(FlowError::Rows { width, given: values.len() });
        }
        Ok(Table { columns: columns.iter().map(|name| name.to_string()).collect(), values })
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
    pub fn moments(&self) -> (Vec<f64>, Vec<f64>) {
        let (rows, width) = (self.rows() as f64, self.width());
        let column = |j: usize| self.values.iter().skip(j).step_by(width);
        let means: Vec<f64> = (0..width).map(|j| column(j).sum::<f64>() / rows).collect();
        let deviations = (0..width)
            .map(|j| (column(j).map(|value| (value - means[j]).powi(2)).sum::<f64>() / rows).sqrt())
            .collect();
        (means, deviations)
    }

    /// Standardises each column: subtracts its mean and divides by its standard deviation; a constant column is only
    /// shifted.
    ///
    /// Within a flow [`Affine::standardising`](crate::layers::Affine::standardising) does the same as its last layer, and
    /// ln p stays in the units of the data.
    pub fn standardised(&self, (means, deviations): &(Vec<f64>, Vec<f64>)) -> Table {
        let width = self.width();
        let scale = |j: usize| if deviations[j] > 0.0 { deviations[j] } else { 1.0 };
        let values = self.values.iter().enumerate();
        let values = values.map(|(e, value)| (value - means[e % width]) / scale(e % width)).collect();
        Table { columns: self.columns.clone(), values }
    }
}
