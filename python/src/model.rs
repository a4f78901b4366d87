//! Fitted densities of tables.

use std::path::PathBuf;

use numpy::{IntoPyArray, PyArray1};
use pushforward::audit::Report;
use pushforward::model;
use pushforward::onnx::{Export, Float, What};
use pushforward::report::{self, ReportOptions};
use pushforward::table::{Block, Kind};
use pushforward::{audit, derivation, jax};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::Serialize;

use crate::columns::{self, PyColumns, block, rows};
use crate::error::value_error;

/// A fitted density of columns, as model files keep it.
#[pyclass(module = "pushforward._native", frozen)]
pub struct Model {
    model: model::Model,
}

impl From<model::Model> for Model {
    fn from(model: model::Model) -> Model {
        Model { model }
    }
}

/// Rows that are scored at once: what is copied of an array at a time.
const BLOCK: usize = 8192;

/// Scores: ln p, its standard error, and the share of training rows that are less likely.
type Scores<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>);

#[pymethods]
impl Model {
    /// Reads the bytes of a model file.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Model> {
        let model = py.detach(|| model::Model::from_bytes(bytes)).map_err(value_error)?;
        Ok(Model { model })
    }

    /// The bytes of a model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.model.to_bytes().map_err(value_error)?))
    }

    /// Writes a model file, which is complete or absent.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        self.model.save(path).map_err(value_error)
    }

    /// The names of the columns that a row needs to have.
    fn needs(&self) -> Vec<String> {
        self.model.needs()
    }

    /// The names of the columns that are drawn: numbers, then categories.
    fn drawn(&self) -> Vec<String> {
        let numbers = self.model.columns().iter().map(|column| column.name.clone());
        let categories = self.model.categories().into_iter().flat_map(|categories| &categories.columns);
        numbers.chain(categories.map(|column| column.name.clone())).collect()
    }

    /// The names of the given columns.
    fn given(&self) -> Vec<String> {
        self.model.given().iter().map(|column| column.name.clone()).collect()
    }

    /// The names of all columns of the table that it was fitted to, in their order.
    fn read(&self) -> Vec<String> {
        self.model.reading().columns.clone()
    }

    /// The names of the columns that are texts.
    fn texts(&self) -> Vec<String> {
        let kinds = self.model.kinds();
        let texts = kinds.iter().filter(|(_, kind)| matches!(kind, Kind::Category { .. }));
        texts.map(|(name, _)| name.to_string()).collect()
    }

    /// ln p of each row, with its standard error and rank; NaN where there is none.
    fn score<'py>(&self, py: Python<'py>, columns: PyColumns<'py>) -> PyResult<Scores<'py>> {
        let count = rows(&columns);
        let [mut logs, mut errors, mut ranks] = [(); 3].map(|()| Vec::with_capacity(count));
        for start in (0..count).step_by(BLOCK) {
            let some = block(&columns, start, BLOCK.min(count - start))?;
            let scores = py.detach(|| self.model.score(&some)).map_err(value_error)?;
            py.check_signals()?;
            logs.extend(scores.iter().map(|score| score.map_or(f64::NAN, |score| score.log_prob)));
            errors.extend(scores.iter().map(|score| score.map_or(f64::NAN, |score| score.error)));
            ranks.extend(scores.iter().map(|score| score.and_then(|score| score.rank).unwrap_or(f64::NAN)));
        }
        Ok((logs.into_pyarray(py), errors.into_pyarray(py), ranks.into_pyarray(py)))
    }

    /// Why each row is unlikely, as JSON.
    fn explain(&self, py: Python<'_>, columns: PyColumns<'_>, most: usize) -> PyResult<String> {
        let block = block(&columns, 0, rows(&columns))?;
        json(&py.detach(|| self.model.explain(&block, most)).map_err(value_error)?)
    }

    /// Draws rows; `count` for each row of `given` if that has several.
    #[pyo3(signature = (count, given, seed))]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        given: Option<PyColumns<'py>>,
        seed: u64,
    ) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
        let given = given.map(|columns| block(&columns, 0, rows(&columns))).transpose()?;
        let mut all: Option<Block> = None;
        let mut blocks = self.model.sample_blocks(count, given.as_ref(), seed);
        while let Some(drawn) = py.detach(|| blocks.next()) {
            py.check_signals()?;
            let drawn = drawn.map_err(value_error)?;
            match &mut all {
                Some(all) => all.append(drawn).map_err(value_error)?,
                none => *none = Some(drawn),
            }
        }
        drop(blocks);
        let all = match all {
            Some(all) => all,
            None => self.model.sample(0, given.as_ref(), seed).map_err(value_error)?,
        };
        columns::to_python(py, all)
    }

    /// Quantiles of the columns that are not given, for each row of `given`: `name_level`, and `effective`.
    fn quantiles<'py>(
        &self,
        py: Python<'py>,
        given: PyColumns<'py>,
        levels: Vec<f64>,
        seed: u64,
    ) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
        let given = block(&given, 0, rows(&given))?;
        let table = py.detach(|| self.model.quantiles(&given, &levels, seed)).map_err(value_error)?;
        columns::to_python(py, Block::from(&table))
    }

    /// What is to be said of given values that lie far from the rows of the fit.
    fn cautions(&self, given: PyColumns<'_>) -> PyResult<Vec<String>> {
        Ok(self.model.cautions(&block(&given, 0, rows(&given))?))
    }

    /// What it is, as the command describes it.
    fn __str__(&self) -> String {
        self.model.to_string()
    }

    /// How it was fitted, as JSON.
    fn fit_record(&self) -> PyResult<String> {
        json(self.model.fit_record())
    }

    /// The columns with their kinds.
    fn kinds(&self) -> Vec<(String, String)> {
        self.model.kinds().iter().map(|(name, kind)| (name.to_string(), kind.to_string())).collect()
    }

    /// A page on the model and these rows.
    fn report(
        &self,
        py: Python<'_>,
        columns: PyColumns<'_>,
        rows: usize,
        audit: bool,
        seed: u64,
    ) -> PyResult<String> {
        let needs = self.model.needs();
        let (own, others): (PyColumns<'_>, PyColumns<'_>) =
            columns.into_iter().partition(|(name, _)| needs.contains(name));
        let block = block(&own, 0, columns::rows(&own))?;
        let others = others.into_iter().map(|(name, _)| name).collect();
        drop(own);
        py.detach(|| {
            let options = ReportOptions { rows, audit, seed, others, ..ReportOptions::default() };
            report::Report::of(&self.model, &block, options)
                .map(|report| report.to_html())
                .map_err(value_error)
        })
    }

    /// The columns with rounded and tied values at random points of their cells.
    fn spread<'py>(
        &self,
        py: Python<'py>,
        columns: PyColumns<'py>,
        seed: u64,
    ) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
        let block = block(&columns, 0, rows(&columns))?;
        columns::to_python(py, self.model.spread(&block, seed).map_err(value_error)?)
    }

    /// An ONNX file.
    fn to_onnx<'py>(&self, py: Python<'py>, what: &str, bits: u8) -> PyResult<Bound<'py, PyBytes>> {
        let what = match what {
            "log_prob" => What::LogProb,
            "inverse" => What::Inverse,
            "sample" => What::Sample,
            _ => {
                let problem = format!("what={what:?} is not known; it is one of log_prob, inverse, sample");
                return Err(PyValueError::new_err(problem));
            }
        };
        let float = match bits {
            32 => Float::F32,
            64 => Float::F64,
            _ => return Err(PyValueError::new_err("numbers have 32 or 64 bits")),
        };
        let bytes = py.detach(|| self.model.to_onnx(Export { what, float })).map_err(value_error)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes a Python module for JAX into a folder.
    fn to_jax(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        py.detach(|| {
            let package = jax::export_model(&self.model).map_err(value_error)?;
            package.write(folder).map_err(value_error)
        })
    }

    /// The model with the parameters of a safetensors file that its JAX module wrote.
    fn with_parameters(&self, bytes: &[u8]) -> PyResult<Model> {
        let parameters = jax::parameters(bytes).map_err(value_error)?;
        Ok(Model { model: self.model.with_parameters(&parameters).map_err(value_error)? })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let make = py.get_type::<Model>().getattr("from_bytes")?;
        Ok((make, (self.to_bytes(py)?,)))
    }
}

impl Model {
    /// The audit of each flow, with its weight.
    pub fn audits(&self) -> PyResult<Vec<Report>> {
        self.model
            .flows()
            .map(|(_, flow)| audit::audit(flow.flow().bijection()).map_err(value_error))
            .collect()
    }

    /// The derivation of each flow.
    pub fn derivations(&self) -> PyResult<Vec<derivation::Derivation>> {
        let flows = self.model.flows();
        flows.map(|(_, flow)| derivation::derive(flow.flow().bijection()).map_err(value_error)).collect()
    }
}

fn json(value: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(value_error)
}
