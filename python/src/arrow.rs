//! Frames of other libraries by the Arrow PyCapsule interface.

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_schema::DataType;
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyList;
use pyo3_arrow::PyTable;

use crate::error::value_error;

/// A column that Python takes to be numbers or texts.
type PyColumn<'py> = (String, Bound<'py, PyAny>);

/// The columns of anything that has `__arrow_c_stream__`: numbers as arrays with NaN for missing values, all else as lists of
/// texts and `None`.
#[pyfunction]
pub fn arrow_columns<'py>(py: Python<'py>, table: PyTable) -> PyResult<Vec<PyColumn<'py>>> {
    let (batches, schema) = table.into_inner();
    let column = |(place, name): (usize, &String)| -> PyResult<PyColumn<'py>> {
        let chunks: Vec<ArrayRef> = batches.iter().map(|batch| batch.column(place).clone()).collect();
        let cells = match is_number(schema.field(place).data_type()) {
            true => numbers(&chunks)?.into_pyarray(py).into_any(),
            false => PyList::new(py, texts(&chunks)?)?.into_any(),
        };
        Ok((name.clone(), cells))
    };
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    names.iter().enumerate().map(column).collect()
}

fn is_number(kind: &DataType) -> bool {
    kind.is_numeric() || matches!(kind, DataType::Null)
}

fn numbers(chunks: &[ArrayRef]) -> PyResult<Vec<f64>> {
    let mut values = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
    for chunk in chunks {
        let chunk = cast(chunk, &DataType::Float64).map_err(value_error)?;
        values.extend(chunk.as_primitive::<Float64Type>().iter().map(|value| value.unwrap_or(f64::NAN)));
    }
    Ok(values)
}

fn texts(chunks: &[ArrayRef]) -> PyResult<Vec<Option<String>>> {
    let mut values = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
    for chunk in chunks {
        let chunk = cast(chunk, &DataType::LargeUtf8).map_err(value_error)?;
        values.extend(chunk.as_string::<i64>().iter().map(|text| text.map(str::to_string)));
    }
    Ok(values)
}
