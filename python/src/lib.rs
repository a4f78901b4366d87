//! The Python package `pushforward`: what its Python files call, as one extension module.

mod arrays;
mod arrow;
mod bijection;
mod columns;
mod condition;
mod declared;
mod error;
mod evidence;
mod fit;
mod flow;
mod index;
mod line;
mod model;
mod operand;
mod operation;
mod recording;
mod refusal;
mod variable;
mod without_value;

use pyo3::prelude::*;

/// What the Python files of the package call.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<model::Model>()?;
    module.add_function(wrap_pyfunction!(fit::fit, module)?)?;
    module.add_function(wrap_pyfunction!(arrow::arrow_columns, module)?)?;
    module.add_class::<variable::Variable>()?;
    module.add_class::<condition::Condition>()?;
    module.add_class::<bijection::Bijection>()?;
    module.add_class::<flow::Base>()?;
    module.add_class::<flow::Flow>()?;
    module.add_function(wrap_pyfunction!(condition::select, module)?)?;
    module.add_function(wrap_pyfunction!(operation::operation, module)?)?;
    module.add_function(wrap_pyfunction!(operation::operations, module)?)?;
    module.add_function(wrap_pyfunction!(operation::constant, module)?)?;
    module.add_function(wrap_pyfunction!(operation::parameter, module)?)?;
    module.add_function(wrap_pyfunction!(operation::context, module)?)?;
    module.add_function(wrap_pyfunction!(bijection::next_scope, module)?)?;
    module.add_function(wrap_pyfunction!(evidence::verify, module)?)?;
    module.add_function(wrap_pyfunction!(evidence::audits, module)?)?;
    module.add_function(wrap_pyfunction!(evidence::derivations, module)?)?;
    module.add_function(wrap_pyfunction!(flow::registered, module)?)?;
    module.add_function(wrap_pyfunction!(flow::catalogue, module)?)?;
    Ok(())
}
