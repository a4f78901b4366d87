//! Points and parameters as arrays of numpy.

use numpy::{PyArray1, PyArrayMethods, PyReadonlyArrayDyn};
use pushforward::tape::{Parameters, Shape};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::operand::{extents, shape};
use crate::refusal::refused;

/// Rows of numbers from Python: contiguous doubles, two axes.
pub type Rows<'py> = numpy::PyReadonlyArray2<'py, f64>;

/// Rows as an array; without a width, as numbers.
pub fn array<'py>(py: Python<'py>, values: Vec<f64>, width: Option<usize>) -> PyResult<Bound<'py, PyAny>> {
    let flat = PyArray1::from_vec(py, values);
    match width {
        None => Ok(flat.into_any()),
        Some(width) => {
            let rows = flat.len()? / width.max(1);
            Ok(flat.reshape([rows, width])?.into_any())
        }
    }
}

/// The numbers of an array; it has to be contiguous.
pub fn numbers<'a>(rows: &'a Rows<'_>) -> PyResult<&'a [f64]> {
    rows.as_slice().map_err(refused)
}

/// Values of parameters as a dict of arrays.
pub fn to_dict<'py>(py: Python<'py>, parameters: &Parameters) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, tensor) in parameters.iter() {
        let flat = PyArray1::from_slice(py, &tensor.values);
        dict.set_item(name, flat.reshape(extents(tensor.shape))?)?;
    }
    Ok(dict)
}

/// Puts the arrays of a dict in the place of parameters. A name that is not known is refused, and so is another shape.
pub fn replaced(parameters: &Parameters, given: &Bound<'_, PyDict>) -> PyResult<Parameters> {
    let mut replaced = parameters.clone();
    for (name, values) in given {
        let name: String = name.extract()?;
        let values: PyReadonlyArrayDyn<'_, f64> = numpy_array(&values)?.extract()?;
        let Some(known) = parameters.get(&name) else {
            let names: Vec<&str> = parameters.iter().map(|(name, _)| name).collect();
            let nearest = pushforward::table::nearest(&name, names.iter().copied());
            let nearest = nearest.map_or(String::new(), |nearest| format!(" (did you mean `{nearest}`?)"));
            return Err(refused(format!(
                "there is no parameter `{name}`{nearest}; there are: {}",
                if names.is_empty() { "none".to_string() } else { names.join(", ") }
            )));
        };
        let given: Shape = shape(numpy::PyUntypedArrayMethods::shape(&*values))?;
        if given != known.shape {
            return Err(refused(format!("the parameter `{name}` is {}, and {given} was given", known.shape)));
        }
        let values = values.as_slice().map_err(refused)?;
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(refused(format!("the parameter `{name}` holds {value}")));
        }
        replaced.set(&name, known.shape, values.to_vec()).map_err(refused)?;
    }
    Ok(replaced)
}

fn numpy_array<'py>(values: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let options = PyDict::new(values.py());
    options.set_item("dtype", "float64")?;
    options.set_item("order", "C")?;
    values.py().import("numpy")?.call_method("asarray", (values,), Some(&options))
}
