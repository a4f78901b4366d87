//! Variables of a bijection that is being recorded: operators, elements, conditions.

use pushforward::tape::{Condition as Holds, NodeId, Shape, Tape, Var, select as chosen};
use pyo3::IntoPyObjectExt;
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySlice, PyTuple};

use crate::operation::{Given, record};
use crate::recording::Recording;

/// A scalar, a vector or a matrix of a bijection that is being recorded.
///
/// Its numbers are not known: what is done with it is written down, as formulas. It has operators and elements as arrays
/// have; functions are those of the package, as pf.exp. A choice that depends on it is a pf.select.
#[pyclass(module = "pushforward", name = "Var", frozen)]
pub struct Variable {
    recording: Recording,
    id: NodeId,
}

/// An elementwise condition on variables, for pf.select.
#[pyclass(module = "pushforward", frozen)]
pub struct Condition {
    recording: Recording,
    id: NodeId,
}

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
            return Ok(Some(Operand::Node(variable.recording.clone(), variable.id)));
        }
        if given.cast::<Condition>().is_ok() {
            return Err(PyTypeError::new_err(
                "a condition is no number: pf.select(condition, 1.0, 0.0) makes one of it",
            ));
        }
        if given.hasattr("__array__")?
            || given.is_instance_of::<pyo3::types::PyList>()
            || given.cast::<PyTuple>().is_ok()
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
        if given.is_instance_of::<pyo3::types::PyString>() {
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

/// The positions that an index chooses of an axis, and whether the axis stays.
fn chosen_of(index: &Bound<'_, PyAny>, length: usize) -> PyResult<(Vec<usize>, bool)> {
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

fn no_value(what: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "{what}: a variable of a bijection has no value while it is recorded. Choose between formulas with \
         pf.select(condition, then, otherwise)"
    ))
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
    #[pyo3(signature = (*shape))]
    fn reshape(&self, py: Python<'_>, shape: &Bound<'_, PyTuple>) -> PyResult<Variable> {
        let asked: Vec<isize> = match shape.get_item(0).and_then(|first| first.extract::<Vec<isize>>()) {
            Ok(list) => list,
            Err(_) => shape.extract()?,
        };
        let (count, known) = (self.size(), asked.iter().filter(|extent| **extent >= 0).product::<isize>());
        let extent = |extent: &isize| match *extent {
            -1 if known > 0 => count / known as usize,
            other => other.max(0) as usize,
        };
        let shape = self::shape(&asked.iter().map(extent).collect::<Vec<_>>())?;
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
                Some(index) => chosen_of(index, *length)?,
                None => ((0..*length).collect(), true),
            };
            positions =
                positions.iter().flat_map(|before| own.iter().map(move |k| before * length + k)).collect();
            if axis_stays {
                stays.push(own.len());
            }
        }
        self.picked(py, positions, self::shape(&stays)?)
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
        let recording = common([&self.operand(), &other], "a comparison")?;
        let id = recording.push(py, |tape| {
            let (a, b) = (tape.var(self.id), other.on(tape));
            let holds = match operator {
                CompareOp::Lt => a.lt(b),
                CompareOp::Le => a.le(b),
                CompareOp::Gt => a.gt(b),
                _ => a.ge(b),
            };
            holds.var().id()
        })?;
        Condition { recording, id }.into_py_any(py)
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

/// The error of a function of numpy, with the name of ours.
fn not_of_numpy(py: Python<'_>, name: &str) -> PyResult<PyErr> {
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

#[pymethods]
impl Condition {
    /// Holds where both hold.
    fn __and__(&self, py: Python<'_>, other: &Condition) -> PyResult<Condition> {
        self.joined(py, other, |a, b| a.and(b))
    }
    /// Holds where at least one holds.
    fn __or__(&self, py: Python<'_>, other: &Condition) -> PyResult<Condition> {
        self.joined(py, other, |a, b| a.or(b))
    }
    /// Holds where it does not.
    fn __invert__(&self, py: Python<'_>) -> PyResult<Condition> {
        let id = self.recording.push(py, |tape| self.on(tape).negate().var().id())?;
        Ok(Condition { recording: self.recording.clone(), id })
    }
    fn __bool__(&self) -> PyResult<bool> {
        Err(no_value(
            "an `if`, `and`, `or` or `not` cannot ask a condition on variables; join conditions by &, | and ~",
        ))
    }
    /// The extents, as those of a variable.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, extents(self.recording.tape().shape(self.id)))
    }
    fn __repr__(&self) -> String {
        format!("<Condition: {}>", self.recording.tape().shape(self.id))
    }
}

impl Condition {
    fn on<'t>(&self, tape: &'t Tape) -> Holds<'t> {
        Holds::from_var(tape.var(self.id)).expect("a comparison, or several that were joined")
    }

    fn joined(
        &self,
        py: Python<'_>,
        other: &Condition,
        join: impl for<'t> FnOnce(Holds<'t>, Holds<'t>) -> Holds<'t>,
    ) -> PyResult<Condition> {
        let both = [self, other].map(|one| Operand::Node(one.recording.clone(), one.id));
        let recording = common(&both, "conditions that are joined")?;
        let id = recording.push(py, |tape| join(self.on(tape), other.on(tape)).var().id())?;
        Ok(Condition { recording, id })
    }
}

/// Returns `then` where the condition holds and `otherwise` elsewhere, element by element.
#[pyfunction]
pub fn select(
    py: Python<'_>,
    condition: &Bound<'_, PyAny>,
    then: &Bound<'_, PyAny>,
    otherwise: &Bound<'_, PyAny>,
) -> PyResult<Variable> {
    let Ok(condition) = condition.cast::<Condition>() else {
        let kind = condition.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "select: the condition is {kind}; a comparison of variables is one, as z[0] > 0"
        )));
    };
    let condition = condition.get();
    let operand = |given: &Bound<'_, PyAny>| {
        Operand::read(given)?
            .ok_or_else(|| PyTypeError::new_err("select: both branches are variables or numbers"))
    };
    let (then, otherwise) = (operand(then)?, operand(otherwise)?);
    let of = Operand::Node(condition.recording.clone(), condition.id);
    let recording = common([&of, &then, &otherwise], "select")?;
    let id = recording.push(py, |tape| chosen(condition.on(tape), then.on(tape), otherwise.on(tape)).id())?;
    Ok(Variable::new(recording, id))
}
