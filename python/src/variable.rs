//! Variables of a bijection that is being recorded: their operators and elements.

use pushforward::tape::{NodeId, Shape};
use pyo3::IntoPyObjectExt;
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::condition::Condition;
use crate::index::chosen;
use crate::operand::{Operand, common, extents, shape};
use crate::operation::{Given, record};
use crate::recording::Recording;
use crate::without_value::{no_value, not_of_numpy};

/// A scalar, a vector or a matrix of a bijection that is being recorded.
///
/// Its numbers are not known: what is done with it is written down, as formulas. It has operators and elements as arrays
/// have; functions are those of the package, as pf.exp. A choice that depends on it is a pf.select.
#[pyclass(module = "pushforward", name = "Var", frozen)]
pub struct Variable {
    recording: Recording,
    id: NodeId,
}

impl Variable {
    pub fn new(recording: Recording, id: NodeId) -> Variable {
        Variable { recording, id }
    }

    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    pub fn id(&self) -> NodeId {
        self.id
    }

    fn extents(&self) -> Vec<usize> {
        extents(self.recording.tape().shape(self.id))
    }

    fn operand(&self) -> Operand {
        Operand::Node(self.recording.clone(), self.id)
    }

    /// A binary operator; NotImplemented for what is no operand.
    fn operator(
        &self,
        py: Python<'_>,
        name: &str,
        other: &Bound<'_, PyAny>,
        is_right: bool,
    ) -> PyResult<Py<PyAny>> {
        let Some(other) = Operand::read(other)? else { return Ok(py.NotImplemented()) };
        let operands = if is_right { vec![other, self.operand()] } else { vec![self.operand(), other] };
        record(py, name, operands, Given::default())?.into_py_any(py)
    }

    /// The elements at these positions, numbered by rows.
    fn picked(&self, py: Python<'_>, positions: Vec<usize>, shape: Shape) -> PyResult<Variable> {
        let id = self.recording.push(py, |tape| {
            let picked = match (shape, positions.as_slice()) {
                (Shape::Scalar, [only]) => tape.var(self.id).at(*only),
                _ => tape.var(self.id).gather(&positions),
            };
            picked.reshape(shape).id()
        })?;
        Ok(Variable::new(self.recording.clone(), id))
    }
}

#[pymethods]
impl Variable {
    /// The extents: () of a scalar, (n,) of a vector, (rows, columns) of a matrix.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.extents())
    }

    /// Number of axes.
    #[getter]
    fn ndim(&self) -> usize {
        self.extents().len()
    }

    /// Number of elements.
    #[getter]
    fn size(&self) -> usize {
        self.extents().iter().product()
    }

    /// The transpose of a matrix; a vector and a scalar as they are.
    #[getter(T)]
    fn transposed(&self, py: Python<'_>) -> PyResult<Variable> {
        match self.extents().len() {
            2 => record(py, "transpose", vec![self.operand()], Given::default()),
            _ => Ok(Variable::new(self.recording.clone(), self.id)),
        }
    }

    /// The sum of all elements.
    fn sum(&self, py: Python<'_>) -> PyResult<Variable> {
        record(py, "sum", vec![self.operand()], Given::default())
    }

    /// The elements, by rows, in another shape; one extent may be -1.
    #[pyo3(signature = (*extents))]
    fn reshape(&self, py: Python<'_>, extents: &Bound<'_, PyTuple>) -> PyResult<Variable> {
        let asked: Vec<isize> = match extents.get_item(0).and_then(|first| first.extract::<Vec<isize>>()) {
            Ok(list) => list,
            Err(_) => extents.extract()?,
        };
        let (count, known) = (self.size(), asked.iter().filter(|extent| **extent >= 0).product::<isize>());
        let extent = |extent: &isize| match *extent {
            -1 if known > 0 => count / known as usize,
            other => other.max(0) as usize,
        };
        let shape = shape(&asked.iter().map(extent).collect::<Vec<_>>())?;
        record(py, "reshape", vec![self.operand()], Given { shape: Some(shape), ..Given::default() })
    }

    fn __len__(&self) -> PyResult<usize> {
        self.extents().first().copied().ok_or_else(|| PyTypeError::new_err("a scalar has no length"))
    }

    fn __getitem__(&self, py: Python<'_>, index: &Bound<'_, PyAny>) -> PyResult<Variable> {
        let extents = self.extents();
        let indices: Vec<Bound<'_, PyAny>> = match index.cast::<PyTuple>() {
            Ok(tuple) => tuple.iter().collect(),
            Err(_) => vec![index.clone()],
        };
        if indices.len() > extents.len() {
            return Err(PyIndexError::new_err(format!(
                "{} indices for {} axes: {}",
                indices.len(),
                extents.len(),
                self.recording.tape().shape(self.id)
            )));
        }
        let mut positions = vec![0];
        let mut stays = Vec::new();
        for (axis, length) in extents.iter().enumerate() {
            let (own, axis_stays) = match indices.get(axis) {
                Some(index) => chosen(index, *length)?,
                None => ((0..*length).collect(), true),
            };
            positions =
                positions.iter().flat_map(|before| own.iter().map(move |k| before * length + k)).collect();
            if axis_stays {
                stays.push(own.len());
            }
        }
        self.picked(py, positions, shape(&stays)?)
    }

    fn __iter__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let length = slf.get().__len__()?;
        let rows: Vec<Bound<'_, PyAny>> = (0..length).map(|k| slf.get_item(k)).collect::<PyResult<_>>()?;
        rows.into_pyobject(slf.py())?.call_method0("__iter__").map(Bound::unbind)
    }

    fn __add__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.operator(py, "add", other, false)
    }
    fn __radd__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.operator(py, "add", other, true)
    }
    fn __sub__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.operator(py, "sub", other, false)
    }
    fn __rsub__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.operator(py, "sub", other, true)
    }
    fn __mul__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.operator(py, "mul", other, false)
    }
    fn __rmul__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.operator(py, "mul", other, true)
    }
    fn __truediv__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.operator(py, "div", other, false)
    }
    fn __rtruediv__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.operator(py, "div", other, true)
    }
    fn __matmul__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.operator(py, "product", other, false)
    }
    fn __rmatmul__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.operator(py, "product", other, true)
    }

    /// By a whole number, a product; by another, aᵇ for a > 0.
    fn __pow__(
        &self,
        py: Python<'_>,
        exponent: &Bound<'_, PyAny>,
        modulo: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        if !modulo.is_none() {
            return Ok(py.NotImplemented());
        }
        if let Some(Operand::Numbers(Shape::Scalar, number)) = Operand::read(exponent)?
            && number[0].fract() == 0.0
            && number[0].abs() <= f64::from(i32::MAX)
        {
            let given = Given { number: Some(number[0] as i64), ..Given::default() };
            return record(py, "powi", vec![self.operand()], given)?.into_py_any(py);
        }
        self.operator(py, "pow", exponent, false)
    }
    fn __rpow__(
        &self,
        py: Python<'_>,
        base: &Bound<'_, PyAny>,
        modulo: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        if modulo.is_none() { self.operator(py, "pow", base, true) } else { Ok(py.NotImplemented()) }
    }
    fn __neg__(&self, py: Python<'_>) -> PyResult<Variable> {
        record(py, "neg", vec![self.operand()], Given::default())
    }
    fn __pos__(&self) -> Variable {
        Variable::new(self.recording.clone(), self.id)
    }
    fn __abs__(&self, py: Python<'_>) -> PyResult<Variable> {
        record(py, "abs", vec![self.operand()], Given::default())
    }

    fn __richcmp__(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyAny>,
        operator: CompareOp,
    ) -> PyResult<Py<PyAny>> {
        let Some(other) = Operand::read(other)? else { return Ok(py.NotImplemented()) };
        if matches!(operator, CompareOp::Eq | CompareOp::Ne) {
            return Err(PyTypeError::new_err(
                "variables are compared by <, <=, > and >=: two real numbers are hardly ever equal",
            ));
        }
        Condition::comparison(py, &self.operand(), &other, operator)?.into_py_any(py)
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(no_value("an `if` cannot ask a variable"))
    }
    fn __float__(&self) -> PyResult<f64> {
        Err(no_value("float() asks for a number"))
    }
    fn __int__(&self) -> PyResult<i64> {
        Err(no_value("int() asks for a number"))
    }
    fn __index__(&self) -> PyResult<i64> {
        Err(no_value("an index is a number"))
    }
    #[pyo3(signature = (*_arguments, **_options))]
    fn __array__(
        &self,
        _arguments: &Bound<'_, PyTuple>,
        _options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "a variable of a bijection has no numbers while it is recorded, so numpy makes no array of it: pf.stack and \
             pf.concat join variables",
        ))
    }

    /// Operators with an array on the left; numpy's functions are refused by the name of ours.
    #[pyo3(signature = (function, method, *inputs, **_options))]
    fn __array_ufunc__(
        &self,
        py: Python<'_>,
        function: &Bound<'_, PyAny>,
        method: &str,
        inputs: &Bound<'_, PyTuple>,
        _options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let name: String = function.getattr("__name__")?.extract()?;
        let operator = match name.as_str() {
            "add" | "subtract" | "multiply" | "divide" | "true_divide" | "power" | "matmul" | "less"
            | "less_equal" | "greater" | "greater_equal"
                if method == "__call__" && inputs.len() == 2 =>
            {
                name.as_str()
            }
            _ => return Err(not_of_numpy(py, &name)?),
        };
        let left = inputs.get_item(0)?;
        let Some(operand) = Operand::read(&left)? else { return Ok(py.NotImplemented()) };
        let recording = common([&operand, &self.operand()], operator)?;
        let id = recording.push(py, |tape| operand.on(tape).id())?;
        let (left, right) = (Bound::new(py, Variable::new(recording, id))?.into_any(), inputs.get_item(1)?);
        let result = match operator {
            "add" => left.add(right)?,
            "subtract" => left.sub(right)?,
            "multiply" => left.mul(right)?,
            "power" => left.pow(right, py.None())?,
            "matmul" => left.matmul(right)?,
            "less" => left.rich_compare(right, CompareOp::Lt)?,
            "less_equal" => left.rich_compare(right, CompareOp::Le)?,
            "greater" => left.rich_compare(right, CompareOp::Gt)?,
            "greater_equal" => left.rich_compare(right, CompareOp::Ge)?,
            _ => left.div(right)?,
        };
        Ok(result.unbind())
    }

    #[pyo3(signature = (function, *_arguments))]
    fn __array_function__(
        &self,
        py: Python<'_>,
        function: &Bound<'_, PyAny>,
        _arguments: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        Err(not_of_numpy(py, &function.getattr("__name__")?.extract::<String>()?)?)
    }

    fn __repr__(&self) -> String {
        format!("<Var: {}>", self.recording.tape().shape(self.id))
    }
}
