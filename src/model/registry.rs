//! Names of layers, transformers, vector fields and bases, and how each is built from its settings.

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::ModelError;
use crate::base::Base;
use crate::bijection::{Bijection, Description};
use crate::layers::{Field, Transformer};

/// Builds a value from its settings; parts that have names of their own are looked up in the registry.
pub(super) type Build<T> = fn(&Value, &Registry) -> Result<Box<T>, ModelError>;

/// The types that model files may name.
pub struct Registry {
    layers: IndexMap<String, Build<dyn Bijection>>,
    transformers: IndexMap<String, Build<dyn Transformer>>,
    fields: IndexMap<String, Build<dyn Field>>,
    bases: IndexMap<String, Build<dyn Base>>,
}

impl Registry {
    /// Makes a registry of rows of names.
    pub(super) fn of(
        layers: Vec<(&str, Build<dyn Bijection>)>,
        transformers: Vec<(&str, Build<dyn Transformer>)>,
        fields: Vec<(&str, Build<dyn Field>)>,
        bases: Vec<(&str, Build<dyn Base>)>,
    ) -> Registry {
        Registry {
            layers: names(layers),
            transformers: names(transformers),
            fields: names(fields),
            bases: names(bases),
        }
    }

    /// Registers a layer whose `describe` returns this name and itself as the settings.
    ///
    /// ```
    /// use pushforward::bijection::Description;
    /// use pushforward::prelude::*;
    ///
    /// /// x = z + shift
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Move { shift: Vec<f64> }
    ///
    /// impl Bijection for Move {
    ///     fn dim(&self) -> usize { self.shift.len() }
    ///     fn structure(&self) -> Structure { Structure::Diagonal }
    ///     fn forward<'t>(&self, z: Var<'t>) -> Var<'t> { z + z.tape().vector(&self.shift) }
    ///     fn describe(&self) -> Option<Description> { Description::new("move", self) }
    /// }
    ///
    /// let flow = Flow::new(StandardNormal::new(1), [Box::new(Move { shift: vec![2.0] }) as Box<dyn Bijection>])?;
    /// let start = flow.initial(0);
    /// let bytes = flow.with(start)?.to_bytes()?;
    ///
    /// let unknown = FittedFlow::from_bytes(&bytes, &Registry::catalogue()).err().unwrap();
    /// assert!(unknown.to_string().starts_with("the model file needs the layer `move`, which is not registered"));
    /// let registry = Registry::catalogue().with_layer::<Move>("move");
    /// assert_eq!(FittedFlow::from_bytes(&bytes, &registry)?.log_prob(&[2.0])?[0], -0.5 * std::f64::consts::TAU.ln());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_layer<L: Bijection + DeserializeOwned + 'static>(mut self, name: &str) -> Registry {
        self.layers.insert(name.to_string(), |settings, _| Ok(Box::new(read::<L>(settings)?)));
        self
    }

    /// Registers a transformer, as [`Registry::with_layer`].
    pub fn with_transformer<T: Transformer + DeserializeOwned + 'static>(mut self, name: &str) -> Registry {
        self.transformers.insert(name.to_string(), |settings, _| Ok(Box::new(read::<T>(settings)?)));
        self
    }

    /// Registers a vector field, as [`Registry::with_layer`].
    pub fn with_field<V: Field + DeserializeOwned + 'static>(mut self, name: &str) -> Registry {
        self.fields.insert(name.to_string(), |settings, _| Ok(Box::new(read::<V>(settings)?)));
        self
    }

    /// Registers a base, as [`Registry::with_layer`].
    pub fn with_base<B: Base + DeserializeOwned + 'static>(mut self, name: &str) -> Registry {
        self.bases.insert(name.to_string(), |settings, _| Ok(Box::new(read::<B>(settings)?)));
        self
    }

    /// The names of the layers, in the order of their registration.
    pub fn layers(&self) -> impl Iterator<Item = &str> {
        self.layers.keys().map(String::as_str)
    }

    /// The names of the transformers.
    pub fn transformers(&self) -> impl Iterator<Item = &str> {
        self.transformers.keys().map(String::as_str)
    }

    /// The names of the vector fields.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// The names of the bases.
    pub fn bases(&self) -> impl Iterator<Item = &str> {
        self.bases.keys().map(String::as_str)
    }

    /// Builds the layer of a description, as a model file is read.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// let description = Householder::new(3, 2).describe().unwrap();
    /// assert_eq!((description.name.as_str(), description.settings.to_string().as_str()),
    ///     ("householder", r#"{"d":3,"reflections":2}"#));
    /// assert_eq!(Registry::catalogue().layer(&description)?.dim(), 3);
    /// # Ok::<(), ModelError>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Unknown`] and [`ModelError::Settings`].
    pub fn layer(&self, of: &Description) -> Result<Box<dyn Bijection>, ModelError> {
        self.build("layer", &self.layers, of)
    }

    /// Builds the transformer of a description.
    pub(super) fn transformer(&self, of: &Description) -> Result<Box<dyn Transformer>, ModelError> {
        self.build("transformer", &self.transformers, of)
    }

    /// Builds the vector field of a description.
    pub(super) fn field(&self, of: &Description) -> Result<Box<dyn Field>, ModelError> {
        self.build("field", &self.fields, of)
    }

    /// Builds the base of a description.
    ///
    /// # Errors
    /// As [`Registry::layer`].
    pub fn base(&self, of: &Description) -> Result<Box<dyn Base>, ModelError> {
        self.build("base", &self.bases, of)
    }

    fn build<T: ?Sized>(
        &self,
        what: &'static str,
        known: &IndexMap<String, Build<T>>,
        of: &Description,
    ) -> Result<Box<T>, ModelError> {
        let build = known.get(&of.name).ok_or_else(|| {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            let known = format!("registered are: {}", names.join(", "));
            ModelError::Unknown { what, name: of.name.clone(), known }
        })?;
        build(&of.settings, self).map_err(|error| match error {
            ModelError::Settings { name, problem } if name.is_empty() => {
                ModelError::Settings { name: of.name.clone(), problem }
            }
            other => other,
        })
    }
}

/// Reads settings; the name of what they belong to is filled in by the registry.
pub(super) fn read<T: DeserializeOwned>(settings: &Value) -> Result<T, ModelError> {
    serde_json::from_value(settings.clone())
        .map_err(|error| ModelError::Settings { name: String::new(), problem: error.to_string() })
}

fn names<T: ?Sized>(rows: Vec<(&str, Build<T>)>) -> IndexMap<String, Build<T>> {
    rows.into_iter().map(|(name, build)| (name.to_string(), build)).collect()
}
