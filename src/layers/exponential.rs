//! Matrix exponential.
//!
//! x = exp(A)·z = z + A·z + A²·z/2 + …
//!
//! exp(A) is invertible for every A, with the inverse exp(-A), and ln|det exp(A)| = tr A.
//!
//! Source: Xiao, Liu, "Generative Flows with Matrix Exponential" (2020), section 3.1.

use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked};
use crate::tape::{Init, Shape, Tape, Var};

/// Linear map by a matrix exponential; the parameter `weight` is A, initialised to 0 (the identity).
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MatrixExponential {
    d: usize,
}

impl MatrixExponential {
    /// Builds the layer of d variables.
    ///
    /// # Panics
    /// When there is no variable.
    pub fn new(d: usize) -> MatrixExponential {
        MatrixExponential { d }.checked()
    }

    fn weight<'t>(&self, tape: &'t Tape) -> Var<'t> {
        tape.parameter("weight", Shape::Matrix(self.d, self.d), Init::Constant(0.0))
    }
}

impl Checked for MatrixExponential {
    fn fault(&self) -> Option<String> {
        (self.d == 0).then(|| "a matrix exponential has at least one variable".to_string())
    }
}

impl Bijection for MatrixExponential {
    fn dim(&self) -> usize {
        self.d
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || self.weight(z.tape()).matrix_exp().matvec(z))
    }

    /// A dense matrix gives no order to solve in.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || Some((-self.weight(x.tape())).matrix_exp().matvec(x)))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("matrix_exponential", self)
    }
}
