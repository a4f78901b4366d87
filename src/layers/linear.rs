//! Dense linear layer.
//!
//! x = W z + b
//!
//! No structure is declared, so ln|det W| takes an LU decomposition, O(d³). W does not depend on the sample,
//! so it is computed once per call.

use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked};
use crate::tape::{Init, Shape, Var};

/// Linear map x = W z + b with any invertible matrix W.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Linear {
    weight: Vec<f64>,
    bias: Vec<f64>,
}

impl Linear {
    /// Builds the layer with this initial matrix, by rows, and this initial bias; both are parameters
    /// (`weight`, `bias`).
    ///
    /// # Panics
    /// When the matrix does not have d·d entries, where d is the length of the bias.
    pub fn new(weight: impl Into<Vec<f64>>, bias: impl Into<Vec<f64>>) -> Linear {
        let (weight, bias) = (weight.into(), bias.into());
        Linear { weight, bias }.checked()
    }

    /// Builds the layer with the identity on d variables as its initial value.
    pub fn identity(d: usize) -> Linear {
        let weight: Vec<f64> = (0..d * d).map(|e| if e / d == e % d { 1.0 } else { 0.0 }).collect();
        Linear::new(weight, vec![0.0; d])
    }

    fn parameters<'t>(&self, z: Var<'t>) -> (Var<'t>, Var<'t>) {
        let d = self.bias.len();
        let weight = Init::Values(self.weight.clone());
        let bias = Init::Values(self.bias.clone());
        (
            z.tape().parameter("weight", Shape::Matrix(d, d), weight),
            z.tape().parameter("bias", Shape::Vector(d), bias),
        )
    }
}

impl Checked for Linear {
    fn fault(&self) -> Option<String> {
        let d = self.bias.len();
        (self.weight.len() != d * d).then(|| format!("a linear map of {d} variables needs {d}×{d} weights"))
    }
}

impl Bijection for Linear {
    fn dim(&self) -> usize {
        self.bias.len()
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (weight, bias) = self.parameters(z);
            weight.matvec(z) + bias
        })
    }

    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let (weight, bias) = self.parameters(x);
            Some(weight.inverse().matvec(x - bias))
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("linear", self)
    }
}
