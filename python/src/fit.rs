//! Fitting a density to a table, with Python's signals and callbacks.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use pushforward::model::{self, Choice, Filled, ModelOptions, Reading, Trying};
use pushforward::table::{Block, ColumnLook, Kinds, Look, Missing};
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::columns::{PyColumns, block, rows};
use crate::error::{table_error, value_error};
use crate::line::row_of;
use crate::model::Model;

/// What a fit is told, beside its table.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    given: Vec<String>,
    kinds: Vec<(String, String)>,
    model: String,
    time: f64,
    seed: u64,
    held_out: f64,
    missing: String,
    weights: Option<Vec<f64>>,
    groups: Option<Vec<String>>,
    progress: Option<Py<PyAny>>,
}

/// What became of a fit: the model, what was found in the table as JSON, and whether it was interrupted.
#[derive(IntoPyObject)]
pub struct Fitted {
    model: Py<Model>,
    look: String,
    said: Vec<String>,
    interrupted: bool,
}

/// Fits a density to columns.
#[pyfunction]
pub fn fit(py: Python<'_>, columns: PyColumns<'_>, options: Options) -> PyResult<Fitted> {
    let block = block(&columns, 0, rows(&columns))?;
    drop(columns);
    let choice = choice(&options.model)?;
    let missing: Missing = options.missing.parse().map_err(value_error)?;
    let mut kinds = Kinds::new();
    for (name, kind) in &options.kinds {
        kinds = kinds.with(name, kind.parse().map_err(value_error)?).map_err(value_error)?;
    }
    let time = Duration::try_from_secs_f64(options.time)
        .map_err(|_| PyValueError::new_err(format!("time is {} seconds; it is 0 or more", options.time)))?;
    let plan = Plan { choice, missing, kinds, time, options };
    let (model, look, said, interrupted) = py.detach(|| plan.fit(block))?;
    let look = serde_json::to_string(&look).map_err(value_error)?;
    Ok(Fitted { model: Py::new(py, Model::from(model))?, look, said, interrupted })
}

/// The densities that are tried, by the names that the command has for them.
pub fn choice(name: &str) -> PyResult<Choice> {
    const NAMES: [(&str, Choice); 6] = [
        ("auto", Choice::Auto),
        ("gaussian", Choice::Gaussian),
        ("mixture", Choice::Mixture),
        ("coupling", Choice::Coupling),
        ("spline", Choice::Coupling),
        ("autoregressive", Choice::Autoregressive),
    ];
    NAMES.iter().find(|(own, _)| *own == name).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        let nearest = pushforward::table::nearest(name, names.iter().copied());
        let nearest = nearest.map_or(String::new(), |nearest| format!(" (did you mean {nearest:?}?)"));
        PyValueError::new_err(format!(
            "model={name:?} is not known{nearest}; it is one of {}",
            names.join(", ")
        ))
    })
}

struct Plan {
    choice: Choice,
    missing: Missing,
    kinds: Kinds,
    time: Duration,
    options: Options,
}

impl Plan {
    fn fit(&self, block: Block) -> PyResult<(model::Model, Look, Vec<String>, bool)> {
        let options = &self.options;
        let mut said = Vec::new();
        let columns = block.columns().iter().map(|column| column.name.clone()).collect();
        let reading = Reading { columns, ..Reading::default() };
        // A row without weight is as good as none, also for what is found in the table.
        let has_weight = |row: usize| options.weights.as_ref().is_none_or(|weights| weights[row] > 0.0);
        let block = block.filter(has_weight);
        let (mut block, dropped) = self.missing.apply(&block).map_err(table_error)?;
        if dropped.rows > 0 || !dropped.columns.is_empty() {
            said.push(dropped.to_string());
        }
        let mut look = self.look(&block)?;
        if self.missing == Missing::Model {
            let filled = Filled::of(&block, &look, &options.given, options.seed).map_err(value_error)?;
            said.extend(filled.told_left_out());
            block = filled.block;
            look = self.look(&block)?;
        }
        let is_used =
            |column: &&ColumnLook| column.treatment.is_used() && !options.given.contains(&column.name);
        if !look.columns.iter().any(|column| is_used(&column)) {
            let told =
                |column: &ColumnLook| format!("{} ({}: {})", column.name, column.kind.name(), column.why);
            let columns = look.columns.iter().filter(|column| !options.given.contains(&column.name));
            let columns: Vec<String> = columns.map(told).collect();
            return Err(value_error(format!("no column is left to model: {}", columns.join("; "))));
        }
        let own = |weights: &Vec<f64>| -> Vec<f64> {
            block.lines().iter().map(|line| weights[row_of(*line) as usize]).collect()
        };
        let weights = options.weights.as_ref().map(own);
        let caller = Caller::default();
        let mut progress = |trying: Trying<'_>| caller.tell(options.progress.as_ref(), trying);
        let stop = || caller.is_to_stop();
        let options = ModelOptions {
            given: options.given.clone(),
            choice: self.choice,
            time: self.time,
            seed: options.seed,
            held_out: options.held_out,
            weights: weights.as_deref(),
            reading,
            progress: Some(&mut progress),
            stop: Some(&stop),
            ..ModelOptions::default()
        };
        let fitted = model::Model::fit(&block, &look, options);
        let interrupted = caller.interrupts.get() > 0;
        if let Some(error) = caller.error.into_inner() {
            return Err(error);
        }
        Ok((fitted.map_err(value_error)?, look, said, interrupted))
    }

    fn look(&self, block: &Block) -> PyResult<Look> {
        let mut look = Look::of(block, &self.kinds).map_err(table_error)?;
        if let Some(groups) = &self.options.groups {
            let own: Vec<&String> =
                block.lines().iter().map(|line| &groups[row_of(*line) as usize]).collect();
            look.keep_together(&own);
        }
        Ok(look)
    }
}

/// What Python has to say while a fit runs.
#[derive(Default)]
struct Caller {
    /// How often Ctrl-C was pressed: once ends the fit, and keeps the best so far; twice is an error.
    interrupts: Cell<usize>,
    /// What the callback raised.
    error: RefCell<Option<PyErr>>,
}

impl Caller {
    fn tell(&self, callback: Option<&Py<PyAny>>, trying: Trying<'_>) {
        let Some(callback) = callback else { return };
        if self.error.borrow().is_some() {
            return;
        }
        let told = Python::attach(|py| -> PyResult<()> {
            let told = PyDict::new(py);
            told.set_item("candidate", trying.candidate)?;
            if let Some(progress) = trying.progress {
                told.set_item("epoch", progress.epoch)?;
                told.set_item("epochs", progress.epochs)?;
                told.set_item("training", progress.training)?;
                told.set_item("held_out", progress.held_out)?;
                told.set_item("best", progress.best)?;
            }
            callback.call1(py, (told,))?;
            Ok(())
        });
        if let Err(error) = told {
            self.note(error);
        }
    }

    /// Ctrl-C may be noticed within the callback, too.
    fn note(&self, error: PyErr) {
        let interrupt = Python::attach(|py| error.is_instance_of::<PyKeyboardInterrupt>(py));
        if interrupt {
            self.interrupts.set(self.interrupts.get() + 1);
        }
        if !interrupt || self.interrupts.get() > 1 {
            *self.error.borrow_mut() = Some(error);
        }
    }

    fn is_to_stop(&self) -> bool {
        if let Err(error) = Python::attach(|py| py.check_signals()) {
            self.note(error);
        }
        self.interrupts.get() > 0 || self.error.borrow().is_some()
    }
}
