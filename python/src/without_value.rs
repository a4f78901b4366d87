//! What asks for the value of a variable, which has none while it is recorded: what to write instead.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// The error of what asks for a number.
pub fn no_value(what: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "{what}: a variable of a bijection has no value while it is recorded. Choose between formulas with \
         pf.select(condition, then, otherwise)"
    ))
}

/// The error of a function of numpy, with the name of ours.
pub fn not_of_numpy(py: Python<'_>, name: &str) -> PyResult<PyErr> {
    let own = match name {
        "log" => "ln",
        "expm1" => "exp_m1",
        "log1p" => "ln_1p",
        "arctan" => "atan",
        "arctan2" => "atan2",
        "arcsinh" => "asinh",
        "logaddexp" => "log_add_exp",
        "minimum" | "amin" | "fmin" => "minimum",
        "maximum" | "amax" | "fmax" => "maximum",
        "absolute" => "abs",
        "where" => "select",
        "concatenate" | "hstack" | "append" => "concat",
        "reciprocal" => "recip",
        same => same,
    };
    let known = py.import("pushforward")?.hasattr(own)?;
    let advice = match known {
        true => format!("write pf.{own}"),
        false => "write it as a formula of the functions of pushforward; a choice is pf.select".to_string(),
    };
    Ok(PyTypeError::new_err(format!(
        "numpy.{name} takes numbers, and a variable of a bijection has none yet: {advice}"
    )))
}
