//! Indices of elements, as numpy has them: whole numbers, slices, lists and masks.

use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PySlice;

use crate::condition::Condition;
use crate::variable::Variable;

/// The positions that an index chooses of an axis, and whether the axis stays.
pub fn chosen(index: &Bound<'_, PyAny>, length: usize) -> PyResult<(Vec<usize>, bool)> {
    if let Ok(slice) = index.cast::<PySlice>() {
        let found = slice.indices(isize::try_from(length)?)?;
        let positions = (0..found.slicelength as isize).map(|k| (found.start + k * found.step) as usize);
        return Ok((positions.collect(), true));
    }
    let within = |position: isize| {
        let own = if position < 0 { position + length as isize } else { position };
        match usize::try_from(own) {
            Ok(own) if own < length => Ok(own),
            _ => Err(PyIndexError::new_err(format!("there is no element {position} among {length}"))),
        }
    };
    if index.is_instance_of::<Variable>() || index.is_instance_of::<Condition>() {
        return Err(PyTypeError::new_err(
            "an index that depends on the variables is no formula: choose between elements with pf.select",
        ));
    }
    let is_list = index.hasattr("__len__")?;
    if !is_list {
        let position = index.extract::<isize>().map_err(|_| {
            PyTypeError::new_err(
                "elements are chosen by whole numbers, slices, lists of whole numbers and masks",
            )
        })?;
        return Ok((vec![within(position)?], false));
    }
    if let Ok(mask) = index.extract::<Vec<bool>>() {
        if mask.len() != length {
            return Err(PyIndexError::new_err(format!("a mask of {} for {length} elements", mask.len())));
        }
        return Ok(((0..length).filter(|k| mask[*k]).collect(), true));
    }
    let positions: Vec<isize> = index.extract()?;
    Ok((positions.into_iter().map(within).collect::<PyResult<_>>()?, true))
}
