//! Student's t base distribution.

use std::f64::consts::PI;

use rand::{Rng, RngExt};

use super::conditioned::Independent;
use super::gamma::log_gamma_half_step;
use super::{Base, Conditioned};
use crate::bijection::Checked;
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::tape::Var;

/// Independent variables with Student's t distribution: ln p(z) = Σ (c(ν) - ½(ν + 1)·ln(1 + zᵢ²/ν)) with
/// c(ν) = ln Γ(½(ν + 1)) - ln Γ(½ν) - ½·ln(νπ).
///
/// Tails decay as |z|^-(ν + 1): moments of order ν and above do not exist. The limit ν → ∞ is the standard
/// normal.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StudentT {
    d: usize,
    degrees: f64,
}

impl StudentT {
    /// Builds the distribution of d variables with ν degrees of freedom; ν = 1 is the Cauchy distribution.
    ///
    /// # Panics
    /// When `degrees` is not a positive number.
    pub fn new(d: usize, degrees: f64) -> StudentT {
        StudentT { d, degrees }.checked()
    }

    /// The logarithm of the normalising constant of one variable.
    fn constant(&self) -> f64 {
        log_gamma_half_step(0.5 * self.degrees) - 0.5 * (self.degrees * PI).ln()
    }

    /// Degrees of freedom ν.
    pub fn degrees(&self) -> f64 {
        self.degrees
    }
}

impl Checked for StudentT {
    fn fault(&self) -> Option<String> {
        let degrees = self.degrees;
        let sound = degrees > 0.0 && degrees.is_finite();
        (!sound).then(|| format!("Student's t needs degrees of freedom above 0, not {degrees}"))
    }
}

impl Base for StudentT {
    fn dim(&self) -> usize {
        self.d
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        let degrees = self.degrees;
        let kernel = (z * z / degrees).ln_1p().sum();
        self.d as f64 * self.constant() - 0.5 * (degrees + 1.0) * kernel
    }

    /// Draws by Bailey's polar method ("Polar generation of random variates with the t-distribution", 1994):
    /// for (u, v) uniform in the unit disc and w = u² + v², u·√(ν·(w^(-2/ν) - 1)/w).
    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        for value in z {
            let (u, w) = loop {
                let [u, v] = [(); 2].map(|()| 2.0 * random.random::<f64>() - 1.0);
                let w = u * u + v * v;
                if w > 0.0 && w < 1.0 {
                    break (u, w);
                }
            };
            *value = u * (self.degrees * (-2.0 / self.degrees * w.ln()).exp_m1() / w).sqrt();
        }
    }

    fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
        let log_prob = |base: &StudentT, _: usize, z: f64| {
            base.constant() - 0.5 * (base.degrees + 1.0) * (z * z / base.degrees).ln_1p()
        };
        Some(Box::new(Independent::new(*self, known, log_prob)))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("student_t", self)
    }
}
