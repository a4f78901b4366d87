//! Operands of operations: variables, and numbers that become constants.

use pushforward::tape::{NodeId, Shape, Tape, Var};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::condition::Condition;
use crate::recording::Recording;
use crate::variable::Variable;

/// An operand: a variable, or numbers that become a constant.
pub enum Operand {
    Node(Recording, NodeId),
    Numbers(Shape, Vec<f64>),
}

impl Operand {
    /// Reads an operand; `None` for what is no number, as a text.
    pub fn read(given: &Bound<'_, PyAny>) -> PyResult<Option<Operand>> {
        if let Ok(variable) = given.cast::<Variable>() {
            let variable = variable.get();
            return Ok(Some(Operand::Node(variable.recording().clone(), variable.id())));
        }
        if given.cast::<Condition>().is_ok() {
            return Err(PyTypeError::new_err(
                "a condition is no number: pf.select(condition, 1.0, 0.0) makes one of it",
            ));
        }
        if given.hasattr("__array__")?
            || given.is_instance_of::<PyList>()
            || given.is_instance_of::<PyTuple>()
        {
            let numpy = given.py().import("numpy")?;
            let options = PyDict::new(given.py());
            options.set_item("dtype", "float64")?;
            let array = numpy.call_method("asarray", (given,), Some(&options))?;
            let extents: Vec<usize> = array.getattr("shape")?.extract()?;
            let shape = shape(&extents)?;
            let numbers = array.call_method0("ravel")?.call_method0("tolist")?.extract()?;
            return Ok(Some(Operand::Numbers(shape, numbers)));
        }
        if given.is_instance_of::<PyString>() {
            return Ok(None);
        }
        Ok(given.extract::<f64>().ok().map(|number| Operand::Numbers(Shape::Scalar, vec![number])))
    }

    /// As a node of a tape.
    pub fn on<'t>(&self, tape: &'t Tape) -> Var<'t> {
        match self {
            Operand::Node(_, id) => tape.var(*id),
            Operand::Numbers(Shape::Scalar, numbers) => tape.constant(numbers[0]),
            Operand::Numbers(Shape::Vector(_), numbers) => tape.vector(numbers),
            Operand::Numbers(Shape::Matrix(rows, columns), numbers) => tape.matrix(*rows, *columns, numbers),
        }
    }
}

/// A shape from Python: () or None, n or (n,), (rows, columns).
pub fn shape(extents: &[usize]) -> PyResult<Shape> {
    let elements = extents.iter().try_fold(1usize, |count, extent| count.checked_mul(*extent));
    if elements.is_none_or(|count| count > 1 << 31) {
        return Err(PyValueError::new_err(format!("{extents:?} would be more than 2³¹ elements")));
    }
    match *extents {
        [] => Ok(Shape::Scalar),
        [n] => Ok(Shape::Vector(n)),
        [rows, columns] => Ok(Shape::Matrix(rows, columns)),
        _ => Err(PyValueError::new_err(format!(
            "variables are scalars, vectors and matrices, and have no {} axes",
            extents.len()
        ))),
    }
}

/// The extents of a shape, as Python has them.
pub fn extents(shape: Shape) -> Vec<usize> {
    match shape {
        Shape::Scalar => vec![],
        Shape::Vector(n) => vec![n],
        Shape::Matrix(rows, columns) => vec![rows, columns],
    }
}

/// The recording of the operands, which have to be of one.
pub fn common<'o>(operands: impl IntoIterator<Item = &'o Operand>, what: &str) -> PyResult<Recording> {
    let mut found: Option<Recording> = None;
    for operand in operands {
        let Operand::Node(recording, _) = operand else { continue };
        if found.as_ref().is_some_and(|known| !known.is(recording)) {
            return Err(PyValueError::new_err(format!(
                "{what}: the operands are variables of two bijections; a variable is used in the call that it was made in"
            )));
        }
        found.get_or_insert_with(|| recording.clone());
    }
    found.map_or_else(|| Recording::current(what), Ok)
}
