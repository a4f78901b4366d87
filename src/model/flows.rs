//! Fitted flows in model files.

use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ModelError;
use super::file::{Content, VERSION};
use super::registry::Registry;
use crate::bijection::{Bijection, Description, leaves};
use crate::flow::{FittedFlow, Flow};
use crate::tape::Tensor;

/// The JSON document of a model file.
#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    version: u64,
    library: String,
    flows: Vec<FlowDescription>,
    /// What the flows are of: columns, units, how they were fitted. Null for a flow by itself.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub table: Value,
}

#[derive(Serialize, Deserialize)]
struct FlowDescription {
    base: Description,
    layers: Vec<Description>,
}

/// Puts flows, and what is said about them, into the content of a file.
pub(super) fn write(flows: &[FittedFlow], table: Value) -> Result<Content, ModelError> {
    let descriptions: Result<Vec<_>, _> = flows.iter().map(|fitted| describe(fitted.flow())).collect();
    let library = env!("CARGO_PKG_VERSION").to_string();
    let document = Document { version: VERSION, library, flows: descriptions?, table };
    let tensors = flows.iter().enumerate().flat_map(|(k, fitted)| {
        fitted.parameters().iter().map(move |(name, tensor)| (format!("flows.{k}.{name}"), tensor.clone()))
    });
    let document = serde_json::to_string(&document).expect("a document holds nothing that JSON cannot say");
    Ok(Content { document, tensors: tensors.collect() })
}

/// Builds the flows of a file.
pub(super) fn read(content: Content, registry: &Registry) -> Result<(Vec<FittedFlow>, Value), ModelError> {
    let problem =
        |error: serde_json::Error| ModelError::Foreign(format!("its description is not ours: {error}"));
    let document: Document = serde_json::from_str(&content.document).map_err(problem)?;
    let mut tensors = content.tensors;
    let mut parts = Vec::new();
    for (k, description) in document.flows.iter().enumerate() {
        let prefix = format!("flows.{k}.");
        let (own, others) = tensors.into_iter().partition(|(name, _)| name.starts_with(&prefix));
        tensors = others;
        parts.push((description, own, prefix));
    }
    if let Some((name, _)) = tensors.first() {
        return Err(ModelError::Parameters(format!("no flow has a parameter `{name}`")));
    }
    // Recording layers and proving what they declare takes most of the time; of several errors the first is told.
    let built =
        parts.into_par_iter().map(|(description, own, prefix)| build(description, registry, own, &prefix));
    let flows: Vec<Result<FittedFlow, ModelError>> = built.collect();
    Ok((flows.into_iter().collect::<Result<_, _>>()?, document.table))
}

fn describe(flow: &Flow) -> Result<FlowDescription, ModelError> {
    let base = flow.base().describe();
    let base =
        base.ok_or_else(|| ModelError::Undescribed { what: format!("the base {}", flow.base().name()) })?;
    let layers = flow.bijection().layers().iter().enumerate().map(|(k, layer)| {
        // A part of a composition may be the one that is missing.
        let missing = leaves(layer).into_iter().find(|leaf| leaf.layer().describe().is_none());
        let name = missing.map_or_else(|| layer.name(), |leaf| leaf.layer().name());
        layer.describe().ok_or_else(|| ModelError::Undescribed { what: format!("layer {k} ({name})") })
    });
    Ok(FlowDescription { base, layers: layers.collect::<Result<_, _>>()? })
}

fn build(
    description: &FlowDescription,
    registry: &Registry,
    tensors: Vec<(String, Tensor)>,
    prefix: &str,
) -> Result<FittedFlow, ModelError> {
    let layers: Result<Vec<_>, _> = description.layers.iter().map(|layer| registry.layer(layer)).collect();
    let flow = Flow::new(registry.base(&description.base)?, layers?)?;
    let mut parameters = flow.initial(0);
    let mut missing: Vec<String> = parameters.iter().map(|(name, _)| name.to_string()).collect();
    for (name, tensor) in tensors {
        let name = &name[prefix.len()..];
        let Some(place) = missing.iter().position(|known| known == name) else {
            return Err(ModelError::Parameters(format!("no layer declares the parameter `{name}`")));
        };
        missing.swap_remove(place);
        parameters
            .set(name, tensor.shape, tensor.values)
            .map_err(|error| ModelError::Parameters(error.to_string()))?;
    }
    match missing.first() {
        Some(name) => Err(ModelError::Parameters(format!("the parameter `{name}` is not in the file"))),
        None => Ok(flow.with(parameters)?),
    }
}

impl FittedFlow {
    /// Writes the flow to a model file, which is complete or absent. The course of the fit is not kept.
    ///
    /// # Errors
    /// [`ModelError::Undescribed`] for a layer or a base without a description, and [`ModelError::Write`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ModelError> {
        write(std::slice::from_ref(self), Value::Null)?.write(path.as_ref())
    }

    /// Loads a flow of layers of the catalogue from a model file; of a file with several flows, the first.
    ///
    /// # Errors
    /// [`ModelError`]: a file that is truncated, altered, foreign or newer is an error of its own.
    pub fn load(path: impl AsRef<Path>) -> Result<FittedFlow, ModelError> {
        FittedFlow::load_with(path, &Registry::catalogue())
    }

    /// As [`FittedFlow::load`], with layers of your own.
    ///
    /// # Errors
    /// As [`FittedFlow::load`].
    pub fn load_with(path: impl AsRef<Path>, registry: &Registry) -> Result<FittedFlow, ModelError> {
        first(read(Content::read(path.as_ref())?, registry)?.0)
    }

    /// Returns the bytes of a model file.
    ///
    /// # Errors
    /// As [`FittedFlow::save`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        Ok(write(std::slice::from_ref(self), Value::Null)?.to_bytes())
    }

    /// Loads a flow from the bytes of a model file.
    ///
    /// # Errors
    /// As [`FittedFlow::load`].
    pub fn from_bytes(bytes: &[u8], registry: &Registry) -> Result<FittedFlow, ModelError> {
        first(read(Content::from_bytes(bytes)?, registry)?.0)
    }
}

fn first(flows: Vec<FittedFlow>) -> Result<FittedFlow, ModelError> {
    flows.into_iter().next().ok_or_else(|| ModelError::Foreign("it holds no flow".to_string()))
}
