//! Functions of Python as recordings.
//!
//! A function is called once, with a variable of a tape of its own. Each operation is recorded as Python runs it, so that a
//! mistake is an exception at its line; what was recorded is kept as a listing, which has no Python in it.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard};

use pushforward::tape::{Listing, NodeId, Place, RecordError, Shape, Tape};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::variable::Variable;

thread_local! {
    /// The recordings that this thread is making, the innermost last.
    static OPEN: RefCell<Vec<Recording>> = const { RefCell::new(Vec::new()) };
}

/// A tape that a function of Python writes to.
#[derive(Clone)]
pub struct Recording(Arc<Mutex<Tape>>);

impl Recording {
    /// The recording that is being made.
    pub fn current(what: &str) -> PyResult<Recording> {
        let open = OPEN.with_borrow(|open| open.last().cloned());
        open.ok_or_else(|| {
            PyRuntimeError::new_err(format!(
                "{what} belongs into the function of a bijection: pf.bijection calls it to record it"
            ))
        })
    }

    pub fn is(&self, other: &Recording) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub fn tape(&self) -> MutexGuard<'_, Tape> {
        // A thread that panicked may have left nodes that nothing refers to.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Records an operation at the line of Python that asks for it; an error of the recording is raised there.
    pub fn push(&self, py: Python<'_>, operation: impl FnOnce(&Tape) -> NodeId) -> PyResult<NodeId> {
        let place = caller(py)?;
        let tape = self.tape();
        let known = errors(&tape).len();
        let id = tape.placed(place, || operation(&tape));
        match errors(&tape).get(known) {
            Some(error) => Err(PyValueError::new_err(told(error))),
            None => Ok(id),
        }
    }
}

fn errors(tape: &Tape) -> Vec<RecordError> {
    tape.check().err().map_or(Vec::new(), |errors| errors.0)
}

/// An error of a recording without the line of Rust, which is not the user's.
fn told(error: &RecordError) -> String {
    let shapes: Vec<String> = error.shapes.iter().map(Shape::to_string).collect();
    let given = if shapes.is_empty() { String::new() } else { format!(" (given {})", shapes.join(" and ")) };
    format!("{}: {}{given}", error.operation, error.message)
}

/// The line of Python that is running, outside of this package.
fn caller(py: Python<'_>) -> PyResult<Place> {
    let own = py.import("pushforward")?.getattr("__path__")?.get_item(0)?.extract::<String>()?;
    let mut frame = py.import("sys")?.call_method1("_getframe", (0,))?;
    loop {
        let file: String = frame.getattr("f_code")?.getattr("co_filename")?.extract()?;
        let before = frame.getattr("f_back")?;
        let is_own = std::path::Path::new(&file)
            .parent()
            .is_some_and(|folder| folder == own.as_ref() as &std::path::Path);
        if !is_own || before.is_none() {
            let name = std::path::Path::new(&file)
                .file_name()
                .map_or(file.as_str().into(), |name| name.to_string_lossy());
            let line: usize = frame.getattr("f_lineno")?.extract()?;
            return Ok(Place::elsewhere(&format!("{name}:{line}")));
        }
        frame = before;
    }
}

/// Calls a function of Python with a vector of `dim` variables, and lists what it recorded.
pub fn recorded(py: Python<'_>, function: &Bound<'_, PyAny>, dim: usize) -> PyResult<Listing> {
    let recording = Recording(Arc::new(Mutex::new(Tape::new())));
    let input = recording.push(py, |tape| tape.input(Shape::Vector(dim)).id())?;
    OPEN.with_borrow_mut(|open| open.push(recording.clone()));
    let argument = Variable::new(recording.clone(), input);
    let result = Bound::new(py, argument).and_then(|argument| function.call1((argument,)));
    OPEN.with_borrow_mut(|open| open.pop());
    let result = result?;
    let output = match result.cast::<Variable>() {
        Ok(output) if output.get().recording().is(&recording) => output.get().id(),
        Ok(_) => return Err(PyValueError::new_err("the function returned a variable of another bijection")),
        Err(_) => {
            let kind = result.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "the function returned {kind}; return a variable: pf.stack([x1, x2]) makes a vector of scalars"
            )));
        }
    };
    Ok(Listing::of(&recording.tape(), input, output))
}
