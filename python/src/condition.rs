//! Conditions on variables, and choices by them.

use pushforward::tape::{Condition as Holds, NodeId, Tape, select as chosen};
use pyo3::basic::CompareOp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::operand::{Operand, common, extents};
use crate::recording::Recording;
use crate::variable::Variable;
use crate::without_value::no_value;

/// An elementwise condition on variables, for pf.select.
#[pyclass(module = "pushforward", frozen)]
pub struct Condition {
    recording: Recording,
    id: NodeId,
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
    /// Compares two operands.
    pub fn comparison(py: Python<'_>, a: &Operand, b: &Operand, operator: CompareOp) -> PyResult<Condition> {
        let recording = common([a, b], "a comparison")?;
        let id = recording.push(py, |tape| {
            let (a, b) = (a.on(tape), b.on(tape));
            let holds = match operator {
                CompareOp::Lt => a.lt(b),
                CompareOp::Le => a.le(b),
                CompareOp::Gt => a.gt(b),
                _ => a.ge(b),
            };
            holds.var().id()
        })?;
        Ok(Condition { recording, id })
    }

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
