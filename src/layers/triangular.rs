//! Triangular linear layers, and the PLU decomposition of a full matrix.
//!
//! x = T z with T lower or upper triangular. ln|det T| = Σ ln|T_ii|, O(d), where a dense W needs an LU
//! decomposition.
//!
//! PLU composes them to a full matrix: W = P·L·U with a permutation, a unit lower and an upper triangular
//! factor. It is a chain of layers, so that each factor keeps its structure and its proof.
//!
//! Source: Kingma and Dhariwal, "Glow" (2018), section 3.2.

use std::panic::Location;

use super::{ActNorm, Householder, Permutation};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Chain, Checked};
use crate::jacobian::Structure;
use crate::tape::{Init, Shape, Tape, Var};

/// Linear map x = T z with a triangular T.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Triangular {
    d: usize,
    lower: bool,
    /// The signs of the diagonal; `None` for a unit diagonal.
    signs: Option<Vec<f64>>,
}

impl Triangular {
    /// Builds a lower triangular layer with 1 on the diagonal: ln|det T| = 0. Initialised to the identity.
    pub fn unit_lower(d: usize) -> Triangular {
        Triangular { d, lower: true, signs: None }
    }

    /// Builds a lower triangular layer with the diagonal exp(l). Initialised to the identity.
    pub fn lower(d: usize) -> Triangular {
        Triangular { d, lower: true, signs: Some(vec![1.0; d]) }
    }

    /// Builds an upper triangular layer with the diagonal exp(l). Initialised to the identity.
    pub fn upper(d: usize) -> Triangular {
        Triangular { d, lower: false, signs: Some(vec![1.0; d]) }
    }

    /// Sets fixed signs of the diagonal.
    ///
    /// # Panics
    /// When there are not d signs, or one is neither 1 nor -1.
    pub fn with_signs(self, signs: impl Into<Vec<f64>>) -> Triangular {
        Triangular { signs: Some(signs.into()), ..self }.checked()
    }

    /// Records T from the parameters `weight` (off the diagonal) and `log_diagonal`.
    pub(super) fn matrix<'t>(&self, tape: &'t Tape) -> Var<'t> {
        let d = self.d;
        let shape = Shape::Matrix(d, d);
        let beside = |e: usize| if self.lower { e % d < e / d } else { e % d > e / d };
        let mask: Vec<f64> = (0..d * d).map(|e| f64::from(u8::from(beside(e)))).collect();
        let weight = tape.parameter("weight", shape, Init::Constant(0.0)) * tape.matrix(d, d, &mask);
        let places: Vec<usize> = (0..d).map(|i| i * d + i).collect();
        let diagonal = match &self.signs {
            None => tape.vector(&vec![1.0; d]),
            Some(signs) => {
                let size = tape.parameter("log_diagonal", Shape::Vector(d), Init::Constant(0.0)).exp();
                if signs.iter().all(|sign| *sign == 1.0) { size } else { tape.vector(signs) * size }
            }
        };
        weight + diagonal.scatter(&places, shape)
    }
}

impl Checked for Triangular {
    fn fault(&self) -> Option<String> {
        let (d, signs) = (self.d, self.signs.as_ref()?);
        let sound = signs.len() == d && signs.iter().all(|sign| sign.abs() == 1.0);
        (!sound).then(|| {
            format!("a triangular map of {d} variables needs as many signs, each 1 or -1, but got {signs:?}")
        })
    }
}

impl Bijection for Triangular {
    fn dim(&self) -> usize {
        self.d
    }

    fn structure(&self) -> Structure {
        if self.lower { Structure::LowerTriangular } else { Structure::UpperTriangular }
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || self.matrix(z.tape()).matvec(z))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("triangular", self)
    }
}

/// Builds x = exp(s) ⊙ (P·L·U·z) + b: xᵢ = exp(sᵢ)·`(L·U·z)[positions[i]]` + bᵢ, U with the diagonal signs·exp(l), L with 1.
/// It is a bijection for all parameters.
///
/// # Panics
/// When `positions` is not a permutation, or the signs are not ±1.
pub fn plu(positions: impl Into<Vec<usize>>, signs: impl Into<Vec<f64>>) -> Chain {
    let permutation = Permutation::new(positions);
    let d = permutation.dim();
    let layers: [Box<dyn Bijection>; 4] = [
        Box::new(Triangular::upper(d).with_signs(signs)),
        Box::new(Triangular::unit_lower(d)),
        Box::new(permutation),
        Box::new(ActNorm::new(d)),
    ];
    Chain::new(layers)
}

/// Builds x = exp(s) ⊙ (Q·R·z) + b: R upper triangular with the diagonal exp(l), Q a product of this many reflections. It is a bijection for all
/// parameters; with d reflections W = Q·R comes near to every invertible matrix with one sign of the determinant.
///
/// Source: Hoogeboom, van den Berg, Welling, "Emerging Convolutions for Generative Normalizing Flows" (2019), section 3.2.
///
/// # Panics
/// When there is no variable or no reflection.
pub fn qr(d: usize, reflections: usize) -> Chain {
    let layers: [Box<dyn Bijection>; 3] = [
        Box::new(Triangular::upper(d)),
        Box::new(Householder::new(d, reflections)),
        Box::new(ActNorm::new(d)),
    ];
    Chain::new(layers)
}
