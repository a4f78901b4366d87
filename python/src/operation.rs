//! The operations by their names: what the functions of the package record.

use pushforward::tape::{Init, NodeId, Shape, Tape, Unary, Var, concat};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::operand::{Operand, common, shape};
use crate::recording::Recording;
use crate::variable::Variable;

/// What an operation is told beside its operands.
#[derive(Default)]
pub struct Given {
    pub number: Option<i64>,
    pub positions: Vec<usize>,
    pub shape: Option<Shape>,
}

/// The operations that are no function of one number, with how many operands each has; `None` for any number.
const OTHERS: &[(&str, Option<usize>)] = &[
    ("add", Some(2)),
    ("sub", Some(2)),
    ("mul", Some(2)),
    ("div", Some(2)),
    ("pow", Some(2)),
    ("log_add_exp", Some(2)),
    ("min", Some(2)),
    ("max", Some(2)),
    ("atan", Some(1)),
    ("atan2", Some(2)),
    ("product", Some(2)),
    ("dot", Some(2)),
    ("outer", Some(2)),
    ("sum", Some(1)),
    ("norm", Some(1)),
    ("max_element", Some(1)),
    ("log_sum_exp", Some(1)),
    ("softmax", Some(1)),
    ("log_softmax", Some(1)),
    ("cumsum", Some(1)),
    ("broadcast", Some(1)),
    ("reshape", Some(1)),
    ("gather", Some(1)),
    ("scatter", Some(1)),
    ("transpose", Some(1)),
    ("diagonal", Some(1)),
    ("diagonal_matrix", Some(1)),
    ("inverse", Some(1)),
    ("log_abs_det", Some(1)),
    ("matrix_exp", Some(1)),
    ("stack", None),
    ("concat", None),
];

/// The names of all operations, functions of one number first.
#[pyfunction]
pub fn operations() -> Vec<&'static str> {
    Unary::ALL.iter().map(|function| function.name()).chain(OTHERS.iter().map(|(name, _)| *name)).collect()
}

/// Records an operation.
pub fn record(py: Python<'_>, name: &str, operands: Vec<Operand>, given: Given) -> PyResult<Variable> {
    let function = Unary::named(name, given.number);
    let arity = match (function, OTHERS.iter().find(|(own, _)| *own == name)) {
        (Some(_), _) => Some(1),
        (None, Some((_, arity))) => *arity,
        (None, None) => return Err(PyValueError::new_err(format!("there is no operation `{name}`"))),
    };
    if arity.is_some_and(|arity| arity != operands.len()) || operands.is_empty() {
        return Err(PyValueError::new_err(format!("{name}: {} operands were given", operands.len())));
    }
    let recording = common(&operands, name)?;
    let id = recording.push(py, |tape| {
        let operands: Vec<Var<'_>> = operands.iter().map(|operand| operand.on(tape)).collect();
        match function {
            Some(function) => operands[0].apply(function).id(),
            None => recorded(name, &operands, &given),
        }
    })?;
    Ok(Variable::new(recording, id))
}

fn recorded(name: &str, operands: &[Var<'_>], given: &Given) -> NodeId {
    let a = operands[0];
    let b = operands.get(1).copied().unwrap_or(a);
    let shape = given.shape.unwrap_or(Shape::Scalar);
    let result = match name {
        "add" => a + b,
        "sub" => a - b,
        "mul" => a * b,
        "div" => a / b,
        "pow" => a.pow(b),
        "log_add_exp" => a.log_add_exp(b),
        "min" => a.min(b),
        "max" => a.max(b),
        "atan" => a.atan(),
        "atan2" => a.atan2(b),
        "dot" => a.dot(b),
        "outer" => a.outer(b),
        "sum" => a.sum(),
        "norm" => a.norm(),
        "max_element" => a.max_element(),
        "log_sum_exp" => a.log_sum_exp(),
        "softmax" => a.softmax(),
        "log_softmax" => a.log_softmax(),
        "cumsum" => a.cumsum(),
        "broadcast" => a.broadcast(shape),
        "reshape" => a.reshape(shape),
        "gather" => a.gather(&given.positions),
        "scatter" => a.scatter(&given.positions, shape),
        "transpose" => a.transpose(),
        "diagonal" => a.diagonal(),
        "diagonal_matrix" => a.diagonal_matrix(),
        "inverse" => a.inverse(),
        "log_abs_det" => a.log_abs_det(),
        "matrix_exp" => a.matrix_exp(),
        "stack" | "concat" => concat(operands.iter().copied()),
        // The operator @.
        _ => match (a.shape(), b.shape()) {
            (Shape::Matrix(..), Shape::Matrix(..)) => a.matmul(b),
            (Shape::Vector(_), Shape::Matrix(..)) => b.transpose().matvec(a),
            (Shape::Vector(_), _) => a.dot(b),
            _ => a.matvec(b),
        },
    };
    result.id()
}

fn operand(given: &Bound<'_, PyAny>, name: &str) -> PyResult<Operand> {
    let kind = given.get_type().name()?;
    Operand::read(given)?
        .ok_or_else(|| PyTypeError::new_err(format!("{name}: {kind} is neither a variable nor a number")))
}

/// Records an operation by its name.
#[pyfunction]
#[pyo3(signature = (name, operands, *, number=None, positions=None, extents=None))]
pub fn operation(
    py: Python<'_>,
    name: &str,
    operands: Vec<Bound<'_, PyAny>>,
    number: Option<i64>,
    positions: Option<Vec<usize>>,
    extents: Option<Vec<usize>>,
) -> PyResult<Variable> {
    let operands = operands.iter().map(|given| operand(given, name)).collect::<PyResult<_>>()?;
    let shape = extents.map(|extents| shape(&extents)).transpose()?;
    record(py, name, operands, Given { number, positions: positions.unwrap_or_default(), shape })
}

/// Records numbers.
#[pyfunction]
pub fn constant(py: Python<'_>, values: &Bound<'_, PyAny>) -> PyResult<Variable> {
    let operand = operand(values, "constant")?;
    made(py, "pf.constant", |tape| operand.on(tape).id())
}

/// Declares a parameter: uniform on (-bound, bound) if there is a bound, else with these values.
#[pyfunction]
#[pyo3(signature = (name, extents, values=None, bound=None))]
pub fn parameter(
    py: Python<'_>,
    name: &str,
    extents: Vec<usize>,
    values: Option<Vec<f64>>,
    bound: Option<f64>,
) -> PyResult<Variable> {
    let shape = shape(&extents)?;
    let recording = Recording::current("pf.parameter")?;
    if recording.tape().declarations().iter().any(|known| known.name == name) {
        return Err(PyValueError::new_err(format!(
            "the parameter `{name}` is declared twice: declare once what is used twice, and give two parameters two names"
        )));
    }
    let init = match (bound, values) {
        (Some(bound), _) => Init::Uniform(bound),
        (None, Some(values)) => match values.as_slice() {
            [value] => Init::Constant(*value),
            _ => Init::Values(values),
        },
        (None, None) => Init::Constant(0.0),
    };
    let id = recording.push(py, |tape| tape.parameter(name, shape, init).id())?;
    Ok(Variable::new(recording, id))
}

/// The context of a conditional density.
#[pyfunction]
pub fn context(py: Python<'_>, width: usize) -> PyResult<Variable> {
    made(py, "pf.context", |tape| tape.context(width).id())
}

fn made(py: Python<'_>, what: &str, record: impl FnOnce(&Tape) -> NodeId) -> PyResult<Variable> {
    let recording = Recording::current(what)?;
    let id = recording.push(py, record)?;
    Ok(Variable::new(recording, id))
}
