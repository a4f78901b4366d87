//! Elementwise layers of transformers whose parameters are learned, and depend on nothing.
//!
//! xᵢ = τ(zᵢ; θᵢ)
//!
//! Every transformer of couplings and autoregressive layers is an elementwise layer in this way.

use std::panic::Location;

use super::transformer::Transformer;
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Domain};
use crate::jacobian::Structure;
use crate::tape::{Init, Shape, Var};

/// Elementwise layer: a transformer of each variable, with learned element parameters (`element_parameters`) that start
/// at 0.
///
/// ```
/// use pushforward::prelude::*;
///
/// let layer = Unconditional::new(2, BernsteinTransformer::new(5, 3.0));
/// assert_eq!(record(&layer)?.structure(), &Structure::Diagonal);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Unconditional<T> {
    d: usize,
    transformer: T,
}

impl<T: Transformer> Unconditional<T> {
    /// Builds the layer of d variables.
    pub fn new(d: usize, transformer: T) -> Unconditional<T> {
        Unconditional { d, transformer }
    }

    fn element_parameters<'t>(&self, like: Var<'t>) -> Var<'t> {
        let count = self.transformer.parameters_per_dimension().saturating_mul(self.d);
        like.tape().parameter("element_parameters", Shape::Vector(count), Init::Constant(0.0))
    }
}

impl<T: Transformer> Bijection for Unconditional<T> {
    fn dim(&self) -> usize {
        self.d
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    fn domain(&self) -> Domain {
        self.transformer.domain()
    }

    fn codomain(&self) -> Domain {
        self.transformer.codomain()
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || self.transformer.forward(z, self.element_parameters(z)))
    }

    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || self.transformer.inverse(x, self.element_parameters(x)))
    }

    fn exact_log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        Some(self.transformer.exact_slope(z, self.element_parameters(z))?.ln().sum())
    }

    fn name(&self) -> String {
        self.transformer.name()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        let transformer = self.transformer.describe()?;
        Description::new("unconditional", &serde_json::json!({ "d": self.d, "transformer": transformer }))
    }
}
