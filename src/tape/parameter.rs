//! Parameters: named nodes whose values are stored outside the tape.
//!
//! A layer declares a parameter where it uses it; the tape keeps its name, shape and initialisation. The
//! values are in an ordered store, [`Parameters`], which training updates and which is saved.

use indexmap::IndexMap;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thiserror::Error;

use super::{Shape, Tape};

/// Initialisation of a parameter.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Init {
    /// The same number for every element.
    Constant(f64),
    /// These numbers, in element order.
    Values(Vec<f64>),
    /// Drawn uniformly from (-bound, bound).
    Uniform(f64),
}

impl Init {
    /// Glorot and Bengio's uniform initialisation for a weight matrix of this many inputs and outputs
    /// ("Understanding the difficulty of training deep feedforward neural networks", 2010, eq. 16).
    pub fn glorot(inputs: usize, outputs: usize) -> Init {
        Init::Uniform((6.0 / (inputs as f64 + outputs as f64).max(1.0)).sqrt())
    }
}

/// The declaration of a parameter on a tape.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Declaration {
    /// The path of the layer in its flow, followed by the layer's own name for it: `layers.0.scale`.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// Its initialisation.
    pub init: Init,
}

/// Numbers with a shape, in element order (matrices by rows).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tensor {
    /// The shape.
    pub shape: Shape,
    /// The numbers.
    pub values: Vec<f64>,
}

/// The values of parameters by name, in the order of their declaration.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Parameters {
    values: IndexMap<String, Tensor>,
}

/// Errors of parameter stores.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// The program needs a name that is not in the store.
    #[error("the parameters hold no `{name}`; the names are: {known}")]
    Missing {
        /// The name asked for.
        name: String,
        /// The names in the store.
        known: String,
    },
    /// The shapes differ.
    #[error("parameter `{name}` is {expected} in the program but {given} in the store")]
    Shape {
        /// The name.
        name: String,
        /// The shape that the program declares.
        expected: Shape,
        /// The shape in the store.
        given: Shape,
    },
    /// The number of values does not match the shape.
    #[error("parameter `{name}` is {shape}, which is {} values, but {given} were given", shape.len())]
    Length {
        /// The name.
        name: String,
        /// Its shape.
        shape: Shape,
        /// The number of values given.
        given: usize,
    },
}

impl Parameters {
    /// Returns initial values for every parameter that the tape declares.
    ///
    /// Each parameter draws from its own ChaCha8 stream, chosen by its name, so that adding a layer does not
    /// change the initialisation of the others.
    pub fn initialise(tape: &Tape, seed: u64) -> Parameters {
        let mut values = IndexMap::new();
        for declaration in tape.declarations() {
            let length = declaration.shape.len();
            let numbers = match &declaration.init {
                Init::Constant(value) => vec![*value; length],
                Init::Values(values) => values.clone(),
                Init::Uniform(bound) => {
                    let mut random = ChaCha8Rng::seed_from_u64(seed);
                    random.set_stream(stream_of(&declaration.name));
                    (0..length).map(|_| bound * open_unit(&mut random)).collect()
                }
            };
            values.insert(declaration.name, Tensor { shape: declaration.shape, values: numbers });
        }
        Parameters { values }
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.values.get(name)
    }

    /// As [`Parameters::get`], to be changed.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Tensor> {
        self.values.get_mut(name)
    }

    /// Replaces the numbers of a parameter, or adds it.
    ///
    /// # Errors
    /// [`ParameterError::Length`] when the numbers do not fill the shape.
    pub fn set(&mut self, name: &str, shape: Shape, values: Vec<f64>) -> Result<(), ParameterError> {
        if values.len() != shape.len() {
            return Err(ParameterError::Length { name: name.to_string(), shape, given: values.len() });
        }
        self.values.insert(name.to_string(), Tensor { shape, values });
        Ok(())
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.values.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Names and mutable values, in order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Tensor)> {
        self.values.iter_mut().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Total number of values.
    pub fn count(&self) -> usize {
        self.values.values().map(|tensor| tensor.values.len()).sum()
    }

    /// Returns the tensor of a declaration.
    ///
    /// # Errors
    /// [`ParameterError::Missing`] and [`ParameterError::Shape`].
    pub fn resolve(&self, declaration: &Declaration) -> Result<&Tensor, ParameterError> {
        let tensor = self.get(&declaration.name).ok_or_else(|| ParameterError::Missing {
            name: declaration.name.clone(),
            known: self.known_names(),
        })?;
        if tensor.shape != declaration.shape {
            return Err(ParameterError::Shape {
                name: declaration.name.clone(),
                expected: declaration.shape,
                given: tensor.shape,
            });
        }
        Ok(tensor)
    }

    fn known_names(&self) -> String {
        if self.values.is_empty() {
            return "none".to_string();
        }
        self.values.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// Returns a stream number for a name: the 64-bit FNV-1a hash, which is the same in all versions.
fn stream_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Draws a number in (-1, 1).
fn open_unit(random: &mut impl Rng) -> f64 {
    2.0 * random.random::<f64>() - 1.0
}
