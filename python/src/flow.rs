//! Flows: layers over a base, their fits, densities, samples, files and exports.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use pushforward::base::Base as Density;
use pushforward::bijection::{self, Description};
use pushforward::flow::{self, FitOptions, FittedFlow};
use pushforward::jax;
use pushforward::model::Registry;
use pushforward::onnx::{Export, What};
use pushforward::table::Table;
use pushforward::tape::Parameters;
use pushforward::train::Schedule;
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arrays::{Rows, array, numbers, replaced, to_dict};
use crate::bijection::Bijection;
use crate::refusal::{refused, undescribed};

/// A base distribution that Python holds.
#[pyclass(module = "pushforward._native", frozen)]
pub struct Base {
    base: Arc<dyn Density>,
}

#[pymethods]
impl Base {
    /// Builds a base from its name and its settings, as a model file has them.
    #[staticmethod]
    fn described(name: String, settings: &str) -> PyResult<Base> {
        let settings = serde_json::from_str(settings).map_err(refused)?;
        let base = Registry::catalogue().base(&Description { name, settings }).map_err(undescribed)?;
        Ok(Base { base: Arc::from(base) })
    }

    fn description(&self) -> Option<(String, String)> {
        self.base.describe().map(|own| (own.name, own.settings.to_string()))
    }

    #[getter]
    fn dim(&self) -> usize {
        self.base.dim()
    }

    #[getter]
    fn name(&self) -> String {
        self.base.name()
    }

    #[getter]
    fn support(&self) -> String {
        self.base.support().written(self.base.dim())
    }
}

/// The names that a model file may have, of layers, transformers, fields and bases.
#[pyfunction]
pub fn registered(kind: &str) -> PyResult<Vec<String>> {
    let registry = Registry::catalogue();
    let names: Box<dyn Iterator<Item = &str>> = match kind {
        "layers" => Box::new(registry.layers()),
        "transformers" => Box::new(registry.transformers()),
        "fields" => Box::new(registry.fields()),
        "bases" => Box::new(registry.bases()),
        _ => return Err(PyValueError::new_err(format!("nothing is registered as {kind}"))),
    };
    Ok(names.map(str::to_string).collect())
}

/// Every layer of the catalogue, as an example: its name there, and the name and the settings of its description.
#[pyfunction]
pub fn catalogue() -> Vec<(String, String, String)> {
    let described = |example: pushforward::layers::Example| {
        let own = example.layer.describe()?;
        Some((example.name.to_string(), own.name, own.settings.to_string()))
    };
    pushforward::layers::catalogue().into_iter().filter_map(described).collect()
}

/// A flow with values for its parameters.
#[pyclass(module = "pushforward._native", frozen)]
pub struct Flow {
    base: Arc<dyn Density>,
    layers: Vec<Arc<dyn bijection::Bijection>>,
    fitted: Mutex<Arc<FittedFlow>>,
}

/// Options of a fit.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options<'py> {
    seed: u64,
    epochs: usize,
    batch: usize,
    learning_rate: f64,
    warm_up: usize,
    schedule: (String, f64),
    held_out: f64,
    held_out_rows: Option<Vec<usize>>,
    patience: usize,
    clip: f64,
    weight_decay: f64,
    averaging: f64,
    noise: Option<Vec<f64>>,
    weights: Option<Vec<f64>>,
    single_precision: bool,
    warm_start: bool,
    context: Option<Rows<'py>>,
    progress: Option<Py<PyAny>>,
}

/// How a fit went.
#[derive(IntoPyObject)]
pub struct Course {
    /// Epoch, mean ln p of the training rows, of the held-out rows, and the best of these.
    epochs: Vec<(usize, f64, f64, f64)>,
    best_epoch: usize,
    stop: String,
    /// What went wrong.
    warning: Option<String>,
    interrupted: bool,
}

impl Flow {
    fn built(&self) -> PyResult<flow::Flow> {
        let boxed =
            |layer: &Arc<dyn bijection::Bijection>| Box::new(layer.clone()) as Box<dyn bijection::Bijection>;
        flow::Flow::new(self.base.clone(), self.layers.iter().map(boxed)).map_err(refused)
    }

    /// The flow with its present parameters.
    pub fn fitted(&self) -> Arc<FittedFlow> {
        self.fitted.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    fn keep(&self, fitted: FittedFlow) {
        *self.fitted.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Arc::new(fitted);
    }

    fn of(base: Arc<dyn Density>, layers: Vec<Arc<dyn bijection::Bijection>>, seed: u64) -> PyResult<Flow> {
        let boxed =
            |layer: &Arc<dyn bijection::Bijection>| Box::new(layer.clone()) as Box<dyn bijection::Bijection>;
        let flow = flow::Flow::new(base.clone(), layers.iter().map(boxed)).map_err(refused)?;
        let start = flow.initial(seed);
        let fitted = flow.with(start).map_err(refused)?;
        Ok(Flow { base, layers, fitted: Mutex::new(Arc::new(fitted)) })
    }

    /// Takes a flow of a file, whose base and layers have descriptions, apart.
    fn of_file(fitted: FittedFlow) -> PyResult<Flow> {
        let registry = Registry::catalogue();
        let described =
            |own: Option<Description>| own.ok_or_else(|| refused("a layer of the file has no description"));
        let base = registry.base(&described(fitted.flow().base().describe())?).map_err(refused)?;
        let layers = fitted
            .flow()
            .bijection()
            .layers()
            .iter()
            .map(|layer| Ok(Arc::from(registry.layer(&described(layer.describe())?).map_err(refused)?)));
        let layers = layers.collect::<PyResult<Vec<Arc<dyn bijection::Bijection>>>>()?;
        Ok(Flow { base: Arc::from(base), layers, fitted: Mutex::new(Arc::new(fitted)) })
    }
}

#[pymethods]
impl Flow {
    #[new]
    fn new(base: &Base, layers: Vec<PyRef<'_, Bijection>>, seed: u64) -> PyResult<Flow> {
        Flow::of(base.base.clone(), layers.iter().map(|layer| layer.layer().clone()).collect(), seed)
    }

    #[getter]
    fn dim(&self) -> usize {
        self.fitted().flow().dim()
    }

    #[getter]
    fn context(&self) -> usize {
        self.fitted().flow().context()
    }

    /// The layers as one bijection, with which x = f(z).
    fn bijection(&self) -> PyResult<Bijection> {
        let boxed =
            |layer: &Arc<dyn bijection::Bijection>| Box::new(layer.clone()) as Box<dyn bijection::Bijection>;
        Ok(Bijection::new(Arc::new(bijection::Chain::new(self.layers.iter().map(boxed)))))
    }

    fn layers(&self) -> Vec<Bijection> {
        self.layers.iter().cloned().map(Bijection::new).collect()
    }

    fn base(&self) -> Base {
        Base { base: self.base.clone() }
    }

    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        to_dict(py, self.fitted().parameters())
    }

    fn set_parameters(&self, given: &Bound<'_, PyDict>) -> PyResult<()> {
        let parameters = replaced(self.fitted().parameters(), given)?;
        self.keep(self.built()?.with(parameters).map_err(refused)?);
        Ok(())
    }

    fn log_prob<'py>(
        &self,
        py: Python<'py>,
        rows: Rows<'py>,
        context: Option<Rows<'py>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (points, fitted) = (numbers(&rows)?, self.fitted());
        let context = context.as_ref().map(numbers).transpose()?.unwrap_or_default();
        let values = py.detach(|| fitted.log_prob_given(points, context)).map_err(refused)?;
        array(py, values, None)
    }

    fn sample<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        seed: u64,
        context: Option<Rows<'py>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let fitted = self.fitted();
        let context = context.as_ref().map(numbers).transpose()?.unwrap_or_default();
        let values = py.detach(|| fitted.sample_given(count, context, seed)).map_err(refused)?;
        array(py, values, Some(fitted.flow().dim()))
    }

    /// Fits by maximum likelihood. Ctrl-C ends it after the epoch; the best parameters so far are kept.
    fn fit(&self, py: Python<'_>, rows: Rows<'_>, options: Options<'_>) -> PyResult<Course> {
        let points = numbers(&rows)?;
        let data = table(points, numpy::PyUntypedArrayMethods::shape(&*rows)[1])?;
        let context = match &options.context {
            Some(context) => {
                Some(table(numbers(context)?, numpy::PyUntypedArrayMethods::shape(&**context)[1])?)
            }
            None => None,
        };
        let schedule = match (options.schedule.0.as_str(), options.schedule.1) {
            ("constant", _) => Schedule::Constant,
            ("cosine", last) => Schedule::Cosine { last },
            ("exponential", last) => Schedule::Exponential { last },
            (other, _) => {
                return Err(PyValueError::new_err(format!(
                    "there is no schedule `{other}`; it is `constant`, `cosine` or `exponential`"
                )));
            }
        };
        let start: Option<Parameters> = options.warm_start.then(|| self.fitted().parameters().clone());
        let flow = self.built()?;
        let progress = options.progress;
        let settings = Settings {
            seed: options.seed,
            epochs: options.epochs,
            batch: options.batch,
            learning_rate: options.learning_rate,
            warm_up: options.warm_up,
            held_out: options.held_out,
            held_out_rows: options.held_out_rows,
            patience: options.patience,
            clip: options.clip,
            weight_decay: options.weight_decay,
            averaging: options.averaging,
            noise: options.noise,
            weights: options.weights,
            single_precision: options.single_precision,
        };
        let (fitted, raised) = py.detach(|| {
            let raised: RefCell<Option<PyErr>> = RefCell::default();
            let is_over = Cell::new(false);
            let stop = || {
                if let Err(error) = Python::attach(|py| py.check_signals()) {
                    raised.borrow_mut().get_or_insert(error);
                    is_over.set(true);
                }
                is_over.get()
            };
            let mut tell = |told: flow::Progress| {
                let Some(progress) = &progress else { return };
                let numbers = (told.epoch, told.epochs, told.training, told.held_out, told.best);
                if let Err(error) = Python::attach(|py| progress.call1(py, numbers)) {
                    raised.borrow_mut().get_or_insert(error);
                    is_over.set(true);
                }
            };
            let fit = FitOptions {
                seed: settings.seed,
                epochs: settings.epochs,
                batch: settings.batch,
                learning_rate: settings.learning_rate,
                warm_up: settings.warm_up,
                schedule,
                held_out: settings.held_out,
                held_out_rows: settings.held_out_rows.as_deref(),
                patience: settings.patience,
                clip: settings.clip,
                weight_decay: settings.weight_decay,
                averaging: settings.averaging,
                noise: settings.noise.as_deref(),
                weights: settings.weights.as_deref(),
                single_precision: settings.single_precision,
                start: start.as_ref(),
                stop: Some(&stop),
                contexts: context.as_ref(),
                progress: Some(&mut tell),
                ..FitOptions::default()
            };
            let fitted = flow.fit(&data, fit);
            (fitted, raised.into_inner())
        });
        let fitted = fitted.map_err(refused)?;
        let interrupted =
            raised.as_ref().is_some_and(|error| error.is_instance_of::<PyKeyboardInterrupt>(py));
        let history = fitted.history();
        let epochs = history.epochs.iter().map(|told| (told.epoch, told.training, told.held_out, told.best));
        let course = Course {
            epochs: epochs.collect(),
            best_epoch: history.best_epoch,
            stop: history.stop.to_string(),
            warning: history.warning(),
            interrupted,
        };
        self.keep(fitted);
        match raised {
            // Of a callback, or of another signal: the best parameters are kept, and the error is the caller's.
            Some(error) if !interrupted => Err(error),
            _ => Ok(course),
        }
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.fitted().to_bytes().map_err(refused)?))
    }

    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Flow> {
        Flow::of_file(FittedFlow::from_bytes(bytes, &Registry::catalogue()).map_err(refused)?)
    }

    fn save(&self, path: PathBuf) -> PyResult<()> {
        self.fitted().save(path).map_err(refused)
    }

    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Flow> {
        Flow::of_file(FittedFlow::load(path).map_err(refused)?)
    }

    /// The bytes of an ONNX file.
    fn to_onnx<'py>(&self, py: Python<'py>, what: &str, double: bool) -> PyResult<Bound<'py, PyBytes>> {
        let all = [What::LogProb, What::Inverse, What::Sample];
        let found = all.into_iter().find(|own| own.name() == what).ok_or_else(|| {
            refused(format!("there is no graph of `{what}`; it is `log_prob`, `inverse` or `sample`"))
        })?;
        let export = if double { Export::of(found).in_f64() } else { Export::of(found) };
        let fitted = self.fitted();
        let bytes = py.detach(|| fitted.to_onnx(export)).map_err(refused)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes a Python module for JAX.
    fn to_jax(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        let fitted = self.fitted();
        py.detach(|| jax::export(&fitted)?.write(folder)).map_err(refused)
    }

    /// Takes the parameters that a JAX module saved.
    fn take_jax(&self, bytes: &[u8]) -> PyResult<()> {
        let parameters = jax::parameters(bytes).map_err(refused)?;
        self.keep(self.built()?.with(parameters).map_err(refused)?);
        Ok(())
    }
}

/// The options of a fit that are no objects of Python.
struct Settings {
    seed: u64,
    epochs: usize,
    batch: usize,
    learning_rate: f64,
    warm_up: usize,
    held_out: f64,
    held_out_rows: Option<Vec<usize>>,
    patience: usize,
    clip: f64,
    weight_decay: f64,
    averaging: f64,
    noise: Option<Vec<f64>>,
    weights: Option<Vec<f64>>,
    single_precision: bool,
}

fn table(values: &[f64], width: usize) -> PyResult<Table> {
    let names: Vec<String> = (0..width).map(|column| column.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Table::new(&names, values.to_vec()).map_err(refused)
}
