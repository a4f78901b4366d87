//! Bijections: written in Python, of the catalogue, composed, or read from a graph of another library.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use pushforward::audit::AuditOptions;
use pushforward::bijection::{
    self, BijectionError, Chain, Description, Domain, Inverse, RecordedMap, forward_with_log_det,
    inverse_with_log_det, leaves, record,
};
use pushforward::model::Registry;
use pushforward::onnx::{ImportOptions, ImportedMap};
use pushforward::program::{Output, Program};
use pushforward::tape::{NodeId, Parameters, Shape, Tape};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arrays::{Rows, array, numbers, replaced, to_dict};
use crate::declared::{domain, structure};
use crate::evidence::{Audited, Derived, audited, derived};
use crate::recording::recorded;
use crate::refusal::{refused, undescribed};
use crate::variable::Variable;

/// A bijection that Python holds.
#[pyclass(module = "pushforward._native", frozen)]
pub struct Bijection {
    layer: Arc<dyn bijection::Bijection>,
    /// Of a graph that was read: the numbers of its file, and how far its log-determinant may be off.
    of_file: Option<(Parameters, f64)>,
    /// The initial parameters of seed 0.
    start: OnceLock<Parameters>,
    programs: Mutex<Programs>,
}

/// The programs that were needed so far: x and ln|det J| from z, z and ln|det J| from x.
#[derive(Default)]
struct Programs {
    forward: Option<Program<f64>>,
    inverse: Option<Program<f64>>,
    context: usize,
}

/// The next name for a bijection within the one that is being recorded: `layers.0`, `layers.1`, …
#[pyfunction]
pub fn next_scope(z: &Variable) -> String {
    let names: Vec<String> = z.recording().tape().declarations().into_iter().map(|own| own.name).collect();
    let is_taken = |scope: &str| names.iter().any(|name| name.starts_with(&format!("{scope}.")));
    let scopes = (0..).map(|k| format!("layers.{k}"));
    scopes.into_iter().find(|scope| !is_taken(scope)).expect("there are as many as numbers")
}

/// What a bijection of Python's functions is declared as.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Declared<'py> {
    dim: usize,
    name: String,
    forward: Bound<'py, PyAny>,
    inverse: Option<Bound<'py, PyAny>>,
    log_det: Option<Bound<'py, PyAny>>,
    structure: Option<Bound<'py, PyAny>>,
    domain: Bound<'py, PyAny>,
    codomain: Bound<'py, PyAny>,
}

impl Bijection {
    pub fn new(layer: Arc<dyn bijection::Bijection>) -> Bijection {
        Bijection { layer, of_file: None, start: OnceLock::new(), programs: Mutex::default() }
    }

    /// The bijection itself.
    pub fn layer(&self) -> &Arc<dyn bijection::Bijection> {
        &self.layer
    }

    /// The initial parameters of a seed, without the context; those of the file for a graph that was read.
    fn start(&self, seed: u64) -> PyResult<Parameters> {
        if let Some((parameters, _)) = &self.of_file {
            return Ok(parameters.clone());
        }
        if let (0, Some(known)) = (seed, self.start.get()) {
            return Ok(known.clone());
        }
        let tape = Tape::new();
        tape.context_by_row();
        forward_with_log_det(&self.layer, tape.input(Shape::Vector(self.layer.dim()))).map_err(refused)?;
        let parameters = Parameters::initialise(&tape, seed);
        if seed == 0 {
            let _ = self.start.set(parameters.clone());
        }
        Ok(parameters)
    }
}

/// Compiles x or z, and ln|det J|; returns the width of the context, too.
fn compiled(
    layer: &dyn bijection::Bijection,
    forward: bool,
) -> Result<(Program<f64>, usize), BijectionError> {
    let tape = Tape::new();
    tape.context_by_row();
    let input = tape.input(Shape::Vector(layer.dim()));
    let (output, log_det) = match forward {
        true => {
            let found = forward_with_log_det(layer, input)?;
            (found.x.id(), found.log_det.id())
        }
        false => {
            let found = inverse_with_log_det(layer, input)?;
            (found.z.id(), found.log_det.id())
        }
    };
    let context = tape.declared_context();
    let inputs: Vec<NodeId> = [input.id()].into_iter().chain(context.map(|context| context.id())).collect();
    let program = Program::compile(&tape, &inputs, &[Output::Each(output), Output::Each(log_det)]);
    Ok((program, context.map_or(0, |context| context.len())))
}

#[pymethods]
impl Bijection {
    /// Records functions of Python.
    #[staticmethod]
    fn recorded(py: Python<'_>, declared: Declared<'_>) -> PyResult<Bijection> {
        let Declared { dim, name, .. } = &declared;
        if *dim == 0 {
            return Err(refused(BijectionError::NoVariables { layer: name.clone() }));
        }
        let forward = recorded(py, &declared.forward, *dim)?;
        let vector = Shape::Vector(*dim);
        let wrong = |function, given: Shape| {
            refused(BijectionError::Dimension { layer: name.clone(), function, expected: *dim, given })
        };
        if forward.output() != vector {
            return Err(wrong("forward", forward.output()));
        }
        let (domain, codomain) = (domain(&declared.domain)?, domain(&declared.codomain)?);
        for (side, set) in [("domain", &domain), ("codomain", &codomain)] {
            if set.dim().is_some_and(|own| own != *dim) {
                let error = format!("{set} is not a set of {dim} variables");
                return Err(refused(BijectionError::Domain { layer: name.clone(), side, error }));
            }
        }
        let mut map = RecordedMap::new(name, forward).between(domain, codomain);
        if let Some(inverse) = &declared.inverse {
            let inverse = recorded(py, inverse, *dim)?;
            if inverse.output() != vector {
                return Err(wrong("inverse", inverse.output()));
            }
            map = map.with_inverse(inverse);
        }
        if let Some(log_det) = &declared.log_det {
            let log_det = recorded(py, log_det, *dim)?;
            if log_det.output() != Shape::Scalar {
                let given = log_det.output();
                return Err(refused(BijectionError::LogDetShape { layer: name.clone(), given }));
            }
            map = map.with_log_det(log_det);
        }
        let map = match &declared.structure {
            Some(given) => map.with_structure(structure(given)?),
            None => py.detach(|| map.with_found_structure()),
        };
        Ok(Bijection::new(Arc::new(map)))
    }

    /// Builds a layer from its name and its settings, as a model file has them.
    #[staticmethod]
    fn described(name: String, settings: &str) -> PyResult<Bijection> {
        let settings = serde_json::from_str(settings).map_err(refused)?;
        let layer = Registry::catalogue().layer(&Description { name, settings }).map_err(undescribed)?;
        Ok(Bijection::new(Arc::from(layer)))
    }

    /// Composes bijections, first to last.
    #[staticmethod]
    fn chain(layers: Vec<PyRef<'_, Bijection>>) -> PyResult<Bijection> {
        let layers: Vec<Box<dyn bijection::Bijection>> = layers
            .iter()
            .map(|layer| Box::new(layer.layer.clone()) as Box<dyn bijection::Bijection>)
            .collect();
        if layers.is_empty() {
            return Err(PyValueError::new_err("a chain needs at least one layer"));
        }
        let chain: Arc<dyn bijection::Bijection> = Arc::new(Chain::new(layers));
        record(&chain).map_err(refused)?;
        Ok(Bijection::new(chain))
    }

    /// Reads a map that another library exported.
    #[staticmethod]
    #[pyo3(signature = (path, output, log_det, parameters, constants, all_constant, given_structure, given_domain, given_codomain))]
    #[expect(clippy::too_many_arguments, reason = "they are those of the Python function, one by one")]
    fn onnx(
        path: PathBuf,
        output: Option<String>,
        log_det: Option<String>,
        parameters: Vec<String>,
        constants: Vec<String>,
        all_constant: bool,
        given_structure: Option<Bound<'_, PyAny>>,
        given_domain: &Bound<'_, PyAny>,
        given_codomain: &Bound<'_, PyAny>,
    ) -> PyResult<Bijection> {
        let options = ImportOptions {
            output,
            log_det,
            parameters,
            constants,
            structure: given_structure.as_ref().map(structure).transpose()?,
            domain: Some(domain(given_domain)?),
            codomain: Some(domain(given_codomain)?),
            all_constant,
        };
        let map = ImportedMap::read(&path, &options)
            .map_err(|error| refused(format!("{}: {error}", path.display())))?;
        let of_file = Some((map.parameters(), map.log_det_tolerance()));
        Ok(Bijection { of_file, ..Bijection::new(Arc::new(map)) })
    }

    /// Records it within a bijection of Python that is being recorded; its parameters are named within a scope.
    fn within(&self, py: Python<'_>, z: &Variable, scope: &str) -> PyResult<Variable> {
        let recording = z.recording();
        let (expected, given) = (Shape::Vector(self.layer.dim()), recording.tape().shape(z.id()));
        if given != expected {
            return Err(PyValueError::new_err(format!(
                "{} maps {expected}, and {given} was given",
                self.layer.name()
            )));
        }
        let declared =
            |tape: &Tape| tape.declarations().iter().any(|own| own.name.starts_with(&format!("{scope}.")));
        if declared(&recording.tape()) {
            return Err(PyValueError::new_err(format!(
                "there are parameters named `{scope}.…` already; give the layer a name of its own: layer(z, name=\"second\")"
            )));
        }
        let layer = &self.layer;
        let id = recording.push(py, |tape| tape.scope(scope, || layer.forward(tape.var(z.id()))).id())?;
        Ok(Variable::new(recording.clone(), id))
    }

    /// The inverse.
    fn inverted(&self) -> Bijection {
        Bijection::new(Arc::new(Inverse::new(self.layer.clone())))
    }

    #[getter]
    fn dim(&self) -> usize {
        self.layer.dim()
    }

    #[getter]
    fn name(&self) -> String {
        self.layer.name()
    }

    #[getter]
    fn structure(&self) -> String {
        self.layer.structure().to_string()
    }

    #[getter]
    fn domain(&self) -> String {
        self.layer.domain().written(self.layer.dim())
    }

    #[getter]
    fn codomain(&self) -> String {
        self.layer.codomain().written(self.layer.dim())
    }

    /// The names of its layers.
    #[getter]
    fn layers(&self) -> Vec<String> {
        leaves(&self.layer).iter().map(|leaf| leaf.bijection().name()).collect()
    }

    /// The name and the settings that a model file keeps, as JSON; None for what cannot be kept.
    fn description(&self) -> Option<(String, String)> {
        self.layer.describe().map(|own| (own.name, own.settings.to_string()))
    }

    /// The initial values of the parameters.
    fn parameters<'py>(&self, py: Python<'py>, seed: u64) -> PyResult<Bound<'py, PyDict>> {
        to_dict(py, &self.start(seed)?)
    }

    /// x and ln|det J| of rows z, or z and ln|det J| of rows x.
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        rows: Rows<'py>,
        forward: bool,
        parameters: Option<&Bound<'py, PyDict>>,
        context: Option<Rows<'py>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let mut own = self.start(0)?;
        if let Some(given) = parameters {
            own = replaced(&own, given)?;
        }
        let points = numbers(&rows)?;
        let context = context.as_ref().map(numbers).transpose()?.unwrap_or_default();
        let (values, log_det) = py.detach(|| self.evaluated(points, forward, &own, context))?;
        PyTuple::new(py, [array(py, values, Some(self.layer.dim()))?, array(py, log_det, None)?])
    }

    #[pyo3(signature = (seed, points, decide_only, parameters))]
    fn audit(
        &self,
        py: Python<'_>,
        seed: u64,
        points: usize,
        decide_only: bool,
        parameters: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Audited> {
        let mut options = AuditOptions { seed, points, decide_only, ..AuditOptions::default() };
        if let Some((parameters, tolerance)) = &self.of_file {
            options.parameters = Some(parameters.clone());
            options.log_det_tolerance = *tolerance;
        }
        if let Some(given) = parameters {
            // With the context, which is a parameter of an audit.
            let start = Parameters::initialise(record(&self.layer).map_err(refused)?.tape(), 0);
            options.parameters = Some(replaced(&start, given)?);
        }
        audited(py, &self.layer, &options)
    }

    fn derive(&self, py: Python<'_>) -> PyResult<Derived> {
        derived(py, &self.layer)
    }
}

impl Bijection {
    fn evaluated(
        &self,
        points: &[f64],
        forward: bool,
        parameters: &Parameters,
        context: &[f64],
    ) -> PyResult<(Vec<f64>, Vec<f64>)> {
        let d = self.layer.dim();
        if !points.len().is_multiple_of(d) {
            return Err(refused(format!("{} values cannot be split into rows of {d}", points.len())));
        }
        let count = points.len() / d;
        let mut programs = self.programs.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let known = if forward { &programs.forward } else { &programs.inverse };
        if known.is_none() {
            let (program, width) = compiled(&self.layer, forward).map_err(refused)?;
            programs.context = width;
            match forward {
                true => programs.forward = Some(program),
                false => programs.inverse = Some(program),
            }
        }
        let width = programs.context;
        if context.len() != width * count {
            return Err(refused(format!(
                "{count} rows take contexts of {width} numbers each, and {} numbers were given",
                context.len()
            )));
        }
        let program = if forward { &mut programs.forward } else { &mut programs.inverse };
        let program = program.as_mut().expect("it was compiled above");
        program.load(parameters).map_err(refused)?;
        let inputs = if width == 0 { vec![points] } else { vec![points, context] };
        let mut results = program.run(&inputs, count).map_err(refused)?.into_iter();
        let (Some(mut values), Some(mut log_det)) = (results.next(), results.next()) else {
            return Err(refused("two outputs were asked for"));
        };
        // Outside of the set where the map is defined, formulas may give numbers, which mean nothing.
        let set: Domain = if forward { self.layer.domain() } else { self.layer.codomain() };
        for (row, point) in points.chunks_exact(d).enumerate() {
            if !set.contains(point) {
                values[row * d..(row + 1) * d].fill(f64::NAN);
                log_det[row] = f64::NAN;
            }
        }
        Ok((values, log_det))
    }
}
