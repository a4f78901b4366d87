//! Logistic base distribution.

use rand::{Rng, RngExt};

use super::conditioned::Independent;
use super::{Base, Conditioned};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::tape::Var;

/// Independent standard logistic variables: p(z) = σ(z)·(1 - σ(z)) for each, with the logistic function σ as
/// the distribution function, so ln p(z) = Σ (-zᵢ - 2·ln(1 + e⁻ᶻⁱ)).
///
/// Tails decay as e⁻|ᶻ|: slower than normal tails, faster than any power. The variance is π²/3.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Logistic {
    d: usize,
}

impl Logistic {
    /// Builds the distribution of d independent variables.
    pub fn new(d: usize) -> Logistic {
        Logistic { d }
    }
}

impl Base for Logistic {
    fn dim(&self) -> usize {
        self.d
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        -(z + 2.0 * (-z).softplus()).sum()
    }

    /// Applies σ⁻¹ to a uniform number.
    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        for value in z {
            // In (0, 1): the drawn number is a multiple of 2⁻⁵³ below 1, plus half a step. The largest one
            // rounds to 1.
            let u = loop {
                let u = random.random::<f64>() + f64::EPSILON / 4.0;
                if u < 1.0 {
                    break u;
                }
            };
            *value = u.ln() - (1.0 - u).ln();
        }
    }

    fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
        // Even in z, and without overflow for large |z|.
        Some(Box::new(Independent::new(*self, known, |_, _, z| -z.abs() - 2.0 * (-z.abs()).exp().ln_1p())))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("logistic", self)
    }
}
