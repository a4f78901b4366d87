//! Columns of Python as rows of the library, and back.

use numpy::{IntoPyArray, PyReadonlyArray1};
use pushforward::table::{Block, Cells, Column};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::error::table_error;
use crate::line::FIRST_LINE;

/// The cells of a column: numbers, NaN where one is missing, or texts and `None`.
#[derive(FromPyObject)]
pub enum PyCells<'py> {
    Numbers(PyReadonlyArray1<'py, f64>),
    Text(Vec<Option<String>>),
}

/// Named columns of one length.
pub type PyColumns<'py> = Vec<(String, PyCells<'py>)>;

/// The number of rows.
pub fn rows(columns: &PyColumns<'_>) -> usize {
    columns.first().map_or(0, |(_, cells)| match cells {
        PyCells::Numbers(array) => array.as_array().len(),
        PyCells::Text(texts) => texts.len(),
    })
}

/// Copies some rows, from `start` on.
pub fn block(columns: &PyColumns<'_>, start: usize, count: usize) -> PyResult<Block> {
    let end = start + count;
    let column = |(name, cells): &(String, PyCells<'_>)| {
        let cells = match cells {
            PyCells::Numbers(array) => {
                let array = array.as_array();
                let own = start.min(array.len())..end.min(array.len());
                match array.as_slice() {
                    Some(values) => Cells::Numbers(values[own].to_vec()),
                    None => Cells::Numbers(own.map(|row| array[row]).collect()),
                }
            }
            PyCells::Text(texts) => Cells::Text(texts[start.min(texts.len())..end.min(texts.len())].to_vec()),
        };
        Column { name: name.clone(), cells }
    };
    let lines = (FIRST_LINE + start as u64..).take(count);
    Block::new(columns.iter().map(column).collect(), lines.collect()).map_err(table_error)
}

/// Columns of a block, by name: arrays and lists.
pub fn to_python<'py>(py: Python<'py>, block: Block) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    let cells = |cells: &Cells| -> PyResult<Bound<'py, PyAny>> {
        Ok(match cells {
            Cells::Numbers(values) => values.clone().into_pyarray(py).into_any(),
            Cells::Text(texts) => PyList::new(py, texts)?.into_any(),
        })
    };
    block.columns().iter().map(|column| Ok((column.name.clone(), cells(&column.cells)?))).collect()
}
