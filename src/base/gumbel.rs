//! Gumbel base distribution.

use rand::distr::Open01;
use rand::{Rng, RngExt};

use super::conditioned::Independent;
use super::{Base, Conditioned};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::tape::Var;

/// Independent standard Gumbel variables, the limit of largest values: ln p(z) = -Σ (zᵢ + e⁻ᶻⁱ), with the
/// distribution function exp(-e⁻ᶻ).
///
/// The right tail decays as e⁻ᶻ, the left one as exp(-e⁻ᶻ). The mode is 0, the mean is Euler's constant and the
/// variance π²/6. For a location and a scale, an affine layer follows; with a negative scale it is the limit of
/// smallest values.
///
/// Source: Johnson, Kotz, Balakrishnan, "Continuous Univariate Distributions", volume 2 (1995), chapter 22.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Gumbel {
    d: usize,
}

impl Gumbel {
    /// Builds the distribution of d independent variables.
    pub fn new(d: usize) -> Gumbel {
        Gumbel { d }
    }
}

impl Base for Gumbel {
    fn dim(&self) -> usize {
        self.d
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        -(z + (-z).exp()).sum()
    }

    /// Applies the inverse of the distribution function to a uniform number.
    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        for value in z {
            *value = -(-random.sample::<f64, _>(Open01).ln()).ln();
        }
    }

    fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
        Some(Box::new(Independent::new(*self, known, |_, _, z| -(z + (-z).exp()))))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("gumbel", self)
    }
}
