//! Laplace base distribution.

use std::f64::consts::LN_2;

use rand::{Rng, RngExt};

use super::conditioned::Independent;
use super::{Base, Conditioned};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::tape::Var;

/// Independent standard Laplace variables: ln p(z) = -Σ |zᵢ| - d·ln 2.
///
/// The variance is 2. Tails decay as e⁻|ᶻ|, those of the [`Logistic`](super::Logistic) too, but the density has a
/// kink at 0: its gradient there is recorded as 0. For a location and a scale, an affine layer follows.
///
/// Source: Johnson, Kotz, Balakrishnan, "Continuous Univariate Distributions", volume 2 (1995), chapter 24.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Laplace {
    d: usize,
}

impl Laplace {
    /// Builds the distribution of d independent variables.
    pub fn new(d: usize) -> Laplace {
        Laplace { d }
    }
}

impl Base for Laplace {
    fn dim(&self) -> usize {
        self.d
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        -z.abs().sum() - self.d as f64 * LN_2
    }

    /// Draws an exponential variable and gives it a sign.
    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        for value in z {
            // 1 - u lies in (0, 1], so its logarithm is finite.
            let size = -(1.0 - random.random::<f64>()).ln();
            *value = if random.random() { size } else { -size };
        }
    }

    fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
        Some(Box::new(Independent::new(*self, known, |_, _, z| -z.abs() - LN_2)))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("laplace", self)
    }
}
