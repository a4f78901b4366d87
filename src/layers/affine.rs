//! Elementwise affine layer.
//!
//! x = a ⊙ z + b
//!
//! The scale may have either sign: ln|det J| = Σ ln|aᵢ|.

use std::panic::Location;

use crate::bijection::Bijection;
use crate::jacobian::Structure;
use crate::tape::{Init, Shape, Var};

/// Elementwise affine map x = a ⊙ z + b, with a scale and a shift for each variable.
#[derive(Clone, Debug)]
pub struct Affine {
    scale: Vec<f64>,
    shift: Vec<f64>,
}

impl Affine {
    /// Builds the layer with these initial scales and shifts; both are parameters (`scale`, `shift`).
    ///
    /// # Panics
    /// When the numbers of scales and shifts differ.
    pub fn new(scale: impl Into<Vec<f64>>, shift: impl Into<Vec<f64>>) -> Affine {
        let (scale, shift) = (scale.into(), shift.into());
        assert_eq!(scale.len(), shift.len(), "an affine map needs one shift for each scale");
        Affine { scale, shift }
    }

    /// Builds the layer with the identity on d variables as its initial value.
    pub fn identity(d: usize) -> Affine {
        Affine::new(vec![1.0; d], vec![0.0; d])
    }

    fn parameters<'t>(&self, z: Var<'t>) -> (Var<'t>, Var<'t>) {
        let shape = Shape::Vector(self.scale.len());
        let parameter =
            |name, values: &Vec<f64>| z.tape().parameter(name, shape, Init::Values(values.clone()));
        (parameter("scale", &self.scale), parameter("shift", &self.shift))
    }
}

impl Bijection for Affine {
    fn dim(&self) -> usize {
        self.scale.len()
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (scale, shift) = self.parameters(z);
            scale * z + shift
        })
    }
}
