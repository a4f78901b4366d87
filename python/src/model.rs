//! Fitted densities of tables.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pushforward::model;

/// A fitted density of the columns of a table.
#[pyclass(module = "pushforward._native", frozen)]
pub struct Model {
    model: model::Model,
}

#[pymethods]
impl Model {
    /// Reads the bytes of a model file.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Model> {
        let model = model::Model::from_bytes(bytes).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Model { model })
    }

    /// The bytes of a model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.model.to_bytes().map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(PyBytes::new(py, &bytes))
    }
}
