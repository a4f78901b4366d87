//! Rows with rounded values at random points of their cells: what a flow is trained on.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::error::ModelError;
use super::model::Model;
use crate::table::{Block, Cells, Column};

impl Model {
    /// Moves each rounded or tied value to a random point of its [cell](crate::model::ModelColumn::cell); other columns are
    /// left as they are.
    ///
    /// Flows are densities of points, and a rounded value is a cell of them: maximum likelihood of rows that are spread anew
    /// in each epoch bounds that of the cells from below (uniform dequantisation: Theis, van den Oord and Bethge, "A note on
    /// the evaluation of generative models", 2016). This is for what trains a model elsewhere, as its JAX module does; a fit
    /// does it itself.
    ///
    /// # Errors
    /// [`ModelError::Table`] for a column that is not there.
    pub fn spread(&self, block: &Block, seed: u64) -> Result<Block, ModelError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut columns = block.columns().to_vec();
        for own in self.columns().iter().filter(|column| column.cell > 0.0) {
            block.column(&own.name)?;
            for Column { name, cells } in &mut columns {
                if let (Cells::Numbers(values), true) = (cells, *name == own.name) {
                    values.iter_mut().for_each(|value| *value = own.in_cell(*value, random.random()));
                }
            }
        }
        Ok(Block::new(columns, block.lines().to_vec())?)
    }
}
