//! What a model file keeps of a layer, a transformer, a vector field or a base.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name under which a type is registered, and the settings from which it is built again.
///
/// Values of parameters are not part of it: a model file keeps them as tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The registered name.
    pub name: String,
    /// The settings.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub settings: Value,
}

impl Description {
    /// Describes a type by its name and its settings; `None` when the settings cannot be written as JSON.
    pub fn new(name: &str, settings: &impl Serialize) -> Option<Description> {
        Some(Description { name: name.to_string(), settings: serde_json::to_value(settings).ok()? })
    }
}
