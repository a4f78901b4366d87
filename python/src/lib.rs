//! The Python package `pushforward`: what its Python files call, as one extension module.

mod model;

use pyo3::prelude::*;

/// What the Python files of the package call.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<model::Model>()?;
    Ok(())
}
