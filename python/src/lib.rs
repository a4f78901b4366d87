//! The Python package `pushforward`: what its Python files call, as one extension module.

mod arrow;
mod columns;
mod error;
mod fit;
mod model;

use pyo3::prelude::*;

/// What the Python files of the package call.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<model::Model>()?;
    module.add_function(wrap_pyfunction!(fit::fit, module)?)?;
    module.add_function(wrap_pyfunction!(arrow::arrow_columns, module)?)?;
    Ok(())
}
