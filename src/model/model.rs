//! A fitted density of the columns of a table.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::categories::{Categories, CategoryColumn};
use super::column::{Encoding, GivenColumn, ModelColumn};
use super::error::ModelError;
use super::file::Content;
use super::flows;
use super::record::{FitRecord, Reading, Usual};
use super::registry::Registry;
use crate::flow::FittedFlow;
use crate::numeric::log_sum_exp;
use crate::table::{Kind, Kinds};
use crate::tape::Parameters;

/// A density of columns of a table, possibly given others: a mixture of flows in the units of the file, with what is
/// needed to use it on new rows.
///
/// p(x | c) = Σ wₖ·pₖ(x | c). The weights maximise the likelihood of the rows held out in the fit (Smyth and Wolpert,
/// "Linearly combining density estimators via stacking", 1999); a single flow has weight 1.
pub struct Model {
    pub(super) about: About,
    pub(super) flows: Vec<FittedFlow>,
}

/// What a model file says beside its flows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct About {
    pub columns: Vec<ModelColumn>,
    pub given: Vec<GivenColumn>,
    /// Categories that are part of the density.
    #[serde(default)]
    pub categories: Option<Categories>,
    pub weights: Vec<f64>,
    /// ln p of training rows at equal shares, ascending.
    pub ranks: Vec<f64>,
    /// What a training row is like, by column.
    #[serde(default)]
    pub usual: Vec<Usual>,
    #[serde(default)]
    pub reading: Reading,
    pub fit: FitRecord,
}

impl Model {
    /// The modelled columns.
    pub fn columns(&self) -> &[ModelColumn] {
        &self.about.columns
    }

    /// The columns on which the density is conditioned.
    pub fn given(&self) -> &[GivenColumn] {
        &self.about.given
    }

    /// Categories that are part of the density.
    pub fn categories(&self) -> Option<&Categories> {
        self.about.categories.as_ref()
    }

    /// The flows with their weights.
    pub fn flows(&self) -> impl Iterator<Item = (f64, &FittedFlow)> {
        self.about.weights.iter().copied().zip(&self.flows)
    }

    /// How it was fitted.
    pub fn fit_record(&self) -> &FitRecord {
        &self.about.fit
    }

    /// How the table of the fit was read.
    pub fn reading(&self) -> &Reading {
        &self.about.reading
    }

    /// The kinds of all columns that a row needs to have, as they were fitted.
    pub fn kinds(&self) -> Kinds {
        let own = self.columns().iter().map(|column| (&column.name, column.kind.clone()));
        let levels = |column: &CategoryColumn| Kind::Category { levels: column.levels.clone() };
        let categories = self.categories().into_iter().flat_map(|categories| &categories.columns);
        let categories = categories.map(|column| (&column.name, levels(column)));
        let given = self.given().iter().map(|column| (&column.name, column.encoding.kind()));
        // No column is both.
        let all = own.chain(categories).chain(given);
        all.fold(Kinds::new(), |kinds, (name, kind)| kinds.clone().with(name, kind).unwrap_or(kinds))
    }

    /// The names of all columns that a row needs to have.
    pub fn needs(&self) -> Vec<String> {
        let own = self.about.columns.iter().map(|column| column.name.clone());
        let categories = self.categories().into_iter().flat_map(|categories| &categories.columns);
        own.chain(categories.map(|column| column.name.clone()))
            .chain(self.about.given.iter().map(|column| column.name.clone()))
            .collect()
    }

    /// Writes a model file, which is complete or absent.
    ///
    /// # Errors
    /// [`ModelError::Write`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ModelError> {
        self.content()?.write(path.as_ref())
    }

    /// Returns the bytes of a model file.
    ///
    /// # Errors
    /// None for the layers that a fit uses.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        Ok(self.content()?.to_bytes())
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// As [`FittedFlow::load`], and [`ModelError::Foreign`] for the file of a flow without columns.
    pub fn load(path: impl AsRef<Path>) -> Result<Model, ModelError> {
        Model::of(Content::read(path.as_ref())?)
    }

    /// Reads the bytes of a model file.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Model, ModelError> {
        Model::of(Content::from_bytes(bytes)?)
    }

    /// The same model with other values of its parameters, by the names that they have in a JAX module: those of the flow, or
    /// with `flows.k.` before them where there are several. What is recorded of the fit stays as it is, ranks included.
    ///
    /// # Errors
    /// [`ModelError::Parameters`] for a parameter that is missing, that no flow has, of another shape, or with a value that is not
    /// finite.
    pub fn with_parameters(&self, parameters: &Parameters) -> Result<Model, ModelError> {
        let problem = |text: String| Err(ModelError::Parameters(text));
        let mut content = self.content()?;
        let alone = self.flows.len() == 1;
        let own = |name: &str| {
            if alone { name.strip_prefix("flows.0.").unwrap_or(name).to_string() } else { name.to_string() }
        };
        let known: Vec<String> = content.tensors.iter().map(|(name, _)| own(name)).collect();
        if let Some((name, _)) = parameters.iter().find(|(name, _)| !known.iter().any(|own| own == name)) {
            return problem(format!("no flow of the model has a parameter `{name}`"));
        }
        for (name, (_, tensor)) in known.iter().zip(&mut content.tensors) {
            let Some(given) = parameters.get(name) else { return problem(format!("`{name}` is missing")) };
            if given.shape != tensor.shape {
                return problem(format!("`{name}` has the shape {}, and not {}", given.shape, tensor.shape));
            }
            if let Some(value) = given.values.iter().find(|value| !value.is_finite()) {
                return problem(format!("`{name}` holds {value}"));
            }
            tensor.values.clone_from(&given.values);
        }
        Model::of(content)
    }

    fn content(&self) -> Result<Content, ModelError> {
        let about = serde_json::to_value(&self.about)
            .map_err(|error| ModelError::Parameters(format!("the description cannot be written: {error}")))?;
        flows::write(&self.flows, about)
    }

    fn of(content: Content) -> Result<Model, ModelError> {
        let (flows, about) = flows::read(content, &Registry::catalogue())?;
        if about == Value::Null {
            let problem =
                "it is a flow without the columns of a table (FittedFlow::load reads it)".to_string();
            return Err(ModelError::Foreign(problem));
        }
        let about: About = serde_json::from_value(about)
            .map_err(|error| ModelError::Foreign(format!("its columns are not ours: {error}")))?;
        let model = Model { about, flows };
        match model.fault() {
            Some(problem) => Err(ModelError::Parameters(problem)),
            None => Ok(model),
        }
    }

    /// Returns in what the columns, the weights and the flows do not fit each other, if in anything.
    fn fault(&self) -> Option<String> {
        let About { columns, given, weights, .. } = &self.about;
        let (d, context) = (columns.len(), self.context_width());
        let flow = |flow: &FittedFlow| flow.flow().dim() == d && flow.flow().context() == context;
        if self.flows.is_empty() || !self.flows.iter().all(flow) {
            return Some(format!("its flows are not of {d} columns given {context} numbers"));
        }
        if let Some(problem) = self.categories().and_then(Categories::fault) {
            return Some(problem);
        }
        let total: f64 = weights.iter().sum();
        let positive = weights.iter().all(|weight| *weight > 0.0);
        if weights.len() != self.flows.len() || !positive || (total - 1.0).abs() > 1e-9 {
            return Some(format!("the weights of its {} flows are {weights:?}", self.flows.len()));
        }
        let finite = |number: f64| number.is_finite() && number >= 0.0;
        let FitRecord { centres, scales, .. } = &self.about.fit;
        let sound = centres.iter().all(|centre| centre.is_finite())
            && scales.iter().all(|scale| finite(*scale) && *scale > 0.0);
        if !sound || centres.len() != scales.len() || ![0, d].contains(&scales.len()) {
            return Some(format!("the scales of its {d} columns are {scales:?}, about {centres:?}"));
        }
        if let Some(column) = columns.iter().find(|column| !finite(column.cell) || !column.offset.is_finite())
        {
            return Some(format!("the cells of `{}` are {} wide", column.name, column.cell));
        }
        let unsound = |column: &&GivenColumn| match &column.encoding {
            Encoding::Standardised { mean, deviation } | Encoding::Logarithm { mean, deviation } => {
                !(mean.is_finite() && finite(*deviation) && *deviation > 0.0)
            }
            Encoding::Circle { start, period } => !(start.is_finite() && finite(*period) && *period > 0.0),
            Encoding::OneHot { levels } => levels.is_empty(),
        };
        let column = given.iter().find(unsound)?;
        Some(format!("the encoding of `{}` is {:?}", column.name, column.encoding))
    }

    /// Returns ln p of rows in the units of the file.
    pub(super) fn log_prob_of(&self, rows: &[f64], contexts: &[f64]) -> Result<Vec<f64>, ModelError> {
        let logs: Result<Vec<Vec<f64>>, ModelError> =
            self.flows.iter().map(|flow| Ok(flow.log_prob_given(rows, contexts)?)).collect();
        let logs = logs?;
        Ok(mixture(&self.about.weights, &logs.iter().map(Vec::as_slice).collect::<Vec<_>>()))
    }
}

/// Returns ln Σ wₖ·exp(lₖ) of each row.
pub(super) fn mixture(weights: &[f64], logs: &[&[f64]]) -> Vec<f64> {
    if let [only] = logs {
        return only.to_vec();
    }
    let rows = logs.first().map_or(0, |logs| logs.len());
    let row = |row: usize| {
        let terms = weights.iter().zip(logs).map(|(weight, logs)| weight.ln() + logs[row]);
        log_sum_exp(terms)
    };
    (0..rows).map(row).collect()
}
